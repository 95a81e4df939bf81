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
 * Error, in units of max(S, K), over 20,000 options with vols of 10 % to 120 %, one day to three
 * years and rates of 0 to 20 %: at most 5e-7, root mean square 1e-8. About 17 us with AVX2.
 *
 * HG_GREEKS_BAD_INPUT also where two exercise boundaries exist: a put with q < r < 0, a call with
 * r < q < 0.
 */
HG_MUST_CHECK int hg_american_price(double s, double k, double t, double sigma, int cp, double r,
                                    double q, double *price);

#endif
