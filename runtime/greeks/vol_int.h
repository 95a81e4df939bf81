/*
 * Implied vol over the vector layer: a start good to a fraction of a per cent, and the step that
 * squares its error twice.
 *
 * Symbols   dist = |ln(F/K)|, s = sigma sqrt(T), a = dist/s, h = s/2, u = a - h, v = a + h,
 *           b = time value/min(F,K), n the normal density, Y Mills' ratio, D(a) = 1 - a Y(a).
 */
#ifndef HG_GREEKS_VOL_INT_H
#define HG_GREEKS_VOL_INT_H

#include "greeks/math_int.h"

#define SQRT_2PI 2.5066282746310005

/* Above this part of its largest value a price is inverted through what it lacks of it. */
#define VOL_HIGH 0.9

/*
 * The start. For small s an option is Bachelier's: time value/sqrt(FK) = dist n(a) D(a)/a. The
 * inverse of n(a) D(a)/a in p = dist sqrt(FK)/(time value) is
 *     a = y R(sqrt y),  y = ln(1 + p),
 * R a rational function fitted (60 digits, least squares reweighted) to 2.8e-4 for all p >= 0,
 * from at the money (a = 0) to 38 deviations. Larger s make it low: by 1 % at s = 0.5, by 28 % at
 * s = 3. `fk` is sqrt(F K).
 */
VEC_FN vd vol_start(vd dist, vd fk, vd time_value) {
    const vd one = v_set(1.0);
    vd scaled = time_value / fk;
    vd p = v_min(v_max(dist * (fk / time_value), v_set(1e-4)), v_set(1e300));
    vd y = v_ln_ratio(one + p, one);
    vd z = v_sqrt(y);
    vd top = v_fma(
        v_fma(v_fma(v_set(0.01966156377), z, v_set(0.03456130909)), z, v_set(0.008303439495)), z,
        v_set(0.3987000428));
    vd bottom = v_fma(
        v_fma(v_fma(v_fma(v_set(0.01394991276), z, v_set(0.02297131736)), z, v_set(0.11087986)), z,
              v_set(0.01280114533)),
        z, one);
    return scaled * p * bottom / (y * top); /* dist/a, also where both are 0 */
}

/*
 * Householder's step of order four on ln b (Jaeckel, "Let's Be Rational", 2015, section 5), from
 * newton = (ln beta - ln b)/(b'/b) and bend = b''/b', turn = b'''/b'; gap = b/b'.
 */
VEC_FN vd vol_step(vd dist, vd s, vd inv_s, vd gap, vd ln_gap) {
    vd a = dist * inv_s;
    vd ratio = a * inv_s;
    vd newton = ln_gap * gap;
    vd bend = a * ratio - v_set(0.25) * s;
    vd turn = bend * bend - v_set(3.0) * (ratio * ratio) - v_set(0.25);
    vd first = v_fma(newton, bend, -ln_gap);
    vd cross = newton * bend * ln_gap;
    vd second = v_fma(newton * newton, turn, v_set(2.0) * ln_gap * ln_gap - v_set(3.0) * cross);
    vd top = v_fma(v_set(0.5), first, v_set(1.0));
    vd bottom = v_fma(v_set(1.0 / 6.0), second, v_set(1.0) + first);
    return newton * top / bottom;
}

#endif
