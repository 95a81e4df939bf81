/* Bachelier's model against 50-digit values, its limits and its likeness to Black-76. */
#include "greeks/bachelier.h"
#include "test_greeks_kit.h"

#define OUTPUTS 13

static void judge_row(const double *v, void *ctx) {
    double *worst = ctx;
    hg_greeks g;
    CHECK_EQ(hg_bachelier_all(v[0], v[1], v[2], v[3], (int)v[4], v[5], &g), HG_OK);
    const double *got = &g.price;
    for (int i = 0; i < OUTPUTS; i++) {
        worst[i] = fmax(worst[i], kit_error(got[i], v[6 + 2 * i], v[7 + 2 * i]));
    }
}

TEST(matches_50_digits_within_8_eps_cond) {
    double worst[OUTPUTS] = {0};
    CHECK(kit_each_row("tests/vectors/greeks_bachelier.tsv", 6 + 2 * OUTPUTS, judge_row, worst) >
          200);
    for (int i = 0; i < OUTPUTS; i++) printf("output %d worst %.2f eps(1+cond)\n", i, worst[i]);
    for (int i = 0; i < OUTPUTS; i++) CHECK(worst[i] <= 8.0);
}

/* For a small total vol the two models agree with sigma_normal = sigma sqrt(F K). */
TEST(is_black76_for_small_vols) {
    hg_greeks normal, lognormal;
    CHECK_EQ(hg_bachelier_all(100, 100.2, 0.01, 0.1 * 100.1, 1, 0, &normal), HG_OK);
    CHECK_EQ(hg_black76_all(100, 100.2, 0.01, 0.1, 1, 0, &lognormal), HG_OK);
    CHECK_NEAR(normal.price, lognormal.price, 1e-4 * lognormal.price);
    CHECK_NEAR(normal.gamma, lognormal.gamma, 1e-2 * lognormal.gamma);
}

TEST(takes_any_sign_and_has_limits) {
    hg_greeks g;
    CHECK_EQ(hg_bachelier_all(-5, -5, 1, 2, 1, 0, &g), HG_OK);
    CHECK_NEAR(g.price, 2 * 0.3989422804014327, 1e-15);
    CHECK_NEAR(g.delta, 0.5, 2e-16);
    CHECK_EQ(hg_bachelier_all(-5, -7, 0, 2, 1, 0, &g), HG_OK);
    CHECK(g.price == 2 && g.delta == 1 && g.gamma == 0);
    CHECK_EQ(hg_bachelier_all(0, 0, 1, 0, -1, 0, &g), HG_OK);
    CHECK(g.price == 0 && g.delta == -0.5);
    CHECK_EQ(hg_bachelier_all(NAN, 0, 1, 1, -1, 0, &g), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_bachelier_all(0, INFINITY, 1, 1, -1, 0, &g), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_bachelier_all(0, 0, -1, 1, -1, 0, &g), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_bachelier_all(1.7e308, -1.7e308, 1e300, 1e300, 1, 0, &g), HG_OK);
    for (int i = 0; i < OUTPUTS; i++) CHECK(isfinite((&g.price)[i]));
}

static void judge_vol(const double *v, void *ctx) {
    double *worst = ctx;
    double sigma = -1;
    CHECK_EQ(hg_bachelier_implied_vol(v[0], v[1], v[2], v[3], (int)v[4], 0, &sigma), HG_OK);
    CHECK(isfinite(sigma));
    double error = fabs(sigma / v[5] - 1.0) / (DBL_EPSILON * (1.0 + v[6]));
    if (error > *worst) {
        *worst = error;
        printf("%.2f eps(1+cond): price %.17g F %.17g K %.17g T %.4g cp %g exact %.17g got %.17g\n",
               error, v[0], v[1], v[2], v[3], v[4], v[5], sigma);
    }
}

/* From an ulp to 36 deviations off the money, time values down to 1e-290. */
TEST(implied_vol_matches_110_digits_within_8_eps_cond) {
    double worst = 0;
    CHECK(kit_each_row("tests/vectors/greeks_bachelier_vol.tsv", 7, judge_vol, &worst) > 300);
    printf("note: worst %.2f eps(1+cond)\n", worst);
    CHECK(worst <= 8.0);
}

TEST(implied_vol_inverts_the_price) {
    unsigned long long seed = 11;
    for (int i = 0; i < 50000; i++) {
        double t = kit_log_uniform(&seed, 1e-6, 10);
        double s = kit_log_uniform(&seed, 1e-9, 1e9);
        double f = kit_uniform(&seed, -100, 100);
        double k = f + kit_uniform(&seed, -30, 30) * s;
        double r = i % 2 ? kit_uniform(&seed, -0.1, 0.1) : 0;
        hg_greeks g;
        double back;
        int cp = k > f ? 1 : -1;
        CHECK_EQ(hg_bachelier_all(f, k, t, s / sqrt(t), cp, r, &g), HG_OK);
        if (!(g.price > 1e-290)) continue;
        CHECK_EQ(hg_bachelier_implied_vol(g.price, f, k, t, cp, r, &back), HG_OK);
        double cond = (g.price + fabs(g.delta) * (fabs(f) + fabs(k))) / (g.vega * back) + 1;
        CHECK_NEAR(back, s / sqrt(t), 32 * DBL_EPSILON * back * cond);
    }
}

TEST(implied_vol_names_what_is_wrong) {
    double sigma = 42;
    CHECK_EQ(hg_bachelier_implied_vol(1.9, -5, -7, 1, 1, 0, &sigma), HG_GREEKS_BELOW_INTRINSIC);
    CHECK_EQ(hg_bachelier_implied_vol(-0.1, -7, -5, 1, 1, 0, &sigma), HG_GREEKS_BELOW_INTRINSIC);
    CHECK_EQ(hg_bachelier_implied_vol(1, NAN, -5, 1, 1, 0, &sigma), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_bachelier_implied_vol(INFINITY, 1, 2, 1, 1, 0, &sigma), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_bachelier_implied_vol(1, 1, 2, 0, 1, 0, &sigma), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_bachelier_implied_vol(1, 1, 2, 1, 0, 0, &sigma), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_bachelier_implied_vol(1, 1.7e308, -1.7e308, 1, 1, 0, &sigma), HG_GREEKS_BAD_INPUT);
    CHECK(sigma == 42);
    CHECK_EQ(hg_bachelier_implied_vol(2, -5, -7, 1, 1, 0, &sigma), HG_OK);
    CHECK(sigma == 0);
    CHECK_EQ(hg_bachelier_implied_vol(1e300, 1, 2, 1, 1, 0, &sigma), HG_OK);
    CHECK(isfinite(sigma) && sigma > 2.5e300);
    CHECK_EQ(hg_bachelier_implied_vol(5e-324, 1, 2, 1, 1, 0, &sigma), HG_OK);
    CHECK(sigma > 0.02 && sigma < 0.03);
}
