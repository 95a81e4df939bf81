/* The string library of the sandbox: bounded rep and patterns, format without addresses. */
#include "script/pattern_int.h"
#include "script/script_int.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lualib.h>

#define REP_BYTES HG_TEXT_MAX
#define REP_COUNT 10000000
#define FORMAT_ARGS 99

/* What is there already is copied, twice as much each time: stock Lua copies one by one, which
 * takes 40 ms for nine million letters and cannot be interrupted. */
static int l_rep(lua_State *L) {
    size_t len;
    size_t sep_len;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_Integer n = luaL_checkinteger(L, 2);
    const char *sep = luaL_optlstring(L, 3, "", &sep_len);
    if (n > REP_COUNT || (n > 0 && (len + sep_len) > REP_BYTES / (size_t)n)) {
        return luaL_error(L, "string.rep: the result would be above 2 MiB");
    }
    if (n <= 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    size_t unit = len + sep_len;
    size_t size = unit * (size_t)n - sep_len;
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, size + sep_len);
    memcpy(out, text, len);
    memcpy(out + len, sep, sep_len);
    for (size_t done = unit; done < size;) {
        size_t piece = done < size - done ? done : size - done;
        memcpy(out + done, out, piece);
        done += piece;
    }
    luaL_pushresultsize(&b, size);
    return 1;
}

/* Tables, functions and objects print without their address, and %p is refused: an address differs
 * from run to run. */
static int l_format(lua_State *L) {
    const char *f = luaL_checkstring(L, 1);
    int n = lua_gettop(L);
    luaL_argcheck(L, n <= FORMAT_ARGS, n, "too many arguments");
    int arg = 1;
    for (; *f; f++) {
        if (*f != '%') continue;
        f++;
        if (*f == '%') continue;
        f += strspn(f, "-+ #0123456789.");
        arg++;
        if (*f == 'p') return luaL_error(L, "string.format: %%p is not available to a strategy");
        if (*f == 's' && arg <= n) {
            l_safe_tostring(L, arg);
            lua_replace(L, arg);
        }
        if (!*f) break;
    }
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static size_t start_of(lua_Integer init, size_t len) {
    if (init > 0) return (size_t)init - 1;
    if (init == 0 || init < -(lua_Integer)len) return 0;
    return len - (size_t)-init;
}

static bool has_specials(const char *pat, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (pat[i] && strchr("^$*+?.([%-", pat[i])) return true;
    }
    return false;
}

static int l_find_plain(lua_State *L, const char *s, size_t len, const char *p, size_t plen,
                        size_t init) {
    const char *at = plen == 0 ? s + init : memmem(s + init, len - init, p, plen);
    if (!at) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, at - s + 1);
    lua_pushinteger(L, at - s + (lua_Integer)plen);
    return 2;
}

static int l_search(lua_State *L, bool find) {
    size_t len;
    size_t plen;
    const char *s = luaL_checklstring(L, 1, &len);
    const char *p = luaL_checklstring(L, 2, &plen);
    size_t init = start_of(luaL_optinteger(L, 3, 1), len);
    if (init > len) {
        lua_pushnil(L);
        return 1;
    }
    if (find && (lua_toboolean(L, 4) || !has_specials(p, plen))) {
        return l_find_plain(L, s, len, p, plen, init);
    }
    hg_pattern m;
    bool anchored = plen > 0 && *p == '^';
    hg_pattern_init(&m, L, s, len, p, plen);
    for (const char *at = s + init; at <= m.src_end; at++) {
        m.level = 0;
        const char *end = l_pattern_match(&m, at, p + anchored);
        if (end) {
            if (!find) return l_pattern_push_all(&m, at, end);
            lua_pushinteger(L, at - s + 1);
            lua_pushinteger(L, end - s);
            return l_pattern_push_all(&m, NULL, NULL) + 2;
        }
        if (anchored) break;
    }
    lua_pushnil(L);
    return 1;
}

static int l_find(lua_State *L) {
    return l_search(L, true);
}

static int l_match(lua_State *L) {
    return l_search(L, false);
}

/* upvalues: text, pattern, next start, end of the last match (-1 = none) */
static int l_gmatch_next(lua_State *L) {
    size_t len;
    size_t plen;
    const char *s = lua_tolstring(L, lua_upvalueindex(1), &len);
    const char *p = lua_tolstring(L, lua_upvalueindex(2), &plen);
    lua_Integer last = lua_tointeger(L, lua_upvalueindex(4));
    hg_pattern m;
    hg_pattern_init(&m, L, s, len, p, plen);
    const char *at = s + lua_tointeger(L, lua_upvalueindex(3));
    for (; at <= m.src_end; at++) {
        m.level = 0;
        const char *end = l_pattern_match(&m, at, p);
        if (end && end - s != last) {
            lua_pushinteger(L, end - s);
            lua_copy(L, -1, lua_upvalueindex(3));
            lua_replace(L, lua_upvalueindex(4));
            return l_pattern_push_all(&m, at, end);
        }
    }
    return 0;
}

static int l_gmatch(lua_State *L) {
    size_t len;
    luaL_checklstring(L, 1, &len);
    luaL_checkstring(L, 2);
    size_t init = start_of(luaL_optinteger(L, 3, 1), len);
    if (init > len) init = len + 1;
    lua_settop(L, 2);
    lua_pushinteger(L, (lua_Integer)init);
    lua_pushinteger(L, -1);
    lua_pushcclosure(L, l_gmatch_next, 4);
    return 1;
}

static void l_add_template(hg_pattern *m, luaL_Buffer *b, const char *s, const char *e) {
    lua_State *L = m->L;
    size_t len;
    const char *news = lua_tolstring(L, 3, &len);
    const char *stop = news + len;
    for (const char *p = news; p < stop; p++) {
        if (*p != '%') {
            luaL_addchar(b, *p);
            continue;
        }
        p++;
        if (p < stop && *p == '%') {
            luaL_addchar(b, *p);
        } else if (p < stop && *p == '0') {
            luaL_addlstring(b, s, (size_t)(e - s));
        } else if (p < stop && *p >= '1' && *p <= '9') {
            l_pattern_push(m, *p - '1', s, e);
            luaL_tolstring(L, -1, NULL);
            lua_remove(L, -2);
            luaL_addvalue(b);
        } else {
            luaL_error(L, "invalid use of '%%' in replacement string");
        }
    }
}

/* Adds what replaces the match [s, e). */
static void l_add_replacement(hg_pattern *m, luaL_Buffer *b, const char *s, const char *e,
                              int type) {
    lua_State *L = m->L;
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, l_pattern_push_all(m, s, e), 1);
    } else if (type == LUA_TTABLE) {
        l_pattern_push(m, 0, s, e);
        lua_gettable(L, 3);
    } else {
        l_add_template(m, b, s, e);
        return;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(b, s, (size_t)(e - s));
        return;
    }
    if (!lua_isstring(L, -1)) {
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    }
    luaL_addvalue(b);
}

static int l_gsub(lua_State *L) {
    size_t len;
    size_t plen;
    const char *s = luaL_checklstring(L, 1, &len);
    const char *p = luaL_checklstring(L, 2, &plen);
    int type = lua_type(L, 3);
    luaL_argexpected(L,
                     type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION ||
                         type == LUA_TTABLE,
                     3, "string/function/table");
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)len + 1);
    bool anchored = plen > 0 && *p == '^';
    if (type == LUA_TNUMBER) lua_tostring(L, 3);
    hg_pattern m;
    luaL_Buffer b;
    hg_pattern_init(&m, L, s, len, p, plen);
    luaL_buffinit(L, &b);
    const char *last = NULL;
    lua_Integer n = 0;
    while (n < most) {
        m.level = 0;
        const char *end = l_pattern_match(&m, s, p + anchored);
        if (end && end != last) {
            n++;
            l_add_replacement(&m, &b, s, end, type);
            s = last = end;
        } else if (s < m.src_end) {
            luaL_addchar(&b, *s++);
        } else {
            break;
        }
        if (anchored) break;
    }
    luaL_addlstring(&b, s, (size_t)(m.src_end - s));
    luaL_pushresult(&b);
    lua_pushinteger(L, n);
    return 2;
}

/* ---- whole texts, a piece at a time: a long one must not outlast the budget unseen ------------
 */
#define PIECE ((size_t)64 << 10)

typedef enum { LOWER, UPPER, REVERSE } change;

static int l_change(lua_State *L, change how) {
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    luaL_Buffer b;
    char *out = luaL_buffinitsize(L, &b, len);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[how == REVERSE ? len - 1 - i : i];
        out[i] = (char)(how == LOWER ? tolower(c) : how == UPPER ? toupper(c) : c);
        if (i % PIECE == PIECE - 1) l_raise_if_over_budget(L);
    }
    luaL_pushresultsize(&b, len);
    return 1;
}

static int l_lower(lua_State *L) {
    return l_change(L, LOWER);
}
static int l_upper(lua_State *L) {
    return l_change(L, UPPER);
}
static int l_reverse(lua_State *L) {
    return l_change(L, REVERSE);
}

void l_lib_string(lua_State *L) {
    static const char *const kept[] = {"byte", "char",     "len",    "sub",
                                       "pack", "packsize", "unpack", NULL};
    static const luaL_Reg own[] = {
        {"find",    l_find   },
        {"match",   l_match  },
        {"gmatch",  l_gmatch },
        {"gsub",    l_gsub   },
        {"lower",   l_lower  },
        {"upper",   l_upper  },
        {"reverse", l_reverse},
        {"rep",     l_rep    },
        {NULL,      NULL     },
    };
    lua_pushcfunction(L, luaopen_string);
    lua_call(L, 0, 1);
    luaL_newlib(L, own);
    for (size_t i = 0; kept[i]; i++) {
        lua_getfield(L, -2, kept[i]);
        lua_setfield(L, -2, kept[i]);
    }
    lua_getfield(L, -2, "format");
    lua_pushcclosure(L, l_format, 1);
    lua_setfield(L, -2, "format");
    lua_remove(L, -2);
    /* ("x"):rep(3) must reach the bounded functions, and nobody may change them. */
    lua_pushliteral(L, "");
    lua_createtable(L, 0, 2);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}
