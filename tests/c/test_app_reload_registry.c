/* What a strategy leaves in the registry of its Lua state: as much after a thousand reloads as
 * after the first, and as much after a day of timers and waiting tasks as after a minute. */
#include "script/script_int.h"
#include "test_app_reload_kit.h"

static size_t registry_entries(const hg_script *s) {
    lua_State *L = s->lua;
    size_t count = 0;
    lua_pushvalue(L, LUA_REGISTRYINDEX);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) count++;
    lua_pop(L, 1);
    return count;
}

#define WAITER                                                                                     \
    "function S:on_start() self.state.rows = self.state.rows or { 1, 2, { 3 } }\n"                 \
    "  hedged.every(5, 'beat') hedged.every(7, function() end) end\n"                              \
    "function S:on_timer() end\n"                                                                  \
    "function S:on_tick(t) self.n = (self.n or 0) + 1\n"                                           \
    "  if self.n % 10 == 0 then hedged.after(1, function() end) end\n"                             \
    "  if self.n % 15 == 0 then hedged.spawn(function() hedged.sleep(2) end) end\n"                \
    "  if self.n % 25 == 0 then orders.buy('BTC-PERPETUAL', 10):await(1) end\n"                    \
    "end\n"

/* In a state as it was swapped in, before it hears an event. */
static void reload_once(rig *r, int number) {
    char body[2048];
    snprintf(body, sizeof body, "-- %d\n%s", number, WAITER);
    rig_try(r, body);
    rig_running(r);
}

TEST_WITHIN(registry_and_memory_are_the_same_after_1000_reloads, 300) {
    rig r;
    rig_one(&r, WAITER);
    rig_feed(&r, 200, true);
    size_t entries = 0, most = 0;
    size_t memory = 0, memory_most = 0;
    for (int i = 1; i <= 1000; i++) {
        reload_once(&r, 1000 + i);
        size_t now = registry_entries(rig_script(&r));
        hg_script_stats stats;
        hg_script_stats_get(rig_script(&r), &stats);
        entries = i == 1 ? now : entries;
        memory = i == 1 ? stats.memory : memory;
        most = now > most ? now : most;
        memory_most = stats.memory > memory_most ? stats.memory : memory_most;
    }
    CHECK_EQ(r.swapped, 1000);
    printf("note: %zu entries, %zu KiB; at most %zu entries, %zu KiB\n", entries, memory / 1024,
           most, memory_most / 1024);
    CHECK(entries > 10);
    CHECK(most <= entries + 8); /* a timer or a task more or less was pending */
    CHECK(memory_most < memory + memory / 4);
    rig_close(&r);
}

/* luaL_ref hands out places again, so a registry that grows has lost some. */
TEST(registry_does_not_grow_while_a_strategy_runs) {
    rig r;
    rig_one(&r, WAITER);
    rig_feed(&r, 3000, true);
    size_t early = registry_entries(rig_script(&r));
    rig_feed(&r, 20000, true);
    size_t late = registry_entries(rig_script(&r));
    rig_running(&r);
    printf("note: %zu entries, then %zu\n", early, late);
    CHECK(late <= early + 16); /* at one moment more of it waits than at another */
    rig_close(&r);
}
