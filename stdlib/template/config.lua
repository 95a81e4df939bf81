-- hedged paper NAME.lua --config config.lua
-- Any flag of the verb, parameters of the strategy under `set`, limits of the risk gate under
-- `limits`. A flag given by hand wins.
return {
  feed = "sim",
  scenario = "crash",
  seed = 1,
  -- This book comes with the program; a path of your own works too.
  book = "examples/books/short_strangle.lua",
  set = { band = 0.5 },
  errors = "10/60s",
  on_park = "cancel",
  -- Tight for this book: raise what your own needs, one by one. What is not named has a wide
  -- default; hedged check --config config.lua lists all of them.
  limits = {
    order_value_usd = 2e6,       -- one order
    open_notional_usd = 5e6,     -- all open orders
    gross_notional_usd = 2e7,    -- and the positions
    delta_coins = 25,            -- of each underlying, whatever fills
    position_delta = 25,         -- of each instrument, coins
    loss_reduce_usd = 50000,     -- since 00:00 UTC: only what lowers the exposure
    loss_halt_usd = 100000,      -- and no orders at all
    drawdown_reduce_usd = 50000, -- from the peak of the day
    drawdown_halt_usd = 100000,
    orders_per_second = 20,
    open_orders = 20,            -- in one instrument
  },
}
