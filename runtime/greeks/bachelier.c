/*
 * Bachelier's formulas in the form of formula_int.h: with s = sigma sqrt(T), d = (F - K)/s, n and N
 * the normal density and distribution, Y Mills' ratio,
 *     value = max(cp (F - K), 0) + s n(d) (1 - |d| Y(|d|)),
 * where no two nearly equal probabilities are subtracted out of the money.
 */
#include "greeks/bachelier.h"

#include <float.h>

#include "greeks/normal.h"
#include "greeks/scalar_int.h"

static void undiscounted(double f, double k, double t, double sigma, int cp, hg_greeks *g) {
    double gain = f - k;
    double intrinsic = v_max(cp * gain, 0.0);
    double root_t = sqrt(t);
    double s = sigma * root_t;
    *g = (hg_greeks){.price = intrinsic};
    if (s < 1e-290 || fabs(gain) > 60.0 * s) { /* 60 deviations: n is 0 */
        g->delta = cp * (gain == 0.0 ? 0.5 : cp * gain > 0.0 ? 1.0 : 0.0);
        if (gain == 0.0) g->vega = INV_SQRT_2PI * root_t;
        return;
    }
    double d = gain / s;
    double n = hg_normal_pdf(d);
    double mills = hg_normal_mills(fabs(d));
    double tail = n * mills;
    double half_rate = 0.5 / t;
    g->price = intrinsic + s * n * (1.0 - fabs(d) * mills);
    g->delta = cp * (cp * d < 0.0 ? tail : 1.0 - tail);
    g->gamma = n / s;
    g->vega = n * root_t;
    g->theta = -n * sigma / (2.0 * root_t);
    g->vanna = -n * d / sigma;
    g->volga = g->vega * d * d / sigma;
    g->charm = n * d * half_rate;
    g->speed = -g->gamma * d / s;
    g->color = g->gamma * (1.0 - d * d) * half_rate;
    g->zomma = g->gamma * (d * d - 1.0) / sigma;
    g->ultima = g->vega / sigma * (d * d / sigma) * (d * d - 3.0);
}

int hg_bachelier_all(double f, double k, double t, double sigma, int cp, double r, hg_greeks *out) {
    double discount;
    if (!(fabs(f) <= DBL_MAX && fabs(k) <= DBL_MAX && fabs(r) <= DBL_MAX) ||
        hg_b76_check(1.0, 1.0, t, sigma, cp) != HG_OK ||
        hg_b76_discount(r, t, &discount) != HG_OK) {
        return HG_GREEKS_BAD_INPUT;
    }
    hg_greeks g;
    undiscounted(f, k, t, sigma, cp, &g);
    g.theta += r * g.price;
    g.charm += r * g.delta;
    g.color += r * g.gamma;
    g.rho = -t * g.price;
    double *value = &g.price;
    for (size_t i = 0; i < sizeof g / sizeof *value; i++) {
        value[i] = hg_b76_saturate(discount * value[i]);
    }
    *out = g;
    return HG_OK;
}

#define SQRT_2PI 2.5066282746310002

/*
 * The d > 0 with g(d) = y, where g(d) = n(d)/d - N(-d) = n(d) (1 - d Y(d))/d is the time value over
 * |F - K| at d deviations. In u = ln d the slope of ln g is -1/q, q = 1 - d Y(d), and its own slope
 * d (d q - Y)/q^2 is negative: Newton's method comes home from anywhere, and Halley's takes two to
 * five steps. ln(g/y) is taken of the ratio, so that nothing is lost to the size of ln y, and an
 * error of q counts q times: it is 1/d^2 where cancellation makes it uncertain.
 */
static double deviations_solve(double y) {
    double far = -2.0 * log(y * SQRT_2PI);
    double d = 1.0 / (SQRT_2PI * (y + 0.5));
    if (y < 0.02) {
        d = sqrt(far);
        d = sqrt(v_max(far - 6.0 * log(d), 1.0));
    }
    for (int i = 0; i < 20; i++) {
        double mills = hg_normal_mills(d);
        double q = 1.0 - d * mills;
        double miss = log(hg_normal_pdf(d) * q / d / y);
        double slope = -1.0 / q;
        double bend = d * (d * q - mills) / (q * q);
        double newton = -miss / slope;
        double halley = newton / (1.0 + 0.5 * newton * bend / slope);
        double step = v_max(-1.0, v_min(1.0, halley));
        d += d * v_fma(0.5 * step, step, step); /* e^step, to 1e-22 at the end */
        if (fabs(step) < 1e-7) break;
    }
    return d;
}

int hg_bachelier_implied_vol(double price, double f, double k, double t, int cp, double r,
                             double *sigma) {
    double discount;
    double gain = f - k;
    if (!(fabs(f) <= DBL_MAX && fabs(k) <= DBL_MAX && fabs(gain) <= DBL_MAX) ||
        !(fabs(r) <= DBL_MAX && fabs(price) <= DBL_MAX) ||
        hg_b76_check(1.0, 1.0, t, 0.0, cp) != HG_OK || t == 0.0 ||
        hg_b76_discount(r, t, &discount) != HG_OK) {
        return HG_GREEKS_BAD_INPUT;
    }
    double intrinsic = v_max(cp * gain, 0.0);
    double time_value = price / discount - intrinsic;
    double slack = r == 0.0 ? 0.0 : 4.0 * DBL_EPSILON * intrinsic;
    if (time_value < -slack) return HG_GREEKS_BELOW_INTRINSIC;
    if (time_value <= slack) {
        *sigma = 0.0;
        return HG_OK;
    }
    /* Near the money s = sqrt(2 pi) (time value + |F - K|/2) to the second order in d. */
    double m = fabs(gain);
    double s = SQRT_2PI * (time_value + 0.5 * m);
    if (m > 1e-9 * s) s = m / deviations_solve(time_value / m);
    *sigma = hg_b76_saturate(s / sqrt(t));
    return HG_OK;
}
