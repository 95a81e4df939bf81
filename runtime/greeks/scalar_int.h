/* What the one-option functions of this room share: checks and the formulas over their full range
 * of inputs. */
#ifndef HG_GREEKS_SCALAR_INT_H
#define HG_GREEKS_SCALAR_INT_H

#include <stdbool.h>

#include "greeks/black76.h"
#include "greeks/formula_int.h"

/* HG_OK, or HG_GREEKS_BAD_INPUT outside F, K > 0, T, sigma >= 0, cp = +1 or -1, all finite. */
int hg_b76_check(double f, double k, double t, double sigma, int cp);

/* NaN becomes 0, an infinity +-DBL_MAX. */
double hg_b76_saturate(double x);

/* ln(f/k) for all positive numbers, subnormal ones included. */
double hg_b76_ln_ratio(double f, double k);

/* The same in line. */
static inline double ln_ratio(double f, double k) {
    /* Inside, v_ln_ratio's exponent arithmetic and its sum f + k stay in range. */
    if (f > 1e-300 && f < 1e300 && k > 1e-300 && k < 1e300) return v_ln_ratio(f, k);
    int exp_f;
    int exp_k;
    double x = v_ln_ratio(frexp(f, &exp_f), frexp(k, &exp_k));
    return x + (exp_f - exp_k) * 0.69314718055994530942;
}

/* Whether the builds for AVX2 and FMA run here. */
bool hg_has_fma(void);

/* D = e^-rT; HG_GREEKS_BAD_INPUT where that is 0 or infinite. */
int hg_b76_discount(double r, double t, double *discount);

/*
 * What sigma sqrt(T) is worth: nothing (0, or the strike is more than 10^4 deviations away: the
 * limits apply), everything (the price is at its bound to the last digit), or a calculation.
 */
typedef enum hg_b76_regime { HG_B76_NO_VOL, HG_B76_ALL_VOL, HG_B76_REGULAR } hg_b76_regime;

/* Over the full range of checked inputs; the first argument is filled only when regular:
 * b76_prepare, the undiscounted price, and all of it (the Greeks at r = 0). */
typedef hg_b76_regime hg_b76_prepare_fn(b76 *o, double f, double k, double t, double sigma, int cp);
typedef hg_b76_regime hg_b76_value_fn(double *value, double f, double k, double t, double sigma,
                                      int cp);
typedef hg_b76_regime hg_b76_greeks_fn(hg_greeks *g, double f, double k, double t, double sigma,
                                       int cp);

/* sigma sqrt(T) for a time value in (0, min(F,K)), `rest` being what it lacks of min(F,K). */
typedef double hg_vol_solve_fn(double f, double k, double time_value, double rest);

/* Each twice, for CPUs with and without fused multiply-add, and the choice between them. */
hg_b76_prepare_fn hg_b76_prepare, hg_b76_prepare_portable, hg_b76_prepare_avx2;
hg_b76_value_fn hg_b76_value, hg_b76_value_portable, hg_b76_value_avx2;
hg_b76_greeks_fn hg_b76_greeks, hg_b76_greeks_portable, hg_b76_greeks_avx2;
hg_vol_solve_fn hg_vol_solve, hg_vol_solve_portable, hg_vol_solve_avx2;

#endif
