/* What one code leaves to the next: each test fails when one thing is not handed over. Where it
 * can, a test asks for nothing but sameness: a session with a reload does what the same session
 * does without one. */
#include "app/reload_int.h"
#include "test_app_reload_kit.h"

#include <malloc.h>

static char said[256];

static void keep_log(void *context, const char *strategy, hg_log_level level, const char *text) {
    (void)context;
    (void)strategy;
    (void)level;
    snprintf(said, sizeof said, "%s", text);
}

/* Ends the session; what on_stop logged is in `said`. */
static void finish(rig *r) {
    r->s.envs[0].log = keep_log;
    said[0] = '\0';
    hg_script_stop(rig_script(r), "end");
    CHECK_STR(hg_script_error(rig_script(r)), "");
    rig_close(r);
}

/* Without a look at reloads, as while they rest between two slices. */
static void feed_only(rig *r) {
    hg_event e;
    CHECK_EQ(hg_feed_next(r->s.feed, &e), 1);
    hg_core_feed(&r->s.core, &e);
    r->fed++;
}

static void feed_until(rig *r, int64_t seconds, bool in_update) {
    int64_t end = r->s.core.start_ns + seconds * HG_NS_PER_S;
    while (r->s.core.now_ns < end) rig_feed(r, 1, true);
    while (in_update && !r->s.reload->recorder.batch_open) rig_feed(r, 1, true);
}

/* ---- the log --------------------------------------------------------------------------------- */
static struct {
    rig *r;
    int64_t second;
    int lines, most, dropped, seconds;
} logged;

static void count_lines(void *context, const char *strategy, hg_log_level level, const char *text) {
    (void)context, (void)strategy, (void)level;
    if (strstr(text, "log lines dropped")) {
        logged.dropped += (int)strtol(text, NULL, 10);
        return;
    }
    int64_t second = logged.r->s.core.now_ns / HG_NS_PER_S;
    if (second != logged.second) logged.seconds++;
    logged.lines = second == logged.second ? logged.lines + 1 : 1;
    logged.second = second;
    if (logged.lines > logged.most) logged.most = logged.lines;
}

/* Neither a new code, nor one that is refused, nor one that comes back logs more in a second. */
TEST(no_code_has_an_allowance_of_its_own_for_the_log) {
    rig r;
    char body[1024];
    const char *flood = "local function flood() for i = 1, 150 do hedged.log('%d', i) end end\n"
                        "flood()\n"
                        "function S:on_tick() flood() end\n";
    rig_one(&r, flood);
    memset(&logged, 0, sizeof logged);
    logged.r = &r;
    r.s.envs[0].log = count_lines;
    feed_until(&r, 2, false);
    for (int i = 0; i < 24; i++) {
        double late_s = (double)r.s.core.now_ns / 1e9 + 0.05;
        snprintf(body, sizeof body,
                 "%sif %d == 1 then error('as it loads') end\n"
                 "local tick = S.on_tick\n"
                 "function S:on_tick(t)\n"
                 "  tick(self)\n"
                 "  if %d == 2 and t.time > %.3f then error('late') end\n"
                 "end -- %d\n",
                 flood, i % 3, i % 3, late_s, i);
        rig_try(&r, body);
        rig_feed(&r, 300, true);
    }
    feed_until(&r, 60, false);
    CHECK_EQ(r.swapped, 16);
    CHECK_EQ(r.refused, 8);
    CHECK_EQ(r.rolled_back, 8);
    CHECK_EQ(logged.most, 200);
    CHECK(logged.seconds >= 10);
    CHECK(logged.dropped > 1000);
    rig_running(&r);
    rig_close(&r);
}

/* ---- random numbers -------------------------------------------------------------------------- */
#define DRAWS                                                                                      \
    "function S:on_timer()\n"                                                                      \
    "  self.state.drawn = (self.state.drawn or '') .. math.random(0, 9)\n"                         \
    "end\n"                                                                                        \
    "function S:on_start() hedged.every(1, 'draw') end\n"                                          \
    "function S:on_stop() hedged.log(self.state.drawn) end\n"

TEST(random_numbers_go_on) {
    rig r;
    rig_one(&r, DRAWS);
    feed_until(&r, 40, false);
    finish(&r);
    char calm[sizeof said];
    memcpy(calm, said, sizeof calm);
    CHECK(strlen(calm) >= 38);
    rig_one(&r, DRAWS);
    for (int i = 1; i < 4; i++) {
        char body[1024];
        feed_until(&r, i * 10, false);
        snprintf(body, sizeof body, "-- %d\n%s", i, DRAWS);
        rig_try(&r, body);
        rig_swapped(&r);
    }
    feed_until(&r, 40, false);
    finish(&r);
    CHECK_STR(said, calm);
}

/* ---- updates under way ----------------------------------------------------------------------- */
/* Counts what it hears at the end of the first update, which is one with everything. */
#define HEARS_ALL                                                                                  \
    "local market = require 'hedged.market'\n"                                                     \
    "function S:on_start() market.subscribe('BTC-*') end\n"                                        \
    "function S:on_tick(t)\n"                                                                      \
    "  local s = self.state\n"                                                                     \
    "  s.at = s.at or t.time\n"                                                                    \
    "  if t.time ~= s.at then return end\n"                                                        \
    "  s.n, s.sum = (s.n or 0) + 1, s.sum or 0\n"                                                  \
    "  for i = 1, #t.instrument do s.sum = (s.sum * 31 + t.instrument:byte(i)) % 999983 end\n"     \
    "end\n"                                                                                        \
    "function S:on_stop() hedged.log(('%d %d'):format(self.state.n, self.state.sum)) end\n"
#define HEARS_NOTHING                                                                              \
    "function S:on_start() require('hedged.market').subscribe('BTC-*') end\n"                      \
    "function S:on_tick() end\n"

/* A new code is loaded and rehearsed; the open update keeps it from taking over. */
static hg_code *code_of(rig *r, const char *body) {
    hg_code *code = NULL;
    rig_body(r, "s.lua", body);
    CHECK_EQ(hg_reload_request(r->s.reload, NULL, "test"), 0);
    rig_work(r);
    if (r->s.reload->slots[0].phase != HG_RELOAD_SWAPPING) {
        hg_test_fail(__FILE__, __LINE__, "%s: %s", r->step, r->reason);
    }
    CHECK_EQ(hg_script_code(r->s.reload->slots[0].next, &code), 0);
    hg_reload_abandon(r->s.reload, 0);
    return code;
}

static void feed_into_update(rig *r, int count) {
    for (int i = 0; i < count; i++) feed_only(r);
    CHECK(r->s.reload->recorder.batch_open);
}

TEST(an_open_update_is_told_to_the_code_at_its_end) {
    rig r;
    char calm[sizeof said];
    rig_one(&r, HEARS_ALL);
    feed_until(&r, 5, false);
    finish(&r);
    memcpy(calm, said, sizeof calm);
    CHECK(strtol(calm, NULL, 10) > 300);

    /* Forth: the new code hears what was told to the old one before the swap. */
    rig_one(&r, HEARS_NOTHING);
    feed_into_update(&r, 400);
    hg_code *code = code_of(&r, HEARS_ALL);
    CHECK_EQ(hg_reload_apply(r.s.reload, 0, code), 0);
    hg_code_free(code);
    feed_until(&r, 5, false);
    finish(&r);
    CHECK_STR(said, calm);

    /* And back: the old code hears what came while it was suspended. */
    rig_one(&r, HEARS_ALL);
    feed_into_update(&r, 100);
    code = code_of(&r, HEARS_NOTHING);
    CHECK_EQ(hg_reload_apply(r.s.reload, 0, code), 0);
    hg_code_free(code);
    feed_into_update(&r, 400);
    CHECK_EQ(hg_session_rollback(&r.s, NULL, NULL), 0);
    feed_until(&r, 5, false);
    finish(&r);
    CHECK_STR(said, calm);
}

/* The same of code that has no on_tick, and of code that fails in the middle of its ticks. */
#define HEARS_NO_TICKS                                                                             \
    "function S:on_start() require('hedged.market').subscribe('BTC-*') end\n"                      \
    "function S:on_timer() end\n"
#define FAILS_AMIDST                                                                               \
    "local n = 0\n"                                                                                \
    "function S:on_start() require('hedged.market').subscribe('BTC-*') end\n"                      \
    "function S:on_tick() n = n + 1 if n == 100 then error('amidst') end end\n"

TEST(what_failed_code_did_not_look_at_is_told_to_the_one_before) {
    static const char *const bodies[] = {HEARS_NO_TICKS, FAILS_AMIDST};
    rig r;
    char calm[sizeof said];
    for (int i = 0; i < 2; i++) {
        rig_one(&r, HEARS_ALL);
        feed_until(&r, 5, false);
        finish(&r);
        memcpy(calm, said, sizeof calm);
        rig_one(&r, HEARS_ALL);
        feed_into_update(&r, 100);
        hg_code *code = code_of(&r, bodies[i]);
        CHECK_EQ(hg_reload_apply(r.s.reload, 0, code), 0);
        hg_code_free(code);
        feed_into_update(&r, 400);
        if (i == 0) CHECK_EQ(hg_session_rollback(&r.s, NULL, NULL), 0);
        feed_until(&r, 5, false);
        CHECK_EQ(r.rolled_back, 1);
        finish(&r);
        CHECK_STR(said, calm);
    }
}

/* What one code waits to see is nothing to another one without the callback. */
TEST(an_open_update_asks_no_callback_the_code_lacks) {
    rig r;
    rig_one(&r, HEARS_ALL);
    feed_into_update(&r, 400);
    hg_code *code = code_of(&r, "function S:on_timer() end\n");
    CHECK_EQ(hg_reload_apply(r.s.reload, 0, code), 0);
    hg_code_free(code);
    feed_until(&r, 5, false);
    CHECK_EQ(r.rolled_back, 0);
    rig_running(&r);
    rig_close(&r);
}

/* ---- subscriptions --------------------------------------------------------------------------- */
/* An option that can be bought, that the book does not hold, and whose price moves. */
static void name_of_option(char *name, size_t size) {
    static unsigned moved[8192];
    rig r;
    rig_one(&r, "function S:on_tick() end\n");
    feed_until(&r, 16, false);
    memset(moved, 0, sizeof moved);
    const hg_universe *universe = r.s.core.universe;
    uint32_t best = HG_ID_NONE;
    CHECK(hg_universe_count(universe) <= sizeof moved / sizeof *moved);
    while (r.s.core.now_ns < r.s.core.start_ns + 28 * HG_NS_PER_S) {
        hg_event e;
        CHECK_EQ(hg_feed_next(r.s.feed, &e), 1);
        hg_core_feed(&r.s.core, &e);
        if (e.kind != HG_EV_QUOTE && e.kind != HG_EV_MARK) continue;
        const hg_instrument *x = hg_universe_get(universe, e.id);
        const hg_market_state *state = hg_market_get(r.s.core.market, e.id);
        bool fits = x->kind == HG_KIND_OPTION && strncmp(x->name, "BTC-", 4) == 0 &&
                    state->quote.ask > 0 && hg_portfolio_get(r.s.core.portfolio, e.id)->lots == 0;
        if (fits && ++moved[e.id] > (best == HG_ID_NONE ? 0 : moved[best])) best = e.id;
    }
    CHECK(best != HG_ID_NONE);
    snprintf(name, size, "%s", hg_universe_get(universe, best)->name);
    rig_close(&r);
}

/* Asserts at the end that it has heard of it. */
static void listener(char *body, size_t size, const char *option) {
    snprintf(body, size,
             "local heard\n"
             "function S:on_tick(t) heard = heard or t.instrument == '%s' end\n"
             "function S:on_stop() hedged.log(heard and 'heard' or 'deaf') end\n",
             option);
}

static void hears(rig *r) {
    feed_until(r, 30, false);
    finish(r);
    CHECK_STR(said, "heard");
}

/* Its code is loaded when the option is bought, and takes over afterwards. */
TEST(what_is_bought_between_load_and_swap_is_heard_of) {
    rig r;
    char option[64], body[1024];
    name_of_option(option, sizeof option);
    snprintf(body, sizeof body,
             "function S:on_start()\n"
             "  hedged.after(10, function() assert(orders.buy('%s', 1)) end)\n"
             "end\nfunction S:on_tick() end\n",
             option);
    rig_one(&r, body);
    feed_until(&r, 9, true);
    listener(body, sizeof body, option);
    rig_body(&r, "s.lua", body);
    CHECK_EQ(hg_reload_request(r.s.reload, NULL, "test"), 0);
    rig_work(&r);
    CHECK_EQ(r.s.reload->slots[0].phase, HG_RELOAD_SWAPPING);
    uint32_t id = hg_universe_find(r.s.core.universe, option);
    for (int i = 0; i < 100000 && hg_portfolio_get(r.s.core.portfolio, id)->lots == 0; i++) {
        feed_only(&r);
    }
    CHECK(hg_portfolio_get(r.s.core.portfolio, id)->lots > 0);
    rig_feed(&r, 200, true);
    rig_swapped(&r);
    hears(&r);
}

/* The same while the old code is suspended: it comes back and hears of it. */
TEST(what_was_bought_on_probation_is_heard_of_afterwards) {
    rig r;
    char option[64], body[1024], old[1024];
    name_of_option(option, sizeof option);
    listener(old, sizeof old, option);
    rig_one(&r, old);
    feed_until(&r, 5, false);
    snprintf(body, sizeof body,
             "function S:on_start() hedged.after(7, function()\n"
             "  orders.buy('%s', 1) hedged.after(2, function() error('late') end) end) end\n",
             option);
    rig_try(&r, body);
    rig_swapped(&r);
    feed_until(&r, 16, false);
    rig_says(&r, "rolled_back", "late");
    uint32_t id = hg_universe_find(r.s.core.universe, option);
    CHECK(hg_portfolio_get(r.s.core.portfolio, id)->lots > 0);
    hears(&r);
}

/* Fills of other strategies are not retold; what they have left in the book is looked up. */
TEST(what_others_bought_on_probation_is_heard_of_afterwards) {
    static const char *const names[] = {"a.lua", "b.lua"};
    rig r;
    char option[64], body[1024];
    name_of_option(option, sizeof option);
    listener(body, sizeof body, option);
    rig_init(&r);
    rig_body(&r, "a.lua", body);
    snprintf(body, sizeof body,
             "function S:on_start() hedged.after(12, function() orders.buy('%s', 1) end) end\n"
             "function S:on_timer() end\n",
             option);
    rig_body(&r, "b.lua", body);
    rig_open(&r, 2, names);
    feed_until(&r, 5, false);
    rig_body(&r, "a.lua",
             "function S:on_start()\n"
             "  hedged.after(9, function() error('late') end)\n"
             "end\nfunction S:on_timer() end\n");
    rig_reload(&r, "a");
    rig_swapped(&r);
    feed_until(&r, 16, false);
    rig_says(&r, "rolled_back", "late");
    uint32_t id = hg_universe_find(r.s.core.universe, option);
    CHECK(hg_portfolio_get(r.s.core.portfolio, id)->lots > 0);
    hears(&r);
}

TEST(what_was_subscribed_while_it_ran_goes_on) {
    rig r;
    char option[64], body[1024], again[2048];
    name_of_option(option, sizeof option);
    snprintf(body, sizeof body,
             "function S:on_start() hedged.after(2, function()\n"
             "  require('hedged.market').subscribe('%s') end) end\nfunction S:on_tick() end\n",
             option);
    rig_one(&r, body);
    feed_until(&r, 5, false);
    listener(body, sizeof body, option);
    for (int i = 0; i < 3; i++) { /* and is handed on by those who were given it */
        snprintf(again, sizeof again, "-- %d\n%s", i, body);
        rig_try(&r, again);
        rig_swapped(&r);
        feed_until(&r, 6 + i, false);
    }
    CHECK_EQ(r.swapped, 3);
    hears(&r);
    /* What the new code subscribes to itself takes its place. */
    rig_one(&r, HEARS_NOTHING);
    feed_until(&r, 5, false);
    snprintf(again, sizeof again,
             "function S:on_start() require('hedged.market').subscribe('BTC-PERPETUAL') end\n%s",
             body);
    rig_try(&r, again);
    rig_swapped(&r);
    feed_until(&r, 30, false);
    finish(&r);
    CHECK_STR(said, "deaf");
}

/* ---- timers ---------------------------------------------------------------------------------- */
/* Each moment at which a timer fires, since the start of the session. */
#define TOLD                                                                                       \
    "function S:on_timer(name)\n"                                                                  \
    "  self.state.log = (self.state.log or '') .. (' %s%g'):format(name,\n"                        \
    "    hedged.now() - self.state.zero)\n"                                                        \
    "end\n"                                                                                        \
    "function S:on_stop() hedged.log(self.state.log) end\n"

TEST(timers_with_names_keep_their_moments) {
    static const char *const form = "function S:on_start(why)\n"
                                    "  if why.kind == 'reload' then return end\n"
                                    "  self.state.zero = hedged.now()\n"
                                    "  hedged.every(4.5, 'e')\n"
                                    "  hedged.after(7.25, 'a')\n"
                                    "  hedged.at(hedged.now() + 12.125, 't')\n"
                                    "  hedged.after(1.5, 'gone')\n"
                                    "end\n" TOLD;
    rig r;
    char body[2048];
    rig_one(&r, form);
    for (int i = 1; i < 7; i++) {
        feed_until(&r, 2 * i, false);
        snprintf(body, sizeof body, "-- %d\n%s", i, form);
        rig_try(&r, body);
        rig_swapped(&r);
    }
    CHECK_EQ(r.swapped, 6);
    feed_until(&r, 20, false);
    finish(&r);
    CHECK_STR(said, " gone1.5 e4.5 a7.25 e9 t12.125 e13.5 e18");
}

TEST(timers_with_functions_end_and_are_counted) {
    rig r;
    rig_one(&r, "function S:on_start()\n"
                "  self.state.fired = 0\n"
                "  local function fire() self.state.fired = self.state.fired + 1 end\n"
                "  hedged.after(10, fire)\n"
                "  hedged.at(hedged.now() + 11, fire)\n"
                "  hedged.every(12, fire)\n"
                "  hedged.spawn(function() hedged.sleep(13) fire() end)\n"
                "  hedged.every(14, 'named')\n"
                "end\nfunction S:on_timer() self.state.named = true end\n");
    feed_until(&r, 5, false);
    rig_try(&r, "function S:on_start(why)\n"
                "  assert(why.timers == 3 and why.sleeps == 1 and #why.awaits == 0)\n"
                "end\n"
                "function S:on_timer() self.state.named = true end\n"
                "function S:on_stop()\n"
                "  assert(self.state.fired == 0 and self.state.named, self.state.fired)\n"
                "end\n");
    rig_swapped(&r);
    CHECK(strstr(r.reason, "0 awaits and 1 sleeping tasks ended") != NULL);
    feed_until(&r, 20, false);
    finish(&r);
}

TEST(timers_of_a_suspended_code_owe_one_beat) {
    rig r;
    rig_one(&r, "function S:on_start(why)\n"
                "  self.state.zero = hedged.now()\n"
                "  hedged.every(3, 'x')\n"
                "  hedged.after(8, 'a')\n"
                "end\n"
                "function S:on_timer(name)\n"
                "  self.state.log = (self.state.log or '') .. (' %s%d'):format(name,\n"
                "    (hedged.now() - self.state.zero) // 1)\n"
                "end\n"
                "function S:on_stop() hedged.log(self.state.log) end\n");
    feed_until(&r, 5, false);
    rig_try(&r, "function S:on_timer() end\n");
    rig_swapped(&r);
    feed_until(&r, 13, false);
    CHECK_EQ(hg_session_rollback(&r.s, NULL, NULL), 0);
    feed_until(&r, 20, false);
    finish(&r);
    CHECK_STR(said, " x3 a13 x13 x15 x18");
}

/* ---- parameters ------------------------------------------------------------------------------ */
static void save_banded(rig *r, const char *name) {
    char text[1024];
    snprintf(text, sizeof text,
             "local hedged = require 'hedged' -- %s\n"
             "local S = hedged.strategy { api = 1, band = hedged.param { default = 0.5 } }\n"
             "function S:on_tick() end\n"
             "function S:on_stop() hedged.log('%s ' .. self.band) end\n"
             "return S\n",
             name, name);
    rig_save(r, "s.lua", text);
}

static void wait_to_swap(rig *r) {
    static const char *const names[] = {"s.lua"};
    rig_init(r);
    save_banded(r, "old");
    rig_open(r, 1, names);
    feed_until(r, 5, true);
    save_banded(r, "new");
    CHECK_EQ(hg_reload_request(r->s.reload, NULL, "test"), 0);
    rig_work(r);
    CHECK_EQ(r->s.reload->slots[0].phase, HG_RELOAD_SWAPPING);
}

TEST(what_is_set_between_load_and_swap_holds) {
    rig r;
    wait_to_swap(&r);
    CHECK_EQ(hg_script_set(rig_script(&r), "band=0.25"), 0);
    feed_until(&r, 6, false);
    rig_swapped(&r);
    finish(&r);
    CHECK_STR(said, "new 0.25");
}

TEST(what_is_set_on_probation_holds_after_a_rollback) {
    rig r;
    wait_to_swap(&r);
    feed_until(&r, 6, false);
    rig_swapped(&r);
    CHECK_EQ(hg_script_set(rig_script(&r), "band=0.25"), 0);
    CHECK_EQ(hg_session_rollback(&r.s, NULL, NULL), 0);
    feed_until(&r, 7, false);
    finish(&r);
    CHECK_STR(said, "old 0.25");
}

/* ---- probation ------------------------------------------------------------------------------- */
/* Outside probation a strategy is forgiven an error; on probation the first one ends it. */
TEST(one_error_ends_a_probation) {
    rig r;
    char body[512];
    rig_one(&r, TRADER);
    r.s.envs[0].errors_max = 10;
    feed_until(&r, 5, false);
    rig_later(&r, body, sizeof body, "if not self.once then self.once = true error('once') end");
    rig_try(&r, body);
    rig_swapped(&r);
    feed_until(&r, 10, false);
    rig_says(&r, "rolled_back", "once");
    rig_close(&r);
}

/* The old code's refusals, and then `count` of the new one. */
static void refuses(rig *r, int count) {
    static const char *const form = "local sent = 0\n"
                                    "function S:on_tick(t)\n"
                                    "  if sent < %d and t.time > %.3f then\n"
                                    "    sent = sent + 1 orders.buy('BTC-PERPETUAL', 1e10)\n"
                                    "  end\n"
                                    "end\n";
    char body[512];
    snprintf(body, sizeof body, form, 10, 0.0);
    rig_one(r, body);
    feed_until(r, 20, false);
    snprintf(body, sizeof body, form, count, (double)r->s.core.now_ns / 1e9 + 0.05);
    rig_try(r, body);
    rig_swapped(r);
    for (int i = 0; i < 100000 && r->rolled_back + r->confirmed == 0; i++) rig_feed(r, 1, true);
}

TEST(a_probation_counts_its_own_refusals) {
    rig r;
    refuses(&r, HG_RELOAD_REFUSALS_MAX);
    rig_says(&r, "confirmed", "without a fault");
    rig_close(&r);
    refuses(&r, HG_RELOAD_REFUSALS_MAX + 1);
    rig_says(&r, "rolled_back", "the risk gate refused 6 of its orders");
    rig_close(&r);
}

/* ---- memory ---------------------------------------------------------------------------------- */
/* Of four: good, fails while it loads, is no Lua, fails when it takes over. Of three good ones:
 * replaced on probation, rolled back, confirmed. */
static void load_often(rig *r, int from, int count) {
    for (int i = from; i < from + count; i++) {
        char body[8192], late[128];
        snprintf(late, sizeof late, "if hedged.now() > %.3f then error 'late' end\n",
                 (double)r->s.core.now_ns / 1e9 - 0.5);
        const char *const faults[] = {"", "local x = nil + 1\n", "x = = 1\n", ""};
        snprintf(body, sizeof body, "-- %d\n%s%sfunction S:on_start()\n%s%s\nend\n", i,
                 faults[i % 4], TRADER, i % 4 == 3 ? late : "", "self.state.starts = 1");
        unsigned refused = r->refused;
        rig_try(r, body);
        CHECK_EQ(r->refused - refused, i % 4 != 0);
        if (i % 12 == 4) CHECK_EQ(hg_session_rollback(&r->s, NULL, NULL), 0);
        r->s.reload->options.probation_ns = i % 12 == 8 ? 0 : HG_RELOAD_PROBATION_NS;
        rig_feed(r, 20, true);
    }
    rig_work(r);
}

/* However a load ends, it leaves nothing behind. */
TEST_WITHIN(many_loads_give_their_memory_back, 120) {
    rig r;
    rig_one(&r, TRADER);
    rig_feed(&r, 2000, true);
    load_often(&r, 0, 96);
    CHECK_EQ(r.s.reload->dying_count, 0);
    size_t early = mallinfo2().uordblks;
    load_often(&r, 96, 120);
    CHECK_EQ(r.s.reload->dying_count, 0);
    size_t late = mallinfo2().uordblks;
    CHECK_EQ(r.swapped, 54);
    CHECK_EQ(r.rolled_back, 18);
    CHECK_EQ(r.confirmed, 18);
    CHECK_EQ(r.refused, 162);
    if (late > early + (64u << 10)) {
        hg_test_fail(__FILE__, __LINE__, "heap grew from %zu to %zu bytes in 120 loads", early,
                     late);
    }
    printf("note: heap %zu -> %zu KiB in 120 loads\n", early >> 10, late >> 10);
    rig_close(&r);
}
