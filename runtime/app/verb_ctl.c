/* status and ctl: looking at running sessions and changing them, from another terminal. */
#include "app/control.h"
#include "app/control_text.h"
#include "app/verb.h"
#include "base/clock.h"

#include <cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SESSIONS_MAX 64
#define TIMEOUT_NS (10 * HG_NS_PER_S)

#define CONTROL_FLAGS                                                                              \
    {"session", "NAME|PID|PATH", "which session; needed when several run"},                        \
        {"strategy", "NAME|N", "which strategy of the session; default: all"},                     \
        {"timeout", "DURATION", "how long to wait for the answer (default 10s)"}, HG_FLAG_JSON

static const hg_flag status_flags[] = {CONTROL_FLAGS, HG_FLAGS_END};
static const hg_flag ctl_flags[] = {
    CONTROL_FLAGS, {"reason", "TEXT", "why: written to the events file"},
     HG_FLAGS_END
};

/* ---- asking ---------------------------------------------------------------------------------- */
/* No session to ask has an exit code of its own. */
static int fail(int rc) {
    int code = hg_verb_fail(rc);
    return rc == HG_ENOTFOUND ? HG_EXIT_NOT_RUNNING : code;
}

static int request_line(const hg_args *args, const char *cmd, size_t first, char *buf,
                        size_t size) {
    hg_json json;
    hg_json_init(&json, buf, size);
    hg_json_open(&json, NULL);
    hg_json_string(&json, "cmd", cmd);
    hg_json_open_array(&json, "args");
    for (size_t i = first; i < args->word_count; i++) {
        hg_json_string(&json, NULL, args->words[i]);
    }
    hg_json_close_array(&json);
    if (hg_args_get(args, "strategy", NULL)) {
        hg_json_string(&json, "strategy", hg_args_get(args, "strategy", NULL));
    }
    if (args->flags == ctl_flags && hg_args_get(args, "reason", NULL)) {
        hg_json_string(&json, "reason", hg_args_get(args, "reason", NULL));
    }
    hg_json_close(&json);
    (void)hg_json_text(&json);
    return json.overflow ? HG_ERR(HG_EUSAGE, "the request is too long") : HG_OK;
}

/* The parsed answer; the caller deletes it. */
static int ask(const char *path, const char *line, int64_t timeout_ns, cJSON **out) {
    int fd = hg_control_connect(path);
    if (fd < 0) {
        return fd;
    }
    char *answer = NULL;
    int rc = hg_control_ask(fd, line, timeout_ns, &answer);
    close(fd);
    if (rc < 0) {
        return rc;
    }
    *out = cJSON_Parse(answer);
    free(answer);
    return *out ? HG_OK : HG_ERR(HG_EDATA, "the session's answer is not JSON");
}

/* Prints a refusal in the product's form; the exit code it carries. */
static int print_refusal(const cJSON *answer) {
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(answer, "error");
    const cJSON *help = cJSON_GetObjectItemCaseSensitive(answer, "help");
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(answer, "exit");
    fprintf(stderr, "error: %s\n", cJSON_IsString(error) ? error->valuestring : "refused");
    if (cJSON_IsString(help)) {
        fprintf(stderr, "  = help: %s\n", help->valuestring);
    }
    return cJSON_IsNumber(code) && code->valueint > 0 ? code->valueint : HG_EXIT_FAILURE;
}

static void print_json(const cJSON *json) {
    char *text = cJSON_PrintUnformatted(json);
    printf("%s\n", text ? text : "null");
    cJSON_free(text);
}

static int timeout_of(const hg_args *args, int64_t *ns) {
    *ns = TIMEOUT_NS;
    return hg_args_duration(args, "timeout", ns);
}

/* ---- status ---------------------------------------------------------------------------------- */
/* Adds the status of one session to the list; a session that just ended is left out. */
static int add_status(const hg_session_entry *entry, int64_t timeout_ns, cJSON *list) {
    cJSON *answer = NULL;
    int rc = ask(entry->path, "{\"cmd\":\"status\"}", timeout_ns, &answer);
    if (rc < 0) {
        return rc;
    }
    cJSON *result = cJSON_DetachItemFromObjectCaseSensitive(answer, "result");
    cJSON_Delete(answer);
    if (!result) {
        return HG_ERR(HG_EDATA, "%s does not say how it is", entry->name);
    }
    cJSON_AddStringToObject(result, "socket", entry->path);
    cJSON_AddItemToArray(list, result);
    return HG_OK;
}

static int collect(const hg_args *args, int64_t timeout_ns, cJSON *list) {
    hg_session_entry entries[SESSIONS_MAX];
    const char *which = hg_args_get(args, "session", NULL);
    if (which) {
        int rc = hg_control_choose(which, &entries[0]);
        return rc == HG_OK ? add_status(&entries[0], timeout_ns, list) : rc;
    }
    size_t count = hg_control_list(entries, SESSIONS_MAX);
    int first = HG_OK;
    for (size_t i = 0; i < count; i++) {
        int rc = add_status(&entries[i], timeout_ns, list);
        if (rc < 0 && rc != HG_ENOTFOUND) {
            fprintf(stderr, "warn: %s (%d): %s\n", entries[i].name, entries[i].pid,
                    hg_error_text());
        }
        first = first == HG_OK ? rc : first;
    }
    if (cJSON_GetArraySize(list) > 0) {
        return HG_OK;
    }
    if (first < 0 && first != HG_ENOTFOUND) {
        return first;
    }
    int rc = HG_ERR(HG_ENOTFOUND, "no session is running");
    hg_error_hint("start one: hedged demo");
    return rc;
}

static int status(hg_args *args) {
    int64_t timeout_ns = 0;
    int rc = timeout_of(args, &timeout_ns);
    if (rc < 0) {
        return hg_verb_fail(rc);
    }
    cJSON *all = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(all, "sessions");
    rc = collect(args, timeout_ns, list);
    if (rc == HG_OK && hg_args_has(args, "json")) {
        print_json(all);
    } else if (rc == HG_OK) {
        const cJSON *one = NULL;
        hg_control_clean(list);
        cJSON_ArrayForEach(one, list) {
            hg_control_print_status(one);
        }
    }
    cJSON_Delete(all);
    return rc < 0 ? fail(rc) : HG_EXIT_OK;
}

const hg_verb hg_verb_status = {
    .name = "status",
    .synopsis = "[--session NAME|PID]",
    .summary = "the sessions that run: strategies, exposure, P&L, orders",
    .example = "hedged status\n  hedged status --json",
    .flags = status_flags,
    .run = status,
};

/* ---- reload ---------------------------------------------------------------------------------- */
static bool is_under_way(const cJSON *answer) {
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(answer, "result");
    const cJSON *one = NULL;
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(result, "strategies")) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(one, "phase");
        const char *phase = cJSON_IsString(item) ? item->valuestring : "";
        if (strcmp(phase, "waiting") == 0 || strcmp(phase, "rehearsing") == 0 ||
            strcmp(phase, "swapping") == 0) {
            return true;
        }
    }
    return false;
}

static bool is_refused(const cJSON *answer) {
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(answer, "result");
    const cJSON *one = NULL;
    cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(result, "strategies")) {
        const cJSON *outcome = cJSON_GetObjectItemCaseSensitive(one, "outcome");
        if (cJSON_IsString(outcome) && strcmp(outcome->valuestring, "refused") == 0) {
            return true;
        }
    }
    return false;
}

/* A reload takes a moment: asks until it is through, so that the exit code can say how it went. */
static int wait_for_reload(const hg_args *args, const char *path, int64_t timeout_ns,
                           cJSON **answer) {
    char line[1024];
    int rc = request_line(args, "reload-status", args->word_count, line, sizeof line);
    int64_t end = hg_clock_monotonic_ns() + timeout_ns;
    while (rc == HG_OK && is_under_way(*answer)) {
        if (hg_clock_monotonic_ns() > end) {
            rc = HG_ERR(HG_ETIMEOUT, "the reload is not through yet");
            hg_error_hint("hedged ctl versions shows what runs");
            return rc;
        }
        usleep(20000);
        cJSON *next = NULL;
        rc = ask(path, line, timeout_ns, &next);
        if (rc == HG_OK) {
            cJSON_Delete(*answer);
            *answer = next;
        }
    }
    return rc;
}

/* ---- ctl ------------------------------------------------------------------------------------- */
static int ctl(hg_args *args) {
    if (args->word_count == 0) {
        return hg_verb_usage(&hg_verb_ctl, "what shall it do?");
    }
    char line[8192];
    int64_t timeout_ns = 0;
    hg_session_entry entry;
    const char *cmd = args->words[0];
    int rc = timeout_of(args, &timeout_ns);
    if (rc == HG_OK) {
        rc = request_line(args, cmd, 1, line, sizeof line);
    }
    if (rc == HG_OK) {
        rc = hg_control_choose(hg_args_get(args, "session", NULL), &entry);
    }
    cJSON *answer = NULL;
    if (rc == HG_OK) {
        rc = ask(entry.path, line, timeout_ns, &answer);
    }
    bool reload = strcmp(cmd, "reload") == 0 || strcmp(cmd, "rollback") == 0;
    if (rc == HG_OK && reload) {
        rc = wait_for_reload(args, entry.path, timeout_ns, &answer);
    }
    if (rc < 0) {
        cJSON_Delete(answer);
        return fail(rc);
    }
    int code = reload && is_refused(answer) ? HG_EXIT_STRATEGY : HG_EXIT_OK;
    if (!hg_args_has(args, "json")) {
        hg_control_clean(answer);
    }
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(answer, "result");
    if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "ok"))) {
        code = print_refusal(answer);
    } else if (hg_args_has(args, "json")) {
        print_json(result);
    } else {
        hg_control_print(cmd, result);
    }
    cJSON_Delete(answer);
    return code;
}

const hg_verb hg_verb_ctl = {
    .name = "ctl",
    .synopsis = "COMMAND [ARGUMENT...] [--session NAME|PID] [--strategy NAME]",
    .summary = "look at a running session and change it",
    .details = "commands:\n"
               "  status                        everything at a glance\n"
               "  params                        parameters with their bounds\n"
               "  set NAME=VALUE...             change parameters, all or none of them\n"
               "  positions, orders [NAME]      what is held, what is working\n"
               "  exposure [COIN]               Greeks, pending orders included\n"
               "  pause, resume                 stop calling a strategy, and go on\n"
               "  cancel-all                    cancel working orders\n"
               "  kill [halt|cancel|flatten]    no new orders; cancelled (default); closed\n"
               "  arm                           end a kill and what the risk gate has latched\n"
               "  reload [STRATEGY]             look at the files again, and wait for the outcome\n"
               "  rollback [VERSION]            back to the version before, or to one by its hash\n"
               "  versions                      what has run\n"
               "  stop                          end the session, as Ctrl-C does",
    .example = "hedged ctl set band=0.2\n  hedged ctl pause --strategy delta_band\n"
               "  hedged ctl positions BTC --json",
    .flags = ctl_flags,
    .run = ctl,
};
