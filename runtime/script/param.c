/*
 * hedged.param: typed, bounded, documented values of a strategy that people may change from outside
 * (`--set band=0.2`). The script reads them as fields of itself and cannot write them.
 */
#include "base/text.h"
#include "script/script_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_NAME "hedged.param"

static const char *const fields[] = {"default", "min", "max", "unit", "doc", "choices", NULL};

static void l_text_into(lua_State *L, int table, const char *field, char *out, size_t size) {
    const char *text = l_api_text(L, table, field, "");
    if (!hg_text_copy(out, size, text)) {
        luaL_error(L, "hedged.param: %s is longer than %d bytes", field, (int)size - 1);
    }
}

static void l_read_choices(lua_State *L, hg_param *p) {
    if (lua_getfield(L, 1, "choices") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    luaL_argcheck(L, lua_istable(L, -1) && p->type == HG_PARAM_TEXT, 1,
                  "choices must be a list of texts, for a text parameter");
    size_t used = 0;
    bool found = false;
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1)) {
        const char *choice = luaL_checkstring(L, -1);
        int n = snprintf(p->choices + used, sizeof p->choices - used, "%s%s", i > 1 ? "\n" : "",
                         choice);
        if (n < 0 || (size_t)n >= sizeof p->choices - used) luaL_error(L, "too many choices");
        used += (size_t)n;
        found = found || strcmp(choice, p->text) == 0;
    }
    lua_pop(L, 2);
    if (!found) luaL_error(L, "hedged.param: default '%s' is not one of its choices", p->text);
}

static void l_read_default(lua_State *L, hg_param *p) {
    switch (lua_getfield(L, 1, "default")) {
    case LUA_TNUMBER:
        p->type = HG_PARAM_NUMBER;
        p->integer = lua_isinteger(L, -1) != 0;
        p->value = lua_tonumber(L, -1);
        break;
    case LUA_TBOOLEAN:
        p->type = HG_PARAM_BOOL;
        p->value = lua_toboolean(L, -1);
        break;
    case LUA_TSTRING:
        p->type = HG_PARAM_TEXT;
        if (!hg_text_copy(p->text, sizeof p->text, lua_tostring(L, -1))) {
            luaL_error(L, "hedged.param: default is longer than %d bytes", (int)sizeof p->text - 1);
        }
        break;
    default:
        luaL_error(L, "hedged.param: default must be a number, a boolean or a text, got %s",
                   luaL_typename(L, -1));
    }
    lua_pop(L, 1);
}

int l_param(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    l_api_check_fields(L, 1, "hedged.param", fields);
    hg_param p;
    memset(&p, 0, sizeof p);
    l_read_default(L, &p);
    p.min = l_api_number(L, 1, "min", -INFINITY);
    p.max = l_api_number(L, 1, "max", INFINITY);
    l_text_into(L, 1, "unit", p.unit, sizeof p.unit);
    l_read_choices(L, &p);
    if (p.type == HG_PARAM_NUMBER && !(p.value >= p.min && p.value <= p.max)) {
        return luaL_error(L, "hedged.param: default %f is outside %f .. %f", p.value, p.min, p.max);
    }
    hg_param *out = lua_newuserdatauv(L, sizeof *out, 0);
    *out = p;
    if (luaL_newmetatable(L, TYPE_NAME)) {
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    lua_setmetatable(L, -2);
    return 1;
}

bool l_param_is(lua_State *L, int index) {
    return luaL_testudata(L, index, TYPE_NAME) != NULL;
}

bool l_param_declare(lua_State *L, hg_script *s, const char *name) {
    const hg_param *p = luaL_testudata(L, -1, TYPE_NAME);
    if (!p) return false;
    if (s->param_count == HG_PARAMS_MAX) luaL_error(L, "more than %d parameters", HG_PARAMS_MAX);
    if (strlen(name) >= sizeof p->name) luaL_error(L, "parameter name '%s' is too long", name);
    uint32_t at = s->param_count++;
    while (at > 0 && strcmp(s->params[at - 1].name, name) > 0) {
        s->params[at] = s->params[at - 1];
        at--;
    }
    s->params[at] = *p;
    hg_text_copy(s->params[at].name, sizeof s->params[at].name, name);
    return true;
}

void l_param_push(lua_State *L, const hg_param *p) {
    bool whole = p->integer && p->value == floor(p->value) && fabs(p->value) < 9e15;
    if (p->type == HG_PARAM_NUMBER && whole) lua_pushinteger(L, (lua_Integer)p->value);
    if (p->type == HG_PARAM_NUMBER && !whole) lua_pushnumber(L, p->value);
    if (p->type == HG_PARAM_BOOL) lua_pushboolean(L, p->value != 0);
    if (p->type == HG_PARAM_TEXT) lua_pushstring(L, p->text);
}

static hg_param *find(hg_script *s, const char *name) {
    for (uint32_t i = 0; i < s->param_count; i++) {
        if (strcmp(s->params[i].name, name) == 0) return &s->params[i];
    }
    return NULL;
}

static int unknown(hg_script *s, const char *name) {
    const char *names[HG_PARAMS_MAX + 1];
    for (uint32_t i = 0; i < s->param_count; i++) names[i] = s->params[i].name;
    names[s->param_count] = NULL;
    const char *near = hg_text_nearest(name, names);
    int rc = HG_ERR(HG_ECONFIG, "%s has no parameter '%s'", s->file, name);
    if (near) hg_error_hint("did you mean '%s'?", near);
    if (!near && s->param_count == 0) hg_error_hint("this strategy declares no hedged.param");
    return rc;
}

static int set_number(hg_param *p, const char *text) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value)) {
        return HG_ERR(HG_ECONFIG, "parameter '%s' wants a number, got '%s'", p->name, text);
    }
    if (value < p->min) {
        return HG_ERR(HG_ECONFIG, "parameter '%s' = %s is below its minimum %g%s%s", p->name, text,
                      p->min, *p->unit ? " " : "", p->unit);
    }
    if (value > p->max) {
        return HG_ERR(HG_ECONFIG, "parameter '%s' = %s is above its maximum %g%s%s", p->name, text,
                      p->max, *p->unit ? " " : "", p->unit);
    }
    p->value = value;
    return 0;
}

static int set_text(hg_param *p, const char *text) {
    if (strlen(text) >= sizeof p->text) {
        return HG_ERR(HG_ECONFIG, "parameter '%s' is longer than %zu bytes", p->name,
                      sizeof p->text - 1);
    }
    size_t len = strlen(text);
    bool found = *p->choices == '\0';
    for (const char *c = p->choices; *c && !found;) {
        size_t n = strcspn(c, "\n");
        found = n == len && memcmp(c, text, n) == 0;
        c += n + (c[n] == '\n');
    }
    if (!found) {
        char list[sizeof p->choices];
        hg_text_copy(list, sizeof list, p->choices);
        for (char *c = list; *c; c++) {
            if (*c == '\n') *c = ' ';
        }
        return HG_ERR(HG_ECONFIG, "parameter '%s' = '%s' is not one of: %s", p->name, text, list);
    }
    hg_text_copy(p->text, sizeof p->text, text);
    return 0;
}

static int set_bool(hg_param *p, const char *text) {
    bool on = strcmp(text, "true") == 0;
    if (!on && strcmp(text, "false") != 0) {
        return HG_ERR(HG_ECONFIG, "parameter '%s' wants true or false, got '%s'", p->name, text);
    }
    p->value = on;
    return 0;
}

int hg_param_set(hg_script *s, const char *assignment) {
    const char *equals = strchr(assignment, '=');
    char name[64];
    size_t len = equals ? (size_t)(equals - assignment) : 0;
    if (!equals || len == 0 || len >= sizeof name) {
        return HG_ERR(HG_ECONFIG, "'%s' is not of the form name=value", assignment);
    }
    memcpy(name, assignment, len);
    name[len] = '\0';
    hg_param *p = find(s, name);
    if (!p) return unknown(s, name);
    int rc = p->type == HG_PARAM_NUMBER ? set_number(p, equals + 1)
             : p->type == HG_PARAM_BOOL ? set_bool(p, equals + 1)
                                        : set_text(p, equals + 1);
    p->outside = p->outside || rc == 0;
    return rc;
}

/* The values a script reads, as the parameters have them now. */
int l_param_publish(lua_State *L) {
    hg_script *s = hg_script_of(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->ref_values);
    for (uint32_t i = 0; i < s->param_count; i++) {
        l_param_push(L, &s->params[i]);
        lua_setfield(L, -2, s->params[i].name);
    }
    return 0;
}

int hg_script_set(hg_script *s, const char *assignment) {
    if (s->state == HG_SCRIPT_FAILED) return HG_ERR(HG_ESTATE, "%s has failed", s->name);
    /* Subscriptions and exposure were resolved from these when the script started. */
    if (strncmp(assignment, "underlying=", 11) == 0 ||
        strncmp(assignment, "hedge_with=", 11) == 0) {
        return HG_ERR(HG_ECONFIG, "%.10s cannot be changed while %s runs", assignment, s->name);
    }
    int rc = hg_param_set(s, assignment);
    return rc < 0 ? rc : hg_lua_protect(s, l_param_publish, NULL, "parameters", 0);
}

bool hg_script_param(const hg_script *s, size_t k, const char **name, char *value, size_t size) {
    if (k >= s->param_count) return false;
    const hg_param *p = &s->params[k];
    *name = p->name;
    if (p->type == HG_PARAM_NUMBER) {
        snprintf(value, size, "%.10g%s%s", p->value, *p->unit ? " " : "", p->unit);
    } else {
        snprintf(value, size, "%s",
                 p->type == HG_PARAM_TEXT ? p->text : (p->value != 0 ? "true" : "false"));
    }
    return true;
}

bool hg_script_param_view(const hg_script *s, size_t k, hg_param_view *out) {
    static const char *const types[] = {"number", "bool", "text"};
    if (k >= s->param_count) return false;
    const hg_param *p = &s->params[k];
    *out = (hg_param_view){.name = p->name,
                           .unit = p->unit,
                           .text = p->text,
                           .type = types[p->type],
                           .choices = p->choices,
                           .value = p->value,
                           .min = p->min,
                           .max = p->max};
    return true;
}
