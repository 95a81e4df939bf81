---@meta hedged.market
error("a stub for editors and docs: require hedged.market inside hedged")

--- Instruments and their prices. Everything is the state at the moment of the question.
---
--- ```lua strategy
--- local hedged = require "hedged"
--- local market = require "hedged.market"
---
--- local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
---
--- function S:on_start()
---   hedged.every(60, function()
---     local perpetual = market.get(self.hedge_with)
---     local quote, message = perpetual:quote()
---     if not quote then
---       hedged.log(message)
---     elseif quote.mid then
---       hedged.log("mid %g, 10 coins cost %g USD", quote.mid,
---         perpetual:cost { side = "buy", size = 880000 } or 0)
---     end
---   end)
--- end
---
--- return S
--- ```
---@class hedged.market
local market = {}

--- Anything tradable. Its terms are fields, its prices methods. There is one object per instrument,
--- so they can be compared with `==`.
---@class hedged.market.instrument
---@field name string
---@field kind "option"|"perpetual"|"future"|"spot"
---@field underlying string "BTC"
---@field expiry? number seconds since the epoch (08:00 UTC)
---@field strike? number options: USD per coin
---@field type? "C"|"P" options
---@field inverse boolean settled in the coin
---@field tick number smallest price step
---@field lot number smallest size step, amount unit
---@field multiplier number coins (USD for inverse futures) of one unit of size: 1
---@field quote_currency string unit of its price
---@field settle_currency string currency of cash flows and fees
local instrument = {}

--- The best bid and ask; a side that is empty is nil.
---@class hedged.market.quote
---@field bid? number
---@field ask? number
---@field bid_size? number
---@field ask_size? number
---@field mid? number when both sides are there
---@field spread? number
---@field time number seconds

--- One price level.
---@class hedged.market.level
---@field price number
---@field size number

--- The order book, best price first.
---@class hedged.market.depth
---@field bids hedged.market.level[]
---@field asks hedged.market.level[]
---@field time number seconds

--- An instrument by name.
---@param name string|hedged.market.instrument
---@return hedged.market.instrument? instrument
---@return string? message with the nearest name
---@return string? code "instrument"
function market.get(name) end

--- Fields of `market.find`; what is left out does not matter.
---@class hedged.market.find_args
---@field underlying? string
---@field kind? "option"|"perpetual"|"future"|"spot"
---@field type? "C"|"P"
---@field expiry? string|number "27FEB26", or seconds since the epoch
---@field strike? number USD
---@field delta? number options of this sign, those with the nearest delta first

--- Instruments by what they are, in order of expiry and strike, or by distance to a delta.
---@param args hedged.market.find_args
---@return hedged.market.instrument[] list
function market.find(args) end

--- Hear ticks of instruments whose name matches (`*` and `?`). The first call replaces the default
--- (hedge instruments, held instruments, index).
---@param pattern string "BTC-*"
function market.subscribe(pattern) end

--- Fields of the second argument of `market.surface`.
---@class hedged.market.surface_args
---@field model? "ssvi"|"svi"|"sabr" as in `surface.fit` ("ssvi")

--- The live volatility surface of an underlying, with the methods of `hedged.surface`.
---
--- It is fitted when you ask, to the options as they stood when the last whole 10 seconds of event
--- time began, so asking on every tick costs one fit in 10 s (some 2 ms for 20 expiries, less from
--- a start of the last 10 minutes). Where the newest option price was older than a minute by then,
--- it is fitted to the options of now: a sparse feed shows at once. The answer follows from the
--- events alone, never from who asked before.
---
--- Quotes with two sides are fitted; where there is none the venue's mark, weighing little; else a
--- side alone as a bound. Prices 10 minutes older than the newest are left out, near an expiry
--- sooner.
---
--- `age` and `quality` tell whether to rely on it: "stale" when its newest price is older than 10
--- minutes, "partial" when some expiry with prices could not be fitted. `dynamics` is what has been
--- learnt of how the smile moves: `ssr` with `ssr_error` and `ssr_gain` (share of the variance of
--- at-the-money vol explained), `calls` and `puts` { a, b, c, gain, weight }, `samples`, `time`.
---
--- ```lua strategy
--- local hedged = require "hedged"
--- local market = require "hedged.market"
---
--- local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
---
--- function S:on_start()
---   hedged.every(60, function()
---     local live, message = market.surface("BTC")
---     if not live then return hedged.log(message) end
---     for _, quote in ipairs(live:rich()) do
---       if quote.sell_edge and quote.sell_edge > 0 then
---         hedged.log("%s is rich: %+.1f vol points", quote.name, 100 * (quote.vol or 0))
---       end
---     end
---   end)
--- end
---
--- return S
--- ```
---@param underlying? string that of the strategy when left out
---@param options? hedged.market.surface_args
---@return hedged.surface.surface? surface
---@return string? message
---@return string? code "no_surface"
function market.surface(underlying, options) end

--- Best bid and ask.
---@return hedged.market.quote? quote
---@return string? message
---@return string? code "no_quote"
function instrument:quote() end

--- The venue's mark price, else what the market values it at.
---@return number? mark quote unit
---@return string? message
---@return string? code "no_price"
function instrument:mark() end

--- Index of its underlying.
---@return number? index USD per coin
---@return string? message
---@return string? code "no_price"
function instrument:index() end

--- Current funding rate of a perpetual.
---@return number? rate fraction per 8 hours; longs pay when positive
---@return string? message
---@return string? code "no_funding"
function instrument:funding() end

--- Volatility of an option, and where it comes from.
---@return number? iv fraction
---@return string? source "mark", "implied" or "neighbour"; the message on failure
---@return string? code "no_iv"
function instrument:iv() end

--- The order book; only the touch where the feed has no depth.
---@param levels? integer 1 to 1000 (10)
---@return hedged.market.depth? depth
---@return string? message
---@return string? code "no_quote"
function instrument:depth(levels) end

--- Seconds since its last quote or mark.
---@return number? age
---@return string? message
---@return string? code "no_quote"
function instrument:age() end

--- Fields of `instrument:cost`.
---@class hedged.market.cost_args
---@field side? "buy"|"sell" "buy"
---@field size number amount unit
---@field horizon? number seconds it will be held; 0: no carry, no margin cost (0)
---@field rate? number cost of money, fraction a year (0)
---@field funding? number rate per 8 hours to start from (the market's, else the premium's)
---@field funding_mean? number where it returns to (0.0001)
---@field realised_vol? number fraction; an option's carry when vol is that (as implied)
---@field round_trip? boolean with spread, depth and fee of the way back (false)

--- What a cost is made of, in USD; what is below zero earns.
---@class hedged.market.cost_parts
---@field spread number from the mid to the touch
---@field depth number from the touch to the average of walking the book
---@field fee number the taker's
---@field carry number funding of a perpetual, basis of a future, money tied up, over the horizon
---@field margin number of the initial margin it adds, at `rate` over the horizon
---@field total number the sum
---@field bps number the sum in hundredths of a per cent of `notional`
---@field notional number USD
---@field initial number initial margin it adds
---@field price number average, quote unit
---@field mid number quote unit
---@field visible number of `size`, what the displayed book holds (round trip: its thinner side)
---@field fits boolean that is all of it; else depth, fee and total are only a floor

--- What trading a size at once and holding it would cost: spread, depth, taker fee, expected carry
--- and margin. Without a horizon the first three. What the book does not show is unknown: it is
--- counted at the last level shown, never better, and `fits` is false. Formulas and sources:
--- docs/margin.md.
---@param args hedged.market.cost_args
---@return number? usd
---@return hedged.market.cost_parts|string parts or message
---@return string? code "bad_size" or "no_quote"
function instrument:cost(args) end

return market
