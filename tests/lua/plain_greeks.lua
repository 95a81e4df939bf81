-- hedged.greeks as a C module of plain Lua: the same source as in the runtime, without a runtime.
--     LUA_CPATH='build/lua/?.so' lua5.4 tests/lua/plain_greeks.lua
if not package.searchpath("hedged.greeks", package.cpath) then
  print("SKIP plain_greeks: no lua/hedged/greeks.so in LUA_CPATH (sanitizer builds make none)")
  print("0 passed, 0 failed, 1 skipped")
  os.exit(0)
end

local lu = require "luaunit"
local greeks = require "hedged.greeks"

-- Columns of a file in tests/vectors, as {name = text} per row.
local function vectors(path)
  local names
  local rows = {}
  for line in io.lines(path) do
    if line:sub(1, 1) ~= "#" then
      local cells = {}
      for cell in line:gmatch("[^\t]+") do cells[#cells + 1] = cell end
      if names then
        local row = {}
        for i, name in ipairs(names) do row[name] = cells[i] end
        rows[#rows + 1] = row
      else
        names = cells
      end
    end
  end
  return rows
end

local function near(got, want, relative)
  lu.assertIsTrue(math.abs(got - want) <= relative * math.abs(want) + 1e-300,
    ("%.17g is not %.17g"):format(got, want))
end

TestPlainGreeks = {}

function TestPlainGreeks:test_american_and_svi()
  -- S = K = 100, r = 3 %, one year, 30 %: a put of 10.6085976 (independent lattices agree).
  lu.assertAlmostEquals(greeks.american(100, 100, 1, 0.3, "P", 0.03, 0), 10.6085976, 1e-5)
  -- The slice of Vogt (Gatheral and Jacquier 2014, example 3.1): g falls below zero.
  local vogt = { a = -0.0410, b = 0.1331, m = 0.3586, rho = 0.3060, sigma = 0.4153 }
  lu.assertAlmostEquals(greeks.svi(-1.5, vogt), 0.1367819611, 1e-9)
  lu.assertAlmostEquals(greeks.svi(0.4, vogt), 0.01623656962, 1e-10)
  lu.assertAlmostEquals(greeks.svi_g(0.8793, vogt), -0.03286, 1e-5)
  lu.assertErrorMsgContains("rho", greeks.svi, 0, { a = 0, b = 0, m = 0, sigma = 1 })
end

function TestPlainGreeks:test_bachelier_vectors()
  local rows = vectors("tests/vectors/greeks_bachelier_vol.tsv")
  lu.assertTrue(#rows > 300)
  for _, row in ipairs(rows) do
    local x = {}
    for name, text in pairs(row) do x[name] = tonumber(text) end
    local cp = x.cp > 0 and "C" or "P"
    near(greeks.bachelier_vol(x.price, x.F, x.K, x.T, cp), x.sigma, 8 * 2 ^ -52 * (1 + x.cond))
  end
  local g = greeks.bachelier(-5, -5, 1, 2, "C")
  near(g.price, 2 * 0.3989422804014327, 1e-15)
  lu.assertEquals(select(3, greeks.bachelier(1, 1, 0, 1, "C")), "bad_input")
  lu.assertEquals(select(3, greeks.bachelier(1, 0 / 0, 1, 1, "C")), "bad_input")
  lu.assertEquals(select(3, greeks.bachelier_vol(1, 5, 1, 1, "C")), "below_intrinsic")
  lu.assertEquals(greeks.bachelier_vol(4, 5, 1, 1, "C"), 0)
end

function TestPlainGreeks:test_zero_and_worse_are_bad_input()
  for _, bad in ipairs { 0, -1, 0 / 0, math.huge, -math.huge } do
    for place = 1, 4 do
      local x = { 100, 100, 0.5, 0.4 }
      x[place] = bad
      for _, name in ipairs { "black76", "all", "inverse" } do
        local got, message, code = greeks[name](x[1], x[2], x[3], x[4], "C")
        lu.assertNil(got, name .. " of " .. tostring(bad))
        lu.assertIsString(message)
        lu.assertEquals(code, "bad_input")
      end
      lu.assertNil((greeks.american(x[1], x[2], x[3], x[4], "P", 0.03, 0)))
    end
  end
end

function TestPlainGreeks:test_textbook_price()
  -- Hull, Options, Futures, and Other Derivatives, 9th edition, example 18.6.
  near(greeks.black76(20, 20, 4 / 12, 0.25, "P", 0.09), 1.116, 1e-3)
  local g = greeks.all(60000, 66000, 30 / 365, 0.6, "C")
  near(g.price, greeks.black76(60000, 66000, 30 / 365, 0.6, "C"), 1e-15)
  near(greeks.implied_vol(g.price, 60000, 66000, 30 / 365, "C"), 0.6, 1e-13)
end

function TestPlainGreeks:test_vectors_of_the_runtime()
  local tested = 0
  for _, row in ipairs(vectors("tests/vectors/greeks_inverse.tsv")) do
    local n = {}
    for _, name in ipairs { "F", "K", "T", "sigma" } do n[name] = tonumber(row[name]) end
    local cp = row.cp == "C" and "C" or row.cp == "P" and "P" or tonumber(row.cp) > 0 and "C" or "P"
    local g = greeks.inverse(n.F, n.K, n.T, n.sigma, cp)
    -- Far out of the money a price has few digits that its inputs still determine.
    if g and math.abs(math.log(n.F / n.K)) < 3 * n.sigma * math.sqrt(n.T) then
      near(g.price, tonumber(row.price), 1e-11)
      near(g.vega, tonumber(row.vega), 1e-11)
      tested = tested + 1
    end
  end
  lu.assertIsTrue(tested > 50)
end

function TestPlainGreeks:test_batch_over_arrays()
  local n = 1001
  local F, K, T, sigma, cp = {}, {}, {}, {}, {}
  for i = 1, n do
    F[i], K[i], T[i] = 60000, 40000 + 40 * i, i / 1000
    sigma[i], cp[i] = 0.3 + i / 2000, i % 2 * 2 - 1
  end
  local out = { price = greeks.array(n), delta = greeks.array(n) }
  lu.assertEquals(greeks.batch {
    F = greeks.array(F), K = greeks.array(K), T = greeks.array(T), sigma = greeks.array(sigma),
    cp = greeks.array(cp), out = out,
  }, 0)
  for i = 1, n do
    local g = greeks.all(F[i], K[i], T[i], sigma[i], cp[i] > 0 and "C" or "P")
    lu.assertAlmostEquals(out.price[i], g.price, 1e-8)
    lu.assertAlmostEquals(out.delta[i], g.delta, 1e-12)
  end
  lu.assertEquals(#out.price, n)
end

function TestPlainGreeks:test_failures()
  local price, message, code = greeks.black76(-1, 1, 1, 1, "C")
  lu.assertNil(price)
  lu.assertIsString(message)
  lu.assertEquals(code, "bad_input")
  lu.assertEquals(select(3, greeks.implied_vol(1, 110, 100, 1, "C")), "below_intrinsic")
  lu.assertErrorMsgContains("did you mean 'price'", greeks.batch, {
    F = greeks.array(1), K = greeks.array(1), T = greeks.array(1), sigma = greeks.array(1),
    cp = greeks.array(1), out = { prise = greeks.array(1) },
  })
  lu.assertErrorMsgContains('"C" or "P" expected', greeks.black76, 1, 1, 1, 1, "X")
  lu.assertErrorMsgContains("out of range", function() return greeks.array(3)[5] end)
  lu.assertErrorMsgContains("out of range", function() return greeks.array(3)[0] end)
  lu.assertErrorMsgContains("out of range", function() greeks.array(3)[4] = 1 end)
  lu.assertErrorMsgContains("element 2 is no number but string", greeks.array, { 1, "x" })
  local sum = 0
  for i, value in ipairs(greeks.array { 10, 20, 30 }) do sum = sum + i * value end
  lu.assertEquals(sum, 140)
end

os.exit(lu.LuaUnit.run())
