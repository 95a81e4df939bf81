/* Rules and faults of the paper venue, one by one. */
#include "exec/paper_int.h"
#include "test_exec_kit.h"

#include <string.h>

enum { PERP, INVERSE, OPTION };

#define MS HG_NS_PER_MS

typedef struct {
    const char *rules, *faults, *latency;
    hg_fill_model fill;
    hg_paper_margin margin;
} setting;

/* The gate leaves self-trades to the venue. */
static const hg_limit_extra gate = {.self_trade = HG_SELF_WE_LEAVE};

static void venue_world(world *w, setting s) {
    hg_paper_options o = {.fill = s.fill, .seed = 11, .margin = s.margin};
    CHECK_EQ(s.rules ? hg_rules_parse(s.rules, &o.rules) : HG_OK, HG_OK);
    CHECK_EQ(s.faults ? hg_faults_parse(s.faults, &o.faults) : HG_OK, HG_OK);
    CHECK_EQ(s.latency ? hg_latency_parse(s.latency, &o.latency) : HG_OK, HG_OK);
    world_init(w);
    world_add(w, "BTC_USDC-PERPETUAL");
    world_add(w, "BTC-PERPETUAL");
    world_add(w, "BTC-27MAR26-60000-C");
    world_open(w, NULL);
    world_trade(w, &o, &(hg_exec_options){.order_capacity = 4096, .limits.extra = &gate});
    value_event(w, HG_EV_INDEX, 0, 60000);
    quote(w, PERP, 59999, 2, 60001, 3);
    mark(w, PERP, 60000, 0);
    quote(w, INVERSE, 59999.5, 20000, 60000.5, 30000);
    mark(w, INVERSE, 60000, 0);
}

static uint64_t sent(world *w, uint32_t inst, hg_side side, double price, double size, hg_tif tif,
                     bool post) {
    return send_request(w, (hg_order_request){.instrument = inst,
                                              .side = side,
                                              .type = HG_TYPE_LIMIT,
                                              .tif = tif,
                                              .price = price,
                                              .size = size,
                                              .post_only = post});
}

static uint64_t limit(world *w, hg_side side, double price, double size) {
    uint64_t id = sent(w, PERP, side, price, size, HG_TIF_GTC, false);
    CHECK_EQ(w->refusal.code, HG_REJECT_NONE);
    world_answers(w);
    return id;
}

static const hg_paper_stats *stats(const world *w) {
    return hg_paper_stats_get(w->venue);
}

static void check_order(int line, const world *w, uint64_t id, const char *state, double filled,
                        const char *reason) {
    const char *why = hg_reject_code((hg_reject)hg_exec_get(w->exec, id)->reject);
    if (strcmp(state_of(w, id), state) != 0 || fabs(filled_of(w, id) - filled) > 1e-12 ||
        strcmp(why, reason) != 0) {
        hg_test_fail(__FILE__, line, "order is %s (%s) with %g filled, not %s (%s) with %g",
                     state_of(w, id), why, filled_of(w, id), state, reason, filled);
    }
}

#define CHECK_ORDER(w, id, state, filled, reason)                                                  \
    check_order(__LINE__, (w), (id), (state), (filled), (reason))

/* --- text ------------------------------------------------------------------------------------- */

TEST(rules_are_read_from_text) {
    hg_paper_rules r;
    CHECK_EQ(hg_rules_parse("deribit,taker_delay.option=5ms,rate=none", &r), HG_OK);
    hg_instrument option = {.kind = HG_KIND_OPTION, .inverse = true};
    hg_instrument inverse = {.kind = HG_KIND_PERPETUAL, .inverse = true};
    hg_instrument linear = {.kind = HG_KIND_PERPETUAL};
    hg_instrument spot = {.kind = HG_KIND_SPOT};
    CHECK_EQ(hg_rules_taker_delay(&r, &option), 5 * MS);
    CHECK_EQ(hg_rules_taker_delay(&r, &inverse), 0);
    CHECK_EQ(hg_rules_taker_delay(&r, &linear), 10 * MS);
    CHECK_EQ(hg_rules_taker_delay(&r, &spot), 0);
    CHECK(r.slide && r.band_clamps && r.rate == 0);
    CHECK_EQ(hg_rules_parse("band=2%,self_trade=decrement,rate=7:9:250ms", &r), HG_OK);
    CHECK(r.band == HG_NANO / 50 && !r.band_clamps && r.self_trade == HG_SELF_DECREMENT);
    CHECK(r.rate == 7 && r.burst == 9 && r.rate_cut_ns == 250 * MS);
    static const char *const bad[] = {"derbit",
                                      "band=2",
                                      "band=0%",
                                      "band=100%",
                                      "rate=0:1",
                                      "rate=5",
                                      "rate=5:x",
                                      "self_trade=cancel",
                                      "post_only=maybe",
                                      "taker_delay=-1ms",
                                      "taker_delay.bond=1ms",
                                      "taker_delay.option=venue",
                                      "",
                                      "x=1",
                                      "rate=1:2:"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (hg_rules_parse(bad[i], &r) != HG_EUSAGE) {
            hg_test_fail(__FILE__, __LINE__, "'%s' was taken", bad[i]);
        }
        CHECK(r.rate == 7); /* untouched */
    }
}

TEST(faults_are_read_from_text) {
    hg_faults f;
    CHECK_EQ(hg_faults_parse("down=10:00-10:05,cut=1h+20s,cut=random:30m:10s,lose=1%,proof=2s", &f),
             HG_OK);
    CHECK_EQ(f.windows, 3);
    CHECK(f.window[0].kind == HG_WINDOW_DAILY && f.window[0].length_ns == 300 * HG_NS_PER_S);
    CHECK(f.window[1].cut && f.window[1].first_ns == 3600 * HG_NS_PER_S);
    CHECK_NEAR(f.lose, 0.01, 1e-15);
    CHECK_EQ(hg_faults_parse("down=23:59:50-00:00:10", &f), HG_OK);
    CHECK_EQ(f.window[0].length_ns, 20 * HG_NS_PER_S);
    CHECK_EQ(hg_faults_parse("flaky", &f), HG_OK);
    static const char *const bad[] = {
        "flakey",    "down=25:00-26:00", "down=10:00", "down=10:00-10:00", "cut=random:0:1s",
        "lose=101%", "lose=x",           "busy=-1%",   "proof=0",          "",
        "down=1h",   "down=10:0-11:00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (hg_faults_parse(bad[i], &f) != HG_EUSAGE) {
            hg_test_fail(__FILE__, __LINE__, "'%s' was taken", bad[i]);
        }
    }
}

/* --- refusals --------------------------------------------------------------------------------- */

/* Past the gate, straight to the venue: the reason of the answer. */
static hg_reject answer_of(world *w, hg_order order) {
    order.id = 99;
    order.side = HG_BUY;
    order.type = order.type ? order.type : HG_TYPE_LIMIT;
    hg_event e;
    CHECK_EQ(w->venue->ops->submit(w->venue, &order, w->now_ns), HG_OK);
    CHECK(w->venue->ops->next(w->venue, &e));
    CHECK_EQ(e.order.id, 99);
    hg_reject code = e.kind == HG_EV_REJECTED ? (hg_reject)e.order.code : HG_REJECT_NONE;
    while (w->venue->ops->next(w->venue, &e)) {}
    return code;
}

/* A name alone where a value is wanted: "did you mean lose?" would not help. */
TEST(a_name_without_its_value_is_answered_with_an_example) {
    hg_faults f;
    hg_paper_rules r;
    CHECK_EQ(hg_faults_parse("lose", &f), HG_EUSAGE);
    CHECK_STR(hg_error_advice(), "lose=1%");
    CHECK_EQ(hg_faults_parse("busy=1%,down", &f), HG_EUSAGE);
    CHECK_STR(hg_error_advice(), "down=10:00-10:05");
    CHECK_EQ(hg_rules_parse("taker_delay", &r), HG_EUSAGE);
    CHECK(strstr(hg_error_text(), "wants a value") != NULL);
}

TEST(what_no_venue_takes) {
    world w;
    venue_world(&w, (setting){.fill = HG_FILL_DEPTH});
    hg_ticks price = ticks(&w, OPTION, 0.0100);
    mark(&w, OPTION, 0.01, 0.5);
    CHECK_EQ(answer_of(&w, (hg_order){.instrument = 77, .price = 1, .size = 1}),
             HG_REJECT_INSTRUMENT);
    CHECK_EQ(answer_of(&w, (hg_order){.instrument = PERP, .price = 1, .size = 0}),
             HG_REJECT_SIZE_ZERO);
    CHECK_EQ(answer_of(&w, (hg_order){.instrument = PERP, .price = 0, .size = 1}),
             HG_REJECT_OFF_TICK);
    /* Above 0.005 an inverse option moves by 0.0005: 0.0100 is on, 0.0101 off the tick. */
    CHECK_EQ(answer_of(&w, (hg_order){.instrument = OPTION, .price = price, .size = 1}),
             HG_REJECT_NONE);
    CHECK_EQ(answer_of(&w, (hg_order){.instrument = OPTION, .price = price + 1, .size = 1}),
             HG_REJECT_OFF_TICK);
    w.now_ns = inst_of(&w, OPTION)->expiry_ns - 1;
    CHECK_EQ(answer_of(&w, (hg_order){.instrument = OPTION, .price = price, .size = 1}),
             HG_REJECT_NONE);
    w.now_ns++;
    CHECK_EQ(answer_of(&w, (hg_order){.instrument = OPTION, .price = price, .size = 1}),
             HG_REJECT_INSTRUMENT);
    world_close(&w);
}

TEST(the_band_refuses_or_moves) {
    world w;
    venue_world(&w, (setting){.rules = "band=1%"});
    CHECK_ORDER(&w, limit(&w, HG_BUY, 60600, 1), "filled", 1, ""); /* 60,000 + 1 % */
    CHECK_ORDER(&w, limit(&w, HG_BUY, 60600.5, 1), "rejected", 0, "price_band");
    CHECK_ORDER(&w, limit(&w, HG_SELL, 59400, 1), "filled", 1, "");
    CHECK_ORDER(&w, limit(&w, HG_SELL, 59399.5, 1), "rejected", 0, "price_band");
    CHECK_ORDER(&w, limit(&w, HG_BUY, 57000, 1), "working", 0, ""); /* far, on the safe side */
    world_close(&w);
    venue_world(&w, (setting){.rules = "band=venue"});
    quote(&w, PERP, 60950, 1, 61000, 1);
    uint64_t id = limit(&w, HG_BUY, 61500, 1); /* moved to 60,900: rests below the ask */
    CHECK_ORDER(&w, id, "working", 0, "");
    CHECK_EQ(hg_exec_get(w.exec, id)->price, ticks(&w, PERP, 60900));
    CHECK_EQ(stats(&w)->banded, 1);
    id = send_market(&w, PERP, HG_BUY, 1); /* and a market order does not trade through it */
    world_answers(&w);
    CHECK_ORDER(&w, id, "cancelled", 0, "no_liquidity");
    world_close(&w);
}

/* min_price and max_price as Deribit published them, with the index of the same ticker; the quote
 * is where it makes the average they stand on (BTC-PERPETUAL of December 2025 and January 2026,
 * BTC_USDC-PERPETUAL of 2026). */
TEST(the_venue_band_is_that_of_recorded_tickers) {
    static const struct {
        uint32_t id;
        double index, bid, ask, min, max;
    } tickers[] = {
        {INVERSE, 86992.82, 87006.0, 87006.5, 85701.0, 88311.5},
        {INVERSE, 92263.55, 92281.5, 92282.5, 90897.5, 93666.5},
        {PERP,    86744.11, 86778.1, 86778.2, 85476.4, 88079.9},
    };
    for (size_t i = 0; i < sizeof tickers / sizeof *tickers; i++) {
        world w;
        double size = tickers[i].id == PERP ? 1 : 1000;
        venue_world(&w, (setting){.rules = "band=venue"});
        later(&w, 2000 * HG_NS_PER_S); /* nothing is left of the averages of before */
        value_event(&w, HG_EV_INDEX, 0, tickers[i].index);
        quote(&w, tickers[i].id, tickers[i].bid, size, tickers[i].ask, size);
        later(&w, 2000 * HG_NS_PER_S);
        value_event(&w, HG_EV_INDEX, 0, tickers[i].index);
        quote(&w, tickers[i].id, tickers[i].bid, size, tickers[i].ask, size);
        hg_order order = {.id = 1,
                          .instrument = tickers[i].id,
                          .side = HG_BUY,
                          .type = HG_TYPE_LIMIT,
                          .price = ticks(&w, tickers[i].id, tickers[i].max) + 100,
                          .size = lots(&w, tickers[i].id, size)};
        hg_event e;
        CHECK_EQ(w.venue->ops->submit(w.venue, &order, w.now_ns), HG_OK);
        CHECK(w.venue->ops->next(w.venue, &e) && e.kind == HG_EV_ACK);
        CHECK_EQ(e.order.code, HG_REJECT_PRICE_BAND);
        CHECK_EQ(e.order.price, ticks(&w, tickers[i].id, tickers[i].max));
        CHECK(w.venue->ops->next(w.venue, &e) && e.kind == HG_EV_FILL);
        order.id = 2;
        order.side = HG_SELL;
        order.price = ticks(&w, tickers[i].id, tickers[i].min) - 100;
        CHECK_EQ(w.venue->ops->submit(w.venue, &order, w.now_ns), HG_OK);
        CHECK(w.venue->ops->next(w.venue, &e) && e.kind == HG_EV_ACK);
        CHECK_EQ(e.order.price, ticks(&w, tickers[i].id, tickers[i].min));
        CHECK_EQ(stats(&w)->banded_by_mark, 0);
        world_close(&w);
    }
}

/* Against samples taken one by one, in doubles. */
TEST(the_venue_band_follows_a_minute_of_premium) {
    world w;
    hg_rng rng;
    venue_world(&w, (setting){.rules = "band=venue"});
    hg_rng_init(&rng, 20261122, 0);
    double index = 60000;
    double mid = 60000;
    double mean = 0;
    int moved = 0;
    uint64_t id = 0;
    for (int i = 0; i < 20000; i++) {
        int64_t gap_ns = (int64_t)hg_rng_below(&rng, i % 100 == 0 ? 40 * HG_NS_PER_S : 700 * MS);
        int64_t second = w.now_ns / HG_NS_PER_S;
        later(&w, gap_ns);
        for (; second < w.now_ns / HG_NS_PER_S; second++) {
            mean += (mid - index - mean) * 2 / 61;
        }
        double step = (double)hg_rng_below(&rng, 401) - 200;
        index = i % 3 == 0 ? 60000 + step : index;
        mid = i % 3 == 1 ? 60000 + 2 * step : mid;
        value_event(&w, HG_EV_INDEX, 0, index); /* again and again: it must not matter */
        quote(&w, PERP, mid - 1, 100, mid + 1, 100);
        id++;
        hg_order order = {.id = id,
                          .instrument = PERP,
                          .side = i % 2 ? HG_BUY : HG_SELL,
                          .type = HG_TYPE_LIMIT,
                          .tif = HG_TIF_IOC,
                          .size = 1};
        order.price = ticks(&w, PERP, order.side == HG_BUY ? 90000 : 30000);
        hg_event e;
        CHECK_EQ(w.venue->ops->submit(w.venue, &order, w.now_ns), HG_OK);
        CHECK(w.venue->ops->next(w.venue, &e) && e.kind == HG_EV_ACK);
        double edge = (index + mean) * (1 + order.side * 0.015);
        double got = hg_price_to_double(inst_of(&w, PERP), e.order.price);
        CHECK(order.side * (got - edge) > -1e-4 && order.side * (got - edge) < 0.1 + 1e-4);
        moved += e.order.code == HG_REJECT_PRICE_BAND;
        while (w.venue->ops->next(w.venue, &e)) {}
    }
    CHECK_EQ(moved, 20000);
    world_close(&w);
}

TEST(without_an_index_the_band_is_that_of_the_mark) {
    world w;
    hg_paper_options o = {.fill = HG_FILL_TOUCH};
    CHECK_EQ(hg_rules_parse("band=venue", &o.rules), HG_OK);
    world_init(&w);
    world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    world_trade(&w, &o, NULL);
    quote(&w, PERP, 60199, 2, 60201, 3);
    mark(&w, PERP, 60000, 0);
    hg_order order = {.id = 1, .side = HG_BUY, .type = HG_TYPE_LIMIT, .size = 1};
    order.price = ticks(&w, PERP, 62000);
    hg_event e;
    CHECK_EQ(w.venue->ops->submit(w.venue, &order, w.now_ns), HG_OK);
    CHECK(w.venue->ops->next(w.venue, &e) && e.kind == HG_EV_ACK);
    CHECK_EQ(e.order.price, ticks(&w, PERP, 60900));
    CHECK_EQ(stats(&w)->banded_by_mark, 1);
    world_close(&w);
}

TEST(post_only_may_slide) {
    world w;
    venue_world(&w, (setting){.rules = "post_only=slide"});
    uint64_t buy = sent(&w, PERP, HG_BUY, 60005, 1, HG_TIF_GTC, true);
    world_answers(&w);
    CHECK_ORDER(&w, buy, "working", 0, "");
    CHECK_EQ(hg_exec_get(w.exec, buy)->price, ticks(&w, PERP, 60001) - 1);
    CHECK_EQ(hg_exec_cancel(w.exec, buy, w.now_ns), HG_OK);
    uint64_t sell = sent(&w, PERP, HG_SELL, 59000, 1, HG_TIF_GTC, true);
    world_answers(&w);
    CHECK_EQ(hg_exec_get(w.exec, sell)->price, ticks(&w, PERP, 59999) + 1);
    CHECK_EQ(stats(&w)->slid, 2);
    world_close(&w);
}

static bool fits(void *context, uint64_t order, uint32_t instrument, hg_side side, hg_ticks price,
                 hg_lots size, int64_t now_ns) {
    (void)order, (void)instrument, (void)side, (void)price, (void)now_ns;
    return size <= *(hg_lots *)context;
}

TEST(margin_is_asked_of_whoever_knows) {
    world w;
    hg_lots most = 0;
    venue_world(&w, (setting){
                        .margin = {&most, fits}
    });
    most = lots(&w, PERP, 2);
    CHECK_ORDER(&w, limit(&w, HG_BUY, 59000, 2.1), "rejected", 0, "margin");
    uint64_t id = limit(&w, HG_BUY, 59000, 2);
    CHECK_ORDER(&w, id, "working", 0, "");
    CHECK_EQ(hg_exec_amend(w.exec, id, 0, 3, w.now_ns, &w.refusal), HG_OK);
    world_answers(&w);
    CHECK_ORDER(&w, id, "working", 0, "margin");
    CHECK_EQ(hg_exec_get(w.exec, id)->size, lots(&w, PERP, 2));
    world_close(&w);
}

/* --- self-trade prevention -------------------------------------------------------------------- */

/* An own sell of 2 at 60,000.5 before the market's 60,001 x 3, met by a buy of `size`. */
static uint64_t meet(world *w, const char *rules, double size, hg_tif tif, uint64_t *maker) {
    venue_world(w, (setting){.rules = rules, .fill = HG_FILL_DEPTH});
    *maker = limit(w, HG_SELL, 60000.5, 2);
    uint64_t id = sent(w, PERP, HG_BUY, 60001, size, tif, false);
    world_answers(w);
    CHECK_EQ(stats(w)->self_trades, 1);
    CHECK_EQ(hg_exec_stats_get(w->exec)->alarms, 0);
    return id;
}

TEST(self_trades_end_by_the_rule) {
    world w;
    uint64_t maker = 0;
    uint64_t taker = meet(&w, "self_trade=cancel_maker", 3, HG_TIF_GTC, &maker);
    CHECK_ORDER(&w, maker, "cancelled", 0, "self_trade");
    CHECK_ORDER(&w, taker, "filled", 3, "");
    world_close(&w);
    taker = meet(&w, "self_trade=cancel_taker", 3, HG_TIF_GTC, &maker);
    CHECK_ORDER(&w, maker, "working", 0, "");
    CHECK_ORDER(&w, taker, "cancelled", 0, "self_trade");
    world_close(&w);
    taker = meet(&w, "self_trade=cancel_both", 3, HG_TIF_GTC, &maker);
    CHECK_ORDER(&w, maker, "cancelled", 0, "self_trade");
    CHECK_ORDER(&w, taker, "cancelled", 0, "self_trade");
    world_close(&w);
    taker = meet(&w, "self_trade=decrement", 3, HG_TIF_GTC, &maker); /* 1 is left to trade */
    CHECK_ORDER(&w, maker, "cancelled", 0, "self_trade");
    CHECK_ORDER(&w, taker, "filled", 1, "");
    CHECK_EQ(hg_portfolio_get(w.portfolio, PERP)->pending_buy, 0);
    world_close(&w);
    taker = meet(&w, "self_trade=decrement", 0.5, HG_TIF_IOC, &maker); /* 1.5 of ours are left */
    CHECK_ORDER(&w, maker, "working", 0, "");
    CHECK_EQ(hg_exec_get(w.exec, maker)->size, lots(&w, PERP, 1.5));
    CHECK_EQ(hg_portfolio_get(w.portfolio, PERP)->pending_sell, lots(&w, PERP, 1.5));
    CHECK_ORDER(&w, taker, "cancelled", 0, "self_trade");
    world_close(&w);
}

/* --- the taker delay -------------------------------------------------------------------------- */

TEST(takers_wait_and_makers_may_leave) {
    world w;
    venue_world(&w, (setting){.rules = "taker_delay=venue", .fill = HG_FILL_DEPTH});
    uint64_t id = sent(&w, PERP, HG_BUY, 60001, 1, HG_TIF_GTC, false);
    uint64_t inverse = sent(&w, INVERSE, HG_BUY, 60000.5, 100, HG_TIF_GTC, false);
    world_answers(&w);
    CHECK_ORDER(&w, id, "sent", 0, "");
    CHECK_ORDER(&w, inverse, "filled", 100, "");                    /* spared */
    CHECK_ORDER(&w, limit(&w, HG_BUY, 59990, 1), "working", 0, ""); /* takes nothing: at once */
    later(&w, 9 * MS);
    quote(&w, PERP, 59999, 2, 60002, 3); /* the ask steps away */
    later(&w, 2 * MS);
    world_answers(&w);
    CHECK_ORDER(&w, id, "working", 0, ""); /* rests now */
    CHECK_EQ(stats(&w)->delayed, 1);
    id = sent(&w, PERP, HG_BUY, 60002, 1, HG_TIF_GTC, false);
    later(&w, 5 * MS);
    CHECK_EQ(hg_exec_cancel(w.exec, id, w.now_ns), HG_OK); /* cancels are never delayed */
    world_answers(&w);
    CHECK_ORDER(&w, id, "cancelled", 0, "user");
    later(&w, 100 * MS);
    CHECK_EQ(world_answers(&w), 0);
    world_close(&w);
}

/* --- faults ----------------------------------------------------------------------------------- */

TEST(a_venue_that_stands_still_refuses_and_fills_nothing) {
    world w;
    venue_world(&w, (setting){.faults = "down=1m+1m"});
    uint64_t rests = limit(&w, HG_BUY, 59900, 1);
    later(&w, 60 * HG_NS_PER_S);
    quote(&w, PERP, 59890, 2, 59895, 3); /* would fill it */
    CHECK_ORDER(&w, rests, "working", 0, "");
    CHECK_ORDER(&w, limit(&w, HG_BUY, 59900, 1), "rejected", 0, "venue_down");
    CHECK_EQ(hg_exec_cancel(w.exec, rests, w.now_ns), HG_OK);
    world_answers(&w);
    CHECK_ORDER(&w, rests, "working", 0, "venue_down"); /* the cancel was refused */
    later(&w, 60 * HG_NS_PER_S);
    quote(&w, PERP, 59890, 2, 59895, 3);
    world_answers(&w);
    CHECK_ORDER(&w, rests, "filled", 1, "");
    CHECK_EQ(stats(&w)->rejects_down, 2);
    CHECK_EQ(stats(&w)->windows, 1);
    world_close(&w);
}

TEST(a_cut_keeps_answers_and_swallows_requests) {
    world w;
    venue_world(&w, (setting){.faults = "cut=1m+1m"});
    uint64_t rests = limit(&w, HG_BUY, 59900, 1);
    later(&w, 60 * HG_NS_PER_S);
    quote(&w, PERP, 59890, 2, 59895, 3); /* fills it, and we do not hear of it */
    uint64_t lost = sent(&w, PERP, HG_BUY, 59895, 1, HG_TIF_GTC, false);
    world_answers(&w);
    CHECK_ORDER(&w, rests, "unknown", 0, ""); /* the connection is gone */
    CHECK_ORDER(&w, lost, "unknown", 0, "");
    later(&w, 30 * HG_NS_PER_S);
    world_answers(&w);
    CHECK_STR(state_of(&w, lost), "unknown"); /* overdue, and counted in full */
    CHECK_EQ(hg_portfolio_get(w.portfolio, PERP)->pending_buy, lots(&w, PERP, 2));
    later(&w, 30 * HG_NS_PER_S);
    world_answers(&w);
    CHECK_ORDER(&w, rests, "filled", 1, "");
    CHECK_ORDER(&w, lost, "rejected", 0, "never_arrived"); /* proven */
    CHECK_EQ(hg_portfolio_get(w.portfolio, PERP)->pending_buy, 0);
    CHECK_EQ(stats(&w)->vanished, 1);
    CHECK_EQ(stats(&w)->answers_late, 1);
    world_close(&w);
}

TEST(lost_and_repeated_answers_end_in_the_same_position) {
    world w;
    venue_world(&w, (setting){.faults = "lose=20%,repeat=20%,proof=3s,busy=10%",
                              .latency = "orders=uniform:1ms:20ms"});
    hg_lots want = 0;
    uint64_t first = 0, last = 0;
    for (int i = 0; i < 2000; i++) {
        later(&w, 50 * MS);
        quote(&w, PERP, 59999, 2, 60001, 3);
        world_answers(&w);
        last = send_market(&w, PERP, i % 3 ? HG_BUY : HG_SELL, 1);
        first = first ? first : last;
    }
    later(&w, 60 * HG_NS_PER_S);
    world_answers(&w);
    for (uint64_t id = first; id <= last; id++) {
        const hg_order *order = hg_exec_get(w.exec, id);
        CHECK(hg_order_state_done((hg_order_state)order->state));
        want += order->side * order->filled;
        CHECK(order->filled == order->size || order->filled == 0);
    }
    CHECK_EQ(hg_portfolio_get(w.portfolio, PERP)->lots, want);
    CHECK_EQ(hg_portfolio_get(w.portfolio, PERP)->pending_buy, 0);
    CHECK_EQ(hg_portfolio_get(w.portfolio, PERP)->pending_sell, 0);
    CHECK_EQ((uint64_t)hg_exec_stats_get(w.exec)->fills, stats(&w)->taker_fills);
    CHECK(stats(&w)->answers_late > 400 && stats(&w)->answers_twice > 300);
    CHECK(stats(&w)->rejects_busy > 100 && stats(&w)->rejects_busy < 300);
    world_close(&w);
}

TEST(credits_run_out_and_come_back) {
    world w;
    venue_world(&w, (setting){.rules = "rate=5:20"});
    for (int i = 0; i < 25; i++) {
        CHECK_ORDER(&w, limit(&w, HG_BUY, 59000, 1), i < 20 ? "working" : "rejected", 0,
                    i < 20 ? "" : "venue_rate");
    }
    later(&w, 199 * MS);
    CHECK_ORDER(&w, limit(&w, HG_BUY, 59000, 1), "rejected", 0, "venue_rate");
    later(&w, 1 * MS); /* a fifth of a second: one credit */
    CHECK_ORDER(&w, limit(&w, HG_BUY, 59000, 1), "working", 0, "");
    CHECK_ORDER(&w, limit(&w, HG_BUY, 59000, 1), "rejected", 0, "venue_rate");
    CHECK_EQ(stats(&w)->rejects_rate, 7);
    world_close(&w);
}

TEST(windows_at_random_have_their_means_and_repeat) {
    hg_faults f;
    CHECK_EQ(hg_faults_parse("down=random:10m:1m", &f), HG_OK);
    double share[2] = {0};
    uint64_t begun[2] = {0};
    for (int run = 0; run < 2; run++) {
        hg_fault_clock c;
        hg_fault_clock_init(&c, &f, 5);
        long down = 0, n = 0;
        for (int64_t t = T0; t < T0 + 100 * HG_NS_PER_DAY; t += 2 * HG_NS_PER_S, n++) {
            hg_fault_clock_move(&c, t);
            down += hg_fault_down(&c, t);
        }
        share[run] = (double)down / (double)n;
        begun[run] = c.begun;
    }
    CHECK_NEAR(share[0], 1.0 / 11, 0.005);
    CHECK_NEAR((double)begun[0], 100 * 1440 / 11.0, 500);
    CHECK(share[0] == share[1] && begun[0] == begun[1]);
    hg_fault_clock c;
    CHECK_EQ(hg_faults_parse("cut=23:59-00:01", &f), HG_OK);
    hg_fault_clock_init(&c, &f, 5);
    int64_t midnight = T0 - T0 % HG_NS_PER_DAY + HG_NS_PER_DAY;
    static const int64_t at_s[] = {-61, -60, -1, 0, 59, 60, 86400 - 61, 86400 - 60};
    static const bool cut[] = {false, true, true, true, true, false, false, true};
    for (size_t i = 0; i < sizeof cut; i++) {
        hg_fault_clock_move(&c, midnight + at_s[i] * HG_NS_PER_S);
        CHECK_EQ(hg_fault_cut(&c, midnight + at_s[i] * HG_NS_PER_S), cut[i]);
    }
}

/* --- consumption ------------------------------------------------------------------------------ */

static double bought(world *w) {
    uint64_t id = send_market(w, PERP, HG_BUY, 100);
    world_answers(w);
    return filled_of(w, id);
}

TEST(what_we_took_comes_back_by_halves) {
    world w;
    hg_paper_options o = {.fill = HG_FILL_DEPTH, .refill_ns = HG_NS_PER_S};
    world_init(&w);
    world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    world_trade(&w, &o, NULL);
    quote(&w, PERP, 59999, 2, 60001, 8);
    CHECK_NEAR(bought(&w), 8, 1e-12);
    later(&w, HG_NS_PER_S);
    CHECK_NEAR(bought(&w), 0, 1e-12); /* not told again: nothing comes back */
    quote(&w, PERP, 59999, 2, 60001, 8);
    CHECK_NEAR(bought(&w), 4, 1e-12); /* a half */
    for (int i = 0; i < 10; i++) {
        later(&w, HG_NS_PER_S / 10);
        quote(&w, PERP, 59999, 2, 60001, 8); /* however often it is told */
    }
    CHECK_NEAR(bought(&w), 4, 1e-12);
    later(&w, 500 * MS);
    quote(&w, PERP, 59999, 2, 60001, 8);
    CHECK_NEAR(bought(&w), 2, 1e-12); /* a quarter, on the line between */
    later(&w, 100 * HG_NS_PER_S);
    quote(&w, PERP, 59999, 2, 60001, 8);
    CHECK_NEAR(bought(&w), 8, 1e-12);
    world_close(&w);
}

TEST(a_snapshot_does_not_clear_the_queue) {
    world w;
    venue_world(&w, (setting){.fill = HG_FILL_QUEUE});
    level(&w, PERP, HG_SELL, 60001, 3, HG_EVF_SNAPSHOT | HG_EVF_MORE);
    level(&w, PERP, HG_BUY, 59999, 2, HG_EVF_MORE);
    level(&w, PERP, HG_BUY, 59998, 4, 0);
    uint64_t id = limit(&w, HG_BUY, 59998, 1);
    uint64_t deep = limit(&w, HG_BUY, 59990, 1); /* beyond the last level: nobody knows */
    level(&w, PERP, HG_SELL, 60001, 3, HG_EVF_SNAPSHOT | HG_EVF_MORE);
    level(&w, PERP, HG_BUY, 59999, 2, HG_EVF_MORE);
    level(&w, PERP, HG_BUY, 59998, 4, 0);
    print(&w, PERP, HG_SELL, 59998, 4);
    world_answers(&w);
    CHECK_ORDER(&w, id, "working", 0, "");
    print(&w, PERP, HG_SELL, 59998, 1);
    world_answers(&w);
    CHECK_ORDER(&w, id, "filled", 1, "");
    print(&w, PERP, HG_SELL, 59990, 50);
    world_answers(&w);
    CHECK_ORDER(&w, deep, "working", 0, "");
    print(&w, PERP, HG_SELL, 59989, 50);
    world_answers(&w);
    CHECK_ORDER(&w, deep, "filled", 1, "");
    world_close(&w);
}
