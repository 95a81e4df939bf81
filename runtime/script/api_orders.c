/*
 * hedged.orders and order objects. An order belongs to the runtime: the object holds its id, and
 * every field is read from the execution room when it is asked for. An order the runtime has
 * forgotten (finished long ago) answers state "gone".
 */
#include "base/text.h"
#include "script/script_int.h"

#include <math.h>
#include <string.h>

#define TYPE_NAME "order"

static const char *const fields[] = {
    "id",     "state",         "instrument", "side",      "size",        "filled",  "remaining",
    "price",  "limit",         "average",    "reason",    "type",        "tif",     "time",
    "code",   "message",       "line",       "post_only", "reduce_only", "trigger", "trigger_price",
    "trail",  "trail_percent", "triggered",  "emulated",  "expires",     "role",    "oco",
    "parent", "cancel",        "amend",      "await",     NULL};

static const char *const request_fields[] = {
    "instrument", "size",     "price",         "type",  "tif",           "post_only", "reduce_only",
    "reason",     "side",     "trigger_price", "trail", "trail_percent", "trigger",   "protection",
    "expires",    "good_for", "valid_until",   "oco",   "bracket",       "again",     NULL};

uint64_t l_order_id(lua_State *L, int index) {
    const uint64_t *id = luaL_testudata(L, index, TYPE_NAME);
    if (id) return *id;
    return (uint64_t)luaL_checkinteger(L, index);
}

static const hg_order *find(const hg_script *s, uint64_t id) {
    return hg_exec_get(s->env->exec, id);
}

void l_push_order(lua_State *L, uint64_t id) {
    *(uint64_t *)lua_newuserdatauv(L, sizeof id, 0) = id;
    luaL_setmetatable(L, TYPE_NAME);
}

/* ---- sending --------------------------------------------------------------------------------- */
hg_side l_side(lua_State *L, const char *name) {
    if (name && strcmp(name, "buy") == 0) return HG_BUY;
    if (!name || strcmp(name, "sell") != 0) {
        luaL_error(L, "side must be \"buy\" or \"sell\", got %s", name ? name : "nothing");
    }
    return HG_SELL;
}

/* One of the names of a NULL-terminated list. */
int l_choice(lua_State *L, const char *field, const char *name, const char *const *names) {
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0) return i;
    }
    const char *near = hg_text_nearest(name, names);
    if (near) return luaL_error(L, "%s '%s' (did you mean '%s'?)", field, name, near);
    return luaL_error(L, "%s '%s' is not known", field, name);
}

/* Options shared by orders and hedged.trade, from the table at `table`. False: a limit order
 * without a price. */
bool l_order_options(lua_State *L, int table, hg_order_request *request) {
    static const char *const tifs[] = {"gtc", "ioc", "fok", "gtd", NULL};
    request->price = l_api_number(L, table, "price", 0);
    bool priced = lua_getfield(L, table, "price") != LUA_TNIL;
    lua_pop(L, 1);
    const char *type = l_api_text(L, table, "type", priced ? "limit" : "market");
    request->type = (hg_order_type)l_choice(L, "type", type, hg_order_types);
    bool market = hg_order_type_market(request->type);
    if (market && priced) {
        luaL_error(L, "a %s order takes no price (type = \"limit\" does)", type);
    }
    const char *tif = l_api_text(L, table, "tif", market ? "ioc" : "gtc");
    request->tif = (hg_tif)l_choice(L, "tif", tif, tifs);
    request->post_only = l_api_bool(L, table, "post_only");
    request->reduce_only = l_api_bool(L, table, "reduce_only");
    request->again = l_api_bool(L, table, "again");
    request->reason = l_api_text(L, table, "reason", NULL);
    return priced || market;
}

/* Hands the request to the gate: the order, or nil, message, code. */
int l_order_submit(lua_State *L, hg_script *s, hg_order_request *request) {
    char line[HG_LINE_MAX];
    request->strategy = s->index;
    request->code = s->hash;
    request->line = l_caller_line(L, line, sizeof line);
    hg_refusal refusal = {.code = HG_REJECT_NONE};
    uint64_t id = 0;
    int rc = hg_exec_submit(s->env->exec, request, hg_script_now(s), &id, &refusal);
    if (rc == 0) {
        l_push_order(L, id);
        return 1;
    }
    if (rc == HG_ERISK) {
        return l_api_fail(L, hg_reject_code(refusal.code), "%s", refusal.text);
    }
    return l_api_fail(L, hg_error_name(rc), "%s", hg_error_text());
}

/* Turns (instrument, size, {opts}) into one table at index 1. */
static void l_one_table(lua_State *L) {
    if (lua_istable(L, 1)) {
        lua_settop(L, 1);
        return;
    }
    luaL_checkany(L, 1);
    luaL_checknumber(L, 2);
    lua_settop(L, 3);
    lua_newtable(L);
    if (lua_istable(L, 3)) {
        for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, 4);
        }
    } else if (!lua_isnil(L, 3)) {
        luaL_argerror(L, 3, "a table of options expected");
    }
    lua_pushvalue(L, 1);
    lua_setfield(L, 4, "instrument");
    lua_pushvalue(L, 2);
    lua_setfield(L, 4, "size");
    lua_replace(L, 1);
    lua_settop(L, 1);
}

static int l_send_side(lua_State *L, const char *what, hg_side side) {
    hg_script *s = l_api_running(L, what);
    l_one_table(L);
    l_api_check_fields(L, 1, what, request_fields);
    hg_order_request request = {.side = side};
    hg_bracket bracket;
    const char *given = l_api_text(L, 1, "side", NULL);
    if (side == 0) {
        request.side = l_side(L, given);
    } else if (given && l_side(L, given) != side) {
        return luaL_error(L, "%s with side \"%s\"", what, given);
    }
    request.size = l_api_number(L, 1, "size", NAN);
    if (lua_getfield(L, 1, "size") == LUA_TNIL) return luaL_error(L, "%s: size is missing", what);
    lua_pop(L, 1);
    if (!l_order_options(L, 1, &request)) {
        return luaL_error(L, "a %s order needs a price", hg_order_type_name(request.type));
    }
    l_order_conditions(L, 1, &request, &bracket);
    if (lua_getfield(L, 1, "instrument") == LUA_TNIL) {
        return luaL_error(L, "%s: instrument is missing", what);
    }
    request.instrument = l_api_instrument(L, -1);
    if (request.instrument == HG_ID_NONE) return l_api_no_instrument(L, lua_gettop(L), true);
    return l_order_submit(L, s, &request);
}

static int l_buy(lua_State *L) {
    return l_send_side(L, "orders.buy", HG_BUY);
}

static int l_sell(lua_State *L) {
    return l_send_side(L, "orders.sell", HG_SELL);
}

static int l_send(lua_State *L) {
    return l_send_side(L, "orders.send", (hg_side)0);
}

/* ---- cancelling and looking ------------------------------------------------------------------ */
static int l_cancel(lua_State *L) {
    hg_script *s = l_api_running(L, "cancel");
    uint64_t id = l_order_id(L, 1);
    const hg_order *order = find(s, id);
    if (!order || order->strategy != s->index) {
        return l_api_fail(L, "not_found", "order %d is not an order of this strategy", (int)id);
    }
    if (hg_exec_cancel(s->env->exec, id, hg_script_now(s)) < 0) {
        return l_api_fail(L, "not_open", "order %d is %s", (int)id,
                          hg_order_state_name((hg_order_state)order->state));
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* Instrument filter of cancel_all and open: nil, a name, an object or {instrument=}. */
static uint32_t l_filter(lua_State *L, const char *what) {
    static const char *const names[] = {"instrument", NULL};
    if (lua_istable(L, 1)) {
        l_api_check_fields(L, 1, what, names);
        lua_getfield(L, 1, "instrument");
        lua_replace(L, 1);
    }
    if (lua_isnoneornil(L, 1)) return HG_ID_NONE;
    uint32_t id = l_api_instrument(L, 1);
    if (id == HG_ID_NONE) luaL_error(L, "unknown instrument '%s'", lua_tostring(L, 1));
    return id;
}

static int l_cancel_all(lua_State *L) {
    hg_script *s = l_api_running(L, "orders.cancel_all");
    uint32_t id = l_filter(L, "orders.cancel_all");
    lua_pushinteger(L, hg_exec_cancel_all(s->env->exec, s->index, id, hg_script_now(s)));
    return 1;
}

static int l_open(lua_State *L) {
    hg_script *s = l_api_session(L, "orders.open");
    uint32_t id = l_filter(L, "orders.open");
    lua_newtable(L);
    lua_Integer n = 0;
    const hg_order *o = NULL;
    while ((o = hg_exec_open_next(s->env->exec, s->index, o ? o->id : 0)) != NULL) {
        if (id != HG_ID_NONE && o->instrument != id) continue;
        l_push_order(L, o->id);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

static int l_get(lua_State *L) {
    hg_script *s = l_api_session(L, "orders.get");
    uint64_t id = l_order_id(L, 1);
    if (!find(s, id)) return l_api_fail(L, "not_found", "no order %d", (int)id);
    l_push_order(L, id);
    return 1;
}

/* order:amend{price=, size=, trigger_price=, trail=, trail_percent=, expires=} */
static int l_amend(lua_State *L) {
    hg_script *s = l_api_running(L, "order:amend");
    uint64_t id = l_order_id(L, 1);
    hg_amendment amendment;
    luaL_checktype(L, 2, LUA_TTABLE);
    l_order_amendment(L, 2, &amendment);
    const hg_order *order = find(s, id);
    if (!order || order->strategy != s->index) {
        return l_api_fail(L, "not_found", "order %d is not an order of this strategy", (int)id);
    }
    hg_refusal refusal = {.code = HG_REJECT_NONE};
    int rc = hg_exec_amend_order(s->env->exec, id, &amendment, hg_script_now(s), &refusal);
    if (rc == HG_ERISK) return l_api_fail(L, hg_reject_code(refusal.code), "%s", refusal.text);
    if (rc < 0) {
        return l_api_fail(L, rc == HG_ESTATE ? "not_open" : hg_error_name(rc), "%s",
                          hg_error_text());
    }
    lua_pushboolean(L, 1);
    return 1;
}

static int l_awaited(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    if (lua_toboolean(L, -1)) {
        return l_api_fail(L, "timeout", "order %d was not done in time", (int)l_order_id(L, 1));
    }
    lua_pushvalue(L, 1);
    return 1;
}

/* order:await(timeout): the order once it is done, or nil, message, "timeout". */
static int l_order_await(lua_State *L) {
    hg_script *s = l_api_running(L, "order:await");
    const uint64_t *id = luaL_checkudata(L, 1, TYPE_NAME);
    double timeout = luaL_optnumber(L, 2, INFINITY);
    lua_settop(L, 1);
    const hg_order *order = find(s, *id);
    if (!order || hg_order_state_done((hg_order_state)order->state)) return 1;
    return l_await(L, *id, timeout, l_awaited);
}

/* ---- fields ---------------------------------------------------------------------------------- */
static void l_push_positive(lua_State *L, double value) {
    if (value > 0) {
        lua_pushnumber(L, value);
    } else {
        lua_pushnil(L);
    }
}

static bool l_push_number(lua_State *L, const hg_script *s, const hg_order *o, unsigned name) {
    const hg_instrument *inst = hg_universe_get(s->env->universe, o->instrument);
    bool limit = !hg_order_type_market((hg_order_type)o->type);
    double average = o->filled > 0 ? hg_exec_average_price(s->env->exec, o) : 0;
    double price = limit ? hg_price_to_double(inst, o->price) : 0;
    switch (name) {
    case HG_N_size:
        lua_pushnumber(L, hg_size_to_double(inst, o->size));
        return true;
    case HG_N_filled:
        lua_pushnumber(L, hg_size_to_double(inst, o->filled));
        return true;
    case HG_N_remaining:
        lua_pushnumber(L, hg_size_to_double(inst, hg_order_remaining(o)));
        return true;
    case HG_N_price:
        l_push_positive(L, o->filled > 0 ? average : price);
        return true;
    case HG_N_limit:
        l_push_positive(L, price);
        return true;
    case HG_N_average:
        l_push_positive(L, average);
        return true;
    case HG_N_time:
        l_push_time(L, o->created_ns);
        return true;
    default:
        return false;
    }
}

static bool l_push_word(lua_State *L, const hg_script *s, const hg_order *o, unsigned name) {
    const char *text = NULL;
    switch (name) {
    case HG_N_state:
        text = hg_order_state_name((hg_order_state)o->state);
        break;
    case HG_N_instrument:
        text = hg_universe_get(s->env->universe, o->instrument)->name;
        break;
    case HG_N_side:
        text = hg_side_name((hg_side)o->side);
        break;
    case HG_N_reason:
        text = o->reason;
        break;
    case HG_N_type:
        text = hg_order_type_name((hg_order_type)o->type);
        break;
    case HG_N_tif:
        text = hg_tif_name((hg_tif)o->tif);
        break;
    case HG_N_line:
        text = o->line;
        break;
    case HG_N_code:
        text = hg_reject_code((hg_reject)o->reject);
        break;
    case HG_N_message:
        text = hg_reject_text((hg_reject)o->reject);
        break;
    case HG_N_post_only:
        lua_pushboolean(L, o->post_only);
        return true;
    case HG_N_reduce_only:
        lua_pushboolean(L, o->reduce_only);
        return true;
    default:
        return false;
    }
    lua_pushstring(L, text);
    return true;
}

/* upvalue 1: the methods */
static int l_index(lua_State *L) {
    hg_script *s = hg_script_of(L);
    uint64_t id = *(const uint64_t *)lua_touserdata(L, 1);
    unsigned name = hg_name_of(L, &s->names, 2);
    if (name == HG_N_id) {
        lua_pushinteger(L, (lua_Integer)id);
        return 1;
    }
    const hg_order *o = find(s, id);
    if (o && name &&
        (l_push_number(L, s, o, name) || l_push_word(L, s, o, name) ||
         l_push_condition(L, o, name))) {
        return 1;
    }
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    for (size_t i = 0; !o && name && fields[i]; i++) {
        if (strcmp(fields[i], lua_tostring(L, 2)) != 0) continue;
        lua_pushstring(L, name == HG_N_state ? "gone" : NULL);
        return 1;
    }
    l_api_unknown(L, TYPE_NAME, 2, fields);
}

static int l_equal(lua_State *L) {
    const uint64_t *a = luaL_testudata(L, 1, TYPE_NAME);
    const uint64_t *b = luaL_testudata(L, 2, TYPE_NAME);
    lua_pushboolean(L, a && b && *a == *b);
    return 1;
}

static int l_tostring(lua_State *L) {
    hg_script *s = hg_script_of(L);
    uint64_t id = *(const uint64_t *)lua_touserdata(L, 1);
    const hg_order *o = find(s, id);
    lua_pushfstring(L, "order %I %s", (LUAI_UACINT)id,
                    o ? hg_order_state_name((hg_order_state)o->state) : "gone");
    return 1;
}

void l_type_order(lua_State *L) {
    static const luaL_Reg meta[] = {
        {"__tostring", l_tostring},
        {"__eq",       l_equal   },
        {NULL,         NULL      },
    };
    static const luaL_Reg methods[] = {
        {"cancel", l_cancel     },
        {"amend",  l_amend      },
        {"await",  l_order_await},
        {NULL,     NULL         },
    };
    l_api_metatable(L, TYPE_NAME, meta);
    luaL_newlib(L, methods);
    lua_pushcclosure(L, l_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

int l_open_orders(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"buy",        l_buy       },
        {"sell",       l_sell      },
        {"send",       l_send      },
        {"cancel",     l_cancel    },
        {"cancel_all", l_cancel_all},
        {"plan",       l_plan      },
        {"open",       l_open      },
        {"get",        l_get       },
        {NULL,         NULL        },
    };
    l_api_module(L, functions);
    l_api_read_only(L, "hedged.orders");
    return 1;
}
