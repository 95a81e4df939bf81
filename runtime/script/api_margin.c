/* hedged.portfolio: margin, what_if and scenario. Plain tables; nothing asked here changes
 * anything. */
#include "exec/preview.h"
#include "script/script_int.h"

#include <math.h>
#include <string.h>

#define AXIS_MAX 201
#define CELLS_MAX 4096
#define ORDERS_MAX 256
#define DAYS_PER_YEAR 365.0

static void l_set(lua_State *L, const char *field, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, field);
}

static void l_set_text(lua_State *L, const char *field, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
}

static hg_margin *l_margin_of(lua_State *L, hg_script *s, const char *what) {
    if (!s->env->margin) luaL_error(L, "%s: this session keeps no margin", what);
    return s->env->margin;
}

/* ---- margin ---------------------------------------------------------------------------------- */
static void l_push_total(lua_State *L, const hg_margin_total *t) {
    lua_createtable(L, 0, 12);
    l_set_text(L, "model", hg_margin_model_name(t->model));
    lua_pushboolean(L, t->known);
    lua_setfield(L, -2, "known");
    l_set(L, "equity", t->equity);
    l_set(L, "margin_balance", t->margin_balance);
    l_set(L, "initial", t->initial);
    l_set(L, "maintenance", t->maintenance);
    l_set(L, "available", t->available);
    l_set(L, "notional", t->notional);
    l_set(L, "leverage", t->leverage);
    l_set(L, "notional_leverage", t->notional_leverage);
    l_set(L, "use", t->use);
}

static void l_push_accounts(lua_State *L, const hg_script *s, const hg_margin_account *accounts) {
    lua_newtable(L);
    for (uint32_t c = 0; c < hg_universe_currency_count(s->env->universe); c++) {
        const hg_margin_account *a = &accounts[c];
        if (!a->used) continue;
        lua_createtable(L, 0, 9);
        lua_pushboolean(L, a->known);
        lua_setfield(L, -2, "known");
        l_set(L, "balance", a->balance);
        l_set(L, "upl", a->upl);
        l_set(L, "options_value", a->options_value);
        l_set(L, "equity", a->equity);
        l_set(L, "margin_balance", a->margin_balance);
        l_set(L, "initial", a->initial);
        l_set(L, "maintenance", a->maintenance);
        l_set(L, "available", a->available);
        lua_setfield(L, -2, hg_universe_currency(s->env->universe, c)->name);
    }
}

/* One underlying; returns how far the nearer price is, INFINITY when there is none. */
static double l_push_distance(lua_State *L, const hg_margin_distance *d) {
    double nearest = INFINITY;
    lua_createtable(L, 0, 4);
    l_set(L, "spot", d->spot);
    if (d->below > 0) {
        l_set(L, "below", d->below);
        nearest = 1 - d->below / d->spot;
    }
    if (d->above > 0) {
        l_set(L, "above", d->above);
        nearest = fmin(nearest, d->above / d->spot - 1);
    }
    if (isfinite(nearest)) l_set(L, "distance", nearest);
    return nearest;
}

/* Sets liquidation, and of the underlying that is nearest to it `nearest` and `distance`. The
 * account is one: what other shares hold can liquidate it, so all of it is told. */
static void l_set_distances(lua_State *L, const hg_script *s, hg_margin *margin) {
    double least = INFINITY;
    const char *name = NULL;
    lua_newtable(L);
    for (uint32_t u = 0; u < hg_universe_underlying_count(s->env->universe); u++) {
        hg_margin_distance d;
        if (!hg_margin_holds(margin, u)) continue;
        hg_margin_distance_of(margin, u, hg_script_now(s), &d);
        if (!(d.spot > 0)) continue;
        double distance = l_push_distance(L, &d);
        const char *own = hg_universe_underlying(s->env->universe, u)->name;
        if (distance < least) {
            least = distance;
            name = own;
        }
        lua_setfield(L, -2, own);
    }
    lua_setfield(L, -2, "liquidation");
    if (name) {
        l_set(L, "distance", least);
        l_set_text(L, "nearest", name);
    }
}

/* margin{liquidation=true}: totals in USD, accounts by currency, liquidation by underlying. */
int l_margin(lua_State *L) {
    static const char *const options[] = {"liquidation", NULL};
    hg_script *s = l_api_session(L, "portfolio.margin");
    hg_margin *margin = l_margin_of(L, s, "portfolio.margin");
    bool search = true;
    if (!lua_isnoneornil(L, 1)) {
        luaL_checktype(L, 1, LUA_TTABLE);
        l_api_check_fields(L, 1, "margin", options);
        search = lua_getfield(L, 1, "liquidation") == LUA_TNIL || lua_toboolean(L, -1);
    }
    hg_margin_total total;
    hg_margin_total_of(margin, hg_script_now(s), &total);
    l_push_total(L, &total);
    l_push_accounts(L, s, hg_margin_accounts(margin, hg_script_now(s)));
    lua_setfield(L, -2, "accounts");
    if (search) {
        l_set_distances(L, s, margin);
    }
    return 1;
}

void l_push_liquidation(lua_State *L, const hg_script *s) {
    const hg_liquidation_note *n = s->liquidation;
    lua_createtable(L, 0, 10);
    l_set_text(L, "kind", "liquidation");
    l_set_text(L, "code", "liquidation");
    l_set_text(L, "phase", hg_liquidation_phase_name(n->phase));
    l_set_text(L, "currency", hg_universe_currency(s->env->universe, n->currency)->name);
    l_set(L, "equity", n->equity);
    l_set(L, "margin_balance", n->margin_balance);
    l_set(L, "maintenance", n->maintenance);
    if (n->phase == HG_LIQUIDATION_ORDER) {
        const hg_instrument *inst = hg_universe_get(s->env->universe, n->instrument);
        l_set_text(L, "instrument", inst->name);
        l_set_text(L, "side", hg_side_name(n->side));
        l_set(L, "size", hg_size_to_double(inst, n->lots));
    }
    l_push_time(L, s->event->time_ns);
    lua_setfield(L, -2, "time");
}

/* ---- what_if --------------------------------------------------------------------------------- */
/* An order, from the table on top. */
static bool l_idea(lua_State *L, const hg_script *s, hg_preview_order *o) {
    static const char *const options[] = {"instrument", "side", "size", "price", "post_only", NULL};
    int at = lua_gettop(L);
    if (!lua_istable(L, at)) luaL_error(L, "what_if: each order is a table");
    l_api_check_fields(L, at, "what_if", options);
    if (lua_getfield(L, at, "instrument") == LUA_TNIL) {
        luaL_error(L, "what_if: instrument is missing");
    }
    uint32_t id = l_api_instrument(L, -1);
    if (id == HG_ID_NONE) {
        l_api_no_instrument(L, lua_gettop(L), false);
        return false;
    }
    const hg_instrument *inst = hg_universe_get(s->env->universe, id);
    const char *side = l_api_text(L, at, "side", "buy");
    bool sell = strcmp(side, "sell") == 0;
    if (!sell && strcmp(side, "buy") != 0) luaL_error(L, "what_if: side must be buy or sell");
    lua_getfield(L, at, "post_only");
    *o = (hg_preview_order){.instrument = id,
                            .side = sell ? HG_SELL : HG_BUY,
                            .post_only = lua_toboolean(L, -1),
                            .no_fees = !hg_portfolio_charges(s->env->portfolio)};
    double size = l_api_number(L, at, "size", 0);
    double price = l_api_number(L, at, "price", 0);
    if (price < 0 || !isfinite(price)) {
        luaL_error(L, "what_if: a price must be above zero; without one the book is taken");
    }
    if (o->post_only && price == 0) luaL_error(L, "what_if: post_only needs a price");
    if (!hg_size_from_double(inst, size, &o->lots) || o->lots <= 0) {
        l_api_fail(L, "bad_size", "what_if: %g of %s is not a tradable size", size, inst->name);
        return false;
    }
    if (price > 0 && !hg_price_from_double(inst, price, &o->price)) {
        l_api_fail(L, "off_tick", "what_if: %g is no price of %s", price, inst->name);
        return false;
    }
    lua_settop(L, at);
    return true;
}

/* USD against the mid of now, or against nothing where there is none, fee included. */
static double idea_cost(const hg_script *s, const hg_trade_idea *idea) {
    const hg_market *market = s->env->market;
    const hg_instrument *inst = hg_universe_get(s->env->universe, idea->instrument);
    double mid = hg_market_mid(market, inst->id);
    bool usd_sized = inst->inverse && inst->kind != HG_KIND_OPTION;
    double away = mid > 0 ? (idea->price - mid) * (idea->side == HG_BUY ? 1 : -1) : 0;
    double amount = hg_size_to_double(inst, idea->lots);
    double usd = hg_market_usd(market, inst->quote_id);
    return idea->fee * hg_market_usd(market, inst->settle_id) +
           (usd_sized ? away / idea->price * amount : away * amount * usd);
}

/* One order's fills: {price, fee, currency, maker, fits}. `price` averages as the ledger does. */
static void l_push_idea(lua_State *L, const hg_script *s, const hg_preview *p, size_t first) {
    const hg_instrument *inst = hg_universe_get(s->env->universe, p->ideas[first].instrument);
    bool usd_sized = inst->inverse && inst->kind != HG_KIND_OPTION;
    double amount = 0;
    double paid = 0;
    double maker = 0;
    hg_cash fee = 0; /* whole units: a sum of doubles is not what is booked */
    for (size_t i = first; i < p->count; i++) {
        double a = hg_size_to_double(inst, p->ideas[i].lots);
        amount += a;
        paid += usd_sized ? a / p->ideas[i].price : a * p->ideas[i].price;
        maker += p->ideas[i].maker ? a : 0;
        fee += (hg_cash)llrint(p->ideas[i].fee * 1e9);
    }
    lua_createtable(L, 0, 6);
    l_set(L, "price", usd_sized ? amount / paid : paid / amount);
    l_set(L, "fee", hg_nano_to_double(fee));
    l_set_text(L, "fee_currency", inst->settle);
    l_set(L, "maker", maker);
    l_set(L, "taker", amount - maker);
    lua_pushboolean(L, p->fits);
    lua_setfield(L, -2, "fits");
}

/* Fills of the orders in the list at 2; leaves what each would get. False: the error was pushed. */
static bool l_fills(lua_State *L, const hg_script *s, hg_preview *p, lua_Integer count) {
    lua_createtable(L, (int)count, 0);
    int told = lua_gettop(L);
    for (lua_Integer i = 1; i <= count; i++) {
        hg_preview_order order;
        size_t first = p->count;
        lua_rawgeti(L, 2, i);
        if (!l_idea(L, s, &order)) return false;
        int rc = hg_preview_add(p, s->env->market, &order);
        if (rc < 0) {
            l_api_fail(L,
                       rc == HG_ENOTFOUND ? "no_quote"
                       : rc == HG_ESTATE  ? "post_only"
                       : rc == HG_ELIMIT  ? "limit"
                                          : "bad_size",
                       "%s", hg_error_text());
            return false;
        }
        l_push_idea(L, s, p, first);
        lua_rawseti(L, told, i);
        lua_settop(L, told);
    }
    return true;
}

/* What the trades of one underlying add to its Greeks. */
static hg_outcome ideas_greeks(const hg_script *s, const hg_trade_idea *ideas, size_t count,
                               uint32_t underlying) {
    hg_outcome sum = {0};
    for (size_t i = 0; i < count; i++) {
        const hg_instrument *inst = hg_universe_get(s->env->universe, ideas[i].instrument);
        double amount = hg_size_to_double(inst, ideas[i].lots);
        hg_leg leg = hg_leg_read(s->env->market, inst, ideas[i].side == HG_BUY ? amount : -amount,
                                 hg_script_now(s));
        if (inst->underlying_id == underlying && leg.price > 0 && leg.spot > 0) {
            hg_outcome one = hg_legs_shock(&leg, 1, &(hg_shock){0});
            sum.delta += one.delta;
            sum.gamma += one.gamma;
            sum.vega += one.vega;
            sum.theta += one.theta;
        }
    }
    return sum;
}

static void l_push_greeks(lua_State *L, const hg_exposure *x, const hg_outcome *add) {
    lua_createtable(L, 0, 4);
    l_set(L, "delta", x->delta + add->delta);
    l_set(L, "gamma", x->gamma + add->gamma);
    l_set(L, "vega", x->vega + add->vega);
    l_set(L, "theta", x->theta + add->theta);
}

static void l_push_exposures(lua_State *L, const hg_script *s, const hg_trade_idea *ideas,
                             size_t count) {
    static const hg_outcome none = {0};
    lua_newtable(L);
    for (uint32_t u = 0; u < hg_universe_underlying_count(s->env->universe); u++) {
        bool touched = false;
        for (size_t i = 0; i < count; i++) {
            touched = touched ||
                      hg_universe_get(s->env->universe, ideas[i].instrument)->underlying_id == u;
        }
        if (!touched) continue;
        const hg_exposure *x = hg_portfolio_exposure(s->env->portfolio, u, hg_script_now(s));
        hg_outcome add = ideas_greeks(s, ideas, count, u);
        lua_createtable(L, 0, 2);
        l_push_greeks(L, x, &none);
        lua_setfield(L, -2, "before");
        l_push_greeks(L, x, &add);
        lua_setfield(L, -2, "after");
        lua_setfield(L, -2, hg_universe_underlying(s->env->universe, u)->name);
    }
}

/* what_if{orders={{instrument=, side=, size=, price=, post_only=}...}}: {before, after, exposure,
 * orders, cost}. */
int l_what_if(lua_State *L) {
    static const char *const options[] = {"orders", NULL};
    hg_script *s = l_api_session(L, "portfolio.what_if");
    hg_margin *margin = l_margin_of(L, s, "portfolio.what_if");
    luaL_checktype(L, 1, LUA_TTABLE);
    l_api_check_fields(L, 1, "what_if", options);
    lua_settop(L, 1);
    if (lua_getfield(L, 1, "orders") != LUA_TTABLE) luaL_error(L, "what_if: orders is missing");
    lua_Integer count = (lua_Integer)lua_rawlen(L, 2);
    if (count > ORDERS_MAX) luaL_error(L, "what_if: more than %d orders", ORDERS_MAX);
    hg_preview *p = lua_newuserdatauv(L, sizeof *p, 0);
    p->count = 0;
    if (!l_fills(L, s, p, count)) return 3;
    int orders = lua_gettop(L);
    double cost = 0;
    for (size_t i = 0; i < p->count; i++) cost += idea_cost(s, &p->ideas[i]);
    hg_margin_change change;
    if (hg_margin_what_if(margin, p->ideas, p->count, hg_script_now(s), &change) < 0) {
        return l_api_fail(L, "no_price", "%s", hg_error_text());
    }
    lua_createtable(L, 0, 5);
    l_push_total(L, &change.before);
    lua_setfield(L, -2, "before");
    l_push_total(L, &change.after);
    lua_setfield(L, -2, "after");
    l_push_exposures(L, s, p->ideas, p->count);
    lua_setfield(L, -2, "exposure");
    lua_pushvalue(L, orders);
    lua_setfield(L, -2, "orders");
    l_set(L, "cost", cost);
    return 1;
}

/* ---- scenario -------------------------------------------------------------------------------- */
/* Reads a list of numbers, or one number, or nothing (one zero); returns how many. */
static size_t l_axis(lua_State *L, const char *field, double least, double *out) {
    lua_getfield(L, 1, field);
    bool list = lua_istable(L, -1);
    if (lua_isnil(L, -1)) {
        out[0] = 0;
        lua_pop(L, 1);
        return 1;
    }
    lua_Integer count = list ? (lua_Integer)lua_rawlen(L, -1) : 1;
    if (count < 1 || count > AXIS_MAX) {
        luaL_error(L, "scenario: %s takes 1 to %d values", field, AXIS_MAX);
    }
    for (lua_Integer i = 0; i < count; i++) {
        if (list) {
            lua_rawgeti(L, -1, i + 1);
        } else {
            lua_pushvalue(L, -1);
        }
        double value = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : NAN;
        if (!(value > least && fabs(value) <= 1e6)) {
            luaL_error(L,
                       least > -INFINITY
                           ? "scenario: %s: want moves above -1, such as -0.1 for a fall by 10 %%"
                           : "scenario: %s: want numbers, such as 0.05 for five points",
                       field);
        }
        out[i] = value;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return (size_t)count;
}

typedef struct {
    double spot[AXIS_MAX], vol[AXIS_MAX];
    size_t spots, vols, cells;
    hg_shock shocks[CELLS_MAX];
    hg_outcome out[CELLS_MAX];
} grid;

static void l_push_cell(lua_State *L, const hg_shock *shock, const hg_outcome *o) {
    lua_createtable(L, 0, 7);
    l_set(L, "spot", shock->spot);
    l_set(L, "vol", shock->vol);
    l_set(L, "pnl", o->pnl_usd);
    l_set(L, "delta", o->delta);
    l_set(L, "gamma", o->gamma);
    l_set(L, "vega", o->vega);
    l_set(L, "theta", o->theta);
}

/* scenario{underlying=, spot={}, vol={}, days=}: rows by spot, in each the vols. */
int l_scenario(lua_State *L) {
    static const char *const options[] = {"underlying", "spot", "vol", "days", NULL};
    hg_script *s = l_api_session(L, "portfolio.scenario");
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    l_api_check_fields(L, 1, "scenario", options);
    lua_settop(L, 1);
    lua_getfield(L, 1, "underlying");
    uint32_t underlying = l_api_underlying(L, 2);
    lua_settop(L, 1);
    grid *g = lua_newuserdatauv(L, sizeof *g, 0);
    double days = l_api_number(L, 1, "days", 0);
    if (!(days >= 0 && days <= 1e5)) luaL_error(L, "scenario: days must be 0 to 100000");
    g->spots = l_axis(L, "spot", -1, g->spot);
    g->vols = l_axis(L, "vol", -INFINITY, g->vol);
    g->cells = g->spots * g->vols;
    if (g->cells > CELLS_MAX) luaL_error(L, "scenario: more than %d cells", CELLS_MAX);
    for (size_t c = 0; c < g->cells; c++) {
        g->shocks[c] = (hg_shock){.spot = g->spot[c / g->vols],
                                  .vol = g->vol[c % g->vols],
                                  .years = days / DAYS_PER_YEAR};
    }
    const uint32_t *ids;
    uint32_t held = hg_portfolio_held(s->env->portfolio, &ids);
    hg_leg *legs = lua_newuserdatauv(L, ((size_t)held + 1) * sizeof *legs, 0);
    uint32_t unknown = HG_ID_NONE;
    size_t count = hg_legs_read(s->env->portfolio, underlying, hg_script_now(s), legs, held,
                                &unknown);
    if (unknown != HG_ID_NONE) {
        return l_api_fail(L, "no_price", "scenario: no price of %s",
                          hg_universe_get(s->env->universe, unknown)->name);
    }
    hg_legs_grid(legs, count, g->shocks, g->cells, g->out);
    lua_createtable(L, (int)g->spots, 0);
    for (size_t i = 0; i < g->spots; i++) {
        lua_createtable(L, (int)g->vols, 0);
        for (size_t k = 0; k < g->vols; k++) {
            l_push_cell(L, &g->shocks[i * g->vols + k], &g->out[i * g->vols + k]);
            lua_rawseti(L, -2, (lua_Integer)k + 1);
        }
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}
