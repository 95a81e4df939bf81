/* What is sent: every order of a script, an exit or an operator passes the gate here on its way to
 * the venue, and counts as pending before the venue can answer it. Only a liquidation goes past the
 * gate (liquidation.c): it is the venue's own. */
#include "base/assert.h"
#include "base/text.h"
#include "exec/exec_int.h"

#include <math.h>

static void order_init(const hg_exec *exec, hg_order *order, const hg_order_request *request,
                       int64_t now_ns) {
    bool known = request->instrument < hg_universe_count(exec->universe);
    order->instrument = known ? request->instrument : HG_ID_NONE;
    order->strategy = request->strategy;
    order->state = HG_ORDER_INTENT;
    order->side = request->side == HG_SELL ? HG_SELL : HG_BUY;
    order->type = (uint8_t)request->type;
    order->tif = (uint8_t)(hg_order_type_market(request->type) && request->tif == HG_TIF_GTC
                               ? HG_TIF_IOC
                               : request->tif);
    order->post_only = request->post_only;
    order->reduce_only = request->reduce_only;
    order->created_ns = now_ns;
    order->updated_ns = now_ns;
    order->code = request->code;
    hg_text_copy(order->reason, sizeof order->reason, request->reason ? request->reason : "");
    hg_text_copy(order->line, sizeof order->line, request->line ? request->line : "");
}

/* Why and in which situation: what the order's line in the events file will say for ever. */
void hg_exec_explain(hg_exec *exec, hg_order *order, int64_t now_ns) {
    if (order->instrument == HG_ID_NONE) {
        return;
    }
    uint32_t underlying = hg_universe_get(exec->universe, order->instrument)->underlying_id;
    hg_portfolio *book = hg_share_book(exec, order);
    const hg_exposure *x = hg_portfolio_exposure(book, underlying, now_ns);
    hg_lots lots = order->side == HG_BUY ? order->size : -order->size;
    order->mid = hg_market_mid(exec->market, order->instrument);
    order->delta_before = x->delta;
    order->pending_lo = x->pending_lo;
    order->pending_hi = x->pending_hi;
    order->age_ms = x->age_s * 1e3;
    order->delta_after = order->delta_before +
                         (lots ? hg_portfolio_delta_of(book, order->instrument, lots, now_ns) : 0);
}

bool hg_exec_owe(hg_exec *exec, const hg_slot *slot, hg_event_kind kind, hg_reject code,
                 int64_t now_ns) {
    hg_event event = {.time_ns = now_ns,
                      .id = slot->order.instrument,
                      .kind = (uint8_t)kind,
                      .side = slot->order.side};
    event.order.id = slot->order.id;
    event.order.code = (uint16_t)code;
    event.order.price = slot->order.price;
    event.order.size = slot->order.size;
    return hg_ring_push(&exec->owed, &event);
}

bool hg_exec_refused(hg_exec *exec, const hg_order_request *request, uint64_t order,
                     const hg_refusal *refusal, int64_t now_ns) {
    if (exec->observer.refusal) {
        exec->observer.refusal(exec->observer.context, request, refusal);
    }
    return hg_risk_refused(exec, request, order, refusal, now_ns);
}

static int reject(hg_exec *exec, hg_slot *slot, const hg_order_request *request,
                  const hg_refusal *refusal, int64_t now_ns) {
    bool answer = hg_exec_refused(exec, request, slot ? slot->order.id : 0, refusal, now_ns);
    if (slot) {
        slot->order.state = HG_ORDER_REJECTED;
        slot->order.reject = (uint16_t)refusal->code;
        slot->owed = answer && hg_exec_owe(exec, slot, HG_EV_REJECTED, refusal->code, now_ns);
        exec->stats.alarms += answer && !slot->owed; /* the order itself shows what happened */
    }
    return HG_ERISK;
}

hg_risk_view hg_exec_view(hg_exec *exec, uint32_t instrument) {
    hg_risk_view view = {.exec = exec};
    if (instrument < hg_universe_count(exec->universe)) {
        view.pending_buy = exec->per[instrument].buy;
        view.pending_sell = exec->per[instrument].sell;
        view.open_orders = exec->per[instrument].open;
    }
    return view;
}

hg_reject hg_exec_judge(hg_exec *exec, const hg_risk_view *view, const hg_order_request *request,
                        int64_t now_ns, hg_risk_order *exact, hg_refusal *refusal) {
    exec->risk->now_ns = now_ns;
    hg_reject code = hg_risk_judge(view, request, now_ns, exact, refusal);
    return code != HG_REJECT_NONE ? code : hg_risk_spend(exec, view, request, now_ns, refusal);
}

hg_reject hg_exec_try(hg_exec *exec, const hg_order_request *request, int64_t now_ns,
                      hg_refusal *refusal) {
    hg_assert(exec && request && refusal);
    hg_risk_view view = hg_exec_view(exec, request->instrument);
    hg_risk_order exact;
    *refusal = (hg_refusal){0};
    return hg_risk_judge(&view, request, now_ns, &exact, refusal);
}

/* Hands an accepted order to the venue. It counts as pending before the venue can answer. */
int hg_exec_send(hg_exec *exec, hg_slot *slot, int64_t now_ns) {
    hg_order *order = &slot->order;
    hg_exec_explain(exec, order, now_ns);
    hg_risk_passed(exec, slot, now_ns);
    order->state = HG_ORDER_SENT;
    slot->sent = true;
    if (!slot->open) {
        hg_slot_open(exec, slot);
    }
    hg_slot_settle(exec, slot);
    int rc = exec->venue->ops->submit(exec->venue, order, now_ns);
    if (rc < 0) {
        order->state = HG_ORDER_REJECTED;
        hg_slot_settle(exec, slot);
        slot->sent = false;
        return rc;
    }
    hg_asked_add(exec, slot, now_ns);
    if (order->expires_ns > 0) {
        hg_expiry_add(exec, slot);
    }
    exec->stats.orders++;
    hg_exec_hash(exec, order, NULL);
    hg_exec_tell(exec, order);
    return HG_OK;
}

/* What a plain order has not: checked only where it is asked for. */
static bool beyond_plain(const hg_order_request *r, const hg_origin *origin) {
    return hg_order_type_triggered(r->type) || r->tif == HG_TIF_GTD || r->expires_ns != 0 ||
           r->valid_until_ns != 0 || r->oco != 0 || r->bracket || r->protection != 0 ||
           origin->role != HG_ROLE_NONE;
}

static hg_reject judge_beyond(hg_exec *exec, hg_slot *slot, const hg_order_request *request,
                              const hg_origin *origin, hg_refusal *refusal) {
    hg_reject code = hg_conditional_check(exec, request, origin, &slot->order, refusal);
    if (code == HG_REJECT_NONE) {
        code = hg_linked_check(exec, request, refusal);
    }
    if (code == HG_REJECT_NONE) {
        hg_linked_open(exec, slot, request, origin);
    }
    return code;
}

int hg_exec_submit_from(hg_exec *exec, const hg_order_request *request, const hg_origin *origin,
                        int64_t now_ns, uint64_t *id, hg_refusal *refusal) {
    hg_assert(exec && request && id && refusal);
    *refusal = (hg_refusal){0};
    hg_slot *slot = hg_slot_take(exec);
    if (!slot) {
        *id = 0;
        hg_refuse(refusal, HG_REJECT_CAPACITY, exec->capacity, exec->capacity,
                  "all %u places for orders hold open ones", exec->capacity);
        return reject(exec, NULL, request, refusal, now_ns);
    }
    *id = slot->order.id;
    order_init(exec, &slot->order, request, now_ns);
    hg_risk_view view = hg_exec_view(exec, request->instrument);
    view.operator_order = origin->operator_order;
    if (origin->role != HG_ROLE_NONE && request->reduce_only) {
        hg_pending_together(exec, request->instrument, request->side, &view);
    }
    hg_risk_order exact;
    bool beyond = beyond_plain(request, origin);
    hg_order_request plain;
    if (beyond) {
        plain = hg_conditional_plain(request);
    }
    hg_reject code = hg_exec_judge(exec, &view, beyond ? &plain : request, now_ns, &exact, refusal);
    slot->order.size = exact.size;
    slot->order.price = exact.price;
    if (code == HG_REJECT_NONE && beyond) {
        code = judge_beyond(exec, slot, request, origin, refusal);
    }
    bool held = code == HG_REJECT_NONE && beyond && hg_conditional_held(exec, &slot->order);
    if (code != HG_REJECT_NONE || held) {
        hg_exec_explain(exec, &slot->order, now_ns);
    }
    if (code == HG_REJECT_NONE &&
        (held ? hg_conditional_hold(exec, slot, now_ns) : hg_exec_send(exec, slot, now_ns)) < 0) {
        code = hg_refuse(refusal, HG_REJECT_CAPACITY, NAN, NAN,
                         "the venue did not take the order: %s", hg_error_text());
    }
    return code == HG_REJECT_NONE ? HG_OK : reject(exec, slot, request, refusal, now_ns);
}

int hg_exec_submit(hg_exec *exec, const hg_order_request *request, int64_t now_ns, uint64_t *id,
                   hg_refusal *refusal) {
    static const hg_origin script = {.role = HG_ROLE_NONE};
    return hg_exec_submit_from(exec, request, &script, now_ns, id, refusal);
}

/* One held here ends by our own event, any other by the venue's. */
int hg_exec_cancel_slot(hg_exec *exec, hg_slot *slot, hg_reject why, int64_t now_ns) {
    hg_order *order = &slot->order;
    if (order->cancel_pending || slot->end_kind != 0) {
        return HG_OK; /* asked already, or over at the venue */
    }
    order->cancel_pending = true;
    int rc = HG_OK;
    if (slot->held) {
        rc = hg_exec_owe(exec, slot, HG_EV_CANCELLED, why, now_ns) ? HG_OK : HG_ELIMIT;
    } else {
        rc = exec->venue->ops->cancel(exec->venue, order, now_ns);
    }
    if (rc < 0) {
        order->cancel_pending = false;
        return HG_ERR_CTX(HG_EVENUE, "cancel of order %llu", (unsigned long long)order->id);
    }
    slot->end_code = (uint16_t)why;
    if (!slot->held) {
        hg_asked_add(exec, slot, now_ns);
    } else if (slot->trigger != HG_TRIGGER_HANDLE_NONE) {
        hg_trigger_remove(exec->triggers, slot->trigger); /* it cannot fire in between */
        slot->trigger = HG_TRIGGER_HANDLE_NONE;
    }
    return HG_OK;
}

int hg_exec_cancel(hg_exec *exec, uint64_t id, int64_t now_ns) {
    hg_slot *slot = hg_slot_find(exec, id);
    if (!slot) {
        return HG_ERR(HG_ENOTFOUND, "no order %llu", (unsigned long long)id);
    }
    if (!hg_slot_is_open(slot)) {
        return HG_ERR(HG_ESTATE, "order %llu is %s", (unsigned long long)id,
                      hg_order_state_name((hg_order_state)slot->order.state));
    }
    if (!slot->order.cancel_pending && !hg_risk_cancel_token(exec, now_ns)) {
        return HG_ERR(HG_ELIMIT, "cancel of order %llu: too many messages per second",
                      (unsigned long long)id);
    }
    return hg_exec_cancel_slot(exec, slot, HG_REJECT_USER, now_ns);
}

uint32_t hg_exec_cancel_all(hg_exec *exec, uint16_t strategy, uint32_t instrument, int64_t now_ns) {
    uint32_t count = 0;
    uint32_t next = HG_SLOT_NONE;
    for (uint32_t i = exec->first_open; i != HG_SLOT_NONE; i = next) {
        const hg_order *order = &exec->slots[i].order;
        next = exec->slots[i].next;
        bool mine = strategy == HG_STRATEGY_ANY || order->strategy == strategy;
        bool meant = instrument == HG_ID_NONE || order->instrument == instrument;
        if (mine && meant && !order->cancel_pending &&
            hg_exec_cancel(exec, order->id, now_ns) == HG_OK) {
            count++;
        }
    }
    return count;
}

static hg_order_request amended_request(const hg_exec *exec, const hg_order *order, double price,
                                        double size) {
    const hg_instrument *inst = hg_universe_get(exec->universe, order->instrument);
    /* Zero keeps the old value; anything else, NaN too, is judged. */
    return (hg_order_request){.instrument = order->instrument,
                              .strategy = order->strategy,
                              .side = (hg_side)order->side,
                              .type = HG_TYPE_LIMIT,
                              .tif = order->tif == HG_TIF_GTD ? HG_TIF_GTC : (hg_tif)order->tif,
                              .size = size == 0 ? hg_size_to_double(inst, order->size) : size,
                              .price = price == 0 ? hg_price_to_double(inst, order->price) : price,
                              .post_only = order->post_only,
                              .reduce_only = order->reduce_only,
                              .code = order->code,
                              .reason = order->reason,
                              .line = order->line};
}

static int amend_allowed(const hg_slot *slot) {
    const hg_order *order = &slot->order;
    bool working = order->state == HG_ORDER_WORKING || order->state == HG_ORDER_PARTIAL;
    bool limit = !hg_order_type_market((hg_order_type)order->type);
    bool waits = order->state == HG_ORDER_UNTRIGGERED && !order->triggered;
    if (!(waits || (working && limit)) || order->cancel_pending || slot->amend_size != 0 ||
        slot->end_kind != 0) {
        return HG_ERR(HG_ESTATE, "order %llu is %s and cannot be amended now",
                      (unsigned long long)order->id,
                      hg_order_state_name((hg_order_state)order->state));
    }
    return HG_OK;
}

static int amend_working(hg_exec *exec, hg_slot *slot, const hg_amendment *a, int64_t now_ns,
                         hg_refusal *refusal) {
    const hg_order *order = &slot->order;
    hg_order_request request = amended_request(exec, order, a->price, a->size);
    hg_risk_view view = hg_exec_view(exec, order->instrument);
    view.open_orders--;
    view.amended = order;
    view.filled = order->filled;
    hg_pending_without(exec, slot, &view);
    if (order->role != HG_ROLE_NONE && order->reduce_only) {
        hg_pending_together(exec, order->instrument, (hg_side)order->side, &view);
    }
    hg_risk_order exact;
    if (hg_exec_judge(exec, &view, &request, now_ns, &exact, refusal) != HG_REJECT_NONE) {
        return reject(exec, NULL, &request, refusal, now_ns);
    }
    hg_order sent = *order;
    sent.price = exact.price;
    sent.size = exact.size;
    sent.updated_ns = now_ns;
    hg_risk_clear_path(exec, &sent, now_ns);
    slot->amend_price = exact.price;
    slot->amend_size = exact.size;
    hg_slot_settle(exec, slot);
    int rc = exec->venue->ops->amend(exec->venue, order, exact.price, exact.size, now_ns);
    if (rc < 0) {
        slot->amend_size = 0;
        hg_slot_settle(exec, slot);
        return HG_ERR_CTX(HG_EVENUE, "amendment of order %llu", (unsigned long long)order->id);
    }
    hg_asked_add(exec, slot, now_ns);
    hg_exec_hash(exec, &sent, NULL);
    return HG_OK;
}

int hg_exec_amend(hg_exec *exec, uint64_t id, double price, double size, int64_t now_ns,
                  hg_refusal *refusal) {
    const hg_amendment amendment = {.price = price, .size = size};
    return hg_exec_amend_order(exec, id, &amendment, now_ns, refusal);
}

int hg_exec_amend_order(hg_exec *exec, uint64_t id, const hg_amendment *a, int64_t now_ns,
                        hg_refusal *refusal) {
    hg_assert(exec && a && refusal);
    *refusal = (hg_refusal){0};
    hg_slot *slot = hg_slot_find(exec, id);
    if (!slot) {
        return HG_ERR(HG_ENOTFOUND, "no order %llu", (unsigned long long)id);
    }
    if (a->size != 0 && hg_order_leaves(&slot->order)) {
        return HG_ERR(HG_ESTATE,
                      "order %llu is an exit: its size follows what order %llu has filled",
                      (unsigned long long)id, (unsigned long long)slot->order.parent);
    }
    return hg_exec_amend_slot(exec, slot, a, now_ns, refusal);
}

int hg_exec_amend_slot(hg_exec *exec, hg_slot *slot, const hg_amendment *a, int64_t now_ns,
                       hg_refusal *refusal) {
    uint64_t id = slot->order.id;
    int rc = amend_allowed(slot);
    if (rc < 0) {
        return rc;
    }
    if (slot->order.state == HG_ORDER_UNTRIGGERED) {
        return hg_conditional_amend(exec, slot, a, now_ns, refusal);
    }
    if (a->trigger_price != 0 || a->trail != 0 || a->trail_fraction != 0) {
        return HG_ERR(HG_ESTATE, "order %llu has no trigger price to amend any more",
                      (unsigned long long)id);
    }
    return amend_working(exec, slot, a, now_ns, refusal);
}
