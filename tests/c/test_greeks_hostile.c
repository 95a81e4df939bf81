/* Hostile quotes, one kind at a time and for every model of a surface: what is wrong is left out
 * and named, and what is left is fitted as well as before. */
#include "greeks/black76.h"
#include "greeks/surface.h"
#include "test_greeks_kit.h"

#include <string.h>

enum { EXPIRIES = 4, STRIKES = 15 };

typedef struct chain {
    hg_smile_quote quotes[EXPIRIES][STRIKES];
    hg_surface_expiry expiries[EXPIRIES];
} chain;

static chain market;
static hg_surface_work work;

static const double forward = 60000;

/* A smile no model can call its own, near enough to all: 60 %, skew -0.1, some curvature. */
static double vol_at(double k, double t) {
    double z = k / sqrt(t);
    return 0.6 - 0.06 * z + 0.05 * z * z;
}

static void market_make(const double times[EXPIRIES]) {
    for (int i = 0; i < EXPIRIES; i++) {
        double t = times[i];
        for (int j = 0; j < STRIKES; j++) {
            double k = 0.6 * sqrt(t) * 1.5 * (j - STRIKES / 2) / (STRIKES / 2);
            int cp = k < 0 ? -1 : 1;
            hg_greeks g;
            CHECK_EQ(hg_black76_all(forward, forward * exp(k), t, vol_at(k, t), cp, 0, &g), HG_OK);
            double half = 0.01 * g.vega;
            market.quotes[i][j] = (hg_smile_quote){forward * exp(k), cp, g.price - half,
                                                   g.price + half,   1,  1};
        }
        market.expiries[i] = (hg_surface_expiry){i, t, forward, market.quotes[i], STRIKES};
    }
}

static const double ordinary[EXPIRIES] = {0.02, 0.08, 0.25, 1.0};

/* The worst vol error at the strikes first to last of expiry i. */
static double worst_of(const hg_surface *s, int i, int first, int last) {
    double worst = 0;
    for (int j = first; j <= last; j++) {
        double k = 0.6 * sqrt(market.expiries[i].t) * 1.5 * (j - STRIKES / 2) / (STRIKES / 2);
        double sigma;
        CHECK_EQ(hg_surface_iv(s, market.expiries[i].t, forward * exp(k), &sigma), HG_OK);
        CHECK(isfinite(sigma) && sigma > 0);
        worst = fmax(worst, fabs(sigma - vol_at(k, market.expiries[i].t)));
    }
    return worst;
}

/* What every surface owes whatever it was fitted to. */
static void check_sane(const hg_surface *s) {
    hg_surface_check check;
    CHECK_EQ(hg_surface_is_free_of_arbitrage(s, &check), HG_OK);
    CHECK(isfinite(check.g_min) && isfinite(check.gap_min));
    if (s->model == HG_SURFACE_ESSVI) CHECK(check.is_free);
    if (s->model == HG_SURFACE_SVI) CHECK_EQ(check.butterfly_at, -1);
    for (double t = 1e-6; t < 10; t *= 3) {
        for (double strike = 1; strike < 1e9; strike *= 2) {
            double sigma;
            if (hg_surface_iv(s, t, strike, &sigma) == HG_OK) CHECK(isfinite(sigma) && sigma >= 0);
        }
    }
}

static int surface_make(hg_surface_model model, double age_s_max, hg_surface *s) {
    hg_surface_options o = hg_surface_options_default();
    o.model = model;
    o.filter.age_s_max = age_s_max;
    memset(s, 0, sizeof *s);
    int rc = hg_surface_fit(market.expiries, EXPIRIES, &o, &work, s);
    if (rc == HG_OK) check_sane(s);
    return rc;
}

#define EACH_MODEL(m) for (int m = HG_SURFACE_ESSVI; m <= HG_SURFACE_SABR; m++)

/* Four bad quotes in an expiry of fifteen move no vol by more than a point and a half. */
static void judge(int model, const hg_smile_count *expected, double age_s_max) {
    hg_surface s;
    CHECK_EQ(surface_make((hg_surface_model)model, age_s_max, &s), HG_OK);
    CHECK_EQ(s.n, EXPIRIES);
    const hg_smile_count *c = &s.slices[1].count;
    CHECK_MEM(c, expected, sizeof *c);
    for (int i = 0; i < EXPIRIES; i++) {
        double worst = worst_of(&s, i, 2, STRIKES - 3);
        printf("model %d expiry %d worst %.4f\n", model, i, worst);
        CHECK(worst < 0.015);
    }
}

static const int places[] = {1, 5, 8, 12};

TEST(crossed_quotes) {
    EACH_MODEL(m) {
        market_make(ordinary);
        for (int p = 0; p < 4; p++) {
            hg_smile_quote *q = &market.quotes[1][places[p]];
            q->bid = 3 * q->ask;
        }
        judge(m, &(hg_smile_count){.used = STRIKES - 4, .crossed = 4}, 0);
    }
}

TEST(stale_quotes) {
    EACH_MODEL(m) {
        market_make(ordinary);
        for (int p = 0; p < 4; p++) {
            hg_smile_quote *q = &market.quotes[1][places[p]];
            q->age_s = p == 0 ? NAN : 31;
            q->bid *= 5;
            q->ask *= 5;
        }
        judge(m, &(hg_smile_count){.used = STRIKES - 4, .stale = 4}, 30);
    }
}

TEST(missing_sides) {
    EACH_MODEL(m) {
        market_make(ordinary);
        for (int p = 0; p < 4; p++) {
            hg_smile_quote *q = &market.quotes[1][places[p]];
            if (p % 2) q->bid = p == 1 ? 0 : NAN;
            if (p % 2 == 0) q->ask = p == 0 ? 0 : NAN;
        }
        judge(m, &(hg_smile_count){.used = STRIKES - 4, .one_sided = 4}, 0);
    }
}

TEST(quotes_that_are_no_numbers) {
    EACH_MODEL(m) {
        market_make(ordinary);
        market.quotes[1][places[0]].strike = NAN;
        market.quotes[1][places[1]].bid = market.quotes[1][places[1]].ask = NAN;
        market.quotes[1][places[2]].cp = 7;
        market.quotes[1][places[3]].strike = -1;
        judge(m, &(hg_smile_count){.used = STRIKES - 4, .unusable = 4}, 0);
    }
}

/* Of one expiry one, two or three quotes are left: they are met, the other expiries are as before.
 */
TEST(few_strikes) {
    EACH_MODEL(m) {
        for (int left = 1; left <= 3; left++) {
            market_make(ordinary);
            const int middle = STRIKES / 2;
            market.expiries[1].quotes = &market.quotes[1][middle];
            market.expiries[1].n = left;
            hg_surface s;
            CHECK_EQ(surface_make((hg_surface_model)m, 0, &s), HG_OK);
            CHECK_EQ(s.n, EXPIRIES);
            CHECK_EQ(s.slices[1].count.used, left);
            CHECK(worst_of(&s, 1, middle, middle + left - 1) < 0.015);
            CHECK(worst_of(&s, 2, 2, STRIKES - 3) < 0.015);
            CHECK(worst_of(&s, 0, 2, STRIKES - 3) < 0.015);
        }
    }
}

/* No two-sided quote anywhere: an error, and the surface is as it was. */
TEST(nothing_to_fit) {
    EACH_MODEL(m) {
        market_make(ordinary);
        for (int i = 0; i < EXPIRIES; i++) {
            for (int j = 0; j < STRIKES; j++) market.quotes[i][j].bid = NAN;
        }
        hg_surface s;
        CHECK_EQ(surface_make((hg_surface_model)m, 0, &s), HG_GREEKS_BAD_INPUT);
        CHECK_EQ(s.n, 0);
    }
}

/* The last minutes: vols are in the smallest of total variances. */
TEST(minutes_to_expiry) {
    const double minute = 1.0 / (365 * 1440);
    const double times[EXPIRIES] = {minute, 5 * minute, 60 * minute, 0.02};
    EACH_MODEL(m) {
        market_make(times);
        hg_surface s;
        CHECK_EQ(surface_make((hg_surface_model)m, 0, &s), HG_OK);
        CHECK_EQ(s.n, EXPIRIES);
        for (int i = 0; i < EXPIRIES; i++) {
            double worst = worst_of(&s, i, 2, STRIKES - 3);
            printf("model %d expiry %d worst %.4f\n", m, i, worst);
            CHECK(worst < 0.015);
        }
    }
}
