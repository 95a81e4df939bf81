/* What a book would be worth if spot, vol and time were others: the same move for everything in it.
 * Pure functions over legs; only hg_legs_read looks at a portfolio. */
#ifndef HG_PORTFOLIO_SCENARIO_H
#define HG_PORTFOLIO_SCENARIO_H

#include "greeks/black76.h"
#include "portfolio/portfolio.h"

/* One position and what its value depends on. */
typedef struct hg_leg {
    hg_kind kind;
    bool inverse;
    int cp; /* options: +1 call, -1 put */
    double
        amount;   /* signed, the venue's unit: USD for inverse futures and perpetuals, else coins */
    double spot;  /* USD per coin */
    double price; /* USD per coin: options the forward of their expiry, all others their mark */
    double years; /* to expiry by the clock; not used without one */
    bool expires;
    double strike; /* options */
    double sigma;  /* options: vol as a fraction */
} hg_leg;

typedef struct hg_shock {
    double spot;  /* relative: -0.2 is a fall by 20 % */
    double vol;   /* added to every vol: 0.05 is five points */
    double years; /* forward */
} hg_shock;

/* Greeks are those left after the move, units as in hg_exposure. */
typedef struct hg_outcome {
    double pnl_usd; /* against the legs as they are; coins counted at the shocked spot */
    double delta;   /* coins */
    double gamma;   /* coins per USD */
    double vega;    /* USD per vol point */
    double theta;   /* USD per calendar day */
} hg_outcome;

/*
 * Full revaluation, r = 0; options through hg_greeks_batch. Symbols: S spot, P price, T years, A
 * amount, and with a stroke after the move; V the undiscounted Black-76 value.
 *
 *   spot and price    S' = S (1 + shock);  P' = S' (P/S)^(T'/T), T' = T - shock.years: the premium
 *                     over the spot keeps its rate per year and is gone at expiry. Without an
 *                     expiry P' = P S'/S.
 *   last half hour    S' = S (1 + shock); P' = P + a S shock, a the open share of the delivery
 * price and P the expected one: the fixed part stays, whatever the time vol               sigma +
 * shock.vol, but never below one point (or sigma, where that is less) options           inverse A
 * (V'/P' S' - V/P S), linear A (V' - V) futures           inverse A (1/P - 1/P') S', linear A (P' -
 * P) spot              A (P' - P) T' <= 0           options are worth their payoff at S', futures
 * stand at S'; no Greeks left
 *
 * Options are priced with the variance left (domain/delivery.h), and their Greeks are by the spot
 * and by the clock.
 *
 * `spot`, `price` and the shocked spot must be above zero. Allocates nothing.
 */
hg_outcome hg_legs_shock(const hg_leg *legs, size_t count, const hg_shock *shock);

/* The same for many shocks at once: what the legs are worth now is priced once. */
void hg_legs_grid(const hg_leg *legs, size_t count, const hg_shock *shocks, size_t shock_count,
                  hg_outcome *out);

/* The same with P&L alone: one pricing, no Greeks (`out` has nothing but pnl_usd). */
void hg_legs_grid_pnl(const hg_leg *legs, size_t count, const hg_shock *shocks, size_t shock_count,
                      hg_outcome *out);

/* What the price of a leg gains when the spot gains 100 %, as things are: the price itself, and
 * inside the last half hour before its expiry the open share of the spot. */
double hg_leg_reach(const hg_leg *leg);
/* Share of the delivery price that is open, years of variance left. */
double hg_leg_open(const hg_leg *leg);
double hg_leg_variance_years(const hg_leg *leg);
/* Price and Greeks of an option per coin, by the spot and by the clock: kernel's units. False: an
 * input is out of range. */
bool hg_leg_greeks(const hg_leg *leg, hg_greeks *out);

/* An instrument as a leg of `amount` at the prices of now; spot or price is 0 where it is unknown.
 */
hg_leg hg_leg_read(const hg_market *market, const hg_instrument *inst, double amount,
                   int64_t now_ns);

/* The positions held in an underlying, at most `capacity`; returns how many. Delivered and closed
 * ones are left out. `unknown` (may be NULL) names one without a price, HG_ID_NONE when all have.
 */
size_t hg_legs_read(const hg_portfolio *portfolio, uint32_t underlying, int64_t now_ns,
                    hg_leg *legs, size_t capacity, uint32_t *unknown);

#endif
