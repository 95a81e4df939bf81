-- hedged.stats in plain Lua: LUA_PATH="stdlib/?.lua;;" lua5.4 tests/lua/plain_stats.lua
-- Golden numbers were computed from the papers' formulas by an independent program.
local lu = require "luaunit"
local stats = require "hedged.stats"

local function near(got, wanted, tolerance)
  lu.assertAlmostEquals(got, wanted, tolerance or 1e-12)
end

local function raises(pattern, fn, ...)
  local ok, message = pcall(fn, ...)
  lu.assertFalse(ok)
  lu.assertStrMatches(message, ".*" .. pattern .. ".*")
end

local BARS = {
  { open = 100, high = 102, low = 99, close = 101 },
  { open = 101.5, high = 103, low = 100.5, close = 102.5 },
  { open = 102, high = 104, low = 101, close = 101.2 },
  { open = 101, high = 101.5, low = 97, close = 98 },
  { open = 98.5, high = 100, low = 98, close = 99.7 },
}
local CLOSES = { 101, 102.5, 101.2, 98, 99.7 }

-- A small generator of its own: the tests do not depend on math.random.
local function generator(seed)
  local function uniform()
    seed = (seed * 6364136223846793005 + 1442695040888963407)
    return ((seed >> 11) + 0.5) / 2 ^ 53
  end
  return function()
    return math.sqrt(-2 * math.log(uniform())) * math.cos(2 * math.pi * uniform())
  end
end

TestVol = {}

function TestVol:test_golden()
  near(stats.vol_close(CLOSES, 365), 0.45028544270074206)
  near(stats.vol_close(CLOSES, 365, true), 0.394837065579917)
  near(stats.vol_parkinson(BARS, 365), 0.35610196791730747)
  near(stats.vol_garman_klass(BARS, 365), 0.37251727816776997)
  near(stats.vol_yang_zhang(BARS, 365), 0.38648372500516925)
end

function TestVol:test_recover_the_vol_of_a_random_walk()
  local normal, vol = generator(7), 0.6
  local steps, days = 1440, 400
  local step = vol / math.sqrt(365 * steps)
  local bars, price = {}, 60000
  for day = 1, days do
    local bar = { open = price, high = price, low = price }
    for _ = 1, steps do
      price = price * math.exp(step * normal())
      bar.high, bar.low = math.max(bar.high, price), math.min(bar.low, price)
    end
    bar.close = price
    bars[day] = bar
  end
  local closes = {}
  for i, bar in ipairs(bars) do closes[i] = bar.close end
  -- Standard errors of the estimators at n = 400: 3.5 %, 1.6 %, 1.3 %, 1.3 %; discrete highs and
  -- lows bias the range estimators down by about 2 %.
  near(stats.vol_close(closes, 365), vol, 0.08)
  near(stats.vol_parkinson(bars, 365), vol, 0.04)
  near(stats.vol_garman_klass(bars, 365), vol, 0.04)
  near(stats.vol_yang_zhang(bars, 365), vol, 0.04)
end

function TestVol:test_too_few_is_an_answer_and_misuse_raises()
  local vol, message, code = stats.vol_close({ 1, 2 }, 365)
  lu.assertNil(vol)
  lu.assertStrContains(message, "needs 3")
  lu.assertEquals(code, "too_few")
  lu.assertNil((stats.vol_yang_zhang({ BARS[1], BARS[2] }, 365)))
  lu.assertNil((stats.vol_parkinson({}, 365)))
  raises("bar 1 is not a bar", stats.vol_parkinson, { { open = 1, high = 1, low = 2, close = 1 } },
    365)
  raises("price 2 is not above zero", stats.vol_close, { 1, -1, 1 }, 365)
  raises("per_year", stats.vol_close, CLOSES, 0)
end

TestEwma = {}

function TestEwma:test_weights_halve()
  local e = stats.ewma { halflife = 1 }
  e:add(8)
  near(e:add(2), (0.5 * 8 + 2) / 1.5)
  near(e:add(5), (0.25 * 8 + 0.5 * 2 + 5) / 1.75)
  near(e.variance, (0.25 * 64 + 0.5 * 4 + 25) / 1.75 - e.mean ^ 2)
  near(e:std(), math.sqrt(e.variance))
end

function TestEwma:test_weights_by_time()
  local e = stats.ewma { halflife = 60 }
  e:add(1, 1000)
  near(e:add(2, 1060), (0.5 * 1 + 2) / 1.5)
  near(e:add(2, 1060), (0.5 * 1 + 2 + 2) / 2.5)
end

function TestEwma:test_constant_has_no_variance()
  local e = stats.ewma { halflife = 10 }
  for _ = 1, 1000 do e:add(88000.5) end
  lu.assertEquals(e.mean, 88000.5)
  lu.assertEquals(e.variance, 0)
end

function TestEwma:test_misuse()
  raises("halflife must be above 0", stats.ewma, { halflife = 0 })
  raises("value must be a finite number", function() stats.ewma { halflife = 1 }:add(0 / 0) end)
end

TestTickVol = {}

function TestTickVol:test_recovers_the_vol_of_irregular_ticks()
  local normal = generator(3)
  local v = stats.tick_vol { halflife = 20000, spacing = 1 }
  local price, time = 60000, 0
  lu.assertNil(v:add(price, time))
  lu.assertFalse(v.ready)
  for _ = 1, 20000 do
    local dt = 1 + 9 * math.abs(normal())
    time = time + dt
    price = price * math.exp(0.5 * math.sqrt(dt / stats.YEAR) * normal())
    v:add(price, time)
  end
  lu.assertTrue(v.ready)
  near(v.vol, 0.5, 0.05)
end

function TestTickVol:test_close_ticks_are_left_out()
  local v = stats.tick_vol { halflife = 100, spacing = 5 }
  v:add(100, 0)
  lu.assertNil(v:add(200, 1))
  lu.assertEquals(v:add(100, 10), 0)
end

TestBars = {}

function TestBars:test_bars_are_aligned_and_kept()
  local b = stats.bars { period = 60, keep = 2 }
  lu.assertNil(b:add(10, 65))
  lu.assertNil(b:add(14, 70))
  lu.assertNil(b:add(8, 80))
  lu.assertNil(b:add(11, 119))
  local bar = b:add(12, 120)
  lu.assertEquals(bar, { time = 60, open = 10, high = 14, low = 8, close = 11 })
  lu.assertEquals(b:add(13, 300).time, 120)
  b:add(13, 360)
  lu.assertEquals(#b, 2)
  lu.assertEquals(b[1].time, 120)
  lu.assertEquals(b[2].time, 300)
end

TestRegression = {}

function TestRegression:test_finds_a_line_exactly()
  local r = stats.regression { window = 5 }
  lu.assertNil(r:add(1, 5))
  lu.assertFalse(r.ready)
  for x = 2, 20 do r:add(x, 3 * x + 2) end
  near(r.slope, 3)
  near(r.intercept, 2, 1e-9)
  near(r.r2, 1)
  near(r:predict(100), 302, 1e-9)
end

function TestRegression:test_rolling_equals_the_batch()
  local normal = generator(11)
  local window, xs, ys = 50, {}, {}
  local r = stats.regression { window = window }
  for i = 1, 1234 do
    -- levels like a price's: differences must not drown in them
    xs[i], ys[i] = 88000 + 10 * normal(), 5000 + normal()
    ys[i] = ys[i] + 0.7 * (xs[i] - 88000)
    r:add(xs[i], ys[i])
  end
  local mx, my = 0, 0
  for i = 1234 - window + 1, 1234 do mx, my = mx + xs[i] / window, my + ys[i] / window end
  local vx, vy, cov = 0, 0, 0
  for i = 1234 - window + 1, 1234 do
    vx, vy = vx + (xs[i] - mx) ^ 2, vy + (ys[i] - my) ^ 2
    cov = cov + (xs[i] - mx) * (ys[i] - my)
  end
  near(r.slope, cov / vx, 1e-9)
  near(r.intercept, my - cov / vx * mx, 1e-4)
  near(r.r2, cov * cov / (vx * vy), 1e-9)
end

function TestRegression:test_equal_x_is_not_ready()
  local r = stats.regression { window = 4 }
  for i = 1, 10 do r:add(5, i) end
  lu.assertFalse(r.ready)
  local value, _, code = r:predict(1)
  lu.assertNil(value)
  lu.assertEquals(code, "too_few")
end

function TestRegression:test_decay()
  near(stats.decay(60, 60), 0.5)
  near(stats.decay(0, 60), 1)
end

os.exit(lu.LuaUnit.run())
