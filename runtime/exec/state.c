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
    IGNORE,    /* says nothing new */
    ALARM,     /* must not happen: counted and logged, nothing changes */
    ACK,       /* the venue has it, or has amended it */
    FILL,      /* some of it traded */
    LATE,      /* a fill after the end: booked, with an alarm */
    END,       /* terminal, the state of the event */
    REFUSED,   /* an amendment or a cancel was refused; the order lives on */
    NOT_TAKEN, /* the order was refused, or, when the venue is known to have it, a request for it */
    FIRED,     /* its trigger price has been reached */
};

static const uint8_t transitions[HG_ORDER_STATES][6] = {
  /*                           ack     fill   cancelled rejected expired triggered */
    [HG_ORDER_INTENT] = {ALARM,  ALARM, ALARM,  ALARM,     ALARM,  ALARM },
    [HG_ORDER_SENT] = {ACK,    FILL,  END,    NOT_TAKEN, END,    FIRED },
    [HG_ORDER_WORKING] = {ACK,    FILL,  END,    REFUSED,   END,    IGNORE},
    [HG_ORDER_PARTIAL] = {ACK,    FILL,  END,    REFUSED,   END,    IGNORE},
    [HG_ORDER_FILLED] = {IGNORE, LATE,  IGNORE, IGNORE,    IGNORE, IGNORE},
    [HG_ORDER_CANCELLED] = {IGNORE, LATE,  IGNORE, IGNORE,    IGNORE, IGNORE},
    [HG_ORDER_REJECTED] = {ALARM,  LATE,  ALARM,  IGNORE,    IGNORE, IGNORE},
    [HG_ORDER_EXPIRED] = {IGNORE, LATE,  IGNORE, IGNORE,    IGNORE, IGNORE},
    [HG_ORDER_UNKNOWN] = {ACK,    FILL,  END,    NOT_TAKEN, END,    FIRED },
    [HG_ORDER_UNTRIGGERED] = {ACK,    FILL,  END,    REFUSED,   END,    FIRED },
};

static void alarm_raise(hg_exec *exec, const hg_order *order, const hg_event *event) {
    hg_log(HG_LOG_WARN, "order %llu: unexpected %s", (unsigned long long)order->id,
           hg_event_kind_name((hg_event_kind)event->kind));
    hg_exec_alarm(exec, order, HG_ALARM_UNEXPECTED, event->time_ns);
}

/* What has been filled cannot be taken back, whether each fill has been told or not: an order
 * amended to less is as large as that. */
static void amend_adopt(hg_slot *slot) {
    hg_order *order = &slot->order;
    hg_lots filled = slot->told > order->filled ? slot->told : order->filled;
    order->price = slot->amend_price;
    order->size = slot->amend_size > filled ? slot->amend_size : filled;
    slot->amend_size = 0;
}

/* Nothing of it can be open. An order that is full as it was may have grown: only the answer to the
 * amendment tells, and until then what it may have grown by counts as pending. */
static bool is_full(const hg_slot *slot) {
    return slot->order.filled >= slot->order.size && slot->order.filled >= slot->amend_size;
}

/* An ack of what was asked for last ends the amendment; any other says nothing about it. */
static bool amend_done(hg_slot *slot, const hg_event *event) {
    if (slot->amend_size == 0 || event->order.size != slot->amend_size ||
        event->order.price != slot->amend_price) {
        return false;
    }
    amend_adopt(slot);
    return true;
}

/* The venue changed price or size by its own rules (post-only, band, self-trade prevention). */
static bool terms_changed(hg_order *order, const hg_event *event) {
    if (event->order.code == HG_REJECT_NONE || event->order.size < order->filled ||
        event->order.price <= 0) {
        return false;
    }
    order->price = event->order.price;
    order->size = event->order.size;
    return true;
}

/* What the venue knows to be filled never falls, though it may be told out of order. */
static void told_filled(hg_slot *slot, const hg_event *event) {
    slot->told = event->order.filled > slot->told ? event->order.filled : slot->told;
}

static bool apply_ack(hg_slot *slot, const hg_event *event) {
    hg_order *order = &slot->order;
    told_filled(slot, event);
    bool amended = terms_changed(order, event) || amend_done(slot, event);
    bool waits = hg_order_type_triggered((hg_order_type)order->type) && !order->triggered;
    hg_order_state state = waits                ? HG_ORDER_UNTRIGGERED
                           : order->filled == 0 ? HG_ORDER_WORKING
                           : !is_full(slot)     ? HG_ORDER_PARTIAL
                                                : HG_ORDER_FILLED;
    slot->acked = true;
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
    hg_fill_origin origin = {
        .strategy = order->strategy, .liquidation = order->liquidation, .mid = order->mid};
    int rc = hg_portfolio_fill_of(exec->portfolio, order->instrument, (hg_side)order->side,
                                  fill->order.size, fill->order.price, fill->order.fee,
                                  fill->time_ns, &origin);
    if (rc == HG_OK) {
        rc = hg_share_fill(exec, order, fill, &origin);
    }
    if (rc < 0) {
        hg_log(HG_LOG_ERROR, "a fill could not be booked: %s", hg_error_text());
        hg_exec_halt(exec, "a fill could not be booked");
    }
    hg_pending_moved(exec, order->instrument);
}

/* Trade ids rise at every venue, so one above the order's last is new for certain. Of one below it
 * the set of booked ids tells, unless it has forgotten ids as large: then nobody can tell, and what
 * may have been booked is not booked again. */
static bool trade_is_new(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    uint64_t trade = event->order.trade;
    if (trade == 0) {
        return true;
    }
    if (hg_seen_has(&exec->seen, trade)) {
        exec->stats.duplicates++;
        return false;
    }
    if (trade <= slot->last_trade && trade <= exec->seen.forgotten) {
        exec->stats.too_old++;
        hg_exec_alarm(exec, &slot->order, HG_ALARM_TOO_OLD, event->time_ns);
        return false;
    }
    hg_seen_add(&exec->seen, trade);
    slot->last_trade = trade > slot->last_trade ? trade : slot->last_trade;
    return true;
}

static void end_order(hg_exec *exec, hg_slot *slot, hg_event_kind kind, uint16_t code) {
    hg_order *order = &slot->order;
    order->state = kind == HG_EV_CANCELLED  ? HG_ORDER_CANCELLED
                   : kind == HG_EV_REJECTED ? HG_ORDER_REJECTED
                                            : HG_ORDER_EXPIRED;
    order->reject = code < HG_REJECTS ? code : HG_REJECT_NONE;
    /* The venue only knows that we asked. */
    if (kind == HG_EV_CANCELLED && order->reject == HG_REJECT_USER && slot->end_code != 0) {
        order->reject = slot->end_code;
        order->state = slot->end_code == HG_REJECT_GTD ? HG_ORDER_EXPIRED : HG_ORDER_CANCELLED;
    }
    exec->stats.cancelled += kind == HG_EV_CANCELLED;
    exec->stats.rejected += kind == HG_EV_REJECTED;
}

/* The venue has filled more than it has told: the order has ended there, but its fills are on the
 * way. It stays open here, as large as they are, until they come; overdue ones make it unknown. */
static void end_or_wait(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    hg_order *order = &slot->order;
    bool knows = event->kind == HG_EV_CANCELLED || event->kind == HG_EV_EXPIRED;
    if (knows) {
        told_filled(slot, event);
    }
    if (!knows || slot->told <= order->filled) {
        end_order(exec, slot, (hg_event_kind)event->kind, event->order.code);
        return;
    }
    if (slot->end_kind == 0) {
        slot->end_kind = event->kind;
        slot->end_reject = event->order.code;
        slot->amend_size = 0;
        order->cancel_pending = true;
        order->state = order->filled > 0 ? HG_ORDER_PARTIAL : HG_ORDER_WORKING;
        hg_asked_add(exec, slot, event->time_ns);
    }
}

static bool apply_fill(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    hg_order *order = &slot->order;
    hg_lots filled = 0;
    if (!slot->sent || slot->held || event->id != order->instrument || event->order.size <= 0 ||
        event->order.price <= 0 || !hg_add(order->filled, event->order.size, &filled)) {
        alarm_raise(exec, order, event);
        return false;
    }
    if (!trade_is_new(exec, slot, event)) {
        return false;
    }
    if (filled > order->size && filled <= slot->amend_size) {
        amend_adopt(slot); /* only the amended order can have traded so much */
    }
    if (filled > order->size) {
        hg_exec_alarm(exec, order, HG_ALARM_OVERFILL, event->time_ns);
    }
    slot->acked = true;
    order->triggered = order->triggered || hg_order_type_triggered((hg_order_type)order->type);
    fill_value_add(hg_universe_get(exec->universe, order->instrument), order, event);
    order->filled = filled;
    if (is_full(slot)) {
        order->state = HG_ORDER_FILLED;
        order->reject = HG_REJECT_NONE;
    } else if (!hg_order_state_done((hg_order_state)order->state)) {
        order->state = HG_ORDER_PARTIAL;
        if (slot->end_kind != 0 && filled >= slot->told) {
            end_order(exec, slot, (hg_event_kind)slot->end_kind, slot->end_reject);
        }
    }
    book_fill(exec, order, event);
    count_fill(exec, order, event);
    if (exec->observer.fill) {
        exec->observer.fill(exec->observer.context, order, event);
    }
    return true;
}

/* The venue said no to a cancel or an amendment. Where it does not say which, the pending flags
 * must tell. */
static bool apply_refused(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    uint8_t about = event->order.about;
    bool any = about == HG_ABOUT_ANY;
    if (slot->amend_size != 0 && (any || about == HG_ABOUT_AMEND)) {
        slot->amend_size = 0;
    } else if (slot->order.cancel_pending && (any || about == HG_ABOUT_CANCEL)) {
        slot->order.cancel_pending = false;
        slot->end_code = 0;
    } else {
        if (any || about == HG_ABOUT_ORDER) {
            alarm_raise(exec, &slot->order, event);
        }
        return false; /* else the answer to what we had given up waiting for */
    }
    slot->order.reject = event->order.code < HG_REJECTS ? event->order.code : HG_REJECT_NONE;
    if (slot->order.filled > 0 && is_full(slot)) {
        slot->order.state = HG_ORDER_FILLED;
        slot->order.reject = HG_REJECT_NONE;
    }
    return true;
}

/* Of an order the venue has shown, a refusal can only mean a cancel or an amendment. "Not open" is
 * never proof that an order was not taken: its answers may be on the way. */
static bool apply_not_taken(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    uint8_t about = event->order.about;
    bool asked = slot->order.cancel_pending || slot->amend_size != 0;
    bool unclear = about == HG_ABOUT_ANY &&
                   (slot->acked || (asked && event->order.code == HG_REJECT_NOT_OPEN));
    if (!unclear && about != HG_ABOUT_CANCEL && about != HG_ABOUT_AMEND) {
        if (hg_conditional_again(exec, slot, event)) {
            return true;
        }
        end_or_wait(exec, slot, event);
        return true;
    }
    return asked && apply_refused(exec, slot, event);
}

static bool apply_fired(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    hg_order *order = &slot->order;
    if (!hg_order_type_triggered((hg_order_type)order->type) || order->triggered) {
        alarm_raise(exec, order, event);
        return false;
    }
    order->triggered = true;
    order->state = HG_ORDER_WORKING;
    slot->acked = true;
    return true;
}

static bool apply_action(hg_exec *exec, hg_slot *slot, uint8_t action, const hg_event *event) {
    switch (action) {
    case ACK:
        return apply_ack(slot, event);
    case FILL:
    case LATE: {
        bool booked = apply_fill(exec, slot, event);
        if (booked && action == LATE) {
            exec->stats.late++;
            hg_exec_alarm(exec, &slot->order, HG_ALARM_LATE_FILL, event->time_ns);
        }
        return booked;
    }
    case END:
        end_or_wait(exec, slot, event);
        return true;
    case REFUSED:
        return apply_refused(exec, slot, event);
    case NOT_TAKEN:
        return apply_not_taken(exec, slot, event);
    case FIRED:
        return apply_fired(exec, slot, event);
    case ALARM:
        alarm_raise(exec, &slot->order, event);
        return false;
    default:
        return false;
    }
}

static bool answered(const hg_slot *slot) {
    return slot->order.state != HG_ORDER_SENT && !slot->order.cancel_pending &&
           slot->amend_size == 0 && slot->end_kind == 0;
}

/* An answer: the table, then what follows from it for others. */
static const hg_order *apply_answer(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    bool changed = false;
    bool fill = event->kind == HG_EV_FILL;
    bool first = slot->order.filled == 0;
    hg_fill_effect effect = fill ? hg_risk_before_fill(exec, slot, event->time_ns)
                                 : (hg_fill_effect){0};
    if (slot->owed && event->kind == HG_EV_REJECTED) {
        slot->owed = false; /* the gate's own answer: state and reason are there already */
        changed = true;
    } else if (event->kind == HG_EV_ORDER_DUE) {
        changed = hg_waiting_due(exec, slot, event);
    } else {
        uint8_t action = transitions[slot->order.state][event->kind - HG_EV_ACK];
        changed = apply_action(exec, slot, action, event);
    }
    if (!changed) {
        return NULL;
    }
    if (slot->asked && event->kind != HG_EV_ORDER_DUE && answered(slot)) {
        hg_asked_drop(exec, slot);
    }
    slot->order.updated_ns = event->time_ns;
    hg_slot_settle(exec, slot);
    hg_exec_tell(exec, &slot->order);
    if (fill) {
        hg_risk_after_fill(exec, slot, &effect, event, first);
    }
    if (hg_order_state_done((hg_order_state)slot->order.state)) {
        hg_risk_ended(exec, slot, event->time_ns);
    }
    return &slot->order;
}

/* An order whose place another one has taken. A fill of it is still the venue's word on our
 * position: booked once, with an alarm; anything else about it says nothing new. */
static void apply_forgotten(hg_exec *exec, const hg_event *event) {
    hg_order ghost = {.id = event->order.id,
                      .instrument = event->id,
                      .strategy = HG_STRATEGY_ANY,
                      .state = HG_ORDER_FILLED,
                      .side = event->side,
                      .type = HG_TYPE_LIMIT,
                      .price = event->order.price,
                      .size = event->order.size,
                      .filled = event->order.size};
    bool ours = ghost.id != 0 && ghost.id <= exec->last_id;
    bool sound = (event->side == HG_BUY || event->side == HG_SELL) && event->order.size > 0 &&
                 event->order.price > 0 && event->order.trade != 0 &&
                 event->id < hg_universe_count(exec->universe);
    hg_log(HG_LOG_WARN, "%s for order %llu, which is not known any more",
           hg_event_kind_name((hg_event_kind)event->kind), (unsigned long long)ghost.id);
    if (!ours || !sound || event->kind != HG_EV_FILL) {
        hg_exec_alarm(exec, NULL, HG_ALARM_NO_ORDER, event->time_ns);
    } else if (hg_seen_has(&exec->seen, event->order.trade)) {
        exec->stats.duplicates++;
    } else if (event->order.trade <= exec->seen.forgotten) {
        exec->stats.too_old++;
        hg_exec_alarm(exec, &ghost, HG_ALARM_TOO_OLD, event->time_ns);
    } else {
        hg_seen_add(&exec->seen, event->order.trade);
        book_fill(exec, &ghost, event);
        count_fill(exec, &ghost, event);
        exec->stats.late++;
        if (exec->observer.fill) {
            exec->observer.fill(exec->observer.context, &ghost, event);
        }
        hg_linked_traded(exec, &ghost, event->order.size, event->time_ns);
        hg_exec_alarm(exec, &ghost, HG_ALARM_LATE_FILL, event->time_ns);
    }
}

const hg_order *hg_exec_apply(hg_exec *exec, const hg_event *event) {
    hg_assert(exec && event);
    exec->risk->told = HG_STRATEGY_ANY;
    if (event->kind < HG_EV_ACK || event->kind > HG_EV_ALARM) {
        return NULL;
    }
    if (event->kind == HG_EV_CUT) {
        hg_exec_cut(exec, event->time_ns);
        return NULL;
    }
    hg_slot *slot = hg_slot_find(exec, event->order.id);
    if (event->kind == HG_EV_ALARM) {
        return slot ? &slot->order : NULL; /* told when it was raised; scripts hear of it now */
    }
    if (!slot) {
        apply_forgotten(exec, event);
        return NULL;
    }
    if (slot->owed && event->kind == HG_EV_REJECTED) {
        exec->risk->told = slot->order.strategy; /* until what comes next */
        exec->risk->told_ns = event->time_ns;
    }
    if (!slot->held && !slot->owed) {
        hg_backoff_answer(exec, event); /* the venue's, not our own */
    }
    slot->pinned = true;
    const hg_order *order = &slot->order;
    if (event->kind == HG_EV_TRIGGERED && slot->held) {
        hg_conditional_fire(exec, slot, event->time_ns);
    } else {
        order = apply_answer(exec, slot, event);
    }
    if (order && (order->oco != 0 || slot->bracket != 0)) {
        hg_linked_after(exec, slot, event);
    }
    if (order && event->kind == HG_EV_FILL && slot->bracket == 0) {
        hg_linked_traded(exec, order, event->order.size, event->time_ns);
    }
    slot->pinned = false;
    return order;
}
