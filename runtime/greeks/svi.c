/*
 * SVI slices: evaluation, the tests for arbitrage, jump-wings and repair.
 */
#include "greeks/svi.h"

#include <float.h>

#include "greeks/black76.h"
#include "greeks/optimise_int.h"
#include "greeks/scalar_int.h"
#include "greeks/surface_int.h"

#define SIZE_MAX_SVI 1e6

static bool is_within(double x, double size) {
    return fabs(x) <= size;
}

int hg_svi_check(const hg_svi *s) {
    bool ok = is_within(s->a, SIZE_MAX_SVI) && is_within(s->m, SIZE_MAX_SVI) && s->b >= 0.0 &&
              s->b <= SIZE_MAX_SVI && is_within(s->rho, 1.0) && s->sigma >= 1e-12 &&
              s->sigma <= SIZE_MAX_SVI;
    if (!ok) return HG_GREEKS_BAD_INPUT;
    double least = s->a + s->b * s->sigma * sqrt(1.0 - s->rho * s->rho);
    /* A slice whose least variance is 0 by construction may be off by its rounding. */
    return least >= -1e-15 * (1.0 + fabs(s->a)) ? HG_OK : HG_GREEKS_BAD_INPUT;
}

static int point_check(const hg_svi *s, double k) {
    return is_within(k, HG_SMILE_K_MAX) ? hg_svi_check(s) : HG_GREEKS_BAD_INPUT;
}

int hg_svi_variance(const hg_svi *s, double k, double *w) {
    if (point_check(s, k) != HG_OK) return HG_GREEKS_BAD_INPUT;
    *w = v_max(svi_w(s, k), 0.0);
    return HG_OK;
}

static void derivatives(const hg_svi *s, double k, double w[3]) {
    double x = k - s->m;
    double root = sqrt(x * x + s->sigma * s->sigma);
    w[0] = v_max(s->a + s->b * (s->rho * x + root), 0.0);
    w[1] = s->b * (s->rho + x / root);
    w[2] = s->b * (s->sigma / root) * (s->sigma / root) / root;
}

int hg_svi_derivatives(const hg_svi *s, double k, double w[3]) {
    if (point_check(s, k) != HG_OK) return HG_GREEKS_BAD_INPUT;
    derivatives(s, k, w);
    return HG_OK;
}

/* NO_DENSITY where w is 0: g has no value there, and a smile that touches 0 is not free of
 * arbitrage. */
#define NO_DENSITY (-1.0)

static double durrleman(const hg_svi *s, double k) {
    double w[3];
    derivatives(s, k, w);
    if (!(w[0] > 0.0)) return NO_DENSITY;
    double ratio = w[1] / w[0];
    double lean = 1.0 - 0.5 * k * ratio;
    return hg_b76_saturate(lean * lean - 0.25 * w[1] * (ratio + 0.25 * w[1]) + 0.5 * w[2]);
}

int hg_svi_g(const hg_svi *s, double k, double *g) {
    double w;
    if (hg_svi_variance(s, k, &w) != HG_OK || !(w > 0.0)) return HG_GREEKS_BAD_INPUT;
    *g = durrleman(s, k);
    return HG_OK;
}

/*
 * Minimising a function of k over the line. What SVI does happens around m on the scale of sigma,
 * around 0 on the scale of m, and never finer than the distance from m times a constant; so a grid
 * even in asinh((k - m)/sigma) misses nothing.
 */
enum { SCAN_STEPS = 128, REFINE_STEPS = 40 };

typedef double (*curve)(const void *ctx, double k);

typedef struct low {
    double k, f;
} low;

/* Golden section between the neighbours of the lowest grid point. */
static low refine(curve f, const void *ctx, double lo, double hi, low best) {
    const double golden = 0.61803398874989484820;
    double a = hi - golden * (hi - lo);
    double b = lo + golden * (hi - lo);
    double fa = f(ctx, a);
    double fb = f(ctx, b);
    for (int i = 0; i < REFINE_STEPS; i++) {
        if (fa < fb) {
            hi = b;
            b = a;
            fb = fa;
            a = hi - golden * (hi - lo);
            fa = f(ctx, a);
        } else {
            lo = a;
            a = b;
            fa = fb;
            b = lo + golden * (hi - lo);
            fb = f(ctx, b);
        }
    }
    if (fa < best.f) best = (low){a, fa};
    if (fb < best.f) best = (low){b, fb};
    return best;
}

/* The grid: sinh by its exponential, growing evenly from lo to hi. */
static void grid_make(double m, double sigma, double lo, double hi, int steps, double *k) {
    double from = (lo - m) / sigma;
    double to = (hi - m) / sigma;
    double x0 = from < 0.0 ? -hg_b76_ln_ratio(-from + sqrt(from * from + 1.0), 1.0)
                           : hg_b76_ln_ratio(from + sqrt(from * from + 1.0), 1.0);
    double x1 = to < 0.0 ? -hg_b76_ln_ratio(-to + sqrt(to * to + 1.0), 1.0)
                         : hg_b76_ln_ratio(to + sqrt(to * to + 1.0), 1.0);
    double e = hg_exp_held(x0);
    double step = hg_exp_held((x1 - x0) / steps);
    for (int i = 0; i <= steps; i++, e *= step) {
        k[i] = m + sigma * 0.5 * (e - 1.0 / e);
        k[i] = v_max(lo, v_min(hi, k[i]));
    }
    k[0] = lo;
    k[steps] = hi;
}

static low scan(curve f, const void *ctx, const double *k, low best) {
    double v[SCAN_STEPS + 1];
    for (int i = 0; i <= SCAN_STEPS; i++) {
        v[i] = f(ctx, k[i]);
        if (v[i] < best.f) best = (low){k[i], v[i]};
    }
    for (int i = 1; i < SCAN_STEPS; i++) {
        bool dip = v[i] <= v[i - 1] && v[i] <= v[i + 1] && (v[i] < v[i - 1] || v[i] < v[i + 1]);
        if (!dip) continue;
        /* A parabola through the three says how deep it may go; most dips need no second look. */
        double bend = v[i - 1] - 2.0 * v[i] + v[i + 1];
        double tilt = v[i + 1] - v[i - 1];
        double floor = v[i] - v_max(tilt * tilt / (8.0 * bend), 0.5 * bend);
        if (floor < best.f) best = refine(f, ctx, k[i - 1], k[i + 1], best);
    }
    return best;
}

static double g_curve(const void *ctx, double k) {
    return durrleman(ctx, k);
}

/* g -> (4 - slope^2)/16 where a wing rises, 1 where it is flat. */
static double g_end(double slope) {
    return slope > 0.0 ? (4.0 - slope * slope) / 16.0 : 1.0;
}

double hg_svi_g_rough(const hg_svi *s) {
    enum { STEPS = 40 };
    double k[SCAN_STEPS + 1];
    double least = g_end(s->b * (1.0 + fabs(s->rho)));
    grid_make(s->m, s->sigma, s->m - 100.0 * s->sigma, s->m + 100.0 * s->sigma, STEPS, k);
    for (int i = 0; i <= STEPS; i++) least = v_min(least, durrleman(s, k[i]));
    return least;
}

int hg_svi_butterfly_check(const hg_svi *s, hg_svi_butterfly *out) {
    if (hg_svi_check(s) != HG_OK) return HG_GREEKS_BAD_INPUT;
    double k[SCAN_STEPS + 1];
    double left = g_end(s->b * (1.0 - s->rho));
    double right = g_end(s->b * (1.0 + s->rho));
    low best = left < right ? (low){-HG_SMILE_K_MAX, left} : (low){HG_SMILE_K_MAX, right};
    double at_money = durrleman(s, 0.0);
    if (at_money < best.f) best = (low){0.0, at_money};
    grid_make(s->m, s->sigma, -HG_SMILE_K_MAX, HG_SMILE_K_MAX, SCAN_STEPS, k);
    best = scan(g_curve, s, k, best);
    double slope = s->b * (1.0 + fabs(s->rho));
    *out = (hg_svi_butterfly){best.f, best.k, slope, best.f >= 0.0 && slope < 2.0};
    return HG_OK;
}

typedef struct pair {
    const hg_svi *near, *far;
} pair;

static double gap_curve(const void *ctx, double k) {
    const pair *p = ctx;
    return svi_w(p->far, k) - svi_w(p->near, k);
}

int hg_svi_calendar_gap(const hg_svi *near, const hg_svi *far, double k_lo, double k_hi,
                        double *gap, double *k_at) {
    bool ok = hg_svi_check(near) == HG_OK && hg_svi_check(far) == HG_OK &&
              is_within(k_lo, HG_SMILE_K_MAX) && is_within(k_hi, HG_SMILE_K_MAX) && k_lo < k_hi;
    if (!ok) return HG_GREEKS_BAD_INPUT;
    pair p = {near, far};
    double k[SCAN_STEPS + 1];
    low best = {k_lo, gap_curve(&p, k_lo)};
    grid_make(near->m, near->sigma, k_lo, k_hi, SCAN_STEPS, k);
    best = scan(gap_curve, &p, k, best);
    grid_make(far->m, far->sigma, k_lo, k_hi, SCAN_STEPS, k);
    best = scan(gap_curve, &p, k, best);
    *gap = best.f;
    *k_at = best.k;
    return HG_OK;
}

int hg_svi_to_jw(const hg_svi *s, double t, hg_svi_jw *jw) {
    if (hg_svi_check(s) != HG_OK || !(t > 0.0 && t <= 1e4)) return HG_GREEKS_BAD_INPUT;
    double w0 = svi_w(s, 0.0);
    if (!(w0 > 1e-300)) return HG_GREEKS_BAD_INPUT;
    double root = sqrt(w0);
    double hyp = sqrt(s->m * s->m + s->sigma * s->sigma);
    hg_svi_jw j = {
        .v = w0 / t,
        .psi = 0.5 * s->b * (s->rho - s->m / hyp) / root,
        .p = s->b * (1.0 - s->rho) / root,
        .c = s->b * (1.0 + s->rho) / root,
        .v_min = v_max(s->a + s->b * s->sigma * sqrt(1.0 - s->rho * s->rho), 0.0) / t,
    };
    if (!(is_within(j.v, DBL_MAX) && is_within(j.v_min, DBL_MAX))) return HG_GREEKS_BAD_INPUT;
    *jw = j;
    return HG_OK;
}

/*
 * GJ lemma 3.2 in one formula without their cases. With beta = m/r, r = sqrt(m^2 + sigma^2):
 * psi gives beta, and v - v_min = b r (1 - rho beta - sqrt((1 - rho^2)(1 - beta^2)))/T gives r.
 */
int hg_svi_from_jw(const hg_svi_jw *j, double t, hg_svi *out) {
    bool ok = j->v > 0.0 && j->v <= DBL_MAX && j->p >= 0.0 && j->c >= 0.0 && j->p + j->c > 0.0 &&
              j->p + j->c <= DBL_MAX && is_within(j->psi, DBL_MAX) && j->v_min >= 0.0 &&
              j->v_min <= j->v && t > 0.0 && t <= 1e4;
    if (!ok) return HG_GREEKS_BAD_INPUT;
    double root = sqrt(j->v * t);
    hg_svi s = {.b = 0.5 * root * (j->c + j->p), .rho = (j->c - j->p) / (j->c + j->p)};
    double beta = s.rho - 2.0 * j->psi * root / s.b;
    if (!(fabs(beta) < 1.0)) return HG_GREEKS_BAD_INPUT;
    double cos_rho = sqrt(1.0 - s.rho * s.rho);
    double cos_beta = sqrt((1.0 - beta) * (1.0 + beta));
    double lift = 1.0 - s.rho * beta - cos_rho * cos_beta;
    if (!(lift > 1e-14)) return HG_GREEKS_BAD_INPUT;
    double r = (j->v - j->v_min) * t / (s.b * lift);
    s.m = r * beta;
    s.sigma = r * cos_beta;
    s.a = j->v_min * t - s.b * s.sigma * cos_rho;
    if (hg_svi_check(&s) != HG_OK) return HG_GREEKS_BAD_INPUT;
    *out = s;
    return HG_OK;
}

static bool is_free(const hg_svi *s) {
    hg_svi_butterfly b;
    return hg_svi_butterfly_check(s, &b) == HG_OK && b.is_free;
}

static double mix(double from, double to, double share) {
    return from + share * (to - from);
}

/* The wings are mixed as slopes and sigma as its logarithm, so that every mix is admissible. */
static hg_svi svi_mix(const hg_svi *from, const hg_svi *to, double share) {
    double right = mix(from->b * (1.0 + from->rho), to->b * (1.0 + to->rho), share);
    double left = mix(from->b * (1.0 - from->rho), to->b * (1.0 - to->rho), share);
    double b = 0.5 * (right + left);
    hg_svi s = {
        .b = b,
        .rho = b > 0.0 ? (right - left) / (right + left) : 0.0,
        .m = mix(from->m, to->m, share),
        .sigma = from->sigma * hg_exp_held(share * hg_b76_ln_ratio(to->sigma, from->sigma)),
    };
    double least_from = from->a + from->b * from->sigma * sqrt(1.0 - from->rho * from->rho);
    double least_to = to->a + to->b * to->sigma * sqrt(1.0 - to->rho * to->rho);
    s.a = mix(least_from, least_to, share) - s.b * s.sigma * sqrt(1.0 - s.rho * s.rho);
    return s;
}

enum { BISECTIONS = 40 };

hg_svi hg_svi_mix_free(const hg_svi *from, const hg_svi *to) {
    double lo = 0.0;
    double hi = 1.0;
    hg_svi best = *from;
    for (int i = 0; i < BISECTIONS && hi - lo > 1e-9; i++) {
        double share = 0.5 * (lo + hi);
        hg_svi tried = svi_mix(from, to, share);
        if (is_free(&tried)) {
            lo = share;
            best = tried;
        } else {
            hi = share;
        }
    }
    return best;
}

/*
 * The SSVI slice with at-the-money variance w0 and wings p, c (over sqrt(w0)): free of butterfly
 * arbitrage where sqrt(w0) max(p, c) < 2 and (p + c) max(p, c) <= 2 (GJ 4.2); both wings are
 * scaled down to there.
 */
static hg_svi ssvi_from_wings(double w0, double p, double c) {
    double top = v_max(p, c);
    double root = sqrt(w0);
    double scale = 1.0;
    if (root * top > SMILE_SLOPE_MAX) scale = SMILE_SLOPE_MAX / (root * top);
    if (scale * scale * (p + c) * top > 2.0) scale = sqrt(2.0 / ((p + c) * top));
    p *= scale;
    c *= scale;
    double rho = (c - p) / (c + p);
    double phi = (p + c) / root;
    double cosine = sqrt(1.0 - rho * rho);
    hg_svi s = {
        .a = 0.5 * w0 * cosine * cosine,
        .b = 0.5 * w0 * phi,
        .rho = rho,
        .m = -rho / phi,
        .sigma = cosine / phi,
    };
    return s;
}

int hg_svi_repair_ssvi(const hg_svi *svi, hg_svi *out) {
    hg_svi_jw j;
    if (hg_svi_to_jw(svi, 1.0, &j) != HG_OK) return HG_GREEKS_BAD_INPUT;
    /* |rho| -> 1 leaves no round turn; 1e-3 of the other wing keeps one. */
    double p = v_max(j.p, 1e-6);
    double c = v_max(p + 2.0 * j.psi, 1e-3 * p);
    hg_svi s = ssvi_from_wings(j.v, p, c);
    if (hg_svi_check(&s) != HG_OK) return HG_GREEKS_BAD_INPUT;
    *out = s;
    return HG_OK;
}

/* v_min as given, c as near to the given one as g >= 0 allows; false when no c does. */
static bool repair_right_wing(const hg_svi_jw *given, double c_ssvi, hg_svi *out) {
    double lo = 0.0;
    double hi = 1.0;
    bool found = false;
    for (int i = 0; i < BISECTIONS; i++) {
        double share = i == 0 ? 0.0 : 0.5 * (lo + hi);
        hg_svi_jw j = *given;
        j.c = mix(c_ssvi, given->c, share);
        hg_svi s;
        bool ok = hg_svi_from_jw(&j, 1.0, &s) == HG_OK && is_free(&s);
        if (ok) *out = s;
        if (i == 0 && !ok) return false;
        found = true;
        if (ok) {
            lo = share;
        } else {
            hi = share;
        }
    }
    return found;
}

int hg_svi_repair(const hg_svi *svi, hg_svi *out) {
    hg_svi base;
    hg_svi_jw given;
    if (hg_svi_check(svi) != HG_OK) return HG_GREEKS_BAD_INPUT;
    if (is_free(svi)) {
        *out = *svi;
        return HG_OK;
    }
    if (hg_svi_repair_ssvi(svi, &base) != HG_OK || hg_svi_to_jw(svi, 1.0, &given) != HG_OK) {
        return HG_GREEKS_BAD_INPUT;
    }
    hg_svi mended;
    double c_ssvi = v_max(given.p + 2.0 * given.psi, 0.0);
    if (!repair_right_wing(&given, c_ssvi, &mended)) mended = hg_svi_mix_free(&base, svi);
    *out = mended;
    return HG_OK;
}
