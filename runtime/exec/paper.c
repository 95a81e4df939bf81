/* The paper venue: requests go in, answers come out in time order, nothing allocates in between.
 *
 * Time: a request is matched `latency` after it was sent and answered `latency` after that, both
 * at once when it is 0. Requests and answers are queues, since the latency is constant. Every
 * queue is bounded: matching stops while there is no room for its answers and goes on with the next
 * event, so that no fill is ever lost. */
#include "exec/paper.h"

#include "base/assert.h"
#include "exec/paper_int.h"

#include <stdlib.h>

#define ORDERS_DEFAULT 4096
#define REQUESTS 4096
#define ANSWERS 16384
#define TAKEN 8192
/* One order's end and the next request's answers always fit. */
#define ANSWERS_RESERVE 8

hg_lane *hg_paper_lane(const hg_paper *p, uint32_t instrument, hg_side side) {
    return &p->lanes[(size_t)instrument * 2 + (side == HG_SELL)];
}

uint32_t hg_paper_find(const hg_paper *p, uint64_t id) {
    uint32_t node = p->buckets[id & p->bucket_mask];
    while (node != HG_NODE_NONE && p->nodes[node].id != id) {
        node = p->nodes[node].chain;
    }
    return node;
}

/* --- answers ---------------------------------------------------------------------------------- */

bool hg_paper_room(const hg_paper *p) {
    return hg_ring_count(&p->answers) + ANSWERS_RESERVE < ANSWERS;
}

static void push(hg_paper *p, const hg_event *event) {
    bool pushed = hg_ring_push(&p->answers, event);
    hg_assert(pushed); /* hg_paper_room and the bound on requests leave the reserve */
}

static hg_event answer_to(const hg_paper *p, hg_event_kind kind, const hg_resting *order) {
    hg_event event = {.time_ns = p->now_ns + p->options.latency_ns,
                      .id = order->instrument,
                      .kind = (uint8_t)kind,
                      .side = order->side};
    event.order.id = order->id;
    event.order.price = order->price;
    event.order.size = order->size;
    return event;
}

void hg_paper_answer(hg_paper *p, hg_event_kind kind, const hg_resting *order, hg_reject code) {
    hg_event event = answer_to(p, kind, order);
    event.order.code = (uint16_t)code;
    push(p, &event);
}

static hg_cash fee_of(const hg_paper *p, const hg_resting *order, hg_ticks price, hg_lots lots,
                      bool maker) {
    const hg_instrument *inst = hg_universe_get(p->universe, order->instrument);
    hg_nano nano = 0;
    hg_nano spot = 0;
    hg_cash fee = 0;
    bool known = p->options.fees && hg_muldiv(price, inst->tick, 1, &nano) &&
                 hg_nano_from_double(hg_market_underlying(p->market, inst->underlying_id)->spot,
                                     &spot) &&
                 hg_fee(inst, nano, lots, maker, spot, &fee);
    return known ? fee : 0;
}

void hg_paper_fill(hg_paper *p, const hg_resting *order, hg_ticks price, hg_lots lots, bool maker) {
    hg_event event = answer_to(p, HG_EV_FILL, order);
    event.order.trade = ++p->last_trade;
    event.order.price = price;
    event.order.size = lots;
    event.order.fee = fee_of(p, order, price, lots, maker);
    event.order.maker = maker;
    push(p, &event);
}

/* --- requests --------------------------------------------------------------------------------- */

static void match(hg_paper *p, const hg_request *request) {
    /* A request that had to wait for room is matched now, not in the past. */
    p->now_ns = request->due_ns > p->now_ns ? request->due_ns : p->now_ns;
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

/* Matches what has arrived by `time_ns`. */
static void match_due(hg_paper *p, int64_t time_ns) {
    const hg_request *head = hg_ring_peek(&p->requests);
    while (head && head->due_ns <= time_ns && hg_paper_room(p)) {
        hg_request request;
        hg_ring_pop(&p->requests, &request);
        match(p, &request);
        head = hg_ring_peek(&p->requests);
    }
}

static int request(hg_paper *p, hg_request *r, int64_t now_ns) {
    r->due_ns = now_ns + p->options.latency_ns;
    if (p->options.latency_ns == 0 && hg_paper_room(p) && hg_ring_count(&p->requests) == 0) {
        match(p, r);
        return HG_OK;
    }
    if (!hg_ring_push(&p->requests, r)) {
        return HG_ERR(HG_ELIMIT, "paper venue: %u requests are waiting", REQUESTS);
    }
    return HG_OK;
}

static hg_resting resting_of(const hg_order *order) {
    return (hg_resting){.id = order->id,
                        .instrument = order->instrument,
                        .side = order->side,
                        .tif = order->tif == HG_TIF_GTD ? HG_TIF_GTC : order->tif,
                        .market = hg_order_type_market((hg_order_type)order->type),
                        .post_only = order->post_only,
                        .price = order->price,
                        .size = order->size,
                        .filled = order->filled};
}

static hg_paper *paper_of(hg_venue *venue) {
    return (hg_paper *)venue;
}

static int paper_submit(hg_venue *venue, const hg_order *order, int64_t now_ns) {
    hg_assert(order->size > 0 && order->price > 0);
    hg_request r = {.kind = HG_REQ_SUBMIT, .order = resting_of(order)};
    return request(paper_of(venue), &r, now_ns);
}

static int paper_cancel(hg_venue *venue, const hg_order *order, int64_t now_ns) {
    hg_request r = {.kind = HG_REQ_CANCEL, .order = resting_of(order)};
    return request(paper_of(venue), &r, now_ns);
}

static int paper_amend(hg_venue *venue, const hg_order *order, hg_ticks price, hg_lots size,
                       int64_t now_ns) {
    hg_assert(size > 0 && price > 0);
    hg_request r = {.kind = HG_REQ_AMEND, .order = resting_of(order)};
    r.order.price = price;
    r.order.size = size;
    return request(paper_of(venue), &r, now_ns);
}

/* --- the feed --------------------------------------------------------------------------------- */

/* A price or side that the feed tells again shows its full size again. A quote beside a book says
 * nothing new about the levels of the book. */
static void refresh(hg_paper *p, const hg_event *e) {
    const hg_depth *depth = hg_market_get(p->market, e->id)->depth;
    bool booked = depth && (depth->bid_count > 0 || depth->ask_count > 0);
    if (e->kind == HG_EV_DEPTH && !(e->flags & HG_EVF_SNAPSHOT)) {
        hg_taken_forget(p, e->id, (hg_side)e->side, e->level.price);
    } else if (e->kind == HG_EV_DEPTH || !booked) {
        hg_taken_clear(p, e->id, HG_BUY);
        hg_taken_clear(p, e->id, HG_SELL);
    }
}

static void paper_observe(hg_venue *venue, const hg_event *e) {
    hg_paper *p = paper_of(venue);
    if (hg_ring_count(&p->requests) > 0) {
        match_due(p, e->time_ns);
    }
    bool ours = e->kind == HG_EV_QUOTE || e->kind == HG_EV_DEPTH || e->kind == HG_EV_TRADE ||
                e->kind == HG_EV_SETTLE;
    if (!ours || e->id >= hg_universe_count(p->universe)) {
        return;
    }
    const hg_lane *lanes = hg_paper_lane(p, e->id, HG_BUY);
    bool idle = lanes[0].best == HG_NODE_NONE && lanes[1].best == HG_NODE_NONE;
    bool untouched = lanes[0].taken == HG_NODE_NONE && lanes[1].taken == HG_NODE_NONE;
    if (idle && untouched) {
        return;
    }
    p->now_ns = e->time_ns;
    if (e->kind == HG_EV_SETTLE) {
        hg_paper_drop(p, e->id);
    } else if (e->kind == HG_EV_TRADE) {
        hg_paper_print(p, e);
    } else {
        refresh(p, e);
        hg_paper_queue(p, e);
        /* Inside a book update the sides may cross for a moment: wait for its last level. */
        if (e->kind == HG_EV_QUOTE || !(e->flags & HG_EVF_MORE)) {
            hg_paper_cross(p, e->id);
        }
    }
}

/* The oldest request, when it can be matched; without room the answers must be fetched first. */
static const hg_request *next_arrival(const hg_paper *p) {
    return hg_paper_room(p) ? hg_ring_peek(&p->requests) : NULL;
}

/* The next thing to happen: a request to be matched or an answer to be told. */
static int64_t paper_due_ns(const hg_venue *venue) {
    const hg_paper *p = (const hg_paper *)venue;
    const hg_event *answer = hg_ring_peek(&p->answers);
    const hg_request *arrival = next_arrival(p);
    int64_t due_ns = answer ? answer->time_ns : INT64_MAX;
    return arrival && arrival->due_ns < due_ns ? arrival->due_ns : due_ns;
}

/* Matches what comes before the oldest answer; false when that left nothing to tell at its time. */
static bool paper_next(hg_venue *venue, hg_event *event) {
    hg_paper *p = paper_of(venue);
    const hg_request *arrival = next_arrival(p);
    const hg_event *answer = hg_ring_peek(&p->answers);
    if (arrival && (!answer || arrival->due_ns < answer->time_ns)) {
        int64_t due_ns = arrival->due_ns;
        match_due(p, due_ns);
        answer = hg_ring_peek(&p->answers);
        if (!answer || answer->time_ns > due_ns) {
            return false;
        }
    }
    return hg_ring_pop(&p->answers, event);
}

static void paper_close(hg_venue *venue) {
    hg_paper *p = paper_of(venue);
    hg_ring_fini(&p->requests);
    hg_ring_fini(&p->answers);
    free(p->nodes);
    free(p->buckets);
    free(p->taken);
    free(p->lanes);
    free(p);
}

static const hg_venue_ops paper_ops = {.name = "paper",
                                       .submit = paper_submit,
                                       .cancel = paper_cancel,
                                       .amend = paper_amend,
                                       .observe = paper_observe,
                                       .due_ns = paper_due_ns,
                                       .next = paper_next,
                                       .close = paper_close};

static void free_lists_init(hg_paper *p) {
    for (uint32_t i = 0; i < p->options.order_capacity; i++) {
        p->nodes[i].next = i + 1 < p->options.order_capacity ? i + 1 : HG_NODE_NONE;
    }
    for (uint32_t i = 0; i < TAKEN; i++) {
        p->taken[i].next = i + 1 < TAKEN ? i + 1 : HG_NODE_NONE;
    }
    for (uint32_t i = 0; i < hg_universe_count(p->universe) * 2; i++) {
        p->lanes[i] = (hg_lane){HG_NODE_NONE, HG_NODE_NONE, HG_NODE_NONE};
    }
    for (uint32_t i = 0; i <= p->bucket_mask; i++) {
        p->buckets[i] = HG_NODE_NONE;
    }
}

int hg_paper_open(const hg_market *market, const hg_paper_options *options, hg_venue **out) {
    hg_assert(market && options && out);
    if (options->latency_ns < 0 || options->fill > HG_FILL_QUEUE) {
        return HG_ERR(HG_EINVALID, "paper venue: latency must not be negative");
    }
    hg_paper *p = calloc(1, sizeof *p);
    if (!p) {
        return HG_ERR(HG_ENOMEM, "paper venue");
    }
    p->venue.ops = &paper_ops;
    p->market = market;
    p->universe = hg_market_universe(market);
    p->options = *options;
    if (p->options.order_capacity == 0) {
        p->options.order_capacity = ORDERS_DEFAULT;
    }
    p->bucket_mask = 63;
    while (p->bucket_mask < p->options.order_capacity && p->bucket_mask < UINT32_MAX / 4) {
        p->bucket_mask = p->bucket_mask * 2 + 1;
    }
    size_t count = hg_universe_count(p->universe);
    p->buckets = calloc((size_t)p->bucket_mask + 1, sizeof *p->buckets);
    p->nodes = calloc(p->options.order_capacity, sizeof *p->nodes);
    p->taken = calloc(TAKEN, sizeof *p->taken);
    p->lanes = calloc(count ? count * 2 : 1, sizeof *p->lanes);
    bool requests = hg_ring_init(&p->requests, sizeof(hg_request), REQUESTS);
    bool answers = hg_ring_init(&p->answers, sizeof(hg_event), ANSWERS);
    if (!p->buckets || !p->nodes || !p->taken || !p->lanes || !requests || !answers) {
        paper_close(&p->venue);
        return HG_ERR(HG_ENOMEM, "paper venue of %u orders", p->options.order_capacity);
    }
    free_lists_init(p);
    *out = &p->venue;
    return HG_OK;
}
