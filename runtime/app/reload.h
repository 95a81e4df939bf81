#ifndef HG_APP_RELOAD_H
#define HG_APP_RELOAD_H

#include "app/rehearsal.h"
#include "base/json.h"
#include "loop/watch.h"

/* Hot reload as a transaction, one for each strategy of a session:
 *
 *     running -> loaded -> rehearsed -> migrated -> swapped (probation) -> confirmed
 *                   \________\____________\____> refused        \-------> rolled back
 *
 * Until the swap the running code does not notice anything. The swap happens between two events.
 * The old code is then kept suspended, with its state, until the new one is confirmed; answers to
 * orders that come in the meantime are kept for it too. Saving a file, SIGHUP and requests of an
 * operator all start the same protocol. docs/reload.md tells it to users. */
typedef struct hg_reload hg_reload;

#define HG_RELOAD_PROBATION_NS (INT64_C(60000000000)) /* of event time, or ... */
#define HG_RELOAD_PROBATION_CALLS 1000u               /* ... so many callbacks, what comes first */
#define HG_RELOAD_REFUSALS_MAX 5u                     /* by limits of the risk gate, on probation */
#define HG_RELOAD_VERSIONS_MAX 16u
#define HG_RELOAD_SLICE_NS (INT64_C(190000))    /* of work, until the next place to stop at */
#define HG_RELOAD_QUIET_NS (INT64_C(120000000)) /* a file must be quiet for this long */

/* One step of a reload, as it is told to people and written to the events file. */
typedef struct hg_reload_news {
    const char *strategy;
    uint64_t from, to;   /* hashes of code: file and modules */
    const char *step;    /* loaded rehearsed migrated swapped confirmed refused rolled_back */
    const char *outcome; /* ok refused rolled_back */
    const char *reason;  /* one line */
    const char *detail;  /* framed error, or NULL */
    const hg_rehearsed *rehearsed; /* step "rehearsed", else NULL */
    int64_t pause_ns;              /* step "swapped": how long the session stood still */
    uint64_t event;                /* number of events the session had applied */
} hg_reload_news;

typedef struct hg_reload_options {
    int64_t probation_ns;     /* 0: default */
    uint64_t probation_calls; /* 0: default */
    int64_t slice_ns;         /* 0: default */
    void *context;
    void (*tell)(void *context, const hg_reload_news *news); /* may be NULL */
} hg_reload_options;

hg_reload *hg_reload_new(hg_core *core);
void hg_reload_free(hg_reload *reload); /* NULL is fine; before hg_core_fini and hg_loop_close */

/* The observer to give to the core in place of `inner`. */
hg_exec_observer hg_reload_observer(hg_reload *reload, hg_exec_observer inner);

/* After the core and its scripts are open: `core_options` and `book` are those of the core. */
HG_MUST_CHECK int hg_reload_open(hg_reload *reload, const hg_reload_options *options,
                                 const hg_core_options *core_options, const hg_book *book);
/* Watches the files of all strategies, and SIGHUP. */
HG_MUST_CHECK int hg_reload_watch(hg_reload *reload, hg_loop *loop);

/* Call between two events. Does a piece of what is to be done, never more than about a slice at a
 * time. `idle`: nobody waits, so work as much as there is; else it takes a fifth of the time at
 * most. True: there is more to do at once. */
bool hg_reload_poll(hg_reload *reload, bool idle);

/* Rolls back at once what has failed on probation; a part of hg_reload_poll, for whoever looks at
 * the states of scripts between two polls. */
void hg_reload_guard(hg_reload *reload);

/* ---- requests of an operator ------------------------------------------------------------------
 */
/* `strategy` is a name as in hg_script_name or its number ("1"); NULL means all. All answer at
 * once; what becomes of it is told step by step. HG_EUSAGE for an unknown name, HG_ESTATE, with the
 * record set. */
HG_MUST_CHECK int hg_reload_request(hg_reload *reload, const char *strategy, const char *cause);
/* Back to the version whose hash begins with `version`; NULL: to the one before the running one,
 * which on probation is at hand and goes on at once. */
HG_MUST_CHECK int hg_reload_rollback(hg_reload *reload, const char *strategy, const char *version);
/* Exchanges at once, between two events, without a rehearsal: for a replay, which does at the same
 * number of events (hg_reload_news.event) what the session did. The code is not consumed. */
HG_MUST_CHECK int hg_reload_apply(hg_reload *reload, size_t strategy, const hg_code *code);
/* "versions": [{strategy, code, state, t, files, probation}] */
void hg_reload_versions(const hg_reload *reload, hg_json *json);

typedef struct hg_reload_status {
    const char *phase; /* running, waiting, rehearsing, swapping, probation */
    uint64_t running;  /* hash */
    uint64_t reloads, refused, rolled_back;
    /* What was told last of it ("" before the first attempt); valid until the next poll. */
    const char *step, *outcome, *reason, *detail;
    char last[256]; /* "refused: ..." */
} hg_reload_status;
/* Of strategy number k; false past the last one. */
bool hg_reload_status_get(const hg_reload *reload, size_t k, hg_reload_status *out);

/* The longest so far: a step of a rehearsal (CPU time), and a swap (wall time). */
int64_t hg_reload_slowest_slice_ns(const hg_reload *reload, hg_rehearsal_phase phase);
int64_t hg_reload_slowest_swap_ns(const hg_reload *reload);

#endif
