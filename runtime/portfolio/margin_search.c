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

#define LOG_FAR 3.91202300542814606 /* 50 times */
#define STEP_FIRST 0.005
#define STEP_GROWTH 1.04
#define NARROWINGS 60

/* Legs of the pair after the spot moved by `factor`: m->moved. Returns what they gained beside
 * the gain of options, and that separately. */
typedef struct {
    double futures, options;
} gains;

static gains legs_move(hg_margin *m, const hg_margin_pair *pair, double factor) {
    gains sum = {0};
    for (uint32_t i = pair->first; i < pair->end; i++) {
        hg_margin_leg *l = &m->moved[i];
        const hg_margin_leg *from = &m->legs[i];
        *l = *from;
        l->leg.spot *= factor;
        l->leg.price *= factor;
        double amount = l->leg.amount;
        if (l->leg.kind == HG_KIND_OPTION) {
            double price = 0;
            double delta = 0;
            const hg_batch_in in = {&l->leg.price, &l->leg.strike, &l->leg.years, &l->leg.sigma,
                                    &(double){l->leg.cp}};
            const hg_batch_out out = {.price = &price, .delta = &delta};
            hg_greeks_batch(&in, &out, 1);
            l->model = l->leg.inverse ? price / l->leg.price : price;
            l->delta = delta;
            double mark = from->mark + (l->model - from->model);
            l->mark = mark > 0 ? mark : 0;
            sum.options += amount * (l->mark - from->mark);
        } else {
            l->mark = l->leg.price;
            l->delta = l->leg.inverse ? 1 / l->leg.price : 1;
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

/* Between a spot that is safe and one that is not, in logarithms. */
static double narrow(hg_margin *m, uint32_t underlying, double safe, double breach) {
    for (int i = 0; i < NARROWINGS && fabs(breach - safe) > 1e-13; i++) {
        double middle = 0.5 * (safe + breach);
        if (room(m, underlying, exp(middle)) > 0) {
            safe = middle;
        } else {
            breach = middle;
        }
    }
    return breach;
}

static double search(hg_margin *m, uint32_t underlying, double spot, int direction) {
    double safe = 0;
    double step = STEP_FIRST;
    while (safe * direction < LOG_FAR) {
        double next = safe + direction * step;
        if (!(room(m, underlying, exp(next)) > 0)) {
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
    if (!(room(m, underlying, 1) > 0)) {
        out->below = out->above = out->spot; /* already there */
    } else {
        out->below = search(m, underlying, spot, -1);
        out->above = search(m, underlying, spot, 1);
    }
    m->valid = false; /* the grid of the legs has been overwritten */
}
