/* What the control socket shows of a session. Numbers are in the units of the Lua API; what is not
 * known is null. Lists are bounded; what was left out is counted in `more`. */
#include "app/control.h"
#include "app/risk_view.h"
#include "app/version.h"
#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROWS_MAX 1000

static void put_time(hg_json *out, const char *key, int64_t time_ns) {
    char text[40];
    hg_json_string(out, key, hg_time_format(time_ns, text, sizeof text));
}

/* ---- status ---------------------------------------------------------------------------------- */
static void put_reload(hg_json *out, const hg_reload *reload, size_t k) {
    hg_reload_status status;
    if (!reload || !hg_reload_status_get(reload, k, &status)) {
        return;
    }
    hg_json_open(out, "reload");
    hg_json_string(out, "phase", status.phase);
    hg_json_int(out, "reloads", (int64_t)status.reloads);
    hg_json_int(out, "refused", (int64_t)status.refused);
    hg_json_int(out, "rolled_back", (int64_t)status.rolled_back);
    hg_json_string(out, "last", status.last);
    hg_json_close(out);
}

static void put_strategy(hg_json *out, const hg_script *script, const hg_reload *reload,
                         size_t number) {
    char code[20];
    hg_script_stats stats;
    hg_script_stats_get(script, &stats);
    snprintf(code, sizeof code, "%016llx", (unsigned long long)hg_script_hash(script));
    hg_json_open(out, NULL);
    hg_json_int(out, "number", (int64_t)number);
    hg_json_string(out, "name", hg_script_name(script));
    hg_json_string(out, "state", hg_script_state_name(hg_script_status(script)));
    hg_json_string(out, "code", code);
    hg_json_string(out, "underlying", hg_script_underlying(script));
    hg_json_int(out, "callbacks", (int64_t)stats.callbacks);
    hg_json_int(out, "errors", (int64_t)stats.errors);
    hg_json_int(out, "memory", (int64_t)stats.memory);
    hg_json_int(out, "memory_peak", (int64_t)stats.memory_peak);
    put_reload(out, reload, number - 1);
    hg_json_open_array(out, "faults");
    const char *text = NULL;
    uint64_t count = 0;
    for (size_t k = 0; hg_script_fault(script, k, &text, &count); k++) {
        hg_json_open(out, NULL);
        hg_json_string(out, "error", text);
        hg_json_int(out, "count", (int64_t)count);
        hg_json_close(out);
    }
    hg_json_close_array(out);
    hg_json_close(out);
}

static void put_orders_summary(hg_json *out, const hg_core *core) {
    const hg_exec_stats *stats = hg_exec_stats_get(core->exec);
    int64_t open = 0;
    const hg_order *o = NULL;
    while ((o = hg_exec_open_next(core->exec, HG_STRATEGY_ANY, o ? o->id : 0)) != NULL) {
        open++;
    }
    hg_json_open(out, "orders");
    hg_json_int(out, "open", open);
    hg_json_int(out, "sent", (int64_t)stats->orders);
    hg_json_int(out, "fills", (int64_t)stats->fills);
    hg_json_int(out, "refused", (int64_t)stats->refused);
    hg_json_int(out, "rejected", (int64_t)stats->rejected);
    hg_json_int(out, "cancelled", (int64_t)stats->cancelled);
    hg_json_int(out, "emulated", (int64_t)stats->emulated);
    hg_json_close(out);
}

/* Whether anything of this underlying is held, or a strategy speaks of it. */
static bool is_of_interest(const hg_core *core, uint32_t underlying) {
    const uint32_t *ids = NULL;
    uint32_t count = hg_portfolio_held(core->portfolio, &ids);
    for (uint32_t i = 0; i < count; i++) {
        if (hg_universe_get(core->universe, ids[i])->underlying_id == underlying) {
            return true;
        }
    }
    const char *name = hg_universe_underlying(core->universe, underlying)->name;
    for (size_t i = 0; i < core->script_count; i++) {
        if (strcmp(hg_script_underlying(core->scripts[i]), name) == 0) {
            return true;
        }
    }
    return false;
}

static void put_exposure(hg_json *out, const hg_core *core, uint32_t underlying) {
    const hg_exposure *x = hg_portfolio_exposure(core->portfolio, underlying, core->now_ns);
    hg_json_open(out, NULL);
    hg_json_string(out, "underlying", hg_universe_underlying(core->universe, underlying)->name);
    hg_json_number(out, "spot", x->spot);
    hg_json_number(out, "delta", x->delta);
    hg_json_number(out, "delta_net", x->delta_net);
    hg_json_number(out, "delta_usd", x->delta_usd);
    hg_json_number(out, "delta_cash", x->delta_cash);
    hg_json_number(out, "gamma", x->gamma);
    hg_json_number(out, "vega", x->vega);
    hg_json_number(out, "theta", x->theta);
    hg_json_number(out, "rho", x->rho);
    hg_json_number(out, "vanna", x->vanna);
    hg_json_number(out, "volga", x->volga);
    hg_json_number(out, "charm", x->charm);
    hg_json_number(out, "notional", x->notional);
    hg_json_number(out, "value", x->value);
    hg_json_open(out, "pending");
    hg_json_number(out, "lo", x->pending_lo);
    hg_json_number(out, "hi", x->pending_hi);
    hg_json_close(out);
    hg_json_number(out, "age", x->age_s);
    hg_json_string(out, "quality", hg_quality_name(x->quality));
    hg_json_string(out, "reasons", x->reasons);
    hg_json_close(out);
}

static void put_exposures(hg_json *out, const hg_core *core) {
    hg_json_open_array(out, "exposure");
    for (uint32_t u = 0; u < hg_universe_underlying_count(core->universe); u++) {
        if (is_of_interest(core, u)) {
            put_exposure(out, core, u);
        }
    }
    hg_json_close_array(out);
}

static void put_pnl(hg_json *out, const hg_core *core) {
    hg_pnl pnl;
    hg_portfolio_pnl(core->portfolio, core->now_ns, &pnl);
    hg_json_open(out, "pnl");
    hg_json_number(out, "hedged", pnl.hedged);
    hg_json_number(out, "unhedged", pnl.unhedged);
    hg_json_number(out, "equity", pnl.equity);
    hg_json_number(out, "realised", pnl.realised);
    hg_json_number(out, "unrealised", pnl.unrealised);
    hg_json_number(out, "fees", pnl.fees);
    hg_json_number(out, "funding", pnl.funding);
    hg_json_bool(out, "known", pnl.known);
    hg_json_close(out);
}

/* The state of the session is that of its strategies, the worst one counting. */
static const char *session_state(const hg_core *core) {
    const char *state = "running";
    for (size_t i = 0; i < core->script_count; i++) {
        hg_script_state of = hg_script_status(core->scripts[i]);
        if (of == HG_SCRIPT_FAILED) {
            return "parked";
        }
        if (of == HG_SCRIPT_PAUSED) {
            state = "paused";
        }
    }
    return state;
}

int hg_view_status(hg_session *s, const hg_request *request, hg_json *out) {
    (void)request;
    static const char *const modes[] = {"demo", "paper", "backtest"};
    const hg_core *core = &s->core;
    const hg_session_options *o = &s->options;
    hg_json_int(out, "v", 1);
    hg_json_string(out, "name", s->name);
    hg_json_int(out, "pid", getpid());
    hg_json_string(out, "version", HG_VERSION);
    hg_json_string(out, "mode", modes[o->mode]);
    hg_json_string(out, "state", session_state(core));
    hg_risk_view_status(core, out);
    hg_json_string(out, "feed", o->feed);
    if (strcmp(o->feed, "sim") == 0) {
        hg_json_string(out, "scenario", o->scenario);
    }
    hg_json_int(out, "seed", (int64_t)o->seed);
    hg_json_number(out, "speed", o->speed); /* 0 = as fast as possible */
    put_time(out, "event_time", core->now_ns);
    hg_json_number(out, "event_seconds", (double)(core->now_ns - core->start_ns) / 1e9);
    hg_json_number(out, "uptime", (double)(hg_clock_monotonic_ns() - s->wall_start_ns) / 1e9);
    hg_json_int(out, "events", (int64_t)core->events);
    hg_json_open_array(out, "strategies");
    for (size_t i = 0; i < core->script_count; i++) {
        put_strategy(out, core->scripts[i], s->reload, i + 1);
    }
    hg_json_close_array(out);
    put_exposures(out, core);
    put_pnl(out, core);
    put_orders_summary(out, core);
    return HG_OK;
}

int hg_view_exposure(hg_session *s, const hg_request *request, hg_json *out) {
    const hg_core *core = &s->core;
    put_time(out, "time", core->now_ns);
    if (request->arg_count == 0) {
        put_exposures(out, core);
        return HG_OK;
    }
    hg_json_open_array(out, "exposure");
    for (size_t i = 0; i < request->arg_count; i++) {
        uint32_t u = hg_universe_find_underlying(core->universe, request->args[i]);
        if (u == HG_ID_NONE) {
            return HG_ERR(HG_EUSAGE, "no underlying '%s' in this session", request->args[i]);
        }
        put_exposure(out, core, u);
    }
    hg_json_close_array(out);
    return HG_OK;
}

/* ---- params ---------------------------------------------------------------------------------- */
static void put_choices(hg_json *out, const char *choices) {
    hg_json_open_array(out, "choices");
    while (*choices) {
        char word[64];
        size_t len = strcspn(choices, "\n");
        snprintf(word, sizeof word, "%.*s", (int)len, choices);
        hg_json_string(out, NULL, word);
        choices += len + (choices[len] == '\n');
    }
    hg_json_close_array(out);
}

static void put_param(hg_json *out, const hg_script *script, const hg_param_view *p) {
    hg_json_open(out, NULL);
    hg_json_string(out, "strategy", hg_script_name(script));
    hg_json_string(out, "name", p->name);
    hg_json_string(out, "type", p->type);
    if (strcmp(p->type, "text") == 0) {
        hg_json_string(out, "value", p->text);
        if (*p->choices) {
            put_choices(out, p->choices);
        }
    } else if (strcmp(p->type, "bool") == 0) {
        hg_json_bool(out, "value", p->value != 0);
    } else {
        hg_json_number(out, "value", p->value);
        hg_json_number(out, "min", p->min);
        hg_json_number(out, "max", p->max);
    }
    hg_json_string(out, "unit", p->unit);
    hg_json_close(out);
}

int hg_view_params(hg_session *s, const hg_request *request, hg_json *out) {
    uint16_t only = HG_STRATEGY_ANY;
    int rc = hg_request_script(s, request, true, &only);
    if (rc < 0) {
        return rc;
    }
    hg_json_open_array(out, "params");
    for (size_t i = 0; i < s->core.script_count; i++) {
        hg_param_view p;
        bool wanted = only == HG_STRATEGY_ANY || only == i;
        for (size_t k = 0; wanted && hg_script_param_view(s->core.scripts[i], k, &p); k++) {
            put_param(out, s->core.scripts[i], &p);
        }
    }
    hg_json_close_array(out);
    return HG_OK;
}

/* ---- positions and orders -------------------------------------------------------------------- */
static void put_position(hg_json *out, const hg_core *core, const hg_instrument *inst,
                         const hg_position *p) {
    double mark = hg_market_mark(core->market, inst->id, core->now_ns);
    double entry = hg_portfolio_entry(core->portfolio, inst->id);
    hg_json_open(out, NULL);
    hg_json_string(out, "instrument", inst->name);
    hg_json_string(out, "underlying", inst->underlying);
    hg_json_string(out, "kind", hg_kind_name(inst->kind));
    hg_json_nano(out, "size", p->lots * inst->lot);
    hg_json_number(out, "entry", entry > 0 ? entry : (double)NAN);
    hg_json_number(out, "mark", mark > 0 ? mark : (double)NAN);
    hg_json_number(out, "delta",
                   hg_portfolio_delta_of(core->portfolio, inst->id, p->lots, core->now_ns));
    hg_json_nano(out, "realised", p->realised);
    hg_json_nano(out, "fees", p->fees);
    hg_json_nano(out, "funding", p->funding);
    hg_json_string(out, "currency", inst->settle);
    hg_json_nano(out, "pending_buy", p->pending_buy * inst->lot);
    hg_json_nano(out, "pending_sell", p->pending_sell * inst->lot);
    hg_json_close(out);
}

static bool is_wanted(const hg_request *request, const hg_instrument *inst) {
    for (size_t i = 0; i < request->arg_count; i++) {
        if (strcmp(request->args[i], inst->name) == 0 ||
            strcmp(request->args[i], inst->underlying) == 0) {
            return true;
        }
    }
    return request->arg_count == 0;
}

int hg_view_positions(hg_session *s, const hg_request *request, hg_json *out) {
    const hg_core *core = &s->core;
    const uint32_t *ids = NULL;
    uint32_t count = hg_portfolio_held(core->portfolio, &ids);
    int64_t shown = 0;
    int64_t more = 0;
    put_time(out, "time", core->now_ns);
    hg_json_open_array(out, "positions");
    for (uint32_t i = 0; i < count; i++) {
        const hg_instrument *inst = hg_universe_get(core->universe, ids[i]);
        const hg_position *p = hg_portfolio_get(core->portfolio, ids[i]);
        bool empty = p->lots == 0 && p->pending_buy == 0 && p->pending_sell == 0;
        if (empty || !is_wanted(request, inst)) {
            continue;
        }
        if (shown < ROWS_MAX) {
            put_position(out, core, inst, p);
            shown++;
        } else {
            more++;
        }
    }
    hg_json_close_array(out);
    hg_json_int(out, "more", more);
    put_pnl(out, core);
    return HG_OK;
}

static void put_order(hg_json *out, const hg_core *core, const hg_order *o) {
    const hg_instrument *inst = hg_universe_get(core->universe, o->instrument);
    bool known = o->strategy < core->script_count;
    hg_json_open(out, NULL);
    hg_json_int(out, "id", (int64_t)o->id);
    hg_json_string(out, "strategy", known ? hg_script_name(core->scripts[o->strategy]) : "");
    hg_json_string(out, "instrument", inst->name);
    hg_json_string(out, "side", hg_side_name((hg_side)o->side));
    hg_json_nano(out, "size", o->size * inst->lot);
    hg_json_nano(out, "filled", o->filled * inst->lot);
    hg_json_nano(out, "price", o->price * inst->tick);
    hg_json_string(out, "type", hg_order_type_name((hg_order_type)o->type));
    hg_json_string(out, "state", hg_order_state_name((hg_order_state)o->state));
    hg_json_bool(out, "cancel_pending", o->cancel_pending);
    hg_json_bool(out, "emulated", o->emulated);
    hg_json_number(out, "age", (double)(core->now_ns - o->created_ns) / 1e9);
    hg_json_string(out, "reason", o->reason);
    hg_json_string(out, "line", o->line);
    hg_json_close(out);
}

int hg_view_orders(hg_session *s, const hg_request *request, hg_json *out) {
    const hg_core *core = &s->core;
    uint16_t only = HG_STRATEGY_ANY;
    int rc = hg_request_script(s, request, true, &only);
    if (rc < 0) {
        return rc;
    }
    int64_t shown = 0;
    int64_t more = 0;
    put_time(out, "time", core->now_ns);
    hg_json_open_array(out, "orders");
    const hg_order *o = NULL;
    while ((o = hg_exec_open_next(core->exec, only, o ? o->id : 0)) != NULL) {
        if (!is_wanted(request, hg_universe_get(core->universe, o->instrument))) {
            continue;
        }
        if (shown < ROWS_MAX) {
            put_order(out, core, o);
            shown++;
        } else {
            more++;
        }
    }
    hg_json_close_array(out);
    hg_json_int(out, "more", more);
    return HG_OK;
}
