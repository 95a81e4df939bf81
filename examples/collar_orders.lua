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

-- Rests at the touch, follows it, and takes what is left after `patience` seconds.
local function work(self, side, instrument)
  local deadline = hedged.now() + self.patience
  local left = self.size
  while left > 0 do
    local quote = instrument:quote() or {}
    local late = hedged.now() >= deadline
    local price = quote.ask
    if (side == "buy") ~= late then price = quote.bid end
    if price then
      local order, message, code = orders.send {
        instrument = instrument.name, side = side, size = left, type = "limit", price = price,
        tif = late and "ioc" or "gtc",
        reason = late and "collar: out of patience" or "collar: rest at the touch",
      }
      if order then
        order:await(math.min(60, self.patience))
        order:cancel()
        order:await(1)
        left = left - order.filled
      elseif code ~= "stale" then -- old quotes get better by waiting, nothing else does
        hedged.log("collar: " .. message)
        return
      end
      hedged.sleep(1)
    else
      hedged.sleep(10) -- one side of the market is empty
    end
  end
end

function S:on_start()
  -- The chain is known at once, its quotes come with the first ticks.
  hedged.after(5, function()
    local legs = {
      sell = market.find { underlying = self.underlying, kind = "option", type = "C",
                           delta = self.call_delta }[1],
      buy = market.find { underlying = self.underlying, kind = "option", type = "P",
                          delta = self.put_delta }[1],
    }
    for _, side in ipairs { "buy", "sell" } do
      if legs[side] then
        hedged.spawn(function() work(self, side, legs[side]) end)
      else
        hedged.log("collar: no option to " .. side)
      end
    end
  end)
end

function S:on_fill(fill)
  hedged.log(("%s %g %s at %g"):format(fill.side, fill.size, fill.instrument, fill.price))
end

return S
