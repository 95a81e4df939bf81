/*
 * American options on an asset with continuous carry: L. Andersen, M. Lake, D. Offengenden,
 * "High-performance American option pricing", Journal of Computational Finance 20 (2016); ALO
 * below.
 */
#ifndef HG_GREEKS_AMERICAN_H
#define HG_GREEKS_AMERICAN_H

#include "base/error.h"

/*
 * The present value. S spot, r and q continuous rates of money and asset per year (either may be
 * negative), cp +1 call, -1 put. T = 0 and sigma = 0 are allowed. Results are those of black76.h.
 *
 * Error: a root mean square of 5e-7 of max(S, K) and at most 1e-5 over vols of 10 % to 120 %, one
 * day to three years and rates of 0 to 20 %; the worst are short options of high vol near the
 * boundary (6.5e-6 for seven days at 120 %). About 21 us.
 *
 * HG_GREEKS_BAD_INPUT also where two exercise boundaries exist: a put with q < r < 0, a call with
 * r < q < 0.
 */
HG_MUST_CHECK int hg_american_price(double s, double k, double t, double sigma, int cp, double r,
                                    double q, double *price);

#endif
