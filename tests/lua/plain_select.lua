-- hedged.select in plain Lua: LUA_PATH="stdlib/?.lua;;" lua5.4 tests/lua/plain_select.lua
local lu = require "luaunit"
local select = require "hedged.select"

local NOW, YEAR = 1769660547, 365 * 86400

local function perpetual(fields)
  local item = { name = "BTC-PERPETUAL", kind = "perpetual", bid = 87990, ask = 88010, fee = 0.0005,
                 funding = 0.0001 }
  for key, value in pairs(fields or {}) do item[key] = value end
  return item
end

local function future(fields)
  local item = { name = "BTC-27MAR26", kind = "future", bid = 88860, ask = 88900, fee = 0.0005,
                 expiry = NOW + YEAR / 4 }
  for key, value in pairs(fields or {}) do item[key] = value end
  return item
end

local function rank(delta, instruments, fields)
  local args = { delta = delta, spot = 88000, horizon = 8 * 3600, now = NOW,
                 instruments = instruments }
  for key, value in pairs(fields or {}) do args[key] = value end
  return select.rank(args)
end

TestRank = {}

function TestRank:test_cost_of_a_perpetual_by_hand()
  local row = rank(2, { perpetual() })[1]
  local notional = 2 * 88000
  lu.assertAlmostEquals(row.half_spread, 2 * notional * 10 / 88000, 1e-9)
  lu.assertAlmostEquals(row.fee, 2 * notional * 0.0005, 1e-9)
  lu.assertAlmostEquals(row.carry, notional * 0.0001, 1e-9) -- the long pays one funding
  lu.assertAlmostEquals(row.cost, row.half_spread + row.fee + row.carry, 1e-9)
  lu.assertAlmostEquals(row.bp, row.cost / notional * 1e4, 1e-9)
  lu.assertAlmostEquals(rank(-2, { perpetual() })[1].carry, -notional * 0.0001, 1e-9)
end

function TestRank:test_basis_of_a_future_runs_off()
  local day = rank(1, { future() }, { horizon = 86400 })[1]
  lu.assertAlmostEquals(day.carry, 88000 * (88880 / 88000 - 1) * 86400 / (YEAR / 4), 1e-6)
  -- held beyond expiry: the whole basis, not more
  local all = rank(1, { future() }, { horizon = YEAR })[1]
  lu.assertAlmostEquals(all.carry, 880, 1e-6)
end

function TestRank:test_the_cheapest_depends_on_side_and_horizon()
  local both = { perpetual { funding = 0.001 }, future() }
  lu.assertEquals(rank(1, both, { horizon = 7 * 86400 })[1].name, "BTC-27MAR26")
  lu.assertEquals(rank(-1, both, { horizon = 7 * 86400 })[1].name, "BTC-PERPETUAL")
  lu.assertEquals(rank(1, both, { horizon = 60 })[1].name, "BTC-PERPETUAL")
end

function TestRank:test_one_way()
  local there = rank(1, { perpetual() }, { round_trip = false })[1]
  lu.assertAlmostEquals(there.fee, 44, 1e-9)
  lu.assertAlmostEquals(there.half_spread, 10, 1e-9)
end

function TestRank:test_spot_pays_for_money()
  local row = rank(1, { { name = "BTC_USDC", kind = "spot", bid = 88000, ask = 88000 } },
    { rate = 0.05, horizon = 86400 })[1]
  lu.assertAlmostEquals(row.cost, 88000 * 0.05 / 365, 1e-9)
end

function TestRank:test_too_thin_ranks_after_what_fits()
  local list = rank(5, { perpetual { ask_size = 1, bid_size = 9 },
                         future { ask_size = 6, bid_size = 9, ask = 90000 } })
  lu.assertEquals(list[1].name, "BTC-27MAR26")
  lu.assertFalse(list[2].fits)
  lu.assertEquals(list[2].problem, "the book shows 1 of a size of 5")
  lu.assertTrue(list[2].cost < list[1].cost) -- a floor
  lu.assertNil(list[1].problem)
end

function TestRank:test_unusable_ranks_last_with_its_problem()
  local list = rank(1, {
    perpetual { name = "crossed", bid = 88020 },
    perpetual { name = "one-sided", ask = 0 },
    perpetual { name = "old", age = 60 },
    future { name = "expired", expiry = NOW },
    perpetual(),
  }, { max_age = 30 })
  lu.assertEquals(list[1].name, "BTC-PERPETUAL")
  lu.assertEquals({ list[2].problem, list[3].problem, list[4].problem, list[5].problem },
    { "crossed quote", "no two-sided quote", "stale quote", "expired" })
  lu.assertNil(list[2].cost)
end

function TestRank:test_equal_costs_keep_their_order()
  local list = rank(1, { perpetual { name = "b" }, perpetual { name = "a" },
                         perpetual { name = "c" } })
  lu.assertEquals({ list[1].name, list[2].name, list[3].name }, { "b", "a", "c" })
end

function TestRank:test_misuse_raises_at_the_caller()
  for _, bad in ipairs { 0, 0 / 0, math.huge } do
    local ok, message = pcall(function() return (rank(bad, {})) end)
    lu.assertFalse(ok)
    lu.assertStrContains(message, "delta must be a number other than zero")
    lu.assertStrContains(message, "plain_select.lua")
  end
  lu.assertErrorMsgContains("horizon", rank, 1, {}, { horizon = 0 })
end

TestRankCosts = {}

function TestRankCosts:test_by_dollars_per_coin_across_kinds_and_venues()
  local rows = {
    { name = "perp", kind = "perpetual", delta = 1, total = 40, fits = true },
    { name = "option", kind = "option", delta = -2, total = 60, fits = true },
    { name = "thin", kind = "future", delta = 1, total = 1, fits = false },
    { name = "broken", problem = "no two-sided quote" },
    { name = "earns", kind = "future", venue = "okx", delta = 0.5, total = -3, fits = true },
    { name = "nan", delta = 1, total = 0 / 0 },
  }
  local list = select.rank_costs(rows)
  local names = {}
  for i, row in ipairs(list) do names[i] = row.name end
  lu.assertEquals(names, { "earns", "option", "perp", "thin", "broken", "nan" })
  lu.assertEquals(list[1].per_coin, -6)
  lu.assertEquals(list[2].per_coin, 30)
  lu.assertNil(rows[1].per_coin) -- the rows given are left alone
  lu.assertEquals(list[6].problem, "no cost")
  lu.assertNil(list[3].problem)
  lu.assertEquals({ list[4].problem, list[4].per_coin }, { "more than the book shows", 1 })
end

os.exit(lu.LuaUnit.run())
