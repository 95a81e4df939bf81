#ifndef HG_EXEC_EXEC_H
#define HG_EXEC_EXEC_H

#include "base/ring.h"
#include "domain/venue.h"
#include "exec/limits.h"
#include "exec/risk_state.h"
#include "portfolio/margin.h"
#include "portfolio/portfolio.h"

/* Orders and the risk gate. Every order of every script passes hg_exec_submit, which is the only
 * caller of the venue. Orders live in a fixed pool owned here; scripts hold ids. */
typedef struct hg_exec hg_exec;

/* One exit of a bracket: a resting limit order, or one that waits for a trigger price. */
typedef struct hg_exit {
    bool wanted;
    hg_order_type type; /* LIMIT, TAKE, TAKE_LIMIT, STOP, STOP_LIMIT, TRAILING */
    hg_trigger trigger;
    double price; /* limit types */
    double trigger_price;
    double trail;
    double trail_fraction;
} hg_exit;

typedef struct hg_bracket {
    hg_exit take, stop;
} hg_bracket;

/* What a script asks for, as it asked: the gate judges raw numbers. */
typedef struct hg_order_request {
    uint32_t instrument;
    uint16_t strategy;
    hg_side side;
    hg_order_type type;
    hg_tif tif;
    double size;  /* amount units */
    double price; /* quote unit; ignored for market orders */
    bool post_only;
    bool reduce_only;
    bool again; /* meant, though an equal order sent a moment ago is open */
    uint64_t code;
    const char *reason; /* may be NULL */
    const char *line;   /* "file.lua:12", may be NULL */
    /* Zero where not asked for. */
    hg_trigger trigger;   /* types with a trigger; HG_TRIGGER_MARK when none is given */
    double trigger_price; /* quote unit; index: USD per coin */
    double trail;         /* trailing: one of both */
    double trail_fraction;
    double protection;      /* market orders: never worse than this price */
    int64_t expires_ns;     /* good till date: with HG_TIF_GTD */
    int64_t valid_until_ns; /* refused when it would arrive later */
    uint64_t oco;           /* an open order of the same strategy to pair with */
    const hg_bracket *bracket;
} hg_order_request;

/* New values of an order; 0 keeps the old one. Trigger prices only while it is untriggered. */
typedef struct hg_amendment {
    double price, size;
    double trigger_price;
    double trail, trail_fraction;
    int64_t expires_ns;
} hg_amendment;

/* Why the gate said no. */
typedef struct hg_refusal {
    hg_reject code;
    double value; /* what was asked */
    double limit; /* what would have been allowed, NaN when there is no number */
    char text[160];
} hg_refusal;

/* Told of every order state change, fill and refusal (events file, hash, counters). The order
 * pointer is valid during the call. */
typedef struct hg_exec_observer {
    void *context;
    void (*order)(void *context, const hg_order *order);
    void (*fill)(void *context, const hg_order *order, const hg_event *fill);
    void (*refusal)(void *context, const hg_order_request *request, const hg_refusal *refusal);
    void (*alarm)(void *context, const hg_order *order, hg_alarm alarm); /* order may be NULL */
    void (*risk)(void *context, const hg_risk_event *event); /* a state of the gate changed */
} hg_exec_observer;

/* Margin of the account with one more order pending, `lots` of it (an amendment: what it adds,
 * below zero what it takes back); `price` 0 for market orders. False: not known, and orders that do
 * not only close are refused. */
typedef struct hg_margin_hook {
    void *context;
    bool (*project)(void *context, uint32_t instrument, hg_side side, hg_lots lots, double price,
                    int64_t now_ns, hg_margin_use *use);
} hg_margin_hook;

typedef struct hg_exec_options {
    hg_limits limits;
    const char *account; /* the venue's name of it, NULL: none */
    uint32_t
        order_capacity; /* open + remembered orders; 0 = 65,536; old finished ones are reused */
    hg_exec_observer observer;
    uint64_t last_id; /* ids go on from here: a rehearsal must not repeat those of its session */
} hg_exec_options;

hg_exec *hg_exec_new(const hg_market *market, hg_portfolio *portfolio, hg_venue *venue,
                     const hg_exec_options *options);
void hg_exec_free(hg_exec *exec);

/* From now on the fills and pending orders of `strategy` are booked in `share` as well, a portfolio
 * of the caller's that holds what the strategy works for. Before its first order. Strategies may
 * have one share in common. */
#define HG_SHARES_MAX 64
HG_MUST_CHECK int hg_exec_share(hg_exec *exec, uint16_t strategy, hg_portfolio *share);

/* A strategy means to send so many lots more, or less, in time: they count as pending in the
 * exposures of the book and of its share, though not in margin and the gate's own sums over orders.
 * What it has planned in all is never below zero. */
void hg_exec_plan(hg_exec *exec, uint16_t strategy, uint32_t instrument, hg_side side,
                  hg_lots change);

/* Judges and sends. HG_OK and the id; or HG_ERISK with the refusal filled, and an order in state
 * rejected whose id is given as well (0 when the table is full). The script hears of the rejection
 * through an event, after its callback has returned. */
int hg_exec_submit(hg_exec *exec, const hg_order_request *request, int64_t now_ns, uint64_t *id,
                   hg_refusal *refusal);

/* Asks the venue to cancel; HG_ENOTFOUND for an unknown id, HG_ESTATE when the order is done. */
int hg_exec_cancel(hg_exec *exec, uint64_t id, int64_t now_ns);
/* Cancels the open orders of a strategy (HG_STRATEGY_ANY = all of them; instrument HG_ID_NONE =
 * all); returns how many. */
uint32_t hg_exec_cancel_all(hg_exec *exec, uint16_t strategy, uint32_t instrument, int64_t now_ns);
/* New total size and/or price (0 keeps the old). Judged like a new order. */
int hg_exec_amend(hg_exec *exec, uint64_t id, double price, double size, int64_t now_ns,
                  hg_refusal *refusal);

int hg_exec_amend_order(hg_exec *exec, uint64_t id, const hg_amendment *amendment, int64_t now_ns,
                        hg_refusal *refusal);

/* A venue answer or one of our own (HG_EV_ACK .. HG_EV_ALARM): updates order, portfolio, observer.
 * Returns the order it belongs to, NULL when unknown or a duplicate that changed nothing. */
const hg_order *hg_exec_apply(hg_exec *exec, const hg_event *event);

/* Answers the gate itself owes (rejections), in time order with those of the venue. */
bool hg_exec_next(hg_exec *exec, hg_event *event);
int64_t hg_exec_due_ns(const hg_exec *exec);

/* Market events that concern open orders: delivery of an instrument expires its orders, prices
 * reach the triggers that are watched here. */
void hg_exec_observe(hg_exec *exec, const hg_event *event);

/* The next order gets this id, or the next one whose place is free: a rehearsal gives the orders of
 * its session their own. */
void hg_exec_number_next(hg_exec *exec, uint64_t id);

const hg_order *hg_exec_get(const hg_exec *exec, uint64_t id); /* NULL when forgotten */
/* Open orders of a strategy in order of id: pass 0 first, then the last id; NULL at the end. */
const hg_order *hg_exec_open_next(const hg_exec *exec, uint16_t strategy, uint64_t after);
double hg_exec_average_price(const hg_exec *exec, const hg_order *order); /* 0 when unfilled */

/* The answer to an open order is lost (connection gone): it is unknown, and counts in full as
 * pending, until the venue says what became of it. */
void hg_exec_lost(hg_exec *exec, uint64_t id, int64_t now_ns);

/* Halts all new orders (cancels still pass). Latched; hg_risk_kill has more levels. */
void hg_exec_halt(hg_exec *exec, const char *why);

/* The gate's own clock: losses, freezes that end, cancels to repeat. Call before events are applied
 * that are later than `now_ns`; it looks once a second. */
void hg_exec_clock(hg_exec *exec, int64_t now_ns);

/* Names a strategy, so that limits and permissions given for it apply. */
void hg_exec_strategy(hg_exec *exec, uint16_t strategy, const char *name);

/* The venue's side of the gate: while positions are reconciled, or the lease of a cluster is not
 * ours, or the clocks disagree, orders that do not only close are refused. */
void hg_exec_reconcile(hg_exec *exec, bool under_way);
void hg_exec_lease(hg_exec *exec, bool held);
void hg_exec_clock_offset(hg_exec *exec, int64_t offset_ns);
void hg_exec_margin(hg_exec *exec, const hg_margin_hook *hook); /* NULL: no margin account */

/* How long a hedge should wait before the venue is asked again (0: not at all), and why: it refused
 * for a reason that passes, by itself. hg_exec_submit does not wait. */
int64_t hg_exec_backoff(const hg_exec *exec, int64_t now_ns, hg_reject *code);

/* What the gate would say, without sending anything. */
hg_reject hg_exec_try(hg_exec *exec, const hg_order_request *request, int64_t now_ns,
                      hg_refusal *refusal);
/* Why an order was refused by the gate; NULL when it was not, or long ago. */
const hg_refusal *hg_exec_refusal(const hg_exec *exec, uint64_t order);
/* The newest refusals, 0 the last one; NULL: there are not so many, or it is forgotten. */
const hg_refusal *hg_exec_refusal_back(const hg_exec *exec, uint32_t back, uint64_t *order);

/* What the runtime does in a venue's place. */
typedef enum {
    HG_EMU_TRIGGER, /* watches for the trigger price */
    HG_EMU_TRAILING,
    HG_EMU_PAIR,
    HG_EMU_BRACKET,
    HG_EMU_EXPIRY, /* ends it in time */
    HG_EMU_VALID_UNTIL,
    HG_EMULATIONS
} hg_emulation;
const char *hg_emulation_name(hg_emulation what); /* "trigger" ... */

typedef struct hg_exec_stats {
    uint64_t orders; /* sent to the venue */
    uint64_t fills;
    uint64_t refused; /* by the gate */
    uint64_t refused_by[HG_REJECTS];
    uint64_t rejected; /* by the venue */
    uint64_t cancelled;
    uint64_t duplicates; /* fills told twice, booked once */
    uint64_t late;       /* fills after an order had ended, booked */
    uint64_t alarms;     /* hg_alarm: what must not happen quietly */
    uint64_t unanswered; /* of these: orders that became unknown */
    uint64_t too_old;    /* of these: fills not booked because they may have been before */
    uint64_t emulated;   /* orders with something the venue cannot do */
    uint64_t emulated_by[HG_EMULATIONS]; /* and what; an order may count for several */
    double fees_usd;
    double
        spread_usd; /* paid against the arrival mid: sum of side * (price - mid) * amount in USD */
    uint64_t hash;  /* over every order sent and fill received, in order */
} hg_exec_stats;

/* The limits of the session in force, complete; and as an underlying or a strategy has them. */
const hg_limits *hg_exec_limits(const hg_exec *exec);
const hg_limits *hg_exec_limits_of_underlying(const hg_exec *exec, uint32_t underlying);
const hg_limits *hg_exec_limits_of_strategy(const hg_exec *exec, uint16_t strategy);

/* How much of each limit is used now, in the unit of the limit. Worst case where the limit is. */
typedef struct hg_risk_use {
    double delta, gamma, vega, theta; /* largest |worst case| of the underlying */
    double burst_delta, burst_vega;
    bool known; /* the four Greeks */
} hg_risk_use;
void hg_risk_use_underlying(hg_exec *exec, uint32_t underlying, int64_t now_ns, hg_risk_use *out);
typedef struct hg_risk_totals {
    double open_notional, gross_notional; /* USD, NaN unknown */
    uint32_t open_orders, strategy_open_orders;
    double loss, drawdown; /* USD of the day, as of the last second; NaN unknown */
} hg_risk_totals;
void hg_risk_use_session(hg_exec *exec, uint16_t strategy, int64_t now_ns, hg_risk_totals *out);

/* Control 17: HG_EVENUE when a live venue leaves orders behind and nobody has allowed it. */
HG_MUST_CHECK int hg_risk_protected(const hg_limits *limits, bool cancel_on_disconnect);
/* Control 18: a countdown at the venue, refreshed each third of its time. */
typedef struct hg_dead_man {
    int64_t timeout_ns; /* 0: the venue has none */
    int64_t due_ns;
} hg_dead_man;
bool hg_dead_man_due(hg_dead_man *timer, int64_t now_ns); /* true: refresh it now */

const hg_exec_stats *hg_exec_stats_get(const hg_exec *exec);

#endif
