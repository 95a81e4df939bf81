---@meta hedged.test
error("a stub for editors and docs: require hedged.test under `hedged test`")

--- Whole sessions on a virtual clock, for tests and research; under `hedged test` and `hedged lua`
--- only. You feed the market by hand and look at what the strategy did. It is the same session as
--- in paper and backtest: market, portfolio, risk gate and matching engine are the real ones.
---
--- Each call that feeds something happens one millisecond after the last one, unless it is given a
--- `time`; what it causes (orders, fills, timers that are due) has happened when the call returns.
---
--- ```lua run
--- local test = require "hedged.test"
---
--- local s = test.session {
---   strategy = "strategies/delta_band.lua",
---   instruments = { "BTC-PERPETUAL" },
---   book = { { instrument = "BTC-PERPETUAL", size = 176000 } }, -- two coins at 88,000
---   set = { band = 0.2 },
--- }
--- s:index("BTC", 88000)
--- s:mark { instrument = "BTC-PERPETUAL", mark = 88000 }
--- s:quote { instrument = "BTC-PERPETUAL", bid = 87995, ask = 88005 }
--- assert(#s:fills() == 1 and s:orders()[1].side == "sell")
--- ```
---@class hedged.test
local test = {}

--- A session. It is closed when it is collected, or by `close`.
---@class hedged.test.session
local session = {}

--- A row of the opening book.
---@class hedged.test.position
---@field instrument string
---@field size number signed, amount unit
---@field entry? number quote unit; the first mark when left out

--- Fields of `test.session`.
---@class hedged.test.session_args
---@field strategy? string file of the strategy
---@field text? string its source instead
---@field instruments? string[] names the session knows, besides those of the book
---@field book? hedged.test.position[] positions at the start
---@field set? table parameters: { band = 0.2 }
---@field fill? "touch"|"depth"|"queue" how plain the matching is ("touch")
---@field queue? string who stands before us: `--queue` of docs/paper-fills.md; means fill = "queue"
---@field refill? string how what we took comes back: `--refill`
---@field latency? string times on the way: `--latency` ("submit=50ms,ack=20ms"; none)
---@field rules? string of the venue: `--rules` ("plain")
---@field faults? string what goes wrong: `--faults` ("lose=100%,proof=5s"; none)
---@field fees? boolean charge trading fees (false)
---@field margin? "none"|"standard"|"portfolio" what the venue judges by ("none")
---@field cash? string|table starting money: { BTC = 5 } or "BTC=5"
---@field limits? table of the risk gate, as in a configuration file: { order_value_usd = 1e6 }
---@field seed? integer of random numbers (1)
---@field start? number seconds since the epoch (2026-01-01)

--- Opens a session and starts the strategy. Raises when it does not load or start.
---@param args hedged.test.session_args
---@return hedged.test.session session
function test.session(args) end

--- Fields of `session:quote`. A side without a price is empty.
---@class hedged.test.quote_args
---@field instrument string
---@field bid? number
---@field ask? number
---@field bid_size? number (a million lots)
---@field ask_size? number (a million lots)
---@field time? number seconds

--- A new best bid and ask.
---@param args hedged.test.quote_args
function session:quote(args) end

--- A new index.
---@param underlying string
---@param price number USD per coin
function session:index(underlying, price) end

--- Fields of `session:mark`.
---@class hedged.test.mark_args
---@field instrument string
---@field mark number quote unit: coins for inverse options
---@field iv? number options: mark volatility, fraction
---@field time? number seconds

--- A new mark price.
---@param args hedged.test.mark_args
function session:mark(args) end

--- Fields of `session:forward`.
---@class hedged.test.forward_args
---@field underlying? string ("BTC")
---@field expiry string|number "27FEB26" or seconds
---@field price number USD per coin
---@field time? number seconds

--- A new forward of an expiry.
---@param args hedged.test.forward_args
function session:forward(args) end

--- Fields of `session:depth`: levels as { { price, size }, ... }.
---@class hedged.test.depth_args
---@field instrument string
---@field bids? table
---@field asks? table
---@field time? number seconds

--- A whole order book, and the quote that goes with it.
---@param args hedged.test.depth_args
function session:depth(args) end

--- Fields of `session:trade`.
---@class hedged.test.trade_args
---@field instrument string
---@field price number
---@field size number
---@field side? "buy"|"sell" of the taker ("buy")
---@field time? number seconds

--- A public trade.
---@param args hedged.test.trade_args
function session:trade(args) end

--- Fields of `session:funding`.
---@class hedged.test.funding_args
---@field instrument string
---@field rate number fraction per 8 hours
---@field time? number seconds

--- A new funding rate.
---@param args hedged.test.funding_args
function session:funding(args) end

--- Fields of `session:settle`.
---@class hedged.test.settle_args
---@field instrument string
---@field price number delivery price, USD per coin
---@field time? number seconds

--- Delivers an expired instrument.
---@param args hedged.test.settle_args
function session:settle(args) end

--- Moves event time forward; timers fire on the way.
---@param seconds number
function session:advance(seconds) end

--- Orders, oldest first: each the last `order` line of the events file.
---@return table[] orders with id, state, instrument, side, size, filled, price, reason ...
function session:orders() end

--- Fills, oldest first: `fill` lines of the events file.
---@return table[] fills with id, instrument, side, size, price, fee, liquidity
function session:fills() end

--- What the risk gate refused: `refusal` lines of the events file.
---@return table[] refusals with instrument, side, size, code, limit, value
function session:refusals() end

--- All lines of the events file.
---@return table[] events with t and kind
function session:events() end

--- Event time.
---@return number time seconds
function session:now() end

--- Size held.
---@param instrument string
---@return number size signed, amount unit
function session:position(instrument) end

--- As `hedged.exposure`.
---@param underlying? string ("BTC")
---@return hedged.exposure exposure
function session:exposure(underlying) end

--- Money in USD: hedged, unhedged, equity, fees.
---@return table pnl
function session:pnl() end

--- What the strategy failed with.
---@return string? message nil while it runs
function session:error() end

--- Whether the strategy runs.
---@return "loaded"|"running"|"stopped"|"failed"|nil state nil without a strategy
function session:state() end

--- Ends the session.
function session:close() end

return test
