/* The log: lines on stderr above a level. It never allocates and never fails. */
#include "base/log.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

static hg_log_level threshold = HG_LOG_INFO;

void hg_log_level_set(hg_log_level level) {
    threshold = level;
}

hg_log_level hg_log_level_get(void) {
    return threshold;
}

void hg_log(hg_log_level level, const char *fmt, ...) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (level < threshold || level >= HG_LOG_QUIET) {
        return;
    }
    char line[4608]; /* an error with its frame and traceback */
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    hg_text_make_printable(line);
    if (level == HG_LOG_INFO) {
        fprintf(stderr, "%s\n", line);
    } else {
        fprintf(stderr, "%s: %s\n", names[level], line);
    }
}
