-- Hedging several Greeks with several instruments at once: which sizes bring delta, gamma and vega
-- closest to their targets for what they cost? Pure Lua, no session.
--
-- Weighted least squares with an L1 cost, bounds and lots:
--
--     min over x   1/2 |W (g + G x - target)|^2  +  lambda sum_i c_i |x_i|  +  rho/2 |x|^2 (scaled)
--     lo_i <= x_i <= hi_i
--
--     g       exposure: delta (coins), gamma (coins per USD), vega (USD per vol point)
--     G       the same of one unit of each instrument's size
--     W       turns Greeks into USD at a reference shock: a move of m USD and of v vol points cost
--             delta m, gamma m^2 / 2 and vega v. Default: one day's standard deviation of the spot
--             (m = spot sigma / sqrt(365)) and v = 1.5 points.
--     c_i     USD to trade one unit (half spread and fee)
--     lambda  `cost_weight`, USD: where the remaining risk is lambda dollars, a dollar of cost may
--             buy a dollar less of risk. Higher means fewer and smaller trades.
--     rho     a ridge of 1e-9 of each column's own square: with it the answer is unique where
--             instruments do the same (gamma and vega of one expiry are collinear).
--
-- The cost makes the answer sparse: instruments that do not earn their spread get zero. Solved by
-- an active set: variables rest at zero or at a bound or are free; the free ones are solved for
-- exactly, and one more is freed as long as its optimality condition is violated. The conditions
-- (KKT) at the end are returned as `kkt`, relative to the largest gradient.

local solve = {}

local abs, huge, max, min, sqrt = math.abs, math.huge, math.max, math.min, math.sqrt

local GREEKS = { "delta", "gamma", "vega" }
local RIDGE = 1e-9
local TOLERANCE = 1e-10
local ITERATIONS_MAX = 10000
local VOL_POINTS = 1.5

local function fail(text)
  error("solve.hedge: " .. text, 3)
end

local function is_finite(value)
  return type(value) == "number" and value == value and value ~= huge and value ~= -huge
end

-- Solves the small symmetric system M y = b by elimination with pivoting; b is overwritten.
local function eliminate(m, b)
  local n = #b
  for k = 1, n do
    local p = k
    for i = k + 1, n do
      if abs(m[i][k]) > abs(m[p][k]) then p = i end
    end
    m[k], m[p], b[k], b[p] = m[p], m[k], b[p], b[k]
    for i = k + 1, n do
      local f = m[i][k] / m[k][k]
      if f ~= 0 then
        for j = k, n do m[i][j] = m[i][j] - f * m[k][j] end
        b[i] = b[i] - f * b[k]
      end
    end
  end
  for i = n, 1, -1 do
    for j = i + 1, n do b[i] = b[i] - m[i][j] * b[j] end
    b[i] = b[i] / m[i][i]
  end
  return b
end

local function gradient(p, x, i)
  local sum = p.q[i]
  for j = 1, p.n do
    if x[j] ~= 0 then sum = sum + p.h[i][j] * x[j] end
  end
  return sum
end

-- How far variable i is from its optimality condition, and the direction that would improve it.
local function violation(p, x, i)
  local g, c, at = gradient(p, x, i), p.c[i], x[i]
  -- |x| has two slopes at zero: one going up, one going down.
  local gain_up = at < p.hi[i] and -(at >= 0 and g + c or g - c) or 0
  local gain_down = at > p.lo[i] and (at <= 0 and g - c or g + c) or 0
  if gain_up >= gain_down then return max(0, gain_up), 1 end
  return max(0, gain_down), -1
end

-- Solves for the free variables, stepping back to the first one that meets zero or a bound.
local function settle(p, x, sign)
  while true do
    local free = {}
    for i = 1, p.n do
      if sign[i] ~= 0 then free[#free + 1] = i end
    end
    if #free == 0 then return end
    local m, b = {}, {}
    for r, i in ipairs(free) do
      m[r], b[r] = {}, -p.q[i] - p.c[i] * sign[i]
      for k, j in ipairs(free) do m[r][k] = p.h[i][j] end
      for j = 1, p.n do
        if sign[j] == 0 and x[j] ~= 0 then b[r] = b[r] - p.h[i][j] * x[j] end
      end
    end
    local goal = eliminate(m, b)
    local step, first, stop = 1, nil, nil
    for r, i in ipairs(free) do
      local low = sign[i] > 0 and max(0, p.lo[i]) or p.lo[i]
      local high = sign[i] < 0 and min(0, p.hi[i]) or p.hi[i]
      local wall = goal[r] < low and low or goal[r] > high and high or nil
      if wall then
        local share = (wall - x[i]) / (goal[r] - x[i])
        if share < step or not first then step, first, stop = min(step, share), i, wall end
      end
    end
    for r, i in ipairs(free) do x[i] = x[i] + step * (goal[r] - x[i]) end
    if not first then return end
    x[first], sign[first] = stop, 0
  end
end

local function active_set(p)
  local x, sign = {}, {}
  for i = 1, p.n do x[i], sign[i] = min(max(0, p.lo[i]), p.hi[i]), 0 end
  for _ = 1, ITERATIONS_MAX do
    local worst, at, direction = TOLERANCE * p.scale, nil, nil
    for i = 1, p.n do
      if sign[i] == 0 then
        local size, way = violation(p, x, i)
        if size > worst then worst, at, direction = size, i, way end
      end
    end
    if not at then break end
    sign[at] = x[at] > 0 and 1 or x[at] < 0 and -1 or direction
    settle(p, x, sign)
  end
  local kkt = 0
  for i = 1, p.n do kkt = max(kkt, (violation(p, x, i))) end
  return x, kkt / p.scale
end

local function objective(p, x)
  local value = 0
  for i = 1, p.n do
    value = value + p.c[i] * abs(x[i]) + x[i] * (p.q[i] + gradient(p, x, i)) / 2
  end
  return value
end

-- To whole lots: nearest ones first, then single lots up or down while that helps.
local function to_lots(p, x)
  local function allowed(i, value)
    return value >= p.lo[i] - 1e-9 * p.lot[i] and value <= p.hi[i] + 1e-9 * p.lot[i]
  end
  local any = false
  for i = 1, p.n do
    if p.lot[i] > 0 then
      any = true
      local lots = (x[i] / p.lot[i] + 0.5) // 1
      if not allowed(i, lots * p.lot[i]) then lots = lots + (x[i] > lots * p.lot[i] and 1 or -1) end
      x[i] = lots * p.lot[i]
    end
  end
  if not any then return end
  local best = objective(p, x)
  for _ = 1, ITERATIONS_MAX do
    local at, to
    for i = 1, p.n do
      local old = x[i]
      for way = -1, 1, 2 do
        local value = p.lot[i] > 0 and old + way * p.lot[i]
        if value and allowed(i, value) then
          x[i] = value
          local now = objective(p, x)
          if now < best - 1e-12 * abs(best) then best, at, to = now, i, value end
        end
      end
      x[i] = old
    end
    if not at then return end
    x[at] = (to / p.lot[at] + 0.5) // 1 * p.lot[at]
  end
end

local function number_of(value, default, what)
  if value == nil then value = default end
  if type(value) ~= "number" or value ~= value then error("solve.hedge: " .. what, 4) end
  return value
end

-- The weights W: USD per unit of each Greek at the reference shock.
local function weights(args)
  local move = args.move
  if move == nil then
    if not (is_finite(args.spot) and is_finite(args.sigma)) then
      error("solve.hedge: needs `move` (USD), or `spot` and `sigma`", 3)
    end
    move = args.spot * args.sigma / sqrt(365)
  end
  local points = number_of(args.vol_points, VOL_POINTS, "vol_points must be a number")
  if not is_finite(move) or move <= 0 or not is_finite(points) or points < 0 then
    error("solve.hedge: move must be above zero and vol_points not below", 3)
  end
  return { delta = move, gamma = move * move / 2, vega = points }
end

-- The problem in matrices. Columns without any Greek get bounds of zero: they cannot help.
local function build(args, w)
  local p = { n = #args.instruments, h = {}, q = {}, c = {}, lo = {}, hi = {}, lot = {},
              columns = {}, residual = {}, scale = 0 }
  local target = args.target or {}
  for k, greek in ipairs(GREEKS) do
    local have = number_of(args.exposure[greek], 0, "exposure." .. greek .. " must be a number")
    local want = number_of(target[greek], 0, "target." .. greek .. " must be a number")
    if not is_finite(have - want) then error("solve.hedge: exposure must be finite", 3) end
    p.residual[k] = w[greek] * (have - want)
  end
  local lambda = number_of(args.cost_weight, 30, "cost_weight must be a number")
  if lambda < 0 then error("solve.hedge: cost_weight must not be negative", 3) end
  for i, item in ipairs(args.instruments) do
    local name = tostring(item.name)
    local limit = (args.limits or {})[item.name] or item
    p.columns[i] = {}
    for k, greek in ipairs(GREEKS) do
      local value = number_of(item[greek], 0, name .. ": " .. greek .. " must be a number")
      if not is_finite(value) then
        error("solve.hedge: " .. name .. ": Greeks must be finite", 3)
      end
      p.columns[i][k] = w[greek] * value
    end
    local cost = number_of((args.costs or {})[item.name] or item.cost, 0,
      name .. ": cost must be a number")
    p.c[i] = lambda * cost
    p.lo[i] = number_of(limit.lo, -huge, name .. ": lo must be a number")
    p.hi[i] = number_of(limit.hi, huge, name .. ": hi must be a number")
    p.lot[i] = number_of((args.lots or {})[item.name] or item.lot, 0,
      name .. ": lot must be a number")
    if cost < 0 or p.lot[i] < 0 or p.lo[i] > p.hi[i] then
      error("solve.hedge: " .. name .. ": cost and lot must not be negative, lo not above hi", 3)
    end
  end
  for i = 1, p.n do
    p.h[i], p.q[i] = {}, 0
    for k = 1, #GREEKS do p.q[i] = p.q[i] + p.columns[i][k] * p.residual[k] end
    for j = 1, p.n do
      local sum = 0
      for k = 1, #GREEKS do sum = sum + p.columns[i][k] * p.columns[j][k] end
      p.h[i][j] = sum
    end
    if p.h[i][i] == 0 then
      p.h[i][i] = 1
      p.lo[i], p.hi[i] = max(p.lo[i], min(0, p.hi[i])), min(p.hi[i], max(0, p.lo[i]))
    end
    p.h[i][i] = p.h[i][i] * (1 + RIDGE)
    p.scale = max(p.scale, abs(p.q[i]), p.c[i])
  end
  p.scale = p.scale > 0 and p.scale or 1
  return p
end

local function norm(vector)
  local sum = 0
  for k = 1, #vector do sum = sum + vector[k] * vector[k] end
  return sqrt(sum)
end

-- Returns legs, residual, cost:
--     legs      list of { name =, size =, cost = }, the instruments with a trade, in given order
--     residual  { delta =, gamma =, vega =, risk_before =, risk = (USD at the shock), kkt = }
--     cost      USD of all legs
function solve.hedge(args)
  if type(args) ~= "table" then fail("takes one table of named fields") end
  if type(args.exposure) ~= "table" then fail("exposure must be a table of Greeks") end
  if type(args.instruments) ~= "table" then fail("instruments must be a list") end
  local w = weights(args)
  local p = build(args, w)
  local x, kkt = active_set(p)
  to_lots(p, x)

  local legs, total = {}, 0
  local left = { table.unpack(p.residual) }
  for i, item in ipairs(args.instruments) do
    for k = 1, #GREEKS do left[k] = left[k] + p.columns[i][k] * x[i] end
    if x[i] ~= 0 then
      local cost = abs(x[i]) * ((args.costs or {})[item.name] or item.cost or 0)
      legs[#legs + 1] = { name = item.name, size = x[i], cost = cost }
      total = total + cost
    end
  end
  local residual = { risk_before = norm(p.residual), risk = norm(left), kkt = kkt }
  local target = args.target or {}
  for k, greek in ipairs(GREEKS) do
    residual[greek] = (w[greek] > 0 and left[k] / w[greek] or 0) + (target[greek] or 0)
  end
  return legs, residual, total
end

return solve
