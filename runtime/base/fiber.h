#ifndef HG_BASE_FIBER_H
#define HG_BASE_FIBER_H

#include <stdbool.h>
#include <stddef.h>

/* A second C stack on the same thread: work that can be left in the middle of any function and
 * taken up again there. One fiber does one piece of work at a time; nothing runs at the same
 * moment as anything else. What the work calls must not jump (longjmp) out of the fiber. */
typedef struct hg_fiber hg_fiber;

hg_fiber *hg_fiber_new(size_t stack_size); /* NULL: no memory */
void hg_fiber_free(hg_fiber *fiber);       /* NULL is fine; its work must have ended */

/* Gives it work, which begins with the first hg_fiber_resume. */
void hg_fiber_begin(hg_fiber *fiber, int (*work)(void *argument), void *argument);
/* Goes on with it until it pauses (false) or has ended (true, with its result). */
bool hg_fiber_resume(hg_fiber *fiber, int *result);
/* Called by the work itself: returns at the next hg_fiber_resume. */
void hg_fiber_pause(hg_fiber *fiber);

bool hg_fiber_is_busy(const hg_fiber *fiber);   /* its work has begun and not ended */
bool hg_fiber_is_inside(const hg_fiber *fiber); /* the caller is that work */

#endif
