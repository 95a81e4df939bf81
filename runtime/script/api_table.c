/* Tables in and out of modules: fields that must be known, typed values, metatables that cannot be
 * changed. No session is needed, so that a module of these alone also loads in plain Lua. */
#include "base/text.h"
#include "script/script_int.h"

#include <stdlib.h>
#include <string.h>

void l_api_unknown(lua_State *L, const char *what, int key, const char *const *names) {
    if (lua_type(L, key) != LUA_TSTRING) {
        bool list = lua_isinteger(L, key) && names[0];
        luaL_error(L,
                   list ? "%s: wants fields by their names, such as %s ="
                        : "%s: a %s is not a field name",
                   what, list ? names[0] : luaL_typename(L, key));
    }
    const char *name = lua_tostring(L, key);
    const char *near = hg_text_nearest(name, names);
    if (near) luaL_error(L, "%s has no field '%s' (did you mean '%s'?)", what, name, near);
    luaL_error(L, "%s has no field '%s'", what, name);
    abort(); /* not reached: luaL_error does not return */
}

void l_api_check_fields(lua_State *L, int table, const char *what, const char *const *names) {
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
        size_t i = 0;
        while (name && names[i] && strcmp(names[i], name) != 0) i++;
        if (!name || !names[i]) l_api_unknown(L, what, lua_gettop(L) - 1, names);
    }
}

double l_api_number(lua_State *L, int table, const char *field, double fallback) {
    int type = lua_getfield(L, table, field);
    double value = fallback;
    if (type == LUA_TNUMBER) {
        value = lua_tonumber(L, -1);
    } else if (type != LUA_TNIL) {
        luaL_error(L, "field '%s' must be a number, got %s", field, luaL_typename(L, -1));
    }
    lua_pop(L, 1);
    return value;
}

const char *l_api_text(lua_State *L, int table, const char *field, const char *fallback) {
    int type = lua_getfield(L, table, field);
    const char *value = fallback;
    if (type == LUA_TSTRING) {
        value = lua_tostring(L, -1); /* kept alive by the table */
    } else if (type != LUA_TNIL) {
        luaL_error(L, "field '%s' must be a text, got %s", field, luaL_typename(L, -1));
    }
    lua_pop(L, 1);
    return value;
}

bool l_api_bool(lua_State *L, int table, const char *field) {
    int type = lua_getfield(L, table, field);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN) {
        luaL_error(L, "field '%s' must be true or false, got %s", field, luaL_typename(L, -1));
    }
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

int l_api_refuse_write(lua_State *L) {
    return luaL_error(L, "%s is read-only", lua_tostring(L, lua_upvalueindex(1)));
}

int l_api_module(lua_State *L, const luaL_Reg *functions) {
    lua_newtable(L);
    luaL_setfuncs(L, functions, 0);
    return 1;
}

/* A userdata metatable: locked, not writable. Leaves it on top. */
void l_api_metatable(lua_State *L, const char *name, const luaL_Reg *functions) {
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, functions, 0);
    lua_pushstring(L, name);
    lua_pushcclosure(L, l_api_refuse_write, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
}
