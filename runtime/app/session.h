#ifndef HG_APP_SESSION_H
#define HG_APP_SESSION_H

#include "app/args.h"
#include "app/datafile.h"
#include "app/events.h"
#include "app/report.h"
#include "domain/feed.h"
#include "loop/loop.h"

/* One run of one strategy set over one feed and one venue. The modes differ in defaults only. */
typedef enum { HG_MODE_DEMO, HG_MODE_PAPER, HG_MODE_BACKTEST } hg_mode;

#define HG_SETS_MAX 64

typedef struct hg_session_options {
    hg_mode mode;
    const char *strategies[HG_SCRIPTS_MAX];
    size_t strategy_count;
    const char *set[HG_SETS_MAX]; /* "name=value" */
    size_t set_count;
    const char *feed;        /* "sim" or "tape:FILE" */
    const char *book;        /* NULL: empty */
    const char *instruments; /* NULL: built-in names only */
    const char *scenario;
    const char *events;
    uint64_t seed;
    int64_t for_ns;  /* event time, 0 = until the feed ends */
    int64_t step_ns; /* of the P&L statistics */
    double speed;    /* event seconds per wall second, 0 = as fast as possible */
    hg_fill_model fill;
    bool fees;
    bool json;
    hg_limits limits;
} hg_session_options;

typedef struct hg_session {
    hg_session_options options;
    hg_core core;
    hg_script_env env; /* lent to the scripts: the session must not move while it is open */
    hg_feed *feed;
    hg_book book;
    hg_events events;
    hg_report report;
    hg_loop *loop;
    bool interrupted;
    size_t running;            /* scripts, when last looked */
    bool told[HG_SCRIPTS_MAX]; /* the failure of this script has been reported */
} hg_session;

/* Flags shared by demo, paper and backtest. */
#define HG_SESSION_FLAGS                                                                           \
    {"feed", "sim|tape:FILE", "where market events come from"},                                    \
        {"book", "FILE", "positions held at the start (Lua data file or CSV)"},                    \
        {"seed", "N", "seed of the synthetic market and of scripts' random numbers"},              \
        {"scenario", "NAME", "calm, crash, volspike, weekend or gapdown (sim feed)"},              \
        {"for", "DURATION", "stop after this much event time, e.g. 10m, 6h"},                      \
        {"speed", "1x|10x|max", "event time per wall time"},                                       \
        {"step", "DURATION", "step of P&L statistics and samples (default 1h)"},                   \
        {"events", "FILE", "write every order, fill and sample as JSON lines ('-': stdout)"},      \
        {"set", "NAME=VALUE", "strategy parameter; may repeat"},                                   \
        {"fill", "touch|depth|queue", "how plain the paper venue is (default depth)"},             \
        {"fees", "none|venue", "trading fees (default venue)"},                                    \
        {"instruments", "FILE", "terms of instruments the built-in names do not cover"},           \
        {"config", "FILE", "Lua data file with any of these flags, parameters and limits"},        \
        HG_FLAG_JSON

/* Reads flags and --config into options; `mode` decides the defaults. The strings of a config file
 * live as long as the process. */
HG_MUST_CHECK int hg_session_options_read(hg_session_options *options, hg_mode mode,
                                          const hg_args *args);

/* Opens feed, book, rooms and scripts. On failure nothing stays open. */
HG_MUST_CHECK int hg_session_open(hg_session *session, const hg_session_options *options);

/* Pumps events until the feed ends, --for is over, a signal arrives or no script is left. Starts
 * and stops the scripts. HG_ESTRATEGY when a script failed, HG_EDATA when the feed broke. */
HG_MUST_CHECK int hg_session_run(hg_session *session);

HG_MUST_CHECK int hg_session_close(hg_session *session);

#endif
