/*
 * Which instruments a script hears of: one byte per instrument, so that an event nobody subscribed
 * to costs one load. Default: what it hedges with, what the portfolio holds of its underlying, and
 * the index of the underlying; explicit patterns replace the default.
 */
#include "base/text.h"
#include "script/script_int.h"

#include <stdlib.h>
#include <string.h>

static bool of_underlying(const hg_script *s, const hg_instrument *inst) {
    return s->underlying_id == HG_ID_NONE || inst->underlying_id == s->underlying_id;
}

static void apply_pattern(hg_script *s, const char *pattern) {
    uint32_t count = hg_universe_count(s->env->universe);
    for (uint32_t id = 0; id < count; id++) {
        if (hg_text_match(pattern, hg_universe_get(s->env->universe, id)->name)) {
            s->subscribed[id] = 1;
        }
    }
}

static bool is_known(const hg_script *s, const char *pattern) {
    for (uint32_t i = 0; i < s->pattern_count; i++) {
        if (strcmp(s->patterns[i], pattern) == 0) return true;
    }
    return false;
}

int hg_subscribe_pattern(hg_script *s, const char *pattern) {
    if (is_known(s, pattern)) return 0;
    if (strlen(pattern) >= HG_NAME_MAX) {
        return HG_ERR(HG_EINVALID, "a pattern of instruments has at most %d bytes: \"%.60s\"",
                      HG_NAME_MAX - 1, pattern);
    }
    if (s->pattern_count == HG_PATTERNS_MAX) {
        return HG_ERR(HG_ELIMIT,
                      "more than %d patterns subscribed (with \"%s\"); use wider ones such as "
                      "\"BTC-*\"",
                      HG_PATTERNS_MAX, pattern);
    }
    s->explicit_patterns = true;
    hg_text_copy(s->patterns[s->pattern_count++], HG_NAME_MAX, pattern);
    if (!s->subscribed) return 0;
    if (s->default_set) { /* the first explicit pattern replaces the default */
        memset(s->subscribed, 0, hg_universe_count(s->env->universe));
        s->default_set = false;
    }
    apply_pattern(s, pattern);
    return 0;
}

void l_subscribe_pattern(lua_State *L, hg_script *s, const char *pattern) {
    if (hg_subscribe_pattern(s, pattern) < 0) {
        lua_pushstring(L, hg_error_text());
        hg_error_clear();
        luaL_error(L, "%s", lua_tostring(L, -1));
    }
}

void hg_subscribe_held(hg_script *s, uint32_t id) {
    if (s->default_set && of_underlying(s, hg_universe_get(s->env->universe, id))) {
        s->subscribed[id] = 1;
    }
}

static void apply_default(hg_script *s) {
    const hg_universe *universe = s->env->universe;
    for (uint32_t i = 0; i < s->hedge_count; i++) {
        uint32_t id = hg_universe_find(universe, s->hedge_with[i]);
        if (id != HG_ID_NONE) s->subscribed[id] = 1;
    }
    uint32_t count = hg_universe_count(universe);
    for (uint32_t id = 0; id < count && s->hedge_count == 0; id++) {
        const hg_instrument *inst = hg_universe_get(universe, id);
        if (inst->kind != HG_KIND_OPTION && of_underlying(s, inst)) s->subscribed[id] = 1;
    }
    const uint32_t *held;
    uint32_t held_count = hg_portfolio_held(s->env->portfolio, &held);
    for (uint32_t i = 0; i < held_count; i++) hg_subscribe_held(s, held[i]);
}

/* The instrument that shows the index of an underlying: the first hedge instrument of it, else its
 * first perpetual, else whatever comes first. */
static uint32_t choose_proxy(const hg_script *s, uint32_t underlying) {
    const hg_universe *universe = s->env->universe;
    for (uint32_t i = 0; i < s->hedge_count; i++) {
        uint32_t id = hg_universe_find(universe, s->hedge_with[i]);
        if (id != HG_ID_NONE && hg_universe_get(universe, id)->underlying_id == underlying)
            return id;
    }
    uint32_t first = hg_universe_underlying(universe, underlying)->first;
    for (uint32_t id = first; id != HG_ID_NONE; id = hg_universe_next(universe, id)) {
        if (hg_universe_get(universe, id)->kind == HG_KIND_PERPETUAL) return id;
    }
    return first;
}

static void set_proxies(hg_script *s) {
    uint32_t n = hg_universe_underlying_count(s->env->universe);
    for (uint32_t u = 0; u < n; u++) {
        bool wanted = s->underlying_id == HG_ID_NONE || s->underlying_id == u;
        s->proxy[u] = wanted ? choose_proxy(s, u) : HG_ID_NONE;
    }
}

int hg_subscribe_start(hg_script *s) {
    const hg_universe *universe = s->env->universe;
    size_t count = hg_universe_count(universe);
    s->subscribed = calloc(count + 1, 1);
    s->proxy = calloc(hg_universe_underlying_count(universe) + 1, sizeof *s->proxy);
    s->ticks.bits = calloc(count / 64 + 1, sizeof *s->ticks.bits);
    s->depths.bits = calloc(count / 64 + 1, sizeof *s->depths.bits);
    if (!s->subscribed || !s->proxy || !s->ticks.bits || !s->depths.bits) {
        return HG_ERR(HG_ENOMEM, "no memory for the subscriptions of %s", s->name);
    }
    s->ticks.low = s->depths.low = UINT32_MAX;
    set_proxies(s);
    if (!s->explicit_patterns) {
        s->default_set = true;
        apply_default(s);
    }
    for (uint32_t i = 0; i < s->pattern_count; i++) apply_pattern(s, s->patterns[i]);
    return 0;
}
