-- hedged.policy in plain Lua: LUA_PATH="stdlib/?.lua;;" lua5.4 tests/lua/plain_policy.lua
-- Golden numbers: the standard example S = K = 100, tau = 0.25, s = 0.2, k = 1 %, risk aversion 1,
-- r = 0, recomputed from the papers' formulas in double precision by an independent program.
local lu = require "luaunit"
local policy = require "hedged.policy"

local function near(got, wanted, tolerance)
  lu.assertAlmostEquals(got, wanted, tolerance or 1e-8)
end

-- Misuse must raise, name the field, and point at the line of the caller.
local function raises(pattern, fn)
  local ok, message = pcall(fn)
  lu.assertFalse(ok)
  lu.assertStrContains(message, "plain_policy.lua:")
  lu.assertStrMatches(message, ".*" .. pattern .. ".*")
end

local NAN = 0 / 0

-- Standard normal distribution by its everywhere convergent series (Marsaglia 2004).
local function normal(x)
  local sum, term, n = x, x, 1
  repeat
    n = n + 2
    term = term * x * x / n
    sum = sum + term
  until math.abs(term) < 1e-18
  return 0.5 + sum * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
end

local S, K, TAU, SIGMA = 100, 100, 0.25, 0.2
local function d1(sigma)
  return (math.log(S / K) + sigma * sigma * TAU / 2) / (sigma * TAU ^ 0.5)
end
local function call_delta(sigma) return normal(d1(sigma)) end
local GAMMA = math.exp(-d1(SIGMA) ^ 2 / 2) / math.sqrt(2 * math.pi) / (S * SIGMA * TAU ^ 0.5)

local function example(fields)
  local args = { gamma = -GAMMA, spot = S, sigma = SIGMA, tau = TAU, cost = 0.01,
                 risk_aversion = 1 }
  for key, value in pairs(fields or {}) do args[key] = value end
  return args
end

TestBand = {}

function TestBand:test_inside_is_zero()
  lu.assertEquals(policy.band { delta = 0.3, lo = -0.5, hi = 0.5 }, 0)
  lu.assertEquals(policy.band { delta = 0.5, lo = -0.5, hi = 0.5 }, 0)
  lu.assertEquals(policy.band { delta = -0.5, lo = -0.5, hi = 0.5 }, 0)
end

function TestBand:test_to_the_nearest_edge_by_default()
  lu.assertEquals(policy.band { delta = 1.25, lo = -0.5, hi = 0.5 }, -0.75)
  lu.assertEquals(policy.band { delta = -1.25, lo = -0.5, hi = 0.5 }, 0.75)
  lu.assertEquals(policy.band { delta = 1.25, lo = -0.5, hi = 0.5, to = "edge" }, -0.75)
end

function TestBand:test_to_the_target_or_between()
  lu.assertEquals(policy.band { delta = 1.25, lo = -0.5, hi = 0.5, to = "target" }, -1.25)
  lu.assertEquals(policy.band { delta = -1.25, lo = -0.5, hi = 0.5, to = 0.5 }, 1)
  lu.assertEquals(policy.band { delta = -1.25, lo = -0.5, hi = 0.5, to = 1 }, 1.25)
end

function TestBand:test_lo_and_hi_are_distances_from_the_target()
  lu.assertEquals(policy.band { delta = 2, target = 1.5, lo = -0.25, hi = 0.25 }, -0.25)
  lu.assertEquals(policy.band { delta = 2, target = 1.5, lo = -0.25, hi = 0.5 }, 0)
  lu.assertEquals(policy.band { delta = 2, target = 1.5, lo = -1, hi = 0.25, to = "target" }, -0.5)
end

function TestBand:test_one_sided_and_zero_width()
  lu.assertEquals(policy.band { delta = -100, lo = -math.huge, hi = 1 }, 0)
  lu.assertEquals(policy.band { delta = 3, lo = -math.huge, hi = 1 }, -2)
  lu.assertEquals(policy.band { delta = 3, lo = 0, hi = 0 }, -3)
end

function TestBand:test_small_trades_are_left_out()
  lu.assertEquals(policy.band { delta = 0.55, lo = -0.5, hi = 0.5, min = 0.1 }, 0)
  lu.assertEquals(policy.band { delta = 0.75, lo = -0.5, hi = 0.5, min = 0.25 }, -0.25)
end

function TestBand:test_rounding_is_not_a_breach()
  lu.assertEquals(policy.band { delta = 0.1 + 0.2, lo = -0.3, hi = 0.3 }, 0)
end

function TestBand:test_applying_the_trade_ends_inside()
  local seed = 12345
  local function random()
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed / 1073741824 - 1
  end
  for _ = 1, 10000 do
    local lo = -10 * math.abs(random())
    local hi = 10 * math.abs(random())
    local delta, target = 100 * random(), 5 * random()
    local to = math.abs(random())
    local trade = policy.band { delta = delta, target = target, lo = lo, hi = hi, to = to }
    local after = delta + trade
    lu.assertTrue(after >= target + lo - 1e-9 and after <= target + hi + 1e-9)
    lu.assertEquals(policy.band { delta = after, target = target, lo = lo - 1e-9, hi = hi + 1e-9 },
      0)
  end
end

function TestBand:test_misuse_raises_at_the_caller()
  raises("delta must be a number, got nothing", function()
    return (policy.band { lo = -1, hi = 1 })
  end)
  raises("delta must be a number, got NaN", function()
    return (policy.band { delta = NAN, lo = -1, hi = 1 })
  end)
  raises("delta must be finite, got inf", function()
    return (policy.band { delta = math.huge, lo = -1, hi = 1 })
  end)
  raises("hi must be a number, got nothing", function()
    return (policy.band { delta = 1, lo = -1 })
  end)
  raises("lo must be a number, got a string", function()
    return (policy.band { delta = 1, lo = "-1", hi = 1 })
  end)
  raises("lo 1 is above hi %-1", function() return (policy.band { delta = 0, lo = 1, hi = -1 }) end)
  raises("to must be", function()
    return (policy.band { delta = 0, lo = -1, hi = 1, to = "middle" })
  end)
  raises("outside the band", function()
    return (policy.band { delta = 0, lo = 1, hi = 2, to = "target" })
  end)
  raises("takes one table", function() return (policy.band(0.5)) end)
  raises("min must not be negative", function()
    return (policy.band { delta = 0, lo = -1, hi = 1, min = -1 })
  end)
end

TestClock = {}

function TestClock:test_first_call_is_due()
  local trade, due = policy.clock { delta = 2, now = 100, period = 60 }
  lu.assertEquals(trade, -2)
  lu.assertEquals(due, 160)
end

function TestClock:test_waits_for_the_period()
  local trade, due = policy.clock { delta = 2, now = 159, last = 100, period = 60 }
  lu.assertEquals(trade, 0)
  lu.assertEquals(due, 160)
  lu.assertEquals(policy.clock { delta = 2, now = 160, last = 100, period = 60, target = 0.5 },
    -1.5)
end

function TestClock:test_min_and_misuse()
  lu.assertEquals(policy.clock { delta = 0.05, now = 0, period = 60, min = 0.1 }, 0)
  raises("period must be above zero", function()
    return (policy.clock { delta = 1, now = 0, period = 0 })
  end)
  raises("now must be a number", function() return (policy.clock { delta = 1, period = 1 }) end)
end

TestRatio = {}

function TestRatio:test_hedges_the_share_and_no_more()
  lu.assertEquals(policy.ratio { delta = 4, hedge = 0, ratio = 0.5 }, -2)
  lu.assertEquals(policy.ratio { delta = 2, hedge = -2, ratio = 0.5 }, 0)
  lu.assertEquals(policy.ratio { delta = 4, hedge = 0, ratio = 1.5 }, -6)
  lu.assertEquals(policy.ratio { delta = 4, hedge = 0, ratio = 0 }, 0)
end

function TestRatio:test_ratio_one_is_a_band()
  for delta = -3, 3, 0.25 do
    lu.assertEquals(policy.ratio { delta = delta, hedge = 0.7, lo = -0.5, hi = 0.5, target = 0.25 },
      policy.band { delta = delta, lo = -0.5, hi = 0.5, target = 0.25 })
  end
end

TestStopLoss = {}

function TestStopLoss:test_covered_in_the_money_only()
  local function wanted(cp, spot, size)
    return policy.stop_loss { spot = spot, strike = 100, cp = cp, size = size, held = 0 }
  end
  lu.assertEquals(wanted("C", 101, -10), 10)
  lu.assertEquals(wanted("C", 99, -10), 0)
  lu.assertEquals(wanted("C", 100, -10), 0)
  lu.assertEquals(wanted("P", 99, -10), -10)
  lu.assertEquals(wanted("P", 101, -10), 0)
  lu.assertEquals(wanted("C", 101, 10), -10)
  lu.assertEquals(policy.stop_loss { spot = 99, strike = 100, cp = "C", size = -1, held = 1 }, -1)
  raises("cp must be", function()
    return (policy.stop_loss { spot = 1, strike = 1, cp = "c", size = 1, held = 0 })
  end)
end

TestWhalleyWilmott = {}

function TestWhalleyWilmott:test_golden_half_width()
  near(GAMMA, 0.03984439)
  near(policy.whalley_wilmott_zone(example()).half, 0.13353913)
end

function TestWhalleyWilmott:test_trades_to_its_edge()
  local trade, zone = policy.whalley_wilmott(example { delta = 0.2, target = 0.01 })
  near(trade, 0.01 + 0.13353913 - 0.2)
  near(zone.lo, 0.01 - 0.13353913)
  lu.assertEquals(policy.whalley_wilmott(example { delta = 0.13 }), 0)
  near(policy.whalley_wilmott(example { delta = -0.2, to = "target" }), 0.2)
end

function TestWhalleyWilmott:test_n_options_scale_with_risk_aversion()
  -- H_n(gamma) = n H_1(n gamma)
  local one = policy.whalley_wilmott_zone(example { risk_aversion = 10 }).half
  local ten = policy.whalley_wilmott_zone(example { gamma = -10 * GAMMA }).half
  near(ten, 10 * one)
end

function TestWhalleyWilmott:test_guards()
  lu.assertEquals(policy.whalley_wilmott_zone(example { cost = 0 }).half, 0)
  lu.assertEquals(policy.whalley_wilmott_zone(example { gamma = 0 }).half, 0)
  lu.assertEquals(policy.whalley_wilmott_zone(example { cap = 0.1 }).half, 0.1)
  near(policy.whalley_wilmott_zone(example { rate = 0.05 }).half,
    0.13353913 * math.exp(-0.05 * TAU / 3))
  raises("risk_aversion must be above zero", function()
    return (policy.whalley_wilmott(example { delta = 0, risk_aversion = 0 }))
  end)
  raises("gamma must be a number, got NaN", function()
    return (policy.whalley_wilmott_zone(example { gamma = NAN }))
  end)
end

-- Known values of the clamp to D +- H with S = e^x, K = 1, tau 0.1, s 0.2, k 1e-5, aversion 1 and a
-- previous hedge of 0.5 (documentation of pfhedge, WhalleyWilmott, printed to 4 digits).
function TestWhalleyWilmott:test_documented_clamp()
  local sigma, tau = 0.2, 0.1
  local moneyness = { -0.05, -0.01, 0, 0.01, 0.05 }
  local wanted = { 0.2946, 0.5, 0.5, 0.5, 0.7284 }
  for i, x in ipairs(moneyness) do
    local spot = math.exp(x)
    local z = x / (sigma * tau ^ 0.5) + sigma * tau ^ 0.5 / 2
    local gamma = math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / (spot * sigma * tau ^ 0.5)
    local trade = policy.whalley_wilmott { delta = 0.5 - normal(z), gamma = gamma, spot = spot,
                                           cost = 1e-5, risk_aversion = 1, tau = tau }
    near(0.5 + trade, wanted[i], 1e-4)
  end
end

TestZakamouline = {}

function TestZakamouline:test_golden_short_gamma()
  local zone = policy.zakamouline_zone(example {
    delta_at = function(sigma) return -call_delta(sigma) end })
  near(zone.h0, 0.01)
  near(zone.h1, 0.07482403)
  near(zone.k, -0.49481828)
  near(zone.sigma, 0.24452552)
  near(call_delta(SIGMA), 0.51993881)
  near(call_delta(zone.sigma), 0.52437271)
  near(zone.half, 0.08482403)
  -- Short one call hedged with D(s_m) coins leaves a total delta of D(s_m) - D(s).
  near(zone.centre, 0.52437271 - 0.51993881)
end

function TestZakamouline:test_golden_long_gamma()
  near(policy.zakamouline_zone(example { gamma = GAMMA }).sigma, 0.14215227)
end

function TestZakamouline:test_vanna_is_the_first_order_of_delta_at()
  local h = 1e-5
  local vanna = -(call_delta(SIGMA + h) - call_delta(SIGMA - h)) / (2 * h) / 100
  local exact = policy.zakamouline_zone(example {
    delta_at = function(sigma) return -call_delta(sigma) end }).centre
  near(policy.zakamouline_zone(example { vanna = vanna }).centre, exact, 1e-4)
  lu.assertEquals(policy.zakamouline_zone(example()).centre, 0)
end

function TestZakamouline:test_trades_to_its_edge()
  local trade, zone = policy.zakamouline(example { delta = 1 })
  near(trade, zone.hi - 1)
  lu.assertEquals(policy.zakamouline(example { delta = 0.08 }), 0)
  near(policy.zakamouline(example { delta = -1, to = "target" }), 1)
end

function TestZakamouline:test_scale_invariance()
  -- Another unit of money: S c, gamma / c, G / c must give the same zone.
  local a = policy.zakamouline_zone(example())
  local b = policy.zakamouline_zone(example { spot = S * 880, gamma = -GAMMA / 880,
                                              risk_aversion = 1 / 880 })
  near(a.half, b.half, 1e-12)
  near(a.sigma, b.sigma, 1e-12)
  local n = policy.zakamouline_zone(example { gamma = -10 * GAMMA })
  local one = policy.zakamouline_zone(example { risk_aversion = 10 })
  near(n.half, 10 * one.half, 1e-12)
end

function TestZakamouline:test_guards()
  -- tau -> 0: finite, and bounded by cap
  local last = policy.zakamouline_zone(example { tau = 0 })
  lu.assertTrue(last.half > 0 and last.half < math.huge)
  lu.assertEquals(policy.zakamouline_zone(example { tau = 0, cap = 1 }).half, 1)
  -- long gamma with extreme risk aversion: K stays above -1
  local zone = policy.zakamouline_zone(example { gamma = GAMMA, risk_aversion = 1e6, cost = 0.1 })
  lu.assertTrue(zone.k > -1 and zone.sigma > 0)
  -- no cost or no gamma: no zone
  lu.assertEquals(policy.zakamouline_zone(example { cost = 0 }).half, 0)
  local flat = policy.zakamouline_zone(example { gamma = 0 })
  lu.assertEquals(flat.half, 0)
  near(flat.sigma, SIGMA)
  raises("sigma must be above zero", function()
    return (policy.zakamouline(example { delta = 0, sigma = 0 }))
  end)
  raises("tau must not be negative", function()
    return (policy.zakamouline_zone(example { tau = -1 }))
  end)
  raises("vanna must be a number, got NaN", function()
    return (policy.zakamouline(example { delta = 0, vanna = NAN }))
  end)
  raises("delta_at must be a function", function()
    return (policy.zakamouline_zone(example { delta_at = 1 }))
  end)
end

TestLeland = {}

function TestLeland:test_golden_volatility()
  local sigma, a = policy.leland_sigma { sigma = 0.2, cost = 0.01, dt = 1 / 252, gamma = -1 }
  near(a, 1.26660247)
  near(sigma, 0.30110480)
  sigma, a = policy.leland_sigma { sigma = 0.2, cost = 0.01, dt = 1 / 52, gamma = -1 }
  near(a, 0.57536274)
  near(sigma, 0.25102691)
end

function TestLeland:test_long_gamma_may_be_undefined()
  local sigma, message, code = policy.leland_sigma { sigma = 0.2, cost = 0.01, dt = 1 / 252,
                                                     gamma = 1 }
  lu.assertNil(sigma)
  lu.assertStrContains(message, "1.267")
  lu.assertEquals(code, "undefined")
  near((policy.leland_sigma { sigma = 0.2, cost = 0.01, dt = 1 / 52, gamma = 1 }),
    0.2 * math.sqrt(1 - 0.575362739175), 1e-9)
end

function TestLeland:test_policy_waits_and_rebalances()
  local function call(fields)
    fields.gamma, fields.sigma, fields.cost, fields.dt = -1, 0.2, 0.01, 1 / 365
    fields.delta_at = function(sigma) return -call_delta(sigma) end
    return policy.leland(fields)
  end
  local trade, zone = call { delta = 1, now = 0 }
  near(trade, zone.centre - 1)
  near(zone.centre, call_delta(zone.sigma) - call_delta(0.2))
  lu.assertEquals(call { delta = 1, now = 86399, last = 0 }, 0)
  near(call { delta = 1, now = 86400, last = 0 }, zone.centre - 1)
  raises("vanna must be a number", function()
    return (policy.leland { delta = 1, now = 0, gamma = -1, sigma = 0.2, cost = 0.01, dt = 1,
                            vanna = NAN })
  end)
end

os.exit(lu.LuaUnit.run())
