#ifndef HG_MARKET_DEPTH_H
#define HG_MARKET_DEPTH_H

#include "domain/event.h"

/* The level-2 book of one instrument: two sorted arrays with the best level last, so that the usual
 * change (near the touch) moves few bytes. Fixed capacity: the worst level falls off and is
 * counted. */
typedef struct hg_level {
    hg_ticks price;
    hg_lots size;
} hg_level;

typedef struct hg_depth {
    hg_level *bids; /* ascending: best is bids[bid_count - 1] */
    hg_level *asks; /* descending: best is asks[ask_count - 1] */
    uint32_t bid_count, ask_count;
    uint32_t capacity;
    uint64_t dropped; /* levels that fell off */
    int64_t time_ns;  /* of the last update */
} hg_depth;

void hg_depth_init(hg_depth *depth, hg_level *bids, hg_level *asks, uint32_t capacity);
void hg_depth_clear(hg_depth *depth);

/* Sets one level to `size` (0 deletes it). */
void hg_depth_set(hg_depth *depth, hg_side side, hg_ticks price, hg_lots size);

/* k-th best level (0 = touch), NULL beyond the book. side BUY = bids. */
const hg_level *hg_depth_level(const hg_depth *depth, hg_side side, uint32_t k);

/* Size at exactly this price, 0 when there is none. */
hg_lots hg_depth_size(const hg_depth *depth, hg_side side, hg_ticks price);

#endif
