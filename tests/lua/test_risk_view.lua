-- hedged.risk: the limits and what is used of them, to look at and never to change.
local lu = require "luaunit"
local test = require "hedged.test"

local PERP = "BTC-PERPETUAL"
local HEAD = [[
local hedged = require "hedged"
local orders = require "hedged.orders"
local rooms = { hedged = hedged, ["hedged.orders"] = orders }
for _, name in ipairs { "hedged.market", "hedged.portfolio", "hedged.execution" } do
  rooms[name] = require(name)
end
local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
]]

-- Runs `body` once, at the first tick with a mark.
local function run(body, limits)
  local s = test.session {
    text = HEAD .. ([[
      function S:on_tick(tick)
        if self.done or not tick.mark then return end
        self.done = true
        %s
      end
      return S]]):format(body),
    instruments = { PERP }, limits = limits,
  }
  s:index("BTC", 80000)
  for _ = 1, 2 do
    s:quote { instrument = PERP, bid = 79995, ask = 80005 }
    s:mark { instrument = PERP, mark = 80000 }
  end
  lu.assertNil(s:error())
  return s
end

TestRiskView = {}

function TestRiskView:test_limits_are_those_of_the_gate()
  run([[
    local view = hedged.risk()
    assert(view.state == "active" and view.why == "")
    assert(view.strategy_state == "active" and view.strategy_why == "")
    assert(hedged.risk.order_value_usd == 5000 and view.limits.order_value_usd == 5000)
    assert(view.limits.hedge_tries == 3 and view.limits.delta_coins == 1e6)
    assert(view.limits.strategy_open_orders == 7)
    assert(view.session.strategy_open_orders.limit == 7)
    assert(view.underlyings.BTC.delta_coins.limit == 2) -- its own
    local n = 0
    for name, value in pairs(view.limits) do
      n = n + 1
      assert(type(name) == "string" and value > 0 and value < math.huge, name)
    end
    assert(n >= 40, n)
  ]], { order_value_usd = 5000, strategy_open_orders = 7,
        underlying = { BTC = { delta_coins = 2 } } })
end

function TestRiskView:test_what_is_used_counts_what_is_pending()
  local s = run [[
    assert(orders.buy { instrument = "BTC-PERPETUAL", size = 8000 })
    assert(orders.buy { instrument = "BTC-PERPETUAL", size = 16000, price = 79000 })
    local v = hedged.risk()
    local delta = v.underlyings.BTC.delta_coins
    assert(math.abs(delta.value - 0.3) < 1e-9, delta.value) -- neither has been answered
    assert(math.abs(delta.headroom - (delta.limit - delta.value)) < 1e-6)
    assert(math.abs(v.session.open_notional_usd.value - 24000) < 1e-6)
    assert(v.session.gross_notional_usd.value == v.session.open_notional_usd.value)
    assert(v.session.total_open_orders.value == 2 and v.session.strategy_open_orders.value == 2)
    assert(v.underlyings.BTC.vega_usd_per_point.value == 0)
    assert(v.underlyings.BTC.state == "active" and v.underlyings.BTC.thaws == nil)
  ]]
  lu.assertEquals(s:position(PERP), 8000)
end

function TestRiskView:test_nothing_of_it_can_be_set()
  run([[
    local function fails(f, ...)
      local ok, why = pcall(f, ...)
      assert(not ok, "it can be set")
      return why
    end
    local why = fails(function() hedged.risk.order_value_usd = 1e12 end)
    assert(why:find "read" and why:find "hedged.risk", why)
    fails(function() hedged.risk.new = 1 end)
    fails(function() hedged.risk = nil end)
    fails(rawset, hedged.risk, "order_value_usd", 1e12)
    fails(setmetatable, hedged.risk, {})
    assert(type(getmetatable(hedged.risk)) ~= "table" or
           not pcall(function() getmetatable(hedged.risk).__call = print end))
    assert(hedged.risk.order_value_usd == 5000)
    -- The view is a copy: writing into it tells nobody.
    local view = hedged.risk()
    view.limits.order_value_usd = 1e12
    view.state = "halted"
    view.underlyings.BTC.delta_coins.limit = 0
    local again = hedged.risk()
    assert(again.limits.order_value_usd == 5000 and again.state == "active")
    assert(again.underlyings.BTC.delta_coins.limit > 0)
    local order, _, code = orders.buy { instrument = "BTC-PERPETUAL", size = 5010 }
    assert(not order and code == "value_limit")
    assert(orders.buy { instrument = "BTC-PERPETUAL", size = 5000 })
  ]], { order_value_usd = 5000 })
end

-- Whatever a strategy can reach: nothing is named like a switch of the gate, and what an order may
-- carry does not move a limit.
function TestRiskView:test_no_function_sets_a_limit()
  run([[
    local words = { "limit", "arm", "kill", "halt", "resume", "unfreeze", "thaw", "gate" }
    local seen, functions = {}, 0
    local function walk(t, path, depth)
      if seen[t] or depth > 6 then return end
      seen[t] = true
      for k, v in pairs(t) do
        if type(k) == "string" and type(v) == "function" and path:find "^hedged" then
          functions = functions + 1
          for _, word in ipairs(words) do
            assert(not k:find("^" .. word) and not k:find("_" .. word .. "$"), path .. "." .. k)
          end
        end
        if type(v) == "table" then walk(v, path .. "." .. tostring(k), depth + 1) end
      end
    end
    for name, room in pairs(rooms) do walk(room, name, 1) end
    walk(_G, "_G", 1)
    assert(functions > 30, functions)
    assert(not pcall(function() return debug.getregistry end))
    assert(not pcall(function() return io.open end))
    for _, field in ipairs { "limits", "order_value_usd", "operator", "operator_order", "force" } do
      local request = { instrument = "BTC-PERPETUAL", size = 5010, side = "buy" }
      request[field] = true
      local ok, order = pcall(orders.send, request)
      assert(not ok or not order, field) -- unknown to orders.send, or refused all the same
    end
  ]], { order_value_usd = 5000 })
end

function TestRiskView:test_a_state_that_stops_a_strategy_is_seen_by_it()
  local s = run([[
    for _ = 1, 5 do orders.buy { instrument = "BTC-PERPETUAL", size = 0 } end
    local view = hedged.risk()
    assert(view.strategy_state == "paused" and view.strategy_why:find "refused", view.strategy_why)
    assert(view.state == "active")
    local order, _, code = orders.buy { instrument = "BTC-PERPETUAL", size = 10 }
    assert(not order and code == "paused")
  ]], { refusals_per_second = 5 })
  lu.assertEquals(s:position(PERP), 0)
end

-- Sent again at each refusal, nothing but the code itself could end it: the clock stands still.
function TestRiskView:test_who_sends_again_at_each_refusal_is_stopped_early()
  for _, again in ipairs { "on_order", "on_risk" } do
    local s = test.session {
      text = HEAD .. ([[
        local told = 0
        local function send() return orders.buy { instrument = "BTC-PERPETUAL", size = 0 } end
        function S:on_tick()
          if not self.begun then
            self.begun = true
            for _ = 1, 150 do orders.buy { instrument = "BTC-PERPETUAL", size = 5 } end
            hedged.after(1, function()
              assert(told == 0 and hedged.risk().strategy_state == "active")
              send()
            end)
            hedged.after(3, function()
              local view = hedged.risk()
              assert(told >= 101 and told <= 102, told) -- the last one is on_risk's, of the pause
              error(view.strategy_state .. ": " .. view.strategy_why)
            end)
          end
        end
        function S:AGAIN(e)
          if hedged.now() - self.now0 >= 1 then told = told + 1 send() end
        end
        function S:on_start() self.now0 = hedged.now() end
        return S]]):gsub("AGAIN", again),
      instruments = { PERP },
    }
    s:index("BTC", 80000)
    s:quote { instrument = PERP, bid = 79995, ask = 80005 }
    for _ = 1, 5 do
      s:advance(1)
      s:quote { instrument = PERP, bid = 79995, ask = 80005 }
    end
    lu.assertStrContains(s:error() or "", "paused: sends again at each refusal, " ..
      "the last one for size_zero")
  end
end

-- A cut: the strategy hears that its orders are unknown, then of the connection; later what became
-- of them.
function TestRiskView:test_a_cut_is_heard_by_on_order_and_on_risk()
  local s = test.session {
    text = HEAD .. [[
      local heard = {}
      function S:on_tick(tick)
        if not self.sent and tick.mark then
          self.sent = orders.buy { instrument = "BTC-PERPETUAL", size = 10, price = 70000 }
        end
      end
      function S:on_order(o) heard[#heard + 1] = o.state end
      function S:on_risk(e)
        assert(e.order == nil and e.message ~= "")
        heard[#heard + 1] = e.kind .. " " .. e.code
      end
      function S:on_start()
        hedged.after(120, function() error(table.concat(heard, ", ")) end)
      end
      return S]],
    instruments = { PERP }, faults = "cut=1m+30s",
  }
  s:index("BTC", 80000)
  for _ = 1, 11 do
    s:quote { instrument = PERP, bid = 79995, ask = 80005 }
    s:mark { instrument = PERP, mark = 80000 }
    s:advance(10)
  end
  lu.assertNil(s:error())
  s:advance(15)
  lu.assertStrContains(s:error(), "working, unknown, alarm disconnected, working")
end
