/* What the modules of a session share: the operational failure `nil, message, code`, read-only
 * tables, instruments and underlyings by name. */
#include "base/hash.h"
#include "script/script_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int l_api_fail(lua_State *L, const char *code, const char *format, ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lua_pushnil(L);
    lua_pushstring(L, text);
    lua_pushstring(L, code);
    return 3;
}

hg_script *l_api_session(lua_State *L, const char *what) {
    hg_script *s = hg_script_of(L);
    if (!s->env) luaL_error(L, "%s needs a session (paper, backtest, or hedged.test)", what);
    return s;
}

hg_script *l_api_running(lua_State *L, const char *what) {
    hg_script *s = l_api_session(L, what);
    if (s->env->read_only) luaL_error(L, "%s: this is read-only (hedged repl --write)", what);
    if (s->loading) {
        luaL_error(L, "%s while the file loads; do it in on_start or later", what);
    }
    return s;
}

void l_push_time(lua_State *L, int64_t time_ns) {
    lua_pushnumber(L, (double)time_ns / 1e9);
}

void l_push_nano(lua_State *L, int64_t nano) {
    if (nano == 0) {
        lua_pushnil(L);
    } else {
        lua_pushnumber(L, hg_nano_to_double(nano));
    }
}

/* ---- read-only tables ------------------------------------------------------------------------ */
static int l_missing(lua_State *L) {
    const char *what = lua_tostring(L, lua_upvalueindex(2));
    if (lua_type(L, 2) != LUA_TSTRING) {
        lua_pushnil(L);
        return 1;
    }
    const char *names[128];
    size_t n = 0;
    for (lua_pushnil(L); lua_next(L, lua_upvalueindex(1)) && n < 127; lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING) names[n++] = lua_tostring(L, -2);
    }
    names[n] = NULL;
    l_api_unknown(L, what, 2, names);
}

static int l_proxy_pairs(lua_State *L) {
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    return l_pairs(L);
}

/* The real table on top becomes the __index of an empty one: reads are one more table look-up, and
 * what is missing raises with the nearest name. */
void l_api_read_only(lua_State *L, const char *what) {
    if (!hg_script_of(L)->sandbox) return;
    int real = lua_gettop(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, real);
    lua_setfield(L, -2, what); /* error messages find the names of functions here */
    lua_pop(L, 1);
    lua_createtable(L, 0, 1); /* missing names of the real table */
    lua_pushvalue(L, real);
    lua_pushstring(L, what);
    lua_pushcclosure(L, l_missing, 2);
    lua_setfield(L, -2, "__index");
    if (lua_getmetatable(L, real)) {
        lua_getfield(L, -1, "__call"); /* a callable module stays callable */
        lua_setfield(L, -3, "__call");
        lua_pop(L, 1);
    }
    lua_setmetatable(L, real);
    lua_newtable(L);
    lua_createtable(L, 0, 5);
    lua_pushvalue(L, real);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, what);
    lua_pushcclosure(L, l_api_refuse_write, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushvalue(L, real);
    lua_pushcclosure(L, l_proxy_pairs, 1);
    lua_setfield(L, -2, "__pairs");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_getmetatable(L, real);
    lua_getfield(L, -1, "__call");
    lua_setfield(L, -3, "__call");
    lua_pop(L, 1);
    lua_setmetatable(L, -2);
    lua_replace(L, real);
}

void l_api_types(lua_State *L) {
    l_type_tick(L);
    l_type_instrument(L);
    l_type_order(L);
    l_type_exposure(L);
    l_type_timer(L);
}

/* The module anyone may load, closed to writing in the sandbox. */
int l_open_greeks(lua_State *L) {
    luaopen_hedged_greeks(L);
    l_api_read_only(L, "hedged.greeks");
    return 1;
}

/* Event time; nothing outside a session. */
static int l_event_time(lua_State *L) {
    const hg_script *s = hg_script_of(L);
    if (!s->env) return 0;
    l_push_time(L, hg_script_now(s));
    return 1;
}

int l_open_surface(lua_State *L) {
    l_surface_module(L, l_event_time);
    l_api_read_only(L, "hedged.surface");
    return 1;
}

/* ---- names of instruments and underlyings ---------------------------------------------------- */
uint32_t l_api_instrument(lua_State *L, int index) {
    hg_script *s = hg_script_of(L);
    const uint32_t *object = luaL_testudata(L, index, "instrument");
    if (object) return *object;
    const char *name = luaL_checkstring(L, index);
    return hg_universe_find(s->env->universe, name);
}

/* The search takes a millisecond among 1,000 names: a script that asks at every tick is answered
 * from memory. Orders for what does not exist are told to people as well, once: a script may ignore
 * the answer. */
static const char *nearest_instrument(hg_script *s, const char *name, bool tell) {
    uint64_t hash = hg_hash_bytes(HG_HASH_INIT, name, strlen(name));
    size_t places = sizeof s->unknown / sizeof *s->unknown;
    for (size_t i = 0; i < places; i++) {
        if (s->unknown[i].hash == hash) return s->unknown[i].near;
    }
    const char *near = hg_universe_nearest(s->env->universe, name);
    s->unknown[s->unknown_count % places].hash = hash;
    s->unknown[s->unknown_count % places].near = near;
    if (s->unknown_count++ < places && tell) {
        char text[256];
        snprintf(text, sizeof text, "unknown instrument '%.100s'%s%.100s%s", name,
                 near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
        hg_script_log(s, HG_LOG_WARN, text);
    }
    return near;
}

int l_api_no_instrument(lua_State *L, int index, bool tell) {
    hg_script *s = hg_script_of(L);
    const char *name = lua_tostring(L, index);
    const char *near = nearest_instrument(s, name, tell);
    return near ? l_api_fail(L, "instrument", "unknown instrument '%s' (did you mean '%s'?)", name,
                             near)
                : l_api_fail(L, "instrument", "unknown instrument '%s'", name);
}

/* The script's own underlying costs one comparison. Raises for unknown names. */
uint32_t l_api_underlying(lua_State *L, int index) {
    hg_script *s = hg_script_of(L);
    const char *name = lua_tostring(L, index);
    if (name && name == s->underlying_key && s->underlying_id != HG_ID_NONE) {
        return s->underlying_id;
    }
    if (lua_isnoneornil(L, index)) {
        if (s->underlying_id == HG_ID_NONE) {
            luaL_error(L, "which underlying? the strategy declares none");
        }
        return s->underlying_id;
    }
    name = luaL_checkstring(L, index);
    uint32_t id = hg_universe_find_underlying(s->env->universe, name);
    if (id == HG_ID_NONE) luaL_error(L, "unknown underlying '%s'", name);
    return id;
}

/* file:line of the strategy's own code that called, looking past the standard library. */
const char *l_caller_line(lua_State *L, char *buf, size_t size) {
    lua_Debug ar;
    buf[0] = '\0';
    for (int level = 1; level < 12 && lua_getstack(L, level, &ar); level++) {
        if (!lua_getinfo(L, "Sl", &ar) || ar.currentline <= 0) continue;
        bool stock = strncmp(ar.source, "@stdlib/", 8) == 0;
        if (stock && buf[0]) continue;
        const char *slash = strrchr(ar.source, '/');
        snprintf(buf, size, "%s:%d", slash ? slash + 1 : ar.source + (*ar.source == '@'),
                 ar.currentline);
        if (!stock) break;
    }
    return buf;
}
