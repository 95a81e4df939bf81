/* Market data that takes time: the venue matches on the newest book, we still see the old one. */
#include "app/core.h"
#include "base/clock.h"
#include "test.h"

#define T0 (INT64_C(1767607200) * HG_NS_PER_S)
#define MS HG_NS_PER_MS

static void core_make(hg_core *core, const char *latency) {
    static hg_book book;
    uint32_t id = 0;
    hg_core_options o = {.paper = {.fill = HG_FILL_DEPTH}, .depth_books = 1};
    *core = (hg_core){.universe = hg_universe_new()};
    hg_limits_default(&o.limits);
    CHECK_EQ(hg_latency_parse(latency, &o.paper.latency), HG_OK);
    CHECK_EQ(hg_universe_add_name(core->universe, "BTC_USDC-PERPETUAL", &id), HG_OK);
    CHECK_EQ(hg_core_open(core, &o, &book, T0), HG_OK);
}

static void quote(hg_core *core, int64_t at_ns, hg_ticks ask) {
    hg_event e = {.kind = HG_EV_QUOTE, .time_ns = T0 + at_ns};
    e.quote.bid = ask - 1;
    e.quote.ask = ask;
    e.quote.bid_size = e.quote.ask_size = 1000000;
    hg_core_feed(core, &e);
}

static hg_ticks seen(const hg_core *core) {
    return hg_market_get(core->market, 0)->quote.ask;
}

static uint64_t buy(hg_core *core) {
    hg_order_request r = {.side = HG_BUY, .type = HG_TYPE_MARKET, .size = 0.01};
    hg_refusal refusal;
    uint64_t id = 0;
    CHECK_EQ(hg_exec_submit(core->exec, &r, core->now_ns, &id, &refusal), HG_OK);
    core->due_ns = hg_core_due_ns(core);
    return id;
}

TEST(an_order_decided_on_old_data_meets_the_newer_book) {
    hg_core core;
    core_make(&core, "data=100ms");
    quote(&core, 0, 600000);
    CHECK_EQ(seen(&core), 0);
    hg_core_settle(&core, T0 + 99 * MS);
    CHECK_EQ(seen(&core), 0);
    quote(&core, 100 * MS, 600100); /* the first one arrives as this one is sent */
    CHECK_EQ(seen(&core), 600000);
    CHECK_EQ(core.now_ns, T0 + 100 * MS);
    uint64_t id = buy(&core);
    hg_core_settle(&core, T0 + 150 * MS);
    const hg_order *order = hg_exec_get(core.exec, id);
    CHECK_EQ(order->state, HG_ORDER_FILLED);
    CHECK_NEAR(hg_exec_average_price(core.exec, order), 60010.0, 1e-9); /* tick 0.1 */
    CHECK_NEAR(order->mid, 59999.95, 1e-9);                             /* what we believed */
    CHECK_EQ(seen(&core), 600000);
    hg_core_drain(&core);
    CHECK_EQ(seen(&core), 600100);
    CHECK_EQ(core.now_ns, T0 + 200 * MS);
    CHECK_EQ(core.market_events, 2);
    hg_core_fini(&core);
}

/* What is sent together arrives together and in order, whatever is drawn. */
TEST(late_data_keeps_its_order) {
    hg_core core;
    core_make(&core, "data=uniform:0:50ms,submit=1ms");
    hg_ticks last = 0;
    for (int i = 1; i <= 2000; i++) {
        quote(&core, i * MS, 600000 + i);
        CHECK(seen(&core) >= last && seen(&core) <= 600000 + i);
        CHECK(seen(&core) == 0 || seen(&core) + 50 >= 600000 + i);
        last = seen(&core);
    }
    hg_core_drain(&core);
    CHECK_EQ(seen(&core), 602000);
    CHECK_EQ(core.market_events, 2000);
    CHECK_EQ(core.late.hurried, 0);
    hg_core_fini(&core);
}
