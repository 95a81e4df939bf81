/* See inspect.h. Names assigned in one question are there in the next: they live in a table that
 * stands before the globals, one per state. */
#include "script/inspect.h"

#include "base/text.h"
#include "script/script_int.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MAX ((size_t)32 << 20)
#define COPY_DEPTH 16
#define COPY_VALUES 20000

struct hg_inspector {
    hg_script_env env; /* the session's, read-only */
    hg_script *own;    /* the state of looking; NULL before the first question */
    char *out;         /* of the question being answered */
    size_t size, used;
    bool cut;
};

static const char own_text[] = "local hedged = require 'hedged'\n"
                               "for _, name in ipairs { 'policy', 'solve', 'select', 'stats' } do\n"
                               "  pcall(require, 'hedged.' .. name)\n"
                               "end\n"
                               "return hedged.strategy { api = 1, name = 'repl' }\n";

/* Values as text: tables and userdata with their fields, bounded. */
static const char show_text[] =
    "local left = 400\n"
    "local function key(k)\n"
    "  if type(k) == 'string' and k:find('^[%a_][%w_]*$') then return k end\n"
    "  return '[' .. (type(k) == 'string' and ('%q'):format(k) or tostring(k)) .. ']'\n"
    "end\n"
    "local function show(v, depth, indent, above)\n"
    "  local kind = type(v)\n"
    "  if kind == 'string' then return depth == 0 and v or ('%q'):format(v) end\n"
    "  if kind ~= 'table' and kind ~= 'userdata' then return tostring(v) end\n"
    "  if above[v] then return 'itself' end\n"
    "  local rows, long, array = {}, 0, 0\n"
    "  above[v] = true\n"
    "  local function each()\n"
    "    for k, x in pairs(v) do\n"
    "      left = left - 1\n"
    "      if left < 0 or depth == 8 then rows[#rows + 1] = '...' break end\n"
    "      local text = show(x, depth + 1, indent .. '  ', above)\n"
    "      if k == array + 1 then array = k else text = key(k) .. ' = ' .. text end\n"
    "      rows[#rows + 1] = text\n"
    "      long = long + #text + 2 + (text:find('\\n', 1, true) and 100 or 0)\n"
    "    end\n"
    "  end\n"
    "  if kind == 'table' then each() elseif not pcall(each) then rows = nil end\n"
    "  above[v] = nil\n"
    "  if not rows then return tostring(v) end\n"
    "  if #rows == 0 then return kind == 'table' and '{}' or tostring(v) end\n"
    "  if long < 90 then return '{ ' .. table.concat(rows, ', ') .. ' }' end\n"
    "  return '{\\n' .. indent .. '  ' .. table.concat(rows, ',\\n' .. indent .. '  ') ..\n"
    "    '\\n' .. indent .. '}'\n"
    "end\n"
    "local texts = {}\n"
    "local values = table.pack(...)\n"
    "for i = 1, values.n do texts[i] = show(values[i], 0, '', {}) end\n"
    "return table.concat(texts, '\\n')\n";

/* ---- the answer ------------------------------------------------------------------------------ */
static void put(hg_inspector *in, const char *text) {
    if (in->cut || !in->out) return;
    size_t len = strlen(text);
    bool line = in->used > 0;
    if (in->used + len + 64 > in->size) {
        len = in->size > in->used + 64 ? in->size - in->used - 64 : 0;
        in->cut = true;
    }
    in->used += (size_t)snprintf(in->out + in->used, in->size - in->used, "%s%.*s%s",
                                 line ? "\n" : "", (int)len, text, in->cut ? "\n... cut" : "");
}

static void on_log(void *context, const char *strategy, hg_log_level level, const char *text) {
    (void)strategy;
    (void)level;
    put(context, text);
}

/* ---- a copy of what the strategy has --------------------------------------------------------- */
typedef struct copier {
    lua_State *from;
    int values;
} copier;

static bool is_scalar(int type) {
    return type == LUA_TBOOLEAN || type == LUA_TNUMBER || type == LUA_TSTRING;
}

static void l_copy_scalar(lua_State *L, lua_State *from, int index) {
    size_t len;
    switch (lua_type(from, index)) {
    case LUA_TBOOLEAN:
        lua_pushboolean(L, lua_toboolean(from, index));
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(from, index)) {
            lua_pushinteger(L, lua_tointeger(from, index));
        } else {
            lua_pushnumber(L, lua_tonumber(from, index));
        }
        break;
    default: {
        const char *text = lua_tolstring(from, index, &len);
        lua_pushlstring(L, text, len);
    }
    }
}

/* Pushes a copy of the value on top of the other stack; functions and objects become their type in
 * brackets. Nothing here runs code of, or allocates in, the other state. */
static void l_copy(lua_State *L, copier *c, int depth) { /* NOLINT: bounded by depth */
    int type = lua_type(c->from, -1);
    if (is_scalar(type)) {
        l_copy_scalar(L, c->from, -1);
        return;
    }
    bool stop = depth == COPY_DEPTH || !lua_checkstack(c->from, 4);
    if (type != LUA_TTABLE || stop || c->values > COPY_VALUES) {
        lua_pushfstring(L, stop ? "<deeper>" : "<%s>", lua_typename(L, type));
        return;
    }
    luaL_checkstack(L, 4, "too deep");
    lua_newtable(L);
    for (lua_pushnil(c->from); lua_next(c->from, -2); lua_pop(c->from, 1)) {
        if (!is_scalar(lua_type(c->from, -2)) || ++c->values > COPY_VALUES) continue;
        l_copy_scalar(L, c->from, -2);
        l_copy(L, c, depth + 1);
        lua_rawset(L, -3);
    }
}

/* self as a plain table: parameters, fields and state. */
static void l_copy_self(lua_State *L, hg_script *target) {
    copier c = {target->lua, 0};
    lua_rawgetp(c.from, LUA_REGISTRYINDEX, &target->ref_self);
    l_copy(L, &c, 0);
    lua_pop(c.from, 1);
    if (!lua_istable(L, -1)) return;
    for (uint32_t i = 0; i < target->param_count; i++) {
        l_param_push(L, &target->params[i]);
        lua_setfield(L, -2, target->params[i].name);
    }
}

/* ---- the question ---------------------------------------------------------------------------- */
typedef struct question {
    hg_inspector *inspector;
    hg_script *target;
    const char *code;
    bool write;
} question;

static const char names_key = 'n'; /* its address: the names of a state in its registry */

static int l_try_require(lua_State *L) {
    lua_pushcfunction(L, l_require);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* Pushes the table of names, made at the first question: modules under their short names. */
static void l_push_names(lua_State *L) {
    static const char *const modules[] = {"hedged",        "hedged.market", "hedged.portfolio",
                                          "hedged.orders", "hedged.greeks", "hedged.policy",
                                          "hedged.solve",  "hedged.select", "hedged.stats"};
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &names_key) == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        lua_pushcfunction(L, l_try_require);
        lua_pushstring(L, modules[i]);
        const char *dot = strchr(modules[i], '.');
        if (lua_pcall(L, 1, 1, 0) == LUA_OK) {
            lua_setfield(L, -2, dot ? dot + 1 : modules[i]);
        } else {
            lua_pop(L, 1);
        }
    }
    lua_createtable(L, 0, 2);
    lua_pushglobaltable(L);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &names_key);
}

static bool ends_with(const char *text, const char *tail) {
    size_t len = strlen(text);
    size_t tail_len = strlen(tail);
    return len >= tail_len && strcmp(text + len - tail_len, tail) == 0;
}

/* As an expression, else as statements. The message is that of the statements, except where the
 * expression only ended too soon: more lines may follow. */
static void l_compile(lua_State *L, const char *code) {
    lua_pushfstring(L, "return %s", code);
    const char *text = lua_tostring(L, -1);
    if (luaL_loadbufferx(L, text, strlen(text), "=repl", "t") != LUA_OK) {
        bool soon = ends_with(lua_tostring(L, -1), "near <eof>");
        if (luaL_loadbufferx(L, code, strlen(code), "=repl", "t") != LUA_OK) {
            if (soon) lua_pop(L, 1);
            lua_error(L);
        }
        lua_remove(L, -2);
    }
    lua_remove(L, -2);
}

static bool is_name_char(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

/* `name.x = 1`, `name[k].y = 1` somewhere in the code: what is written there would be lost. */
static bool assigns_into(const char *code, const char *name) {
    size_t len = strlen(name);
    for (const char *at = strstr(code, name); at; at = strstr(at + 1, name)) {
        bool whole = at == code || (!is_name_char(at[-1]) && at[-1] != '.');
        const char *end = at + len;
        if (!whole || (*end != '.' && *end != '[')) continue;
        while (is_name_char(*end) || (*end && strchr(".[]\"'", *end))) end++;
        end += strspn(end, " \t");
        if (*end == '=' && end[1] != '=') return true;
    }
    return false;
}

static int l_ask(lua_State *L) {
    question *q = lua_touserdata(L, 1);
    lua_settop(L, 0);
    if (!q->write && (assigns_into(q->code, "self") || assigns_into(q->code, "state"))) {
        return luaL_error(L, "self and state are copies here, nothing would change "
                             "(hedged repl --write)");
    }
    l_push_names(L);
    bool about = strstr(q->code, "self") || strstr(q->code, "state");
    if (q->write) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &q->target->ref_self);
        lua_setfield(L, 1, "self");
    } else if (q->target && about) {
        l_copy_self(L, q->target);
        lua_getfield(L, -1, "state");
        lua_setfield(L, 1, "state");
        lua_setfield(L, 1, "self");
    }
    l_compile(L, q->code);
    lua_pushvalue(L, 1);
    if (!lua_setupvalue(L, -2, 1)) lua_pop(L, 1);
    lua_call(L, 0, LUA_MULTRET);
    int n = lua_gettop(L) - 1;
    if (n == 0) return 0;
    if (luaL_loadbufferx(L, show_text, sizeof show_text - 1, "=show", "t") != LUA_OK) {
        return lua_error(L);
    }
    lua_insert(L, 2);
    lua_call(L, n, 1);
    put(q->inspector, lua_tostring(L, -1));
    return 0;
}

/* The state of looking speaks as the strategy: its orders, its underlying. */
static void take_place_of(hg_script *own, const hg_script *target) {
    own->index = target ? target->index : HG_STRATEGY_ANY;
    own->underlying_id = target ? target->underlying_id : HG_ID_NONE;
}

static int open_own(hg_inspector *in) {
    if (in->own && in->own->lua && in->own->memory.live < MEMORY_MAX / 2) return 0;
    hg_script_close(in->own); /* what was kept there is too much: start anew */
    in->own = NULL;
    return hg_script_open_text(&in->env, "repl", own_text, HG_STRATEGY_ANY, NULL, 0, &in->own);
}

/* One line of what went wrong, without frame and traceback. */
static int refuse(hg_script *s) {
    char line[512];
    hg_text_copy(line, sizeof line, s->error);
    size_t len = strcspn(line, "\n");
    const char *text = line;
    if (strncmp(line, "stdlib/", 7) == 0 && strstr(line, ": ")) text = strstr(line, ": ") + 2;
    const char *tail = " in repl"; /* how frames name what has no source */
    line[len] = '\0';
    if (len > strlen(tail) && strcmp(line + len - strlen(tail), tail) == 0) {
        line[len - strlen(tail)] = '\0';
    }
    char help[256] = "";
    const char *advice = strstr(s->error, "= help: ");
    if (advice) {
        hg_text_copy(help, sizeof help, advice + 8);
        help[strcspn(help, "\n")] = '\0';
    }
    int rc = HG_ERR(HG_ESTRATEGY, "%s", text);
    if (help[0]) hg_error_hint("%s", help);
    return rc;
}

int hg_inspect(hg_inspector *in, hg_script *target, const char *code, bool write, char *out,
               size_t size) {
    out[0] = '\0';
    if (target && hg_script_is_lost(target)) {
        return HG_ERR(HG_ESTATE, "%s was stopped in the middle of a step: it has no state to ask",
                      target->name);
    }
    if (write && !target) return HG_ERR(HG_EUSAGE, "write to which strategy?");
    int rc = write ? 0 : open_own(in);
    if (rc < 0) return rc;
    hg_script *s = write ? target : in->own;
    in->out = out;
    in->size = size;
    in->used = 0;
    in->cut = false;
    if (!write) take_place_of(s, target);
    char kept[HG_ERROR_MAX]; /* why the strategy was parked is not ours to overwrite */
    memcpy(kept, s->error, sizeof kept);
    question q = {in, target, code, write};
    rc = hg_lua_protect(s, l_ask, &q, "repl", hg_script_budget(s));
    if (rc < 0) rc = refuse(s);
    if (s->lua) memcpy(s->error, kept, sizeof kept);
    if (!write && s->lua) {
        lua_gc(s->lua, LUA_GCCOLLECT);
        lua_gc(s->lua, LUA_GCSTOP);
    }
    in->out = NULL;
    return rc;
}

void hg_inspector_book(hg_inspector *in, hg_portfolio *portfolio) {
    in->env.portfolio = portfolio;
}

hg_inspector *hg_inspector_new(const hg_script_env *env) {
    hg_inspector *in = calloc(1, sizeof *in);
    if (!in) return NULL;
    in->env = *env;
    in->env.read_only = true;
    in->env.memory_max = MEMORY_MAX;
    in->env.context = in;
    in->env.log = on_log;
    in->env.plot = NULL;
    in->env.error = NULL;
    return in;
}

void hg_inspector_free(hg_inspector *in) {
    if (!in) return;
    hg_script_close(in->own);
    free(in);
}
