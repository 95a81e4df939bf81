/* Every control of the gate against every cell: just below, at and just above its limit, not a
 * number, without what it judges by, and with an order outstanding whose fate nobody knows. Each
 * cell holds code, value and limit of the refusal (or of the change of state), and that observer,
 * counters, order and script are told the same. A control, a code of one or a limit without a row
 * fails here. */
#include "test_exec_control_acts.h"

#define FAR_BUY(n)                                                                                 \
    { LINEAR, HG_BUY, 58000, n }
#define FAR_SELL(n)                                                                                \
    { LINEAR, HG_SELL, 61000, n }
#define BUY_1                                                                                      \
    { LINEAR, HG_BUY, 59000, 1 }
#define NONE_SAID NAN, NAN
#define WHOLE NOT_THERE("whole numbers")
#define NO_PRICE                                                                                   \
    { "no_price", NAN, NAN }
#define NOT_FINITE                                                                                 \
    { "not_finite", NAN, NAN }

/* Limits far away from everything. */
#define WIDE                                                                                       \
    .order_coins_future = 1e12, .order_value_usd = 1e15, .open_notional_usd = 1e15,                \
    .gross_notional_usd = 1e15, .position_delta = 1e12, .delta_coins = 1e12

#define LOST_FAR .lost = FAR_BUY(0.5)
#define ALREADY "n/a: the same order with its answer lost is a row of its own"

// clang-format off
static const row rows[] = {
    /* 21 */
    {"permission", "an instrument that is one", NULL, HG_REJECT_INSTRUMENT, .order = BUY_1,
     .put = put_instrument, .at = INSTRUMENTS - 1, .step = 1, .value = NAN, .bound = NAN,
     .nan = WHOLE, .missing = NOT_THERE("none is asked for"), LOST_FAR},
    {"permission", "the lease of a cluster", NULL, HG_REJECT_PERMISSION, .order = BUY_1,
     .put = put_lease, .edge = SWITCH, .value = NAN, .bound = NAN, .nan = WHOLE,
     .missing = NOT_THERE("one process alone needs none"), LOST_FAR},
    {"permission", "venue", NULL, HG_REJECT_PERMISSION, .config = {{"venue", "paper"}},
     .order = BUY_1, .put = put_venue, .edge = SWITCH, .value = NAN, .bound = NAN, .nan = WHOLE,
     .missing = NOT_THERE("a venue has a name"), LOST_FAR},
    {"permission", "account", NULL, HG_REJECT_PERMISSION, .config = {{"account", "one"}},
     .order = BUY_1, .put = put_account, .edge = SWITCH, .value = NAN, .bound = NAN, .nan = WHOLE,
     .missing = {"permission", NAN, NAN}, .feed = no_account, LOST_FAR},
    {"permission", "a strategy that is one", NULL, HG_REJECT_PERMISSION, .order = BUY_1,
     .put = put_strategy, .at = 15, .step = 1, .value = 16, .bound = 16, .nan = WHOLE,
     .missing = NOT_THERE("every order has one"), LOST_FAR},
    {"permission", "instruments", NULL, HG_REJECT_PERMISSION, .config = {{"instruments", "BTC*"}},
     .order = BUY_1, .put = put_eth, .edge = SWITCH, .value = NAN, .bound = NAN, .nan = WHOLE,
     .missing = NOT_THERE("no list permits all"), LOST_FAR},
    {"permission", "sides", NULL, HG_REJECT_PERMISSION, .config = {{"sides", "buy"}},
     .order = BUY_1, .put = put_side, .edge = SWITCH, .value = NAN, .bound = NAN, .nan = WHOLE,
     .missing = NOT_THERE("both are permitted"), LOST_FAR},
    /* 16, 14, 19 */
    {"state", "halted", NULL, HG_REJECT_HALTED, .order = BUY_1, .put = put_halt, .edge = SWITCH,
     .value = NAN, .bound = NAN, .nan = WHOLE, .missing = NOT_THERE("a state is known"), LOST_FAR},
    {"state", "paused", NULL, HG_REJECT_PAUSED, .order = BUY_1, .put = put_pause, .edge = SWITCH,
     .value = NAN, .bound = NAN, .nan = WHOLE, .missing = NOT_THERE("a state is known"), LOST_FAR},
    {"state", "frozen", "burst_freeze_s", HG_REJECT_FROZEN,
     .limits = {.burst_freeze_ns = 30 * HG_NS_PER_S}, .arrange = is_frozen, .order = BUY_1,
     .put = put_later, .at = 30, .step = -1e-9, .value = 1e-9, .bound = NAN, .nan = WHOLE,
     .missing = NOT_THERE("a state is known"),
     .no_lost = "n/a: a freeze asks back what is open and lets nothing new"},
    /* 20 */
    {"reconcile", "what closes", NULL, HG_REJECT_RECONCILING, .held = {{LINEAR, HG_BUY, 0, 3}},
     .arrange = reconciles, .order = {LINEAR, HG_SELL, 0, 0}, .at = 3, .step = 0.0001,
     .value = NAN, .bound = NAN, .nan = {"reconciling", NAN, NAN}, .missing = NO_PRICE,
     .feed = nothing, .lost = FAR_SELL(1), .counts = 1},
    /* 1 */
    {"form", "expiry", NULL, HG_REJECT_INSTRUMENT, .limits = {WIDE},
     .order = {DATED, HG_BUY, 59000, 10}, .put = put_near_expiry, .at = 0, .step = 1,
     .at_refuses = true, .value = NAN, .bound = NAN, .nan = WHOLE,
     .missing = NOT_THERE("a perpetual has none"), LOST_FAR},
    {"form", "trading halted", NULL, HG_REJECT_INSTRUMENT, .order = BUY_1,
     .put = put_stop_of_trade, .edge = SWITCH, .value = NAN, .bound = NAN, .nan = WHOLE,
     .missing = NOT_THERE("venues say when they halt"), LOST_FAR},
    {"form", "side", NULL, HG_REJECT_BAD_REQUEST, .order = BUY_1, .put = put_no_side,
     .edge = SWITCH, .value = NAN, .bound = NAN, .nan = WHOLE, .missing = NOT_THERE("is above"),
     LOST_FAR},
    {"form", "type", NULL, HG_REJECT_BAD_REQUEST, .order = BUY_1, .put = put_type, .edge = SWITCH,
     .value = NAN, .bound = NAN, .nan = WHOLE, .missing = NOT_THERE("is above"), LOST_FAR},
    {"form", "time in force", NULL, HG_REJECT_BAD_REQUEST, .order = BUY_1, .put = put_tif, .at = 2,
     .step = 2, .value = NAN, .bound = NAN, .nan = WHOLE, .missing = NOT_THERE("is above"),
     LOST_FAR},
    {"form", "post-only", NULL, HG_REJECT_BAD_REQUEST, .order = BUY_1, .put = put_post_only,
     .edge = SWITCH, .value = NAN, .bound = NAN, .nan = WHOLE, .missing = NOT_THERE("not asked"),
     LOST_FAR},
    {"size", "above zero", NULL, HG_REJECT_SIZE_ZERO, .order = BUY_1, .at = 0, .step = -0.0001,
     .at_refuses = true, .value = -0.0001, .bound = 0.0001, .slope = 1, .nan = NOT_FINITE,
     .missing = NOT_THERE("is zero"), LOST_FAR},
    {"size", "finite", NULL, HG_REJECT_NOT_FINITE, .order = BUY_1,
     .edge = "n/a: a number or none", .nan = NOT_FINITE, .missing = NOT_THERE("is zero"),
     LOST_FAR},
    {"size", "the ledger", NULL, HG_REJECT_SIZE_LIMIT, .limits = {WIDE},
     .order = {PERP, HG_BUY, 59000, 1}, .at = 2305843000, .step = 10, .value = 2305843010,
     .bound = 2305843009.2136939, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing,
     LOST_FAR},
    {"size", "lots", NULL, HG_REJECT_OFF_LOT, .order = BUY_1, .put = put_half_lot, .edge = SWITCH,
     .value = 1.00005, .bound = 0.0001, .nan = NOT_THERE("is above"),
     .missing = NOT_THERE("every instrument has one"), LOST_FAR},
    {"price", "above zero", NULL, HG_REJECT_PRICE_COLLAR, .order = BUY_1, .put = put_price,
     .at = 0, .step = -0.1, .at_refuses = true, .value = -0.1, .bound = 0.1, .slope = 1,
     .nan = NOT_FINITE, .missing = NOT_THERE("is zero"), LOST_FAR},
    {"price", "finite", NULL, HG_REJECT_NOT_FINITE, .order = BUY_1, .put = put_price,
     .edge = "n/a: a number or none", .nan = NOT_FINITE, .missing = NOT_THERE("is zero"),
     LOST_FAR},
    {"price", "ticks", NULL, HG_REJECT_OFF_TICK, .order = BUY_1, .put = put_half_tick,
     .edge = SWITCH, .value = 59000.05, .bound = 0.1, .nan = NOT_THERE("is above"),
     .missing = NOT_THERE("every instrument has one"), LOST_FAR},
    /* 13 */
    {"data", "our clock is late", "clock_offset_s", HG_REJECT_STALE,
     .limits = {.clock_offset_ns = HG_NS_PER_S}, .order = BUY_1, .put = put_clock, .at = 1,
     .step = 1e-9, .value = 1.000000001, .bound = 1, .nan = WHOLE,
     .missing = NOT_THERE("paper runs on one clock"), LOST_FAR},
    {"data", "our clock is early", "clock_offset_s", HG_REJECT_STALE,
     .limits = {.clock_offset_ns = HG_NS_PER_S}, .order = BUY_1, .put = put_clock, .at = -1,
     .step = -1e-9, .value = -1.000000001, .bound = 1, .nan = WHOLE,
     .missing = NOT_THERE("paper runs on one clock"), LOST_FAR},
    {"data", "a valid book", NULL, HG_REJECT_STALE, .order = BUY_1, .put = put_bad_book,
     .edge = SWITCH, .value = NAN, .bound = 10, .nan = WHOLE, .missing = NO_PRICE,
     .feed = nothing, LOST_FAR},
    {"data", "age of mark and book", "quote_max_age_s", HG_REJECT_STALE,
     .limits = {.quote_max_age_ns = 10 * HG_NS_PER_S}, .order = BUY_1, .put = put_age, .at = 10,
     .step = 1e-9, .value = 10.000000001, .bound = 10, .nan = WHOLE, .missing = NO_PRICE,
     .feed = nothing, LOST_FAR},
    {"data", "age of the Greeks", "greeks_max_age_s", HG_REJECT_STALE,
     .limits = {.quote_max_age_ns = 1000 * HG_NS_PER_S, .greeks_max_age_ns = 30 * HG_NS_PER_S},
     .held = {{CALL, HG_SELL, 0, 10}}, .order = BUY_1, .put = put_age, .at = 30, .step = 1e-9,
     .value = 30.000000001, .bound = 30, .nan = WHOLE, .missing = {"no_greeks", NAN, NAN},
     .feed = no_vol, LOST_FAR},
    {"data", "a price", NULL, HG_REJECT_NO_PRICE, .order = BUY_1, .put = put_nothing,
     .edge = "n/a: there is one or none", .nan = WHOLE, .missing = NO_PRICE, .feed = nothing,
     LOST_FAR},
    {"data", "the Greeks", NULL, HG_REJECT_NO_GREEKS, .held = {{CALL, HG_SELL, 0, 10}},
     .order = BUY_1, .put = put_nothing, .edge = "n/a: they are known or not", .nan = WHOLE,
     .missing = {"no_greeks", NAN, NAN}, .feed = no_vol, LOST_FAR},
    /* 11 */
    {"duplicate", "an equal order on its way", "duplicate_window_s", HG_REJECT_DUPLICATE,
     .limits = {.duplicate_window_ns = 100 * HG_NS_PER_MS}, .arrange = sent_just_now,
     .order = {LINEAR, HG_BUY, 0, 1}, .put = put_sent_ago, .at = 0.1, .step = -1e-9,
     .value = 0.099999999, .bound = 0.1, .nan = WHOLE, .missing = NO_PRICE, .feed = nothing,
     .no_lost = ALREADY},
    {"duplicate", "an equal order whose answer is lost", "duplicate_window_s",
     HG_REJECT_DUPLICATE, .limits = {.duplicate_window_ns = 100 * HG_NS_PER_MS},
     .arrange = sent_and_lost, .order = {LINEAR, HG_BUY, 0, 1}, .put = put_sent_ago, .at = 0.1,
     .step = -1e-9, .value = 0.099999999, .bound = 0.1, .nan = WHOLE, .missing = NO_PRICE,
     .feed = nothing, .no_lost = "n/a: this is it"},
    /* 2 */
    {"collar", "buying", "price_collar", HG_REJECT_PRICE_COLLAR, .limits = {.price_collar = 0.1},
     .order = BUY_1, .put = put_price, .at = 66000, .step = 0.5, .value = 66000.5, .bound = 66000,
     .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing, LOST_FAR},
    {"collar", "selling", "price_collar", HG_REJECT_PRICE_COLLAR, .limits = {.price_collar = 0.1},
     .order = {LINEAR, HG_SELL, 61000, 1}, .put = put_price, .at = 54000, .step = -0.5,
     .value = 53999.5, .bound = 54000, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing,
     LOST_FAR},
    {"collar", "options in coins", "option_collar_coins", HG_REJECT_PRICE_COLLAR,
     .limits = {.option_collar_coins = 0.05, .option_collar_fraction = 1e-9, .price_collar = 1e-9,
                .option_collar_ticks = 1e-9, .option_collar_vol_points = 1e-9},
     .order = {CALL, HG_BUY, 0.1, 1}, .put = put_price, .at = 0.15, .step = 0.0005,
     .value = 0.1505, .bound = 0.15, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing,
     .lost = {CALL, HG_BUY, 0.1, 1}},
    {"collar", "options as a fraction", "option_collar_fraction", HG_REJECT_PRICE_COLLAR,
     .limits = {.option_collar_coins = 1e-9, .option_collar_fraction = 0.5, .price_collar = 1e-9,
                .option_collar_ticks = 1e-9, .option_collar_vol_points = 1e-9},
     .order = {CALL, HG_SELL, 0.1, 1}, .put = put_price, .at = 0.05, .step = -0.0005,
     .value = 0.0495, .bound = 0.05, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing,
     .lost = {CALL, HG_BUY, 0.1, 1}},
    {"collar", "options in vol", "option_collar_vol_points", HG_REJECT_PRICE_COLLAR,
     .limits = {.option_collar_coins = 1e-9, .option_collar_fraction = 1e-9, .price_collar = 1e-9,
                .option_collar_ticks = 1e-9, .option_collar_vol_points = 10},
     .order = {CALL, HG_BUY, 0.1, 1}, .put = put_price, .step = 0.0005, .tune = tune_vol_collar,
     .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing, .lost = {CALL, HG_BUY, 0.1, 1}},
    {"collar", "options in ticks", "option_collar_ticks", HG_REJECT_PRICE_COLLAR,
     .limits = {.option_collar_coins = 1e-9, .option_collar_fraction = 1e-9, .price_collar = 1e-9,
                .option_collar_ticks = 20, .option_collar_vol_points = 1e-9},
     .order = {CALL, HG_BUY, 0.1, 1}, .put = put_price, .at = 0.102, .step = 0.0005,
     .value = 0.1025, .bound = 0.102, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing,
     .lost = {CALL, HG_BUY, 0.1, 1}},
    {"collar", "a book to trade against", NULL, HG_REJECT_NO_PRICE,
     .order = {LINEAR, HG_BUY, 0, 1}, .put = put_empty_book, .edge = SWITCH, .value = NAN,
     .bound = NAN, .nan = WHOLE, .missing = NOT_THERE("is above"), LOST_FAR},
    /* 3 */
    {"order size", "futures", "order_coins_future", HG_REJECT_SIZE_LIMIT,
     .limits = {.order_coins_future = 2}, .order = BUY_1, .at = 2, .step = 0.0001,
     .value = 2.0001, .bound = 2, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing,
     LOST_FAR},
    {"order size", "inverse futures", "order_coins_future", HG_REJECT_SIZE_LIMIT,
     .limits = {.order_coins_future = 2}, .order = {PERP, HG_SELL, 61000, 10}, .at = 120000,
     .step = 10, .value = 120010 / 60000.0, .bound = 2, .nan = NOT_FINITE, .missing = NO_PRICE,
     .feed = nothing, LOST_FAR},
    {"order size", "options", "order_coins_option", HG_REJECT_SIZE_LIMIT,
     .limits = {.order_coins_option = 3}, .order = {CALL, HG_BUY, 0.0995, 1}, .at = 3, .step = 0.1,
     .value = 3.1, .bound = 3, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing, LOST_FAR},
    {"order size", "spot", "order_coins_spot", HG_REJECT_SIZE_LIMIT,
     .limits = {.order_coins_spot = 2}, .order = {SPOT, HG_BUY, 59000, 1}, .at = 2, .step = 0.0001,
     .value = 2.0001, .bound = 2, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing,
     LOST_FAR},
    /* 4 */
    {"order value", "of one order", "order_value_usd", HG_REJECT_VALUE_LIMIT,
     .limits = {.order_value_usd = 120000}, .order = BUY_1, .at = 2, .step = 0.0001,
     .value = 120006, .bound = 120000, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing,
     LOST_FAR},
    {"order value", "premium", "order_premium_usd", HG_REJECT_PREMIUM_LIMIT,
     .limits = {.order_premium_usd = 60000}, .order = {CALL, HG_BUY, 0.1, 1}, .at = 10,
     .step = 0.1, .value = 60600, .bound = 60000, .nan = NOT_FINITE, .missing = NO_PRICE,
     .feed = nothing, LOST_FAR},
    {"order value", "a spot to value by", NULL, HG_REJECT_NO_PRICE,
     .held = {{CALL, HG_SELL, 0, 10}}, .order = {CALL, HG_BUY, 0.1, 1}, .put = put_nothing,
     .edge = "n/a: there is one or none", .nan = WHOLE, .missing = NO_PRICE, .feed = no_spot,
     LOST_FAR},
    /* 7 */
    {"open orders", "of an instrument", "open_orders", HG_REJECT_OPEN_LIMIT,
     .limits = {.open_orders = 3}, .order = BUY_1, .put = put_open, .at = 3, .step = 1,
     .at_refuses = true, .value = 3, .bound = 3, .nan = WHOLE, .missing = NOT_THERE("we count"),
     .lost = FAR_BUY(1), .counts = 1},
    {"open orders", "of a strategy", "strategy_open_orders", HG_REJECT_OPEN_LIMIT,
     .limits = {.strategy_open_orders = 3}, .order = BUY_1, .put = put_own_open, .at = 3,
     .step = 1, .at_refuses = true, .value = 3, .bound = 3, .nan = WHOLE,
     .missing = NOT_THERE("we count"), .lost = FAR_BUY(1), .counts = 1},
    {"open orders", "in all", "total_open_orders", HG_REJECT_OPEN_LIMIT,
     .limits = {.total_open_orders = 3}, .order = BUY_1, .put = put_all_open, .at = 3, .step = 1,
     .at_refuses = true, .value = 3, .bound = 3, .nan = WHOLE, .missing = NOT_THERE("we count"),
     .lost = FAR_BUY(1), .counts = 1},
    {"open orders", "their value", "open_notional_usd", HG_REJECT_OPEN_NOTIONAL,
     .limits = {.open_notional_usd = 300000}, .order = BUY_1, .at = 5, .step = 0.0001,
     .value = 300006, .bound = 300000, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing,
     .lost = {PERP, HG_SELL, 61000, 180000}, .counts = 3},
    /* 5 */
    {"position", "long", "position_delta", HG_REJECT_POSITION_LIMIT,
     .limits = {.position_delta = 5}, .order = BUY_1, .at = 5, .step = 0.0001, .value = 5.0001,
     .bound = 5, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing, .lost = FAR_BUY(2),
     .counts = 2},
    {"position", "short", "position_delta", HG_REJECT_POSITION_LIMIT,
     .limits = {.position_delta = 5}, .order = {LINEAR, HG_SELL, 61000, 1}, .at = 5,
     .step = 0.0001, .value = -5.0001, .bound = -5, .nan = NOT_FINITE, .missing = NO_PRICE,
     .feed = nothing, .lost = FAR_SELL(2), .counts = 2},
    {"position", "the ledger", NULL, HG_REJECT_SIZE_LIMIT, .limits = {WIDE},
     .held = {{PERP, HG_BUY, 0, 2305842000}}, .order = {PERP, HG_BUY, 59000, 1}, .at = 1000,
     .step = 10, .value = 2305843010, .bound = 2305843009.2136939, .nan = NOT_FINITE,
     .missing = NO_PRICE, .feed = nothing, .lost = {PERP, HG_BUY, 58000, 100}, .counts = 100},
    {"greeks", "delta up", "delta_coins", HG_REJECT_DELTA_LIMIT, .limits = {.delta_coins = 5},
     .held = {{PERP, HG_BUY, 0, 180000}}, .order = BUY_1, .at = 2, .step = 0.0001,
     .value = 5.0001, .bound = 5, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing,
     .lost = {PERP, HG_BUY, 58000, 60000}, .counts = 1},
    {"greeks", "delta down", "delta_coins", HG_REJECT_DELTA_LIMIT, .limits = {.delta_coins = 5},
     .held = {{PERP, HG_BUY, 0, 180000}}, .order = {LINEAR, HG_SELL, 61000, 1}, .at = 8,
     .step = 0.0001, .value = -5.0001, .bound = -5, .nan = NOT_FINITE, .missing = NO_PRICE,
     .feed = nothing, .lost = {PERP, HG_SELL, 61000, 60000}, .counts = 1},
    {"greeks", "gamma up", "gamma_usd_per_percent", HG_REJECT_GAMMA_LIMIT,
     .order = {CALL, HG_BUY, 0.09, 1}, .tune = tune_gamma, .nan = NOT_FINITE,
     .missing = NO_PRICE, .feed = nothing, .lost = {CALL, HG_BUY, 0.09, 1}, .counts = 1},
    {"greeks", "gamma down", "gamma_usd_per_percent", HG_REJECT_GAMMA_LIMIT,
     .order = {CALL, HG_SELL, 0.12, 1}, .tune = tune_gamma, .nan = NOT_FINITE,
     .missing = NO_PRICE, .feed = nothing, .lost = {CALL, HG_SELL, 0.12, 1}, .counts = 1},
    {"greeks", "vega up", "vega_usd_per_point", HG_REJECT_VEGA_LIMIT,
     .order = {CALL, HG_BUY, 0.09, 1}, .tune = tune_vega, .nan = NOT_FINITE,
     .missing = NO_PRICE, .feed = nothing, .lost = {CALL, HG_BUY, 0.09, 1}, .counts = 1},
    {"greeks", "vega down", "vega_usd_per_point", HG_REJECT_VEGA_LIMIT,
     .order = {CALL, HG_SELL, 0.12, 1}, .tune = tune_vega, .nan = NOT_FINITE,
     .missing = NO_PRICE, .feed = nothing, .lost = {CALL, HG_SELL, 0.12, 1}, .counts = 1},
    {"greeks", "theta up", "theta_usd_per_day", HG_REJECT_THETA_LIMIT,
     .order = {CALL, HG_SELL, 0.12, 1}, .tune = tune_theta, .nan = NOT_FINITE,
     .missing = NO_PRICE, .feed = nothing, .lost = {CALL, HG_SELL, 0.12, 1}, .counts = 1},
    {"greeks", "theta down", "theta_usd_per_day", HG_REJECT_THETA_LIMIT,
     .order = {CALL, HG_BUY, 0.09, 1}, .tune = tune_theta, .nan = NOT_FINITE,
     .missing = NO_PRICE, .feed = nothing, .lost = {CALL, HG_BUY, 0.09, 1}, .counts = 1},
    {"greeks", "of pending options: the data are asked first", NULL, HG_REJECT_NO_GREEKS,
     .held = {{CALL, HG_SELL, 0, 10}}, .order = {CALL, HG_SELL, 1.2, 1}, .put = put_nothing,
     .edge = "n/a: they are known or not", .nan = WHOLE, .missing = {"no_greeks", NAN, NAN},
     .feed = no_vol, LOST_FAR},
    /* 6 */
    {"gross value", "positions and orders", "gross_notional_usd", HG_REJECT_GROSS_LIMIT,
     .limits = {.gross_notional_usd = 600000},
     .held = {{LINEAR, HG_BUY, 0, 4}, {ETH_CALL, HG_BUY, 0, 5}}, .order = BUY_1, .at = 5.75,
     .step = 0.0001, .value = 600006, .bound = 600000, .nan = NOT_FINITE,
     .missing = {"gross_limit", NAN, 600000}, .feed = no_eth,
     .lost = {PERP, HG_SELL, 61000, 60000}, .counts = 1},
    {"margin", "initial margin", "margin_fraction", HG_REJECT_MARGIN_LIMIT,
     .limits = {.margin_fraction = 0.9}, .arrange = has_margin, .order = BUY_1, .put = put_margin,
     .at = 90000, .step = 0.01, .value = 90000.01, .bound = 90000,
     .nan = {"margin_limit", NAN, 90000}, .missing = {"margin_limit", NAN, NAN},
     .feed = no_margin,
     .no_lost = "n/a: the account counts what is pending: margin_use_of_an_account_is_limited"},
    /* 15 */
    {"reduce only", "an order that says so", NULL, HG_REJECT_REDUCE_ONLY,
     .held = {{LINEAR, HG_BUY, 0, 3}}, .order = {LINEAR, HG_SELL, 0, 1}, .put = put_reduce_only,
     .at = 3, .step = 0.0001, .value = 3.0001, .bound = 3, .slope = 1, .nan = NOT_FINITE,
     .missing = NO_PRICE, .feed = nothing, .lost = FAR_SELL(1), .counts = 1, .bound_lost = 2},
    {"reduce only", "buying back", NULL, HG_REJECT_REDUCE_ONLY,
     .held = {{LINEAR, HG_SELL, 0, 3}}, .order = {LINEAR, HG_BUY, 0, 1}, .put = put_reduce_only,
     .at = 3, .step = 0.0001, .value = 3.0001, .bound = 3, .slope = 1, .nan = NOT_FINITE,
     .missing = NO_PRICE, .feed = nothing, .lost = FAR_BUY(1), .counts = 1, .bound_lost = 2},
    {"reduce only", "reducing by exposure, long", NULL, HG_REJECT_REDUCING,
     .held = {{LINEAR, HG_BUY, 0, 1}}, .arrange = is_reducing,
     .order = {LINEAR, HG_SELL, 0, 1}, .at = 2, .step = 0.0001, .value = -2.0001, .bound = 1,
     .slope = -1, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing,
     .lost = FAR_SELL(0.5), .counts = 1, .bound_lost = ANY},
    {"reduce only", "reducing by exposure, short", NULL, HG_REJECT_REDUCING,
     .held = {{LINEAR, HG_SELL, 0, 1}}, .arrange = is_reducing,
     .order = {LINEAR, HG_BUY, 0, 1}, .at = 2, .step = 0.0001, .value = 2.0001, .bound = -1,
     .slope = 1, .nan = NOT_FINITE, .missing = NO_PRICE, .feed = nothing, .lost = FAR_BUY(0.5),
     .counts = 1, .bound_lost = ANY},
    {"reduce only", "reducing by position", NULL, HG_REJECT_REDUCING,
     .config = {{"reduce_mode", "position"}}, .held = {{LINEAR, HG_BUY, 0, 1}},
     .arrange = is_reducing, .order = {LINEAR, HG_SELL, 0, 1}, .at = 1, .step = 0.0001,
     .value = 1.0001, .bound = 1, .slope = 1, .nan = NOT_FINITE, .missing = NO_PRICE,
     .feed = nothing, .lost = FAR_SELL(0.4), .counts = 0.4, .bound_lost = 0.6},
    /* 12 */
    {"self trade", "an own ask", NULL, HG_REJECT_SELF_TRADE, .config = {{"self_trade", "deny"}},
     .arrange = own_ask, .order = BUY_1, .put = put_price, .at = 60004.5, .step = 0.5,
     .value = 60005, .bound = 60005, .nan = NOT_FINITE, .missing = NOT_THERE("no own order"),
     LOST_FAR},
    {"self trade", "an own bid", NULL, HG_REJECT_SELF_TRADE, .config = {{"self_trade", "deny"}},
     .arrange = own_bid, .order = {LINEAR, HG_SELL, 61000, 1}, .put = put_price, .at = 59990.5,
     .step = -0.5, .value = 59990, .bound = 59990, .nan = NOT_FINITE,
     .missing = NOT_THERE("no own order"), .lost = FAR_SELL(1)},
    {"self trade", "an own ask whose fate is unknown", NULL, HG_REJECT_SELF_TRADE,
     .config = {{"self_trade", "deny"}}, .arrange = own_ask_lost, .order = BUY_1,
     .put = put_price, .at = 60004.5, .step = 0.5, .value = 60005, .bound = 60005,
     .nan = NOT_FINITE, .missing = NOT_THERE("no own order"), LOST_FAR},
    {"self trade", "an own ask lost with its cancel", NULL, HG_REJECT_SELF_TRADE,
     .config = {{"self_trade", "deny"}}, .arrange = own_ask_lost_with_its_cancel,
     .order = BUY_1, .put = put_price, .at = 60004.5, .step = 0.5, .value = 60005,
     .bound = 60005, .nan = NOT_FINITE, .missing = NOT_THERE("no own order"), LOST_FAR},
    {"self trade", "a market order beyond the touch", NULL, HG_REJECT_SELF_TRADE,
     .config = {{"self_trade", "deny"}}, .arrange = own_ask, .order = {LINEAR, HG_BUY, 0, 1},
     .at = 100, .step = 0.0001, .value = 66000, .bound = 60005, .nan = NOT_FINITE,
     .missing = NOT_THERE("no own order"), LOST_FAR},
    /* 9 */
    {"repeat", "fills of a side", "repeated_orders", HG_REJECT_REPEAT,
     .limits = {.repeated_orders = 3}, .order = {LINEAR, HG_BUY, 0, 1}, .put = put_fills,
     .at = 3, .step = 1, .at_refuses = true, .value = 4, .bound = 3, .nan = WHOLE,
     .missing = NOT_THERE("we count"),
     .no_lost = "n/a: fills count when they are told; open_limit bounds those that are not"},
    {"repeat", "window", "repeated_window_s", HG_REJECT_REPEAT,
     .limits = {.repeated_orders = 3, .repeated_window_ns = 10 * HG_NS_PER_S},
     .order = {LINEAR, HG_BUY, 0, 1}, .put = put_after_fills, .at = 10, .step = -1e-9,
     .value = 4, .bound = 3, .nan = WHOLE, .missing = NOT_THERE("we count"),
     .no_lost = "n/a: as above"},
    {"repeated fills", "orders under way", "repeated_orders", HG_REJECT_REPEAT,
     .limits = {.repeated_orders = 2}, .happen = happen_fills, .at = 2, .step = 1, .value = 3,
     .bound = 2, .nan = WHOLE, .missing = NOT_THERE("we count"), LOST_FAR},
    /* 8 */
    {"rate", "of a strategy", "strategy_orders_per_second", HG_REJECT_RATE,
     .limits = {.strategy_orders_per_second = 5}, .order = BUY_1, .put = put_own_rate, .at = 20,
     .step = 1, .at_refuses = true, .value = 6, .bound = 5, .nan = WHOLE,
     .missing = NOT_THERE("we count"), .lost = FAR_BUY(1), .counts = 1},
    {"rate", "of all", "orders_per_second", HG_REJECT_RATE,
     .limits = {.orders_per_second = 5, .strategy_orders_per_second = 1000,
                .messages_per_second = 1000},
     .order = BUY_1, .put = put_all_rate, .at = 20, .step = 1, .at_refuses = true, .value = 6,
     .bound = 5, .nan = WHOLE, .missing = NOT_THERE("we count"), .lost = FAR_BUY(1), .counts = 1},
    {"rate", "messages", "messages_per_second", HG_REJECT_RATE,
     .limits = {.messages_per_second = 10}, .order = BUY_1, .put = put_messages, .at = 32,
     .step = 1, .at_refuses = true, .value = 11, .bound = 10, .nan = WHOLE,
     .missing = NOT_THERE("we count"), .lost = FAR_BUY(1), .counts = 1},
    {"rate", "seconds in a row", "strategy_orders_per_second", HG_REJECT_RATE,
     .limits = {.strategy_orders_per_second = 1}, .happen = happen_rate, .at = 2, .step = 1,
     .value = 2, .bound = 1, .nan = WHOLE, .missing = NOT_THERE("we count"), LOST_FAR},
    /* 10 */
    {"convergence", "hedges of what was needed", "hedge_overshoot", HG_REJECT_CONVERGENCE,
     .limits = {.hedge_overshoot = 1.5}, .held = {{PERP, HG_BUY, 0, 600000}},
     .happen = happen_hedges, .at = 5.0001, .step = 0.0001, .value = 15.0002, .bound = 15.0001,
     .nan = NOT_THERE("an order has a size"), .missing = NOT_THERE("hedges need Greeks"), LOST_FAR},
    {"convergence", "window", "hedge_window_s", HG_REJECT_CONVERGENCE,
     .limits = {.hedge_overshoot = 1.5, .hedge_window_ns = 5 * HG_NS_PER_S},
     .held = {{PERP, HG_BUY, 0, 600000}}, .arrange = hedged_as_far_as_is_borne,
     .happen = happen_later_hedge, .at = 5, .step = -1e-9, .value = 20, .bound = 15.0001,
     .nan = WHOLE, .missing = NOT_THERE("hedges need Greeks"), LOST_FAR},
    {"convergence", "hedges in vain", "hedge_tries", HG_REJECT_CONVERGENCE,
     .limits = {.hedge_tries = 2, .hedge_overshoot = 1000}, .held = {{PERP, HG_BUY, 0, 600000}},
     .happen = happen_vain_hedges, .at = 2, .step = 1, .at_refuses = true, .value = 2, .bound = 2,
     .nan = WHOLE, .missing = NOT_THERE("hedges need Greeks"), LOST_FAR},
    /* 14 */
    {"loss", "reducing", "loss_reduce_usd", HG_REJECT_LOSS, .limits = {.loss_reduce_usd = 1000},
     .arrange = long_one, .happen = happen_loss, .at = 1000, .step = 0.5, .at_refuses = true,
     .value = 1000.5, .bound = 1000, .slope = 1,
     .nan = NOT_THERE("cash is whole; unknown is blind"),
     .missing = NOT_THERE("is blind"), LOST_FAR},
    {"loss", "halted", "loss_halt_usd", HG_REJECT_LOSS,
     .limits = {.loss_reduce_usd = 1e9, .loss_halt_usd = 2000}, .arrange = long_one,
     .happen = happen_loss, .at = 2000, .step = 0.5, .at_refuses = true, .value = 2000.5,
     .bound = 2000, .slope = 1,
     .nan = NOT_THERE("cash is whole; unknown is blind"),
     .missing = NOT_THERE("is blind"), LOST_FAR},
    {"loss", "fall, reducing", "drawdown_reduce_usd", HG_REJECT_DRAWDOWN,
     .limits = {.drawdown_reduce_usd = 1000}, .arrange = long_at_a_peak, .happen = happen_fall,
     .at = 1000, .step = 0.5, .at_refuses = true, .value = 1000.5, .bound = 1000, .slope = 1,
     .nan = NOT_THERE("cash is whole; unknown is blind"), .missing = NOT_THERE("is blind"),
     LOST_FAR},
    {"loss", "fall, halted", "drawdown_halt_usd", HG_REJECT_DRAWDOWN,
     .limits = {.drawdown_reduce_usd = 1e9, .drawdown_halt_usd = 2000}, .arrange = long_at_a_peak,
     .happen = happen_fall, .at = 2000, .step = 0.5, .at_refuses = true, .value = 2000.5,
     .bound = 2000, .slope = 1,
     .nan = NOT_THERE("cash is whole; unknown is blind"),
     .missing = NOT_THERE("is blind"), LOST_FAR},
    {"loss", "blind", "blind_s", HG_REJECT_BLIND, .limits = {.blind_ns = 60 * HG_NS_PER_S},
     .arrange = long_and_blind, .happen = happen_blind, .at = 60, .step = 1e-9,
     .at_refuses = true, .value = 60.000000001, .bound = 60, .slope = 1, .nan = WHOLE,
     .missing = NOT_THERE("this is it"), LOST_FAR},
    /* 16 */
    {"kill switch", "pause", NULL, HG_REJECT_OPERATOR, .happen = happen_pause, .edge = SWITCH,
     .value = NAN, .bound = NAN, .nan = WHOLE, .missing = NOT_THERE("needs no market"), LOST_FAR},
    {"kill switch", "halt", NULL, HG_REJECT_OPERATOR, .happen = happen_halt, .edge = SWITCH,
     .value = NAN, .bound = NAN, .nan = WHOLE, .missing = NOT_THERE("needs no market"), LOST_FAR},
    {"kill switch", "cancel", NULL, HG_REJECT_OPERATOR, .happen = happen_cancel, .edge = SWITCH,
     .value = NAN, .bound = NAN, .nan = WHOLE, .missing = NOT_THERE("needs no market"), LOST_FAR},
    {"kill switch", "flatten", NULL, HG_REJECT_OPERATOR, .happen = happen_flatten, .edge = SWITCH,
     .value = NAN, .bound = NAN, .nan = WHOLE, .missing = NOT_THERE("needs no market"), LOST_FAR},
    /* 17, 18 */
    {"disconnect", "no start without it", NULL, HG_REJECT_NONE, .happen = happen_nothing,
     .edge = "n/a: a start, no order: orders_must_not_outlive_us", .nan = WHOLE,
     .missing = NOT_THERE("what is not confirmed is missing"), .no_lost = "n/a: before any order"},
    {"dead man", "refreshed each third", NULL, HG_REJECT_NONE, .happen = happen_nothing,
     .edge = "n/a: a clock, no order: orders_must_not_outlive_us", .nan = WHOLE,
     .missing = NOT_THERE("a venue may have none"), .no_lost = "n/a: the venue cancels all"},
    /* 19 */
    {"burst", "delta", "burst_delta_coins", HG_REJECT_BURST, .limits = {.burst_delta_coins = 5},
     .happen = happen_burst, .at = 5, .step = 0.0001, .value = 5.0001, .bound = 5,
     .nan = NOT_THERE("a fill has a size"), .missing = NOT_THERE("see the next"), LOST_FAR},
    {"burst", "delta that nobody knows", "burst_delta_coins", HG_REJECT_BURST,
     .limits = {.burst_delta_coins = 5}, .held = {{CALL, HG_SELL, 0, 10}}, .prices = no_vol,
     .happen = happen_options, .at = 5, .step = 0.1, .value = 5.1, .bound = 5,
     .nan = NOT_THERE("a fill has a size"), .missing = NOT_THERE("this is it"),
     .no_lost = "n/a: without Greeks nothing but closing passes"},
    {"burst", "vega", "burst_vega_usd_per_point", HG_REJECT_BURST, .happen = happen_options,
     .at = 3, .step = 0.1, .tune = tune_vega_burst, .nan = NOT_THERE("a fill has a size"),
     .missing = NOT_THERE("see the next"), LOST_FAR},
    {"burst", "vega that nobody knows", "burst_vega_usd_per_point", HG_REJECT_BURST,
     .held = {{CALL, HG_SELL, 0, 10}}, .prices = no_vol, .happen = happen_options, .at = 3,
     .step = 0.1, .tune = tune_most_vega, .nan = NOT_THERE("a fill has a size"),
     .missing = NOT_THERE("this is it"),
     .no_lost = "n/a: without Greeks nothing but closing passes"},
    {"burst", "window", "burst_window_s", HG_REJECT_BURST,
     .limits = {.burst_delta_coins = 5, .burst_window_ns = 5 * HG_NS_PER_S},
     .happen = happen_two_fills, .at = 5, .step = -1e-9, .value = 6, .bound = 5, .nan = WHOLE,
     .missing = NOT_THERE("see delta"), LOST_FAR},
    {"storm", "refusals of a second", "refusals_per_second", HG_REJECT_STORM,
     .limits = {.refusals_per_second = 10}, .happen = happen_storm, .at = 10, .step = 1,
     .at_refuses = true, .value = 10, .bound = 10, .nan = WHOLE, .missing = NOT_THERE("we count"),
     LOST_FAR},
};
// clang-format on

#define ROWS (sizeof rows / sizeof *rows)

/* --- the cells -------------------------------------------------------------------------------- */

static int cells, none;

static bool is_none(const char *why) {
    bool yes = strncmp(why, "n/a: ", 5) == 0;
    CHECK(!yes || strlen(why) > 7); /* it says why */
    none += yes;
    cells += !yes;
    return yes;
}

static void cell(const row *r, const char *name, double x, says want, bool lost,
                 void (*feed)(rig *g)) {
    rig g;
    open_rig(&g, r, feed ? feed : market_is_whole);
    if (lost) {
        lose(&g, &r->lost);
    }
    if (r->arrange) {
        r->arrange(&g);
    }
    expect(&g, r, name, x, want);
    world_close(&g.w);
}

static void edges(const row *r, bool lost) {
    static const says passes = {"", NAN, NAN};
    double shift = lost ? r->counts : 0;
    bool is_switch = r->edge && strcmp(r->edge, SWITCH) == 0;
    double at = is_switch ? 0 : r->at - shift;
    double above = is_switch ? 1 : at + r->step;
    says refused = {hg_reject_code(r->code), r->value - r->slope * shift,
                    lost && r->bound_lost != 0 ? r->bound_lost : r->bound};
    says refused_at = refused;
    refused_at.value -= r->slope * r->step;
    cells += is_switch ? 2 : 3;
    cell(r, lost ? "above, one lost" : "above", above, refused, lost, r->prices);
    cell(r, lost ? "at, one lost" : "at", at, r->at_refuses ? refused_at : passes, lost, r->prices);
    if (!is_switch) {
        cell(r, lost ? "below, one lost" : "below", at - r->step, passes, lost, r->prices);
    }
}

static void all_cells(const row *given) {
    row r = *given;
    if (r.tune) {
        r.tune(&r);
    }
    bool edged = !r.edge || strcmp(r.edge, SWITCH) == 0 || !is_none(r.edge);
    if (edged) {
        edges(&r, false);
    }
    if (!is_none(r.nan.code)) {
        cell(&r, "not a number", NAN, r.nan, false, NULL);
    }
    if (!is_none(r.missing.code)) {
        CHECK(r.feed != NULL);
        cell(&r, "missing", r.at, r.missing, false, r.feed);
    }
    if (r.no_lost) {
        CHECK(is_none(r.no_lost));
    } else if (edged) {
        CHECK(r.lost.size > 0);
        edges(&r, true);
    }
}

TEST_WITHIN(every_control_in_every_cell, 120) {
    hg_log_level_set(HG_LOG_ERROR);
    for (size_t i = 0; i < ROWS; i++) {
        all_cells(&rows[i]);
    }
    printf("note: %zu rows, %d cells judged, %d cells with a reason why there is none\n", ROWS,
           cells, none);
}

/* --- nothing is left out ---------------------------------------------------------------------- */

static bool has_row(const char *control, hg_reject code) {
    for (size_t i = 0; i < ROWS; i++) {
        bool same_code = code == HG_REJECT_NONE || rows[i].code == code ||
                         strcmp(rows[i].missing.code ? rows[i].missing.code : "",
                                hg_reject_code(code)) == 0;
        if (strcmp(rows[i].control, control) == 0 && same_code) {
            return true;
        }
    }
    return false;
}

TEST(every_control_and_every_code_has_a_row) {
    bool numbers[22] = {false};
    for (uint32_t i = 0; i < hg_control_count; i++) {
        const hg_control *c = &hg_controls[i];
        for (int k = 0; c->numbers[k] != 0; k++) {
            numbers[c->numbers[k]] = true;
        }
        for (int k = 0; k == 0 || c->codes[k] != HG_REJECT_NONE; k++) {
            if (!has_row(c->name, (hg_reject)c->codes[k])) {
                hg_test_fail(__FILE__, __LINE__, "the control '%s' has no row for '%s'", c->name,
                             hg_reject_code((hg_reject)c->codes[k]));
            }
        }
    }
    for (int n = 1; n <= 21; n++) {
        CHECK(numbers[n]); /* all of the list */
    }
    for (size_t i = 0; i < ROWS; i++) {
        bool known = false;
        for (uint32_t k = 0; k < hg_control_count; k++) {
            known = known || (strcmp(hg_controls[k].name, rows[i].control) == 0 &&
                              (rows[i].code == HG_REJECT_NONE ||
                               hg_control_says(&hg_controls[k], rows[i].code)));
        }
        CHECK(known);
    }
}

TEST(a_state_changes_only_for_reasons_of_those_who_watch) {
    CHECK(hg_control_watches(HG_REJECT_BURST) && hg_control_watches(HG_REJECT_OPERATOR));
    CHECK(!hg_control_watches(HG_REJECT_OFF_LOT) && !hg_control_watches(HG_REJECT_NONE));
}

TEST(every_limit_has_a_row) {
    for (uint32_t k = 0; k < hg_limit_count; k++) {
        bool found = false;
        for (size_t i = 0; i < ROWS; i++) {
            found = found || (rows[i].limit && strcmp(rows[i].limit, hg_limit_rows[k].name) == 0);
        }
        if (!found) {
            hg_test_fail(__FILE__, __LINE__, "no row for the limit %s", hg_limit_rows[k].name);
        }
    }
}
