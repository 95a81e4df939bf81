/* version, list and docs: what this program is and knows. */
#include "app/verb.h"
#include "app/version.h"
#include "base/embedded.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/instrument.h"
#include "greeks/batch.h"
#include "script/script.h"
#include "venue/sim.h"

#include <stdio.h>
#include <string.h>

static const hg_flag json_flags[] = {HG_FLAG_JSON, HG_FLAGS_END};

#if defined __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static int version(hg_args *args) {
    if (!hg_args_has(args, "json")) {
        printf("hedged %s (Lua 5.4, %s, greeks %s)\n", HG_VERSION, COMPILER,
               hg_greeks_batch_kernel());
        return HG_EXIT_OK;
    }
    char buf[512];
    hg_json j;
    hg_json_init(&j, buf, sizeof buf);
    hg_json_open(&j, NULL);
    hg_json_string(&j, "version", HG_VERSION);
    hg_json_int(&j, "api", 1);
    hg_json_string(&j, "lua", "5.4");
    hg_json_string(&j, "compiler", COMPILER);
    hg_json_string(&j, "greeks", hg_greeks_batch_kernel());
    hg_json_close(&j);
    printf("%s\n", hg_json_text(&j));
    return HG_EXIT_OK;
}

const hg_verb hg_verb_version = {
    .name = "version",
    .synopsis = "[--json]",
    .summary = "version, compiler and the vector path of this machine",
    .example = "hedged version --json",
    .flags = json_flags,
    .run = version,
};

static void list_embedded(const char *title, const char *prefix, hg_json *j) {
    if (j) {
        hg_json_open_array(j, title);
    } else {
        printf("%s:\n", title);
    }
    for (const hg_embedded *file = hg_embedded_files; file->path; file++) {
        if (strncmp(file->path, prefix, strlen(prefix)) != 0) {
            continue;
        }
        if (j) {
            hg_json_string(j, NULL, file->path);
        } else {
            printf("  %s\n", file->path);
        }
    }
    if (j) {
        hg_json_close_array(j);
    }
}

static void list_scenarios(hg_json *j) {
    if (j) {
        hg_json_open_array(j, "scenarios");
    } else {
        printf("scenarios:\n");
    }
    for (size_t i = 0; hg_sim_scenarios[i]; i++) {
        if (j) {
            hg_json_string(j, NULL, hg_sim_scenarios[i]);
        } else {
            printf("  %s\n", hg_sim_scenarios[i]);
        }
    }
    if (j) {
        hg_json_close_array(j);
    }
}

static int list(hg_args *args) {
    char buf[4096];
    hg_json json;
    hg_json *j = hg_args_has(args, "json") ? &json : NULL;
    hg_json_init(&json, buf, sizeof buf);
    if (j) {
        hg_json_open(j, NULL);
    }
    list_embedded("strategies", "strategies/", j);
    list_embedded("books", "examples/books/", j);
    list_embedded("modules", "stdlib/hedged/", j);
    list_scenarios(j);
    if (j) {
        hg_json_close(j);
        printf("%s\n", hg_json_text(j));
    }
    return HG_EXIT_OK;
}

const hg_verb hg_verb_list = {
    .name = "list",
    .synopsis = "[--json]",
    .summary = "strategies, books, modules and scenarios that come with the program",
    .example = "hedged list",
    .flags = json_flags,
    .run = list,
};

/* The text is made in Lua, from the stubs in the binary: stdlib/docs.lua. */
static int docs(hg_args *args) {
    enum { STUBS_MAX = 64, ROOM = 2 + 2 * STUBS_MAX };
    static char none[] = "", as_text[] = "text", as_json[] = "json";
    char *argv[ROOM];
    int argc = 0;
    argv[argc++] = args->word_count > 0 ? (char *)(uintptr_t)args->words[0] : none;
    argv[argc++] = hg_args_has(args, "json") ? as_json : as_text;
    for (const hg_embedded *file = hg_embedded_files; file->path && argc < ROOM - 1; file++) {
        if (strncmp(file->path, "stdlib/meta/", 12) == 0) {
            argv[argc++] = (char *)(uintptr_t)file->path;
            argv[argc++] = (char *)(uintptr_t)file->data; /* a text that ends with 0 */
        }
    }
    return hg_script_run_file("stdlib/docs.lua", argc, argv) == 0 ? HG_EXIT_OK : HG_EXIT_USAGE;
}

const hg_verb hg_verb_docs = {
    .name = "docs",
    .synopsis = "[TOPIC] [--json]",
    .summary = "the Lua API, offline",
    .example = "hedged docs policy.band",
    .flags = json_flags,
    .run = docs,
};
