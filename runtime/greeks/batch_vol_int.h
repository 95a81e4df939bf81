/* The kernels behind hg_implied_vol_batch and what they share. */
#ifndef HG_GREEKS_BATCH_VOL_INT_H
#define HG_GREEKS_BATCH_VOL_INT_H

#include <stdbool.h>

#include "greeks/batch_vol.h"

typedef size_t hg_vol_kernel(const hg_vol_in *in, double *sigma, size_t n);

/* Each is compiled for its own instruction set: call only what the CPU has. */
hg_vol_kernel hg_vol_run_portable;
hg_vol_kernel hg_vol_run_avx2;
hg_vol_kernel hg_vol_run_avx512;

/* One option (price, f, k, t, cp) by hg_implied_vol. Returns 1 if it has no vol, else 0. */
size_t hg_vol_fill_one(const double v[5], double *sigma);

/* For tests: a kernel by name; false where this CPU or this build lacks it. */
bool hg_vol_run_named(const char *kernel, const hg_vol_in *in, double *sigma, size_t n,
                      size_t *bad);

#endif
