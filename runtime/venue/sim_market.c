/* Index, forwards, marks, funding and delivery of one coin.
 *
 * The index is published once a second. Forwards carry an annual basis that falls in stress, plus
 * a noise per expiry. A perpetual trades at a premium to the index that turns negative in a
 * sell-off; its mark follows the premium with a lag of 30 s, and the funding rate follows from the
 * published mark by the venue's formula. Within the last half hour a forward is the expected
 * delivery price: the average so far and the index, weighted by time (deribit.com, "Settlement
 * prices"). */
#include "venue/sim_int.h"

#include "base/assert.h"

#include <math.h>

#define CENT (HG_NANO / 100)
/* A forward is published again when it has moved this much, or after FORWARD_NS. */
#define FORWARD_MOVE 1e-4
#define FORWARD_NS (5 * HG_NS_PER_S)
#define FUNDING_NS (8 * HG_NS_PER_S)
#define AVERAGE_NS (SIM_AVERAGE * HG_NS_PER_S)

static hg_nano to_cents(double value) {
    hg_assert(value > 0 && value < 9e7);
    return (hg_nano)(value * 100 + 0.5) * CENT;
}

bool hg_sim_linear_live(const sim_market *market, const sim_linear *linear) {
    hg_assert(linear->expiry < market->expiry_count);
    return linear->role != SIM_FUTURE || linear->expiry >= market->first;
}

void hg_sim_market_init(hg_sim *sim, sim_market *market, uint64_t seed) {
    uint64_t stream = 16 + 16 * (uint64_t)market->index;
    hg_rng_init(&market->basis_rng, seed, stream);
    hg_rng_init(&market->premium_rng, seed, stream + 1);
    hg_rng_init(&market->book_rng, seed, stream + 2);
    hg_rng_init(&market->trade_rng, seed, stream + 3);
    hg_rng_init(&market->option_rng, seed, stream + 4);
    hg_rng_init(&market->smile_rng, seed, stream + 5);
    market->basis = 0.05;
    sim->path.log_price[market->index] = log(market->coin->price);
    hg_assert(market->linear_count > 0);
    for (uint32_t i = 0; i < market->linear_count; i++) {
        market->linears[i].premium = market->linears[i].role == SIM_PERPETUAL ? 1e-4 : 0;
        market->linears[i].premium_mark = market->linears[i].premium;
    }
}

/* --- one second of the model -------------------------------------------------------------------
 */

static double forward_of(const hg_sim *sim, const sim_market *market, const sim_expiry *expiry);

/* Annual basis: 5 % when quiet, negative in panic, as in March 2020 and February 2026. */
static void step_basis(hg_sim *sim, sim_market *market) {
    double stress = fmin(sim->path.stress, 1.5);
    double mean = 0.05 - 0.06 * stress;
    double z = hg_rng_normal(&market->basis_rng);
    market->basis = hg_sim_ou_step(&sim->basis_ou, market->basis, mean, z);
    for (uint32_t e = market->first; e < market->expiry_count; e++) {
        sim_expiry *expiry = &market->expiries[e];
        double own = hg_rng_normal(&market->basis_rng);
        expiry->noise = hg_sim_ou_step(&sim->noise_ou, expiry->noise, 0, own);
        double years = (double)(expiry->time_ns - sim->now_ns) / (double)HG_NS_PER_YEAR;
        expiry->ratio = exp((market->basis + expiry->noise) * years);
        if (expiry->time_ns - sim->now_ns < AVERAGE_NS && market->sample_count > 0) {
            /* its futures trade at the expected delivery price */
            expiry->ratio = forward_of(sim, market, expiry) / hg_nano_to_double(market->index_nano);
        }
    }
}

static double premium_mean(const hg_sim *sim, sim_role role) {
    double stress = fmin(sim->path.stress, 4);
    switch (role) {
    case SIM_PERPETUAL:
        return 1e-4 - 4e-4 * stress;
    case SIM_PERPETUAL_LINEAR:
        return 0.8e-4 - 3e-4 * stress;
    case SIM_SPOT:
    case SIM_FUTURE:
        return 0;
    }
    hg_assert_fail("role", __FILE__, __LINE__);
}

static void step_premiums(hg_sim *sim, sim_market *market) {
    for (uint32_t i = 0; i < market->linear_count; i++) {
        sim_linear *linear = &market->linears[i];
        bool perpetual = linear->role <= SIM_PERPETUAL_LINEAR;
        double z = hg_rng_normal(&market->premium_rng) * (perpetual ? 1 : 0.2);
        double mean = premium_mean(sim, linear->role);
        linear->premium = hg_sim_ou_step(&sim->premium_ou, linear->premium, mean, z);
        linear->premium_mark = linear->premium +
                               (linear->premium_mark - linear->premium) * sim->mark_keep;
        hg_assert(fabs(linear->premium) < 0.05);
    }
}

void hg_sim_market_step(hg_sim *sim, sim_market *market) {
    hg_assert(market->price > 0);
    step_basis(sim, market);
    step_premiums(sim, market);
    double z = hg_rng_normal(&market->smile_rng);
    market->iv_noise = hg_sim_ou_step(&sim->iv_ou, market->iv_noise, 0, z);
    z = hg_rng_normal(&market->smile_rng);
    market->skew_noise = hg_sim_ou_step(&sim->skew_ou, market->skew_noise, 0, z);
    market->index_nano = to_cents(market->price);
    market->samples[market->sample_count % SIM_AVERAGE] = market->index_nano;
    market->sample_count++;
    hg_sim_option_variance(sim, market);
}

/* --- what is published -------------------------------------------------------------------------
 */

void hg_sim_market_index(hg_sim *sim, sim_market *market) {
    hg_assert(market->index_nano > 0);
    hg_sim_price(sim, HG_EV_INDEX, market->id, market->index_nano);
}

/* Mean of the index over the last `seconds` samples. */
static hg_nano average(const sim_market *market, uint32_t seconds) {
    uint32_t count = seconds < market->sample_count ? seconds : market->sample_count;
    hg_assert(count > 0 && count <= SIM_AVERAGE);
    int64_t cents = 0; /* the sum in nanos might not fit */
    for (uint32_t i = 1; i <= count; i++) {
        cents += market->samples[(market->sample_count - i) % SIM_AVERAGE] / CENT;
    }
    hg_nano mean = 0;
    bool fits = hg_muldiv(cents, CENT, count, &mean);
    hg_assert(fits);
    return mean;
}

static double forward_of(const hg_sim *sim, const sim_market *market, const sim_expiry *expiry) {
    double index = hg_nano_to_double(market->index_nano);
    int64_t left_ns = expiry->time_ns - sim->now_ns;
    hg_assert(left_ns >= 0);
    if (left_ns >= AVERAGE_NS) {
        return index * expiry->ratio;
    }
    uint32_t passed = (uint32_t)((AVERAGE_NS - left_ns) / HG_NS_PER_S);
    double weight = (double)passed / SIM_AVERAGE;
    double mean = passed > 0 ? hg_nano_to_double(average(market, passed)) : index;
    return weight * mean + (1 - weight) * index;
}

void hg_sim_market_forwards(hg_sim *sim, sim_market *market, bool all) {
    hg_assert(market->index_nano > 0);
    for (uint32_t e = market->first; e < market->expiry_count; e++) {
        sim_expiry *expiry = &market->expiries[e];
        double forward = forward_of(sim, market, expiry);
        bool moved = fabs(forward - expiry->forward) > FORWARD_MOVE * forward;
        if (!all && !moved && sim->now_ns - expiry->forward_ns < FORWARD_NS) {
            continue;
        }
        hg_nano value = to_cents(forward);
        expiry->forward = hg_nano_to_double(value);
        expiry->forward_ns = sim->now_ns;
        hg_sim_price(sim, HG_EV_FORWARD, expiry->id, value);
    }
}

/* What a contract is worth before its premium. Futures keep the ratio of the last second. */
static double base_of(const sim_market *market, const sim_linear *linear, double index) {
    if (linear->role != SIM_FUTURE) {
        return index;
    }
    hg_assert(linear->expiry < market->expiry_count);
    return index * market->expiries[linear->expiry].ratio;
}

double hg_sim_market_fair(const sim_market *market, const sim_linear *linear) {
    double fair = base_of(market, linear, market->price) * (1 + linear->premium);
    hg_assert(fair > 0);
    return fair;
}

/* rate8h = max(0.025 %, premium) + min(-0.025 %, premium), clamped; premium = (mark-index)/index.
 */
static hg_nano funding_of(const sim_market *market, const sim_linear *linear) {
    double index = hg_nano_to_double(market->index_nano);
    double premium = (hg_nano_to_double(linear->mark) - index) / index;
    double rate = fmax(0.00025, premium) + fmin(-0.00025, premium);
    double limit = linear->role == SIM_PERPETUAL ? market->coin->funding_max : 0.05;
    rate = fmax(-limit, fmin(limit, rate));
    hg_assert(isfinite(rate));
    return (hg_nano)floor(rate * 1e9 + 0.5);
}

void hg_sim_market_mark(hg_sim *sim, sim_market *market, sim_linear *linear, bool force_funding) {
    double index = hg_nano_to_double(market->index_nano);
    hg_nano mark = to_cents(base_of(market, linear, index) * (1 + linear->premium_mark));
    if (mark != linear->mark) {
        linear->mark = mark;
        hg_sim_mark(sim, linear->inst.id, mark, 0);
    }
    hg_assert(linear->mark > 0);
    if (linear->inst.kind != HG_KIND_PERPETUAL) {
        return;
    }
    hg_nano funding = funding_of(market, linear);
    bool due = funding != linear->funding && sim->now_ns - linear->funding_ns >= FUNDING_NS;
    if (due || force_funding) {
        linear->funding = funding;
        linear->funding_ns = sim->now_ns;
        hg_sim_price(sim, HG_EV_FUNDING, linear->inst.id, funding);
    }
}

static void settle_expiry(hg_sim *sim, sim_market *market, uint32_t at) {
    const sim_expiry *expiry = &market->expiries[at];
    hg_nano price = average(market, SIM_AVERAGE);
    hg_assert(price > 0);
    for (uint32_t i = 0; i < market->linear_count; i++) {
        const sim_linear *linear = &market->linears[i];
        if (linear->role == SIM_FUTURE && linear->expiry == at) {
            hg_sim_price(sim, HG_EV_SETTLE, linear->inst.id, price);
        }
    }
    for (uint32_t i = 0; i < expiry->strike_count; i++) {
        hg_sim_price(sim, HG_EV_SETTLE, expiry->strikes[i].id[0], price);
        hg_sim_price(sim, HG_EV_SETTLE, expiry->strikes[i].id[1], price);
    }
}

void hg_sim_market_settle(hg_sim *sim, sim_market *market) {
    while (market->first < market->expiry_count &&
           market->expiries[market->first].time_ns <= sim->now_ns) {
        hg_assert(market->expiries[market->first].time_ns == sim->now_ns);
        settle_expiry(sim, market, market->first);
        market->first++;
    }
}
