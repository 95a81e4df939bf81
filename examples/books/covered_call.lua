-- Covered call: coins held through the perpetual, calls sold against them. Its delta is long and
-- wanted so: hedge it with a target (`--set target=5`) or with a wide band below it.
--
-- `size` of BTC-PERPETUAL is in USD (an inverse contract): 880,000 USD are 10 BTC at 88,000. The
-- option's size is in coins. `entry` (here of the perpetual, USD per coin) may be left out.
return {
  { instrument = "BTC-PERPETUAL", size = 880000 },
  { instrument = "BTC-27FEB26-96000-C", size = -10 },
}
