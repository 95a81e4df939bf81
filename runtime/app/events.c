/* Writers of the events file. Every line is built in a fixed buffer and written whole, so that a
 * reader never meets half a record. Times are event time in seconds. */
#include "app/events_int.h"
#include "app/explain_view.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int hg_events_open(hg_events *events, const char *path) {
    if (!path) {
        return HG_OK;
    }
    events->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (!events->file) {
        return HG_ERR(HG_EIO, "cannot write events file %s: %s", path, strerror(errno));
    }
    return HG_OK;
}

int hg_events_close(hg_events *events) {
    free(events->told);
    events->told = NULL;
    if (!events->file) {
        return HG_OK;
    }
    int rc = events->file == stdout ? fflush(stdout) : fclose(events->file);
    events->file = NULL;
    if (rc != 0 || events->failed) {
        return HG_ERR(HG_EIO, "the events file could not be written completely");
    }
    return HG_OK;
}

/* What only few orders have. */
static void put_conditions(hg_line *l, const hg_order *order) {
    if (order->post_only) {
        hg_json_bool(&l->json, "post_only", true);
    }
    if (order->reduce_only) {
        hg_json_bool(&l->json, "reduce_only", true);
    }
    if (order->trigger != HG_TRIGGER_NONE) {
        hg_json_string(&l->json, "trigger", hg_trigger_name((hg_trigger)order->trigger));
        hg_json_nano(&l->json, "trigger_price", order->trigger_price);
        hg_json_bool(&l->json, "triggered", order->triggered);
    }
    if (order->trail > 0) {
        hg_json_nano(&l->json, "trail", order->trail);
    }
    if (order->trail_fraction > 0) {
        hg_json_number(&l->json, "trail_percent", (double)order->trail_fraction / 1e7);
    }
    if (order->expires_ns > 0) {
        hg_json_number(&l->json, "expires", (double)order->expires_ns / 1e9);
    }
    if (order->role != HG_ROLE_NONE) {
        hg_json_string(&l->json, "role", hg_role_name((hg_role)order->role));
    }
    if (order->parent != 0) {
        hg_json_int(&l->json, "parent", (int64_t)order->parent);
    }
    if (order->oco != 0) {
        hg_json_int(&l->json, "oco", (int64_t)order->oco);
    }
    if (order->emulated) {
        hg_json_bool(&l->json, "emulated", true);
    }
}

static void on_order(void *context, const hg_order *order) {
    hg_events *events = context;
    if (events->watcher) {
        events->watcher(events->context, order);
    }
    if (!hg_events_wanted(events)) {
        return;
    }
    const hg_instrument *inst = hg_events_instrument(events, order->instrument);
    hg_line l;
    char code[20];
    snprintf(code, sizeof code, "%016llx", (unsigned long long)order->code);
    hg_line_open(&l, events, "order");
    hg_json_int(&l.json, "id", (int64_t)order->id);
    hg_json_string(&l.json, "strategy", hg_events_script(events, order->strategy));
    hg_json_string(&l.json, "code", code);
    hg_json_string(&l.json, "instrument", inst->name);
    hg_json_string(&l.json, "side", hg_side_name(order->side));
    hg_line_size(&l, "size", inst, order->size);
    hg_line_price(&l, "price", inst, order->price);
    hg_json_string(&l.json, "type", hg_order_type_name(order->type));
    hg_json_string(&l.json, "tif", hg_tif_name(order->tif));
    hg_json_string(&l.json, "state", hg_order_state_name(order->state));
    hg_line_size(&l, "filled", inst, order->filled);
    double average = hg_exec_average_price(events->core->exec, order);
    if (average > 0) {
        hg_json_number(&l.json, "average", average);
    }
    put_conditions(&l, order);
    hg_json_string(&l.json, "reason", order->reason);
    if (order->reject != HG_REJECT_NONE) {
        hg_json_string(&l.json, "reject", hg_reject_code(order->reject));
    }
    hg_json_string(&l.json, "line", order->line);
    hg_json_number(&l.json, "before", order->delta_before);
    hg_json_number(&l.json, "after", order->delta_after);
    hg_json_open(&l.json, "pending");
    hg_json_number(&l.json, "lo", order->pending_lo);
    hg_json_number(&l.json, "hi", order->pending_hi);
    hg_json_close(&l.json);
    hg_json_number(&l.json, "age_ms", order->age_ms);
    hg_line_close(&l, events);
}

static void on_fill(void *context, const hg_order *order, const hg_event *fill) {
    hg_events *events = context;
    if (!hg_events_wanted(events)) {
        return;
    }
    const hg_instrument *inst = hg_events_instrument(events, order->instrument);
    hg_line l;
    hg_line_open(&l, events, "fill");
    hg_json_int(&l.json, "id", (int64_t)order->id);
    hg_json_int(&l.json, "trade", (int64_t)fill->order.trade);
    hg_json_string(&l.json, "strategy", hg_events_script(events, order->strategy));
    hg_json_string(&l.json, "instrument", inst->name);
    hg_json_string(&l.json, "side", hg_side_name(order->side));
    hg_line_size(&l, "size", inst, fill->order.size);
    hg_line_price(&l, "price", inst, fill->order.price);
    hg_json_nano(&l.json, "fee", fill->order.fee);
    hg_json_string(&l.json, "fee_currency", inst->settle);
    hg_json_string(&l.json, "liquidity", fill->flags & HG_EVF_MAKER ? "maker" : "taker");
    if (order->mid > 0) {
        hg_json_number(&l.json, "mid", order->mid);
    } else {
        hg_json_null(&l.json, "mid");
    }
    if (fill->order.index > 0) {
        hg_json_nano(&l.json, "index", fill->order.index);
    } else {
        hg_json_null(&l.json, "index");
    }
    hg_line_close(&l, events);
}

static void on_alarm(void *context, const hg_order *order, hg_alarm alarm) {
    hg_events *events = context;
    if (!hg_events_wanted(events)) {
        return;
    }
    hg_line l;
    hg_line_open(&l, events, "alarm");
    hg_json_string(&l.json, "code", hg_alarm_code(alarm));
    hg_json_string(&l.json, "text", hg_alarm_text(alarm));
    if (order) {
        hg_json_int(&l.json, "id", (int64_t)order->id);
        hg_json_string(&l.json, "strategy", hg_events_script(events, order->strategy));
        hg_json_string(&l.json, "instrument",
                       hg_events_instrument(events, order->instrument)->name);
        hg_json_string(&l.json, "state", hg_order_state_name((hg_order_state)order->state));
    }
    hg_line_close(&l, events);
}

static void on_refusal(void *context, const hg_order_request *request, const hg_refusal *refusal) {
    hg_events *events = context;
    if (!hg_events_wanted(events)) {
        return;
    }
    bool known = request->instrument < hg_universe_count(events->core->universe);
    hg_line l;
    hg_line_open(&l, events, "refusal");
    hg_json_string(&l.json, "strategy", hg_events_script(events, request->strategy));
    hg_json_string(&l.json, "instrument",
                   known ? hg_events_instrument(events, request->instrument)->name : NULL);
    hg_json_string(&l.json, "side", hg_side_name(request->side));
    hg_json_number(&l.json, "size", request->size);
    hg_json_number(&l.json, "price", request->price);
    hg_json_string(&l.json, "code", hg_reject_code(refusal->code));
    hg_json_number(&l.json, "limit", refusal->limit);
    hg_json_number(&l.json, "value", refusal->value);
    hg_json_string(&l.json, "text", refusal->text);
    hg_json_string(&l.json, "line", request->line);
    hg_line_close(&l, events);
}

static void on_risk(void *context, const hg_risk_event *event) {
    hg_events *events = context;
    if (!hg_events_wanted(events)) {
        return;
    }
    const char *scope = event->strategy != HG_STRATEGY_ANY ? "strategy"
                        : event->underlying != HG_ID_NONE  ? "underlying"
                                                           : "session";
    hg_line l;
    hg_line_open_at(&l, event->time_ns, "risk");
    hg_json_string(&l.json, "scope", scope);
    if (event->strategy != HG_STRATEGY_ANY) {
        hg_json_string(&l.json, "strategy", hg_events_script(events, event->strategy));
    } else if (event->underlying != HG_ID_NONE) {
        hg_json_string(&l.json, "underlying",
                       hg_universe_underlying(events->core->universe, event->underlying)->name);
    }
    hg_json_string(&l.json, "from", hg_risk_state_name(event->from));
    hg_json_string(&l.json, "to", hg_risk_state_name(event->to));
    hg_json_string(&l.json, "code", hg_reject_code(event->code));
    hg_json_number(&l.json, "value", event->value);
    hg_json_number(&l.json, "limit", event->limit);
    hg_json_int(&l.json, "cancelled", event->cancelled);
    hg_json_string(&l.json, "text", event->text);
    hg_line_close(&l, events);
}

static void on_cash(void *context, uint32_t currency, hg_cash amount, hg_cash balance,
                    hg_cash_cause cause) {
    hg_events *events = context;
    if (!hg_events_wanted(events)) {
        return;
    }
    hg_line l;
    hg_line_open(&l, events, "cash");
    hg_json_string(&l.json, "currency",
                   hg_universe_currency(events->core->universe, currency)->name);
    hg_json_nano(&l.json, "amount", amount);
    hg_json_nano(&l.json, "balance", balance);
    hg_json_string(&l.json, "cause", hg_cash_cause_name(cause));
    hg_line_close(&l, events);
}

void hg_events_deposits(hg_events *events) {
    for (uint32_t i = 0; i < hg_universe_currency_count(events->core->universe); i++) {
        hg_cash balance = hg_portfolio_cash(events->core->portfolio, i);
        if (balance != 0) {
            on_cash(events, i, balance, balance, HG_CASH_DEPOSIT);
        }
    }
}

static void on_funding(void *context, uint32_t id, const hg_funding_note *note) {
    hg_events *events = context;
    if (!hg_events_wanted(events)) {
        return;
    }
    const hg_instrument *inst = hg_events_instrument(events, id);
    hg_line l;
    hg_line_open(&l, events, "funding");
    hg_json_string(&l.json, "instrument", inst->name);
    hg_line_size(&l, "position", inst, note->lots);
    hg_json_nano(&l.json, "rate", note->rate);
    hg_json_nano(&l.json, "amount", note->amount);
    hg_json_string(&l.json, "currency", inst->settle);
    hg_json_nano(&l.json, "value", note->value);
    hg_json_number(&l.json, "since", (double)note->since_ns / 1e9);
    hg_json_number(&l.json, "until", (double)note->until_ns / 1e9);
    hg_line_close(&l, events);
}

static void on_settlement(void *context, uint32_t id, hg_nano price, hg_lots lots, hg_cash amount,
                          hg_cash fee, hg_settlement_kind kind) {
    hg_events *events = context;
    if (!hg_events_wanted(events)) {
        return;
    }
    const hg_instrument *inst = hg_events_instrument(events, id);
    hg_line l;
    hg_line_open(&l, events, "settlement");
    hg_json_string(&l.json, "instrument", inst->name);
    hg_json_nano(&l.json, "price", price);
    hg_line_size(&l, "size", inst, lots);
    hg_json_nano(&l.json, "amount", amount);
    hg_json_nano(&l.json, "fee", fee);
    hg_json_string(&l.json, "currency", inst->settle);
    hg_json_string(&l.json, "type", kind == HG_SETTLE_DAILY ? "daily" : "delivery");
    hg_line_close(&l, events);
}

static void on_liquidation(void *context, const hg_liquidation_note *note) {
    hg_events *events = context;
    if (!hg_events_wanted(events)) {
        return;
    }
    hg_line l;
    hg_line_open(&l, events, "liquidation");
    hg_json_string(&l.json, "phase", hg_liquidation_phase_name(note->phase));
    hg_json_string(&l.json, "currency",
                   hg_universe_currency(events->core->universe, note->currency)->name);
    hg_json_number(&l.json, "equity", note->equity);
    hg_json_number(&l.json, "margin_balance", note->margin_balance);
    hg_json_number(&l.json, "maintenance", note->maintenance);
    if (note->phase == HG_LIQUIDATION_START) {
        hg_json_int(&l.json, "cancelled", note->cancelled);
    }
    if (note->phase == HG_LIQUIDATION_ORDER) {
        const hg_instrument *inst = hg_events_instrument(events, note->instrument);
        hg_json_int(&l.json, "id", (int64_t)note->order);
        hg_json_string(&l.json, "instrument", inst->name);
        hg_json_string(&l.json, "side", hg_side_name(note->side));
        hg_line_size(&l, "size", inst, note->lots);
    }
    hg_line_close(&l, events);
    if (note->phase == HG_LIQUIDATION_START || note->phase == HG_LIQUIDATION_END) {
        hg_events_book(events, "liquidation", events->core->now_ns);
    }
}

hg_liquidation_observer hg_events_liquidation_observer(hg_events *events) {
    return (hg_liquidation_observer){events, on_liquidation};
}

hg_exec_observer hg_events_exec_observer(hg_events *events) {
    return (hg_exec_observer){events, on_order, on_fill, on_refusal, on_alarm, on_risk};
}

hg_portfolio_observer hg_events_portfolio_observer(hg_events *events) {
    return (hg_portfolio_observer){events, on_cash, on_funding, on_settlement,
                                   hg_events_first_mark};
}

/* `strategy`: whose share of the book it is, NULL for the whole. */
static void sample(hg_events *events, hg_portfolio *book, const char *strategy, uint32_t underlying,
                   int64_t now_ns) {
    const hg_core *core = events->core;
    const hg_exposure *x = hg_portfolio_exposure(book, underlying, now_ns);
    hg_pnl pnl;
    hg_portfolio_pnl(book, now_ns, &pnl);
    hg_line l;
    hg_line_open_at(&l, now_ns, strategy ? "share" : "sample");
    if (strategy) {
        hg_json_string(&l.json, "strategy", strategy);
    }
    hg_json_string(&l.json, "underlying", hg_universe_underlying(core->universe, underlying)->name);
    hg_json_number(&l.json, "index", x->spot);
    hg_json_number(&l.json, "delta", x->delta);
    hg_json_number(&l.json, "delta_net", x->delta_net);
    hg_json_number(&l.json, "delta_cash", x->delta_cash);
    hg_json_number(&l.json, "gamma", x->gamma);
    hg_json_number(&l.json, "vega", x->vega);
    hg_json_number(&l.json, "theta", x->theta);
    hg_json_number(&l.json, "value", x->value);
    hg_json_number(&l.json, "equity", pnl.equity);
    hg_json_number(&l.json, "pnl_hedged", pnl.hedged);
    hg_json_number(&l.json, "pnl_unhedged", pnl.unhedged);
    hg_json_number(&l.json, "pending_lo", x->pending_lo);
    hg_json_number(&l.json, "pending_hi", x->pending_hi);
    hg_json_string(&l.json, "quality", hg_quality_name(x->quality));
    hg_line_close(&l, events);
}

void hg_events_sample(hg_events *events, uint32_t underlying, int64_t now_ns) {
    if (!hg_events_wanted(events)) {
        return;
    }
    const hg_core *core = events->core;
    events->sampled_ns = now_ns;
    sample(events, core->portfolio, NULL, underlying, now_ns);
    for (size_t i = 0; i < core->script_count; i++) {
        if (core->share_of[i]) {
            sample(events, core->share_of[i], hg_script_name(core->scripts[i]), underlying, now_ns);
        }
    }
}

typedef struct {
    hg_events *events;
    int64_t now_ns;
} explain_lines;

static void put_explanation(void *context, hg_explain_by by, const char *name,
                            const hg_explanation *x) {
    explain_lines *lines = context;
    hg_line l;
    hg_line_open_after(&l, lines->events, lines->now_ns, "explain");
    hg_json_string(&l.json, "by", hg_explain_by_name(by));
    hg_json_string(&l.json, "name", name);
    hg_explain_fields(&l.json, lines->events->core, x, true);
    hg_line_close(&l, lines->events);
}

void hg_events_explain(hg_events *events, int64_t now_ns, bool end) {
    if (!hg_events_wanted(events)) {
        return;
    }
    explain_lines lines = {events, now_ns};
    for (hg_explain_by by = HG_BY_SESSION; by < HG_BY_COUNT; by++) {
        if (by != HG_BY_INSTRUMENT || end) {
            hg_explain_each(events->core, by, now_ns, put_explanation, &lines);
        }
    }
}

void hg_events_strategy(hg_events *events, const hg_script *script, const char *state,
                        const char *reason) {
    if (!hg_events_wanted(events)) {
        return;
    }
    hg_line l;
    hg_line_open(&l, events, "strategy");
    hg_json_string(&l.json, "strategy", hg_script_name(script));
    hg_json_string(&l.json, "state", state);
    hg_json_string(&l.json, "reason", reason);
    hg_line_close(&l, events);
}

void hg_events_param(hg_events *events, const hg_script *script, const hg_param_view *param,
                     const char *from, const char *to) {
    if (!hg_events_wanted(events)) {
        return;
    }
    hg_line l;
    hg_line_open(&l, events, "param");
    hg_json_string(&l.json, "strategy", hg_script_name(script));
    hg_json_string(&l.json, "name", param->name);
    hg_json_string(&l.json, "from", from);
    hg_json_string(&l.json, "to", to);
    hg_json_string(&l.json, "unit", param->unit);
    hg_line_close(&l, events);
}

void hg_events_control(hg_events *events, const char *command, const char *strategy,
                       const char *text, const char *error) {
    if (!hg_events_wanted(events)) {
        return;
    }
    hg_line l;
    hg_line_open(&l, events, "control");
    hg_json_string(&l.json, "command", command);
    hg_json_string(&l.json, "strategy", strategy);
    hg_json_string(&l.json, "text", text);
    hg_json_string(&l.json, "error", error);
    hg_line_close(&l, events);
}

void hg_events_reload(hg_events *events, const hg_reload_news *news) {
    if (!hg_events_wanted(events)) {
        return;
    }
    hg_line l;
    char code[20];
    hg_line_open(&l, events, "reload");
    hg_json_string(&l.json, "strategy", news->strategy);
    snprintf(code, sizeof code, "%016llx", (unsigned long long)news->from);
    hg_json_string(&l.json, "from", code);
    snprintf(code, sizeof code, "%016llx", (unsigned long long)news->to);
    hg_json_string(&l.json, "to", news->to ? code : "");
    hg_json_string(&l.json, "step", news->step);
    hg_json_string(&l.json, "outcome", news->outcome);
    hg_json_string(&l.json, "reason", news->reason);
    hg_json_int(&l.json, "event", (int64_t)news->event);
    if (news->rehearsed) {
        hg_json_int(&l.json, "events", (int64_t)news->rehearsed->events);
        hg_json_int(&l.json, "orders", news->rehearsed->orders);
        hg_json_int(&l.json, "orders_before", news->rehearsed->orders_ran);
        hg_json_int(&l.json, "refused", news->rehearsed->refusals);
    }
    hg_line_close(&l, events);
}
