-- hedged.select against what came true: every candidate of a ranking is traded, held and traded
-- back in a session of its own, and the ranking must be that of what each then cost per coin.
local lu = require "luaunit"
local test = require "hedged.test"
local greeks = require "hedged.greeks"

local PERP, LINEAR, FUT = "BTC-PERPETUAL", "BTC_USDC-PERPETUAL", "BTC-25SEP26"
local SPOT, CALL = "BTC_USDC", "BTC-25SEP26-64000-C"
local ALL = { PERP, LINEAR, FUT, SPOT, CALL }
local START, EXPIRY = 1767225600, 1790323200 -- 2026-01-01, 2026-09-25 08:00
local INDEX, VOL = 64000, 0.45
local RATE = 0.0001 -- the rate funding returns to: expected to stay

-- The row that was picked goes out and comes back after the horizon; what it cost is told in the
-- words of a last order.
local TEXT = [[
local hedged = require "hedged"
local orders = require "hedged.orders"
local portfolio = require "hedged.portfolio"
local select = require "hedged.select"
local S = hedged.strategy { api = 1, underlying = "BTC" }
local p = { pick = PICK, delta = DELTA, horizon = HORIZON }
local function send(side, row)
  assert(orders[side] { instrument = row.name, size = row.size, type = "market" })
end
function S:on_start()
  hedged.after(5, function()
    local row = select.compare { underlying = "BTC", delta = p.delta, horizon = p.horizon }[p.pick]
    if row.problem then error(row.name .. ": " .. row.problem) end
    send(row.side, row)
    hedged.after(p.horizon, function() send(row.side == "buy" and "sell" or "buy", row) end)
    hedged.after(p.horizon + 2, function()
      assert(portfolio.position(row.name) == 0)
      local x = portfolio.explain { by = "instrument" }[row.name]
      local usd = -(x.spread + x.slippage + x.fees + x.funding + x.basis)
      orders.buy { instrument = row.name, size = row.size, type = "limit", price = row.mid / 2,
        reason = ("%.4f %.4f"):format(row.per_coin, usd / math.abs(row.delta)) }
    end)
  end)
end
return S
]]

-- A book with `half` the spread on both sides, in three levels a step apart.
local function book(s, name, mid, half, step, size)
  local bids, asks = {}, {}
  for k = 1, 3 do
    bids[k] = { mid - half - (k - 1) * step, size }
    asks[k] = { mid + half + (k - 1) * step, size }
  end
  s:depth { instrument = name, bids = bids, asks = asks }
  return mid
end

-- The whole market; the basis of the future runs off evenly under a spot that stands.
local function tell(s, basis)
  local left = (EXPIRY - s:now()) / (EXPIRY - START)
  local forward = math.floor(INDEX * (1 + basis * left) / 2.5 + 0.5) * 2.5
  s:index("BTC", INDEX)
  s:forward { underlying = "BTC", expiry = "25SEP26", price = forward }
  for _, name in ipairs { PERP, LINEAR } do
    book(s, name, INDEX, name == PERP and 2.5 or 6, 5, name == PERP and 30000 or 0.4)
    s:mark { instrument = name, mark = INDEX }
    s:funding { instrument = name, rate = RATE }
  end
  book(s, FUT, forward, 15, 5, 30000)
  s:mark { instrument = FUT, mark = forward }
  book(s, SPOT, INDEX, 20, 8, 0.5)
  s:mark { instrument = SPOT, mark = INDEX }
  local years = (EXPIRY - s:now()) / (365 * 86400)
  local price = greeks.black76(forward, 64000, years, VOL, "C") / forward
  book(s, CALL, math.floor(price / 0.0005 + 0.5) * 0.0005, 0.001, 0.0005, 1)
  s:mark { instrument = CALL, mark = price, iv = VOL }
end

-- Name, cost per coin said and come true of the candidate at that place.
local function realised(pick, case)
  local text = TEXT:gsub("%u%u%u%u+", { PICK = pick, DELTA = case.delta, HORIZON = case.horizon })
  local s = test.session { text = text, instruments = ALL, fill = "depth", fees = true,
    start = START,
    limits = { order_value_usd = 1e9 } }
  tell(s, case.basis)
  local steps = 48
  s:advance(6)
  for _ = 1, steps do
    s:advance((case.horizon - 2) / steps)
    tell(s, case.basis)
  end
  s:advance(6)
  lu.assertNil(s:error())
  local last = s:orders()[#s:orders()]
  lu.assertNotNil(last and last.reason and last.reason:match("^%S+ %S+$"), "no answer")
  local said, came = last.reason:match("^(%S+) (%S+)$")
  s:close()
  return { name = last.instrument, said = tonumber(said), came = tonumber(came) }
end

local CASES = {
  { delta = 1, horizon = 3600, basis = 0.04 },
  { delta = -1, horizon = 3600, basis = 0.04 },
  { delta = 1, horizon = 4 * 86400, basis = 0.08 },
  { delta = -1, horizon = 4 * 86400, basis = 0.08 },
  { delta = -1, horizon = 4 * 86400, basis = -0.05 },
}

-- USD per coin. Mids are whole ticks (2.5 USD; 32 USD), while the basis runs off evenly; the delta
-- of an option changes meanwhile.
local NEAR = { [FUT] = 2.5, [CALL] = 70 }

TestRealised = {}

for i, case in ipairs(CASES) do
  TestRealised["test_ranking_is_that_of_what_came_true_" .. i] = function()
    local rows, first = {}, {}
    for pick = 1, #ALL do rows[pick] = realised(pick, case) end
    for k, row in ipairs(rows) do
      first[row.name] = true
      lu.assertAlmostEquals(row.came, row.said, NEAR[row.name] or 0.01)
      if k > 1 then
        lu.assertTrue(rows[k - 1].came < row.came, rows[k - 1].name .. " before " .. row.name)
      end
    end
    for _, name in ipairs(ALL) do lu.assertTrue(first[name], name) end
  end
end
