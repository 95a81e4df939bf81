/* A binary heap of small entries over a pool of items, so that sifting moves 24 bytes whatever the
 * items weigh. */
#include "base/heap.h"

#include "base/assert.h"
#include "base/pages.h"

#include <stdlib.h>
#include <string.h>

bool hg_heap_init(hg_heap *h, size_t item_size, uint32_t capacity) {
    hg_assert(item_size > 0 && capacity > 0);
    *h = (hg_heap){.item_size = item_size, .capacity = capacity};
    h->entries = hg_pages_new(capacity, sizeof *h->entries);
    h->items = hg_pages_new(capacity, item_size);
    h->free_slots = calloc(capacity, sizeof *h->free_slots);
    if (!h->entries || !h->items || !h->free_slots) {
        hg_heap_fini(h);
        return false;
    }
    for (uint32_t i = 0; i < capacity; i++) {
        h->free_slots[i] = i;
    }
    return true;
}

void hg_heap_fini(hg_heap *h) {
    hg_pages_free(h->entries);
    hg_pages_free(h->items);
    free(h->free_slots);
    *h = (hg_heap){0};
}

static bool before(const hg_heap_entry *a, const hg_heap_entry *b) {
    return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->serial < b->serial;
}

static void sift_up(hg_heap *h, uint32_t i, hg_heap_entry entry) {
    while (i > 0 && before(&entry, &h->entries[(i - 1) / 2])) {
        h->entries[i] = h->entries[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->entries[i] = entry;
}

static void sift_down(hg_heap *h, uint32_t i, hg_heap_entry entry) {
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= h->count) {
            break;
        }
        if (child + 1 < h->count && before(&h->entries[child + 1], &h->entries[child])) {
            child++;
        }
        if (!before(&h->entries[child], &entry)) {
            break;
        }
        h->entries[i] = h->entries[child];
        i = child;
    }
    h->entries[i] = entry;
}

/* Slots in use are those not in free_slots[count ..]. */
bool hg_heap_push(hg_heap *h, int64_t due_ns, const void *item) {
    if (h->count == h->capacity) {
        return false;
    }
    uint32_t slot = h->free_slots[h->count];
    memcpy(h->items + (size_t)slot * h->item_size, item, h->item_size);
    uint32_t at = h->count++;
    sift_up(h, at, (hg_heap_entry){due_ns, h->serial++, slot});
    return true;
}

const void *hg_heap_peek(const hg_heap *h) {
    return h->count > 0 ? hg_heap_at(h, 0) : NULL;
}

void *hg_heap_at(const hg_heap *h, uint32_t k) {
    hg_assert(k < h->count);
    return h->items + (size_t)h->entries[k].slot * h->item_size;
}

void hg_heap_remove(hg_heap *h, uint32_t k) {
    hg_assert(k < h->count);
    h->count--;
    h->free_slots[h->count] = h->entries[k].slot;
    if (k == h->count) {
        return;
    }
    hg_heap_entry last = h->entries[h->count];
    if (k > 0 && before(&last, &h->entries[(k - 1) / 2])) {
        sift_up(h, k, last);
    } else {
        sift_down(h, k, last);
    }
}

bool hg_heap_pop(hg_heap *h, void *item) {
    if (h->count == 0) {
        return false;
    }
    memcpy(item, hg_heap_at(h, 0), h->item_size);
    hg_heap_remove(h, 0);
    return true;
}
