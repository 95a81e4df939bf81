/* What a reader needs to compute the money again: the terms of each instrument, what is held and
 * at which price it is valued, and the accounts. */
#include "app/events_int.h"
#include "base/clock.h"

#include <math.h>
#include <stdlib.h>

static void put_time(hg_line *l, const char *key, int64_t time_ns) {
    hg_json_number(&l->json, key, (double)time_ns / 1e9);
}

static void put_margin_terms(hg_line *l, const hg_margin_terms *m) {
    hg_json_open(&l->json, "margin");
    hg_json_nano(&l->json, "initial", m->initial);
    hg_json_nano(&l->json, "initial_min", m->initial_min);
    hg_json_nano(&l->json, "maintenance", m->maintenance);
    hg_json_nano(&l->json, "per_coin", m->per_coin);
    hg_json_nano(&l->json, "liquidation", m->liquidation);
    hg_json_close(&l->json);
}

/* Fee rates are those in force: zero where the session charges none. */
static void put_fees(hg_line *l, const hg_instrument *inst, bool fees) {
    hg_json_nano(&l->json, "maker", fees ? inst->maker : 0);
    hg_json_nano(&l->json, "taker", fees ? inst->taker : 0);
    hg_json_nano(&l->json, "fee_cap", inst->fee_cap);
    hg_json_nano(&l->json, "delivery", fees ? inst->delivery : 0);
}

static void tell_terms(hg_events *events, const hg_instrument *inst) {
    hg_line l;
    hg_line_open(&l, events, "instrument");
    hg_json_string(&l.json, "instrument", inst->name);
    hg_json_string(&l.json, "type", hg_kind_name(inst->kind));
    hg_json_string(&l.json, "underlying", inst->underlying);
    hg_json_bool(&l.json, "inverse", inst->inverse);
    hg_json_string(&l.json, "quote", inst->quote);
    hg_json_string(&l.json, "settle", inst->settle);
    hg_json_nano(&l.json, "tick", inst->tick);
    if (inst->tick_above > 0) {
        hg_json_nano(&l.json, "tick_above", inst->tick_above);
        hg_json_nano(&l.json, "tick_step", inst->tick_step);
    }
    hg_json_nano(&l.json, "lot", inst->lot);
    if (inst->expiry_ns > 0) {
        put_time(&l, "expiry", inst->expiry_ns);
    }
    if (inst->kind == HG_KIND_OPTION) {
        hg_json_string(&l.json, "option", inst->cp > 0 ? "call" : "put");
        hg_json_nano(&l.json, "strike", inst->strike);
    }
    put_fees(&l, inst, events->core->share_options.fees);
    put_margin_terms(&l, &inst->margin);
    hg_line_close(&l, events);
}

const hg_instrument *hg_events_instrument(hg_events *events, uint32_t id) {
    const hg_instrument *inst = hg_universe_get(events->core->universe, id);
    if (events->told && !events->told[id]) {
        events->told[id] = true;
        tell_terms(events, inst);
    }
    return inst;
}

/* What an option is valued by, beside its mark. */
static void put_option(hg_line *l, const hg_core *core, const hg_instrument *inst) {
    double iv = 0;
    if (hg_market_iv(core->market, inst->id, &iv, NULL) != HG_IV_NONE) {
        hg_json_number(&l->json, "iv", iv);
    }
    hg_json_number(&l->json, "forward", hg_market_forward(core->market, inst->expiry_id, NULL));
}

/* Signed as in `funding`; `mark` null while nothing is known. */
static void tell_position(hg_events *events, uint32_t id, const char *cause, int64_t now_ns) {
    const hg_core *core = events->core;
    const hg_instrument *inst = hg_events_instrument(events, id);
    const hg_position *pos = hg_portfolio_get(core->portfolio, id);
    double entry = hg_portfolio_entry(core->portfolio, id);
    double mark = 0;
    bool known = hg_portfolio_mark(core->portfolio, id, now_ns, &mark);
    hg_line l;
    hg_line_open_after(&l, events, now_ns, "position");
    hg_json_string(&l.json, "instrument", inst->name);
    hg_json_string(&l.json, "cause", cause);
    hg_line_size(&l, "position", inst, pos->lots);
    hg_json_number(&l.json, "entry", entry > 0 ? entry : NAN);
    hg_json_number(&l.json, "mark", known ? mark : NAN);
    hg_json_nano(&l.json, "cost", pos->cost);
    hg_json_string(&l.json, "currency", inst->settle);
    hg_line_size(&l, "pending_buy", inst, pos->pending_buy);
    hg_line_size(&l, "pending_sell", inst, pos->pending_sell);
    if (inst->kind == HG_KIND_PERPETUAL) {
        hg_json_nano(&l.json, "accrued", hg_portfolio_accrued(core->portfolio, id, now_ns));
    }
    if (inst->kind == HG_KIND_OPTION) {
        put_option(&l, core, inst);
    }
    hg_json_number(&l.json, "index", hg_market_underlying(core->market, inst->underlying_id)->spot);
    hg_line_close(&l, events);
}

void hg_events_first_mark(void *context, uint32_t id, double price, double usd) {
    hg_events *events = context;
    if (!hg_events_wanted(events)) {
        return;
    }
    const hg_instrument *inst = hg_events_instrument(events, id);
    const hg_position *pos = hg_portfolio_get(events->core->portfolio, id);
    hg_line l;
    hg_line_open(&l, events, "position");
    hg_json_string(&l.json, "instrument", inst->name);
    hg_json_string(&l.json, "cause", "first_mark");
    hg_line_size(&l, "position", inst, pos->opened);
    hg_json_number(&l.json, "mark", price);
    hg_json_nano(&l.json, "cost", pos->cost);
    hg_json_string(&l.json, "currency", inst->settle);
    hg_json_number(&l.json, "usd", usd);
    hg_line_close(&l, events);
}

static void tell_account(hg_events *events, const hg_margin_account *a, int64_t now_ns) {
    const hg_core *core = events->core;
    hg_margin_model model = hg_margin_model_of(core->margin);
    hg_line l;
    hg_line_open_after(&l, events, now_ns, "account");
    hg_json_string(&l.json, "currency", hg_universe_currency(core->universe, a->currency)->name);
    hg_json_nano(&l.json, "balance", hg_portfolio_cash(core->portfolio, a->currency));
    hg_json_number(&l.json, "upl", a->upl);
    hg_json_number(&l.json, "options_value", a->options_value);
    hg_json_number(&l.json, "equity", a->equity);
    hg_json_number(&l.json, "usd", a->usd);
    hg_json_number(&l.json, "deposited_usd",
                   hg_portfolio_deposited_usd(core->portfolio, a->currency));
    if (model != HG_MARGIN_NONE) {
        hg_json_string(&l.json, "margin", hg_margin_model_name(model));
        hg_json_bool(&l.json, "known", a->known);
        hg_json_number(&l.json, "margin_balance", a->margin_balance);
        hg_json_number(&l.json, "initial", a->initial);
        hg_json_number(&l.json, "maintenance", a->maintenance);
    }
    hg_line_close(&l, events);
}

static void tell_positions(hg_events *events, const char *cause, int64_t now_ns) {
    const hg_core *core = events->core;
    const uint32_t *ids = NULL;
    uint32_t count = hg_portfolio_held(core->portfolio, &ids);
    for (uint32_t i = 0; i < count; i++) {
        const hg_position *pos = hg_portfolio_get(core->portfolio, ids[i]);
        if (pos->lots != 0 || pos->pending_buy != 0 || pos->pending_sell != 0) {
            tell_position(events, ids[i], cause, now_ns);
        }
    }
}

void hg_events_book(hg_events *events, const char *cause, int64_t now_ns) {
    if (!hg_events_wanted(events)) {
        return;
    }
    const hg_core *core = events->core;
    tell_positions(events, cause, now_ns);
    const hg_margin_account *accounts = hg_margin_accounts(core->margin, now_ns);
    for (uint32_t c = 0; c < hg_universe_currency_count(core->universe); c++) {
        if (accounts[c].used) {
            tell_account(events, &accounts[c], now_ns);
        }
    }
}

void hg_events_opening(hg_events *events) {
    const hg_core *core = events->core;
    if (!hg_events_wanted(events)) {
        return;
    }
    events->told = calloc(hg_universe_count(core->universe) + 1, sizeof *events->told);
    hg_events_deposits(events);
    tell_positions(events, "open", core->start_ns);
}
