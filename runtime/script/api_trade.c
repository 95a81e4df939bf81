/* hedged.trade: from coins of delta to an order, rounded toward zero to whole lots. */
#include "script/script_int.h"

#include <math.h>
#include <string.h>

static const char *const fields[] = {"instrument", "delta",     "reason",      "type",  "price",
                                     "tif",        "post_only", "reduce_only", "again", NULL};

/* A delta less than this multiple of a lot short of the next one counts as the next one: 0.3 coins
 * at 0.1 a lot are three lots. */
#define LOT_SLACK 1e-9
#define DELTA_MIN 1e-6 /* an option whose delta is smaller cannot hedge anything */

/* Passive price: the touch of our own side. */
static double touch_price(const hg_script *s, uint32_t id, hg_side side) {
    const hg_market_state *m = hg_market_get(s->env->market, id);
    const hg_instrument *inst = hg_universe_get(s->env->universe, id);
    if (m->book_invalid) return 0;
    if (side == HG_BUY) return m->quote.bid_size > 0 ? hg_price_to_double(inst, m->quote.bid) : 0;
    return m->quote.ask_size > 0 ? hg_price_to_double(inst, m->quote.ask) : 0;
}

int l_trade(lua_State *L) {
    hg_script *s = l_api_running(L, "hedged.trade");
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    l_api_check_fields(L, 1, "hedged.trade", fields);
    if (lua_getfield(L, 1, "instrument") == LUA_TNIL) {
        return luaL_error(L, "hedged.trade: instrument is missing");
    }
    uint32_t id = l_api_instrument(L, 2);
    if (id == HG_ID_NONE) return l_api_no_instrument(L, 2, true);
    if (lua_getfield(L, 1, "delta") != LUA_TNUMBER) {
        return luaL_error(L, "hedged.trade: delta must be a number of coins, got %s",
                          luaL_typename(L, -1));
    }
    double delta = lua_tonumber(L, -1);
    const hg_instrument *inst = hg_universe_get(s->env->universe, id);
    double per_lot = hg_portfolio_delta_of(s->env->portfolio, id, 1, hg_script_now(s));
    if (!isfinite(per_lot) || fabs(per_lot) < DELTA_MIN * hg_nano_to_double(inst->lot)) {
        bool option = inst->kind == HG_KIND_OPTION;
        return l_api_fail(L, "no_price", "%s: %s", inst->name,
                          option ? "no delta to trade by" : "no price to size the trade by");
    }
    double lots = trunc(delta / per_lot * (1 + LOT_SLACK));
    if (lots == 0) {
        return l_api_fail(L, "below_lot", "%s: %g coins are less than one lot (%g coins)",
                          inst->name, delta, fabs(per_lot));
    }
    hg_order_request request = {.instrument = id, .side = lots > 0 ? HG_BUY : HG_SELL};
    request.size = fabs(lots) * hg_nano_to_double(inst->lot);
    if (!l_order_options(L, 1, &request)) request.price = touch_price(s, id, request.side);
    if (request.type != HG_TYPE_MARKET && request.type != HG_TYPE_LIMIT) {
        return luaL_error(L, "hedged.trade sends market and limit orders; orders.send has \"%s\"",
                          hg_order_type_name(request.type));
    }
    if (request.tif == HG_TIF_GTD) return luaL_error(L, "hedged.trade: orders.send has \"gtd\"");
    if (request.type == HG_TYPE_LIMIT && request.price == 0) {
        return l_api_fail(L, "no_price", "%s: no quote to place a limit order at", inst->name);
    }
    hg_reject code = HG_REJECT_NONE;
    int64_t wait_ns = hg_exec_backoff(s->env->exec, hg_script_now(s), &code);
    if (wait_ns > 0) {
        return l_api_fail(L, hg_reject_code(code), "%s: %s; hedged.trade asks again in %.2g s",
                          inst->name, hg_reject_text(code), (double)wait_ns / 1e9);
    }
    return l_order_submit(L, s, &request);
}
