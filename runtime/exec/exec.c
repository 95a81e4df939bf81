/* The room itself: what it is made of, the events it owes, and what it hears that is no answer.
 * Nothing allocates after hg_exec_new. */
#include "base/assert.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/pages.h"
#include "exec/exec_int.h"

#include <stdlib.h>

#define CAPACITY_DEFAULT 65536
#define CAPACITY_MAX (UINT32_C(1) << 24)
#define SEEN_CAPACITY 16384 /* trades a venue may repeat later */
#define OWED_CAPACITY 4096

static uint32_t power_of_two(uint32_t value) {
    uint32_t size = 16;
    while (size < value && size < CAPACITY_MAX) {
        size *= 2;
    }
    return size;
}

/* An order held here has its price: it is sent when this event is applied, after all who look at
 * the price have seen it. */
static bool trigger_fired(void *context, uint64_t id) {
    hg_exec *exec = context;
    hg_slot *slot = hg_slot_find(exec, id);
    if (!hg_exec_owe(exec, slot, HG_EV_TRIGGERED, HG_REJECT_NONE, exec->now_ns)) {
        return false;
    }
    slot->trigger = HG_TRIGGER_HANDLE_NONE;
    return true;
}

static void trigger_moved(void *context, uint64_t id, hg_nano price) {
    hg_slot_find(context, id)->order.trigger_price = price;
}

hg_exec *hg_exec_new(const hg_market *market, hg_portfolio *portfolio, hg_venue *venue,
                     const hg_exec_options *options) {
    hg_assert(market && portfolio && venue && options);
    hg_exec *exec = calloc(1, sizeof *exec);
    if (!exec) {
        return NULL;
    }
    exec->market = market;
    exec->universe = hg_market_universe(market);
    exec->portfolio = portfolio;
    exec->venue = venue;
    exec->observer = options->observer;
    exec->last_id = options->last_id;
    exec->capacity = power_of_two(options->order_capacity ? options->order_capacity
                                                          : CAPACITY_DEFAULT);
    exec->first_open = HG_SLOT_NONE;
    exec->last_open = HG_SLOT_NONE;
    exec->first_asked = HG_SLOT_NONE;
    exec->last_asked = HG_SLOT_NONE;
    exec->asked_due_ns = INT64_MAX;
    exec->expiry_due_ns = INT64_MAX;
    exec->stats.hash = HG_HASH_INIT;
    uint32_t instruments = hg_universe_count(exec->universe);
    exec->slots = hg_pages_new(exec->capacity, sizeof *exec->slots);
    exec->per = calloc(instruments ? instruments : 1, sizeof *exec->per);
    for (uint32_t id = 0; exec->per && id < instruments; id++) {
        exec->per[id].name = hg_hash_string(HG_HASH_INIT,
                                            hg_universe_get(exec->universe, id)->name);
    }
    bool seen = hg_seen_init(&exec->seen, SEEN_CAPACITY);
    exec->risk = hg_risk_new(exec, options);
    bool owed = hg_ring_init(&exec->owed, sizeof(hg_event), OWED_CAPACITY);
    exec->expiries = hg_pages_new(exec->capacity, sizeof *exec->expiries);
    exec->brackets = hg_pages_new(HG_BRACKETS_MAX, sizeof *exec->brackets);
    exec->besides = hg_pages_new((size_t)instruments * HG_STRATEGIES_MAX, sizeof *exec->besides);
    exec->triggers = hg_trigger_book_new(exec->universe, exec->capacity,
                                         &(hg_trigger_user){exec, trigger_fired, trigger_moved});
    if (!exec->slots || !exec->per || !seen || !owed || !exec->expiries || !exec->brackets ||
        !exec->besides || !exec->triggers || !exec->risk) {
        hg_exec_free(exec);
        return NULL;
    }
    return exec;
}

void hg_exec_free(hg_exec *exec) {
    if (!exec) {
        return;
    }
    hg_seen_fini(&exec->seen);
    hg_ring_fini(&exec->owed);
    hg_trigger_book_free(exec->triggers);
    hg_risk_free(exec->risk);
    hg_shares_free(exec);
    hg_pages_free(exec->expiries);
    hg_pages_free(exec->brackets);
    hg_pages_free(exec->besides);
    hg_pages_free(exec->slots);
    free(exec->per);
    free(exec);
}

/* --- events of our own ------------------------------------------------------------------------ */

bool hg_exec_next(hg_exec *exec, hg_event *event) {
    const hg_event *owed = hg_ring_peek(&exec->owed);
    if (owed && owed->time_ns <= exec->asked_due_ns && owed->time_ns <= exec->expiry_due_ns) {
        return hg_ring_pop(&exec->owed, event);
    }
    return hg_waiting_next(exec, event);
}

int64_t hg_exec_due_ns(const hg_exec *exec) {
    if (exec->batch) {
        return INT64_MAX;
    }
    const hg_event *owed = hg_ring_peek(&exec->owed);
    int64_t due_ns = owed ? owed->time_ns : INT64_MAX;
    due_ns = exec->asked_due_ns < due_ns ? exec->asked_due_ns : due_ns;
    return exec->expiry_due_ns < due_ns ? exec->expiry_due_ns : due_ns;
}

void hg_exec_observe(hg_exec *exec, const hg_event *event) {
    hg_assert(exec && event);
    exec->now_ns = event->time_ns;
    exec->risk->told = HG_STRATEGY_ANY;
    /* What fires inside an update is sent when the update is complete. */
    exec->batch = (event->flags & HG_EVF_MORE) != 0;
    hg_trigger_observe(exec->triggers, event);
    if (event->kind != HG_EV_SETTLE || event->id >= hg_universe_count(exec->universe)) {
        return;
    }
    hg_by_hand_delivered(exec, event->id);
    if (exec->per[event->id].open == 0) {
        return;
    }
    for (uint32_t i = exec->first_open; i != HG_SLOT_NONE; i = exec->slots[i].next) {
        if (exec->slots[i].order.instrument == event->id &&
            !hg_exec_owe(exec, &exec->slots[i], HG_EV_EXPIRED, HG_REJECT_DELIVERY,
                         event->time_ns)) {
            hg_exec_alarm(exec, &exec->slots[i].order, HG_ALARM_UNEXPECTED, event->time_ns);
        }
    }
}

void hg_exec_alarm(hg_exec *exec, const hg_order *order, hg_alarm alarm, int64_t now_ns) {
    hg_event event = {.time_ns = now_ns, .kind = HG_EV_ALARM};
    exec->stats.alarms++;
    if (exec->observer.alarm) {
        exec->observer.alarm(exec->observer.context, order, alarm);
    }
    hg_log(HG_LOG_WARN, "order %llu (%s): %s", order ? (unsigned long long)order->id : 0,
           order ? hg_order_state_name((hg_order_state)order->state) : "none",
           hg_alarm_text(alarm));
    event.order.code = (uint16_t)alarm;
    if (order) {
        event.id = order->instrument;
        event.order.id = order->id;
    }
    hg_ring_push(&exec->owed, &event); /* without room the observer and the log have it */
}

void hg_exec_lost(hg_exec *exec, uint64_t id, int64_t now_ns) {
    hg_slot *slot = hg_slot_find(exec, id);
    if (!slot || !hg_slot_is_open(slot) || slot->held) {
        return; /* one held here cannot be lost */
    }
    slot->order.state = HG_ORDER_UNKNOWN;
    slot->order.updated_ns = now_ns;
    hg_slot_settle(exec, slot);
    if (!hg_waiting_lost(exec, slot, now_ns)) {
        exec->stats.alarms++; /* the scripts can still ask for the order */
        hg_exec_tell(exec, &slot->order);
    }
}

void hg_exec_cut(hg_exec *exec, int64_t now_ns) {
    uint32_t next = HG_SLOT_NONE;
    for (uint32_t i = exec->first_open; i != HG_SLOT_NONE; i = next) {
        next = exec->slots[i].next;
        hg_exec_lost(exec, exec->slots[i].order.id, now_ns);
    }
    hg_exec_alarm(exec, NULL, HG_ALARM_DISCONNECTED, now_ns);
}
