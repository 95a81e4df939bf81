-- Statistics of prices for strategies: weighted averages, realised volatility, bars and rolling
-- regression. Plain Lua, no clock: times are given, in seconds. The streaming objects cost O(1) a
-- value; each tells `ready` when it has seen enough to be believed.
--
-- A bar is { open =, high =, low =, close = } of prices above zero. Volatility is a fraction per
-- year; a year has 365 days of 24 hours, since the markets hedged here never close.

local stats = {}

stats.YEAR = 365 * 86400

local abs, exp, huge, log, max, min, sqrt =
  math.abs, math.exp, math.huge, math.log, math.max, math.min, math.sqrt
local LN2 = log(2)

local function fail(who, text)
  error("stats." .. who .. ": " .. text, 3)
end

local function is_finite(value)
  return type(value) == "number" and value == value and value ~= huge and value ~= -huge
end

local function check(who, name, value, smallest)
  if not is_finite(value) then
    error("stats." .. who .. ": " .. name .. " must be a finite number", 3)
  end
  if smallest and value <= smallest then
    error("stats." .. who .. ": " .. name .. " must be above " .. smallest, 3)
  end
end

-- Exponentially weighted mean and variance. --------------------------------------------------

local Ewma = {}
Ewma.__index = Ewma

-- stats.ewma { halflife = } : the weight of a value halves every `halflife` values, or every
-- `halflife` seconds when add() is given times.
function stats.ewma(args)
  if type(args) ~= "table" then fail("ewma", "takes { halflife = }") end
  check("ewma", "halflife", args.halflife, 0)
  return setmetatable({ halflife = args.halflife, count = 0, weight = 0, mean = nil,
                        variance = 0 }, Ewma)
end

-- West's incremental form: exact weights from the first value on, no start-up bias.
function Ewma:add(value, time)
  check("ewma:add", "value", value)
  local keep = 0
  if self.count > 0 then
    local step = 1
    if time then
      check("ewma:add", "time", time)
      step = max(0, time - (self.time or time))
    end
    keep = self.weight * 2 ^ (-step / self.halflife)
  end
  self.time = time
  self.count = self.count + 1
  self.weight = keep + 1
  local mean = self.mean or value
  local shift = (value - mean) / self.weight
  self.variance = (keep * self.variance + (value - mean) * (value - mean - shift)) / self.weight
  self.mean = mean + shift
  return self.mean
end

function Ewma:std()
  return sqrt(max(0, self.variance))
end

-- Realised volatility of irregular ticks: the weighted mean of squared log returns over the
-- weighted time they took. Ticks closer than `spacing` seconds are left out, since bid-ask bounce
-- would count as volatility.
local TickVol = {}
TickVol.__index = TickVol

function stats.tick_vol(args)
  if type(args) ~= "table" then fail("tick_vol", "takes { halflife =, spacing = }") end
  check("tick_vol", "halflife", args.halflife, 0)
  local spacing = args.spacing or 1
  check("tick_vol", "spacing", spacing, 0)
  return setmetatable({ halflife = args.halflife, spacing = spacing, squares = 0, seconds = 0,
                        vol = nil, ready = false }, TickVol)
end

function TickVol:add(price, time)
  check("tick_vol:add", "price", price, 0)
  check("tick_vol:add", "time", time)
  if not self.time then
    self.price, self.time = price, time
    return nil
  end
  local dt = time - self.time
  if dt < self.spacing then return self.vol end
  local move = log(price / self.price)
  local keep = 2 ^ (-dt / self.halflife)
  self.squares = keep * self.squares + move * move
  self.seconds = keep * self.seconds + dt
  self.price, self.time = price, time
  self.vol = sqrt(self.squares / self.seconds * stats.YEAR)
  self.elapsed = (self.elapsed or 0) + dt
  self.ready = self.elapsed >= self.halflife
  return self.vol
end

-- Bars. --------------------------------------------------------------------------------------

local Bars = {}
Bars.__index = Bars

-- Builds bars of `period` seconds from ticks, aligned to multiples of the period; keeps the last
-- `keep` complete ones (100), oldest first. A period without a tick makes no bar.
function stats.bars(args)
  if type(args) ~= "table" then fail("bars", "takes { period =, keep = }") end
  check("bars", "period", args.period, 0)
  local keep = args.keep or 100
  check("bars", "keep", keep, 0)
  return setmetatable({ period = args.period, keep = keep }, Bars)
end

-- Returns the bar that this tick completed, if any.
function Bars:add(price, time)
  check("bars:add", "price", price, 0)
  check("bars:add", "time", time)
  local start = time - time % self.period
  local bar, done = self.current, nil
  if bar and start > bar.time then
    done = bar
    self[#self + 1] = bar
    if #self > self.keep then table.remove(self, 1) end
    bar = nil
  end
  if bar then
    bar.high, bar.low, bar.close = max(bar.high, price), min(bar.low, price), price
  else
    self.current = { time = start, open = price, high = price, low = price, close = price }
  end
  return done
end

-- Volatility estimators over a list. -----------------------------------------------------------
-- All take the number of list entries in a year and return vol, or nil, message, "too_few".

local function too_few(who, wanted, got)
  return nil, ("stats.%s: needs %d values, got %d"):format(who, wanted, got), "too_few"
end

local function check_list(who, list, per_year)
  if type(list) ~= "table" then error("stats." .. who .. ": takes a list", 3) end
  if not is_finite(per_year) or per_year <= 0 then
    error("stats." .. who .. ": per_year must be above zero", 3)
  end
end

local function check_bar(who, bar, i)
  local o, h, l, c = bar.open, bar.high, bar.low, bar.close
  if not (is_finite(o) and is_finite(h) and is_finite(l) and is_finite(c) and l > 0
    and h >= max(o, c) and l <= min(o, c)) then
    error(("stats.%s: bar %d is not a bar (0 < low <= open, close <= high)"):format(who, i), 3)
  end
  return o, h, l, c
end

local function variance(list)
  local n, mean = #list, 0
  for i = 1, n do mean = mean + list[i] / n end
  local sum = 0
  for i = 1, n do sum = sum + (list[i] - mean) ^ 2 end
  return sum / (n - 1)
end

-- From closing prices. The mean return is taken out unless `zero_mean`: over short samples it is
-- noise, and taking zero is the better estimate.
function stats.vol_close(prices, per_year, zero_mean)
  check_list("vol_close", prices, per_year)
  if #prices < 3 then return too_few("vol_close", 3, #prices) end
  local moves = {}
  for i = 2, #prices do
    if not (is_finite(prices[i]) and is_finite(prices[i - 1]) and min(prices[i], prices[i - 1]) > 0)
    then
      error("stats.vol_close: price " .. i .. " is not above zero", 2)
    end
    moves[i - 1] = log(prices[i] / prices[i - 1])
  end
  if not zero_mean then return sqrt(variance(moves) * per_year) end
  local sum = 0
  for i = 1, #moves do sum = sum + moves[i] ^ 2 end
  return sqrt(sum / #moves * per_year)
end

-- Parkinson (1980), high and low: mean of ln(H/L)^2 / (4 ln 2). No drift, no gaps between bars.
function stats.vol_parkinson(bars, per_year)
  check_list("vol_parkinson", bars, per_year)
  if #bars < 1 then return too_few("vol_parkinson", 1, 0) end
  local sum = 0
  for i = 1, #bars do
    local _, h, l = check_bar("vol_parkinson", bars[i], i)
    sum = sum + log(h / l) ^ 2
  end
  return sqrt(sum / (4 * LN2 * #bars) * per_year)
end

-- Garman and Klass (1980): mean of ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2. No drift, no gaps.
function stats.vol_garman_klass(bars, per_year)
  check_list("vol_garman_klass", bars, per_year)
  if #bars < 1 then return too_few("vol_garman_klass", 1, 0) end
  local sum = 0
  for i = 1, #bars do
    local o, h, l, c = check_bar("vol_garman_klass", bars[i], i)
    sum = sum + 0.5 * log(h / l) ^ 2 - (2 * LN2 - 1) * log(c / o) ^ 2
  end
  return sqrt(max(0, sum / #bars) * per_year)
end

-- Yang and Zhang (2000): var(gap) + k var(open to close) + (1 - k) Rogers-Satchell, with
-- k = 0.34 / (1.34 + (n + 1) / (n - 1)). Takes drift and gaps; the first bar gives only its close.
function stats.vol_yang_zhang(bars, per_year)
  check_list("vol_yang_zhang", bars, per_year)
  local n = #bars - 1
  if n < 2 then return too_few("vol_yang_zhang", 3, #bars) end
  local gaps, moves, satchell = {}, {}, 0
  local _, _, _, last = check_bar("vol_yang_zhang", bars[1], 1)
  for i = 1, n do
    local o, h, l, c = check_bar("vol_yang_zhang", bars[i + 1], i + 1)
    gaps[i] = log(o / last)
    moves[i] = log(c / o)
    satchell = satchell + (log(h / c) * log(h / o) + log(l / c) * log(l / o)) / n
    last = c
  end
  local k = 0.34 / (1.34 + (n + 1) / (n - 1))
  return sqrt((variance(gaps) + k * variance(moves) + (1 - k) * satchell) * per_year)
end

-- Regression of y on x over the last `window` pairs. -------------------------------------------

local Regression = {}
Regression.__index = Regression

function stats.regression(args)
  if type(args) ~= "table" then fail("regression", "takes { window = }") end
  check("regression", "window", args.window, 2)
  return setmetatable({ window = args.window // 1, count = 0, at = 0, x = {}, y = {},
                        ready = false }, Regression)
end

-- Sums are taken about the first pair of each turn of the ring and rebuilt once a turn, so that
-- neither large levels nor long runs eat the digits.
local function rebuild(self)
  self.x0, self.y0 = self.x[1], self.y[1]
  self.sx, self.sy, self.sxx, self.sxy, self.syy = 0, 0, 0, 0, 0
  for i = 1, self.count do
    local x, y = self.x[i] - self.x0, self.y[i] - self.y0
    self.sx, self.sy = self.sx + x, self.sy + y
    self.sxx, self.sxy, self.syy = self.sxx + x * x, self.sxy + x * y, self.syy + y * y
  end
end

local function shift_sums(self, x, y, sign)
  x, y = x - self.x0, y - self.y0
  self.sx, self.sy = self.sx + sign * x, self.sy + sign * y
  self.sxx, self.sxy = self.sxx + sign * x * x, self.sxy + sign * x * y
  self.syy = self.syy + sign * y * y
end

-- Adds a pair; returns slope and intercept once there are three pairs with different x.
function Regression:add(x, y)
  check("regression:add", "x", x)
  check("regression:add", "y", y)
  local at = self.at % self.window + 1
  if self.count == self.window then
    shift_sums(self, self.x[at], self.y[at], -1)
  else
    self.count = self.count + 1
  end
  self.at, self.x[at], self.y[at] = at, x, y
  if at == 1 then
    rebuild(self)
  else
    shift_sums(self, x, y, 1)
  end

  local n = self.count
  local vx = self.sxx - self.sx * self.sx / n
  local vy = self.syy - self.sy * self.sy / n
  local cov = self.sxy - self.sx * self.sy / n
  self.ready = n >= 3 and vx > 1e-12 * abs(self.sxx)
  if not self.ready then
    self.slope, self.intercept, self.r2 = nil, nil, nil
    return nil
  end
  self.slope = cov / vx
  self.intercept = self.y0 + self.sy / n - self.slope * (self.x0 + self.sx / n)
  self.r2 = vy > 0 and min(1, cov * cov / (vx * vy)) or 1
  return self.slope, self.intercept
end

function Regression:predict(x)
  if not self.ready then return nil, "stats.regression: too few pairs", "too_few" end
  return self.intercept + self.slope * x
end

-- Weight that a value `age` old keeps with a half-life, for weighting by hand.
function stats.decay(age, halflife)
  check("decay", "age", age)
  check("decay", "halflife", halflife, 0)
  return exp(-LN2 * age / halflife)
end

return stats
