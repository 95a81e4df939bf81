/* check, test and lua: the verbs of people who write strategies. */
#include "app/session.h"
#include "app/verb.h"
#include "base/json.h"
#include "script/harness.h"

#include <stdio.h>
#include <string.h>

static const hg_flag check_flags[] = {
    {"set", "NAME=VALUE", "strategy parameter; may repeat"},
    HG_FLAG_JSON,
    HG_FLAGS_END,
};

/* A universe with the usual names, so that a strategy can be judged without a feed. */
static int check_file(const char *path, const hg_args *args, bool json) {
    static char report[8192];
    const char *set[HG_SETS_MAX];
    size_t count = 0;
    const char *text = NULL;
    while (count < HG_SETS_MAX && (text = hg_args_get_nth(args, "set", count)) != NULL) {
        set[count++] = text;
    }
    report[0] = '\0';
    hg_session_options options = {.mode = HG_MODE_PAPER, .feed = "sim", .scenario = "calm"};
    hg_session session;
    hg_limits_default(&options.limits);
    options.step_ns = 1;
    int rc = hg_session_open(&session, &options);
    if (rc < 0) {
        return rc;
    }
    hg_script_env env = {.universe = session.core.universe,
                         .market = session.core.market,
                         .portfolio = session.core.portfolio,
                         .exec = session.core.exec,
                         .now_ns = &session.core.now_ns};
    rc = hg_script_check(&env, path, set, count, report, sizeof report);
    int ignored = hg_session_close(&session);
    (void)ignored;
    if (rc >= 0 && json) {
        char buf[10240];
        hg_json j;
        hg_json_init(&j, buf, sizeof buf);
        hg_json_open(&j, NULL);
        hg_json_string(&j, "file", path);
        hg_json_bool(&j, "ok", true);
        hg_json_int(&j, "warnings", rc);
        hg_json_string(&j, "report", report);
        hg_json_close(&j);
        printf("%s\n", hg_json_text(&j));
    } else if (rc >= 0) {
        printf("%s%s: ok%s\n", report, path, rc > 0 ? " with warnings" : "");
    }
    return rc;
}

static int check(hg_args *args) {
    if (args->word_count == 0) {
        return hg_verb_usage(&hg_verb_check, "which strategy?");
    }
    for (size_t i = 0; i < args->word_count; i++) {
        int rc = check_file(args->words[i], args, hg_args_has(args, "json"));
        if (rc < 0) {
            return hg_verb_fail(rc);
        }
    }
    return HG_EXIT_OK;
}

const hg_verb hg_verb_check = {
    .name = "check",
    .synopsis = "STRATEGY.lua... [--set NAME=VALUE]",
    .summary = "compile strategies and report mistakes without running them",
    .example = "hedged check strategies/delta_band.lua",
    .flags = check_flags,
    .run = check,
};

static const hg_flag test_flags[] = {
    {"filter", "PATTERN", "only tests whose name matches (Lua pattern)"},
    HG_FLAG_JSON,
    HG_FLAGS_END,
};

static int test(hg_args *args) {
    static const char *const here[] = {"."};
    bool given = args->word_count > 0;
    return hg_script_run_tests(given ? args->words : here, given ? args->word_count : 1,
                               hg_args_get(args, "filter", NULL), hg_args_has(args, "json"));
}

const hg_verb hg_verb_test = {
    .name = "test",
    .synopsis = "[FILE|FOLDER]... [--filter PATTERN]",
    .summary = "run LuaUnit tests inside the runtime with a virtual clock",
    .example = "hedged test tests/lua --filter band",
    .flags = test_flags,
    .run = test,
};

static int lua(hg_args *args) {
    if (args->word_count == 0 || strcmp(args->words[0], "--help") == 0) {
        printf("usage: hedged lua FILE [ARGS...]\n\n%s\n\nexample:\n  %s\n", hg_verb_lua.summary,
               hg_verb_lua.example);
        return args->word_count == 0 ? HG_EXIT_USAGE : HG_EXIT_OK;
    }
    char *argv[HG_ARGS_MAX];
    for (size_t i = 1; i < args->word_count; i++) {
        argv[i - 1] = (char *)(uintptr_t)args->words[i];
    }
    return hg_script_run_file(args->words[0], (int)args->word_count - 1, argv);
}

const hg_verb hg_verb_lua = {
    .name = "lua",
    .synopsis = "FILE [ARGS...]",
    .summary = "stock Lua 5.4 with all hedged.* modules, for research scripts",
    .example = "hedged lua examples/compare_bands.lua",
    .flags = NULL,
    .run = lua,
};
