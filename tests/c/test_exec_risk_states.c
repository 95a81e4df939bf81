/* States of the gate: what worsens them, what still passes, and that only the operator betters
 * them. */
#include "test_exec_risk_kit.h"

static hg_limit_extra extra;

static const char *session_state(const world *w) {
    return hg_risk_state_name(hg_risk_session(w->exec, NULL));
}

static const char *strategy_state(const world *w, uint16_t strategy) {
    return hg_risk_state_name(hg_risk_strategy(w->exec, strategy, NULL));
}

static const char *underlying_state(const world *w, uint32_t underlying) {
    return hg_risk_state_name(hg_risk_underlying(w->exec, underlying, w->now_ns, NULL));
}

/* A second later, with everything as fresh as before. */
static void tick(world *w, double spot) {
    later(w, HG_NS_PER_S);
    market_moves(w, spot);
    hg_exec_clock(w->exec, w->now_ns);
}

/* --- 15: reducing ----------------------------------------------------------------------------- */

static void reduce(world *w) { /* by a loss of exactly the limit: 1 coin, 1,000 USD lower */
    take(w, LINEAR, HG_BUY, 1);
    tick(w, 60000);
    tick(w, 59000);
    CHECK_STR(session_state(w), "reducing");
}

TEST(reducing_by_exposure) {
    world w;
    open_world(&w, (hg_limits){.loss_reduce_usd = 1000});
    reduce(&w); /* one coin long */
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 58900, 0.0001), "reducing");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 1), "");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 2), "");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 2.0001), "reducing"); /* |-1.0001| > |1| */
    CHECK_STR(verdict(&w, PERP, HG_SELL, 59100, 59000), "");        /* opens, and lowers delta */
    CHECK_STR(verdict(&w, ETH, HG_SELL, 3010, 1), "reducing");      /* nothing there to lower */
    CHECK_STR(verdict(&w, CALL, HG_SELL, 0, 1), "reducing");        /* short gamma is new risk */
    uint64_t id = rest(&w, PERP, HG_SELL, 60000, 29500);            /* half of it may fill */
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 1), "");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 1.0001), "reducing");
    hg_exec_lost(w.exec, id, w.now_ns);
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 1.0001), "reducing");
    world_close(&w);
}

TEST(reducing_a_short_gamma_book) {
    world w;
    risk_world(&w, (hg_limits){.loss_reduce_usd = 1});
    CHECK_EQ(hg_portfolio_open(w.portfolio, CALL, lots(&w, CALL, -10), 0), HG_OK);
    market_moves(&w, 60000);
    double delta = hg_portfolio_exposure(w.portfolio, 0, w.now_ns)->delta;
    CHECK(delta < -1);
    later(&w, HG_NS_PER_S);
    market_moves(&w, 60000);
    mark(&w, CALL, 0.11, 0.55);
    hg_exec_clock(w.exec, w.now_ns);
    CHECK_STR(session_state(&w), "reducing");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59900, 5), ""); /* opens a future: that is the hedge */
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 60100, 1), "reducing");
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0, 1), "");
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0, 19.9), "");
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0, 20.1), "reducing"); /* long more than it was short */
    CHECK_STR(verdict(&w, PUT, HG_BUY, 0, 1), "reducing");     /* less gamma, but more delta */
    CHECK_STR(verdict(&w, CALL, HG_SELL, 0, 1), "reducing");
    world_close(&w);
}

TEST(reducing_a_long_gamma_book) {
    world w;
    risk_world(&w, (hg_limits){.loss_reduce_usd = 1});
    CHECK_EQ(hg_portfolio_open(w.portfolio, CALL, lots(&w, CALL, 10), 0), HG_OK);
    market_moves(&w, 60000);
    later(&w, HG_NS_PER_S);
    market_moves(&w, 60000);
    mark(&w, CALL, 0.09, 0.45);
    hg_exec_clock(w.exec, w.now_ns);
    CHECK_STR(session_state(&w), "reducing");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 60100, 5), ""); /* its gamma stays as it is */
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59900, 1), "reducing");
    CHECK_STR(verdict(&w, CALL, HG_SELL, 0, 19.9), "");
    CHECK_STR(verdict(&w, CALL, HG_SELL, 0, 20.1), "reducing");
    CHECK_STR(verdict(&w, CALL, HG_BUY, 0, 1), "reducing");
    world_close(&w);
}

TEST(reducing_by_position) {
    world w;
    hg_limits limits = {.loss_reduce_usd = 1000};
    CHECK_EQ(hg_limits_set(&limits, &extra, "reduce_mode", "position"), HG_OK);
    open_world(&w, limits);
    reduce(&w);
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 1), "");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 1.0001), "reducing");
    CHECK_STR(verdict(&w, PERP, HG_SELL, 59100, 10), "reducing"); /* another instrument */
    uint64_t id = rest(&w, LINEAR, HG_SELL, 60000, 0.4);
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 0.6), "");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 0.6001), "reducing");
    hg_exec_lost(w.exec, id, w.now_ns);
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 0.6001), "reducing");
    world_close(&w);
}

/* --- 14: loss, drawdown, blindness ------------------------------------------------------------ */

TEST(loss_of_the_day) {
    world w;
    open_world(&w, (hg_limits){.loss_reduce_usd = 1000, .loss_halt_usd = 2000});
    take(&w, LINEAR, HG_BUY, 1); /* at 60,001: one dollar of it is lost at once */
    tick(&w, 60000);
    CHECK_STR(session_state(&w), "active");
    tick(&w, 59001.5);
    CHECK_STR(session_state(&w), "active"); /* 999.50 */
    tick(&w, 59001);
    CHECK_STR(session_state(&w), "reducing"); /* 1,000 */
    tick(&w, 60500);
    CHECK_STR(session_state(&w), "reducing"); /* it stays */
    tick(&w, 58001.5);
    CHECK_STR(session_state(&w), "reducing");
    uint64_t id = rest(&w, LINEAR, HG_SELL, 61000, 1);
    tick(&w, 58001);
    CHECK_STR(session_state(&w), "halted");
    world_answers(&w);
    CHECK_STR(state_of(&w, id), "cancelled");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 1), "halted");
    hg_risk_arm(w.exec, HG_STRATEGY_ANY, "me", w.now_ns);
    tick(&w, 57002);
    CHECK_STR(session_state(&w), "active"); /* 999 since it was re-armed */
    tick(&w, 57001);
    CHECK_STR(session_state(&w), "reducing");
    world_close(&w);
}

TEST(drawdown_from_the_peak_of_the_day) {
    world w;
    open_world(&w, (hg_limits){.drawdown_reduce_usd = 1000, .drawdown_halt_usd = 2000});
    take(&w, LINEAR, HG_BUY, 1);
    tick(&w, 63000);
    tick(&w, 62000.5);
    CHECK_STR(session_state(&w), "active");
    tick(&w, 62000);
    CHECK_STR(session_state(&w), "reducing");
    tick(&w, 61000.5);
    CHECK_STR(session_state(&w), "reducing");
    tick(&w, 61000);
    CHECK_STR(session_state(&w), "halted");
    world_close(&w);
}

TEST(a_new_day_counts_anew) {
    world w;
    open_world(&w, (hg_limits){.loss_reduce_usd = 1000, .drawdown_reduce_usd = 1000});
    take(&w, LINEAR, HG_BUY, 1);
    tick(&w, 60000);
    tick(&w, 59100);
    w.now_ns = (w.now_ns / (86400 * HG_NS_PER_S) + 1) * 86400 * HG_NS_PER_S - HG_NS_PER_S;
    tick(&w, 59100);
    tick(&w, 58200);
    CHECK_STR(session_state(&w), "active");
    tick(&w, 58100);
    CHECK_STR(session_state(&w), "reducing");
    world_close(&w);
}

TEST(without_fresh_marks_a_loss_is_unknown) {
    world w;
    open_world(&w, (hg_limits){.blind_ns = 60 * HG_NS_PER_S});
    take(&w, LINEAR, HG_BUY, 1);
    tick(&w, 60000);
    later(&w, 31 * HG_NS_PER_S); /* prices are stale by now */
    hg_exec_clock(w.exec, w.now_ns);
    later(&w, 60 * HG_NS_PER_S - 1);
    hg_exec_clock(w.exec, w.now_ns);
    CHECK_STR(session_state(&w), "active");
    later(&w, HG_NS_PER_S + 1);
    hg_exec_clock(w.exec, w.now_ns);
    CHECK_STR(session_state(&w), "reducing");
    tick(&w, 60000); /* this one state betters itself */
    CHECK_STR(session_state(&w), "active");
    world_close(&w);
    open_world(&w, (hg_limits){.blind_ns = 60 * HG_NS_PER_S});
    take(&w, LINEAR, HG_BUY, 1);
    later(&w, 31 * HG_NS_PER_S);
    hg_exec_clock(w.exec, w.now_ns);
    later(&w, 60 * HG_NS_PER_S); /* just at the limit */
    hg_exec_clock(w.exec, w.now_ns);
    CHECK_STR(session_state(&w), "reducing");
    world_close(&w);
}

/* --- 16: kill --------------------------------------------------------------------------------- */

typedef struct {
    int count;
    hg_risk_event last;
} heard;

static void on_risk(void *context, const hg_risk_event *event) {
    heard *h = context;
    h->count++;
    h->last = *event;
}

TEST(kill_levels_latch_until_armed) {
    world w;
    heard h = {0};
    world_init(&w);
    world_add(&w, "BTC_USDC-PERPETUAL");
    world_open(&w, NULL);
    hg_exec_options options = {.order_capacity = 1024};
    options.observer = (hg_exec_observer){.context = &h, .risk = on_risk};
    world_trade(&w, NULL, &options);
    hg_exec_strategy(w.exec, 0, "alpha");
    hg_exec_strategy(w.exec, 1, "beta");
    quote(&w, LINEAR, 59999, 100, 60001, 100);
    mark(&w, LINEAR, 60000, 0);
    uint64_t first = rest(&w, LINEAR, HG_BUY, 58000, 1);
    hg_order_request r = request(LINEAR, HG_BUY, 57000, 1);
    r.strategy = 1;
    uint64_t second = send_request(&w, r);
    world_answers(&w);

    CHECK_EQ(hg_risk_kill(w.exec, HG_KILL_PAUSE, 1, "odd", w.now_ns), 1);
    CHECK_STR(strategy_state(&w, 1), "paused");
    CHECK_STR(strategy_state(&w, 0), "active");
    CHECK(hg_exec_get(w.exec, second)->cancel_pending);
    CHECK(!hg_exec_get(w.exec, first)->cancel_pending);
    CHECK_STR(verdict_of(&w, r), "paused");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 57000, 1), "");
    CHECK(h.count == 1 && h.last.strategy == 1 && h.last.to == HG_RISK_PAUSED);
    CHECK_EQ(h.last.code, HG_REJECT_OPERATOR);
    CHECK_EQ(hg_risk_kill(w.exec, HG_KILL_PAUSE, 1, "again", w.now_ns), 0);
    CHECK_EQ(h.count, 1);

    CHECK_EQ(hg_risk_kill(w.exec, HG_KILL_HALT, HG_STRATEGY_ANY, "lunch", w.now_ns), 0);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 57000, 1), "halted");
    CHECK(strstr(w.refusal.text, "lunch") != NULL);
    CHECK(!hg_exec_get(w.exec, first)->cancel_pending);
    CHECK_EQ(hg_risk_kill(w.exec, HG_KILL_CANCEL, HG_STRATEGY_ANY, "fire", w.now_ns), 1);
    CHECK(hg_exec_get(w.exec, first)->cancel_pending);
    CHECK_EQ(hg_risk_kill(w.exec, HG_KILL_HALT, HG_STRATEGY_ANY, "less", w.now_ns), 0);
    CHECK_EQ(h.count, 3);
    CHECK(hg_risk_event_get(w.exec, 3)->to == HG_RISK_HALTED);
    CHECK(hg_risk_event_get(w.exec, 4) == NULL && hg_risk_event_get(w.exec, 0) == NULL);

    hg_risk_arm(w.exec, 1, "me", w.now_ns); /* that strategy only */
    CHECK_STR(strategy_state(&w, 1), "active");
    CHECK_STR(session_state(&w), "halted");
    hg_risk_arm(w.exec, HG_STRATEGY_ANY, "me", w.now_ns);
    CHECK_STR(session_state(&w), "active");
    CHECK_STR(verdict_of(&w, r), "");
    CHECK(h.last.to == HG_RISK_ACTIVE && h.last.code == HG_REJECT_NONE);
    world_close(&w);
}

TEST(a_halt_cancels_until_it_is_proven) {
    world w;
    open_world(&w, (hg_limits){0});
    uint64_t id = rest(&w, LINEAR, HG_BUY, 58000, 1);
    hg_risk_kill(w.exec, HG_KILL_CANCEL, HG_STRATEGY_ANY, "test", w.now_ns);
    hg_event lost; /* the answer never arrives */
    CHECK(w.venue->ops->next(w.venue, &lost) && lost.kind == HG_EV_CANCELLED);
    CHECK_STR(state_of(&w, id), "working");
    hg_exec_clock(w.exec, w.now_ns);
    CHECK(w.venue->ops->due_ns(w.venue) <= w.now_ns); /* asked again */
    world_close(&w);
}

TEST(flatten_closes_everything) {
    world w;
    open_world(&w, (hg_limits){0});
    take(&w, LINEAR, HG_BUY, 3);
    take(&w, PERP, HG_SELL, 60000);
    take(&w, CALL, HG_SELL, 5);
    rest(&w, LINEAR, HG_SELL, 61000, 2);
    hg_risk_kill(w.exec, HG_KILL_FLATTEN, HG_STRATEGY_ANY, "test", w.now_ns);
    for (int i = 0; i < 12; i++) { /* what was working stands in the way until it is cancelled */
        world_answers(&w);
        tick(&w, 60000);
    }
    world_answers(&w);
    CHECK_NEAR(position_of(&w, LINEAR), 0, 0);
    CHECK_NEAR(position_of(&w, PERP), 0, 0);
    CHECK_NEAR(position_of(&w, CALL), 0, 0);
    CHECK_STR(session_state(&w), "halted");
    uint64_t sent = hg_exec_stats_get(w.exec)->orders;
    for (int i = 0; i < 12; i++) {
        tick(&w, 60000);
    }
    CHECK_EQ(hg_exec_stats_get(w.exec)->orders, sent); /* and then it is done */
    world_close(&w);
}

/* --- 8: rate ---------------------------------------------------------------------------------- */

TEST(rate_of_one_strategy) {
    world w;
    open_world(&w, (hg_limits){.strategy_orders_per_second = 5});
    hg_order_request r = request(LINEAR, HG_BUY, 58000, 0.001);
    for (int i = 0; i < 20; i++) {
        send_request(&w, r);
        CHECK_STR(hg_reject_code(w.refusal.code), "");
    }
    send_request(&w, r);
    CHECK_STR(hg_reject_code(w.refusal.code), "rate");
    CHECK_NEAR(w.refusal.limit, 5, 0);
    r.strategy = 1;
    send_request(&w, r);
    CHECK_STR(hg_reject_code(w.refusal.code), "");
    world_close(&w);
}

TEST(a_fifth_of_the_messages_is_kept_for_cancels) {
    world w;
    open_world(&w, (hg_limits){.messages_per_second = 10, .orders_per_second = 1000});
    uint64_t ids[32];
    for (int i = 0; i < 32; i++) { /* 40, less 8 */
        ids[i] = rest(&w, LINEAR, HG_BUY, 58000, 0.001);
    }
    send_limit(&w, LINEAR, HG_BUY, 58000, 0.001);
    CHECK_STR(hg_reject_code(w.refusal.code), "rate");
    for (int i = 0; i < 8; i++) {
        CHECK_EQ(hg_exec_cancel(w.exec, ids[i], w.now_ns), HG_OK);
    }
    CHECK_EQ(hg_exec_cancel(w.exec, ids[8], w.now_ns), HG_ELIMIT);
    hg_risk_kill(w.exec, HG_KILL_CANCEL, HG_STRATEGY_ANY, "test", w.now_ns); /* no rate holds it */
    CHECK(hg_exec_get(w.exec, ids[31])->cancel_pending);
    world_close(&w);
}

TEST(three_seconds_over_the_rate_pause) {
    world w;
    open_world(&w, (hg_limits){.strategy_orders_per_second = 1});
    int64_t start = w.now_ns;
    for (int second = 0; second < 3; second++) {
        w.now_ns = start + second * HG_NS_PER_S;
        market_moves(&w, 60000);
        CHECK_STR(strategy_state(&w, 0), "active");
        for (int i = 0; i < 6; i++) {
            send_limit(&w, LINEAR, HG_BUY, 58000, 0.001);
        }
    }
    CHECK_STR(strategy_state(&w, 0), "paused");
    world_close(&w);
    open_world(&w, (hg_limits){.strategy_orders_per_second = 1});
    for (int second = 0; second < 9; second++) { /* every other second only */
        w.now_ns = start + second * 2 * HG_NS_PER_S;
        market_moves(&w, 60000);
        for (int i = 0; i < 6; i++) {
            send_limit(&w, LINEAR, HG_BUY, 58000, 0.001);
        }
    }
    CHECK_STR(strategy_state(&w, 0), "active");
    world_close(&w);
}

TEST(a_storm_of_refusals_pauses) {
    world w;
    open_world(&w, (hg_limits){.refusals_per_second = 10});
    for (int i = 0; i < 9; i++) {
        send_limit(&w, LINEAR, HG_BUY, 58000, NAN);
    }
    later(&w, HG_NS_PER_S);
    for (int i = 0; i < 9; i++) {
        send_limit(&w, LINEAR, HG_BUY, 58000, NAN);
    }
    CHECK_STR(strategy_state(&w, 0), "active");
    send_limit(&w, LINEAR, HG_BUY, 58000, NAN);
    CHECK_STR(strategy_state(&w, 0), "paused");
    CHECK_EQ(hg_exec_stats_get(w.exec)->refused_by[HG_REJECT_NOT_FINITE], 19);
    world_close(&w);
}

/* Who sends again in the answer is stopped by the 10th; a refused order for each of many ticks of
 * one instant, or a second later, is no chain. */
TEST(what_is_sent_at_a_refusal_and_refused_at_once_pauses) {
    world w;
    open_world(&w, (hg_limits){.refusals_at_once = 10});
    for (int i = 0; i < 40; i++) {
        quote(&w, LINEAR, 59999, 100, 60001, 100);
        send_limit(&w, LINEAR, HG_BUY, 58000, NAN);
        CHECK_EQ(world_answers(&w), 1);
    }
    CHECK_STR(strategy_state(&w, 0), "active");
    later(&w, HG_NS_PER_S);
    for (int i = 0; i < 40; i++) {
        send_limit(&w, LINEAR, HG_BUY, 58000, NAN);
    }
    CHECK_EQ(world_answers(&w), 40);
    CHECK_STR(strategy_state(&w, 0), "active");
    for (int i = 0; i < 9; i++) {
        send_limit(&w, LINEAR, HG_BUY, 58000, NAN);
        CHECK_EQ(world_answers(&w), 1);
    }
    CHECK_STR(strategy_state(&w, 0), "active");
    send_limit(&w, LINEAR, HG_BUY, 58000, NAN);
    const char *why = "";
    CHECK_EQ(hg_risk_strategy(w.exec, 0, &why), HG_RISK_PAUSED);
    CHECK_STR(why, "sends again at each refusal, the last one for not_finite");
    world_close(&w);
}

/* --- 9: repeated execution -------------------------------------------------------------------- */

TEST(repeated_orders_on_one_side_pause) {
    world w;
    open_world(&w, (hg_limits){.repeated_orders = 3, .repeated_window_ns = 10 * HG_NS_PER_S});
    take(&w, LINEAR, HG_BUY, 1);
    later(&w, HG_NS_PER_S);
    take(&w, LINEAR, HG_BUY, 1);
    take(&w, LINEAR, HG_BUY, 1);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 0, 1), "repeat");
    CHECK_STR(verdict(&w, LINEAR, HG_SELL, 0, 1), "");
    CHECK_STR(verdict(&w, ETH, HG_BUY, 0, 1), "");
    later(&w, 9 * HG_NS_PER_S - 1);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 0, 1), "repeat");
    later(&w, 1); /* the first has left the window */
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 0, 1), "");
    take(&w, LINEAR, HG_BUY, 1);
    CHECK_STR(strategy_state(&w, 0), "active");
    send_market(&w, LINEAR, HG_BUY, 1);
    CHECK_STR(hg_reject_code(w.refusal.code), "repeat");
    CHECK_STR(strategy_state(&w, 0), "paused");
    CHECK_STR(strategy_state(&w, 1), "active");
    world_close(&w);
}

TEST(orders_under_way_count_when_they_fill) {
    world w;
    open_world(&w, (hg_limits){.repeated_orders = 2});
    for (int i = 0; i < 3; i++) {
        send_market(&w, LINEAR, HG_BUY, 1 + i);
        CHECK_STR(hg_reject_code(w.refusal.code), "");
    }
    world_answers(&w);
    CHECK_STR(strategy_state(&w, 0), "paused");
    world_close(&w);
    open_world(&w, (hg_limits){.repeated_orders = 3});
    for (int i = 0; i < 3; i++) {
        send_market(&w, LINEAR, HG_BUY, 1 + i);
    }
    world_answers(&w);
    CHECK_STR(strategy_state(&w, 0), "active");
    world_close(&w);
}

TEST(repeats_whose_fate_is_unknown_count_where_they_belong) {
    static const struct {
        uint32_t id;
        hg_side side;
        uint16_t strategy;
        bool lost;
        const char *says;
    } others[] = {
        {LINEAR, HG_BUY,  0, true,  "repeat"},
        {LINEAR, HG_SELL, 0, true,  ""      },
        {LINEAR, HG_BUY,  1, true,  ""      },
        {PERP,   HG_BUY,  0, true,  ""      },
        {LINEAR, HG_BUY,  0, false, ""      }, /* it rests: we would have heard */
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        world w;
        open_world(&w, (hg_limits){.repeated_orders = 2});
        for (int k = 0; k < 2; k++) {
            hg_order_request r = request(others[i].id, others[i].side,
                                         others[i].side == HG_BUY ? 59000 : 61000, 100 + 100 * k);
            r.strategy = others[i].strategy;
            uint64_t id = send_request(&w, r);
            CHECK_STR(hg_reject_code(w.refusal.code), "");
            world_answers(&w);
            if (others[i].lost) {
                hg_exec_lost(w.exec, id, w.now_ns);
            }
        }
        world_answers(&w);
        CHECK_STR(verdict(&w, LINEAR, HG_BUY, 0, 1), others[i].says);
        world_close(&w);
    }
    world w;
    open_world(&w, (hg_limits){.repeated_orders = 2});
    hg_event half = {
        .time_ns = w.now_ns, .id = LINEAR, .kind = HG_EV_FILL, .side = HG_BUY, .order.trade = 900};
    half.order.id = rest(&w, LINEAR, HG_BUY, 59000, 2);
    half.order.price = ticks(&w, LINEAR, 59000);
    half.order.size = lots(&w, LINEAR, 1);
    CHECK(hg_exec_apply(w.exec, &half) != NULL);
    hg_exec_lost(w.exec, half.order.id, w.now_ns);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 0, 1), ""); /* counted once */
    world_close(&w);
}

/* --- 10: convergence -------------------------------------------------------------------------- */

/* Ten coins long, before any hedge. */
static void long_world(world *w, hg_limits limits) {
    risk_world(w, limits);
    CHECK_EQ(hg_portfolio_open(w->portfolio, PERP, lots(w, PERP, 600000), 0), HG_OK);
    market_moves(w, 60000);
}

TEST(hedging_twice_pauses) {
    world w;
    long_world(&w, (hg_limits){.hedge_overshoot = 1.5});
    send_market(&w, LINEAR, HG_SELL, 10);
    send_market(&w, LINEAR, HG_SELL, 5); /* 15 of 10: just what is borne */
    world_answers(&w);
    CHECK_STR(strategy_state(&w, 0), "active");
    world_close(&w);
    long_world(&w, (hg_limits){.hedge_overshoot = 1.5});
    send_market(&w, LINEAR, HG_SELL, 10);
    send_market(&w, LINEAR, HG_SELL, 5.0002);
    world_answers(&w);
    CHECK_STR(strategy_state(&w, 0), "paused");
    world_close(&w);
}

TEST(a_market_that_moves_needs_more_hedges) {
    world w;
    long_world(&w, (hg_limits){.hedge_overshoot = 1.01, .hedge_window_ns = 1000 * HG_NS_PER_S});
    double spot = 60000;
    for (int i = 0; i < 40; i++) { /* an inverse contract is worth more coins as the price falls */
        double delta = hg_portfolio_exposure(w.portfolio, 0, w.now_ns)->delta;
        double size = floor(fabs(delta) * 10000) / 10000;
        if (size > 0) {
            take(&w, LINEAR, delta > 0 ? HG_SELL : HG_BUY, size);
        }
        spot *= i % 2 ? 1.08 : 0.93;
        tick(&w, floor(spot));
        CHECK_STR(strategy_state(&w, 0), "active");
    }
    world_close(&w);
}

/* Two strategies hedge the same ten coins, beta a moment earlier; alpha ends on the other side. */
static void both_hedge(world *w, double past) {
    double held = hg_portfolio_exposure(w->portfolio, 0, w->now_ns)->delta_filled;
    hg_order_request r = request(LINEAR, held > 0 ? HG_SELL : HG_BUY, 0, 5);
    r.strategy = 1;
    send_request(w, r);
    r.strategy = 0;
    r.size = floor((2 * fabs(held) - 5 + past) * 10000 + 0.5) / 10000;
    send_request(w, r);
    CHECK_STR(hg_reject_code(w->refusal.code), "");
    world_answers(w);
}

TEST(hedges_that_leave_the_exposure_pause) {
    world w;
    hg_limits limits = {.hedge_tries = 2, .hedge_overshoot = 1000};
    long_world(&w, limits);
    both_hedge(&w, 0);
    CHECK_STR(strategy_state(&w, 0), "active");
    both_hedge(&w, 0); /* ten coins long again: equal is not lower */
    CHECK_STR(strategy_state(&w, 0), "paused");
    CHECK_STR(strategy_state(&w, 1), "active");
    world_close(&w);
    long_world(&w, limits);
    both_hedge(&w, 0);
    both_hedge(&w, -0.0001); /* it is lower: counted from the start again */
    both_hedge(&w, 0);
    CHECK_STR(strategy_state(&w, 0), "active");
    both_hedge(&w, 0);
    CHECK_STR(strategy_state(&w, 0), "paused");
    world_close(&w);
}

/* --- 19: bursts ------------------------------------------------------------------------------- */

TEST(a_burst_of_delta_freezes_the_underlying) {
    world w;
    open_world(&w, (hg_limits){.burst_delta_coins = 5,
                               .burst_window_ns = 10 * HG_NS_PER_S,
                               .burst_freeze_ns = 30 * HG_NS_PER_S});
    uint64_t id = rest(&w, PERP, HG_BUY, 58000, 10);
    take(&w, LINEAR, HG_BUY, 3);
    take(&w, LINEAR, HG_SELL, 2); /* bought and sold count alike */
    CHECK_STR(underlying_state(&w, 0), "active");
    later(&w, 10 * HG_NS_PER_S); /* they have left the window */
    market_moves(&w, 60000);
    take(&w, LINEAR, HG_BUY, 5);
    CHECK_STR(underlying_state(&w, 0), "active");
    take(&w, LINEAR, HG_SELL, 0.0001);
    CHECK_STR(underlying_state(&w, 0), "frozen");
    CHECK_STR(state_of(&w, id), "cancelled");
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "frozen");
    CHECK_STR(verdict(&w, CALL, HG_SELL, 0, 1), "frozen");
    CHECK_STR(verdict(&w, ETH, HG_BUY, 2990, 1), "");
    later(&w, 30 * HG_NS_PER_S - 1);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "frozen");
    later(&w, 1);
    market_moves(&w, 60000);
    CHECK_STR(verdict(&w, LINEAR, HG_BUY, 59000, 1), "");
    hg_exec_clock(w.exec, w.now_ns);
    CHECK_STR(underlying_state(&w, 0), "active");
    world_close(&w);
}

TEST(a_burst_of_vega_freezes_until_armed) {
    world w;
    open_world(&w, (hg_limits){0});
    double vega = unit_of(&w, CALL, 1).vega;
    world_close(&w);
    open_world(&w, (hg_limits){.burst_vega_usd_per_point = 3.0001 * vega, .burst_freeze_ns = -1});
    take(&w, CALL, HG_BUY, 2);
    take(&w, CALL, HG_SELL, 1);
    CHECK_STR(underlying_state(&w, 0), "active");
    take(&w, CALL, HG_SELL, 0.1);
    CHECK_STR(underlying_state(&w, 0), "frozen");
    later(&w, 100000 * HG_NS_PER_S);
    hg_exec_clock(w.exec, w.now_ns);
    CHECK_STR(underlying_state(&w, 0), "frozen");
    hg_risk_arm(w.exec, HG_STRATEGY_ANY, "me", w.now_ns);
    CHECK_STR(underlying_state(&w, 0), "active");
    world_close(&w);
}

/* --- 17 and 18, and what is told -------------------------------------------------------------- */

TEST(orders_must_not_outlive_us) {
    hg_limits limits = {0};
    CHECK_EQ(hg_risk_protected(&limits, true), HG_OK);
    CHECK_EQ(hg_risk_protected(&limits, false), HG_EVENUE);
    CHECK_EQ(hg_limits_set(&limits, &extra, "allow_no_cod", "false"), HG_OK);
    CHECK_EQ(hg_risk_protected(&limits, false), HG_EVENUE);
    CHECK_EQ(hg_limits_set(&limits, &extra, "allow_no_cod", "true"), HG_OK);
    CHECK_EQ(hg_risk_protected(&limits, false), HG_OK);
    hg_dead_man timer = {.timeout_ns = 30 * HG_NS_PER_S};
    CHECK(hg_dead_man_due(&timer, T0));
    CHECK(!hg_dead_man_due(&timer, T0 + 10 * HG_NS_PER_S - 1));
    CHECK(hg_dead_man_due(&timer, T0 + 10 * HG_NS_PER_S));
    timer = (hg_dead_man){0};
    CHECK(!hg_dead_man_due(&timer, T0));
}

TEST(refusals_are_kept_for_those_who_ask) {
    world w;
    open_world(&w, (hg_limits){0});
    uint64_t first = send_limit(&w, LINEAR, HG_BUY, 58000, NAN);
    CHECK_EQ(hg_exec_refusal(w.exec, first)->code, HG_REJECT_NOT_FINITE);
    CHECK(hg_exec_refusal(w.exec, first + 1) == NULL && hg_exec_refusal(w.exec, 0) == NULL);
    uint64_t which = 0;
    CHECK(hg_exec_refusal_back(w.exec, 0, &which) != NULL && which == first);
    CHECK(hg_exec_refusal_back(w.exec, 1, &which) == NULL && which == first);
    for (int i = 0; i < 1024; i++) {
        send_limit(&w, LINEAR, HG_BUY, 58000, -1);
    }
    CHECK(hg_exec_refusal(w.exec, first) == NULL);
    CHECK_EQ(hg_exec_refusal(w.exec, first + 1)->code, HG_REJECT_SIZE_ZERO);
    CHECK(hg_exec_refusal_back(w.exec, 1024, &which) == NULL);
    world_close(&w);
}

TEST(what_is_used_of_the_limits) {
    world w;
    open_world(&w, (hg_limits){0});
    take(&w, LINEAR, HG_BUY, 2);
    rest(&w, PERP, HG_SELL, 61000, 300000);
    rest(&w, CALL, HG_BUY, 0.09, 1);
    hg_risk_use use;
    hg_risk_totals totals;
    hg_risk_use_underlying(w.exec, 0, w.now_ns, &use);
    hg_risk_use_session(w.exec, 0, w.now_ns, &totals);
    hg_unit call = unit_of(&w, CALL, 1);
    CHECK(use.known);
    CHECK_NEAR(use.delta, fmax(3, 2 + call.delta), 1e-9);
    CHECK_NEAR(use.vega, call.vega, 1e-9);
    CHECK_NEAR(use.burst_delta, 2, 1e-9);
    CHECK_NEAR(totals.open_notional, 360000, 1e-6);
    CHECK_NEAR(totals.gross_notional, 480000, 1e-6);
    CHECK_EQ(totals.open_orders, 2);
    world_close(&w);
}
