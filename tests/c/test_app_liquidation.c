/* Liquidation against an owner who does not stop: through the paper venue, with latency both ways.
 */
#include "app/core.h"
#include "base/clock.h"
#include "test.h"

#include <math.h>
#include <stdio.h>

#define LATENCY_NS (300 * HG_NS_PER_MS)

typedef struct {
    hg_core core;
    bool active;
    int starts, slices, ends;
    hg_lots closed; /* by the venue */
} rig;

static void on_note(void *context, const hg_liquidation_note *note) {
    rig *r = context;
    r->starts += note->phase == HG_LIQUIDATION_START;
    r->slices += note->phase == HG_LIQUIDATION_ORDER;
    r->ends += note->phase == HG_LIQUIDATION_END;
    r->active = note->phase != HG_LIQUIDATION_END;
}

static void on_fill(void *context, const hg_order *order, const hg_event *fill) {
    rig *r = context;
    if (order->liquidation) {
        CHECK_EQ(order->side, HG_BUY);
        r->closed += fill->order.size;
    }
}

static void quote(rig *r, double spot, int64_t now_ns) {
    hg_event e = {.kind = HG_EV_INDEX, .flags = HG_EVF_MORE, .time_ns = now_ns};
    e.price.value = (hg_nano)llround(spot * 1e9);
    hg_core_feed(&r->core, &e);
    e = (hg_event){.kind = HG_EV_MARK, .flags = HG_EVF_MORE, .time_ns = now_ns};
    e.mark.price = (hg_nano)llround(spot * 1e9);
    hg_core_feed(&r->core, &e);
    e = (hg_event){.kind = HG_EV_QUOTE, .time_ns = now_ns};
    const hg_instrument *inst = hg_universe_get(r->core.universe, 0);
    e.quote.bid = hg_price_round(inst, spot, -1) - 1;
    e.quote.ask = hg_price_round(inst, spot, 1) + 1;
    e.quote.bid_size = e.quote.ask_size = 10000000;
    hg_core_feed(&r->core, &e);
}

/* Short 100,000 USD at 100,000 with 0.05 BTC of money. */
static void rig_open(rig *r, int64_t start_ns) {
    *r = (rig){.core.universe = hg_universe_new()};
    hg_book book = {0};
    CHECK_EQ(
        hg_book_add(&book, r->core.universe, "BTC-PERPETUAL", -100000 * HG_NANO, 100000 * HG_NANO),
        HG_OK);
    hg_deposit deposit = {hg_universe_find_currency(r->core.universe, "BTC"), HG_NANO / 20};
    hg_core_options o = {
        .paper = {.fill = HG_FILL_TOUCH, .fees = true, .latency = hg_latency_constant(LATENCY_NS)},
        .margin = HG_MARGIN_STANDARD,
        .deposits = &deposit,
        .deposit_count = 1,
        .exec_observer = {.context = r,                     .fill = on_fill                     },
        .liquidation_observer = {r,                     on_note           }
    };
    hg_limits_default(&o.limits);
    CHECK_EQ(hg_core_open(&r->core, &o, &book, start_ns), HG_OK);
    hg_book_free(&book);
}

/* The smallest order of the side and instrument of a slice. 0: the gate refused it. */
static uint64_t nibble(rig *r) {
    hg_order_request request = {
        .side = HG_BUY, .type = HG_TYPE_MARKET, .tif = HG_TIF_IOC, .size = 10, .again = true};
    uint64_t id = 0;
    hg_refusal refusal;
    int rc = hg_exec_submit(r->core.exec, &request, r->core.now_ns, &id, &refusal);
    return rc == HG_OK ? id : 0;
}

TEST(an_owner_who_never_stops_is_refused_and_delays_no_liquidation) {
    int64_t start_ns = INT64_C(1767607200) * HG_NS_PER_S;
    rig r;
    rig_open(&r, start_ns);
    quote(&r, 100000, start_ns);
    quote(&r, 104300, start_ns + HG_NS_PER_MS);
    int refused = 0;
    int sent_active = 0;
    for (int k = 1; k < 2000 && r.ends == 0; k++) {
        int64_t now_ns = start_ns + k * 100 * HG_NS_PER_MS;
        hg_core_settle(&r.core, now_ns);
        quote(&r, 104300, now_ns);
        bool during = r.active;
        uint64_t id = nibble(&r);
        sent_active += during && id != 0;
        if (during && id != 0) {
            hg_core_settle(&r.core, now_ns + 2 * LATENCY_NS + 1);
            quote(&r, 104300, now_ns + 2 * LATENCY_NS + 2);
            k += 2 * (int)(LATENCY_NS / (100 * HG_NS_PER_MS)) + 1;
            const hg_order *order = hg_exec_get(r.core.exec, id);
            bool rejected = order->state == HG_ORDER_REJECTED && order->reject == HG_REJECT_MARGIN;
            refused += rejected;
            CHECK(rejected || r.ends > 0);
            CHECK(order->filled == 0 || r.ends > 0);
        }
    }
    printf("note: %d slices, %lld lots closed, %d of %d orders of the owner refused\n", r.slices,
           (long long)r.closed, refused, sent_active);
    CHECK(r.starts == 1 && r.ends == 1 && r.slices > 1);
    CHECK(r.closed > 0 && refused > 1);
    hg_core_fini(&r.core);
}

/* Two strategies work for 70 % and 20 % of the position, 10 % is nobody's: what the venue closes is
 * taken from each by what it holds, and all of it is accounted for. */
TEST(a_liquidation_closes_each_share_by_what_it_holds) {
    int64_t start_ns = INT64_C(1767607200) * HG_NS_PER_S;
    const hg_lots of[] = {-7000, -2000}; /* of 10,000 lots of 10 USD */
    hg_portfolio *share[2];
    rig r;
    rig_open(&r, start_ns);
    for (uint16_t k = 0; k < 2; k++) {
        CHECK_EQ(hg_core_share(&r.core, k, &share[k]), HG_OK);
        CHECK_EQ(hg_portfolio_open(share[k], 0, of[k], 100000 * HG_NANO), HG_OK);
    }
    CHECK_EQ(hg_portfolio_get(r.core.portfolio, 0)->lots, -10000);
    quote(&r, 100000, start_ns);
    for (int k = 1; k < 2000 && r.slices < 8; k++) {
        int64_t now_ns = start_ns + k * 100 * HG_NS_PER_MS;
        hg_core_settle(&r.core, now_ns);
        quote(&r, 104300, now_ns);
    }
    CHECK(r.slices == 8 && r.closed > 1000);
    const hg_position *whole = hg_portfolio_get(r.core.portfolio, 0);
    hg_lots rest = whole->lots;
    hg_cash fees = whole->fees;
    CHECK_EQ(whole->lots, -10000 + r.closed);
    for (int k = 0; k < 2; k++) {
        const hg_position *own = hg_portfolio_get(share[k], 0);
        double part = (double)(own->lots - of[k]) / (double)r.closed;
        double fair = (double)of[k] / -10000;
        CHECK(own->lots < 0);
        CHECK_NEAR(part, fair, (double)r.slices / (double)r.closed); /* a lot a slice at most */
        CHECK_NEAR((double)own->fees / (double)whole->fees, part, 1e-4);
        rest -= own->lots;
        fees -= own->fees;
    }
    CHECK_NEAR((double)rest / -1000, (double)whole->lots / -10000, 0.01); /* nobody's */
    CHECK(rest < 0 && fees > 0);
    hg_core_fini(&r.core);
}
