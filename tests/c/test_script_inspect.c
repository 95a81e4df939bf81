/* Questions to a strategy: what they see, what they cannot do, and that a strategy survives them.
 */
#include "script/inspect.h"
#include "script/watchdog_int.h"
#include "test_script_kit.h"

static char answer[HG_INSPECT_TEXT_MAX];

static void says(hg_inspector *in, hg_script *s, const char *code, bool write, const char *text) {
    if (hg_inspect(in, s, code, write, answer, sizeof answer) < 0) {
        hg_test_fail(__FILE__, __LINE__, "%s: %s", code, hg_error_text());
    }
    CHECK_STR(answer, text);
}

static void fails(hg_inspector *in, hg_script *s, const char *code, bool write, const char *text) {
    CHECK_EQ(hg_inspect(in, s, code, write, answer, sizeof answer), HG_ESTRATEGY);
    if (!strstr(hg_error_text(), text)) {
        hg_test_fail(__FILE__, __LINE__, "%s: %s", code, hg_error_text());
    }
}

TEST(looks_at_copies) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    kit_load(&k, "S.state.list = {1, {2}} S.state.f = 'text' S.state.self = S.state");
    hg_inspector *in = hg_inspector_new(&k.env);
    says(in, k.script, "state.list", false, "{ 1, { 2 } }");
    says(in, k.script, "state.list[1] == 1, self.underlying", false, "true\nBTC");
    says(in, k.script, "local l = self.state.list l[1] = 9", false, "");
    says(in, k.script, "state.list[1]", false, "1");
    says(in, k.script, "y = 2", false, "");
    says(in, k.script, "y", false, "2");
    says(in, k.script, "state.self.self.f", false,
         "text"); /* a loop is cut by depth, not followed */
    says(in, NULL, "1", false, "1");
    CHECK_EQ(hg_inspect(in, NULL, "1", true, answer, sizeof answer), HG_EUSAGE);
    kit_running(&k);
    hg_inspector_free(in);
    kit_close(&k);
}

TEST(cannot_act_or_run_away) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    kit_load(&k, "");
    hg_inspector *in = hg_inspector_new(&k.env);
    static const char *const acts[] = {"orders.buy{instrument='" PERP "', size=10}",
                                       "orders.cancel_all()",
                                       "hedged.trade{instrument='" PERP "', delta=1}",
                                       "hedged.every(1, print)",
                                       "hedged.spawn(print)",
                                       "hedged.sleep(1)"};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        fails(in, k.script, acts[i], false, "read-only");
    }
    k.env.callback_budget_ns = 20 * HG_NS_PER_MS;
    fails(in, k.script, "while true do pcall(error) end", false, "CPU time");
    hg_inspector_free(in);
    k.env.callback_budget_ns = 5 * HG_NS_PER_S;
    in = hg_inspector_new(&k.env);
    fails(in, k.script, "local t = {} while true do t[#t + 1] = {} end", false, "out of memory");
    says(in, k.script, "1", false, "1");
    says(in, k.script,
         "kept_name = {} for i = 1, 9 do kept_name[i] = string.rep('x', (2 << 20) - i) end", false,
         "");
    says(in, k.script, "kept2 = string.rep('y', 1 << 20) .. 1", false,
         ""); /* more than half: anew */
    says(in, k.script, "pcall(function() return kept_name end)", false,
         "false\nrepl:1: undefined global 'kept_name'");
    CHECK_EQ(hg_exec_stats_get(k.exec)->orders, 0);
    kit_running(&k);
    hg_inspector_free(in);
    kit_close(&k);
}

/* What is written into a copy would be lost without a word. */
#define COLLIDING "local t = {} for i = 1, 65537 do t[i * 131071] = true end"

TEST(a_question_that_cannot_be_ended_costs_its_own_state) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    kit_load(&k, "");
    hg_watchdog_hang_ns = 200 * HG_NS_PER_MS;
    k.env.callback_budget_ns = 20 * HG_NS_PER_MS;
    hg_inspector *in = hg_inspector_new(&k.env);
    kit_leaks(true);
    fails(in, k.script, COLLIDING, false, "inside one step of Lua");
    kit_running(&k);
    says(in, k.script, "1 + 1", false, "2");
    fails(in, k.script, COLLIDING, true, "inside one step of Lua"); /* its own, or the strategy's */
    kit_leaks(false);
    kit_failed(&k, "inside one step of Lua");
    CHECK(hg_script_is_lost(k.script));
    CHECK_EQ(hg_inspect(in, k.script, "1", false, answer, sizeof answer), HG_ESTATE);
    CHECK(strstr(hg_error_text(), "no state to ask") != NULL);
    hg_inspector_free(in);
    kit_close(&k);
}

TEST(assigning_into_the_copies_is_an_error) {
    static const char *const lost[] = {"state.n = 1", "self.state.n = 1", "self.x=1",
                                       "state['n'] = 1", "state.a[1].b = 2 return 1"};
    static const char *const fine[][2] = {
        {"state.n == 1",                      "false"},
        {"x = state.n",                       ""     },
        {"y = {} y.state = {} y.state.n = 3", ""     },
        {"mystate = {} mystate.n = 4",        ""     },
    };
    kit k;
    kit_open(&k);
    kit_load(&k, "function S:on_tick() self.state.n = 7 end");
    hg_inspector *in = hg_inspector_new(&k.env);
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        fails(in, k.script, lost[i], false, "copies here");
    }
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        says(in, k.script, fine[i][0], false, fine[i][1]);
    }
    says(in, k.script, "self.state.n = 8", true, "");
    hg_inspector_free(in);
    kit_close(&k);
}

TEST(writing_is_the_strategy_itself) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    kit_quote(&k, PERP, 63990, 64010);
    kit_load(&k, "function S:on_tick() out('n', self.state.n) end");
    hg_inspector *in = hg_inspector_new(&k.env);
    says(in, k.script, "self.state.n = 5", true, "");
    kit_quote(&k, PERP, 63991, 64010);
    CHECK_STR(k.log, "n 5\n");
    says(in, k.script, "orders.buy{instrument='" PERP "', size=10}.state", true, "sent");
    fails(in, k.script, "while true do end", true, "CPU time");
    fails(in, k.script, "error('x')", true, "repl:1: x");
    CHECK_STR(hg_script_error(k.script), "");
    kit_running(&k);
    kit_quote(&k, PERP, 63990, 64010);
    CHECK_STR(k.log, "n 5\nn 5\n");
    hg_inspector_free(in);
    kit_close(&k);
}
