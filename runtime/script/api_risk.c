/* hedged.risk: the usual limits as fields, and hedged.risk() for all of them and what is used now.
 * A view: nothing here can change a limit or a state. */
#include "script/script_int.h"

#include <math.h>
#include <string.h>

static void l_field(lua_State *L, const char *name, double value) {
    if (isfinite(value)) {
        lua_pushnumber(L, value);
        lua_setfield(L, -2, name);
    }
}

static void l_text(lua_State *L, const char *name, const char *value) {
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

/* { value =, limit =, headroom = }; value and headroom are absent while unknown. */
static void l_use(lua_State *L, const char *name, double value, double limit) {
    lua_createtable(L, 0, 3);
    l_field(L, "value", value);
    l_field(L, "limit", limit);
    l_field(L, "headroom", limit - value);
    lua_setfield(L, -2, name);
}

static void l_underlying(lua_State *L, const hg_script *s, uint32_t u) {
    const hg_limits *l = hg_exec_limits_of_underlying(s->env->exec, u);
    int64_t now_ns = hg_script_now(s);
    int64_t thaw_ns = 0;
    hg_risk_use use;
    hg_risk_use_underlying(s->env->exec, u, now_ns, &use);
    double unknown = use.known ? 0 : NAN;
    lua_createtable(L, 0, 9);
    l_text(L, "state", hg_risk_state_name(hg_risk_underlying(s->env->exec, u, now_ns, &thaw_ns)));
    if (thaw_ns > 0 && thaw_ns < INT64_MAX) {
        l_push_time(L, thaw_ns);
        lua_setfield(L, -2, "thaws");
    }
    l_use(L, "delta_coins", use.delta + unknown, l->delta_coins);
    l_use(L, "gamma_usd_per_percent", use.gamma + unknown, l->gamma_usd_per_percent);
    l_use(L, "vega_usd_per_point", use.vega + unknown, l->vega_usd_per_point);
    l_use(L, "theta_usd_per_day", use.theta + unknown, l->theta_usd_per_day);
    l_use(L, "burst_delta_coins", use.burst_delta, l->burst_delta_coins);
    l_use(L, "burst_vega_usd_per_point", use.burst_vega, l->burst_vega_usd_per_point);
}

static void l_totals(lua_State *L, const hg_script *s) {
    const hg_limits *l = hg_exec_limits(s->env->exec);
    const hg_limits *own = hg_exec_limits_of_strategy(s->env->exec, s->index);
    hg_risk_totals t;
    hg_risk_use_session(s->env->exec, s->index, hg_script_now(s), &t);
    lua_createtable(L, 0, 8);
    l_use(L, "open_notional_usd", t.open_notional, l->open_notional_usd);
    l_use(L, "gross_notional_usd", t.gross_notional, l->gross_notional_usd);
    l_use(L, "total_open_orders", t.open_orders, l->total_open_orders);
    l_use(L, "strategy_open_orders", t.strategy_open_orders, own->strategy_open_orders);
    l_use(L, "loss_reduce_usd", t.loss, l->loss_reduce_usd);
    l_use(L, "loss_halt_usd", t.loss, l->loss_halt_usd);
    l_use(L, "drawdown_reduce_usd", t.drawdown, l->drawdown_reduce_usd);
    l_use(L, "drawdown_halt_usd", t.drawdown, l->drawdown_halt_usd);
}

static void l_limits(lua_State *L, const hg_limits *session, const hg_limits *strategy) {
    lua_createtable(L, 0, (int)hg_limit_count);
    for (uint32_t i = 0; i < hg_limit_count; i++) {
        bool own = hg_limit_rows[i].scope == HG_SCOPE_STRATEGY;
        l_field(L, hg_limit_rows[i].name, hg_limit_get(own ? strategy : session, i));
    }
}

static int l_risk(lua_State *L) {
    const hg_script *s = l_api_session(L, "hedged.risk");
    hg_exec *exec = s->env->exec;
    const char *why = "";
    lua_createtable(L, 0, 7);
    l_text(L, "state", hg_risk_state_name(hg_risk_session(exec, &why)));
    l_text(L, "why", why);
    l_text(L, "strategy_state", hg_risk_state_name(hg_risk_strategy(exec, s->index, &why)));
    l_text(L, "strategy_why", why);
    l_limits(L, hg_exec_limits(exec), hg_exec_limits_of_strategy(exec, s->index));
    lua_setfield(L, -2, "limits");
    l_totals(L, s);
    lua_setfield(L, -2, "session");
    lua_newtable(L);
    for (uint32_t u = 0; u < hg_universe_underlying_count(s->env->universe); u++) {
        l_underlying(L, s, u);
        lua_setfield(L, -2, hg_universe_underlying(s->env->universe, u)->name);
    }
    lua_setfield(L, -2, "underlyings");
    return 1;
}

void l_add_risk(lua_State *L) {
    const hg_script *s = hg_script_of(L);
    hg_limits limits;
    hg_limits_default(&limits);
    if (s->env && s->env->exec) limits = *hg_exec_limits(s->env->exec);
    lua_createtable(L, 0, 6);
    l_field(L, "price_collar", limits.price_collar);
    l_field(L, "order_value_usd", limits.order_value_usd);
    l_field(L, "position_delta", limits.position_delta);
    l_field(L, "quote_max_age", (double)limits.quote_max_age_ns / 1e9);
    l_field(L, "orders_per_second", limits.orders_per_second);
    l_field(L, "open_orders", limits.open_orders);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_risk);
    lua_setfield(L, -2, "__call");
    lua_setmetatable(L, -2);
    l_api_read_only(L, "hedged.risk");
    lua_setfield(L, -2, "risk");
}
