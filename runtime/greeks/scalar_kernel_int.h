/*
 * The arithmetic behind the one-option functions, in plain doubles; included once by
 * scalar_portable.c and once by scalar_avx2.c, which is compiled with fused multiply-add and is a
 * quarter faster. They name its functions by HG_SCALAR(name).
 */
#ifndef HG_GREEKS_SCALAR_KERNEL_INT_H
#define HG_GREEKS_SCALAR_KERNEL_INT_H

#include "greeks/normal.h"
#include "greeks/scalar_int.h"
#include "greeks/timevalue_int.h"
#include "greeks/vol_int.h"

#ifndef HG_SCALAR /* the header on its own */
#define HG_SCALAR(name) name##_portable
#endif

/* What b76_prepare took for 0: the density in two factors, so that it may become subnormal. */
__attribute__((noinline)) static void refill_deep_tail(b76 *o, double k, double u) {
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

/* In line, so that what a caller reads of `o` need not go through memory. */
VEC_FN hg_b76_regime prepare(b76 *o, double f, double k, double t, double sigma, int cp) {
    double x = ln_ratio(f, k);
    double dist = fabs(x);
    double s = sigma * sqrt(t);
    if (s < 1e-290 || dist > 1e4 * s) return HG_B76_NO_VOL;
    if (s > 1e4) return HG_B76_ALL_VOL;
    b76_prepare(o, f, k, x, t, sigma, cp);
    if (f < 1e-300) { /* 1/F may be infinite; n(d1) is not */
        o->n1 = o->a / f;
        o->tail1 = o->n1 * v_mills(fabs(o->d1));
        o->tail2 = o->n1 * v_mills(fabs(o->d2));
    }
    double u = dist * o->inv_s - 0.5 * o->s;
    if (0.5 * u * u > EXP_NEG_MAX && u > 0.0 && u < 60.0) refill_deep_tail(o, k, u);
    /* Y(u) - Y(v) loses 1/s digits near the money; the price need not. */
    if (o->s < 0.05 && o->s > 0.0 && dist < 0.5 && u < 37.0) {
        hg_time_value tv = time_value_get(dist, o->s);
        o->time = v_min(f, k) * tv.scale;
        if (tv.exponent > 0.0) o->time *= v_exp_neg(tv.exponent);
    }
    return HG_B76_REGULAR;
}

hg_b76_regime HG_SCALAR(hg_b76_prepare)(b76 *o, double f, double k, double t, double sigma,
                                        int cp) {
    return prepare(o, f, k, t, sigma, cp);
}

hg_b76_regime HG_SCALAR(hg_b76_value)(double *value, double f, double k, double t, double sigma,
                                      int cp) {
    b76 o;
    hg_b76_regime regime = prepare(&o, f, k, t, sigma, cp);
    if (regime == HG_B76_REGULAR) *value = b76_price(&o);
    return regime;
}

hg_b76_regime HG_SCALAR(hg_b76_greeks)(hg_greeks *g, double f, double k, double t, double sigma,
                                       int cp) {
    b76 o;
    hg_b76_regime regime = prepare(&o, f, k, t, sigma, cp);
    if (regime != HG_B76_REGULAR) return regime;
    g->price = b76_price(&o);
    g->delta = b76_delta(&o);
    g->gamma = b76_gamma(&o);
    g->vega = b76_vega(&o);
    g->theta = b76_theta(&o);
    g->rho = -t * g->price;
    g->vanna = b76_vanna(&o);
    g->volga = b76_volga(&o);
    g->charm = b76_charm(&o);
    g->speed = b76_speed(&o);
    g->color = b76_color(&o);
    g->zomma = b76_zomma(&o);
    g->ultima = b76_ultima(&o);
    return regime;
}

/* A start off by 30 % takes three steps; the fourth is for s of 30 and more. */
enum { STEPS_MAX = 6 };

/* Relative: the next step would be of the fourth power of it. */
#define STEP_SMALL 2e-5

/* Where the first step may be rough: Y(u) - Y(v) keeps its digits, and e^(u^2/2) is no overflow. */
#define ROUGH_MIN 1e-9
#define ROUGH_MAX 10.0

static inline double limited(double step, double s) {
    if (fabs(step) < 0.5 * s) return step; /* foreseen, so nothing waits for it */
    return v_min(v_max(step, -0.5 * s), s);
}

/* unit = min(F,K); s such that unit b(s) = time_value. */
static inline double solve_low(double dist, double unit, double fk, double time_value) {
    double s = vol_start(dist, fk, time_value);
    if (s > ROUGH_MIN && s < ROUGH_MAX) {
        s += limited(vol_step_rough(dist, s, 1.0 / s, time_value * SQRT_2PI / unit), s);
    }
    for (int i = 0; i < STEPS_MAX; i++) {
        hg_time_value b = time_value_get(dist, s);
        double ln_gap = ln_ratio(time_value, unit * b.scale) + b.exponent;
        double step = limited(vol_step(dist, s, 1.0 / s, b.scale / b.density, ln_gap), s);
        s += step;
        if (fabs(step) < STEP_SMALL * s) break;
    }
    return s;
}

/*
 * The same for 1 - b = rest/unit. 1 - b = n(u) (Y(-u) + Y(v)) for u < 0, and
 * ln(1 - b) has the slope -1/(Y(-u) + Y(v)).
 */
static inline double solve_high(double dist, double unit, double fk, double rest) {
    double half = v_max(0.5 * (rest / fk), 1e-300);
    double s = v_max(-2.0 * hg_normal_quantile(half), sqrt(2.0 * dist) * 1.0000001);
    for (int i = 0; i < STEPS_MAX; i++) {
        double a = dist / s;
        double u = v_max(0.5 * s - a, 0.0); /* -u; s stays above sqrt(2 dist) */
        double mills_u;
        double mills_v;
        v_mills_pair(u, a + 0.5 * s, &mills_u, &mills_v);
        double sum = mills_u + mills_v;
        double ln_over = 0.5 * u * u + ln_ratio(rest, unit * sum * INV_SQRT_2PI);
        /* In vol_step b'/b is -1/sum here: b is 1 - b, and so is its slope's sign. */
        double step = limited(vol_step(dist, s, 1.0 / s, -sum, ln_over), s);
        s += step;
        if (fabs(step) < STEP_SMALL * s) break;
    }
    return s;
}

double HG_SCALAR(hg_vol_solve)(double f, double k, double time_value, double rest) {
    double unit = v_min(f, k);
    double dist = fabs(ln_ratio(f, k));
    double fk = sqrt(f) * sqrt(k);
    return time_value < VOL_HIGH * unit ? solve_low(dist, unit, fk, time_value)
                                        : solve_high(dist, unit, fk, rest);
}

#endif
