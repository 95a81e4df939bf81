/*
 * What the smile models of this room share: evaluation without checks, and the working columns of a
 * fit with its robust weights.
 */
#ifndef HG_GREEKS_SURFACE_INT_H
#define HG_GREEKS_SURFACE_INT_H

#include <math.h>

#include "greeks/svi.h"

/* Sums are taken in this many lanes, so that the compiler may use vectors without reordering. */
enum { SMILE_LANES = 4, SMILE_ROOM = HG_SMILE_POINTS_MAX + SMILE_LANES };

/* Lee's bound on the wings, with room for rounding: at 2 itself the price of a far call is not 0.
 */
#define SMILE_SLOPE_MAX 1.999

static inline double svi_w(const hg_svi *s, double k) {
    double x = k - s->m;
    return s->a + s->b * (s->rho * x + sqrt(x * x + s->sigma * s->sigma));
}

/* The points of a fit as columns, padded to whole lanes with weight 0. */
typedef struct smile_data {
    int n;       /* points */
    int padded;  /* n rounded up to lanes */
    int both;    /* two-sided points */
    int strikes; /* different k among the two-sided, counted up to 5 */
    double k_lo, k_hi;
    double w_lo; /* of the two-sided points */
    double k[SMILE_ROOM], w[SMILE_ROOM];
    double q[SMILE_ROOM], root_q[SMILE_ROOM]; /* the weight now, and its root */
    const hg_smile_point *points;
} smile_data;

/* HG_GREEKS_BAD_INPUT when a point is not finite or not positive, or none is two-sided. */
int hg_smile_data_load(smile_data *d, const hg_smile_point *points, int n);

/*
 * New weights from the residuals of a fit, w_fit[i] being its value at point i. With u the residual
 * in units of the point's error, and scale = max(1, 1.4826 median |u|): weight falls as 1/u^2 from
 * |u| = 2 scale on, so that a quote far off (stale, mispriced) pulls no harder the further it is
 * off. A bound counts while violated. False when no weight has changed by more than 1%.
 */
bool hg_smile_data_reweigh(smile_data *d, const double *w_fit);

/* Fills points, inside, rms and worst. */
void hg_smile_data_judge(const smile_data *d, const double *w_fit, hg_smile_quality *quality);

/* w_fit for an SVI slice. */
void hg_smile_data_values(const smile_data *d, const hg_svi *svi, double *w_fit);

/* The least g on a coarse grid: above the true one, by little; for a search. */
double hg_svi_g_rough(const hg_svi *svi);

/*
 * The furthest admissible mix on the way from a slice free of butterfly arbitrage to another.
 */
hg_svi hg_svi_mix_free(const hg_svi *from, const hg_svi *to);

#endif
