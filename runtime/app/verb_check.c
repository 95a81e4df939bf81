/* check: what can be known about a strategy without risking anything. It is compiled and looked
 * through, then run dry: some minutes of the simulated market over an example book, where its
 * orders reach nobody. */
#include "app/risk_view.h"
#include "app/session.h"
#include "app/verb.h"
#include "base/clock.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>

#define DRY_RUN_NS (5 * 60 * HG_NS_PER_S)
#define DRY_RUN_EVENTS 1000000

static const hg_flag check_flags[] = {
    {"set",    "NAME=VALUE", "strategy parameter; may repeat"                                 },
    {"book",   "FILE",       "positions of the dry run (default: the example strangle)"       },
    {"config", "FILE",       "limits and book of the dry run; without a strategy: show limits"},
    {"no-run", NULL,         "compile and look only, without the dry run"                     },
    {"strict", NULL,         "warnings are failures (exit 5)"                                 },
    {"quiet",  NULL,         "say nothing about what is right"                                },
    HG_FLAG_JSON,
    HG_FLAGS_END,
};

typedef struct {
    const char *path;
    const char *book, *config;
    const char *set[HG_SETS_MAX];
    size_t set_count;
    bool json, run, quiet, several; /* `several` files: one object holds theirs */
    char report[8192];
    int warnings;
    /* of the dry run */
    uint64_t callbacks, orders, refused, market_events;
    double seconds;
} check_job;

/* What a backtest without flags has. */
static int session_options(const check_job *job, hg_session_options *o) {
    static const hg_flag flags[] = {HG_SESSION_FLAGS, HG_FLAGS_END};
    hg_args args = {.flags = flags};
    if (job->config) {
        args.given[0].name = "config";
        args.given[0].value = job->config;
        args.given_count = 1;
    }
    int rc = hg_session_options_read(o, HG_MODE_BACKTEST, &args);
    o->control = "none";
    o->book = job->book;
    return rc;
}

/* A universe with the usual names, so that a strategy can be judged without a feed. */
static int look(check_job *job) {
    hg_session_options options;
    hg_session session;
    int rc = session_options(job, &options);
    options.book = NULL;
    if (rc == HG_OK) {
        rc = hg_session_open(&session, &options);
    }
    if (rc < 0) {
        return rc;
    }
    hg_script_env env = {.universe = session.core.universe,
                         .market = session.core.market,
                         .portfolio = session.core.portfolio,
                         .exec = session.core.exec,
                         .margin = session.core.margin,
                         .now_ns = &session.core.now_ns};
    rc = hg_script_check(&env, job->path, job->set, job->set_count, job->report,
                         sizeof job->report);
    job->warnings = rc;
    int ignored = hg_session_close(&session);
    (void)ignored;
    return rc < 0 ? rc : HG_OK;
}

static int pump(hg_session *s) {
    hg_core *core = &s->core;
    hg_event event;
    int64_t end = core->start_ns + DRY_RUN_NS;
    for (int n = 0; n < DRY_RUN_EVENTS && hg_core_running(core) > 0; n++) {
        int rc = hg_feed_next(s->feed, &event);
        if (rc <= 0 || event.time_ns > end) {
            return rc < 0 ? rc : HG_OK;
        }
        hg_core_feed(core, &event);
        hg_core_idle(core);
    }
    return HG_OK;
}

static int dry_run(check_job *job) {
    hg_session_options options;
    hg_session session;
    int rc = session_options(job, &options);
    options.strategies[0] = job->path;
    options.strategy_count = 1;
    memcpy(options.set, job->set, sizeof job->set);
    options.set_count = job->set_count;
    if (rc == HG_OK) {
        rc = hg_session_open(&session, &options);
    }
    if (rc < 0) {
        return rc;
    }
    hg_core *core = &session.core;
    hg_script *script = core->scripts[0];
    rc = hg_script_start(script, "start");
    if (rc == HG_OK) {
        rc = pump(&session);
    }
    hg_core_stop(core, "end of the dry run");
    if (rc == HG_OK && hg_script_status(script) == HG_SCRIPT_FAILED) {
        rc = HG_ERR(HG_ESTRATEGY, "in the dry run: %s", hg_script_error(script));
    }
    hg_script_stats stats;
    hg_script_stats_get(script, &stats);
    job->callbacks = stats.callbacks;
    job->orders = hg_exec_stats_get(core->exec)->orders;
    job->refused = hg_exec_stats_get(core->exec)->refused;
    job->market_events = core->market_events;
    job->seconds = (double)(core->now_ns - core->start_ns) / 1e9;
    int ignored = hg_session_close(&session);
    (void)ignored;
    return rc;
}

static void print_json(const check_job *job, int rc) {
    char buf[20480];
    hg_json j;
    hg_json_init(&j, buf, sizeof buf);
    hg_json_open(&j, NULL);
    hg_json_string(&j, "file", job->path);
    hg_json_bool(&j, "ok", rc == HG_OK);
    hg_json_int(&j, "warnings", job->warnings > 0 ? job->warnings : 0);
    hg_json_string(&j, "report", job->report);
    hg_json_string(&j, "error", rc == HG_OK ? NULL : hg_error_text());
    if (job->run && rc == HG_OK) {
        hg_json_open(&j, "dry_run");
        hg_json_number(&j, "seconds", job->seconds);
        hg_json_int(&j, "market_events", (int64_t)job->market_events);
        hg_json_int(&j, "callbacks", (int64_t)job->callbacks);
        hg_json_int(&j, "orders", (int64_t)job->orders);
        hg_json_int(&j, "refused", (int64_t)job->refused);
        hg_json_close(&j);
    }
    hg_json_close(&j);
    printf("%s%s", hg_json_text(&j), job->several ? "" : "\n");
}

static void print_text(const check_job *job) {
    printf("%s", job->report);
    if (job->quiet) {
        return;
    }
    printf("%s: ok%s", job->path, job->warnings > 0 ? " with warnings" : "");
    if (job->run) {
        printf(" (dry run of %.0f minutes: %llu callbacks, %llu order%s, %llu refused)",
               job->seconds / 60, (unsigned long long)job->callbacks,
               (unsigned long long)job->orders, job->orders == 1 ? "" : "s",
               (unsigned long long)job->refused);
    }
    printf("\n");
}

static int check_file(check_job *job) {
    job->report[0] = '\0';
    int rc = look(job);
    if (rc == HG_OK && job->run) {
        rc = dry_run(job);
    }
    if (job->json) {
        print_json(job, rc);
    } else if (rc == HG_OK) {
        print_text(job);
    } else {
        printf("%s", job->report);
    }
    return rc;
}

/* The limits a configuration means, with defaults filled in. */
static int check_limits(const char *config, bool json) {
    check_job job = {.config = config};
    hg_session_options options;
    int rc = session_options(&job, &options);
    if (rc < 0) {
        return hg_verb_fail(rc);
    }
    hg_risk_view_limits(&options.limits, json);
    return HG_EXIT_OK;
}

static int check(hg_args *args) {
    const char *config = hg_args_get(args, "config", NULL);
    if (args->word_count == 0 && config) {
        return check_limits(config, hg_args_has(args, "json"));
    }
    if (args->word_count == 0) {
        return hg_verb_usage(&hg_verb_check, "which strategy?");
    }
    static check_job job;
    job = (check_job){.json = hg_args_has(args, "json"),
                      .run = !hg_args_has(args, "no-run"),
                      .quiet = hg_args_has(args, "quiet"),
                      .config = config,
                      .book = hg_args_get(args, "book", "examples/books/short_strangle.lua")};
    const char *text = NULL;
    while (job.set_count < HG_SETS_MAX &&
           (text = hg_args_get_nth(args, "set", job.set_count)) != NULL) {
        job.set[job.set_count++] = text;
    }
    job.several = args->word_count > 1;
    int warnings = 0;
    int failed = HG_EXIT_OK;
    for (size_t i = 0; i < args->word_count; i++) {
        job.path = args->words[i];
        if (job.json && job.several) {
            printf(i == 0 ? "{\"files\":[" : ",");
        }
        int rc = check_file(&job);
        int code = rc < 0 ? hg_verb_fail(rc) : HG_EXIT_OK;
        failed = failed != HG_EXIT_OK ? failed : code; /* the others are worth knowing as well */
        warnings += job.warnings;
    }
    if (job.json && job.several) {
        printf("]}\n");
    }
    if (failed != HG_EXIT_OK) {
        return failed;
    }
    return warnings > 0 && hg_args_has(args, "strict") ? HG_EXIT_STRATEGY : HG_EXIT_OK;
}

const hg_verb hg_verb_check = {
    .name = "check",
    .synopsis = "STRATEGY.lua... [--set NAME=VALUE] [--no-run] [--strict]\n"
                "           --config FILE",
    .summary = "compile strategies, report mistakes, run them dry for five minutes",
    .example = "hedged check strategies/delta_band.lua --set band=0.3",
    .flags = check_flags,
    .run = check,
};
