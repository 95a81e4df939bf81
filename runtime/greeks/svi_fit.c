/*
 * Fitting an SVI slice, quasi-explicitly (De Marco and Martini, Zeliade 2009), in the variables of
 * its two wings.
 *
 * With y = (k - m)/sigma, z = sqrt(y^2 + 1), u = (z + y)/2 and v = (z - y)/2, so that u v = 1/4:
 *     w = a + p u + q v,   p = b sigma (1 + rho),   q = b sigma (1 - rho)
 * For given m and sigma this is linear in a, p, q; wing slopes between 0 and Lee's bound are
 * a box 0 <= p, q <= 2 sigma; and the least variance is a + sqrt(p q). Zeliade's (c, d) = ((p + q)
 * /2, (p - q)/2) make a rhombus of the same set; their a >= 0 is asked here only of a fit whose
 * least variance would otherwise be negative.
 */
#include "greeks/black76.h"
#include "greeks/optimise_int.h"
#include "greeks/scalar_int.h"
#include "greeks/ssvi.h"
#include "greeks/surface_int.h"

/* m stays this many widths of the strikes from them, sigma within these shares of the width. */
#define M_REACH 1.0
#define LN_SIGMA_LO -6.2 /* 0.002 */
#define LN_SIGMA_HI 1.1  /* 3 */

typedef struct search {
    smile_data *data;
    double centre, width;     /* of the strikes: the units of m and sigma */
    double a, p, q, m, sigma; /* of the last evaluation */
    int evals;
} search;

typedef struct sums {
    double s, u, v, w, uu, vv, uw, vw;
} sums;

static double lanes_total(const double *lane) {
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

/* The two wings at each point, and the weighted sums of the linear problem. */
static sums sums_take(const smile_data *d, double m, double sigma, double *u, double *v) {
    double t[8][SMILE_LANES] = {{0}};
    const double inv = 1.0 / sigma;
    for (int i = 0; i < d->padded; i += SMILE_LANES) {
        for (int j = 0; j < SMILE_LANES; j++) {
            double y = (d->k[i + j] - m) * inv;
            double z = sqrt(y * y + 1.0);
            u[i + j] = 0.5 * (z + y);
            v[i + j] = 0.5 * (z - y);
        }
        for (int j = 0; j < SMILE_LANES; j++) {
            double weight = d->q[i + j];
            double qu = weight * u[i + j];
            double qv = weight * v[i + j];
            t[0][j] += weight;
            t[1][j] += qu;
            t[2][j] += qv;
            t[3][j] += weight * d->w[i + j];
            t[4][j] += qu * u[i + j];
            t[5][j] += qv * v[i + j];
            t[6][j] += qu * d->w[i + j];
            t[7][j] += qv * d->w[i + j];
        }
    }
    return (sums){lanes_total(t[0]), lanes_total(t[1]), lanes_total(t[2]), lanes_total(t[3]),
                  lanes_total(t[4]), lanes_total(t[5]), lanes_total(t[6]), lanes_total(t[7])};
}

/* A quadratic p^2 uu/2 + p q uv + q^2 vv/2 - p ub - q vb over the box [0, top]^2. */
typedef struct box_problem {
    double uu, uv, vv, ub, vb, top;
} box_problem;

static double clamp(double x, double lo, double hi) {
    return v_max(lo, v_min(hi, x));
}

static double box_value(const box_problem *b, double p, double q) {
    return 0.5 * (p * p * b->uu + q * q * b->vv) + p * q * b->uv - p * b->ub - q * b->vb;
}

static void box_try(const box_problem *b, double p, double q, double best[3]) {
    double value = box_value(b, p, q);
    if (value < best[2]) {
        best[0] = p;
        best[1] = q;
        best[2] = value;
    }
}

/* Inside if the free solution is there, else on the best of the four sides (it is convex). */
static void box_solve(const box_problem *b, double *p, double *q) {
    double det = b->uu * b->vv - b->uv * b->uv;
    if (det > 1e-14 * b->uu * b->vv) {
        *p = (b->vv * b->ub - b->uv * b->vb) / det;
        *q = (b->uu * b->vb - b->uv * b->ub) / det;
        if (*p >= 0.0 && *p <= b->top && *q >= 0.0 && *q <= b->top) return;
    }
    double best[3] = {0.0, 0.0, 0.0};
    for (int side = 0; side < 2; side++) {
        double edge = side ? b->top : 0.0;
        double across = b->vv > 0.0 ? (b->vb - b->uv * edge) / b->vv : 0.0;
        double along = b->uu > 0.0 ? (b->ub - b->uv * edge) / b->uu : 0.0;
        box_try(b, edge, clamp(across, 0.0, b->top), best);
        box_try(b, clamp(along, 0.0, b->top), edge, best);
    }
    *p = best[0];
    *q = best[1];
}

/* a free; where that leaves a negative variance, a at its floor and the box again. */
static void inner_solve(search *s, const sums *t) {
    double inv = 1.0 / t->s;
    double top = SMILE_SLOPE_MAX * s->sigma;
    box_problem free = {t->uu - t->u * t->u * inv, 0.25 * t->s - t->u * t->v * inv,
                        t->vv - t->v * t->v * inv, t->uw - t->u * t->w * inv,
                        t->vw - t->v * t->w * inv, top};
    box_solve(&free, &s->p, &s->q);
    s->a = (t->w - s->p * t->u - s->q * t->v) * inv;
    double least = 0.01 * s->data->w_lo;
    if (s->a + sqrt(s->p * s->q) >= least) return;
    box_problem held = {t->uu, 0.25 * t->s, t->vv, t->uw - least * t->u, t->vw - least * t->v, top};
    s->a = least;
    box_solve(&held, &s->p, &s->q);
}

/* x = {(m - centre)/width, ln(sigma/width)}, held in range. */
static double residuals(double *x, double *r, void *ctx) {
    search *s = ctx;
    const smile_data *d = s->data;
    x[0] = clamp(x[0], -0.5 - M_REACH, 0.5 + M_REACH);
    x[1] = clamp(x[1], LN_SIGMA_LO, LN_SIGMA_HI);
    double u[SMILE_ROOM];
    double v[SMILE_ROOM];
    s->m = s->centre + s->width * x[0];
    s->sigma = s->width * hg_exp_held(x[1]);
    sums t = sums_take(d, s->m, s->sigma, u, v);
    inner_solve(s, &t);
    double lane[SMILE_LANES] = {0};
    for (int i = 0; i < d->padded; i += SMILE_LANES) {
        for (int j = 0; j < SMILE_LANES; j++) {
            double gap = s->a + s->p * u[i + j] + s->q * v[i + j] - d->w[i + j];
            r[i + j] = d->root_q[i + j] * gap;
            lane[j] += r[i + j] * r[i + j];
        }
    }
    s->evals++;
    return lanes_total(lane);
}

/* For the simplex, leaving the range costs: a plateau would mislead it. */
static double objective(const double *x, void *ctx) {
    double r[SMILE_ROOM];
    double held[2] = {x[0], x[1]};
    double value = residuals(held, r, ctx);
    double out = fabs(x[0] - held[0]) + fabs(x[1] - held[1]);
    return value * (1.0 + out * out) + 1e-12 * out;
}

/* The slice of the last evaluation. */
static hg_svi svi_take(const search *s) {
    double sum = s->p + s->q;
    return (hg_svi){
        .a = s->a,
        .b = 0.5 * sum / s->sigma,
        .rho = sum > 0.0 ? (s->p - s->q) / sum : 0.0,
        .m = s->m,
        .sigma = s->sigma,
    };
}

static hg_svi search_svi(search *s, const double *x) {
    objective(x, s);
    return svi_take(s);
}

/* The best of a few turns: in the lower, middle and upper part, sharp and round. */
static void start_choose(search *s, double *x) {
    static const double ms[4] = {-0.25, 0.0, 0.2, 0.4};
    static const double ln_sigmas[3] = {-2.8, -1.6, -0.3};
    double best = HG_SIMPLEX_WORST;
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 3; j++) {
            double tried[2] = {ms[i], ln_sigmas[j]};
            double value = objective(tried, s);
            if (!(value < best)) continue;
            best = value;
            x[0] = tried[0];
            x[1] = tried[1];
        }
    }
}

static bool start_take(const search *s, const hg_svi *start, double *x) {
    if (!start || hg_svi_check(start) != HG_OK) return false;
    x[0] = (start->m - s->centre) / s->width;
    x[1] = hg_b76_ln_ratio(start->sigma, s->width);
    return fabs(x[0]) <= 0.5 + M_REACH && x[1] > LN_SIGMA_LO && x[1] < 4.0;
}

enum { SEARCHES = 3 };

/* Near the minimum by simplex, unless an earlier fit is near already, then to it. */
static void search_once(search *s, bool warm, double *x) {
    hg_simplex_options o = {
        .dim = 2, .evals_max = 40, .tolerance = 1e-2, .step = {0.12, 0.5}
    };
    hg_finish_options last = {
        .dim = 2, .n = s->data->padded, .steps_max = 12, .tolerance = 1e-4, .probe = {1e-6, 1e-6}
    };
    if (!warm) hg_simplex_minimise(objective, s, &o, x);
    hg_finish_minimise(residuals, s, &last, x);
}

/* The search, and again with the weights its result asks for. */
static hg_svi search_run(search *s, const hg_svi *start) {
    double x[2] = {0.0, -1.0};
    bool warm = start_take(s, start, x);
    if (!warm) start_choose(s, x);
    hg_svi fit = {0};
    double w_fit[HG_SMILE_POINTS_MAX];
    for (int i = 0; i < SEARCHES; i++) {
        search_once(s, warm || i > 0, x);
        fit = search_svi(s, x);
        hg_smile_data_values(s->data, &fit, w_fit);
        if (i + 1 == SEARCHES || !hg_smile_data_reweigh(s->data, w_fit)) break;
    }
    return fit;
}

/* A smile of known shape, lifted by one factor to the points. */
static hg_svi shape_scale(const smile_data *d, const hg_svi *start) {
    hg_svi s = {.a = 1.0, .sigma = 0.1};
    if (start && hg_svi_check(start) == HG_OK) s = *start;
    double top = 0.0;
    double bottom = 0.0;
    for (int i = 0; i < d->n; i++) {
        double w = svi_w(&s, d->k[i]);
        top += d->q[i] * w * d->w[i];
        bottom += d->q[i] * w * w;
    }
    double factor = bottom > 0.0 ? top / bottom : 1.0;
    s.a *= factor;
    s.b = v_min(s.b * factor, SMILE_SLOPE_MAX / (1.0 + fabs(s.rho)));
    return s;
}

static bool is_free(const hg_svi *svi) {
    hg_svi_butterfly b;
    return hg_svi_butterfly_check(svi, &b) == HG_OK && b.is_free;
}

/* Too few strikes for five numbers. A shape that would not be free of arbitrage is not used. */
static int fit_few(smile_data *d, const hg_svi *start, hg_svi *out, hg_smile_quality *quality) {
    quality->fallback = true;
    if (d->strikes < 3) {
        *out = shape_scale(d, start);
        if (!is_free(out)) *out = shape_scale(d, NULL);
        return hg_svi_check(out);
    }
    hg_essvi slice;
    int code = hg_essvi_fit_slice(d->points, d->n, NULL, NULL, NULL, &slice, quality);
    if (code == HG_OK) code = hg_essvi_to_svi(&slice, out);
    quality->fallback = true;
    return code;
}

/* The same search with a price on butterfly arbitrage, so high that none is left to speak of. */
#define G_WANTED 2e-3
#define G_PRICE 3e2

static double free_objective(const double *x, void *ctx) {
    search *s = ctx;
    double value = objective(x, s);
    hg_svi svi = svi_take(s);
    double missing = v_min(v_max(0.0, G_WANTED - hg_svi_g_rough(&svi)), 1.0);
    return value + G_PRICE * s->data->both * missing;
}

/*
 * The best slice of a search among those without butterfly arbitrage; and, should a trace be left,
 * from there towards the best SSVI slice as far as needed. Arbitrage of a fit is mostly a turn much
 * wider than the strikes, and a narrower one fits them about as well.
 */
static int fit_mend(search *s, hg_svi *fit, hg_smile_quality *quality) {
    if (is_free(fit)) return HG_OK;
    double x[2] = {0.0, -1.0};
    if (!start_take(s, fit, x)) start_choose(s, x); /* a turn so wide that it has no place */
    x[0] = clamp(x[0], -0.5, 0.5);
    x[1] = v_min(x[1], -1.0);
    hg_simplex_options o = {
        .dim = 2, .evals_max = 80, .tolerance = 1e-3, .step = {0.1, -0.4}
    };
    hg_simplex_minimise(free_objective, s, &o, x);
    *fit = search_svi(s, x);
    quality->repaired = true;
    if (is_free(fit)) return HG_OK;
    hg_essvi slice;
    hg_svi base;
    hg_smile_quality ignored;
    const smile_data *d = s->data;
    int code = hg_essvi_fit_slice(d->points, d->n, NULL, NULL, NULL, &slice, &ignored);
    if (code == HG_OK) code = hg_essvi_to_svi(&slice, &base);
    if (code != HG_OK) return code;
    *fit = hg_svi_mix_free(&base, fit);
    s->evals += ignored.evals;
    return HG_OK;
}

int hg_svi_fit(const hg_smile_point *points, int n, const hg_svi_fit_options *options, hg_svi *out,
               hg_smile_quality *quality) {
    smile_data d;
    hg_svi fit;
    hg_smile_quality found = {0};
    const hg_svi *start = options ? options->start : NULL;
    int code = hg_smile_data_load(&d, points, n);
    if (code != HG_OK) return code;
    search s = {.data = &d, .centre = 0.5 * (d.k_lo + d.k_hi), .width = d.k_hi - d.k_lo};
    if (d.strikes < 5) {
        code = fit_few(&d, start, &fit, &found);
        s.evals = found.evals;
    } else {
        fit = search_run(&s, start);
        bool mend = !(options && options->allow_butterfly);
        if (mend) code = fit_mend(&s, &fit, &found);
    }
    if (code != HG_OK || hg_svi_check(&fit) != HG_OK) return HG_GREEKS_BAD_INPUT;
    found.evals = s.evals;
    double w_fit[HG_SMILE_POINTS_MAX];
    hg_smile_data_values(&d, &fit, w_fit);
    hg_smile_data_judge(&d, w_fit, &found);
    *out = fit;
    if (quality) *quality = found;
    return HG_OK;
}
