/* Declarations: parameters, fields of a strategy, and what is said when they are wrong. */
#include "test_script_kit.h"

#define HEAD "local hedged = require 'hedged'\nlocal param = hedged.param\n"
#define BANDS                                                                                      \
    HEAD "local S = hedged.strategy { api = 1,\n"                                                  \
         "  band = param { default = 0.5, min = 0, max = 2, unit = 'BTC', doc = 'tolerated' },\n"  \
         "  count = param { default = 3 }, on = param { default = false },\n"                      \
         "  to = param { default = 'edge', choices = { 'edge', 'target' } },\n"                    \
         "  extra = 'mine' }\n"

static int try_set(kit *k, const char *text, const char *set) {
    const char *list[] = {set};
    return kit_try(k, text, list, set ? 1 : 0);
}

static void refused(const char *text, const char *set, int code, const char *message,
                    const char *advice) {
    kit k;
    kit_open(&k);
    int rc = try_set(&k, text, set);
    CHECK_EQ(rc, code);
    if (!strstr(hg_error_text(), message)) {
        hg_test_fail(__FILE__, __LINE__, "no '%s' in: %s", message, hg_error_text());
    }
    if (advice) CHECK_STR(hg_error_advice(), advice);
    kit_close(&k);
}

TEST(parameters_have_values_units_and_overrides) {
    kit k;
    kit_open(&k);
    const char *set[] = {"band=0.25", "on=true", "to=target"};
    CHECK_EQ(kit_try(&k,
                     BANDS
                     "function S:on_start()\n"
                     "  hedged.log('%s %s %s %s %s', self.band, self.count, self.on, self.to,\n"
                     "    self.extra)\n"
                     "  self.extra = 'changed' self.new = 1 self.state.x = self.extra\n"
                     "end\nreturn S",
                     set, 3),
             0);
    CHECK_EQ(hg_script_start(k.script, "start"), 0);
    CHECK_STR(k.log, "0.25 3 true target mine\n");
    const char *name;
    char value[64];
    CHECK(hg_script_param(k.script, 0, &name, value, sizeof value));
    CHECK_STR(name, "band");
    CHECK_STR(value, "0.25 BTC");
    CHECK(hg_script_param(k.script, 2, &name, value, sizeof value));
    CHECK_STR(value, "true");
    CHECK(!hg_script_param(k.script, 4, &name, value, sizeof value));
    kit_close(&k);
}

TEST(wrong_overrides_are_configuration_errors) {
    refused(BANDS "return S", "bnad=1", HG_ECONFIG, "has no parameter 'bnad'",
            "did you mean 'band'?");
    refused(BANDS "return S", "band=3", HG_ECONFIG, "'band' = 3 is above its maximum 2 BTC", "");
    refused(BANDS "return S", "band=-1", HG_ECONFIG, "below its minimum 0 BTC", "");
    refused(BANDS "return S", "band=nan", HG_ECONFIG, "wants a number, got 'nan'", "");
    refused(BANDS "return S", "band=", HG_ECONFIG, "wants a number", "");
    refused(BANDS "return S", "on=yes", HG_ECONFIG, "wants true or false", "");
    refused(BANDS "return S", "to=middle", HG_ECONFIG, "not one of: edge target", "");
    refused(BANDS "return S", "band", HG_ECONFIG, "not of the form name=value", "");
}

static void broken(const char *text, const char *message) {
    refused(text, NULL, HG_ESTRATEGY, message, NULL);
}

TEST(wrong_declarations_are_strategy_errors) {
    broken("return 1", "not a strategy: it calls hedged.strategy nowhere");
    broken("", "not a strategy");
    broken(HEAD "hedged.strategy { api = 1 }", "must end with `return S`");
    broken(HEAD "return hedged.strategy {}", "api must be 1");
    broken(HEAD "return hedged.strategy { api = 2 }", "api must be 1");
    broken(HEAD "return hedged.strategy { api = 1, underlying = 5 }",
           "'underlying' must be a text");
    broken(HEAD "return hedged.strategy { api = 1, underlying = 'DOGE' }", "'DOGE' is not in this");
    broken(HEAD "return hedged.strategy { api = 1, hedge_with = 'BTC-PERPETUALL' }",
           "'BTC-PERPETUALL' is not in this session");
    broken(HEAD "return hedged.strategy { api = 1, hedge_with = 5 }",
           "hedge_with must be the name");
    broken(HEAD "return hedged.strategy { api = 1, subscribe = 'x' }", "subscribe must be a list");
    broken(HEAD "return hedged.strategy { api = 1, on_tick = 5 }", "on_tick must be a function");
    broken(HEAD "return hedged.strategy { api = 1, state = 5 }", "state must be a table");
    broken(HEAD "return hedged.strategy { api = 1, state = param { default = 1 } }",
           "'state' cannot be a parameter");
    broken(HEAD "local S = hedged.strategy { api = 1 } function S:on_tik() end return S",
           "unknown callback 'on_tik'");
    broken(HEAD "param { defualt = 1 }", "hedged.param has no field 'defualt'");
    broken(HEAD "param { min = 1 }", "default must be a number, a boolean or a text");
    broken(HEAD "param { default = 5, max = 4 }", "default 5.0 is outside");
    broken(HEAD "param { default = 'x', choices = { 'y' } }", "not one of its choices");
    broken(HEAD "local S = hedged.strategy { api = 1, p = param { default = 1 } } S.p = 2 return S",
           "parameter 'p' is read-only");
    broken(HEAD "hedged.trade { instrument = 'BTC-PERPETUAL', delta = 1 }",
           "hedged.trade while the file loads");
    broken("local x = = 1", "unexpected symbol near '='");
    broken("require 'hedged.nothing'", "module 'hedged.nothing' not found");
    broken("require 'nothing'", "no file nothing.lua beside the strategy");
    broken("require 'hedged.test'", "hedged.test is for tests");
}

TEST(errors_show_the_line_and_a_suggestion) {
    kit k;
    kit_open(&k);
    kit_load(&k, "local function deeper(t)\n"
                 "  return t.bidd\n"
                 "end\n"
                 "function S:on_tick(t) local x = deeper(t) return x end");
    kit_quote(&k, PERP, 63990, 64010);
    CHECK_EQ(hg_script_status(k.script), HG_SCRIPT_FAILED);
    const char *expected = "test.lua:5: tick has no field 'bidd'\n"
                           " --> test.lua:5:12 (on_tick)\n"
                           "  |\n"
                           "5 |   return t.bidd\n"
                           "  |            ^^^^\n"
                           "  = help: did you mean 'bid'?\n"
                           "stack traceback:\n"
                           "\t[C]: in metamethod 'index'\n"
                           "\ttest.lua:5: in upvalue 'deeper'\n"
                           "\ttest.lua:7: in function <test.lua:7>";
    CHECK_STR(hg_script_error(k.script), expected);
    kit_close(&k);
}

TEST(a_failed_start_is_an_error_of_start) {
    kit k;
    kit_open(&k);
    CHECK_EQ(kit_try(&k,
                     HEAD "local S = hedged.strategy { api = 1 }\n"
                          "function S:on_start(why) error('no ' .. why.kind) end return S",
                     NULL, 0),
             0);
    CHECK_EQ(hg_script_start(k.script, "recover"), HG_ESTRATEGY);
    CHECK(strstr(hg_error_text(), "test.lua:4: no recover"));
    kit_close(&k);
}

TEST(parameters_change_while_it_runs) {
    kit k;
    kit_open(&k);
    CHECK_EQ(
        try_set(&k, BANDS "function S:on_tick() hedged.log(self.band, self.to) end return S", NULL),
        0);
    CHECK_EQ(hg_script_start(k.script, "start"), 0);
    kit_quote(&k, PERP, 63990, 64010);
    CHECK_EQ(hg_script_set(k.script, "band=1.5"), 0);
    CHECK_EQ(hg_script_set(k.script, "band=9"), HG_ECONFIG);
    kit_quote(&k, PERP, 63990, 64010);
    CHECK_STR(k.log, "0.5 edge\n1.5 edge\n");
    kit_close(&k);
}

/* As editors save: with a byte order mark, a line for the shell, the lines of Windows. */
TEST(files_are_taken_as_editors_save_them) {
    static const char *const fronts[] = {"\xef\xbb\xbf", "#!/usr/bin/env hedged\n",
                                         "\xef\xbb\xbf#!x\r\n", "-- a\r\n"};
    for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++) {
        kit k;
        char text[512];
        kit_open(&k);
        snprintf(text, sizeof text, "%s" HEAD "return hedged.strategy { api = 1 }", fronts[i]);
        CHECK_EQ(kit_try(&k, text, NULL, 0), 0);
        hg_script_close(k.script);
        k.script = NULL;
        snprintf(text, sizeof text, "%s" HEAD "x = = 1\r\n", fronts[i]);
        CHECK_EQ(kit_try(&k, text, NULL, 0), HG_ESTRATEGY);
        char shown[64];
        snprintf(shown, sizeof shown, "%d | x = = 1\n", strchr(fronts[i], '\n') ? 4 : 3);
        CHECK(strstr(hg_error_text(), shown) != NULL);
        kit_close(&k);
    }
    kit k;
    kit_open(&k);
    CHECK_EQ(kit_try(&k, "\xff\xfel", NULL, 0), HG_ESTRATEGY);
    CHECK(strstr(hg_error_text(), "test.lua is UTF-16; save it as UTF-8") != NULL);
    CHECK_EQ(kit_try(&k, "\x1bLua", NULL, 0), HG_ESTRATEGY);
    CHECK(strstr(hg_error_text(), "compiled Lua is not taken") != NULL);
    kit_close(&k);
}

/* What people have to type after --set and what a terminal shows. */
TEST(parameters_have_plain_names) {
    static const char *const bad[] = {"['a b']", "['\\27[2J']", "['1a']", "['']", "['a.b']"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        kit k;
        char text[256];
        kit_open(&k);
        snprintf(text, sizeof text,
                 HEAD "return hedged.strategy { api = 1, %s = hedged.param { default = 1 } }",
                 bad[i]);
        CHECK_EQ(kit_try(&k, text, NULL, 0), HG_ESTRATEGY);
        CHECK(strstr(hg_error_text(), "a parameter needs a name of letters, digits and _"));
        kit_close(&k);
    }
}

TEST(a_check_of_a_value_changes_nothing) {
    kit k;
    kit_open(&k);
    CHECK_EQ(try_set(&k, BANDS "return S", NULL), 0);
    hg_param_view before, after;
    CHECK(hg_script_param_view(k.script, 0, &before));
    CHECK_EQ(hg_script_set_check(k.script, "band=1.5"), 0);
    CHECK_EQ(hg_script_set_check(k.script, "band=9"), HG_ECONFIG);
    CHECK_EQ(hg_script_set_check(k.script, "hedge_with=X"), HG_ECONFIG);
    CHECK(hg_script_param_view(k.script, 0, &after));
    CHECK(before.value <= after.value && before.value >= after.value);
    kit_close(&k);
}

TEST(the_hash_follows_the_text) {
    kit k;
    kit_open(&k);
    CHECK_EQ(try_set(&k, BANDS "return S", NULL), 0);
    uint64_t first = hg_script_hash(k.script);
    hg_script_close(k.script);
    CHECK_EQ(try_set(&k, BANDS "return S", "band=1"), 0);
    CHECK_EQ(hg_script_hash(k.script), first);
    hg_script_close(k.script);
    CHECK_EQ(try_set(&k, BANDS "return S ", NULL), 0);
    CHECK(hg_script_hash(k.script) != first);
    kit_close(&k);
}

TEST(loading_leaves_nothing_behind) {
    kit k;
    kit_open(&k);
    CHECK_EQ(try_set(&k, BANDS "return S", NULL), 0);
    hg_script_close(k.script);
    long live = hg_test_alloc_live();
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(try_set(&k, i % 2 ? BANDS "return S" : BANDS "error {}", NULL),
                 i % 2 ? 0 : HG_ESTRATEGY);
        if (i % 2) hg_script_close(k.script);
    }
    k.script = NULL;
    CHECK_EQ(hg_test_alloc_live(), live);
    kit_close(&k);
}
