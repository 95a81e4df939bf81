/* Who closes what when a strategy trades by hand beside its brackets: exact lots, case by case. And
 * what brackets make of events that come late. */
#include "exec/exec_int.h"
#include "test_exec_kit.h"

#include <string.h>

typedef struct rig {
    world w;
    uint32_t perp, eth;
    uint32_t count; /* brackets */
} rig;

static void open_rig(rig *r) {
    *r = (rig){0};
    world_init(&r->w);
    r->perp = world_add(&r->w, "BTC-PERPETUAL");
    r->eth = world_add(&r->w, "ETH-PERPETUAL");
    world_open(&r->w, NULL);
    world_trade(&r->w, NULL, NULL);
    quote(&r->w, r->perp, 60000, 1000, 60010, 1000);
    quote(&r->w, r->eth, 3000, 1000, 3001, 1000);
}

/* A bracket that has bought and closed so many lots; its entry is over. */
static hg_bracket_state *bracket(rig *r, uint16_t strategy, uint32_t id, hg_side side,
                                 uint64_t entry, hg_lots bought, hg_lots closed) {
    hg_bracket_state *b = &r->w.exec->brackets[r->count++];
    r->w.exec->bracket_count = r->count;
    *b = (hg_bracket_state){.entry = entry, .bought = bought, .closed = closed, .used = true};
    b->strategy = strategy;
    b->instrument = id;
    b->side = (int8_t)side;
    b->entry_done = true;
    return b;
}

/* A bracket whose entry rests with so many lots. */
static hg_bracket_state *waiting(rig *r, uint16_t strategy, uint32_t id, hg_side side,
                                 double size) {
    double price = (id == r->perp ? 59000 : 2900) + (side == HG_SELL ? 2000 : 0);
    uint64_t entry = send_limit(&r->w, id, side, price, size);
    CHECK(entry != 0);
    hg_bracket_state *b = bracket(r, strategy, id, side, entry, 0, 0);
    b->entry_done = false;
    return b;
}

static hg_besides *besides_of(rig *r, uint16_t strategy, uint32_t id) {
    return &r->w.exec->besides[(size_t)id * HG_STRATEGIES_MAX + strategy];
}

/* A trade by hand; returns the lots that closed nothing and were not kept. */
static hg_lots trade(rig *r, uint16_t strategy, uint32_t id, hg_side side, hg_lots lots,
                     bool reduce_only) {
    hg_order order = {.strategy = strategy, .instrument = id, .side = (int8_t)side};
    order.reduce_only = reduce_only;
    return hg_by_hand(r->w.exec, &order, lots);
}

TEST(what_is_left_of_a_bracket) {
    hg_bracket_state b = {.bought = 5, .closed = 2};
    CHECK_EQ(hg_bracket_left(&b), 3);
    b.closed = 7; /* an exit that overtook the entry's fill */
    CHECK_EQ(hg_bracket_left(&b), 0);
}

TEST(a_trade_closes_its_own_strategys_bracket_only) {
    rig r;
    open_rig(&r);
    hg_bracket_state *mine = bracket(&r, 1, r.perp, HG_BUY, 10, 8, 1);
    hg_bracket_state *theirs = bracket(&r, 2, r.perp, HG_BUY, 5, 8, 0);
    hg_bracket_state *other = bracket(&r, 1, r.eth, HG_BUY, 6, 8, 0);
    hg_bracket_state *same_side = bracket(&r, 1, r.perp, HG_SELL, 7, 8, 0);
    hg_bracket_state *over = bracket(&r, 1, r.perp, HG_BUY, 4, 8, 0);
    over->used = false;
    CHECK_EQ(trade(&r, 1, r.perp, HG_SELL, 5, false), 0);
    CHECK_EQ(mine->closed, 6);
    CHECK(mine->by_hand);
    CHECK_EQ(theirs->closed + other->closed + same_side->closed + over->closed, 0);
    CHECK(!theirs->by_hand && !other->by_hand && !same_side->by_hand);
    CHECK_EQ(trade(&r, 1, r.perp, HG_SELL, 5, false), 3); /* 2 were left, 3 open a short */
    CHECK_EQ(mine->closed, 8);
    CHECK_EQ(besides_of(&r, 1, r.perp)->lots, -3);
    CHECK_EQ(besides_of(&r, 2, r.perp)->lots, 0);
    world_close(&r.w);
}

TEST(the_oldest_bracket_is_closed_first) {
    rig r;
    open_rig(&r);
    hg_bracket_state *b = bracket(&r, 1, r.perp, HG_SELL, 30, 4, 0);
    hg_bracket_state *a = bracket(&r, 1, r.perp, HG_SELL, 10, 4, 0);
    hg_bracket_state *c = bracket(&r, 1, r.perp, HG_SELL, 20, 4, 4); /* nothing left */
    CHECK_EQ(trade(&r, 1, r.perp, HG_BUY, 5, true), 0);
    CHECK_EQ(a->closed, 4);
    CHECK_EQ(b->closed, 1);
    CHECK_EQ(c->closed, 4);
    CHECK(!c->by_hand);
    world_close(&r.w);
}

/* Long 3 besides: a sale of 5 takes these first. Short 3 besides: a sale adds to it, unless it only
 * reduces. */
TEST(what_is_held_besides_goes_first) {
    rig r;
    open_rig(&r);
    hg_bracket_state *b = bracket(&r, 1, r.perp, HG_BUY, 10, 8, 0);
    hg_by_hand_add(r.w.exec, 1, r.perp, 3);
    CHECK_EQ(trade(&r, 1, r.perp, HG_SELL, 5, false), 0);
    CHECK_EQ(besides_of(&r, 1, r.perp)->lots, 0);
    CHECK_EQ(b->closed, 2);
    hg_by_hand_add(r.w.exec, 1, r.perp, -3);
    CHECK_EQ(trade(&r, 1, r.perp, HG_SELL, 2, false), 2);
    CHECK_EQ(besides_of(&r, 1, r.perp)->lots, -5);
    CHECK_EQ(b->closed, 2);
    CHECK_EQ(trade(&r, 1, r.perp, HG_SELL, 2, true), 0);
    CHECK_EQ(besides_of(&r, 1, r.perp)->lots, -5);
    CHECK_EQ(b->closed, 4);
    world_close(&r.w);
}

TEST(trades_of_no_strategy_close_what_the_account_lacks) {
    rig r;
    open_rig(&r);
    hg_bracket_state *a = bracket(&r, 1, r.perp, HG_BUY, 10, 8, 0);
    hg_bracket_state *b = bracket(&r, 2, r.perp, HG_BUY, 20, 8, 0);
    hg_bracket_state *eth = bracket(&r, 2, r.eth, HG_BUY, 5, 8, 0);
    hg_bracket_state *sold = bracket(&r, 2, r.perp, HG_SELL, 6, 4, 0);
    hg_bracket_state *over = bracket(&r, 2, r.perp, HG_BUY, 7, 8, 0);
    over->used = false;
    send_market(&r.w, r.perp, HG_BUY,
                100); /* the account is 10 lots long, 6 less than they close */
    world_answers(&r.w);
    CHECK_EQ(hg_portfolio_get(r.w.portfolio, r.perp)->lots, 10);
    CHECK_EQ(trade(&r, HG_STRATEGIES_MAX, r.perp, HG_SELL, 20, false), 20); /* whose? */
    CHECK_EQ(trade(&r, HG_STRATEGY_ANY, r.perp, HG_SELL, 20, false), 14);
    CHECK_EQ(a->closed, 6);
    CHECK_EQ(b->closed + eth->closed + sold->closed + over->closed, 0);
    CHECK_EQ(trade(&r, HG_STRATEGY_ANY, r.perp, HG_SELL, 20, false), 20); /* no more is missing */
    CHECK_EQ(besides_of(&r, 0, r.eth)->lots, 0); /* the place after the last strategy's */
    hg_by_hand_add(r.w.exec, HG_STRATEGIES_MAX, r.perp, 9);
    CHECK_EQ(besides_of(&r, 0, r.eth)->lots, 0);
    hg_by_hand_add(r.w.exec, HG_STRATEGIES_MAX - 1, r.perp, 9);
    CHECK_EQ(besides_of(&r, HG_STRATEGIES_MAX - 1, r.perp)->lots, 9);
    world_close(&r.w);
}

/* A reduce-only trade that finds nothing to close was told before the fill it closes: as many lots
 * are kept for it as entries of its own on the other side may still have filled. */
TEST(closed_before_the_entry_was_told) {
    rig r;
    open_rig(&r);
    hg_bracket_state *b = waiting(&r, 1, r.perp, HG_BUY, 60);
    waiting(&r, 2, r.perp, HG_BUY, 50);
    waiting(&r, 1, r.eth, HG_BUY, 50);
    waiting(&r, 1, r.perp, HG_SELL, 50);
    hg_bracket_state *done = waiting(&r, 1, r.perp, HG_BUY, 50);
    done->entry_done = true;
    hg_bracket_state *over = waiting(&r, 1, r.perp, HG_BUY, 50);
    over->used = false;
    CHECK_EQ(trade(&r, 1, r.perp, HG_SELL, 4, false), 4); /* a plain sale is a short */
    hg_by_hand_add(r.w.exec, 1, r.perp, 4);
    CHECK_EQ(trade(&r, 1, r.perp, HG_SELL, 4, true), 0);
    CHECK_EQ(besides_of(&r, 1, r.perp)->before, -4);
    CHECK_EQ(trade(&r, 1, r.perp, HG_SELL, 5, true), 3); /* 6 may come, 4 are kept already */
    CHECK_EQ(besides_of(&r, 1, r.perp)->before, -6);
    CHECK_EQ(besides_of(&r, 1, r.perp)->lots, -3);
    CHECK_EQ(trade(&r, 1, r.perp, HG_SELL, 1, true), 1);
    hg_by_hand_opened(r.w.exec, b, 2);
    CHECK_EQ(b->bought, 2);
    CHECK_EQ(b->closed, 2);
    CHECK_EQ(besides_of(&r, 1, r.perp)->before, -4);
    hg_by_hand_entered(r.w.exec, b); /* an entry may still trade: nothing is settled */
    CHECK_EQ(besides_of(&r, 1, r.perp)->before, -4);
    b->entry_done = true;
    hg_by_hand_entered(r.w.exec, b); /* none may: what was kept is a short after all */
    CHECK_EQ(besides_of(&r, 1, r.perp)->before, 0);
    CHECK_EQ(besides_of(&r, 1, r.perp)->lots, -8);
    hg_by_hand_opened(r.w.exec, b, 4);
    CHECK_EQ(b->closed, 2);
    world_close(&r.w);
}

TEST(delivery_closes_everything_of_its_instrument) {
    rig r;
    open_rig(&r);
    hg_bracket_state *a = bracket(&r, 1, r.perp, HG_BUY, 10, 8, 1);
    hg_bracket_state *b = bracket(&r, 1, r.eth, HG_BUY, 11, 8, 1);
    hg_bracket_state *over = bracket(&r, 1, r.perp, HG_BUY, 12, 8, 1);
    over->used = false;
    hg_by_hand_add(r.w.exec, 0, r.perp, 3);
    hg_by_hand_add(r.w.exec, HG_STRATEGIES_MAX - 1, r.perp, 3);
    hg_by_hand_add(r.w.exec, 0, r.eth, 3);
    hg_by_hand_delivered(r.w.exec, r.perp);
    CHECK_EQ(a->closed, 8);
    CHECK_EQ(b->closed, 1);
    CHECK_EQ(over->closed, 1);
    CHECK_EQ(besides_of(&r, 0, r.perp)->lots, 0);
    CHECK_EQ(besides_of(&r, HG_STRATEGIES_MAX - 1, r.perp)->lots, 0);
    CHECK_EQ(besides_of(&r, 0, r.eth)->lots, 3);
    world_close(&r.w);
}

/* --- what comes late (linked.c) --------------------------------------------------------------- */

/* An order of the last bracket made, and the event it has had. */
static void after(rig *r, hg_role role, uint64_t id, uint64_t parent, hg_event_kind kind,
                  hg_reject code, hg_lots size) {
    hg_slot slot = {.bracket = (uint16_t)r->count};
    slot.order = (hg_order){.id = id, .parent = parent, .instrument = r->perp, .strategy = 1};
    slot.order.side = role == HG_ROLE_ENTRY ? HG_BUY : HG_SELL;
    slot.order.role = (uint8_t)role;
    slot.order.state = kind == HG_EV_CANCELLED  ? HG_ORDER_CANCELLED
                       : kind == HG_EV_REJECTED ? HG_ORDER_REJECTED
                                                : HG_ORDER_WORKING;
    slot.order.reject = (uint16_t)code;
    hg_event event = {.kind = (uint8_t)kind, .time_ns = r->w.now_ns};
    event.order.size = size;
    event.order.code = (uint16_t)code;
    hg_linked_after(r->w.exec, &slot, &event);
}

TEST(a_late_fill_of_a_bracket_that_is_over_is_held_besides) {
    rig r;
    open_rig(&r);
    hg_bracket_state *b = bracket(&r, 1, r.perp, HG_BUY, 77, 8, 8);
    b->used = false;
    after(&r, HG_ROLE_ENTRY, 77, 0, HG_EV_FILL, HG_REJECT_NONE, 5);
    CHECK_EQ(besides_of(&r, 1, r.perp)->lots, 5);
    after(&r, HG_ROLE_ENTRY, 77, 0, HG_EV_ACK, HG_REJECT_NONE, 5);
    CHECK_EQ(besides_of(&r, 1, r.perp)->lots, 5);
    CHECK_EQ(b->bought, 8);
    b->used = true; /* its place has another bracket now */
    b->entry_done = false;
    after(&r, HG_ROLE_TAKE, 70, 69, HG_EV_FILL, HG_REJECT_NONE, 2);
    after(&r, HG_ROLE_ENTRY, 69, 0, HG_EV_FILL, HG_REJECT_NONE, 1);
    CHECK_EQ(besides_of(&r, 1, r.perp)->lots, 4);
    CHECK_EQ(b->bought, 8);
    CHECK_EQ(b->closed, 8);
    world_close(&r.w);
}

/* What the venue has cut is not looked at again at once: it may know of more fills than we do. */
TEST(a_bracket_waits_after_a_cut) {
    rig r;
    open_rig(&r);
    hg_bracket_state *b = bracket(&r, 1, r.perp, HG_BUY, 77, 8, 8);
    after(&r, HG_ROLE_TAKE, 78, 77, HG_EV_ACK, HG_REJECT_REDUCE_ONLY, 5);
    CHECK(b->used);
    after(&r, HG_ROLE_TAKE, 78, 77, HG_EV_ACK, HG_REJECT_NONE, 5);
    CHECK(!b->used);
    world_close(&r.w);
}

TEST(the_clock_looks_at_living_brackets_only) {
    rig r;
    open_rig(&r);
    hg_bracket_state *over = bracket(&r, 1, r.perp, HG_BUY, 77, 8, 8);
    over->used = false;
    over->again = true;
    hg_bracket_state *calm = bracket(&r, 1, r.perp, HG_BUY, 78, 8, 8);
    hg_bracket_state *again = bracket(&r, 1, r.perp, HG_BUY, 79, 8, 8);
    again->again = true;
    hg_linked_clock(r.w.exec, r.w.now_ns);
    CHECK(over->again);
    CHECK(calm->used);
    CHECK(!again->again && !again->used);
    world_close(&r.w);
}

/* An exit that ends by nobody's wish leaves a position without protection: that is an alarm. */
TEST(an_exit_that_is_gone_is_told) {
    static const struct {
        hg_event_kind kind;
        hg_reject code;
        uint64_t alarms;
    } cases[] = {
        {HG_EV_CANCELLED, HG_REJECT_USER,     0},
        {HG_EV_CANCELLED, HG_REJECT_STRATEGY, 1},
        {HG_EV_REJECTED,  HG_REJECT_USER,     1}
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig r;
        open_rig(&r);
        hg_bracket_state *b = bracket(&r, 1, r.perp, HG_BUY, 77, 8, 0);
        b->take = 78;
        b->stop_off = true;
        after(&r, HG_ROLE_TAKE, 78, 77, cases[i].kind, cases[i].code, 0);
        CHECK(b->take_off && b->take == 0);
        CHECK_EQ(hg_exec_stats_get(r.w.exec)->alarms, cases[i].alarms);
        world_close(&r.w);
    }
}

TEST(a_bracket_the_wrong_way_round_is_told_which_way_it_goes) {
    rig r;
    open_rig(&r);
    for (int side = -1; side <= 1; side += 2) {
        hg_bracket plan = {
            .take = {.wanted = true, .type = HG_TYPE_LIMIT, .price = 60000 - side * 1000        },
            .stop = {.wanted = true, .type = HG_TYPE_STOP,  .trigger_price = 60000 + side * 1000}
        };
        hg_order_request q = {.instrument = r.perp, .side = (hg_side)side, .type = HG_TYPE_MARKET};
        q.size = 100;
        q.bracket = &plan;
        send_request(&r.w, q);
        CHECK_EQ(r.w.refusal.code, HG_REJECT_TRIGGER_PRICE);
        CHECK(strstr(r.w.refusal.text, side == HG_BUY ? "above its stop" : "below its stop"));
    }
    world_close(&r.w);
}
