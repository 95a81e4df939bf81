/*
 * Black-76 for one option: the checks, the limits and the corners around the formulas of
 * formula_int.h.
 */
#include "greeks/black76.h"

#include <float.h>

#include "greeks/normal.h"
#include "greeks/scalar_int.h"
#include "greeks/timevalue_int.h"

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
    /* Inside, v_ln_ratio's exponent arithmetic and its sum f + k stay in range. */
    if (f > 1e-300 && f < 1e300 && k > 1e-300 && k < 1e300) return v_ln_ratio(f, k);
    int exp_f;
    int exp_k;
    double x = v_ln_ratio(frexp(f, &exp_f), frexp(k, &exp_k));
    return x + (exp_f - exp_k) * 0.69314718055994530942;
}

/* What b76_prepare took for 0: the density in two factors, so that it may become subnormal. */
static void refill_deep_tail(b76 *o, double k, double u) {
    double root = v_exp_neg(v_min(0.25 * u * u, EXP_NEG_MAX));
    double mills_u;
    double mills_v;
    v_mills_pair(u, u + o->s, &mills_u, &mills_v);
    o->a = v_min(o->f, k) * root * root * INV_SQRT_2PI;
    o->n1 = o->a * o->inv_f;
    o->time = o->a * (mills_u - mills_v);
    o->tail1 = o->n1 * (o->x < 0.0 ? mills_u : mills_v);
    o->tail2 = o->n1 * (o->x < 0.0 ? mills_v : mills_u);
}

hg_b76_regime hg_b76_prepare(b76 *o, double f, double k, double t, double sigma, int cp) {
    double x = hg_b76_ln_ratio(f, k);
    double dist = fabs(x);
    double s = sigma * sqrt(t);
    if (s < 1e-290 || dist > 1e4 * s) return HG_B76_NO_VOL;
    if (s > 1e4) return HG_B76_ALL_VOL;
    b76_prepare(o, f, k, x, t, sigma, cp);
    if (f < 1e-300) { /* 1/F may be infinite; n(d1) is not */
        o->n1 = o->a / f;
        o->tail1 = o->n1 * hg_normal_mills(fabs(o->d1));
        o->tail2 = o->n1 * hg_normal_mills(fabs(o->d2));
    }
    double u = dist * o->inv_s - 0.5 * o->s;
    if (0.5 * u * u > EXP_NEG_MAX && u > 0.0 && u < 60.0) refill_deep_tail(o, k, u);
    /* Y(u) - Y(v) loses 1/s digits near the money; the price need not. */
    if (o->s < 0.05 && o->s > 0.0 && dist < 0.5 && u < 37.0) {
        hg_time_value tv = hg_time_value_get(dist, o->s);
        o->time = v_min(f, k) * tv.scale;
        if (tv.exponent > 0.0) o->time *= v_exp_neg(tv.exponent);
    }
    return HG_B76_REGULAR;
}

/* D = e^-rT; the result is 0 or HG_GREEKS_BAD_INPUT where it leaves the range of double. */
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
    if (gain != 0.0) return;
    double root_t = sqrt(t);
    g->delta = 0.5 * cp;
    g->vega = f * N0 * root_t;
    g->vanna = 0.5 * N0 * root_t;
    g->ultima = -0.25 * f * N0 * t * root_t;
    if (t > 0.0) g->theta = -0.5 * f * N0 * (sigma / root_t);
}

static void all_undiscounted(double f, double k, double t, double sigma, int cp, hg_greeks *g) {
    b76 o;
    hg_b76_regime regime = hg_b76_prepare(&o, f, k, t, sigma, cp);
    if (regime == HG_B76_NO_VOL) {
        all_without_vol(f, k, t, sigma, cp, g);
        return;
    }
    if (regime == HG_B76_ALL_VOL) {
        *g = (hg_greeks){.price = cp > 0 ? f : k, .delta = cp > 0 ? 1.0 : 0.0};
        return;
    }
    g->price = b76_price(&o);
    g->delta = b76_delta(&o);
    g->gamma = b76_gamma(&o);
    g->vega = b76_vega(&o);
    g->theta = b76_theta(&o);
    g->vanna = b76_vanna(&o);
    g->volga = b76_volga(&o);
    g->charm = b76_charm(&o);
    g->speed = b76_speed(&o);
    g->color = b76_color(&o);
    g->zomma = b76_zomma(&o);
    g->ultima = b76_ultima(&o);
}

int hg_black76_price(double f, double k, double t, double sigma, int cp, double r, double *price) {
    double discount;
    if (hg_b76_check(f, k, t, sigma, cp) != HG_OK || !(fabs(r) <= DBL_MAX) ||
        hg_b76_discount(r, t, &discount) != HG_OK) {
        return HG_GREEKS_BAD_INPUT;
    }
    b76 o;
    hg_b76_regime regime = hg_b76_prepare(&o, f, k, t, sigma, cp);
    double value;
    if (regime == HG_B76_REGULAR) {
        value = b76_price(&o);
    } else if (regime == HG_B76_NO_VOL) {
        value = v_max(cp * (f - k), 0.0);
    } else {
        value = cp > 0 ? f : k;
    }
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
    /* d/dT of D V is D (dV/dT - r V): theta, charm and color gain r times their integral. */
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
