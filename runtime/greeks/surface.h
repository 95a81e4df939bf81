/*
 * A vol surface: smiles of several expiries, read at any time and strike.
 *
 * Between expiries total variance is linear in time at fixed k = ln(K/F). Before the first, the
 * vol at each k is that of the first slice; beyond the last, total variance goes on growing at the
 * last slice's at-the-money variance, for all k alike. The forward is interpolated geometrically
 * and flat outside.
 *
 * A surface is a plain value of fixed size: copy it, keep the last good one beside a new fit.
 * Units: T in years, prices undiscounted in quote currency, vols as fractions. Outputs are
 * untouched on failure and never NaN or infinite.
 */
#ifndef HG_GREEKS_SURFACE_H
#define HG_GREEKS_SURFACE_H

#include <stdint.h>

#include "greeks/sabr.h"
#include "greeks/ssvi.h"

typedef enum hg_surface_model {
    HG_SURFACE_ESSVI, /* the default: free of arbitrage by construction */
    HG_SURFACE_SVI,   /* each expiry for itself, mended to be free of butterfly arbitrage */
    HG_SURFACE_SABR,  /* each expiry for itself, not free of arbitrage */
} hg_surface_model;

typedef struct hg_surface_slice {
    int64_t key; /* the caller's name of the expiry, e.g. its time in ns */
    double t;
    double forward;
    hg_svi svi;     /* models ESSVI and SVI */
    hg_essvi essvi; /* model ESSVI: the same in its own terms */
    hg_sabr sabr;   /* model SABR */
    hg_smile_count count;
    hg_smile_quality quality;
} hg_surface_slice;

typedef struct hg_surface {
    hg_surface_model model;
    int n; /* slices, in order of time; 0: nothing fitted yet */
    hg_surface_slice slices[HG_SURFACE_SLICES_MAX];
} hg_surface;

/* --- fitting --- */

typedef struct hg_surface_expiry {
    int64_t key;
    double t;
    double forward;
    const hg_smile_quote *quotes;
    int n;
} hg_surface_expiry;

typedef struct hg_surface_options {
    hg_surface_model model;
    hg_smile_filter filter;
    int sweeps;       /* model ESSVI, when nothing fitted earlier is at hand; see ssvi.h */
    double sabr_beta; /* model SABR */
} hg_surface_options;

/* ESSVI, one sweep, the default filter; beta 1. */
hg_surface_options hg_surface_options_default(void);

/* Room for the fit, about 140 KB, given by the caller; its contents are of no interest. */
typedef struct hg_surface_work {
    hg_smile_point points[HG_SURFACE_SLICES_MAX][HG_SMILE_POINTS_MAX];
} hg_surface_work;

/*
 * Fits the expiries given in order of time. `surface` holds the earlier fit (or is zeroed): slices
 * of the same model and key are where the search starts, which makes it several times faster.
 * Expiries without a two-sided quote that can be used are left out. HG_GREEKS_BAD_INPUT when that
 * leaves none, or for bad times and forwards.
 */
HG_MUST_CHECK int hg_surface_fit(const hg_surface_expiry *chain, int n,
                                 const hg_surface_options *options, hg_surface_work *work,
                                 hg_surface *surface);

/* --- reading --- */

HG_MUST_CHECK int hg_surface_total_variance(const hg_surface *surface, double k, double t,
                                            double *w);
HG_MUST_CHECK int hg_surface_forward(const hg_surface *surface, double t, double *forward);
HG_MUST_CHECK int hg_surface_iv(const hg_surface *surface, double t, double strike, double *sigma);
/* d sigma/dk at fixed t: the slope of the smile that smile-aware deltas need. */
HG_MUST_CHECK int hg_surface_iv_slope(const hg_surface *surface, double t, double strike,
                                      double *slope);

typedef struct hg_surface_check {
    bool is_free;
    int butterfly_at; /* the first slice with g < 0, or -1 */
    int calendar_at;  /* the first slice that is not above the one before everywhere, or -1 */
    double g_min;     /* over all slices */
    double gap_min;   /* least w_far - w_near over all neighbours; DBL_MAX for one slice */
} hg_surface_check;

/*
 * Butterfly and calendar arbitrage over all strikes (model SABR: within 6 deviations, numerically).
 * g >= -1e-9 and gaps >= -1e-12 (1 + |k|) pass: that is rounding.
 */
HG_MUST_CHECK int hg_surface_is_free_of_arbitrage(const hg_surface *surface,
                                                  hg_surface_check *check);

/* What a desk reads off the smile at one time. Deltas are Black-76's, undiscounted. */
typedef struct hg_surface_skew {
    double atm_vol;   /* at K = F */
    double slope;     /* d sigma/dk there */
    double call_25;   /* vol where a call has delta 0.25 */
    double put_25;    /* vol where a put has delta -0.25 */
    double k_call_25; /* and where that is */
    double k_put_25;
    double risk_reversal; /* call_25 - put_25 */
    double butterfly;     /* (call_25 + put_25)/2 - atm_vol */
    double forward_vol;   /* sqrt(dw/dt) at the money; 0 where w falls */
    double term_slope;    /* d atm_vol/dt, per year */
} hg_surface_skew;

HG_MUST_CHECK int hg_surface_skew_at(const hg_surface *surface, double t, hg_surface_skew *out);

/* A quote against the surface: rich is positive. A missing side leaves its fields at 0. */
typedef struct hg_surface_rich {
    double fit_vol, fit_price;
    double mid_vol;   /* needs both sides, as do the next three */
    double vol;       /* mid_vol - fit_vol */
    double price;     /* mid price - fit_price */
    double widths;    /* price in units of half the quote's width (at least 1e-12 F) */
    double buy_edge;  /* fit_price - ask: gained against the fit by buying */
    double sell_edge; /* bid - fit_price */
    bool has_bid, has_ask;
} hg_surface_rich;

/* `forward` is that of the quote's own time, which may differ from the fit's. */
HG_MUST_CHECK int hg_surface_judge(const hg_surface *surface, double t, double forward,
                                   const hg_smile_quote *quote, hg_surface_rich *out);

#endif
