/* What the paper venue sees: the displayed book of the feed, and the lists of our own orders. */
#include "base/assert.h"
#include "exec/paper_int.h"

bool hg_book_has_depth(const hg_paper *p, uint32_t instrument) {
    const hg_depth *depth = hg_market_get(p->market, instrument)->depth;
    return depth && (depth->bid_count > 0 || depth->ask_count > 0);
}

/* k-th level of a side; without depth the quote is the only one. */
bool hg_book_level(const hg_paper *p, uint32_t instrument, hg_side side, uint32_t k,
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
bool hg_book_best(const hg_paper *p, uint32_t instrument, hg_side side, hg_level *out) {
    const hg_market_state *s = hg_market_get(p->market, instrument);
    hg_lots shown = side == HG_BUY ? s->quote.bid_size : s->quote.ask_size;
    if (p->options.fill == HG_FILL_TOUCH && shown > 0 && !s->book_invalid && !s->halted) {
        *out = (hg_level){side == HG_BUY ? s->quote.bid : s->quote.ask, shown};
        return true;
    }
    return hg_book_level(p, instrument, side, 0, out);
}

/* A quote shows its own price and that nothing is better; a book also what lies between its levels.
 * Behind either nobody can see. */
hg_lots hg_book_shown(const hg_paper *p, uint32_t instrument, hg_side side, hg_ticks price) {
    const hg_market_state *s = hg_market_get(p->market, instrument);
    if (s->book_invalid || s->halted || s->settled) {
        return -1;
    }
    if (hg_book_has_depth(p, instrument)) {
        uint32_t count = side == HG_BUY ? s->depth->bid_count : s->depth->ask_count;
        const hg_level *worst = count > 0 ? hg_depth_level(s->depth, side, count - 1) : NULL;
        bool visible = worst && hg_reaches(side, worst->price, price);
        return visible ? hg_depth_size(s->depth, side, price) : -1;
    }
    hg_ticks touch = side == HG_BUY ? s->quote.bid : s->quote.ask;
    hg_lots size = side == HG_BUY ? s->quote.bid_size : s->quote.ask_size;
    if (s->quote.time_ns == 0) {
        return -1;
    }
    if (size == 0) {
        return 0;
    }
    return price == touch ? size : hg_reaches(side, touch, price) ? 0 : -1;
}

/* --- our own lists ---------------------------------------------------------------------------- */

uint32_t hg_own_find(const hg_paper *p, uint64_t id) {
    uint32_t node = p->buckets[id & p->bucket_mask];
    while (node != HG_NODE_NONE && p->nodes[node].id != id) {
        node = p->nodes[node].chain;
    }
    return node;
}

/* The last order at the same or a better price: a new one stands behind it. Looked for from both
 * ends at once, since orders come either near the touch or far from it. */
static uint32_t predecessor(const hg_paper *p, const hg_lane *lane, const hg_resting *order) {
    hg_side side = (hg_side)order->side;
    uint32_t front = lane->best;
    uint32_t back = lane->last;
    while (back != HG_NODE_NONE && !hg_reaches(side, order->price, p->nodes[back].price)) {
        if (!hg_reaches(side, order->price, p->nodes[front].price)) {
            return p->nodes[front].prev;
        }
        front = p->nodes[front].next;
        back = p->nodes[back].prev;
    }
    return back;
}

uint32_t hg_own_insert(hg_paper *p, const hg_resting *from) {
    uint32_t node = p->free_node;
    if (node == HG_NODE_NONE) {
        return node;
    }
    p->free_node = p->nodes[node].next;
    p->nodes[node] = *from;
    p->reducing += from->reduce_only;
    p->held_lots[from->instrument].moved |= from->reduce_only;
    hg_resting *order = &p->nodes[node];
    hg_lane *lane = hg_paper_lane(p, order->instrument, (hg_side)order->side);
    lane->rested = true;
    uint32_t before = predecessor(p, lane, order);
    uint32_t after = before == HG_NODE_NONE ? lane->best : p->nodes[before].next;
    order->prev = before;
    order->next = after;
    *(before == HG_NODE_NONE ? &lane->best : &p->nodes[before].next) = node;
    *(after == HG_NODE_NONE ? &lane->last : &p->nodes[after].prev) = node;
    uint32_t *bucket = &p->buckets[order->id & p->bucket_mask];
    order->chain = *bucket;
    *bucket = node;
    return node;
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

void hg_own_release(hg_paper *p, uint32_t node) {
    detach(p, node);
    p->reducing -= p->nodes[node].reduce_only;
    p->nodes[node].id = 0;
    p->nodes[node].next = p->free_node;
    p->free_node = node;
}
