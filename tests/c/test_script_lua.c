/* The sandbox's own library functions: equal to the stock ones where they should be, deterministic
 * where the stock ones are not. */
#include "test_script_kit.h"

#include <lauxlib.h>
#include <lualib.h>

/* Runs `text` (which calls emit(s)) in stock Lua and in the sandbox and compares what it says. */
static char stock_said[1 << 20];

static int emit_stock(lua_State *L) {
    size_t used = strlen(stock_said);
    snprintf(stock_said + used, sizeof stock_said - used, "%s\n", luaL_checkstring(L, 1));
    return 0;
}

static void run_stock(const char *text) {
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_pushcfunction(L, emit_stock);
    lua_setglobal(L, "emit");
    stock_said[0] = '\0';
    if (luaL_dostring(L, text) != LUA_OK) {
        hg_test_fail(__FILE__, __LINE__, "stock: %s", lua_tostring(L, -1));
    }
    lua_close(L);
}

static char sandbox_said[1 << 20];

static void emit_sandbox(void *context, const char *strategy, hg_log_level level,
                         const char *text) {
    (void)context;
    (void)strategy;
    (void)level;
    size_t used = strlen(sandbox_said);
    snprintf(sandbox_said + used, sizeof sandbox_said - used, "%s\n", text);
}

/* Reports the first line that differs. */
static void same_lines(const char *got, const char *wanted) {
    size_t same = 0;
    while (got[same] && got[same] == wanted[same]) same++;
    if (got[same] == wanted[same]) return;
    while (same > 0 && got[same - 1] != '\n') same--;
    hg_test_fail(__FILE__, __LINE__, "sandbox: %.*s, stock: %.*s", (int)strcspn(got + same, "\n"),
                 got + same, (int)strcspn(wanted + same, "\n"), wanted + same);
}

static void agrees(const char *text) {
    static char source[16384];
    kit k;
    run_stock(text);
    kit_open(&k);
    k.env.log = emit_sandbox;
    k.env.load_budget_ns = 20 * HG_NS_PER_S;
    sandbox_said[0] = '\0';
    /* one line of log: their number is limited */
    snprintf(
        source, sizeof source,
        "local said = {}\n"
        "local function emit(s) said[#said + 1] = s end\n%s\nprint(table.concat(said, '\\n'))\n"
        "return require('hedged').strategy { api = 1 }",
        text);
    if (kit_try(&k, source, NULL, 0) < 0) {
        hg_test_fail(__FILE__, __LINE__, "sandbox: %s", hg_error_text());
    }
    CHECK(strlen(stock_said) > 0);
    same_lines(sandbox_said, stock_said);
    kit_close(&k);
}

#define SHOW                                                                                       \
    "local function show(...)\n"                                                                   \
    "  local t = table.pack(...)\n"                                                                \
    "  for i = 1, t.n do t[i] = tostring(t[i]):gsub('^[^:]*:%d+: ', ''):gsub('%z', '0') end\n"     \
    "  return table.concat(t, '|', 1, t.n)\n"                                                      \
    "end\n"

TEST(patterns_agree_with_stock_lua) {
    agrees(
        SHOW
        "local all = {}\n"
        "for _, c in ipairs {\n"
        "  {'hello world', 'o w'}, {'hello', 'l+'}, {'hello', '(l)(.)'}, {'a.b', '.', true},\n"
        "  {'x = 10', '(%w+)%s*=%s*(%d+)'}, {'  trim  ', '^%s*(.-)%s*$'},\n"
        "  {'THE (q) f', '%((%a)%)'},\n"
        "  {'f(a(b)c)d', '%b()'}, {'THE (quick) fox', '%f[%a]%a+%f[%A]'}, {'abab', '(ab)%1'},\n"
        "  {'', ''}, {'abc', '()b()'}, {'a-b', '[a-]+'}, {'a]b', '[]]'}, {'a^b', '[%^]'},\n"
        "  {'key', '[^%s]*$'}, {'0x1F', '%x+'}, {'\\0a\\0', '%z'}, {'\\0a', '[%z]'},\n"
        "  {'ab', 'a$b'},\n"
        "  {'a$', '%$'}, {'aaa', 'a-$'}, {'aXb', '%u'}, {'x', '%'}, {'x', '[a'}, {'x', '(x'},\n"
        "  {'x', 'x)'}, {'x', '%1'}, {'x', '%f'}, {'x', '%b'}, {'x', '[%'}, {'x', '[]'},\n"
        "  {'x', '[^]'},\n"
        "  {'abc', 'b', 2}, {'abc', 'b', 3}, {'abc', 'b', -2}, {'abc', '', 10}, {'abc', '', 4},\n"
        "  {'a\\nb', '.+'}, {'caf\\xc3\\xa9', '[\\xc3-\\xff]+'}, {'][', '[%]%[]+'},\n"
        "  {'--', '[+--]+'},\n"
        "} do\n"
        "  for _, f in ipairs { 'find', 'match' } do\n"
        "    emit(show(f, pcall(string[f], table.unpack(c))))\n"
        "  end\n"
        "  if type(c[3]) ~= 'boolean' then\n"
        "    emit(show('gsub', pcall(string.gsub, c[1], c[2], '<%0>')))\n"
        "    emit(show('each', pcall(function() local r = {}\n"
        "      for a, b in string.gmatch(c[1], c[2]) do r[#r + 1] = show(a, b) end\n"
        "      return table.concat(r, ';') end)))\n"
        "  end\n"
        "end\n");
}

TEST(replacements_agree_with_stock_lua) {
    agrees(SHOW "emit(show(('abc'):gsub('%w', '%0%0')))\n"
                "emit(show(('abc'):gsub('', '-')))\n"
                "emit(show(('hello world'):gsub('(%w+) (%w+)', '%2 %1')))\n"
                "emit(show(('$name is $age'):gsub('%$(%w+)', { name = 'Ann', age = 5 })))\n"
                "emit(show(('$x'):gsub('%$(%w+)', {})))\n"
                "emit(show(('abc'):gsub('b', function(c) return c:upper() end)))\n"
                "emit(show(('abc'):gsub('b', function() return false end)))\n"
                "emit(show(('abc'):gsub('()', '%1')))\n"
                "emit(show(('aaa'):gsub('a', 'b', 2)))\n"
                "emit(show(('aaa'):gsub('^a', 'b')))\n"
                "emit(show(pcall(string.gsub, 'a', 'a', '%2')))\n"
                "emit(show(pcall(string.gsub, 'a', 'a', '%')))\n"
                "emit(show(pcall(string.gsub, 'a', 'a', function() return {} end)))\n"
                "emit(show(('abc'):gsub('b', 12)))\n");
}

TEST(random_patterns_agree_with_stock_lua) {
    agrees(SHOW
           "local seed = 12345\n"
           "local function pick(list)\n"
           "  seed = (seed * 1103515245 + 12345) % 2147483648\n"
           "  return list[seed // 65536 % #list + 1]\n"
           "end\n"
           "local items = { 'a', 'b', '.', '%a', '%d', '[ab]', '[^a]', '(', ')', '()', '%1', '$',\n"
           "  '^', '%bab', '%f[a]', '%w', '[%d1-3]', '%.', ']' }\n"
           "local ends = { '', '', '', '*', '+', '-', '?' }\n"
           "local letters = { 'a', 'b', '1', '2', ' ', '.', 'A' }\n"
           "for i = 1, 3000 do\n"
           "  local p, s = {}, {}\n"
           "  for k = 1, 1 + i % 5 do p[k] = pick(items) .. pick(ends) end\n"
           "  for k = 1, i % 9 do s[k] = pick(letters) end\n"
           "  local pat, sub = table.concat(p), table.concat(s)\n"
           "  emit(show(pat, sub, pcall(string.find, sub, pat)))\n"
           "  emit(show(pcall(string.gsub, sub, pat, '[%0]')))\n"
           "end\n");
}

TEST(table_and_string_functions_agree_with_stock_lua) {
    agrees(
        SHOW
        "local t = { 5, 2, 8, 1 } table.sort(t) emit(table.concat(t, ','))\n"
        "table.sort(t, function(a, b) return a > b end) emit(table.concat(t, ',', 2, 3))\n"
        "table.insert(t, 9) table.insert(t, 1, 0) emit(show(table.unpack(t)))\n"
        "emit(show(table.remove(t), table.remove(t, 1), #t))\n"
        "emit(show(table.unpack(table.move({ 1, 2, 3 }, 2, 3, 1))))\n"
        "emit(show(('ab'):rep(3, '-'), ('x'):rep(0), ('x'):rep(-1)))\n"
        "emit(('%5.2f|%d|%s|%q|%x|%%|%-5s|%c'):format(3.14159, 42, 'x', 'a\\nb', 255, 'l', 65))\n"
        "emit(show(pcall(string.format, '%d', 1.5)))\n"
        "emit(show(xpcall(function(a) return a, 2 end, print, 1)))\n"
        "emit(show(xpcall(function() error('x', 0) end, function(e) return e .. '!' end)))\n"
        "emit(show(pcall(error, 'plain', 0)))\n"
        "emit(show(select('#', xpcall(error, function(...) return ... end, nil))))\n"
        "local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end)\n"
        "emit(show(co(1), co(5), pcall(co)))\n"
        "local c = coroutine.create(function() error('bad') end)\n"
        "emit(show(coroutine.resume(c))) emit(show(coroutine.status(c), coroutine.resume(c)))\n"
        "emit(show(load('return 1 + 1')(), load('x =')))\n"
        "emit(show(load('return a', 'n', 't', { a = 7 })()))\n"
        "emit(show(math.max(1, 2), math.type(1), math.floor(2.5), utf8.len('\\u{e9}')))\n"
        "emit(show(next({}), rawlen { 1, 2 }, rawequal(t, t), tostring(nil)))\n");
}

/* Beyond a few thousand elements these are our own loops. */
TEST(long_tables_are_moved_as_stock_lua_moves_them) {
    agrees(
        SHOW
        "local N = 10000\n"
        "local function make() local t = {} for i = 1, N do t[i] = i * 7 % 1009 end\n"
        "  return t end\n"
        "local function sum(t) local s = 0 for i = -5, 2 * N + 9 do\n"
        "  s = (s * 31 + (t[i] or 3)) % 1000003 end return s .. ' ' .. #t end\n"
        "local t = make()\n"
        "for _, at in ipairs { 1, 2, 5000, N, N + 1 } do\n"
        "  at = math.min(at, #t + 1) table.insert(t, at, -at) emit(sum(t))\n"
        "  emit(show(table.remove(t, at))) emit(sum(t))\n"
        "  emit(show(table.remove(t, at), table.remove(t, 1), table.remove(t)))\n"
        "  emit(sum(t)) end\n"
        "emit(show(pcall(table.insert, t, 0, 1))) emit(show(pcall(table.insert, t, N + 9, 1)))\n"
        "emit(show(pcall(table.insert, t, 1.5, 1))) emit(show(pcall(table.remove, t, -1)))\n"
        "emit(show(pcall(table.insert, t, 1, 2, 3))) emit(show(pcall(table.insert, t)))\n"
        "for _, m in ipairs { { 1, N, 2 }, { 2, N, 1 }, { 1, N, 1 }, { 1, N, N }, { 1, N, -3 },\n"
        "    { 1, N, N + 1 }, { -4, N, 3 }, { 3000, 9000, 3001 } } do\n"
        "  local a, b = make(), make()\n"
        "  emit(tostring(table.move(a, m[1], m[2], m[3]) == a)) emit(sum(a))\n"
        "  table.move(a, m[1], m[2], m[3], b) emit(sum(b)) end\n"
        "emit(show(pcall(table.move, t, 1, 9000, math.maxinteger)))\n");
}

static void says(const char *body, const char *expected) {
    kit k;
    kit_open(&k);
    char source[4096];
    snprintf(source, sizeof source, "function S:on_tick()\n%s\nend", body);
    kit_load(&k, source);
    kit_quote(&k, PERP, 63990, 64010);
    kit_running(&k);
    CHECK_STR(k.log, expected);
    kit_close(&k);
}

TEST(pairs_goes_through_numbers_then_strings) {
    says("local t = { b = 1, a = 2, [3] = 3, [1] = 4, [2.5] = 5, [-1] = 6, ab = 7, [true] = 8,\n"
         "  [false] = 9 }\n"
         "local r = {} for k, v in pairs(t) do r[#r + 1] = tostring(k) .. '=' .. v end\n"
         "out(table.concat(r, ' '))",
         "-1=6 1=4 2.5=5 3=3 a=2 ab=7 b=1 false=9 true=8\n");
    says("local t = { 10, 20, 30 } for k, v in pairs(t) do out('%s %s', k, v) t[k] = nil end\n"
         "out(next(t) == nil)",
         "1 10\n2 20\n3 30\ntrue\n");
    says("local t = { x = 1, y = 2, z = 3 }\n"
         "for k in pairs(t) do t.y = nil out(k) end\n"
         "out('%s=%s', next({ q = 1, c = 2, [5] = 3 }))\n"
         "local k = nil repeat k = next({ q = 1, c = 2, [5] = 3 }, k) out(k) until not k",
         "x\nz\n5=3\n5\nc\nq\nnil\n");
    says("local t, last = {}, -1 for i = 1, 5000 do t[(i * 7919) % 5003 + 0.5] = i end\n"
         "local n = 0 for k in pairs(t) do assert(k > last) last = k n = n + 1 end out(n)\n"
         "local f = function() end t = { [f] = 1, [out] = 2, x = 3 }\n"
         "local r = {} for k, v in pairs(t) do r[v] = k end\n"
         "out(r[1] == f and r[2] == out and r[3] == 'x')\n"
         "local k, count = nil, 0 repeat k = next(t, k) count = count + 1 until k == nil\n"
         "out(count)",
         "5000\ntrue\n4\n");
    says("local m = setmetatable({}, { __pairs = function() return next, { a = 1 } end })\n"
         "for k in pairs(m) do out(k) end\n"
         "for k in pairs(hedged.risk) do out(k) break end",
         "a\nopen_orders\n");
}

TEST(random_numbers_come_from_the_seed) {
    char first[4096];
    for (int run = 0; run < 3; run++) {
        kit k;
        kit_open(&k);
        if (run == 2) k.env.seed = 8;
        kit_load(&k, "for i = 1, 5 do out('%d %.6f', math.random(1000), math.random()) end\n"
                     "out(math.random(5, 5))");
        if (run == 0) memcpy(first, k.log, sizeof first);
        if (run == 1) CHECK_STR(k.log, first);
        if (run == 2) CHECK(strcmp(k.log, first) != 0);
        kit_close(&k);
    }
}
