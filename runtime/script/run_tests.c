/* `hedged test`: each test file in a state of its own, with LuaUnit from the system and the module
 * hedged.test. Files may end with `os.exit(lu.LuaUnit.run())`, so that the same file runs in plain
 * Lua; here that line does nothing. */
#include "base/json.h"
#include "base/text.h"
#include "script/script_int.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILES_MAX 1024
#define FOLDER_DEPTH 8
#define EXIT_STRATEGY 5
#define EXIT_THRESHOLD 8
#define EXIT_USAGE 2

/* Loads a file, runs its tests, returns passed, failed, skipped and a list of {name, message}. */
static const char runner_text[] =
    "local path, pattern = ...\n"
    "local ok, lu = pcall(require, 'luaunit')\n"
    "if not ok then error('LuaUnit is not installed (Debian: lua-unit)', 0) end\n"
    "local exit, run = os.exit, lu.LuaUnit.run\n"
    "os.exit = function() end\n"
    "lu.LuaUnit.run = function() return 0 end\n"
    "lu.run, lu.Run = lu.LuaUnit.run, lu.LuaUnit.run\n"
    "arg = { [0] = path }\n"
    "local folder = path:match('^(.*)/[^/]*$') or '.'\n"
    "package.path = folder .. '/?.lua;' .. package.path\n"
    "local chunk, message = loadfile(path, 't')\n"
    "if not chunk then error(message, 0) end\n"
    "chunk()\n"
    "os.exit, lu.LuaUnit.run = exit, run\n"
    "local suite = lu.LuaUnit.new()\n"
    "suite:setOutputType('nil')\n"
    "local args = { '--output', 'nil' }\n"
    "if pattern ~= '' then args = { '--output', 'nil', '--pattern', pattern } end\n"
    "suite:runSuite(table.unpack(args))\n"
    "local r, failed = suite.result, {}\n"
    "for _, test in ipairs(r.allTests) do\n"
    "  if test:isNotSuccess() and not test:isSkipped() then\n"
    "    failed[#failed + 1] = { test.testName, tostring(test.msg) }\n"
    "  end\n"
    "end\n"
    "return r.successCount or 0, #failed, r.skippedCount or 0, failed\n";

typedef struct suite {
    char *files[FILES_MAX];
    size_t file_count;
    const char *pattern;
    bool json;
    const char *path; /* being run */
    long passed, failed, skipped;
    hg_json out;
} suite;

/* ---- finding files --------------------------------------------------------------------------- */
static bool is_test_name(const char *name) {
    size_t len = strlen(name);
    if (len < 5 || strcmp(name + len - 4, ".lua") != 0) return false;
    return strncmp(name, "test_", 5) == 0 || (len > 9 && strcmp(name + len - 9, "_test.lua") == 0);
}

static int add_file(suite *u, const char *path) {
    if (u->file_count == FILES_MAX) return HG_ERR(HG_ELIMIT, "more than %d test files", FILES_MAX);
    u->files[u->file_count] = strdup(path);
    if (!u->files[u->file_count]) return HG_ERR(HG_ENOMEM, "no memory");
    u->file_count++;
    return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(suite *u, const char *path, int depth) {
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, by_name);
    if (n < 0) return HG_ERR(HG_EIO, "cannot read the folder %s", path);
    int rc = 0;
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        char full[HG_PATH_MAX];
        int len = snprintf(full, sizeof full, "%s/%s", path, name);
        struct stat st;
        bool fits = rc == 0 && *name != '.' && len > 0 && (size_t)len < sizeof full;
        if (fits && stat(full, &st) == 0) {
            bool folder = S_ISDIR(st.st_mode);
            if (folder && depth < FOLDER_DEPTH && strcmp(name, "build") != 0) {
                rc = add_folder(u, full, depth + 1);
            } else if (!folder && is_test_name(name)) {
                rc = add_file(u, full);
            }
        }
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int add_path(suite *u, const char *path) {
    struct stat st;
    if (stat(path, &st) != 0) return HG_ERR(HG_ENOTFOUND, "no file or folder %s", path);
    if (S_ISDIR(st.st_mode)) return add_folder(u, path, 0);
    return add_file(u, path);
}

/* ---- running --------------------------------------------------------------------------------- */
static void l_show_failures(lua_State *L, suite *u, int list) {
    for (lua_Integer i = 1; lua_rawgeti(L, list, i) == LUA_TTABLE; i++) {
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        const char *name = lua_tostring(L, -2);
        const char *message = lua_tostring(L, -1);
        if (u->json) {
            hg_json_open(&u->out, NULL);
            hg_json_string(&u->out, "file", u->path);
            hg_json_string(&u->out, "test", name);
            hg_json_string(&u->out, "message", message);
            hg_json_close(&u->out);
        } else {
            printf("FAIL %s %s: %s\n", u->path, name, message);
        }
        lua_pop(L, 3);
    }
}

static int l_run_suite(lua_State *L) {
    suite *u = lua_touserdata(L, 1);
    if (luaL_loadbufferx(L, runner_text, sizeof runner_text - 1, "=runner", "t") != LUA_OK) {
        return lua_error(L);
    }
    bool whole_file = u->pattern && strstr(u->path, u->pattern) != NULL;
    lua_pushstring(L, u->path);
    lua_pushstring(L, u->pattern && !whole_file ? u->pattern : "");
    lua_call(L, 2, 4);
    u->passed += (long)lua_tointeger(L, -4);
    u->failed += (long)lua_tointeger(L, -3);
    u->skipped += (long)lua_tointeger(L, -2);
    l_show_failures(L, u, lua_gettop(L));
    return 0;
}

static int run_file(suite *u, const char *path) {
    u->path = path;
    hg_script *s = hg_script_stock(path);
    int rc = s ? hg_lua_protect(s, l_run_suite, u, path, 0) : HG_ENOMEM;
    if (rc < 0) {
        u->failed++;
        fflush(stdout);
        fprintf(stderr, "error: %s: %s\n", path, s ? s->error : hg_error_text());
    }
    hg_script_close(s);
    return rc;
}

static void finish(suite *u, bool broken) {
    if (!u->json) {
        if (hg_coverage_on()) hg_coverage_report(NULL);
        printf("%ld passed, %ld failed, %ld skipped\n", u->passed, u->failed, u->skipped);
        return;
    }
    hg_json_close_array(&u->out);
    hg_json_int(&u->out, "passed", u->passed);
    hg_json_int(&u->out, "failed", u->failed);
    hg_json_int(&u->out, "skipped", u->skipped);
    hg_json_bool(&u->out, "loaded", !broken);
    if (hg_coverage_on()) hg_coverage_report(&u->out);
    hg_json_close(&u->out);
    printf("%s\n", hg_json_text(&u->out));
}

int hg_script_run_tests(const char *const *paths, size_t path_count, const char *pattern,
                        bool json) {
    enum { JSON_SIZE = 1 << 20 };
    suite *u = calloc(1, sizeof *u);
    char *buffer = malloc(JSON_SIZE);
    int rc = u && buffer ? 0 : HG_ERR(HG_ENOMEM, "no memory");
    for (size_t i = 0; rc == 0 && i < path_count; i++) rc = add_path(u, paths[i]);
    bool broken = false;
    if (rc == 0) {
        u->pattern = pattern && *pattern ? pattern : NULL;
        u->json = json;
        hg_json_init(&u->out, buffer, JSON_SIZE);
        hg_json_open(&u->out, NULL);
        hg_json_open_array(&u->out, "failures");
        for (size_t i = 0; i < u->file_count; i++) broken |= run_file(u, u->files[i]) < 0;
        finish(u, broken);
    } else {
        fprintf(stderr, "error: %s\n", hg_error_text());
    }
    bool failed = u && u->failed > 0;
    for (size_t i = 0; u && i < u->file_count; i++) free(u->files[i]);
    free(u);
    free(buffer);
    if (rc < 0) return EXIT_USAGE;
    return broken ? EXIT_STRATEGY : failed ? EXIT_THRESHOLD : 0;
}
