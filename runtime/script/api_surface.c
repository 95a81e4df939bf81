/*
 * hedged.surface: reading a fitted surface. The module needs no session; the same file is in the C
 * module for plain Lua. The live surface of a market has the same methods (api_live_surface.c).
 */
#include "greeks/black76.h"
#include "script/script_int.h"
#include "script/surface_int.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TYPE_NAME "hedged.surface"

int l_surface_fail(lua_State *L, const char *code, const char *format, ...) {
    char text[320];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lua_pushnil(L);
    lua_pushstring(L, text);
    lua_pushstring(L, code);
    return 3;
}

l_surface *l_surface_push(lua_State *L, size_t quotes) {
    size_t size = sizeof(l_surface) +
                  quotes * (sizeof(hg_smile_quote) + sizeof(double) + sizeof(uint32_t));
    l_surface *o = lua_newuserdatauv(L, size, 1);
    memset(o, 0, size);
    o->filter = hg_smile_filter_default();
    o->time_s = NAN;
    o->quotes = quotes;
    o->strikes = (double *)(void *)(o->quote + quotes);
    o->ids = (uint32_t *)(void *)(o->strikes + quotes);
    luaL_setmetatable(L, TYPE_NAME);
    return o;
}

static const l_surface *l_self(lua_State *L) {
    return luaL_checkudata(L, 1, TYPE_NAME);
}

/* What was given as no number is not told as one. */
static void l_set(lua_State *L, const char *field, double value) {
    if (!isfinite(value)) return;
    lua_pushnumber(L, value);
    lua_setfield(L, -2, field);
}

static void l_set_count(lua_State *L, const char *field, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, field);
}

static void l_set_flag(lua_State *L, const char *field, bool value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, field);
}

static void l_set_text(lua_State *L, const char *field, const char *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, field);
}

/* The expiry as the surface was told it: seconds since 1970, or years. */
static void l_set_expiry(lua_State *L, const l_surface *o, const l_surface_expiry *e) {
    bool dated = !isnan(o->time_s) && e->key >= INT64_C(1000000000000);
    l_set(L, "expiry", dated ? (double)e->key / 1e9 : e->t);
    l_set(L, "T", e->t);
}

static int l_bad(lua_State *L, const char *what) {
    return l_surface_fail(L, "bad_input", "%s: a time, strike or k outside the surface's domain",
                          what);
}

/* ---- points ---------------------------------------------------------------------------------- */

static int l_iv(lua_State *L) {
    const l_surface *o = l_self(L);
    double sigma;
    double t = l_surface_years(L, 2, o->time_s, NULL);
    if (hg_surface_iv(&o->fit, t, luaL_checknumber(L, 3), &sigma) != HG_OK) return l_bad(L, "iv");
    lua_pushnumber(L, sigma);
    return 1;
}

static int l_total_variance(lua_State *L) {
    const l_surface *o = l_self(L);
    double w;
    double k = luaL_checknumber(L, 2);
    double t = l_surface_years(L, 3, o->time_s, NULL);
    if (hg_surface_total_variance(&o->fit, k, t, &w) != HG_OK) return l_bad(L, "total_variance");
    lua_pushnumber(L, w);
    return 1;
}

static int l_forward(lua_State *L) {
    const l_surface *o = l_self(L);
    double f;
    double t = l_surface_years(L, 2, o->time_s, NULL);
    if (hg_surface_forward(&o->fit, t, &f) != HG_OK) return l_bad(L, "forward");
    lua_pushnumber(L, f);
    return 1;
}

static int l_slope(lua_State *L) {
    const l_surface *o = l_self(L);
    double slope;
    double t = l_surface_years(L, 2, o->time_s, NULL);
    if (hg_surface_iv_slope(&o->fit, t, luaL_checknumber(L, 3), &slope) != HG_OK) {
        return l_bad(L, "slope");
    }
    lua_pushnumber(L, slope);
    return 1;
}

/* ---- what a desk reads off ------------------------------------------------------------------- */

static void l_skew_fields(lua_State *L, const hg_surface_skew *s) {
    l_set(L, "atm", s->atm_vol);
    l_set(L, "slope", s->slope);
    l_set(L, "risk_reversal", s->risk_reversal);
    l_set(L, "butterfly", s->butterfly);
    l_set(L, "call_25", s->call_25);
    l_set(L, "put_25", s->put_25);
    l_set(L, "k_call_25", s->k_call_25);
    l_set(L, "k_put_25", s->k_put_25);
    l_set(L, "forward_vol", s->forward_vol);
    l_set(L, "term_slope", s->term_slope);
}

static int l_skew(lua_State *L) {
    const l_surface *o = l_self(L);
    hg_surface_skew skew;
    double f;
    double t = l_surface_years(L, 2, o->time_s, NULL);
    if (hg_surface_skew_at(&o->fit, t, &skew) != HG_OK ||
        hg_surface_forward(&o->fit, t, &f) != HG_OK) {
        return l_bad(L, "skew");
    }
    lua_createtable(L, 0, 12);
    l_set(L, "T", t);
    l_set(L, "forward", f);
    l_skew_fields(L, &skew);
    return 1;
}

/* The fitted slice of an expiry given, -1 when it was left out. */
static int slice_of(const l_surface *o, const l_surface_expiry *e) {
    for (int i = 0; i < o->fit.n; i++) {
        if (o->fit.slices[i].key == e->key && o->fit.slices[i].t == e->t) return i;
    }
    return -1;
}

static int l_term_structure(lua_State *L) {
    const l_surface *o = l_self(L);
    lua_Integer n = 0;
    lua_createtable(L, o->fit.n, 0);
    for (int i = 0; i < o->expiries; i++) {
        hg_surface_skew skew;
        int slice = slice_of(o, &o->expiry[i]);
        if (slice < 0 || hg_surface_skew_at(&o->fit, o->expiry[i].t, &skew) != HG_OK) continue;
        lua_createtable(L, 0, 13);
        l_set_expiry(L, o, &o->expiry[i]);
        l_set(L, "forward", o->expiry[i].forward);
        l_skew_fields(L, &skew);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static int l_is_free(lua_State *L) {
    const l_surface *o = l_self(L);
    hg_surface_check check;
    if (hg_surface_is_free_of_arbitrage(&o->fit, &check) != HG_OK) return l_bad(L, "check");
    lua_pushboolean(L, check.is_free);
    lua_createtable(L, 0, 4);
    l_set(L, "g_min", check.g_min);
    if (o->fit.n > 1) l_set(L, "gap_min", check.gap_min);
    if (check.butterfly_at >= 0) l_set(L, "butterfly", o->fit.slices[check.butterfly_at].t);
    if (check.calendar_at >= 0) l_set(L, "calendar", o->fit.slices[check.calendar_at].t);
    return 2;
}

/* ---- the fit --------------------------------------------------------------------------------- */

static const char *model_name(hg_surface_model model) {
    return model == HG_SURFACE_SABR ? "sabr" : model == HG_SURFACE_SVI ? "svi" : "ssvi";
}

static void l_slice_params(lua_State *L, const hg_surface_slice *s, hg_surface_model model) {
    if (model == HG_SURFACE_SABR) {
        l_set(L, "alpha", s->sabr.alpha);
        l_set(L, "beta", s->sabr.beta);
        l_set(L, "rho", s->sabr.rho);
        l_set(L, "nu", s->sabr.nu);
        return;
    }
    l_set(L, "a", s->svi.a);
    l_set(L, "b", s->svi.b);
    l_set(L, "rho", s->svi.rho);
    l_set(L, "m", s->svi.m);
    l_set(L, "sigma", s->svi.sigma);
    if (model == HG_SURFACE_ESSVI) {
        l_set(L, "theta", s->essvi.theta);
        l_set(L, "psi", s->essvi.psi);
    }
}

static int l_params(lua_State *L) {
    const l_surface *o = l_self(L);
    lua_Integer n = 0;
    lua_createtable(L, o->fit.n, 0);
    for (int i = 0; i < o->expiries; i++) {
        int slice = slice_of(o, &o->expiry[i]);
        if (slice < 0) continue;
        lua_createtable(L, 0, 11);
        l_set_expiry(L, o, &o->expiry[i]);
        l_set(L, "forward", o->expiry[i].forward);
        l_set_text(L, "model", model_name(o->fit.model));
        l_slice_params(L, &o->fit.slices[slice], o->fit.model);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static hg_smile_count count_of(const l_surface *o, const l_surface_expiry *e) {
    hg_smile_count c = {0};
    int *of[] = {&c.used, &c.one_sided, &c.in_the_money, &c.stale, &c.crossed, &c.unusable};
    for (size_t i = e->first; i < e->first + e->n; i++) {
        ++*of[hg_smile_judge(&o->quote[i], e->forward, e->t, &o->filter)];
    }
    return c;
}

static const char *left_out(const l_surface_expiry *e) {
    if (isnan(e->t)) return "the expiry is no time";
    if (!(e->t > 0)) return "expired";
    if (!(e->t < 1000)) return "too far away";
    if (!(e->forward > 0)) return "no forward: none given, no call and put of one strike quoted";
    return "no quote with two sides that can be used";
}

static void l_report_expiry(lua_State *L, const l_surface *o, const l_surface_expiry *e) {
    int slice = slice_of(o, e);
    hg_smile_count c = slice >= 0 ? o->fit.slices[slice].count : count_of(o, e);
    lua_createtable(L, 0, 18);
    l_set_expiry(L, o, e);
    l_set_flag(L, "fitted", slice >= 0);
    if (e->forward > 0) l_set(L, "forward", e->forward);
    if (e->forward_from) l_set_text(L, "forward_from", e->forward_from);
    l_set_count(L, "quotes", (lua_Integer)e->n);
    l_set_count(L, "used", c.used);
    l_set_count(L, "one_sided", c.one_sided);
    l_set_count(L, "in_the_money", c.in_the_money);
    l_set_count(L, "stale", c.stale);
    l_set_count(L, "crossed", c.crossed);
    l_set_count(L, "unusable", c.unusable);
    if (slice < 0) {
        l_set_text(L, "reason", left_out(e));
        return;
    }
    const hg_smile_quality *q = &o->fit.slices[slice].quality;
    l_set_count(L, "inside", q->inside);
    l_set(L, "rms", q->rms);
    l_set(L, "worst", q->worst);
    l_set_flag(L, "fallback", q->fallback);
    l_set_flag(L, "repaired", q->repaired);
    if (q->fallback) {
        l_set_text(L, "reason", "too few strikes for the model: a simpler smile was fitted");
    } else if (q->repaired) {
        l_set_text(L, "reason", "the best smile allowed butterfly arbitrage and was mended");
    }
}

static int l_report(lua_State *L) {
    const l_surface *o = l_self(L);
    lua_createtable(L, o->expiries, 0);
    for (int i = 0; i < o->expiries; i++) {
        l_report_expiry(L, o, &o->expiry[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ---- rich and cheap -------------------------------------------------------------------------- */

static void l_rich_fields(lua_State *L, const l_surface *o, const l_surface_expiry *e,
                          const hg_smile_quote *q) {
    hg_surface_rich r;
    hg_smile_verdict verdict = hg_smile_judge(q, e->forward, e->t, &o->filter);
    l_set_text(L, "type", q->cp > 0 ? "C" : "P");
    l_set_text(L, "verdict", hg_smile_verdict_name(verdict));
    if (verdict == HG_SMILE_UNUSABLE || verdict == HG_SMILE_CROSSED ||
        hg_surface_judge(&o->fit, e->t, e->forward, q, &r) != HG_OK) {
        return;
    }
    double unit = o->inverse ? 1 / e->forward : 1;
    l_set(L, "fit_iv", r.fit_vol);
    l_set(L, "fit_price", r.fit_price * unit);
    if (r.has_ask) l_set(L, "buy_edge", r.buy_edge * unit);
    if (r.has_bid) l_set(L, "sell_edge", r.sell_edge * unit);
    if (!r.has_bid || !r.has_ask) return;
    l_set(L, "iv", r.mid_vol);
    l_set(L, "vol", r.vol);
    l_set(L, "price", r.price * unit);
    l_set(L, "widths", r.widths);
}

/* Into the row at 3; the surface is at 1. */
static void l_set_name(lua_State *L, const l_surface *o, uint32_t id) {
    if (o->live) {
        l_set_text(L, "name", o->live->name_of(L, id));
        return;
    }
    l_set_count(L, "quote", id);
    if (lua_getiuservalue(L, 1, 1) == LUA_TTABLE && lua_rawgeti(L, -1, id) == LUA_TTABLE) {
        lua_getfield(L, -1, "name");
        lua_setfield(L, 3, "name");
    }
    lua_settop(L, 3);
}

/* Every quote of the fit in order of expiry and strike. */
static int l_rich(lua_State *L) {
    const l_surface *o = l_self(L);
    lua_settop(L, 1);
    lua_createtable(L, (int)o->quotes, 0);
    lua_Integer n = 0;
    for (int i = 0; i < o->expiries; i++) {
        const l_surface_expiry *e = &o->expiry[i];
        for (size_t j = e->first; j < e->first + e->n; j++) {
            lua_createtable(L, 0, 14);
            l_set_expiry(L, o, e);
            l_set_name(L, o, o->ids[j]);
            l_set(L, "strike", o->strikes[j]);
            l_rich_fields(L, o, e, &o->quote[j]);
            lua_rawseti(L, 2, ++n);
        }
    }
    return 1;
}

/* ---- the object ------------------------------------------------------------------------------ */

static const char *const names[] = {"iv",         "total_variance",
                                    "forward",    "slope",
                                    "skew",       "term_structure",
                                    "params",     "rich",
                                    "report",     "model",
                                    "time",       "is_free_of_arbitrage",
                                    "underlying", "age",
                                    "quality",    "reasons",
                                    NULL};

/* upvalue 1: the methods */
static int l_index(lua_State *L) {
    const l_surface *o = l_self(L);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (strcmp(name, "model") == 0) {
        lua_pushstring(L, model_name(o->fit.model));
    } else if (strcmp(name, "time") == 0 && !isnan(o->time_s)) {
        lua_pushnumber(L, o->time_s);
    } else if (!o->live || !o->live->field(L, o, name)) {
        for (size_t i = 0; names[i]; i++) {
            if (strcmp(names[i], name) == 0) return 0; /* of the live one alone */
        }
        l_api_unknown(L, "surface", 2, names);
    }
    return 1;
}

static int l_tostring(lua_State *L) {
    const l_surface *o = l_self(L);
    lua_pushfstring(L, "surface of %d expiries (%s)", o->fit.n, model_name(o->fit.model));
    return 1;
}

void l_surface_type(lua_State *L) {
    static const luaL_Reg methods[] = {
        {"iv",                   l_iv            },
        {"total_variance",       l_total_variance},
        {"forward",              l_forward       },
        {"slope",                l_slope         },
        {"skew",                 l_skew          },
        {"term_structure",       l_term_structure},
        {"is_free_of_arbitrage", l_is_free       },
        {"params",               l_params        },
        {"report",               l_report        },
        {"rich",                 l_rich          },
        {NULL,                   NULL            },
    };
    static const luaL_Reg meta[] = {
        {"__tostring", l_tostring},
        {NULL,         NULL      },
    };
    l_api_metatable(L, TYPE_NAME, meta);
    l_api_module(L, methods);
    lua_pushcclosure(L, l_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

/* `now`, or nil, is on top and becomes what `fit` asks for the time. */
static int l_module(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"fit", l_surface_fit},
        {NULL,  NULL         },
    };
    l_surface_type(L);
    lua_newtable(L);
    lua_pushvalue(L, -2);
    luaL_setfuncs(L, functions, 1);
    lua_remove(L, -2);
    return 1;
}

int l_surface_module(lua_State *L, lua_CFunction now) {
    if (now) {
        lua_pushcfunction(L, now);
    } else {
        lua_pushnil(L);
    }
    return l_module(L);
}

int luaopen_hedged_surface(lua_State *L) {
    return l_surface_module(L, NULL);
}
