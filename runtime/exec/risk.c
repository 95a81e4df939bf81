/* The risk gate: who may trade at all, and at which rate. Permission and state come first, then the
 * order by itself, its data and price, then what it would do to positions and exposure, and the
 * rate last, so that a refused order costs no token (risk_controls.c has the order).
 *
 * Invariants: unknown, stale and not finite refuse; orders without an answer count in full; an
 * order is measured by what it adds on the side it moves to, so one that lowers a breached Greek
 * passes. Anchors: SEC 15c3-5, MiFID II RTS 6 articles 12 to 16, FIA risk controls. */
#include "base/assert.h"
#include "base/clock.h"
#include "base/pages.h"
#include "base/text.h"
#include "exec/exec_int.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- rate ------------------------------------------------------------------------------------- */

#define TOKEN INT64_C(1000000000)
#define BURST_SECONDS 4
#define CANCEL_SHARE 20 /* per cent of the venue's bucket that only cancels may use */
#define RATE_SECONDS 3  /* seconds in a row with too many orders that pause a strategy */

void hg_bucket_init(hg_bucket *bucket, uint32_t rate) {
    hg_assert(rate > 0);
    *bucket = (hg_bucket){.level = (int64_t)rate * BURST_SECONDS * TOKEN, .rate = rate};
}

static int64_t bucket_full(const hg_bucket *bucket) {
    return (int64_t)bucket->rate * BURST_SECONDS * TOKEN;
}

bool hg_bucket_has(hg_bucket *bucket, int64_t now_ns, int keep) {
    int64_t full = bucket_full(bucket);
    int64_t dt = now_ns - bucket->time_ns;
    if (dt > 0) {                                          /* either: nothing flows in no time */
        bool refilled = dt >= BURST_SECONDS * HG_NS_PER_S; /* either: the sum is full as well */
        int64_t level = refilled ? full : bucket->level + dt * bucket->rate;
        bucket->level = level < full ? level : full; /* either: equal is equal */
        bucket->time_ns = now_ns;
    }
    return bucket->level >= TOKEN + full / 100 * keep;
}

bool hg_bucket_take(hg_bucket *bucket, int64_t now_ns, int keep) {
    bool has = hg_bucket_has(bucket, now_ns, keep);
    bucket->level -= has ? TOKEN : 0;
    return has;
}

/* --- refusals --------------------------------------------------------------------------------- */

hg_reject hg_refuse(hg_refusal *refusal, hg_reject code, double value, double limit,
                    const char *fmt, ...) {
    hg_assert(code != HG_REJECT_NONE && code < HG_REJECTS);
    refusal->code = code;
    refusal->value = value;
    refusal->limit = limit;
    va_list args;
    va_start(args, fmt);
    vsnprintf(refusal->text, sizeof refusal->text, fmt, args);
    va_end(args);
    return code;
}

/* --- 21: permission --------------------------------------------------------------------------- */

static hg_reject check_known(judgement *j) {
    const hg_universe *universe = j->exec->universe;
    uint32_t id = j->request->instrument;
    if (id >= hg_universe_count(universe)) {
        return hg_refuse(j->refusal, HG_REJECT_INSTRUMENT, NAN, NAN, "unknown instrument");
    }
    j->inst = hg_universe_get(universe, id);
    j->state = hg_market_get(j->exec->market, id);
    j->underlying = &j->risk->underlyings[j->inst->underlying_id];
    j->limits = &j->underlying->limits;
    j->spot = hg_market_underlying(j->exec->market, j->inst->underlying_id)->spot;
    return HG_REJECT_NONE;
}

static hg_reject check_account(const judgement *j) {
    const hg_limit_extra *extra = j->risk->limits.extra;
    const char *venue = j->exec->venue->ops->name;
    if (j->risk->lease_lost) {
        return hg_refuse(j->refusal, HG_REJECT_PERMISSION, NAN, NAN,
                         "another process holds the right to trade");
    }
    if (extra && extra->venue[0] && strcmp(extra->venue, venue) != 0) {
        return hg_refuse(j->refusal, HG_REJECT_PERMISSION, NAN, NAN,
                         "orders may go to %s, this is %s", extra->venue, venue);
    }
    if (extra && extra->account[0] && strcmp(extra->account, j->risk->account) != 0) {
        return hg_refuse(j->refusal, HG_REJECT_PERMISSION, NAN, NAN,
                         "orders may go to the account '%s', this is '%s'", extra->account,
                         j->risk->account);
    }
    return HG_REJECT_NONE;
}

hg_reject hg_check_permission(judgement *j) {
    hg_reject code = check_known(j);
    if (code != HG_REJECT_NONE) {
        return code;
    }
    code = check_account(j);
    if (code != HG_REJECT_NONE || j->view->operator_order) {
        return code;
    }
    if (j->request->strategy >= HG_STRATEGIES_MAX) {
        return hg_refuse(j->refusal, HG_REJECT_PERMISSION, j->request->strategy, HG_STRATEGIES_MAX,
                         "unknown strategy %u", j->request->strategy);
    }
    j->strategy = &j->risk->strategies[j->request->strategy];
    uint8_t side = j->request->side == HG_BUY ? HG_PERMIT_BUY : HG_PERMIT_SELL;
    if (!(j->strategy->permits[j->inst->id] & side)) {
        return hg_refuse(j->refusal, HG_REJECT_PERMISSION, NAN, NAN, "%s may not %s %s",
                         j->strategy->name[0] ? j->strategy->name : "this strategy",
                         hg_side_name(j->request->side), j->inst->name);
    }
    return HG_REJECT_NONE;
}

/* --- 16 and 14: state ------------------------------------------------------------------------- */

hg_reject hg_check_state(judgement *j) {
    if (j->view->operator_order) {
        return HG_REJECT_NONE;
    }
    if (j->risk->state == HG_RISK_HALTED) {
        return hg_refuse(j->refusal, HG_REJECT_HALTED, NAN, NAN, "trading is halted: %s",
                         j->risk->why);
    }
    if (j->strategy->state == HG_RISK_PAUSED) {
        return hg_refuse(j->refusal, HG_REJECT_PAUSED, NAN, NAN, "%s is paused: %s",
                         j->strategy->name[0] ? j->strategy->name : "the strategy",
                         j->strategy->why);
    }
    if (j->underlying->state == HG_RISK_FROZEN && j->now_ns < j->underlying->thaw_ns) {
        bool manual = j->underlying->thaw_ns == INT64_MAX;
        double left_s = manual ? NAN : (double)(j->underlying->thaw_ns - j->now_ns) / 1e9;
        return hg_refuse(j->refusal, HG_REJECT_FROZEN, left_s, NAN, "%s is frozen after a burst%s",
                         j->inst->underlying, manual ? " until the operator re-arms it" : "");
    }
    return HG_REJECT_NONE;
}

/* --- 20: reconcile ---------------------------------------------------------------------------- */

/* Whether the order only closes, as far as its size is valid at all. */
static void prepare(judgement *j) {
    const hg_order_request *r = j->request;
    hg_lots size = 0;
    bool more = hg_size_from_double(j->inst, r->size, &size) && size > j->view->filled;
    if (more && (r->side == HG_BUY || r->side == HG_SELL)) {
        j->add = size - j->view->filled;
        hg_lots held = hg_portfolio_get(j->exec->portfolio, j->inst->id)->lots;
        j->reducing = j->add <= hg_reduce_room(j->view, r->side, held);
    }
}

hg_reject hg_check_reconciled(judgement *j) {
    prepare(j);
    if (j->risk->reconciling && !j->reducing) {
        return hg_refuse(j->refusal, HG_REJECT_RECONCILING, NAN, NAN,
                         "positions and orders are being compared with the venue's");
    }
    return HG_REJECT_NONE;
}

/* --- 8: what a passed order costs --------------------------------------------------------------
 */

/* Too many orders in several seconds in a row: not a burst, a script that does not stop. */
static void count_rate(hg_exec *exec, uint16_t strategy, const hg_refusal *refusal,
                       int64_t now_ns) {
    hg_risk_strategy_state *s = &exec->risk->strategies[strategy];
    int64_t second = now_ns / HG_NS_PER_S;
    if (s->rate_seconds == 0 || second != s->rate_second) {
        s->rate_seconds = second == s->rate_second + 1 ? s->rate_seconds + 1 : 1;
        s->rate_second = second;
    }
    if (s->rate_seconds >= RATE_SECONDS) {
        hg_risk_cause cause = {HG_REJECT_RATE, refusal->value, refusal->limit,
                               "too many orders for three seconds in a row"};
        hg_risk_pause(exec, strategy, &cause, now_ns);
    }
}

hg_reject hg_risk_spend(hg_exec *exec, const hg_risk_view *view, const hg_order_request *request,
                        int64_t now_ns, hg_refusal *refusal) {
    hg_risk *risk = exec->risk;
    if (view->operator_order) {
        hg_bucket_take(&risk->messages, now_ns, 0);
        return HG_REJECT_NONE;
    }
    hg_bucket *own = &risk->strategies[request->strategy].bucket;
    hg_reject code = HG_REJECT_NONE;
    if (!hg_bucket_has(own, now_ns, 0)) {
        code = hg_refuse(refusal, HG_REJECT_RATE, own->rate + 1.0, own->rate,
                         "more than %u orders per second of one strategy", own->rate);
    } else if (!hg_bucket_has(&risk->bucket, now_ns, 0)) {
        code = hg_refuse(refusal, HG_REJECT_RATE, risk->bucket.rate + 1.0, risk->bucket.rate,
                         "more than %u orders per second", risk->bucket.rate);
    } else if (!hg_bucket_take(&risk->messages, now_ns, CANCEL_SHARE)) {
        uint32_t rate = risk->messages.rate;
        code = hg_refuse(refusal, HG_REJECT_RATE, rate + 1.0, rate,
                         "more than %u messages per second (the rest is kept for cancels)", rate);
    }
    if (code != HG_REJECT_NONE) {
        count_rate(exec, request->strategy, refusal, now_ns);
        return code;
    }
    hg_bucket_take(own, now_ns, 0);
    hg_bucket_take(&risk->bucket, now_ns, 0);
    return HG_REJECT_NONE;
}

void hg_risk_passed(hg_exec *exec, hg_slot *slot, int64_t now_ns) {
    hg_risk_clear_path(exec, &slot->order, now_ns);
    hg_risk_remember(exec, &slot->order, now_ns);
    hg_risk_sent(exec, slot, now_ns);
}

bool hg_risk_cancel_token(hg_exec *exec, int64_t now_ns) {
    return hg_bucket_take(&exec->risk->messages, now_ns, 0) || exec->risk->forced;
}

/* --- memory of refusals ------------------------------------------------------------------------
 */

/* Who sends again when told of a refusal is told again at once: nothing but the code itself can end
 * that, since neither the clock nor the market moves meanwhile. */
static void count_at_once(hg_exec *exec, uint16_t strategy, const hg_refusal *refusal,
                          int64_t now_ns) {
    hg_risk_strategy_state *s = &exec->risk->strategies[strategy];
    if (exec->risk->told != strategy || exec->risk->told_ns != now_ns) {
        return;
    }
    s->at_once = now_ns == s->at_once_ns ? s->at_once + 1 : 1;
    s->at_once_ns = now_ns;
    if (s->at_once >= s->limits.refusals_at_once) {
        char text[sizeof s->why];
        snprintf(text, sizeof text, "sends again at each refusal, the last one for %s",
                 hg_reject_code(refusal->code));
        hg_risk_cause cause = {HG_REJECT_STORM, s->at_once, s->limits.refusals_at_once, text};
        hg_risk_pause(exec, strategy, &cause, now_ns);
    }
}

bool hg_risk_refused(hg_exec *exec, const hg_order_request *request, uint64_t order,
                     const hg_refusal *refusal, int64_t now_ns) {
    hg_risk *risk = exec->risk;
    exec->stats.refused++;
    exec->stats.refused_by[refusal->code]++;
    uint64_t place = risk->refusal_count++ & (HG_REFUSALS_MAX - 1);
    risk->refusals[place] = *refusal;
    risk->refusal_order[place] = order;
    if (request->strategy >= HG_STRATEGIES_MAX) {
        return true;
    }
    hg_risk_strategy_state *s = &risk->strategies[request->strategy];
    bool was_paused = s->state == HG_RISK_PAUSED;
    int64_t second = now_ns / HG_NS_PER_S;
    s->refusals = second == s->refusal_second ? s->refusals + 1 : 1;
    s->refusal_second = second;
    if (refusal->code == HG_REJECT_REPEAT) {
        hg_risk_cause cause = {refusal->code, refusal->value, refusal->limit, refusal->text};
        hg_risk_pause(exec, request->strategy, &cause, now_ns);
    }
    count_at_once(exec, request->strategy, refusal, now_ns);
    if (s->refusals >= s->limits.refusals_per_second) {
        hg_risk_cause cause = {HG_REJECT_STORM, s->refusals, s->limits.refusals_per_second,
                               "too many refused orders in a second"};
        hg_risk_pause(exec, request->strategy, &cause, now_ns);
    }
    return !was_paused;
}

const hg_refusal *hg_exec_refusal(const hg_exec *exec, uint64_t order) {
    const hg_risk *risk = exec->risk;
    uint64_t count = risk->refusal_count;
    uint64_t kept = count < HG_REFUSALS_MAX ? count : HG_REFUSALS_MAX; /* either: equal is equal */
    for (uint64_t k = 1; k <= kept; k++) {
        uint64_t place = (risk->refusal_count - k) & (HG_REFUSALS_MAX - 1);
        if (risk->refusal_order[place] == order && order != 0) {
            return &risk->refusals[place];
        }
    }
    return NULL;
}

const hg_refusal *hg_exec_refusal_back(const hg_exec *exec, uint32_t back, uint64_t *order) {
    const hg_risk *risk = exec->risk;
    if (back >= risk->refusal_count || back >= HG_REFUSALS_MAX) {
        return NULL;
    }
    uint64_t place = (risk->refusal_count - 1 - back) & (HG_REFUSALS_MAX - 1);
    *order = risk->refusal_order[place];
    return &risk->refusals[place];
}

/* --- counts ------------------------------------------------------------------------------------
 */

void hg_risk_pending(hg_exec *exec, uint32_t instrument) {
    hg_risk *risk = exec->risk;
    bool is = exec->per[instrument].buy != 0 || exec->per[instrument].sell != 0;
    uint32_t place = risk->pending_place[instrument];
    if (is && place == 0) {
        risk->pending[risk->pending_count] = instrument;
        risk->pending_place[instrument] = ++risk->pending_count;
    } else if (!is && place != 0) {
        uint32_t last = risk->pending[--risk->pending_count];
        risk->pending[place - 1] = last;
        risk->pending_place[last] = place;
        risk->pending_place[instrument] = 0;
    }
}

void hg_risk_opened(hg_exec *exec, const hg_order *order, int by) {
    if (order->strategy < HG_STRATEGIES_MAX) { /* either: above it is nobody but ANY */
        uint32_t *open = &exec->risk->strategies[order->strategy].open;
        hg_assert(by > 0 || *open > 0);
        *open = (uint32_t)((int64_t)*open + by);
    }
}

/* --- life ---------------------------------------------------------------------------------------
 */

static bool permitted(const char *patterns, const char *name) {
    char one[HG_NAME_MAX + 1];
    patterns += strspn(patterns, ", ");
    while (*patterns) {
        size_t len = strcspn(patterns, ", ");
        if (len < sizeof one) {
            memcpy(one, patterns, len);
            one[len] = '\0';
            if (hg_text_match(one, name)) {
                return true;
            }
        }
        patterns += len;
        patterns += strspn(patterns, ", ");
    }
    return false;
}

static uint8_t permit_bits(const hg_permit *permit, const char *name) {
    static const uint8_t sides[] = {HG_PERMIT_BUY | HG_PERMIT_SELL, HG_PERMIT_BUY, HG_PERMIT_SELL};
    bool listed = !permit->instruments[0] || permitted(permit->instruments, name);
    return listed ? sides[permit->sides] : 0;
}

/* What the session and the strategy's own list both allow. */
static void permits_read(const hg_exec *exec, hg_risk_strategy_state *s) {
    const hg_limit_extra *extra = s->limits.extra;
    for (uint32_t id = 0; id < hg_universe_count(exec->universe); id++) {
        s->permits[id] = HG_PERMIT_BUY | HG_PERMIT_SELL;
        for (uint32_t k = 0; extra && k < extra->permit_count; k++) {
            const hg_permit *permit = &extra->permits[k];
            bool mine = !permit->strategy[0] || strcmp(permit->strategy, s->name) == 0;
            uint8_t bits = permit_bits(permit, hg_universe_get(exec->universe, id)->name);
            s->permits[id] &= mine ? bits : UINT8_MAX;
        }
    }
}

static void strategy_limits(const hg_exec *exec, hg_risk *risk, hg_risk_strategy_state *s) {
    hg_limits_of(&risk->limits, HG_SCOPE_STRATEGY, s->name, &s->limits);
    hg_limits_complete(&s->limits);
    s->limits.repeated_orders = s->limits.repeated_orders < HG_REPEATS_MAX
                                    ? s->limits.repeated_orders
                                    : HG_REPEATS_MAX - 1;
    hg_bucket_init(&s->bucket, s->limits.strategy_orders_per_second);
    permits_read(exec, s);
}

void hg_exec_strategy(hg_exec *exec, uint16_t strategy, const char *name) {
    hg_assert(exec && strategy < HG_STRATEGIES_MAX && name);
    hg_risk_strategy_state *s = &exec->risk->strategies[strategy];
    hg_text_copy(s->name, sizeof s->name, name);
    exec->risk->named = true;
    strategy_limits(exec, exec->risk, s);
}

static bool strategy_init(const hg_exec *exec, hg_risk *risk, hg_risk_strategy_state *s) {
    uint32_t instruments = hg_universe_count(exec->universe);
    uint32_t underlyings = hg_universe_underlying_count(exec->universe);
    s->permits = calloc(instruments + 1, sizeof *s->permits);
    s->repeats.by_key = calloc(2 * (size_t)instruments + 1, sizeof *s->repeats.by_key);
    s->hedges = calloc(underlyings + 1, sizeof *s->hedges);
    if (!s->permits || !s->repeats.by_key || !s->hedges) {
        return false;
    }
    strategy_limits(exec, risk, s);
    return true;
}

hg_risk *hg_risk_new(const hg_exec *exec, const hg_exec_options *options) {
    hg_risk *risk = hg_pages_new(1, sizeof *risk);
    if (!risk) {
        return NULL;
    }
    risk->limits = options->limits;
    hg_limits_complete(&risk->limits);
    hg_text_copy(risk->account, sizeof risk->account, options->account ? options->account : "");
    hg_bucket_init(&risk->bucket, risk->limits.orders_per_second);
    hg_bucket_init(&risk->messages, risk->limits.messages_per_second);
    risk->blind_since_ns = INT64_MAX;
    risk->told = HG_STRATEGY_ANY;
    uint32_t instruments = hg_universe_count(exec->universe);
    uint32_t underlyings = hg_universe_underlying_count(exec->universe);
    risk->underlyings = calloc(underlyings + 1, sizeof *risk->underlyings);
    risk->pending = calloc(instruments + 1, sizeof *risk->pending);
    risk->pending_place = calloc(instruments + 1, sizeof *risk->pending_place);
    bool ok = risk->underlyings && risk->pending && risk->pending_place;
    for (size_t i = 0; ok && i < HG_STRATEGIES_MAX; i++) {
        ok = strategy_init(exec, risk, &risk->strategies[i]);
    }
    if (!ok) {
        hg_risk_free(risk);
        return NULL;
    }
    for (uint32_t u = 0; u < underlyings; u++) {
        hg_limits *own = &risk->underlyings[u].limits;
        const char *name = hg_universe_underlying(exec->universe, u)->name;
        hg_limits_of(&risk->limits, HG_SCOPE_UNDERLYING, name, own);
    }
    return risk;
}

void hg_risk_free(hg_risk *risk) {
    if (!risk) {
        return;
    }
    for (size_t i = 0; i < HG_STRATEGIES_MAX; i++) {
        free(risk->strategies[i].permits);
        free(risk->strategies[i].repeats.by_key);
        free(risk->strategies[i].hedges);
    }
    free(risk->underlyings);
    free(risk->pending);
    free(risk->pending_place);
    hg_pages_free(risk);
}

void hg_exec_reconcile(hg_exec *exec, bool under_way) {
    exec->risk->reconciling = under_way;
}

void hg_exec_lease(hg_exec *exec, bool held) {
    exec->risk->lease_lost = !held;
}

void hg_exec_clock_offset(hg_exec *exec, int64_t offset_ns) {
    exec->risk->clock_offset_ns = offset_ns;
}

void hg_exec_margin(hg_exec *exec, const hg_margin_hook *hook) {
    exec->risk->margin = hook ? *hook : (hg_margin_hook){0};
}

const hg_limits *hg_exec_limits(const hg_exec *exec) {
    return &exec->risk->limits;
}
