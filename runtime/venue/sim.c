/* The synthetic feed: a clock of half-second beats that fills a buffer, which `next` empties.
 *
 * A beat moves the latent prices and emits, in order: on whole seconds the index, the forwards that
 * moved, marks and funding with the perpetual's book as one update per coin, and deliveries; then
 * books, trades and option re-marks a few hundred microseconds apart. The buffer is sized for the
 * first beat, which is one update with everything, so nothing is allocated afterwards. */
#include "venue/sim_int.h"

#include "base/assert.h"

#include <math.h>
#include <stdlib.h>

/* 2026-01-29, a Thursday */
#define DEFAULT_START_NS (INT64_C(1769644800) * HG_NS_PER_S)
#define LATEST_START_NS (INT64_C(4070908800) * HG_NS_PER_S) /* 2099-01-01 */

static const sim_coin coins[SIM_MARKETS] = {
    {.name = "BTC",
     .price = 88000,
     .strike_unit = 500,
     .funding_max = 0.005,
     .size_usd = 60000,
     .dailies = 4,
     .weeklies = 4,
     .monthlies = 4,
     .quarterlies = 4,
     .futures = 5,
     .hot_pairs = 2,
     .sweep_pairs = 1,
     .pace = 1},
    {.name = "ETH",
     .price = 2950,
     .strike_unit = 25,
     .funding_max = 0.01,
     .size_usd = 30000,
     .dailies = 2,
     .weeklies = 3,
     .monthlies = 3,
     .quarterlies = 3,
     .futures = 4,
     .hot_pairs = 1,
     .sweep_pairs = 1,
     .pace = 2},
};

/* --- events ------------------------------------------------------------------------------------
 */

hg_event *hg_sim_push(hg_sim *sim, hg_event_kind kind, uint32_t id) {
    hg_assert(sim->count < sim->capacity);
    hg_event *event = &sim->events[sim->count++];
    *event = (hg_event){.time_ns = sim->now_ns, .id = id, .kind = (uint8_t)kind};
    event->flags = HG_EVF_MORE;
    return event;
}

void hg_sim_batch_end(hg_sim *sim) {
    if (sim->count > sim->batch) {
        sim->events[sim->count - 1].flags &= (uint8_t)~HG_EVF_MORE;
    }
    sim->batch = sim->count;
}

void hg_sim_mark(hg_sim *sim, uint32_t id, hg_nano price, hg_nano iv) {
    hg_event *event = hg_sim_push(sim, HG_EV_MARK, id);
    event->mark.price = price;
    event->mark.iv = iv;
}

void hg_sim_quote(hg_sim *sim, uint32_t id, sim_level bid, sim_level ask) {
    hg_event *event = hg_sim_push(sim, HG_EV_QUOTE, id);
    event->quote.bid = bid.price;
    event->quote.ask = ask.price;
    event->quote.bid_size = bid.size;
    event->quote.ask_size = ask.size;
}

void hg_sim_price(hg_sim *sim, hg_event_kind kind, uint32_t id, hg_nano value) {
    hg_sim_push(sim, kind, id)->price.value = value;
}

/* --- beats -------------------------------------------------------------------------------------
 */

static void pause_us(hg_sim *sim, uint64_t limit) {
    hg_assert(limit > 0);
    sim->now_ns += (int64_t)hg_rng_below(&sim->time_rng, limit) * HG_NS_PER_US;
}

/* Everything there is, as one update. */
static void beat_first(hg_sim *sim) {
    for (uint32_t m = 0; m < SIM_MARKETS; m++) {
        sim_market *market = &sim->markets[m];
        hg_sim_market_step(sim, market);
        market->sweep_price = market->price;
        market->sweep_variance = market->expiries[market->first].variance;
        hg_sim_market_index(sim, market);
        hg_sim_market_forwards(sim, market, true);
        for (uint32_t i = 0; i < market->linear_count; i++) {
            hg_sim_market_mark(sim, market, &market->linears[i], true);
            hg_sim_book_snapshot(sim, market, &market->linears[i]);
        }
        for (uint32_t e = 0; e < market->expiry_count; e++) {
            sim_expiry *expiry = &market->expiries[e];
            for (uint32_t i = 0; i < expiry->strike_count; i++) {
                hg_sim_option_mark(sim, market, expiry, &expiry->strikes[i]);
            }
        }
    }
    hg_sim_batch_end(sim);
}

/* A whole second: index, forwards, perpetual; then deliveries. */
static void beat_index(hg_sim *sim, sim_market *market) {
    hg_sim_market_step(sim, market);
    hg_sim_market_index(sim, market);
    hg_sim_market_settle(sim, market);
    hg_sim_market_forwards(sim, market, false);
    hg_sim_market_mark(sim, market, &market->linears[0], false);
    hg_sim_book_update(sim, market, &market->linears[0]);
    hg_sim_batch_end(sim);
}

/* One of the quieter contracts per turn. */
static void beat_others(hg_sim *sim, sim_market *market) {
    uint32_t at = 1 + market->next_linear++ % (market->linear_count - 1);
    sim_linear *linear = &market->linears[at];
    if (!hg_sim_linear_live(market, linear)) {
        return;
    }
    hg_sim_market_mark(sim, market, linear, false);
    hg_sim_book_update(sim, market, linear);
    hg_sim_batch_end(sim);
}

static void beat_trades(hg_sim *sim, sim_market *market) {
    hg_rng *rng = &market->trade_rng;
    double pace = (0.6 + 0.4 * sim->path.liquidity) * (1 + fmin(sim->path.stress, 4));
    for (double left = 0.25 * pace; left > 0; left -= 1) {
        if (hg_rng_uniform(rng) < left) {
            hg_sim_book_trade(sim, market, &market->linears[0]);
            hg_sim_batch_end(sim);
            pause_us(sim, 20000);
        }
    }
    if (hg_rng_uniform(rng) < 0.05 * pace) {
        uint64_t at = hg_rng_below(rng, market->linear_count);
        if (hg_sim_linear_live(market, &market->linears[at])) {
            hg_sim_book_trade(sim, market, &market->linears[at]);
            hg_sim_batch_end(sim);
        }
    }
    if (hg_rng_uniform(rng) < 0.04 * pace) {
        hg_sim_option_trade(sim, market);
    }
}

static void beat_market(hg_sim *sim, sim_market *market, bool whole) {
    bool turn = sim->beat % market->coin->pace == 0;
    if (!whole && turn) {
        hg_sim_book_update(sim, market, &market->linears[0]);
        hg_sim_batch_end(sim);
    }
    pause_us(sim, 20000);
    beat_trades(sim, market);
    if (turn) {
        beat_others(sim, market);
        pause_us(sim, 20000);
        hg_sim_option_beat(sim, market);
    }
}

static void beat_next(hg_sim *sim) {
    hg_sim_path_step(&sim->path);
    sim->beat++;
    int64_t beat_ns = sim->feed.start_ns + (int64_t)sim->beat * SIM_BEAT_NS;
    hg_assert(sim->now_ns <= beat_ns);
    sim->now_ns = beat_ns;
    bool whole = sim->beat % 2 == 0;
    for (uint32_t m = 0; m < SIM_MARKETS; m++) {
        sim_market *market = &sim->markets[m];
        market->price = exp(sim->path.log_price[m]);
        if (whole) {
            beat_index(sim, market);
        }
    }
    for (uint32_t m = 0; m < SIM_MARKETS; m++) {
        beat_market(sim, &sim->markets[m], whole);
    }
}

static int sim_next(hg_feed *feed, hg_event *event) {
    hg_sim *sim = (hg_sim *)feed;
    while (sim->head == sim->count) {
        sim->head = 0;
        sim->count = 0;
        sim->batch = 0;
        beat_next(sim);
    }
    *event = sim->events[sim->head++];
    return 1;
}

/* --- opening -----------------------------------------------------------------------------------
 */

static void sim_close(hg_feed *feed) {
    hg_sim *sim = (hg_sim *)feed;
    for (uint32_t m = 0; m < SIM_MARKETS; m++) {
        free(sim->markets[m].strikes);
    }
    free(sim->events);
    free(sim);
}

static const hg_feed_ops sim_ops = {.name = "sim", .next = sim_next, .close = sim_close};

static int start_time(int64_t wanted_ns, int64_t *start_ns) {
    if (wanted_ns == 0) {
        wanted_ns = DEFAULT_START_NS;
    }
    if (wanted_ns < 0 || wanted_ns > LATEST_START_NS) {
        return HG_ERR(HG_ERANGE, "start of the simulation must lie in 1970..2099");
    }
    *start_ns = (wanted_ns + HG_NS_PER_S - 1) / HG_NS_PER_S * HG_NS_PER_S;
    return HG_OK;
}

/* Room for the first beat, the largest there is, with a margin for a snapshot of every book. */
static int reserve_events(hg_sim *sim) {
    uint32_t capacity = 4096;
    for (uint32_t m = 0; m < SIM_MARKETS; m++) {
        const sim_market *market = &sim->markets[m];
        sim->feed.depth_count += market->linear_count;
        for (uint32_t e = 0; e < market->expiry_count; e++) {
            capacity += 4 * market->expiries[e].strike_count;
        }
    }
    sim->events = calloc(capacity, sizeof *sim->events);
    sim->capacity = capacity;
    return sim->events ? HG_OK : HG_ERR(HG_ENOMEM, "%u events of the simulation", capacity);
}

/* Half-lives in seconds and stationary deviations; stepped once a second. */
static void init_processes(hg_sim *sim) {
    sim->basis_ou = hg_sim_ou(3600, 0.006, 1);
    sim->noise_ou = hg_sim_ou(1200, 0.002, 1);
    sim->premium_ou = hg_sim_ou(180, 1.5e-4, 1);
    sim->iv_ou = hg_sim_ou(600, 0.012, 1);
    sim->skew_ou = hg_sim_ou(3600, 0.03, 1);
    sim->mark_keep = hg_sim_ou(20, 0, 1).keep; /* time constant of about 30 s */
}

static int sim_init(hg_sim *sim, const sim_scenario *scenario, uint64_t seed,
                    hg_universe *universe) {
    hg_rng_init(&sim->time_rng, seed, 6);
    hg_sim_path_init(&sim->path, scenario, seed);
    init_processes(sim);
    for (uint32_t m = 0; m < SIM_MARKETS; m++) {
        sim_market *market = &sim->markets[m];
        market->coin = &coins[m];
        market->index = m;
        int rc = hg_sim_chain_init(market, sim->feed.start_ns, universe);
        if (rc < 0) {
            return rc;
        }
        hg_sim_market_init(sim, market, seed);
        market->price = market->coin->price;
    }
    return reserve_events(sim);
}

int hg_sim_open(const hg_sim_options *options, hg_universe *universe, hg_feed **out) {
    const sim_scenario *scenario = NULL;
    int64_t start_ns = 0;
    int rc = hg_sim_scenario_find(options->scenario ? options->scenario : "calm", &scenario);
    if (rc == HG_OK) {
        rc = start_time(options->start_ns, &start_ns);
    }
    if (rc < 0) {
        return rc;
    }
    hg_sim *sim = calloc(1, sizeof *sim);
    if (!sim) {
        return HG_ERR(HG_ENOMEM, "the simulation");
    }
    sim->feed = (hg_feed){.ops = &sim_ops, .start_ns = start_ns};
    sim->now_ns = start_ns;
    rc = sim_init(sim, scenario, options->seed, universe);
    if (rc < 0) {
        sim_close(&sim->feed);
        return rc;
    }
    beat_first(sim);
    *out = &sim->feed;
    return HG_OK;
}
