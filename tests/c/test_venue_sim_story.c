/* The scenarios of the synthetic market tell the stories they are named after, for any seed: moves,
 * vols, spreads and sizes over the first four hours lie in wide but failable bounds. */
#include "test.h"

#include "base/clock.h"
#include "venue/sim.h"

#include <math.h>

#define START_NS (INT64_C(1769644800) * HG_NS_PER_S) /* 2026-01-29 */

enum { STORY_S = 4 * 3600, STORY_SEEDS = 4 };

/* The index of BTC second by second, and what else tells one scenario from another. */
typedef struct {
    double index[STORY_S + 1];
    double iv_start, iv_end, iv_max; /* BTC-27FEB26-88000-C */
    double spread;                   /* of BTC-PERPETUAL over the first hour, mean share */
    double touch;                    /* and its size at the touch, mean USD */
    double funding_min;
    long quotes;
    uint32_t option, perpetual, btc;
} story;

static void story_option(story *s, const hg_event *event) {
    double iv = hg_nano_to_double(event->mark.iv);
    s->iv_start = s->iv_start > 0 ? s->iv_start : iv;
    s->iv_end = iv;
    s->iv_max = fmax(s->iv_max, iv);
}

static void story_quote(story *s, const hg_event *event) {
    if (event->time_ns >= START_NS + HG_NS_PER_HOUR) {
        return;
    }
    s->spread += (double)(event->quote.ask - event->quote.bid) / (double)event->quote.bid;
    s->touch += 5.0 * (double)(event->quote.ask_size + event->quote.bid_size); /* lots of 10 USD */
    s->quotes++;
}

static void story_event(story *s, const hg_event *event) {
    int64_t second = (event->time_ns - START_NS) / HG_NS_PER_S;
    if (event->kind == HG_EV_INDEX && event->id == s->btc && second <= STORY_S) {
        s->index[second] = hg_nano_to_double(event->price.value);
    } else if (event->kind == HG_EV_MARK && event->id == s->option) {
        story_option(s, event);
    } else if (event->kind == HG_EV_FUNDING && event->id == s->perpetual) {
        s->funding_min = fmin(s->funding_min, hg_nano_to_double(event->price.value));
    } else if (event->kind == HG_EV_QUOTE && event->id == s->perpetual) {
        story_quote(s, event);
    }
}

static void story_tell(story *s, const char *scenario, uint64_t seed) {
    *s = (story){.spread = 0};
    hg_universe *universe = hg_universe_new();
    CHECK(universe);
    hg_feed *feed = NULL;
    hg_sim_options options = {.seed = seed, .scenario = scenario};
    CHECK_EQ(hg_sim_open(&options, universe, &feed), HG_OK);
    s->option = hg_universe_find(universe, "BTC-27FEB26-88000-C");
    s->perpetual = hg_universe_find(universe, "BTC-PERPETUAL");
    s->btc = hg_universe_find_underlying(universe, "BTC");
    hg_event event;
    do {
        CHECK_EQ(hg_feed_next(feed, &event), 1);
        story_event(s, &event);
    } while (event.time_ns <= START_NS + STORY_S * HG_NS_PER_S);
    s->spread /= (double)s->quotes;
    s->touch /= (double)s->quotes;
    hg_feed_close(feed);
    hg_universe_free(universe);
}

/* Annual vol of one-second returns in [from_s, to_s), jumps above half a per cent left out. */
static double realised(const story *s, int from_s, int to_s) {
    double sum = 0;
    int count = 0;
    for (int i = from_s + 1; i < to_s; i++) {
        double move = log(s->index[i] / s->index[i - 1]);
        sum += fabs(move) < 0.005 ? move * move : 0;
        count++;
    }
    return sqrt(sum / count * 365 * 86400);
}

/* The largest move of one second (log, signed) and its time. */
static double largest_move(const story *s, int *at_s) {
    double largest = 0;
    for (int i = 1; i <= STORY_S; i++) {
        double move = log(s->index[i] / s->index[i - 1]);
        if (fabs(move) > fabs(largest)) {
            largest = move;
            *at_s = i;
        }
    }
    return largest;
}

static double lowest(const story *s, int from_s, int to_s) {
    double low = s->index[from_s];
    for (int i = from_s; i <= to_s; i++) low = fmin(low, s->index[i]);
    return low;
}

static double highest(const story *s, int from_s, int to_s) {
    double high = s->index[from_s];
    for (int i = from_s; i <= to_s; i++) high = fmax(high, s->index[i]);
    return high;
}

static story told; /* too large for the stack */

TEST_WITHIN(calm_stays_calm, 120) {
    for (uint64_t seed = 1; seed <= STORY_SEEDS; seed++) {
        story_tell(&told, "calm", seed);
        int at_s = 0;
        CHECK_NEAR(realised(&told, 0, STORY_S), 0.30, 0.15);
        CHECK(fabs(largest_move(&told, &at_s)) < 0.02);
        CHECK(highest(&told, 0, STORY_S) / lowest(&told, 0, STORY_S) < 1.06);
        CHECK_NEAR(told.iv_end, 0.36, 0.12);
        CHECK(told.spread < 1e-4);
        CHECK(told.touch > 20000);
    }
}

TEST_WITHIN(crash_falls_by_a_quarter_or_more_and_rebounds, 120) {
    for (uint64_t seed = 1; seed <= STORY_SEEDS; seed++) {
        story_tell(&told, "crash", seed);
        double low = lowest(&told, 0, STORY_S);
        CHECK_NEAR(low / told.index[0], 0.725, 0.075);
        CHECK(lowest(&told, 0, 1200) / told.index[0] > 0.96);
        CHECK(told.index[STORY_S] / low > 1.02);
        int at_s = 0;
        double jump = largest_move(&told, &at_s);
        CHECK(jump < -0.03 && jump > -0.07);
        CHECK_NEAR(realised(&told, 0, 900), 0.40, 0.18);
        CHECK_NEAR(realised(&told, 9000, STORY_S), 1.2, 0.65);
        CHECK(told.iv_start < 0.50);
        CHECK_NEAR(told.iv_max, 1.0, 0.3);
        CHECK(told.iv_max / told.iv_start > 1.8);
        CHECK(told.funding_min < 0);
    }
}

TEST_WITHIN(volspike_doubles_vol_without_a_trend, 120) {
    for (uint64_t seed = 1; seed <= STORY_SEEDS; seed++) {
        story_tell(&told, "volspike", seed);
        CHECK(realised(&told, 3600, STORY_S) / realised(&told, 0, 600) > 1.5);
        CHECK(told.iv_max / told.iv_start > 1.5);
        CHECK_NEAR(told.index[STORY_S] / told.index[0], 1, 0.12);
        CHECK(highest(&told, 0, STORY_S) / lowest(&told, 0, STORY_S) > 1.02);
    }
}

TEST_WITHIN(weekend_is_thin_and_reopens_with_a_jump, 120) {
    story_tell(&told, "calm", 1);
    double spread = told.spread;
    double touch = told.touch;
    for (uint64_t seed = 1; seed <= STORY_SEEDS; seed++) {
        story_tell(&told, "weekend", seed);
        CHECK(told.spread > 1.8 * spread);
        CHECK(told.touch < 0.4 * touch);
        int at_s = 0;
        double jump = fabs(largest_move(&told, &at_s));
        CHECK(at_s >= 6000 && at_s <= 8400);
        CHECK_NEAR(jump, 0.0375, 0.010);
        CHECK(realised(&told, 0, 6000) < 0.40);
    }
}

TEST_WITHIN(gapdown_gaps_once, 120) {
    for (uint64_t seed = 1; seed <= STORY_SEEDS; seed++) {
        story_tell(&told, "gapdown", seed);
        int at_s = 0;
        double gap = largest_move(&told, &at_s);
        CHECK(at_s >= 1800 && at_s <= 3601);
        CHECK_NEAR(gap, -0.1165, 0.012);
        CHECK(told.index[1799] / told.index[0] > 0.96);
        CHECK(told.iv_end / told.iv_start > 1.15);
        CHECK(realised(&told, 3700, STORY_S) > 1.2 * realised(&told, 0, 1800));
    }
}
