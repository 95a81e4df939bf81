/*
 * The loop of batch_moved.h over the vector layer; included once by each batch_<width>.c, which
 * names the function in HG_MOVED_KERNEL. Steps in lockstep, as in batch_kernel_int.h.
 */
#ifndef HG_GREEKS_BATCH_MOVED_KERNEL_INT_H
#define HG_GREEKS_BATCH_MOVED_KERNEL_INT_H

#include "greeks/batch_int.h"
#include "greeks/math_int.h"

#ifndef HG_MOVED_KERNEL /* the header on its own */
#define HG_MOVED_KERNEL hg_moved_run_portable
#endif

#define MOVED_GROUP 4
#define MOVED_WIDTH ((size_t)HG_VEC_WIDTH)

/* Symbols as in formula_int.h. */
typedef struct moved {
    vd f, k, x, s;
    vd d1, d2;
    vd time; /* time value */
} moved;

/* d1 and d2; two neighbours share the division of 1/s. */
VEC_FN void moved_measure(const hg_moved_in *in, const hg_move *move, size_t i, moved *o) {
    for (int j = 0; j < MOVED_GROUP; j++) {
        size_t at = i + MOVED_WIDTH * (size_t)j;
        vd sigma = v_load(in->sigma + at);
        vd shocked = sigma + v_set(move->vol);
        o[j].f = v_load(in->f + at) * v_set(move->up);
        o[j].k = v_load(in->k + at);
        o[j].x = v_load(in->x + at) + v_set(move->ln_up);
        o[j].s = v_max(shocked, v_min(sigma, v_set(move->vol_floor))) * v_load(in->root_t + at);
    }
    for (int j = 0; j < MOVED_GROUP; j += 2) {
        vd both = v_set(1.0) / (o[j].s * o[j + 1].s);
        vd dist0 = o[j].x * (both * o[j + 1].s);
        vd dist1 = o[j + 1].x * (both * o[j].s);
        vd half0 = o[j].s * v_set(0.5);
        vd half1 = o[j + 1].s * v_set(0.5);
        o[j].d1 = dist0 + half0;
        o[j].d2 = dist0 - half0;
        o[j + 1].d1 = dist1 + half1;
        o[j + 1].d2 = dist1 - half1;
    }
}

VEC_FN void moved_time(moved *o) {
    vd exponent[MOVED_GROUP];
    vd e[MOVED_GROUP];
    vd mills[MOVED_GROUP * 2];
    for (int j = 0; j < MOVED_GROUP; j++) {
        vd u = v_min(v_abs(o[j].d1), v_abs(o[j].d2));
        exponent[j] = v_set(0.5) * (u * u);
    }
    v_exp_neg_each(exponent, e, MOVED_GROUP);
    for (int j = 0; j < MOVED_GROUP; j += 2) {
        vd z[4] = {v_abs(o[j].d1), v_abs(o[j].d2), v_abs(o[j + 1].d1), v_abs(o[j + 1].d2)};
        v_mills_each(z, mills + 2 * j, 4);
    }
    for (int j = 0; j < MOVED_GROUP; j++) {
        vd m = v_min(o[j].f, o[j].k);
        vd n = e[j] * v_set(INV_SQRT_2PI);
        vd a = m * v_select(v_lt(exponent[j], v_set(EXP_NEG_MAX)), n, v_set(0.0));
        vd y1 = mills[2 * j];
        vd y2 = mills[2 * j + 1];
        o[j].time = v_select_negative(o[j].d1 * o[j].d2, v_fma(-a, y1 + y2, m), a * v_abs(y1 - y2));
    }
}

/* As in batch_kernel_int.h. A neighbour out of range spoils the shared division, so the lane of
 * both is done again then. */
VEC_FN unsigned moved_ordinary(const moved *o) {
    vu outside = v_outside(o->f, 1e-70, 1e70) | v_outside(o->x, -400.0, 400.0) |
                 v_outside(o->s, 1e-9, 1e3);
    vm number = v_lt(o->f + o->x + o->s, v_set(1e300));
    return m_lanes(number) & ~v_sign_lanes(v_from_bits(outside));
}

__attribute__((noinline)) static void moved_again(const hg_moved_in *in, const hg_move *move,
                                                  double *worth, size_t i, unsigned todo) {
    for (size_t lane = 0; lane < MOVED_WIDTH; lane++) {
        if (todo >> lane & 1u) worth[i + lane] = hg_moved_one(in, move, i + lane);
    }
}

void HG_MOVED_KERNEL(const hg_moved_in *in, const hg_move *move, double *worth, size_t n) {
    const unsigned all = (1u << HG_VEC_WIDTH) - 1u;
    const hg_moved_in from = *in; /* so that no store can seem to change a pointer */
    const hg_move by = *move;
    for (size_t i = 0; i < n; i += MOVED_GROUP * MOVED_WIDTH) {
        moved o[MOVED_GROUP];
        unsigned ordinary[MOVED_GROUP];
        moved_measure(&from, &by, i, o);
        moved_time(o);
        for (int j = 0; j < MOVED_GROUP; j++) {
            size_t at = i + MOVED_WIDTH * (size_t)j;
            vd inside = v_max(v_load(from.cp + at) * (o[j].f - o[j].k), v_set(0.0));
            v_store(worth + at, v_load(from.ratio + at) * (inside + o[j].time));
            ordinary[j] = moved_ordinary(&o[j]);
        }
        for (int j = 0; j < MOVED_GROUP; j++) {
            unsigned both = ordinary[j] & ordinary[j ^ 1];
            if (both != all) {
                moved_again(&from, &by, worth, i + MOVED_WIDTH * (size_t)j, all & ~both);
            }
        }
    }
}

#endif
