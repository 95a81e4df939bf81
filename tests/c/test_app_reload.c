/* Hot reload in a session: what is refused, what crosses, what is rolled back, and that nothing is
 * lost or doubled on the way. */
#include "test_app_reload_kit.h"

#include <malloc.h>

/* ---- what must be refused -------------------------------------------------------------------- */
// clang-format off
static const struct {
    const char *name, *text, *why;
} broken[] = {
    {"empty",
     "",
     "not a strategy"},
    {"blank",
     "\n\n",
     "not a strategy"},
    {"half of a line",
     HEAD "function S:on_tick(t",
     "expected near <eof>"},
    {"half of a file",
     HEAD "function S:on_tick(t) end\n",
     "must end with `return S`"},
    {"syntax",
     HEAD "local x = = 1\n" TAIL,
     "unexpected symbol"},
    {"bytecode",
     "\033Lua\x54\x00\x19\x93",
     "load"},
    {"not Lua at all",
     "{ \"json\": true }",
     "s.lua:1"},
    {"a number",
     "return 5",
     "not a strategy"},
    {"runtime error",
     HEAD "local x = nil; x.y = 1\n" TAIL,
     "attempt to index"},
    {"error value",
     HEAD "error({ code = 1 })\n" TAIL,
     "the error is a table"},
    {"missing module",
     HEAD "require 'helper'\n" TAIL,
     "module 'helper' not found"},
    {"forbidden module",
     HEAD "require 'os'\n" TAIL,
     "module 'os' not found"},
    {"path out",
     HEAD "require '..secret'\n" TAIL,
     "not allowed"},
    {"endless load",
     HEAD "while true do end\n" TAIL,
     "CPU time"},
    {"memory bomb",
     HEAD "local t = {} while true do t[#t + 1] = ('x'):rep(1e6) .. #t end\n" TAIL,
     ""},
    {"wrong callback",
     HEAD "S.on_tick = 5\n" TAIL,
     "on_tick must be a function"},
    {"unknown callback",
     HEAD "function S:on_tik(t) end\n" TAIL,
     "unknown callback 'on_tik'"},
    {"no callback",
     HEAD TAIL,
     "never run"},
    {"undefined global",
     HEAD "function S:on_tick(t) prnt(t.bid) end\n" TAIL,
     "prnt"},
    {"api version",
     "local hedged = require 'hedged'\nlocal S = hedged.strategy { api = 2 }\n"
     "function S:on_tick() end\nreturn S\n",
     "api must be 1"},
    {"unknown instrument",
     "local hedged = require 'hedged'\n"
     "local S = hedged.strategy { api = 1, hedge_with = 'BTC-PERPETUL' }\n"
     "function S:on_tick() end\nreturn S\n",
     "BTC-PERPETUL"},
    {"trades on load",
     HEAD "orders.buy('BTC-PERPETUAL', 10)\nfunction S:on_tick() end\n" TAIL,
     "while the file loads"},
    {"sleeps on load",
     HEAD "hedged.sleep(1)\nfunction S:on_tick() end\n" TAIL,
     "while the file loads"},
    {"bad parameter",
     "local hedged = require 'hedged'\nlocal S = hedged.strategy { api = 1,\n"
     "  band = hedged.param { default = 5, max = 1 } }\nfunction S:on_tick() end\nreturn S\n",
     "outside"},
    {"raises in on_start",
     HEAD "function S:on_start() error 'no' end\n" TAIL,
     "no"},
    {"raises on a tick",
     HEAD "function S:on_tick(t) local x = t.bid .. {} end\n" TAIL,
     "attempt to concatenate"},
    {"hangs on a tick",
     HEAD "function S:on_tick(t) while true do end end\n" TAIL,
     "CPU time"},
    {"hangs in pcall",
     HEAD
     "function S:on_tick(t) while true do pcall(function() while true do end end) end end\n"
     TAIL,
     "CPU time"},
    {"eats memory on a tick",
     HEAD "local k = {} function S:on_tick(t) for i = 1, 1e5 do k[#k + 1] = { i } end end\n"
     TAIL,
     ""},
    {"too many refusals",
     HEAD "function S:on_tick(t) orders.buy('BTC-PERPETUAL', 1e10) end\n" TAIL,
     "refus"},
    {"migration raises",
     HEAD "function S.migrate(old, version) return old.a.b.c end\nfunction S:on_tick() end\n"
     TAIL,
     "attempt to index"},
    {"migration gives nothing",
     HEAD "function S.migrate(old, version) end\nfunction S:on_tick() end\n" TAIL,
     "migrate must return"},
    {"migration hangs",
     HEAD "function S.migrate(old) while true do end end\nfunction S:on_tick() end\n" TAIL,
     "CPU time"},
    {"migration gives functions",
     HEAD "function S.migrate(old) old.deep = { { f = print } } return old end\n"
     "function S:on_tick() end\n" TAIL,
     "what migrate returned.deep[1].f"},
    {"migration trades",
     HEAD "function S.migrate(old) orders.buy('BTC-PERPETUAL', 10) return old end\n"
     "function S:on_tick() end\n" TAIL,
     "while the file loads"},
    {"migrate is no function",
     HEAD "S.migrate = {}\nfunction S:on_tick() end\n" TAIL,
     "migrate must be"},
    {"version without migrate",
     "local hedged = require 'hedged'\nlocal S = hedged.strategy { api = 1, version = 2 }\n"
     "function S:on_tick() end\nreturn S\n",
     "declares version 2"},
    {"version is no number",
     "local hedged = require 'hedged'\nlocal S = hedged.strategy { api = 1, version = 'b' }\n"
     "function S:on_tick() end\nreturn S\n",
     "version must be"},
};
// clang-format on

TEST_WITHIN(broken_candidates_leave_the_running_code_alone, 120) {
    rig r;
    rig_one(&r, TRADER);
    rig_feed(&r, 20000, true);
    uint64_t hash = hg_script_hash(rig_script(&r));
    const hg_script *before = rig_script(&r);
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        uint64_t orders = hg_exec_stats_get(r.s.core.exec)->orders;
        unsigned refused = r.refused;
        rig_save(&r, "s.lua", broken[i].text);
        rig_reload(&r, NULL);
        if (strcmp(r.step, "refused") != 0 || !strstr(r.reason, broken[i].why)) {
            hg_test_fail(__FILE__, __LINE__, "%s: wanted '%s', got %s: %s", broken[i].name,
                         broken[i].why, r.step, r.reason);
        }
        CHECK_EQ(r.refused, refused + 1);
        CHECK(rig_script(&r) == before);
        CHECK(hg_script_hash(rig_script(&r)) == hash);
        CHECK_EQ(hg_script_status(rig_script(&r)), HG_SCRIPT_RUNNING);
        CHECK_EQ(hg_exec_stats_get(r.s.core.exec)->orders, orders); /* nothing was sent */
        CHECK_STR(hg_script_error(rig_script(&r)), "");
    }
    CHECK(sizeof broken / sizeof *broken >= 30);
    rig_feed(&r, 2000, true);
    rig_running(&r);
    rig_close(&r);
}

TEST(state_that_cannot_be_carried_is_named) {
    // clang-format off
    static const struct {
        const char *set, *why;
    } cases[] = {
        {"self.state.book = { 1, 2, { f = function() end } }", "state.book[3].f: a function"},
        {"self.state['two words'] = { coroutine.create(print) }", "state[\\"},
        {"self.state.m = setmetatable({}, {})", "state.m: a table with a metatable"},
        {"self.state.t = { [{}] = 1 }", "state.t: only texts"},
        {"self.state.timer = hedged.after(5, print)", "state.timer: an object"},
        {"local t = self.state for i = 1, 80 do t.t = {} t = t.t end", "deeper than 64"},
        {"self.state.big = {} for i = 1, 5 do self.state.big[i] = ('x'):rep(1e6) end", "state.big"},
        {"self.state = 5", "self.state is a number"},
    };
    // clang-format on
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[1024];
        rig r;
        snprintf(body, sizeof body, "function S:on_start() %s end\nfunction S:on_tick() end\n",
                 cases[i].set);
        rig_one(&r, body);
        rig_feed(&r, 100, true);
        rig_try(&r, "function S:on_tick() end\n");
        rig_refused(&r, cases[i].why);
        rig_close(&r);
    }
}

/* ---- what crosses ---------------------------------------------------------------------------- */
TEST(state_crosses_whole) {
    rig r;
    rig_one(&r, "function S:on_start(why)\n"
                "  local shared = { 1, 2.5, 'three', true, [-4] = false, [0.5] = 'half' }\n"
                "  self.state.a, self.state.b = shared, { shared, inner = shared }\n"
                "  shared.me = shared\n"
                "  self.state.market = require('hedged.market').get('BTC-PERPETUAL')\n"
                "  self.state.order = orders.buy('BTC-PERPETUAL', 10, { price = 1000 * 80 })\n"
                "end\nfunction S:on_tick() end\n");
    rig_feed(&r, 500, true);
    rig_try(&r,
            "function S:on_start(why)\n"
            "  local s = self.state\n"
            "  assert(why.kind == 'reload')\n"
            "  assert(s.a[1] == 1 and s.a[2] == 2.5 and s.a[3] == 'three' and s.a[4] == true)\n"
            "  assert(math.type(s.a[1]) == 'integer' and s.a[-4] == false and s.a[0.5] == 'half')\n"
            "  assert(s.b[1] == s.a and s.b.inner == s.a and s.a.me == s.a, 'shared')\n"
            "  assert(s.market.name == 'BTC-PERPETUAL')\n"
            "  s.checked = true\n"
            "end\n"
            "function S:on_tick() assert(self.state.checked) end\n");
    rig_swapped(&r);
    rig_feed(&r, 500, true);
    rig_running(&r);
    rig_close(&r);
}

TEST(migrate_is_called_with_the_old_version) {
    rig r;
    static const char *const head =
        "local hedged = require 'hedged'\n"
        "local S = hedged.strategy { api = 1, version = %d, state = { fresh = 'yes' } }\n"
        "function S:on_tick() assert(%s, 'state') end\n%s\nreturn S\n";
    char text[2048];
    static const char *const names[] = {"s.lua"};
    rig_init(&r);
    snprintf(text, sizeof text, head, 3, "true",
             "function S:on_start() self.state.n = 1 self.state.fresh = nil end");
    rig_save(&r, "s.lua", text);
    rig_open(&r, 1, names);
    rig_feed(&r, 100, true);
    /* The same version: as it is, what is missing from the declaration. */
    snprintf(text, sizeof text, head, 3, "self.state.n == 1 and self.state.fresh == 'yes'",
             "function S.migrate() error('not needed') end");
    rig_save(&r, "s.lua", text);
    rig_reload(&r, NULL);
    rig_swapped(&r);
    /* Another one: through migrate, written with a dot or with a colon. */
    snprintf(text, sizeof text, head, 4, "self.state.n == 31",
             "function S.migrate(old, v) return { n = old.n + v * 10 } end");
    rig_save(&r, "s.lua", text);
    rig_reload(&r, NULL);
    rig_swapped(&r);
    snprintf(text, sizeof text, head, 5, "self.state.n == 71",
             "function S:migrate(old, v) assert(self == S) return { n = old.n + v * 10 } end");
    rig_save(&r, "s.lua", text);
    rig_reload(&r, NULL);
    rig_swapped(&r);
    rig_feed(&r, 500, true);
    rig_running(&r);
    rig_close(&r);
}

TEST(parameters_set_from_outside_stay) {
    rig r;
    static const char *const names[] = {"s.lua"};
    static const char *const head =
        "local hedged = require 'hedged'\n"
        "local S = hedged.strategy { api = 1,\n"
        "  band = hedged.param { default = %s, max = %s },\n"
        "  mode = hedged.param { default = 'a', choices = { 'a', 'b' } },\n"
        "  on = hedged.param { default = false } }\n"
        "function S:on_tick() assert(%s) end\nreturn S\n";
    char text[1024];
    rig_init(&r);
    snprintf(text, sizeof text, head, "0.5", "9", "true");
    rig_save(&r, "s.lua", text);
    r.o.set[r.o.set_count++] = "band=0.1";
    rig_open(&r, 1, names);
    CHECK_EQ(hg_script_set(rig_script(&r), "mode=b"), 0);
    CHECK_EQ(hg_script_set(rig_script(&r), "on=true"), 0);
    snprintf(text, sizeof text, head, "0.7", "9",
             "self.band == 0.1 and self.mode == 'b' and self.on");
    rig_save(&r, "s.lua", text);
    rig_reload(&r, NULL);
    rig_swapped(&r);
    rig_feed(&r, 500, true);
    rig_running(&r);
    /* A value that does not fit the new bounds is not silently another one. */
    snprintf(text, sizeof text, head, "0.01", "0.05", "true");
    rig_save(&r, "s.lua", text);
    rig_reload(&r, NULL);
    rig_refused(&r, "above its maximum");
    rig_close(&r);
}

TEST(a_rhythm_survives_any_number_of_reloads) {
    rig r;
    char body[512];
    static const char *const form =
        "-- %d\nfunction S:on_start(why)\n"
        "  hedged.every(60, function() self.state.beats = (self.state.beats or 0) + 1 end)\n"
        "  hedged.every(30, 'named')\n"
        "  if why.kind == 'start' then hedged.every(20, 'carried') end\n"
        "end\n"
        "function S:on_timer(name) self.state[name] = (self.state[name] or 0) + 1 end\n"
        "function S:on_stop() local s = self.state\n"
        "  assert(s.beats == %d and s.named == %d and s.carried == %d,\n"
        "    ('%%d %%d %%d'):format(s.beats, s.named, s.carried))\n"
        "end\n";
    snprintf(body, sizeof body, form, 0, 0, 0, 0);
    rig_one(&r, body);
    rig_feed(&r, 1000, true);
    int64_t start = r.s.core.start_ns;
    for (int i = 1; r.s.core.now_ns < start + 605 * HG_NS_PER_S; i++) {
        snprintf(body, sizeof body, form, i, 10, 20, 30);
        rig_try(&r, body);
        rig_swapped(&r);
        rig_feed(&r, 600, true);
    }
    CHECK(r.swapped > 60);
    CHECK(r.s.core.now_ns < start + 620 * HG_NS_PER_S);
    hg_script_stop(rig_script(&r), "end");
    if (hg_script_status(rig_script(&r)) != HG_SCRIPT_STOPPED) {
        hg_test_fail(__FILE__, __LINE__, "%s", hg_script_error(rig_script(&r)));
    }
    rig_close(&r);
}

TEST(orders_go_on_and_are_listed) {
    rig r;
    rig_one(
        &r,
        "function S:on_tick(t)\n"
        "  if self.state.id or not t.bid then return end\n"
        "  self.state.id = orders.buy('BTC-PERPETUAL', 10, { price = 80000 }).id\n"
        "  hedged.spawn(function() orders.get(self.state.id):await() self.state.done = true end)\n"
        "end\n");
    rig_feed(&r, 2000, true);
    rig_try(&r,
            "function S:on_start(why)\n"
            "  if #why.orders == 0 then return end\n" /* in a rehearsal */
            "  assert(#why.orders == 1 and why.orders[1].id == self.state.id)\n"
            "  assert(why.orders[1].state == 'working')\n"
            "  assert(#why.awaits == 1 and why.awaits[1].order.id == self.state.id)\n"
            "  assert(why.awaits[1].code == 'reload')\n"
            "  self.state.told = why.orders[1]\n"
            "end\n"
            "function S:on_order(o) if o.state == 'cancelled' then self.state.gone = o.id end end\n"
            "function S:on_tick() if self.state.told then self.state.told:cancel() end end\n"
            "function S:on_stop()\n"
            "  assert(self.state.gone == self.state.id and not self.state.done)\n"
            "end\n");
    rig_swapped(&r);
    CHECK(strstr(r.reason, "1 awaits") != NULL);
    rig_feed(&r, 500, true);
    rig_running(&r);
    hg_script_stop(rig_script(&r), "end");
    CHECK_STR(hg_script_error(rig_script(&r)), "");
    CHECK(hg_exec_open_next(r.s.core.exec, HG_STRATEGY_ANY, 0) == NULL);
    rig_close(&r);
}

TEST(each_order_names_the_code_that_sent_it) {
    rig r;
    rig_one(&r, TRADER);
    rig_feed(&r, 20000, true);
    uint64_t first = hg_script_hash(rig_script(&r));
    uint64_t last_of_first = hg_exec_stats_get(r.s.core.exec)->orders;
    CHECK(last_of_first > 3);
    rig_save(&r, "helper.lua", "return 1");
    rig_try(&r, "local h = require 'helper'\n" TRADER);
    rig_swapped(&r);
    uint64_t second = hg_script_hash(rig_script(&r));
    rig_feed(&r, 20000, true);
    rig_save(&r, "helper.lua", "return 2"); /* only a module changes: other code */
    rig_reload(&r, NULL);
    rig_swapped(&r);
    uint64_t third = hg_script_hash(rig_script(&r));
    CHECK(first != second && second != third);
    rig_feed(&r, 20000, true);
    unsigned of[3] = {0};
    for (uint64_t id = 1;; id++) {
        const hg_order *o = hg_exec_get(r.s.core.exec, id);
        if (!o) break;
        of[0] += o->code == first;
        of[1] += o->code == second;
        of[2] += o->code == third;
        CHECK(o->code == first || o->code == second || o->code == third);
    }
    CHECK(of[0] > 3 && of[1] > 3 && of[2] > 3);
    rig_close(&r);
}

TEST(the_same_content_is_no_reload) {
    rig r;
    rig_one(&r, TRADER);
    const hg_script *before = rig_script(&r);
    rig_feed(&r, 500, true);
    rig_body(&r, "s.lua", TRADER);
    rig_reload(&r, NULL);
    CHECK(rig_script(&r) == before);
    rig_says(&r, "loaded", "nothing has changed");
    CHECK_EQ(r.swapped, 0);
    rig_close(&r);
}

/* A market and a portfolio taken over from others answer as those do, now and later. */
TEST(copies_answer_as_their_originals) {
    rig r;
    rig_one(&r, "function S:on_tick(t)\n"
                "  self.state.n = (self.state.n or 0) + 1\n"
                "  if self.state.n % 500 == 0 then orders.buy('BTC-PERPETUAL', 100) end\n"
                "end\n");
    rig_feed(&r, 30000, true);
    const hg_core *core = &r.s.core;
    hg_market_options market_options = {.depth_books = r.s.feed->depth_count};
    hg_portfolio_options portfolio_options = {.fees = true};
    hg_market *market = hg_market_new(core->universe, &market_options);
    hg_portfolio *portfolio = hg_portfolio_new(market, &portfolio_options);
    hg_script_stop(rig_script(&r), "end"); /* no orders from here on */
    for (int round = 0; round < 3; round++) {
        hg_market_copy(market, core->market);
        hg_portfolio_copy(portfolio, core->portfolio);
        for (int i = 0; i < 4000; i++) {
            hg_event e;
            CHECK_EQ(hg_feed_next(r.s.feed, &e), 1);
            hg_core_feed(&r.s.core, &e);
            if (hg_market_apply(market, &e)) {
                hg_portfolio_observe(portfolio, &e);
            }
            if (i % 37 != 0 || (e.flags & HG_EVF_MORE)) {
                continue;
            }
            for (uint32_t u = 0; u < hg_universe_underlying_count(core->universe); u++) {
                const hg_exposure *x = hg_portfolio_exposure(core->portfolio, u, e.time_ns);
                const hg_exposure *y = hg_portfolio_exposure(portfolio, u, e.time_ns);
                CHECK(x->delta == y->delta && x->gamma == y->gamma && x->value == y->value);
                CHECK(x->delta_cash == y->delta_cash && x->quality == y->quality);
            }
            hg_pnl a, b;
            hg_portfolio_pnl(core->portfolio, e.time_ns, &a);
            hg_portfolio_pnl(portfolio, e.time_ns, &b);
            CHECK(a.equity == b.equity && a.hedged == b.hedged && a.unhedged == b.unhedged);
        }
    }
    hg_portfolio_free(portfolio);
    hg_market_free(market);
    rig_close(&r);
}

/* ---- probation ------------------------------------------------------------------------------- */
TEST(probation_rolls_back_on_each_trigger) {
    static const struct {
        const char *what, *why;
    } cases[] = {
        {"error('late')",                                             "late"             },
        {"while true do end",                                         "CPU time"         },
        {"local t = {} while true do t[#t + 1] = ('x'):rep(1e6) end", "memory"           },
        {"orders.buy('BTC-PERPETUAL', 1e10)",                         "risk gate refused"},
        {"hedged.after(0, function() error('timer') end)",            "timer"            },
        {"hedged.spawn(function() error('task') end)",                "task"             },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig r;
        char body[512];
        rig_one(&r, TRADER);
        if (strcmp(cases[i].why, "memory") == 0) {
            r.s.envs[0].callback_budget_ns = 10 * HG_NS_PER_S; /* the memory shall end first */
        }
        rig_feed(&r, 20000, true);
        const hg_script *before = rig_script(&r);
        uint64_t hash = hg_script_hash(before);
        rig_later(&r, body, sizeof body, cases[i].what);
        rig_try(&r, body);
        rig_swapped(&r);
        CHECK(rig_script(&r) != before);
        rig_feed(&r, 3000, true);
        rig_says(&r, "rolled_back", cases[i].why);
        CHECK(rig_script(&r) == before && hg_script_hash(before) == hash);
        rig_running(&r);
        uint64_t orders = hg_exec_stats_get(r.s.core.exec)->orders;
        rig_feed(&r, 20000, true);
        rig_running(&r);
        CHECK(hg_exec_stats_get(r.s.core.exec)->orders > orders); /* the old code trades on */
        CHECK_EQ(r.rolled_back, 1);
        CHECK_EQ(r.confirmed, 0);
        rig_close(&r);
    }
}

TEST(probation_is_confirmed_by_time_or_by_callbacks) {
    rig r;
    rig_one(&r, TRADER);
    rig_feed(&r, 2000, true);
    rig_try(&r, "-- 2\n" TRADER);
    rig_swapped(&r);
    int64_t since = r.s.core.now_ns;
    while (!r.confirmed) rig_feed(&r, 1, true);
    int64_t took = r.s.core.now_ns - since;
    CHECK(took <= 61 * HG_NS_PER_S);
    CHECK(strstr(r.reason, "without a fault") != NULL);
    rig_close(&r);
}

TEST(rollback_tells_the_old_code_what_it_missed) {
    rig r;
    rig_one(&r, "function S:on_start() self.state.fills = 0 end\n"
                "function S:on_tick(t)\n"
                "  if self.state.order or not t.ask then return end\n"
                "  self.state.order = orders.buy('BTC-PERPETUAL', 10, { price = 80000 })\n"
                "  self.state.order:await()\n"
                "  self.state.awaited = self.state.order.state\n"
                "end\n"
                "function S:on_fill(f) self.state.fills = self.state.fills + 1 end\n"
                "function S:on_order(o) self.state.last = o.state end\n"
                "function S:on_stop() local s = self.state\n"
                "  assert(s.fills == 1, s.fills) assert(s.last == 'filled', s.last)\n"
                "  assert(s.awaited == 'filled', s.awaited) end\n");
    rig_feed(&r, 2000, true);
    char body[512];
    rig_later(
        &r, body, sizeof body,
        "if #orders.open() > 0 then orders.open()[1]:amend { price = t.ask } else error('x') end");
    rig_try(&r, body);
    rig_swapped(&r);
    for (int i = 0; i < 100000 && !r.rolled_back; i++) rig_feed(&r, 1, true);
    CHECK_EQ(r.rolled_back, 1);
    rig_feed(&r, 100, true);
    hg_script_stop(rig_script(&r), "end");
    CHECK_STR(hg_script_error(rig_script(&r)), "");
    rig_close(&r);
}

TEST(orders_survive_a_rollback) {
    rig r;
    char body[1024];
    rig_one(&r,
            "function S:on_tick(t)\n"
            "  if not self.state.sent and t.bid then self.state.sent = true\n"
            "    for i = 1, 5 do orders.buy('BTC-PERPETUAL', 10, { price = 80000 + i * 100 }) end\n"
            "  end\nend\n");
    rig_feed(&r, 2000, true);
    rig_later(&r, body, sizeof body, "error('late')");
    rig_try(&r, body);
    rig_feed(&r, 1000, true);
    CHECK_EQ(r.rolled_back, 1);
    unsigned open = 0;
    const hg_order *o = NULL;
    while ((o = hg_exec_open_next(r.s.core.exec, 0, o ? o->id : 0)) != NULL) {
        CHECK_EQ(o->state, HG_ORDER_WORKING);
        open++;
    }
    CHECK_EQ(open, 5);
    rig_close(&r);
}

TEST(a_script_dies_in_the_middle_of_an_await) {
    rig r;
    char body[1024];
    rig_one(&r, TRADER);
    rig_feed(&r, 2000, true);
    snprintf(
        body, sizeof body,
        "function S:on_start()\n"
        "  hedged.spawn(function() local o = orders.buy('BTC-PERPETUAL', 10, { price = 80000 })\n"
        "    if o then o:await() end self.state.woken = true end)\n"
        "  hedged.spawn(function() hedged.sleep(100) error('woken') end)\n"
        "end\n"
        "function S:on_tick(t) if t.time > %.3f then error('dies') end end\n",
        (double)r.s.core.now_ns / 1e9 + 0.2);
    rig_try(&r, body);
    rig_swapped(&r);
    rig_feed(&r, 1000, true);
    rig_says(&r, "rolled_back", "dies");
    /* Its order lives on under the old code, which is told when it ends. */
    CHECK(hg_exec_open_next(r.s.core.exec, 0, 0) != NULL);
    hg_exec_cancel_all(r.s.core.exec, 0, HG_ID_NONE, r.s.core.now_ns);
    rig_feed(&r, 20000, true);
    rig_running(&r);
    rig_close(&r);
}

/* ---- words ----------------------------------------------------------------------------------- */
#define ONCE(extra, size)                                                                          \
    "local sent = 0\n"                                                                             \
    "function S:on_tick(t)\n"                                                                      \
    "  if t.instrument ~= 'BTC-PERPETUAL' or sent > " extra " then return end\n"                   \
    "  sent = sent + 1\n"                                                                          \
    "  orders.buy('BTC-PERPETUAL', " size ", { price = 80000 - sent }) end\n"

static void rehearses(const char *body, const char *says) {
    rig r;
    rig_one(&r, ONCE("0", "10"));
    rig_feed(&r, 4000, true);
    rig_try(&r, body);
    rig_swapped(&r);
    if (!strstr(r.rehearsed, says)) {
        hg_test_fail(__FILE__, __LINE__, "wanted '%s', got '%s'", says, r.rehearsed);
    }
    rig_close(&r);
}

/* The numbers of a rehearsal are told so that they say something: never "1 order instead of 1". */
TEST(a_rehearsal_says_in_which_way_it_differs) {
    rehearses("-- a\n" ONCE("0", "10"), "would have sent the same 1 order");
    rehearses(ONCE("0", "20"), "sent another order; net BTC-PERPETUAL 20 instead of 10");
    rehearses(ONCE("1", "10"), "sent 2 orders instead of 1; net BTC-PERPETUAL 20 instead of 10");
    rehearses("function S:on_tick(t) end\n", "sent 0 orders instead of 1; net BTC-PERPETUAL 0");
    rehearses(ONCE("0", "sent == 1 and 10"), "would have sent the same 1 order");
}

TEST(as_many_orders_are_not_the_same_orders) {
    rig r;
    rig_one(&r, ONCE("1", "10"));
    rig_feed(&r, 4000, true);
    rig_try(&r, ONCE("1", "(sent == 1 and 20 or 10)"));
    rig_swapped(&r);
    CHECK(strstr(r.rehearsed, "as many orders (2), but not the same") != NULL);
    rig_close(&r);
}

/* ---- requests -------------------------------------------------------------------------------- */
TEST(rollback_by_request) {
    rig r;
    rig_one(&r, TRADER);
    rig_feed(&r, 2000, true);
    uint64_t first = hg_script_hash(rig_script(&r));
    CHECK_EQ(hg_session_rollback(&r.s, NULL, NULL), HG_ESTATE);
    rig_try(&r, "-- second\n" TRADER);
    /* On probation the old code is at hand. */
    CHECK_EQ(hg_session_rollback(&r.s, NULL, NULL), 0);
    rig_says(&r, "rolled_back", "asked for");
    CHECK(hg_script_hash(rig_script(&r)) == first);
    /* Afterwards it goes the whole way again, from memory: the file says something else. */
    rig_try(&r, "-- third\n" TRADER);
    uint64_t third = hg_script_hash(rig_script(&r));
    while (r.confirmed == 0) rig_feed(&r, 100, true);
    rig_save(&r, "s.lua", "broken");
    CHECK_EQ(hg_session_rollback(&r.s, "s", NULL), 0);
    rig_work(&r);
    rig_feed(&r, 50, true);
    CHECK(hg_script_hash(rig_script(&r)) == first);
    while (r.confirmed == 1) rig_feed(&r, 100, true);
    char prefix[9];
    snprintf(prefix, sizeof prefix, "%08llx", (unsigned long long)(third >> 32));
    CHECK_EQ(hg_session_rollback(&r.s, "s", prefix), 0);
    rig_work(&r);
    rig_feed(&r, 50, true);
    CHECK(hg_script_hash(rig_script(&r)) == third);
    CHECK_EQ(hg_session_rollback(&r.s, "s", "zzzz"), HG_EUSAGE);
    CHECK_EQ(hg_session_rollback(&r.s, "t", NULL), HG_EUSAGE);
    CHECK_EQ(hg_session_reload(&r.s, "t"), HG_EUSAGE);
    char buf[8192];
    hg_json json;
    hg_json_init(&json, buf, sizeof buf);
    hg_json_open(&json, NULL);
    CHECK_EQ(hg_session_versions(&r.s, &json), 0);
    hg_json_close(&json);
    CHECK(strstr(hg_json_text(&json), "\"state\":\"rolled back\"") != NULL);
    CHECK(strstr(hg_json_text(&json), prefix) != NULL);
    rig_close(&r);
}

TEST(strategies_reload_on_their_own) {
    rig r;
    static const char *const names[] = {"a.lua", "b.lua"};
    rig_init(&r);
    rig_body(&r, "a.lua", TRADER);
    rig_body(&r, "b.lua", "-- b\n" TRADER);
    rig_open(&r, 2, names);
    rig_feed(&r, 20000, true);
    const hg_script *a = r.s.core.scripts[0];
    const hg_script *b = r.s.core.scripts[1];
    rig_body(&r, "b.lua", "-- another b\n" TRADER);
    rig_reload(&r, "b");
    rig_says(&r, "swapped", "probation");
    CHECK(r.s.core.scripts[0] == a && r.s.core.scripts[1] != b);
    rig_body(&r, "a.lua", "broken");
    rig_reload(&r, NULL);
    CHECK(r.s.core.scripts[0] == a);
    rig_feed(&r, 20000, true);
    CHECK_EQ(r.refused, 1);
    CHECK_EQ(r.swapped, 1);
    /* A strategy that has failed comes back with its next good version. */
    char body[512];
    rig_later(&r, body, sizeof body, "error('late')");
    rig_body(&r, "a.lua", body);
    r.confirmed = 0;
    rig_reload(&r, "a");
    while (!r.rolled_back) rig_feed(&r, 10, true);
    CHECK(r.s.core.scripts[0] == a);
    rig_close(&r);
}

TEST(a_parked_strategy_comes_back_when_its_file_is_fixed) {
    rig r;
    rig_one(&r, "function S:on_start() self.state.n = 5 end\n"
                "function S:on_tick(t) if hedged.now() % 10 > 8 then error('parked') end end\n");
    while (hg_script_status(rig_script(&r)) == HG_SCRIPT_RUNNING) rig_feed(&r, 1, true);
    rig_try(&r, "function S:on_start(why) assert(self.state.n == 5) end\n" TRADER);
    rig_swapped(&r);
    rig_feed(&r, 2000, true);
    rig_running(&r);
    rig_close(&r);
}

TEST(a_paused_strategy_stays_paused) {
    rig r;
    rig_one(&r, TRADER);
    rig_feed(&r, 20000, true);
    CHECK_EQ(hg_script_pause(rig_script(&r)), 0);
    rig_feed(&r, 100, true);
    const hg_script *before = rig_script(&r);
    rig_try(&r, "-- second\n" TRADER);
    rig_says(&r, "swapped", "probation");
    CHECK(rig_script(&r) != before);
    CHECK_EQ(hg_script_status(rig_script(&r)), HG_SCRIPT_PAUSED);
    uint64_t orders = hg_exec_stats_get(r.s.core.exec)->orders;
    rig_feed(&r, 20000, true); /* more than a minute: silence proves nothing */
    CHECK_EQ(hg_script_status(rig_script(&r)), HG_SCRIPT_PAUSED);
    CHECK_EQ(hg_exec_stats_get(r.s.core.exec)->orders, orders);
    CHECK_EQ(r.confirmed, 0);
    CHECK_EQ(hg_script_resume(rig_script(&r)), 0);
    rig_feed(&r, 20000, true);
    rig_running(&r);
    CHECK(hg_exec_stats_get(r.s.core.exec)->orders > orders);
    CHECK_EQ(r.confirmed, 1);
    /* Paused on probation and rolled back by hand: the old code is paused too. */
    rig_try(&r, "-- third\n" TRADER);
    CHECK_EQ(hg_script_pause(rig_script(&r)), 0);
    CHECK_EQ(hg_session_rollback(&r.s, NULL, NULL), 0);
    CHECK_EQ(hg_script_status(rig_script(&r)), HG_SCRIPT_PAUSED);
    CHECK_EQ(hg_script_resume(rig_script(&r)), 0);
    rig_feed(&r, 2000, true);
    rig_running(&r);
    rig_close(&r);
}

/* ---- the storm ------------------------------------------------------------------------------- */
typedef struct tally {
    uint64_t hash, orders, fills;
    hg_lots lots;
    char said[160];
} tally;

static char said[160];

static void keep_log(void *context, const char *strategy, hg_log_level level, const char *text) {
    (void)context;
    (void)strategy;
    (void)level;
    snprintf(said, sizeof said, "%s", text);
}

static tally settle_accounts(rig *r) {
    tally t = {0};
    r->s.envs[0].log = keep_log;
    hg_script_stop(rig_script(r), "end");
    CHECK_STR(hg_script_error(rig_script(r)), "");
    const hg_exec_stats *x = hg_exec_stats_get(r->s.core.exec);
    uint32_t perpetual = hg_universe_find(r->s.core.universe, "BTC-PERPETUAL");
    t.hash = x->hash;
    t.orders = x->orders;
    t.fills = x->fills;
    t.lots = hg_portfolio_get(r->s.core.portfolio, perpetual)->lots;
    CHECK_EQ(x->alarms, 0);
    snprintf(t.said, sizeof t.said, "%s", said);
    return t;
}

TEST_WITHIN(save_storm_changes_nothing, 300) {
    enum { RELOADS = 1000, BETWEEN = 120, WARM = 6000 };
    rig r;
    char body[8192];
    rig_one(&r, TRADER);
    rig_feed(&r, WARM + (uint64_t)RELOADS * BETWEEN, true);
    tally calm = settle_accounts(&r);
    rig_close(&r);
    CHECK(freopen("/dev/null", "w", stderr) != NULL); /* a thousand times three lines */
    CHECK(calm.orders > 100 && calm.fills > 50);

    rig_one(&r, TRADER);
    rig_feed(&r, WARM, true);
    size_t early = 0;
    for (int i = 0; i < RELOADS; i++) {
        snprintf(body, sizeof body, "-- %d\n%s", i, TRADER);
        rig_body(&r, "s.lua", body);
        CHECK_EQ(hg_reload_request(r.s.reload, NULL, "storm"), 0);
        rig_feed(&r, BETWEEN, true);
        if (i == 200) {
            early = mallinfo2().uordblks;
        }
    }
    rig_work(&r);
    size_t late = mallinfo2().uordblks;
    tally stormy = settle_accounts(&r);
    printf("note: %u of %d reloads swapped, slowest swap %.3f ms, heap %zu -> %zu KiB\n", r.swapped,
           RELOADS, (double)hg_reload_slowest_swap_ns(r.s.reload) / 1e6, early >> 10, late >> 10);
    for (int phase = 0; phase < HG_REHEARSE_DONE; phase++) {
        printf("note: slowest step of rehearsal phase %d: %.3f ms of CPU time\n", phase,
               (double)hg_reload_slowest_slice_ns(r.s.reload, (hg_rehearsal_phase)phase) / 1e6);
    }
    CHECK(r.swapped > RELOADS * 9 / 10);
    CHECK_EQ(r.refused, 0);
    CHECK_EQ(r.rolled_back, 0);
    CHECK_EQ(stormy.orders, calm.orders);
    CHECK_EQ(stormy.fills, calm.fills);
    CHECK_EQ(stormy.lots, calm.lots);
    CHECK(stormy.hash == calm.hash);
    /* The ticks and fills the code has counted, over all its lives; only the starts differ. */
    *strstr(calm.said, " starts") = '\0';
    *strstr(stormy.said, " starts") = '\0';
    CHECK_STR(stormy.said, calm.said);
    CHECK(late < early + early / 10 + (1u << 20));
    rig_close(&r);
}

/* A swap is an input like any other: done again at the same number of events, with the same code,
 * it leads to the same orders. */
TEST_WITHIN(a_session_with_reloads_can_be_replayed, 60) {
    enum { SWAPS = 5, EVENTS = 60000 };
    struct {
        uint64_t event;
        hg_code *code;
    } swaps[SWAPS];
    static const char *const form =
        "function S:on_start(why)\n"
        "  self.state.n = (self.state.n or 0) + 1\n"
        "  hedged.every(%d, function()\n"
        "    orders.buy('BTC-PERPETUAL', 10 * math.random(1, %d), { reason = why.kind })\n"
        "  end)\nend\n"
        "function S:on_fill(f)\n"
        "  self.state.sum = (self.state.sum or 0) + f.price * self.state.n\n"
        "end\n"
        "function S:on_stop()\n"
        "  hedged.log(('sum %%.17g n %%d'):format(self.state.sum, self.state.n))\n"
        "end\n";
    char body[2048];
    rig r;
    snprintf(body, sizeof body, form, 3, 5);
    rig_one(&r, body);
    for (int i = 0; i < SWAPS; i++) {
        rig_feed(&r, EVENTS / (SWAPS + 1) + (uint64_t)i * 77, true);
        snprintf(body, sizeof body, form, 3 + i, 6 + i);
        rig_try(&r, body);
        rig_swapped(&r);
        swaps[i].event = r.event;
        CHECK_EQ(hg_script_code(rig_script(&r), &swaps[i].code), 0);
    }
    while (r.fed < EVENTS) rig_feed(&r, 1, true);
    CHECK_EQ(r.rolled_back, 0);
    tally live = settle_accounts(&r);
    CHECK(live.fills > 50);

    static const char *const names[] = {"s.lua"};
    snprintf(body, sizeof body, form, 3, 5);
    rig_body(&r, "s.lua", body);
    CHECK_EQ(hg_session_close(&r.s), 0);
    r.fed = 0;
    r.o.strategy_count = 0;
    rig_open(&r, 1, names);
    for (int i = 0; i < SWAPS; i++) {
        while (r.s.core.events < swaps[i].event) rig_feed(&r, 1, true);
        CHECK_EQ(r.s.core.events, swaps[i].event);
        CHECK_EQ(hg_reload_apply(r.s.reload, 0, swaps[i].code), 0);
        hg_code_free(swaps[i].code);
    }
    while (r.fed < EVENTS) rig_feed(&r, 1, true);
    tally again = settle_accounts(&r);
    rig_close(&r);
    CHECK_EQ(again.orders, live.orders);
    CHECK(again.hash == live.hash);
    CHECK_STR(again.said, live.said);
}
