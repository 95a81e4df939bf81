/*
 * The simplex of Nelder and Mead (Computer Journal 7, 1965), with their coefficients: reflect 1,
 * expand 2, contract 1/2, shrink 1/2. The finish is Marquardt's (SIAM J. 11, 1963).
 */
#include "greeks/optimise_int.h"

#include "base/assert.h"

#define DIM_MAX HG_SIMPLEX_DIM_MAX

typedef struct vertex {
    double x[DIM_MAX];
    double f;
} vertex;

typedef struct simplex {
    hg_objective objective;
    void *ctx;
    int dim;
    int evals;
    vertex v[DIM_MAX + 1]; /* best first */
} simplex;

static void vertex_rate(simplex *s, vertex *v) {
    v->f = s->objective(v->x, s->ctx);
    s->evals++;
}

/* Puts the last vertex where its value belongs; equal values keep their order. */
static void simplex_sink(simplex *s, int last) {
    vertex moved = s->v[last];
    int at = last;
    while (at > 0 && s->v[at - 1].f > moved.f) {
        s->v[at] = s->v[at - 1];
        at--;
    }
    s->v[at] = moved;
}

/* The worst vertex mirrored at the centre of the others and stretched by `factor`. */
static vertex simplex_try(simplex *s, double factor) {
    vertex v = {.f = 0.0};
    for (int i = 0; i < DIM_MAX; i++) {
        double centre = 0.0;
        for (int j = 0; j < s->dim; j++) centre += s->v[j].x[i];
        centre /= s->dim;
        v.x[i] = centre + factor * (centre - s->v[s->dim].x[i]);
    }
    vertex_rate(s, &v);
    return v;
}

static void simplex_shrink(simplex *s) {
    for (int j = 1; j <= s->dim; j++) {
        for (int i = 0; i < s->dim; i++) {
            s->v[j].x[i] = 0.5 * (s->v[0].x[i] + s->v[j].x[i]);
        }
        vertex_rate(s, &s->v[j]);
    }
    for (int j = 1; j <= s->dim; j++) simplex_sink(s, j);
}

static void simplex_step(simplex *s) {
    int last = s->dim;
    vertex tried = simplex_try(s, 1.0);
    if (tried.f < s->v[0].f) {
        vertex further = simplex_try(s, 2.0);
        s->v[last] = further.f < tried.f ? further : tried;
    } else if (tried.f < s->v[last - 1].f) {
        s->v[last] = tried;
    } else {
        bool outside = tried.f < s->v[last].f;
        vertex nearer = simplex_try(s, outside ? 0.5 : -0.5);
        if (nearer.f >= (outside ? tried.f : s->v[last].f)) {
            simplex_shrink(s);
            return;
        }
        s->v[last] = nearer;
    }
    simplex_sink(s, last);
}

static bool simplex_is_small(const simplex *s, const hg_simplex_options *options) {
    for (int i = 0; i < s->dim; i++) {
        for (int j = 1; j <= s->dim; j++) {
            double size = fabs(s->v[j].x[i] - s->v[0].x[i]);
            if (size > options->tolerance * fabs(options->step[i])) return false;
        }
    }
    return true;
}

double hg_simplex_minimise(hg_objective objective, void *ctx, const hg_simplex_options *options,
                           double *x) {
    simplex s = {.objective = objective, .ctx = ctx, .dim = options->dim};
    hg_assert(s.dim >= 1 && s.dim <= DIM_MAX);
    for (int j = 0; j <= s.dim; j++) {
        for (int i = 0; i < s.dim; i++) s.v[j].x[i] = x[i];
        if (j > 0) s.v[j].x[j - 1] += options->step[j - 1];
        vertex_rate(&s, &s.v[j]);
        simplex_sink(&s, j);
    }
    while (s.evals < options->evals_max && !simplex_is_small(&s, options)) simplex_step(&s);
    for (int i = 0; i < s.dim; i++) x[i] = s.v[0].x[i];
    return s.v[0].f;
}

static double dot(const double *a, const double *b, int n) {
    double lane[4] = {0};
    int i = 0;
    for (; i + 4 <= n; i += 4) {
        for (int j = 0; j < 4; j++) lane[j] += a[i + j] * b[i + j];
    }
    for (; i < n; i++) lane[0] += a[i] * b[i];
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

/* The derivative in x[i], by a probe up or, at a bound, down; 0 where x[i] cannot move. */
static void slope_take(hg_residuals residuals, void *ctx, const hg_finish_options *o,
                       const double *x, const double *r, int i, double *slope) {
    for (int sign = 1; sign >= -1; sign -= 2) {
        double moved[DIM_MAX] = {0};
        for (int j = 0; j < o->dim; j++) moved[j] = x[j];
        moved[i] += sign * o->probe[i];
        double value = residuals(moved, slope, ctx);
        double by = moved[i] - x[i];
        if (value >= HG_SIMPLEX_WORST || fabs(by) <= 0.5 * o->probe[i]) continue;
        for (int k = 0; k < o->n; k++) slope[k] = (slope[k] - r[k]) / by;
        return;
    }
    for (int k = 0; k < o->n; k++) slope[k] = 0.0;
}

static hg_normal normal_take(hg_residuals residuals, void *ctx, const hg_finish_options *o,
                             const double *x, const double *r) {
    double slope[DIM_MAX][HG_RESIDUALS_MAX];
    hg_normal e = {{{0}}, {0}};
    for (int i = 0; i < o->dim; i++) {
        slope_take(residuals, ctx, o, x, r, i, slope[i]);
        for (int j = 0; j <= i; j++) e.at[i][j] = e.at[j][i] = dot(slope[i], slope[j], o->n);
        e.right[i] = -dot(slope[i], r, o->n);
        if (e.at[i][i] == 0.0) e.at[i][i] = 1.0; /* stays where it is */
    }
    return e;
}

bool hg_normal_solve(const hg_normal *given, int dim, double damp, double *step) {
    hg_normal e = *given;
    for (int i = 0; i < dim; i++) e.at[i][i] *= 1.0 + damp;
    for (int i = 0; i < dim; i++) {
        if (!(e.at[i][i] > 1e-300 && e.at[i][i] > 1e-15 * given->at[i][i])) return false;
        for (int j = i + 1; j < dim; j++) {
            double factor = e.at[j][i] / e.at[i][i];
            for (int k = i; k < dim; k++) e.at[j][k] -= factor * e.at[i][k];
            e.right[j] -= factor * e.right[i];
        }
    }
    for (int i = dim - 1; i >= 0; i--) {
        step[i] = e.right[i];
        for (int k = i + 1; k < dim; k++) step[i] -= e.at[i][k] * step[k];
        step[i] /= e.at[i][i];
        if (!(fabs(step[i]) < 1e6)) return false;
    }
    return true;
}

/* One accepted step: damped more and more until it improves; false when nothing does. */
static bool finish_step(hg_residuals residuals, void *ctx, const hg_finish_options *o,
                        const hg_normal *e, double *damp, double *x, double *r, double *best) {
    enum { TRIES = 6 };
    for (int i = 0; i < TRIES; i++, *damp *= 10.0) {
        double step[DIM_MAX];
        double tried[DIM_MAX] = {0};
        double there[HG_RESIDUALS_MAX];
        if (!hg_normal_solve(e, o->dim, *damp, step)) continue;
        for (int j = 0; j < o->dim; j++) tried[j] = x[j] + step[j];
        double value = residuals(tried, there, ctx);
        if (!(value < *best)) continue;
        *best = value;
        for (int j = 0; j < o->dim; j++) x[j] = tried[j];
        for (int k = 0; k < o->n; k++) r[k] = there[k];
        return true;
    }
    return false;
}

/* Gains below this for each residual are of no interest: 1e-5 of a quote's error. */
#define ENOUGH 1e-10

double hg_finish_minimise(hg_residuals residuals, void *ctx, const hg_finish_options *o,
                          double *x) {
    double r[HG_RESIDUALS_MAX];
    hg_assert(o->dim >= 1 && o->dim <= DIM_MAX && o->n >= 0 && o->n <= HG_RESIDUALS_MAX);
    double best = residuals(x, r, ctx);
    double damp = 1e-4;
    for (int i = 0; i < o->steps_max; i++) {
        double before = best;
        hg_normal e = normal_take(residuals, ctx, o, x, r);
        if (!finish_step(residuals, ctx, o, &e, &damp, x, r, &best)) break;
        if (before - best <= o->tolerance * before + ENOUGH * o->n) break;
        damp = v_max(0.1 * damp, 1e-12);
    }
    return best;
}
