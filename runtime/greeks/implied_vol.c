/*
 * Implied vol of one option: a rational start and Householder steps of order four, the plan of
 * P. Jaeckel, "Let's Be Rational" (Wilmott, January 2015). Four things differ:
 *   - The intrinsic value is taken off before anything is normalised, and ln(F/K) comes from the
 *     exact F - K: near the money the paper's x, and in the money its subtraction after scaling,
 *     each lose what the price still holds.
 *   - What is inverted is the time value in units of min(F,K), kept apart from its exponential
 *     (hg_time_value): prices of 1e-300 have as good a logarithm as others.
 *   - One start for all (vol_int.h) instead of four branches of rational splines.
 *   - Prices near their largest value are inverted through ln(1 - b), with the paper's start
 *     b_max - b = 2 N(-s/2) and steps until they are small.
 *
 * Symbols as in vol_int.h.
 */
#include "greeks/black76.h"

#include <float.h>

#include "greeks/scalar_int.h"

int hg_implied_vol(double price, double f, double k, double t, int cp, double r, double *sigma) {
    double discount;
    if (hg_b76_check(f, k, t, 0.0, cp) != HG_OK || t == 0.0 || !(fabs(price) <= DBL_MAX) ||
        !(fabs(r) <= DBL_MAX) || hg_b76_discount(r, t, &discount) != HG_OK) {
        return HG_GREEKS_BAD_INPUT;
    }
    double forward = r == 0.0 ? price : price / discount;
    double rest = (cp > 0 ? f : k) - forward;
    if (!(rest > 0.0)) return HG_GREEKS_ABOVE_MAX;
    double intrinsic = v_max(cp * (f - k), 0.0);
    double time_value = forward - intrinsic;
    /* D has a rounding of its own, and so has the price made with it. */
    double slack = r == 0.0 ? 0.0 : 4.0 * DBL_EPSILON * intrinsic;
    if (time_value < -slack) return HG_GREEKS_BELOW_INTRINSIC;
    if (time_value <= slack) {
        *sigma = 0.0;
        return HG_OK;
    }
    if (!(time_value < v_min(f, k))) return HG_GREEKS_ABOVE_MAX;
    double s = hg_vol_solve(f, k, time_value, rest);
    *sigma = hg_b76_saturate(s / sqrt(t));
    return HG_OK;
}
