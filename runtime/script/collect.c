/*
 * When Lua's collector runs: never inside a callback, always between two events.
 *
 * Two clocks drive it. After each event it advances by an amount that depends on what scripts have
 * allocated and on nothing else, so that two runs of a session collect at the same places. While a
 * session waits for its next event it gets further than that, and usually all collections are done
 * there. That may depend on the wall clock because no script can tell: there are no weak tables and
 * no finalizers, `pairs` is sorted, and memory counts against the limit only once a whole
 * collection has found it in use (enter.c). `collectgarbage("count")` could tell: there is none.
 *
 * Lua does two things in one piece: it marks what one table holds, and at the end of marking it
 * goes again through every table that was written to since it was marked, and through what is new
 * there. So a large heap is marked in a hurry, over few events, and swept at leisure.
 */
#include "base/clock.h"
#include "script/script_int.h"

#define SLACK ((size_t)256 << 10) /* growth that never starts a collection */
/* A step is about 800 objects or slots: 10 to 60 us, as they lie in the cache or do not. */
#define STEP_LOG2 7
#define PIECE 2048u /* one more step for each so many bytes that an event left */
#define STEPS 8
#define BURST 16384u /* beyond them: who allocates a lot has taken longer than this does */
#define HURRY ((size_t)3 << 20) /* one more step after an event while so much is being marked */
#define HURRY_STEPS 3
#define FREED 8192u /* by one step: it sweeps */

void l_collect_begin(lua_State *L) {
    lua_gc(L, LUA_GCINC, 0, 0, STEP_LOG2);
    lua_gc(L, LUA_GCSTOP);
    l_collect_all(L);
}

void l_collect_all(lua_State *L) {
    for (int cycle = 0; cycle < 2; cycle++) { /* the one under way, and a whole one */
        while (!lua_gc(L, LUA_GCSTEP, 0)) l_raise_if_over_budget(L);
    }
}

/* A collection is due when memory has grown by half since the last one; by three eighths where
 * nobody waits, so that it is usually done before. */
static bool begin(hg_script *s, size_t eighths) {
    size_t live = s->memory.live;
    if (s->gc_cycle) return true;
    if (live < s->gc_mark + s->gc_mark / 8 * eighths + SLACK / 4 * eighths) return false;
    s->gc_cycle = true;
    s->gc_sweeps = false;
    s->gc_last = live;
    return true;
}

/* Only sweeping frees objects, which is how it is told from marking; that shrinks stacks. */
static void step(hg_script *s) {
    size_t before = s->memory.live;
    s->gc_cycle = !lua_gc(s->lua, LUA_GCSTEP, 0);
    s->gc_sweeps = s->gc_sweeps || s->memory.live + FREED < before;
}

static void end(hg_script *s) {
    s->gc_last = s->memory.live;
    if (!s->gc_cycle) s->gc_mark = s->memory.live;
}

void hg_script_idle(hg_script *s) {
    if (!begin(s, 4)) return;
    size_t live = s->memory.live;
    size_t grown = live > s->gc_last ? live - s->gc_last : 0;
    size_t hurry = s->gc_sweeps ? 0 : s->gc_mark / HURRY;
    size_t steps = 1 + grown / PIECE + (hurry < HURRY_STEPS ? hurry : HURRY_STEPS);
    if (steps > STEPS) steps = STEPS + grown / BURST;
    bool sweeps = s->gc_sweeps;
    while (steps-- > 0 && s->gc_cycle) {
        step(s);
        if (s->gc_sweeps != sweeps && grown < BURST) break; /* that step was a long one */
    }
    end(s);
}

bool hg_script_rest(hg_script *s, int64_t budget_ns) {
    if (!s->lua || !begin(s, 3)) return false;
    int64_t until = hg_clock_monotonic_ns() + budget_ns;
    do {
        step(s);
    } while (s->gc_cycle && hg_clock_monotonic_ns() < until);
    end(s);
    return s->gc_cycle;
}
