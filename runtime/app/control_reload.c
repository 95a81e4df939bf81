/* Hot reload over the control socket. */
#include "app/control.h"
#include "app/reload.h"
#include "app/session.h"

#include <stdio.h>

static int put_status(const hg_session *s, const hg_request *request, hg_json *out) {
    hg_reload_status status;
    uint16_t only = HG_STRATEGY_ANY;
    int rc = s->reload ? hg_request_script(s, request, true, &only)
                       : hg_session_versions(s, out); /* says why not */
    if (rc < 0) {
        return rc;
    }
    hg_json_open_array(out, "strategies");
    for (size_t k = 0; hg_reload_status_get(s->reload, k, &status); k++) {
        char code[20];
        if (only != HG_STRATEGY_ANY && only != k) {
            continue;
        }
        snprintf(code, sizeof code, "%016llx", (unsigned long long)status.running);
        hg_json_open(out, NULL);
        hg_json_string(out, "strategy", hg_script_name(s->core.scripts[k]));
        hg_json_string(out, "code", code);
        hg_json_string(out, "phase", status.phase);
        hg_json_string(out, "step", status.step);
        hg_json_string(out, "outcome", status.outcome);
        hg_json_string(out, "reason", status.reason);
        hg_json_string(out, "detail", status.detail);
        hg_json_int(out, "reloads", (int64_t)status.reloads);
        hg_json_int(out, "refused", (int64_t)status.refused);
        hg_json_int(out, "rolled_back", (int64_t)status.rolled_back);
        hg_json_close(out);
    }
    hg_json_close_array(out);
    return HG_OK;
}

/* A number in a request counts from one, as in `hedged status`. */
int hg_control_reload(hg_session *s, const hg_request *request, hg_json *out) {
    hg_request meant = *request;
    meant.strategy = request->arg_count > 0 ? request->args[0] : request->strategy;
    int rc = hg_session_reload(s, meant.strategy);
    hg_events_control(&s->events, "reload", meant.strategy, request->reason,
                      rc < 0 ? hg_error_text() : "");
    return rc < 0 ? rc : put_status(s, &meant, out);
}

int hg_control_rollback(hg_session *s, const hg_request *request, hg_json *out) {
    const char *version = request->arg_count > 0 ? request->args[0] : NULL;
    int rc = hg_session_rollback(s, request->strategy, version);
    hg_events_control(&s->events, "rollback", request->strategy, version,
                      rc < 0 ? hg_error_text() : "");
    return rc < 0 ? rc : put_status(s, request, out);
}

int hg_view_versions(hg_session *s, const hg_request *request, hg_json *out) {
    (void)request;
    return hg_session_versions(s, out);
}

int hg_view_reload(hg_session *s, const hg_request *request, hg_json *out) {
    return put_status(s, request, out);
}
