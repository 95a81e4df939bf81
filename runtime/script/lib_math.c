/* The math library of the sandbox: the stock functions, and random numbers of the session's seed,
 * one stream per strategy, the same on every machine. */
#include "script/script_int.h"

#include <lualib.h>

static int l_random(lua_State *L) {
    hg_rng *rng = &hg_script_of(L)->rng;
    int n = lua_gettop(L);
    if (n == 0) {
        lua_pushnumber(L, hg_rng_uniform(rng));
        return 1;
    }
    lua_Integer low = n == 1 ? 1 : luaL_checkinteger(L, 1);
    lua_Integer high = luaL_checkinteger(L, n == 1 ? 1 : 2);
    if (n > 2) return luaL_error(L, "wrong number of arguments");
    if (n == 1 && high == 0) {
        lua_pushinteger(L, (lua_Integer)hg_rng_next(rng));
        return 1;
    }
    luaL_argcheck(L, low <= high, n, "interval is empty");
    uint64_t last = (uint64_t)high - (uint64_t)low;
    uint64_t pick = last == UINT64_MAX ? hg_rng_next(rng) : hg_rng_below(rng, last + 1);
    lua_pushinteger(L, (lua_Integer)((uint64_t)low + pick));
    return 1;
}

static int l_randomseed(lua_State *L) {
    hg_script *s = hg_script_of(L);
    uint64_t seed = (uint64_t)luaL_checkinteger(L, 1);
    hg_rng_init(&s->rng, s->env ? s->env->seed ^ seed : seed, s->index);
    return 0;
}

void l_lib_math(lua_State *L) {
    static const char *const kept[] = {
        "abs",  "acos", "asin", "atan", "ceil", "cos",        "deg",  "exp", "floor",
        "fmod", "huge", "log",  "max",  "min",  "maxinteger", "modf", "pi",  "mininteger",
        "rad",  "sin",  "sqrt", "tan",  "type", "tointeger",  "ult",  NULL};
    lua_pushcfunction(L, luaopen_math);
    lua_call(L, 0, 1);
    lua_createtable(L, 0, 28);
    for (size_t i = 0; kept[i]; i++) {
        lua_getfield(L, -2, kept[i]);
        lua_setfield(L, -2, kept[i]);
    }
    lua_remove(L, -2);
    lua_pushcfunction(L, l_random);
    lua_setfield(L, -2, "random");
    lua_pushcfunction(L, l_randomseed);
    lua_setfield(L, -2, "randomseed");
}
