/* A small session for the tests of the script room: real rooms, two instruments, event time set by
 * hand. */
#ifndef HG_TESTS_TEST_SCRIPT_KIT_H
#define HG_TESTS_TEST_SCRIPT_KIT_H

#include "base/clock.h"
#include "exec/paper.h"
#include "script/script.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define PERP "BTC-PERPETUAL"
#define FUT "BTC-25SEP26"
#define CALL "BTC-25SEP26-70000-C"
#define PUT "BTC-25SEP26-60000-P"
#define KIT_START (INT64_C(1782000000) * HG_NS_PER_S) /* 2026-06-21 */

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#else
static void __lsan_disable(void) {}
static void __lsan_enable(void) {}
#endif

/* What a step that is cut off holds is lost, and meant to be: not for the leak checker. */
static inline void kit_leaks(bool meant) {
    (meant ? __lsan_disable : __lsan_enable)();
}

typedef struct kit {
    hg_universe *universe;
    hg_market *market;
    hg_portfolio *portfolio;
    hg_venue *venue;
    hg_exec *exec;
    hg_script *script;
    hg_script_env env;
    int64_t now_ns;
    char log[4096];
} kit;

static inline void kit_log(void *context, const char *strategy, hg_log_level level,
                           const char *text) {
    kit *k = context;
    (void)strategy;
    (void)level;
    size_t used = strlen(k->log);
    snprintf(k->log + used, sizeof k->log - used, "%s\n", text);
}

static inline uint32_t kit_id(const kit *k, const char *name) {
    uint32_t id = hg_universe_find(k->universe, name);
    CHECK(id != HG_ID_NONE);
    return id;
}

/* Instruments, an index of 64,000 and a perpetual quoted around it. */
static inline void kit_open(kit *k) {
    static const char *const names[] = {PERP, FUT, CALL, PUT, "ETH-PERPETUAL"};
    memset(k, 0, sizeof *k);
    k->universe = hg_universe_new();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t id;
        CHECK_EQ(hg_universe_add_name(k->universe, names[i], &id), 0);
    }
    hg_market_options market = {.depth_books = 4};
    k->market = hg_market_new(k->universe, &market);
    hg_portfolio_options portfolio = {.fees = false};
    k->portfolio = hg_portfolio_new(k->market, &portfolio);
    hg_paper_options paper = {.fill = HG_FILL_TOUCH};
    CHECK_EQ(hg_paper_open(k->market, &paper, &k->venue), 0);
    hg_exec_options exec = {.order_capacity = 256};
    k->exec = hg_exec_new(k->market, k->portfolio, k->venue, &exec);
    k->now_ns = KIT_START;
    k->env = (hg_script_env){.universe = k->universe,
                             .market = k->market,
                             .portfolio = k->portfolio,
                             .exec = k->exec,
                             .now_ns = &k->now_ns,
                             .seed = 7,
                             .context = k,
                             .log = kit_log};
}

static inline void kit_close(kit *k) {
    hg_script_close(k->script);
    hg_exec_free(k->exec);
    k->venue->ops->close(k->venue);
    hg_portfolio_free(k->portfolio);
    hg_market_free(k->market);
    hg_universe_free(k->universe);
}

/* What the core does with one event. */
static inline void kit_apply(kit *k, const hg_event *event) {
    k->now_ns = event->time_ns;
    const hg_order *order = NULL;
    if (event->kind <= HG_EV_STATUS) {
        CHECK(hg_market_apply(k->market, event));
        hg_portfolio_observe(k->portfolio, event);
        hg_exec_observe(k->exec, event);
        k->venue->ops->observe(k->venue, event);
    } else if (event->kind <= HG_EV_ALARM) {
        order = hg_exec_apply(k->exec, event);
        if (!order) return;
    }
    if (k->script) hg_script_event(k->script, event, order);
}

/* Answers and timers due until now. */
static inline void kit_settle(kit *k, int64_t until_ns) {
    for (;;) {
        int64_t gate = hg_exec_due_ns(k->exec);
        int64_t venue = k->venue->ops->due_ns(k->venue);
        int64_t answers = gate < venue ? gate : venue;
        int64_t timers = k->script ? hg_script_due_ns(k->script) : INT64_MAX;
        if (answers > until_ns && timers > until_ns) break;
        hg_event event;
        if (answers <= timers) {
            bool got = gate <= venue ? hg_exec_next(k->exec, &event)
                                     : k->venue->ops->next(k->venue, &event);
            if (!got) continue; /* a request reached the venue; its answer comes later */
            if (event.time_ns < k->now_ns) event.time_ns = k->now_ns;
            kit_apply(k, &event);
        } else {
            if (timers > k->now_ns) k->now_ns = timers;
            hg_script_timer(k->script, k->now_ns);
        }
    }
    if (until_ns > k->now_ns) k->now_ns = until_ns;
}

static inline void kit_feed(kit *k, hg_event event) {
    kit_settle(k, event.time_ns);
    kit_apply(k, &event);
    kit_settle(k, event.time_ns);
}

static inline hg_event kit_quote_event(kit *k, const char *name, double bid, double ask) {
    hg_event e = {.kind = HG_EV_QUOTE, .id = kit_id(k, name), .time_ns = k->now_ns + HG_NS_PER_MS};
    const hg_instrument *inst = hg_universe_get(k->universe, e.id);
    CHECK(hg_price_from_double(inst, bid, &e.quote.bid));
    CHECK(hg_price_from_double(inst, ask, &e.quote.ask));
    e.quote.bid_size = e.quote.ask_size = 1000;
    return e;
}

static inline void kit_quote(kit *k, const char *name, double bid, double ask) {
    kit_feed(k, kit_quote_event(k, name, bid, ask));
}

static inline void kit_index(kit *k, double price) {
    hg_event e = {.kind = HG_EV_INDEX,
                  .id = hg_universe_find_underlying(k->universe, "BTC"),
                  .time_ns = k->now_ns + HG_NS_PER_MS};
    CHECK(hg_nano_from_double(price, &e.price.value));
    kit_feed(k, e);
}

static inline int kit_try(kit *k, const char *text, const char *const *set, size_t set_count) {
    return hg_script_open_text(&k->env, "test.lua", text, 0, set, set_count, &k->script);
}

/* Loads and starts; the text continues a strategy declared by `head`. */
static inline void kit_load(kit *k, const char *text) {
    static char source[16384];
    snprintf(source, sizeof source,
             "local hedged = require 'hedged'\n"
             "local S = hedged.strategy { api = 1, underlying = 'BTC', hedge_with = '" PERP "' }\n"
             "local function out(...) hedged.log(...) end\n%s\nreturn S\n",
             text);
    int rc = kit_try(k, source, NULL, 0);
    if (rc < 0) hg_test_fail(__FILE__, __LINE__, "%s", hg_error_text());
    rc = hg_script_start(k->script, "start");
    if (rc < 0) hg_test_fail(__FILE__, __LINE__, "%s", hg_error_text());
}

static inline void kit_running(const kit *k) {
    if (hg_script_status(k->script) != HG_SCRIPT_RUNNING) {
        hg_test_fail(__FILE__, __LINE__, "%s", hg_script_error(k->script));
    }
}

static inline void kit_failed(const kit *k, const char *text) {
    CHECK_EQ(hg_script_status(k->script), HG_SCRIPT_FAILED);
    if (!strstr(hg_script_error(k->script), text)) {
        hg_test_fail(__FILE__, __LINE__, "no '%s' in: %s", text, hg_script_error(k->script));
    }
}

#endif
