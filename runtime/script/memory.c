/*
 * The allocator of one Lua state: a cap on live bytes, and free lists of small blocks so that the
 * usual garbage of a callback costs no call of malloc. Growth past the cap is refused, which Lua
 * answers with an emergency collection and then an ordinary error; a shrink is never refused.
 */
#include "script/script_int.h"

#include <stdlib.h>
#include <string.h>

#define CLASS_SIZE 16u
#define CLASSES 32u
#define CACHED_MAX (1u << 20)

struct hg_block {
    struct hg_block *next;
};

static unsigned class_of(size_t size) {
    return (unsigned)((size - 1) / CLASS_SIZE);
}

static bool is_small(size_t size) {
    return size <= CLASSES * CLASS_SIZE;
}

static void *block_new(hg_memory *m, size_t size) {
    if (!is_small(size)) return malloc(size);
    unsigned c = class_of(size);
    struct hg_block *block = m->free[c];
    if (!block) return malloc((c + 1) * CLASS_SIZE);
    m->free[c] = block->next;
    m->cached -= (c + 1) * CLASS_SIZE;
    return block;
}

static void block_free(hg_memory *m, void *block, size_t size) {
    if (!is_small(size) || m->cached > CACHED_MAX) {
        free(block);
        return;
    }
    struct hg_block *head = block;
    head->next = m->free[class_of(size)];
    m->cached += (class_of(size) + 1) * CLASS_SIZE;
    m->free[class_of(size)] = head;
}

static void *block_resize(hg_memory *m, void *block, size_t old_size, size_t size) {
    if (!is_small(old_size) && !is_small(size)) {
        void *moved = realloc(block, size);
        return moved || size > old_size ? moved : block;
    }
    if (is_small(old_size) && is_small(size) && class_of(old_size) == class_of(size)) return block;
    void *fresh = block_new(m, size);
    if (!fresh) return size <= old_size ? block : NULL;
    memcpy(fresh, block, old_size < size ? old_size : size);
    block_free(m, block, old_size);
    return fresh;
}

void *hg_memory_alloc(void *memory, void *block, size_t old_size, size_t size) {
    hg_memory *m = memory;
    if (!block) old_size = 0; /* Lua passes the kind of object here */
    if (size == 0) {
        if (block) block_free(m, block, old_size);
        m->live -= old_size;
        return NULL;
    }
    if (size > old_size && m->live - old_size + size > m->cap) {
        m->refused++;
        return NULL;
    }
    void *fresh = block ? block_resize(m, block, old_size, size) : block_new(m, size);
    if (!fresh) return NULL;
    m->live += size - old_size;
    if (m->live > m->peak) m->peak = m->live;
    return fresh;
}

void hg_memory_fini(hg_memory *m) {
    for (unsigned c = 0; c < CLASSES; c++) {
        while (m->free[c]) {
            struct hg_block *block = m->free[c];
            m->free[c] = block->next;
            free(block);
        }
    }
}
