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

/* Where the last step is just under its limit: e^step must not be 1 + step there. */
TEST(implied_vol_is_exact_after_any_last_step) {
    double worst = 0;
    judge_vol((const double[]){3.311868916641385e-54, 64.80343172369052, 64.6816839969705,
                               0.014846475521721776, -1.0, 0.0667652768809288, 0.00441},
              &worst);
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

static void random_spread(unsigned long long *seed, double *f, double *k, double *t, double *s) {
    *t = kit_log_uniform(seed, 1e-4, 5);
    *s = kit_log_uniform(seed, 1e-3, 1e3);
    *f = kit_uniform(seed, -100, 100);
    *k = *f + kit_uniform(seed, -5, 5) * *s * sqrt(*t);
}

TEST(keeps_put_call_parity) {
    unsigned long long seed = 21;
    for (int i = 0; i < 20000; i++) {
        double f, k, t, s, r = kit_uniform(&seed, -0.05, 0.1);
        random_spread(&seed, &f, &k, &t, &s);
        hg_greeks c, p;
        CHECK_EQ(hg_bachelier_all(f, k, t, s, 1, r, &c), HG_OK);
        CHECK_EQ(hg_bachelier_all(f, k, t, s, -1, r, &p), HG_OK);
        double d = exp(-r * t);
        double e = 8 * DBL_EPSILON;
        CHECK_NEAR(c.price - p.price, d * (f - k), e * (c.price + p.price));
        CHECK_NEAR(c.delta - p.delta, d, e * d);
        CHECK_NEAR(c.theta - p.theta, r * d * (f - k),
                   e * (fabs(c.theta) + fabs(p.theta) + fabs(r) * (c.price + p.price)));
        CHECK_NEAR(c.charm - p.charm, r * d, e * (fabs(c.charm) + fabs(p.charm) + fabs(r) * d));
        const double *of_c = &c.price;
        const double *of_p = &p.price;
        for (int j = 2; j < OUTPUTS; j++) { /* but theta, rho and charm all Greeks are the same */
            if (j == 4 || j == 5 || j == 8) continue;
            CHECK_NEAR(of_c[j], of_p[j], 4 * e * fabs(of_c[j]) + 1e-300);
        }
    }
}

/* Bachelier's equation: -theta = sigma^2 gamma/2 - r V, its derivatives, and those of
 * vega = gamma sigma T. */
TEST(satisfies_the_equation_and_its_derivatives) {
    unsigned long long seed = 22;
    for (int i = 0; i < 20000; i++) {
        double f, k, t, s, r = kit_uniform(&seed, -0.05, 0.1);
        random_spread(&seed, &f, &k, &t, &s);
        hg_greeks g;
        CHECK_EQ(hg_bachelier_all(f, k, t, s, i % 2 ? 1 : -1, r, &g), HG_OK);
        double half = 0.5 * s * s;
        double e = 1e-13;
        double scale = g.gamma / (s * s * t) * 60; /* of the second derivatives of gamma */
        CHECK_NEAR(g.theta, r * g.price - half * g.gamma, e * (half * g.gamma + fabs(r) * g.price));
        CHECK_NEAR(g.charm, r * g.delta - half * g.speed, e * (half * fabs(g.speed) + fabs(r)));
        CHECK_NEAR(g.rho, -t * g.price, e * t * g.price);
        CHECK_NEAR(g.vega, s * t * g.gamma, e * g.vega);
        CHECK_NEAR(g.vanna, s * t * g.speed, e * fabs(g.vanna));
        CHECK_NEAR(g.volga, t * (g.gamma + s * g.zomma), e * t * (g.gamma + s * fabs(g.zomma)));
        /* gamma_t = sigma^2/2 gamma_FF, and gamma_FF = zomma/(sigma T). */
        CHECK_NEAR(g.color, r * g.gamma - half * g.zomma / (s * t),
                   e * (half * scale + fabs(r) * g.gamma));
    }
}

/* Each output against a central difference of the one it is the derivative of. */
TEST(agrees_with_finite_differences) {
    unsigned long long seed = 23;
    for (int i = 0; i < 2000; i++) {
        double f, k, t, s, r = 0.03;
        random_spread(&seed, &f, &k, &t, &s);
        hg_greeks g, up, dn;
        CHECK_EQ(hg_bachelier_all(f, k, t, s, -1, r, &g), HG_OK);
        double h = 1e-4;
        double total = s * sqrt(t);
        double e = 1e-4 * g.gamma; /* of the differences below, in units of gamma */
        double df = h * total;
        CHECK_EQ(hg_bachelier_all(f + df, k, t, s, -1, r, &up), HG_OK);
        CHECK_EQ(hg_bachelier_all(f - df, k, t, s, -1, r, &dn), HG_OK);
        df = ((f + df) - (f - df)) / 2;
        CHECK_NEAR((up.price - dn.price) / (2 * df), g.delta, e * total + 1e-9);
        CHECK_NEAR((up.delta - dn.delta) / (2 * df), g.gamma, e + 1e-9 / total);
        CHECK_NEAR((up.gamma - dn.gamma) / (2 * df), g.speed, e / total);
        double ds = s * h;
        CHECK_EQ(hg_bachelier_all(f, k, t, s + ds, -1, r, &up), HG_OK);
        CHECK_EQ(hg_bachelier_all(f, k, t, s - ds, -1, r, &dn), HG_OK);
        CHECK_NEAR((up.price - dn.price) / (2 * ds), g.vega, e * total * sqrt(t) + 1e-9 * sqrt(t));
        CHECK_NEAR((up.vega - dn.vega) / (2 * ds), g.volga, e * t);
        CHECK_NEAR((up.delta - dn.delta) / (2 * ds), g.vanna, e * sqrt(t) + 1e-9 / s);
        CHECK_NEAR((up.gamma - dn.gamma) / (2 * ds), g.zomma, e / s);
        CHECK_NEAR((up.volga - dn.volga) / (2 * ds), g.ultima, e * 10 * t / s);
        double dt = t * h;
        CHECK_EQ(hg_bachelier_all(f, k, t + dt, s, -1, r, &up), HG_OK);
        CHECK_EQ(hg_bachelier_all(f, k, t - dt, s, -1, r, &dn), HG_OK);
        CHECK_NEAR((dn.price - up.price) / (2 * dt), g.theta, e * s * s + 1e-9 * total / t);
        CHECK_NEAR((dn.delta - up.delta) / (2 * dt), g.charm, e * total / t + 1e-9 / t);
        CHECK_NEAR((dn.gamma - up.gamma) / (2 * dt), g.color, e / t);
    }
}
