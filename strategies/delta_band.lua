-- Delta band: keeps the delta of an option book inside a band around a target.
--
-- Nothing is traded while delta stays inside the band. When it leaves, one market order in the
-- hedge instrument brings it back to the nearest edge (or on to the target, see `to`). The exposure
-- it asks for already contains orders that are working, in flight or of unknown fate, so calling it
-- on every tick cannot hedge twice.
--
-- Data decide whether to trade at all: while the exposure is stale or partial (an option without a
-- mark, an index that stopped) the strategy waits, says so once, and goes on when data are good.
--
--     hedged backtest strategies/delta_band.lua --feed tape:build/stress.tape \
--         --book examples/books/short_strangle.lua --set band=0.3
--     hedged paper strategies/delta_band.lua --scenario crash --set to=target
--
-- Another coin: --set underlying=ETH --set hedge_with=ETH-PERPETUAL
--
-- The defaults suit a book of about 10 BTC of options: delta of such a book drifts by about half a
-- coin on an ordinary day.
local hedged = require "hedged"
local market = require "hedged.market"
local policy = require "hedged.policy"
local portfolio = require "hedged.portfolio"

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
  band = param {
    default = 0.5, min = 0, unit = "coins", doc = "delta tolerated on each side of the target" },
  band_lo = param {
    default = 0, min = 0, unit = "coins", doc = "tolerated below the target; 0: as band" },
  band_hi = param {
    default = 0, min = 0, unit = "coins", doc = "tolerated above the target; 0: as band" },
  ratio = param {
    default = 1, min = 0, max = 1.5, doc = "share of the book's delta that is hedged" },
  to = param {
    default = "edge", choices = { "edge", "target" }, doc = "where a hedge ends" },
  min_trade = param {
    default = 0.01, min = 0, unit = "coins", doc = "hedges smaller than this are not sent" },
  allow_stale = param {
    default = false, doc = "trade on stale or partial exposure as well" },
}

-- Bad data must last this long, in seconds of event time, before it is worth a line in the log:
-- between the first and the last event of one update some inputs are always older than others.
local PATIENCE = 10
-- After a refusal (the risk gate, a closed market) wait this long before asking again.
local RETRY = 1

local bad_since, told
local retry_at = -math.huge
local refused, said = nil, -math.huge -- why and when a refused hedge was last told of

-- True when the exposure may be traded on; logs when that changes for longer than a moment.
local function usable(self, x, now)
  if x.quality == "good" or self.allow_stale then
    if told then hedged.log("exposure is good again, hedging goes on") end
    bad_since, told = nil, nil
    return true
  end
  bad_since = bad_since or now
  if not told and now - bad_since >= PATIENCE then
    told = true
    hedged.log(("exposure is %s (%s), waiting"):format(x.quality, x.reasons))
  end
  return false
end

-- A market order into an empty book would only be refused.
local function is_quoted(name)
  local quote = market.get(name):quote()
  return quote ~= nil and quote.mid ~= nil
end

-- What the opening book holds in the hedge instrument; the rest of the position is hedge.
function S:on_start(why)
  if why.kind == "start" then self.state.opened = portfolio.position(self.hedge_with) end
end

-- The delta to keep at the target. Profit and loss of coin-settled contracts is paid in coins, and
-- coins held as money move with the spot too: who counts in USD hedges them as well (in a crash
-- from 88k to 64k that is the difference between 0.92 and 0.95 of variance removed); who counts in
-- coins takes the premium-adjusted delta; `position` is the plain sum the venue shows.
local function delta_of(self, x)
  if self.numeraire == "usd" then return x.delta + x.delta_cash end
  return self.numeraire == "coin" and x.delta_net or x.delta
end

local function cash_text(self, x)
  if self.numeraire ~= "usd" or math.abs(x.delta_cash) < 0.005 then return "" end
  return (" (with coin cash %+.3g)"):format(x.delta_cash)
end

-- Coins of delta that the hedge holds, or will hold when its open orders are filled.
local function hedge_delta(self, x)
  local instrument = market.get(self.hedge_with)
  local p = portfolio.positions(self.hedge_with)[1]
    or { size = 0, pending_buy = 0, pending_sell = 0 }
  local size = p.size + p.pending_buy - p.pending_sell - self.state.opened
  if p.size ~= 0 then return size * p.delta / p.size end
  return instrument.inverse and size / x.spot or size
end

-- By the plain rule nothing is computed or made that is not asked for anyway.
local function exposure(self)
  if self.delta == "bs" then return hedged.exposure(self.underlying) end
  return hedged.exposure { underlying = self.underlying, delta = self.delta }
end

function S:on_tick(tick)
  local now = tick.time
  if now < retry_at then return end
  local x = exposure(self)
  if not usable(self, x, now) then return end

  local lo = -(self.band_lo > 0 and self.band_lo or self.band)
  local hi = self.band_hi > 0 and self.band_hi or self.band
  local delta = delta_of(self, x)
  local wanted = { delta = delta, target = self.target, lo = lo, hi = hi, to = self.to,
                   min = self.min_trade }
  local size
  if self.ratio == 1 then
    size = policy.band(wanted)
  else
    wanted.hedge, wanted.ratio = hedge_delta(self, x), self.ratio
    size = policy.ratio(wanted)
  end
  if size == 0 or not is_quoted(self.hedge_with) then return end

  local order, message, code = hedged.trade {
    instrument = self.hedge_with,
    delta = size,
    reason = ("delta %+.4g%s outside %+.4g..%+.4g")
      :format(delta, cash_text(self, x), self.target + lo, self.target + hi),
  }
  if not order then
    retry_at = now + RETRY
    if code ~= refused or now - said >= PATIENCE * 6 then
      refused, said = code, now
      hedged.log("hedge refused: " .. message)
    end
  end
end

return S
