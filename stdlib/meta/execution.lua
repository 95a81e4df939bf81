---@meta hedged.execution
error("a stub for editors and docs: require hedged.execution inside hedged")

--- Ways to trade a size over time. They wait, so call them in a task of their own:
--- `hedged.spawn(function() execution.twap { ... } end)`.
---
--- Each returns what was filled, in the instrument's amount unit, and, where it could not do all, a
--- message and a code. Nothing is sent while the end of an earlier order is open; if it stays
--- unknown, code is "unknown" and the rest is not sent.
---
--- What is not sent yet is planned (`orders.plan`): it counts as pending in every exposure, so that
--- neither this strategy nor another one that looks at the same book hedges it as well. Fills stay
--- within the size of the execution; it does not look whether the hedge is still needed.
---
--- ```lua strategy
--- local hedged = require "hedged"
--- local execution = require "hedged.execution"
---
--- local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
---
--- function S:on_start()
---   hedged.spawn(function()
---     local filled, message = execution.twap {
---       instrument = self.hedge_with, side = "sell", size = 100000, duration = 600, slices = 10 }
---     hedged.log(("sold %g USD %s"):format(filled, message or ""))
---   end)
--- end
---
--- return S
--- ```
---@class hedged.execution
local execution = {}

--- Fields of `execution.cross`.
---@class hedged.execution.cross_args
---@field instrument string
---@field side "buy"|"sell"
---@field size number amount unit of the venue
---@field limit? number worst price when taking liquidity (none: market order)
---@field reason? string

--- Fields of `execution.peg`: those of `execution.cross` and
---@class hedged.execution.peg_args: hedged.execution.cross_args
---@field patience? number seconds to rest (60)
---@field refresh? number seconds between two looks at the touch (1)
---@field cross? boolean take what is left at the end (false)

--- Fields of `execution.passive_then_cross`.
---@class hedged.execution.passive_then_cross_args: hedged.execution.cross_args
---@field patience? number seconds to rest (60)
---@field refresh? number seconds between two looks at the touch (1)

--- Fields of `execution.twap`.
---@class hedged.execution.twap_args: hedged.execution.cross_args
---@field duration number seconds
---@field slices? integer number of slices (10)
---@field passive? boolean rest at the touch before each slice crosses (false)
---@field refresh? number seconds between two looks at the touch (1)

--- Fields of `execution.iceberg`.
---@class hedged.execution.iceberg_args
---@field instrument string
---@field side "buy"|"sell"
---@field size number amount unit of the venue
---@field show number size displayed at a time
---@field price number
---@field patience? number seconds until the rest is cancelled (3600)
---@field reason? string

--- Trades at once what the market gives.
---@param args hedged.execution.cross_args
---@return number filled
---@return string? message
---@return string? code
function execution.cross(args) end

--- Rests at the best price of its own side and follows it.
---@param args hedged.execution.peg_args
---@return number filled
---@return string? message
---@return string? code
function execution.peg(args) end

--- Rests at the touch, then takes what is left.
---@param args hedged.execution.passive_then_cross_args
---@return number filled
---@return string? message
---@return string? code
function execution.passive_then_cross(args) end

--- Equal slices at equal times. What one slice did not fill is carried into the next.
---@param args hedged.execution.twap_args
---@return number filled
---@return string? message
---@return string? code "rest" when the market did not give it all
function execution.twap(args) end

--- Shows a part of the size at a price and refills it.
---@param args hedged.execution.iceberg_args
---@return number filled
---@return string? message
---@return string? code
function execution.iceberg(args) end

return execution
