/*
 * ln(F/K), exp(-y) and Mills' ratio over the vector layer, and nothing else that is transcendental:
 * every output of the room is made of these three.
 *
 * They are written here and not taken from libm for two reasons: the same code serves all vector
 * widths, and equal inputs give equal bytes with every compiler and C library. The polynomials and
 * quotients are minimax fits (Remez, 60 digits); `make_greeks_vectors.py --coefficients` prints
 * them again.
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

/* Y(z) = P(z)/Q(z) for all z >= 0, relative error 1e-17; no sum of positive terms cancels. Both
 * begin with a term of 1, which is not here: z^10 and z^11. */
static const double mills_p[10] = {
    1504885.9245825151148, 2581912.8918080322677, 2188463.7352985555931, 1187615.3821386705618,
    453257.2323698847678,  126652.46913516767772, 26225.320154042132619, 3981.7912271754561312,
    426.34771950217587833, 29.328782977909064913,
};
static const double mills_q[11] = {
    1200725.2449939340181, 3018108.5684584082308, 3553881.033374436382,  2593459.2123942733829,
    1306597.5833018873565, 478639.8561932550719,  130575.60281755864718, 26649.667873209793822,
    4011.1200101565653548, 427.34771950215996764, 29.328782977909095526,
};

/*
 * The functions below take `m` arguments at once and go through them in lockstep: a polynomial is
 * one long chain of dependent operations, and only other chains beside it keep the CPU busy. `m` is
 * a constant at every call; more than EACH_MAX does not fit the registers.
 */
#define EACH_MAX 4

/* c[0] + c[1] x + ... + c[n-1] x^(n-1): even and odd powers as two chains. */
VEC_FN void v_poly_each(const double *c, int n, const vd *x, vd *y, int m) {
    const int top_even = (n - 1) & ~1;
    const int top_odd = (n - 2) | 1;
    vd x2[EACH_MAX];
    vd even[EACH_MAX];
    vd odd[EACH_MAX];
    for (int j = 0; j < m; j++) {
        x2[j] = x[j] * x[j];
        even[j] = v_set(c[top_even]);
        odd[j] = v_set(c[top_odd]);
    }
    if (top_even > top_odd) {
        for (int j = 0; j < m; j++) even[j] = v_fma(even[j], x2[j], v_set(c[top_even - 2]));
    }
    for (int i = top_odd - 2; i >= 1; i -= 2) {
        vd next_odd = v_set_once(c[i]);
        vd next_even = v_set_once(c[i - 1]);
        for (int j = 0; j < m; j++) odd[j] = v_fma(odd[j], x2[j], next_odd);
        for (int j = 0; j < m; j++) even[j] = v_fma(even[j], x2[j], next_even);
    }
    for (int j = 0; j < m; j++) y[j] = v_fma(odd[j], x[j], even[j]);
}

/* Neighbours of `terms` sums by one power of x. */
VEC_FN int v_poly_fold(vd *sum, int terms, vd power) {
    for (int i = 0; i < terms / 2; i++) sum[i] = v_fma(sum[2 * i + 1], power, sum[2 * i]);
    if (terms & 1) sum[terms / 2] = sum[terms - 1];
    return (terms + 1) / 2;
}

/*
 * The same for one argument, where nothing else fills the wait: pairs, pairs of pairs and so on
 * (Estrin's scheme), log2(n) dependent steps instead of n/2. `n` is a constant, 4 to 32; the
 * folds are written out because only then does every compiler keep the sums in registers.
 */
VEC_FN vd v_poly(const double *c, int n, vd x) {
    vd sum[16];
    int terms = (n + 1) / 2;
    for (int i = 0; i < n / 2; i++) sum[i] = v_fma(v_set(c[2 * i + 1]), x, v_set(c[2 * i]));
    if (n & 1) sum[n / 2] = v_set(c[n - 1]);
    vd x2 = x * x;
    vd x4 = x2 * x2;
    vd x8 = x4 * x4;
    terms = v_poly_fold(sum, terms, x2);
    if (terms > 1) terms = v_poly_fold(sum, terms, x4);
    if (terms > 1) terms = v_poly_fold(sum, terms, x8);
    if (terms > 1) v_poly_fold(sum, terms, x8 * x8);
    return sum[0];
}

/*
 * ln(f/k) for normal numbers, f below 2^1023. K is scaled by a power of two into [f/1.51, f 1.51],
 * so that f - K' is exact (Sterbenz) and the result keeps its relative accuracy near the money:
 * ln(f/k) = n ln2 + 2 atanh(q), q = (f - K')/(f + K'). The division is between the two halves of
 * the work, so that a caller may share it with others of his.
 */
typedef struct ln_parts {
    vd n;
    vd top;    /* f - K' */
    vd bottom; /* f + K' */
} ln_parts;

VEC_FN ln_parts v_ln_split(vd f, vd k) {
    const vu bias = v_set_bits((uint64_t)2048 << 52);
    const vu round = v_set_bits(((uint64_t)2048 << 52) + ((uint64_t)1 << 51));
    const vu exponent = v_set_bits((uint64_t)0xfff << 52);
    const vu two52 = v_set_bits((uint64_t)0x433 << 52); /* the bits of 2^52 */
    vu e = v_bits(f) - v_bits(k) + round;               /* n + 2048 in the exponent field */
    vd scaled = v_from_bits(v_bits(k) + (e & exponent) - bias);
    vd n = v_from_bits((e >> 52) | two52) - v_set(4503599627370496.0 + 2048.0);
    return (ln_parts){n, f - scaled, f + scaled};
}

/* `p` is the polynomial ln_c at q^2. */
VEC_FN vd v_ln_join(ln_parts part, vd q, vd p) {
    vd tail = v_fma(q * (q * q), p, part.n * v_set(LN2_LO));
    return v_fma(part.n, v_set(LN2_HI), q + q) + tail;
}

VEC_FN void v_ln_join_each(const ln_parts *part, const vd *q, vd *x, int m) {
    vd q2[EACH_MAX];
    vd p[EACH_MAX];
    for (int j = 0; j < m; j++) q2[j] = q[j] * q[j];
    v_poly_each(ln_c, 7, q2, p, m);
    for (int j = 0; j < m; j++) x[j] = v_ln_join(part[j], q[j], p[j]);
}

VEC_FN vd v_ln_ratio(vd f, vd k) {
    ln_parts part = v_ln_split(f, k);
    vd q = part.top / part.bottom;
    return v_ln_join(part, q, v_poly(ln_c, 7, q * q));
}

/* y = r + n ln2 with |r| <= ln2/2; `shifted` has n in its lowest bits. */
VEC_FN vd v_exp_split(vd y, vd *shifted) {
    const vd magic = v_set(6755399441055744.0); /* 1.5 * 2^52: adding it rounds to an integer */
    *shifted = magic - y * v_set(LOG2_E);
    vd n = *shifted - magic;
    return v_fma(n, v_set(-LN2_LO), v_fma(n, v_set(-LN2_HI), -y));
}

/* `p` is the polynomial exp_c at r. */
VEC_FN vd v_exp_join(vd r, vd shifted, vd p) {
    vd one = v_set(1.0) + v_fma(r * r, p, r);
    return v_from_bits(v_bits(one) + (v_bits(shifted) << 52));
}

/* e^-y for 0 <= y <= EXP_NEG_MAX; beyond it anything, for the caller to drop. */
VEC_FN void v_exp_neg_each(const vd *y, vd *e, int m) {
    vd shifted[EACH_MAX];
    vd r[EACH_MAX];
    vd p[EACH_MAX];
    for (int j = 0; j < m; j++) r[j] = v_exp_split(y[j], &shifted[j]);
    v_poly_each(exp_c, 10, r, p, m);
    for (int j = 0; j < m; j++) e[j] = v_exp_join(r[j], shifted[j], p[j]);
}

VEC_FN vd v_exp_neg(vd y) {
    vd shifted;
    vd r = v_exp_split(y, &shifted);
    return v_exp_join(r, shifted, v_poly(exp_c, 10, r));
}

/*
 * Mills' ratio Y(z) = N(-z)/n(z) = sqrt(pi/2) erfcx(z/sqrt 2) for 0 <= z <= 1e13 as a quotient
 * top/bottom; the division is left to the caller, who may share it with others of his.
 */
typedef struct mills_parts {
    vd top;
    vd bottom;
} mills_parts;

VEC_FN void v_mills_split_each(const vd *z, mills_parts *y, int m) {
    for (int j = 0; j < m; j++) {
        y[j].top = z[j] + v_set(mills_p[9]);
        y[j].bottom = z[j] + v_set(mills_q[10]);
    }
    for (int j = 0; j < m; j++) y[j].bottom = v_fma(y[j].bottom, z[j], v_set(mills_q[9]));
    for (int i = 8; i >= 0; i--) {
        vd p = v_set_once(mills_p[i]);
        vd q = v_set_once(mills_q[i]);
        for (int j = 0; j < m; j++) y[j].top = v_fma(y[j].top, z[j], p);
        for (int j = 0; j < m; j++) y[j].bottom = v_fma(y[j].bottom, z[j], q);
    }
}

/* `m` is even, and z[0], z[1] share one division, as do z[2], z[3]. */
VEC_FN void v_mills_each(const vd *z, vd *y, int m) {
    mills_parts part[EACH_MAX];
    v_mills_split_each(z, part, m);
    for (int j = 0; j < m; j += 2) {
        vd both = v_set(1.0) / (part[j].bottom * part[j + 1].bottom);
        y[j] = part[j].top * (both * part[j + 1].bottom);
        y[j + 1] = part[j + 1].top * (both * part[j].bottom);
    }
}

VEC_FN vd v_mills(vd z) {
    vd z2 = z * z;
    vd z4 = z2 * z2;
    vd z10 = z4 * z4 * z2;
    vd top = v_poly(mills_p, 10, z) + z10;
    vd bottom = v_fma(z10, z, v_poly(mills_q, 11, z));
    return top / bottom;
}

/* For one option: two divisions, because neither waits for the other. */
VEC_FN void v_mills_pair(vd z1, vd z2, vd *y1, vd *y2) {
    *y1 = v_mills(z1);
    *y2 = v_mills(z2);
}

#endif
