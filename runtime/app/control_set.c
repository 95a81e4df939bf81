/* Parameters of running strategies over the control socket. */
#include "app/command.h"
#include "app/control.h"
#include "app/session.h"
#include "app/share.h"
#include "base/text.h"

#include <string.h>

/* The only strategy, or the only one that declares the parameter. */
static int script_of_param(const hg_session *s, const hg_request *request, const char *text,
                           uint16_t *index) {
    size_t len = strcspn(text, "=");
    size_t found = 0;
    for (size_t i = 0; !request->strategy && i < s->core.script_count; i++) {
        hg_param_view p;
        for (size_t k = 0; hg_script_param_view(s->core.scripts[i], k, &p); k++) {
            if (strlen(p.name) == len && strncmp(p.name, text, len) == 0) {
                *index = (uint16_t)i;
                found++;
            }
        }
    }
    return found == 1 ? HG_OK : hg_request_script(s, request, false, index);
}

/* The value alone; the unit is told apart. */
static void param_text(const hg_script *script, const char *assignment, hg_param_view *p, char *out,
                       size_t size) {
    size_t len = strcspn(assignment, "=");
    for (size_t k = 0; hg_script_param_view(script, k, p); k++) {
        if (strlen(p->name) != len || strncmp(p->name, assignment, len) != 0) {
            continue;
        }
        if (strcmp(p->type, "number") == 0) {
            hg_json json; /* as few digits as it needs */
            hg_json_init(&json, out, size);
            hg_json_number(&json, NULL, p->value);
            (void)hg_json_text(&json);
        } else {
            hg_text_copy(out, size,
                         strcmp(p->type, "text") == 0 ? p->text
                                                      : (p->value != 0 ? "true" : "false"));
        }
        return;
    }
    *p = (hg_param_view){.name = "", .unit = ""};
    out[0] = '\0';
}

/* "core.band=0.3" is band=0.3 of the strategy core. */
static int assignment(const hg_session *s, const hg_request *request, const char *text,
                      hg_command *c) {
    *c = (hg_command){.kind = HG_COMMAND_SET, .text = text};
    for (size_t i = 0; i < s->core.script_count; i++) {
        const char *rest = hg_set_for(text, hg_script_name(s->core.scripts[i]));
        if (rest && rest != text) {
            c->script = (uint16_t)i;
            c->text = rest;
            return HG_OK;
        }
    }
    int rc = script_of_param(s, request, text, &c->script);
    if (rc < 0 && !request->strategy) {
        hg_error_hint("STRATEGY.NAME=VALUE, or --strategy NAME");
    }
    return rc;
}

static int set_one(hg_session *s, const hg_request *request, const char *text, hg_json *out) {
    hg_command c;
    char before[128];
    char after[128];
    hg_param_view p;
    int rc = assignment(s, request, text, &c);
    if (rc < 0) {
        return rc;
    }
    text = c.text;
    const hg_script *script = s->core.scripts[c.script];
    param_text(script, text, &p, before, sizeof before);
    rc = hg_core_command(&s->core, &c, request->now_ns);
    if (rc < 0) {
        hg_events_control(&s->events, "set", hg_script_name(script), text, hg_error_text());
        return rc;
    }
    param_text(script, text, &p, after, sizeof after);
    hg_events_param(&s->events, script, &p, before, after);
    hg_log(HG_LOG_INFO, "%s: %s %s -> %s%s%s (hedged ctl set)", hg_script_name(script), p.name,
           before, after, *p.unit ? " " : "", p.unit);
    hg_json_open(out, NULL);
    hg_json_string(out, "strategy", hg_script_name(script));
    hg_json_string(out, "name", p.name);
    hg_json_string(out, "from", before);
    hg_json_string(out, "to", after);
    hg_json_string(out, "unit", p.unit);
    hg_json_close(out);
    return HG_OK;
}

/* All of them would be taken. */
static int set_check(hg_session *s, const hg_request *request) {
    for (size_t i = 0; i < request->arg_count; i++) {
        hg_command c;
        int rc = assignment(s, request, request->args[i], &c);
        const hg_script *script = rc == HG_OK ? s->core.scripts[c.script] : NULL;
        if (rc == HG_OK) {
            rc = hg_script_set_check(script, c.text);
        }
        if (rc < 0) {
            hg_events_control(&s->events, "set", script ? hg_script_name(script) : NULL, c.text,
                              hg_error_text());
        }
        if (rc < 0 && request->arg_count > 1 && !*hg_error_advice()) {
            hg_error_hint("none of the %zu was changed", request->arg_count);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return HG_OK;
}

/* All or nothing: a person who mistypes the second value has not half a change in force. */
int hg_control_set(hg_session *s, const hg_request *request, hg_json *out) {
    if (request->arg_count == 0) {
        return HG_ERR(HG_EUSAGE, "set what? want NAME=VALUE");
    }
    int rc = set_check(s, request);
    if (rc < 0) {
        return rc;
    }
    hg_json_open_array(out, "params");
    for (size_t i = 0; i < request->arg_count && rc == HG_OK; i++) {
        rc = set_one(s, request, request->args[i], out);
    }
    hg_json_close_array(out);
    return rc;
}
