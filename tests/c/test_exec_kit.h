/* A small world for the tests of portfolio and exec: a universe, a market, and the chain behind it,
 * moved by one-line events. */
#ifndef HG_TESTS_TEST_EXEC_KIT_H
#define HG_TESTS_TEST_EXEC_KIT_H

#include "base/clock.h"
#include "exec/exec.h"
#include "exec/paper.h"
#include "test.h"

#include <math.h>

/* 2026-01-05 10:00 UTC: between two bookings of funding. */
#define T0 (INT64_C(1767607200) * HG_NS_PER_S)

typedef struct world {
    hg_universe *universe;
    hg_market *market;
    hg_portfolio *portfolio;
    hg_venue *venue;
    hg_exec *exec;
    int64_t now_ns;
    hg_refusal refusal;
} world;

static inline uint32_t world_add(world *w, const char *name) {
    uint32_t id = HG_ID_NONE;
    CHECK_EQ(hg_universe_add_name(w->universe, name, &id), HG_OK);
    return id;
}

static inline void world_init(world *w) {
    *w = (world){.universe = hg_universe_new(), .now_ns = T0};
    CHECK(w->universe != NULL);
}

static inline const hg_instrument *inst_of(const world *w, uint32_t id) {
    return hg_universe_get(w->universe, id);
}

/* Market and portfolio over the universe as it is now. */
static inline void world_open(world *w, const hg_portfolio_options *options) {
    w->market = hg_market_new(w->universe, &(hg_market_options){.depth_books = 4});
    CHECK(w->market != NULL);
    w->portfolio = hg_portfolio_new(w->market, options ? options : &(hg_portfolio_options){0});
    CHECK(w->portfolio != NULL);
}

static inline void world_trade(world *w, const hg_paper_options *paper,
                               const hg_exec_options *options) {
    CHECK_EQ(hg_paper_open(w->market, paper ? paper : &(hg_paper_options){0}, &w->venue), HG_OK);
    w->exec = hg_exec_new(w->market, w->portfolio, w->venue,
                          options ? options : &(hg_exec_options){.order_capacity = 4096});
    CHECK(w->exec != NULL);
}

static inline void world_close(world *w) {
    hg_exec_free(w->exec);
    if (w->venue) {
        w->venue->ops->close(w->venue);
    }
    hg_portfolio_free(w->portfolio);
    hg_market_free(w->market);
    hg_universe_free(w->universe);
}

/* One market event through everybody, in the order of a session. */
static inline void world_event(world *w, hg_event e) {
    if (e.time_ns == 0) {
        e.time_ns = w->now_ns;
    }
    w->now_ns = e.time_ns;
    hg_market_apply(w->market, &e);
    hg_portfolio_observe(w->portfolio, &e);
    if (w->venue) {
        w->venue->ops->observe(w->venue, &e);
    }
    if (w->exec) {
        hg_exec_observe(w->exec, &e);
    }
}

/* Applies all answers that are due by now; returns how many events came. */
static inline int world_answers(world *w) {
    int count = 0;
    for (;;) {
        int64_t venue = w->venue->ops->due_ns(w->venue);
        int64_t own = hg_exec_due_ns(w->exec);
        hg_event e;
        if (own <= venue && own <= w->now_ns && hg_exec_next(w->exec, &e)) {
            hg_exec_apply(w->exec, &e);
        } else if (venue <= w->now_ns) {
            if (!w->venue->ops->next(w->venue, &e)) {
                continue;
            }
            CHECK(e.time_ns <= w->now_ns);
            hg_exec_apply(w->exec, &e);
        } else {
            return count;
        }
        count++;
    }
}

static inline hg_nano nano(double value) {
    hg_nano out = 0;
    CHECK(hg_nano_from_double(value, &out));
    return out;
}

static inline hg_ticks ticks(const world *w, uint32_t id, double price) {
    hg_ticks out = 0;
    CHECK(hg_price_from_double(inst_of(w, id), price, &out));
    return out;
}

static inline hg_lots lots(const world *w, uint32_t id, double size) {
    hg_lots out = 0;
    CHECK(hg_size_from_double(inst_of(w, id), size, &out));
    return out;
}

static inline void quote(world *w, uint32_t id, double bid, double bid_size, double ask,
                         double ask_size) {
    hg_event e = {.id = id, .kind = HG_EV_QUOTE};
    e.quote.bid = ticks(w, id, bid);
    e.quote.ask = ticks(w, id, ask);
    e.quote.bid_size = lots(w, id, bid_size);
    e.quote.ask_size = lots(w, id, ask_size);
    world_event(w, e);
}

static inline void level(world *w, uint32_t id, hg_side side, double price, double size,
                         uint8_t flags) {
    hg_event e = {.id = id, .kind = HG_EV_DEPTH, .side = (int8_t)side, .flags = flags};
    e.level.price = ticks(w, id, price);
    e.level.size = lots(w, id, size);
    world_event(w, e);
}

static inline void print(world *w, uint32_t id, hg_side taker, double price, double size) {
    hg_event e = {.id = id, .kind = HG_EV_TRADE, .side = (int8_t)taker};
    e.level.price = ticks(w, id, price);
    e.level.size = lots(w, id, size);
    world_event(w, e);
}

static inline void mark(world *w, uint32_t id, double price, double iv) {
    hg_event e = {.id = id, .kind = HG_EV_MARK};
    e.mark.price = nano(price);
    e.mark.iv = nano(iv);
    world_event(w, e);
}

static inline void value_event(world *w, hg_event_kind kind, uint32_t id, double value) {
    hg_event e = {.id = id, .kind = (uint8_t)kind};
    e.price.value = nano(value);
    world_event(w, e);
}

static inline void later(world *w, int64_t ns) {
    w->now_ns += ns;
}

/* Sends; returns the id. The refusal is in w->refusal. */
static inline uint64_t send_request(world *w, hg_order_request r) {
    uint64_t id = 0;
    hg_exec_submit(w->exec, &r, w->now_ns, &id, &w->refusal);
    return id;
}

static inline uint64_t send_limit(world *w, uint32_t inst, hg_side side, double price,
                                  double size) {
    return send_request(
        w,
        (hg_order_request){
            .instrument = inst, .side = side, .type = HG_TYPE_LIMIT, .price = price, .size = size});
}

static inline uint64_t send_market(world *w, uint32_t inst, hg_side side, double size) {
    return send_request(
        w,
        (hg_order_request){.instrument = inst, .side = side, .type = HG_TYPE_MARKET, .size = size});
}

static inline const char *state_of(const world *w, uint64_t id) {
    return hg_order_state_name((hg_order_state)hg_exec_get(w->exec, id)->state);
}

static inline double filled_of(const world *w, uint64_t id) {
    const hg_order *order = hg_exec_get(w->exec, id);
    return hg_size_to_double(inst_of(w, order->instrument), order->filled);
}

static inline double position_of(const world *w, uint32_t id) {
    return hg_size_to_double(inst_of(w, id), hg_portfolio_get(w->portfolio, id)->lots);
}

static inline double cash_of(const world *w, const char *currency) {
    uint32_t id = hg_universe_find_currency(w->universe, currency);
    CHECK(id != HG_ID_NONE);
    return hg_nano_to_double(hg_portfolio_cash(w->portfolio, id));
}

#endif
