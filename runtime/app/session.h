#ifndef HG_APP_SESSION_H
#define HG_APP_SESSION_H

#include "app/args.h"
#include "app/datafile.h"
#include "app/events.h"
#include "app/reload.h"
#include "app/report.h"
#include "domain/feed.h"
#include "loop/loop.h"
#include "script/inspect.h"

/* One run of one strategy set over one feed and one venue. The modes differ in defaults only. */
typedef enum { HG_MODE_DEMO, HG_MODE_PAPER, HG_MODE_BACKTEST } hg_mode;

#define HG_SETS_MAX 64

typedef struct hg_session_options {
    hg_mode mode;
    const char *strategies[HG_SCRIPTS_MAX];
    size_t strategy_count;
    const char *set[HG_SETS_MAX]; /* "name=value" */
    size_t set_count;
    const char *share[HG_SCRIPTS_MAX]; /* "name=what", see share.h */
    size_t share_count;
    const char *feed;        /* "sim" or "tape:FILE" */
    const char *book;        /* NULL: empty */
    const char *instruments; /* NULL: built-in names only */
    const char *scenario;
    const char *events;
    uint64_t seed;
    int64_t for_ns;  /* event time, 0 = until the feed ends */
    int64_t step_ns; /* of the P&L statistics */
    double speed;    /* event seconds per wall second, 0 = as fast as possible */
    hg_paper_options paper;
    hg_margin_model margin;
    const char *cash; /* starting money, "BTC=5,USDC=1000"; NULL: none */
    bool json;
    bool reload;          /* strategies may be replaced while it runs */
    int64_t probation_ns; /* of new code; 0: default */
    hg_limits limits;
    hg_limit_extra limit_extra; /* what `limits.extra` points to */
    const char *control;        /* NULL: a socket of its own, "none", or a path */
    const char *kill_file;      /* NULL: none */
    bool kill_keep;             /* it was asked for: a halt writes it */
    const char *name;           /* of the session, for people; NULL: the strategy's */
    uint32_t errors_max;        /* of a strategy within errors_window_ns, then it is parked */
    int64_t errors_window_ns;
    hg_park_policy on_park;
} hg_session_options;

typedef struct hg_session {
    hg_session_options options;
    hg_core core;
    /* Lent to the scripts, the same to all but for its book: the session must not move while it is
     * open. */
    hg_script_env env;
    hg_script_env envs[HG_SCRIPTS_MAX];
    char names[HG_SCRIPTS_MAX][64];
    hg_feed *feed;
    hg_book book;
    hg_events events;
    hg_report report;
    hg_loop *loop;
    hg_inspector *inspector;    /* of hedged repl; NULL before it is asked */
    struct hg_control *control; /* NULL: nobody can ask anything */
    char name[64];
    int64_t wall_start_ns; /* monotonic */
    bool stop_asked;       /* by hedged ctl stop */
    bool mid_update;       /* the last event said that more of its update follows */
    hg_reload *reload;     /* NULL: this session cannot reload */
    bool interrupted;
    bool kill_seen;                       /* the KILL file, when last looked */
    bool kill_kept;                       /* the halt in force has been written to it */
    int64_t kill_look_ns;                 /* monotonic: next look */
    hg_script_state seen[HG_SCRIPTS_MAX]; /* states when last looked */
    uint16_t stand_in[HG_SCRIPTS_MAX];    /* of a parked script: its band hedger's index, else 0 */
    hg_log_room log_rooms[HG_SCRIPTS_MAX];
    int64_t parked_ns[HG_SCRIPTS_MAX]; /* when a frame was told as its script parked, else 0 */
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
        {"set", "NAME=VALUE", "strategy parameter, or STRATEGY.NAME=VALUE; may repeat"},           \
        {"share", "NAME=WHAT", "book of a strategy: BTC, label:x, a position, rest or all"},       \
        {"fill", "touch|depth|queue", "how paper orders fill (default queue)"},                    \
        {"queue", "MODEL",                                                                         \
         "who stands before resting orders: pessimistic (default), proportional, power[:N]"},      \
        {"refill", "DURATION",                                                                     \
         "half-life of the depth we consumed, e.g. 2s (default: next update)"},                    \
        {"latency", "5ms|LEG=LAW,...", "e.g. submit=2ms,ack=lognormal:3ms:0.5,data=1ms"},          \
        {"rules", "plain|deribit|...", "of the paper venue, e.g. deribit,taker_delay=5ms"},        \
        {"faults", "FAULT,...", "e.g. down=10:00-10:05,lose=1%; or flaky, outage"},                \
        {"fees", "none|venue", "trading fees (default venue)"},                                    \
        {"reload", "on|off", "replace a strategy when its file is saved (default on)"},            \
        {"probation", "DURATION", "how long new code is watched before it stays (default 60s)"},   \
        {"margin", "none|standard|portfolio", "how the venue margins and liquidates (none)"},      \
        {"cash", "BTC=5,USDC=1000", "money in the account at the start"},                          \
        {"instruments", "FILE", "terms of instruments the built-in names do not cover"},           \
        {"errors", "N/DURATION",                                                                   \
         "park a strategy at this many errors (default 10/60s; "                                   \
         "backtest: the first)"},                                                                  \
        {"on-park", "cancel|keep|band", "its orders then; band: a band hedger takes over"},        \
        {"kill-file", "PATH|none",                                                                 \
         "halts trading while it exists (default KILL; backtest: none); "                          \
         "when given, a halt writes it and ctl arm removes it"},                                   \
        {"control", "PATH|none", "socket of hedged ctl (default: one in a private folder)"},       \
        {"name", "NAME", "of the session, for hedged status and ctl"},                             \
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

/* What an operator asks while the session runs; the outcome is told step by step. `strategy` NULL
 * means all (reload) or the only one (rollback). HG_ESTATE when this session cannot reload. */
HG_MUST_CHECK int hg_session_reload(hg_session *session, const char *strategy);
HG_MUST_CHECK int hg_session_rollback(hg_session *session, const char *strategy,
                                      const char *version);
HG_MUST_CHECK int hg_session_versions(const hg_session *session, hg_json *json);

HG_MUST_CHECK int hg_session_close(hg_session *session);

#endif
