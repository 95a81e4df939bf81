/*
 * Tasks: pooled coroutines in which callbacks and spawned functions run, so that any of them may
 * wait. The pool is reused: a callback that does not wait makes no garbage. The first stack slots
 * of each coroutine hold what every tick needs (self, the tick, on_tick), below the running
 * function.
 *
 * While a task waits, later events of its strategy go on in other tasks, in order.
 */
#include "base/assert.h"
#include "base/clock.h"
#include "script/script_int.h"

#include <math.h>

#define WAIT_MAX_S 3.2e8 /* ten years */

/* A coroutine with its fixed slots, left on top of the stack. */
static lua_State *l_new_coroutine(lua_State *L, const hg_script *s) {
    lua_State *co = lua_newthread(L);
    luaL_checkstack(co, HG_TASK_SLOTS + LUA_MINSTACK, NULL);
    lua_rawgetp(co, LUA_REGISTRYINDEX, &s->ref_self);
    lua_rawgeti(co, LUA_REGISTRYINDEX, s->ref_tick);
    lua_rawgeti(co, LUA_REGISTRYINDEX, s->ref_callback[HG_CB_TICK]);
    return co;
}

static int l_make(lua_State *L) {
    hg_script *s = hg_script_of(L);
    hg_task *t = &s->tasks[s->task_count];
    lua_State *co = l_new_coroutine(L, s);
    t->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    t->co = co;
    s->task_count++;
    return 0;
}

static int l_renew(lua_State *L) {
    hg_task *t = lua_touserdata(L, 1);
    lua_State *co = l_new_coroutine(L, hg_script_of(L));
    lua_rawseti(L, LUA_REGISTRYINDEX, t->ref); /* in place of the old one */
    t->co = co;
    return 0;
}

int hg_task_renew(hg_script *s, uint32_t task) {
    hg_task *t = &s->tasks[task];
    if (t->wait == HG_WAIT_ORDER) s->order_waits--;
    t->wait = HG_WAIT_NONE;
    t->deadline = 0;
    hg_plan_drop(s, task);
    /* What the function still holds is closed (<close> variables), under the same budget. */
    lua_State *before = hg_watchdog_enter(t->co, hg_script_budget(s));
    lua_resetthread(t->co);
    bool late = hg_watchdog_leave(before);
    hg_watchdog_state.expired = 0;
    if (s->given_up) {
        hg_state_give_up(s);
        return HG_ERR(HG_ESTRATEGY, "%s: a __close handler did not end; its state is lost",
                      s->name);
    }
    hg_hook_clear(t->co);
    int rc = hg_lua_protect(s, l_renew, t, "new task", 0);
    if (rc == 0 && late) {
        rc = HG_ERR(HG_ESTRATEGY, "%s: a __close handler ran over its budget", s->name);
    }
    return rc;
}

uint32_t hg_task_take(hg_script *s) {
    if (s->free_count == 0) {
        if (s->task_count == HG_TASKS_MAX) {
            hg_frame_write(s, "tasks", "more than 1024 callbacks and tasks are waiting", "");
            hg_script_park(s);
            return HG_TASK_NONE;
        }
        if (hg_lua_protect(s, l_make, NULL, "new task", 0) < 0) {
            hg_script_park(s);
            return HG_TASK_NONE;
        }
        return s->task_count - 1;
    }
    return s->free_tasks[--s->free_count];
}

void hg_task_release(hg_script *s, uint32_t task) {
    hg_plan_drop(s, task);
    s->free_tasks[s->free_count++] = task;
}

static void run(hg_script *s, uint32_t task, int nargs) {
    hg_tick_check(s);
    hg_lua_enter(s, task, nargs, hg_script_budget(s));
}

void hg_task_wake(hg_script *s, uint32_t task, bool timed_out) {
    hg_task *t = &s->tasks[task];
    hg_assert(t->wait != HG_WAIT_NONE);
    if (t->wait == HG_WAIT_ORDER) s->order_waits--;
    t->wait = HG_WAIT_NONE;
    if (t->deadline) hg_timer_cancel(s, t->deadline);
    t->deadline = 0;
    lua_pushboolean(t->co, timed_out);
    run(s, task, 1);
}

void hg_task_order_done(hg_script *s, uint64_t order) {
    for (uint32_t i = 0; i < s->task_count && s->order_waits > 0; i++) {
        hg_task *t = &s->tasks[i];
        if (t->wait == HG_WAIT_ORDER && t->order == order) hg_task_wake(s, i, false);
        if (s->state != HG_SCRIPT_RUNNING) return;
    }
}

/* A timer's function, or on_timer(self, name) when a name was given. The reference is read inside
 * the protected call and dropped for one-shot timers. */
static int l_timer_done(lua_State *L, int status, lua_KContext context) {
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

static int l_run_timer(lua_State *L) {
    hg_script *s = hg_script_of(L);
    int ref = (int)lua_tointeger(L, 1);
    bool once = lua_toboolean(L, 2);
    int nargs = 0;
    if (lua_rawgeti(L, LUA_REGISTRYINDEX, ref) != LUA_TFUNCTION) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_callback[HG_CB_TIMER]);
        lua_insert(L, -2);
        lua_rawgetp(L, LUA_REGISTRYINDEX, &s->ref_self);
        lua_insert(L, -2);
        nargs = 2;
    }
    if (once) luaL_unref(L, LUA_REGISTRYINDEX, ref);
    lua_callk(L, nargs, 0, 0, l_timer_done);
    return 0;
}

void hg_task_run_timer(hg_script *s, int ref, bool once) {
    uint32_t task = hg_task_take(s);
    if (task == HG_TASK_NONE) return;
    hg_task *t = &s->tasks[task];
    t->label = "timer";
    lua_pushcfunction(t->co, l_run_timer);
    lua_pushinteger(t->co, ref);
    lua_pushboolean(t->co, once);
    run(s, task, 2);
}

/* ---- called by scripts ----------------------------------------------------------------------- */
static int64_t l_duration(lua_State *L, double seconds, const char *what) {
    if (!(seconds >= 0 && seconds <= WAIT_MAX_S)) {
        luaL_error(L, "%s: %f seconds is not a time to wait", what, seconds);
    }
    return (int64_t)llround(seconds * 1e9);
}

static hg_task *l_waiting_task(lua_State *L, const char *what) {
    hg_script *s = l_api_running(L, what);
    if (!s->inside || !lua_isyieldable(L) || s->stopping) {
        luaL_error(L, "%s: cannot wait here%s", what,
                   s->stopping ? " (the strategy is being stopped)"
                               : " (inside a sort, gsub or metamethod call)");
    }
    return &s->tasks[s->current];
}

static void l_set_deadline(lua_State *L, hg_script *s, hg_task *t, int64_t wait_ns) {
    t->deadline = hg_timer_add(s, hg_script_now(s) + wait_ns, 0, s->current, LUA_NOREF);
    if (!t->deadline) luaL_error(L, "more than %d timers", HG_TIMERS_MAX);
}

static int l_slept(lua_State *L, int status, lua_KContext context) {
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

int l_sleep(lua_State *L) {
    hg_task *t = l_waiting_task(L, "hedged.sleep");
    hg_script *s = hg_script_of(L);
    l_set_deadline(L, s, t, l_duration(L, luaL_checknumber(L, 1), "hedged.sleep"));
    t->wait = HG_WAIT_SLEEP;
    return lua_yieldk(L, 0, 0, l_slept);
}

int l_await(lua_State *L, uint64_t order, double timeout_s, lua_KFunction resumed) {
    hg_task *t = l_waiting_task(L, "order:await");
    hg_script *s = hg_script_of(L);
    if (timeout_s < WAIT_MAX_S) {
        l_set_deadline(L, s, t, l_duration(L, timeout_s, "order:await"));
    }
    t->wait = HG_WAIT_ORDER;
    t->order = order;
    s->order_waits++;
    return lua_yieldk(L, 0, 0, resumed);
}

/* hedged.spawn(fn): a task of its own. A timer of zero delay starts it, so that the callback that
 * spawns it ends (or waits) first. */
int l_spawn(lua_State *L) {
    hg_script *s = l_api_running(L, "hedged.spawn");
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    uint64_t handle = hg_timer_add(s, hg_script_now(s), 0, HG_TASK_NONE, ref);
    if (!handle) return luaL_error(L, "more than %d timers and tasks", HG_TIMERS_MAX);
    l_push_timer(L, handle);
    return 1;
}
