-- A hedger through an outage: it does not flood the venue, and it hedges when the venue is back.
local lu = require "luaunit"
local test = require "hedged.test"

local PERP = "BTC-PERPETUAL"

-- Ten ticks a second, 100 s; the price moves at 20 s, while the venue is away.
local function play(strategy, faults, set)
  local s = test.session {
    strategy = strategy, instruments = { PERP }, set = set, faults = faults,
    book = { { instrument = PERP, size = 1000, entry = 88000 } },
  }
  s:index("BTC", 88000)
  local sent = 0 -- in the minute of the outage
  for i = 1, 1000 do
    local price = i < 200 and 88000 or 87000
    s:index("BTC", price)
    s:quote { instrument = PERP, bid = price - 5, ask = price + 5, bid_size = 1e6, ask_size = 1e6 }
    s:mark { instrument = PERP, mark = price }
    s:advance(0.1)
    if i == 599 then sent = #s:orders() end
  end
  return s, sent
end

TestOutage = {}

local WANTED = { hedge_with = PERP, band = 0.001, target = 0.5, numeraire = "position",
                 min_trade = 0 }

function TestOutage:test_the_band_hedger_waits_out_a_minute()
  for _, down in ipairs { "down=1ms+60s", "down=1ms+60s,busy=20%" } do
    local s, sent = play("strategies/delta_band.lua", down, WANTED)
    lu.assertTrue(sent >= 10 and sent <= 20, down .. ": " .. sent .. " orders")
    lu.assertAlmostEquals(s:exposure().delta, 0.5, 0.0015)
  end
end

function TestOutage:test_the_clock_hedger_waits_and_does_not_forget()
  local set = { hedge_with = PERP, target = 0.5, numeraire = "position", min_trade = 0,
                period = 3600 }
  local s = play("strategies/delta_clock.lua", "down=1ms+60s", set)
  lu.assertTrue(#s:orders() <= 30, #s:orders() .. " orders")
  lu.assertAlmostEquals(s:exposure().delta, 0.5, 0.0015)
end

function TestOutage:test_a_venue_that_counts_requests_is_not_asked_faster()
  local s = play("strategies/delta_band.lua", "busy=100%", WANTED)
  lu.assertTrue(#s:orders() <= 30, #s:orders() .. " orders in 100 s")
end

-- What hedged.trade says meanwhile; a script's own order is sent all the same.
function TestOutage:test_trade_says_why_it_waits()
  local s = test.session { faults = "down=1ms+60s", instruments = { PERP }, text = [[
local hedged = require "hedged"
local orders = require "hedged.orders"
local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
local first
function S:on_tick(tick)
  if not tick.mark or tick.mark == 88000 or self.done then return end
  local order, message, code = hedged.trade { instrument = "BTC-PERPETUAL", delta = 0.1 }
  if not first then first = order return end
  self.done = true
  orders.buy { instrument = "BTC-PERPETUAL", size = 100, reason = code .. " " .. message }
end
return S]] }
  s:index("BTC", 88000)
  for _, mark in ipairs { 88000, 88001, 88002, 88003 } do
    s:quote { instrument = PERP, bid = 87995, ask = 88005, bid_size = 1000, ask_size = 1000 }
    s:mark { instrument = PERP, mark = mark }
    s:advance(0.01)
  end
  lu.assertEquals(#s:orders(), 2)
  lu.assertStrContains(s:orders()[2].reason, "venue_down BTC-PERPETUAL: the venue stands still; " ..
                       "hedged.trade asks again in 0.2")
end
