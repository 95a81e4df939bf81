/*
 * The implied vol loop over the vector layer; included once by each batch_vol_<width>.c, which
 * names the function in HG_VOL_KERNEL.
 *
 * Two steps for all lanes: one of order four in a rough arithmetic, one of order five in full. A
 * lane whose second step was not tiny, or that is out of ordinary ranges, is done again by
 * hg_implied_vol: far starts, prices near their bounds, no time value, bad input.
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
    vd dist;          /* |ln(F/K)| */
    vd value;         /* sqrt(2 pi) time value/min(F,K) */
    vd inv_root_t;    /* 1/sqrt(T) */
    vd s, inv_s;      /* the approximation so far, and 1/s */
    vd step, bent, v; /* of the last step: its size, how far it was from straight, and its v */
} vol_lanes;

/* How small the second step must have been, relative to s, and how straight: vol_step_small then
 * leaves out less than 1e-16 of s. */
#define STEP_SMALL 1e-4
#define BENT_SMALL 1e-3

/* A warm start is put into this range, where nothing below overflows: so no reciprocal is 0. */
#define S_MIN 1e-9
#define S_MAX 1e3

/* As in batch_kernel_int.h, one division serves all: 1/(F + K'), 1/min(F,K), 1/sqrt(T) and, where
 * there is a start, 1/s. */
VEC_FN void vol_load(vol_lanes *o, const hg_vol_in *in, size_t i) {
    o->price = v_load(in->price + i);
    o->f = v_load(in->f + i);
    o->k = v_load(in->k + i);
    o->t = v_load(in->t + i);
    o->cp = v_load(in->cp + i);
    vd root_t = v_sqrt(o->t);
    vd unit = v_min(o->f, o->k);
    vd time_value = o->price - v_max(o->cp * (o->f - o->k), v_set(0.0));
    o->s = v_set(1.0);
    if (in->start) {
        o->s = v_min(v_max(v_load(in->start + i) * root_t, v_set(S_MIN)), v_set(S_MAX));
    }
    ln_parts part = v_ln_split(o->f, o->k);
    vd money = part.bottom * unit;
    vd time = root_t * o->s;
    vd inv = v_set(1.0) / (money * time);
    vd inv_money = inv * time;
    vd inv_time = inv * money;
    vd q = part.top * (inv_money * unit);
    o->inv_root_t = inv_time * o->s;
    o->inv_s = inv_time * root_t;
    o->value = time_value * v_set(SQRT_2PI) * (inv_money * part.bottom);
    vd q2 = q * q;
    vd p;
    v_poly_each(ln_c, 7, &q2, &p, 1);
    o->dist = v_abs(v_ln_join(part, q, p));
    if (!in->start) {
        o->s = vol_start(o->dist, v_sqrt(o->f * o->k), time_value);
        o->inv_s = v_set(1.0) / o->s;
    }
}

/* The second step, a small one: (beta - b)/b' = value e^y - gap. */
VEC_FN void vol_step_group(vol_lanes *o) {
    vd u[GROUP];
    vd minus[GROUP];
    vd z[2 * GROUP];
    vd grown[GROUP];
    mills_parts at[2 * GROUP];
    for (int j = 0; j < GROUP; j++) {
        o[j].inv_s = v_set(1.0) / o[j].s;
        minus[j] = -vol_arguments(o[j].dist, o[j].s, o[j].inv_s, &u[j], &o[j].v);
        z[2 * j] = v_abs(u[j]);
        z[2 * j + 1] = o[j].v;
    }
    v_exp_neg_each(minus, grown, GROUP); /* e^y */
    v_mills_split_each(z, at, 2 * GROUP);
    for (int j = 0; j < GROUP; j++) {
        mills_parts gap = vol_gap(u[j], at[2 * j], at[2 * j + 1], grown[j]);
        vd miss = v_fma(o[j].value, grown[j], -(gap.top / gap.bottom));
        o[j].step = vol_step_small(o[j].dist, o[j].s, o[j].inv_s, miss, &o[j].bent);
        o[j].s = o[j].s + o[j].step;
    }
}

/*
 * Lanes whose result stands. The limit on v keeps the exponential in range. A number that is none
 * fails every comparison.
 */
VEC_FN unsigned vol_good_lanes(const vol_lanes *o) {
    const vu magnitude = v_set_bits(~((uint64_t)1 << 63));
    const vu one = v_set_bits((uint64_t)0x3ff << 52);
    const vu near = v_set_bits(((uint64_t)128 << 52) + ((uint64_t)1 << 51));
    vu beyond = v_beyond(o->f, -128) | v_beyond(o->t, -40) | v_beyond(o->s, -30) |
                ((v_bits(o->f) - v_bits(o->k)) + near) |
                (v_set_bits(0) - ((v_bits(o->cp) & magnitude) ^ one)); /* negative if not 0 */
    vm good = m_and(v_lt(o->value, v_set(VOL_HIGH * SQRT_2PI)), v_lt(v_set(1e-200), o->value));
    good = m_and(good, v_lt(o->price, v_select_negative(o->cp, o->k, o->f)));
    good = m_and(good, v_lt(v_abs(o->step), v_set(STEP_SMALL) * o->s));
    good = m_and(good, v_lt(v_abs(o->bent), v_set(BENT_SMALL)));
    good = m_and(good, v_lt(o->v, v_set(37.0)));
    return m_lanes(good) & ~v_top_lanes(beyond);
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
    for (int j = 0; j < vectors; j++) {
        o[j].s = o[j].s + vol_step_rough(o[j].dist, o[j].s, o[j].inv_s, o[j].value);
    }
    for (int j = 0; j < vectors; j += GROUP) vol_step_group(o + j);
    size_t bad = 0;
    for (int j = 0; j < vectors; j++) {
        double *to = sigma + i + WIDTH * (size_t)j;
        v_store(to, o[j].s * o[j].inv_root_t);
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
