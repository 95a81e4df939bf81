-- What a session was charged, holds and is worth, computed again from its events file by the
-- formulas of docs/pnl.md, in doubles: each fill rounds to units of 1e-9.
--   fees       of each fill, from the terms of its instrument
--   cost       of what is held: the average cost, released pro rata, new at each daily settlement
--   funding    -rate * value * time / 8 h
--   accounts   balance + unrealised profit + options = equity; all of them are the sample's equity
--   P&L        equity less first marks and deposits is what the sample calls pnl_hedged
local UNITS = 1e-7

local function text(line, name) return line:match('"' .. name .. '":"([^"]*)"') end
local function number(line, name)
  return tonumber(line:match('"' .. name .. '":(-?[%d.]+e?-?%d*)'))
end

local faults, counts = 0, {}
local function near(what, line, told, computed, slack)
  counts[what] = (counts[what] or 0) + 1
  if math.abs(told - computed) <= (slack or UNITS) then return end
  faults = faults + 1
  if faults <= 5 then
    print(("%s: told %.10g, computed %.10g: %s"):format(what, told, computed, line))
  end
end

local terms, books, first, venue_orders = {}, {}, {}, {}
local accounts, held = {}, {}
local last = {}

local function book(name)
  books[name] = books[name] or { size = 0, cost = 0 }
  return books[name]
end

-- Worth of a signed size in the settlement currency, and what a future gained between two of them.
local function worth(t, size, price) return t.coins and size / price or size * price end
local function gain(t, cost, value) return t.coins and cost - value or value - cost end

local on = {}
function on.instrument(line)
  local t = { type = text(line, "type"), settle = text(line, "settle") }
  t.inverse = line:find('"inverse":true', 1, true) ~= nil
  t.coins = t.inverse and t.type ~= "option"
  t.premium = t.type == "option" or t.type == "spot"
  for _, name in ipairs { "maker", "taker", "fee_cap", "liquidation" } do
    t[name] = number(line, name)
  end
  terms[text(line, "instrument")] = t
end

function on.order(line)
  venue_orders[number(line, "id")] = text(line, "reason") == "liquidation"
end

local function fee(t, line, size, price)
  local seized = venue_orders[number(line, "id")]
  local rate = seized and t.liquidation or text(line, "liquidity") == "maker" and t.maker or t.taker
  if t.type ~= "option" then return rate * worth(t, size, price) end
  local charge = rate * size * (t.inverse and 1 or number(line, "index"))
  return seized and charge or math.min(charge, t.fee_cap * size * price)
end

function on.fill(line)
  local name, size, price = text(line, "instrument"), number(line, "size"), number(line, "price")
  local t, b, sign = terms[name], book(name), text(line, "side") == "buy" and 1 or -1
  near("fees", line, number(line, "fee"), fee(t, line, size, price), 2e-9)
  local closed = b.size * sign < 0 and math.min(size, math.abs(b.size)) or 0
  if closed > 0 then b.cost = b.cost * (1 - closed / math.abs(b.size)) end
  if size > closed then b.cost = b.cost + worth(t, sign * (size - closed), price) end
  b.size = b.size + sign * size
end

function on.settlement(line)
  local name = text(line, "instrument")
  local t, b, price = terms[name], book(name), number(line, "price")
  if text(line, "type") == "daily" then
    near("settlements", line, number(line, "amount"), gain(t, b.cost, worth(t, b.size, price)))
    b.cost = worth(t, b.size, price)
  else
    b.size, b.cost = 0, 0
  end
end

function on.funding(line)
  local hours = (number(line, "until") - number(line, "since")) / 3600
  near("funding", line, number(line, "amount"),
    -number(line, "rate") * number(line, "value") * hours / 8)
end

function on.position(line)
  local name, cause = text(line, "instrument"), text(line, "cause")
  local b, size = book(name), number(line, "position")
  if cause == "open" then
    b.size, b.cost = size, number(line, "cost")
  elseif cause == "first_mark" then
    b.cost = number(line, "cost")
    first[name] = {
      size = size, price = number(line, "mark"), usd = number(line, "usd"), cost = b.cost,
    }
  else
    near("sizes", line, size, b.size)
    near("costs", line, number(line, "cost"), b.cost)
    held[name] = { mark = number(line, "mark"), accrued = number(line, "accrued") or 0 }
  end
end

function on.cash(line) accounts[text(line, "currency")] = { balance = number(line, "balance") } end

function on.account(line)
  local currency = text(line, "currency")
  local account = { balance = (accounts[currency] or { balance = 0 }).balance, upl = 0, options = 0,
                    usd = number(line, "usd"), deposited = number(line, "deposited_usd") }
  for name, h in pairs(held) do
    local t, b = terms[name], books[name]
    if t.settle == currency and b.size ~= 0 then
      local value = worth(t, b.size, h.mark)
      if t.premium then account.options = account.options + value
      else account.upl = account.upl + gain(t, b.cost, value) + h.accrued end
    end
  end
  near("accounts", line, number(line, "equity"), account.balance + account.upl + account.options)
  accounts[currency] = account
end

function on.sample(line)
  held = {}
  last = { line = line, equity = number(line, "equity"), pnl = number(line, "pnl_hedged") }
end

-- The explanation follows the positions and accounts of a sample: time to add them up.
function on.explain()
  if not last.line then return end
  local equity, base = 0, 0
  for _, account in pairs(accounts) do
    equity = equity + (account.balance + account.upl + account.options) * account.usd
    base = base + account.deposited
  end
  for name, f in pairs(first) do
    local t = terms[name]
    local value = worth(t, f.size, f.price)
    base = base + (t.premium and value * f.usd or gain(t, f.cost, value) * accounts[t.settle].usd)
  end
  near("equity", last.line, last.equity, equity, 1e-2)
  near("P&L", last.line, last.pnl, equity - base, 1e-2)
  last = {}
end

for line in io.lines((...)) do
  local handler = on[text(line, "kind")]
  if handler then handler(line) end
end
local names = {}
for what, count in pairs(counts) do names[#names + 1] = what .. (count > 5 and "" or " (few)") end
table.sort(names)
print(faults .. " faults in " .. table.concat(names, ", "))
