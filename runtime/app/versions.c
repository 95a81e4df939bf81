/* What has run in a session, and what operators ask of hot reload: again, back, which versions. */
#include "app/reload_int.h"
#include "base/assert.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hg_reload_tell(hg_reload *r, size_t i, const char *step, const char *outcome,
                    const char *reason, const char *detail) {
    hg_reload_slot *slot = &r->slots[i];
    bool rehearsed = strcmp(step, "rehearsed") == 0;
    slot->step = step;
    slot->outcome = outcome;
    hg_text_copy(slot->reason, sizeof slot->reason, reason);
    hg_text_copy(slot->detail, sizeof slot->detail, detail ? detail : "");
    hg_reload_news news = {.strategy = hg_script_name(r->core->scripts[i]),
                           .from = slot->from,
                           .to = slot->to,
                           .step = step,
                           .outcome = outcome,
                           .reason = reason,
                           .detail = detail,
                           .rehearsed = rehearsed ? &r->rehearsal.result : NULL,
                           .pause_ns = r->pause_ns,
                           .event = r->core->events};
    if (r->options.tell) {
        r->options.tell(r->options.context, &news);
    }
}

/* ---- versions -------------------------------------------------------------------------------- */
static void forget_version(hg_reload_slot *slot, uint32_t k) {
    hg_code_free(slot->versions[k].code);
    memmove(&slot->versions[k], &slot->versions[k + 1],
            (--slot->version_count - k) * sizeof slot->versions[0]);
}

void hg_version_keep(hg_reload *r, size_t i, const hg_script *script, const char *state) {
    hg_reload_slot *slot = &r->slots[i];
    uint64_t hash = hg_script_hash(script);
    hg_code *code = NULL;
    for (uint32_t k = 0; k < slot->version_count; k++) {
        if (strcmp(slot->versions[k].state, "probation") == 0) {
            slot->versions[k].state = "before";
        }
    }
    for (uint32_t k = 0; k < slot->version_count; k++) {
        if (slot->versions[k].hash == hash) {
            code = hg_code_hold(slot->versions[k].code);
            forget_version(slot, k);
            break;
        }
    }
    if (!code && hg_script_code(script, &code) < 0) {
        hg_log(HG_LOG_WARN, "%s", hg_error_text());
        return;
    }
    if (slot->version_count == HG_RELOAD_VERSIONS_MAX) {
        forget_version(slot, 0);
    }
    slot->versions[slot->version_count++] = (hg_version){hash, r->core->now_ns, state, code};
}

void hg_version_mark(hg_reload_slot *slot, uint64_t hash, const char *state) {
    for (uint32_t k = 0; k < slot->version_count; k++) {
        if (slot->versions[k].hash == hash) {
            slot->versions[k].state = state;
        }
    }
}

/* ---- requests -------------------------------------------------------------------------------- */
/* Strategies a request means: `name` is a name, a number or NULL for all. */
static bool is_meant(const hg_reload *r, size_t i, const char *name) {
    char number[24];
    snprintf(number, sizeof number, "%zu", i + 1);
    return !name || strcmp(name, number) == 0 ||
           strcmp(name, hg_script_name(r->core->scripts[i])) == 0;
}

static int unknown_strategy(const hg_reload *r, const char *name) {
    const char *names[HG_SCRIPTS_MAX + 1] = {NULL};
    for (size_t i = 0; i < r->count; i++) {
        names[i] = hg_script_name(r->core->scripts[i]);
    }
    int rc = HG_ERR(HG_EUSAGE, "no strategy '%s' in this session", name ? name : "");
    const char *near = name ? hg_text_nearest(name, names) : NULL;
    if (near) {
        hg_error_hint("did you mean '%s'?", near);
    }
    return rc;
}

int hg_reload_request(hg_reload *r, const char *strategy, const char *cause) {
    size_t meant = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (is_meant(r, i, strategy)) {
            hg_reload_want(r, i, cause, true);
            meant++;
        }
    }
    return meant > 0 ? HG_OK : unknown_strategy(r, strategy);
}

/* The version that begins with `prefix`; NULL: the newest that was confirmed and does not run. */
static hg_version *find_version(hg_reload_slot *slot, uint64_t running, const char *prefix) {
    for (uint32_t k = slot->version_count; k-- > 0;) {
        hg_version *v = &slot->versions[k];
        char hash[20];
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)v->hash);
        bool fits = prefix ? *prefix && strncmp(hash, prefix, strlen(prefix)) == 0
                           : strcmp(v->state, "before") == 0;
        if (fits && v->hash != running) {
            return v;
        }
    }
    return NULL;
}

static int rollback(hg_reload *r, size_t i, const char *prefix) {
    hg_reload_slot *slot = &r->slots[i];
    uint64_t running = hg_script_hash(r->core->scripts[i]);
    char old[20] = "";
    if (slot->old) {
        snprintf(old, sizeof old, "%016llx", (unsigned long long)hg_script_hash(slot->old));
    }
    if (slot->old && (!prefix || strncmp(old, prefix, strlen(prefix)) == 0)) {
        hg_reload_abandon(r, i); /* who goes back does not want the next one either */
        slot->wanted = false;
        hg_reload_undo(r, i, "asked for");
        return HG_OK;
    }
    const hg_version *v = find_version(slot, running, prefix);
    if (!v) {
        const char *name = hg_script_name(r->core->scripts[i]);
        return prefix ? HG_ERR(HG_EUSAGE, "no version of %s begins with %s", name, prefix)
                      : HG_ERR(HG_ESTATE, "%s has no version before the running one", name);
    }
    hg_code *code = hg_code_hold(v->code);
    hg_reload_abandon(r, i);
    slot->chosen = code;
    hg_reload_want(r, i, "rollback", true);
    return HG_OK;
}

int hg_reload_rollback(hg_reload *r, const char *strategy, const char *version) {
    for (size_t i = 0; i < r->count; i++) {
        bool only = !strategy && r->count == 1;
        if (only || (strategy && is_meant(r, i, strategy))) {
            return rollback(r, i, version);
        }
    }
    return strategy
               ? unknown_strategy(r, strategy)
               : HG_ERR(HG_EUSAGE, "which strategy? the session runs %zu", r->core->script_count);
}

/* ---- answers --------------------------------------------------------------------------------- */
static void put_version(hg_json *json, const hg_reload *r, size_t i, const hg_version *v) {
    char hash[20];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)v->hash);
    hg_json_open(json, NULL);
    hg_json_string(json, "strategy", hg_script_name(r->core->scripts[i]));
    hg_json_string(json, "code", hash);
    hg_json_string(json, "state", v->state);
    hg_json_number(json, "t", (double)v->time_ns / 1e9);
    hg_json_int(json, "files", (int64_t)hg_code_files(v->code));
    hg_json_close(json);
}

void hg_reload_versions(const hg_reload *r, hg_json *json) {
    hg_json_open_array(json, "versions");
    for (size_t i = 0; i < r->count; i++) {
        for (uint32_t k = 0; k < r->slots[i].version_count; k++) {
            put_version(json, r, i, &r->slots[i].versions[k]);
        }
    }
    hg_json_close_array(json);
}

bool hg_reload_status_get(const hg_reload *r, size_t k, hg_reload_status *out) {
    static const char *const phases[] = {"running", "rehearsing", "swapping", "swapping"};
    if (k >= r->count) {
        return false;
    }
    const hg_reload_slot *slot = &r->slots[k];
    *out = (hg_reload_status){.phase = phases[slot->phase],
                              .running = hg_script_hash(r->core->scripts[k]),
                              .reloads = slot->reloads,
                              .refused = slot->refused,
                              .rolled_back = slot->rolled_back};
    if (slot->wanted) { /* also on probation: who asks waits for the outcome */
        out->phase = "waiting";
    } else if (slot->phase == HG_RELOAD_IDLE && slot->probation) {
        out->phase = "probation";
    }
    out->step = slot->step ? slot->step : "";
    out->outcome = slot->outcome ? slot->outcome : "";
    out->reason = slot->reason;
    out->detail = slot->detail;
    if (slot->step) {
        snprintf(out->last, sizeof out->last, "%s%s%.200s", slot->step, *slot->reason ? ": " : "",
                 slot->reason);
    }
    return true;
}
