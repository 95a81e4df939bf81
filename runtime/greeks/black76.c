/* Black-76 for one option: the checks, the limits and the corners around the formulas of
 * formula_int.h. */
#include "greeks/black76.h"

#include <float.h>

#include "greeks/scalar_int.h"

/* n(0) = 1/sqrt(2 pi). */
#define N0 INV_SQRT_2PI

const char *hg_greeks_code(int code) {
    switch (code) {
    case HG_OK:
        return "ok";
    case HG_GREEKS_BAD_INPUT:
        return "bad_input";
    case HG_GREEKS_BELOW_INTRINSIC:
        return "below_intrinsic";
    case HG_GREEKS_ABOVE_MAX:
        return "above_max";
    default:
        return "unknown";
    }
}

const char *hg_greeks_strerror(int code) {
    switch (code) {
    case HG_OK:
        return "no error";
    case HG_GREEKS_BAD_INPUT:
        return "an input is not a number, infinite, or out of its domain";
    case HG_GREEKS_BELOW_INTRINSIC:
        return "the price is below the intrinsic value";
    case HG_GREEKS_ABOVE_MAX:
        return "the price is not below the largest an option can have";
    default:
        return "unknown result of the Greeks";
    }
}

int hg_b76_check(double f, double k, double t, double sigma, int cp) {
    bool ok = f > 0.0 && f <= DBL_MAX && k > 0.0 && k <= DBL_MAX && t >= 0.0 && t <= DBL_MAX &&
              sigma >= 0.0 && sigma <= DBL_MAX && (cp == 1 || cp == -1);
    return ok ? HG_OK : HG_GREEKS_BAD_INPUT;
}

double hg_b76_saturate(double x) {
    if (fabs(x) <= DBL_MAX) return x;
    if (x != x) return 0.0; /* 0 times infinity: the density wins */
    return x > 0.0 ? DBL_MAX : -DBL_MAX;
}

double hg_b76_ln_ratio(double f, double k) {
    return ln_ratio(f, k);
}

/* D = e^-rT; HG_GREEKS_BAD_INPUT where it leaves the range of double. */
int hg_b76_discount(double r, double t, double *discount) {
    if (r == 0.0) {
        *discount = 1.0;
        return HG_OK;
    }
    double d = exp(-r * t);
    if (!(d > 0.0 && d <= DBL_MAX)) return HG_GREEKS_BAD_INPUT;
    *discount = d;
    return HG_OK;
}

/* s -> 0: the limits stated in the header. */
static void all_without_vol(double f, double k, double t, double sigma, int cp, hg_greeks *g) {
    double gain = cp * (f - k);
    *g = (hg_greeks){.price = gain > 0.0 ? gain : 0.0};
    if (gain > 0.0) g->delta = cp;
    g->rho = -t * g->price;
    if (gain != 0.0) return;
    double root_t = sqrt(t);
    g->delta = 0.5 * cp;
    g->vega = f * N0 * root_t;
    g->vanna = 0.5 * N0 * root_t;
    g->ultima = -0.25 * f * N0 * t * root_t;
    if (t > 0.0) g->theta = -0.5 * f * N0 * (sigma / root_t);
}

static void all_undiscounted(double f, double k, double t, double sigma, int cp, hg_greeks *g) {
    hg_b76_regime regime = hg_b76_greeks(g, f, k, t, sigma, cp);
    if (regime == HG_B76_NO_VOL) all_without_vol(f, k, t, sigma, cp, g);
    if (regime == HG_B76_ALL_VOL) {
        *g = (hg_greeks){.price = cp > 0 ? f : k, .delta = cp > 0 ? 1.0 : 0.0};
        g->rho = -t * g->price;
    }
}

/* No output is NaN or infinite. */
static void saturate_each(hg_greeks *g) {
    double *value = &g->price;
    double spoilt = 0.0;
    for (size_t i = 0; i < sizeof *g / sizeof *value; i++) spoilt += 0.0 * value[i];
    if (spoilt == 0.0) return;
    for (size_t i = 0; i < sizeof *g / sizeof *value; i++) value[i] = hg_b76_saturate(value[i]);
}

/* d/dT of D V is D (dV/dT - r V): theta, charm and color gain r times their integral. */
static void discount_each(hg_greeks *g, double discount, double r) {
    g->theta += r * g->price;
    g->charm += r * g->delta;
    g->color += r * g->gamma;
    double *value = &g->price;
    for (size_t i = 0; i < sizeof *g / sizeof *value; i++) value[i] *= discount;
}

int hg_black76_price(double f, double k, double t, double sigma, int cp, double r, double *price) {
    double discount;
    if (hg_b76_check(f, k, t, sigma, cp) != HG_OK || !(fabs(r) <= DBL_MAX) ||
        hg_b76_discount(r, t, &discount) != HG_OK) {
        return HG_GREEKS_BAD_INPUT;
    }
    double value = 0.0;
    hg_b76_regime regime = hg_b76_value(&value, f, k, t, sigma, cp);
    if (regime == HG_B76_NO_VOL) value = v_max(cp * (f - k), 0.0);
    if (regime == HG_B76_ALL_VOL) value = cp > 0 ? f : k;
    *price = hg_b76_saturate(discount * value);
    return HG_OK;
}

int hg_black76_all(double f, double k, double t, double sigma, int cp, double r, hg_greeks *out) {
    double discount;
    if (hg_b76_check(f, k, t, sigma, cp) != HG_OK || !(fabs(r) <= DBL_MAX) ||
        hg_b76_discount(r, t, &discount) != HG_OK) {
        return HG_GREEKS_BAD_INPUT;
    }
    hg_greeks g;
    all_undiscounted(f, k, t, sigma, cp, &g);
    if (r != 0.0) discount_each(&g, discount, r);
    saturate_each(&g);
    *out = g;
    return HG_OK;
}
