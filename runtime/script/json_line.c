/* One flat JSON object of the events file as a Lua table. It reads what our own writer writes, for
 * tests; nested values are skipped over as nil. */
#include "script/script_int.h"

#include <stdlib.h>
#include <string.h>

static const char *skip_blank(const char *p) {
    return p + strspn(p, " \t");
}

/* A string at the opening quote; pushes it and returns what follows the closing one. */
static const char *l_string(lua_State *L, const char *p) {
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (p++; *p && *p != '"'; p++) {
        if (*p != '\\') {
            luaL_addchar(&b, *p);
            continue;
        }
        p++;
        switch (*p) {
        case 'n':
            luaL_addchar(&b, '\n');
            break;
        case 't':
            luaL_addchar(&b, '\t');
            break;
        case 'u': {
            char digits[5] = {0};
            memcpy(digits, p + 1, strnlen(p + 1, 4));
            unsigned long code = strtoul(digits, NULL, 16);
            luaL_addchar(&b,
                         (char)(code < 128 ? code : '?')); /* the writer escapes controls only */
            p += strnlen(p + 1, 4);
            break;
        }
        case '\0':
            p--;
            break;
        default:
            luaL_addchar(&b, *p);
            break;
        }
    }
    luaL_pushresult(&b);
    return *p ? p + 1 : p;
}

static const char *l_value(lua_State *L, const char *p) {
    if (*p == '"') return l_string(L, p);
    if (*p == '-' || (*p >= '0' && *p <= '9')) {
        size_t n = strspn(p, "+-.0123456789eE");
        char number[64];
        if (n >= sizeof number) luaL_error(L, "number of %d digits", (int)n);
        memcpy(number, p, n);
        number[n] = '\0';
        if (lua_stringtonumber(L, number) == 0) luaL_error(L, "malformed number");
        return p + n;
    }
    if (strncmp(p, "true", 4) == 0 || strncmp(p, "false", 5) == 0) {
        lua_pushboolean(L, *p == 't');
        return p + (*p == 't' ? 4 : 5);
    }
    lua_pushnil(L);
    size_t depth = 0;
    for (; *p && (depth > 0 || (*p != ',' && *p != '}')); p++) {
        if (*p == '{' || *p == '[') depth++;
        if ((*p == '}' || *p == ']') && depth > 0) depth--;
    }
    return p;
}

void l_push_json_line(lua_State *L, const char *line) {
    lua_newtable(L);
    const char *p = skip_blank(line);
    if (*p == '{') p++;
    while (*(p = skip_blank(p)) == '"') {
        p = skip_blank(l_string(L, p));
        if (*p == ':') p++;
        p = l_value(L, skip_blank(p));
        lua_rawset(L, -3);
        p = skip_blank(p);
        if (*p == ',') p++;
    }
}
