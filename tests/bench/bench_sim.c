/* The synthetic feed alone: what one event costs to make, how long opening takes (with the first
 * update, which holds every quote), how many events an hour has and what it keeps in memory. */
#include "bench.h"

#include "base/clock.h"
#include "venue/sim.h"

#include <malloc.h>

enum { EVENTS = 1000000 };

static hg_feed *feed_open(const char *scenario, hg_universe *universe) {
    hg_sim_options options = {.seed = 1, .scenario = scenario};
    hg_feed *feed = NULL;
    return hg_sim_open(&options, universe, &feed) == HG_OK ? feed : NULL;
}

static void run_scenario(bench *b, const char *scenario) {
    hg_universe *universe = hg_universe_new();
    hg_feed *feed = feed_open(scenario, universe);
    if (!feed) {
        bench_skip(b, hg_error_text());
        hg_universe_free(universe);
        return;
    }
    hg_event event = {0};
    long allocations = hg_test_alloc_count();
    BENCH_BATCH (b, EVENTS) {
        for (int i = 0; i < EVENTS; i++) {
            bench_keep(hg_feed_next(feed, &event));
        }
    }
    bench_field(b, "allocations", (double)(hg_test_alloc_count() - allocations));
    hg_feed_close(feed);
    hg_universe_free(universe);
}

BENCH(next_calm) {
    run_scenario(b, "calm");
}

BENCH(next_crash) {
    run_scenario(b, "crash");
}

static double events_per_hour(hg_feed *feed) {
    hg_event event = {0};
    int64_t until_ns = feed->start_ns + 4 * HG_NS_PER_HOUR;
    double count = 0;
    while (event.time_ns < until_ns && hg_feed_next(feed, &event) == 1) {
        count++;
    }
    return count / 4;
}

/* Opening a universe and the feed in it, and closing both. */
BENCH(open) {
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    hg_universe *universe = hg_universe_new();
    hg_feed *feed = feed_open("crash", universe);
    size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
    bench_field(b, "instruments", hg_universe_count(universe));
    bench_field(b, "bytes", (double)(after - before));
    bench_field(b, "events_per_hour_crash", feed ? events_per_hour(feed) : 0);
    if (feed) {
        hg_feed_close(feed);
    }
    hg_universe_free(universe);
    BENCH_LOOP (b) {
        hg_universe *fresh = hg_universe_new();
        hg_feed_close(feed_open("calm", fresh));
        hg_universe_free(fresh);
    }
}
