/* The last half hour: the mean forms, deltas decay with what is left of it, and the delivery comes
 * without a jump. Deltas are checked against finite differences of the P&L. */
#include "base/rng.h"
#include "domain/delivery.h"
#include "portfolio/explain.h"
#include "test_exec_kit.h"

#include <stdio.h>

#define MINUTE (60 * HG_NS_PER_S)

static const hg_exposure *ask(world *w) {
    return hg_portfolio_exposure(w->portfolio, 0, w->now_ns);
}

static double pnl_of(world *w) {
    hg_pnl pnl;
    hg_portfolio_pnl(w->portfolio, w->now_ns, &pnl);
    CHECK(pnl.known);
    return pnl.hedged;
}

static void vol(world *w, uint32_t id, double iv) {
    hg_event e = {.id = id, .kind = HG_EV_MARK};
    e.mark.iv = nano(iv);
    world_event(w, e);
}

/* A world half an hour before the delivery of its one leg, with a spot that wanders from there to
 * `minutes` before it; returns the mean of the spot in the window. */
static double approach(world *w, const char *name, double size, double minutes, bool told) {
    world_init(w);
    uint32_t id = world_add(w, name);
    world_open(w, NULL);
    const hg_instrument *inst = inst_of(w, id);
    CHECK_EQ(hg_portfolio_open(w->portfolio, id, lots(w, id, fabs(size)) * (size < 0 ? -1 : 1), 0),
             HG_OK);
    int64_t start_ns = inst->expiry_ns - 30 * MINUTE;
    int64_t end_ns = inst->expiry_ns - (int64_t)(minutes * 60) * HG_NS_PER_S;
    double sum = 0;
    double spot = 60000;
    w->now_ns = start_ns - 5 * HG_NS_PER_S;
    value_event(w, HG_EV_INDEX, 0, spot);
    if (inst->kind == HG_KIND_OPTION) {
        vol(w, id, 0.6);
    } else {
        mark(w, id, spot, 0);
    }
    for (w->now_ns = start_ns; w->now_ns < end_ns; later(w, HG_NS_PER_S)) {
        double passed = (double)(w->now_ns - start_ns) / 1e9;
        spot = nearbyint(60000 + 100 * sin(passed / 150) + 0.1 * passed);
        value_event(w, HG_EV_INDEX, 0, spot);
        sum += spot;
        if (told) {
            double open = hg_delivery_open(inst->expiry_ns, w->now_ns);
            double mean = sum / (passed + 1);
            value_event(w, HG_EV_FORWARD, inst->expiry_id, (1 - open) * mean + open * spot);
        }
    }
    value_event(w, HG_EV_INDEX, 0, spot);
    if (inst->kind == HG_KIND_FUTURE) {
        mark(w, id, hg_market_forward(w->market, inst->expiry_id, NULL), 0);
        later(w, HG_NS_PER_MS); /* a mark of this very moment would be believed as it is */
    }
    return sum / ((double)(end_ns - start_ns) / 1e9);
}

/* USD P&L per USD of spot is delta + delta_cash, whatever share of the mean is fixed. */
static void check_deltas(const char *name, double size, double minutes, bool told) {
    world w;
    approach(&w, name, size, minutes, told);
    const hg_instrument *inst = inst_of(&w, 0);
    double spot = ask(&w)->spot;
    double h = 2;
    double before = ask(&w)->delta;
    double delta = before + ask(&w)->delta_cash;
    double gamma = ask(&w)->gamma;
    double expected = hg_market_forward(w.market, inst->expiry_id, NULL);
    value_event(&w, HG_EV_INDEX, 0, spot + h);
    double up = pnl_of(&w);
    double delta_up = ask(&w)->delta;
    value_event(&w, HG_EV_INDEX, 0, spot - h);
    double down = pnl_of(&w);
    double delta_down = ask(&w)->delta;
    /* delta is in coins at the expected delivery, money in coins at the spot: apart by S / E - 1 */
    double tolerance = fabs(size) * (inst->inverse && inst->kind != HG_KIND_OPTION ? 1 / spot : 1) *
                       (fabs(spot / expected - 1) + 2e-4);
    CHECK_NEAR((up - down) / (2 * h), delta, tolerance);
    if (inst->kind == HG_KIND_OPTION) {
        CHECK_NEAR((delta_up - delta_down) / (2 * h), gamma, fabs(gamma) * 0.02 + 1e-9);
    }
    double open = hg_delivery_open(inst->expiry_ns, w.now_ns);
    double amount = inst->kind == HG_KIND_FUTURE && inst->inverse ? size / expected : size;
    CHECK(fabs(before) <= fabs(amount) * open * 1.01);
    world_close(&w);
}

TEST(deltas_are_the_derivative_of_the_pnl_through_the_window) {
    static const char *const names[] = {"BTC-30JAN26-60000-C",      "BTC-30JAN26-60100-P",
                                        "BTC-30JAN26-50000-C",      "BTC-30JAN26-70000-P",
                                        "BTC_USDC-30JAN26-60000-C", "BTC_USDC-30JAN26-50000-C"};
    static const double minutes[] = {29.5, 22.5, 15, 7.5, 2, 0.5};
    for (size_t m = 0; m < sizeof minutes / sizeof *minutes; m++) {
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            check_deltas(names[n], -7, minutes[m], false);
            check_deltas(names[n], 3, minutes[m], true);
        }
        check_deltas("BTC-30JAN26", 60000, minutes[m], false);
        check_deltas("BTC-30JAN26", -90000, minutes[m], true);
    }
}

TEST(an_even_call_has_a_quarter_after_fifteen_minutes) {
    world w;
    approach(&w, "BTC-30JAN26-60000-C", 1, 30, false); /* flat at 60,000 until the window opens */
    CHECK_NEAR(ask(&w)->delta, 0.5, 0.005);
    for (int i = 0; i < 15; i++) {
        later(&w, MINUTE);
        value_event(&w, HG_EV_INDEX, 0, 60000);
    }
    CHECK_NEAR(ask(&w)->delta, 0.25, 0.002);
    later(&w, 15 * MINUTE);
    CHECK_NEAR(ask(&w)->delta, 0, 1e-12);
    world_close(&w);
}

TEST(nothing_jumps_when_the_window_opens_or_the_delivery_comes) {
    for (int told = 0; told < 2; told++) {
        world w;
        double mean = approach(&w, "BTC-30JAN26-59000-C", 10, 0, told);
        double value = pnl_of(&w);
        double delta = ask(&w)->delta + ask(&w)->delta_cash;
        CHECK_NEAR(hg_market_forward(w.market, inst_of(&w, 0)->expiry_id, NULL), mean,
                   told ? 0.05 : 1e-6); /* a told one is as good as what was told a second ago */
        value_event(&w, HG_EV_SETTLE, 0, mean);
        CHECK_NEAR(pnl_of(&w), value, told ? 0.3 : 1e-3);
        CHECK_NEAR(ask(&w)->delta + ask(&w)->delta_cash, delta, 1e-5);
        hg_explanation x;
        hg_portfolio_explain(w.portfolio, HG_EXPLAIN_ALL, w.now_ns, &x);
        CHECK(fabs(x.rest) < 0.02 * (fabs(x.parts.delta) + fabs(x.parts.cash)));
        world_close(&w);
    }
    world a;
    world_init(&a);
    uint32_t call = world_add(&a, "BTC-30JAN26-60000-C");
    world_open(&a, NULL);
    CHECK_EQ(hg_portfolio_open(a.portfolio, call, lots(&a, call, 1), 0), HG_OK);
    a.now_ns = inst_of(&a, call)->expiry_ns - 30 * MINUTE - HG_NS_PER_MS;
    value_event(&a, HG_EV_INDEX, 0, 60010);
    vol(&a, call, 0.6);
    double before = pnl_of(&a);
    hg_exposure x = *ask(&a);
    later(&a, 2 * HG_NS_PER_MS);
    CHECK_NEAR(pnl_of(&a), before, 1e-3);
    CHECK_NEAR(ask(&a)->delta, x.delta, 1e-5);
    CHECK_NEAR(ask(&a)->gamma, x.gamma, 1e-5 * x.gamma);
    world_close(&a);
}

/* Theta and charm are by the clock, with the spot where it is. */
TEST(theta_and_charm_follow_the_clock_inside_the_window) {
    world w;
    approach(&w, "BTC_USDC-30JAN26-60050-C", 1, 12, false);
    hg_exposure x = *ask(&w);
    double value = pnl_of(&w);
    later(&w, HG_NS_PER_S);
    double day = 1.0 / 86400;
    CHECK_NEAR(pnl_of(&w) - value, x.theta * day, 0.01 * fabs(x.theta * day));
    CHECK_NEAR(ask(&w)->delta - x.delta, x.charm * day, 0.01 * fabs(x.charm * day));
    world_close(&w);
}

TEST(a_session_that_begins_inside_the_window_takes_what_it_sees_for_the_mean) {
    world w;
    world_init(&w);
    uint32_t call = world_add(&w, "BTC-30JAN26-60000-C");
    world_open(&w, NULL);
    int64_t expiry_ns = inst_of(&w, call)->expiry_ns;
    w.now_ns = expiry_ns - 10 * MINUTE;
    value_event(&w, HG_EV_INDEX, 0, 61000);
    later(&w, 5 * MINUTE);
    value_event(&w, HG_EV_INDEX, 0, 62000);
    later(&w, 5 * MINUTE);
    value_event(&w, HG_EV_INDEX, 0, 62000);
    CHECK_NEAR(hg_market_forward(w.market, inst_of(&w, call)->expiry_id, NULL), 61500, 1e-6);
    world_close(&w);
}
