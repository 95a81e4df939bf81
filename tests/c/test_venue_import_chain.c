/* deribit-chain: sweeps, the bridge between them, re-marking and delivery. */
#include "test_venue_import_kit.h"

#include "base/clock.h"
#include "greeks/black76.h"

#include <math.h>
#include <stdio.h>

#define STRESS "market/deribit_chain/chain_stress_20260129_20260208.csv.gz"
#define HEAD "ts_ms,instrument,index,underlying,bid,ask,mark,mark_iv,delta,vega,oi,volume\n"

/* Two sweeps six hours apart, the second after the first expiry; values from the stress file. */
static const char two_sweeps[] = HEAD
    "1769644800000,BTC-30JAN26-88000-C,87799,87810,0.0115,0.012,0.01166,0.38,0.5,9,1,1\n"
    "1769644800000,BTC-30JAN26-88000-P,87801,87812,0.0135,0.0145,,0.38,-0.5,9,1,1\n"
    "1769644800000,BTC-13FEB26-90000-C,87800,87950,0.02,0.021,0.0205,0.40,0.5,9,1,1\n"
    "1769781600000,BTC-13FEB26-90000-C,85000,85140,0.012,,0.0125,0.45,0.5,9,1,1\n";

static uint32_t id_of(const kit *k, const char *name) {
    uint32_t id = hg_universe_find(k->universe, name);
    CHECK(id != HG_ID_NONE);
    return id;
}

TEST(a_sweep_is_one_batch) {
    kit k;
    kit_init(&k);
    k.options.bridge_ns = 0;
    kit_text(&k, "deribit-chain", two_sweeps);
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(k.report.sweeps, 2);
    CHECK_EQ(k.report.rejected, 0);
    /* Index, funding, perpetual mark and quote, two forwards, marks of two and quotes of three. */
    size_t n = 0;
    while (k.events[n].flags & HG_EVF_MORE) n++;
    CHECK_EQ(n + 1, 11);
    CHECK_EQ(kit_event(&k, HG_EV_INDEX, 0)->price.value, INT64_C(87800000000000));
    CHECK_EQ(kit_event(&k, HG_EV_FORWARD, 0)->price.value, INT64_C(87811000000000));
    const hg_event *quote = kit_event(&k, HG_EV_QUOTE, 1);
    CHECK_EQ(quote->id, id_of(&k, "BTC-30JAN26-88000-C"));
    CHECK_EQ(quote->quote.bid, 115);
    CHECK_EQ(quote->quote.bid_size, 100); /* 10 coins of lots of 0.1 */
    kit_fini(&k);
}

TEST(the_perpetual_is_quoted_around_the_index) {
    kit k;
    kit_init(&k);
    k.options.bridge_ns = 0;
    k.options.perp_spread_bp = 2;
    k.options.perp_size_usd = 5000;
    kit_text(&k, "deribit-chain", two_sweeps);
    const hg_event *quote = kit_event(&k, HG_EV_QUOTE, 0);
    CHECK_EQ(quote->id, id_of(&k, "BTC-PERPETUAL"));
    CHECK_EQ(quote->quote.bid, 2 * 87791); /* 87800 - 8.78, down to a tick of 0.5 */
    CHECK_EQ(quote->quote.ask, 2 * 87809);
    CHECK_EQ(quote->quote.bid_size, 500);
    CHECK_EQ(kit_event(&k, HG_EV_FUNDING, 0)->price.value, 0);
    CHECK_EQ(k.report.kinds[HG_EV_FUNDING], 1);
    kit_fini(&k);
    kit_init(&k);
    k.options.perpetual = false;
    kit_text(&k, "deribit-chain", two_sweeps);
    CHECK_EQ(hg_universe_find(k.universe, "BTC-PERPETUAL"), HG_ID_NONE);
    kit_fini(&k);
}

TEST(expired_options_are_delivered_once_at_their_time) {
    for (int bridged = 0; bridged < 2; bridged++) {
        kit k;
        kit_init(&k);
        k.options.bridge_ns = bridged ? 600 * HG_NS_PER_S : 0;
        kit_text(&k, "deribit-chain", two_sweeps);
        CHECK_EQ(k.report.settled, 2);
        for (size_t i = 0; i < 2; i++) {
            const hg_event *ev = kit_event(&k, HG_EV_SETTLE, i);
            CHECK_EQ(ev->time_ns, INT64_C(1769760000000000000)); /* 30 January, 08:00 */
            double price = hg_nano_to_double(ev->price.value);
            CHECK(price > 80000 && price < 93000);
        }
        /* Unbridged it lies on the straight line of the log index. */
        double weight = (1769760000.0 - 1769644800.0) / (1769781600.0 - 1769644800.0);
        double line = 87800 * pow(85000.0 / 87800.0, weight);
        double price = hg_nano_to_double(kit_event(&k, HG_EV_SETTLE, 0)->price.value);
        CHECK_NEAR(price, line, bridged ? 4000 : 0.01);
        kit_fini(&k);
    }
}

/* The delivery price is the mean of the index events of the last half hour. */
TEST(delivery_price_is_the_average_of_the_bridge) {
    kit k;
    kit_init(&k);
    k.options.bridge_ns = 60 * HG_NS_PER_S;
    kit_text(&k, "deribit-chain", two_sweeps);
    const hg_event *settle = kit_event(&k, HG_EV_SETTLE, 0);
    double sum = 0;
    int n = 0;
    for (size_t i = 0; i < k.count; i++) {
        const hg_event *ev = &k.events[i];
        int64_t before = settle->time_ns - ev->time_ns;
        if (ev->kind == HG_EV_INDEX && before >= 0 && before <= 1800 * HG_NS_PER_S) {
            sum += hg_nano_to_double(ev->price.value);
            n++;
        }
    }
    CHECK_EQ(n, 31);
    CHECK_NEAR(hg_nano_to_double(settle->price.value), sum / n, 0.01);
    kit_fini(&k);
}

TEST(the_same_seed_gives_the_same_events) {
    kit a;
    kit b;
    kit c;
    kit_init(&a);
    kit_init(&b);
    kit_init(&c);
    c.options.seed = 2;
    kit_text(&a, "deribit-chain", two_sweeps);
    kit_text(&b, "deribit-chain", two_sweeps);
    kit_text(&c, "deribit-chain", two_sweeps);
    CHECK_EQ(a.count, b.count);
    CHECK_MEM(a.events, b.events, a.count * sizeof *a.events);
    CHECK(a.count != c.count || memcmp(a.events, c.events, a.count * sizeof *a.events) != 0);
    kit_fini(&a);
    kit_fini(&b);
    kit_fini(&c);
}

/* Between sweeps a mark is Black-76 of the forward and the vol of the sweep before. */
TEST(sticky_strike_marks_follow_the_forward) {
    kit k;
    kit_init(&k);
    kit_text(&k, "deribit-chain", two_sweeps);
    uint32_t id = id_of(&k, "BTC-13FEB26-90000-C");
    const hg_instrument *inst = hg_universe_get(k.universe, id);
    double forward = 0;
    int checked = 0;
    for (size_t i = 0; i < k.count; i++) {
        const hg_event *ev = &k.events[i];
        if (ev->kind == HG_EV_FORWARD && ev->id == inst->expiry_id) {
            forward = hg_nano_to_double(ev->price.value);
        }
        bool between = ev->time_ns > INT64_C(1769644800000000000) &&
                       ev->time_ns < INT64_C(1769781600000000000);
        if (ev->kind != HG_EV_MARK || ev->id != id || !between) {
            continue;
        }
        double t = (double)(inst->expiry_ns - ev->time_ns) / (double)HG_NS_PER_YEAR;
        double price = 0;
        CHECK_EQ(hg_black76_price(forward, 90000, t, 0.40, 1, 0, &price), HG_OK);
        CHECK_EQ(ev->mark.iv, 400000000);
        CHECK_NEAR(hg_nano_to_double(ev->mark.price), price / forward, 6e-7);
        checked++;
    }
    CHECK_EQ(checked, 227); /* each 10 min of 38 h, without the ends */
    kit_fini(&k);
}

TEST(remark_none_leaves_the_marks_to_the_sweeps) {
    kit k;
    kit_init(&k);
    k.options.remark = HG_REMARK_NONE;
    kit_text(&k, "deribit-chain", two_sweeps);
    for (size_t i = 0; i < k.count; i++) {
        const hg_event *ev = &k.events[i];
        bool sweep = ev->time_ns == INT64_C(1769644800000000000) ||
                     ev->time_ns == INT64_C(1769781600000000000);
        bool option = hg_universe_get(k.universe, ev->id)->kind == HG_KIND_OPTION;
        CHECK(sweep || !(ev->kind == HG_EV_MARK || ev->kind == HG_EV_QUOTE) || !option);
    }
    kit_fini(&k);
}

#define T0 "1769644800000"
#define EARLY "1769644799999"
#define LATE "1769760000000" /* 30 January, 08:00 */

TEST(chain_rows_that_cannot_be_trusted_are_counted) {
    static const struct {
        const char *row;
        hg_import_reason reason;
    } cases[] = {
        {T0 ",BTC-13FEB26-91000-C,nan,87950,0.02,0.021,0.02,0.4",      HG_IMPORT_NUMBER      },
        {T0 ",BTC-13FEB26-91000-C,87800,inf,0.02,0.021,0.02,0.4",      HG_IMPORT_NUMBER      },
        {T0 ",BTC-13FEB26-91000-C,87800,87950,0.02,0.021,x,0.4",       HG_IMPORT_NUMBER      },
        {T0 ",BTC-13FEB26-91000-C,87800,9e9,0.02,0.021,0.02,0.4",      HG_IMPORT_NUMBER      },
        {T0 ",BTC-13FEB26-91000-C,87800,87950,0.02,0.021,0.02,400",    HG_IMPORT_NUMBER      },
        {T0 ",BTC-13FEB26-91000-C,-1,87950,0.02,0.021,0.02,0.4",       HG_IMPORT_NOT_POSITIVE},
        {T0 ",BTC-13FEB26-91000-C,87800,87950,-0.02,,0.02,0.4",        HG_IMPORT_NOT_POSITIVE},
        {T0 ",BTC-13FEB26-91000-C,87800,87950,0.02,,-0.02,0.4",        HG_IMPORT_NOT_POSITIVE},
        {T0 ",BTC-13FEB26-91000-C,87800,87950,0.0201,0.021,0.02,0.4",  HG_IMPORT_OFF_TICK    },
        {T0 ",BTC-13FEB26-91000-C,87800,87950,0.021,0.021,0.02,0.4",   HG_IMPORT_CROSSED     },
        {T0 ",BTC-PERPETUAL,87800,87950,0.02,0.021,0.02,0.4",          HG_IMPORT_INSTRUMENT  },
        {T0 ",HELLO,87800,87950,0.02,0.021,0.02,0.4",                  HG_IMPORT_INSTRUMENT  },
        {T0 ",BTC-29JAN26-91000-C,87800,87950,0.02,0.021,0.02,0.4",    HG_IMPORT_REASONS     },
        {LATE ",BTC-30JAN26-91000-C,87800,87950,0.02,0.021,0.02,0.4",  HG_IMPORT_EXPIRED     },
        {T0 ",BTC-13FEB26-90000-C,87800,87950,0.02,0.021,0.02,0.4",    HG_IMPORT_DUPLICATE   },
        {EARLY ",BTC-13FEB26-91000-C,87800,87950,0.02,0.021,0.02,0.4", HG_IMPORT_TIME        },
        {T0 ",BTC-13FEB26-91000-C,87800",                              HG_IMPORT_MALFORMED   },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text,
                 "ts_ms,instrument,index,underlying,bid,ask,mark,mark_iv\n"
                 "1769644800000,BTC-13FEB26-90000-C,87800,87950,0.02,0.021,0.0205,0.4\n%s\n",
                 cases[i].row);
        kit k;
        kit_init(&k);
        kit_text(&k, "deribit-chain", text);
        CHECK_EQ(k.rc, HG_OK);
        bool good = cases[i].reason == HG_IMPORT_REASONS;
        CHECK_EQ(k.report.used, good ? 2 : 1);
        if (!good && kit_reason(&k, cases[i].reason) != 1) {
            hg_test_fail(__FILE__, __LINE__, "row '%s' not counted as %s", cases[i].row,
                         hg_import_reason_code(cases[i].reason));
        }
        CHECK_EQ(k.report.rejected, !good);
        kit_fini(&k);
    }
}

TEST(missing_chain_columns_are_named) {
    kit k;
    kit_init(&k);
    kit_text(&k, "deribit-chain", "ts_ms,instrument,index,bid,ask,mark\n");
    CHECK_EQ(k.rc, HG_EDATA);
    CHECK(strstr(hg_error_text(), "missing columns underlying, mark_iv"));
    kit_fini(&k);
}

/* The real file: every sweep is reached exactly, whatever happened in between. */
static void stress_check(const kit *k) {
    CHECK_EQ(k->rc, HG_OK);
    CHECK_EQ(k->report.used, 69520);
    CHECK_EQ(k->report.rejected, 0);
    CHECK_EQ(k->report.sweeps, 43);
    CHECK_EQ(k->report.settled, 1318);
    double low = INFINITY;
    double high = 0;
    uint32_t btc = hg_universe_find_underlying(k->universe, "BTC");
    for (size_t i = 0; i < k->count; i++) {
        if (k->events[i].kind == HG_EV_INDEX && k->events[i].id == btc) {
            double index = hg_nano_to_double(k->events[i].price.value);
            low = fmin(low, index);
            high = fmax(high, index);
        }
    }
    CHECK(low > 55000 && low < 64500);
    CHECK(high > 87000 && high < 93000);
}

TEST_WITHIN(the_stress_file_bridged, 120) {
    TEST_NEEDS(STRESS);
    kit k;
    kit_init(&k);
    kit_file(&k, "deribit-chain", test_data(STRESS));
    stress_check(&k);
    CHECK_EQ(k.report.bridge_steps, 1533);
    kit_fini(&k);
}

TEST_WITHIN(the_stress_file_unbridged, 60) {
    TEST_NEEDS(STRESS);
    kit k;
    kit_init(&k);
    k.options.bridge_ns = 0;
    kit_file(&k, "deribit-chain", test_data(STRESS));
    stress_check(&k);
    CHECK_EQ(k.report.bridge_steps, 0);
    kit_fini(&k);
}

TEST_WITHIN(the_stress_file_with_a_moving_smile, 120) {
    TEST_NEEDS(STRESS);
    kit k;
    kit_init(&k);
    k.options.remark = HG_REMARK_STICKY_DELTA;
    kit_file(&k, "deribit-chain", test_data(STRESS));
    stress_check(&k);
    kit_fini(&k);
}

/* Realised vol of the bridge against the vol it was given: 0.40 between equal ends. */
TEST(the_bridge_has_the_vol_it_should) {
    double sum = 0;
    int n = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        kit k;
        kit_init(&k);
        k.options.seed = seed;
        k.options.remark = HG_REMARK_NONE;
        kit_text(&k, "deribit-chain",
                 "ts_ms,instrument,index,underlying,bid,ask,mark,mark_iv\n"
                 "1769644800000,BTC-13FEB26-88000-C,88000,88000,0.02,0.021,0.0205,0.4\n"
                 "1769688000000,BTC-13FEB26-88000-C,88000,88000,0.02,0.021,0.0205,0.4\n");
        double last = 0;
        for (size_t i = 0; i < k.count; i++) {
            if (k.events[i].kind == HG_EV_INDEX) {
                double now = log(hg_nano_to_double(k.events[i].price.value));
                sum += last > 0 ? (now - last) * (now - last) : 0;
                n += last > 0;
                last = now;
            }
        }
        kit_fini(&k);
    }
    CHECK_EQ(n, 60 * 72);
    /* A bridge of 72 steps has 71 free ones. Standard error of 4,260 squares: 2.2 %. */
    double variance = sum / (60 * 71) / (600.0 / (365 * 86400.0));
    CHECK_NEAR(sqrt(variance), 0.40, 0.40 * 0.04);
}
