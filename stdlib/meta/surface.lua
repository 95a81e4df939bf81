---@meta hedged.surface
error("a stub for editors and docs: require hedged.surface inside hedged")

--- A volatility surface fitted to quotes: eSSVI across expiries (free of arbitrage), raw SVI or
--- SABR. No session is needed: it also loads in plain Lua (`docs/quant.md`). The live surface of a
--- market is `market.surface`; it has the same methods.
---
--- Bad quotes are no errors: crossed, stale, one-sided and impossible ones are left out or weigh
--- less, `surface:report()` counts them and `surface:rich()` names them one by one.
---
--- ```lua run
--- local surface = require "hedged.surface"
--- local quotes = {}
--- for i, iv in ipairs { 0.56, 0.51, 0.48, 0.47, 0.48 } do
---   quotes[i] = { expiry = 29 / 365, strike = 70000 + 6000 * i, bid_iv = iv - 0.01,
---                 ask_iv = iv + 0.01, forward = 88000 }
--- end
--- local s = assert(surface.fit { quotes = quotes })
--- local skew = s:skew(29 / 365)
--- print(("at the money %.1f%%, risk reversal %+.1f points, free of arbitrage: %s"):format(
---   100 * skew.atm, 100 * skew.risk_reversal, s:is_free_of_arbitrage()))
--- ```
---
--- An expiry is a date ("27FEB26", 08:00 UTC), seconds since 1970, or, below 1000, years. Dates and
--- seconds need to know the time: `now`. Vols are fractions, k = ln(strike/forward), total variance
--- is vol^2 times years.
---@class hedged.surface
local surface = {}

--- A quote: prices with `bid`, `ask` and `type`, or vols with `bid_iv`, `ask_iv` or `iv`. A side
--- that is absent, NaN or not above zero is not there; one side alone is a bound.
---@class hedged.surface.quote
---@field expiry string|number date, seconds since 1970, or years below 1000
---@field strike number USD
---@field type? "C"|"P" needed with prices
---@field bid? number price, USD; coins with `inverse`
---@field ask? number
---@field bid_iv? number vol, fraction
---@field ask_iv? number
---@field iv? number a vol without width, for instance the venue's mark
---@field forward? number of its expiry when it was quoted, USD; the expiry's is their median
---@field age? number seconds since it was confirmed (0)
---@field weight? number beside other quotes of the same width (1); 0 leaves it out
---@field name? string comes back in `surface:rich()`

--- Fields of `surface.fit`.
---@class hedged.surface.fit_args
---@field quotes hedged.surface.quote[] at most 100,000, of at most 32 expiries, in any order
---@field model? "ssvi"|"svi"|"sabr" see below ("ssvi")
---@field now? number seconds since 1970; in a session event time when left out
---@field forward? number|table USD where quotes name none: for all, or by expiry as quotes name it
---@field inverse? boolean prices are coins, c = V/F
---@field max_age? number seconds; older quotes are left out (any age)
---@field beta? number model "sabr": 0 normal to 1 lognormal (1)
---@field start? hedged.surface.surface an earlier fit to search from: several times faster

--- Fits a surface. Every quote weighs by its width through vega, outliers less; in the money
--- options (delta above 0.6) are left out, out of the money ones say the same better. A forward
--- that is named nowhere comes from put-call parity.
---
--- "ssvi" is eSSVI: all expiries together, free of arbitrage by construction. "svi" is each expiry
--- for itself: closer to quotes, mended to be free of butterfly arbitrage, but expiries may cross.
--- "sabr" is Hagan's expansion, each expiry for itself, not free of arbitrage.
---
--- ```lua run
--- local surface = require "hedged.surface"
--- local s, message, code = surface.fit {
---   now = 1769644800, -- 2026-01-29
---   quotes = {
---     { expiry = "27FEB26", strike = 88000, type = "C", bid = 3000, ask = 2900, forward = 88000 },
---   },
--- }
--- assert(s == nil and code == "no_quotes")
--- print(message)
--- ```
---@param args hedged.surface.fit_args
---@return hedged.surface.surface? surface nil when no quote can be used
---@return string? message what was wrong with the quotes
---@return string? code "no_quotes" or "too_many" (expiries)
function surface.fit(args) end

--- A fitted surface. Between expiries total variance is linear in time at equal k, before the first
--- the vol is that of the first, after the last it grows at the last at-the-money variance.
--- `age`, `quality`, `reasons`, `underlying` and `dynamics` are of the live one; nil elsewhere.
---@class hedged.surface.surface
---@field model "ssvi"|"svi"|"sabr"
---@field time? number seconds since 1970: the moment times to expiry count from
---@field underlying? string
---@field age? number seconds since the newest price in it
---@field quality? "good"|"stale"|"partial"
---@field reasons? string why quality is not good
---@field dynamics? table how the smile has moved, see `market.surface`
local object = {}

--- Smile measures at one time; deltas are Black-76's.
---@class hedged.surface.skew
---@field T number years
---@field forward number USD
---@field atm number vol at strike = forward
---@field slope number d vol/dk there
---@field risk_reversal number call_25 - put_25
---@field butterfly number (call_25 + put_25)/2 - atm
---@field call_25 number vol where a call has delta 0.25
---@field put_25 number vol where a put has delta -0.25
---@field k_call_25 number where that is
---@field k_put_25 number
---@field forward_vol number sqrt(d total variance/dT) at the money
---@field term_slope number d atm/dT, per year

--- One expiry of `surface:params()`. For "ssvi" and "svi" the five numbers of raw SVI, as
--- `greeks.svi` takes them; "ssvi" has theta and psi besides (rho is the same in both).
---@class hedged.surface.slice
---@field expiry number seconds since 1970, or years where the fit had no time
---@field T number years
---@field forward number USD
---@field model "ssvi"|"svi"|"sabr"
---@field a? number
---@field b? number
---@field rho number
---@field m? number
---@field sigma? number
---@field theta? number at-the-money total variance
---@field psi? number size of the wings
---@field alpha? number "sabr"
---@field beta? number
---@field nu? number

--- What became of one expiry. Errors are in half widths of the quotes.
---@class hedged.surface.report
---@field expiry? number seconds since 1970, or years where the fit had no time; nil for no number
---@field T? number years
---@field fitted boolean false: left out, see `reason`
---@field reason? string why it was left out, or what was repaired
---@field forward? number USD
---@field forward_from? "quotes"|"given"|"parity"|"market"
---@field quotes integer
---@field used integer with two sides; those below and this add up to `quotes`
---@field one_sided integer used as bounds
---@field in_the_money integer left out
---@field stale integer
---@field crossed integer
---@field unusable integer no side, bad numbers, below intrinsic, above the maximum
---@field inside? integer of `used`, those the fit meets within bid and ask
---@field rms? number error, outliers weighing less
---@field worst? number
---@field fallback? boolean too few strikes for the model
---@field repaired? boolean the best smile allowed butterfly arbitrage and was mended

--- One quote against the fit; rich is positive. Prices in the unit they were given in.
---@class hedged.surface.rich
---@field expiry? number as in `surface:report()`
---@field T? number years
---@field strike? number USD
---@field type "C"|"P"
---@field name? string
---@field quote? integer its place in `quotes`
---@field verdict "used"|"one_sided"|"in_the_money"|"stale"|"crossed"|"unusable"
---@field fit_iv? number
---@field fit_price? number
---@field iv? number vol of the middle; needs both sides, as do the next three
---@field vol? number iv - fit_iv
---@field price? number middle - fit_price
---@field widths? number price in half widths of the quote
---@field buy_edge? number fit_price - ask: gained against the fit by buying
---@field sell_edge? number bid - fit_price

--- Vol at a strike.
---@param expiry string|number
---@param strike number USD
---@return number? iv fraction
---@return string? message
---@return string? code "bad_input"
function object:iv(expiry, strike) end

--- Total variance at k = ln(strike/forward) and a time.
---@param k number
---@param t string|number years, or an expiry
---@return number? variance
---@return string? message
---@return string? code "bad_input"
function object:total_variance(k, t) end

--- The forward, geometric between expiries.
---@param expiry string|number
---@return number? forward USD
---@return string? message
---@return string? code "bad_input"
function object:forward(expiry) end

--- d vol/dk at a strike: what smile-aware deltas need.
---@param expiry string|number
---@param strike number USD
---@return number? slope
---@return string? message
---@return string? code "bad_input"
function object:slope(expiry, strike) end

--- At-the-money vol, slope, 25-delta risk reversal and butterfly at any time.
---@param expiry string|number
---@return hedged.surface.skew? skew
---@return string? message
---@return string? code "bad_input"
function object:skew(expiry) end

--- The skew of every fitted expiry (with `expiry`), nearest first.
---@return hedged.surface.skew[] list
function object:term_structure() end

--- Whether butterflies and calendar spreads cost something at every strike; with the least
--- Durrleman g (`g_min`), the least gap between neighbours (`gap_min`), and where it first fails
--- (`butterfly`, `calendar`: years).
---@return boolean free
---@return table details
function object:is_free_of_arbitrage() end

--- The numbers behind it, one row per fitted expiry.
---@return hedged.surface.slice[] list
function object:params() end

--- What was used, left out and repaired, one row per expiry given.
---@return hedged.surface.report[] list
function object:report() end

--- Every quote against the fit, in order of expiry and strike.
---@return hedged.surface.rich[] list
function object:rich() end

return surface
