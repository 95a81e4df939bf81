---@meta hedged.orders
error("a stub for editors and docs: require hedged.orders inside hedged")

--- Orders, one by one. An order belongs to the runtime; the object a script holds is a view of it,
--- read at the moment a field is asked for. For plain hedging `hedged.trade` is shorter.
---
--- Every order passes the risk gate. A refusal answers `nil, message, code` at once, and `on_order`
--- hears of it afterwards. Codes: `not_finite size_zero off_tick off_lot size_limit value_limit
--- position_limit price_collar no_price stale rate open_limit instrument reduce_only post_only
--- no_liquidity halted capacity`.
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
---@field state string sent working partial filled cancelled rejected expired unknown gone
---@field instrument string
---@field side "buy"|"sell"
---@field size number amount unit of the venue, positive
---@field filled number
---@field remaining number
---@field price? number average once something is filled, before that the limit
---@field limit? number limit price
---@field average? number average price of what is filled
---@field type "market"|"limit"
---@field tif "gtc"|"ioc"|"fok"
---@field post_only boolean
---@field reduce_only boolean
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
---@field type? "market"|"limit" follows from `price`
---@field tif? "gtc"|"ioc"|"fok" limit orders: "gtc", market orders: "ioc"
---@field post_only? boolean never take liquidity (false)
---@field reduce_only? boolean only reduce the position (false)
---@field again? boolean meant, though an equal order sent a moment ago is still open (false)
---@field reason? string shown in the events file

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

--- Fields of `order:amend`; what is left out stays.
---@class hedged.orders.amend_args
---@field price? number
---@field size? number new total size

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
