/*
 * A small vector layer: one source of the formulas, compiled for several widths.
 *
 * HG_VEC_WIDTH is the number of doubles per step: 1 (plain C, any machine), 4 (AVX2 and FMA) or
 * 8 (AVX-512). + - * / and the comparisons below are ordinary C on `vd` (a double or a compiler
 * vector), so a formula reads the same for all widths.
 *
 * Fused multiply-add is used only where it is written (v_fma): contraction is off for the whole
 * build. Widths 4 and 8 do the same operations in the same order and so give the same bytes;
 * width 1 rounds the product in v_fma on machines without a fused instruction at compile time,
 * and may differ from them in the last places.
 */
#ifndef HG_GREEKS_VEC_INT_H
#define HG_GREEKS_VEC_INT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef HG_VEC_WIDTH
#define HG_VEC_WIDTH 1
#endif

#define VEC_FN static inline __attribute__((always_inline, unused))

#if HG_VEC_WIDTH == 1

#include <math.h>

typedef double vd;
typedef uint64_t vu;
typedef int vm;

VEC_FN vd v_set(double x) {
    return x;
}
VEC_FN vu v_bits(vd x) {
    vu u;
    memcpy(&u, &x, sizeof u);
    return u;
}
VEC_FN vd v_from_bits(vu u) {
    vd x;
    memcpy(&x, &u, sizeof x);
    return x;
}
VEC_FN vu v_set_bits(uint64_t u) {
    return u;
}
#if defined(__FMA__) || defined(__FP_FAST_FMA)
VEC_FN vd v_fma(vd a, vd b, vd c) {
    return __builtin_fma(a, b, c);
}
#else
VEC_FN vd v_fma(vd a, vd b, vd c) {
    return a * b + c;
}
#endif
VEC_FN vd v_sqrt(vd x) {
    return sqrt(x);
}
VEC_FN vd v_abs(vd x) {
    return fabs(x);
}
VEC_FN vd v_min(vd a, vd b) {
    return a < b ? a : b;
}
VEC_FN vd v_max(vd a, vd b) {
    return a > b ? a : b;
}
VEC_FN vm v_lt(vd a, vd b) {
    return a < b;
}
VEC_FN vm m_and(vm a, vm b) {
    return a & b;
}
VEC_FN vd v_select(vm m, vd yes, vd no) {
    return m ? yes : no;
}
/* By the sign bit of x: `yes` where it is set. */
VEC_FN vd v_select_negative(vd x, vd yes, vd no) {
    return v_bits(x) >> 63 ? yes : no;
}
/* One bit per lane, lane 0 lowest: where the mask holds, where the sign bit is set. */
VEC_FN unsigned m_lanes(vm m) {
    return (unsigned)m;
}
VEC_FN unsigned v_sign_lanes(vd x) {
    return (unsigned)(v_bits(x) >> 63);
}

#else /* HG_VEC_WIDTH 4 or 8 */

#include <immintrin.h>

#if HG_VEC_WIDTH == 8
typedef __m512d vd;
typedef uint64_t vu __attribute__((vector_size(64)));
typedef __mmask8 vm;
VEC_FN vd v_set(double x) {
    return _mm512_set1_pd(x);
}
VEC_FN vu v_set_bits(uint64_t u) {
    return (vu)_mm512_set1_epi64((long long)u);
}
VEC_FN vd v_fma(vd a, vd b, vd c) {
    return _mm512_fmadd_pd(a, b, c);
}
VEC_FN vd v_sqrt(vd x) {
    return _mm512_sqrt_pd(x);
}
VEC_FN vd v_abs(vd x) {
    return _mm512_abs_pd(x);
}
VEC_FN vd v_min(vd a, vd b) {
    return _mm512_min_pd(a, b);
}
VEC_FN vd v_max(vd a, vd b) {
    return _mm512_max_pd(a, b);
}
VEC_FN vm v_lt(vd a, vd b) {
    return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ);
}
VEC_FN vm m_and(vm a, vm b) {
    return (vm)(a & b);
}
VEC_FN vd v_select(vm m, vd yes, vd no) {
    return _mm512_mask_blend_pd(m, no, yes);
}
VEC_FN vd v_select_negative(vd x, vd yes, vd no) {
    return _mm512_mask_blend_pd(_mm512_movepi64_mask(_mm512_castpd_si512(x)), no, yes);
}
VEC_FN unsigned m_lanes(vm m) {
    return m;
}
VEC_FN unsigned v_sign_lanes(vd x) {
    return _mm512_movepi64_mask(_mm512_castpd_si512(x));
}
#elif HG_VEC_WIDTH == 4
typedef __m256d vd;
typedef uint64_t vu __attribute__((vector_size(32)));
typedef __m256d vm;
VEC_FN vd v_set(double x) {
    return _mm256_set1_pd(x);
}
VEC_FN vu v_set_bits(uint64_t u) {
    return (vu)_mm256_set1_epi64x((long long)u);
}
VEC_FN vd v_fma(vd a, vd b, vd c) {
    return _mm256_fmadd_pd(a, b, c);
}
VEC_FN vd v_sqrt(vd x) {
    return _mm256_sqrt_pd(x);
}
VEC_FN vd v_abs(vd x) {
    return _mm256_andnot_pd(_mm256_set1_pd(-0.0), x);
}
VEC_FN vd v_min(vd a, vd b) {
    return _mm256_min_pd(a, b);
}
VEC_FN vd v_max(vd a, vd b) {
    return _mm256_max_pd(a, b);
}
VEC_FN vm v_lt(vd a, vd b) {
    return _mm256_cmp_pd(a, b, _CMP_LT_OQ);
}
VEC_FN vm m_and(vm a, vm b) {
    return _mm256_and_pd(a, b);
}
VEC_FN vd v_select(vm m, vd yes, vd no) {
    return _mm256_blendv_pd(no, yes, m);
}
VEC_FN vd v_select_negative(vd x, vd yes, vd no) {
    return _mm256_blendv_pd(no, yes, x);
}
VEC_FN unsigned m_lanes(vm m) {
    return (unsigned)_mm256_movemask_pd(m);
}
VEC_FN unsigned v_sign_lanes(vd x) {
    return (unsigned)_mm256_movemask_pd(x);
}
#else
#error "HG_VEC_WIDTH must be 1, 4 or 8"
#endif
VEC_FN vu v_bits(vd x) {
    return (vu)x;
}
VEC_FN vd v_from_bits(vu u) {
    return (vd)u;
}

#endif

/*
 * A constant that several operations in a row use: loaded once, and not, as compilers like it, once
 * by each of them. Two loads a cycle are all a CPU has, and as many multiplications.
 */
VEC_FN vd v_set_once(double c) {
    vd x = v_set(c);
#if HG_VEC_WIDTH == 4 || (HG_VEC_WIDTH == 8 && defined(__AVX512F__))
    __asm__("" : "+v"(x));
#endif
    return x;
}

/* The sign bit is set where x is outside [lo, hi]; it says nothing about NaN. Subtractions run
 * beside the multipliers, comparisons do not. */
VEC_FN vu v_outside(vd x, double lo, double hi) {
    return v_bits(x - v_set(lo)) | v_bits(v_set(hi) - x);
}

/*
 * Of the top four bits none is set where x is in [2^lo, 2^(lo + 256)), and some are where it is
 * anything else: 0, negative, infinite, not a number. One subtraction, of integers.
 */
VEC_FN vu v_beyond(vd x, int lo) {
    return v_bits(x) - v_set_bits((uint64_t)(1023 + lo) << 52);
}

/* The lanes with one of the top four bits set, a bit each. */
VEC_FN unsigned v_top_lanes(vu x) {
    vu two = x | (x << 1);
    return v_sign_lanes(v_from_bits(two | (two << 2)));
}

/* Unaligned loads and stores: memcpy of a fixed size becomes one instruction. */
VEC_FN vd v_load(const double *p) {
    vd x;
    memcpy(&x, p, sizeof x);
    return x;
}

VEC_FN void v_store(double *p, vd x) {
    memcpy(p, &x, sizeof x);
}

#endif
