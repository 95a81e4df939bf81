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
 * v_top_lanes finds the lanes for which something in the formulas could overflow or lose its
 * exponent: F below 2^-128 or from 2^128 on, T below 2^-40 (30 us), s below 2^-30 or above 1000, F,
 * K 2^127 apart (so is every K that is 0, negative, infinite or not a number), cp not 1 or -1.
 */
VEC_FN vu beyond_ordinary(const b76 *o) {
    const vu magnitude = v_set_bits(~((uint64_t)1 << 63));
    const vu one = v_set_bits((uint64_t)0x3ff << 52);
    const vu near = v_set_bits(((uint64_t)128 << 52) + ((uint64_t)1 << 51));
    vu range = v_beyond(o->f, -128) | v_beyond(o->t, -40) | v_beyond(o->s, -30);
    vu apart = (v_bits(o->f) - v_bits(o->k)) + near;
    vu side = v_set_bits(0) - ((v_bits(o->cp) & magnitude) ^ one); /* negative if not 0 */
    return range | apart | side | (v_bits(v_set(1000.0)) - v_bits(o->s));
}

#define STORE_EACH(name)                                                                           \
    if (out->name) {                                                                               \
        for (int j = 0; j < vectors; j++) {                                                        \
            v_store(out->name + i + WIDTH * (size_t)j, b76_##name(&o[j]));                         \
        }                                                                                          \
    }

VEC_FN void store_block(const b76 *o, const hg_batch_out *out, size_t i, int vectors) {
    STORE_EACH(price)
    STORE_EACH(delta)
    STORE_EACH(gamma)
    STORE_EACH(vega)
    STORE_EACH(theta)
    STORE_EACH(vanna)
    STORE_EACH(volga)
    STORE_EACH(charm)
    STORE_EACH(speed)
    STORE_EACH(color)
    STORE_EACH(zomma)
    STORE_EACH(ultima)
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
VEC_FN void take_vector(const hg_batch_in *in, size_t i, b76 *o, ln_parts *part, vd *q) {
    b76_take(o, v_load(in->f + i), v_load(in->k + i), v_load(in->t + i), v_load(in->sigma + i),
             v_load(in->cp + i));
    *part = v_ln_split(o->f, o->k);
    vd fs = o->f * o->s;
    vd inv = v_set(1.0) / (fs * part->bottom);
    *q = part->top * (inv * fs);
    o->inv_fs = inv * part->bottom;
    o->inv_s = o->inv_fs * o->f;
    o->inv_f = o->inv_fs * o->s;
}

VEC_FN void measure_group(b76 *o, const ln_parts *part, const vd *q) {
    vd x[GROUP];
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
    b76 o[BLOCK];
    ln_parts part[BLOCK];
    vd q[BLOCK];
    vu beyond[BLOCK];
    vu any = v_set_bits(0);
    for (int j = 0; j < vectors; j++) {
        take_vector(in, i + WIDTH * (size_t)j, &o[j], &part[j], &q[j]);
        any |= beyond[j] = beyond_ordinary(&o[j]);
    }
    for (int j = 0; j < vectors; j += GROUP) measure_group(o + j, part + j, q + j);
    for (int j = 0; j < vectors; j += GROUP) density_group(o + j);
    for (int j = 0; j < vectors; j += 2) tails_pair(o + j);
    store_block(o, out, i, vectors);
    size_t bad = 0;
    if (v_top_lanes(any) == 0) return bad;
    for (int j = 0; j < vectors; j++) {
        bad += fill_lanes(&o[j], out, i + WIDTH * (size_t)j, v_top_lanes(beyond[j]));
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
