#ifndef HG_EXEC_RISK_INT_H
#define HG_EXEC_RISK_INT_H

#include "exec/risk.h"

/* Private to the gate: risk_controls.c holds the table of the controls, risk.c who may trade and at
 * which rate, risk_form.c judges the order by itself, risk_position.c what it would do to positions
 * and exposure, risk_watch.c follows fills, kill.c keeps the states. */

#define HG_REPEATS_MAX 2048    /* orders filled that a strategy remembers */
#define HG_BURSTS_MAX 1024     /* fills that an underlying remembers */
#define HG_DUPLICATES_MAX 1024 /* orders sent that the gate remembers */
#define HG_RISK_EVENTS_MAX 256 /* a power of two, as the next */
#define HG_REFUSALS_MAX 1024
#define HG_CLOCK_NS (INT64_C(1000000000)) /* the grid of losses, thaws and repeated cancels */

/* Orders that got their first fill, by (instrument, side). */
typedef struct hg_repeats {
    int64_t time_ns[HG_REPEATS_MAX];
    uint32_t key[HG_REPEATS_MAX]; /* 2 * instrument + (sell) */
    uint32_t head, count;
    uint16_t *by_key; /* how many of each are in the ring */
} hg_repeats;

/* |delta| and |vega| filled, exact so that what leaves the window leaves no dust. */
typedef struct hg_bursts {
    int64_t time_ns[HG_BURSTS_MAX];
    int64_t delta[HG_BURSTS_MAX], vega[HG_BURSTS_MAX]; /* nano */
    uint32_t head, count;
    __int128 delta_sum, vega_sum;
} hg_bursts;

typedef struct hg_sent {
    uint64_t hash, id;
    int64_t time_ns;
    uint64_t serial; /* from 1 */
    uint64_t next;   /* the one before in its chain; forgotten when another has its place */
} hg_sent;

/* Orders sent, newest HG_DUPLICATES_MAX, by what they asked for. */
typedef struct hg_duplicates {
    hg_sent ring[HG_DUPLICATES_MAX];
    uint64_t chain[HG_DUPLICATES_MAX]; /* serial of the newest */
    uint64_t count;
} hg_duplicates;

/* The hedges of one strategy in one underlying. */
typedef struct hg_hedges {
    int64_t start_ns; /* of the window */
    bool begun;
    double need;   /* |delta| when it began */
    double mark;   /* the underlying's `drift_abs` then */
    double volume; /* delta filled by hedges since */
    uint32_t tries;
} hg_hedges;

typedef struct hg_risk_strategy_state {
    char name[64];
    hg_limits limits;
    hg_risk_state state;
    char why[96];
    hg_bucket bucket;
    uint32_t open;
    int64_t refusal_second;
    uint32_t refusals;
    int64_t at_once_ns;    /* the instant of the last refusal of what was sent at a refusal */
    uint32_t at_once;      /* such refusals in that instant */
    int64_t rate_second;   /* the last one with a refusal for its rate */
    uint32_t rate_seconds; /* in a row */
    hg_repeats repeats;
    hg_hedges *hedges; /* by underlying */
    uint8_t *permits;  /* by instrument: HG_PERMIT_* */
} hg_risk_strategy_state;

enum { HG_PERMIT_BUY = 1, HG_PERMIT_SELL = 2 };

typedef struct hg_risk_underlying_state {
    hg_limits limits;
    hg_risk_state state;
    int64_t thaw_ns; /* INT64_MAX: when the operator re-arms */
    hg_bursts bursts;
    /* How far delta has moved by itself (market, clock, trades that are no hedges). */
    double last_delta, drift, drift_abs;
    bool touched;
} hg_risk_underlying_state;

/* Between what a fill finds and what it leaves. */
typedef struct hg_fill_effect {
    hg_unit unit;
    bool known;
} hg_fill_effect;

typedef struct hg_risk {
    hg_limits limits;
    hg_risk_state state;
    hg_reject cause;
    hg_kill_level level; /* of a halt */
    char why[96];
    hg_bucket bucket;   /* orders and amendments of everybody */
    hg_bucket messages; /* everything the venue hears */
    hg_risk_strategy_state strategies[HG_STRATEGIES_MAX];
    hg_risk_underlying_state *underlyings;
    hg_duplicates duplicates;
    uint32_t *pending;       /* instruments with a pending size */
    uint32_t *pending_place; /* by instrument: position there + 1 */
    uint32_t pending_count;
    int64_t now_ns;  /* last heard of */
    bool forced;     /* cancels of the gate itself: no rate holds them up */
    uint16_t told;   /* the strategy that is being told of a refusal, else HG_STRATEGY_ANY */
    int64_t told_ns; /* when */
    bool named;      /* some strategy may trade */
    bool reconciling;
    bool lease_lost;
    int64_t clock_offset_ns;
    char account[48];
    hg_margin_hook margin;
    /* loss of the day */
    int64_t clock_ns; /* next look */
    int64_t day;
    double day_start, day_peak, pnl;
    bool pnl_known;
    int64_t blind_since_ns; /* INT64_MAX: not blind */
    bool clock_begun;
    int64_t flatten_ns; /* next try */
    /* state changes and refusals, for those who are told later */
    hg_risk_event events[HG_RISK_EVENTS_MAX];
    uint64_t event_count;
    hg_refusal refusals[HG_REFUSALS_MAX];
    uint64_t refusal_order[HG_REFUSALS_MAX];
    uint64_t refusal_count;
} hg_risk;

typedef struct hg_slot hg_slot;

/* --- one judgement ---------------------------------------------------------------------------- */

/* What every control reads; made step by step. */
typedef struct judgement {
    const hg_risk_view *view;
    hg_exec *exec;
    hg_risk *risk;
    const hg_order_request *request;
    int64_t now_ns;
    const hg_instrument *inst;
    const hg_market_state *state;
    hg_risk_strategy_state *strategy;
    hg_risk_underlying_state *underlying;
    const hg_limits *limits; /* of the underlying */
    double spot;
    hg_lots add;   /* lots that may still fill; 0 while the size is not judged and not valid */
    bool reducing; /* by position: all pending orders of its side filled, it only closes */
    const hg_exposure *x;
    hg_unit unit; /* of one lot */
    bool greeks;  /* x and unit are known and fresh */
    double value_usd;
    double pending_usd; /* of all pending orders, without what an amendment replaces */
    hg_risk_order *out;
    hg_refusal *refusal;
} judgement;

/* A control of the gate, and all it may say. With a judge it answers orders; without one it follows
 * what happens and changes a state. The tests hold every limit and every code of this table. */
typedef struct hg_control {
    const char *name;
    uint8_t numbers[4]; /* in the usual list of pre-trade controls; ends with 0 */
    uint8_t codes[8];   /* hg_reject; ends with HG_REJECT_NONE */
    hg_reject (*judge)(judgement *j);
} hg_control;

extern const hg_control hg_controls[]; /* judges first, in the order they are asked */
extern const uint32_t hg_control_count;
bool hg_control_says(const hg_control *control, hg_reject code);
/* Whether a control that follows what happens may give this reason for a state. */
bool hg_control_watches(hg_reject code);

/* risk.c */
hg_reject hg_check_permission(judgement *j);
hg_reject hg_check_state(judgement *j);
hg_reject hg_check_reconciled(judgement *j);
/* risk_form.c */
hg_reject hg_check_form(judgement *j);
hg_reject hg_check_size(judgement *j);
hg_reject hg_check_price(judgement *j);
hg_reject hg_check_data(judgement *j);
hg_reject hg_check_duplicate(judgement *j);
hg_reject hg_check_collar(judgement *j);
hg_reject hg_check_order_size(judgement *j);
hg_reject hg_check_value(judgement *j);
/* risk_position.c */
hg_reject hg_check_open(judgement *j);
hg_reject hg_check_position(judgement *j);
hg_reject hg_check_greeks(judgement *j);
hg_reject hg_check_gross(judgement *j);
hg_reject hg_check_margin(judgement *j);
hg_reject hg_check_reduce_only(judgement *j);
hg_reject hg_check_self_trade(judgement *j);
/* Lots that only close what is held, once everything pending on this side has filled. */
hg_lots hg_reduce_room(const hg_risk_view *view, hg_side side, hg_lots held);
/* risk_watch.c */
hg_reject hg_check_repeat(judgement *j);

/* --- the exec room's side ----------------------------------------------------------------------
 */

/* risk.c */
hg_risk *hg_risk_new(const hg_exec *exec, const hg_exec_options *options);
void hg_risk_free(hg_risk *risk);
/* The last control, and what a passed order costs: the rate. */
hg_reject hg_risk_spend(hg_exec *exec, const hg_risk_view *view, const hg_order_request *request,
                        int64_t now_ns, hg_refusal *refusal);
/* An order that is about to be sent: own orders leave its way, and the gate remembers it. */
void hg_risk_passed(hg_exec *exec, hg_slot *slot, int64_t now_ns);
bool hg_risk_cancel_token(hg_exec *exec, int64_t now_ns);
/* After a refusal: counted, remembered, and a storm of them pauses the strategy. False when the
 * script is not to be called again (it is paused: it was answered at once). */
bool hg_risk_refused(hg_exec *exec, const hg_order_request *request, uint64_t order,
                     const hg_refusal *refusal, int64_t now_ns);
void hg_risk_pending(hg_exec *exec, uint32_t instrument);          /* its pending sizes changed */
void hg_risk_opened(hg_exec *exec, const hg_order *order, int by); /* +1 open, -1 closed */

/* risk_form.c */
void hg_risk_remember(hg_exec *exec, const hg_order *order, int64_t now_ns);
/* risk_position.c */
enum { HG_GREEK_DELTA, HG_GREEK_GAMMA, HG_GREEK_VEGA, HG_GREEK_THETA, HG_GREEKS };
typedef struct hg_greek_range {
    double lo, hi; /* when each pending order fills between nothing and all */
    double add;    /* what the judged order adds when it fills */
} hg_greek_range;
/* Each Greek of an underlying, worst case; gamma in USD of delta per 1 %. False: not known. */
bool hg_risk_ranges(hg_exec *exec, uint32_t underlying, int64_t now_ns, hg_greek_range *g);
/* USD of all pending orders, without an amended one's part; NaN where a spot is missing. */
double hg_risk_open_notional(const hg_exec *exec, uint32_t amended, hg_lots counted);
/* USD of all positions; NaN while something is held whose spot is unknown. */
double hg_risk_held_notional(hg_exec *exec, int64_t now_ns);
void hg_risk_clear_path(hg_exec *exec, const hg_order *order, int64_t now_ns);

/* risk_watch.c */
void hg_risk_sent(hg_exec *exec, hg_slot *slot, int64_t now_ns);
hg_fill_effect hg_risk_before_fill(hg_exec *exec, const hg_slot *slot, int64_t now_ns);
void hg_risk_after_fill(hg_exec *exec, hg_slot *slot, const hg_fill_effect *effect,
                        const hg_event *fill, bool first);
void hg_risk_ended(hg_exec *exec, hg_slot *slot, int64_t now_ns);
void hg_risk_watch_loss(hg_exec *exec, int64_t now_ns);

/* kill.c */
typedef struct hg_risk_cause {
    hg_reject code;
    double value, limit;
    const char *text;
} hg_risk_cause;
void hg_risk_pause(hg_exec *exec, uint16_t strategy, const hg_risk_cause *cause, int64_t now_ns);
void hg_risk_freeze(hg_exec *exec, uint32_t underlying, const hg_risk_cause *cause, int64_t now_ns);
void hg_risk_enter(hg_exec *exec, hg_risk_state state, const hg_risk_cause *cause,
                   hg_kill_level level, int64_t now_ns);
void hg_risk_leave_blind(hg_exec *exec, int64_t now_ns);

#endif
