/* Coin-settled options: exact values, the published golden, and the identities of the two deltas.
 */
#include "greeks/black76.h"
#include "greeks/inverse.h"
#include "test_greeks_kit.h"

#define OUTPUTS 6

static void judge_row(const double *v, void *ctx) {
    double *worst = ctx;
    hg_inverse_greeks g;
    CHECK_EQ(hg_inverse_all(v[0], v[1], v[2], v[3], (int)v[4], &g), HG_OK);
    const double *got = &g.price;
    for (int i = 0; i < OUTPUTS; i++) {
        worst[i] = fmax(worst[i], kit_error(got[i], v[6 + 2 * i], v[7 + 2 * i]));
    }
}

TEST(matches_50_digits_within_8_eps_cond) {
    double worst[OUTPUTS] = {0};
    CHECK(kit_each_row("tests/vectors/greeks_inverse.tsv", 6 + 2 * OUTPUTS, judge_row, worst) >
          200);
    for (int i = 0; i < OUTPUTS; i++) printf("output %d worst %.2f eps(1+cond)\n", i, worst[i]);
    for (int i = 0; i < OUTPUTS; i++) CHECK(worst[i] <= 8.0);
}

/* F = 60000, K = 66000, 30 days, 60 %: values recomputed independently for this project. */
TEST(matches_the_golden_hedges) {
    double f = 60000;
    hg_inverse_greeks g;
    CHECK_EQ(hg_inverse_all(f, 66000, 30.0 / 365, 0.6, 1, &g), HG_OK);
    CHECK_NEAR(g.price * f, 1962.1563, 5e-5);
    CHECK_NEAR(g.price, 0.03270261, 5e-9);
    CHECK_NEAR(g.delta, 0.31986569, 5e-9);
    CHECK_NEAR(g.delta_net, 0.28716308, 5e-9);
    CHECK_NEAR(g.gamma, 4.178513e-10, 5e-17);
    /* USD of inverse perpetual that makes the coin value and the USD value neutral. */
    CHECK_NEAR(-g.delta_net * f, -17229.7848, 5e-5);
    CHECK_NEAR(-g.delta * f, -19191.9411, 5e-5);
}

TEST(agrees_with_black76_and_parity) {
    unsigned long long seed = 5;
    for (int i = 0; i < 20000; i++) {
        double f = kit_log_uniform(&seed, 10, 1e5);
        double t = kit_log_uniform(&seed, 1e-4, 3);
        double sigma = kit_log_uniform(&seed, 0.1, 3);
        double k = f * exp(kit_uniform(&seed, -4, 4) * sigma * sqrt(t));
        hg_inverse_greeks c, p;
        hg_greeks usd;
        CHECK_EQ(hg_inverse_all(f, k, t, sigma, 1, &c), HG_OK);
        CHECK_EQ(hg_inverse_all(f, k, t, sigma, -1, &p), HG_OK);
        CHECK_EQ(hg_black76_all(f, k, t, sigma, 1, 0, &usd), HG_OK);
        double e = 16 * DBL_EPSILON;
        CHECK_NEAR(c.price, usd.price / f, e * c.price);
        CHECK(c.delta == usd.delta);
        CHECK_NEAR(c.delta_net, c.delta - c.price, e);
        CHECK_NEAR(c.vega, usd.vega / f, e * c.vega);
        CHECK_NEAR(c.theta, usd.theta / f, e * fabs(c.theta));
        /* c - p = 1 - K/F, so its coin delta is K/F and its second derivative -2 K/F^3. */
        double ratio = k / f;
        CHECK_NEAR(c.price - p.price, 1 - ratio, e * (1 + ratio));
        CHECK_NEAR(c.delta_net - p.delta_net, ratio, e * (1 + ratio));
        CHECK_NEAR((c.gamma - p.gamma) * f * f, -2 * ratio,
                   e * (fabs(c.gamma) * f * f + 4 * ratio));
    }
}

/* F dc/dF = delta_net, by a central difference of the price. */
TEST(delta_net_is_the_slope_of_the_coin_price) {
    unsigned long long seed = 6;
    for (int i = 0; i < 2000; i++) {
        double t = kit_log_uniform(&seed, 1e-3, 1);
        double sigma = kit_log_uniform(&seed, 0.2, 2);
        double f = 60000;
        double k = f * exp(kit_uniform(&seed, -3, 3) * sigma * sqrt(t));
        double h = 1e-4 * sigma * sqrt(t);
        hg_inverse_greeks g, up, dn;
        CHECK_EQ(hg_inverse_all(f, k, t, sigma, -1, &g), HG_OK);
        CHECK_EQ(hg_inverse_all(f * (1 + h), k, t, sigma, -1, &up), HG_OK);
        CHECK_EQ(hg_inverse_all(f * (1 - h), k, t, sigma, -1, &dn), HG_OK);
        CHECK_NEAR((up.price - dn.price) / (2 * h), g.delta_net, 1e-6 * (1 + k / f));
        CHECK_NEAR((up.delta_net / (1 + h) - dn.delta_net / (1 - h)) / (2 * h), g.gamma * f * f,
                   1e-6 * (1 + k / f + fabs(g.gamma) * f * f));
    }
}

TEST(has_limits_and_refuses_bad_input) {
    hg_inverse_greeks g;
    CHECK_EQ(hg_inverse_all(50, 40, 0, 0.5, 1, &g), HG_OK);
    CHECK_NEAR(g.price, 0.2, 1e-16);
    CHECK(g.delta == 1);
    CHECK_NEAR(g.delta_net, 0.8, 1e-16);
    CHECK_NEAR(g.gamma, -2 * 0.8 / 2500, 1e-18);
    CHECK_EQ(hg_inverse_all(50, 40, 0, NAN, 1, &g), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_inverse_all(-50, 40, 1, 0.5, 1, &g), HG_GREEKS_BAD_INPUT);
}
