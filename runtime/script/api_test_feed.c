/* hedged.test: what a test tells its session of the market, and of time. */
#include "base/clock.h"
#include "script/api_test_int.h"

#include <math.h>
#include <string.h>

#define LEVELS_MAX 512
#define STEP_NS HG_NS_PER_MS   /* between events given without a time */
#define DEFAULT_LOTS 1000000.0 /* displayed when no size is given */

static int64_t l_time(lua_State *L, int table) {
    int64_t now = *l_test_env(L)->now_ns;
    double time = table ? l_api_number(L, table, "time", NAN) : NAN;
    return isnan(time) ? now + STEP_NS : llround(time * 1e9);
}

static uint32_t l_instrument(lua_State *L) {
    const hg_script_env *env = l_test_env(L);
    const char *name = l_api_text(L, 2, "instrument", NULL);
    if (!name) luaL_error(L, "instrument is missing");
    uint32_t id = hg_universe_find(env->universe, name);
    if (id == HG_ID_NONE) luaL_error(L, "instrument '%s' is not in this session", name);
    return id;
}

static hg_ticks l_price(lua_State *L, const hg_instrument *inst, double price) {
    hg_ticks ticks = 0;
    if (!hg_price_from_double(inst, price, &ticks)) {
        luaL_error(L, "%s: %f is not a price on its tick", inst->name, price);
    }
    return ticks;
}

static hg_lots l_size(lua_State *L, const hg_instrument *inst, double size) {
    hg_lots lots = 0;
    if (!hg_size_from_double(inst, size, &lots)) {
        luaL_error(L, "%s: %f is not a size on its lot", inst->name, size);
    }
    return lots;
}

static hg_nano l_nano(lua_State *L, double value) {
    hg_nano nano = 0;
    if (!hg_nano_from_double(value, &nano)) luaL_error(L, "%f is not a price", value);
    return nano;
}

static int l_apply(lua_State *L, hg_event e) {
    if (hg_harness_provider->apply(l_test_harness(L), &e) < 0) l_test_raise(L);
    return 0;
}

static int l_quote(lua_State *L) {
    static const char *const names[] = {"instrument", "bid",  "ask", "bid_size",
                                        "ask_size",   "time", NULL};
    luaL_checktype(L, 2, LUA_TTABLE);
    l_api_check_fields(L, 2, "quote", names);
    hg_event e = {.kind = HG_EV_QUOTE, .id = l_instrument(L), .time_ns = l_time(L, 2)};
    const hg_instrument *inst = hg_universe_get(l_test_env(L)->universe, e.id);
    double lot = hg_nano_to_double(inst->lot);
    double bid = l_api_number(L, 2, "bid", 0);
    double ask = l_api_number(L, 2, "ask", 0);
    double size = DEFAULT_LOTS * lot;
    if (bid > 0) {
        e.quote.bid = l_price(L, inst, bid);
        e.quote.bid_size = l_size(L, inst, l_api_number(L, 2, "bid_size", size));
    }
    if (ask > 0) {
        e.quote.ask = l_price(L, inst, ask);
        e.quote.ask_size = l_size(L, inst, l_api_number(L, 2, "ask_size", size));
    }
    return l_apply(L, e);
}

/* s:index("BTC", 64000) */
static int l_index(lua_State *L) {
    hg_event e = {.kind = HG_EV_INDEX, .time_ns = l_time(L, 0)};
    e.id = l_test_underlying(L, luaL_checkstring(L, 2));
    e.price.value = l_nano(L, luaL_checknumber(L, 3));
    return l_apply(L, e);
}

static int l_mark(lua_State *L) {
    static const char *const names[] = {"instrument", "mark", "price", "iv", "time", NULL};
    luaL_checktype(L, 2, LUA_TTABLE);
    l_api_check_fields(L, 2, "mark", names);
    hg_event e = {.kind = HG_EV_MARK, .id = l_instrument(L), .time_ns = l_time(L, 2)};
    double mark = l_api_number(L, 2, "mark", l_api_number(L, 2, "price", NAN));
    e.mark.price = l_nano(L, mark);
    e.mark.iv = l_nano(L, l_api_number(L, 2, "iv", 0));
    return l_apply(L, e);
}

static int l_forward(lua_State *L) {
    static const char *const names[] = {"underlying", "expiry", "price", "time", NULL};
    luaL_checktype(L, 2, LUA_TTABLE);
    l_api_check_fields(L, 2, "forward", names);
    const char *name = l_api_text(L, 2, "underlying", "BTC");
    uint32_t underlying = l_test_underlying(L, name);
    int64_t expiry_ns = 0;
    lua_getfield(L, 2, "expiry");
    if (lua_type(L, -1) == LUA_TNUMBER) {
        expiry_ns = llround(lua_tonumber(L, -1) * 1e9);
    } else {
        size_t len;
        const char *text = luaL_checklstring(L, -1, &len);
        if (!hg_expiry_parse(text, len, &expiry_ns)) luaL_error(L, "expiry '%s'?", text);
    }
    hg_event e = {.kind = HG_EV_FORWARD, .time_ns = l_time(L, 2)};
    e.id = hg_universe_find_expiry(l_test_env(L)->universe, underlying, expiry_ns);
    if (e.id == HG_ID_NONE) return luaL_error(L, "no instrument of %s has this expiry", name);
    e.price.value = l_nano(L, l_api_number(L, 2, "price", NAN));
    return l_apply(L, e);
}

static int l_trade_event(lua_State *L) {
    static const char *const names[] = {"instrument", "price", "size", "side", "time", NULL};
    luaL_checktype(L, 2, LUA_TTABLE);
    l_api_check_fields(L, 2, "trade", names);
    hg_event e = {.kind = HG_EV_TRADE, .id = l_instrument(L), .time_ns = l_time(L, 2)};
    const hg_instrument *inst = hg_universe_get(l_test_env(L)->universe, e.id);
    e.level.price = l_price(L, inst, l_api_number(L, 2, "price", NAN));
    e.level.size = l_size(L, inst, l_api_number(L, 2, "size", NAN));
    e.side = strcmp(l_api_text(L, 2, "side", "buy"), "sell") == 0 ? HG_SELL : HG_BUY;
    return l_apply(L, e);
}

static int l_funding(lua_State *L) {
    static const char *const names[] = {"instrument", "rate", "time", NULL};
    luaL_checktype(L, 2, LUA_TTABLE);
    l_api_check_fields(L, 2, "funding", names);
    hg_event e = {.kind = HG_EV_FUNDING, .id = l_instrument(L), .time_ns = l_time(L, 2)};
    e.price.value = l_nano(L, l_api_number(L, 2, "rate", NAN));
    return l_apply(L, e);
}

static int l_settle(lua_State *L) {
    static const char *const names[] = {"instrument", "price", "time", NULL};
    luaL_checktype(L, 2, LUA_TTABLE);
    l_api_check_fields(L, 2, "settle", names);
    hg_event e = {.kind = HG_EV_SETTLE, .id = l_instrument(L), .time_ns = l_time(L, 2)};
    e.price.value = l_nano(L, l_api_number(L, 2, "price", NAN));
    return l_apply(L, e);
}

/* Levels of one side, {{price, size}, ...} or {{price=, size=}, ...}: as events of one update. */
static size_t l_levels(lua_State *L, const hg_instrument *inst, const char *field, hg_side side,
                       hg_event *events, size_t n, size_t most) {
    if (lua_getfield(L, 2, field) == LUA_TNIL) return n;
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) == LUA_TTABLE; i++, lua_pop(L, 1)) {
        if (n == most) luaL_error(L, "more than %d levels", (int)most);
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        int row = lua_gettop(L) - 2;
        double price = lua_isnil(L, -2) ? l_api_number(L, row, "price", NAN) : lua_tonumber(L, -2);
        double size = lua_isnil(L, -1) ? l_api_number(L, row, "size", NAN) : lua_tonumber(L, -1);
        lua_pop(L, 2);
        events[n].side = (int8_t)side;
        events[n].level.price = l_price(L, inst, price);
        events[n].level.size = l_size(L, inst, size);
        n++;
    }
    lua_pop(L, 2);
    return n;
}

/* s:depth{instrument=, bids=, asks=}: a whole book, and the quote that goes with it. */
static int l_depth(lua_State *L) {
    static const char *const names[] = {"instrument", "bids", "asks", "time", NULL};
    luaL_checktype(L, 2, LUA_TTABLE);
    l_api_check_fields(L, 2, "depth", names);
    uint32_t id = l_instrument(L);
    int64_t time_ns = l_time(L, 2);
    const hg_instrument *inst = hg_universe_get(l_test_env(L)->universe, id);
    hg_event *events = lua_newuserdatauv(L, LEVELS_MAX * sizeof *events, 0);
    memset(events, 0, LEVELS_MAX * sizeof *events);
    size_t bids = l_levels(L, inst, "bids", HG_BUY, events, 0, LEVELS_MAX);
    size_t n = l_levels(L, inst, "asks", HG_SELL, events, bids, LEVELS_MAX);
    hg_event quote = {.kind = HG_EV_QUOTE, .id = id, .time_ns = time_ns};
    for (size_t i = 0; i < n; i++) {
        hg_event *e = &events[i];
        e->kind = HG_EV_DEPTH;
        e->id = id;
        e->time_ns = time_ns;
        e->flags = (uint8_t)(HG_EVF_MORE | (i == 0 ? HG_EVF_SNAPSHOT : 0));
        bool bid = e->side == HG_BUY;
        if (bid && (!quote.quote.bid_size || e->level.price > quote.quote.bid)) {
            quote.quote.bid = e->level.price;
            quote.quote.bid_size = e->level.size;
        }
        if (!bid && (!quote.quote.ask_size || e->level.price < quote.quote.ask)) {
            quote.quote.ask = e->level.price;
            quote.quote.ask_size = e->level.size;
        }
    }
    for (size_t i = 0; i < n; i++) l_apply(L, events[i]);
    return l_apply(L, quote);
}

static int l_advance(lua_State *L) {
    double seconds = luaL_checknumber(L, 2);
    luaL_argcheck(L, seconds >= 0 && seconds < 1e9, 2, "seconds to go forward");
    int64_t to_ns = *l_test_env(L)->now_ns + llround(seconds * 1e9);
    if (hg_harness_provider->advance(l_test_harness(L), to_ns) < 0) l_test_raise(L);
    return 0;
}

const luaL_Reg l_test_feeding[] = {
    {"quote",   l_quote      },
    {"index",   l_index      },
    {"mark",    l_mark       },
    {"forward", l_forward    },
    {"depth",   l_depth      },
    {"trade",   l_trade_event},
    {"funding", l_funding    },
    {"settle",  l_settle     },
    {"advance", l_advance    },
    {NULL,      NULL         },
};
