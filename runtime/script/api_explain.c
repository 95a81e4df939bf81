/* portfolio.explain: where the P&L came from, as plain tables. */
#include "portfolio/explain.h"
#include "script/script_int.h"

#include <math.h>
#include <string.h>

static const char *const drift_names[] = {"from", "spot", "time", "vol", "trades", "rest", "to"};
enum { DRIFTS = sizeof drift_names / sizeof *drift_names };

static void l_set(lua_State *L, const char *field, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, field);
}

/* What is asked: everything so far, or what came after a moment. */
typedef struct {
    hg_script *script;
    bool past;
    int64_t since_ns;
} question;

static void l_set_parts(lua_State *L, const hg_parts *parts, double rest) {
    for (size_t i = 0; i < HG_PARTS; i++) {
        l_set(L, hg_part_names[i].name, hg_part_get(parts, i));
    }
    l_set(L, "rest", rest);
}

static void l_push_explanation(lua_State *L, const hg_script *s, const hg_explanation *x) {
    const hg_drift *d = &x->drift;
    const double drift[DRIFTS] = {d->from, d->spot, d->time, d->vol, d->trades, d->rest, d->to};
    lua_createtable(L, 0, HG_PARTS + 7);
    l_set(L, "pnl", x->pnl);
    l_set_parts(L, &x->parts, x->rest);
    if (x->coin != HG_ID_NONE) {
        lua_pushstring(L, hg_universe_currency(s->env->universe, x->coin)->name);
        lua_setfield(L, -2, "coin");
        l_set(L, "coins", x->coins);
        lua_createtable(L, 0, HG_PARTS + 1);
        l_set_parts(L, &x->coin_parts, x->coin_rest);
        lua_setfield(L, -2, "coin_parts");
    }
    lua_createtable(L, 0, DRIFTS);
    for (size_t i = 0; i < DRIFTS; i++) l_set(L, drift_names[i], drift[i]);
    lua_setfield(L, -2, "drift");
}

/* Pushes the answer and returns true, unless there is nothing to explain or no answer. */
static bool l_answer(lua_State *L, const question *q, hg_explain_of of, bool empty) {
    hg_explanation x;
    int64_t now_ns = hg_script_now(q->script);
    int64_t from_ns = now_ns;
    if (!q->past) {
        hg_portfolio_explain(q->script->env->portfolio, of, now_ns, &x);
    } else if (hg_portfolio_explain_since(q->script->env->portfolio, of, q->since_ns, now_ns, &x,
                                          &from_ns) < 0) {
        return false;
    }
    if (x.rows == 0 && !empty) {
        return false;
    }
    l_push_explanation(L, q->script, &x);
    if (q->past) {
        l_set(L, "seconds", (double)(now_ns - from_ns) / 1e9);
    }
    return true;
}

/* Sets name = explanation in the table on top, unless there is nothing to explain. */
static void l_group(lua_State *L, const question *q, const char *name, hg_explain_of of) {
    if (l_answer(L, q, of, false)) {
        lua_setfield(L, -2, name);
    }
}

/* `buf` is for a strategy whose name nobody here knows. */
static const char *owner_name(const hg_script *s, uint32_t owner, char *buf, size_t size) {
    if (owner == HG_OWNER_BOOK || owner == HG_OWNER_LIQUIDATION) {
        return owner == HG_OWNER_BOOK ? "book" : "liquidation";
    }
    size_t index = owner - HG_OWNER_STRATEGY;
    if (index == s->index) {
        return hg_script_name(s);
    }
    if (s->env->others && index < *s->env->other_count && s->env->others[index]) {
        return hg_script_name(s->env->others[index]);
    }
    snprintf(buf, size, "strategy %zu", index + 1);
    return buf;
}

static void l_by_strategy(lua_State *L, const question *q, hg_explain_of of) {
    for (uint32_t owner = 0; owner < HG_OWNERS; owner++) {
        char name[24];
        of.owner = (uint8_t)owner;
        l_group(L, q, owner_name(q->script, owner, name, sizeof name), of);
    }
}

static void l_by_underlying(lua_State *L, const question *q, hg_explain_of of) {
    for (uint32_t u = 0; u < hg_universe_underlying_count(q->script->env->universe); u++) {
        of.underlying = u;
        l_group(L, q, hg_universe_underlying(q->script->env->universe, u)->name, of);
    }
}

static void l_by_instrument(lua_State *L, const question *q, hg_explain_of of) {
    const uint32_t *ids;
    uint32_t count = hg_portfolio_explained(q->script->env->portfolio, &ids);
    for (uint32_t i = 0; i < count; i++) {
        of.instrument = ids[i];
        l_group(L, q, hg_universe_get(q->script->env->universe, ids[i])->name, of);
    }
}

/* Takes what `since` (at that index) said from every number of the table on top. Groups and
 * numbers that were not there count from zero; drift goes on from where it was. */
static void l_subtract(lua_State *L, int since) {
    int now = lua_gettop(L);
    luaL_checkstack(L, 6, "explain");
    lua_pushnil(L);
    while (lua_next(L, now)) {
        lua_pushvalue(L, -2);
        int type = lua_rawget(L, since);
        if (type == LUA_TNUMBER && lua_type(L, -2) == LUA_TNUMBER) {
            lua_pushvalue(L, -3);
            lua_pushnumber(L, lua_tonumber(L, -3) - lua_tonumber(L, -2));
            lua_rawset(L, now); /* an existing field: the traversal goes on */
        } else if (type == LUA_TTABLE && lua_type(L, -2) == LUA_TTABLE) {
            int then = lua_gettop(L);
            lua_pushvalue(L, -2);
            l_subtract(L, then);
            lua_pop(L, 1);
        }
        lua_pop(L, 2);
    }
    /* a drift: from + ... == to, starting where the earlier one ended */
    lua_pushliteral(L, "to");
    if (lua_rawget(L, since) == LUA_TNUMBER) {
        double to = lua_tonumber(L, -1);
        lua_pushliteral(L, "to");
        lua_rawget(L, now);
        double moved = lua_tonumber(L, -1);
        lua_pop(L, 1);
        lua_pushliteral(L, "from");
        lua_pushnumber(L, to);
        lua_rawset(L, now);
        lua_pushliteral(L, "to");
        lua_pushnumber(L, to + moved);
        lua_rawset(L, now);
    }
    lua_pop(L, 1);
}

/* The index of an earlier answer, or of a nil; a number of seconds goes to `q`. */
static int l_since(lua_State *L, int options, question *q) {
    int type = lua_getfield(L, options, "since");
    if (type == LUA_TNUMBER) {
        double seconds = lua_tonumber(L, -1);
        if (!(seconds > 0 && seconds < 1e9)) {
            return luaL_error(L, "explain: since = %f: a number of seconds must be above 0",
                              seconds);
        }
        q->past = true;
        q->since_ns = hg_script_now(q->script) - (int64_t)(seconds * 1e9);
        lua_pop(L, 1);
        lua_pushnil(L);
    } else if (type != LUA_TNIL && type != LUA_TTABLE) {
        return luaL_error(L,
                          "explain: since is a number of seconds or what explain said earlier, "
                          "not a %s",
                          lua_typename(L, type));
    }
    return lua_gettop(L);
}

/* explain{by=, underlying=, since=} */
int l_explain(lua_State *L) {
    static const char *const choices[] = {"session", "strategy", "underlying", "instrument", NULL};
    question q = {.script = l_api_session(L, "portfolio.explain")};
    hg_explain_of of = HG_EXPLAIN_ALL;
    int by = 0;
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_newtable(L);
        lua_replace(L, 1);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "by");
    const char *word = lua_isnil(L, -1) ? choices[0] : lua_tostring(L, -1);
    while (choices[by] && (!word || strcmp(word, choices[by]) != 0)) by++;
    if (!choices[by]) {
        return luaL_error(L, "explain: by must be session, strategy, underlying or instrument");
    }
    if (lua_getfield(L, 1, "underlying") != LUA_TNIL) {
        of.underlying = l_api_underlying(L, lua_gettop(L));
    }
    int since = l_since(L, 1, &q);
    if (!l_answer(L, &q, of, true)) {
        int rc = l_api_fail(L, "not_found", "explain: %s", hg_error_text());
        hg_error_clear();
        return rc;
    }
    if (by != 0) {
        lua_newtable(L);
        (by == 1 ? l_by_strategy : by == 2 ? l_by_underlying : l_by_instrument)(L, &q, of);
        of.owner = HG_OWNER_ACCOUNT; /* with it every grouping adds up to the session */
        l_group(L, &q, "account", of);
    }
    if (!lua_isnil(L, since)) {
        bool flat = lua_getfield(L, since, "pnl") == LUA_TNUMBER;
        lua_pop(L, 1);
        if (flat != (by == 0)) luaL_error(L, "explain: since was explained by something else");
        l_subtract(L, since);
    }
    return 1;
}
