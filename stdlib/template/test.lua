-- Tests of NAME.lua on a virtual clock: `hedged test`.
-- `hedged test --coverage` shows which lines they leave out.
local lu = require "luaunit"
local test = require "hedged.test"

local here = arg[0]:match("^(.*)/") or "."
local PERP = "BTC-PERPETUAL"
local SPOT = 80000

-- A session that holds `coins` of delta in the perpetual, before any tick.
local function open(coins, set)
  return test.session {
    strategy = here .. "/NAME.lua",
    instruments = { PERP },
    book = { { instrument = PERP, size = coins * SPOT } },
    set = set or {},
  }
end

local function tick(s)
  s:quote { instrument = PERP, bid = SPOT, ask = SPOT + 10, bid_size = 1e7, ask_size = 1e7 }
  s:mark { instrument = PERP, mark = SPOT }
  s:index("BTC", SPOT)
  s:advance(1)
end

TestStrategy = {}

function TestStrategy:test_nothing_inside_the_band()
  local s = open(0.4)
  tick(s)
  lu.assertEquals(#s:orders(), 0)
end

function TestStrategy:test_back_to_the_edge()
  local s = open(2)
  tick(s)
  lu.assertEquals(#s:orders(), 1)
  lu.assertEquals(s:orders()[1].side, "sell")
  lu.assertAlmostEquals(s:exposure("BTC").delta, 0.5, 1e-3)
  lu.assertTrue(#s:fills() >= 1)
end

function TestStrategy:test_the_band_is_a_parameter()
  local s = open(2, { band = 3 })
  tick(s)
  lu.assertEquals(#s:orders(), 0)
end

os.exit(lu.LuaUnit.run())
