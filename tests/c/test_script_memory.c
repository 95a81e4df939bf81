/* Cells of Lua states against an oracle: what was written stays, counts are of what was asked for,
 * and everything goes back. */
#include "base/rng.h"
#include "script/memory_int.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define BLOCKS 4000

typedef struct held {
    unsigned char *at;
    size_t size;
    unsigned char mark;
} held;

static hg_memory memory_of_cells(size_t cap) {
    return (hg_memory){.cap = cap, .started = true}; /* cells, also where sanitizers watch */
}

static void check_block(const held *h, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (h->at[i] != h->mark) CHECK_EQ(h->at[i], h->mark);
    }
}

static size_t random_size(hg_rng *rng) {
    uint64_t kind = hg_rng_below(rng, 10);
    if (kind < 6) return 1 + hg_rng_below(rng, 128);
    if (kind < 9) return 1 + hg_rng_below(rng, 1100);
    return 1 + hg_rng_below(rng, 20000);
}

/* One random step on one block: made, resized or freed. Returns the change of live bytes. */
static void step(hg_memory *m, held *h, hg_rng *rng, size_t *live) {
    if (h->at) check_block(h, h->size);
    size_t size = h->at && hg_rng_below(rng, 3) == 0 ? 0 : random_size(rng);
    unsigned char *at = hg_memory_alloc(m, h->at, h->at ? h->size : 5, size);
    CHECK((at != NULL) == (size > 0));
    if (!at && !h->at) return;
    if (h->at) *live -= h->size;
    if (at) {
        CHECK_EQ((uintptr_t)at % 16, 0);
        size_t kept = h->at ? (h->size < size ? h->size : size) : 0;
        check_block(&(held){at, size, h->mark}, kept);
        h->mark = (unsigned char)hg_rng_below(rng, 256);
        memset(at, h->mark, size);
    }
    *h = (held){at, size, h->mark};
    *live += size;
    CHECK_EQ(m->live, *live);
}

TEST(cells_keep_what_was_written) {
    static held blocks[BLOCKS];
    size_t before = hg_runs_held();
    for (uint64_t seed = 1; seed <= 3; seed++) {
        hg_memory m = memory_of_cells((size_t)1 << 30);
        hg_rng rng;
        hg_rng_init(&rng, seed, 7);
        size_t live = 0;
        memset(blocks, 0, sizeof blocks);
        for (int i = 0; i < 60000; i++) {
            step(&m, &blocks[hg_rng_below(&rng, BLOCKS)], &rng, &live);
        }
        for (size_t i = 0; i < BLOCKS; i++) {
            if (!blocks[i].at) continue;
            check_block(&blocks[i], blocks[i].size);
            if (blocks[i].size > 1024) hg_memory_alloc(&m, blocks[i].at, blocks[i].size, 0);
        }
        hg_memory_fini(&m); /* cells still in use go with the state */
    }
    CHECK(hg_runs_held() <= before + (2 << 20));
}

/* What a state frees serves other sizes and other states. */
TEST(runs_without_cells_go_back) {
    enum { COUNT = 200000, SIZE = 64 };
    static void *at[COUNT];
    hg_memory m = memory_of_cells((size_t)1 << 30);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) at[i] = hg_memory_alloc(&m, NULL, 0, SIZE);
        size_t full = hg_runs_held();
        CHECK(full >= (size_t)COUNT * SIZE);
        CHECK(full <= (size_t)COUNT * SIZE * 5 / 4 + (8 << 20));
        for (int i = 0; i < COUNT; i++) hg_memory_alloc(&m, at[(i * 7919L) % COUNT], SIZE, 0);
        CHECK_EQ(m.live, 0);
        CHECK(hg_runs_held() <= full - ((size_t)COUNT * SIZE - (6 << 20)));
    }
    hg_memory_fini(&m);
}

/* 100,000 cells of one size made in a row stand in a row. */
TEST(cells_made_in_a_row_stand_in_a_row) {
    hg_memory m = memory_of_cells((size_t)1 << 30);
    char *last = hg_memory_alloc(&m, NULL, 0, 56);
    int apart = 0;
    for (int i = 0; i < 100000; i++) {
        char *cell = hg_memory_alloc(&m, NULL, 0, 56);
        apart += cell != last + 64;
        CHECK_EQ((uintptr_t)cell % 64, 0); /* a table is one cache line */
        last = cell;
    }
    CHECK(apart <= 2 * 100000 * 64 / 65536 + 8);
    hg_memory_fini(&m);
}

TEST(the_cap_counts_what_was_asked_for) {
    hg_memory m = memory_of_cells(1000);
    void *a = hg_memory_alloc(&m, NULL, 0, 33);
    void *b = hg_memory_alloc(&m, NULL, 0, 967);
    CHECK(a && b);
    CHECK_EQ(m.live, 1000);
    CHECK(!hg_memory_alloc(&m, NULL, 0, 1));
    CHECK(!hg_memory_alloc(&m, a, 33, 34));
    CHECK_EQ(m.refused, 2);
    CHECK(hg_memory_alloc(&m, a, 33, 20) != NULL); /* a shrink is never refused */
    CHECK(hg_memory_alloc(&m, NULL, 0, 13) != NULL);
    CHECK_EQ(m.live, 1000);
    CHECK_EQ(m.peak, 1000);
    hg_memory_fini(&m);
}
