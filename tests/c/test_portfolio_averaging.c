/* Options on a mean: the variance left against its integral, values against simulated means, and
 * every view of a book in its last half hour against the others. */
#include "base/rng.h"
#include "domain/delivery.h"
#include "greeks/black76.h"
#include "portfolio/margin.h"
#include "portfolio/scenario.h"
#include "test_exec_kit.h"

#include <stdio.h>

#define MINUTE (60 * HG_NS_PER_S)
#define W_YEARS ((double)HG_DELIVERY_WINDOW_NS / (double)HG_NS_PER_YEAR)
#define VOL 0.6

/* The integral of (min(u, 1))^2 from 0 to the windows left, by Simpson on [0, 1] and beyond. */
static double variance_integral(double windows) {
    const int n = 2000;
    double h = windows / n;
    double sum = 0;
    for (int i = 0; i <= n; i++) {
        double u = fmin(i * h, 1);
        sum += u * u * (i == 0 || i == n ? 1 : i % 2 ? 4 : 2);
    }
    return sum * h / 3;
}

TEST(the_variance_left_is_the_integral_of_what_reaches_the_mean) {
    for (double windows = 0.01; windows <= 2; windows += 0.01) {
        CHECK_NEAR(hg_delivery_variance(windows), variance_integral(windows), 2e-6);
    }
    CHECK_NEAR(hg_delivery_variance(1), 1.0 / 3, 1e-15);
    CHECK_EQ(hg_delivery_variance(0), 0);
    CHECK_EQ(hg_delivery_variance(-1), 0);
    for (double windows = 12; windows < 1e5; windows *= 1.7) {
        CHECK_EQ(hg_delivery_variance(windows), windows); /* as the market quotes it */
    }
}

TEST(variance_has_no_step_and_passes_at_its_pace) {
    const double edges[] = {1, 2, 12};
    for (size_t i = 0; i < 3; i++) {
        double under = nextafter(edges[i], 0);
        CHECK_NEAR(hg_delivery_variance(under), hg_delivery_variance(edges[i]), 1e-14);
    }
    CHECK_NEAR(hg_delivery_pace(nextafter(1, 0)), hg_delivery_pace(1), 1e-14);
    for (double windows = 0.05; windows < 14; windows += 0.1) {
        double h = 1e-6;
        double slope = (hg_delivery_variance(windows + h) - hg_delivery_variance(windows - h)) /
                       (2 * h);
        CHECK_NEAR(hg_delivery_pace(windows), slope, 1e-8);
        CHECK(slope >= 0);
    }
    int64_t expiry_ns = INT64_C(1769760000) * HG_NS_PER_S;
    int64_t far_ns = expiry_ns - 7 * HG_NS_PER_DAY - 12345;
    CHECK_EQ(hg_delivery_years(expiry_ns, far_ns),
             (double)(expiry_ns - far_ns) / (double)HG_NS_PER_YEAR);
}

/* --- against simulated means ------------------------------------------------------------------ */

/* Mean payoff of a call on the mean over the last half hour when `windows` are left, the spot
 * stands at `spot` and the mean so far at `fixed`; paths and their mirror images. */
static double simulated(double windows, double spot, double fixed, double strike, double *error) {
    enum { PATHS = 12000, STEPS = 60 };
    hg_rng rng;
    hg_rng_init(&rng, 20260130, 1);
    double open = fmin(windows, 1);
    double dt = open * W_YEARS / STEPS;
    double before = fmax(windows - 1, 0) * W_YEARS;
    double sum = 0;
    double squares = 0;
    for (int n = 0; n < PATHS; n++) {
        double pay = 0;
        double z[STEPS + 1];
        for (int k = 0; k <= STEPS; k++) z[k] = hg_rng_normal(&rng);
        for (int mirror = -1; mirror <= 1; mirror += 2) {
            double x = VOL * sqrt(before) * mirror * z[STEPS] - VOL * VOL * before / 2;
            double mean = 0;
            for (int k = 0; k < STEPS; k++) { /* by the trapezoid rule */
                double from = exp(x);
                x += VOL * sqrt(dt) * mirror * z[k] - VOL * VOL * dt / 2;
                mean += (from + exp(x)) / (2 * STEPS);
            }
            pay += fmax((1 - open) * fixed + open * spot * mean - strike, 0) / 2;
        }
        sum += pay;
        squares += pay * pay;
    }
    *error = sqrt((squares / PATHS - sum / PATHS * (sum / PATHS)) / PATHS);
    return sum / PATHS;
}

/* One instrument held, `minutes` before its delivery; the window so far at `fixed`. */
static uint32_t world_at(world *w, const char *name, double minutes, double fixed, double spot) {
    world_init(w);
    uint32_t id = world_add(w, name);
    world_open(w, NULL);
    const hg_instrument *inst = inst_of(w, id);
    double size = inst->kind == HG_KIND_FUTURE ? 90000 : 1;
    CHECK_EQ(hg_portfolio_open(w->portfolio, id, lots(w, id, size), 0), HG_OK);
    int64_t now_ns = inst->expiry_ns - (int64_t)(minutes * 60) * HG_NS_PER_S;
    w->now_ns = inst->expiry_ns - HG_DELIVERY_WINDOW_NS;
    if (w->now_ns >= now_ns) {
        w->now_ns = now_ns - HG_NS_PER_S;
    }
    value_event(w, HG_EV_INDEX, 0, fixed);
    hg_event e = {.id = id, .kind = HG_EV_MARK};
    e.mark.iv = nano(VOL);
    world_event(w, e);
    w->now_ns = now_ns;
    value_event(w, HG_EV_INDEX, 0, spot);
    return id;
}

static const hg_exposure *ask(world *w) {
    return hg_portfolio_exposure(w->portfolio, 0, w->now_ns);
}

TEST(values_are_those_of_simulated_means) {
    const double minutes[] = {60, 45, 30, 20, 10, 4};
    for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
        double windows = minutes[i] / 30;
        for (double strike = 59900; strike <= 60100; strike += 100) {
            char name[40];
            double error;
            snprintf(name, sizeof name, "BTC_USDC-30JAN26-%.0f-C", strike);
            world w;
            world_at(&w, name, minutes[i], 59980, 60040);
            double truth = simulated(windows, 60040, 59980, strike, &error);
            CHECK_NEAR(ask(&w)->value, truth, 4 * error + 2e-3 * truth + 1e-9);
            double bump = 30;
            double up = simulated(windows, 60040 + bump, 59980, strike, &error);
            double down = simulated(windows, 60040 - bump, 59980, strike, &error);
            CHECK_NEAR(ask(&w)->delta, (up - down) / (2 * bump), 0.006);
            world_close(&w);
        }
    }
}

TEST(theta_is_the_loss_of_a_second_from_hours_before_to_the_end) {
    const double minutes[] = {400, 355, 200, 121, 90, 45, 29, 15, 5};
    for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
        world w;
        world_at(&w, "BTC_USDC-30JAN26-60020-C", minutes[i], 60000, 60000);
        hg_exposure x = *ask(&w);
        later(&w, 4 * HG_NS_PER_S);
        value_event(&w, HG_EV_INDEX, 0, 60000);
        double days = 4.0 / 86400;
        double theta = (x.theta + ask(&w)->theta) / 2;
        double charm = (x.charm + ask(&w)->charm) / 2;
        CHECK_NEAR(ask(&w)->value - x.value, theta * days, 1e-3 * fabs(theta * days));
        CHECK_NEAR(ask(&w)->delta - x.delta, charm * days, 1e-3 * fabs(charm * days) + 1e-8);
        world_close(&w);
    }
}

/* --- every view says the same ----------------------------------------------------------------- */

TEST(legs_units_and_scenarios_agree_with_the_exposure) {
    const char *const names[] = {"BTC_USDC-30JAN26-60000-C", "BTC-30JAN26-60000-P", "BTC-30JAN26"};
    const double minutes[] = {90, 29, 17, 3};
    for (size_t n = 0; n < 3; n++) {
        for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
            world w;
            uint32_t id = world_at(&w, names[n], minutes[i], 59900, 60030);
            const hg_instrument *inst = inst_of(&w, id);
            if (inst->kind != HG_KIND_OPTION) {
                mark(&w, id, hg_market_forward(w.market, inst->expiry_id, NULL), 0);
            }
            hg_exposure x = *ask(&w);
            hg_unit unit;
            CHECK(hg_portfolio_unit(w.portfolio, id, w.now_ns, &unit));
            double held = (double)hg_portfolio_get(w.portfolio, id)->lots;
            CHECK_NEAR(unit.delta * held, x.delta, 1e-12);
            CHECK_NEAR(unit.theta * held, x.theta, 1e-9 * (1 + fabs(x.theta)));
            hg_leg leg = hg_leg_read(w.market, inst, hg_size_to_double(inst, (hg_lots)held),
                                     w.now_ns);
            hg_outcome as_is = hg_legs_shock(&leg, 1, &(hg_shock){0});
            CHECK_NEAR(as_is.delta, x.delta, 1e-9);
            CHECK_NEAR(as_is.gamma, x.gamma, 1e-9 * x.gamma + 1e-12);
            CHECK_NEAR(as_is.vega, x.vega, 1e-9 + 1e-9 * fabs(x.vega));
            CHECK_NEAR(as_is.theta, x.theta, 1e-9 + 1e-9 * fabs(x.theta));
            /* what a move would do, against the move */
            hg_outcome up = hg_legs_shock(&leg, 1, &(hg_shock){.spot = 0.002});
            value_event(&w, HG_EV_INDEX, 0, 60030 * 1.002);
            if (inst->kind == HG_KIND_OPTION) {
                CHECK_NEAR(up.pnl_usd, ask(&w)->value - x.value, 2e-3 * fabs(up.pnl_usd) + 1e-6);
                CHECK_NEAR(up.delta, ask(&w)->delta, 1e-4);
            }
            world_close(&w);
        }
    }
}

TEST(a_scenario_past_the_expiry_keeps_what_is_fixed) {
    hg_leg leg = {.kind = HG_KIND_OPTION,
                  .cp = 1,
                  .amount = 2,
                  .spot = 60000,
                  .price = 59700, /* 15 minutes left, the first half at 59,400 */
                  .years = W_YEARS / 2,
                  .expires = true,
                  .strike = 59600,
                  .sigma = VOL};
    hg_outcome now = hg_legs_shock(&leg, 1, &(hg_shock){0});
    hg_outcome end = hg_legs_shock(&leg, 1, &(hg_shock){.spot = 0.01, .years = W_YEARS});
    double value = 0;
    CHECK_EQ(hg_black76_price(59700, 59600, W_YEARS / 24, VOL, 1, 0, &value), 0);
    CHECK_NEAR(end.pnl_usd, 2 * (59700 + 0.5 * 600 - 59600 - value), 1e-9);
    CHECK_EQ(end.delta, 0);
    CHECK(now.delta > 0.5 && now.delta < 1); /* two, half open, somewhat in the money */
    leg.kind = HG_KIND_FUTURE;
    end = hg_legs_shock(&leg, 1, &(hg_shock){.spot = 0.01, .years = W_YEARS});
    CHECK_NEAR(end.pnl_usd, 2 * 300, 1e-9);
}

/* An exchange's vol for the whole time, told with its price, gives that price; one that is the
 * spot's, as the synthetic market tells it, stays what it is. */
TEST(a_vol_for_the_whole_time_gives_the_price_it_came_with) {
    const double minutes[] = {300, 100, 40, 31, 12};
    for (size_t i = 0; i < sizeof minutes / sizeof *minutes; i++) {
        for (int whole = 0; whole < 2; whole++) {
            world w;
            uint32_t id = world_at(&w, "BTC_USDC-30JAN26-60020-C", minutes[i], 60000, 60000);
            const hg_instrument *inst = inst_of(&w, id);
            double t = whole ? hg_delivery_clock(inst->expiry_ns, w.now_ns)
                             : hg_delivery_years(inst->expiry_ns, w.now_ns);
            double price = 0;
            double iv = 0;
            CHECK_EQ(hg_black76_price(60000, 60020, t, 0.5, 1, 0, &price), 0);
            hg_event e = {.id = id, .kind = HG_EV_MARK};
            e.mark.iv = nano(0.5);
            e.mark.price = nano(price);
            world_event(&w, e);
            CHECK_NEAR(ask(&w)->value, price, 1e-6 * price);
            CHECK_EQ(hg_market_iv(w.market, id, &iv, NULL), HG_IV_MARK);
            CHECK(whole ? iv > 0.5 : iv == 0.5);
            world_close(&w);
        }
    }
}
