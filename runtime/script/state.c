/* Makes Lua states: the sandbox of a strategy and the stock interpreter of `hedged lua`. */
#include "base/assert.h"
#include "script/script_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lualib.h>

#define GIVEN_UP_KEPT 64

/* Only a bug of the host gets here: every entry is protected. */
static int panic(lua_State *L) {
    char buf[128];
    fprintf(stderr, "lua panic: %s\n", hg_error_value(L, -1, buf, sizeof buf));
    abort();
}

int hg_state_open(hg_script *s) {
    s->memory.soft = hg_script_memory_max(s);
    s->memory.cap = s->memory.soft + HG_MEMORY_OVERDRAFT;
    s->memory.text_max = s->sandbox ? HG_TEXT_MAX + 64 : SIZE_MAX; /* with its header */
    s->lua = lua_newstate(hg_memory_alloc, &s->memory);
    if (!s->lua) return HG_ERR(HG_ENOMEM, "no memory for a Lua state");
    lua_atpanic(s->lua, panic);
    *(hg_script **)lua_getextraspace(s->lua) = s;
    hg_watchdog_start();
    if (hg_coverage_on() || s->pace) hg_hook_clear(s->lua);
    return hg_lua_protect(s, s->sandbox ? l_state_sandbox : l_state_stock, NULL, "start of Lua", 0);
}

/* What may be half changed is not touched again: its memory stays with the process, as its address
 * does, so that tools can tell it from a leak. */
void hg_state_give_up(hg_script *s) {
    static lua_State *volatile kept[GIVEN_UP_KEPT];
    static unsigned count;
    kept[count++ % GIVEN_UP_KEPT] = s->lua;
    (void)kept[0];
    s->lua = NULL;
    memset(&s->memory, 0, sizeof s->memory);
    s->gc_cycle = false;
    s->gc_mark = SIZE_MAX / 4;
    s->given_up = false;
}

void hg_state_close(hg_script *s) {
    if (s->lua) lua_close(s->lua);
    s->lua = NULL;
    hg_memory_fini(&s->memory);
}

/* The names every state needs before the first module is opened. */
static void l_common(lua_State *L) {
    hg_script *s = hg_script_of(L);
    l_names_init(L, &s->names);
    lua_newtable(L);
    s->ref_instruments = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    s->ref_loaded = luaL_ref(L, LUA_REGISTRYINDEX);
    l_api_types(L);
}

static void l_put_library(lua_State *L, const char *name, void (*make)(lua_State *)) {
    l_raise_if_over_budget(L);
    make(L);
    l_api_read_only(L, name);
    lua_setfield(L, -2, name);
}

static void l_make_utf8(lua_State *L) {
    lua_pushcfunction(L, luaopen_utf8);
    lua_call(L, 0, 1);
}

int l_state_sandbox(lua_State *L) {
    l_common(L);
    lua_newtable(L); /* the globals, built beside the stock ones, which are then dropped */
    l_lib_base(L);
    lua_getmetatable(L, -1);
    lua_pushnil(L);
    lua_setmetatable(L, -3); /* not strict yet */
    lua_insert(L, -2);
    l_put_library(L, "string", l_lib_string);
    l_put_library(L, "table", l_lib_table);
    l_put_library(L, "math", l_lib_math);
    l_put_library(L, "coroutine", l_lib_coroutine);
    l_put_library(L, "utf8", l_make_utf8);
    lua_insert(L, -2);
    lua_setmetatable(L, -2);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, LUA_GNAME);
    lua_pop(L, 1);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_gc(L, LUA_GCCOLLECT);
    return 0;
}

/* package.searchers entry: hedged.* modules written in C, then the embedded Lua ones. */
static int l_search_hedged(lua_State *L) {
    const char *name = luaL_checkstring(L, 1);
    if (strncmp(name, "hedged", 6) != 0 || (name[6] && name[6] != '.')) return 0;
    lua_pushcfunction(L, l_require);
    lua_pushvalue(L, 1);
    return 2;
}

int l_state_stock(lua_State *L) {
    luaL_openlibs(L);
    l_common(L);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    for (lua_Integer i = (lua_Integer)lua_rawlen(L, -1); i >= 2; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, l_search_hedged);
    lua_rawseti(L, -2, 2);
    return 0;
}
