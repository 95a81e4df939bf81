-- How wide should the band be? Compares two answers of the literature for one short straddle, over
-- several costs and degrees of risk aversion. Research code: run it with `hedged lua`, no session.
--
--     hedged lua examples/compare_bands.lua
--     hedged lua examples/compare_bands.lua 64000 0.9      (spot, vol)
local greeks = require "hedged.greeks"
local policy = require "hedged.policy"

local spot = tonumber((...)) or 88000
local sigma = tonumber((select(2, ...))) or 0.45
local tau = 30 / 365
local coins = 10 -- of each leg

-- A short at-the-money straddle: all it has is gamma and vega.
local call = greeks.all(spot, spot, tau, sigma, "C")
local put = greeks.all(spot, spot, tau, sigma, "P")
local gamma = -coins * (call.gamma + put.gamma)

local function delta_at(vol)
  return -coins * (greeks.all(spot, spot, tau, vol, "C").delta
    + greeks.all(spot, spot, tau, vol, "P").delta)
end

print(("short %d BTC of %d straddles, 30 days, vol %.0f %%: delta %+.2f, gamma %.2e coins/USD")
  :format(coins, spot, 100 * sigma, delta_at(sigma), gamma))
print("half width of the band in BTC; vol = at which Zakamouline takes the delta")
print(("%9s %14s %16s %12s %6s"):format("cost", "risk aversion", "Whalley-Wilmott", "Zakamouline",
  "vol"))
for _, cost in ipairs { 0.0001, 0.0005, 0.002, 0.01 } do
  for _, aversion in ipairs { 1e-6, 1e-5, 1e-4 } do
    local args = { gamma = gamma, spot = spot, sigma = sigma, tau = tau, cost = cost,
                   risk_aversion = aversion, delta_at = delta_at, cap = coins }
    local ww = policy.whalley_wilmott_zone(args)
    local zak = policy.zakamouline_zone(args)
    print(("%8.2f%% %14g %16.3f %12.3f %5.1f%%")
      :format(100 * cost, aversion, ww.half, zak.half, 100 * zak.sigma))
  end
end
