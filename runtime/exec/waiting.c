/* What is due by the clock of events: answers the venue owes, and orders whose time is over.
 *
 * A request without an answer makes its order unknown when the venue's documented time has passed:
 * that is a fact about what we know, never about what happened, so no time-out ends an order. The
 * list of requests is in order of time because every request goes to its end. Expiries are a heap;
 * an order knows its place in it. */
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "exec/exec_int.h"

enum { DUE_EXPIRY, DUE_ANSWER, DUE_LOST };

#define RETRY_NS HG_NS_PER_S /* an expiry the venue did not carry out is asked for again */

/* --- answers ---------------------------------------------------------------------------------- */

static void asked_due(hg_exec *exec) {
    exec->asked_due_ns = exec->first_asked == HG_SLOT_NONE
                             ? INT64_MAX
                             : exec->slots[exec->first_asked].asked_ns + exec->venue->answer_ns +
                                   1; /* an answer in the last moment is in time */
}

void hg_asked_drop(hg_exec *exec, hg_slot *slot) {
    if (!slot->asked) {
        return;
    }
    uint32_t *before = slot->asked_prev == HG_SLOT_NONE ? &exec->first_asked
                                                        : &exec->slots[slot->asked_prev].asked_next;
    uint32_t *after = slot->asked_next == HG_SLOT_NONE ? &exec->last_asked
                                                       : &exec->slots[slot->asked_next].asked_prev;
    *before = slot->asked_next;
    *after = slot->asked_prev;
    slot->asked = false;
    asked_due(exec);
}

void hg_asked_add(hg_exec *exec, hg_slot *slot, int64_t now_ns) {
    if (exec->venue->answer_ns <= 0) {
        return;
    }
    hg_asked_drop(exec, slot);
    uint32_t index = (uint32_t)(slot - exec->slots);
    slot->asked = true;
    slot->asked_ns = now_ns;
    slot->asked_prev = exec->last_asked;
    slot->asked_next = HG_SLOT_NONE;
    *(exec->last_asked == HG_SLOT_NONE ? &exec->first_asked
                                       : &exec->slots[exec->last_asked].asked_next) = index;
    exec->last_asked = index;
    asked_due(exec);
}

/* --- expiries --------------------------------------------------------------------------------- */

static bool sooner(const hg_deadline *a, const hg_deadline *b) {
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->id < b->id;
}

static void put(hg_exec *exec, uint32_t place, hg_deadline e) {
    exec->expiries[place] = e;
    hg_slot_find(exec, e.id)->expiry = place + 1;
}

static void sift(hg_exec *exec, uint32_t place, hg_deadline e) {
    while (place > 0 && sooner(&e, &exec->expiries[(place - 1) / 2])) {
        put(exec, place, exec->expiries[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (;;) {
        uint32_t child = place * 2 + 1;
        if (child + 1 < exec->expiry_count &&
            sooner(&exec->expiries[child + 1], &exec->expiries[child])) {
            child++;
        }
        if (child >= exec->expiry_count || !sooner(&exec->expiries[child], &e)) {
            break;
        }
        put(exec, place, exec->expiries[child]);
        place = child;
    }
    put(exec, place, e);
}

static void expiry_due(hg_exec *exec) {
    exec->expiry_due_ns = exec->expiry_count > 0 ? exec->expiries[0].time_ns : INT64_MAX;
}

static void expiry_push(hg_exec *exec, hg_slot *slot, int64_t time_ns) {
    hg_assert(slot->expiry == 0 && exec->expiry_count < exec->capacity);
    exec->expiry_count++;
    sift(exec, exec->expiry_count - 1, (hg_deadline){time_ns, slot->order.id});
    expiry_due(exec);
}

bool hg_expiry_add(hg_exec *exec, hg_slot *slot) {
    bool venue = (exec->venue->supports & HG_VENUE_GTD) && !slot->held;
    if (slot->order.expires_ns > 0 && !venue) {
        hg_expiry_drop(exec, slot);
        expiry_push(exec, slot, slot->order.expires_ns);
        return true;
    }
    return false;
}

void hg_expiry_drop(hg_exec *exec, hg_slot *slot) {
    if (slot->expiry == 0) {
        return;
    }
    uint32_t place = slot->expiry - 1;
    slot->expiry = 0;
    hg_deadline last = exec->expiries[--exec->expiry_count];
    if (place < exec->expiry_count) {
        sift(exec, place, last);
    }
    expiry_due(exec);
}

/* --- due -------------------------------------------------------------------------------------- */

bool hg_waiting_next(hg_exec *exec, hg_event *event) {
    bool answer = exec->asked_due_ns <= exec->expiry_due_ns;
    int64_t due_ns = answer ? exec->asked_due_ns : exec->expiry_due_ns;
    if (due_ns == INT64_MAX) {
        return false;
    }
    hg_slot *slot = answer ? &exec->slots[exec->first_asked]
                           : hg_slot_find(exec, exec->expiries[0].id);
    *event = (hg_event){.time_ns = due_ns, .id = slot->order.instrument, .kind = HG_EV_ORDER_DUE};
    event->order.id = slot->order.id;
    event->order.code = answer ? DUE_ANSWER : DUE_EXPIRY;
    if (answer) {
        hg_asked_drop(exec, slot);
    } else {
        hg_expiry_drop(exec, slot);
    }
    return true;
}

static bool unanswered(hg_exec *exec, hg_slot *slot, int64_t now_ns) {
    slot->order.state = HG_ORDER_UNKNOWN;
    slot->order.cancel_pending = false; /* it may be asked for again */
    exec->stats.unanswered++;
    hg_exec_alarm(exec, &slot->order, HG_ALARM_UNANSWERED, now_ns);
    return true;
}

static bool expire(hg_exec *exec, hg_slot *slot, int64_t now_ns) {
    if (slot->held) {
        slot->order.state = HG_ORDER_EXPIRED;
        slot->order.reject = HG_REJECT_GTD;
        return true;
    }
    if (hg_exec_cancel_slot(exec, slot, HG_REJECT_GTD, now_ns) < 0) {
        hg_log(HG_LOG_WARN, "expiry of order %llu: %s", (unsigned long long)slot->order.id,
               hg_error_text());
    }
    expiry_push(exec, slot, now_ns + RETRY_NS); /* until the venue has said that it is over */
    return false;
}

bool hg_waiting_lost(hg_exec *exec, const hg_slot *slot, int64_t now_ns) {
    return hg_exec_owe(exec, slot, HG_EV_ORDER_DUE, (hg_reject)DUE_LOST, now_ns);
}

bool hg_waiting_due(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    if (!hg_slot_is_open(slot)) {
        return false;
    }
    if (event->order.code == DUE_LOST) {
        return slot->order.state == HG_ORDER_UNKNOWN; /* unless something is known by now */
    }
    return event->order.code == DUE_ANSWER ? unanswered(exec, slot, event->time_ns)
                                           : expire(exec, slot, event->time_ns);
}
