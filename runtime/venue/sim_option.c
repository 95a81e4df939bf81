/* The option chain: a smile per expiry that moves with the market, marks and quotes from it.
 *
 * Total variance follows SSVI (Gatheral and Jacquier 2014, "Arbitrage-free SVI volatility
 * surfaces") w(k) = theta/2 (1 + rho phi k + sqrt((phi k + rho)^2 + 1 - rho^2)),  phi = ETA /
 * sqrt(theta) with k = ln(strike/forward), theta the at-the-money total variance, rho the skew
 * shared by all expiries. Free of butterflies while ETA^2 (1 + |rho|) <= 4 (theorem 4.2) and of
 * calendar spreads while theta grows with time, which the sum of decaying parts below does.
 *
 * Marks are Black-76 on the published forward with the published iv, divided by the forward,
 * rounded to six decimals as the venue's; a put is its call by parity, so one price serves both. */
#include "venue/sim_int.h"

#include "base/assert.h"
#include "domain/delivery.h"
#include "greeks/black76.h"

#include <math.h>

#define ETA 0.55
#define VARIANCE_PREMIUM 1.10 /* implied over expected variance */
#define REVERSION_SLOW 8.0    /* per year */
#define REVERSION_FAST 200.0
#define SPREAD_VOL 0.004 /* half the quoted spread at the money, vol */
#define SPREAD_DELTA 2e-4
#define TOUCH_LOTS 200.0
#define MICRO (HG_NANO / 1000000)

enum { HOT_EXPIRIES = 6, HOT_WIDTH = 8, SWEEP_BURST = 40 };

/* Mean over [0, t] of exp(-rate u). */
static double mean_decay(double rate, double t) {
    double x = rate * t;
    return x < 1e-6 ? 1 - x / 2 : (1 - exp(-x)) / x;
}

void hg_sim_option_variance(const hg_sim *sim, sim_market *market) {
    const sim_path *path = &sim->path;
    double vol_long = path->script.scenario->vol_long;
    double var_long = vol_long * vol_long;
    double beta = hg_sim_beta[market->index];
    double scale = VARIANCE_PREMIUM * beta * beta * exp(2 * market->iv_noise);
    for (uint32_t e = market->first; e < market->expiry_count; e++) {
        sim_expiry *expiry = &market->expiries[e];
        double t = (double)(expiry->time_ns - sim->now_ns) / (double)HG_NS_PER_YEAR;
        double mean = var_long + (path->var_slow - var_long) * mean_decay(REVERSION_SLOW, t) +
                      (path->var_now - path->var_slow) * mean_decay(REVERSION_FAST, t);
        expiry->variance = scale * mean;
        hg_assert(expiry->variance > 0);
    }
}

/* Puts get dearer than calls in stress. */
static double skew(const hg_sim *sim, const sim_market *market) {
    double stress = fmin(sim->path.stress, 2);
    return fmax(-0.6, fmin(0.2, -0.15 - 0.15 * stress + market->skew_noise));
}

/* Implied total variance at log-moneyness k. */
static double smile(double theta, double rho, double k) {
    double x = ETA / sqrt(theta) * k;
    double w = 0.5 * theta * (1 + rho * x + sqrt((x + rho) * (x + rho) + 1 - rho * rho));
    hg_assert(w > 0);
    return w;
}

/* --- one strike --------------------------------------------------------------------------------
 */

typedef struct {
    double call, put;  /* marks in coin */
    double vega;       /* coin per 1.00 of vol */
    double deviations; /* distance from the money in standard deviations */
} fair_value;

static hg_nano iv_round(double iv) {
    return (hg_nano)(iv * 1e6 + 0.5) * MICRO;
}

/* The out-of-the-money side by formula, the other one by parity: no digits are lost. */
static fair_value value_of(double f, double k, double t, double iv) {
    double sd = iv * sqrt(t);
    double d1 = log(f / k) / sd + 0.5 * sd;
    int cp = k >= f ? 1 : -1;
    double price = 0;
    int rc = hg_black76_price(f, k, t, iv, cp, 0, &price);
    hg_assert(rc == 0);
    double otm = price / f;
    double parity = (f - k) / f;
    return (fair_value){.call = cp > 0 ? otm : otm + parity,
                        .put = cp > 0 ? otm - parity : otm,
                        .vega = 0.39894228040143268 * exp(-0.5 * d1 * d1) * sqrt(t),
                        .deviations = fabs(d1 - 0.5 * sd)};
}

static hg_lots touch_lots(const hg_sim *sim, sim_market *market, double deviations) {
    double mean = TOUCH_LOTS * hg_sim_path_depth(&sim->path) / (1 + 0.5 * deviations * deviations);
    return 1 + (hg_lots)(mean * (0.3 + 1.4 * hg_rng_uniform(&market->option_rng)));
}

/* Half the spread in coin: vol risk, plus delta risk, at least half a tick. A premium of a quarter
 * coin or more moves like the coin. */
static double half_spread(const hg_sim *sim, const fair_value *value, double mark) {
    double wide = hg_sim_path_spread(&sim->path);
    double vol = SPREAD_VOL * (1 + 0.4 * value->deviations * value->deviations);
    double delta = fmin(1, mark * 4);
    return 0.00005 + wide * (value->vega * vol + SPREAD_DELTA * delta);
}

static void quote_option(hg_sim *sim, sim_market *market, sim_strike *strike, int put, double mark,
                         const fair_value *value) {
    double half = half_spread(sim, value, mark);
    const hg_instrument *terms = &market->option;
    double tick = hg_price_to_double(terms, 1);
    hg_ticks bid = mark - half >= tick ? hg_price_round(terms, mark - half, -1) : 0;
    hg_ticks ask = hg_price_round(terms, mark + half, 1);
    hg_assert(bid >= 0 && ask > bid);
    if (bid == strike->bid[put].price && ask == strike->ask[put].price) {
        return;
    }
    strike->bid[put].price = bid;
    strike->bid[put].size = bid > 0 ? touch_lots(sim, market, value->deviations) : 0;
    strike->ask[put].price = ask;
    strike->ask[put].size = touch_lots(sim, market, value->deviations);
    hg_sim_quote(sim, strike->id[put], strike->bid[put], strike->ask[put]);
}

void hg_sim_option_mark(hg_sim *sim, sim_market *market, sim_expiry *expiry, sim_strike *strike) {
    int64_t left_ns = expiry->time_ns - sim->now_ns;
    hg_assert(left_ns > 0);
    double t = hg_delivery_years(expiry->time_ns, sim->now_ns);
    double w = smile(expiry->variance * t, skew(sim, market),
                     log(strike->strike / expiry->forward));
    hg_nano iv = iv_round(fmin(sqrt(w / t), 5));
    fair_value value = value_of(expiry->forward, strike->strike, t, hg_nano_to_double(iv));
    for (int put = 0; put < 2; put++) {
        double mark = put ? value.put : value.call;
        hg_nano nano = (hg_nano)(fmax(mark, 0) * 1e6 + 0.5) * MICRO;
        hg_sim_mark(sim, strike->id[put], nano, iv);
        quote_option(sim, market, strike, put, mark, &value);
    }
}

/* --- the rolling re-mark -----------------------------------------------------------------------
 */

/* First strike at or above the forward. */
static uint32_t at_the_money(const sim_expiry *expiry) {
    uint32_t lo = 0;
    uint32_t hi = expiry->strike_count - 1;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (expiry->strikes[mid].strike < expiry->forward) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static void remark(hg_sim *sim, sim_market *market, sim_expiry *expiry, sim_strike *strike) {
    sim->now_ns += (int64_t)(hg_rng_next(&sim->time_rng) % 1000) * HG_NS_PER_US;
    hg_sim_option_mark(sim, market, expiry, strike);
    hg_sim_batch_end(sim);
}

/* The strikes around the money of the nearest expiries, one after the other. */
static void remark_hot(hg_sim *sim, sim_market *market) {
    uint32_t live = market->expiry_count - market->first;
    uint32_t expiries = live < HOT_EXPIRIES ? live : HOT_EXPIRIES;
    uint32_t at = market->hot++ % (expiries * HOT_WIDTH);
    sim_expiry *expiry = &market->expiries[market->first + at / HOT_WIDTH];
    uint32_t strike = at_the_money(expiry) + at % HOT_WIDTH;
    if (strike >= HOT_WIDTH / 2 && strike - HOT_WIDTH / 2 < expiry->strike_count) {
        remark(sim, market, expiry, &expiry->strikes[strike - HOT_WIDTH / 2]);
    }
}

static void remark_sweep(hg_sim *sim, sim_market *market) {
    if (market->sweep_expiry < market->first || market->sweep_expiry >= market->expiry_count) {
        market->sweep_expiry = market->first;
        market->sweep_strike = 0;
    }
    sim_expiry *expiry = &market->expiries[market->sweep_expiry];
    hg_assert(market->sweep_strike < expiry->strike_count);
    remark(sim, market, expiry, &expiry->strikes[market->sweep_strike]);
    market->sweep_strike++;
    if (market->sweep_strike == expiry->strike_count) {
        market->sweep_strike = 0;
        market->sweep_expiry++;
    }
}

/* After a move of a quarter per cent or of three per cent in vol makers re-quote everything. */
static void hurry(sim_market *market) {
    double variance = market->expiries[market->first].variance;
    bool moved = fabs(market->price / market->sweep_price - 1) > 0.0025 ||
                 fabs(variance / market->sweep_variance - 1) > 0.06;
    if (!moved) {
        return;
    }
    market->sweep_price = market->price;
    market->sweep_variance = variance;
    market->sweep_left = 0;
    for (uint32_t e = market->first; e < market->expiry_count; e++) {
        market->sweep_left += market->expiries[e].strike_count;
    }
}

void hg_sim_option_beat(hg_sim *sim, sim_market *market) {
    if (market->first == market->expiry_count) {
        return;
    }
    hurry(market);
    for (uint32_t i = 0; i < market->coin->hot_pairs; i++) {
        remark_hot(sim, market);
    }
    uint32_t sweeps = market->coin->sweep_pairs;
    if (market->sweep_left > 0) {
        sweeps = market->sweep_left < SWEEP_BURST ? market->sweep_left : SWEEP_BURST;
        market->sweep_left -= sweeps;
    }
    for (uint32_t i = 0; i < sweeps; i++) {
        remark_sweep(sim, market);
    }
}

/* A public trade at the touch of some option near the money. */
void hg_sim_option_trade(hg_sim *sim, sim_market *market) {
    if (market->first == market->expiry_count) {
        return;
    }
    hg_rng *rng = &market->trade_rng;
    uint32_t live = market->expiry_count - market->first;
    const sim_expiry *expiry = &market->expiries[market->first + hg_rng_below(rng, live)];
    const sim_strike *strike = &expiry->strikes[hg_rng_below(rng, expiry->strike_count)];
    bool buy = hg_rng_below(rng, 2) == 0;
    bool put = strike->strike < expiry->forward; /* the out-of-the-money side trades */
    sim_level touch = buy ? strike->ask[put] : strike->bid[put];
    if (touch.size == 0) {
        return;
    }
    hg_event *event = hg_sim_push(sim, HG_EV_TRADE, strike->id[put]);
    event->side = buy ? HG_BUY : HG_SELL;
    event->level.price = touch.price;
    event->level.size = 1 + (hg_lots)hg_rng_below(rng, (uint64_t)(touch.size + 3) / 4);
    hg_assert(event->level.size <= touch.size);
    hg_sim_batch_end(sim);
}
