/*
 * Runs for all Lua states: pieces of 64 KiB cut from blocks of 2 MiB, which the kernel may back
 * with one huge page each: a tick of a hundred strategies, or a collection, then waits less for
 * page tables. A block whose runs are all back is returned, but for the last one.
 */
#include "base/assert.h"
#include "script/memory_int.h"

#include <pthread.h>
#include <sys/mman.h>

#define BLOCK_SIZE ((size_t)2 << 20)
#define RUNS (BLOCK_SIZE / HG_RUN_SIZE)
#define ALL_FREE UINT32_MAX /* one bit per run */

/* At the start of each block, in the first bytes of its first run. */
typedef struct block {
    struct block *next, *prev; /* among those with free runs */
    uint32_t free;
} block;

_Static_assert(RUNS == 32 && sizeof(block) <= 64, "one bit per run, in front of the first");

static struct {
    pthread_mutex_t mutex;
    block *with_free;
    size_t blocks, free_runs;
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void link_block(block *b) {
    b->prev = NULL;
    b->next = pool.with_free;
    if (b->next) b->next->prev = b;
    pool.with_free = b;
}

static void unlink_block(block *b) {
    if (b->next) b->next->prev = b->prev;
    *(b->prev ? &b->prev->next : &pool.with_free) = b->next;
}

static block *block_new(void) {
    const int access = PROT_READ | PROT_WRITE;
    char *wide = mmap(NULL, 2 * BLOCK_SIZE, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (wide == MAP_FAILED) return NULL;
    size_t before = (BLOCK_SIZE - (uintptr_t)wide % BLOCK_SIZE) % BLOCK_SIZE;
    block *b = (void *)(wide + before);
    if (before) munmap(wide, before);
    munmap((char *)b + BLOCK_SIZE, BLOCK_SIZE - before);
    madvise(b, BLOCK_SIZE, MADV_HUGEPAGE); /* a wish */
    b->free = ALL_FREE;
    link_block(b);
    pool.blocks++;
    pool.free_runs += RUNS;
    return b;
}

void *hg_run_take(void) {
    pthread_mutex_lock(&pool.mutex);
    block *b = pool.with_free ? pool.with_free : block_new();
    char *run = NULL;
    if (b) {
        run = (char *)b + (size_t)__builtin_ctz(b->free) * HG_RUN_SIZE;
        b->free &= b->free - 1;
        if (b->free == 0) unlink_block(b);
        pool.free_runs--;
    }
    pthread_mutex_unlock(&pool.mutex);
    return run;
}

void hg_run_give(void *run) {
    uintptr_t offset = (uintptr_t)run % BLOCK_SIZE;
    block *b = (void *)((char *)run - offset);
    uint32_t bit = UINT32_C(1) << (offset / HG_RUN_SIZE);
    pthread_mutex_lock(&pool.mutex);
    hg_assert(offset % HG_RUN_SIZE == 0 && !(b->free & bit));
    if (b->free == 0) link_block(b);
    b->free |= bit;
    pool.free_runs++;
    if (b->free == ALL_FREE && pool.free_runs > RUNS) {
        unlink_block(b);
        pool.blocks--;
        pool.free_runs -= RUNS;
        munmap(b, BLOCK_SIZE);
    }
    pthread_mutex_unlock(&pool.mutex);
}

size_t hg_runs_held(void) {
    pthread_mutex_lock(&pool.mutex);
    size_t held = pool.blocks * BLOCK_SIZE;
    pthread_mutex_unlock(&pool.mutex);
    return held;
}
