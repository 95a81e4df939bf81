-- strategies/delta_clock.lua inside the runtime, on a virtual clock.
local lu = require "luaunit"
local test = require "hedged.test"

local PERP = "BTC-PERPETUAL"
local SPOT = 88000

local function open(coins, set)
  return test.session {
    strategy = "strategies/delta_clock.lua",
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

TestDeltaClock = {}

function TestDeltaClock:test_first_good_tick_hedges()
  local s = open(2)
  tick(s)
  lu.assertEquals(#s:orders(), 1)
  lu.assertEquals(s:orders()[1].side, "sell")
  lu.assertStrContains(s:orders()[1].reason, "clock")
  lu.assertAlmostEquals(delta(s), 0, 1e-3)
end

function TestDeltaClock:test_nothing_between_strokes()
  local s = open(2, { period = 600, target = 1, numeraire = "position" })
  tick(s)
  lu.assertAlmostEquals(delta(s), 1, 1e-3)
  for _ = 1, 9 do
    s:advance(60)
    tick(s, 80000)
  end
  lu.assertEquals(#s:orders(), 1)
  lu.assertAlmostEquals(delta(s), 1.1, 1e-3)
end

function TestDeltaClock:test_hedges_at_the_stroke()
  local s = open(2, { period = 600, target = 1, numeraire = "position" })
  tick(s)
  s:advance(595)
  tick(s, 80000)
  s:advance(5) -- the stroke itself, 600 s after the start
  s:advance(1)
  tick(s, 80000)
  lu.assertEquals(#s:orders(), 2)
  lu.assertAlmostEquals(delta(s), 1, 1e-3)
end

function TestDeltaClock:test_makes_up_for_a_stale_stroke()
  local s = open(2, { period = 600, target = 1, numeraire = "position" })
  tick(s)
  s:advance(3600) -- six strokes without any data
  lu.assertEquals(#s:orders(), 1)
  tick(s, 80000)
  lu.assertEquals(#s:orders(), 2)
  lu.assertAlmostEquals(delta(s), 1, 1e-3)
end

function TestDeltaClock:test_small_hedges_are_not_sent()
  local s = open(0.05, { min_trade = 0.1 })
  tick(s)
  lu.assertEquals(#s:orders(), 0)
end

os.exit(lu.LuaUnit.run())
