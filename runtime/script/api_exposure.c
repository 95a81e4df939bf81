/*
 * hedged.exposure: a snapshot of the portfolio's answer. It looks like a table (fields, pairs) but
 * is one block of memory: a fresh table with its twenty fields costs four times as much.
 */
#include "base/text.h"
#include "script/script_int.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define TYPE_NAME "exposure"

static const char *const fields[] = {
    "delta",   "delta_net", "delta_usd",    "delta_cash", "gamma",   "vega",
    "theta",   "rho",       "vanna",        "volga",      "charm",   "notional",
    "value",   "leverage",  "delta_filled", "spot",       "pending", "age",
    "quality", "reasons",   "underlying",   NULL};

typedef struct snapshot {
    double delta, delta_net, delta_usd, delta_cash, gamma, vega, theta, rho, vanna, volga, charm;
    double notional, value, leverage, delta_filled, pending_lo, pending_hi, spot, age;
    uint32_t underlying;
    uint32_t quality;
    uint64_t version;  /* of the portfolio's answer, 0: unknown; not looked at by scripts */
    char reasons[160]; /* left out when the quality is good */
} snapshot;

#define NUMBERS_SIZE offsetof(snapshot, version) /* what makes two snapshots the same */
#define GOOD_SIZE offsetof(snapshot, reasons)

static int l_push_pending(lua_State *L, const snapshot *x) {
    lua_createtable(L, 0, 2);
    lua_pushnumber(L, x->pending_lo);
    lua_setfield(L, -2, "lo");
    lua_pushnumber(L, x->pending_hi);
    lua_setfield(L, -2, "hi");
    return 1;
}

/* Where each number is, plus one. */
static const uint16_t numbers[HG_NAME_COUNT] = {
#define NUMBER(field) [HG_N_##field] = offsetof(snapshot, field) + 1
    NUMBER(delta), NUMBER(delta_net),    NUMBER(delta_usd), NUMBER(delta_cash), NUMBER(gamma),
    NUMBER(vega),  NUMBER(theta),        NUMBER(rho),       NUMBER(vanna),      NUMBER(volga),
    NUMBER(charm), NUMBER(notional),     NUMBER(value),     NUMBER(leverage),   NUMBER(spot),
    NUMBER(age),   NUMBER(delta_filled),
#undef NUMBER
};

static int l_push_field(lua_State *L, const hg_universe *universe, const snapshot *x, unsigned name,
                        int key) {
    if (numbers[name]) {
        double value;
        memcpy(&value, (const char *)x + numbers[name] - 1, sizeof value);
        lua_pushnumber(L, value);
        return 1;
    }
    switch (name) {
    case HG_N_pending:
        return l_push_pending(L, x);
    case HG_N_quality:
        lua_pushstring(L, hg_quality_name((hg_quality)x->quality));
        return 1;
    case HG_N_reasons:
        lua_pushstring(L, x->quality == HG_QUALITY_GOOD ? "" : x->reasons);
        return 1;
    case HG_N_underlying:
        lua_pushstring(L, hg_universe_underlying(universe, x->underlying)->name);
        return 1;
    default:
        l_api_unknown(L, TYPE_NAME, key, fields);
    }
}

static int l_index(lua_State *L) {
    hg_script *s = hg_script_of(L);
    const snapshot *x = lua_touserdata(L, 1);
    return l_push_field(L, s->env->universe, x, hg_name_of(L, &s->names, 2), 2);
}

/* A plain table of all fields. */
static void l_push_table(lua_State *L, const hg_universe *universe, const snapshot *x) {
    const hg_names *names = &hg_script_of(L)->names;
    lua_createtable(L, 0, sizeof fields / sizeof *fields);
    for (size_t i = 0; fields[i]; i++) {
        lua_pushstring(L, fields[i]);
        int key = lua_gettop(L);
        l_push_field(L, universe, x, hg_name_of(L, names, key), key);
        lua_rawset(L, -3);
    }
}

static int l_exposure_pairs(lua_State *L) {
    l_push_table(L, hg_script_of(L)->env->universe, lua_touserdata(L, 1));
    lua_replace(L, 1);
    lua_settop(L, 1);
    return l_pairs(L);
}

static int l_tostring(lua_State *L) {
    const snapshot *x = lua_touserdata(L, 1);
    char text[160];
    snprintf(text, sizeof text, "exposure delta %.6g gamma %.4g vega %.6g theta %.6g (%s)",
             x->delta, x->gamma, x->vega, x->theta, hg_quality_name((hg_quality)x->quality));
    lua_pushstring(L, text);
    return 1;
}

static void copy(snapshot *x, uint32_t id, const hg_exposure *e) {
    x->delta = e->delta;
    x->delta_net = e->delta_net;
    x->delta_usd = e->delta_usd;
    x->delta_cash = e->delta_cash;
    x->gamma = e->gamma;
    x->vega = e->vega;
    x->theta = e->theta;
    x->rho = e->rho;
    x->vanna = e->vanna;
    x->volga = e->volga;
    x->charm = e->charm;
    x->notional = e->notional;
    x->value = e->value;
    x->leverage = e->leverage;
    x->delta_filled = e->delta_filled;
    x->pending_lo = e->pending_lo;
    x->pending_hi = e->pending_hi;
    x->spot = e->spot;
    x->age = e->age_s;
    x->underlying = id;
    x->quality = (uint32_t)e->quality;
    x->version = e->version;
}

/* For test sessions: everything as a plain table. */
void l_push_exposure(lua_State *L, const hg_script_env *env, uint32_t id) {
    snapshot x;
    const hg_exposure *e = hg_portfolio_exposure(env->portfolio, id, *env->now_ns);
    copy(&x, id, e);
    memcpy(x.reasons, e->reasons, sizeof x.reasons);
    l_push_table(L, env->universe, &x);
}

/* HG_DELTA_RULES: there is no such. */
static hg_delta_rule l_rule(lua_State *L, int table) {
    const char *name = l_api_text(L, table, "delta", "bs");
    int rule = 0;
    while (hg_delta_rule_names[rule] && strcmp(hg_delta_rule_names[rule], name) != 0) rule++;
    return (hg_delta_rule)rule;
}

static int l_no_rule(lua_State *L, int table) {
    const char *name = l_api_text(L, table, "delta", "bs");
    const char *near = hg_text_nearest(name, hg_delta_rule_names);
    return l_api_fail(L, "not_supported",
                      "delta = \"%s\"%s%s%s: bs, sticky_strike, sticky_delta, sticky_tree, "
                      "skew_stickiness, bartlett or min_variance",
                      name, near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
}

/* A fresh object with the bytes of `from`, which becomes the one given last. */
static snapshot *l_push_copy(lua_State *L, const snapshot *from, const hg_exposure *e) {
    bool good = e->quality == HG_QUALITY_GOOD;
    snapshot *x = lua_newuserdatauv(L, good ? GOOD_SIZE : sizeof *x, 0);
    memcpy(x, from, GOOD_SIZE);
    if (!good) memcpy(x->reasons, e->reasons, sizeof x->reasons);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_setmetatable(L, -2);
    lua_copy(L, -1, lua_upvalueindex(2));
    return x;
}

/* The answer as an object; upvalue 1: the metatable, upvalue 2: the object given last. That one is
 * given again while every number in it is the same: nobody can write to it, so the script sees what
 * a copy would show, without the garbage. Mostly the version of the answer tells; it also changes
 * where the numbers come out as before. */
static int l_push_snapshot(lua_State *L, uint32_t id, const hg_exposure *e) {
    const snapshot *last = lua_touserdata(L, lua_upvalueindex(2));
    bool good = last && e->quality == HG_QUALITY_GOOD && last->quality == HG_QUALITY_GOOD;
    if (good && last->version == e->version && e->version != 0) {
        if (memcmp(&last->age, &e->age_s, sizeof last->age) == 0) {
            lua_pushvalue(L, lua_upvalueindex(2));
        } else { /* `last` is an upvalue until the copy is made */
            l_push_copy(L, last, e)->age = e->age_s;
        }
        return 1;
    }
    snapshot now;
    copy(&now, id, e);
    if (good && memcmp(last, &now, NUMBERS_SIZE) == 0) {
        lua_pushvalue(L, lua_upvalueindex(2));
    } else {
        l_push_copy(L, &now, e);
    }
    return 1;
}

/* Options: exposure{...} or exposure(underlying, {...}). The number of results, or 0 when the
 * underlying is at index 1 and the rule known. */
static int l_exposure_options(lua_State *L, hg_delta_rule *rule) {
    static const char *const alone[] = {"underlying", "by", "delta", NULL};
    static const char *const second[] = {"delta", NULL};
    bool whole = lua_istable(L, 1);
    int table = whole ? 1 : 2;
    if (!lua_istable(L, table)) return 0;
    l_api_check_fields(L, table, "exposure", whole ? alone : second);
    *rule = l_rule(L, table);
    if (*rule == HG_DELTA_RULES) return l_no_rule(L, table);
    if (!whole) return 0;
    if (lua_getfield(L, 1, "by") != LUA_TNIL) return l_exposure_by(L, *rule);
    lua_getfield(L, 1, "underlying");
    lua_replace(L, 1);
    return 0;
}

/* exposure([underlying [, {delta=}]]) or exposure{underlying=, by=, delta=}; upvalues as in
 * l_push_snapshot. The short way: nothing but the strategy's own underlying. */
static int l_exposure(lua_State *L) {
    hg_script *s = hg_script_of(L);
    if (lua_gettop(L) == 1 && s->underlying_id != HG_ID_NONE && s->env &&
        lua_tostring(L, 1) == s->underlying_key) {
        uint32_t own = s->underlying_id;
        return l_push_snapshot(L, own,
                               hg_portfolio_exposure(s->env->portfolio, own, hg_script_now(s)));
    }
    l_api_session(L, "exposure");
    hg_delta_rule rule = HG_DELTA_BS;
    int results = l_exposure_options(L, &rule);
    if (results > 0) return results;
    uint32_t id = l_api_underlying(L, 1);
    const hg_exposure *e = rule == HG_DELTA_BS
                               ? hg_portfolio_exposure(s->env->portfolio, id, hg_script_now(s))
                               : hg_portfolio_exposure_by_rule(s->env->portfolio, id, rule,
                                                               hg_script_now(s));
    return l_push_snapshot(L, id, e);
}

void l_push_exposure_function(lua_State *L) {
    luaL_getmetatable(L, TYPE_NAME);
    lua_pushnil(L);
    lua_pushcclosure(L, l_exposure, 2);
}

void l_type_exposure(lua_State *L) {
    static const luaL_Reg meta[] = {
        {"__index",    l_index         },
        {"__pairs",    l_exposure_pairs},
        {"__tostring", l_tostring      },
        {NULL,         NULL            },
    };
    l_api_metatable(L, TYPE_NAME, meta);
    lua_pop(L, 1);
}
