/* Fills, cost and cash against a naive ledger that keeps everything and knows no formulas. */
#include "base/rng.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <stdlib.h>

typedef __int128 wide;

/* What a naive reader of all fills knows of one instrument. */
typedef struct {
    hg_lots lots;
    wide signed_value; /* sum of side * value */
    wide fees;
} naive;

static wide value_of(const hg_instrument *inst, hg_ticks price, hg_lots size) {
    hg_cash out = 0;
    if (size == 0) {
        return 0;
    }
    CHECK(hg_value(inst, price * inst->tick, size, &out));
    return out;
}

/* The value of a fill, rounded in the two parts a ledger may book it in. */
static wide split_value(const hg_instrument *inst, const naive *n, hg_side side, hg_ticks price,
                        hg_lots size) {
    bool against = (n->lots > 0 && side == HG_SELL) || (n->lots < 0 && side == HG_BUY);
    hg_lots closed = !against ? 0 : size < llabs(n->lots) ? size : llabs(n->lots);
    return value_of(inst, price, closed) + value_of(inst, price, size - closed);
}

static void check_identity(const world *w, uint32_t id, const naive *n) {
    const hg_position *pos = hg_portfolio_get(w->portfolio, id);
    const hg_instrument *inst = inst_of(w, id);
    bool inverse_future = inst->inverse && inst->kind != HG_KIND_OPTION;
    wide cost = inverse_future ? n->signed_value - pos->realised : n->signed_value + pos->realised;
    CHECK_EQ(pos->lots, n->lots);
    CHECK(pos->cost == cost);
    CHECK(pos->fees == n->fees);
    CHECK(n->lots != 0 || pos->cost == 0);
    CHECK((pos->lots > 0) == (pos->cost > 0) && (pos->lots < 0) == (pos->cost < 0));
}

static const char *const names[] = {
    "BTC-PERPETUAL",       "BTC_USDC-PERPETUAL",       "BTC-27MAR26",
    "BTC-27MAR26-90000-C", "BTC_USDC-27MAR26-90000-P", "BTC_USDC"};
enum { NAMES = sizeof names / sizeof *names };

/* Balance per currency from the naive sums: premium contracts pay in full, futures their gains. */
static void check_cash(const world *w, const naive *n) {
    wide btc = 0;
    wide usdc = 0;
    for (uint32_t i = 0; i < NAMES; i++) {
        const hg_instrument *inst = inst_of(w, i);
        bool premium = inst->kind == HG_KIND_OPTION || inst->kind == HG_KIND_SPOT;
        wide moved = premium ? -n[i].signed_value : hg_portfolio_get(w->portfolio, i)->realised;
        *(inst->settle[0] == 'B' ? &btc : &usdc) += moved - n[i].fees;
    }
    CHECK(hg_portfolio_cash(w->portfolio, hg_universe_find_currency(w->universe, "BTC")) == btc);
    CHECK(hg_portfolio_cash(w->portfolio, hg_universe_find_currency(w->universe, "USDC")) == usdc);
}

static void random_fill(world *w, hg_rng *rng, naive *n) {
    uint32_t id = (uint32_t)hg_rng_below(rng, NAMES);
    const hg_instrument *inst = inst_of(w, id);
    hg_side side = hg_rng_below(rng, 2) ? HG_BUY : HG_SELL;
    hg_lots size = 1 + (hg_lots)hg_rng_below(rng, 500);
    double level = inst->kind == HG_KIND_OPTION ? (inst->inverse ? 0.05 : 4000) : 60000;
    double price = level * (0.5 + hg_rng_uniform(rng));
    hg_ticks at = (hg_ticks)llrint(price / ((double)inst->tick / 1e9));
    hg_cash fee = (hg_cash)hg_rng_below(rng, 1000) - 200;
    if (hg_rng_below(rng, 8) == 0 && n[id].lots != 0) { /* exactly flat now and then */
        side = n[id].lots > 0 ? HG_SELL : HG_BUY;
        size = llabs(n[id].lots);
    }
    n[id].signed_value += side * split_value(inst, &n[id], side, at, size);
    n[id].lots += side * size;
    n[id].fees += fee;
    CHECK_EQ(hg_portfolio_fill(w->portfolio, id, side, size, at, fee, w->now_ns), HG_OK);
    check_identity(w, id, &n[id]);
}

TEST_WITHIN(agrees_with_a_naive_ledger, 60) {
    const uint64_t seed = 20260105;
    world w;
    hg_rng rng;
    naive n[NAMES] = {0};
    printf("seed %llu\n", (unsigned long long)seed);
    world_init(&w);
    for (int i = 0; i < NAMES; i++) {
        world_add(&w, names[i]);
    }
    world_open(&w, NULL);
    hg_rng_init(&rng, seed, 1);
    for (int i = 0; i < 200000; i++) {
        random_fill(&w, &rng, n);
        if (i % 64 == 0) {
            check_cash(&w, n);
        }
    }
    check_cash(&w, n);
    world_close(&w);
}

TEST(average_entry_and_realised_of_an_inverse_position) {
    /* Deribit's official example: 185,160 USD at 15,000, mark 17,391: +1.69711 BTC. */
    world w;
    world_init(&w);
    uint32_t perp = world_add(&w, "BTC-PERPETUAL");
    world_open(&w, NULL);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, perp, HG_BUY, lots(&w, perp, 185160),
                               ticks(&w, perp, 15000), 0, T0),
             HG_OK);
    CHECK_NEAR(hg_portfolio_entry(w.portfolio, perp), 15000, 1e-6);
    CHECK_NEAR(cash_of(&w, "BTC"), 0, 0);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, perp, HG_SELL, lots(&w, perp, 185160),
                               ticks(&w, perp, 17391), 0, T0),
             HG_OK);
    CHECK_NEAR(cash_of(&w, "BTC"), 1.69711, 1e-5);
    CHECK_NEAR(hg_nano_to_double(hg_portfolio_get(w.portfolio, perp)->realised), 1.69711, 1e-5);
    CHECK_NEAR(hg_portfolio_entry(w.portfolio, perp), 0, 0);
    world_close(&w);
}

TEST(a_flip_starts_a_new_entry) {
    world w;
    world_init(&w);
    uint32_t perp = world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, perp, HG_BUY, lots(&w, perp, 1), ticks(&w, perp, 60000),
                               0, T0),
             HG_OK);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, perp, HG_SELL, lots(&w, perp, 3),
                               ticks(&w, perp, 61000), 0, T0),
             HG_OK);
    CHECK_NEAR(position_of(&w, perp), -2, 0);
    CHECK_NEAR(hg_portfolio_entry(w.portfolio, perp), 61000, 1e-9);
    CHECK_NEAR(cash_of(&w, "USDC"), 1000, 0);
    world_close(&w);
}

TEST(a_fill_that_does_not_fit_changes_nothing) {
    world w;
    world_init(&w);
    uint32_t perp = world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    const hg_position before = *hg_portfolio_get(w.portfolio, perp);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, perp, HG_BUY, INT64_MAX / 2, 100, 0, T0), HG_ERANGE);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, perp, HG_BUY, 1, INT64_MAX / 2, 0, T0), HG_ERANGE);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, perp, HG_BUY, 1, 100, INT64_MIN, T0), HG_ERANGE);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, perp, HG_BUY, 0, 100, 0, T0), HG_EINVALID);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, 99, HG_BUY, 1, 100, 0, T0), HG_EINVALID);
    CHECK_MEM(&before, hg_portfolio_get(w.portfolio, perp), sizeof before);
    CHECK_NEAR(cash_of(&w, "USDC"), 0, 0);
    world_close(&w);
}

/* --- what observers are told ------------------------------------------------------------------ */

typedef struct {
    hg_cash sum[4];
    hg_cash last[4];
    int count;
} cash_log;

static void on_cash(void *context, uint32_t currency, hg_cash amount, hg_cash balance,
                    hg_cash_cause cause) {
    cash_log *log = context;
    log->sum[currency] += amount;
    log->last[currency] = balance;
    log->count++;
    CHECK(amount != 0 && cause <= HG_CASH_DEPOSIT);
}

TEST(the_observer_sees_every_change_of_a_balance) {
    world w;
    cash_log log = {0};
    hg_rng rng;
    naive n[NAMES] = {0};
    world_init(&w);
    for (int i = 0; i < NAMES; i++) {
        world_add(&w, names[i]);
    }
    world_open(&w, &(hg_portfolio_options){
                       .observer = {.context = &log, .cash = on_cash}
    });
    hg_rng_init(&rng, 7, 1);
    CHECK_EQ(hg_portfolio_deposit(w.portfolio, 0, nano(3)), HG_OK);
    for (int i = 0; i < 1000; i++) {
        random_fill(&w, &rng, n);
    }
    for (uint32_t c = 0; c < hg_universe_currency_count(w.universe); c++) {
        CHECK_EQ(log.sum[c], hg_portfolio_cash(w.portfolio, c));
        CHECK(log.sum[c] == log.last[c]);
    }
    CHECK(log.count > 1000);
    world_close(&w);
}

TEST(held_is_sorted_and_exact) {
    world w;
    const uint32_t *held = NULL;
    world_init(&w);
    for (int i = 0; i < NAMES; i++) {
        world_add(&w, names[i]);
    }
    world_open(&w, NULL);
    CHECK_EQ(hg_portfolio_open(w.portfolio, 4, -5, 0), HG_OK);
    hg_portfolio_pending(w.portfolio, 0, 3, 0);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, 2, HG_BUY, 1, ticks(&w, 2, 60000), 0, T0), HG_OK);
    CHECK_EQ(hg_portfolio_held(w.portfolio, &held), 3);
    CHECK(held[0] == 0 && held[1] == 2 && held[2] == 4);
    hg_portfolio_pending(w.portfolio, 0, 0, 0);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, 2, HG_SELL, 1, ticks(&w, 2, 60000), 0, T0), HG_OK);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, 4, HG_BUY, 5, ticks(&w, 4, 100), 0, T0), HG_OK);
    CHECK_EQ(hg_portfolio_held(w.portfolio, &held), 1); /* opened: still the unhedged leg */
    CHECK_EQ(held[0], 4);
    world_close(&w);
}
