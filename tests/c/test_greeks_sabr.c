/* SABR: exact values, slopes, deltas and the fit. */
#include "greeks/black76.h"
#include "greeks/sabr.h"
#include "test.h"
#include "test_greeks_kit.h"

#include <string.h>

static double worst[6];

static double relative(double got, double exact, double scale) {
    return fabs(got - exact) / fmax(fabs(exact), scale);
}

/* Columns: alpha beta rho nu f k t, vol d_f d_alpha d_strike classic bartlett. */
static void vector_row(const double *v, void *ctx) {
    (void)ctx;
    hg_sabr s = {v[0], v[1], v[2], v[3]};
    hg_sabr_slopes at;
    hg_sabr_delta delta;
    double vol;
    CHECK_EQ(hg_sabr_vol(&s, v[4], v[5], v[6], &vol), 0);
    CHECK_EQ(hg_sabr_all(&s, v[4], v[5], v[6], &at), 0);
    CHECK_EQ(hg_sabr_deltas(&s, v[4], v[5], v[6], 1, &delta), 0);
    CHECK(vol == at.vol);
    /* A slope's error counts against the vol over one deviation's move. */
    double move = v[4] * fmax(vol * sqrt(v[6]), 1e-3);
    const double errors[6] = {relative(at.vol, v[7], 0),
                              relative(at.d_f, v[8], vol / move),
                              relative(at.d_alpha, v[9], 0),
                              relative(at.d_strike, v[10], vol / move),
                              relative(delta.classic, v[11], 1e-3),
                              relative(delta.bartlett, v[12], 1e-3)};
    for (int i = 0; i < 6; i++) worst[i] = fmax(worst[i], errors[i]);
}

TEST(exact_values) {
    int rows = kit_each_row("tests/vectors/surface_sabr.tsv", 13, vector_row, NULL);
    printf("%d rows, worst: vol %.1e, slopes %.1e %.1e %.1e, deltas %.1e %.1e\n", rows, worst[0],
           worst[1], worst[2], worst[3], worst[4], worst[5]);
    CHECK(rows == 600);
    CHECK(worst[0] < 1e-13);
    for (int i = 1; i < 6; i++) CHECK(worst[i] < 1e-11);
}

/* Hagan's example of a backbone: with nu = 0 and beta = 1 the smile is flat. */
TEST(flat_when_lognormal_without_vol_of_vol) {
    hg_sabr s = {0.6, 1.0, -0.4, 0.0};
    for (double k = 20000; k < 200000; k *= 1.3) {
        double vol;
        CHECK_EQ(hg_sabr_vol(&s, 60000, k, 0.1, &vol), 0);
        CHECK_NEAR(vol, 0.6, 1e-14);
    }
}

/* In a lognormal world the sum of F and K sensitivities at fixed alpha is nil: sigma(K/F). */
TEST(lognormal_smile_moves_with_the_forward) {
    unsigned long long seed = 1;
    for (int i = 0; i < 1000; i++) {
        hg_sabr s = {kit_uniform(&seed, 0.1, 1.5), 1.0, kit_uniform(&seed, -0.9, 0.9),
                     kit_uniform(&seed, 0, 2)};
        double f = kit_log_uniform(&seed, 0.01, 1e5);
        double k = f * kit_log_uniform(&seed, 0.5, 2);
        hg_sabr_slopes at;
        CHECK_EQ(hg_sabr_all(&s, f, k, 0.2, &at), 0);
        CHECK_NEAR(at.d_f * f + at.d_strike * k, 0, 1e-13 * at.vol);
    }
}

/* Hagan and Lesniewski 2020: Bartlett's delta hardly depends on beta once the smile is fitted. */
TEST(bartlett_is_insensitive_to_beta) {
    hg_sabr truth = {0.6, 1.0, -0.5, 1.2};
    hg_smile_point points[21];
    for (int i = 0; i < 21; i++) {
        double k = -0.25 + 0.025 * i;
        double vol;
        CHECK_EQ(hg_sabr_vol(&truth, 100, 100 * exp(k), 0.1, &vol), 0);
        points[i] = (hg_smile_point){k, vol * vol * 0.1, 0.01 * vol * vol * 0.1, HG_SMILE_BOTH};
    }
    double classic[2], bartlett[2];
    for (int i = 0; i < 2; i++) {
        hg_sabr fit;
        hg_sabr_delta d;
        CHECK_EQ(hg_sabr_fit(points, 21, 100, 0.1, i ? 0.2 : 1.0, NULL, &fit, NULL), 0);
        CHECK_EQ(hg_sabr_deltas(&fit, 100, 105, 0.1, 1, &d), 0);
        classic[i] = d.classic;
        bartlett[i] = d.bartlett;
    }
    printf("beta 1 and 0.2: classic %.4f %.4f, Bartlett %.4f %.4f\n", classic[0], classic[1],
           bartlett[0], bartlett[1]);
    CHECK(fabs(bartlett[0] - bartlett[1]) < 0.1 * fabs(classic[0] - classic[1]));
}

TEST(fit_finds_an_exact_smile) {
    unsigned long long seed = 2;
    int evals = 0;
    for (int round = 0; round < 200; round++) {
        double t = kit_log_uniform(&seed, 1e-3, 2);
        double f = kit_log_uniform(&seed, 1, 1e5);
        double beta = round % 2 ? 1.0 : 0.5;
        double sigma = kit_uniform(&seed, 0.2, 1.2);
        hg_sabr truth = {sigma * pow(f, 1 - beta), beta, kit_uniform(&seed, -0.9, 0.9),
                         kit_uniform(&seed, 0.1, 1.2) / sqrt(t)};
        hg_smile_point points[31];
        for (int i = 0; i < 31; i++) {
            double k = sigma * sqrt(t) * (i - 15) / 6;
            double vol;
            CHECK_EQ(hg_sabr_vol(&truth, f, f * exp(k), t, &vol), 0);
            points[i] = (hg_smile_point){k, vol * vol * t, 0.02 * vol * vol * t, HG_SMILE_BOTH};
        }
        hg_sabr fit;
        hg_smile_quality q;
        CHECK_EQ(hg_sabr_fit(points, 31, f, t, beta, NULL, &fit, &q), 0);
        CHECK(q.worst < 0.05);
        CHECK_NEAR(fit.rho, truth.rho, 0.02);
        CHECK_NEAR(fit.nu, truth.nu, 0.02 * truth.nu + 0.01);
        evals += q.evals;
        /* Warm, and from two strikes with the shape known. */
        CHECK_EQ(hg_sabr_fit(points, 31, f, t, beta, &truth, &fit, &q), 0);
        CHECK(q.worst < 0.01);
        CHECK_EQ(hg_sabr_fit(points + 14, 2, f, t, beta, &truth, &fit, &q), 0);
        CHECK(q.fallback && q.worst < 0.01);
        CHECK_NEAR(fit.nu, truth.nu, 1e-9 * truth.nu);
    }
    printf("%.0f evaluations\n", evals / 200.0);
}

TEST(guards) {
    const hg_sabr bad[] = {
        {NAN, 1,    0, 1       },
        {0,   1,    0, 1       },
        {1,   -0.1, 0, 1       },
        {1,   1.1,  0, 1       },
        {1,   1,    1, 1       },
        {1,   1,    0, -1      },
        {1,   1,    0, INFINITY}
    };
    double vol = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_EQ(hg_sabr_vol(&bad[i], 100, 100, 1, &vol), HG_GREEKS_BAD_INPUT);
    }
    hg_sabr s = {0.6, 1, -0.999, 3};
    CHECK_EQ(hg_sabr_vol(&s, 0, 100, 1, &vol), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_sabr_vol(&s, 100, NAN, 1, &vol), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(hg_sabr_vol(&s, 100, 100, 0, &vol), HG_GREEKS_BAD_INPUT);
    CHECK_EQ(vol, 7);
    /* Far outside what the expansion is made for: finite and positive all the same. */
    unsigned long long seed = 3;
    for (int i = 0; i < 20000; i++) {
        hg_sabr wild = {kit_log_uniform(&seed, 1e-6, 10), kit_uniform(&seed, 0, 1),
                        kit_uniform(&seed, -1, 1), kit_log_uniform(&seed, 1e-6, 100)};
        double f = kit_log_uniform(&seed, 1e-8, 1e8);
        double k = f * kit_log_uniform(&seed, 1e-12, 1e12);
        hg_sabr_slopes at;
        if (hg_sabr_all(&wild, f, k, kit_log_uniform(&seed, 1e-7, 30), &at) != 0) continue;
        CHECK(isfinite(at.vol) && at.vol > 0 && isfinite(at.d_f));
        CHECK(isfinite(at.d_alpha) && isfinite(at.d_strike));
    }
}
