/* Every order in which a venue may tell seven things about one order, against a ledger that only
 * adds up distinct trades and remembers whether an end was told. */
#include "base/log.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    hg_venue venue;
    int amends;
} mute_venue;

static int mute(hg_venue *v, const hg_order *order, int64_t now_ns) {
    CHECK(v && order->id > 0 && now_ns > 0);
    return HG_OK;
}

static int mute_amend(hg_venue *v, const hg_order *order, hg_ticks price, hg_lots size,
                      int64_t now_ns) {
    CHECK(order->id > 0 && price > 0 && size > 0 && now_ns > 0);
    ((mute_venue *)v)->amends++;
    return HG_OK;
}

static const hg_venue_ops mute_ops = {
    .name = "mute", .submit = mute, .cancel = mute, .amend = mute_amend};

/* What can be told or done, each once in every sequence. */
typedef enum {
    ACK,
    FILL_1,
    FILL_1_AGAIN,
    FILL_2,
    CANCELLED,
    EXPIRED,
    AMEND,         /* asks for a size of 6 */
    AMENDED,       /* the venue has done it, if it was asked */
    AMEND_REFUSED, /* or has not */
    CANCEL_REFUSED,
    LOST, /* the answer does not come */
    STEPS
} step;

enum { LENGTH = 7 };

/* The naive ledger. */
typedef struct {
    bool traded[3];
    double size, asked; /* asked: an amendment on its way, 0 none */
    bool acked, ended, lost;
} naive;

static double filled(const naive *n) {
    return (n->traded[1] ? 1 : 0) + (n->traded[2] ? 2 : 0);
}

/* While nobody knows whether it has grown it is as large as it may be. */
static double largest(const naive *n) {
    return n->asked > n->size ? n->asked : n->size;
}

static bool is_open(const naive *n) {
    return !n->ended && filled(n) < largest(n);
}

static double pending(const naive *n) {
    return is_open(n) ? largest(n) - filled(n) : 0;
}

typedef struct {
    world w;
    mute_venue venue;
    uint32_t perp;
    uint64_t id;
} rig;

static hg_event answer(const rig *r, hg_event_kind kind) {
    hg_event e = {.time_ns = r->w.now_ns, .id = r->perp, .kind = (uint8_t)kind};
    e.order.id = r->id;
    return e;
}

static void tell(rig *r, hg_event_kind kind, uint8_t about, double size) {
    hg_event e = answer(r, kind);
    e.order.about = about;
    e.order.code = kind == HG_EV_ACK        ? HG_REJECT_NONE
                   : kind == HG_EV_REJECTED ? HG_REJECT_NOT_OPEN
                                            : HG_REJECT_USER;
    e.order.price = ticks(&r->w, r->perp, 59000);
    e.order.size = lots(&r->w, r->perp, size);
    hg_exec_apply(r->w.exec, &e);
}

static void tell_fill(rig *r, uint64_t trade, double size) {
    hg_event e = answer(r, HG_EV_FILL);
    e.order.trade = trade;
    e.order.price = ticks(&r->w, r->perp, 59000);
    e.order.size = lots(&r->w, r->perp, size);
    hg_exec_apply(r->w.exec, &e);
}

static void fill(rig *r, naive *n, int k) {
    tell_fill(r, (uint64_t)k, k);
    n->traded[k] = true;
    if (filled(n) > n->size && n->asked >= filled(n)) { /* so it has grown */
        n->size = n->asked;
        n->asked = 0;
    }
    n->acked = true;
    n->lost = false;
}

static void amend(rig *r, naive *n) {
    int rc = hg_exec_amend(r->w.exec, r->id, 0, 6, r->w.now_ns, &r->w.refusal);
    CHECK_EQ(rc == HG_OK, is_open(n) && n->acked && !n->lost);
    n->asked = rc == HG_OK ? 6 : n->asked;
}

static void amended(rig *r, naive *n) {
    tell(r, HG_EV_ACK, HG_ABOUT_ANY, 6);
    if (is_open(n)) {
        n->acked = true;
        n->lost = false;
        n->size = n->asked > 0 ? n->asked : n->size;
        n->asked = 0;
    }
}

static void take(rig *r, naive *n, step s) {
    switch (s) {
    case ACK:
        tell(r, HG_EV_ACK, HG_ABOUT_ANY, n->size);
        n->acked = n->acked || is_open(n);
        n->lost = false;
        break;
    case FILL_1:
    case FILL_1_AGAIN:
        if (n->traded[1]) {
            tell_fill(r, 1, 1); /* says nothing new */
        } else {
            fill(r, n, 1);
        }
        break;
    case FILL_2:
        fill(r, n, 2);
        break;
    case CANCELLED:
    case EXPIRED:
        tell(r, s == CANCELLED ? HG_EV_CANCELLED : HG_EV_EXPIRED, HG_ABOUT_ANY, n->size);
        n->ended = true;
        break;
    case AMEND:
        amend(r, n);
        break;
    case AMENDED:
        amended(r, n);
        break;
    case AMEND_REFUSED:
        tell(r, HG_EV_REJECTED, HG_ABOUT_AMEND, n->size);
        n->asked = 0;
        break;
    case CANCEL_REFUSED:
        tell(r, HG_EV_REJECTED, HG_ABOUT_CANCEL, n->size);
        break;
    default:
        hg_exec_lost(r->w.exec, r->id, r->w.now_ns);
        n->lost = n->lost || is_open(n);
    }
}

static void agree(const rig *r, const naive *n, const char *path) {
    const hg_position *pos = hg_portfolio_get(r->w.portfolio, r->perp);
    const hg_instrument *inst = inst_of(&r->w, r->perp);
    double held = hg_size_to_double(inst, pos->lots);
    double waits = hg_size_to_double(inst, pos->pending_buy);
    bool listed = hg_exec_open_next(r->w.exec, 0, 0) != NULL;
    if (held != filled(n) || filled_of(&r->w, r->id) != filled(n) || waits != pending(n) ||
        listed != is_open(n)) {
        hg_test_fail(__FILE__, __LINE__,
                     "after%s: held %g, filled %g, pending %g, %s; want %g, %g, %s", path, held,
                     filled_of(&r->w, r->id), waits, listed ? "open" : "ended", filled(n),
                     pending(n), is_open(n) ? "open" : "ended");
    }
}

static void play(rig *r, const step *steps, double size) {
    char path[80] = "";
    naive n = {.size = size};
    world_init(&r->w);
    r->venue = (mute_venue){.venue = {.ops = &mute_ops}};
    r->perp = world_add(&r->w, "BTC_USDC-PERPETUAL");
    world_open(&r->w, NULL);
    r->w.exec = hg_exec_new(r->w.market, r->w.portfolio, &r->venue.venue,
                            &(hg_exec_options){.order_capacity = 16});
    quote(&r->w, r->perp, 59999, 10, 60001, 10);
    mark(&r->w, r->perp, 60000, 0);
    r->id = send_limit(&r->w, r->perp, HG_BUY, 59000, size);
    double before = 0;
    for (int i = 0; i < LENGTH; i++) {
        snprintf(path + strlen(path), sizeof path - strlen(path), " %d", steps[i]);
        take(r, &n, steps[i]);
        agree(r, &n, path);
        CHECK(filled_of(&r->w, r->id) >= before);
        before = filled_of(&r->w, r->id);
    }
    world_close(&r->w);
}

/* All orders of the steps (Heap's algorithm). */
static int permute(rig *r, step *steps, int count, double size) {
    if (count == 1) {
        play(r, steps, size);
        return 1;
    }
    int played = 0;
    for (int i = 0; i < count; i++) {
        played += permute(r, steps, count - 1, size);
        int j = count % 2 ? 0 : i;
        step kept = steps[j];
        steps[j] = steps[count - 1];
        steps[count - 1] = kept;
    }
    return played;
}

TEST_WITHIN(every_order_of_seven_answers_agrees_with_a_naive_ledger, 900) {
    static const step sets[][LENGTH] = {
        {ACK, FILL_1, FILL_1_AGAIN, FILL_2,    CANCELLED, LOST,          CANCEL_REFUSED},
        {ACK, FILL_1, FILL_1_AGAIN, FILL_2,    EXPIRED,   AMEND,         AMENDED       },
        {ACK, FILL_1, FILL_2,       CANCELLED, AMEND,     AMEND_REFUSED, LOST          },
        {ACK, FILL_1, FILL_2,       AMEND,     AMENDED,   LOST,          EXPIRED       },
    };
    static rig r;
    int played = 0;
    hg_log_level_set(HG_LOG_ERROR);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        step steps[LENGTH];
        memcpy(steps, sets[i], sizeof steps);
        played += permute(&r, steps, LENGTH, 3); /* both fills complete it */
        played += permute(&r, steps, LENGTH, 5); /* they do not */
    }
    CHECK_EQ(played, 4 * 2 * 5040);
}
