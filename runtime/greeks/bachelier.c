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
