/* The command line: finding the verb, help, and the form of error messages. */
#include "app/verbs.h"

#include "app/version.h"
#include "base/assert.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

const hg_verb *const hg_verbs[] = {
    &hg_verb_demo,    &hg_verb_paper, &hg_verb_backtest, &hg_verb_status,
    &hg_verb_ctl,     &hg_verb_repl,  &hg_verb_new,      &hg_verb_check,
    &hg_verb_test,    &hg_verb_lua,   &hg_verb_price,    &hg_verb_book,
    &hg_verb_import,  &hg_verb_tape,  &hg_verb_list,     &hg_verb_docs,
    &hg_verb_version, NULL,
};

int hg_verb_exit_code(int rc) {
    switch (rc) {
    case HG_OK:
        return HG_EXIT_OK;
    case HG_EUSAGE:
        return HG_EXIT_USAGE;
    case HG_ECONFIG:
        return HG_EXIT_CONFIG;
    case HG_ESTRATEGY:
        return HG_EXIT_STRATEGY;
    case HG_EVENUE:
        return HG_EXIT_VENUE;
    case HG_ERISK:
        return HG_EXIT_RISK;
    case HG_EDATA:
    case HG_EVERSION:
    case HG_ENOTFOUND:
        return HG_EXIT_DATA;
    case HG_ETIMEOUT:
        return HG_EXIT_TIMEOUT;
    case HG_EINTERNAL:
        return HG_EXIT_INTERNAL;
    default:
        return HG_EXIT_FAILURE;
    }
}

int hg_verb_fail(int rc) {
    fflush(stdout);
    const char *text = hg_error_text();
    fprintf(stderr, "error: %s\n", text[0] ? text : hg_error_sentence(rc));
    if (hg_error_advice()[0]) {
        fprintf(stderr, "  = help: %s\n", hg_error_advice());
    }
    return hg_verb_exit_code(rc);
}

int hg_verb_usage(const hg_verb *verb, const char *problem) {
    fprintf(stderr, "error: %s\nusage: hedged %s %s\n", problem, verb->name, verb->synopsis);
    fprintf(stderr, "  = help: hedged %s --help\n", verb->name);
    return HG_EXIT_USAGE;
}

static void help_all(FILE *out) {
    fprintf(out, "hedged %s: a hedging daemon scripted in Lua\n\n", HG_VERSION);
    fprintf(out, "usage: hedged VERB [arguments] [--flags]\n\n");
    for (size_t i = 0; hg_verbs[i]; i++) {
        fprintf(out, "  %-9s %s\n", hg_verbs[i]->name, hg_verbs[i]->summary);
    }
    fprintf(out, "\nstart here:   hedged demo\nhelp on one:  hedged VERB --help\n");
}

static void help_verb(const hg_verb *verb) {
    printf("hedged %s %s\n\n%s\n", verb->name, verb->synopsis, verb->summary);
    if (verb->details) {
        printf("\n%s\n", verb->details);
    }
    if (verb->flags && verb->flags[0].name) {
        printf("\nflags:\n");
        for (const hg_flag *flag = verb->flags; flag->name; flag++) {
            char left[48];
            snprintf(left, sizeof left, "--%s%s%s", flag->name, flag->value ? " " : "",
                     flag->value ? flag->value : "");
            printf("  %-28s %s\n", left, flag->help);
        }
    }
    printf("\nexample:\n  %s\n", verb->example);
}

static const hg_verb *verb_find(const char *name) {
    for (size_t i = 0; hg_verbs[i]; i++) {
        if (strcmp(hg_verbs[i]->name, name) == 0) {
            return hg_verbs[i];
        }
    }
    return NULL;
}

static int verb_unknown(const char *name) {
    const char *names[32];
    size_t n = 0;
    for (; hg_verbs[n]; n++) {
        hg_assert(n < 31);
        names[n] = hg_verbs[n]->name;
    }
    names[n] = NULL;
    int rc = HG_ERR(HG_EUSAGE, "unknown verb '%s'", name);
    const char *near = hg_text_nearest(name, names);
    hg_error_hint(near ? "did you mean %s?" : "hedged --help lists the verbs", near);
    return hg_verb_fail(rc);
}

static bool wants_help(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

int hg_verbs_main(int argc, char **argv) {
    if (argc < 2) {
        help_all(stderr);
        return HG_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        const hg_verb *about = argc > 2 ? verb_find(argv[2]) : NULL;
        if (about) {
            help_verb(about);
        } else if (argc > 2) {
            return verb_unknown(argv[2]);
        } else {
            help_all(stdout);
        }
        return HG_EXIT_OK;
    }
    name = strcmp(name, "--version") == 0 ? "version" : name;
    const hg_verb *verb = verb_find(name);
    if (!verb) {
        return verb_unknown(name);
    }
    argc -= 2;
    argv += 2;
    if (!verb->flags) { /* the arguments belong to somebody else (hedged lua) */
        hg_args raw = {0};
        for (int i = 0; i < argc && i < HG_ARGS_MAX; i++) {
            raw.words[raw.word_count++] = argv[i];
        }
        return verb->run(&raw);
    }
    if (wants_help(argc, argv)) {
        help_verb(verb);
        return HG_EXIT_OK;
    }
    hg_args args;
    int rc = hg_args_parse(&args, verb->flags, argc, argv);
    return rc < 0 ? hg_verb_fail(rc) : verb->run(&args);
}
