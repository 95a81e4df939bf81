-- Delta clock: brings the delta of an option book to its target every `period` seconds, however
-- small or large it has become. The simplest policy, and the yardstick for the others: between two
-- strokes of the clock the book is unhedged, at each stroke it pays for the whole difference.
--
-- When the exposure is stale or partial at the stroke, the hedge is made up at the first tick with
-- good data. Working, in-flight and unknown orders are part of the exposure, so a slow fill is not
-- hedged twice.
--
--     hedged backtest strategies/delta_clock.lua --feed tape:build/stress.tape \
--         --book examples/books/short_strangle.lua --set period=21600
local hedged = require "hedged"
local market = require "hedged.market"
local policy = require "hedged.policy"

local param = hedged.param

local S = hedged.strategy {
  api = 1,
  underlying = param { default = "BTC", doc = "coin whose exposure is hedged" },
  hedge_with = param { default = "BTC-PERPETUAL", doc = "instrument that is traded" },
  target = param { default = 0, unit = "coins", doc = "delta wanted" },
  numeraire = param {
    default = "usd", choices = { "usd", "coin", "position" },
    doc = "what is kept still: the book's value in USD, in coins, or position delta alone" },
  delta = param {
    default = "bs",
    choices = { "bs", "sticky_strike", "sticky_delta", "sticky_tree", "skew_stickiness", "bartlett",
                "min_variance" },
    doc = "how the smile is taken to move with the forward, see hedged.exposure" },
  period = param { default = 3600, min = 1, unit = "s", doc = "time between two hedges" },
  min_trade = param {
    default = 0.01, min = 0, unit = "coins", doc = "hedges smaller than this are not sent" },
  allow_stale = param {
    default = false, doc = "trade on stale or partial exposure as well" },
}

local due = true -- the book is hedged at the first good tick, then by the clock
local retry_at = -math.huge

-- See delta_band.lua: coins held as money are exposure for who counts in USD.
local function delta_of(self, x)
  if self.numeraire == "usd" then return x.delta + x.delta_cash end
  return self.numeraire == "coin" and x.delta_net or x.delta
end

-- By the plain rule nothing is computed or made that is not asked for anyway.
local function exposure(self)
  if self.delta == "bs" then return hedged.exposure(self.underlying) end
  return hedged.exposure { underlying = self.underlying, delta = self.delta }
end

local function rebalance(self)
  local now = hedged.now()
  if now < retry_at then return end
  local x = exposure(self)
  if x.quality ~= "good" and not self.allow_stale then return end
  local quote = market.get(self.hedge_with):quote()
  if not quote or not quote.mid then return end

  due = false
  local delta = delta_of(self, x)
  local size = policy.clock { delta = delta, target = self.target, now = now,
                              period = self.period, min = self.min_trade }
  if size == 0 then return end
  local order, message = hedged.trade {
    instrument = self.hedge_with,
    delta = size,
    reason = ("clock: delta %+.4g, target %+.4g"):format(delta, self.target),
  }
  if not order then
    due, retry_at = true, now + 1
    hedged.log("hedge refused: " .. message)
  end
end

-- The venue said no (down, busy): the hedge is still due.
function S:on_order(order)
  if order.state == "rejected" then due, retry_at = true, hedged.now() + 1 end
end

function S:on_start()
  hedged.every(self.period, function()
    due = true
    rebalance(self)
  end)
end

function S:on_tick()
  if due then rebalance(self) end
end

return S
