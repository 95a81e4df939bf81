/* The budget of an entry into Lua goes on over its slices: what is left of it is set again at each
 * return, so an endless load ends after as much CPU time as without slices. */
#include "script/pace.h"

#include "base/assert.h"
#include "base/clock.h"
#include "script/reload_int.h"

#define STACK_SIZE ((size_t)2 << 20) /* 200 nested C calls of Lua need a quarter of it */
#define HOOK_COUNT 1000              /* instructions: a few microseconds */

int hg_pace_open(hg_pace *p) {
    *p = (hg_pace){.fiber = hg_fiber_new(STACK_SIZE)};
    return p->fiber ? HG_OK : HG_ERR(HG_ENOMEM, "no memory for a second stack");
}

void hg_pace_close(hg_pace *p) {
    hg_pace_cancel(p);
    hg_fiber_free(p->fiber);
    *p = (hg_pace){0};
}

void hg_pace_begin(hg_pace *p, int (*work)(void *), void *argument) {
    p->cancelled = false;
    p->sequence = 0;
    hg_fiber_begin(p->fiber, work, argument);
}

int hg_pace_step(hg_pace *p, int64_t budget_ns) {
    int result = 1;
    p->until_ns = hg_clock_monotonic_ns() + budget_ns;
    p->cpu_ns = hg_clock_thread_ns();
    bool ended = hg_fiber_resume(p->fiber, &result);
    hg_assert(!ended || result != 1);
    return result;
}

bool hg_pace_is_busy(const hg_pace *p) {
    return p->fiber && hg_fiber_is_busy(p->fiber);
}

void hg_pace_cancel(hg_pace *p) {
    if (!hg_pace_is_busy(p)) return;
    int result;
    p->cancelled = true;
    bool ended = hg_fiber_resume(p->fiber, &result);
    hg_assert(ended);
    hg_error_clear();
}

/* Leaves in the middle of an entry into Lua. */
static void pause_entry(hg_pace *p) {
    hg_watchdog *w = &hg_watchdog_state;
    lua_State *running = w->running;
    uint64_t sequence = atomic_load_explicit(&w->sequence, memory_order_relaxed);
    int64_t budget = atomic_load_explicit(&w->budget_ns, memory_order_relaxed);
    int64_t left = sequence == p->sequence ? p->left_ns : budget;
    if (budget > 0) left -= hg_clock_thread_ns() - p->cpu_ns;
    (void)hg_watchdog_leave(NULL);
    hg_fiber_pause(p->fiber);
    bool over = budget > 0 && left <= 0;
    (void)hg_watchdog_enter(running, budget <= 0 ? 0 : over ? 1 : left);
    p->sequence = atomic_load_explicit(&w->sequence, memory_order_relaxed);
    p->left_ns = left;
    if (over) w->expired = 1;
}

bool hg_pace_poll(hg_pace *p) {
    if (!p || !p->fiber || !hg_fiber_is_inside(p->fiber)) return true;
    if (p->cancelled) return false;
    if (hg_clock_monotonic_ns() < p->until_ns) return true;
    uint64_t sequence = atomic_load_explicit(&hg_watchdog_state.sequence, memory_order_relaxed);
    if (sequence & 1) {
        pause_entry(p);
    } else {
        hg_fiber_pause(p->fiber);
    }
    return !p->cancelled;
}

bool hg_pace_leave(hg_pace *p) {
    if (p) p->until_ns = INT64_MIN;
    return hg_pace_poll(p);
}

void l_pace(lua_State *L) {
    hg_pace *p = hg_script_of(L)->pace;
    if (!p || hg_watchdog_state.expired) return;
    if (!hg_pace_poll(p)) hg_watchdog_state.expired = 1;
    l_stop_if_expired(L);
}

static void on_count(lua_State *L, lua_Debug *ar) {
    (void)ar;
    if (hg_script_of(L)->pace) {
        l_pace(L);
    } else {
        hg_hook_clear(L); /* a coroutine made while the file loaded; it runs the session now */
    }
}

void hg_pace_hook(lua_State *L) {
    lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_COUNT);
}

void hg_script_unpace(hg_script *s) {
    s->pace = NULL;
    if (s->lua) hg_hook_clear(s->lua);
}
