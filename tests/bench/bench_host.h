/* What the benches of scripts share: strategies as people write them, CPU time, and an end with
 * words when the set-up fails. */
#ifndef HG_TEST_BENCH_HOST_H
#define HG_TEST_BENCH_HOST_H

#include "base/error.h"
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BENCH_HEAD                                                                                 \
    "local hedged = require 'hedged'\n"                                                            \
    "local orders = require 'hedged.orders'\n"                                                     \
    "local S = hedged.strategy { api = 1, underlying = 'BTC', hedge_with = 'BTC-PERPETUAL' }\n"

static inline void bench_need(bool ok, const char *what) {
    if (ok) return;
    fprintf(stderr, "bench: %s: %s\n", what, hg_error_text());
    exit(1);
}

/* CPU time of this thread, ms: what others do on the machine does not count. */
static inline double bench_cpu_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static inline int bench_by_value(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A strategy of 400 lines that keeps 1,000 rows of state; `number` makes it another text, `on_tick`
 * is the body of its callback for (t). */
static inline void bench_strategy(char *text, size_t size, int number, const char *on_tick) {
    size_t used = (size_t)snprintf(
        text, size,
        "-- %d\n" BENCH_HEAD "function S:on_start(why)\n"
        "  hedged.every(60, function() end)\n"
        "  if self.state.rows then return end\n"
        "  self.state.rows = {}\n"
        "  for i = 1, 1000 do\n"
        "    self.state.rows[i] = { id = i, name = 'row ' .. i, price = i / 7, side = 'buy' }\n"
        "  end\nend\n"
        "function S:on_tick(t)\n%send\n",
        number, on_tick);
    for (int line = 16; line < 400 && used < size - 128; line += 4) {
        used += (size_t)snprintf(text + used, size - used,
                                 "local function f%d(a, b)\n  local c = a * %d + (b or 1)\n"
                                 "  return c > 10 and { c, a, b } or c\nend\n",
                                 line, line);
        used += (size_t)snprintf(text + used, size - used, "S.g%d = f%d\n", line, line);
        line++;
    }
    snprintf(text + used, size - used, "return S\n");
}

#endif
