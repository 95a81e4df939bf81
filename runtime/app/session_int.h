/* What the files of a session share. */
#ifndef HG_APP_SESSION_INT_H
#define HG_APP_SESSION_INT_H

#include "app/session.h"

#define HG_END_OF_SESSION "end of session"

/* Notices what became of the scripts since the last look: parked ones are told of at once (and a
 * band hedger takes over where that is wanted). Returns how many the session should go on for. */
size_t hg_session_look(hg_session *session);

/* Whether it stays when no strategy is left, for people to mend one. */
bool hg_session_stays(const hg_session *session);

/* An error that did not park (hg_script_env.error). */
void hg_session_tell_error(void *context, const hg_script *script, const char *text,
                           uint64_t count);
/* At the end: errors that happened more often than was said. */
void hg_session_tell_faults(const hg_session *session);

/* The switches beside the control socket: SIGUSR1 and the KILL file. */
#define HG_KILL_POLL_NS (INT64_C(100000000))
void hg_session_poll_kill(hg_session *session, int64_t now_ns);
/* Writes the file of --kill-file once trading is halted, removes it once it is re-armed. */
void hg_session_keep_kill(hg_session *session);

/* HG_ERISK when trading is halted at the end; HG_ESTRATEGY when a script is parked, with the
 * framed text unless that was told when it happened. */
HG_MUST_CHECK int hg_session_failure(const hg_session *session);

#endif
