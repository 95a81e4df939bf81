#ifndef HG_APP_VERB_H
#define HG_APP_VERB_H

#include "app/args.h"

/* Exit codes of the process: documented, tested, never renumbered. */
enum {
    HG_EXIT_OK = 0,
    HG_EXIT_FAILURE = 1,
    HG_EXIT_USAGE = 2,
    HG_EXIT_NOT_RUNNING = 3,
    HG_EXIT_CONFIG = 4,
    HG_EXIT_STRATEGY = 5,
    HG_EXIT_VENUE = 6,
    HG_EXIT_RISK = 7,
    HG_EXIT_THRESHOLD = 8,
    HG_EXIT_TIMEOUT = 9,
    HG_EXIT_DATA = 10,
    HG_EXIT_INTERNAL = 70
};

/* A verb of the command line. `run` gets its parsed flags and returns an exit code; a failure it
 * left in the error record is printed by hg_verb_fail. */
typedef struct hg_verb {
    const char *name;
    const char *synopsis; /* "STRATEGY.lua --feed tape:FILE [flags]" */
    const char *summary;  /* one line */
    const char *details;  /* NULL, or what --help says of its arguments, one or more lines */
    const char *example;  /* shown by --help, one or more lines */
    const hg_flag *flags; /* ends with a NULL name; may be NULL; --help and --json are implied */
    int (*run)(hg_args *args);
} hg_verb;

/* Prints the error record in the product's form and returns the exit code for `rc`. */
int hg_verb_fail(int rc);

/* The exit code for `rc`. */
int hg_verb_exit_code(int rc);

/* HG_EUSAGE reported for wrong words: prints the synopsis as well. */
int hg_verb_usage(const hg_verb *verb, const char *problem);

#define HG_FLAG_JSON                                                                               \
    { "json", NULL, "print the result as one JSON object" }
#define HG_FLAG_HELP                                                                               \
    { "help", NULL, "show this help" }
#define HG_FLAGS_END                                                                               \
    { NULL, NULL, NULL }

/* Defined in verb_<name>.c, listed in verbs.c. */
extern const hg_verb hg_verb_backtest, hg_verb_book, hg_verb_check, hg_verb_demo, hg_verb_docs,
    hg_verb_import, hg_verb_list, hg_verb_lua, hg_verb_paper, hg_verb_price, hg_verb_tape,
    hg_verb_test, hg_verb_version, hg_verb_status, hg_verb_ctl, hg_verb_repl, hg_verb_new;

#endif
