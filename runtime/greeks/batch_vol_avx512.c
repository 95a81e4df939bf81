/* The implied vol loop for AVX-512; this file alone is compiled with -mavx512f, dq and vl. */
#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define HG_VEC_WIDTH 8
#define HG_VOL_KERNEL hg_vol_run_avx512
#include "greeks/batch_vol_kernel_int.h"
#else
/* Another architecture, or built by hand without the flags: batch_vol.c never calls this. */
#include "greeks/batch_vol_int.h"

size_t hg_vol_run_avx512(const hg_vol_in *in, double *sigma, size_t n) {
    return hg_vol_run_portable(in, sigma, n);
}
#endif
