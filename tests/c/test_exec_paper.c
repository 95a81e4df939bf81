/* The matching rules of the paper venue, one by one. */
#include "test_exec_kit.h"

#include <string.h>

enum { PERP, INVERSE, OPTION };

static void paper_world(world *w, hg_paper_options options) {
    world_init(w);
    world_add(w, "BTC_USDC-PERPETUAL");
    world_add(w, "BTC-PERPETUAL");
    world_add(w, "BTC-27MAR26-60000-C");
    world_open(w, &(hg_portfolio_options){.fees = options.fees});
    /* Fills without end belong to these tests. */
    hg_exec_options exec = {
        .limits = {.orders_per_second = 1000000, .repeated_window_ns = 1},
          .order_capacity = 4096
    };
    world_trade(w, &options, &exec);
    value_event(w, HG_EV_INDEX, 0, 60000);
    quote(w, PERP, 59999, 2, 60001, 3);
    mark(w, PERP, 60000, 0);
    quote(w, INVERSE, 59999.5, 20000, 60000.5, 30000);
}

static void touch_world(world *w) {
    paper_world(w, (hg_paper_options){.fill = HG_FILL_TOUCH});
}

static void depth_world(world *w) {
    paper_world(w, (hg_paper_options){.fill = HG_FILL_DEPTH});
}

/* Asks at 60,001 x 3, 60,002 x 2, 60,005 x 5; bids at 59,999 x 2, 59,998 x 4. */
static void book_world(world *w, hg_fill_model fill) {
    paper_world(w, (hg_paper_options){.fill = fill});
    level(w, PERP, HG_SELL, 60001, 3, HG_EVF_SNAPSHOT | HG_EVF_MORE);
    level(w, PERP, HG_SELL, 60002, 2, HG_EVF_MORE);
    level(w, PERP, HG_SELL, 60005, 5, HG_EVF_MORE);
    level(w, PERP, HG_BUY, 59999, 2, HG_EVF_MORE);
    level(w, PERP, HG_BUY, 59998, 4, 0);
}

static uint64_t limit_with(world *w, hg_side side, double price, double size, hg_tif tif,
                           bool post) {
    uint64_t id = send_request(w, (hg_order_request){.instrument = PERP,
                                                     .side = side,
                                                     .type = HG_TYPE_LIMIT,
                                                     .tif = tif,
                                                     .price = price,
                                                     .size = size,
                                                     .post_only = post});
    CHECK_EQ(w->refusal.code, HG_REJECT_NONE);
    world_answers(w);
    return id;
}

static uint64_t limit(world *w, hg_side side, double price, double size) {
    return limit_with(w, side, price, size, HG_TIF_GTC, false);
}

static uint64_t market(world *w, hg_side side, double size) {
    uint64_t id = send_market(w, PERP, side, size);
    CHECK_EQ(w->refusal.code, HG_REJECT_NONE);
    world_answers(w);
    return id;
}

static const char *reason_of(const world *w, uint64_t id) {
    return hg_reject_code((hg_reject)hg_exec_get(w->exec, id)->reject);
}

static double average_of(const world *w, uint64_t id) {
    return hg_exec_average_price(w->exec, hg_exec_get(w->exec, id));
}

static void check_order(int line, const world *w, uint64_t id, const char *state, double filled) {
    if (strcmp(state_of(w, id), state) != 0 || fabs(filled_of(w, id) - filled) > 1e-12) {
        hg_test_fail(__FILE__, line, "order is %s with %g filled, not %s with %g", state_of(w, id),
                     filled_of(w, id), state, filled);
    }
}

#define CHECK_ORDER(w, id, state, filled) check_order(__LINE__, (w), (id), (state), (filled))

/* --- touch ------------------------------------------------------------------------------------ */

TEST(touch_fills_everything_at_the_best_price) {
    world w;
    touch_world(&w);
    uint64_t buy = market(&w, HG_BUY, 100);
    CHECK_ORDER(&w, buy, "filled", 100);
    CHECK_NEAR(average_of(&w, buy), 60001, 1e-9);
    uint64_t sell = limit(&w, HG_SELL, 59990, 7); /* a limit gets the better touch */
    CHECK_ORDER(&w, sell, "filled", 7);
    CHECK_NEAR(average_of(&w, sell), 59999, 1e-9);
    CHECK_NEAR(position_of(&w, PERP), 93, 1e-12);
    world_close(&w);
}

TEST(answers_come_in_order_at_the_same_time) {
    world w;
    touch_world(&w);
    send_market(&w, PERP, HG_BUY, 1);
    hg_event e;
    CHECK_EQ(w.venue->ops->due_ns(w.venue), w.now_ns);
    CHECK(w.venue->ops->next(w.venue, &e));
    CHECK(e.kind == HG_EV_ACK && e.time_ns == w.now_ns && e.id == PERP);
    CHECK(w.venue->ops->next(w.venue, &e));
    CHECK(e.kind == HG_EV_FILL && e.order.trade == 1 && e.order.size == lots(&w, PERP, 1));
    CHECK(!w.venue->ops->next(w.venue, &e));
    CHECK_EQ(w.venue->ops->due_ns(w.venue), INT64_MAX);
    world_close(&w);
}

TEST(touch_resting_orders_fill_when_reached) {
    world w;
    touch_world(&w);
    uint64_t buy = limit(&w, HG_BUY, 59900, 50);
    CHECK_ORDER(&w, buy, "working", 0);
    quote(&w, PERP, 59900, 2, 59901, 3);
    world_answers(&w);
    CHECK_ORDER(&w, buy, "working", 0);
    quote(&w, PERP, 59899, 2, 59900, 1);
    world_answers(&w);
    CHECK_ORDER(&w, buy, "filled", 50);
    CHECK_NEAR(average_of(&w, buy), 59900, 1e-9);
    world_close(&w);
}

TEST(touch_prints_fill_only_through_the_price) {
    world w;
    touch_world(&w);
    uint64_t sell = limit(&w, HG_SELL, 60100, 5);
    print(&w, PERP, HG_BUY, 60100, 10);
    world_answers(&w);
    CHECK_ORDER(&w, sell, "working", 0);
    print(&w, PERP, HG_BUY, 60101, 0.1);
    world_answers(&w);
    CHECK_ORDER(&w, sell, "filled", 5);
    CHECK_NEAR(average_of(&w, sell), 60100, 1e-9);
    world_close(&w);
}

/* --- time in force and flags ------------------------------------------------------------------ */

TEST(immediate_orders_never_rest) {
    world w;
    touch_world(&w);
    uint64_t ioc = limit_with(&w, HG_BUY, 59900, 1, HG_TIF_IOC, false);
    CHECK_ORDER(&w, ioc, "cancelled", 0);
    CHECK_STR(reason_of(&w, ioc), "ioc_rest");
    uint64_t fok = limit_with(&w, HG_BUY, 59900, 1, HG_TIF_FOK, false);
    CHECK_ORDER(&w, fok, "cancelled", 0);
    CHECK_STR(reason_of(&w, fok), "fok");
    fok = limit_with(&w, HG_BUY, 60001, 1, HG_TIF_FOK, false);
    CHECK_ORDER(&w, fok, "filled", 1);
    world_close(&w);
}

TEST(fill_or_kill_needs_the_whole_size) {
    world w;
    book_world(&w, HG_FILL_DEPTH);
    CHECK_ORDER(&w, limit_with(&w, HG_BUY, 60002, 5.1, HG_TIF_FOK, false), "cancelled", 0);
    CHECK_ORDER(&w, limit_with(&w, HG_BUY, 60002, 5, HG_TIF_FOK, false), "filled", 5);
    CHECK_ORDER(&w, limit_with(&w, HG_BUY, 60002, 0.1, HG_TIF_FOK, false), "cancelled", 0);
    world_close(&w);
}

TEST(post_only_never_takes) {
    world w;
    touch_world(&w);
    uint64_t id = limit_with(&w, HG_BUY, 60001, 1, HG_TIF_GTC, true);
    CHECK_ORDER(&w, id, "rejected", 0);
    CHECK_STR(reason_of(&w, id), "post_only");
    id = limit_with(&w, HG_BUY, 60000.5, 1, HG_TIF_GTC, true);
    CHECK_ORDER(&w, id, "working", 0);
    CHECK_EQ(hg_exec_amend(w.exec, id, 60002, 0, w.now_ns, &w.refusal), HG_OK);
    world_answers(&w);
    CHECK_ORDER(&w, id, "working", 0); /* the amendment was refused */
    CHECK_STR(reason_of(&w, id), "post_only");
    CHECK_EQ(hg_exec_get(w.exec, id)->price, ticks(&w, PERP, 60000.5));
    world_close(&w);
}

TEST(reduce_only_follows_the_position) {
    world w;
    touch_world(&w);
    market(&w, HG_BUY, 5);
    uint64_t id = send_request(&w, (hg_order_request){.instrument = PERP,
                                                      .side = HG_SELL,
                                                      .type = HG_TYPE_LIMIT,
                                                      .price = 60500,
                                                      .size = 5,
                                                      .reduce_only = true});
    world_answers(&w);
    CHECK_ORDER(&w, id, "working", 0);
    market(&w, HG_SELL, 3); /* 2 are left to reduce */
    CHECK_STR(state_of(&w, id), "working");
    CHECK_EQ(hg_exec_get(w.exec, id)->size, lots(&w, PERP, 2));
    market(&w, HG_SELL, 2);
    CHECK_ORDER(&w, id, "cancelled", 0);
    CHECK_NEAR(position_of(&w, PERP), 0, 0);
    world_close(&w);
}

TEST(the_venue_says_what_the_feed_did_not_tell_of_resting_orders) {
    world w;
    paper_world(&w, (hg_paper_options){.fill = HG_FILL_QUEUE});
    CHECK_EQ(hg_paper_unproven(w.venue, PERP), 0); /* nobody rests */
    uint64_t id = limit(&w, HG_BUY, 59999, 1);     /* behind two lots */
    CHECK_EQ(hg_paper_unproven(w.venue, PERP), HG_PAPER_NO_TRADES | HG_PAPER_NO_DEPTH);
    CHECK_EQ(hg_paper_unproven(w.venue, INVERSE), 0);
    later(&w, HG_NS_PER_MS);
    quote(&w, PERP, 59998, 2, 60001, 3); /* the level is gone: who traded, nobody can tell */
    world_answers(&w);
    CHECK_ORDER(&w, id, "working", 0);
    quote(&w, PERP, 59990, 2, 59999, 3); /* sellers have come to our price */
    world_answers(&w);
    CHECK_ORDER(&w, id, "filled", 1);
    print(&w, PERP, HG_BUY, 60001, 1);
    CHECK_EQ(hg_paper_unproven(w.venue, PERP), HG_PAPER_NO_DEPTH);
    level(&w, PERP, HG_SELL, 60001, 3, HG_EVF_SNAPSHOT | HG_EVF_MORE);
    level(&w, PERP, HG_BUY, 59999, 2, 0);
    CHECK_EQ(hg_paper_unproven(w.venue, PERP), 0);
    world_close(&w);
}

/* --- depth ------------------------------------------------------------------------------------ */

TEST(depth_without_a_book_is_the_displayed_size) {
    world w;
    depth_world(&w);
    uint64_t id = market(&w, HG_BUY, 4);
    CHECK_ORDER(&w, id, "cancelled", 3);
    CHECK_STR(reason_of(&w, id), "ioc_rest");
    id = market(&w, HG_BUY, 1); /* consumed until the feed tells it again */
    CHECK_ORDER(&w, id, "cancelled", 0);
    CHECK_STR(reason_of(&w, id), "no_liquidity");
    value_event(&w, HG_EV_INDEX, 0, 60000);
    CHECK_ORDER(&w, market(&w, HG_BUY, 1), "cancelled", 0);
    CHECK_ORDER(&w, market(&w, HG_SELL, 1), "filled", 1); /* the other side is its own */
    quote(&w, PERP, 59999, 2, 60001, 3);
    CHECK_ORDER(&w, market(&w, HG_BUY, 1), "filled", 1);
    world_close(&w);
}

TEST(depth_walks_the_book_one_fill_per_level) {
    world w;
    book_world(&w, HG_FILL_DEPTH);
    uint64_t id = market(&w, HG_BUY, 6);
    CHECK_ORDER(&w, id, "filled", 6);
    CHECK_EQ(hg_exec_stats_get(w.exec)->fills, 3);
    CHECK_NEAR(average_of(&w, id), (3 * 60001.0 + 2 * 60002 + 60005) / 6, 1e-6);
    id = market(&w, HG_BUY, 9); /* four are left at 60,005 */
    CHECK_ORDER(&w, id, "cancelled", 4);
    level(&w, PERP, HG_SELL, 60002, 2, 0); /* only this price is told again */
    id = market(&w, HG_BUY, 9);
    CHECK_ORDER(&w, id, "cancelled", 2);
    CHECK_NEAR(average_of(&w, id), 60002, 1e-9);
    world_close(&w);
}

TEST(a_limit_takes_what_it_may_and_rests_with_the_rest) {
    world w;
    book_world(&w, HG_FILL_DEPTH);
    uint64_t id = limit(&w, HG_BUY, 60002, 7);
    CHECK_ORDER(&w, id, "partial", 5);
    level(&w, PERP, HG_SELL, 60001, 0, HG_EVF_MORE);
    level(&w, PERP, HG_SELL, 60002, 1.5, 0); /* someone offers at our price */
    world_answers(&w);
    CHECK_ORDER(&w, id, "partial", 6.5);
    level(&w, PERP, HG_SELL, 60002, 9, 0);
    world_answers(&w);
    CHECK_ORDER(&w, id, "filled", 7);
    world_close(&w);
}

TEST(a_market_order_stops_at_its_collar) {
    world w;
    book_world(&w, HG_FILL_DEPTH);
    level(&w, PERP, HG_SELL, 66010, 50, 0); /* 60,000 * 1.1 = 66,000 */
    uint64_t id = market(&w, HG_BUY, 20);
    CHECK_ORDER(&w, id, "cancelled", 10);
    world_close(&w);
}

TEST(a_book_inside_an_update_is_not_matched) {
    world w;
    book_world(&w, HG_FILL_DEPTH);
    uint64_t id = limit(&w, HG_BUY, 60000, 1);
    level(&w, PERP, HG_SELL, 59999.5, 4, HG_EVF_MORE); /* crossed for a moment */
    world_answers(&w);
    CHECK_ORDER(&w, id, "working", 0);
    level(&w, PERP, HG_SELL, 59999.5, 0, 0);
    world_answers(&w);
    CHECK_ORDER(&w, id, "working", 0);
    world_close(&w);
}

TEST(an_invalid_book_fills_nothing) {
    world w;
    book_world(&w, HG_FILL_DEPTH);
    uint64_t id = limit(&w, HG_BUY, 60000, 1);
    hg_event e = {.id = PERP, .kind = HG_EV_STATUS, .flags = HG_EVF_INVALID};
    world_event(&w, e);
    quote(&w, PERP, 59900, 2, 59901, 3);
    world_answers(&w);
    CHECK_ORDER(&w, id, "working", 0);
    world_close(&w);
}

TEST(prints_fill_resting_orders_up_to_their_size) {
    world w;
    book_world(&w, HG_FILL_DEPTH);
    uint64_t first = limit(&w, HG_SELL, 60000, 2);
    uint64_t second = limit(&w, HG_SELL, 60000, 2);
    uint64_t better = limit(&w, HG_SELL, 59999.5, 1);
    print(&w, PERP, HG_SELL, 60000, 5); /* sellers do not meet a sell order at its price */
    world_answers(&w);
    CHECK_ORDER(&w, first, "working", 0);
    /* ... but whoever trades at 60,000 has passed the better one */
    CHECK_ORDER(&w, better, "filled", 1);
    print(&w, PERP, HG_BUY, 60000, 2.5);
    world_answers(&w);
    CHECK_ORDER(&w, first, "filled", 2); /* price, then time */
    CHECK_ORDER(&w, second, "partial", 0.5);
    print(&w, PERP, HG_BUY, 60001, 9);
    world_answers(&w);
    CHECK_ORDER(&w, second, "filled", 2);
    CHECK_NEAR(average_of(&w, second), 60000, 1e-9);
    world_close(&w);
}

/* --- queue ------------------------------------------------------------------------------------ */

TEST(a_queue_is_waited_for) {
    world w;
    book_world(&w, HG_FILL_QUEUE);
    uint64_t id = limit(&w, HG_BUY, 59998, 1); /* behind 4 */
    print(&w, PERP, HG_SELL, 59998, 3);
    world_answers(&w);
    CHECK_ORDER(&w, id, "working", 0);
    print(&w, PERP, HG_SELL, 59998, 1);
    world_answers(&w);
    CHECK_ORDER(&w, id, "working", 0); /* just ours is left to trade */
    print(&w, PERP, HG_SELL, 59998, 0.25);
    world_answers(&w);
    CHECK_ORDER(&w, id, "partial", 0.25);
    print(&w, PERP, HG_SELL, 59997.5, 1); /* through us */
    world_answers(&w);
    CHECK_ORDER(&w, id, "filled", 1);
    world_close(&w);
}

TEST(a_queue_shrinks_with_the_book) {
    world w;
    book_world(&w, HG_FILL_QUEUE);
    uint64_t id = limit(&w, HG_BUY, 59998, 1);
    level(&w, PERP, HG_BUY, 59998, 6, 0); /* newcomers are behind us */
    level(&w, PERP, HG_BUY, 59998, 1, 0); /* at most one of these was before us */
    print(&w, PERP, HG_SELL, 59998, 1.5);
    world_answers(&w);
    CHECK_ORDER(&w, id, "partial", 0.5);
    world_close(&w);
}

TEST(our_own_orders_queue_behind_each_other) {
    world w;
    book_world(&w, HG_FILL_QUEUE);
    uint64_t first = limit(&w, HG_BUY, 59998, 1);
    uint64_t second = limit(&w, HG_BUY, 59998, 1);
    print(&w, PERP, HG_SELL, 59998, 5.5); /* 4 before us */
    world_answers(&w);
    CHECK_ORDER(&w, first, "filled", 1);
    CHECK_ORDER(&w, second, "partial", 0.5);
    world_close(&w);
}

/* --- among ourselves -------------------------------------------------------------------------- */

TEST(we_never_trade_with_ourselves) {
    world w;
    book_world(&w, HG_FILL_DEPTH);
    uint64_t inside = limit(&w, HG_SELL, 60000, 2);
    uint64_t above = limit(&w, HG_SELL, 60004, 2);
    uint64_t taker = market(&w, HG_BUY, 1);
    CHECK_ORDER(&w, inside, "cancelled", 0);
    CHECK_ORDER(&w, above, "working", 0); /* not met */
    CHECK_ORDER(&w, taker, "filled", 1);
    CHECK_NEAR(average_of(&w, taker), 60001, 1e-9);
    uint64_t bid = limit(&w, HG_BUY, 60004.5, 20); /* takes 2 + 2, and rests beyond our own ask */
    CHECK_ORDER(&w, bid, "partial", 4);
    CHECK_ORDER(&w, above, "cancelled", 0);
    world_close(&w);
}

TEST(amendments_and_priority) {
    world w;
    book_world(&w, HG_FILL_DEPTH);
    uint64_t a = limit(&w, HG_SELL, 60000, 2);
    uint64_t b = limit(&w, HG_SELL, 60000, 2);
    CHECK_EQ(hg_exec_amend(w.exec, a, 0, 1, w.now_ns, &w.refusal), HG_OK); /* smaller: keeps it */
    world_answers(&w);
    print(&w, PERP, HG_BUY, 60000, 0.5);
    world_answers(&w);
    CHECK_ORDER(&w, a, "partial", 0.5);
    CHECK_EQ(hg_exec_amend(w.exec, a, 0, 3, w.now_ns, &w.refusal), HG_OK); /* larger: loses it */
    world_answers(&w);
    print(&w, PERP, HG_BUY, 60000, 1);
    world_answers(&w);
    CHECK_ORDER(&w, a, "partial", 0.5);
    CHECK_ORDER(&w, b, "partial", 1);
    CHECK_EQ(hg_exec_amend(w.exec, b, 59999, 0, w.now_ns, &w.refusal), HG_OK); /* marketable now */
    world_answers(&w);
    CHECK_ORDER(&w, b, "filled", 2);
    CHECK_EQ(hg_exec_amend(w.exec, a, 60010, 0, w.now_ns, &w.refusal), HG_OK);
    world_answers(&w);
    CHECK_EQ(hg_exec_get(w.exec, a)->price, ticks(&w, PERP, 60010));
    world_close(&w);
}

TEST(cancels) {
    world w;
    touch_world(&w);
    uint64_t id = limit(&w, HG_BUY, 59000, 1);
    CHECK_EQ(hg_exec_cancel(w.exec, id, w.now_ns), HG_OK);
    world_answers(&w);
    CHECK_ORDER(&w, id, "cancelled", 0);
    CHECK_STR(reason_of(&w, id), "user");
    quote(&w, PERP, 58000, 1, 58001, 1);
    CHECK_EQ(world_answers(&w), 0); /* it is gone from the book */
    world_close(&w);
}

TEST(delivery_expires_open_orders) {
    world w;
    touch_world(&w);
    value_event(&w, HG_EV_FORWARD, 0, 60000);
    w.now_ns = inst_of(&w, OPTION)->expiry_ns - HG_NS_PER_S;
    value_event(&w, HG_EV_INDEX, 0, 60000);
    value_event(&w, HG_EV_FORWARD, 0, 60000);
    mark(&w, OPTION, 0.01, 0.5);
    quote(&w, OPTION, 0.0095, 1, 0.0105, 1);
    uint64_t id = send_limit(&w, OPTION, HG_BUY, 0.005, 1);
    world_answers(&w);
    CHECK_ORDER(&w, id, "working", 0);
    later(&w, HG_NS_PER_S);
    value_event(&w, HG_EV_SETTLE, OPTION, 61000);
    CHECK_EQ(world_answers(&w), 1);
    CHECK_ORDER(&w, id, "expired", 0);
    CHECK_STR(reason_of(&w, id), "delivery");
    CHECK_EQ(hg_portfolio_get(w.portfolio, OPTION)->pending_buy, 0);
    world_close(&w);
}

/* --- money ------------------------------------------------------------------------------------ */

TEST(fees_of_makers_and_takers) {
    world w;
    paper_world(&w, (hg_paper_options){.fill = HG_FILL_TOUCH, .fees = true});
    const hg_instrument *inst = inst_of(&w, INVERSE);
    double taker = hg_nano_to_double(inst->taker);
    double maker = hg_nano_to_double(inst->maker);
    send_market(&w, INVERSE, HG_BUY, 60000);
    world_answers(&w);
    CHECK_NEAR(cash_of(&w, "BTC"), -taker * 60000 / 60000.5, 1e-9);
    send_limit(&w, INVERSE, HG_SELL, 60100, 60000);
    world_answers(&w);
    double before = cash_of(&w, "BTC");
    quote(&w, INVERSE, 60100, 10000, 60101, 10000);
    world_answers(&w);
    double gain = 60000 / 60000.5 - 60000 / 60100.0;
    CHECK_NEAR(cash_of(&w, "BTC"), before + gain - maker * 60000 / 60100, 2e-9);
    CHECK_NEAR(hg_exec_stats_get(w.exec)->fees_usd,
               (taker * 60000 / 60000.5 + maker * 60000 / 60100) * 60000, 1e-3);
    world_close(&w);
}

/* What the fee is taken of is the venue's word at the fill, however long the way to us. */
TEST(a_fill_carries_the_index_it_was_charged_by) {
    world w;
    world_init(&w);
    uint32_t option = world_add(&w, "BTC_USDC-27FEB26-60000-C");
    world_open(&w, NULL);
    world_trade(&w,
                &(hg_paper_options){.fill = HG_FILL_TOUCH,
                                    .fees = true,
                                    .latency = hg_latency_constant(10 * HG_NS_PER_MS)},
                NULL);
    value_event(&w, HG_EV_INDEX, 0, 60000.25);
    quote(&w, option, 2000, 10, 2001, 10);
    hg_order order = {.id = 1,
                      .instrument = option,
                      .side = HG_BUY,
                      .type = HG_TYPE_MARKET,
                      .tif = HG_TIF_IOC,
                      .price = ticks(&w, option, 2100),
                      .size = lots(&w, option, 1)};
    CHECK_EQ(w.venue->ops->submit(w.venue, &order, w.now_ns), HG_OK);
    later(&w, 10 * HG_NS_PER_MS);
    value_event(&w, HG_EV_INDEX, 0, 61000); /* the order arrives with it */
    later(&w, 10 * HG_NS_PER_MS);
    value_event(&w, HG_EV_INDEX, 0, 65000); /* known to us before the fill is */
    hg_event e = {0};
    while (e.kind != HG_EV_FILL) {
        if (!w.venue->ops->next(w.venue, &e)) {
            CHECK(w.venue->ops->due_ns(w.venue) <= w.now_ns);
        }
    }
    hg_cash fee = 0;
    CHECK(hg_fee(inst_of(&w, option), nano(2001), order.size, false, e.order.index, &fee));
    CHECK_EQ(e.order.index, nano(61000));
    CHECK_EQ(e.order.fee, fee);
    CHECK(fee > 0 && !(e.flags & HG_EVF_MAKER));
    world_close(&w);
}

/* --- time ------------------------------------------------------------------------------------- */

TEST(latency_is_paid_both_ways) {
    world w;
    paper_world(&w, (hg_paper_options){.fill = HG_FILL_TOUCH,
                                       .latency = hg_latency_constant(10 * HG_NS_PER_MS)});
    uint64_t id = send_market(&w, PERP, HG_BUY, 1);
    CHECK_EQ(world_answers(&w), 0);
    later(&w, 9 * HG_NS_PER_MS);
    quote(&w, PERP, 60009, 1, 60011, 1); /* arrives before our order does */
    later(&w, HG_NS_PER_MS);
    CHECK_EQ(world_answers(&w), 0);
    CHECK_STR(state_of(&w, id), "sent");
    later(&w, HG_NS_PER_MS);
    quote(&w, PERP, 60019, 1, 60021, 1); /* too late to matter */
    later(&w, 9 * HG_NS_PER_MS);
    CHECK_EQ(world_answers(&w), 2);
    CHECK_ORDER(&w, id, "filled", 1);
    CHECK_NEAR(average_of(&w, id), 60011, 1e-9);
    CHECK_EQ(hg_exec_get(w.exec, id)->updated_ns, T0 + 20 * HG_NS_PER_MS);
    world_close(&w);
}

TEST(a_cancel_may_come_too_late) {
    world w;
    paper_world(&w, (hg_paper_options){.fill = HG_FILL_TOUCH,
                                       .latency = hg_latency_constant(HG_NS_PER_MS)});
    uint64_t id = send_limit(&w, PERP, HG_BUY, 59900, 1);
    later(&w, 2 * HG_NS_PER_MS);
    world_answers(&w);
    CHECK_EQ(hg_exec_cancel(w.exec, id, w.now_ns), HG_OK);
    quote(&w, PERP, 59899, 1, 59900, 1);
    later(&w, 5 * HG_NS_PER_MS);
    CHECK_EQ(world_answers(&w), 2); /* the fill, and the refusal of the cancel */
    CHECK_ORDER(&w, id, "filled", 1);
    world_close(&w);
}

/* --- bounds ----------------------------------------------------------------------------------- */

TEST(nothing_is_allocated_and_no_fill_is_lost) {
    world w;
    book_world(&w, HG_FILL_QUEUE);
    long before = hg_test_alloc_count();
    for (int i = 0; i < 20000; i++) {
        later(&w, HG_NS_PER_MS);
        quote(&w, PERP, 59999, 2, 60001, 3);
        mark(&w, PERP, 60000, 0);
        level(&w, PERP, HG_SELL, 60001, 3, HG_EVF_MORE);
        level(&w, PERP, HG_BUY, 59999, 3, 0);
        send_market(&w, PERP, i % 2 ? HG_SELL : HG_BUY, 1);
        uint64_t id = send_limit(&w, PERP, HG_BUY, 59998, 1);
        world_answers(&w);
        hg_exec_cancel(w.exec, id, w.now_ns);
        world_answers(&w);
    }
    CHECK_EQ(hg_test_alloc_count(), before);
    CHECK_EQ(hg_exec_stats_get(w.exec)->fills, 20000);
    CHECK_EQ(hg_exec_stats_get(w.exec)->alarms, 0);
    CHECK_NEAR(position_of(&w, PERP), 0, 1e-9);
    world_close(&w);
}

TEST(a_flood_of_answers_is_kept) {
    world w;
    world_init(&w);
    world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    world_trade(&w, NULL,
                &(hg_exec_options){
                    .limits = {.open_orders = 100000,
                               .strategy_open_orders = 100000,
                               .total_open_orders = 100000,
                               .repeated_window_ns = 1}
    });
    hg_order_request r = {
        .instrument = PERP, .side = HG_BUY, .type = HG_TYPE_MARKET, .size = 1, .again = true};
    uint64_t id = 0;
    int sent = 0;
    for (int i = 0; i < 30000; i++) { /* nobody reads the answers */
        if (i % 100 == 0) {
            later(&w, HG_NS_PER_S);
            quote(&w, PERP, 59999, 2, 60001, 3);
        }
        sent += hg_exec_submit(w.exec, &r, w.now_ns, &id, &w.refusal) == HG_OK;
    }
    while (world_answers(&w) > 0) {
        quote(&w, PERP, 59999, 2, 60001, 3);
    }
    CHECK_NEAR(position_of(&w, PERP), sent, 1e-9);
    CHECK_EQ(hg_portfolio_get(w.portfolio, PERP)->pending_buy, 0);
    CHECK(sent > 4096 && sent < 30000); /* then the venue took no more */
    world_close(&w);
}
