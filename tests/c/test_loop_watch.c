/* File watching: every way in which people and programs save a file is noticed, and what does not
 * concern the file is not. */
#include "base/clock.h"
#include "loop/watch.h"
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUIET (30 * HG_NS_PER_MS)
#define PATIENCE (10 * HG_NS_PER_S)

typedef struct place {
    char dir[64];
    hg_loop *loop;
    hg_watch *watch;
} place;

static void sh(const place *p, const char *command) {
    char line[1024];
    snprintf(line, sizeof line, "cd %s && %s", p->dir, command);
    CHECK_EQ(system(line), 0);
}

static void place_open(place *p) {
    *p = (place){0};
    snprintf(p->dir, sizeof p->dir, "/tmp/hedged-watch-XXXXXX");
    CHECK(mkdtemp(p->dir) != NULL);
    CHECK_EQ(hg_loop_open(&p->loop), 0);
    CHECK_EQ(hg_watch_open(p->loop, QUIET, &p->watch), 0);
}

static void place_close(place *p) {
    hg_watch_close(p->watch);
    hg_loop_close(p->loop);
    char line[128];
    snprintf(line, sizeof line, "rm -rf %s", p->dir);
    CHECK_EQ(system(line), 0);
}

static void add(place *p, const char *name) {
    char path[160];
    snprintf(path, sizeof path, "%s/%s", p->dir, name);
    CHECK_EQ(hg_watch_add(p->watch, path), 0);
}

/* Notices within `ms`. */
static int notices(place *p, int ms) {
    int n = 0;
    int64_t end = hg_clock_monotonic_ns() + ms * HG_NS_PER_MS;
    while (hg_clock_monotonic_ns() < end) {
        hg_loop_wait(p->loop, end);
        n += hg_watch_take(p->watch);
    }
    return n;
}

static void noticed(place *p, const char *command) {
    int64_t begin = hg_clock_monotonic_ns();
    sh(p, command);
    int64_t took = hg_clock_monotonic_ns() - begin;
    int n = 0;
    while (n == 0 && hg_clock_monotonic_ns() < begin + PATIENCE) {
        n += notices(p, 50);
    }
    if (n == 0) {
        hg_test_fail(__FILE__, __LINE__, "not noticed: %s", command);
    }
    n += notices(p, 60);
    /* On a busy machine the steps of a command may lie further apart than the quiet time. */
    if (n > 1 && took < QUIET) {
        hg_test_fail(__FILE__, __LINE__, "noticed %d times: %s", n, command);
    }
}

static void ignored(place *p, const char *command) {
    sh(p, command);
    if (notices(p, 150) != 0) {
        hg_test_fail(__FILE__, __LINE__, "noticed: %s", command);
    }
}

TEST(every_way_of_saving_is_noticed) {
    place p;
    place_open(&p);
    sh(&p, "echo 1 > s.lua");
    add(&p, "s.lua");
    CHECK_EQ(notices(&p, 100), 0);
    noticed(&p, "echo 2 > s.lua");                                 /* in place */
    noticed(&p, "echo 3 >> s.lua");                                /* appended */
    noticed(&p, "sed -i s/3/4/ s.lua");                            /* rename over it */
    noticed(&p, "mv s.lua s.lua~ && echo 5 > s.lua && rm s.lua~"); /* vim */
    noticed(&p, "echo 6 > .s.lua.swp && mv .s.lua.swp s.lua");     /* emacs, kakoune */
    noticed(&p, ": > s.lua && sleep 0.01 && echo 7 > s.lua");      /* VS Code */
    noticed(&p, "rm s.lua");
    noticed(&p, "echo 8 > s.lua");              /* it comes back */
    noticed(&p, "cp s.lua t && ln -f t s.lua"); /* another hard link */
    ignored(&p, "echo x > events.jsonl; echo y >> events.jsonl; mkdir sub; touch sub/s.lua");
    ignored(&p, "cat s.lua > /dev/null");
    place_close(&p);
}

TEST(symlinks_and_folders_may_be_exchanged) {
    place p;
    place_open(&p);
    sh(&p, "mkdir v1 v2 real && echo 1 > v1/s.lua && echo 2 > v2/s.lua && ln -s v1 now && "
           "ln -s ../now/s.lua real/s.lua");
    add(&p, "real/s.lua"); /* real/s.lua -> now/s.lua -> v1/s.lua */
    noticed(&p, "ln -sfn v2 now");
    noticed(&p, "echo 3 > v2/s.lua");
    ignored(&p, "echo 4 > v1/s.lua"); /* no longer meant */
    noticed(&p, "ln -s v1 next && mv -T next now");
    noticed(&p, "echo 5 > v1/s.lua");
    noticed(&p, "rm real/s.lua && echo 6 > real/s.lua"); /* a file instead of the link */
    noticed(&p, "mv real old && mkdir real && echo 7 > real/s.lua");
    noticed(&p, "echo 8 > real/s.lua");
    place_close(&p);
}

TEST(a_file_that_is_not_there_yet) {
    place p;
    place_open(&p);
    add(&p, "later/s.lua");
    noticed(&p, "mkdir later && echo 1 > later/s.lua");
    noticed(&p, "echo 2 > later/s.lua");
    place_close(&p);
}

/* A slow writer is waited for; one that never ends is told of in the end. */
TEST(a_notice_comes_after_the_last_change) {
    place p;
    place_open(&p);
    sh(&p, "echo 1 > s.lua");
    add(&p, "s.lua");
    noticed(&p, "for i in 1 2 3 4 5 6 7 8; do echo $i >> s.lua; sleep 0.01; done");
    sh(&p, "(for i in 1 2 3 4 5 6 7 8 9; do for k in 1 2 3 4 5 6; do echo $i >> s.lua; "
           "sleep 0.01; done; done) & ");
    CHECK(notices(&p, 450) >= 1);
    CHECK(notices(&p, 600) < 20); /* of some fifty changes; two where nobody is late */
    place_close(&p);
}

TEST(hangups_are_counted) {
    place p;
    place_open(&p);
    CHECK_EQ(hg_watch_hangups(p.watch), 0);
    kill(getpid(), SIGHUP);
    CHECK_EQ(notices(&p, 20), 0);
    CHECK_EQ(hg_watch_hangups(p.watch), 1);
    CHECK_EQ(hg_watch_hangups(p.watch), 0);
    place_close(&p);
}

TEST(a_thousand_notices_leave_nothing_behind) {
    place p;
    place_open(&p);
    sh(&p, "echo 1 > s.lua");
    add(&p, "s.lua");
    add(&p, "s.lua");
    long before = 0;
    for (int i = 0; i < 60; i++) {
        char command[64];
        snprintf(command, sizeof command, "echo %d > s.lua", i);
        sh(&p, command);
        int64_t end = hg_clock_monotonic_ns() + HG_NS_PER_S;
        while (!hg_watch_take(p.watch) && hg_clock_monotonic_ns() < end) {
            hg_loop_wait(p.loop, hg_clock_monotonic_ns() + 10 * HG_NS_PER_MS);
        }
        int fd = open("/dev/null", O_RDONLY);
        close(fd);
        before = i == 0 ? fd : before;
        CHECK_EQ(fd, before);
    }
    place_close(&p);
}
