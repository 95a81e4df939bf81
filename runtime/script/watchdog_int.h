/*
 * CPU budgets of callbacks. One thread watches the loop thread: entering Lua publishes a sequence
 * number and a budget with relaxed stores (a few ns); on overrun the watcher signals the loop
 * thread, whose handler arms a count hook on the coroutine that runs. No hook is armed otherwise:
 * an armed one makes Lua 2.1 times slower whatever its period.
 */
#ifndef HG_SCRIPT_WATCHDOG_INT_H
#define HG_SCRIPT_WATCHDOG_INT_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

typedef struct hg_watchdog {
    _Atomic uint64_t sequence; /* odd while the loop thread is inside Lua */
    _Atomic int64_t budget_ns; /* CPU time of this entry; 0 = unlimited */
    _Atomic uint64_t overrun;  /* the sequence the watcher found over budget */
    _Atomic uint64_t watched;  /* the sequence the watcher saw last, and ... */
    _Atomic int64_t began_ns;  /* ... the CPU time of the loop thread then */
    _Atomic bool parked;       /* the watcher sleeps until someone enters */
    lua_State *volatile running;
    volatile sig_atomic_t expired; /* this entry is over budget: C loops poll it */
    volatile sig_atomic_t plain;
    bool raised; /* and it is being ended for that: other errors may have come first */
} hg_watchdog;

/* `plain` is set around calls of Lua's own code from functions of the host: an error may be raised
 * from the middle of them. */
extern hg_watchdog hg_watchdog_state;
extern int64_t hg_watchdog_hang_ns; /* CPU time beyond the budget after which the process ends */

/* Starts the watcher (once per process) and makes the calling thread the one it watches. */
void hg_watchdog_start(void);
void hg_watchdog_wake(void);

/* Raises the error that ends an entry over its budget. */
_Noreturn void hg_watchdog_raise(lua_State *co);

/* Raises over-budget errors on every instruction of `co` until the host has regained control. */
void hg_watchdog_arm(lua_State *co);

/* Returns what ran before, for hg_watchdog_leave. */
static inline lua_State *hg_watchdog_enter(lua_State *co, int64_t budget_ns) {
    hg_watchdog *w = &hg_watchdog_state;
    lua_State *before = w->running;
    w->running = co;
    w->expired = 0;
    w->plain = 0;
    w->raised = false;
    atomic_store_explicit(&w->budget_ns, budget_ns, memory_order_relaxed);
    uint64_t sequence = atomic_load_explicit(&w->sequence, memory_order_relaxed);
    atomic_store_explicit(&w->sequence, (sequence + 1) | 1, memory_order_release);
    if (atomic_load_explicit(&w->parked, memory_order_relaxed)) hg_watchdog_wake();
    return before;
}

/* True when the entry went over its budget. */
static inline bool hg_watchdog_leave(lua_State *before) {
    hg_watchdog *w = &hg_watchdog_state;
    uint64_t sequence = atomic_load_explicit(&w->sequence, memory_order_relaxed);
    atomic_store_explicit(&w->sequence, (sequence + 2) & ~UINT64_C(1), memory_order_release);
    w->running = before;
    return w->expired != 0;
}

#endif
