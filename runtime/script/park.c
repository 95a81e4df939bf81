/*
 * What errors lead to. An error of a callback is counted by what it says and where, told once and
 * then at its 10th, 100th, ... time, and costs the strategy one unit of its error budget. Beyond
 * the budget, and at once when a callback was cut off in the middle (CPU budget, memory), the
 * strategy is parked: silent, with its orders cancelled or kept as the session wishes, until it is
 * resumed. Pausing is the same by a person's hand.
 */
#include "base/hash.h"
#include "base/text.h"
#include "script/script_int.h"

#include <string.h>

const char *hg_script_state_name(hg_script_state state) {
    static const char *const names[] = {"loaded", "running", "stopped",
                                        "parked", "paused",  "suspended"};
    return names[state];
}

/* ---- counting -------------------------------------------------------------------------------- */
static hg_fault *find_fault(hg_script *s) {
    size_t len = strcspn(s->error, "\n");
    uint64_t hash = hg_hash_bytes(HG_HASH_INIT, s->error, len);
    for (uint32_t i = 0; i < s->fault_count; i++) {
        if (s->faults[i].hash == hash) return &s->faults[i];
    }
    if (s->fault_count == HG_FAULTS_MAX) return &s->faults[HG_FAULTS_MAX - 1];
    hg_fault *f = &s->faults[s->fault_count++];
    f->hash = hash;
    f->count = 0;
    bool last = s->fault_count == HG_FAULTS_MAX;
    hg_text_copy(f->text, sizeof f->text, last ? "other errors" : s->error);
    f->text[strcspn(f->text, "\n")] = '\0';
    return f;
}

static bool is_power_of_ten(uint64_t n) {
    while (n >= 10 && n % 10 == 0) n /= 10;
    return n == 1;
}

static bool is_over_budget(hg_script *s) {
    uint32_t max = s->env->errors_max;
    if (max > HG_ERRORS_MAX) max = HG_ERRORS_MAX;
    int64_t now = hg_script_now(s);
    s->fault_ns[s->fault_total++ % HG_ERRORS_MAX] = now;
    s->fault_row++;
    if (max == 0 || s->fault_row >= max) return true;
    if (s->fault_total < max) return false;
    int64_t first = s->fault_ns[(s->fault_total - max) % HG_ERRORS_MAX];
    return now - first <= s->env->errors_window_ns;
}

void hg_script_failed(hg_script *s, uint32_t task, bool fatal) {
    hg_fault *f = find_fault(s);
    f->count++;
    s->stats.errors++;
    bool starting = s->why != NULL; /* on_start and on_stop leave no second chance */
    if (is_over_budget(s) || fatal || starting || s->probation) {
        hg_script_park(s);
        return;
    }
    if (s->env->error && is_power_of_ten(f->count)) {
        s->env->error(s->env->context, s, s->error, f->count);
    }
    if (hg_task_renew(s, task) < 0) {
        hg_script_park(s);
    } else {
        hg_task_release(s, task);
    }
}

bool hg_script_fault(const hg_script *s, size_t k, const char **text, uint64_t *count) {
    if (k >= s->fault_count) return false;
    *text = s->faults[k].text;
    *count = s->faults[k].count;
    return true;
}

/* ---- parking --------------------------------------------------------------------------------- */
void hg_script_park(hg_script *s) {
    if (s->state == HG_SCRIPT_FAILED) return;
    s->state = HG_SCRIPT_FAILED;
    if (s->stats.errors == 0) s->stats.errors = 1;
    hg_timer_clear(s);
    hg_plan_drop_all(s);
    if (s->env->on_park == HG_PARK_KEEP || s->probation) return;
    hg_exec_cancel_all(s->env->exec, s->index, HG_ID_NONE, hg_script_now(s));
}

int hg_script_pause(hg_script *s) {
    if (s->state != HG_SCRIPT_RUNNING) {
        return HG_ERR(HG_ESTATE, "%s is %s: only a running strategy can be paused", s->name,
                      hg_script_state_name(s->state));
    }
    s->state = HG_SCRIPT_PAUSED;
    hg_timer_clear(s);
    hg_plan_drop_all(s);
    hg_exec_cancel_all(s->env->exec, s->index, HG_ID_NONE, hg_script_now(s));
    return 0;
}

/* ---- resuming -------------------------------------------------------------------------------- */
static void forget(hg_batch *b, uint32_t words) {
    memset(b->bits, 0, words * sizeof *b->bits);
    b->low = UINT32_MAX;
    b->high = 0;
    b->open = false;
}

/* Tasks that were waiting, or failed, start over. */
static int renew_tasks(hg_script *s) {
    bool idle[HG_TASKS_MAX] = {false};
    for (uint32_t i = 0; i < s->free_count; i++) idle[s->free_tasks[i]] = true;
    for (uint32_t i = 0; i < s->task_count; i++) {
        if (idle[i]) continue;
        int rc = hg_task_renew(s, i);
        if (rc < 0) return rc;
        hg_task_release(s, i);
    }
    return 0;
}

bool hg_script_is_lost(const hg_script *s) {
    return !s->lua;
}

int hg_script_resume(hg_script *s) {
    bool can = s->state == HG_SCRIPT_PAUSED || s->state == HG_SCRIPT_FAILED;
    if (!can || !s->subscribed) {
        return HG_ERR(HG_ESTATE, "%s is %s: only a paused or parked strategy can be resumed",
                      s->name, hg_script_state_name(s->state));
    }
    if (hg_script_is_lost(s)) {
        return HG_ERR(HG_ESTATE,
                      "%s was stopped in the middle of a step: its state is lost; "
                      "change its file or reload it",
                      s->name);
    }
    lua_gc(s->lua, LUA_GCCOLLECT);
    lua_gc(s->lua, LUA_GCSTOP);
    int rc = renew_tasks(s);
    if (rc < 0) return rc;
    uint32_t words = hg_universe_count(s->env->universe) / 64 + 1;
    forget(&s->ticks, words);
    forget(&s->depths, words);
    const uint32_t *held;
    uint32_t held_count = hg_portfolio_held(s->env->portfolio, &held);
    for (uint32_t i = 0; i < held_count; i++) hg_subscribe_held(s, held[i]);
    s->fault_total = s->fault_row = 0;
    s->moment_fired = 0;
    s->error[0] = '\0';
    s->state = HG_SCRIPT_RUNNING;
    s->why = "resume";
    hg_script_call(s, HG_CB_START, hg_script_load_budget(s));
    s->why = NULL;
    return s->state == HG_SCRIPT_FAILED ? HG_ERR(HG_ESTRATEGY, "%s", s->error) : 0;
}
