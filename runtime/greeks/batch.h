/*
 * Whole books: options as columns, priced several at a time.
 *
 * The widest kernel this CPU can run (AVX-512, AVX2 with FMA, plain C) is chosen at the first call.
 * AVX-512 and AVX2 give the same bytes; plain C may differ from them in the last places. All are
 * within the accuracy of hg_black76_all, with one exception: a price, delta or other output that is
 * below e^-700 of its scale is given as 0.
 */
#ifndef HG_GREEKS_BATCH_H
#define HG_GREEKS_BATCH_H

#include <stddef.h>

/* Units as in black76.h; undiscounted (r = 0). Columns of n doubles, of any alignment. */
typedef struct hg_batch_in {
    const double *f;
    const double *k;
    const double *t;
    const double *sigma;
    const double *cp; /* +1.0 call, -1.0 put */
} hg_batch_in;

/* Columns of n doubles; NULL = not wanted. */
typedef struct hg_batch_out {
    double *price;
    double *delta;
    double *gamma;
    double *vega;
    double *theta;
    double *vanna;
    double *volga;
    double *charm;
    double *speed;
    double *color;
    double *zomma;
    double *ultima;
} hg_batch_out;

/*
 * Returns the number of bad options: those hg_black76_all would refuse. All their outputs are 0.
 * An output column may be the same array as an input column, but not overlap one in part.
 */
size_t hg_greeks_batch(const hg_batch_in *in, const hg_batch_out *out, size_t n);

/* The kernel in use: "avx512", "avx2" or "portable". */
const char *hg_greeks_batch_kernel(void);

#endif
