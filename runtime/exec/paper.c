/* The paper venue as the session sees it: requests go in, the feed is watched, answers come out in
 * time order, and nothing allocates in between. Every queue is bounded: matching stops while there
 * is no room for its answers and goes on with the next event, so that no fill is ever lost. */
#include "exec/paper.h"

#include "base/assert.h"
#include "base/pages.h"
#include "exec/paper_int.h"

#include <stdlib.h>

#define ORDERS_DEFAULT 4096
#define TAKEN 8192

static hg_paper *paper_of(hg_venue *venue) {
    return (hg_paper *)venue;
}

/* --- requests --------------------------------------------------------------------------------- */

static hg_resting resting_of(const hg_order *order) {
    return (hg_resting){.id = order->id,
                        .instrument = order->instrument,
                        .side = order->side,
                        .tif = order->tif == HG_TIF_GTD ? HG_TIF_GTC : order->tif,
                        .market = hg_order_type_market((hg_order_type)order->type),
                        .post_only = order->post_only,
                        .reduce_only = order->reduce_only,
                        .price = order->price,
                        .size = order->size,
                        .filled = order->filled};
}

/* id 0 unless it waits at the venue. */
static hg_trigger_spec wait_of(const hg_order *order) {
    hg_order_type type = (hg_order_type)order->type;
    if (!hg_order_type_triggered(type) || order->triggered) {
        return (hg_trigger_spec){0};
    }
    return (hg_trigger_spec){.id = order->id,
                             .instrument = order->instrument,
                             .source = (hg_trigger)order->trigger,
                             .above = hg_trigger_above(type, (hg_side)order->side),
                             .price = order->trigger_price,
                             .trail = order->trail,
                             .trail_fraction = order->trail_fraction};
}

static int paper_submit(hg_venue *venue, const hg_order *order, int64_t now_ns) {
    hg_request r = {.kind = HG_REQ_SUBMIT,
                    .order = resting_of(order),
                    .wait = wait_of(order),
                    .valid_until_ns = order->valid_until_ns};
    return hg_wire_send(paper_of(venue), &r, now_ns);
}

static int paper_cancel(hg_venue *venue, const hg_order *order, int64_t now_ns) {
    hg_request r = {.kind = HG_REQ_CANCEL, .order = resting_of(order)};
    return hg_wire_send(paper_of(venue), &r, now_ns);
}

static int paper_amend(hg_venue *venue, const hg_order *order, hg_ticks price, hg_lots size,
                       int64_t now_ns) {
    hg_assert(size > 0 && price > 0);
    hg_request r = {.kind = HG_REQ_AMEND, .order = resting_of(order)};
    r.order.price = price;
    r.order.size = size;
    return hg_wire_send(paper_of(venue), &r, now_ns);
}

static int paper_amend_trigger(hg_venue *venue, const hg_order *order, int64_t now_ns) {
    hg_request r = {.kind = HG_REQ_AMEND, .order = resting_of(order), .wait = wait_of(order)};
    return hg_wire_send(paper_of(venue), &r, now_ns);
}

/* --- the feed and the answers ----------------------------------------------------------------- */

static bool concerns(const hg_paper *p, const hg_event *e) {
    bool ours = e->kind == HG_EV_QUOTE || e->kind == HG_EV_DEPTH || e->kind == HG_EV_TRADE ||
                e->kind == HG_EV_SETTLE;
    if (!ours || e->id >= hg_universe_count(p->universe)) {
        return false;
    }
    const hg_lane *lanes = hg_paper_lane(p, e->id, HG_BUY);
    bool idle = lanes[0].best == HG_NODE_NONE && lanes[1].best == HG_NODE_NONE;
    bool untouched = lanes[0].taken == HG_NODE_NONE && lanes[1].taken == HG_NODE_NONE;
    return !(idle && untouched);
}

static void paper_observe(hg_venue *venue, const hg_event *e) {
    hg_paper *p = paper_of(venue);
    if (p->faulty) {
        hg_link_watch(p, e->time_ns);
    }
    if (e->kind == HG_EV_TRADE && e->id < hg_universe_count(p->universe)) {
        hg_paper_lane(p, e->id, HG_BUY)->traded = true;
    }
    if (p->bands) {
        hg_band_observe(p, e);
    }
    if (hg_heap_due_ns(&p->requests) <= e->time_ns) {
        hg_wire_arrive(p, e->time_ns);
    }
    hg_parked_observe(p, e);
    if (concerns(p, e)) {
        p->now_ns = e->time_ns;
        hg_resting_observe(p, e);
        hg_held_follow(p, e->id);
    }
    if (e->kind == HG_EV_SETTLE && e->id < hg_universe_count(p->universe)) {
        hg_held_settle(p, e->id);
    }
}

/* When the next request can be matched; without room the answers must be fetched first. */
static int64_t arrival_ns(const hg_paper *p) {
    return hg_wire_room(p) ? hg_heap_due_ns(&p->requests) : INT64_MAX;
}

/* The next thing to happen: a request to be matched or an answer to be told. */
static int64_t paper_due_ns(const hg_venue *venue) {
    const hg_paper *p = (const hg_paper *)venue;
    int64_t answer_ns = hg_wire_answer_due_ns(p);
    int64_t request_ns = arrival_ns(p);
    return request_ns < answer_ns ? request_ns : answer_ns;
}

/* Matches what comes before the oldest answer; false when that left nothing to tell at its time. */
static bool paper_next(hg_venue *venue, hg_event *event) {
    hg_paper *p = paper_of(venue);
    int64_t request_ns = arrival_ns(p);
    if (request_ns < hg_wire_answer_due_ns(p)) {
        hg_wire_arrive(p, request_ns);
        if (hg_wire_answer_due_ns(p) > request_ns) {
            return false;
        }
    }
    return hg_wire_next(p, event);
}

/* --- life ------------------------------------------------------------------------------------- */

static void paper_close(hg_venue *venue) {
    hg_paper *p = paper_of(venue);
    hg_wire_close(p);
    hg_parked_close(p);
    hg_band_close(p);
    hg_held_close(p);
    hg_own_close(p);
    hg_pages_free(p->taken);
    free(p->lanes);
    free(p);
}

static const hg_venue_ops paper_ops = {.name = "paper",
                                       .submit = paper_submit,
                                       .cancel = paper_cancel,
                                       .amend = paper_amend,
                                       .amend_trigger = paper_amend_trigger,
                                       .observe = paper_observe,
                                       .due_ns = paper_due_ns,
                                       .next = paper_next,
                                       .close = paper_close};

static void lists_init(hg_paper *p) {
    p->free_taken = hg_spare_of(TAKEN);
    for (uint32_t i = 0; i < hg_universe_count(p->universe) * 2; i++) {
        p->lanes[i] = (hg_lane){.best = HG_NODE_NONE, .last = HG_NODE_NONE, .taken = HG_NODE_NONE};
    }
}

static int lists_open(hg_paper *p) {
    size_t count = hg_universe_count(p->universe);
    p->taken = hg_pages_new(TAKEN, sizeof *p->taken);
    p->lanes = calloc(count ? count * 2 : 1, sizeof *p->lanes);
    if (!p->taken || !p->lanes) {
        return HG_ERR(HG_ENOMEM, "paper venue of %zu instruments", count);
    }
    lists_init(p);
    return hg_own_open(p);
}

static int options_check(const hg_paper_options *o) {
    bool power = o->queue.kind != HG_QUEUE_POWER || o->queue.power > 0;
    if (o->refill_ns < 0 || o->fill > HG_FILL_QUEUE || !power) {
        return HG_ERR(HG_EINVALID, "paper venue: refill must not be negative, power above zero");
    }
    return HG_OK;
}

int hg_paper_open(const hg_market *market, const hg_paper_options *options, hg_venue **out) {
    hg_assert(market && options && out);
    int rc = options_check(options);
    if (rc < 0) {
        return rc;
    }
    hg_paper *p = calloc(1, sizeof *p);
    if (!p) {
        return HG_ERR(HG_ENOMEM, "paper venue");
    }
    p->venue.ops = &paper_ops;
    p->market = market;
    p->universe = hg_market_universe(market);
    p->options = *options;
    p->last_trade = options->last_trade;
    if (p->options.order_capacity == 0) {
        p->options.order_capacity = ORDERS_DEFAULT;
    }
    p->venue.supports = options->rules.native | HG_VENUE_VALID_UNTIL;
    rc = lists_open(p);
    if (rc == HG_OK) {
        rc = hg_held_open(p);
    }
    if (rc == HG_OK) {
        rc = hg_band_open(p);
    }
    if (rc == HG_OK) {
        rc = hg_parked_open(p);
    }
    if (rc == HG_OK) {
        rc = hg_wire_open(p);
    }
    if (rc < 0) {
        paper_close(&p->venue);
        return rc;
    }
    *out = &p->venue;
    return HG_OK;
}

void hg_paper_hold(hg_venue *venue, uint32_t instrument, hg_lots lots) {
    hg_paper *p = paper_of(venue);
    hg_assert(venue->ops == &paper_ops && instrument < hg_universe_count(p->universe));
    p->held_lots[instrument].lots = lots;
}

hg_lots hg_paper_held(const hg_venue *venue, uint32_t instrument) {
    const hg_paper *p = (const hg_paper *)venue;
    hg_assert(venue->ops == &paper_ops && instrument < hg_universe_count(p->universe));
    return p->held_lots[instrument].lots;
}

const hg_paper_stats *hg_paper_stats_get(const hg_venue *venue) {
    hg_paper *p = paper_of((hg_venue *)(uintptr_t)venue);
    hg_assert(venue->ops == &paper_ops);
    p->stats.windows = p->clock.begun;
    return &p->stats;
}

uint32_t hg_paper_unproven(const hg_venue *venue, uint32_t instrument) {
    const hg_paper *p = (const hg_paper *)venue;
    hg_assert(venue->ops == &paper_ops && instrument < hg_universe_count(p->universe));
    const hg_lane *lanes = hg_paper_lane(p, instrument, HG_BUY);
    bool rested = lanes[0].rested || lanes[1].rested;
    if (!rested || p->options.fill == HG_FILL_TOUCH) {
        return 0;
    }
    return (lanes[0].traded ? 0 : (uint32_t)HG_PAPER_NO_TRADES) |
           (hg_book_has_depth(p, instrument) ? 0 : (uint32_t)HG_PAPER_NO_DEPTH);
}

bool hg_paper_has_scenario(const hg_paper_options *o) {
    bool delay = false;
    for (int leg = 0; leg < HG_LEGS; leg++) {
        delay = delay || !hg_law_is_zero(&o->latency.leg[leg]);
    }
    for (int kind = 0; kind < 4; kind++) {
        delay = delay || o->rules.taker_delay_ns[kind] > 0;
    }
    return delay || o->rules.slide || o->rules.band > 0 || o->rules.band_index > 0 ||
           o->rules.rate > 0 || o->rules.self_trade != HG_SELF_CANCEL_MAKER ||
           o->faults.windows > 0 || o->faults.lose > 0 || o->faults.busy > 0 ||
           o->faults.repeat > 0;
}
