/* The pool of orders: slots, the list of open ones, what they add to exposure, and the hash.
 *
 * Invariants: ids rise and are never used twice; an order lives in the slot id mod capacity and a
 * slot is reused only when its order has ended; pending sizes in the portfolio are at all times the
 * sum over open orders. */
#include "base/assert.h"
#include "base/hash.h"
#include "exec/exec_int.h"

#include <string.h>

hg_slot *hg_slot_find(const hg_exec *exec, uint64_t id) {
    hg_slot *slot = &exec->slots[id & (exec->capacity - 1)];
    return id != 0 && slot->order.id == id ? slot : NULL;
}

/* A slot whose order has ended, under a fresh id. NULL when every slot holds a living order. */
void hg_exec_number_next(hg_exec *exec, uint64_t id) {
    hg_assert(id > 0);
    exec->last_id = id - 1;
}

hg_slot *hg_slot_take(hg_exec *exec) {
    for (uint32_t tries = 0; tries < exec->capacity; tries++) {
        uint64_t id = ++exec->last_id;
        hg_slot *slot = &exec->slots[id & (exec->capacity - 1)];
        bool living = slot->open || slot->owed || slot->pinned;
        if (!living) {
            hg_assert(slot->counted == 0);
            memset(slot, 0, sizeof *slot);
            slot->order.id = id;
            return slot;
        }
    }
    return NULL;
}

bool hg_slot_is_open(const hg_slot *slot) {
    return slot->sent && !hg_order_state_done((hg_order_state)slot->order.state);
}

static uint32_t slot_index(const hg_exec *exec, const hg_slot *slot) {
    return (uint32_t)(slot - exec->slots);
}

void hg_slot_open(hg_exec *exec, hg_slot *slot) {
    hg_assert(!slot->open);
    uint32_t index = slot_index(exec, slot);
    slot->open = true;
    slot->prev = exec->last_open;
    slot->next = HG_SLOT_NONE;
    if (exec->last_open == HG_SLOT_NONE) {
        exec->first_open = index;
    } else {
        exec->slots[exec->last_open].next = index;
    }
    exec->last_open = index;
    exec->open_count++;
    exec->per[slot->order.instrument].open++;
    hg_risk_opened(exec, &slot->order, 1);
}

static void slot_close(hg_exec *exec, hg_slot *slot) {
    hg_assert(slot->open && exec->open_count > 0);
    if (slot->prev == HG_SLOT_NONE) {
        exec->first_open = slot->next;
    } else {
        exec->slots[slot->prev].next = slot->next;
    }
    if (slot->next == HG_SLOT_NONE) {
        exec->last_open = slot->prev;
    } else {
        exec->slots[slot->next].prev = slot->prev;
    }
    slot->open = false;
    hg_asked_drop(exec, slot);
    hg_expiry_drop(exec, slot);
    if (slot->trigger != HG_TRIGGER_HANDLE_NONE) {
        hg_trigger_remove(exec->triggers, slot->trigger);
        slot->trigger = HG_TRIGGER_HANDLE_NONE;
    }
    slot->held = false;
    slot->fired = false;
    slot->order.cancel_pending = false;
    slot->amend_size = 0;
    slot->end_kind = 0;
    exec->open_count--;
    exec->per[slot->order.instrument].open--;
    hg_risk_opened(exec, &slot->order, -1);
}

/* While an amendment is on its way the larger of both sizes counts. An order that waits for its
 * price is not pending; one of which we do not know whether it still waits counts in full. One that
 * has ended at the venue counts with the fills that are still to be told. */
static hg_lots slot_pending(const hg_slot *slot) {
    if (!hg_slot_is_open(slot) || slot->order.state == HG_ORDER_UNTRIGGERED) {
        return 0;
    }
    if (slot->end_kind != 0) {
        return slot->told > slot->order.filled ? slot->told - slot->order.filled : 0;
    }
    hg_lots size = slot->amend_size > slot->order.size ? slot->amend_size : slot->order.size;
    return size > slot->order.filled ? size - slot->order.filled : 0;
}

void hg_slot_settle(hg_exec *exec, hg_slot *slot) {
    if (slot->open && !hg_slot_is_open(slot)) {
        slot_close(exec, slot);
    }
    hg_lots pending = slot_pending(slot);
    if (pending == slot->counted) {
        return;
    }
    hg_lots change = pending - slot->counted;
    slot->counted = pending;
    hg_pending_change(exec, &slot->order, change);
}

void hg_exec_tell(const hg_exec *exec, const hg_order *order) {
    if (exec->observer.order) {
        exec->observer.order(exec->observer.context, order);
    }
}

/* FNV-1a over what was sent and received, in order. Instruments count by name, not by id: the hash
 * must not depend on the order in which a universe was filled. */
void hg_exec_hash(hg_exec *exec, const hg_order *order, const hg_event *fill) {
    uint64_t what = (fill ? 1u : 0u) | (order->side == HG_BUY ? 2u : 0u) |
                    (uint64_t)order->type << 2;
    uint64_t hash = hg_hash_u64(exec->stats.hash, exec->per[order->instrument].name);
    hash = hg_hash_u64(hash, what);
    hash = hg_hash_u64(hash, (uint64_t)(fill ? fill->order.size : order->size));
    hash = hg_hash_u64(hash, (uint64_t)(fill ? fill->order.price : order->price));
    exec->stats.hash = hg_hash_u64(hash, (uint64_t)(fill ? fill->time_ns : order->updated_ns));
}

const hg_order *hg_exec_get(const hg_exec *exec, uint64_t id) {
    const hg_slot *slot = hg_slot_find(exec, id);
    return slot ? &slot->order : NULL;
}

const hg_order *hg_exec_open_next(const hg_exec *exec, uint16_t strategy, uint64_t after) {
    const hg_slot *last = hg_slot_find(exec, after);
    /* From where the caller stands; from the front when that order has closed in the meantime. */
    uint32_t i = last && last->open ? last->next : exec->first_open;
    for (; i != HG_SLOT_NONE; i = exec->slots[i].next) {
        const hg_order *order = &exec->slots[i].order;
        if (order->id > after && (strategy == HG_STRATEGY_ANY || order->strategy == strategy)) {
            return order;
        }
    }
    return NULL;
}

double hg_exec_average_price(const hg_exec *exec, const hg_order *order) {
    if (order->filled == 0 || order->filled_value == 0) {
        return 0;
    }
    const hg_instrument *inst = hg_universe_get(exec->universe, order->instrument);
    double amount = hg_size_to_double(inst, order->filled);
    double value = hg_nano_to_double(order->filled_value);
    bool usd_sized = inst->inverse && inst->kind != HG_KIND_OPTION;
    return usd_sized ? amount / value : value / amount;
}

const hg_exec_stats *hg_exec_stats_get(const hg_exec *exec) {
    return &exec->stats;
}
