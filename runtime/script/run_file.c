/* `hedged lua FILE ARGS`: the stock interpreter with every hedged.* module, no sandbox, no budget.
 */
#include "script/harness.h"
#include "script/script_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const hg_harness_ops *hg_harness_provider;

typedef struct arguments {
    const char *path;
    int argc;
    char **argv;
} arguments;

static int l_run(lua_State *L) {
    arguments *a = lua_touserdata(L, 1);
    lua_createtable(L, a->argc, 1);
    lua_pushstring(L, a->path);
    lua_rawseti(L, -2, 0);
    for (int i = 0; i < a->argc; i++) {
        lua_pushstring(L, a->argv[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setglobal(L, "arg");
    if (luaL_loadfilex(L, strcmp(a->path, "-") == 0 ? NULL : a->path, "t") != LUA_OK) {
        return lua_error(L);
    }
    luaL_checkstack(L, a->argc, "too many arguments");
    for (int i = 0; i < a->argc; i++) lua_pushstring(L, a->argv[i]);
    lua_call(L, a->argc, 0);
    return 0;
}

hg_script *hg_script_stock(const char *path) {
    hg_script *s = hg_script_new(NULL, path, 0);
    if (s && hg_state_open(s) == 0) return s;
    hg_script_close(s);
    return NULL;
}

int hg_script_run_file(const char *path, int argc, char **argv) {
    arguments a = {path, argc, argv};
    hg_script *s = hg_script_stock(path);
    if (!s) {
        fprintf(stderr, "error: %s\n", hg_error_text());
        return 1;
    }
    if (!hg_source_load(s, path)) hg_error_clear(); /* kept for error frames only */
    int rc = hg_lua_protect(s, l_run, &a, path, 0);
    fflush(stdout);
    if (rc < 0) fprintf(stderr, "error: %s\n", s->error);
    hg_script_close(s);
    return rc < 0 ? 1 : 0;
}
