/*
 * Smile-aware deltas and the two online regressions behind them. Both keep faded normal equations
 * rather than a covariance: nothing to blow up when the market is quiet, and the solution is exact.
 */
#include "greeks/smile_delta.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "greeks/black76.h"
#include "greeks/optimise_int.h"
#include "greeks/scalar_int.h"

static bool is_finite(double x) {
    return fabs(x) <= DBL_MAX;
}

static bool is_sum(double x) {
    return fabs(x) <= 1e200;
}

int hg_smile_delta(double delta, double vega, double slope, double f, double ssr, double *out) {
    bool ok = is_finite(delta) && is_finite(vega) && is_finite(slope) && is_finite(ssr) &&
              f > 0.0 && is_finite(f);
    if (!ok) return HG_GREEKS_BAD_INPUT;
    *out = hg_b76_saturate(delta + vega * ((ssr - 1.0) * slope) / f);
    return HG_OK;
}

/* 2^(-1/half_life), held at no less than 1/2. */
static double keep_make(double half_life) {
    return hg_exp_held(-LN2_HI / v_max(half_life, 1.0));
}

int hg_ssr_init(hg_ssr *s, double half_life, double prior, double prior_weight) {
    bool ok = half_life > 0.0 && half_life <= 1e12 && fabs(prior) <= 100.0 && prior_weight >= 0.0 &&
              prior_weight <= 1e12;
    if (!ok) return HG_GREEKS_BAD_INPUT;
    *s = (hg_ssr){.keep = keep_make(half_life), .prior = prior, .prior_weight = prior_weight};
    return HG_OK;
}

/* The prior counts as observations of the mean x^2. */
static double ssr_value(const hg_ssr *s) {
    if (!(s->xx > 0.0)) return s->prior;
    double ridge = s->prior_weight * s->xx / s->weight;
    return (s->xy + ridge * s->prior) / (s->xx + ridge);
}

/* Of the residuals, from the sums; 0 where rounding says so. */
static double ssr_residual_variance(const hg_ssr *s) {
    if (!(s->weight > 2.0)) return 0.0;
    double r = ssr_value(s);
    double sse = s->yy - 2.0 * r * s->xy + r * r * s->xx;
    return v_max(sse, 0.0) / (s->weight - 1.0);
}

int hg_ssr_update(hg_ssr *s, double ln_return, double atm_change, double skew) {
    if (!(fabs(ln_return) <= 10.0 && fabs(atm_change) <= 100.0 && fabs(skew) <= 1e6)) {
        return HG_GREEKS_BAD_INPUT;
    }
    double x = skew * ln_return;
    double expected = ssr_value(s) * x;
    double far = 6.0 * sqrt(ssr_residual_variance(s));
    double y = atm_change;
    if (s->weight > 10.0 && far > 0.0) y = v_max(expected - far, v_min(expected + far, y));
    s->xx = s->keep * s->xx + x * x;
    s->xy = s->keep * s->xy + x * y;
    s->yy = s->keep * s->yy + y * y;
    s->weight = s->keep * s->weight + 1.0;
    return HG_OK;
}

hg_ssr_estimate hg_ssr_get(const hg_ssr *s) {
    hg_ssr_estimate e = {.ssr = v_max(-2.0, v_min(6.0, ssr_value(s))), .weight = s->weight};
    if (s->weight >= 3.0 && s->xx > 0.0) {
        e.error = hg_b76_saturate(sqrt(ssr_residual_variance(s) / s->xx));
        double left = ssr_residual_variance(s) * (s->weight - 1.0);
        e.gain = s->yy > 0.0 ? v_max(0.0, v_min(1.0, 1.0 - left / s->yy)) : 0.0;
    }
    return e;
}

int hg_min_variance_init(hg_min_variance *mv, double half_life) {
    if (!(half_life > 0.0 && half_life <= 1e12)) return HG_GREEKS_BAD_INPUT;
    *mv = (hg_min_variance){.keep = keep_make(half_life)};
    return HG_OK;
}

/* Below this share of the mean square a direction of (1, delta, delta^2) is not learnt. */
#define RIDGE 1e-9

void hg_min_variance_coefficients(const hg_min_variance *mv, double abc[3]) {
    abc[0] = abc[1] = abc[2] = 0.0;
    if (mv->weight < 10.0) return;
    hg_normal e;
    double trace = mv->at[0][0] + mv->at[1][1] + mv->at[2][2];
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) e.at[i][j] = mv->at[i][j] + (i == j ? RIDGE * trace : 0.0);
        e.right[i] = mv->right[i];
    }
    double found[3];
    if (!hg_normal_solve(&e, 3, 0.0, found)) return;
    for (int i = 0; i < 3; i++) abc[i] = found[i];
}

static double quadratic(const double abc[3], double delta) {
    return abc[0] + delta * (abc[1] + delta * abc[2]);
}

static bool option_is_good(double delta, double vega, double t, double f) {
    return fabs(delta) <= 2.0 && vega >= 0.0 && is_sum(vega) && t > 0.0 && t <= 1e4 && f > 0.0 &&
           is_sum(f) && vega / f <= 1e6;
}

int hg_min_variance_update(hg_min_variance *mv, double delta, double vega, double t, double f,
                           double price_change, double f_change) {
    bool ok = option_is_good(delta, vega, t, f) && fabs(price_change / f) <= 100.0 &&
              fabs(f_change / f) <= 100.0;
    if (!ok) return HG_GREEKS_BAD_INPUT;
    double abc[3];
    hg_min_variance_coefficients(mv, abc);
    double size = vega / f / sqrt(t) * (f_change / f);
    double x[3] = {size, size * delta, size * delta * delta};
    double y = (price_change - delta * f_change) / f;
    double left = y - size * quadratic(abc, delta);
    if (mv->weight >= 10.0) {
        mv->sse_black = mv->keep * mv->sse_black + y * y;
        mv->sse_learnt = mv->keep * mv->sse_learnt + left * left;
    }
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) mv->at[i][j] = mv->keep * mv->at[i][j] + x[i] * x[j];
        mv->right[i] = mv->keep * mv->right[i] + x[i] * y;
    }
    mv->weight = mv->keep * mv->weight + 1.0;
    return HG_OK;
}

double hg_min_variance_gain(const hg_min_variance *mv) {
    if (!(mv->sse_black > 0.0)) return 0.0;
    return v_max(-1e6, 1.0 - mv->sse_learnt / mv->sse_black);
}

int hg_min_variance_delta(const hg_min_variance *mv, double delta, double vega, double t, double f,
                          double *out) {
    if (!option_is_good(delta, vega, t, f)) return HG_GREEKS_BAD_INPUT;
    double abc[3];
    hg_min_variance_coefficients(mv, abc);
    *out = delta + vega / f / sqrt(t) * quadratic(abc, delta);
    return HG_OK;
}
