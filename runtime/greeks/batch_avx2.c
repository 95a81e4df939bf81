/* The batch loop for AVX2 with FMA; this file alone is compiled with -mavx2 -mfma. */
#if defined(__AVX2__) && defined(__FMA__)
#define HG_VEC_WIDTH 4
#define HG_BATCH_KERNEL hg_batch_run_avx2
#include "greeks/batch_kernel_int.h"
#define HG_MOVED_KERNEL hg_moved_run_avx2
#include "greeks/batch_moved_kernel_int.h"
#else
/* Another architecture, or built by hand without the flags: batch.c never calls this. */
#include "greeks/batch_int.h"

size_t hg_batch_run_avx2(const hg_batch_in *in, const hg_batch_out *out, size_t n) {
    return hg_batch_run_portable(in, out, n);
}

void hg_moved_run_avx2(const hg_moved_in *in, const hg_move *move, double *worth, size_t n) {
    hg_moved_run_portable(in, move, worth, n);
}
#endif
