/*
 * The live vol surface of an underlying, fitted to its option quotes, and how its smile moves.
 *
 * Nothing is fitted before somebody asks, and what is answered does not depend on who asked before:
 *   - The surface is that of the market as it stood when the last whole 10 s of event time began.
 *     Where the newest option price known then was older than a minute, or there was none, it is
 *     that of the market now: a sparse feed shows at once.
 *   - A search starts from a cold fit to the market as it stood at the last whole 10 minutes. Such
 *     a start is several times faster than a cold fit, and it is itself a matter of the past alone.
 *   - The estimates of how the smile moves are taken from event time every 5 minutes, asked or not.
 * For that, the first event of an option within such a period keeps what was known of it before: a
 * comparison and, once in 10 s, a copy of one line of memory in the path of a tick.
 *
 * What an option adds to the fit: its quote with two sides; else the venue's mark (vol or price),
 * weighing like a quote of half a vol point to each side; else the side it has, as a bound. Prices
 * older than 10 minutes beside the newest of the underlying are stale, and older than a twentieth
 * of the time to expiry as well. A price counts at the moneyness it was quoted at.
 */
#ifndef HG_MARKET_LIVE_SURFACE_H
#define HG_MARKET_LIVE_SURFACE_H

#include "greeks/smile_delta.h"
#include "greeks/surface.h"
#include "market/market.h"

#define HG_SURFACE_PERIOD_NS (10 * INT64_C(1000000000))
#define HG_SURFACE_ANCHOR_NS (600 * INT64_C(1000000000))
#define HG_DYNAMICS_PERIOD_NS (300 * INT64_C(1000000000))

/* One expiry with options that have not expired; fitted or not. Nearest first. */
typedef struct hg_live_expiry {
    uint32_t expiry_id;
    int64_t time_ns;
    double t;
    double forward; /* now; 0 unknown: left out */
    uint32_t first; /* its quotes: [first, first + count) */
    uint32_t count;
    int slice; /* of the surface, -1: left out */
} hg_live_expiry;

/* What its quality depends on. */
typedef struct hg_live_state {
    int64_t newest_ns; /* newest option price in it */
    int expiries;      /* that have not expired */
    int left_out;      /* of these, beyond the 32 nearest or with prices and yet not fitted */
} hg_live_state;

/* Quotes are in units of the forward they were made at: fit and judge them with forward 1. */
typedef struct hg_live_surface {
    hg_surface surface; /* keys are expiry times in ns */
    hg_smile_filter filter;
    int64_t time_ns;  /* times to expiry count from here */
    uint64_t version; /* another number for another fit of this underlying and model */
    hg_live_state state;
    int expiries;
    hg_live_expiry expiry[HG_SURFACE_SLICES_MAX];
    uint32_t count;
    const hg_smile_quote *quotes; /* see hg_market_surface_quotes */
    const uint32_t *ids;          /* their instruments */
} hg_live_surface;

/*
 * The surface now, NULL when no option of the underlying can be used. SABR is fitted with beta 1.
 * Valid until the next call or event.
 */
const hg_live_surface *hg_market_surface(const hg_market *market, uint32_t underlying,
                                         hg_surface_model model, int64_t now_ns);

/* Makes `quotes` and `ids` of the surface just asked for valid: all surfaces share one room. */
void hg_market_surface_quotes(const hg_market *market, uint32_t underlying, hg_surface_model model);

/* "stale" when its newest price is older than 10 minutes, "partial" when expiries were left out;
 * `reasons` says so. */
hg_quality hg_live_quality(const hg_live_state *state, int64_t now_ns, char *reasons, size_t size);

/*
 * How the smile of an underlying has moved with its forward: the skew-stickiness ratio (prior 1,
 * sticky strike, worth 36 observations) and Hull and White's coefficients (0: puts, 1: calls), each
 * observation half forgotten after a day of samples. One sample is of the expiry nearest to 30
 * days: its vols near the money and their slope. A strike counts when its vol is newer than the
 * sample before.
 */
typedef struct hg_smile_dynamics {
    hg_ssr ssr;
    hg_min_variance min_variance[2];
    uint32_t samples;
    int64_t time_ns; /* of the last one */
} hg_smile_dynamics;

const hg_smile_dynamics *hg_market_dynamics(const hg_market *market, uint32_t underlying);

#endif
