/* The states of the gate: who may stop trading, how, and who may let it go on. Controls and the
 * operator worsen a state; only the operator betters it (but for a freeze with a time and for marks
 * that are fresh again). Cancels of a halt are repeated every second until the venue has answered.
 */
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "exec/exec_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FLATTEN_EVERY_NS (5 * HG_NS_PER_S)

const char *hg_risk_state_name(hg_risk_state state) {
    static const char *const names[HG_RISK_STATES] = {"active", "reducing", "halted", "paused",
                                                      "frozen"};
    hg_assert(state < HG_RISK_STATES);
    return names[state];
}

static const char *const levels[] = {"pause", "halt", "cancel", "flatten"};

const char *hg_kill_name(hg_kill_level level) {
    hg_assert((size_t)level < sizeof levels / sizeof *levels);
    return levels[level];
}

bool hg_kill_parse(const char *word, hg_kill_level *out) {
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (strcmp(word, levels[i]) == 0) {
            *out = (hg_kill_level)i;
            return true;
        }
    }
    return false;
}

/* --- telling -------------------------------------------------------------------------------------
 */

static void tell(hg_exec *exec, hg_risk_event event, const hg_risk_cause *cause, int64_t now_ns) {
    hg_risk *risk = exec->risk;
    hg_assert(event.to == HG_RISK_ACTIVE || hg_control_watches(cause->code));
    event.time_ns = now_ns;
    event.serial = ++risk->event_count;
    event.code = cause->code;
    event.value = cause->value;
    event.limit = cause->limit;
    hg_text_copy(event.text, sizeof event.text, cause->text);
    hg_risk_event *kept = &risk->events[event.serial & (HG_RISK_EVENTS_MAX - 1)];
    *kept = event;
    hg_event told = {.kind = HG_EV_RISK, .time_ns = now_ns, .id = HG_ID_NONE};
    told.order.id = event.serial;
    if (!hg_ring_push(&exec->owed, &told)) {
        exec->stats.alarms++; /* the scripts can still ask hedged.risk() */
    }
    if (exec->observer.risk) {
        exec->observer.risk(exec->observer.context, kept);
    }
}

const hg_risk_event *hg_risk_event_get(const hg_exec *exec, uint64_t serial) {
    const hg_risk_event *event = &exec->risk->events[serial & (HG_RISK_EVENTS_MAX - 1)];
    return serial != 0 && event->serial == serial ? event : NULL;
}

/* Cancels that no rate holds up. */
static uint32_t cancel_where(hg_exec *exec, uint16_t strategy, uint32_t underlying, bool again,
                             int64_t now_ns) {
    uint32_t count = 0;
    uint32_t next = HG_SLOT_NONE;
    exec->risk->forced = true;
    for (uint32_t i = exec->first_open; i != HG_SLOT_NONE; i = next) {
        hg_order *order = &exec->slots[i].order;
        next = exec->slots[i].next;
        uint32_t u = hg_universe_get(exec->universe, order->instrument)->underlying_id;
        bool meant = (strategy == HG_STRATEGY_ANY || order->strategy == strategy) &&
                     (underlying == HG_ID_NONE || underlying == u);
        bool closing = order->strategy == HG_STRATEGY_ANY; /* of a flatten under way */
        if (!meant || closing || (order->cancel_pending && !again)) {
            continue;
        }
        order->cancel_pending = false;
        count += hg_exec_cancel(exec, order->id, now_ns) == HG_OK;
    }
    exec->risk->forced = false;
    return count;
}

/* --- worse ------------------------------------------------------------------------------------ */

void hg_risk_pause(hg_exec *exec, uint16_t strategy, const hg_risk_cause *cause, int64_t now_ns) {
    hg_assert(strategy < HG_STRATEGIES_MAX);
    hg_risk_strategy_state *s = &exec->risk->strategies[strategy];
    if (s->state == HG_RISK_PAUSED) {
        return;
    }
    s->state = HG_RISK_PAUSED;
    hg_text_copy(s->why, sizeof s->why, cause->text);
    hg_log(HG_LOG_WARN, "%s is paused: %s (%.6g, limit %.6g)", s->name[0] ? s->name : "a strategy",
           cause->text, cause->value, cause->limit);
    hg_risk_event event = {.strategy = strategy,
                           .underlying = HG_ID_NONE,
                           .from = HG_RISK_ACTIVE,
                           .to = HG_RISK_PAUSED};
    event.cancelled = cancel_where(exec, strategy, HG_ID_NONE, false, now_ns);
    tell(exec, event, cause, now_ns);
}

void hg_risk_freeze(hg_exec *exec, uint32_t underlying, const hg_risk_cause *cause,
                    int64_t now_ns) {
    hg_risk_underlying_state *r = &exec->risk->underlyings[underlying];
    if (r->state == HG_RISK_FROZEN && now_ns < r->thaw_ns) {
        return;
    }
    const char *name = hg_universe_underlying(exec->universe, underlying)->name;
    r->state = HG_RISK_FROZEN;
    int64_t for_ns = r->limits.burst_freeze_ns;
    r->thaw_ns = for_ns > 0 ? now_ns + for_ns : INT64_MAX; /* either: it is never 0, but -1 */
    hg_log(HG_LOG_WARN, "%s is frozen: %s (%.6g, limit %.6g)", name, cause->text, cause->value,
           cause->limit);
    hg_risk_event event = {.strategy = HG_STRATEGY_ANY,
                           .underlying = underlying,
                           .from = HG_RISK_ACTIVE,
                           .to = HG_RISK_FROZEN};
    event.cancelled = cancel_where(exec, HG_STRATEGY_ANY, underlying, false, now_ns);
    tell(exec, event, cause, now_ns);
}

void hg_risk_enter(hg_exec *exec, hg_risk_state state, const hg_risk_cause *cause,
                   hg_kill_level level, int64_t now_ns) {
    hg_risk *risk = exec->risk;
    if (state < risk->state || (state == risk->state && level <= risk->level)) {
        return;
    }
    hg_risk_event event = {
        .strategy = HG_STRATEGY_ANY, .underlying = HG_ID_NONE, .from = risk->state, .to = state};
    risk->state = state;
    risk->level = level;
    risk->cause = cause->code;
    hg_text_copy(risk->why, sizeof risk->why, cause->text);
    if (isfinite(cause->limit)) {
        hg_log(HG_LOG_WARN, "trading is %s: %s (%.6g, limit %.6g)", hg_risk_state_name(state),
               cause->text, cause->value, cause->limit);
    } else {
        hg_log(HG_LOG_WARN, "trading is %s: %s", hg_risk_state_name(state), cause->text);
    }
    if (level >= HG_KILL_CANCEL) {
        event.cancelled = cancel_where(exec, HG_STRATEGY_ANY, HG_ID_NONE, false, now_ns);
    }
    risk->flatten_ns = now_ns;
    tell(exec, event, cause, now_ns);
}

uint32_t hg_risk_kill(hg_exec *exec, hg_kill_level level, uint16_t strategy, const char *reason,
                      int64_t now_ns) {
    uint64_t before = exec->risk->event_count;
    uint32_t cancelled = 0;
    hg_risk_cause cause = {HG_REJECT_OPERATOR, NAN, NAN, reason && *reason ? reason : "on request"};
    if (level == HG_KILL_PAUSE) {
        for (uint16_t i = 0; i < HG_STRATEGIES_MAX; i++) {
            bool meant = strategy == i ||
                         (strategy == HG_STRATEGY_ANY && exec->risk->strategies[i].name[0] != '\0');
            if (meant) {
                hg_risk_pause(exec, i, &cause, now_ns);
            }
        }
    } else {
        hg_risk_enter(exec, HG_RISK_HALTED, &cause, level, now_ns);
    }
    for (uint64_t serial = before + 1; serial <= exec->risk->event_count; serial++) {
        cancelled += hg_risk_event_get(exec, serial)->cancelled;
    }
    return cancelled;
}

void hg_exec_halt(hg_exec *exec, const char *why) {
    hg_risk_kill(exec, HG_KILL_HALT, HG_STRATEGY_ANY, why, exec->risk->now_ns);
}

/* --- better ----------------------------------------------------------------------------------- */

static void tell_active(hg_exec *exec, uint16_t strategy, uint32_t underlying, hg_risk_state from,
                        const char *why, int64_t now_ns) {
    hg_risk_cause cause = {HG_REJECT_NONE, NAN, NAN, why};
    hg_risk_event event = {
        .strategy = strategy, .underlying = underlying, .from = from, .to = HG_RISK_ACTIVE};
    tell(exec, event, &cause, now_ns);
}

void hg_risk_leave_blind(hg_exec *exec, int64_t now_ns) {
    hg_risk *risk = exec->risk;
    if (risk->state == HG_RISK_REDUCING && risk->cause == HG_REJECT_BLIND) {
        risk->state = HG_RISK_ACTIVE;
        hg_log(HG_LOG_WARN, "trading is active again: marks are fresh");
        tell_active(exec, HG_STRATEGY_ANY, HG_ID_NONE, HG_RISK_REDUCING, "marks are fresh again",
                    now_ns);
    }
}

static void thaw(hg_exec *exec, uint32_t u, const char *why, int64_t now_ns) {
    hg_risk_underlying_state *r = &exec->risk->underlyings[u];
    if (r->state != HG_RISK_FROZEN) {
        return;
    }
    r->state = HG_RISK_ACTIVE;
    memset(&r->bursts, 0, sizeof r->bursts);
    hg_log(HG_LOG_WARN, "%s trades again: %s", hg_universe_underlying(exec->universe, u)->name,
           why);
    tell_active(exec, HG_STRATEGY_ANY, u, HG_RISK_FROZEN, why, now_ns);
}

static void resume(hg_exec *exec, uint16_t strategy, const char *who, int64_t now_ns) {
    hg_risk_strategy_state *s = &exec->risk->strategies[strategy];
    if (s->state != HG_RISK_PAUSED) {
        return;
    }
    uint32_t keys = 2 * hg_universe_count(exec->universe);
    uint32_t underlyings = hg_universe_underlying_count(exec->universe);
    s->state = HG_RISK_ACTIVE;
    s->rate_seconds = 0;
    s->refusals = 0;
    s->at_once = 0;
    s->repeats.head = 0;
    s->repeats.count = 0;
    memset(s->repeats.by_key, 0, keys * sizeof *s->repeats.by_key);
    memset(s->hedges, 0, underlyings * sizeof *s->hedges);
    hg_log(HG_LOG_WARN, "%s is re-armed by %s", s->name[0] ? s->name : "a strategy", who);
    tell_active(exec, strategy, HG_ID_NONE, HG_RISK_PAUSED, who, now_ns);
}

void hg_risk_arm(hg_exec *exec, uint16_t strategy, const char *who, int64_t now_ns) {
    hg_risk *risk = exec->risk;
    who = who && *who ? who : "the operator";
    for (uint16_t i = 0; i < HG_STRATEGIES_MAX; i++) {
        if (strategy == HG_STRATEGY_ANY || strategy == i) {
            resume(exec, i, who, now_ns);
        }
    }
    if (strategy != HG_STRATEGY_ANY) {
        return;
    }
    for (uint32_t u = 0; u < hg_universe_underlying_count(exec->universe); u++) {
        thaw(exec, u, who, now_ns);
    }
    hg_risk_state from = risk->state;
    risk->state = HG_RISK_ACTIVE;
    risk->level = HG_KILL_PAUSE;
    risk->day_start = risk->pnl;
    risk->day_peak = risk->pnl;
    if (from != HG_RISK_ACTIVE) {
        hg_log(HG_LOG_WARN, "trading is re-armed by %s", who);
        tell_active(exec, HG_STRATEGY_ANY, HG_ID_NONE, from, who, now_ns);
    }
}

/* --- every second ----------------------------------------------------------------------------- */

/* Closes what can be closed now: all but what orders already under way will close. */
static void flatten(hg_exec *exec, int64_t now_ns) {
    static const hg_origin by_operator = {.operator_order = true};
    const uint32_t *ids = NULL;
    uint32_t count = hg_portfolio_held(exec->portfolio, &ids);
    for (uint32_t k = 0; k < count; k++) {
        uint32_t id = ids[k];
        const hg_instrument *inst = hg_universe_get(exec->universe, id);
        hg_lots held = hg_portfolio_get(exec->portfolio, id)->lots;
        hg_side side = held > 0 ? HG_SELL : HG_BUY; /* either: of 0 there is no room */
        hg_risk_view view = {
            .exec = exec, .pending_buy = exec->per[id].buy, .pending_sell = exec->per[id].sell};
        hg_lots room = hg_reduce_room(&view, side, held);
        hg_order_request request = {.instrument = id,
                                    .strategy = HG_STRATEGY_ANY,
                                    .side = side,
                                    .type = HG_TYPE_MARKET,
                                    .tif = HG_TIF_IOC,
                                    .size = hg_size_to_double(inst, room),
                                    .reduce_only = true,
                                    .reason = "flatten"};
        uint64_t order = 0;
        hg_refusal refusal;
        if (room > 0 &&
            hg_exec_submit_from(exec, &request, &by_operator, now_ns, &order, &refusal) < 0) {
            hg_log(HG_LOG_WARN, "%s is not closed yet: %s", inst->name,
                   refusal.text[0] ? refusal.text : hg_error_text());
        }
    }
}

void hg_exec_clock(hg_exec *exec, int64_t now_ns) {
    hg_risk *risk = exec->risk;
    if (now_ns < risk->clock_ns) {
        return;
    }
    risk->clock_ns = now_ns + HG_CLOCK_NS;
    risk->now_ns = now_ns;
    for (uint32_t u = 0; u < hg_universe_underlying_count(exec->universe); u++) {
        if (now_ns >= risk->underlyings[u].thaw_ns) {
            thaw(exec, u, "the freeze is over", now_ns);
        }
    }
    hg_risk_watch_loss(exec, now_ns);
    hg_linked_clock(exec, now_ns);
    hg_conditional_clock(exec, now_ns);
    if (risk->state == HG_RISK_HALTED && risk->level >= HG_KILL_CANCEL) {
        cancel_where(exec, HG_STRATEGY_ANY, HG_ID_NONE, true, now_ns);
    }
    if (risk->state == HG_RISK_HALTED && risk->level == HG_KILL_FLATTEN &&
        now_ns >= risk->flatten_ns) {
        risk->flatten_ns = now_ns + FLATTEN_EVERY_NS;
        flatten(exec, now_ns);
    }
}

/* --- looking ---------------------------------------------------------------------------------- */

hg_risk_state hg_risk_session(const hg_exec *exec, const char **why) {
    if (why) {
        *why = exec->risk->state == HG_RISK_ACTIVE ? "" : exec->risk->why;
    }
    return exec->risk->state;
}

hg_kill_level hg_risk_level(const hg_exec *exec) {
    return exec->risk->level;
}

hg_risk_state hg_risk_strategy(const hg_exec *exec, uint16_t strategy, const char **why) {
    hg_assert(strategy < HG_STRATEGIES_MAX);
    const hg_risk_strategy_state *s = &exec->risk->strategies[strategy];
    if (why) {
        *why = s->state == HG_RISK_ACTIVE ? "" : s->why;
    }
    return s->state;
}

hg_risk_state hg_risk_underlying(const hg_exec *exec, uint32_t underlying, int64_t now_ns,
                                 int64_t *thaw_ns) {
    const hg_risk_underlying_state *r = &exec->risk->underlyings[underlying];
    bool frozen = r->state == HG_RISK_FROZEN && now_ns < r->thaw_ns;
    if (thaw_ns) {
        *thaw_ns = frozen ? r->thaw_ns : 0;
    }
    return frozen ? HG_RISK_FROZEN : HG_RISK_ACTIVE;
}

/* --- 17 and 18: what the venue does when we are gone ------------------------------------------ */

int hg_risk_protected(const hg_limits *limits, bool cancel_on_disconnect) {
    bool allowed = limits->extra && limits->extra->allow_no_cod;
    if (cancel_on_disconnect || allowed) {
        return HG_OK;
    }
    int rc = HG_ERR(HG_EVENUE, "the venue does not confirm cancel-on-disconnect");
    hg_error_hint("orders would stay when the connection is lost; limits.allow_no_cod = true "
                  "accepts that");
    return rc;
}

bool hg_dead_man_due(hg_dead_man *timer, int64_t now_ns) {
    if (timer->timeout_ns <= 0 || now_ns < timer->due_ns) {
        return false;
    }
    timer->due_ns = now_ns + timer->timeout_ns / 3;
    return true;
}
