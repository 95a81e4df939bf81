/* The connection between us and the paper venue as it goes and comes back. When it goes every open
 * order is unknown to us (HG_EV_CUT). When it is back, the answers that were withheld come first,
 * then the venue shows each order that is still open, as a reconciliation with a real venue would:
 * that proves it, with what it has filled. What is shown twice says nothing new. */
#include "exec/paper_int.h"

static void show(hg_paper *p, const hg_resting *order) {
    hg_wire_answer(p, HG_EV_ACK, order, HG_REJECT_NONE);
}

/* One lane after another, the trigger orders last; without room the rest comes with the next
 * event. */
static void prove(hg_paper *p) {
    while (p->unproven > 0 && hg_wire_room(p)) {
        const hg_lane *lane = &p->lanes[p->unproven - 1];
        uint32_t node = lane->best;
        while (node != HG_NODE_NONE && hg_wire_room(p)) {
            show(p, &p->nodes[node]);
            node = p->nodes[node].next;
        }
        if (node != HG_NODE_NONE) {
            return;
        }
        p->unproven--;
    }
}

static void prove_parked(hg_paper *p) {
    for (uint32_t i = 0; i < p->parked_count && hg_wire_room(p); i++) {
        show(p, &p->parked[i].order);
    }
}

void hg_link_watch(hg_paper *p, int64_t now_ns) {
    hg_fault_clock_move(&p->clock, now_ns);
    bool cut = hg_fault_cut(&p->clock, now_ns);
    if (cut == p->cut && p->unproven == 0) {
        return;
    }
    p->now_ns = now_ns > p->now_ns ? now_ns : p->now_ns;
    if (cut && !p->cut && !hg_wire_room(p)) {
        return; /* told with the next event */
    }
    if (cut && !p->cut) {
        p->unproven = 0;
        hg_wire_cut(p);
    } else if (p->cut && !cut) {
        p->unproven = hg_universe_count(p->universe) * 2;
        prove_parked(p);
    }
    p->cut = cut;
    if (!cut) {
        prove(p);
    }
}
