-- Money, sizes and positions of an events file, recomputed from its own lines in whole billionths:
--   cash      the amounts of a currency add up to the balance each line tells
--   fees      what `cash` takes for fees is what fills were charged
--   funding   the same, and each funding line tells the position that the fills add up to
--   orders    `filled` is the sum of fills, never above the size; an end is an end; no trade twice
--   shares    the deltas of the strategies add up to the sample of that time
local NANO = 1000000000

local function text(line, name) return line:match('"' .. name .. '":"([^"]*)"') end
local function number(line, name) return line:match('"' .. name .. '":(-?[%d.e+-]+)') end
local function nano(line, name)
  local sign, whole, part = number(line, name):match "^(-?)(%d+)%.?(%d*)$"
  local n = math.tointeger(whole) * NANO + math.tointeger((part .. "000000000"):sub(1, 9))
  return sign == "-" and -n or n
end
local function add(sums, key, amount) sums[key] = (sums[key] or 0) + amount end

local faults, lines = 0, 0
local function check(good, line, what)
  if good then return end
  faults = faults + 1
  if faults <= 5 then print(what .. ": " .. line) end
end

local balance, causes, charged, positions, filled = {}, {}, {}, {}, {}
local trades, ended, samples = {}, {}, {}
local END = { filled = true, cancelled = true, rejected = true, expired = true }

local on = {}
function on.cash(line)
  local currency, amount = text(line, "currency"), nano(line, "amount")
  add(balance, currency, amount)
  add(causes, currency .. " " .. text(line, "cause"), amount)
  check(balance[currency] == nano(line, "balance"), line, "balance")
end

function on.fill(line)
  local trade, size = number(line, "trade"), nano(line, "size")
  check(not trades[trade], line, "trade told twice")
  trades[trade] = true
  add(filled, number(line, "id"), size)
  add(charged, text(line, "fee_currency") .. " fee", -nano(line, "fee"))
  add(positions, text(line, "instrument"), text(line, "side") == "buy" and size or -size)
end

function on.order(line)
  local id, state = number(line, "id"), text(line, "state")
  check(nano(line, "filled") == (filled[id] or 0), line, "filled")
  check(nano(line, "filled") <= nano(line, "size"), line, "too much")
  check(not ended[id] or ended[id] == state, line, "after its end")
  ended[id] = END[state] and state or nil
end

function on.funding(line)
  add(charged, text(line, "currency") .. " funding", nano(line, "amount"))
  check(positions[text(line, "instrument")] == nano(line, "position"), line, "position")
end

function on.sample(line)
  samples[number(line, "t")] = { left = number(line, "delta"), line = line }
end

function on.share(line)
  local rest = samples[number(line, "t")]
  rest.left = rest.left - number(line, "delta")
end

for line in io.lines((...)) do
  local handler = on[text(line, "kind")]
  if handler then
    lines = lines + 1
    handler(line)
  end
end
for what, amount in pairs(charged) do check(causes[what] == amount, what, "cash differs") end
for _, rest in pairs(samples) do
  check(math.abs(rest.left) < 1e-9, rest.line, "deltas of the shares")
end
print(("%d faults in %d lines"):format(faults, lines))
