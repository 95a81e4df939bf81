/* Displayed liquidity we have consumed. A recorded book does not know that we traded with it.
 *
 * refill 0: what we took stays gone until the feed tells that price (depth) or that side (quote,
 * snapshot) again; what it tells then replaces it. refill h: what the feed tells may still hold
 * what we took, so our consumption is kept and decays with half-life h, but only as the feed
 * refreshes the level: between two refreshes nothing comes back. A level told as gone is forgotten
 * in both: what comes there later is new.
 *
 * The decay is exact integer arithmetic: halved per whole half-life, a straight line between. */
#include "base/assert.h"
#include "exec/paper_int.h"

#define TAKEN_HALVINGS 62

static hg_lots decayed(hg_lots lots, int64_t age_ns, int64_t half_ns) {
    if (half_ns == 0 || age_ns <= 0) {
        return half_ns == 0 ? 0 : lots;
    }
    int64_t halvings = age_ns / half_ns;
    if (halvings > TAKEN_HALVINGS) {
        return 0;
    }
    hg_lots whole = lots >> halvings;
    hg_lots part = 0;
    bool fits = hg_muldiv(whole - (whole >> 1), age_ns % half_ns, half_ns, &part);
    hg_assert(fits); /* smaller than `whole` */
    return whole - part;
}

static uint32_t *link_of(hg_paper *p, uint32_t instrument, hg_side side, hg_ticks price) {
    uint32_t *link = &hg_paper_lane(p, instrument, side)->taken;
    while (*link != HG_NODE_NONE && p->taken[*link].price != price) {
        link = &p->taken[*link].next;
    }
    return link;
}

hg_lots hg_taken_left(const hg_paper *p, uint32_t instrument, hg_side side, hg_ticks price,
                      hg_lots displayed) {
    uint32_t i = hg_paper_lane(p, instrument, side)->taken;
    while (i != HG_NODE_NONE && p->taken[i].price != price) {
        i = p->taken[i].next;
    }
    hg_lots left = i == HG_NODE_NONE ? displayed : displayed - p->taken[i].lots;
    return left > 0 ? left : 0;
}

static void forget(hg_paper *p, uint32_t *link) {
    uint32_t i = *link;
    *link = p->taken[i].next;
    p->taken[i].next = p->free_taken.back;
    p->free_taken.back = i;
}

/* Lets an entry age; true when nothing is left of it and it was freed. Counted from when it was
 * taken, so that it does not matter how often the level is told. */
static bool age(hg_paper *p, uint32_t *link) {
    hg_taken *t = &p->taken[*link];
    t->lots = decayed(t->taken, p->now_ns - t->time_ns, p->options.refill_ns);
    if (t->lots == 0) {
        forget(p, link);
        return true;
    }
    return false;
}

static void sweep(hg_paper *p, uint32_t *link) {
    while (*link != HG_NODE_NONE) {
        if (!age(p, link)) {
            link = &p->taken[*link].next;
        }
    }
}

bool hg_taken_add(hg_paper *p, uint32_t instrument, hg_side side, hg_ticks price, hg_lots lots) {
    hg_assert(lots > 0);
    uint32_t known = *link_of(p, instrument, side, price);
    if (known != HG_NODE_NONE) {
        hg_taken *t = &p->taken[known];
        if (!hg_add(t->lots, lots, &t->lots)) {
            return false;
        }
        t->taken = t->lots;
        t->time_ns = p->now_ns;
        return true;
    }
    hg_lane *lane = hg_paper_lane(p, instrument, side);
    if (hg_spare_first(&p->free_taken) == HG_NODE_NONE && p->options.refill_ns > 0) {
        sweep(p, &lane->taken); /* prices the market has left for good */
    }
    uint32_t i = hg_spare_first(&p->free_taken);
    if (i == HG_NODE_NONE) {
        return false;
    }
    hg_spare_take(&p->free_taken, p->taken[i].next);
    p->taken[i] = (hg_taken){price, lots, lots, p->now_ns, lane->taken};
    lane->taken = i;
    return true;
}

void hg_taken_level(hg_paper *p, uint32_t instrument, hg_side side, hg_ticks price,
                    hg_lots displayed) {
    uint32_t *link = link_of(p, instrument, side, price);
    if (*link == HG_NODE_NONE) {
        return;
    }
    if (displayed == 0) {
        forget(p, link);
    } else {
        age(p, link);
    }
}

void hg_taken_side(hg_paper *p, uint32_t instrument, hg_side side) {
    sweep(p, &hg_paper_lane(p, instrument, side)->taken);
}

void hg_taken_clear(hg_paper *p, uint32_t instrument, hg_side side) {
    hg_lane *lane = hg_paper_lane(p, instrument, side);
    while (lane->taken != HG_NODE_NONE) {
        forget(p, &lane->taken);
    }
}
