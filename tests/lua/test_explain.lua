-- portfolio.explain: groups add up to the whole, and `since` tells what came after. The strategies
-- check what they see themselves: an assertion that fails parks them.
local lu = require "luaunit"
local test = require "hedged.test"

local PERP = "BTC-PERPETUAL"
local CALL = "BTC-25SEP26-70000-C"

local TEXT = [[
local hedged = require "hedged"
local orders = require "hedged.orders"
local portfolio = require "hedged.portfolio"
local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
local PARTS = { "delta", "gamma", "theta", "vega", "vanna", "volga", "cash", "basis", "funding",
  "fees", "spread", "slippage", "rest" }
local function near(a, b, tolerance)
  if math.abs(a - b) > tolerance then error(("%.9g is not %.9g"):format(a, b), 2) end
end
local function adds_up(x, pnl)
  local total = 0
  for _, part in ipairs(PARTS) do total = total + x[part] end
  near(total, pnl, 1e-9 * math.abs(pnl))
  local d = x.drift
  near(d.from + d.spot + d.time + d.vol + d.trades + d.rest, d.to, 1e-12)
end
local checked = 0
function S:on_tick(t)
  if t.bid and t.ask and not self.sent then
    self.sent = orders.buy { instrument = t.instrument, size = 64000 }
  end
end
]]

local function open(tail, book)
  return test.session { text = TEXT .. tail .. "\nreturn S\n", instruments = { PERP, CALL },
    book = book, fees = true }
end

local function quote(s, price)
  s:index("BTC", price)
  s:forward { underlying = "BTC", expiry = "25SEP26", price = price * 1.01 }
  s:mark { instrument = CALL, mark = 0.06, iv = 0.5 }
  s:quote { instrument = PERP, bid = price - 5, ask = price + 5 }
end

local function finish(s)
  s:advance(40)
  lu.assertNil(s:error())
  lu.assertEquals(s:orders()[#s:orders()].reason, "checked")
end

local CHECKED = [[
  orders.buy { instrument = "BTC-PERPETUAL", size = 10, reason = "checked" }
]]

TestExplain = {}

function TestExplain:test_groups_add_up()
  local s = open([[
    function S:on_start() hedged.after(90, function()
      local all, pnl = portfolio.explain(), portfolio.pnl().hedged
      assert(math.abs(pnl) > 100)
      near(all.pnl, pnl, 1e-9 * math.abs(pnl))
      adds_up(all, pnl)
      assert(all.spread < -4.9 and all.fees < 0 and all.coin == "BTC")
      assert(all.gamma ~= 0 and all.theta ~= 0)
      near(portfolio.explain { underlying = "BTC" }.pnl, pnl, 1e-9 * math.abs(pnl))
      for _, by in ipairs { "strategy", "underlying", "instrument" } do
        local total = 0
        for _, x in pairs(portfolio.explain { by = by }) do
          total = total + x.pnl
          adds_up(x, x.pnl)
        end
        near(total, pnl, 1e-9 * math.abs(pnl))
      end
      local by = portfolio.explain { by = "strategy" }
      assert(by.book.gamma ~= 0 and by.book.spread == 0)
      near(by.test.delta, 1000, 5)
      ]] .. CHECKED .. "end) end", { { instrument = CALL, size = -10 } })
  quote(s, 64000)
  s:advance(60)
  quote(s, 65000)
  finish(s)
end

function TestExplain:test_since_tells_what_came_after()
  local s = open([[
    local first, by
    function S:on_start()
      hedged.after(30, function()
        first, by = portfolio.explain(), portfolio.explain { by = "instrument" }
        local none = portfolio.explain { since = first }
        assert(none.pnl == 0 and none.delta == 0 and none.drift.from == none.drift.to)
      end)
      hedged.after(90, function()
        local all, after = portfolio.explain(), portfolio.explain { since = first }
        near(after.pnl, all.pnl - first.pnl, 1e-9)
        near(after.delta, 1000, 2)
        assert(after.fees == 0 and after.spread == 0)
        assert(after.drift.from == first.drift.to and after.drift.to == all.drift.to)
        adds_up(after, after.pnl)
        local after_by = portfolio.explain { by = "instrument", since = by }
        near(after_by["BTC-PERPETUAL"].pnl, after.pnl, 1e-9)
        ]] .. CHECKED .. "end) end")
  quote(s, 64000)
  s:advance(60)
  quote(s, 65000)
  finish(s)
end

function TestExplain:test_since_takes_seconds()
  local s = open([[
    function S:on_start()
      hedged.after(95, function()
        local all, x = portfolio.explain(), portfolio.explain { since = 30 }
        assert(x.seconds >= 30 and x.seconds < 100)
        adds_up(x, x.pnl)
        local coins = 0
        for _, part in ipairs(PARTS) do coins = coins + x.coin_parts[part] end
        near(coins, x.coins, 1e-9)
        near(x.drift.to, all.drift.to, 1e-12)
        local total, by = 0, portfolio.explain { by = "strategy", since = 30 }
        near(by.test.delta, 1000, 5)
        for _, part in pairs(by) do
          total = total + part.pnl
          assert(part.seconds == x.seconds)
        end
        near(total, x.pnl, 1e-9 * math.abs(x.pnl))
        local none, message, code = portfolio.explain { since = 86400 }
        assert(none == nil and code == "not_found" and message:find("the earliest is", 1, true))
        ]] .. CHECKED .. "end) end", { { instrument = CALL, size = -10 } })
  quote(s, 64000)
  s:advance(60)
  quote(s, 64000)
  s:advance(20)
  quote(s, 65000)
  finish(s)
end

function TestExplain:test_wrong_use_raises()
  local s = open([[
    local function says(words, options)
      local ok, message = pcall(portfolio.explain, options)
      if ok or not message:find(words, 1, true) then error(tostring(message)) end
    end
    function S:on_start()
      says("by must be session", { by = "colour" })
      says("unknown underlying", { underlying = "DOGEX" })
      says("since is a number of seconds or what explain said", { since = true })
      says("must be above 0", { since = -5 })
      says("must be above 0", { since = 0 / 0 })
      says("something else", { since = portfolio.explain { by = "strategy" } })
      hedged.after(1, function() ]] .. CHECKED .. "end) end")
  quote(s, 64000)
  finish(s)
end

TestDelivery = {}

-- The feed tells no delivery price: a minute later it is the mean of the last half hour.
function TestDelivery:test_an_expiry_without_a_word_of_the_feed()
  local s = test.session { text = TEXT .. "\nreturn S\n",
    instruments = { PERP, "BTC-27FEB26-60000-C" },
    start = 1772177400, -- 07:30 UTC on 27 February 2026
    book = { { instrument = "BTC-27FEB26-60000-C", size = 2 } } }
  s:index("BTC", 60000)
  s:mark { instrument = "BTC-27FEB26-60000-C", mark = 0.01, iv = 0.5 }
  s:advance(900)
  s:index("BTC", 64000)
  s:advance(900)
  s:index("BTC", 80000) -- 08:00: too late to count
  lu.assertEquals(s:position("BTC-27FEB26-60000-C"), 2)
  s:advance(59)
  s:index("BTC", 80000)
  lu.assertEquals(s:position("BTC-27FEB26-60000-C"), 2)
  s:advance(5)
  s:index("BTC", 80000)
  lu.assertEquals(s:position("BTC-27FEB26-60000-C"), 0)
  local told
  for _, event in ipairs(s:events()) do
    if event.kind == "settlement" then told = event end
  end
  lu.assertEquals(told.type, "delivery")
  lu.assertAlmostEquals(told.price, 62000, 1)
  lu.assertAlmostEquals(told.amount, 2 * 2000 / 62000, 1e-4)
  s:settle { instrument = "BTC-27FEB26-60000-C", price = 70000 } -- comes too late
  lu.assertEquals(s:position("BTC-27FEB26-60000-C"), 0)
end
