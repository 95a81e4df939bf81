-- hedged.execution inside the runtime: strategies given as text, a market fed by hand.
local lu = require "luaunit"
local test = require "hedged.test"

local PERP = "BTC-PERPETUAL"

-- A session whose strategy runs one execution in a task and logs the result as its state's reason:
-- it buys or sells nothing else, so fills and positions tell all.
local function open(call, fill)
  return test.session {
    strategy = "execution_test",
    text = ([[
      local hedged = require "hedged"
      local execution = require "hedged.execution"
      local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
      function S:on_start()
        hedged.after(1, function() execution.%s end)
      end
      return S
    ]]):format(call),
    instruments = { PERP },
    fill = fill,
  }
end

local function quote(s, bid, ask, size)
  s:index("BTC", (bid + ask) / 2)
  s:quote { instrument = PERP, bid = bid, ask = ask, bid_size = size or 1e6,
            ask_size = size or 1e6 }
end

local function minutes(s, count, bid, ask)
  for _ = 1, count do
    s:advance(60)
    quote(s, bid, ask)
  end
end

TestExecution = {}

function TestExecution:test_cross_takes_at_once()
  local s = open [[cross { instrument = "BTC-PERPETUAL", side = "buy", size = 5005 }]]
  quote(s, 87990, 88000)
  s:advance(2)
  lu.assertNil(s:error())
  lu.assertEquals(s:position(PERP), 5000) -- whole lots, never more than asked for
  lu.assertEquals(s:fills()[1].price, 88000)
end

function TestExecution:test_cross_keeps_its_limit()
  local s = open [[cross { instrument = "BTC-PERPETUAL", side = "buy", size = 5000,
                           limit = 87995 }]]
  quote(s, 87990, 88000)
  s:advance(2)
  lu.assertNil(s:error())
  lu.assertEquals(s:position(PERP), 0)
end

function TestExecution:test_twap_trades_equal_slices_at_equal_times()
  local s = open [[twap { instrument = "BTC-PERPETUAL", side = "sell", size = 10000,
                          duration = 600, slices = 10 }]]
  quote(s, 87990, 88000)
  for seconds = 5, 700, 5 do -- the first slice is sent after one second
    s:advance(5)
    quote(s, 87990, 88000)
    lu.assertEquals(s:position(PERP), -1000 * math.min(10, 1 + (seconds - 1) // 60))
  end
  lu.assertNil(s:error())
  lu.assertEquals(s:position(PERP), -10000)
  lu.assertEquals(#s:orders(), 10)
end

function TestExecution:test_twap_of_odd_lots_adds_up()
  local s = open [[twap { instrument = "BTC-PERPETUAL", side = "buy", size = 70, duration = 30,
                          slices = 3 }]]
  quote(s, 87990, 88000)
  for _ = 1, 10 do
    s:advance(5)
    quote(s, 87990, 88000)
  end
  lu.assertEquals(s:position(PERP), 70)
  lu.assertEquals(#s:orders(), 3)
end

function TestExecution:test_peg_rests_and_follows()
  local s = open [[peg { instrument = "BTC-PERPETUAL", side = "buy", size = 1000,
                         patience = 60 }]]
  quote(s, 87990, 88000)
  s:advance(3)
  quote(s, 88010, 88020)
  s:advance(3)
  local orders = s:orders()
  lu.assertEquals(#orders, 2)
  lu.assertEquals(orders[1].state, "cancelled")
  lu.assertEquals(orders[1].price, 87990)
  lu.assertEquals(orders[2].price, 88010)
  quote(s, 87990, 88000) -- the market trades through it
  s:advance(3)
  lu.assertEquals(s:position(PERP), 1000)
  lu.assertEquals(s:fills()[1].liquidity, "maker")
  minutes(s, 3, 87990, 88000)
  lu.assertEquals(s:position(PERP), 1000)
end

function TestExecution:test_peg_gives_up()
  local s = open [[peg { instrument = "BTC-PERPETUAL", side = "buy", size = 1000,
                         patience = 30 }]]
  quote(s, 87990, 88000)
  minutes(s, 2, 87990, 88000)
  lu.assertNil(s:error())
  lu.assertEquals(s:position(PERP), 0)
  lu.assertEquals(s:orders()[1].state, "cancelled")
end

function TestExecution:test_passive_then_cross_takes_the_rest()
  local s = open [[passive_then_cross { instrument = "BTC-PERPETUAL", side = "buy", size = 1000,
                                        patience = 30 }]]
  quote(s, 87990, 88000)
  for _ = 1, 12 do
    s:advance(5)
    quote(s, 87990, 88000)
  end
  lu.assertNil(s:error())
  lu.assertEquals(s:position(PERP), 1000)
  lu.assertEquals(s:fills()[1].liquidity, "taker")
end

function TestExecution:test_iceberg_shows_a_part()
  local s = open [[iceberg { instrument = "BTC-PERPETUAL", side = "sell", size = 2500,
                             show = 1000, price = 88100 }]]
  quote(s, 87990, 88000)
  s:advance(2)
  lu.assertEquals(s:orders()[1].size, 1000)
  for _ = 1, 4 do
    quote(s, 88110, 88120)
    s:advance(1)
    quote(s, 87990, 88000)
    s:advance(1)
  end
  lu.assertNil(s:error())
  lu.assertEquals(s:position(PERP), -2500)
  local sizes = {}
  for i, order in ipairs(s:orders()) do sizes[i] = order.size end
  lu.assertEquals(sizes, { 1000, 1000, 500 })
end

-- One part of a strategy works its hedge off in time, another hedges what it sees on every tick, as
-- two strategies without shares of the book would: together they hedge once. The market and the
-- venue are random, the seed is in the message.
local BOTH = [[
  local hedged = require "hedged"
  local execution = require "hedged.execution"
  local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
  function S:on_start()
    hedged.after(1, function()
      self.began = true
      execution.%s
    end)
  end
  function S:on_tick()
    if not self.began then return end
    local x = hedged.exposure("BTC")
    if x and math.abs(x.delta) > 0.001 then
      hedged.trade { instrument = self.hedge_with, delta = -x.delta }
    end
  end
  return S
]]

local WAYS = {
  [[twap { instrument = "BTC-PERPETUAL", side = "sell", size = 80000, duration = 30 }]],
  [[twap { instrument = "BTC-PERPETUAL", side = "sell", size = 80000, duration = 30,
           passive = true }]],
  [[iceberg { instrument = "BTC-PERPETUAL", side = "sell", size = 80000, show = 5000,
              price = 88005, patience = 40 }]],
  [[peg { instrument = "BTC-PERPETUAL", side = "sell", size = 80000, patience = 40 }]],
  [[passive_then_cross { instrument = "BTC-PERPETUAL", side = "sell", size = 80000,
                         patience = 20 }]],
}

local function never_short(way, seed, faults)
  local s = test.session {
    strategy = "both",
    text = BOTH:format(way),
    instruments = { PERP },
    book = { { instrument = PERP, size = 80000, entry = 88000 } },
    latency = "orders=uniform:1ms:400ms", faults = faults, fill = "depth", seed = seed,
    limits = { hedge_overshoot = 1000, repeated_orders = 1000 },
  }
  local sold = 0
  for step = 1, 300 do
    local mid = 88000 + (seed * 7919 + step * 104729) % 21 - 10
    s:advance(0.05 + (seed * 31 + step * 17) % 7 / 10)
    s:index("BTC", 88000)
    s:mark { instrument = PERP, mark = 88000 }
    quote(s, mid - 5, mid + 5, 1000 * (1 + (seed + step * 13) % 9))
    local held = s:position(PERP)
    sold = math.max(sold, 80000 - held)
    assert(held >= -10, ("seed %d, %s: %g held at step %d"):format(seed, way, held, step))
  end
  assert(not s:error(), s:error())
  return sold
end

function TestExecution:test_what_is_not_sent_yet_is_not_hedged_by_others()
  local faults = { "none", "busy=10%,repeat=10%", "down=random:20s:2s,busy=5%" }
  for k, way in ipairs(WAYS) do
    for seed = 1, 9 do
      local sold = never_short(way, seed * 10 + k, faults[seed % 3 + 1])
      lu.assertTrue(sold > 40000, ("seed %d, %s: sold %g"):format(seed * 10 + k, way, sold))
    end
  end
end

function TestExecution:test_a_plan_ends_with_its_task()
  local s = test.session {
    strategy = "plans",
    text = [[
      local hedged = require "hedged"
      local orders = require "hedged.orders"
      local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
      local function plan(size)
        assert(orders.plan { instrument = "BTC-PERPETUAL", side = "buy", size = size })
      end
      function S:on_start()
        hedged.spawn(function() plan(88000); hedged.sleep(10); plan(44000); hedged.sleep(10) end)
        hedged.spawn(function()
          hedged.sleep(5)
          plan(176005) -- whole lots, never more than asked for
          hedged.sleep(20)
          error("lost")
        end)
      end
      return S
    ]],
    instruments = { PERP },
  }
  local expected = { [3] = 1, [7] = 3, [12] = 2.5, [22] = 2, [27] = 0 }
  for second = 1, 30 do
    s:advance(1)
    s:index("BTC", 88000)
    s:mark { instrument = PERP, mark = 88000 }
    quote(s, 87990, 88010)
    if expected[second] then
      local x = s:exposure("BTC")
      lu.assertAlmostEquals(x.delta, expected[second], 1e-6, second)
      lu.assertAlmostEquals(x.pending.hi, expected[second], 1e-6, second)
    end
  end
  lu.assertStrContains(s:error(), "lost")
end

function TestExecution:test_misuse_is_the_callers_line()
  local s = open [[twap { instrument = "BTC-PERPETUAL", side = "hold", size = 1, duration = 1 }]]
  quote(s, 87990, 88000)
  s:advance(2)
  lu.assertStrContains(s:error(), 'side must be "buy" or "sell"')
  lu.assertStrContains(s:error(), "execution_test:5")
end

os.exit(lu.LuaUnit.run())
