/* Funding and delivery: sums to the last unit, the same whenever somebody asks. */
#include "base/rng.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <stdlib.h>

typedef __int128 wide;

typedef struct {
    hg_cash amount;
    int count;
    hg_nano rate;
    hg_lots lots;
} funding_log;

static void on_funding(void *context, uint32_t instrument, const hg_funding_note *note) {
    funding_log *log = context;
    (void)instrument;
    log->amount += note->amount;
    log->rate = note->rate;
    log->lots = note->lots;
    log->count++;
}

static uint32_t funded_world(world *w, const char *name, funding_log *log) {
    world_init(w);
    uint32_t perp = world_add(w, name);
    world_open(w, &(hg_portfolio_options){
                      .observer = {.context = log, .funding = on_funding}
    });
    value_event(w, HG_EV_INDEX, 0, 60000);
    mark(w, perp, 60000, 0);
    return perp;
}

TEST(longs_pay_a_positive_rate) {
    world w;
    funding_log log = {0};
    uint32_t perp = funded_world(&w, "BTC-PERPETUAL", &log);
    value_event(&w, HG_EV_FUNDING, perp, 0.0008);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, perp, HG_BUY, lots(&w, perp, 60000),
                               ticks(&w, perp, 60000), 0, w.now_ns),
             HG_OK);
    later(&w, HG_NS_PER_HOUR);
    value_event(&w, HG_EV_FUNDING, perp, -0.0008);
    /* 1 BTC * 0.0008 / 8 h * 1 h */
    CHECK_EQ(log.amount, -100000);
    CHECK_EQ(log.lots, lots(&w, perp, 60000));
    CHECK_EQ(log.rate, nano(0.0008));
    later(&w, HG_NS_PER_HOUR);
    value_event(&w, HG_EV_FUNDING, perp, 0);
    CHECK_EQ(log.amount, 0);
    CHECK_NEAR(cash_of(&w, "BTC"), 0, 0);
    CHECK_EQ(hg_portfolio_get(w.portfolio, perp)->funding, 0);
    world_close(&w);
}

TEST(linear_funding_is_paid_on_size_times_price) {
    world w;
    funding_log log = {0};
    uint32_t perp = funded_world(&w, "BTC_USDC-PERPETUAL", &log);
    value_event(&w, HG_EV_FUNDING, perp, 0.0001);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, perp, HG_SELL, lots(&w, perp, 2),
                               ticks(&w, perp, 60000), 0, w.now_ns),
             HG_OK);
    later(&w, 4 * HG_NS_PER_HOUR);
    value_event(&w, HG_EV_FUNDING, perp, 0);
    CHECK_NEAR(cash_of(&w, "USDC"), 2 * 60000 * 0.0001 / 2, 0);
    world_close(&w);
}

TEST(cash_is_booked_at_eight_utc) {
    world w;
    funding_log log = {0};
    uint32_t perp = funded_world(&w, "BTC-PERPETUAL", &log);
    value_event(&w, HG_EV_FUNDING, perp, 0.0008);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, perp, HG_BUY, lots(&w, perp, 60000),
                               ticks(&w, perp, 60000), 0, w.now_ns),
             HG_OK);
    later(&w, 21 * HG_NS_PER_HOUR); /* 07:00 the next day */
    mark(&w, perp, 60000, 0);
    CHECK_EQ(log.count, 0);
    hg_pnl pnl;
    hg_portfolio_pnl(w.portfolio, w.now_ns, &pnl);
    CHECK_NEAR(pnl.funding, -0.0021 * 60000, 1e-9); /* due already, though not booked */
    later(&w, 2 * HG_NS_PER_HOUR);                  /* 09:00 */
    mark(&w, perp, 60000, 0);
    CHECK_EQ(log.count, 1);
    CHECK_EQ(log.amount, -2200000); /* exactly the 22 hours up to 08:00 */
    hg_portfolio_pnl(w.portfolio, w.now_ns, &pnl);
    CHECK_NEAR(pnl.funding, -0.0023 * 60000, 1e-9);
    world_close(&w);
}

/* Random rates, marks, trades and questions against the integral in 128 bits. */
static void drift(const char *name, uint64_t seed, bool ask) {
    world w;
    funding_log log = {0};
    hg_rng rng;
    wide exact = 0;
    uint32_t perp = funded_world(&w, name, &log);
    const hg_instrument *inst = inst_of(&w, perp);
    hg_nano rate = 0;
    hg_nano price = nano(60000);
    hg_rng_init(&rng, seed, 3);
    for (int i = 0; i < 50000; i++) {
        int64_t dt = (int64_t)hg_rng_below(&rng, 3000000000);
        hg_cash value = 0;
        hg_lots held = hg_portfolio_get(w.portfolio, perp)->lots;
        CHECK(held == 0 || hg_value(inst, price, held, &value));
        exact -= (wide)value * rate * dt;
        later(&w, dt);
        switch (hg_rng_below(&rng, 4)) {
        case 0:
            rate = (hg_nano)hg_rng_below(&rng, 1000000) - 500000;
            value_event(&w, HG_EV_FUNDING, perp, hg_nano_to_double(rate));
            break;
        case 1:
            price = nano(50000 + (double)hg_rng_below(&rng, 40000) * 0.5);
            mark(&w, perp, hg_nano_to_double(price), 0);
            break;
        case 2:
            CHECK_EQ(hg_portfolio_fill(w.portfolio, perp, hg_rng_below(&rng, 2) ? HG_BUY : HG_SELL,
                                       1 + (hg_lots)hg_rng_below(&rng, 100), ticks(&w, perp, 60000),
                                       0, w.now_ns),
                     HG_OK);
            break;
        default:
            if (ask) {
                hg_pnl pnl;
                hg_portfolio_pnl(w.portfolio, w.now_ns, &pnl);
            }
            mark(&w, perp, hg_nano_to_double(price), 0);
        }
    }
    value_event(&w, HG_EV_FUNDING, perp, 0.0099);
    wide whole = exact / ((wide)HG_NANO * 8 * HG_NS_PER_HOUR);
    hg_cash booked = hg_portfolio_get(w.portfolio, perp)->funding;
    CHECK(booked - (hg_cash)whole <= 1 && (hg_cash)whole - booked <= 1);
    CHECK(booked == log.amount && booked != 0);
    world_close(&w);
}

TEST(funding_never_drifts) {
    const uint64_t seed = 42;
    printf("seed %llu\n", (unsigned long long)seed);
    drift("BTC-PERPETUAL", seed, false);
    drift("BTC-PERPETUAL", seed, true);
    drift("BTC_USDC-PERPETUAL", seed, true);
}

/* --- delivery --------------------------------------------------------------------------------- */

typedef struct {
    hg_cash amount, fee;
    int count;
} settle_log;

static void on_settle(void *context, uint32_t instrument, hg_nano price, hg_lots held,
                      hg_cash amount, hg_cash fee, hg_settlement_kind kind) {
    CHECK_EQ(kind, HG_SETTLE_DELIVERY);
    settle_log *log = context;
    (void)instrument;
    CHECK(price > 0 && held != 0);
    log->amount = amount;
    log->fee = fee;
    log->count++;
}

/* Sells `size` at `price`, delivers at 80,000 and returns what was told. */
static settle_log deliver_one(const char *name, double size, double price, bool fees) {
    world w;
    settle_log log = {0};
    world_init(&w);
    uint32_t id = world_add(&w, name);
    world_open(&w, &(hg_portfolio_options){
                       .fees = fees, .observer = {.context = &log, .settlement = on_settle}
    });
    value_event(&w, HG_EV_INDEX, 0, 80000);
    CHECK_EQ(hg_portfolio_fill(w.portfolio, id, size > 0 ? HG_BUY : HG_SELL,
                               lots(&w, id, fabs(size)), ticks(&w, id, price), 0, w.now_ns),
             HG_OK);
    hg_cash before = hg_portfolio_cash(w.portfolio, inst_of(&w, id)->settle_id);
    value_event(&w, HG_EV_SETTLE, id, 80000);
    value_event(&w, HG_EV_SETTLE, id, 80000); /* told twice, paid once */
    CHECK_EQ(log.count, 1);
    CHECK_EQ(hg_portfolio_get(w.portfolio, id)->lots, 0);
    CHECK_EQ(hg_portfolio_get(w.portfolio, id)->cost, 0);
    CHECK_EQ(hg_portfolio_cash(w.portfolio, inst_of(&w, id)->settle_id) - before,
             log.amount - log.fee);
    const uint32_t *held = NULL;
    CHECK_EQ(hg_portfolio_held(w.portfolio, &held), 0);
    world_close(&w);
    return log;
}

TEST(delivery_pays_the_payoff) {
    /* call 70,000 at 80,000: 1/8 coin, or 10,000 USDC */
    CHECK_EQ(deliver_one("BTC-30JAN26-70000-C", 2, 0.05, false).amount, nano(0.25));
    CHECK_EQ(deliver_one("BTC-30JAN26-70000-C", -2, 0.05, false).amount, nano(-0.25));
    CHECK_EQ(deliver_one("BTC_USDC-30JAN26-70000-C", 2, 5000, false).amount, nano(20000));
    CHECK_EQ(deliver_one("BTC-30JAN26-90000-P", 1, 0.05, false).amount, nano(0.125));
    CHECK_EQ(deliver_one("BTC-30JAN26-70000-P", 1, 0.05, false).amount, 0);
    /* futures: 80,000 USD from 64,000 to 80,000: 1.25 - 1 coin */
    CHECK_EQ(deliver_one("BTC-30JAN26", 80000, 64000, false).amount, nano(0.25));
    CHECK_EQ(deliver_one("BTC-30JAN26", -80000, 64000, false).amount, nano(-0.25));
}

TEST(delivery_fees_are_capped_for_options) {
    world w;
    world_init(&w);
    const hg_instrument *inst = inst_of(&w, world_add(&w, "BTC-30JAN26-70000-C"));
    const double rate = hg_nano_to_double(inst->delivery);
    const double cap = hg_nano_to_double(inst->fee_cap);
    world_close(&w);
    CHECK(rate > 0 && cap > 0);
    CHECK_EQ(deliver_one("BTC-30JAN26-70000-C", 2, 0.05, true).fee, nano(2 * rate));
    CHECK_EQ(deliver_one("BTC-30JAN26-80000-C", 2, 0.05, true).fee, 0); /* worthless: capped at 0 */
    /* 79,992: payoff 8/80,000 = 0.0001 coin, 12.5 % of it */
    CHECK_EQ(deliver_one("BTC-30JAN26-79992-C", 2, 0.05, true).fee, nano(2 * 0.0001 * cap));
    CHECK_EQ(deliver_one("BTC-30JAN26-70000-C", 2, 0.05, false).fee, 0);
}
