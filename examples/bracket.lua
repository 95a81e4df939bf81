-- Orders that wait and orders that belong together: buys a dip with a resting bid that ends by
-- itself, and brackets it with a take-profit and a stop. Only the entry is the strategy's business;
-- the exits are placed, sized and cancelled by the runtime.
--
--     hedged paper examples/bracket.lua --set size=1000 --set dip=0.5
local hedged = require "hedged"
local market = require "hedged.market"
local orders = require "hedged.orders"

local param = hedged.param

local S = hedged.strategy {
  api = 1,
  underlying = "BTC",
  instrument = "BTC-PERPETUAL",
  size = param { default = 1000, min = 10, unit = "USD", doc = "size of the entry" },
  dip = param { default = 0.5, min = 0.01, max = 5, unit = "%", doc = "entry below the touch" },
  profit = param { default = 0.5, min = 0.01, unit = "%", doc = "take-profit above the entry" },
  loss = param { default = 0.5, min = 0.01, unit = "%", doc = "stop below the entry" },
  patience = param { default = 600, min = 1, unit = "s", doc = "time the bid rests" },
}

-- `price` moved by a number of percent, on the tick.
local function moved(instrument, price, percent)
  local tick = instrument.tick
  return math.floor(price * (1 + percent / 100) / tick + 0.5) * tick
end

function S:on_tick()
  local instrument = market.get(self.instrument)
  local quote = instrument:quote()
  if #orders.open() > 0 or not quote or not quote.bid then return end
  local price = moved(instrument, quote.bid, -self.dip)
  local order, message, code = orders.buy {
    instrument = self.instrument, size = self.size, price = price, good_for = self.patience,
    bracket = {
      take_profit = moved(instrument, price, self.profit),
      stop = { trigger_price = moved(instrument, price, -self.loss), trigger = "mark" },
    },
    reason = "buy the dip",
  }
  if not order and code ~= self.told then
    self.told = code
    hedged.log(code .. ": " .. message)
  end
end

function S:on_order(order)
  if order.state == "expired" then hedged.log("the dip did not come") end
end

-- An alarm is what must not pass quietly: here, a position without its stop.
function S:on_risk(event)
  if event.kind == "alarm" then hedged.alert("%s: %s", event.code, event.message) end
end

return S
