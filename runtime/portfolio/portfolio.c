/* The portfolio: what is held, opened and pending, and the list of it.
 *
 * Invariants: all memory is taken in hg_portfolio_new; `held` is sorted and names exactly the
 * instruments with lots, opened lots or pending orders; every change of those marks the book of the
 * underlying, so that exposure recomputes what changed and nothing else. */
#include "base/assert.h"
#include "base/clock.h"
#include "portfolio/explain_int.h"

#include <stdlib.h>
#include <string.h>

#define MAX_AGE_DEFAULT_NS (30 * HG_NS_PER_S)

static void *array(size_t count, size_t size) {
    return calloc(count > 0 ? count : 1, size);
}

static bool books_init(hg_portfolio *p) {
    uint32_t underlyings = hg_universe_underlying_count(p->universe);
    uint32_t widest = 1;
    for (uint32_t u = 0; u < underlyings; u++) {
        if (!hg_book_init(&p->books[u], p->universe, u)) {
            return false;
        }
        uint32_t count = 0;
        for (uint32_t id = hg_universe_underlying(p->universe, u)->first; id != HG_ID_NONE;
             id = hg_universe_next(p->universe, id)) {
            count++;
        }
        widest = count > widest ? count : widest;
    }
    p->scratch_capacity = widest;
    p->scratch = array((size_t)widest * 13, sizeof *p->scratch);
    p->changed = array(widest, sizeof *p->changed);
    return p->scratch && p->changed;
}

hg_portfolio *hg_portfolio_new(const hg_market *market, const hg_portfolio_options *options) {
    hg_assert(market && options);
    hg_portfolio *p = calloc(1, sizeof *p);
    if (!p) {
        return NULL;
    }
    p->market = market;
    p->universe = hg_market_universe(market);
    p->options = *options;
    if (p->options.max_age_ns <= 0) {
        p->options.max_age_ns = MAX_AGE_DEFAULT_NS;
    }
    hg_exposure_words(p);
    uint32_t count = hg_universe_count(p->universe);
    p->holdings = array(count, sizeof *p->holdings);
    p->held = array(count, sizeof *p->held);
    p->purses = array(hg_universe_currency_count(p->universe), sizeof *p->purses);
    p->books = array(hg_universe_underlying_count(p->universe), sizeof *p->books);
    if (!p->holdings || !p->held || !p->purses || !p->books || !books_init(p) ||
        !hg_explain_init(p)) {
        hg_portfolio_free(p);
        return NULL;
    }
    for (uint32_t id = 0; id < count; id++) {
        p->holdings[id].column = HG_ID_NONE;
    }
    return p;
}

void hg_portfolio_free(hg_portfolio *p) {
    if (!p) {
        return;
    }
    for (uint32_t u = 0; p->books && u < hg_universe_underlying_count(p->universe); u++) {
        hg_book_fini(&p->books[u]);
    }
    hg_explain_fini(p);
    free(p->books);
    free(p->purses);
    free(p->held);
    free(p->holdings);
    free(p->scratch);
    free(p->changed);
    free(p);
}

/* First place in `held` whose id is not below `id`. */
static uint32_t held_place(const hg_portfolio *p, uint32_t id) {
    uint32_t low = 0;
    uint32_t high = p->held_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (p->held[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void held_set(hg_portfolio *p, uint32_t id, bool listed) {
    uint32_t place = held_place(p, id);
    uint32_t *at = p->held + place;
    if (listed) {
        hg_assert(p->held_count < hg_universe_count(p->universe));
        memmove(at + 1, at, (p->held_count - place) * sizeof *at);
        *at = id;
        p->held_count++;
    } else {
        hg_assert(place < p->held_count && *at == id);
        p->held_count--;
        memmove(at, at + 1, (p->held_count - place) * sizeof *at);
    }
    p->holdings[id].listed = listed;
}

void hg_holding_changed(hg_portfolio *p, uint32_t id) {
    hg_holding *h = &p->holdings[id];
    const hg_position *pos = &h->pos;
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    hg_book *book = &p->books[inst->underlying_id];
    bool listed = pos->lots != 0 || pos->opened != 0 || pos->pending_buy != 0 ||
                  pos->pending_sell != 0 || pos->planned_buy != 0 || pos->planned_sell != 0;
    if (listed != h->listed) {
        held_set(p, id, listed);
        book->restructure = true;
    }
    p->changes++;
    book->moved = true;
    book->sizes_moved = book->sizes_moved || inst->kind == HG_KIND_OPTION;
}

/* What stating further opening lots does to cost: the same direction adds up, the other direction
 * releases the old cost pro rata (an opening book is a net position: nothing is realised by it). */
static bool opened_plan(const hg_instrument *inst, const hg_holding *h, hg_lots lots, hg_nano entry,
                        hg_cash *cost, hg_lots *unpriced) {
    hg_lots old = h->pos.lots;
    bool against = (old > 0 && lots < 0) || (old < 0 && lots > 0);
    hg_lots released = !against ? 0 : llabs(lots) < llabs(old) ? llabs(lots) : llabs(old);
    hg_lots added = lots > 0 ? lots - released : lots + released;
    hg_cash gone = 0;
    hg_cash value = 0;
    hg_lots forgotten = 0;
    if (released > 0 && (!hg_muldiv(h->pos.cost, released, llabs(old), &gone) ||
                         !hg_muldiv(h->unpriced, released, llabs(old), &forgotten))) {
        return false;
    }
    if (entry > 0 && added != 0 && !hg_value(inst, entry, added, &value)) {
        return false;
    }
    return hg_add(h->pos.cost - gone, value, cost) &&
           hg_add(h->unpriced - forgotten, entry > 0 ? 0 : added, unpriced);
}

int hg_portfolio_open(hg_portfolio *p, uint32_t id, hg_lots lots, hg_nano entry) {
    if (id >= hg_universe_count(p->universe) || lots == 0 || entry < 0) {
        return HG_ERR(HG_EINVALID, "opening book: instrument, size and entry must be valid");
    }
    hg_holding *h = &p->holdings[id];
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    if (h->first_known || h->settled) {
        return HG_ERR(HG_ESTATE, "opening book: %s has been marked already", inst->name);
    }
    hg_lots total = 0;
    hg_lots opened = 0;
    hg_lots unpriced = 0;
    hg_cash cost = 0;
    hg_cash amount = 0;
    /* A quarter of the range stays free, so that sums with pending orders fit as well. */
    if (lots > INT64_MAX / 4 || lots < -(INT64_MAX / 4) || !hg_add(h->pos.lots, lots, &total) ||
        !hg_add(h->pos.opened, lots, &opened) || llabs(total) > INT64_MAX / 4 ||
        !hg_muldiv(total, inst->lot, 1, &amount) ||
        !opened_plan(inst, h, lots, entry, &cost, &unpriced)) {
        return HG_ERR(HG_ERANGE, "opening book: %s: size is out of range", inst->name);
    }
    p->unmarked += (uint32_t)(opened != 0) - (uint32_t)(h->pos.opened != 0);
    h->pos.lots = total;
    h->pos.opened = opened;
    h->pos.cost = cost;
    h->pos.entry_cost = cost;
    h->unpriced = unpriced;
    hg_holding_changed(p, id);
    return HG_OK;
}

void hg_portfolio_pending(hg_portfolio *p, uint32_t id, hg_lots buy, hg_lots sell) {
    hg_assert(id < hg_universe_count(p->universe));
    hg_assert(buy >= 0 && sell >= 0);
    hg_position *pos = &p->holdings[id].pos;
    if (pos->pending_buy == buy && pos->pending_sell == sell) {
        return;
    }
    pos->pending_buy = buy;
    pos->pending_sell = sell;
    hg_holding_changed(p, id);
}

void hg_portfolio_planned(hg_portfolio *p, uint32_t id, hg_lots buy, hg_lots sell) {
    hg_assert(id < hg_universe_count(p->universe));
    hg_assert(buy >= 0 && sell >= 0);
    p->holdings[id].pos.planned_buy = buy;
    p->holdings[id].pos.planned_sell = sell;
    hg_holding_changed(p, id);
}

const hg_position *hg_portfolio_get(const hg_portfolio *p, uint32_t id) {
    hg_assert(id < hg_universe_count(p->universe));
    return &p->holdings[id].pos;
}

hg_cash hg_portfolio_cash(const hg_portfolio *p, uint32_t currency) {
    hg_assert(currency < hg_universe_currency_count(p->universe));
    return p->purses[currency].balance;
}

double hg_portfolio_entry(const hg_portfolio *p, uint32_t id) {
    hg_assert(id < hg_universe_count(p->universe));
    const hg_holding *h = &p->holdings[id];
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    if (h->pos.lots == 0 || h->pos.entry_cost == 0 || h->unpriced != 0) {
        return 0;
    }
    double amount = (double)h->pos.lots * ((double)inst->lot / 1e9);
    double cost = hg_nano_to_double(h->pos.entry_cost);
    bool usd_sized = inst->inverse && inst->kind != HG_KIND_OPTION;
    return usd_sized ? amount / cost : cost / amount;
}

uint32_t hg_portfolio_held(const hg_portfolio *p, const uint32_t **ids) {
    hg_assert(ids);
    *ids = p->held;
    return p->held_count;
}

bool hg_portfolio_mark(const hg_portfolio *p, uint32_t id, int64_t now_ns, double *price) {
    hg_assert(id < hg_universe_count(p->universe) && price);
    return hg_value_price(p, id, now_ns, price);
}

hg_cash hg_portfolio_accrued(const hg_portfolio *p, uint32_t id, int64_t now_ns) {
    hg_assert(id < hg_universe_count(p->universe));
    return hg_funding_open(p, id, now_ns);
}

double hg_portfolio_deposited_usd(const hg_portfolio *p, uint32_t currency) {
    hg_assert(currency < hg_universe_currency_count(p->universe));
    return p->purses[currency].deposited_usd;
}

bool hg_portfolio_charges(const hg_portfolio *p) {
    return p->options.fees;
}

uint64_t hg_portfolio_passes(const hg_portfolio *p) {
    return p->passes;
}

const char *hg_cash_cause_name(hg_cash_cause cause) {
    static const char *const names[] = {"trade", "fee", "funding", "settlement", "deposit"};
    hg_assert(cause <= HG_CASH_DEPOSIT);
    return names[cause];
}
