---@meta hedged.stats
error("a stub for editors and docs: require hedged.stats itself")

--- Statistics of prices: weighted averages, realised volatility, bars, rolling regression. Plain
--- Lua (`stdlib/hedged/stats.lua`), no clock: times are given, in seconds. Volatility is a fraction
--- per year of 365 days.
---
--- Too few values answer `nil, message, "too_few"`; misuse (NaN, a price not above zero) raises.
---
--- ```lua run
--- local stats = require "hedged.stats"
--- local vol = stats.vol_close({ 100, 102, 101, 104 }, 365)
--- print(("%.0f %%"):format(100 * vol))
--- ```
---@class hedged.stats
---@field YEAR number seconds in a year of 365 days
local stats = {}

--- One bar of prices.
---@class hedged.stats.bar
---@field time? number start, seconds
---@field open number
---@field high number
---@field low number
---@field close number

--- Exponentially weighted mean and variance.
---@class hedged.stats.ewma
---@field mean? number nil before the first value
---@field variance number of the weighted values (0 before the second)
---@field count integer values seen
local ewma = {}

--- Adds a value; with a time the weights fade by seconds, without by values.
---@param value number
---@param time? number seconds
---@return number mean
function ewma:add(value, time) end

--- Square root of the variance.
---@return number std
function ewma:std() end

--- Realised volatility of irregular ticks.
---@class hedged.stats.tick_vol
---@field vol? number fraction per year; nil before the second tick
---@field ready boolean true once a half-life has passed
local tick_vol = {}

--- Adds a price; ticks closer than `spacing` are left out.
---@param price number above zero
---@param time number seconds
---@return number? vol
function tick_vol:add(price, time) end

--- Complete bars, oldest first, as a list: `bars[#bars]` is the last one.
---@class hedged.stats.bars
---@field current? hedged.stats.bar the bar being built
local bars = {}

--- Adds a tick.
---@param price number above zero
---@param time number seconds
---@return hedged.stats.bar? done the bar that this tick completed
function bars:add(price, time) end

--- Least squares of y on x over a rolling window.
---@class hedged.stats.regression
---@field slope? number
---@field intercept? number
---@field r2? number share of the variance explained
---@field ready boolean at least three pairs, and x not constant
local regression = {}

--- Adds a pair and forgets the oldest beyond the window.
---@param x number
---@param y number
---@return number? slope nil until ready
---@return number? intercept
function regression:add(x, y) end

--- The line at x.
---@param x number
---@return number? y nil until ready
---@return string? message
---@return string? code "too_few"
function regression:predict(x) end

--- A weighted mean whose weights halve every `halflife` values, or seconds when times are given.
---@param args { halflife: number }
---@return hedged.stats.ewma
function stats.ewma(args) end

--- Weighted realised volatility of ticks; `spacing` (1 s) leaves out bid-ask bounce.
---@param args { halflife: number, spacing?: number }
---@return hedged.stats.tick_vol
function stats.tick_vol(args) end

--- Builds bars of `period` seconds, aligned to multiples of it; keeps the last `keep` (100).
---@param args { period: number, keep?: integer }
---@return hedged.stats.bars
function stats.bars(args) end

--- Regression over the last `window` pairs (more than 2).
---@param args { window: integer }
---@return hedged.stats.regression
function stats.regression(args) end

--- Volatility of closing prices. `zero_mean` does not take out the mean return: better for short
--- samples.
---@param prices number[]
---@param per_year number prices in a year: 365 for daily ones
---@param zero_mean? boolean
---@return number? vol fraction per year
---@return string? message
---@return string? code "too_few"
function stats.vol_close(prices, per_year, zero_mean) end

--- Parkinson (1980): from high and low; no drift, no gaps.
---@param list hedged.stats.bar[]
---@param per_year number bars in a year
---@return number? vol fraction per year
---@return string? message
---@return string? code "too_few"
function stats.vol_parkinson(list, per_year) end

--- Garman and Klass (1980): from all four prices; no drift, no gaps.
---@param list hedged.stats.bar[]
---@param per_year number bars in a year
---@return number? vol fraction per year
---@return string? message
---@return string? code "too_few"
function stats.vol_garman_klass(list, per_year) end

--- Yang and Zhang (2000): allows drift and gaps; needs three bars.
---@param list hedged.stats.bar[]
---@param per_year number bars in a year
---@return number? vol fraction per year
---@return string? message
---@return string? code "too_few"
function stats.vol_yang_zhang(list, per_year) end

--- Weight that a value keeps at an age, with a half-life.
---@param age number
---@param halflife number
---@return number weight 1 at age 0, 0.5 after one half-life
function stats.decay(age, halflife) end

return stats
