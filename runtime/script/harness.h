#ifndef HG_SCRIPT_HARNESS_H
#define HG_SCRIPT_HARNESS_H

#include "script/script.h"

/* Lets Lua tests (module `hedged.test`) drive a whole session with a virtual clock. The session
 * lives in app/, above this room, and registers itself here: script/ never sees it. */
typedef struct hg_harness hg_harness;

#define HG_HARNESS_VENUE_MAX 6

typedef struct hg_harness_options {
    const char *strategy;   /* path, or NULL with text given */
    const char *text;       /* source text, or NULL */
    const char *const *set; /* "name=value" */
    size_t set_count;
    const char *const *instruments; /* names to know */
    size_t instrument_count;
    struct {
        const char *instrument;
        double size, entry;
    } const *book;
    size_t book_count;
    struct {
        const char *flag,
            *value; /* as `hedged backtest` has them: fill, queue, refill, latency ... */
    } venue[HG_HARNESS_VENUE_MAX];
    size_t venue_count;
    const char *const *limits; /* "order_value_usd=1000", as in a configuration file */
    size_t limit_count;
    const char *margin; /* "none" "standard" "portfolio" */
    const char *cash;   /* "BTC=5,USDC=1000" */
    bool fees;
    uint64_t seed;
    double start_s; /* event time at which the session opens */
} hg_harness_options;

typedef struct hg_harness_ops {
    int (*open)(const hg_harness_options *options, hg_harness **out);
    void (*close)(hg_harness *harness);
    /* Feeds one market event and then everything it causes (answers, timers due before it). */
    int (*apply)(hg_harness *harness, const hg_event *event);
    /* Moves event time forward, firing timers on the way. */
    int (*advance)(hg_harness *harness, int64_t to_ns);
    const hg_script_env *(*env)(const hg_harness *harness);
    hg_script *(*script)(const hg_harness *harness);
    /* k-th order and fill since the start, as JSON lines of the events file; NULL past the end. */
    const char *(*event_line)(const hg_harness *harness, size_t k);
} hg_harness_ops;

/* Set once by app/ before Lua runs. NULL in builds without a session. */
extern const hg_harness_ops *hg_harness_provider;

#endif
