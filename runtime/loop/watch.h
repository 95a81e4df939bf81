#ifndef HG_LOOP_WATCH_H
#define HG_LOOP_WATCH_H

#include "loop/loop.h"

/* Tells that files may have changed, and that they have been quiet since. Directories are watched,
 * not files, so that every way of saving is seen: written in place, replaced by a rename (vim, VS
 * Code, sed -i), a symlink pointed elsewhere, the folder itself exchanged. Where the system tells
 * nothing (network file systems, some containers) a look at the files once a second does.
 *
 * It never says what changed: whoever takes the notice reads the files and compares. Nothing is
 * handled inside the loop; the owner takes the notice between two events. */
typedef struct hg_watch hg_watch;

#define HG_WATCH_FILES_MAX 512

/* A notice comes when `quiet_ns` have passed without a further change, at the latest 10 times as
 * long after the first one. A file that is empty counts as being written. */
HG_MUST_CHECK int hg_watch_open(hg_loop *loop, int64_t quiet_ns, hg_watch **out);
/* NULL is fine. Must come before hg_loop_close. */
void hg_watch_close(hg_watch *watch);

/* Watches a file, which need not exist yet; one that is watched already costs nothing. */
HG_MUST_CHECK int hg_watch_add(hg_watch *watch, const char *path);

/* True once after each change; then looks anew at which directories the paths lead through. */
bool hg_watch_take(hg_watch *watch);

/* Counts the SIGHUPs received since the last call; the first call begins to catch them. One that
 * comes because the terminal is gone asks the process to end, as it always did (SIGTERM). */
unsigned hg_watch_hangups(hg_watch *watch);

#endif
