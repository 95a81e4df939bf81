/* The matching engine alone, without gate and portfolio: orders in, answers out, and the feed. */
#include "base/clock.h"
#include "bench.h"
#include "exec/paper.h"

#include <stdio.h>
#include <stdlib.h>

#define T0 (INT64_C(1767607200) * HG_NS_PER_S)
#define MID 600000 /* ticks */

typedef struct {
    hg_universe *universe;
    hg_market *market;
    hg_venue *venue;
    uint64_t last_id;
    int64_t step;
} venue;

static void told(venue *v, hg_event e) {
    e.time_ns = T0 + v->step * HG_NS_PER_US;
    if (hg_market_apply(v->market, &e)) {
        v->venue->ops->observe(v->venue, &e);
    }
}

static void level(venue *v, hg_side side, hg_ticks price, hg_lots size, uint8_t flags) {
    hg_event e = {.kind = HG_EV_DEPTH, .side = (int8_t)side, .flags = flags};
    e.level.price = price;
    e.level.size = size;
    told(v, e);
}

static void venue_open(venue *v, const hg_paper_options *options) {
    uint32_t id = 0;
    *v = (venue){.universe = hg_universe_new()};
    if (hg_universe_add_name(v->universe, "BTC_USDC-PERPETUAL", &id) < 0) {
        exit(1);
    }
    v->market = hg_market_new(v->universe, &(hg_market_options){.depth_books = 1});
    if (hg_paper_open(v->market, options, &v->venue) < 0) {
        exit(1);
    }
    for (int i = 1; i <= 200; i++) {
        level(v, HG_BUY, MID - i, 100, i == 1 ? HG_EVF_SNAPSHOT | HG_EVF_MORE : HG_EVF_MORE);
        level(v, HG_SELL, MID + i, 100, i == 200 ? 0 : HG_EVF_MORE);
    }
}

static void venue_close(venue *v) {
    v->venue->ops->close(v->venue);
    hg_market_free(v->market);
    hg_universe_free(v->universe);
}

static void drain(venue *v) {
    hg_event e;
    while (v->venue->ops->next(v->venue, &e)) {
        bench_keep(e.order.id);
    }
}

static hg_order order_at(venue *v, hg_side side, hg_ticks price, hg_lots size) {
    return (hg_order){.id = ++v->last_id,
                      .side = (int8_t)side,
                      .type = HG_TYPE_LIMIT,
                      .price = price,
                      .size = size};
}

static void send(venue *v, const hg_order *order) {
    if (v->venue->ops->submit(v->venue, order, T0 + v->step * HG_NS_PER_US) < 0) {
        exit(1);
    }
}

static void submit_to_ack(bench *b, hg_paper_options options) {
    enum { BATCH = 256 };
    venue v;
    venue_open(&v, &options);
    for (int sample = 0; sample < 2000; sample++) {
        uint64_t first = v.last_id + 1;
        bench_begin(b);
        for (int i = 0; i < BATCH; i++) {
            hg_order order = order_at(&v, HG_BUY, MID - 1 - i % 40, 5);
            send(&v, &order);
            drain(&v);
        }
        bench_end(b, BATCH);
        for (uint64_t id = first; id <= v.last_id; id++) {
            hg_order order = {.id = id, .side = HG_BUY};
            v.venue->ops->cancel(v.venue, &order, T0 + v.step * HG_NS_PER_US);
        }
        drain(&v);
        v.step += 1000; /* credits come back */
    }
    venue_close(&v);
}

BENCH(submit_to_ack_depth) {
    submit_to_ack(b, (hg_paper_options){.fill = HG_FILL_DEPTH});
}

BENCH(submit_to_ack_queue) {
    submit_to_ack(b, (hg_paper_options){.fill = HG_FILL_QUEUE});
}

/* All rules and single faults on. */
BENCH(submit_to_ack_rules) {
    hg_paper_options o = {.fill = HG_FILL_QUEUE};
    if (hg_rules_parse("deribit,rate=1000000:1000000", &o.rules) < 0 ||
        hg_faults_parse("busy=0.1%,lose=0.1%", &o.faults) < 0) {
        exit(1);
    }
    submit_to_ack(b, o);
}

BENCH(submit_to_fill) {
    venue v;
    venue_open(&v, &(hg_paper_options){.fill = HG_FILL_DEPTH, .fees = true});
    BENCH_LOOP (b) {
        v.step++;
        hg_order order = order_at(&v, HG_BUY, MID + 5, 150); /* two levels */
        order.tif = HG_TIF_IOC;
        send(&v, &order);
        drain(&v);
        level(&v, HG_SELL, MID + 1, 100, HG_EVF_MORE);
        level(&v, HG_SELL, MID + 2, 100, 0);
    }
    venue_close(&v);
}

/* Level-2 updates within 50 ticks of the touch. */
static void updates(bench *b, const char *queue, int resting) {
    venue v;
    hg_paper_options o = {.fill = queue ? HG_FILL_QUEUE : HG_FILL_DEPTH};
    if (queue && hg_queue_parse(queue, &o.queue) < 0) {
        exit(1);
    }
    venue_open(&v, &o);
    for (int i = 0; i < resting; i++) {
        hg_order order = order_at(&v, i % 2 ? HG_BUY : HG_SELL, 0, 1000000);
        order.price = MID - order.side * (1 + i / 2 % 50);
        send(&v, &order);
    }
    drain(&v);
    uint64_t x = 88172645463325252ULL;
    BENCH_LOOP (b) {
        v.step++;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        hg_side side = x & 1 ? HG_BUY : HG_SELL;
        level(&v, side, MID - side * (hg_ticks)(1 + (x >> 8) % 50), (hg_lots)((x >> 20) % 50), 0);
    }
    venue_close(&v);
}

BENCH(l2_update) {
    updates(b, NULL, 0);
}

BENCH(l2_update_10_resting) {
    updates(b, "pessimistic", 10);
}

BENCH(l2_update_100_resting) {
    updates(b, "pessimistic", 100);
}

BENCH(l2_update_100_resting_power) {
    updates(b, "power:2", 100);
}
