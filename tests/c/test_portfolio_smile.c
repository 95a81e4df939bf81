/* Deltas that know the smile, over a market whose smile is known. */
#include "base/clock.h"
#include "greeks/black76.h"
#include "market/live_surface.h"
#include "portfolio/portfolio.h"
#include "test.h"

#include <math.h>
#include <stdio.h>

#define F 88000.0
#define ATM 0.5
#define SKEW (-0.2)
#define CURVE 0.3

enum { STRIKES = 21, OPTIONS = 2 * STRIKES };

static hg_universe *universe;
static hg_market *market;
static hg_portfolio *portfolio;
static uint32_t perpetual;
static uint32_t ids[OPTIONS];
static int64_t now_ns;

static double vol_at(double k) {
    return ATM + SKEW * k + CURVE * k * k;
}

static void start(void) {
    universe = hg_universe_new();
    CHECK_EQ(hg_universe_add_name(universe, "BTC-PERPETUAL", &perpetual), 0);
    for (int i = 0; i < OPTIONS; i++) {
        char name[HG_NAME_MAX];
        snprintf(name, sizeof name, "BTC-27FEB26-%d-%c", 60000 + 3000 * (i / 2), "PC"[i % 2]);
        CHECK_EQ(hg_universe_add_name(universe, name, &ids[i]), 0);
    }
    hg_market_options options = {.depth_books = 1, .depth_levels = 4};
    market = hg_market_new(universe, &options);
    hg_portfolio_options none = {0};
    portfolio = hg_portfolio_new(market, &none);
    CHECK(market && portfolio);
    now_ns = INT64_C(1769644800) * HG_NS_PER_S; /* 2026-01-29 00:00 */
}

static void stop(void) {
    hg_portfolio_free(portfolio);
    hg_market_free(market);
    hg_universe_free(universe);
}

static void apply(hg_event e) {
    e.time_ns = now_ns;
    CHECK(hg_market_apply(market, &e));
    hg_portfolio_observe(portfolio, &e);
}

static void index_at(double price) {
    hg_event e = {.kind = HG_EV_INDEX, .id = 0};
    e.price.value = (hg_nano)llround(price * 1e9);
    apply(e);
}

static double strike_of(int option) {
    return hg_nano_to_double(hg_universe_get(universe, ids[option])->strike);
}

static double years(void) {
    return hg_market_years(hg_universe_get(universe, ids[0])->expiry_ns, now_ns);
}

static void mark_all(double forward) {
    for (int i = 0; i < OPTIONS; i++) {
        hg_event e = {.kind = HG_EV_MARK, .id = ids[i]};
        e.mark.price = 1000000;
        e.mark.iv = (hg_nano)llround(vol_at(log(strike_of(i) / forward)) * 1e9);
        apply(e);
    }
}

static const hg_exposure *by(hg_delta_rule rule) {
    return hg_portfolio_exposure_by_rule(portfolio, 0, rule, now_ns);
}

/* dV/dF when the vol of the strike follows the smile with ratio R, by a central difference. */
static double delta_by_bump(int option, double ratio) {
    double price[2];
    double k = strike_of(option);
    int cp = hg_universe_get(universe, ids[option])->cp;
    for (int up = 0; up < 2; up++) {
        double f = F * (up ? 1 + 1e-5 : 1 - 1e-5);
        double at = log(k / F);
        double slope = SKEW + 2 * CURVE * at;
        double vol = vol_at(at) + (ratio - 1) * slope * log(f / F);
        CHECK_EQ(hg_black76_price(f, k, years(), vol, cp, 0, &price[up]), 0);
    }
    return (price[1] - price[0]) / (2e-5 * F);
}

static void hold(int option, hg_lots lots) {
    CHECK_EQ(hg_portfolio_open(portfolio, ids[option], lots, 0), 0);
}

TEST(each_rule_is_the_derivative_it_says) {
    const int options[] = {8, 12, 19, 23, 30, 35};
    for (int i = 0; i < 6; i++) {
        start();
        hold(options[i], 10);
        double size = 10 * (double)hg_universe_get(universe, ids[options[i]])->lot / 1e9;
        index_at(F);
        mark_all(F);
        double vega = hg_portfolio_exposure(portfolio, 0, now_ns)->vega * 100;
        double slack = 0.04 * vega / F; /* eSSVI is no parabola: a slope of its own */
        double plain = hg_portfolio_exposure(portfolio, 0, now_ns)->delta;
        CHECK_NEAR(plain, size * delta_by_bump(options[i], 1), 1e-6);
        CHECK_NEAR(by(HG_DELTA_BS)->delta, plain, 0);
        CHECK_NEAR(by(HG_DELTA_STICKY_STRIKE)->delta, plain, 0);
        CHECK_NEAR(by(HG_DELTA_STICKY_DELTA)->delta, size * delta_by_bump(options[i], 0), slack);
        CHECK_NEAR(by(HG_DELTA_STICKY_TREE)->delta, size * delta_by_bump(options[i], 2), slack);
        /* Nothing learnt: the prior of the ratio is 1, the coefficients are 0. */
        CHECK_NEAR(by(HG_DELTA_SKEW_STICKINESS)->delta, plain, 1e-12);
        CHECK_NEAR(by(HG_DELTA_MIN_VARIANCE)->delta, plain, 1e-12);
        CHECK_EQ(by(HG_DELTA_STICKY_DELTA)->quality, HG_QUALITY_GOOD);
        stop();
    }
}

/* Bartlett's delta is Black's plus vega times the skew per F, hardly dependent on the strike near
 * the money (Hagan and Lesniewski 2020). */
TEST(bartlett_is_near_the_skew_at_the_money) {
    start();
    hold(19, 10); /* the 87000 call */
    index_at(F);
    mark_all(F);
    const hg_exposure *plain = hg_portfolio_exposure(portfolio, 0, now_ns);
    double delta = plain->delta;
    double vega = plain->vega * 100;
    CHECK_NEAR(by(HG_DELTA_BARTLETT)->delta - delta, vega * SKEW / F, 0.1 * vega * -SKEW / F);
    stop();
}

TEST(all_deltas_of_an_answer_agree) {
    start();
    hold(20, -30);
    hold(29, 50);
    index_at(F);
    mark_all(F);
    hg_portfolio_pending(portfolio, ids[25], 40, 10);
    hg_portfolio_pending(portfolio, perpetual, 100, 0);
    hg_exposure plain = *hg_portfolio_exposure(portfolio, 0, now_ns);
    for (int rule = HG_DELTA_STICKY_DELTA; rule < HG_DELTA_RULES; rule++) {
        hg_exposure x = *by((hg_delta_rule)rule);
        CHECK_NEAR(x.delta_net - x.delta, plain.delta_net - plain.delta, 1e-12);
        CHECK_NEAR(x.delta_usd, x.delta * x.spot, 1e-9);
        CHECK_NEAR(x.delta_cash, plain.delta_cash, 0);
        CHECK_NEAR(x.gamma, plain.gamma, 0);
        CHECK_NEAR(x.vega, plain.vega, 0);
        CHECK(x.pending_lo < x.delta_filled && x.delta_filled < x.pending_hi);
        CHECK(x.pending_lo < x.delta && x.delta < x.pending_hi);
        /* the buy and the sell are of one option: their deltas are in proportion */
        double one = (x.delta - x.delta_filled - (plain.delta - plain.delta_filled)) / 30;
        CHECK_NEAR(x.pending_hi - x.delta_filled - (plain.pending_hi - plain.delta_filled),
                   40 * one, 1e-9);
        CHECK_NEAR(x.pending_lo - x.delta_filled - (plain.pending_lo - plain.delta_filled),
                   -10 * one, 1e-9);
    }
    /* and the plain answer is untouched */
    CHECK_NEAR(hg_portfolio_exposure(portfolio, 0, now_ns)->delta, plain.delta, 0);
    stop();
}

TEST(without_a_surface_the_answer_is_partial) {
    start();
    hold(20, 10);
    index_at(F);
    hg_event e = {.kind = HG_EV_QUOTE, .id = ids[20]};
    e.quote.ask = 400;
    e.quote.ask_size = 10;
    apply(e);
    const hg_exposure *plain = hg_portfolio_exposure(portfolio, 0, now_ns);
    double delta = plain->delta;
    const hg_exposure *x = by(HG_DELTA_STICKY_DELTA);
    CHECK_NEAR(x->delta, delta, 0);
    CHECK_EQ(x->quality, HG_QUALITY_PARTIAL);
    CHECK(x->reasons[0] != '\0');
    stop();
}

/* An old surface is no reason to stop, but it is told; and its slope stays at its moneyness. */
TEST(an_old_surface_is_stale) {
    start();
    hold(20, 10);
    index_at(F);
    mark_all(F);
    now_ns += HG_NS_PER_HOUR;
    index_at(F);
    const hg_exposure *x = by(HG_DELTA_STICKY_DELTA);
    CHECK_EQ(x->quality, HG_QUALITY_STALE);
    CHECK(x->delta != hg_portfolio_exposure(portfolio, 0, now_ns)->delta);
    stop();
}

/* At the expiry the smile is gone: every rule gives the payoff's delta. */
TEST(at_expiry_every_rule_is_the_same) {
    start();
    hold(1, 10);
    index_at(F);
    mark_all(F);
    now_ns = hg_universe_get(universe, ids[0])->expiry_ns;
    index_at(F);
    for (int rule = 0; rule < HG_DELTA_RULES; rule++) {
        CHECK_NEAR(by((hg_delta_rule)rule)->delta, 0, 1e-12); /* the delivery price is fixed */
    }
    stop();
}
