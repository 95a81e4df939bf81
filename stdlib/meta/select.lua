---@meta hedged.select
error("a stub for editors and docs: require hedged.select itself")

--- Which instrument is the cheapest to hedge with. There is one formula, that of `instrument:cost`
--- (docs/margin.md): USD for spread, depth, fee, carry and margin over a horizon in seconds.
--- `compare` and `best` ask it of all instruments of a session, of any kind and venue; `rank` has
--- its spread, fee and carry for tables of numbers without a session.
---
--- ```lua run
--- local select = require "hedged.select"
--- local ranked = select.rank {
---   delta = -2, spot = 88000, horizon = 86400, now = 0,
---   instruments = {
---     { name = "BTC-PERPETUAL", kind = "perpetual", bid = 87999, ask = 88001, fee = 0.0005,
---       funding = 0.0001 },
---     { name = "BTC-27MAR26", kind = "future", bid = 88400, ask = 88420, fee = 0.0005,
---       expiry = 60 * 86400 },
---   },
--- }
--- print(ranked[1].name, ranked[1].bp)
--- ```
---@class hedged.select
local select = {}

--- An instrument to be ranked. Prices in USD per coin.
---@class hedged.select.candidate
---@field name string
---@field kind "perpetual"|"future"|"spot"
---@field bid number
---@field ask number
---@field bid_size? number coins; leave both out when depth is not known
---@field ask_size? number coins
---@field fee? number taker fee as a fraction of the value (0)
---@field funding? number perpetuals: rate per 8 hours, longs pay when positive (0)
---@field expiry? number futures: seconds since the epoch
---@field age? number seconds since the quote; older than `max_age` is not used

--- A ranked instrument. The money fields are absent where `problem` is set, but of those too thin:
--- there they are the least it can cost.
---@class hedged.select.row
---@field name string
---@field cost? number USD in all; negative: it earns
---@field half_spread? number USD
---@field fee? number USD
---@field carry? number USD over the horizon
---@field bp? number cost in basis points of the hedge's value
---@field fits boolean the displayed size is enough; else that is its problem
---@field problem? string why it cannot be used

--- Fields of `select.rank`.
---@class hedged.select.rank_args
---@field delta number coins to hedge with, signed: positive buys
---@field spot number USD per coin
---@field horizon number seconds the hedge will be held
---@field now? number seconds since the epoch; needed for futures (0)
---@field instruments hedged.select.candidate[]
---@field round_trip? boolean spread and fee are paid twice (true)
---@field rate? number cost of money for spot, fraction a year (0)
---@field max_age? number seconds; older quotes are not used (none)
---@field funding_mean? number per 8 h: where funding returns to over the horizon (0.0001)

--- Ranks instruments, the cheapest first; those too thin for the size come after those that fit
--- (what lies beyond the book is unknown: a problem), the other unusable ones last. Misuse raises
--- with the caller's line.
---@param args hedged.select.rank_args
---@return hedged.select.row[] ranked
function select.rank(args) end

--- What the session's market has of an underlying to hedge with: perpetuals, futures and spot that
--- are quoted on both sides. With a size, bid and ask are what walking the depth would give.
---@param underlying string
---@param delta? number coins to trade, signed
---@return hedged.select.candidate[] candidates
function select.candidates(underlying, delta) end

--- Fields of `select.best`.
---@class hedged.select.best_args
---@field underlying string
---@field delta number coins to hedge with, signed: positive buys
---@field horizon number seconds the hedge will be held
---@field round_trip? boolean spread and fee are paid twice (true)
---@field rate? number cost of money and of margin, fraction a year (0)
---@field max_age? number seconds; older quotes are not used (none)
---@field kinds? string[] only these ({ "perpetual", "future", "spot" })
---@field realised_vol? number for the carry of options (as implied)
---@field funding_mean? number per 8 h: where funding returns to over the horizon (0.0001)

--- The cheapest instrument of the session's market, and the whole ranking: rows of `compare` with
--- the names of `rank` as well (`cost` = total, `half_spread` = spread and depth, `bp`). When no
--- book shows enough for the delta it is nil and says so: ask for less, or take the rows of
--- `compare` and their `visible`. Inside a session only.
---
--- ```lua strategy
--- local hedged = require "hedged"
--- local select = require "hedged.select"
---
--- local S = hedged.strategy { api = 1, underlying = "BTC" }
---
--- function S:on_start()
---   hedged.every(3600, function()
---     local best, message = select.best { underlying = "BTC", delta = -2, horizon = 86400 }
---     hedged.log(best and ("%s, %.1f bp"):format(best.name, best.bp) or message)
---   end)
--- end
---
--- return S
--- ```
---@param args hedged.select.best_args
---@return hedged.select.row? best
---@return hedged.select.row[]|string ranked or message
---@return string? code "no_price", "thin" (the books show too little) or "none"
function select.best(args) end

--- A hedge of any kind, costed. Of `instrument:cost` it holds all parts too.
---@class hedged.select.costed
---@field name string
---@field kind? "perpetual"|"future"|"spot"|"option"
---@field side? "buy"|"sell"
---@field size? number amount unit, whole lots
---@field delta? number coins that size makes
---@field total? number USD: spread, depth, fee, carry and margin
---@field per_coin? number USD per coin of delta: what the ranking goes by
---@field visible? number of `size`, what the displayed book holds
---@field fits? boolean the displayed book holds the size; else that is its problem
---@field problem? string why it cannot be used

--- Ranks costed hedges of any kind and venue by USD per coin of delta; those too thin after those
--- that fit, with that as their problem and a floor as their cost; the other unusable ones last. A
--- pure function.
---@param rows hedged.select.costed[]
---@return hedged.select.costed[] ranked
function select.rank_costs(rows) end

--- Fields of `select.compare`.
---@class hedged.select.compare_args
---@field underlying string
---@field delta number coins to trade, signed
---@field horizon number seconds it will be held
---@field rate? number cost of money and of margin, fraction a year (0)
---@field kinds? string[] only these
---@field round_trip? boolean with spread, depth and fee of the way back (true)
---@field realised_vol? number for the carry of options (as implied)
---@field funding_mean? number per 8 h: where funding returns to over the horizon (0.0001)
---@field max_age? number seconds; older quotes are not used (none)
---@field min_delta? number options with less delta a coin are left out (0.05)

--- Every instrument of the session's market that could make a delta, options too, the cheapest
--- first by `instrument:cost`. Inside a session only; it costs two revaluations an instrument.
---@param args hedged.select.compare_args
---@return hedged.select.costed[] ranked
function select.compare(args) end

return select
