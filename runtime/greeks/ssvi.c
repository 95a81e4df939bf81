/*
 * eSSVI slices: conditions and the sequential fit.
 *
 * In phi = psi/theta the slice is w = theta h(k; rho, phi) with
 *     h = (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2))/2,
 * linear in theta, and each condition of ssvi.h bounds theta from one side once rho and phi are
 * chosen. The bounds on phi for a given rho are those for which theta's interval is not empty.
 */
#include "greeks/ssvi.h"

#include "greeks/black76.h"
#include "greeks/optimise_int.h"
#include "greeks/scalar_int.h"
#include "greeks/surface_int.h"

#define ROUNDING 1e-12
#define RHO_MAX 0.999
#define PHI_MIN 1e-8
#define PHI_MAX 1e8
#define THETA_MIN 1e-16
#define THETA_MAX 1e6

static bool slice_is_good(const hg_essvi *s) {
    return s->theta >= THETA_MIN && s->theta <= THETA_MAX && fabs(s->rho) < 1.0 && s->psi > 0.0 &&
           s->psi <= 1e6;
}

int hg_essvi_to_svi(const hg_essvi *s, hg_svi *svi) {
    if (!slice_is_good(s)) return HG_GREEKS_BAD_INPUT;
    double phi = s->psi / s->theta;
    double cosine = sqrt((1.0 - s->rho) * (1.0 + s->rho));
    hg_svi raw = {
        .a = 0.5 * s->theta * cosine * cosine,
        .b = 0.5 * s->psi,
        .rho = s->rho,
        .m = -s->rho / phi,
        .sigma = cosine / phi,
    };
    if (hg_svi_check(&raw) != HG_OK) return HG_GREEKS_BAD_INPUT;
    *svi = raw;
    return HG_OK;
}

bool hg_essvi_is_free(const hg_essvi *s) {
    if (!slice_is_good(s)) return false;
    double wing = s->psi * (1.0 + fabs(s->rho));
    return wing < 4.0 && s->psi * wing <= 4.0 * s->theta * (1.0 + ROUNDING);
}

/* The factor by which psi must grow when rho changes, so that neither wing becomes flatter. */
static double wing_growth(double rho_near, double rho_far) {
    return v_max((1.0 + rho_near) / (1.0 + rho_far), (1.0 - rho_near) / (1.0 - rho_far));
}

bool hg_essvi_is_ordered(const hg_essvi *near, const hg_essvi *far) {
    if (!slice_is_good(near) || !slice_is_good(far)) return false;
    const double more = 1.0 + ROUNDING;
    return near->theta <= far->theta * more &&
           far->psi * near->theta <= near->psi * far->theta * more &&
           near->psi * wing_growth(near->rho, far->rho) <= far->psi * more;
}

typedef struct range {
    double lo, hi;
} range;

typedef struct fit {
    smile_data *data;
    const hg_essvi *near, *far; /* or NULL */
    double theta, rho, phi;     /* of the last evaluation */
    int evals;
} fit;

static range phi_range(const fit *f, double rho) {
    double lean = 1.0 + fabs(rho);
    range r = {PHI_MIN, PHI_MAX};
    double theta_lo = f->near ? f->near->theta : THETA_MIN;
    double psi_lo = f->near ? f->near->psi * wing_growth(f->near->rho, rho) : 0.0;
    r.hi = v_min(r.hi, 2.0 * SMILE_SLOPE_MAX / (theta_lo * lean));
    r.hi = v_min(r.hi, 2.0 / sqrt(theta_lo * lean));
    if (f->near) {
        r.hi = v_min(r.hi, f->near->psi / f->near->theta);
        r.hi = v_min(r.hi, 4.0 / (psi_lo * lean));
        if (psi_lo * lean > 2.0 * SMILE_SLOPE_MAX) r.hi = 0.0;
    }
    if (f->far) {
        double psi_hi = f->far->psi / wing_growth(rho, f->far->rho);
        r.lo = v_max(r.lo, f->far->psi / f->far->theta);
        r.lo = v_max(r.lo, psi_lo / f->far->theta);
        r.hi = v_min(r.hi, psi_hi / theta_lo);
        if (psi_lo > psi_hi) r.hi = 0.0;
    }
    return r;
}

static range theta_range(const fit *f, double rho, double phi) {
    double lean = 1.0 + fabs(rho);
    double psi_hi = v_min(2.0 * SMILE_SLOPE_MAX / lean, 4.0 / (phi * lean));
    range r = {THETA_MIN, THETA_MAX};
    if (f->near) {
        r.lo = v_max(f->near->theta, f->near->psi * wing_growth(f->near->rho, rho) / phi);
    }
    if (f->far) {
        r.hi = f->far->theta;
        psi_hi = v_min(psi_hi, f->far->psi / wing_growth(rho, f->far->rho));
    }
    r.hi = v_min(r.hi, psi_hi / phi);
    return r;
}

/* h at each point, and the theta that fits best within its range. */
static double theta_solve(const fit *f, range r, double *h) {
    const smile_data *d = f->data;
    const double rho = f->rho;
    const double phi = f->phi;
    const double rest = (1.0 - rho) * (1.0 + rho);
    double top[SMILE_LANES] = {0};
    double bottom[SMILE_LANES] = {0};
    for (int i = 0; i < d->padded; i += SMILE_LANES) {
        for (int j = 0; j < SMILE_LANES; j++) {
            double x = phi * d->k[i + j];
            h[i + j] = 0.5 * (1.0 + rho * x + sqrt((x + rho) * (x + rho) + rest));
        }
        for (int j = 0; j < SMILE_LANES; j++) {
            double qh = d->q[i + j] * h[i + j];
            top[j] += qh * d->w[i + j];
            bottom[j] += qh * h[i + j];
        }
    }
    double sum = (bottom[0] + bottom[1]) + (bottom[2] + bottom[3]);
    double best = sum > 0.0 ? ((top[0] + top[1]) + (top[2] + top[3])) / sum : r.lo;
    return v_max(r.lo, v_min(r.hi, best));
}

/* x = {rho unsquashed, ln phi}, phi held in its range. */
static double residuals(double *x, double *r, void *ctx) {
    fit *f = ctx;
    const smile_data *d = f->data;
    double h[SMILE_ROOM];
    f->evals++;
    for (int i = 0; i < d->padded; i++) r[i] = 0.0;
    double rho = RHO_MAX * hg_squash(x[0]);
    double phi = hg_exp_held(x[1]);
    range phis = phi_range(f, rho);
    if (!(phis.lo <= phis.hi)) return HG_SIMPLEX_WORST;
    double held = v_max(phis.lo, v_min(phis.hi, phi));
    if (held != phi) x[1] = hg_b76_ln_ratio(held, 1.0);
    range thetas = theta_range(f, rho, held);
    if (!(thetas.lo <= thetas.hi * (1.0 + 0.5 * ROUNDING))) return HG_SIMPLEX_WORST;
    f->rho = rho;
    f->phi = held;
    f->theta = theta_solve(f, thetas, h);
    double lane[SMILE_LANES] = {0};
    for (int i = 0; i < d->padded; i += SMILE_LANES) {
        for (int j = 0; j < SMILE_LANES; j++) {
            r[i + j] = d->root_q[i + j] * (f->theta * h[i + j] - d->w[i + j]);
            lane[j] += r[i + j] * r[i + j];
        }
    }
    return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

/* For the simplex, leaving the range costs: a plateau would mislead it. */
static double objective(const double *x, void *ctx) {
    double r[SMILE_ROOM];
    double held[2] = {x[0], x[1]};
    double value = residuals(held, r, ctx);
    double out = x[1] - held[1];
    return value >= HG_SIMPLEX_WORST ? value : value * (1.0 + out * out) + 1e-12 * fabs(out);
}

static void place(const hg_essvi *s, double *x) {
    x[0] = hg_unsquash(v_max(-0.9999, v_min(0.9999, s->rho / RHO_MAX)));
    x[1] = hg_b76_ln_ratio(s->psi, s->theta);
}

static void start_try(fit *f, double x0, double x1, double best[3]) {
    double x[2] = {x0, x1};
    double value = objective(x, f);
    if (value < best[2]) {
        best[0] = x0;
        best[1] = x1;
        best[2] = value;
    }
}

/* The neighbours' shapes are always admissible; beside them three leans and three widths. */
static double start_choose(fit *f, double *x) {
    static const double leans[3] = {-0.8, 0.0, 0.5};
    static const double widths[3] = {0.25, 0.8, 1.6}; /* phi sqrt(theta), at most 2 */
    double best[3] = {0.0, 0.0, HG_SIMPLEX_WORST};
    double at[2];
    if (f->near) {
        place(f->near, at);
        start_try(f, at[0], at[1], best);
    }
    if (f->far) {
        place(f->far, at);
        start_try(f, at[0], at[1], best);
    }
    double root = sqrt(f->data->w_lo);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            start_try(f, leans[i], hg_b76_ln_ratio(widths[j], root), best);
        }
    }
    x[0] = best[0];
    x[1] = best[1];
    return best[2];
}

static hg_essvi fit_slice_at(fit *f, const double *x) {
    objective(x, f);
    return (hg_essvi){f->theta, f->rho, f->theta * f->phi};
}

/* Near the minimum by simplex, unless an earlier fit is near already, then to it. */
static void search_once(fit *f, bool warm, double *x) {
    hg_simplex_options o = {
        .dim = 2, .evals_max = 40, .tolerance = 1e-2, .step = {0.3, 0.3}
    };
    hg_finish_options last = {
        .dim = 2, .n = f->data->padded, .steps_max = 12, .tolerance = 1e-4, .probe = {1e-6, 1e-6}
    };
    if (!warm) hg_simplex_minimise(objective, f, &o, x);
    hg_finish_minimise(residuals, f, &last, x);
}

enum { SEARCHES = 3 };

static int search_run(fit *f, const hg_essvi *start, hg_essvi *out) {
    double x[2];
    double value = HG_SIMPLEX_WORST;
    if (start && slice_is_good(start)) {
        place(start, x);
        value = objective(x, f);
    }
    bool warm = value < HG_SIMPLEX_WORST;
    if (!warm) value = start_choose(f, x);
    if (value >= HG_SIMPLEX_WORST) return HG_GREEKS_BAD_INPUT;
    for (int i = 0; i < SEARCHES; i++) {
        search_once(f, warm || i > 0, x);
        *out = fit_slice_at(f, x);
        hg_svi svi;
        if (hg_essvi_to_svi(out, &svi) != HG_OK) return HG_GREEKS_BAD_INPUT;
        double w_fit[HG_SMILE_POINTS_MAX];
        hg_smile_data_values(f->data, &svi, w_fit);
        if (i + 1 == SEARCHES || !hg_smile_data_reweigh(f->data, w_fit)) break;
    }
    return HG_OK;
}

/* Less than three strikes: theta alone, in a shape known from elsewhere. */
static int fit_level(fit *f, const hg_essvi *start, hg_essvi *out) {
    double x[2] = {0.0, hg_b76_ln_ratio(0.1, sqrt(f->data->w_lo))};
    const hg_essvi *shape = start && slice_is_good(start) ? start : f->near ? f->near : f->far;
    if (shape) place(shape, x);
    if (objective(x, f) >= HG_SIMPLEX_WORST && start_choose(f, x) >= HG_SIMPLEX_WORST) {
        return HG_GREEKS_BAD_INPUT;
    }
    *out = fit_slice_at(f, x);
    return HG_OK;
}

int hg_essvi_fit_slice(const hg_smile_point *points, int n, const hg_essvi *near,
                       const hg_essvi *far, const hg_essvi *start, hg_essvi *out,
                       hg_smile_quality *quality) {
    smile_data d;
    hg_essvi slice;
    hg_svi svi;
    bool bounds_ok = (!near || hg_essvi_is_free(near)) && (!far || hg_essvi_is_free(far)) &&
                     (!near || !far || hg_essvi_is_ordered(near, far));
    if (!bounds_ok || hg_smile_data_load(&d, points, n) != HG_OK) return HG_GREEKS_BAD_INPUT;
    fit f = {.data = &d, .near = near, .far = far};
    int code = d.strikes < 3 ? fit_level(&f, start, &slice) : search_run(&f, start, &slice);
    if (code != HG_OK || hg_essvi_to_svi(&slice, &svi) != HG_OK) return HG_GREEKS_BAD_INPUT;
    if (quality) {
        *quality = (hg_smile_quality){.fallback = d.strikes < 3, .evals = f.evals};
        double w_fit[HG_SMILE_POINTS_MAX];
        hg_smile_data_values(&d, &svi, w_fit);
        hg_smile_data_judge(&d, w_fit, quality);
    }
    *out = slice;
    return HG_OK;
}

/* One slice between its neighbours as they are now; a slice that would become worse stays. */
static void sweep_slice(const hg_smile_slice *chain, int n, int i, hg_essvi *slices,
                        hg_smile_quality *quality) {
    hg_essvi moved;
    hg_smile_quality found;
    const hg_essvi *near = i > 0 ? &slices[i - 1] : NULL;
    const hg_essvi *far = i + 1 < n ? &slices[i + 1] : NULL;
    int code = hg_essvi_fit_slice(chain[i].points, chain[i].n, near, far, &slices[i], &moved,
                                  &found);
    if (code != HG_OK || found.rms > quality[i].rms) return;
    found.evals += quality[i].evals;
    slices[i] = moved;
    quality[i] = found;
}

typedef struct pass {
    hg_essvi slices[HG_SURFACE_SLICES_MAX];
    hg_smile_quality quality[HG_SURFACE_SLICES_MAX];
} pass;

/* From the nearest expiry outwards, each slice above the one before; or backwards, each below. */
static int pass_run(const hg_smile_slice *chain, int n, bool outwards, const hg_essvi *starts,
                    pass *p) {
    for (int j = 0; j < n; j++) {
        int i = outwards ? j : n - 1 - j;
        const hg_essvi *near = outwards && i > 0 ? &p->slices[i - 1] : NULL;
        const hg_essvi *far = !outwards && i + 1 < n ? &p->slices[i + 1] : NULL;
        int code = hg_essvi_fit_slice(chain[i].points, chain[i].n, near, far,
                                      starts ? &starts[i] : NULL, &p->slices[i], &p->quality[i]);
        if (code != HG_OK) return code;
    }
    return HG_OK;
}

/* Bounded for each expiry: one that fits nowhere shall not outweigh the others. */
static double pass_loss(const pass *p, int n) {
    double sum = 0.0;
    for (int i = 0; i < n; i++) {
        double square = p->quality[i].rms * p->quality[i].rms;
        sum += p->quality[i].points * square / (1.0 + square / 25.0);
    }
    return sum;
}

int hg_essvi_fit(const hg_smile_slice *chain, int n, const hg_essvi_options *options,
                 hg_essvi *slices, hg_smile_quality *quality) {
    pass passes[2]; /* outwards, backwards */
    if (n < 1 || n > HG_SURFACE_SLICES_MAX) return HG_GREEKS_BAD_INPUT;
    for (int i = 0; i < n; i++) {
        if (!(chain[i].t > (i > 0 ? chain[i - 1].t : 0.0))) return HG_GREEKS_BAD_INPUT;
    }
    const hg_essvi *starts = options && options->warm ? slices : NULL;
    for (int i = 0; i < 2; i++) {
        int code = pass_run(chain, n, i == 0, starts, &passes[i]);
        if (code != HG_OK) return code;
    }
    pass *best = &passes[pass_loss(&passes[1], n) < pass_loss(&passes[0], n)];
    for (int sweep = 0; options && sweep < options->sweeps; sweep++) {
        for (int i = n - 1; i >= 0; i--) sweep_slice(chain, n, i, best->slices, best->quality);
    }
    for (int i = 0; i < n; i++) {
        slices[i] = best->slices[i];
        if (quality) quality[i] = best->quality[i];
    }
    return HG_OK;
}
