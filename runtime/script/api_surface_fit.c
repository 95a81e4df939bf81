/*
 * surface.fit: a table of quotes becomes a surface. Quotes may be prices or vols, in USD or coins,
 * in any order; bad ones are counted and named, never an error. No session is needed: this file is
 * also in the C module for plain Lua.
 */
#include "domain/instrument.h"
#include "greeks/black76.h"
#include "script/script_int.h"
#include "script/surface_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define QUOTES_MAX 100000
#define YEARS_BELOW 1000.0 /* a smaller number is years, a larger one seconds since 1970 */
#define YEAR_S (365.0 * 86400.0)

/* One quote as given. NaN: not given. */
typedef struct given {
    int64_t key;
    double t;
    double strike, bid, ask, iv, bid_iv, ask_iv, forward, age_s, weight;
    int cp; /* 0: not given */
    uint32_t number;
} given;

hg_surface_model l_surface_model(lua_State *L, const char *name) {
    if (strcmp(name, "ssvi") == 0 || strcmp(name, "essvi") == 0) return HG_SURFACE_ESSVI;
    if (strcmp(name, "svi") == 0) return HG_SURFACE_SVI;
    if (strcmp(name, "sabr") == 0) return HG_SURFACE_SABR;
    luaL_error(L, "model '%s': \"ssvi\", \"svi\" or \"sabr\" expected", name);
    abort(); /* not reached */
}

double l_surface_years(lua_State *L, int index, double time_s, int64_t *key) {
    int64_t ns = 0;
    double t;
    if (lua_type(L, index) == LUA_TNUMBER) {
        double x = lua_tonumber(L, index);
        if (!(x >= YEARS_BELOW && x < 9e9)) {
            if (key) *key = x > 0 && x < YEARS_BELOW ? (int64_t)(x * 1e9) : 0;
            return x >= YEARS_BELOW ? NAN : x;
        }
        ns = llround(x * 1e9);
    } else if (lua_type(L, index) == LUA_TSTRING) {
        size_t len;
        const char *text = lua_tolstring(L, index, &len);
        if (!hg_expiry_parse(text, len, &ns)) {
            luaL_error(L, "expiry '%s' is not a date such as \"27FEB26\"", text);
        }
    } else {
        luaL_error(L,
                   "an expiry is a date such as \"27FEB26\", seconds since 1970 or years, not %s",
                   luaL_typename(L, index));
    }
    if (isnan(time_s)) luaL_error(L, "expiries that are dates need `now` (seconds since 1970)");
    t = ((double)ns / 1e9 - time_s) / YEAR_S;
    if (key) *key = ns;
    return t;
}

static double l_optional(lua_State *L, int table, const char *field) {
    return l_api_number(L, table, field, NAN);
}

/* The quote on top of the stack. */
static given l_quote_read(lua_State *L, lua_Integer number, double time_s) {
    static const char *const names[] = {"expiry", "strike", "type",   "bid",     "ask",
                                        "iv",     "bid_iv", "ask_iv", "forward", "age",
                                        "weight", "name",   NULL};
    if (!lua_istable(L, -1)) luaL_error(L, "quote %I is no table", (LUAI_UACINT)number);
    int table = lua_gettop(L);
    l_api_check_fields(L, table, "quote", names);
    given q = {.number = (uint32_t)number};
    if (lua_getfield(L, table, "expiry") == LUA_TNIL) {
        luaL_error(L, "quote %I has no expiry", (LUAI_UACINT)number);
    }
    q.t = l_surface_years(L, -1, time_s, &q.key);
    lua_pop(L, 1);
    if (lua_getfield(L, table, "strike") == LUA_TNIL) {
        luaL_error(L, "quote %I has no strike", (LUAI_UACINT)number);
    }
    lua_pop(L, 1);
    q.strike = l_optional(L, table, "strike");
    q.bid = l_optional(L, table, "bid");
    q.ask = l_optional(L, table, "ask");
    q.iv = l_optional(L, table, "iv");
    q.bid_iv = l_optional(L, table, "bid_iv");
    q.ask_iv = l_optional(L, table, "ask_iv");
    q.forward = l_optional(L, table, "forward");
    q.age_s = l_api_number(L, table, "age", 0);
    q.weight = l_api_number(L, table, "weight", 1);
    const char *type = l_api_text(L, table, "type", NULL);
    if (type) q.cp = strcmp(type, "C") == 0 ? 1 : strcmp(type, "P") == 0 ? -1 : 2;
    if (q.cp == 2) luaL_error(L, "quote %I: type must be \"C\" or \"P\"", (LUAI_UACINT)number);
    bool priced = !isnan(q.bid) || !isnan(q.ask);
    if (priced && q.cp == 0) {
        luaL_error(L, "quote %I: a price needs type = \"C\" or \"P\"", (LUAI_UACINT)number);
    }
    return q;
}

static bool is_good(double x) {
    return x > 0 && x <= 1e300;
}

/* What is no number comes last. */
static int compare(double x, double y) {
    bool x_known = !isnan(x);
    bool y_known = !isnan(y);
    if (x_known != y_known) return x_known ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* By expiry, strike, calls before puts: what parity needs stands together. */
static int by_place(const void *a, const void *b) {
    const given *x = a;
    const given *y = b;
    int order = compare(x->t, y->t);
    if (order == 0) order = compare(x->strike, y->strike);
    if (order == 0) order = y->cp - x->cp;
    if (order == 0) order = x->number < y->number ? -1 : x->number > y->number;
    return order;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The middle one of some numbers, 0 of none; reorders them. */
static double median(double *x, size_t n) {
    if (n == 0) return 0;
    qsort(x, n, sizeof *x, by_size);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

/* The forwards that the quotes of one expiry name themselves. */
static double forward_named(const given *q, size_t n, double *room) {
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_good(q[i].forward)) room[found++] = q[i].forward;
    }
    return median(room, found);
}

static bool is_two_sided(const given *q) {
    return is_good(q->bid) && is_good(q->ask) && q->bid <= q->ask && is_good(q->strike);
}

/* Put-call parity: F = K + C - P, and K/(1 - c + p) where prices are coins. The median over the
 * strikes at which a call and a put, which follows it, are both quoted on both sides. */
static double forward_parity(const given *q, size_t n, bool inverse, double *room) {
    size_t found = 0;
    for (size_t i = 1; i < n; i++) {
        const given *call = &q[i - 1];
        const given *put = &q[i];
        bool pair = call->cp == 1 && put->cp == -1 && call->strike == put->strike;
        if (!pair || !is_two_sided(call) || !is_two_sided(put)) continue;
        double gap = 0.5 * (call->bid + call->ask) - 0.5 * (put->bid + put->ask);
        double f = inverse ? call->strike / (1 - gap) : call->strike + gap;
        if (is_good(f)) room[found++] = f;
    }
    return median(room, found);
}

/* args.forward: a number for all, or a table by expiry as the quotes name it. */
static double l_forward_given(lua_State *L, int args, int quotes, const given *q) {
    double f = 0;
    int type = lua_getfield(L, args, "forward");
    if (type == LUA_TNUMBER) {
        f = lua_tonumber(L, -1);
    } else if (type == LUA_TTABLE) {
        lua_rawgeti(L, quotes, q->number);
        lua_getfield(L, -1, "expiry");
        if (lua_gettable(L, -3) == LUA_TNUMBER) f = lua_tonumber(L, -1);
        lua_pop(L, 2);
    } else if (type != LUA_TNIL) {
        luaL_error(L, "forward must be a number, or a table of them by expiry");
    }
    lua_pop(L, 1);
    return is_good(f) ? f : 0;
}

/* The price a vol gives; 0 where it gives none. */
static double price_of(double vol, double f, double k, double t, int cp) {
    double price;
    return vol > 0 && hg_black76_price(f, k, t, vol, cp, 0, &price) == HG_OK ? price : 0;
}

/* The quote in USD, seen from the expiry's forward: the model prices are homogeneous, so a quote
 * made at its own forward keeps its moneyness and its vol. A vol without a side stands for a quote
 * without width, and vols count out of the money, whatever their type: they say the same there. */
static hg_smile_quote quote_make(const given *q, const l_surface_expiry *e, bool inverse) {
    double own = is_good(q->forward) ? q->forward : e->forward;
    double scale = e->forward / own;
    hg_smile_quote out = {.strike = q->strike * scale,
                          .cp = q->cp,
                          .age_s = q->age_s,
                          .weight = q->weight > 0 ? q->weight : NAN};
    if (!isnan(q->iv) || !isnan(q->bid_iv) || !isnan(q->ask_iv)) {
        out.cp = out.strike > e->forward ? 1 : -1;
        double bid = isnan(q->iv) ? q->bid_iv : q->iv;
        double ask = isnan(q->iv) ? q->ask_iv : q->iv;
        out.bid = price_of(bid, e->forward, out.strike, e->t, out.cp);
        out.ask = price_of(ask, e->forward, out.strike, e->t, out.cp);
    } else {
        double unit = inverse ? e->forward : scale;
        out.bid = q->bid * unit;
        out.ask = q->ask * unit;
    }
    if (isnan(out.weight)) out.bid = out.ask = 0; /* no weight: as if not quoted */
    return out;
}

/* Groups the quotes, sorted, into expiries with their forwards. False: too many expiries. */
static bool l_group(lua_State *L, int args, int quotes, const given *q, l_surface *o,
                    double *room) {
    size_t n = o->quotes;
    for (size_t i = 0; i < n; o->expiries++) {
        size_t end = i;
        while (end < n && (q[end].t == q[i].t || (isnan(q[end].t) && isnan(q[i].t)))) end++;
        if (o->expiries == HG_SURFACE_SLICES_MAX) return false;
        l_surface_expiry *e = &o->expiry[o->expiries];
        *e = (l_surface_expiry){.key = q[i].key, .t = q[i].t, .first = i, .n = end - i};
        e->forward = forward_named(q + i, end - i, room);
        e->forward_from = "quotes";
        if (!(e->forward > 0)) {
            e->forward = l_forward_given(L, args, quotes, &q[i]);
            e->forward_from = "given";
        }
        if (!(e->forward > 0)) {
            e->forward = forward_parity(q + i, end - i, o->inverse, room);
            e->forward_from = e->forward > 0 ? "parity" : NULL;
        }
        for (; i < end; i++) {
            o->ids[i] = q[i].number;
            o->strikes[i] = q[i].strike;
            o->quote[i] = quote_make(&q[i], e, o->inverse);
        }
    }
    return true;
}

int l_surface_run(l_surface *o, const hg_surface_options *options, hg_surface_work *work) {
    hg_surface_expiry chain[HG_SURFACE_SLICES_MAX];
    int n = 0;
    for (int i = 0; i < o->expiries; i++) {
        const l_surface_expiry *e = &o->expiry[i];
        if (!(e->t > 0 && e->t < YEARS_BELOW) || !(e->forward > 0)) continue;
        chain[n++] = (hg_surface_expiry){e->key, e->t, e->forward, &o->quote[e->first], (int)e->n};
    }
    return n > 0 ? hg_surface_fit(chain, n, options, work, &o->fit) : HG_GREEKS_BAD_INPUT;
}

/* Why nothing could be fitted, in the words of the first reasons that apply. */
static int l_nothing(lua_State *L, const l_surface *o) {
    int count[HG_SMILE_UNUSABLE + 1] = {0};
    int expired = 0;
    int blind = 0;
    for (int i = 0; i < o->expiries; i++) {
        const l_surface_expiry *e = &o->expiry[i];
        expired += !(e->t > 0);
        blind += e->t > 0 && !(e->forward > 0);
        for (size_t j = e->first; j < e->first + e->n && e->t > 0 && e->forward > 0; j++) {
            count[hg_smile_judge(&o->quote[j], e->forward, e->t, &o->filter)]++;
        }
    }
    return l_surface_fail(
        L, "no_quotes",
        "nothing to fit in %d quotes of %d expiries: %d expired, %d without a forward; quotes: %d "
        "one-sided, %d in the money, %d stale, %d crossed, %d unusable",
        (int)o->quotes, o->expiries, expired, blind, count[HG_SMILE_ONE_SIDED],
        count[HG_SMILE_IN_THE_MONEY], count[HG_SMILE_STALE], count[HG_SMILE_CROSSED],
        count[HG_SMILE_UNUSABLE]);
}

static double l_now(lua_State *L, int args) {
    double now_s = l_optional(L, args, "now");
    if (isnan(now_s) && !lua_isnil(L, lua_upvalueindex(1))) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_call(L, 0, 1);
        now_s = lua_isnumber(L, -1) ? lua_tonumber(L, -1) : NAN;
        lua_pop(L, 1);
    }
    return now_s;
}

static hg_surface_options l_options(lua_State *L, int args, l_surface *o) {
    hg_surface_options options = hg_surface_options_default();
    options.model = l_surface_model(L, l_api_text(L, args, "model", "ssvi"));
    options.sabr_beta = l_api_number(L, args, "beta", 1);
    options.filter.age_s_max = l_api_number(L, args, "max_age", 0);
    luaL_argcheck(L, options.sabr_beta >= 0 && options.sabr_beta <= 1, 1, "beta within 0 and 1");
    luaL_argcheck(L, options.filter.age_s_max >= 0, 1, "max_age in seconds, 0: any age");
    o->filter = options.filter;
    o->inverse = l_api_bool(L, args, "inverse");
    if (lua_getfield(L, args, "start") != LUA_TNIL) {
        const l_surface *start = luaL_testudata(L, -1, "hedged.surface");
        if (!start) luaL_error(L, "start must be a surface fitted earlier");
        o->fit = start->fit;
    }
    lua_pop(L, 1);
    return options;
}

int l_surface_fit(lua_State *L) {
    static const char *const names[] = {"quotes", "model",   "now",   "forward", "inverse",
                                        "beta",   "max_age", "start", NULL};
    enum { ARGS = 1, QUOTES, OBJECT };
    luaL_checktype(L, ARGS, LUA_TTABLE);
    lua_settop(L, ARGS);
    l_api_check_fields(L, ARGS, "surface.fit", names);
    if (lua_getfield(L, ARGS, "quotes") != LUA_TTABLE) {
        luaL_error(L, "surface.fit: quotes = { {expiry =, strike =, ...}, ... } is missing");
    }
    size_t n = lua_rawlen(L, QUOTES);
    luaL_argcheck(L, n <= QUOTES_MAX, ARGS, "at most 100,000 quotes");
    double now_s = l_now(L, ARGS);
    l_surface *o = l_surface_push(L, n);
    o->time_s = now_s;
    hg_surface_options options = l_options(L, ARGS, o);
    lua_pushvalue(L, QUOTES); /* for the names */
    lua_setiuservalue(L, OBJECT, 1);
    given *q = lua_newuserdatauv(L, (n + 1) * sizeof *q, 0);
    double *room = lua_newuserdatauv(L, (n + 1) * sizeof *room, 0);
    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, QUOTES, (lua_Integer)i + 1);
        q[i] = l_quote_read(L, (lua_Integer)i + 1, now_s);
        lua_pop(L, 1);
    }
    qsort(q, n, sizeof *q, by_place);
    if (!l_group(L, ARGS, QUOTES, q, o, room)) {
        return l_surface_fail(L, "too_many", "more than %d expiries in one surface",
                              HG_SURFACE_SLICES_MAX);
    }
    hg_surface_work *work = lua_newuserdatauv(L, sizeof *work, 0);
    if (l_surface_run(o, &options, work) != HG_OK) return l_nothing(L, o);
    lua_settop(L, OBJECT);
    return 1;
}
