/* Orders through gate and paper venue: judged, submitted, acknowledged, filled. */
#include "base/clock.h"
#include "bench.h"
#include "exec/exec.h"
#include "exec/paper.h"

#include <stdio.h>
#include <stdlib.h>

#define T0 (INT64_C(1767607200) * HG_NS_PER_S)

typedef struct {
    hg_universe *universe;
    hg_market *market;
    hg_portfolio *portfolio;
    hg_venue *venue;
    hg_exec *exec;
    uint32_t perp;
    int64_t now_ns;
    int64_t step;
} desk;

static void told(desk *d, hg_event e) {
    e.time_ns = d->now_ns;
    e.id = d->perp;
    hg_market_apply(d->market, &e);
    hg_portfolio_observe(d->portfolio, &e);
    d->venue->ops->observe(d->venue, &e);
    hg_exec_observe(d->exec, &e);
}

static void quote(desk *d) {
    const hg_instrument *inst = hg_universe_get(d->universe, d->perp);
    hg_event e = {.kind = HG_EV_QUOTE};
    e.quote.bid = 60000 * HG_NANO / inst->tick;
    e.quote.ask = e.quote.bid + 1;
    e.quote.bid_size = 100 * HG_NANO / inst->lot;
    e.quote.ask_size = e.quote.bid_size;
    told(d, e);
}

static void desk_open(desk *d, hg_fill_model fill) {
    *d = (desk){.universe = hg_universe_new(), .now_ns = T0};
    hg_limits limits;
    hg_limits_default(&limits);
    limits.orders_per_second = 1000000000;
    limits.strategy_orders_per_second = 1000000000;
    limits.messages_per_second = 1000000000;
    limits.duplicate_window_ns = -1;
    limits.repeated_window_ns = 1;
    limits.strategy_open_orders = limits.total_open_orders = limits.open_orders = 100000;
    limits.burst_delta_coins = limits.hedge_overshoot = 1e12;
    hg_paper_options paper = {.fill = fill, .fees = true};
    hg_exec_options options = {.limits = limits};
    if (hg_universe_add_name(d->universe, "BTC_USDC-PERPETUAL", &d->perp) < 0) {
        exit(1);
    }
    d->market = hg_market_new(d->universe, &(hg_market_options){.depth_books = 1});
    d->portfolio = hg_portfolio_new(d->market, &(hg_portfolio_options){0});
    if (hg_paper_open(d->market, &paper, &d->venue) < 0) {
        exit(1);
    }
    d->exec = hg_exec_new(d->market, d->portfolio, d->venue, &options);
    quote(d);
}

static void desk_close(desk *d) {
    hg_exec_free(d->exec);
    d->venue->ops->close(d->venue);
    hg_portfolio_free(d->portfolio);
    hg_market_free(d->market);
    hg_universe_free(d->universe);
}

static void drain(desk *d) {
    hg_event e;
    while (d->venue->ops->next(d->venue, &e)) {
        hg_exec_apply(d->exec, &e);
    }
}

static hg_order_request limit_order(const desk *d, double price) {
    return (hg_order_request){
        .instrument = d->perp, .side = HG_BUY, .type = HG_TYPE_LIMIT, .price = price, .size = 0.01};
}

static void send(desk *d, const hg_order_request *request, uint64_t *id) {
    hg_refusal refusal;
    if (hg_exec_submit(d->exec, request, d->now_ns, id, &refusal) < 0) {
        fprintf(stderr, "refused: %s\n", refusal.text);
        exit(1);
    }
}

/* All controls, over what an order meets in a session: fifty pending orders, a position. */
BENCH(gate) {
    desk d;
    desk_open(&d, HG_FILL_TOUCH);
    uint64_t id = 0;
    for (int i = 0; i < 50; i++) {
        hg_order_request resting = limit_order(&d, 59900 - i);
        send(&d, &resting, &id);
    }
    drain(&d);
    hg_order_request request = limit_order(&d, 59990);
    hg_refusal refusal;
    BENCH_LOOP (b) {
        bench_keep(hg_exec_try(d.exec, &request, d.now_ns, &refusal));
    }
    desk_close(&d);
}

/* Gate, explanation, venue and back: a resting order, acknowledged; its cancel is not counted. */
BENCH(submit_to_ack) {
    desk d;
    desk_open(&d, HG_FILL_TOUCH);
    hg_order_request request = limit_order(&d, 59990);
    uint64_t id = 0;
    enum { BATCH = 256 };
    for (int sample = 0; sample < 4000; sample++) {
        uint64_t first = 0;
        bench_begin(b);
        for (int i = 0; i < BATCH; i++) {
            send(&d, &request, &id);
            drain(&d);
            first = first ? first : id;
        }
        bench_end(b, BATCH);
        hg_exec_cancel_all(d.exec, 0, d.perp, d.now_ns);
        drain(&d);
    }
    desk_close(&d);
}

static void market_orders(bench *b, hg_fill_model fill) {
    desk d;
    desk_open(&d, fill);
    hg_order_request request = limit_order(&d, 0);
    uint64_t id = 0;
    request.type = HG_TYPE_MARKET;
    BENCH_LOOP (b) {
        d.now_ns += HG_NS_PER_US;
        quote(&d);
        request.side = ++d.step % 2 ? HG_BUY : HG_SELL;
        send(&d, &request, &id);
        drain(&d);
    }
    bench_field(b, "fills", (double)hg_exec_stats_get(d.exec)->fills);
    desk_close(&d);
}

BENCH(quote_submit_fill_touch) {
    market_orders(b, HG_FILL_TOUCH);
}

BENCH(quote_submit_fill_depth) {
    market_orders(b, HG_FILL_DEPTH);
}

/* A tick while nothing rests: what every quote of a session pays to the venue. */
BENCH(quote_alone) {
    desk d;
    desk_open(&d, HG_FILL_DEPTH);
    BENCH_LOOP (b) {
        d.now_ns += HG_NS_PER_US;
        quote(&d);
    }
    desk_close(&d);
}

/* Level-2 updates beside 100 resting orders in the queue model. */
BENCH(depth_update_100_resting) {
    desk d;
    desk_open(&d, HG_FILL_QUEUE);
    const hg_instrument *inst = hg_universe_get(d.universe, d.perp);
    uint64_t id = 0;
    for (int i = 0; i < 100; i++) {
        hg_order_request request = limit_order(&d, 59900 - i);
        send(&d, &request, &id);
    }
    drain(&d);
    BENCH_LOOP (b) {
        d.step++;
        hg_event e = {.kind = HG_EV_DEPTH, .side = d.step % 2 ? HG_BUY : HG_SELL};
        e.flags = d.step == 1 ? HG_EVF_SNAPSHOT : 0;
        e.level.price = (60000 + (d.step % 2 ? -1 : 1) * (1 + d.step % 50)) * HG_NANO / inst->tick;
        e.level.size = 1 + d.step % 7;
        told(&d, e);
    }
    desk_close(&d);
}
