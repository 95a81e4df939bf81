/*
 * What the one-option functions of this room share: checks and the full-range preparation of the
 * formulas.
 */
#ifndef HG_GREEKS_SCALAR_INT_H
#define HG_GREEKS_SCALAR_INT_H

#include <stdbool.h>

#include "greeks/formula_int.h"

/* HG_OK, or HG_GREEKS_BAD_INPUT outside F, K > 0, T, sigma >= 0, cp = +1 or -1, all finite. */
int hg_b76_check(double f, double k, double t, double sigma, int cp);

/* NaN becomes 0, an infinity +-DBL_MAX. */
double hg_b76_saturate(double x);

/* ln(f/k) for all positive numbers, subnormal ones included. */
double hg_b76_ln_ratio(double f, double k);

/* D = e^-rT; HG_GREEKS_BAD_INPUT where that is 0 or infinite. */
int hg_b76_discount(double r, double t, double *discount);

/*
 * What sigma sqrt(T) is worth: nothing (0, or the strike is more than 10^4 deviations away: the
 * limits apply), everything (the price is at its bound to the last digit), or a calculation.
 */
typedef enum hg_b76_regime { HG_B76_NO_VOL, HG_B76_ALL_VOL, HG_B76_REGULAR } hg_b76_regime;

/* b76_prepare over the full range of checked inputs; `o` is filled only when regular. */
hg_b76_regime hg_b76_prepare(b76 *o, double f, double k, double t, double sigma, int cp);

#endif
