#ifndef HG_APP_CONSOLE_H
#define HG_APP_CONSOLE_H

#include "app/session.h"

/* What a person sees of a running session: a banner, one line per hedge with its reason, a status
 * line now and then, the report at the end. Silent with --json and for backtests until the end. */
void hg_console_start(hg_session *session);
void hg_console_tick(hg_session *session, int64_t now_ns);
void hg_console_end(hg_session *session);

/* A step of a reload; goes to stderr where stdout belongs to --json or the events. */
void hg_console_reload(const hg_session *session, const hg_reload_news *news);

/* "64,231.50": thousands separated, for reading, not for parsing. Returns buf. */
char *hg_console_number(double value, int decimals, char *buf, size_t size);

#endif
