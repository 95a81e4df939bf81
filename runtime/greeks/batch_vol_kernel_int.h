/*
 * The implied vol loop over the vector layer; included once by each batch_vol_<width>.c, which
 * names the function in HG_VOL_KERNEL.
 *
 * Two steps of order four from the start, for all lanes. A lane whose second step was not tiny, or
 * that is out of ordinary ranges, is done again by hg_implied_vol: far starts, prices near their
 * bounds, no time value, bad input.
 */
#ifndef HG_GREEKS_BATCH_VOL_KERNEL_INT_H
#define HG_GREEKS_BATCH_VOL_KERNEL_INT_H

#include "greeks/batch_vol_int.h"
#include "greeks/vol_int.h"

#ifndef HG_VOL_KERNEL /* the header on its own */
#define HG_VOL_KERNEL hg_vol_run_portable
#endif

/* As in batch_kernel_int.h: options per vector, vectors in lockstep, vectors per block. */
#define WIDTH ((size_t)HG_VEC_WIDTH)
#define GROUP 2
#define BLOCK 8

typedef struct vol_lanes {
    vd price, f, k, t, cp;
    vd dist, unit, time_value;
    vd root_t;
    vd s, step, ln_gap; /* of the last step: its size and ln(price/value) before it */
} vol_lanes;

VEC_FN void vol_load(vol_lanes *o, const hg_vol_in *in, size_t i) {
    o->price = v_load(in->price + i);
    o->f = v_load(in->f + i);
    o->k = v_load(in->k + i);
    o->t = v_load(in->t + i);
    o->cp = v_load(in->cp + i);
    o->dist = v_abs(v_ln_ratio(o->f, o->k));
    o->unit = v_min(o->f, o->k);
    o->time_value = o->price - v_max(o->cp * (o->f - o->k), v_set(0.0));
    o->root_t = v_sqrt(o->t);
    if (in->start) {
        o->s = v_load(in->start + i) * o->root_t;
    } else {
        o->s = vol_start(o->dist, v_sqrt(o->f * o->k), o->time_value);
    }
}

/* b/b' = Y(u) - Y(v) with Y(-u) = e^(u^2/2) sqrt(2 pi) - Y(u), and ln(beta/b) from it: no density
 * is needed, only its exponent. */
VEC_FN void vol_step_group(vol_lanes *o) {
    vd inv_s[GROUP];
    vd y[GROUP];
    vd u[GROUP];
    vd z[4];
    vd mills[4];
    vd grown[GROUP];
    for (int j = 0; j < GROUP; j++) {
        inv_s[j] = v_set(1.0) / o[j].s;
        vd a = o[j].dist * inv_s[j];
        vd half = v_set(0.5) * o[j].s;
        u[j] = a - half;
        z[2 * j] = v_abs(u[j]);
        z[2 * j + 1] = a + half;
        y[j] = v_set(0.5) * (u[j] * u[j]);
    }
    v_mills_each(z, mills, 2 * GROUP);
    vd minus[GROUP];
    for (int j = 0; j < GROUP; j++) minus[j] = -y[j];
    v_exp_neg_each(minus, grown, GROUP); /* e^y; only used inside, where y is small */
    for (int j = 0; j < GROUP; j++) {
        vd mirrored = v_fma(grown[j], v_set(SQRT_2PI), -mills[2 * j]);
        vd gap = v_select_negative(u[j], mirrored, mills[2 * j]) - mills[2 * j + 1];
        vd value = o[j].unit * v_set(INV_SQRT_2PI) * gap;
        o[j].ln_gap = v_ln_ratio(o[j].time_value, value) + y[j];
        o[j].step = vol_step(o[j].dist, o[j].s, inv_s[j], gap, o[j].ln_gap);
        o[j].s = o[j].s + o[j].step;
    }
}

/* Lanes whose result stands. A number that is none fails every comparison. */
VEC_FN unsigned vol_good_lanes(const vol_lanes *o) {
    const vu magnitude = v_set_bits(~((uint64_t)1 << 63));
    const vu one = v_set_bits((uint64_t)0x3ff << 52);
    vu outside = v_outside(o->f, 1e-70, 1e70) | v_outside(o->dist, -1.0, 400.0) |
                 v_outside(o->t, 1e-12, 1e6) |
                 (v_set_bits(0) - ((v_bits(o->cp) & magnitude) ^ one)); /* negative if not 0 */
    vm good = m_and(v_lt(o->time_value, v_set(VOL_HIGH) * o->unit),
                    v_lt(v_set(1e-200) * o->unit, o->time_value));
    good = m_and(good, v_lt(v_abs(o->step), v_set(1e-4) * o->s));
    /* A start so small that all has underflown makes no step, but not this gap either. */
    good = m_and(good, v_lt(v_abs(o->ln_gap), v_set(0.5)));
    good = m_and(good, v_lt(o->f + o->t, v_set(1e300)));
    return m_lanes(good) & ~v_sign_lanes(v_from_bits(outside));
}

__attribute__((noinline)) static size_t vol_fill_lanes(const vol_lanes *o, double *sigma,
                                                       unsigned todo) {
    double column[5][HG_VEC_WIDTH];
    v_store(column[0], o->price);
    v_store(column[1], o->f);
    v_store(column[2], o->k);
    v_store(column[3], o->t);
    v_store(column[4], o->cp);
    size_t bad = 0;
    for (size_t lane = 0; lane < WIDTH; lane++) {
        if (!(todo >> lane & 1u)) continue;
        double one[5];
        for (int c = 0; c < 5; c++) one[c] = column[c][lane];
        bad += hg_vol_fill_one(one, &sigma[lane]);
    }
    return bad;
}

/* `vectors` vectors from `i` on, a multiple of GROUP; all loaded before the first is stored. */
VEC_FN size_t vol_run_block(const hg_vol_in *in, double *sigma, size_t i, int vectors) {
    const unsigned all = (1u << HG_VEC_WIDTH) - 1u;
    vol_lanes o[BLOCK];
    for (int j = 0; j < vectors; j++) vol_load(&o[j], in, i + WIDTH * (size_t)j);
    for (int round = 0; round < 2; round++) {
        for (int j = 0; j < vectors; j += GROUP) vol_step_group(o + j);
    }
    size_t bad = 0;
    for (int j = 0; j < vectors; j++) {
        double *to = sigma + i + WIDTH * (size_t)j;
        v_store(to, o[j].s / o[j].root_t);
        unsigned good = vol_good_lanes(&o[j]);
        if (good != all) bad += vol_fill_lanes(&o[j], to, all & ~good);
    }
    return bad;
}

/* The last options through padded copies: an option's bytes are the same wherever it stands. */
__attribute__((noinline)) static size_t vol_run_rest(const hg_vol_in *in, double *sigma, size_t i,
                                                     size_t count) {
    double source[6][BLOCK * HG_VEC_WIDTH];
    double result[BLOCK * HG_VEC_WIDTH];
    const double *const from[6] = {in->price, in->f, in->k, in->t, in->cp, in->start};
    const double padding[6] = {0.2, 1.0, 1.0, 1.0, 1.0, 0.5};
    size_t padded = (count + GROUP * WIDTH - 1) / (GROUP * WIDTH) * (GROUP * WIDTH);
    for (int c = 0; c < 6; c++) {
        if (!from[c]) continue;
        memcpy(source[c], from[c] + i, count * sizeof(double));
        for (size_t lane = count; lane < padded; lane++) source[c][lane] = padding[c];
    }
    hg_vol_in rest = {source[0], source[1], source[2],
                      source[3], source[4], in->start ? source[5] : NULL};
    size_t bad = vol_run_block(&rest, result, 0, (int)(padded / WIDTH));
    memcpy(sigma + i, result, count * sizeof(double));
    return bad;
}

size_t HG_VOL_KERNEL(const hg_vol_in *in, double *sigma, size_t n) {
    const hg_vol_in from = *in; /* so that no store can seem to change a pointer */
    size_t bad = 0;
    size_t i = 0;
    for (; i + BLOCK * WIDTH <= n; i += BLOCK * WIDTH) bad += vol_run_block(&from, sigma, i, BLOCK);
    if (i < n) bad += vol_run_rest(&from, sigma, i, n - i);
    return bad;
}

#endif
