-- The live surface and the exposures over it, as a strategy sees them.
local lu = require "luaunit"
local test = require "hedged.test"
local greeks = require "hedged.greeks"

local START = 1769644800 -- 2026-01-29 00:00 UTC
local PERP = "BTC-PERPETUAL"
local F = 88000
local EXPIRIES = { { "27FEB26", 29 + 8 / 24 }, { "27MAR26", 57 + 8 / 24 } }

local HEAD = [[
local hedged = require "hedged"
local market = require "hedged.market"
local surface = require "hedged.surface"
local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
]]

local function vol(k) return 0.5 - 0.2 * k + 0.3 * k * k end

local names, places = { PERP }, {}
for _, expiry in ipairs(EXPIRIES) do
  for strike = 64000, 116000, 4000 do
    for _, cp in ipairs { "C", "P" } do
      local name = ("BTC-%s-%d-%s"):format(expiry[1], strike, cp)
      names[#names + 1] = name
      places[name] = { strike = strike, cp = cp, t = expiry[2] / 365 }
    end
  end
end

local function open(text, book)
  return test.session { text = HEAD .. text .. "\nreturn S\n", instruments = names, start = START,
                        book = book }
end

local function quote_all(s)
  s:index("BTC", F)
  for _, name in ipairs(names) do
    local p = places[name]
    if p then
      local sigma = vol(math.log(p.strike / F))
      local bid = greeks.black76(F, p.strike, p.t, sigma - 0.01, p.cp) / F
      local ask = greeks.black76(F, p.strike, p.t, sigma + 0.01, p.cp) / F
      s:quote { instrument = name, bid = math.max(math.floor(bid * 2000), 1) / 2000,
                ask = math.ceil(ask * 2000) / 2000 }
    end
  end
end

TestSurface = {}

function TestSurface:test_live_surface()
  local s = open [[
    function S:on_start()
      local none, message, code = market.surface("BTC")
      assert(none == nil and code == "no_surface" and message:find "BTC")
      hedged.after(20, function()
        local live = assert(market.surface("BTC"))
        local skew = live:skew("27FEB26")
        assert(math.abs(skew.atm - 0.5) < 0.02, skew.atm)
        assert(math.abs(skew.slope + 0.2) < 0.05, skew.slope)
        assert(live:is_free_of_arbitrage())
        assert(live.underlying == "BTC" and live.model == "ssvi" and live.quality == "good")
        assert(live.age > 0 and live.age < 30 and live.reasons == "")
        assert(live == market.surface(), "one object while nothing is fitted anew")
        assert(#live:params() == 2 and #live:term_structure() == 2)
        assert(live:report()[1].forward_from == "market")
        local seen = 0
        for _, r in ipairs(live:rich()) do
          assert(market.get(r.name).strike == r.strike)
          if r.verdict == "used" then
            assert(math.abs(r.widths) < 2, r.name)
            seen = seen + 1
          end
        end
        assert(seen > 20, seen)
        local sabr = assert(market.surface("BTC", { model = "sabr" }))
        assert(sabr.model == "sabr" and sabr:params()[1].nu > 0)
        local d = live.dynamics
        assert(d.ssr == 1 and d.samples == 0 and d.calls.a == 0)
        assert(not pcall(market.surface, "DOGE"))
        assert(not pcall(function() return live.vol end))
        hedged.log("done")
      end)
    end]]
  quote_all(s)
  s:advance(25)
  lu.assertNil(s:error())
  lu.assertEquals(s:state(), "running")
end

function TestSurface:test_exposures_by_rule()
  local s = open([[
    function S:on_start()
      hedged.after(20, function()
        local plain = hedged.exposure("BTC")
        assert(hedged.exposure { delta = "bs" }.delta == plain.delta)
        assert(hedged.exposure { delta = "sticky_strike" }.delta == plain.delta)
        local moving = hedged.exposure("BTC", { delta = "sticky_delta" })
        local tree = hedged.exposure { underlying = "BTC", delta = "sticky_tree" }
        -- Long a call, skew -0.2: delta +- vega skew/F.
        local vega = plain.vega * 100
        assert(math.abs(moving.delta - plain.delta - vega * 0.2 / 88000) < 0.3 * vega * 0.2 / 88000)
        assert(math.abs(tree.delta + moving.delta - 2 * plain.delta) < 1e-9)
        local net = moving.delta_net - moving.delta
        assert(math.abs(net - plain.delta_net + plain.delta) < 1e-9)
        assert(moving.quality == plain.quality)
        for _, rule in ipairs { "skew_stickiness", "bartlett", "min_variance" } do
          assert(hedged.exposure { delta = rule }.delta, rule)
        end
        local none, message, code = hedged.exposure { delta = "stiky_delta" }
        assert(none == nil and code == "not_supported" and message:find "sticky_delta")
        for _, rule in ipairs { "bs", "sticky_delta", "sticky_tree", "skew_stickiness", "bartlett",
                                "min_variance" } do
          local whole = hedged.exposure { delta = rule }
          for _, by in ipairs { "expiry", "kind", "instrument" } do
            local sum = 0
            for _, group in pairs(hedged.exposure { delta = rule, by = by }) do
              sum = sum + group.delta
              assert(group.quality == whole.quality and group.positions > 0)
            end
            assert(math.abs(sum - whole.delta_filled) < 1e-9, rule .. by)
          end
        end
        assert(hedged.exposure { delta = "sticky_delta", by = "expiry" }["27FEB26"].delta
               ~= hedged.exposure { by = "expiry" }["27FEB26"].delta)
        none, message, code = hedged.exposure { delta = "sticky_delta", by = "strike" }
        assert(none == nil and code == "not_supported" and message:find "expiry")
      end)
    end]], { { instrument = "BTC-27FEB26-88000-C", size = 10 } })
  quote_all(s)
  s:advance(25)
  lu.assertNil(s:error())
  lu.assertEquals(s:state(), "running")
end

-- In a session event time is the `now` of a fit.
function TestSurface:test_fit_counts_from_event_time()
  local s = open [[
    function S:on_start()
      local fit = assert(surface.fit { quotes = {
        { expiry = "27FEB26", strike = 80000, iv = 0.55, forward = 88000 },
        { expiry = "27FEB26", strike = 88000, iv = 0.5, forward = 88000 },
        { expiry = "27FEB26", strike = 96000, iv = 0.48, forward = 88000 } } })
      assert(fit.time == hedged.now() and fit.age == nil and fit.quality == nil)
      assert(math.abs(fit:skew("27FEB26").T - (29 + 8 / 24) / 365) < 1e-12)
    end]]
  lu.assertNil(s:error())
  lu.assertEquals(s:state(), "running")
end

-- The shipped strategies hedge by any rule.
function TestSurface:test_strategies_take_a_rule()
  for _, file in ipairs { "strategies/delta_band.lua", "strategies/delta_clock.lua" } do
    local sizes = {}
    for _, rule in ipairs { "bs", "sticky_delta" } do
      local s = test.session {
        strategy = file, instruments = names, start = START, set = { delta = rule },
        book = { { instrument = "BTC-27FEB26-88000-C", size = 10 } } }
      s:quote { instrument = PERP, bid = F - 5, ask = F + 5 }
      quote_all(s)
      s:advance(30)
      s:quote { instrument = PERP, bid = F - 5, ask = F + 5 }
      quote_all(s)
      s:advance(3600)
      lu.assertNil(s:error())
      sizes[#sizes + 1] = s:position(PERP)
    end
    lu.assertTrue(sizes[1] < 0 and sizes[2] < sizes[1], file)
  end
end
