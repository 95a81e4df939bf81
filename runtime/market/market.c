/* The market: a fold over market events into per-instrument and per-underlying state.
 *
 * Invariants: everything here follows from the events applied so far and nothing else; all memory
 * is taken in hg_market_new; versions change whenever an answer about the thing may change, so
 * readers can keep what they computed. */
#include "base/assert.h"
#include "base/clock.h"
#include "market/smile_int.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_LEVELS_DEFAULT 1024

const char *hg_quality_name(hg_quality quality) {
    static const char *const names[] = {"good", "stale", "partial"};
    hg_assert(quality <= HG_QUALITY_PARTIAL);
    return names[quality];
}

static bool is_option(const hg_instrument *inst) {
    return inst->kind == HG_KIND_OPTION;
}

/* Options of each expiry, sorted by strike, for the search of neighbours. */
static int strike_compare(const void *a, const void *b, void *universe) {
    const hg_instrument *x = hg_universe_get(universe, *(const uint32_t *)a);
    const hg_instrument *y = hg_universe_get(universe, *(const uint32_t *)b);
    if (x->expiry_id != y->expiry_id) {
        return x->expiry_id < y->expiry_id ? -1 : 1;
    }
    if (x->strike != y->strike) {
        return x->strike < y->strike ? -1 : 1;
    }
    return x->id < y->id ? -1 : x->id > y->id;
}

static void index_expiries(hg_market *m) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < hg_universe_count(m->universe); i++) {
        const hg_instrument *inst = hg_universe_get(m->universe, i);
        if (is_option(inst)) {
            m->by_expiry[n++] = i;
        } else if (inst->kind == HG_KIND_FUTURE &&
                   m->forwards[inst->expiry_id].future == HG_ID_NONE) {
            m->forwards[inst->expiry_id].future = i;
        }
    }
    qsort_r(m->by_expiry, n, sizeof *m->by_expiry, strike_compare, (void *)(uintptr_t)m->universe);
    for (uint32_t k = 0; k < n; k++) {
        hg_forward_state *f =
            &m->forwards[hg_universe_get(m->universe, m->by_expiry[k])->expiry_id];
        m->anchors[m->by_expiry[k]].place = k;
        if (f->count++ == 0) {
            f->first = k;
        }
    }
}

static void *array(size_t count, size_t size) {
    return calloc(count > 0 ? count : 1, size);
}

hg_market *hg_market_new(const hg_universe *universe, const hg_market_options *options) {
    hg_market *m = calloc(1, sizeof *m);
    if (!m) {
        return NULL;
    }
    size_t count = hg_universe_count(universe);
    size_t underlyings = hg_universe_underlying_count(universe);
    size_t expiries = hg_universe_expiry_count(universe);
    m->universe = universe;
    m->book_capacity = options->depth_books;
    m->level_capacity = options->depth_levels ? options->depth_levels : DEPTH_LEVELS_DEFAULT;
    m->index_max_age_ns = options->index_max_age_ns ? options->index_max_age_ns : 10 * HG_NS_PER_S;
    m->states = array(count, sizeof *m->states);
    m->anchors = array(count, sizeof *m->anchors);
    m->by_expiry = array(count, sizeof *m->by_expiry);
    m->spots = array(underlyings, sizeof *m->spots);
    m->window_ns = array(underlyings, sizeof *m->window_ns);
    m->references = array(underlyings, sizeof *m->references);
    m->forwards = array(expiries, sizeof *m->forwards);
    m->books = array(m->book_capacity, sizeof *m->books);
    m->levels = array((size_t)m->book_capacity * m->level_capacity * 2, sizeof *m->levels);
    if (!m->states || !m->anchors || !m->by_expiry || !m->spots || !m->window_ns ||
        !m->references || !m->forwards || !m->books || !m->levels) {
        hg_market_free(m);
        return NULL;
    }
    for (size_t i = 0; i < underlyings; i++) {
        m->references[i] = HG_ID_NONE;
    }
    for (size_t i = 0; i < expiries; i++) {
        m->forwards[i].future = HG_ID_NONE;
    }
    index_expiries(m);
    m->smiles = hg_smiles_new(m);
    if (!m->smiles) {
        hg_market_free(m);
        return NULL;
    }
    return m;
}

void hg_market_free(hg_market *m) {
    if (!m) {
        return;
    }
    free(m->states);
    free(m->anchors);
    free(m->by_expiry);
    free(m->spots);
    free(m->window_ns);
    free(m->references);
    free(m->forwards);
    free(m->books);
    free(m->levels);
    hg_smiles_free(m->smiles);
    free(m);
}

static void spot_set(hg_market *m, uint32_t underlying, double spot, int64_t time_ns,
                     bool from_index) {
    hg_market_spot *s = &m->spots[underlying];
    hg_market_average(m, underlying, s->spot, s->time_ns, time_ns);
    s->time_ns = time_ns;
    if (s->spot != spot || s->from_index != from_index) {
        s->spot = spot;
        s->from_index = from_index;
        s->version++;
    }
}

/* Perpetuals stand nearest to the index, then spot, then futures in order of the universe. */
static int reference_rank(const hg_instrument *inst) {
    return inst->kind == HG_KIND_PERPETUAL ? 0 : inst->kind == HG_KIND_SPOT ? 1 : 2;
}

/* Without a fresh index the spot is the mid of the best reference that is being quoted. */
static void spot_from_quote(hg_market *m, const hg_instrument *inst, int64_t time_ns) {
    hg_market_spot *s = &m->spots[inst->underlying_id];
    if (s->index_ns > 0 && time_ns - s->index_ns <= m->index_max_age_ns) {
        return;
    }
    if (!hg_universe_currency(m->universe, inst->quote_id)->stable) {
        return;
    }
    uint32_t *reference = &m->references[inst->underlying_id];
    if (*reference != inst->id && *reference != HG_ID_NONE) {
        const hg_instrument *other = hg_universe_get(m->universe, *reference);
        bool fresh = time_ns - m->states[*reference].quote.time_ns <= m->index_max_age_ns;
        if (fresh && reference_rank(other) <= reference_rank(inst)) {
            return;
        }
    }
    double mid = hg_market_mid(m, inst->id);
    if (mid > 0) {
        *reference = inst->id;
        spot_set(m, inst->underlying_id, mid, time_ns, false);
    }
}

/* Remembers the price an option's vol can be implied from, and the forward it belongs to. */
static void anchor_option(hg_market *m, const hg_instrument *inst, double price, int64_t time_ns) {
    hg_anchor *a = &m->anchors[inst->id];
    a->price = price;
    a->price_ns = time_ns;
    a->forward = hg_market_forward(m, inst->expiry_id, NULL);
    a->implied_due = true;
}

static void touch(hg_market *m, const hg_instrument *inst) {
    m->states[inst->id].version++;
    m->spots[inst->underlying_id].state_version++;
}

static void quote_changed(hg_market *m, const hg_instrument *inst, int64_t time_ns) {
    hg_market_state *s = &m->states[inst->id];
    m->smiles->quote_spot[inst->id] = m->spots[inst->underlying_id].spot;
    if (!is_option(inst)) {
        spot_from_quote(m, inst, time_ns);
    } else if (s->iv == 0 && s->mark == 0) {
        double mid = hg_market_mid(m, inst->id);
        if (mid > 0) {
            anchor_option(m, inst, mid, time_ns);
        }
    }
    touch(m, inst);
}

static bool apply_quote(hg_market *m, const hg_instrument *inst, const hg_event *e) {
    bool both = e->quote.bid_size > 0 && e->quote.ask_size > 0;
    if ((both && e->quote.bid > e->quote.ask) || e->quote.bid_size < 0 || e->quote.ask_size < 0) {
        return false;
    }
    hg_quote *q = &m->states[inst->id].quote;
    q->bid = e->quote.bid;
    q->ask = e->quote.ask;
    q->bid_size = e->quote.bid_size;
    q->ask_size = e->quote.ask_size;
    q->time_ns = e->time_ns;
    quote_changed(m, inst, e->time_ns);
    return true;
}

static hg_depth *book_reserve(hg_market *m, hg_market_state *s) {
    if (!s->depth && m->book_count < m->book_capacity) {
        hg_level *levels = m->levels + (size_t)m->book_count * m->level_capacity * 2;
        s->depth = &m->books[m->book_count++];
        hg_depth_init(s->depth, levels, levels + m->level_capacity, m->level_capacity);
    }
    return s->depth;
}

/* A feed without quotes is quoted by the touch of its book. */
static void quote_from_depth(hg_market *m, const hg_instrument *inst, int64_t time_ns) {
    hg_market_state *s = &m->states[inst->id];
    const hg_level *bid = hg_depth_level(s->depth, HG_BUY, 0);
    const hg_level *ask = hg_depth_level(s->depth, HG_SELL, 0);
    s->quote = (hg_quote){bid ? bid->price : 0, ask ? ask->price : 0, bid ? bid->size : 0,
                          ask ? ask->size : 0, time_ns};
    quote_changed(m, inst, time_ns);
}

static bool depth_is_crossed(const hg_depth *depth) {
    const hg_level *bid = hg_depth_level(depth, HG_BUY, 0);
    const hg_level *ask = hg_depth_level(depth, HG_SELL, 0);
    return bid && ask && bid->price >= ask->price;
}

static bool apply_depth(hg_market *m, const hg_instrument *inst, const hg_event *e) {
    hg_market_state *s = &m->states[inst->id];
    hg_depth *depth = book_reserve(m, s);
    if (!depth || e->level.price <= 0 || e->level.size < 0 ||
        (e->side != HG_BUY && e->side != HG_SELL)) {
        return false;
    }
    bool quoted_by_depth = depth->time_ns == s->quote.time_ns;
    if (e->flags & HG_EVF_SNAPSHOT) {
        hg_depth_clear(depth);
        s->book_invalid = false;
    } else if (s->book_invalid) {
        return false;
    }
    hg_depth_set(depth, e->side, e->level.price, e->level.size);
    if (quoted_by_depth) {
        quote_from_depth(m, inst, e->time_ns);
    }
    depth->time_ns = e->time_ns;
    if (!(e->flags & HG_EVF_MORE) && depth_is_crossed(depth)) {
        s->book_invalid = true;
    }
    touch(m, inst);
    return true;
}

static bool apply_mark(hg_market *m, const hg_instrument *inst, const hg_event *e) {
    if (e->mark.price < 0 || e->mark.iv < 0) {
        return false;
    }
    hg_market_state *s = &m->states[inst->id];
    const hg_market_spot *spot = &m->spots[inst->underlying_id];
    hg_anchor *a = &m->anchors[inst->id];
    s->mark = e->mark.price;
    s->iv = e->mark.iv;
    s->mark_ns = e->time_ns;
    a->spot = spot->spot;
    a->spot_from_index = spot->from_index;
    if (is_option(inst)) {
        anchor_option(m, inst, hg_nano_to_double(s->mark), e->time_ns);
    }
    touch(m, inst);
    return true;
}

static bool apply_index(hg_market *m, const hg_event *e) {
    if (e->id >= hg_universe_underlying_count(m->universe) || e->price.value <= 0) {
        return false;
    }
    hg_market_spot *s = &m->spots[e->id];
    s->index = e->price.value;
    s->index_ns = e->time_ns;
    spot_set(m, e->id, hg_nano_to_double(e->price.value), e->time_ns, true);
    return true;
}

static bool apply_forward(hg_market *m, const hg_event *e) {
    if (e->id >= hg_universe_expiry_count(m->universe) || e->price.value <= 0) {
        return false;
    }
    hg_market_spot *s = &m->spots[hg_universe_expiry(m->universe, e->id)->underlying];
    hg_forward_state *f = &m->forwards[e->id];
    f->forward = hg_nano_to_double(e->price.value);
    f->spot = s->spot;
    f->spot_from_index = s->from_index;
    f->time_ns = e->time_ns;
    s->version++;
    return true;
}

static bool apply_instrument(hg_market *m, const hg_event *e) {
    if (e->id >= hg_universe_count(m->universe)) {
        return false;
    }
    const hg_instrument *inst = hg_universe_get(m->universe, e->id);
    hg_market_state *s = &m->states[e->id];
    if (is_option(inst)) {
        hg_smiles_keep(m, inst);
    }
    switch (e->kind) {
    case HG_EV_QUOTE:
        return apply_quote(m, inst, e);
    case HG_EV_DEPTH:
        return apply_depth(m, inst, e);
    case HG_EV_MARK:
        return apply_mark(m, inst, e);
    case HG_EV_TRADE:
        s->last = e->level.price;
        s->last_size = e->level.size;
        s->last_ns = e->time_ns;
        break;
    case HG_EV_FUNDING:
        s->funding = e->price.value;
        s->funding_ns = e->time_ns;
        break;
    case HG_EV_SETTLE:
        s->settle = e->price.value;
        s->settled = true;
        s->quote.bid_size = 0;
        s->quote.ask_size = 0;
        break;
    case HG_EV_STATUS:
        s->book_invalid = s->book_invalid || (e->flags & HG_EVF_INVALID);
        s->halted = e->flags & HG_EVF_HALTED;
        break;
    default:
        return true;
    }
    touch(m, inst);
    return true;
}

bool hg_market_apply(hg_market *m, const hg_event *e) {
    if (e->kind > HG_EV_STATUS) {
        return true;
    }
    m->now_ns = e->time_ns > m->now_ns ? e->time_ns : m->now_ns;
    if (e->time_ns >= m->smiles->roll_ns) {
        hg_smiles_event(m, e->time_ns);
    }
    bool taken = e->kind == HG_EV_INDEX     ? apply_index(m, e)
                 : e->kind == HG_EV_FORWARD ? apply_forward(m, e)
                                            : apply_instrument(m, e);
    m->refused += !taken;
    return taken;
}

const hg_universe *hg_market_universe(const hg_market *m) {
    return m->universe;
}

const hg_market_state *hg_market_get(const hg_market *m, uint32_t id) {
    return &m->states[id];
}

const hg_market_spot *hg_market_underlying(const hg_market *m, uint32_t underlying) {
    return &m->spots[underlying];
}

uint64_t hg_market_refused(const hg_market *m) {
    return m->refused;
}
