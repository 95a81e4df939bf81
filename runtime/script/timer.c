/*
 * Timers of one script: a binary heap ordered by (time, serial), so that equal times fire in the
 * order of their creation. Fixed capacity, no allocation. A handle is slot and generation: one of a
 * timer that is gone finds nothing.
 */
#include "base/assert.h"
#include "script/script_int.h"

#define MOMENT_MAX 10000

static bool earlier(const hg_script *s, uint32_t a, uint32_t b) {
    const hg_timer *x = &s->timers[a];
    const hg_timer *y = &s->timers[b];
    return x->time_ns != y->time_ns ? x->time_ns < y->time_ns : x->serial < y->serial;
}

static void place(hg_script *s, uint32_t at, uint32_t slot) {
    s->heap[at] = slot;
    s->timers[slot].place = at;
}

static void sift_up(hg_script *s, uint32_t at) {
    uint32_t slot = s->heap[at];
    while (at > 0 && earlier(s, slot, s->heap[(at - 1) / 2])) {
        place(s, at, s->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(s, at, slot);
}

static void sift_down(hg_script *s, uint32_t at) {
    uint32_t slot = s->heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= s->heap_count) break;
        if (child + 1 < s->heap_count && earlier(s, s->heap[child + 1], s->heap[child])) child++;
        if (!earlier(s, s->heap[child], slot)) break;
        place(s, at, s->heap[child]);
        at = child;
    }
    place(s, at, slot);
}

static uint64_t handle_of(const hg_script *s, uint32_t slot) {
    return (uint64_t)s->timers[slot].generation << 32 | (slot + 1);
}

uint64_t hg_timer_add(hg_script *s, int64_t time_ns, int64_t period_ns, uint32_t task, int ref) {
    uint32_t slot;
    if (s->timer_free_count > 0) {
        slot = s->timer_free[--s->timer_free_count];
    } else if (s->timer_slots < HG_TIMERS_MAX) {
        slot = s->timer_slots++;
    } else {
        return 0;
    }
    hg_timer *t = &s->timers[slot];
    t->time_ns = time_ns;
    t->serial = ++s->timer_serial;
    t->period_ns = period_ns;
    t->task = task;
    t->ref = ref;
    s->heap_count++;
    place(s, s->heap_count - 1, slot);
    sift_up(s, s->heap_count - 1);
    return handle_of(s, slot);
}

static void remove_slot(hg_script *s, uint32_t slot) {
    uint32_t at = s->timers[slot].place;
    hg_assert(at < s->heap_count && s->heap[at] == slot);
    s->timers[slot].generation++;
    s->timer_free[s->timer_free_count++] = slot;
    uint32_t last = s->heap[--s->heap_count];
    if (last == slot) return;
    place(s, at, last);
    sift_up(s, at);
    sift_down(s, s->timers[last].place);
}

bool hg_timer_cancel(hg_script *s, uint64_t handle) {
    uint32_t slot = (uint32_t)handle - 1;
    if (handle == 0 || slot >= s->timer_slots) return false;
    if (s->timers[slot].generation != (uint32_t)(handle >> 32)) return false;
    if (s->timers[slot].ref != LUA_NOREF)
        luaL_unref(s->lua, LUA_REGISTRYINDEX, s->timers[slot].ref);
    remove_slot(s, slot);
    return true;
}

void hg_timer_clear(hg_script *s) {
    while (s->heap_count > 0) {
        hg_timer *t = &s->timers[s->heap[0]];
        if (t->ref != LUA_NOREF && s->lua) luaL_unref(s->lua, LUA_REGISTRYINDEX, t->ref);
        remove_slot(s, s->heap[0]);
    }
}

void hg_timer_order(hg_script *s) {
    for (uint32_t at = s->heap_count / 2; at-- > 0;) sift_down(s, at);
}

int64_t hg_script_due_ns(const hg_script *s) {
    return s->heap_count > 0 ? s->timers[s->heap[0]].time_ns : INT64_MAX;
}

/* A script that keeps creating timers for the same moment would stop time. */
static bool moment_is_endless(hg_script *s, int64_t now_ns) {
    if (now_ns != s->moment_ns) s->moment_fired = 0;
    s->moment_ns = now_ns;
    if (++s->moment_fired <= MOMENT_MAX) return false;
    hg_frame_write(s, "timers",
                   "more than 10000 timers and tasks ran at one instant: each starts the next "
                   "without waiting; let 1 ms pass (hedged.after(0.001, f), hedged.sleep(0.001))",
                   "");
    hg_script_park(s);
    return true;
}

void hg_script_timer(hg_script *s, int64_t now_ns) {
    while (s->state == HG_SCRIPT_RUNNING && hg_script_due_ns(s) <= now_ns) {
        if (moment_is_endless(s, hg_script_now(s))) return;
        uint32_t slot = s->heap[0];
        hg_timer *t = &s->timers[slot];
        if (t->task != HG_TASK_NONE) {
            uint32_t task = t->task;
            remove_slot(s, slot);
            s->tasks[task].deadline = 0;
            hg_task_wake(s, task, true);
            continue;
        }
        int ref = t->ref;
        if (t->period_ns > 0) { /* keeps its serial: equal periods stay in order */
            t->time_ns += t->period_ns;
            sift_down(s, t->place);
            hg_task_run_timer(s, ref, false);
        } else {
            remove_slot(s, slot);
            hg_task_run_timer(s, ref, true);
        }
    }
}
