-- Hedging policies: pure functions from exposure and market to the wanted trade. They keep no
-- state, read no clock and send nothing, so each can be tested in plain Lua and compared on paper.
--
-- Every policy returns the signed delta to trade in coins (positive = buy), 0 when there is
-- nothing to do. Policies with a no-trade zone return the zone as a second value:
--     { lo =, hi =, centre =, half =, ... }   edges of total delta, in coins
-- Trading to the nearest edge is the default: under proportional costs it beats trading to the
-- middle by a wide margin (Hodges-Neuberger 1989, Davis-Panas-Zariphopoulou 1993). The middle wins
-- only where each order has a fixed cost.
--
-- Symbols of the formulas below (units as in hedged.exposure):
--     S      spot            USD per coin           args.spot
--     G      gamma of book   coins per USD, signed  args.gamma   (short options: negative)
--     s      volatility      fraction per year      args.sigma
--     tau    time to expiry  years                  args.tau
--     r      rate            fraction per year      args.rate    (default 0)
--     k      one-way cost    fraction of the value traded (fee + half spread)   args.cost
--     gamma  absolute risk aversion, per USD        args.risk_aversion
-- The formulas were derived for one vanilla option. They scale exactly to n equal options when G is
-- the gamma of the whole book and the risk aversion that of the whole account (exponential
-- utility: H_n(gamma) = n H_1(n gamma)). For a mixed book they are good while G keeps its sign
-- near the spot; where it changes sign, prefer a fixed band.
--
-- Misuse (a missing field, NaN, lo above hi) raises with the caller's line.

local policy = {}

local abs, exp, huge, max, min, sqrt = math.abs, math.exp, math.huge, math.max, math.min, math.sqrt
local PI = math.pi

-- Trades below this share of the larger of delta and edge are rounding, not intent.
local ROUNDING = 1e-12
-- tau is not taken shorter than one hour: H0 of Zakamouline's formula grows as 1/tau.
local TAU_MIN = 1 / (365 * 24)
-- Long gamma and high risk aversion can push K below -1, where no volatility is left.
local K_MIN = -0.99

-- The level of an error is that of the caller of the public function, which calls these directly.
local CALLER = 3

local function fail(level, who, text)
  error("policy." .. who .. ": " .. text, level + 1)
end

local function show(value)
  if value ~= value then return "NaN" end -- its sign depends on the machine
  if type(value) == "number" then return tostring(value) end
  return type(value) == "nil" and "nothing" or "a " .. type(value)
end

local function number(who, args, key, default, level)
  local value = args[key]
  if value == nil then value = default end
  if type(value) ~= "number" or value ~= value then
    fail((level or CALLER), who, key .. " must be a number, got " .. show(value))
  end
  return value
end

local function finite(who, args, key, default, level)
  local value = number(who, args, key, default, (level or CALLER) + 1)
  if value == huge or value == -huge then
    fail((level or CALLER), who, key .. " must be finite, got " .. show(value))
  end
  return value
end

local function positive(who, args, key, default, level)
  local value = finite(who, args, key, default, (level or CALLER) + 1)
  if value <= 0 then
    fail((level or CALLER), who, key .. " must be above zero, got " .. show(value))
  end
  return value
end

local function not_negative(who, args, key, default, level)
  local value = number(who, args, key, default, (level or CALLER) + 1)
  if value < 0 then
    fail((level or CALLER), who, key .. " must not be negative, got " .. show(value))
  end
  return value
end

local function table_of(who, args, level)
  if type(args) ~= "table" then
    fail((level or CALLER), who, "takes one table of named fields, got " .. show(args))
  end
end

-- Where a trade ends, as a share of the way from the edge (0) to the target (1).
local function destination(who, to)
  if to == nil or to == "edge" then return 0 end
  if to == "target" then return 1 end
  if type(to) == "number" and to >= 0 and to <= 1 then return to end
  fail(CALLER, who, 'to must be "edge", "target" or a number from 0 (edge) to 1 (target)')
end

-- The trade that brings delta back into [lo, hi]; `share` of the way on towards target.
local function back_into(delta, lo, hi, target, share, smallest)
  local edge
  if delta > hi then
    edge = hi
  elseif delta < lo then
    edge = lo
  else
    return 0
  end
  local trade = edge + share * (target - edge) - delta
  local size = abs(trade)
  if size < smallest or size <= ROUNDING * max(abs(delta), abs(edge)) then return 0 end
  return trade
end

-- Fixed band around a target.
--     delta   coins held now, pending orders included
--     target  wanted delta (0)
--     lo, hi  tolerated distances from the target: lo <= hi, usually lo = -hi
--     to      where a trade ends: "edge" (the nearest one, default), "target", or a number
--             between, 0 = edge, 1 = target
--     min     trades smaller than this are not worth an order (0)
function policy.band(args)
  table_of("band", args)
  local delta = finite("band", args, "delta")
  local target = finite("band", args, "target", 0)
  local lo = number("band", args, "lo")
  local hi = number("band", args, "hi")
  local smallest = not_negative("band", args, "min", 0)
  local share = destination("band", args.to)
  if lo > hi then
    fail(2, "band", "lo " .. show(lo) .. " is above hi " .. show(hi))
  end
  if share > 0 and (lo > 0 or hi < 0) then
    fail(2, "band", "the target lies outside the band: lo and hi are distances from it")
  end
  return back_into(delta, target + lo, target + hi, target, share, smallest)
end

-- Rebalance to the target every `period` seconds, whatever the delta is.
--     now     hedged.now()
--     last    time of the last rebalance, nil = never: due at once
-- Second value: the time it is due next.
function policy.clock(args)
  table_of("clock", args)
  local delta = finite("clock", args, "delta")
  local target = finite("clock", args, "target", 0)
  local now = finite("clock", args, "now")
  local last = finite("clock", args, "last", 0)
  local period = positive("clock", args, "period")
  local smallest = not_negative("clock", args, "min", 0)
  if args.last ~= nil and now < last + period then return 0, last + period end
  local trade = target - delta
  if abs(trade) < smallest or abs(trade) <= ROUNDING * abs(delta) then trade = 0 end
  return trade, now + period
end

-- Hedge a fixed share of the book: the hedge is held at -ratio times the delta of everything else.
--     delta   coins in all, the hedge included
--     hedge   coins of it that are the hedge
--     ratio   0 = nothing, 1 = all, 1.5 = half as much again
--     lo, hi  as in policy.band, around the delta that ratio leaves (0: trade on any difference)
function policy.ratio(args)
  table_of("ratio", args)
  local delta = finite("ratio", args, "delta")
  local hedge = finite("ratio", args, "hedge")
  local ratio = not_negative("ratio", args, "ratio", 1)
  local target = finite("ratio", args, "target", 0)
  local lo = number("ratio", args, "lo", 0)
  local hi = number("ratio", args, "hi", 0)
  local smallest = not_negative("ratio", args, "min", 0)
  local share = destination("ratio", args.to)
  if lo > hi then
    fail(2, "ratio", "lo " .. show(lo) .. " is above hi " .. show(hi))
  end
  local left = target + (1 - ratio) * (delta - hedge - target)
  return back_into(delta, left + lo, left + hi, left, share, smallest)
end

-- The stop-loss strategy of Hull (Options, Futures and Other Derivatives, section 19.3): covered
-- while an option is in the money, naked while it is not. It does not get better with more
-- frequent checks; it is here to be compared with, and as an overlay.
--     spot    USD per coin; the forward is the better choice when it is known
--     strike, cp ("C" or "P")
--     size    coins of the option held, signed
--     held    coins of the hedge held, signed
function policy.stop_loss(args)
  table_of("stop_loss", args)
  local spot = positive("stop_loss", args, "spot")
  local strike = positive("stop_loss", args, "strike")
  local size = finite("stop_loss", args, "size")
  local held = finite("stop_loss", args, "held")
  if args.cp ~= "C" and args.cp ~= "P" then
    fail(2, "stop_loss", 'cp must be "C" or "P"')
  end
  local wanted = 0
  if args.cp == "C" and spot > strike then
    wanted = -size
  elseif args.cp == "P" and spot < strike then
    wanted = size
  end
  return wanted - held
end

-- Zone of Whalley and Wilmott (1997), small costs, exponential utility:
--     D +- H,   H = (3/2 e^(-r tau) k S G^2 / gamma)^(1/3)
-- tau is needed only with a rate. `cap` bounds H, in coins.
local function whalley_wilmott_half(who, args, level)
  local gamma = finite(who, args, "gamma", nil, level)
  local spot = positive(who, args, "spot", nil, level)
  local cost = not_negative(who, args, "cost", nil, level)
  local aversion = positive(who, args, "risk_aversion", nil, level)
  local rate = finite(who, args, "rate", 0, level)
  local tau = not_negative(who, args, "tau", 0, level)
  local cap = not_negative(who, args, "cap", huge, level)
  local cube = 1.5 * exp(-rate * tau) * cost * spot * gamma * gamma / aversion
  return min(cube ^ (1 / 3), cap)
end

local function whalley_wilmott_zone(who, args, level)
  local target = finite(who, args, "target", 0, level)
  local half = whalley_wilmott_half(who, args, level + 1)
  return { lo = target - half, hi = target + half, centre = target, half = half }
end

function policy.whalley_wilmott_zone(args)
  table_of("whalley_wilmott_zone", args)
  local zone = whalley_wilmott_zone("whalley_wilmott_zone", args, CALLER + 1)
  return zone
end

-- Trades to the nearest edge of the zone (or as `to` says).
function policy.whalley_wilmott(args)
  table_of("whalley_wilmott", args)
  local delta = finite("whalley_wilmott", args, "delta")
  local smallest = not_negative("whalley_wilmott", args, "min", 0)
  local share = destination("whalley_wilmott", args.to)
  local zone = whalley_wilmott_zone("whalley_wilmott", args, CALLER + 1)
  return back_into(delta, zone.lo, zone.hi, zone.centre, share, smallest), zone
end

-- By how much the delta of the options changes when they are priced at `modified` instead of
-- `sigma`: exactly by `delta_at(vol)`, else to first order by the book's vanna, else not at all.
local function delta_shift(who, args, sigma, modified, level)
  if args.delta_at ~= nil then
    if type(args.delta_at) ~= "function" then
      fail(level, who, "delta_at must be a function from vol to the delta of the options")
    end
    return args.delta_at(modified) - args.delta_at(sigma)
  end
  local vanna = finite(who, args, "vanna", 0, level + 1) -- coins per vol point
  return vanna * 100 * (modified - sigma)
end

-- Zone of Zakamouline (2006), fitted to the exact optimum; within a few per cent to about ten per
-- cent of its excess cost, where Whalley-Wilmott costs up to a quarter more:
--     D(s_m) +- (H0 + H1)
--     H0 = k / (gamma S s^2 tau)
--     H1 = 1.12 k^0.31 tau^0.05 (e^(-r tau) / s)^0.25 (|G| / gamma)^0.5
--     K  = -4.76 k^0.78 tau^-0.02 (e^(-r tau) / s)^0.25 (gamma S^2 |G|)^0.15
--     s_m^2 = s^2 (1 + K) for long gamma, s^2 (1 - K) for short gamma
-- Total delta is held around `target` with the options' own delta taken at s_m, so the centre of
-- the zone moves by minus the shift that brings. Guards: tau not under an hour, K not under -0.99,
-- H not above `cap` coins (pass the coins of notional: nobody needs a wider band).
local function zakamouline_zone(who, args, level)
  local gamma = finite(who, args, "gamma", nil, level)
  local spot = positive(who, args, "spot", nil, level)
  local sigma = positive(who, args, "sigma", nil, level)
  local tau = max(not_negative(who, args, "tau", nil, level), TAU_MIN)
  local cost = not_negative(who, args, "cost", nil, level)
  local aversion = positive(who, args, "risk_aversion", nil, level)
  local rate = finite(who, args, "rate", 0, level)
  local cap = not_negative(who, args, "cap", huge, level)
  local target = finite(who, args, "target", 0, level)
  local h0, h1, k = 0, 0, 0
  if cost > 0 and gamma ~= 0 then
    local decay = (exp(-rate * tau) / sigma) ^ 0.25
    h0 = cost / (aversion * spot * sigma * sigma * tau)
    h1 = 1.12 * cost ^ 0.31 * tau ^ 0.05 * decay * sqrt(abs(gamma) / aversion)
    k = -4.76 * cost ^ 0.78 * tau ^ -0.02 * decay * (aversion * spot * spot * abs(gamma)) ^ 0.15
    k = max(k, K_MIN)
  end
  local modified = sigma * sqrt(gamma > 0 and 1 + k or 1 - k)
  local centre = target - delta_shift(who, args, sigma, modified, level)
  local half = min(h0 + h1, cap)
  return { lo = centre - half, hi = centre + half, centre = centre, half = half,
           h0 = h0, h1 = h1, k = k, sigma = modified }
end

function policy.zakamouline_zone(args)
  table_of("zakamouline_zone", args)
  local zone = zakamouline_zone("zakamouline_zone", args, CALLER + 1)
  return zone
end

-- Trades to the nearest edge of the zone (or as `to` says).
function policy.zakamouline(args)
  table_of("zakamouline", args)
  local delta = finite("zakamouline", args, "delta")
  local smallest = not_negative("zakamouline", args, "min", 0)
  local share = destination("zakamouline", args.to)
  local zone = zakamouline_zone("zakamouline", args, CALLER + 1)
  return back_into(delta, zone.lo, zone.hi, zone.centre, share, smallest), zone
end

-- Volatility of Leland (1985) for rebalancing every dt years:
--     s_m^2 = s^2 (1 +- A),   A = sqrt(8 / pi) k / (s sqrt(dt)),   k ONE-way
-- "+" for short gamma, "-" for long gamma. (With the round-trip rate the factor is sqrt(2 / pi);
-- mixing the two is a common error.) For long gamma A >= 1 means that rebalancing so often costs
-- more than gamma earns: nil, message, "undefined". Second value on success: A.
local function leland_sigma(who, args, level)
  local sigma = positive(who, args, "sigma", nil, level)
  local cost = not_negative(who, args, "cost", nil, level)
  local dt = positive(who, args, "dt", nil, level)
  local gamma = finite(who, args, "gamma", nil, level)
  local a = sqrt(8 / PI) * cost / (sigma * sqrt(dt))
  if gamma > 0 and a >= 1 then
    return nil, "policy." .. who .. ": the cost is too high for rebalancing this often while long "
      .. "gamma (A = " .. string.format("%.4g", a) .. ", must be below 1)", "undefined"
  end
  return sigma * sqrt(gamma > 0 and 1 - a or 1 + a), a
end

function policy.leland_sigma(args)
  table_of("leland_sigma", args)
  local sigma, a, code = leland_sigma("leland_sigma", args, CALLER + 1)
  return sigma, a, code
end

-- Rebalances every `dt` years to the delta at Leland's volatility. now and last in seconds, as in
-- policy.clock; vanna or delta_at as in policy.zakamouline.
function policy.leland(args)
  table_of("leland", args)
  local delta = finite("leland", args, "delta")
  local target = finite("leland", args, "target", 0)
  local now = finite("leland", args, "now")
  local last = finite("leland", args, "last", 0)
  local period = positive("leland", args, "dt") * 365 * 86400
  local smallest = not_negative("leland", args, "min", 0)
  local modified, a, code = leland_sigma("leland", args, CALLER + 1)
  if not modified then return nil, a, code end
  local centre = target - delta_shift("leland", args, args.sigma, modified, CALLER)
  local zone = { lo = centre, hi = centre, centre = centre, half = 0, sigma = modified, a = a }
  -- A due time missed by rounding of the division would wait a whole period more.
  if args.last ~= nil and now - last < period * (1 - ROUNDING) then return 0, zone end
  return back_into(delta, centre, centre, centre, 0, smallest), zone
end

return policy
