/* The market: what is known, how it ages, and what it says between observations. */
#include "base/clock.h"
#include "greeks/black76.h"
#include "market/market.h"
#include "test.h"

#include <math.h>

static hg_universe *universe;
static hg_market *market;
static int64_t now_ns;

static uint32_t id_of(const char *name) {
    uint32_t id = 0;
    CHECK_EQ(hg_universe_add_name(universe, name, &id), 0);
    return id;
}

static void start(void) {
    hg_market_options options = {.depth_books = 2, .depth_levels = 4};
    market = hg_market_new(universe, &options);
    now_ns = INT64_C(1769644800) * HG_NS_PER_S; /* 2026-01-29 00:00 */
    CHECK(market != NULL);
}

static void stop(void) {
    hg_market_free(market);
    hg_universe_free(universe);
}

static bool apply(hg_event e) {
    e.time_ns = now_ns;
    return hg_market_apply(market, &e);
}

static bool index_at(double price) {
    hg_event e = {.kind = HG_EV_INDEX, .id = 0};
    e.price.value = (hg_nano)llround(price * 1e9);
    return apply(e);
}

static bool quote_at(uint32_t id, hg_ticks bid, hg_ticks ask) {
    hg_event e = {.kind = HG_EV_QUOTE, .id = id};
    e.quote.bid = bid;
    e.quote.ask = ask;
    e.quote.bid_size = bid > 0 ? 10 : 0;
    e.quote.ask_size = ask > 0 ? 10 : 0;
    return apply(e);
}

static bool level_at(uint32_t id, hg_side side, hg_ticks price, hg_lots size, uint8_t flags) {
    hg_event e = {.kind = HG_EV_DEPTH, .id = id, .side = (int8_t)side, .flags = flags};
    e.level.price = price;
    e.level.size = size;
    return apply(e);
}

TEST(spot_is_the_index_while_it_is_fresh) {
    universe = hg_universe_new();
    uint32_t perpetual = id_of("BTC-PERPETUAL");
    start();
    CHECK(quote_at(perpetual, 176000, 176002));
    CHECK_NEAR(hg_market_underlying(market, 0)->spot, 88000.5, 1e-9);
    CHECK(index_at(87990));
    CHECK_NEAR(hg_market_underlying(market, 0)->spot, 87990, 1e-9);
    CHECK(quote_at(perpetual, 176100, 176102));
    CHECK_NEAR(hg_market_underlying(market, 0)->spot, 87990, 1e-9);
    now_ns += 11 * HG_NS_PER_S;
    CHECK(quote_at(perpetual, 176200, 176202));
    CHECK_NEAR(hg_market_underlying(market, 0)->spot, 88100.5, 1e-9);
    CHECK(!hg_market_underlying(market, 0)->from_index);
    stop();
}

TEST(forward_keeps_its_ratio_to_the_spot) {
    universe = hg_universe_new();
    uint32_t option = id_of("BTC-27FEB26-80000-P");
    start();
    uint32_t expiry = hg_universe_get(universe, option)->expiry_id;
    CHECK_NEAR(hg_market_forward(market, expiry, NULL), 0, 0);
    index_at(88000);
    CHECK_NEAR(hg_market_forward(market, expiry, NULL), 88000, 0);
    hg_event e = {.kind = HG_EV_FORWARD, .id = expiry};
    e.price.value = 88440 * HG_NANO;
    CHECK(apply(e));
    now_ns += HG_NS_PER_S;
    index_at(80000);
    int64_t seen = 0;
    CHECK_NEAR(hg_market_forward(market, expiry, &seen), 80400, 1e-9);
    CHECK_EQ(seen, now_ns);
    stop();
}

TEST(vol_comes_from_the_best_source_there_is) {
    universe = hg_universe_new();
    uint32_t option = id_of("BTC-27FEB26-80000-P");
    uint32_t near = id_of("BTC-27FEB26-82000-P");
    uint32_t alone = id_of("BTC-27MAR26-82000-P");
    start();
    double iv = 0;
    index_at(88000);
    CHECK_EQ(hg_market_iv(market, option, &iv, NULL), HG_IV_NONE);
    CHECK_NEAR(iv, HG_IV_ASSUMED, 0);
    double years = hg_market_years(hg_universe_get(universe, option)->expiry_ns, now_ns);
    double price = 0;
    CHECK_EQ(hg_black76_price(88000, 80000, years, 0.47, -1, 0, &price), 0);
    hg_event e = {.kind = HG_EV_MARK, .id = option};
    e.mark.price = (hg_nano)llround(price / 88000 * 1e9);
    CHECK(apply(e));
    CHECK_EQ(hg_market_iv(market, option, &iv, NULL), HG_IV_IMPLIED);
    CHECK_NEAR(iv, 0.47, 1e-6);
    CHECK_EQ(hg_market_iv(market, near, &iv, NULL), HG_IV_NEIGHBOUR);
    CHECK_NEAR(iv, 0.47, 1e-6);
    CHECK_EQ(hg_market_iv(market, alone, &iv, NULL), HG_IV_NONE);
    e.mark.iv = HG_NANO / 100 * 45;
    CHECK(apply(e));
    CHECK_EQ(hg_market_iv(market, option, &iv, NULL), HG_IV_MARK);
    CHECK_NEAR(iv, 0.45, 1e-12);
    stop();
}

TEST(the_nearest_neighbour_lends_its_vol) {
    universe = hg_universe_new();
    uint32_t wanted = id_of("BTC-27FEB26-80000-P");
    uint32_t strikes[6];
    static const char *const names[] = {"BTC-27FEB26-60000-C", "BTC-27FEB26-76000-C",
                                        "BTC-27FEB26-80000-C", "BTC-27FEB26-83000-P",
                                        "BTC-27FEB26-90000-C", "BTC-27MAR26-80000-P"};
    /* Told from the farthest to the nearest: each time the nearest one known must answer. */
    static const int order[] = {5, 0, 4, 1, 3, 2};
    static const double want[] = {0, 0.40, 0.44, 0.41, 0.43, 0.42};
    for (int i = 0; i < 6; i++) {
        strikes[i] = id_of(names[i]);
    }
    start();
    for (int i = 0; i < 6; i++) {
        double iv = 0;
        hg_event e = {.kind = HG_EV_MARK, .id = strikes[order[i]]};
        e.mark.price = HG_NANO / 100;
        e.mark.iv = HG_NANO / 100 * (40 + order[i]);
        CHECK(apply(e));
        hg_iv_source source = hg_market_iv(market, wanted, &iv, NULL);
        CHECK_EQ(source, i == 0 ? HG_IV_NONE : HG_IV_NEIGHBOUR);
        CHECK_NEAR(iv, i == 0 ? HG_IV_ASSUMED : want[i], 1e-12);
    }
    stop();
}

TEST(a_mark_moves_with_the_spot) {
    universe = hg_universe_new();
    uint32_t option = id_of("BTC-27FEB26-80000-P");
    uint32_t perpetual = id_of("BTC-PERPETUAL");
    start();
    index_at(88000);
    hg_event e = {.kind = HG_EV_MARK, .id = option};
    e.mark.price = 11800000;
    e.mark.iv = HG_NANO / 100 * 40;
    apply(e);
    hg_event p = {.kind = HG_EV_MARK, .id = perpetual};
    p.mark.price = 88088 * HG_NANO;
    apply(p);
    CHECK_NEAR(hg_market_mark(market, option, now_ns), 0.0118, 1e-15);
    CHECK_NEAR(hg_market_mark(market, perpetual, now_ns), 88088, 1e-9);
    now_ns += HG_NS_PER_S;
    index_at(80000);
    double years = hg_market_years(hg_universe_get(universe, option)->expiry_ns, now_ns);
    double price = 0;
    CHECK_EQ(hg_black76_price(80000, 80000, years, 0.40, -1, 0, &price), 0);
    CHECK_NEAR(hg_market_mark(market, option, now_ns), price / 80000, 1e-12);
    CHECK_NEAR(hg_market_mark(market, perpetual, now_ns), 88088.0 * 80000 / 88000, 1e-6);
    stop();
}

TEST(settled_instruments_are_worth_their_payoff) {
    universe = hg_universe_new();
    uint32_t put = id_of("BTC-27FEB26-80000-P");
    uint32_t call = id_of("BTC_USDC-27FEB26-60000-C");
    start();
    hg_event e = {.kind = HG_EV_SETTLE, .id = put};
    e.price.value = 64000 * HG_NANO;
    apply(e);
    e.id = call;
    apply(e);
    CHECK_NEAR(hg_market_mark(market, put, now_ns), 0.25, 1e-15);
    CHECK_NEAR(hg_market_mark(market, call, now_ns), 4000, 1e-9);
    stop();
}

TEST(crossed_and_foreign_events_are_refused_and_counted) {
    universe = hg_universe_new();
    uint32_t perpetual = id_of("BTC-PERPETUAL");
    start();
    CHECK(quote_at(perpetual, 100, 110));
    CHECK(!quote_at(perpetual, 120, 110));
    CHECK_EQ(hg_market_get(market, perpetual)->quote.bid, 100);
    CHECK(!quote_at(99, 100, 110));
    hg_event e = {.kind = HG_EV_INDEX, .id = 7};
    e.price.value = 1;
    CHECK(!apply(e));
    CHECK(!index_at(0));
    CHECK_EQ(hg_market_refused(market), 4);
    stop();
}

TEST(one_sided_quotes_have_no_mid) {
    universe = hg_universe_new();
    uint32_t perpetual = id_of("BTC-PERPETUAL");
    start();
    quote_at(perpetual, 0, 110);
    CHECK_NEAR(hg_market_mid(market, perpetual), 0, 0);
    stop();
}

TEST(depth_is_sorted_bounded_and_quotes_when_nothing_else_does) {
    universe = hg_universe_new();
    uint32_t perpetual = id_of("BTC-PERPETUAL");
    start();
    level_at(perpetual, HG_BUY, 100, 5, HG_EVF_SNAPSHOT | HG_EVF_MORE);
    level_at(perpetual, HG_SELL, 102, 7, HG_EVF_MORE);
    for (hg_ticks price = 99; price > 90; price--) {
        level_at(perpetual, HG_BUY, price, price, HG_EVF_MORE);
    }
    level_at(perpetual, HG_SELL, 101, 3, 0);
    const hg_market_state *s = hg_market_get(market, perpetual);
    CHECK_EQ(s->quote.bid, 100);
    CHECK_EQ(s->quote.ask, 101);
    CHECK_EQ(s->quote.ask_size, 3);
    CHECK_EQ(s->depth->bid_count, 4);
    CHECK_EQ(hg_depth_level(s->depth, HG_BUY, 3)->price, 97);
    CHECK(hg_depth_level(s->depth, HG_BUY, 4) == NULL);
    CHECK_EQ(hg_depth_size(s->depth, HG_SELL, 102), 7);
    level_at(perpetual, HG_SELL, 101, 0, 0);
    CHECK_EQ(s->quote.ask, 102);
    level_at(perpetual, HG_BUY, 103, 1, 0); /* crossed after a whole update: not to be trusted */
    CHECK(s->book_invalid);
    CHECK(!level_at(perpetual, HG_BUY, 95, 1, 0));
    CHECK(level_at(perpetual, HG_BUY, 95, 1, HG_EVF_SNAPSHOT));
    CHECK(!s->book_invalid);
    CHECK_EQ(s->depth->ask_count, 0);
    stop();
}

TEST(books_are_reserved_at_the_start) {
    universe = hg_universe_new();
    uint32_t a = id_of("BTC-PERPETUAL");
    uint32_t b = id_of("ETH-PERPETUAL");
    uint32_t c = id_of("BTC_USDC-PERPETUAL");
    start();
    CHECK(level_at(a, HG_BUY, 1, 1, HG_EVF_SNAPSHOT));
    CHECK(level_at(b, HG_BUY, 1, 1, HG_EVF_SNAPSHOT));
    CHECK(!level_at(c, HG_BUY, 1, 1, HG_EVF_SNAPSHOT));
    stop();
}

TEST(versions_move_only_where_something_changed) {
    universe = hg_universe_new();
    uint32_t btc = id_of("BTC-PERPETUAL");
    uint32_t eth = id_of("ETH-PERPETUAL");
    start();
    index_at(88000);
    uint64_t spot = hg_market_underlying(market, 0)->version;
    uint64_t state = hg_market_underlying(market, 0)->state_version;
    quote_at(eth, 100, 101);
    CHECK_EQ(hg_market_underlying(market, 0)->version, spot);
    CHECK_EQ(hg_market_underlying(market, 0)->state_version, state);
    quote_at(btc, 100, 101);
    CHECK_EQ(hg_market_underlying(market, 0)->version, spot);
    CHECK(hg_market_underlying(market, 0)->state_version > state);
    index_at(88000);
    CHECK_EQ(hg_market_underlying(market, 0)->version, spot);
    index_at(88001);
    CHECK(hg_market_underlying(market, 0)->version > spot);
    stop();
}
