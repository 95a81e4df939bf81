/* The implied vol loop for AVX2 with FMA; this file alone is compiled with -mavx2 -mfma. */
#if defined(__AVX2__) && defined(__FMA__)
#define HG_VEC_WIDTH 4
#define HG_VOL_KERNEL hg_vol_run_avx2
#include "greeks/batch_vol_kernel_int.h"
#else
/* Another architecture, or built by hand without the flags: batch_vol.c never calls this. */
#include "greeks/batch_vol_int.h"

size_t hg_vol_run_avx2(const hg_vol_in *in, double *sigma, size_t n) {
    return hg_vol_run_portable(in, sigma, n);
}
#endif
