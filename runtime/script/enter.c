/*
 * The one place where C enters Lua. Every entry has a CPU budget, every failure becomes one framed
 * text with its traceback, and a failing callback parks its own script and nothing else.
 */
#include "base/assert.h"
#include "script/script_int.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_BUDGET_NS (20 * INT64_C(1000000))
#define DEFAULT_LOAD_NS (500 * INT64_C(1000000))
#define DEFAULT_MEMORY ((size_t)64 << 20)
#define REPORT_RESERVE (1u << 20) /* memory a failing script may use to say why */

int64_t hg_script_budget(const hg_script *s) {
    if (!s->env) return 0;
    return s->env->callback_budget_ns ? s->env->callback_budget_ns : DEFAULT_BUDGET_NS;
}

int64_t hg_script_load_budget(const hg_script *s) {
    if (!s->env) return 0;
    return s->env->load_budget_ns ? s->env->load_budget_ns : DEFAULT_LOAD_NS;
}

size_t hg_script_memory_max(const hg_script *s) {
    if (!s->env) return SIZE_MAX / 4;
    return s->env->memory_max ? s->env->memory_max : DEFAULT_MEMORY;
}

void l_stop_if_expired(lua_State *L) {
    if (!hg_watchdog_state.expired) return;
    hg_watchdog_arm(L);
    hg_watchdog_raise(L);
}

/* More memory than the limit: what is garbage goes first, in pieces and within the budget. */
static void on_starved(lua_State *L, lua_Debug *ar) {
    (void)ar;
    hg_script *s = hg_script_of(L);
    hg_hook_clear(L);
    l_stop_if_expired(L);
    for (int cycle = 0; cycle < 2 && s->memory.live > s->memory.soft; cycle++) {
        while (!lua_gc(L, LUA_GCSTEP, 0)) {
            l_pace(L);
            /* The time went into a search that has found next to nothing: that is no memory. */
            s->starved = s->memory.live > s->memory.soft - s->memory.soft / 16;
            l_stop_if_expired(L);
            s->starved = false;
        }
    }
    s->over = s->memory.live > s->memory.soft;
    if (!s->over) return;
    s->starved = true;
    hg_watchdog_state.expired = 1;
    l_stop_if_expired(L);
}

void hg_memory_over(const hg_memory *memory) {
    lua_State *running = hg_watchdog_state.running;
    if (!running || hg_watchdog_state.expired) return;
    hg_script *s = hg_script_of(running);
    if (&s->memory == memory) {
        s->over = true;
        lua_sethook(running, on_starved, LUA_MASKCOUNT, 1);
    }
}

bool hg_memory_stopped(const hg_memory *memory) {
    lua_State *running = hg_watchdog_state.running;
    if (!hg_watchdog_state.expired || !running) return false;
    if (&hg_script_of(running)->memory != memory) return false;
    hg_watchdog_state.raised = true; /* out of memory is how it is told that its time is over */
    return true;
}

void l_raise_if_over_budget(lua_State *L) {
    if (hg_watchdog_state.expired) hg_watchdog_raise(L);
    l_pace(L);
}

const char *hg_error_value(lua_State *L, int index, char *buf, size_t size) {
    int type = lua_type(L, index);
    if (type == LUA_TSTRING) return lua_tostring(L, index);
    if (type == LUA_TNUMBER) {
        snprintf(buf, size, "%.14g", lua_tonumber(L, index));
    } else {
        snprintf(buf, size, "the error is a %s value, not a text", lua_typename(L, type));
    }
    return buf;
}

/* "file:line: " of the innermost Lua function, "" when there is none. */
static void find_place(lua_State *co, char *buf, size_t size) {
    lua_Debug ar;
    buf[0] = '\0';
    for (int level = 0; lua_getstack(co, level, &ar); level++) {
        if (lua_getinfo(co, "Sl", &ar) && ar.currentline > 0) {
            snprintf(buf, size, "%s:%d: ", ar.short_src, ar.currentline);
            return;
        }
    }
}

/* What went wrong, as one sentence in front of the frame. */
static const char *failure_text(hg_script *s, lua_State *co, int status, int64_t budget_ns,
                                char *buf, size_t size) {
    char place[160];
    if (s->given_up) {
        find_place(co, place, sizeof place);
        snprintf(buf, size,
                 "%sran for more than %g ms of CPU time (its budget) inside one step of Lua, as a "
                 "table whose keys collide; its Lua state is given up",
                 place, (double)budget_ns / 1e6);
        return buf;
    }
    /* An error that was on its way when the time ran out is what ended it. */
    bool other = status != LUA_OK && !hg_watchdog_state.raised;
    if (hg_watchdog_state.expired && !s->starved && !other) {
        find_place(co, place, sizeof place);
        snprintf(buf, size, "%sran for more than %g ms of CPU time (its budget)", place,
                 (double)budget_ns / 1e6);
        return buf;
    }
    if (status == LUA_ERRMEM || s->starved) {
        find_place(co, place, sizeof place);
        if (s->memory.long_text && !s->starved) {
            snprintf(buf, size, "%sout of memory: a text of a strategy has at most %g MiB", place,
                     (double)HG_TEXT_MAX / 1048576.0);
        } else {
            snprintf(buf, size, "%sout of memory: the limit of a strategy is %g MiB", place,
                     (double)s->memory.soft / 1048576.0);
        }
        return buf;
    }
    return hg_error_value(co, -1, buf, size);
}

typedef struct report {
    hg_script *script;
    lua_State *co;
    int status;
    const char *label;
    int64_t budget_ns;
} report;

static int l_report(lua_State *L) {
    report *r = lua_touserdata(L, 1);
    char buf[HG_ERROR_MAX / 2];
    const char *text = failure_text(r->script, r->co, r->status, r->budget_ns, buf, sizeof buf);
    if (r->co != L) {
        luaL_traceback(L, r->co, NULL, 0);
    } else {
        lua_pushliteral(L, "");
    }
    hg_frame_write(r->script, r->label, text, lua_tostring(L, -1));
    return 0;
}

/* Frames the failure with some memory in reserve; even that may fail, never silently. */
static void write_report(report *r) {
    hg_script *s = r->script;
    if (s->given_up) { /* nothing may be made in this state */
        char buf[HG_ERROR_MAX / 2];
        failure_text(s, r->co, r->status, r->budget_ns, buf, sizeof buf);
        hg_frame_write(s, r->label, buf, "");
        return;
    }
    size_t cap = s->memory.cap;
    s->memory.cap = SIZE_MAX / 2 > cap ? cap + REPORT_RESERVE : cap;
    int top = lua_gettop(s->lua);
    lua_pushcfunction(s->lua, l_report);
    lua_pushlightuserdata(s->lua, r);
    if (lua_pcall(s->lua, 1, 0, 0) != LUA_OK) {
        snprintf(s->error, sizeof s->error, "%s failed, and so did the report of why", r->label);
    }
    lua_settop(s->lua, top);
    s->memory.cap = cap;
}

static void fail(hg_script *s, uint32_t task, int status, int64_t budget_ns) {
    hg_task *t = &s->tasks[task];
    bool fatal = hg_watchdog_state.expired || status == LUA_ERRMEM;
    report r = {s, t->co, status, t->label, budget_ns};
    if (!s->given_up) hg_hook_clear(t->co);
    write_report(&r);
    if (s->given_up) hg_state_give_up(s);
    hg_watchdog_state.expired = 0;
    s->starved = s->over = false;
    hg_script_failed(s, task, fatal);
}

void hg_lua_enter(hg_script *s, uint32_t task, int nargs, int64_t budget_ns) {
    hg_task *t = &s->tasks[task];
    hg_assert(!s->inside);
    s->inside = true;
    s->current = task;
    s->stats.callbacks++;
    s->entries++;
    int results = 0;
    lua_State *before = hg_watchdog_enter(t->co, budget_ns);
    int status = lua_resume(t->co, s->lua, nargs, &results);
    bool late = hg_watchdog_leave(before);
    s->inside = false;
    if (status > LUA_YIELD || late) {
        fail(s, task, status, budget_ns);
    } else if (status == LUA_OK) {
        s->fault_row = 0;
        if (results > 0) lua_settop(t->co, HG_TASK_SLOTS);
        hg_task_release(s, task);
    } else {
        hg_assert(t->wait != HG_WAIT_NONE);
        lua_pop(t->co, results);
    }
}

/* Message handler of the main coroutine: C only, so that it always ends. */
static int l_handle(lua_State *L) {
    hg_script *s = hg_script_of(L);
    report *r = lua_touserdata(L, lua_upvalueindex(1));
    char buf[HG_ERROR_MAX / 2];
    if (s->given_up) return 1;
    hg_hook_clear(L);
    const char *text = failure_text(s, L, LUA_ERRRUN, r->budget_ns, buf, sizeof buf);
    luaL_traceback(L, L, NULL, 1);
    hg_frame_write(s, r->label, text, lua_tostring(L, -1));
    r->status = LUA_OK;
    return 1;
}

static int l_run_protected(lua_State *L) {
    report *r = lua_touserdata(L, 1);
    void *argument = lua_touserdata(L, 2);
    lua_CFunction function = *(lua_CFunction *)lua_touserdata(L, 3);
    lua_settop(L, 0);
    lua_pushlightuserdata(L, r);
    lua_pushcclosure(L, l_handle, 1);
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, argument);
    return lua_pcall(L, 1, 0, 1) == LUA_OK ? 0 : lua_error(L);
}

int hg_lua_protect(hg_script *s, lua_CFunction function, void *argument, const char *label,
                   int64_t budget_ns) {
    if (!s->lua) {
        return HG_ERR(HG_ESTATE, "%s: its state was lost; change its file or reload it", s->name);
    }
    report r = {s, s->lua, LUA_ERRRUN, label, budget_ns};
    s->entries++;
    int top = lua_gettop(s->lua);
    hg_assert(lua_checkstack(s->lua, 8));
    hg_tick_check(s);
    lua_pushcfunction(s->lua, l_run_protected);
    lua_pushlightuserdata(s->lua, &r);
    lua_pushlightuserdata(s->lua, argument);
    lua_pushlightuserdata(s->lua, (void *)&function);
    lua_State *before = hg_watchdog_enter(s->lua, budget_ns);
    int status = lua_pcall(s->lua, 3, 0, 0);
    bool late = hg_watchdog_leave(before);
    if (!s->given_up) hg_hook_clear(s->lua);
    int rc = 0;
    if (status != LUA_OK || late) {
        if (r.status != LUA_OK) { /* the handler did not run: out of memory */
            r.status = status;
            write_report(&r);
        }
        rc = HG_ERR(HG_ESTRATEGY, "%s", s->error);
    }
    hg_watchdog_state.expired = 0;
    s->starved = s->over = false;
    if (s->given_up) {
        hg_state_give_up(s);
        bool runs = s->state == HG_SCRIPT_RUNNING || s->state == HG_SCRIPT_PAUSED;
        if (runs) hg_script_park(s);
        return rc;
    }
    lua_settop(s->lua, top);
    return rc;
}
