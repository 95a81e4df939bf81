/*
 * The tick: one reused object that shows the market as it is when a field is read.
 *
 * Reading through a function costs a call out of Lua. So numbers that a strategy keeps reading are
 * learned: they go into a table, the __index of the object, and are brought up to date before
 * on_tick, only where they changed. The market stands still while Lua runs; before any other entry
 * the table is compared, and where it is old (or a learned number is missing, which no table can
 * tell from one not learned) the function reads again until the next tick.
 *
 * No key ever leaves the table, and it has room for all: nothing here allocates, so nothing raises.
 */
#include "base/assert.h"
#include "script/script_int.h"

#include <stdio.h>

#define ABSENT INT64_MIN
#define LEARN_READS 16 /* as many within ... */
#define LEARN_TICKS 32
#define BIT(name) (1u << (HG_N_##name - HG_N_bid))
#define OUTSIDE (BIT(index) | BIT(time)) /* change without the state of the instrument */

enum { SLOT_FIELDS = 1, SLOT_KEYS = 2 }; /* on the stack of the main coroutine */

static const char *const fields[] = {"instrument", "bid", "ask",  "bid_size",   "ask_size", "mark",
                                     "index",      "iv",  "time", "underlying", "kind",     NULL};

static int64_t nano_or_absent(hg_nano nano) {
    return nano ? nano : ABSENT;
}

/* What the market has, in its own units. */
static int64_t raw_of(const hg_script *s, unsigned name) {
    const hg_market_state *m = s->tick.market;
    switch (name) {
    case HG_N_bid:
        return m->quote.bid_size > 0 ? m->quote.bid : ABSENT;
    case HG_N_ask:
        return m->quote.ask_size > 0 ? m->quote.ask : ABSENT;
    case HG_N_bid_size:
        return m->quote.bid_size > 0 ? m->quote.bid_size : ABSENT;
    case HG_N_ask_size:
        return m->quote.ask_size > 0 ? m->quote.ask_size : ABSENT;
    case HG_N_mark:
        return nano_or_absent(m->mark);
    case HG_N_iv:
        return nano_or_absent(m->iv);
    case HG_N_index:
        return nano_or_absent(
            hg_market_underlying(s->env->market, s->tick.inst->underlying_id)->index);
    default:
        return s->tick.time_ns;
    }
}

static double number_of(const hg_script *s, unsigned name, int64_t raw) {
    if (name <= HG_N_ask) return hg_price_to_double(s->tick.inst, raw);
    if (name <= HG_N_ask_size) return hg_size_to_double(s->tick.inst, raw);
    return hg_nano_to_double(raw); /* time: as l_push_time */
}

/* ---- the table ------------------------------------------------------------------------------- */
/* The metatable's __index: the table of fields, or the function. */
static void read_by(hg_script *s, bool table);

static void put(hg_script *s, unsigned field, int64_t raw) {
    lua_State *L = s->lua;
    s->tick.seen[field] = raw;
    lua_pushvalue(L, SLOT_KEYS + (int)field);
    lua_pushnumber(L, number_of(s, HG_N_bid + field, raw));
    lua_rawset(L, SLOT_FIELDS);
}

void hg_tick_refresh(hg_script *s) {
    hg_tick *t = &s->tick;
    bool other = t->shown != t->inst;
    unsigned old = t->learned;
    if (!other && t->version == t->market->version) old &= OUTSIDE;
    t->shown = t->inst;
    t->version = t->market->version;
    t->count++;
    for (; old; old &= old - 1) {
        unsigned field = (unsigned)__builtin_ctz(old);
        int64_t raw = raw_of(s, HG_N_bid + field);
        if (raw == t->seen[field] && !other) continue;
        t->holes &= (uint8_t) ~(1u << field);
        if (raw != ABSENT) {
            put(s, field, raw);
        } else {
            t->seen[field] = ABSENT;
            t->holes |= (uint8_t)(1u << field);
        }
    }
    if (t->by_table != (t->holes == 0)) read_by(s, t->holes == 0);
}

void hg_tick_check(hg_script *s) {
    const hg_tick *t = &s->tick;
    if (!t->by_table || !t->learned) return;
    bool old = t->shown != t->inst;
    unsigned outside = t->version == t->market->version ? OUTSIDE : ~0u;
    for (unsigned left = t->learned & outside; left && !old; left &= left - 1) {
        unsigned field = (unsigned)__builtin_ctz(left);
        old = raw_of(s, HG_N_bid + field) != t->seen[field];
    }
    if (old) read_by(s, false);
}

/* A number read by function for the so many-th time in few ticks joins the table. Only inside an
 * entry by a task: then the main coroutine is at its bottom. */
static void learn(hg_script *s, unsigned field, int64_t raw) {
    hg_tick *t = &s->tick;
    if (t->reads[field] == 0 || t->count - t->since[field] > LEARN_TICKS) {
        t->reads[field] = 0;
        t->since[field] = t->count;
    }
    if (++t->reads[field] < LEARN_READS) return;
    t->reads[field] = 0;
    t->learned |= (uint8_t)(1u << field);
    put(s, field, raw);
}

/* Called for the object or for the table: only the key matters. */
static int l_index(lua_State *L) {
    hg_script *s = hg_script_of(L);
    hg_tick *t = &s->tick;
    unsigned name = hg_name_of(L, &s->names, 2);
    if (!t->inst) return luaL_error(L, "no tick yet");
    if (name >= HG_N_bid && name <= HG_N_time) {
        int64_t raw = raw_of(s, name);
        if (raw == ABSENT) return 0;
        lua_pushnumber(L, number_of(s, name, raw));
        if (s->inside && t->by_table && t->shown == t->inst) learn(s, name - HG_N_bid, raw);
        return 1;
    }
    switch (name) {
    case HG_N_instrument:
        lua_pushstring(L, t->inst->name);
        return 1;
    case HG_N_underlying:
        lua_pushstring(L, t->inst->underlying);
        return 1;
    case HG_N_kind:
        lua_pushstring(L, hg_kind_name(t->inst->kind));
        return 1;
    default:
        l_api_unknown(L, "tick", 2, fields);
    }
}

static void read_by(hg_script *s, bool table) {
    lua_State *L = s->lua;
    s->tick.by_table = table;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->tick);
    lua_pushliteral(L, "__index");
    if (table) {
        lua_pushvalue(L, SLOT_FIELDS);
    } else {
        lua_pushcfunction(L, l_index);
    }
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static int l_tostring(lua_State *L) {
    hg_script *s = hg_script_of(L);
    lua_pushfstring(L, "tick %s", s->tick.inst ? s->tick.inst->name : "none");
    return 1;
}

/* Leaves the object on top; its metatable and table stay in the registry for hg_tick_bind. */
void l_new_tick(lua_State *L) {
    hg_script *s = hg_script_of(L);
    lua_newuserdatauv(L, 0, 0);
    luaL_setmetatable(L, "tick");
    lua_getmetatable(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->tick);
    lua_createtable(L, 0, 2 * HG_TICK_FIELDS);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_index);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &s->tick.seen);
}

/* The bottom of the main coroutine's stack is where `put` finds what it needs. */
void hg_tick_bind(hg_script *s) {
    lua_State *L = s->lua;
    hg_assert(lua_gettop(L) == 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &s->tick.seen);
    for (int i = 0; i < HG_TICK_FIELDS; i++) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, &s->names);
        lua_rawgeti(L, -1, HG_N_bid + i);
        lua_remove(L, -2);
    }
    read_by(s, true);
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
