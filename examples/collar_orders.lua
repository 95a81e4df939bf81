-- Orders, fills, timers and waiting: turns long coins into a collar. It rests an offer for the
-- upper call and a bid for the lower put, moves both to the touch once a minute, and crosses the
-- spread when an order has not traded after five minutes. Two tasks, one for each leg, wait beside
-- each other without blocking the session.
--
--     hedged paper examples/collar_orders.lua --set size=2
local hedged = require "hedged"
local market = require "hedged.market"
local orders = require "hedged.orders"

local param = hedged.param

local S = hedged.strategy {
  api = 1,
  underlying = "BTC",
  size = param { default = 1, min = 0.1, unit = "coins", doc = "coins to collar" },
  call_delta = param { default = 0.2, min = 0.01, max = 0.5, doc = "delta of the call sold" },
  put_delta = param { default = -0.2, min = -0.5, max = -0.01, doc = "delta of the put bought" },
  patience = param { default = 300, min = 1, unit = "s", doc = "time to rest before crossing" },
}

-- The price to ask for now: our own side's best while we are patient, the other side's after that;
-- nil while there is none or it is older than the risk gate accepts.
local function price_now(instrument, side, late)
  local quote = instrument:quote()
  if not quote or hedged.now() - quote.time > 5 then return nil end
  if (side == "buy") ~= late then return quote.bid end
  return quote.ask
end

-- Rests at the touch, follows it, and takes what is left after `patience` seconds.
local function work(self, side, instrument)
  local deadline = hedged.now() + self.patience
  local left = self.size
  while left > 0 do
    local late = hedged.now() >= deadline
    local price = price_now(instrument, side, late)
    if price then
      local order, message = orders.send {
        instrument = instrument.name, side = side, size = left, type = "limit", price = price,
        tif = late and "ioc" or "gtc",
        reason = late and "collar: out of patience" or "collar: rest at the touch",
      }
      if not order then
        hedged.log("collar: " .. message)
        return
      end
      order:await(math.min(60, self.patience))
      order:cancel()
      order:await(1)
      left = left - order.filled
    end
    hedged.sleep(1)
  end
end

function S:on_start()
  -- The chain is known at once, its quotes come with the first ticks.
  hedged.after(5, function()
    local call = market.find { underlying = self.underlying, type = "C",
                               delta = self.call_delta }[1]
    local put = call and market.find { underlying = self.underlying, type = "P",
                                       expiry = call.expiry, delta = self.put_delta }[1]
    if not put then
      hedged.log("collar: no options to make it of")
      return
    end
    hedged.spawn(function() work(self, "sell", call) end)
    hedged.spawn(function() work(self, "buy", put) end)
  end)
end

function S:on_fill(fill)
  hedged.log(("%s %g %s at %g"):format(fill.side, fill.size, fill.instrument, fill.price))
end

return S
