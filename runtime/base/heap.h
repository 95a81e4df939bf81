#ifndef HG_BASE_HEAP_H
#define HG_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is due when: a bounded queue by time; equal times leave in order of arrival. Allocates once.
 */
typedef struct hg_heap_entry {
    int64_t due_ns;
    uint64_t serial;
    uint32_t slot;
} hg_heap_entry;

typedef struct hg_heap {
    hg_heap_entry *entries;
    unsigned char *items;
    uint32_t *free_slots;
    size_t item_size;
    uint32_t capacity;
    uint32_t count;
    uint64_t serial;
} hg_heap;

bool hg_heap_init(hg_heap *heap, size_t item_size, uint32_t capacity);
void hg_heap_fini(hg_heap *heap);
bool hg_heap_push(hg_heap *heap, int64_t due_ns, const void *item); /* false: full */
bool hg_heap_pop(hg_heap *heap, void *item);
const void *hg_heap_peek(const hg_heap *heap); /* what is due first, or NULL */

static inline int64_t hg_heap_due_ns(const hg_heap *heap) { /* INT64_MAX: empty */
    return heap->count > 0 ? heap->entries[0].due_ns : INT64_MAX;
}

/* The waiting items in no particular order, k < count; taking one out is O(count). */
void *hg_heap_at(const hg_heap *heap, uint32_t k);
void hg_heap_remove(hg_heap *heap, uint32_t k);

#endif
