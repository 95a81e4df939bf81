/* Revaluation of a book under shocks. Options pass through columns on the stack, CHUNK at a time,
 * each chunk through all shocks, so that one call of the batch prices many and no book is too
 * large. */
#include "portfolio/scenario.h"

#include "base/assert.h"
#include "domain/delivery.h"
#include "greeks/batch.h"
#include "greeks/batch_moved.h"
#include "portfolio/portfolio_int.h"

#include <math.h>
#include <string.h>

#define CHUNK 128 /* a multiple of HG_MOVED_STEP */
#define VOL_FLOOR 0.01
#define POINT 0.01
#define DAYS_PER_YEAR 365.0

#define WINDOW_YEARS ((double)HG_DELIVERY_WINDOW_NS / (double)HG_NS_PER_YEAR)

double hg_leg_open(const hg_leg *leg) {
    return leg->expires ? hg_delivery_share(leg->years / WINDOW_YEARS) : 1;
}

double hg_leg_variance_years(const hg_leg *leg) {
    return leg->years > 0 ? hg_delivery_years_of(leg->years) : 0;
}

double hg_leg_reach(const hg_leg *leg) {
    double open = hg_leg_open(leg);
    return open < 1 ? open * leg->spot : leg->price;
}

bool hg_leg_greeks(const hg_leg *leg, hg_greeks *out) {
    double open = hg_leg_open(leg);
    if (hg_black76_all(leg->price, leg->strike, hg_leg_variance_years(leg), leg->sigma, leg->cp, 0,
                       out) < 0) {
        return false;
    }
    out->delta *= open;
    out->gamma *= open * open;
    out->theta *= hg_delivery_pace(leg->years / WINDOW_YEARS);
    return true;
}

/* A future, perpetual or spot after the move. */
static void linear_shock(const hg_leg *leg, const hg_shock *shock, hg_outcome *sum) {
    double spot = leg->spot * (1 + shock->spot);
    double price = leg->price * (1 + shock->spot);
    double a = leg->amount;
    bool expired = leg->expires && !(leg->years - shock->years > 0);
    double open = leg->expires ? hg_delivery_share((leg->years - shock->years) / WINDOW_YEARS) : 1;
    if (hg_leg_open(leg) < 1) {
        price = leg->price + hg_leg_reach(leg) * shock->spot;
    } else if (expired) {
        price = spot;
    } else if (leg->expires && shock->years > 0) {
        price *= pow(leg->price / leg->spot, -shock->years / leg->years);
    }
    if (leg->inverse) {
        sum->pnl_usd += a * (1 / leg->price - 1 / price) * spot;
        sum->delta += expired ? 0 : open * a / price;
    } else {
        sum->pnl_usd += a * (price - leg->price);
        sum->delta += expired ? 0 : open * a;
    }
}

/* Options side by side: as they are, and after the move being looked at. */
typedef struct {
    size_t count;
    const hg_leg *leg[CHUNK];
    double f0[CHUNK], k[CHUNK], sigma0[CHUNK], cp[CHUNK];
    double a[CHUNK];     /* amount */
    double value[CHUNK]; /* USD, as they are ... */
    double worth[CHUNK]; /* ... and after the move */
    double ratio[CHUNK]; /* spot over forward, both moved: what a coin-settled price is worth */
    bool greeks;         /* are wanted */
    bool averaging;      /* one of them is inside its last half hour: `ratio` is for one shock */
    double fixed[CHUNK], moving[CHUNK]; /* parts of f0: only the second follows the spot */
    double basis[CHUNK];                /* what time does to the forward */
    /* Amount by what the clock does to each Greek, 0 once expired: of delta and gamma the share of
     * each move of the spot that arrives, of theta the pace of variance. */
    double live[CHUNK], open[CHUNK], open_squared[CHUNK], pace[CHUNK];
    double t[CHUNK];
    double years; /* what depends on time is for this shift of it */
    /* Without Greeks and off the last half hour: what all moves have in common. */
    double aged[CHUNK], x[CHUNK], root_t[CHUNK]; /* forward, ln(forward / strike), sqrt(t) */
    double f[CHUNK], sigma[CHUNK];
    double price[CHUNK], delta[CHUNK], gamma[CHUNK], vega[CHUNK], theta[CHUNK];
} columns;

static void push(columns *c, const hg_leg *leg) {
    size_t i = c->count++;
    c->leg[i] = leg;
    c->f0[i] = leg->price;
    c->k[i] = leg->strike;
    c->sigma0[i] = leg->sigma;
    c->moving[i] = hg_leg_reach(leg);
    c->fixed[i] = hg_leg_open(leg) < 1 ? leg->price - c->moving[i] : 0;
    c->averaging = c->averaging || hg_leg_open(leg) < 1;
    c->cp[i] = leg->cp;
    c->a[i] = leg->amount;
}

/* And pads to whole vectors with the last option. */
static void columns_prepare(columns *c) {
    for (size_t i = 0; i < c->count; i++) {
        c->aged[i] = c->f0[i] * c->basis[i];
        c->x[i] = log(c->aged[i] / c->k[i]);
        c->root_t[i] = sqrt(c->t[i]);
    }
    size_t end = (c->count + HG_MOVED_STEP - 1) / HG_MOVED_STEP * HG_MOVED_STEP;
    double *const padded[] = {c->aged, c->k, c->t, c->sigma0, c->cp, c->x, c->root_t, c->ratio};
    for (size_t n = 0; n < sizeof padded / sizeof *padded; n++) {
        for (size_t i = c->count; i < end; i++) {
            padded[n][i] = padded[n][c->count - 1];
        }
    }
}

/* Forward and time of every option `years` on. At expiry the forward is the spot. */
static void columns_age(columns *c, double years) {
    for (size_t i = 0; i < c->count; i++) {
        const hg_leg *leg = c->leg[i];
        double left = leg->years - years;
        bool expired = !(left > 0);
        double windows = left / WINDOW_YEARS;
        double open = hg_delivery_share(windows);
        c->t[i] = expired ? 0 : hg_delivery_years_of(left);
        c->live[i] = expired ? 0 : c->a[i];
        c->open[i] = c->live[i] * open;
        c->open_squared[i] = c->open[i] * open;
        c->pace[i] = c->live[i] * hg_delivery_pace(windows);
        c->basis[i] = hg_leg_open(leg) < 1 ? 1
                      : expired            ? leg->spot / leg->price
                      : years > 0          ? pow(leg->price / leg->spot, -years / leg->years)
                                           : 1;
        c->ratio[i] = leg->inverse ? leg->spot / (leg->price * c->basis[i]) : 1;
    }
    c->years = years;
    if (!c->greeks && !c->averaging) {
        columns_prepare(c);
    }
}

static void columns_moved(columns *c, const hg_shock *shock) {
    const hg_moved_in in = {c->aged, c->k, c->t, c->sigma0, c->cp, c->x, c->root_t, c->ratio};
    const hg_move move = {.up = 1 + shock->spot,
                          .ln_up = log1p(shock->spot),
                          .vol = shock->vol,
                          .vol_floor = VOL_FLOOR};
    hg_greeks_batch_moved(&in, &move, c->worth, c->count);
}

static void columns_price(columns *c, const hg_shock *shock) {
    if (!c->greeks && !c->averaging) {
        columns_moved(c, shock);
        return;
    }
    double up = 1 + shock->spot;
    for (size_t i = 0; i < c->count; i++) {
        double floor = c->sigma0[i] < VOL_FLOOR ? c->sigma0[i] : VOL_FLOOR;
        double sigma = c->sigma0[i] + shock->vol;
        c->f[i] = (c->fixed[i] + c->moving[i] * up) * c->basis[i];
        c->sigma[i] = sigma > floor ? sigma : floor;
    }
    for (size_t i = 0; c->averaging && i < c->count; i++) {
        c->ratio[i] = c->leg[i]->inverse ? c->leg[i]->spot * up / c->f[i] : 1;
    }
    const hg_batch_in in = {c->f, c->k, c->t, c->sigma, c->cp};
    hg_batch_out out = {.price = c->price};
    if (c->greeks) {
        out.delta = c->delta;
        out.gamma = c->gamma;
        out.vega = c->vega;
        out.theta = c->theta;
    }
    hg_greeks_batch(&in, &out, c->count);
    for (size_t i = 0; i < c->count; i++) {
        c->worth[i] = c->ratio[i] * c->price[i];
    }
}

/* The gain of all; no move is no gain, exactly. Four sums: none waits for the one before. */
static double columns_gain(const columns *c) {
    double g0 = 0, g1 = 0, g2 = 0, g3 = 0;
    size_t n = 0;
    for (; n + 4 <= c->count; n += 4) {
        g0 += c->a[n] * (c->worth[n] - c->value[n]);
        g1 += c->a[n + 1] * (c->worth[n + 1] - c->value[n + 1]);
        g2 += c->a[n + 2] * (c->worth[n + 2] - c->value[n + 2]);
        g3 += c->a[n + 3] * (c->worth[n + 3] - c->value[n + 3]);
    }
    for (; n < c->count; n++) {
        g0 += c->a[n] * (c->worth[n] - c->value[n]);
    }
    return (g0 + g1) + (g2 + g3);
}

static void columns_greeks(const columns *c, hg_outcome *sum) {
    double delta = 0, gamma = 0, vega = 0, theta = 0;
    for (size_t i = 0; i < c->count; i++) {
        delta += c->open[i] * c->delta[i];
        gamma += c->open_squared[i] * c->gamma[i];
        vega += c->live[i] * c->vega[i];
        theta += c->pace[i] * c->theta[i];
    }
    sum->delta += delta;
    sum->gamma += gamma;
    sum->vega += vega * POINT;
    sum->theta += theta / DAYS_PER_YEAR;
}

static void columns_run(columns *c, const hg_shock *shocks, size_t count, hg_outcome *out) {
    static const hg_shock none = {0};
    columns_age(c, 0);
    columns_price(c, &none);
    memcpy(c->value, c->worth, c->count * sizeof *c->value);
    for (size_t s = 0; s < count; s++) {
        bool moved = shocks[s].spot != 0 || shocks[s].vol != 0 || shocks[s].years != 0;
        if (!moved && !c->greeks) {
            continue; /* no gain */
        }
        if (shocks[s].years != c->years) {
            columns_age(c, shocks[s].years);
        }
        columns_price(c, &shocks[s]);
        out[s].pnl_usd += columns_gain(c);
        if (c->greeks) {
            columns_greeks(c, &out[s]);
        }
    }
    c->count = 0;
    c->averaging = false;
}

static void grid(const hg_leg *legs, size_t count, const hg_shock *shocks, size_t shock_count,
                 bool greeks, hg_outcome *out) {
    columns c;
    c.count = 0;
    c.greeks = greeks;
    c.averaging = false;
    for (size_t s = 0; s < shock_count; s++) {
        hg_assert(shocks[s].spot > -1 && shocks[s].years >= 0);
        out[s] = (hg_outcome){0};
    }
    for (size_t i = 0; i < count; i++) {
        hg_assert(legs[i].spot > 0 && legs[i].price > 0);
        if (legs[i].kind != HG_KIND_OPTION) {
            for (size_t s = 0; s < shock_count; s++) {
                linear_shock(&legs[i], &shocks[s], &out[s]);
            }
            continue;
        }
        push(&c, &legs[i]);
        if (c.count == CHUNK) {
            columns_run(&c, shocks, shock_count, out);
        }
    }
    if (c.count > 0) {
        columns_run(&c, shocks, shock_count, out);
    }
}

void hg_legs_grid(const hg_leg *legs, size_t count, const hg_shock *shocks, size_t shock_count,
                  hg_outcome *out) {
    grid(legs, count, shocks, shock_count, true, out);
}

void hg_legs_grid_pnl(const hg_leg *legs, size_t count, const hg_shock *shocks, size_t shock_count,
                      hg_outcome *out) {
    grid(legs, count, shocks, shock_count, false, out);
}

hg_outcome hg_legs_shock(const hg_leg *legs, size_t count, const hg_shock *shock) {
    hg_outcome out;
    grid(legs, count, shock, 1, true, &out);
    return out;
}

/* ---- reading --------------------------------------------------------------------------------- */

static double known(double value) {
    return value > 0 && isfinite(value) ? value : 0;
}

hg_leg hg_leg_read(const hg_market *market, const hg_instrument *inst, double amount,
                   int64_t now_ns) {
    hg_leg leg = {.kind = inst->kind,
                  .inverse = inst->inverse,
                  .cp = inst->cp,
                  .amount = amount,
                  .spot = known(hg_market_underlying(market, inst->underlying_id)->spot),
                  .years = hg_delivery_clock(inst->expiry_ns, now_ns),
                  .expires = inst->expiry_ns > 0,
                  .strike = hg_nano_to_double(inst->strike)};
    if (inst->kind == HG_KIND_OPTION) {
        leg.price = known(hg_market_forward(market, inst->expiry_id, NULL));
        hg_market_iv(market, inst->id, &leg.sigma, NULL);
    } else {
        leg.price = known(hg_market_mark(market, inst->id, now_ns));
    }
    return leg;
}

size_t hg_legs_read(const hg_portfolio *p, uint32_t underlying, int64_t now_ns, hg_leg *legs,
                    size_t capacity, uint32_t *unknown) {
    size_t count = 0;
    if (unknown) {
        *unknown = HG_ID_NONE;
    }
    for (uint32_t i = 0; i < p->held_count && count < capacity; i++) {
        const hg_instrument *inst = hg_universe_get(p->universe, p->held[i]);
        hg_lots lots = p->holdings[inst->id].pos.lots;
        if (inst->underlying_id != underlying || lots == 0) {
            continue;
        }
        hg_leg leg = hg_leg_read(p->market, inst, hg_size_to_double(inst, lots), now_ns);
        if (leg.spot > 0 && leg.price > 0) {
            legs[count++] = leg;
        } else if (unknown && *unknown == HG_ID_NONE) {
            *unknown = inst->id;
        }
    }
    return count;
}
