---@meta hedged.portfolio
error("a stub for editors and docs: require hedged.portfolio inside hedged")

--- Positions and money. Tables are copies: changing them changes nothing.
---
--- ```lua strategy
--- local hedged = require "hedged"
--- local portfolio = require "hedged.portfolio"
---
--- local S = hedged.strategy { api = 1, underlying = "BTC" }
---
--- function S:on_stop()
---   for _, p in ipairs(portfolio.positions()) do
---     hedged.log("%s %g, delta %+.3f", p.instrument, p.size, p.delta)
---   end
---   hedged.log("P&L %+.2f USD", portfolio.pnl().hedged)
--- end
---
--- return S
--- ```
---@class hedged.portfolio
local portfolio = {}

--- What is held in one instrument. Money is in its settlement currency.
---@class hedged.portfolio.position
---@field instrument string
---@field underlying string
---@field kind "option"|"perpetual"|"future"|"spot"
---@field currency string settlement currency
---@field size number signed, amount unit
---@field entry? number average price of the open size
---@field mark? number price it is valued at
---@field delta number coins, of what is held
---@field realised number profit of what was closed, fees not included
---@field fees number paid
---@field funding number received minus paid
---@field pending_buy number size of open orders
---@field pending_sell number size of open orders

--- Money of the session, in USD at the spot of now.
---@class hedged.portfolio.pnl
---@field hedged number change of equity since the book was first marked
---@field unhedged number of the opening book and the cash deposited, had nobody touched them
---@field equity number
---@field realised number
---@field unrealised number
---@field fees number
---@field funding number received minus paid
---@field known boolean every position has had a price

--- Positions that are held or have open orders.
---@param only? string an underlying or an instrument
---@return hedged.portfolio.position[] list
function portfolio.positions(only) end

--- Size held in an instrument, 0 when none.
---@param instrument string|hedged.market.instrument
---@return number? size signed, amount unit
---@return string? message
---@return string? code "instrument"
function portfolio.position(instrument) end

--- Profit and loss of the session.
---@return hedged.portfolio.pnl pnl
function portfolio.pnl() end

--- Balance of a currency.
---@param currency string "BTC"
---@return number? amount
---@return string? message
---@return string? code "not_found"
function portfolio.cash(currency) end

--- Where a P&L came from. The parts and `rest` add up to `pnl`; costs are negative. All in USD.
--- The definitions, with formulas, are in docs/pnl.md.
---@class hedged.portfolio.explanation
---@field pnl number of everything it is about; for the whole session that of `pnl().hedged`
---@field delta number moves of the spot
---@field gamma number
---@field theta number
---@field vega number moves of the vol of each option
---@field vanna number
---@field volga number
---@field cash number coins held as money (`exposure.delta_cash`), moved by the spot
---@field basis number forwards and futures against the spot, marks against mids
---@field funding number received minus paid
---@field fees number of trading and delivery
---@field spread number price of each fill against the mid of its moment
---@field slippage number that mid against the mid when the order was sent
---@field rest number what the parts do not explain
---@field coin? string currency of `coins`
---@field coins? number the P&L of what is settled in `coin`, in coins
---@field coin_parts? table<string, number> `coins` by the same parts and rest, in coins
---@field seconds? number how far back `since = SECONDS` was answered: to the last checkpoint then
---@field drift hedged.portfolio.drift

--- What moved the delta, in coins: `from + spot + time + vol + trades + rest == to`.
---@class hedged.portfolio.drift
---@field from number when it was first priced
---@field spot number gamma
---@field time number charm and delivery
---@field vol number vanna
---@field trades number
---@field rest number
---@field to number now

---@class hedged.portfolio.explain_options
---@field by? "session"|"strategy"|"underlying"|"instrument" one explanation, or one per name
---@field underlying? string only this one
---@field since? number|table only what came after: so many seconds ago, or what `explain` said
--- earlier, by the same

--- Explains the P&L of the session so far, or that of its share for a strategy with a share. By
--- strategy, `book` is the opening book and `liquidation` what the venue closed itself. Every
--- grouping adds up to the session with `account`, money without an instrument.
---
--- `since = 3600` asks for the last hour: exactly what came after the last checkpoint at or before
--- that moment. There is one every ten seconds of event time, and of what is too old for those one
--- a minute; with 20 positions they reach back two hours and a day, with more of them less.
---
--- ```lua strategy
--- local hedged = require "hedged"
--- local portfolio = require "hedged.portfolio"
---
--- local S = hedged.strategy { api = 1, underlying = "BTC" }
---
--- function S:on_tick()
---   local x = portfolio.explain { since = self.last }
---   if not self.last or math.abs(x.pnl) > 100 then
---     self.last = portfolio.explain()
---     hedged.log("P&L %+.0f = delta %+.0f, gamma %+.0f, theta %+.0f, vega %+.0f, rest %+.0f USD",
---       x.pnl, x.delta, x.gamma, x.theta, x.vega, x.rest)
---   end
--- end
---
--- return S
--- ```
---@param options? hedged.portfolio.explain_options
---@return hedged.portfolio.explanation|table<string, hedged.portfolio.explanation>|nil x nil: no
--- checkpoint is that old
---@return string? message names the earliest one
---@return string? code `not_found`
function portfolio.explain(options) end

--- Money and margin of the whole session, in USD.
---@class hedged.portfolio.margin_total
---@field model "none"|"standard"|"portfolio"
---@field known boolean every price it stands on has been seen
---@field equity number
---@field margin_balance number what covers margin: standard margin does not count options
---@field initial number open orders included
---@field maintenance number
---@field available number for new positions
---@field notional number sum of absolute positions
---@field leverage number absolute delta per equity
---@field notional_leverage number notional per equity
---@field use number largest maintenance / margin balance of an account; 1 is liquidation

--- One settlement currency, in its own unit.
---@class hedged.portfolio.margin_account
---@field known boolean
---@field balance number
---@field upl number unrealised profit of futures, and funding not yet booked
---@field options_value number
---@field equity number
---@field margin_balance number
---@field initial number
---@field maintenance number
---@field available number

--- Where an underlying's spot would liquidate an account, all else as it is.
---@class hedged.portfolio.liquidation
---@field spot number USD
---@field below? number USD; absent: nowhere above a tenth of the spot
---@field above? number USD; absent: nowhere below ten times the spot
---@field distance? number to the nearer one, fraction of the spot

---@class hedged.portfolio.margin: hedged.portfolio.margin_total
---@field accounts table<string, hedged.portfolio.margin_account> by currency
---@field liquidation? table<string, hedged.portfolio.liquidation> by underlying the account holds,
--- those of other shares too: the account is one
---@field nearest? string underlying that is nearest to liquidation; absent: none is
---@field distance? number how far that is, fraction of its spot

--- Fields of `portfolio.margin`.
---@class hedged.portfolio.margin_args
---@field liquidation? boolean search for liquidation prices: some 100 revaluations (true)

--- Margin as the venue reckons it (`--margin standard|portfolio`). Formulas: docs/margin.md.
---@param args? hedged.portfolio.margin_args
---@return hedged.portfolio.margin margin
function portfolio.margin(args) end

--- An order that is only thought of.
---@class hedged.portfolio.idea
---@field instrument string|hedged.market.instrument
---@field side? "buy"|"sell" "buy"
---@field size number amount unit
---@field price? number quote unit, limit; without it the book is taken
---@field post_only? boolean rest at `price`, never take (false)

--- What an order of `what_if` would get. `fee` is to the last unit what the venue books for it.
---@class hedged.portfolio.idea_fill
---@field price number average, quote unit
---@field fee number of all its fills: maker or taker each, an option's with its cap
---@field fee_currency string
---@field maker number amount that rests at its price
---@field taker number amount that takes
---@field fits boolean the displayed book holds what it takes; else the last level stretches

---@class hedged.portfolio.what_if_args
---@field orders hedged.portfolio.idea[] at most 256

--- Greeks of one underlying, units as in `hedged.exposure`.
---@class hedged.portfolio.greeks
---@field delta number
---@field gamma number
---@field vega number
---@field theta number

---@class hedged.portfolio.greeks_change
---@field before hedged.portfolio.greeks
---@field after hedged.portfolio.greeks

---@class hedged.portfolio.what_if
---@field before hedged.portfolio.margin_total
---@field after hedged.portfolio.margin_total
---@field exposure table<string, hedged.portfolio.greeks_change> by underlying of the orders
---@field orders hedged.portfolio.idea_fill[] in the order they were given
---@field cost number USD against the mid, fees included

--- Margin and exposure before and after trades that have not happened, each filled in full as the
--- paper venue books it with `--fill depth` or `queue`: level by level of the book at the taker's
--- fee up to its limit price; what is left rests there and is filled with the maker's. Orders take
--- depth from those before them; what earlier orders of the session took and the feed has not
--- refreshed yet is not known here. Nothing is sent and nothing changes.
---@param args hedged.portfolio.what_if_args
---@return hedged.portfolio.what_if? change
---@return string? message
---@return string? code instrument, bad_size, off_tick, post_only, limit, no_quote or no_price
function portfolio.what_if(args) end

--- Fields of `portfolio.scenario`.
---@class hedged.portfolio.scenario_args
---@field underlying? string the strategy's
---@field spot? number|number[] relative moves: -0.2 is a fall by 20 % (0)
---@field vol? number|number[] added to every vol: 0.05 is five points (0)
---@field days? number forward (0)

--- One cell: the move, the profit against now, and the Greeks left.
---@class hedged.portfolio.outcome
---@field spot number
---@field vol number
---@field pnl number USD
---@field delta number coins
---@field gamma number coins per USD
---@field vega number USD per vol point
---@field theta number USD per day

--- What the positions of an underlying would gain: full revaluation, options that have expired by
--- then stand at their payoff. A list by spot of lists by vol.
---@param args? hedged.portfolio.scenario_args
---@return hedged.portfolio.outcome[][]? grid
---@return string? message
---@return string? code "no_price"
function portfolio.scenario(args) end

--- The same function as `hedged.exposure`.
---@param underlying? string|hedged.exposure_options
---@param options? { delta: string }
---@return hedged.exposure? exposure
---@return string? message
---@return string? code "not_supported"
function portfolio.exposure(underlying, options) end

return portfolio
