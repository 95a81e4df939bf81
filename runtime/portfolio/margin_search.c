/* Liquidation prices: the nearest spots below and above at which an account's maintenance margin
 * meets its margin balance, everything revalued as scenario.h moves it.
 *
 * The margin left is not monotone in the spot (a strangle is hurt on both sides, a spread on one,
 * and caps flatten it), so the search walks outwards in growing steps and narrows the first step
 * whose end is a breach. Steps start at half a per cent: a breach narrower than the step it lies
 * in can be missed. */
#include "portfolio/margin_int.h"

#include "greeks/batch.h"

#include <math.h>

#define LOG_FAR 2.30258509299404568 /* ten times */
#define STEP_FIRST 0.005
#define STEP_GROWTH 1.08
#define NARROWINGS 60

/* Legs of the pair after the spot moved by `factor`: m->moved. Returns what they gained beside
 * the gain of options, and that separately. */
typedef struct {
    double futures, options;
} gains;

/* Prices and deltas of the moved options, in one batch. */
static void options_price(hg_margin *m, const hg_margin_pair *pair) {
    size_t n = m->capacity;
    double *at = m->column;
    double *f = at, *k = at + n, *t = at + 2 * n, *sigma = at + 3 * n, *cp = at + 4 * n;
    double *price = at + 5 * n, *delta = at + 6 * n;
    size_t count = 0;
    for (uint32_t i = pair->first; i < pair->end; i++) {
        const hg_leg *leg = &m->moved[i].leg;
        if (leg->kind == HG_KIND_OPTION) {
            f[count] = leg->price;
            k[count] = leg->strike;
            t[count] = hg_leg_variance_years(leg);
            sigma[count] = leg->sigma;
            cp[count++] = leg->cp;
        }
    }
    const hg_batch_in in = {f, k, t, sigma, cp};
    const hg_batch_out out = {.price = price, .delta = delta};
    hg_greeks_batch(&in, &out, count);
    count = 0;
    for (uint32_t i = pair->first; i < pair->end; i++) {
        hg_margin_leg *l = &m->moved[i];
        if (l->leg.kind == HG_KIND_OPTION) {
            l->model = l->leg.inverse ? price[count] / l->leg.price : price[count];
            l->delta = delta[count++] * hg_leg_open(&l->leg);
        }
    }
}

static gains legs_move(hg_margin *m, const hg_margin_pair *pair, double factor) {
    gains sum = {0};
    for (uint32_t i = pair->first; i < pair->end; i++) {
        m->moved[i] = m->legs[i];
        m->moved[i].leg.spot *= factor;
        m->moved[i].leg.price += hg_leg_reach(&m->legs[i].leg) * (factor - 1);
    }
    options_price(m, pair);
    for (uint32_t i = pair->first; i < pair->end; i++) {
        hg_margin_leg *l = &m->moved[i];
        const hg_margin_leg *from = &m->legs[i];
        double amount = l->leg.amount;
        if (l->leg.kind == HG_KIND_OPTION) {
            double mark = from->mark + (l->model - from->model);
            l->mark = mark > 0 ? mark : 0;
            sum.options += amount * (l->mark - from->mark);
        } else {
            l->mark = l->leg.price;
            l->delta = (l->leg.inverse ? 1 / l->leg.price : 1) * hg_leg_open(&l->leg);
            sum.futures += amount * (hg_margin_worth(&l->leg, l->leg.price) -
                                     hg_margin_worth(&from->leg, from->leg.price));
        }
    }
    return sum;
}

/* What is left of an account after the move; INFINITY when nothing of it can be liquidated. */
static double account_room(hg_margin *m, uint32_t currency, uint32_t underlying, double factor) {
    const hg_margin_account *a = &m->accounts[currency];
    double left = a->margin_balance - a->maintenance;
    bool touched = false;
    bool held = false;
    for (uint32_t k = 0; k < m->pair_count; k++) {
        const hg_margin_pair *pair = &m->pairs[k];
        if (pair->currency != currency) {
            continue;
        }
        if (pair->underlying != underlying) {
            held = held || pair->maintenance > 0;
            continue;
        }
        gains g = legs_move(m, pair, factor);
        if (m->model == HG_MARGIN_PORTFOLIO) {
            hg_pm_units(m, m->moved, pair->first, pair->end, hg_margin_terms_of(m, pair));
        }
        hg_margin_sum sum = hg_margin_pair_sum(m, m->moved, pair);
        left += g.futures + (m->model == HG_MARGIN_PORTFOLIO ? g.options : 0);
        left += pair->maintenance - sum.maintenance;
        held = held || sum.maintenance > 0;
        touched = true;
    }
    return touched && held && a->known ? left : INFINITY;
}

/* The least over the accounts the underlying touches: its sign is what counts. */
static double room(hg_margin *m, uint32_t underlying, double factor) {
    double least = INFINITY;
    for (uint32_t c = 0; c < hg_universe_currency_count(m->portfolio->universe); c++) {
        double left = m->accounts[c].used ? account_room(m, c, underlying, factor) : INFINITY;
        least = left < least ? left : least;
    }
    return least;
}

/* A place in logarithms and what is left there. */
typedef struct {
    double at, left;
} point;

/* The root between a spot that is safe and one that is not: the Illinois rule, kept off the ends of
 * the bracket so that it always shrinks. */
static double narrow(hg_margin *m, uint32_t underlying, point safe, point breach) {
    int last = 0;
    double at = breach.at;
    for (int i = 0; i < NARROWINGS; i++) {
        double share = isfinite(safe.left) && safe.left > breach.left
                           ? safe.left / (safe.left - breach.left)
                           : 0.5;
        share = share < 0.01 ? 0.01 : share > 0.99 ? 0.99 : share;
        double next = safe.at + (breach.at - safe.at) * share;
        bool done = fabs(next - at) < 1e-12;
        at = next;
        double left = room(m, underlying, exp(at));
        if (done || left == 0) {
            break;
        }
        if (left > 0) {
            breach.left *= last > 0 ? 0.5 : 1;
            safe = (point){at, left};
        } else {
            safe.left *= last < 0 ? 0.5 : 1;
            breach = (point){at, left};
        }
        last = left > 0 ? 1 : -1;
    }
    return at;
}

static double search(hg_margin *m, uint32_t underlying, double spot, double left, int direction) {
    point safe = {0, left};
    double step = STEP_FIRST;
    while (safe.at * direction < LOG_FAR) {
        point next = {.at = safe.at + direction * step};
        next.left = room(m, underlying, exp(next.at));
        if (!(next.left > 0)) {
            return spot * exp(narrow(m, underlying, safe, next));
        }
        safe = next;
        step *= STEP_GROWTH;
    }
    return 0;
}

void hg_margin_distance_of(hg_margin *m, uint32_t underlying, int64_t now_ns,
                           hg_margin_distance *out) {
    hg_margin_refresh(m, now_ns, true);
    double spot = hg_market_underlying(m->portfolio->market, underlying)->spot;
    *out = (hg_margin_distance){.spot = spot > 0 && isfinite(spot) ? spot : 0};
    if (m->model == HG_MARGIN_NONE || !(out->spot > 0)) {
        return;
    }
    double left = room(m, underlying, 1);
    if (!(left > 0)) {
        out->below = out->above = out->spot; /* already there */
    } else {
        out->below = search(m, underlying, spot, left, -1);
        out->above = search(m, underlying, spot, left, 1);
    }
    m->valid = false; /* the grid of the legs has been overwritten */
}
