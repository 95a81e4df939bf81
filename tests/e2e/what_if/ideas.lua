-- Asks what three orders would do, sends them at once, and compares with what the venue booked: the
-- fee of each order and the balances to the last unit, delta and average price as doubles.
local hedged = require "hedged"
local market = require "hedged.market"
local orders = require "hedged.orders"
local portfolio = require "hedged.portfolio"

local S = hedged.strategy { api = 1, underlying = "BTC" }
local POOL = { "BTC-PERPETUAL", "BTC_USDC-PERPETUAL", "BTC-27FEB26", "BTC-27FEB26-88000-C",
  "BTC-30JAN26-85000-P", "BTC-30JAN26-91000-C", "BTC-27MAR26-100000-C", "BTC_USDC" }
local counts = { asked = 0, orders = 0, makers = 0, capped = 0, accounts = 0, wrong = 0 }
local waiting = {} -- what was said, by order id

local function wrong(what, told, got)
  counts.wrong = counts.wrong + 1
  if counts.wrong <= 5 then hedged.log("%s: told %.12g, got %.12g", what, told, got) end
end

local function units(x) return math.floor(x * 1e9 + 0.5) end

local function idea()
  local i = market.get(POOL[math.random(#POOL)])
  local q, d = i:quote(), i:depth(50)
  if not (q and q.bid and q.ask) then return end
  local buy = math.random() < 0.5
  local kind = math.random(4)
  local levels = buy and d.asks or d.bids
  if #levels == 0 then return end
  local there = 0
  for n = 1, math.min(#levels, math.random(4)) do there = there + levels[n].size end
  local size = math.max(i.lot, math.floor(there * (0.3 + 0.6 * math.random()) / i.lot) * i.lot)
  local price, post
  if kind == 2 then price = buy and q.ask or q.bid end -- takes the touch, the rest rests
  if kind == 3 then price, post = buy and q.bid or q.ask, true end
  return { instrument = i, side = buy and "buy" or "sell", size = size, price = price,
    post_only = post }
end

-- Resting orders of before are gone when the next are thought of, and what was taken then is
-- back in the book.
function S:on_start()
  hedged.every(120, function()
    orders.cancel_all()
    hedged.after(10, function() self:ask() end)
  end)
end

function S:ask()
  local list, seen = {}, {}
  for _ = 1, 3 do
    local one = idea()
    if one and not seen[one.instrument.name] then
      seen[one.instrument.name] = true
      list[#list + 1] = one
    end
  end
  local what, message, code = portfolio.what_if { orders = list }
  if not what then return wrong(code .. " " .. message, 0, 0) end
  counts.asked = counts.asked + 1
  -- With market orders alone the account is, once they are filled, what was said it would be.
  local group = { left = 0, what = what, now = hedged.now() }
  for n, one in ipairs(list) do
    local told = what.orders[n]
    local sent = orders.send { instrument = one.instrument, side = one.side, size = one.size,
      price = one.price, post_only = one.post_only, reason = "as asked" }
    if one.price or not told.fits or not sent then group.left = math.huge end
    if sent then
      counts.orders = counts.orders + 1
      group.left = group.left + 1
      waiting[sent.id] = { told = told, fee = 0, paid = 0, amount = 0, idea = one, group = group }
    end
  end
end

function S:on_fill(fill)
  local w = waiting[fill.order.id]
  if not w then return end
  local i = w.idea.instrument
  w.fee = w.fee + units(fill.fee)
  w.amount = w.amount + fill.size
  local coins = i.inverse and i.kind ~= "option"
  w.paid = w.paid + (coins and fill.size / fill.price or fill.size * fill.price)
  w.maker = (w.maker or 0) + (fill.liquidity == "maker" and fill.size or 0)
  if math.abs(w.amount - w.idea.size) > 1e-9 then return end
  waiting[fill.order.id] = nil
  local average = coins and w.amount / w.paid or w.paid / w.amount
  -- The maker's fee of inverse futures is rounded for each fill, however many they become later.
  local slack = (w.maker > 0 or not w.told.fits) and 100 or 0
  if math.abs(units(w.told.fee) - w.fee) > slack then
    wrong(i.name .. " fee", w.told.fee, w.fee / 1e9)
  end
  if w.told.fits and w.told.maker == 0 and math.abs(w.told.price - average) > 1e-9 * average then
    wrong(i.name .. " price", w.told.price, average)
  end
  w.group.left = w.group.left - 1
  if w.group.left == 0 and hedged.now() == w.group.now then
    counts.accounts = counts.accounts + 1
    local m, after = portfolio.margin(), w.group.what.after
    for _, name in ipairs { "equity", "initial", "maintenance", "margin_balance", "leverage" } do
      if math.abs(m[name] - after[name]) > 1e-9 * math.abs(after[name]) + 1e-6 then
        wrong(name, after[name], m[name])
      end
    end
  end
  if w.maker > 0 then counts.makers = counts.makers + 1 end
  if i.kind == "option" and average < 0.0024 then counts.capped = counts.capped + 1 end
end

function S:on_stop()
  local function many(name, least) return counts[name] > least and "many" or counts[name] end
  hedged.log("%s wrong; %s asked, %s orders, %s makers, %s capped, %s accounts", counts.wrong,
    many("asked", 100), many("orders", 200), many("makers", 10), many("capped", 3),
    many("accounts", 10))
end

return S
