/* repl: Lua questions to a running session, one line (or several, until they are complete) at a
 * time. Without a terminal it prompts for nothing, so that it works in a pipe. */
#include "app/control.h"
#include "app/control_text.h"
#include "app/verb.h"
#include "base/clock.h"

#include <cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_NS (10 * HG_NS_PER_S)
#define CODE_MAX 8192

static const hg_flag repl_flags[] = {
    {"session",  "NAME|PID|PATH", "which session; needed when several run"           },
    {"strategy", "NAME|N",        "whose self and state; default: the first one"     },
    {"write",    NULL,            "in the strategy itself: change state, send orders"},
    HG_FLAG_JSON,
    HG_FLAGS_END,
};

typedef struct {
    int fd;
    const hg_args *args;
    bool json;
    int code; /* exit code so far */
} repl;

static int question(const repl *r, const char *code, char *buf, size_t size) {
    hg_json json;
    hg_json_init(&json, buf, size);
    hg_json_open(&json, NULL);
    hg_json_string(&json, "cmd", "eval");
    hg_json_string(&json, "code", code);
    if (hg_args_get(r->args, "strategy", NULL)) {
        hg_json_string(&json, "strategy", hg_args_get(r->args, "strategy", NULL));
    }
    if (hg_args_has(r->args, "write")) {
        hg_json_bool(&json, "write", true);
    }
    hg_json_close(&json);
    (void)hg_json_text(&json);
    return json.overflow ? HG_ERR(HG_EUSAGE, "the code is too long") : HG_OK;
}

static const char *field(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text ? text : "";
}

/* The parser stopped at the end: what was typed may go on. */
static bool is_incomplete(const char *error) {
    size_t len = strlen(error);
    return len > 5 && strcmp(error + len - 5, "<eof>") == 0;
}

static void print_answer(repl *r, cJSON *answer, const char *raw) {
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(answer, "result");
    const cJSON *code = cJSON_GetObjectItemCaseSensitive(answer, "exit");
    bool ok = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "ok"));
    if (!ok) {
        r->code = cJSON_IsNumber(code) ? code->valueint : HG_EXIT_FAILURE;
    }
    if (!r->json) {
        hg_control_clean(answer);
    }
    if (r->json) {
        printf("%s\n", raw);
    } else if (!ok) {
        fflush(stdout);
        fprintf(stderr, "error: %s\n", field(answer, "error"));
        if (field(answer, "help")[0]) {
            fprintf(stderr, "  = help: %s\n", field(answer, "help"));
        }
    } else if (field(result, "text")[0]) {
        printf("%s\n", field(result, "text"));
    }
    fflush(stdout);
}

/* True when the code was answered; false when it wants more lines. */
static int ask(repl *r, const char *code, bool more, bool *answered) {
    char line[2 * CODE_MAX];
    char *raw = NULL;
    int rc = question(r, code, line, sizeof line);
    if (rc == HG_OK) {
        rc = hg_control_ask(r->fd, line, TIMEOUT_NS, &raw);
    }
    if (rc < 0) {
        return rc;
    }
    cJSON *answer = cJSON_Parse(raw);
    *answered = !(more && is_incomplete(field(answer, "error")));
    if (*answered) {
        print_answer(r, answer, raw);
    }
    cJSON_Delete(answer);
    free(raw);
    return HG_OK;
}

static void prompt(const char *text) {
    if (isatty(STDIN_FILENO)) {
        printf("%s", text);
        fflush(stdout);
    }
}

static int converse(repl *r) {
    char code[CODE_MAX] = "";
    char line[CODE_MAX];
    int rc = HG_OK;
    prompt("> ");
    while (rc == HG_OK && fgets(line, sizeof line, stdin)) {
        bool answered = true;
        if (strlen(code) + strlen(line) + 1 > sizeof code) {
            return HG_ERR(HG_EUSAGE, "more than %d bytes of code in one piece", CODE_MAX);
        }
        memcpy(code + strlen(code), line, strlen(line) + 1);
        if (strspn(code, " \t\r\n") == strlen(code)) {
            code[0] = '\0';
        } else {
            rc = ask(r, code, true, &answered);
        }
        if (answered) {
            code[0] = '\0';
        }
        prompt(answered ? "> " : ">> ");
    }
    if (rc == HG_OK && code[0]) { /* it never became complete */
        bool answered = true;
        rc = ask(r, code, false, &answered);
    }
    return rc;
}

static int run(hg_args *args) {
    hg_session_entry entry;
    repl r = {.fd = -1, .args = args, .json = hg_args_has(args, "json")};
    int rc = hg_control_choose(hg_args_get(args, "session", NULL), &entry);
    if (rc == HG_OK) {
        r.fd = hg_control_connect(entry.path);
        rc = r.fd < 0 ? r.fd : HG_OK;
    }
    if (rc == HG_OK && args->word_count == 0) {
        rc = converse(&r);
    }
    for (size_t i = 0; i < args->word_count && rc == HG_OK; i++) {
        bool answered = true;
        rc = ask(&r, args->words[i], false, &answered);
    }
    if (r.fd >= 0) {
        close(r.fd);
    }
    if (rc < 0) {
        int code = hg_verb_fail(rc);
        return rc == HG_ENOTFOUND ? HG_EXIT_NOT_RUNNING : code;
    }
    return r.code;
}

const hg_verb hg_verb_repl = {
    .name = "repl",
    .synopsis = "[CODE...] [--session NAME|PID] [--strategy NAME] [--write]",
    .summary = "Lua questions to a running session, read-only unless --write",
    .example = "hedged repl 'hedged.exposure(\"BTC\").delta'\n"
               "  echo 'self.state' | hedged repl --session demo",
    .flags = repl_flags,
    .run = run,
};
