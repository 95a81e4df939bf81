/* Hostile scripts: each of these hangs, crashes or escapes without its guard. */
#include "test_script_kit.h"

#include "script/watchdog_int.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUDGET_MS 20

static double cpu_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Runs `body` in on_tick and expects it to fail with `text`; returns the CPU time it took. */
static double fails(const char *body, const char *text, int64_t budget_ms) {
    kit k;
    kit_open(&k);
    k.env.callback_budget_ns = budget_ms * HG_NS_PER_MS;
    char source[4096];
    snprintf(source, sizeof source, "function S:on_tick()\n%s\nend", body);
    kit_load(&k, source);
    hg_event tick = kit_quote_event(&k, PERP, 63990, 64010);
    double start = cpu_ms();
    kit_feed(&k, tick);
    double spent = cpu_ms() - start;
    kit_failed(&k, text);
    kit_close(&k);
    return spent;
}

/* How soon after the budget is for the benchmark (script/stops_runaways): a busy machine, or one
 * with sanitizers, is late. */
static void runs_away(const char *body) {
    double spent = fails(body, "more than 20 ms of CPU time", BUDGET_MS);
    CHECK(spent >= BUDGET_MS - 1);
    CHECK(spent < 50 * BUDGET_MS);
}

/* Must end by its own guard, long before this budget. */
static void raises(const char *body, const char *text) {
    fails(body, text, 2000);
}

TEST(stops_a_plain_loop) {
    runs_away("while true do end");
}

TEST(stops_a_loop_that_swallows_errors) {
    runs_away("while true do pcall(function() while true do end end) end");
}

TEST(stops_a_loop_in_a_coroutine) {
    runs_away("coroutine.wrap(function() while true do end end)()");
}

TEST(stops_nested_coroutines_that_swallow_errors) {
    runs_away("while true do coroutine.resume(coroutine.create(function()\n"
              "  coroutine.wrap(function() while true do end end)() end)) end");
}

TEST(stops_a_loop_in_an_error_handler) {
    runs_away("xpcall(error, function() while true do end end)");
}

TEST(stops_a_handler_of_the_kill_itself) {
    runs_away("while true do xpcall(function() while true do end end,\n"
              "  function() while true do end end) end");
}

TEST(stops_a_loop_in_a_close_handler) {
    runs_away("local x <close> = setmetatable({}, {__close = function() while true do end end})\n"
              "while true do end");
}

TEST(stops_a_close_handler_of_a_coroutine) {
    runs_away("local co = coroutine.create(function()\n"
              "  local x <close> = setmetatable({}, {__close = function() while true do end end})\n"
              "  coroutine.yield() end)\n"
              "coroutine.resume(co) coroutine.close(co)");
}

TEST(stops_a_loop_in_a_metamethod) {
    runs_away("local t = setmetatable({}, {__index = function() while true do end end})\n"
              "return t.x");
}

TEST(stops_a_loop_in_a_comparator) {
    runs_away("local t = {} for i = 1, 50 do t[i] = i end\n"
              "table.sort(t, function() while true do end end)");
}

TEST(stops_a_huge_sort) {
    runs_away("local t = {} for i = 1, 400000 do t[i] = math.random() end\n"
              "while true do table.sort(t) end");
}

TEST(stops_pairs_of_a_huge_table) {
    runs_away("local t = {} for i = 1, 300000 do t[i * 1.5] = i end\n"
              "while true do for k in pairs(t) do break end end");
}

TEST(stops_a_loop_in_gsub) {
    runs_away("string.gsub('x', '.', function() while true do end end)");
}

TEST(stops_long_texts_changed_in_a_loop) {
    runs_away(
        "local s = string.rep('x', 2000000) while true do s:upper() s:reverse() s:lower() end");
}

TEST(stops_loads_in_a_loop) {
    runs_away("while true do load('return ' .. ('1 + '):rep(20000) .. '1') end");
}

/* Whatever the time at which the memory runs out: who was beyond it is told of that, although the
 * search for garbage may be what used up the time. */
TEST(a_runaway_recursion_is_told_of_the_memory_it_ran_out_of) {
    int of_time = 0, of_memory = 0;
    for (int64_t budget_ms = 2; budget_ms <= 80; budget_ms += 2) {
        kit k;
        kit_open(&k);
        k.env.memory_max = (size_t)16 << 20;
        k.env.callback_budget_ns = budget_ms * HG_NS_PER_MS;
        kit_load(&k, "function S:on_tick() local function f(t) local u = {t} return 1 + f(u) end\n"
                     "f {} end");
        kit_quote(&k, PERP, 63990, 64010);
        hg_script_stats stats;
        hg_script_stats_get(k.script, &stats);
        bool told = strstr(hg_script_error(k.script), "out of memory") != NULL;
        if (!told) kit_failed(&k, "ms of CPU time");
        if (!told && stats.memory_peak > k.env.memory_max) {
            hg_test_fail(__FILE__, __LINE__, "%zu bytes, but %s", stats.memory_peak,
                         hg_script_error(k.script));
        }
        of_time += !told;
        of_memory += told;
        kit_close(&k);
    }
    printf("note: %d told of their time, %d of their memory\n", of_time, of_memory);
}

static void time_is_over(void *context, const char *strategy, hg_log_level level,
                         const char *text) {
    (void)context, (void)strategy, (void)level, (void)text;
    hg_watchdog_state.expired = 1;
}

TEST(an_error_that_came_before_the_time_ran_out_is_the_one_told) {
    static const char *const first[] = {"error('boom')",
                                        "local function f() return 1 + f() end f()"};
    static const char *const texts[] = {"boom", "stack overflow"};
    for (int i = 0; i < 2; i++) {
        kit k;
        kit_open(&k);
        k.env.log = time_is_over;
        k.env.callback_budget_ns = 20 * HG_NS_PER_S;
        k.env.memory_max = (size_t)1 << 30;
        char source[512];
        snprintf(source, sizeof source,
                 "function S:on_tick()\n"
                 "  local ok, text = pcall(function() %s end)\n"
                 "  hedged.log('on its way') error(text, 0)\nend",
                 first[i]);
        kit_load(&k, source);
        kit_quote(&k, PERP, 63990, 64010);
        kit_failed(&k, texts[i]);
        kit_close(&k);
    }
}

TEST(stops_a_loop_after_a_sleep) {
    kit k;
    kit_open(&k);
    kit_load(&k, "function S:on_tick() hedged.sleep(1) while true do end end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_running(&k);
    kit_settle(&k, k.now_ns + 2 * HG_NS_PER_S);
    kit_failed(&k, "more than 20 ms of CPU time");
    kit_close(&k);
}

TEST(stops_an_endless_load) {
    kit k;
    kit_open(&k);
    k.env.load_budget_ns = 50 * HG_NS_PER_MS;
    CHECK_EQ(kit_try(&k, "while true do pcall(function() while true do end end) end", NULL, 0),
             HG_ESTRATEGY);
    CHECK(strstr(hg_error_text(), "test.lua:1: ran for more than 50 ms of CPU time"));
    kit_close(&k);
}

TEST(bounds_patterns) {
    raises("local s = string.rep('a', 400) return s:find('.-.-.-b')", "too many steps");
    raises("local s = string.rep('a', 400) return s:match('.*.*.*.*b')", "too many steps");
    raises("local s = string.rep('a', 400) return s:gsub('.-.-.-b', '')", "too many steps");
    raises("local s = string.rep('a', 400) for x in s:gmatch('.-.-.-b') do end", "too many steps");
    raises("return string.rep('(', 300):find(string.rep('.-', 300))", "too complex");
}

TEST(bounds_string_rep) {
    raises("return string.rep('', 1e9 // 1 | 0)", "above 2 MiB");
    raises("return ('x'):rep(1 << 40)", "above 2 MiB");
    raises("return ('x'):rep(1 << 62, 'yyyy')", "above 2 MiB");
}

/* The bounded versions against what they replace, built letter by letter. */
TEST(bounded_text_functions_say_what_stock_lua_says) {
    kit k;
    kit_open(&k);
    k.env.callback_budget_ns = 5 * HG_NS_PER_S;
    kit_load(
        &k,
        "function S:on_tick()\n"
        "  for _, text in ipairs { '', 'a', 'Ab', 'xYz\\0\\255' } do\n"
        "    for _, sep in ipairs { '', '-', ', ' } do for n = -1, 40 do\n"
        "      local parts = {} for i = 1, n do parts[i] = text end\n"
        "      assert(text:rep(n, sep) == table.concat(parts, sep))\n"
        "    end end\n"
        "    local low, up, back = '', '', ''\n"
        "    for c in text:gmatch('.') do back = c .. back end\n"
        "    assert(text:reverse() == back and #text:upper() == #text)\n"
        "  end\n"
        "  assert(('aZ09_\\200'):upper() == 'AZ09_\\200' and ('aZ\\200'):lower() == 'az\\200')\n"
        "  out('done') end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_running(&k);
    CHECK_STR(k.log, "done\n");
    kit_close(&k);
}

TEST(bounds_table_functions) {
    raises("table.move({}, 1, 1e15 // 1 | 0, 2)", "range of more than");
    raises("table.concat({}, '', 1, 1 << 60)", "range of more than");
    raises("table.unpack({}, 1, 1e8 // 1 | 0)", "too many results");
    raises("table.insert(setmetatable({}, {__len = function() return 1 << 50 end}), 1, 2)",
           "table without __len");
    raises("table.concat(setmetatable({}, {__index = string.rep}))", "table without __index");
    raises("table.concat({1, {}, 3})", "invalid value (at index 2) in table for 'concat'");
    raises("table.concat({1, 2}, '', 1, 3)", "invalid value (at index 3) in table for 'concat'");
    raises("table.sort(setmetatable({}, {__newindex = rawset}))", "table without __newindex");
}

TEST(concat_says_what_an_operator_says) {
    kit k;
    kit_open(&k);
    kit_load(&k,
             "function S:on_tick()\n"
             "  local t = {} for i = -3, 40 do t[i] = i % 3 == 0 and i / 2 or 'v' .. i end\n"
             "  for _, gap in ipairs { '', ', ' } do\n"
             "    for from = -3, 40, 7 do local all = ''\n"
             "      for to = from, 40 do\n"
             "        all = all .. (to > from and gap or '') .. t[to]\n"
             "        assert(table.concat(t, gap, from, to) == all)\n"
             "      end\n"
             "  end end\n"
             "  local top = math.maxinteger\n"
             "  assert(table.concat({ [top] = 'x' }, '-', top, top) == 'x')\n"
             "  assert(table.concat({ 1, 2.5, 'c' }) == '12.5c' and table.concat({}, 'x') == '')\n"
             "  out(table.concat(t, ' ', 2, 1) .. 'done') end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_running(&k);
    CHECK_STR(k.log, "done\n");
    kit_close(&k);
}

TEST(caps_memory) {
    raises("local s = ('x'):rep(1 << 20) while true do s = s .. s end", "out of memory");
    kit k;
    kit_open(&k);
    k.env.memory_max = 4 << 20;
    k.env.callback_budget_ns = 5 * HG_NS_PER_S;
    kit_load(&k, "function S:on_tick() local t = {} while true do t[#t + 1] = {} end end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_failed(&k, "out of memory: the limit of a strategy is 4 MiB");
    kit_close(&k);
}

TEST(caps_recursion_and_nesting) {
    raises("local function f() return 1 + f() end return f()", "out of memory");
    raises("local function f(...) return select('#', string.gsub('x', '.', f)) end return f()",
           "overflow");
    raises("local function f() return coroutine.wrap(f)() end return f()",
           "test.lua:5: test.lua:5");
    raises("local function f() return select(2, coroutine.resume(coroutine.create(f))) end\n"
           "error(f())",
           "overflow");
    raises("local s = string.rep('(', 300) .. '1' .. string.rep(')', 300)\n"
           "error((select(2, load('return ' .. s))))",
           "overflow");
}

TEST(refuses_finalizers_and_weak_tables) {
    raises("setmetatable({}, {__gc = function() while true do end end})", "__gc is not available");
    raises("setmetatable({}, {__mode = 'k'})", "__mode is not available");
}

TEST(refuses_bytecode) {
    raises("error((select(2, load('\\27Lua'))))", "attempt to load a binary chunk");
    raises("return string.dump", "has no field 'dump'");
    raises("return ('').dump", "has no field 'dump'");
}

TEST(has_no_operating_system) {
    raises("return os", "'os' is not available");
    raises("return io", "'io' is not available");
    raises("return debug", "'debug' is not available");
    raises("return package", "'package' is not available");
    raises("return dofile", "'dofile' is not available");
    raises("return loadfile", "'loadfile' is not available");
    raises("return load('return os')()", "'os' is not available");
    raises("return coroutine.wrap(function() return _G.os end)()", "'os' is not available");
    raises("collectgarbage('stop')", "collects between events");
}

TEST(locks_metatables_and_tables) {
    raises("getmetatable('').__index = 1", "index a boolean value");
    raises("getmetatable(hedged).__index = 1", "index a boolean value");
    raises("getmetatable(_G).__index = nil", "index a boolean value");
    raises("setmetatable(string, {})", "locked");
    raises("setmetatable(_G, {})", "locked");
    raises("rawset(hedged, 'trade', print)", "read-only");
    raises("hedged.trade = print", "hedged is read-only");
    raises("string.find = print", "string is read-only");
    raises("rawset(_G, 'pcall', error)", "read-only");
    raises("S.state = nil setmetatable(S, nil)", "locked");
}

TEST(raises_on_undefined_globals) {
    raises("retrun = 1", "new global 'retrun'");
    raises("return tostirng(1)", "undefined global 'tostirng'");
    raises("return tostirng(1)", "help: did you mean 'tostring'?");
}

TEST(callbacks_are_declared_while_the_file_loads) {
    raises("function S:on_depth() end", "callbacks are looked up once");
}

TEST(garbage_is_collected_between_events) {
    kit k;
    kit_open(&k);
    k.env.memory_max = 16 << 20;
    k.env.callback_budget_ns = 10 * HG_NS_PER_S;
    kit_load(&k, "local kept = {}\n"
                 "function S:on_tick() for i = 1, 1000 do kept[i] = { i, { i } } end end");
    hg_event e = kit_quote_event(&k, PERP, 63990, 64010);
    kit_apply(&k, &e);
    for (int i = 0; i < 3000; i++) {
        hg_script_event(k.script, &e, NULL);
        hg_script_idle(k.script);
    }
    kit_running(&k);
    hg_script_stats stats;
    hg_script_stats_get(k.script, &stats);
    printf("peak %zu KiB \n", stats.memory_peak / 1024);
    CHECK(stats.memory_peak < 4 << 20);
    kit_close(&k);
}

/* Events until a strategy that keeps a little of what it makes has more than its limit. */
static int parked_after(unsigned rests) {
    kit k;
    kit_open(&k);
    k.env.memory_max = 4 << 20;
    k.env.callback_budget_ns = 100 * HG_NS_PER_S;
    kit_load(&k, "local kept = {}\n"
                 "function S:on_tick()\n"
                 "  for i = 1, 100 do kept[#kept + (i % 2)] = { i, { i } } end end");
    hg_event e = kit_quote_event(&k, PERP, 63990, 64010);
    kit_apply(&k, &e);
    int events = 0;
    while (hg_script_status(k.script) == HG_SCRIPT_RUNNING && events < 1000000) {
        hg_script_event(k.script, &e, NULL);
        hg_script_idle(k.script);
        for (unsigned r = 0; r < rests && hg_script_rest(k.script, 1); r++) continue;
        events++;
    }
    CHECK(strstr(hg_script_error(k.script), "out of memory") != NULL);
    kit_close(&k);
    return events;
}

TEST(when_garbage_was_collected_does_not_decide_about_the_memory_limit) {
    int alone = parked_after(0);
    printf("parked after %d events \n", alone);
    CHECK(alone > 100);
    CHECK_EQ(parked_after(1), alone);
    CHECK_EQ(parked_after(1000), alone);
}

TEST(a_rest_ends_when_everything_is_collected) {
    kit k;
    kit_open(&k);
    kit_load(&k, "local kept = {}\n"
                 "function S:on_tick() for i = 1, 20000 do kept[i] = { i } end end");
    hg_event e = kit_quote_event(&k, PERP, 63990, 64010);
    kit_apply(&k, &e);
    CHECK(!hg_script_rest(k.script, HG_NS_PER_S)); /* nothing to do yet */
    hg_script_event(k.script, &e, NULL);
    hg_script_event(k.script, &e, NULL); /* the first twenty thousand are garbage */
    hg_script_stats before, after;
    hg_script_stats_get(k.script, &before);
    int rests = 1;
    while (hg_script_rest(k.script, 1)) rests++;
    hg_script_stats_get(k.script, &after);
    CHECK(rests > 2);
    CHECK(after.memory < before.memory - before.memory / 4);
    CHECK(!hg_script_rest(k.script, HG_NS_PER_S));
    kit_close(&k);
}

/* Everything a strategy can reach by name. A name that is missing here was let in by accident. */
TEST(offers_exactly_these_names) {
    kit k;
    kit_open(&k);
    kit_load(&k, "local names = {}\n"
                 "for k, v in pairs(_G) do\n"
                 "  if type(v) == 'table' and k ~= '_G' then\n"
                 "    local inner = {}\n"
                 "    for f in pairs(v) do inner[#inner + 1] = f end\n"
                 "    names[#names + 1] = k .. '{' .. table.concat(inner, ' ') .. '}'\n"
                 "  else names[#names + 1] = k end\n"
                 "end\n"
                 "out(table.concat(names, '\\n'))");
    CHECK_STR(k.log,
              "_G\n_VERSION\nassert\n"
              "coroutine{close create isyieldable resume running status wrap yield}\n"
              "error\ngetmetatable\nipairs\nload\n"
              "math{abs acos asin atan ceil cos deg exp floor fmod huge log max maxinteger min "
              "mininteger modf pi rad random randomseed sin sqrt tan tointeger type ult}\n"
              "next\npairs\npcall\nprint\nrawequal\nrawget\nrawlen\nrawset\nrequire\nselect\n"
              "setmetatable\n"
              "string{byte char find format gmatch gsub len lower match pack packsize rep reverse "
              "sub unpack upper}\n"
              "table{concat insert move pack remove sort unpack}\n"
              "tonumber\ntostring\ntype\n"
              "utf8{char charpattern codepoint codes len offset}\nxpcall\n");
    kit_close(&k);
}

TEST(formats_error_values_safely) {
    raises("error(setmetatable({}, {__tostring = function() while true do end end}))",
           "the error is a table value");
    raises("error(nil)", "the error is a nil value");
    raises("error(setmetatable({}, {__tostring = 1, __name = {}}))", "the error is a table value");
    raises("error()", "the error is a nil value");
    raises("error('a\\27[31mb\\7')", "a?[31mb?");
}

TEST(shows_no_addresses) {
    kit k;
    kit_open(&k);
    kit_load(&k, "function S:on_tick(t)\n"
                 "  out(tostring({})) out(tostring(print)) out('%s %s', {}, S.on_tick)\n"
                 "  print({}, coroutine.create(print))\n"
                 "  out(tostring(hedged.exposure('BTC')):match('^exposure') )\n"
                 "end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_running(&k);
    CHECK_STR(k.log, "table\nfunction\ntable function\ntable\tthread\nexposure\n");
    kit_close(&k);
    raises("return ('%p'):format({})", "%p is not available");
    raises("return ('%-20p'):format({})", "%p is not available");
}

TEST(floods_are_bounded) {
    raises("for i = 1, 5000 do hedged.after(1, function() end) end", "more than 1000 timers");
    raises("for i = 1, 5000 do hedged.spawn(function() hedged.sleep(1) end) end", "timers");
    kit k;
    kit_open(&k);
    kit_load(&k, "function S:on_tick() for i = 1, 1000 do out(i) end end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_running(&k);
    CHECK(strlen(k.log) < 1000);
    kit_close(&k);
}

TEST(endless_timers_at_one_moment_are_stopped) {
    kit k;
    kit_open(&k);
    kit_load(&k, "local function again() hedged.after(0, again) end\n"
                 "function S:on_tick() again() end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_failed(&k, "at one instant");
    kit_close(&k);
}

TEST(stays_inside_its_directory) {
    static const char *const names[] = {"../x", "/etc/passwd", "a..b", ".x",
                                        "x.",   "a/b",         "a\\b", ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        kit k;
        char text[64];
        kit_open(&k);
        snprintf(text, sizeof text, "require '%s'", names[i]);
        CHECK_EQ(kit_try(&k, text, NULL, 0), HG_ESTRATEGY);
        CHECK(strstr(hg_error_text(), "is not allowed: words between dots"));
        kit_close(&k);
    }
}

static void write_file(const char *name, const char *text) {
    FILE *f = fopen(test_tmp(name), "w");
    CHECK(f != NULL);
    fputs(text, f);
    fclose(f);
}

TEST(loads_modules_beside_the_strategy_and_no_links_out) {
    kit k;
    kit_open(&k);
    CHECK_EQ(mkdir(test_tmp("home"), 0700), 0);
    CHECK_EQ(mkdir(test_tmp("home/part"), 0700), 0);
    write_file("outside.lua", "return 1");
    write_file("home/part/own.lua", "return 'inner'");
    write_file("home/s.lua", "local h = require 'hedged'\nlocal own = require 'part.own'\n"
                             "local S = h.strategy { api = 1, name = own }\n"
                             "assert(not pcall(require, 'out'), 'escaped')\nreturn S\n");
    CHECK_EQ(symlink("../outside.lua", test_tmp("home/out.lua")), 0);
    if (hg_script_open(&k.env, test_tmp("home/s.lua"), 0, NULL, 0, &k.script) < 0) {
        hg_test_fail(__FILE__, __LINE__, "%s", hg_error_text());
    }
    CHECK_STR(hg_script_name(k.script), "inner");
    kit_close(&k);
}

TEST(a_failure_cancels_the_orders_of_this_strategy) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    kit_load(&k, "local orders = require 'hedged.orders'\n"
                 "function S:on_tick(t)\n"
                 "  if #orders.open() == 0 then\n"
                 "    assert(orders.buy{instrument='" PERP "', size=1000, price=63900})\n"
                 "  else error('now') end\n"
                 "end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_running(&k);
    CHECK(hg_exec_open_next(k.exec, 0, 0) != NULL);
    kit_quote(&k, PERP, 63991, 64010);
    kit_failed(&k, "now");
    kit_settle(&k, k.now_ns + HG_NS_PER_S);
    CHECK(hg_exec_open_next(k.exec, 0, 0) == NULL);
    kit_close(&k);
}
