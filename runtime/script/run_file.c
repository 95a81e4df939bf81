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
    const hg_source *source; /* NULL: standard input */
} arguments;

/* A file is read once, so that a pipe can be one; a first line that begins with # is skipped, as
 * stock Lua does. Only standard input ("-") is read by Lua itself. */
static int l_load_chunk(lua_State *L, const arguments *a) {
    if (!a->source) return luaL_loadfilex(L, NULL, "t");
    const char *text = a->source->text;
    size_t skipped = text[0] == '#' ? strcspn(text, "\n") : 0;
    lua_pushfstring(L, "@%s", a->path);
    int rc = luaL_loadbufferx(L, text + skipped, a->source->size - skipped, lua_tostring(L, -1),
                              "t");
    lua_remove(L, -2);
    return rc;
}

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
    if (l_load_chunk(L, a) != LUA_OK) return lua_error(L);
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
    arguments a = {path, argc, argv, NULL};
    hg_script *s = hg_script_stock(path);
    if (!s) {
        fprintf(stderr, "error: %s\n", hg_error_text());
        return 1;
    }
    a.source = strcmp(path, "-") == 0 ? NULL : hg_source_load(s, path);
    if (!a.source && strcmp(path, "-") != 0) {
        fprintf(stderr, "error: %s\n", hg_error_text());
        hg_script_close(s);
        return 1;
    }
    int rc = hg_lua_protect(s, l_run, &a, path, 0);
    fflush(stdout);
    if (rc < 0) fprintf(stderr, "error: %s\n", s->error);
    hg_script_close(s);
    return rc < 0 ? 1 : 0;
}
