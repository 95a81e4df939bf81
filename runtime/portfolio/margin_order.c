/* Trades that have not happened: may the venue take an order, what margin would an order ask for,
 * and what would trades change. */
#include "portfolio/margin_int.h"

#include "base/assert.h"

#include <math.h>
#include <string.h>

/* ---- admission ------------------------------------------------------------------------------- */

static hg_margin_leg *leg_find(hg_margin *m, uint32_t id, hg_margin_pair **pair) {
    for (uint32_t n = 0; n < m->pair_count; n++) {
        for (uint32_t i = m->pairs[n].first; i < m->pairs[n].end; i++) {
            if (m->legs[i].id == id) {
                *pair = &m->pairs[n];
                return &m->legs[i];
            }
        }
    }
    return NULL;
}

static bool spot_admitted(hg_margin *m, const hg_instrument *inst, hg_side side) {
    uint32_t coin = hg_universe_underlying(m->portfolio->universe, inst->underlying_id)->currency;
    const hg_margin_account *a = &m->accounts[side == HG_BUY ? inst->settle_id : coin];
    return a->known && a->initial <= a->margin_balance;
}

bool hg_margin_admits(hg_margin *m, uint32_t id, hg_side side, hg_lots lots, double price,
                      int64_t now_ns) {
    hg_assert(id < m->capacity && lots > 0);
    if (m->model == HG_MARGIN_NONE) {
        return true;
    }
    hg_margin_refresh(m, now_ns, false);
    const hg_instrument *inst = hg_universe_get(m->portfolio->universe, id);
    if (inst->kind == HG_KIND_SPOT) {
        return spot_admitted(m, inst, side);
    }
    const hg_margin_account *a = &m->accounts[inst->settle_id];
    hg_margin_pair *pair = NULL;
    hg_margin_leg *l = leg_find(m, id, &pair);
    double amount = hg_size_to_double(inst, lots);
    /* A bought option is paid at its limit, not at the mark. */
    double dear = l && inst->kind == HG_KIND_OPTION && side == HG_BUY && price > l->mark
                      ? (price - l->mark) * amount
                      : 0;
    if (a->known && a->initial + dear <= a->margin_balance) {
        return true;
    }
    if (!l) {
        return false;
    }
    /* Without the order: an order that raises nothing is always taken. */
    double *pending = side == HG_BUY ? &l->buy : &l->sell;
    double with = *pending;
    double less = with - amount;
    *pending = less > 0.5 * hg_nano_to_double(inst->lot) ? less : 0;
    double before = hg_margin_pair_sum(m, m->legs, pair).initial;
    *pending = with;
    double after = pair->initial + dear;
    return after <= before * (1 + 1e-12);
}

double hg_margin_alone(const hg_market *market, const hg_instrument *inst, double amount,
                       int64_t now_ns) {
    hg_margin_leg l = {.id = inst->id,
                       .leg = hg_leg_read(market, inst, amount, now_ns),
                       .mark = hg_market_mark(market, inst->id, now_ns),
                       .terms = &inst->margin};
    if (!(l.leg.price > 0 && l.leg.spot > 0)) {
        return 0;
    }
    double usd = hg_market_usd(market, inst->settle_id) * hg_standard_initial(&l, amount);
    return isfinite(usd) ? usd : 0;
}

/* ---- what if --------------------------------------------------------------------------------- */

static bool joins(const hg_margin_pair *pair, const hg_instrument *inst) {
    return pair->currency == inst->settle_id && pair->underlying == inst->underlying_id &&
           pair->inverse == inst->inverse;
}

/* Makes place for an instrument that is neither held nor ordered, at the end of its pair. */
static hg_margin_leg *leg_add(hg_margin *m, const hg_instrument *inst, hg_margin_pair **out) {
    hg_margin_leg l = hg_margin_leg_of(m, inst->id, m->time_ns);
    if (!(l.leg.spot > 0 && l.leg.price > 0)) {
        return NULL;
    }
    uint32_t n = 0;
    while (n < m->pair_count && !joins(&m->pairs[n], inst)) {
        n++;
    }
    hg_assert(m->count < m->capacity);
    if (n == m->pair_count) {
        m->pairs[m->pair_count++] = (hg_margin_pair){.currency = inst->settle_id,
                                                     .underlying = inst->underlying_id,
                                                     .inverse = inst->inverse,
                                                     .first = m->count,
                                                     .end = m->count};
    }
    uint32_t at = m->pairs[n].end;
    memmove(m->legs + at + 1, m->legs + at, (m->count - at) * sizeof *m->legs);
    for (uint32_t k = n + 1; k < m->pair_count; k++) {
        m->pairs[k].first++;
        m->pairs[k].end++;
    }
    m->legs[at] = l;
    m->count++;
    m->pairs[n].end++;
    *out = &m->pairs[n];
    return &m->legs[at];
}

/* Cash and equity after a trade. Premiums are paid; futures gain or lose against the mark. */
static void idea_money(hg_margin *m, const hg_instrument *inst, const hg_margin_leg *l,
                       const hg_trade_idea *idea, double signed_amount) {
    hg_margin_account *a = &m->accounts[inst->settle_id];
    double gain = 0;
    if (inst->kind == HG_KIND_OPTION) {
        a->balance -= signed_amount * idea->price + idea->fee;
        a->options_value += signed_amount * l->mark;
        gain = signed_amount * (l->mark - idea->price);
    } else {
        gain = signed_amount *
               (hg_margin_worth(&l->leg, l->leg.price) - hg_margin_worth(&l->leg, idea->price));
        a->upl += gain;
        a->balance -= idea->fee;
    }
    a->equity += gain - idea->fee;
    a->margin_balance = a->equity - (m->model == HG_MARGIN_STANDARD ? a->options_value : 0);
}

static void idea_spot(hg_margin *m, const hg_instrument *inst, const hg_trade_idea *idea,
                      double signed_amount) {
    uint32_t coin = hg_universe_underlying(m->portfolio->universe, inst->underlying_id)->currency;
    hg_margin_account *paid = &m->accounts[inst->settle_id];
    double cost = signed_amount * idea->price + idea->fee;
    paid->balance -= cost;
    paid->equity -= cost;
    paid->margin_balance -= cost;
    m->accounts[coin].equity += signed_amount;
    m->accounts[coin].margin_balance += signed_amount;
}

static int idea_apply(hg_margin *m, const hg_trade_idea *idea) {
    hg_assert(idea->instrument < m->capacity && idea->lots > 0);
    const hg_instrument *inst = hg_universe_get(m->portfolio->universe, idea->instrument);
    double amount = hg_size_to_double(inst, idea->lots) * (idea->side == HG_BUY ? 1 : -1);
    if (inst->kind == HG_KIND_SPOT) {
        idea_spot(m, inst, idea, amount);
        return HG_OK;
    }
    hg_margin_pair *pair = NULL;
    hg_margin_leg *l = leg_find(m, idea->instrument, &pair);
    if (!l) {
        l = leg_add(m, inst, &pair);
    }
    if (!l || !(idea->price > 0)) {
        return HG_ERR(HG_ENOTFOUND, "what_if: %s has no price", inst->name);
    }
    l->leg.amount += amount;
    idea_money(m, inst, l, idea, amount);
    return HG_OK;
}

int hg_margin_what_if(hg_margin *m, const hg_trade_idea *ideas, size_t count, int64_t now_ns,
                      hg_margin_change *out) {
    if (count > HG_IDEAS_MAX) {
        return HG_ERR(HG_ELIMIT, "what_if: more than %d orders", HG_IDEAS_MAX);
    }
    hg_margin_change change = {0};
    hg_margin_refresh(m, now_ns, true);
    hg_margin_total_sum(m, &change.before);
    int rc = HG_OK;
    for (size_t i = 0; i < count && rc == HG_OK; i++) {
        rc = idea_apply(m, &ideas[i]);
    }
    for (uint32_t n = 0; rc == HG_OK && m->model == HG_MARGIN_PORTFOLIO && n < m->pair_count; n++) {
        hg_margin_pair *pair = &m->pairs[n];
        hg_pm_units(m, m->legs, pair->first, pair->end, hg_margin_terms_of(m, pair));
    }
    if (rc == HG_OK) {
        hg_margin_sums(m);
        hg_margin_total_sum(m, &change.after);
        *out = change;
    }
    m->valid = false; /* legs and accounts are those of the idea: read again next time */
    return rc;
}

/* ---- one more order ---------------------------------------------------------------------------
 */

/* Spot is paid in full: buys reserve money, sells coins. */
static bool spot_project(hg_margin *m, const hg_instrument *inst, hg_side side, double amount,
                         double price, const hg_margin_account **account, double *after) {
    uint32_t coin = hg_universe_underlying(m->portfolio->universe, inst->underlying_id)->currency;
    double mark = 0;
    if (!hg_value_price(m->portfolio, inst->id, m->time_ns, &mark)) {
        return false;
    }
    *account = &m->accounts[side == HG_BUY ? inst->settle_id : coin];
    *after = (*account)->initial + amount * (side == HG_BUY ? fmax(price, mark) : 1);
    return true;
}

static bool leg_project(hg_margin *m, const hg_instrument *inst, hg_side side, double amount,
                        double price, double *after) {
    hg_margin_pair *pair = NULL;
    hg_margin_leg *l = leg_find(m, inst->id, &pair);
    if (!l) {
        l = leg_add(m, inst, &pair);
        m->valid = false; /* with a leg more than there is: read again next time */
        if (!l) {
            return false;
        }
        for (uint32_t n = 0; m->model == HG_MARGIN_PORTFOLIO && n < m->pair_count; n++) {
            hg_pm_units(m, m->legs, m->pairs[n].first, m->pairs[n].end,
                        hg_margin_terms_of(m, &m->pairs[n]));
        }
    }
    bool dear = inst->kind == HG_KIND_OPTION && side == HG_BUY && price > l->mark;
    double *pending = side == HG_BUY ? &l->buy : &l->sell;
    double kept = *pending;
    *pending = fmax(kept + amount, 0);
    *after = m->accounts[inst->settle_id].initial - pair->initial +
             hg_margin_pair_sum(m, m->legs, pair).initial + (dear ? (price - l->mark) * amount : 0);
    *pending = kept;
    return true;
}

bool hg_margin_project(hg_margin *m, uint32_t id, hg_side side, hg_lots lots, double price,
                       int64_t now_ns, hg_margin_use *out) {
    hg_assert(id < m->capacity && m->model != HG_MARGIN_NONE);
    hg_margin_refresh(m, now_ns, false);
    const hg_instrument *inst = hg_universe_get(m->portfolio->universe, id);
    const hg_margin_account *a = &m->accounts[inst->settle_id];
    double amount = hg_size_to_double(inst, lots);
    double after = NAN;
    bool known = inst->kind == HG_KIND_SPOT ? spot_project(m, inst, side, amount, price, &a, &after)
                                            : leg_project(m, inst, side, amount, price, &after);
    if (!known || !a->known || !(a->usd > 0) || !isfinite(after)) {
        return false;
    }
    *out = (hg_margin_use){a->initial * a->usd, after * a->usd, a->margin_balance * a->usd};
    return true;
}
