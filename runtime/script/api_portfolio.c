/* hedged.portfolio: positions, money and exposure as plain tables. */
#include "base/text.h"
#include "script/script_int.h"

#include <string.h>

static void l_set(lua_State *L, const char *field, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, field);
}

static void l_set_text(lua_State *L, const char *field, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
}

static void l_push_position(lua_State *L, hg_script *s, const hg_instrument *inst,
                            const hg_position *p) {
    int64_t now = hg_script_now(s);
    lua_createtable(L, 0, 12);
    l_set_text(L, "instrument", inst->name);
    l_set_text(L, "underlying", inst->underlying);
    l_set_text(L, "kind", hg_kind_name(inst->kind));
    l_set_text(L, "currency", inst->settle);
    l_set(L, "size", hg_size_to_double(inst, p->lots));
    double entry = hg_portfolio_entry(s->env->portfolio, inst->id);
    if (entry > 0) l_set(L, "entry", entry);
    double mark = hg_market_mark(s->env->market, inst->id, now);
    if (mark > 0) l_set(L, "mark", mark);
    l_set(L, "delta", hg_portfolio_delta_of(s->env->portfolio, inst->id, p->lots, now));
    l_set(L, "realised", hg_nano_to_double(p->realised));
    l_set(L, "fees", hg_nano_to_double(p->fees));
    l_set(L, "funding", hg_nano_to_double(p->funding));
    l_set(L, "pending_buy", hg_size_to_double(inst, p->pending_buy));
    l_set(L, "pending_sell", hg_size_to_double(inst, p->pending_sell));
}

/* positions([underlying or instrument]): a list in order of instrument id. */
static int l_positions(lua_State *L) {
    hg_script *s = l_api_session(L, "portfolio.positions");
    const char *only = luaL_optstring(L, 1, NULL);
    const uint32_t *ids;
    uint32_t count = hg_portfolio_held(s->env->portfolio, &ids);
    lua_newtable(L);
    lua_Integer n = 0;
    for (uint32_t i = 0; i < count; i++) {
        const hg_instrument *inst = hg_universe_get(s->env->universe, ids[i]);
        const hg_position *p = hg_portfolio_get(s->env->portfolio, ids[i]);
        bool pending = p->pending_buy || p->pending_sell;
        if (p->lots == 0 && !pending) continue;
        if (only && strcmp(only, inst->underlying) != 0 && strcmp(only, inst->name) != 0) continue;
        l_push_position(L, s, inst, p);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

/* position(instrument): its size in amount units, 0 when flat. */
static int l_position(lua_State *L) {
    hg_script *s = l_api_session(L, "portfolio.position");
    uint32_t id = l_api_instrument(L, 1);
    if (id == HG_ID_NONE) return l_api_no_instrument(L, 1, false);
    const hg_position *p = hg_portfolio_get(s->env->portfolio, id);
    const hg_instrument *inst = hg_universe_get(s->env->universe, id);
    lua_pushnumber(L, p ? hg_size_to_double(inst, p->lots) : 0);
    return 1;
}

/* Money of the session in USD. */
static int l_pnl(lua_State *L) {
    hg_script *s = l_api_session(L, "portfolio.pnl");
    hg_pnl pnl;
    hg_portfolio_pnl(s->env->portfolio, hg_script_now(s), &pnl);
    lua_createtable(L, 0, 8);
    l_set(L, "hedged", pnl.hedged);
    l_set(L, "unhedged", pnl.unhedged);
    l_set(L, "equity", pnl.equity);
    l_set(L, "realised", pnl.realised);
    l_set(L, "unrealised", pnl.unrealised);
    l_set(L, "fees", pnl.fees);
    l_set(L, "funding", pnl.funding);
    lua_pushboolean(L, pnl.known);
    lua_setfield(L, -2, "known");
    return 1;
}

static int l_cash(lua_State *L) {
    hg_script *s = l_api_session(L, "portfolio.cash");
    const char *name = luaL_checkstring(L, 1);
    uint32_t id = hg_universe_find_currency(s->env->universe, name);
    if (id == HG_ID_NONE) return l_api_fail(L, "not_found", "no currency '%s'", name);
    lua_pushnumber(L, hg_nano_to_double(hg_portfolio_cash(s->env->portfolio, id)));
    return 1;
}

/* ---- exposure by group ----------------------------------------------------------------------- */
static void group_of(const hg_instrument *inst, const char *by, char *name, size_t size) {
    if (strcmp(by, "expiry") == 0 && inst->expiry_ns != 0) {
        hg_expiry_format(inst->expiry_ns, name, size);
    } else if (strcmp(by, "instrument") == 0) {
        hg_text_copy(name, size, inst->name);
    } else if (strcmp(by, "kind") == 0) {
        hg_text_copy(name, size, hg_kind_name(inst->kind));
    } else {
        hg_text_copy(name, size, "none");
    }
}

/* exposure{underlying=, by="expiry" | "kind" | "instrument", delta=}: delta of each group by the
 * rule, as {group = {delta=, positions=, quality=}}; what has no expiry is in group "none". */
int l_exposure_by(lua_State *L, hg_delta_rule rule) {
    hg_script *s = hg_script_of(L);
    static const char *const choices[] = {"expiry", "kind", "instrument", NULL};
    const char *by = luaL_checkstring(L, -1);
    size_t k = 0;
    while (choices[k] && strcmp(choices[k], by) != 0) k++;
    if (!choices[k]) {
        return l_api_fail(L, "not_supported", "by = \"%s\": expiry, kind or instrument", by);
    }
    lua_getfield(L, 1, "underlying");
    uint32_t underlying = l_api_underlying(L, lua_gettop(L));
    const uint32_t *ids;
    uint32_t count = hg_portfolio_held(s->env->portfolio, &ids);
    const hg_exposure *all = hg_portfolio_exposure_by_rule(s->env->portfolio, underlying, rule,
                                                           hg_script_now(s));
    const char *quality = hg_quality_name(all->quality);
    lua_newtable(L);
    for (uint32_t i = 0; i < count; i++) {
        const hg_instrument *inst = hg_universe_get(s->env->universe, ids[i]);
        const hg_position *p = hg_portfolio_get(s->env->portfolio, ids[i]);
        if (inst->underlying_id != underlying || p->lots == 0) continue;
        char name[HG_NAME_MAX];
        group_of(inst, by, name, sizeof name);
        if (lua_getfield(L, -1, name) == LUA_TNIL) {
            lua_pop(L, 1);
            lua_createtable(L, 0, 3);
            l_set(L, "delta", 0);
            l_set(L, "positions", 0);
            lua_pushstring(L, quality);
            lua_setfield(L, -2, "quality");
            lua_pushvalue(L, -1);
            lua_setfield(L, -3, name);
        }
        double delta = hg_portfolio_delta_by_rule(s->env->portfolio, ids[i], p->lots, rule,
                                                  hg_script_now(s));
        l_set(L, "delta", l_api_number(L, lua_gettop(L), "delta", 0) + delta);
        l_set(L, "positions", l_api_number(L, lua_gettop(L), "positions", 0) + 1);
        lua_pop(L, 1);
    }
    return 1;
}

int l_open_portfolio(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"positions", l_positions},
        {"position",  l_position },
        {"pnl",       l_pnl      },
        {"cash",      l_cash     },
        {"explain",   l_explain  },
        {"margin",    l_margin   },
        {"what_if",   l_what_if  },
        {"scenario",  l_scenario },
        {NULL,        NULL       },
    };
    l_api_module(L, functions);
    l_push_exposure_function(L);
    lua_setfield(L, -2, "exposure");
    l_api_read_only(L, "hedged.portfolio");
    return 1;
}
