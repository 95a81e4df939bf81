/*
 * The simplex of Nelder and Mead (Computer Journal 7, 1965), with their coefficients: reflect 1,
 * expand 2, contract 1/2, shrink 1/2.
 */
#include "greeks/optimise_int.h"

#include <stdbool.h>

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
