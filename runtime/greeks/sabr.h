/*
 * SABR: implied vol of a forward with stochastic vol, by Hagan's lognormal expansion.
 *
 *     dF = A F^beta dW,  dA = nu A dZ,  dW dZ = rho dt,  A(0) = alpha
 *     sigma = alpha / ((F K)^((1-beta)/2) D) * z/x(z) * C
 *     D = 1 + (1-beta)^2/24 L^2 + (1-beta)^4/1920 L^4,   L = ln(F/K)
 *     z = nu/alpha (F K)^((1-beta)/2) L,   x(z) = ln((sqrt(1 - 2 rho z + z^2) + z - rho)/(1 - rho))
 *     C = 1 + ((1-beta)^2/24 alpha^2/(F K)^(1-beta) + rho beta nu alpha/(4 (F K)^((1-beta)/2))
 *           + (2 - 3 rho^2)/24 nu^2) T
 *
 * Sources: Hagan, Kumar, Lesniewski and Woodward, "Managing smile risk", Wilmott 2002, (2.17);
 * Bartlett, "Hedging under SABR model", Wilmott 2006.
 * Guards: C is held above 0.05; the expansion is one in nu^2 T and says little beyond 1; its
 * density may be negative far below the money. Use eSSVI where freedom from arbitrage matters.
 */
#ifndef HG_GREEKS_SABR_H
#define HG_GREEKS_SABR_H

#include "greeks/svi.h"

typedef struct hg_sabr {
    double alpha; /* vol of F in units of F^(1-beta) per sqrt(year) */
    double beta;  /* 0 normal .. 1 lognormal */
    double rho;
    double nu; /* vol of vol, per sqrt(year) */
} hg_sabr;

/* HG_OK if alpha > 0, 0 <= beta <= 1, |rho| < 1, nu >= 0, all within 1e12; else
 * HG_GREEKS_BAD_INPUT, as from every function below. */
HG_MUST_CHECK int hg_sabr_check(const hg_sabr *sabr);

/* F, K, T > 0. */
HG_MUST_CHECK int hg_sabr_vol(const hg_sabr *sabr, double f, double k, double t, double *sigma);

typedef struct hg_sabr_slopes {
    double vol;
    double d_f;      /* d sigma/dF at fixed K and alpha */
    double d_alpha;  /* d sigma/d alpha */
    double d_strike; /* d sigma/dK at fixed F */
} hg_sabr_slopes;

HG_MUST_CHECK int hg_sabr_all(const hg_sabr *sabr, double f, double k, double t,
                              hg_sabr_slopes *out);

/* B(F, K, T, sigma) being Black-76 without discounting, and vega dB/d sigma. */
typedef struct hg_sabr_delta {
    double black;    /* dB/dF */
    double classic;  /* dB/dF + vega d sigma/dF: alpha stays when F moves */
    double bartlett; /* and + vega d sigma/d alpha rho nu/F^beta: alpha moves with F as it does on
                        average; the delta of least variance */
} hg_sabr_delta;

HG_MUST_CHECK int hg_sabr_deltas(const hg_sabr *sabr, double f, double k, double t, int cp,
                                 hg_sabr_delta *out);

/*
 * alpha, rho and nu that fit the points of one expiry best, at the given beta; robust weights and
 * `quality` as hg_svi_fit. With fewer than 3 strikes rho and nu are those of `start` (or NULL: 0
 * and small) and quality->fallback is set.
 */
HG_MUST_CHECK int hg_sabr_fit(const hg_smile_point *points, int n, double f, double t, double beta,
                              const hg_sabr *start, hg_sabr *out, hg_smile_quality *quality);

#endif
