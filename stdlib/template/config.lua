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
  limits = {
    order_value_usd = 5e6,
    orders_per_second = 20,
  },
}
