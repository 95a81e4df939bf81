/*
 * Options after one move of all of them: what a grid of scenarios asks for many times over. What
 * the moves have in common (ln(F/K), sqrt(T)) is made once by the caller; the rest is that of
 * hg_greeks_batch, with its kernels and its accuracy: a price is within 1e-13 of the larger of F
 * and K.
 */
#ifndef HG_GREEKS_BATCH_MOVED_H
#define HG_GREEKS_BATCH_MOVED_H

#include <stddef.h>

/* Columns are read and written up to n rounded up to a multiple of this. */
#define HG_MOVED_STEP 32

typedef struct hg_moved_in {
    const double *f;      /* forward before the move */
    const double *k;      /* strike */
    const double *t;      /* years */
    const double *sigma;  /* before the move */
    const double *cp;     /* +1.0 call, -1.0 put */
    const double *x;      /* ln(f/k) */
    const double *root_t; /* sqrt(t) */
    const double *ratio;  /* the price is worth so much */
} hg_moved_in;

typedef struct hg_move {
    double up;        /* F' = F up */
    double ln_up;     /* ln(up) */
    double vol;       /* sigma' = max(sigma + vol, min(sigma, vol_floor)) */
    double vol_floor; /* above 0 */
} hg_move;

/* worth = ratio * price of Black-76 at F', K, T, sigma', undiscounted; 0 for a bad option. */
void hg_greeks_batch_moved(const hg_moved_in *in, const hg_move *move, double *worth, size_t n);

#endif
