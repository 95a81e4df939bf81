-- hedged.surface as a C module of plain Lua: the same source as in the runtime, without a runtime.
--     LUA_CPATH='build/lua/?.so' lua5.4 tests/lua/plain_surface.lua
if not package.searchpath("hedged.surface", package.cpath) then
  print("SKIP plain_surface: no lua/hedged/surface.so in LUA_CPATH (sanitizer builds make none)")
  print("0 passed, 0 failed, 1 skipped")
  os.exit(0)
end

local lu = require "luaunit"
local greeks = require "hedged.greeks"
local surface = require "hedged.surface"

local DAY = 86400
local NOW = 1769644800 -- 2026-01-29 00:00 UTC
local F = 88000
-- Three expiries without arbitrage: eSSVI slices theta, rho, psi with growing theta.
local SLICES = {
  { expiry = "6FEB26", t = (8 + 8 / 24) / 365, theta = 0.006, rho = -0.2, psi = 0.10 },
  { expiry = "27FEB26", t = (29 + 8 / 24) / 365, theta = 0.018, rho = -0.25, psi = 0.17 },
  { expiry = "27MAR26", t = (57 + 8 / 24) / 365, theta = 0.040, rho = -0.3, psi = 0.26 },
}

local function variance(s, k)
  return (s.theta + s.rho * s.psi * k
    + math.sqrt((s.psi * k + s.rho * s.theta) ^ 2 + s.theta ^ 2 * (1 - s.rho ^ 2))) / 2
end

local function vol(s, strike) return math.sqrt(variance(s, math.log(strike / F)) / s.t) end

local STRIKES = {}
for strike = 60000, 120000, 4000 do STRIKES[#STRIKES + 1] = strike end

-- make(s, strike) gives the fields of one quote, or nil for none.
local function quotes(make)
  local list = {}
  for _, s in ipairs(SLICES) do
    for _, strike in ipairs(STRIKES) do
      local q = make(s, strike)
      if q then
        q.expiry, q.strike = s.expiry, strike
        list[#list + 1] = q
      end
    end
  end
  return list
end

local function from_vols(s, strike) return { iv = vol(s, strike), forward = F } end

-- Calls and puts with bid and ask in USD, `half` vol points on each side.
local function from_prices(half, unit)
  local list = {}
  for _, s in ipairs(SLICES) do
    for _, strike in ipairs(STRIKES) do
      for _, cp in ipairs { "C", "P" } do
        local sigma = vol(s, strike)
        list[#list + 1] = {
          expiry = s.expiry, strike = strike, type = cp, name = s.expiry .. strike .. cp,
          bid = greeks.black76(F, strike, s.t, sigma - half, cp) / unit,
          ask = greeks.black76(F, strike, s.t, sigma + half, cp) / unit,
        }
      end
    end
  end
  return list
end

TestPlainSurface = {}

function TestPlainSurface:test_finds_the_slices_behind_vols()
  for model, tolerance in pairs { ssvi = 1e-6, svi = 1e-6 } do
    local s = surface.fit { quotes = quotes(from_vols), model = model, now = NOW }
    for _, slice in ipairs(SLICES) do
      for _, strike in ipairs(STRIKES) do
        lu.assertAlmostEquals(s:iv(slice.expiry, strike), vol(slice, strike), tolerance)
        local k = math.log(strike / F)
        lu.assertAlmostEquals(s:total_variance(k, slice.t), variance(slice, k), tolerance)
      end
    end
    local free, details = s:is_free_of_arbitrage()
    lu.assertTrue(free)
    lu.assertTrue(details.g_min >= 0 and details.gap_min >= 0)
    lu.assertEquals(#s:params(), 3)
    for i, p in ipairs(s:params()) do
      lu.assertEquals(p.model, model)
      lu.assertAlmostEquals(p.rho, SLICES[i].rho, 1e-3)
      lu.assertAlmostEquals(greeks.svi(0.1, p), variance(SLICES[i], 0.1), tolerance)
    end
  end
end

function TestPlainSurface:test_sabr_comes_near()
  local s = surface.fit { quotes = quotes(from_vols), model = "sabr", now = NOW }
  for _, strike in ipairs { 76000, 88000, 100000 } do
    lu.assertAlmostEquals(s:iv("27FEB26", strike), vol(SLICES[2], strike), 0.01)
  end
  lu.assertEquals(s:params()[1].beta, 1)
end

function TestPlainSurface:test_prices_in_dollars_and_coins_with_a_forward_from_parity()
  for unit, inverse in pairs { [1] = false, [F] = true } do
    local s = surface.fit { quotes = from_prices(0.005, unit), now = NOW, inverse = inverse }
    lu.assertEquals(s:report()[2].forward_from, "parity")
    lu.assertAlmostEquals(s:forward("27FEB26"), F, 1e-6)
    lu.assertAlmostEquals(s:iv("27FEB26", 80000), vol(SLICES[2], 80000), 1e-4)
    for _, r in ipairs(s:rich()) do
      if r.verdict == "used" then
        lu.assertTrue(math.abs(r.widths) < 0.5, r.name)
        lu.assertTrue(r.buy_edge < 0 and r.sell_edge < 0)
        lu.assertAlmostEquals(r.vol, 0, 1e-3)
      end
    end
  end
end

function TestPlainSurface:test_expiries_are_dates_seconds_or_years()
  local s = surface.fit { quotes = quotes(from_vols), now = NOW }
  local seconds = NOW + SLICES[2].t * 365 * DAY
  lu.assertAlmostEquals(s:iv(seconds, 80000), s:iv("27FEB26", 80000), 1e-12)
  lu.assertAlmostEquals(s:iv(SLICES[2].t, 80000), s:iv("27FEB26", 80000), 1e-12)
  lu.assertAlmostEquals(s:params()[2].expiry, seconds, 1e-6)
  local years = surface.fit { quotes = quotes(function(slice, strike)
    local q = from_vols(slice, strike)
    return q
  end), now = NOW }
  lu.assertEquals(years:iv("27FEB26", 80000), s:iv("27FEB26", 80000))
  local list = quotes(from_vols)
  for _, q in ipairs(list) do
    for _, slice in ipairs(SLICES) do if q.expiry == slice.expiry then q.expiry = slice.t end end
  end
  local undated = surface.fit { quotes = list }
  lu.assertAlmostEquals(undated:iv(SLICES[2].t, 80000), s:iv("27FEB26", 80000), 1e-9)
  lu.assertErrorMsgContains("now", undated.iv, undated, "27FEB26", 80000)
  lu.assertErrorMsgContains("now", surface.fit, { quotes = quotes(from_vols) })
end

function TestPlainSurface:test_skew_and_term_structure()
  local s = surface.fit { quotes = quotes(from_vols), now = NOW }
  local skew = s:skew("27FEB26")
  lu.assertAlmostEquals(skew.atm, math.sqrt(SLICES[2].theta / SLICES[2].t), 1e-6)
  -- d sigma/dk at the money of an SSVI slice: rho psi/(2 sqrt(theta T)).
  local slope = SLICES[2].rho * SLICES[2].psi / (2 * math.sqrt(SLICES[2].theta * SLICES[2].t))
  lu.assertAlmostEquals(skew.slope, slope, 1e-4)
  lu.assertTrue(skew.risk_reversal < 0 and skew.butterfly > 0)
  lu.assertAlmostEquals(skew.risk_reversal, skew.call_25 - skew.put_25, 1e-12)
  local g = greeks.all(1, math.exp(skew.k_call_25), SLICES[2].t, skew.call_25, "C")
  lu.assertAlmostEquals(g.delta, 0.25, 1e-6)
  lu.assertAlmostEquals(s:slope("27FEB26", F), slope, 1e-4)
  local term = s:term_structure()
  lu.assertEquals(#term, 3)
  lu.assertAlmostEquals(term[2].atm, skew.atm, 1e-12)
  lu.assertTrue(term[1].T < term[2].T and term[2].T < term[3].T)
end

function TestPlainSurface:test_bad_quotes_are_left_out_and_named()
  local list = from_prices(0.005, 1)
  local clean = surface.fit { quotes = from_prices(0.005, 1), now = NOW }
  local function add(q)
    q.expiry, q.type, q.forward = q.expiry or "27FEB26", q.type or "P", F
    list[#list + 1] = q
    return #list
  end
  local want = {
    [add { strike = 79000, bid = 3000, ask = 2000 }] = "crossed",
    [add { strike = 79000, bid = 2000, ask = 3000, age = 900 }] = "stale",
    [add { strike = 79000, ask = 3000 }] = "one_sided",
    [add { strike = 79000 }] = "unusable",
    [add { strike = 79000, bid = 0 / 0, ask = 0 / 0 }] = "unusable",
    [add { strike = 0 / 0, bid = 1, ask = 2 }] = "unusable",
    [add { strike = -1, bid = 1, ask = 2 }] = "unusable",
    [add { strike = 79000, bid = 2000, ask = 3000, weight = 0 }] = "unusable",
    [add { strike = 99000, bid = 11500, ask = 11900 }] = "in_the_money",
    [add { strike = 100, bid = 200, ask = 300 }] = "unusable",
  }
  local s = surface.fit { quotes = list, now = NOW, max_age = 600 }
  local seen = 0
  for _, r in ipairs(s:rich()) do
    for field, value in pairs(r) do lu.assertEquals(value, value, field) end -- no NaN
    if want[r.quote] then
      lu.assertEquals(r.verdict, want[r.quote], "quote " .. r.quote)
      seen = seen + 1
    end
  end
  lu.assertEquals(seen, 10)
  local report = s:report()[2]
  lu.assertEquals({ report.crossed, report.stale, report.one_sided }, { 1, 1, 1 })
  lu.assertEquals(report.used + report.one_sided + report.in_the_money + report.stale
    + report.crossed + report.unusable, report.quotes)
  lu.assertAlmostEquals(s:iv("27FEB26", 80000), clean:iv("27FEB26", 80000), 2e-4)
end

function TestPlainSurface:test_an_outlier_shows_as_rich_and_does_not_pull()
  local list = from_prices(0.005, 1)
  local odd
  for i, q in ipairs(list) do
    if q.expiry == "27FEB26" and q.strike == 80000 and q.type == "P" then odd = i end
  end
  list[odd].bid, list[odd].ask = list[odd].bid * 1.3, list[odd].ask * 1.3
  local s = surface.fit { quotes = list, now = NOW }
  lu.assertAlmostEquals(s:iv("27FEB26", 80000), vol(SLICES[2], 80000), 2e-3)
  for _, r in ipairs(s:rich()) do
    if r.quote == odd then lu.assertTrue(r.vol > 0.02 and r.widths > 2 and r.sell_edge > 0) end
  end
end

function TestPlainSurface:test_few_strikes_minutes_and_expired()
  local list = {
    { expiry = NOW + 300, strike = 88000, iv = 0.6, forward = F },
    { expiry = NOW - 300, strike = 88000, iv = 0.6, forward = F },
    { expiry = NOW + 30 * DAY, strike = 88000, type = "C", bid = 4000, ask = 4200 },
    { expiry = NOW + 60 * DAY, strike = 80000, iv = 0.55, forward = F },
    { expiry = NOW + 60 * DAY, strike = 88000, iv = 0.5, forward = F },
    { expiry = NOW + 60 * DAY, strike = 96000, iv = 0.52, forward = F },
  }
  local s = surface.fit { quotes = list, now = NOW }
  local report = s:report()
  lu.assertEquals(#report, 4)
  lu.assertEquals(report[1].reason, "expired")
  lu.assertFalse(report[1].fitted)
  lu.assertTrue(report[2].fitted and report[2].fallback)
  lu.assertStrContains(report[3].reason, "no forward")
  lu.assertTrue(report[4].fitted)
  lu.assertAlmostEquals(s:iv(NOW + 300, F), 0.6, 0.02)
  lu.assertTrue(s:is_free_of_arbitrage())
end

function TestPlainSurface:test_vogt_is_mended_and_told()
  local vogt = { a = -0.0410, b = 0.1331, m = 0.3586, rho = 0.3060, sigma = 0.4153 }
  local list = {}
  for k = -1.5, 1.5, 0.1 do
    list[#list + 1] = { expiry = 1, strike = 100 * math.exp(k), forward = 100,
                        iv = math.sqrt(greeks.svi(k, vogt)) }
  end
  local s = surface.fit { quotes = list, model = "svi" }
  lu.assertTrue(s:is_free_of_arbitrage())
  lu.assertTrue(s:report()[1].repaired)
  lu.assertStrContains(s:report()[1].reason, "butterfly")
end

function TestPlainSurface:test_warm_start_comes_to_the_same()
  local first = surface.fit { quotes = from_prices(0.005, 1), now = NOW }
  local second = surface.fit { quotes = from_prices(0.005, 1), now = NOW, start = first }
  for _, strike in ipairs(STRIKES) do
    lu.assertAlmostEquals(second:iv("27FEB26", strike), first:iv("27FEB26", strike), 1e-4)
  end
end

function TestPlainSurface:test_nothing_to_fit()
  lu.assertEquals(select(3, surface.fit { quotes = {}, now = NOW }), "no_quotes")
  local s, message, code = surface.fit {
    quotes = { { expiry = "27FEB26", strike = 80000, type = "C", bid = 3, ask = 2, forward = F } },
    now = NOW }
  lu.assertNil(s)
  lu.assertEquals(code, "no_quotes")
  lu.assertStrContains(message, "1 crossed")
  local many = {}
  for i = 1, 33 do many[i] = { expiry = i / 10, strike = 100, iv = 0.5, forward = 100 } end
  local too_many
  too_many, message, code = surface.fit { quotes = many }
  lu.assertNil(too_many)
  lu.assertEquals(code, "too_many")
  lu.assertStrContains(message, "32")
end

function TestPlainSurface:test_bad_questions()
  local s = surface.fit { quotes = quotes(from_vols), now = NOW }
  for _, bad in ipairs { 0, -1, 0 / 0, math.huge, -math.huge } do
    local got, message, code = s:iv("27FEB26", bad)
    lu.assertNil(got)
    lu.assertIsString(message)
    lu.assertEquals(code, "bad_input")
    lu.assertNil((s:iv(bad, 80000)))
    lu.assertNil((s:skew(bad)))
    lu.assertNil((s:forward(bad)))
  end
  lu.assertNil((s:total_variance(0 / 0, 0.1)))
  lu.assertErrorMsgContains("not a date", s.iv, s, "soon", 80000)
  lu.assertErrorMsgContains("no field 'modle' (did you mean 'model'?)", surface.fit,
    { quotes = {}, modle = "svi" })
  lu.assertErrorMsgContains("model 'heston'", surface.fit, { quotes = {}, model = "heston" })
  lu.assertErrorMsgContains("quotes", surface.fit, {})
  lu.assertErrorMsgContains("quote 1 has no expiry", surface.fit, { quotes = { { strike = 1 } } })
  lu.assertErrorMsgContains("no strike", surface.fit, { quotes = { { expiry = 1 } } })
  lu.assertErrorMsgContains("type", surface.fit,
    { quotes = { { expiry = 1, strike = 1, bid = 1, ask = 2 } } })
  lu.assertErrorMsgContains("no field 'vol'", function() return s.vol end)
  lu.assertErrorMsgContains("surface", s.iv, 1, 2, 3)
end

os.exit(lu.LuaUnit.run())
