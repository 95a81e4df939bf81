/* The arithmetic of American options for AVX2 with FMA; this file alone is compiled with -mavx2 and
 * -mfma. */
#if defined(__AVX2__) && defined(__FMA__)
#define HG_VEC_WIDTH 4
#define HG_AMERICAN(name) name##_avx2
#include "greeks/american_kernel_int.h"
#else
/* Another architecture, or built by hand without the flags: american.c never calls these. */
#include "greeks/american_int.h"

void hg_american_boundary_avx2(hg_american_put *p) {
    hg_american_boundary_portable(p);
}

double hg_american_premium_avx2(const hg_american_put *p, double s, double ln_sx) {
    return hg_american_premium_portable(p, s, ln_sx);
}
#endif
