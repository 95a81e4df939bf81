-- strategies/delta_band.lua inside the runtime, on a virtual clock. The book is a perpetual of
-- known delta, so that each size can be worked out by hand: a lot is 10 USD, a coin 88,000 USD.
local lu = require "luaunit"
local test = require "hedged.test"

local PERP = "BTC-PERPETUAL"
local PUT = "BTC-27FEB26-80000-P"
local SPOT = 88000

-- A session that holds `coins` of delta, before any tick.
local function open(coins, set)
  return test.session {
    strategy = "strategies/delta_band.lua",
    book = { { instrument = PERP, size = coins * SPOT } },
    instruments = { PERP },
    set = set or {},
  }
end

local function tick(s, price)
  price = price or SPOT
  s:index("BTC", price)
  s:mark { instrument = PERP, mark = price }
  s:quote { instrument = PERP, bid = price, ask = price, bid_size = 10000000,
            ask_size = 10000000 }
end

local function delta(s)
  return s:exposure("BTC").delta
end

TestDeltaBand = {}

function TestDeltaBand:test_nothing_inside_the_band()
  local s = open(0.4)
  tick(s)
  lu.assertAlmostEquals(delta(s), 0.4, 1e-3)
  lu.assertEquals(#s:orders(), 0)
end

function TestDeltaBand:test_one_order_to_the_nearest_edge()
  local s = open(2)
  tick(s)
  local orders = s:orders()
  lu.assertEquals(#orders, 1)
  lu.assertEquals(orders[1].side, "sell")
  lu.assertEquals(orders[1].instrument, PERP)
  lu.assertAlmostEquals(orders[1].size, 1.5 * SPOT, 10)
  lu.assertStrContains(orders[1].reason, "outside")
  lu.assertEquals(#s:fills(), 1)
  lu.assertAlmostEquals(delta(s), 0.5, 1e-3)
  lu.assertAlmostEquals(s:position(PERP), 0.5 * SPOT, 10)
end

function TestDeltaBand:test_another_coin_by_parameters()
  local s = test.session {
    strategy = "strategies/delta_band.lua",
    book = { { instrument = "ETH-PERPETUAL", size = 2 * 3000 } },
    instruments = { "ETH-PERPETUAL", PERP },
    set = { underlying = "ETH", hedge_with = "ETH-PERPETUAL" },
  }
  s:index("ETH", 3000)
  s:mark { instrument = "ETH-PERPETUAL", mark = 3000 }
  s:quote { instrument = "ETH-PERPETUAL", bid = 3000, ask = 3000, bid_size = 1e6, ask_size = 1e6 }
  lu.assertEquals(#s:orders(), 1)
  lu.assertEquals(s:orders()[1].instrument, "ETH-PERPETUAL")
  lu.assertAlmostEquals(s:exposure("ETH").delta, 0.5, 1e-3)
  lu.assertErrorMsgContains("XYZ", test.session, {
    strategy = "strategies/delta_band.lua", instruments = { PERP }, set = { underlying = "XYZ" },
  })
end

function TestDeltaBand:test_further_ticks_do_not_hedge_again()
  local s = open(-2)
  for _ = 1, 20 do
    tick(s)
    s:advance(1)
  end
  lu.assertEquals(#s:orders(), 1)
  lu.assertAlmostEquals(delta(s), -0.5, 1e-3)
end

function TestDeltaBand:test_sends_nothing_before_there_is_a_quote()
  local s = open(2)
  s:index("BTC", SPOT)
  s:mark { instrument = PERP, mark = SPOT }
  s:quote { instrument = PERP, bid = SPOT }
  lu.assertEquals(#s:orders(), 0)
  lu.assertEquals(#s:refusals(), 0)
  tick(s)
  lu.assertEquals(#s:orders(), 1)
end

function TestDeltaBand:test_to_the_target()
  local s = open(2, { to = "target", target = 0.25 })
  tick(s)
  lu.assertAlmostEquals(delta(s), 0.25, 1e-3)
end

function TestDeltaBand:test_band_of_two_sides()
  local s = open(2, { band_lo = 0.1, band_hi = 1 })
  tick(s)
  lu.assertAlmostEquals(delta(s), 1, 1e-3)
  s = open(-2, { band_lo = 0.1, band_hi = 1 })
  tick(s)
  lu.assertAlmostEquals(delta(s), -0.1, 1e-3)
end

function TestDeltaBand:test_ratio_hedges_a_share_of_the_book()
  local s = open(4, { ratio = 0.5, band = 0 })
  for _ = 1, 5 do
    tick(s)
    s:advance(1)
  end
  lu.assertEquals(#s:orders(), 1)
  lu.assertAlmostEquals(delta(s), 2, 1e-3)
end

function TestDeltaBand:test_small_hedges_are_not_sent()
  local s = open(0.55, { min_trade = 0.1 })
  tick(s)
  lu.assertEquals(#s:orders(), 0)
end

function TestDeltaBand:test_the_price_moves_it_out()
  local s = open(0.45, { numeraire = "position" })
  tick(s)
  lu.assertEquals(#s:orders(), 0)
  s:advance(1)
  tick(s, 60000) -- the same dollars are more coins now
  lu.assertEquals(#s:orders(), 1)
  lu.assertAlmostEquals(delta(s), 0.5, 1e-3)
end

-- In USD an inverse perpetual is linear: what its delta loses, the coins it earned have gained.
function TestDeltaBand:test_coins_earned_are_hedged_by_default()
  local s = open(-4, { band = 0.1, to = "target" })
  tick(s)
  lu.assertAlmostEquals(delta(s), 0, 1e-3)
  s = open(-0.45)
  tick(s)
  for _, price in ipairs { 80000, 70000, 60000 } do
    s:advance(1)
    tick(s, price)
  end
  lu.assertEquals(#s:orders(), 0)
  lu.assertAlmostEquals(delta(s), -0.45 * SPOT / 60000, 1e-3)
  lu.assertAlmostEquals(delta(s) + s:exposure("BTC").delta_cash, -0.45, 1e-3)
end

-- A short put: delta is positive and must end at the upper edge, whatever the model says it is.
local function open_put(set)
  return test.session {
    strategy = "strategies/delta_band.lua",
    book = { { instrument = PUT, size = -10 } },
    instruments = { PERP, PUT },
    set = set or {},
  }
end

function TestDeltaBand:test_option_book()
  local s = open_put { band = 0.2 }
  s:forward { underlying = "BTC", expiry = "27FEB26", price = 80000 }
  s:mark { instrument = PUT, mark = 0.05, iv = 0.5 }
  tick(s, 80000)
  s:mark { instrument = PUT, mark = 0.05, iv = 0.5 }
  tick(s, 80000)
  lu.assertEquals(#s:orders(), 1)
  lu.assertEquals(s:orders()[1].side, "sell")
  lu.assertAlmostEquals(delta(s), 0.2, 2e-3)
  lu.assertEquals(s:position(PUT), -10)
end

function TestDeltaBand:test_waits_while_data_are_stale()
  local s = open_put { band = 0.2 }
  s:forward { underlying = "BTC", expiry = "27FEB26", price = 80000 }
  s:mark { instrument = PUT, mark = 0.05, iv = 0.5 }
  tick(s, 80000)
  local before = #s:orders()
  s:advance(3600)
  tick(s, 70000) -- the spot is fresh, the option's mark is an hour old
  lu.assertNotEquals(s:exposure("BTC").quality, "good")
  lu.assertEquals(#s:orders(), before)
  s:forward { underlying = "BTC", expiry = "27FEB26", price = 70000 }
  s:mark { instrument = PUT, mark = 0.15, iv = 0.5 }
  tick(s, 70000)
  lu.assertEquals(#s:orders(), before + 1)
end

function TestDeltaBand:test_stale_data_can_be_allowed()
  local s = open_put { band = 0.2, allow_stale = true, numeraire = "position" }
  s:forward { underlying = "BTC", expiry = "27FEB26", price = 80000 }
  s:mark { instrument = PUT, mark = 0.05, iv = 0.5 }
  tick(s, 80000)
  local before = #s:orders()
  s:advance(3600)
  tick(s, 70000)
  lu.assertEquals(#s:orders(), before + 1)
end

function TestDeltaBand:test_does_not_start_without_its_hedge_instrument()
  local ok, message = pcall(test.session, {
    strategy = "strategies/delta_band.lua",
    book = { { instrument = PUT, size = -10 } },
    instruments = { PUT },
  })
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(message), "BTC-PERPETUAL")
end

os.exit(lu.LuaUnit.run())
