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

/*
 * A small step to the fifth order, without logarithm or division. With miss = (beta - b)/b' and
 * B = b''/b', w = dB/ds, the equation beta = b(s + step) is
 *     miss = step + B step^2/2 + (B^2 + w) step^3/6 + (B^3 + 3 B w + w') step^4/24 + ...
 * and this is its inverse. What it leaves out is miss bent^4/5 and less, bent = B miss.
 */
VEC_FN vd vol_step_small(vd dist, vd s, vd inv_s, vd miss, vd *bent) {
    vd ratio = dist * inv_s * inv_s;
    vd ratio2 = ratio * ratio;
    vd bend = v_fma(dist, inv_s * ratio, v_set(-0.25) * s);
    vd turn = v_fma(v_set(-3.0), ratio2, v_set(-0.25)); /* w; w' = 12 ratio2/s */
    vd m = bend * miss;
    vd miss2 = miss * miss;
    vd turned = miss2 * turn;
    vd third = v_fma(v_set(-1.0 / 6.0), turned, m * m * v_set(1.0 / 3.0));
    vd fourth = m * v_fma(v_set(7.0 / 24.0), turned, v_set(-0.25) * (m * m));
    vd last = v_set(-0.5) * (miss2 * miss) * (ratio2 * inv_s);
    *bent = m;
    return v_fma(miss, v_fma(v_set(-0.5), m, third) + (fourth + last), miss);
}

/*
 * The first of two steps need not be better than the start allows: it errs by 1e-5 or so anyway,
 * and the second squares that twice. So it has a Mills' ratio to 2e-6, an exponential to 3e-7 and a
 * logarithm to 3e-8 (fits as in math_int.h).
 */
static const double rough_p[4] = {22.9480952006, 18.0614228058, 6.35680700394, 0.999998338232};
static const double rough_q[4] = {18.3099612873, 29.0188323019, 19.079937376, 6.35635841072};
static const double rough_exp_c[4] = {0.499997489752, 0.166667746397, 0.0418339741478,
                                      0.00834128727686};
static const double rough_ln_c[3] = {0.666667154046, 0.399784326919, 0.299746656264};

VEC_FN mills_parts v_mills_rough(vd z) {
    vd top = v_fma(v_set(rough_p[3]), z, v_set(rough_p[2]));
    vd bottom = v_fma(z + v_set(rough_q[3]), z, v_set(rough_q[2]));
    top = v_fma(top, z, v_set(rough_p[1]));
    bottom = v_fma(bottom, z, v_set(rough_q[1]));
    return (mills_parts){v_fma(top, z, v_set(rough_p[0])), v_fma(bottom, z, v_set(rough_q[0]))};
}

/* e^y for 0 <= y <= EXP_NEG_MAX; beyond it anything. */
VEC_FN vd v_exp_rough(vd y) {
    vd shifted;
    vd r = v_exp_split(-y, &shifted);
    vd low = v_fma(v_set(rough_exp_c[1]), r, v_set(rough_exp_c[0]));
    vd high = v_fma(v_set(rough_exp_c[3]), r, v_set(rough_exp_c[2]));
    return v_exp_join(r, shifted, v_fma(high, r * r, low));
}

VEC_FN vd v_ln_join_rough(ln_parts part, vd q) {
    vd q2 = q * q;
    vd p = v_fma(v_fma(v_set(rough_ln_c[2]), q2, v_set(rough_ln_c[1])), q2, v_set(rough_ln_c[0]));
    return v_fma(part.n, v_set(LN2_HI), v_fma(q2 * q, p, q + q));
}

/* With u = a - h, v = a + h: y = u^2/2. */
VEC_FN vd vol_arguments(vd dist, vd s, vd inv_s, vd *u, vd *v) {
    vd a = dist * inv_s;
    vd half = v_set(0.5) * s;
    *u = a - half;
    *v = a + half;
    return v_set(0.5) * (*u * *u);
}

/*
 * b/b' = Y(u) - Y(v) as a quotient, from Mills' ratios at |u| and v, with
 * Y(-u) = e^y sqrt(2 pi) - Y(u).
 */
VEC_FN mills_parts vol_gap(vd u, mills_parts at_u, mills_parts at_v, vd grown) {
    vd bottom = at_u.bottom * at_v.bottom;
    vd near = at_u.top * at_v.bottom;
    vd mirrored = v_fma(grown * v_set(SQRT_2PI), bottom, -near);
    vd top = v_fma(-at_v.top, at_u.bottom, v_select_negative(u, mirrored, near));
    return (mills_parts){top, bottom};
}

/* The first step; value = sqrt(2 pi) time value/min(F,K), and ln(beta/b) = ln(value/gap) + y. */
VEC_FN vd vol_step_rough(vd dist, vd s, vd inv_s, vd value) {
    vd u;
    vd v;
    vd y = vol_arguments(dist, s, inv_s, &u, &v);
    mills_parts gap = vol_gap(u, v_mills_rough(v_abs(u)), v_mills_rough(v), v_exp_rough(y));
    ln_parts part = v_ln_split(value * gap.bottom, gap.top);
    vd inv = v_set(1.0) / (part.bottom * gap.bottom);
    vd ln_gap = v_ln_join_rough(part, part.top * (inv * gap.bottom)) + y;
    return vol_step(dist, s, inv_s, gap.top * (inv * part.bottom), ln_gap);
}

#endif
