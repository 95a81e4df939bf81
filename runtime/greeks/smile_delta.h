/*
 * Deltas that know that the smile moves with the forward.
 *
 *     delta = N-delta + vega dE[sigma(K)]/dF
 *
 * Rules of how the vol at a fixed strike follows the forward, in one number R, the skew-stickiness
 * ratio: dE[sigma(K)]/d ln F = (R - 1) d sigma/dk, k = ln(K/F).
 *     R = 1  sticky strike      the vol of a strike stays
 *     R = 0  sticky delta       the smile moves along with the forward (by Euler's theorem the
 *                               delta (C - K dC/dK)/F of any scale-invariant model)
 *     R = 2  sticky tree        local vol, short-dated: the smile moves against the forward
 *     else   R as estimated: the least-variance delta within this family
 * At the money R is Bergomi's ratio dE[sigma_ATM]/d ln F over the at-the-money skew.
 * Sources: Derman, "Regimes of volatility", 1999; Bergomi, "Smile dynamics IV", 2009; Hull and
 * White, "Optimal delta hedging for options", J. Banking and Finance 82 (2017). For SABR's own
 * (Bartlett) see sabr.h.
 *
 * Pure functions; the state of the estimators is the caller's, plain values to be copied and
 * stored. Undiscounted prices; vega per 1.00 of vol, T in years.
 */
#ifndef HG_GREEKS_SMILE_DELTA_H
#define HG_GREEKS_SMILE_DELTA_H

#include "base/error.h"

#define HG_SSR_STICKY_STRIKE 1.0
#define HG_SSR_STICKY_DELTA 0.0
#define HG_SSR_STICKY_TREE 2.0

/*
 * delta and vega of Black-76 at the option's vol; slope = d sigma/dk at its strike (see
 * hg_surface_iv_slope); f > 0. HG_GREEKS_BAD_INPUT for anything not finite.
 */
HG_MUST_CHECK int hg_smile_delta(double delta, double vega, double slope, double f, double ssr,
                                 double *out);

/* --- the skew-stickiness ratio, estimated online --- */

/*
 * Regression through 0 of the change of the at-the-money vol on skew times the forward's return,
 * with exponentially fading memory, pulled towards a prior that counts as much as prior_weight
 * observations of typical size.
 */
typedef struct hg_ssr {
    double keep; /* share of the memory kept at each observation */
    double prior, prior_weight;
    double xx, xy, yy; /* faded sums; x = skew dlnF, y = d sigma_ATM */
    double weight;     /* observations remembered */
} hg_ssr;

/* half_life in observations, > 0; prior_weight >= 0. */
HG_MUST_CHECK int hg_ssr_init(hg_ssr *ssr, double half_life, double prior, double prior_weight);

/*
 * One observation: the forward's log return, the change of the at-the-money vol over the same time
 * (of one expiry, or of one constant maturity), and d sigma/dk at the money before it. A change of
 * more than 6 deviations from what the estimate expects counts as one of 6.
 */
HG_MUST_CHECK int hg_ssr_update(hg_ssr *ssr, double ln_return, double atm_change, double skew);

typedef struct hg_ssr_estimate {
    double ssr;   /* held within -2..6 */
    double error; /* its standard error; 0 until there are 3 observations */
    double gain;  /* share of the variance of the at-the-money vol explained, 0..1 */
    double weight;
} hg_ssr_estimate;

hg_ssr_estimate hg_ssr_get(const hg_ssr *ssr);

/* --- Hull and White's minimum variance delta --- */

/*
 * delta_MV = delta + vega/(F sqrt(T)) (a + b delta + c delta^2). The coefficients are learnt from
 * observed changes by recursive least squares with fading memory:
 *     dV - delta dF = vega/sqrt(T) dF/F (a + b delta + c delta^2) + error
 * both sides taken in units of F, so that levels of F do not count. One state for calls and one
 * for puts.
 */
typedef struct hg_min_variance {
    double keep;
    double at[3][3], right[3]; /* faded normal equations */
    double weight;
    double sse_black, sse_learnt; /* faded, of forecasts made before each observation */
} hg_min_variance;

HG_MUST_CHECK int hg_min_variance_init(hg_min_variance *mv, double half_life);

/* delta, vega, T and F before, the changes of the option's price and of F over the step. */
HG_MUST_CHECK int hg_min_variance_update(hg_min_variance *mv, double delta, double vega, double t,
                                         double f, double price_change, double f_change);

/* The coefficients a, b, c: 0 until there are 10 observations. */
void hg_min_variance_coefficients(const hg_min_variance *mv, double abc[3]);

/*
 * Out of sample: 1 - SSE(learnt delta)/SSE(Black's delta), 0 before there is anything. Negative
 * where the learnt delta hedges worse.
 */
double hg_min_variance_gain(const hg_min_variance *mv);

HG_MUST_CHECK int hg_min_variance_delta(const hg_min_variance *mv, double delta, double vega,
                                        double t, double f, double *out);

#endif
