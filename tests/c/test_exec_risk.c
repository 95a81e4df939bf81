/* The controls of the gate over positions, Greeks, money and time: each just below, at and just
 * above its limit, with NaN or nothing to judge by, and with orders whose fate is unknown. */
#include "test_exec_risk_kit.h"

static hg_limit_extra extra;

/* --- 21: permission --------------------------------------------------------------------------- */

static void config(hg_limits *limits, const char *path, const char *text) {
    CHECK_EQ(hg_limits_set(limits, &extra, path, text), HG_OK);
}

TEST(only_listed_instruments_and_sides_trade) {
    world w;
    hg_limits limits = {0};
    config(&limits, "instruments", "BTC_*, ETH_USDC-PERPETUAL");
    config(&limits, "sides", "buy");
    config(&limits, "strategy.beta.instruments", "ETH*");
    open_world(&w, limits);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 61000, 1), "permission");
    CHECK_STR(verdict(&w, PERP, HG_BUY, 59000, 10), "permission");
    CHECK_STR(verdict(&w, ETH, HG_BUY, 2990, 1), "");
    hg_order_request r = request(LINEAR, HG_BUY, 59000, 1);
    r.strategy = 1;
    CHECK_STR(verdict_of(&w, r), "permission"); /* its own list narrows the session's */
    r.instrument = ETH;
    r.price = 2990;
    CHECK_STR(verdict_of(&w, r), "");
    r.strategy = HG_STRATEGIES_MAX - 1;
    CHECK_STR(verdict_of(&w, r), "");
    r.strategy = HG_STRATEGIES_MAX;
    CHECK_STR(verdict_of(&w, r), "permission");
    CHECK_STR(verdict(&w, 6, HG_BUY, 1, 1), "instrument");
    world_close(&w);
}

TEST(only_the_right_venue_and_account) {
    world w;
    hg_limits limits = {0};
    config(&limits, "venue", "paper");
    open_world(&w, limits);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "");
    hg_exec_lease(w.exec, false);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "permission");
    hg_exec_lease(w.exec, true);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "");
    world_close(&w);
    config(&limits, "venue", "deribit");
    open_world(&w, limits);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "permission");
    world_close(&w);
    config(&limits, "venue", "paper");
    config(&limits, "account", "main");
    open_world(&w, limits);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "permission"); /* this one has no name */
    world_close(&w);
}

/* --- 20: reconcile ---------------------------------------------------------------------------- */

TEST(while_reconciling_orders_only_close) {
    world w;
    open_world(&w, (hg_limits){0});
    take(&w, LINEAR, HG_BUY, 3);
    hg_exec_reconcile(w.exec, true);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "reconciling");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 3), "");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 3.0001), "reconciling");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, NAN), "reconciling"); /* it closes nothing */
    uint64_t id = rest(&w, LINEAR, HG_SELL, 61000, 1);
    hg_exec_lost(w.exec, id, w.now_ns); /* whether it sold, nobody knows */
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 2), "");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 2.0001), "reconciling");
    hg_exec_reconcile(w.exec, false);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "");
    world_close(&w);
}

/* --- 13: data --------------------------------------------------------------------------------- */

TEST(an_unknown_exposure_refuses_all_but_closing) {
    world w;
    risk_world(&w, (hg_limits){0});
    CHECK_EQ(hg_portfolio_open(w.portfolio, CALL, lots(&w, CALL, -10), 0), HG_OK);
    quote(&w, LINEAR, 59999, 100, 60001, 100);
    mark(&w, LINEAR, 60000, 0);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "no_greeks"); /* the call has no vol */
    market_moves(&w, 60000);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "");
    take(&w, LINEAR, HG_BUY, 2);
    later(&w, 30 * HG_NS_PER_S);
    quote(&w, LINEAR, 59999, 100, 60001, 100);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), ""); /* just fresh enough */
    later(&w, 1);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "stale");
    CHECK_NEAR(w.refusal.value, 30.000000001, 1e-9);
    CHECK_NEAR(w.refusal.limit, 30, 0);
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 2), ""); /* it only closes */
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 2.0001), "stale");
    world_close(&w);
}

TEST(the_clock_must_agree_with_the_venue) {
    world w;
    open_world(&w, (hg_limits){.clock_offset_ns = HG_NS_PER_S});
    hg_exec_clock_offset(w.exec, HG_NS_PER_S);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "");
    hg_exec_clock_offset(w.exec, HG_NS_PER_S + 1);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "stale");
    hg_exec_clock_offset(w.exec, -HG_NS_PER_S);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "");
    hg_exec_clock_offset(w.exec, -HG_NS_PER_S - 1);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "stale");
    world_close(&w);
}

TEST(stale_reduce_only_is_the_operators_choice) {
    world w;
    hg_limits limits = {0};
    hg_order_request r = request(LINEAR, HG_SELL, 0, 2);
    r.reduce_only = true;
    for (int allowed = 0; allowed < 2; allowed++) {
        config(&limits, "stale_reduce_only", allowed ? "true" : "false");
        open_world(&w, limits);
        take(&w, LINEAR, HG_BUY, 2);
        later(&w, 11 * HG_NS_PER_S);
        CHECK_STR(verdict_of(&w, r), allowed ? "" : "stale");
        CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 2), "stale"); /* it does not say reduce-only */
        world_close(&w);
    }
}

/* --- 11: duplicates --------------------------------------------------------------------------- */

TEST(an_order_equal_to_an_open_one_is_a_duplicate) {
    world w;
    open_world(&w, (hg_limits){.duplicate_window_ns = 100 * HG_NS_PER_MS});
    hg_order_request r = request(LINEAR, HG_BUY, 0, 1);
    send_request(&w, r);
    CHECK_STR(hg_reject_code(w.refusal.code), "");
    CHECK_STR(verdict_of(&w, r), "duplicate");
    r.again = true;
    CHECK_STR(verdict_of(&w, r), "");
    r.again = false;
    r.size = 2;
    CHECK_STR(verdict_of(&w, r), "");
    r.size = 1;
    r.strategy = 1;
    CHECK_STR(verdict_of(&w, r), "");
    r.strategy = 0;
    r.side = HG_SELL;
    CHECK_STR(verdict_of(&w, r), "");
    r.side = HG_BUY;
    r.instrument = PERP;
    r.size = 10;
    CHECK_STR(verdict_of(&w, r), "");
    r = request(LINEAR, HG_BUY, 0, 1);
    later(&w, 100 * HG_NS_PER_MS - 1);
    CHECK_STR(verdict_of(&w, r), "duplicate");
    later(&w, 1);
    CHECK_STR(verdict_of(&w, r), "");
    later(&w, -1);
    CHECK_STR(verdict_of(&w, r), "duplicate");
    world_answers(&w); /* it has filled: the next one is a decision */
    CHECK_STR(verdict_of(&w, r), "");
    world_close(&w);
}

TEST(duplicates_of_resting_orders_only_where_asked_for) {
    world w;
    hg_limits limits = {0};
    open_world(&w, limits);
    rest(&w, LINEAR, HG_BUY, 59000, 1);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "");
    world_close(&w);
    config(&limits, "duplicates", "all");
    open_world(&w, limits);
    uint64_t id = rest(&w, LINEAR, HG_BUY, 59000, 1);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "duplicate");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59001, 1), "");
    hg_exec_lost(w.exec, id, w.now_ns);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "duplicate");
    world_close(&w);
    config(&limits, "duplicate_window_s", "0");
    open_world(&w, limits);
    rest(&w, LINEAR, HG_BUY, 59000, 1);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "");
    world_close(&w);
    config(&limits, "duplicates", "taking");
}

TEST(duplicates_are_remembered_among_many) {
    world w;
    open_world(&w, (hg_limits){.orders_per_second = 1000000,
                               .strategy_open_orders = 100000,
                               .open_orders = 100000,
                               .duplicate_window_ns = HG_NS_PER_S});
    hg_order_request r = request(LINEAR, HG_BUY, 59000, 1);
    r.tif = HG_TIF_IOC;
    for (int i = 0; i < 3000; i++) {
        r.size = 0.0001 * (1 + i);
        CHECK_STR(verdict_of(&w, r), "");
        send_request(&w, r);
        CHECK_STR(hg_reject_code(w.refusal.code), i < 1024 ? "" : hg_reject_code(w.refusal.code));
        CHECK_STR(verdict_of(&w, r), w.refusal.code == HG_REJECT_NONE ? "duplicate" : "duplicate");
        if (i % 512 == 511) {
            r.size = 0.0001 * (1 + i - 400);
            CHECK_STR(verdict_of(&w, r), "duplicate");
            world_answers(&w);
        }
    }
    world_close(&w);
}

/* --- 2, 3, 4: collar of options, size, value -------------------------------------------------- */

TEST(collar_of_options_in_vol_and_ticks) {
    world w;
    open_world(&w, (hg_limits){.option_collar_coins = 1e-9,
                               .option_collar_fraction = 1e-9,
                               .price_collar = 1e-9,
                               .option_collar_ticks = 1e-9,
                               .option_collar_vol_points = 10});
    double vega = unit_of(&w, CALL, 1).vega / 60000; /* coin per point */
    double bound = 0.1 + 10 * vega;
    double tick = 0.0005;
    double below = floor(bound / tick) * tick;
    CHECK_STR(verdict(&w, CALL, HG_BUY, below, 1), "");
    CHECK_STR(verdict(&w, CALL, HG_BUY, below + tick, 1), "price_collar");
    CHECK_NEAR(w.refusal.limit, bound, 1e-9);
    world_close(&w);
    open_world(&w, (hg_limits){.option_collar_coins = 1e-9,
                               .option_collar_fraction = 1e-9,
                               .price_collar = 1e-9,
                               .option_collar_vol_points = 1e-9,
                               .option_collar_ticks = 20}); /* the tick below 0.005: 0.0001 */
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0.102, 1), "");
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0.1025, 1), "price_collar");
    world_close(&w);
}

TEST(order_size_in_coins_by_class) {
    world w;
    open_world(&w, (hg_limits){.order_coins_future = 2, .order_coins_option = 3});
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 2), "");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 2.0001), "size_limit");
    CHECK_NEAR(w.refusal.limit, 2, 0);
    CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, 120000), ""); /* two coins of inverse contracts */
    CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, 120010), "size_limit");
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0.0995, 3), "");
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0.0995, 3.1), "size_limit");
    world_close(&w);
}

TEST(premium_of_one_order) {
    world w;
    open_world(&w, (hg_limits){.order_premium_usd = 60000});
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0.1, 10), ""); /* 10 * 0.1 * 60,000 */
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0.1, 10.1), "premium_limit");
    CHECK_NEAR(w.refusal.value, 60600, 1e-6);
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0, 10), ""); /* a market order by its mark */
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0, 10.1), "premium_limit");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 10), "");
    world_close(&w);
}

/* --- 7: open orders --------------------------------------------------------------------------- */

TEST(open_orders_of_strategy_and_session) {
    world w;
    open_world(&w, (hg_limits){.strategy_open_orders = 2, .total_open_orders = 3});
    rest(&w, LINEAR, HG_BUY, 58000, 1);
    uint64_t id = rest(&w, ETH, HG_BUY, 2900, 1);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 58000, 1), "open_limit");
    CHECK_NEAR(w.refusal.limit, 2, 0);
    hg_exec_lost(w.exec, id, w.now_ns);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 58000, 1), "open_limit");
    /* an amendment counts as the order it replaces */
    CHECK_EQ(hg_exec_amend(w.exec, id - 1, 58001, 0, w.now_ns, &w.refusal), HG_OK);
    hg_order_request r = request(LINEAR, HG_BUY, 58000, 1);
    r.strategy = 1;
    CHECK_STR(verdict_of(&w, r), "");
    send_request(&w, r);
    CHECK_STR(verdict_of(&w, r), "open_limit");
    CHECK_NEAR(w.refusal.limit, 3, 0);
    world_close(&w);
}

TEST(value_of_open_orders) {
    world w;
    open_world(&w, (hg_limits){.open_notional_usd = 300000});
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 5), "");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 5.0001), "open_notional");
    uint64_t id = rest(&w, PERP, HG_SELL, 61000, 180000);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 2), "");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 2.0001), "open_notional");
    CHECK_NEAR(w.refusal.value, 300006, 1e-6);
    hg_exec_lost(w.exec, id, w.now_ns);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 2.0001), "open_notional");
    uint64_t own = rest(&w, LINEAR, HG_BUY, 58000, 2);
    CHECK_EQ(hg_exec_amend(w.exec, own, 0, 2.0001, w.now_ns, &w.refusal), HG_ERISK);
    CHECK_EQ(hg_exec_amend(w.exec, own, 0, 1.5, w.now_ns, &w.refusal), HG_OK);
    world_close(&w);
}

/* --- 5: Greeks of the underlying -------------------------------------------------------------- */

TEST(worst_case_delta_over_instruments) {
    world w;
    open_world(&w, (hg_limits){.delta_coins = 5});
    take(&w, PERP, HG_BUY, 180000); /* three coins */
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 2), "");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 2.0001), "delta_limit");
    CHECK_NEAR(w.refusal.limit, 5, 0);
    CHECK_NEAR(w.refusal.value, 5.0001, 1e-9);
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 61000, 8), "");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 61000, 8.0001), "delta_limit");
    CHECK_NEAR(w.refusal.limit, -5, 0);
    uint64_t id = rest(&w, LINEAR, HG_SELL, 61000, 8); /* it may fill, or not */
    CHECK_STR(verdict(&w, PERP, HG_BUY, 59000, 120000), "");
    CHECK_STR(verdict(&w, PERP, HG_BUY, 59000, 120010), "delta_limit");
    CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, 10), "delta_limit");
    hg_exec_lost(w.exec, id, w.now_ns);
    CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, 10), "delta_limit");
    CHECK_STR(verdict(&w, ETH, HG_BUY, 2990, 5), ""); /* another underlying has its own */
    CHECK_STR(verdict(&w, ETH, HG_BUY, 2990, 5.1), "delta_limit");
    world_close(&w);
}

TEST(an_amendment_is_judged_as_the_order_it_becomes) {
    world w;
    open_world(&w, (hg_limits){.delta_coins = 5, .position_delta = 1000});
    uint64_t id = rest(&w, LINEAR, HG_BUY, 58000, 4);
    CHECK_EQ(hg_exec_amend(w.exec, id, 0, 5.0001, w.now_ns, &w.refusal), HG_ERISK);
    CHECK_STR(hg_reject_code(w.refusal.code), "delta_limit");
    CHECK_EQ(hg_exec_amend(w.exec, id, 0, 5, w.now_ns, &w.refusal), HG_OK);
    world_answers(&w);
    uint64_t sell = rest(&w, LINEAR, HG_SELL, 62000, 5);
    CHECK_EQ(hg_exec_amend(w.exec, sell, 0, 5.0001, w.now_ns, &w.refusal), HG_ERISK);
    CHECK_EQ(hg_exec_amend(w.exec, sell, 62001, 5, w.now_ns, &w.refusal), HG_OK);
    world_close(&w);
}

TEST(a_breached_delta_may_be_reduced) {
    world w;
    open_world(&w, (hg_limits){.delta_coins = 5});
    CHECK_EQ(hg_portfolio_open(w.portfolio, LINEAR, lots(&w, LINEAR, 20), 0), HG_OK);
    mark(&w, LINEAR, 60000, 0);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 0.0001), "delta_limit");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 61000, 0.0001), "");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 61000, 25), "");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 61000, 25.0001), "delta_limit"); /* through and out */
    world_close(&w);
}

static void greek_at_its_limit(const char *code, double limit, double per_coin, size_t offset) {
    world w;
    hg_limits limits = {0};
    memcpy((char *)&limits + offset, &limit, sizeof limit);
    open_world(&w, limits);
    double at = floor(limit / fabs(per_coin) * 10) / 10; /* lots are tenths */
    CHECK_STR(verdict(&w, CALL, HG_SELL, 0, at), "");
    CHECK_STR(verdict(&w, CALL, HG_SELL, 0, at + 0.1), code);
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0, at), "");
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0, at + 0.1), code);
    uint64_t id = rest(&w, PUT, HG_SELL, 0.12, 1); /* same gamma and vega as the call */
    CHECK_STR(verdict(&w, CALL, HG_SELL, 0, at + 0.1), code);
    CHECK_STR(verdict(&w, CALL, HG_SELL, 0, at - 0.9), code);
    CHECK_STR(verdict(&w, CALL, HG_SELL, 0, at - 1.1), "");
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0, at), ""); /* a sale that may not fill helps nobody */
    hg_exec_lost(w.exec, id, w.now_ns);
    CHECK_STR(verdict(&w, CALL, HG_SELL, 0, at - 0.9), code);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 10), ""); /* it has none of this Greek */
    world_close(&w);
}

TEST(gamma_vega_and_theta_have_limits) {
    world w;
    open_world(&w, (hg_limits){0});
    hg_unit one = unit_of(&w, CALL, 1);
    double gamma = one.gamma * 60000 * 60000 * 0.01;
    world_close(&w);
    CHECK(gamma > 0 && one.vega > 0 && one.theta < 0);
    greek_at_its_limit("gamma_limit", 10.05 * gamma, gamma,
                       offsetof(hg_limits, gamma_usd_per_percent));
    greek_at_its_limit("vega_limit", 10.05 * one.vega, one.vega,
                       offsetof(hg_limits, vega_usd_per_point));
    greek_at_its_limit("theta_limit", -10.05 * one.theta, one.theta,
                       offsetof(hg_limits, theta_usd_per_day));
}

TEST(limits_of_one_underlying) {
    world w;
    hg_limits limits = {.delta_coins = 100};
    config(&limits, "underlying.BTC.delta_coins", "2");
    open_world(&w, limits);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 2.0001), "delta_limit");
    CHECK_STR(verdict(&w, ETH, HG_BUY, 2990, 100), "");
    world_close(&w);
    extra.override_count = 0;
}

/* --- 6: gross value and margin ---------------------------------------------------------------- */

TEST(gross_value_of_positions_and_orders) {
    world w;
    open_world(&w, (hg_limits){.gross_notional_usd = 600000});
    take(&w, LINEAR, HG_BUY, 4);
    take(&w, ETH, HG_SELL, 100);
    CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, 60000), ""); /* 240,000 + 300,000 + 60,000 */
    CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, 60010), "gross_limit");
    CHECK_NEAR(w.refusal.value, 600010, 1e-6);
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 61000, 4), ""); /* closing never adds risk */
    uint64_t id = rest(&w, PERP, HG_SELL, 61000, 60000);
    CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, 10), "gross_limit");
    hg_exec_lost(w.exec, id, w.now_ns);
    CHECK_STR(verdict(&w, PERP, HG_SELL, 61000, 10), "gross_limit");
    CHECK_STR(verdict(&w, PERP, HG_BUY, 59000, 10), "gross_limit");
    world_close(&w);
}

TEST(gross_value_needs_every_price) {
    world w;
    risk_world(&w, (hg_limits){0});
    value_event(&w, HG_EV_INDEX, 0, 60000);
    quote(&w, LINEAR, 59999, 100, 60001, 100);
    mark(&w, LINEAR, 60000, 0);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), ""); /* nothing of ETH is held */
    CHECK_EQ(hg_portfolio_open(w.portfolio, ETH_CALL, lots(&w, ETH_CALL, 5), 0), HG_OK);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "gross_limit");
    value_event(&w, HG_EV_INDEX, 1, 3000); /* the notional is known, though not the vol */
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "");
    world_close(&w);
}

TEST(pending_options_of_others_do_not_count) {
    world w;
    open_world(&w, (hg_limits){0});
    double vega = unit_of(&w, CALL, 1).vega;
    world_close(&w);
    open_world(&w, (hg_limits){.vega_usd_per_point = 1.01 * vega});
    rest(&w, ETH_CALL, HG_BUY, 0.09, 5);
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0, 1), "");
    rest(&w, PUT, HG_BUY, 0.09, 0.1);
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0, 1), "vega_limit");
    world_close(&w);
}

typedef struct {
    hg_margin_use use;
    bool known;
    hg_lots lots; /* as they were asked */
    double price;
} account;

static bool project(void *context, uint32_t id, hg_side side, hg_lots n, double price,
                    int64_t now_ns, hg_margin_use *use) {
    account *a = context;
    CHECK(id <= ETH_CALL && side != 0 && now_ns >= T0);
    *use = a->use;
    a->lots = n;
    a->price = price;
    return a->known;
}

TEST(margin_use) {
    static const struct {
        account a;
        const char *code;
    } rows[] = {
        {{.use = {0, 89999.99, 100000}, .known = true},      ""            }, /* just below */
        {{.use = {0, 90000, 100000}, .known = true},         ""            },
        {{.use = {0, 90000.01, 100000}, .known = true},      "margin_limit"},
        {{.use = {90000.02, 90000.01, 1000}, .known = true}, ""            }, /* it asks for less */
        {{.use = {90000.01, 90000.01, 1000}, .known = true}, ""            },
        {{.use = {90000, 90000.01, 1000}, .known = true},    "margin_limit"},
        {{.use = {0, NAN, 100000}, .known = true},           "margin_limit"},
        {{.use = {NAN, 90000.01, 100000}, .known = true},    "margin_limit"},
        {{.use = {0, 1, NAN}, .known = true},                "margin_limit"},
        {{.use = {0, 0.01, -1}, .known = true},              "margin_limit"},
        {{.use = {0, 1, 100000}, .known = false},            "margin_limit"},
        {{.use = {1, 1, 100000}, .known = false},            "margin_limit"},
    };
    world w;
    account a;
    open_world(&w, (hg_limits){.margin_fraction = 0.9});
    take(&w, LINEAR, HG_BUY, 1);
    hg_exec_margin(w.exec, &(hg_margin_hook){&a, project});
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        a = rows[i].a;
        CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), rows[i].code);
        CHECK_STR(verdict(&w, LINEAR, HG_SELL, 61000, 1), ""); /* it only closes */
        CHECK_STR(verdict(&w, LINEAR, HG_SELL, 61000, 1.0001), rows[i].code);
    }
    a = rows[2].a;
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "margin_limit");
    CHECK_NEAR(w.refusal.value, 90000.01, 1e-9);
    CHECK_NEAR(w.refusal.limit, 90000, 1e-9);
    hg_exec_margin(w.exec, NULL);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "");
    world_close(&w);
}

TEST(margin_is_asked_for_what_an_order_adds) {
    world w;
    account a = {
        .use = {1, 1, 1},
          .known = true
    };
    open_world(&w, (hg_limits){0});
    hg_exec_margin(w.exec, &(hg_margin_hook){&a, project});
    uint64_t id = rest(&w, LINEAR, HG_BUY, 58000, 3);
    CHECK_EQ(a.lots, lots(&w, LINEAR, 3));
    CHECK_NEAR(a.price, 58000, 1e-9);
    CHECK_EQ(hg_exec_amend(w.exec, id, 58001, 4, w.now_ns, &w.refusal), HG_OK);
    CHECK_EQ(a.lots, lots(&w, LINEAR, 1));
    world_answers(&w);
    CHECK_EQ(hg_exec_amend(w.exec, id, 58001, 2.5, w.now_ns, &w.refusal), HG_OK);
    CHECK_EQ(a.lots, -lots(&w, LINEAR, 1.5));
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 0, 1), "");
    CHECK_NEAR(a.price, 0, 0); /* a market order has none */
    world_close(&w);
}

/* --- 12: our own orders in the way ------------------------------------------------------------ */

TEST(own_orders_in_the_way) {
    world w;
    hg_limits limits = {0};
    config(&limits, "self_trade", "deny");
    open_world(&w, limits);
    rest(&w, LINEAR, HG_SELL, 60005, 1);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 60004, 1), "");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 60005, 1), "self_trade");
    CHECK_NEAR(w.refusal.limit, 60005, 1e-9);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 0, 1), ""); /* the touch is before it */
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 60000, 1), "");
    CHECK_STR(verdict(&w, PERP, HG_BUY, 60100, 10), "");
    uint64_t bid = rest(&w, LINEAR, HG_BUY, 59990, 1);
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 59991, 1), "");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 59990, 1), "self_trade");
    hg_exec_lost(w.exec, bid, w.now_ns);
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 59990, 1), "self_trade");
    world_close(&w);
    config(&limits, "self_trade", "cancel");
    open_world(&w, limits);
    uint64_t near = rest(&w, LINEAR, HG_SELL, 60005, 1);
    uint64_t far = rest(&w, LINEAR, HG_SELL, 60010, 1);
    send_limit(&w, LINEAR, HG_BUY, 60005, 1);
    CHECK(hg_exec_get(w.exec, near)->cancel_pending);
    CHECK(!hg_exec_get(w.exec, far)->cancel_pending);
    world_answers(&w);
    CHECK_STR(state_of(&w, near), "cancelled");
    CHECK_STR(state_of(&w, far), "working");
    world_close(&w);
    config(&limits, "self_trade", "venue");
    open_world(&w, limits);
    near = rest(&w, LINEAR, HG_SELL, 60005, 1);
    send_limit(&w, LINEAR, HG_BUY, 60005, 1);
    CHECK(!hg_exec_get(w.exec, near)->cancel_pending);
    world_close(&w);
    config(&limits, "self_trade", "cancel");
}
