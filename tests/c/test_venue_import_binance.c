/* binance-l2: the rule of snapshot and diffs, and the real captures. */
#include "test_venue_import_kit.h"

#include <stdio.h>

#define T0 "1723161255000000000 "
#define T1 "1723161256000000000 "
#define SNAPSHOT(id)                                                                               \
    "{\"lastUpdateId\":" #id ",\"bids\":[[\"100.0\",\"1\"],[\"99.0\",\"2\"]],"                     \
    "\"asks\":[[\"101.0\",\"1\"]]}\n"
#define DIFF(first, last, prev, bids, asks)                                                        \
    "{\"data\":{\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\",\"U\":" #first ",\"u\":" #last             \
    ",\"pu\":" #prev ",\"b\":[" bids "],\"a\":[" asks "]}}\n"
#define SPOT(first, last, bids, asks)                                                              \
    "{\"data\":{\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\",\"U\":" #first ",\"u\":" #last             \
    ",\"b\":[" bids "],\"a\":[" asks "]}}\n"

TEST(diffs_wait_for_the_snapshot_and_overlap_it) {
    kit k;
    kit_init(&k);
    kit_text(&k, "binance-l2",
             T0 DIFF(1, 5, 0, "[\"90.0\",\"9\"]", "") T0 DIFF(6, 10, 5, "[\"98.0\",\"3\"]", "")
                 T0 DIFF(11, 12, 10, "", "[\"101.0\",\"0\"],[\"102.0\",\"4\"]") T1 SNAPSHOT(8)
                     T1 DIFF(13, 14, 12, "[\"100.0\",\"0\"]", ""));
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(k.report.gaps, 0);
    CHECK_EQ(k.report.stale, 1); /* the one the snapshot contains */
    CHECK_EQ(k.report.snapshots, 1);
    /* 3 of the snapshot, then 98, then 101 and 102, then 100. */
    CHECK_EQ(k.report.kinds[HG_EV_DEPTH], 7);
    CHECK(k.events[0].flags & HG_EVF_SNAPSHOT);
    CHECK_EQ(k.events[3].level.price, 980);
    CHECK_EQ(k.events[3].level.size, 3000);
    CHECK_EQ(k.events[4].level.size, 0);
    CHECK_EQ(k.events[6].side, HG_BUY);
    CHECK_EQ(k.events[6].level.size, 0);
    kit_fini(&k);
}

TEST(a_missing_diff_is_a_gap_until_the_next_snapshot) {
    kit k;
    kit_init(&k);
    kit_text(&k, "binance-l2",
             T0 DIFF(1, 5, 0, "", "") T0 SNAPSHOT(4) T0 DIFF(6, 9, 5, "[\"98.0\",\"3\"]", "")
                 T0 DIFF(12, 14, 11, "[\"97.0\",\"3\"]", "")
                     T0 DIFF(15, 16, 14, "[\"96.0\",\"3\"]", "") T1 SNAPSHOT(15)
                         T1 DIFF(17, 18, 16, "[\"95.0\",\"3\"]", ""));
    CHECK_EQ(k.report.gaps, 1);
    CHECK_EQ(k.report.snapshots, 2);
    CHECK_EQ(k.report.kinds[HG_EV_STATUS], 1);
    CHECK(kit_event(&k, HG_EV_STATUS, 0)->flags & HG_EVF_INVALID);
    /* Afterwards the book has 96 and 95 but not the 97 of a diff before the second snapshot. */
    for (size_t i = 0; i < k.count; i++) {
        CHECK(k.events[i].kind != HG_EV_DEPTH || k.events[i].level.price != 970);
    }
    CHECK_EQ(k.events[k.count - 1].level.price, 950);
    kit_fini(&k);
}

TEST(old_and_repeated_diffs_are_dropped) {
    kit k;
    kit_init(&k);
    kit_text(&k, "binance-l2",
             T0 DIFF(1, 5, 0, "", "") T0 SNAPSHOT(4) T0 DIFF(6, 9, 5, "[\"98.0\",\"3\"]", "")
                 T0 DIFF(6, 9, 5, "[\"98.0\",\"7\"]", "") T0 DIFF(10, 11, 9, "", ""));
    CHECK_EQ(k.report.gaps, 0);
    CHECK_EQ(k.report.stale, 1);
    kit_fini(&k);
}

TEST(spot_diffs_count_one_by_one) {
    kit k;
    kit_init(&k);
    kit_text(&k, "binance-l2",
             T0 SPOT(1, 5, "", "") T0 SPOT(6, 10, "[\"98.00\",\"3\"]", "") T0 SNAPSHOT(5)
                 T0 SPOT(11, 11, "[\"97.00\",\"1\"]", "") T0 SPOT(13, 14, "", ""));
    CHECK_EQ(k.report.gaps, 1);
    CHECK_EQ(k.report.stale, 2); /* the first, and the one waiting for another snapshot */
    CHECK_EQ(hg_universe_get(k.universe, 0)->kind, HG_KIND_SPOT);
    kit_fini(&k);
}

TEST(a_crossed_book_is_not_trusted) {
    kit k;
    kit_init(&k);
    kit_text(&k, "binance-l2",
             T0 DIFF(1, 5, 0, "", "") T0 SNAPSHOT(4) T0 DIFF(6, 9, 5, "[\"101.5\",\"3\"]", "")
                 T0 DIFF(10, 11, 9, "[\"98.5\",\"3\"]", ""));
    CHECK_EQ(k.report.crossed, 1);
    CHECK_EQ(k.report.gaps, 0);
    CHECK_EQ(k.events[k.count - 1].kind, HG_EV_STATUS);
    kit_fini(&k);
}

TEST(coin_margined_contracts_become_usd) {
    kit k;
    kit_init(&k);
    kit_text(&k, "binance-l2",
             T0 "{\"data\":{\"e\":\"bookTicker\",\"s\":\"BTCUSD_PERP\",\"ps\":\"BTCUSD\",\"b\":"
                "\"61800.0\",\"B\":\"7\",\"a\":\"61800.1\",\"A\":\"3\"}}\n" T0
                "{\"data\":{\"e\":\"trade\",\"s\":\"BTCUSD_PERP\",\"p\":\"61800.1\",\"q\":\"2\","
                "\"m\":true}}\n");
    const hg_instrument *inst = hg_universe_get(k.universe, 0);
    CHECK(inst->inverse);
    CHECK_NEAR(hg_size_to_double(inst, k.events[0].quote.bid_size), 700, 0);
    CHECK_NEAR(hg_size_to_double(inst, k.events[1].level.size), 200, 0);
    CHECK_EQ(k.events[1].side, HG_SELL); /* the buyer was the maker */
    kit_fini(&k);
}

#define EARLY "1723161250000000000 "
#define TRADE(symbol, price, size)                                                                 \
    "{\"data\":{\"e\":\"trade\",\"s\":\"" symbol "\",\"p\":" price ",\"q\":" size ",\"m\":true}}"
#define TICKER(bid, ask)                                                                           \
    "{\"data\":{\"e\":\"bookTicker\",\"s\":\"BTCUSDT\",\"b\":" bid ",\"B\":\"1\",\"a\":" ask       \
    ",\"A\":\"1\"}}"

/* A good quote, then a line that must be rejected for the reason. */
static void rejected(const char *line, hg_import_reason reason) {
    char text[1024];
    snprintf(text, sizeof text, T0 TICKER("\"5.0\"", "\"5.1\"") "\n%s\n", line);
    kit k;
    kit_init(&k);
    kit_text(&k, "binance-l2", text);
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(k.count, 1);
    CHECK_EQ(k.report.rejected, 1);
    if (kit_reason(&k, reason) != 1) {
        hg_test_fail(__FILE__, __LINE__, "line '%s' not counted as %s", line,
                     hg_import_reason_code(reason));
    }
    kit_fini(&k);
}

TEST(messages_that_cannot_be_trusted_are_counted) {
    rejected("hello", HG_IMPORT_MALFORMED);
    rejected(T0 "{\"data\":", HG_IMPORT_MALFORMED);
    rejected(T0 "{} trailing", HG_IMPORT_MALFORMED);
    rejected(EARLY TRADE("BTCUSDT", "\"5\"", "\"1\""), HG_IMPORT_TIME);
    rejected(T0 TRADE("DOGEXYZ", "\"5\"", "\"1\""), HG_IMPORT_INSTRUMENT);
    rejected(T0 "{\"data\":{\"e\":\"trade\"}}", HG_IMPORT_MALFORMED);
    rejected(T0 TRADE("BTCUSDT", "\"1e400\"", "\"1\""), HG_IMPORT_NUMBER);
    rejected(T0 TRADE("BTCUSDT", "true", "\"1\""), HG_IMPORT_NUMBER);
    rejected(T0 TRADE("BTCUSDT", "\"-5\"", "\"1\""), HG_IMPORT_NOT_POSITIVE);
    rejected(T0 TRADE("BTCUSDT", "\"5.03\"", "\"1\""), HG_IMPORT_OFF_TICK);
    rejected(T0 TRADE("BTCUSDT", "\"5\"", "\"0.0001\""), HG_IMPORT_OFF_LOT);
    rejected(T0 TICKER("\"6\"", "\"5\""), HG_IMPORT_CROSSED);
    rejected(T0 DIFF(1, 0, 0, "", ""), HG_IMPORT_MALFORMED);
    rejected(T0 DIFF(1, 2, 0, "[\"5\",\"-1\"]", ""), HG_IMPORT_NOT_POSITIVE);
    rejected(T0 DIFF(1, 2, 0, "[\"5\"]", ""), HG_IMPORT_NUMBER);
}

/* Replays the events into a plain book and looks at it after every complete update. */
typedef struct {
    hg_ticks price[2][8192];
    hg_lots size[2][8192];
    size_t count[2];
} plain_book;

static void plain_set(plain_book *b, const hg_event *ev) {
    int s = ev->side == HG_BUY;
    if (ev->flags & HG_EVF_SNAPSHOT) {
        b->count[0] = b->count[1] = 0;
    }
    size_t i = 0;
    while (i < b->count[s] && b->price[s][i] != ev->level.price) i++;
    if (ev->level.size == 0) {
        CHECK(i < b->count[s]); /* only what is there is deleted */
        b->count[s]--;
        b->price[s][i] = b->price[s][b->count[s]];
        b->size[s][i] = b->size[s][b->count[s]];
        return;
    }
    CHECK(i < 8192);
    b->count[s] += i == b->count[s];
    b->price[s][i] = ev->level.price;
    b->size[s][i] = ev->level.size;
}

static void plain_judge(const plain_book *b) {
    hg_ticks bid = 0;
    hg_ticks ask = INT64_MAX;
    for (size_t i = 0; i < b->count[1]; i++) bid = b->price[1][i] > bid ? b->price[1][i] : bid;
    for (size_t i = 0; i < b->count[0]; i++) ask = b->price[0][i] < ask ? b->price[0][i] : ask;
    CHECK(bid > 0 && ask < INT64_MAX && bid < ask);
}

static void capture_check(const char *path, const char *name, hg_kind kind, bool inverse) {
    TEST_NEEDS(path);
    kit k;
    kit_init(&k);
    kit_file(&k, "binance-l2", test_data(path));
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(k.report.gaps, 0);
    CHECK_EQ(k.report.crossed, 0);
    CHECK_EQ(k.report.snapshots, 1);
    CHECK_EQ(k.report.rejected, 0);
    CHECK_EQ(k.report.used + k.report.stale, k.report.lines);
    const hg_instrument *inst = hg_universe_get(k.universe, hg_universe_find(k.universe, name));
    CHECK_EQ(inst->kind, kind);
    CHECK_EQ(inst->inverse, inverse);
    static plain_book book;
    size_t updates = 0;
    for (size_t i = 0; i < k.count; i++) {
        if (k.events[i].kind != HG_EV_DEPTH) {
            continue;
        }
        plain_set(&book, &k.events[i]);
        if (!(k.events[i].flags & HG_EVF_MORE) && updates++ % 16 == 0) plain_judge(&book);
    }
    CHECK(updates > 3000);
    kit_fini(&k);
}

TEST_WITHIN(capture_of_usd_margined_futures, 120) {
    capture_check("market/perp_l2/binance_usdm_btcusdt_20240808.raw.gz", "BTCUSDT",
                  HG_KIND_PERPETUAL, false);
}

TEST_WITHIN(capture_of_coin_margined_futures, 120) {
    capture_check("market/perp_l2/binance_coinm_btcusd_perp_20240808.raw.gz", "BTCUSD_PERP",
                  HG_KIND_PERPETUAL, true);
}

TEST_WITHIN(capture_of_spot, 120) {
    capture_check("market/perp_l2/binance_spot_btcusdt_20240808.raw.gz", "BTCUSDT", HG_KIND_SPOT,
                  false);
}

TEST(captures_of_cryptofeed) {
    TEST_NEEDS("market/perp_l2/cryptofeed_BINANCE_DELIVERY.jsonl.zst");
    kit k;
    kit_init(&k);
    kit_file(&k, "binance-l2", test_data("market/perp_l2/cryptofeed_BINANCE_DELIVERY.jsonl.zst"));
    CHECK_EQ(k.report.snapshots, 10);
    CHECK_EQ(k.report.gaps, 0);
    CHECK_EQ(k.report.crossed, 0);
    const hg_instrument *dated = hg_universe_get(k.universe,
                                                 hg_universe_find(k.universe, "BCHUSD_210924"));
    CHECK_EQ(dated->kind, HG_KIND_FUTURE);
    CHECK_EQ(dated->expiry_ns, INT64_C(1632470400000000000));
    kit_fini(&k);
    kit_init(&k);
    kit_file(&k, "binance-l2", test_data("market/perp_l2/cryptofeed_BINANCE_FUTURES.jsonl.zst"));
    CHECK_EQ(k.report.snapshots, 4);
    CHECK_EQ(k.report.gaps, 0);
    CHECK_EQ(k.report.crossed, 0);
    kit_fini(&k);
}

TEST(a_capture_of_another_exchange_is_refused) {
    TEST_NEEDS("market/perp_l2/cryptofeed_OKX.jsonl.zst");
    kit k;
    kit_init(&k);
    kit_file(&k, "binance-l2", test_data("market/perp_l2/cryptofeed_OKX.jsonl.zst"));
    CHECK_EQ(k.rc, HG_EDATA);
    CHECK(strstr(hg_error_text(), "OKX"));
    kit_fini(&k);
}
