/* P&L identities: nothing traded is nothing hedged, entries do not matter, money is conserved. */
#include "base/rng.h"
#include "test_exec_kit.h"

#include <stdio.h>

static hg_pnl pnl_of(world *w) {
    hg_pnl out;
    hg_portfolio_pnl(w->portfolio, w->now_ns, &out);
    return out;
}

static const char *const legs[] = {"BTC-27MAR26-60000-P",
                                   "BTC_USDC-27MAR26-60000-C",
                                   "BTC-PERPETUAL",
                                   "BTC_USDC-PERPETUAL",
                                   "BTC_USDC",
                                   "BTC-27MAR26"};
enum { LEGS = sizeof legs / sizeof *legs };
static const double sizes[LEGS] = {-5, 3, 50000, -1, 2, -20000};

static void move_all(world *w, double spot, double iv) {
    value_event(w, HG_EV_INDEX, 0, spot);
    value_event(w, HG_EV_FORWARD, inst_of(w, 0)->expiry_id, spot * 1.01);
    for (uint32_t id = 0; id < 2; id++) {
        hg_event e = {.id = id, .kind = HG_EV_MARK};
        e.mark.iv = nano(iv);
        world_event(w, e);
    }
    for (uint32_t id = 2; id < LEGS; id++) {
        mark(w, id, id == 5 ? spot * 1.01 : spot, 0);
    }
}

static void legs_world(world *w, bool entries) {
    world_init(w);
    for (int i = 0; i < LEGS; i++) {
        world_add(w, legs[i]);
    }
    world_open(w, NULL);
    for (uint32_t i = 0; i < LEGS; i++) {
        double price = i == 0 ? 0.05 : i == 1 ? 4000 : 50000 + 1000.0 * i;
        CHECK_EQ(hg_portfolio_open(w->portfolio, i,
                                   lots(w, i, fabs(sizes[i])) * (sizes[i] < 0 ? -1 : 1),
                                   entries ? nano(price) : 0),
                 HG_OK);
    }
}

TEST(an_untouched_book_is_its_own_benchmark) {
    world w;
    legs_world(&w, false);
    CHECK(!pnl_of(&w).known);
    move_all(&w, 60000, 0.5);
    hg_pnl first = pnl_of(&w);
    CHECK(first.known);
    CHECK_NEAR(first.hedged, 0, 1e-4); /* a unit of coin cash is 6e-5 USD */
    CHECK_NEAR(first.unhedged, 0, 1e-6);
    CHECK_NEAR(first.unrealised, 0, 1e-3); /* the first mark is the entry */
    for (int i = 1; i < 20; i++) {
        later(&w, HG_NS_PER_HOUR);
        move_all(&w, 60000 + 500 * i, 0.5 + 0.01 * i);
        hg_pnl x = pnl_of(&w);
        CHECK_NEAR(x.hedged, x.unhedged, 1e-4);
        CHECK(fabs(x.hedged) > 1);
    }
    world_close(&w);
}

TEST(entries_do_not_move_the_pnl_of_the_session) {
    world a;
    world b;
    legs_world(&a, false);
    legs_world(&b, true);
    for (int i = 0; i < 10; i++) {
        move_all(&a, 60000 - 700 * i, 0.5);
        move_all(&b, 60000 - 700 * i, 0.5);
        later(&a, HG_NS_PER_HOUR);
        b.now_ns = a.now_ns;
        if (i == 5) { /* both close their inverse perpetual, partly */
            CHECK_EQ(
                hg_portfolio_fill(a.portfolio, 2, HG_SELL, 3000, ticks(&a, 2, 56000), 0, a.now_ns),
                HG_OK);
            CHECK_EQ(
                hg_portfolio_fill(b.portfolio, 2, HG_SELL, 3000, ticks(&b, 2, 56000), 0, b.now_ns),
                HG_OK);
        }
        hg_pnl x = pnl_of(&a);
        hg_pnl y = pnl_of(&b);
        CHECK_NEAR(x.hedged, y.hedged, 1e-4);
        CHECK_NEAR(x.unhedged, y.unhedged, 1e-4);
        CHECK(i == 0 || fabs(x.unrealised - y.unrealised) > 100);
    }
    CHECK_NEAR(hg_portfolio_entry(b.portfolio, 3), 53000, 1e-9);
    world_close(&a);
    world_close(&b);
}

TEST(each_leg_starts_at_its_own_first_mark) {
    world w;
    world_init(&w);
    uint32_t a = world_add(&w, "BTC_USDC");
    uint32_t b = world_add(&w, "ETH_USDC");
    world_open(&w, NULL);
    CHECK_EQ(hg_portfolio_open(w.portfolio, a, lots(&w, a, 1), 0), HG_OK);
    CHECK_EQ(hg_portfolio_open(w.portfolio, b, lots(&w, b, 10), 0), HG_OK);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    mark(&w, a, 60000, 0);
    later(&w, HG_NS_PER_HOUR);
    value_event(&w, HG_EV_INDEX, 0, 61000);
    mark(&w, a, 61000, 0);
    CHECK(!pnl_of(&w).known);
    CHECK_NEAR(pnl_of(&w).hedged, 1000, 1e-6);
    value_event(&w, HG_EV_INDEX, 1, 3000);
    mark(&w, b, 3000, 0);
    CHECK(pnl_of(&w).known);
    CHECK_NEAR(pnl_of(&w).hedged, 1000, 1e-6);
    value_event(&w, HG_EV_INDEX, 1, 3100);
    mark(&w, b, 3100, 0);
    CHECK_NEAR(pnl_of(&w).hedged, 2000, 1e-6);
    CHECK_NEAR(pnl_of(&w).unhedged, 2000, 1e-6);
    world_close(&w);
}

TEST(a_first_mark_waits_for_the_end_of_its_update) {
    world w;
    world_init(&w);
    uint32_t a = world_add(&w, "BTC_USDC");
    world_open(&w, NULL);
    CHECK_EQ(hg_portfolio_open(w.portfolio, a, lots(&w, a, 1), 0), HG_OK);
    hg_event e = {.id = a, .kind = HG_EV_MARK, .flags = HG_EVF_MORE};
    e.mark.price = nano(50000);
    world_event(&w, e);
    e.mark.price = nano(60000);
    e.flags = 0;
    world_event(&w, e);
    CHECK_NEAR(hg_portfolio_entry(w.portfolio, a), 60000, 1e-9);
    world_close(&w);
}

TEST(deposits_count_from_the_spot_of_their_time) {
    world w;
    world_init(&w);
    world_add(&w, "BTC-PERPETUAL");
    world_open(&w, NULL);
    CHECK_EQ(
        hg_portfolio_deposit(w.portfolio, hg_universe_find_currency(w.universe, "BTC"), nano(2)),
        HG_OK);
    CHECK(!pnl_of(&w).known || pnl_of(&w).equity == 0);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    CHECK_NEAR(pnl_of(&w).hedged, 0, 1e-9);
    CHECK_NEAR(pnl_of(&w).equity, 120000, 1e-9);
    value_event(&w, HG_EV_INDEX, 0, 61000);
    CHECK_NEAR(pnl_of(&w).hedged, 2000, 1e-9);
    CHECK_NEAR(pnl_of(&w).unhedged, 2000, 1e-9); /* it moves both */
    world_close(&w);
}

TEST(settled_legs_keep_what_they_made) {
    world w;
    world_init(&w);
    uint32_t option = world_add(&w, "BTC-30JAN26-60000-C");
    uint32_t future = world_add(&w, "BTC-30JAN26");
    world_open(&w, NULL);
    CHECK_EQ(hg_portfolio_open(w.portfolio, option, lots(&w, option, 2), 0), HG_OK);
    CHECK_EQ(hg_portfolio_open(w.portfolio, future, -lots(&w, future, 60000), nano(50000)), HG_OK);
    value_event(&w, HG_EV_INDEX, 0, 60000);
    mark(&w, option, 0.05, 0.5);
    mark(&w, future, 60000, 0);
    CHECK_NEAR(pnl_of(&w).hedged, 0, 1e-6);
    w.now_ns = inst_of(&w, option)->expiry_ns;
    value_event(&w, HG_EV_INDEX, 0, 80000);
    value_event(&w, HG_EV_SETTLE, option, 80000);
    value_event(&w, HG_EV_SETTLE, future, 80000);
    /* option 2 * 0.25 coin from 2 * 0.05; future -1 coin at 60,000 bought back for 0.75 coin */
    double want = (0.5 * 80000 - 0.1 * 60000) - 0.25 * 80000;
    CHECK_NEAR(pnl_of(&w).hedged, want, 1e-4);
    CHECK_NEAR(pnl_of(&w).unhedged, want, 1e-4);
    CHECK(pnl_of(&w).known);
    world_close(&w);
}

/* equity == cash + value, and hedged is what the trades made, over a random session. */
TEST(equity_is_conserved) {
    const uint64_t seed = 99;
    world w;
    hg_rng rng;
    legs_world(&w, true);
    hg_rng_init(&rng, seed, 1);
    printf("seed %llu\n", (unsigned long long)seed);
    move_all(&w, 60000, 0.6);
    for (int i = 0; i < 5000; i++) {
        hg_pnl before = pnl_of(&w);
        uint32_t id = (uint32_t)hg_rng_below(&rng, LEGS);
        double at = hg_market_mark(w.market, id, w.now_ns);
        hg_ticks price = hg_price_round(inst_of(&w, id), at, -1);
        hg_lots size = 1 + (hg_lots)hg_rng_below(&rng, 20);
        if (price <= 0) {
            continue;
        }
        CHECK_EQ(hg_portfolio_fill(w.portfolio, id, hg_rng_below(&rng, 2) ? HG_BUY : HG_SELL, size,
                                   price, 0, w.now_ns),
                 HG_OK);
        /* A trade at the mark makes nothing but the rounding of its price. */
        hg_pnl after = pnl_of(&w);
        double step = (double)hg_instrument_step(inst_of(&w, id), price);
        double tick = step * (double)inst_of(&w, id)->tick / 1e9;
        double coins = hg_size_to_double(inst_of(&w, id), size);
        bool premium_in_coin = inst_of(&w, id)->inverse && inst_of(&w, id)->cp != 0;
        double slack = coins * tick * (premium_in_coin ? 70000 : 1) * 1.01 + 1e-4;
        CHECK_NEAR(after.equity, before.equity, slack);
        CHECK_NEAR(after.hedged - before.hedged, after.equity - before.equity, 1e-6);
        CHECK_NEAR(after.unhedged, before.unhedged, 1e-9);
        double split = (after.realised + after.unrealised) - (before.realised + before.unrealised);
        CHECK_NEAR(split, after.equity - before.equity, 1e-3);
        if (i % 10 == 0) {
            later(&w, HG_NS_PER_S);
            move_all(&w, 55000 + (double)hg_rng_below(&rng, 10000), 0.6);
        }
    }
    world_close(&w);
}

/* Coins deposited fall with the market, hedged or not: what the hedge did is the difference. */
TEST(cash_is_in_both_sides_of_the_comparison) {
    for (int traded = 0; traded < 2; traded++) {
        world w;
        legs_world(&w, false);
        uint32_t btc = hg_universe_find_currency(w.universe, "BTC");
        CHECK_EQ(hg_portfolio_deposit(w.portfolio, btc, nano(4)), HG_OK); /* before any spot */
        move_all(&w, 60000, 0.5);
        CHECK_NEAR(pnl_of(&w).unhedged, 0, 1e-6);
        double size = traded ? -60000 : 0;
        if (traded) {
            CHECK_EQ(hg_portfolio_fill(w.portfolio, 2, HG_SELL, lots(&w, 2, -size),
                                       ticks(&w, 2, 60000), 0, w.now_ns),
                     HG_OK);
        }
        later(&w, HG_NS_PER_S);
        move_all(&w, 48000, 0.5);
        hg_pnl pnl = pnl_of(&w);
        double hedge = size == 0 ? 0 : size * (1.0 / 60000 - 1.0 / 48000) * 48000;
        CHECK_NEAR(pnl.hedged - pnl.unhedged, hedge, 1e-3);
        CHECK_EQ(hg_portfolio_deposit(w.portfolio, btc, -nano(1)), HG_OK); /* moves neither */
        CHECK_NEAR(pnl_of(&w).unhedged, pnl.unhedged, 1e-3);
        CHECK_NEAR(pnl_of(&w).hedged, pnl.hedged, 1e-3);
        CHECK(pnl.unhedged < -4 * 12000 + 60000); /* the four coins have fallen */
        world_close(&w);
    }
}
