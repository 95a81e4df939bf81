#ifndef HG_APP_COMMAND_H
#define HG_APP_COMMAND_H

#include "app/core.h"

/* What a person may change in a running session. A command enters the core as an event between two
 * others (HG_EV_CONTROL), so that it has its place in the one order of things. */
typedef enum {
    HG_COMMAND_SET,        /* text "name=value" */
    HG_COMMAND_PAUSE,      /* also cancels the working orders */
    HG_COMMAND_RESUME,     /* of a paused or parked strategy */
    HG_COMMAND_CANCEL_ALL, /* working orders of the strategy; script ANY: of everybody */
    HG_COMMAND_KILL,       /* no new orders, everything cancelled; text says why */
    HG_COMMAND_ARM,        /* after a kill */
    HG_COMMAND_EVAL        /* `call`, in the strategy's own state; text is its code */
} hg_command_kind;

struct hg_command {
    hg_command_kind kind;
    uint16_t script; /* index, or HG_STRATEGY_ANY */
    const char *text;
    hg_kill_level level; /* of a kill: HALT, CANCEL or FLATTEN; anything below means CANCEL */
    int (*call)(void *context);
    void *context;
    uint32_t cancelled; /* out: orders asked to cancel */
};

/* Settles the core up to `now_ns` (not before its own time) and applies the command there. */
HG_MUST_CHECK int hg_core_command(hg_core *core, hg_command *command, int64_t now_ns);

/* Called by hg_core_apply for HG_EV_CONTROL. */
int hg_command_apply(hg_core *core, hg_command *command);

#endif
