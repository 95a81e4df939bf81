-- select.best, select.compare and instrument:cost are one formula; select.rank has its carry.
local lu = require "luaunit"
local test = require "hedged.test"

TestSelectBest = {}

function TestSelectBest:test_rows_are_what_the_instruments_say()
  local s = test.session {
    fees = true,
    text = [[
local hedged = require "hedged"
local market = require "hedged.market"
local select = require "hedged.select"
local S = hedged.strategy { api = 1, underlying = "BTC" }
local function near(what, got, want)
  if not (math.abs(got - want) <= 1e-9 * math.max(1, math.abs(want))) then
    error(what .. ": " .. tostring(got) .. ", want " .. tostring(want))
  end
end
function S:on_start()
  hedged.every(60, function()
    local seen = {}
    for _, delta in ipairs { -2, 1.5 } do
      local args = { underlying = "BTC", delta = delta, horizon = 3 * 86400, rate = 0.05,
        kinds = { "perpetual", "future", "spot", "option" } }
      local best, ranked = select.best(args)
      for _, row in ipairs(ranked) do
        local i = market.get(row.name)
        if not row.problem and i then
          local total, x = i:cost { side = row.side, size = row.size, horizon = 3 * 86400,
            rate = 0.05, round_trip = true }
          near(row.name .. " cost", row.cost, total)
          near(row.name .. " spread", row.half_spread, x.spread + x.depth)
          near(row.name .. " bp", row.bp, x.bps)
          near(row.name .. " sum", row.cost, x.spread + x.depth + x.fee + x.carry + x.margin)
          near(row.name .. " coins", row.per_coin, total / math.abs(row.delta))
          seen[i.kind] = true
          if i.kind == "perpetual" then -- the same carry from a table of numbers
            local q = i:quote()
            local pure = select.rank { delta = delta, spot = hedged.exposure("BTC").spot,
              horizon = 3 * 86400, instruments = { { name = i.name, kind = i.kind, bid = q.bid,
              ask = q.ask, funding = i:funding() } } }[1]
            local coins = math.abs(delta) * hedged.exposure("BTC").spot
            local value = row.size * (i.inverse and hedged.exposure("BTC").spot / i:mark()
              or i:mark())
            near(i.name .. " carry", pure.carry / coins, row.carry / value)
          end
        end
      end
      if not best or best.name ~= ranked[1].name then error("the best is the first") end
    end
    local kinds = {}
    for kind in pairs(seen) do kinds[#kinds + 1] = kind end
    table.sort(kinds)
    local none, message, code = select.best { underlying = "BTC", delta = -1000, horizon = 60 }
    if none or code ~= "thin" or not message:find("shows 30 of a size of 1000") then
      error(("%s %s: %s"):format(none, code, message))
    end
    local only = select.best { underlying = "BTC", delta = 1, horizon = 60 }
    error(("all checked: %s; best %s"):format(table.concat(kinds, " "), only.kind))
  end)
end
return S
]],
    instruments = { "BTC-PERPETUAL", "BTC_USDC-PERPETUAL", "BTC-25SEP26", "BTC_USDC",
      "BTC-25SEP26-70000-C" },
  }
  s:index("BTC", 64000)
  s:forward { underlying = "BTC", expiry = "25SEP26", price = 65000 }
  s:mark { instrument = "BTC-25SEP26-70000-C", mark = 0.06, iv = 0.5 }
  s:quote { instrument = "BTC-25SEP26-70000-C", bid = 0.0595, ask = 0.0605, bid_size = 50,
    ask_size = 50 }
  s:mark { instrument = "BTC-PERPETUAL", mark = 64010 }
  s:mark { instrument = "BTC_USDC-PERPETUAL", mark = 63990 }
  s:funding { instrument = "BTC-PERPETUAL", rate = 0.0004 }
  s:funding { instrument = "BTC_USDC-PERPETUAL", rate = -0.0003 }
  for name, bid in pairs { ["BTC-PERPETUAL"] = 64009, ["BTC_USDC-PERPETUAL"] = 63989,
                           ["BTC-25SEP26"] = 64990, ["BTC_USDC"] = 63999 } do
    local inverse = name == "BTC-PERPETUAL" or name == "BTC-25SEP26"
    s:quote { instrument = name, bid = bid, ask = bid + 2, bid_size = inverse and 1e6 or 30,
      ask_size = inverse and 1e6 or 30 }
  end
  s:advance(61)
  lu.assertStrContains(s:error(), "all checked: future option perpetual spot; best ")
  s:close()
end
