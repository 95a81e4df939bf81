/* Black-76 against 50-digit values, textbook numbers, identities and its own limits. */
#include "greeks/black76.h"
#include "test_greeks_kit.h"

#define OUTPUTS 13

static const char *const output_names[OUTPUTS] = {"price", "delta", "gamma", "vega",  "theta",
                                                  "rho",   "vanna", "volga", "charm", "speed",
                                                  "color", "zomma", "ultima"};

typedef struct worst {
    double error[OUTPUTS];
    double row[OUTPUTS][6];
} worst;

static void judge_row(const double *v, void *ctx) {
    worst *w = ctx;
    hg_greeks g;
    CHECK_EQ(hg_black76_all(v[0], v[1], v[2], v[3], (int)v[4], v[5], &g), HG_OK);
    double price;
    CHECK_EQ(hg_black76_price(v[0], v[1], v[2], v[3], (int)v[4], v[5], &price), HG_OK);
    CHECK(price == g.price);
    const double *got = &g.price;
    for (int i = 0; i < OUTPUTS; i++) {
        double error = kit_error(got[i], v[6 + 2 * i], v[7 + 2 * i]);
        if (error > w->error[i]) {
            w->error[i] = error;
            for (int j = 0; j < 6; j++) w->row[i][j] = v[j];
        }
    }
}

TEST(matches_50_digits_within_8_eps_cond) {
    worst w = {.error = {0}};
    int rows = kit_each_row("tests/vectors/greeks_black76.tsv", 6 + 2 * OUTPUTS, judge_row, &w);
    CHECK(rows > 600);
    for (int i = 0; i < OUTPUTS; i++) {
        printf("%-7s worst %.2f eps(1+cond) at F %.17g K %.17g T %.4g sigma %.4g cp %g r %g\n",
               output_names[i], w.error[i], w.row[i][0], w.row[i][1], w.row[i][2], w.row[i][3],
               w.row[i][4], w.row[i][5]);
    }
    for (int i = 0; i < OUTPUTS; i++) CHECK(w.error[i] <= 8.0);
}

/* Hull, Options, Futures and Other Derivatives, 10th ed.: examples 18.6 (put on crude futures). */
TEST(matches_hull) {
    hg_greeks g;
    CHECK_EQ(hg_black76_all(60, 60, 4.0 / 12, 0.25, -1, 0.09, &g), HG_OK);
    CHECK_NEAR(g.price, 3.35, 0.005);
    /* Section 19: S = 49, K = 50, r = 5 %, sigma = 20 %, T = 20 weeks; Greeks in S at fixed r. */
    double t = 20.0 / 52;
    double growth = exp(0.05 * t);
    CHECK_EQ(hg_black76_all(49 * growth, 50, t, 0.20, 1, 0.05, &g), HG_OK);
    CHECK_NEAR(g.price, 2.4005, 5e-5);
    CHECK_NEAR(g.delta * growth, 0.522, 5e-4);
    CHECK_NEAR(g.gamma * growth * growth, 0.066, 5e-4);
    CHECK_NEAR(g.vega, 12.1, 0.05);
    /* Hull's theta moves the forward along its carry: dF/dt = r F. */
    CHECK_NEAR(g.theta - 0.05 * 49 * growth * g.delta, -4.31, 5e-3);
}

/* Haug, The Complete Guide to Option Pricing Formulas, 2nd ed., section 1.1.4: F = K = 19. */
TEST(matches_haug) {
    double call;
    double put;
    CHECK_EQ(hg_black76_price(19, 19, 0.75, 0.28, 1, 0.10, &call), HG_OK);
    CHECK_EQ(hg_black76_price(19, 19, 0.75, 0.28, -1, 0.10, &put), HG_OK);
    CHECK_NEAR(call, 1.7011, 5e-5);
    CHECK_NEAR(put, 1.7011, 5e-5);
}

static void random_option(unsigned long long *seed, double *f, double *k, double *t,
                          double *sigma) {
    *f = kit_log_uniform(seed, 0.5, 1e5);
    *t = kit_log_uniform(seed, 1e-4, 5.0);
    *sigma = kit_log_uniform(seed, 0.05, 3.0);
    *k = *f * exp(kit_uniform(seed, -4, 4) * *sigma * sqrt(*t));
}

TEST(keeps_put_call_parity) {
    unsigned long long seed = 1;
    for (int i = 0; i < 20000; i++) {
        double f, k, t, sigma;
        random_option(&seed, &f, &k, &t, &sigma);
        double r = kit_uniform(&seed, -0.05, 0.1);
        hg_greeks c, p;
        CHECK_EQ(hg_black76_all(f, k, t, sigma, 1, r, &c), HG_OK);
        CHECK_EQ(hg_black76_all(f, k, t, sigma, -1, r, &p), HG_OK);
        double discount = exp(-r * t);
        CHECK_NEAR(c.price - p.price, discount * (f - k), 8 * DBL_EPSILON * (f + k));
        CHECK_NEAR(c.delta - p.delta, discount, 8 * DBL_EPSILON);
        CHECK(c.gamma == p.gamma);
        CHECK(c.vega == p.vega);
        CHECK(c.vanna == p.vanna);
        CHECK(c.ultima == p.ultima);
    }
}

TEST(is_homogeneous_in_money) {
    unsigned long long seed = 2;
    for (int i = 0; i < 20000; i++) {
        double f, k, t, sigma;
        random_option(&seed, &f, &k, &t, &sigma);
        hg_greeks one, four;
        CHECK_EQ(hg_black76_all(f, k, t, sigma, 1, 0, &one), HG_OK);
        CHECK_EQ(hg_black76_all(4 * f, 4 * k, t, sigma, 1, 0, &four), HG_OK);
        /* A power of two changes no digit. */
        CHECK(four.price == 4 * one.price);
        CHECK(four.delta == one.delta);
        CHECK(four.gamma == one.gamma / 4);
        CHECK(four.speed == one.speed / 16);
    }
}

/* The Black-76 equation: theta = -V_t reads -theta = 1/2 sigma^2 F^2 gamma - r V, and its
 * derivatives in F and sigma tie all the higher orders together. */
TEST(satisfies_the_equation_and_its_derivatives) {
    unsigned long long seed = 3;
    for (int i = 0; i < 20000; i++) {
        double f, k, t, s, r = kit_uniform(&seed, -0.05, 0.1);
        random_option(&seed, &f, &k, &t, &s);
        hg_greeks g;
        CHECK_EQ(hg_black76_all(f, k, t, s, 1, r, &g), HG_OK);
        double half = 0.5 * s * s;
        double e = 1e-12;
        double a = half * f * f * g.gamma;
        CHECK_NEAR(g.theta, r * g.price - a, e * (a + fabs(r * g.price)));
        CHECK_NEAR(g.charm, r * g.delta - half * (2 * f * g.gamma + f * f * g.speed),
                   e * (half * f * f * (fabs(g.speed) + fabs(g.gamma) / f) + fabs(r)));
        CHECK_NEAR(g.rho, -t * g.price, e * t * g.price);
        CHECK_NEAR(g.vega, f * f * g.gamma * s * t, e * g.vega);
        /* d(vega)/dF and d(vega)/dsigma from vega = F^2 gamma sigma T. */
        CHECK_NEAR(g.vanna, s * t * (2 * f * g.gamma + f * f * g.speed),
                   e * s * t * f * f * (fabs(g.speed) + fabs(g.gamma) / f));
        CHECK_NEAR(g.volga, f * f * t * (g.gamma + s * g.zomma),
                   e * f * f * t * (g.gamma + s * fabs(g.zomma)));
    }
}

/* Each output against a central difference of the one it is the derivative of. */
TEST(agrees_with_finite_differences) {
    unsigned long long seed = 4;
    for (int i = 0; i < 2000; i++) {
        double f, k, t, s, r = 0.03;
        random_option(&seed, &f, &k, &t, &s);
        double h = 1e-4;
        hg_greeks g, up, dn;
        CHECK_EQ(hg_black76_all(f, k, t, s, -1, r, &g), HG_OK);
        double total = s * sqrt(t);
        double df = f * h * total;
        CHECK_EQ(hg_black76_all(f + df, k, t, s, -1, r, &up), HG_OK);
        CHECK_EQ(hg_black76_all(f - df, k, t, s, -1, r, &dn), HG_OK);
        double scale = g.gamma + DBL_MIN; /* of the steps below, in units of gamma */
        double e = 2e-5;
        CHECK_NEAR((up.price - dn.price) / (2 * df), g.delta, 1e-6);
        CHECK_NEAR((up.gamma - dn.gamma) / (2 * df), g.speed, e * scale / (f * total));
        double ds = s * h;
        CHECK_EQ(hg_black76_all(f, k, t, s + ds, -1, r, &up), HG_OK);
        CHECK_EQ(hg_black76_all(f, k, t, s - ds, -1, r, &dn), HG_OK);
        CHECK_NEAR((up.price - dn.price) / (2 * ds), g.vega, e * f * f * scale * total * sqrt(t));
        CHECK_NEAR((up.vega - dn.vega) / (2 * ds), g.volga,
                   e * 20 * f * f * scale * t * (1 + total));
        CHECK_NEAR((up.delta - dn.delta) / (2 * ds), g.vanna, e * 10 * f * scale * sqrt(t));
        CHECK_NEAR((up.gamma - dn.gamma) / (2 * ds), g.zomma, e * 50 * scale / s);
        CHECK_NEAR((up.volga - dn.volga) / (2 * ds), g.ultima,
                   e * 200 * f * f * scale * t * (1 + total * total) / s);
        double dt = t * h;
        CHECK_EQ(hg_black76_all(f, k, t + dt, s, -1, r, &up), HG_OK);
        CHECK_EQ(hg_black76_all(f, k, t - dt, s, -1, r, &dn), HG_OK);
        CHECK_NEAR((dn.price - up.price) / (2 * dt), g.theta, e * (f * f * scale * s * s + f));
        CHECK_NEAR((dn.delta - up.delta) / (2 * dt), g.charm, e * 10 * (f * scale * total / t + 1));
        CHECK_NEAR((dn.gamma - up.gamma) / (2 * dt), g.color, e * 50 * scale / t);
    }
}

TEST(refuses_bad_input_and_leaves_the_output) {
    const double good[5] = {100, 110, 0.5, 0.6, 0.01};
    const double bad[] = {NAN, INFINITY, -INFINITY, -1.0};
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < (i == 4 ? 3 : 4); j++) {
            double v[5];
            for (int m = 0; m < 5; m++) v[m] = m == i ? bad[j] : good[m];
            hg_greeks g = {.price = 42};
            double price = 42;
            CHECK_EQ(hg_black76_all(v[0], v[1], v[2], v[3], 1, v[4], &g), HG_GREEKS_BAD_INPUT);
            CHECK_EQ(hg_black76_price(v[0], v[1], v[2], v[3], 1, v[4], &price),
                     HG_GREEKS_BAD_INPUT);
            CHECK(g.price == 42 && price == 42);
        }
    }
    hg_greeks g;
    CHECK_EQ(hg_black76_all(0, 110, 0.5, 0.6, 1, 0, &g), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_black76_all(100, 0, 0.5, 0.6, 1, 0, &g), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_black76_all(100, 110, 0.5, 0.6, 0, 0, &g), HG_GREEKS_BAD_INPUT);
    CHECK_STR(hg_greeks_code(HG_GREEKS_BAD_INPUT), "bad_input");
    CHECK_STR(hg_greeks_code(HG_GREEKS_BELOW_INTRINSIC), "below_intrinsic");
    CHECK_STR(hg_greeks_code(HG_GREEKS_ABOVE_MAX), "above_max");
}

TEST(has_the_documented_limits) {
    hg_greeks g;
    CHECK_EQ(hg_black76_all(110, 100, 0, 0.6, 1, 0.05, &g), HG_OK);
    CHECK(g.price == 10 && g.delta == 1 && g.gamma == 0 && g.vega == 0);
    CHECK_NEAR(g.theta, 0.05 * 10, 1e-15);
    CHECK_EQ(hg_black76_all(110, 100, 0, 0.6, -1, 0, &g), HG_OK);
    CHECK(g.price == 0 && g.delta == 0);
    CHECK_EQ(hg_black76_all(100, 100, 0, 0.6, -1, 0, &g), HG_OK);
    CHECK(g.price == 0 && g.delta == -0.5 && g.gamma == 0 && g.theta == 0);
    /* sigma = 0 at the money is where the formulas go for a tiny sigma. */
    hg_greeks tiny;
    CHECK_EQ(hg_black76_all(100, 100, 0.5, 0, 1, 0, &g), HG_OK);
    CHECK_EQ(hg_black76_all(100, 100, 0.5, 1e-7, 1, 0, &tiny), HG_OK);
    CHECK_NEAR(g.delta, tiny.delta, 1e-7);
    CHECK_NEAR(g.vega, tiny.vega, 1e-12 * g.vega);
    CHECK_NEAR(g.vanna, tiny.vanna, 1e-12 * g.vanna);
    CHECK_NEAR(g.ultima, tiny.ultima, 1e-6 * fabs(g.ultima));
}

/* Whatever finite numbers come in, only finite numbers come out. */
TEST(never_gives_nan_or_infinity) {
    const double extreme[] = {4.9e-324, 1e-310, 2.3e-308, 1e-200, 1e-20, 1e-3,   1.0,
                              3.0,      1e5,    1e20,     1e200,  1e305, 1.7e308};
    const int n = sizeof extreme / sizeof extreme[0];
    for (int a = 0; a < n; a++) {
        for (int b = 0; b < n; b++) {
            for (int c = 0; c < n; c++) {
                for (int d = 0; d < n; d++) {
                    hg_greeks g;
                    int cp = (a + b + c + d) % 2 ? 1 : -1;
                    CHECK_EQ(
                        hg_black76_all(extreme[a], extreme[b], extreme[c], extreme[d], cp, 0, &g),
                        HG_OK);
                    const double *value = &g.price;
                    for (int i = 0; i < OUTPUTS; i++) CHECK(isfinite(value[i]));
                    CHECK(g.price >= 0 && g.price <= (cp > 0 ? extreme[a] : extreme[b]));
                    CHECK(fabs(g.delta) <= 1 && g.gamma >= 0 && g.vega >= 0);
                }
            }
        }
    }
}
