---@meta hedged.orders
error("a stub for editors and docs: require hedged.orders inside hedged")

--- Orders, one by one. An order belongs to the runtime; the object a script holds is a view of it,
--- read at the moment a field is asked for. For plain hedging `hedged.trade` is shorter.
---
--- Every order passes the risk gate. A refusal answers `nil, message, code` at once, and `on_order`
--- hears of it afterwards. Codes: `not_finite size_zero off_tick off_lot size_limit value_limit
--- position_limit price_collar no_price stale rate open_limit instrument reduce_only post_only
--- no_liquidity halted capacity trigger_price gtd oco timed_out`. The venue refuses or ends with
--- others (docs/paper-fills.md): `price_band self_trade margin venue_down venue_busy venue_rate
--- never_arrived not_open ioc_rest fok`.
---
--- Orders that wait for a price (`stop`, `take_profit`, `trailing_stop`) and orders with an end in
--- time (`expires`, `good_for`), pairs (`oco`) and brackets are described in `docs/orders.md`. What
--- the venue cannot do the runtime does, and the order says so: `order.emulated`.
---
--- ```lua strategy
--- local hedged = require "hedged"
--- local orders = require "hedged.orders"
---
--- local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
---
--- function S:on_start()
---   hedged.after(1, function()
---     local order, message, code = orders.buy {
---       instrument = "BTC-PERPETUAL", size = 1000, price = 80000, post_only = true,
---       reason = "a patient bid" }
---     if not order then
---       hedged.log(code .. ": " .. message)
---     elseif not order:await(60) then
---       order:cancel()
---     end
---   end)
--- end
---
--- return S
--- ```
---@class hedged.orders
local orders = {}

--- An order. `code` and `message` say why it was refused, cancelled or expired ("" otherwise). A
--- finished order that the runtime has forgotten has the state "gone" and no other field.
---@class hedged.orders.order
---@field id integer
---@field state string sent untriggered working partial filled cancelled rejected ... gone
---@field instrument string
---@field side "buy"|"sell"
---@field size number amount unit of the venue, positive
---@field filled number
---@field remaining number
---@field price? number average once something is filled, before that the limit
---@field limit? number limit price
---@field average? number average price of what is filled
---@field type string market limit stop stop_limit take_profit take_profit_limit trailing_stop
---@field tif "gtc"|"ioc"|"fok"|"gtd"
---@field post_only boolean
---@field reduce_only boolean
---@field trigger? "last"|"mark"|"index" what the trigger price is compared with
---@field trigger_price? number quote unit (index: USD per coin); a trailing stop's moves
---@field trail? number trailing stop: distance from the best price, quote unit
---@field trail_percent? number the same in percent of the best price
---@field triggered boolean its trigger price has been reached
---@field expires? number seconds: when it ends
---@field oco? hedged.orders.order the other order of its pair
---@field role? "entry"|"take_profit"|"stop" its place in a bracket
---@field parent? hedged.orders.order exits of a bracket: the entry
---@field emulated boolean the runtime does some of it because the venue cannot
---@field reason string
---@field code string
---@field message string
---@field line string file and line that sent it
---@field time number seconds: when it was created
local order = {}

--- Fields of `orders.send`, `orders.buy` and `orders.sell`.
---@class hedged.orders.send_args
---@field instrument string|hedged.market.instrument
---@field size number amount unit of the venue: coins, or USD for inverse futures; above zero
---@field side? "buy"|"sell" for `orders.send` only
---@field price? number quote unit; makes it a limit order
---@field type? string market or limit, as `price` says; or a type that waits (docs/orders.md)
---@field tif? "gtc"|"ioc"|"fok"|"gtd" limit orders: "gtc", market orders: "ioc", with an end: "gtd"
---@field post_only? boolean never take liquidity (false)
---@field reduce_only? boolean only reduce the position (false); a stop shrinks to it when it fires
---@field trigger? "last"|"mark"|"index" last trade, mark or index of the underlying ("mark")
---@field trigger_price? number stop and take-profit types: quote unit; index: USD per coin
---@field trail? number trailing_stop: distance from the best price since then, quote unit
---@field trail_percent? number the same in percent, below 100
---@field protection? number market orders: never worse than this price
---@field expires? number seconds since the epoch: when it ends
---@field good_for? number seconds from now until it ends
---@field valid_until? number seconds since the epoch: the venue must not take it later
---@field oco? hedged.orders.order|integer an open order: one trades or ends, the other is cancelled
---@field bracket? hedged.orders.bracket exits for what this order fills
---@field again? boolean meant, though an equal order sent a moment ago is still open (false)
---@field reason? string shown in the events file

--- An exit of a bracket. `take_profit` with a `price` alone is a resting limit order; with a
--- `trigger_price` it waits. A stop has a `trigger_price`, or `trail` or `trail_percent` alone.
---@class hedged.orders.exit
---@field price? number limit price, quote unit
---@field trigger? "last"|"mark"|"index" ("mark")
---@field trigger_price? number
---@field trail? number
---@field trail_percent? number

--- Exits of an order: a number is the limit price of a take-profit, the trigger price of a stop.
---@class hedged.orders.bracket
---@field take_profit? number|hedged.orders.exit
---@field stop? number|hedged.orders.exit

--- Sends an order.
---@param args hedged.orders.send_args
---@return hedged.orders.order? order
---@return string? message
---@return string? code
function orders.send(args) end

--- Buys. Also `orders.buy(instrument, size, { price = ... })`.
---@param args hedged.orders.send_args
---@return hedged.orders.order? order
---@return string? message
---@return string? code
function orders.buy(args) end

--- Sells. Also `orders.sell(instrument, size, { price = ... })`.
---@param args hedged.orders.send_args
---@return hedged.orders.order? order
---@return string? message
---@return string? code
function orders.sell(args) end

--- Asks the venue to cancel; the order is cancelled when `on_order` or `order:await` says so.
---@param which hedged.orders.order|integer order or its id
---@return boolean? asked
---@return string? message
---@return string? code "not_found" or "not_open"
function orders.cancel(which) end

--- What this callback or task still means to send, besides its open orders. It counts as pending in
--- `delta`, `pending` and all exposures, for every strategy that looks at the same book, so that
--- `hedged.trade` does not hedge it a second time. One plan per task: a new one takes the place of
--- the old one, size 0 ends it, and it ends with its task. `hedged.execution` keeps one by itself;
--- whoever writes another execution lowers it before each order by the size of that order. The risk
--- gate and the margin judge orders, not plans.
---@param args { instrument: string|hedged.market.instrument, side: "buy"|"sell", size: number }
---@return boolean? planned
---@return string? message
---@return string? code "instrument"
function orders.plan(args) end

--- Cancels all open orders of this strategy, or those of one instrument.
---@param instrument? string|hedged.market.instrument
---@return integer count
function orders.cancel_all(instrument) end

--- Open orders of this strategy, oldest first.
---@param instrument? string|hedged.market.instrument
---@return hedged.orders.order[]
function orders.open(instrument) end

--- An order by its id.
---@param id integer
---@return hedged.orders.order? order
---@return string? message
---@return string? code "not_found"
function orders.get(id) end

--- As `orders.cancel`.
---@return boolean? asked
---@return string? message
---@return string? code "not_found" or "not_open"
function order:cancel() end

--- Fields of `order:amend`; what is left out stays. Trigger prices can be amended until they fire.
---@class hedged.orders.amend_args
---@field price? number
---@field size? number new total size
---@field trigger_price? number
---@field trail? number
---@field trail_percent? number
---@field expires? number seconds since the epoch
---@field good_for? number seconds from now

--- New price or size, judged like a new order.
---@param args hedged.orders.amend_args
---@return boolean? asked
---@return string? message
---@return string? code "not_found", "not_open" or a code of the risk gate
function order:amend(args) end

--- Waits until the order is done, at most `timeout` seconds of event time. Other callbacks go on.
---@param timeout? number seconds (for ever)
---@return hedged.orders.order? order the order, done
---@return string? message
---@return string? code "timeout"
function order:await(timeout) end

return orders
