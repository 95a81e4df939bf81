/* The order state machine: one table, and what each entry does.
 *
 * Invariants: an order leaves an open state only by a venue's answer, never by a time-out; fills
 * are booked once per trade id, in any order with acks and cancels; what is filled never falls.
 * A fill is the venue's word on our position, so it is booked also where it comes late, and then
 * counted as an alarm. */
#include "base/assert.h"
#include "base/log.h"
#include "exec/exec_int.h"

#include <math.h>

enum {
    IGNORE,  /* says nothing new */
    ALARM,   /* must not happen: counted and logged, nothing changes */
    ACK,     /* the venue has it, or has amended it */
    FILL,    /* some of it traded */
    LATE,    /* a fill after the end: booked, with an alarm */
    END,     /* terminal, the state of the event */
    REFUSED, /* an amendment or a cancel was refused; the order lives on */
};

static const uint8_t transitions[HG_ORDER_STATES][6] = {
  /*                           ack     fill   cancelled rejected expired triggered */
    [HG_ORDER_INTENT] = {ALARM,  ALARM, ALARM,  ALARM,   ALARM,  ALARM },
    [HG_ORDER_SENT] = {ACK,    FILL,  END,    END,     END,    ALARM },
    [HG_ORDER_WORKING] = {ACK,    FILL,  END,    REFUSED, END,    IGNORE},
    [HG_ORDER_PARTIAL] = {ACK,    FILL,  END,    REFUSED, END,    IGNORE},
    [HG_ORDER_FILLED] = {IGNORE, LATE,  IGNORE, IGNORE,  IGNORE, IGNORE},
    [HG_ORDER_CANCELLED] = {IGNORE, LATE,  IGNORE, IGNORE,  IGNORE, IGNORE},
    [HG_ORDER_REJECTED] = {ALARM,  LATE,  ALARM,  IGNORE,  IGNORE, IGNORE},
    [HG_ORDER_EXPIRED] = {IGNORE, LATE,  IGNORE, IGNORE,  IGNORE, IGNORE},
    [HG_ORDER_UNKNOWN] = {ACK,    FILL,  END,    END,     END,    ALARM },
    [HG_ORDER_UNTRIGGERED] = {ALARM,  ALARM, END,    ALARM,   END,    ALARM },
};

static void alarm_raise(hg_exec *exec, const hg_order *order, const hg_event *event) {
    exec->stats.alarms++;
    hg_log(HG_LOG_WARN, "order %llu (%s): unexpected %s", (unsigned long long)order->id,
           hg_order_state_name((hg_order_state)order->state),
           hg_event_kind_name((hg_event_kind)event->kind));
}

/* An ack of what was asked for last ends the amendment; any other says nothing about it. */
static bool amend_done(hg_slot *slot, const hg_event *event) {
    if (slot->amend_size == 0 || event->order.size != slot->amend_size ||
        event->order.price != slot->amend_price) {
        return false;
    }
    slot->order.price = slot->amend_price;
    slot->order.size = slot->amend_size;
    slot->amend_size = 0;
    return true;
}

static bool apply_ack(hg_slot *slot, const hg_event *event) {
    hg_order *order = &slot->order;
    bool amended = amend_done(slot, event);
    hg_order_state state = order->filled == 0            ? HG_ORDER_WORKING
                           : order->filled < order->size ? HG_ORDER_PARTIAL
                                                         : HG_ORDER_FILLED;
    bool moved = order->state != state;
    order->state = (uint8_t)state;
    return moved || amended;
}

/* What crossing the spread cost against the mid at arrival, in USD. */
static double spread_cost(const hg_exec *exec, const hg_order *order, const hg_event *fill) {
    const hg_instrument *inst = hg_universe_get(exec->universe, order->instrument);
    double price = hg_price_to_double(inst, fill->order.price);
    double amount = hg_size_to_double(inst, fill->order.size);
    if (!(order->mid > 0)) {
        return 0;
    }
    double per_unit = order->side * (price - order->mid);
    if (inst->inverse && inst->kind != HG_KIND_OPTION) {
        return per_unit / order->mid * amount; /* the amount is in USD */
    }
    return per_unit * amount * hg_market_usd(exec->market, inst->quote_id);
}

static void count_fill(hg_exec *exec, const hg_order *order, const hg_event *fill) {
    uint32_t settle = hg_universe_get(exec->universe, order->instrument)->settle_id;
    double fee = hg_nano_to_double(fill->order.fee) * hg_market_usd(exec->market, settle);
    double spread = spread_cost(exec, order, fill);
    exec->stats.fills++;
    exec->stats.fees_usd += isfinite(fee) ? fee : 0;
    exec->stats.spread_usd += isfinite(spread) ? spread : 0;
    hg_exec_hash(exec, order, fill);
}

static void fill_value_add(const hg_instrument *inst, hg_order *order, const hg_event *fill) {
    hg_nano price = 0;
    hg_cash value = 0;
    if (hg_muldiv(fill->order.price, inst->tick, 1, &price) &&
        hg_value(inst, price, fill->order.size, &value)) {
        hg_add(order->filled_value, value, &order->filled_value);
    }
}

/* Books the money. A fill that does not fit the ledger stops trading: the position is wrong now. */
static void book_fill(hg_exec *exec, const hg_order *order, const hg_event *fill) {
    int rc = hg_portfolio_fill(exec->portfolio, order->instrument, (hg_side)order->side,
                               fill->order.size, fill->order.price, fill->order.fee, fill->time_ns);
    if (rc < 0) {
        hg_log(HG_LOG_ERROR, "a fill could not be booked: %s", hg_error_text());
        hg_exec_halt(exec, "a fill could not be booked");
    }
}

static bool apply_fill(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    hg_order *order = &slot->order;
    hg_lots filled = 0;
    if (!slot->sent || event->id != order->instrument || event->order.size <= 0 ||
        event->order.price <= 0 || !hg_add(order->filled, event->order.size, &filled)) {
        alarm_raise(exec, order, event);
        return false;
    }
    if (event->order.trade != 0 && !hg_seen_add(&exec->seen, event->order.trade)) {
        exec->stats.duplicates++;
        return false;
    }
    if (filled > order->size) {
        alarm_raise(exec, order, event); /* more than was asked for: booked all the same */
    }
    fill_value_add(hg_universe_get(exec->universe, order->instrument), order, event);
    order->filled = filled;
    if (filled >= order->size) {
        order->state = HG_ORDER_FILLED;
        order->reject = HG_REJECT_NONE;
    } else if (!hg_order_state_done((hg_order_state)order->state)) {
        order->state = HG_ORDER_PARTIAL;
    }
    book_fill(exec, order, event);
    count_fill(exec, order, event);
    if (exec->observer.fill) {
        exec->observer.fill(exec->observer.context, order, event);
    }
    return true;
}

static void apply_end(hg_exec *exec, hg_order *order, const hg_event *event) {
    order->state = event->kind == HG_EV_CANCELLED  ? HG_ORDER_CANCELLED
                   : event->kind == HG_EV_REJECTED ? HG_ORDER_REJECTED
                                                   : HG_ORDER_EXPIRED;
    order->reject = event->order.code < HG_REJECTS ? event->order.code : HG_REJECT_NONE;
    exec->stats.cancelled += event->kind == HG_EV_CANCELLED;
    exec->stats.rejected += event->kind == HG_EV_REJECTED;
}

/* The venue said no to a cancel or an amendment; which one, only the pending flags can tell. */
static bool apply_refused(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    if (slot->amend_size != 0) {
        slot->amend_size = 0;
    } else if (slot->order.cancel_pending) {
        slot->order.cancel_pending = false;
    } else {
        alarm_raise(exec, &slot->order, event);
        return false;
    }
    slot->order.reject = event->order.code < HG_REJECTS ? event->order.code : HG_REJECT_NONE;
    return true;
}

static bool apply_action(hg_exec *exec, hg_slot *slot, uint8_t action, const hg_event *event) {
    switch (action) {
    case ACK:
        return apply_ack(slot, event);
    case FILL:
    case LATE: {
        bool booked = apply_fill(exec, slot, event);
        exec->stats.late += booked && action == LATE;
        return booked;
    }
    case END:
        apply_end(exec, &slot->order, event);
        return true;
    case REFUSED:
        return apply_refused(exec, slot, event);
    case ALARM:
        alarm_raise(exec, &slot->order, event);
        return false;
    default:
        return false;
    }
}

const hg_order *hg_exec_apply(hg_exec *exec, const hg_event *event) {
    hg_assert(exec && event);
    if (event->kind < HG_EV_ACK || event->kind > HG_EV_TRIGGERED) {
        return NULL;
    }
    hg_slot *slot = hg_slot_find(exec, event->order.id);
    if (!slot) {
        exec->stats.alarms++;
        hg_log(HG_LOG_WARN, "%s for unknown order %llu",
               hg_event_kind_name((hg_event_kind)event->kind), (unsigned long long)event->order.id);
        return NULL;
    }
    bool changed = false;
    if (slot->owed && event->kind == HG_EV_REJECTED) {
        slot->owed = false; /* the gate's own answer: state and reason are there already */
        changed = true;
    } else {
        uint8_t action = transitions[slot->order.state][event->kind - HG_EV_ACK];
        changed = apply_action(exec, slot, action, event);
    }
    if (!changed) {
        return NULL;
    }
    slot->order.updated_ns = event->time_ns;
    hg_slot_settle(exec, slot);
    hg_exec_tell(exec, &slot->order);
    if (event->kind == HG_EV_FILL) {
        hg_exec_follow_position(exec, slot->order.instrument, event->time_ns);
    }
    return &slot->order;
}
