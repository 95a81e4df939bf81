-- What a strategy can ask: market, portfolio and greeks from inside a session. Each test runs a
-- piece of strategy code on a small market and looks at what it reports through self.state.
local lu = require "luaunit"
local test = require "hedged.test"

local PERP = "BTC-PERPETUAL"
local CALL = "BTC-25SEP26-70000-C"
local PUT = "BTC-25SEP26-60000-P"
local FUT = "BTC-25SEP26"

-- The code may use `check(name, got, wanted)`; a difference stops the strategy with a message.
local HEAD = [[
local hedged = require "hedged"
local market = require "hedged.market"
local portfolio = require "hedged.portfolio"
local greeks = require "hedged.greeks"
local choose = require "hedged.select"
local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
local function check(name, got, wanted)
  local near = type(got) == "number" and type(wanted) == "number"
    and math.abs(got - wanted) <= 1e-6 * math.max(1, math.abs(wanted))
  if not near and got ~= wanted then
    error(("%s is %s, not %s"):format(name, got, wanted), 2)
  end
end
function S:on_start()
  hedged.after(1, function()
]]

local function inside(code)
  local s = test.session {
    fees = true,
    text = HEAD .. code .. "\n  end)\nend\nreturn S\n",
    instruments = { PERP, FUT, CALL, PUT, "ETH-PERPETUAL" },
    book = { { instrument = CALL, size = -10, entry = 0.05 },
             { instrument = PERP, size = 64000, entry = 64000 } },
  }
  s:index("BTC", 64000)
  s:forward { underlying = "BTC", expiry = "25SEP26", price = 65000 }
  s:mark { instrument = CALL, mark = 0.06, iv = 0.5 }
  s:mark { instrument = PUT, mark = 0.04, iv = 0.55 }
  s:mark { instrument = PERP, mark = 64001 }
  s:funding { instrument = PERP, rate = 0.0001 }
  s:depth { instrument = PERP, bids = { { 63995, 1000 }, { 63990, 2000 } },
            asks = { { 64005, 1000 }, { 64010, 2000 } } }
  s:advance(2)
  if s:error() then error(s:error(), 2) end
end

TestMarket = {}

function TestMarket:test_instruments()
  inside [[
    local p = market.get("BTC-PERPETUAL")
    check("same", p, market.get(p))
    check("name", p.name, "BTC-PERPETUAL")
    check("kind", p.kind, "perpetual")
    check("inverse", p.inverse, true)
    check("lot", p.lot, 10)
    check("tick", p.tick, 0.5)
    check("expiry", p.expiry, nil)
    check("type", p.type, nil)
    check("text", tostring(p), "BTC-PERPETUAL")
    local c = market.get("BTC-25SEP26-70000-C")
    check("strike", c.strike, 70000)
    check("type", c.type, "C")
    check("underlying", c.underlying, "BTC")
    check("expiry", c.expiry, 1790323200)
    local got, message, code = market.get("BTC-PERPETUALL")
    check("unknown", got, nil)
    check("code", code, "instrument")
    check("nearest", message:match("did you mean '(.-)'"), "BTC-PERPETUAL")
    check("field", select(2, pcall(function() return p.strik end)):match("'strike'"), "'strike'")
  ]]
end

function TestMarket:test_prices()
  inside [[
    local p = market.get("BTC-PERPETUAL")
    local q = p:quote()
    check("bid", q.bid, 63995)
    check("ask", q.ask, 64005)
    check("mid", q.mid, 64000)
    check("spread", q.spread, 10)
    check("mark", p:mark(), 64001)
    check("index", p:index(), 64000)
    check("funding", p:funding(), 0.0001)
    check("age", p:age() > 0.9 and p:age() < 1.1, true)
    local d = p:depth(5)
    check("bids", #d.bids, 2)
    check("second ask", d.asks[2].price, 64010)
    check("size", d.asks[2].size, 2000)
    local c = market.get("BTC-25SEP26-70000-C")
    local iv, source = c:iv()
    check("iv", iv, 0.5)
    check("source", source, "mark")
    local _, _, code = c:quote()
    check("no quote", code, "no_quote")
    _, _, code = c:funding()
    check("no funding", code, "no_funding")
  ]]
end

function TestMarket:test_cost()
  inside [[
    local p = market.get("BTC-PERPETUAL")
    local total, parts = p:cost { side = "buy", size = 3000 }
    -- 1,000 at 64,005 and 2,000 at 64,010, the mid at 64,000
    local coins = 1000 / 64005 + 2000 / 64010
    check("price", parts.price, 3000 / coins)
    check("spread", parts.spread + parts.depth, 3000 - coins * 64000)
    check("fee", parts.fee > 0, true)
    check("touch", parts.spread, 5 / 64005 * 3000)
    check("total", total, parts.spread + parts.depth + parts.fee)
    check("sum", total, parts.total)
    check("bps", parts.bps, parts.total / parts.notional * 1e4)
    check("no horizon", parts.carry, 0)
    local _, _, code = p:cost { side = "buy", size = 0 }
    check("bad size", code, "bad_size")
    check("side", pcall(p.cost, p, { side = "up", size = 10 }), false)
  ]]
end

function TestMarket:test_cost_over_a_horizon()
  inside [[
    local p = market.get("BTC-PERPETUAL")
    local total, x = p:cost { side = "sell", size = 64000, horizon = 86400, rate = 0.1,
      funding = 0.0003, funding_mean = 0.0001 }
    local n = 3
    local mean = 0.0001 + 0.0002 * (1 - 0.95 ^ n) / (n * 0.05)
    check("notional", x.notional, 64000)
    check("carry", x.carry, -64000 * 64000 / 64001 * mean * n) -- of the value at the mark
    check("margin", x.margin, 0.1 / 365 * x.initial)
    check("sum", total, x.spread + x.depth + x.fee + x.carry + x.margin)
    check("thin", x.fits, false)
    check("what the book shows", x.visible < 64000 and x.visible > 0, true)
    local _, all = p:cost { side = "sell", size = x.visible }
    check("all of that fits", all.fits, true)
    check("and is visible", all.visible, x.visible)
    check("one lot more does not", select(2, p:cost { side = "sell", size = x.visible + 10 }).fits,
      false)
    local _, twice = p:cost { side = "sell", size = 64000, round_trip = true }
    local _, back = p:cost { side = "buy", size = 64000 }
    check("there and back", twice.fee, x.fee + back.fee)
    check("both spreads", twice.spread + twice.depth,
      x.spread + x.depth + back.spread + back.depth)
    check("no carry", twice.carry, 0)
  ]]
end

function TestMarket:test_select_compares_kinds()
  inside [[
    local ranked = choose.compare { underlying = "BTC", delta = -0.01, horizon = 86400 }
    check("best", ranked[1].name, "BTC-PERPETUAL")
    check("side", ranked[1].side, "sell")
    check("size", ranked[1].size, 640)
    check("all", #ranked, 4)
    check("unquoted", ranked[4].problem, "no two-sided quote")
  ]]
end

function TestMarket:test_margin_what_if_and_scenario()
  inside [[
    local m = portfolio.margin()
    check("model", m.model, "none")
    check("initial", m.initial, 0)
    check("equity", m.equity, portfolio.pnl().equity)
    local what = portfolio.what_if {
      orders = { { instrument = "BTC-PERPETUAL", side = "sell", size = 64000, price = 64001 } } }
    check("delta before", what.exposure.BTC.before.delta, hedged.exposure("BTC").delta)
    check("delta after", what.exposure.BTC.after.delta,
      hedged.exposure("BTC").delta - 64000 / 64001)
    check("nothing done", portfolio.position("BTC-PERPETUAL"), 64000)
    local grid = portfolio.scenario { spot = { -0.2, 0 }, vol = { 0, 0.05 }, days = 0 }
    check("rows", #grid, 2)
    check("columns", #grid[1], 2)
    check("no move", grid[2][1].pnl, 0)
    check("gamma", math.abs(grid[2][1].gamma - hedged.exposure("BTC").gamma) < 1e-9, true)
    local gone = portfolio.scenario { spot = { 0.1 }, days = 1000 }
    local later = portfolio.scenario { spot = { 0.1 }, vol = 0.5, days = 2000 }
    check("frozen at the payoff", gone[1][1].pnl, later[1][1].pnl)
    check("no gamma left", gone[1][1].gamma, 0)
    check("code", select(3, portfolio.what_if { orders = { { instrument = "BTC-PERPETUAL",
      size = 1 } } }), "bad_size")
  ]]
end

function TestMarket:test_find()
  inside [[
    check("options", #market.find { underlying = "BTC", kind = "option" }, 2)
    check("puts", market.find { type = "P" }[1].name, "BTC-25SEP26-60000-P")
    check("strike", market.find { strike = 70000 }[1].name, "BTC-25SEP26-70000-C")
    check("expiry", #market.find { expiry = "25SEP26" }, 3)
    check("by time", #market.find { expiry = market.get("BTC-25SEP26").expiry }, 3)
    check("delta", market.find { kind = "option", delta = 0.3 }[1].type, "C")
    check("negative", market.find { kind = "option", delta = -0.3 }[1].type, "P")
    check("none", #market.find { underlying = "ETH", kind = "option" }, 0)
    check("field", select(2, pcall(market.find, { knd = "x" })):match("'kind'"), "'kind'")
  ]]
end

TestPortfolio = {}

function TestPortfolio:test_positions()
  inside [[
    local list = portfolio.positions()
    check("count", #list, 2)
    check("first", list[1].instrument, "BTC-PERPETUAL")
    check("size", list[1].size, 64000)
    check("entry", list[1].entry, 64000)
    check("delta", list[1].delta > 0.99 and list[1].delta < 1.01, true)
    check("of one", #portfolio.positions("BTC-25SEP26-70000-C"), 1)
    check("of BTC", #portfolio.positions("BTC"), 2)
    check("of ETH", #portfolio.positions("ETH"), 0)
    check("position", portfolio.position("BTC-25SEP26-70000-C"), -10)
    check("equity", type(portfolio.pnl().equity), "number")
  ]]
end

function TestPortfolio:test_exposure()
  inside [[
    local x = portfolio.exposure("BTC")
    local y = hedged.exposure { underlying = "BTC" }
    check("delta", x.delta, y.delta)
    check("quality", x.quality, "good")
    check("pending", x.pending.lo, x.delta)
    check("short call", x.gamma < 0, true)
    local by = hedged.exposure { underlying = "BTC", by = "expiry" }
    check("groups", by["25SEP26"].delta + by.none.delta, x.delta)
    local n = 0
    for k, v in pairs(x) do n = n + 1; check(k, x[k] ~= nil, true) end
    check("fields", n >= 18, true)
    local kept = x
    x = hedged.exposure("BTC")
    check("kept", kept.delta, x.delta)
    local _, _, code = hedged.exposure { delta = "sticky" }
    check("smile", code, "not_supported")
  ]]
end

TestGreeks = {}

function TestGreeks:test_functions()
  inside [[
    local price = greeks.black76(100, 110, 0.5, 0.4, "C")
    local all = greeks.all(100, 110, 0.5, 0.4, "C", 0)
    check("price", all.price, price)
    check("iv", greeks.implied_vol(price, 100, 110, 0.5, "C"), 0.4)
    local inverse = greeks.inverse(100, 110, 0.5, 0.4, "C")
    check("coin price", inverse.price, price / 100)
    check("net", inverse.delta_net, inverse.delta - inverse.price)
    local _, _, code = greeks.black76(0 / 0, 100, 1, 0.5, "C")
    check("nan", code, "bad_input")
    _, _, code = greeks.implied_vol(1, 100, 90, 0.5, "C")
    check("below", code, "below_intrinsic")
    check("cp", pcall(greeks.black76, 100, 100, 1, 0.5, "X"), false)
  ]]
end

function TestGreeks:test_batch()
  inside [[
    local n = 3
    local F, K = greeks.array { 100, 100, 100 }, greeks.array { 90, 100, 110 }
    local T, sigma = greeks.array { 0.5, 0.5, 0.5 }, greeks.array { 0.4, 0.4, 0 / 0 }
    local cp, delta = greeks.array { 1, -1, 1 }, greeks.array(n)
    check("bad", greeks.batch { F = F, K = K, T = T, sigma = sigma, cp = cp,
                                out = { delta = delta } }, 1)
    check("delta", delta[1], greeks.all(100, 90, 0.5, 0.4, "C").delta)
    check("put", delta[2], greeks.all(100, 100, 0.5, 0.4, "P").delta)
    check("zero", delta[3], 0)
    check("length", #delta, 3)
    check("end", delta[4], nil)
    check("range", pcall(function() return delta[5] end), false)
  ]]
end

os.exit(lu.LuaUnit.run())
