/*
 * hedged.param: typed, bounded, documented values of a strategy that people may change from outside
 * (`--set band=0.2`). The script reads them as fields of itself and cannot write them.
 */
#include "base/text.h"
#include "script/reload.h"
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
    hg_text_make_line(out);
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
    p.declared = p.value;
    memcpy(p.declared_text, p.text, sizeof p.text);
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

/* As people have to write it: --set NAME=VALUE. */
static bool is_name(const char *name) {
    if (*name >= '0' && *name <= '9') return false;
    for (; *name; name++) {
        bool word = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                    (*name >= '0' && *name <= '9') || *name == '_';
        if (!word) return false;
    }
    return true;
}

bool l_param_declare(lua_State *L, hg_script *s, const char *name) {
    const hg_param *p = luaL_testudata(L, -1, TYPE_NAME);
    if (!p) return false;
    if (s->param_count == HG_PARAMS_MAX) luaL_error(L, "more than %d parameters", HG_PARAMS_MAX);
    if (!*name || !is_name(name)) {
        luaL_error(L, "a parameter needs a name of letters, digits and _, not '%s'", name);
    }
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

static const hg_param *find(const hg_script *s, const char *name) {
    for (uint32_t i = 0; i < s->param_count; i++) {
        if (strcmp(s->params[i].name, name) == 0) return &s->params[i];
    }
    return NULL;
}

static int unknown(const hg_script *s, const char *name) {
    const char *names[HG_PARAMS_MAX + 1];
    for (uint32_t i = 0; i < s->param_count; i++) names[i] = s->params[i].name;
    names[s->param_count] = NULL;
    const char *near = hg_text_nearest(name, names);
    int rc = HG_ERR(HG_ECONFIG, "%s has no parameter '%s'", s->file, name);
    if (near) hg_error_hint("did you mean '%s'?", near);
    if (!near && s->param_count == 0) hg_error_hint("this strategy declares no hedged.param");
    if (!near && s->param_count > 0) {
        char list[256] = "";
        size_t used = 0;
        for (uint32_t i = 0; i < s->param_count && used < sizeof list; i++) {
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                                     names[i]);
        }
        hg_error_hint("it has %s", list);
    }
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

/* The parameter an assignment names, with its new value. */
static int param_read(const hg_script *s, const char *assignment, hg_param *out) {
    const char *equals = strchr(assignment, '=');
    char name[64];
    size_t len = equals ? (size_t)(equals - assignment) : 0;
    if (!equals || len == 0 || len >= sizeof name) {
        return HG_ERR(HG_ECONFIG, "'%s' is not of the form name=value", assignment);
    }
    memcpy(name, assignment, len);
    name[len] = '\0';
    const hg_param *p = find(s, name);
    if (!p) return unknown(s, name);
    *out = *p;
    out->outside = true;
    return p->type == HG_PARAM_NUMBER ? set_number(out, equals + 1)
           : p->type == HG_PARAM_BOOL ? set_bool(out, equals + 1)
                                      : set_text(out, equals + 1);
}

int hg_param_set(hg_script *s, const char *assignment) {
    hg_param p;
    int rc = param_read(s, assignment, &p);
    for (uint32_t i = 0; i < s->param_count && rc == 0; i++) {
        if (strcmp(s->params[i].name, p.name) == 0) s->params[i] = p;
    }
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

int hg_script_set_check(const hg_script *s, const char *assignment) {
    if (s->state == HG_SCRIPT_FAILED) return HG_ERR(HG_ESTATE, "%s has failed", s->name);
    /* Subscriptions and exposure were resolved from these when the script started. */
    if (strncmp(assignment, "underlying=", 11) == 0 ||
        strncmp(assignment, "hedge_with=", 11) == 0) {
        return HG_ERR(HG_ECONFIG, "%.10s cannot be changed while %s runs", assignment, s->name);
    }
    hg_param scratch;
    return param_read(s, assignment, &scratch);
}

int hg_script_set(hg_script *s, const char *assignment) {
    int rc = hg_script_set_check(s, assignment);
    if (rc == 0) rc = hg_param_set(s, assignment);
    return rc < 0 ? rc : hg_lua_protect(s, l_param_publish, NULL, "parameters", 0);
}

/* A value of `p` as people read it: its own or the declared one. */
static void value_text(const hg_param *p, double value, const char *text, char *buf, size_t size) {
    if (p->type == HG_PARAM_NUMBER) {
        snprintf(buf, size, "%.10g%s%s", value, *p->unit ? " " : "", p->unit);
    } else {
        snprintf(buf, size, "%s", p->type == HG_PARAM_TEXT ? text : value != 0 ? "true" : "false");
    }
    hg_text_make_line(buf);
}

bool hg_script_param(const hg_script *s, size_t k, const char **name, char *value, size_t size) {
    if (k >= s->param_count) return false;
    const hg_param *p = &s->params[k];
    *name = p->name;
    value_text(p, p->value, p->text, value, size);
    return true;
}

static bool same_value(double a, const char *a_text, double b, const char *b_text) {
    return !(a < b || a > b) && strcmp(a_text, b_text) == 0;
}

/* "band 0.5 -> 0.4 BTC", or why a new default has no effect; "" when nothing is to be said. */
static void param_change(const hg_param *now, const hg_param *was, char *buf, size_t size) {
    char from[160], to[160];
    buf[0] = '\0';
    value_text(now, now->value, now->text, to, sizeof to);
    if (!same_value(now->value, now->text, was->value, was->text)) {
        value_text(was, was->value, was->text, from, sizeof from);
        snprintf(buf, size, "%s was %s, is %s", now->name, from, to);
    } else if (now->outside &&
               !same_value(now->declared, now->declared_text, was->declared, was->declared_text) &&
               !same_value(now->declared, now->declared_text, now->value, now->text)) {
        value_text(now, now->declared, now->declared_text, from, sizeof from);
        snprintf(buf, size, "%s stays %s, set from outside (the file says %s)", now->name, to,
                 from);
    }
}

void hg_script_params_changed(const hg_script *next, const hg_script *old, char *buf, size_t size) {
    size_t used = 0;
    buf[0] = '\0';
    for (uint32_t i = 0; i < next->param_count; i++) {
        char change[512];
        const hg_param *was = find(old, next->params[i].name);
        if (!was || was->type != next->params[i].type) continue;
        param_change(&next->params[i], was, change, sizeof change);
        if (!*change) continue;
        int n = snprintf(buf + used, size - used, "%s%s", used > 0 ? "; " : "", change);
        if (n < 0 || (size_t)n >= size - used) {
            snprintf(buf + used, size - used, "%s", used > 0 ? "; ..." : "");
            return;
        }
        used += (size_t)n;
    }
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
