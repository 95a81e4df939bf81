-- Every minute an entry with exits that lives less than a minute; every fifth time a cancel of all.
local hedged = require "hedged"
local market = require "hedged.market"
local orders = require "hedged.orders"

local S = hedged.strategy { api = 1, underlying = "BTC", state = { n = 0 } }

function S:on_start()
  hedged.every(60, function() self:enter() end)
end

function S:enter()
  local q = market.get("BTC-PERPETUAL"):quote()
  if not q or not q.bid or not q.ask then return end
  local n = self.state.n + 1
  self.state.n = n
  local buy = n % 2 == 0
  local function at(percent)
    return math.floor(q.bid * (1 + (buy and percent or -percent) / 100))
  end
  local send = buy and orders.buy or orders.sell
  send {
    instrument = "BTC-PERPETUAL", size = 1000 + 10 * n, price = buy and q.ask or q.bid,
    good_for = 50, reason = "entry",
    bracket = { take_profit = at(0.1), stop = { trigger_price = at(-0.1), trigger = "mark" } },
  }
  if n % 5 == 0 then orders.cancel_all() end
end

return S
