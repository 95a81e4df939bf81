/* The cost of a hedge, part by part; and whether the expected funding expects better than the rate
 * of now does, over recorded rates. */
#include "exec/cost.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void perp_world(world *w, uint32_t *perp, uint32_t *future) {
    world_init(w);
    *perp = world_add(w, "BTC-PERPETUAL");
    *future = world_add(w, "BTC-27MAR26");
    world_open(w, NULL);
    value_event(w, HG_EV_INDEX, 0, 60000);
    quote(w, *perp, 59990, 100000, 60010, 100000);
    quote(w, *future, 60590, 100000, 60610, 100000);
    mark(w, *perp, 60000, 0);
    value_event(w, HG_EV_FUNDING, *perp, 0.0003);
}

TEST(parts_of_a_perpetual_and_a_future) {
    world w;
    uint32_t perp, future;
    perp_world(&w, &perp, &future);
    hg_cost_query q = {.instrument = perp,
                       .side = HG_BUY,
                       .lots = 6000, /* one coin */
                       .horizon_s = 86400,
                       .rate = 0.05,
                       .funding = NAN,
                       .funding_mean = NAN,
                       .realised_vol = NAN};
    hg_cost c;
    CHECK_EQ(hg_cost_of(w.market, NULL, &q, w.now_ns, &c), HG_OK);
    CHECK_NEAR(c.notional, 60000, 1e-6);
    CHECK_NEAR(c.spread, 10 / 60010.0 * 60000, 1e-9);
    CHECK_NEAR(c.depth, 0, 0);
    CHECK_NEAR(c.fee, 0.00035 * 60000 / 60010.0 * 60000, 1e-3);
    double mean = 0.0001 + 0.0002 * (1 + 0.95 + 0.95 * 0.95) / 3;
    CHECK_NEAR(c.carry, 60000 * mean * 3, 1e-6);
    CHECK_NEAR(c.initial, (0.02 + 0.00005) * 60000, 1e-6);
    CHECK_NEAR(c.margin, c.initial * 0.05 / 365, 1e-9);
    CHECK_NEAR(c.total, c.spread + c.depth + c.fee + c.carry + c.margin, 1e-12);
    CHECK(c.fits);
    q.side = HG_SELL;
    hg_cost other;
    CHECK_EQ(hg_cost_of(w.market, NULL, &q, w.now_ns, &other), HG_OK);
    CHECK_NEAR(other.carry, -c.carry, 1e-9); /* shorts are paid */
    q.instrument = future;
    q.side = HG_BUY;
    CHECK_EQ(hg_cost_of(w.market, NULL, &q, w.now_ns, &c), HG_OK);
    double left = (double)(inst_of(&w, future)->expiry_ns - w.now_ns) / 1e9;
    double then = 60600 - 600 * 86400 / left; /* a basis of 1 % runs off */
    CHECK_NEAR(c.carry, 60000 * (1 / then - 1 / 60600.0) * 60000, 1e-6);
    q.lots = 0;
    CHECK_EQ(hg_cost_of(w.market, NULL, &q, w.now_ns, &c), HG_EINVALID);
    q.lots = 1;
    q.horizon_s = NAN;
    CHECK_EQ(hg_cost_of(w.market, NULL, &q, w.now_ns, &c), HG_EINVALID);
    q.horizon_s = 0;
    q.lots = INT64_MAX / 4; /* a fee the ledger cannot count is not no fee */
    CHECK_EQ(hg_cost_of(w.market, NULL, &q, w.now_ns, &c), HG_ERANGE);
    world_close(&w);
}

/* Rates of Binance's BTC perpetual every 8 h, 2020-2023 (market/funding_dvol). */
TEST(expected_funding_beats_the_rate_of_now) {
    TEST_NEEDS("market/funding_dvol/funding_8h_2020_2024.csv.gz");
    char command[512], line[160];
    static double rate[8192];
    int count = 0;
    snprintf(command, sizeof command, "gzip -dc '%s'",
             test_data("market/funding_dvol/funding_8h_2020_2024.csv.gz"));
    FILE *f = popen(command, "r");
    CHECK(f != NULL);
    while (fgets(line, sizeof line, f) && count < 8192) {
        const char *at = strstr(line, ",binance,BTC-USDT,");
        if (at) {
            rate[count++] = strtod(at + strlen(",binance,BTC-USDT,"), NULL);
        }
    }
    CHECK_EQ(pclose(f), 0);
    CHECK(count > 4000);
    static const int periods[] = {3, 9, 21};
    for (int k = 0; k < 3; k++) {
        double ours = 0;
        double stays = 0;
        int n = periods[k];
        for (int i = 0; i + n < count; i++) {
            double real = 0;
            for (int j = 1; j <= n; j++) {
                real += rate[i + j] / n;
            }
            double expected = hg_funding_expected(rate[i], 0.0001, n * 8 * 3600.0);
            ours += (expected - real) * (expected - real);
            stays += (rate[i] - real) * (rate[i] - real);
        }
        double share = sqrt(ours / stays);
        printf("note: %d periods: error %.3f of that of the rate of now\n", n, share);
        CHECK(share < 1);
    }
}
