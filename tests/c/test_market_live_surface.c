/* The live surface: what it is a fit to, that the answer does not depend on who asked before, and
 * that the way a smile moves is learnt from what it did. */
#include "base/clock.h"
#include "base/rng.h"
#include "greeks/black76.h"
#include "market/live_surface.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { EXPIRIES = 3, STRIKES = 11, OPTIONS = EXPIRIES * STRIKES * 2, MARKETS = 2 };

static const char *const dates[EXPIRIES] = {"6FEB26", "27FEB26", "27MAR26"};
static const double skews[EXPIRIES] = {-0.25, -0.2, -0.15};

static hg_universe *universe;
static hg_market *markets[MARKETS];
static int markets_count;
static uint32_t ids[OPTIONS];
static int64_t now_ns;

static void start(int count) {
    universe = hg_universe_new();
    uint32_t id = 0;
    int n = 0;
    CHECK_EQ(hg_universe_add_name(universe, "BTC-PERPETUAL", &id), 0);
    for (int e = 0; e < EXPIRIES; e++) {
        for (int i = 0; i < STRIKES; i++) {
            for (int side = 0; side < 2; side++) {
                char name[HG_NAME_MAX];
                snprintf(name, sizeof name, "BTC-%s-%d-%c", dates[e], 70000 + 4000 * i, "PC"[side]);
                CHECK_EQ(hg_universe_add_name(universe, name, &ids[n++]), 0);
            }
        }
    }
    markets_count = count;
    hg_market_options options = {.depth_books = 1, .depth_levels = 4};
    for (int i = 0; i < count; i++) {
        markets[i] = hg_market_new(universe, &options);
        CHECK(markets[i] != NULL);
    }
    now_ns = INT64_C(1769644800) * HG_NS_PER_S; /* 2026-01-29 00:00 */
}

static void stop(void) {
    for (int i = 0; i < markets_count; i++) hg_market_free(markets[i]);
    hg_universe_free(universe);
}

static void apply(hg_event e) {
    e.time_ns = now_ns;
    for (int i = 0; i < markets_count; i++) CHECK(hg_market_apply(markets[i], &e));
}

static void index_at(double price) {
    hg_event e = {.kind = HG_EV_INDEX, .id = 0};
    e.price.value = (hg_nano)llround(price * 1e9);
    apply(e);
}

static void quote_at(uint32_t id, double bid, double ask) {
    const hg_instrument *inst = hg_universe_get(universe, id);
    hg_event e = {.kind = HG_EV_QUOTE, .id = id};
    e.quote.bid = (hg_ticks)floor(bid * 1e9 / (double)inst->tick);
    e.quote.ask = (hg_ticks)ceil(ask * 1e9 / (double)inst->tick);
    e.quote.bid_size = e.quote.bid > 0 ? 10 : 0;
    e.quote.ask_size = e.quote.ask > 0 ? 10 : 0;
    if (e.quote.ask <= e.quote.bid) e.quote.ask = e.quote.bid + 1;
    apply(e);
}

static void mark_at(uint32_t id, double iv) {
    hg_event e = {.kind = HG_EV_MARK, .id = id};
    e.mark.price = 1000000;
    e.mark.iv = (hg_nano)llround(iv * 1e9);
    apply(e);
}

static double vol_of(int option, double spot, double level) {
    int e = option / (STRIKES * 2);
    double k = log(hg_nano_to_double(hg_universe_get(universe, ids[option])->strike) / spot);
    return level + skews[e] * k + 0.5 * k * k;
}

static void quote_vol(int option, double spot, double vol, double half) {
    const hg_instrument *inst = hg_universe_get(universe, ids[option]);
    double years = hg_market_years(inst->expiry_ns, now_ns);
    double strike = hg_nano_to_double(inst->strike);
    double bid = 0;
    double ask = 0;
    CHECK_EQ(hg_black76_price(spot, strike, years, vol - half, inst->cp, 0, &bid), 0);
    CHECK_EQ(hg_black76_price(spot, strike, years, vol + half, inst->cp, 0, &ask), 0);
    quote_at(ids[option], bid / spot, ask / spot);
}

static void quote_all(double spot, double level) {
    for (int i = 0; i < OPTIONS; i++) quote_vol(i, spot, vol_of(i, spot, level), 0.01);
}

static void mark_all(double spot, double level) {
    for (int i = 0; i < OPTIONS; i++) mark_at(ids[i], vol_of(i, spot, level));
}

static const hg_live_surface *ask(int market, hg_surface_model model) {
    return hg_market_surface(markets[market], 0, model, now_ns);
}

static double atm_of(const hg_live_surface *live, int expiry) {
    double iv = 0;
    const hg_surface_slice *slice = &live->surface.slices[expiry];
    CHECK_EQ(hg_surface_iv(&live->surface, slice->t, slice->forward, &iv), 0);
    return iv;
}

TEST(nothing_known_is_no_surface) {
    start(1);
    CHECK(ask(0, HG_SURFACE_ESSVI) == NULL);
    index_at(88000);
    CHECK(ask(0, HG_SURFACE_ESSVI) == NULL);
    quote_at(ids[0], 0, 0.01);
    CHECK(ask(0, HG_SURFACE_ESSVI) == NULL); /* one side alone */
    stop();
}

TEST(the_first_quotes_show_at_once) {
    start(1);
    index_at(88000);
    quote_all(88000, 0.5);
    const hg_live_surface *live = ask(0, HG_SURFACE_ESSVI);
    CHECK(live != NULL);
    CHECK_EQ(live->surface.n, EXPIRIES);
    CHECK_EQ(live->state.newest_ns, now_ns);
    for (int e = 0; e < EXPIRIES; e++) CHECK_NEAR(atm_of(live, e), 0.5, 0.01);
    stop();
}

/* Within a period the surface stays that of its beginning, whoever asks and whatever is quoted. */
TEST(the_surface_is_that_of_the_last_ten_seconds) {
    start(1);
    index_at(88000);
    quote_all(88000, 0.5);
    now_ns += 10 * HG_NS_PER_S;
    quote_all(88000, 0.7);
    const hg_live_surface *live = ask(0, HG_SURFACE_ESSVI);
    CHECK(live != NULL);
    CHECK_EQ(live->time_ns, now_ns);
    CHECK_NEAR(atm_of(live, 1), 0.5, 0.01);
    uint64_t version = live->version;
    now_ns += 9 * HG_NS_PER_S;
    quote_all(88000, 0.8);
    CHECK_EQ(ask(0, HG_SURFACE_ESSVI)->version, version);
    now_ns += HG_NS_PER_S;
    CHECK_NEAR(atm_of(ask(0, HG_SURFACE_ESSVI), 1), 0.8, 0.01);
    stop();
}

/* A feed that speaks once an hour is shown when it speaks. */
TEST(a_sparse_feed_shows_at_once) {
    start(1);
    index_at(88000);
    quote_all(88000, 0.5);
    now_ns += HG_NS_PER_HOUR + 3 * HG_NS_PER_S;
    quote_all(88000, 0.6);
    const hg_live_surface *live = ask(0, HG_SURFACE_ESSVI);
    CHECK_NEAR(atm_of(live, 1), 0.6, 0.01);
    char reasons[80];
    CHECK_EQ(hg_live_quality(&live->state, now_ns, reasons, sizeof reasons), HG_QUALITY_GOOD);
    now_ns += HG_NS_PER_HOUR;
    live = ask(0, HG_SURFACE_ESSVI);
    CHECK_NEAR(atm_of(live, 1), 0.6, 0.01);
    CHECK_EQ(hg_live_quality(&live->state, now_ns, reasons, sizeof reasons), HG_QUALITY_STALE);
    CHECK_STR(reasons, "option prices older than 600 s");
    stop();
}

/* Prices count at the moneyness they were made at, whatever the spot did since. */
TEST(old_quotes_keep_their_moneyness) {
    start(1);
    index_at(88000);
    quote_all(88000, 0.5);
    index_at(92000);
    const hg_live_surface *live = ask(0, HG_SURFACE_ESSVI);
    double vol = 0;
    CHECK_EQ(
        hg_surface_total_variance(&live->surface, log(78000.0 / 88000), live->expiry[1].t, &vol),
        0);
    CHECK_NEAR(sqrt(vol / live->expiry[1].t), vol_of(STRIKES * 2 + 4, 88000, 0.5), 0.01);
    stop();
}

TEST(marks_stand_in_for_quotes) {
    start(1);
    index_at(88000);
    mark_all(88000, 0.5);
    CHECK_NEAR(atm_of(ask(0, HG_SURFACE_ESSVI), 1), 0.5, 0.005);
    /* Quotes with two sides are believed more. */
    now_ns += 2 * HG_SURFACE_PERIOD_NS;
    quote_all(88000, 0.6);
    now_ns += HG_SURFACE_PERIOD_NS;
    CHECK_NEAR(atm_of(ask(0, HG_SURFACE_ESSVI), 1), 0.6, 0.01);
    stop();
}

TEST(expiries_left_out_are_told) {
    start(1);
    index_at(88000);
    for (int i = 0; i < STRIKES * 2; i++) quote_vol(i, 88000, 0.5, 0.01);
    for (int i = STRIKES * 2; i < STRIKES * 4; i++) quote_at(ids[i], 0, 0.3);
    const hg_live_surface *live = ask(0, HG_SURFACE_ESSVI);
    char reasons[80];
    CHECK_EQ(live->surface.n, 1);
    CHECK_EQ(hg_live_quality(&live->state, now_ns, reasons, sizeof reasons), HG_QUALITY_PARTIAL);
    CHECK_STR(reasons, "1 of 3 expiries are not in it");
    stop();
}

static void surfaces_are_equal(const hg_live_surface *a, const hg_live_surface *b) {
    CHECK_EQ(a == NULL, b == NULL);
    if (!a) return;
    CHECK_EQ(a->time_ns, b->time_ns);
    CHECK_EQ(a->state.newest_ns, b->state.newest_ns);
    CHECK_EQ(a->state.left_out, b->state.left_out);
    CHECK_EQ(a->surface.n, b->surface.n);
    CHECK_EQ(a->count, b->count);
    for (int i = 0; i < a->surface.n; i++) {
        const hg_surface_slice *x = &a->surface.slices[i];
        const hg_surface_slice *y = &b->surface.slices[i];
        CHECK_EQ(x->key, y->key);
        CHECK(x->t == y->t && x->forward == y->forward);
        CHECK_MEM(&x->svi, &y->svi, sizeof x->svi);
        CHECK_MEM(&x->sabr, &y->sabr, sizeof x->sabr);
    }
}

static void random_event(hg_rng *rng, double *spot) {
    int option = (int)(hg_rng_below(rng, OPTIONS));
    double level = 0.4 + 0.2 * hg_rng_uniform(rng);
    switch (hg_rng_below(rng, 6)) {
    case 0:
        *spot *= 0.998 + 0.004 * hg_rng_uniform(rng);
        index_at(*spot);
        break;
    case 1:
        mark_at(ids[option], level);
        break;
    case 2:
        quote_at(ids[option], 0, 0.05 * hg_rng_uniform(rng));
        break;
    default:
        quote_vol(option, *spot, vol_of(option, *spot, level), 0.03);
    }
}

/* Two markets hear the same; one is asked all the time, of every model, the other now and then. */
TEST(the_answer_does_not_depend_on_who_asked_before) {
    hg_rng rng;
    uint64_t seed = 20260129;
    double spot = 88000;
    hg_rng_init(&rng, seed, 0);
    printf("note: seed %llu\n", (unsigned long long)seed);
    start(2);
    index_at(spot);
    int compared = 0;
    for (int step = 0; step < 3000; step++) {
        /* mostly seconds apart, sometimes minutes or hours */
        uint32_t kind = (uint32_t)hg_rng_below(&rng, 50);
        int64_t gap = kind == 0  ? 3 * HG_NS_PER_HOUR
                      : kind < 4 ? 90 * HG_NS_PER_S
                                 : 15 * HG_NS_PER_S;
        if (hg_rng_below(&rng, 3) == 0) now_ns += (int64_t)((double)gap * hg_rng_uniform(&rng));
        random_event(&rng, &spot);
        if (hg_rng_below(&rng, 4) == 0) {
            now_ns += (int64_t)hg_rng_below(&rng, 2) * 4 * HG_NS_PER_S; /* as a timer would ask */
            (void)ask(0, (hg_surface_model)hg_rng_below(&rng, 3));
        }
        if (hg_rng_below(&rng, 60) == 0) {
            for (int model = 0; model < 3; model++) {
                surfaces_are_equal(ask(0, (hg_surface_model)model),
                                   ask(1, (hg_surface_model)model));
                compared++;
            }
        }
    }
    CHECK(compared > 100);
    CHECK_EQ(memcmp(hg_market_dynamics(markets[0], 0), hg_market_dynamics(markets[1], 0),
                    sizeof(hg_smile_dynamics)),
             0);
    CHECK(hg_market_dynamics(markets[0], 0)->samples > 5);
    stop();
}

/* A smile that moves with a known ratio: vol(K) = level + skew ln(K/S0) + (R - 1) skew ln(S/S0),
 * to first order, so that the at-the-money vol moves by R skew dlnS. */
static void stickiness(double ratio) {
    hg_rng rng;
    double spot = 88000;
    hg_rng_init(&rng, 7, 0);
    start(1);
    for (int i = 0; i < 400; i++) {
        spot *= exp(0.004 * (hg_rng_uniform(&rng) - 0.5) * 3.46);
        index_at(spot);
        double level = 0.5 + ratio * skews[1] * log(spot / 88000);
        for (int n = 0; n < OPTIONS; n++) {
            double k = log(hg_nano_to_double(hg_universe_get(universe, ids[n])->strike) / spot);
            mark_at(ids[n], level + skews[1] * k);
        }
        now_ns += HG_DYNAMICS_PERIOD_NS;
    }
    const hg_smile_dynamics *d = hg_market_dynamics(markets[0], 0);
    hg_ssr_estimate e = hg_ssr_get(&d->ssr);
    /* The prior of 1 counts as 36 samples of some 240 remembered. */
    double weight = e.weight / (e.weight + 36);
    CHECK(d->samples > 390);
    CHECK_NEAR(e.ssr, weight * ratio + (1 - weight), 0.15);
    double f = spot;
    double vega = 1e4;
    double delta = 0;
    CHECK_EQ(hg_min_variance_delta(&d->min_variance[1], 0.5, vega, 30 / 365.0, f, &delta), 0);
    /* dE[sigma(K)]/dF = (R - 1) skew/F: the delta of least variance. */
    CHECK_NEAR(delta - 0.5, vega * (ratio - 1) * skews[1] / f, 0.15 * vega * 0.2 / f);
    stop();
}

TEST(stickiness_is_learnt_from_what_the_smile_did) {
    stickiness(0);
    stickiness(1);
    stickiness(2);
}
