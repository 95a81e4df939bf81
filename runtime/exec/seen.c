/* A bounded set of trade ids: linear probing, and a ring that says which id is the oldest. */
#include "base/assert.h"
#include "base/pages.h"
#include "exec/exec_int.h"

#include <stdlib.h>

static uint32_t home(const hg_seen *seen, uint64_t id) {
    uint64_t mixed = id * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mixed >> 32) & seen->mask;
}

bool hg_seen_init(hg_seen *seen, uint32_t capacity) {
    hg_assert(capacity > 0 && (capacity & (capacity - 1)) == 0);
    *seen = (hg_seen){.mask = capacity * 2 - 1, .capacity = capacity};
    seen->table = hg_pages_new((size_t)capacity * 2, sizeof *seen->table);
    seen->order = hg_pages_new(capacity, sizeof *seen->order);
    return seen->table && seen->order;
}

void hg_seen_fini(hg_seen *seen) {
    hg_pages_free(seen->table);
    hg_pages_free(seen->order);
}

/* The place of the id, or the free place where it would go. */
static uint32_t place(const hg_seen *seen, uint64_t id) {
    uint32_t i = home(seen, id);
    while (seen->table[i] != 0 && seen->table[i] != id) {
        i = (i + 1) & seen->mask;
    }
    return i;
}

/* Removes and closes the gap, so that no probe stops too early. */
static void drop(hg_seen *seen, uint64_t id) {
    uint32_t hole = place(seen, id);
    hg_assert(seen->table[hole] == id);
    for (uint32_t i = (hole + 1) & seen->mask; seen->table[i] != 0; i = (i + 1) & seen->mask) {
        uint32_t distance = (i - home(seen, seen->table[i])) & seen->mask;
        if (distance >= ((i - hole) & seen->mask)) {
            seen->table[hole] = seen->table[i];
            hole = i;
        }
    }
    seen->table[hole] = 0;
}

bool hg_seen_has(const hg_seen *seen, uint64_t id) {
    return seen->table[place(seen, id)] == id;
}

bool hg_seen_add(hg_seen *seen, uint64_t id) {
    hg_assert(id != 0);
    if (seen->table[place(seen, id)] == id) {
        return false;
    }
    if (seen->count == seen->capacity) {
        uint64_t oldest = seen->order[seen->head];
        seen->forgotten = oldest > seen->forgotten ? oldest : seen->forgotten;
        drop(seen, oldest);
        seen->head = (seen->head + 1) & (seen->capacity - 1);
        seen->count--;
    }
    seen->table[place(seen, id)] = id;
    seen->order[(seen->head + seen->count) & (seen->capacity - 1)] = id;
    seen->count++;
    return true;
}
