#ifndef HG_BASE_RING_H
#define HG_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A fixed-capacity FIFO of equal-sized items in one block allocated at start. Pushing into a full
 * ring fails; the caller decides what that means. Single-threaded. */
typedef struct hg_ring {
    unsigned char *items;
    size_t item_size;
    uint32_t capacity; /* a power of two */
    uint32_t head;
    uint32_t tail;
} hg_ring;

bool hg_ring_init(hg_ring *ring, size_t item_size, uint32_t capacity);
void hg_ring_fini(hg_ring *ring);
bool hg_ring_push(hg_ring *ring, const void *item);
bool hg_ring_pop(hg_ring *ring, void *item);
const void *hg_ring_peek(const hg_ring *ring); /* oldest item or NULL */

static inline uint32_t hg_ring_count(const hg_ring *ring) {
    return ring->tail - ring->head;
}

#endif
