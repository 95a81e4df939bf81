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

#include "greeks/normal.h"
#include "greeks/scalar_int.h"
#include "greeks/timevalue_int.h"
#include "greeks/vol_int.h"

/* A start off by 30 % takes three steps; the fourth is for s of 30 and more. */
enum { STEPS_MAX = 6 };

/* Relative: the next step would be of the fourth power of it. */
#define STEP_SMALL 2e-5

static double limited(double step, double s) {
    return v_min(v_max(step, -0.5 * s), s);
}

/* unit = min(F,K); s such that unit b(s) = time_value. */
static double solve_low(double dist, double unit, double fk, double time_value) {
    double s = vol_start(dist, fk, time_value);
    for (int i = 0; i < STEPS_MAX; i++) {
        hg_time_value b = hg_time_value_get(dist, s);
        double ln_gap = hg_b76_ln_ratio(time_value, unit * b.scale) + b.exponent;
        double step = limited(vol_step(dist, s, 1.0 / s, b.scale / b.density, ln_gap), s);
        s += step;
        if (fabs(step) < STEP_SMALL * s) break;
    }
    return s;
}

/*
 * The same for 1 - b = rest/unit. 1 - b = n(u) (Y(-u) + Y(v)) for u < 0, and ln(1 - b) has the
 * slope -1/(Y(-u) + Y(v)).
 */
static double solve_high(double dist, double unit, double fk, double rest) {
    double half = v_max(0.5 * (rest / fk), 1e-300);
    double s = v_max(-2.0 * hg_normal_quantile(half), sqrt(2.0 * dist) * 1.0000001);
    for (int i = 0; i < STEPS_MAX; i++) {
        double a = dist / s;
        double u = v_max(0.5 * s - a, 0.0); /* -u; s stays above sqrt(2 dist) */
        double mills_u;
        double mills_v;
        v_mills_pair(u, a + 0.5 * s, &mills_u, &mills_v);
        double sum = mills_u + mills_v;
        double ln_over = 0.5 * u * u + hg_b76_ln_ratio(rest, unit * sum * INV_SQRT_2PI);
        /* In vol_step b'/b is -1/sum here: b is 1 - b, and so is its slope's sign. */
        double step = limited(vol_step(dist, s, 1.0 / s, -sum, ln_over), s);
        s += step;
        if (fabs(step) < STEP_SMALL * s) break;
    }
    return s;
}

int hg_implied_vol(double price, double f, double k, double t, int cp, double r, double *sigma) {
    double discount;
    if (hg_b76_check(f, k, t, 0.0, cp) != HG_OK || t == 0.0 || !(fabs(price) <= DBL_MAX) ||
        !(fabs(r) <= DBL_MAX) || hg_b76_discount(r, t, &discount) != HG_OK) {
        return HG_GREEKS_BAD_INPUT;
    }
    double forward = price / discount;
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
    double unit = v_min(f, k);
    if (!(time_value < unit)) return HG_GREEKS_ABOVE_MAX;
    double dist = fabs(hg_b76_ln_ratio(f, k));
    double fk = sqrt(f) * sqrt(k);
    double s = time_value < VOL_HIGH * unit ? solve_low(dist, unit, fk, time_value)
                                            : solve_high(dist, unit, fk, rest);
    *sigma = hg_b76_saturate(s / sqrt(t));
    return HG_OK;
}
