#ifndef HG_VENUE_SIM_INT_H
#define HG_VENUE_SIM_INT_H

#include "venue/sim.h"

#include "base/clock.h"
#include "base/rng.h"

/* The parts of the synthetic market. Doubles here are model state; whatever leaves as an event is
 * rounded to a scaled integer first. Vols are fractions per sqrt(year), times of scripts are
 * seconds since the start. */

#define SIM_BEAT_NS                                                                                \
    (500 * HG_NS_PER_MS) /* step of the latent price; the index ticks on every 2nd */
#define SIM_BEAT_S 0.5
#define SIM_YEAR_S (365.0 * 86400.0)
#define SIM_AVERAGE 1800 /* seconds averaged into a delivery price (Deribit: last 30 minutes) */

enum {
    SIM_MARKETS = 2,
    SIM_EXPIRIES = 20,   /* per coin */
    SIM_STRIKES = 96,    /* per expiry */
    SIM_LINEARS = 8,     /* perpetuals, spot and futures per coin */
    SIM_LEVELS = 40,     /* room per side of a book */
    SIM_LEVELS_KEPT = 20 /* what a side returns to */
};

/* --- scenarios: sim_scenario.c -----------------------------------------------------------------
 */

typedef struct sim_knot {
    double at_s;
    double value;
} sim_knot;

/* A jump at a time drawn from [from_s, to_s], of a log size drawn from [lo, hi]. */
typedef struct sim_shock {
    double from_s, to_s;
    double lo, hi;
    int sign; /* -1, +1, 0 = drawn */
} sim_shock;

enum { SIM_KNOTS = 10, SIM_SHOCKS = 8 };

/* Knots run in time and end at the first `at_s` that does not grow; values between them are
 * interpolated, after the last one held. */
typedef struct sim_scenario {
    const char *name;
    double vol_long;     /* level that far expiries trade around */
    double rho;          /* correlation of spot and vol */
    double jump_per_day; /* unscripted jumps at vol_long; grows with variance */
    double jump_sd;      /* log size */
    double jump_vol;     /* growth of log vol per unit of log jump */
    double chop;         /* amplitude of the swings around the path */
    sim_knot vol[SIM_KNOTS];
    sim_knot drift[SIM_KNOTS];     /* log displacement of the price */
    sim_knot liquidity[SIM_KNOTS]; /* 1 = an ordinary weekday */
    sim_shock shocks[SIM_SHOCKS];  /* up to the first with to_s == 0 */
} sim_scenario;

/* A scenario with its random choices made. */
typedef struct sim_script {
    const sim_scenario *scenario;
    double drift_scale;
    double chop_phase[2];
    double shock_at_s[SIM_SHOCKS];
    double shock_size[SIM_SHOCKS]; /* signed, log */
    uint32_t shock_count;
} sim_script;

HG_MUST_CHECK int hg_sim_scenario_find(const char *name, const sim_scenario **out);
void hg_sim_script_init(sim_script *script, const sim_scenario *scenario, uint64_t seed);
double hg_sim_script_vol(const sim_script *script, double at_s);
double hg_sim_script_drift(const sim_script *script, double at_s);
double hg_sim_script_liquidity(const sim_script *script, double at_s);
double hg_sim_script_shock(const sim_script *script, double after_s, double until_s);

/* --- the price process: sim_path.c -------------------------------------------------------------
 */

/* A mean-reverting Gaussian stepped exactly over a fixed interval. */
typedef struct sim_ou {
    double keep; /* exp(-step / relaxation time) */
    double kick; /* standard deviation added per step */
} sim_ou;

sim_ou hg_sim_ou(double half_life_s, double sd, double step_s);
double hg_sim_ou_step(const sim_ou *ou, double x, double mean, double z);

typedef struct sim_path {
    sim_script script;
    hg_rng spot, vol_rng, jump, cross;
    sim_ou level_ou, fast_ou;
    double shock_keep;
    double at_s;
    double log_price[SIM_MARKETS];
    double level, fast; /* log vol over the scripted one: slow and fast part */
    double drift;       /* scripted displacement already applied */
    double shock;       /* memory of jumps, fades within minutes */
    double var_slow;    /* (scripted vol * e^level)^2 */
    double var_now;     /* with the fast part */
    double vol;         /* its root: what the price moves by now */
    double stress;      /* 0 = quiet; widens spreads, thins books */
    double liquidity;
} sim_path;

extern const double hg_sim_beta[SIM_MARKETS]; /* moves and vols relative to the first coin */

void hg_sim_path_init(sim_path *path, const sim_scenario *scenario, uint64_t seed);
void hg_sim_path_step(sim_path *path);           /* one beat */
double hg_sim_path_spread(const sim_path *path); /* multiple of the ordinary spread */
double hg_sim_path_depth(const sim_path *path);  /* multiple of the ordinary size */

/* --- markets -----------------------------------------------------------------------------------
 */

typedef struct sim_level {
    hg_ticks price;
    hg_lots size;
} sim_level;

typedef struct sim_side {
    sim_level levels[SIM_LEVELS]; /* best first */
    uint32_t count;
} sim_side;

typedef enum { SIM_PERPETUAL, SIM_PERPETUAL_LINEAR, SIM_SPOT, SIM_FUTURE } sim_role;

typedef struct sim_linear {
    hg_instrument inst; /* a copy: the universe may move its own */
    sim_role role;
    uint32_t expiry; /* of futures: place in the market's expiries */
    double premium;  /* of the traded price over its base, fraction */
    double premium_mark;
    hg_nano mark;
    hg_nano funding;
    int64_t funding_ns;
    sim_side side[2]; /* bids, asks */
    sim_level quoted[2];
} sim_linear;

typedef struct sim_strike {
    double strike;
    uint32_t id[2]; /* call, put */
    sim_level bid[2], ask[2];
} sim_strike;

typedef struct sim_expiry {
    int64_t time_ns;
    uint32_t id;
    uint32_t strike_count;
    sim_strike *strikes; /* ascending */
    double noise;        /* of the basis, annual */
    double ratio;        /* forward over index, now */
    double forward;      /* as published */
    int64_t forward_ns;
    double variance; /* at the money, per year */
} sim_expiry;

/* What tells the coins apart. */
typedef struct sim_coin {
    const char *name;
    double price;       /* at the start, USD */
    double strike_unit; /* finest spacing of strikes, USD */
    double funding_max; /* clamp of the 8 h rate */
    double size_usd;    /* ordinary size at the touch of the perpetual */
    int dailies, weeklies, monthlies, quarterlies, futures;
    uint32_t hot_pairs;   /* re-marked per beat at the money ... */
    uint32_t sweep_pairs; /* ... and everywhere */
    uint32_t pace;        /* beats per turn of books and options */
} sim_coin;

typedef struct sim_market {
    const sim_coin *coin;
    uint32_t index;       /* place in hg_sim.markets */
    uint32_t id;          /* underlying */
    hg_instrument option; /* terms shared by all its options */
    sim_expiry expiries[SIM_EXPIRIES];
    uint32_t expiry_count;
    uint32_t first; /* the nearest live expiry */
    sim_linear linears[SIM_LINEARS];
    uint32_t linear_count;
    sim_strike *strikes; /* of all expiries, one block */
    double price;        /* latent */
    hg_nano index_nano;  /* as published */
    hg_nano samples[SIM_AVERAGE];
    uint32_t sample_count; /* ever */
    double basis;          /* annual */
    double iv_noise;       /* log */
    double skew_noise;
    hg_rng basis_rng, premium_rng, smile_rng, book_rng, trade_rng, option_rng;
    uint32_t hot, sweep_expiry, sweep_strike, next_linear; /* cursors */
    uint32_t sweep_left;                                   /* pairs of a hurried sweep */
    double sweep_price, sweep_variance;
} sim_market;

typedef struct hg_sim {
    hg_feed feed;
    sim_path path;
    sim_market markets[SIM_MARKETS];
    sim_ou basis_ou, noise_ou, premium_ou, iv_ou, skew_ou;
    double mark_keep;
    hg_rng time_rng;
    uint64_t beat;
    int64_t now_ns;
    hg_event *events;
    uint32_t capacity, count, head;
    uint32_t batch; /* first event of the open batch */
} hg_sim;

/* Appends an event at the present time, marked as followed by more. */
hg_event *hg_sim_push(hg_sim *sim, hg_event_kind kind, uint32_t id);
void hg_sim_batch_end(hg_sim *sim);
void hg_sim_mark(hg_sim *sim, uint32_t id, hg_nano price, hg_nano iv);
void hg_sim_quote(hg_sim *sim, uint32_t id, sim_level bid, sim_level ask);
void hg_sim_price(hg_sim *sim, hg_event_kind kind, uint32_t id, hg_nano value);

/* sim_chain.c: instruments */
HG_MUST_CHECK int hg_sim_chain_init(sim_market *market, int64_t start_ns, hg_universe *universe);

/* sim_option.c: the smile, marks and quotes of options */
void hg_sim_option_variance(const hg_sim *sim, sim_market *market); /* at the money, per expiry */
void hg_sim_option_mark(hg_sim *sim, sim_market *market, sim_expiry *expiry, sim_strike *strike);
void hg_sim_option_beat(hg_sim *sim, sim_market *market); /* the rolling re-mark */
void hg_sim_option_trade(hg_sim *sim, sim_market *market);

/* sim_book.c: depth, quotes and trades of everything else */
void hg_sim_book_snapshot(hg_sim *sim, sim_market *market, sim_linear *linear);
void hg_sim_book_update(hg_sim *sim, sim_market *market, sim_linear *linear);
void hg_sim_book_trade(hg_sim *sim, sim_market *market, sim_linear *linear);

/* sim_market.c: index, forwards, marks, funding, settlement */
void hg_sim_market_init(hg_sim *sim, sim_market *market, uint64_t seed);
void hg_sim_market_step(hg_sim *sim, sim_market *market); /* every second */
void hg_sim_market_index(hg_sim *sim, sim_market *market);
void hg_sim_market_forwards(hg_sim *sim, sim_market *market, bool all);
void hg_sim_market_mark(hg_sim *sim, sim_market *market, sim_linear *linear, bool force_funding);
void hg_sim_market_settle(hg_sim *sim, sim_market *market);
double hg_sim_market_fair(const sim_market *market, const sim_linear *linear);
bool hg_sim_linear_live(const sim_market *market, const sim_linear *linear);

#endif
