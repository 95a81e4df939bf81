/* `hedged check`: loads a strategy without starting it and lists what looks wrong. */
#include "base/text.h"
#include "script/script_int.h"

#include <stdio.h>
#include <string.h>

static int check_callbacks(const hg_script *s, char *report, size_t size) {
    for (int i = 0; i < HG_CALLBACKS; i++) {
        if (s->ref_callback[i] != LUA_NOREF) return 0;
    }
    size_t used = strlen(report);
    snprintf(report + used, size - used,
             "%s: no callback (on_tick, on_timer, ...): it never runs\n", s->file);
    return 1;
}

typedef struct unused {
    char *report;
    size_t size;
    int found;
} unused;

/* Functions named as callbacks that the runtime does not know: S:on_ticks, S:on_fills. */
static int l_unused(lua_State *L) {
    hg_script *s = hg_script_of(L);
    unused *u = lua_touserdata(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->ref_self);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        bool known = strncmp(name, "on_", 3) != 0 || !lua_isfunction(L, -1);
        for (int i = 0; i < HG_CALLBACKS && !known; i++) {
            known = strcmp(name, hg_callback_names[i]) == 0;
        }
        if (known) continue;
        lua_Debug ar;
        lua_pushvalue(L, -1);
        lua_getinfo(L, ">S", &ar);
        const char *near = hg_text_nearest(name, hg_callback_names);
        size_t used = strlen(u->report);
        snprintf(u->report + used, u->size - used, "%s:%d: nobody calls '%s'%s%s%s\n", ar.short_src,
                 ar.linedefined, name, near ? "; did you mean '" : "", near ? near : "",
                 near ? "'?" : "");
        u->found++;
    }
    return 0;
}

static int check_unused(hg_script *s, char *report, size_t size) {
    unused u = {report, size, 0};
    return hg_lua_protect(s, l_unused, &u, "check", 0) < 0 ? 0 : u.found;
}

int hg_script_check(const hg_script_env *env, const char *path, const char *const *set,
                    size_t set_count, char *report, size_t size) {
    hg_script *s = NULL;
    if (size > 0) report[0] = '\0';
    int rc = hg_script_open(env, path, 0, set, set_count, &s);
    if (rc < 0) return rc;
    int warnings = 0;
    for (uint32_t i = 0; i < s->source_count && size > 0; i++) {
        const hg_source *source = &s->sources[i];
        if (strncmp(source->name, "stdlib/", 7) == 0) continue;
        warnings += hg_check_source(s, source, report, size);
    }
    if (size > 0) warnings += check_callbacks(s, report, size) + check_unused(s, report, size);
    hg_script_close(s);
    return warnings;
}
