/*
 * The Black-76 formulas, each output in one place, for one option or a vector of them.
 *
 * Symbols   F forward, K strike, T years, sigma vol per sqrt(year), D = e^-rT, s = sigma sqrt(T),
 *           x = ln(F/K), d1 = x/s + s/2, d2 = x/s - s/2, n and N the normal density and
 *           distribution, Y(z) = N(-z)/n(z) Mills' ratio.
 * The form  With a = |x|/s, u = a - s/2, v = a + s/2, m = min(F,K) and A = m n(u):
 *               A = F n(d1) = K n(d2)
 *               time value = A (Y(u) - Y(v)),   Y(-z) = 1/n(z) - Y(z)
 *           One exponential serves everything, nothing underflows before the result does, and
 *           out of the money there is no difference of two nearly equal probabilities; F N(d1) -
 *           K N(d2) loses all digits there. For calls and puts alike
 *               value = max(cp (F - K), 0) + time value.
 *           The identity F n(d1) = K n(d2) is textbook (Hull, Options, ch. 19); the form is that of
 *           Jaeckel, "Let's Be Rational", Wilmott 2015, section 6.
 */
#ifndef HG_GREEKS_FORMULA_INT_H
#define HG_GREEKS_FORMULA_INT_H

#include "greeks/math_int.h"

/* What all outputs share; everything undiscounted. */
typedef struct b76 {
    vd f, t, sigma, cp;
    vd root_t;
    vd s, inv_s;
    vd x; /* ln(F/K) */
    vd d1, d2;
    vd a;     /* F n(d1) = K n(d2), money */
    vd n1;    /* n(d1) */
    vd tail1; /* N(-|d1|) */
    vd tail2; /* (K/F) N(-|d2|) */
    vd time;  /* time value, money */
    vd intrinsic;
    vd inv_f;
} b76;

/*
 * For F, K, T, sigma > 0 and x = ln(F/K). A density below e^-EXP_NEG_MAX is taken as 0.
 */
VEC_FN void b76_prepare(b76 *o, vd f, vd k, vd x, vd t, vd sigma, vd cp) {
    const vd zero = v_set(0.0);
    o->f = f;
    o->t = t;
    o->sigma = sigma;
    o->cp = cp;
    o->root_t = v_sqrt(t);
    o->s = sigma * o->root_t;
    o->inv_s = v_set(1.0) / o->s;
    o->inv_f = v_set(1.0) / f;
    o->x = x;
    vd dist = o->x * o->inv_s;
    vd half = o->s * v_set(0.5);
    o->d1 = dist + half;
    o->d2 = dist - half;
    vd u = v_abs(dist) - half;
    vd v = v_abs(dist) + half;
    vm below = v_lt(o->x, zero);

    vd y = u * u * v_set(0.5);
    vd density = v_exp_neg(v_min(y, v_set(EXP_NEG_MAX))) * v_set(INV_SQRT_2PI);
    density = v_select(v_lt(v_set(EXP_NEG_MAX), y), zero, density);
    o->a = v_min(f, k) * density;
    o->n1 = v_select(below, density, o->a * o->inv_f);

    vd mills_u;
    vd mills_v;
    v_mills_pair(v_abs(u), v, &mills_u, &mills_v);
    o->tail1 = o->n1 * v_select(below, mills_u, mills_v);
    o->tail2 = o->n1 * v_select(below, mills_v, mills_u);
    vm inside = v_lt(u, zero);
    vd gap = v_select(inside, -mills_u, mills_u) - mills_v;
    o->time = v_fma(o->a, gap, v_select(inside, v_min(f, k), zero));
    o->intrinsic = v_max(cp * (f - k), zero);
}

VEC_FN vd b76_price(const b76 *o) {
    return o->intrinsic + o->time;
}

/* dV/dF = cp N(cp d1). */
VEC_FN vd b76_delta(const b76 *o) {
    vm in_tail = v_lt(o->cp * o->d1, v_set(0.0));
    return o->cp * v_select(in_tail, o->tail1, v_set(1.0) - o->tail1);
}

/* d2V/dF2 = n(d1)/(F s). */
VEC_FN vd b76_gamma(const b76 *o) {
    return o->n1 * o->inv_f * o->inv_s;
}

/* dV/dsigma = F n(d1) sqrt(T). */
VEC_FN vd b76_vega(const b76 *o) {
    return o->a * o->root_t;
}

/* -dV/dT = -F n(d1) sigma / (2 sqrt T), with sqrt(T) = s/sigma. */
VEC_FN vd b76_theta(const b76 *o) {
    return v_set(-0.5) * o->a * (o->sigma * o->sigma) * o->inv_s;
}

/* d2V/dF dsigma = -n(d1) d2/sigma, with 1/sigma = sqrt(T)/s. */
VEC_FN vd b76_vanna(const b76 *o) {
    return -o->n1 * o->d2 * (o->root_t * o->inv_s);
}

/* d2V/dsigma2 = vega d1 d2 / sigma. */
VEC_FN vd b76_volga(const b76 *o) {
    return o->a * o->d1 * o->d2 * (o->t * o->inv_s);
}

/* 1/(2T) = (sigma/s)^2 / 2. */
VEC_FN vd b76_half_rate(const b76 *o) {
    vd per_root = o->sigma * o->inv_s;
    return v_set(0.5) * per_root * per_root;
}

/* -d delta/dT = n(d1) d2 / (2T), since d d1/dT = -d2/(2T). */
VEC_FN vd b76_charm(const b76 *o) {
    return o->n1 * o->d2 * b76_half_rate(o);
}

/* d gamma/dF = -gamma/F (1 + d1/s). */
VEC_FN vd b76_speed(const b76 *o) {
    return -b76_gamma(o) * o->inv_f * v_fma(o->d1, o->inv_s, v_set(1.0));
}

/* -d gamma/dT = gamma (1 - d1 d2)/(2T). */
VEC_FN vd b76_color(const b76 *o) {
    return b76_gamma(o) * v_fma(-o->d1, o->d2, v_set(1.0)) * b76_half_rate(o);
}

/* d gamma/dsigma = gamma (d1 d2 - 1)/sigma. */
VEC_FN vd b76_zomma(const b76 *o) {
    return b76_gamma(o) * v_fma(o->d1, o->d2, v_set(-1.0)) * (o->root_t * o->inv_s);
}

/* d3V/dsigma3 = vega/sigma^2 (p^2 - p - d1^2 - d2^2), p = d1 d2. */
VEC_FN vd b76_ultima(const b76 *o) {
    vd p = o->d1 * o->d2;
    vd sum = v_fma(o->d1, o->d1, v_fma(o->d2, o->d2, p));
    vd inv_sigma = o->root_t * o->inv_s;
    return b76_vega(o) * inv_sigma * inv_sigma * v_fma(p, p, -sum);
}

#endif
