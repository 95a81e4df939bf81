/* The working orders a rehearsal begins with: those of the running code at the first event kept.
 * They are sent again to the venue of the rehearsal, with what was left of them then, so that a
 * candidate which would have left them alone sends nothing new.
 *
 * Approximate, because the past of an order is not kept: an order amended since then has its
 * present price, pairs and brackets are single orders, and places in a queue begin anew. */
#include "app/rehearsal.h"

#include <string.h>

#define ADOPTED_MAX 256u

typedef struct adopted {
    const hg_order *order;
    hg_lots left;
} adopted;

typedef struct adoption {
    adopted orders[ADOPTED_MAX];
    uint32_t count;
} adoption;

static void add(adoption *a, const hg_order *order) {
    bool conditional = hg_order_type_triggered((hg_order_type)order->type);
    bool before = conditional && order->triggered; /* then it is what it became: unknown */
    if (a->count < ADOPTED_MAX && !order->liquidation && !before) {
        a->orders[a->count++] = (adopted){order, hg_order_remaining(order)};
    }
}

static void collect(const hg_rehearsal *r, adoption *a) {
    uint16_t own = hg_script_index(r->running);
    uint64_t number = 0;
    const hg_order *o = NULL;
    while ((o = hg_recorder_ended(r->recorder, own, &number)) != NULL) {
        add(a, o);
    }
    o = NULL;
    while ((o = hg_exec_open_next(r->recorder->core->exec, own, o ? o->id : 0)) != NULL) {
        if (o->created_ns < r->core.start_ns) {
            add(a, o);
        }
    }
}

/* What was filled since then was still to come. */
static void unfill(const hg_rehearsal *r, adoption *a) {
    for (uint64_t n = r->recorder->first; n < r->end && a->count > 0; n++) {
        const hg_event *e = hg_recorder_get(r->recorder, n);
        for (uint32_t i = 0; e && e->kind == HG_EV_FILL && i < a->count; i++) {
            if (a->orders[i].order->id == e->order.id) {
                a->orders[i].left += e->order.size;
            }
        }
    }
}

static void send(hg_rehearsal *r, const hg_order *o, hg_lots left) {
    const hg_instrument *inst = hg_universe_get(r->core.universe, o->instrument);
    hg_order_request request = {.instrument = o->instrument,
                                .strategy = o->strategy,
                                .side = (hg_side)o->side,
                                .type = (hg_order_type)o->type,
                                .tif = (hg_tif)o->tif,
                                .size = hg_size_to_double(inst, left),
                                .post_only = o->post_only,
                                .reduce_only = o->reduce_only,
                                .again = true,
                                .code = o->code,
                                .reason = o->reason,
                                .line = o->line,
                                .expires_ns = o->expires_ns};
    if (!hg_order_type_market(request.type)) {
        request.price = hg_price_to_double(inst, o->price);
    }
    if (hg_order_type_triggered(request.type)) {
        request.trigger = (hg_trigger)o->trigger;
        request.trigger_price = hg_nano_to_double(o->trigger_price);
        request.trail = hg_nano_to_double(o->trail);
        request.trail_fraction = hg_nano_to_double(o->trail_fraction);
    }
    uint64_t id = 0;
    hg_refusal refusal;
    hg_exec_number_next(r->core.exec, o->id);
    (void)hg_exec_submit(r->core.exec, &request, r->core.now_ns, &id, &refusal);
}

void hg_rehearsal_adopt(hg_rehearsal *r) {
    adoption a = {.count = 0};
    collect(r, &a);
    unfill(r, &a);
    r->adopting = true;
    for (uint32_t i = 0; i < a.count; i++) {
        if (a.orders[i].left > 0) {
            send(r, a.orders[i].order, a.orders[i].left);
        }
    }
    hg_exec_number_next(r->core.exec, HG_REHEARSAL_LAST_ID + 1);
    hg_core_settle(&r->core, r->core.now_ns); /* nobody hears of it */
    r->adopting = false;
    hg_error_clear();
}
