/*
 * The cost of fitting and reading surfaces: an expiry of 40 strikes, a chain of 20 expiries, first
 * and with an earlier fit at hand. ns per fit.
 */
#include "bench.h"

#include <math.h>
#include <stddef.h>

#include "greeks/black76.h"
#include "greeks/surface.h"

enum { STRIKES = 40, EXPIRIES = 20 };

static hg_smile_point points[EXPIRIES][STRIKES];
static hg_smile_slice chain[EXPIRIES];

/* A Bitcoin-like chain, one day to two years, each vol off by up to half its quote's width. */
static void chain_make(void) {
    uint64_t seed = 5;
    double t = 1.0 / 365;
    for (int i = 0; i < EXPIRIES; i++, t *= 1.4) {
        double theta = 0.36 * t;
        hg_ssvi ssvi = {-0.3, 1.1, 0.4};
        hg_essvi slice;
        hg_svi svi;
        if (hg_ssvi_slice(&ssvi, theta, &slice) < 0 || hg_essvi_to_svi(&slice, &svi) < 0) return;
        for (int j = 0; j < STRIKES; j++) {
            double k = sqrt(theta) * (-2.5 + 5.0 * j / (STRIKES - 1));
            double w = 0;
            if (hg_svi_variance(&svi, k, &w) < 0) return;
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            double noise = (double)(seed >> 11) * 0x1p-52 - 1.0;
            double error = 0.03 * w * (1 + 2 * fabs(k) / sqrt(theta));
            points[i][j] = (hg_smile_point){k, w + 0.5 * noise * error, error, HG_SMILE_BOTH};
        }
        chain[i] = (hg_smile_slice){points[i], STRIKES, t};
    }
}

static void slice_fit(bench *b, const hg_svi *start) {
    hg_svi fit;
    hg_smile_quality q = {0};
    hg_svi_fit_options o = {.start = start};
    BENCH_LOOP (b) bench_keep(hg_svi_fit(points[8], STRIKES, &o, &fit, &q));
    bench_field(b, "evaluations", q.evals);
    bench_field(b, "rms", q.rms);
}

BENCH(svi_40_strikes) {
    chain_make();
    slice_fit(b, NULL);
}

BENCH(svi_40_strikes_warm) {
    chain_make();
    hg_svi start;
    if (hg_svi_fit(points[8], STRIKES, NULL, &start, NULL) < 0) return;
    for (int i = 0; i < STRIKES; i++) points[8][i].w *= 1.02;
    slice_fit(b, &start);
}

BENCH(svi_butterfly_check) {
    hg_svi svi = {0.04, 0.2, -0.4, 0.1, 0.3};
    hg_svi_butterfly out;
    BENCH_LOOP (b) bench_keep(hg_svi_butterfly_check(&svi, &out));
}

static void chain_fit(bench *b, const hg_essvi_options *o, hg_essvi *slices) {
    hg_smile_quality q[EXPIRIES];
    BENCH_LOOP (b) bench_keep(hg_essvi_fit(chain, EXPIRIES, o, slices, q));
    double rms = 0;
    int evals = 0;
    for (int i = 0; i < EXPIRIES; i++) {
        rms += q[i].rms / EXPIRIES;
        evals += q[i].evals;
    }
    bench_field(b, "evaluations", evals);
    bench_field(b, "rms", rms);
}

BENCH(essvi_20_expiries) {
    hg_essvi slices[EXPIRIES];
    chain_make();
    chain_fit(b, NULL, slices);
}

BENCH(essvi_20_expiries_one_sweep) {
    hg_essvi slices[EXPIRIES];
    hg_essvi_options o = {.sweeps = 1};
    chain_make();
    chain_fit(b, &o, slices);
}

BENCH(essvi_20_expiries_warm) {
    hg_essvi slices[EXPIRIES];
    hg_essvi_options o = {.warm = true};
    chain_make();
    if (hg_essvi_fit(chain, EXPIRIES, NULL, slices, NULL) < 0) return;
    for (int i = 0; i < EXPIRIES; i++) {
        for (int j = 0; j < STRIKES; j++) points[i][j].w *= 1.02;
    }
    chain_fit(b, &o, slices);
}

/* The whole way from quotes, both sides and calls and puts at each strike, through implied vols. */
static hg_smile_quote quotes[EXPIRIES][2 * STRIKES];
static hg_surface_expiry expiries[EXPIRIES];
static hg_surface_work work;

static void quotes_make(void) {
    chain_make();
    for (int i = 0; i < EXPIRIES; i++) {
        for (int j = 0; j < 2 * STRIKES; j++) {
            const hg_smile_point *p = &points[i][j / 2];
            double strike = 60000 * exp(p->k);
            int cp = j % 2 ? 1 : -1;
            hg_greeks g;
            double sigma = sqrt(p->w / chain[i].t);
            if (hg_black76_all(60000, strike, chain[i].t, sigma, cp, 0, &g) < 0) return;
            double half = g.vega * 0.5 * p->error / sqrt(p->w * chain[i].t);
            quotes[i][j] = (hg_smile_quote){strike, cp, g.price - half, g.price + half, 0, 1};
        }
        expiries[i] = (hg_surface_expiry){i, chain[i].t, 60000, quotes[i], 2 * STRIKES};
    }
}

static void quotes_fit(bench *b, hg_surface_model model, bool warm) {
    static hg_surface surface;
    hg_surface_options o = hg_surface_options_default();
    o.model = model;
    quotes_make();
    surface.n = 0;
    BENCH_LOOP (b) {
        if (!warm) surface.n = 0;
        bench_keep(hg_surface_fit(expiries, EXPIRIES, &o, &work, &surface));
    }
    bench_field(b, "slices", surface.n);
}

BENCH(surface_essvi_from_1600_quotes) {
    quotes_fit(b, HG_SURFACE_ESSVI, false);
}
BENCH(surface_essvi_from_1600_quotes_warm) {
    quotes_fit(b, HG_SURFACE_ESSVI, true);
}
BENCH(surface_svi_from_1600_quotes) {
    quotes_fit(b, HG_SURFACE_SVI, false);
}
BENCH(surface_sabr_from_1600_quotes) {
    quotes_fit(b, HG_SURFACE_SABR, false);
}

BENCH(surface_iv) {
    static hg_surface surface;
    hg_surface_options o = hg_surface_options_default();
    quotes_make();
    surface.n = 0;
    if (hg_surface_fit(expiries, EXPIRIES, &o, &work, &surface) < 0) return;
    double sigma = 0;
    BENCH_LOOP (b) {
        bench_keep(hg_surface_iv(&surface, 0.1 + 1e-12 * sigma, 66000, &sigma));
    }
}
