/* hedged.market: instruments by name or by what they are, and subscriptions. */
#include "base/clock.h"
#include "domain/delivery.h"
#include "greeks/black76.h"
#include "script/script_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int l_get(lua_State *L) {
    l_api_session(L, "market.get");
    uint32_t id = l_api_instrument(L, 1);
    if (id == HG_ID_NONE) return l_api_no_instrument(L, 1, false);
    l_push_instrument(L, id);
    return 1;
}

static int l_subscribe(lua_State *L) {
    hg_script *s = l_api_session(L, "market.subscribe");
    l_subscribe_pattern(L, s, luaL_checkstring(L, 1));
    return 0;
}

/* ---- find ------------------------------------------------------------------------------------ */
typedef struct filter {
    const hg_script *script;
    uint32_t underlying;
    int kind;          /* -1 any */
    int cp;            /* 0 any */
    int64_t expiry_ns; /* 0 any */
    double strike;     /* NaN any */
    double delta;      /* NaN any: else options ordered by distance to it */
} filter;

typedef struct hit {
    const hg_instrument *inst;
    double distance;
} hit;

static int compare(const void *left, const void *right) {
    const hit *a = left;
    const hit *b = right;
    if (a->distance != b->distance) return a->distance < b->distance ? -1 : 1;
    if (a->inst->expiry_ns != b->inst->expiry_ns) {
        return a->inst->expiry_ns < b->inst->expiry_ns ? -1 : 1;
    }
    if (a->inst->strike != b->inst->strike) return a->inst->strike < b->inst->strike ? -1 : 1;
    return strcmp(a->inst->name, b->inst->name);
}

static bool delta_of(const hg_script *s, const hg_instrument *inst, double *delta) {
    double iv;
    int64_t time_ns;
    if (inst->kind != HG_KIND_OPTION ||
        hg_market_iv(s->env->market, inst->id, &iv, &time_ns) == HG_IV_NONE) {
        return false;
    }
    double forward = hg_market_forward(s->env->market, inst->expiry_id, &time_ns);
    double years = hg_market_years(inst->expiry_ns, hg_script_now(s));
    hg_greeks g;
    if (hg_black76_all(forward, hg_nano_to_double(inst->strike), years, iv, inst->cp, 0, &g) < 0) {
        return false;
    }
    *delta = g.delta * hg_delivery_open(inst->expiry_ns, hg_script_now(s));
    return true;
}

static bool matches(const filter *f, const hg_instrument *inst, double *distance) {
    *distance = 0;
    if (f->underlying != HG_ID_NONE && inst->underlying_id != f->underlying) return false;
    if (f->kind >= 0 && (int)inst->kind != f->kind) return false;
    if (f->cp != 0 && inst->cp != f->cp) return false;
    if (f->expiry_ns != 0 && inst->expiry_ns != f->expiry_ns) return false;
    if (!isnan(f->strike) && fabs(hg_nano_to_double(inst->strike) - f->strike) > 1e-9) return false;
    double delta;
    if (isnan(f->delta)) return true;
    if (!delta_of(f->script, inst, &delta)) return false;
    if ((f->delta > 0) != (delta > 0)) return false;
    *distance = fabs(delta - f->delta);
    return true;
}

static int64_t l_expiry(lua_State *L) {
    int64_t expiry_ns = 0;
    int type = lua_getfield(L, 1, "expiry");
    if (type == LUA_TNUMBER) {
        expiry_ns = llround(lua_tonumber(L, -1) * 1e9);
    } else if (type == LUA_TSTRING) {
        size_t len;
        const char *text = lua_tolstring(L, -1, &len);
        if (!hg_expiry_parse(text, len, &expiry_ns)) {
            luaL_error(L, "expiry '%s' is not a date such as \"27FEB26\"", text);
        }
    } else if (type != LUA_TNIL) {
        luaL_error(L, "expiry must be a time or a date such as \"27FEB26\"");
    }
    lua_pop(L, 1);
    return expiry_ns;
}

static filter l_read_filter(lua_State *L, hg_script *s) {
    static const char *const names[] = {"underlying", "kind", "expiry", "strike",
                                        "delta",      "type", NULL};
    static const char *const kinds[] = {"option", "perpetual", "future", "spot", NULL};
    filter f = {.script = s, .underlying = HG_ID_NONE, .kind = -1};
    l_api_check_fields(L, 1, "market.find", names);
    const char *underlying = l_api_text(L, 1, "underlying", NULL);
    if (underlying) {
        f.underlying = hg_universe_find_underlying(s->env->universe, underlying);
        if (f.underlying == HG_ID_NONE) luaL_error(L, "unknown underlying '%s'", underlying);
    }
    const char *kind = l_api_text(L, 1, "kind", NULL);
    for (int i = 0; kind && kinds[i]; i++) {
        if (strcmp(kinds[i], kind) == 0) f.kind = i;
    }
    if (kind && f.kind < 0) {
        luaL_error(L, "kind '%s': option, perpetual, future or spot expected", kind);
    }
    const char *type = l_api_text(L, 1, "type", NULL);
    if (type) f.cp = strcmp(type, "C") == 0 ? 1 : -1;
    if (type && f.cp < 0 && strcmp(type, "P") != 0) luaL_error(L, "type must be \"C\" or \"P\"");
    f.expiry_ns = l_expiry(L);
    f.strike = l_api_number(L, 1, "strike", NAN);
    f.delta = l_api_number(L, 1, "delta", NAN);
    return f;
}

/* market.find{underlying=, kind=, expiry=, strike=, delta=, type=}: a list in order of expiry and
 * strike; with delta the options of that sign, the nearest delta first. */
static int l_find(lua_State *L) {
    hg_script *s = l_api_session(L, "market.find");
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    filter f = l_read_filter(L, s);
    uint32_t count = hg_universe_count(s->env->universe);
    hit *hits = lua_newuserdatauv(L, (size_t)count * sizeof *hits + 1, 0);
    size_t n = 0;
    for (uint32_t id = 0; id < count; id++) {
        const hg_instrument *inst = hg_universe_get(s->env->universe, id);
        double distance;
        if (matches(&f, inst, &distance)) hits[n++] = (hit){inst, distance};
    }
    qsort(hits, n, sizeof *hits, compare);
    lua_createtable(L, (int)n, 0);
    for (size_t i = 0; i < n; i++) {
        l_push_instrument(L, hits[i].inst->id);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

int l_open_market(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"get",       l_get      },
        {"find",      l_find     },
        {"subscribe", l_subscribe},
        {NULL,        NULL       },
    };
    l_api_module(L, functions);
    l_push_market_surface(L);
    lua_setfield(L, -2, "surface");
    l_api_read_only(L, "hedged.market");
    return 1;
}
