/* The protocol of hot reload. Everything happens in hg_reload_poll, between two events, in pieces.
 *
 * Invariants: core->scripts[i] is at every event exactly one running (or failed) script; a script
 * that is not there hears nothing; orders are never touched by an exchange; of all states of one
 * strategy at most four exist: running, suspended, rehearsing, about to follow. */
#include "app/reload_int.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARE                                                                                      \
    5 /* of the time between events a busy session spends on reloads: one part in five             \
       */

hg_reload *hg_reload_new(hg_core *core) {
    hg_reload *r = calloc(1, sizeof *r);
    if (r) {
        r->core = core;
        r->rehearsing = HG_RELOAD_NOBODY;
    }
    return r;
}

hg_exec_observer hg_reload_observer(hg_reload *r, hg_exec_observer inner) {
    r->recorder.core = r->core;
    return hg_recorder_observer(&r->recorder, inner);
}

static void slot_free(hg_reload_slot *slot) {
    hg_script_close(slot->next);
    hg_script_close(slot->old);
    hg_code_free(slot->tried);
    hg_code_free(slot->chosen);
    hg_code_free(slot->ready);
    hg_carry_fini(&slot->carry);
    free(slot->missed);
    for (uint32_t i = 0; i < slot->version_count; i++) {
        hg_code_free(slot->versions[i].code);
    }
}

void hg_reload_free(hg_reload *r) {
    if (!r) {
        return;
    }
    hg_watch_close(r->watch);
    if (r->opened) {
        hg_rehearsal_close(&r->rehearsal);
    }
    hg_recorder_close(&r->recorder);
    for (size_t i = 0; i < HG_SCRIPTS_MAX; i++) {
        slot_free(&r->slots[i]);
    }
    for (uint32_t i = 0; i < r->dying_count; i++) {
        hg_script_close(r->dying[i]);
    }
    if (r->core->tap_context == r) {
        r->core->tap = NULL;
    }
    free(r);
}

/* ---- listening ------------------------------------------------------------------------------- */
/* Answers to orders of a strategy whose old code is suspended are kept for it. */
static void keep_answer(hg_reload_slot *slot, const hg_event *event) {
    if (slot->missed_count < HG_RELOAD_MISSED_MAX) {
        slot->missed[slot->missed_count] = *event;
    }
    slot->missed_count++;
}

static void on_event(void *context, const hg_event *event, const hg_order *order) {
    hg_reload *r = context;
    hg_recorder_note(&r->recorder, event, order);
    if (order && order->strategy < HG_SCRIPTS_MAX && r->slots[order->strategy].old) {
        keep_answer(&r->slots[order->strategy], event);
    }
}

int hg_reload_open(hg_reload *r, const hg_reload_options *o, const hg_core_options *core_options,
                   const hg_book *book) {
    r->options = *o;
    r->options.probation_ns = o->probation_ns > 0 ? o->probation_ns : HG_RELOAD_PROBATION_NS;
    r->options.probation_calls = o->probation_calls > 0 ? o->probation_calls
                                                        : HG_RELOAD_PROBATION_CALLS;
    r->options.slice_ns = o->slice_ns > 0 ? o->slice_ns : HG_RELOAD_SLICE_NS;
    r->count = r->core->script_count;
    int rc = hg_recorder_open(&r->recorder, r->core, core_options, book);
    if (rc == HG_OK) {
        rc = hg_rehearsal_open(&r->rehearsal, &r->recorder, core_options);
        r->opened = rc == HG_OK;
    }
    if (rc == HG_OK) {
        rc = hg_rehearsal_prepare(&r->rehearsal);
    }
    for (size_t i = 0; i < r->count && rc == HG_OK; i++) {
        hg_reload_slot *slot = &r->slots[i];
        slot->missed = calloc(HG_RELOAD_MISSED_MAX, sizeof *slot->missed);
        rc = slot->missed ? hg_script_code(r->core->scripts[i], &slot->tried)
                          : HG_ERR(HG_ENOMEM, "reload");
        if (rc == HG_OK) {
            hg_version_keep(r, i, r->core->scripts[i], "running");
        }
    }
    if (rc == HG_OK) {
        r->core->tap_context = r;
        r->core->tap = on_event;
    }
    return rc;
}

static void watch_files(hg_reload *r, const hg_script *script) {
    const char *path = NULL;
    for (size_t k = 0; r->watch && script && (path = hg_script_file(script, k)) != NULL; k++) {
        if (hg_watch_add(r->watch, path) < 0) {
            hg_log(HG_LOG_DEBUG, "%s", hg_error_text());
        }
    }
}

int hg_reload_watch(hg_reload *r, hg_loop *loop) {
    int rc = hg_watch_open(loop, HG_RELOAD_QUIET_NS, &r->watch);
    for (size_t i = 0; i < r->count && rc == HG_OK; i++) {
        watch_files(r, r->core->scripts[i]);
    }
    if (rc == HG_OK) {
        (void)hg_watch_hangups(r->watch);
    }
    return rc;
}

/* ---- the end of old states ------------------------------------------------------------------- */
static void bury(hg_reload *r, hg_script *script) {
    if (!script) {
        return;
    }
    if (r->dying_count == HG_RELOAD_DYING_MAX) {
        hg_script_close(r->dying[0]);
        memmove(r->dying, r->dying + 1, --r->dying_count * sizeof *r->dying);
    }
    r->dying[r->dying_count++] = script;
}

static void dismantle(hg_reload *r) {
    if (r->dying_count > 0 && hg_script_dismantle(r->dying[0], r->options.slice_ns / 2)) {
        memmove(r->dying, r->dying + 1, --r->dying_count * sizeof *r->dying);
    }
}

/* ---- exchange -------------------------------------------------------------------------------- */
static void seat(hg_reload *r, size_t i, hg_script *script) {
    r->core->scripts[i] = script;
    r->core->due_ns = hg_core_due_ns(r->core);
}

static void begin_probation(hg_reload *r, size_t i, hg_script *old) {
    hg_reload_slot *slot = &r->slots[i];
    hg_script_stats stats;
    hg_script_stats_get(r->core->scripts[i], &stats);
    slot->probation = true;
    slot->since_ns = r->core->now_ns;
    slot->since_calls = stats.callbacks;
    slot->since_refusals = r->recorder.refusals[i];
    if (slot->old) {
        bury(r, old); /* it was on probation itself: what was confirmed last is kept */
    } else {
        hg_script_suspend(old);
        hg_version_mark(slot, hg_script_hash(old), "suspended");
        slot->old = old;
        slot->missed_count = 0;
    }
}

static void left_behind(const hg_script *old, char *buf, size_t size) {
    hg_script_pending left;
    hg_script_pending_get(old, &left);
    buf[0] = '\0';
    if (left.awaits + left.sleeps > 0) {
        snprintf(buf, size, "; %u awaits and %u sleeping tasks ended with the old code",
                 left.awaits, left.sleeps);
    }
}

/* Between two events: state, parameters and timers cross, on_start runs, the seat changes. */
static int swap(hg_reload *r, size_t i) {
    hg_reload_slot *slot = &r->slots[i];
    hg_script *old = r->core->scripts[i];
    hg_script *next = slot->next;
    char left[128];
    int64_t begin = hg_clock_monotonic_ns();
    int rc = hg_script_carry(old, &slot->carry);
    if (rc == HG_OK) {
        rc = hg_script_take(next, &slot->carry, false);
    }
    if (rc < 0) {
        return rc;
    }
    hg_reload_tell(r, i, "migrated", "ok", slot->carry.data ? "" : "no state", NULL);
    left_behind(old, left, sizeof left);
    hg_script_probation(next, true);
    rc = hg_script_succeed(next, old, hg_script_status(old) != HG_SCRIPT_PAUSED);
    if (rc < 0) {
        return rc;
    }
    seat(r, i, next);
    slot->next = NULL;
    begin_probation(r, i, old);
    r->pause_ns = hg_clock_monotonic_ns() - begin;
    r->slowest_swap_ns = r->pause_ns > r->slowest_swap_ns ? r->pause_ns : r->slowest_swap_ns;
    slot->reloads++;
    hg_version_keep(r, i, next, "probation");
    char changed[512], reason[768];
    hg_script_params_changed(next, old, changed, sizeof changed);
    snprintf(reason, sizeof reason, "on probation for %g s or %llu callbacks%s%s%s",
             (double)r->options.probation_ns / 1e9, (unsigned long long)r->options.probation_calls,
             left, *changed ? "; " : "", changed);
    hg_reload_tell(r, i, "swapped", "ok", reason, NULL);
    r->pause_ns = 0;
    return HG_OK;
}

/* ---- probation ------------------------------------------------------------------------------- */
/* The old code hears what became of orders while it was away. */
static void catch_up(hg_reload *r, hg_reload_slot *slot, hg_script *script) {
    uint32_t kept = slot->missed_count < HG_RELOAD_MISSED_MAX ? slot->missed_count
                                                              : HG_RELOAD_MISSED_MAX;
    slot->missed_count = 0;
    for (uint32_t k = 0; k < kept; k++) {
        const hg_order *order = hg_exec_get(r->core->exec, slot->missed[k].order.id);
        if (order) {
            hg_script_event(script, &slot->missed[k], order);
        }
    }
}

/* An attempt to follow code that no longer runs begins again, after the code that does. */
static void interrupt(hg_reload *r, size_t i) {
    hg_reload_slot *slot = &r->slots[i];
    if (slot->phase == HG_RELOAD_IDLE) {
        return;
    }
    hg_code *chosen = slot->chosen ? hg_code_hold(slot->chosen) : NULL;
    hg_reload_abandon(r, i);
    slot->chosen = chosen;
    slot->wanted = slot->asked = true; /* also where its files have been read already */
}

void hg_reload_undo(hg_reload *r, size_t i, const char *reason) {
    hg_reload_slot *slot = &r->slots[i];
    hg_script *failed = r->core->scripts[i];
    hg_script *old = slot->old;
    hg_assert(slot->probation && old);
    char text[512];
    interrupt(r, i);
    uint32_t lost = slot->missed_count > HG_RELOAD_MISSED_MAX
                        ? slot->missed_count - HG_RELOAD_MISSED_MAX
                        : 0;
    slot->probation = false;
    slot->old = NULL;
    slot->from = hg_script_hash(failed);
    slot->to = hg_script_hash(old);
    slot->rolled_back++;
    snprintf(text, sizeof text, "%s%s", reason, lost ? " (too many answers to retell all)" : "");
    char detail[4096];
    hg_text_copy(detail, sizeof detail, hg_script_error(failed));
    hg_version_mark(slot, slot->from, "rolled back");
    hg_version_mark(slot, slot->to, "running");
    hg_script_reinstate(old, failed);
    if (hg_script_status(failed) == HG_SCRIPT_PAUSED && hg_script_pause(old) < 0) {
        hg_error_clear(); /* it is not running anyway */
    }
    seat(r, i, old);
    hg_reload_tell(r, i, "rolled_back", "rolled_back", text, *detail ? detail : NULL);
    catch_up(r, slot, old);
    if (hg_script_status(old) == HG_SCRIPT_FAILED) {
        hg_exec_cancel_all(r->core->exec, (uint16_t)i, HG_ID_NONE, r->core->now_ns);
    }
    r->core->due_ns = hg_core_due_ns(r->core);
    bury(r, failed);
}

static void confirm(hg_reload *r, size_t i) {
    hg_reload_slot *slot = &r->slots[i];
    hg_script *script = r->core->scripts[i];
    char reason[96];
    hg_script_stats stats;
    hg_script_stats_get(script, &stats);
    slot->probation = false;
    slot->from = hg_script_hash(slot->old);
    slot->to = hg_script_hash(script);
    hg_script_probation(script, false);
    hg_version_mark(slot, slot->from, "before");
    hg_version_mark(slot, slot->to, "running");
    bury(r, slot->old);
    slot->old = NULL;
    snprintf(reason, sizeof reason, "%llu callbacks in %.3g s without a fault",
             (unsigned long long)(stats.callbacks - slot->since_calls),
             (double)(r->core->now_ns - slot->since_ns) / 1e9);
    hg_reload_tell(r, i, "confirmed", "ok", reason, NULL);
}

static void first_line(const char *text, char *buf, size_t size) {
    snprintf(buf, size, "%.*s", (int)strcspn(text, "\n"), text);
}

static void watch_probation(hg_reload *r, size_t i) {
    hg_reload_slot *slot = &r->slots[i];
    const hg_script *script = r->core->scripts[i];
    hg_script_stats stats;
    char reason[256];
    if (hg_script_status(script) == HG_SCRIPT_FAILED) {
        first_line(hg_script_error(script), reason, sizeof reason);
        hg_reload_undo(r, i, reason);
        return;
    }
    uint64_t refusals = r->recorder.refusals[i] - slot->since_refusals;
    if (refusals > HG_RELOAD_REFUSALS_MAX) {
        snprintf(reason, sizeof reason, "the risk gate refused %llu of its orders",
                 (unsigned long long)refusals);
        hg_reload_undo(r, i, reason);
        return;
    }
    if (hg_script_status(script) == HG_SCRIPT_PAUSED) {
        slot->since_ns = r->core->now_ns; /* it proves nothing by being silent */
        return;
    }
    hg_script_stats_get(script, &stats);
    if (r->core->now_ns - slot->since_ns >= r->options.probation_ns ||
        stats.callbacks - slot->since_calls >= r->options.probation_calls) {
        confirm(r, i);
    }
}

/* ---- attempts -------------------------------------------------------------------------------- */
void hg_reload_abandon(hg_reload *r, size_t i) {
    hg_reload_slot *slot = &r->slots[i];
    slot->phase = HG_RELOAD_IDLE;
    if (r->rehearsing == i) {
        hg_rehearsal_cancel(&r->rehearsal);
        bury(r, r->rehearsal.trial);
        r->rehearsal.trial = NULL;
        hg_rehearsal_end(&r->rehearsal);
        r->rehearsing = HG_RELOAD_NOBODY;
    }
    hg_code_free(slot->chosen);
    hg_code_free(slot->ready);
    slot->chosen = slot->ready = NULL;
    bury(r, slot->next);
    slot->next = NULL;
}

/* Keeps what this attempt has read, so that the same content is not tried again by itself. */
static void remember_tried(hg_reload *r, size_t i) {
    hg_reload_slot *slot = &r->slots[i];
    hg_code *code = NULL;
    if (r->rehearsal.trial && !slot->chosen && hg_script_code(r->rehearsal.trial, &code) == HG_OK) {
        hg_code_free(slot->tried);
        slot->tried = code;
    }
    watch_files(r, r->rehearsal.trial);
}

/* The record, or what the script's own frame says, as one line and as a detail. */
static void refuse(hg_reload *r, size_t i) {
    hg_reload_slot *slot = &r->slots[i];
    char line[256];
    char detail[4096];
    hg_text_copy(detail, sizeof detail, hg_error_text());
    const char *advice = hg_error_advice();
    size_t used = strlen(detail);
    if (advice && *advice && used < sizeof detail - 1) {
        snprintf(detail + used, sizeof detail - used, "\n = help: %s", advice);
    }
    first_line(detail, line, sizeof line);
    if (r->rehearsing == i && r->rehearsal.trial) {
        slot->to = hg_script_hash(r->rehearsal.trial);
        remember_tried(r, i);
    }
    slot->refused++;
    hg_reload_tell(r, i, "refused", "refused", line, detail);
    hg_error_clear();
    hg_reload_abandon(r, i);
}

static void begin_attempt(hg_reload *r, size_t i) {
    hg_reload_slot *slot = &r->slots[i];
    hg_script *running = r->core->scripts[i];
    slot->wanted = false;
    slot->from = slot->to = hg_script_hash(running);
    if (!slot->chosen && hg_code_is_on_disk(slot->tried)) {
        bool same = hg_code_hash(slot->tried) == slot->from && !hg_script_is_lost(running);
        if (!slot->asked || same) {
            if (slot->asked) {
                hg_reload_tell(r, i, "loaded", "ok", "nothing has changed", NULL);
            }
            slot->asked = false;
            return;
        }
    }
    slot->asked = false;
    slot->phase = HG_RELOAD_REHEARSING;
    r->rehearsing = i;
    hg_rehearsal_begin(&r->rehearsal, running, slot->chosen);
}

static void tell_loaded(hg_reload *r, size_t i) {
    char reason[160];
    const hg_script *trial = r->rehearsal.trial;
    size_t files = 0;
    while (hg_script_file(trial, files)) {
        files++;
    }
    snprintf(reason, sizeof reason, "%zu file%s (%s)", files, files == 1 ? "" : "s",
             r->slots[i].cause);
    hg_reload_tell(r, i, "loaded", "ok", reason, NULL);
}

/* Another file may say the same: then there is nothing to do. */
static bool loaded(hg_reload *r, size_t i) {
    hg_reload_slot *slot = &r->slots[i];
    slot->to = hg_script_hash(r->rehearsal.trial);
    remember_tried(r, i);
    if (slot->to == slot->from && !hg_script_is_lost(r->core->scripts[i])) {
        hg_reload_abandon(r, i);
        return false;
    }
    tell_loaded(r, i);
    return true;
}

static bool too_wild(const hg_rehearsed *x) {
    return x->refusals > HG_RELOAD_REFUSALS_MAX && x->refusals > x->refusals_ran;
}

static void rehearsed(hg_reload *r, size_t i) {
    const hg_rehearsed *x = &r->rehearsal.result;
    char reason[640];
    char tail[64] = "";
    if (x->refusals + x->refusals_ran > 0) {
        snprintf(tail, sizeof tail, "; refused %u instead of %u", x->refusals, x->refusals_ran);
    }
    snprintf(reason, sizeof reason, "%s in the last %llu events (%.3g s)%s%s", x->text,
             (unsigned long long)x->events, (double)x->span_ns / 1e9, tail,
             x->cut ? "; the feed was faster, so not all were tried" : "");
    if (too_wild(x)) {
        (void)HG_ERR(HG_ERISK, "%s: more than the %u refusals a rehearsal may have", reason,
                     HG_RELOAD_REFUSALS_MAX);
        refuse(r, i);
        return;
    }
    hg_reload_tell(r, i, "rehearsed", "ok", reason, *x->first ? x->first : NULL);
    r->slots[i].phase = HG_RELOAD_LOADING;
}

static void rehearse(hg_reload *r, size_t i) {
    hg_rehearsal_phase before = r->rehearsal.phase;
    int rc = hg_rehearsal_step(&r->rehearsal, r->options.slice_ns);
    if (rc < 0) {
        refuse(r, i);
    } else if (before == HG_REHEARSE_LOAD && r->rehearsal.phase != before && !loaded(r, i)) {
        return;
    } else if (rc == 0) {
        rehearsed(r, i);
    }
}

/* What was rehearsed is loaded once more, in a state without a past. */
static int work_on_next(void *argument) {
    hg_reload *r = argument;
    size_t i = r->rehearsing;
    hg_reload_slot *slot = &r->slots[i];
    const hg_script *running = r->core->scripts[i];
    hg_rehearsal_clear(&r->rehearsal);
    int rc = hg_script_candidate(hg_script_env_of(running), running, slot->ready,
                                 &r->rehearsal.pace, &slot->next);
    if (rc == HG_OK) {
        hg_script_warm(slot->next, &r->rehearsal.carry);
        hg_script_unpace(slot->next);
    }
    return rc;
}

static int begin_next(hg_reload *r, hg_reload_slot *slot) {
    int rc = hg_script_code(r->rehearsal.trial, &slot->ready);
    bury(r, r->rehearsal.trial);
    r->rehearsal.trial = NULL;
    r->recorder.pin = UINT64_MAX;
    if (rc == HG_OK) {
        hg_pace_begin(&r->rehearsal.pace, work_on_next, r);
    } else {
        hg_rehearsal_clear(&r->rehearsal);
    }
    return rc;
}

static void load_next(hg_reload *r, size_t i) {
    hg_reload_slot *slot = &r->slots[i];
    int rc = slot->ready ? HG_OK : begin_next(r, slot);
    if (rc == HG_OK) {
        rc = hg_rehearsal_pace(&r->rehearsal, r->options.slice_ns);
    }
    if (rc > 0) {
        return;
    }
    r->rehearsing = HG_RELOAD_NOBODY;
    hg_code_free(slot->ready);
    slot->ready = NULL;
    if (rc < 0) {
        refuse(r, i);
        return;
    }
    slot->phase = HG_RELOAD_SWAPPING;
}

static void try_swap(hg_reload *r, size_t i) {
    hg_reload_slot *slot = &r->slots[i];
    if (r->recorder.batch_open || hg_script_status(r->core->scripts[i]) == HG_SCRIPT_STOPPED) {
        return;
    }
    if (swap(r, i) < 0) {
        refuse(r, i);
        return;
    }
    slot->phase = HG_RELOAD_IDLE;
    hg_code_free(slot->chosen);
    slot->chosen = NULL;
}

int hg_reload_apply(hg_reload *r, size_t i, const hg_code *code) {
    if (i >= r->count) {
        return HG_ERR(HG_EUSAGE, "no strategy number %zu", i + 1);
    }
    hg_reload_slot *slot = &r->slots[i];
    hg_reload_abandon(r, i);
    slot->from = hg_script_hash(r->core->scripts[i]);
    slot->to = hg_code_hash(code);
    const hg_script *running = r->core->scripts[i];
    int rc = hg_script_candidate(hg_script_env_of(running), running, code, NULL, &slot->next);
    if (rc == HG_OK) {
        rc = swap(r, i);
    }
    bury(r, slot->next); /* nothing, when it has taken the seat */
    slot->next = NULL;
    return rc;
}

static void work(hg_reload *r, size_t i) {
    hg_reload_slot *slot = &r->slots[i];
    switch (slot->phase) {
    case HG_RELOAD_IDLE:
        if (slot->wanted && r->rehearsing == HG_RELOAD_NOBODY) {
            begin_attempt(r, i);
        }
        break;
    case HG_RELOAD_REHEARSING:
        rehearse(r, i);
        break;
    case HG_RELOAD_LOADING:
        load_next(r, i);
        break;
    case HG_RELOAD_SWAPPING:
        try_swap(r, i);
        break;
    }
}

/* ---- polling --------------------------------------------------------------------------------- */
void hg_reload_want(hg_reload *r, size_t i, const char *cause, bool asked) {
    hg_reload_slot *slot = &r->slots[i];
    /* A save while an attempt is under way: that one is out of date. */
    if (slot->phase != HG_RELOAD_IDLE && !slot->chosen) {
        hg_reload_abandon(r, i);
    }
    slot->wanted = true;
    slot->asked = slot->asked || asked;
    slot->step = slot->outcome = NULL;
    slot->cause = cause;
}

static void take_notices(hg_reload *r) {
    if (!r->watch) {
        return;
    }
    bool saved = hg_watch_take(r->watch);
    bool hangup = hg_watch_hangups(r->watch) > 0;
    for (size_t i = 0; (saved || hangup) && i < r->count; i++) {
        hg_reload_slot *slot = &r->slots[i];
        bool stale = saved && !hg_code_is_on_disk(slot->tried);
        if (hangup || stale) {
            hg_reload_want(r, i, hangup ? "SIGHUP" : "saved", hangup);
        }
    }
}

static bool busy(const hg_reload *r) {
    bool more = r->dying_count > 0;
    for (size_t i = 0; i < r->count && !more; i++) {
        const hg_reload_slot *slot = &r->slots[i];
        more = slot->wanted || slot->phase == HG_RELOAD_REHEARSING ||
               slot->phase == HG_RELOAD_LOADING ||
               (slot->phase == HG_RELOAD_SWAPPING && !r->recorder.batch_open);
    }
    return more;
}

void hg_reload_guard(hg_reload *r) {
    for (size_t i = 0; i < r->count; i++) {
        if (r->slots[i].probation) {
            watch_probation(r, i);
        }
    }
}

/* For the next rehearsal, now that nobody waits. */
static void prepare(hg_reload *r) {
    if (r->opened && r->rehearsing == HG_RELOAD_NOBODY &&
        !hg_rehearsal_is_prepared(&r->rehearsal) && hg_rehearsal_prepare(&r->rehearsal) < 0) {
        hg_error_clear(); /* the rehearsal itself will say so */
    }
}

bool hg_reload_poll(hg_reload *r, bool idle) {
    hg_reload_guard(r);
    take_notices(r);
    if (!busy(r)) {
        if (idle) {
            prepare(r);
        }
        return false;
    }
    int64_t now = hg_clock_monotonic_ns();
    if (!idle && now < r->rest_until_ns) {
        return true;
    }
    /* In turn, so that both together take no longer than one slice. */
    r->turn = !r->turn;
    if (r->turn && r->dying_count > 0) {
        dismantle(r);
    } else {
        for (size_t i = 0; i < r->count; i++) {
            work(r, i);
        }
    }
    int64_t after = hg_clock_monotonic_ns();
    r->rest_until_ns = after + (SHARE - 1) * (after - now);
    return busy(r);
}

int64_t hg_reload_slowest_slice_ns(const hg_reload *r, hg_rehearsal_phase phase) {
    return r->rehearsal.slowest_ns[phase];
}

int64_t hg_reload_slowest_swap_ns(const hg_reload *r) {
    return r->slowest_swap_ns;
}
