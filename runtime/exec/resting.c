/* Our resting orders and the feed. An order fills at its own limit, as maker,
 *
 *   - when the other side of the book reaches it: touch in full, else up to the size displayed
 *     there and not consumed yet;
 *   - when a public trade prints through it, up to the size printed;
 *   - in depth and queue also when one prints at it against our side, in queue only with what is
 *     left after the orders that stand before us (queue.c).
 *
 * One trade is never given out twice: what an own order got of a print, the next one does not. */
#include "exec/paper_int.h"

/* Fills `node` at its limit and returns the next one of its list. */
static uint32_t fill(hg_paper *p, uint32_t node, hg_lots lots) {
    hg_resting *order = &p->nodes[node];
    uint32_t next = order->next;
    hg_paper_trade(p, order, order->price, lots, true);
    if (hg_resting_left(order) == 0) {
        hg_own_release(p, node);
    }
    return next;
}

/* --- the book reaches us ---------------------------------------------------------------------- */

/* Lots the other side of the book shows at our limit or better, less what we consumed; they are
 * consumed by this. */
static hg_lots meet(hg_paper *p, const hg_resting *order, hg_lots want) {
    hg_side side = (hg_side)order->side;
    hg_lots got = 0;
    hg_level level;
    for (uint32_t k = 0;
         got < want && hg_book_level(p, order->instrument, hg_other(side), k, &level) &&
         hg_reaches(side, level.price, order->price);
         k++) {
        hg_lots left = hg_taken_left(p, order->instrument, hg_other(side), level.price, level.size);
        hg_lots lots = left < want - got ? left : want - got;
        if (lots > 0 && !hg_taken_add(p, order->instrument, hg_other(side), level.price, lots)) {
            break;
        }
        got += lots;
    }
    return got;
}

static void cross_side(hg_paper *p, uint32_t instrument, hg_side side) {
    uint32_t node = hg_paper_lane(p, instrument, side)->best;
    hg_level level;
    if (node == HG_NODE_NONE || !hg_book_best(p, instrument, hg_other(side), &level)) {
        return;
    }
    while (node != HG_NODE_NONE && hg_wire_room(p) &&
           hg_reaches(side, level.price, p->nodes[node].price)) {
        hg_lots want = hg_held_allows(p, &p->nodes[node]);
        if (want == 0) {
            node = p->nodes[node].next; /* nothing left to reduce: it is about to end */
            continue;
        }
        hg_lots lots = p->options.fill == HG_FILL_TOUCH ? want : meet(p, &p->nodes[node], want);
        if (lots == 0) {
            return;
        }
        node = fill(p, node, lots);
    }
}

/* --- public trades ---------------------------------------------------------------------------- */

/* Of `printed` lots that no own order before us got, those that are ours. */
static hg_lots share_of_print(hg_paper *p, hg_resting *order, hg_ticks price, hg_lots printed) {
    if (price != order->price) {
        /* Through us: whoever trades there has passed everybody at our price. */
        return p->options.fill == HG_FILL_TOUCH ? hg_resting_left(order) : printed;
    }
    switch (p->options.fill) {
    case HG_FILL_TOUCH:
        return 0;
    case HG_FILL_DEPTH:
        return printed;
    case HG_FILL_QUEUE:
        return hg_queue_trade(&order->place, printed);
    }
    return 0;
}

/* e->side is who aggressed: a print at our price fills us only when we stood on the other side. */
static void print_side(hg_paper *p, const hg_event *e, hg_side side) {
    uint32_t node = hg_paper_lane(p, e->id, side)->best;
    hg_lots left = e->level.size;
    while (node != HG_NODE_NONE && hg_wire_room(p) &&
           hg_reaches(side, e->level.price, p->nodes[node].price)) {
        hg_resting *order = &p->nodes[node];
        bool through = e->level.price != order->price;
        hg_lots share = through || e->side != (int8_t)side
                            ? share_of_print(p, order, e->level.price, left)
                            : 0;
        hg_lots most = hg_held_allows(p, order);
        hg_lots lots = share < most ? share : most;
        if (lots == 0) {
            node = order->next;
            continue;
        }
        left = lots < left ? left - lots : 0;
        node = fill(p, node, lots);
    }
}

static void print(hg_paper *p, const hg_event *e) {
    if (e->level.size <= 0 || hg_market_get(p->market, e->id)->halted) {
        return;
    }
    print_side(p, e, HG_BUY);
    print_side(p, e, HG_SELL);
}

/* --- the queue before us ---------------------------------------------------------------------- */

/* The level of every order that the book or quote shows now. */
static void queue_side(hg_paper *p, uint32_t instrument, hg_side side) {
    uint32_t node = hg_paper_lane(p, instrument, side)->best;
    for (; node != HG_NODE_NONE; node = p->nodes[node].next) {
        hg_lots shown = hg_book_shown(p, instrument, side, p->nodes[node].price);
        if (shown < 0) {
            return; /* and whatever is behind it */
        }
        hg_queue_depth(&p->options.queue, &p->nodes[node].place, shown);
    }
}

/* One level: the orders at its price, which stand together. */
static void queue_level(hg_paper *p, const hg_event *e) {
    hg_side side = (hg_side)e->side;
    uint32_t node = hg_own_at(p, e->id, side, e->level.price);
    for (; node != HG_NODE_NONE && p->nodes[node].price == e->level.price;
         node = p->nodes[node].next) {
        hg_queue_depth(&p->options.queue, &p->nodes[node].place, e->level.size);
    }
}

/* --- the feed --------------------------------------------------------------------------------- */

/* Delivered: orders vanish silently, the gate expires them. */
static void drop(hg_paper *p, uint32_t instrument) {
    for (int s = -1; s <= 1; s += 2) {
        hg_lane *lane = hg_paper_lane(p, instrument, (hg_side)s);
        while (lane->best != HG_NODE_NONE) {
            hg_own_release(p, lane->best);
        }
        hg_taken_clear(p, instrument, (hg_side)s);
    }
}

static void told_again(hg_paper *p, uint32_t instrument) {
    for (int s = -1; s <= 1; s += 2) {
        hg_taken_side(p, instrument, (hg_side)s);
        if (p->options.fill == HG_FILL_QUEUE) {
            queue_side(p, instrument, (hg_side)s);
        }
    }
}

/* A level told again shows what is left of it; a snapshot says so of every level, but only with its
 * last one. A quote beside a book says nothing new about the levels of the book. */
static void displayed(hg_paper *p, const hg_event *e) {
    hg_lane *lane = hg_paper_lane(p, e->id, HG_BUY);
    if (e->kind == HG_EV_QUOTE) {
        if (!hg_book_has_depth(p, e->id)) {
            told_again(p, e->id);
        }
        return;
    }
    lane->resync = lane->resync || (e->flags & HG_EVF_SNAPSHOT);
    if (!lane->resync) {
        hg_taken_level(p, e->id, (hg_side)e->side, e->level.price, e->level.size);
        if (p->options.fill == HG_FILL_QUEUE) {
            queue_level(p, e);
        }
    } else if (!(e->flags & HG_EVF_MORE)) {
        lane->resync = false;
        told_again(p, e->id);
    }
}

void hg_resting_observe(hg_paper *p, const hg_event *e) {
    if (e->kind == HG_EV_SETTLE) {
        drop(p, e->id);
        return;
    }
    bool down = p->faulty && hg_fault_down(&p->clock, p->now_ns);
    if (e->kind == HG_EV_TRADE) {
        if (!down) {
            print(p, e);
        }
        return;
    }
    displayed(p, e);
    /* Inside a book update the sides may cross for a moment: wait for its last level. */
    if (!down && (e->kind == HG_EV_QUOTE || !(e->flags & HG_EVF_MORE))) {
        cross_side(p, e->id, HG_BUY);
        cross_side(p, e->id, HG_SELL);
    }
}
