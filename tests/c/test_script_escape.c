/* The escape list: ways in which scripts have left sandboxes or stopped their hosts, each with the
 * guard against it. Every row fails when its guard is removed. Names without a file: script_guard.
 *
 *  S1   an endless loop: stops_a_plain_loop
 *  S2   ... swallowed by pcall, xpcall, __close, __index, coroutines:
 *       stops_a_loop_that_swallows_errors, _in_a_coroutine, _in_an_error_handler,
 *       _a_handler_of_the_kill_itself, _a_loop_in_a_close_handler, _in_a_metamethod, S2 below
 *  S3   C functions that take for ever: bounds_patterns, bounds_string_rep, bounds_table_functions,
 *       stops_a_huge_sort, stops_long_texts_changed_in_a_loop, S3 below
 *  S4   C code that hangs all the same, single steps of Lua that do not end: S4 below
 *  S5   memory, coroutines, timers, tasks: caps_memory, floods_are_bounded, S5 below
 *  S6   an error at every tick: the_same_error_is_told_at_powers_of_ten,
 *       parks_when_every_callback_fails_however_slowly
 *  S7   deep recursion, parser depth: caps_recursion_and_nesting, S7 below
 *  S8   bytecode: refuses_bytecode, S8 below
 *  S9   os, io, debug, package, require of C: has_no_operating_system, offers_exactly_these_names,
 *       stays_inside_its_directory, sees_every_hole (allow)
 *  S10  metatables of texts and API tables: locks_metatables_and_tables, S10 below
 *  S11  __gc, __mode: refuses_finalizers_and_weak_tables
 *  S12  __tostring of an error that loops: formats_error_values_safely
 *  S13  entering the API from a callback of it: S13 below
 *  S14  a storm of orders: S14 below
 *  S15  NaN, infinity, huge, wrong types: S15 below
 *  S16  clocks, addresses, order of keys: shows_no_addresses, pairs_goes_through_numbers_...,
 *       random_numbers_come_from_the_seed (script_lua)
 *  R1   broken new versions: broken_candidates_leave_... (app_reload)
 *  R2   reload with orders in flight: save_storm_changes_nothing (app_reload)
 *  R3   half files, renames, symlinks: every_way_of_saving_is_noticed (loop_watch)
 *  R4   a new version that hangs while it loads: an_endless_load_does_not_hold_... (reload_slices)
 *  R5   back to an older version: rollback_by_request (app_reload)
 */
#include "script/reload_int.h"
#include "test_script_kit.h"

#include <math.h>
#include <stdlib.h>

#define ORDERS "local orders = require 'hedged.orders'\n"

/* Runs `body` once in on_tick with a generous budget. */
static void tick(kit *k, const char *body) {
    char source[8192];
    kit_open(k);
    k->env.callback_budget_ns = 5 * HG_NS_PER_S;
    kit_index(k, 64000);
    snprintf(source, sizeof source,
             ORDERS "local once\nfunction S:on_tick(t)\n"
                    "if once then return end once = true\n%s\nend",
             body);
    kit_load(k, source);
    kit_quote(k, PERP, 63990, 64010);
}

static void says(const char *body, const char *log) {
    kit k;
    tick(&k, body);
    kit_running(&k);
    CHECK_STR(k.log, log);
    kit_close(&k);
}

static void raises(const char *body, const char *text) {
    kit k;
    tick(&k, body);
    kit_failed(&k, text);
    kit_close(&k);
}

/* ---- S3: no single step of Lua may take long ------------------------------------------------- */
TEST(s3_texts_have_a_bound) {
    raises("local s = ('x'):rep(1 << 20) while true do s = s .. s end", "at most 2 MiB");
    raises("local t = {} for i = 1, 300 do t[i] = ('x'):rep(10000) end table.concat(t)",
           "at most 2 MiB");
    raises("('x'):rep(1 << 20):gsub('x', 'yyy')", "at most 2 MiB");
    says("local s = ('x'):rep((2 << 20) - 100)\n"
         "out(select(2, pcall(function() return s .. s end)))\n"
         "out(#s)",
         "not enough memory\n2097052\n");
}

/* Lua's own collection at the limit of memory goes through everything in one piece. With garbage
 * enough the script lives on, without it is stopped; in both cases in small steps. */
TEST(s3_the_limit_of_memory_is_no_long_collection) {
    kit k;
    kit_open(&k);
    k.env.memory_max = 4 << 20;
    k.env.callback_budget_ns = 20 * HG_NS_PER_S;
    kit_load(&k, "function S:on_tick() for i = 1, 300000 do local t = { i } end end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_running(&k); /* 20 MiB of garbage in one callback */
    CHECK_EQ(k.script->memory.refused, 0);
    kit_close(&k);
    kit_open(&k);
    k.env.memory_max = 4 << 20;
    k.env.callback_budget_ns = 20 * HG_NS_PER_S;
    kit_load(&k, "local t = {} function S:on_tick() while true do t[#t + 1] = { 1 } end end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_failed(&k, "out of memory: the limit of a strategy is 4 MiB");
    CHECK_EQ(k.script->memory.refused, 0);
    CHECK(k.script->memory.peak < (5 << 20));
    kit_close(&k);
    kit_open(&k); /* it cannot be swallowed, either */
    k.env.memory_max = 4 << 20;
    k.env.callback_budget_ns = 20 * HG_NS_PER_S;
    kit_load(&k, "local t = {} function S:on_tick() while true do pcall(function()\n"
                 "  while true do t[#t + 1] = { 1 } end end) end end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_failed(&k, "out of memory: the limit of a strategy is 4 MiB");
    kit_close(&k);
}

/* ---- S4: what hangs all the same ------------------------------------------------------------- */
static int l_hang(lua_State *L) {
    (void)L;
    for (volatile unsigned n = 0; n < 2; n = 0) continue;
    return 0;
}

static void hang(void) {
    kit k;
    kit_open(&k);
    hg_watchdog_hang_ns = 50 * HG_NS_PER_MS;
    kit_load(&k, "function S:on_tick() tostring(1) pcall(rawequal, 1, 2) end");
    /* As if a function of the library had a fault. */
    lua_State *L = k.script->lua;
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushliteral(L, "rawequal");
    lua_pushcfunction(L, l_hang);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    kit_quote(&k, PERP, 63990, 64010);
    kit_close(&k);
}

TEST(s4_a_hang_in_c_ends_the_process) {
    CHECK_ABORTS(hang());
}

/* Lua leaves a pcall in time proportional to the depth below it. */
TEST(s2_pcalls_cannot_be_nested_without_end) {
    raises(
        "local function g(n) local ok, why = pcall(g, n + 1) if not ok then error(why, 0) end end\n"
        "g(1)",
        "stack overflow");
    raises("local function g(n) local ok, why = xpcall(g, tostring, n + 1)\n"
           "if not ok then error(why, 0) end end g(1)",
           "stack overflow");
    says("local function g(n) if n > 0 then return g(n - 1) end return pcall(tostring, 7) end\n"
         "out(g(900))",
         "true 7\n");
}

/* One step of Lua that takes minutes: the script is stopped in its middle, the host lives on. */
static void given_up_after(int64_t budget_ms, const char *body) {
    kit k;
    kit_open(&k);
    k.env.callback_budget_ns = budget_ms * HG_NS_PER_MS;
    hg_watchdog_hang_ns = 200 * HG_NS_PER_MS;
    char source[1024];
    snprintf(source, sizeof source, "local u = {}\nfunction S:on_tick() %s\nend", body);
    kit_load(&k, source);
    kit_leaks(true);
    kit_quote(&k, PERP, 63990, 64010);
    kit_leaks(false);
    kit_failed(&k, "inside one step of Lua");
    CHECK(k.script->lua == NULL);
    CHECK_EQ(hg_script_resume(k.script), HG_ESTATE);
    CHECK(strstr(hg_error_text(), "its state is lost") != NULL);
    CHECK_EQ(hg_script_set(k.script, "band=1"), HG_ESTATE);
    hg_carry carry = {0};
    CHECK_EQ(hg_script_carry(k.script, &carry), 0);
    CHECK(carry.data == NULL);
    kit_quote(&k, PERP, 63980, 64000);
    hg_script_idle(k.script);
    kit_close(&k);
}

static void given_up(const char *body) {
    given_up_after(20, body);
}

#define COLLIDING "for i = 1, 65537 do t[i * 131071] = true end"

TEST(s4_tables_whose_keys_collide) {
    given_up("local t = {} " COLLIDING);
    given_up("pcall(function() local t = {} " COLLIDING " end) u.x = 1");
    given_up("coroutine.wrap(function() local t = {} " COLLIDING " end)()");
    given_up("table.sort({1, 2}, function() local t = {} " COLLIDING " end)");
    given_up("local t = {} for i = 1, 65537 do rawset(t, i * 131071, true) end");
    given_up("local x <close> = setmetatable({}, { __close = function() u.x = 1 end })\n"
             "local t = {} " COLLIDING);
}

TEST(s4_constants_that_collide) {
    given_up_after(300, "for i = 1, 65600 do u[i] = i * 131071 end\n"
                        "load('return {' .. table.concat(u, ',') .. '}')");
}

/* Each round shifts the arguments of the one before. */
TEST(s4_a_call_that_calls_itself) {
    kit k;
    kit_open(&k);
    kit_load(&k, "function S:on_tick() local t = setmetatable({}, {})\n"
                 "getmetatable(t).__call = t t() end");
    kit_quote(&k, PERP, 63990, 64010);
    kit_failed(&k, "CPU time (its budget)");
    CHECK(k.script->lua != NULL);
    kit_close(&k);
}

/* ---- S5, S7 ---------------------------------------------------------------------------------- */
TEST(s5_coroutines_that_are_kept_count_as_memory) {
    raises("local t = {} while true do t[#t + 1] = coroutine.create(print) end", "out of memory");
}

TEST(s7_state_has_a_depth) {
    kit k;
    tick(&k, "local t = S.state for i = 1, 100000 do t.t = {} t = t.t end");
    kit_running(&k);
    hg_carry carry = {0};
    CHECK_EQ(hg_script_carry(k.script, &carry), HG_ESTRATEGY);
    CHECK(strstr(hg_error_text(), "deeper than 64") != NULL);
    hg_carry_fini(&carry);
    kit_close(&k);
}

/* ---- S8: a changed byte of bytecode crashes stock Lua ---------------------------------------- */
typedef struct bytes {
    unsigned char data[4096];
    size_t size;
} bytes;

static int l_keep(lua_State *L, const void *piece, size_t size, void *context) {
    bytes *b = context;
    (void)L;
    if (b->size + size > sizeof b->data) return 1;
    memcpy(b->data + b->size, piece, size);
    b->size += size;
    return 0;
}

static void compile(bytes *b) {
    lua_State *L = luaL_newstate();
    CHECK(L != NULL);
    CHECK_EQ(luaL_loadstring(L, "local t = {} for i = 1, 10 do t[i] = function() return t, i end "
                                "end return t[3]()"),
             LUA_OK);
    b->size = 0;
    CHECK_EQ(lua_dump(L, l_keep, b, 0), 0);
    lua_close(L);
}

static int l_try_all(lua_State *L) {
    const bytes *b = lua_touserdata(L, 1);
    for (size_t at = 0; at <= b->size; at++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes copy = *b;
            if (at < b->size) copy.data[at] ^= (unsigned char)(1 << bit);
            if (at == 0) continue; /* without its first byte it is a text */
            lua_getglobal(L, "load");
            lua_pushlstring(L, (const char *)copy.data, copy.size);
            lua_call(L, 1, 2);
            const char *message = lua_tostring(L, -1);
            if (lua_type(L, -2) != LUA_TNIL || !strstr(message, "attempt to load a binary chunk")) {
                return luaL_error(L, "byte %d: %s", (int)at, message);
            }
            lua_settop(L, 1);
        }
    }
    return 0;
}

TEST(s8_every_changed_byte_of_bytecode_is_refused) {
    static bytes b;
    kit k;
    compile(&b);
    CHECK(b.size > 150);
    tick(&k, "");
    CHECK_EQ(hg_lua_protect(k.script, l_try_all, &b, "bytecode", 0), 0);
    /* As a file and as a module, too. */
    char path[512];
    snprintf(path, sizeof path, "%s", test_tmp("code.lua"));
    for (size_t at = 1; at < b.size; at += 7) {
        bytes copy = b;
        hg_script *s = NULL;
        copy.data[at] ^= 1;
        FILE *f = fopen(path, "wb");
        CHECK(f && fwrite(copy.data, 1, copy.size, f) == copy.size);
        fclose(f);
        CHECK_EQ(hg_script_open(&k.env, path, 0, NULL, 0, &s), HG_ESTRATEGY);
        CHECK(strstr(hg_error_text(), "compiled Lua is not taken") != NULL);
    }
    kit_close(&k);
}

/* ---- S10: nothing of the host can be changed from inside ------------------------------------- */
TEST(s10_poison_does_not_reach_the_host) {
    says("for _, f in ipairs { 'find', 'format', 'rep', 'gsub' } do\n"
         "  out(tostring(pcall(function() string[f] = error end)))\n"
         "  out(tostring(pcall(rawset, string, f, error)))\n"
         "end\n"
         "out(tostring(pcall(function() getmetatable('').__index = { find = error } end)))\n"
         "out(tostring(pcall(function() t.bid = 1 end)))\n"
         "out(tostring(pcall(setmetatable, t, {})))\n"
         "out(tostring(getmetatable(t)))\n"
         "out(('%d %s'):format(3, ('ab'):rep(2)))",
         "false\nfalse\nfalse\nfalse\nfalse\nfalse\nfalse\nfalse\nfalse\nfalse\nfalse\nfalse\n"
         "3 abab\n");
}

/* ---- S13: back into the API from where it calls ---------------------------------------------- */
/* An order sent while an answer is being told: its own answer comes after the callback, one level
 * deep, and a script that answers every answer with an order is stopped by the gate, not the stack.
 */
TEST(s13_orders_sent_inside_callbacks_are_answered_afterwards) {
    kit k;
    kit_open(&k);
    kit_index(&k, 64000);
    kit_load(&k, ORDERS "local depth, deepest, sent, busy = 0, 0, 0, false\n"
                        "local function act(why)\n"
                        "  depth = depth + 1 deepest = math.max(deepest, depth)\n"
                        "  if sent < 40 then sent = sent + 1\n"
                        "    orders.buy { instrument = '" PERP
                        "', size = 10 + sent * 10, price = 63000 }\n"
                        "    if #orders.open() > 3 then orders.open()[1]:cancel() end\n"
                        "  elseif why == 'end' then out('deepest %d sent %d', deepest, sent) end\n"
                        "  depth = depth - 1\n"
                        "end\n"
                        "function S:on_order(o) act('order') end\n"
                        "function S:on_fill(f) act('fill') end\n"
                        "function S:on_risk(e) act('risk') end\n"
                        "function S:on_tick(t) act(sent < 40 and 'tick' or 'end') end\n");
    kit_quote(&k, PERP, 63990, 64010);
    kit_settle(&k, k.now_ns + 10 * HG_NS_PER_S);
    kit_quote(&k, PERP, 63991, 64010);
    kit_running(&k);
    CHECK_STR(k.log, "deepest 1 sent 40\n");
    kit_close(&k);
}

TEST(s13_waiting_where_c_waits_is_refused) {
    static const char *const places[] = {
        "table.sort({ 3, 2, 1 }, function(a, b) hedged.sleep(1) return a < b end)",
        "('x'):gsub('x', function() hedged.sleep(1) end)",
        "local x = setmetatable({}, { __index = function() hedged.sleep(1) end }).y",
        "local x <close> = setmetatable({}, { __close = function() hedged.sleep(1) end })\n"
        "error('leave')",
        "for w in ('a b'):gmatch('%a') do table.sort({ 2, 1 }, function() coroutine.yield() end) "
        "end",
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        kit k;
        tick(&k, places[i]);
        kit_settle(&k, k.now_ns + 10 * HG_NS_PER_S);
        bool failed = hg_script_status(k.script) == HG_SCRIPT_FAILED;
        /* A metamethod of Lua code can wait (5.4); what C called cannot, and says so. */
        bool waits = i == 2 || i == 3;
        if (!waits && (!failed || !(strstr(hg_script_error(k.script), "cannot wait here") ||
                                    strstr(hg_script_error(k.script), "coroutine.yield")))) {
            hg_test_fail(__FILE__, __LINE__, "%s: %s", places[i], hg_script_error(k.script));
        }
        kit_close(&k);
    }
}

/* ---- S14: a storm of orders ------------------------------------------------------------------ */
TEST(s14_a_storm_of_orders_meets_the_gate) {
    kit k;
    kit_open(&k);
    hg_exec_free(k.exec);
    hg_exec_options exec = {.order_capacity = 65536};
    hg_limits_default(&exec.limits);
    exec.limits.orders_per_second = exec.limits.strategy_orders_per_second = 100;
    k.exec = hg_exec_new(k.market, k.portfolio, k.venue, &exec);
    k.env.exec = k.exec;
    k.env.callback_budget_ns = 20 * HG_NS_PER_S;
    kit_index(&k, 64000);
    kit_load(&k, ORDERS "function S:on_tick()\n"
                        "  local codes = {}\n"
                        "  for i = 1, 20000 do\n"
                        "    local o, m, c = orders.buy { instrument = '" PERP
                        "', size = 10 + i % 100 * 10, price = 63000 - i % 50 }\n"
                        "    if c then codes[c] = (codes[c] or 0) + 1 end\n"
                        "  end\n"
                        "  out('%s', codes.rate >= 9000)\n"
                        "end");
    kit_quote(&k, PERP, 63990, 64010);
    CHECK(strstr(k.log, "true") != NULL);
    CHECK(hg_exec_stats_get(k.exec)->orders <= 400); /* then it is paused by the gate */
    uint64_t orders = hg_exec_stats_get(k.exec)->orders;
    k.now_ns += 10 * HG_NS_PER_S;
    kit_quote(&k, PERP, 63991, 64010);
    CHECK_EQ(hg_exec_stats_get(k.exec)->orders, orders);
    kit_close(&k);
}

/* ---- S15: what is not a size or a price ------------------------------------------------------ */
TEST(s15_no_bad_number_reaches_the_gate) {
    static const char *const bad[] = {
        "0/0",    "-(0/0)",
        "1/0",    "-1/0",
        "1e308",  "-1e308",
        "5e-324", "math.maxinteger",
        "2^63",   "2^53+1",
        "-0.0",   "'10'",
        "'nan'",  "{}",
        "true",   "print",
        "t",      "S",
        "1e-9",   "-10",
        "0",      "math.mininteger",
        "1e19",
    };
    static const char *const forms[] = {
        "orders.buy('" PERP "', %s)",
        "orders.sell('" PERP "', %s, { price = 63000 })",
        "orders.buy { instrument = '" PERP "', size = %s, price = 63000 }",
        "orders.buy { instrument = '" PERP "', size = 10, price = %s }",
        "orders.buy { instrument = '" PERP "', size = 10, type = 'stop', trigger_price = %s }",
        "orders.buy { instrument = '" PERP "', size = 10, price = 63000, expires = %s }",
        "orders.buy { instrument = '" PERP "', size = 10, price = 63000, valid_until = %s }",
        "hedged.trade { instrument = '" PERP "', delta = %s }",
        "kept:amend { price = %s }",
        "kept:amend { size = %s }",
        "hedged.after(%s, print)",
        "hedged.every(%s, print)",
        "hedged.sleep(%s)",
        "kept:await(%s)",
    };
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        bool about_orders = f < 10;
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
            bool fine = (f == 4 && strcmp(bad[b], "1e-9") == 0) ||
                        (f == 7 && strcmp(bad[b], "-10") == 0);
            if (fine) continue; /* strange, but a price, and a trade */
            kit k;
            char call[512];
            char body[2048];
            snprintf(call, sizeof call, forms[f], bad[b]);
            snprintf(body, sizeof body,
                     "local kept = orders.buy { instrument = '" PERP
                     "', size = 10, price = 63000 }\n"
                     "local ok, o, m, c = pcall(function() return %s end)\n"
                     "out(ok and (o and 'sent' or c) or 'raised')",
                     call);
            tick(&k, body);
            kit_settle(&k, k.now_ns + HG_NS_PER_S);
            CHECK_EQ(hg_script_status(k.script), HG_SCRIPT_RUNNING);
            if (about_orders) {
                uint64_t orders = hg_exec_stats_get(k.exec)->orders;
                const hg_order *kept = hg_exec_open_next(k.exec, 0, 0);
                bool untouched = orders == 1 && kept && kept->size == 1 && kept->filled == 0;
                if (!untouched || strstr(k.log, "sent")) {
                    hg_test_fail(__FILE__, __LINE__, "%s: %s", call, k.log);
                }
            }
            kit_close(&k);
        }
    }
}
