/*
 * The base library of the sandbox, from an allow-list: a library of a later Lua cannot widen it.
 * Replaced are the functions through which a script could hang the host (xpcall's handler runs with
 * hooks off, so does __gc), leave the sandbox (load, rawset on locked tables) or see something that
 * differs from run to run (addresses, order of keys).
 */
#include "base/text.h"
#include "script/script_int.h"

#include <lualib.h>

#include <string.h>

#define LOAD_PIECE 1024u

/* Calls that a pcall may stand below. Lua recovers from an error in time proportional to the depth,
 * at every pcall it passes: 150,000 of them, which 20 ms are enough to nest, would take minutes to
 * leave again, and nothing can stop that. */
#define PCALL_DEPTH_MAX 1000

static const char *const kept[] = {"assert", "error", "ipairs",   "rawequal", "rawlen", "rawget",
                                   "select", "type",  "tonumber", "_VERSION", NULL};

/* What people try first, and what to use instead. */
static const char *const absent[][2] = {
    {"os",             "a strategy sees no operating system; the time is hedged.now()"          },
    {"io",             "a strategy has no files; keep data in self.state, write with hedged.log"},
    {"debug",          "debug is not part of the sandbox"                                       },
    {"package",        "modules are found by require only"                                      },
    {"dofile",         "use require"                                                            },
    {"loadfile",       "use require"                                                            },
    {"collectgarbage", "the runtime collects between events; hedged status shows the memory"    },
    {NULL,             NULL                                                                     },
};

int l_safe_tostring(lua_State *L, int index) {
    index = lua_absindex(L, index);
    int type = lua_type(L, index);
    bool plain = type == LUA_TNIL || type == LUA_TBOOLEAN || type == LUA_TNUMBER ||
                 type == LUA_TSTRING;
    if (plain || luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
        if (!plain) lua_pop(L, 1);
        luaL_tolstring(L, index, NULL);
    } else if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) {
        return 1;
    } else {
        lua_pushstring(L, luaL_typename(L, index));
    }
    return 1;
}

static int l_tostring(lua_State *L) {
    luaL_checkany(L, 1);
    return l_safe_tostring(L, 1);
}

static int l_print(lua_State *L) {
    hg_script *s = hg_script_of(L);
    int n = lua_gettop(L);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (int i = 1; i <= n; i++) {
        if (i > 1) luaL_addchar(&text, '\t');
        l_safe_tostring(L, i);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    hg_script_log(s, HG_LOG_INFO, lua_tostring(L, -1));
    return 0;
}

static bool is_locked(lua_State *L, int index) {
    if (luaL_getmetafield(L, index, "__metatable") == LUA_TNIL) return false;
    lua_pop(L, 1);
    return true;
}

static int l_setmetatable(lua_State *L) {
    int type = lua_type(L, 2);
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
    if (is_locked(L, 1)) return luaL_error(L, "the metatable of this table is locked");
    if (type == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL) {
            return luaL_error(L, "__gc is not available to a strategy (use on_stop or <close>)");
        }
        lua_pushliteral(L, "__mode");
        if (lua_rawget(L, 2) != LUA_TNIL) {
            return luaL_error(L, "__mode is not available to a strategy: what a weak table holds "
                                 "depends on the garbage collector");
        }
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static int l_getmetatable(lua_State *L) {
    luaL_checkany(L, 1);
    if (!lua_getmetatable(L, 1)) {
        lua_pushnil(L);
    } else if (luaL_getmetafield(L, 1, "__metatable") == LUA_TNIL && !lua_istable(L, 1)) {
        lua_pushboolean(L, 0); /* metatables of userdata and strings are the host's */
    }
    return 1;
}

static int l_rawset(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    if (is_locked(L, 1)) return luaL_error(L, "this table is read-only");
    lua_settop(L, 3);
    hg_watchdog_state.plain = 1; /* a table that grows may take long */
    lua_rawset(L, 1);
    hg_watchdog_state.plain = 0;
    return 1;
}

static void check_depth(lua_State *L) {
    lua_Debug ar;
    if (lua_getstack(L, PCALL_DEPTH_MAX, &ar)) {
        luaL_error(L, "stack overflow: pcall below more than %d calls", PCALL_DEPTH_MAX);
    }
}

/* As Lua's own; context: values below the results. */
static int pcall_done(lua_State *L, int status, lua_KContext context) {
    if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)context;
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

static int l_pcall(lua_State *L) {
    luaL_checkany(L, 1);
    check_depth(L);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, pcall_done);
    return pcall_done(L, status, 0);
}

/* The handler runs after the call has ended, where it can be stopped like any other code. Stack:
 * f, handler, true, then the results or the error. */
static int xpcall_done(lua_State *L, int status, lua_KContext context) {
    (void)context;
    if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 2;
    lua_pushvalue(L, 2);
    lua_insert(L, -2);
    lua_pcall(L, 1, 1, 0);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

static int l_xpcall(lua_State *L) {
    int n = lua_gettop(L);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    check_depth(L);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    int status = lua_pcallk(L, n - 2, LUA_MULTRET, 0, 0, xpcall_done);
    return xpcall_done(L, status, 0);
}

typedef struct piece {
    const char *text;
    size_t left;
} piece;

/* Feeds the parser in pieces so that a huge text cannot outlast the budget unseen. */
static const char *read_piece(lua_State *L, void *context, size_t *size) {
    piece *p = context;
    hg_watchdog_state.plain = 0;
    l_raise_if_over_budget(L);
    hg_watchdog_state.plain = 1;
    const char *text = p->text;
    *size = p->left < LOAD_PIECE ? p->left : LOAD_PIECE;
    p->text += *size;
    p->left -= *size;
    return text;
}

int l_compile_text(lua_State *L, const char *text, size_t size, const char *name) {
    piece p = {text, size};
    int status = lua_load(L, read_piece, &p, name, "t");
    hg_watchdog_state.plain = 0;
    return status;
}

static int l_load(lua_State *L) {
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    const char *name = luaL_optstring(L, 2, "=(load)");
    bool given = !lua_isnone(L, 4);
    if (l_compile_text(L, text, size, name) != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (given) {
        lua_pushvalue(L, 4);
        if (!lua_setupvalue(L, -2, 1)) lua_pop(L, 1);
    }
    return 1;
}

/* ---- strict globals -------------------------------------------------------------------------- */
static const char *nearest_global(lua_State *L, const char *word) {
    const char *names[128];
    size_t n = 0;
    lua_pushglobaltable(L);
    for (lua_pushnil(L); lua_next(L, -2) && n < 127; lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING) names[n++] = lua_tostring(L, -2);
    }
    names[n] = NULL;
    return hg_text_nearest(word, names);
}

static int l_undefined(lua_State *L) {
    if (lua_type(L, 2) != LUA_TSTRING) return luaL_error(L, "undefined global");
    const char *name = lua_tostring(L, 2);
    for (size_t i = 0; absent[i][0]; i++) {
        if (strcmp(name, absent[i][0]) == 0) {
            return luaL_error(L, "'%s' is not available: %s", name, absent[i][1]);
        }
    }
    const char *near = nearest_global(L, name);
    return near ? luaL_error(L, "undefined global '%s' (did you mean '%s'?)", name, near)
                : luaL_error(L, "undefined global '%s'", name);
}

static int l_new_global(lua_State *L) {
    if (!hg_script_of(L)->loading) {
        return luaL_error(L,
                          "new global '%s' after the file was loaded; write `local %s`, or keep "
                          "it in self.state",
                          luaL_tolstring(L, 2, NULL), luaL_tolstring(L, 2, NULL));
    }
    lua_rawset(L, 1);
    return 0;
}

void l_lib_base(lua_State *L) {
    static const luaL_Reg own[] = {
        {"print",        l_print       },
        {"tostring",     l_tostring    },
        {"pairs",        l_pairs       },
        {"next",         l_next        },
        {"setmetatable", l_setmetatable},
        {"getmetatable", l_getmetatable},
        {"rawset",       l_rawset      },
        {"pcall",        l_pcall       },
        {"xpcall",       l_xpcall      },
        {"load",         l_load        },
        {"require",      l_require     },
        {NULL,           NULL          },
    };
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1);
    for (size_t i = 0; kept[i]; i++) {
        lua_getfield(L, -1, kept[i]);
        lua_setfield(L, -3, kept[i]);
    }
    lua_pop(L, 1);
    luaL_setfuncs(L, own, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "_G");
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, l_undefined);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_new_global);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}
