/* deribit-ws: channels, the change_id rule, terms from the capture, and hostile messages. */
#include "test_venue_import_kit.h"

#include <stdio.h>

#define NOTE(channel, data)                                                                        \
    "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\"" channel          \
    "\",\"data\":" data "}}\n"
#define BOOK(type, id, prev, bids, asks)                                                           \
    NOTE("book.BTC-PERPETUAL.100ms",                                                               \
         "{\"type\":\"" type "\",\"timestamp\":1765541474000,\"instrument_name\":\"BTC-PERPETUAL"  \
         "\",\"change_id\":" #id ",\"prev_change_id\":" #prev ",\"bids\":[" bids                   \
         "],\"asks\":[" asks "]}")
#define FULL BOOK("snapshot", 10, null, "[\"new\",100.0,10.0]", "[\"new\",101.0,20.0]")

TEST(book_changes_apply_in_order_only) {
    kit k;
    kit_init(&k);
    kit_text(&k, "deribit-ws",
             FULL BOOK("change", 12, 10, "[\"change\",100.0,30.0]", "")
                 BOOK("change", 11, 10, "[\"change\",100.0,50.0]", "") /* old */
             BOOK("change", 15, 12, "[\"delete\",100.0,0.0]", "")      /* good */
             BOOK("change", 20, 19, "[\"new\",99.0,10.0]", "")         /* gap */
             BOOK("change", 21, 20, "[\"new\",98.0,10.0]", "")         /* ignored */
             BOOK("snapshot", 30, null, "[\"new\",97.0,10.0]", "")     /* good again */
             BOOK("change", 31, 30, "", "[\"new\",97.5,10.0]"));
    CHECK_EQ(k.report.gaps, 1);
    CHECK_EQ(k.report.stale, 2);
    CHECK_EQ(k.report.snapshots, 2);
    CHECK_EQ(k.report.kinds[HG_EV_STATUS], 1);
    CHECK_EQ(k.report.kinds[HG_EV_DEPTH], 6);
    for (size_t i = 0; i < k.count; i++) {
        hg_ticks price = k.events[i].kind == HG_EV_DEPTH ? k.events[i].level.price : 0;
        CHECK(price != 2 * 99 && price != 2 * 98);
    }
    kit_fini(&k);
}

/* Each message of a stream left out once, doubled once, swapped with the next one. */
TEST(a_stream_with_one_fault_never_gives_a_wrong_book) {
    static const char *const lines[] = {
        FULL,
        BOOK("change", 12, 10, "[\"change\",100.0,30.0]", ""),
        BOOK("change", 13, 12, "[\"new\",99.5,40.0]", "[\"delete\",101.0,0]"),
        BOOK("change", 19, 13, "", "[\"new\",100.5,70.0]"),
        BOOK("change", 20, 19, "[\"delete\",99.5,0]", ""),
    };
    enum { N = sizeof lines / sizeof lines[0] };
    for (int fault = 0; fault < 3; fault++) {
        for (int at = 1; at < N; at++) {
            char text[8192] = "";
            for (int i = 0; i < N; i++) {
                int from = fault == 2 && i == at && at + 1 < N ? at + 1
                           : fault == 2 && i == at + 1         ? at
                                                               : i;
                const char *once = fault != 0 || i != at ? lines[from] : "";
                const char *again = fault == 1 && i == at ? lines[i] : "";
                size_t used = strlen(text);
                snprintf(text + used, sizeof text - used, "%s%s", once, again);
            }
            kit k;
            kit_init(&k);
            kit_text(&k, "deribit-ws", text);
            bool last = at == N - 1; /* without a successor nobody can miss it */
            CHECK_EQ(k.report.gaps, fault == 1 || last ? 0 : 1);
            CHECK_EQ(k.report.crossed, 0);
            bool invalid = k.events[k.count - 1].kind == HG_EV_STATUS;
            CHECK_EQ(invalid, fault != 1 && !last);
            kit_fini(&k);
        }
    }
}

TEST(a_ticker_is_one_update) {
    kit k;
    kit_init(&k);
    kit_text(&k, "deribit-ws",
             NOTE("ticker.BTC-27FEB26-80000-P.raw",
                  "{\"timestamp\":1765541474086,\"instrument_name\":\"BTC-27FEB26-80000-P\","
                  "\"state\":\"open\",\"index_price\":92263.55,\"underlying_price\":92500.25,"
                  "\"mark_price\":0.0123,\"mark_iv\":45.67,\"best_bid_price\":0.012,"
                  "\"best_bid_amount\":5.5,\"best_ask_price\":0.0,\"best_ask_amount\":0.0,"
                  "\"greeks\":{\"delta\":null}}"));
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(k.count, 4);
    CHECK_EQ(k.events[0].time_ns, INT64_C(1765541474086000000));
    CHECK_EQ(kit_event(&k, HG_EV_INDEX, 0)->price.value, INT64_C(92263550000000));
    CHECK_EQ(kit_event(&k, HG_EV_FORWARD, 0)->price.value, INT64_C(92500250000000));
    CHECK_EQ(kit_event(&k, HG_EV_MARK, 0)->mark.iv, 456700000);
    const hg_event *quote = kit_event(&k, HG_EV_QUOTE, 0);
    CHECK_EQ(quote->quote.bid, 120);
    CHECK_EQ(quote->quote.bid_size, 55);
    CHECK_EQ(quote->quote.ask_size, 0);
    kit_fini(&k);
}

TEST(what_has_expired_is_only_delivered) {
    kit k;
    kit_init(&k);
    kit_text(&k, "deribit-ws",
             NOTE("ticker.BTC-12DEC25-80000-P.raw",
                  "{\"timestamp\":1765526400000,\"instrument_name\":\"BTC-12DEC25-80000-P\","
                  "\"mark_price\":0.01}")
                 NOTE("ticker.BTC-12DEC25-80000-P.raw",
                      "{\"timestamp\":1765526400100,\"instrument_name\":\"BTC-12DEC25-80000-P\","
                      "\"state\":\"closed\",\"delivery_price\":92000.25}")
                     NOTE("ticker.BTC-12DEC25-80000-P.raw",
                          "{\"timestamp\":1765526400200,\"instrument_name\":\"BTC-12DEC25-80000-P"
                          "\",\"delivery_price\":92000.25}"));
    CHECK_EQ(k.count, 1);
    CHECK_EQ(kit_reason(&k, HG_IMPORT_EXPIRED), 1);
    CHECK_EQ(k.report.skipped, 1);
    CHECK_EQ(k.events[0].kind, HG_EV_SETTLE);
    CHECK_EQ(k.events[0].price.value, INT64_C(92000250000000));
    kit_fini(&k);
}

TEST(incremental_tickers_send_what_changed) {
    kit k;
    kit_init(&k);
    kit_text(&k, "deribit-ws",
             NOTE("incremental_ticker.BTC-PERPETUAL",
                  "{\"type\":\"snapshot\",\"timestamp\":1765541474000,\"instrument_name\":\"BTC-"
                  "PERPETUAL\",\"best_bid_price\":100,\"best_bid_amount\":10,\"best_ask_price\":"
                  "100.5,\"best_ask_amount\":20,\"mark_price\":100.2,\"current_funding\":-0.0001}")
                 NOTE("incremental_ticker.BTC-PERPETUAL",
                      "{\"type\":\"change\",\"timestamp\":1765541475000,\"instrument_name\":\"BTC-"
                      "PERPETUAL\",\"best_ask_price\":101}")
                     NOTE("incremental_ticker.BTC-PERPETUAL",
                          "{\"type\":\"change\",\"timestamp\":1765541476000,\"instrument_name\":"
                          "\"BTC-PERPETUAL\",\"mark_price\":100.4}"));
    CHECK_EQ(k.report.kinds[HG_EV_QUOTE], 2);
    CHECK_EQ(k.report.kinds[HG_EV_MARK], 2);
    CHECK_EQ(kit_event(&k, HG_EV_FUNDING, 0)->price.value, -100000);
    const hg_event *quote = kit_event(&k, HG_EV_QUOTE, 1);
    CHECK_EQ(quote->quote.bid, 200);
    CHECK_EQ(quote->quote.ask, 202);
    CHECK_EQ(quote->quote.ask_size, 2);
    kit_fini(&k);
}

TEST(the_smaller_channels) {
    kit k;
    kit_init(&k);
    kit_text(
        &k, "deribit-ws",
        NOTE("deribit_price_index.btc_usd",
             "{\"timestamp\":1765541474000,\"price\":92000.5,\"index_name\":\"btc_usd\"}")
            NOTE("deribit_price_index.btc_usdc",
                 "{\"timestamp\":1765541474000,\"price\":92001,\"index_name\":\"btc_usdc\"}")
                NOTE("perpetual.BTC-PERPETUAL.100ms",
                     "{\"timestamp\":1765541474000,\"interest\":0.0001,\"index_price\":92000.6}")
                    NOTE(
                        "markprice.options.btc_usd",
                        "[{\"timestamp\":1765541474000,\"instrument_name\":\"BTC-27FEB26-80000-P\","
                        "\"mark_price\":0.01,\"iv\":0.37}]")
                        NOTE("trades.BTC-PERPETUAL.100ms",
                             "[{\"timestamp\":1765541474000,\"instrument_name\":\"BTC-PERPETUAL\","
                             "\"price\":92000.5,\"amount\":50,\"direction\":\"sell\"},"
                             "{\"timestamp\":1765541474000,\"instrument_name\":\"BTC-PERPETUAL\","
                             "\"price\":92000,\"amount\":20,\"direction\":\"buy\"}]")
                            NOTE("book.ETH-PERPETUAL.none.10.100ms",
                                 "{\"timestamp\":1765541474000,\"instrument_name\":\"ETH-PERPETUAL"
                                 "\",\"change_id\":5,\"bids\":[[3000.05,10]],\"asks\":[]}")
                                NOTE("platform_state", "{\"locked\":false}")
                                    NOTE("chart.trades.BTC-PERPETUAL.1",
                                         "{\"tick\":1765541474000,\"open\":1}"));
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(k.report.used, 5);
    CHECK_EQ(kit_event(&k, HG_EV_INDEX, 0)->price.value, INT64_C(92000500000000));
    CHECK_EQ(kit_event(&k, HG_EV_FUNDING, 0)->price.value, 100000);
    CHECK_EQ(kit_event(&k, HG_EV_MARK, 0)->mark.iv, 370000000);
    CHECK_EQ(kit_event(&k, HG_EV_TRADE, 0)->side, HG_SELL);
    CHECK(kit_event(&k, HG_EV_TRADE, 0)->flags & HG_EVF_MORE);
    CHECK(kit_event(&k, HG_EV_DEPTH, 0)->flags & HG_EVF_SNAPSHOT);
    kit_fini(&k);
}

/* Every field of a quote x values no venue should send (reliability notes, M4 and M5). */
TEST(hostile_values_never_become_events) {
    static const char *const fields[] = {"best_bid_price",  "best_ask_price", "best_bid_amount",
                                         "best_ask_amount", "timestamp",      "instrument_name"};
    static const char *const good[] = {"100", "100.5",         "10",
                                       "20",  "1765541474000", "\"BTC-PERPETUAL\""};
    static const char *const bad[] = {"1e400", "-1e400", "-100",    "\"100\"", "true",
                                      "{}",    "[]",     "\"nan\"", "1e300",   "100.123456"};
    for (size_t f = 0; f < 6; f++) {
        for (size_t v = 0; v < sizeof bad / sizeof bad[0]; v++) {
            char data[1024] = "{";
            for (size_t i = 0; i < 6; i++) {
                size_t used = strlen(data);
                snprintf(data + used, sizeof data - used, "%s\"%s\":%s", i > 0 ? "," : "",
                         fields[i], i == f ? bad[v] : good[i]);
            }
            char text[2048];
            snprintf(text, sizeof text,
                     "{\"method\":\"subscription\",\"params\":{\"channel\":\"quote.X\",\"data\":"
                     "%s}}}\n",
                     data);
            kit k;
            kit_init(&k);
            kit_text(&k, "deribit-ws", text);
            CHECK_EQ(k.rc, HG_EDATA);
            CHECK_EQ(k.count, 0);
            CHECK_EQ(k.report.rejected, 1);
            kit_fini(&k);
        }
    }
}

TEST(lines_that_are_not_messages_are_counted) {
    char deep[4096];
    memset(deep, '[', sizeof deep - 2);
    deep[sizeof deep - 2] = '\n';
    deep[sizeof deep - 1] = '\0';
    const char *const lines[] = {"{\"a\":1} x\n",
                                 "{\n",
                                 "[1,2]\n",
                                 "nonsense\n",
                                 "\"text\"\n",
                                 deep,
                                 "{\"method\":\"subscription\"}\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        kit k;
        kit_init(&k);
        kit_text(&k, "deribit-ws", lines[i]);
        CHECK_EQ(k.rc, HG_EDATA);
        CHECK_EQ(kit_reason(&k, HG_IMPORT_MALFORMED), 1);
        kit_fini(&k);
    }
}

TEST(the_capture_of_2021) {
    TEST_NEEDS("market/deribit_raw/cryptofeed_20210722.jsonl.zst");
    kit k;
    kit_init(&k);
    kit_file(&k, "deribit-ws", test_data("market/deribit_raw/cryptofeed_20210722.jsonl.zst"));
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(k.report.rejected, 0);
    CHECK_EQ(k.report.gaps, 0);
    CHECK_EQ(k.report.crossed, 0);
    CHECK_EQ(k.report.used, 135);
    CHECK_EQ(k.report.kinds[HG_EV_QUOTE], 89);
    CHECK_EQ(k.report.snapshots, 10);
    /* Terms are those of 2021: one tick everywhere. */
    CHECK_EQ(hg_universe_count(k.universe), 10);
    const hg_instrument *inst = hg_universe_get(k.universe,
                                                hg_universe_find(k.universe, "BTC-24SEP21-8000-P"));
    CHECK_EQ(inst->tick, 500000);
    CHECK_EQ(inst->tick_above, 0);
    CHECK_EQ(inst->lot, 100000000);
    kit_fini(&k);
}

TEST(the_capture_with_a_gap) {
    TEST_NEEDS("market/deribit_raw/ssc2ce_btc_perp_book_gap.jsonl");
    kit k;
    kit_init(&k);
    kit_file(&k, "deribit-ws", test_data("market/deribit_raw/ssc2ce_btc_perp_book_gap.jsonl"));
    CHECK_EQ(k.report.gaps, 1);
    CHECK_EQ(k.report.snapshots, 1);
    CHECK_EQ(k.report.used, 4);
    CHECK_EQ(kit_reason(&k, HG_IMPORT_OFF_TICK), 2); /* two levels of the test net */
    CHECK_EQ(k.events[k.count - 1].kind, HG_EV_STATUS);
    kit_fini(&k);
}

TEST(messages_of_other_projects_tests) {
    TEST_NEEDS("market/deribit_raw/tardis_node_deribit_msgs.jsonl");
    kit k;
    kit_init(&k);
    kit_file(&k, "deribit-ws", test_data("market/deribit_raw/tardis_node_deribit_msgs.jsonl"));
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(kit_reason(&k, HG_IMPORT_COMBO), 3);
    CHECK_EQ(kit_reason(&k, HG_IMPORT_INSTRUMENT), 1); /* MATIC is not in the table */
    /* BTC-8JUN20-8750-P, closed, with its delivery price. */
    CHECK_EQ(k.report.settled, 1);
    CHECK_EQ(kit_event(&k, HG_EV_SETTLE, 0)->price.value, INT64_C(9728650000000));
    CHECK_EQ(k.report.used + k.report.skipped + k.report.stale + k.report.rejected, 18);
    kit_fini(&k);
    kit_init(&k);
    kit_file(&k, "deribit-ws", test_data("market/deribit_raw/nautilus/ws_ticker.json"));
    CHECK_EQ(k.count, 4);
    kit_fini(&k);
}
