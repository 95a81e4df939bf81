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
    vd f, k, t, sigma, cp;
    vd m; /* min(F, K) */
    vd root_t;
    vd s, inv_s;
    vd inv_f, inv_fs; /* 1/F, 1/(F s) */
    vd x;             /* ln(F/K) */
    vd d1, d2;
    vd a;     /* F n(d1) = K n(d2), money */
    vd n1;    /* n(d1) */
    vd tail1; /* N(-|d1|) */
    vd tail2; /* (K/F) N(-|d2|) */
    vd time;  /* time value, money */
} b76;

/*
 * The preparation is in steps with one function of math_int.h between them, which the caller
 * applies: the batch loop to several options in lockstep, b76_prepare to one.
 *
 * F, K, T, sigma > 0.
 */
VEC_FN void b76_take(b76 *o, vd f, vd k, vd t, vd sigma, vd cp) {
    o->f = f;
    o->k = k;
    o->t = t;
    o->sigma = sigma;
    o->cp = cp;
    o->m = v_min(f, k);
    o->root_t = v_sqrt(t);
    o->s = sigma * o->root_t;
}

/* The reciprocals are there; x = ln(F/K). */
VEC_FN void b76_measure(b76 *o, vd x) {
    o->x = x;
    vd dist = x * o->inv_s;
    vd half = o->s * v_set(0.5);
    o->d1 = dist + half;
    o->d2 = dist - half;
}

/* u^2/2, with |u| = min(|d1|, |d2|). */
VEC_FN vd b76_exponent(const b76 *o) {
    vd u = v_min(v_abs(o->d1), v_abs(o->d2));
    return v_set(0.5) * (u * u);
}

/* `e` is e^-exponent; a density below e^-EXP_NEG_MAX is taken as 0. */
VEC_FN void b76_density(b76 *o, vd exponent, vd e) {
    vd n = e * v_set(INV_SQRT_2PI);
    n = v_select(v_lt(exponent, v_set(EXP_NEG_MAX)), n, v_set(0.0));
    o->a = o->m * n;
    o->n1 = o->a * o->inv_f;
}

/* mills1 = Y(|d1|), mills2 = Y(|d2|). u < 0 if and only if d2 < 0 < d1, and then the time value is
 * m - A (Y(-u) + Y(v)). */
VEC_FN void b76_tails(b76 *o, vd mills1, vd mills2) {
    o->tail1 = o->n1 * mills1;
    o->tail2 = o->n1 * mills2;
    vd sum = v_fma(-o->a, mills1 + mills2, o->m);
    o->time = v_select_negative(o->d1 * o->d2, sum, o->a * v_abs(mills1 - mills2));
}

/* One option, or one vector of them; x = ln(F/K). */
VEC_FN void b76_prepare(b76 *o, vd f, vd k, vd x, vd t, vd sigma, vd cp) {
    vd mills1;
    vd mills2;
    b76_take(o, f, k, t, sigma, cp);
    o->inv_s = v_set(1.0) / o->s;
    o->inv_f = v_set(1.0) / f;
    o->inv_fs = o->inv_f * o->inv_s;
    b76_measure(o, x);
    v_mills_pair(v_abs(o->d1), v_abs(o->d2), &mills1, &mills2);
    vd exponent = b76_exponent(o);
    b76_density(o, exponent, v_exp_neg(exponent));
    b76_tails(o, mills1, mills2);
}

/* max(cp (F - K), 0) + time value. */
VEC_FN vd b76_price(const b76 *o) {
    return v_max(o->cp * (o->f - o->k), v_set(0.0)) + o->time;
}

/* dV/dF = cp N(cp d1). */
VEC_FN vd b76_delta(const b76 *o) {
    return o->cp * v_select_negative(o->cp * o->d1, o->tail1, v_set(1.0) - o->tail1);
}

/* d2V/dF2 = n(d1)/(F s). */
VEC_FN vd b76_gamma(const b76 *o) {
    return o->n1 * o->inv_fs;
}

/* dV/dsigma = F n(d1) sqrt(T). */
VEC_FN vd b76_vega(const b76 *o) {
    return o->a * o->root_t;
}

/* -dV/dT = -F n(d1) sigma/(2 sqrt T), with 1/sqrt(T) = sigma/s. */
VEC_FN vd b76_theta(const b76 *o) {
    return o->a * (o->sigma * v_set(-0.5) * (o->sigma * o->inv_s));
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
