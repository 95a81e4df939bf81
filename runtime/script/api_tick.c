/* The tick: one reused object, whose fields are read from the market when they are asked for. */
#include "script/script_int.h"

#include <stdio.h>

static const char *const fields[] = {"instrument", "bid", "ask",  "bid_size",   "ask_size", "mark",
                                     "index",      "iv",  "time", "underlying", "kind",     NULL};

static void l_push_size(lua_State *L, const hg_instrument *inst, hg_lots size) {
    if (size > 0) {
        lua_pushnumber(L, hg_size_to_double(inst, size));
    } else {
        lua_pushnil(L);
    }
}

static void l_push_price(lua_State *L, const hg_instrument *inst, hg_ticks price, hg_lots size) {
    if (size > 0) {
        lua_pushnumber(L, hg_price_to_double(inst, price));
    } else {
        lua_pushnil(L);
    }
}

static int l_index(lua_State *L) {
    hg_script *s = hg_script_of(L);
    unsigned name = hg_name_of(L, &s->names, 2);
    const hg_instrument *inst = s->tick_inst;
    const hg_market_state *m = s->tick_market;
    if (!inst) return luaL_error(L, "no tick yet");
    switch (name) {
    case HG_N_bid:
        l_push_price(L, inst, m->quote.bid, m->quote.bid_size);
        return 1;
    case HG_N_ask:
        l_push_price(L, inst, m->quote.ask, m->quote.ask_size);
        return 1;
    case HG_N_bid_size:
        l_push_size(L, inst, m->quote.bid_size);
        return 1;
    case HG_N_ask_size:
        l_push_size(L, inst, m->quote.ask_size);
        return 1;
    case HG_N_mark:
        l_push_nano(L, m->mark);
        return 1;
    case HG_N_iv:
        l_push_nano(L, m->iv);
        return 1;
    case HG_N_index:
        l_push_nano(L, hg_market_underlying(s->env->market, inst->underlying_id)->index);
        return 1;
    case HG_N_time:
        l_push_time(L, s->tick_ns);
        return 1;
    case HG_N_instrument:
        lua_pushstring(L, inst->name);
        return 1;
    case HG_N_underlying:
        lua_pushstring(L, inst->underlying);
        return 1;
    case HG_N_kind:
        lua_pushstring(L, hg_kind_name(inst->kind));
        return 1;
    default:
        l_api_unknown(L, "tick", 2, fields);
    }
}

static int l_tostring(lua_State *L) {
    hg_script *s = hg_script_of(L);
    lua_pushfstring(L, "tick %s", s->tick_inst ? s->tick_inst->name : "none");
    return 1;
}

void l_new_tick(lua_State *L) {
    lua_newuserdatauv(L, 0, 0);
    luaL_setmetatable(L, "tick");
}

void l_type_tick(lua_State *L) {
    static const luaL_Reg meta[] = {
        {"__index",    l_index   },
        {"__tostring", l_tostring},
        {NULL,         NULL      }
    };
    l_api_metatable(L, "tick", meta);
    lua_pop(L, 1);
}
