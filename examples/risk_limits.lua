-- Limits of the risk gate for one desk: hedged check --config examples/risk_limits.lua
return {
  scenario = "crash", ["for"] = "1h",
  limits = {
    order_value_usd = 2e6,
    loss_reduce_usd = 50000, loss_halt_usd = 100000,
    instruments = "BTC-*",                       -- nothing else may be traded
    underlying = { BTC = { delta_coins = 25, vega_usd_per_point = 20000 } },
    strategy = { delta_band = { strategy_orders_per_second = 5, instruments = "BTC-PERPETUAL" } },
  },
}
