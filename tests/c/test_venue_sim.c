/* The synthetic market: equal bytes for equal seeds, never an impossible event, and scenarios that
 * tell the story they are named after. */
#include "test.h"

#include "base/clock.h"
#include "base/hash.h"
#include "domain/delivery.h"
#include "greeks/black76.h"
#include "venue/sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LEVELS = 64, MAX_BOOKS = 24, MAX_EXPIRIES = 40, MAX_STRIKES = 96 };

#define START_NS (INT64_C(1769644800) * HG_NS_PER_S) /* 2026-01-29 */

typedef struct {
    hg_ticks price;
    hg_lots size;
} level;

/* One side of a book, best first, rebuilt from depth events. */
typedef struct {
    level levels[MAX_LEVELS];
    int count;
} side;

typedef struct {
    bool quoted, marked, settled;
    hg_ticks bid, ask;
    hg_lots bid_size, ask_size;
    hg_nano mark, iv;
    int64_t mark_ns;
    int book; /* place in books, -1 */
} watch;

/* Calls of one expiry marked within the same second on the same forward. */
typedef struct {
    double forward;
    double strike[MAX_STRIKES], call[MAX_STRIKES];
    int count;
    int64_t second;
} smile_run;

/* A feed and what it has said so far. */
typedef struct {
    hg_universe *universe;
    hg_feed *feed;
    hg_event event;
    int64_t last_ns;
    watch *watches;
    side books[MAX_BOOKS][2];
    uint32_t book_ids[MAX_BOOKS];
    bool book_changed[MAX_BOOKS];
    int book_count;
    double index[4];
    smile_run runs[MAX_EXPIRIES];
    long parities, butterflies, trades, settled;
    bool more;    /* the update is still open */
    bool pending; /* the event was pulled but lies behind the time asked for */
} market;

static void market_open(market *m, const char *scenario, uint64_t seed, int64_t start_ns) {
    memset(m, 0, sizeof *m);
    m->universe = hg_universe_new();
    CHECK(m->universe);
    hg_sim_options options = {.seed = seed, .scenario = scenario, .start_ns = start_ns};
    CHECK_EQ(hg_sim_open(&options, m->universe, &m->feed), HG_OK);
    m->watches = calloc(hg_universe_count(m->universe), sizeof *m->watches);
    CHECK(m->watches);
    for (uint32_t i = 0; i < hg_universe_count(m->universe); i++) m->watches[i].book = -1;
    m->last_ns = m->feed->start_ns;
}

static void market_close(market *m) {
    hg_feed_close(m->feed);
    hg_universe_free(m->universe);
    free(m->watches);
}

static void pull(market *m) {
    CHECK_EQ(hg_feed_next(m->feed, &m->event), 1);
}

/* --- what must hold for every event ------------------------------------------------------------
 */

static const hg_instrument *instrument(const market *m) {
    CHECK(m->event.id < hg_universe_count(m->universe));
    CHECK(!m->watches[m->event.id].settled);
    return hg_universe_get(m->universe, m->event.id);
}

static bool on_tick(const hg_instrument *inst, hg_ticks price) {
    return price > 0 && price % hg_instrument_step(inst, price) == 0;
}

static void check_quote(market *m) {
    const hg_instrument *inst = instrument(m);
    watch *w = &m->watches[m->event.id];
    w->quoted = true;
    w->bid = m->event.quote.bid;
    w->ask = m->event.quote.ask;
    w->bid_size = m->event.quote.bid_size;
    w->ask_size = m->event.quote.ask_size;
    CHECK(w->bid_size >= 0 && w->ask_size >= 1);
    CHECK(on_tick(inst, w->ask));
    if (w->bid_size > 0) {
        CHECK(on_tick(inst, w->bid));
        CHECK(w->bid < w->ask);
    } else {
        CHECK(inst->kind == HG_KIND_OPTION);
        CHECK(w->ask < 500); /* only what is nearly worthless has no bid */
    }
}

static side *book_of(market *m, uint32_t id, int s) {
    watch *w = &m->watches[id];
    if (w->book < 0) {
        CHECK(m->book_count < MAX_BOOKS);
        m->book_ids[m->book_count] = id;
        w->book = m->book_count++;
    }
    m->book_changed[w->book] = true;
    return &m->books[w->book][s];
}

/* Sets or deletes one level; nothing is deleted twice. */
static void apply_level(side *book, int s, level given) {
    int at = 0;
    int sign = s == 0 ? 1 : -1;
    while (at < book->count && (book->levels[at].price - given.price) * sign > 0) at++;
    bool found = at < book->count && book->levels[at].price == given.price;
    CHECK(found || given.size > 0);
    size_t rest = (size_t)(book->count - at) * sizeof(level);
    if (given.size == 0) {
        memmove(&book->levels[at], &book->levels[at + 1], rest - sizeof(level));
        book->count--;
        return;
    }
    if (!found) {
        CHECK(book->count < MAX_LEVELS);
        memmove(&book->levels[at + 1], &book->levels[at], rest);
        book->count++;
    }
    book->levels[at] = given;
}

static void check_depth(market *m) {
    const hg_instrument *inst = instrument(m);
    CHECK(m->event.side == HG_BUY || m->event.side == HG_SELL);
    CHECK(on_tick(inst, m->event.level.price));
    int s = m->event.side == HG_BUY ? 0 : 1;
    if (m->event.flags & HG_EVF_SNAPSHOT) {
        book_of(m, m->event.id, 0)->count = 0;
        book_of(m, m->event.id, 1)->count = 0;
    }
    level given = {m->event.level.price, m->event.level.size};
    apply_level(book_of(m, m->event.id, s), s, given);
}

static void check_trade(market *m) {
    const hg_instrument *inst = instrument(m);
    const watch *w = &m->watches[m->event.id];
    CHECK(on_tick(inst, m->event.level.price));
    bool buy = m->event.side == HG_BUY;
    CHECK(buy || m->event.side == HG_SELL);
    CHECK_EQ(m->event.level.price, buy ? w->ask : w->bid);
    CHECK(m->event.level.size >= 1);
    CHECK(m->event.level.size <= (buy ? w->ask_size : w->bid_size));
    m->trades++;
}

/* No three neighbours may give a butterfly below zero, rounding of marks (1e-6 coin) apart. */
static void check_butterfly(market *m, const hg_instrument *inst, double call) {
    smile_run *run = &m->runs[inst->expiry_id];
    int64_t second = m->event.time_ns / HG_NS_PER_S;
    double strike = hg_nano_to_double(inst->strike);
    if (run->second != second || (run->count > 0 && run->strike[run->count - 1] >= strike)) {
        run->count = 0;
    }
    CHECK(run->count < MAX_STRIKES);
    run->second = second;
    run->strike[run->count] = strike;
    run->call[run->count++] = call;
    if (run->count < 3) {
        return;
    }
    const double *k = &run->strike[run->count - 3];
    const double *c = &run->call[run->count - 3];
    double inner = (c[0] * (k[2] - k[1]) + c[2] * (k[1] - k[0])) / (k[2] - k[0]);
    CHECK(inner - c[1] > -2e-6);
    m->butterflies++;
}

/* Marks are Black-76 on the last published forward, and the two of a strike keep parity. */
static void check_option_mark(market *m, const hg_instrument *inst) {
    watch *w = &m->watches[m->event.id];
    double forward = m->runs[inst->expiry_id].forward;
    double strike = hg_nano_to_double(inst->strike);
    double years = hg_delivery_years(inst->expiry_ns, m->event.time_ns);
    CHECK(forward > 0 && years > 0);
    CHECK(w->iv > 0);
    double price = 0;
    double iv = hg_nano_to_double(w->iv);
    CHECK_EQ(hg_black76_price(forward, strike, years, iv, inst->cp, 0, &price), HG_OK);
    CHECK_NEAR(hg_nano_to_double(w->mark), price / forward, 6e-7);
    if (inst->cp > 0) {
        check_butterfly(m, inst, hg_nano_to_double(w->mark));
        return;
    }
    const watch *call = &m->watches[m->event.id - 1];
    CHECK_EQ(call->mark_ns, w->mark_ns);
    double parity = hg_nano_to_double(call->mark - w->mark);
    CHECK_NEAR(parity, (forward - strike) / forward, 1.1e-6);
    m->parities++;
}

static void check_mark(market *m) {
    const hg_instrument *inst = instrument(m);
    watch *w = &m->watches[m->event.id];
    w->marked = true;
    w->mark = m->event.mark.price;
    w->iv = m->event.mark.iv;
    w->mark_ns = m->event.time_ns;
    CHECK(w->mark >= 0 && w->iv >= 0);
    if (inst->kind == HG_KIND_OPTION) {
        check_option_mark(m, inst);
    } else {
        CHECK(w->mark > 0);
        CHECK_NEAR(hg_nano_to_double(w->mark) / m->index[inst->underlying_id], 1, 0.15);
    }
}

static void check_index(market *m) {
    CHECK(m->event.id < hg_universe_underlying_count(m->universe));
    CHECK(m->event.price.value > 0);
    CHECK_EQ((m->event.time_ns - m->feed->start_ns) % HG_NS_PER_S, 0);
    m->index[m->event.id] = hg_nano_to_double(m->event.price.value);
}

static void check_forward(market *m) {
    CHECK(m->event.id < hg_universe_expiry_count(m->universe));
    const hg_expiry *expiry = hg_universe_expiry(m->universe, m->event.id);
    smile_run *run = &m->runs[m->event.id];
    run->forward = hg_nano_to_double(m->event.price.value);
    run->count = 0;
    CHECK_NEAR(run->forward / m->index[expiry->underlying], 1, 0.15);
}

/* Funding by the venue's formula from the mark and the index of the same update. */
static void check_funding(market *m) {
    const hg_instrument *inst = instrument(m);
    CHECK(inst->kind == HG_KIND_PERPETUAL);
    double index = m->index[inst->underlying_id];
    double premium = (hg_nano_to_double(m->watches[m->event.id].mark) - index) / index;
    double rate = fmax(0.00025, premium) + fmin(-0.00025, premium);
    double limit = !inst->inverse ? 0.05 : strcmp(inst->underlying, "BTC") == 0 ? 0.005 : 0.01;
    CHECK_NEAR(hg_nano_to_double(m->event.price.value), fmax(-limit, fmin(limit, rate)), 1e-9);
}

static void check_settle(market *m) {
    const hg_instrument *inst = instrument(m);
    CHECK_EQ(inst->expiry_ns, m->event.time_ns);
    CHECK(m->event.price.value > 0);
    m->watches[m->event.id].settled = true;
    m->settled++;
}

/* Once an update is complete, books and quotes agree and nothing is crossed. */
static void check_books(market *m) {
    for (int i = 0; i < m->book_count; i++) {
        if (!m->book_changed[i]) {
            continue;
        }
        m->book_changed[i] = false;
        const watch *w = &m->watches[m->book_ids[i]];
        const side *bids = &m->books[i][0];
        const side *asks = &m->books[i][1];
        CHECK(bids->count >= 10 && asks->count >= 10);
        CHECK(bids->count <= 30 && asks->count <= 30);
        CHECK(bids->levels[0].price < asks->levels[0].price);
        CHECK(w->quoted);
        CHECK_EQ(bids->levels[0].price, w->bid);
        CHECK_EQ(asks->levels[0].price, w->ask);
        CHECK_EQ(bids->levels[0].size, w->bid_size);
        CHECK_EQ(asks->levels[0].size, w->ask_size);
    }
}

static void check_event(market *m) {
    static void (*const checks[HG_EV_KINDS])(market *) = {
        [HG_EV_QUOTE] = check_quote,     [HG_EV_DEPTH] = check_depth,
        [HG_EV_TRADE] = check_trade,     [HG_EV_MARK] = check_mark,
        [HG_EV_INDEX] = check_index,     [HG_EV_FORWARD] = check_forward,
        [HG_EV_FUNDING] = check_funding, [HG_EV_SETTLE] = check_settle};
    CHECK(m->event.kind < HG_EV_KINDS && checks[m->event.kind]);
    CHECK(m->event.time_ns >= m->last_ns);
    CHECK(!m->more || m->event.time_ns == m->last_ns); /* an update has one time */
    CHECK_EQ(m->event.flags & ~(HG_EVF_MORE | HG_EVF_SNAPSHOT), 0);
    m->last_ns = m->event.time_ns;
    checks[m->event.kind](m);
    m->more = (m->event.flags & HG_EVF_MORE) != 0;
    if (!m->more) {
        check_books(m);
    }
}

/* The next event, checked, if it lies before `until_ns`. */
static bool step_until(market *m, int64_t until_ns) {
    if (!m->pending) {
        pull(m);
    }
    m->pending = m->event.time_ns >= until_ns;
    if (!m->pending) {
        check_event(m);
    }
    return !m->pending;
}

static long run_until(market *m, int64_t until_ns) {
    long count = 0;
    while (step_until(m, until_ns)) count++;
    CHECK(!m->more);
    return count;
}

static void check_scenario(const char *scenario) {
    market *m = malloc(sizeof *m);
    CHECK(m);
    market_open(m, scenario, 11, 0);
    long count = run_until(m, START_NS + 3 * HG_NS_PER_HOUR);
    CHECK(count > 300000 && count < 1800000);
    CHECK_EQ(m->book_count, m->feed->depth_count);
    CHECK(m->parities > 50000);
    CHECK(m->butterflies > 500);
    CHECK(m->trades > 3000);
    market_close(m);
    free(m);
}

TEST_WITHIN(calm_is_consistent, 120) {
    check_scenario("calm");
}
TEST_WITHIN(crash_is_consistent, 120) {
    check_scenario("crash");
}
TEST_WITHIN(volspike_is_consistent, 120) {
    check_scenario("volspike");
}
TEST_WITHIN(weekend_is_consistent, 120) {
    check_scenario("weekend");
}
TEST_WITHIN(gapdown_is_consistent, 120) {
    check_scenario("gapdown");
}

/* --- identity ----------------------------------------------------------------------------------
 */

static uint64_t hash_event(uint64_t hash, const hg_event *event) {
    hash = hg_hash_u64(hash, (uint64_t)event->time_ns);
    hash = hg_hash_u64(hash, event->id);
    hash = hg_hash_u64(hash, event->kind | (uint64_t)event->flags << 8);
    hash = hg_hash_u64(hash, (uint64_t)(int64_t)event->side);
    hash = hg_hash_u64(hash, (uint64_t)event->quote.bid);
    hash = hg_hash_u64(hash, (uint64_t)event->quote.ask);
    hash = hg_hash_u64(hash, (uint64_t)event->quote.bid_size);
    return hg_hash_u64(hash, (uint64_t)event->quote.ask_size);
}

static uint64_t hash_stream(const char *scenario, uint64_t seed, long count) {
    market *m = malloc(sizeof *m);
    CHECK(m);
    market_open(m, scenario, seed, 0);
    uint64_t hash = HG_HASH_INIT;
    for (long i = 0; i < count; i++) {
        pull(m);
        hash = hash_event(hash, &m->event);
    }
    market_close(m);
    free(m);
    return hash;
}

TEST(same_seed_gives_same_events) {
    for (int i = 0; hg_sim_scenarios[i]; i++) {
        uint64_t first = hash_stream(hg_sim_scenarios[i], 3, 200000);
        CHECK(hash_stream(hg_sim_scenarios[i], 3, 200000) == first);
        CHECK(hash_stream(hg_sim_scenarios[i], 4, 200000) != first);
    }
}

TEST(scenarios_differ) {
    CHECK(hash_stream("calm", 3, 50000) != hash_stream("weekend", 3, 50000));
}

TEST(scenario_defaults_to_calm) {
    CHECK(hash_stream(NULL, 3, 50000) == hash_stream("calm", 3, 50000));
}

/* --- opening -----------------------------------------------------------------------------------
 */

TEST(first_update_knows_everything) {
    market *m = malloc(sizeof *m);
    CHECK(m);
    market_open(m, "calm", 1, 0);
    CHECK_EQ(m->feed->start_ns, START_NS);
    CHECK_EQ(m->feed->end_ns, 0);
    CHECK_STR(m->feed->ops->name, "sim");
    do {
        pull(m);
        check_event(m);
        CHECK_EQ(m->event.time_ns, START_NS);
    } while (m->more);
    for (uint32_t i = 0; i < hg_universe_count(m->universe); i++) {
        CHECK(m->watches[i].quoted);
        CHECK(m->watches[i].marked);
    }
    for (uint32_t i = 0; i < hg_universe_expiry_count(m->universe); i++) {
        CHECK(m->runs[i].forward > 0);
    }
    CHECK_EQ(m->book_count, m->feed->depth_count);
    CHECK_NEAR(m->index[0], 88000, 100);
    CHECK_NEAR(m->index[1], 2950, 10);
    market_close(m);
    free(m);
}

TEST(contracts_of_the_shipped_books_are_quoted) {
    static const char *const names[] = {"BTC-PERPETUAL",       "BTC_USDC",
                                        "BTC_USDC-PERPETUAL",  "BTC-13FEB26-80000-P",
                                        "BTC-13FEB26-96000-C", "BTC-27FEB26",
                                        "BTC-27FEB26-80000-P", "BTC-27FEB26-96000-C",
                                        "BTC-27FEB26-88000-C", "BTC-27MAR26",
                                        "BTC-27MAR26-80000-P", "BTC-27MAR26-96000-C",
                                        "BTC-26JUN26",         "BTC-26JUN26-80000-P",
                                        "BTC-26JUN26-96000-C", "ETH-PERPETUAL",
                                        "ETH-27FEB26-3000-C",  "ETH_USDC"};
    market *m = malloc(sizeof *m);
    CHECK(m);
    market_open(m, "crash", 5, 0);
    for (int hour = 0; hour < 4; hour++) {
        run_until(m, START_NS + hour * HG_NS_PER_HOUR + HG_NS_PER_S);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            uint32_t id = hg_universe_find(m->universe, names[i]);
            CHECK(id != HG_ID_NONE);
            CHECK(m->watches[id].bid_size > 0 || m->watches[id].mark < HG_NANO / 1000);
            CHECK(m->watches[id].ask_size > 0);
            CHECK(m->watches[id].mark > 0);
        }
    }
    market_close(m);
    free(m);
}

/* Expiries follow the calendar from any start: at 08:00, on Fridays beyond the dailies. */
TEST(calendar_holds_from_any_start) {
    static const hg_date days[] = {
        {2025, 12, 24},
        {2026, 2,  27},
        {2026, 3,  31},
        {2024, 2,  29}
    };
    for (size_t d = 0; d < sizeof days / sizeof days[0]; d++) {
        int64_t start_ns = hg_date_to_days(days[d]) * HG_NS_PER_DAY + 8 * HG_NS_PER_HOUR;
        market *m = malloc(sizeof *m);
        CHECK(m);
        market_open(m, "calm", 1, start_ns);
        uint32_t count = hg_universe_expiry_count(m->universe);
        CHECK(count >= 15 && count <= MAX_EXPIRIES);
        int64_t farthest_ns = 0;
        for (uint32_t i = 0; i < count; i++) {
            int64_t time_ns = hg_universe_expiry(m->universe, i)->time_ns;
            CHECK(time_ns > start_ns);
            CHECK_EQ(time_ns % HG_NS_PER_DAY, 8 * HG_NS_PER_HOUR);
            bool far = time_ns > start_ns + 4 * HG_NS_PER_DAY;
            CHECK(!far || hg_date_weekday(time_ns / HG_NS_PER_DAY) == 4);
            farthest_ns = time_ns > farthest_ns ? time_ns : farthest_ns;
        }
        CHECK(farthest_ns > start_ns + 240 * HG_NS_PER_DAY);
        market_close(m);
        free(m);
    }
}

TEST(start_is_rounded_up_to_a_second) {
    market *m = malloc(sizeof *m);
    CHECK(m);
    market_open(m, "calm", 1, START_NS - 1);
    CHECK_EQ(m->feed->start_ns, START_NS);
    market_close(m);
    free(m);
}

TEST(unknown_scenario_names_the_nearest) {
    hg_universe *universe = hg_universe_new();
    hg_feed *feed = NULL;
    hg_sim_options options = {.scenario = "crahs"};
    CHECK_EQ(hg_sim_open(&options, universe, &feed), HG_EUSAGE);
    CHECK(strstr(hg_error_text(), "crahs"));
    CHECK(strstr(hg_error_advice(), "'crash'"));
    options.scenario = "something else entirely";
    CHECK_EQ(hg_sim_open(&options, universe, &feed), HG_EUSAGE);
    CHECK(strstr(hg_error_advice(), "gapdown"));
    options = (hg_sim_options){.start_ns = -1};
    CHECK_EQ(hg_sim_open(&options, universe, &feed), HG_ERANGE);
    CHECK(feed == NULL);
    hg_universe_free(universe);
}

/* Every allocation of the opening fails once; nothing leaks and the record says so. */
TEST_WITHIN(opening_survives_lack_of_memory, 120) {
    if (hg_test_alloc_fail_at(0) < 0) {
        SKIP("the sanitizer owns malloc");
    }
    hg_sim_options options = {.seed = 1};
    for (long n = 1;; n++) {
        CHECK(n < 100000);
        hg_universe *universe = hg_universe_new();
        CHECK(universe);
        hg_feed *feed = NULL;
        hg_test_alloc_fail_at(n);
        int rc = hg_sim_open(&options, universe, &feed);
        bool failed = hg_test_alloc_failed();
        hg_test_alloc_fail_at(0);
        CHECK_EQ(rc, failed ? HG_ENOMEM : HG_OK);
        hg_feed_close(feed);
        hg_universe_free(universe);
        if (!failed) {
            return;
        }
        n += n / 50; /* the chain repeats itself thousands of times */
    }
}

TEST(next_never_allocates) {
    market *m = malloc(sizeof *m);
    CHECK(m);
    market_open(m, "gapdown", 2, 0);
    long before = hg_test_alloc_count();
    for (long i = 0; i < 500000; i++) pull(m);
    CHECK_EQ(hg_test_alloc_count(), before);
    market_close(m);
    free(m);
}

/* --- delivery ----------------------------------------------------------------------------------
 */

/* From `start_ns` over the next delivery at `at_ns`: every contract of it settles at the mean of
 * the index over the last half hour (or since the start), and is silent afterwards. */
static void check_delivery(int64_t start_ns, int64_t at_ns, const char *future) {
    market *m = malloc(sizeof *m);
    CHECK(m);
    market_open(m, "volspike", 9, start_ns);
    double sum[2] = {0, 0};
    long samples = 0;
    long settled[2] = {0, 0};
    while (step_until(m, at_ns + 1)) {
        uint32_t id = m->event.id;
        if (m->event.kind == HG_EV_INDEX && m->event.time_ns > at_ns - 1800 * HG_NS_PER_S) {
            sum[id] += m->index[id];
            samples += id == 0;
        }
        if (m->event.kind == HG_EV_SETTLE) {
            uint32_t underlying = hg_universe_get(m->universe, id)->underlying_id;
            double mean = sum[underlying] / (double)samples;
            CHECK_NEAR(hg_nano_to_double(m->event.price.value), mean, 1e-6);
            settled[underlying]++;
        }
    }
    run_until(m, at_ns + 600 * HG_NS_PER_S); /* check_event refuses events of settled contracts */
    CHECK(settled[0] > 40 && settled[1] > 40);
    for (uint32_t i = 0; i < hg_universe_count(m->universe); i++) {
        bool due = hg_universe_get(m->universe, i)->expiry_ns == at_ns;
        CHECK_EQ(m->watches[i].settled, due);
    }
    uint32_t id = future ? hg_universe_find(m->universe, future) : HG_ID_NONE;
    CHECK(!future || (id != HG_ID_NONE && m->watches[id].settled));
    market_close(m);
    free(m);
}

TEST_WITHIN(expired_options_settle_at_the_average, 60) {
    int64_t at_ns = START_NS + 8 * HG_NS_PER_HOUR;
    check_delivery(at_ns - HG_NS_PER_HOUR, at_ns, NULL);
}

TEST_WITHIN(expired_futures_settle_too, 60) {
    int64_t at_ns = START_NS + 29 * HG_NS_PER_DAY + 8 * HG_NS_PER_HOUR; /* Friday 2026-02-27 */
    check_delivery(at_ns - HG_NS_PER_HOUR, at_ns, "BTC-27FEB26");
}

TEST_WITHIN(delivery_soon_after_the_start_averages_what_there_is, 60) {
    int64_t at_ns = START_NS + 8 * HG_NS_PER_HOUR;
    check_delivery(at_ns - 10 * HG_NS_PER_S, at_ns, NULL);
}
