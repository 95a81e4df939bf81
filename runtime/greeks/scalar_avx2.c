/* The one-option arithmetic with fused multiply-add; this file alone is compiled with -mavx2 and
 * -mfma. */
#ifdef __FMA__
#define HG_SCALAR(name) name##_avx2
#include "greeks/scalar_kernel_int.h"
#else
/* Another architecture, or built by hand without the flags: scalar.c never calls these. */
#include "greeks/scalar_int.h"

hg_b76_regime hg_b76_prepare_avx2(b76 *o, double f, double k, double t, double sigma, int cp) {
    return hg_b76_prepare_portable(o, f, k, t, sigma, cp);
}

hg_b76_regime hg_b76_value_avx2(double *value, double f, double k, double t, double sigma, int cp) {
    return hg_b76_value_portable(value, f, k, t, sigma, cp);
}

hg_b76_regime hg_b76_greeks_avx2(hg_greeks *g, double f, double k, double t, double sigma, int cp) {
    return hg_b76_greeks_portable(g, f, k, t, sigma, cp);
}

double hg_vol_solve_avx2(double f, double k, double time_value, double rest) {
    return hg_vol_solve_portable(f, k, time_value, rest);
}
#endif
