#ifndef HG_BASE_LOG_H
#define HG_BASE_LOG_H

#include "base/error.h"

/* Logs go to stderr, results to stdout. One line per call, prefixed with the level. */
typedef enum { HG_LOG_DEBUG, HG_LOG_INFO, HG_LOG_WARN, HG_LOG_ERROR, HG_LOG_QUIET } hg_log_level;

void hg_log_level_set(hg_log_level level);
hg_log_level hg_log_level_get(void);
void hg_log(hg_log_level level, const char *fmt, ...) HG_PRINTF(2, 3);

#endif
