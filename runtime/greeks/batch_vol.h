/*
 * Implied vols of whole books, options as columns; the kernel is chosen as for hg_greeks_batch.
 *
 * Within 8 eps (1 + cond) of the exact root, cond being the condition number of the vol in price, F
 * and K; hg_implied_vol does better near the money, where cond in F and K is large and in the price
 * alone is not.
 */
#ifndef HG_GREEKS_BATCH_VOL_H
#define HG_GREEKS_BATCH_VOL_H

#include <stddef.h>

/* Units as in black76.h, r = 0. */
typedef struct hg_vol_in {
    const double *price;
    const double *f;
    const double *k;
    const double *t;
    const double *cp;    /* +1.0 call, -1.0 put */
    const double *start; /* vols thought to be near (10 % is near enough), or NULL */
} hg_vol_in;

/* What sigma gets where hg_implied_vol would refuse. */
#define HG_VOL_BAD (-1.0)

/*
 * Returns the number of options without a vol. A start only saves time: one that is far off or no
 * number at all is not used. `sigma` may be one of the input columns, but not overlap one in part.
 */
size_t hg_implied_vol_batch(const hg_vol_in *in, double *sigma, size_t n);

#endif
