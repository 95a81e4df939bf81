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
---@field unhedged number of the opening book alone
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
---@field since? table what `explain` said earlier, by the same: only what came after it

--- Explains the P&L of the session so far. By strategy, `book` is the opening book, `account` is
--- money without an instrument, and other strategies of the session are "strategy 2" and so on.
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
---@return hedged.portfolio.explanation|table<string, hedged.portfolio.explanation> x
function portfolio.explain(options) end

--- The same function as `hedged.exposure`.
---@param underlying? string|hedged.exposure_options
---@param options? { delta: string }
---@return hedged.exposure? exposure
---@return string? message
---@return string? code "not_supported"
function portfolio.exposure(underlying, options) end

return portfolio
