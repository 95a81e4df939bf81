#ifndef HG_DOMAIN_ORDER_H
#define HG_DOMAIN_ORDER_H

#include "domain/money.h"

#include <stdbool.h>

#define HG_REASON_MAX 96
#define HG_LINE_MAX 64

/* Types after the first two wait for a trigger price and then become a market or a limit order. A
 * stop buys when the price rises to the trigger and sells when it falls to it; a take-profit the
 * other way round; a trailing stop follows the best price at a distance. */
typedef enum {
    HG_TYPE_MARKET,
    HG_TYPE_LIMIT,
    HG_TYPE_STOP,
    HG_TYPE_STOP_LIMIT,
    HG_TYPE_TAKE,
    HG_TYPE_TAKE_LIMIT,
    HG_TYPE_TRAILING,
    HG_ORDER_TYPES
} hg_order_type;

typedef enum { HG_TIF_GTC, HG_TIF_IOC, HG_TIF_FOK, HG_TIF_GTD, HG_TIFS } hg_tif;

/* What a trigger price is compared with. Deribit's `trigger`: last_price, mark_price, index_price.
 */
typedef enum {
    HG_TRIGGER_NONE,
    HG_TRIGGER_LAST,
    HG_TRIGGER_MARK,
    HG_TRIGGER_INDEX,
    HG_TRIGGERS
} hg_trigger;

/* Place of an order in a bracket. */
typedef enum { HG_ROLE_NONE, HG_ROLE_ENTRY, HG_ROLE_TAKE, HG_ROLE_STOP, HG_ROLES } hg_role;

typedef enum {
    HG_ORDER_INTENT,      /* created, not yet past the gate */
    HG_ORDER_SENT,        /* handed to the venue, no answer yet */
    HG_ORDER_WORKING,     /* acknowledged */
    HG_ORDER_PARTIAL,     /* acknowledged, some filled */
    HG_ORDER_FILLED,      /* terminal */
    HG_ORDER_CANCELLED,   /* terminal */
    HG_ORDER_REJECTED,    /* terminal: by the gate or the venue */
    HG_ORDER_EXPIRED,     /* terminal */
    HG_ORDER_UNKNOWN,     /* the venue's answer is lost: counts in full until proven */
    HG_ORDER_UNTRIGGERED, /* waits for its trigger price, here or at the venue; not pending */
    HG_ORDER_STATES
} hg_order_state;

/* Why an order was refused, cancelled or expired; one list for gate and venue. */
#define HG_REJECT_MAP(X)                                                                           \
    X(NONE, "", "")                                                                                \
    X(NOT_FINITE, "not_finite", "price and size must be finite numbers")                           \
    X(SIZE_ZERO, "size_zero", "size must be above zero")                                           \
    X(OFF_TICK, "off_tick", "price is not a multiple of the tick")                                 \
    X(OFF_LOT, "off_lot", "size is not a multiple of the lot")                                     \
    X(SIZE_LIMIT, "size_limit", "order size above the limit")                                      \
    X(VALUE_LIMIT, "value_limit", "order value above the limit")                                   \
    X(POSITION_LIMIT, "position_limit", "worst-case position above the limit")                     \
    X(PRICE_COLLAR, "price_collar", "price too far from the reference")                            \
    X(NO_PRICE, "no_price", "no price to judge the order by")                                      \
    X(STALE, "stale", "market data older than the limit")                                          \
    X(RATE, "rate", "too many orders in the window")                                               \
    X(OPEN_LIMIT, "open_limit", "too many open orders")                                            \
    X(INSTRUMENT, "instrument", "unknown, expired or halted instrument")                           \
    X(REDUCE_ONLY, "reduce_only", "would not reduce the position")                                 \
    X(POST_ONLY, "post_only", "would take liquidity")                                              \
    X(NO_LIQUIDITY, "no_liquidity", "nothing left to trade against")                               \
    X(HALTED, "halted", "trading is halted")                                                       \
    X(CAPACITY, "capacity", "order table is full")                                                 \
    X(USER, "user", "cancelled on request")                                                        \
    X(IOC_REST, "ioc_rest", "rest of an immediate-or-cancel order")                                \
    X(FOK, "fok", "could not be filled at once in full")                                           \
    X(DELIVERY, "delivery", "instrument expired")                                                  \
    X(NOT_OPEN, "not_open", "order is not open")                                                   \
    X(STRATEGY, "strategy", "strategy stopped")                                                    \
    X(BAD_REQUEST, "bad_request", "malformed order request")                                       \
    X(SELF_TRADE, "self_trade", "would have traded with an order of our own")                      \
    X(TRIGGER_PRICE, "trigger_price", "trigger price would trigger at once or is not a price")     \
    X(GTD, "gtd", "its time was over")                                                             \
    X(OCO, "oco", "the other order of the pair traded or ended")                                   \
    X(TIMED_OUT, "timed_out", "reached the venue after its valid_until")                           \
    X(PRICE_BAND, "price_band", "price beyond the venue's band")                                   \
    X(MARGIN, "margin", "not enough margin, or the account is being liquidated")                   \
    X(VENUE_DOWN, "venue_down", "the venue stands still")                                          \
    X(VENUE_BUSY, "venue_busy", "the venue is busy")                                               \
    X(VENUE_RATE, "venue_rate", "more requests than the venue allows")                             \
    X(NEVER_ARRIVED, "never_arrived", "the venue knows of no such request")                        \
    X(PERMISSION, "permission", "instrument, side, venue or account is not allowed")               \
    X(PAUSED, "paused", "the strategy is paused until the operator re-arms it")                    \
    X(FROZEN, "frozen", "the underlying is frozen after a burst of fills")                         \
    X(REDUCING, "reducing", "only orders that lower the risk pass")                                \
    X(RECONCILING, "reconciling", "positions are being compared with the venue's")                 \
    X(NO_GREEKS, "no_greeks", "the exposure the order is judged by is unknown")                    \
    X(DUPLICATE, "duplicate", "the same order was sent a moment ago and is open")                  \
    X(PREMIUM_LIMIT, "premium_limit", "option premium above the limit")                            \
    X(OPEN_NOTIONAL, "open_notional", "value of open orders above the limit")                      \
    X(DELTA_LIMIT, "delta_limit", "worst-case delta above the limit")                              \
    X(GAMMA_LIMIT, "gamma_limit", "worst-case gamma above the limit")                              \
    X(VEGA_LIMIT, "vega_limit", "worst-case vega above the limit")                                 \
    X(THETA_LIMIT, "theta_limit", "worst-case theta above the limit")                              \
    X(GROSS_LIMIT, "gross_limit", "positions and open orders above the limit")                     \
    X(MARGIN_LIMIT, "margin_limit", "initial margin above the limit")                              \
    X(REPEAT, "repeat", "too many orders filled on one side")                                      \
    X(CONVERGENCE, "convergence", "hedges do not lower the exposure")                              \
    X(STORM, "storm", "too many refused orders")                                                   \
    X(BURST, "burst", "too much filled in a short time")                                           \
    X(LOSS, "loss_limit", "loss of the day above the limit")                                       \
    X(DRAWDOWN, "drawdown_limit", "fall from the peak of the day above the limit")                 \
    X(BLIND, "blind", "no profit and loss from fresh marks")                                       \
    X(OPERATOR, "operator", "stopped by the operator")

typedef enum {
#define HG_REJECT_ENUM(name, code, text) HG_REJECT_##name,
    HG_REJECT_MAP(HG_REJECT_ENUM)
#undef HG_REJECT_ENUM
        HG_REJECTS
} hg_reject;

/* What must not happen quietly: told as an event, to on_risk and in the log. */
#define HG_ALARM_MAP(X)                                                                            \
    X(NONE, "", "")                                                                                \
    X(UNEXPECTED, "unexpected", "an answer that must not happen")                                  \
    X(NO_ORDER, "no_order", "an answer for an order that is not known")                            \
    X(LATE_FILL, "late_fill", "a fill came after the order had ended; it is booked")               \
    X(OVERFILL, "overfill", "more was filled than was asked for; it is booked")                    \
    X(UNANSWERED, "unanswered", "no answer in time: the order is unknown and counts in full")      \
    X(TOO_OLD, "too_old", "a fill too old to tell whether it was booked; it is not")               \
    X(BOTH_FILLED, "both_filled", "both orders of a pair traded")                                  \
    X(UNPROTECTED, "unprotected", "an exit of a bracket could not be placed")                      \
    X(DISCONNECTED, "disconnected", "the connection is gone: open orders are unknown")

typedef enum {
#define HG_ALARM_ENUM(name, code, text) HG_ALARM_##name,
    HG_ALARM_MAP(HG_ALARM_ENUM)
#undef HG_ALARM_ENUM
        HG_ALARMS
} hg_alarm;

const char *hg_alarm_code(hg_alarm alarm);
const char *hg_alarm_text(hg_alarm alarm);
const char *hg_reject_code(hg_reject reject);
const char *hg_reject_text(hg_reject reject);
const char *hg_order_state_name(hg_order_state state); /* "working", ... */
const char *hg_order_type_name(hg_order_type type);    /* "market", "limit", "stop", ... */
const char *hg_tif_name(hg_tif tif);                   /* "gtc", "ioc", "fok", "gtd" */
const char *hg_trigger_name(hg_trigger trigger);       /* "last", "mark", "index" */
const char *hg_role_name(hg_role role);                /* "entry", "take_profit", "stop" */

static inline bool hg_order_type_triggered(hg_order_type type) {
    return type >= HG_TYPE_STOP && type < HG_ORDER_TYPES;
}

/* What it is at the venue once it works: a market order, or one with a limit price. */
static inline bool hg_order_type_market(hg_order_type type) {
    return type != HG_TYPE_LIMIT && type != HG_TYPE_STOP_LIMIT && type != HG_TYPE_TAKE_LIMIT;
}

static inline bool hg_order_state_done(hg_order_state state) {
    return state >= HG_ORDER_FILLED && state <= HG_ORDER_EXPIRED;
}

/* Owned by the runtime, never by a script. Sizes are positive; `side` gives the sign. */
typedef struct hg_order {
    uint64_t id;
    uint32_t instrument;
    uint16_t strategy;
    uint8_t state; /* hg_order_state */
    int8_t side;   /* hg_side */
    uint8_t type;  /* hg_order_type */
    uint8_t tif;   /* hg_tif */
    bool post_only;
    bool liquidation; /* sent by the risk engine of the venue; no strategy owns it */
    bool reduce_only;
    bool cancel_pending; /* a cancel is on its way */
    bool triggered;      /* its trigger price has been reached */
    bool emulated;       /* the runtime does what the venue cannot: trigger, expiry, link */
    uint8_t trigger;     /* hg_trigger */
    uint8_t role;        /* hg_role */
    uint16_t reject;     /* hg_reject, for terminal states */
    hg_ticks price;      /* limit; for market orders the collar the gate gave them */
    hg_lots size;
    hg_lots filled;
    hg_nano trigger_price; /* quote unit, for the index USD per coin; trailing: as it stands */
    hg_nano trail;         /* trailing: distance from the best price, quote unit; 0: a fraction */
    hg_nano trail_fraction;
    int64_t expires_ns;     /* good till then; 0: no end */
    int64_t valid_until_ns; /* the venue must not accept it later; 0: no end */
    uint64_t oco;           /* the order that ends when this one trades or ends; 0: none */
    uint64_t parent;        /* exits of a bracket: the entry */
    hg_cash filled_value;   /* sum of hg_value over fills: average price without rounding drift */
    int64_t created_ns;
    int64_t updated_ns;
    double mid; /* arrival mid, 0 when the book was one-sided */
    /* Explanation, written once when the order is created. */
    double delta_before; /* delta of the underlying without this order */
    double delta_after;  /* and with it filled in full */
    double pending_lo;
    double pending_hi;
    double age_ms; /* age of the oldest input of the exposure */
    uint64_t code; /* hash of the script that sent it */
    char reason[HG_REASON_MAX];
    char line[HG_LINE_MAX]; /* file:line of the call */
} hg_order;

static inline hg_lots hg_order_remaining(const hg_order *order) {
    return order->size - order->filled;
}

#endif
