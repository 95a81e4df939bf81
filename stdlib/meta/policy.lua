---@meta hedged.policy
error("a stub for editors and docs: require hedged.policy itself")

--- Hedging policies: pure functions from exposure and market to the wanted trade. They keep no
--- state and send nothing; `stdlib/hedged/policy.lua` is plain Lua and holds formulas and sources.
---
--- Each takes one table and returns the signed delta to trade in coins (positive = buy), 0 when
--- there is nothing to do. Units are those of `hedged.exposure`: delta in coins, gamma in coins per
--- USD, vanna in coins per vol point; `spot` in USD, `sigma` a fraction a year, `tau` in years,
--- `cost` the one-way cost of trading as a fraction of the value (fee and half spread),
--- `risk_aversion` per USD and for the whole account.
---
--- Misuse (a missing field, NaN, lo above hi) raises with the caller's line.
---
--- ```lua run
--- local policy = require "hedged.policy"
--- assert(policy.band { delta = 1.25, lo = -0.5, hi = 0.5 } == -0.75)
--- ```
---@class hedged.policy
local policy = {}

--- A no-trade zone, edges in coins of total delta.
---@class hedged.policy.zone
---@field lo number lower edge
---@field hi number upper edge
---@field centre number middle
---@field half number half width
---@field sigma? number Zakamouline, Leland: volatility at which delta is taken
---@field h0? number Zakamouline: the part of half that does not depend on gamma
---@field h1? number Zakamouline: the part that does
---@field k? number Zakamouline: the correction K of the variance
---@field a? number Leland: the number A

--- Fields of `policy.band`.
---@class hedged.policy.band_args
---@field delta number coins held now, pending orders included
---@field target? number wanted delta (0)
---@field lo number tolerated distance below the target, usually negative
---@field hi number tolerated distance above the target
---@field to? string|number end of a trade: "edge" (default), "target", or 0 .. 1 between
---@field min? number smaller trades are left out (0)

--- Fields of `policy.clock`.
---@class hedged.policy.clock_args
---@field delta number coins held now, pending orders included
---@field target? number wanted delta (0)
---@field now number seconds: hedged.now()
---@field last? number time of the last rebalance; nil: never
---@field period number seconds between two rebalances
---@field min? number smaller trades are left out (0)

--- Fields of `policy.ratio`.
---@class hedged.policy.ratio_args
---@field delta number coins held now, pending orders included
---@field hedge number coins of delta that are the hedge
---@field ratio? number share of the rest to hedge: 0 nothing, 1 all (1)
---@field target? number wanted delta (0)
---@field lo? number tolerated distance below the target, usually negative (0)
---@field hi? number tolerated distance above the target (0)
---@field to? string|number end of a trade: "edge" (default), "target", or 0 .. 1 between
---@field min? number smaller trades are left out (0)

--- Fields of `policy.stop_loss`.
---@class hedged.policy.stop_loss_args
---@field spot number USD per coin
---@field strike number USD per coin
---@field cp "C"|"P" call or put
---@field size number coins of the option held, signed
---@field held number coins of the hedge held, signed

--- Fields of `policy.whalley_wilmott_zone`.
---@class hedged.policy.whalley_wilmott_zone_args
---@field gamma number coins per USD, signed
---@field spot number USD per coin
---@field cost number one-way cost of trading, fraction of the value
---@field risk_aversion number per USD, of the whole account
---@field target? number wanted delta (0)
---@field rate? number fraction a year (0)
---@field tau? number years to expiry; matters only with a rate (0)
---@field cap? number largest half width, in coins (none)

--- Fields of `policy.whalley_wilmott`: those of the zone and
---@class hedged.policy.whalley_wilmott_args: hedged.policy.whalley_wilmott_zone_args
---@field delta number coins held now, pending orders included
---@field to? string|number end of a trade: "edge" (default), "target", or 0 .. 1 between
---@field min? number smaller trades are left out (0)

--- Fields of `policy.zakamouline_zone`.
---@class hedged.policy.zakamouline_zone_args
---@field gamma number coins per USD, signed
---@field spot number USD per coin
---@field sigma number volatility, fraction a year
---@field tau number years to expiry
---@field cost number one-way cost of trading, fraction of the value
---@field risk_aversion number per USD, of the whole account
---@field target? number wanted delta (0)
---@field rate? number fraction a year (0)
---@field vanna? number coins per vol point (0)
---@field delta_at? fun(vol: number): number delta of the options at another volatility, coins
---@field cap? number largest half width, in coins (none)

--- Fields of `policy.zakamouline`: those of the zone and
---@class hedged.policy.zakamouline_args: hedged.policy.zakamouline_zone_args
---@field delta number coins held now, pending orders included
---@field to? string|number end of a trade: "edge" (default), "target", or 0 .. 1 between
---@field min? number smaller trades are left out (0)

--- Fields of `policy.leland_sigma`.
---@class hedged.policy.leland_sigma_args
---@field sigma number volatility, fraction a year
---@field cost number one-way cost of trading, fraction of the value
---@field dt number years between two rebalances
---@field gamma number coins per USD, signed

--- Fields of `policy.leland`: those of the volatility and
---@class hedged.policy.leland_args: hedged.policy.leland_sigma_args
---@field delta number coins held now, pending orders included
---@field now number seconds: hedged.now()
---@field last? number time of the last rebalance; nil: never
---@field target? number wanted delta (0)
---@field vanna? number coins per vol point (0)
---@field delta_at? fun(vol: number): number delta of the options at another volatility, coins
---@field min? number smaller trades are left out (0)

--- Fixed band around a target: 0 inside, else the trade to the nearest edge.
---
--- ```lua run
--- local policy = require "hedged.policy"
--- local size = policy.band { delta = -2, target = 1, lo = -0.5, hi = 0.5, to = "target" }
--- assert(size == 3)
--- ```
---@param args hedged.policy.band_args
---@return number delta coins to trade
function policy.band(args) end

--- To the target every `period` seconds. `last` is the time of the last rebalance, nil = never.
---@param args hedged.policy.clock_args
---@return number delta coins to trade
---@return number due time at which it is due next
function policy.clock(args) end

--- Holds the hedge at -ratio times the delta of everything else; `lo`, `hi`, `to` and `min` as in
--- `policy.band`, around the delta that the ratio leaves.
---@param args hedged.policy.ratio_args
---@return number delta coins to trade
function policy.ratio(args) end

--- Hull's stop-loss strategy: covered while an option is in the money, naked while it is not. To
--- compare with; it does not improve with more frequent checks.
---@param args hedged.policy.stop_loss_args
---@return number delta coins to trade
function policy.stop_loss(args) end

--- Band of Whalley and Wilmott (1997): half width (3/2 e^(-r tau) k S G^2 / gamma)^(1/3), trade to
--- the nearest edge. `tau` matters only with a `rate`; `cap` bounds the half width in coins.
---
--- ```lua run
--- local policy = require "hedged.policy"
--- local size, zone = policy.whalley_wilmott {
---   delta = 1.1, gamma = -2e-4, spot = 88000, cost = 0.0005, risk_aversion = 1e-5 }
--- print(("trade %+.2f, band %.2f .. %.2f"):format(size, zone.lo, zone.hi))
--- ```
---@param args hedged.policy.whalley_wilmott_args
---@return number delta coins to trade
---@return hedged.policy.zone zone
function policy.whalley_wilmott(args) end

--- The zone alone; takes the same fields, without `delta`.
---@param args hedged.policy.whalley_wilmott_zone_args
---@return hedged.policy.zone zone
function policy.whalley_wilmott_zone(args) end

--- Band of Zakamouline (2006), fitted to the exact optimum; the best of these where costs are not
--- small. The options' delta is taken at a modified volatility: exactly by `delta_at(vol)`, else
--- to first order by `vanna`, else not at all. `cap` (coins of notional) keeps the band sensible in
--- the last hours.
---@param args hedged.policy.zakamouline_args
---@return number delta coins to trade
---@return hedged.policy.zone zone
function policy.zakamouline(args) end

--- The zone alone; takes the same fields, without `delta`.
---@param args hedged.policy.zakamouline_zone_args
---@return hedged.policy.zone zone
function policy.zakamouline_zone(args) end

--- Leland (1985): every `dt` years to the delta at the modified volatility. `now` and `last` in
--- seconds as in `policy.clock`.
---@param args hedged.policy.leland_args
---@return number? delta coins to trade; nil where the volatility is undefined
---@return hedged.policy.zone|string zone or message
---@return string? code "undefined"
function policy.leland(args) end

--- Leland's volatility alone. Undefined for long gamma when trading this often costs more than
--- gamma earns.
---@param args hedged.policy.leland_sigma_args
---@return number? sigma fraction
---@return number|string a the number A, or the message
---@return string? code "undefined"
function policy.leland_sigma(args) end

return policy
