#ifndef HG_SCRIPT_PACE_H
#define HG_SCRIPT_PACE_H

#include "base/error.h"
#include "base/fiber.h"

#include <stdbool.h>
#include <stdint.h>

/* Work on new code beside a session, a slice at a time: loading and rehearsing a candidate runs on
 * a stack of its own, which is left when its slice is over, in the middle of whatever its Lua does,
 * and taken up again later. Its outcome does not depend on where it was left: nothing of it is
 * shared with the session that goes on meanwhile.
 *
 * Places where it can be left: every thousandth instruction of the candidate (a count hook, on its
 * Lua state only; running code never has one), the polls of the bounded library functions, every
 * KiB of source being compiled, and between two events of a rehearsal. */
typedef struct hg_pace {
    hg_fiber *fiber;
    int64_t until_ns; /* end of the slice, monotonic */
    bool cancelled;
    /* The budget of the entry into Lua that was left in the middle. */
    uint64_t sequence; /* of the watchdog; that entry */
    int64_t left_ns;   /* of its budget */
    int64_t cpu_ns;    /* of the thread, when the slice began */
} hg_pace;

HG_MUST_CHECK int hg_pace_open(hg_pace *pace);
void hg_pace_close(hg_pace *pace); /* cancels what is under way */

/* Gives it work to do; none is under way. */
void hg_pace_begin(hg_pace *pace, int (*work)(void *argument), void *argument);
/* Works for about `budget_ns`. 1: there is more to do; else what the work returned (not 1). */
HG_MUST_CHECK int hg_pace_step(hg_pace *pace, int64_t budget_ns);
bool hg_pace_is_busy(const hg_pace *pace);
/* Ends the work at once: its Lua raises errors until it has returned. Nothing, when idle. */
void hg_pace_cancel(hg_pace *pace);

/* For the work itself: leaves it when the slice is over. NULL: nothing. False: it was cancelled and
 * should end. */
bool hg_pace_poll(hg_pace *pace);
/* The same before something that takes a slice of its own: the present one ends here. */
bool hg_pace_leave(hg_pace *pace);

#endif
