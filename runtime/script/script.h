#ifndef HG_SCRIPT_SCRIPT_H
#define HG_SCRIPT_SCRIPT_H

#include "base/log.h"
#include "exec/exec.h"
#include "exec/liquidation.h"

/* One strategy: a sandboxed Lua state, its callbacks, timers, tasks and subscriptions. It is driven
 * by events and sees no clock but event time. A script can fail only by being stopped. */
typedef struct hg_script hg_script;

/* What becomes of the working orders of a strategy that is parked. */
typedef enum {
    HG_PARK_CANCEL,
    HG_PARK_KEEP, /* they stay; a person looks after them */
    HG_PARK_BAND  /* cancelled, and the session lets a built-in band hedger take over */
} hg_park_policy;

/* What a strategy has logged in a second of event time, whichever code of it is running. */
typedef struct hg_log_room {
    uint64_t second;
    uint32_t lines, dropped;
} hg_log_room;

/* What the session lends to its scripts; it outlives them. */
typedef struct hg_script_env {
    const char *name; /* instead of the script's own; may be NULL */
    /* Those of the session, by index, for their names; NULL: it is alone. */
    hg_script *const *others;
    const size_t *other_count;
    const hg_universe *universe;
    const hg_market *market;
    hg_portfolio *portfolio; /* what this script works for: the whole book, or its share */
    hg_exec *exec;
    hg_margin *margin;     /* NULL: no session has one (tests of the room) */
    const int64_t *now_ns; /* event time of the core */
    /* False while the opening book is not yet fully marked: events are noted (touched instruments
     * are remembered) but on_tick waits and is delivered at the first event that closes with true.
     * NULL means always ready. */
    const bool *ready;
    uint64_t seed;
    int64_t callback_budget_ns; /* CPU time of one callback; 0 = default 20 ms */
    int64_t load_budget_ns;     /* of loading and on_start; 0 = default 500 ms */
    size_t memory_max;          /* bytes of one state; 0 = default 64 MiB */
    /* The error budget: a strategy is parked by its `errors_max`-th error within
     * `errors_window_ns` of event time, or by that many callbacks failing in a row. 0 = the first
     * error parks. A callback over its CPU budget, out of memory, or failing in on_start parks at
     * once: what it left half done cannot be told, and a second overrun would stall everybody. */
    uint32_t errors_max; /* at most HG_ERRORS_MAX */
    int64_t errors_window_ns;
    hg_park_policy on_park;
    bool read_only; /* nothing may be sent, subscribed or scheduled (an inspector) */
    void *context;
    /* An error that did not park: once, then again at its 10th, 100th, ... time. May be NULL. */
    void (*error)(void *context, const hg_script *script, const char *text, uint64_t count);
    /* log, alert and plot lines of a script. May be NULL. */
    void (*log)(void *context, const char *strategy, hg_log_level level, const char *text);
    void (*plot)(void *context, const char *strategy, const char *name, double value);
    hg_log_room
        *log_room; /* of the strategy, for every code loaded for it; NULL: each has its own */
} hg_script_env;

typedef enum {
    HG_SCRIPT_LOADED,
    HG_SCRIPT_RUNNING,
    HG_SCRIPT_STOPPED,  /* by the session */
    HG_SCRIPT_FAILED,   /* by its own error, budget or memory; the message says where */
    HG_SCRIPT_PAUSED,   /* by a person */
    HG_SCRIPT_SUSPENDED /* replaced, and kept in case its successor fails */
} hg_script_state;

const char *hg_script_state_name(hg_script_state state); /* "running", "parked" when it failed */

#define HG_ERRORS_MAX 256

/* Loads FILE (a path on disk, else a path of the embedded files such as
 * "strategies/delta_band.lua"), checks the strategy table, applies `set` ("name=value" strings).
 * HG_ESTRATEGY with file, line and traceback in the record; HG_ECONFIG for unknown or out-of-range
 * parameters (with the nearest name). Nothing is subscribed or sent yet. */
HG_MUST_CHECK int hg_script_open(const hg_script_env *env, const char *path, uint16_t index,
                                 const char *const *set, size_t set_count, hg_script **out);
/* Same for source text; `name` is the chunk name and the place relative modules are searched. */
HG_MUST_CHECK int hg_script_open_text(const hg_script_env *env, const char *name, const char *text,
                                      uint16_t index, const char *const *set, size_t set_count,
                                      hg_script **out);
void hg_script_close(hg_script *script);

/* Resolves subscriptions and runs on_start. `why` is "start", "reload" or "recover". */
HG_MUST_CHECK int hg_script_start(hg_script *script, const char *why);
void hg_script_stop(hg_script *script, const char *reason); /* runs on_stop, then silence */

/* Silence until resume: timers and waiting tasks are dropped, working orders cancelled. HG_ESTATE
 * unless it runs. */
HG_MUST_CHECK int hg_script_pause(hg_script *script);
/* A paused or parked strategy goes on with on_start, why.kind = "resume"; its state, parameters and
 * subscriptions are as they were, its error budget is new. HG_ESTRATEGY when that fails. */
HG_MUST_CHECK int hg_script_resume(hg_script *script);

/* Whether it was stopped in the middle of a step of Lua: it is parked for good, without a state. */
bool hg_script_is_lost(const hg_script *script);

/* The distinct errors so far, oldest first: first line and how often. False past the last one. */
bool hg_script_fault(const hg_script *script, size_t k, const char **text, uint64_t *count);

/* Events of the core, after market, portfolio and exec have applied them. Does nothing unless the
 * script subscribed to it and has the callback; `order` belongs to venue answers, else NULL. */
void hg_script_event(hg_script *script, const hg_event *event, const hg_order *order);
/* The same for several, in their order. */
void hg_scripts_event(hg_script *const *scripts, size_t count, const hg_event *event,
                      const hg_order *order);

/* A change of the risk gate's state that concerns the script: on_risk. */
void hg_script_risk(hg_script *script, const hg_event *event, const hg_risk_event *risk);

/* The venue liquidates: on_risk with kind "liquidation". Between events, never inside one. */
void hg_script_liquidation(hg_script *script, const hg_liquidation_note *note, int64_t now_ns);

/* Timers and sleeping tasks: time of the earliest, INT64_MAX when none; run the ones due. */
int64_t hg_script_due_ns(const hg_script *script);
void hg_script_timer(hg_script *script, int64_t now_ns);

/* Between events: bounded steps of the garbage collector, the same ones in every run. */
void hg_script_idle(hg_script *script);
/* While nobody waits: collects for about `budget_ns`, but what Lua does in one piece may take a few
 * milliseconds. True: there is more to do. */
bool hg_script_rest(hg_script *script, int64_t budget_ns);

hg_script_state hg_script_status(const hg_script *script);
const char *hg_script_name(const hg_script *script);            /* "delta_band" */
const hg_script_env *hg_script_env_of(const hg_script *script); /* as lent */
uint16_t hg_script_index(const hg_script *script);              /* as given when it was opened */
const char *hg_script_error(const hg_script *script);           /* framed message, "" if none */
const char *hg_script_underlying(const hg_script *script);      /* "" if none declared */
const char *hg_script_hedge_with(const hg_script *script);      /* the first, "" if none */
uint64_t hg_script_hash(const hg_script *script); /* of the source and what it required */
/* "band 0.5 BTC", one parameter per call; false past the last one. */
bool hg_script_param(const hg_script *script, size_t k, const char **name, char *value,
                     size_t size);

/* The same for machines; the texts live as long as the script. */
typedef struct hg_param_view {
    const char *name, *unit, *text; /* `text` of a text parameter */
    const char *type;               /* "number", "bool", "text" */
    const char *choices;            /* '\n' between them, "" = any */
    double value, min, max;         /* number (may be infinite bounds); bool: 0 or 1 */
} hg_param_view;
bool hg_script_param_view(const hg_script *script, size_t k, hg_param_view *out);

/* Changes a parameter of a loaded or running script ("band=0.2"); it reads the new value from its
 * next look on. HG_ECONFIG as in hg_script_open. */
HG_MUST_CHECK int hg_script_set(hg_script *script, const char *assignment);
/* Whether it would. */
HG_MUST_CHECK int hg_script_set_check(const hg_script *script, const char *assignment);

typedef struct hg_script_stats {
    uint64_t callbacks;
    uint64_t errors;
    size_t memory, memory_peak;
} hg_script_stats;
void hg_script_stats_get(const hg_script *script, hg_script_stats *out);

/* `hedged check FILE`: loads without starting and appends one line per finding (undefined globals
 * with the nearest name, unused callbacks, unknown parameters) to `report`. Returns the number of
 * warnings, or a negative code when it does not load. */
int hg_script_check(const hg_script_env *env, const char *path, const char *const *set,
                    size_t set_count, char *report, size_t size);

/* `hedged lua FILE ARGS` and `hedged test FILES`: the stock interpreter (all libraries, no
 * sandbox) plus every hedged.* module. Returns the exit code of the process. */
int hg_script_run_file(const char *path, int argc, char **argv);
/* Counts lines from here on; the report follows the tests. `lcov` is a file for it, or NULL. */
void hg_script_coverage(const char *lcov);
int hg_script_run_tests(const char *const *paths, size_t path_count, const char *pattern,
                        bool json);

#endif
