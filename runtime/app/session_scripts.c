/* What a session does about its scripts: it tells of errors and of changes of state, lets a band
 * hedger stand in for a parked strategy, and decides whether there is anything left to run for. */
#include "app/session_int.h"

#include "base/clock.h"
#include "base/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STAND_IN "strategies/delta_band.lua"

void hg_session_tell_error(void *context, const hg_script *script, const char *text,
                           uint64_t count) {
    hg_session *s = context;
    hg_events_strategy(&s->events, script, "error", text);
    if (count == 1) {
        hg_log(HG_LOG_ERROR, "%s: %s", hg_script_name(script), text);
    } else {
        hg_log(HG_LOG_ERROR, "%s: %.*s (%llu times)", hg_script_name(script),
               (int)strcspn(text, "\n"), text, (unsigned long long)count);
    }
}

void hg_session_tell_faults(const hg_session *s) {
    for (size_t i = 0; i < s->core.script_count; i++) {
        const char *text = NULL;
        uint64_t count = 0;
        for (size_t k = 0; hg_script_fault(s->core.scripts[i], k, &text, &count); k++) {
            if (count > 1) {
                hg_log(HG_LOG_WARN, "%s: %s (%llu times in all)",
                       hg_script_name(s->core.scripts[i]), text, (unsigned long long)count);
            }
        }
    }
}

static int parked_failure(const hg_session *s, size_t i) {
    const hg_script *script = s->core.scripts[i];
    const char *text = hg_script_error(script);
    if (s->parked_ns[i] == 0) {
        return HG_ERR(HG_ESTRATEGY, "%s", text);
    }
    char time[40];
    hg_time_format(s->parked_ns[i], time, sizeof time);
    return HG_ERR(HG_ESTRATEGY, "%s was parked at %s: %.*s; the frame is above",
                  hg_script_name(script), time, (int)strcspn(text, "\n"), text);
}

int hg_session_failure(const hg_session *s) {
    for (size_t i = 0; i < s->core.script_count; i++) {
        if (hg_script_status(s->core.scripts[i]) == HG_SCRIPT_FAILED) {
            return parked_failure(s, i);
        }
    }
    const char *why = "";
    if (hg_risk_session(s->core.exec, &why) == HG_RISK_HALTED) {
        return HG_ERR(HG_ERISK, "trading is halted: %s", why);
    }
    return HG_OK;
}

/* ---- the stand-in ---------------------------------------------------------------------------- */
/* As wide as the parked strategy's own band, where it has such a parameter. */
static void band_text(const hg_script *script, char *out, size_t size) {
    hg_param_view p;
    snprintf(out, size, "band=0.5");
    for (size_t k = 0; hg_script_param_view(script, k, &p); k++) {
        if (strcmp(p.name, "band") == 0 && strcmp(p.type, "number") == 0) {
            snprintf(out, size, "band=%.17g", p.value);
        }
    }
}

/* The embedded text and nothing on disk: what takes over must be what was tested. */
static int stand_in_open(hg_session *s, const hg_script *parked, uint16_t index, hg_script **out) {
    const char *hedge_with = hg_script_hedge_with(parked);
    const hg_embedded *file = hg_embedded_find(STAND_IN);
    if (!file || !hedge_with[0] || !hg_script_underlying(parked)[0]) {
        return HG_ERR(HG_ECONFIG, "it declares no underlying and hedge_with to go on with");
    }
    char underlying[64];
    char hedge[96];
    char band[64];
    snprintf(underlying, sizeof underlying, "underlying=%s", hg_script_underlying(parked));
    snprintf(hedge, sizeof hedge, "hedge_with=%s", hedge_with);
    band_text(parked, band, sizeof band);
    const char *const set[] = {underlying, hedge, band};
    char *text = malloc(file->size + 1);
    if (!text) {
        return HG_ERR(HG_ENOMEM, "band hedger");
    }
    memcpy(text, file->data, file->size);
    text[file->size] = '\0';
    s->envs[index] = s->envs[hg_script_index(parked)];
    s->envs[index].name = NULL;
    s->envs[index].log_room = &s->log_rooms[index];
    int rc = hg_script_open_text(&s->envs[index], STAND_IN, text, index, set, 3, out);
    free(text);
    return rc;
}

static void hand_over(hg_session *s, size_t i) {
    hg_core *core = &s->core;
    const hg_script *parked = core->scripts[i];
    hg_script *script = NULL;
    uint16_t index = (uint16_t)core->script_count;
    int rc = core->script_count < HG_SCRIPTS_MAX
                 ? stand_in_open(s, parked, index, &script)
                 : HG_ERR(HG_ELIMIT, "more than %d strategies", HG_SCRIPTS_MAX);
    if (rc == HG_OK) {
        rc = hg_core_share_with(core, index, (uint16_t)i);
    }
    if (rc == HG_OK) {
        core->scripts[core->script_count++] = script;
        rc = hg_script_start(script, "start");
    }
    if (rc < 0) {
        hg_log(HG_LOG_ERROR, "no band hedger takes over for %s: %s", hg_script_name(parked),
               hg_error_text());
        return;
    }
    s->stand_in[i] = index;
    s->seen[index] = HG_SCRIPT_RUNNING;
    hg_events_strategy(&s->events, script, "started", "takes over for a parked strategy");
    hg_log(HG_LOG_WARN, "a band hedger takes over for %s, in %s", hg_script_name(parked),
           hg_script_hedge_with(parked));
}

static bool is_stand_in(const hg_session *s, size_t index) {
    for (size_t i = 0; i < s->core.script_count; i++) {
        if (s->stand_in[i] == index && index > 0) {
            return true;
        }
    }
    return false;
}

/* ---- changes of state ------------------------------------------------------------------------ */
static void parked(hg_session *s, size_t i) {
    const hg_script *script = s->core.scripts[i];
    static const char *const orders[] = {"its orders are cancelled", "its orders are kept",
                                         "its orders are cancelled"};
    hg_events_strategy(&s->events, script, "parked", hg_script_error(script));
    bool told = s->core.script_count > 1 || hg_session_stays(s);
    s->parked_ns[i] = told ? s->core.now_ns : 0;
    if (told) {
        hg_log(HG_LOG_ERROR, "%s is parked, %s: %s", hg_script_name(script),
               orders[s->options.on_park], hg_script_error(script));
    }
    if (s->options.on_park == HG_PARK_BAND && s->stand_in[i] == 0 && !is_stand_in(s, i)) {
        hand_over(s, i);
    }
}

static void resumed(hg_session *s, size_t i) {
    hg_core *core = &s->core;
    hg_events_strategy(&s->events, core->scripts[i], "resumed", "");
    uint16_t index = s->stand_in[i];
    if (index > 0 && hg_script_status(core->scripts[index]) == HG_SCRIPT_RUNNING) {
        hg_script_stop(core->scripts[index], "the strategy it stood in for goes on");
        hg_exec_cancel_all(core->exec, index, HG_ID_NONE, core->now_ns);
        hg_events_strategy(&s->events, core->scripts[index], "stopped",
                           "the strategy it stood in for goes on");
        s->seen[index] = HG_SCRIPT_STOPPED;
    }
    s->stand_in[i] = 0;
}

static void changed(hg_session *s, size_t i, hg_script_state state) {
    hg_script_state before = s->seen[i];
    s->seen[i] = state;
    switch (state) {
    case HG_SCRIPT_FAILED:
        parked(s, i);
        break;
    case HG_SCRIPT_RUNNING:
        if (before != HG_SCRIPT_LOADED) {
            resumed(s, i);
        }
        break;
    case HG_SCRIPT_PAUSED:
        hg_events_strategy(&s->events, s->core.scripts[i], "paused", "");
        break;
    case HG_SCRIPT_STOPPED:
        hg_events_strategy(&s->events, s->core.scripts[i], "stopped", HG_END_OF_SESSION);
        break;
    case HG_SCRIPT_LOADED:
    case HG_SCRIPT_SUSPENDED:
        break;
    }
}

/* In real time a person may yet mend and resume a parked strategy; as fast as possible nobody
 * could. */
bool hg_session_stays(const hg_session *s) {
    return s->control && s->options.speed > 0;
}

size_t hg_session_look(hg_session *s) {
    size_t alive = 0;
    if (s->reload) {
        hg_reload_guard(s->reload);
    }
    for (size_t i = 0; i < s->core.script_count; i++) {
        hg_script_state state = hg_script_status(s->core.scripts[i]);
        if (state != s->seen[i]) {
            changed(s, i, state);
        }
        alive += state == HG_SCRIPT_RUNNING || state == HG_SCRIPT_PAUSED;
    }
    return alive > 0 ? alive : hg_session_stays(s);
}
