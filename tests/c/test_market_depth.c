/* Depth against a naive book over random updates. */
#include "base/rng.h"
#include "market/depth.h"
#include "test.h"

#include <string.h>

#define PRICES 200

TEST(equals_a_naive_book) {
    static hg_level bids[PRICES], asks[PRICES];
    static hg_lots naive[2][PRICES];
    hg_depth depth;
    hg_depth_init(&depth, bids, asks, PRICES);
    hg_rng rng;
    hg_rng_init(&rng, 11, 0);
    for (int step = 0; step < 200000; step++) {
        hg_side side = hg_rng_below(&rng, 2) ? HG_BUY : HG_SELL;
        hg_ticks price = (hg_ticks)hg_rng_below(&rng, PRICES);
        hg_lots size = hg_rng_below(&rng, 3) ? (hg_lots)hg_rng_below(&rng, 50) : 0;
        hg_depth_set(&depth, side, price, size);
        naive[side == HG_BUY][price] = size;
        if (step % 97 != 0) {
            continue;
        }
        uint32_t k = 0;
        for (hg_ticks p = PRICES - 1; p >= 0; p--) {
            if (naive[1][p] > 0) {
                const hg_level *level = hg_depth_level(&depth, HG_BUY, k++);
                CHECK(level && level->price == p && level->size == naive[1][p]);
            }
        }
        CHECK_EQ(depth.bid_count, k);
        k = 0;
        for (hg_ticks p = 0; p < PRICES; p++) {
            CHECK_EQ(hg_depth_size(&depth, HG_SELL, p), naive[0][p]);
            if (naive[0][p] > 0) {
                const hg_level *level = hg_depth_level(&depth, HG_SELL, k++);
                CHECK(level && level->price == p && level->size == naive[0][p]);
            }
        }
        CHECK_EQ(depth.ask_count, k);
    }
}

TEST(full_books_drop_the_worst_level) {
    hg_level bids[3], asks[3];
    hg_depth depth;
    hg_depth_init(&depth, bids, asks, 3);
    for (hg_ticks price = 10; price < 14; price++) {
        hg_depth_set(&depth, HG_BUY, price, 1);
        hg_depth_set(&depth, HG_SELL, 100 - price, 1);
    }
    CHECK_EQ(depth.bid_count, 3);
    CHECK_EQ(hg_depth_level(&depth, HG_BUY, 0)->price, 13);
    CHECK_EQ(hg_depth_level(&depth, HG_BUY, 2)->price, 11);
    CHECK_EQ(hg_depth_level(&depth, HG_SELL, 0)->price, 87);
    hg_depth_set(&depth, HG_BUY, 5, 1); /* worse than all: stays out */
    CHECK_EQ(hg_depth_size(&depth, HG_BUY, 5), 0);
    CHECK_EQ(depth.dropped, 3);
}
