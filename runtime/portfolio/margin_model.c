/* The formulas of margin.h over legs: standard by table, portfolio by a grid of revaluations. */
#include "base/assert.h"
#include "greeks/batch.h"
#include "portfolio/margin_int.h"

#include <math.h>
#include <string.h>

static double larger(double a, double b) {
    return a > b ? a : b;
}

/* ---- standard -------------------------------------------------------------------------------- */

static double future_margin(const hg_margin_leg *l, double amount, hg_nano fraction) {
    const hg_leg *leg = &l->leg;
    double coins = fabs(amount) / (leg->inverse ? leg->price : 1);
    double share = hg_nano_to_double(fraction) + hg_nano_to_double(l->terms->per_coin) * coins;
    return (share < 1 ? share : 1) * coins * (leg->inverse ? 1 : leg->spot);
}

static double short_option_maintenance(const hg_margin_leg *l) {
    double fraction = hg_nano_to_double(l->terms->maintenance);
    double unit = l->leg.inverse ? 1 : l->leg.price;
    double of_mark = l->leg.cp < 0 ? fraction * l->mark : 0;
    return larger(fraction * unit, of_mark) + l->mark;
}

static double short_option_initial(const hg_margin_leg *l) {
    const hg_leg *leg = &l->leg;
    double unit = leg->inverse ? 1 : leg->price;
    double outside = larger(leg->cp * (leg->strike - leg->price), 0) / leg->price;
    double share = larger(hg_nano_to_double(l->terms->initial) - outside,
                          hg_nano_to_double(l->terms->initial_min));
    double initial = share * unit + l->mark;
    return leg->cp < 0 ? larger(initial, short_option_maintenance(l)) : initial;
}

double hg_standard_initial(const hg_margin_leg *l, double amount) {
    if (l->leg.kind == HG_KIND_OPTION) {
        return amount < 0 ? -amount * short_option_initial(l) : 0;
    }
    return l->leg.kind == HG_KIND_SPOT ? 0 : future_margin(l, amount, l->terms->initial);
}

double hg_standard_maintenance(const hg_margin_leg *l, double amount) {
    if (l->leg.kind == HG_KIND_OPTION) {
        return amount < 0 ? -amount * short_option_maintenance(l) : 0;
    }
    return l->leg.kind == HG_KIND_SPOT ? 0 : future_margin(l, amount, l->terms->maintenance);
}

/* The premium of what pending buys would open long. */
static double premium_reserve(const hg_margin_leg *l) {
    double opens = l->leg.amount < 0 ? l->leg.amount + l->buy : l->buy;
    return l->leg.kind == HG_KIND_OPTION && opens > 0 ? opens * l->mark : 0;
}

static hg_margin_sum standard_sum(const hg_margin_leg *legs, uint32_t first, uint32_t end) {
    hg_margin_sum sum = {0};
    for (uint32_t i = first; i < end; i++) {
        const hg_margin_leg *l = &legs[i];
        double initial = hg_standard_initial(l, l->leg.amount);
        if (l->buy > 0) {
            double bought = hg_standard_initial(l, l->leg.amount + l->buy) + premium_reserve(l);
            initial = larger(initial, bought);
        }
        if (l->sell > 0) {
            initial = larger(initial, hg_standard_initial(l, l->leg.amount - l->sell));
        }
        sum.initial += initial;
        sum.maintenance += hg_standard_maintenance(l, l->leg.amount);
    }
    return sum;
}

/* ---- portfolio ------------------------------------------------------------------------------- */

static const double extended_moves[HG_PM_EXTENDED] = {-0.66, -0.33, 0.5, 1, 2, 3, 4, 5};

enum { DOWN, SAME, UP };

/* Work columns of the options of a pair. */
typedef struct {
    double *f0, *reach, *f, *k, *t, *cp, *price, *value0, *sigma[HG_PM_VOLS];
    uint32_t *place; /* of the leg in its pair */
    uint32_t count;
} columns;

static columns columns_cut(const hg_margin *m) {
    size_t n = m->capacity;
    double *at = m->column;
    return (columns){
        .f0 = at,
        .f = at + n,
        .k = at + 2 * n,
        .t = at + 3 * n,
        .cp = at + 4 * n,
        .price = at + 5 * n,
        .value0 = at + 6 * n,
        .sigma = {at + 7 * n, at + 8 * n, at + 9 * n},
        .reach = at + 10 * n,
        .place = m->place
    };
}

static void columns_push(columns *c, const hg_leg *leg, uint32_t place, const hg_pm_terms *t) {
    uint32_t i = c->count++;
    double days = larger(leg->years * 365, 1);
    double scale = pow(30 / days, days < 30 ? t->short_term_vega_power : t->long_term_vega_power);
    c->place[i] = place;
    c->f0[i] = leg->price;
    c->k[i] = leg->strike;
    c->reach[i] = hg_leg_reach(leg);
    c->t[i] = hg_leg_variance_years(leg);
    c->cp[i] = leg->cp;
    c->sigma[DOWN][i] = larger(leg->sigma * (1 - t->volatility_range_down * scale), 0);
    c->sigma[SAME][i] = leg->sigma;
    c->sigma[UP][i] = larger(leg->sigma * (1 + t->volatility_range_up * scale),
                             t->min_volatility_for_shock_up);
}

static void columns_price(const columns *c, double move, int vol) {
    for (uint32_t i = 0; i < c->count; i++) {
        c->f[i] = c->f0[i] + c->reach[i] * move;
    }
    const hg_batch_in in = {c->f, c->k, c->t, c->sigma[vol], c->cp};
    const hg_batch_out out = {.price = c->price};
    hg_greeks_batch(&in, &out, c->count);
}

double hg_margin_worth(const hg_leg *leg, double price) {
    return leg->inverse && leg->kind != HG_KIND_OPTION ? -1 / price : price;
}

/* One row: P&L per unit after a move, times `weight`. */
static void row_fill(const hg_margin_leg *legs, uint32_t count, const columns *c, bool inverse,
                     double move, double weight, double *row) {
    for (uint32_t i = 0; i < count; i++) {
        const hg_leg *leg = &legs[i].leg;
        if (leg->kind != HG_KIND_OPTION) {
            double now = hg_margin_worth(leg, leg->price);
            row[i] = weight * (hg_margin_worth(leg, leg->price + hg_leg_reach(leg) * move) - now);
        }
    }
    for (uint32_t i = 0; i < c->count; i++) {
        double value = inverse ? c->price[i] / c->f[i] : c->price[i];
        row[c->place[i]] = weight * (value - c->value0[i]);
    }
}

static double move_of(const hg_pm_terms *t, uint32_t scenario) {
    if (scenario >= HG_PM_STANDARD) {
        return extended_moves[scenario - HG_PM_STANDARD];
    }
    double half = (HG_PM_MOVES - 1) / 2;
    return t->price_range * ((double)(scenario / HG_PM_VOLS) - half) / half;
}

/* Coins of the extended table are those of the price at the edge of the range. */
static double weight_of(const hg_pm_terms *t, uint32_t scenario, bool inverse) {
    if (scenario < HG_PM_STANDARD) {
        return 1;
    }
    double move = move_of(t, scenario);
    double edge = 1 + copysign(t->price_range, move);
    return t->extended_table_factor * (t->price_range / fabs(move)) *
           (inverse ? (1 + move) / edge : 1);
}

void hg_pm_units(hg_margin *m, const hg_margin_leg *legs, uint32_t first, uint32_t end,
                 const hg_pm_terms *t) {
    columns c = columns_cut(m);
    bool inverse = first < end && legs[first].leg.inverse;
    for (uint32_t i = first; i < end; i++) {
        hg_assert(legs[i].leg.inverse == inverse); /* as the pair */
        if (legs[i].leg.kind == HG_KIND_OPTION) {
            columns_push(&c, &legs[i].leg, i - first, t);
        }
    }
    columns_price(&c, 0, SAME);
    for (uint32_t i = 0; i < c.count; i++) {
        c.value0[i] = inverse ? c.price[i] / c.f[i] : c.price[i];
    }
    for (uint32_t s = 0; s < HG_PM_SCENARIOS; s++) {
        double move = move_of(t, s);
        int vol = s < HG_PM_STANDARD ? (int)(s % HG_PM_VOLS) : UP;
        double *row = m->unit + (size_t)s * m->capacity + first;
        if (move == 0 && vol == SAME) {
            memset(row, 0, (end - first) * sizeof *row); /* as it is */
            continue;
        }
        columns_price(&c, move, vol);
        row_fill(legs + first, end - first, &c, inverse, move, weight_of(t, s, inverse), row);
    }
}

/* Worst loss of the amounts over both tables, >= 0. */
static double worst_loss(const hg_margin *m, const hg_margin_pair *pair, const hg_margin_leg *legs,
                         const hg_pm_terms *t) {
    double worst = 0;
    bool inverse = legs[pair->first].leg.inverse;
    double spot = legs[pair->first].leg.spot;
    for (uint32_t s = 0; s < HG_PM_SCENARIOS; s++) {
        const double *row = m->unit + (size_t)s * m->capacity + pair->first;
        double sum = 0;
        for (uint32_t i = 0; i < pair->end - pair->first; i++) {
            sum += m->amount[i] * row[i];
        }
        if (s >= HG_PM_STANDARD && sum < 0) {
            double move = move_of(t, s);
            double beyond = larger(fabs(move) / t->price_range - 1, 0) * t->extended_dampener_usd;
            double edge = 1 + copysign(t->price_range, move);
            sum += inverse ? beyond / (edge * spot) : beyond;
        }
        worst = larger(worst, -sum);
    }
    return worst;
}

/* Roll and delta shock, settlement currency. */
static double shocks(const hg_margin *m, const hg_margin_pair *pair, const hg_margin_leg *legs,
                     const hg_pm_terms *t) {
    uint32_t none = hg_universe_expiry_count(m->portfolio->universe);
    double delta = 0;
    double roll = 0;
    double spot = legs[pair->first].leg.spot;
    for (uint32_t i = pair->first; i < pair->end; i++) {
        m->roll[legs[i].expiry == HG_ID_NONE ? none : legs[i].expiry] = 0;
    }
    for (uint32_t i = pair->first; i < pair->end; i++) {
        double coins = m->amount[i - pair->first] * legs[i].delta;
        m->roll[legs[i].expiry == HG_ID_NONE ? none : legs[i].expiry] += coins;
        delta += coins;
    }
    for (uint32_t i = pair->first; i < pair->end; i++) { /* each expiry once */
        double *coins = &m->roll[legs[i].expiry == HG_ID_NONE ? none : legs[i].expiry];
        double years = legs[i].leg.expires ? legs[i].leg.years : 0;
        roll += fabs(*coins) *
                larger(expm1(t->annualised_move_risk * years), t->min_annualised_move);
        *coins = 0;
    }
    double excess = larger(fabs(delta) * spot - t->delta_shock_threshold_usd, 0);
    double step = t->m_inc * excess;
    double most = t->max_delta_shock * spot;
    double usd = fabs(delta) * (step < most ? step : most) + roll * spot;
    return legs[pair->first].leg.inverse ? usd / spot : usd;
}

static double portfolio_initial(hg_margin *m, const hg_margin_leg *legs, const hg_margin_pair *pair,
                                double buys, double sells) {
    const hg_pm_terms *t = hg_margin_terms_of(m, pair);
    for (uint32_t i = pair->first; i < pair->end; i++) {
        const hg_margin_leg *l = &legs[i];
        m->amount[i - pair->first] = l->leg.amount + buys * l->buy - sells * l->sell;
    }
    return worst_loss(m, pair, legs, t) + shocks(m, pair, legs, t);
}

static hg_margin_sum portfolio_sum(hg_margin *m, const hg_margin_leg *legs,
                                   const hg_margin_pair *pair) {
    bool buys = false;
    bool sells = false;
    for (uint32_t i = pair->first; i < pair->end; i++) {
        buys = buys || legs[i].buy > 0;
        sells = sells || legs[i].sell > 0;
    }
    hg_margin_sum sum = {.initial = portfolio_initial(m, legs, pair, 0, 0)};
    sum.maintenance = hg_margin_terms_of(m, pair)->mm_factor * sum.initial;
    if (buys) {
        sum.initial = larger(sum.initial, portfolio_initial(m, legs, pair, 1, 0));
    }
    if (sells) {
        sum.initial = larger(sum.initial, portfolio_initial(m, legs, pair, 0, 1));
    }
    return sum;
}

hg_margin_sum hg_margin_pair_sum(hg_margin *m, const hg_margin_leg *legs,
                                 const hg_margin_pair *pair) {
    if (m->model == HG_MARGIN_NONE || pair->first == pair->end) {
        return (hg_margin_sum){0};
    }
    return m->model == HG_MARGIN_STANDARD ? standard_sum(legs, pair->first, pair->end)
                                          : portfolio_sum(m, legs, pair);
}
