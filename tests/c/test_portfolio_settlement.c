/* Days and contracts end: daily settlement, delivery and funding against naive exact sums. */
#include "base/rng.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

typedef __int128 wide;

typedef struct {
    hg_cash amount;
    hg_nano price;
    int daily, deliveries;
} settle_log;

static void on_settlement(void *context, uint32_t instrument, hg_nano price, hg_lots held,
                          hg_cash amount, hg_cash fee, hg_settlement_kind kind) {
    settle_log *log = context;
    (void)instrument;
    CHECK(price > 0 && held != 0);
    CHECK(kind == HG_SETTLE_DELIVERY || fee == 0);
    log->amount += amount;
    log->price = price;
    *(kind == HG_SETTLE_DAILY ? &log->daily : &log->deliveries) += 1;
}

static hg_pnl pnl_now(world *w) {
    hg_pnl pnl;
    hg_portfolio_pnl(w->portfolio, w->now_ns, &pnl);
    return pnl;
}

static void buy(world *w, uint32_t id, double size, double price) {
    CHECK_EQ(hg_portfolio_fill(w->portfolio, id, size > 0 ? HG_BUY : HG_SELL,
                               lots(w, id, fabs(size)), ticks(w, id, price), 0, w->now_ns),
             HG_OK);
}

/* --- daily settlement --------------------------------------------------------------------------
 */

static void one_day(const char *name, double size, double gain) {
    world w;
    settle_log log = {0};
    world_init(&w);
    uint32_t id = world_add(&w, name);
    world_open(&w, &(hg_portfolio_options){
                       .observer = {.context = &log, .settlement = on_settlement}
    });
    const char *currency = inst_of(&w, id)->settle;
    value_event(&w, HG_EV_INDEX, 0, 50000);
    mark(&w, id, 50000, 0);
    buy(&w, id, size, 50000);
    later(&w, 21 * HG_NS_PER_HOUR); /* 07:00 */
    value_event(&w, HG_EV_INDEX, 0, 62500);
    mark(&w, id, 62500, 0);
    hg_pnl before = pnl_now(&w);
    CHECK_NEAR(before.realised, 0, 0);
    CHECK_NEAR(cash_of(&w, currency), 0, 0);
    later(&w, HG_NS_PER_HOUR); /* 08:00 sharp */
    mark(&w, id, 62500, 0);
    hg_pnl after = pnl_now(&w);
    CHECK_EQ(log.daily, 1);
    CHECK_EQ(log.amount, nano(gain));
    CHECK_EQ(log.price, nano(62500));
    CHECK_NEAR(cash_of(&w, currency), gain, 1e-15);
    CHECK_NEAR(after.hedged, before.hedged, 1e-6);
    CHECK_NEAR(after.realised, before.unrealised, 1e-6);
    CHECK_NEAR(after.unrealised, 0, 1e-4);
    CHECK_NEAR(hg_portfolio_entry(w.portfolio, id), 50000, 1e-6); /* the entry stays */
    later(&w, 23 * HG_NS_PER_HOUR);
    mark(&w, id, 62500, 0);
    CHECK_EQ(log.daily, 1); /* once a day */
    buy(&w, id, -size, 50000);
    CHECK_NEAR(cash_of(&w, currency), 0, 0); /* in and out at one price: nothing is left */
    CHECK_EQ(hg_portfolio_get(w.portfolio, id)->realised, 0);
    CHECK_EQ(hg_portfolio_get(w.portfolio, id)->cost, 0);
    CHECK_EQ(hg_portfolio_get(w.portfolio, id)->entry_cost, 0);
    world_close(&w);
}

TEST(each_day_the_gain_of_futures_becomes_cash) {
    one_day("BTC-PERPETUAL", 100000, 100000 / 50000.0 - 100000 / 62500.0);
    one_day("BTC_USDC-PERPETUAL", -2, -25000);
    one_day("BTC-27MAR26", -50000, -50000 / 50000.0 + 50000 / 62500.0);
}

TEST(options_and_spot_are_not_settled_daily) {
    world w;
    settle_log log = {0};
    world_init(&w);
    uint32_t call = world_add(&w, "BTC-27MAR26-60000-C");
    uint32_t spot = world_add(&w, "BTC_USDC");
    world_open(&w, &(hg_portfolio_options){
                       .observer = {.context = &log, .settlement = on_settlement}
    });
    value_event(&w, HG_EV_INDEX, 0, 60000);
    mark(&w, call, 0.05, 0.5);
    mark(&w, spot, 60000, 0);
    buy(&w, call, 1, 0.05);
    buy(&w, spot, 1, 60000);
    later(&w, HG_NS_PER_DAY);
    mark(&w, spot, 61000, 0);
    CHECK_EQ(log.daily, 0);
    world_close(&w);
}

TEST(delivery_of_daily_and_weekly_expiries_is_free) {
    static const struct {
        const char *name;
        bool charged;
    } cases[] = {
        {"BTC-27FEB26-80000-C", true },
        {"BTC-20FEB26-80000-C", false}, /* a Friday, not the last */
        {"BTC-26FEB26-80000-C", false}, /* a Thursday */
        {"BTC-27MAR26",         true },
        {"BTC-13MAR26",         false},
        {"BTC-PERPETUAL",       false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hg_instrument inst;
        CHECK_EQ(hg_instrument_from_name(cases[i].name, &inst), HG_OK);
        CHECK_EQ(inst.delivery > 0, cases[i].charged);
    }
}

/* --- millions of steps against a naive ledger ----------------------------------------------------
 */

static const char *const names[] = {
    "BTC-PERPETUAL",       "BTC_USDC-PERPETUAL",       "BTC-27MAR26",
    "BTC-27MAR26-60000-C", "BTC_USDC-27MAR26-60000-P", "BTC_USDC"};
enum { NAMES = sizeof names / sizeof *names };

/* One instrument, as simple as can be: lots, and money in as exact sums over all that happened. */
typedef struct {
    hg_lots lots;
    wide paid; /* options and spot: premiums; futures: value bought less value sold */
    wide fees;
    wide funding; /* value * rate * ns, not divided */
    hg_nano rate, price;
    int64_t since_ns;
} naive;

/* Half to even, as the ledger rounds each value once. */
static wide divide(wide a, wide b) {
    wide size = a < 0 ? -a : a;
    wide q = size / b;
    wide twice = 2 * (size % b);
    q += twice > b || (twice == b && q % 2 == 1);
    return a < 0 ? -q : q;
}

static wide value_of(const hg_instrument *inst, hg_nano price, hg_lots size) {
    wide amount = (wide)size * inst->lot;
    bool usd_sized = inst->inverse && inst->kind != HG_KIND_OPTION;
    return usd_sized ? divide(amount * 1000000000, price) : divide(amount * price, 1000000000);
}

static void naive_fund(naive *n, const hg_instrument *inst, int64_t now_ns) {
    if (n->lots != 0 && n->rate != 0) {
        n->funding -= value_of(inst, n->price, n->lots) * n->rate * (now_ns - n->since_ns);
    }
    n->since_ns = now_ns;
}

/* A fill that turns a position is two: closing and opening, each valued and rounded once. */
static void naive_fill(naive *n, const hg_instrument *inst, int side, hg_lots size, hg_nano price) {
    hg_lots against = n->lots * side < 0 ? llabs(n->lots) : 0;
    hg_lots closed = size < against ? size : against;
    n->paid += side * (value_of(inst, price, closed) + value_of(inst, price, size - closed));
    n->lots += side * size;
}

/* What is booked and the exact integral differ by less than one unit, however many segments: the
 * fraction is carried, never dropped. */
static void check_funding(hg_cash booked, const naive *n) {
    const wide unit = (wide)1000000000 * 8 * HG_NS_PER_HOUR;
    wide off = (wide)booked * unit - n->funding;
    CHECK(off < unit && off > -unit);
}

static void compare(const world *w, const naive *all) {
    wide balance[2] = {0};
    uint32_t btc = hg_universe_find_currency(w->universe, "BTC");
    for (uint32_t id = 0; id < NAMES; id++) {
        const hg_instrument *inst = inst_of(w, id);
        const hg_position *pos = hg_portfolio_get(w->portfolio, id);
        const naive *n = &all[id];
        bool premium = inst->kind == HG_KIND_OPTION || inst->kind == HG_KIND_SPOT;
        CHECK_EQ(pos->lots, n->lots);
        CHECK_EQ(pos->fees, (hg_cash)n->fees);
        /* realised less cost is what was got less what was paid, whatever was settled between */
        wide got = inst->inverse && !premium ? (wide)pos->realised + pos->cost
                                             : (wide)pos->realised - pos->cost;
        CHECK_EQ((hg_cash)got, (hg_cash)(inst->inverse && !premium ? n->paid : -n->paid));
        wide cash = premium ? -n->paid : pos->realised;
        balance[inst->settle_id == btc] += cash - n->fees + pos->funding;
    }
    CHECK_EQ(hg_portfolio_cash(w->portfolio, btc), (hg_cash)balance[1]);
    CHECK_EQ(hg_portfolio_cash(w->portfolio, hg_universe_find_currency(w->universe, "USDC")),
             (hg_cash)balance[0]);
}

static void step(world *w, hg_rng *rng, naive *all, double *spot) {
    uint32_t id = (uint32_t)hg_rng_below(rng, NAMES);
    const hg_instrument *inst = inst_of(w, id);
    naive *n = &all[id];
    bool option = inst->kind == HG_KIND_OPTION;
    switch (hg_rng_below(rng, 4)) {
    case 0:
        *spot *= exp(0.001 * hg_rng_normal(rng));
        value_event(w, HG_EV_INDEX, 0, *spot);
        break;
    case 1: {
        hg_nano price = nano(option ? 0.02 + 0.0001 * (double)hg_rng_below(rng, 200)
                                    : floor(*spot * 10) / 10);
        if (inst->kind == HG_KIND_PERPETUAL) {
            naive_fund(n, inst, w->now_ns);
            n->price = price;
        }
        mark(w, id, hg_nano_to_double(price), option ? 0.5 : 0);
        break;
    }
    case 2:
        if (inst->kind == HG_KIND_PERPETUAL) {
            hg_nano rate = (hg_nano)hg_rng_below(rng, 2000000) - 1000000;
            naive_fund(n, inst, w->now_ns);
            n->rate = rate;
            value_event(w, HG_EV_FUNDING, id, hg_nano_to_double(rate));
        }
        break;
    default: {
        int side = hg_rng_below(rng, 2) ? 1 : -1;
        hg_lots size = 1 + (hg_lots)hg_rng_below(rng, 500);
        hg_ticks price = option ? 1 + (hg_ticks)hg_rng_below(rng, 1500)
                                : hg_price_round(inst, *spot, side);
        hg_cash fee = (hg_cash)hg_rng_below(rng, 1000000);
        naive_fund(n, inst, w->now_ns);
        CHECK_EQ(hg_portfolio_fill(w->portfolio, id, (hg_side)side, size, price, fee, w->now_ns),
                 HG_OK);
        naive_fill(n, inst, side, size, price * inst->tick);
        n->fees += fee;
    }
    }
}

TEST_WITHIN(two_million_steps_add_up_to_the_last_unit, 240) {
    const uint64_t seed = 20260122;
    world w;
    hg_rng rng;
    settle_log log = {0};
    naive all[NAMES] = {0};
    double spot = 60000;
    world_init(&w);
    for (int i = 0; i < NAMES; i++) {
        world_add(&w, names[i]);
    }
    world_open(&w, &(hg_portfolio_options){
                       .observer = {.context = &log, .settlement = on_settlement}
    });
    value_event(&w, HG_EV_INDEX, 0, spot);
    for (uint32_t id = 0; id < NAMES; id++) {
        bool option = inst_of(&w, id)->kind == HG_KIND_OPTION;
        mark(&w, id, option ? 0.03 : spot, option ? 0.5 : 0);
        all[id].price = nano(spot);
        all[id].since_ns = w.now_ns;
    }
    hg_rng_init(&rng, seed, 7);
    for (int i = 0; i < 2000000; i++) {
        later(&w, (int64_t)hg_rng_below(&rng, 4000000000)); /* 46 days in all */
        step(&w, &rng, all, &spot);
        if (i % 97 == 0) {
            compare(&w, all);
        }
    }
    CHECK(log.daily > 100);
    for (uint32_t id = 0; id < 2; id++) { /* books what has accrued */
        naive_fund(&all[id], inst_of(&w, id), w.now_ns);
        value_event(&w, HG_EV_FUNDING, id, 0.0099);
        check_funding(hg_portfolio_get(w.portfolio, id)->funding, &all[id]);
    }
    compare(&w, all);
    printf(
        "note: seed %llu, 2,000,000 steps, %d daily settlements: balances, lots, fees and funding "
        "equal the naive sums\n",
        (unsigned long long)seed, log.daily);
    world_close(&w);
}

/* --- three years of real funding -----------------------------------------------------------------
 */

/* Binance's BTC-USDT rates, 2020 to 2023, through a linear and an inverse position whose mark moves
 * every eight hours. What is due is the sum of rate * value, to the last unit. */
TEST(three_years_of_real_funding) {
    TEST_NEEDS("market/funding_dvol/funding_8h_2020_2024.csv.gz");
    gzFile file = gzopen(test_data("market/funding_dvol/funding_8h_2020_2024.csv.gz"), "rb");
    CHECK(file != NULL);
    world w;
    char text[128];
    naive all[2] = {0};
    long double plain[2] = {0};
    hg_nano last = 0;
    int count = 0;
    world_init(&w);
    world_add(&w, "BTC-PERPETUAL");
    world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    while (gzgets(file, text, sizeof text)) {
        char *rate_text = strstr(text, ",binance,BTC-USDT,");
        hg_nano rate = 0;
        if (!rate_text) {
            continue;
        }
        rate_text += strlen(",binance,BTC-USDT,");
        CHECK(hg_nano_parse(rate_text, strcspn(rate_text, "\r\n"), &rate));
        w.now_ns = strtoll(text, NULL, 10) * HG_NS_PER_MS;
        double price = 30000 + 20000 * sin(count / 90.0);
        value_event(&w, HG_EV_INDEX, 0, price);
        for (uint32_t id = 0; id < 2; id++) {
            const hg_instrument *inst = inst_of(&w, id);
            naive *n = &all[id];
            long double hours = (long double)(w.now_ns - n->since_ns) / HG_NS_PER_HOUR;
            naive_fund(n, inst, w.now_ns);
            if (count > 0) {
                long double p = n->price / 1e9L;
                plain[id] -= (id == 0 ? 100000 / p : -3 * p) * (last / 1e9L) * hours / 8;
            }
            n->price = nano(floor(price * 2) / 2);
            n->rate = rate;
            mark(&w, id, floor(price * 2) / 2, 0);
            value_event(&w, HG_EV_FUNDING, id, hg_nano_to_double(rate));
            if (count == 0) {
                double size = id == 0 ? 100000 : -3;
                hg_cash cost = hg_portfolio_get(w.portfolio, id)->cost;
                buy(&w, id, size, floor(price * 2) / 2);
                CHECK(cost == 0);
                n->lots = hg_portfolio_get(w.portfolio, id)->lots;
            }
        }
        last = rate;
        count++;
    }
    gzclose(file);
    CHECK(count > 4000);
    for (uint32_t id = 0; id < 2; id++) {
        value_event(&w, HG_EV_FUNDING, id, 0.0099); /* books the last period */
        hg_cash funding = hg_portfolio_get(w.portfolio, id)->funding;
        check_funding(funding, &all[id]);
        double got = hg_nano_to_double(funding);
        CHECK_NEAR(got, (double)plain[id], 1e-6 * fabs(got) + 1e-6);
    }
    printf(
        "note: %d real 8 h rates: 100,000 USD long inverse paid %.9f BTC, 3 BTC short linear got "
        "%.2f USDC\n",
        count, -hg_nano_to_double(hg_portfolio_get(w.portfolio, 0)->funding),
        hg_nano_to_double(hg_portfolio_get(w.portfolio, 1)->funding));
    world_close(&w);
}
