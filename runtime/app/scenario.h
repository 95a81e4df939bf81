/* What a book would be worth if spot, vol and time were others: the same move for everything in it.
 * Pure functions over legs; nothing here reads a market or a clock. */
#ifndef HG_APP_SCENARIO_H
#define HG_APP_SCENARIO_H

#include "base/error.h"
#include "domain/instrument.h"

/* One position and what its value depends on. */
typedef struct hg_leg {
    hg_kind kind;
    bool inverse;
    int cp; /* options: +1 call, -1 put */
    double
        amount;   /* signed, the venue's unit: USD for inverse futures and perpetuals, else coins */
    double spot;  /* USD per coin */
    double price; /* USD per coin: options the forward of their expiry, all others their mark */
    double years; /* to expiry; not used without one */
    bool expires;
    double strike; /* options */
    double sigma;  /* options: vol as a fraction */
} hg_leg;

typedef struct hg_shock {
    double spot;  /* relative: -0.2 is a fall by 20 % */
    double vol;   /* added to every vol: 0.05 is five points */
    double years; /* forward */
} hg_shock;

typedef struct hg_outcome {
    double pnl_usd; /* against the legs as they are; coins counted at the shocked spot */
    double delta;   /* coins, as in hg_exposure: what is left of it after the move */
} hg_outcome;

/*
 * Full revaluation, r = 0; options through hg_greeks_batch. Symbols: S spot, P price, T years, A
 * amount, and with a stroke after the move; V the undiscounted Black-76 value.
 *
 *   spot and price    S' = S (1 + shock);  P' = S' (P/S)^(T'/T), T' = T - shock.years: the premium
 *                     over the spot keeps its rate per year and is gone at expiry. Without an
 *                     expiry P' = P S'/S.
 *   vol               sigma + shock.vol, but never below one point (or sigma, where that is less)
 *   options           inverse A (V'/P' S' - V/P S), linear A (V' - V)
 *   futures           inverse A (1/P - 1/P') S', linear A (P' - P)
 *   spot              A (P' - P)
 *   T' <= 0           options are worth their payoff at S', futures stand at S'; delta 0
 *
 * `spot`, `price` and the shocked spot must be above zero. Allocates nothing.
 */
hg_outcome hg_legs_shock(const hg_leg *legs, size_t count, const hg_shock *shock);

/* An evenly spaced axis: first + i * step, i < count. */
typedef struct hg_axis {
    double first, step;
    size_t count;
} hg_axis;

#define HG_AXIS_MAX 201

typedef struct hg_scenario {
    hg_axis spot_pct;   /* per cent of the spot */
    hg_axis vol_points; /* 0.01 each */
    double days;        /* forward */
} hg_scenario;

/* "spot=-20:20:5,vol=-10:10:5,days=7", each part optional; an axis is FROM:TO:STEP or one number.
 * HG_EUSAGE names the part that is wrong. */
HG_MUST_CHECK int hg_scenario_parse(const char *text, hg_scenario *out);

/* The value at a place of an axis, without binary dust. */
double hg_axis_at(const hg_axis *axis, size_t i);

/* The move at a place of the grid. */
hg_shock hg_scenario_shock(const hg_scenario *scenario, size_t spot, size_t vol);

#endif
