/* Rehearsals. The only thing shared with the session is the universe and the recorder's ring; the
 * running script is asked for a copy of its state and the names of its timers. */
#include "app/rehearsal.h"

#include "app/console.h"
#include "base/assert.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORDER_CAPACITY 4096u /* as many as the paper venue of a session has */
/* A session waits while a candidate loads: less patience than at its start. */
#define LOAD_BUDGET_NS (100 * HG_NS_PER_MS)

int hg_rehearsal_open(hg_rehearsal *r, hg_recorder *recorder, const hg_core_options *options) {
    *r = (hg_rehearsal){.recorder = recorder, .options = *options};
    hg_market_options market = {.depth_books = options->depth_books};
    r->market = hg_market_new(recorder->core->universe, &market);
    r->sent = calloc(HG_REHEARSAL_ORDERS, sizeof *r->sent);
    if (!r->market || !r->sent || hg_pace_open(&r->pace) < 0) {
        hg_rehearsal_close(r);
        return HG_ERR(HG_ENOMEM, "rehearsal");
    }
    return HG_OK;
}

void hg_rehearsal_cancel(hg_rehearsal *r) {
    hg_pace_cancel(&r->pace);
}

void hg_rehearsal_close(hg_rehearsal *r) {
    hg_rehearsal_end(r);
    hg_pace_close(&r->pace);
    hg_market_free(r->market);
    free(r->sent);
    hg_carry_fini(&r->carry);
    *r = (hg_rehearsal){0};
}

void hg_rehearsal_clear(hg_rehearsal *r) {
    hg_core core = r->core;
    r->core = (hg_core){0};
    hg_exec_free(core.exec);
    (void)hg_pace_leave(&r->pace);
    if (core.venue) {
        core.venue->ops->close(core.venue);
    }
    (void)hg_pace_leave(&r->pace);
    hg_margin_free(core.margin);
    hg_portfolio_free(core.portfolio);
    (void)hg_pace_leave(&r->pace);
}

void hg_rehearsal_end(hg_rehearsal *r) {
    hg_rehearsal_cancel(r);
    hg_script_close(r->trial);
    r->trial = NULL;
    hg_rehearsal_clear(r);
    if (r->recorder) {
        r->recorder->pin = UINT64_MAX;
    }
}

/* ---- what the candidate sends ---------------------------------------------------------------- */
static void on_order(void *context, const hg_order *order) {
    hg_rehearsal *r = context;
    if (order->state != HG_ORDER_SENT || r->adopting) {
        return;
    }
    r->result.orders++;
    if (r->sent_count < HG_REHEARSAL_ORDERS) {
        hg_sent *s = &r->sent[r->sent_count++];
        *s = (hg_sent){.time_ns = r->core.now_ns,
                       .instrument = order->instrument,
                       .strategy = order->strategy,
                       .side = order->side,
                       .lots = order->size};
        memcpy(s->line, order->line, sizeof s->line);
    }
}

static void on_refusal(void *context, const hg_order_request *request, const hg_refusal *refusal) {
    hg_rehearsal *r = context;
    (void)request;
    (void)refusal;
    r->result.refusals += !r->adopting;
}

/* ---- setting the scene ----------------------------------------------------------------------- */
void hg_rehearsal_begin(hg_rehearsal *r, hg_script *running, const hg_code *code) {
    hg_assert(!r->trial);
    r->running = running;
    r->code = code;
    r->phase = HG_REHEARSE_ROOMS;
    r->begin = r->place = r->recorder->first;
    r->end = r->recorder->next;
    r->recorder->pin = r->place;
    r->sent_end = r->recorder->sent_next;
    r->sent_count = 0;
    r->result = (hg_rehearsed){0};
    r->env = *hg_script_env_of(running);
    r->env.log = NULL;
    r->env.plot = NULL;
    r->env.error = NULL;
    r->env.errors_max = 0; /* the first error refuses */
    if (r->env.load_budget_ns <= 0 || r->env.load_budget_ns > LOAD_BUDGET_NS) {
        r->env.load_budget_ns = LOAD_BUDGET_NS;
    }
}

int hg_rehearsal_prepare(hg_rehearsal *r) {
    hg_core *core = &r->core;
    hg_portfolio_options portfolio = {.fees = r->options.paper.fees};
    hg_paper_options paper = r->options.paper;
    paper.margin = (hg_paper_margin){0}; /* it would ask the session's portfolio */
    paper.last_trade = HG_REHEARSAL_LAST_ID;
    paper.order_capacity = ORDER_CAPACITY;
    core->universe = r->recorder->core->universe;
    core->market = r->market;
    core->portfolio = hg_portfolio_new(r->market, &portfolio);
    (void)hg_pace_leave(&r->pace);
    int rc = core->portfolio ? hg_paper_open(r->market, &paper, &core->venue)
                             : HG_ERR(HG_ENOMEM, "portfolio of a rehearsal");
    (void)hg_pace_leave(&r->pace);
    if (rc == HG_OK) {
        hg_exec_options exec = {
            .limits = r->options.limits,
            .order_capacity = ORDER_CAPACITY,
            .last_id = HG_REHEARSAL_LAST_ID,
            .observer = {.context = r, .order = on_order, .refusal = on_refusal}
        };
        core->exec = hg_exec_new(r->market, core->portfolio, core->venue, &exec);
        rc = core->exec ? HG_OK : HG_ERR(HG_ENOMEM, "orders of a rehearsal");
    }
    if (rc < 0) {
        hg_rehearsal_end(r);
    }
    return rc;
}

/* As it was before the first event. */
static int enter_market(hg_rehearsal *r) {
    hg_market_copy(r->market, r->recorder->market);
    return HG_OK;
}

static int enter_positions(hg_rehearsal *r) {
    hg_core *core = &r->core;
    const hg_event *first = hg_recorder_get(r->recorder, r->place);
    hg_portfolio_copy(core->portfolio, hg_recorder_book(r->recorder, hg_script_index(r->running)));
    core->now_ns = core->start_ns = first ? first->time_ns : r->recorder->core->now_ns;
    hg_pnl pnl;
    hg_portfolio_pnl(core->portfolio, core->now_ns, &pnl);
    const uint32_t *held;
    uint32_t count = hg_portfolio_held(core->portfolio, &held);
    for (uint32_t i = 0; i < count; i++) {
        hg_paper_hold(core->venue, held[i], hg_portfolio_get(core->portfolio, held[i])->lots);
    }
    (void)hg_pace_poll(&r->pace);
    core->ready = pnl.known || count == 0;
    r->env.universe = core->universe;
    r->env.market = r->market;
    r->env.portfolio = core->portfolio;
    r->env.exec = core->exec;
    const hg_core *live = r->recorder->core;
    core->margin = live->margin ? hg_margin_new(core->portfolio, hg_margin_model_of(live->margin))
                                : NULL;
    if (live->margin && !core->margin) {
        return HG_ERR(HG_ENOMEM, "margin of a rehearsal");
    }
    if (core->margin) {
        hg_core_judge_margin(core);
    }
    r->env.margin = core->margin;
    r->env.now_ns = &core->now_ns;
    r->env.ready = &core->ready;
    hg_rehearsal_adopt(r);
    return HG_OK;
}

static int migrate(hg_rehearsal *r) {
    int rc = hg_script_carry_paced(r->running, &r->carry, &r->pace);
    if (rc < 0) {
        return rc;
    }
    (void)hg_pace_poll(&r->pace);
    return hg_script_take(r->trial, &r->carry, true);
}

static int start(hg_rehearsal *r) {
    int rc = hg_script_succeed(r->trial, r->running, true);
    r->core.scripts[0] = r->trial;
    r->core.script_count = 1;
    r->core.due_ns = hg_core_due_ns(&r->core);
    return rc;
}

/* ---- the events ------------------------------------------------------------------------------ */
/* A fill of another strategy, which its orders here do not bring about. It is booked, not applied
 * as an event: this core does not know the order, and would take its fill for an alarm. What is
 * missed by that: the gate here does not count what others have open, and the venue's resting
 * orders do not see their trades; both are the same for the candidate and for nobody else. */
static void fill_of_others(hg_rehearsal *r, const hg_event *e) {
    hg_core *core = &r->core;
    hg_core_settle(core, e->time_ns);
    core->now_ns = e->time_ns > core->now_ns ? e->time_ns : core->now_ns;
    int rc = hg_portfolio_fill(core->portfolio, e->id, (hg_side)e->side, e->order.size,
                               e->order.price, e->order.fee, e->time_ns);
    (void)rc;
}

static int play(hg_rehearsal *r) {
    hg_core *core = &r->core;
    uint16_t own = hg_script_index(r->trial);
    while (r->place < r->end) {
        const hg_event *kept = hg_recorder_get(r->recorder, r->place);
        if (!kept) {
            r->result.cut = true;
            r->end = r->place;
            break;
        }
        const hg_event copy = *kept; /* the ring goes on while this event is worked on */
        const hg_event *e = &copy;
        r->recorder->pin = ++r->place;
        if (e->kind != HG_EV_FILL) {
            hg_core_feed(core, e);
            hg_core_idle(core);
        } else if (hg_record_strategy(e) != own && hg_recorder_concerns(r->recorder, e, own)) {
            fill_of_others(r, e);
        }
        if (hg_script_status(r->trial) == HG_SCRIPT_FAILED) {
            return HG_ERR(HG_ESTRATEGY, "%s", hg_script_error(r->trial));
        }
        if (!hg_pace_poll(&r->pace)) {
            return HG_ERR(HG_ESTATE, "abandoned");
        }
    }
    hg_core_settle(core, core->now_ns);
    return hg_script_status(r->trial) == HG_SCRIPT_FAILED
               ? HG_ERR(HG_ESTRATEGY, "%s", hg_script_error(r->trial))
               : 0;
}

/* ---- the comparison -------------------------------------------------------------------------- */
/* Orders of the running code within the window, refusals left out; `k` counts from 0. */
static const hg_sent *next_ran(const hg_rehearsal *r, uint64_t *number, bool refused) {
    uint16_t own = hg_script_index(r->trial);
    uint64_t oldest = hg_recorder_sent_oldest(r->recorder);
    for (*number = *number < oldest ? oldest : *number; *number < r->sent_end;) {
        const hg_sent *s = hg_recorder_sent(r->recorder, (*number)++);
        bool within = s->time_ns >= r->core.start_ns &&
                      (!r->result.cut || s->time_ns <= r->core.now_ns);
        if (s->strategy == own && s->refused == refused && within) {
            return s;
        }
    }
    return NULL;
}

static bool same_order(const hg_sent *a, const hg_sent *b) {
    return a->time_ns == b->time_ns && a->instrument == b->instrument && a->side == b->side &&
           a->lots == b->lots;
}

static const char *lots_text(const hg_instrument *inst, hg_lots lots, char *buf, size_t size) {
    int decimals = inst->lot >= HG_NANO ? 0 : 4;
    return hg_console_number(hg_size_to_double(inst, lots), decimals, buf, size);
}

/* "at 14:03:02 buy 1,200 BTC-PERPETUAL (band.lua:31)" */
static void order_text(const hg_rehearsal *r, const hg_sent *s, char *buf, size_t size) {
    const hg_instrument *inst = hg_universe_get(r->core.universe, s->instrument);
    char time[40], lots[40];
    hg_time_format(s->time_ns, time, sizeof time);
    snprintf(buf, size, "%.8s %s %s %s%s%s%s", time + 11, hg_side_name((hg_side)s->side),
             lots_text(inst, s->lots, lots, sizeof lots), inst->name, *s->line ? " (" : "", s->line,
             *s->line ? ")" : "");
}

/* The first order that the other code did not send, or sent otherwise. True: there is one. */
static bool first_difference(hg_rehearsal *r) {
    uint64_t number = 0;
    char mine[128], theirs[128];
    for (uint32_t i = 0;; i++) {
        const hg_sent *ran = next_ran(r, &number, false);
        const hg_sent *would = i < r->sent_count ? &r->sent[i] : NULL;
        if (!ran && !would) {
            return false;
        }
        if (ran && would && same_order(ran, would)) {
            continue;
        }
        if (ran) {
            order_text(r, ran, theirs, sizeof theirs);
        }
        if (would) {
            order_text(r, would, mine, sizeof mine);
        }
        snprintf(r->result.first, sizeof r->result.first, "%s%s%s%s", would ? "new: " : "",
                 would ? mine : "",
                 would && ran ? "; before: "
                 : ran        ? "no longer: "
                              : "",
                 ran ? theirs : "");
        return true;
    }
}

/* Signed lots of one instrument: what would have been sent, and what was. */
static void net_of(const hg_rehearsal *r, uint32_t instrument, hg_lots *would, hg_lots *ran) {
    uint64_t number = 0;
    const hg_sent *s = NULL;
    *would = *ran = 0;
    for (uint32_t i = 0; i < r->sent_count; i++) {
        *would += r->sent[i].instrument == instrument ? r->sent[i].side * r->sent[i].lots : 0;
    }
    while ((s = next_ran(r, &number, false)) != NULL) {
        *ran += s->instrument == instrument ? s->side * s->lots : 0;
    }
}

static void net_text(const hg_rehearsal *r, char *buf, size_t size) {
    uint64_t number = 0;
    const hg_sent *ran = next_ran(r, &number, false);
    const hg_sent *any = r->sent_count > 0 ? &r->sent[0] : ran;
    buf[0] = '\0';
    if (!any) {
        return;
    }
    const hg_instrument *inst = hg_universe_get(r->core.universe, any->instrument);
    hg_lots would_lots, ran_lots;
    char would[40], was[40];
    net_of(r, inst->id, &would_lots, &ran_lots);
    if (would_lots == ran_lots) {
        snprintf(buf, size, "; net %s %s as well", inst->name,
                 lots_text(inst, ran_lots, was, sizeof was));
        return;
    }
    snprintf(buf, size, "; net %s %s instead of %s", inst->name,
             lots_text(inst, would_lots, would, sizeof would),
             lots_text(inst, ran_lots, was, sizeof was));
}

static void compare(hg_rehearsal *r) {
    hg_rehearsed *x = &r->result;
    uint64_t number = 0;
    char net[160];
    while (next_ran(r, &number, false)) {
        x->orders_ran++;
    }
    number = 0;
    while (next_ran(r, &number, true)) {
        x->refusals_ran++;
    }
    x->events = r->place - r->begin;
    x->span_ns = r->core.now_ns - r->core.start_ns;
    bool differs = first_difference(r);
    net_text(r, net, sizeof net);
    const char *plural = x->orders == 1 ? "" : "s";
    if (x->orders == 0 && x->orders_ran == 0) {
        snprintf(x->text, sizeof x->text, "would have sent no orders, as the running code");
    } else if (!differs) {
        snprintf(x->text, sizeof x->text, "would have sent the same %u order%s", x->orders, plural);
    } else if (x->orders == x->orders_ran && x->orders == 1) {
        snprintf(x->text, sizeof x->text, "would have sent another order%s", net);
    } else if (x->orders == x->orders_ran) {
        snprintf(x->text, sizeof x->text, "would have sent as many orders (%u), but not the same%s",
                 x->orders, net);
    } else {
        snprintf(x->text, sizeof x->text, "would have sent %u order%s instead of %u%s", x->orders,
                 plural, x->orders_ran, net);
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */
static int work(hg_rehearsal *r) {
    int rc = HG_OK;
    switch (r->phase) {
    case HG_REHEARSE_ROOMS:
        rc = hg_rehearsal_is_prepared(r) ? HG_OK : hg_rehearsal_prepare(r);
        break;
    case HG_REHEARSE_MARKET:
        rc = enter_market(r);
        break;
    case HG_REHEARSE_POSITIONS:
        rc = enter_positions(r);
        break;
    case HG_REHEARSE_LOAD:
        rc = hg_script_candidate(&r->env, r->running, r->code, &r->pace, &r->trial);
        break;
    case HG_REHEARSE_MIGRATE:
        rc = migrate(r);
        break;
    case HG_REHEARSE_START:
        rc = start(r);
        break;
    case HG_REHEARSE_EVENTS:
        rc = play(r);
        break;
    case HG_REHEARSE_DONE:
        break;
    }
    return rc;
}

/* The phase under way, all of it: left and taken up again as often as it needs. */
static int work_on_phase(void *argument) {
    hg_rehearsal *r = argument;
    int rc = work(r);
    if (rc == HG_OK && r->phase == HG_REHEARSE_EVENTS) {
        compare(r);
    }
    return rc;
}

static int step(hg_rehearsal *r, int64_t budget_ns) {
    if (!hg_pace_is_busy(&r->pace)) {
        hg_pace_begin(&r->pace, work_on_phase, r);
    }
    int rc = hg_pace_step(&r->pace, budget_ns);
    if (rc == HG_OK) {
        r->phase++;
        rc = r->phase == HG_REHEARSE_DONE ? 0 : 1;
    }
    return rc;
}

static void note_step(hg_rehearsal *r, hg_rehearsal_phase phase, int64_t took_ns) {
    if (took_ns > r->slowest_ns[phase]) {
        r->slowest_ns[phase] = took_ns;
    }
}

int hg_rehearsal_step(hg_rehearsal *r, int64_t budget_ns) {
    int64_t begin = hg_clock_thread_ns();
    hg_rehearsal_phase phase = r->phase;
    int rc = step(r, budget_ns);
    note_step(r, phase, hg_clock_thread_ns() - begin);
    return rc;
}

int hg_rehearsal_pace(hg_rehearsal *r, int64_t budget_ns) {
    int64_t begin = hg_clock_thread_ns();
    int rc = hg_pace_step(&r->pace, budget_ns);
    note_step(r, HG_REHEARSE_DONE, hg_clock_thread_ns() - begin);
    return rc;
}
