/* The module `hedged`: declaration, time, log, and what every strategy needs. */
#include "base/clock.h"
#include "base/text.h"
#include "script/script_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TIMER_TYPE "timer"
#define PERIOD_MIN_S 1e-3
#define AHEAD_MAX_S 3.2e9
#define LOG_LINES_PER_SECOND 200 /* of event time */
#define USER_TIMERS_MAX 1000

/* ---- log ------------------------------------------------------------------------------------- */
void hg_script_log(hg_script *s, hg_log_level level, const char *text) {
    if (!s->env) {
        printf("%s\n", text);
        return;
    }
    if (!s->env->log) return;
    hg_log_room *room = s->env->log_room ? s->env->log_room : &s->log_room;
    uint64_t second = (uint64_t)hg_script_now(s) / (uint64_t)HG_NS_PER_S;
    if (second != room->second) {
        if (room->dropped > 0) {
            char note[64];
            snprintf(note, sizeof note, "%u log lines dropped", room->dropped);
            s->env->log(s->env->context, s->name, HG_LOG_WARN, note);
        }
        room->second = second;
        room->lines = room->dropped = 0;
    }
    if (++room->lines > LOG_LINES_PER_SECOND) {
        room->dropped++;
        return;
    }
    s->env->log(s->env->context, s->name, level, text);
}

/* log(format, ...) as string.format; values without a format are joined by blanks. Pushes the
 * text. */
static const char *l_text(lua_State *L, int first) {
    int last = lua_gettop(L);
    luaL_checkany(L, first);
    bool format = last > first && lua_type(L, first) == LUA_TSTRING &&
                  strchr(lua_tostring(L, first), '%') != NULL;
    if (format) {
        lua_getglobal(L, "string");
        lua_getfield(L, -1, "format");
        lua_insert(L, first);
        lua_pop(L, 1);
        lua_call(L, last - first + 1, 1);
        return lua_tostring(L, -1);
    }
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (int i = first; i <= last; i++) {
        if (i > first) luaL_addchar(&text, ' ');
        l_safe_tostring(L, i);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    return lua_tostring(L, -1);
}

static int l_log_at(lua_State *L, int first, hg_log_level level) {
    hg_script_log(hg_script_of(L), level, l_text(L, first));
    return 0;
}

static int l_log_call(lua_State *L) {
    return l_log_at(L, 2, HG_LOG_INFO);
}
static int l_log_debug(lua_State *L) {
    return l_log_at(L, 1, HG_LOG_DEBUG);
}
static int l_log_info(lua_State *L) {
    return l_log_at(L, 1, HG_LOG_INFO);
}
static int l_log_warn(lua_State *L) {
    return l_log_at(L, 1, HG_LOG_WARN);
}
static int l_log_error(lua_State *L) {
    return l_log_at(L, 1, HG_LOG_ERROR);
}

static int l_alert(lua_State *L) {
    lua_pushfstring(L, "alert: %s", l_text(L, 1));
    hg_script_log(hg_script_of(L), HG_LOG_ERROR, lua_tostring(L, -1));
    return 0;
}

static int l_plot(lua_State *L) {
    hg_script *s = l_api_session(L, "hedged.plot");
    const char *name = luaL_checkstring(L, 1);
    double value = luaL_checknumber(L, 2);
    if (s->env->plot && isfinite(value)) s->env->plot(s->env->context, s->name, name, value);
    return 0;
}

/* ---- time ------------------------------------------------------------------------------------ */
static int l_now(lua_State *L) {
    hg_script *s = l_api_session(L, "hedged.now");
    l_push_time(L, hg_script_now(s));
    return 1;
}

static int l_timer_cancel(lua_State *L) {
    hg_script *s = hg_script_of(L);
    uint64_t *handle = luaL_checkudata(L, 1, TIMER_TYPE);
    lua_pushboolean(L, hg_timer_cancel(s, *handle));
    *handle = 0;
    return 1;
}

void l_push_timer(lua_State *L, uint64_t handle) {
    *(uint64_t *)lua_newuserdatauv(L, sizeof handle, 0) = handle;
    luaL_setmetatable(L, TIMER_TYPE);
}

/* The function at index 2, or a name given to on_timer. */
static int l_add_timer(lua_State *L, const char *what, int64_t time_ns, int64_t period_ns) {
    hg_script *s = hg_script_of(L);
    int type = lua_type(L, 2);
    lua_settop(L, 2);
    if (type == LUA_TNIL) {
        lua_pushstring(L, what);
        lua_replace(L, 2);
    } else if (type != LUA_TFUNCTION && type != LUA_TSTRING) {
        return luaL_argerror(L, 2, "a function, or a name for on_timer, expected");
    }
    if (type != LUA_TFUNCTION && !s->loading && s->ref_callback[HG_CB_TIMER] == LUA_NOREF) {
        return luaL_error(L, "%s without a function needs on_timer", what);
    }
    if (s->heap_count >= USER_TIMERS_MAX) {
        return luaL_error(L, "more than %d timers", USER_TIMERS_MAX);
    }
    const char *name = type == LUA_TFUNCTION ? NULL : lua_tostring(L, 2);
    time_ns = hg_timer_adopt(s, name, time_ns, period_ns);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    uint64_t handle = hg_timer_add(s, time_ns, period_ns, HG_TASK_NONE, ref);
    if (!handle) return luaL_error(L, "more than %d timers", HG_TIMERS_MAX);
    l_push_timer(L, handle);
    return 1;
}

static int64_t l_seconds(lua_State *L, double least) {
    double seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds >= least && seconds <= AHEAD_MAX_S, 1,
                  least > 0 ? "at least 0.001 seconds" : "seconds must not be negative");
    return llround(seconds * 1e9);
}

static int l_every(lua_State *L) {
    hg_script *s = l_api_running(L, "hedged.every");
    int64_t period = l_seconds(L, PERIOD_MIN_S);
    return l_add_timer(L, "every", hg_script_now(s) + period, period);
}

static int l_after(lua_State *L) {
    hg_script *s = l_api_running(L, "hedged.after");
    return l_add_timer(L, "after", hg_script_now(s) + l_seconds(L, 0), 0);
}

/* A moment of event time; one that has passed is due at once. */
static int l_at(lua_State *L) {
    hg_script *s = l_api_running(L, "hedged.at");
    int64_t time_ns = l_seconds(L, 0);
    int64_t now = hg_script_now(s);
    return l_add_timer(L, "at", time_ns > now ? time_ns : now, 0);
}

void l_type_timer(lua_State *L) {
    static const luaL_Reg methods[] = {
        {"cancel", l_timer_cancel},
        {NULL,     NULL          }
    };
    static const luaL_Reg meta[] = {
        {NULL, NULL}
    };
    l_api_metatable(L, TIMER_TYPE, meta);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

/* ---- the module ------------------------------------------------------------------------------ */
static void l_add_log(lua_State *L) {
    static const luaL_Reg levels[] = {
        {"debug", l_log_debug},
        {"info",  l_log_info },
        {"warn",  l_log_warn },
        {"error", l_log_error},
        {NULL,    NULL       },
    };
    luaL_newlib(L, levels);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_log_call);
    lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
    l_api_read_only(L, "hedged.log");
    lua_setfield(L, -2, "log");
}

int l_open_hedged(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"strategy", l_strategy},
        {"param",    l_param   },
        {"trade",    l_trade   },
        {"spawn",    l_spawn   },
        {"sleep",    l_sleep   },
        {"every",    l_every   },
        {"after",    l_after   },
        {"at",       l_at      },
        {"now",      l_now     },
        {"alert",    l_alert   },
        {"plot",     l_plot    },
        {NULL,       NULL      },
    };
    l_api_module(L, functions);
    l_push_exposure_function(L);
    lua_setfield(L, -2, "exposure");
    l_add_log(L);
    l_add_risk(L);
    l_api_read_only(L, "hedged");
    return 1;
}
