#ifndef HG_DOMAIN_ORDER_H
#define HG_DOMAIN_ORDER_H

#include "domain/money.h"

#include <stdbool.h>

#define HG_REASON_MAX 96
#define HG_LINE_MAX 64

typedef enum { HG_TYPE_MARKET, HG_TYPE_LIMIT } hg_order_type;
typedef enum { HG_TIF_GTC, HG_TIF_IOC, HG_TIF_FOK } hg_tif;

typedef enum {
    HG_ORDER_INTENT,    /* created, not yet past the gate */
    HG_ORDER_SENT,      /* handed to the venue, no answer yet */
    HG_ORDER_WORKING,   /* acknowledged */
    HG_ORDER_PARTIAL,   /* acknowledged, some filled */
    HG_ORDER_FILLED,    /* terminal */
    HG_ORDER_CANCELLED, /* terminal */
    HG_ORDER_REJECTED,  /* terminal: by the gate or the venue */
    HG_ORDER_EXPIRED,   /* terminal */
    HG_ORDER_UNKNOWN,   /* the venue's answer is lost: counts in full until proven */
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
    X(BAD_REQUEST, "bad_request", "malformed order request")

typedef enum {
#define HG_REJECT_ENUM(name, code, text) HG_REJECT_##name,
    HG_REJECT_MAP(HG_REJECT_ENUM)
#undef HG_REJECT_ENUM
        HG_REJECTS
} hg_reject;

const char *hg_reject_code(hg_reject reject);
const char *hg_reject_text(hg_reject reject);
const char *hg_order_state_name(hg_order_state state); /* "working", ... */
const char *hg_order_type_name(hg_order_type type);    /* "market", "limit" */
const char *hg_tif_name(hg_tif tif);                   /* "gtc", "ioc", "fok" */

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
    bool reduce_only;
    bool cancel_pending; /* a cancel is on its way */
    uint16_t reject;     /* hg_reject, for terminal states */
    hg_ticks price;      /* limit; for market orders the collar the gate gave them */
    hg_lots size;
    hg_lots filled;
    hg_cash filled_value; /* sum of hg_value over fills: average price without rounding drift */
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
