/* hedged.strategy: checks the declaration and turns the author's table into the strategy object,
 * whose parameters are read through its metatable and cannot be assigned. */
#include "base/text.h"
#include "script/script_int.h"

#include <string.h>

const char *const hg_callback_names[HG_CALLBACKS + 1] = {
    "on_start", "on_tick",  "on_depth", "on_trade", "on_fill",
    "on_order", "on_timer", "on_risk",  "on_stop",  NULL,
};

static const char *const reserved[] = {
    "api",     "name",     "underlying", "hedge_with", "subscribe", "state",
    "version", "migrate",  "on_start",   "on_tick",    "on_depth",  "on_trade",
    "on_fill", "on_order", "on_timer",   "on_risk",    "on_stop",   NULL};

static bool is_callback(const char *name) {
    for (int i = 0; i < HG_CALLBACKS; i++) {
        if (strcmp(hg_callback_names[i], name) == 0) return true;
    }
    return false;
}

/* Assignments to fields the table does not have yet. */
static int l_assign(lua_State *L) {
    if (lua_type(L, 2) == LUA_TSTRING) {
        lua_pushvalue(L, 2);
        if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
            return luaL_error(L, "parameter '%s' is read-only; it is set from outside (--set)",
                              lua_tostring(L, 2));
        }
        const char *name = lua_tostring(L, 2);
        if (is_callback(name) && !hg_script_of(L)->loading) {
            return luaL_error(L, "%s after the file was loaded: callbacks are looked up once",
                              name);
        }
        const char *near = strncmp(name, "on_", 3) == 0 && lua_isfunction(L, 3)
                               ? hg_text_nearest(name, reserved)
                               : NULL;
        if (near && strcmp(near, name) != 0) {
            return luaL_error(L, "unknown callback '%s' (did you mean '%s'?)", name, near);
        }
    }
    lua_settop(L, 3);
    lua_rawset(L, 1);
    return 0;
}

/* Two fields may also be text parameters: their values are read once those are set. */
static bool may_be_param(const hg_param *p) {
    return p->type == HG_PARAM_TEXT &&
           (strcmp(p->name, "underlying") == 0 || strcmp(p->name, "hedge_with") == 0);
}

static bool l_field_is_param(lua_State *L, const char *field) {
    lua_getfield(L, 1, field);
    bool is = l_param_is(L, -1);
    lua_pop(L, 1);
    return is;
}

static void l_read_hedge_with(lua_State *L, hg_script *s) {
    s->hedge_count = 0;
    if (l_field_is_param(L, "hedge_with")) return;
    int type = lua_getfield(L, 1, "hedge_with");
    bool list = type == LUA_TTABLE;
    lua_Integer n = list ? (lua_Integer)lua_rawlen(L, -1) : (type != LUA_TNIL);
    luaL_argcheck(L, n <= 8, 1, "hedge_with: at most 8 instruments");
    for (lua_Integer i = 1; i <= n; i++) {
        if (list) {
            lua_rawgeti(L, -1, i);
        } else {
            lua_pushvalue(L, -1);
        }
        if (lua_type(L, -1) != LUA_TSTRING ||
            !hg_text_copy(s->hedge_with[i - 1], HG_NAME_MAX, lua_tostring(L, -1))) {
            luaL_error(L, "hedge_with must be the name of an instrument, or a list of names");
        }
        lua_pop(L, 1);
    }
    s->hedge_count = (uint32_t)n;
    lua_pop(L, 1);
}

static void l_read_subscribe(lua_State *L, hg_script *s) {
    int type = lua_getfield(L, 1, "subscribe");
    luaL_argcheck(L, type == LUA_TNIL || type == LUA_TTABLE, 1,
                  "subscribe must be a list of patterns such as \"BTC-*\"");
    for (lua_Integer i = 1; type == LUA_TTABLE && lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
        l_subscribe_pattern(L, s, luaL_checkstring(L, -1));
        lua_pop(L, 1);
    }
    lua_settop(L, 1);
}

/* Of the state; migrate is called when it differs from that of the code before. */
static void l_read_version(lua_State *L, hg_script *s) {
    int type = lua_getfield(L, 1, "version");
    if (type != LUA_TNIL && !lua_isinteger(L, -1)) {
        luaL_error(L, "version must be an integer: the version of self.state");
    }
    s->versioned = type != LUA_TNIL;
    s->version = lua_tointeger(L, -1);
    lua_pop(L, 1);
}

static void l_read_declaration(lua_State *L, hg_script *s) {
    lua_getfield(L, 1, "api");
    if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) != 1) {
        luaL_error(L, "hedged.strategy: api must be 1, the version this runtime speaks");
    }
    l_read_version(L, s);
    const char *name = l_api_text(L, 1, "name", NULL);
    bool named = s->env && s->env->name;
    if (name && !named) hg_text_copy(s->name, sizeof s->name, name);
    bool later = l_field_is_param(L, "underlying");
    const char *underlying = later ? "" : l_api_text(L, 1, "underlying", "");
    if (!hg_text_copy(s->underlying, sizeof s->underlying, underlying)) {
        luaL_error(L, "underlying '%s' is not the code of a coin", underlying);
    }
    lua_settop(L, 1);
    l_read_hedge_with(L, s);
    l_read_subscribe(L, s);
    s->declared_patterns = s->pattern_count;
}

/* Moves the parameters out of the table at 1 into s->params. Stack: table, values. */
static void l_read_params(lua_State *L, hg_script *s) {
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING) l_param_declare(L, s, lua_tostring(L, -2));
    }
    for (uint32_t i = 0; i < s->param_count; i++) {
        const hg_param *p = &s->params[i];
        for (size_t k = 0; reserved[k]; k++) {
            if (strcmp(p->name, reserved[k]) == 0 && !may_be_param(p)) {
                luaL_error(L, "'%s' cannot be a parameter", p->name);
            }
        }
        lua_pushnil(L);
        lua_setfield(L, 1, p->name);
        l_param_push(L, p);
        lua_setfield(L, 2, p->name);
    }
}

int l_strategy(lua_State *L) {
    hg_script *s = hg_script_of(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (s->declared && s->sandbox) {
        return luaL_error(L, "hedged.strategy is called once in a file");
    }
    if (lua_getmetatable(L, 1)) return luaL_error(L, "hedged.strategy wants a plain table");
    s->param_count = 0;
    s->pattern_count = 0;
    l_read_declaration(L, s);
    lua_newtable(L);
    l_read_params(L, s);
    if (lua_getfield(L, 1, "state") == LUA_TNIL) {
        lua_newtable(L);
        lua_setfield(L, 1, "state");
    } else if (!lua_istable(L, -1)) {
        return luaL_error(L, "state must be a table");
    }
    lua_settop(L, 2);
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, l_assign, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->ref_values);
    lua_pushvalue(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->ref_self);
    s->declared = true;
    return 1;
}
