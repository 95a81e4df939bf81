-- The examples that are strategies, each in a small session: they must start, do what they say, and
-- not fail.
local lu = require "luaunit"
local test = require "hedged.test"

local PERP = "BTC-PERPETUAL"
local CHAIN = {
  { name = "BTC-27FEB26-80000-P", mark = 0.02, iv = 0.5 },
  { name = "BTC-27FEB26-88000-P", mark = 0.05, iv = 0.45 },
  { name = "BTC-27FEB26-88000-C", mark = 0.05, iv = 0.45 },
  { name = "BTC-27FEB26-96000-C", mark = 0.02, iv = 0.45 },
}

local function open(strategy, set)
  local names = { PERP }
  for _, option in ipairs(CHAIN) do names[#names + 1] = option.name end
  return test.session { strategy = strategy, instruments = names, set = set }
end

local function update(s, shift)
  s:index("BTC", 88000)
  s:forward { underlying = "BTC", expiry = "27FEB26", price = 88200 }
  s:quote { instrument = PERP, bid = 87995, ask = 88005 }
  for _, option in ipairs(CHAIN) do
    s:mark { instrument = option.name, mark = option.mark, iv = option.iv }
    s:quote { instrument = option.name, bid = option.mark - 0.001 + (shift or 0),
              ask = option.mark + 0.001 + (shift or 0) }
  end
end

TestExamples = {}

function TestExamples:test_hello_only_looks()
  local s = open "examples/hello.lua"
  for _ = 1, 5 do
    update(s)
    s:advance(60)
  end
  lu.assertNil(s:error())
  lu.assertEquals(#s:orders(), 0)
end

function TestExamples:test_collar_rests_then_crosses()
  local s = open("examples/collar_orders.lua", { size = 2, patience = 120 })
  update(s)
  s:advance(6)
  local sides = {}
  for _, order in ipairs(s:orders()) do sides[order.instrument] = order.side end
  lu.assertEquals(sides, { ["BTC-27FEB26-80000-P"] = "buy", ["BTC-27FEB26-96000-C"] = "sell" })
  for _ = 1, 40 do
    update(s)
    s:advance(5)
  end
  lu.assertNil(s:error())
  lu.assertEquals(s:position("BTC-27FEB26-80000-P"), 2)
  lu.assertEquals(s:position("BTC-27FEB26-96000-C"), -2)
end

function TestExamples:test_bracket_places_its_exits_and_ends_them()
  local s = open("examples/bracket.lua", { size = 1000, patience = 60 })
  local function at(price)
    s:quote { instrument = PERP, bid = price - 5, ask = price + 5 }
    s:mark { instrument = PERP, mark = price }
  end
  s:index("BTC", 88000)
  at(88000)
  s:advance(61)
  lu.assertEquals(s:orders()[1].state, "expired")
  at(88000)
  at(87500) -- the dip
  lu.assertNil(s:error())
  lu.assertEquals(s:position(PERP), 1000)
  at(87000) -- the stop
  lu.assertNil(s:error())
  lu.assertEquals(s:position(PERP), 0)
  local ends = {}
  for _, order in ipairs(s:orders()) do
    if order.parent then ends[order.role] = order.state end
  end
  lu.assertEquals(ends, { take_profit = "cancelled", stop = "filled" })
end

os.exit(lu.LuaUnit.run())
