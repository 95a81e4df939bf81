/* Our own orders at the paper venue. Each side of an instrument is one list, best price first, then
 * first come; beside it stand its prices, so that a new order finds its place over prices and not
 * over orders, and ids are found by hash.
 *
 * Invariants: orders at one price stand together in the list and share one hg_own_level, whose
 * `first` and `last` they are; levels stand in the order of their prices. */
#include "base/assert.h"
#include "base/pages.h"
#include "exec/paper_int.h"

#include <stdlib.h>

/* --- life ------------------------------------------------------------------------------------- */

int hg_own_open(hg_paper *p) {
    uint32_t capacity = p->options.order_capacity;
    p->bucket_mask = 63;
    while (p->bucket_mask < capacity && p->bucket_mask < UINT32_MAX / 4) {
        p->bucket_mask = p->bucket_mask * 2 + 1;
    }
    p->buckets = calloc((size_t)p->bucket_mask + 1, sizeof *p->buckets);
    p->nodes = hg_pages_new(capacity, sizeof *p->nodes);
    p->own_levels = hg_pages_new(capacity, sizeof *p->own_levels);
    if (!p->buckets || !p->nodes || !p->own_levels) {
        return HG_ERR(HG_ENOMEM, "paper venue of %u orders", capacity);
    }
    p->free_nodes = hg_spare_of(capacity);
    p->free_levels = hg_spare_of(capacity);
    for (uint32_t i = 0; i <= p->bucket_mask; i++) {
        p->buckets[i] = HG_NODE_NONE;
    }
    return HG_OK;
}

void hg_own_close(hg_paper *p) {
    free(p->buckets);
    hg_pages_free(p->nodes);
    hg_pages_free(p->own_levels);
}

/* --- prices ----------------------------------------------------------------------------------- */

static uint32_t level_of(const hg_paper *p, uint32_t node) {
    return node == HG_NODE_NONE ? HG_NODE_NONE : p->nodes[node].level;
}

/* The last level at the price or a better one. Looked for from both ends at once, since orders come
 * either near the touch or far from it. */
static uint32_t level_before(const hg_paper *p, const hg_lane *lane, hg_side side, hg_ticks price) {
    uint32_t front = level_of(p, lane->best);
    uint32_t back = level_of(p, lane->last);
    while (back != HG_NODE_NONE && !hg_reaches(side, price, p->own_levels[back].price)) {
        if (!hg_reaches(side, price, p->own_levels[front].price)) {
            return p->own_levels[front].prev;
        }
        front = p->own_levels[front].next;
        back = p->own_levels[back].prev;
    }
    return back;
}

/* A new level behind `before`. There are as many as orders, so one is free. */
static uint32_t level_add(hg_paper *p, const hg_lane *lane, uint32_t before, hg_ticks price) {
    uint32_t i = hg_spare_first(&p->free_levels);
    hg_assert(i != HG_NODE_NONE);
    hg_spare_take(&p->free_levels, p->own_levels[i].next);
    uint32_t after = before == HG_NODE_NONE ? level_of(p, lane->best) : p->own_levels[before].next;
    p->own_levels[i] = (hg_own_level){price, before, after, HG_NODE_NONE, HG_NODE_NONE};
    if (before != HG_NODE_NONE) {
        p->own_levels[before].next = i;
    }
    if (after != HG_NODE_NONE) {
        p->own_levels[after].prev = i;
    }
    return i;
}

static void level_drop(hg_paper *p, uint32_t i) {
    const hg_own_level *level = &p->own_levels[i];
    if (level->prev != HG_NODE_NONE) {
        p->own_levels[level->prev].next = level->next;
    }
    if (level->next != HG_NODE_NONE) {
        p->own_levels[level->next].prev = level->prev;
    }
    p->own_levels[i].next = p->free_levels.back;
    p->free_levels.back = i;
}

uint32_t hg_own_at(const hg_paper *p, uint32_t instrument, hg_side side, hg_ticks price) {
    const hg_lane *lane = hg_paper_lane(p, instrument, side);
    uint32_t level = level_before(p, lane, side, price);
    bool there = level != HG_NODE_NONE && p->own_levels[level].price == price;
    return there ? p->own_levels[level].first : HG_NODE_NONE;
}

/* --- orders ----------------------------------------------------------------------------------- */

uint32_t hg_own_find(const hg_paper *p, uint64_t id) {
    uint32_t node = p->buckets[id & p->bucket_mask];
    while (node != HG_NODE_NONE && p->nodes[node].id != id) {
        node = p->nodes[node].chain;
    }
    return node;
}

/* Puts the order at the end of its price. */
static void attach(hg_paper *p, uint32_t node) {
    hg_resting *order = &p->nodes[node];
    hg_lane *lane = hg_paper_lane(p, order->instrument, (hg_side)order->side);
    uint32_t at = level_before(p, lane, (hg_side)order->side, order->price);
    uint32_t before = at == HG_NODE_NONE ? HG_NODE_NONE : p->own_levels[at].last;
    if (at == HG_NODE_NONE || p->own_levels[at].price != order->price) {
        at = level_add(p, lane, at, order->price);
        p->own_levels[at].first = node;
    }
    p->own_levels[at].last = node;
    order->level = at;
    order->prev = before;
    order->next = before == HG_NODE_NONE ? lane->best : p->nodes[before].next;
    *(before == HG_NODE_NONE ? &lane->best : &p->nodes[before].next) = node;
    *(order->next == HG_NODE_NONE ? &lane->last : &p->nodes[order->next].prev) = node;
    lane->rested = true;
}

uint32_t hg_own_insert(hg_paper *p, const hg_resting *from) {
    uint32_t node = hg_spare_first(&p->free_nodes);
    if (node == HG_NODE_NONE) {
        return node;
    }
    hg_spare_take(&p->free_nodes, p->nodes[node].next);
    p->nodes[node] = *from;
    p->reducing += from->reduce_only;
    p->held_lots[from->instrument].moved |= from->reduce_only;
    attach(p, node);
    uint32_t *bucket = &p->buckets[from->id & p->bucket_mask];
    p->nodes[node].chain = *bucket;
    *bucket = node;
    return node;
}

static void detach(hg_paper *p, uint32_t node) {
    const hg_resting *order = &p->nodes[node];
    hg_lane *lane = hg_paper_lane(p, order->instrument, (hg_side)order->side);
    hg_own_level *level = &p->own_levels[order->level];
    if (level->first == node && level->last == node) {
        level_drop(p, order->level);
    } else if (level->first == node) {
        level->first = order->next;
    } else if (level->last == node) {
        level->last = order->prev;
    }
    *(order->prev == HG_NODE_NONE ? &lane->best : &p->nodes[order->prev].next) = order->next;
    *(order->next == HG_NODE_NONE ? &lane->last : &p->nodes[order->next].prev) = order->prev;
}

static void forget(hg_paper *p, uint32_t node) {
    const hg_resting *order = &p->nodes[node];
    uint32_t *link = &p->buckets[order->id & p->bucket_mask];
    while (*link != node) {
        hg_assert(*link != HG_NODE_NONE);
        link = &p->nodes[*link].chain;
    }
    *link = order->chain;
}

void hg_own_release(hg_paper *p, uint32_t node) {
    detach(p, node);
    forget(p, node);
    p->reducing -= p->nodes[node].reduce_only;
    p->nodes[node].id = 0;
    p->nodes[node].next = p->free_nodes.back;
    p->free_nodes.back = node;
}
