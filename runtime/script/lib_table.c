/*
 * The table library of the sandbox. The stock functions honour metamethods, through which a C loop
 * can run without end and without a hook; here they take plain tables and bounded ranges only.
 */
#include "script/script_int.h"

#include <lualib.h>

#define RANGE_MAX 10000000
#define SORT_MAX 1000000
#define POLL_MASK 4095

static void l_plain(lua_State *L, int index) {
    static const char *const refused[] = {"__index", "__newindex", "__len"};
    luaL_checktype(L, index, LUA_TTABLE);
    if (!lua_getmetatable(L, index)) return;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        lua_pushstring(L, refused[i]);
        if (lua_rawget(L, -2) != LUA_TNIL) {
            luaL_argerror(L, index, lua_pushfstring(L, "a table without %s expected", refused[i]));
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Runs the stock function in upvalue 1 in our own frame, so that its messages name it. */
static int l_stock(lua_State *L) {
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int l_plain_first(lua_State *L) {
    l_plain(L, 1);
    return l_stock(L);
}

/* Moves `count` elements by one loop that polls; the stock one moves a million before anybody can
 * stop it. `step` is -1 where the ranges overlap and the last one goes first. The tables are plain.
 */
static void l_shift(lua_State *L, lua_Integer from, lua_Integer to, lua_Integer count, int into,
                    lua_Integer step) {
    lua_Integer at = step > 0 ? 0 : count - 1;
    for (lua_Integer k = 0; k < count; k++, at += step) {
        if ((k & POLL_MASK) == POLL_MASK) l_raise_if_over_budget(L);
        lua_rawgeti(L, 1, from + at);
        lua_rawseti(L, into, to + at);
    }
}

/* What is in front of the end by more than a poll's worth is made room for here. */
static int l_insert(lua_State *L) {
    l_plain(L, 1);
    lua_Integer end = (lua_Integer)lua_rawlen(L, 1) + 1;
    lua_Integer at = lua_gettop(L) == 3 ? lua_tointeger(L, 2) : 0;
    if (!lua_isinteger(L, 2) || at < 1 || end - at <= POLL_MASK) return l_stock(L);
    l_shift(L, at, at + 1, end - at, 1, -1);
    lua_rawseti(L, 1, at);
    return 0;
}

static int l_remove(lua_State *L) {
    l_plain(L, 1);
    lua_Integer size = (lua_Integer)lua_rawlen(L, 1);
    lua_Integer at = lua_tointeger(L, 2);
    if (!lua_isinteger(L, 2) || at < 1 || size - at <= POLL_MASK) return l_stock(L);
    lua_rawgeti(L, 1, at);
    l_shift(L, at + 1, at, size - at, 1, 1);
    lua_pushnil(L);
    lua_rawseti(L, 1, size);
    return 1;
}

static void l_range(lua_State *L, lua_Integer from, lua_Integer to) {
    if (to >= from && (lua_Unsigned)to - (lua_Unsigned)from >= RANGE_MAX) {
        luaL_error(L, "range of more than %d elements", RANGE_MAX);
    }
}

/* The stock one joins millions of texts before anybody can stop it: this one polls the budget. */
static int l_concat(lua_State *L) {
    l_plain(L, 1);
    size_t gap_size;
    const char *gap = luaL_optlstring(L, 2, "", &gap_size);
    lua_Integer from = luaL_optinteger(L, 3, 1);
    lua_Integer to = luaL_optinteger(L, 4, (lua_Integer)lua_rawlen(L, 1));
    l_range(L, from, to);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (lua_Unsigned k = 0; from <= to && k <= (lua_Unsigned)to - (lua_Unsigned)from; k++) {
        lua_Integer i = (lua_Integer)((lua_Unsigned)from + k);
        if ((k & POLL_MASK) == POLL_MASK) l_raise_if_over_budget(L);
        if (k > 0) luaL_addlstring(&text, gap, gap_size);
        lua_rawgeti(L, 1, i);
        if (!lua_isstring(L, -1)) {
            return luaL_error(L, "invalid value (at index %I) in table for 'concat'",
                              (LUAI_UACINT)i);
        }
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    return 1;
}

static int l_move(lua_State *L) {
    l_plain(L, 1);
    int into = lua_isnoneornil(L, 5) ? 1 : 5;
    if (into == 5) l_plain(L, 5);
    lua_Integer from = luaL_checkinteger(L, 2);
    lua_Integer last = luaL_checkinteger(L, 3);
    l_range(L, from, last);
    lua_Integer to = luaL_checkinteger(L, 4);
    bool few = last < from || (lua_Unsigned)last - (lua_Unsigned)from <= POLL_MASK;
    if (few || from <= 0 || to > LUA_MAXINTEGER - (last - from)) return l_stock(L);
    bool same = lua_rawequal(L, 1, into);
    l_shift(L, from, to, last - from + 1, into, to > last || to <= from || !same ? 1 : -1);
    lua_pushvalue(L, into);
    return 1;
}

/* Default order of sort, so that a sort of plain numbers can be stopped too. */
static int l_less(lua_State *L) {
    l_raise_if_over_budget(L);
    lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
    return 1;
}

static int l_sort(lua_State *L) {
    l_plain(L, 1);
    if (lua_rawlen(L, 1) > SORT_MAX) return luaL_error(L, "sort of more than %d", SORT_MAX);
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_pushcfunction(L, l_less);
        lua_replace(L, 2);
    }
    return l_stock(L);
}

void l_lib_table(lua_State *L) {
    static const luaL_Reg own[] = {
        {"concat", l_concat     },
        {"insert", l_insert     },
        {"move",   l_move       },
        {"pack",   l_stock      },
        {"remove", l_remove     },
        {"sort",   l_sort       },
        {"unpack", l_plain_first},
        {NULL,     NULL         },
    };
    lua_pushcfunction(L, luaopen_table);
    lua_call(L, 0, 1);
    lua_createtable(L, 0, 8);
    for (size_t i = 0; own[i].name; i++) {
        lua_getfield(L, -2, own[i].name);
        lua_pushcclosure(L, own[i].func, 1);
        lua_setfield(L, -2, own[i].name);
    }
    lua_remove(L, -2);
}
