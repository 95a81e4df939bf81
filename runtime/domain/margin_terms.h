#ifndef HG_DOMAIN_MARGIN_TERMS_H
#define HG_DOMAIN_MARGIN_TERMS_H

#include "domain/money.h"

#include <stdbool.h>

/* What an exchange asks as security for one contract: terms like tick and fee, kept with the
 * instrument. Formulas in portfolio/margin.h.
 *
 * Sources: Deribit "Margin" support pages (futures: 2022-01, BTC_USDC and SOL_USDC examples; the
 * same option formulas in three of them), fee schedule of 2026-08-01. The exchange announced other
 * standard-margin numbers on 2026-08-05 without publishing them: give them with --instruments. */
typedef struct hg_margin_terms {
    hg_nano initial;     /* futures: fraction of the position; options: of one coin, at the money */
    hg_nano initial_min; /* options: floor of that out of the money */
    hg_nano maintenance; /* same bases */
    hg_nano per_coin;    /* futures: added to both fractions for each coin of position */
    hg_nano liquidation; /* whole fee rate of a liquidation trade, same base as taker */
} hg_margin_terms;

/* Parameters of the portfolio margin of one underlying, names as in the `model_params` of Deribit's
 * private/pme/simulate (docs.deribit.com), whose examples of 2024-06-17 (BTC) and of 2026-02-15
 * (ETH) hold the numbers. */
typedef struct hg_pm_terms {
    double price_range;         /* largest move of the standard table, +- */
    double volatility_range_up; /* share of the vol, at 30 days */
    double volatility_range_down;
    double min_volatility_for_shock_up; /* floor of a vol shocked up */
    double short_term_vega_power;       /* below 30 days */
    double long_term_vega_power;
    double extended_table_factor;
    double extended_dampener_usd; /* taken off a loss of the extended table, per range */
    double min_annualised_move;   /* roll shock, share of an expiry's delta */
    double annualised_move_risk;  /* and its growth per year */
    double m_inc;                 /* delta shock: USD of price per USD above the threshold */
    double max_delta_shock;       /* share of the price */
    double delta_shock_threshold_usd;
    double mm_factor; /* maintenance / initial */
} hg_pm_terms;

struct hg_instrument;

/* Fills `margin` of an instrument that has none, by kind and coin. */
void hg_margin_terms_default(struct hg_instrument *inst);

/* Those of a coin; `stable` settlement has its own roll and dampener numbers. */
hg_pm_terms hg_pm_terms_default(const char *coin, bool stable);

#endif
