/*
 * Two minimisers for the fits of this room, in one to three variables: Nelder and Mead's simplex to
 * come near, Levenberg's and Marquardt's method to finish.
 *
 * Every fit here is arranged so that at most three variables are left for the search, the others
 * having a closed form given these. The objectives have kinks where a bound becomes active; a
 * simplex does not mind them, and the finish only takes steps that improve.
 */
#ifndef HG_GREEKS_OPTIMISE_INT_H
#define HG_GREEKS_OPTIMISE_INT_H

#include <stdbool.h>

#include "greeks/math_int.h"
#include "greeks/surface_quote.h"

#define HG_SIMPLEX_DIM_MAX 3

/* Must be finite; HG_SIMPLEX_WORST says "not admissible". */
typedef double (*hg_objective)(const double *x, void *ctx);
#define HG_SIMPLEX_WORST 1e300

typedef struct hg_simplex_options {
    int dim;
    int evals_max;
    double tolerance; /* stop when the simplex is this small relative to its first steps */
    double step[HG_SIMPLEX_DIM_MAX];
} hg_simplex_options;

/*
 * Moves x to the best point found and returns its value, never above that of the start. The same
 * inputs give the same steps on every machine.
 */
double hg_simplex_minimise(hg_objective objective, void *ctx, const hg_simplex_options *options,
                           double *x);

/*
 * Weighted residuals r[0..n) and the sum of their squares; HG_SIMPLEX_WORST where x is not
 * admissible. May move x to the nearest value in bounds.
 */
typedef double (*hg_residuals)(double *x, double *r, void *ctx);
#define HG_RESIDUALS_MAX (HG_SMILE_POINTS_MAX + 4)

typedef struct hg_finish_options {
    int dim, n;
    int steps_max;
    double tolerance;                 /* stop when a step gains less than this share */
    double probe[HG_SIMPLEX_DIM_MAX]; /* for the derivatives by differences; 0: stays */
} hg_finish_options;

/* Moves x downhill as far as it goes in steps_max steps; the value there. */
double hg_finish_minimise(hg_residuals residuals, void *ctx, const hg_finish_options *options,
                          double *x);

/* The normal equations of least squares in up to three variables: at x = right. */
typedef struct hg_normal {
    double at[HG_SIMPLEX_DIM_MAX][HG_SIMPLEX_DIM_MAX];
    double right[HG_SIMPLEX_DIM_MAX];
} hg_normal;

/* With the diagonal raised by the share `damp`; false where they are singular. */
bool hg_normal_solve(const hg_normal *e, int dim, double damp, double *x);

/* e^x, held within e^-700..e^700. */
static inline double hg_exp_held(double x) {
    if (x <= 0.0) return v_exp_neg(v_min(-x, EXP_NEG_MAX));
    return 1.0 / v_exp_neg(v_min(x, EXP_NEG_MAX));
}

/* A number of any size as one in (-1, 1), and back. */
static inline double hg_squash(double x) {
    return x / sqrt(1.0 + x * x);
}
static inline double hg_unsquash(double y) {
    return y / sqrt(1.0 - y * y);
}

#endif
