/* The socket of a session and its dispatcher. Looking is answered from the state as it is between
 * two events; changing enters the core as an event (app/command.c). */
#include "app/control.h"

#include "app/session_int.h"
#include "app/verb.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/text.h"
#include "loop/pipe.h"

#include <cJSON.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX ((size_t)1 << 20)
#define RESULT_HEAD "{\"ok\":true,\"result\":"

struct hg_control {
    hg_session *session;
    hg_pipe *pipe;
    char buf[ANSWER_MAX];
};

/* ---- changing -------------------------------------------------------------------------------- */
int hg_request_script(const hg_session *s, const hg_request *request, bool any, uint16_t *index) {
    const hg_core *core = &s->core;
    const char *names[HG_SCRIPTS_MAX + 1] = {NULL};
    for (size_t i = 0; i < core->script_count; i++) {
        names[i] = hg_script_name(core->scripts[i]);
        char *end = NULL;
        bool number = request->strategy && strtoul(request->strategy, &end, 10) == i + 1 &&
                      end != request->strategy && *end == '\0';
        if (request->strategy && (number || strcmp(names[i], request->strategy) == 0)) {
            *index = (uint16_t)i;
            return HG_OK;
        }
    }
    if (request->strategy) {
        int rc = HG_ERR(HG_EUSAGE, "no strategy '%s' in this session", request->strategy);
        const char *near = hg_text_nearest(request->strategy, names);
        hg_error_hint(near ? "did you mean '%s'?" : "hedged status lists them", near);
        return rc;
    }
    if (!any && core->script_count != 1) {
        int rc = HG_ERR(HG_EUSAGE, "which of the %zu strategies?", core->script_count);
        hg_error_hint("--strategy NAME, or its number in `hedged status`");
        return rc;
    }
    *index = any ? HG_STRATEGY_ANY : 0;
    return HG_OK;
}

static const char *name_of(const hg_session *s, uint16_t index) {
    return index == HG_STRATEGY_ANY ? NULL : hg_script_name(s->core.scripts[index]);
}

/* Applies a command and writes it down, in the events file and on the terminal. */
static int command(hg_session *s, const hg_request *request, hg_command *c, hg_json *out) {
    int rc = hg_core_command(&s->core, c, request->now_ns);
    const char *who = name_of(s, c->script);
    hg_session_look(s);
    hg_events_control(&s->events, request->cmd, who, c->text, rc == HG_OK ? "" : hg_error_text());
    if (rc < 0) {
        return rc;
    }
    hg_log(HG_LOG_INFO, "%s%s%s by hedged ctl%s%s", request->cmd, who ? " " : "", who ? who : "",
           c->text && c->text[0] ? ": " : "", c->text ? c->text : "");
    hg_json_string(out, "strategy", who);
    return HG_OK;
}

static int do_script(hg_session *s, const hg_request *request, hg_json *out, hg_command_kind kind) {
    hg_command c = {.kind = kind, .text = request->reason};
    int rc = hg_request_script(s, request, true, &c.script);
    return rc == HG_OK ? command(s, request, &c, out) : rc;
}

static int do_pause(hg_session *s, const hg_request *request, hg_json *out) {
    return do_script(s, request, out, HG_COMMAND_PAUSE);
}

static int do_resume(hg_session *s, const hg_request *request, hg_json *out) {
    return do_script(s, request, out, HG_COMMAND_RESUME);
}

static int do_cancel_all(hg_session *s, const hg_request *request, hg_json *out) {
    hg_command c = {.kind = HG_COMMAND_CANCEL_ALL, .text = request->reason};
    int rc = hg_request_script(s, request, true, &c.script);
    if (rc == HG_OK) {
        rc = command(s, request, &c, out);
    }
    hg_json_int(out, "cancelled", c.cancelled);
    return rc;
}

static int do_kill(hg_session *s, const hg_request *request, hg_json *out) {
    hg_command c = {.kind = HG_COMMAND_KILL,
                    .script = HG_STRATEGY_ANY,
                    .text = request->reason ? request->reason : "hedged ctl kill"};
    if (request->arg_count > 0 &&
        (!hg_kill_parse(request->args[0], &c.level) || c.level < HG_KILL_HALT)) {
        return HG_ERR(HG_EUSAGE, "kill %s: want halt, cancel or flatten", request->args[0]);
    }
    int rc = command(s, request, &c, out);
    hg_json_int(out, "cancelled", c.cancelled);
    return rc;
}

static int do_arm(hg_session *s, const hg_request *request, hg_json *out) {
    return do_script(s, request, out, HG_COMMAND_ARM);
}

static int do_stop(hg_session *s, const hg_request *request, hg_json *out) {
    s->stop_asked = true;
    hg_events_control(&s->events, request->cmd, NULL, request->reason, "");
    hg_log(HG_LOG_INFO, "stop by hedged ctl");
    hg_json_bool(out, "stopping", true);
    return HG_OK;
}

/* ---- eval ------------------------------------------------------------------------------------ */
typedef struct {
    hg_inspector *inspector;
    hg_script *script;
    const hg_request *request;
    char text[HG_INSPECT_TEXT_MAX];
} eval;

static int call_eval(void *context) {
    eval *e = context;
    return hg_inspect(e->inspector, e->script, e->request->code, e->request->write, e->text,
                      sizeof e->text);
}

/* In the strategy's own state it may send orders: an event of the core, written down. */
static int eval_write(hg_session *s, const hg_request *request, uint16_t index, eval *e) {
    hg_command c = {.kind = HG_COMMAND_EVAL,
                    .script = index,
                    .text = request->code,
                    .call = call_eval,
                    .context = e};
    int rc = hg_core_command(&s->core, &c, request->now_ns);
    hg_events_control(&s->events, "eval", name_of(s, index), request->code,
                      rc < 0 ? hg_error_text() : "");
    return rc;
}

static int do_eval(hg_session *s, const hg_request *request, hg_json *out) {
    static eval e;
    uint16_t index = 0;
    if (!request->code) {
        return HG_ERR(HG_EUSAGE, "eval wants \"code\"");
    }
    if (!s->inspector) {
        s->inspector = hg_inspector_new(&s->env);
    }
    bool some = s->core.script_count > 0; /* looking: at the first one, when none is named */
    int rc = s->inspector ? HG_OK : HG_ERR(HG_ENOMEM, "repl");
    if (rc == HG_OK && (request->write || (some && request->strategy))) {
        rc = hg_request_script(s, request, false, &index);
    }
    if (rc < 0) {
        return rc;
    }
    hg_inspector_book(s->inspector,
                      request->strategy ? hg_core_book_of(&s->core, index) : s->core.portfolio);
    e.inspector = s->inspector;
    e.script = some ? s->core.scripts[index] : NULL;
    e.request = request;
    rc = request->write ? eval_write(s, request, index, &e) : call_eval(&e);
    if (rc == HG_OK) {
        hg_json_string(out, "strategy", some ? name_of(s, index) : NULL);
        hg_json_string(out, "text", e.text);
    }
    return rc;
}

/* ---- dispatch -------------------------------------------------------------------------------- */
static const struct {
    const char *name;
    hg_request_call call;
} requests[] = {
    {"status",        hg_view_status     },
    {"params",        hg_view_params     },
    {"positions",     hg_view_positions  },
    {"orders",        hg_view_orders     },
    {"exposure",      hg_view_exposure   },
    {"eval",          do_eval            },
    {"set",           hg_control_set     },
    {"pause",         do_pause           },
    {"resume",        do_resume          },
    {"cancel-all",    do_cancel_all      },
    {"kill",          do_kill            },
    {"arm",           do_arm             },
    {"stop",          do_stop            },
    {"reload",        hg_control_reload  },
    {"rollback",      hg_control_rollback},
    {"versions",      hg_view_versions   },
    {"reload-status", hg_view_reload     },
    {NULL,            NULL               },
};

static hg_request_call find_call(const char *name) {
    const char *names[32] = {NULL};
    for (size_t i = 0; requests[i].name; i++) {
        if (strcmp(requests[i].name, name) == 0) {
            return requests[i].call;
        }
        names[i] = requests[i].name;
    }
    (void)HG_ERR(HG_EUSAGE, "unknown command '%s'", name);
    const char *near = hg_text_nearest(name, names);
    if (near) {
        hg_error_hint("did you mean %s?", near);
    }
    return NULL;
}

static const char *text_of(const cJSON *object, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static int request_read(const cJSON *json, hg_request *r) {
    r->cmd = text_of(json, "cmd");
    r->strategy = text_of(json, "strategy");
    r->code = text_of(json, "code");
    r->reason = text_of(json, "reason");
    r->write = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "write"));
    if (!cJSON_IsObject(json) || !r->cmd) {
        int rc = HG_ERR(HG_EUSAGE, "a request is one JSON object with a text in \"cmd\"");
        hg_error_hint("{\"cmd\": \"status\"}");
        return rc;
    }
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "args")) {
        const char *text = cJSON_GetStringValue(item);
        if (!text || r->arg_count == HG_REQUEST_ARGS_MAX) {
            return HG_ERR(HG_EUSAGE, "\"args\" are at most %d texts", HG_REQUEST_ARGS_MAX);
        }
        r->args[r->arg_count++] = text;
    }
    return HG_OK;
}

static size_t answer_error(hg_control *control, int rc) {
    hg_json json;
    hg_json_init(&json, control->buf, sizeof control->buf);
    hg_json_open(&json, NULL);
    hg_json_bool(&json, "ok", false);
    hg_json_string(&json, "error", hg_error_text());
    if (hg_error_advice()[0]) {
        hg_json_string(&json, "help", hg_error_advice());
    }
    hg_json_string(&json, "code", hg_error_name(rc));
    hg_json_int(&json, "exit", hg_verb_exit_code(rc));
    hg_json_close(&json);
    return strlen(hg_json_text(&json));
}

static int answer_result(hg_control *control, const hg_request *request, size_t *len) {
    hg_request_call call = find_call(request->cmd);
    if (!call) {
        return HG_EUSAGE;
    }
    hg_json json;
    size_t head = sizeof RESULT_HEAD - 1;
    memcpy(control->buf, RESULT_HEAD, head);
    hg_json_init(&json, control->buf + head, sizeof control->buf - head - 2);
    hg_json_open(&json, NULL);
    int rc = call(control->session, request, &json);
    if (rc < 0) {
        return rc;
    }
    hg_json_close(&json);
    if (json.overflow) {
        return HG_ERR(HG_ELIMIT, "the answer is longer than %zu bytes", ANSWER_MAX);
    }
    *len = head + strlen(hg_json_text(&json));
    control->buf[(*len)++] = '}';
    return HG_OK;
}

static size_t handle(hg_control *control, const char *line, int64_t now_ns) {
    size_t len = 0;
    hg_error_clear();
    cJSON *json = cJSON_ParseWithOpts(line, NULL, true);
    hg_request request = {.now_ns = now_ns};
    int rc = json
                 ? request_read(json, &request)
                 : HG_ERR(HG_EUSAGE, "a request is one line of JSON, such as {\"cmd\":\"status\"}");
    if (rc == HG_OK) {
        rc = answer_result(control, &request, &len);
    }
    len = rc < 0 ? answer_error(control, rc) : len;
    cJSON_Delete(json);
    hg_error_clear();
    return len;
}

void hg_control_drain(hg_control *control, int64_t now_ns) {
    hg_peer *peer = NULL;
    char *line = NULL;
    for (int n = 0; control && n < HG_PIPE_PEERS_MAX && hg_pipe_next(control->pipe, &peer, &line);
         n++) {
        size_t len = 0;
        if (line) {
            len = handle(control, line, now_ns);
        } else {
            len = answer_error(
                control, HG_ERR(HG_ELIMIT, "a request longer than %u bytes", HG_PIPE_LINE_MAX));
        }
        hg_pipe_answer(control->pipe, peer, control->buf, len, line == NULL);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */
/* A name for people: given, else the mode, else the first strategy; only harmless letters. */
static void session_name(hg_session *s) {
    const char *name = s->options.name;
    if (!name) {
        bool demo = s->options.mode == HG_MODE_DEMO || s->core.script_count == 0;
        name = demo ? "demo" : hg_script_name(s->core.scripts[0]);
    }
    size_t n = 0;
    for (const char *c = name; *c != '\0' && n < sizeof s->name - 1; c++) {
        bool plain = isalnum((unsigned char)*c) || *c == '_' || *c == '-';
        s->name[n++] = plain ? *c : '_';
    }
    s->name[n] = '\0';
}

static int open_at(hg_session *s, const char *path, hg_control **out) {
    hg_control *control = malloc(sizeof *control);
    if (!control) {
        return HG_ERR(HG_ENOMEM, "control socket");
    }
    control->session = s;
    int rc = hg_pipe_open(s->loop, path, &control->pipe);
    if (rc < 0) {
        free(control);
        return rc;
    }
    *out = control;
    return HG_OK;
}

int hg_control_open(hg_session *s, hg_control **out) {
    const char *asked = s->options.control;
    session_name(s);
    s->wall_start_ns = hg_clock_monotonic_ns();
    *out = NULL;
    bool usual = s->options.mode != HG_MODE_BACKTEST;
    if (asked ? strcmp(asked, "none") == 0 : !usual) {
        return HG_OK;
    }
    if (asked) {
        return open_at(s, asked, out);
    }
    char path[HG_SOCKET_PATH_MAX];
    int rc = hg_control_path(s->name, getpid(), path, sizeof path);
    if (rc == HG_OK) {
        rc = open_at(s, path, out);
    }
    if (rc < 0) {
        hg_log(HG_LOG_WARN, "no control socket: %s", hg_error_text());
        hg_error_clear();
    }
    return HG_OK;
}

void hg_control_close(hg_control *control) {
    if (control) {
        hg_pipe_close(control->pipe);
        free(control);
    }
}
