/* quotes-csv, and what all importers share. */
#include "test_venue_import_kit.h"

#include <stdio.h>

#define HEAD "ts_ns,instrument,bid,ask,bid_size,ask_size\n"

TEST(a_row_becomes_a_quote) {
    kit k;
    kit_init(&k);
    kit_text(&k, "quotes-csv",
             HEAD "1700000000000000000,BTC_USDC-PERPETUAL,59999.5,60000.5,3,0.5\n");
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(k.count, 1);
    const hg_event *ev = kit_event(&k, HG_EV_QUOTE, 0);
    CHECK_EQ(ev->time_ns, INT64_C(1700000000000000000));
    CHECK_EQ(ev->quote.bid, 599995);
    CHECK_EQ(ev->quote.ask, 600005);
    CHECK_EQ(ev->quote.bid_size, 30000);
    CHECK_EQ(ev->quote.ask_size, 5000);
    CHECK_STR(hg_universe_get(k.universe, ev->id)->name, "BTC_USDC-PERPETUAL");
    kit_fini(&k);
}

TEST(columns_come_in_any_order_and_form) {
    kit k;
    kit_init(&k);
    kit_text(&k, "quotes-csv",
             "\xef\xbb\xbf ask , bid,note,\"instrument\",ask_size,bid_size,ts_ns\r\n"
             "100.5,100,hello,BTC-PERPETUAL,10,20,5\r\n"
             "1.01e2,1.005e2,,BTC-PERPETUAL,1e1,20.0,6");
    CHECK_EQ(k.rc, HG_OK);
    CHECK_EQ(k.count, 2);
    CHECK_EQ(k.events[0].quote.bid, 200);
    CHECK_EQ(k.events[0].quote.ask_size, 1);
    CHECK_EQ(k.events[1].quote.bid, 201);
    CHECK_EQ(k.events[1].quote.ask, 202);
    kit_fini(&k);
}

TEST(an_empty_price_is_an_absent_side) {
    kit k;
    kit_init(&k);
    kit_text(&k, "quotes-csv",
             HEAD "1,BTC-PERPETUAL,,100.5,,10\n2,BTC-PERPETUAL,100,,10,0\n3,BTC-PERPETUAL,,,,\n");
    CHECK_EQ(k.report.used, 3);
    CHECK_EQ(k.events[0].quote.bid_size, 0);
    CHECK_EQ(k.events[0].quote.ask_size, 1);
    CHECK_EQ(k.events[1].quote.ask_size, 0);
    CHECK_EQ(k.events[2].quote.bid_size + k.events[2].quote.ask_size, 0);
    kit_fini(&k);
}

TEST(further_columns_make_one_update) {
    kit k;
    kit_init(&k);
    kit_text(&k, "quotes-csv",
             "ts_ns,instrument,bid,ask,bid_size,ask_size,mark,iv,index,forward\n"
             "1,BTC-27FEB26-80000-P,0.0015,0.0019,1,1,0.0017,0.42,87000,87100.5\n");
    CHECK_EQ(k.count, 4);
    for (int i = 0; i < 4; i++) CHECK_EQ((k.events[i].flags & HG_EVF_MORE) != 0, i < 3);
    CHECK_EQ(kit_event(&k, HG_EV_INDEX, 0)->price.value, INT64_C(87000000000000));
    CHECK_EQ(kit_event(&k, HG_EV_FORWARD, 0)->price.value, INT64_C(87100500000000));
    CHECK_EQ(kit_event(&k, HG_EV_MARK, 0)->mark.price, 1700000);
    CHECK_EQ(kit_event(&k, HG_EV_MARK, 0)->mark.iv, 420000000);
    CHECK_EQ(k.events[3].kind, HG_EV_QUOTE);
    kit_fini(&k);
}

TEST(rows_that_cannot_be_trusted_are_counted) {
    static const struct {
        const char *row;
        hg_import_reason reason;
    } cases[] = {
        {"1,BTC-PERPETUAL,nan,100.5,10,10",                    HG_IMPORT_NUMBER      },
        {"1,BTC-PERPETUAL,100,inf,10,10",                      HG_IMPORT_NUMBER      },
        {"1,BTC-PERPETUAL,100,1e300,10,10",                    HG_IMPORT_NUMBER      },
        {"1,BTC-PERPETUAL,0x64,100.5,10,10",                   HG_IMPORT_NUMBER      },
        {"1,BTC-PERPETUAL,100,100.5,ten,10",                   HG_IMPORT_NUMBER      },
        {"x,BTC-PERPETUAL,100,100.5,10,10",                    HG_IMPORT_NUMBER      },
        {"-1,BTC-PERPETUAL,100,100.5,10,10",                   HG_IMPORT_NUMBER      },
        {"99999999999999999999,BTC-PERPETUAL,100,100.5,10,10", HG_IMPORT_NUMBER      },
        {"1,BTC-PERPETUAL,-100,100.5,10,10",                   HG_IMPORT_NOT_POSITIVE},
        {"1,BTC-PERPETUAL,0,100.5,10,10",                      HG_IMPORT_NOT_POSITIVE},
        {"1,BTC-PERPETUAL,100,100.5,0,10",                     HG_IMPORT_NOT_POSITIVE},
        {"1,BTC-PERPETUAL,100,100.5,10,-10",                   HG_IMPORT_NOT_POSITIVE},
        {"1,BTC-PERPETUAL,100,100.5,,10",                      HG_IMPORT_NOT_POSITIVE},
        {"1,BTC-PERPETUAL,100.25,100.5,10,10",                 HG_IMPORT_OFF_TICK    },
        {"1,BTC-27FEB26-80000-P,0.0051,0.0055,1,1",            HG_IMPORT_OFF_TICK    },
        {"1,BTC-PERPETUAL,100,100.5,15,10",                    HG_IMPORT_OFF_LOT     },
        {"1,BTC-PERPETUAL,100.5,100.5,10,10",                  HG_IMPORT_CROSSED     },
        {"1,BTC-PERPETUAL,101,100.5,10,10",                    HG_IMPORT_CROSSED     },
        {"1,XYZ-PERPETUAL,100,100.5,10,10",                    HG_IMPORT_INSTRUMENT  },
        {"1,,100,100.5,10,10",                                 HG_IMPORT_INSTRUMENT  },
        {"1893456000000000000,BTC-27FEB26-80000-P,,,,",        HG_IMPORT_EXPIRED     },
        {"1772179200000000000,BTC-27FEB26-80000-P,,,,",        HG_IMPORT_EXPIRED     },
        {"1,BTC-PERPETUAL,100,100.5,10",                       HG_IMPORT_MALFORMED   },
        {"garbage",                                            HG_IMPORT_MALFORMED   },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, HEAD "1,BTC-PERPETUAL,100,100.5,10,10\n%s\n%s\n", cases[i].row,
                 cases[i].row);
        kit k;
        kit_init(&k);
        kit_text(&k, "quotes-csv", text);
        CHECK_EQ(k.rc, HG_OK);
        CHECK_EQ(k.count, 1);
        if (kit_reason(&k, cases[i].reason) != 2) {
            hg_test_fail(__FILE__, __LINE__, "row '%s' not counted as %s", cases[i].row,
                         hg_import_reason_code(cases[i].reason));
        }
        CHECK_EQ(k.report.rejected, 2);
        CHECK_EQ(k.report.reasons[cases[i].reason].first_line, 3);
        kit_fini(&k);
    }
}

TEST(time_going_back_is_counted) {
    kit k;
    kit_init(&k);
    kit_text(&k, "quotes-csv",
             HEAD "5,BTC-PERPETUAL,100,100.5,10,10\n4,BTC-PERPETUAL,100,100.5,10,10\n"
                  "5,BTC-PERPETUAL,100,100.5,10,10\n");
    CHECK_EQ(k.report.used, 2);
    CHECK_EQ(kit_reason(&k, HG_IMPORT_TIME), 1);
    kit_fini(&k);
}

TEST(what_is_no_quote_file_is_refused) {
    static const char *const texts[] = {"",
                                        "ts_ns,instrument,bid\n1,BTC-PERPETUAL,5\n",
                                        "\n",
                                        HEAD,
                                        HEAD "1,NOPE,1,2,3,4\n",
                                        "\x89PNG\r\n\x1a\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        kit k;
        kit_init(&k);
        kit_text(&k, "quotes-csv", texts[i]);
        CHECK_EQ(k.rc, HG_EDATA);
        CHECK(strstr(hg_error_text(), "x.txt"));
        kit_fini(&k);
    }
}

TEST(missing_columns_are_named) {
    kit k;
    kit_init(&k);
    kit_text(&k, "quotes-csv", "ts_ns,instrument,bid,bid_size\n");
    CHECK_EQ(k.rc, HG_EDATA);
    CHECK(strstr(hg_error_text(), "missing columns ask, ask_size"));
    kit_fini(&k);
}

TEST(terms_given_before_win) {
    kit k;
    kit_init(&k);
    hg_instrument inst;
    CHECK_EQ(hg_instrument_from_name("BTC-PERPETUAL", &inst), HG_OK);
    inst.tick = 250000000; /* 0.25 */
    uint32_t id = 0;
    CHECK_EQ(hg_universe_add(k.universe, &inst, &id), HG_OK);
    kit_text(&k, "quotes-csv", HEAD "1,BTC-PERPETUAL,100.25,100.5,10,10\n");
    CHECK_EQ(k.count, 1);
    CHECK_EQ(k.events[0].quote.bid, 401);
    kit_fini(&k);
}
