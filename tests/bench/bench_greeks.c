/*
 * The cost of the Greeks, ns per option, over a realistic book: 4096 options on a forward of about
 * 60,000, one day to one year, vols 0.3 to 1.2, strikes within 2.5 deviations.
 */
#include "bench.h"

#include <math.h>
#include <string.h>

#include "greeks/american.h"
#include "greeks/batch_int.h"
#include "greeks/batch_vol_int.h"
#include "greeks/black76.h"
#include "greeks/inverse.h"

/* Columns are not a power of two apart: many of those would share one set of the cache. */
enum { BOOK = 4096, STRIDE = BOOK + 40, COLUMNS = 12 };

static double in_columns[5][STRIDE];
static double out_columns[COLUMNS][STRIDE];

static double uniform(uint64_t *state, double lo, double hi) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return lo + (hi - lo) * (double)(*state >> 11) * 0x1p-53;
}

static hg_batch_in book_make(void) {
    uint64_t seed = 76;
    for (int i = 0; i < BOOK; i++) {
        double f = uniform(&seed, 58000, 62000);
        double t = uniform(&seed, 1.0 / 365, 1.0);
        double sigma = uniform(&seed, 0.3, 1.2);
        in_columns[0][i] = f;
        in_columns[1][i] = f * exp(uniform(&seed, -2.5, 2.5) * sigma * sqrt(t));
        in_columns[2][i] = t;
        in_columns[3][i] = sigma;
        in_columns[4][i] = uniform(&seed, -1, 1) > 0 ? 1.0 : -1.0;
    }
    return (hg_batch_in){in_columns[0], in_columns[1], in_columns[2], in_columns[3], in_columns[4]};
}

/* The outputs named in `wanted`, one letter each, in the order of hg_batch_out. */
static hg_batch_out outputs_make(unsigned wanted) {
    double *c[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) c[i] = wanted >> i & 1u ? out_columns[i] : NULL;
    return (hg_batch_out){c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11]};
}

enum {
    FIVE = 0x1f,     /* price delta gamma vega theta */
    EXPOSURE = 0xff, /* and vanna volga charm */
    ALL = 0xfff,
};

static void run_book(bench *b, const char *kernel, unsigned wanted, size_t n) {
    hg_batch_in in = book_make();
    hg_batch_out out = outputs_make(wanted);
    size_t bad;
    if (!hg_batch_run_named(kernel, &in, &out, n, &bad)) {
        bench_skip(b, "this CPU lacks the instructions");
        return;
    }
    BENCH_BATCH (b, (double)n) {
        hg_batch_run_named(kernel, &in, &out, n, &bad);
        bench_keep(bad);
    }
    bench_field(b, "options", (double)n);
}

BENCH(batch_5_avx512) {
    run_book(b, "avx512", FIVE, BOOK);
}
BENCH(batch_5_avx2) {
    run_book(b, "avx2", FIVE, BOOK);
}
BENCH(batch_5_portable) {
    run_book(b, "portable", FIVE, BOOK);
}
BENCH(batch_exposure_avx512) {
    run_book(b, "avx512", EXPOSURE, BOOK);
}
BENCH(batch_exposure_avx2) {
    run_book(b, "avx2", EXPOSURE, BOOK);
}
BENCH(batch_12_avx512) {
    run_book(b, "avx512", ALL, BOOK);
}
BENCH(batch_12_avx2) {
    run_book(b, "avx2", ALL, BOOK);
}
BENCH(batch_12_portable) {
    run_book(b, "portable", ALL, BOOK);
}

/* A book after a tick: ns per revaluation of 1,000 options, the widest kernel. */
BENCH(book_1000_revalued) {
    hg_batch_in in = book_make();
    hg_batch_out out = outputs_make(EXPOSURE);
    BENCH_LOOP (b) bench_keep(hg_greeks_batch(&in, &out, 1000));
    bench_field_str(b, "kernel", hg_greeks_batch_kernel());
}

/* Latency: each call waits for the one before through its forward. */
BENCH(single_all_latency) {
    double f = 60000;
    hg_greeks g;
    BENCH_LOOP (b) {
        if (hg_black76_all(f, 66000, 0.1, 0.6, 1, 0, &g) != HG_OK) break;
        f = 60000 + g.price * 1e-12;
    }
    bench_keep(f);
}

BENCH(single_price_latency) {
    double f = 60000;
    double price;
    BENCH_LOOP (b) {
        if (hg_black76_price(f, 66000, 0.1, 0.6, 1, 0, &price) != HG_OK) break;
        f = 60000 + price * 1e-12;
    }
    bench_keep(f);
}

BENCH(single_all) {
    book_make();
    hg_greeks g;
    BENCH_LOOP (b) {
        size_t i = (size_t)bench_i % BOOK;
        int code = hg_black76_all(in_columns[0][i], in_columns[1][i], in_columns[2][i],
                                  in_columns[3][i], (int)in_columns[4][i], 0, &g);
        bench_keep(code);
    }
}

BENCH(single_inverse) {
    book_make();
    hg_inverse_greeks g;
    BENCH_LOOP (b) {
        size_t i = (size_t)bench_i % BOOK;
        int code = hg_inverse_all(in_columns[0][i], in_columns[1][i], in_columns[2][i],
                                  in_columns[3][i], (int)in_columns[4][i], &g);
        bench_keep(code);
    }
}

static double prices[BOOK];

static void prices_make(void) {
    hg_batch_in in = book_make();
    hg_batch_out out = {.price = prices};
    hg_greeks_batch(&in, &out, BOOK);
}

BENCH(implied_vol) {
    prices_make();
    double sigma = 0;
    BENCH_LOOP (b) {
        size_t i = (size_t)bench_i % BOOK;
        int code = hg_implied_vol(prices[i], in_columns[0][i], in_columns[1][i], in_columns[2][i],
                                  (int)in_columns[4][i], 0, &sigma);
        bench_keep(code);
        bench_keep(sigma);
    }
}

BENCH(american_put) {
    double price;
    BENCH_LOOP (b) {
        int code = hg_american_price(100, 100, 1, 0.3, -1, 0.03, 0, &price);
        bench_keep(code);
    }
}

static double starts[BOOK];
static double vols[BOOK];

/* Warm: every vol has moved by 5 % since the start. */
static void run_vols(bench *b, const char *kernel, bool warm) {
    prices_make();
    for (int i = 0; i < BOOK; i++) starts[i] = in_columns[3][i] * (i % 2 ? 1.05 : 0.95);
    hg_vol_in in = {prices,        in_columns[0], in_columns[1],
                    in_columns[2], in_columns[4], warm ? starts : NULL};
    size_t bad;
    if (!hg_vol_run_named(kernel, &in, vols, BOOK, &bad)) {
        bench_skip(b, "this CPU lacks the instructions");
        return;
    }
    BENCH_BATCH (b, BOOK) {
        hg_vol_run_named(kernel, &in, vols, BOOK, &bad);
        bench_keep(bad);
    }
    bench_field(b, "options", BOOK);
}

BENCH(implied_vol_cold_avx512) {
    run_vols(b, "avx512", false);
}
BENCH(implied_vol_cold_avx2) {
    run_vols(b, "avx2", false);
}
BENCH(implied_vol_cold_portable) {
    run_vols(b, "portable", false);
}
BENCH(implied_vol_warm_avx512) {
    run_vols(b, "avx512", true);
}
BENCH(implied_vol_warm_avx2) {
    run_vols(b, "avx2", true);
}
