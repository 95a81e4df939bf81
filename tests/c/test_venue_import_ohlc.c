/* ohlc: bars to a market, and the paths through them. */
#include "test_venue_import_kit.h"

#include "base/clock.h"
#include "base/rng.h"
#include "domain/delivery.h"
#include "greeks/black76.h"

#include <math.h>
#include <stdio.h>

#define HEAD "ts_ms,open,high,low,close,volume\n"
#define S HG_NS_PER_S

/* The prices of the index, in order. */
static size_t prices(const kit *k, double *out, int64_t *time_ns, size_t max) {
    size_t n = 0;
    for (size_t i = 0; i < k->count && n < max; i++) {
        if (k->events[i].kind == HG_EV_INDEX) {
            time_ns[n] = k->events[i].time_ns;
            out[n++] = (double)k->events[i].price.value / 1e9;
        }
    }
    return n;
}

static size_t count_of(const kit *k, hg_event_kind kind) {
    size_t n = 0;
    for (size_t i = 0; i < k->count; i++) {
        n += k->events[i].kind == kind;
    }
    return n;
}

static void check_path(hg_import_path path, const char *row, const double want[4]) {
    char text[200];
    double got[8];
    int64_t at[8];
    kit k;
    kit_init(&k);
    k.options.step_ns = 0;
    k.options.path = path;
    snprintf(text, sizeof text, HEAD "%s\n", row);
    kit_text(&k, "ohlc", text);
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(prices(&k, got, at, 8), 4);
    for (int i = 0; i < 4; i++) {
        CHECK_NEAR(got[i], want[i], 0);
        CHECK_EQ(at[i], 60000 * HG_NS_PER_MS + 15 * S * i);
    }
    kit_fini(&k);
}

TEST(the_extremes_come_in_the_order_asked_for) {
    const char *up = "60000,100,110,95,105,3";
    const char *down = "60000,105,110,95,100,3";
    check_path(HG_PATH_SHORT, up, (double[]){100, 95, 110, 105});
    check_path(HG_PATH_SHORT, down, (double[]){105, 110, 95, 100});
    check_path(HG_PATH_LONG, up, (double[]){100, 110, 95, 105});
    check_path(HG_PATH_LONG, down, (double[]){105, 95, 110, 100});
    check_path(HG_PATH_LOW, down, (double[]){105, 95, 110, 100});
    check_path(HG_PATH_HIGH, up, (double[]){100, 110, 95, 105});
}

/* Random bars at random steps: the points lie within the bar, touch all four of its prices in the
 * order of the path, in straight lines, and the trades add up to its volume. */
TEST(any_bar_is_walked_from_open_to_close) {
    hg_rng rng;
    hg_rng_init(&rng, 20, 1);
    for (int round = 0; round < 300; round++) {
        double low = 1000 + 10 * hg_rng_uniform(&rng);
        double high = low + 50 * hg_rng_uniform(&rng);
        double open = low + (high - low) * hg_rng_uniform(&rng);
        double close = low + (high - low) * hg_rng_uniform(&rng);
        double volume = 100 * hg_rng_uniform(&rng);
        int64_t step_ms = 100 + (int64_t)(hg_rng_uniform(&rng) * 20000);
        char text[400];
        snprintf(text, sizeof text,
                 HEAD "0,%.2f,%.2f,%.2f,%.2f,%.4f\n60000,1000,1000,1000,1000,0\n", open, high, low,
                 close, volume);
        kit k;
        kit_init(&k);
        k.options.instrument = "BTC_USDC-PERPETUAL";
        k.options.step_ns = step_ms * HG_NS_PER_MS;
        kit_text(&k, "ohlc", text);
        CHECK_EQ(k.rc, HG_OK);
        static double got[2048];
        static int64_t at[2048];
        size_t all = prices(&k, got, at, 2048);
        size_t n = 0;
        while (n < all && at[n] < 60 * S) {
            n++;
        }
        CHECK_EQ(n, (size_t)(60000 / step_ms < 4 ? 4 : 60000 / step_ms));
        double least = INFINITY;
        double most = 0;
        double way = 0;
        for (size_t i = 0; i < n; i++) {
            least = fmin(least, got[i]);
            most = fmax(most, got[i]);
            way += i > 0 ? fabs(got[i] - got[i - 1]) : 0;
        }
        CHECK_NEAR(got[0], open, 0.0051);
        CHECK_NEAR(got[n - 1], close, 0.0051);
        CHECK_NEAR(least, low, 0.0051);
        CHECK_NEAR(most, high, 0.0051);
        double out = close >= open ? open - low : high - open;
        double back = close >= open ? high - close : close - low;
        CHECK_NEAR(way, out + (high - low) + back, 0.05); /* the shortest */
        double traded = 0;
        for (size_t i = 0; i < k.count; i++) {
            if (k.events[i].kind == HG_EV_TRADE) {
                traded += (double)k.events[i].level.size * 1e-4;
                CHECK(k.events[i].level.price > 0);
            }
        }
        CHECK(traded <= volume + 1e-4 && traded > volume - 2e-4);
        kit_fini(&k);
    }
}

TEST(rows_that_are_no_bars_are_counted) {
    kit k;
    kit_init(&k);
    kit_text(&k, "ohlc",
             HEAD "0,100,110,95,105,3\n"
                  "60000,100,99,95,98,3\n"                 /* high below open */
                  "60000,100,110,101,105,3\n"              /* low above open */
                  "60000,100,110,-1,105,3\n"               /* no price */
                  "60000,100,nan,95,105,3\n"               /* no number */
                  "60000,100,110,95,105,-3\n"              /* no volume */
                  "60000,100,110\n"                        /* no row */
                  "60000,100,110,95,105,3\n"               /* good */
                  "60000,100,110,95,105,3\n"               /* again */
                  "90000,100,110,95,105,3\n"               /* into the one before */
                  "30000,100,110,95,105,3\n"               /* back */
                  "1769660547000000000,100,110,95,105,3\n" /* nanoseconds */
                  "240000,100,110,95,105,\n");             /* after a gap, without a volume */
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(k.report.used, 3);
    CHECK_EQ(kit_reason(&k, HG_IMPORT_BAR), 2);
    CHECK_EQ(kit_reason(&k, HG_IMPORT_NOT_POSITIVE), 2);
    CHECK_EQ(kit_reason(&k, HG_IMPORT_NUMBER), 2);
    CHECK_EQ(kit_reason(&k, HG_IMPORT_MALFORMED), 1);
    CHECK_EQ(kit_reason(&k, HG_IMPORT_DUPLICATE), 1);
    CHECK_EQ(kit_reason(&k, HG_IMPORT_TIME), 2);
    CHECK_EQ(k.report.gaps, 1);
    CHECK_EQ(count_of(&k, HG_EV_INDEX), 3 * 12);
    for (size_t i = 0; i < k.count; i++) { /* nothing is made up in the gap */
        CHECK(k.events[i].time_ns < 120 * S || k.events[i].time_ns >= 240 * S);
    }
    kit_fini(&k);
}

TEST(times_may_be_written_out) {
    kit k;
    kit_init(&k);
    kit_text(&k, "ohlc",
             "open_time,open,high,low,close\n"
             "2023-03-09 00:00:00+00:00,100,110,95,105\n"
             "2023-03-09T00:01:00Z,100,110,95,105\n"
             "2023-03-09 00:02:00,100,110,95,105\n"
             "2023-03-09 00:03:00+01:00,100,110,95,105\n"
             "2023-02-30 00:04:00,100,110,95,105\n");
    CHECK_EQ(k.report.used, 3);
    CHECK_EQ(kit_reason(&k, HG_IMPORT_NUMBER), 2);
    CHECK_EQ(k.report.start_ns, INT64_C(1678320000) * S);
    CHECK_EQ(count_of(&k, HG_EV_TRADE), 0);
    kit_fini(&k);
}

/* A day of bars over an expiry: options at the vol by the formula, quotes around them, the delivery
 * at the mean of the points of the last half hour, and nothing of it afterwards. */
TEST(options_are_quoted_at_the_vol_and_delivered) {
    kit k;
    kit_init(&k);
    uint32_t put = 0;
    uint32_t linear = 0;
    CHECK_EQ(hg_universe_add_name(k.universe, "BTC-27MAR20-7000-P", &put), HG_OK);
    CHECK_EQ(hg_universe_add_name(k.universe, "BTC_USDC-27MAR20-6000-C", &linear), HG_OK);
    const hg_instrument inst = *hg_universe_get(k.universe, put);
    int64_t start_ms = inst.expiry_ns / HG_NS_PER_MS - 7 * 3600000;
    static char text[200000];
    size_t used = (size_t)snprintf(text, sizeof text, HEAD);
    hg_rng rng;
    hg_rng_init(&rng, 21, 1);
    for (int i = 0; i < 96; i++) {
        double o = 6500 + 400 * hg_rng_uniform(&rng);
        double c = 6500 + 400 * hg_rng_uniform(&rng);
        used += (size_t)snprintf(text + used, sizeof text - used, "%lld,%.1f,%.1f,%.1f,%.1f,2\n",
                                 (long long)(start_ms + i * INT64_C(300000)), o, fmax(o, c) + 20,
                                 fmin(o, c) - 20, c);
    }
    kit_text(&k, "ohlc", text);
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(k.report.settled, 2);
    double sum = 0;
    double spot = 0;
    double forward = 0;
    int samples = 0;
    int marks = 0;
    for (size_t i = 0; i < k.count; i++) {
        const hg_event *ev = &k.events[i];
        int64_t left = inst.expiry_ns - ev->time_ns;
        if (ev->kind == HG_EV_INDEX) {
            spot = (double)ev->price.value / 1e9;
            if (left > 0 && left <= HG_DELIVERY_WINDOW_NS) {
                sum += spot;
                samples++;
            }
            double open = hg_delivery_open(inst.expiry_ns, ev->time_ns);
            forward = open < 1 ? open * spot + (1 - open) * sum / samples : spot;
        } else if (ev->kind == HG_EV_FORWARD) {
            CHECK_NEAR((double)ev->price.value / 1e9, forward, 1e-8);
        } else if (ev->kind == HG_EV_MARK && (ev->id == put || ev->id == linear)) {
            const hg_instrument *of = hg_universe_get(k.universe, ev->id);
            double value = 0;
            CHECK(left > 0);
            CHECK_EQ(hg_black76_price(forward, (double)of->strike / 1e9,
                                      hg_delivery_years(inst.expiry_ns, ev->time_ns), 0.8, of->cp,
                                      0, &value),
                     HG_OK);
            CHECK_NEAR((double)ev->mark.price / 1e9, of->inverse ? value / forward : value, 6e-7);
            CHECK_EQ(ev->mark.iv, 800000000);
            const hg_event *quote = ev + 1;
            CHECK_EQ(quote->kind, HG_EV_QUOTE);
            double bid = hg_price_to_double(of, quote->quote.bid);
            double ask = hg_price_to_double(of, quote->quote.ask);
            CHECK(bid <= (double)ev->mark.price / 1e9 + 1e-6);
            CHECK(ask >= (double)ev->mark.price / 1e9 - 1e-6);
            marks++;
        } else if (ev->kind == HG_EV_SETTLE) {
            CHECK_NEAR((double)ev->price.value / 1e9, sum / samples, 1e-4);
            CHECK(left <= 0);
        }
    }
    CHECK_EQ(marks, 2 * 84 * 60); /* seven hours of points */
    CHECK_EQ(samples, 360);
    kit_fini(&k);
}

static void write_file(const char *name, const char *text) {
    FILE *f = fopen(name, "w");
    CHECK(f != NULL);
    fputs(text, f);
    fclose(f);
}

/* A rate was paid at its time for the 8 hours before; where none is recorded, none is charged. */
TEST(funding_is_in_force_before_its_time) {
    const char *file = test_tmp("rates.csv");
    write_file(file, "ts_ms,venue,symbol,rate\n28800000,a,BTC,0.0001\n28800000,b,BTC,0.5\n"
                     "57600000,a,BTC,-0.0002\n");
    kit k;
    kit_init(&k);
    k.options.step_ns = 0;
    k.options.funding = file;
    k.options.funding_of = "a,BTC";
    static char text[20000];
    size_t used = (size_t)snprintf(text, sizeof text, HEAD);
    for (int i = 0; i < 18; i++) { /* 18 hours */
        used += (size_t)snprintf(text + used, sizeof text - used, "%d,100,101,99,100,1\n",
                                 i * 3600000);
    }
    kit_text(&k, "ohlc", text);
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(count_of(&k, HG_EV_FUNDING), 3);
    const int64_t hours[] = {0, 8, 16};
    const hg_nano rates[] = {100000, -200000, 0};
    for (int i = 0; i < 3; i++) {
        const hg_event *ev = kit_event(&k, HG_EV_FUNDING, (size_t)i);
        CHECK_EQ(ev->time_ns, hours[i] * 3600 * S);
        CHECK_EQ(ev->price.value, rates[i]);
    }
    CHECK_EQ(k.report.unfunded, 2 * 4);
    kit_fini(&k);
    kit_init(&k);
    k.options.funding = file; /* two series, and nobody says which */
    kit_text(&k, "ohlc", HEAD "0,100,101,99,100,1\n");
    CHECK_EQ(k.rc, HG_EDATA);
    CHECK(strstr(hg_error_text(), "rows of a,BTC and of b,BTC") != NULL);
    kit_fini(&k);
    hg_error_clear();
}

/* The close of a day is not known before the day is over. */
TEST(a_vol_index_is_known_the_day_after) {
    const char *file = test_tmp("dvol.csv");
    write_file(file, "ts_ms,dvol_close\n0,50\n86400000,75\n");
    kit k;
    kit_init(&k);
    uint32_t call = 0;
    CHECK_EQ(hg_universe_add_name(k.universe, "BTC-27MAR20-7000-C", &call), HG_OK);
    k.options.step_ns = 0;
    k.options.iv_file = file;
    static char text[20000];
    size_t used = (size_t)snprintf(text, sizeof text, HEAD);
    for (int i = 0; i < 72; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%d,7000,7001,6999,7000,1\n",
                                 i * 3600000);
    }
    kit_text(&k, "ohlc", text);
    CHECK_EQ(k.rc, HG_OK);
    size_t seen = 0;
    for (size_t i = 0; i < k.count; i++) {
        if (k.events[i].kind == HG_EV_MARK && k.events[i].id == call) {
            int64_t day = k.events[i].time_ns / HG_NS_PER_DAY;
            CHECK_EQ(k.events[i].mark.iv, day == 1 ? 500000000 : 750000000);
            CHECK(day >= 1);
            seen++;
        }
    }
    CHECK_EQ(seen, 48 * 4);
    kit_fini(&k);
}
