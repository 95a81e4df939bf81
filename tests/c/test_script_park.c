/* The error budget, parking, pausing and resuming. */
#include "test_script_kit.h"

static struct {
    uint64_t told;
    uint64_t last;
    char text[512];
} heard;

static void hear(void *context, const hg_script *script, const char *text, uint64_t count) {
    (void)context;
    (void)script;
    heard.told++;
    heard.last = count;
    snprintf(heard.text, sizeof heard.text, "%s", text);
}

static void budget_open(kit *k, uint32_t max, int64_t window_s) {
    memset(&heard, 0, sizeof heard);
    kit_open(k);
    k->env.errors_max = max;
    k->env.errors_window_ns = window_s * HG_NS_PER_S;
    k->env.error = hear;
}

static void tick_after(kit *k, int64_t seconds) {
    k->now_ns += seconds * HG_NS_PER_S;
    kit_quote(k, PERP, 63990, 64010);
}

TEST(the_same_error_is_told_at_powers_of_ten) {
    kit k;
    budget_open(&k, 250, 1);
    kit_load(&k,
             "local n = 0 function S:on_tick() n = n + 1 if n % 2 == 0 then error('x') end end");
    for (int i = 0; i < 460; i++) tick_after(&k, 1);
    kit_running(&k);
    CHECK_EQ(heard.told, 3); /* 1, 10, 100 of 230 */
    CHECK_EQ(heard.last, 100);
    const char *text;
    uint64_t count;
    CHECK(hg_script_fault(k.script, 0, &text, &count));
    CHECK_EQ(count, 230);
    CHECK_STR(text, "test.lua:4: x");
    CHECK(!hg_script_fault(k.script, 1, &text, &count));
    kit_close(&k);
}

TEST(parks_at_the_nth_error_within_the_window_and_not_before) {
    kit k;
    budget_open(&k, 5, 60);
    kit_load(&k,
             "local n = 0 function S:on_tick() n = n + 1 if n % 2 == 0 then error('x') end end");
    for (int i = 0; i < 9; i++)
        tick_after(&k, 7); /* 4 errors; the fifth is 8 * 7 s after the first */
    kit_running(&k);
    tick_after(&k, 7);
    kit_failed(&k, "x");
    kit_close(&k);
    budget_open(&k, 5, 60);
    kit_load(&k,
             "local n = 0 function S:on_tick() n = n + 1 if n % 2 == 0 then error('x') end end");
    for (int i = 0; i < 100; i++) tick_after(&k, 8); /* the fifth is 64 s after the first */
    kit_running(&k);
    kit_close(&k);
}

TEST(parks_when_every_callback_fails_however_slowly) {
    kit k;
    budget_open(&k, 5, 1);
    kit_load(&k, "function S:on_tick() error('always') end");
    for (int i = 0; i < 4; i++) tick_after(&k, 3600);
    kit_running(&k);
    tick_after(&k, 3600);
    kit_failed(&k, "always");
    kit_close(&k);
}

TEST(no_budget_parks_at_the_first) {
    kit k;
    budget_open(&k, 0, 60);
    kit_load(&k, "function S:on_tick() error('once') end");
    tick_after(&k, 1);
    kit_failed(&k, "once");
    CHECK_EQ(heard.told, 0);
    kit_close(&k);
}

TEST(an_overrun_and_lack_of_memory_park_at_once) {
    static const char *const bodies[] = {"while true do end",
                                         "local t = {} while true do t[#t + 1] = {} end"};
    for (size_t i = 0; i < 2; i++) {
        kit k;
        budget_open(&k, 100, 60);
        k.env.memory_max = 8 << 20;
        k.env.callback_budget_ns = (i == 0 ? 20 : 5000) * HG_NS_PER_MS;
        char text[128];
        snprintf(text, sizeof text, "function S:on_tick() %s end", bodies[i]);
        kit_load(&k, text);
        tick_after(&k, 1);
        kit_failed(&k, i == 0 ? "CPU time" : "out of memory");
        /* and can be resumed, with its memory back */
        CHECK_EQ(hg_script_resume(k.script), 0);
        kit_running(&k);
        tick_after(&k, 1);
        kit_failed(&k, i == 0 ? "CPU time" : "out of memory");
        kit_close(&k);
    }
}

TEST(a_failing_task_leaves_the_others_alone) {
    kit k;
    budget_open(&k, 100, 60);
    kit_load(&k,
             "function S:on_start()\n"
             "  hedged.spawn(function() while true do hedged.sleep(1) out('good') end end)\n"
             "  hedged.spawn(function() hedged.sleep(1.5)\n"
             "    local x <close> = setmetatable({}, {__close = function() out('closed') end})\n"
             "    error('bad') end)\n"
             "end");
    kit_settle(&k, k.now_ns + 3 * HG_NS_PER_S + 1);
    kit_running(&k);
    CHECK_STR(k.log, "good\nclosed\ngood\ngood\n");
    kit_close(&k);
}

TEST(a_close_handler_that_never_ends_parks) {
    kit k;
    budget_open(&k, 100, 60);
    kit_load(&k,
             "function S:on_tick()\n"
             "  local x <close> = setmetatable({}, {__close = function() while true do end end})\n"
             "  error('bad') end");
    tick_after(&k, 1);
    CHECK_EQ(hg_script_status(k.script), HG_SCRIPT_FAILED);
    kit_close(&k);
}

TEST(pausing_is_silence_and_resuming_starts_again) {
    kit k;
    budget_open(&k, 10, 60);
    kit_load(&k, "local orders = require 'hedged.orders'\n"
                 "function S:on_start(why) out(why.kind, #why.orders, S.state.kept)\n"
                 "  hedged.every(1, function() out('timer') end) end\n"
                 "function S:on_tick(t) S.state.kept = 'kept' out('tick')\n"
                 "  local o = orders.buy{instrument='" PERP "', size=1000, price=63900}\n"
                 "  o:await(1000) out('never') end");
    tick_after(&k, 0);
    CHECK_STR(k.log, "start 0 nil\ntick\n");
    CHECK_EQ(hg_script_pause(k.script), 0);
    CHECK_EQ(hg_script_pause(k.script), HG_ESTATE);
    CHECK_EQ(hg_script_due_ns(k.script), INT64_MAX);
    tick_after(&k, 10);
    CHECK(hg_exec_open_next(k.exec, 0, 0) == NULL);
    k.log[0] = '\0';
    CHECK_EQ(hg_script_resume(k.script), 0);
    CHECK_EQ(hg_script_resume(k.script), HG_ESTATE);
    CHECK_STR(k.log, "resume 0 kept\n");
    kit_settle(&k, k.now_ns + HG_NS_PER_S + 1);
    CHECK_STR(k.log, "resume 0 kept\ntimer\n");
    CHECK_EQ(hg_script_pause(k.script), 0);
    hg_script_stop(k.script, "end");
    CHECK_EQ(hg_script_status(k.script), HG_SCRIPT_STOPPED);
    kit_close(&k);
}

TEST(keeps_orders_when_asked_to) {
    kit k;
    budget_open(&k, 0, 60);
    k.env.on_park = HG_PARK_KEEP;
    kit_load(&k, "local orders = require 'hedged.orders'\n"
                 "function S:on_tick(t)\n"
                 "  orders.buy{instrument='" PERP "', size=1000, price=63900} error('x') end");
    tick_after(&k, 0);
    kit_failed(&k, "x");
    kit_settle(&k, k.now_ns + HG_NS_PER_S);
    CHECK(hg_exec_open_next(k.exec, 0, 0) != NULL);
    kit_close(&k);
}

TEST(a_thousand_errors_pauses_and_resumes_leak_nothing) {
    kit k;
    budget_open(&k, 100, 1);
    kit_load(&k, "function S:on_start() hedged.every(5, function() error('t') end)\n"
                 "  hedged.spawn(function() hedged.sleep(1e6) end) end\n"
                 "function S:on_tick(t) end");
    hg_script_stats stats;
    size_t base = 0;
    for (int i = 0; i < 1000; i++) {
        kit_settle(&k, k.now_ns + 6 * HG_NS_PER_S);
        CHECK_EQ(hg_script_pause(k.script), 0);
        CHECK_EQ(hg_script_resume(k.script), 0);
        if (i == 20 || i == 999) {
            CHECK_EQ(hg_script_pause(k.script), 0);
            CHECK_EQ(hg_script_resume(k.script), 0);
            hg_script_stats_get(k.script, &stats);
            if (i == 20) base = stats.memory;
        }
    }
    kit_running(&k);
    CHECK_EQ(stats.errors, 1000);
    CHECK(stats.memory <= base + 2048);
    printf("memory %zu then %zu bytes\n", base, stats.memory);
    kit_close(&k);
}
