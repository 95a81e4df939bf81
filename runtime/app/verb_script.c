/* test and lua: verbs of people who write strategies. */
#include "app/verb.h"
#include "script/harness.h"

#include <stdio.h>
#include <string.h>

static const hg_flag test_flags[] = {
    {"coverage", NULL,      "which lines of the strategies the tests ran"},
    {"lcov",     "FILE",    "the same as an lcov file"                   },
    {"filter",   "PATTERN", "only tests whose name matches (Lua pattern)"},
    HG_FLAG_JSON,
    HG_FLAGS_END,
};

static int test(hg_args *args) {
    static const char *const here[] = {"."};
    bool given = args->word_count > 0;
    if (hg_args_has(args, "coverage") || hg_args_has(args, "lcov")) {
        hg_script_coverage(hg_args_get(args, "lcov", NULL));
    }
    return hg_script_run_tests(given ? args->words : here, given ? args->word_count : 1,
                               hg_args_get(args, "filter", NULL), hg_args_has(args, "json"));
}

const hg_verb hg_verb_test = {
    .name = "test",
    .synopsis = "[FILE|FOLDER]... [--filter PATTERN] [--coverage]",
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
