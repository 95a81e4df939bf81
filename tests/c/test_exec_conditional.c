/* Orders that wait: triggers, expiry, pairs and brackets, with a venue that has none of them. */
#include "test_exec_kit.h"

#include <stdio.h>
#include <string.h>

enum { PERP };

typedef struct {
    world w;
    char alarms[400];
    int told;
} rig;

static void on_order(void *context, const hg_order *order) {
    rig *r = context;
    r->told += order->id > 0;
}

static void on_alarm(void *context, const hg_order *order, hg_alarm alarm) {
    rig *r = context;
    size_t used = strlen(r->alarms);
    CHECK(order == NULL || order->id > 0);
    snprintf(r->alarms + used, sizeof r->alarms - used, "%s ", hg_alarm_code(alarm));
}

static void tick(rig *r, double price) {
    later(&r->w, HG_NS_PER_MS);
    quote(&r->w, PERP, price - 1, 10, price + 1, 10);
    mark(&r->w, PERP, price, 0);
    world_answers(&r->w);
}

static void rig_open(rig *r, int64_t latency_ns) {
    *r = (rig){0};
    world_init(&r->w);
    world_add(&r->w, "BTC_USDC-PERPETUAL");
    world_open(&r->w, NULL);
    hg_exec_options options = {
        .order_capacity = 4096, .observer = {.context = r, .order = on_order, .alarm = on_alarm}
    };
    world_trade(
        &r->w,
        &(hg_paper_options){.fill = HG_FILL_DEPTH, .latency = hg_latency_constant(latency_ns)},
        &options);
    value_event(&r->w, HG_EV_INDEX, 0, 60000);
    tick(r, 60000);
}

static hg_order_request request(hg_order_type type, hg_side side, double size) {
    return (hg_order_request){.instrument = PERP, .side = side, .type = type, .size = size};
}

static uint64_t stop(rig *r, hg_side side, double trigger, double size) {
    hg_order_request q = request(HG_TYPE_STOP, side, size);
    q.trigger_price = trigger;
    return send_request(&r->w, q);
}

static const char *reason_of(const rig *r, uint64_t id) {
    return hg_reject_code((hg_reject)hg_exec_get(r->w.exec, id)->reject);
}

static double pending(const rig *r) {
    const hg_position *pos = hg_portfolio_get(r->w.portfolio, PERP);
    return hg_size_to_double(inst_of(&r->w, PERP), pos->pending_buy - pos->pending_sell);
}

/* --- triggers --------------------------------------------------------------------------------- */

TEST(a_stop_waits_without_being_pending_and_then_sells) {
    rig r;
    rig_open(&r, 0);
    uint64_t id = stop(&r, HG_SELL, 59000, 2);
    CHECK_STR(state_of(&r.w, id), "untriggered");
    CHECK(hg_exec_get(r.w.exec, id)->emulated);
    CHECK_NEAR(pending(&r), 0, 0);
    CHECK(hg_exec_open_next(r.w.exec, 0, 0) != NULL);
    tick(&r, 59001);
    CHECK_STR(state_of(&r.w, id), "untriggered");
    tick(&r, 59000); /* at the price, not only beyond it */
    CHECK_STR(state_of(&r.w, id), "filled");
    CHECK_NEAR(hg_exec_average_price(r.w.exec, hg_exec_get(r.w.exec, id)), 58999, 1e-9);
    CHECK_NEAR(position_of(&r.w, PERP), -2, 0);
    CHECK(hg_exec_get(r.w.exec, id)->triggered);
    CHECK_STR(r.alarms, "");
    world_close(&r.w);
}

TEST(each_type_fires_on_its_side_of_the_price) {
    static const struct {
        hg_order_type type;
        hg_side side;
        double trigger, fires_at, not_at;
    } rows[] = {
        {HG_TYPE_STOP, HG_BUY,  61000, 61000, 60999},
        {HG_TYPE_STOP, HG_SELL, 59000, 59000, 59001},
        {HG_TYPE_TAKE, HG_BUY,  59000, 59000, 59001},
        {HG_TYPE_TAKE, HG_SELL, 61000, 61000, 60999},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rig r;
        rig_open(&r, 0);
        hg_order_request q = request(rows[i].type, rows[i].side, 1);
        q.trigger_price = rows[i].trigger;
        uint64_t id = send_request(&r.w, q);
        tick(&r, rows[i].not_at);
        CHECK_STR(state_of(&r.w, id), "untriggered");
        tick(&r, rows[i].fires_at);
        CHECK_STR(state_of(&r.w, id), "filled");
        world_close(&r.w);
    }
}

TEST(each_source_listens_to_its_own_price) {
    rig r;
    rig_open(&r, 0);
    hg_order_request q = request(HG_TYPE_STOP, HG_SELL, 1);
    q.trigger_price = 59000;
    q.trigger = HG_TRIGGER_LAST;
    uint64_t last = send_request(&r.w, q);
    q.trigger = HG_TRIGGER_INDEX;
    uint64_t index = send_request(&r.w, q);
    tick(&r, 58990); /* the mark: nobody's */
    CHECK_STR(state_of(&r.w, last), "untriggered");
    value_event(&r.w, HG_EV_INDEX, 0, 58990);
    world_answers(&r.w);
    CHECK_STR(state_of(&r.w, index), "filled");
    CHECK_STR(state_of(&r.w, last), "untriggered");
    print(&r.w, PERP, HG_SELL, 58990, 1);
    world_answers(&r.w);
    CHECK_STR(state_of(&r.w, last), "filled");
    world_close(&r.w);
}

TEST(triggers_that_make_no_sense_are_refused) {
    rig r;
    rig_open(&r, 0);
    stop(&r, HG_SELL, 60000, 1);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "trigger_price"); /* would fire at once */
    CHECK_NEAR(r.w.refusal.limit, 60000, 0);
    stop(&r, HG_BUY, 59999, 1);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "trigger_price");
    stop(&r, HG_BUY, NAN, 1);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "trigger_price");
    stop(&r, HG_BUY, -1, 1);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "trigger_price");
    stop(&r, HG_BUY, 61000, 0.00001);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "off_lot"); /* the gate sees it when it is placed */
    stop(&r, HG_BUY, 61000, 1e4);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "value_limit");
    hg_order_request q = request(HG_TYPE_STOP, HG_SELL, 1);
    q.trigger = HG_TRIGGER_LAST;
    q.trigger_price = 59000.00001;
    send_request(&r.w, q);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "off_tick");
    q = request(HG_TYPE_TRAILING, HG_SELL, 1);
    q.trigger = HG_TRIGGER_LAST;
    q.trail = 100;
    send_request(&r.w, q);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "no_price"); /* nothing has traded yet */
    q.trail_fraction = 0.1;
    send_request(&r.w, q);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "trigger_price"); /* one distance, not two */
    CHECK(hg_exec_open_next(r.w.exec, 0, 0) == NULL);
    world_close(&r.w);
}

TEST(a_fired_order_passes_the_gate_again) {
    rig r;
    rig_open(&r, 0);
    uint64_t id = stop(&r, HG_SELL, 59000, 1);
    hg_exec_halt(r.w.exec, "test");
    tick(&r, 58000);
    CHECK_STR(state_of(&r.w, id), "rejected");
    CHECK_STR(reason_of(&r, id), "halted");
    CHECK_EQ(hg_exec_stats_get(r.w.exec)->orders, 0);
    CHECK(hg_exec_open_next(r.w.exec, 0, 0) == NULL);
    world_close(&r.w);
}

TEST(reduce_only_stops_close_no_more_than_there_is) {
    rig r;
    rig_open(&r, 0);
    hg_order_request q = request(HG_TYPE_STOP, HG_SELL, 5);
    q.trigger_price = 59000;
    q.reduce_only = true;
    uint64_t id = send_request(&r.w, q); /* before there is a position */
    CHECK_STR(state_of(&r.w, id), "untriggered");
    send_market(&r.w, PERP, HG_BUY, 2);
    world_answers(&r.w);
    tick(&r, 58990);
    CHECK_STR(state_of(&r.w, id), "filled");
    CHECK_NEAR(filled_of(&r.w, id), 2, 0);
    CHECK_NEAR(position_of(&r.w, PERP), 0, 0);
    q.trigger_price = 58000;
    id = send_request(&r.w, q);
    tick(&r, 57990);
    CHECK_STR(state_of(&r.w, id), "cancelled");
    CHECK_STR(reason_of(&r, id), "reduce_only");
    world_close(&r.w);
}

TEST(equal_stops_are_no_copies_of_each_other) {
    rig r;
    rig_open(&r, 20 * HG_NS_PER_MS);
    send_market(&r.w, PERP, HG_SELL, 1);
    uint64_t a = stop(&r, HG_SELL, 59000, 1);
    uint64_t b = stop(&r, HG_SELL, 59000, 1);
    later(&r.w, 100 * HG_NS_PER_MS);
    tick(&r, 60000);
    tick(&r, 58990);
    later(&r.w, 100 * HG_NS_PER_MS);
    tick(&r, 58990);
    CHECK_STR(state_of(&r.w, a), "filled");
    CHECK_STR(state_of(&r.w, b), "filled");
    CHECK_NEAR(position_of(&r.w, PERP), -3, 0);
    world_close(&r.w);
}

TEST(stop_limits_rest_at_their_limit) {
    rig r;
    rig_open(&r, 0);
    hg_order_request q = request(HG_TYPE_STOP_LIMIT, HG_SELL, 1);
    q.trigger_price = 59000;
    q.price = 59500;
    uint64_t id = send_request(&r.w, q);
    tick(&r, 58990);
    CHECK_STR(state_of(&r.w, id), "working");
    CHECK_NEAR(pending(&r), -1, 0);
    tick(&r, 59600);
    CHECK_STR(state_of(&r.w, id), "filled");
    world_close(&r.w);
}

TEST(trailing_stops_follow_and_never_give_way) {
    rig r;
    rig_open(&r, 0);
    hg_order_request q = request(HG_TYPE_TRAILING, HG_SELL, 1);
    q.trail = 500;
    uint64_t id = send_request(&r.w, q);
    q = request(HG_TYPE_TRAILING, HG_BUY, 1);
    q.trail_fraction = 0.05;
    uint64_t buy = send_request(&r.w, q);
    CHECK_EQ(hg_exec_get(r.w.exec, id)->trigger_price, nano(59500));
    CHECK_EQ(hg_exec_get(r.w.exec, buy)->trigger_price, nano(63000));
    tick(&r, 61000);
    CHECK_EQ(hg_exec_get(r.w.exec, id)->trigger_price, nano(60500));
    tick(&r, 60600);
    CHECK_EQ(hg_exec_get(r.w.exec, id)->trigger_price, nano(60500));
    CHECK_STR(state_of(&r.w, id), "untriggered");
    tick(&r, 60500);
    CHECK_STR(state_of(&r.w, id), "filled");
    tick(&r, 50000);
    CHECK_EQ(hg_exec_get(r.w.exec, buy)->trigger_price, nano(52500));
    tick(&r, 52500);
    CHECK_STR(state_of(&r.w, buy), "filled");
    world_close(&r.w);
}

TEST(waiting_orders_are_amended_and_cancelled_here) {
    rig r;
    rig_open(&r, 50 * HG_NS_PER_MS);
    uint64_t id = stop(&r, HG_SELL, 59000, 1);
    hg_amendment a = {.trigger_price = 58000, .size = 3};
    CHECK_EQ(hg_exec_amend_order(r.w.exec, id, &a, r.w.now_ns, &r.w.refusal), HG_OK);
    world_answers(&r.w);
    CHECK_NEAR(hg_size_to_double(inst_of(&r.w, PERP), hg_exec_get(r.w.exec, id)->size), 3, 0);
    tick(&r, 59000);
    CHECK_STR(state_of(&r.w, id), "untriggered");
    a = (hg_amendment){.trigger_price = 59500};
    CHECK_EQ(hg_exec_amend_order(r.w.exec, id, &a, r.w.now_ns, &r.w.refusal), HG_ERISK);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "trigger_price");
    CHECK_EQ(hg_exec_cancel(r.w.exec, id, r.w.now_ns), HG_OK);
    tick(&r, 50000); /* it cannot fire any more */
    CHECK_STR(state_of(&r.w, id), "cancelled");
    CHECK_STR(reason_of(&r, id), "user");
    CHECK_NEAR(position_of(&r.w, PERP), 0, 0);
    CHECK_STR(r.alarms, "");
    world_close(&r.w);
}

TEST(what_fires_inside_an_update_waits_for_its_end) {
    rig r;
    rig_open(&r, 0);
    uint64_t id = stop(&r, HG_SELL, 59000, 1);
    hg_event e = {.id = PERP, .kind = HG_EV_MARK, .flags = HG_EVF_MORE};
    e.mark.price = nano(58000);
    world_event(&r.w, e);
    CHECK_EQ(hg_exec_due_ns(r.w.exec), INT64_MAX);
    e.flags = 0;
    world_event(&r.w, e);
    world_answers(&r.w);
    CHECK_STR(state_of(&r.w, id), "filled");
    world_close(&r.w);
}

/* --- time ------------------------------------------------------------------------------------- */

TEST(good_till_date_ends_by_the_clock_of_events) {
    rig r;
    rig_open(&r, 10 * HG_NS_PER_MS);
    hg_order_request q = request(HG_TYPE_LIMIT, HG_BUY, 1);
    q.price = 59000;
    q.tif = HG_TIF_GTD;
    q.expires_ns = r.w.now_ns + HG_NS_PER_S;
    uint64_t resting = send_request(&r.w, q);
    q.type = HG_TYPE_STOP;
    q.price = 0;
    q.trigger_price = 61000;
    uint64_t waiting = send_request(&r.w, q);
    q.expires_ns = r.w.now_ns;
    send_request(&r.w, q);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "gtd");
    tick(&r, 60000);
    CHECK_EQ(hg_exec_due_ns(r.w.exec), T0 + HG_NS_PER_MS + HG_NS_PER_S);
    later(&r.w, HG_NS_PER_S);
    tick(&r, 60000);
    CHECK_STR(state_of(&r.w, waiting), "expired");
    CHECK(hg_exec_get(r.w.exec, resting)->cancel_pending);
    later(&r.w, 50 * HG_NS_PER_MS);
    tick(&r, 60000);
    CHECK_STR(state_of(&r.w, resting), "expired");
    CHECK_STR(reason_of(&r, resting), "gtd");
    CHECK_EQ(hg_exec_due_ns(r.w.exec), INT64_MAX);
    world_close(&r.w);
}

TEST(market_orders_do_not_go_beyond_their_protection) {
    rig r;
    rig_open(&r, 0);
    hg_order_request q = request(HG_TYPE_MARKET, HG_BUY, 1);
    q.protection = 60000.5;
    uint64_t id = send_request(&r.w, q);
    world_answers(&r.w);
    CHECK_STR(state_of(&r.w, id), "cancelled"); /* the ask is 60,001 */
    q.protection = 60001;
    id = send_request(&r.w, q);
    world_answers(&r.w);
    CHECK_STR(state_of(&r.w, id), "filled");
    world_close(&r.w);
}

/* --- pairs ------------------------------------------------------------------------------------ */

static void pair(rig *r, uint64_t *take, uint64_t *out) {
    *take = send_limit(&r->w, PERP, HG_SELL, 61000, 1);
    world_answers(&r->w);
    hg_order_request q = request(HG_TYPE_STOP, HG_SELL, 1);
    q.trigger_price = 59000;
    q.oco = *take;
    *out = send_request(&r->w, q);
    CHECK_EQ(r->w.refusal.code, HG_REJECT_NONE);
}

TEST(one_of_a_pair_ends_the_other) {
    rig r;
    uint64_t take, out;
    rig_open(&r, 0);
    pair(&r, &take, &out);
    tick(&r, 61005);
    CHECK_STR(state_of(&r.w, take), "filled");
    CHECK_STR(state_of(&r.w, out), "cancelled");
    CHECK_STR(reason_of(&r, out), "oco");
    tick(&r, 60000);
    pair(&r, &take, &out);
    tick(&r, 58990);
    CHECK_STR(state_of(&r.w, out), "filled");
    CHECK_STR(state_of(&r.w, take), "cancelled");
    CHECK_STR(reason_of(&r, take), "oco");
    tick(&r, 60000);
    pair(&r, &take, &out);
    CHECK_EQ(hg_exec_cancel(r.w.exec, take, r.w.now_ns), HG_OK); /* one closed closes the other */
    world_answers(&r.w);
    CHECK_STR(state_of(&r.w, out), "cancelled");
    CHECK_NEAR(position_of(&r.w, PERP), -2, 0);
    CHECK_STR(r.alarms, "");
    world_close(&r.w);
}

TEST(a_fired_stop_waits_for_the_end_of_its_pair) {
    rig r;
    uint64_t take, out;
    rig_open(&r, 20 * HG_NS_PER_MS);
    pair(&r, &take, &out);
    later(&r.w, 100 * HG_NS_PER_MS);
    tick(&r, 60000);
    tick(&r, 58990);
    CHECK_STR(state_of(&r.w, out), "untriggered"); /* the cancel is on its way */
    CHECK(hg_exec_get(r.w.exec, take)->cancel_pending);
    tick(&r, 61010); /* the take-profit trades before its cancel arrives */
    later(&r.w, 30 * HG_NS_PER_MS);
    tick(&r, 61010);
    later(&r.w, 30 * HG_NS_PER_MS);
    tick(&r, 61010);
    CHECK_STR(state_of(&r.w, take), "filled");
    CHECK_STR(state_of(&r.w, out), "cancelled");
    CHECK_NEAR(position_of(&r.w, PERP), -1, 0); /* once */
    CHECK_STR(r.alarms, "");
    world_close(&r.w);
}

TEST(both_of_a_pair_trading_is_told) {
    rig r;
    rig_open(&r, 20 * HG_NS_PER_MS);
    uint64_t a = send_limit(&r.w, PERP, HG_SELL, 61000, 1);
    hg_order_request q = request(HG_TYPE_LIMIT, HG_BUY, 1);
    q.price = 59000;
    q.oco = a;
    uint64_t b = send_request(&r.w, q);
    later(&r.w, 100 * HG_NS_PER_MS);
    tick(&r, 60000);
    tick(&r, 61010);
    tick(&r, 58990); /* before anybody could know of the first */
    later(&r.w, 100 * HG_NS_PER_MS);
    tick(&r, 60000);
    later(&r.w, 100 * HG_NS_PER_MS);
    tick(&r, 60000);
    CHECK_STR(state_of(&r.w, a), "filled");
    CHECK_STR(state_of(&r.w, b), "filled");
    CHECK_STR(r.alarms, "both_filled ");
    world_close(&r.w);
}

TEST(two_that_only_reduce_may_both_trade) {
    for (int which = 0; which < 4; which++) {
        rig r;
        rig_open(&r, 20 * HG_NS_PER_MS);
        send_market(&r.w, PERP, HG_BUY, 5);
        later(&r.w, 100 * HG_NS_PER_MS);
        tick(&r, 60000);
        hg_order_request q = request(HG_TYPE_LIMIT, HG_SELL, 1);
        q.price = 61000;
        q.reduce_only = which & 1;
        q.oco = send_request(&r.w, q);
        q.price = 61001;
        q.reduce_only = which & 2;
        send_request(&r.w, q);
        later(&r.w, 100 * HG_NS_PER_MS);
        tick(&r, 60000);
        tick(&r, 61010); /* through both */
        later(&r.w, 100 * HG_NS_PER_MS);
        tick(&r, 60000);
        CHECK_NEAR(position_of(&r.w, PERP), 3, 0);
        CHECK_STR(r.alarms, which == 3 ? "" : "both_filled "); /* they close, in parts */
        world_close(&r.w);
    }
}

TEST(pairs_need_two_open_single_orders) {
    rig r;
    uint64_t take, out;
    rig_open(&r, 0);
    pair(&r, &take, &out);
    hg_order_request q = request(HG_TYPE_LIMIT, HG_BUY, 1);
    q.price = 59000;
    q.oco = take;
    send_request(&r.w, q);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "oco");
    q.oco = 12345;
    send_request(&r.w, q);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "oco");
    CHECK_EQ(hg_exec_get(r.w.exec, take)->oco, out);
    world_close(&r.w);
}

/* --- brackets --------------------------------------------------------------------------------- */

static uint64_t bracket(rig *r, double price, double size, double take, double out) {
    hg_bracket plan = {
        .take = {.wanted = true, .type = HG_TYPE_LIMIT, .price = take       },
        .stop = {.wanted = true, .type = HG_TYPE_STOP,  .trigger_price = out}
    };
    hg_order_request q = request(HG_TYPE_LIMIT, HG_BUY, size);
    q.price = price;
    q.bracket = &plan;
    uint64_t id = send_request(&r->w, q);
    CHECK_EQ(r->w.refusal.code, HG_REJECT_NONE);
    world_answers(&r->w);
    return id;
}

static const hg_order *exit_of(const rig *r, uint64_t entry, hg_role role) {
    const hg_order *found = NULL;
    for (uint64_t id = entry + 1; id < entry + 40; id++) {
        const hg_order *order = hg_exec_get(r->w.exec, id);
        if (order && order->parent == entry && order->role == role) {
            found = order;
        }
    }
    return found;
}

static double size_of(const rig *r, const hg_order *order) {
    CHECK(order != NULL);
    return hg_size_to_double(inst_of(&r->w, PERP), order->size);
}

TEST(exits_are_as_large_as_what_the_entry_has_filled) {
    rig r;
    rig_open(&r, 0);
    uint64_t entry = bracket(&r, 59990, 5, 61000, 59000);
    CHECK(exit_of(&r, entry, HG_ROLE_TAKE) == NULL); /* nothing to close yet */
    later(&r.w, HG_NS_PER_MS);
    quote(&r.w, PERP, 59980, 10, 59990, 2);
    world_answers(&r.w);
    CHECK_NEAR(filled_of(&r.w, entry), 2, 0);
    CHECK_NEAR(size_of(&r, exit_of(&r, entry, HG_ROLE_TAKE)), 2, 0);
    CHECK_NEAR(size_of(&r, exit_of(&r, entry, HG_ROLE_STOP)), 2, 0);
    later(&r.w, HG_NS_PER_MS);
    quote(&r.w, PERP, 59980, 10, 59989, 3);
    world_answers(&r.w);
    CHECK_STR(state_of(&r.w, entry), "filled");
    CHECK_NEAR(size_of(&r, exit_of(&r, entry, HG_ROLE_TAKE)), 5, 0);
    CHECK_NEAR(size_of(&r, exit_of(&r, entry, HG_ROLE_STOP)), 5, 0);
    later(&r.w, HG_NS_PER_MS);
    quote(&r.w, PERP, 61000, 3, 61002, 3); /* a part of the profit is taken */
    world_answers(&r.w);
    CHECK_NEAR(position_of(&r.w, PERP), 2, 0);
    CHECK_NEAR(size_of(&r, exit_of(&r, entry, HG_ROLE_STOP)), 2, 0);
    tick(&r, 58990);
    CHECK_NEAR(position_of(&r.w, PERP), 0, 0);
    CHECK_STR(hg_order_state_name(exit_of(&r, entry, HG_ROLE_TAKE)->state), "cancelled");
    CHECK(hg_exec_open_next(r.w.exec, 0, 0) == NULL);
    CHECK_STR(r.alarms, "");
    world_close(&r.w);
}

TEST(a_taken_profit_ends_the_stop) {
    rig r;
    rig_open(&r, 0);
    uint64_t entry = bracket(&r, 60001, 5, 61000, 59000);
    CHECK_STR(state_of(&r.w, entry), "filled");
    tick(&r, 61005);
    CHECK_NEAR(position_of(&r.w, PERP), 0, 0);
    CHECK_STR(hg_reject_code((hg_reject)exit_of(&r, entry, HG_ROLE_STOP)->reject), "oco");
    CHECK(hg_exec_open_next(r.w.exec, 0, 0) == NULL);
    CHECK_STR(r.alarms, "");
    world_close(&r.w);
}

TEST(a_stop_reached_before_it_is_placed_fires_at_once) {
    rig r;
    rig_open(&r, 0);
    uint64_t entry = bracket(&r, 59500, 1, 61000, 59000);
    tick(&r, 58000); /* the entry fills on the way down */
    CHECK_STR(state_of(&r.w, entry), "filled");
    CHECK_NEAR(position_of(&r.w, PERP), 0, 0);
    CHECK(exit_of(&r, entry, HG_ROLE_TAKE) == NULL ||
          exit_of(&r, entry, HG_ROLE_TAKE)->filled == 0);
    CHECK(hg_exec_open_next(r.w.exec, 0, 0) == NULL);
    CHECK_STR(r.alarms, "");
    world_close(&r.w);
}

TEST(an_exit_that_cannot_be_placed_is_told) {
    rig r;
    rig_open(&r, 0);
    bracket(&r, 59990, 1, 61000, 59000);
    hg_exec_halt(r.w.exec, "test");
    tick(&r, 59980);
    CHECK_NEAR(position_of(&r.w, PERP), 1, 0);
    CHECK_STR(r.alarms, "unprotected unprotected ");
    world_close(&r.w);
}

TEST(an_exit_the_strategy_cancels_is_not_placed_again) {
    rig r;
    rig_open(&r, 0);
    uint64_t entry = bracket(&r, 60001, 2, 61000, 59000);
    uint64_t take = exit_of(&r, entry, HG_ROLE_TAKE)->id;
    CHECK_EQ(hg_exec_cancel(r.w.exec, take, r.w.now_ns), HG_OK);
    world_answers(&r.w);
    tick(&r, 61500);
    CHECK_EQ(exit_of(&r, entry, HG_ROLE_TAKE)->id, take);
    CHECK_STR(hg_order_state_name(exit_of(&r, entry, HG_ROLE_STOP)->state), "untriggered");
    tick(&r, 58000);
    CHECK_NEAR(position_of(&r.w, PERP), 0, 0);
    CHECK_STR(r.alarms, "");
    world_close(&r.w);
}

/* --- a venue that has them -------------------------------------------------------------------- */

static void native_open(rig *r, int64_t latency_ns) {
    rig_open(r, latency_ns);
    hg_exec_free(r->w.exec);
    r->w.venue->ops->close(r->w.venue);
    hg_exec_options options = {
        .order_capacity = 4096, .observer = {.context = r, .order = on_order, .alarm = on_alarm}
    };
    hg_paper_options paper = {.fill = HG_FILL_DEPTH,
                              .latency = hg_latency_constant(latency_ns),
                              .rules = {.native = HG_VENUE_TRIGGER | HG_VENUE_TRAILING}};
    world_trade(&r->w, &paper, &options);
}

TEST(a_venue_with_triggers_keeps_them_itself) {
    rig r;
    native_open(&r, 20 * HG_NS_PER_MS);
    uint64_t id = stop(&r, HG_SELL, 59000, 2);
    CHECK_STR(state_of(&r.w, id), "sent");
    later(&r.w, 100 * HG_NS_PER_MS);
    tick(&r, 60000);
    CHECK_STR(state_of(&r.w, id), "untriggered");
    CHECK(!hg_exec_get(r.w.exec, id)->emulated);
    CHECK_NEAR(pending(&r), 0, 0);
    tick(&r, 59000); /* it fires there; we hear of it later */
    CHECK_STR(state_of(&r.w, id), "untriggered");
    later(&r.w, 100 * HG_NS_PER_MS);
    tick(&r, 59000);
    CHECK_STR(state_of(&r.w, id), "filled");
    CHECK(hg_exec_get(r.w.exec, id)->triggered);
    CHECK_NEAR(hg_exec_average_price(r.w.exec, hg_exec_get(r.w.exec, id)), 58999, 1e-9);
    CHECK_STR(r.alarms, "");
    world_close(&r.w);
}

TEST(orders_that_wait_at_the_venue_are_amended_and_cancelled_there) {
    rig r;
    native_open(&r, 0);
    hg_order_request q = request(HG_TYPE_TRAILING, HG_SELL, 1);
    q.trail = 500;
    uint64_t id = send_request(&r.w, q);
    world_answers(&r.w);
    hg_amendment a = {.trail = 1000};
    CHECK_EQ(hg_exec_amend_order(r.w.exec, id, &a, r.w.now_ns, &r.w.refusal), HG_OK);
    world_answers(&r.w);
    tick(&r, 59400);
    CHECK_STR(state_of(&r.w, id), "untriggered");
    tick(&r, 59000);
    CHECK_STR(state_of(&r.w, id), "filled");
    tick(&r, 60000);
    id = stop(&r, HG_SELL, 59000, 1);
    world_answers(&r.w);
    CHECK_EQ(hg_exec_cancel(r.w.exec, id, r.w.now_ns), HG_OK);
    tick(&r, 50000);
    CHECK_STR(state_of(&r.w, id), "cancelled");
    q.trail = 0;
    q.trail_fraction = 0.01; /* by a fraction: not at this venue */
    id = send_request(&r.w, q);
    CHECK(hg_exec_get(r.w.exec, id)->emulated);
    CHECK_STR(state_of(&r.w, id), "untriggered");
    CHECK_STR(r.alarms, "");
    world_close(&r.w);
}

TEST(a_lost_trigger_order_counts_in_full) {
    rig r;
    native_open(&r, 0);
    uint64_t id = stop(&r, HG_SELL, 59000, 2);
    world_answers(&r.w);
    CHECK_NEAR(pending(&r), 0, 0);
    hg_exec_lost(r.w.exec, id, r.w.now_ns); /* it may have fired since */
    CHECK_STR(state_of(&r.w, id), "unknown");
    CHECK_NEAR(pending(&r), -2, 0);
    tick(&r, 58000);
    CHECK_STR(state_of(&r.w, id), "filled");
    world_close(&r.w);
}

/* Fills that shrink the position while a reduce-only stop is on its way to a venue that keeps it.
 */
TEST(a_reduce_only_stop_may_be_on_its_way_while_the_position_shrinks) {
    rig r;
    native_open(&r, 20 * HG_NS_PER_MS);
    send_market(&r.w, PERP, HG_BUY, 3);
    later(&r.w, 100 * HG_NS_PER_MS);
    tick(&r, 60000);
    send_market(&r.w, PERP, HG_SELL, 2);
    later(&r.w, 30 * HG_NS_PER_MS);
    hg_order_request q = request(HG_TYPE_STOP, HG_SELL, 3);
    q.trigger_price = 59000;
    q.reduce_only = true;
    uint64_t id = send_request(&r.w, q);
    q.type = HG_TYPE_STOP_LIMIT;
    q.price = 58500;
    q.trigger_price = 58600;
    uint64_t limit = send_request(&r.w, q);
    CHECK_STR(state_of(&r.w, id), "sent");
    tick(&r, 60000);
    later(&r.w, 100 * HG_NS_PER_MS);
    tick(&r, 60000);
    CHECK_NEAR(position_of(&r.w, PERP), 1, 0);
    for (int i = 0; i < 5; i++) {
        later(&r.w, 100 * HG_NS_PER_MS);
        tick(&r, 58900 - 100 * i);
    }
    CHECK_NEAR(position_of(&r.w, PERP), 0, 0);
    CHECK(hg_order_state_done((hg_order_state)hg_exec_get(r.w.exec, id)->state));
    CHECK_NEAR(filled_of(&r.w, id) + filled_of(&r.w, limit), 1, 0);
    world_close(&r.w);
}

/* A plain amendment of an order that waits at the venue changes its size, not what it waits for. */
TEST(a_waiting_order_keeps_its_trigger_when_its_size_is_amended) {
    rig r;
    native_open(&r, 0);
    uint64_t id = stop(&r, HG_SELL, 59000, 3);
    world_answers(&r.w);
    const hg_order *order = hg_exec_get(r.w.exec, id);
    CHECK_EQ(r.w.venue->ops->amend(r.w.venue, order, ticks(&r.w, PERP, 59000), lots(&r.w, PERP, 2),
                                   r.w.now_ns),
             HG_OK);
    world_answers(&r.w);
    CHECK_STR(state_of(&r.w, id), "untriggered");
    tick(&r, 58990);
    CHECK_NEAR(position_of(&r.w, PERP), -2, 0);
    world_close(&r.w);
}

TEST(a_request_that_comes_too_late_is_not_taken) {
    rig r;
    rig_open(&r, 20 * HG_NS_PER_MS);
    hg_order_request q = request(HG_TYPE_LIMIT, HG_BUY, 1);
    q.price = 59000;
    q.valid_until_ns = r.w.now_ns + 10 * HG_NS_PER_MS;
    uint64_t late = send_request(&r.w, q);
    q.valid_until_ns = r.w.now_ns + 30 * HG_NS_PER_MS;
    uint64_t good = send_request(&r.w, q);
    later(&r.w, 100 * HG_NS_PER_MS);
    tick(&r, 60000);
    CHECK_STR(state_of(&r.w, late), "rejected");
    CHECK_STR(reason_of(&r, late), "timed_out");
    CHECK_STR(state_of(&r.w, good), "working");
    world_close(&r.w);
}

/* From 10 s on the venue cannot be reached for 20 s; the price falls through the stop at 15 s. */
static void through_a_cut(bool native, const char *faults) {
    rig r;
    hg_paper_options paper = {.fill = HG_FILL_DEPTH,
                              .rules = {.native = native ? HG_VENUE_TRIGGER : 0}};
    rig_open(&r, 0);
    CHECK_EQ(hg_faults_parse(faults, &paper.faults), HG_OK);
    hg_exec_free(r.w.exec);
    r.w.venue->ops->close(r.w.venue);
    world_trade(&r.w, &paper,
                &(hg_exec_options){
                    .order_capacity = 4096, .observer = {.context = &r, .alarm = on_alarm}
    });
    send_market(&r.w, PERP, HG_BUY, 2);
    uint64_t id = stop(&r, HG_SELL, 59000, 2);
    world_answers(&r.w);
    CHECK_STR(state_of(&r.w, id), "untriggered");
    CHECK_EQ(hg_exec_get(r.w.exec, id)->emulated, !native);
    for (int i = 1; i < 350; i++) {
        later(&r.w, 100 * HG_NS_PER_MS);
        hg_exec_clock(r.w.exec, r.w.now_ns);
        tick(&r, i < 150 ? 60000 : 58900);
        if (i == 250) { /* it has fired at the venue, or is to be sent */
            double there = hg_size_to_double(inst_of(&r.w, PERP), hg_paper_held(r.w.venue, PERP));
            CHECK_NEAR(there, native ? 0 : 2, 0);
            CHECK_NEAR(position_of(&r.w, PERP), 2, 0); /* nobody could tell us */
        }
    }
    CHECK_STR(state_of(&r.w, id), "filled");
    CHECK_NEAR(position_of(&r.w, PERP), 0, 0);
    world_close(&r.w);
}

TEST(a_stop_at_the_venue_is_alive_after_a_cut_and_fires_in_it) {
    through_a_cut(true, "cut=10s+20s");
}

TEST(an_emulated_stop_that_fires_in_an_outage_is_sent_until_it_is_taken) {
    through_a_cut(false, "cut=10s+20s");
    through_a_cut(false, "down=10s+20s");
}

TEST(a_stop_that_waits_to_be_sent_again_can_be_cancelled) {
    rig r;
    hg_paper_options paper = {.fill = HG_FILL_DEPTH};
    rig_open(&r, 0);
    CHECK_EQ(hg_faults_parse("busy=100%", &paper.faults), HG_OK);
    hg_exec_free(r.w.exec);
    r.w.venue->ops->close(r.w.venue);
    world_trade(&r.w, &paper, NULL);
    uint64_t id = stop(&r, HG_SELL, 59000, 2);
    tick(&r, 58900);
    CHECK_STR(state_of(&r.w, id), "untriggered");
    CHECK_EQ(hg_exec_get(r.w.exec, id)->reject, HG_REJECT_NONE);
    CHECK_EQ(hg_exec_cancel(r.w.exec, id, r.w.now_ns), HG_OK);
    world_answers(&r.w);
    CHECK_STR(state_of(&r.w, id), "cancelled");
    for (int i = 0; i < 30; i++) {
        later(&r.w, 100 * HG_NS_PER_MS);
        hg_exec_clock(r.w.exec, r.w.now_ns);
        tick(&r, 58900);
    }
    CHECK_EQ(hg_exec_stats_get(r.w.exec)->orders, 1);
    CHECK(hg_exec_open_next(r.w.exec, 0, 0) == NULL);
    world_close(&r.w);
}
