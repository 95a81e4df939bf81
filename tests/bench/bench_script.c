/* What a script costs over what it asks for: a tick into Lua and back, an exposure call, and the
 * price of being one of many. */
#include "base/clock.h"
#include "bench_host.h"
#include "exec/paper.h"
#include "script/reload.h"
#include "script/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct host {
    hg_universe *universe;
    hg_market *market;
    hg_portfolio *portfolio;
    hg_venue *venue;
    hg_exec *exec;
    hg_script *script;
    hg_script_env env;
    int64_t now_ns;
    hg_event quote;
} host;

static void host_open(host *h, const char *body) {
    static const char *const names[] = {"BTC-PERPETUAL", "BTC-25SEP26-70000-C"};
    memset(h, 0, sizeof *h);
    h->universe = hg_universe_new();
    for (size_t i = 0; i < 2; i++) {
        uint32_t id;
        bench_need(hg_universe_add_name(h->universe, names[i], &id) == 0, names[i]);
    }
    hg_market_options market = {.depth_books = 1};
    h->market = hg_market_new(h->universe, &market);
    hg_portfolio_options portfolio = {.fees = false};
    h->portfolio = hg_portfolio_new(h->market, &portfolio);
    hg_paper_options paper = {.fill = HG_FILL_TOUCH};
    bench_need(hg_paper_open(h->market, &paper, &h->venue) == 0, "paper venue");
    hg_exec_options exec = {.order_capacity = 64};
    h->exec = hg_exec_new(h->market, h->portfolio, h->venue, &exec);
    h->now_ns = INT64_C(1782000000) * HG_NS_PER_S;
    h->env = (hg_script_env){.universe = h->universe,
                             .market = h->market,
                             .portfolio = h->portfolio,
                             .exec = h->exec,
                             .now_ns = &h->now_ns};
    char text[2048];
    snprintf(text, sizeof text,
             "local hedged = require 'hedged'\n"
             "local S = hedged.strategy { api = 1, underlying = 'BTC',\n"
             "  hedge_with = 'BTC-PERPETUAL' }\n%s\nreturn S\n",
             body);
    bench_need(hg_script_open_text(&h->env, "bench.lua", text, 0, NULL, 0, &h->script) == 0,
               "load");
    bench_need(hg_script_start(h->script, "start") == 0, "start");
    h->quote = (hg_event){
        .kind = HG_EV_QUOTE,
        .time_ns = h->now_ns,
        .quote = {.bid = 128000, .ask = 128001, .bid_size = 100, .ask_size = 100}
    };
    hg_market_apply(h->market, &h->quote);
}

static void host_free(host *h) {
    hg_script_close(h->script);
    hg_exec_free(h->exec);
    h->venue->ops->close(h->venue);
    hg_portfolio_free(h->portfolio);
    hg_market_free(h->market);
    hg_universe_free(h->universe);
}

static void host_close(host *h) {
    bench_need(hg_script_status(h->script) == HG_SCRIPT_RUNNING, hg_script_error(h->script));
    host_free(h);
}

static void ticks_of(bench *b, const char *body, int64_t step_ns) {
    host h;
    host_open(&h, body);
    long before = hg_test_alloc_count();
    BENCH_LOOP (b) {
        h.now_ns += step_ns;
        hg_script_event(h.script, &h.quote, NULL);
        hg_script_idle(h.script);
    }
    hg_script_stats stats;
    hg_script_stats_get(h.script, &stats);
    bench_field(b, "callbacks", (double)stats.callbacks);
    bench_field(b, "host_allocs", (double)(hg_test_alloc_count() - before));
    host_close(&h);
}

static void ticks(bench *b, const char *body) {
    ticks_of(b, body, 0);
}

BENCH(tick_absent) {
    ticks(b, "");
}

BENCH(tick_empty) {
    ticks(b, "function S:on_tick(t) end");
}

BENCH(tick_two_fields) {
    ticks(b, "local sum = 0 function S:on_tick(t) sum = t.bid + t.ask end");
}

BENCH(tick_two_fields_and_param_read) {
    ticks(
        b,
        "local sum = 0 function S:on_tick(t) sum = t.bid + t.ask if self.hedge_with then end end");
}

BENCH(tick_exposure) {
    ticks(b, "local sum = 0 function S:on_tick(t)\n"
             "  local x = hedged.exposure(self.underlying) sum = t.bid + t.ask + x.delta end");
}

/* Each exposure is another one: its age moved. */
BENCH(tick_exposure_that_ages) {
    ticks_of(b,
             "local sum = 0 function S:on_tick(t)\n"
             "  local x = hedged.exposure(self.underlying) sum = t.bid + t.ask + x.delta end",
             1000);
}

BENCH(exposure_in_c) {
    host h;
    host_open(&h, "");
    BENCH_LOOP (b) bench_keep(hg_portfolio_exposure(h.portfolio, 0, h.now_ns)->delta);
    host_close(&h);
}

BENCH(tick_table_garbage) {
    ticks(b, "local kept = {} function S:on_tick(t) kept = { t.bid, t.ask, { t.time } } end");
}

BENCH(tick_pairs_of_ten) {
    ticks(b, "local t = {} for i = 1, 10 do t['k' .. i] = i end\n"
             "function S:on_tick() for k, v in pairs(t) do end end");
}

BENCH(open_and_close) {
    BENCH_LOOP (b) {
        host h;
        host_open(&h, "function S:on_tick(t) end");
        host_close(&h);
    }
}

/* The number: a tick into Lua and back with two field reads and one exposure call, over
 * what the exposure itself costs in C. The two are measured in turn, so that both see the same
 * machine, in CPU time. */
static void over_exposure(bench *b, int64_t step_ns) {
    host h;
    host_open(&h, "local sum = 0 function S:on_tick(t)\n"
                  "  local x = hedged.exposure(self.underlying) sum = t.bid + t.ask + x.delta end");
    enum { ROUNDS = 31, OPS = 20000 };
    double over[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        double t0 = bench_cpu_ms();
        for (int i = 0; i < OPS; i++) {
            h.now_ns += step_ns;
            bench_keep(hg_portfolio_exposure(h.portfolio, 0, h.now_ns)->delta);
        }
        double t1 = bench_cpu_ms();
        for (int i = 0; i < OPS; i++) {
            h.now_ns += step_ns;
            hg_script_event(h.script, &h.quote, NULL);
            hg_script_idle(h.script);
        }
        double t2 = bench_cpu_ms();
        over[round] = ((t2 - t1) - (t1 - t0)) * 1e6 / OPS;
    }
    qsort(over, ROUNDS, sizeof *over, bench_by_value);
    BENCH_LOOP (b) hg_script_event(h.script, &h.quote, NULL);
    bench_field(b, "over_exposure_ns", over[ROUNDS / 2]);
    bench_field(b, "over_exposure_ns_best", over[0]);
    host_close(&h);
}

BENCH(tick_over_exposure) {
    over_exposure(b, 0);
}

/* Event time moves, so that each exposure is another one. */
BENCH(tick_over_exposure_that_ages) {
    over_exposure(b, 1000);
}

/* As a session does it: the event for all, then the collector of all. CPU time of an event: one
 * feed, `count` strategies that each look at the tick and at the exposure. */
static double feed_many(size_t count, int64_t step_ns) {
    int ops = 20000 / (int)count; /* rounds of about the same length */
    host h;
    hg_script *more[100] = {NULL};
    host_open(&h, "");
    static const char text[] =
        "local hedged = require 'hedged'\n"
        "local S = hedged.strategy { api = 1, underlying = 'BTC', hedge_with = 'BTC-PERPETUAL' }\n"
        "local sum = 0 function S:on_tick(t)\n"
        "  local x = hedged.exposure(self.underlying) sum = t.bid + t.ask + x.delta end return S";
    for (size_t i = 0; i < count; i++) {
        bench_need(hg_script_open_text(&h.env, "many.lua", text, (uint16_t)(i + 1), NULL, 0,
                                       &more[i]) == 0,
                   "load");
        bench_need(hg_script_start(more[i], "start") == 0, "start");
    }
    double best = 1e18;
    for (int round = 0; round < 31; round++) {
        double begin = bench_cpu_ms();
        for (int i = 0; i < ops; i++) {
            h.now_ns += step_ns;
            hg_market_apply(h.market, &h.quote);
            hg_portfolio_observe(h.portfolio, &h.quote);
            hg_scripts_event(more, count, &h.quote, NULL);
            for (size_t k = 0; k < count; k++) hg_script_idle(more[k]);
        }
        double ns = (bench_cpu_ms() - begin) * 1e6 / ops;
        best = ns < best ? ns : best;
    }
    for (size_t i = 0; i < count; i++) hg_script_close(more[i]);
    host_close(&h);
    return best;
}

static void one_and_hundred(bench *b, int64_t step_ns) {
    double one = feed_many(1, step_ns);
    double hundred = feed_many(100, step_ns);
    bench_begin(b);
    bench_end(b, 1);
    bench_field(b, "one_ns", one);
    bench_field(b, "hundred_ns", hundred);
    bench_field(b, "times", hundred / one);
}

BENCH(one_feed_hundred_strategies) {
    one_and_hundred(b, 0);
}

BENCH(one_feed_hundred_strategies_that_age) {
    one_and_hundred(b, 1000);
}

/* Ways to run away; the CPU time until the host has control again, over a budget of 20 ms. */
static const char *const bodies[] = {
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "coroutine.wrap(function() while true do end end)()",
    "while true do xpcall(function() while true do end end, function() while true do end end) "
    "end",
    "local x <close> = setmetatable({}, {__close = function() while true do end end})\n"
    "while true do end",
    "local t = setmetatable({}, {__index = function() while true do end end}) return t.x",
    "local t = {} for i = 1, 50 do t[i] = i end\n"
    "table.sort(t, function() while true do end end)",
    "local t = {} for i = 1, 400000 do t[i] = math.random() end\n"
    "while true do table.sort(t) end",
    "local t = {} for i = 1, 300000 do t[i * 1.5] = i end\n"
    "while true do for k in pairs(t) do break end end",
    "string.gsub('x', '.', function() while true do end end)",
    "local s = string.rep('a', 300) while true do pcall(string.find, s, '.-.-.-b') end",
    "local s = string.rep('x', 2000000) while true do local t = s .. 'y' end",
    "local t = {} for i = 1, 200000 do t[i] = 'x' end while true do table.concat(t) end",
    "while true do load('return ' .. ('1 + '):rep(20000) .. '1') end",
    "local s = string.rep('x', 2000000) while true do s:upper() s:reverse() end",
    "while true do ('%99.99f'):format(1e300) end",
    "local t = {} for i = 1, 200 do t[i] = i end while true do table.unpack(t) end",
    "local s = ('x'):rep(1000000) while true do s:gsub('x', 'yy') end",
    "local s = ('x'):rep(1000000) while true do s = s .. s if #s > 2e6 then s = 'x' end end",
    "local s = ('x'):rep(2000000) while true do local a = s < s .. 'x' end",
    "local s = ('x'):rep(2000000) while true do local a = s:sub(2) end",
    "local s = ('x'):rep(2000000) while true do local a = s:find('y', 1, true) end",
    "local s = ('x'):rep(2000000) while true do utf8.len(s) end",
    "while true do string.pack('s', ('x'):rep(2000000)) end",
    "local s = ('x'):rep(2000000) while true do ('%s'):format(s) end",
    "local s = ('1'):rep(2000000) while true do tonumber(s) end",
    "local s = ('x'):rep(900000) while true do s:byte(1, 200000) end",
    "local t = {} for i = 1, 200000 do t[i] = i end while true do table.insert(t, 1, 0) end",
    "local t = {} for i = 1, 200000 do t[i] = i end while true do table.move(t, 1, 2e5, 2) end",
    "local t = {} while true do t[#t + 1] = { #t } end",
    "local t = {} while true do t[#t + 1] = ('x'):rep(#t) end",
    "local t = {} for i = 1, 1e7 do t = { t } end",
    "local function g() while true do pcall(g) end end g()"};

BENCH(stops_runaways) {
    enum { KINDS = sizeof bodies / sizeof *bodies, RUNS = 9 };
    static double all[KINDS * RUNS];
    double worst = 0;
    size_t worst_at = 0;
    for (size_t i = 0; i < KINDS; i++) {
        double spent[RUNS];
        for (int k = 0; k < RUNS; k++) {
            char text[512];
            host h;
            snprintf(text, sizeof text, "function S:on_tick()\n%s\nend", bodies[i]);
            host_open(&h, text);
            double start = bench_cpu_ms();
            hg_script_event(h.script, &h.quote, NULL);
            spent[k] = all[i * RUNS + (size_t)k] = bench_cpu_ms() - start;
            bench_need(hg_script_status(h.script) == HG_SCRIPT_FAILED, "ran on");
            host_free(&h);
        }
        qsort(spent, RUNS, sizeof *spent, bench_by_value);
        if (getenv("HEDGED_BENCH_KINDS")) {
            fprintf(stderr, "%6.2f %6.2f %6.2f  %s\n", spent[0], spent[RUNS / 2], spent[RUNS - 1],
                    bodies[i]);
        }
        if (spent[RUNS / 2] > worst) {
            worst = spent[RUNS / 2];
            worst_at = i;
        }
    }
    qsort(all, KINDS * RUNS, sizeof *all, bench_by_value);
    bench_begin(b);
    bench_end(b, 1);
    bench_field(b, "kinds", KINDS);
    bench_field(b, "median_ms", all[KINDS * RUNS / 2]);
    bench_field(b, "p90_ms", all[KINDS * RUNS * 9 / 10]);
    bench_field(b, "worst_run_ms", all[KINDS * RUNS - 1]);
    bench_field(b, "worst_kind_ms", worst); /* median of its runs */
    bench_field_str(b, "worst_kind", bodies[worst_at]);
}

/* 100,000 live tables: how long a callback may have to wait for the collector, which only steps
 * between events. A step inside a callback would show as live memory that falls there. Told in CPU
 * time and, with what else the machine did meanwhile, on the wall. */
typedef struct delays {
    double worst_cpu_ms, worst_wall_ms;
    long late;
} delays;

static size_t live_bytes(const host *h) {
    hg_script_stats stats;
    hg_script_stats_get(h->script, &stats);
    return stats.memory;
}

static void delay_of(delays *d, host *h, bool rests) {
    for (int i = 0; i < 200000; i++) {
        size_t before = live_bytes(h);
        hg_script_event(h->script, &h->quote, NULL);
        bench_need(live_bytes(h) >= before, "collected inside a callback");
        int64_t wall_ns = hg_clock_monotonic_ns();
        double start = bench_cpu_ms();
        hg_script_idle(h->script);
        double spent = bench_cpu_ms() - start;
        double wall = (double)(hg_clock_monotonic_ns() - wall_ns) / 1e6;
        d->worst_cpu_ms = spent > d->worst_cpu_ms ? spent : d->worst_cpu_ms;
        d->worst_wall_ms = wall > d->worst_wall_ms ? wall : d->worst_wall_ms;
        d->late += spent > 0.5;
        while (rests && hg_script_rest(h->script, HG_NS_PER_MS / 5)) continue;
    }
}

static void collector_delay(bench *b, const char *live, const char *replace, bool rests) {
    char body[1024];
    snprintf(body, sizeof body,
             "local live = {} local n = 0\n%s\n"
             "function S:on_tick(t) n = n + 1\n"
             "  for i = 1, 10 do local at = 1 + (n * 7919 + i) %% 100000 %s = { {}, n } end end",
             live, replace);
    host h;
    delays d = {0};
    host_open(&h, body);
    delay_of(&d, &h, rests);
    BENCH_LOOP (b) {
        hg_script_event(h.script, &h.quote, NULL);
        hg_script_idle(h.script);
    }
    hg_script_stats stats;
    hg_script_stats_get(h.script, &stats);
    bench_field(b, "worst_delay_ms", d.worst_cpu_ms);
    bench_field(b, "worst_delay_wall_ms", d.worst_wall_ms);
    bench_field(b, "over_half_ms_in_200000", (double)d.late);
    bench_field(b, "memory_peak_mib", (double)stats.memory_peak / 1048576);
    host_close(&h);
}

#define IN_ONE "for i = 1, 100000 do live[i] = { i } end", "live[at]"
#define SPREAD                                                                                     \
    "for i = 1, 1000 do live[i] = {} for k = 1, 100 do live[i][k] = { k } end end",                \
        "live[1 + at // 101][1 + at % 100]"

/* Events without a pause. All in one array: Lua goes through one table without a break, once to
 * mark it and once more at the end of the cycle because it was written to. No step can be shorter
 * than that. */
BENCH(collector_delay) {
    collector_delay(b, IN_ONE, false);
}

/* The same tables in a thousand arrays of a hundred: what the steps of the host make of it. */
BENCH(collector_delay_spread) {
    collector_delay(b, SPREAD, false);
}

/* As in a session that waits for its next event, which is when it collects. */
BENCH(collector_delay_with_rests) {
    collector_delay(b, IN_ONE, true);
}

BENCH(collector_delay_spread_with_rests) {
    collector_delay(b, SPREAD, true);
}

/* The collector with 100,000 live tables: the worst pause between two events. */
BENCH(idle_with_many_tables) {
    host h;
    host_open(&h, "local live = {} for i = 1, 100000 do live[i] = { i } end\n"
                  "function S:on_tick(t) live[1 + t.time // 1 % 100000 | 0] = { {}, {} } end");
    BENCH_EACH (b, 200000) {
        hg_script_event(h.script, &h.quote, NULL);
        hg_script_idle(h.script);
    }
    host_close(&h);
}

/* ---- hot reload ------------------------------------------------------------------------------ */
typedef struct reloading {
    host h;
    char text[32768];
    hg_code *code;
} reloading;

static void reloading_open(reloading *r) {
    host_open(&r->h, "");
    hg_script_close(r->h.script);
    bench_strategy(r->text, sizeof r->text, 0, "  self.last = t.bid\n");
    bench_need(hg_script_open_text(&r->h.env, "bench.lua", r->text, 0, NULL, 0, &r->h.script) == 0,
               "load");
    bench_need(hg_script_start(r->h.script, "start") == 0, "start");
    bench_need(hg_script_code(r->h.script, &r->code) == 0, "code");
}

/* What the session waits for at a swap: copying 1,000 rows out and in, on_start, the hand-over. */
BENCH(reload_swap_400_lines_1000_rows) {
    static reloading r;
    hg_carry carry = {0};
    reloading_open(&r);
    for (int i = 0; i < 200; i++) {
        hg_script *next = NULL;
        bench_need(hg_script_candidate(&r.h.env, r.h.script, r.code, NULL, &next) == 0,
                   "candidate");
        hg_script_warm(next, &carry); /* as a session does, with the state of the rehearsal */
        bench_begin(b);
        bench_need(hg_script_carry(r.h.script, &carry) == 0, "carry");
        bench_need(hg_script_take(next, &carry, false) == 0, "take");
        bench_need(hg_script_succeed(next, r.h.script, true) == 0, "succeed");
        hg_script_suspend(r.h.script);
        bench_end(b, 1);
        hg_script_close(r.h.script);
        r.h.script = next;
    }
    bench_field(b, "state_bytes", (double)carry.size);
    hg_carry_fini(&carry);
    hg_code_free(r.code);
    host_close(&r.h);
}

/* A fresh sandbox, compiling and running the file, all checks. */
BENCH(reload_candidate_400_lines) {
    static reloading r;
    reloading_open(&r);
    for (int i = 0; i < 200; i++) {
        hg_script *next = NULL;
        bench_begin(b);
        bench_need(hg_script_candidate(&r.h.env, r.h.script, r.code, NULL, &next) == 0,
                   "candidate");
        bench_end(b, 1);
        hg_script_close(next);
    }
    hg_code_free(r.code);
    host_close(&r.h);
}
