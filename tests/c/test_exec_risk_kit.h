/* A world for the tests of the risk gate: two underlyings, futures and options, two strategies. */
#ifndef HG_TESTS_TEST_EXEC_RISK_KIT_H
#define HG_TESTS_TEST_EXEC_RISK_KIT_H

#include "exec/risk.h"
#include "test_exec_kit.h"

#include <stdlib.h>
#include <string.h>

enum { LINEAR, PERP, CALL, PUT, ETH, ETH_CALL };

static inline void risk_world(world *w, hg_limits limits) {
    world_init(w);
    world_add(w, "BTC_USDC-PERPETUAL");
    world_add(w, "BTC-PERPETUAL");
    world_add(w, "BTC-27MAR26-60000-C");
    world_add(w, "BTC-27MAR26-60000-P");
    world_add(w, "ETH_USDC-PERPETUAL");
    world_add(w, "ETH-27MAR26-3000-C");
    world_open(w, NULL);
    world_trade(w, NULL, &(hg_exec_options){.limits = limits, .order_capacity = 1024});
    hg_exec_strategy(w->exec, 0, "alpha");
    hg_exec_strategy(w->exec, 1, "beta");
}

static inline void market_moves(world *w, double spot) {
    value_event(w, HG_EV_INDEX, 0, spot);
    value_event(w, HG_EV_FORWARD, 0, spot);
    quote(w, LINEAR, spot - 1, 100, spot + 1, 100);
    mark(w, LINEAR, spot, 0);
    quote(w, PERP, spot - 1, 1000000, spot + 1, 1000000);
    mark(w, PERP, spot, 0);
    mark(w, CALL, 0.1, 0.5);
    quote(w, CALL, 0.0995, 100, 0.1005, 100);
    mark(w, PUT, 0.1, 0.5);
    quote(w, PUT, 0.0995, 100, 0.1005, 100);
    value_event(w, HG_EV_INDEX, 1, 3000);
    quote(w, ETH, 2999, 1000, 3001, 1000);
    mark(w, ETH, 3000, 0);
    value_event(w, HG_EV_FORWARD, hg_universe_get(w->universe, ETH_CALL)->expiry_id, 3000);
    mark(w, ETH_CALL, 0.1, 0.5);
}

static inline void open_world(world *w, hg_limits limits) {
    risk_world(w, limits);
    market_moves(w, 60000);
}

static inline hg_order_request request(uint32_t id, hg_side side, double price, double size) {
    return (hg_order_request){.instrument = id,
                              .side = side,
                              .type = price > 0 ? HG_TYPE_LIMIT : HG_TYPE_MARKET,
                              .price = price,
                              .size = size};
}

/* What the gate would say; nothing is sent. */
static inline const char *verdict_of(world *w, hg_order_request r) {
    hg_exec_try(w->exec, &r, w->now_ns, &w->refusal);
    CHECK(w->refusal.code == HG_REJECT_NONE || w->refusal.text[0] != '\0');
    return hg_reject_code(w->refusal.code);
}

static inline const char *verdict(world *w, uint32_t id, hg_side side, double price, double size) {
    return verdict_of(w, request(id, side, price, size));
}

static inline uint64_t rest(world *w, uint32_t id, hg_side side, double price, double size) {
    uint64_t order = send_limit(w, id, side, price, size);
    CHECK_STR(hg_reject_code(w->refusal.code), "");
    world_answers(w);
    return order;
}

static inline void take(world *w, uint32_t id, hg_side side, double size) {
    send_market(w, id, side, size);
    CHECK_STR(hg_reject_code(w->refusal.code), "");
    world_answers(w);
}

static inline hg_unit unit_of(world *w, uint32_t id, double size) {
    hg_unit unit;
    CHECK(hg_portfolio_unit(w->portfolio, id, w->now_ns, &unit));
    double n = (double)lots(w, id, size);
    return (hg_unit){unit.delta * n, unit.gamma * n, unit.vega * n, unit.theta * n};
}

#endif
