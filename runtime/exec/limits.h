#ifndef HG_EXEC_LIMITS_H
#define HG_EXEC_LIMITS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The limits of the risk gate, one row each: C field, name in the configuration, who may have one
 * of his own (every underlying, every strategy, or only the session), default, what it says. A
 * limit is never off because it was forgotten: zero, NaN and infinity mean the default. A default
 * of 0 is derived from another limit (hg_limits_complete). NUMBER is a double, COUNT a whole
 * number, SPAN seconds in the configuration and nanoseconds here. */
#define HG_LIMIT_MAP(NUMBER, COUNT, SPAN)                                                          \
    NUMBER(price_collar, "price_collar", UNDERLYING, 0.10,                                         \
           "fraction through the reference that a limit price may go")                             \
    NUMBER(option_collar_coins, "option_collar_coins", UNDERLYING, 0.05,                           \
           "the same for options: the widest of this many coins,")                                 \
    NUMBER(option_collar_fraction, "option_collar_fraction", UNDERLYING, 0.50,                     \
           "this fraction of the mark,")                                                           \
    NUMBER(option_collar_vol_points, "option_collar_vol_points", UNDERLYING, 10,                   \
           "vega times this many vol points,")                                                     \
    NUMBER(option_collar_ticks, "option_collar_ticks", UNDERLYING, 2, "and this many ticks")       \
    NUMBER(order_coins_option, "order_coins_option", UNDERLYING, 1e6,                              \
           "size of one order in options")                                                         \
    NUMBER(order_coins_future, "order_coins_future", UNDERLYING, 1e6,                              \
           "size of one order in futures and perpetuals")                                          \
    NUMBER(order_coins_spot, "order_coins_spot", UNDERLYING, 1e6, "size of one spot order")        \
    NUMBER(order_value_usd, "order_value_usd", UNDERLYING, 1e8, "value of one order")              \
    NUMBER(order_premium_usd, "order_premium_usd", UNDERLYING, 5e7, "premium of one option order") \
    NUMBER(position_delta, "position_delta", UNDERLYING, 1e6,                                      \
           "worst-case coins in one instrument")                                                   \
    NUMBER(delta_coins, "delta_coins", UNDERLYING, 1e6, "worst-case delta of the underlying")      \
    NUMBER(gamma_usd_per_percent, "gamma_usd_per_percent", UNDERLYING, 1e9,                        \
           "worst-case gamma: USD of delta per 1 % of spot")                                       \
    NUMBER(vega_usd_per_point, "vega_usd_per_point", UNDERLYING, 1e8,                              \
           "worst-case vega: USD per vol point")                                                   \
    NUMBER(theta_usd_per_day, "theta_usd_per_day", UNDERLYING, 1e8, "worst-case theta")            \
    NUMBER(burst_delta_coins, "burst_delta_coins", UNDERLYING, 1e5,                                \
           "delta filled within burst_window_s")                                                   \
    NUMBER(burst_vega_usd_per_point, "burst_vega_usd_per_point", UNDERLYING, 1e7,                  \
           "vega filled within burst_window_s")                                                    \
    SPAN(burst_window_ns, "burst_window_s", UNDERLYING, 5, "")                                     \
    SPAN(burst_freeze_ns, "burst_freeze_s", UNDERLYING, 60,                                        \
         "how long a burst freezes the underlying; 0: until the operator re-arms it")              \
    SPAN(quote_max_age_ns, "quote_max_age_s", UNDERLYING, 10,                                      \
         "age of the mark or the book an order is judged by")                                      \
    SPAN(greeks_max_age_ns, "greeks_max_age_s", SESSION, 30,                                       \
         "age of the prices behind an exposure (vols: 20 times)")                                  \
    SPAN(clock_offset_ns, "clock_offset_s", SESSION, 2, "our clock against the venue's")           \
    COUNT(open_orders, "open_orders", UNDERLYING, 500, "open orders in one instrument")            \
    COUNT(strategy_open_orders, "strategy_open_orders", STRATEGY, 1000,                            \
          "open orders of one strategy")                                                           \
    COUNT(total_open_orders, "total_open_orders", SESSION, 4000, "open orders at the venue")       \
    NUMBER(open_notional_usd, "open_notional_usd", SESSION, 1e9, "value of all open orders")       \
    NUMBER(gross_notional_usd, "gross_notional_usd", SESSION, 1e10,                                \
           "sum of |positions| and open orders")                                                   \
    NUMBER(margin_fraction, "margin_fraction", SESSION, 0.9,                                       \
           "initial margin after the order, of equity (with a margin account)")                    \
    COUNT(orders_per_second, "orders_per_second", SESSION, 1000,                                   \
          "orders and amendments in event time; bursts of four times as many pass")                \
    COUNT(strategy_orders_per_second, "strategy_orders_per_second", STRATEGY, 0,                   \
          "of one strategy; default: orders_per_second")                                           \
    COUNT(messages_per_second, "messages_per_second", SESSION, 0,                                  \
          "to the venue, cancels included, a fifth kept for them; default: 4 x orders_per_second") \
    COUNT(refusals_per_second, "refusals_per_second", STRATEGY, 10000,                             \
          "refusals in a second that pause a strategy")                                            \
    COUNT(refusals_at_once, "refusals_at_once", STRATEGY, 100,                                     \
          "orders sent at a refusal and refused in the same instant that pause a strategy")        \
    SPAN(duplicate_window_ns, "duplicate_window_s", STRATEGY, 0.1,                                 \
         "within which an order equal to an open one is a duplicate; 0: never")                    \
    COUNT(repeated_orders, "repeated_orders", STRATEGY, 1000,                                      \
          "orders filled on one side of one instrument within repeated_window_s")                  \
    SPAN(repeated_window_ns, "repeated_window_s", STRATEGY, 10, "")                                \
    COUNT(hedge_tries, "hedge_tries", STRATEGY, 3,                                                 \
          "hedges in a row that may fail to lower |delta|")                                        \
    NUMBER(hedge_overshoot, "hedge_overshoot", STRATEGY, 1.5,                                      \
           "hedges filled within hedge_window_s, in multiples of what was needed")                 \
    SPAN(hedge_window_ns, "hedge_window_s", STRATEGY, 60, "")                                      \
    NUMBER(loss_reduce_usd, "loss_reduce_usd", SESSION, 1e8, "loss of the UTC day: reducing")      \
    NUMBER(loss_halt_usd, "loss_halt_usd", SESSION, 2e8,                                           \
           "loss of the UTC day: halted, all orders cancelled")                                    \
    NUMBER(drawdown_reduce_usd, "drawdown_reduce_usd", SESSION, 1e8,                               \
           "fall from the day's peak: reducing")                                                   \
    NUMBER(drawdown_halt_usd, "drawdown_halt_usd", SESSION, 2e8,                                   \
           "fall from the day's peak: halted, all orders cancelled")                               \
    SPAN(blind_ns, "blind_s", SESSION, 60, "without a P&L from fresh marks: reducing")

/* Choices, switches and names. */
#define HG_REDUCE_MODES "exposure|position"
#define HG_SELF_TRADES "cancel|deny|venue"
#define HG_DUPLICATES "taking|all"
#define HG_SIDES "both|buy|sell"

typedef enum { HG_REDUCE_EXPOSURE, HG_REDUCE_POSITION } hg_reduce_mode;
typedef enum { HG_SELF_WE_CANCEL, HG_SELF_WE_DENY, HG_SELF_WE_LEAVE } hg_self_policy;

typedef enum { HG_SCOPE_SESSION, HG_SCOPE_UNDERLYING, HG_SCOPE_STRATEGY } hg_limit_scope;
typedef enum { HG_LIMIT_NUMBER, HG_LIMIT_COUNT, HG_LIMIT_SPAN } hg_limit_kind;

#define HG_OVERRIDES_MAX 128
#define HG_PERMITS_MAX 17
#define HG_PERMIT_TEXT 256

/* A limit one underlying or one strategy has for itself. */
typedef struct hg_limit_override {
    hg_limit_scope scope;
    char name[48];
    uint32_t row;
    double value; /* in the unit of the configuration */
} hg_limit_override;

/* Who may trade what. */
typedef struct hg_permit {
    char strategy[48];                /* "": everybody */
    char instruments[HG_PERMIT_TEXT]; /* patterns, comma separated; "": all */
    uint8_t sides;                    /* index in HG_SIDES */
} hg_permit;

/* What a configuration adds to the numbers. It outlives the gate that reads it. */
typedef struct hg_limit_extra {
    hg_limit_override overrides[HG_OVERRIDES_MAX];
    uint32_t override_count;
    hg_permit permits[HG_PERMITS_MAX];
    uint32_t permit_count;
    char venue[32];   /* orders may go to no other; "": any */
    char account[48]; /* likewise */
    uint8_t reduce_mode;
    uint8_t self_trade;
    uint8_t duplicates;
    bool stale_reduce_only; /* on stale data reduce-only orders still pass */
    bool allow_no_cod;      /* live without cancel-on-disconnect */
} hg_limit_extra;

typedef struct hg_limits {
#define HG_LIMIT_DOUBLE(field, name, scope, standard, text) double field;
#define HG_LIMIT_UINT(field, name, scope, standard, text) uint32_t field;
#define HG_LIMIT_INT(field, name, scope, standard, text) int64_t field;
    HG_LIMIT_MAP(HG_LIMIT_DOUBLE, HG_LIMIT_UINT, HG_LIMIT_INT)
#undef HG_LIMIT_DOUBLE
#undef HG_LIMIT_UINT
#undef HG_LIMIT_INT
    const hg_limit_extra *extra; /* may be NULL */
} hg_limits;

typedef struct hg_limit_row {
    const char *name; /* in the configuration */
    const char *text;
    size_t offset;
    hg_limit_kind kind;
    hg_limit_scope scope;
    double standard; /* 0: derived from another limit */
} hg_limit_row;

extern const hg_limit_row hg_limit_rows[];
extern const uint32_t hg_limit_count;

void hg_limits_default(hg_limits *limits);
/* Replaces zero, negative and not finite limits by the defaults: a limit is never off by accident.
 * A negative span stays where 0 has a meaning (duplicate_window_s, burst_freeze_s). */
void hg_limits_complete(hg_limits *limits);

/* A row's value in the unit of the configuration; what 0 means there is 0 here. */
double hg_limit_get(const hg_limits *limits, uint32_t row);

/* Sets "order_value_usd", "underlying.BTC.delta_coins", "strategy.delta_band.instruments", ... from
 * text. HG_ECONFIG says what is wrong and, for an unknown name, which one is near. */
HG_MUST_CHECK int hg_limits_set(hg_limits *limits, hg_limit_extra *extra, const char *path,
                                const char *text);

/* The limits as one underlying or strategy has them. */
void hg_limits_of(const hg_limits *session, hg_limit_scope scope, const char *name, hg_limits *out);

/* Word k of "a|b|c". */
const char *hg_limit_word(const char *words, uint8_t k, char *buf, size_t size);

#endif
