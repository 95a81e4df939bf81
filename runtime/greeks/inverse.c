/*
 * Coin-settled options on the formulas of Black-76. The coin delta F dc/dF = delta - V/F looks like
 * a difference and is not one: for a call delta - c = N(d1) - N(d1) + (K/F) N(d2), so
 * delta_net = cp (K/F) N(cp d2), which keeps its accuracy out of the money.
 */
#include "greeks/inverse.h"

#include "greeks/black76.h"
#include "greeks/scalar_int.h"

static void inverse_without_vol(double f, double k, double t, double sigma, int cp,
                                hg_inverse_greeks *g) {
    double gain = cp * (f - k);
    *g = (hg_inverse_greeks){.price = gain > 0.0 ? gain / f : 0.0};
    if (gain < 0.0) return;
    double share = gain > 0.0 ? 1.0 : 0.5;
    g->delta = share * cp;
    g->delta_net = share * cp * (k / f);
    if (gain > 0.0) {
        g->gamma = -2.0 * g->delta_net / f / f;
        return;
    }
    g->vega = INV_SQRT_2PI * sqrt(t);
    if (t > 0.0) g->theta = -0.5 * INV_SQRT_2PI * (sigma / sqrt(t));
}

static void inverse_any(double f, double k, double t, double sigma, int cp, hg_inverse_greeks *g) {
    b76 o;
    hg_b76_regime regime = hg_b76_prepare(&o, f, k, t, sigma, cp);
    if (regime == HG_B76_NO_VOL) {
        inverse_without_vol(f, k, t, sigma, cp, g);
        return;
    }
    if (regime == HG_B76_ALL_VOL) { /* c = 1 for a call, K/F for a put */
        *g = (hg_inverse_greeks){.price = 1.0, .delta = 1.0};
        if (cp > 0) return;
        double ratio = k / f;
        *g = (hg_inverse_greeks){.price = ratio, .delta_net = -ratio, .gamma = 2.0 * ratio / f / f};
        return;
    }
    bool in_tail = cp * o.d2 < 0.0;
    g->price = b76_price(&o) * o.inv_f;
    g->delta = b76_delta(&o);
    g->delta_net = cp * (in_tail ? o.tail2 : k * o.inv_f - o.tail2);
    /* c'' = V''/F - 2 (F c')/F^2 */
    g->gamma = (b76_gamma(&o) - 2.0 * g->delta_net * o.inv_f) * o.inv_f;
    g->vega = o.n1 * o.root_t;
    g->theta = b76_theta(&o) * o.inv_f;
}

int hg_inverse_all(double f, double k, double t, double sigma, int cp, hg_inverse_greeks *out) {
    if (hg_b76_check(f, k, t, sigma, cp) != HG_OK) return HG_GREEKS_BAD_INPUT;
    hg_inverse_greeks g;
    inverse_any(f, k, t, sigma, cp, &g);
    double *value = &g.price;
    for (size_t i = 0; i < sizeof g / sizeof *value; i++) value[i] = hg_b76_saturate(value[i]);
    *out = g;
    return HG_OK;
}
