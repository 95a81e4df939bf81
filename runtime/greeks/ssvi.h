/*
 * SSVI and eSSVI: smiles of three parameters per expiry that fit together without arbitrage.
 *
 *     w(k) = (theta + rho psi k + sqrt((psi k + rho theta)^2 + theta^2 (1 - rho^2)))/2
 *
 * Symbols: theta at-the-money total variance, rho in (-1, 1) the lean, psi = theta phi the size of
 * the wings: their slopes are psi (1 +- rho)/2.
 * Conditions (theta, rho, psi > 0 of one slice; a near and a far slice):
 *   butterfly  psi (1 + |rho|) < 4  and  psi^2 (1 + |rho|) <= 4 theta
 *   calendar   theta_far >= theta_near,  psi_far/theta_far <= psi_near/theta_near,
 *              psi_far >= psi_near max((1 + rho_near)/(1 + rho_far), (1 - rho_near)/(1 - rho_far))
 * Sources: Gatheral and Jacquier 2014, theorem 4.2; Hendriks and Martini, "The extended SSVI
 * volatility surface", J. Computational Finance 22 (2019); Corbetta, Cohort, Laachir and Martini,
 * "Robust calibration and arbitrage-free interpolation of SSVI slices", Decisions in Economics and
 * Finance 42 (2019); Mingone, "No arbitrage global parametrization for the eSSVI volatility
 * surface", Quantitative Finance 22 (2022).
 */
#ifndef HG_GREEKS_SSVI_H
#define HG_GREEKS_SSVI_H

#include "greeks/svi.h"

typedef struct hg_essvi {
    double theta, rho, psi;
} hg_essvi;

/* An eSSVI slice is a raw SVI slice: evaluate and examine it as one. */
HG_MUST_CHECK int hg_essvi_to_svi(const hg_essvi *slice, hg_svi *svi);

/* The conditions above; both allow 1e-12 for rounding. */
bool hg_essvi_is_free(const hg_essvi *slice);
bool hg_essvi_is_ordered(const hg_essvi *near, const hg_essvi *far);

/*
 * The slice that fits the points best among those that are free of arbitrage by themselves, above
 * `near` and below `far` (each may be NULL; given both, they must be ordered themselves). For given
 * rho and phi = psi/theta, w is linear in theta and all conditions are an interval for theta; rho
 * and phi are searched. `start` (or NULL): an earlier fit, for a short search from there.
 *
 * With fewer than 3 strikes rho and phi are those of `start`, else of `near`, else 0 and small.
 * Robust weights, results and `quality` as hg_svi_fit.
 */
HG_MUST_CHECK int hg_essvi_fit_slice(const hg_smile_point *points, int n, const hg_essvi *near,
                                     const hg_essvi *far, const hg_essvi *start, hg_essvi *out,
                                     hg_smile_quality *quality);

/* One expiry of a chain to fit. */
typedef struct hg_smile_slice {
    const hg_smile_point *points;
    int n;
    double t;
} hg_smile_slice;

#define HG_SURFACE_SLICES_MAX 32

typedef struct hg_essvi_options {
    bool warm;  /* `slices` holds an earlier fit of the same expiries */
    int sweeps; /* after the passes; each lets every slice move between its neighbours */
} hg_essvi_options;

/*
 * All expiries, in order of time, each with at least one two-sided point: `slices[i]` belongs to
 * `chain[i]`. One pass goes from the nearest expiry outwards, so that each slice lies above the one
 * before (Corbetta et al.), another backwards, each below the next; the better of the two is kept.
 * So an expiry with odd quotes, near or far, does not decide about the others. The result is free
 * of arbitrage by construction. `quality` has n entries or is NULL.
 */
HG_MUST_CHECK int hg_essvi_fit(const hg_smile_slice *chain, int n, const hg_essvi_options *options,
                               hg_essvi *slices, hg_smile_quality *quality);

/*
 * SSVI with the power law phi(theta) = eta/(theta^gamma (1 + theta)^(1 - gamma)): three numbers for
 * the whole surface beside the at-the-money variances. Free of arbitrage for 0 < gamma <= 1/2 and
 * eta (1 + |rho|) <= 2, theta not decreasing (Gatheral and Jacquier, remark 4.4).
 */
typedef struct hg_ssvi {
    double rho, eta, gamma;
} hg_ssvi;

HG_MUST_CHECK int hg_ssvi_slice(const hg_ssvi *ssvi, double theta, hg_essvi *out);

/*
 * The surface that fits the chain best. Each theta is that of the expiry's own best slice, made
 * non-decreasing; rho, eta and gamma are searched. For a start, for very few quotes, and as a
 * yardstick.
 */
HG_MUST_CHECK int hg_ssvi_fit(const hg_smile_slice *chain, int n, hg_ssvi *out, double *thetas);

#endif
