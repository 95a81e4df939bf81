-- hedged.test itself: a session driven from Lua says what happened to it.
local lu = require "luaunit"
local test = require "hedged.test"

local PERP = "BTC-PERPETUAL"
local CALL = "BTC-25SEP26-70000-C"

local HEAD = [[
local hedged = require "hedged"
local orders = require "hedged.orders"
local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
]]

local function open(text, options)
  options = options or {}
  options.text = HEAD .. text .. "\nreturn S\n"
  options.instruments = options.instruments or { PERP, CALL }
  return test.session(options)
end

local function quote(s, price)
  s:quote { instrument = PERP, bid = price - 5, ask = price + 5 }
end

TestSession = {}

function TestSession:test_orders_and_fills()
  local s = open [[
    function S:on_tick(t)
      if not self.state.sent and t.bid and t.ask then
        self.state.sent = orders.buy { instrument = t.instrument, size = 6400, reason = "once" }
      end
    end]]
  s:index("BTC", 64000)
  quote(s, 64000)
  lu.assertEquals(s:state(), "running")
  lu.assertNil(s:error())
  local order, fill = s:orders()[1], s:fills()[1]
  lu.assertEquals({ order.side, order.size, order.state, order.reason },
    { "buy", 6400, "filled", "once" })
  lu.assertEquals({ fill.instrument, fill.size, fill.price, fill.liquidity },
    { PERP, 6400, 64005, "taker" })
  lu.assertEquals(s:position(PERP), 6400)
  lu.assertAlmostEquals(s:exposure("BTC").delta, 0.1, 1e-4)
end

function TestSession:test_depth_is_walked()
  local s = open([[
    function S:on_depth(t)
      if not self.state.sent then
        self.state.sent = orders.buy { instrument = t.instrument, size = 30 }
      end
    end]], { fill = "depth" })
  s:index("BTC", 64000)
  s:depth { instrument = PERP, bids = { { 63995, 100 }, { 63990, 100 } },
            asks = { { price = 64005, size = 20 }, { price = 64010, size = 100 } } }
  -- The whole book is one update: it is seen once, when it closes.
  lu.assertEquals(#s:orders(), 1)
  lu.assertEquals(s:position(PERP), 30)
  lu.assertEquals({ s:fills()[1].price, s:fills()[1].size }, { 64005, 20 })
  lu.assertEquals({ s:fills()[2].price, s:fills()[2].size }, { 64010, 10 })
end

function TestSession:test_time_goes_on()
  local s = open [[
    function S:on_start() hedged.every(60, function() hedged.log("tick tock") end) end]]
  local start = s:now()
  s:advance(90)
  lu.assertAlmostEquals(s:now() - start, 90, 1e-6)
  quote(s, 64000)
  lu.assertAlmostEquals(s:now() - start, 90.001, 1e-6)
  s:quote { instrument = PERP, bid = 63000, ask = 63010, time = start + 100 }
  lu.assertAlmostEquals(s:now() - start, 100, 1e-6)
end

function TestSession:test_errors_are_told()
  local s = open [[function S:on_tick(t) error("bad day") end]]
  quote(s, 64000)
  lu.assertEquals(s:state(), "failed")
  lu.assertStrContains(s:error(), "bad day")
  lu.assertStrContains(s:error(), "(on_tick)")
end

function TestSession:test_wrong_use_raises()
  lu.assertErrorMsgContains("no field 'stratgy'", test.session, { stratgy = "x" })
  lu.assertErrorMsgContains("unexpected symbol", test.session, { text = "x = = 1" })
  local s = open ""
  lu.assertErrorMsgContains("not in this session", s.quote, s, { instrument = "X", bid = 1 })
  lu.assertErrorMsgContains("not a price on its tick", s.quote, s,
    { instrument = PERP, bid = 64000.3 })
  lu.assertErrorMsgContains("no field 'bidd'", s.quote, s, { instrument = PERP, bidd = 1 })
  s:close()
  lu.assertErrorMsgContains("closed", s.now, s)
end

function TestSession:test_parameters()
  local text = [[
    local hedged = require "hedged"
    local S = hedged.strategy { api = 1, size = hedged.param { default = 10, min = 10 } }
    function S:on_start() hedged.log(self.size) end
    return S]]
  test.session { text = text, set = { size = 20 }, instruments = { PERP } }
  test.session { text = text, set = { "size=20" }, instruments = { PERP } }
  lu.assertErrorMsgContains("below its minimum", test.session,
    { text = text, set = { size = 5 }, instruments = { PERP } })
  lu.assertErrorMsgContains("did you mean 'size'?", test.session,
    { text = text, set = { sise = 5 }, instruments = { PERP } })
end

function TestSession:test_option_book()
  local s = open("", { book = { { instrument = CALL, size = -10, entry = 0.05 } } })
  s:index("BTC", 64000)
  s:forward { underlying = "BTC", expiry = "25SEP26", price = 65000 }
  s:mark { instrument = CALL, mark = 0.06, iv = 0.5 }
  local x = s:exposure("BTC")
  lu.assertTrue(x.delta < -1 and x.delta > -9)
  lu.assertTrue(x.gamma < 0 and x.vega < 0 and x.theta > 0)
  lu.assertEquals(x.quality, "good")
  lu.assertEquals(s:position(CALL), -10)
end

function TestSession:test_equal_seeds_give_equal_sessions()
  local function run(seed)
    local s = open([[
      function S:on_tick(t)
        if not (t.bid and t.ask) then return end
        local size = 10 * math.random(1, 100)
        if math.random() < 0.5 then
          orders.buy { instrument = t.instrument, size = size }
        else
          orders.sell { instrument = t.instrument, size = size }
        end
      end]], { seed = seed })
    s:index("BTC", 64000)
    for i = 1, 20 do quote(s, 64000 + i) end
    local text = {}
    for i, order in ipairs(s:orders()) do text[i] = order.side .. order.size end
    return table.concat(text, " ")
  end
  lu.assertEquals(run(1), run(1))
  lu.assertNotEquals(run(1), run(2))
end

os.exit(lu.LuaUnit.run())
