/*
 * The normal distribution by Mills' ratio: N(-z) = n(z) Y(z) keeps its relative accuracy as far as
 * the exponential has any.
 */
#include "greeks/normal.h"

#include "greeks/math_int.h"

double hg_normal_pdf(double z) {
    double y = 0.5 * z * z;
    if (!(y <= 2.0 * EXP_NEG_MAX)) return z != z ? z : 0.0;
    double root = v_exp_neg(0.5 * y); /* in two factors: the result may be subnormal */
    return root * (root * INV_SQRT_2PI);
}

double hg_normal_mills(double z) {
    return v_mills(z);
}

double hg_normal_cdf(double z) {
    if (z != z) return z;
    double tail = z * z > 2.0 * 2.0 * EXP_NEG_MAX ? 0.0
                                                  : hg_normal_pdf(z) * hg_normal_mills(fabs(z));
    return z < 0.0 ? tail : 1.0 - tail;
}

/* Rational approximations of P. J. Acklam (2003), relative error 1.15e-9. */
double hg_normal_quantile(double p) {
    static const double a[6] = {2.506628277459239,  -30.66479806614716, 138.3577518672690,
                                -275.9285104469687, 220.9460984245205,  -39.69683028665376};
    static const double b[6] = {1.0,
                                -13.28068155288572,
                                66.80131188771972,
                                -155.6989798598866,
                                161.5858368580409,
                                -54.47609879822406};
    static const double c[6] = {2.938163982698783,  4.374664141464968,   -2.549732539343734,
                                -2.400758277161838, -0.3223964580411365, -0.007784894002430293};
    static const double d[5] = {1.0, 3.754408661907416, 2.445134137142996, 0.3224671290700398,
                                0.007784695709041462};
    double lower = p < 0.5 ? p : 1.0 - p;
    if (lower < 0.02425) {
        double q = sqrt(-2.0 * log(lower));
        double z = v_poly(c, 6, q) / v_poly(d, 5, q);
        return p < 0.5 ? z : -z;
    }
    double q = p - 0.5;
    return q * v_poly(a, 6, q * q) / v_poly(b, 6, q * q);
}
