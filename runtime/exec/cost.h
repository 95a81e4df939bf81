/* What a hedge costs, all in: to trade it now, to hold it for a while, to have margin for it.
 *
 * Symbols: side s = +1 buying, A amount, N coins * S (USD), S spot, F mid, M mark (F without one),
 * h horizon, T time to expiry; V(P) what A costs at P in the settlement currency, U USD a unit of
 * it: V = A P, for USD-sized contracts -A / P. All parts in USD, > 0 costs.
 *   spread   s (V(touch) - V(F)) U
 *   depth    sum over the levels of s (V(level) - V(touch)) U; what is beyond
 *            the book as if at the last level: a floor, `visible` says where it begins
 *   fee      the taker's of each level, as the venue charges it fill by fill
 *            These three are what the paper venue then books, as long as nothing of ours is still
 *            missing from the levels.
 *   carry    perpetual  s |V(M)| U f h / 8 h, f the mean rate expected over the horizon:
 *                       f = mean + (now - mean) (1 - p^n) / (n (1 - p)), n = h / 8 h, with
 *                       p = 0.95 per 8 h. Over Binance's rates of 2020-2023 (funding_8h) that has
 *                       3 to 20 % less error than "the rate of now stays", at 1 to 7 days.
 *                       Without a rate the premium stands in, by the exchange's formula
 *                       max(0.025 %, premium) + min(-0.025 %, premium) (Deribit, "Perpetual").
 *            future     s (V(F) - V(F')) U, F' = F - (F - S) min(h, T) / T: the basis runs off
 *                       evenly; for linear ones that is s A (F - S) min(h, T) / T
 *            option     the same on its delta, plus -s/2 gamma S^2 (realised^2 - implied^2) h: what
 *                       a hedged option earns when vol realises otherwise (Carr and Madan 1998);
 *                       nothing when no realised vol is given
 *            money      rate * h / year on what is paid: spot and premiums
 *   margin   rate * h / year on the initial margin it adds
 * `round_trip` adds spread, depth and fee of the way back at the book as it is now; what expires
 * within the horizon goes back by delivery at the spot as it stands, for the fee of that alone
 * (hg_delivery_fee). */
#ifndef HG_EXEC_COST_H
#define HG_EXEC_COST_H

#include "portfolio/margin.h"

typedef struct hg_cost_query {
    uint32_t instrument;
    hg_side side;
    hg_lots lots;
    double horizon_s;    /* 0: no carry, no margin cost */
    double rate;         /* cost of money a year, fraction */
    double funding;      /* rate per 8 h to start from, NAN: the market's */
    double funding_mean; /* where it returns to, NAN: 0.0001 */
    double realised_vol; /* NAN: as implied */
    bool round_trip;
    bool no_fees; /* the session charges none */
} hg_cost_query;

typedef struct hg_cost {
    double mid, price; /* quote unit: mid, and average of taking the size now (as V averages) */
    double spread, depth, fee, carry, margin, total;
    double notional; /* N */
    double bps;      /* total in hundredths of a per cent of N */
    double initial;  /* initial margin it adds, USD */
    hg_lots visible; /* what the displayed book holds of it, the thinner way of a round trip */
    bool fits;       /* all of it; else depth and fee are the least they can be */
} hg_cost;

/* HG_EINVALID for a size below a lot or a horizon that is no time, HG_ENOTFOUND without a two-sided
 * quote or a spot. `margin` NULL or without a model: the standard table of the contract alone. */
HG_MUST_CHECK int hg_cost_of(const hg_market *market, hg_margin *margin, const hg_cost_query *query,
                             int64_t now_ns, hg_cost *out);

/* k-th level of the book a taker on `side` meets, as the paper venue has it; the touch where the
 * feed has no depth. False where there is none. */
bool hg_cost_level(const hg_market *market, uint32_t instrument, hg_side side, uint32_t k,
                   hg_level *out);

/* Mean funding rate per 8 h expected over a horizon. */
double hg_funding_expected(double now, double mean, double horizon_s);

#endif
