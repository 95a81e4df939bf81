/* check, data files, the stock interpreter and the test runner. */
#include "script/data.h"
#include "script/harness.h"
#include "test_script_kit.h"

#include <stdlib.h>
#include <unistd.h>

static const char *file(const char *name, const char *text) {
    const char *path = test_tmp(name);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    fputs(text, f);
    fclose(f);
    return path;
}

#define HEAD "local hedged = require 'hedged'\nlocal S = hedged.strategy { api = 1 }\n"

TEST(check_finds_undefined_globals_in_code_that_does_not_run) {
    kit k;
    char report[2048];
    kit_open(&k);
    const char *path = file("s.lua", HEAD "counter = 0\n"
                                          "function S:on_tick(t)\n"
                                          "  counter = counter + 1\n"
                                          "  if counter > 5 then\n"
                                          "    prnt(math.pi, tick)\n"
                                          "  end\n"
                                          "  return function() return tostrin(t) end\n"
                                          "end\nreturn S\n");
    CHECK_EQ(hg_script_check(&k.env, path, NULL, 0, report, sizeof report), 3);
    printf("%s", report);
    CHECK(strstr(report, "s.lua:7:5: undefined global 'prnt'; did you mean 'print'?\n"));
    CHECK(strstr(report, "s.lua:7:19: undefined global 'tick'\n 7 |     prnt(math.pi, tick)\n   | "
                         "                  ^^^^\n"));
    CHECK(strstr(report, "s.lua:9:28: undefined global 'tostrin'; did you mean 'tostring'?\n"));
    kit_close(&k);
}

TEST(check_knows_lines_far_down_a_file) {
    kit k;
    char report[2048];
    static char text[8192];
    kit_open(&k);
    size_t used = (size_t)snprintf(text, sizeof text, "%s", HEAD "function S:on_tick()\n");
    for (int i = 0; i < 700; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s",
                                 i % 300 ? "\n" : "local a\n\n\n");
    }
    snprintf(text + used, sizeof text - used, "nowhere()\nend\nreturn S\n");
    const char *path = file("long.lua", text);
    CHECK_EQ(hg_script_check(&k.env, path, NULL, 0, report, sizeof report), 1);
    CHECK(strstr(report, "long.lua:710:1: undefined global 'nowhere'"));
    kit_close(&k);
}

TEST(check_names_functions_that_nobody_calls) {
    kit k;
    char report[2048];
    kit_open(&k);
    CHECK_EQ(hg_script_check(&k.env,
                             file("u.lua", HEAD "function S:on_tick() end\n"
                                                "S.on_midnight = function() end\n"
                                                "function S:helper() end return S"),
                             NULL, 0, report, sizeof report),
             1);
    CHECK(strstr(report, "u.lua:4: nobody calls 'on_midnight'\n"));
    kit_close(&k);
}

TEST(check_is_silent_about_good_files_and_loud_about_idle_ones) {
    kit k;
    char report[2048];
    kit_open(&k);
    CHECK_EQ(hg_script_check(&k.env, file("good.lua", HEAD "function S:on_tick() end return S"),
                             NULL, 0, report, sizeof report),
             0);
    CHECK_STR(report, "");
    CHECK_EQ(
        hg_script_check(&k.env, file("idle.lua", HEAD "return S"), NULL, 0, report, sizeof report),
        1);
    CHECK(strstr(report, "it never runs"));
    CHECK_EQ(hg_script_check(&k.env, file("bad.lua", "x ="), NULL, 0, report, sizeof report),
             HG_ESTRATEGY);
    CHECK(hg_script_check(&k.env, "/nowhere.lua", NULL, 0, report, sizeof report) < 0);
    kit_close(&k);
}

/* ---- data files ------------------------------------------------------------------------------ */
static char rows[1024];

static int show_row(void *context, int index, const hg_data_field *f, size_t count) {
    (void)context;
    size_t used = strlen(rows);
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(rows + used, sizeof rows - used, "%d %s=%s;", index, f[i].key,
                                 f[i].type == HG_DATA_BOOL ? (f[i].truth ? "true" : "false")
                                                           : f[i].text);
    }
    return index == 3 ? HG_ERR(HG_ERANGE, "enough") : 0;
}

static int load(const char *text) {
    rows[0] = '\0';
    return hg_data_load(file("data.lua", text), show_row, NULL);
}

TEST(reads_lists_and_flat_tables) {
    CHECK_EQ(load("return { { instrument = 'A', size = 0.1 }, { size = -3, on = true } }"), 0);
    CHECK_STR(rows, "1 instrument=A;1 size=0.1;2 on=true;2 size=-3;");
    CHECK_EQ(load("local x = 10 return { b = x * 1e-5, a = 'text', c = 2^53 }"), 0);
    CHECK_STR(rows, "1 a=text;1 b=0.0001;1 c=9007199254740992;");
    CHECK_EQ(load("return { limits = { most = 5 } }"), 0);
    CHECK_STR(rows, "1 limits.most=5;");
    CHECK_EQ(load("return {}"), 0);
    CHECK_STR(rows, "");
}

TEST(refuses_bad_data_files) {
    CHECK_EQ(load("return 5"), HG_ECONFIG);
    CHECK(strstr(hg_error_text(), "must return a table"));
    CHECK_EQ(load("return { 1 }"), HG_ECONFIG);
    CHECK(strstr(hg_error_text(), "row 1 is a number"));
    CHECK_EQ(load("return { { a = { b = { c = { d = {} } } } } }"), HG_ECONFIG);
    CHECK(strstr(hg_error_text(), "data.lua: row 1"));
    CHECK(strstr(hg_error_text(), "tables more than 3 deep"));
    CHECK_EQ(load("return { os.getenv('HOME') }"), HG_ECONFIG);
    CHECK_EQ(load("while true do end"), HG_ECONFIG);
    CHECK(strstr(hg_error_text(), "more than 500 ms"));
    CHECK_EQ(load("return { {}, {}, {}, {} }"), HG_ERANGE);
    CHECK(strstr(hg_error_text(), "data.lua: row 3: enough"));
    CHECK(hg_data_load("/nowhere.lua", show_row, NULL) < 0);
}

/* ---- hedged lua, hedged test ----------------------------------------------------------------- */
TEST(runs_files_with_the_stock_libraries) {
    char word[] = "one";
    char *argv[] = {word};
    CHECK_EQ(hg_script_run_file(file("ok.lua", "local a = ...\n"
                                               "assert(a == 'one' and arg[1] == 'one')\n"
                                               "assert(os.time() and io.write and debug)\n"
                                               "local g = require 'hedged.greeks'\n"
                                               "assert(g == require 'hedged.greeks')\n"
                                               "assert(g.black76(100, 100, 1, 0.2, 'C') > 7)\n"
                                               "assert(not pcall(require('hedged').now))\n"),
                                1, argv),
             0);
    CHECK_EQ(hg_script_run_file(file("bad.lua", "error 'no'"), 0, NULL), 1);
    CHECK_EQ(hg_script_run_file("/nowhere.lua", 0, NULL), 1);
}

TEST(runs_test_files_and_counts) {
    if (access("/usr/share/lua/5.4/luaunit.lua", R_OK) != 0) SKIP("no LuaUnit");
    file("test_a.lua", "local lu = require 'luaunit'\n"
                       "function test_one() lu.assertEquals(1, 1) end\n"
                       "function test_two() lu.assertEquals(1, 2) end\n"
                       "os.exit(lu.LuaUnit.run())\n");
    file("b_test.lua", "TestB = {} function TestB:test_three() end");
    file("other.lua", "error 'never run'");
    const char *folder[] = {test_tmp_dir()};
    CHECK_EQ(hg_script_run_tests(folder, 1, NULL, false), 8);
    CHECK_EQ(hg_script_run_tests(folder, 1, "one", false), 0);
    CHECK_EQ(hg_script_run_tests(folder, 1, "three", true), 0);
    file("test_c.lua", "x =");
    CHECK_EQ(hg_script_run_tests(folder, 1, NULL, false), 5);
    const char *nowhere[] = {"/nowhere"};
    CHECK_EQ(hg_script_run_tests(nowhere, 1, NULL, false), 2);
}
