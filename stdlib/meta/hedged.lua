---@meta hedged
error("a stub for editors and docs: require hedged inside hedged")

--- The root of the API: declaring a strategy, asking for exposure, trading, time.
---
--- A strategy is a Lua file that returns what `hedged.strategy` gave it. Operational failure
--- returns `nil, message, code`; misuse (a wrong type, an unknown field) raises with the line of
--- the caller.
---
--- ```lua strategy
--- local hedged = require "hedged"
--- local policy = require "hedged.policy"
---
--- local S = hedged.strategy {
---   api = 1,
---   underlying = "BTC",
---   hedge_with = "BTC-PERPETUAL",
---   band = hedged.param { default = 0.5, min = 0, unit = "BTC", doc = "tolerated delta" },
--- }
---
--- function S:on_tick(tick)
---   local x = hedged.exposure(self.underlying)
---   local size = policy.band { delta = x.delta, lo = -self.band, hi = self.band }
---   if size ~= 0 then
---     hedged.trade { instrument = self.hedge_with, delta = size, reason = "delta outside band" }
---   end
--- end
---
--- return S
--- ```
---@class hedged
---@field log hedged.log
---@field risk hedged.risk
local hedged = {}

--- A strategy: the table given to `hedged.strategy`, parameters replaced by their values. Callbacks
--- are functions of it; all are optional.
---@class hedged.strategy
---@field api integer version of the contract: 1
---@field name? string shown in logs and events (the file's name)
---@field underlying? string whose exposure and ticks matter: "BTC"
---@field hedge_with? string|string[] instruments it trades, at most 8; they must exist
---@field subscribe? string[] patterns of instruments whose ticks it hears: { "BTC-*" }
---@field state? table plain data the strategy has to remember; carried over a reload. Fields that
---  the carried state lacks keep the values given here
---@field version? integer of `state`: when the new code declares another one, `migrate` is called
---@field migrate? fun(old_state: table, old_version: integer): table makes the state of other code
---  fit for this one; may not trade. Called at a reload when the versions differ, or always where
---  neither code declares one
---@field on_start? fun(self, why: hedged.why) the session starts
---@field on_tick? fun(self, tick: hedged.tick) a quote, mark, index or forward changed
---@field on_depth? fun(self, tick: hedged.tick) an order book changed
---@field on_trade? fun(self, trade: hedged.market_trade) somebody traded
---@field on_fill? fun(self, fill: hedged.fill) an own order was filled, in part or in full
---@field on_order? fun(self, order: hedged.orders.order) an own order changed its state
---@field on_timer? fun(self, name: string) a timer that was started with a name
---@field on_risk? fun(self, event: hedged.risk_event) a refusal, a new state, a liquidation
---@field on_stop? fun(self, reason: string) the session ends; no more waiting

--- What changed. One object is reused for every call: copy the numbers you keep. A field is nil
--- where the market has no such value.
---@class hedged.tick
---@field instrument string name
---@field underlying string "BTC"
---@field kind "option"|"perpetual"|"future"|"spot"
---@field bid? number best bid, quote unit of the instrument
---@field ask? number
---@field bid_size? number amount unit of the venue
---@field ask_size? number
---@field mark? number mark price
---@field index? number USD per coin
---@field iv? number options: mark volatility, fraction
---@field time number event time, seconds

--- Greeks of the portfolio in one underlying, working and unknown orders included. `delta_cash` is
--- coin-settled cash and unrealised P&L of this session, without deposits. The USD value is neutral
--- at delta + delta_cash = 0, the coin value at delta_net = 0.
---@class hedged.exposure
---@field underlying string
---@field delta number coins; pending orders at their expected fill
---@field delta_net number coins, less the premium held in coins
---@field delta_usd number USD
---@field delta_cash number coins held as money, made in this session
---@field delta_filled number coins; what is really held
---@field gamma number coins per USD
---@field vega number USD per vol point
---@field theta number USD per calendar day
---@field rho number USD per 1 % of rate
---@field vanna number coins per vol point
---@field volga number USD per vol point squared
---@field charm number coins per calendar day
---@field notional number USD, sum of absolute positions
---@field value number USD: options and spot at mark, unrealised P&L of the rest
---@field leverage number notional over equity
---@field spot number USD per coin used
---@field pending { lo: number, hi: number } bounds of delta, each pending order filled or not
---@field age number seconds since the oldest input
---@field quality "good"|"stale"|"partial" whether to trade on it
---@field reasons string why it is not good, "" when it is

--- A public trade.
---@class hedged.market_trade
---@field instrument string
---@field price number
---@field size number
---@field side "buy"|"sell" of the taker
---@field time number seconds

--- A fill of an own order.
---@class hedged.fill
---@field id integer of the order
---@field order hedged.orders.order
---@field trade integer number of the fill, unique
---@field instrument string
---@field side "buy"|"sell"
---@field size number amount unit, positive
---@field price number quote unit
---@field fee number > 0 paid
---@field fee_currency string
---@field liquidity "maker"|"taker"
---@field mid? number when the order was sent
---@field reason string of the order
---@field time number seconds

--- Why `on_start` runs.
---@class hedged.why
---@field kind "start"|"reload"|"recover"|"resume" "resume": after a pause or an error
---@field orders hedged.orders.order[] open orders of this strategy
---@field awaits? hedged.why_await[] reload: orders that tasks of the old code were waiting for; the
---  orders live on, the tasks do not
---@field sleeps? integer reload: tasks of the old code that were asleep and have ended
---@field timers? integer reload: timers with a function that ended with the old code. Those with a
---  name go on, and a periodic one that is set again keeps its rhythm

--- An await that a reload has ended.
---@class hedged.why_await
---@field order hedged.orders.order
---@field callback string in which the old code waited
---@field code "reload" why it does not wait any more

--- What `on_risk` is told: an order of the strategy that the risk gate refused ("refusal"), a state
--- of the gate that changed ("state": the session, this strategy or an underlying), an answer of
--- the venue that must not happen ("alarm"), or the exchange closing positions ("liquidation").
---@class hedged.risk_event
---@field kind "refusal"|"state"|"alarm"|"liquidation"
---@field order? hedged.orders.order refusal and alarm
---@field code string the control: as in the order; "" when the operator re-armed
---@field message? string absent in a liquidation
---@field value? number what was asked or measured
---@field limit? number what would have been allowed, in the same unit
---@field scope? "session"|"strategy"|"underlying" state
---@field underlying? string state of an underlying
---@field from? "active"|"reducing"|"halted"|"paused"|"frozen" state
---@field to? "active"|"reducing"|"halted"|"paused"|"frozen" state
---@field time number seconds
---@field phase? "start"|"order"|"end"|"bankrupt" of a liquidation, as the fields below
---@field currency? string the account: its settlement currency
---@field equity? number in that currency
---@field margin_balance? number
---@field maintenance? number
---@field instrument? string what is being closed (phase "order")
---@field side? "buy"|"sell"
---@field size? number amount unit

--- Writes to the log: `hedged.log(text)` or `hedged.log(format, ...)` as in `string.format`. At
--- most 200 lines per second of event time; the number of lines left out is told.
---@class hedged.log
---@overload fun(format: any, ...: any)
---@field debug fun(format: any, ...: any)
---@field info fun(format: any, ...: any)
---@field warn fun(format: any, ...: any)
---@field error fun(format: any, ...: any)

--- How much of one limit is used. `value` and `headroom` are absent while they are unknown.
---@class hedged.risk_use
---@field value? number worst case, pending and unknown orders included
---@field limit number
---@field headroom? number limit - value, negative when it is breached

--- What is used of the limits of one underlying.
---@class hedged.risk_underlying
---@field state "active"|"frozen"
---@field thaws? number seconds: when a freeze ends
---@field delta_coins hedged.risk_use
---@field gamma_usd_per_percent hedged.risk_use
---@field vega_usd_per_point hedged.risk_use
---@field theta_usd_per_day hedged.risk_use
---@field burst_delta_coins hedged.risk_use
---@field burst_vega_usd_per_point hedged.risk_use

--- Answer of `hedged.risk()`.
---@class hedged.risk_view
---@field state "active"|"reducing"|"halted" of the session
---@field why string "" while active
---@field strategy_state "active"|"paused" of this strategy
---@field strategy_why string
---@field limits table<string, number> all limits by name, as this strategy has them
---@field session table<string, hedged.risk_use> open orders, gross value, loss and drawdown
---@field underlyings table<string, hedged.risk_underlying> by name

--- Some limits of the risk gate, to look at; `hedged.risk()` tells all of them and what is used.
--- They cannot be changed from Lua. All names are in docs/risk.md.
---@class hedged.risk
---@overload fun(): hedged.risk_view
---@field price_collar number fraction through the reference price
---@field order_value_usd number
---@field position_delta number coins per instrument
---@field quote_max_age number seconds
---@field orders_per_second number
---@field open_orders number per instrument

--- A timer.
---@class hedged.timer
local timer = {}

--- Stops it; false when it had fired or was stopped already.
---@return boolean stopped
function timer:cancel() end

--- Declares the strategy. Called once in a file; the file must return its result. Parameters are
--- read as fields (`self.band`) and cannot be assigned; other fields are the strategy's own.
---@param declaration hedged.strategy
---@return hedged.strategy strategy
function hedged.strategy(declaration) end

--- Fields of `hedged.param`.
---@class hedged.param_args
---@field default number|boolean|string gives the type
---@field min? number smallest number
---@field max? number largest number
---@field choices? string[] allowed texts
---@field unit? string shown with the value
---@field doc? string one line for people who set it

--- A parameter: a value that people may set from outside (`--set band=0.2`), with type and bounds.
--- Use it as a field of the strategy.
---@param args hedged.param_args
---@return any param
function hedged.param(args) end

--- Fields of `hedged.exposure` when called with a table.
---@class hedged.exposure_options
---@field underlying? string that of the strategy
---@field delta? string how the smile moves with the forward, a rule below ("bs")
---@field by? "expiry"|"kind"|"instrument" { ["27FEB26"] = { delta =, positions =, quality = } }

--- Exposure of the portfolio in one underlying, working, in-flight and unknown orders included.
--- Costs nothing when nothing has changed since the last question.
---
--- With `by` it answers delta of the held positions in groups instead, by the same rule: the
--- groups add up to `delta_filled`. `quality` is that of the whole answer.
---
--- `delta` chooses what the vol of a strike does when the forward moves; delta is Black-76's plus
--- vega times that. The whole answer follows (`delta`, `delta_net`, `delta_usd`, `delta_filled`,
--- `pending`); gamma, vega and the rest stay.
---
--- | rule | the vol of a strike | dE[vol]/dF |
--- |---|---|---|
--- | `"bs"`, `"sticky_strike"` | stays | 0 |
--- | `"sticky_delta"` | the smile moves along with the forward | -slope/F |
--- | `"sticky_tree"` | against it (local vol, short-dated) | slope/F |
--- | `"skew_stickiness"` | by the ratio R learnt in this session | (R - 1) slope/F |
--- | `"bartlett"` | SABR's: alpha follows the forward (Bartlett 2006) | of each strike |
--- | `"min_variance"` | Hull and White 2017, learnt | (a + b d + c d^2)/(F sqrt(T)), d: delta |
---
--- The slope d vol/dk, k = ln(K/F), is that of `market.surface`, and so is its age: without a
--- surface the answer is Black's and "partial", over an old one "stale". What is learnt is
--- `dynamics` of the live surface: every 5 minutes of event time, from the start, whoever asks.
--- Until something is, R is 1 and a, b, c are 0, which is "bs". Each option costs some 100 ns more,
--- and the surface a fit every 10 s.
---
--- ```lua strategy
--- local hedged = require "hedged"
---
--- local S = hedged.strategy { api = 1, underlying = "BTC", hedge_with = "BTC-PERPETUAL" }
---
--- function S:on_start()
---   hedged.every(60, function()
---     local plain = hedged.exposure(self.underlying)
---     local smile = hedged.exposure { underlying = self.underlying, delta = "min_variance" }
---     hedged.log("delta %.3f, the smile adds %+.3f", plain.delta, smile.delta - plain.delta)
---   end)
--- end
---
--- return S
--- ```
---
--- The answer is a snapshot: what it says stays as it was. While no number has changed a second
--- call may give the same object, so compare fields, not objects.
---
---@param underlying? string|hedged.exposure_options that of the strategy when left out
---@param options? { delta: string }
---@return hedged.exposure? exposure
---@return string? message
---@return string? code "not_supported": no such rule or group
function hedged.exposure(underlying, options) end

--- Fields of `hedged.trade`.
---@class hedged.trade_args
---@field instrument string|hedged.market.instrument
---@field delta number coins of delta to trade, signed: positive buys delta
---@field reason? string shown in the events file
---@field type? "market"|"limit" market; "limit" without a price rests at the touch
---@field price? number limit price, quote unit
---@field tif? "gtc"|"ioc"|"fok" limit orders: "gtc", market orders: "ioc"
---@field post_only? boolean never take liquidity (false)
---@field reduce_only? boolean only reduce the position (false)
---@field again? boolean meant, though an equal order sent a moment ago is still open (false)

--- Trades an amount of delta: works out the size in the instrument's own unit (USD for an inverse
--- perpetual, contracts by their delta for an option), rounds it toward zero to whole lots and
--- sends one order through the risk gate. Since exposure contains what is pending, a strategy that
--- trades what `hedged.exposure` lacks cannot hedge twice.
---
--- While the venue refuses for a reason that passes (`venue_down`, `venue_busy`, `venue_rate`,
--- `never_arrived`) it pauses by itself, from a quarter of a second to five: calling it on
--- every tick of an outage sends an order now and then, not a storm. `orders.send` does not pause.
---@param args hedged.trade_args
---@return hedged.orders.order? order
---@return string? message
---@return string? code "below_lot", "no_price", "not_finite", "instrument", one of the risk gate
--- or of a venue that takes no orders
function hedged.trade(args) end

--- Event time. A backtest's clock is that of its data.
---@return number time seconds since the epoch
function hedged.now() end

--- Waits, for seconds of event time; other callbacks go on meanwhile.
---@param seconds number
function hedged.sleep(seconds) end

--- Starts a function as a task of its own, which may wait; it begins when the running callback has
--- ended.
---@param task fun()
---@return hedged.timer timer
function hedged.spawn(task) end

--- Calls a function every so many seconds of event time, the first time one period from now.
---@param seconds number at least 0.001
---@param what? fun()|string a function, or a name that `on_timer` is called with ("every")
---@return hedged.timer timer
function hedged.every(seconds, what) end

--- Calls a function once, so many seconds from now.
---@param seconds number
---@param what? fun()|string a function, or a name that `on_timer` is called with ("after")
---@return hedged.timer timer
function hedged.after(seconds, what) end

--- Calls a function once at a moment of event time; at once if it has passed.
---@param time number seconds since the epoch
---@param what? fun()|string a function, or a name that `on_timer` is called with ("at")
---@return hedged.timer timer
function hedged.at(time, what) end

--- A line in the log that somebody should see.
---@param format any text, or a format as in `string.format`
---@param ... any
function hedged.alert(format, ...) end

--- A value over time, for charts. Nothing happens where nobody draws.
---@param name string
---@param value number
function hedged.plot(name, value) end

return hedged
