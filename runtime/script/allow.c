/*
 * What a strategy can reach, checked against a fixed list when the first one is loaded: a later
 * Lua, or a change of ours, cannot widen the sandbox by accident. Two questions:
 *
 *   1. Is every global, and every name of a library table, on the list?
 *   2. Starting from the globals, the metatables and every hedged.* module, through fields, keys,
 *      metatables and upvalues: is any function of stock Lua reachable that is not on the list? A
 *      function is known by its address, so another name or a hiding place does not help.
 */
#include "script/script_int.h"

#include <lualib.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DENIED_MAX 256
#define DEPTH_MAX 64

/* Every name a script can use without require. A library's own names follow it. */
static const char *const allowed[] = {"_G",
                                      "_VERSION",
                                      "assert",
                                      "collectgarbage",
                                      "error",
                                      "getmetatable",
                                      "ipairs",
                                      "load",
                                      "next",
                                      "pairs",
                                      "pcall",
                                      "print",
                                      "rawequal",
                                      "rawget",
                                      "rawlen",
                                      "rawset",
                                      "require",
                                      "select",
                                      "setmetatable",
                                      "tonumber",
                                      "tostring",
                                      "type",
                                      "xpcall",
                                      "coroutine",
                                      "coroutine.close",
                                      "coroutine.create",
                                      "coroutine.isyieldable",
                                      "coroutine.resume",
                                      "coroutine.running",
                                      "coroutine.status",
                                      "coroutine.wrap",
                                      "coroutine.yield",
                                      "math",
                                      "math.abs",
                                      "math.acos",
                                      "math.asin",
                                      "math.atan",
                                      "math.ceil",
                                      "math.cos",
                                      "math.deg",
                                      "math.exp",
                                      "math.floor",
                                      "math.fmod",
                                      "math.huge",
                                      "math.log",
                                      "math.max",
                                      "math.maxinteger",
                                      "math.min",
                                      "math.mininteger",
                                      "math.modf",
                                      "math.pi",
                                      "math.rad",
                                      "math.random",
                                      "math.randomseed",
                                      "math.sin",
                                      "math.sqrt",
                                      "math.tan",
                                      "math.tointeger",
                                      "math.type",
                                      "math.ult",
                                      "string",
                                      "string.byte",
                                      "string.char",
                                      "string.find",
                                      "string.format",
                                      "string.gmatch",
                                      "string.gsub",
                                      "string.len",
                                      "string.lower",
                                      "string.match",
                                      "string.pack",
                                      "string.packsize",
                                      "string.rep",
                                      "string.reverse",
                                      "string.sub",
                                      "string.unpack",
                                      "string.upper",
                                      "table",
                                      "table.concat",
                                      "table.insert",
                                      "table.move",
                                      "table.pack",
                                      "table.remove",
                                      "table.sort",
                                      "table.unpack",
                                      "utf8",
                                      "utf8.char",
                                      "utf8.charpattern",
                                      "utf8.codepoint",
                                      "utf8.codes",
                                      "utf8.len",
                                      "utf8.offset",
                                      NULL};

/* Stock functions a script may hold: they can neither hang nor leave. All others are denied. */
static const char *const harmless[] = {"assert",
                                       "error",
                                       "ipairs",
                                       "pcall",
                                       "rawequal",
                                       "rawget",
                                       "rawlen",
                                       "select",
                                       "tonumber",
                                       "type",
                                       "coroutine.isyieldable",
                                       "coroutine.running",
                                       "coroutine.status",
                                       "coroutine.yield",
                                       "math.abs",
                                       "math.acos",
                                       "math.asin",
                                       "math.atan",
                                       "math.ceil",
                                       "math.cos",
                                       "math.deg",
                                       "math.exp",
                                       "math.floor",
                                       "math.fmod",
                                       "math.log",
                                       "math.max",
                                       "math.min",
                                       "math.modf",
                                       "math.rad",
                                       "math.sin",
                                       "math.sqrt",
                                       "math.tan",
                                       "math.tointeger",
                                       "math.type",
                                       "math.ult",
                                       "string.byte",
                                       "string.char",
                                       "string.len",
                                       "string.lower",
                                       "string.pack",
                                       "string.packsize",
                                       "string.reverse",
                                       "string.sub",
                                       "string.unpack",
                                       "string.upper",
                                       "table.pack",
                                       "table.insert",
                                       "table.remove",
                                       "utf8.char",
                                       "utf8.codepoint",
                                       "utf8.codes",
                                       "utf8.len",
                                       "utf8.offset",
                                       NULL};

typedef struct walk {
    lua_CFunction denied[DENIED_MAX];
    char names[DENIED_MAX][32];
    size_t count;
    lua_CFunction fine[DENIED_MAX]; /* harmless, whatever else they are called (math.atan2) */
    size_t fine_count;
    int seen; /* stack index of the set of visited objects */
    char *found;
    size_t size;
} walk;

static bool is_listed(const char *const *list, const char *name) {
    for (; *list; list++) {
        if (strcmp(*list, name) == 0) return true;
    }
    return false;
}

/* ---- what is denied: the rest of stock Lua --------------------------------------------------- */
static void l_deny_table(lua_State *L, walk *w, const char *prefix) {
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        char name[64];
        if (lua_type(L, -2) != LUA_TSTRING || !lua_iscfunction(L, -1)) continue;
        snprintf(name, sizeof name, "%s%s", prefix, lua_tostring(L, -2));
        if (w->count == DENIED_MAX || w->fine_count == DENIED_MAX) continue;
        if (is_listed(harmless, name)) {
            w->fine[w->fine_count++] = lua_tocfunction(L, -1);
            continue;
        }
        snprintf(w->names[w->count], sizeof w->names[0], "%.31s", name);
        w->denied[w->count++] = lua_tocfunction(L, -1);
    }
}

static bool deny_stock(walk *w) {
    static const char *const libraries[] = {"coroutine", "math", "string", "table",  "utf8",
                                            "io",        "os",   "debug",  "package"};
    lua_State *stock = luaL_newstate();
    if (!stock) return false;
    luaL_openlibs(stock);
    lua_pushglobaltable(stock);
    l_deny_table(stock, w, "");
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "%s.", libraries[i]);
        lua_getfield(stock, -1, libraries[i]);
        l_deny_table(stock, w, prefix);
        lua_pop(stock, 1);
    }
    lua_close(stock);
    return true;
}

/* ---- the walk -------------------------------------------------------------------------------- */
static void l_visit(lua_State *L, walk *w, const char *path, int depth);

static void l_visit_child(lua_State *L, walk *w, const char *path, const char *name, int depth) {
    char child[256];
    snprintf(child, sizeof child, "%.180s%s%.60s", path, *path ? "." : "", name);
    l_visit(L, w, child, depth + 1);
    lua_pop(L, 1);
}

static void l_visit_table(lua_State *L, walk *w, const char *path, int depth) {
    for (lua_pushnil(L); lua_next(L, -2);) {
        char name[64];
        bool text = lua_type(L, -2) == LUA_TSTRING;
        snprintf(name, sizeof name, "%.60s", text ? lua_tostring(L, -2) : "[]");
        l_visit_child(L, w, path, name, depth); /* pops the value */
        lua_pushvalue(L, -1);
        l_visit_child(L, w, path, "(key)", depth);
    }
}

/* A bounded replacement holds the stock function of its own name: string.format in "format". */
static bool wraps_its_own(const char *path, const char *name) {
    static const char tail[] = ".(upvalue)";
    size_t len = strlen(path);
    const char *dot = strrchr(name, '.');
    const char *own = dot ? dot + 1 : name;
    size_t own_len = strlen(own);
    if (len < sizeof tail + own_len || strcmp(path + len - sizeof tail + 1, tail) != 0)
        return false;
    const char *at = path + len - (sizeof tail - 1) - own_len;
    return at[-1] == '.' && memcmp(at, own, own_len) == 0;
}

static void l_visit_function(lua_State *L, walk *w, const char *path, int depth) {
    lua_CFunction f = lua_tocfunction(L, -1);
    for (size_t i = 0; i < w->fine_count && f; i++) {
        if (w->fine[i] == f) f = NULL;
    }
    for (size_t i = 0; f && i < w->count; i++) {
        if (w->denied[i] == f && !w->found[0] && !wraps_its_own(path, w->names[i])) {
            snprintf(w->found, w->size, "%s is stock Lua's %s", path, w->names[i]);
        }
    }
    for (int i = 1; i < 256 && lua_getupvalue(L, -1, i); i++) {
        l_visit_child(L, w, path, "(upvalue)", depth);
    }
}

/* The value on top, which stays. */
static void l_visit(lua_State *L, walk *w, const char *path, int depth) { /* bounded by depth */
    int type = lua_type(L, -1);
    bool object = type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA;
    if (!object || depth > DEPTH_MAX) return;
    luaL_checkstack(L, 8, "walk");
    lua_pushvalue(L, -1);
    if (lua_rawget(L, w->seen) != LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushboolean(L, 1);
    lua_rawset(L, w->seen);
    if (type == LUA_TTABLE) l_visit_table(L, w, path, depth);
    if (type == LUA_TFUNCTION) l_visit_function(L, w, path, depth);
    if (lua_getmetatable(L, -1)) l_visit_child(L, w, path, "(metatable)", depth);
}

/* ---- names ----------------------------------------------------------------------------------- */
static void check_name(walk *w, const char *name) {
    if (!w->found[0] && !is_listed(allowed, name)) {
        snprintf(w->found, w->size, "'%s' is not on the list of the sandbox", name);
    }
}

/* The fields of a library: behind a read-only proxy, or of the table itself. */
static void l_check_library(lua_State *L, walk *w, const char *library) {
    if (lua_getmetatable(L, -1)) {
        lua_getfield(L, -1, "__index");
        lua_remove(L, -2);
    } else {
        lua_pushvalue(L, -1);
    }
    for (lua_pushnil(L); lua_istable(L, -2) && lua_next(L, -2); lua_pop(L, 1)) {
        char name[96];
        if (lua_type(L, -2) != LUA_TSTRING) continue;
        snprintf(name, sizeof name, "%s.%s", library, lua_tostring(L, -2));
        check_name(w, name);
    }
    lua_settop(L, lua_gettop(L) - 1 - !lua_istable(L, -1));
}

static void l_check_names(lua_State *L, walk *w) {
    int globals = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, globals); lua_settop(L, globals + 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) continue;
        const char *name = lua_tostring(L, -2);
        check_name(w, name);
        if (lua_istable(L, -1) && strcmp(name, "_G") != 0) l_check_library(L, w, name);
    }
}

static int l_walk(lua_State *L) {
    walk *w = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_newtable(L);
    w->seen = 1;
    lua_pushglobaltable(L);
    l_check_names(L, w);
    l_visit(L, w, "_G", 0);
    lua_settop(L, 1);
    lua_pushliteral(L, "");
    if (lua_getmetatable(L, -1)) l_visit(L, w, "(metatable of strings)", 0);
    lua_settop(L, 1);
    for (const hg_module *module = hg_modules; module->name; module++) {
        if (strcmp(module->name, "hedged.test") == 0) continue; /* of tests, not of strategies */
        lua_pushcfunction(L, l_require);
        lua_pushstring(L, module->name);
        lua_call(L, 1, 1);
        l_visit(L, w, module->name, 0);
        lua_settop(L, 1);
    }
    static const char *const types[] = {"tick", "instrument", "order", "exposure", "timer", NULL};
    for (size_t i = 0; types[i]; i++) {
        luaL_getmetatable(L, types[i]);
        l_visit(L, w, types[i], 0);
        lua_settop(L, 1);
    }
    return 0;
}

int hg_allow_walk(hg_script *s, char *found, size_t size) {
    walk *w = calloc(1, sizeof *w);
    found[0] = '\0';
    int rc = w && deny_stock(w) ? 0 : HG_ERR(HG_ENOMEM, "the check of the sandbox");
    if (rc == 0) {
        w->found = found;
        w->size = size;
        rc = hg_lua_protect(s, l_walk, w, "check of the sandbox", 0);
    }
    free(w);
    if (rc == 0 && found[0]) rc = HG_ERR(HG_EINTERNAL, "the sandbox is open: %s", found);
    return rc;
}

/* Once in a process, in a state of its own, so that no strategy's memory depends on it. */
int hg_allow_check(void) {
    static const hg_script_env no_session;
    static bool done;
    if (done) return 0;
    done = true;
    char found[320];
    hg_script *s = hg_script_new(&no_session, "sandbox", 0);
    if (!s) return HG_ERR(HG_ENOMEM, "the check of the sandbox");
    int rc = hg_state_open(s);
    if (rc == 0) rc = hg_allow_walk(s, found, sizeof found);
    hg_script_close(s);
    done = rc == 0;
    return rc;
}
