/* Controls that follow what happened: orders repeated without end, hedges that do not hedge, bursts
 * of fills, and the money of the day.
 *
 * A hedge is an order that, filled, lowers |delta| of what is held in its underlying. Delta also
 * moves by itself (market, clock, trades that are no hedges); that part is its drift and is what
 * hedges are needed for. What hedges filled within a window must not exceed hedge_overshoot times
 * the delta at its begin plus all drift since: a hedger that measures before each trade never gets
 * there, one whose idea of the position or of its own effect is wrong does, and two that undo each
 * other do. */
#include "base/assert.h"
#include "base/clock.h"
#include "exec/exec_int.h"

#include <math.h>
#include <stdlib.h>

#define DAY_NS (24 * HG_NS_PER_HOUR)
#define YEAR_NS (365.0 * DAY_NS)

/* --- 9: repeated execution ----------------------------------------------------------------------
 */

static void repeats_expire(hg_repeats *r, int64_t before_ns) {
    while (r->count > 0 && r->time_ns[r->head] <= before_ns) {
        r->by_key[r->key[r->head]]--;
        r->head = (r->head + 1) % HG_REPEATS_MAX;
        r->count--;
    }
}

static uint32_t repeat_key(uint32_t instrument, hg_side side) {
    return 2 * instrument + (side == HG_SELL); /* either: which of the two is the same */
}

/* A full ring is a breach of the limit, which is below its capacity. */
static uint32_t repeats_add(hg_repeats *r, uint32_t key, int64_t now_ns) {
    if (r->count == HG_REPEATS_MAX) {
        return HG_REPEATS_MAX;
    }
    uint32_t at = (r->head + r->count++) % HG_REPEATS_MAX;
    r->time_ns[at] = now_ns;
    r->key[at] = key;
    return ++r->by_key[key];
}

/* Orders like the judged one whose fate is unknown and of which no fill is known: each may have
 * traded at any moment, so it counts, and does not leave the window. One that is merely on its way
 * does not: it is told or becomes unknown within the venue's answer time. */
static uint32_t repeats_unknown(const judgement *j) {
    uint32_t count = 0;
    for (uint32_t i = j->exec->first_open; i != HG_SLOT_NONE; i = j->exec->slots[i].next) {
        const hg_order *order = &j->exec->slots[i].order;
        count += order->state == HG_ORDER_UNKNOWN && order->filled == 0 &&
                 order->strategy == j->request->strategy && order->instrument == j->inst->id &&
                 order->side == (int8_t)j->request->side;
    }
    return count;
}

hg_reject hg_check_repeat(judgement *j) {
    if (j->view->operator_order || j->view->amended) {
        return HG_REJECT_NONE;
    }
    hg_risk_strategy_state *s = j->strategy;
    repeats_expire(&s->repeats, j->now_ns - s->limits.repeated_window_ns);
    uint32_t count = s->repeats.by_key[repeat_key(j->inst->id, j->request->side)];
    uint32_t limit = s->limits.repeated_orders;
    if (count + j->exec->per[j->inst->id].open >= limit) { /* either: fewer are looked at in vain */
        count += repeats_unknown(j);
    }
    if (!(count < limit)) {
        return hg_refuse(j->refusal, HG_REJECT_REPEAT, count + 1.0, limit,
                         "%u orders to %s %s have filled within %g s, or may have", count,
                         hg_side_name(j->request->side), j->inst->name,
                         (double)s->limits.repeated_window_ns / 1e9);
    }
    return HG_REJECT_NONE;
}

static void watch_repeats(hg_exec *exec, const hg_order *order, int64_t now_ns) {
    hg_risk_strategy_state *s = &exec->risk->strategies[order->strategy];
    repeats_expire(&s->repeats, now_ns - s->limits.repeated_window_ns);
    uint32_t key = repeat_key(order->instrument, (hg_side)order->side);
    uint32_t count = repeats_add(&s->repeats, key, now_ns);
    if (!(count <= s->limits.repeated_orders)) {
        hg_risk_cause cause = {HG_REJECT_REPEAT, count, s->limits.repeated_orders,
                               "too many orders filled on one side of one instrument"};
        hg_risk_pause(exec, order->strategy, &cause, now_ns);
    }
}

/* --- 10: hedges must hedge -------------------------------------------------------------------- */

static uint32_t underlying_of(const hg_exec *exec, const hg_order *order) {
    return hg_universe_get(exec->universe, order->instrument)->underlying_id;
}

/* Delta held now; what it moved by itself since the last look is drift. A leg whose price is lost
 * has not moved: that is looked at again when all are known. */
static double look(hg_exec *exec, uint32_t u, int64_t now_ns) {
    hg_risk_underlying_state *r = &exec->risk->underlyings[u];
    const hg_exposure *x = hg_portfolio_exposure(exec->portfolio, u, now_ns);
    double delta = x->delta_filled;
    if (x->quality == HG_QUALITY_PARTIAL) {
        return delta;
    }
    if (r->touched) {
        r->drift += delta - r->last_delta;
        r->drift_abs += fabs(delta - r->last_delta);
    }
    r->touched = true;
    r->last_delta = delta;
    return delta;
}

void hg_risk_sent(hg_exec *exec, hg_slot *slot, int64_t now_ns) {
    const hg_order *order = &slot->order;
    if (order->strategy >= HG_STRATEGIES_MAX) { /* either: above it is nobody but ANY */
        return;
    }
    uint32_t u = underlying_of(exec, order);
    double held = hg_portfolio_exposure(exec->portfolio, u, now_ns)->delta_filled;
    double adds = order->delta_after - order->delta_before;
    slot->hedge = fabs(held + adds) < fabs(held);
    if (!slot->hedge) {
        return;
    }
    hg_risk_strategy_state *s = &exec->risk->strategies[order->strategy];
    hg_hedges *h = &s->hedges[u];
    double delta = look(exec, u, now_ns);
    slot->hedge_from = delta;
    slot->hedge_drift = exec->risk->underlyings[u].drift;
    if (!h->begun || now_ns - h->start_ns >= s->limits.hedge_window_ns) {
        *h = (hg_hedges){.start_ns = now_ns,
                         .begun = true,
                         .need = fmax(fabs(delta), fabs(adds)), /* the target may not be 0 */
                         .mark = exec->risk->underlyings[u].drift_abs,
                         .tries = h->tries};
    }
}

static void watch_volume(hg_exec *exec, const hg_order *order, uint32_t u, double moved,
                         double one_lot, int64_t now_ns) {
    hg_risk_strategy_state *s = &exec->risk->strategies[order->strategy];
    hg_hedges *h = &s->hedges[u];
    double need = h->need + exec->risk->underlyings[u].drift_abs - h->mark;
    double limit = s->limits.hedge_overshoot * need + one_lot;
    h->volume += moved;
    if (!(h->volume <= limit)) {
        hg_risk_cause cause = {HG_REJECT_CONVERGENCE, h->volume, limit,
                               "hedges filled more delta than was there to hedge"};
        hg_risk_pause(exec, order->strategy, &cause, now_ns);
    }
}

void hg_risk_ended(hg_exec *exec, hg_slot *slot, int64_t now_ns) {
    const hg_order *order = &slot->order;
    if (!slot->hedge || order->filled == 0) {
        return;
    }
    slot->hedge = false;
    uint32_t u = underlying_of(exec, order);
    hg_risk_strategy_state *s = &exec->risk->strategies[order->strategy];
    double delta = look(exec, u, now_ns);
    double drift = exec->risk->underlyings[u].drift - slot->hedge_drift;
    double left = fabs(delta - drift); /* had nothing but hedges moved it */
    hg_hedges *h = &s->hedges[u];
    h->tries = left < fabs(slot->hedge_from) ? 0 : h->tries + 1;
    if (!(h->tries < s->limits.hedge_tries)) {
        hg_risk_cause cause = {HG_REJECT_CONVERGENCE, h->tries, s->limits.hedge_tries,
                               "hedges in a row did not lower the exposure"};
        hg_risk_pause(exec, order->strategy, &cause, now_ns);
    }
}

/* --- 19: bursts ------------------------------------------------------------------------------- */

static int64_t nano_of(double value) {
    return (int64_t)llround(fmin(fabs(value) * 1e9, 9.2e18)); /* also of NaN */
}

static int64_t sum_or_most(int64_t a, int64_t b) {
    return b > INT64_MAX - a ? INT64_MAX : a + b; /* either: equal is the most */
}

static void bursts_add(hg_bursts *b, int64_t now_ns, int64_t before_ns, int64_t delta,
                       int64_t vega) {
    while (b->count > 0 && b->time_ns[b->head] <= before_ns) {
        b->delta_sum -= b->delta[b->head];
        b->vega_sum -= b->vega[b->head];
        b->head = (b->head + 1) % HG_BURSTS_MAX;
        b->count--;
    }
    uint32_t at = (b->head + b->count) % HG_BURSTS_MAX;
    if (b->count == HG_BURSTS_MAX) { /* the newest place takes it: it stays longer, never shorter */
        at = (b->head + b->count - 1) % HG_BURSTS_MAX;
    } else {
        b->count++;
        b->delta[at] = 0;
        b->vega[at] = 0;
    }
    b->time_ns[at] = now_ns;
    b->delta[at] = sum_or_most(b->delta[at], delta);
    b->vega[at] = sum_or_most(b->vega[at], vega);
    b->delta_sum += delta;
    b->vega_sum += vega;
}

static void watch_burst(hg_exec *exec, uint32_t u, double delta, double vega, int64_t now_ns) {
    hg_risk_underlying_state *r = &exec->risk->underlyings[u];
    const hg_limits *l = &r->limits;
    bursts_add(&r->bursts, now_ns, now_ns - l->burst_window_ns, nano_of(delta), nano_of(vega));
    double delta_sum = (double)r->bursts.delta_sum / 1e9;
    double vega_sum = (double)r->bursts.vega_sum / 1e9;
    if (!(delta_sum <= l->burst_delta_coins)) {
        hg_risk_cause cause = {HG_REJECT_BURST, delta_sum, l->burst_delta_coins,
                               "delta filled within the burst window"};
        hg_risk_freeze(exec, u, &cause, now_ns);
    } else if (!(vega_sum <= l->burst_vega_usd_per_point)) {
        hg_risk_cause cause = {HG_REJECT_BURST, vega_sum, l->burst_vega_usd_per_point,
                               "vega filled within the burst window"};
        hg_risk_freeze(exec, u, &cause, now_ns);
    }
}

/* --- fills ------------------------------------------------------------------------------------ */

/* Greeks of a lot that nobody can price are taken as large as they can be: a coin of delta, and the
 * vega of Black-76 at the money, S sqrt(T) / sqrt(2 pi), which no strike and no vol exceeds. There
 * is a spot: nothing is sent without one, and a spot does not go. */
static void most_of(const hg_exec *exec, uint32_t id, int64_t now_ns, hg_unit *unit) {
    const hg_instrument *inst = hg_universe_get(exec->universe, id);
    double lot = hg_nano_to_double(inst->lot);
    double spot = hg_market_underlying(exec->market, inst->underlying_id)->spot;
    double years = fmax((double)(inst->expiry_ns - now_ns), 0) / YEAR_NS;
    bool option = inst->kind == HG_KIND_OPTION;
    unit->delta = option || !inst->inverse ? lot : lot / spot;
    unit->vega = option ? lot * spot * sqrt(years) * 0.3989423 / 100 : 0;
}

hg_fill_effect hg_risk_before_fill(hg_exec *exec, const hg_slot *slot, int64_t now_ns) {
    hg_fill_effect effect;
    uint32_t id = slot->order.instrument;
    look(exec, underlying_of(exec, &slot->order), now_ns);
    effect.known = hg_portfolio_unit(exec->portfolio, id, now_ns, &effect.unit);
    if (!effect.known) {
        most_of(exec, id, now_ns, &effect.unit);
    }
    return effect;
}

void hg_risk_after_fill(hg_exec *exec, hg_slot *slot, const hg_fill_effect *effect,
                        const hg_event *fill, bool first) {
    const hg_order *order = &slot->order;
    uint32_t u = underlying_of(exec, order);
    hg_risk_underlying_state *r = &exec->risk->underlyings[u];
    double lots = (double)fill->order.size * order->side;
    double delta = lots * effect->unit.delta;
    double vega = lots * effect->unit.vega;
    r->last_delta += delta; /* what is left at the next look is drift */
    if (!effect->known) {
        r->touched = false; /* nobody can tell what of the next look will be drift */
    } else if (!slot->hedge) {
        r->drift += delta;
        r->drift_abs += fabs(delta);
    }
    watch_burst(exec, u, delta, vega, fill->time_ns);
    if (order->strategy >= HG_STRATEGIES_MAX) { /* either: above it is nobody but ANY */
        return;
    }
    if (slot->hedge) {
        watch_volume(exec, order, u, fabs(delta), fabs(effect->unit.delta), fill->time_ns);
    }
    if (first) {
        watch_repeats(exec, order, fill->time_ns);
    }
}

/* --- 14: the money of the day ----------------------------------------------------------------- */

/* Whether the P&L is known and rests on fresh marks. */
static bool sighted(const hg_exec *exec, const hg_pnl *pnl, int64_t now_ns) {
    bool good = pnl->known;
    for (uint32_t u = 0; u < hg_universe_underlying_count(exec->universe); u++) {
        good = good &&
               hg_portfolio_exposure(exec->portfolio, u, now_ns)->quality == HG_QUALITY_GOOD;
    }
    return good;
}

static void blind(hg_exec *exec, int64_t now_ns) {
    hg_risk *risk = exec->risk;
    if (risk->blind_since_ns == INT64_MAX) {
        risk->blind_since_ns = now_ns;
    }
    int64_t for_ns = now_ns - risk->blind_since_ns;
    if (for_ns >= risk->limits.blind_ns) {
        hg_risk_cause cause = {HG_REJECT_BLIND, (double)for_ns / 1e9,
                               (double)risk->limits.blind_ns / 1e9,
                               "no P&L from fresh marks: the loss is not known"};
        hg_risk_enter(exec, HG_RISK_REDUCING, &cause, HG_KILL_PAUSE, now_ns);
    }
}

static void judge_loss(hg_exec *exec, int64_t now_ns) {
    hg_risk *risk = exec->risk;
    const hg_limits *l = &risk->limits;
    double loss = risk->day_start - risk->pnl;
    double fall = risk->day_peak - risk->pnl;
    if (!(loss < l->loss_halt_usd)) {
        hg_risk_cause cause = {HG_REJECT_LOSS, loss, l->loss_halt_usd, "loss of the day in USD"};
        hg_risk_enter(exec, HG_RISK_HALTED, &cause, HG_KILL_CANCEL, now_ns);
    } else if (!(fall < l->drawdown_halt_usd)) {
        hg_risk_cause cause = {HG_REJECT_DRAWDOWN, fall, l->drawdown_halt_usd,
                               "fall from the peak of the day in USD"};
        hg_risk_enter(exec, HG_RISK_HALTED, &cause, HG_KILL_CANCEL, now_ns);
    } else if (!(loss < l->loss_reduce_usd)) {
        hg_risk_cause cause = {HG_REJECT_LOSS, loss, l->loss_reduce_usd, "loss of the day in USD"};
        hg_risk_enter(exec, HG_RISK_REDUCING, &cause, HG_KILL_PAUSE, now_ns);
    } else if (!(fall < l->drawdown_reduce_usd)) {
        hg_risk_cause cause = {HG_REJECT_DRAWDOWN, fall, l->drawdown_reduce_usd,
                               "fall from the peak of the day in USD"};
        hg_risk_enter(exec, HG_RISK_REDUCING, &cause, HG_KILL_PAUSE, now_ns);
    }
}

void hg_risk_watch_loss(hg_exec *exec, int64_t now_ns) {
    hg_risk *risk = exec->risk;
    hg_pnl pnl;
    if (!risk->named) {
        return; /* a session without a strategy: nobody trades */
    }
    hg_portfolio_pnl(exec->portfolio, now_ns, &pnl);
    risk->pnl_known = sighted(exec, &pnl, now_ns);
    if (!risk->pnl_known) {
        blind(exec, now_ns);
        return;
    }
    risk->blind_since_ns = INT64_MAX;
    hg_risk_leave_blind(exec, now_ns);
    risk->pnl = pnl.hedged;
    int64_t day = now_ns / DAY_NS;
    if (risk->day != day && risk->day != 0) {
        risk->day_start = pnl.hedged;
        risk->day_peak = pnl.hedged;
    }
    risk->day = day;
    risk->day_peak = fmax(risk->day_peak, pnl.hedged);
    judge_loss(exec, now_ns);
}
