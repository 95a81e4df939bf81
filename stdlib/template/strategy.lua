-- NAME: keeps the delta of an option book inside a band around zero.
--
--     hedged check NAME.lua
--     hedged test
--     hedged paper NAME.lua --config config.lua
--
-- While a session runs: `hedged status`, `hedged ctl set band=0.3`, `hedged repl 'state'`.
local hedged = require "hedged"
local policy = require "hedged.policy"

local S = hedged.strategy {
  api = 1,
  underlying = "BTC",
  hedge_with = "BTC-PERPETUAL",
  band = hedged.param {
    default = 0.5, min = 0, unit = "BTC", doc = "delta tolerated on each side before trading" },
  min_trade = hedged.param {
    default = 0.01, min = 0, unit = "BTC", doc = "hedges smaller than this are not sent" },
}

-- Data that are old or incomplete are no reason to trade.
local function is_usable(x)
  return x.quality == "good"
end

function S:on_start(why)
  self.state.hedges = self.state.hedges or 0
  hedged.log("started (%s), band %g", why.kind, self.band)
end

-- A quote, mark or index of what is held or hedged with has changed.
function S:on_tick()
  local x = hedged.exposure(self.underlying) -- working and unknown orders included
  if not is_usable(x) then return end
  local size = policy.band {
    delta = x.delta, target = 0, lo = -self.band, hi = self.band, min = self.min_trade }
  if size == 0 then return end
  local order, message = hedged.trade {
    instrument = self.hedge_with,
    delta = size,
    reason = ("delta %+.3f outside %.3g"):format(x.delta, self.band),
  }
  if not order then hedged.log.warn("not hedged: " .. message) end
end

-- Each fill of an order of this strategy.
function S:on_fill()
  self.state.hedges = self.state.hedges + 1
end

return S
