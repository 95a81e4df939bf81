/*
 * Coin-settled (inverse) options: the premium and the settlement are paid in the underlying coin.
 * c(F) = V(F)/F, the convention of the exchanges' marks (Lucic and Sepp 2024: a vanilla under the
 * forward numeraire). r = 0.
 */
#ifndef HG_GREEKS_INVERSE_H
#define HG_GREEKS_INVERSE_H

#include "base/error.h"

/* Units: F in USD per coin, T in years, sigma as a fraction. */
typedef struct hg_inverse_greeks {
    double price;     /* c = V/F, coin */
    double delta;     /* dV/dF, coin: hedges the USD value */
    double delta_net; /* delta - c = F dc/dF, coin: hedges the coin value */
    double gamma;     /* d2c/dF2, coin per USD^2 */
    double vega;      /* dc/dsigma, coin per 1.00 of vol */
    double theta;     /* -dc/dT at fixed F, coin per year */
} hg_inverse_greeks;

/* Domain, limits and results as hg_black76_all. */
HG_MUST_CHECK int hg_inverse_all(double f, double k, double t, double sigma, int cp,
                                 hg_inverse_greeks *out);

#endif
