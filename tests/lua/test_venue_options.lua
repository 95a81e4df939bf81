-- What the paper venue can be told to do, from a test: slow answers, lost ones, rejects, order
-- types of its own, limits, money.
local lu = require "luaunit"
local test = require "hedged.test"

local PERP = "BTC-PERPETUAL"
local HEAD = [[
local hedged = require "hedged"
local orders = require "hedged.orders"
local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
local P = "BTC-PERPETUAL"
]]

local function open(args, body)
  args.text = HEAD .. ([[
function S:on_tick(tick)
  if self.done or not tick.mark then return end
  self.done = true
  %s
end
return S]]):format(body)
  args.instruments = { PERP }
  local s = test.session(args)
  s:index("BTC", 88000)
  s:quote { instrument = PERP, bid = 87995, ask = 88005, bid_size = 1000, ask_size = 1000 }
  s:mark { instrument = PERP, mark = 88000 }
  s:quote { instrument = PERP, bid = 87995, ask = 88005, bid_size = 1000, ask_size = 1000 }
  return s
end

local BUY = [[self.order = orders.buy { instrument = P, size = 1000 }]]

TestVenueOptions = {}

function TestVenueOptions:test_a_slow_fill_is_pending_until_it_comes()
  local s = open({ latency = "submit=200ms,ack=50ms" }, BUY)
  lu.assertEquals(s:orders()[1].state, "sent")
  lu.assertEquals(#s:fills(), 0)
  lu.assertTrue(s:exposure().pending.hi > 0)
  s:advance(0.24)
  lu.assertEquals(#s:fills(), 0)
  s:advance(0.02)
  lu.assertEquals(s:orders()[1].state, "filled")
  lu.assertEquals(s:position(PERP), 1000)
end

function TestVenueOptions:test_a_lost_answer_leaves_the_order_unknown_until_proven()
  local s = open({ faults = "lose=100%,proof=5s" }, BUY)
  s:advance(2)
  lu.assertEquals(s:orders()[1].state, "unknown")
  lu.assertTrue(s:exposure().pending.hi > 0)
  s:advance(4)
  lu.assertEquals(s:orders()[1].state, "filled")
  lu.assertEquals(s:exposure().pending.hi, s:exposure().pending.lo)
end

function TestVenueOptions:test_a_busy_venue_rejects()
  local s = open({ faults = "busy=100%" }, BUY)
  lu.assertEquals(s:orders()[1].state, "rejected")
  lu.assertEquals(s:orders()[1].reject, "venue_busy")
end

function TestVenueOptions:test_post_only_slides_by_the_rules_of_deribit()
  local order = [[orders.buy { instrument = P, size = 1000, price = 88010, post_only = true }]]
  local s = open({}, order)
  lu.assertEquals(s:orders()[1].reject, "post_only")
  s = open({ rules = "post_only=slide" }, order)
  lu.assertEquals(s:orders()[1].state, "working")
  lu.assertEquals(s:orders()[1].price, 88004.5)
end

function TestVenueOptions:test_depth_is_walked_when_asked()
  local s = open({ fill = "depth" }, [[orders.buy { instrument = P, size = 3000 }]])
  lu.assertEquals(s:position(PERP), 1000)
  s = open({}, [[orders.buy { instrument = P, size = 3000 }]])
  lu.assertEquals(s:position(PERP), 3000)
end

-- The same stop, watched by the runtime and by the venue: the same fills, and only one is emulated.
function TestVenueOptions:test_a_stop_is_the_same_emulated_and_native()
  local stop = [[orders.sell { instrument = P, size = 1000, type = "stop", trigger_price = 87900 }]]
  for rules, emulated in pairs { ["native=none"] = true, ["native=all"] = false } do
    local s = open({ rules = rules }, stop)
    lu.assertEquals(s:orders()[1].state, "untriggered", rules)
    lu.assertEquals(s:orders()[1].emulated or false, emulated, rules)
    s:quote { instrument = PERP, bid = 87890, ask = 87900 }
    s:mark { instrument = PERP, mark = 87895 }
    s:quote { instrument = PERP, bid = 87890, ask = 87900 }
    lu.assertEquals(s:orders()[1].state, "filled", rules)
    lu.assertEquals(s:fills()[1].price, 87890, rules)
    lu.assertEquals(s:position(PERP), -1000, rules)
  end
end

function TestVenueOptions:test_limits_hold()
  local s = open({ limits = { order_value_usd = 500 } }, BUY)
  lu.assertEquals(s:refusals()[1].code, "value_limit")
  s = open({ limits = { underlying = { BTC = { delta_coins = 0.001 } } } }, BUY)
  lu.assertEquals(#s:fills(), 0)
  lu.assertEquals(#s:refusals(), 1)
end

function TestVenueOptions:test_an_account_with_little_money_is_refused()
  local big = [[orders.buy { instrument = P, size = 500000 }]]
  local s = open({ margin = "standard", cash = { BTC = 0.01 } }, big)
  lu.assertEquals(#s:fills(), 0)
  s = open({ margin = "standard", cash = "BTC=5" }, big)
  lu.assertEquals(s:position(PERP), 500000)
end

function TestVenueOptions:test_what_is_wrong_is_named()
  local function says(text, args)
    lu.assertErrorMsgContains(text, test.session, args)
  end
  says("unknown rule 'deribt'", { rules = "deribt" })
  says("--fill", { fill = "dept" })
  says("did you mean", { limits = { order_valu_usd = 1 } })
  says("margin = some", { margin = "some" })
  says("cannot read", { instruments = { PERP }, cash = { BTC = -1 } })
  says("limits must have names", { limits = { 1 } })
  says("has no field 'fils'", { fils = "touch" })
end
