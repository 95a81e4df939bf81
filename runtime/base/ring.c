/* Ring buffer with free-running 32-bit counters. */
#include "base/ring.h"

#include "base/pages.h"

#include <string.h>

bool hg_ring_init(hg_ring *ring, size_t item_size, uint32_t capacity) {
    uint32_t size = 1;
    while (size < capacity) {
        size *= 2;
    }
    ring->items = hg_pages_new(size, item_size);
    ring->item_size = item_size;
    ring->capacity = size;
    ring->head = 0;
    ring->tail = 0;
    return ring->items != NULL;
}

void hg_ring_fini(hg_ring *ring) {
    hg_pages_free(ring->items);
    ring->items = NULL;
}

static unsigned char *at(const hg_ring *ring, uint32_t i) {
    return ring->items + (size_t)(i & (ring->capacity - 1)) * ring->item_size;
}

bool hg_ring_push(hg_ring *ring, const void *item) {
    if (hg_ring_count(ring) == ring->capacity) {
        return false;
    }
    memcpy(at(ring, ring->tail++), item, ring->item_size);
    return true;
}

bool hg_ring_pop(hg_ring *ring, void *item) {
    if (hg_ring_count(ring) == 0) {
        return false;
    }
    memcpy(item, at(ring, ring->head++), ring->item_size);
    if (ring->head == ring->tail) {
        ring->head = 0; /* a ring that empties again and again stays in the same cache lines */
        ring->tail = 0;
    }
    return true;
}

const void *hg_ring_peek(const hg_ring *ring) {
    return hg_ring_count(ring) == 0 ? NULL : at(ring, ring->head);
}
