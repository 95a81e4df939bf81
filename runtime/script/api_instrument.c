/* Instrument objects: one per instrument and state, so that they compare equal and cost nothing. */
#include "base/clock.h"
#include "exec/cost.h"
#include "script/script_int.h"

#include <math.h>
#include <string.h>

#define TYPE_NAME "instrument"
#define DEPTH_MAX 1000

static const char *const fields[] = {"name",
                                     "kind",
                                     "underlying",
                                     "expiry",
                                     "strike",
                                     "type",
                                     "inverse",
                                     "tick",
                                     "lot",
                                     "multiplier",
                                     "quote_currency",
                                     "settle_currency",
                                     "quote",
                                     "mark",
                                     "index",
                                     "funding",
                                     "iv",
                                     "depth",
                                     "age",
                                     "cost",
                                     NULL};

static const hg_instrument *l_self(lua_State *L, hg_script **s, uint32_t *id) {
    *s = l_api_session(L, TYPE_NAME);
    *id = *(const uint32_t *)luaL_checkudata(L, 1, TYPE_NAME);
    return hg_universe_get((*s)->env->universe, *id);
}

static void l_set(lua_State *L, const char *field, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, field);
}

static bool has_quote(const hg_market_state *m) {
    return m->quote.time_ns > 0 && !m->book_invalid;
}

/* {bid, ask, bid_size, ask_size, mid, spread, time}; a side that is empty is nil. */
static int l_quote(lua_State *L) {
    hg_script *s;
    uint32_t id;
    const hg_instrument *inst = l_self(L, &s, &id);
    const hg_market_state *m = hg_market_get(s->env->market, id);
    if (!has_quote(m)) return l_api_fail(L, "no_quote", "%s has no valid quote", inst->name);
    lua_createtable(L, 0, 7);
    bool bid = m->quote.bid_size > 0;
    bool ask = m->quote.ask_size > 0;
    if (bid) {
        l_set(L, "bid", hg_price_to_double(inst, m->quote.bid));
        l_set(L, "bid_size", hg_size_to_double(inst, m->quote.bid_size));
    }
    if (ask) {
        l_set(L, "ask", hg_price_to_double(inst, m->quote.ask));
        l_set(L, "ask_size", hg_size_to_double(inst, m->quote.ask_size));
    }
    if (bid && ask) {
        l_set(L, "mid", hg_market_mid(s->env->market, id));
        l_set(L, "spread", hg_price_to_double(inst, m->quote.ask - m->quote.bid));
    }
    l_push_time(L, m->quote.time_ns);
    lua_setfield(L, -2, "time");
    return 1;
}

/* The venue's mark, else what the market values it at. */
static int l_mark(lua_State *L) {
    hg_script *s;
    uint32_t id;
    const hg_instrument *inst = l_self(L, &s, &id);
    const hg_market_state *m = hg_market_get(s->env->market, id);
    double mark = m->mark ? hg_nano_to_double(m->mark)
                          : hg_market_mark(s->env->market, id, hg_script_now(s));
    if (mark <= 0) return l_api_fail(L, "no_price", "%s has no mark", inst->name);
    lua_pushnumber(L, mark);
    return 1;
}

static int l_spot_index(lua_State *L) {
    hg_script *s;
    uint32_t id;
    const hg_instrument *inst = l_self(L, &s, &id);
    const hg_market_spot *u = hg_market_underlying(s->env->market, inst->underlying_id);
    double spot = u->index ? hg_nano_to_double(u->index) : u->spot;
    if (spot <= 0) return l_api_fail(L, "no_price", "%s has no index", inst->underlying);
    lua_pushnumber(L, spot);
    return 1;
}

/* Rate per 8 h of a perpetual. */
static int l_funding(lua_State *L) {
    hg_script *s;
    uint32_t id;
    const hg_instrument *inst = l_self(L, &s, &id);
    const hg_market_state *m = hg_market_get(s->env->market, id);
    if (inst->kind != HG_KIND_PERPETUAL || m->funding_ns == 0) {
        return l_api_fail(L, "no_funding", "%s has no funding rate", inst->name);
    }
    lua_pushnumber(L, hg_nano_to_double(m->funding));
    return 1;
}

/* Vol and where it comes from: "mark", "implied" or "neighbour". */
static int l_iv(lua_State *L) {
    static const char *const sources[] = {"none", "mark", "implied", "neighbour"};
    hg_script *s;
    uint32_t id;
    const hg_instrument *inst = l_self(L, &s, &id);
    double iv = 0;
    int64_t time_ns = 0;
    hg_iv_source source = inst->kind == HG_KIND_OPTION
                              ? hg_market_iv(s->env->market, id, &iv, &time_ns)
                              : HG_IV_NONE;
    if (source == HG_IV_NONE) return l_api_fail(L, "no_iv", "%s has no vol", inst->name);
    lua_pushnumber(L, iv);
    lua_pushstring(L, sources[source]);
    return 2;
}

static void l_push_side(lua_State *L, const hg_instrument *inst, const hg_market_state *m,
                        hg_side side, lua_Integer n) {
    lua_newtable(L);
    for (lua_Integer k = 0; k < n; k++) {
        hg_level level = {0, 0};
        if (m->depth) {
            const hg_level *found = hg_depth_level(m->depth, side, (uint32_t)k);
            if (found) level = *found;
        } else if (k == 0) {
            level.price = side == HG_BUY ? m->quote.bid : m->quote.ask;
            level.size = side == HG_BUY ? m->quote.bid_size : m->quote.ask_size;
        }
        if (level.size <= 0) break;
        lua_createtable(L, 0, 2);
        l_set(L, "price", hg_price_to_double(inst, level.price));
        l_set(L, "size", hg_size_to_double(inst, level.size));
        lua_rawseti(L, -2, k + 1);
    }
}

/* {bids = {{price, size}...}, asks, time}: best first, n levels (10). The touch alone when the feed
 * gives no depth. */
static int l_depth(lua_State *L) {
    hg_script *s;
    uint32_t id;
    const hg_instrument *inst = l_self(L, &s, &id);
    lua_Integer n = luaL_optinteger(L, 2, 10);
    luaL_argcheck(L, n > 0 && n <= DEPTH_MAX, 2, "between 1 and 1000 levels");
    const hg_market_state *m = hg_market_get(s->env->market, id);
    if (!has_quote(m) && !(m->depth && !m->book_invalid)) {
        return l_api_fail(L, "no_quote", "%s has no valid book", inst->name);
    }
    lua_createtable(L, 0, 3);
    l_push_side(L, inst, m, HG_BUY, n);
    lua_setfield(L, -2, "bids");
    l_push_side(L, inst, m, HG_SELL, n);
    lua_setfield(L, -2, "asks");
    l_push_time(L, m->depth ? m->depth->time_ns : m->quote.time_ns);
    lua_setfield(L, -2, "time");
    return 1;
}

/* Seconds since the last quote or mark. */
static int l_age(lua_State *L) {
    hg_script *s;
    uint32_t id;
    const hg_instrument *inst = l_self(L, &s, &id);
    const hg_market_state *m = hg_market_get(s->env->market, id);
    int64_t last = m->quote.time_ns > m->mark_ns ? m->quote.time_ns : m->mark_ns;
    if (last == 0) return l_api_fail(L, "no_quote", "%s was never quoted", inst->name);
    lua_pushnumber(L, (double)(hg_script_now(s) - last) / 1e9);
    return 1;
}

/* ---- cost ------------------------------------------------------------------------------------ */
static hg_cost_query l_cost_query(lua_State *L, const hg_instrument *inst, hg_cost_query q) {
    const char *side = l_api_text(L, 2, "side", "buy");
    if (strcmp(side, "buy") != 0 && strcmp(side, "sell") != 0) {
        luaL_error(L, "side must be \"buy\" or \"sell\", got \"%s\"", side);
    }
    q.side = strcmp(side, "sell") == 0 ? HG_SELL : HG_BUY;
    double exact = l_api_number(L, 2, "size", NAN) / ((double)inst->lot / 1e9);
    q.lots = exact >= 1 - 1e-9 && exact < 1e15 ? (hg_lots)llround(exact) : 0;
    q.horizon_s = l_api_number(L, 2, "horizon", 0);
    q.rate = l_api_number(L, 2, "rate", 0);
    q.funding = l_api_number(L, 2, "funding", NAN);
    q.funding_mean = l_api_number(L, 2, "funding_mean", NAN);
    q.realised_vol = l_api_number(L, 2, "realised_vol", NAN);
    q.round_trip = l_api_bool(L, 2, "round_trip");
    return q;
}

static void l_push_cost(lua_State *L, const hg_instrument *inst, const hg_cost *c) {
    lua_createtable(L, 0, 13);
    l_set(L, "spread", c->spread);
    l_set(L, "depth", c->depth);
    l_set(L, "fee", c->fee);
    l_set(L, "carry", c->carry);
    l_set(L, "margin", c->margin);
    l_set(L, "total", c->total);
    l_set(L, "bps", c->bps);
    l_set(L, "notional", c->notional);
    l_set(L, "initial", c->initial);
    l_set(L, "price", c->price);
    l_set(L, "mid", c->mid);
    l_set(L, "visible", hg_size_to_double(inst, c->visible));
    lua_pushboolean(L, c->fits);
    lua_setfield(L, -2, "fits");
}

/* :cost{side=, size=, horizon=, ...}: USD in all, and its parts (exec/cost.h). */
static int l_cost(lua_State *L) {
    static const char *const options[] = {"side",       "size",         "horizon",
                                          "rate",       "funding",      "funding_mean",
                                          "round_trip", "realised_vol", NULL};
    hg_script *s;
    uint32_t id;
    const hg_instrument *inst = l_self(L, &s, &id);
    luaL_checktype(L, 2, LUA_TTABLE);
    l_api_check_fields(L, 2, "cost", options);
    hg_cost_query q = l_cost_query(
        L, inst,
        (hg_cost_query){.instrument = id, .no_fees = !hg_portfolio_charges(s->env->portfolio)});
    if (q.lots == 0 || !(q.horizon_s >= 0 && isfinite(q.horizon_s)) || !isfinite(q.rate)) {
        return l_api_fail(L, "bad_size", "cost: not a tradable size, or no horizon");
    }
    hg_cost cost;
    int rc = hg_cost_of(s->env->market, s->env->margin, &q, hg_script_now(s), &cost);
    if (rc < 0) {
        return l_api_fail(L, rc == HG_ENOTFOUND ? "no_quote" : "bad_size", "%s", hg_error_text());
    }
    lua_pushnumber(L, cost.total);
    l_push_cost(L, inst, &cost);
    return 2;
}

/* ---- fields ---------------------------------------------------------------------------------- */
static int l_push_field(lua_State *L, const hg_instrument *inst, unsigned name) {
    switch (name) {
    case HG_N_name:
        lua_pushstring(L, inst->name);
        return 1;
    case HG_N_kind:
        lua_pushstring(L, hg_kind_name(inst->kind));
        return 1;
    case HG_N_underlying:
        lua_pushstring(L, inst->underlying);
        return 1;
    case HG_N_inverse:
        lua_pushboolean(L, inst->inverse);
        return 1;
    case HG_N_tick:
        lua_pushnumber(L, hg_nano_to_double(inst->tick));
        return 1;
    case HG_N_lot:
        lua_pushnumber(L, hg_nano_to_double(inst->lot));
        return 1;
    case HG_N_multiplier:
        lua_pushnumber(L, 1.0);
        return 1;
    case HG_N_quote_currency:
        lua_pushstring(L, inst->quote);
        return 1;
    case HG_N_settle_currency:
        lua_pushstring(L, inst->settle);
        return 1;
    case HG_N_strike:
        l_push_nano(L, inst->strike);
        return 1;
    case HG_N_expiry:
        if (inst->expiry_ns) {
            l_push_time(L, inst->expiry_ns);
        } else {
            lua_pushnil(L);
        }
        return 1;
    case HG_N_type:
        if (inst->cp) {
            lua_pushstring(L, inst->cp > 0 ? "C" : "P");
        } else {
            lua_pushnil(L);
        }
        return 1;
    default:
        return 0;
    }
}

/* upvalue 1: the methods */
static int l_index(lua_State *L) {
    hg_script *s = hg_script_of(L);
    uint32_t id = *(const uint32_t *)lua_touserdata(L, 1);
    const hg_instrument *inst = hg_universe_get(s->env->universe, id);
    if (l_push_field(L, inst, hg_name_of(L, &s->names, 2))) return 1;
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    l_api_unknown(L, TYPE_NAME, 2, fields);
}

static int l_tostring(lua_State *L) {
    hg_script *s = hg_script_of(L);
    uint32_t id = *(const uint32_t *)lua_touserdata(L, 1);
    lua_pushstring(L, hg_universe_get(s->env->universe, id)->name);
    return 1;
}

void l_push_instrument(lua_State *L, uint32_t id) {
    hg_script *s = hg_script_of(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_instruments);
    if (lua_rawgeti(L, -1, (lua_Integer)id + 1) == LUA_TNIL) {
        lua_pop(L, 1);
        *(uint32_t *)lua_newuserdatauv(L, sizeof id, 0) = id;
        luaL_setmetatable(L, TYPE_NAME);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, (lua_Integer)id + 1);
    }
    lua_remove(L, -2);
}

void l_type_instrument(lua_State *L) {
    static const luaL_Reg meta[] = {
        {"__tostring", l_tostring},
        {NULL,         NULL      }
    };
    static const luaL_Reg methods[] = {
        {"quote",   l_quote     },
        {"mark",    l_mark      },
        {"index",   l_spot_index},
        {"funding", l_funding   },
        {"iv",      l_iv        },
        {"depth",   l_depth     },
        {"age",     l_age       },
        {"cost",    l_cost      },
        {NULL,      NULL        },
    };
    l_api_metatable(L, TYPE_NAME, meta);
    luaL_newlib(L, methods);
    lua_pushcclosure(L, l_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
