/* Implied vol against 50-digit roots, round trips, and an answer of its own for each bad price. */
#include "greeks/black76.h"
#include "greeks/scalar_int.h"
#include "test_greeks_kit.h"

typedef struct worst {
    double error;
    double row[7];
    double got;
} worst;

static void judge_row(const double *v, void *ctx) {
    worst *w = ctx;
    double sigma = -1;
    CHECK_EQ(hg_implied_vol(v[0], v[1], v[2], v[3], (int)v[4], 0, &sigma), HG_OK);
    CHECK(isfinite(sigma));
    double error = fabs(sigma / v[5] - 1.0) / (DBL_EPSILON * (1.0 + v[6]));
    if (error > w->error) {
        w->error = error;
        w->got = sigma;
        for (int i = 0; i < 7; i++) w->row[i] = v[i];
    }
}

/* cond is in the price alone: the strictest reading, F and K taken as exact. */
TEST(matches_50_digits_within_8_eps_cond) {
    worst w = {.error = 0};
    int rows = kit_each_row("tests/vectors/greeks_implied_vol.tsv", 7, judge_row, &w);
    CHECK(rows > 800);
    printf("worst %.2f eps(1+cond): price %.17g F %.17g K %.17g T %.4g cp %g exact %.17g got %.17g "
           "cond %g\n",
           w.error, w.row[0], w.row[1], w.row[2], w.row[3], w.row[4], w.row[5], w.got, w.row[6]);
    CHECK(w.error <= 8.0);
}

TEST(inverts_the_price) {
    unsigned long long seed = 7;
    for (int i = 0; i < 50000; i++) {
        double t = kit_log_uniform(&seed, 1e-5, 5);
        double sigma = kit_log_uniform(&seed, 0.001, 50);
        double f = kit_log_uniform(&seed, 0.1, 1e5);
        double d = kit_uniform(&seed, -20, 20);
        if (fabs(d * sigma * sqrt(t)) > 600) continue;
        double k = f * exp(d * sigma * sqrt(t));
        hg_greeks g;
        int cp = k > f ? 1 : -1;
        CHECK_EQ(hg_black76_all(f, k, t, sigma, cp, 0, &g), HG_OK);
        double top = cp > 0 ? f : k;
        if (!(g.price > 1e-280) || g.price >= top * (1 - 1e-6)) continue;
        double back;
        CHECK_EQ(hg_implied_vol(g.price, f, k, t, cp, 0, &back), HG_OK);
        double cond = (g.price + f * fabs(g.delta)) / (g.vega * sigma) + 1;
        CHECK_NEAR(back, sigma, 32 * DBL_EPSILON * sigma * cond);
    }
}

TEST(inverts_in_the_money_and_discounted_prices) {
    unsigned long long seed = 8;
    for (int i = 0; i < 20000; i++) {
        double t = kit_log_uniform(&seed, 0.01, 3);
        double sigma = kit_log_uniform(&seed, 0.1, 2);
        double r = kit_uniform(&seed, -0.05, 0.1);
        double k = 100 * exp(kit_uniform(&seed, -2, 2) * sigma * sqrt(t));
        int cp = i % 2 ? 1 : -1;
        double price;
        double back;
        CHECK_EQ(hg_black76_price(100, k, t, sigma, cp, r, &price), HG_OK);
        CHECK_EQ(hg_implied_vol(price, 100, k, t, cp, r, &back), HG_OK);
        CHECK_NEAR(back, sigma, 1e-11);
    }
}

TEST(names_what_is_wrong_with_a_price) {
    double sigma = 42;
    CHECK_EQ(hg_implied_vol(9.99, 110, 100, 1, 1, 0, &sigma), HG_GREEKS_BELOW_INTRINSIC);
    CHECK_EQ(hg_implied_vol(-0.01, 100, 110, 1, 1, 0, &sigma), HG_GREEKS_BELOW_INTRINSIC);
    CHECK_EQ(hg_implied_vol(110, 110, 100, 1, 1, 0, &sigma), HG_GREEKS_ABOVE_MAX);
    CHECK_EQ(hg_implied_vol(100, 110, 100, 1, -1, 0, &sigma), HG_GREEKS_ABOVE_MAX);
    CHECK_EQ(hg_implied_vol(1e300, 110, 100, 1, -1, 0, &sigma), HG_GREEKS_ABOVE_MAX);
    CHECK_EQ(hg_implied_vol(NAN, 110, 100, 1, 1, 0, &sigma), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_implied_vol(INFINITY, 110, 100, 1, 1, 0, &sigma), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_implied_vol(5, 110, 100, 0, 1, 0, &sigma), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_implied_vol(5, 110, NAN, 1, 1, 0, &sigma), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_implied_vol(5, 0, 100, 1, 1, 0, &sigma), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_implied_vol(5, 110, 100, 1, 2, 0, &sigma), HG_GREEKS_BAD_INPUT);
    CHECK(sigma == 42);
    CHECK_EQ(hg_implied_vol(10, 110, 100, 1, 1, 0, &sigma), HG_OK);
    CHECK(sigma == 0);
    CHECK_EQ(hg_implied_vol(0, 100, 110, 1, 1, 0, &sigma), HG_OK);
    CHECK(sigma == 0);
}

/* A discounted intrinsic value has rounding in it; it is still no vol, not an error. */
TEST(takes_a_discounted_intrinsic_for_zero_vol) {
    unsigned long long seed = 9;
    for (int i = 0; i < 10000; i++) {
        double k = kit_uniform(&seed, 50, 99);
        double r = kit_uniform(&seed, -0.1, 0.2);
        double t = kit_uniform(&seed, 0.01, 3);
        double price;
        double sigma;
        CHECK_EQ(hg_black76_price(100, k, t, 0, 1, r, &price), HG_OK);
        CHECK_EQ(hg_implied_vol(price, 100, k, t, 1, r, &sigma), HG_OK);
        CHECK(sigma == 0);
    }
}

/* The build without fused multiply-add, which this machine may not choose by itself. */
TEST(agrees_without_fused_multiply_add) {
    unsigned long long seed = 10;
    for (int i = 0; i < 20000; i++) {
        double t = kit_log_uniform(&seed, 1e-5, 5);
        double sigma = kit_log_uniform(&seed, 0.001, 5);
        double k = 100 * exp(kit_uniform(&seed, -20, 20) * sigma * sqrt(t));
        b76 fast, plain;
        hg_b76_regime regime = hg_b76_prepare(&fast, 100, k, t, sigma, 1);
        CHECK_EQ(hg_b76_prepare_portable(&plain, 100, k, t, sigma, 1), regime);
        if (regime != HG_B76_REGULAR || fast.time < 1e-280) continue;
        double tail = fast.a * fast.s / fast.time; /* d ln(time value)/d ln(s) */
        double cond = 1 + tail + (100 * fast.tail1 + k) / fast.time;
        CHECK_NEAR(plain.time, fast.time, 16 * DBL_EPSILON * cond * fast.time);
        CHECK_NEAR(plain.tail1, fast.tail1, 64 * DBL_EPSILON * (1 + tail) * fast.tail1);
        double rest = fmin(100, k) - fast.time;
        if (rest < 1e-3) continue;
        double s = hg_vol_solve(100, k, fast.time, rest);
        CHECK_NEAR(hg_vol_solve_portable(100, k, fast.time, rest), s, 32 * DBL_EPSILON * s);
    }
}
