/*
 * The batch loop over the vector layer; included once by each batch_<width>.c, which names the
 * function in HG_BATCH_KERNEL.
 *
 * Vectors of options within ordinary ranges take the formulas as they are. A lane outside them
 * (bad input, no vol, huge or tiny numbers) is computed with the rest and then overwritten by
 * hg_batch_fill_one.
 */
#ifndef HG_GREEKS_BATCH_KERNEL_INT_H
#define HG_GREEKS_BATCH_KERNEL_INT_H

#include "greeks/batch_int.h"
#include "greeks/formula_int.h"

#ifndef HG_BATCH_KERNEL /* the header on its own */
#define HG_BATCH_KERNEL hg_batch_run_portable
#endif

#define WIDTH ((size_t)HG_VEC_WIDTH)

typedef struct batch_lanes {
    vd f, k, t, sigma, cp;
} batch_lanes;

VEC_FN batch_lanes load_lanes(const hg_batch_in *in, size_t i) {
    return (batch_lanes){v_load(in->f + i), v_load(in->k + i), v_load(in->t + i),
                         v_load(in->sigma + i), v_load(in->cp + i)};
}

/*
 * Lanes for which nothing in the formulas can overflow or lose its exponent. A NaN or infinity in F
 * or K reaches x, one in T or sigma reaches s, and no comparison with it is true.
 */
VEC_FN unsigned ordinary_lanes(const batch_lanes *v, const b76 *o) {
    vd lo = v_min(v->f, v->k);
    vd hi = v_max(v->f, v->k);
    vm ok = m_and(v_lt(v_set(1e-70), lo), v_lt(hi, v_set(1e70)));
    ok = m_and(ok, v_lt(v_abs(o->x), v_set(400.0)));
    ok = m_and(ok, m_and(v_lt(v_set(1e-12), v->t), v_lt(v->t, v_set(1e6))));
    ok = m_and(ok, m_and(v_lt(v_set(1e-9), o->s), v_lt(o->s, v_set(1e3))));
    vd odd = v_abs(v_abs(v->cp) - v_set(1.0));
    return m_lanes(m_and(ok, v_lt(odd, v_set(1e-300))));
}

VEC_FN void store_lanes(const b76 *o, const hg_batch_out *out, size_t i) {
    if (out->price) v_store(out->price + i, b76_price(o));
    if (out->delta) v_store(out->delta + i, b76_delta(o));
    if (out->gamma) v_store(out->gamma + i, b76_gamma(o));
    if (out->vega) v_store(out->vega + i, b76_vega(o));
    if (out->theta) v_store(out->theta + i, b76_theta(o));
    if (out->vanna) v_store(out->vanna + i, b76_vanna(o));
    if (out->volga) v_store(out->volga + i, b76_volga(o));
    if (out->charm) v_store(out->charm + i, b76_charm(o));
    if (out->speed) v_store(out->speed + i, b76_speed(o));
    if (out->color) v_store(out->color + i, b76_color(o));
    if (out->zomma) v_store(out->zomma + i, b76_zomma(o));
    if (out->ultima) v_store(out->ultima + i, b76_ultima(o));
}

/* The lanes of `todo` again, one by one. */
static size_t fill_lanes(const batch_lanes *v, const hg_batch_out *out, size_t i, unsigned todo) {
    double column[5][HG_VEC_WIDTH];
    v_store(column[0], v->f);
    v_store(column[1], v->k);
    v_store(column[2], v->t);
    v_store(column[3], v->sigma);
    v_store(column[4], v->cp);
    size_t bad = 0;
    for (size_t lane = 0; lane < WIDTH; lane++) {
        if (!(todo >> lane & 1u)) continue;
        double one[5];
        for (int c = 0; c < 5; c++) one[c] = column[c][lane];
        bad += hg_batch_fill_one(one, out, i + lane);
    }
    return bad;
}

VEC_FN size_t run_block(const hg_batch_in *in, const hg_batch_out *out, size_t i) {
    const unsigned all = (1u << HG_VEC_WIDTH) - 1u;
    batch_lanes v = load_lanes(in, i);
    b76 o;
    b76_prepare(&o, v.f, v.k, v_ln_ratio(v.f, v.k), v.t, v.sigma, v.cp);
    unsigned ordinary = ordinary_lanes(&v, &o);
    store_lanes(&o, out, i);
    return __builtin_expect(ordinary == all, 1) ? 0 : fill_lanes(&v, out, i, all & ~ordinary);
}

#if HG_VEC_WIDTH > 1
/* The last 1 .. WIDTH-1 options through padded copies, so that their bytes are those of the loop. */
static size_t run_rest(const hg_batch_in *in, const hg_batch_out *out, size_t i, size_t count) {
    double source[5][HG_VEC_WIDTH];
    double result[12][HG_VEC_WIDTH];
    const double *const from[5] = {in->f, in->k, in->t, in->sigma, in->cp};
    double *const to[12] = {out->price, out->delta, out->gamma, out->vega,
                            out->theta, out->vanna, out->volga, out->charm,
                            out->speed, out->color, out->zomma, out->ultima};
    for (int c = 0; c < 5; c++) {
        for (size_t lane = 0; lane < WIDTH; lane++) {
            source[c][lane] = lane < count ? from[c][i + lane] : 1.0;
        }
    }
    double *at[12];
    for (int c = 0; c < 12; c++) at[c] = to[c] ? result[c] : NULL;
    hg_batch_in rest_in = {source[0], source[1], source[2], source[3], source[4]};
    hg_batch_out rest_out = {at[0], at[1], at[2], at[3], at[4],  at[5],
                             at[6], at[7], at[8], at[9], at[10], at[11]};
    size_t bad = run_block(&rest_in, &rest_out, 0);
    for (int c = 0; c < 12; c++) {
        if (to[c]) memcpy(to[c] + i, result[c], count * sizeof(double));
    }
    return bad;
}
#endif

size_t HG_BATCH_KERNEL(const hg_batch_in *in, const hg_batch_out *out, size_t n) {
    const hg_batch_in from = *in; /* so that no store can seem to change a pointer */
    const hg_batch_out to = *out;
    size_t bad = 0;
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) bad += run_block(&from, &to, i);
#if HG_VEC_WIDTH > 1
    if (i < n) bad += run_rest(&from, &to, i, n - i);
#endif
    return bad;
}

#endif
