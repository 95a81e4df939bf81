/* The sandbox against its list; each test that opens a hole proves that the walk sees it. */
#include "script/script_int.h"
#include "test_script_kit.h"

static int walk_after(const char *hole, lua_CFunction make) {
    static const hg_script_env no_session;
    static char found[320];
    hg_script *s = hg_script_new(&no_session, "hole", 0);
    CHECK_EQ(hg_state_open(s), 0);
    if (make) CHECK_EQ(hg_lua_protect(s, make, (void *)(uintptr_t)hole, "hole", 0), 0);
    int rc = hg_allow_walk(s, found, sizeof found);
    printf("%s\n", found);
    if (hole && rc < 0) CHECK(strstr(found, hole));
    hg_script_close(s);
    return rc;
}

/* Stock functions, taken from a library opened in the state itself. */
static void l_push_stock(lua_State *L, lua_CFunction open, const char *library, const char *name) {
    luaL_requiref(L, library, open, 0);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushnil(L);
    lua_setfield(L, -2, library);
    lua_pop(L, 1);
}

int luaopen_os(lua_State *L);
int luaopen_debug(lua_State *L);

static int l_new_global(lua_State *L) {
    lua_pushglobaltable(L);
    lua_pushliteral(L, "surprise");
    lua_pushinteger(L, 1);
    lua_rawset(L, -3);
    return 0;
}

static int l_new_function_of_a_library(lua_State *L) {
    lua_getglobal(L, "math");
    lua_getmetatable(L, -1);
    lua_getfield(L, -1, "__index");
    lua_pushliteral(L, "surprise");
    lua_pushinteger(L, 1);
    lua_rawset(L, -3);
    return 0;
}

static int l_nothing(lua_State *L) {
    (void)L;
    return 0;
}

/* print is on the list; this one carries os.execute where nobody looks. */
static int l_in_an_upvalue(lua_State *L) {
    lua_pushglobaltable(L);
    lua_pushliteral(L, "print");
    l_push_stock(L, luaopen_os, "os", "execute");
    lua_pushcclosure(L, l_nothing, 1);
    lua_rawset(L, -3);
    return 0;
}

static int l_under_another_name(lua_State *L) {
    lua_pushglobaltable(L);
    lua_pushliteral(L, "tostring");
    l_push_stock(L, luaopen_debug, "debug", "getregistry");
    lua_rawset(L, -3);
    return 0;
}

static int l_in_a_metatable(lua_State *L) {
    luaL_getmetatable(L, "order");
    l_push_stock(L, luaopen_os, "os", "remove");
    lua_setfield(L, -2, "__concat");
    return 0;
}

static int l_as_a_key(lua_State *L) {
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_newtable(L);
    l_push_stock(L, luaopen_os, "os", "getenv");
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_setfield(L, -2, "__anything");
    return 0;
}

TEST(everything_reachable_is_on_the_list) {
    CHECK_EQ(walk_after(NULL, NULL), 0);
    CHECK_EQ(hg_allow_check(), 0);
}

TEST(sees_every_hole) {
    CHECK_EQ(walk_after("'surprise' is not on the list", l_new_global), HG_EINTERNAL);
    CHECK_EQ(walk_after("'math.surprise' is not on the list", l_new_function_of_a_library),
             HG_EINTERNAL);
    CHECK_EQ(walk_after("_G.print.(upvalue) is stock Lua's os.execute", l_in_an_upvalue),
             HG_EINTERNAL);
    CHECK_EQ(walk_after("_G.tostring is stock Lua's debug.getregistry", l_under_another_name),
             HG_EINTERNAL);
    CHECK_EQ(walk_after("is stock Lua's os.remove", l_in_a_metatable), HG_EINTERNAL);
    CHECK_EQ(walk_after("is stock Lua's os.getenv", l_as_a_key), HG_EINTERNAL);
}

static void caps(const char *text, const char *message) {
    kit k;
    kit_open(&k);
    static char source[65536];
    snprintf(source, sizeof source, "local hedged = require 'hedged'\n%s", text);
    CHECK_EQ(kit_try(&k, source, NULL, 0), HG_ESTRATEGY);
    if (!strstr(hg_error_text(), message)) {
        hg_test_fail(__FILE__, __LINE__, "no '%s' in: %s", message, hg_error_text());
    }
    kit_close(&k);
}

TEST(subscriptions_and_parameters_are_capped_aloud) {
    caps("return hedged.strategy { api = 1, subscribe = { ('x'):rep(40) } }",
         "a pattern of instruments has at most 39 bytes: \"xxxxx");
    caps("local t = {} for i = 1, 65 do t[i] = 'BTC-' .. i end\n"
         "return hedged.strategy { api = 1, subscribe = t }",
         "more than 64 patterns");
    caps("local market = require 'hedged.market'\n"
         "local S = hedged.strategy { api = 1 }\n"
         "for i = 1, 65 do market.subscribe('BTC-' .. i) end return S",
         "more than 64 patterns");
    caps("local t = { api = 1 } for i = 1, 65 do t['p' .. i] = hedged.param { default = i } end\n"
         "return hedged.strategy(t)",
         "more than 64 parameters");
}

TEST(subscribing_again_is_nothing_new) {
    kit k;
    kit_open(&k);
    kit_load(&k, "local market = require 'hedged.market'\n"
                 "function S:on_start()\n"
                 "  for i = 1, 1000 do market.subscribe('BTC-' .. i % 64) end\n"
                 "  out(pcall(market.subscribe, 'ETH-*'))\n"
                 "end");
    CHECK_STR(k.log, "false more than 64 patterns subscribed (with \"ETH-*\"); use wider ones such "
                     "as \"BTC-*\"\n");
    kit_running(&k);
    kit_close(&k);
}
