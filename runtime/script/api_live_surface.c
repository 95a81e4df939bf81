/* market.surface: the live surface as an object with the methods of hedged.surface. One object per
 * fit: asking again within a period gives the same one. */
#include "base/text.h"
#include "greeks/black76.h"
#include "market/live_surface.h"
#include "script/script_int.h"
#include "script/surface_int.h"

#include <string.h>

static const char *name_of(lua_State *L, uint32_t id) {
    return hg_universe_get(hg_script_of(L)->env->universe, id)->name;
}

static void l_set(lua_State *L, const char *field, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, field);
}

static void l_set_min_variance(lua_State *L, const char *field, const hg_min_variance *mv) {
    double abc[3];
    hg_min_variance_coefficients(mv, abc);
    lua_createtable(L, 0, 5);
    l_set(L, "a", abc[0]);
    l_set(L, "b", abc[1]);
    l_set(L, "c", abc[2]);
    l_set(L, "gain", hg_min_variance_gain(mv));
    l_set(L, "weight", mv->weight);
    lua_setfield(L, -2, field);
}

static void l_push_dynamics(lua_State *L, const hg_smile_dynamics *d) {
    hg_ssr_estimate ssr = hg_ssr_get(&d->ssr);
    lua_createtable(L, 0, 7);
    l_set(L, "ssr", ssr.ssr);
    l_set(L, "ssr_error", ssr.error);
    l_set(L, "ssr_gain", ssr.gain);
    lua_pushinteger(L, d->samples);
    lua_setfield(L, -2, "samples");
    if (d->samples > 0) {
        l_push_time(L, d->time_ns);
        lua_setfield(L, -2, "time");
    }
    l_set_min_variance(L, "calls", &d->min_variance[1]);
    l_set_min_variance(L, "puts", &d->min_variance[0]);
}

static bool field(lua_State *L, const l_surface *o, const char *name) {
    const hg_script *s = hg_script_of(L);
    char reasons[160];
    hg_quality quality = hg_live_quality(&o->state, hg_script_now(s), reasons, sizeof reasons);
    if (strcmp(name, "underlying") == 0) {
        lua_pushstring(L, hg_universe_underlying(s->env->universe, o->underlying)->name);
    } else if (strcmp(name, "age") == 0) {
        lua_pushnumber(L, (double)(hg_script_now(s) - o->state.newest_ns) / 1e9);
    } else if (strcmp(name, "quality") == 0) {
        lua_pushstring(L, hg_quality_name(quality));
    } else if (strcmp(name, "reasons") == 0) {
        lua_pushstring(L, reasons);
    } else if (strcmp(name, "dynamics") == 0) {
        l_push_dynamics(L, hg_market_dynamics(s->env->market, o->underlying));
    } else {
        return false;
    }
    return true;
}

static const l_live live = {field, name_of};

/* A copy of the market's, with its quotes in USD. */
static void l_push_live(lua_State *L, const hg_live_surface *from, const hg_script *s) {
    l_surface *o = l_surface_push(L, from->count);
    o->fit = from->surface;
    o->filter = from->filter;
    o->time_s = (double)from->time_ns / 1e9;
    o->live = &live;
    o->state = from->state;
    o->version = from->version;
    o->expiries = from->expiries;
    for (int i = 0; i < from->expiries; i++) {
        const hg_live_expiry *e = &from->expiry[i];
        o->expiry[i] = (l_surface_expiry){.key = e->time_ns,
                                          .t = e->t,
                                          .forward = e->forward,
                                          .forward_from = e->forward > 0 ? "market" : NULL,
                                          .first = e->first,
                                          .n = e->count};
        for (uint32_t j = e->first; j < e->first + e->count; j++) {
            const hg_instrument *inst = hg_universe_get(s->env->universe, from->ids[j]);
            hg_smile_quote *q = &o->quote[j];
            *q = from->quotes[j];
            q->strike *= e->forward;
            q->bid *= e->forward;
            q->ask *= e->forward;
            o->ids[j] = from->ids[j];
            o->strikes[j] = hg_nano_to_double(inst->strike);
            o->inverse = inst->inverse;
        }
    }
}

/* market.surface([underlying [, {model=}]]); upvalue 1: the objects of before, by underlying and
 * model. */
static int l_market_surface(lua_State *L) {
    hg_script *s = l_api_session(L, "market.surface");
    static const char *const options[] = {"model", NULL};
    hg_surface_model model = HG_SURFACE_ESSVI;
    uint32_t underlying = l_api_underlying(L, 1);
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        l_api_check_fields(L, 2, "market.surface", options);
        model = l_surface_model(L, l_api_text(L, 2, "model", "ssvi"));
    }
    const hg_live_surface *now = hg_market_surface(s->env->market, underlying, model,
                                                   hg_script_now(s));
    if (!now) {
        return l_api_fail(L, "no_surface", "no option of %s has two sides or a mark to fit",
                          hg_universe_underlying(s->env->universe, underlying)->name);
    }
    lua_Integer key = (lua_Integer)underlying * 3 + (lua_Integer)model + 1;
    if (lua_rawgeti(L, lua_upvalueindex(1), key) == LUA_TUSERDATA) {
        const l_surface *before = lua_touserdata(L, -1);
        if (before->version == now->version) return 1;
    }
    hg_market_surface_quotes(s->env->market, underlying, model);
    l_push_live(L, now, s);
    l_surface *o = lua_touserdata(L, -1);
    o->underlying = underlying;
    o->model = model;
    lua_pushvalue(L, -1);
    lua_rawseti(L, lua_upvalueindex(1), key);
    return 1;
}

void l_push_market_surface(lua_State *L) {
    l_surface_type(L);
    lua_newtable(L);
    lua_pushcclosure(L, l_market_surface, 1);
}
