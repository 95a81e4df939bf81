/* What a session waits for while a reload is under way: the CPU time of each piece of work between
 * two events, for code as people write it and for code that loads for ever. The exchange itself is
 * in one piece by design and counted apart. */
#include "app/reload_int.h"
#include "bench_host.h"
#include "reload_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECES_MAX 2000000u

typedef struct desk {
    char dir[64], path[128];
    hg_session_options o;
    hg_session s;
} desk;

/* Trades now and then. */
#define ON_TICK                                                                                    \
    "  self.n = (self.n or 0) + 1\n"                                                               \
    "  if self.n % 50 == 0 then orders.buy('BTC-PERPETUAL', 10) end\n"

static double pieces[PIECES_MAX];
static double swap_worst; /* of the polls that exchanged, CPU time */

static void save(const desk *d, const char *text) {
    FILE *f = fopen(d->path, "w");
    bench_need(f != NULL, d->path);
    fputs(text, f);
    fclose(f);
}

static void desk_open(desk *d, const char *text) {
    memset(d, 0, sizeof *d);
    snprintf(d->dir, sizeof d->dir, "/tmp/hedged-bench-XXXXXX");
    bench_need(mkdtemp(d->dir) != NULL, "folder");
    snprintf(d->path, sizeof d->path, "%s/s.lua", d->dir);
    save(d, text);
    d->o = reload_session();
    d->o.strategies[0] = d->path;
    d->o.strategy_count = 1;
    bench_need(hg_session_open(&d->s, &d->o) == 0, "session");
    bench_need(hg_script_start(d->s.core.scripts[0], "start") == 0, "start");
}

static void desk_close(desk *d) {
    bench_need(hg_session_close(&d->s) == 0, "close");
    unlink(d->path);
    rmdir(d->dir);
}

static void feed(desk *d, int count) {
    hg_event e;
    for (int i = 0; i < count; i++) {
        bench_need(hg_feed_next(d->s.feed, &e) == 1, "feed");
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
    bench_need(hg_reload_request(d->s.reload, NULL, "bench") == 0, "request");
    for (bool more = true; more;) {
        uint64_t before = swaps(d);
        double begin = bench_cpu_ms() * 1e3;
        more = hg_reload_poll(d->s.reload, true);
        double took = bench_cpu_ms() * 1e3 - begin;
        if (swaps(d) > before) {
            swap_worst = took > swap_worst ? took : swap_worst;
        } else if (count < PIECES_MAX) {
            pieces[count++] = took;
        }
        if (count % 20 != 0) continue;
        bench_need(hg_feed_next(d->s.feed, &e) == 1, "feed");
        hg_core_feed(&d->s.core, &e);
        hg_core_idle(&d->s.core);
    }
    return count;
}

static void tell(bench *b, size_t count, int attempts) {
    qsort(pieces, count, sizeof *pieces, bench_by_value);
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
    bench_strategy(text, sizeof text, 0, ON_TICK);
    desk_open(&d, text);
    size_t count = 0;
    enum { ATTEMPTS = 40 };
    for (int i = 1; i <= ATTEMPTS; i++) {
        feed(&d, 2000);
        bench_strategy(text, sizeof text, i, ON_TICK);
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
    bench_strategy(text, sizeof text, 0, ON_TICK);
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
    refused(b, BENCH_HEAD "while true do pcall(function() while true do end end) end");
}

BENCH(pieces_endless_sort) {
    refused(b, BENCH_HEAD "table.sort({ 3, 2, 1 }, function() while true do end end)");
}

BENCH(pieces_memory_bomb) {
    refused(b, BENCH_HEAD "local t = {} while true do t[#t + 1] = { #t } end");
}

BENCH(pieces_hang_on_a_tick) {
    refused(b, BENCH_HEAD "function S:on_tick() while true do end end return S");
}

BENCH(pieces_source_of_500_kb) {
    static char text[600000];
    size_t used = (size_t)snprintf(text, sizeof text, BENCH_HEAD "local t = {}\n");
    while (used < 500000) {
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "t[%zu] = function(a) return a + %zu end\n", used, used);
    }
    snprintf(text + used, sizeof text - used, "return 1\n");
    refused(b, text);
}
