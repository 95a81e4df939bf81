/* A real session whose strategies stand in files of a folder of their own, pumped by hand: save a
 * file, ask for a reload, see what was told. */
#ifndef HG_TESTS_TEST_APP_RELOAD_KIT_H
#define HG_TESTS_TEST_APP_RELOAD_KIT_H

#include "reload_session.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD                                                                                       \
    "local hedged = require 'hedged'\n"                                                            \
    "local orders = require 'hedged.orders'\n"                                                     \
    "local S = hedged.strategy { api = 1, underlying = 'BTC', hedge_with = 'BTC-PERPETUAL' }\n"
#define TAIL "\nreturn S\n"

/* Sends an order now and then; what it sends does not depend on how often it was exchanged. */
#define TRADER                                                                                     \
    "function S:on_start(why) self.state.starts = (self.state.starts or 0) + 1 end\n"              \
    "function S:on_tick(t)\n"                                                                      \
    "  local s = self.state\n"                                                                     \
    "  s.ticks = (s.ticks or 0) + 1\n"                                                             \
    "  if t.instrument ~= 'BTC-PERPETUAL' or not t.bid then return end\n"                          \
    "  s.own = (s.own or 0) + 1\n"                                                                 \
    "  if s.own % 7 == 0 then\n"                                                                   \
    "    local size = 10 * math.random(5)\n"                                                       \
    "    if s.own % 2 == 0 then orders.buy('BTC-PERPETUAL', size, { price = t.bid })\n"            \
    "    else orders.sell('BTC-PERPETUAL', size, { price = t.ask }) end\n"                         \
    "  end\n"                                                                                      \
    "  if s.own % 50 == 0 then orders.cancel_all() end\n"                                          \
    "end\n"                                                                                        \
    "function S:on_fill(f)\n"                                                                      \
    "  local s = self.state\n"                                                                     \
    "  s.fills = (s.fills or 0) + 1\n"                                                             \
    "  s.seen = s.seen or {}\n"                                                                    \
    "  assert(not s.seen[f.trade], 'a fill told twice')\n"                                         \
    "  s.seen[f.trade] = true\n"                                                                   \
    "  s.net = (s.net or 0) + (f.side == 'buy' and f.size or -f.size)\n"                           \
    "end\n"                                                                                        \
    "function S:on_stop(reason)\n"                                                                 \
    "  local s = self.state\n"                                                                     \
    "  hedged.log(('ticks %d fills %d net %d starts %d open %d'):format(s.ticks, s.fills or 0,\n"  \
    "    s.net or 0, s.starts, #orders.open()))\n"                                                 \
    "end\n"

typedef struct rig {
    char dir[64];
    char paths[4][128];
    hg_session s;
    hg_session_options o;
    uint64_t fed;
    char step[32], outcome[32], reason[1024]; /* of the last reload line */
    unsigned swapped, refused, rolled_back, confirmed;
    char rehearsed[1024]; /* reason of the last rehearsal */
    uint64_t event;       /* of the last swap: events applied before it */
} rig;

static inline void rig_field(const char *line, const char *key, char *out, size_t size) {
    char name[40];
    snprintf(name, sizeof name, "\"%s\":\"", key);
    const char *at = strstr(line, name);
    out[0] = '\0';
    if (at) {
        at += strlen(name);
        snprintf(out, size, "%.*s", (int)strcspn(at, "\""), at);
    }
}

static inline void rig_line(void *context, const char *line) {
    rig *r = context;
    if (!strstr(line, "\"kind\":\"reload\"")) {
        return;
    }
    rig_field(line, "step", r->step, sizeof r->step);
    rig_field(line, "outcome", r->outcome, sizeof r->outcome);
    rig_field(line, "reason", r->reason, sizeof r->reason);
    if (strcmp(r->step, "swapped") == 0) {
        const char *at = strstr(line, "\"event\":");
        CHECK(at != NULL);
        r->event = strtoull(at + 8, NULL, 10);
    }
    if (strcmp(r->step, "rehearsed") == 0) {
        snprintf(r->rehearsed, sizeof r->rehearsed, "%s", r->reason);
    }
    r->swapped += strcmp(r->step, "swapped") == 0;
    r->refused += strcmp(r->step, "refused") == 0;
    r->rolled_back += strcmp(r->step, "rolled_back") == 0;
    r->confirmed += strcmp(r->step, "confirmed") == 0;
}

static inline void rig_write(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    fputs(text, f);
    fclose(f);
}

static inline void rig_save(rig *r, const char *name, const char *text) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", r->dir, name);
    rig_write(path, text);
}

/* A strategy of the usual head and tail. */
static inline void rig_body(rig *r, const char *name, const char *body) {
    char text[32768];
    snprintf(text, sizeof text, HEAD "%s" TAIL, body);
    rig_save(r, name, text);
}

/* Folder first (rig_init, rig_save ...), then the session over `count` of its files. */
static inline void rig_init(rig *r) {
    memset(r, 0, sizeof *r);
    snprintf(r->dir, sizeof r->dir, "/tmp/hedged-reload-XXXXXX");
    CHECK(mkdtemp(r->dir) != NULL);
    r->o = reload_session();
}

static inline void rig_open(rig *r, size_t count, const char *const *names) {
    for (size_t i = 0; i < count; i++) {
        snprintf(r->paths[i], sizeof r->paths[i], "%s/%s", r->dir, names[i]);
        r->o.strategies[i] = r->paths[i];
    }
    r->o.strategy_count = count;
    if (hg_session_open(&r->s, &r->o) < 0) {
        hg_test_fail(__FILE__, __LINE__, "%s", hg_error_text());
    }
    r->s.events.listener = rig_line;
    r->s.events.context = r;
    for (size_t i = 0; i < count; i++) {
        CHECK_EQ(hg_script_start(r->s.core.scripts[i], "start"), 0);
    }
}

static inline void rig_one(rig *r, const char *body) {
    static const char *const names[] = {"s.lua"};
    rig_init(r);
    rig_body(r, "s.lua", body);
    rig_open(r, 1, names);
}

static inline void rig_close(rig *r) {
    char command[128];
    CHECK_EQ(hg_session_close(&r->s), 0);
    snprintf(command, sizeof command, "rm -rf %s", r->dir);
    CHECK_EQ(system(command), 0);
}

/* Feeds `count` events; `idle`: reloads get all the time they want. */
static inline void rig_feed(rig *r, uint64_t count, bool idle) {
    hg_event e;
    for (uint64_t i = 0; i < count; i++) {
        CHECK_EQ(hg_feed_next(r->s.feed, &e), 1);
        hg_core_feed(&r->s.core, &e);
        hg_core_idle(&r->s.core);
        r->fed++;
        if (r->s.reload) {
            hg_reload_poll(r->s.reload, idle);
        }
    }
}

/* Works on reloads without any event in between, as far as they go. */
static inline void rig_work(rig *r) {
    for (int i = 0; hg_reload_poll(r->s.reload, true); i++) {
        CHECK(i < 1000000);
    }
}

/* Asks for a reload, lets it happen (an open update is fed to its end), and looks at the outcome.
 */
static inline void rig_reload(rig *r, const char *strategy) {
    CHECK_EQ(hg_reload_request(r->s.reload, strategy, "test"), 0);
    rig_work(r);
    hg_reload_status status;
    for (int i = 0; i < 10000; i++) {
        bool settled = true;
        for (size_t k = 0; hg_reload_status_get(r->s.reload, k, &status); k++) {
            settled = settled && strcmp(status.phase, "swapping") != 0;
        }
        if (settled) {
            return;
        }
        rig_feed(r, 1, true);
    }
    CHECK(!"the swap never came");
}

static inline void rig_try(rig *r, const char *body) {
    rig_body(r, "s.lua", body);
    rig_reload(r, NULL);
}

/* Fails only once it really runs: after the rehearsal's last event. */
static inline void rig_later(rig *r, char *body, size_t size, const char *what) {
    snprintf(body, size,
             "function S:on_tick(t)\n"
             "  self.state.new = true\n"
             "  if t.time > %.3f then %s end\n"
             "end\n",
             (double)r->s.core.now_ns / 1e9 + 0.05, what);
}

static inline hg_script *rig_script(const rig *r) {
    return r->s.core.scripts[0];
}

static inline void rig_running(const rig *r) {
    if (hg_script_status(rig_script(r)) != HG_SCRIPT_RUNNING) {
        hg_test_fail(__FILE__, __LINE__, "not running: %s", hg_script_error(rig_script(r)));
    }
}

static inline void rig_swapped(const rig *r) {
    if (strcmp(r->step, "swapped") != 0) {
        hg_test_fail(__FILE__, __LINE__, "%s: %s", r->step, r->reason);
    }
    rig_running(r);
}

static inline void rig_refused(const rig *r, const char *why) {
    if (strcmp(r->step, "refused") != 0 || !strstr(r->reason, why)) {
        hg_test_fail(__FILE__, __LINE__, "wanted a refusal with '%s', got %s: %s", why, r->step,
                     r->reason);
    }
    rig_running(r);
}

static inline void rig_says(const rig *r, const char *step, const char *why) {
    if (strcmp(r->step, step) != 0 || !strstr(r->reason, why)) {
        hg_test_fail(__FILE__, __LINE__, "wanted %s with '%s', got %s: %s", step, why, r->step,
                     r->reason);
    }
}

#endif
