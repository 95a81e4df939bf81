/* Accounts: what the portfolio holds read into legs, and the legs summed into margin.
 *
 * Invariants: all memory is taken in hg_margin_new; legs of a pair are neighbours, in order of id.
 * Only hg_margin_admits may use prices of earlier in its second: a venue keeps an object of its
 * own, so that what a script asks never changes what the venue does. */
#include "base/assert.h"
#include "base/clock.h"
#include "greeks/black76.h"
#include "portfolio/margin_int.h"

#include <math.h>
#include <stdlib.h>

#define COLUMNS 11 /* of margin_model.c */
#define USE_MAX 1e6

const char *hg_margin_model_name(hg_margin_model model) {
    static const char *const names[] = {"none", "standard", "portfolio"};
    hg_assert(model <= HG_MARGIN_PORTFOLIO);
    return names[model];
}

static void *array(size_t count, size_t size) {
    return calloc(count > 0 ? count : 1, size);
}

static void terms_default(hg_margin *m) {
    const hg_universe *universe = m->portfolio->universe;
    uint32_t underlyings = hg_universe_underlying_count(universe);
    for (uint32_t c = 0; c < hg_universe_currency_count(universe); c++) {
        bool stable = hg_universe_currency(universe, c)->stable;
        for (uint32_t u = 0; u < underlyings; u++) {
            const char *coin = hg_universe_underlying(universe, u)->name;
            m->terms[(size_t)c * underlyings + u] = hg_pm_terms_default(coin, stable);
        }
    }
}

hg_margin *hg_margin_new(hg_portfolio *portfolio, hg_margin_model model) {
    hg_assert(portfolio && model <= HG_MARGIN_PORTFOLIO);
    hg_margin *m = calloc(1, sizeof *m);
    if (!m) {
        return NULL;
    }
    const hg_universe *universe = portfolio->universe;
    size_t n = hg_universe_count(universe);
    size_t currencies = hg_universe_currency_count(universe);
    size_t underlyings = hg_universe_underlying_count(universe);
    m->portfolio = portfolio;
    m->model = model;
    m->capacity = (uint32_t)n;
    m->accounts = array(currencies, sizeof *m->accounts);
    m->terms = array(currencies * underlyings, sizeof *m->terms);
    m->legs = array(n, sizeof *m->legs);
    m->moved = array(n, sizeof *m->moved);
    m->pairs = array(n, sizeof *m->pairs);
    m->amount = array(n, sizeof *m->amount);
    m->roll = array((size_t)hg_universe_expiry_count(universe) + 1, sizeof *m->roll);
    bool grid = model == HG_MARGIN_PORTFOLIO;
    m->unit = array(grid ? n * HG_PM_SCENARIOS : 0, sizeof *m->unit);
    m->column = array(n * COLUMNS, sizeof *m->column);
    m->place = array(grid ? n : 0, sizeof *m->place);
    if (!m->accounts || !m->terms || !m->legs || !m->moved || !m->pairs || !m->amount || !m->roll ||
        !m->unit || !m->column || !m->place) {
        hg_margin_free(m);
        return NULL;
    }
    terms_default(m);
    return m;
}

void hg_margin_free(hg_margin *m) {
    if (!m) {
        return;
    }
    free(m->accounts);
    free(m->terms);
    free(m->legs);
    free(m->moved);
    free(m->pairs);
    free(m->amount);
    free(m->roll);
    free(m->unit);
    free(m->column);
    free(m->place);
    free(m);
}

hg_margin_model hg_margin_model_of(const hg_margin *m) {
    return m->model;
}

void hg_margin_set_terms(hg_margin *m, uint32_t currency, uint32_t underlying,
                         const hg_pm_terms *terms) {
    const hg_universe *universe = m->portfolio->universe;
    uint32_t underlyings = hg_universe_underlying_count(universe);
    hg_assert(currency < hg_universe_currency_count(universe) && underlying < underlyings);
    m->terms[(size_t)currency * underlyings + underlying] = *terms;
    m->valid = false;
}

const hg_pm_terms *hg_margin_terms_of(const hg_margin *m, const hg_margin_pair *pair) {
    uint32_t underlyings = hg_universe_underlying_count(m->portfolio->universe);
    return &m->terms[(size_t)pair->currency * underlyings + pair->underlying];
}

/* ---- legs ------------------------------------------------------------------------------------ */

static double finite_or_zero(double value) {
    return isfinite(value) ? value : 0;
}

/* Price and delta of one coin of an option by its own vol, in the quote unit. */
static void option_model(hg_margin_leg *l) {
    hg_greeks g;
    const hg_leg *leg = &l->leg;
    if (hg_leg_greeks(leg, &g)) {
        l->model = leg->inverse ? g.price / leg->price : g.price;
        l->delta = g.delta;
    }
}

hg_margin_leg hg_margin_leg_of(const hg_margin *m, uint32_t id, int64_t now_ns) {
    const hg_portfolio *p = m->portfolio;
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    const hg_position *pos = &p->holdings[id].pos;
    double lot = hg_nano_to_double(inst->lot);
    hg_margin_leg l = {.id = id,
                       .expiry = inst->expiry_ns > 0 ? inst->expiry_id : HG_ID_NONE,
                       .buy = (double)pos->pending_buy * lot,
                       .sell = (double)pos->pending_sell * lot,
                       .terms = &inst->margin};
    l.leg = hg_leg_read(p->market, inst, (double)pos->lots * lot, now_ns);
    bool option = inst->kind == HG_KIND_OPTION;
    if (!hg_value_price(p, id, now_ns, &l.mark)) {
        l.mark = option ? l.mark : l.leg.price;
    } else if (!option) {
        l.leg.price = l.mark; /* a mid where there is no mark */
    }
    if (option && l.leg.price > 0) {
        option_model(&l);
    } else if (!option && l.leg.price > 0) {
        l.delta = (l.leg.inverse ? 1 / l.leg.price : 1) * hg_leg_open(&l.leg);
    }
    return l;
}

/* Whether everything its margin stands on has been seen. */
static bool leg_known(const hg_margin *m, const hg_margin_leg *l) {
    double mark = 0;
    double iv = 0;
    bool known = l->leg.spot > 0 && l->leg.price > 0;
    if (l->leg.kind == HG_KIND_OPTION) {
        return known && hg_market_iv(m->portfolio->market, l->id, &iv, NULL) != HG_IV_NONE &&
               isfinite(l->mark);
    }
    return known && hg_value_price(m->portfolio, l->id, m->time_ns, &mark);
}

static bool is_leg(const hg_portfolio *p, const hg_instrument *inst) {
    const hg_holding *h = &p->holdings[inst->id];
    bool open = h->pos.lots != 0 || h->pos.pending_buy != 0 || h->pos.pending_sell != 0;
    return inst->kind != HG_KIND_SPOT && open && !h->settled;
}

static hg_margin_pair *pair_find(hg_margin *m, const hg_instrument *inst) {
    for (uint32_t i = 0; i < m->pair_count; i++) {
        hg_margin_pair *pair = &m->pairs[i];
        if (pair->currency == inst->settle_id && pair->underlying == inst->underlying_id &&
            pair->inverse == inst->inverse) {
            return pair;
        }
    }
    return NULL;
}

static void pairs_list(hg_margin *m) {
    const hg_portfolio *p = m->portfolio;
    m->pair_count = 0;
    for (uint32_t i = 0; i < p->held_count; i++) {
        const hg_instrument *inst = hg_universe_get(p->universe, p->held[i]);
        if (is_leg(p, inst) && !pair_find(m, inst)) {
            m->pairs[m->pair_count++] = (hg_margin_pair){.currency = inst->settle_id,
                                                         .underlying = inst->underlying_id,
                                                         .inverse = inst->inverse};
        }
    }
}

/* A leg nothing is known of cannot be priced; it stays out of the sums and its account says so. */
static void legs_read(hg_margin *m) {
    const hg_portfolio *p = m->portfolio;
    m->count = 0;
    for (uint32_t n = 0; n < m->pair_count; n++) {
        hg_margin_pair *pair = &m->pairs[n];
        pair->first = m->count;
        for (uint32_t i = 0; i < p->held_count; i++) {
            const hg_instrument *inst = hg_universe_get(p->universe, p->held[i]);
            if (!is_leg(p, inst) || pair_find(m, inst) != pair) {
                continue;
            }
            hg_margin_leg l = hg_margin_leg_of(m, inst->id, m->time_ns);
            m->accounts[pair->currency].known = m->accounts[pair->currency].known &&
                                                leg_known(m, &l);
            if (l.leg.spot > 0 && l.leg.price > 0) {
                m->legs[m->count++] = l;
            }
        }
        pair->end = m->count;
    }
}

/* ---- money ----------------------------------------------------------------------------------- */

/* What a position is worth beside cash: options at mark, futures their gain since entry. `leg`
 * holds its price; NULL: the market is asked. */
static void position_money(hg_margin *m, uint32_t id, const hg_margin_leg *leg) {
    const hg_portfolio *p = m->portfolio;
    const hg_holding *h = &p->holdings[id];
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    hg_margin_account *a = &m->accounts[inst->settle_id];
    double price = leg ? leg->mark : 0;
    double lot = hg_nano_to_double(inst->lot);
    a->upl += hg_nano_to_double(hg_funding_open(p, id, m->time_ns));
    if (h->pos.lots == 0) {
        return;
    }
    double held = (double)h->pos.lots * lot;
    if (inst->kind == HG_KIND_SPOT) {
        uint32_t coin = hg_universe_underlying(p->universe, inst->underlying_id)->currency;
        m->accounts[coin].equity += held;
    } else if (!leg && !hg_value_price(p, id, m->time_ns, &price)) {
        a->known = false;
    } else if (inst->kind == HG_KIND_OPTION) {
        a->options_value += held * price;
    } else {
        double priced = held - (double)h->unpriced * lot;
        double cost = hg_nano_to_double(h->pos.cost);
        a->upl += inst->inverse ? cost - priced / price : priced * price - cost;
    }
}

/* Spot is paid in full: buys reserve money, sells coins. */
static void spot_reserve(hg_margin *m, uint32_t id) {
    const hg_portfolio *p = m->portfolio;
    const hg_position *pos = &p->holdings[id].pos;
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    uint32_t coin = hg_universe_underlying(p->universe, inst->underlying_id)->currency;
    double price = 0;
    double lot = hg_nano_to_double(inst->lot);
    if (m->model == HG_MARGIN_NONE || inst->kind != HG_KIND_SPOT) {
        return;
    }
    if (pos->pending_buy > 0 && !hg_value_price(p, id, m->time_ns, &price)) {
        m->accounts[inst->settle_id].known = false;
    }
    m->accounts[inst->settle_id].initial += (double)pos->pending_buy * lot * price;
    m->accounts[coin].initial += (double)pos->pending_sell * lot;
}

static void account_close(const hg_margin *m, hg_margin_account *a) {
    a->equity += a->balance + a->upl + a->options_value;
    a->margin_balance = a->equity - (m->model == HG_MARGIN_STANDARD ? a->options_value : 0);
}

/* Balances; with `priced` at the marks the legs hold already, where they are all there is. */
static void accounts_open(hg_margin *m, bool priced) {
    const hg_portfolio *p = m->portfolio;
    uint32_t count = hg_universe_currency_count(p->universe);
    for (uint32_t c = 0; c < count; c++) {
        m->accounts[c] = (hg_margin_account){.currency = c,
                                             .known = true,
                                             .balance = hg_nano_to_double(p->purses[c].balance),
                                             .usd = finite_or_zero(hg_market_usd(p->market, c))};
    }
    for (uint32_t i = 0; priced && i < m->count; i++) {
        position_money(m, m->legs[i].id, &m->legs[i]);
    }
    for (uint32_t i = 0; i < p->held_count; i++) {
        if (!priced || !is_leg(p, hg_universe_get(p->universe, p->held[i]))) {
            position_money(m, p->held[i], NULL);
        }
    }
    for (uint32_t c = 0; c < count; c++) {
        account_close(m, &m->accounts[c]);
    }
}

/* ---- sums ------------------------------------------------------------------------------------ */

static void account_finish(hg_margin_account *a) {
    double free = a->margin_balance - a->initial;
    a->available = free > 0 ? free : 0;
    a->used = a->balance != 0 || a->equity != 0 || a->initial != 0 || a->maintenance != 0 ||
              !a->known;
    double sum = a->equity + a->margin_balance + a->initial + a->maintenance;
    if (!isfinite(sum)) {
        *a = (hg_margin_account){.currency = a->currency, .used = true, .usd = a->usd};
    }
}

void hg_margin_sums(hg_margin *m) {
    const hg_portfolio *p = m->portfolio;
    uint32_t count = hg_universe_currency_count(p->universe);
    for (uint32_t c = 0; c < count; c++) {
        m->accounts[c].initial = 0;
        m->accounts[c].maintenance = 0;
    }
    for (uint32_t n = 0; n < m->pair_count; n++) {
        hg_margin_pair *pair = &m->pairs[n];
        hg_margin_sum sum = hg_margin_pair_sum(m, m->legs, pair);
        pair->initial = sum.initial;
        pair->maintenance = sum.maintenance;
        m->accounts[pair->currency].initial += sum.initial;
        m->accounts[pair->currency].maintenance += sum.maintenance;
    }
    for (uint32_t i = 0; i < p->held_count; i++) {
        spot_reserve(m, p->held[i]);
    }
    for (uint32_t c = 0; c < count; c++) {
        account_finish(&m->accounts[c]);
    }
}

static uint64_t market_version(const hg_portfolio *p) {
    uint64_t sum = 0;
    for (uint32_t u = 0; u < hg_universe_underlying_count(p->universe); u++) {
        const hg_market_spot *spot = hg_market_underlying(p->market, u);
        sum += spot->version + spot->state_version;
    }
    return sum;
}

/* Follows sizes alone, at the prices of earlier in the second; false when other instruments are
 * held or ordered than then, or some were unknown. */
static bool sizes_follow(hg_margin *m) {
    const hg_portfolio *p = m->portfolio;
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->held_count; i++) {
        count += is_leg(p, hg_universe_get(p->universe, p->held[i]));
    }
    for (uint32_t i = 0; i < m->count; i++) {
        hg_margin_leg *l = &m->legs[i];
        const hg_instrument *inst = hg_universe_get(p->universe, l->id);
        const hg_position *pos = &p->holdings[l->id].pos;
        double lot = hg_nano_to_double(inst->lot);
        if (count != m->count || !is_leg(p, inst) || !m->accounts[inst->settle_id].known) {
            return false;
        }
        l->leg.amount = (double)pos->lots * lot;
        l->buy = (double)pos->pending_buy * lot;
        l->sell = (double)pos->pending_sell * lot;
    }
    return count == m->count;
}

void hg_margin_refresh(hg_margin *m, int64_t now_ns, bool fresh) {
    const hg_portfolio *p = m->portfolio;
    uint64_t market = market_version(p);
    bool prices = m->valid && now_ns == m->time_ns && market == m->market;
    bool second = m->valid && now_ns / HG_NS_PER_S == m->time_ns / HG_NS_PER_S;
    if (m->changes == p->changes && (prices || (second && !fresh))) {
        return;
    }
    m->changes = p->changes;
    if (second && !fresh && sizes_follow(m)) {
        accounts_open(m, true);
        hg_margin_sums(m);
        return;
    }
    m->time_ns = now_ns;
    m->market = market;
    m->valid = true;
    accounts_open(m, false);
    pairs_list(m);
    legs_read(m);
    if (m->model == HG_MARGIN_PORTFOLIO) {
        for (uint32_t n = 0; n < m->pair_count; n++) {
            hg_margin_pair *pair = &m->pairs[n];
            hg_pm_units(m, m->legs, pair->first, pair->end, hg_margin_terms_of(m, pair));
        }
    }
    hg_margin_sums(m);
}

const hg_margin_account *hg_margin_accounts(hg_margin *m, int64_t now_ns) {
    hg_margin_refresh(m, now_ns, true);
    return m->accounts;
}

bool hg_margin_holds(const hg_margin *m, uint32_t underlying) {
    const hg_portfolio *p = m->portfolio;
    for (uint32_t i = 0; i < p->held_count; i++) {
        uint32_t id = p->held[i];
        if (hg_universe_get(p->universe, id)->underlying_id == underlying &&
            p->holdings[id].pos.lots != 0) {
            return true;
        }
    }
    return false;
}

bool hg_margin_breached(const hg_margin_account *a) {
    return a->known && a->maintenance > 0 && !(a->maintenance < a->margin_balance);
}

/* ---- totals ---------------------------------------------------------------------------------- */

static void total_exposure(const hg_margin *m, hg_margin_total *out) {
    const hg_universe *universe = m->portfolio->universe;
    double leverage = 0;
    for (uint32_t u = 0; u < hg_universe_underlying_count(universe); u++) {
        double delta = 0;
        double spot = 0;
        for (uint32_t i = 0; i < m->count; i++) {
            const hg_margin_leg *l = &m->legs[i];
            if (hg_universe_get(universe, l->id)->underlying_id == u) {
                spot = l->leg.spot;
                delta += l->leg.amount * l->delta;
                bool usd_sized = l->leg.inverse && l->leg.kind != HG_KIND_OPTION;
                out->notional += fabs(l->leg.amount) * (usd_sized ? 1 : spot);
            }
        }
        leverage += fabs(delta) * spot;
    }
    if (out->equity > 0) {
        out->leverage = leverage / out->equity;
        out->notional_leverage = out->notional / out->equity;
    }
}

void hg_margin_total_sum(hg_margin *m, hg_margin_total *out) {
    *out = (hg_margin_total){.model = m->model, .known = true};
    for (uint32_t c = 0; c < hg_universe_currency_count(m->portfolio->universe); c++) {
        const hg_margin_account *a = &m->accounts[c];
        if (!a->used) {
            continue;
        }
        out->known = out->known && a->known && a->usd > 0;
        out->equity += a->equity * a->usd;
        out->margin_balance += a->margin_balance * a->usd;
        out->initial += a->initial * a->usd;
        out->maintenance += a->maintenance * a->usd;
        out->available += a->available * a->usd;
        double use = a->margin_balance > 0 ? a->maintenance / a->margin_balance : USE_MAX;
        use = a->maintenance > 0 ? fmin(use, USE_MAX) : 0;
        out->use = use > out->use ? use : out->use;
    }
    total_exposure(m, out);
}

void hg_margin_total_of(hg_margin *m, int64_t now_ns, hg_margin_total *out) {
    hg_margin_refresh(m, now_ns, true);
    hg_margin_total_sum(m, out);
}
