#ifndef HG_PORTFOLIO_PORTFOLIO_H
#define HG_PORTFOLIO_PORTFOLIO_H

#include "domain/order.h"
#include "market/market.h"

/* Positions, exact cash, P&L and exposure. It reads the market and never sends anything. Orders
 * reach it only as fills and as pending sizes, both told by the execution room. */
typedef struct hg_portfolio hg_portfolio;

typedef struct hg_position {
    hg_lots lots; /* signed */
    /* Cost of the open lots in the settlement currency, signed like lots: linear contracts and
     * options pay price * amount, inverse futures receive amount / price. Average entry = what
     * price would give this value; computed exactly, released pro rata when the position shrinks.
     * The daily settlement turns the gain of futures into cash and starts them at its price. */
    hg_cash cost;
    hg_cash entry_cost; /* the same without daily settlements: what was paid */
    hg_cash realised;   /* settlement currency, fees not included */
    hg_cash fees;
    hg_cash funding;      /* received minus paid */
    hg_lots opened;       /* lots given by the book at the start: the unhedged leg */
    hg_lots pending_buy;  /* remaining size of open and unknown orders */
    hg_lots pending_sell; /* >= 0 */
    hg_lots planned_buy;  /* no orders yet, but meant: in exposures, not in margin */
    hg_lots planned_sell;
} hg_position;

typedef enum {
    HG_CASH_TRADE, /* premium of options and spot, realised P&L of futures */
    HG_CASH_FEE,
    HG_CASH_FUNDING,
    HG_CASH_SETTLEMENT, /* delivery at expiry; daily, what futures have gained */
    HG_CASH_DEPOSIT
} hg_cash_cause;

const char *hg_cash_cause_name(hg_cash_cause cause); /* "trade" "fee" "funding" ... */

typedef enum { HG_SETTLE_DAILY, HG_SETTLE_DELIVERY } hg_settlement_kind;

/* A booking of funding: amount = -rate * value * (until - since) / 8 h, all of it at one rate and
 * one position; `value` is what that was worth in the mean, in the settlement currency. */
typedef struct hg_funding_note {
    hg_lots lots;
    hg_nano rate;
    hg_cash amount, value;
    int64_t since_ns, until_ns;
} hg_funding_note;

/* Told of every change of a balance, so that the events file can show them all. */
typedef struct hg_portfolio_observer {
    void *context;
    void (*cash)(void *context, uint32_t currency, hg_cash amount, hg_cash balance,
                 hg_cash_cause cause);
    void (*funding)(void *context, uint32_t instrument, const hg_funding_note *note);
    void (*settlement)(void *context, uint32_t instrument, hg_nano price, hg_lots lots,
                       hg_cash amount, hg_cash fee, hg_settlement_kind kind);
    /* An opened leg has its first mark: from there its P&L counts. `usd` per unit of its money. */
    void (*first_mark)(void *context, uint32_t instrument, double price, double usd);
} hg_portfolio_observer;

typedef struct hg_portfolio_options {
    bool fees;          /* charge delivery fees */
    int64_t max_age_ns; /* a spot or forward older than this makes an exposure "stale"; 0 =
                           30 s; vols and marks move slowly and may be 20 times as old */
    hg_portfolio_observer observer;
} hg_portfolio_options;

hg_portfolio *hg_portfolio_new(const hg_market *market, const hg_portfolio_options *options);
void hg_portfolio_free(hg_portfolio *portfolio);

/* Makes `to` hold exactly what `from` holds, money included; pending orders are not taken over.
 * Both stand over markets of the same universe. */
void hg_portfolio_copy(hg_portfolio *to, const hg_portfolio *from);

/* The opening book: adds lots to an instrument before the session runs. `entry` in nano of the
 * quote unit, 0 = unknown: the first mark becomes the entry. No cash moves. */
HG_MUST_CHECK int hg_portfolio_open(hg_portfolio *portfolio, uint32_t id, hg_lots lots,
                                    hg_nano entry);
HG_MUST_CHECK int hg_portfolio_deposit(hg_portfolio *portfolio, uint32_t currency, hg_cash amount);

/* Market events that move money or value: funding accrual, settlement, first marks. Call after the
 * market has applied the event. */
void hg_portfolio_observe(hg_portfolio *portfolio, const hg_event *event);

/* A fill of our own. fee in the settlement currency, > 0 paid. HG_ERANGE when a sum would not fit
 * (nothing is changed then). */
HG_MUST_CHECK int hg_portfolio_fill(hg_portfolio *portfolio, uint32_t id, hg_side side,
                                    hg_lots lots, hg_ticks price, hg_cash fee, int64_t time_ns);

/* The same, of an order: whose it was, and the mid when it was sent (0: unknown). They explain the
 * P&L and change nothing else. */
typedef struct hg_fill_origin {
    uint16_t strategy;
    bool liquidation;
    double mid;
} hg_fill_origin;
HG_MUST_CHECK int hg_portfolio_fill_of(hg_portfolio *portfolio, uint32_t id, hg_side side,
                                       hg_lots lots, hg_ticks price, hg_cash fee, int64_t time_ns,
                                       const hg_fill_origin *origin);

void hg_portfolio_pending(hg_portfolio *portfolio, uint32_t id, hg_lots buy, hg_lots sell);
void hg_portfolio_planned(hg_portfolio *portfolio, uint32_t id, hg_lots buy, hg_lots sell);

const hg_position *hg_portfolio_get(const hg_portfolio *portfolio, uint32_t id);
hg_cash hg_portfolio_cash(const hg_portfolio *portfolio, uint32_t currency);
/* Average entry of the open lots in the quote unit, 0 when flat or unknown. */
double hg_portfolio_entry(const hg_portfolio *portfolio, uint32_t id);
/* Instruments with lots, opened lots or pending orders, in order of id; count and ids. */
uint32_t hg_portfolio_held(const hg_portfolio *portfolio, const uint32_t **ids);
/* What a position is valued at, in the quote unit: the mark, else the mid. False: unknown. */
bool hg_portfolio_mark(const hg_portfolio *portfolio, uint32_t id, int64_t now_ns, double *price);
/* Funding accrued by now and not yet booked, in the settlement currency. */
hg_cash hg_portfolio_accrued(const hg_portfolio *portfolio, uint32_t id, int64_t now_ns);
/* What was deposited, in USD at the spot of its time; 0 while that spot is unknown. */
double hg_portfolio_deposited_usd(const hg_portfolio *portfolio, uint32_t currency);

/* Exposure of one underlying, units as in docs/lua-api.md. */
typedef struct hg_exposure {
    double delta;     /* coins, pending orders included at their expected (full) fill */
    double delta_net; /* minus the mark value of options in coins */
    double delta_usd;
    /* Coins held as money: coin-settled cash and unrealised P&L made in this session, without
     * deposits. They move with the spot like a position. The USD value of the session is neutral at
     * delta + delta_cash = 0, its coin value at delta_net = 0. */
    double delta_cash;
    double gamma;        /* coins per USD */
    double vega;         /* USD per vol point */
    double theta;        /* USD per calendar day */
    double rho;          /* USD per 1% of rate */
    double vanna;        /* coins per vol point */
    double volga;        /* USD per vol point squared */
    double charm;        /* coins per calendar day */
    double notional;     /* USD, sum of absolute positions */
    double value;        /* USD: options and spot at mark, unrealised P&L of the rest */
    double leverage;     /* notional / |equity of the underlying|, 0 when there is no equity */
    double delta_filled; /* delta of what is really held */
    double pending_lo;   /* bounds of delta when each pending order fills between 0 and all */
    double pending_hi;
    double spot;  /* USD per coin used */
    double age_s; /* of the oldest price used (spot, forward, mark of a future) */
    hg_quality quality;
    char reasons[160]; /* why quality is not good, "" when it is */
    /* Of the numbers above but for the age: equal ones of one portfolio and rule mean equal
     * numbers. 0: not known. */
    uint64_t version;
} hg_exposure;

/* Recomputes only what changed since the last question. Never fails: what is unknown lowers
 * `quality` and is named in `reasons`. Valid until the next call for the same underlying. */
const hg_exposure *hg_portfolio_exposure(hg_portfolio *portfolio, uint32_t underlying,
                                         int64_t now_ns);

/* How the smile is taken to move with the forward; delta = delta_BS + vega dE[vol]/dF. Formulas and
 * sources: greeks/smile_delta.h. */
typedef enum hg_delta_rule {
    HG_DELTA_BS,              /* each option keeps its vol */
    HG_DELTA_STICKY_STRIKE,   /* the same, by name */
    HG_DELTA_STICKY_DELTA,    /* the smile moves along with the forward */
    HG_DELTA_STICKY_TREE,     /* local vol: twice the skew, against the forward */
    HG_DELTA_SKEW_STICKINESS, /* the ratio that was learnt */
    HG_DELTA_BARTLETT,        /* SABR's, alpha following the forward */
    HG_DELTA_MIN_VARIANCE,    /* Hull and White, coefficients learnt */
    HG_DELTA_RULES
} hg_delta_rule;

extern const char *const hg_delta_rule_names[HG_DELTA_RULES + 1]; /* "bs" ..., NULL */

/* The exposure with every option's delta by `rule`: delta, delta_net, delta_usd, delta_filled and
 * the bounds of what is pending differ from the plain answer, which stays as it is. Without a
 * surface (not needed by bs, sticky_strike and min_variance) the delta of such options is Black's
 * and the answer "partial"; an old surface makes it "stale". Valid until the next call. */
const hg_exposure *hg_portfolio_exposure_by_rule(hg_portfolio *portfolio, uint32_t underlying,
                                                 hg_delta_rule rule, int64_t now_ns);

/* Delta in coins of `lots` of an instrument now (options: times their delta; futures: coins). */
double hg_portfolio_delta_of(hg_portfolio *portfolio, uint32_t id, hg_lots lots, int64_t now_ns);

/* The same by a rule, as hg_portfolio_exposure_by_rule has it for each option it holds; whether the
 * rule could be applied is said there. */
double hg_portfolio_delta_by_rule(hg_portfolio *portfolio, uint32_t id, hg_lots lots,
                                  hg_delta_rule rule, int64_t now_ns);

/* Greeks of one lot bought, in the units of hg_exposure. False when they are not known (no price,
 * no vol of its own or of a neighbour). */
typedef struct hg_unit {
    double delta, gamma, vega, theta;
} hg_unit;
bool hg_portfolio_unit(hg_portfolio *portfolio, uint32_t id, int64_t now_ns, hg_unit *out);

/* P&L counts from the first mark of each opened leg: its first own price (mark or mid), taken at
 * the end of an update, or what the market derives for it when nobody has priced it for a minute.
 * An entry given in the book splits realised from unrealised and never moves it.
 *
 * Money of the session in USD at the spot of now. `known` is false while a mark or a spot of a held
 * position has never been seen. */
typedef struct hg_pnl {
    double hedged;   /* change of equity since the opening book was first marked */
    double unhedged; /* the opening book and what was deposited, untouched */
    double equity;   /* cash + options and spot at mark + unrealised P&L */
    double realised, unrealised;
    double fees, funding;
    bool known;
} hg_pnl;

void hg_portfolio_pnl(hg_portfolio *portfolio, int64_t now_ns, hg_pnl *out);

/* Counts passes over a book (bench and tests: at most one per question). */
uint64_t hg_portfolio_passes(const hg_portfolio *portfolio);

/* Whether the session charges fees. */
bool hg_portfolio_charges(const hg_portfolio *portfolio);

#endif
