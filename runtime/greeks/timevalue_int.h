/*
 * The time value of an option in units of min(F,K), as a function of |ln(F/K)| and s = sigma
 * sqrt(T) alone: the function that implied vol inverts, to full precision everywhere.
 *
 * Four forms, because each loses digits where another does not. With a = |x|/s, h = s/2, u = a - h,
 * v = a + h, Y Mills' ratio, G(z) = N(z) - 1/2, and the time value in units of min(F,K):
 *   1. u < 0, s < 1.5      G(v) + G(-u) - (e^|x| - 1)(1/2 - G(v))     near the money
 *   2. |x|, s < 0.5        n(u) (Y(a - h) - Y(a + h)) by its Taylor series in h
 *   3. otherwise, u >= 0   n(u) (Y(u) - Y(v)) as it stands
 *   4. otherwise           1 - n(u) (Y(-u) + Y(v))
 * Choosing between forms this way is Jaeckel's, "Let's Be Rational", section 6; the series there
 * are others.
 */
#ifndef HG_GREEKS_TIMEVALUE_INT_H
#define HG_GREEKS_TIMEVALUE_INT_H

#include "greeks/math_int.h"

/*
 * time value / min(F,K) = scale * e^-exponent. Kept apart so that prices far below the range of
 * double still have a logarithm. `exponent` is u^2/2 with u = |x|/s - s/2, or 0 inside (u < 0).
 */
typedef struct hg_time_value {
    double scale;
    double exponent;
    double density; /* n(u) e^exponent: d(value)/ds = density * e^-exponent */
} hg_time_value;

/* G(z)/z in powers of z^2 <= 2.26, relative error 3e-17. */
static const double half_cdf_c[12] = {
    0.39894228040143266587,     -0.066490380066903939003,  0.0099735570100045149441,
    -0.0011873282152249284368,  1.1543468653486757406e-4,  -9.4446535507648627651e-6,
    6.6596503398362796967e-7,   -4.1222122796070583559e-8, 2.2703084824677589928e-9,
    -1.1148993576331651885e-10, 4.6474019591066368378e-12, -1.266044052531558749e-13,
};

/* N(z) - 1/2 for |z| <= 1.5. */
VEC_FN double half_cdf(double z) {
    return z * v_poly(half_cdf_c, 12, z * z);
}

/* e^z - 1 for 0 <= z <= 1.5. */
VEC_FN double exp_minus_1(double z) {
    if (z <= 0.3465) return z + z * z * v_poly(exp_c, 10, z);
    return 1.0 / v_exp_neg(z) - 1.0;
}

/*
 * Y(a - h) - Y(a + h) = -2 sum over odd n of Y^(n)(a) h^n/n!, with Y' = a Y - 1 and
 * Y^(n+1) = a Y^(n) + n Y^(n-1). The term of n is at most h^(n-1)/n!! of the first: for h <= 1/4
 * those after n = 15 are below eps, for h <= 0.12 those after 11, for h <= 0.05 those after 9.
 */
VEC_FN double mills_gap_series(double a, double h) {
    double before = v_mills(a);
    double term = (a * before - 1.0) * h;
    double sum = term;
    double ah = a * h;
    double h2 = h * h;
    static const double inverse[16] = {0.0,      1.0,      1.0 / 2,  1.0 / 3, 1.0 / 4,  1.0 / 5,
                                       1.0 / 6,  1.0 / 7,  1.0 / 8,  1.0 / 9, 1.0 / 10, 1.0 / 11,
                                       1.0 / 12, 1.0 / 13, 1.0 / 14, 1.0 / 15};
    const int last = h <= 0.05 ? 9 : h <= 0.12 ? 11 : 15;
    for (int n = 1; n < last; n += 2) {
        /* What does not wait for the term before is in brackets: one fused step a term. */
        before = v_fma(ah * inverse[n + 1], term, (h2 * inverse[n + 1]) * before);
        term = v_fma(ah * inverse[n + 2], before, (h2 * inverse[n + 2]) * term);
        sum += term;
    }
    return -2.0 * sum;
}

/* dist = |ln(F/K)| >= 0, s > 0, both finite. */
VEC_FN hg_time_value time_value_get(double dist, double s) {
    double a = dist / s;
    double h = 0.5 * s;
    double u = a - h;
    double v = a + h;
    double exponent = 0.5 * u * u;
    hg_time_value out;
    if (u < 0.0) {
        /* Above 2 EXP_NEG_MAX the result is 1 whatever the density. */
        double root = v_exp_neg(v_min(0.5 * exponent, EXP_NEG_MAX));
        out.exponent = 0.0;
        out.density = root * root * INV_SQRT_2PI;
        if (s < 1.5) {
            double cdf_v = half_cdf(v);
            out.scale = (cdf_v + half_cdf(-u)) - exp_minus_1(dist) * (0.5 - cdf_v);
        } else {
            double mills_u;
            double mills_v;
            v_mills_pair(-u, v, &mills_u, &mills_v);
            out.scale = 1.0 - out.density * (mills_u + mills_v);
        }
        return out;
    }
    double gap;
    if (dist < 0.5 && s < 0.5) {
        gap = mills_gap_series(a, h);
    } else {
        double mills_u;
        double mills_v;
        v_mills_pair(u, v, &mills_u, &mills_v);
        gap = mills_u - mills_v;
    }
    out.exponent = exponent;
    out.density = INV_SQRT_2PI;
    out.scale = gap * INV_SQRT_2PI;
    return out;
}

#endif
