#ifndef HG_PORTFOLIO_PORTFOLIO_INT_H
#define HG_PORTFOLIO_PORTFOLIO_INT_H

#include "portfolio/portfolio.h"

/* Private to the portfolio room: portfolio.c owns this state, ledger.c moves money, funding.c
 * accrues, settlement.c settles and delivers, pnl.c values, exposure.c derives. */

/* One instrument. Money is in its settlement currency. */
typedef struct hg_holding {
    hg_position pos;
    bool listed;      /* in hg_portfolio.held */
    bool first_known; /* the opened lots have been marked once */
    bool settled;
    hg_lots unpriced;    /* opened lots whose entry will be the first mark */
    double first_price;  /* first mark of the opened lots, quote unit */
    double first_usd;    /* options and spot: USD value of the opened lots at that mark */
    hg_cash first_pnl;   /* futures: what the opened lots had gained from entry to that mark */
    hg_cash settled_pnl; /* opened lots once delivered: payoff, or P&L since the first mark */
    /* Funding accrued since the last booking, exactly: `accrued` whole units and `rest` in units of
     * HG_FUNDING_SCALE. The segment since funding_ns runs at `rate` and `funding_price`. */
    hg_wide rest;
    hg_cash accrued;
    hg_nano rate;
    hg_nano funding_price;
    int64_t funding_ns;
    int64_t booked_ns; /* where the open booking begins: rate and position are constant since */
    hg_wide value_ns;  /* sum of value times ns since then */
    uint32_t column;   /* of an option in its book, HG_ID_NONE when it has none */
} hg_holding;

/* One currency. Sums are kept over all instruments, also those no longer held. */
typedef struct hg_purse {
    hg_cash balance;
    hg_cash realised, fees, funding;
    hg_cash deposited;    /* part of the balance that is not of the session's making */
    hg_cash deposit_due;  /* deposited, not yet converted for want of a spot */
    double deposited_usd; /* deposits at the spot of their time */
} hg_purse;

/* Options of one expiry and settlement: neighbours in the columns, sharing forward and time. */
typedef struct hg_group {
    uint32_t expiry_id;
    uint32_t first, end; /* columns [first, end) */
    bool inverse;
    int64_t expiry_ns;
    int64_t forward_ns; /* age of the forward */
    double f;           /* forward, 0 unknown */
    double t;           /* years of variance (domain/delivery.h) */
    double open;        /* share of the delivery price, 1 until the last half hour */
    double pace;        /* of variance against the clock, 1 until the last hours */
    double coin_w;      /* one unit of price in coins, 0 unknown */
    double usd_w;       /* and in USD of now */
} hg_group;

enum { HG_FLAW_VOL = 1, HG_FLAW_BOOK = 2 };

/* Exposure of one underlying as columns: options of the book side by side, so that one batch call
 * prices them all. Capacities are those of the universe. */
typedef struct hg_book {
    uint32_t options, linears, groups; /* in use */
    uint32_t *option_ids;              /* by group, then ascending */
    uint32_t *linear_ids;
    hg_group *group;
    const hg_market_state **state; /* per option */
    uint64_t *seen;                /* its version when sigma was read */
    uint8_t *source;               /* hg_iv_source of sigma */
    uint8_t *flaw;                 /* what is wrong with its inputs */
    uint8_t *used;                 /* 255 held or pending, else 0 */
    int64_t *iv_ns;
    double *f, *k, *t, *sigma, *cp;               /* in */
    double *price, *delta, *gamma, *vega, *theta; /* out, per coin of size */
    double *vanna, *volga, *charm;
    double *held, *buy, *sell;                  /* coins of size: signed, pending >= 0 */
    uint64_t option_events, option_events_seen; /* of the underlying: vols may be borrowed anew */
    bool restructure;                           /* the set of held instruments changed */
    bool moved;                                 /* sizes or cash changed */
    bool sizes_moved;                           /* those of options */
    bool options_due;                           /* `part` is out of date */
    bool priced;                                /* the columns are valid for the versions below */
    uint64_t spot_version, state_version;
    int64_t spot_ns;        /* when the spot was last told */
    int64_t time_ns;        /* of the columns */
    int64_t next_expiry_ns; /* of the options held, INT64_MAX when none */
    int64_t oldest_ns;      /* price used; INT64_MAX when none was needed */
    int64_t oldest_vol_ns;  /* likewise */
    bool pending_options;
    bool missing;     /* an input is unknown: partial */
    hg_exposure part; /* the options' part of the answer */
    int64_t part_oldest_ns;
    bool part_missing;
    hg_exposure answer;
} hg_book;

typedef struct hg_explain hg_explain;

struct hg_portfolio {
    const hg_market *market;
    const hg_universe *universe;
    hg_portfolio_options options;
    hg_holding *holdings;
    hg_purse *purses;
    hg_book *books;
    uint32_t *held;
    uint32_t held_count;
    uint32_t unmarked; /* opened legs without a first mark */
    bool deposits_due;
    int64_t next_booking_ns; /* next 08:00 UTC, 0 before the first event */
    int64_t start_ns;        /* of the first event, 0 before it */
    uint64_t passes;
    hg_explain *explain;
    uint64_t changes;                  /* of positions, pending sizes and balances */
    char old_prices[48], old_vols[48]; /* why an answer is stale */
    double *scratch;                   /* columns of the changed legs of one book */
    uint32_t scratch_capacity;
    uint32_t *changed;
    uint64_t exposures; /* computed so far: the versions of answers */
    hg_exposure ruled;  /* the last answer by a rule of smile_exposure.c */
};

/* portfolio.c */
void hg_holding_changed(hg_portfolio *p, uint32_t id); /* lots or pending: lists and books follow */

/* ledger.c */
bool hg_is_premium(const hg_instrument *inst); /* options and spot: paid for in full at once */
bool hg_cash_fits(const hg_portfolio *p, uint32_t currency, hg_cash amount);
void hg_cash_move(hg_portfolio *p, uint32_t currency, hg_cash amount, hg_cash_cause cause);
/* Price used for value in the quote unit: mark, else mid. False and 0 when unknown. */
bool hg_value_price(const hg_portfolio *p, uint32_t id, int64_t now_ns, double *price);
/* What realised P&L less the cost of what is held has gained from `before` to `after`; inverse
 * futures: plus the cost. */
hg_cash hg_flow_between(const hg_instrument *inst, const hg_position *before,
                        const hg_position *after);
/* P&L of lots in the settlement currency between a cost (signed like lots) and a value. */
hg_cash hg_futures_pnl(const hg_instrument *inst, hg_cash cost, hg_cash value);
/* Gives the opened lots their first mark. */
void hg_first_mark(hg_portfolio *p, uint32_t id, double price);
void hg_first_marks(hg_portfolio *p, int64_t now_ns); /* all that are now known */

/* funding.c */
void hg_funding_accrue(hg_portfolio *p, uint32_t id, int64_t now_ns);
void hg_funding_reprice(hg_portfolio *p, uint32_t id); /* after accrual: the price from now on */
void hg_funding_book(hg_portfolio *p, uint32_t id);
/* Accrued and not yet booked by now, without changing anything. */
hg_cash hg_funding_open(const hg_portfolio *p, uint32_t id, int64_t now_ns);

/* settlement.c */
void hg_deliver(hg_portfolio *p, const hg_event *settle);
/* The settlement of 08:00 UTC at `boundary_ns`, at the mark of now. */
void hg_settle_daily(hg_portfolio *p, uint32_t id, int64_t boundary_ns, int64_t now_ns);
/* Value of lots at delivery: the payoff of options, the worth of everything else. */
bool hg_delivery_worth(const hg_instrument *inst, hg_nano price, hg_lots lots, hg_cash *cash);

/* columns.c. One pass: everything is priced anew; refresh: only vols may have changed. */
void hg_book_pass(hg_portfolio *p, hg_book *b, double spot, bool state_moved, int64_t now_ns);
void hg_book_refresh(hg_portfolio *p, hg_book *b);
/* Reads the forwards again; true when one is another. They may follow a dated future, whose quotes
 * do not move the spot's version, and they age with the spot. */
bool hg_book_forwards(const hg_portfolio *p, hg_book *b);
const hg_group *hg_book_group(const hg_book *b, uint32_t option); /* it belongs to */
/* The moment options are priced at: a whole second, so that an answer depends on what happened and
 * never on who asked before. Near an expiry it is now. */
int64_t hg_book_time(const hg_book *b, int64_t now_ns);

/* exposure.c */
void hg_exposure_words(hg_portfolio *p);

/* book.c */
bool hg_book_init(hg_book *b, const hg_universe *universe, uint32_t underlying);
void hg_book_fini(hg_book *b);
void hg_book_rebuild(hg_portfolio *p, hg_book *b, uint32_t underlying);

#endif
