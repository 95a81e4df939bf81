-- Calendar spread: short the near expiry, long the far one at the same strike. Close to the strike
-- it is short gamma and long vega; its gamma grows quickly in the days before the near expiry.
--
-- Sizes in coins, signed; `entry` (coins of premium per coin) may be left out.
return {
  { instrument = "BTC-13FEB26-88000-C", size = -10 },
  { instrument = "BTC-27FEB26-88000-C", size = 10 },
}
