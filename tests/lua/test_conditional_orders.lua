-- Orders that wait for a price or a time, and pairs and brackets, as a strategy sees them.
local lu = require "luaunit"
local test = require "hedged.test"

local PERP = "BTC-PERPETUAL"
local HEAD = [[
local hedged = require "hedged"
local orders = require "hedged.orders"
local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
local P = "BTC-PERPETUAL"
]]

local function open(text)
  local s = test.session { text = HEAD .. text .. "\nreturn S", instruments = { PERP } }
  s:index("BTC", 88000)
  return s
end

local function tick(s, price)
  s:quote { instrument = PERP, bid = price - 5, ask = price + 5 }
  s:mark { instrument = PERP, mark = price }
end

-- Runs `body` at the first tick that has a mark behind it.
local function once(body)
  return ([[
function S:on_tick(tick)
  if self.done or not tick.mark then return end
  self.done = true
  %s
end
]]):format(body)
end

local function states(s)
  local out = {}
  for _, order in ipairs(s:orders()) do
    out[#out + 1] = (order.role or order.type) .. " " .. order.state
  end
  return out
end

TestConditional = {}

function TestConditional:test_a_stop_shows_what_it_waits_for()
  local s = open(once [[
    local o = assert(orders.sell { instrument = P, size = 1000, type = "stop",
                                   trigger_price = 87000 })
    assert(o.state == "untriggered" and o.type == "stop" and o.trigger == "mark")
    assert(o.trigger_price == 87000 and not o.triggered and o.emulated ~= nil and o.limit == nil)
    assert(hedged.exposure("BTC").delta == 0)
  ]])
  tick(s, 88000)
  tick(s, 88000)
  lu.assertNil(s:error())
  lu.assertEquals(states(s), { "stop untriggered" })
  tick(s, 87000)
  lu.assertEquals(states(s), { "stop filled" })
  local line = s:orders()[1]
  lu.assertEquals({ line.trigger, line.trigger_price, line.triggered }, { "mark", 87000, true })
  lu.assertEquals(s:position(PERP), -1000)
end

function TestConditional:test_trailing_by_percent_is_amended()
  local s = open(once [[
    local o = assert(orders.sell { instrument = P, size = 1000, type = "trailing_stop",
                                   trail_percent = 1 })
    self.o = o
    assert(o.trail_percent == 1 and o.trail == nil)
    assert(math.abs(o.trigger_price - 88000 * 0.99) < 1e-6, o.trigger_price)
    assert(o:amend { trail = 500 })
    hedged.after(1, function()
      assert(o.trail == 500 and o.trail_percent == nil, o.trail)
    end)
  ]])
  tick(s, 88000)
  tick(s, 88000)
  s:advance(2)
  lu.assertNil(s:error())
  tick(s, 89000)
  lu.assertEquals(s:orders()[1].state, "untriggered")
  tick(s, 88500)
  lu.assertEquals(s:orders()[1].state, "filled")
end

function TestConditional:test_good_for_ends_by_itself()
  local s = open(once [[
    local o = assert(orders.buy { instrument = P, size = 1000, price = 87000, good_for = 60 })
    assert(o.tif == "gtd" and math.abs(o.expires - hedged.now() - 60) < 1e-6)
  ]])
  tick(s, 88000)
  tick(s, 88000)
  s:advance(59)
  lu.assertEquals(s:orders()[1].state, "working")
  s:advance(2)
  lu.assertNil(s:error())
  lu.assertEquals(s:orders()[1].state, "expired")
  lu.assertEquals(s:orders()[1].reject, "gtd")
end

function TestConditional:test_a_pair()
  local s = open(once [[
    local a = assert(orders.sell { instrument = P, size = 1000, price = 89000 })
    local b = assert(orders.sell { instrument = P, size = 1000, type = "stop",
                                   trigger_price = 87000, oco = a })
    assert(a.oco == b and b.oco == a)
  ]])
  tick(s, 88000)
  tick(s, 88000)
  tick(s, 89100)
  lu.assertNil(s:error())
  lu.assertEquals(states(s), { "limit filled", "stop cancelled" })
  lu.assertEquals(s:orders()[2].reject, "oco")
end

function TestConditional:test_a_bracket()
  local s = open(once [[
    self.o = assert(orders.buy { instrument = P, size = 1000, bracket = {
      take_profit = 89000, stop = { trigger_price = 87000, price = 86000 } } })
    assert(self.o.role == "entry" and self.o.emulated)
  ]] .. [[
function S:on_order(o)
  if o.role == "stop" then assert(o.parent == self.o and o.type == "stop_limit") end
end
]])
  tick(s, 88000)
  tick(s, 88000)
  lu.assertNil(s:error())
  lu.assertEquals(states(s), { "entry filled", "stop untriggered", "take_profit working" })
  tick(s, 86990)
  lu.assertNil(s:error())
  lu.assertEquals(states(s), { "entry filled", "stop filled", "take_profit cancelled" })
  lu.assertEquals(s:position(PERP), 0)
end

function TestConditional:test_protection()
  local s = open(once [[
    local o = assert(orders.buy { instrument = P, size = 1000, protection = 88000 })
    hedged.after(1, function() assert(o.state == "cancelled" and o.filled == 0) end)
  ]])
  tick(s, 88000)
  tick(s, 88000)
  s:advance(2)
  lu.assertNil(s:error())
end

-- Misuse raises with a sentence that says what to write.
function TestConditional:test_misuse()
  local cases = {
    { 'type = "stop"', "needs a trigger_price" },
    { 'type = "stop", price = 1, trigger_price = 1', "takes no price" },
    { 'type = "stop_limit", trigger_price = 1', "needs a price" },
    { "trigger_price = 1", "has no trigger" },
    { 'type = "stopp", trigger_price = 1', "did you mean 'stop'" },
    { 'type = "stop", trigger_price = 1, trigger = "bid"', "trigger 'bid'" },
    { 'type = "stop", trigger_price = 0 / 0', "trigger_price" },
    { 'type = "trailing_stop"', "needs trail or trail_percent" },
    { 'type = "trailing_stop", trail = 1, trail_percent = 1', "either trail or trail_percent" },
    { 'type = "trailing_stop", trail_percent = 100', "below 100" },
    { "trail = 1", 'belongs to type = "trailing_stop"' },
    { "price = 1, protection = 1", "protection belongs to market orders" },
    { 'price = 1, tif = "gtd"', "needs expires or good_for" },
    { 'price = 1, tif = "ioc", good_for = 1', 'is "gtd", not "ioc"' },
    { "good_for = 1", "cannot expire" },
    { "price = 1, good_for = 1, expires = 2", "not both" },
    { "bracket = {}", "take_profit or stop is missing" },
    { "bracket = { stop = { price = 1 } }", "stop needs a trigger_price" },
    { "bracket = { take_profit = { trail = 1 } }", "trail belongs to a stop" },
    { "bracket = { profit = 1 }", "profit" },
    { "bracket = 1", "must be a table" },
  }
  for _, case in ipairs(cases) do
    local s = open(once("orders.buy { instrument = P, size = 1000, " .. case[1] .. " }"))
    tick(s, 88000)
    tick(s, 88000)
    lu.assertStrContains(s:error() or case[1] .. ": no error", case[2])
  end
end

-- What the market makes impossible is a refusal.
function TestConditional:test_refusals()
  local s = open(once [[
    local function code(fields)
      fields.instrument, fields.size = P, 1000
      local ok, message, c = orders.buy(fields)
      assert(not ok and #message > 0)
      return c
    end
    assert(code { type = "stop", trigger_price = 87000 } == "trigger_price")
    assert(code { type = "trailing_stop", trail = 100, trigger = "last" } == "no_price")
    assert(code { price = 87000, expires = 1 } == "gtd")
    assert(code { price = 87000, oco = 99 } == "oco")
    assert(code { bracket = { take_profit = 1000, stop = 2000 } } == "trigger_price")
    assert(code { valid_until = 1 } == "timed_out")
  ]])
  tick(s, 88000)
  tick(s, 88000)
  lu.assertNil(s:error())
  lu.assertEquals(#s:refusals(), 6)
end

os.exit(lu.LuaUnit.run())
