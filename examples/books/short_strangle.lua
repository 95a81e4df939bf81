-- Short strangle: 10 BTC of puts and calls sold about 9 % out of the money. It earns theta and
-- loses with every large move: the book that hedging was invented for.
--
-- A book is a Lua data file: a list of { instrument =, size =, entry = }. `size` is signed and in
-- the venue's amount unit: coins for options, spot and linear contracts, USD for inverse futures
-- and perpetuals. `entry` is the price paid or received, in the instrument's quote unit; without it
-- the first mark of the session is the entry.
return {
  { instrument = "BTC-27FEB26-80000-P", size = -10 },
  { instrument = "BTC-27FEB26-96000-C", size = -10 },
}
