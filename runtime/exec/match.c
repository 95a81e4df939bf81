/* Matching: our orders against the book the feed shows, and among themselves by price and time.
 *
 *   taker     touch: everything at the best price, whatever its size. depth, queue: level by level,
 *             one fill each, consuming what is displayed until the feed tells it again.
 *   resting   fills at its own limit, as maker, when the other side of the book reaches it (touch:
 *             in full, else up to the size displayed there and not consumed yet) or when a public
 *             trade prints through it; in depth and queue also when one prints at it, in queue only
 *             after the size that stood there before us (`ahead`) is gone. `ahead` shrinks by the
 *             trades at that price and never exceeds what the book still shows there, so a
 *             cancellation ahead of us counts once it must have been one.
 *   self      an own resting order that an own taker would meet is cancelled first.
 */
#include "base/assert.h"
#include "exec/paper_int.h"

static hg_side other(hg_side side) {
    return side == HG_BUY ? HG_SELL : HG_BUY;
}

/* Whether a price is as good as or better than `limit` for someone on `side`. */
static bool reaches(hg_side side, hg_ticks price, hg_ticks limit) {
    return side == HG_BUY ? price <= limit : price >= limit;
}

static hg_lots remaining(const hg_resting *order) {
    return order->size - order->filled;
}

/* --- the displayed book ----------------------------------------------------------------------- */

/* k-th level of a side; without depth the quote is the only one. False beyond the book. */
static bool book_level(const hg_paper *p, uint32_t instrument, hg_side side, uint32_t k,
                       hg_level *out) {
    const hg_market_state *s = hg_market_get(p->market, instrument);
    if (s->book_invalid || s->halted || s->settled) {
        return false;
    }
    if (s->depth && (s->depth->bid_count > 0 || s->depth->ask_count > 0)) {
        const hg_level *level = hg_depth_level(s->depth, side, k);
        if (level) {
            *out = *level;
        }
        return level != NULL;
    }
    *out = side == HG_BUY ? (hg_level){s->quote.bid, s->quote.bid_size}
                          : (hg_level){s->quote.ask, s->quote.ask_size};
    return k == 0 && out->size > 0;
}

/* Touch: the quote rules, the book only where there is no quote. */
static bool best(const hg_paper *p, uint32_t instrument, hg_side side, hg_level *out) {
    const hg_market_state *s = hg_market_get(p->market, instrument);
    hg_lots shown = side == HG_BUY ? s->quote.bid_size : s->quote.ask_size;
    if (p->options.fill == HG_FILL_TOUCH && shown > 0 && !s->book_invalid && !s->halted) {
        *out = (hg_level){side == HG_BUY ? s->quote.bid : s->quote.ask, shown};
        return true;
    }
    return book_level(p, instrument, side, 0, out);
}

static hg_lots displayed_at(const hg_paper *p, uint32_t instrument, hg_side side, hg_ticks price) {
    const hg_market_state *s = hg_market_get(p->market, instrument);
    if (s->depth && (s->depth->bid_count > 0 || s->depth->ask_count > 0)) {
        return hg_depth_size(s->depth, side, price);
    }
    hg_level level;
    return book_level(p, instrument, side, 0, &level) && level.price == price ? level.size : 0;
}

/* --- our own lists ---------------------------------------------------------------------------- */

/* The last order at the same or a better price: a new one stands behind it. Looked for from both
 * ends at once, since orders come either near the touch or far from it. */
static uint32_t predecessor(const hg_paper *p, const hg_lane *lane, const hg_resting *order) {
    hg_side side = (hg_side)order->side;
    uint32_t front = lane->best;
    uint32_t back = lane->last;
    while (back != HG_NODE_NONE && !reaches(side, order->price, p->nodes[back].price)) {
        if (!reaches(side, order->price, p->nodes[front].price)) {
            return p->nodes[front].prev;
        }
        front = p->nodes[front].next;
        back = p->nodes[back].prev;
    }
    return back;
}

static void insert(hg_paper *p, uint32_t node) {
    hg_resting *order = &p->nodes[node];
    hg_lane *lane = hg_paper_lane(p, order->instrument, (hg_side)order->side);
    uint32_t before = predecessor(p, lane, order);
    uint32_t after = before == HG_NODE_NONE ? lane->best : p->nodes[before].next;
    order->prev = before;
    order->next = after;
    *(before == HG_NODE_NONE ? &lane->best : &p->nodes[before].next) = node;
    *(after == HG_NODE_NONE ? &lane->last : &p->nodes[after].prev) = node;
    uint32_t *bucket = &p->buckets[order->id & p->bucket_mask];
    order->chain = *bucket;
    *bucket = node;
}

static void detach(hg_paper *p, uint32_t node) {
    const hg_resting *order = &p->nodes[node];
    hg_lane *lane = hg_paper_lane(p, order->instrument, (hg_side)order->side);
    *(order->prev == HG_NODE_NONE ? &lane->best : &p->nodes[order->prev].next) = order->next;
    *(order->next == HG_NODE_NONE ? &lane->last : &p->nodes[order->next].prev) = order->prev;
    uint32_t *link = &p->buckets[order->id & p->bucket_mask];
    while (*link != node) {
        hg_assert(*link != HG_NODE_NONE);
        link = &p->nodes[*link].chain;
    }
    *link = order->chain;
}

static void release(hg_paper *p, uint32_t node) {
    detach(p, node);
    p->nodes[node].id = 0;
    p->nodes[node].next = p->free_node;
    p->free_node = node;
}

/* --- taking ----------------------------------------------------------------------------------- */

/* Own resting orders on the other side at `price` or better leave before we would meet them. */
static void cancel_own(hg_paper *p, const hg_resting *taker, hg_ticks price) {
    hg_lane *lane = hg_paper_lane(p, taker->instrument, other((hg_side)taker->side));
    while (lane->best != HG_NODE_NONE && hg_paper_room(p) &&
           reaches((hg_side)taker->side, p->nodes[lane->best].price, price)) {
        uint32_t node = lane->best;
        hg_paper_answer(p, HG_EV_CANCELLED, &p->nodes[node], HG_REJECT_SELF_TRADE);
        release(p, node);
    }
}

static void trade(hg_paper *p, hg_resting *order, hg_ticks price, hg_lots lots, bool maker) {
    hg_assert(lots > 0 && lots <= remaining(order));
    order->filled += lots;
    hg_paper_fill(p, order, price, lots, maker);
}

static void take_touch(hg_paper *p, hg_resting *order) {
    hg_level level;
    hg_side side = (hg_side)order->side;
    if (best(p, order->instrument, other(side), &level) &&
        reaches(side, level.price, order->price) && hg_paper_room(p)) {
        cancel_own(p, order, level.price);
        trade(p, order, level.price, remaining(order), false);
    }
}

static void take_depth(hg_paper *p, hg_resting *order) {
    hg_side side = (hg_side)order->side;
    hg_level level;
    for (uint32_t k = 0; remaining(order) > 0 && hg_paper_room(p) &&
                         book_level(p, order->instrument, other(side), k, &level) &&
                         reaches(side, level.price, order->price);
         k++) {
        hg_lots left = hg_taken_left(p, order->instrument, other(side), level.price, level.size);
        hg_lots lots = left < remaining(order) ? left : remaining(order);
        if (lots == 0) {
            continue;
        }
        if (!hg_taken_add(p, order->instrument, other(side), level.price, lots)) {
            break; /* what cannot be remembered is not traded */
        }
        cancel_own(p, order, level.price);
        trade(p, order, level.price, lots, false);
    }
}

/* Whether all of a fill-or-kill order can trade now. */
static bool takes_all(const hg_paper *p, const hg_resting *order) {
    hg_side side = (hg_side)order->side;
    hg_level level;
    if (p->options.fill == HG_FILL_TOUCH) {
        return best(p, order->instrument, other(side), &level) &&
               reaches(side, level.price, order->price);
    }
    hg_lots need = remaining(order);
    for (uint32_t k = 0; need > 0 && book_level(p, order->instrument, other(side), k, &level) &&
                         reaches(side, level.price, order->price);
         k++) {
        need -= hg_taken_left(p, order->instrument, other(side), level.price, level.size);
    }
    return need <= 0;
}

static void take(hg_paper *p, hg_resting *order) {
    if (p->options.fill == HG_FILL_TOUCH) {
        take_touch(p, order);
    } else {
        take_depth(p, order);
    }
}

static bool would_cross(const hg_paper *p, const hg_resting *order) {
    hg_level level;
    hg_side side = (hg_side)order->side;
    return best(p, order->instrument, other(side), &level) &&
           reaches(side, level.price, order->price);
}

static void join_queue(const hg_paper *p, hg_resting *order) {
    order->ahead = p->options.fill == HG_FILL_QUEUE
                       ? displayed_at(p, order->instrument, (hg_side)order->side, order->price)
                       : 0;
}

/* --- requests --------------------------------------------------------------------------------- */

/* What is left after taking: the end of immediate orders, a place in the list for the others. */
static void rest(hg_paper *p, const hg_resting *order) {
    if (remaining(order) == 0) {
        return;
    }
    bool immediate = order->market || order->tif != HG_TIF_GTC;
    uint32_t node = p->free_node;
    if (immediate || node == HG_NODE_NONE) {
        hg_reject code = !immediate                            ? HG_REJECT_CAPACITY
                         : order->market && order->filled == 0 ? HG_REJECT_NO_LIQUIDITY
                                                               : HG_REJECT_IOC_REST;
        hg_paper_answer(p, HG_EV_CANCELLED, order, code);
        return;
    }
    cancel_own(p, order, order->price);
    p->free_node = p->nodes[node].next;
    p->nodes[node] = *order;
    join_queue(p, &p->nodes[node]);
    insert(p, node);
}

void hg_paper_submit(hg_paper *p, const hg_resting *request) {
    hg_resting order = *request;
    const hg_market_state *s = hg_market_get(p->market, order.instrument);
    if (s->settled || s->halted) {
        hg_paper_answer(p, HG_EV_REJECTED, &order, HG_REJECT_INSTRUMENT);
        return;
    }
    if (order.post_only && would_cross(p, &order)) {
        hg_paper_answer(p, HG_EV_REJECTED, &order, HG_REJECT_POST_ONLY);
        return;
    }
    hg_paper_answer(p, HG_EV_ACK, &order, HG_REJECT_NONE);
    if (order.tif == HG_TIF_FOK && !takes_all(p, &order)) {
        hg_paper_answer(p, HG_EV_CANCELLED, &order, HG_REJECT_FOK);
        return;
    }
    take(p, &order);
    rest(p, &order);
}

void hg_paper_cancel(hg_paper *p, const hg_resting *request) {
    uint32_t node = hg_paper_find(p, request->id);
    if (node == HG_NODE_NONE) {
        hg_paper_answer(p, HG_EV_REJECTED, request, HG_REJECT_NOT_OPEN);
        return;
    }
    hg_paper_answer(p, HG_EV_CANCELLED, &p->nodes[node], HG_REJECT_USER);
    release(p, node);
}

void hg_paper_amend(hg_paper *p, const hg_resting *request) {
    uint32_t node = hg_paper_find(p, request->id);
    if (node == HG_NODE_NONE) {
        hg_paper_answer(p, HG_EV_REJECTED, request, HG_REJECT_NOT_OPEN);
        return;
    }
    hg_resting *order = &p->nodes[node];
    hg_resting amended = *order;
    amended.price = request->price;
    amended.size = request->size;
    if (amended.post_only && would_cross(p, &amended)) {
        hg_paper_answer(p, HG_EV_REJECTED, order, HG_REJECT_POST_ONLY);
        return;
    }
    hg_paper_answer(p, HG_EV_ACK, &amended, HG_REJECT_NONE);
    if (amended.size <= amended.filled) {
        /* Filled in the meantime beyond the new size: nothing is left to work. */
        hg_paper_answer(p, HG_EV_CANCELLED, &amended, HG_REJECT_USER);
        release(p, node);
    } else if (amended.price == order->price && amended.size <= order->size) {
        order->size = amended.size; /* smaller at the same price keeps its place */
    } else {
        release(p, node);
        take(p, &amended);
        rest(p, &amended);
    }
}

void hg_paper_drop(hg_paper *p, uint32_t instrument) {
    for (int s = -1; s <= 1; s += 2) {
        hg_lane *lane = hg_paper_lane(p, instrument, (hg_side)s);
        while (lane->best != HG_NODE_NONE) {
            release(p, lane->best);
        }
        hg_taken_clear(p, instrument, (hg_side)s);
    }
}

/* --- resting orders against the feed ---------------------------------------------------------- */

/* Fills `node` at its limit and returns the next one of its list. */
static uint32_t fill_resting(hg_paper *p, uint32_t node, hg_lots lots) {
    hg_resting *order = &p->nodes[node];
    uint32_t next = order->next;
    trade(p, order, order->price, lots, true);
    if (remaining(order) == 0) {
        release(p, node);
    }
    return next;
}

/* Lots the other side of the book shows at our limit or better, less what we consumed; they are
 * consumed by this. */
static hg_lots meet(hg_paper *p, const hg_resting *order, hg_lots want) {
    hg_side side = (hg_side)order->side;
    hg_lots got = 0;
    hg_level level;
    for (uint32_t k = 0; got < want && book_level(p, order->instrument, other(side), k, &level) &&
                         reaches(side, level.price, order->price);
         k++) {
        hg_lots left = hg_taken_left(p, order->instrument, other(side), level.price, level.size);
        hg_lots lots = left < want - got ? left : want - got;
        if (lots > 0 && !hg_taken_add(p, order->instrument, other(side), level.price, lots)) {
            break;
        }
        got += lots;
    }
    return got;
}

static void cross_side(hg_paper *p, uint32_t instrument, hg_side side) {
    uint32_t node = hg_paper_lane(p, instrument, side)->best;
    hg_level level;
    if (node == HG_NODE_NONE || !best(p, instrument, other(side), &level)) {
        return;
    }
    while (node != HG_NODE_NONE && hg_paper_room(p) &&
           reaches(side, level.price, p->nodes[node].price)) {
        hg_lots want = remaining(&p->nodes[node]);
        hg_lots lots = p->options.fill == HG_FILL_TOUCH ? want : meet(p, &p->nodes[node], want);
        if (lots == 0) {
            return;
        }
        node = fill_resting(p, node, lots);
    }
}

void hg_paper_cross(hg_paper *p, uint32_t instrument) {
    cross_side(p, instrument, HG_BUY);
    cross_side(p, instrument, HG_SELL);
}

/* Of a print of `printed` lots at our price, what is ours after those who stood before us. */
static hg_lots share_of_print(const hg_paper *p, hg_resting *order, hg_ticks price,
                              hg_lots printed) {
    if (price != order->price) {
        return printed; /* through us: the queue is gone */
    }
    if (p->options.fill == HG_FILL_TOUCH) {
        return 0;
    }
    hg_lots past = printed > order->ahead ? printed - order->ahead : 0;
    order->ahead = order->ahead > printed ? order->ahead - printed : 0;
    return past;
}

/* `taker` is who aggressed: a print at our price fills us only when we stood on the other side. */
static void print_side(hg_paper *p, const hg_event *e, hg_side side) {
    uint32_t node = hg_paper_lane(p, e->id, side)->best;
    hg_lots given = 0;
    bool all = p->options.fill == HG_FILL_TOUCH;
    while (node != HG_NODE_NONE && hg_paper_room(p) &&
           reaches(side, e->level.price, p->nodes[node].price)) {
        hg_resting *order = &p->nodes[node];
        uint32_t next = order->next;
        bool through = e->level.price != order->price;
        if (through || e->side != (int8_t)side) {
            hg_lots share = share_of_print(p, order, e->level.price, e->level.size);
            hg_lots lots = all && share > 0 ? remaining(order) : share - given;
            lots = lots < remaining(order) ? lots : remaining(order);
            if (lots > 0) {
                given += lots;
                next = fill_resting(p, node, lots);
            }
        }
        node = next;
    }
}

void hg_paper_print(hg_paper *p, const hg_event *e) {
    if (e->level.size <= 0 || hg_market_get(p->market, e->id)->halted) {
        return;
    }
    print_side(p, e, HG_BUY);
    print_side(p, e, HG_SELL);
}

void hg_paper_queue(hg_paper *p, const hg_event *e) {
    for (int s = -1; s <= 1; s += 2) {
        if (e->kind == HG_EV_DEPTH && e->side != s) {
            continue;
        }
        uint32_t node = hg_paper_lane(p, e->id, (hg_side)s)->best;
        for (; node != HG_NODE_NONE; node = p->nodes[node].next) {
            hg_resting *order = &p->nodes[node];
            if (order->ahead > 0) {
                hg_lots shown = displayed_at(p, e->id, (hg_side)s, order->price);
                order->ahead = shown < order->ahead ? shown : order->ahead;
            }
        }
    }
}
