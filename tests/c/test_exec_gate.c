/* Every control of the gate just below, at and just above its limit, and with NaN. */
#include "exec/risk.h"
#include "test_exec_kit.h"

#include <stdlib.h>
#include <string.h>

enum { LINEAR, PERP, OPTION, LINEAR_OPTION };

static void gate_world(world *w, const hg_limits *limits) {
    world_init(w);
    world_add(w, "BTC_USDC-PERPETUAL");
    world_add(w, "BTC-PERPETUAL");
    world_add(w, "BTC-27MAR26-60000-C");
    world_add(w, "BTC_USDC-27MAR26-60000-C");
    world_open(w, NULL);
    world_trade(
        w, NULL,
        &(hg_exec_options){.limits = limits ? *limits : (hg_limits){0}, .order_capacity = 1024});
    value_event(w, HG_EV_INDEX, 0, 60000);
    value_event(w, HG_EV_FORWARD, 0, 60000);
    quote(w, LINEAR, 59999, 10, 60001, 10);
    quote(w, PERP, 59999.5, 100000, 60000.5, 100000);
    mark(w, LINEAR, 60000, 0);
    mark(w, PERP, 60000, 0);
    mark(w, OPTION, 0.1, 0.5);
    mark(w, LINEAR_OPTION, 6000, 0.5);
    quote(w, OPTION, 0.0995, 10, 0.1005, 10);
}

static hg_order_request limit_order(uint32_t id, hg_side side, double price, double size) {
    return (hg_order_request){
        .instrument = id, .side = side, .type = HG_TYPE_LIMIT, .price = price, .size = size};
}

/* What the gate says; the order, if it passed, is taken away again. */
static const char *judge(world *w, hg_order_request r) {
    uint64_t id = 0;
    w->refusal = (hg_refusal){0};
    int rc = hg_exec_submit(w->exec, &r, w->now_ns, &id, &w->refusal);
    CHECK(id != 0);
    CHECK_EQ(rc, w->refusal.code == HG_REJECT_NONE ? HG_OK : HG_ERISK);
    if (rc == HG_OK) {
        world_answers(w);
        hg_exec_cancel(w->exec, id, w->now_ns);
    } else {
        CHECK(w->refusal.text[0] != '\0');
        CHECK_STR(state_of(w, id), "rejected");
        CHECK_EQ(hg_exec_get(w->exec, id)->reject, w->refusal.code);
    }
    world_answers(w);
    return hg_reject_code(w->refusal.code);
}

static const char *judge_limit(world *w, uint32_t id, hg_side side, double price, double size) {
    return judge(w, limit_order(id, side, price, size));
}

TEST(numbers_must_be_finite_and_positive) {
    world w;
    gate_world(&w, NULL);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, NAN), "not_finite");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, INFINITY), "not_finite");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, -INFINITY), "not_finite");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, NAN, 1), "not_finite");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, INFINITY, 1), "not_finite");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 0), "size_zero");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, -1), "size_zero");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1e300), "size_limit");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1e12), "size_limit");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 3e9), "size_limit"); /* of the ledger alone */
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1e-12), "off_lot");  /* no lot at all */
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 1e-9, 1), "off_tick");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 0, 1), "price_collar");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, -5, 1), "price_collar");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 1e300, 1), "off_tick");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "");
    hg_order_request r = limit_order(LINEAR, HG_BUY, NAN, 1);
    r.type = HG_TYPE_MARKET; /* the price of a market order is not looked at */
    CHECK_STR(judge(&w, r), "");
    world_close(&w);
}

TEST(ticks_and_lots) {
    world w;
    gate_world(&w, NULL);
    double tick = (double)inst_of(&w, LINEAR)->tick / 1e9;
    double lot = (double)inst_of(&w, LINEAR)->lot / 1e9;
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000 + tick, lot), "");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000 + tick / 2, lot), "off_tick");
    CHECK_NEAR(w.refusal.limit, tick, 1e-15);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, lot * 1.5), "off_lot");
    CHECK_NEAR(w.refusal.value, lot * 1.5, 1e-15);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, lot / 2), "off_lot");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, lot * 3 * 1.0000000001),
              ""); /* binary noise */
    /* above 0.005 an inverse option moves by 0.0005 */
    CHECK_STR(judge_limit(&w, OPTION, HG_BUY, 0.0995, 1), "");
    CHECK_STR(judge_limit(&w, OPTION, HG_BUY, 0.0996, 1), "off_tick");
    CHECK_STR(judge_limit(&w, OPTION, HG_BUY, 0.0049, 1), "");
    world_close(&w);
}

TEST(form_of_the_request) {
    world w;
    gate_world(&w, NULL);
    hg_order_request r = limit_order(LINEAR, HG_BUY, 59000, 1);
    r.side = (hg_side)0;
    CHECK_STR(judge(&w, r), "bad_request");
    r = limit_order(LINEAR, HG_BUY, 59000, 1);
    r.type = (hg_order_type)7;
    CHECK_STR(judge(&w, r), "bad_request");
    r = limit_order(LINEAR, HG_BUY, 59000, 1);
    r.tif = (hg_tif)9;
    CHECK_STR(judge(&w, r), "bad_request");
    r = limit_order(LINEAR, HG_BUY, 59000, 1);
    r.post_only = true;
    CHECK_STR(judge(&w, r), "");
    r.tif = HG_TIF_IOC;
    CHECK_STR(judge(&w, r), "bad_request");
    r.tif = HG_TIF_GTC;
    r.type = HG_TYPE_MARKET;
    CHECK_STR(judge(&w, r), "bad_request");
    world_close(&w);
}

TEST(instrument_must_be_tradable) {
    world w; /* gamma has no bound at expiry */
    gate_world(&w, &(hg_limits){.gamma_usd_per_percent = 1e300, .theta_usd_per_day = 1e300});
    CHECK_STR(judge_limit(&w, 99, HG_BUY, 1, 1), "instrument");
    CHECK_STR(judge_limit(&w, hg_universe_count(w.universe), HG_BUY, 1, 1), "instrument");
    CHECK_STR(judge_limit(&w, HG_ID_NONE, HG_BUY, 1, 1), "instrument");
    hg_event e = {.id = LINEAR, .kind = HG_EV_STATUS, .flags = HG_EVF_HALTED};
    world_event(&w, e);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "instrument");
    e.flags = 0;
    world_event(&w, e);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "");
    w.now_ns = inst_of(&w, OPTION)->expiry_ns - 1;
    value_event(&w, HG_EV_INDEX, 0, 60000);
    value_event(&w, HG_EV_FORWARD, 0, 60000);
    mark(&w, OPTION, 0.1, 0.5);
    CHECK_STR(judge_limit(&w, OPTION, HG_BUY, 0.0995, 1), "");
    later(&w, 1);
    CHECK_STR(judge_limit(&w, OPTION, HG_BUY, 0.0995, 1), "instrument");
    world_close(&w);
}

TEST(collar_of_limit_prices) {
    world w;
    gate_world(&w, &(hg_limits){.price_collar = 0.05});
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 63000, 1), ""); /* 60,000 * 1.05 */
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 63001, 1), "price_collar");
    CHECK_NEAR(w.refusal.value, 63001, 1e-9);
    CHECK_NEAR(w.refusal.limit, 63000, 1e-6);
    CHECK_STR(judge_limit(&w, LINEAR, HG_SELL, 57000, 1), "");
    CHECK_STR(judge_limit(&w, LINEAR, HG_SELL, 56999, 1), "price_collar");
    /* away from the market there is no danger in a price */
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 100, 1), "");
    CHECK_STR(judge_limit(&w, LINEAR, HG_SELL, 90000, 1), "");
    world_close(&w);
}

TEST(collar_of_options_is_wide_in_fractions) {
    world w;
    gate_world(&w, NULL);
    CHECK_STR(judge_limit(&w, OPTION, HG_BUY, 0.15, 1), ""); /* 0.1 + 0.05 coin */
    CHECK_STR(judge_limit(&w, OPTION, HG_BUY, 0.1505, 1), "price_collar");
    CHECK_STR(judge_limit(&w, OPTION, HG_SELL, 0.05, 1), "");
    CHECK_STR(judge_limit(&w, OPTION, HG_SELL, 0.0495, 1), "price_collar");
    mark(&w, OPTION, 0.2, 0.5); /* half the mark is wider now */
    CHECK_STR(judge_limit(&w, OPTION, HG_BUY, 0.3, 1), "");
    CHECK_STR(judge_limit(&w, OPTION, HG_BUY, 0.3005, 1), "price_collar");
    mark(&w, OPTION, 0.001, 0.5); /* cheap: 0.05 coin lets it sell at its only price */
    CHECK_STR(judge_limit(&w, OPTION, HG_SELL, 0.0005, 1), "");
    double tick = (double)inst_of(&w, LINEAR_OPTION)->tick / 1e9;
    CHECK_STR(judge_limit(&w, LINEAR_OPTION, HG_BUY, 9000, 1), ""); /* 3,000 USDC either way */
    CHECK_STR(judge_limit(&w, LINEAR_OPTION, HG_BUY, 9000 + tick, 1), "price_collar");
    world_close(&w);
}

TEST(market_orders_carry_the_collar) {
    world w;
    gate_world(&w, &(hg_limits){.price_collar = 0.01});
    uint64_t buy = send_market(&w, LINEAR, HG_BUY, 1);
    uint64_t sell = send_market(&w, PERP, HG_SELL, 1000);
    CHECK_EQ(hg_exec_get(w.exec, buy)->price, ticks(&w, LINEAR, 60600));
    CHECK_EQ(hg_exec_get(w.exec, sell)->price, ticks(&w, PERP, 59400));
    CHECK_EQ(hg_exec_get(w.exec, buy)->tif, HG_TIF_IOC);
    quote(&w, LINEAR, 59999, 1, 60001, 0);
    send_market(&w, LINEAR, HG_BUY, 2);
    CHECK_STR(hg_reject_code(w.refusal.code), "no_price");
    send_market(&w, LINEAR, HG_SELL, 1);
    CHECK_STR(hg_reject_code(w.refusal.code), "");
    world_close(&w);
}

TEST(data_must_be_fresh) {
    world w;
    gate_world(&w, &(hg_limits){.quote_max_age_ns = HG_NS_PER_S});
    later(&w, HG_NS_PER_S);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), ""); /* just at the limit */
    later(&w, 1);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "stale");
    CHECK_NEAR(w.refusal.value, 1.000000001, 1e-12);
    CHECK_NEAR(w.refusal.limit, 1, 0);
    quote(&w, LINEAR, 59999, 10, 60001, 10); /* a fresh mid will do */
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "");
    later(&w, 2 * HG_NS_PER_S);
    mark(&w, LINEAR, 60000, 0); /* and so will a fresh mark beside an unchanged quote */
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "");
    hg_event e = {.id = LINEAR, .kind = HG_EV_STATUS, .flags = HG_EVF_INVALID};
    world_event(&w, e);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "stale");
    world_close(&w);
}

TEST(the_newest_of_mark_and_quote_decides) {
    world w;
    gate_world(&w, &(hg_limits){.quote_max_age_ns = HG_NS_PER_S});
    later(&w, HG_NS_PER_S);
    quote(&w, LINEAR, 59999, 10, 60001, 10);
    mark(&w, PERP, 60000, 0);
    later(&w, 2 * HG_NS_PER_S);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "stale");
    CHECK_NEAR(w.refusal.value, 2, 1e-12);
    CHECK_STR(judge_limit(&w, PERP, HG_BUY, 59000, 10), "stale");
    CHECK_NEAR(w.refusal.value, 2, 1e-12);
    CHECK_STR(judge_limit(&w, LINEAR_OPTION, HG_BUY, 6000, 1), "stale"); /* has never been quoted */
    CHECK_NEAR(w.refusal.value, 3, 1e-12);
    world_close(&w);
}

TEST(a_position_must_fit_the_ledger) {
    world w;
    gate_world(&w, &(hg_limits){.order_value_usd = 1e15,
                                .position_delta = 1e12,
                                .delta_coins = 1e12,
                                .open_notional_usd = 1e15,
                                .order_coins_future = 1e12});
    send_limit(&w, PERP, HG_BUY, 58000, 2e9);
    world_answers(&w);
    CHECK_STR(judge_limit(&w, PERP, HG_BUY, 58000, 3e8), "");
    CHECK_STR(judge_limit(&w, PERP, HG_BUY, 58000, 4e8), "size_limit");
    world_close(&w);
}

TEST(no_reference_no_order) {
    world w;
    world_init(&w);
    uint32_t id = world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    world_trade(&w, NULL, NULL);
    CHECK_STR(judge_limit(&w, id, HG_BUY, 59000, 1), "no_price");
    quote(&w, id, 59999, 10, 60001, 0); /* one side has no mid */
    CHECK_STR(judge_limit(&w, id, HG_BUY, 59000, 1), "no_price");
    quote(&w, id, 59999, 10, 60001, 1);
    CHECK_STR(judge_limit(&w, id, HG_BUY, 59000, 1), "");
    world_close(&w);
}

TEST(order_value) {
    world w;
    gate_world(&w, &(hg_limits){.order_value_usd = 120000});
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 2), ""); /* 2 * 60,000 */
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 2.0001), "value_limit");
    CHECK_NEAR(w.refusal.value, 120006, 1e-6);
    CHECK_NEAR(w.refusal.limit, 120000, 0);
    CHECK_STR(judge_limit(&w, PERP, HG_SELL, 61000, 120000), "");
    CHECK_STR(judge_limit(&w, PERP, HG_SELL, 61000, 120010), "value_limit");
    CHECK_STR(judge_limit(&w, OPTION, HG_BUY, 0.0995, 2), ""); /* coins of notional */
    CHECK_STR(judge_limit(&w, OPTION, HG_BUY, 0.0995, 2.1), "value_limit");
    world_close(&w);
}

TEST(worst_case_position) {
    world w;
    gate_world(&w, &(hg_limits){.position_delta = 5});
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 5), "");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 5.0001), "position_limit");
    CHECK_NEAR(w.refusal.limit, 5, 0);
    CHECK_STR(judge_limit(&w, LINEAR, HG_SELL, 61000, 5.0001), "position_limit");
    uint64_t rests = send_limit(&w, LINEAR, HG_BUY, 58000, 3); /* pending counts in full */
    world_answers(&w);
    CHECK_STR(state_of(&w, rests), "working");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 58000, 2), "");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 58000, 2.0001), "position_limit");
    CHECK_STR(judge_limit(&w, LINEAR, HG_SELL, 61000, 5), ""); /* buys do not excuse sells */
    CHECK_STR(judge_limit(&w, LINEAR, HG_SELL, 61000, 5.0001), "position_limit");
    hg_exec_lost(w.exec, rests, w.now_ns); /* unknown counts like open */
    CHECK_STR(state_of(&w, rests), "unknown");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 58000, 2.0001), "position_limit");
    send_market(&w, LINEAR, HG_SELL, 5);
    world_answers(&w);
    CHECK_NEAR(position_of(&w, LINEAR), -5, 0);
    CHECK_STR(judge_limit(&w, LINEAR, HG_SELL, 61000, 0.0001), "position_limit");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 58000, 7), ""); /* -5 + 3 + 7 */
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 58000, 7.0001), "position_limit");
    world_close(&w);
}

TEST(open_orders_per_instrument) {
    world w;
    gate_world(&w, &(hg_limits){.open_orders = 2});
    send_limit(&w, LINEAR, HG_BUY, 58000, 1);
    world_answers(&w);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 58000, 1), "");
    uint64_t second = send_limit(&w, LINEAR, HG_BUY, 58000, 1);
    world_answers(&w);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 58000, 1), "open_limit");
    CHECK_STR(judge_limit(&w, PERP, HG_BUY, 58000, 10), "");
    CHECK_EQ(hg_exec_cancel(w.exec, second, w.now_ns), HG_OK);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 58000, 1), "open_limit"); /* until it is known */
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 58000, 1), "");
    world_close(&w);
}

TEST(reduce_only_reduces) {
    world w;
    gate_world(&w, NULL);
    hg_order_request r = limit_order(LINEAR, HG_SELL, 61000, 1);
    r.reduce_only = true;
    CHECK_STR(judge(&w, r), "reduce_only"); /* nothing to reduce */
    send_market(&w, LINEAR, HG_BUY, 3);
    world_answers(&w);
    r.size = 3;
    CHECK_STR(judge(&w, r), "");
    r.size = 3.0001;
    CHECK_STR(judge(&w, r), "reduce_only");
    CHECK_NEAR(w.refusal.limit, 3, 0);
    send_limit(&w, LINEAR, HG_SELL, 61000, 2); /* what is pending has taken its part */
    world_answers(&w);
    r.size = 1;
    CHECK_STR(judge(&w, r), "");
    r.size = 1.0001;
    CHECK_STR(judge(&w, r), "reduce_only");
    r = limit_order(LINEAR, HG_BUY, 58000, 1);
    r.reduce_only = true;
    CHECK_STR(judge(&w, r), "reduce_only");
    world_close(&w);
}

TEST(the_rate_is_counted_in_event_time_and_last) {
    world w;
    gate_world(&w, &(hg_limits){.orders_per_second = 10});
    for (int i = 0; i < 100; i++) { /* refused for something else: no token is spent */
        CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, NAN), "not_finite");
    }
    for (int i = 0; i < 40; i++) { /* burst of four seconds */
        CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "");
    }
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "rate");
    CHECK_NEAR(w.refusal.limit, 10, 0);
    later(&w, HG_NS_PER_S / 10 - 1);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "rate");
    later(&w, 1);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "rate");
    world_close(&w);
}

TEST(a_halt_is_latched_and_lets_cancels_pass) {
    world w;
    gate_world(&w, NULL);
    uint64_t id = send_limit(&w, LINEAR, HG_BUY, 58000, 1);
    world_answers(&w);
    hg_exec_halt(w.exec, "the operator said so");
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "halted");
    CHECK(strstr(w.refusal.text, "the operator said so") != NULL);
    CHECK_EQ(hg_exec_cancel(w.exec, id, w.now_ns), HG_OK);
    world_answers(&w);
    CHECK_STR(state_of(&w, id), "cancelled");
    CHECK_EQ(hg_exec_amend(w.exec, id, 1, 1, w.now_ns, &w.refusal), HG_ESTATE);
    world_close(&w);
}

TEST(a_limit_that_is_absent_or_absurd_is_the_default) {
    hg_limits standard;
    hg_limits limits = {.price_collar = NAN,
                        .order_value_usd = -1,
                        .position_delta = INFINITY,
                        .quote_max_age_ns = -5};
    hg_limits_default(&standard);
    hg_limits_complete(&limits);
    CHECK_MEM(&limits, &standard, sizeof limits);
}

/* --- what a refusal tells --------------------------------------------------------------------- */

typedef struct {
    int refusals, orders, fills;
    char code[32];
} seen_log;

static void on_refusal(void *context, const hg_order_request *request, const hg_refusal *refusal) {
    seen_log *log = context;
    (void)request;
    log->refusals++;
    strncat(log->code, hg_reject_code(refusal->code), sizeof log->code - 1);
}

static void on_order(void *context, const hg_order *order) {
    seen_log *log = context;
    log->orders++;
    CHECK_STR(hg_order_state_name((hg_order_state)order->state), "rejected");
}

TEST(the_script_hears_of_a_refusal_after_its_callback) {
    world w;
    seen_log log = {0};
    world_init(&w);
    uint32_t id = world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    world_trade(&w, NULL,
                &(hg_exec_options){
                    .observer = {.context = &log, .order = on_order, .refusal = on_refusal}
    });
    uint64_t order = send_limit(&w, id, HG_BUY, 59000, 1);
    CHECK_EQ(log.refusals, 1);
    CHECK_STR(log.code, "no_price");
    CHECK_EQ(log.orders, 0);
    CHECK_EQ(hg_exec_due_ns(w.exec), w.now_ns);
    hg_event e;
    CHECK(hg_exec_next(w.exec, &e));
    CHECK(e.kind == HG_EV_REJECTED && e.order.id == order && e.order.code == HG_REJECT_NO_PRICE);
    CHECK(hg_exec_apply(w.exec, &e) == hg_exec_get(w.exec, order));
    CHECK(hg_exec_apply(w.exec, &e) == NULL); /* told once */
    CHECK_EQ(log.orders, 1);
    CHECK_EQ(hg_exec_due_ns(w.exec), INT64_MAX);
    CHECK_EQ(hg_exec_stats_get(w.exec)->refused, 1);
    CHECK_EQ(hg_exec_stats_get(w.exec)->orders, 0);
    world_close(&w);
}

TEST(refusals_without_end_are_bounded) {
    world w;
    gate_world(&w, NULL);
    hg_order_request r = limit_order(LINEAR, HG_BUY, NAN, 1);
    uint64_t id = 0;
    for (int i = 0; i < 20000; i++) { /* a script in a loop that never lets go */
        CHECK_EQ(hg_exec_submit(w.exec, &r, w.now_ns, &id, &w.refusal), HG_ERISK);
    }
    CHECK(world_answers(&w) >= 1000);
    CHECK_EQ(hg_exec_submit(w.exec, &r, w.now_ns, &id, &w.refusal), HG_ERISK);
    CHECK_STR(hg_reject_code(w.refusal.code), "paused"); /* and it is not called again */
    CHECK_EQ(world_answers(&w), 0);
    hg_risk_arm(w.exec, HG_STRATEGY_ANY, "the test", w.now_ns);
    CHECK_STR(judge_limit(&w, LINEAR, HG_BUY, 59000, 1), "");
    world_close(&w);
}
