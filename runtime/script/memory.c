/*
 * The allocator of one Lua state: a cap on live bytes, and cells for small blocks. Growth past the
 * cap is refused, which Lua answers with an emergency collection and then an ordinary error.
 *
 * What a state asks for first (its libraries, the strategy's code) is cut from runs in the order of
 * asking, so that what belongs together shares cache lines and pages; those cells are reused but
 * never given back before the state is closed. Beyond that each run holds cells of one size, and is
 * given back once all of them are free.
 *
 * That collection cannot be interrupted (30 ms for 64 MiB of small tables), so it should not come
 * to it: some way below the cap, at the limit of the strategy, a hook is set that collects in steps
 * and stops the script if that does not help.
 */
#include "script/memory_int.h"

#include "base/assert.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <lua.h>

#define MIXED_RUNS 4u     /* runs cut in the order of asking */
#define BATCH_BYTES 4096u /* cells made ready at once: untouched memory stays untouched */
#define LINE 64u
#define COLOURS 47u /* places where a state's first cell may be */
#define COLOUR_BYTES 1024u
#define STACK_BYTES 65536u /* of a coroutine, where more is endless growth */

struct hg_cell {
    struct hg_cell *next;
};

/* At the start of each run. */
typedef struct hg_run {
    char pool[LINE];                                /* the pool's */
    struct hg_run *next, *prev;                     /* all of the state */
    struct hg_run *next_with_free, *prev_with_free; /* a ring; NULL while not in it */
    struct hg_cell *free;
    uint32_t free_count;
    uint32_t used; /* cells handed out, those in hg_memory.free included */
    uint32_t cell; /* size; 0 for mixed ones */
    uint32_t cut;  /* offset of the cells not yet used */
} hg_run;

#define FIRST ((sizeof(hg_run) + LINE - 1) / LINE * LINE)

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BY_MALLOC true
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define BY_MALLOC true
#endif
#ifndef BY_MALLOC
#define BY_MALLOC false
#endif

static bool is_small(const hg_memory *m, size_t size) {
    return size <= HG_CELL_CLASSES * HG_CELL && !m->by_malloc;
}

static uint32_t class_of(size_t size) {
    return (uint32_t)((size - 1) / HG_CELL);
}

static hg_run *run_of(const void *cell) {
    return (void *)((char *)(uintptr_t)cell - (uintptr_t)cell % HG_RUN_SIZE);
}

/* ---- runs ------------------------------------------------------------------------------------ */
static hg_run *run_new(hg_memory *m, uint32_t cell) {
    hg_run *r = hg_run_take();
    if (!r) return NULL;
    memset((char *)r + LINE, 0, sizeof *r - LINE);
    r->cell = cell;
    r->cut = FIRST;
    r->next = m->runs;
    if (r->next) r->next->prev = r;
    m->runs = r;
    return r;
}

static void run_free(hg_memory *m, hg_run *r) {
    if (r->next) r->next->prev = r->prev;
    *(r->prev ? &r->prev->next : &m->runs) = r->next;
    hg_run_give(r);
}

/* The runs of a class that have free cells are a ring; the oldest is used first: when the collector
 * sweeps, that one is done with. */
static void ring_add(hg_memory *m, uint32_t class, hg_run *r) {
    hg_run *head = m->with_free[class];
    if (!head) {
        m->with_free[class] = r->next_with_free = r->prev_with_free = r;
        return;
    }
    r->next_with_free = head;
    r->prev_with_free = head->prev_with_free;
    head->prev_with_free->next_with_free = r;
    head->prev_with_free = r;
}

static void ring_remove(hg_memory *m, uint32_t class, hg_run *r) {
    if (r->next_with_free == r) {
        m->with_free[class] = NULL;
    } else {
        r->prev_with_free->next_with_free = r->next_with_free;
        r->next_with_free->prev_with_free = r->prev_with_free;
        if (m->with_free[class] == r) m->with_free[class] = r->next_with_free;
    }
    r->next_with_free = r->prev_with_free = NULL;
}

/* ---- cells ----------------------------------------------------------------------------------- */
static void start(hg_memory *m) {
    m->started = true;
    m->by_malloc = BY_MALLOC;
}

/* A piece of a mixed run. Tables fill a cache line: they get one of their own. States start at
 * different places, or the same objects of all strategies would compete for the same places in the
 * caches. */
static void *cut_mixed(hg_memory *m, uint32_t cell) {
    static atomic_uint states;
    if (m->cut) m->cut += cell == LINE ? -(uintptr_t)m->cut % LINE : 0;
    if (!m->cut || m->cut + cell > m->cut_end) {
        hg_run *r = m->cut_runs < MIXED_RUNS ? run_new(m, 0) : NULL;
        if (!r) return NULL;
        unsigned colour = m->cut_runs++ == 0 ? atomic_fetch_add(&states, 5) % COLOURS : 0;
        m->cut = (char *)r + FIRST + (size_t)colour * COLOUR_BYTES;
        m->cut_end = (char *)r + HG_RUN_SIZE;
    }
    void *block = m->cut;
    m->cut += cell;
    return block;
}

/* Untouched cells of the run become ready, a page at a time. */
static struct hg_cell *cut_batch(hg_run *r) {
    uint32_t count = (HG_RUN_SIZE - r->cut) / r->cell;
    if (count > BATCH_BYTES / r->cell) count = BATCH_BYTES / r->cell;
    char *first = (char *)r + r->cut;
    for (uint32_t i = 0; i < count; i++) {
        struct hg_cell *cell = (void *)(first + (size_t)i * r->cell);
        cell->next = i + 1 < count ? (void *)(first + (size_t)(i + 1) * r->cell) : NULL;
    }
    r->cut += count * r->cell;
    r->used += count;
    return (void *)first;
}

static bool run_is_cut(const hg_run *r) {
    return r->cut + r->cell > HG_RUN_SIZE;
}

static void *cell_refill(hg_memory *m, uint32_t class) {
    uint32_t size = (class + 1) * HG_CELL;
    if (m->cut_runs < MIXED_RUNS || m->cut + size <= m->cut_end) {
        void *block = cut_mixed(m, size);
        if (block) return block;
    }
    hg_run *r = m->with_free[class];
    if (!r) {
        r = run_new(m, size);
        if (!r) return NULL;
        ring_add(m, class, r);
    }
    struct hg_cell *cells = r->free;
    if (cells) {
        r->used += r->free_count;
        r->free = NULL;
        r->free_count = 0;
    } else {
        cells = cut_batch(r);
    }
    if (run_is_cut(r)) ring_remove(m, class, r);
    m->free[class] = cells->next;
    return cells;
}

static void cell_free(hg_memory *m, void *block, size_t size) {
    struct hg_cell *cell = block;
    hg_run *r = run_of(block);
    if (r->cell == 0) {
        cell->next = m->free[class_of(size)];
        m->free[class_of(size)] = cell;
        return;
    }
    uint32_t class = class_of(r->cell);
    cell->next = r->free;
    r->free = cell;
    r->free_count++;
    r->used--;
    if (!r->next_with_free) ring_add(m, class, r);
    if (r->used == 0 && r->next_with_free != r) {
        ring_remove(m, class, r);
        run_free(m, r);
    }
}

/* ---- blocks ---------------------------------------------------------------------------------- */
static void *block_new(hg_memory *m, size_t size) {
    if (!is_small(m, size)) return malloc(size);
    uint32_t class = class_of(size);
    struct hg_cell *cell = m->free[class];
    if (!cell) return cell_refill(m, class);
    m->free[class] = cell->next;
    return cell;
}

static void block_free(hg_memory *m, void *block, size_t size) {
    if (is_small(m, size)) {
        cell_free(m, block, size);
    } else {
        free(block);
    }
}

static void *block_resize(hg_memory *m, void *block, size_t old_size, size_t size) {
    bool was_small = is_small(m, old_size);
    if (!was_small && !is_small(m, size)) return realloc(block, size);
    if (was_small && is_small(m, size) && class_of(old_size) == class_of(size)) return block;
    void *fresh = block_new(m, size);
    if (!fresh) return NULL;
    memcpy(fresh, block, old_size < size ? old_size : size);
    block_free(m, block, old_size);
    return fresh;
}

static void note(hg_memory *m) {
    if (m->live > m->peak) m->peak = m->live;
    bool over = m->soft && m->live > m->soft;
    m->mark = over ? m->soft : m->live;
    if (over) hg_memory_over(m);
}

static void *resize(hg_memory *m, void *block, size_t old_size, size_t size) {
    if (!block) {
        if (m->text_max && size > m->text_max && old_size == LUA_TSTRING) {
            m->long_text = true;
            m->refused++;
            return NULL;
        }
        old_size = 0; /* Lua passes the kind of object here */
    }
    if (size == 0) {
        if (block) block_free(m, block, old_size);
        m->live -= old_size;
        return NULL;
    }
    if (size > old_size && m->live - old_size + size > m->cap) {
        m->refused++;
        m->long_text = false;
        return NULL;
    }
    if (size > old_size && size >= STACK_BYTES && hg_memory_stopped(m)) return NULL;
    if (!m->started) start(m);
    void *fresh = block ? block_resize(m, block, old_size, size) : block_new(m, size);
    if (!fresh) return NULL;
    m->live += size - old_size;
    if (m->live > m->mark) note(m);
    return fresh;
}

void *hg_memory_alloc(void *memory, void *block, size_t old_size, size_t size) {
    hg_memory *m = memory;
    m->busy = 1;
    void *fresh = resize(m, block, old_size, size);
    m->busy = 0;
    return fresh;
}

bool hg_memory_trim(hg_memory *m, size_t count) {
    for (; m->runs && count > 0; count--) run_free(m, m->runs);
    return m->runs != NULL;
}

void hg_memory_fini(hg_memory *m) {
    (void)hg_memory_trim(m, SIZE_MAX);
    memset(m->free, 0, sizeof m->free);
    memset(m->with_free, 0, sizeof m->with_free);
    m->cut = m->cut_end = NULL;
    m->cut_runs = 0;
}
