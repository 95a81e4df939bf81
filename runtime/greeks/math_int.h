/*
 * ln(F/K), exp(-y) and Mills' ratio over the vector layer, and nothing else that is transcendental:
 * every output of the room is made of these three.
 *
 * They are written here and not taken from libm for two reasons: the same code serves all vector
 * widths, and equal inputs give equal bytes with every compiler and C library. The polynomials are
 * minimax fits (Remez, 60 digits); `make_greeks_vectors.py --coefficients` prints them again.
 */
#ifndef HG_GREEKS_MATH_INT_H
#define HG_GREEKS_MATH_INT_H

#include "greeks/vec_int.h"

/* ln 2 in two parts; the product of the first with an integer below 2^20 is exact. */
#define LN2_HI 0.6931471804855391
#define LN2_LO 7.440617110012397e-11
#define LOG2_E 1.4426950408889634
#define INV_SQRT_2PI 0.39894228040143267794

/* e^-y below this exponent is taken as 0, so that 2^n stays a normal number. */
#define EXP_NEG_MAX 700.0

/* (e^r - 1 - r)/r^2 on |r| <= ln2/2, error 1.2e-17 of e^r. */
static const double exp_c[10] = {
    0.50000000000000010265,   0.16666666666666643702,   0.041666666666623948808,
    0.0083333333333563743157, 0.0013888888917313774314, 0.00019841269784364088673,
    2.4801521128747581661e-5, 2.7557355608221997406e-6, 2.7620172140809243702e-7,
    2.5068215753741543539e-8,
};

/* (2 atanh(q) - 2q)/q^3 in powers of q^2 <= 0.0405, error 6e-17 of atanh(q). */
static const double ln_c[7] = {
    0.66666666666666960391, 0.39999999999290664279, 0.28571428850789706263, 0.22222181030622356301,
    0.18184702658257257682, 0.15281470167886998604, 0.15138576871905083655,
};

/* Y(z) (z + 5) in powers of w = (z - 5)/(z + 5), all z >= 0, relative error 3.1e-17. */
static const double mills_c[23] = {
    1.9280810471531576415,     -1.6678665951889613397,    1.2415470615738692628,
    -0.78591107554642528097,   0.413644715732498066,      -0.17325473409042725025,
    0.052125502416606486472,   -0.0075032827796494276326, -0.0019999620243299793768,
    0.0013658588771186265151,  -1.4883273186671648078e-4, -1.247344641823311823e-4,
    4.1813298690572109312e-5,  9.9715665681668489886e-6,  -6.9416905489171543066e-6,
    -8.3041644244781718448e-7, 1.0879516561396263327e-6,  9.022235391088515108e-8,
    -1.7003446447519881836e-7, -1.2769144032195211884e-8, 2.3693917200430033457e-8,
    1.3004408908289028634e-9,  -2.050434734762605059e-9,
};

/* c[0] + c[1] x + ... + c[n-1] x^(n-1): even and odd powers as two chains, half the latency. */
VEC_FN vd v_poly(const double *c, int n, vd x) {
    vd x2 = x * x;
    int top = (n - 1) & ~1;
    vd even = v_set(c[top]);
    for (int i = top - 2; i >= 0; i -= 2) even = v_fma(even, x2, v_set(c[i]));
    top = (n - 2) | 1;
    vd odd = v_set(c[top]);
    for (int i = top - 2; i >= 1; i -= 2) odd = v_fma(odd, x2, v_set(c[i]));
    return v_fma(odd, x, even);
}

/*
 * ln(f/k) for normal numbers, f below 2^1023. K is scaled by a power of two into [f/1.51, f 1.51],
 * so that f - K' is exact (Sterbenz) and the result keeps its relative accuracy near the money:
 * ln(f/k) = n ln2 + 2 atanh((f - K')/(f + K')).
 */
VEC_FN vd v_ln_ratio(vd f, vd k) {
    const vu bias = v_set_bits((uint64_t)2048 << 52);
    const vu half = v_set_bits((uint64_t)1 << 51);
    const vu two52 = v_set_bits((uint64_t)0x433 << 52); /* the bits of 2^52 */
    vu e = (v_bits(f) - v_bits(k) + half + bias) >> 52; /* n + 2048 */
    vd scaled = v_from_bits(v_bits(k) + (e << 52) - bias);
    vd n = v_from_bits(e | two52) - v_set(4503599627370496.0 + 2048.0);
    vd q = (f - scaled) / (f + scaled);
    vd q2 = q * q;
    vd tail = v_fma(q * q2, v_poly(ln_c, 7, q2), n * v_set(LN2_LO));
    return v_fma(n, v_set(LN2_HI), q + q) + tail;
}

/* e^-y for 0 <= y <= EXP_NEG_MAX. */
VEC_FN vd v_exp_neg(vd y) {
    const vd magic = v_set(6755399441055744.0); /* 1.5 * 2^52: adding it rounds to an integer */
    vd shifted = magic - y * v_set(LOG2_E);
    vd n = shifted - magic;
    vd r = v_fma(n, v_set(-LN2_LO), v_fma(n, v_set(-LN2_HI), -y));
    vd p = v_set(1.0) + v_fma(r * r, v_poly(exp_c, 10, r), r);
    return v_from_bits(v_bits(p) + (v_bits(shifted) << 52));
}

/*
 * Mills' ratio Y(z) = N(-z)/n(z) = sqrt(pi/2) erfcx(z/sqrt 2) for two arguments >= 0 that share
 * one division.
 */
VEC_FN void v_mills_pair(vd z1, vd z2, vd *y1, vd *y2) {
    const vd five = v_set(5.0);
    vd s1 = z1 + five;
    vd s2 = z2 + five;
    vd inv = v_set(1.0) / (s1 * s2);
    vd inv1 = inv * s2;
    vd inv2 = inv * s1;
    *y1 = v_poly(mills_c, 23, (z1 - five) * inv1) * inv1;
    *y2 = v_poly(mills_c, 23, (z2 - five) * inv2) * inv2;
}

#endif
