---@meta hedged.solve
error("a stub for editors and docs: require hedged.solve itself")

--- Hedging delta, gamma and vega at once with several instruments: weighted least squares with an
--- L1 cost, bounds and lots. Plain Lua; `stdlib/hedged/solve.lua` holds the problem and its method.
---
--- ```lua run
--- local solve = require "hedged.solve"
--- local legs, residual, cost = solve.hedge {
---   exposure = { delta = -12.5, gamma = -3.2e-4, vega = -1500 },
---   spot = 88000, sigma = 0.45, cost_weight = 300,
---   instruments = {
---     { name = "BTC-PERPETUAL", delta = 1, cost = 25, lot = 0.001 },
---     { name = "BTC-27FEB26-88000-C", delta = 0.52, gamma = 2.9e-5, vega = 100, cost = 60,
---       lot = 0.1 },
---   },
--- }
--- for _, leg in ipairs(legs) do print(leg.name, leg.size) end
--- print(("risk %.0f -> %.0f USD for %.0f USD"):format(residual.risk_before, residual.risk, cost))
--- ```
---@class hedged.solve
local solve = {}

--- Greeks; what is left out is 0.
---@class hedged.solve.greeks
---@field delta? number coins
---@field gamma? number coins per USD
---@field vega? number USD per vol point

--- An instrument to hedge with; Greeks, cost and bounds are for one unit of its size.
---@class hedged.solve.instrument
---@field name string
---@field delta? number coins
---@field gamma? number coins per USD
---@field vega? number USD per vol point
---@field cost? number USD to trade one unit: half spread and fee (0)
---@field lo? number smallest size to trade, signed (none)
---@field hi? number largest size to trade, signed (none)
---@field lot? number sizes are multiples of it (any size)

--- A trade.
---@class hedged.solve.leg
---@field name string
---@field size number signed
---@field cost number USD

--- What remains.
---@class hedged.solve.residual
---@field delta number coins
---@field gamma number coins per USD
---@field vega number USD per vol point
---@field risk_before number USD at the reference shock
---@field risk number USD at the reference shock, afterwards
---@field kkt number largest relative violation of the optimality conditions, before lots

--- Fields of `solve.hedge`.
---@class hedged.solve.hedge_args
---@field exposure hedged.solve.greeks what there is
---@field target? hedged.solve.greeks what is wanted (0)
---@field instruments hedged.solve.instrument[]
---@field limits? table bounds by name: { ["BTC-PERPETUAL"] = { lo = -5, hi = 5 } }
---@field costs? table USD per unit by name
---@field lots? table lots by name
---@field cost_weight? number USD: risk at which a dollar of cost buys a dollar less of it (30)
---@field move? number USD: the reference move; default: spot sigma / sqrt(365)
---@field spot? number USD per coin
---@field sigma? number volatility, fraction
---@field vol_points? number the reference change of volatility, in points (1.5)

--- Sizes that bring the exposure closest to the target for what they cost. Instruments that do not
--- earn their cost get no leg. Misuse raises with the caller's line.
---@param args hedged.solve.hedge_args
---@return hedged.solve.leg[] legs
---@return hedged.solve.residual residual
---@return number cost USD
function solve.hedge(args) end

return solve
