/*
 * Choosing the implied vol kernel by CPUID, and the slow way for single options.
 */
#include "greeks/batch_vol_int.h"

#include <string.h>

#include "greeks/batch_int.h"
#include "greeks/black76.h"

size_t hg_vol_fill_one(const double v[5], double *sigma) {
    int cp = v[4] == 1.0 ? 1 : v[4] == -1.0 ? -1 : 0;
    double vol = HG_VOL_BAD;
    size_t bad = hg_implied_vol(v[0], v[1], v[2], v[3], cp, 0.0, &vol) != HG_OK;
    *sigma = vol;
    return bad;
}

bool hg_vol_run_named(const char *name, const hg_vol_in *in, double *sigma, size_t n, size_t *bad) {
    if (!hg_batch_runs_here(name)) return false;
    if (strcmp(name, "avx512") == 0) {
        *bad = hg_vol_run_avx512(in, sigma, n);
    } else if (strcmp(name, "avx2") == 0) {
        *bad = hg_vol_run_avx2(in, sigma, n);
    } else {
        *bad = hg_vol_run_portable(in, sigma, n);
    }
    return true;
}

size_t hg_implied_vol_batch(const hg_vol_in *in, double *sigma, size_t n) {
    size_t bad = 0;
    (void)hg_vol_run_named(hg_greeks_batch_kernel(), in, sigma, n, &bad);
    return bad;
}
