/* A venue that does everything a venue may do to an order: answers late, in another order, twice or
 * not at all; fills in parts; refuses; cancels by itself; and after a lost connection tells later
 * what has happened. It keeps the truth, against which the runtime's idea of it can be judged.
 *
 * What it never does, as no venue does: tell the end of an order before its fills. */
#ifndef HG_TESTS_TEST_CHAOS_KIT_H
#define HG_TESTS_TEST_CHAOS_KIT_H

#include "base/clock.h"
#include "base/rng.h"
#include "domain/venue.h"
#include "test.h"

#include <string.h>

enum { CHAOS_ARRIVE, CHAOS_TRADE, CHAOS_CANCEL, CHAOS_AMEND, CHAOS_END, CHAOS_LIGHT };
enum { CHAOS_ORDERS = 512, CHAOS_PLANS = 4096, CHAOS_ANSWERS = 8192 };

typedef struct {
    uint64_t id;
    uint32_t instrument;
    int8_t side;
    bool arrived, live, dark; /* dark: its answers are lost until the venue is asked */
    hg_ticks price;
    hg_lots size, filled;
    hg_lots told_size; /* as far as the runtime can know */
    bool told_end;
    int64_t told_ns;
} chaos_order;

typedef struct {
    int64_t time_ns;
    uint64_t serial;
    int kind; /* CHAOS_ARRIVE .. */
    uint64_t id;
    hg_ticks price;
    hg_lots size;
} chaos_plan;

typedef struct {
    hg_event event;
    uint64_t serial;
    bool lost;
} chaos_answer;

typedef struct chaos {
    hg_venue venue;
    hg_rng rng;
    chaos_order orders[CHAOS_ORDERS]; /* by id */
    chaos_plan plans[CHAOS_PLANS];
    chaos_answer answers[CHAOS_ANSWERS];
    uint32_t plan_count, answer_count;
    uint64_t serial, trades;
    int64_t now_ns;
    uint8_t about;   /* HG_ABOUT_* of the request being answered */
    int64_t net[64]; /* truly filled, signed lots, by instrument */
    uint64_t rejects, cancels, lost, duplicates, fills, amends;
    void (*sent)(void *context, const hg_order *order);
    void *context;
} chaos;

static inline chaos_order *chaos_find(chaos *c, uint64_t id) {
    chaos_order *o = &c->orders[id % CHAOS_ORDERS];
    return o->id == id ? o : NULL;
}

static inline int64_t chaos_latency(chaos *c) {
    int64_t most = hg_rng_below(&c->rng, 10) == 0 ? 3 * HG_NS_PER_S : 40 * HG_NS_PER_MS;
    return (int64_t)hg_rng_below(&c->rng, (uint64_t)most);
}

static inline void chaos_do(chaos *c, int kind, uint64_t id, int64_t time_ns, hg_ticks price,
                            hg_lots size) {
    CHECK(c->plan_count < CHAOS_PLANS);
    c->plans[c->plan_count++] = (chaos_plan){time_ns, ++c->serial, kind, id, price, size};
}

/* Fills and ends of one order keep their order; an ack may come at any time. */
static inline void chaos_tell(chaos *c, chaos_order *o, hg_event e) {
    int64_t at = c->now_ns + chaos_latency(c);
    if (e.kind != HG_EV_ACK) {
        at = at > o->told_ns ? at : o->told_ns;
        o->told_ns = at;
    }
    e.time_ns = at;
    e.id = o->instrument;
    e.side = o->side;
    e.order.id = o->id;
    CHECK(c->answer_count < CHAOS_ANSWERS);
    c->lost += o->dark;
    c->answers[c->answer_count++] = (chaos_answer){e, ++c->serial, o->dark};
}

static inline void chaos_say(chaos *c, chaos_order *o, hg_event_kind kind, hg_reject code) {
    hg_event e = {.kind = (uint8_t)kind};
    e.order.about = c->about;
    e.order.code = (uint16_t)code;
    e.order.price = o->price;
    e.order.size = o->size;
    chaos_tell(c, o, e);
}

static inline void chaos_trade(chaos *c, chaos_order *o) {
    hg_lots left = o->size - o->filled;
    hg_lots lots = 1 + (hg_lots)hg_rng_below(&c->rng, (uint64_t)left);
    hg_event e = {.kind = HG_EV_FILL};
    e.order.trade = ++c->trades;
    e.order.price = o->price;
    e.order.size = lots;
    o->filled += lots;
    c->net[o->instrument] += o->side * lots;
    c->fills++;
    chaos_tell(c, o, e);
    if (hg_rng_below(&c->rng, 4) == 0) { /* told twice, the second time whenever */
        chaos_answer again = c->answers[c->answer_count - 1];
        again.event.time_ns += chaos_latency(c);
        again.serial = ++c->serial;
        CHECK(c->answer_count < CHAOS_ANSWERS);
        c->answers[c->answer_count++] = again;
        c->duplicates++;
    }
    if (o->filled == o->size) {
        o->live = false;
    } else if (hg_rng_below(&c->rng, 3) != 0) {
        chaos_do(c, CHAOS_TRADE, o->id, c->now_ns + chaos_latency(c), 0, 0);
    }
}

static inline void chaos_arrive(chaos *c, chaos_order *o) {
    o->arrived = true;
    if (hg_rng_below(&c->rng, 8) == 0) {
        o->live = false;
        c->rejects++;
        chaos_say(c, o, HG_EV_REJECTED, HG_REJECT_NO_LIQUIDITY);
        return;
    }
    chaos_say(c, o, HG_EV_ACK, HG_REJECT_NONE);
    if (hg_rng_below(&c->rng, 6) != 0) {
        chaos_do(c, CHAOS_TRADE, o->id, c->now_ns + chaos_latency(c), 0, 0);
    }
    if (hg_rng_below(&c->rng, 4) == 0) {
        chaos_do(c, CHAOS_END, o->id, c->now_ns + 3 * chaos_latency(c), 0, 0);
    }
}

/* Asked, the venue tells what was lost, in its order: equal times keep that of their serials. */
static inline void chaos_light(chaos *c, chaos_order *o) {
    o->dark = false;
    for (uint32_t i = 0; i < c->answer_count; i++) {
        chaos_answer *a = &c->answers[i];
        if (a->lost && a->event.order.id == o->id) {
            a->lost = false;
            a->event.time_ns = a->event.time_ns > c->now_ns ? a->event.time_ns : c->now_ns;
        }
    }
    o->told_ns = o->told_ns > c->now_ns ? o->told_ns : c->now_ns;
}

static inline void chaos_amend(chaos *c, chaos_order *o, const chaos_plan *p) {
    /* Less than what is filled already is an error at every venue. */
    if (!o->live || p->size <= o->filled || hg_rng_below(&c->rng, 4) == 0) {
        chaos_say(c, o, HG_EV_REJECTED, HG_REJECT_NOT_OPEN);
        return;
    }
    o->price = p->price;
    o->size = p->size;
    c->amends++;
    chaos_say(c, o, HG_EV_ACK, HG_REJECT_NONE);
}

static inline void chaos_step(chaos *c, const chaos_plan *p) {
    chaos_order *o = chaos_find(c, p->id);
    if (!o) {
        return;
    }
    c->about = p->kind == CHAOS_AMEND    ? HG_ABOUT_AMEND
               : p->kind == CHAOS_CANCEL ? HG_ABOUT_CANCEL
                                         : HG_ABOUT_ORDER;
    if (p->kind == CHAOS_ARRIVE) {
        chaos_arrive(c, o);
    } else if (p->kind == CHAOS_LIGHT) {
        chaos_light(c, o);
    } else if (!o->arrived) {
        chaos_do(c, p->kind, p->id, c->now_ns + HG_NS_PER_MS, p->price, p->size);
    } else if (p->kind == CHAOS_AMEND) {
        chaos_amend(c, o, p);
    } else if (p->kind == CHAOS_CANCEL && !o->live) {
        chaos_say(c, o, HG_EV_REJECTED, HG_REJECT_NOT_OPEN);
    } else if (o->live && p->kind == CHAOS_TRADE) {
        chaos_trade(c, o);
    } else if (o->live) {
        o->live = false;
        c->cancels++;
        chaos_say(c, o, HG_EV_CANCELLED,
                  p->kind == CHAOS_END ? HG_REJECT_IOC_REST : HG_REJECT_USER);
    }
}

/* --- as a venue ------------------------------------------------------------------------------- */

static inline int chaos_submit(hg_venue *v, const hg_order *order, int64_t now_ns) {
    chaos *c = (chaos *)v;
    chaos_order *o = &c->orders[order->id % CHAOS_ORDERS];
    CHECK(!o->live);
    *o = (chaos_order){.id = order->id,
                       .instrument = order->instrument,
                       .side = order->side,
                       .live = true,
                       .dark = hg_rng_below(&c->rng, 6) == 0,
                       .price = order->price,
                       .size = order->size,
                       .told_size = order->size};
    c->now_ns = now_ns;
    chaos_do(c, CHAOS_ARRIVE, o->id, now_ns + chaos_latency(c), 0, 0);
    if (o->dark) {
        int64_t until = now_ns + (int64_t)hg_rng_below(&c->rng, 12) * HG_NS_PER_S;
        chaos_do(c, CHAOS_LIGHT, o->id, until, 0, 0);
    }
    if (c->sent) {
        c->sent(c->context, order);
    }
    return HG_OK;
}

static inline int chaos_cancel(hg_venue *v, const hg_order *order, int64_t now_ns) {
    chaos *c = (chaos *)v;
    c->now_ns = now_ns;
    chaos_do(c, CHAOS_CANCEL, order->id, now_ns + chaos_latency(c), 0, 0);
    return HG_OK;
}

static inline int chaos_change(hg_venue *v, const hg_order *order, hg_ticks price, hg_lots size,
                               int64_t now_ns) {
    chaos *c = (chaos *)v;
    c->now_ns = now_ns;
    chaos_do(c, CHAOS_AMEND, order->id, now_ns + chaos_latency(c), price, size);
    return HG_OK;
}

static inline void chaos_observe(hg_venue *v, const hg_event *event) {
    ((chaos *)v)->now_ns = event->time_ns;
}

static inline uint32_t chaos_first_plan(const chaos *c) {
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < c->plan_count; i++) {
        const chaos_plan *p = &c->plans[i];
        bool sooner = best == UINT32_MAX || p->time_ns < c->plans[best].time_ns ||
                      (p->time_ns == c->plans[best].time_ns && p->serial < c->plans[best].serial);
        best = sooner ? i : best;
    }
    return best;
}

static inline uint32_t chaos_first_answer(const chaos *c) {
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < c->answer_count; i++) {
        const chaos_answer *a = &c->answers[i];
        const chaos_answer *b = best == UINT32_MAX ? NULL : &c->answers[best];
        bool sooner = !b || a->event.time_ns < b->event.time_ns ||
                      (a->event.time_ns == b->event.time_ns && a->serial < b->serial);
        best = !a->lost && sooner ? i : best;
    }
    return best;
}

static inline int64_t chaos_due_ns(const hg_venue *v) {
    const chaos *c = (const chaos *)v;
    uint32_t p = chaos_first_plan(c);
    uint32_t a = chaos_first_answer(c);
    int64_t plan = p == UINT32_MAX ? INT64_MAX : c->plans[p].time_ns;
    int64_t answer = a == UINT32_MAX ? INT64_MAX : c->answers[a].event.time_ns;
    return plan < answer ? plan : answer;
}

static inline bool chaos_next(hg_venue *v, hg_event *event) {
    chaos *c = (chaos *)v;
    uint32_t p = chaos_first_plan(c);
    uint32_t a = chaos_first_answer(c);
    bool plan_first = p != UINT32_MAX &&
                      (a == UINT32_MAX || c->plans[p].time_ns <= c->answers[a].event.time_ns);
    if (plan_first) {
        chaos_plan plan = c->plans[p];
        c->plans[p] = c->plans[--c->plan_count];
        c->now_ns = plan.time_ns > c->now_ns ? plan.time_ns : c->now_ns;
        chaos_step(c, &plan);
        return false;
    }
    if (a == UINT32_MAX) {
        return false;
    }
    *event = c->answers[a].event;
    c->answers[a] = c->answers[--c->answer_count];
    chaos_order *o = chaos_find(c, event->order.id);
    if (o && event->kind == HG_EV_ACK && event->order.size < o->told_size) {
        o->told_size = event->order.size;
    }
    if (o && !o->live) {
        bool refused = event->kind == HG_EV_REJECTED && event->order.code != HG_REJECT_NOT_OPEN;
        o->told_end = o->told_end || refused || event->kind == HG_EV_CANCELLED;
    }
    return true;
}

static inline void chaos_close(hg_venue *v) {
    (void)v;
}

static const hg_venue_ops chaos_ops = {.name = "chaos",
                                       .submit = chaos_submit,
                                       .cancel = chaos_cancel,
                                       .amend = chaos_change,
                                       .observe = chaos_observe,
                                       .due_ns = chaos_due_ns,
                                       .next = chaos_next,
                                       .close = chaos_close};

static inline void chaos_init(chaos *c, uint64_t seed, uint64_t stream) {
    memset(c, 0, sizeof *c);
    c->venue = (hg_venue){.ops = &chaos_ops, .answer_ns = 2 * HG_NS_PER_S};
    hg_rng_init(&c->rng, seed, stream);
}

/* What the venue may still trade in an instrument, signed by `side`. */
static inline int64_t chaos_live(const chaos *c, uint32_t instrument, int8_t side) {
    int64_t lots = 0;
    for (uint32_t i = 0; i < CHAOS_ORDERS; i++) {
        const chaos_order *o = &c->orders[i];
        lots += o->live && o->instrument == instrument && o->side == side ? o->size - o->filled : 0;
    }
    return lots;
}

/* What the runtime must still expect of a side: what it has not been told to have ended. */
static inline int64_t chaos_expected(const chaos *c, uint32_t instrument, int8_t side) {
    int64_t lots = 0;
    for (uint32_t i = 0; i < CHAOS_ORDERS; i++) {
        const chaos_order *o = &c->orders[i];
        bool counts = o->id != 0 && !o->told_end && o->instrument == instrument && o->side == side;
        lots += counts && o->told_size > o->filled ? o->told_size - o->filled : 0;
    }
    return lots;
}

#endif
