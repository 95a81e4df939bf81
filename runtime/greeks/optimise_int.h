/*
 * A minimiser for the fits of this room: Nelder and Mead's simplex in one to three variables.
 *
 * Every fit here is arranged so that at most three variables are left for the search, the others
 * having a closed form given these; and the objectives have kinks where a bound becomes active. A
 * simplex needs no derivatives, no memory and no tuning there.
 */
#ifndef HG_GREEKS_OPTIMISE_INT_H
#define HG_GREEKS_OPTIMISE_INT_H

#include "greeks/math_int.h"

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
