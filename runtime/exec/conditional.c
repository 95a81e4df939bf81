/* Orders that wait: for a trigger price, and with an end in time.
 *
 * A venue that has trigger orders keeps them itself; for any other the runtime holds the order
 * (state untriggered, `emulated`), watches the price, and sends it as a market or limit order when
 * the price is reached. It passes the gate twice: when it is placed, as if it fired now, and again
 * when it fires, with the position and the market of then. While it waits it is not pending: its
 * delta may never come. Semantics are Deribit's (facts: docs.deribit.com, private/buy): a trigger
 * that would fire at once is refused, 11036. */
#include "base/assert.h"
#include "exec/exec_int.h"

#include <math.h>

hg_order_request hg_conditional_plain(const hg_order_request *request) {
    hg_order_request plain = *request;
    if (hg_order_type_triggered(request->type) && request->type < HG_ORDER_TYPES) {
        /* Judged as a market order now; its limit price is judged when it fires. */
        plain.type = HG_TYPE_MARKET;
        plain.price = 0;
        plain.post_only = false;
        plain.again = true;        /* a stop is no copy of the order it protects */
        plain.reduce_only = false; /* the position it will reduce may come later */
        plain.tif = request->tif == HG_TIF_FOK ? HG_TIF_FOK : HG_TIF_IOC;
        plain.again = true; /* it is no copy of a market order of its size */
    } else if (request->tif == HG_TIF_GTD) {
        plain.tif = HG_TIF_GTC;
    }
    return plain;
}

/* --- what goes beyond a plain order ----------------------------------------------------------- */

static bool has_limit(hg_order_type type) {
    return type == HG_TYPE_STOP_LIMIT || type == HG_TYPE_TAKE_LIMIT;
}

static hg_reject check_limit(const hg_instrument *inst, const hg_order_request *r, hg_order *order,
                             hg_refusal *refusal) {
    if (!has_limit(r->type)) {
        order->price = 0;
        return HG_REJECT_NONE;
    }
    if (!isfinite(r->price) || !(r->price > 0)) {
        return hg_refuse(refusal, HG_REJECT_NOT_FINITE, r->price, NAN,
                         "a %s order needs a limit price above zero", hg_order_type_name(r->type));
    }
    if (!hg_price_from_double(inst, r->price, &order->price)) {
        return hg_refuse(refusal, HG_REJECT_OFF_TICK, r->price, (double)inst->tick / 1e9,
                         "price %.12g of %s is not a multiple of its tick", r->price, inst->name);
    }
    return HG_REJECT_NONE;
}

static hg_reject check_trail(const hg_order_request *r, hg_order *order, hg_nano reference,
                             hg_refusal *refusal) {
    bool distance = r->trail > 0 && isfinite(r->trail) && r->trail_fraction == 0;
    bool fraction = r->trail_fraction > 0 && r->trail_fraction < 1 && r->trail == 0;
    if (!(distance || fraction) || !hg_nano_from_double(r->trail, &order->trail) ||
        !hg_nano_from_double(r->trail_fraction, &order->trail_fraction)) {
        return hg_refuse(refusal, HG_REJECT_TRIGGER_PRICE, distance ? r->trail : r->trail_fraction,
                         NAN, "a trailing stop needs one distance: a price or a fraction below 1");
    }
    if (reference <= 0) {
        return hg_refuse(refusal, HG_REJECT_NO_PRICE, NAN, NAN, "no %s price to trail from",
                         hg_trigger_name((hg_trigger)order->trigger));
    }
    hg_trigger_spec spec = {.above = hg_trigger_above(r->type, r->side),
                            .trail = order->trail,
                            .trail_fraction = order->trail_fraction};
    order->trigger_price = hg_trigger_trail(&spec, reference);
    return HG_REJECT_NONE;
}

static bool reached(const hg_order *order, hg_nano reference) {
    bool above = hg_trigger_above((hg_order_type)order->type, (hg_side)order->side);
    return reference > 0 &&
           (above ? reference >= order->trigger_price : reference <= order->trigger_price);
}

static hg_reject check_trigger_price(const hg_instrument *inst, const hg_order_request *r,
                                     bool at_once, hg_order *order, hg_nano reference,
                                     hg_refusal *refusal) {
    hg_ticks on_tick = 0;
    double price = r->trigger_price;
    if (!isfinite(price) || !(price > 0) || !hg_nano_from_double(price, &order->trigger_price) ||
        order->trigger_price <= 0) { /* below a billionth */
        return hg_refuse(refusal, HG_REJECT_TRIGGER_PRICE, price, NAN,
                         "a %s order needs a trigger_price above zero",
                         hg_order_type_name(r->type));
    }
    if (order->trigger == HG_TRIGGER_LAST && !hg_price_from_double(inst, price, &on_tick)) {
        return hg_refuse(refusal, HG_REJECT_OFF_TICK, price, (double)inst->tick / 1e9,
                         "trigger price %.12g of %s is not a multiple of its tick", price,
                         inst->name);
    }
    if (!at_once && reached(order, reference)) {
        return hg_refuse(refusal, HG_REJECT_TRIGGER_PRICE, price, (double)reference / 1e9,
                         "%s %s at %.12g would trigger at once: the %s price is %.12g",
                         hg_order_type_name(r->type), hg_side_name(r->side), price,
                         hg_trigger_name((hg_trigger)order->trigger), (double)reference / 1e9);
    }
    return HG_REJECT_NONE;
}

static hg_reject check_triggered(hg_exec *exec, const hg_order_request *r, bool at_once,
                                 hg_order *order, hg_refusal *refusal) {
    const hg_instrument *inst = hg_universe_get(exec->universe, r->instrument);
    order->trigger = (uint8_t)(r->trigger == HG_TRIGGER_NONE ? HG_TRIGGER_MARK : r->trigger);
    hg_nano reference = hg_trigger_reference(exec->market, r->instrument,
                                             (hg_trigger)order->trigger);
    hg_reject code = check_limit(inst, r, order, refusal);
    if (code == HG_REJECT_NONE && has_limit(r->type) && r->post_only && r->tif != HG_TIF_GTC &&
        r->tif != HG_TIF_GTD) {
        code = hg_refuse(refusal, HG_REJECT_BAD_REQUEST, NAN, NAN,
                         "post-only belongs to resting limit orders");
    }
    if (code != HG_REJECT_NONE) {
        return code;
    }
    return r->type == HG_TYPE_TRAILING
               ? check_trail(r, order, reference, refusal)
               : check_trigger_price(inst, r, at_once, order, reference, refusal);
}

static hg_reject check_times(const hg_order_request *r, hg_order *order, int64_t now_ns,
                             hg_refusal *refusal) {
    if ((r->tif == HG_TIF_GTD) != (r->expires_ns != 0) ||
        (r->expires_ns != 0 && r->expires_ns <= now_ns)) {
        return hg_refuse(refusal, HG_REJECT_GTD, (double)r->expires_ns / 1e9, (double)now_ns / 1e9,
                         "good till date needs a time after now");
    }
    if (r->valid_until_ns != 0 && r->valid_until_ns < now_ns) {
        return hg_refuse(refusal, HG_REJECT_TIMED_OUT, (double)r->valid_until_ns / 1e9,
                         (double)now_ns / 1e9, "valid_until has passed");
    }
    order->expires_ns = r->expires_ns;
    order->valid_until_ns = r->valid_until_ns;
    return HG_REJECT_NONE;
}

/* A market order that may not go beyond a price of its own is sent with the tighter of two limits.
 */
static hg_reject check_protection(const hg_instrument *inst, const hg_order_request *r,
                                  hg_order *order, hg_refusal *refusal) {
    hg_ticks most = 0;
    if (r->protection == 0) {
        return HG_REJECT_NONE;
    }
    if (r->type != HG_TYPE_MARKET || !isfinite(r->protection) || !(r->protection > 0)) {
        return hg_refuse(refusal, HG_REJECT_BAD_REQUEST, r->protection, NAN,
                         "protection is a price above zero of a market order");
    }
    if (!hg_price_from_double(inst, r->protection, &most)) {
        return hg_refuse(refusal, HG_REJECT_OFF_TICK, r->protection, (double)inst->tick / 1e9,
                         "protection %.12g of %s is not a multiple of its tick", r->protection,
                         inst->name);
    }
    if (r->side == HG_BUY ? most < order->price : most > order->price) {
        order->price = most;
    }
    return HG_REJECT_NONE;
}

const char *hg_emulation_name(hg_emulation what) {
    static const char *const names[HG_EMULATIONS] = {"trigger", "trailing", "pair",
                                                     "bracket", "expiry",   "valid_until"};
    hg_assert(what < HG_EMULATIONS);
    return names[what];
}

static void note_emulated(hg_exec *exec, hg_order *order, bool bracket) {
    uint32_t supports = exec->venue->supports;
    bool held = hg_conditional_held(exec, order);
    bool trailing = order->type == HG_TYPE_TRAILING;
    const bool done[HG_EMULATIONS] = {
        [HG_EMU_TRIGGER] = held && !trailing,
        [HG_EMU_TRAILING] = held && trailing,
        [HG_EMU_PAIR] = order->oco != 0,
        [HG_EMU_BRACKET] = bracket,
        [HG_EMU_EXPIRY] = order->expires_ns > 0 && !(supports & HG_VENUE_GTD),
        [HG_EMU_VALID_UNTIL] = order->valid_until_ns > 0 && !(supports & HG_VENUE_VALID_UNTIL)};
    for (int what = 0; what < HG_EMULATIONS; what++) {
        exec->stats.emulated_by[what] += done[what];
        order->emulated = order->emulated || done[what];
    }
    exec->stats.emulated += order->emulated;
}

hg_reject hg_conditional_check(hg_exec *exec, const hg_order_request *r, const hg_origin *origin,
                               hg_order *order, hg_refusal *refusal) {
    hg_reject code = check_times(r, order, order->created_ns, refusal);
    if (code == HG_REJECT_NONE && hg_order_type_triggered(r->type)) {
        code = check_triggered(exec, r, origin->at_once, order, refusal);
    }
    if (code == HG_REJECT_NONE) {
        const hg_instrument *inst = hg_universe_get(exec->universe, r->instrument);
        code = check_protection(inst, r, order, refusal);
    }
    if (code != HG_REJECT_NONE) {
        return code;
    }
    order->role = (uint8_t)origin->role;
    order->oco = r->oco;
    order->parent = origin->parent;
    note_emulated(exec, order, r->bracket || origin->role != HG_ROLE_NONE);
    return HG_REJECT_NONE;
}

/* Whether it waits here. Members of a pair or bracket always do: only here can the other one be
 * ended before this one is sent. */
bool hg_conditional_held(const hg_exec *exec, const hg_order *order) {
    if (!hg_order_type_triggered((hg_order_type)order->type)) {
        return false;
    }
    uint32_t needs = order->type != HG_TYPE_TRAILING ? HG_VENUE_TRIGGER
                     : order->trail_fraction == 0    ? HG_VENUE_TRAILING
                                                     : 0;
    bool alone = order->oco == 0 && order->role != HG_ROLE_TAKE && order->role != HG_ROLE_STOP;
    return !(alone && needs != 0 && (exec->venue->supports & needs));
}

/* --- waiting ---------------------------------------------------------------------------------- */

static int watch(hg_exec *exec, hg_slot *slot) {
    const hg_order *order = &slot->order;
    hg_trigger_spec spec = {
        .id = order->id,
        .instrument = order->instrument,
        .source = (hg_trigger)order->trigger,
        .above = hg_trigger_above((hg_order_type)order->type, (hg_side)order->side),
        .price = order->trigger_price,
        .trail = order->trail,
        .trail_fraction = order->trail_fraction};
    spec.reference = hg_trigger_reference(exec->market, order->instrument, spec.source);
    slot->trigger = hg_trigger_add(exec->triggers, &spec);
    return slot->trigger == HG_TRIGGER_HANDLE_NONE
               ? HG_ERR(HG_ELIMIT, "all places for trigger orders are taken")
               : HG_OK;
}

int hg_conditional_hold(hg_exec *exec, hg_slot *slot, int64_t now_ns) {
    hg_order *order = &slot->order;
    hg_nano reference = hg_trigger_reference(exec->market, order->instrument,
                                             (hg_trigger)order->trigger);
    bool now = order->type != HG_TYPE_TRAILING && reached(order, reference);
    if (now ? !hg_exec_owe(exec, slot, HG_EV_TRIGGERED, HG_REJECT_NONE, now_ns)
            : watch(exec, slot) < 0) {
        return HG_ERR_CTX(HG_ELIMIT, "order %llu cannot wait", (unsigned long long)order->id);
    }
    order->state = HG_ORDER_UNTRIGGERED;
    slot->sent = true;
    slot->held = true;
    hg_slot_open(exec, slot);
    hg_expiry_add(exec, slot);
    hg_exec_tell(exec, order);
    return HG_OK;
}

/* --- firing ----------------------------------------------------------------------------------- */

static void end(hg_slot *slot, hg_order_state state, hg_reject code) {
    slot->order.state = (uint8_t)state;
    slot->order.reject = (uint16_t)code;
}

/* Reduce-only closes shrink to what is left to close; other reduce-only orders do not stand in the
 * way, the venue keeps them all within the position. Nor does anything stand in the way of an exit:
 * it must go out even where another order may have closed already, and the venue cuts it then. */
static hg_lots room(const hg_exec *exec, const hg_slot *slot) {
    const hg_order *order = &slot->order;
    bool leaving = hg_order_leaves(order);
    hg_lots size = leaving ? hg_linked_room(exec, slot) : order->size;
    if (order->reduce_only && !leaving) {
        hg_lots most = hg_pending_room(exec, order->instrument, (hg_side)order->side);
        size = most < size ? most : size;
    }
    return size > 0 ? size : 0;
}

static hg_order_request fired_request(const hg_exec *exec, const hg_order *order) {
    const hg_instrument *inst = hg_universe_get(exec->universe, order->instrument);
    bool market = hg_order_type_market((hg_order_type)order->type);
    bool immediate = order->tif == HG_TIF_FOK || order->tif == HG_TIF_IOC;
    return (hg_order_request){.instrument = order->instrument,
                              .strategy = order->strategy,
                              .side = (hg_side)order->side,
                              .type = market ? HG_TYPE_MARKET : HG_TYPE_LIMIT,
                              .tif = immediate ? (hg_tif)order->tif
                                     : market  ? HG_TIF_IOC
                                               : HG_TIF_GTC,
                              .size = hg_size_to_double(inst, order->size),
                              .price = market ? 0 : hg_price_to_double(inst, order->price),
                              .post_only = order->post_only && !market,
                              .reduce_only = order->reduce_only,
                              .again = true,
                              .code = order->code,
                              .reason = order->reason,
                              .line = order->line};
}

/* Its price has come and nothing stands in the way: through the gate, to the venue. */
static void release(hg_exec *exec, hg_slot *slot, int64_t now_ns) {
    hg_order *order = &slot->order;
    hg_refusal refusal = {0};
    hg_risk_order exact;
    hg_lots size = room(exec, slot);
    if (size == 0) {
        end(slot, HG_ORDER_CANCELLED, order->reduce_only ? HG_REJECT_REDUCE_ONLY : HG_REJECT_OCO);
        exec->stats.cancelled++;
        return;
    }
    order->size = size;
    hg_order_request request = fired_request(exec, order);
    hg_risk_view view = hg_exec_view(exec, order->instrument);
    view.open_orders--;
    view.amended = order;
    if (order->reduce_only) {
        hg_pending_together(exec, order->instrument, (hg_side)order->side, &view);
    }
    if (hg_exec_judge(exec, &view, &request, now_ns, &exact, &refusal) != HG_REJECT_NONE) {
        hg_exec_refused(exec, &request, order->id, &refusal, now_ns);
        end(slot, HG_ORDER_REJECTED, refusal.code);
        return;
    }
    order->size = exact.size;
    order->price = exact.price;
    order->valid_until_ns = 0; /* it was placed in time */
    slot->held = false;
    slot->fired = false;
    if (hg_exec_send(exec, slot, now_ns) < 0) {
        hg_refuse(&refusal, HG_REJECT_CAPACITY, NAN, NAN, "the venue did not take the order: %s",
                  hg_error_text());
        hg_exec_refused(exec, &request, order->id, &refusal, now_ns);
        end(slot, HG_ORDER_REJECTED, HG_REJECT_CAPACITY);
    }
}

void hg_conditional_fire(hg_exec *exec, hg_slot *slot, int64_t now_ns) {
    hg_order *order = &slot->order;
    hg_assert(slot->held && order->state == HG_ORDER_UNTRIGGERED);
    if (order->cancel_pending) {
        return;
    }
    bool first = !order->triggered;
    order->triggered = true;
    if (slot->trigger != HG_TRIGGER_HANDLE_NONE) {
        hg_trigger_remove(exec->triggers, slot->trigger);
        slot->trigger = HG_TRIGGER_HANDLE_NONE;
    }
    slot->fired = true;
    if (hg_linked_wait(exec, slot, now_ns)) {
        if (first) {
            hg_exec_tell(exec, order);
        }
        return;
    }
    order->updated_ns = now_ns;
    release(exec, slot, now_ns);
    if (hg_order_state_done((hg_order_state)order->state)) {
        hg_slot_settle(exec, slot);
        hg_exec_tell(exec, order);
    }
}

/* Its price has come, so it is sent until the venue takes it: a stop that is lost in an outage
 * would leave its position open. Exits of brackets are placed anew by linked.c. */
bool hg_conditional_again(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    hg_order *order = &slot->order;
    bool ours = order->triggered && order->emulated && order->role == HG_ROLE_NONE;
    if (!ours || event->kind != HG_EV_REJECTED || order->filled > 0 || order->cancel_pending ||
        !hg_reject_passes((hg_reject)event->order.code)) {
        return false;
    }
    order->state = HG_ORDER_UNTRIGGERED;
    slot->held = true;
    slot->fired = true;
    slot->again = true;
    exec->again++;
    exec->stats.rejected++;
    return true;
}

void hg_conditional_clock(hg_exec *exec, int64_t now_ns) {
    if (exec->again == 0) {
        return;
    }
    exec->again = 0;
    for (uint32_t i = exec->first_open; i != HG_SLOT_NONE; i = exec->slots[i].next) {
        hg_slot *slot = &exec->slots[i];
        if (slot->again && slot->held && !slot->order.cancel_pending) {
            bool owed = hg_exec_owe(exec, slot, HG_EV_TRIGGERED, HG_REJECT_NONE, now_ns);
            slot->again = !owed;
            exec->again += !owed;
        }
    }
}

/* --- amending --------------------------------------------------------------------------------- */

static hg_order_request amended(const hg_exec *exec, const hg_order *o, const hg_amendment *a) {
    const hg_instrument *inst = hg_universe_get(exec->universe, o->instrument);
    double nano = 1e9;
    bool trail = a->trail != 0 || a->trail_fraction != 0;
    return (hg_order_request){
        .instrument = o->instrument,
        .strategy = o->strategy,
        .side = (hg_side)o->side,
        .type = (hg_order_type)o->type,
        .tif = (hg_tif)o->tif,
        .size = a->size == 0 ? hg_size_to_double(inst, o->size) : a->size,
        .price = a->price == 0 ? hg_price_to_double(inst, o->price) : a->price,
        .post_only = o->post_only,
        .reduce_only = o->reduce_only,
        .code = o->code,
        .reason = o->reason,
        .line = o->line,
        .trigger = (hg_trigger)o->trigger,
        .trigger_price = a->trigger_price == 0 ? (double)o->trigger_price / nano : a->trigger_price,
        .trail = trail ? a->trail : (double)o->trail / nano,
        .trail_fraction = trail ? a->trail_fraction : (double)o->trail_fraction / nano,
        .expires_ns = a->expires_ns ? a->expires_ns : o->expires_ns};
}

/* An order that waits, here or at the venue. One held here changes at once; the answer that says so
 * comes as an event, as it would from a venue. */
int hg_conditional_amend(hg_exec *exec, hg_slot *slot, const hg_amendment *a, int64_t now_ns,
                         hg_refusal *refusal) {
    hg_order *order = &slot->order;
    hg_order_request request = amended(exec, order, a);
    hg_order_request plain = hg_conditional_plain(&request);
    hg_risk_view view = hg_exec_view(exec, order->instrument);
    hg_risk_order exact = {0};
    hg_order changed = *order;
    bool moved = a->trigger_price != 0 || a->trail != 0 || a->trail_fraction != 0;
    view.open_orders--;
    view.amended = order;
    changed.expires_ns = request.expires_ns;
    hg_reject code = hg_exec_judge(exec, &view, &plain, now_ns, &exact, refusal);
    if (code == HG_REJECT_NONE) {
        const hg_instrument *inst = hg_universe_get(exec->universe, order->instrument);
        code = moved ? check_triggered(exec, &request, false, &changed, refusal)
                     : check_limit(inst, &request, &changed, refusal);
    }
    if (code != HG_REJECT_NONE) {
        hg_exec_refused(exec, &request, 0, refusal, now_ns);
        return HG_ERISK;
    }
    if (!slot->held && (!exec->venue->ops->amend_trigger || order->trigger == HG_TRIGGER_NONE)) {
        return HG_ERR(HG_ESTATE, "order %llu waits at a venue that cannot amend triggers",
                      (unsigned long long)order->id);
    }
    slot->amend_price = changed.price;
    slot->amend_size = exact.size;
    if (!slot->held) {
        changed.size = exact.size;
        int rc = exec->venue->ops->amend_trigger(exec->venue, &changed, now_ns);
        if (rc < 0) {
            slot->amend_size = 0;
            return HG_ERR_CTX(HG_EVENUE, "amendment of order %llu", (unsigned long long)order->id);
        }
        hg_asked_add(exec, slot, now_ns);
    }
    order->trigger_price = changed.trigger_price;
    order->trail = changed.trail;
    order->trail_fraction = changed.trail_fraction;
    order->expires_ns = changed.expires_ns;
    if (slot->held) {
        hg_event ack = {.time_ns = now_ns, .id = order->instrument, .kind = HG_EV_ACK};
        ack.order.id = order->id;
        ack.order.price = slot->amend_price;
        ack.order.size = slot->amend_size;
        if (!hg_ring_push(&exec->owed, &ack)) {
            slot->amend_size = 0;
            return HG_ERR(HG_ELIMIT, "too many events are waiting");
        }
        if (moved && slot->trigger != HG_TRIGGER_HANDLE_NONE) {
            hg_trigger_remove(exec->triggers, slot->trigger);
            if (watch(exec, slot) < 0) {
                return HG_ELIMIT;
            }
        }
        hg_expiry_add(exec, slot);
    }
    return HG_OK;
}
