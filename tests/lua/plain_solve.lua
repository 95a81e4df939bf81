-- hedged.solve in plain Lua: LUA_PATH="stdlib/?.lua;;" lua5.4 tests/lua/plain_solve.lua
-- The problem is convex: an answer that meets the optimality conditions is the answer. They are
-- checked here from the definition, not with the solver's own code.
local lu = require "luaunit"
local solve = require "hedged.solve"

local SPOT, SIGMA = 60000, 0.6
local MOVE = SPOT * SIGMA / math.sqrt(365)
local W = { delta = MOVE, gamma = MOVE * MOVE / 2, vega = 1.5 }

local function seeded(seed)
  return function(lo, hi)
    seed = seed * 6364136223846793005 + 1442695040888963407
    return lo + (hi - lo) * ((seed >> 11) / 2 ^ 53)
  end
end

-- A perpetual and four options; the first two share an expiry, so gamma and vega are collinear.
local function instruments()
  return {
    { name = "perp", delta = 1, cost = 12 },
    { name = "near call", delta = 0.51, gamma = 3.9e-5, vega = 68, cost = 30 },
    { name = "near put", delta = -0.49, gamma = 3.9e-5, vega = 68, cost = 33 },
    { name = "far call", delta = 0.53, gamma = 1.6e-5, vega = 165, cost = 45 },
    { name = "far put", delta = -0.35, gamma = 1.5e-5, vega = 154, cost = 45 },
  }
end

local function hedge(fields)
  local args = { exposure = { delta = -12.5, gamma = -3.2e-4, vega = -150 }, spot = SPOT,
                 sigma = SIGMA, instruments = instruments() }
  for key, value in pairs(fields or {}) do args[key] = value end
  local legs, residual, cost = solve.hedge(args)
  local size = {}
  for _, leg in ipairs(legs) do size[leg.name] = leg.size end
  return size, residual, cost, legs
end

-- Largest violation of the optimality conditions, as a share of the largest gradient at zero.
local function kkt(args, size)
  local left, worst, scale = {}, 0, 0
  for greek, w in pairs(W) do left[greek] = w * (args.exposure[greek] or 0) end
  for _, item in ipairs(args.instruments) do
    local at_zero = 0
    for greek, w in pairs(W) do at_zero = at_zero + w * (item[greek] or 0) * left[greek] end
    scale = math.max(scale, math.abs(at_zero), args.cost_weight * (item.cost or 0))
  end
  for _, item in ipairs(args.instruments) do
    for greek, w in pairs(W) do
      left[greek] = left[greek] + w * (item[greek] or 0) * (size[item.name] or 0)
    end
  end
  for _, item in ipairs(args.instruments) do
    local x, g = size[item.name] or 0, 0
    for greek, w in pairs(W) do g = g + w * (item[greek] or 0) * left[greek] end
    local c = args.cost_weight * (item.cost or 0)
    local lo, hi = item.lo or -math.huge, item.hi or math.huge
    local up, down = x >= 0 and g + c or g - c, x <= 0 and g - c or g + c
    if x < hi then worst = math.max(worst, -up) end
    if x > lo then worst = math.max(worst, down) end
    lu.assertTrue(x >= lo and x <= hi)
  end
  return worst / scale
end

TestSolve = {}

function TestSolve:test_delta_alone_is_a_plain_hedge()
  local size, residual, cost = hedge {
    exposure = { delta = 2 }, cost_weight = 0,
    instruments = { { name = "perp", delta = 1, cost = 10 } },
  }
  lu.assertAlmostEquals(size.perp, -2, 1e-6)
  lu.assertAlmostEquals(residual.delta, 0, 1e-6)
  lu.assertAlmostEquals(cost, 20, 1e-5)
end

function TestSolve:test_cost_leaves_a_known_part_unhedged()
  -- One instrument: 1/2 m^2 (d + x)^2 + lambda c |x| is least at |x| = d - lambda c / m^2.
  local size = hedge { exposure = { delta = 2 }, cost_weight = 5000,
                       instruments = { { name = "perp", delta = 1, cost = 10 } } }
  lu.assertAlmostEquals(size.perp, -(2 - 5000 * 10 / MOVE ^ 2), 1e-6)
end

function TestSolve:test_three_greeks_without_costs_are_hedged_away()
  local _, residual = hedge { cost_weight = 0 }
  lu.assertTrue(residual.risk < 1e-4 * residual.risk_before)
  lu.assertTrue(residual.kkt < 1e-8)
end

function TestSolve:test_optimality_conditions_hold()
  local random = seeded(42)
  for _ = 1, 300 do
    local list = instruments()
    for i = 1, 3 + math.floor(random(0, 9)) do
      list[#list + 1] = { name = "x" .. i, delta = random(-1, 1), gamma = random(0, 5e-5),
                          vega = random(0, 200), cost = random(1, 80) }
    end
    for _, item in ipairs(list) do
      if random(0, 1) < 0.4 then item.lo, item.hi = -random(0, 4), random(0, 4) end
      if random(0, 1) < 0.1 then item.lo, item.hi = random(0, 1), random(1, 2) end
    end
    local args = { exposure = { delta = random(-20, 20), gamma = random(-5e-4, 5e-4),
                                vega = random(-2000, 2000) },
                   instruments = list, cost_weight = random(0, 1) < 0.2 and 0 or random(1, 3000) }
    local size, residual = hedge(args)
    lu.assertTrue(residual.kkt < 1e-8)
    lu.assertTrue(kkt(args, size) < 1e-7)
  end
end

function TestSolve:test_higher_costs_make_it_sparse()
  local last
  for _, weight in ipairs { 0, 100, 1000, 3000, 10000, 1e7 } do
    local _, residual, cost, legs = hedge { cost_weight = weight }
    lu.assertTrue(not last or cost <= last + 1e-6)
    lu.assertTrue(residual.risk <= residual.risk_before)
    last = cost
    if weight == 1e7 then lu.assertEquals(#legs, 0) end
  end
end

function TestSolve:test_bounds()
  local limits = { perp = { lo = 0, hi = 3 }, ["near call"] = { lo = 0, hi = 0 } }
  local size = hedge { limits = limits, cost_weight = 1 }
  lu.assertAlmostEquals(size.perp, 3, 1e-9)
  lu.assertNil(size["near call"])
end

function TestSolve:test_lots()
  local lots = { perp = 0.001, ["near call"] = 0.1, ["near put"] = 0.1, ["far call"] = 0.1,
                 ["far put"] = 0.1 }
  local size, rounded = hedge { lots = lots, cost_weight = 30 }
  local _, exact = hedge { cost_weight = 30 }
  for name, value in pairs(size) do
    local lots_of = value / lots[name]
    lu.assertAlmostEquals(lots_of, math.floor(lots_of + 0.5), 1e-6)
  end
  lu.assertTrue(rounded.risk < exact.risk + 0.05 * exact.risk_before)
end

function TestSolve:test_targets_and_costs_by_name()
  local size, residual = hedge { exposure = { delta = 5 }, target = { delta = 2 },
                                 cost_weight = 100, costs = { perp = 0 },
                                 instruments = { { name = "perp", delta = 1, cost = 1e9 } } }
  lu.assertAlmostEquals(size.perp, -3, 1e-6)
  lu.assertAlmostEquals(residual.delta, 2, 1e-6)
end

function TestSolve:test_instruments_that_cannot_help_stay_at_zero()
  local _, residual, cost, legs = hedge { instruments = { { name = "nothing", cost = 1 } } }
  lu.assertEquals(#legs, 0)
  lu.assertEquals(cost, 0)
  lu.assertEquals(residual.risk, residual.risk_before)
end

function TestSolve:test_misuse_raises_at_the_caller()
  for pattern, fields in pairs {
    ["exposure must be finite"] = { exposure = { delta = math.huge } },
    ["exposure%.delta must be a number"] = { exposure = { delta = 0 / 0 } },
    ["lo not above hi"] = { instruments = { { name = "a", delta = 1, lo = 1, hi = 0 } } },
    ["cost and lot must not be negative"] = { instruments = { { name = "a", cost = -1 } } },
    ["cost_weight must not be negative"] = { cost_weight = -1 },
    ["move must be above zero"] = { move = 0 },
  } do
    local ok, message = pcall(hedge, fields)
    lu.assertFalse(ok)
    lu.assertStrMatches(message, ".*plain_solve.lua:.*" .. pattern .. ".*")
  end
end

os.exit(lu.LuaUnit.run())
