#ifndef HG_APP_REHEARSAL_H
#define HG_APP_REHEARSAL_H

#include "app/recorder.h"
#include "script/reload.h"

/* A candidate tried on the recent past: a second core with the same limits and the same matching,
 * entered where the recorder begins, with the candidate as its only script. Its orders go to a
 * paper venue of its own; nothing reaches the session. What other strategies traded at that time
 * happens here too. It is driven in slices, so that it never stands in the way of an event. */

#define HG_REHEARSAL_ORDERS 4096

/* What came out, beside what the running code did in the same time. */
typedef struct hg_rehearsed {
    uint64_t events;
    int64_t span_ns;                 /* event time from the first to the last of them */
    uint32_t orders, orders_ran;     /* sent by the candidate; by the running code */
    uint32_t refusals, refusals_ran; /* by the risk gate */
    bool cut;                        /* the feed was faster: the last events were not reached */
    char text[320];                  /* "would have sent 3 orders instead of 7 (...)" */
    char first[320];                 /* the first order that differs, "" when none does */
} hg_rehearsed;

typedef enum {
    HG_REHEARSE_ROOMS,
    HG_REHEARSE_MARKET,
    HG_REHEARSE_POSITIONS,
    HG_REHEARSE_LOAD,
    HG_REHEARSE_MIGRATE,
    HG_REHEARSE_START,
    HG_REHEARSE_EVENTS,
    HG_REHEARSE_DONE
} hg_rehearsal_phase;

typedef struct hg_rehearsal {
    hg_recorder *recorder;
    hg_core_options options;
    hg_market *market; /* kept between rehearsals */
    hg_core core;      /* its rooms; the universe is the session's */
    hg_script_env env;
    hg_script *running;  /* of the session: read and asked for its state, never changed */
    hg_script *trial;    /* also after it failed, for its text and files */
    const hg_code *code; /* what is tried, NULL: what stands on disk */
    hg_rehearsal_phase phase;
    uint64_t begin, place, end; /* numbers of events */
    uint64_t sent_end;          /* of the running code's orders */
    hg_carry carry;
    hg_pace pace;  /* of the work in slices; the session loads with it, too */
    hg_sent *sent; /* by the candidate; HG_REHEARSAL_ORDERS */
    uint32_t sent_count;
    bool adopting; /* what is sent are the orders the running code had */
    hg_rehearsed result;
    /* Step of each phase, CPU time: bench and tests. The last: of loading for the session. */
    int64_t slowest_ns[HG_REHEARSE_DONE + 1];
} hg_rehearsal;

HG_MUST_CHECK int hg_rehearsal_open(hg_rehearsal *rehearsal, hg_recorder *recorder,
                                    const hg_core_options *options);
void hg_rehearsal_close(hg_rehearsal *rehearsal);

/* Makes the rooms of the next rehearsal, which takes a few milliseconds: at the start of a session,
 * and afterwards when nobody waits. A rehearsal that finds none makes them itself. */
HG_MUST_CHECK int hg_rehearsal_prepare(hg_rehearsal *rehearsal);
static inline bool hg_rehearsal_is_prepared(const hg_rehearsal *rehearsal) {
    return rehearsal->core.exec != NULL;
}

/* Begins, with the environment of the running code (budgets, seed) over the rooms of its own. */
void hg_rehearsal_begin(hg_rehearsal *rehearsal, hg_script *running, const hg_code *code);
/* Works for about `budget_ns`. 1: there is more to do, 0: done, see `result`; < 0: the candidate
 * is refused and the record says why. */
HG_MUST_CHECK int hg_rehearsal_step(hg_rehearsal *rehearsal, int64_t budget_ns);
/* One step of other work that was begun with the pace of the rehearsal. */
HG_MUST_CHECK int hg_rehearsal_pace(hg_rehearsal *rehearsal, int64_t budget_ns);
/* Ends it where it is; `trial` stays. */
void hg_rehearsal_cancel(hg_rehearsal *rehearsal);
/* Frees its rooms, where it is the work of its pace in slices. The script is gone before. */
void hg_rehearsal_clear(hg_rehearsal *rehearsal);
/* Frees what a rehearsal used, in steps or after a failure. */
void hg_rehearsal_end(hg_rehearsal *rehearsal);

/* rehearsal_orders.c: sends the orders the running code had before the first event, under their own
 * ids, as far as they are known. */
void hg_rehearsal_adopt(hg_rehearsal *rehearsal);
/* Ids of what the candidate sends itself come after this one. */
#define HG_REHEARSAL_LAST_ID (UINT64_C(1) << 40)

#endif
