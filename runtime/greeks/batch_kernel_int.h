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

/*
 * Options per vector, vectors in lockstep, and vectors per block. A step of the formulas is done
 * for a whole block before the next: then neighbours in the instruction stream belong to different
 * options and need not wait for each other. A block stays in the first cache.
 */
#define WIDTH ((size_t)HG_VEC_WIDTH)
#define GROUP 4
#define BLOCK 8

/*
 * Lanes for which nothing in the formulas can overflow or lose its exponent; one bit each. K is
 * good where F and x are: from a K that is 0, negative, infinite or not a number v_ln_split makes
 * an |n| above 500. The sum is there for what is not a number.
 */
VEC_FN unsigned ordinary_lanes(const b76 *o) {
    const vu magnitude = v_set_bits(~((uint64_t)1 << 63));
    const vu one = v_set_bits((uint64_t)0x3ff << 52);
    vu outside = v_outside(o->f, 1e-70, 1e70) | v_outside(o->x, -400.0, 400.0) |
                 v_outside(o->t, 1e-12, 1e6) | v_outside(o->s, 1e-9, 1e3) |
                 (v_set_bits(0) - ((v_bits(o->cp) & magnitude) ^ one)); /* negative if not 0 */
    vm number = v_lt(o->f + o->x + (o->t + o->s), v_set(1e300));
    return m_lanes(number) & ~v_sign_lanes(v_from_bits(outside));
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
__attribute__((noinline)) static size_t fill_lanes(const b76 *o, const hg_batch_out *out, size_t i,
                                                   unsigned todo) {
    double column[5][HG_VEC_WIDTH];
    v_store(column[0], o->f);
    v_store(column[1], o->k);
    v_store(column[2], o->t);
    v_store(column[3], o->sigma);
    v_store(column[4], o->cp);
    size_t bad = 0;
    for (size_t lane = 0; lane < WIDTH; lane++) {
        if (!(todo >> lane & 1u)) continue;
        double one[5];
        for (int c = 0; c < 5; c++) one[c] = column[c][lane];
        bad += hg_batch_fill_one(one, out, i + lane);
    }
    return bad;
}

/*
 * A division keeps a multiplier waiting for as long as several products take, so three of them
 * are one here: 1/(F + K'), 1/s and 1/F from the reciprocal of the product. In the ordinary range
 * of ordinary_lanes the product stays in the range of double.
 */
VEC_FN void measure_group(const hg_batch_in *in, size_t i, b76 *o) {
    ln_parts part[GROUP];
    vd q[GROUP];
    vd x[GROUP];
    for (int j = 0; j < GROUP; j++) {
        size_t at = i + WIDTH * (size_t)j;
        b76_take(&o[j], v_load(in->f + at), v_load(in->k + at), v_load(in->t + at),
                 v_load(in->sigma + at), v_load(in->cp + at));
        part[j] = v_ln_split(o[j].f, o[j].k);
        vd fs = o[j].f * o[j].s;
        vd inv = v_set(1.0) / (fs * part[j].bottom);
        q[j] = part[j].top * (inv * fs);
        o[j].inv_fs = inv * part[j].bottom;
        o[j].inv_s = o[j].inv_fs * o[j].f;
        o[j].inv_f = o[j].inv_fs * o[j].s;
    }
    v_ln_join_each(part, q, x, GROUP);
    for (int j = 0; j < GROUP; j++) b76_measure(&o[j], x[j]);
}

VEC_FN void density_group(b76 *o) {
    vd exponent[GROUP];
    vd e[GROUP];
    for (int j = 0; j < GROUP; j++) exponent[j] = b76_exponent(&o[j]);
    v_exp_neg_each(exponent, e, GROUP);
    for (int j = 0; j < GROUP; j++) b76_density(&o[j], exponent[j], e[j]);
}

VEC_FN void tails_pair(b76 *o) {
    vd z[4] = {v_abs(o[0].d1), v_abs(o[0].d2), v_abs(o[1].d1), v_abs(o[1].d2)};
    vd mills[4];
    v_mills_each(z, mills, 4);
    b76_tails(&o[0], mills[0], mills[1]);
    b76_tails(&o[1], mills[2], mills[3]);
}

/* `vectors` vectors of options from `i` on, a multiple of GROUP. All are loaded before the first is
 * stored. */
VEC_FN size_t run_block(const hg_batch_in *in, const hg_batch_out *out, size_t i, int vectors) {
    const unsigned all = (1u << HG_VEC_WIDTH) - 1u;
    b76 o[BLOCK];
    for (int j = 0; j < vectors; j += GROUP) measure_group(in, i + WIDTH * (size_t)j, o + j);
    for (int j = 0; j < vectors; j += GROUP) density_group(o + j);
    for (int j = 0; j < vectors; j += 2) tails_pair(o + j);
    size_t bad = 0;
    for (int j = 0; j < vectors; j++) {
        size_t at = i + WIDTH * (size_t)j;
        store_lanes(&o[j], out, at);
        unsigned ordinary = ordinary_lanes(&o[j]);
        if (ordinary != all) bad += fill_lanes(&o[j], out, at, all & ~ordinary);
    }
    return bad;
}

/* The last options, less than a block, through padded copies: an option's bytes are the same
 * wherever it stands. */
__attribute__((noinline)) static size_t run_rest(const hg_batch_in *in, const hg_batch_out *out,
                                                 size_t i, size_t count) {
    double source[5][BLOCK * HG_VEC_WIDTH];
    double result[12][BLOCK * HG_VEC_WIDTH];
    const double *const from[5] = {in->f, in->k, in->t, in->sigma, in->cp};
    double *const to[12] = {out->price, out->delta, out->gamma, out->vega,
                            out->theta, out->vanna, out->volga, out->charm,
                            out->speed, out->color, out->zomma, out->ultima};
    double *at[12];
    size_t padded = (count + GROUP * WIDTH - 1) / (GROUP * WIDTH) * (GROUP * WIDTH);
    for (int c = 0; c < 5; c++) {
        memcpy(source[c], from[c] + i, count * sizeof(double));
        for (size_t lane = count; lane < padded; lane++) source[c][lane] = 1.0;
    }
    for (int c = 0; c < 12; c++) at[c] = to[c] ? result[c] : NULL;
    hg_batch_in rest_in = {source[0], source[1], source[2], source[3], source[4]};
    hg_batch_out rest_out = {at[0], at[1], at[2], at[3], at[4],  at[5],
                             at[6], at[7], at[8], at[9], at[10], at[11]};
    size_t bad = run_block(&rest_in, &rest_out, 0, (int)(padded / WIDTH));
    for (int c = 0; c < 12; c++) {
        if (to[c]) memcpy(to[c] + i, result[c], count * sizeof(double));
    }
    return bad;
}

size_t HG_BATCH_KERNEL(const hg_batch_in *in, const hg_batch_out *out, size_t n) {
    const hg_batch_in from = *in; /* so that no store can seem to change a pointer */
    const hg_batch_out to = *out;
    size_t bad = 0;
    size_t i = 0;
    for (; i + BLOCK * WIDTH <= n; i += BLOCK * WIDTH) bad += run_block(&from, &to, i, BLOCK);
    if (i < n) bad += run_rest(&from, &to, i, n - i);
    return bad;
}

#endif
