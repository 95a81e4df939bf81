/* Smile-aware deltas: the rules against repricing, and the two estimators in simulated worlds. */
#include "greeks/black76.h"
#include "greeks/sabr.h"
#include "greeks/smile_delta.h"
#include "greeks/surface.h"
#include "test.h"
#include "test_greeks_kit.h"

static const hg_svi smile = {0.002, 0.08, -0.3, 0.01, 0.1};
static const double years = 0.1;

static double vol_at(double k) {
    double w;
    CHECK_EQ(hg_svi_variance(&smile, k, &w), 0);
    return sqrt(w / years);
}

static double price_at(double f, double strike, double sigma, int cp) {
    double price;
    CHECK_EQ(hg_black76_price(f, strike, years, sigma, cp, 0, &price), 0);
    return price;
}

static hg_greeks greeks_at(double f, double strike, double sigma, int cp) {
    hg_greeks g;
    CHECK_EQ(hg_black76_all(f, strike, years, sigma, cp, 0, &g), 0);
    return g;
}

static double slope_at(double k) {
    double w[3];
    CHECK_EQ(hg_svi_derivatives(&smile, k, w), 0);
    return w[1] / (2 * years * vol_at(k));
}

static double delta_by_rule(double f, double strike, int cp, double ssr) {
    double k = log(strike / f);
    double delta;
    hg_greeks g = greeks_at(f, strike, vol_at(k), cp);
    CHECK_EQ(hg_smile_delta(g.delta, g.vega, slope_at(k), f, ssr, &delta), 0);
    return delta;
}

/* Repricing with the smile moved as each rule says. */
TEST(rules_against_repricing) {
    const double f = 60000, h = 1;
    for (double strike = 45000; strike < 80000; strike += 2500) {
        for (int cp = -1; cp <= 1; cp += 2) {
            double stay = vol_at(log(strike / f));
            double fixed = (price_at(f + h, strike, stay, cp) - price_at(f - h, strike, stay, cp));
            CHECK_NEAR(delta_by_rule(f, strike, cp, HG_SSR_STICKY_STRIKE), fixed / 2 / h, 1e-7);
            double along = price_at(f + h, strike, vol_at(log(strike / (f + h))), cp) -
                           price_at(f - h, strike, vol_at(log(strike / (f - h))), cp);
            CHECK_NEAR(delta_by_rule(f, strike, cp, HG_SSR_STICKY_DELTA), along / 2 / h, 1e-6);
            double against = price_at(f + h, strike, 2 * stay - vol_at(log(strike / (f + h))), cp) -
                             price_at(f - h, strike, 2 * stay - vol_at(log(strike / (f - h))), cp);
            CHECK_NEAR(delta_by_rule(f, strike, cp, HG_SSR_STICKY_TREE), against / 2 / h, 1e-6);
        }
    }
}

/* Euler: the sticky-delta delta is (C - K dC/dK)/F along the smile (Alexander and Imeraj's). */
TEST(sticky_delta_is_scale_invariant) {
    const double f = 60000, h = 1;
    for (double strike = 45000; strike < 80000; strike += 2500) {
        double at = price_at(f, strike, vol_at(log(strike / f)), 1);
        double up = price_at(f, strike + h, vol_at(log((strike + h) / f)), 1);
        double down = price_at(f, strike - h, vol_at(log((strike - h) / f)), 1);
        double euler = (at - strike * (up - down) / (2 * h)) / f;
        CHECK_NEAR(delta_by_rule(f, strike, 1, HG_SSR_STICKY_DELTA), euler, 1e-6);
    }
}

/* The sum of two normal-ish draws is enough here: mean 0, variance 1. */
static double draw(unsigned long long *seed) {
    double sum = 0;
    for (int i = 0; i < 12; i++) sum += kit_uniform(seed, -0.5, 0.5);
    return sum;
}

TEST(ssr_is_found_in_noise) {
    static const double ratios[] = {0, 1, 1.6, 2};
    for (int i = 0; i < 4; i++) {
        unsigned long long seed = 10 + (unsigned)i;
        hg_ssr s;
        CHECK_EQ(hg_ssr_init(&s, 2000, 1, 20), 0);
        CHECK_NEAR(hg_ssr_get(&s).ssr, 1, 0);
        for (int j = 0; j < 10000; j++) {
            double r = 0.02 * draw(&seed);
            double skew = -0.3 + 0.1 * draw(&seed);
            double change = ratios[i] * skew * r + 0.004 * draw(&seed);
            if (j % 500 == 499) change += 0.5; /* a bad print */
            CHECK_EQ(hg_ssr_update(&s, r, change, skew), 0);
        }
        hg_ssr_estimate e = hg_ssr_get(&s);
        printf("R %.1f: %.3f +- %.3f, gain %.2f\n", ratios[i], e.ssr, e.error, e.gain);
        CHECK(e.error > 0 && e.error < 0.1);
        CHECK_NEAR(e.ssr, ratios[i], 3 * e.error + 0.03);
    }
}

TEST(ssr_forgets) {
    hg_ssr s;
    CHECK_EQ(hg_ssr_init(&s, 50, 1, 5), 0);
    for (int j = 0; j < 2000; j++) {
        double r = j % 2 ? 0.01 : -0.01;
        double ratio = j < 1000 ? 0.5 : 1.8;
        CHECK_EQ(hg_ssr_update(&s, r, ratio * -0.3 * r, -0.3), 0);
    }
    CHECK_NEAR(hg_ssr_get(&s).ssr, 1.8, 0.08);
}

/* No skew or no move says nothing: the prior stays. */
TEST(ssr_without_information_is_the_prior) {
    hg_ssr s;
    CHECK_EQ(hg_ssr_init(&s, 100, 1.3, 10), 0);
    for (int j = 0; j < 100; j++) CHECK_EQ(hg_ssr_update(&s, 0.0, 0.01, -0.3), 0);
    CHECK_NEAR(hg_ssr_get(&s).ssr, 1.3, 0);
    CHECK_EQ(hg_ssr_update(&s, NAN, 0, 0), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_ssr_init(&s, 0, 1, 1), HG_GREEKS_BAD_INPUT);
    CHECK_NEAR(hg_ssr_get(&s).ssr, 1.3, 0);
}

/* Data made of the model itself: the coefficients come back, and the delta removes all risk. */
TEST(min_variance_finds_its_coefficients) {
    unsigned long long seed = 20;
    const double abc[3] = {-0.25, 0.4, -0.5};
    hg_min_variance mv;
    CHECK_EQ(hg_min_variance_init(&mv, 5000), 0);
    for (int i = 0; i < 3000; i++) {
        double f = kit_log_uniform(&seed, 100, 200), t = kit_uniform(&seed, 0.05, 0.5);
        double delta = kit_uniform(&seed, 0.05, 0.95), vega = 0.4 * f * sqrt(t);
        double df = f * 0.02 * draw(&seed);
        double mean = vega / sqrt(t) * df / f * (abc[0] + abc[1] * delta + abc[2] * delta * delta);
        double noise = 0.001 * f * draw(&seed);
        CHECK_EQ(hg_min_variance_update(&mv, delta, vega, t, f, delta * df + mean + noise, df), 0);
    }
    double found[3], delta;
    hg_min_variance_coefficients(&mv, found);
    for (int i = 0; i < 3; i++) CHECK_NEAR(found[i], abc[i], 0.03);
    CHECK_EQ(hg_min_variance_delta(&mv, 0.5, 40, 0.25, 200, &delta), 0);
    CHECK_NEAR(delta, 0.5 + 40 / (200 * 0.5) * (found[0] + found[1] / 2 + found[2] / 4), 1e-12);
    CHECK(hg_min_variance_gain(&mv) > 0.2);
}

TEST(min_variance_starts_as_black) {
    hg_min_variance mv;
    double delta = 7;
    CHECK_EQ(hg_min_variance_init(&mv, 100), 0);
    CHECK_EQ(hg_min_variance_delta(&mv, 0.4, 10, 0.1, 100, &delta), 0);
    CHECK_NEAR(delta, 0.4, 0);
    CHECK_EQ(hg_min_variance_delta(&mv, NAN, 10, 0.1, 100, &delta), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_min_variance_delta(&mv, 0.4, 10, 0, 100, &delta), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_min_variance_update(&mv, 0.4, 10, 0.1, 100, NAN, 1), HG_GREEKS_BAD_INPUT);
    CHECK_NEAR(delta, 0.4, 0);
    CHECK_EQ(hg_smile_delta(0.5, INFINITY, 0, 1, 1, &delta), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_smile_delta(0.5, 1, 0, 0, 1, &delta), HG_GREEKS_BAD_INPUT);
}

/*
 * A lognormal SABR world: 30-day options at five strikes, hedged for a day. Hull and White's delta,
 * learnt and judged on different days, must gain what Bartlett's does, the best there is
 * (Keller-Ressel 2022; Hull and White 2017).
 */
typedef struct world {
    double rho, nu;
} world;

static void world_run(const world *wd, double *bartlett_gain, double *learnt_gain, double *ssr) {
    enum { DAYS = 20000, OPTIONS = 5 };
    static const double moneyness[OPTIONS] = {-1.2, -0.5, 0, 0.5, 1.2};
    const double f = 100, sigma = 0.6, t = 30.0 / 365, dt = 1.0 / 365;
    unsigned long long seed = 30;
    hg_min_variance mv;
    hg_ssr s;
    hg_sabr sabr = {sigma, 1, wd->rho, wd->nu};
    double black_sse = 0, bartlett_sse = 0;
    double before[OPTIONS], strikes[OPTIONS], atm, atm_after;
    hg_greeks greeks[OPTIONS];
    hg_sabr_delta deltas[OPTIONS];
    hg_sabr_slopes middle;
    CHECK_EQ(hg_min_variance_init(&mv, 1e7), 0);
    CHECK_EQ(hg_ssr_init(&s, 1e7, 1, 10), 0);
    CHECK_EQ(hg_sabr_all(&sabr, f, f, t, &middle), 0);
    atm = middle.vol;
    for (int i = 0; i < OPTIONS; i++) {
        double vol;
        strikes[i] = f * exp(moneyness[i] * sigma * sqrt(t));
        CHECK_EQ(hg_sabr_vol(&sabr, f, strikes[i], t, &vol), 0);
        CHECK_EQ(hg_black76_all(f, strikes[i], t, vol, 1, 0, &greeks[i]), 0);
        CHECK_EQ(hg_sabr_deltas(&sabr, f, strikes[i], t, 1, &deltas[i]), 0);
        before[i] = greeks[i].price;
    }
    for (int day = 0; day < DAYS; day++) {
        double w = draw(&seed);
        double z = wd->rho * w + sqrt(1 - wd->rho * wd->rho) * draw(&seed);
        double f1 = f * exp(sigma * sqrt(dt) * w - sigma * sigma * dt / 2);
        hg_sabr after = sabr;
        after.alpha *= exp(wd->nu * sqrt(dt) * z - wd->nu * wd->nu * dt / 2);
        CHECK_EQ(hg_sabr_vol(&after, f1, f1, t, &atm_after), 0);
        CHECK_EQ(hg_ssr_update(&s, log(f1 / f), atm_after - atm, middle.d_strike * f), 0);
        for (int i = 0; i < OPTIONS; i++) {
            double vol, price;
            CHECK_EQ(hg_sabr_vol(&after, f1, strikes[i], t - dt, &vol), 0);
            CHECK_EQ(hg_black76_price(f1, strikes[i], t - dt, vol, 1, 0, &price), 0);
            double change = price - before[i] - greeks[i].theta * dt;
            double df = f1 - f;
            black_sse += pow(change - greeks[i].delta * df, 2);
            bartlett_sse += pow(change - deltas[i].bartlett * df, 2);
            CHECK_EQ(hg_min_variance_update(&mv, greeks[i].delta, greeks[i].vega, t, f, change, df),
                     0);
        }
    }
    *bartlett_gain = 1 - bartlett_sse / black_sse;
    *learnt_gain = hg_min_variance_gain(&mv);
    *ssr = hg_ssr_get(&s).ssr;
}

TEST(min_variance_gains_as_much_as_bartlett) {
    static const world worlds[] = {
        {-0.7,  1  },
        {-0.7,  2  },
        {-0.85, 1.2},
        {0.3,   2  }
    };
    for (int i = 0; i < 4; i++) {
        double bartlett, learnt, ssr;
        world_run(&worlds[i], &bartlett, &learnt, &ssr);
        printf("rho %.2f nu %.1f: Bartlett gains %.4f, learnt %.4f; R %.3f\n", worlds[i].rho,
               worlds[i].nu, bartlett, learnt, ssr);
        CHECK(bartlett > 0.02);
        CHECK(learnt > bartlett - 0.005);
        /* In a short-dated stochastic vol model the ratio is near 2 (Bergomi 2009). */
        CHECK_NEAR(ssr, 2, 0.25);
    }
}
