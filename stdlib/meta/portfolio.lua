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

--- The same function as `hedged.exposure`.
---@param underlying? string|hedged.exposure_options
---@return hedged.exposure exposure
---@return string? message
---@return string? code "not_supported"
function portfolio.exposure(underlying) end

return portfolio
