#ifndef HG_EXEC_EXEC_INT_H
#define HG_EXEC_EXEC_INT_H

#include "exec/exec.h"
#include "exec/risk_int.h"
#include "exec/trigger.h"

/* Private to the execution room: send.c sends, state.c applies answers, orders.c keeps the pool,
 * risk.c judges, seen.c remembers trades, conditional.c holds orders that wait for a price,
 * linked.c pairs and brackets, by_hand.c what closes them otherwise, waiting.c knows which answers
 * and expiries are due, pending.c what open orders count for. */

/* Trade ids already booked. A set over the newest ids: the oldest one leaves when it is full. */
typedef struct hg_seen {
    uint64_t *table; /* open addressing, 0 = free, twice the capacity of the ring */
    uint64_t *order; /* ring of ids in order of arrival */
    uint32_t mask;
    uint32_t capacity;
    uint32_t count;
    uint32_t head;      /* oldest */
    uint64_t forgotten; /* largest id that has left: below it, absence proves nothing */
} hg_seen;

bool hg_seen_init(hg_seen *seen, uint32_t capacity); /* a power of two */
void hg_seen_fini(hg_seen *seen);
bool hg_seen_has(const hg_seen *seen, uint64_t id);
bool hg_seen_add(hg_seen *seen, uint64_t id); /* false: it was there */

/* risk_int.h names the type. */
struct hg_slot {
    hg_order order;       /* id 0: never used */
    hg_lots counted;      /* what it adds to the pending size of its instrument */
    hg_ticks amend_price; /* asked for, while an amendment is on its way */
    hg_lots amend_size;   /* 0: none is */
    uint32_t prev, next;  /* open orders in order of id */
    bool open;            /* in that list */
    bool owed;            /* its rejection waits in the ring */
    bool sent;            /* it has passed the gate and lives, at the venue or held here */
    bool held;            /* it waits here and the venue does not know it */
    bool fired;           /* its trigger price was reached; it waits for the end of its pair */
    bool again;           /* the venue did not take it when it fired: in a second once more */
    bool acked;           /* the venue has shown that it has it */
    bool asked;           /* an answer is awaited: in the list of those */
    bool pinned;          /* an event of it is being applied: not to be reused */
    bool paired;          /* both of a pair have traded, and that has been told */
    uint8_t end_kind; /* CANCELLED, EXPIRED: told already, but not yet all it had filled; else 0 */
    uint16_t end_reject; /* and its code */
    hg_lots told;        /* filled in all, as the venue said last */
    uint16_t end_code;   /* hg_reject: why we asked for its end, 0: on request */
    uint16_t bracket;    /* place in exec->brackets plus one, 0: none */
    uint32_t trigger;    /* handle in exec->triggers */
    uint32_t expiry;     /* place in the heap of expiries plus one, 0: none */
    uint32_t asked_prev, asked_next;
    int64_t asked_ns;
    uint64_t last_trade; /* largest trade id booked */
    bool hedge;          /* filled, it would lower |delta|: the convergence guard follows it */
    double hedge_from;   /* delta held when it was sent */
    double hedge_drift;  /* and how far delta had drifted by then */
};

#define HG_BRACKETS_MAX 1024 /* at one time */

/* An entry with its exits: they are sized by what the entry has filled and they have not. */
typedef struct hg_bracket_state {
    uint64_t entry, take, stop; /* ids, 0: none now */
    hg_lots bought;             /* filled by the entry */
    hg_lots closed;             /* by the exits, and by hand */
    hg_bracket plan;
    uint64_t code;
    uint32_t instrument;
    uint16_t strategy;
    int8_t side; /* of the entry */
    bool used;
    bool entry_done;
    bool take_off, stop_off; /* ended by others than us: not placed again */
    bool again;              /* the venue could not do what it was asked: in a second once more */
    bool stopping;           /* its stop has fired */
    bool by_hand;            /* something was closed by hand, its exits do not know yet */
    uint8_t refused;         /* times the venue had nothing to reduce, in a row */
    char line[HG_LINE_MAX];
} hg_bracket_state;

/* What a strategy holds of an instrument besides its brackets, signed (by_hand.c). */
typedef struct hg_besides {
    hg_lots lots;
    hg_lots before; /* closed by hand before we heard of the entry's fills; not in `lots` */
} hg_besides;

typedef struct hg_deadline {
    int64_t time_ns;
    uint64_t id;
} hg_deadline;

/* Sums over open orders, by side: buy, sell. */
typedef struct hg_pending {
    hg_lots plain[2], reduce[2]; /* reduce-only orders apart */
    hg_lots planned[2];          /* no orders yet: what executions still mean to send */
} hg_pending;

typedef struct hg_instrument_orders {
    hg_pending pending;
    hg_lots buy, sell; /* what it counts for */
    uint32_t open;
    uint64_t name; /* hash of the instrument's name */
} hg_instrument_orders;

/* The book of a strategy that works for a part of the whole (share.c). */
typedef struct hg_share {
    hg_portfolio *portfolio;
    hg_pending pending[]; /* by instrument */
} hg_share;

/* While a venue takes no requests. */
typedef struct hg_backoff {
    int64_t until_ns, pause_ns;
    uint16_t code; /* hg_reject */
} hg_backoff;

struct hg_exec {
    const hg_market *market;
    const hg_universe *universe;
    hg_portfolio *portfolio;
    hg_venue *venue;
    hg_exec_observer observer;
    hg_slot *slots;
    uint32_t capacity; /* a power of two; an order lives in slot id & (capacity - 1) */
    uint64_t last_id;
    uint32_t first_open, last_open, open_count;
    hg_instrument_orders *per;
    hg_risk *risk;
    hg_seen seen;
    hg_ring owed;              /* events the gate owes */
    hg_trigger_book *triggers; /* emulated ones */
    hg_deadline *expiries;     /* a heap; the runtime ends these orders */
    uint32_t expiry_count;
    uint32_t first_asked, last_asked;    /* requests without an answer, oldest first */
    int64_t asked_due_ns, expiry_due_ns; /* of the heads, INT64_MAX: none */
    hg_bracket_state *brackets;
    uint32_t bracket_count;          /* ever used */
    hg_besides *besides;             /* by instrument and strategy */
    int64_t now_ns;                  /* of the market event being looked at */
    bool batch;                      /* inside an update: what fires waits for its end */
    hg_share *shares[HG_SHARES_MAX]; /* by strategy, NULL: it works for the whole book */
    uint32_t again;                  /* orders that wait so */
    hg_backoff backoff;
    hg_exec_stats stats;
};

#define HG_SLOT_NONE UINT32_MAX

hg_slot *hg_slot_find(const hg_exec *exec, uint64_t id); /* NULL when forgotten */
hg_slot *hg_slot_take(hg_exec *exec); /* under a fresh id; NULL when all hold living orders */
bool hg_slot_is_open(const hg_slot *slot);
static inline bool hg_order_leaves(const hg_order *order) { /* an exit of a bracket */
    return order->role == HG_ROLE_TAKE || order->role == HG_ROLE_STOP;
}
void hg_slot_open(hg_exec *exec, hg_slot *slot);
void hg_slot_settle(hg_exec *exec,
                    hg_slot *slot); /* pending sizes and open list follow the state */
void hg_exec_tell(const hg_exec *exec, const hg_order *order);
void hg_exec_hash(hg_exec *exec, const hg_order *order, const hg_event *fill);
void hg_exec_alarm(hg_exec *exec, const hg_order *order, hg_alarm alarm, int64_t now_ns);
/* Puts an event of our own about the order into the ring; false when that is full. */
bool hg_exec_owe(hg_exec *exec, const hg_slot *slot, hg_event_kind kind, hg_reject code,
                 int64_t now_ns);
/* The connection is gone: every open order the venue has is unknown until it says what became of
 * it. */
void hg_exec_cut(hg_exec *exec, int64_t now_ns);
/* The gate, with the rate last. */
hg_reject hg_exec_judge(hg_exec *exec, const hg_risk_view *view, const hg_order_request *request,
                        int64_t now_ns, hg_risk_order *exact, hg_refusal *refusal);
hg_risk_view hg_exec_view(hg_exec *exec, uint32_t instrument);
/* Tells of a refusal (order: its id or 0). False: the strategy is paused and hears no more. */
bool hg_exec_refused(hg_exec *exec, const hg_order_request *request, uint64_t order,
                     const hg_refusal *refusal, int64_t now_ns);
/* Explains the order as of now and hands it to the venue. < 0: the order has ended as rejected. */
int hg_exec_send(hg_exec *exec, hg_slot *slot, int64_t now_ns);
void hg_exec_explain(hg_exec *exec, hg_order *order, int64_t now_ns);
/* What an amendment does when it is allowed: exits are amended in size by their bracket alone. */
int hg_exec_amend_slot(hg_exec *exec, hg_slot *slot, const hg_amendment *a, int64_t now_ns,
                       hg_refusal *refusal);
int hg_exec_cancel_slot(hg_exec *exec, hg_slot *slot, hg_reject why, int64_t now_ns);

/* Where an order comes from besides the script. */
typedef struct hg_origin {
    hg_role role;
    uint64_t parent;
    uint16_t bracket;    /* place plus one */
    bool operator_order; /* of the kill switch: passes while halted, and only closes */
    bool at_once;        /* a trigger that is reached already fires instead of being refused */
} hg_origin;
int hg_exec_submit_from(hg_exec *exec, const hg_order_request *request, const hg_origin *origin,
                        int64_t now_ns, uint64_t *id, hg_refusal *refusal);

/* conditional.c */
hg_order_request hg_conditional_plain(const hg_order_request *request); /* as the gate knows it */
/* Judges and takes over what goes beyond a plain order; size and price have been judged. */
hg_reject hg_conditional_check(hg_exec *exec, const hg_order_request *request,
                               const hg_origin *origin, hg_order *order, hg_refusal *refusal);
bool hg_conditional_held(const hg_exec *exec, const hg_order *order);
int hg_conditional_hold(hg_exec *exec, hg_slot *slot, int64_t now_ns);
void hg_conditional_fire(hg_exec *exec, hg_slot *slot, int64_t now_ns);
/* A fired order that the venue could not take waits here again; false: it is none. */
bool hg_conditional_again(hg_exec *exec, hg_slot *slot, const hg_event *event);
void hg_conditional_clock(hg_exec *exec, int64_t now_ns); /* once a second: sends those */
int hg_conditional_amend(hg_exec *exec, hg_slot *slot, const hg_amendment *a, int64_t now_ns,
                         hg_refusal *refusal);

/* linked.c */
hg_reject hg_linked_check(hg_exec *exec, const hg_order_request *request, hg_refusal *refusal);
void hg_linked_open(hg_exec *exec, hg_slot *slot, const hg_order_request *request,
                    const hg_origin *origin);
/* After an event of an order that belongs to a pair or a bracket. */
void hg_linked_after(hg_exec *exec, hg_slot *slot, const hg_event *event);
/* After a fill of an order that belongs to no bracket. */
void hg_linked_traded(hg_exec *exec, const hg_order *order, hg_lots lots, int64_t now_ns);
/* Whether a fired order must wait: the end of the other one has been asked for. */
bool hg_linked_wait(hg_exec *exec, hg_slot *slot, int64_t now_ns);
/* Once a second: what a venue could not do is asked for again. */
void hg_linked_clock(hg_exec *exec, int64_t now_ns);
/* Lots an exit may still trade. */
hg_lots hg_linked_room(const hg_exec *exec, const hg_slot *slot);

/* by_hand.c */
hg_lots hg_bracket_left(const hg_bracket_state *b); /* to close */
/* A fill beyond what a bracket is to close. Marks the brackets it has closed `by_hand`; lots of it
 * that have closed nothing of the strategy's. */
hg_lots hg_by_hand(hg_exec *exec, const hg_order *order, hg_lots lots);
/* The strategy holds so many more, signed, besides its brackets. */
void hg_by_hand_add(hg_exec *exec, uint16_t strategy, uint32_t instrument, hg_lots lots);
void hg_by_hand_opened(hg_exec *exec, hg_bracket_state *b, hg_lots lots); /* by its entry */
void hg_by_hand_entered(hg_exec *exec, const hg_bracket_state *b);        /* its entry has ended */
void hg_by_hand_delivered(hg_exec *exec, uint32_t instrument); /* nothing is left of it */

/* waiting.c */
void hg_asked_add(hg_exec *exec, hg_slot *slot, int64_t now_ns); /* a request has gone out */
void hg_asked_drop(hg_exec *exec, hg_slot *slot);
bool hg_expiry_add(hg_exec *exec, hg_slot *slot);
void hg_expiry_drop(hg_exec *exec, hg_slot *slot);
bool hg_waiting_next(hg_exec *exec, hg_event *event);                     /* the next ORDER_DUE */
bool hg_waiting_due(hg_exec *exec, hg_slot *slot, const hg_event *event); /* applies it */
/* Everybody is told that the order is unknown; false when there is no room for that. */
bool hg_waiting_lost(hg_exec *exec, const hg_slot *slot, int64_t now_ns);

/* backoff.c */
bool hg_reject_passes(hg_reject code); /* the venue refused for a reason that passes */
void hg_backoff_answer(hg_exec *exec, const hg_event *event);

/* pending.c */
void hg_pending_change(hg_exec *exec, const hg_order *order, hg_lots change);
void hg_pending_moved(hg_exec *exec, uint32_t instrument); /* its position did, by a fill */
/* The view as it would be without that order, and what it counts for. */
void hg_pending_without(const hg_exec *exec, const hg_slot *slot, hg_risk_view *view);
/* The view for a reduce-only exit that closes together with what is open: the venue keeps it within
 * the position, whatever of that trades first. */
void hg_pending_together(const hg_exec *exec, uint32_t instrument, hg_side side,
                         hg_risk_view *view);
/* Lots such an order could close. */
hg_lots hg_pending_room(const hg_exec *exec, uint32_t instrument, hg_side side);
/* Lots an open one may grow to, beside the others that only reduce. */
hg_lots hg_pending_room_for(const hg_exec *exec, const hg_slot *slot);

/* share.c: what an order does to the share of its strategy, if it has one */
hg_share *hg_share_of(const hg_exec *exec, const hg_order *order); /* NULL: it has none */
int hg_share_fill(hg_exec *exec, const hg_order *order, const hg_event *fill,
                  const hg_fill_origin *origin);
/* What the strategy of the order works for: its share, else the whole book. */
hg_portfolio *hg_share_book(const hg_exec *exec, const hg_order *order);
void hg_shares_free(hg_exec *exec);

#endif
