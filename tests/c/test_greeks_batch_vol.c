/* Implied vols in batches, cold and warm: right on every lane whatever the start, for every kernel.
 */
#include "greeks/batch_vol_int.h"
#include "greeks/black76.h"
#include "test_greeks_kit.h"

#include <string.h>

#define ROWS_MAX 2048

static const char *const kernels[] = {"avx512", "avx2", "portable"};

typedef struct book {
    size_t n;
    double in[5][ROWS_MAX]; /* price f k t cp */
    double start[ROWS_MAX];
    double exact[ROWS_MAX];
    double cond[ROWS_MAX]; /* in price, F and K */
    double got[ROWS_MAX];
} book;

static book the_book;

static hg_vol_in inputs(book *b, bool warm, size_t from) {
    return (hg_vol_in){b->in[0] + from, b->in[1] + from, b->in[2] + from,
                       b->in[3] + from, b->in[4] + from, warm ? b->start + from : NULL};
}

static double cond_of(double price, double f, double k, double t, double sigma, int cp) {
    hg_greeks g;
    CHECK_EQ(hg_black76_all(f, k, t, sigma, cp, 0, &g), HG_OK);
    double slope = g.vega * sigma;
    return (price + f * fabs(g.delta) + fabs(price - f * g.delta)) / slope;
}

static void take_row(const double *v, void *ctx) {
    book *b = ctx;
    size_t i = b->n++;
    CHECK(i < ROWS_MAX);
    for (int c = 0; c < 5; c++) b->in[c][i] = v[c];
    b->exact[i] = v[5];
    b->cond[i] = cond_of(v[0], v[1], v[2], v[3], v[5], (int)v[4]);
}

static double worst_error(const book *b) {
    double worst = 0;
    for (size_t i = 0; i < b->n; i++) {
        double error = fabs(b->got[i] / b->exact[i] - 1) / (DBL_EPSILON * (1 + b->cond[i]));
        if (!(error <= worst)) worst = error;
    }
    return worst;
}

TEST(matches_50_digits_within_8_eps_cond) {
    CHECK(kit_each_row("tests/vectors/greeks_implied_vol.tsv", 7, take_row, &the_book) > 800);
    /* From 20 % off, then from nonsense. */
    const double nonsense[] = {0.0, -1.0, 1e-300, 1e300, NAN, INFINITY, 1e-9, 100.0};
    double all_worst = 0;
    for (int w = 0; w < 3; w++) {
        for (int mode = 0; mode < 3; mode++) {
            for (size_t i = 0; i < the_book.n; i++) {
                double off = i % 2 ? 1.2 : 1 / 1.2;
                the_book.start[i] = mode == 1 ? the_book.exact[i] * off : nonsense[i % 8];
            }
            hg_vol_in in = inputs(&the_book, mode > 0, 0);
            size_t bad = 42;
            if (!hg_vol_run_named(kernels[w], &in, the_book.got, the_book.n, &bad)) continue;
            CHECK_EQ(bad, 0);
            double worst = worst_error(&the_book);
            printf("%s mode %d worst %.2f eps(1+cond)\n", kernels[w], mode, worst);
            CHECK(worst <= 8.0);
            if (worst > all_worst) all_worst = worst;
        }
    }
    printf("note: worst %.2f eps(1+cond)\n", all_worst);
}

/* `deviations` to the farthest strike, and the largest factor between a start and its vol. */
static void fill_random(book *b, size_t n, unsigned long long seed, double deviations, double off) {
    b->n = n;
    for (size_t i = 0; i < n; i++) {
        double t = kit_log_uniform(&seed, 1e-4, 3);
        double sigma = kit_log_uniform(&seed, 0.05, 4);
        double f = kit_log_uniform(&seed, 1, 1e5);
        double k = f * exp(kit_uniform(&seed, -deviations, deviations) * sigma * sqrt(t));
        int cp = k > f ? 1 : -1;
        double row[5] = {0, f, k, t, cp};
        CHECK_EQ(hg_black76_price(f, k, t, sigma, cp, 0, &row[0]), HG_OK);
        for (int c = 0; c < 5; c++) b->in[c][i] = row[c];
        b->start[i] = sigma * kit_log_uniform(&seed, 1 / off, off);
        b->exact[i] = sigma;
        b->cond[i] = 4 * (1 + cond_of(row[0], f, k, t, sigma, cp)); /* the price is rounded too */
    }
}

TEST(inverts_prices_cold_and_warm) {
    for (unsigned seed = 1; seed <= 20; seed++) {
        fill_random(&the_book, ROWS_MAX, seed, 5, 1.1);
        for (int warm = 0; warm < 2; warm++) {
            hg_vol_in in = inputs(&the_book, warm, 0);
            CHECK_EQ(hg_implied_vol_batch(&in, the_book.got, the_book.n), 0);
            CHECK(worst_error(&the_book) <= 8.0);
        }
    }
}

/* The limit where a lane's second step counts as small enough is near: starts up to twice or half
 * the vol, strikes to 30 deviations, every kernel. */
TEST(is_right_from_starts_near_and_far) {
    const double offs[] = {1 + 1e-12, 1.001, 1.02, 1.05, 1.2, 1.5, 2.0};
    double all_worst = 0;
    for (unsigned seed = 1; seed <= 28; seed++) {
        fill_random(&the_book, ROWS_MAX, 100 + seed, seed % 2 ? 3 : 30, offs[seed % 7]);
        hg_vol_in in = inputs(&the_book, true, 0);
        for (int w = 0; w < 3; w++) {
            size_t bad;
            if (!hg_vol_run_named(kernels[w], &in, the_book.got, ROWS_MAX, &bad)) continue;
            CHECK_EQ(bad, 0);
            double worst = worst_error(&the_book);
            printf("%s seed %u worst %.2f\n", kernels[w], seed, worst);
            CHECK(worst <= 8.0);
            if (worst > all_worst) all_worst = worst;
        }
    }
    printf("note: worst %.2f eps(1+cond)\n", all_worst);
}

TEST(gives_the_same_bytes_at_every_length) {
    fill_random(&the_book, 100, 77, 5, 1.1);
    static double part[ROWS_MAX];
    for (int w = 0; w < 3; w++) {
        hg_vol_in in = inputs(&the_book, true, 0);
        size_t bad;
        if (!hg_vol_run_named(kernels[w], &in, the_book.got, 100, &bad)) continue;
        for (size_t from = 0; from < 7; from++) {
            for (size_t n = 0; n < 90; n++) {
                hg_vol_in some = inputs(&the_book, true, from);
                memset(part, 0, sizeof part);
                CHECK(hg_vol_run_named(kernels[w], &some, part + 1, n, &bad));
                CHECK_MEM(part + 1, the_book.got + from, n * sizeof(double));
                CHECK(part[0] == 0 && part[n + 1] == 0);
            }
        }
    }
}

TEST(marks_bad_lanes_and_leaves_the_others) {
    const double good[5] = {5, 100, 110, 0.5, 1};
    const struct {
        int column;
        double value;
        double sigma; /* expected */
    } cases[] = {
        {0, NAN,      HG_VOL_BAD},
        {0, -1,       HG_VOL_BAD},
        {0, 100,      HG_VOL_BAD},
        {0, INFINITY, HG_VOL_BAD},
        {0, 0,        0         },
        {1, NAN,      HG_VOL_BAD},
        {1, 0,        HG_VOL_BAD},
        {1, -5,       HG_VOL_BAD},
        {2, NAN,      HG_VOL_BAD},
        {2, 0,        HG_VOL_BAD},
        {2, -110,     HG_VOL_BAD},
        {2, INFINITY, HG_VOL_BAD},
        {3, 0,        HG_VOL_BAD},
        {3, NAN,      HG_VOL_BAD},
        {3, -1,       HG_VOL_BAD},
        {4, 0,        HG_VOL_BAD},
        {4, NAN,      HG_VOL_BAD},
        {4, 0.5,      HG_VOL_BAD},
    };
    for (int w = 0; w < 3; w++) {
        for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
            for (size_t lane = 0; lane < 11; lane++) {
                book *b = &the_book;
                for (size_t i = 0; i < 11; i++) {
                    for (int j = 0; j < 5; j++) b->in[j][i] = good[j];
                    b->start[i] = 0.4;
                }
                b->in[cases[c].column][lane] = cases[c].value;
                hg_vol_in in = inputs(b, lane % 2, 0);
                size_t bad;
                if (!hg_vol_run_named(kernels[w], &in, b->got, 11, &bad)) continue;
                CHECK_EQ(bad, cases[c].sigma < 0);
                CHECK(b->got[lane] == cases[c].sigma);
                double expected;
                CHECK_EQ(hg_implied_vol(5, 100, 110, 0.5, 1, 0, &expected), HG_OK);
                for (size_t i = 0; i < 11; i++) {
                    if (i != lane) CHECK_NEAR(b->got[i], expected, 1e-14);
                }
            }
        }
    }
}
