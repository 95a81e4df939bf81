/* Contracts: names, exact steps, values and fees. */
#include "base/clock.h"
#include "domain/universe.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static hg_instrument named(const char *name) {
    hg_instrument inst;
    CHECK_EQ(hg_instrument_from_name(name, &inst), 0);
    CHECK_EQ(hg_instrument_check(&inst), 0);
    return inst;
}

TEST(names_of_every_kind) {
    hg_instrument option = named("BTC-27FEB26-80000-P");
    CHECK_EQ(option.kind, HG_KIND_OPTION);
    CHECK_EQ(option.cp, -1);
    CHECK_EQ(option.strike, 80000 * HG_NANO);
    CHECK_EQ(option.expiry_ns, INT64_C(1772179200) * HG_NS_PER_S);
    CHECK(option.inverse);
    CHECK_STR(option.quote, "BTC");
    hg_instrument perpetual = named("ETH-PERPETUAL");
    CHECK_EQ(perpetual.kind, HG_KIND_PERPETUAL);
    CHECK_STR(perpetual.quote, "USD");
    CHECK_STR(perpetual.settle, "ETH");
    hg_instrument linear = named("XRP_USDC-30JUN25-0d625-C");
    CHECK_EQ(linear.strike, HG_NANO / 1000 * 625);
    CHECK(!linear.inverse);
    CHECK_STR(linear.settle, "USDC");
    CHECK_EQ(named("BTC-6FEB26").kind, HG_KIND_FUTURE);
    CHECK_EQ(named("BTC_USDC").kind, HG_KIND_SPOT);
    CHECK_EQ(named("BTC_USDC-PERPETUAL").lot, HG_NANO / 10000);
}

TEST(names_that_are_none) {
    static const char *const bad[] = {"",
                                      "BTC",
                                      "BTC-",
                                      "BTC-PERP",
                                      "BTC-32FEB26",
                                      "BTC-29FEB26",
                                      "BTC-27FEB26-80000",
                                      "BTC-27FEB26-80000-X",
                                      "BTC-27FEB26--C",
                                      "BTC-27FEB26-0-C",
                                      "BTC-27FEB26-1e5-C",
                                      "FOO-PERPETUAL",
                                      "SOL-PERPETUAL",
                                      "BTC_XYZ-PERPETUAL",
                                      "BTC-07FEB26-80000-C",
                                      "BTC-FS-27FEB26_PERP",
                                      "BTC-27FEB26-80000-C-C",
                                      "BTC-27FEB26-8000000000000000000000000000-C"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        hg_instrument inst;
        CHECK_EQ(hg_instrument_from_name(bad[i], &inst), HG_ENOTFOUND);
    }
}

TEST(expiry_text_round_trip) {
    char buf[16];
    int64_t ns = 0;
    for (int64_t day = 18000; day < 22000; day += 7) {
        int64_t want = day * HG_NS_PER_DAY + 8 * HG_NS_PER_HOUR;
        hg_expiry_format(want, buf, sizeof buf);
        CHECK(hg_expiry_parse(buf, strlen(buf), &ns));
        CHECK_EQ(ns, want);
    }
}

TEST(option_ticks_have_two_steps) {
    hg_instrument option = named("BTC-27FEB26-80000-P");
    hg_ticks ticks = 0;
    CHECK(hg_price_from_double(&option, 0.0049, &ticks));
    CHECK_EQ(ticks, 49);
    CHECK(hg_price_from_double(&option, 0.0055, &ticks));
    CHECK_EQ(ticks, 55);
    CHECK(!hg_price_from_double(&option, 0.0051, &ticks));
    CHECK(!hg_price_from_double(&option, 0.00005, &ticks));
    CHECK_EQ(hg_price_round(&option, 0.0052, -1), 50);
    CHECK_EQ(hg_price_round(&option, 0.0052, +1), 55);
    CHECK_EQ(hg_price_round(&option, 0.00491, +1), 50);
}

TEST(doubles_become_exact_lots_or_nothing) {
    hg_instrument perpetual = named("BTC-PERPETUAL");
    hg_lots lots = 0;
    CHECK(hg_size_from_double(&perpetual, 12340, &lots));
    CHECK_EQ(lots, 1234);
    CHECK(!hg_size_from_double(&perpetual, 12345, &lots));
    CHECK(!hg_size_from_double(&perpetual, NAN, &lots));
    CHECK(!hg_size_from_double(&perpetual, INFINITY, &lots));
    CHECK(!hg_size_from_double(&perpetual, 1e300, &lots));
    hg_instrument option = named("BTC-27FEB26-80000-P");
    CHECK(hg_size_from_double(&option, 0.1 + 0.2, &lots)); /* 0.30000000000000004 */
    CHECK_EQ(lots, 3);
}

TEST(values_in_the_settlement_currency) {
    hg_cash cash = 0;
    hg_instrument inverse = named("BTC-PERPETUAL");
    CHECK(hg_value(&inverse, 50000 * HG_NANO, 10000, &cash)); /* 100,000 USD at 50,000 */
    CHECK_EQ(cash, 2 * HG_NANO);
    hg_instrument linear = named("BTC_USDC-PERPETUAL");
    CHECK(hg_value(&linear, 50000 * HG_NANO, -15000, &cash)); /* -1.5 coins */
    CHECK_EQ(cash, -75000 * HG_NANO);
    hg_instrument option = named("BTC-27FEB26-80000-P");
    CHECK(hg_value(&option, 11500000, 25, &cash)); /* 2.5 coins at 0.0115 */
    CHECK_EQ(cash, 28750000);
    CHECK(!hg_value(&linear, INT64_MAX, INT64_MAX / HG_NANO, &cash));
    CHECK(!hg_value(&inverse, 0, 1, &cash));
}

TEST(fees_of_the_venue) {
    hg_cash fee = 0;
    hg_instrument perpetual = named("BTC-PERPETUAL");
    CHECK(hg_fee(&perpetual, 50000 * HG_NANO, 10000, false, 0, &fee)); /* 3.5 bp of 2 BTC */
    CHECK_EQ(fee, 700000);
    CHECK(hg_fee(&perpetual, 50000 * HG_NANO, 10000, true, 0, &fee));
    CHECK_EQ(fee, 300000);
    hg_instrument option = named("BTC-27FEB26-80000-P");
    CHECK(hg_fee(&option, 10000000, 10, false, 0, &fee)); /* 0.0003 per coin */
    CHECK_EQ(fee, 300000);
    CHECK(hg_fee(&option, 1000000, 10, false, 0, &fee)); /* 0.001 coin: capped at 12.5 % */
    CHECK_EQ(fee, 125000);
    hg_instrument linear = named("BTC_USDC-27FEB26-80000-C");
    CHECK(hg_fee(&linear, 2000 * HG_NANO, 100, false, 80000 * HG_NANO, &fee)); /* one coin */
    CHECK_EQ(fee, 24 * HG_NANO);
}

TEST(coins_per_lot) {
    hg_instrument inverse = named("BTC-PERPETUAL");
    CHECK_NEAR(hg_instrument_coins_per_lot(&inverse, 50000), 10.0 / 50000, 1e-18);
    CHECK_NEAR(hg_instrument_coins_per_lot(&inverse, 0), 0, 0);
    hg_instrument option = named("BTC-27FEB26-80000-P");
    CHECK_NEAR(hg_instrument_coins_per_lot(&option, 50000), 0.1, 1e-18);
}

TEST(universe_gives_dense_ids) {
    hg_universe *u = hg_universe_new();
    uint32_t a = 0, b = 0, again = 0, x = 0;
    CHECK_EQ(hg_universe_add_name(u, "BTC-27FEB26-80000-P", &a), 0);
    CHECK_EQ(hg_universe_add_name(u, "BTC_USDC-27FEB26-80000-P", &b), 0);
    CHECK_EQ(hg_universe_add_name(u, "BTC-27FEB26-80000-P", &again), 0);
    CHECK_EQ(a, again);
    CHECK_EQ(hg_universe_count(u), 2);
    CHECK_EQ(hg_universe_underlying_count(u), 1);
    CHECK_EQ(hg_universe_expiry_count(u), 1);
    CHECK_EQ(hg_universe_get(u, a)->expiry_id, hg_universe_get(u, b)->expiry_id);
    CHECK_EQ(hg_universe_add_name(u, "NOPE", &x), HG_ENOTFOUND);
    for (int i = 0; i < 300; i++) {
        char name[40];
        snprintf(name, sizeof name, "ETH-27FEB26-%d-C", 1000 + i);
        CHECK_EQ(hg_universe_add_name(u, name, &x), 0);
        CHECK_EQ(x, (uint32_t)i + 2);
    }
    uint32_t eth = hg_universe_find_underlying(u, "ETH");
    int chained = 0;
    for (uint32_t i = hg_universe_underlying(u, eth)->first; i != HG_ID_NONE;
         i = hg_universe_next(u, i)) {
        chained++;
    }
    CHECK_EQ(chained, 300);
    CHECK_STR(hg_universe_nearest(u, "BTC-27FEB26-8000-P"), "BTC-27FEB26-80000-P");
    hg_universe_free(u);
}

TEST(bad_terms_are_named) {
    hg_instrument inst = named("BTC-PERPETUAL");
    inst.tick = 0;
    CHECK_EQ(hg_instrument_check(&inst), HG_EDATA);
    CHECK(strstr(hg_error_text(), "tick") != NULL);
    inst = named("BTC-27FEB26-80000-P");
    inst.strike = 0;
    CHECK_EQ(hg_instrument_check(&inst), HG_EDATA);
    inst = named("BTC-27FEB26-80000-P");
    inst.tick_step = inst.tick + 1;
    CHECK_EQ(hg_instrument_check(&inst), HG_EDATA);
}
