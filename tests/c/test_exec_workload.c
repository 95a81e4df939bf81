/* The common workload of the runtime comparison, without a script: 1,000,000 quotes on a random
 * walk, a market order whenever the mid has moved by a thousandth. Any correct engine makes 715
 * fills and a P&L of -1802.00 marked to the last mid (the first 200,000 ticks: 140 fills, -446.50).
 */
#include "test_exec_kit.h"

static uint64_t walk_state;

static uint64_t walk_next(void) {
    walk_state ^= walk_state << 13;
    walk_state ^= walk_state >> 7;
    walk_state ^= walk_state << 17;
    return walk_state;
}

typedef struct {
    double mid;
    hg_event event;
} walk;

static void walk_step(world *w, walk *at) {
    at->mid += (double)((int)(walk_next() % 11) - 5) * 0.5;
    at->mid = at->mid < 30000 ? 30000 : at->mid;
    double half = (double)(1 + walk_next() % 3) * 0.5;
    double bid_size = (double)(1 + walk_next() % 50);
    double ask_size = (double)(1 + walk_next() % 50);
    later(w, HG_NS_PER_MS);
    quote(w, 0, at->mid - half, bid_size, at->mid + half, ask_size);
}

typedef struct {
    uint64_t fills, hash;
    double pnl;
} outcome;

static outcome run_walk(int count) {
    world w;
    walk at = {.mid = 60000};
    double ref = 0;
    hg_side side = HG_BUY;
    walk_state = 88172645463325252ULL;
    world_init(&w);
    world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    world_trade(&w, NULL, NULL);
    for (int i = 0; i < count; i++) {
        walk_step(&w, &at);
        ref = ref > 0 ? ref : at.mid;
        if (fabs(at.mid - ref) * 1000 >= ref) {
            ref = at.mid;
            send_market(&w, 0, side, hg_exec_stats_get(w.exec)->orders == 0 ? 1 : 2);
            CHECK_EQ(world_answers(&w), 2);
            side = side == HG_BUY ? HG_SELL : HG_BUY;
        }
    }
    hg_pnl pnl;
    hg_portfolio_pnl(w.portfolio, w.now_ns, &pnl);
    outcome out = {hg_exec_stats_get(w.exec)->fills, hg_exec_stats_get(w.exec)->hash, pnl.hedged};
    CHECK(pnl.known);
    world_close(&w);
    return out;
}

TEST_WITHIN(fills_and_pnl_are_exact, 60) {
    outcome first = run_walk(200000);
    CHECK_EQ(first.fills, 140);
    CHECK_NEAR(first.pnl, -446.50, 1e-9);
    outcome all = run_walk(1000000);
    CHECK_EQ(all.fills, 715);
    CHECK_NEAR(all.pnl, -1802.00, 1e-9);
    outcome again = run_walk(1000000);
    CHECK(again.hash == all.hash && again.hash != first.hash);
}
