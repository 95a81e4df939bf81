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
    if (!lua_isnoneornil(L, 5)) l_plain(L, 5);
    l_range(L, luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
    return l_stock(L);
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
        {"insert", l_plain_first},
        {"move",   l_move       },
        {"pack",   l_stock      },
        {"remove", l_plain_first},
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
