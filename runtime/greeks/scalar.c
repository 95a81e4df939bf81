/* Choosing between the two builds of the one-option arithmetic, once. */
#include "greeks/scalar_int.h"

#include <stdatomic.h>

#include "greeks/batch_int.h"

bool hg_has_fma(void) {
    /* Threads may race to the first call: all of them find the same answer. */
    static _Atomic int known = -1;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer < 0) {
        answer = hg_batch_runs_here("avx2");
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer;
}

hg_b76_regime hg_b76_prepare(b76 *o, double f, double k, double t, double sigma, int cp) {
    return hg_has_fma() ? hg_b76_prepare_avx2(o, f, k, t, sigma, cp)
                        : hg_b76_prepare_portable(o, f, k, t, sigma, cp);
}

hg_b76_regime hg_b76_value(double *value, double f, double k, double t, double sigma, int cp) {
    return hg_has_fma() ? hg_b76_value_avx2(value, f, k, t, sigma, cp)
                        : hg_b76_value_portable(value, f, k, t, sigma, cp);
}

hg_b76_regime hg_b76_greeks(hg_greeks *g, double f, double k, double t, double sigma, int cp) {
    return hg_has_fma() ? hg_b76_greeks_avx2(g, f, k, t, sigma, cp)
                        : hg_b76_greeks_portable(g, f, k, t, sigma, cp);
}

double hg_vol_solve(double f, double k, double time_value, double rest) {
    return hg_has_fma() ? hg_vol_solve_avx2(f, k, time_value, rest)
                        : hg_vol_solve_portable(f, k, time_value, rest);
}
