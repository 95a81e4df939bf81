/* What the files of hot reload share: reload.c runs the protocol, versions.c keeps what ran and
 * answers operators. */
#ifndef HG_APP_RELOAD_INT_H
#define HG_APP_RELOAD_INT_H

#include "app/reload.h"

#define HG_RELOAD_NOBODY SIZE_MAX
#define HG_RELOAD_MISSED_MAX 4096u
#define HG_RELOAD_DYING_MAX 8u

typedef enum {
    HG_RELOAD_IDLE,
    HG_RELOAD_REHEARSING,
    HG_RELOAD_LOADING,  /* once more, for the session */
    HG_RELOAD_SWAPPING, /* as soon as no update is open */
} hg_reload_phase;

typedef struct hg_version {
    uint64_t hash;
    int64_t time_ns;   /* when it began to run, event time */
    const char *state; /* running, suspended, probation, before, rolled back */
    hg_code *code;
} hg_version;

/* One strategy. */
typedef struct hg_reload_slot {
    hg_reload_phase phase;
    bool wanted;       /* an attempt shall begin */
    bool asked;        /* by a person, who wants an answer also when nothing has changed */
    const char *cause; /* "saved", "SIGHUP", ... */
    uint64_t from, to;
    hg_code *tried;  /* what was last read from disk, good or bad */
    hg_code *chosen; /* the version to go back to, NULL: the files on disk */
    hg_code *ready;  /* while it is loaded once more: what was rehearsed */
    hg_script *next; /* about to take over */
    hg_script *old;  /* suspended while its successor is on probation */
    hg_carry carry;
    bool probation;
    int64_t since_ns;
    uint64_t since_calls, since_refusals;
    hg_event *missed; /* answers to orders since `old` was suspended */
    uint32_t missed_count;
    hg_version versions[HG_RELOAD_VERSIONS_MAX]; /* oldest first */
    uint32_t version_count;
    uint64_t reloads, refused, rolled_back;
    const char *step, *outcome; /* told last */
    char reason[768], detail[2048];
} hg_reload_slot;

struct hg_reload {
    hg_core *core;
    hg_reload_options options;
    hg_recorder recorder;
    hg_rehearsal rehearsal; /* one at a time */
    bool opened;
    size_t count;      /* of strategies; scripts that join later cannot be reloaded */
    size_t rehearsing; /* the slot it belongs to */
    hg_reload_slot slots[HG_SCRIPTS_MAX];
    hg_script *dying[HG_RELOAD_DYING_MAX]; /* being taken apart, oldest first */
    uint32_t dying_count;
    bool turn; /* of the dying, else of the living */
    hg_watch *watch;
    int64_t rest_until_ns; /* a busy session comes first until then, monotonic */
    int64_t pause_ns;      /* of the swap being told */
    int64_t slowest_swap_ns;
};

/* reload.c */
void hg_reload_want(hg_reload *reload, size_t i, const char *cause, bool asked);
void hg_reload_abandon(hg_reload *reload, size_t i); /* the attempt under way, if any */
void hg_reload_undo(hg_reload *reload, size_t i, const char *reason); /* on probation only */

/* versions.c */
void hg_reload_tell(hg_reload *reload, size_t i, const char *step, const char *outcome,
                    const char *reason, const char *detail);
void hg_version_keep(hg_reload *reload, size_t i, const hg_script *script, const char *state);
void hg_version_mark(hg_reload_slot *slot, uint64_t hash, const char *state);

#endif
