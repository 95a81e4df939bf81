/*
 * The kernels of width 8 on machines without AVX-512: the same sources over SIMDe
 * (github.com/simd-everywhere/simde, Debian's libsimde-dev), which has each AVX-512 intrinsic in
 * plain C. Widths 4 and 8 promise the same bytes, so the AVX2 kernels are the oracle. On a CPU with
 * AVX-512 the tests of the batch run the real instructions.
 */
#include "greeks/batch_int.h"
#include "greeks/batch_vol_int.h"
#include "test_greeks_kit.h"

#include <string.h>

#if defined(__x86_64__) && __has_include(<simde/x86/avx512.h>)
#define HAVE_SIMDE 1
#include <immintrin.h> /* before the names below are macros */
#define SIMDE_ENABLE_NATIVE_ALIASES
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wpsabi"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wbuiltin-macro-redefined"
#include <simde/x86/avx512.h>
#pragma GCC diagnostic pop
#pragma GCC diagnostic ignored "-Wpsabi" /* vectors of 64 bytes stay within this file */

/*
 * SIMDe rounds the product first where the compiler has no FMA. Inlined always: a link with LTO
 * compiles what is left of a function again, without the pragmas above.
 */
__attribute__((always_inline)) static inline simde__m512d fused_each(simde__m512d a, simde__m512d b,
                                                                     simde__m512d c) {
    double v[3][8];
    memcpy(v[0], &a, sizeof a);
    memcpy(v[1], &b, sizeof b);
    memcpy(v[2], &c, sizeof c);
    for (int i = 0; i < 8; i++) v[0][i] = fma(v[0][i], v[1][i], v[2][i]);
    memcpy(&a, v[0], sizeof a);
    return a;
}
#undef _mm512_fmadd_pd
#define _mm512_fmadd_pd(a, b, c) fused_each(a, b, c)

#define HG_VEC_WIDTH 8
#define HG_BATCH_KERNEL batch_run_8
#define HG_VOL_KERNEL vol_run_8
static hg_batch_kernel batch_run_8;
static hg_vol_kernel vol_run_8;
#include "greeks/batch_kernel_int.h"
#undef WIDTH
#undef GROUP
#undef BLOCK
#include "greeks/batch_vol_kernel_int.h"
#else
#define HAVE_SIMDE 0
#endif

#if HAVE_SIMDE
enum { BOOK = 1000, OUTPUTS = 12 };

static double columns[5][BOOK];
static double by_avx2[OUTPUTS][BOOK];
static double by_8[OUTPUTS][BOOK];

/* Ordinary options; every seventh is far out, long, wild or not an option at all. */
static void fill_book(unsigned long long seed) {
    const double odd[] = {0.0, -1.0, NAN, INFINITY, 1e-300, 1e300, 1e-12, 50.0};
    for (int i = 0; i < BOOK; i++) {
        double t = kit_log_uniform(&seed, 1e-4, 4);
        double sigma = kit_log_uniform(&seed, 0.02, 8);
        columns[0][i] = kit_log_uniform(&seed, 1e-2, 1e5);
        columns[1][i] = columns[0][i] * exp(kit_uniform(&seed, -9, 9) * sigma * sqrt(t));
        columns[2][i] = t;
        columns[3][i] = sigma;
        columns[4][i] = kit_uniform(&seed, -1, 1) > 0 ? 1.0 : -1.0;
        if (i % 7 == 3) columns[i / 7 % 5][i] = odd[i / 35 % 8];
    }
}

static hg_batch_out outputs_of(double c[OUTPUTS][BOOK]) {
    return (hg_batch_out){c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11]};
}

static void need_avx2(void) {
    if (!hg_batch_runs_here("avx2")) SKIP("this CPU has no AVX2 to compare with");
}

TEST(greeks_have_the_bytes_of_avx2) {
    need_avx2();
    for (unsigned seed = 1; seed <= 20; seed++) {
        fill_book(seed);
        size_t n = BOOK - seed; /* every length of the last vector */
        hg_batch_in in = {columns[0], columns[1], columns[2], columns[3], columns[4]};
        hg_batch_out out = outputs_of(by_avx2);
        hg_batch_out out_8 = outputs_of(by_8);
        memset(by_avx2, 0, sizeof by_avx2);
        memset(by_8, 0, sizeof by_8);
        size_t bad = hg_batch_run_avx2(&in, &out, n);
        CHECK(bad > 0);
        CHECK_EQ(batch_run_8(&in, &out_8, n), bad);
        CHECK_MEM(by_8, by_avx2, sizeof by_8);
    }
}

TEST(implied_vols_have_the_bytes_of_avx2) {
    need_avx2();
    for (unsigned seed = 1; seed <= 20; seed++) {
        fill_book(seed);
        hg_batch_in in = {columns[0], columns[1], columns[2], columns[3], columns[4]};
        hg_batch_out out = {.price = by_avx2[0]};
        hg_batch_run_avx2(&in, &out, BOOK);
        for (int i = 0; i < BOOK; i++) by_avx2[1][i] = columns[3][i] * (i % 2 ? 1.05 : 0.95);
        for (int warm = 0; warm < 2; warm++) {
            hg_vol_in vol = {by_avx2[0], columns[0], columns[1],
                             columns[2], columns[4], warm ? by_avx2[1] : NULL};
            size_t bad = hg_vol_run_avx2(&vol, by_avx2[2], BOOK - seed);
            CHECK_EQ(vol_run_8(&vol, by_8[2], BOOK - seed), bad);
            CHECK_MEM(by_8[2], by_avx2[2], (BOOK - seed) * sizeof(double));
        }
    }
}
#else
TEST(has_the_bytes_of_avx2) {
    SKIP("needs x86-64 and SIMDe (Debian: libsimde-dev)");
}
#endif
