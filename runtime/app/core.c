/* core_apply: every input is an event, and this is the only place where events meet the state.
 *
 * Order inside one event: the market learns it, the portfolio books what it moves (funding,
 * delivery), the venue may match resting orders against it, and only then do scripts look. Answers
 * of the venue and timers are events too; they enter through the same door. */
#include "app/command.h"

#include "base/assert.h"
#include "base/clock.h"

/* A book that cannot be marked completely still gets ticks after this much event time. */
#define READY_TIMEOUT_NS (10 * HG_NS_PER_S)

/* The venue judges an order when it arrives there. */
static bool admits(void *context, uint64_t order, uint32_t instrument, hg_side side, hg_ticks price,
                   hg_lots lots, int64_t now_ns) {
    hg_core *core = context;
    return hg_liquidation_admits(core->liquidation, order, instrument, side, price, lots, now_ns);
}

/* The gate judges by the accounts the venue decides by: nobody else asks them, so no question of a
 * script or an operator changes what passes. A rehearsal has one set for everything. */
static bool project(void *context, uint32_t instrument, hg_side side, hg_lots lots, double price,
                    int64_t now_ns, hg_margin_use *use) {
    const hg_core *core = context;
    hg_margin *margin = core->venue_margin ? core->venue_margin : core->margin;
    return hg_margin_project(margin, instrument, side, lots, price, now_ns, use);
}

void hg_core_judge_margin(hg_core *core) {
    if (hg_margin_model_of(core->margin) != HG_MARGIN_NONE) {
        hg_exec_margin(core->exec, &(hg_margin_hook){core, project});
    }
}

/* The owner of the account hears of it, then the observer. */
static void on_liquidation(void *context, const hg_liquidation_note *note) {
    hg_core *core = context;
    if (core->liquidation_observer.note) {
        core->liquidation_observer.note(core->liquidation_observer.context, note);
    }
    for (size_t i = 0; i < core->script_count; i++) {
        hg_script_liquidation(core->scripts[i], note, core->now_ns);
    }
}

static int margin_open(hg_core *core, const hg_core_options *o) {
    core->fees = o->paper.fees;
    core->liquidation_observer = o->liquidation_observer;
    core->margin = hg_margin_new(core->portfolio, o->margin);
    bool open = core->margin != NULL;
    if (open && o->margin != HG_MARGIN_NONE) {
        hg_liquidation_observer observer = {core, on_liquidation};
        core->venue_margin = hg_margin_new(core->portfolio, o->margin);
        core->liquidation = core->venue_margin
                                ? hg_liquidation_new(core->exec, core->venue_margin, &observer)
                                : NULL;
        open = core->liquidation != NULL;
    }
    if (!open) {
        return HG_ERR(HG_ENOMEM, "margin");
    }
    hg_core_judge_margin(core);
    return HG_OK;
}

int hg_core_open(hg_core *core, const hg_core_options *o, const hg_book *book, int64_t start_ns) {
    hg_market_options market = {.depth_books = o->depth_books};
    core->market = hg_market_new(core->universe, &market);
    if (!core->market) {
        return HG_ERR(HG_ENOMEM, "market of %u instruments", hg_universe_count(core->universe));
    }
    hg_portfolio_options portfolio = {.fees = o->paper.fees,
                                      .max_age_ns = o->limits.greeks_max_age_ns,
                                      .observer = o->portfolio_observer};
    core->share_options = portfolio;
    core->share_options.observer = (hg_portfolio_observer){0};
    core->portfolio = hg_portfolio_new(core->market, &portfolio);
    if (!core->portfolio) {
        return HG_ERR(HG_ENOMEM, "portfolio");
    }
    core->scenario = hg_paper_has_scenario(&o->paper);
    hg_paper_options paper = o->paper;
    if (o->margin != HG_MARGIN_NONE) {
        paper.margin = (hg_paper_margin){core, admits};
    }
    int rc = hg_late_data_open(&core->late, core->universe, &market, &paper);
    if (rc == HG_OK) {
        const hg_market *seen = core->late.market ? core->late.market : core->market;
        rc = hg_paper_open(seen, &paper, &core->venue);
    }
    if (rc < 0) {
        return rc;
    }
    hg_exec_options exec = {.limits = o->limits, .observer = o->exec_observer};
    core->exec = hg_exec_new(core->market, core->portfolio, core->venue, &exec);
    if (!core->exec) {
        return HG_ERR(HG_ENOMEM, "order pool");
    }
    rc = margin_open(core, o);
    for (size_t i = 0; i < book->count && rc == HG_OK; i++) {
        const hg_book_row *row = &book->rows[i];
        rc = hg_portfolio_open(core->portfolio, row->instrument, row->lots, row->entry);
        hg_paper_hold(core->venue, row->instrument,
                      hg_portfolio_get(core->portfolio, row->instrument)->lots);
    }
    for (size_t i = 0; i < o->deposit_count && rc == HG_OK; i++) {
        rc = hg_portfolio_deposit(core->portfolio, o->deposits[i].currency, o->deposits[i].amount);
    }
    core->ready = book->count == 0;
    core->start_ns = start_ns;
    core->now_ns = start_ns;
    core->delivery_ns = start_ns;
    return rc;
}

int hg_core_share(hg_core *core, uint16_t script, hg_portfolio **out) {
    hg_assert(script < HG_SCRIPTS_MAX && core->share_count < HG_SCRIPTS_MAX);
    hg_assert(!core->share_of[script]);
    hg_portfolio *share = hg_portfolio_new(core->market, &core->share_options);
    if (!share) {
        return HG_ERR(HG_ENOMEM, "portfolio of a share");
    }
    core->shares[core->share_count++] = share;
    core->share_of[script] = share;
    *out = share;
    return hg_exec_share(core->exec, script, share);
}

int hg_core_share_with(hg_core *core, uint16_t script, uint16_t other) {
    core->share_of[script] = core->share_of[other];
    return core->share_of[script] ? hg_exec_share(core->exec, script, core->share_of[script])
                                  : HG_OK;
}

static void check_ready(hg_core *core) {
    hg_pnl pnl;
    hg_portfolio_pnl(core->portfolio, core->now_ns, &pnl);
    core->ready = pnl.known || core->now_ns - core->start_ns > READY_TIMEOUT_NS;
    if (core->ready && !pnl.known) {
        hg_log(HG_LOG_WARN, "some positions of the book have no price yet; exposure is partial");
    }
}

static void apply_market(hg_core *core, const hg_event *event) {
    core->market_events++;
    if (!hg_market_apply(core->market, event)) {
        return;
    }
    hg_portfolio_observe(core->portfolio, event);
    for (size_t i = 0; i < core->share_count; i++) {
        hg_portfolio_observe(core->shares[i], event);
    }
    hg_exec_observe(core->exec, event);
    if (!core->late.market) {
        core->venue->ops->observe(core->venue, event);
    }
    if (!core->ready && !(event->flags & HG_EVF_MORE)) {
        check_ready(core);
    }
}

static int64_t timers_due(const hg_core *core) {
    int64_t due = INT64_MAX;
    for (size_t i = 0; i < core->script_count; i++) {
        int64_t t = hg_script_due_ns(core->scripts[i]);
        due = t < due ? t : due;
    }
    if (core->liquidation) {
        int64_t t = hg_liquidation_due_ns(core->liquidation);
        due = t < due ? t : due;
    }
    return due;
}

static int64_t answers_due(const hg_core *core) {
    int64_t gate = hg_exec_due_ns(core->exec);
    int64_t venue = core->venue->ops->due_ns(core->venue);
    return gate < venue ? gate : venue;
}

int64_t hg_core_due_ns(const hg_core *core) {
    int64_t answers = answers_due(core);
    int64_t timers = timers_due(core);
    int64_t own = answers < timers ? answers : timers;
    int64_t data = hg_late_data_due_ns(&core->late);
    return own < data ? own : data;
}

/* An answer of the venue or the gate; scripts hear only of what changed something. */
static void apply_answer(hg_core *core, const hg_event *told) {
    hg_event charged = *told;
    const hg_event *event = told;
    const hg_order *sent = told->kind == HG_EV_FILL ? hg_exec_get(core->exec, told->order.id)
                                                    : NULL;
    if (sent && sent->liquidation && core->fees && told->id == sent->instrument) {
        charged.order.fee = hg_liquidation_fee(core->market,
                                               hg_universe_get(core->universe, told->id),
                                               told->order.price, told->order.size);
        event = &charged;
    }
    const hg_order *order = hg_exec_apply(core->exec, event);
    if (core->tap && order) {
        core->tap(core->tap_context, event, order);
    }
    bool everybody = event->kind == HG_EV_ALARM; /* also where no order is known */
    if (order || everybody) hg_scripts_event(core->scripts, core->script_count, event, order);
}

/* A change of the gate's state: everybody hears of it, each strategy of its own only. */
static void apply_risk(hg_core *core, const hg_event *event) {
    const hg_risk_event *risk = hg_risk_event_get(core->exec, event->order.id);
    for (size_t i = 0; risk && i < core->script_count; i++) {
        if (risk->strategy == HG_STRATEGY_ANY || risk->strategy == i) {
            hg_script_risk(core->scripts[i], event, risk);
        }
    }
}

void hg_core_apply(hg_core *core, const hg_event *event) {
    hg_assert(event->time_ns >= core->now_ns);
    if (event->time_ns > core->now_ns) {
        hg_exec_clock(core->exec, core->now_ns); /* when all of a moment has been applied */
    }
    core->now_ns = event->time_ns;
    core->events++;
    if (event->kind <= HG_EV_STATUS) {
        apply_market(core, event);
        if (core->tap) {
            core->tap(core->tap_context, event, NULL);
        }
        hg_scripts_event(core->scripts, core->script_count, event, NULL);
    } else if (event->kind <= HG_EV_ALARM) {
        apply_answer(core, event);
    } else if (event->kind == HG_EV_TIMER) {
        if (core->liquidation && hg_liquidation_due_ns(core->liquidation) <= core->now_ns) {
            hg_liquidation_step(core->liquidation, core->now_ns);
        }
        for (size_t i = 0; i < core->script_count; i++) {
            hg_script_timer(core->scripts[i], core->now_ns);
        }
    } else if (event->kind == HG_EV_CONTROL) {
        hg_assert(core->command != NULL);
        core->command_rc = hg_command_apply(core, core->command);
    } else if (event->kind == HG_EV_RISK) {
        apply_risk(core, event);
    }
    if (core->liquidation && core->ready && event->kind != HG_EV_TIMER) {
        hg_liquidation_touch(core->liquidation, core->now_ns);
    }
    core->due_ns = hg_core_due_ns(core);
}

/* The oldest answer of gate or venue; the gate's own come first at equal times. */
static bool next_answer(hg_core *core, hg_event *event) {
    if (hg_exec_due_ns(core->exec) <= core->venue->ops->due_ns(core->venue)) {
        return hg_exec_next(core->exec, event);
    }
    return core->venue->ops->next(core->venue, event);
}

void hg_core_settle(hg_core *core, int64_t until_ns) {
    for (;;) {
        int64_t answers = answers_due(core);
        int64_t timers = timers_due(core);
        int64_t data = hg_late_data_due_ns(&core->late);
        int64_t due = answers <= timers ? answers : timers;
        due = due <= data ? due : data;
        core->due_ns = due;
        if (due > until_ns || due == INT64_MAX) {
            return;
        }
        hg_event event = {.kind = HG_EV_TIMER, .time_ns = timers};
        if (data < answers && data < timers) {
            hg_late_data_pop(&core->late, &event);
        } else if (answers <= timers && !next_answer(core, &event)) {
            continue; /* a request arrived at the venue; its answer is due later */
        }
        if (event.time_ns < core->now_ns) {
            event.time_ns = core->now_ns;
        }
        hg_core_apply(core, &event);
    }
}

void hg_core_feed_late(hg_core *core, const hg_event *event) {
    hg_core_settle(core, event->time_ns);
    hg_event hurried;
    if (hg_late_data_full(&core->late)) {
        /* The oldest comes early rather than never; the report counts it. */
        hg_late_data_pop(&core->late, &hurried);
        hurried.time_ns = event->time_ns > core->now_ns ? event->time_ns : core->now_ns;
        core->late.hurried++;
        hg_core_apply(core, &hurried);
    }
    if (hg_market_apply(core->late.market, event)) {
        core->venue->ops->observe(core->venue, event);
    }
    hg_late_data_push(&core->late, event);
    hg_core_settle(core, event->time_ns);
}

void hg_core_drain(hg_core *core) {
    while (hg_late_data_due_ns(&core->late) != INT64_MAX) {
        hg_core_settle(core, hg_late_data_due_ns(&core->late));
    }
}

void hg_core_idle(hg_core *core) {
    for (size_t i = 0; i < core->script_count; i++) {
        hg_script_idle(core->scripts[i]);
    }
}

bool hg_core_rest(hg_core *core, int64_t budget_ns) {
    for (size_t i = 0; i < core->script_count; i++) {
        if (hg_script_rest(core->scripts[i], budget_ns)) {
            return true;
        }
    }
    return false;
}

size_t hg_core_running(const hg_core *core) {
    size_t running = 0;
    for (size_t i = 0; i < core->script_count; i++) {
        running += hg_script_status(core->scripts[i]) == HG_SCRIPT_RUNNING;
    }
    return running;
}

void hg_core_stop(hg_core *core, const char *reason) {
    for (size_t i = 0; i < core->script_count; i++) {
        hg_script_stop(core->scripts[i], reason);
        hg_exec_cancel_all(core->exec, (uint16_t)i, HG_ID_NONE, core->now_ns);
    }
    hg_core_settle(core, core->now_ns);
}

void hg_core_fini(hg_core *core) {
    for (size_t i = 0; i < core->script_count; i++) {
        hg_script_close(core->scripts[i]);
    }
    hg_liquidation_free(core->liquidation);
    hg_margin_free(core->venue_margin);
    hg_margin_free(core->margin);
    hg_exec_free(core->exec);
    if (core->venue) {
        core->venue->ops->close(core->venue);
    }
    hg_late_data_close(&core->late);
    for (size_t i = 0; i < core->share_count; i++) {
        hg_portfolio_free(core->shares[i]);
    }
    hg_portfolio_free(core->portfolio);
    hg_market_free(core->market);
    hg_universe_free(core->universe);
    *core = (hg_core){0};
}
