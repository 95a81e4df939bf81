#ifndef HG_SCRIPT_RELOAD_H
#define HG_SCRIPT_RELOAD_H

#include "script/pace.h"
#include "script/script.h"

/* What the exchange of a running strategy by other code needs of the script room. The order of
 * events is the session's (app/reload.h); here are the single steps, each of which leaves the
 * running script as it was when it fails. */

/* ---- code: a file and the modules it required, as they were read ------------------------------
 */
typedef struct hg_code hg_code;

HG_MUST_CHECK int hg_script_code(const hg_script *script, hg_code **out); /* a copy */
uint64_t hg_code_hash(const hg_code *code);                               /* as hg_script_hash */
size_t hg_code_files(const hg_code *code);
hg_code *hg_code_hold(hg_code *code); /* one more holder: one more hg_code_free */
void hg_code_free(hg_code *code);

/* Files on disk that `script` was read from, also one that it looked for in vain; NULL past the
 * last one. */
const char *hg_script_file(const hg_script *script, size_t k);
/* The same for kept code. */
const char *hg_code_file(const hg_code *code, size_t k);
/* False when some file on disk no longer says what was read from it. */
bool hg_code_is_on_disk(const hg_code *code);

/* ---- state: plain data between two Lua states --------------------------------------------------
 */
#define HG_CARRY_BYTES_MAX ((size_t)4 << 20)
#define HG_CARRY_VALUES_MAX 200000u
#define HG_CARRY_DEPTH_MAX 64u

typedef struct hg_carry {
    unsigned char *data; /* NULL: no state */
    size_t size, capacity;
    uint32_t values, tables;
    bool versioned;  /* the strategy declared a version of its state */
    int64_t version; /* else the api version */
} hg_carry;

/* Copies self.state out. Tables, texts, numbers, booleans, and as handles orders and instruments;
 * shared tables stay shared. HG_ESTRATEGY names the path of what cannot be carried
 * ("state.book[3].f"). The carry may be used again and is freed by hg_carry_fini. */
HG_MUST_CHECK int hg_script_carry(hg_script *script, hg_carry *carry);
/* The same as part of the work of a pace, in slices: from the start again when the script has run
 * in between, and after a few times in one piece. */
HG_MUST_CHECK int hg_script_carry_paced(hg_script *script, hg_carry *carry, hg_pace *pace);
/* Puts it into a script that has not started: through its migrate(old_state, old_version) when it
 * has one and the versions differ (or neither declares one); else as it is, fields it lacks keeping
 * the values the declaration gives. `check`: the outcome must itself be fit to be carried. */
HG_MUST_CHECK int hg_script_take(hg_script *script, const hg_carry *carry, bool check);
/* Takes the memory that a state of this size will need, so that taking it later costs no malloc. */
void hg_script_warm(hg_script *script, const hg_carry *carry);
void hg_carry_fini(hg_carry *carry);

/* ---- candidates -------------------------------------------------------------------------------
 */
/* Loads what stands on disk (or `code`) in a state of its own, with the parameters people have set
 * on `running`, and checks it: undefined globals, callbacks, names, subscriptions. Nothing is
 * started. On failure *out is the script that failed (for its text, hash and files) or NULL; close
 * it in both cases. `env` must outlive it. With a pace it works in slices, here and afterwards, and
 * the caller is the work of that pace. */
HG_MUST_CHECK int hg_script_candidate(const hg_script_env *env, const hg_script *running,
                                      const hg_code *code, hg_pace *pace, hg_script **out);
/* It is about to take over: no more slices. */
void hg_script_unpace(hg_script *script);

/* Starts `next` in the place of `running` between two events: parameters set meanwhile, random
 * numbers, open batches, subscriptions and timers follow, then on_start runs with why.kind =
 * "reload". Without `start` it is paused, and on_start runs when it is resumed. `running` is only
 * read. A failure of on_start leaves `next` failed; its orders are not cancelled, they belong to
 * whoever goes on. */
HG_MUST_CHECK int hg_script_succeed(hg_script *next, const hg_script *running, bool start);

/* Stops the clock of a script: it hears nothing and keeps timers, waiting tasks and state. */
void hg_script_suspend(hg_script *script);
/* Lets it go on at the present moment: overdue timers fire once, what `after` had touched in an
 * open batch is delivered to it. */
void hg_script_reinstate(hg_script *script, const hg_script *after);

/* What the exchange changes about parameters both know, as one text: values that the new file
 * changes, and new defaults that have no effect because the value was set from outside. */
void hg_script_params_changed(const hg_script *next, const hg_script *old, char *buf, size_t size);

/* While on probation a failing script is not cancelled away: whoever watches it decides. */
void hg_script_probation(hg_script *script, bool on);

/* What would be or was left behind at the exchange. */
typedef struct hg_script_pending {
    uint32_t awaits; /* tasks that wait for an order */
    uint32_t sleeps; /* tasks that sleep */
    uint32_t timers; /* functions to be called later */
} hg_script_pending;
void hg_script_pending_get(const hg_script *script, hg_script_pending *out);

/* Frees the memory of a script piece by piece, at most about `budget_ns` at a time; true when it is
 * gone and closed. */
bool hg_script_dismantle(hg_script *script, int64_t budget_ns);

#endif
