/*
 * Raw SVI: total implied variance of one expiry as a hyperbola in log-moneyness.
 *
 *     w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2))
 *
 * Symbols: k = ln(K/F), w = implied vol^2 T, T years. a level, b (1 + rho) and b (1 - rho) the
 * slopes of the wings, m and sigma where and how round the turn is.
 * Sources: Gatheral 2004; Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces",
 * Quantitative Finance 14 (2014), below GJ; Lee, "The moment formula for implied volatility at
 * extreme strikes", 2004; De Marco and Martini, "Quasi-explicit calibration of Gatheral's SVI
 * model", Zeliade 2009.
 *
 * Functions are pure; outputs are untouched on failure and never NaN or infinite.
 */
#ifndef HG_GREEKS_SVI_H
#define HG_GREEKS_SVI_H

#include <stdbool.h>

#include "greeks/surface_quote.h"

typedef struct hg_svi {
    double a, b, rho, m, sigma;
} hg_svi;

/* |k| beyond this is bad input: no double holds so far a strike. */
#define HG_SMILE_K_MAX 1500.0

/*
 * HG_OK if all is finite and at most 1e6 in size, b >= 0, |rho| <= 1, sigma >= 1e-12 and the least
 * variance a + b sigma sqrt(1 - rho^2) is not negative; else HG_GREEKS_BAD_INPUT, as from every
 * function below. Says nothing about arbitrage.
 */
HG_MUST_CHECK int hg_svi_check(const hg_svi *svi);

/* w(k), and w, w', w''. */
HG_MUST_CHECK int hg_svi_variance(const hg_svi *svi, double k, double *w);
HG_MUST_CHECK int hg_svi_derivatives(const hg_svi *svi, double k, double w[3]);

/*
 * Durrleman's function, the sign of the density that the smile implies (GJ 2.1):
 *     g(k) = (1 - k w'/(2w))^2 - w'^2/4 (1/w + 1/4) + w''/2
 * HG_GREEKS_BAD_INPUT where w is 0: there it has no value. (A smile that touches 0 fails
 * hg_svi_butterfly_check, which counts g as -1 there.)
 */
HG_MUST_CHECK int hg_svi_g(const hg_svi *svi, double k, double *g);

typedef struct hg_svi_butterfly {
    double g_min; /* over the whole line, the limits at both ends included */
    double k_min; /* where; +-HG_SMILE_K_MAX stands for an end */
    double slope; /* b (1 + |rho|): Lee's bound is 2 */
    bool is_free; /* g_min >= 0 and slope < 2: the prices are convex and vanish at the end */
} hg_svi_butterfly;

HG_MUST_CHECK int hg_svi_butterfly_check(const hg_svi *svi, hg_svi_butterfly *out);

/*
 * The least of w_far - w_near over k_lo..k_hi and where it is: negative means calendar arbitrage.
 * For the whole line pass -+HG_SMILE_K_MAX.
 */
HG_MUST_CHECK int hg_svi_calendar_gap(const hg_svi *near, const hg_svi *far, double k_lo,
                                      double k_hi, double *gap, double *k_at);

/* Jump-wings: what traders read off a smile, comparable across expiries (GJ 3.3). */
typedef struct hg_svi_jw {
    double v;     /* at-the-money variance w(0)/T */
    double psi;   /* at-the-money skew d sigma/dk sqrt(T) */
    double p, c;  /* slopes of the left and the right wing over sqrt(w(0)) */
    double v_min; /* the least variance */
} hg_svi_jw;

HG_MUST_CHECK int hg_svi_to_jw(const hg_svi *svi, double t, hg_svi_jw *jw);
/* HG_GREEKS_BAD_INPUT also where the five numbers leave sigma open (least variance at the money).
 */
HG_MUST_CHECK int hg_svi_from_jw(const hg_svi_jw *jw, double t, hg_svi *svi);

/*
 * The two ways to mend a slice with butterfly arbitrage (GJ 5.1), from its JW numbers.
 * `_repair_ssvi`: v, psi and p are kept, c' = p + 2 psi and v_min' = v 4 p c'/(p + c')^2: an SSVI
 * slice, free of arbitrage. Where that is not enough (steep wings) its wings are flattened until
 * it is. `_repair` goes back from there towards the given slice as far as g >= 0 allows: first
 * with v_min kept, in c alone; where that fails, in all parameters together. A slice that is free
 * is returned as it is.
 */
HG_MUST_CHECK int hg_svi_repair_ssvi(const hg_svi *svi, hg_svi *out);
HG_MUST_CHECK int hg_svi_repair(const hg_svi *svi, hg_svi *out);

/* How well a fit went. Errors are in units of each point's own error (half the quote's width). */
typedef struct hg_smile_quality {
    int points; /* two-sided points used */
    int inside; /* of these, fitted to within the quote */
    double rms; /* of error units, after robust weighting */
    double worst;
    int evals;     /* evaluations of the objective */
    bool fallback; /* too few strikes for the model: a simpler slice was fitted */
    bool repaired; /* the best slice had butterfly arbitrage and was mended */
} hg_smile_quality;

typedef struct hg_svi_fit_options {
    bool allow_butterfly; /* false: the result is free of butterfly arbitrage */
    const hg_svi *start;  /* an earlier fit of this expiry, or NULL */
} hg_svi_fit_options;

/*
 * The slice that fits the points best: weights 1/error^2; for given m and sigma the other three by
 * linear least squares on the admissible set (non-negative wing slopes below Lee's bound, least
 * variance positive), m and sigma by a search; then twice again with the weights of outliers
 * lowered and of violated one-sided quotes raised.
 *
 * With 3 or 4 two-sided points at different strikes an SSVI slice (3 parameters, free of
 * arbitrage) is fitted; with fewer, the shape of `start` or a flat smile is scaled to them. None
 * at all: HG_GREEKS_BAD_INPUT. `options` and `quality` may be NULL.
 */
HG_MUST_CHECK int hg_svi_fit(const hg_smile_point *points, int n, const hg_svi_fit_options *options,
                             hg_svi *out, hg_smile_quality *quality);

#endif
