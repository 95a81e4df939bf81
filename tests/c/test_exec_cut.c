/* What we are told late: fills after the end of their order, and everything after a cut. A hedger
 * that sends what is missing must never have more at the venue than it needs. */
#include "base/log.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <string.h>

enum { PERP };

static void cut_world(world *w, const char *faults, const char *latency, uint64_t seed) {
    hg_paper_options o = {.fill = HG_FILL_DEPTH, .seed = seed};
    static const hg_limits limits = {
        .repeated_window_ns = 1, .hedge_overshoot = 1e9, .hedge_tries = 1000000};
    CHECK_EQ(hg_faults_parse(faults, &o.faults), HG_OK);
    CHECK_EQ(latency ? hg_latency_parse(latency, &o.latency) : HG_OK, HG_OK);
    world_init(w);
    world_add(w, "BTC_USDC-PERPETUAL");
    world_open(w, NULL);
    world_trade(w, &o, &(hg_exec_options){.order_capacity = 4096, .limits = limits});
    value_event(w, HG_EV_INDEX, 0, 60000);
    quote(w, PERP, 59999, 2, 60001, 3);
    mark(w, PERP, 60000, 0);
}

static hg_event answer(const world *w, hg_event_kind kind, uint64_t id, double filled) {
    hg_event e = {.time_ns = w->now_ns, .id = PERP, .kind = (uint8_t)kind};
    e.order.id = id;
    e.order.price = ticks(w, PERP, 59000);
    e.order.size = lots(w, PERP, 3);
    e.order.filled = lots(w, PERP, filled);
    e.order.code = kind == HG_EV_CANCELLED ? HG_REJECT_USER : HG_REJECT_NONE;
    return e;
}

static void tell(world *w, hg_event_kind kind, uint64_t id, double filled) {
    hg_event e = answer(w, kind, id, filled);
    hg_exec_apply(w->exec, &e);
}

static void tell_fill(world *w, uint64_t id, uint64_t trade, double size) {
    hg_event e = answer(w, HG_EV_FILL, id, 0);
    e.order.fee = 0;
    e.order.trade = trade;
    e.order.size = lots(w, PERP, size);
    hg_exec_apply(w->exec, &e);
}

static double pending(const world *w) {
    return hg_size_to_double(inst_of(w, PERP), hg_portfolio_get(w->portfolio, PERP)->pending_buy);
}

TEST(an_order_ends_when_all_it_has_filled_is_told) {
    world w;
    cut_world(&w, "none", "60s", 1);
    for (int acked = 0; acked < 2; acked++) {
        uint64_t trade = 100 + 10 * (uint64_t)acked;
        uint64_t id = send_limit(&w, PERP, HG_BUY, 59000, 3);
        tell(&w, HG_EV_ACK, id, acked ? 2 : 0);
        tell(&w, HG_EV_CANCELLED, id, acked ? 0 : 2); /* the newest word, or an older one */
        CHECK_NEAR(pending(&w), 2, 0);
        CHECK(!hg_order_state_done((hg_order_state)hg_exec_get(w.exec, id)->state));
        CHECK_EQ(hg_exec_cancel(w.exec, id, w.now_ns), HG_OK); /* it is over: nothing is asked */
        CHECK(hg_exec_amend(w.exec, id, 0, 5, w.now_ns, &w.refusal) < 0);
        tell_fill(&w, id, trade, 1);
        CHECK_NEAR(pending(&w), 1, 0);
        tell(&w, HG_EV_CANCELLED, id, 2); /* again */
        CHECK_NEAR(pending(&w), 1, 0);
        tell_fill(&w, id, trade, 1); /* a copy */
        CHECK_NEAR(pending(&w), 1, 0);
        tell_fill(&w, id, trade + 1, 1);
        CHECK_NEAR(pending(&w), 0, 0);
        CHECK_STR(state_of(&w, id), "cancelled");
        CHECK_NEAR(filled_of(&w, id), 2, 0);
    }
    CHECK_EQ(hg_exec_stats_get(w.exec)->late, 0);
    CHECK_EQ(hg_exec_stats_get(w.exec)->cancelled, 2);
    world_close(&w);
}

TEST(a_cut_makes_orders_unknown_and_the_venue_proves_them) {
    world w;
    hg_log_level_set(HG_LOG_ERROR);
    cut_world(&w, "cut=1m+1m", NULL, 1);
    uint64_t stays = send_limit(&w, PERP, HG_BUY, 59000, 1);
    uint64_t partly = send_limit(&w, PERP, HG_BUY, 59900, 3);
    world_answers(&w);
    CHECK_STR(state_of(&w, stays), "working");
    later(&w, 60 * HG_NS_PER_S);
    quote(&w, PERP, 59890, 2, 59900, 1); /* one lot of three, untold */
    world_answers(&w);
    CHECK_STR(state_of(&w, stays), "unknown");
    CHECK_STR(state_of(&w, partly), "unknown");
    CHECK_NEAR(pending(&w), 4, 0);
    CHECK_EQ(hg_exec_stats_get(w.exec)->alarms, 1);
    later(&w, 60 * HG_NS_PER_S);
    quote(&w, PERP, 59890, 2, 59990, 1);
    world_answers(&w);
    CHECK_STR(state_of(&w, stays), "working");
    CHECK_STR(state_of(&w, partly), "partial");
    CHECK_NEAR(pending(&w), 3, 0);
    world_close(&w);
}

/* --- the property ----------------------------------------------------------------------------- */

enum { WAITING = 64, TRADES = 16384 };

typedef struct {
    world w;
    hg_rng rng;
    hg_event waits[WAITING]; /* fills kept back; others of the order overtake them */
    int count;
    hg_lots traded; /* at the venue, told or not */
    uint64_t kept;
    bool seen[TRADES]; /* some are told twice */
} rig;

static void release(rig *r, int k) {
    hg_event e = r->waits[k];
    r->waits[k] = r->waits[--r->count];
    e.time_ns = r->w.now_ns;
    hg_exec_apply(r->w.exec, &e);
}

/* The answers of the venue; a third of the fills is told later than what came after them. */
static void deliver(rig *r) {
    world *w = &r->w;
    for (;;) {
        hg_event e;
        int64_t venue = w->venue->ops->due_ns(w->venue);
        int64_t own = hg_exec_due_ns(w->exec);
        if (own <= venue && own <= w->now_ns && hg_exec_next(w->exec, &e)) {
            hg_exec_apply(w->exec, &e);
        } else if (venue > w->now_ns) {
            return;
        } else if (w->venue->ops->next(w->venue, &e)) {
            bool fill = e.kind == HG_EV_FILL;
            if (fill) {
                CHECK(e.order.trade < TRADES);
                r->traded += r->seen[e.order.trade] ? 0 : e.order.size;
                r->seen[e.order.trade] = true;
            }
            if (fill && r->count < WAITING && hg_rng_below(&r->rng, 3) == 0) {
                r->waits[r->count++] = e;
                r->kept++;
            } else {
                hg_exec_apply(w->exec, &e);
            }
        }
    }
}

/* Buys what neither is held nor may still come. */
static void hedge(rig *r, hg_lots need) {
    const hg_position *pos = hg_portfolio_get(r->w.portfolio, PERP);
    hg_lots missing = need - pos->lots - pos->pending_buy;
    double size = hg_size_to_double(inst_of(&r->w, PERP), missing);
    if (missing > 0) {
        double price = 59990 + (double)hg_rng_below(&r->rng, 15);
        send_request(&r->w,
                     (hg_order_request){.instrument = PERP,
                                        .side = HG_BUY,
                                        .type = HG_TYPE_LIMIT,
                                        .tif = hg_rng_below(&r->rng, 2) ? HG_TIF_IOC : HG_TIF_GTC,
                                        .price = price,
                                        .size = size});
    }
}

static uint64_t play(uint64_t seed, const char *faults, bool late) {
    rig r = {.count = 0};
    hg_rng_init(&r.rng, seed, 3);
    cut_world(&r.w, faults, "orders=uniform:1ms:300ms", seed);
    hg_lots need = 0;
    for (int i = 0; i < 2000; i++) {
        later(&r.w, (int64_t)(1 + hg_rng_below(&r.rng, 200)) * HG_NS_PER_MS);
        double mid = 59995 + (double)hg_rng_below(&r.rng, 10);
        quote(&r.w, PERP, mid - 1, 1, mid + 1, 1 + (double)hg_rng_below(&r.rng, 3));
        mark(&r.w, PERP, 60000, 0);
        deliver(&r);
        if (r.count > 0 && (!late || hg_rng_below(&r.rng, 4) == 0)) {
            release(&r, (int)hg_rng_below(&r.rng, (uint64_t)r.count));
        }
        if (hg_rng_below(&r.rng, 20) == 0) {
            need += lots(&r.w, PERP, 1 + (double)hg_rng_below(&r.rng, 4));
        }
        if (hg_rng_below(&r.rng, 5) == 0) {
            hg_exec_cancel_all(r.w.exec, HG_STRATEGY_ANY, HG_ID_NONE, r.w.now_ns);
        }
        hedge(&r, need);
        if (r.traded > need) {
            hg_test_fail(__FILE__, __LINE__,
                         "seed %llu, faults %s, step %d: %lld lots traded, %lld needed",
                         (unsigned long long)seed, faults, i, (long long)r.traded, (long long)need);
            break;
        }
    }
    CHECK(need > 0 && r.traded > 0);
    uint64_t kept = r.kept;
    world_close(&r.w);
    return kept;
}

TEST_WITHIN(a_hedger_never_over_hedges_through_cuts_and_late_fills, 60) {
    uint64_t kept = 0;
    hg_log_level_set(HG_LOG_ERROR);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        kept += play(seed, "none", true);
        kept += play(seed, "cut=random:20s:5s", true);
        play(seed, "cut=random:10s:10s,lose=5%,repeat=5%,busy=5%", false);
    }
    CHECK(kept > 500);
    printf("note: 120 sessions, %llu fills told late\n", (unsigned long long)kept);
}
