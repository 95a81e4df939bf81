/* Displayed liquidity we have consumed. A recorded book does not know that we traded with it; what
 * we took stays gone until the feed tells that price (depth) or that side (quote) again. */
#include "base/assert.h"
#include "exec/paper_int.h"

static const hg_taken *find(const hg_paper *p, uint32_t instrument, hg_side side, hg_ticks price) {
    uint32_t i = hg_paper_lane(p, instrument, side)->taken;
    while (i != HG_NODE_NONE && p->taken[i].price != price) {
        i = p->taken[i].next;
    }
    return i == HG_NODE_NONE ? NULL : &p->taken[i];
}

hg_lots hg_taken_left(const hg_paper *p, uint32_t instrument, hg_side side, hg_ticks price,
                      hg_lots displayed) {
    const hg_taken *t = find(p, instrument, side, price);
    hg_lots left = t ? displayed - t->lots : displayed;
    return left > 0 ? left : 0;
}

bool hg_taken_add(hg_paper *p, uint32_t instrument, hg_side side, hg_ticks price, hg_lots lots) {
    hg_assert(lots > 0);
    const hg_taken *known = find(p, instrument, side, price);
    if (known) {
        return hg_add(known->lots, lots, &p->taken[known - p->taken].lots);
    }
    uint32_t i = p->free_taken;
    if (i == HG_NODE_NONE) {
        return false;
    }
    hg_lane *lane = hg_paper_lane(p, instrument, side);
    p->free_taken = p->taken[i].next;
    p->taken[i] = (hg_taken){price, lots, lane->taken};
    lane->taken = i;
    return true;
}

void hg_taken_forget(hg_paper *p, uint32_t instrument, hg_side side, hg_ticks price) {
    uint32_t *link = &hg_paper_lane(p, instrument, side)->taken;
    while (*link != HG_NODE_NONE && p->taken[*link].price != price) {
        link = &p->taken[*link].next;
    }
    uint32_t i = *link;
    if (i != HG_NODE_NONE) {
        *link = p->taken[i].next;
        p->taken[i].next = p->free_taken;
        p->free_taken = i;
    }
}

void hg_taken_clear(hg_paper *p, uint32_t instrument, hg_side side) {
    hg_lane *lane = hg_paper_lane(p, instrument, side);
    while (lane->taken != HG_NODE_NONE) {
        uint32_t i = lane->taken;
        lane->taken = p->taken[i].next;
        p->taken[i].next = p->free_taken;
        p->free_taken = i;
    }
}
