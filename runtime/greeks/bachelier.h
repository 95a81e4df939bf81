/*
 * Bachelier's model: the forward moves by amounts, not by fractions. For spreads and rates, where F
 * and K may be zero or negative. Bachelier 1900; Haug 2007, section 1.3.
 */
#ifndef HG_GREEKS_BACHELIER_H
#define HG_GREEKS_BACHELIER_H

#include "greeks/black76.h"

/*
 * Outputs as hg_black76_all, with sigma in price units per sqrt(year): vega is per unit of that.
 * Domain: F and K any finite numbers, T, sigma >= 0. Limits for T = 0 or sigma = 0 as there; at
 * F = K sigma -> 0 with T > 0 leaves vega = D n(0) sqrt(T), and gamma and zomma are given as 0.
 */
HG_MUST_CHECK int hg_bachelier_all(double f, double k, double t, double sigma, int cp, double r,
                                   hg_greeks *out);

/*
 * The sigma, in price units per sqrt(year), that gives `price` (a present value). T > 0. Relative
 * error at most 8 eps (1 + cond), cond being that of the price alone, also for time values of
 * 1e-290. A price equal to the intrinsic value gives sigma 0, as hg_implied_vol; there is no price
 * too high.
 */
HG_MUST_CHECK int hg_bachelier_implied_vol(double price, double f, double k, double t, int cp,
                                           double r, double *sigma);

#endif
