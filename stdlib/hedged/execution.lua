-- Ways to trade a size over time: at once, resting at the touch, in slices, or a little at a time.
-- They wait, so they are called where waiting is allowed: in a callback or, better, in a task of
-- their own: `hedged.spawn(function() execution.twap { ... } end)`.
--
-- Each returns what was filled, in the instrument's amount unit, and, where it could not do all, a
-- message and a code. What all share: nothing is sent while the fate of an earlier order is open.
-- An order that is cancelled is waited for; if its end stays unknown the rest is not sent, since
-- it might trade twice. What is not sent yet is planned (orders.plan): it counts as pending, so
-- nobody else hedges it meanwhile.

local hedged = require "hedged"
local market = require "hedged.market"
local orders = require "hedged.orders"

local execution = {}

-- Seconds to wait for the venue to say how an order ended.
local ANSWER = 10

local function fail(who, text)
  error("execution." .. who .. ": " .. text, 3)
end

-- Whole lots in a size, never more than it.
local function lots_in(instrument, size)
  return math.floor(size / instrument.lot + 1e-6)
end

local function check(who, args)
  if type(args) ~= "table" then error("execution." .. who .. ": takes one table", 3) end
  if args.side ~= "buy" and args.side ~= "sell" then
    error("execution." .. who .. ': side must be "buy" or "sell"', 3)
  end
  if type(args.size) ~= "number" or not (args.size > 0 and args.size < math.huge) then
    error("execution." .. who .. ": size must be above zero", 3)
  end
  local name = type(args.instrument) == "string" and args.instrument
    or args.instrument and args.instrument.name
  local instrument = name and market.get(name)
  if not instrument then
    error("execution." .. who .. ": there is no instrument " .. tostring(name), 3)
  end
  if lots_in(instrument, args.size) == 0 then
    error("execution." .. who .. ": size is less than one lot", 3)
  end
  return instrument
end

local function positive(who, args, key, default)
  local value = args[key]
  if value == nil then value = default end
  if type(value) ~= "number" or not (value > 0 and value < math.huge) then
    error("execution." .. who .. ": " .. key .. " must be above zero", 3)
  end
  return value
end

local function is_done(order)
  local state = order.state
  return state == "filled" or state == "cancelled" or state == "rejected" or state == "expired"
end

-- Ends an order and returns what it filled; nil, message, code when its end stays unknown.
-- A venue that is busy refuses cancels too: they are asked for again each second.
local function close(order)
  local deadline = hedged.now() + ANSWER
  while not is_done(order) and hedged.now() < deadline do
    order:cancel()
    order:await(math.min(1, deadline - hedged.now()))
  end
  if is_done(order) then return order.filled end
  return nil, "the end of order " .. order.id .. " is not known", "unknown"
end

-- An execution under way: `left` lots are neither sent nor filled, or are in its open order.
local function begin(args, instrument, lots)
  local job = { args = args, instrument = instrument, left = lots }
  orders.plan { instrument = instrument, side = args.side, size = lots * instrument.lot }
  return job
end

local function plan(job, lots)
  local instrument = job.instrument
  orders.plan { instrument = instrument, side = job.args.side, size = lots * instrument.lot }
end

local function finish(job, ...)
  plan(job, 0)
  return ...
end

local function send(job, lots, fields)
  fields.instrument, fields.side = job.instrument.name, job.args.side
  fields.size = lots * job.instrument.lot
  fields.reason = job.args.reason or fields.reason
  plan(job, job.left - lots)
  local order, message, code = orders.send(fields)
  if not order then plan(job, job.left) end
  return order, message, code
end

-- Ends an order of the job. Returns what it has filled, in lots, and whether that is all.
local function settle(job, order)
  local filled, message, code = close(order)
  local lots = lots_in(job.instrument, filled or order.filled)
  job.left = job.left - lots
  if filled then plan(job, job.left) end
  return lots, filled ~= nil, message, code
end

-- Market or, with `limit`, immediate-or-cancel at that price. Returns lots.
local function take(job, lots, reason)
  local limit = job.args.limit
  local order, message, code = send(job, lots, {
    type = limit and "limit" or "market", price = limit, tif = limit and "ioc" or nil,
    reason = reason,
  })
  if not order then return 0, message, code end
  order:await(ANSWER)
  local filled, known
  filled, known, message, code = settle(job, order)
  if not known then return filled, message, code end
  return filled
end

-- Trades at once what the market gives. Fields: instrument, side, size, limit (worst price,
-- optional), reason.
function execution.cross(args)
  local instrument = check("cross", args)
  local job = begin(args, instrument, lots_in(instrument, args.size))
  local filled, message, code = take(job, job.left, "cross")
  return finish(job, filled * instrument.lot, message, code)
end

-- The best price of our own side, and whether it is there.
local function touch(instrument, side)
  local quote = instrument:quote()
  if not quote then return nil end
  if side == "buy" then return quote.bid end
  return quote.ask
end

-- Rests at the touch and follows it: looked at every `refresh` seconds, cancelled and placed anew
-- when the touch has moved away. Ends when all is filled or after `patience` seconds; with `cross`
-- what is left then is taken from the market.
local function rest(job, lots, patience, refresh, cross)
  local deadline = hedged.now() + patience
  local side, left = job.args.side, lots
  while left > 0 and hedged.now() < deadline do
    local price = touch(job.instrument, side)
    if not price then
      hedged.sleep(math.min(refresh, deadline - hedged.now()))
    else
      local order, message, code = send(job, left, {
        type = "limit", price = price, tif = "gtc", post_only = true,
        reason = "rest at the touch",
      })
      if not order then return lots - left, message, code end
      repeat
        order:await(math.max(0, math.min(refresh, deadline - hedged.now())))
        local now = touch(job.instrument, side)
      until is_done(order) or hedged.now() >= deadline or now and now ~= price
      local filled, known
      filled, known, message, code = settle(job, order)
      left = left - filled
      if not known then return lots - left, message, code end
      -- The book moved into us before the order arrived: look again, but not at once.
      if order.state == "rejected" then hedged.sleep(refresh) end
    end
  end
  if left > 0 and cross then
    local filled, message, code = take(job, left, "out of patience")
    return lots - left + filled, message, code
  end
  return lots - left
end

local function rest_all(args, instrument, patience, refresh, cross)
  local job = begin(args, instrument, lots_in(instrument, args.size))
  local filled, message, code = rest(job, job.left, patience, refresh, cross)
  return finish(job, filled * instrument.lot, message, code)
end

-- Fields: instrument, side, size; patience (60 s), refresh (1 s), cross (false), limit (worst price
-- when crossing), reason.
function execution.peg(args)
  local instrument = check("peg", args)
  local patience = positive("peg", args, "patience", 60)
  local refresh = positive("peg", args, "refresh", 1)
  local filled, message, code = rest_all(args, instrument, patience, refresh, args.cross)
  return filled, message, code
end

-- execution.peg that always takes the rest at the end.
function execution.passive_then_cross(args)
  local instrument = check("passive_then_cross", args)
  local patience = positive("passive_then_cross", args, "patience", 60)
  local refresh = positive("passive_then_cross", args, "refresh", 1)
  local filled, message, code = rest_all(args, instrument, patience, refresh, true)
  return filled, message, code
end

-- Equal slices at equal times: the first at once, the last one slice before `duration` is over.
-- What a slice did not fill is carried into the next. With `passive` each slice rests at the touch
-- for its share of the time before it crosses. Fields: instrument, side, size, duration (s), slices
-- (10), passive (false), refresh (1 s), limit, reason.
function execution.twap(args)
  local instrument = check("twap", args)
  local duration = positive("twap", args, "duration")
  local slices = positive("twap", args, "slices", 10) // 1
  if slices < 1 then fail("twap", "slices must be at least 1") end
  local refresh = positive("twap", args, "refresh", 1)
  local total, done = lots_in(instrument, args.size), 0
  local job = begin(args, instrument, total)
  local start = hedged.now()
  local message, code
  for slice = 1, slices do
    local due = math.floor(total * slice / slices + 0.5)
    local stop = start + duration * slice / slices
    if due > done then
      local filled
      if args.passive then
        local patience = math.max(refresh, stop - hedged.now() - refresh)
        filled, message, code = rest(job, due - done, patience, refresh, true)
      else
        filled, message, code = take(job, due - done, ("slice %d of %d"):format(slice, slices))
      end
      done = done + filled
      if code == "unknown" then return finish(job, done * instrument.lot, message, code) end
    end
    if slice < slices and stop > hedged.now() then hedged.sleep(stop - hedged.now()) end
  end
  if done < total then
    return finish(job, done * instrument.lot, message or "the market did not give it all",
      code or "rest")
  end
  return finish(job, done * instrument.lot)
end

-- Shows `show` of the size at `price` and refills until all is filled or `patience` seconds are
-- over. Fields: instrument, side, size, show, price, patience (3600 s), reason.
function execution.iceberg(args)
  local instrument = check("iceberg", args)
  local show = positive("iceberg", args, "show")
  local price = positive("iceberg", args, "price")
  local patience = positive("iceberg", args, "patience", 3600)
  local shown, total = lots_in(instrument, show), lots_in(instrument, args.size)
  if shown == 0 then fail("iceberg", "show is less than one lot") end
  local job = begin(args, instrument, total)
  local deadline = hedged.now() + patience
  local function result(message, code)
    return finish(job, (total - job.left) * instrument.lot, message, code)
  end
  while job.left > 0 and hedged.now() < deadline do
    local order, message, code = send(job, math.min(shown, job.left), {
      type = "limit", price = price, tif = "gtc", reason = "iceberg",
    })
    if not order then return result(message, code) end
    order:await(deadline - hedged.now())
    local _, known
    _, known, message, code = settle(job, order)
    if not known then return result(message, code) end
    if order.state == "rejected" then return result(order.message, order.code) end
  end
  return result()
end

return execution
