/* What the account holds at the venue, and the orders that may only reduce it.
 *
 * The venue keeps its own count, of what was there at the start and of its own fills: the runtime
 * hears of them later. Invariant: no fill of a reduce-only order takes a position beyond zero.
 *
 * The rules are Deribit's (insights.deribit.com, "Introduction to reduce-only"): an order is never
 * larger than the position, it is cut down as the position shrinks, it does not grow again, and
 * those that rest are together no larger than the position: who would trade first keeps his size.
 * One that arrives where there is nothing to reduce is refused, one that has shrunk to nothing is
 * cancelled. */
#include "base/assert.h"
#include "exec/paper_int.h"

#include <stdlib.h>

int hg_held_open(hg_paper *p) {
    size_t count = hg_universe_count(p->universe);
    p->held_lots = calloc(count ? count : 1, sizeof *p->held_lots);
    return p->held_lots ? HG_OK : HG_ERR(HG_ENOMEM, "positions at the paper venue");
}

void hg_held_close(hg_paper *p) {
    free(p->held_lots);
}

/* Lots a reduce-only order of that side may trade. */
static hg_lots room(const hg_paper *p, uint32_t instrument, hg_side side) {
    hg_lots lots = p->held_lots[instrument].lots;
    hg_lots most = side == HG_BUY ? -lots : lots;
    return most > 0 ? most : 0;
}

hg_lots hg_held_allows(const hg_paper *p, const hg_resting *order) {
    hg_lots left = hg_resting_left(order);
    if (!order->reduce_only) {
        return left;
    }
    hg_lots most = room(p, order->instrument, (hg_side)order->side);
    return left < most ? left : most;
}

void hg_held_trade(hg_paper *p, const hg_resting *order, hg_lots lots) {
    hg_account_line *line = &p->held_lots[order->instrument];
    bool fits = hg_add(line->lots, order->side == HG_BUY ? lots : -lots, &line->lots);
    hg_assert(fits); /* the gate keeps worst-case positions far from the limits of the ledger */
    line->moved = true;
}

void hg_held_settle(hg_paper *p, uint32_t instrument) {
    p->held_lots[instrument] = (hg_account_line){0};
}

hg_reject hg_held_arrive(const hg_paper *p, hg_resting *order, hg_reject *changed) {
    hg_lots left = hg_resting_left(order);
    hg_lots most = hg_held_allows(p, order);
    if (most == left || left <= 0) {
        return HG_REJECT_NONE;
    }
    if (most == 0) {
        return HG_REJECT_REDUCE_ONLY;
    }
    order->size = order->filled + most;
    *changed = HG_REJECT_REDUCE_ONLY;
    return HG_REJECT_NONE;
}

static void shrink(hg_paper *p, uint32_t node, hg_lots most) {
    hg_resting *order = &p->nodes[node];
    p->stats.reduced++;
    if (most > 0) {
        order->size = order->filled + most;
        hg_wire_answer(p, HG_EV_ACK, order, HG_REJECT_REDUCE_ONLY);
    } else {
        hg_wire_answer(p, HG_EV_CANCELLED, order, HG_REJECT_REDUCE_ONLY);
        hg_own_release(p, node);
    }
}

/* False: the answers must be fetched first. */
static bool follow_side(hg_paper *p, uint32_t instrument, hg_side side) {
    hg_lots most = room(p, instrument, side);
    uint32_t node = hg_paper_lane(p, instrument, side)->best;
    while (node != HG_NODE_NONE) {
        uint32_t next = p->nodes[node].next;
        hg_lots left = p->nodes[node].reduce_only ? hg_resting_left(&p->nodes[node]) : 0;
        if (left > most) {
            if (!hg_wire_room(p)) {
                return false;
            }
            shrink(p, node, most);
            left = most;
        }
        most -= left;
        node = next;
    }
    return true;
}

void hg_held_follow(hg_paper *p, uint32_t instrument) {
    hg_account_line *line = &p->held_lots[instrument];
    if (line->moved && (p->reducing == 0 || (follow_side(p, instrument, HG_BUY) &&
                                             follow_side(p, instrument, HG_SELL)))) {
        line->moved = false;
    }
}
