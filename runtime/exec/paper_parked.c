/* Trigger orders at the venue: what a paper venue that pretends to have them does with them. The
 * rules of triggers are those of trigger.c, which the runtime uses as well to emulate them; here
 * they fire inside the exchange, without a way from us to it. */
#include "base/assert.h"
#include "base/pages.h"
#include "exec/paper_int.h"

#include <stdlib.h>

/* A market order of the venue's own has no collar of ours: ten per cent through its trigger. */
#define COLLAR 0.10

static uint32_t parked_find(const hg_paper *p, uint64_t id) {
    uint32_t i = 0;
    while (i < p->parked_count && p->parked[i].order.id != id) {
        i++;
    }
    return i;
}

static void parked_drop(hg_paper *p, uint32_t i) {
    p->parked[i] = p->parked[--p->parked_count];
}

static hg_ticks collar_of(const hg_paper *p, const hg_parked *parked) {
    const hg_instrument *inst = hg_universe_get(p->universe, parked->order.instrument);
    double trigger = hg_nano_to_double(hg_trigger_price(p->triggers, parked->handle));
    bool buy = parked->order.side == HG_BUY;
    hg_ticks price = hg_price_round(inst, trigger * (buy ? 1 + COLLAR : 1 - COLLAR), buy ? 1 : -1);
    return price > 0 ? price : 1;
}

static bool fire(void *context, uint64_t id) {
    hg_paper *p = context;
    uint32_t i = parked_find(p, id);
    hg_assert(i < p->parked_count);
    if (!hg_wire_room(p)) {
        return false; /* the next price fires it */
    }
    hg_resting order = p->parked[i].order;
    order.fired = true;
    order.price = order.market ? collar_of(p, &p->parked[i]) : order.price;
    parked_drop(p, i);
    p->about = HG_ABOUT_ORDER;
    hg_wire_answer(p, HG_EV_TRIGGERED, &order, HG_REJECT_NONE);
    hg_paper_submit(p, &order);
    return true;
}

int hg_parked_open(hg_paper *p) {
    if (p->options.rules.native == 0) {
        return HG_OK;
    }
    hg_trigger_user user = {.context = p, .fire = fire};
    p->parked = hg_pages_new(p->options.order_capacity, sizeof *p->parked);
    p->triggers = hg_trigger_book_new(p->universe, p->options.order_capacity, &user);
    return p->parked && p->triggers ? HG_OK : HG_ERR(HG_ENOMEM, "trigger orders of the venue");
}

void hg_parked_close(hg_paper *p) {
    hg_trigger_book_free(p->triggers);
    hg_pages_free(p->parked);
}

/* --- requests --------------------------------------------------------------------------------- */

static void park(hg_paper *p, const hg_request *request) {
    uint32_t handle = HG_TRIGGER_HANDLE_NONE;
    hg_trigger_spec spec = request->wait;
    spec.reference = hg_trigger_reference(p->market, spec.instrument, spec.source);
    if (p->parked_count < p->options.order_capacity) {
        handle = hg_trigger_add(p->triggers, &spec);
    }
    if (handle == HG_TRIGGER_HANDLE_NONE) {
        hg_wire_answer(p, HG_EV_REJECTED, &request->order, HG_REJECT_CAPACITY);
        return;
    }
    p->parked[p->parked_count++] = (hg_parked){request->order, handle};
    hg_wire_answer(p, HG_EV_ACK, &request->order, HG_REJECT_NONE);
}

static void repark(hg_paper *p, uint32_t i, const hg_request *request) {
    hg_trigger_spec spec = request->wait;
    hg_parked *parked = &p->parked[i];
    if (spec.id != 0) { /* else it goes on waiting for what it waited for */
        spec.reference = hg_trigger_reference(p->market, spec.instrument, spec.source);
        hg_trigger_remove(p->triggers, parked->handle);
        parked->handle = hg_trigger_add(p->triggers, &spec);
        hg_assert(parked->handle != HG_TRIGGER_HANDLE_NONE); /* one has just left */
    }
    parked->order.price = request->order.price;
    parked->order.size = request->order.size;
    hg_wire_answer(p, HG_EV_ACK, &parked->order, HG_REJECT_NONE);
}

bool hg_parked_request(hg_paper *p, const hg_request *request) {
    bool submit = request->kind == HG_REQ_SUBMIT;
    if (submit && request->valid_until_ns > 0 && p->now_ns > request->valid_until_ns) {
        hg_wire_answer(p, HG_EV_REJECTED, &request->order, HG_REJECT_TIMED_OUT);
        return true;
    }
    if (!p->triggers) {
        return false;
    }
    if (submit && request->wait.id != 0) {
        park(p, request);
        return true;
    }
    uint32_t i = submit ? p->parked_count : parked_find(p, request->order.id);
    if (i == p->parked_count) {
        return false;
    }
    if (request->kind == HG_REQ_CANCEL) {
        hg_trigger_remove(p->triggers, p->parked[i].handle);
        hg_wire_answer(p, HG_EV_CANCELLED, &p->parked[i].order, HG_REJECT_USER);
        parked_drop(p, i);
    } else {
        repark(p, i, request);
    }
    return true;
}

void hg_parked_observe(hg_paper *p, const hg_event *event) {
    if (p->parked_count > 0) {
        p->now_ns = event->time_ns;
        hg_trigger_observe(p->triggers, event);
    }
}
