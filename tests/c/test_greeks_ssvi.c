/* eSSVI: the conditions, the fit of slices and chains, and SSVI's power law. */
#include "greeks/black76.h"
#include "greeks/ssvi.h"
#include "test.h"
#include "test_greeks_kit.h"

#include <string.h>

static hg_svi svi_of(const hg_essvi *s) {
    hg_svi svi;
    CHECK_EQ(hg_essvi_to_svi(s, &svi), 0);
    return svi;
}

static double w_of(const hg_essvi *s, double k) {
    hg_svi svi = svi_of(s);
    double w;
    CHECK_EQ(hg_svi_variance(&svi, k, &w), 0);
    return w;
}

static double gap_of(const hg_essvi *near, const hg_essvi *far) {
    hg_svi a = svi_of(near), b = svi_of(far);
    double gap, k;
    CHECK_EQ(hg_svi_calendar_gap(&a, &b, -HG_SMILE_K_MAX, HG_SMILE_K_MAX, &gap, &k), 0);
    return gap;
}

static hg_essvi random_free(unsigned long long *seed) {
    for (;;) {
        hg_essvi s = {kit_log_uniform(seed, 1e-6, 2), kit_uniform(seed, -0.99, 0.99),
                      kit_log_uniform(seed, 1e-4, 4)};
        if (hg_essvi_is_free(&s)) return s;
    }
}

/* The formula of ssvi.h, written out. */
TEST(raw_slice_is_the_formula) {
    unsigned long long seed = 1;
    for (int i = 0; i < 1000; i++) {
        hg_essvi s = random_free(&seed);
        double k = kit_uniform(&seed, -3, 3);
        double x = s.psi * k + s.rho * s.theta;
        double w = 0.5 * (s.theta + s.rho * s.psi * k +
                          sqrt(x * x + s.theta * s.theta * (1 - s.rho * s.rho)));
        CHECK_NEAR(w_of(&s, k), w, 1e-11 * (w + s.psi));
        CHECK_NEAR(w_of(&s, 0), s.theta, 1e-11 * s.theta);
    }
}

/* The condition on one slice is enough: g >= 0 on the whole line. */
TEST(free_slices_have_a_density) {
    unsigned long long seed = 2;
    double least = 1;
    for (int i = 0; i < 5000; i++) {
        hg_essvi s = random_free(&seed);
        if (i % 2) { /* on the edge of the condition */
            double lean = 1 + fabs(s.rho);
            s.psi = fmin(3.99 / lean, sqrt(4 * s.theta / lean));
        }
        CHECK(hg_essvi_is_free(&s));
        hg_svi svi = svi_of(&s);
        hg_svi_butterfly b;
        CHECK_EQ(hg_svi_butterfly_check(&svi, &b), 0);
        least = fmin(least, b.g_min);
    }
    printf("least g %.3g\n", least);
    CHECK(least >= -1e-9);
}

/* The conditions on two slices are enough: they do not cross anywhere. */
TEST(ordered_slices_do_not_cross) {
    unsigned long long seed = 3;
    int ordered = 0, crossing = 0;
    for (int i = 0; i < 400000 && ordered < 4000; i++) {
        hg_essvi near = random_free(&seed);
        hg_essvi far = {near.theta * kit_log_uniform(&seed, 1, 3),
                        fmax(-0.99, fmin(0.99, near.rho + kit_uniform(&seed, -0.3, 0.3))),
                        near.psi * kit_log_uniform(&seed, 0.8, 3)};
        if (!hg_essvi_is_free(&far)) continue;
        if (!hg_essvi_is_ordered(&near, &far)) {
            crossing += gap_of(&near, &far) < 0;
            continue;
        }
        ordered++;
        CHECK(gap_of(&near, &far) >= -1e-11 * (near.theta + near.psi));
    }
    printf("%d ordered pairs; %d others cross\n", ordered, crossing);
    CHECK(ordered == 4000 && crossing > 1000);
}

static int points_on(const hg_essvi *s, double half, int n, double error, hg_smile_point *points) {
    for (int i = 0; i < n; i++) {
        double k = -half + 2 * half * i / (n - 1);
        double w = w_of(s, k);
        points[i] = (hg_smile_point){k, w, error * w, HG_SMILE_BOTH};
    }
    return n;
}

TEST(slice_fit_finds_an_exact_slice) {
    unsigned long long seed = 4;
    int evals = 0;
    for (int i = 0; i < 300; i++) {
        hg_essvi s = random_free(&seed);
        if (fabs(s.rho) > 0.95 || s.psi * (1 + fabs(s.rho)) > 3.9) continue;
        hg_smile_point points[40];
        hg_essvi fit;
        hg_smile_quality q;
        int n = points_on(&s, 2.5 * sqrt(s.theta), 40, 0.02, points);
        CHECK_EQ(hg_essvi_fit_slice(points, n, NULL, NULL, NULL, &fit, &q), 0);
        evals += q.evals;
        CHECK(hg_essvi_is_free(&fit));
        CHECK(q.rms < 0.02);
    }
    printf("%.0f evaluations\n", evals / 300.0);
}

/* A smile that lies below its near neighbour is fitted just above it. */
TEST(slice_fit_respects_its_neighbours) {
    hg_essvi near = {0.01, -0.3, 0.05};
    hg_essvi far = {0.012, -0.2, 0.058};
    hg_essvi wanted = {0.009, -0.5, 0.07};
    CHECK(hg_essvi_is_ordered(&near, &far));
    hg_smile_point points[20];
    hg_essvi fit;
    int n = points_on(&wanted, 0.3, 20, 0.02, points);
    CHECK_EQ(hg_essvi_fit_slice(points, n, &near, NULL, NULL, &fit, NULL), 0);
    CHECK(hg_essvi_is_free(&fit) && hg_essvi_is_ordered(&near, &fit));
    CHECK_EQ(hg_essvi_fit_slice(points, n, &near, &far, NULL, &fit, NULL), 0);
    CHECK(hg_essvi_is_free(&fit) && hg_essvi_is_ordered(&near, &fit));
    CHECK(hg_essvi_is_ordered(&fit, &far));
    CHECK_EQ(hg_essvi_fit_slice(points, n, &far, &near, NULL, &fit, NULL), HG_GREEKS_BAD_INPUT);
}

enum { EXPIRIES = 8, STRIKES = 24 };

typedef struct chain {
    hg_smile_point points[EXPIRIES][STRIKES];
    hg_smile_slice slices[EXPIRIES];
} chain;

/* A chain around an SSVI surface; each w is off by up to `noise` of itself. */
static void chain_make(chain *c, unsigned long long *seed, const hg_ssvi *ssvi, double noise) {
    double t = kit_log_uniform(seed, 1e-4, 0.05);
    double sigma = kit_uniform(seed, 0.2, 1.2);
    for (int i = 0; i < EXPIRIES; i++, t *= kit_uniform(seed, 1.1, 2.5)) {
        hg_essvi s;
        CHECK_EQ(hg_ssvi_slice(ssvi, sigma * sigma * t, &s), 0);
        points_on(&s, 2 * sigma * sqrt(t), STRIKES, 0.03, c->points[i]);
        for (int j = 0; j < STRIKES; j++) c->points[i][j].w *= 1 + kit_uniform(seed, -noise, noise);
        c->slices[i] = (hg_smile_slice){c->points[i], STRIKES, t};
    }
}

static hg_ssvi random_ssvi(unsigned long long *seed) {
    hg_ssvi s = {kit_uniform(seed, -0.8, 0.5), 0, kit_uniform(seed, 0.2, 0.5)};
    s.eta = kit_uniform(seed, 0.2, 0.95) * 2 / (1 + fabs(s.rho));
    return s;
}

/* Whatever the quotes say, the surface is free of arbitrage: every g, every calendar gap. */
TEST(chain_fit_is_free_of_arbitrage) {
    unsigned long long seed = 5;
    for (int round = 0; round < 60; round++) {
        static chain c;
        hg_ssvi ssvi = random_ssvi(&seed);
        chain_make(&c, &seed, &ssvi, round % 3 == 0 ? 0.5 : 0.03);
        hg_essvi fit[EXPIRIES];
        hg_essvi_options o = {.sweeps = round % 2};
        CHECK_EQ(hg_essvi_fit(c.slices, EXPIRIES, &o, fit, NULL), 0);
        for (int i = 0; i < EXPIRIES; i++) {
            hg_svi svi = svi_of(&fit[i]);
            hg_svi_butterfly b;
            CHECK_EQ(hg_svi_butterfly_check(&svi, &b), 0);
            CHECK(b.g_min >= -1e-9 && b.slope < 2);
            CHECK(hg_essvi_is_free(&fit[i]));
            if (i == 0) continue;
            CHECK(hg_essvi_is_ordered(&fit[i - 1], &fit[i]));
            CHECK(gap_of(&fit[i - 1], &fit[i]) >= -1e-11 * (fit[i].theta + fit[i].psi));
        }
    }
}

TEST(chain_fit_is_close_and_warm_fit_as_close) {
    unsigned long long seed = 6;
    for (int round = 0; round < 20; round++) {
        static chain c;
        hg_ssvi ssvi = random_ssvi(&seed);
        chain_make(&c, &seed, &ssvi, 0.0);
        hg_essvi fit[EXPIRIES];
        hg_smile_quality cold[EXPIRIES], warm[EXPIRIES];
        CHECK_EQ(hg_essvi_fit(c.slices, EXPIRIES, NULL, fit, cold), 0);
        hg_essvi_options o = {.warm = true};
        CHECK_EQ(hg_essvi_fit(c.slices, EXPIRIES, &o, fit, warm), 0);
        int effort = 0;
        for (int i = 0; i < EXPIRIES; i++) {
            CHECK(cold[i].rms < 0.05);
            CHECK(warm[i].rms < cold[i].rms + 1e-3);
            effort += cold[i].evals - warm[i].evals;
        }
        CHECK(effort > 200);
    }
}

/* Junk in one expiry, the first or the last, spoils that expiry and not the others. */
TEST(odd_expiry_does_not_spoil_the_chain) {
    unsigned long long seed = 9;
    for (int round = 0; round < 20; round++) {
        static chain c;
        hg_ssvi ssvi = random_ssvi(&seed);
        chain_make(&c, &seed, &ssvi, 0.0);
        int odd = round % 2 ? EXPIRIES - 1 : 0;
        for (int j = 0; j < STRIKES; j++) c.points[odd][j].w *= odd ? 0.01 : 50;
        hg_essvi fit[EXPIRIES];
        hg_smile_quality q[EXPIRIES];
        CHECK_EQ(hg_essvi_fit(c.slices, EXPIRIES, NULL, fit, q), 0);
        for (int i = 0; i < EXPIRIES; i++) {
            if (i > 0) CHECK(hg_essvi_is_ordered(&fit[i - 1], &fit[i]));
            if (i != odd) CHECK(q[i].rms < 0.2);
        }
    }
}

TEST(power_law_surface_found_again) {
    unsigned long long seed = 7;
    for (int round = 0; round < 10; round++) {
        static chain c;
        hg_ssvi ssvi = random_ssvi(&seed), fit;
        double thetas[EXPIRIES];
        chain_make(&c, &seed, &ssvi, 0.0);
        CHECK_EQ(hg_ssvi_fit(c.slices, EXPIRIES, &fit, thetas), 0);
        CHECK_NEAR(fit.rho, ssvi.rho, 0.01);
        for (int i = 0; i < EXPIRIES; i++) {
            hg_essvi a, b;
            CHECK_EQ(hg_ssvi_slice(&ssvi, thetas[i], &a), 0);
            CHECK_EQ(hg_ssvi_slice(&fit, thetas[i], &b), 0);
            CHECK(hg_essvi_is_free(&b));
            if (i > 0) CHECK(thetas[i] >= thetas[i - 1]);
            CHECK_NEAR(b.psi, a.psi, 0.02 * a.psi);
        }
    }
}

TEST(bad_chains_are_refused) {
    unsigned long long seed = 8;
    static chain c;
    hg_ssvi ssvi = random_ssvi(&seed);
    hg_essvi fit[EXPIRIES];
    memset(fit, 7, sizeof fit);
    hg_essvi before = fit[0];
    chain_make(&c, &seed, &ssvi, 0.0);
    c.slices[3].t = c.slices[2].t;
    CHECK_EQ(hg_essvi_fit(c.slices, EXPIRIES, NULL, fit, NULL), HG_GREEKS_BAD_INPUT);
    c.slices[3].t = NAN;
    CHECK_EQ(hg_essvi_fit(c.slices, EXPIRIES, NULL, fit, NULL), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_essvi_fit(c.slices, 0, NULL, fit, NULL), HG_GREEKS_BAD_INPUT);
    CHECK_MEM(&before, &fit[0], sizeof before);
    hg_essvi bad = {0.01, NAN, 0.1};
    CHECK(!hg_essvi_is_free(&bad));
    CHECK(!hg_essvi_is_ordered(&bad, &bad));
}
