/* The batch path: the same accuracy for every kernel, odd lengths, any alignment, bad lanes. */
#include "greeks/batch_int.h"
#include "greeks/black76.h"
#include "test_greeks_kit.h"

#include <string.h>

#define OUTPUTS 12
#define ROWS_MAX 2048

static const char *const kernels[] = {"avx512", "avx2", "portable"};
/* Where each batch column stands among the columns of hg_greeks: all but rho. */
static const int greek_of[OUTPUTS] = {0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12};

typedef struct book {
    size_t n;
    double in[5][ROWS_MAX];
    double out[OUTPUTS][ROWS_MAX];
} book;

static book the_book;
static book other_book;

static hg_batch_in inputs(const book *b, size_t from) {
    return (hg_batch_in){b->in[0] + from, b->in[1] + from, b->in[2] + from, b->in[3] + from,
                         b->in[4] + from};
}

static hg_batch_out outputs(book *b, size_t from) {
    double *c[OUTPUTS];
    for (int i = 0; i < OUTPUTS; i++) c[i] = b->out[i] + from;
    return (hg_batch_out){c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11]};
}

typedef struct vectors {
    double exact[OUTPUTS][ROWS_MAX];
    double cond[OUTPUTS][ROWS_MAX];
} vectors;

static vectors exact;

/* Rows with r = 0: the batch path is undiscounted. */
static void take_row(const double *v, void *ctx) {
    book *b = ctx;
    if (v[5] != 0.0) return;
    CHECK(b->n < ROWS_MAX);
    for (int i = 0; i < 5; i++) b->in[i][b->n] = v[i];
    for (int i = 0; i < OUTPUTS; i++) {
        exact.exact[i][b->n] = v[6 + 2 * greek_of[i]];
        exact.cond[i][b->n] = v[7 + 2 * greek_of[i]];
    }
    b->n++;
}

TEST(matches_50_digits_within_8_eps_cond) {
    kit_each_row("tests/vectors/greeks_black76.tsv", 6 + 2 * 13, take_row, &the_book);
    CHECK(the_book.n > 400);
    hg_batch_in in = inputs(&the_book, 0);
    for (int w = 0; w < 3; w++) {
        memset(the_book.out, 0xff, sizeof the_book.out);
        hg_batch_out out = outputs(&the_book, 0);
        size_t bad = 42;
        if (!hg_batch_run_named(kernels[w], &in, &out, the_book.n, &bad)) continue;
        CHECK_EQ(bad, 0);
        double worst[OUTPUTS] = {0};
        for (int i = 0; i < OUTPUTS; i++) {
            for (size_t j = 0; j < the_book.n; j++) {
                worst[i] = fmax(worst[i],
                                kit_error(the_book.out[i][j], exact.exact[i][j], exact.cond[i][j]));
            }
            printf("%s output %d worst %.2f eps(1+cond)\n", kernels[w], i, worst[i]);
        }
        for (int i = 0; i < OUTPUTS; i++) CHECK(worst[i] <= 8.0);
    }
}

static void fill_random(book *b, size_t n, unsigned long long seed) {
    b->n = n;
    for (size_t i = 0; i < n; i++) {
        double t = kit_log_uniform(&seed, 1e-3, 2);
        double sigma = kit_log_uniform(&seed, 0.1, 3);
        double f = kit_log_uniform(&seed, 1, 1e5);
        b->in[0][i] = f;
        b->in[1][i] = f * exp(kit_uniform(&seed, -4, 4) * sigma * sqrt(t));
        b->in[2][i] = t;
        b->in[3][i] = sigma;
        b->in[4][i] = kit_uniform(&seed, -1, 1) > 0 ? 1.0 : -1.0;
    }
}

/* An option's bytes do not depend on its place, its neighbours or the length of the book. */
TEST(gives_the_same_bytes_at_every_length_and_alignment) {
    fill_random(&the_book, 64, 11);
    hg_batch_in in = inputs(&the_book, 0);
    for (int w = 0; w < 3; w++) {
        hg_batch_out out = outputs(&the_book, 0);
        size_t bad;
        if (!hg_batch_run_named(kernels[w], &in, &out, 64, &bad)) continue;
        for (size_t from = 0; from < 9; from++) {
            for (size_t n = 0; n < 40; n++) {
                hg_batch_in part = inputs(&the_book, from);
                memset(other_book.out, 0, sizeof other_book.out);
                hg_batch_out to = outputs(&other_book, 3);
                CHECK(hg_batch_run_named(kernels[w], &part, &to, n, &bad));
                CHECK_EQ(bad, 0);
                for (int i = 0; i < OUTPUTS; i++) {
                    CHECK_MEM(other_book.out[i] + 3, the_book.out[i] + from, n * sizeof(double));
                    CHECK(other_book.out[i][3 + n] == 0 && other_book.out[i][2] == 0);
                }
            }
        }
    }
}

TEST(writes_only_wanted_columns_and_may_overwrite_its_inputs) {
    fill_random(&the_book, 37, 12);
    hg_batch_in in = inputs(&the_book, 0);
    hg_batch_out out = outputs(&the_book, 0);
    CHECK_EQ(hg_greeks_batch(&in, &out, 37), 0);
    other_book = the_book;
    hg_batch_in same = inputs(&other_book, 0);
    hg_batch_out over = {.price = other_book.in[0],
                         .delta = other_book.in[1],
                         .gamma = other_book.in[2],
                         .vega = other_book.in[3],
                         .volga = other_book.in[4]};
    CHECK_EQ(hg_greeks_batch(&same, &over, 37), 0);
    const int from[5] = {0, 1, 2, 3, 6};
    for (int i = 0; i < 5; i++) {
        CHECK_MEM(other_book.in[i], the_book.out[from[i]], 37 * sizeof(double));
    }
    CHECK_EQ(hg_greeks_batch(&in, &(hg_batch_out){0}, 37), 0);
}

TEST(zeroes_and_counts_bad_lanes_and_leaves_the_others) {
    const double poison[] = {NAN, INFINITY, -INFINITY, 0.0, -1.0, -NAN};
    for (int w = 0; w < 3; w++) {
        for (int c = 0; c < 5; c++) {
            for (size_t p = 0; p < 6; p++) {
                for (size_t lane = 0; lane < 11; lane++) {
                    fill_random(&the_book, 11, 13);
                    hg_batch_in in = inputs(&the_book, 0);
                    hg_batch_out out = outputs(&the_book, 0);
                    size_t bad;
                    if (!hg_batch_run_named(kernels[w], &in, &out, 11, &bad)) continue;
                    other_book = the_book;
                    other_book.in[c][lane] = poison[p];
                    in = inputs(&other_book, 0);
                    out = outputs(&other_book, 0);
                    CHECK(hg_batch_run_named(kernels[w], &in, &out, 11, &bad));
                    /* T = 0 and sigma = 0 have limits, and -1 is a put. */
                    bool allowed = ((c == 2 || c == 3) && p == 3) || (c == 4 && p == 4);
                    CHECK_EQ(bad, allowed ? 0 : 1);
                    for (int i = 0; i < OUTPUTS; i++) {
                        if (!allowed) CHECK(other_book.out[i][lane] == 0);
                        CHECK(isfinite(other_book.out[i][lane]));
                        other_book.out[i][lane] = the_book.out[i][lane];
                        CHECK_MEM(other_book.out[i], the_book.out[i], 11 * sizeof(double));
                    }
                }
            }
        }
    }
}

/* The lanes the kernels leave out are exactly those of the one-option functions. */
TEST(takes_limits_and_extremes_from_the_one_option_path) {
    const double f[] = {100, 100, 100, 1e-200, 1e200, 100, 100};
    const double k[] = {100, 90, 100, 1e-200, 1.1e200, 1e-290, 100};
    const double t[] = {0, 0, 1, 1, 1, 1, 1e-15};
    const double sigma[] = {0.5, 0.5, 0, 0.5, 0.5, 20, 0.5};
    const double cp[] = {1, 1, 1, -1, 1, -1, 1};
    hg_batch_in in = {f, k, t, sigma, cp};
    for (int w = 0; w < 3; w++) {
        hg_batch_out out = outputs(&the_book, 0);
        size_t bad;
        if (!hg_batch_run_named(kernels[w], &in, &out, 7, &bad)) continue;
        CHECK_EQ(bad, 0);
        for (size_t j = 0; j < 7; j++) {
            hg_greeks g;
            CHECK_EQ(hg_black76_all(f[j], k[j], t[j], sigma[j], (int)cp[j], 0, &g), HG_OK);
            for (int i = 0; i < OUTPUTS; i++) {
                CHECK(the_book.out[i][j] == (&g.price)[greek_of[i]]);
            }
        }
    }
}
