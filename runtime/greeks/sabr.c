/*
 * Hagan's formula and its slopes, in the level a = alpha F^(beta-1) and k = ln(K/F), in which F
 * itself drops out:
 *     c = 1 - beta,  e = exp(c k/2),  sigma = a/(e D) H(z) C,  H = z/x(z),  z = -nu k e/a
 */
#include "greeks/sabr.h"

#include <float.h>
#include <math.h>

#include "greeks/black76.h"
#include "greeks/optimise_int.h"
#include "greeks/scalar_int.h"
#include "greeks/surface_int.h"

#define SIZE_LIMIT 1e12
#define RHO_MAX 0.9999
#define C_MIN 0.05
#define VOL_MIN 1e-8

int hg_sabr_check(const hg_sabr *s) {
    bool ok = s->alpha > 0.0 && s->alpha <= SIZE_LIMIT && s->beta >= 0.0 && s->beta <= 1.0 &&
              fabs(s->rho) < 1.0 && s->nu >= 0.0 && s->nu <= SIZE_LIMIT;
    return ok ? HG_OK : HG_GREEKS_BAD_INPUT;
}

/* ln(1 + q) with its relative accuracy near 0, by 2 atanh(q/(2 + q)). */
static double ln_1p(double q) {
    if (fabs(q) > 0.05) return hg_b76_ln_ratio(1.0 + q, 1.0);
    double r = q / (2.0 + q);
    double r2 = r * r;
    return 2.0 * r * (1.0 + r2 * (1.0 / 3 + r2 * (1.0 / 5 + r2 * (1.0 / 7 + r2 / 9))));
}

typedef struct ratio {
    double h, slope; /* H and dH/dz */
} ratio;

/*
 * Near 0: x' = (1 - 2 rho z + z^2)^(-1/2) = sum P_n(rho) z^n, the Legendre polynomials' generating
 * function, so that x/z = sum P_n z^n/(n + 1).
 */
static ratio ratio_small(double z, double rho) {
    enum { TERMS = 8 };
    double before = 1.0;
    double p = rho;
    double power = 1.0;
    double s = 1.0;
    double ds = 0.0;
    for (int n = 1; n < TERMS; n++) {
        ds += n * p * power / (n + 1);
        power *= z;
        s += p * power / (n + 1);
        double next = ((2 * n + 1) * rho * p - n * before) / (n + 1);
        before = p;
        p = next;
    }
    return (ratio){1.0 / s, -ds / (s * s)};
}

static ratio ratio_at(double z, double rho) {
    if (fabs(z) < 0.01) return ratio_small(z, rho);
    double y = z - rho;
    double rest = (1.0 - rho) * (1.0 + rho);
    double root = sqrt(y * y + rest);
    double x;
    if (fabs(z) < 0.5) {
        x = ln_1p(((z - 2.0 * rho) * z / (root + 1.0) + z) / (1.0 - rho));
    } else if (y > 0.0) {
        x = hg_b76_ln_ratio(root + y, 1.0 - rho);
    } else {
        x = hg_b76_ln_ratio(1.0 + rho, root - y);
    }
    return (ratio){z / x, (x - z / root) / (x * x)};
}

typedef struct smile {
    double a, beta, rho, nu, t;
} smile;

typedef struct smile_slopes {
    double vol, d_k, d_ln_a;
} smile_slopes;

static smile_slopes smile_at(const smile *s, double k) {
    const double c = 1.0 - s->beta;
    double e = hg_exp_held(0.5 * c * k);
    double ck = c * k;
    double d = 1.0 + ck * ck * (1.0 / 24 + ck * ck / 1920);
    double d_slope = c * ck * (1.0 / 12 + ck * ck / 480);
    double z = v_max(-1e15, v_min(1e15, -s->nu * k * e / s->a));
    double dz_dk = -s->nu * e / s->a * (1.0 + 0.5 * ck);
    ratio r = ratio_at(z, s->rho);
    double level = s->a / e;
    double c1 = c * c / 24 * level * level * s->t;
    double c2 = 0.25 * s->rho * s->beta * s->nu * level * s->t;
    double big_c = 1.0 + c1 + c2 + (2.0 - 3.0 * s->rho * s->rho) / 24 * s->nu * s->nu * s->t;
    if (!(big_c > C_MIN)) {
        big_c = C_MIN;
        c1 = c2 = 0.0;
    }
    double vol = level / d * r.h * big_c;
    double lean = r.slope / r.h;
    double d_k = vol * (-0.5 * c - d_slope / d + lean * dz_dk - (c * c1 + 0.5 * c * c2) / big_c);
    double d_ln_a = vol * (1.0 - lean * z + (2.0 * c1 + c2) / big_c);
    return (smile_slopes){v_max(vol, VOL_MIN), d_k, d_ln_a};
}

/* F^x for x in -1..1. */
static double power_of(double f, double x) {
    return hg_exp_held(x * hg_b76_ln_ratio(f, 1.0));
}

static bool is_positive(double x) {
    return x > 0.0 && x <= DBL_MAX;
}

/* The smile in a and k; |k| is bounded by what doubles can hold. */
static int smile_make(const hg_sabr *s, double f, double strike, double t, smile *out, double *k) {
    bool ok = hg_sabr_check(s) == HG_OK && is_positive(f) && is_positive(strike) && t > 0.0 &&
              t <= 1e4;
    if (!ok) return HG_GREEKS_BAD_INPUT;
    double a = s->alpha * power_of(f, s->beta - 1.0);
    double rho = v_max(-RHO_MAX, v_min(RHO_MAX, s->rho));
    if (!(a > 1e-12 && a < 1e6 && s->nu * s->nu * t < 1e6)) return HG_GREEKS_BAD_INPUT;
    *out = (smile){a, s->beta, rho, s->nu, t};
    *k = -hg_b76_ln_ratio(f, strike);
    return HG_OK;
}

int hg_sabr_vol(const hg_sabr *s, double f, double strike, double t, double *sigma) {
    smile m;
    double k;
    if (smile_make(s, f, strike, t, &m, &k) != HG_OK) return HG_GREEKS_BAD_INPUT;
    double vol = smile_at(&m, k).vol;
    if (!(vol <= DBL_MAX)) return HG_GREEKS_BAD_INPUT;
    *sigma = vol;
    return HG_OK;
}

/* At fixed strike and alpha a move of ln F is one of -1 in k and of -(1 - beta) in ln a. */
int hg_sabr_all(const hg_sabr *s, double f, double strike, double t, hg_sabr_slopes *out) {
    smile m;
    double k;
    if (smile_make(s, f, strike, t, &m, &k) != HG_OK) return HG_GREEKS_BAD_INPUT;
    smile_slopes at = smile_at(&m, k);
    if (!(at.vol <= DBL_MAX)) return HG_GREEKS_BAD_INPUT;
    *out = (hg_sabr_slopes){
        .vol = at.vol,
        .d_f = hg_b76_saturate((-(1.0 - s->beta) * at.d_ln_a - at.d_k) / f),
        .d_alpha = hg_b76_saturate(at.d_ln_a / s->alpha),
        .d_strike = hg_b76_saturate(at.d_k / strike),
    };
    return HG_OK;
}

int hg_sabr_deltas(const hg_sabr *s, double f, double strike, double t, int cp,
                   hg_sabr_delta *out) {
    hg_sabr_slopes at;
    hg_greeks g;
    int code = hg_sabr_all(s, f, strike, t, &at);
    if (code == HG_OK) code = hg_black76_all(f, strike, t, at.vol, cp, 0.0, &g);
    if (code != HG_OK) return code;
    double drift = s->rho * s->nu * power_of(f, -s->beta); /* d alpha by dF, on average */
    *out = (hg_sabr_delta){
        .black = g.delta,
        .classic = hg_b76_saturate(g.delta + g.vega * at.d_f),
        .bartlett = hg_b76_saturate(g.delta + g.vega * (at.d_f + at.d_alpha * drift)),
    };
    return HG_OK;
}

typedef struct search {
    smile_data *data;
    double beta, t;
    double nu_max; /* beyond it the expansion in nu^2 T means nothing */
    int evals;
} search;

static smile smile_from(const search *s, const double *x) {
    return (smile){
        .a = hg_exp_held(x[0]),
        .beta = s->beta,
        .rho = RHO_MAX * hg_squash(x[1]),
        .nu = hg_exp_held(x[2]),
        .t = s->t,
    };
}

/* x = {ln a, rho unsquashed, ln nu}, all held in range. */
static double residuals(double *x, double *r, void *ctx) {
    search *s = ctx;
    const smile_data *d = s->data;
    double sum = 0.0;
    x[0] = v_max(-16.0, v_min(5.0, x[0]));
    x[1] = v_max(-50.0, v_min(50.0, x[1]));
    x[2] = v_max(-7.0, v_min(hg_b76_ln_ratio(s->nu_max, 1.0), x[2]));
    smile m = smile_from(s, x);
    s->evals++;
    for (int i = 0; i < d->padded; i++) {
        r[i] = 0.0;
        if (!(d->q[i] > 0.0)) continue;
        double vol = v_min(smile_at(&m, d->k[i]).vol, 1e6);
        r[i] = d->root_q[i] * (vol * vol * s->t - d->w[i]);
        sum += r[i] * r[i];
    }
    return sum;
}

static double objective(const double *x, void *ctx) {
    double r[SMILE_ROOM];
    double held[3] = {x[0], x[1], x[2]};
    double value = residuals(held, r, ctx);
    double out = fabs(x[0] - held[0]) + fabs(x[1] - held[1]) + fabs(x[2] - held[2]);
    return v_min(value * (1.0 + out * out) + 1e-12 * out, HG_SIMPLEX_WORST);
}

/* The level from the points' mean, and the best of a few leans and bends. */
static void start_choose(search *s, double *x) {
    static const double leans[3] = {-0.8, 0.0, 0.6};
    static const double bends[2] = {0.4, 1.2}; /* nu sqrt(T) */
    double best = HG_SIMPLEX_WORST;
    double level = 0.5 * hg_b76_ln_ratio(s->data->w_lo, s->t);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 2; j++) {
            double tried[3] = {level, leans[i], hg_b76_ln_ratio(bends[j], sqrt(s->t))};
            double value = objective(tried, s);
            if (!(value < best)) continue;
            best = value;
            for (int k = 0; k < 3; k++) x[k] = tried[k];
        }
    }
}

static bool start_take(const search *s, const hg_sabr *start, double f, double *x) {
    if (!start || hg_sabr_check(start) != HG_OK) return false;
    double a = start->alpha * power_of(f, start->beta - 1.0);
    x[0] = hg_b76_ln_ratio(a, 1.0);
    x[1] = hg_unsquash(v_max(-0.999, v_min(0.999, start->rho / RHO_MAX)));
    x[2] = hg_b76_ln_ratio(v_max(start->nu, 1e-3), 1.0);
    return start->nu <= s->nu_max && fabs(x[0]) < 16.0;
}

static void values_take(const search *s, const double *x, double *w_fit) {
    smile m = smile_from(s, x);
    for (int i = 0; i < s->data->n; i++) {
        double vol = smile_at(&m, s->data->k[i]).vol;
        w_fit[i] = vol * vol * s->t;
    }
}

enum { SEARCHES = 3 };

static void search_run(search *s, bool warm, double *x, double *w_fit) {
    hg_simplex_options near = {
        3, 80, 1e-2, {0.1, 0.4, 0.4}
    };
    hg_finish_options last = {
        .dim = 3,
        .n = s->data->padded,
        .steps_max = 15,
        .tolerance = 1e-4,
        .probe = {1e-6, 1e-6, 1e-6}
    };
    bool few = s->data->strikes < 3;
    if (few) last.probe[1] = last.probe[2] = 0.0; /* only the level moves */
    for (int i = 0; i < SEARCHES; i++) {
        if (i == 0 && !warm && !few) hg_simplex_minimise(objective, s, &near, x);
        hg_finish_minimise(residuals, s, &last, x);
        values_take(s, x, w_fit);
        if (i + 1 == SEARCHES || !hg_smile_data_reweigh(s->data, w_fit)) break;
    }
}

int hg_sabr_fit(const hg_smile_point *points, int n, double f, double t, double beta,
                const hg_sabr *start, hg_sabr *out, hg_smile_quality *quality) {
    smile_data d;
    double x[3];
    double w_fit[HG_SMILE_POINTS_MAX];
    bool ok = is_positive(f) && t > 0.0 && t <= 1e4 && beta >= 0.0 && beta <= 1.0;
    if (!ok || hg_smile_data_load(&d, points, n) != HG_OK) return HG_GREEKS_BAD_INPUT;
    search s = {.data = &d, .beta = beta, .t = t, .nu_max = 4.0 / sqrt(t)};
    bool warm = start_take(&s, start, f, x);
    if (!warm) start_choose(&s, x);
    if (!warm && d.strikes < 3) x[2] = hg_b76_ln_ratio(0.1, sqrt(t));
    if (!warm && d.strikes < 3) x[1] = 0.0;
    search_run(&s, warm, x, w_fit);
    smile m = smile_from(&s, x);
    hg_sabr fit = {m.a * power_of(f, 1.0 - beta), beta, m.rho, m.nu};
    if (hg_sabr_check(&fit) != HG_OK) return HG_GREEKS_BAD_INPUT;
    if (quality) {
        *quality = (hg_smile_quality){.fallback = d.strikes < 3, .evals = s.evals};
        hg_smile_data_judge(&d, w_fit, quality);
    }
    *out = fit;
    return HG_OK;
}
