/* hedged.test: whole sessions on a virtual clock, for tests written in Lua. The session itself
 * lives above this room and is reached through hg_harness_provider. Here it is opened and looked
 * at; api_test_feed.c tells it of the market. */
#include "script/api_test_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_NAME "hedged.test.session"
#define LIST_MAX 512
#define START_S 1767225600.0 /* 2026-01-01 */

typedef struct session {
    hg_harness *harness;
} session;

static session *l_session(lua_State *L) {
    session *t = luaL_checkudata(L, 1, TYPE_NAME);
    if (!t->harness) luaL_error(L, "this test session is closed");
    return t;
}

hg_harness *l_test_harness(lua_State *L) {
    return l_session(L)->harness;
}

const hg_script_env *l_test_env(lua_State *L) {
    return hg_harness_provider->env(l_test_harness(L));
}

_Noreturn void l_test_raise(lua_State *L) {
    const char *advice = hg_error_advice();
    luaL_where(L, 1);
    lua_pushfstring(L, "%s%s%s", hg_error_text(), *advice ? "; " : "", advice);
    lua_concat(L, 2);
    lua_error(L);
    abort(); /* not reached */
}

uint32_t l_test_underlying(lua_State *L, const char *name) {
    uint32_t id = hg_universe_find_underlying(l_test_env(L)->universe, name);
    if (id == HG_ID_NONE) luaL_error(L, "underlying '%s' is not in this session", name);
    return id;
}

/* ---- opening --------------------------------------------------------------------------------- */
typedef struct lists {
    const char *set[64];
    const char *limits[64];
    const char *instruments[LIST_MAX];
    struct {
        const char *instrument;
        double size, entry;
    } book[LIST_MAX];
} lists;

/* set = {band = 0.2} or {"band=0.2"}; the texts are kept in the table on top of the stack. */
static size_t l_read_set(lua_State *L, lists *out) {
    size_t n = 0;
    if (lua_getfield(L, 1, "set") == LUA_TNIL) return 0;
    luaL_argcheck(L, lua_istable(L, -1), 1, "set must be a table");
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1)) {
        if (n == 64) luaL_error(L, "more than 64 parameters");
        if (lua_type(L, -2) == LUA_TSTRING) {
            const char *value = luaL_tolstring(L, -1, NULL);
            lua_pushfstring(L, "%s=%s", lua_tostring(L, -3), value);
            lua_replace(L, -2);
        } else {
            lua_pushvalue(L, -1);
        }
        out->set[n] = luaL_checkstring(L, -1);
        lua_rawseti(L, -4, (lua_Integer)++n);
    }
    return n;
}

/* limits = {order_value_usd = 1000, underlying = {BTC = {delta_coins = 2}}}: paths and values. The
 * texts are kept in the table at `keep`; the limits (or a part of them) are on top. */
static void l_flatten_limits(lua_State *L, lists *out, size_t *n, const char *prefix, int keep) {
    luaL_checkstack(L, 12, "limits");
    int table = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) luaL_error(L, "limits must have names");
        const char *name = lua_tostring(L, -2);
        if (lua_istable(L, -1)) {
            if (strlen(prefix) > 64) luaL_error(L, "limits are nested too deeply");
            lua_pushfstring(L, "%s%s.", prefix, name);
            lua_pushvalue(L, -2);
            l_flatten_limits(L, out, n, lua_tostring(L, -2), keep);
            lua_pop(L, 2);
            continue;
        }
        if (*n == 64) luaL_error(L, "more than 64 limits");
        const char *value = luaL_tolstring(L, -1, NULL);
        out->limits[*n] = lua_pushfstring(L, "%s%s=%s", prefix, name, value);
        lua_rawseti(L, keep, (lua_Integer)++ * n);
        lua_pop(L, 1);
    }
}

static size_t l_read_limits(lua_State *L, lists *out) {
    size_t n = 0;
    if (lua_getfield(L, 1, "limits") == LUA_TNIL) return 0;
    luaL_argcheck(L, lua_istable(L, -1), 1, "limits must be a table");
    lua_newtable(L);
    lua_insert(L, -2);
    l_flatten_limits(L, out, &n, "", lua_gettop(L) - 1);
    lua_pop(L, 1); /* the texts stay on the stack */
    return n;
}

/* cash = "BTC=5,USDC=1000" or {BTC = 5, USDC = 1000}; the text stays on the stack. */
static const char *l_read_cash(lua_State *L) {
    luaL_Buffer text;
    if (lua_getfield(L, 1, "cash") != LUA_TTABLE) return luaL_optstring(L, -1, NULL);
    int table = lua_gettop(L);
    lua_newtable(L);
    lua_Integer n = 0;
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) luaL_error(L, "cash must be by currency");
        const char *amount = luaL_tolstring(L, -1, NULL);
        lua_pushfstring(L, "%s=%s", lua_tostring(L, -3), amount);
        lua_rawseti(L, table + 1, ++n);
        lua_pop(L, 1);
    }
    luaL_buffinit(L, &text);
    for (lua_Integer k = 1; k <= n; k++) {
        if (k > 1) luaL_addchar(&text, ',');
        lua_rawgeti(L, table + 1, k);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    return lua_tostring(L, -1);
}

static void l_read_venue(lua_State *L, hg_harness_options *o) {
    static const char *const flags[HG_HARNESS_VENUE_MAX] = {"fill",    "queue", "refill",
                                                            "latency", "rules", "faults"};
    for (size_t i = 0; i < HG_HARNESS_VENUE_MAX; i++) {
        const char *value = l_api_text(L, 1, flags[i], NULL);
        if (!value) continue;
        o->venue[o->venue_count].flag = flags[i];
        o->venue[o->venue_count++].value = value;
    }
}

static size_t l_read_instruments(lua_State *L, lists *out) {
    size_t n = 0;
    if (lua_getfield(L, 1, "instruments") == LUA_TNIL) return 0;
    luaL_argcheck(L, lua_istable(L, -1), 1, "instruments must be a list of names");
    while (lua_rawgeti(L, -1, (lua_Integer)n + 1) != LUA_TNIL) {
        if (n == LIST_MAX) luaL_error(L, "more than %d instruments", LIST_MAX);
        out->instruments[n++] = luaL_checkstring(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return n;
}

static size_t l_read_book(lua_State *L, lists *out) {
    static const char *const names[] = {"instrument", "size", "entry", NULL};
    size_t n = 0;
    if (lua_getfield(L, 1, "book") == LUA_TNIL) return 0;
    luaL_argcheck(L, lua_istable(L, -1), 1, "book must be a list of {instrument=, size=}");
    while (lua_rawgeti(L, -1, (lua_Integer)n + 1) == LUA_TTABLE) {
        int row = lua_gettop(L);
        if (n == LIST_MAX) luaL_error(L, "more than %d rows in the book", LIST_MAX);
        l_api_check_fields(L, row, "book", names);
        out->book[n].instrument = l_api_text(L, row, "instrument", "");
        out->book[n].size = l_api_number(L, row, "size", NAN);
        out->book[n].entry = l_api_number(L, row, "entry", 0);
        n++;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return n;
}

/* test.session{strategy= or text=, book=, set=, instruments=, ...}: stdlib/meta/test.lua */
static int l_open(lua_State *L) {
    static const char *const names[] = {"strategy", "text",  "book",   "set",     "instruments",
                                        "fill",     "queue", "refill", "latency", "rules",
                                        "faults",   "fees",  "margin", "cash",    "limits",
                                        "seed",     "start", NULL};
    if (!hg_harness_provider) return luaL_error(L, "this build has no test sessions");
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    l_api_check_fields(L, 1, "test.session", names);
    lists *in = lua_newuserdatauv(L, sizeof *in, 0);
    session *t = lua_newuserdatauv(L, sizeof *t, 0);
    t->harness = NULL;
    luaL_setmetatable(L, TYPE_NAME);
    int self = lua_gettop(L);
    hg_harness_options o;
    memset(&o, 0, sizeof o);
    o.strategy = l_api_text(L, 1, "strategy", NULL);
    o.text = l_api_text(L, 1, "text", NULL);
    l_read_venue(L, &o);
    o.margin = l_api_text(L, 1, "margin", NULL);
    o.fees = l_api_bool(L, 1, "fees");
    o.seed = (uint64_t)l_api_number(L, 1, "seed", 1);
    o.start_s = l_api_number(L, 1, "start", START_S);
    o.instrument_count = l_read_instruments(L, in);
    o.book_count = l_read_book(L, in);
    o.set_count = l_read_set(L, in);
    o.limit_count = l_read_limits(L, in);
    o.cash = l_read_cash(L);
    o.limits = in->limits;
    o.instruments = in->instruments;
    o.set = in->set;
    o.book = (void *)in->book;
    if (hg_harness_provider->open(&o, &t->harness) < 0) l_test_raise(L);
    lua_pushvalue(L, self);
    return 1;
}

static int l_close(lua_State *L) {
    session *t = luaL_checkudata(L, 1, TYPE_NAME);
    if (t->harness) hg_harness_provider->close(t->harness);
    t->harness = NULL;
    return 0;
}

/* ---- looking --------------------------------------------------------------------------------- */
static int l_now(lua_State *L) {
    l_push_time(L, *l_test_env(L)->now_ns);
    return 1;
}

static int l_position(lua_State *L) {
    const hg_script_env *env = l_test_env(L);
    const char *name = luaL_checkstring(L, 2);
    uint32_t id = hg_universe_find(env->universe, name);
    if (id == HG_ID_NONE) return luaL_error(L, "instrument '%s' is not in this session", name);
    const hg_position *p = hg_portfolio_get(env->portfolio, id);
    lua_pushnumber(L, p ? hg_size_to_double(hg_universe_get(env->universe, id), p->lots) : 0);
    return 1;
}

static int l_exposure_of(lua_State *L) {
    uint32_t id = l_test_underlying(L, luaL_optstring(L, 2, "BTC"));
    l_push_exposure(L, l_test_env(L), id);
    return 1;
}

static int l_pnl(lua_State *L) {
    const hg_script_env *env = l_test_env(L);
    hg_pnl pnl;
    hg_portfolio_pnl(env->portfolio, *env->now_ns, &pnl);
    lua_createtable(L, 0, 4);
    lua_pushnumber(L, pnl.hedged);
    lua_setfield(L, -2, "hedged");
    lua_pushnumber(L, pnl.unhedged);
    lua_setfield(L, -2, "unhedged");
    lua_pushnumber(L, pnl.equity);
    lua_setfield(L, -2, "equity");
    lua_pushnumber(L, pnl.fees);
    lua_setfield(L, -2, "fees");
    return 1;
}

/* nil while the strategy runs, else the framed message. */
static int l_error(lua_State *L) {
    const hg_script *script = hg_harness_provider->script(l_test_harness(L));
    const char *text = script ? hg_script_error(script) : "";
    lua_pushstring(L, *text ? text : NULL);
    return 1;
}

static int l_state(lua_State *L) {
    static const char *const names[] = {"loaded", "running", "stopped", "failed"};
    const hg_script *script = hg_harness_provider->script(l_test_harness(L));
    lua_pushstring(L, script ? names[hg_script_status(script)] : NULL);
    return 1;
}

static int l_events(lua_State *L) {
    session *t = l_session(L);
    const char *line;
    lua_newtable(L);
    for (size_t k = 0; (line = hg_harness_provider->event_line(t->harness, k)) != NULL; k++) {
        l_push_json_line(L, line);
        lua_rawseti(L, -2, (lua_Integer)k + 1);
    }
    return 1;
}

/* Events of one kind; with `once`, the last state of each id, in order of first appearance. */
static int l_select(lua_State *L, const char *kind, bool once) {
    l_events(L);
    int events = lua_gettop(L);
    lua_newtable(L);
    lua_newtable(L); /* id -> place */
    lua_Integer n = 0;
    for (lua_Integer i = 1; lua_rawgeti(L, events, i) == LUA_TTABLE;
         i++, lua_settop(L, events + 2)) {
        if (strcmp(l_api_text(L, events + 3, "kind", ""), kind) != 0) continue;
        lua_Integer place = n + 1;
        if (once) {
            lua_getfield(L, events + 3, "id");
            lua_pushvalue(L, -1);
            if (lua_rawget(L, events + 2) == LUA_TNUMBER) place = lua_tointeger(L, -1);
            lua_pop(L, 1);
            lua_pushinteger(L, place);
            lua_rawset(L, events + 2);
        }
        if (place > n) n = place;
        lua_pushvalue(L, events + 3);
        lua_rawseti(L, events + 1, place);
    }
    lua_settop(L, events + 1);
    return 1;
}

static int l_orders(lua_State *L) {
    return l_select(L, "order", true);
}

static int l_fills(lua_State *L) {
    return l_select(L, "fill", false);
}

static int l_refusals(lua_State *L) {
    return l_select(L, "refusal", false);
}

int l_open_test(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"session", l_open},
        {NULL,      NULL  }
    };
    static const luaL_Reg methods[] = {
        {"orders",   l_orders     },
        {"fills",    l_fills      },
        {"refusals", l_refusals   },
        {"events",   l_events     },
        {"now",      l_now        },
        {"position", l_position   },
        {"exposure", l_exposure_of},
        {"pnl",      l_pnl        },
        {"error",    l_error      },
        {"state",    l_state      },
        {"close",    l_close      },
        {NULL,       NULL         },
    };
    static const luaL_Reg meta[] = {
        {"__gc",    l_close},
        {"__close", l_close},
        {NULL,      NULL   }
    };
    if (hg_script_of(L)->sandbox) {
        return luaL_error(L, "hedged.test is for tests (`hedged test`), not for strategies");
    }
    l_api_metatable(L, TYPE_NAME, meta);
    luaL_newlib(L, methods);
    luaL_setfuncs(L, l_test_feeding, 0);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    return l_api_module(L, functions);
}
