/* The gate where two things are equal: the last moment, the last lot, the second word of the same.
 * Each case here is a comparison that could be written the other way and look right. */
#include "alloc.h"
#include "exec/exec_int.h"
#include "test_exec_risk_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static hg_limit_extra extra;

static const char *session_state(const world *w) {
    return hg_risk_state_name(hg_risk_session(w->exec, NULL));
}

static const char *strategy_state(const world *w, uint16_t strategy) {
    return hg_risk_state_name(hg_risk_strategy(w->exec, strategy, NULL));
}

static const char *underlying_state(const world *w, uint32_t underlying) {
    return hg_risk_state_name(hg_risk_underlying(w->exec, underlying, w->now_ns, NULL));
}

static uint64_t told(const world *w) { /* changes of state so far */
    uint64_t n = 0;
    while (hg_risk_event_get(w->exec, n + 1)) {
        n++;
    }
    return n;
}

/* --- kill.c ----------------------------------------------------------------------------------- */

TEST(words_of_the_kill_switch) {
    hg_kill_level level = HG_KILL_PAUSE;
    CHECK(hg_kill_parse("halt", &level) && level == HG_KILL_HALT);
    CHECK(hg_kill_parse("cancel", &level) && level == HG_KILL_CANCEL);
    CHECK(hg_kill_parse("flatten", &level) && level == HG_KILL_FLATTEN);
    CHECK(hg_kill_parse("pause", &level) && level == HG_KILL_PAUSE);
    CHECK(!hg_kill_parse("stop", &level) && level == HG_KILL_PAUSE);
}

TEST(reasons_are_told_while_they_last) {
    world w;
    const char *why = "?";
    open_world(&w, (hg_limits){0});
    hg_risk_session(w.exec, &why);
    CHECK_STR(why, "");
    hg_risk_strategy(w.exec, 0, &why);
    CHECK_STR(why, "");
    hg_risk_kill(w.exec, HG_KILL_PAUSE, HG_STRATEGY_ANY, "", w.now_ns);
    CHECK_EQ(told(&w), 2); /* those with a name */
    hg_risk_strategy(w.exec, 1, &why);
    CHECK_STR(why, "on request");
    CHECK_STR(strategy_state(&w, 2), "active");
    hg_risk_kill(w.exec, HG_KILL_CANCEL, HG_STRATEGY_ANY, NULL, w.now_ns);
    hg_risk_session(w.exec, &why);
    CHECK_STR(why, "on request");
    hg_risk_kill(w.exec, HG_KILL_CANCEL, HG_STRATEGY_ANY, "the same again", w.now_ns);
    hg_risk_session(w.exec, &why);
    CHECK_STR(why, "on request");
    CHECK_EQ(told(&w), 3);
    hg_risk_arm(w.exec, HG_STRATEGY_ANY, "", w.now_ns);
    CHECK_EQ(told(&w), 6);
    CHECK_STR(hg_risk_event_get(w.exec, 6)->text, "the operator");
    CHECK(hg_risk_event_get(w.exec, 6)->from == HG_RISK_HALTED);
    hg_risk_arm(w.exec, HG_STRATEGY_ANY, NULL, w.now_ns);
    CHECK_EQ(told(&w), 6); /* nothing has changed */
    world_close(&w);
}

TEST(a_freeze_begins_once_and_ends_to_the_nanosecond) {
    world w;
    open_world(&w, (hg_limits){.burst_delta_coins = 5, .burst_freeze_ns = 30 * HG_NS_PER_S});
    hg_exec_clock(w.exec, w.now_ns);
    int64_t start = w.now_ns;
    for (int i = 0; i < 3; i++) { /* all three are under way when the first of them freezes */
        send_market(&w, LINEAR, HG_BUY, 6 + i);
    }
    world_answers(&w);
    CHECK_EQ(told(&w), 1);
    CHECK_STR(underlying_state(&w, 0), "frozen");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "frozen");
    CHECK_NEAR(w.refusal.value, 30, 0);
    CHECK(strstr(w.refusal.text, "re-arms") == NULL);
    w.now_ns = start + 30 * HG_NS_PER_S - 1;
    CHECK_STR(underlying_state(&w, 0), "frozen");
    w.now_ns++;
    CHECK_STR(underlying_state(&w, 0), "active"); /* before any clock has looked */
    market_moves(&w, 60000);
    take(&w, LINEAR, HG_SELL, 6);
    CHECK_STR(underlying_state(&w, 0), "frozen"); /* and it may begin anew at once */
    CHECK_EQ(told(&w), 2);
    w.now_ns += 30 * HG_NS_PER_S;
    hg_exec_clock(w.exec, w.now_ns);
    CHECK_EQ(told(&w), 3);
    world_close(&w);
    open_world(&w, (hg_limits){.burst_delta_coins = 5, .burst_freeze_ns = -1});
    take(&w, LINEAR, HG_BUY, 6);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "frozen");
    CHECK(isnan(w.refusal.value) && strstr(w.refusal.text, "re-arms") != NULL);
    world_close(&w);
}

TEST(each_level_does_what_it_says_and_no_more) {
    world w;
    open_world(&w, (hg_limits){0});
    take(&w, LINEAR, HG_BUY, 3);
    uint64_t id = rest(&w, LINEAR, HG_BUY, 58000, 1);
    hg_risk_kill(w.exec, HG_KILL_HALT, HG_STRATEGY_ANY, "test", w.now_ns);
    for (int i = 0; i < 7; i++) {
        later(&w, HG_NS_PER_S);
        hg_exec_clock(w.exec, w.now_ns);
        world_answers(&w);
    }
    CHECK_STR(state_of(&w, id), "working");
    hg_risk_kill(w.exec, HG_KILL_CANCEL, HG_STRATEGY_ANY, "test", w.now_ns);
    for (int i = 0; i < 7; i++) {
        later(&w, HG_NS_PER_S);
        market_moves(&w, 60000);
        hg_exec_clock(w.exec, w.now_ns);
        world_answers(&w);
    }
    CHECK_STR(state_of(&w, id), "cancelled");
    CHECK_NEAR(position_of(&w, LINEAR), 3, 0);
    world_close(&w);
}

TEST(flatten_begins_at_once_and_asks_for_what_is_left) {
    world w;
    open_world(&w, (hg_limits){0});
    take(&w, LINEAR, HG_BUY, 3);
    rest(&w, LINEAR, HG_SELL, 61000, 3); /* it may close all of it: nothing is left to ask for */
    hg_risk_kill(w.exec, HG_KILL_FLATTEN, HG_STRATEGY_ANY, "test", w.now_ns);
    hg_exec_clock(w.exec, w.now_ns);
    CHECK_EQ(hg_exec_stats_get(w.exec)->refused, 0);
    CHECK_EQ(hg_exec_stats_get(w.exec)->orders, 2);
    world_answers(&w); /* the resting one is cancelled */
    int64_t next = w.now_ns + 5 * HG_NS_PER_S;
    w.now_ns = next - HG_NS_PER_S;
    market_moves(&w, 60000);
    hg_exec_clock(w.exec, w.now_ns);
    CHECK_EQ(hg_exec_stats_get(w.exec)->orders, 2);
    w.now_ns = next;
    market_moves(&w, 60000);
    hg_exec_clock(w.exec, w.now_ns);
    CHECK_EQ(hg_exec_stats_get(w.exec)->orders, 3);
    world_answers(&w);
    CHECK_NEAR(position_of(&w, LINEAR), 0, 0);
    world_close(&w);
}

/* What was logged between two calls. */
static const char *logged(bool begin) {
    static char text[4096];
    static int kept = -1;
    const char *path = test_tmp("log");
    if (begin) {
        int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
        kept = dup(STDERR_FILENO);
        CHECK(file >= 0 && kept >= 0 && dup2(file, STDERR_FILENO) >= 0);
        close(file);
        return NULL;
    }
    fflush(stderr);
    CHECK(dup2(kept, STDERR_FILENO) >= 0);
    close(kept);
    int file = open(path, O_RDONLY);
    ssize_t n = read(file, text, sizeof text - 1);
    close(file);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

TEST(flatten_says_what_it_could_not_close) {
    for (int empty = 0; empty < 2; empty++) {
        world w;
        open_world(&w, (hg_limits){0});
        take(&w, LINEAR, HG_BUY, 3);
        if (empty) {
            quote(&w, LINEAR, 59999, 0, 60001, 100);
        }
        hg_risk_kill(w.exec, HG_KILL_FLATTEN, HG_STRATEGY_ANY, "test", w.now_ns);
        logged(true);
        hg_exec_clock(w.exec, w.now_ns);
        CHECK_EQ(strstr(logged(false), "not closed yet") != NULL, empty);
        world_close(&w);
    }
}

/* --- risk.c ----------------------------------------------------------------------------------- */

TEST(a_size_that_has_filled_closes_nothing) {
    world w;
    open_world(&w, (hg_limits){0});
    uint64_t id = rest(&w, LINEAR, HG_BUY, 58000, 3);
    hg_event fill = {.id = LINEAR, .kind = HG_EV_FILL, .time_ns = w.now_ns};
    fill.order.id = id;
    fill.order.trade = 900;
    fill.order.price = ticks(&w, LINEAR, 58000);
    fill.order.size = lots(&w, LINEAR, 2);
    CHECK(hg_exec_apply(w.exec, &fill) != NULL);
    CHECK_NEAR(filled_of(&w, id), 2, 0);
    int rc = hg_exec_amend(w.exec, id, 0, 2, w.now_ns, &w.refusal);
    CHECK(rc < 0);
    const char *plain = hg_reject_code(w.refusal.code);
    hg_exec_reconcile(w.exec, true);
    rc = hg_exec_amend(w.exec, id, 0, 2, w.now_ns, &w.refusal);
    CHECK(rc < 0);
    CHECK_STR(plain, "size_zero");
    CHECK_STR(hg_reject_code(w.refusal.code), "reconciling");
    world_close(&w);
}

TEST(a_strategy_nobody_has) {
    world w;
    open_world(&w, (hg_limits){0});
    hg_order_request r = request(LINEAR, HG_BUY, 58000, 1);
    r.strategy = HG_STRATEGIES_MAX;
    for (int i = 0; i < 3; i++) {
        send_request(&w, r);
        CHECK_STR(hg_reject_code(w.refusal.code), "permission");
    }
    CHECK_EQ(hg_exec_stats_get(w.exec)->refused_by[HG_REJECT_PERMISSION], 3);
    CHECK_EQ(told(&w), 0);
    world_close(&w);
}

TEST(the_list_of_what_is_pending_holds_nothing_else) {
    world w;
    uint64_t ids[3];
    open_world(&w, (hg_limits){0});
    const hg_risk *risk = w.exec->risk;
    ids[0] = rest(&w, CALL, HG_BUY, 0.09, 1);
    ids[1] = rest(&w, LINEAR, HG_BUY, 58000, 1);
    ids[2] = rest(&w, PERP, HG_BUY, 58000, 10);
    for (uint32_t i = 0; i < 3; i++) {
        CHECK_EQ(risk->pending_count, 3 - i);
        CHECK_EQ(hg_exec_cancel(w.exec, ids[i], w.now_ns), HG_OK);
        world_answers(&w);
        CHECK_EQ(risk->pending_place[i == 0 ? CALL : i == 1 ? LINEAR : PERP], 0);
    }
    CHECK_EQ(risk->pending_count, 0);
    world_close(&w);
}

TEST(a_pattern_longer_than_any_name_permits_nothing) {
    for (size_t len = HG_NAME_MAX - 1; len <= HG_NAME_MAX + 2; len++) {
        world w;
        hg_limits limits = {0};
        char pattern[HG_NAME_MAX + 3] = "BTC_USDC-PERPETUAL";
        memset(pattern + strlen(pattern), '*', len - strlen(pattern));
        pattern[len] = '\0';
        CHECK_EQ(hg_limits_set(&limits, &extra, "instruments", pattern), HG_OK);
        open_world(&w, limits);
        CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), len <= HG_NAME_MAX ? "" : "permission");
        world_close(&w);
    }
}

TEST(repeats_are_counted_as_far_as_they_are_kept) {
    static const struct {
        uint32_t given, kept;
    } rows[] = {
        {2046, 2046},
        {2047, 2047},
        {2048, 2047},
        {5000, 2047}
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        world w;
        open_world(&w, (hg_limits){.repeated_orders = rows[i].given});
        CHECK_EQ(hg_exec_limits_of_strategy(w.exec, 0)->repeated_orders, rows[i].kept);
        world_close(&w);
    }
}

TEST(without_memory_there_is_no_gate) {
    world w;
    int failures = 0;
    risk_world(&w, (hg_limits){0});
    for (long n = 1; n < 4096; n++) {
        if (hg_test_alloc_fail_at(n) < 0) {
            break; /* a sanitizer owns malloc */
        }
        hg_exec *exec = hg_exec_new(w.market, w.portfolio, w.venue, &(hg_exec_options){0});
        bool failed = hg_test_alloc_failed() != 0;
        hg_test_alloc_fail_at(0);
        CHECK_EQ(exec == NULL, failed);
        hg_exec_free(exec);
        failures += failed;
        if (!failed) {
            break;
        }
    }
    CHECK(failures == 0 || failures > 40); /* three of each strategy alone */
    world_close(&w);
}

/* --- risk_form.c ------------------------------------------------------------------------------ */

TEST(every_time_in_force_that_is_one) {
    world w;
    open_world(&w, (hg_limits){0});
    hg_order_request r = request(LINEAR, HG_BUY, 59000, 1);
    for (int tif = 0; tif <= HG_TIF_FOK; tif++) {
        r.tif = (hg_tif)tif;
        CHECK_STR(verdict_of(&w, r), "");
    }
    r.tif = (hg_tif)(HG_TIF_FOK + 1);
    CHECK_STR(verdict_of(&w, r), "bad_request");
    world_close(&w);
}

TEST(the_largest_size_the_ledger_holds) {
    world w;
    open_world(&w, (hg_limits){0});
    double most = (double)(INT64_MAX / 4) / 1e9;
    CHECK_STR(verdict(&w, PERP, HG_BUY, 59000, nextafter(most, 0)), "off_lot");
    CHECK_STR(verdict(&w, PERP, HG_BUY, 59000, most), "off_lot");
    CHECK_STR(verdict(&w, PERP, HG_BUY, 59000, nextafter(most, INFINITY)), "size_limit");
    CHECK_NEAR(w.refusal.limit, most, 0);
    world_close(&w);
}

TEST(the_tick_is_that_of_the_price) {
    world w;
    open_world(&w, (hg_limits){0});
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0.0996, 1), "off_tick");
    CHECK_NEAR(w.refusal.limit, 0.0005, 1e-12);
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0.00495, 1), "off_tick");
    CHECK_NEAR(w.refusal.limit, 0.0001, 1e-12);
    world_close(&w);
}

TEST(a_mark_of_nothing_is_none) {
    world w;
    risk_world(&w, (hg_limits){0});
    value_event(&w, HG_EV_INDEX, 0, 60000);
    quote(&w, LINEAR, 59999, 100, 60001, 100);
    mark(&w, LINEAR, 0, 0);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), ""); /* by its quote */
    later(&w, 11 * HG_NS_PER_S);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    mark(&w, LINEAR, 0, 0); /* new, but it does not make the quote any newer */
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "stale");
    world_close(&w);
}

TEST(the_last_quote_will_do_where_the_operator_says_so) {
    world w;
    hg_limits limits = {0};
    CHECK_EQ(hg_limits_set(&limits, &extra, "stale_reduce_only", "true"), HG_OK);
    risk_world(&w, limits);
    CHECK_EQ(hg_portfolio_open(w.portfolio, LINEAR, lots(&w, LINEAR, 2), 0), HG_OK);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    quote(&w, LINEAR, 59999, 100, 60001, 100); /* and never a mark */
    later(&w, 11 * HG_NS_PER_S);
    hg_order_request r = request(LINEAR, HG_SELL, 0, 2);
    r.reduce_only = true;
    CHECK_STR(verdict_of(&w, r), "");
    mark(&w, LINEAR, 60500, 0);
    later(&w, 11 * HG_NS_PER_S);
    CHECK_STR(verdict_of(&w, r), "");
    CHECK_EQ(hg_limits_set(&limits, &extra, "stale_reduce_only", "false"), HG_OK);
    world_close(&w);
}

TEST(a_market_order_is_never_below_a_tick) {
    world w;
    open_world(&w, (hg_limits){0});
    mark(&w, CALL, 0.0005, 0.5);
    quote(&w, CALL, 0.0004, 100, 0.0006, 100);
    uint64_t id = send_market(&w, CALL, HG_SELL, 1);
    CHECK_STR(hg_reject_code(w.refusal.code), "");
    CHECK_EQ(hg_exec_get(w.exec, id)->price, 1);
    world_close(&w);
}

TEST(closing_without_a_spot_has_no_value) {
    world w;
    risk_world(&w, (hg_limits){0});
    CHECK_EQ(hg_portfolio_open(w.portfolio, CALL, lots(&w, CALL, -10), 0), HG_OK);
    mark(&w, CALL, 0.1, 0.5);
    quote(&w, CALL, 0.0995, 100, 0.1005, 100);
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0.1005, 1), "no_price");
    world_close(&w);
}

/* --- risk_position.c -------------------------------------------------------------------------- */

TEST(a_market_order_reaches_the_touch_of_its_own_side) {
    world w;
    hg_limits limits = {0};
    CHECK_EQ(hg_limits_set(&limits, &extra, "self_trade", "deny"), HG_OK);
    open_world(&w, limits);
    rest(&w, LINEAR, HG_SELL, 60005, 1);
    quote(&w, LINEAR, 59999, 0, 60001, 100);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 0, 1), "");
    world_close(&w);
    open_world(&w, limits);
    rest(&w, LINEAR, HG_BUY, 59995, 1);
    quote(&w, LINEAR, 59999, 100, 60001, 0);
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 1), "");
    world_close(&w);
}

TEST(a_market_order_reaches_as_far_as_the_book_shows_its_size) {
    world w;
    hg_limits limits = {0};
    CHECK_EQ(hg_limits_set(&limits, &extra, "self_trade", "deny"), HG_OK);
    open_world(&w, limits);
    rest(&w, LINEAR, HG_SELL, 60005, 1);
    level(&w, LINEAR, HG_BUY, 59999, 10, HG_EVF_SNAPSHOT);
    level(&w, LINEAR, HG_SELL, 60001, 10, 0);
    level(&w, LINEAR, HG_SELL, 60003, 10, 0);
    level(&w, LINEAR, HG_SELL, 60005, 10, 0);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 0, 10), "");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 0, 20), "");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 0, 20.0001), "self_trade");
    CHECK_NEAR(w.refusal.value, 60005, 0);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 0, 30.0001), "self_trade");
    CHECK_NEAR(w.refusal.value, 66000, 0); /* more than is shown: its collar */
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 60004, 25), "");
    world_close(&w);
}

TEST(an_order_that_waits_for_its_trigger_is_in_nobodys_way) {
    world w;
    hg_limits limits = {0};
    CHECK_EQ(hg_limits_set(&limits, &extra, "self_trade", "deny"), HG_OK);
    open_world(&w, limits);
    hg_order_request stop = request(LINEAR, HG_SELL, 59000, 1);
    stop.type = HG_TYPE_STOP_LIMIT;
    stop.trigger = HG_TRIGGER_MARK;
    stop.trigger_price = 59500;
    uint64_t id = send_request(&w, stop);
    CHECK_STR(hg_reject_code(w.refusal.code), "");
    world_answers(&w);
    CHECK_STR(state_of(&w, id), "untriggered");
    rest(&w, LINEAR, HG_SELL, 61000, 1); /* something is sold, but not there */
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 60000, 1), "");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 61000, 1), "self_trade");
    world_close(&w);
}

/* --- risk_watch.c ----------------------------------------------------------------------------- */

static void long_world(world *w, hg_limits limits) {
    risk_world(w, limits);
    CHECK_EQ(hg_portfolio_open(w->portfolio, PERP, lots(w, PERP, 600000), 0), HG_OK);
    market_moves(w, 60000);
}

TEST(turning_a_position_round_is_no_hedge) {
    world w;
    long_world(&w, (hg_limits){.hedge_overshoot = 1.5, .hedge_tries = 2});
    for (int i = 0; i < 6; i++) { /* as much as before, on the other side */
        take(&w, LINEAR, i % 2 == 0 ? HG_SELL : HG_BUY, 20);
        CHECK_STR(strategy_state(&w, 0), "active");
    }
    world_close(&w);
}

TEST(a_window_of_hedges_ends_to_the_nanosecond) {
    for (int early = 0; early < 2; early++) {
        world w;
        long_world(&w, (hg_limits){.hedge_overshoot = 1.5, .hedge_window_ns = 5 * HG_NS_PER_S});
        send_market(&w, LINEAR, HG_SELL, 10);
        send_market(&w, LINEAR, HG_SELL, 5); /* all that is borne, and five short now */
        world_answers(&w);
        later(&w, 5 * HG_NS_PER_S - early);
        take(&w, LINEAR, HG_BUY, 5);
        CHECK_STR(strategy_state(&w, 0), early ? "paused" : "active");
        world_close(&w);
    }
}

TEST(hedges_may_fill_one_lot_more_than_is_borne) {
    for (int more = 0; more < 2; more++) {
        world w;
        long_world(&w, (hg_limits){.hedge_overshoot = 1.5});
        send_market(&w, LINEAR, HG_SELL, 10);
        send_market(&w, LINEAR, HG_SELL, more ? 5.0002 : 5.0001);
        world_answers(&w);
        CHECK_STR(strategy_state(&w, 0), more ? "paused" : "active");
        world_close(&w);
    }
}

TEST(a_burst_of_exactly_the_limit) {
    world w;
    open_world(&w, (hg_limits){0});
    double vega = (double)llround(unit_of(&w, CALL, 1).vega * 1e9) / 1e9;
    world_close(&w);
    for (int below = 0; below < 2; below++) {
        open_world(&w, (hg_limits){.burst_vega_usd_per_point = vega - below * 1e-6});
        take(&w, CALL, HG_BUY, 1);
        CHECK_STR(underlying_state(&w, 0), below ? "frozen" : "active");
        world_close(&w);
    }
    open_world(&w, (hg_limits){.loss_halt_usd = 1e6});
    CHECK_STR(session_state(&w), "active");
    world_close(&w);
}
