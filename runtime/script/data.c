/* Data files written in Lua: `return { {instrument = "BTC-PERPETUAL", size = 10}, ... }` with
 * comments and arithmetic, and no names to call: the environment is empty. */
#include "script/data.h"

#include "base/text.h"
#include "script/script_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 128
#define DEPTH_MAX 3
#define FILE_MAX ((size_t)16 << 20)

typedef struct reader {
    const char *path;
    const hg_source *source;
    lua_Integer index, count; /* of rows; a single flat table is one row */
    bool single;
    hg_data_field fields[FIELDS_MAX];
    char numbers[FIELDS_MAX][32];
    char names[FIELDS_MAX][128]; /* of nested fields: "limits.price_collar" */
    size_t field_count;
} reader;

static int l_run(lua_State *L) {
    reader *r = lua_touserdata(L, 1);
    lua_pushfstring(L, "@%s", r->source->name);
    if (luaL_loadbufferx(L, r->source->text, r->source->size, lua_tostring(L, -1), "t") != 0) {
        return lua_error(L);
    }
    lua_newtable(L);
    lua_setupvalue(L, -2, 1);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1)) {
        return luaL_error(L, "%s must return a table, got %s", r->path, luaL_typename(L, -1));
    }
    r->count = (lua_Integer)lua_rawlen(L, -1);
    lua_pushnil(L);
    if (r->count > 0) {
        lua_pop(L, 1);
    } else if (lua_next(L, -2)) {
        r->single = true;
        r->count = 1;
        lua_pop(L, 2);
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, r);
    return 0;
}

static int compare(const void *a, const void *b) {
    return strcmp(((const hg_data_field *)a)->key, ((const hg_data_field *)b)->key);
}

/* The shortest text that reads back as the same number. */
static void l_number_text(lua_State *L, int index, char *out, size_t size) {
    if (lua_isinteger(L, index)) {
        snprintf(out, size, "%lld", (long long)lua_tointeger(L, index));
        return;
    }
    double value = lua_tonumber(L, index);
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, size, "%.*g", digits, value);
        if (strtod(out, NULL) == value) return;
    }
}

/* The key and value on top of the stack as a field, called "prefix.key" inside a table. Keys and
 * texts are kept alive by the row. */
static void l_read_field(lua_State *L, reader *r, const char *prefix) {
    if (lua_type(L, -2) != LUA_TSTRING) luaL_error(L, "fields must have names");
    if (r->field_count == FIELDS_MAX) luaL_error(L, "more than %d fields", FIELDS_MAX);
    uint32_t n = (uint32_t)r->field_count++;
    hg_data_field *f = &r->fields[n];
    memset(f, 0, sizeof *f);
    f->key = lua_tostring(L, -2);
    if (prefix) {
        snprintf(r->names[n], sizeof r->names[n], "%s.%s", prefix, f->key);
        f->key = r->names[n];
    }
    switch (lua_type(L, -1)) {
    case LUA_TSTRING:
        f->type = HG_DATA_TEXT;
        f->text = lua_tostring(L, -1);
        break;
    case LUA_TNUMBER:
        f->type = HG_DATA_NUMBER;
        f->number = lua_tonumber(L, -1);
        l_number_text(L, -1, r->numbers[n], sizeof r->numbers[n]);
        f->text = r->numbers[n];
        break;
    case LUA_TBOOLEAN:
        f->type = HG_DATA_BOOL;
        f->truth = lua_toboolean(L, -1);
        break;
    default:
        luaL_error(L, "field '%s' is a %s", f->key, luaL_typename(L, -1));
    }
}

/* A field, or the fields of a table inside the row: { limits = { order_value_usd = 1e6 } }. */
static void l_read_fields(lua_State *L, reader *r, const char *prefix, int depth) {
    char path[128];
    if (!lua_istable(L, -1)) {
        l_read_field(L, r, prefix);
        return;
    }
    if (lua_type(L, -2) != LUA_TSTRING) luaL_error(L, "fields must have names");
    if (depth > DEPTH_MAX) luaL_error(L, "tables more than %d deep", DEPTH_MAX);
    luaL_checkstack(L, 4, "tables too deep");
    snprintf(path, sizeof path, "%s%s%s", prefix ? prefix : "", prefix ? "." : "",
             lua_tostring(L, -2));
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) l_read_fields(L, r, path, depth + 1);
}

static int l_read_row(lua_State *L) {
    reader *r = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, r);
    if (!r->single && lua_rawgeti(L, -1, r->index) != LUA_TTABLE) {
        return luaL_error(L, "row %d is a %s, not a table", (int)r->index, luaL_typename(L, -1));
    }
    r->field_count = 0;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) l_read_fields(L, r, NULL, 1);
    qsort(r->fields, r->field_count, sizeof *r->fields, compare);
    return 0;
}

static int read_rows(hg_script *s, reader *r,
                     int (*row)(void *, int, const hg_data_field *, size_t), void *context) {
    int64_t budget = hg_script_load_budget(s);
    if (hg_lua_protect(s, l_run, r, r->path, budget) < 0) return HG_ECONFIG;
    for (r->index = 1; r->index <= r->count; r->index++) {
        int rc = hg_lua_protect(s, l_read_row, r, r->path, budget);
        if (rc < 0) return HG_ERR_CTX(HG_ECONFIG, "%s: row %d", r->path, (int)r->index);
        rc = row(context, (int)r->index, r->fields, r->field_count);
        if (rc < 0) return HG_ERR_CTX(rc, "%s: row %d", r->path, (int)r->index);
    }
    return 0;
}

int hg_data_load(const char *path,
                 int (*row)(void *context, int index, const hg_data_field *fields, size_t count),
                 void *context) {
    static const hg_script_env no_session;
    hg_script *s = hg_script_new(&no_session, path, 0);
    reader *r = calloc(1, sizeof *r);
    int rc = s && r ? hg_state_open(s) : HG_ERR(HG_ENOMEM, "no memory to read %s", path);
    if (rc == 0) {
        r->path = path;
        r->source = hg_source_load(s, path);
        rc = r->source ? read_rows(s, r, row, context) : hg_error_code();
    }
    hg_script_close(s);
    free(r);
    return rc;
}
