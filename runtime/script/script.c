/* Life of a script: load, start, stop, close. */
#include "base/assert.h"
#include "base/embedded.h"
#include "base/hash.h"
#include "base/text.h"
#include "script/reload_int.h"

#include <stdlib.h>
#include <string.h>

hg_script *hg_script_new(const hg_script_env *env, const char *path, uint16_t index) {
    hg_script *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->env = env;
    s->sandbox = env != NULL;
    s->index = index;
    s->hash = HG_HASH_INIT;
    s->underlying_id = HG_ID_NONE;
    for (int i = 0; i < HG_CALLBACKS; i++) s->ref_callback[i] = LUA_NOREF;
    hg_text_copy(s->file, sizeof s->file, path);
    hg_rng_init(&s->rng, env ? env->seed : 0, UINT64_C(0x5c71) << 16 | index);
    return s;
}

void hg_script_close(hg_script *s) {
    if (!s) return;
    hg_state_close(s);
    for (uint32_t i = 0; i < s->source_count; i++) free(s->sources[i].text);
    free(s->subscribed);
    free(s->proxy);
    free(s->ticks.bits);
    free(s->depths.bits);
    free(s);
}

/* "strategies/delta_band.lua" -> "delta_band" */
static void name_from_path(hg_script *s, const char *path) {
    if (s->env && s->env->name) {
        hg_text_copy(s->name, sizeof s->name, s->env->name);
        return;
    }
    const char *slash = strrchr(path, '/');
    hg_text_copy(s->name, sizeof s->name, slash ? slash + 1 : path);
    char *dot = strrchr(s->name, '.');
    if (dot && dot != s->name) *dot = '\0';
}

/* Where its modules are: the canonical directory on disk, or the folder among the embedded files.
 */
static void set_directory(hg_script *s, const char *path) {
    char folder[HG_PATH_MAX];
    hg_text_copy(folder, sizeof folder, path);
    char *slash = strrchr(folder, '/');
    if (slash) {
        *(slash == folder ? slash + 1 : slash) = '\0';
    } else {
        hg_text_copy(folder, sizeof folder, ".");
    }
    char *real = realpath(path, NULL);
    s->embedded = !real && hg_embedded_find(path) != NULL;
    free(real);
    real = s->embedded ? NULL : realpath(folder, NULL);
    hg_text_copy(s->dir, sizeof s->dir, real ? real : folder);
    free(real);
}

static int l_run_file(lua_State *L) {
    const hg_source *source = lua_touserdata(L, 1);
    hg_script *s = hg_script_of(L);
    if (source->text[0] == '\x1b') {
        return luaL_error(L, "%s: compiled Lua is not taken, the text is", s->file);
    }
    lua_pushfstring(L, "@%s", source->name);
    if (l_compile_text(L, source->text, source->size, lua_tostring(L, -1)) != LUA_OK) {
        return lua_error(L);
    }
    lua_call(L, 0, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->ref_self);
    if (!s->declared) {
        return luaL_error(L,
                          "%s: not a strategy: it calls hedged.strategy nowhere "
                          "(or the file is cut short)",
                          s->file);
    }
    if (!lua_rawequal(L, -1, -2)) {
        return luaL_error(L,
                          "%s: must end with `return S`, the table hedged.strategy gave "
                          "(or the file is cut short)",
                          s->file);
    }
    return 0;
}

/* Callbacks are looked up once: an absent one costs nothing. */
static int l_bind(lua_State *L) {
    hg_script *s = hg_script_of(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->ref_self);
    for (int i = 0; i < HG_CALLBACKS; i++) {
        lua_pushstring(L, hg_callback_names[i]);
        int type = lua_rawget(L, -2);
        if (type != LUA_TNIL && type != LUA_TFUNCTION) {
            return luaL_error(L, "%s: %s must be a function", s->file, hg_callback_names[i]);
        }
        if (type == LUA_TFUNCTION) {
            s->ref_callback[i] = luaL_ref(L, LUA_REGISTRYINDEX);
        } else {
            lua_pop(L, 1);
        }
    }
    l_param_publish(L);
    l_new_tick(L);
    s->ref_tick = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushstring(L, s->underlying);
    s->underlying_key = lua_tostring(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->underlying_key);
    l_collect_begin(L);
    return 0;
}

/* Names the declaration speaks of must exist in this session. */
static int check_names(hg_script *s) {
    const hg_universe *universe = s->env->universe;
    if (*s->underlying) {
        s->underlying_id = hg_universe_find_underlying(universe, s->underlying);
        if (s->underlying_id == HG_ID_NONE) {
            return HG_ERR(HG_ESTRATEGY, "%s: underlying '%s' is not in this session", s->file,
                          s->underlying);
        }
    }
    for (uint32_t i = 0; i < s->hedge_count; i++) {
        if (hg_universe_find(universe, s->hedge_with[i]) != HG_ID_NONE) continue;
        int rc = HG_ERR(HG_ESTRATEGY, "%s: hedge_with '%s' is not in this session", s->file,
                        s->hedge_with[i]);
        const char *near = hg_universe_nearest(universe, s->hedge_with[i]);
        if (near) hg_error_hint("did you mean '%s'?", near);
        return rc;
    }
    return 0;
}

/* What was declared as a parameter has its value by now. */
static void adopt_names(hg_script *s) {
    for (uint32_t i = 0; i < s->param_count; i++) {
        const hg_param *p = &s->params[i];
        if (strcmp(p->name, "underlying") == 0) {
            hg_text_copy(s->underlying, sizeof s->underlying, p->text);
        } else if (strcmp(p->name, "hedge_with") == 0) {
            hg_text_copy(s->hedge_with[0], sizeof s->hedge_with[0], p->text);
            s->hedge_count = 1;
        }
    }
}

/* Where the parameters of a script come from: texts, or the script it follows. */
typedef struct value_source {
    const char *const *set;
    size_t count;
    const hg_script *context;
    int (*follow)(hg_script *, const hg_script *);
} value_source;

static int load(hg_script *s, const hg_source *source, const value_source *values) {
    s->loading = true;
    int rc = hg_lua_protect(s, l_run_file, (void *)(uintptr_t)source, "load",
                            hg_script_load_budget(s));
    s->loading = false;
    for (size_t i = 0; rc == 0 && i < values->count; i++) rc = hg_param_set(s, values->set[i]);
    if (rc == 0 && values->follow) rc = values->follow(s, values->context);
    if (rc == 0) rc = hg_lua_protect(s, l_bind, NULL, "load", hg_script_load_budget(s));
    (void)hg_pace_poll(s->pace);
    if (rc == 0) {
        hg_tick_bind(s);
        adopt_names(s);
        rc = check_names(s);
    }
    s->gc_mark = s->gc_last = s->memory.live;
    return rc;
}

/* *out is the script, also when it failed to load, or NULL. */
static int build(const hg_script_env *env, const char *path, const char *text, uint16_t index,
                 const hg_code *from, const value_source *values, hg_pace *pace, hg_script **out) {
    hg_script *s = hg_script_new(env, path, index);
    *out = s;
    if (!s) return HG_ERR(HG_ENOMEM, "no memory for a strategy");
    name_from_path(s, path);
    set_directory(s, path);
    s->from = from;
    s->pace = pace;
    int rc = hg_allow_check();
    if (rc == 0) rc = hg_state_open(s);
    const hg_source *source = NULL;
    if (rc == 0) {
        source = text ? hg_source_text(s, path, text, strlen(text)) : hg_source_load(s, path);
        rc = source ? load(s, source, values) : HG_ERR_CTX(HG_ESTRATEGY, "strategy");
        if (!source) { /* of nothing there is no hash, and its file is waited for */
            s->hash = 0;
            hg_text_copy(s->absent, sizeof s->absent, path);
        }
    }
    s->from = NULL;
    return rc;
}

static int open_with(const hg_script_env *env, const char *path, const char *text, uint16_t index,
                     const char *const *set, size_t set_count, hg_script **out) {
    value_source values = {.set = set, .count = set_count};
    hg_script *s = NULL;
    int rc = build(env, path, text, index, NULL, &values, NULL, &s);
    if (rc < 0) {
        hg_script_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

int hg_script_load(const hg_script_env *env, const char *path, uint16_t index, const hg_code *from,
                   const hg_script *context, int (*follow)(hg_script *, const hg_script *),
                   hg_pace *pace, hg_script **out) {
    value_source values = {.context = context, .follow = follow};
    return build(env, path, NULL, index, from, &values, pace, out);
}

int hg_script_open(const hg_script_env *env, const char *path, uint16_t index,
                   const char *const *set, size_t set_count, hg_script **out) {
    return open_with(env, path, NULL, index, set, set_count, out);
}

int hg_script_open_text(const hg_script_env *env, const char *name, const char *text,
                        uint16_t index, const char *const *set, size_t set_count, hg_script **out) {
    return open_with(env, name, text, index, set, set_count, out);
}

int hg_script_start(hg_script *s, const char *why) {
    hg_assert(s->state == HG_SCRIPT_LOADED);
    int rc = s->subscribed ? 0 : hg_subscribe_start(s);
    if (rc < 0) return rc;
    s->state = HG_SCRIPT_RUNNING;
    s->why = why;
    /* A session waits while on_start of a reload runs: it gets no more than any callback. */
    bool reload = s->predecessor != NULL;
    hg_script_call(s, HG_CB_START, reload ? hg_script_budget(s) : hg_script_load_budget(s));
    s->why = NULL;
    return s->state == HG_SCRIPT_FAILED ? HG_ERR(HG_ESTRATEGY, "%s", s->error) : 0;
}

void hg_script_stop(hg_script *s, const char *reason) {
    if (s->state != HG_SCRIPT_RUNNING && s->state != HG_SCRIPT_PAUSED) return;
    s->stopping = true;
    s->why = reason;
    hg_timer_clear(s);
    hg_script_call(s, HG_CB_STOP, hg_script_budget(s));
    s->why = NULL;
    if (s->state != HG_SCRIPT_FAILED) s->state = HG_SCRIPT_STOPPED;
    hg_plan_drop_all(s);
}

hg_script_state hg_script_status(const hg_script *s) {
    return s->state;
}
const hg_script_env *hg_script_env_of(const hg_script *s) {
    return s->env;
}
const char *hg_script_name(const hg_script *s) {
    return s->name;
}
uint16_t hg_script_index(const hg_script *s) {
    return s->index;
}
const char *hg_script_error(const hg_script *s) {
    return s->error;
}
const char *hg_script_underlying(const hg_script *s) {
    return s->underlying;
}
const char *hg_script_hedge_with(const hg_script *s) {
    return s->hedge_count > 0 ? s->hedge_with[0] : "";
}
uint64_t hg_script_hash(const hg_script *s) {
    return s->hash;
}

void hg_script_stats_get(const hg_script *s, hg_script_stats *out) {
    *out = s->stats;
    out->memory = s->memory.live;
    out->memory_peak = s->memory.peak;
}
