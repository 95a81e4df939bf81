---@meta hedged.greeks
error("a stub for editors and docs: require hedged.greeks inside hedged")

--- Option mathematics on plain numbers: no session, no state, no clock. Every function can be used
--- in a strategy, under `hedged lua` and in tests.
---
--- Units: `F` forward or spot and `K` strike in USD, `T` years to expiry, `sigma` volatility as a
--- fraction (0.6), `cp` is "C" or "P", `r` a continuously compounded rate as a fraction. Greeks are
--- raw derivatives, not desk units: vega per 1.00 of volatility, theta per year, rho per 1.00 of
--- rate. (Exposure is in desk units, see `hedged.exposure`.)
---
--- NaN, infinite, zero or negative inputs answer `nil, message, "bad_input"`; no function returns
--- NaN.
---
--- ```lua run
--- local greeks = require "hedged.greeks"
--- local price = greeks.black76(88000, 80000, 29 / 365, 0.4, "P")
--- local vol = greeks.implied_vol(price, 88000, 80000, 29 / 365, "P")
--- assert(math.abs(vol - 0.4) < 1e-12)
--- ```
---@class hedged.greeks
local greeks = {}

--- Greeks of an option on a forward (Black 1976).
---@class hedged.greeks.values
---@field price number USD, present value
---@field delta number dV/dF (with a rate: discounted)
---@field gamma number d2V/dF2, per USD
---@field vega number dV/dsigma, per 1.00 of volatility
---@field theta number -dV/dT at fixed F, per year
---@field rho number dV/dr at fixed F, per 1.00 of rate
---@field vanna number d2V/dF dsigma
---@field volga number d2V/dsigma2
---@field charm number change of delta per year as time passes
---@field speed number d3V/dF3
---@field color number change of gamma per year as time passes
---@field zomma number dgamma/dsigma
---@field ultima number d3V/dsigma3

--- Greeks of a coin-settled option, in coins: c = V / F.
---@class hedged.greeks.inverse_values
---@field price number coins
---@field delta number plain Black-76 delta: neutral for USD profit
---@field delta_net number delta - price = F dc/dF: neutral for coin profit (premium-adjusted)
---@field gamma number d2c/dF2
---@field vega number dc/dsigma, per 1.00 of volatility
---@field theta number -dc/dT, per year

--- Price of an option on a forward (Black 1976), discounted when `r` is given.
---@param F number forward, USD
---@param K number strike, USD
---@param T number years to expiry
---@param sigma number volatility, fraction
---@param cp "C"|"P" call or put
---@param r? number rate, fraction a year (0)
---@return number? price USD; nil on bad input
---@return string? message
---@return string? code "bad_input"
function greeks.black76(F, K, T, sigma, cp, r) end

--- Price and all Greeks to third order in one table.
---
--- ```lua run
--- local greeks = require "hedged.greeks"
--- local g = greeks.all(88000, 88000, 30 / 365, 0.5, "C")
--- print(("delta %.3f, vega %.1f USD per vol point"):format(g.delta, g.vega / 100))
--- ```
---@param F number forward, USD
---@param K number strike, USD
---@param T number years to expiry
---@param sigma number volatility, fraction
---@param cp "C"|"P" call or put
---@param r? number rate, fraction a year (0)
---@return hedged.greeks.values? values nil on bad input
---@return string? message
---@return string? code "bad_input"
function greeks.all(F, K, T, sigma, cp, r) end

--- Volatility that gives this price: accurate to the last bits a double holds. 0 when there is no
--- time value.
---@param price number present value, USD
---@param F number forward, USD
---@param K number strike, USD
---@param T number years to expiry
---@param cp "C"|"P" call or put
---@param r? number rate, fraction a year (0)
---@return number? sigma fraction; nil when no volatility gives the price
---@return string? message
---@return string? code "below_intrinsic", "above_max" or "bad_input"
function greeks.implied_vol(price, F, K, T, cp, r) end

--- Bachelier's model (1900): the forward moves by amounts, so that `F` and `K` may be zero or
--- negative: spreads, rates. The same outputs as `greeks.all`, with `sigma` in price units per
--- sqrt(year) and vega per unit of that.
---
--- ```lua run
--- local greeks = require "hedged.greeks"
--- local g = greeks.bachelier(-12, 30, 0.25, 80, "C")
--- local sigma = greeks.bachelier_vol(g.price, -12, 30, 0.25, "C")
--- assert(math.abs(sigma - 80) < 1e-10)
--- ```
---@param F number forward, any sign
---@param K number strike, any sign
---@param T number years to expiry
---@param sigma number price units per sqrt(year)
---@param cp "C"|"P" call or put
---@param r? number rate, fraction a year (0)
---@return hedged.greeks.values? values nil on bad input
---@return string? message
---@return string? code "bad_input"
function greeks.bachelier(F, K, T, sigma, cp, r) end

--- The `sigma` of Bachelier's model that gives this price: as accurate as `greeks.implied_vol`.
--- There is no price too high.
---@param price number present value
---@param F number forward, any sign
---@param K number strike, any sign
---@param T number years to expiry
---@param cp "C"|"P" call or put
---@param r? number rate, fraction a year (0)
---@return number? sigma price units per sqrt(year); nil when none gives the price
---@return string? message
---@return string? code "below_intrinsic" or "bad_input"
function greeks.bachelier_vol(price, F, K, T, cp, r) end

--- A coin-settled (inverse) option, rate 0, with both deltas.
---
--- ```lua run
--- local greeks = require "hedged.greeks"
--- local g = greeks.inverse(60000, 66000, 30 / 365, 0.6, "C")
--- print(("costs %.4f coins; %.4f coins neutral in USD, %.4f neutral in coins")
---   :format(g.price, -g.delta, -g.delta_net))
--- ```
---@param F number forward, USD
---@param K number strike, USD
---@param T number years to expiry
---@param sigma number volatility, fraction
---@param cp "C"|"P" call or put
---@return hedged.greeks.inverse_values? values nil on bad input
---@return string? message
---@return string? code "bad_input"
function greeks.inverse(F, K, T, sigma, cp) end

--- Price of an American option on an asset with continuous carry, by the spectral collocation of
--- Andersen, Lake and Offengenden (2016): within 5e-7 of max(S, K).
---@param S number spot, USD
---@param K number strike, USD
---@param T number years to expiry
---@param sigma number volatility, fraction
---@param cp "C"|"P" call or put
---@param r number rate of money, fraction a year
---@param q number rate of the asset (dividend, funding), fraction a year
---@return number? price USD; nil on bad input, also where two exercise boundaries exist
---@return string? message
---@return string? code "bad_input"
function greeks.american(S, K, T, sigma, cp, r, q) end

--- A raw SVI slice: w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)).
---@class hedged.greeks.svi_params
---@field a number level of total variance
---@field b number slope of the wings, at least 0
---@field rho number skew, -1 to 1
---@field m number place of the turn in log-moneyness
---@field sigma number how round the turn is, above 0

--- Total variance sigma^2 T of an SVI slice at log-moneyness k = ln(K / F).
---@param k number
---@param params hedged.greeks.svi_params
---@return number? variance nil when the parameters give no variance
---@return string? message
---@return string? code "bad_input"
function greeks.svi(k, params) end

--- Durrleman's g(k) of an SVI slice: negative where the smile allows butterfly arbitrage
--- (Gatheral and Jacquier 2014, section 2.1).
---@param k number
---@param params hedged.greeks.svi_params
---@return number? g nil also where the variance is 0: there is no density
---@return string? message
---@return string? code "bad_input"
function greeks.svi_g(k, params) end

--- Numbers in one block of memory, for batches: `a[1]` to `a[#a]`.
---@class hedged.greeks.array

--- An array of n zeros, or of the numbers of a list.
--- Reading or writing beyond its ends is an error; `ipairs` goes over it.
---@param what integer|number[]
---@return hedged.greeks.array array
function greeks.array(what) end

--- Fields of `greeks.batch`: arrays of equal length.
---@class hedged.greeks.batch_args
---@field F hedged.greeks.array forwards, USD
---@field K hedged.greeks.array strikes, USD
---@field T hedged.greeks.array years
---@field sigma hedged.greeks.array volatilities, fraction
---@field cp hedged.greeks.array +1 call, -1 put
---@field out table arrays to fill: { price =, delta =, ... }, any Greek of `greeks.all` but rho

--- Prices and Greeks of many options at once, rate 0, without garbage.
---
--- ```lua run
--- local greeks = require "hedged.greeks"
--- local delta = greeks.array(2)
--- local bad = greeks.batch {
---   F = greeks.array { 88000, 88000 }, K = greeks.array { 80000, 96000 },
---   T = greeks.array { 0.08, 0.08 }, sigma = greeks.array { 0.4, 0.36 },
---   cp = greeks.array { -1, 1 }, out = { delta = delta },
--- }
--- assert(bad == 0 and delta[1] < 0 and delta[2] > 0)
--- ```
---@param args hedged.greeks.batch_args
---@return integer bad options with bad input; their results are 0
function greeks.batch(args) end

return greeks
