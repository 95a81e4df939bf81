/* Hot reload of several strategies in one session, and the orders a rehearsal begins with. */
#include "app/reload_int.h"
#include "test_app_reload_kit.h"

/* ---- several strategies ---------------------------------------------------------------------- */
static void two(rig *r, const char *first, const char *second) {
    static const char *const names[] = {"a.lua", "b.lua"};
    rig_init(r);
    rig_body(r, "a.lua", first);
    rig_body(r, "b.lua", second);
    rig_open(r, 2, names);
    rig_feed(r, 20000, true);
}

/* As notices of the file system do: each strategy whose files say something else is wanted. */
static void saved(rig *r) {
    for (size_t i = 0; i < 2; i++) {
        if (!hg_code_is_on_disk(r->s.reload->slots[i].tried)) {
            hg_reload_want(r->s.reload, i, "saved", false);
        }
    }
}

TEST(both_files_saved_at_once) {
    rig r;
    two(&r, TRADER, "-- b\n" TRADER);
    const hg_script *a = r.s.core.scripts[0];
    const hg_script *b = r.s.core.scripts[1];
    rig_body(&r, "a.lua", "-- new a\n" TRADER);
    rig_body(&r, "b.lua", "-- new b\n" TRADER);
    saved(&r);
    rig_work(&r);
    rig_feed(&r, 300, true);
    CHECK_EQ(r.swapped, 2);
    CHECK(r.s.core.scripts[0] != a && r.s.core.scripts[1] != b);
    CHECK_STR(hg_script_name(r.s.core.scripts[0]), "a");
    CHECK_STR(hg_script_name(r.s.core.scripts[1]), "b");
    while (r.confirmed < 2) rig_feed(&r, 100, true);
    CHECK_EQ(hg_core_running(&r.s.core), 2);
    CHECK_EQ(r.refused + r.rolled_back, 0);
    rig_close(&r);
}

TEST(one_of_two_saved_together_is_broken) {
    rig r;
    two(&r, TRADER, "-- b\n" TRADER);
    const hg_script *a = r.s.core.scripts[0];
    const hg_script *b = r.s.core.scripts[1];
    rig_body(&r, "a.lua", "while true do end");
    rig_body(&r, "b.lua", "-- new b\n" TRADER);
    saved(&r);
    rig_work(&r);
    rig_feed(&r, 300, true);
    CHECK_EQ(r.swapped, 1);
    CHECK_EQ(r.refused, 1);
    CHECK(r.s.core.scripts[0] == a && r.s.core.scripts[1] != b);
    CHECK_EQ(hg_core_running(&r.s.core), 2);
    rig_close(&r);
}

TEST(a_shared_module_reloads_both) {
    rig r;
    static const char *const names[] = {"a.lua", "b.lua"};
    rig_init(&r);
    rig_save(&r, "shared.lua", "return { step = 1 }\n");
    rig_body(&r, "a.lua", "local shared = require 'shared'\n" TRADER);
    rig_body(&r, "b.lua", "local shared = require 'shared' -- b\n" TRADER);
    rig_open(&r, 2, names);
    rig_feed(&r, 20000, true);
    uint64_t a = hg_script_hash(r.s.core.scripts[0]);
    uint64_t b = hg_script_hash(r.s.core.scripts[1]);
    rig_save(&r, "shared.lua", "return { step = 2 }\n");
    saved(&r);
    rig_work(&r);
    rig_feed(&r, 300, true);
    CHECK_EQ(r.swapped, 2);
    CHECK(hg_script_hash(r.s.core.scripts[0]) != a && hg_script_hash(r.s.core.scripts[1]) != b);
    /* Broken, it stops neither. */
    rig_save(&r, "shared.lua", "return { step = }\n");
    saved(&r);
    rig_work(&r);
    CHECK_EQ(r.refused, 2);
    CHECK_EQ(hg_core_running(&r.s.core), 2);
    saved(&r); /* the same content is not tried again */
    rig_work(&r);
    CHECK_EQ(r.refused, 2);
    rig_close(&r);
}

/* While one is on probation the other one is replaced, and then the first one is rolled back. */
TEST(a_reload_beside_a_probation) {
    rig r;
    char body[1024];
    two(&r, TRADER, "-- b\n" TRADER);
    const hg_script *a = r.s.core.scripts[0];
    rig_later(&r, body, sizeof body, "error('late')");
    rig_body(&r, "a.lua", body);
    rig_reload(&r, "a");
    CHECK_EQ(r.swapped, 1);
    CHECK(r.s.reload->slots[0].probation);
    rig_body(&r, "b.lua", "-- new b\n" TRADER);
    CHECK_EQ(hg_reload_request(r.s.reload, "b", "test"), 0);
    for (int k = 0; k < 5; k++) (void)hg_reload_poll(r.s.reload, true); /* b is being rehearsed */
    uint64_t wanted = 0;
    for (int i = 0; i < 100000 && !(r.rolled_back && r.swapped == 2); i++) rig_feed(&r, 1, true);
    CHECK_EQ(r.rolled_back, 1);
    CHECK_EQ(r.swapped, 2);
    CHECK(r.s.core.scripts[0] == a);
    CHECK_EQ(hg_core_running(&r.s.core), 2);
    wanted = hg_exec_stats_get(r.s.core.exec)->orders;
    while (r.confirmed < 1) rig_feed(&r, 100, true);
    CHECK(hg_exec_stats_get(r.s.core.exec)->orders > wanted);
    CHECK_EQ(r.refused, 0);
    rig_close(&r);
}

/* Orders of one are none of the other's, before and after. */
TEST(a_reload_of_one_leaves_the_orders_of_the_other) {
    rig r;
    static const char *const quiet =
        "function S:on_start(why) self.state.starts = (self.state.starts or 0) + 1\n"
        "  assert(#why.orders <= 1) end\n"
        "function S:on_tick(t)\n"
        "  if not self.state.sent and t.bid then self.state.sent = true\n"
        "    orders.buy('BTC-PERPETUAL', %d, { price = 80000 }) end\n"
        "end\n"
        "function S:on_order(o) assert(o.size == %d) end\n";
    char a[1024], b[1024];
    snprintf(a, sizeof a, quiet, 10, 10);
    snprintf(b, sizeof b, quiet, 20, 20);
    two(&r, a, b);
    size_t used = strlen(a);
    for (int i = 0; i < 20; i++) {
        snprintf(a + used, sizeof a - used, "-- %d\n", i);
        rig_body(&r, "a.lua", a);
        rig_reload(&r, "a");
        rig_feed(&r, 50, true);
    }
    CHECK_EQ(r.swapped, 20);
    CHECK_EQ(hg_core_running(&r.s.core), 2);
    CHECK_EQ(hg_exec_stats_get(r.s.core.exec)->orders, 2);
    const hg_order *mine = hg_exec_open_next(r.s.core.exec, 0, 0);
    const hg_order *other = hg_exec_open_next(r.s.core.exec, 1, 0);
    CHECK(mine && other && mine->size == 1 && other->size == 2);
    CHECK_EQ(mine->state, HG_ORDER_WORKING);
    CHECK_EQ(other->state, HG_ORDER_WORKING);
    rig_close(&r);
}

/* ---- the orders a rehearsal begins with ------------------------------------------------------ */
/* Says what became of an attempt's rehearsal. */
static void rehearses(rig *r, const char *body, const char *text) {
    rig_body(r, "s.lua", body);
    CHECK_EQ(hg_reload_request(r->s.reload, NULL, "test"), 0);
    r->step[0] = '\0';
    while (strcmp(r->step, "rehearsed") != 0 && hg_reload_poll(r->s.reload, true)) continue;
    rig_says(r, "rehearsed", text);
}

#define ONE_AT_A_TIME                                                                              \
    "function S:on_tick(t)\n"                                                                      \
    "  if t.bid and #orders.open() == 0 then\n"                                                    \
    "    self.state.order = orders.buy('BTC-PERPETUAL', 10, { price = 80000 })\n"                  \
    "  end\nend\n"

TEST(a_rehearsal_begins_with_the_working_orders) {
    rig r;
    rig_one(&r, ONE_AT_A_TIME);
    rig_feed(&r, 20000, true);
    const hg_order *o = hg_exec_open_next(r.s.core.exec, 0, 0);
    CHECK(o && o->created_ns < r.s.core.now_ns - 61 * HG_NS_PER_S); /* before the oldest event */
    /* The same code sends nothing new ... */
    rehearses(&r, "-- 2\n" ONE_AT_A_TIME, "would have sent no orders, as the running code");
    /* ... finds the order in its state and in why.orders, under its id ... */
    rehearses(&r,
              "function S:on_start(why)\n"
              "  assert(#why.orders == 1 and why.orders[1].id == self.state.order.id)\n"
              "  assert(self.state.order.state == 'working')\n"
              "  assert(self.state.order.limit == 80000 and self.state.order.remaining == 10)\n"
              "end\n" ONE_AT_A_TIME,
              "would have sent no orders, as the running code");
    /* ... and what cancels it sends another one, whose id is not that of any order so far. */
    rehearses(&r,
              "function S:on_tick(t)\n"
              "  if not self.done then self.done = true orders.cancel_all()\n"
              "    local o = orders.buy('BTC-PERPETUAL', 10, { price = 79000 })\n"
              "    assert(o.id > self.state.order.id + 1e6)\n"
              "  end\nend\n",
              "would have sent 1 order instead of 0");
    CHECK_EQ(o->state, HG_ORDER_WORKING); /* the session's own has not been touched */
    CHECK_EQ(hg_exec_stats_get(r.s.core.exec)->orders, 1);
    rig_close(&r);
}

/* An order that ended within the events kept was open at their beginning. */
TEST(a_rehearsal_sees_orders_that_have_ended_since) {
    rig r;
    rig_one(&r, ONE_AT_A_TIME);
    rig_feed(&r, 20000, true);
    CHECK_EQ(hg_exec_cancel_all(r.s.core.exec, 0, HG_ID_NONE, r.s.core.now_ns), 1);
    rig_feed(&r, 1000, true); /* and the running code has sent the next one */
    CHECK_EQ(hg_exec_stats_get(r.s.core.exec)->orders, 2);
    rehearses(&r,
              "function S:on_start(why) assert(#why.orders == 1, #why.orders)\n"
              "  assert(why.orders[1].state == 'working') end\n" ONE_AT_A_TIME,
              "would have sent 0 orders instead of 1");
    rig_close(&r);
}

/* Its fills within these events were still to come: they come again. */
TEST(a_rehearsal_fills_the_orders_it_began_with) {
    rig r;
    rig_one(&r, "function S:on_tick(t)\n"
                "  if t.instrument ~= 'BTC-PERPETUAL' or not t.bid then return end\n"
                "  self.state.n = (self.state.n or 0) + 1\n"
                "  if #orders.open() == 0 and not self.state.filled then\n"
                "    orders.buy('BTC-PERPETUAL', 10, { price = t.bid * 0.996 // 1 }) end\n"
                "end\n"
                "function S:on_fill(f) self.state.filled = f.id end\n");
    rig_feed(&r, 20000, true);
    const hg_order *o = hg_exec_open_next(r.s.core.exec, 0, 0);
    uint64_t id = o ? o->id : 0;
    CHECK(o != NULL);
    int64_t created = o->created_ns;
    for (int i = 0; i < 400000 && hg_exec_stats_get(r.s.core.exec)->fills == 0; i++) {
        rig_feed(&r, 1, true);
    }
    CHECK_EQ(hg_exec_stats_get(r.s.core.exec)->fills, 1);
    CHECK(created < r.s.core.now_ns - 61 * HG_NS_PER_S); /* before the oldest event */
    rig_feed(&r, 50, true);
    char body[1024];
    snprintf(
        body, sizeof body,
        "function S:on_start(why)\n"
        "  if why.orders[1] then assert(why.orders[1].id == %llu) self.state.filled = nil end\n"
        "end\n"
        "function S:on_fill(f) if f.id == %llu then self.state.again = true end end\n"
        "function S:on_tick(t) if self.state.again and not self.sent then\n"
        "  self.sent = true orders.sell('BTC-PERPETUAL', 10) end end\n",
        (unsigned long long)id, (unsigned long long)id);
    rehearses(&r, body, "would have sent 1 order instead of 0");
    rig_close(&r);
}
