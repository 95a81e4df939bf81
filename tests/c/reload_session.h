/* The session in which reloads are tried, by tests and benches: a short strangle through a crash.
 */
#ifndef HG_TESTS_RELOAD_SESSION_H
#define HG_TESTS_RELOAD_SESSION_H

#include "app/session.h"
#include "base/clock.h"

/* Strategies follow. */
static inline hg_session_options reload_session(void) {
    hg_session_options o = {
        .mode = HG_MODE_PAPER,
        .feed = "sim",
        .scenario = "crash",
        .seed = 11,
        .step_ns = 3600 * HG_NS_PER_S,
        .paper = {.fill = HG_FILL_DEPTH, .fees = true},
        .json = true,
        .reload = true,
        .book = "examples/books/short_strangle.lua"
    };
    hg_limits_default(&o.limits);
    return o;
}

#endif
