-- Which instrument is the cheapest to hedge with? Ranks instruments by what a hedge of a given
-- delta would cost over the time it is held: half the spread, the fee, and the carry (funding of a
-- perpetual, basis of a dated future).
--
-- In a session the formula is that of `instrument:cost` (docs/margin.md): `select.compare` and
-- `select.best` ask it, for every kind and venue. `select.rank` is a pure function over plain
-- tables, for what no session quotes; its carry is the same, its spread that of the touch alone.
-- `select.candidates` fills such tables from the market of a session.
--
-- Cost in USD of a hedge worth N = |delta| * spot dollars, held for h seconds; side = +1 buying
-- delta, -1 selling it:
--     half spread   N (ask - bid) / (ask + bid)
--     fee           N rate, twice when `round_trip` (default)
--     carry         perpetual:  side N f h / 8 h            (longs pay positive funding), f the
--                               mean rate expected over h: mean + (funding - mean)
--                               (1 - p^n) / (n (1 - p)), n = h / 8 h, p = 0.95, mean 0.01 %
--                   future:     side N (F / S - 1) h / time to expiry   (the basis runs off)
--                   spot:       side N rate h / year, `rate` the cost of money (default 0)
-- The half spread too is paid twice for a round trip. What is beyond the displayed size is unknown:
-- such a cost is a floor and no answer. That is a `problem` of the row, ranked after all that fit.

local select = {}

local YEAR = 365 * 86400
local FUNDING_PERIOD = 8 * 3600
local FUNDING_MEAN = 0.0001
local FUNDING_STAYS = 0.95 -- of its distance from the mean, per period; as runtime/exec/cost.c

local function fail(who, text)
  error("select." .. who .. ": " .. text, 3)
end

local function is_number(value)
  return type(value) == "number" and value == value
end

local function is_finite(value)
  return is_number(value) and value ~= math.huge and value ~= -math.huge
end

-- Mean rate per 8 h expected over a horizon, from the rate of now.
local function funding_expected(now, mean, horizon)
  local n = horizon / FUNDING_PERIOD
  return mean + (now - mean) * (1 - FUNDING_STAYS ^ n) / (n * (1 - FUNDING_STAYS))
end

-- Carry in USD; positive = cost.
local function carry_of(item, side, notional, args)
  local h = args.horizon
  if item.kind == "perpetual" then
    local mean = args.funding_mean or FUNDING_MEAN
    local rate = item.funding and funding_expected(item.funding, mean, h) or 0
    return side * notional * rate * h / FUNDING_PERIOD
  elseif item.kind == "future" then
    local left = item.expiry - args.now
    local basis = (item.bid + item.ask) / 2 / args.spot - 1
    return side * notional * basis * math.min(h, left) / left
  end
  return side * notional * (args.rate or 0) * h / YEAR
end

-- Of a row whose size is more than the book shows.
local function too_thin(size, shown)
  if not (size and shown) then return "more than the book shows" end
  return ("the book shows %.10g of a size of %.10g"):format(shown, size)
end

local function why_not(item, args)
  if not (is_number(item.bid) and is_number(item.ask) and item.bid > 0 and item.ask > 0) then
    return "no two-sided quote"
  elseif item.bid > item.ask then
    return "crossed quote"
  elseif item.kind == "future" and not (is_finite(item.expiry) and item.expiry > args.now) then
    return "expired"
  elseif item.age and args.max_age and item.age > args.max_age then
    return "stale quote"
  end
end

-- rank { delta =, spot =, horizon =, now =, instruments = { ... } } -> list, cheapest first.
-- Instruments: { name =, kind = "perpetual" | "future" | "spot", bid =, ask = (USD per coin),
-- bid_size =, ask_size = (coins, optional), fee = (taker rate), funding = (per 8 h), expiry = (s),
-- age = (s, optional) }. Each result: { name, cost, half_spread, fee, carry (USD), bp (cost in
-- basis points of the notional), fits, problem (text, when it cannot be used) }; one too thin has
-- both a problem and a cost, the least it can be.
function select.rank(args)
  if type(args) ~= "table" then fail("rank", "takes one table of named fields") end
  if not is_finite(args.delta) or args.delta == 0 then
    fail("rank", "delta must be a number other than zero")
  end
  for _, key in ipairs { "spot", "horizon" } do
    if not is_finite(args[key]) or args[key] <= 0 then
      fail("rank", key .. " must be above zero")
    end
  end
  if type(args.instruments) ~= "table" then fail("rank", "instruments must be a list") end

  local side = args.delta > 0 and 1 or -1
  local coins = math.abs(args.delta)
  local notional = coins * args.spot
  local turns = args.round_trip == false and 1 or 2
  local given = { now = args.now or 0, spot = args.spot, horizon = args.horizon, rate = args.rate,
                  max_age = args.max_age, funding_mean = args.funding_mean }
  local list = {}
  for i, item in ipairs(args.instruments) do
    local row = { name = item.name, order = i, problem = why_not(item, given), fits = true }
    if not row.problem then
      local shown = side > 0 and item.ask_size or item.bid_size
      if item.ask_size == nil and item.bid_size == nil then shown = math.huge end
      row.fits = (shown or 0) >= coins
      row.problem = not row.fits and too_thin(coins, shown or 0) or nil
      row.half_spread = turns * notional * (item.ask - item.bid) / (item.ask + item.bid)
      row.fee = turns * notional * (item.fee or 0)
      row.carry = carry_of(item, side, notional, given)
      row.cost = row.half_spread + row.fee + row.carry
      row.bp = row.cost / notional * 1e4
    end
    list[i] = row
  end

  local function class(row)
    return not row.cost and 3 or row.fits and 1 or 2
  end
  table.sort(list, function(a, b)
    if class(a) ~= class(b) then return class(a) < class(b) end
    if a.cost ~= b.cost then return a.cost < b.cost end -- both nil when both have a problem
    return a.order < b.order
  end)
  for _, row in ipairs(list) do row.order = nil end
  return list
end

local function displayed(levels)
  local sum = 0
  for _, level in ipairs(levels) do sum = sum + level.size end
  return sum
end

-- One instrument as select.rank wants it. With a size the spread is what walking the depth costs;
-- without one it is that of the touch.
local function candidate(instrument, delta)
  local quote = instrument:quote()
  if not quote or not quote.mid then return nil end
  -- Sizes of inverse contracts are in USD.
  local per_coin = instrument.inverse and instrument.kind ~= "spot" and quote.mid or 1
  local lots = math.max(1, math.floor(math.abs(delta or 1) * per_coin / instrument.lot + 0.5))
  local side = (delta or 1) > 0 and "buy" or "sell"
  local cost, parts = instrument:cost { side = side, size = lots * instrument.lot }
  local item = { name = instrument.name, kind = instrument.kind, expiry = instrument.expiry,
                 bid = quote.bid, ask = quote.ask, age = instrument:age() }
  if instrument.kind == "perpetual" then item.funding = instrument:funding() end
  if cost then item.fee = parts.fee / (lots * instrument.lot / per_coin * quote.mid) end
  if cost and delta then
    local half = math.abs(parts.price - quote.mid)
    item.bid, item.ask = quote.mid - half, quote.mid + half
  end
  local book = instrument:depth(100)
  if book then
    item.bid_size, item.ask_size = displayed(book.bids) / per_coin, displayed(book.asks) / per_coin
  end
  return item
end

-- What a session's market has of an underlying to hedge with: perpetuals, futures and spot that are
-- quoted on both sides. `delta`, in coins, is the size that is to be traded.
function select.candidates(underlying, delta)
  local market = require "hedged.market"
  local list = {}
  for _, instrument in ipairs(market.find { underlying = underlying }) do
    if instrument.kind ~= "option" then list[#list + 1] = candidate(instrument, delta) end
  end
  return list
end

-- rank_costs { rows... } -> list, cheapest first: rows { name =, delta = (coins it hedges), total =
-- (USD, all parts), size =, visible =, fits =, problem = } of any kind and venue, compared by USD
-- per coin of delta, since lots make the sizes differ. Those too thin, which is their problem, come
-- after those that fit, the other unusable ones last.
function select.rank_costs(rows)
  if type(rows) ~= "table" then fail("rank_costs", "takes a list of rows") end
  local list, keys = {}, {}
  for i, row in ipairs(rows) do
    local usable = not row.problem and is_finite(row.total) and is_finite(row.delta) and
      row.delta ~= 0
    local copy = {}
    for key, value in pairs(row) do copy[key] = value end
    local fits = row.fits ~= false
    if usable then
      copy.problem = not fits and too_thin(row.size, row.visible) or nil
      copy.per_coin = row.total / math.abs(row.delta)
    else
      copy.problem = row.problem or "no cost"
    end
    keys[copy] = { class = not usable and 3 or fits and 1 or 2, order = i }
    list[i] = copy
  end
  table.sort(list, function(a, b)
    local x, y = keys[a], keys[b]
    if x.class ~= y.class then return x.class < y.class end
    if a.per_coin ~= b.per_coin then return a.per_coin < b.per_coin end
    return x.order < y.order
  end)
  return list
end

-- Delta of one lot bought, from what the portfolio would become.
local function lot_delta(portfolio, instrument, underlying)
  local quote = instrument:quote()
  if not quote or not quote.mid then return nil, "no two-sided quote" end
  local what, message = portfolio.what_if {
    orders = { { instrument = instrument, size = instrument.lot } },
  }
  if not what then return nil, message end
  local change = what.exposure[underlying]
  return change.after.delta - change.before.delta
end

-- One instrument of the session, sized to `delta` coins and costed in full.
local function costed(instrument, args)
  local row = { name = instrument.name, kind = instrument.kind }
  local portfolio = require "hedged.portfolio"
  local per_lot, message = lot_delta(portfolio, instrument, args.underlying)
  local min_delta = (args.min_delta or 0.05) * (instrument.inverse and instrument.kind ~= "option"
    and 0 or instrument.lot)
  if not per_lot or per_lot == 0 or math.abs(per_lot) < min_delta then
    row.problem = message or "too little delta"
    return row
  end
  local lots = math.floor(math.abs(args.delta / per_lot) + 0.5)
  if lots == 0 then
    row.problem = "less than one lot"
    return row
  end
  row.side = args.delta / per_lot > 0 and "buy" or "sell"
  row.size = lots * instrument.lot
  row.delta = lots * per_lot * (row.side == "buy" and 1 or -1)
  local total, parts = instrument:cost { side = row.side, size = row.size, horizon = args.horizon,
    rate = args.rate, round_trip = args.round_trip ~= false, realised_vol = args.realised_vol,
    funding_mean = args.funding_mean }
  if not total then
    row.problem = parts
    return row
  end
  for key, value in pairs(parts) do row[key] = value end
  local age = args.max_age and instrument:age()
  if age and age > args.max_age then row.problem = "stale quote" end
  return row
end

-- compare { underlying =, delta =, horizon =, rate =, kinds = } -> every instrument of the
-- session's market that could make that delta, options too, cheapest first by instrument:cost.
function select.compare(args)
  if type(args) ~= "table" or type(args.underlying) ~= "string" then
    fail("compare", "takes { underlying =, delta =, horizon = }")
  end
  if not is_finite(args.delta) or args.delta == 0 then
    fail("compare", "delta must be a number other than zero")
  end
  if not is_finite(args.horizon) or args.horizon <= 0 then
    fail("compare", "horizon must be above zero")
  end
  local wanted
  if args.kinds then
    wanted = {}
    for _, kind in ipairs(args.kinds) do wanted[kind] = true end
  end
  local market = require "hedged.market"
  local rows = {}
  for _, instrument in ipairs(market.find { underlying = args.underlying }) do
    if not wanted or wanted[instrument.kind] then
      rows[#rows + 1] = costed(instrument, args)
    end
  end
  return select.rank_costs(rows)
end

-- best { underlying =, delta =, horizon = } -> the cheapest row of select.compare that can be used,
-- and all of them; without `kinds` perpetuals, futures and spot. In each row also `cost` (total),
-- `half_spread` (spread and depth) and `bp`, as select.rank has them.
function select.best(args)
  if type(args) ~= "table" or type(args.underlying) ~= "string" then
    fail("best", "takes { underlying =, delta =, horizon = }")
  end
  local given = {}
  for key, value in pairs(args) do given[key] = value end
  given.kinds = args.kinds or { "perpetual", "future", "spot" }
  local hedged = require "hedged"
  local spot = hedged.exposure(args.underlying).spot
  if not (is_finite(spot) and spot > 0) then
    return nil, "select.best: the spot of " .. args.underlying .. " is not known", "no_price"
  end
  local ranked = select.compare(given)
  for _, row in ipairs(ranked) do
    if row.per_coin then
      row.cost, row.half_spread, row.bp = row.total, row.spread + row.depth, row.bps
    end
  end
  local first = ranked[1]
  if not first or first.problem then
    local why = first and (" (%s: %s)"):format(first.name, first.problem) or ""
    return nil, "select.best: nothing to hedge " .. args.underlying .. " with" .. why,
      first and first.per_coin and "thin" or "none"
  end
  return first, ranked
end

return select
