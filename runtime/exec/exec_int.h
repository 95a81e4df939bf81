#ifndef HG_EXEC_EXEC_INT_H
#define HG_EXEC_EXEC_INT_H

#include "exec/exec.h"
#include "exec/risk.h"

/* Private to the execution room: exec.c sends, state.c applies answers, orders.c keeps the pool,
 * risk.c judges, seen.c remembers trades. */

/* Trade ids already booked. A set over the newest ids: the oldest one leaves when it is full. */
typedef struct hg_seen {
    uint64_t *table; /* open addressing, 0 = free, twice the capacity of the ring */
    uint64_t *order; /* ring of ids in order of arrival */
    uint32_t mask;
    uint32_t capacity;
    uint32_t count;
    uint32_t head; /* oldest */
} hg_seen;

bool hg_seen_init(hg_seen *seen, uint32_t capacity); /* a power of two */
void hg_seen_fini(hg_seen *seen);
bool hg_seen_add(hg_seen *seen, uint64_t id); /* false: it was there */

typedef struct hg_slot {
    hg_order order;       /* id 0: never used */
    hg_lots counted;      /* what it adds to the pending size of its instrument */
    hg_ticks amend_price; /* asked for, while an amendment is on its way */
    hg_lots amend_size;   /* 0: none is */
    uint32_t prev, next;  /* open orders in order of id */
    bool open;            /* in that list */
    bool owed;            /* its rejection waits in the ring */
    bool sent;            /* it reached the venue */
} hg_slot;

typedef struct hg_instrument_orders {
    hg_lots buy, sell; /* pending */
    uint32_t open;
    uint32_t reduce_only; /* of these */
    uint64_t name;        /* hash of the instrument's name */
} hg_instrument_orders;

struct hg_exec {
    const hg_market *market;
    const hg_universe *universe;
    hg_portfolio *portfolio;
    hg_venue *venue;
    hg_limits limits;
    hg_exec_observer observer;
    hg_slot *slots;
    uint32_t capacity; /* a power of two; an order lives in slot id & (capacity - 1) */
    uint64_t last_id;
    uint32_t first_open, last_open, open_count;
    hg_instrument_orders *per;
    hg_bucket bucket;
    hg_seen seen;
    hg_ring owed; /* events the gate owes */
    hg_exec_stats stats;
    bool halted;
    char halt_text[96];
};

#define HG_SLOT_NONE UINT32_MAX

hg_slot *hg_slot_find(const hg_exec *exec, uint64_t id); /* NULL when forgotten */
hg_slot *hg_slot_take(hg_exec *exec); /* under a fresh id; NULL when all hold living orders */
bool hg_slot_is_open(const hg_slot *slot);
void hg_slot_open(hg_exec *exec, hg_slot *slot);
void hg_slot_settle(hg_exec *exec,
                    hg_slot *slot); /* pending sizes and open list follow the state */
void hg_exec_tell(const hg_exec *exec, const hg_order *order);
void hg_exec_hash(hg_exec *exec, const hg_order *order, const hg_event *fill);
/* After a fill: reduce-only orders of the instrument never exceed what is left to reduce. */
void hg_exec_follow_position(hg_exec *exec, uint32_t instrument, int64_t now_ns);

#endif
