/* What a trader reads when a script fails: which line, whatever was raised and from how deep. */
#include "test_script_kit.h"

/* Runs `body` in on_tick (its line is 5) and looks for `first` at the start and `shown` behind. */
static void frame(const char *body, const char *first, const char *shown) {
    kit k;
    char source[4096];
    kit_open(&k);
    snprintf(source, sizeof source,
             "local policy = require 'hedged.policy' function S:on_tick()\n%s\nend", body);
    kit_load(&k, source);
    kit_quote(&k, PERP, 63990, 64010);
    CHECK_EQ(hg_script_status(k.script), HG_SCRIPT_FAILED);
    const char *error = hg_script_error(k.script);
    if (strncmp(error, first, strlen(first)) != 0 || !strstr(error, shown)) {
        hg_test_fail(__FILE__, __LINE__, "wanted '%s' and '%s', got:\n%s", first, shown, error);
    }
    kit_close(&k);
}

TEST(values_without_a_place_show_the_line_that_raised_them) {
    static const char *const raised[][2] = {
        {"error(42)",                                "42 in on_tick\n"                       },
        {"error(nil)",                               "the error is a nil value, not a text"  },
        {"error {}",                                 "the error is a table value, not a text"},
        {"error(print)",                             "the error is a function value"         },
        {"error('no level', 0)",                     "no level in on_tick\n"                 },
        {"error('far level', 9)",                    "far level in on_tick\n"                },
        {"error('other.lua:1: not him', 0)",         "other.lua:1: not him in on_tick\n"     },
        {"coroutine.wrap(function() error{} end)()", "the error is a table value"            },
    };
    for (size_t i = 0; i < sizeof raised / sizeof *raised; i++) {
        char shown[256];
        snprintf(shown, sizeof shown, " --> test.lua:5 (on_tick)\n  |\n5 | %s\n", raised[i][0]);
        frame(raised[i][0], raised[i][1], shown);
    }
}

/* Modules written in Lua tell misuse at the line that misused them; their own faults at their own.
 */
TEST(misuse_of_the_standard_library_is_shown_at_the_caller) {
    frame("policy.band {}", "test.lua:5: policy.band: ", "5 | policy.band {}\n");
    frame("local function deep() local x = policy.band { delta = 0/0, lo = 0, hi = 0 } end\ndeep()",
          "test.lua:5: policy.band: delta must be a number, got NaN\n",
          "5 | local function deep()");
    frame("policy.band(setmetatable({}, { __index = function(t, k) return k.x.y end }))",
          "test.lua:5: string has no field 'x'", "5 | policy.band(setmetatable");
}

/* A message as long as it likes leaves room for the line, and its lines cannot pass for ours. */
TEST(long_messages_and_messages_of_several_lines_keep_their_place) {
    frame("error(('x'):rep(100000))", "test.lua:5: xxxxxxxxxx",
          "xxx ...\n --> test.lua:5 (on_tick)");
    frame("local function f() return coroutine.wrap(function() return f() end)() end f()",
          "test.lua:5: test.lua:5: ", "--> test.lua:5 (on_tick)");
    frame("error('a\\n00:00:01.000  hedge  BUY')", "test.lua:5: a\n    00:00:01.000  hedge",
          " --> test.lua:5 (on_tick)");
    frame("error('\\27[2J\\7')", "test.lua:5: ?[2J?\n", "5 | error(");
}
