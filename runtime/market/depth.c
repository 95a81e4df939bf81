/* Level-2 books. Binary search from the arrays' ends, memmove of what lies above the change: real
 * feeds change the ten best levels in nine of ten updates. */
#include "market/depth.h"

#include "base/assert.h"

#include <string.h>

void hg_depth_init(hg_depth *depth, hg_level *bids, hg_level *asks, uint32_t capacity) {
    hg_assert(capacity > 0);
    *depth = (hg_depth){.bids = bids, .asks = asks, .capacity = capacity};
}

void hg_depth_clear(hg_depth *depth) {
    depth->bid_count = 0;
    depth->ask_count = 0;
}

/* Sort key: rises toward the touch on both sides. */
static hg_ticks key_of(hg_side side, hg_ticks price) {
    return side == HG_BUY ? price : -price;
}

/* Index of the first level whose key is >= `key`: the level itself or its place. */
static uint32_t place_of(const hg_level *levels, uint32_t count, hg_side side, hg_ticks key) {
    uint32_t lo = 0;
    uint32_t hi = count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (key_of(side, levels[mid].price) < key) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static void insert(hg_depth *depth, hg_level *levels, uint32_t *count, uint32_t at,
                   hg_level level) {
    if (*count == depth->capacity) {
        depth->dropped++;
        if (at == 0) {
            return; /* the new level is the worst one */
        }
        memmove(levels, levels + 1, (at - 1) * sizeof *levels);
        levels[at - 1] = level;
        return;
    }
    memmove(levels + at + 1, levels + at, (*count - at) * sizeof *levels);
    levels[at] = level;
    ++*count;
}

void hg_depth_set(hg_depth *depth, hg_side side, hg_ticks price, hg_lots size) {
    hg_assert(side == HG_BUY || side == HG_SELL);
    hg_level *levels = side == HG_BUY ? depth->bids : depth->asks;
    uint32_t *count = side == HG_BUY ? &depth->bid_count : &depth->ask_count;
    uint32_t at = place_of(levels, *count, side, key_of(side, price));
    bool found = at < *count && levels[at].price == price;
    if (found && size > 0) {
        levels[at].size = size;
    } else if (found) {
        memmove(levels + at, levels + at + 1, (*count - at - 1) * sizeof *levels);
        --*count;
    } else if (size > 0) {
        insert(depth, levels, count, at, (hg_level){price, size});
    }
}

const hg_level *hg_depth_level(const hg_depth *depth, hg_side side, uint32_t k) {
    const hg_level *levels = side == HG_BUY ? depth->bids : depth->asks;
    uint32_t count = side == HG_BUY ? depth->bid_count : depth->ask_count;
    return k < count ? &levels[count - 1 - k] : NULL;
}

hg_lots hg_depth_size(const hg_depth *depth, hg_side side, hg_ticks price) {
    const hg_level *levels = side == HG_BUY ? depth->bids : depth->asks;
    uint32_t count = side == HG_BUY ? depth->bid_count : depth->ask_count;
    uint32_t at = place_of(levels, count, side, key_of(side, price));
    return at < count && levels[at].price == price ? levels[at].size : 0;
}
