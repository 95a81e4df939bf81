#ifndef HG_EXEC_EXEC_H
#define HG_EXEC_EXEC_H

#include "base/ring.h"
#include "domain/venue.h"
#include "portfolio/portfolio.h"

/* Orders and the risk gate. Every order of every script passes hg_exec_submit, which is the only
 * caller of the venue. Orders live in a fixed pool owned here; scripts hold ids. */
typedef struct hg_exec hg_exec;

#define HG_STRATEGY_ANY UINT16_MAX

/* Limits of the gate. Not reachable from Lua. Zero means "use the default", never "off". */
typedef struct hg_limits {
    double price_collar;        /* limit prices further than this fraction through the reference are
                                   refused; 0.10 (options: also 0.05 coin or 50 % of mark) */
    double order_value_usd;     /* 100,000,000 */
    double position_delta;      /* |worst-case coins| per instrument, 1,000,000 */
    int64_t quote_max_age_ns;   /* data older than this is stale for trading; 10 s */
    uint32_t orders_per_second; /* token bucket in event time, burst = 4 x; 1,000 */
    uint32_t open_orders;       /* per instrument; 500 */
} hg_limits;

void hg_limits_default(hg_limits *limits);

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
} hg_exec_observer;

typedef struct hg_exec_options {
    hg_limits limits;
    uint32_t
        order_capacity; /* open + remembered orders; 0 = 65,536; old finished ones are reused */
    hg_exec_observer observer;
} hg_exec_options;

hg_exec *hg_exec_new(const hg_market *market, hg_portfolio *portfolio, hg_venue *venue,
                     const hg_exec_options *options);
void hg_exec_free(hg_exec *exec);

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

const hg_order *hg_exec_get(const hg_exec *exec, uint64_t id); /* NULL when forgotten */
/* Open orders of a strategy in order of id: pass 0 first, then the last id; NULL at the end. */
const hg_order *hg_exec_open_next(const hg_exec *exec, uint16_t strategy, uint64_t after);
double hg_exec_average_price(const hg_exec *exec, const hg_order *order); /* 0 when unfilled */

/* The answer to an open order is lost (connection gone): it is unknown, and counts in full as
 * pending, until the venue says what became of it. */
void hg_exec_lost(hg_exec *exec, uint64_t id, int64_t now_ns);

/* Halts all new orders (cancels still pass). Latched. */
void hg_exec_halt(hg_exec *exec, const char *why);

typedef struct hg_exec_stats {
    uint64_t orders; /* sent to the venue */
    uint64_t fills;
    uint64_t refused;  /* by the gate */
    uint64_t rejected; /* by the venue */
    uint64_t cancelled;
    uint64_t duplicates; /* fills told twice, booked once */
    uint64_t late;       /* fills after an order had ended, booked */
    uint64_t alarms;     /* hg_alarm: what must not happen quietly */
    uint64_t unanswered; /* of these: orders that became unknown */
    uint64_t too_old;    /* of these: fills not booked because they may have been before */
    uint64_t emulated;   /* orders with something the venue cannot do */
    double fees_usd;
    double
        spread_usd; /* paid against the arrival mid: sum of side * (price - mid) * amount in USD */
    uint64_t hash;  /* over every order sent and fill received, in order */
} hg_exec_stats;

/* The limits in force, complete. */
const hg_limits *hg_exec_limits(const hg_exec *exec);

const hg_exec_stats *hg_exec_stats_get(const hg_exec *exec);

#endif
