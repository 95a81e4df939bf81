/* Exit code 70 ("internal") is documented; abort() would hide it behind a signal. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void hg_assert_fail(const char *expr, const char *file, int line) {
    fprintf(stderr, "hedged: internal error: assertion `%s` failed at %s:%d\n", expr, file, line);
    fflush(stderr);
    if (getenv("HEDGED_ABORT")) {
        abort();
    }
    _exit(70);
}
