/*
 * Black-76: price, all Greeks to third order, and implied vol of one European option.
 *
 * Units: F, K and price in quote currency, T in years (ACT/365), sigma per sqrt(year) as a fraction
 * (0.6), r per year, continuously compounded. Greeks are raw analytic derivatives; see hg_greeks.
 *
 * Accuracy: every output is within 8 eps (1 + cond) of the exact value, cond being its condition
 * number in F, K, T and sigma; also at 30 standard deviations and minutes before expiry.
 *
 * All functions are pure and thread-safe, write no error record, and on a negative result leave
 * their output untouched. No output is ever NaN or infinite: a value beyond the range of double
 * saturates at DBL_MAX.
 */
#ifndef HG_GREEKS_BLACK76_H
#define HG_GREEKS_BLACK76_H

#include "base/error.h"

/* Results of this room: HG_OK or one of these. Apart from HG_E* in value, so that they cannot be
 * confused. */
enum hg_greeks_error {
    HG_GREEKS_BAD_INPUT = -1001,       /* NaN, infinite, or out of the domain */
    HG_GREEKS_BELOW_INTRINSIC = -1002, /* no vol gives so low a price */
    HG_GREEKS_ABOVE_MAX = -1003,       /* no vol gives so high a price */
};

/* The sentence and the short code ("bad_input") of a result. Never NULL. */
const char *hg_greeks_strerror(int code);
const char *hg_greeks_code(int code);

/* V is the discounted price; D = e^-rT. */
typedef struct hg_greeks {
    double price;  /* V */
    double delta;  /* dV/dF */
    double gamma;  /* d2V/dF2 */
    double vega;   /* dV/dsigma, per 1.00 of vol */
    double theta;  /* -dV/dT at fixed F, per year */
    double rho;    /* dV/dr at fixed F, per 1.00: -T V */
    double vanna;  /* d2V/dF dsigma */
    double volga;  /* d2V/dsigma2 */
    double charm;  /* -d delta/dT, per year */
    double speed;  /* d3V/dF3 */
    double color;  /* -d gamma/dT, per year */
    double zomma;  /* d gamma/dsigma */
    double ultima; /* d3V/dsigma3 */
} hg_greeks;

/*
 * cp is +1 for a call, -1 for a put. Domain: F, K > 0; T, sigma >= 0; all finite.
 *
 * Limits, for T = 0 or sigma = 0: the price is D max(cp (F - K), 0); delta is cp D in the money, 0
 * out of it and cp D/2 at F = K; rho is -T V, and theta and charm keep their terms in r. Every
 * other output is its one-sided limit where that is finite and 0 where it is not. Off the money
 * all limits are 0. At F = K: sigma -> 0 with T > 0 leaves vega = D F n(0) sqrt(T), vanna = D n(0)
 * sqrt(T)/2 and ultima = -D F n(0) T^1.5/4; gamma and zomma diverge and are given as 0.
 */
HG_MUST_CHECK int hg_black76_price(double f, double k, double t, double sigma, int cp, double r,
                                   double *price);
HG_MUST_CHECK int hg_black76_all(double f, double k, double t, double sigma, int cp, double r,
                                 hg_greeks *out);

/*
 * The sigma that gives `price` (a present value). T > 0. A price equal to the intrinsic value gives
 * sigma 0 and HG_OK; with r other than 0, "equal" allows for the rounding of D (a few eps).
 */
HG_MUST_CHECK int hg_implied_vol(double price, double f, double k, double t, int cp, double r,
                                 double *sigma);

#endif
