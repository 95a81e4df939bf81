/* The batch loop for AVX-512; this file alone is compiled with -mavx512f, dq and vl. */
#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define HG_VEC_WIDTH 8
#define HG_BATCH_KERNEL hg_batch_run_avx512
#include "greeks/batch_kernel_int.h"
#define HG_MOVED_KERNEL hg_moved_run_avx512
#include "greeks/batch_moved_kernel_int.h"
#else
/* Another architecture, or built by hand without the flags: batch.c never calls this. */
#include "greeks/batch_int.h"

size_t hg_batch_run_avx512(const hg_batch_in *in, const hg_batch_out *out, size_t n) {
    return hg_batch_run_portable(in, out, n);
}

void hg_moved_run_avx512(const hg_moved_in *in, const hg_move *move, double *worth, size_t n) {
    hg_moved_run_portable(in, move, worth, n);
}
#endif
