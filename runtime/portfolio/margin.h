/* Margin: what an exchange asks as security, what there is of it, and how far the market is from
 * liquidation. Each settlement currency is an account of its own ("segregated" at Deribit), its
 * money in that currency.
 *
 * Symbols: A amount, P mark of a future, S index, U forward of an option's expiry, m option mark in
 * the quote unit, K strike, q coins of a position (|A|/P inverse, |A| linear), u = 1 coin for
 * coin-settled options and U for linear ones. Terms are those of the instrument
 * (domain/margin_terms.h).
 *
 * Standard (Deribit support, "Standard Margin"):
 *   futures          IM = (initial + per_coin q) q,  MM = (maintenance + per_coin q) q; linear x S
 *   long options     nothing, the premium is paid; buy orders reserve it
 *   short call       IM = max(initial - OTM/U, initial_min) u + m,  MM = maintenance u + m
 *   short put        MM = max(maintenance u, maintenance m) + m,
 *                    IM = max(max(initial - OTM/U, initial_min) u + m, MM)
 *   open orders      the worse of all buys and all sells of an instrument filled
 *   margin balance   equity - value of options
 *
 * Portfolio (Deribit support, "Portfolio Margin"; numbers of hg_pm_terms), per underlying:
 *   standard table   9 moves over +- price_range, vol down, same and up: the vol times
 *                    1 +- range (30/days)^power, days >= 1
 *   extended table   -66, -33, +50 .. +500 %, vol up; of the USD P&L counts price_range/|move|, in
 *                    coins of the price at the edge of the range, less the dampener
 *                    (|move|/price_range - 1) * extended_dampener
 *   IM = worst loss + roll shock + delta shock,  MM = mm_factor IM
 *   roll shock       sum over expiries |delta| max(exp(annualised_move_risk T) - 1,
 *                    min_annualised_move)
 *   delta shock      |delta| min(m_inc max(|delta| S - threshold, 0), max_delta_shock S), USD
 *   open orders      what the worse of all buys and all sells filled would add
 *   margin balance   equity
 * Worst case and roll shock of private/pme/simulate come out to 1e-11 of the documented BTC example
 * (the exchange then rounds the worst case to 1e-9, which is not done here), and to 1e-9 of the
 * captured ETH one. Gains of one
 * underlying do not offset losses of another (pnl_offset 0). The delta shock has no published
 * example above its threshold: its formula is our reading of the parameters.
 *
 * Reports only, so doubles; liquidation compares them, the same way in every run. */
#ifndef HG_PORTFOLIO_MARGIN_H
#define HG_PORTFOLIO_MARGIN_H

#include "portfolio/portfolio.h"
#include "portfolio/scenario.h"

typedef struct hg_margin hg_margin;

typedef enum { HG_MARGIN_NONE, HG_MARGIN_STANDARD, HG_MARGIN_PORTFOLIO } hg_margin_model;

const char *hg_margin_model_name(hg_margin_model model); /* "none" "standard" "portfolio" */

typedef struct hg_margin_account {
    uint32_t currency;
    bool used;  /* it has money, positions or orders */
    bool known; /* every price and vol it needs is; else it is never liquidated and takes no risk */
    double balance, upl, options_value;
    double equity; /* balance + upl + options_value + coins held as spot */
    double margin_balance;
    double initial, maintenance; /* open orders are in `initial` */
    double available;            /* max(0, margin_balance - initial) */
    double usd;                  /* USD per unit, 0 unknown */
} hg_margin_account;

/* All accounts in USD. */
typedef struct hg_margin_total {
    hg_margin_model model;
    bool known;
    double equity, margin_balance, initial, maintenance, available;
    double notional;          /* sum of absolute positions */
    double leverage;          /* |delta| in USD, summed over underlyings, per equity */
    double notional_leverage; /* notional per equity */
    double use; /* largest maintenance / margin balance of an account, 1 = liquidation;
                   a million without balance */
} hg_margin_total;

/* Spot of an underlying at which an account would be liquidated, everything else as it is: nearest
 * below and above, 0 where there is none within a tenth and ten times the spot. */
typedef struct hg_margin_distance {
    double spot;
    double below, above;
} hg_margin_distance;

/* References the portfolio. NULL without memory; HG_MARGIN_NONE is a valid model: no margin is
 * asked, everything is admitted, equity is still told. */
hg_margin *hg_margin_new(hg_portfolio *portfolio, hg_margin_model model);
void hg_margin_free(hg_margin *margin);
hg_margin_model hg_margin_model_of(const hg_margin *margin);

/* Replaces the parameters of an underlying settled in a currency (tests, other exchanges). */
void hg_margin_set_terms(hg_margin *margin, uint32_t currency, uint32_t underlying,
                         const hg_pm_terms *terms);

/* As of now; by currency id. Valid until the next call. */
const hg_margin_account *hg_margin_accounts(hg_margin *margin, int64_t now_ns);
void hg_margin_total_of(hg_margin *margin, int64_t now_ns, hg_margin_total *out);
void hg_margin_distance_of(hg_margin *margin, uint32_t underlying, int64_t now_ns,
                           hg_margin_distance *out);

/* Whether the portfolio, all of it, holds something of an underlying. */
bool hg_margin_holds(const hg_margin *margin, uint32_t underlying);

/* True when the account must be liquidated: maintenance >= margin balance, with some position. */
bool hg_margin_breached(const hg_margin_account *account);

/* A trade that has not happened. */
typedef struct hg_trade_idea {
    uint32_t instrument;
    hg_side side;
    hg_lots lots;
    double price; /* quote unit */
    double fee;   /* settlement currency */
    bool maker;
} hg_trade_idea;

typedef struct hg_margin_change {
    hg_margin_total before, after;
} hg_margin_change;

#define HG_IDEAS_MAX 1024

/* Margin with the trades done at their prices: nothing is changed. HG_ELIMIT for more than
 * HG_IDEAS_MAX, HG_ENOTFOUND when an instrument has no price. */
HG_MUST_CHECK int hg_margin_what_if(hg_margin *margin, const hg_trade_idea *ideas, size_t count,
                                    int64_t now_ns, hg_margin_change *out);

/* Initial margin, in USD, of one position by the standard table, without an account. 0 when its
 * price is unknown. */
double hg_margin_alone(const hg_market *market, const hg_instrument *inst, double amount,
                       int64_t now_ns);

/* Whether the venue takes an order that is already counted as pending: it does not raise the
 * initial margin, or the margin balance covers it. `price` in the quote unit, 0 for market orders.
 * Prices are those of this second of event time; a question costs sums over the account. */
bool hg_margin_admits(hg_margin *margin, uint32_t instrument, hg_side side, hg_lots lots,
                      double price, int64_t now_ns);

/* Initial margin of the account an order belongs to, in USD: as it is with everything that is
 * pending, and with `lots` more of one order pending (below zero: an amendment that takes some
 * back). `balance` is what covers it. Options are bought at `price`, 0 for market orders. */
typedef struct hg_margin_use {
    double before, after, balance;
} hg_margin_use;

/* False, and *out untouched, while something the account needs has no price. */
bool hg_margin_project(hg_margin *margin, uint32_t instrument, hg_side side, hg_lots lots,
                       double price, int64_t now_ns, hg_margin_use *out);

/* The next slice a liquidation of an account takes: a tenth of a position, at least the step of the
 * exchange's page ("up till 200 future contracts of $10 each and 1 option contract").
 * First futures and perpetuals whose reduction brings the delta of their underlying nearer to zero,
 * the largest delta first; then what gives back the most maintenance margin; then the largest
 * delta. Deribit: "first liquidate future positions and after that options, in such a way that the
 * risk of the position will be reduced"; the tenth is ours, today's page says "a part".
 * False when nothing is left. */
typedef struct hg_margin_slice {
    uint32_t instrument;
    hg_side side;
    hg_lots lots;
    double mark; /* quote unit */
    double spot;
} hg_margin_slice;

bool hg_margin_slice_of(hg_margin *margin, uint32_t currency, int64_t now_ns, hg_margin_slice *out);

#endif
