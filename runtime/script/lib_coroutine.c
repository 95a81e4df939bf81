/*
 * Coroutines of scripts. The host must know which one runs, since a hook belongs to one coroutine:
 * resume and wrap therefore keep the watchdog's `running` up to date, and pass an over-budget hook
 * on to the resumer. A host wait (sleep, await) inside them suspends the whole task: the yield
 * travels outward, and the wake-up travels back in.
 */
#include "script/script_int.h"

#include <lualib.h>

static lua_State *checked(lua_State *L, int index) {
    lua_State *co = lua_tothread(L, index);
    luaL_argexpected(L, co, index, "coroutine");
    return co;
}

static bool is_task(lua_State *L) {
    hg_script *s = hg_script_of(L);
    return s->inside && s->tasks[s->current].co == L;
}

/* Whether the yield that just arrived is the host's: the task waits for an event. */
static bool is_host_wait(lua_State *L) {
    hg_script *s = hg_script_of(L);
    return s->inside && s->tasks[s->current].wait != HG_WAIT_NONE;
}

static int resume_status(lua_State *L, lua_State *co, int nargs, int *results) {
    lua_State *before = hg_watchdog_state.running;
    hg_watchdog_state.running = co;
    int status = lua_resume(co, L, nargs, results);
    hg_watchdog_state.running = before;
    if (hg_watchdog_state.expired) hg_watchdog_arm(L);
    return status;
}

/* Closing runs __close handlers on the closed coroutine. */
static int reset_status(lua_State *L, lua_State *co) {
    lua_State *before = hg_watchdog_state.running;
    hg_watchdog_state.running = co;
    int status = lua_resetthread(co);
    hg_watchdog_state.running = before;
    if (hg_watchdog_state.expired) hg_watchdog_arm(L);
    return status;
}

static int l_resumed(lua_State *L, int status, lua_KContext context);

/* Resumes co with the top `nargs` values of L. Pushes the results; -1 pushes the error. */
static int l_resume_with(lua_State *L, lua_State *co, int nargs, int *status) {
    if (!lua_checkstack(co, nargs)) {
        lua_pushliteral(L, "too many arguments to resume");
        *status = LUA_ERRRUN;
        return -1;
    }
    lua_xmove(L, co, nargs);
    int results = 0;
    *status = resume_status(L, co, nargs, &results);
    if (*status > LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        *status = LUA_ERRRUN;
        return -1;
    }
    lua_xmove(co, L, results);
    return results;
}

/* context: 0 resume, 1 wrap. The coroutine stands at stack index 1. */
static int l_finish(lua_State *L, lua_State *co, int nargs, lua_KContext context) {
    int status;
    int n = l_resume_with(L, co, nargs, &status);
    if (status == LUA_YIELD && is_host_wait(L)) {
        lua_pop(L, n);
        return lua_yieldk(L, 0, context, l_resumed);
    }
    if (n >= 0) {
        if (context == 1) return n;
        lua_pushboolean(L, 1);
        lua_insert(L, -(n + 1));
        return n + 1;
    }
    if (context == 0) {
        lua_pushboolean(L, 0);
        lua_insert(L, -2);
        return 2;
    }
    if (lua_status(co) > LUA_YIELD) reset_status(L, co);
    if (lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

/* The task was woken: what the host answers goes to the inner coroutine. */
static int l_resumed(lua_State *L, int status, lua_KContext context) {
    (void)status;
    lua_State *co = context == 1 ? lua_tothread(L, lua_upvalueindex(1)) : lua_tothread(L, 1);
    int base = context == 1 ? 0 : 1;
    return l_finish(L, co, lua_gettop(L) - base, context);
}

static int l_resume(lua_State *L) {
    lua_State *co = checked(L, 1);
    return l_finish(L, co, lua_gettop(L) - 1, 0);
}

static int l_wrapped(lua_State *L) {
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    return l_finish(L, co, lua_gettop(L), 1);
}

static int l_create(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    hg_hook_clear(co);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

static int l_wrap(lua_State *L) {
    l_create(L);
    lua_pushcclosure(L, l_wrapped, 1);
    return 1;
}

static int l_yield(lua_State *L) {
    if (is_task(L)) {
        return luaL_error(L, "coroutine.yield outside a coroutine of your own; to wait, use "
                             "hedged.sleep or order:await");
    }
    return lua_yield(L, lua_gettop(L));
}

static int l_close(lua_State *L) {
    lua_State *co = checked(L, 1);
    lua_Debug ar;
    if (co == L || (lua_status(co) == LUA_OK && lua_getstack(co, 0, &ar))) {
        return luaL_error(L, "cannot close a running coroutine");
    }
    int status = reset_status(L, co);
    lua_pushboolean(L, status == LUA_OK);
    if (status == LUA_OK) return 1;
    lua_xmove(co, L, 1);
    return 2;
}

void l_lib_coroutine(lua_State *L) {
    static const luaL_Reg own[] = {
        {"create", l_create},
        {"resume", l_resume},
        {"wrap",   l_wrap  },
        {"yield",  l_yield },
        {"close",  l_close },
        {NULL,     NULL    },
    };
    static const char *const kept[] = {"status", "isyieldable", "running", NULL};
    lua_pushcfunction(L, luaopen_coroutine);
    lua_call(L, 0, 1);
    luaL_newlib(L, own);
    for (size_t i = 0; kept[i]; i++) {
        lua_getfield(L, -2, kept[i]);
        lua_setfield(L, -2, kept[i]);
    }
    lua_remove(L, -2);
}
