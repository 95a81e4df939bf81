/* What the rows of the matrix of controls do: what is missing, how x is put into an order, what is
 * there before, and what happens where no order is judged. */
#ifndef HG_TESTS_TEST_EXEC_CONTROL_ACTS_H
#define HG_TESTS_TEST_EXEC_CONTROL_ACTS_H

#include "base/text.h"
#include "test_exec_control_kit.h"

/* --- feeds with something missing ------------------------------------------------------------- */

static void nothing(rig *g) {
    (void)g;
}

static void no_vol(rig *g) { /* of the call: none makes it worth more than its coin */
    world *w = &g->w;
    value_event(w, HG_EV_INDEX, 0, 60000);
    quote(w, LINEAR, 59999, 100, 60001, 100);
    mark(w, LINEAR, 60000, 0);
    mark(w, PERP, 60000, 0);
    quote(w, PERP, 59999.5, 1000000, 60000.5, 1000000);
    quote(w, CALL, 1.1995, 100, 1.2005, 100);
    mark(w, CALL, 1.2, 0);
}

static void no_spot(rig *g) {
    mark(&g->w, CALL, 0.1, 0.5);
    quote(&g->w, CALL, 0.0995, 100, 0.1005, 100);
}

static void no_eth(rig *g) {
    no_vol(g);
    mark(&g->w, CALL, 0.1, 0.5);
    quote(&g->w, CALL, 0.0995, 100, 0.1005, 100);
}

static void no_account(rig *g) {
    market_is_whole(g);
    g->w.exec->risk->account[0] = '\0';
}

static void no_margin(rig *g) {
    market_is_whole(g);
    g->margin_known = false;
}

/* --- how x is put ----------------------------------------------------------------------------- */

static void put_nothing(rig *g, hg_order_request *r, double x) {
    (void)g, (void)r, (void)x;
}
static void put_price(rig *g, hg_order_request *r, double x) {
    (void)g;
    r->type = HG_TYPE_LIMIT;
    r->price = x;
}
static void put_instrument(rig *g, hg_order_request *r, double x) {
    bool known = x < INSTRUMENTS;
    r->instrument = (uint32_t)x;
    r->type = HG_TYPE_MARKET;
    r->size = known ? (double)inst_of(&g->w, r->instrument)->lot / 1e9 : 1;
}
static void put_lease(rig *g, hg_order_request *r, double x) {
    (void)r;
    hg_exec_lease(g->w.exec, x == 0);
}
static void put_venue(rig *g, hg_order_request *r, double x) {
    (void)r;
    hg_text_copy(g->extra.venue, sizeof g->extra.venue, x == 0 ? "paper" : "deribit");
}
static void put_account(rig *g, hg_order_request *r, double x) {
    (void)r;
    hg_text_copy(g->extra.account, sizeof g->extra.account, x == 0 ? "one" : "two");
}
static void put_strategy(rig *g, hg_order_request *r, double x) {
    (void)g;
    r->strategy = (uint16_t)x;
}
static void put_eth(rig *g, hg_order_request *r, double x) {
    (void)g;
    r->instrument = x == 0 ? LINEAR : ETH;
    r->type = HG_TYPE_MARKET;
}
static void put_side(rig *g, hg_order_request *r, double x) {
    (void)g;
    r->side = x == 0 ? HG_BUY : HG_SELL;
    r->type = HG_TYPE_MARKET;
}
static void put_halt(rig *g, hg_order_request *r, double x) {
    (void)r;
    if (x != 0) {
        hg_exec_halt(g->w.exec, "test");
        hg_event e;
        while (hg_exec_next(g->w.exec, &e)) {}
    }
}
static void put_pause(rig *g, hg_order_request *r, double x) {
    (void)r;
    if (x != 0) {
        hg_risk_kill(g->w.exec, HG_KILL_PAUSE, 0, "test", g->w.now_ns);
        world_answers(&g->w);
    }
}
static void wait(rig *g, double s) {
    g->w.now_ns += llround(s * 1e9);
    world_answers(&g->w);
}
static void put_age(rig *g, hg_order_request *r, double x) {
    (void)r;
    wait(g, x);
}
static void put_later(rig *g, hg_order_request *r, double x) {
    (void)r;
    wait(g, x);
    market_is_whole(g);
}
static void put_sent_ago(rig *g, hg_order_request *r, double x) { /* no answer comes */
    (void)r;
    g->w.now_ns += llround(x * 1e9);
}
static void put_near_expiry(rig *g, hg_order_request *r, double x) {
    (void)r;
    g->w.now_ns = inst_of(&g->w, DATED)->expiry_ns + (int64_t)x;
    market_is_whole(g);
}
static void status(rig *g, uint8_t flags, double x) {
    hg_event e = {.id = LINEAR, .kind = HG_EV_STATUS, .flags = flags};
    if (x != 0) {
        world_event(&g->w, e);
    }
}
static void put_stop_of_trade(rig *g, hg_order_request *r, double x) {
    (void)r;
    status(g, HG_EVF_HALTED, x);
}
static void put_bad_book(rig *g, hg_order_request *r, double x) {
    (void)r;
    status(g, HG_EVF_INVALID, x);
}
static void put_no_side(rig *g, hg_order_request *r, double x) {
    (void)g;
    r->side = (hg_side)(x == 0 ? 1 : 2);
}
static void put_type(rig *g, hg_order_request *r, double x) {
    (void)g;
    r->type = x == 0 ? HG_TYPE_LIMIT : HG_ORDER_TYPES;
}
static void put_tif(rig *g, hg_order_request *r, double x) {
    (void)g;
    r->tif = (hg_tif)x;
}
static void put_post_only(rig *g, hg_order_request *r, double x) {
    (void)g;
    r->post_only = true;
    r->tif = x == 0 ? HG_TIF_GTC : HG_TIF_IOC;
}
static void put_half_lot(rig *g, hg_order_request *r, double x) {
    (void)g;
    r->size = x == 0 ? 1 : 1.00005;
}
static void put_half_tick(rig *g, hg_order_request *r, double x) {
    (void)g;
    r->price = x == 0 ? 59000 : 59000.05;
}
static void put_clock(rig *g, hg_order_request *r, double x) {
    (void)r;
    hg_exec_clock_offset(g->w.exec, llround(x * 1e9));
}
static void put_empty_book(rig *g, hg_order_request *r, double x) {
    (void)r;
    quote(&g->w, LINEAR, 59999, 100, 60001, x == 0 ? 100 : 0);
}
static void put_margin(rig *g, hg_order_request *r, double x) {
    (void)r;
    g->margin.after = x - 1; /* the order asks for one more */
}
static void put_reduce_only(rig *g, hg_order_request *r, double x) {
    (void)g;
    r->reduce_only = true;
    r->size = x;
}

/* x orders before the one that is judged; `most` of them are let through. */
static void before(rig *g, uint32_t id, uint16_t strategy, double x, int most) {
    for (int i = 0; i < (int)x && i < most; i++) {
        hg_order_request r = request(id, HG_BUY, id == ETH ? 2900 : 58000, 0.01 * (1 + i));
        r.size = id == ETH ? 1 : r.size;
        r.strategy = strategy;
        send_request(&g->w, r);
        CHECK_STR(hg_reject_code(g->w.refusal.code), "");
        world_answers(&g->w);
    }
}
static void put_open(rig *g, hg_order_request *r, double x) {
    (void)r;
    before(g, LINEAR, 1, x, g->w.exec->open_count ? 2 : 3);
}
static void put_own_open(rig *g, hg_order_request *r, double x) {
    (void)r;
    before(g, ETH, 0, x, g->w.exec->open_count ? 2 : 3);
}
static void put_all_open(rig *g, hg_order_request *r, double x) {
    (void)r;
    before(g, ETH, 1, x, g->w.exec->open_count ? 2 : 3);
}
static void put_fills(rig *g, hg_order_request *r, double x) {
    (void)r;
    int most = g->w.exec->open_count ? 2
                                     : 3; /* a lost order is one of those that may have filled */
    for (int i = 0; i < (int)x && i < most; i++) {
        take(&g->w, LINEAR, HG_BUY, 1);
    }
}
static void put_after_fills(rig *g, hg_order_request *r, double x) {
    put_fills(g, r, 3);
    put_later(g, r, x);
}
static void put_own_rate(rig *g, hg_order_request *r, double x) {
    (void)r;
    before(g, LINEAR, 0, x, g->w.exec->open_count ? 19 : 20);
}
static void put_all_rate(rig *g, hg_order_request *r, double x) {
    (void)r;
    before(g, LINEAR, 1, x, g->w.exec->open_count ? 19 : 20);
}
static void put_messages(rig *g, hg_order_request *r, double x) {
    (void)r;
    before(g, LINEAR, 1, x, g->w.exec->open_count ? 31 : 32);
}

/* --- what is there before --------------------------------------------------------------------- */

static void reconciles(rig *g) {
    hg_exec_reconcile(g->w.exec, true);
}
static void is_reducing(rig *g) {
    hg_risk_cause cause = {HG_REJECT_LOSS, 1, 1, "test"};
    hg_risk_enter(g->w.exec, HG_RISK_REDUCING, &cause, HG_KILL_PAUSE, g->w.now_ns);
    world_answers(&g->w);
}
static void is_frozen(rig *g) {
    hg_risk_cause cause = {HG_REJECT_BURST, 1, 1, "test"};
    hg_risk_freeze(g->w.exec, 0, &cause, g->w.now_ns);
    world_answers(&g->w);
}
static void sent_just_now(rig *g) {
    send_market(&g->w, LINEAR, HG_BUY, 1);
}
static void sent_and_lost(rig *g) {
    hg_exec_lost(g->w.exec, send_market(&g->w, LINEAR, HG_BUY, 1), g->w.now_ns);
}
static void has_margin(rig *g) {
    hg_exec_margin(g->w.exec, &(hg_margin_hook){g, margin_of});
}
static void own_ask(rig *g) {
    rest(&g->w, LINEAR, HG_SELL, 60005, 1);
}
static void own_bid(rig *g) {
    rest(&g->w, LINEAR, HG_BUY, 59990, 1);
}
static void own_ask_lost(rig *g) {
    uint64_t id = rest(&g->w, LINEAR, HG_SELL, 60005, 1);
    hg_exec_lost(g->w.exec, id, g->w.now_ns);
}
static void own_ask_lost_with_its_cancel(rig *g) {
    uint64_t id = rest(&g->w, LINEAR, HG_SELL, 60005, 1);
    CHECK_EQ(hg_exec_cancel(g->w.exec, id, g->w.now_ns), HG_OK);
    hg_exec_lost(g->w.exec, id, g->w.now_ns);
}
static void second(rig *g, double spot) {
    later(&g->w, HG_NS_PER_S);
    market_moves(&g->w, spot);
    hg_exec_clock(g->w.exec, g->w.now_ns);
}
static void long_one(rig *g) {
    take(&g->w, LINEAR, HG_BUY, 1); /* at 60,001 */
    second(g, 60000);
}
static void long_at_a_peak(rig *g) {
    long_one(g);
    second(g, 63000);
}
static void long_and_blind(rig *g) {
    long_one(g);
    later(&g->w, 31 * HG_NS_PER_S);
    hg_exec_clock(g->w.exec, g->w.now_ns);
}
static void hedged_as_far_as_is_borne(rig *g) {
    send_market(&g->w, LINEAR, HG_SELL, 10);
    send_market(&g->w, LINEAR, HG_SELL, 5);
    world_answers(&g->w);
}

/* --- what happens ----------------------------------------------------------------------------- */

static void happen_fills(rig *g, double x) {
    for (int i = 0; i < (int)x; i++) {
        send_market(&g->w, LINEAR, HG_BUY, 1 + i);
    }
    answers(g);
}
static void happen_hedges(rig *g, double x) {
    send_market(&g->w, LINEAR, HG_SELL, 10);
    send_market(&g->w, LINEAR, HG_SELL, x);
    answers(g);
}
static void happen_later_hedge(rig *g, double x) {
    wait(g, x);
    market_is_whole(g);
    send_market(&g->w, LINEAR, HG_BUY, 5);
    answers(g);
}
/* Two hedge the same ten coins; alpha ends as far away on the other side. */
static void happen_vain_hedges(rig *g, double x) {
    for (int i = 0; i < (int)x && g->changes == 0; i++) {
        double held = hg_portfolio_exposure(g->w.portfolio, 0, g->w.now_ns)->delta_filled;
        hg_order_request r = request(LINEAR, held > 0 ? HG_SELL : HG_BUY, 0, 5);
        r.strategy = 1;
        send_request(&g->w, r);
        r.strategy = 0;
        r.size = floor((2 * fabs(held) - 5) * 10000 + 0.5) / 10000;
        send_request(&g->w, r);
        answers(g);
    }
}
static void happen_loss(rig *g, double x) {
    second(g, 60001 - x);
}
static void happen_fall(rig *g, double x) {
    second(g, 63000 - x);
}
static void happen_blind(rig *g, double x) {
    wait(g, x);
    hg_exec_clock(g->w.exec, g->w.now_ns);
}
static void kill_at(rig *g, hg_kill_level level, double x) {
    if (x != 0) {
        hg_risk_kill(g->w.exec, level, level == HG_KILL_PAUSE ? 0 : HG_STRATEGY_ANY, "test",
                     g->w.now_ns);
    }
}
static void happen_pause(rig *g, double x) {
    kill_at(g, HG_KILL_PAUSE, x);
}
static void happen_halt(rig *g, double x) {
    kill_at(g, HG_KILL_HALT, x);
}
static void happen_cancel(rig *g, double x) {
    kill_at(g, HG_KILL_CANCEL, x);
}
static void happen_flatten(rig *g, double x) {
    kill_at(g, HG_KILL_FLATTEN, x);
}
static void happen_burst(rig *g, double x) {
    send_market(&g->w, LINEAR, HG_BUY, x);
    answers(g);
}
static void happen_options(rig *g, double x) {
    send_market(&g->w, CALL, HG_BUY, x);
    answers(g);
}
static void happen_two_fills(rig *g, double x) {
    send_market(&g->w, LINEAR, HG_BUY, 3);
    answers(g);
    wait(g, x);
    market_is_whole(g);
    send_market(&g->w, LINEAR, HG_BUY, 3);
    answers(g);
}
static void happen_storm(rig *g, double x) {
    for (int i = 0; i < (int)x; i++) {
        send_limit(&g->w, LINEAR, HG_BUY, 58000, NAN);
    }
    answers(g);
}
/* Each answer of the gate is followed by the next order, so that the first is no answer. */
static void happen_echo(rig *g, double x) {
    for (int i = 0; i <= (int)x; i++) {
        send_limit(&g->w, LINEAR, HG_BUY, 58000, NAN);
        answers(g);
    }
}
static void happen_rate(rig *g, double x) { /* for so many seconds in a row */
    for (int s = 0; s < (int)x; s++) {
        for (int i = 0; i < 6; i++) {
            send_limit(&g->w, LINEAR, HG_BUY, 58000, 0.001);
        }
        later(&g->w, HG_NS_PER_S);
        market_moves(&g->w, 60000);
        answers(g);
    }
}
static void happen_nothing(rig *g, double x) {
    (void)g, (void)x;
}

/* --- numbers that follow from prices ---------------------------------------------------------- */

static void scratch(hg_unit *one) {
    rig g;
    open_rig(&g, &(row){0}, market_is_whole);
    *one = unit_of(&g.w, CALL, 1);
    world_close(&g.w);
}
static void tune_vol_collar(row *r) {
    hg_unit one;
    scratch(&one);
    r->bound = 0.1 + 10 * one.vega / 60000;
    r->at = floor(r->bound / 0.0005) * 0.0005;
    r->value = r->at + 0.0005;
}
/* The limit is what 10.05 calls have. */
static void tune_greek(row *r, double one, double *limit) {
    *limit = 10.05 * fabs(one);
    bool up = (double)r->order.side * one > 0;
    r->at = 10;
    r->step = 0.1;
    r->value = (up ? 10.1 : -10.1) * fabs(one);
    r->bound = up ? *limit : -*limit;
}
static void tune_gamma(row *r) {
    hg_unit one;
    scratch(&one);
    tune_greek(r, one.gamma * 60000 * 60000 * 0.01, &r->limits.gamma_usd_per_percent);
}
static void tune_vega(row *r) {
    hg_unit one;
    scratch(&one);
    tune_greek(r, one.vega, &r->limits.vega_usd_per_point);
}
static void tune_theta(row *r) {
    hg_unit one;
    scratch(&one);
    tune_greek(r, one.theta, &r->limits.theta_usd_per_day);
}
static void tune_vega_burst(row *r) {
    hg_unit one;
    scratch(&one);
    r->limits.burst_vega_usd_per_point = 3.05 * one.vega;
    r->value = 3.1 * one.vega;
    r->bound = r->limits.burst_vega_usd_per_point;
}
static void tune_most_vega(row *r) {
    rig g;
    open_rig(&g, &(row){0}, market_is_whole);
    double years = (double)(inst_of(&g.w, CALL)->expiry_ns - T0) / 1e9 / 86400 / 365;
    world_close(&g.w);
    double most = 60000 * sqrt(years) / sqrt(2 * 3.14159265358979) / 100;
    r->limits.burst_vega_usd_per_point = 3.05 * most;
    r->value = 3.1 * most;
    r->bound = r->limits.burst_vega_usd_per_point;
}

#endif
