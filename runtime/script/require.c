/*
 * Modules. A strategy may load `hedged`, `hedged.*` (C modules, then the Lua files built into the
 * binary) and .lua files below its own directory, judged by canonical path: no "..", no symlink out
 * of it, no C. Every text read is kept for error frames and hashed into the identity of the script.
 */
#include "base/embedded.h"
#include "base/hash.h"
#include "base/text.h"
#include "script/script_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SOURCE_MAX ((size_t)8 << 20)

const hg_module hg_modules[] = {
    {"hedged",           l_open_hedged   },
    {"hedged.market",    l_open_market   },
    {"hedged.portfolio", l_open_portfolio},
    {"hedged.orders",    l_open_orders   },
    {"hedged.greeks",    l_open_greeks   },
    {"hedged.surface",   l_open_surface  },
    {"hedged.test",      l_open_test     },
    {NULL,               NULL            },
};

/* What editors put in front: a byte order mark, and a first line for the shell. */
void hg_source_tidy(char *text, size_t size) {
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        memset(text, ' ', 3);
        text += 3;
        size -= 3;
    }
    if (size >= 2 && text[0] == '#' && text[1] == '!') memcpy(text, "--", 2);
}

static bool is_utf16(const char *text, size_t size) {
    return size >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0);
}

const hg_source *hg_source_text(hg_script *s, const char *name, const char *text, size_t size) {
    if (is_utf16(text, size)) {
        (void)HG_ERR(HG_ESTRATEGY, "%s is UTF-16; save it as UTF-8", name);
        return NULL;
    }
    if (s->source_count == HG_SOURCES_MAX) {
        (void)HG_ERR(HG_ELIMIT, "more than %d modules", HG_SOURCES_MAX);
        return NULL;
    }
    hg_source *source = &s->sources[s->source_count];
    source->text = malloc(size + 1);
    if (!source->text) {
        (void)HG_ERR(HG_ENOMEM, "no memory to read %s", name);
        return NULL;
    }
    memcpy(source->text, text, size);
    source->text[size] = '\0';
    source->size = size;
    hg_source_tidy(source->text, size);
    hg_text_copy(source->name, sizeof source->name, name);
    s->source_count++;
    s->hash = hg_hash_bytes(hg_hash_u64(s->hash, size), source->text, size);
    return source;
}

/* A file of kept code. */
static const hg_source *load_kept(hg_script *s, const char *name) {
    const hg_source *kept = hg_code_find(s->from, name);
    if (kept) return hg_source_text(s, name, kept->text, kept->size);
    (void)HG_ERR(HG_ENOTFOUND, "%s is not part of the kept code", name);
    return NULL;
}

const hg_source *hg_source_load(hg_script *s, const char *path) {
    if (s->from) return load_kept(s, path);
    const hg_embedded *file = hg_embedded_find(path);
    char *data = NULL;
    size_t size = 0;
    int rc = s->sandbox ? hg_file_read_plain(path, SOURCE_MAX, &data, &size)
                        : hg_file_read(path, SOURCE_MAX, &data, &size);
    if (rc < 0 && file) return hg_source_text(s, path, file->data, file->size);
    if (rc < 0) return NULL;
    const hg_source *source = hg_source_text(s, path, data, size);
    free(data);
    return source;
}

/* "a.b" -> "a/b"; false for names that are not plain words between dots. */
static bool module_path(const char *name, char *out, size_t size) {
    if (!*name || strlen(name) >= size || strstr(name, "..") || *name == '.') return false;
    for (; *name; name++, out++) {
        bool word = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                    (*name >= '0' && *name <= '9') || *name == '_' || *name == '-';
        if (!word && *name != '.') return false;
        *out = *name == '.' ? '/' : *name;
    }
    *out = '\0';
    return out[-1] != '/';
}

/* A file of the folder HEDGED_STDLIB, for people who work on the standard library. */
static const hg_source *load_development(hg_script *s, const char *relative) {
    const char *folder = getenv("HEDGED_STDLIB");
    if (!folder || !*folder) return NULL;
    const char *const forms[] = {relative, strchr(relative, '/') + 1}; /* hedged/x, then x */
    for (size_t i = 0; i < 2; i++) {
        char path[HG_PATH_MAX];
        int n = snprintf(path, sizeof path, "%s/%s.lua", folder, forms[i]);
        char *data = NULL;
        size_t size = 0;
        if (n < 0 || (size_t)n >= sizeof path) return NULL;
        if (hg_file_read(path, SOURCE_MAX, &data, &size) < 0) continue;
        const hg_source *source = hg_source_text(s, path, data, size);
        free(data);
        return source;
    }
    return NULL;
}

static const hg_source *load_stdlib(hg_script *s, const char *relative) {
    const hg_source *source = load_development(s, relative);
    if (source) return source;
    char path[HG_PATH_MAX];
    snprintf(path, sizeof path, "stdlib/%s.lua", relative);
    const hg_embedded *file = hg_embedded_find(path);
    return file ? hg_source_text(s, path, file->data, file->size) : NULL;
}

int hg_module_read(const char *dir, const char *path, const char *shown, char **data,
                   size_t *size) {
    char *real = realpath(path, NULL);
    if (!real) return HG_ERR(HG_ENOTFOUND, "no file %s.lua beside the strategy", shown);
    size_t len = strlen(dir);
    bool inside = strncmp(real, dir, len) == 0 && (real[len] == '/' || dir[len - 1] == '/');
    size_t real_len = strlen(real);
    bool lua = real_len > 4 && strcmp(real + real_len - 4, ".lua") == 0;
    int rc = inside && lua
                 ? hg_file_read_plain(real, SOURCE_MAX, data, size)
                 : HG_ERR(HG_ENOTFOUND, "%s.lua is a link out of the strategy's folder", shown);
    free(real);
    return rc;
}

static const hg_source *load_own(hg_script *s, const char *relative) {
    char path[2 * HG_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.lua", s->dir, relative);
    if (s->embedded) {
        const hg_embedded *file = hg_embedded_find(path);
        if (!file) (void)HG_ERR(HG_ENOTFOUND, "no file %s.lua beside the strategy", relative);
        return file ? hg_source_text(s, path, file->data, file->size) : NULL;
    }
    char shown[HG_PATH_MAX]; /* as the strategy's own path is shown, not canonical */
    const char *slash = strrchr(s->file, '/');
    int prefix = slash ? (int)(slash + 1 - s->file) : 0;
    snprintf(shown, sizeof shown, "%.*s%s.lua", prefix, s->file, relative);
    if (s->from) return load_kept(s, shown);
    char *data = NULL;
    size_t size = 0;
    int rc = hg_module_read(s->dir, path, relative, &data, &size);
    if (rc < 0) {
        hg_text_copy(s->absent, sizeof s->absent, shown);
        return NULL;
    }
    const hg_source *source = hg_source_text(s, shown, data, size);
    free(data);
    return source;
}

/* Compiles a source as text and leaves the function on the stack. */
static void l_compile(lua_State *L, const hg_source *source) {
    lua_pushfstring(L, "@%s", source->name);
    if (l_compile_text(L, source->text, source->size, lua_tostring(L, -1)) != LUA_OK) {
        lua_error(L);
    }
    lua_remove(L, -2);
}

static const hg_module *find_module(const char *name) {
    for (const hg_module *module = hg_modules; module->name; module++) {
        if (strcmp(module->name, name) == 0) return module;
    }
    return NULL;
}

/* Pushes the value of module `name`, loading it. */
static int l_load_module(lua_State *L, hg_script *s, const char *name) {
    const hg_module *module = find_module(name);
    if (module) {
        lua_pushcfunction(L, module->open);
        lua_call(L, 0, 1);
        return 1;
    }
    char relative[128];
    const hg_source *source = NULL;
    if (!module_path(name, relative, sizeof relative)) {
        return luaL_error(L, "module name '%s' is not allowed: words between dots only", name);
    }
    bool stock = strncmp(name, "hedged.", 7) == 0;
    source = stock ? load_stdlib(s, relative) : load_own(s, relative);
    if (!source) {
        if (stock || !*hg_error_text()) return luaL_error(L, "module '%s' not found", name);
        lua_pushfstring(L, "module '%s' not found: %s", name, hg_error_text());
        hg_error_clear();
        return luaL_error(L, "%s", lua_tostring(L, -1));
    }
    l_compile(L, source);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    return 1;
}

int l_require(lua_State *L) {
    hg_script *s = hg_script_of(L);
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_loaded);
    lua_pushvalue(L, 1);
    lua_rawget(L, 2);
    if (lua_islightuserdata(L, -1)) {
        return luaL_error(L, "module '%s' requires itself (a loop of requires)", name);
    }
    if (!lua_isnil(L, -1)) return 1;
    if (s->sandbox && !s->loading && !find_module(name)) {
        return luaL_error(L, "require '%s' after the file was loaded; require it at the top", name);
    }
    lua_pushvalue(L, 1);
    lua_pushlightuserdata(L, s);
    lua_rawset(L, 2);
    l_load_module(L, s, name);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, 2);
    return 1;
}
