/* What a session waits for while a reload is under way: the CPU time of each piece of work between
 * two events, for code as people write it and for code that loads for ever. The exchange itself is
 * in one piece by design and counted apart. */
#include "app/reload_int.h"
#include "app/session.h"
#include "base/clock.h"
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PIECES_MAX 2000000u

#define HEAD                                                                                       \
    "local hedged = require 'hedged'\n"                                                            \
    "local orders = require 'hedged.orders'\n"                                                     \
    "local S = hedged.strategy { api = 1, underlying = 'BTC', hedge_with = 'BTC-PERPETUAL' }\n"

typedef struct desk {
    char dir[64], path[128];
    hg_session_options o;
    hg_session s;
} desk;

static double pieces[PIECES_MAX];
static double swap_worst; /* of the polls that exchanged, CPU time */

static void need(bool ok, const char *what) {
    if (ok) return;
    fprintf(stderr, "bench_reload: %s: %s\n", what, hg_error_text());
    exit(1);
}

static double cpu_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void save(const desk *d, const char *text) {
    FILE *f = fopen(d->path, "w");
    need(f != NULL, d->path);
    fputs(text, f);
    fclose(f);
}

static void desk_open(desk *d, const char *text) {
    memset(d, 0, sizeof *d);
    snprintf(d->dir, sizeof d->dir, "/tmp/hedged-bench-XXXXXX");
    need(mkdtemp(d->dir) != NULL, "folder");
    snprintf(d->path, sizeof d->path, "%s/s.lua", d->dir);
    save(d, text);
    d->o = (hg_session_options){
        .mode = HG_MODE_PAPER,
        .feed = "sim",
        .scenario = "crash",
        .seed = 11,
        .step_ns = 3600 * HG_NS_PER_S,
        .paper = {.fill = HG_FILL_DEPTH, .fees = true},
        .json = true,
        .reload = true,
        .book = "examples/books/short_strangle.lua",
        .strategies = {d->path                    },
        .strategy_count = 1
    };
    hg_limits_default(&d->o.limits);
    need(hg_session_open(&d->s, &d->o) == 0, "session");
    need(hg_script_start(d->s.core.scripts[0], "start") == 0, "start");
}

static void desk_close(desk *d) {
    need(hg_session_close(&d->s) == 0, "close");
    unlink(d->path);
    rmdir(d->dir);
}

static void feed(desk *d, int count) {
    hg_event e;
    for (int i = 0; i < count; i++) {
        need(hg_feed_next(d->s.feed, &e) == 1, "feed");
        hg_core_feed(&d->s.core, &e);
        hg_core_idle(&d->s.core);
        hg_reload_poll(d->s.reload, false);
    }
}

static uint64_t swaps(const desk *d) {
    return d->s.reload->slots[0].reloads;
}

/* One attempt from the request to its end; adds its pieces. Events go on between. */
static size_t attempt(desk *d, size_t count) {
    hg_event e;
    need(hg_reload_request(d->s.reload, NULL, "bench") == 0, "request");
    for (bool more = true; more;) {
        uint64_t before = swaps(d);
        double begin = cpu_us();
        more = hg_reload_poll(d->s.reload, true);
        double took = cpu_us() - begin;
        if (swaps(d) > before) {
            swap_worst = took > swap_worst ? took : swap_worst;
        } else if (count < PIECES_MAX) {
            pieces[count++] = took;
        }
        if (count % 20 != 0) continue;
        need(hg_feed_next(d->s.feed, &e) == 1, "feed");
        hg_core_feed(&d->s.core, &e);
        hg_core_idle(&d->s.core);
    }
    return count;
}

/* 400 lines and 1,000 rows of state. */
static void usual(char *text, size_t size, int number) {
    size_t used = (size_t)snprintf(
        text, size,
        "-- %d\n" HEAD "function S:on_start(why)\n"
        "  hedged.every(60, function() end)\n"
        "  if self.state.rows then return end\n"
        "  self.state.rows = {}\n"
        "  for i = 1, 1000 do\n"
        "    self.state.rows[i] = { id = i, name = 'row ' .. i, price = i / 7, side = 'buy' }\n"
        "  end\nend\n"
        "function S:on_tick(t)\n"
        "  self.n = (self.n or 0) + 1\n"
        "  if self.n %% 50 == 0 then orders.buy('BTC-PERPETUAL', 10) end\nend\n",
        number);
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

static void tell(bench *b, size_t count, int attempts) {
    qsort(pieces, count, sizeof *pieces, by_value);
    bench_begin(b);
    bench_end(b, 1);
    bench_field(b, "attempts", attempts);
    bench_field(b, "pieces", (double)count);
    bench_field(b, "median_us", pieces[count / 2]);
    bench_field(b, "p99_us", pieces[count * 99 / 100]);
    bench_field(b, "p999_us", pieces[count * 999 / 1000]);
    bench_field(b, "worst_us", pieces[count - 1]);
}

BENCH(pieces_400_lines_1000_rows) {
    static char text[32768];
    static desk d;
    usual(text, sizeof text, 0);
    desk_open(&d, text);
    size_t count = 0;
    enum { ATTEMPTS = 40 };
    for (int i = 1; i <= ATTEMPTS; i++) {
        feed(&d, 2000);
        usual(text, sizeof text, i);
        save(&d, text);
        count = attempt(&d, count);
    }
    bench_field(b, "swap_worst_us", swap_worst);
    bench_field(b, "swap_worst_wall_us", (double)hg_reload_slowest_swap_ns(d.s.reload) / 1e3);
    static const char *const names[] = {"rooms_us",   "market_us", "positions_us", "load_us",
                                        "migrate_us", "start_us",  "events_us",    "load_again_us"};
    for (int p = 0; p <= HG_REHEARSE_DONE; p++) {
        bench_field(b, names[p],
                    (double)hg_reload_slowest_slice_ns(d.s.reload, (hg_rehearsal_phase)p) / 1e3);
    }
    tell(b, count, ATTEMPTS);
    desk_close(&d);
}

/* Candidates that will not do. */
static void refused(bench *b, const char *form) {
    static char text[1 << 20];
    static desk d;
    usual(text, sizeof text, 0);
    desk_open(&d, text);
    size_t count = 0;
    enum { ATTEMPTS = 5 };
    for (int i = 1; i <= ATTEMPTS; i++) {
        feed(&d, 2000);
        snprintf(text, sizeof text, "-- %d\n%s", i, form);
        save(&d, text);
        count = attempt(&d, count);
    }
    tell(b, count, ATTEMPTS);
    desk_close(&d);
}

BENCH(pieces_endless_load) {
    refused(b, HEAD "while true do pcall(function() while true do end end) end");
}

BENCH(pieces_endless_sort) {
    refused(b, HEAD "table.sort({ 3, 2, 1 }, function() while true do end end)");
}

BENCH(pieces_memory_bomb) {
    refused(b, HEAD "local t = {} while true do t[#t + 1] = { #t } end");
}

BENCH(pieces_hang_on_a_tick) {
    refused(b, HEAD "function S:on_tick() while true do end end return S");
}

BENCH(pieces_source_of_500_kb) {
    static char text[600000];
    size_t used = (size_t)snprintf(text, sizeof text, HEAD "local t = {}\n");
    while (used < 500000) {
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "t[%zu] = function(a) return a + %zu end\n", used, used);
    }
    snprintf(text + used, sizeof text - used, "return 1\n");
    refused(b, text);
}
