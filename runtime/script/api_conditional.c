/*
 * Orders that wait for a price or a time, and orders that belong together: their fields in
 * orders.send, order:amend and order objects. What is missing or does not fit together is misuse
 * and raises; what the market or the gate makes impossible is a refusal.
 */
#include "script/script_int.h"

#include <math.h>
#include <string.h>

const char *const hg_order_types[] = {"market",        "limit",       "stop",
                                      "stop_limit",    "take_profit", "take_profit_limit",
                                      "trailing_stop", NULL};
static const char *const triggers[] = {"last", "mark", "index", NULL};

#define PERCENT 100.0

static bool l_has(lua_State *L, int table, const char *field) {
    bool has = lua_getfield(L, table, field) != LUA_TNIL;
    lua_pop(L, 1);
    return has;
}

static hg_trigger l_trigger(lua_State *L, int table) {
    const char *name = l_api_text(L, table, "trigger", "mark");
    return (hg_trigger)(l_choice(L, "trigger", name, triggers) + 1);
}

/* At least one nanosecond, so that what was asked for is never taken for nothing asked. */
static int64_t l_nanoseconds(lua_State *L, double s, const char *field) {
    if (!(s > 0 && s <= 9e9)) luaL_error(L, "%s must be a number of seconds above zero", field);
    int64_t ns = llround(s * 1e9);
    return ns > 0 ? ns : 1;
}

/* A moment: `expires` is event time, `good_for` seconds from now. */
static int64_t l_expires(lua_State *L, int table) {
    bool at = l_has(L, table, "expires");
    bool from_now = l_has(L, table, "good_for");
    if (!at && !from_now) return 0;
    if (at && from_now) luaL_error(L, "either expires or good_for, not both");
    double s = l_api_number(L, table, at ? "expires" : "good_for", NAN);
    int64_t now = at ? 0 : hg_script_now(hg_script_of(L));
    int64_t wait = l_nanoseconds(L, s, at ? "expires" : "good_for");
    return wait > INT64_MAX - now ? INT64_MAX : now + wait;
}

static double l_positive(lua_State *L, int table, const char *field) {
    if (!l_has(L, table, field)) return 0;
    double value = l_api_number(L, table, field, NAN);
    if (!isfinite(value) || !(value > 0)) luaL_error(L, "%s must be above zero", field);
    return value;
}

static void l_trail(lua_State *L, int table, const char *what, double *trail, double *fraction) {
    *trail = l_positive(L, table, "trail");
    *fraction = l_positive(L, table, "trail_percent") / PERCENT;
    if (*trail > 0 && *fraction > 0) luaL_error(L, "%s: either trail or trail_percent", what);
    if (*fraction >= 1) luaL_error(L, "trail_percent must be below 100");
}

/* ---- brackets -------------------------------------------------------------------------------- */
static bool l_exit(lua_State *L, int bracket, bool take, hg_exit *exit) {
    static const char *const names[] = {"price", "trigger",       "trigger_price",
                                        "trail", "trail_percent", NULL};
    const char *what = take ? "take_profit" : "stop";
    int type = lua_getfield(L, bracket, what);
    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    *exit = (hg_exit){.wanted = true, .trigger = HG_TRIGGER_MARK};
    if (type == LUA_TNUMBER) { /* a resting limit order; a stop market order on the mark */
        double price = lua_tonumber(L, -1);
        if (!isfinite(price) || !(price > 0)) luaL_error(L, "%s must be above zero", what);
        exit->type = take ? HG_TYPE_LIMIT : HG_TYPE_STOP;
        *(take ? &exit->price : &exit->trigger_price) = price;
        lua_pop(L, 1);
        return true;
    }
    if (type != LUA_TTABLE) luaL_error(L, "bracket: %s must be a price or a table", what);
    int t = lua_gettop(L);
    l_api_check_fields(L, t, what, names);
    exit->trigger = l_trigger(L, t);
    exit->price = l_positive(L, t, "price");
    exit->trigger_price = l_positive(L, t, "trigger_price");
    l_trail(L, t, what, &exit->trail, &exit->trail_fraction);
    bool trails = exit->trail > 0 || exit->trail_fraction > 0;
    if (trails && (take || exit->price > 0 || exit->trigger_price > 0)) {
        luaL_error(L, "bracket: trail belongs to a stop and stands alone");
    }
    if (!trails && exit->trigger_price == 0 && !(take && exit->price > 0)) {
        luaL_error(L, "bracket: %s needs a trigger_price", what);
    }
    exit->type = trails                     ? HG_TYPE_TRAILING
                 : exit->trigger_price == 0 ? HG_TYPE_LIMIT
                 : take && exit->price > 0  ? HG_TYPE_TAKE_LIMIT
                 : take                     ? HG_TYPE_TAKE
                 : exit->price > 0          ? HG_TYPE_STOP_LIMIT
                                            : HG_TYPE_STOP;
    lua_pop(L, 1);
    return true;
}

static void l_bracket(lua_State *L, int table, hg_order_request *request, hg_bracket *bracket) {
    static const char *const names[] = {"take_profit", "stop", NULL};
    int type = lua_getfield(L, table, "bracket");
    if (type == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    if (type != LUA_TTABLE) luaL_error(L, "bracket must be a table { take_profit =, stop = }");
    int t = lua_gettop(L);
    l_api_check_fields(L, t, "bracket", names);
    *bracket = (hg_bracket){.take = {.wanted = false}};
    bool take = l_exit(L, t, true, &bracket->take);
    bool stop = l_exit(L, t, false, &bracket->stop);
    if (!take && !stop) luaL_error(L, "bracket: take_profit or stop is missing");
    request->bracket = bracket;
    lua_pop(L, 1);
}

/* ---- sending --------------------------------------------------------------------------------- */
/* After l_order_options: the type and time in force are known. */
void l_order_conditions(lua_State *L, int table, hg_order_request *request, hg_bracket *bracket) {
    const char *type = hg_order_type_name(request->type);
    bool waits = hg_order_type_triggered(request->type);
    request->trigger_price = l_positive(L, table, "trigger_price");
    l_trail(L, table, type, &request->trail, &request->trail_fraction);
    bool trails = request->trail > 0 || request->trail_fraction > 0;
    if (!waits && (request->trigger_price > 0 || l_has(L, table, "trigger"))) {
        luaL_error(L, "a %s order has no trigger (type = \"stop\", \"take_profit\", ...)", type);
    }
    if (request->type == HG_TYPE_TRAILING ? !trails || request->trigger_price > 0 : trails) {
        luaL_error(L, request->type == HG_TYPE_TRAILING
                          ? "a trailing_stop needs trail or trail_percent, and no trigger_price"
                          : "trail belongs to type = \"trailing_stop\"");
    }
    if (waits && !trails && request->trigger_price == 0) {
        luaL_error(L, "a %s order needs a trigger_price", type);
    }
    if (waits) request->trigger = l_trigger(L, table);
    request->protection = l_positive(L, table, "protection");
    if (request->protection > 0 && request->type != HG_TYPE_MARKET) {
        luaL_error(L, "protection belongs to market orders; a %s order has its price", type);
    }
    request->expires_ns = l_expires(L, table);
    if (request->expires_ns != 0 && l_has(L, table, "tif") && request->tif != HG_TIF_GTD) {
        luaL_error(L, "an order with an end in time is \"gtd\", not \"%s\"",
                   hg_tif_name(request->tif));
    }
    if (request->expires_ns != 0 && request->type == HG_TYPE_MARKET) {
        luaL_error(L, "a market order does not rest: it cannot expire");
    }
    if (request->expires_ns == 0 && request->tif == HG_TIF_GTD) {
        luaL_error(L, "tif = \"gtd\" needs expires or good_for");
    }
    if (request->expires_ns != 0) request->tif = HG_TIF_GTD;
    if (l_has(L, table, "valid_until")) {
        double until = l_api_number(L, table, "valid_until", NAN);
        request->valid_until_ns = l_nanoseconds(L, until, "valid_until");
    }
    if (l_has(L, table, "oco")) {
        lua_getfield(L, table, "oco");
        request->oco = l_order_id(L, -1);
        lua_pop(L, 1);
    }
    l_bracket(L, table, request, bracket);
}

void l_order_amendment(lua_State *L, int table, hg_amendment *a) {
    static const char *const names[] = {"price",         "size",    "trigger_price", "trail",
                                        "trail_percent", "expires", "good_for",      NULL};
    l_api_check_fields(L, table, "order:amend", names);
    *a = (hg_amendment){.price = l_api_number(L, table, "price", 0),
                        .size = l_api_number(L, table, "size", 0)};
    a->trigger_price = l_positive(L, table, "trigger_price");
    l_trail(L, table, "order:amend", &a->trail, &a->trail_fraction);
    a->expires_ns = l_expires(L, table);
}

/* ---- fields ---------------------------------------------------------------------------------- */
static void l_push_linked(lua_State *L, uint64_t id) {
    if (id) {
        l_push_order(L, id);
    } else {
        lua_pushnil(L);
    }
}

static void l_push_some(lua_State *L, const char *text) {
    lua_pushstring(L, *text ? text : NULL);
}

bool l_push_condition(lua_State *L, const hg_order *o, unsigned name) {
    switch (name) {
    case HG_N_trigger:
        l_push_some(L, hg_trigger_name((hg_trigger)o->trigger));
        return true;
    case HG_N_trigger_price:
        l_push_nano(L, o->trigger_price);
        return true;
    case HG_N_trail:
        l_push_nano(L, o->trail);
        return true;
    case HG_N_trail_percent:
        l_push_nano(L, o->trail_fraction * (int64_t)PERCENT);
        return true;
    case HG_N_triggered:
        lua_pushboolean(L, o->triggered);
        return true;
    case HG_N_emulated:
        lua_pushboolean(L, o->emulated);
        return true;
    case HG_N_expires:
        if (o->expires_ns > 0) {
            l_push_time(L, o->expires_ns);
        } else {
            lua_pushnil(L);
        }
        return true;
    case HG_N_role:
        l_push_some(L, hg_role_name((hg_role)o->role));
        return true;
    case HG_N_oco:
        l_push_linked(L, o->oco);
        return true;
    case HG_N_parent:
        l_push_linked(L, o->parent);
        return true;
    default:
        return false;
    }
}
