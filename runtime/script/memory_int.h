/*
 * Memory of Lua states. Small blocks are cells of runs (64 KiB of cells of one size), so that what
 * was made in a row lies in a row: the collector spends its time waiting for memory, and walks such
 * heaps in half the time it takes with malloc. Large blocks are malloc's.
 */
#ifndef HG_SCRIPT_MEMORY_INT_H
#define HG_SCRIPT_MEMORY_INT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HG_CELL 16u          /* cell sizes are multiples of this */
#define HG_CELL_CLASSES 64u  /* 16 to 1,024 bytes: the stack of a coroutine is one as well */
#define HG_RUN_SIZE 0x10000u /* and alignment: the run of a cell is found by its address */

/* One Lua state. All zero but for the cap is a state without blocks. */
typedef struct hg_memory {
    size_t live, peak; /* bytes asked for, not those of cells: equal on every machine */
    size_t soft; /* the limit: beyond it the script is asked to stop (hg_memory_over); 0: none */
    size_t cap;  /* here allocation fails */
    size_t mark; /* beyond it there is something to note: a new peak, or the limit */
    size_t text_max; /* of one text, 0: no limit */
    bool long_text;  /* what was refused last */
    uint64_t refused;
    volatile sig_atomic_t busy; /* inside the allocator, which cannot be left by a jump */
    bool started;
    bool by_malloc;   /* every block is malloc's, so that sanitizers see what is used after free */
    uint8_t cut_runs; /* how many runs were cut in the order of asking */
    char *cut, *cut_end;
    struct hg_run *runs;                       /* all */
    struct hg_cell *free[HG_CELL_CLASSES];     /* ready cells by size class */
    struct hg_run *with_free[HG_CELL_CLASSES]; /* runs that have more, oldest first */
} hg_memory;

void *hg_memory_alloc(void *memory, void *block, size_t old_size, size_t size); /* lua_Alloc */
/* The script that runs has more than its limit. Called by the allocator, so it only sets a hook. */
void hg_memory_over(const hg_memory *memory);
/* Whether the script that runs is to be stopped: large blocks are then refused. It ends loops of
 * Lua's own C code that no hook can interrupt, as a __call that calls itself. */
bool hg_memory_stopped(const hg_memory *memory);
/* Gives back up to `count` runs of a state that has been closed; true: there are more. */
bool hg_memory_trim(hg_memory *memory, size_t count);
void hg_memory_fini(hg_memory *memory);

/* ---- runs.c: the runs of the whole process --------------------------------------------------- */
/* HG_RUN_SIZE bytes at such an address, NULL when there is no memory. The first 64 are the pool's.
 */
void *hg_run_take(void);
void hg_run_give(void *run);
/* Bytes the process holds for runs. */
size_t hg_runs_held(void);

#endif
