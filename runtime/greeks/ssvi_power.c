/*
 * SSVI with the power law: the whole surface by three numbers. The search is by simplex alone, in
 * variables of which every value is free of arbitrage.
 */
#include "greeks/black76.h"
#include "greeks/optimise_int.h"
#include "greeks/scalar_int.h"
#include "greeks/ssvi.h"
#include "greeks/surface_int.h"

#define RHO_MAX 0.999

static bool ssvi_is_free(const hg_ssvi *s) {
    return fabs(s->rho) < 1.0 && s->gamma > 0.0 && s->gamma <= 0.5 && s->eta > 0.0 &&
           s->eta * (1.0 + fabs(s->rho)) <= 2.0 * (1.0 + 1e-12);
}

/* psi = eta (theta/(1 + theta))^(1 - gamma). */
int hg_ssvi_slice(const hg_ssvi *s, double theta, hg_essvi *out) {
    if (!ssvi_is_free(s) || !(theta > 1e-16 && theta <= 1e6)) return HG_GREEKS_BAD_INPUT;
    double ln = hg_b76_ln_ratio(theta, 1.0 + theta);
    *out = (hg_essvi){theta, s->rho, s->eta * hg_exp_held((1.0 - s->gamma) * ln)};
    return HG_OK;
}

typedef struct search {
    const hg_smile_slice *chain;
    const double *thetas;
    int n;
} search;

static hg_ssvi ssvi_at(const double *x) {
    double rho = RHO_MAX * hg_squash(x[0]);
    return (hg_ssvi){
        .rho = rho,
        .eta = (1.0 + RHO_MAX * hg_squash(x[1])) / (1.0 + fabs(rho)),
        .gamma = 0.25 + 0.25 * RHO_MAX * hg_squash(x[2]),
    };
}

/* Grows like |u| for quotes far off, so that they do not decide. */
static double slice_loss(const hg_smile_slice *slice, const hg_svi *svi) {
    double sum = 0.0;
    for (int i = 0; i < slice->n; i++) {
        const hg_smile_point *p = &slice->points[i];
        double u = (svi_w(svi, p->k) - p->w) / p->error;
        if (p->side == HG_SMILE_BOTH) sum += sqrt(1.0 + u * u) - 1.0;
    }
    return sum;
}

static double objective(const double *x, void *ctx) {
    const search *s = ctx;
    hg_ssvi ssvi = ssvi_at(x);
    double sum = 0.0;
    for (int i = 0; i < s->n; i++) {
        hg_essvi slice;
        hg_svi svi;
        if (hg_ssvi_slice(&ssvi, s->thetas[i], &slice) != HG_OK) return HG_SIMPLEX_WORST;
        if (hg_essvi_to_svi(&slice, &svi) != HG_OK) return HG_SIMPLEX_WORST;
        sum += slice_loss(&s->chain[i], &svi);
    }
    return sum;
}

/* Non-decreasing: neighbours in the wrong order share their mean (pool adjacent violators). */
static void order_make(double *x, int n) {
    double mean[HG_SURFACE_SLICES_MAX];
    int size[HG_SURFACE_SLICES_MAX];
    int blocks = 0;
    for (int i = 0; i < n; i++) {
        mean[blocks] = x[i];
        size[blocks++] = 1;
        while (blocks > 1 && mean[blocks - 2] > mean[blocks - 1]) {
            int both = size[blocks - 2] + size[blocks - 1];
            mean[blocks - 2] = (mean[blocks - 2] * size[blocks - 2] +
                                mean[blocks - 1] * size[blocks - 1]) /
                               both;
            size[blocks - 2] = both;
            blocks--;
        }
    }
    for (int b = 0, i = 0; b < blocks; b++) {
        for (int j = 0; j < size[b]; j++) x[i++] = mean[b];
    }
}

int hg_ssvi_fit(const hg_smile_slice *chain, int n, hg_ssvi *out, double *thetas) {
    double found[HG_SURFACE_SLICES_MAX];
    if (n < 1 || n > HG_SURFACE_SLICES_MAX) return HG_GREEKS_BAD_INPUT;
    for (int i = 0; i < n; i++) {
        hg_essvi slice;
        if (!(chain[i].t > (i > 0 ? chain[i - 1].t : 0.0))) return HG_GREEKS_BAD_INPUT;
        int code = hg_essvi_fit_slice(chain[i].points, chain[i].n, NULL, NULL, NULL, &slice, NULL);
        if (code != HG_OK) return code;
        found[i] = slice.theta;
    }
    order_make(found, n);
    search s = {chain, found, n};
    double x[3] = {-0.3, 0.0, 0.5};
    hg_simplex_options o = {
        3, 200, 1e-5, {0.4, 0.4, 0.5}
    };
    double value = hg_simplex_minimise(objective, &s, &o, x);
    if (value >= HG_SIMPLEX_WORST) return HG_GREEKS_BAD_INPUT;
    *out = ssvi_at(x);
    for (int i = 0; i < n; i++) thetas[i] = found[i];
    return HG_OK;
}
