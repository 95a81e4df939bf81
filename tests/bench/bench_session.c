/* Whole sessions: what a tick costs from the tape to the order.
 *
 * Workload W is the one all peers were measured on: 1,000,000 quotes of one instrument, a script
 * that flips its position whenever the mid has moved by 0.1 % from a reference. Right is 715 fills
 * and -1802.00 USD; both are printed, so that a fast wrong answer shows. */
#include "app/session.h"
#include "base/clock.h"
#include "bench.h"
#include "venue/tape.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICKS 1000000
#define START_NS (INT64_C(1700000000) * HG_NS_PER_S)
#define LEGS 100

static const char flip[] = "local hedged = require 'hedged'\n"
                           "local orders = require 'hedged.orders'\n"
                           "local S = hedged.strategy { api = 1, underlying = 'BTC',\n"
                           "  hedge_with = 'BTC_USDC-PERPETUAL' }\n"
                           "local ref, side\n"
                           "function S:on_tick(t)\n"
                           "  local mid = (t.bid + t.ask) / 2\n"
                           "  if not ref then ref = mid return end\n"
                           "  local move = mid - ref\n"
                           "  if move < 0 then move = -move end\n"
                           "  if move * 1000 >= ref then\n"
                           "    ref = mid\n"
                           "    local size = side and 2 or 1\n"
                           "    side = side == 'buy' and 'sell' or 'buy'\n"
                           "    orders.send { instrument = 'BTC_USDC-PERPETUAL', side = side,\n"
                           "      size = size, type = 'market' }\n"
                           "  end\n"
                           "end\n"
                           "return S\n";

static const char ask_exposure[] = "local hedged = require 'hedged'\n"
                                   "local S = hedged.strategy { api = 1, underlying = 'BTC',\n"
                                   "  hedge_with = 'BTC_USDC-PERPETUAL' }\n"
                                   "local sum = 0\n"
                                   "function S:on_tick(t)\n"
                                   "  sum = sum + hedged.exposure('BTC').delta\n"
                                   "end\n"
                                   "return S\n";

static const char hedge[] = "local hedged = require 'hedged'\n"
                            "local policy = require 'hedged.policy'\n"
                            "local S = hedged.strategy { api = 1, underlying = 'BTC',\n"
                            "  hedge_with = 'BTC_USDC-PERPETUAL',\n"
                            "  band = hedged.param { default = 0.01, min = 0 } }\n"
                            "function S:on_tick(tick)\n"
                            "  local x = hedged.exposure(self.underlying)\n"
                            "  local size = policy.band { delta = x.delta, target = 0,\n"
                            "    lo = -self.band, hi = self.band }\n"
                            "  if size ~= 0 then\n"
                            "    hedged.trade { instrument = self.hedge_with, delta = size,\n"
                            "      reason = 'delta outside band' }\n"
                            "  end\n"
                            "end\n"
                            "return S\n";

static uint64_t state;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Writes `text` or a tape into a file of this process and gives its name. */
static char *temp_path(const char *name) {
    static char path[4][96];
    static unsigned turn;
    char *p = path[turn++ % 4];
    snprintf(p, sizeof path[0], "/tmp/hedged-bench-%d-%s", (int)getpid(), name);
    return p;
}

static const char *script_write(const char *name, const char *text) {
    char *path = temp_path(name);
    FILE *file = fopen(path, "w");
    if (file) {
        fputs(text, file);
        fclose(file);
    }
    return path;
}

static void append(hg_tape_writer *tape, const hg_event *event) {
    if (hg_tape_append(tape, event) < 0) {
        fprintf(stderr, "bench: %s\n", hg_error_text());
        exit(1);
    }
}

/* A mark with a vol for each leg, so that the book is known. */
static void legs_write(hg_tape_writer *tape, hg_universe *universe) {
    for (int i = 0; i < LEGS; i++) {
        char name[HG_NAME_MAX];
        uint32_t id = 0;
        snprintf(name, sizeof name, "BTC-%s-%d-%c", i % 2 ? "29DEC23" : "29MAR24",
                 40000 + 1000 * (i / 2), i % 4 < 2 ? 'C' : 'P');
        if (hg_universe_add_name(universe, name, &id) < 0) {
            exit(1);
        }
        hg_event e = {.kind = HG_EV_MARK, .id = id, .time_ns = START_NS, .flags = HG_EVF_MORE};
        e.mark.price = HG_NANO / 50;
        e.mark.iv = HG_NANO / 100 * (40 + i % 30);
        append(tape, &e);
    }
}

/* Workload W as a tape; `legs` adds a marked book, `others` further quoted instruments. */
static char *tape_write(const char *name, bool legs, int ticks, int others) {
    hg_universe *universe = hg_universe_new();
    hg_tape_writer *tape = NULL;
    char *path = temp_path(name);
    uint32_t id = 0;
    if (!universe || hg_universe_add_name(universe, "BTC_USDC-PERPETUAL", &id) < 0 ||
        hg_tape_create(path, universe, "bench", &tape) < 0) {
        exit(1);
    }
    const hg_instrument inst = *hg_universe_get(universe, id);
    hg_nano half = HG_NANO / 2;
    if (legs) {
        legs_write(tape, universe);
    }
    for (int i = 0; i < others; i++) {
        char other[HG_NAME_MAX];
        uint32_t other_id = 0;
        snprintf(other, sizeof other, "ETH-29DEC23-%d-C", 100 + i);
        if (hg_universe_add_name(universe, other, &other_id) < 0) {
            exit(1);
        }
    }
    state = UINT64_C(88172645463325252);
    int64_t mid = 60000 * HG_NANO;
    for (int i = 0; i < ticks; i++) {
        mid += ((int64_t)(next() % 11) - 5) * half;
        mid = mid < 30000 * HG_NANO ? 30000 * HG_NANO : mid;
        int64_t spread = 1 + (int64_t)(next() % 3);
        hg_event e = {.kind = HG_EV_QUOTE, .id = id, .time_ns = START_NS + i * HG_NS_PER_MS};
        e.quote.bid = (mid - spread * half) / inst.tick;
        e.quote.ask = (mid + spread * half) / inst.tick;
        e.quote.bid_size = (1 + (int64_t)(next() % 50)) * HG_NANO / inst.lot;
        e.quote.ask_size = (1 + (int64_t)(next() % 50)) * HG_NANO / inst.lot;
        append(tape, &e);
    }
    if (hg_tape_finish(tape) < 0) {
        exit(1);
    }
    hg_universe_free(universe);
    return path;
}

static void book_add_legs(hg_session *s) {
    for (uint32_t i = 0; i < hg_universe_count(s->core.universe); i++) {
        const hg_instrument *inst = hg_universe_get(s->core.universe, i);
        if (inst->kind == HG_KIND_OPTION && strcmp(inst->underlying, "BTC") == 0 &&
            hg_portfolio_open(s->core.portfolio, i, i % 2 ? 10 : -10, 0) < 0) {
            exit(1);
        }
    }
    s->core.ready = false;
}

static hg_session_options options_make(const char *script, const char *tape) {
    static char feed[128];
    snprintf(feed, sizeof feed, "tape:%s", tape);
    hg_session_options o = {.mode = HG_MODE_BACKTEST,
                            .feed = feed,
                            .scenario = "calm",
                            .seed = 1,
                            .step_ns = HG_NS_PER_HOUR,
                            .paper.fill = HG_FILL_TOUCH,
                            .json = true,
                            .strategies = {script},
                            .strategy_count = 1};
    hg_limits_default(&o.limits);
    return o;
}

static void session_open(hg_session *s, const hg_session_options *o, bool legs) {
    if (hg_session_open(s, o) < 0) {
        fprintf(stderr, "bench: %s\n", hg_error_text());
        exit(1);
    }
    if (legs) {
        book_add_legs(s);
    }
}

/* The same loop as a session's pump without waiting and reports: those are not per tick. */
static uint64_t replay(hg_session *s) {
    hg_event e;
    uint64_t n = 0;
    for (; hg_feed_next(s->feed, &e) > 0; n++) {
        hg_core_feed(&s->core, &e);
        hg_core_idle(&s->core);
    }
    return n;
}

static void session_close(hg_session *s) {
    if (hg_session_close(s) < 0) {
        exit(1);
    }
}

static void run_ticks(bench *b, const char *script, const char *tape, bool legs) {
    hg_session_options o = options_make(script, tape);
    uint64_t events = 0;
    hg_pnl pnl = {0};
    hg_exec_stats stats = {0};
    uint64_t passes = 0;
    for (int round = 0; round < 5; round++) {
        hg_session s;
        session_open(&s, &o, legs);
        if (hg_script_start(s.core.scripts[0], "start") < 0) {
            exit(1);
        }
        bench_begin(b);
        events = replay(&s);
        bench_end(b, (double)events);
        hg_portfolio_pnl(s.core.portfolio, s.core.now_ns, &pnl);
        stats = *hg_exec_stats_get(s.core.exec);
        passes = hg_portfolio_passes(s.core.portfolio);
        session_close(&s);
    }
    bench_field(b, "events", (double)events);
    bench_field(b, "fills", (double)stats.fills);
    bench_field(b, "pnl", nearbyint(pnl.hedged * 1e6) / 1e6);
    bench_field(b, "passes_per_event", (double)passes / (double)events);
}

BENCH(workload_w) {
    char *tape = tape_write("w.tape", false, TICKS, 0);
    const char *script = script_write("flip.lua", flip);
    run_ticks(b, script, tape, false);
    unlink(tape);
    unlink(script);
}

BENCH(exposure_each_tick_100_legs) {
    char *tape = tape_write("legs.tape", true, TICKS / 4, 0);
    const char *script = script_write("ask.lua", ask_exposure);
    run_ticks(b, script, tape, true);
    unlink(tape);
    unlink(script);
}

/* Event in to order handed to the venue: only events that led to an order count. */
static void run_orders(bench *b, const char *band) {
    char *tape = tape_write("order.tape", true, TICKS / 4, 0);
    const char *script = script_write("hedge.lua", hedge);
    hg_session_options o = options_make(script, tape);
    static double taken[TICKS];
    size_t count = 0;
    hg_session s;
    o.set[o.set_count++] = band;
    session_open(&s, &o, true);
    if (hg_script_start(s.core.scripts[0], "start") < 0) {
        exit(1);
    }
    hg_event e;
    while (hg_feed_next(s.feed, &e) > 0) {
        hg_core_settle(&s.core, e.time_ns);
        uint64_t before = hg_exec_stats_get(s.core.exec)->orders;
        int64_t begin = hg_clock_monotonic_ns();
        hg_core_apply(&s.core, &e);
        int64_t end = hg_clock_monotonic_ns();
        if (hg_exec_stats_get(s.core.exec)->orders > before && count < TICKS) {
            taken[count++] = (double)(end - begin);
        }
        hg_core_settle(&s.core, e.time_ns);
        hg_core_idle(&s.core);
    }
    session_close(&s);
    for (size_t gap = count / 2; gap > 0; gap /= 2) { /* shell sort: a few thousand values */
        for (size_t i = gap; i < count; i++) {
            for (size_t j = i; j >= gap && taken[j - gap] > taken[j]; j -= gap) {
                double t = taken[j];
                taken[j] = taken[j - gap];
                taken[j - gap] = t;
            }
        }
    }
    bench_begin(b);
    bench_end(b, 1);
    bench_field(b, "orders", (double)count);
    if (count > 0) {
        bench_field(b, "order_p50_ns", taken[count / 2]);
        bench_field(b, "order_p99_ns", taken[count * 99 / 100]);
    }
    unlink(tape);
    unlink(script);
}

/* Most ticks send an order: code and data stay in the caches. */
BENCH(tick_to_order_100_legs) {
    run_orders(b, "band=0");
}

/* One tick in sixty does. */
BENCH(tick_to_rare_order_100_legs) {
    run_orders(b, "band=0.01");
}

static void run_others(bench *b, int others) {
    char *tape = tape_write("others.tape", false, TICKS / 4, others);
    const char *script = script_write("flip.lua", flip);
    run_ticks(b, script, tape, false);
    bench_field(b, "instruments", others + 1);
    unlink(tape);
    unlink(script);
}

BENCH(among_100_instruments) {
    run_others(b, 100);
}

BENCH(among_1000_instruments) {
    run_others(b, 1000);
}

BENCH(among_10000_instruments) {
    run_others(b, 10000);
}
