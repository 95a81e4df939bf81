/* Hot reload in slices: whatever a candidate does, it does not hold the session, and what comes of
 * it does not depend on where its work was left. */
#include "app/reload_int.h"
#include "test_app_reload_kit.h"

#define ENDLESS HEAD "while true do pcall(function() while true do end end) end\n" TAIL

TEST(an_endless_load_does_not_hold_the_session) {
    static const char *const hung[] = {
        ENDLESS,
        HEAD "table.sort({ 3, 2, 1 }, function() while true do end end)\n" TAIL,
        HEAD "local t = setmetatable({}, { __index = function() while true do end end })\n"
             "local x = t.x\n" TAIL,
        HEAD "coroutine.wrap(function() while true do end end)()\n" TAIL,
        HEAD "xpcall(error, function() while true do end end)\n" TAIL,
        HEAD "while true do local s = ('a'):rep(300) pcall(string.find, s, '.-.-.-b') end\n" TAIL,
        HEAD
        "function S:on_tick() table.sort({ 2, 1 }, function() while true do end end) end\n" TAIL,
        HEAD "function S:on_start() while true do end end\nfunction S:on_tick() end\n" TAIL,
        HEAD "function S.migrate() while true do end end\nfunction S:on_tick() end\n" TAIL,
    };
    rig r;
    rig_one(&r, TRADER);
    rig_feed(&r, 20000, true);
    for (size_t i = 0; i < sizeof hung / sizeof *hung; i++) {
        rig_save(&r, "s.lua", hung[i]);
        CHECK_EQ(hg_reload_request(r.s.reload, NULL, "test"), 0);
        uint64_t fed = r.fed;
        unsigned slices = 0;
        while (hg_reload_poll(r.s.reload, true)) {
            slices++;
            if (slices % 10 == 0) rig_feed(&r, 1, false); /* the session goes on in between */
        }
        rig_refused(&r, "CPU time");
        if (slices < 50 || r.fed == fed) {
            hg_test_fail(__FILE__, __LINE__, "candidate %zu: only %u slices", i, slices);
        }
    }
    rig_close(&r);
}

TEST(an_attempt_can_be_given_up_anywhere) {
    rig r;
    rig_one(&r, TRADER);
    rig_feed(&r, 5000, true);
    uint64_t hash = hg_script_hash(rig_script(&r));
    for (unsigned n = 0; n < 60; n++) {
        char body[8192];
        snprintf(body, sizeof body, "-- %u\n%s", n, n % 3 == 0 ? "while true do end" : TRADER);
        rig_body(&r, "s.lua", body);
        CHECK_EQ(hg_reload_request(r.s.reload, NULL, "test"), 0);
        for (unsigned k = 0; k < n && hg_reload_poll(r.s.reload, true); k++) continue;
        hash = hg_script_hash(rig_script(&r));
    }
    CHECK(hash != 0);
    rig_body(&r, "s.lua", TRADER "-- last\n");
    rig_reload(&r, NULL);
    rig_swapped(&r);
    rig_save(&r, "s.lua", ENDLESS);
    CHECK_EQ(hg_reload_request(r.s.reload, NULL, "test"), 0);
    for (int k = 0; k < 20; k++) CHECK(hg_reload_poll(r.s.reload, true));
    rig_close(&r); /* in the middle of it */
}

/* What comes of a candidate does not depend on where its work was left. */
TEST(slices_change_nothing) {
    static const int64_t slices[] = {1, 20000, 3600 * HG_NS_PER_S};
    char reason[3][1024];
    uint64_t hash[3];
    for (int i = 0; i < 3; i++) {
        rig r;
        rig_one(&r, TRADER);
        r.s.reload->options.slice_ns = slices[i];
        rig_feed(&r, 20000, true);
        rig_body(&r, "s.lua",
                 "local made = coroutine.wrap(function() for i = 1, 1e5 do\n"
                 "  if i % 1000 == 0 then coroutine.yield(i) end end end)\n"
                 "local t = {} for i = 1, 3000 do t[i] = (i * 7919) % 3001 end\n"
                 "table.sort(t, function(a, b) return a > b end)\n"
                 "local all = ('x'):rep(2000):gsub('x', function(c) return c .. #t end)\n"
                 "function S:on_start(why) self.state.sum = #all + t[1] + made() end\n"
                 "function S:on_tick(t)\n"
                 "  local s = self.state s.n = (s.n or 0) + 1\n"
                 "  for k = 1, 20 do s.sum = (s.sum * 31 + k) % 1000003 end\n"
                 "  if s.n % 97 == 0 then\n"
                 "    orders.buy('BTC-PERPETUAL', 10 * (1 + s.sum % 5)) end\n"
                 "end\n");
        r.step[0] = '\0';
        CHECK_EQ(hg_reload_request(r.s.reload, NULL, "test"), 0);
        unsigned n = 0;
        while (strcmp(r.step, "rehearsed") != 0) {
            CHECK(hg_reload_poll(r.s.reload, true));
            n++;
        }
        printf("%u polls\n", n);
        snprintf(reason[i], sizeof reason[i], "%s", r.reason);
        CHECK(strstr(reason[i], "instead of") != NULL);
        rig_reload(&r, NULL); /* nothing new: the attempt begun goes on */
        rig_swapped(&r);
        rig_feed(&r, 20000, true);
        hash[i] = hg_exec_stats_get(r.s.core.exec)->hash;
        if (i > 0) {
            CHECK_STR(reason[i], reason[0]);
            CHECK(hash[i] == hash[0]);
        }
        rig_close(&r);
    }
}

/* Code on probation fails while its own successor is being rehearsed: that begins again, after the
 * code that came back. */
TEST(a_rollback_interrupts_the_next_attempt) {
    rig r;
    char body[8192];
    unsigned interrupted = 0;
    rig_one(&r, TRADER);
    rig_feed(&r, 20000, true);
    for (unsigned patience = 1; patience < 40; patience += 3) {
        int used = snprintf(body, sizeof body, "-- %u\n", patience);
        rig_later(&r, body + used, sizeof body - (size_t)used, "error('late')");
        rig_try(&r, body);
        rig_swapped(&r);
        unsigned swapped = r.swapped;
        unsigned back = r.rolled_back;
        snprintf(body, sizeof body, "-- next %u\n%s", patience, TRADER);
        rig_body(&r, "s.lua", body);
        CHECK_EQ(hg_reload_request(r.s.reload, NULL, "test"), 0);
        for (unsigned k = 0; k < patience; k++) (void)hg_reload_poll(r.s.reload, true);
        while (hg_script_status(rig_script(&r)) == HG_SCRIPT_RUNNING && r.swapped == swapped) {
            hg_event e;
            CHECK_EQ(hg_feed_next(r.s.feed, &e), 1);
            hg_core_feed(&r.s.core, &e);
        }
        hg_reload_guard(r.s.reload);
        interrupted += r.rolled_back > back;
        rig_work(&r);
        rig_feed(&r, 300, true);
        CHECK_EQ(r.swapped, swapped + 1); /* the next one came, sooner or later */
        rig_running(&r);
        rig_feed(&r, 20000, true);
        rig_running(&r);
    }
    CHECK(interrupted > 5);
    rig_close(&r);
}
