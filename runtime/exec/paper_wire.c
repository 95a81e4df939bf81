/* The wire between us and matching: latencies, the taker delay, lost and repeated answers.
 *
 * Requests of one leg never overtake each other, and a request never overtakes another one of its
 * own order; a cancel may overtake the submit of another order. Answers come in the order in which
 * matching gave them, but for those a fault withholds; one order's answers never overtake each
 * other even then. */
#include "base/assert.h"
#include "base/clock.h"
#include "base/pages.h"
#include "exec/paper_int.h"

#include <stdlib.h>

#define REQUESTS 4096
#define ANSWERS 16384
#define LATE 4096
/* One order's end and the next request's answers always fit. */
#define ANSWERS_RESERVE 8
#define PROOF_DEFAULT_NS (5 * HG_NS_PER_S)
/* An answer later than this is missing, once answers may stay out: round trips of public venues
 * take tens of milliseconds. */
#define ANSWER_NS HG_NS_PER_S
#define REPEAT_NS (10 * HG_NS_PER_MS)

static hg_order_wire *wire_of(const hg_paper *p, uint64_t id) {
    return &p->wires[id & (HG_WIRE_ORDERS - 1)];
}

/* --- answers ---------------------------------------------------------------------------------- */

bool hg_wire_room(const hg_paper *p) {
    return hg_ring_count(&p->answers) + ANSWERS_RESERVE < ANSWERS;
}

static void push(hg_paper *p, const hg_event *event) {
    bool pushed = hg_ring_push(&p->answers, event);
    hg_assert(pushed); /* hg_wire_room and the bound on requests leave the reserve */
}

/* False: no place; the caller falls back on the ordinary way, so that nothing is lost. */
static bool push_late(hg_paper *p, hg_event event, int64_t time_ns) {
    event.time_ns = time_ns;
    return hg_heap_push(&p->late, time_ns, &event);
}

/* Until when a fault keeps an answer back; INT64_MIN: it does not. */
static int64_t withheld_until(hg_paper *p, const hg_event *event) {
    const hg_faults *faults = &p->options.faults;
    hg_order_wire *wire = wire_of(p, event->order.id);
    int64_t until_ns = wire->withheld_ns > event->time_ns ? wire->withheld_ns : INT64_MIN;
    if (hg_fault_cut(&p->clock, event->time_ns) && p->clock.cut_to_ns > until_ns) {
        until_ns = p->clock.cut_to_ns;
    }
    if (until_ns == INT64_MIN && faults->lose > 0 && hg_rng_uniform(&p->rng) < faults->lose) {
        until_ns = event->time_ns + (faults->proof_ns ? faults->proof_ns : PROOF_DEFAULT_NS);
    }
    wire->withheld_ns = until_ns > wire->withheld_ns ? until_ns : wire->withheld_ns;
    return until_ns;
}

static void push_faulty(hg_paper *p, const hg_event *event) {
    int64_t until_ns = withheld_until(p, event);
    if (until_ns != INT64_MIN && push_late(p, *event, until_ns)) {
        p->stats.answers_late++;
        return;
    }
    push(p, event);
    double repeat = p->options.faults.repeat;
    if (repeat > 0 && hg_rng_uniform(&p->rng) < repeat &&
        push_late(p, *event, event->time_ns + REPEAT_NS)) {
        p->stats.answers_twice++;
    }
}

void hg_wire_cut(hg_paper *p) {
    hg_event event = {.kind = HG_EV_CUT};
    event.time_ns = hg_delay_arrival(&p->legs[HG_LEG_ACK],
                                     p->now_ns); /* what left before arrives */
    push(p, &event);
}

static void tell(hg_paper *p, hg_event *event) {
    event->time_ns = hg_delay_arrival(&p->legs[HG_LEG_ACK], p->now_ns);
    if (p->faulty) {
        push_faulty(p, event);
    } else {
        push(p, event);
    }
}

static hg_event answer_to(hg_event_kind kind, const hg_resting *order) {
    hg_event event = {.id = order->instrument, .kind = (uint8_t)kind, .side = order->side};
    event.order.id = order->id;
    event.order.price = order->price;
    event.order.size = order->size;
    event.order.filled = order->filled;
    return event;
}

void hg_wire_answer(hg_paper *p, hg_event_kind kind, const hg_resting *order, hg_reject code) {
    hg_event event = answer_to(kind, order);
    event.order.code = (uint16_t)code;
    event.order.about = kind == HG_EV_REJECTED ? p->about : HG_ABOUT_ANY;
    tell(p, &event);
}

/* 0: it is not known. */
static hg_nano index_of(const hg_paper *p, const hg_instrument *inst) {
    hg_nano index = 0;
    double spot = hg_market_underlying(p->market, inst->underlying_id)->spot;
    return hg_nano_from_double(spot, &index) && index > 0 ? index : 0;
}

static hg_cash fee_of(const hg_paper *p, const hg_instrument *inst, hg_ticks price, hg_lots lots,
                      bool maker, hg_nano index) {
    hg_nano nano = 0;
    hg_cash fee = 0;
    bool known = p->options.fees && hg_muldiv(price, inst->tick, 1, &nano) &&
                 hg_fee(inst, nano, lots, maker, index, &fee);
    return known ? fee : 0;
}

void hg_wire_fill(hg_paper *p, const hg_resting *order, hg_ticks price, hg_lots lots, bool maker) {
    const hg_instrument *inst = hg_universe_get(p->universe, order->instrument);
    hg_event event = answer_to(HG_EV_FILL, order);
    event.flags = maker ? HG_EVF_MAKER : 0;
    event.order.trade = ++p->last_trade;
    event.order.price = price;
    event.order.size = lots;
    event.order.index = index_of(p, inst);
    event.order.fee = fee_of(p, inst, price, lots, maker, event.order.index);
    tell(p, &event);
}

int64_t hg_wire_answer_due_ns(const hg_paper *p) {
    const hg_event *answer = hg_ring_peek(&p->answers);
    int64_t due_ns = hg_heap_due_ns(&p->late);
    return answer && answer->time_ns < due_ns ? answer->time_ns : due_ns;
}

bool hg_wire_next(hg_paper *p, hg_event *event) {
    const hg_event *answer = hg_ring_peek(&p->answers);
    if (answer && answer->time_ns <= hg_heap_due_ns(&p->late)) {
        return hg_ring_pop(&p->answers, event);
    }
    return hg_heap_pop(&p->late, event);
}

/* --- requests that arrive --------------------------------------------------------------------- */

/* Takes one credit of rules.rate; integer arithmetic in event time. */
static bool credit_take(hg_paper *p) {
    const hg_paper_rules *rules = &p->options.rules;
    hg_credits *c = &p->credits;
    int64_t full = rules->burst * HG_NS_PER_S;
    int64_t idle_ns = p->now_ns - c->time_ns;
    int64_t gained = idle_ns < full / rules->rate + 1 ? idle_ns * rules->rate : full;
    c->level = full - c->level > gained ? c->level + gained : full;
    c->time_ns = p->now_ns;
    if (c->level < HG_NS_PER_S) {
        return false;
    }
    c->level -= HG_NS_PER_S;
    return true;
}

static hg_reject obstacle(hg_paper *p) {
    if (hg_fault_down(&p->clock, p->now_ns)) {
        p->stats.rejects_down++;
        return HG_REJECT_VENUE_DOWN;
    }
    if (p->options.faults.busy > 0 && hg_rng_uniform(&p->rng) < p->options.faults.busy) {
        p->stats.rejects_busy++;
        return HG_REJECT_VENUE_BUSY;
    }
    if (p->options.rules.rate > 0 && !credit_take(p)) {
        p->stats.rejects_rate++;
        return HG_REJECT_VENUE_RATE;
    }
    return HG_REJECT_NONE;
}

/* The connection is cut: the request never arrives. Once it is back the venue says that it knows of
 * no such request; until then a new order is unknown. */
static void vanish(hg_paper *p, const hg_request *request) {
    hg_event proof = answer_to(HG_EV_REJECTED, &request->order);
    proof.order.about = p->about;
    proof.order.code = HG_REJECT_NEVER_ARRIVED;
    p->stats.vanished++;
    if (!push_late(p, proof, p->clock.cut_to_ns)) {
        proof.time_ns = p->now_ns;
        push(p, &proof);
    }
}

/* Whether a fault or the rate limit met the request, which is answered then. */
static bool stopped(hg_paper *p, const hg_request *request) {
    hg_link_watch(p, p->now_ns);
    if (hg_fault_cut(&p->clock, p->now_ns)) {
        vanish(p, request);
        return true;
    }
    hg_reject code = obstacle(p);
    if (code == HG_REJECT_NONE) {
        return false;
    }
    p->stats.rejects++;
    hg_wire_answer(p, HG_EV_REJECTED, &request->order, code);
    if (code == HG_REJECT_VENUE_RATE && p->options.rules.rate_cut_ns > 0) {
        hg_fault_clock_cut(&p->clock, p->now_ns + p->options.rules.rate_cut_ns);
        hg_link_watch(p, p->now_ns);
    }
    return true;
}

/* --- the taker delay -------------------------------------------------------------------------- */

/* The order as it would stand after an amendment; false when it is not open. */
static bool amended(const hg_paper *p, const hg_request *request, hg_resting *out) {
    uint32_t node = hg_own_find(p, request->order.id);
    if (node == HG_NODE_NONE) {
        return false;
    }
    *out = p->nodes[node];
    out->price = request->order.price;
    return true;
}

/* Orders that would take wait at the door, so that makers can step away. */
static bool hold(hg_paper *p, hg_request *request) {
    hg_resting order = request->order;
    if (request->held || request->kind == HG_REQ_CANCEL ||
        order.instrument >= hg_universe_count(p->universe) ||
        (request->kind == HG_REQ_AMEND && !amended(p, request, &order))) {
        return false;
    }
    const hg_instrument *inst = hg_universe_get(p->universe, order.instrument);
    int64_t delay_ns = hg_rules_taker_delay(&p->options.rules, inst);
    if (delay_ns == 0 || order.post_only || !hg_paper_would_take(p, &order)) {
        return false;
    }
    request->held = true;
    p->held++;
    p->stats.delayed++;
    bool pushed = hg_heap_push(&p->requests, p->now_ns + delay_ns, request);
    hg_assert(pushed); /* it was taken off the same heap, or the heap was empty */
    return true;
}

bool hg_wire_unhold(hg_paper *p, uint64_t id) {
    for (uint32_t k = 0; k < p->requests.count; k++) {
        const hg_request *request = hg_heap_at(&p->requests, k);
        if (request->held && request->kind == HG_REQ_SUBMIT && request->order.id == id) {
            hg_heap_remove(&p->requests, k);
            p->held--;
            return true;
        }
    }
    return false;
}

/* --- requests --------------------------------------------------------------------------------- */

static void match(hg_paper *p, hg_request *request, int64_t due_ns) {
    static const uint8_t about[] = {[HG_REQ_SUBMIT] = HG_ABOUT_ORDER,
                                    [HG_REQ_CANCEL] = HG_ABOUT_CANCEL,
                                    [HG_REQ_AMEND] = HG_ABOUT_AMEND};
    p->about = about[request->kind];
    /* A request that had to wait for room is matched now, not in the past. */
    p->now_ns = due_ns > p->now_ns ? due_ns : p->now_ns;
    p->held -= request->held;
    if (p->faulty && !request->held && stopped(p, request)) {
        return;
    }
    if (hg_parked_request(p, request) || hold(p, request)) {
        return;
    }
    p->stats.requests++;
    switch (request->kind) {
    case HG_REQ_SUBMIT:
        hg_paper_submit(p, &request->order);
        break;
    case HG_REQ_CANCEL:
        hg_paper_cancel(p, &request->order);
        break;
    case HG_REQ_AMEND:
        hg_paper_amend(p, &request->order);
        break;
    }
}

void hg_wire_arrive(hg_paper *p, int64_t until_ns) {
    while (hg_heap_due_ns(&p->requests) <= until_ns && hg_wire_room(p)) {
        hg_request request;
        int64_t due_ns = hg_heap_due_ns(&p->requests);
        bool popped = hg_heap_pop(&p->requests, &request);
        hg_assert(popped);
        match(p, &request, due_ns);
    }
}

int hg_wire_send(hg_paper *p, hg_request *request, int64_t now_ns) {
    static const hg_latency_leg legs[] = {[HG_REQ_SUBMIT] = HG_LEG_SUBMIT,
                                          [HG_REQ_CANCEL] = HG_LEG_CANCEL,
                                          [HG_REQ_AMEND] = HG_LEG_AMEND};
    if (p->requests.count == p->requests.capacity) {
        return HG_ERR(HG_ELIMIT, "paper venue: %u requests are waiting", p->requests.capacity);
    }
    hg_order_wire *wire = wire_of(p, request->order.id);
    int64_t due_ns = hg_delay_arrival(&p->legs[legs[request->kind]], now_ns);
    due_ns = due_ns < wire->arrival_ns ? wire->arrival_ns : due_ns;
    wire->arrival_ns = due_ns;
    if (due_ns <= now_ns && hg_wire_room(p) && hg_heap_due_ns(&p->requests) > now_ns) {
        match(p, request, now_ns);
        return HG_OK;
    }
    bool pushed = hg_heap_push(&p->requests, due_ns, request);
    hg_assert(pushed); /* there was room */
    return HG_OK;
}

/* --- life ------------------------------------------------------------------------------------- */

int hg_wire_open(hg_paper *p) {
    const hg_paper_options *o = &p->options;
    hg_fault_clock_init(&p->clock, &p->options.faults, o->seed);
    hg_rng_init(&p->rng, o->seed, HG_LEGS);
    p->faulty = o->faults.windows > 0 || o->faults.lose > 0 || o->faults.busy > 0 ||
                o->faults.repeat > 0 || o->rules.rate > 0;
    p->venue.answer_ns = p->faulty ? ANSWER_NS : 0;
    p->credits = (hg_credits){o->rules.burst * HG_NS_PER_S, 0};
    p->wires = hg_pages_new(HG_WIRE_ORDERS, sizeof *p->wires);
    bool requests = hg_heap_init(&p->requests, sizeof(hg_request), REQUESTS);
    bool late = hg_heap_init(&p->late, sizeof(hg_event), LATE);
    bool answers = hg_ring_init(&p->answers, sizeof(hg_event), ANSWERS);
    if (!p->wires || !requests || !late || !answers) {
        return HG_ERR(HG_ENOMEM, "paper venue");
    }
    int rc = HG_OK;
    for (int leg = 0; leg < HG_LEG_DATA && rc == HG_OK; leg++) {
        rc = hg_delay_open(&p->legs[leg], &o->latency.leg[leg], o->seed, (hg_latency_leg)leg);
    }
    return rc;
}

void hg_wire_close(hg_paper *p) {
    for (int leg = 0; leg < HG_LEG_DATA; leg++) {
        hg_delay_close(&p->legs[leg]);
    }
    hg_heap_fini(&p->requests);
    hg_heap_fini(&p->late);
    hg_ring_fini(&p->answers);
    hg_pages_free(p->wires);
}
