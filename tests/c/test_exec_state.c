/* The order state machine behind a venue that says whatever the test wants. */
#include "base/log.h"
#include "base/rng.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A venue that only counts. */
typedef struct {
    hg_venue venue;
    int submits, cancels, amends;
    int result; /* of every request */
} mute_venue;

static int mute_submit(hg_venue *v, const hg_order *order, int64_t now_ns) {
    mute_venue *m = (mute_venue *)v;
    CHECK(order->state == HG_ORDER_SENT && now_ns > 0);
    m->submits += m->result == 0;
    return m->result;
}

static int mute_cancel(hg_venue *v, const hg_order *order, int64_t now_ns) {
    mute_venue *m = (mute_venue *)v;
    CHECK(order->cancel_pending && now_ns > 0);
    m->cancels += m->result == 0;
    return m->result;
}

static int mute_amend(hg_venue *v, const hg_order *order, hg_ticks price, hg_lots size,
                      int64_t now_ns) {
    mute_venue *m = (mute_venue *)v;
    CHECK(order->size > 0 && price > 0 && size > 0 && now_ns > 0);
    m->amends += m->result == 0;
    return m->result;
}

static const hg_venue_ops mute_ops = {
    .name = "mute", .submit = mute_submit, .cancel = mute_cancel, .amend = mute_amend};

typedef struct {
    int orders, fills;
    char states[400];
} change_log;

static void on_order(void *context, const hg_order *order) {
    change_log *log = context;
    log->orders++;
    size_t used = strlen(log->states);
    if (used + 24 < sizeof log->states) {
        snprintf(log->states + used, sizeof log->states - used, "%s ",
                 hg_order_state_name((hg_order_state)order->state));
    }
}

static void on_fill(void *context, const hg_order *order, const hg_event *fill) {
    change_log *log = context;
    CHECK(order->filled >= fill->order.size);
    log->fills++;
}

typedef struct {
    world w;
    mute_venue venue;
    change_log log;
    uint32_t perp;
} rig;

static void rig_open(rig *r) {
    *r = (rig){.venue = {.venue = {.ops = &mute_ops}}};
    world_init(&r->w);
    r->perp = world_add(&r->w, "BTC_USDC-PERPETUAL");
    world_open(&r->w, NULL);
    /* The venue lies here; the guards that would stop a real session stay out of the way. */
    hg_limits limits = {.repeated_window_ns = 1, .hedge_overshoot = 1e9, .hedge_tries = 1000000};
    hg_exec_options options = {.limits = limits, .order_capacity = 64};
    options.observer = (hg_exec_observer){.context = &r->log, .order = on_order, .fill = on_fill};
    r->w.exec = hg_exec_new(r->w.market, r->w.portfolio, &r->venue.venue, &options);
    CHECK(r->w.exec != NULL);
    quote(&r->w, r->perp, 59999, 10, 60001, 10);
    mark(&r->w, r->perp, 60000, 0);
}

static void rig_close(rig *r) {
    world_close(&r->w);
}

static hg_event answer(const rig *r, hg_event_kind kind, uint64_t id) {
    hg_event e = {.time_ns = r->w.now_ns, .id = r->perp, .kind = (uint8_t)kind};
    e.order.id = id;
    return e;
}

static const hg_order *tell(rig *r, hg_event_kind kind, uint64_t id) {
    hg_event e = answer(r, kind, id);
    return hg_exec_apply(r->w.exec, &e);
}

static const hg_order *tell_fill(rig *r, uint64_t id, uint64_t trade, double size) {
    hg_event e = answer(r, HG_EV_FILL, id);
    e.order.trade = trade;
    e.order.price = ticks(&r->w, r->perp, 60000);
    e.order.size = lots(&r->w, r->perp, size);
    e.order.fee = 7;
    return hg_exec_apply(r->w.exec, &e);
}

static double delta_pending(const rig *r) {
    const hg_position *pos = hg_portfolio_get(r->w.portfolio, r->perp);
    return hg_size_to_double(inst_of(&r->w, r->perp), pos->pending_buy - pos->pending_sell);
}

/* --- permutations ----------------------------------------------------------------------------- */

static void tell_kth(rig *r, int k, uint64_t id) {
    switch (k) {
    case 0:
        tell(r, HG_EV_ACK, id);
        break;
    case 1:
    case 2: /* told twice */
        tell_fill(r, id, 101, 1);
        break;
    case 3:
        tell_fill(r, id, 102, 2);
        break;
    default:
        tell(r, HG_EV_CANCELLED, id);
    }
}

/* All orders of five answers; `size` decides whether both fills complete the order. */
static int permute(rig *r, double size, const char *end) {
    int count = 0;
    for (int code = 0; code < 5 * 5 * 5 * 5 * 5; code++) {
        int k[5] = {code % 5, code / 5 % 5, code / 25 % 5, code / 125 % 5, code / 625};
        int mask = 0;
        for (int i = 0; i < 5; i++) {
            mask |= 1 << k[i];
        }
        if (mask != 31) {
            continue;
        }
        rig_close(r);
        rig_open(r);
        uint64_t id = send_limit(&r->w, r->perp, HG_BUY, 59000, size);
        hg_lots filled = 0;
        for (int i = 0; i < 5; i++) {
            tell_kth(r, k[i], id);
            CHECK(hg_exec_get(r->w.exec, id)->filled >= filled); /* never falls */
            filled = hg_exec_get(r->w.exec, id)->filled;
        }
        CHECK_NEAR(position_of(&r->w, r->perp), 3, 0);
        CHECK_NEAR(filled_of(&r->w, id), 3, 0);
        CHECK_STR(state_of(&r->w, id), end);
        CHECK_NEAR(delta_pending(r), 0, 0);
        CHECK_EQ(hg_portfolio_get(r->w.portfolio, r->perp)->fees, 14);
        CHECK_EQ(hg_exec_stats_get(r->w.exec)->fills, 2);
        CHECK_EQ(r->log.fills, 2);
        CHECK(hg_exec_open_next(r->w.exec, 0, 0) == NULL);
        count++;
    }
    return count;
}

TEST(all_permutations_end_in_the_same_position) {
    rig r;
    rig_open(&r);
    CHECK_EQ(permute(&r, 3, "filled"), 120);
    CHECK_EQ(permute(&r, 5, "cancelled"), 120);
    rig_close(&r);
}

/* --- states ----------------------------------------------------------------------------------- */

TEST(every_change_is_told) {
    rig r;
    rig_open(&r);
    uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
    tell(&r, HG_EV_ACK, id);
    CHECK(tell(&r, HG_EV_ACK, id) == NULL);
    tell_fill(&r, id, 1, 1);
    CHECK(tell_fill(&r, id, 1, 1) == NULL);
    tell_fill(&r, id, 2, 2);
    CHECK_STR(r.log.states, "sent working partial filled ");
    CHECK_EQ(hg_exec_stats_get(r.w.exec)->duplicates, 1);
    CHECK_NEAR(hg_exec_average_price(r.w.exec, hg_exec_get(r.w.exec, id)), 60000, 1e-9);
    rig_close(&r);
}

TEST(a_fill_may_come_before_its_ack) {
    rig r;
    rig_open(&r);
    uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
    tell_fill(&r, id, 1, 1);
    CHECK_STR(state_of(&r.w, id), "partial");
    CHECK(tell(&r, HG_EV_ACK, id) == NULL);
    CHECK_STR(state_of(&r.w, id), "partial");
    CHECK_NEAR(delta_pending(&r), 2, 0);
    rig_close(&r);
}

TEST(late_fills_are_booked_with_an_alarm) {
    rig r;
    rig_open(&r);
    hg_event_kind ends[] = {HG_EV_CANCELLED, HG_EV_EXPIRED, HG_EV_REJECTED};
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
        tell(&r, ends[i], id);
        CHECK(tell_fill(&r, id, 10 + i, 1) != NULL);
        CHECK_NEAR(filled_of(&r.w, id), 1, 0);
        CHECK_EQ(hg_exec_stats_get(r.w.exec)->late, i + 1);
    }
    CHECK_NEAR(position_of(&r.w, r.perp), 3, 0);
    CHECK_NEAR(delta_pending(&r), 0, 0);
    rig_close(&r);
}

TEST(more_than_was_asked_for_is_booked_with_an_alarm) {
    rig r;
    rig_open(&r);
    uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 1);
    tell_fill(&r, id, 1, 2);
    CHECK_STR(state_of(&r.w, id), "filled");
    CHECK_NEAR(position_of(&r.w, r.perp), 2, 0);
    CHECK_NEAR(delta_pending(&r), 0, 0);
    CHECK_EQ(hg_exec_stats_get(r.w.exec)->alarms, 1);
    rig_close(&r);
}

TEST(nonsense_changes_nothing) {
    rig r;
    rig_open(&r);
    uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 1);
    CHECK(tell(&r, HG_EV_ACK, id + 1) == NULL);
    CHECK(tell(&r, HG_EV_ACK, 0) == NULL);
    CHECK(tell_fill(&r, 12345, 1, 1) == NULL);
    hg_event e = answer(&r, HG_EV_FILL, id);
    e.order.trade = 5;
    e.order.price = 1;
    e.order.size = -4;
    CHECK(hg_exec_apply(r.w.exec, &e) == NULL);
    e.order.size = 1;
    e.id = 77; /* another instrument */
    CHECK(hg_exec_apply(r.w.exec, &e) == NULL);
    e.kind = HG_EV_QUOTE;
    CHECK(hg_exec_apply(r.w.exec, &e) == NULL);
    tell(&r, HG_EV_ACK, id);
    CHECK(tell(&r, HG_EV_REJECTED, id) == NULL); /* nothing had been asked */
    CHECK_STR(state_of(&r.w, id), "working");
    CHECK_NEAR(position_of(&r.w, r.perp), 0, 0);
    CHECK(hg_exec_stats_get(r.w.exec)->alarms >= 5);
    rig_close(&r);
}

TEST(unknown_orders_count_until_proven) {
    rig r;
    rig_open(&r);
    uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
    hg_exec_lost(r.w.exec, id, r.w.now_ns);
    CHECK_STR(state_of(&r.w, id), "unknown");
    CHECK_NEAR(delta_pending(&r), 3, 0);
    CHECK(hg_exec_open_next(r.w.exec, 0, 0) != NULL);
    tell_fill(&r, id, 1, 1);
    CHECK_STR(state_of(&r.w, id), "partial");
    hg_exec_lost(r.w.exec, id, r.w.now_ns);
    tell(&r, HG_EV_ACK, id);
    CHECK_STR(state_of(&r.w, id), "partial");
    hg_exec_lost(r.w.exec, id, r.w.now_ns);
    tell(&r, HG_EV_CANCELLED, id);
    CHECK_NEAR(delta_pending(&r), 0, 0);
    hg_exec_lost(r.w.exec, id, r.w.now_ns); /* an end is an end */
    CHECK_STR(state_of(&r.w, id), "cancelled");
    rig_close(&r);
}

TEST(a_venue_that_does_not_take_an_order_leaves_no_trace_in_exposure) {
    rig r;
    rig_open(&r);
    r.venue.result = HG_ELIMIT;
    uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
    CHECK_EQ(r.w.refusal.code, HG_REJECT_CAPACITY);
    CHECK_STR(state_of(&r.w, id), "rejected");
    CHECK_NEAR(delta_pending(&r), 0, 0);
    CHECK_EQ(hg_exec_stats_get(r.w.exec)->orders, 0);
    CHECK(tell_fill(&r, id, 1, 1) == NULL); /* it cannot have traded */
    rig_close(&r);
}

/* --- cancel and amend ------------------------------------------------------------------------- */

TEST(cancels_are_asked_once) {
    rig r;
    rig_open(&r);
    uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
    tell(&r, HG_EV_ACK, id);
    CHECK_EQ(hg_exec_cancel(r.w.exec, id, r.w.now_ns), HG_OK);
    CHECK_EQ(hg_exec_cancel(r.w.exec, id, r.w.now_ns), HG_OK);
    CHECK_EQ(r.venue.cancels, 1);
    CHECK_NEAR(delta_pending(&r), 3, 0); /* still open until the venue says otherwise */
    tell(&r, HG_EV_REJECTED, id);        /* the cancel was refused */
    CHECK_STR(state_of(&r.w, id), "working");
    CHECK_EQ(hg_exec_cancel(r.w.exec, id, r.w.now_ns), HG_OK);
    CHECK_EQ(r.venue.cancels, 2);
    tell(&r, HG_EV_CANCELLED, id);
    CHECK_EQ(hg_exec_cancel(r.w.exec, id, r.w.now_ns), HG_ESTATE);
    CHECK_EQ(hg_exec_cancel(r.w.exec, 999, r.w.now_ns), HG_ENOTFOUND);
    CHECK_EQ(hg_exec_cancel(r.w.exec, 0, r.w.now_ns), HG_ENOTFOUND);
    r.venue.result = HG_EIO;
    id = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
    r.venue.result = 0;
    id = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
    r.venue.result = HG_EIO;
    CHECK_EQ(hg_exec_cancel(r.w.exec, id, r.w.now_ns), HG_EVENUE);
    CHECK(!hg_exec_get(r.w.exec, id)->cancel_pending);
    rig_close(&r);
}

TEST(cancel_all_of_a_strategy_or_an_instrument) {
    rig r;
    rig_open(&r);
    uint64_t ids[6];
    for (int i = 0; i < 6; i++) {
        ids[i] = send_request(&r.w, (hg_order_request){.instrument = r.perp,
                                                       .strategy = (uint16_t)(i % 2),
                                                       .side = HG_BUY,
                                                       .type = HG_TYPE_LIMIT,
                                                       .price = 59000,
                                                       .size = 1});
    }
    CHECK_EQ(hg_exec_cancel_all(r.w.exec, 1, HG_ID_NONE, r.w.now_ns), 3);
    CHECK(!hg_exec_get(r.w.exec, ids[0])->cancel_pending);
    CHECK(hg_exec_get(r.w.exec, ids[1])->cancel_pending);
    CHECK_EQ(hg_exec_cancel_all(r.w.exec, 0, r.perp + 1, r.w.now_ns), 0);
    CHECK_EQ(hg_exec_cancel_all(r.w.exec, HG_STRATEGY_ANY, r.perp, r.w.now_ns), 3);
    CHECK_EQ(r.venue.cancels, 6);
    rig_close(&r);
}

TEST(open_orders_are_walked_in_order_of_id) {
    rig r;
    rig_open(&r);
    uint64_t ids[4];
    for (int i = 0; i < 4; i++) {
        ids[i] = send_limit(&r.w, r.perp, HG_BUY, 59000, 1);
    }
    const hg_order *order = hg_exec_open_next(r.w.exec, 0, 0);
    CHECK_EQ(order->id, ids[0]);
    tell(&r, HG_EV_CANCELLED, ids[0]); /* the one we stand on, and the next, close meanwhile */
    tell(&r, HG_EV_CANCELLED, ids[1]);
    order = hg_exec_open_next(r.w.exec, 0, ids[0]);
    CHECK_EQ(order->id, ids[2]);
    order = hg_exec_open_next(r.w.exec, 0, order->id);
    CHECK_EQ(order->id, ids[3]);
    CHECK(hg_exec_open_next(r.w.exec, 0, order->id) == NULL);
    CHECK(hg_exec_open_next(r.w.exec, 5, 0) == NULL);
    rig_close(&r);
}

TEST(the_larger_size_counts_while_an_amendment_is_on_its_way) {
    rig r;
    rig_open(&r);
    uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
    CHECK_EQ(hg_exec_amend(r.w.exec, id, 0, 5, r.w.now_ns, &r.w.refusal), HG_ESTATE); /* no ack */
    tell(&r, HG_EV_ACK, id);
    CHECK_EQ(hg_exec_amend(r.w.exec, id, 0, 5, r.w.now_ns, &r.w.refusal), HG_OK);
    CHECK_NEAR(delta_pending(&r), 5, 0);
    CHECK_EQ(hg_exec_amend(r.w.exec, id, 0, 6, r.w.now_ns, &r.w.refusal), HG_ESTATE);
    tell(&r, HG_EV_REJECTED, id);
    CHECK_NEAR(delta_pending(&r), 3, 0);
    CHECK_EQ(hg_exec_amend(r.w.exec, id, 58000, 2, r.w.now_ns, &r.w.refusal), HG_OK);
    CHECK_NEAR(delta_pending(&r), 3, 0);
    tell_fill(&r, id, 1, 1);
    hg_event e = answer(&r, HG_EV_ACK, id);
    e.order.price = ticks(&r.w, r.perp, 58000);
    e.order.size = lots(&r.w, r.perp, 2);
    CHECK(hg_exec_apply(r.w.exec, &e) != NULL);
    CHECK_NEAR(delta_pending(&r), 1, 0);
    CHECK_STR(state_of(&r.w, id), "partial");
    CHECK_EQ(hg_exec_get(r.w.exec, id)->price, ticks(&r.w, r.perp, 58000));
    rig_close(&r);
}

/* The order is full as it was, and the venue may have made it larger: until it has answered nobody
 * knows, and a hedge must not be sent again for the part that may be open. */
TEST(a_full_order_is_open_while_it_may_have_grown) {
    for (int grown = 0; grown < 3; grown++) {
        rig r;
        rig_open(&r);
        uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
        tell(&r, HG_EV_ACK, id);
        CHECK_EQ(hg_exec_amend(r.w.exec, id, 0, 5, r.w.now_ns, &r.w.refusal), HG_OK);
        tell_fill(&r, id, 1, 3);
        CHECK_STR(state_of(&r.w, id), "partial");
        CHECK_NEAR(delta_pending(&r), 2, 0);
        if (grown == 0) {
            hg_event e = answer(&r, HG_EV_REJECTED, id);
            e.order.about = HG_ABOUT_AMEND;
            e.order.code = HG_REJECT_NOT_OPEN;
            CHECK(hg_exec_apply(r.w.exec, &e) != NULL);
            CHECK_STR(state_of(&r.w, id), "filled");
        } else if (grown == 1) {
            hg_event e = answer(&r, HG_EV_ACK, id);
            e.order.price = ticks(&r.w, r.perp, 59000);
            e.order.size = lots(&r.w, r.perp, 5);
            CHECK(hg_exec_apply(r.w.exec, &e) != NULL);
            CHECK_STR(state_of(&r.w, id), "partial");
            CHECK_NEAR(delta_pending(&r), 2, 0);
            tell_fill(&r, id, 2, 2);
        } else {
            tell_fill(&r, id, 2,
                      1); /* more than it was: it has grown, whatever became of the ack */
            CHECK_STR(state_of(&r.w, id), "partial");
            CHECK_EQ(hg_exec_get(r.w.exec, id)->size, lots(&r.w, r.perp, 5));
            CHECK_NEAR(delta_pending(&r), 1, 0);
            tell_fill(&r, id, 3, 1);
        }
        CHECK_STR(state_of(&r.w, id), "filled");
        CHECK_NEAR(delta_pending(&r), 0, 0);
        CHECK_EQ(hg_exec_stats_get(r.w.exec)->alarms, 0);
        CHECK_EQ(hg_exec_stats_get(r.w.exec)->late, 0);
        rig_close(&r);
    }
}

TEST(an_order_that_shrank_below_what_it_filled_is_as_large_as_that) {
    rig r;
    rig_open(&r);
    uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 5);
    tell(&r, HG_EV_ACK, id);
    CHECK_EQ(hg_exec_amend(r.w.exec, id, 0, 2, r.w.now_ns, &r.w.refusal), HG_OK);
    tell_fill(&r, id, 1, 3);
    hg_event e = answer(&r, HG_EV_ACK, id);
    e.order.price = ticks(&r.w, r.perp, 59000);
    e.order.size = lots(&r.w, r.perp, 2);
    CHECK(hg_exec_apply(r.w.exec, &e) != NULL);
    CHECK_STR(state_of(&r.w, id), "filled");
    CHECK_EQ(hg_exec_get(r.w.exec, id)->size, lots(&r.w, r.perp, 3));
    rig_close(&r);
}

TEST(amendments_pass_the_gate) {
    rig r;
    rig_open(&r);
    uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
    tell(&r, HG_EV_ACK, id);
    tell_fill(&r, id, 1, 1);
    CHECK_EQ(hg_exec_amend(r.w.exec, id, NAN, 0, r.w.now_ns, &r.w.refusal), HG_ERISK);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "not_finite");
    CHECK_EQ(hg_exec_amend(r.w.exec, id, 90000, 0, r.w.now_ns, &r.w.refusal), HG_ERISK);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "price_collar");
    CHECK_EQ(hg_exec_amend(r.w.exec, id, 0, 1, r.w.now_ns, &r.w.refusal), HG_ERISK);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "size_zero"); /* not above what is filled */
    CHECK_EQ(hg_exec_amend(r.w.exec, id, 0, 1e7, r.w.now_ns, &r.w.refusal), HG_ERISK);
    CHECK_EQ(r.venue.amends, 0);
    CHECK_NEAR(delta_pending(&r), 2, 0);
    CHECK_EQ(hg_exec_amend(r.w.exec, 12345, 0, 1, r.w.now_ns, &r.w.refusal), HG_ENOTFOUND);
    rig_close(&r);
}

/* --- the pool --------------------------------------------------------------------------------- */

TEST(finished_orders_make_room_and_open_ones_stay) {
    rig r;
    rig_open(&r);
    uint64_t keep = send_limit(&r.w, r.perp, HG_BUY, 59000, 1);
    tell(&r, HG_EV_ACK, keep);
    for (int i = 0; i < 1000; i++) { /* 64 places */
        uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 1);
        CHECK(id > keep && hg_exec_get(r.w.exec, id) != NULL);
        tell(&r, HG_EV_CANCELLED, id);
        later(&r.w, HG_NS_PER_MS);
        mark(&r.w, r.perp, 60000, 0);
    }
    CHECK_STR(state_of(&r.w, keep), "working");
    CHECK(hg_exec_get(r.w.exec, keep + 1) == NULL); /* forgotten */
    rig_close(&r);
}

TEST(a_fill_of_a_forgotten_order_is_booked_once) {
    rig r;
    rig_open(&r);
    uint64_t old = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
    tell(&r, HG_EV_CANCELLED, old);
    for (int i = 0; i < 100; i++) {
        tell(&r, HG_EV_CANCELLED, send_limit(&r.w, r.perp, HG_BUY, 59000, 1));
        later(&r.w, HG_NS_PER_MS);
        mark(&r.w, r.perp, 60000, 0);
    }
    CHECK(hg_exec_get(r.w.exec, old) == NULL);
    hg_event e = answer(&r, HG_EV_FILL, old);
    e.side = HG_BUY;
    e.order.trade = 77;
    e.order.price = ticks(&r.w, r.perp, 59000);
    e.order.size = lots(&r.w, r.perp, 2);
    for (int i = 0; i < 3; i++) {
        CHECK(hg_exec_apply(r.w.exec, &e) == NULL);
        CHECK_NEAR(position_of(&r.w, r.perp), 2, 0);
    }
    CHECK_EQ(hg_exec_stats_get(r.w.exec)->late, 1);
    CHECK_EQ(hg_exec_stats_get(r.w.exec)->duplicates, 2);
    e.order.id = 12345; /* never ours */
    e.order.trade = 78;
    CHECK(hg_exec_apply(r.w.exec, &e) == NULL);
    CHECK_NEAR(position_of(&r.w, r.perp), 2, 0);
    rig_close(&r);
}

/* A trade the venue repeats after the set of booked ids has lost it is never booked again. */
TEST(trades_too_old_to_tell_are_not_booked_again) {
    rig r;
    enum { TRADES = 20000 };
    rig_open(&r);
    uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 59000, 3);
    tell_fill(&r, id, 1, 1);
    uint64_t other = send_limit(&r.w, r.perp, HG_SELL, 61000, TRADES / 1000 + 1);
    for (uint64_t t = 2; t <= TRADES; t++) {
        tell_fill(&r, other, t, 0.001);
    }
    double position = position_of(&r.w, r.perp);
    CHECK(tell_fill(&r, id, 1, 1) == NULL);
    CHECK_EQ(hg_exec_stats_get(r.w.exec)->too_old, 1);
    CHECK_NEAR(position_of(&r.w, r.perp), position, 0);
    CHECK(tell_fill(&r, id, TRADES + 1, 1) != NULL); /* a newer one is new for certain */
    CHECK_NEAR(filled_of(&r.w, id), 2, 0);
    rig_close(&r);
}

TEST(a_full_pool_refuses) {
    rig r;
    rig_open(&r);
    for (int i = 0; i < 64; i++) {
        CHECK(send_limit(&r.w, r.perp, HG_BUY, 59000, 1) != 0);
    }
    CHECK_EQ(send_limit(&r.w, r.perp, HG_BUY, 59000, 1), 0);
    CHECK_STR(hg_reject_code(r.w.refusal.code), "capacity");
    CHECK_EQ(r.venue.submits, 64);
    rig_close(&r);
}

/* A random stream of answers, duplicates and lies against a naive count per trade id. */
TEST_WITHIN(random_answers_agree_with_a_naive_count, 60) {
    const uint64_t seed = 77;
    rig r;
    hg_rng rng;
    enum { ROUNDS = 20000 };
    static bool booked[ROUNDS + 1];
    static uint64_t of_trade[ROUNDS + 1];
    static double size_of_trade[ROUNDS + 1];
    double position = 0;
    uint64_t ids[16] = {0};
    uint64_t trades = 0;
    printf("seed %llu\n", (unsigned long long)seed);
    hg_log_level_set(HG_LOG_ERROR);
    rig_open(&r);
    hg_rng_init(&rng, seed, 1);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t *slot = &ids[hg_rng_below(&rng, 16)];
        later(&r.w, HG_NS_PER_MS);
        mark(&r.w, r.perp, 60000, 0);
        const hg_order *order = hg_exec_get(r.w.exec, *slot);
        if (!order || hg_order_state_done((hg_order_state)order->state)) {
            *slot = send_limit(&r.w, r.perp, hg_rng_below(&rng, 2) ? HG_BUY : HG_SELL, 60000,
                               1 + (double)hg_rng_below(&rng, 10));
            order = hg_exec_get(r.w.exec, *slot);
        }
        bool again = trades > 0 && hg_rng_below(&rng, 3) == 0;
        uint64_t trade = again ? trades - hg_rng_below(&rng, trades < 20 ? trades : 20) : ++trades;
        switch (hg_rng_below(&rng, 8)) {
        case 0:
            tell(&r, HG_EV_CANCELLED, *slot);
            trades -= trade == trades && !of_trade[trade];
            break;
        case 1:
            tell(&r, HG_EV_ACK, *slot);
            trades -= trade == trades && !of_trade[trade];
            break;
        default:
            if (!of_trade[trade]) {
                of_trade[trade] = *slot;
                size_of_trade[trade] = 1 + (double)hg_rng_below(&rng, 3);
            }
            const hg_order *told = hg_exec_get(r.w.exec, of_trade[trade]);
            if (told && !booked[trade]) {
                booked[trade] = true;
                position += told->side * size_of_trade[trade];
            }
            tell_fill(&r, of_trade[trade], trade, size_of_trade[trade]);
        }
        CHECK_NEAR(position_of(&r.w, r.perp), position, 1e-9);
    }
    hg_lots buy = 0;
    hg_lots sell = 0;
    const hg_order *order = NULL;
    for (uint64_t at = 0; (order = hg_exec_open_next(r.w.exec, 0, at)) != NULL; at = order->id) {
        hg_lots left = order->filled < order->size ? hg_order_remaining(order) : 0;
        *(order->side == HG_BUY ? &buy : &sell) += left;
    }
    CHECK_EQ(hg_portfolio_get(r.w.portfolio, r.perp)->pending_buy, buy);
    CHECK_EQ(hg_portfolio_get(r.w.portfolio, r.perp)->pending_sell, sell);
    CHECK(hg_exec_stats_get(r.w.exec)->duplicates > 1000);
    rig_close(&r);
}

/* --- explanations ----------------------------------------------------------------------------- */

TEST(an_order_explains_itself) {
    rig r;
    rig_open(&r);
    value_event(&r.w, HG_EV_INDEX, 0, 60000);
    CHECK_EQ(hg_portfolio_open(r.w.portfolio, r.perp, lots(&r.w, r.perp, 2), 0), HG_OK);
    send_limit(&r.w, r.perp, HG_SELL, 61000, 1);
    later(&r.w, HG_NS_PER_S);
    uint64_t id = send_request(&r.w, (hg_order_request){.instrument = r.perp,
                                                        .side = HG_SELL,
                                                        .type = HG_TYPE_LIMIT,
                                                        .price = 60500,
                                                        .size = 0.5,
                                                        .code = 42,
                                                        .reason = "delta outside band",
                                                        .line = "band.lua:12"});
    const hg_order *order = hg_exec_get(r.w.exec, id);
    CHECK_NEAR(order->delta_before, 1, 1e-12); /* the first order counts, its own does not */
    CHECK_NEAR(order->delta_after, 0.5, 1e-12);
    CHECK_NEAR(order->pending_lo, 1, 1e-12);
    CHECK_NEAR(order->pending_hi, 2, 1e-12);
    CHECK_NEAR(order->age_ms, 1000, 1e-9);
    CHECK_NEAR(order->mid, 60000, 1e-9);
    CHECK_STR(order->reason, "delta outside band");
    CHECK_STR(order->line, "band.lua:12");
    CHECK_EQ(order->code, 42);
    rig_close(&r);
}

TEST(what_crossing_costs_is_counted) {
    rig r;
    rig_open(&r);
    value_event(&r.w, HG_EV_INDEX, 0, 60000);
    uint64_t id = send_limit(&r.w, r.perp, HG_BUY, 60001, 2);
    hg_event e = answer(&r, HG_EV_FILL, id);
    e.order.trade = 9;
    e.order.price = ticks(&r.w, r.perp, 60001);
    e.order.size = lots(&r.w, r.perp, 2);
    e.order.fee = nano(12.5);
    uint64_t before = hg_exec_stats_get(r.w.exec)->hash;
    hg_exec_apply(r.w.exec, &e);
    CHECK_NEAR(hg_exec_stats_get(r.w.exec)->spread_usd, 2, 1e-9);
    CHECK_NEAR(hg_exec_stats_get(r.w.exec)->fees_usd, 12.5, 1e-9);
    CHECK(hg_exec_stats_get(r.w.exec)->hash != before);
    rig_close(&r);
}
