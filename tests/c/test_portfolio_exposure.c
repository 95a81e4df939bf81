/* Exposure against direct sums of the scalar formulas, and how little is recomputed. */
#include "base/rng.h"
#include "greeks/black76.h"
#include "greeks/inverse.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS = 100 };

/* 50 inverse and 50 linear options over five expiries, and the usual hedges. */
static void book_world(world *w) {
    static const char *const days[] = {"9JAN26", "16JAN26", "30JAN26", "27MAR26", "26JUN26"};
    char name[64];
    world_init(w);
    for (int i = 0; i < OPTIONS; i++) {
        snprintf(name, sizeof name, "BTC%s-%s-%d-%c", i % 2 ? "_USDC" : "", days[i / 2 % 5],
                 40000 + i / 10 * 5000, i % 4 < 2 ? 'C' : 'P');
        world_add(w, name);
    }
    world_add(w, "BTC-PERPETUAL");
    world_add(w, "BTC_USDC-PERPETUAL");
    world_add(w, "BTC-27MAR26");
    world_add(w, "BTC_USDC");
    world_add(w, "ETH-PERPETUAL");
    world_open(w, NULL);
}

enum { PERP = OPTIONS, LINEAR, FUTURE, SPOT, ETH };

static void vol(world *w, uint32_t id, double iv) {
    hg_event e = {.id = id, .kind = HG_EV_MARK};
    e.mark.iv = nano(iv);
    world_event(w, e);
}

static void tell_all(world *w, double spot) {
    value_event(w, HG_EV_INDEX, 0, spot);
    for (uint32_t x = 0; x < hg_universe_expiry_count(w->universe); x++) {
        value_event(w, HG_EV_FORWARD, x, spot * (1.001 + 0.002 * x));
    }
    for (uint32_t i = 0; i < OPTIONS; i++) {
        vol(w, i, 0.4 + 0.003 * i);
    }
    mark(w, PERP, spot + 10, 0);
    mark(w, LINEAR, spot + 12, 0);
    mark(w, FUTURE, spot * 1.007, 0);
    mark(w, SPOT, spot, 0);
}

static hg_lots size_of(uint32_t id) {
    return (hg_lots)((id * 37) % 21) - 10;
}

static void hold_all(world *w) {
    for (uint32_t id = 0; id <= SPOT; id++) {
        if (size_of(id) != 0) {
            CHECK_EQ(hg_portfolio_open(w->portfolio, id, size_of(id), 0), HG_OK);
        }
    }
}

/* Options are priced at whole seconds of event time. */
static int64_t pricing_ns(const world *w) {
    return w->now_ns - w->now_ns % HG_NS_PER_S;
}

static hg_greeks greeks_of(const world *w, uint32_t id) {
    const hg_instrument *inst = inst_of(w, id);
    hg_greeks g;
    double sigma = 0;
    hg_market_iv(w->market, id, &sigma, NULL);
    CHECK_EQ(hg_black76_all(hg_market_forward(w->market, inst->expiry_id, NULL),
                            hg_nano_to_double(inst->strike),
                            hg_market_years(inst->expiry_ns, pricing_ns(w)), sigma, inst->cp, 0,
                            &g),
             HG_OK);
    return g;
}

/* The slow way: every Greek of every option, one at a time. */
static hg_exposure direct(const world *w) {
    double spot = hg_market_underlying(w->market, 0)->spot;
    hg_exposure x = {.spot = spot};
    double coins = 0;
    for (uint32_t id = 0; id < OPTIONS; id++) {
        const hg_instrument *inst = inst_of(w, id);
        double n = hg_size_to_double(inst, hg_portfolio_get(w->portfolio, id)->lots);
        double f = hg_market_forward(w->market, inst->expiry_id, NULL);
        hg_greeks g = greeks_of(w, id);
        x.delta += n * g.delta;
        x.gamma += n * g.gamma;
        x.vega += n * g.vega * 0.01;
        x.theta += n * g.theta / 365;
        x.rho += n * g.rho * 0.01;
        x.vanna += n * g.vanna * 0.01;
        x.volga += n * g.volga * 1e-4;
        x.charm += n * g.charm / 365;
        x.notional += fabs(n) * spot;
        x.value += n * g.price * (inst->inverse ? spot / f : 1);
        coins += n * g.price / (inst->inverse ? f : spot);
    }
    for (uint32_t id = PERP; id <= SPOT; id++) {
        const hg_instrument *inst = inst_of(w, id);
        const hg_position *pos = hg_portfolio_get(w->portfolio, id);
        double n = hg_size_to_double(inst, pos->lots);
        double price = hg_market_mark(w->market, id, w->now_ns);
        double cost = hg_nano_to_double(pos->cost);
        x.delta += inst->inverse ? n / price : n;
        x.notional += inst->inverse ? fabs(n) : fabs(n) * price;
        x.value += inst->kind == HG_KIND_SPOT ? n * price
                   : inst->inverse            ? (cost - n / price) * spot
                                              : n * price - cost;
    }
    x.delta_net = x.delta - coins;
    x.delta_usd = x.delta * spot;
    return x;
}

static void check_same(const hg_exposure *a, const hg_exposure *b) {
    const double tol = 1e-9;
    CHECK_NEAR(a->delta, b->delta, tol * 100);
    CHECK_NEAR(a->delta_net, b->delta_net, tol * 100);
    CHECK_NEAR(a->delta_usd, b->delta_usd, tol * 1e7);
    CHECK_NEAR(a->gamma, b->gamma, tol * 1e-2);
    CHECK_NEAR(a->vega, b->vega, tol * 1e4);
    CHECK_NEAR(a->theta, b->theta, tol * 1e4);
    CHECK_NEAR(a->rho, b->rho, tol * 1e4);
    CHECK_NEAR(a->vanna, b->vanna, tol);
    CHECK_NEAR(a->volga, b->volga, tol * 1e4);
    CHECK_NEAR(a->charm, b->charm, tol * 100);
    CHECK_NEAR(a->notional, b->notional, tol * 1e7);
    CHECK_NEAR(a->value, b->value, 1e-3); /* costs are rounded to a unit of cash */
}

TEST(agrees_with_the_scalar_formulas) {
    world w;
    book_world(&w);
    hold_all(&w);
    for (int i = 0; i < 20; i++) {
        tell_all(&w, 60000 + 1500 * i);
        const hg_exposure *x = hg_portfolio_exposure(w.portfolio, 0, w.now_ns);
        hg_exposure want = direct(&w);
        check_same(x, &want);
        CHECK_EQ(x->quality, HG_QUALITY_GOOD);
        CHECK_STR(x->reasons, "");
        CHECK_NEAR(x->delta_filled, x->delta, 0);
        CHECK_NEAR(x->pending_lo, x->delta, 0);
        CHECK_NEAR(x->pending_hi, x->delta, 0);
        later(&w, HG_NS_PER_HOUR * 7);
        if (w.now_ns > inst_of(&w, 0)->expiry_ns - HG_NS_PER_DAY) {
            break;
        }
    }
    world_close(&w);
}

/* A random walk of events with a question after each: always what a fresh book would answer. */
TEST_WITHIN(incremental_answers_equal_fresh_ones, 60) {
    const uint64_t seed = 5;
    world w;
    hg_rng rng;
    printf("seed %llu\n", (unsigned long long)seed);
    book_world(&w);
    hold_all(&w);
    hg_rng_init(&rng, seed, 1);
    tell_all(&w, 60000);
    for (int i = 0; i < 20000; i++) {
        uint32_t id = (uint32_t)hg_rng_below(&rng, SPOT + 1);
        switch (hg_rng_below(&rng, 6)) {
        case 0:
            value_event(&w, HG_EV_INDEX, 0, 59000 + (double)hg_rng_below(&rng, 2000));
            break;
        case 1:
            value_event(&w, HG_EV_FORWARD, 0, 59500 + (double)hg_rng_below(&rng, 2000));
            break;
        case 2:
            CHECK_EQ(hg_portfolio_fill(w.portfolio, id, hg_rng_below(&rng, 2) ? HG_BUY : HG_SELL,
                                       1 + (hg_lots)hg_rng_below(&rng, 5), 1000, 0, w.now_ns),
                     HG_OK);
            break;
        case 3:
            later(&w, (int64_t)hg_rng_below(&rng, 3 * HG_NS_PER_MS));
            break;
        default:
            if (id < OPTIONS) {
                vol(&w, id, 0.3 + (double)hg_rng_below(&rng, 500) * 0.001);
            } else {
                mark(&w, id, 59000 + (double)hg_rng_below(&rng, 2000), 0);
            }
        }
        const hg_exposure *x = hg_portfolio_exposure(w.portfolio, 0, w.now_ns);
        if (i % 20 == 0) {
            hg_exposure want = direct(&w);
            CHECK_NEAR(x->delta, want.delta, 1e-4); /* time may lag by a second */
            CHECK_NEAR(x->vega, want.vega, 1e-2);
            CHECK_NEAR(x->value, want.value, 1e-1);
            later(&w, HG_NS_PER_S);
            x = hg_portfolio_exposure(w.portfolio, 0, w.now_ns);
            want = direct(&w);
            check_same(x, &want);
        }
    }
    world_close(&w);
}

TEST(coin_neutral_delta_of_an_inverse_option) {
    world w;
    world_init(&w);
    uint32_t id = world_add(&w, "BTC-27MAR26-66000-C");
    world_open(&w, NULL);
    CHECK_EQ(hg_portfolio_open(w.portfolio, id, lots(&w, id, 3), 0), HG_OK);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    value_event(&w, HG_EV_FORWARD, 0, 60000);
    vol(&w, id, 0.6);
    const hg_exposure *x = hg_portfolio_exposure(w.portfolio, 0, w.now_ns);
    hg_inverse_greeks g;
    CHECK_EQ(hg_inverse_all(60000, 66000, hg_market_years(inst_of(&w, id)->expiry_ns, w.now_ns),
                            0.6, 1, &g),
             HG_OK);
    CHECK_NEAR(x->delta_net, 3 * g.delta_net, 1e-12);
    CHECK_NEAR(x->delta, 3 * g.delta, 1e-12);
    CHECK_NEAR(x->value, 3 * g.price * 60000, 1e-6);
    world_close(&w);
}

/* --- how much work a question costs ----------------------------------------------------------- */

TEST(a_question_costs_at_most_one_pass) {
    world w;
    book_world(&w);
    hold_all(&w);
    tell_all(&w, 60000);
    uint64_t before = hg_portfolio_passes(w.portfolio);
    for (int i = 0; i < 50; i++) {
        value_event(&w, HG_EV_INDEX, 0, 60000 + i + 1);
        hg_portfolio_exposure(w.portfolio, 0, w.now_ns);
        hg_portfolio_exposure(w.portfolio, 0, w.now_ns);
        hg_portfolio_delta_of(w.portfolio, 7, 5, w.now_ns);
    }
    CHECK_EQ(hg_portfolio_passes(w.portfolio) - before, 50);
    before = hg_portfolio_passes(w.portfolio);
    mark(&w, ETH, 3000, 0); /* another underlying */
    value_event(&w, HG_EV_INDEX, 1, 3000);
    hg_portfolio_pending(w.portfolio, PERP, 100, 0); /* and sizes: sums only */
    hg_portfolio_exposure(w.portfolio, 0, w.now_ns);
    later(&w, HG_NS_PER_MS * 900);
    hg_portfolio_exposure(w.portfolio, 0, w.now_ns);
    CHECK_EQ(hg_portfolio_passes(w.portfolio), before);
    later(&w, HG_NS_PER_MS * 200); /* now time has moved */
    hg_portfolio_exposure(w.portfolio, 0, w.now_ns);
    CHECK_EQ(hg_portfolio_passes(w.portfolio), before + 1);
    world_close(&w);
}

TEST(nothing_is_allocated_once_the_portfolio_stands) {
    world w;
    hg_pnl pnl;
    book_world(&w);
    hold_all(&w);
    long before = hg_test_alloc_count();
    for (int i = 0; i < 100; i++) {
        tell_all(&w, 60000 + 10 * i);
        CHECK_EQ(hg_portfolio_fill(w.portfolio, (uint32_t)i, HG_BUY, 3, 500, 1, w.now_ns), HG_OK);
        hg_portfolio_pending(w.portfolio, (uint32_t)(i + 1) % OPTIONS, 5, 0);
        hg_portfolio_exposure(w.portfolio, 0, w.now_ns);
        hg_portfolio_pnl(w.portfolio, w.now_ns, &pnl);
    }
    CHECK_EQ(hg_test_alloc_count(), before);
    world_close(&w);
}

/* --- pending ---------------------------------------------------------------------------------- */

TEST(pending_orders_count_in_full_and_bound_the_answer) {
    world w;
    book_world(&w);
    tell_all(&w, 60000);
    double put = greeks_of(&w, 2).delta; /* id 2 is a put */
    CHECK(put < 0);
    CHECK_EQ(hg_portfolio_open(w.portfolio, LINEAR, lots(&w, LINEAR, 1), 0), HG_OK);
    hg_portfolio_pending(w.portfolio, 2, lots(&w, 2, 4), lots(&w, 2, 1));
    hg_portfolio_pending(w.portfolio, PERP, lots(&w, PERP, 60010), 0);
    const hg_exposure *x = hg_portfolio_exposure(w.portfolio, 0, w.now_ns);
    CHECK_NEAR(x->delta_filled, 1, 1e-12);
    CHECK_NEAR(x->delta, 1 + 3 * put + 1, 1e-9);
    CHECK_NEAR(x->pending_lo, 1 + 4 * put, 1e-9);
    CHECK_NEAR(x->pending_hi, 1 - put + 1, 1e-9);
    world_close(&w);
}

TEST(delta_of_an_order) {
    world w;
    book_world(&w);
    tell_all(&w, 60000);
    CHECK_NEAR(hg_portfolio_delta_of(w.portfolio, PERP, -lots(&w, PERP, 60010), w.now_ns), -1,
               1e-12);
    CHECK_NEAR(hg_portfolio_delta_of(w.portfolio, LINEAR, lots(&w, LINEAR, 2), w.now_ns), 2, 1e-12);
    double d = greeks_of(&w, 4).delta;
    CHECK_NEAR(hg_portfolio_delta_of(w.portfolio, 4, lots(&w, 4, 10), w.now_ns), 10 * d, 1e-9);
    CHECK_EQ(hg_portfolio_open(w.portfolio, 4, 1, 0), HG_OK); /* from the column this time */
    CHECK_NEAR(hg_portfolio_delta_of(w.portfolio, 4, lots(&w, 4, 10), w.now_ns), 10 * d, 1e-9);
    world_close(&w);
}

/* --- quality ---------------------------------------------------------------------------------- */

static const hg_exposure *ask(world *w) {
    return hg_portfolio_exposure(w->portfolio, 0, w->now_ns);
}

TEST(unknown_inputs_are_counted_and_named) {
    world w;
    world_init(&w);
    uint32_t call = world_add(&w, "BTC-27MAR26-60000-C");
    uint32_t perp = world_add(&w, "BTC-PERPETUAL");
    world_open(&w, NULL);
    CHECK_EQ(hg_portfolio_open(w.portfolio, call, lots(&w, call, 1), 0), HG_OK);
    CHECK_EQ(hg_portfolio_open(w.portfolio, perp, lots(&w, perp, 60000), nano(60000)), HG_OK);
    const hg_exposure *x = ask(&w); /* nothing is known at all */
    CHECK_EQ(x->quality, HG_QUALITY_PARTIAL);
    CHECK(strstr(x->reasons, "no spot of BTC") && strstr(x->reasons, "BTC-27MAR26-60000-C"));
    CHECK(x->delta > 1.3 && x->delta < 1.8); /* as if at the money, and the entry */
    value_event(&w, HG_EV_INDEX, 0, 60000);
    x = ask(&w); /* no vol: assumed */
    CHECK_EQ(x->quality, HG_QUALITY_PARTIAL);
    CHECK(strstr(x->reasons, "no vol of BTC-27MAR26-60000-C") != NULL);
    CHECK(x->vega > 0);
    vol(&w, call, 0.5);
    x = ask(&w);
    CHECK_EQ(x->quality, HG_QUALITY_GOOD);
    CHECK_STR(x->reasons, "");
    world_close(&w);
}

TEST(old_inputs_make_an_answer_stale) {
    world w;
    world_init(&w);
    uint32_t perp = world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, &(hg_portfolio_options){.max_age_ns = 5 * HG_NS_PER_S});
    CHECK_EQ(hg_portfolio_open(w.portfolio, perp, 1, 0), HG_OK);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    mark(&w, perp, 60000, 0);
    CHECK_EQ(ask(&w)->quality, HG_QUALITY_GOOD);
    later(&w, 5 * HG_NS_PER_S);
    CHECK_EQ(ask(&w)->quality, HG_QUALITY_GOOD); /* just at the limit */
    CHECK_NEAR(ask(&w)->age_s, 5, 1e-9);
    later(&w, 1);
    CHECK_EQ(ask(&w)->quality, HG_QUALITY_STALE);
    CHECK_STR(ask(&w)->reasons, "prices older than 5 s");
    value_event(&w, HG_EV_INDEX, 0, 60000); /* the same spot again makes only that younger */
    CHECK_EQ(ask(&w)->quality, HG_QUALITY_STALE);
    mark(&w, perp, 60000, 0);
    CHECK_EQ(ask(&w)->quality, HG_QUALITY_GOOD);
    CHECK_STR(ask(&w)->reasons, "");
    CHECK_NEAR(ask(&w)->age_s, 0, 0);
    world_close(&w);
}

TEST(the_same_spot_told_again_is_young) {
    world w;
    world_init(&w);
    uint32_t call = world_add(&w, "BTC-27MAR26-60000-C");
    world_open(&w, NULL);
    CHECK_EQ(hg_portfolio_open(w.portfolio, call, 1, 0), HG_OK);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    later(&w, 8 * HG_NS_PER_S);
    vol(&w, call, 0.5);
    CHECK_NEAR(ask(&w)->age_s, 8, 1e-9);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    CHECK_NEAR(ask(&w)->age_s, 0, 1e-9);
    world_close(&w);
}

/* Its delivery price is fixed: nothing moves it any more, but what it pays in coins moves. */
TEST(an_expired_option_is_coins) {
    world w;
    world_init(&w);
    uint32_t in = world_add(&w, "BTC-9JAN26-50000-C");
    uint32_t out = world_add(&w, "BTC-9JAN26-70000-C");
    world_open(&w, NULL);
    CHECK_EQ(hg_portfolio_open(w.portfolio, in, lots(&w, in, 2), 0), HG_OK);
    CHECK_EQ(hg_portfolio_open(w.portfolio, out, lots(&w, out, 5), 0), HG_OK);
    w.now_ns = inst_of(&w, in)->expiry_ns + HG_NS_PER_S;
    value_event(&w, HG_EV_INDEX, 0, 60000);
    vol(&w, in, 0.5);
    vol(&w, out, 0.5);
    CHECK_NEAR(ask(&w)->delta, 0, 1e-12);
    CHECK_NEAR(ask(&w)->delta_cash, 2 * (1 - 50000 / 60000.0), 1e-9);
    CHECK_NEAR(ask(&w)->gamma, 0, 0);
    value_event(&w, HG_EV_SETTLE, in, 60000);
    value_event(&w, HG_EV_SETTLE, out, 60000);
    CHECK_NEAR(ask(&w)->delta, 0, 0);
    world_close(&w);
}

TEST(near_an_expiry_time_does_not_lag) {
    world w;
    world_init(&w);
    uint32_t call = world_add(&w, "BTC-9JAN26-60000-C");
    world_open(&w, NULL);
    CHECK_EQ(hg_portfolio_open(w.portfolio, call, lots(&w, call, 1), 0), HG_OK);
    w.now_ns = inst_of(&w, call)->expiry_ns - HG_NS_PER_S;
    value_event(&w, HG_EV_INDEX, 0, 60000);
    vol(&w, call, 0.5);
    double before = ask(&w)->gamma;
    later(&w, HG_NS_PER_S / 2);
    /* gamma goes with a^2 / sqrt(t a^2): the mean hardens faster than the strike gets near */
    CHECK_NEAR(ask(&w)->gamma, before * sqrt(0.5), 1e-6 * before);
    later(&w, HG_NS_PER_S);
    CHECK_NEAR(ask(&w)->gamma, 0, 0);
    world_close(&w);
}

/* Absurd numbers from a feed: whatever comes out is a number. */
TEST(nothing_but_numbers_ever_leaves) {
    world w;
    hg_rng rng;
    book_world(&w);
    hold_all(&w);
    hg_rng_init(&rng, 11, 1);
    for (int i = 0; i < 3000; i++) {
        hg_event e = {.id = (uint32_t)hg_rng_below(&rng, OPTIONS + 4),
                      .kind = (uint8_t)(HG_EV_QUOTE + hg_rng_below(&rng, 7)),
                      .time_ns = T0 + (int64_t)i * HG_NS_PER_HOUR};
        if (e.kind == HG_EV_SETTLE) {
            continue;
        }
        e.mark.price = (hg_nano)(hg_rng_next(&rng) >> hg_rng_below(&rng, 64));
        e.mark.iv = (hg_nano)(hg_rng_next(&rng) >> hg_rng_below(&rng, 64));
        world_event(&w, e);
        const hg_exposure *x = ask(&w);
        const double *numbers = &x->delta;
        for (size_t k = 0; k < offsetof(hg_exposure, quality) / sizeof *numbers; k++) {
            CHECK(isfinite(numbers[k]));
        }
        hg_pnl pnl;
        hg_portfolio_pnl(w.portfolio, w.now_ns, &pnl);
        CHECK(isfinite(pnl.hedged) && isfinite(pnl.unhedged) && isfinite(pnl.equity));
    }
    world_close(&w);
}
