-- One order of each kind that the paper venue may lack.
local hedged = require "hedged"
local market = require "hedged.market"
local orders = require "hedged.orders"

local S = hedged.strategy { api = 1, underlying = "BTC", instrument = "BTC-PERPETUAL" }
local sent

function S:on_tick(tick)
  local quote = market.get(self.instrument):quote()
  if sent or not quote or not quote.bid or not tick.mark then return end
  sent = true
  local function at(percent) return math.floor(quote.bid * (1 + percent / 100)) end
  local function send(args)
    args.instrument, args.size = self.instrument, 100
    return assert(orders.send(args))
  end
  send { side = "sell", type = "stop", trigger_price = at(-30), trigger = "mark" }
  send { side = "sell", type = "trailing_stop", trail = 30000, trigger = "mark" }
  send { side = "sell", type = "trailing_stop", trail_percent = 40, trigger = "mark" }
  local bid = send { side = "buy", price = at(-2) }
  send { side = "buy", price = at(-2.5), oco = bid }
  send { side = "buy", price = at(-3), good_for = 86400 }
  send { side = "buy", price = at(0.1),
         bracket = { take_profit = at(4), stop = { trigger_price = at(-20), trigger = "mark" } } }
end

return S
