/* Controls of the gate over one order by itself: its numbers, the data they are judged by, whether
 * it was sent a moment ago, its price, size and value. */
#include "base/assert.h"
#include "base/hash.h"
#include "exec/exec_int.h"

#include <math.h>
#include <stdlib.h>

/* --- 1: sanity -------------------------------------------------------------------------------- */

static hg_reject check_tradable(const judgement *j) {
    bool expired = j->inst->expiry_ns > 0 && !(j->now_ns < j->inst->expiry_ns);
    if (expired || j->state->settled) {
        return hg_refuse(j->refusal, HG_REJECT_INSTRUMENT, NAN, NAN, "%s has expired",
                         j->inst->name);
    }
    if (j->state->halted) {
        return hg_refuse(j->refusal, HG_REJECT_INSTRUMENT, NAN, NAN, "%s is halted", j->inst->name);
    }
    return HG_REJECT_NONE;
}

hg_reject hg_check_form(judgement *j) {
    const hg_order_request *r = j->request;
    hg_reject code = check_tradable(j);
    if (code != HG_REJECT_NONE) {
        return code;
    }
    bool known = (r->side == HG_BUY || r->side == HG_SELL) &&
                 (r->type == HG_TYPE_MARKET || r->type == HG_TYPE_LIMIT) &&
                 (unsigned)r->tif <= HG_TIF_FOK;
    if (!known) {
        return hg_refuse(j->refusal, HG_REJECT_BAD_REQUEST, NAN, NAN,
                         "side, type or time in force is not one of the known ones");
    }
    if (r->post_only && (r->type == HG_TYPE_MARKET || r->tif != HG_TIF_GTC)) {
        return hg_refuse(j->refusal, HG_REJECT_BAD_REQUEST, NAN, NAN,
                         "post-only belongs to resting limit orders");
    }
    return HG_REJECT_NONE;
}

hg_reject hg_check_size(judgement *j) {
    double size = j->request->size;
    double lot = (double)j->inst->lot / 1e9;
    if (!isfinite(size)) {
        return hg_refuse(j->refusal, HG_REJECT_NOT_FINITE, size, NAN, "size is not finite");
    }
    if (!(size > 0)) {
        return hg_refuse(j->refusal, HG_REJECT_SIZE_ZERO, size, lot, "size %g must be above zero",
                         size);
    }
    /* A quarter of the range of the ledger stays free for sums. */
    double most = fmin((double)(INT64_MAX / 4) / 1e9, lot * 9e15);
    if (!(size <= most)) {
        return hg_refuse(j->refusal, HG_REJECT_SIZE_LIMIT, size, most,
                         "size %g of %s is beyond the ledger", size, j->inst->name);
    }
    hg_lots lots = 0;
    if (!hg_size_from_double(j->inst, size, &lots) || lots <= 0) {
        return hg_refuse(j->refusal, HG_REJECT_OFF_LOT, size, lot,
                         "size %.12g of %s is not a multiple of %.12g", size, j->inst->name, lot);
    }
    if (lots <= j->view->filled) {
        return hg_refuse(j->refusal, HG_REJECT_SIZE_ZERO, size,
                         hg_size_to_double(j->inst, j->view->filled),
                         "new size %.12g is not above what has been filled", size);
    }
    hg_assert(j->add == lots - j->view->filled);
    j->out->size = lots;
    return HG_REJECT_NONE;
}

hg_reject hg_check_price(judgement *j) {
    double price = j->request->price;
    double tick = (double)j->inst->tick / 1e9;
    if (j->request->type == HG_TYPE_MARKET) {
        return HG_REJECT_NONE;
    }
    if (!isfinite(price)) {
        return hg_refuse(j->refusal, HG_REJECT_NOT_FINITE, price, NAN, "price is not finite");
    }
    if (!(price > 0)) {
        return hg_refuse(j->refusal, HG_REJECT_PRICE_COLLAR, price, tick,
                         "price %g must be above zero", price);
    }
    hg_ticks ticks = 0;
    if (!hg_price_from_double(j->inst, price, &ticks) || ticks <= 0) {
        hg_ticks near = hg_price_round(j->inst, price, -1);
        double step = tick * (double)hg_instrument_step(j->inst, near);
        return hg_refuse(j->refusal, HG_REJECT_OFF_TICK, price, step,
                         "price %.12g of %s is not a multiple of its tick", price, j->inst->name);
    }
    j->out->price = ticks;
    return HG_REJECT_NONE;
}

/* --- 13: data --------------------------------------------------------------------------------- */

static bool fresh(const judgement *j, int64_t time_ns) {
    return j->now_ns - time_ns <= j->limits->quote_max_age_ns;
}

/* Reduce-only orders may pass on the last known price where the operator has allowed it. */
static bool stale_allowed(const judgement *j) {
    const hg_limit_extra *extra = j->risk->limits.extra;
    return j->view->operator_order ||
           (extra && extra->stale_reduce_only && j->request->reduce_only && j->reducing);
}

static hg_reject stale(judgement *j, int64_t newest_ns) {
    double limit_s = (double)j->limits->quote_max_age_ns / 1e9;
    double age_s = (double)(j->now_ns - newest_ns) / 1e9;
    return hg_refuse(j->refusal, HG_REJECT_STALE, age_s, limit_s,
                     "data of %s is %.3g s old, the limit is %.3g s", j->inst->name, age_s,
                     limit_s);
}

/* Reference: the mark while it is fresh, else the mid of a fresh book. An unchanged quote beside a
 * fresh mark is not stale: exchanges send a quote only when it changes. */
static hg_reject check_reference(judgement *j) {
    const hg_market_state *s = j->state;
    const hg_market *market = j->exec->market;
    double reference = 0;
    if (s->book_invalid && !stale_allowed(j)) {
        return hg_refuse(j->refusal, HG_REJECT_STALE, NAN,
                         (double)j->limits->quote_max_age_ns / 1e9,
                         "the book of %s is invalid until its next snapshot", j->inst->name);
    }
    if (s->mark > 0 && fresh(j, s->mark_ns)) {
        reference = hg_market_mark(market, j->inst->id, j->now_ns);
    } else if (fresh(j, s->quote.time_ns)) {
        reference = hg_market_mid(market, j->inst->id);
    } else if (s->mark > 0 || s->quote.time_ns > 0) {
        if (!stale_allowed(j)) {
            bool mark = s->mark_ns > s->quote.time_ns; /* either: equal is equal */
            return stale(j, mark ? s->mark_ns : s->quote.time_ns);
        }
        reference = s->mark > 0 ? hg_nano_to_double(s->mark) : hg_market_mid(market, j->inst->id);
    }
    if (!(reference > 0) || !isfinite(reference)) {
        return hg_refuse(j->refusal, HG_REJECT_NO_PRICE, NAN, NAN, "no price of %s to judge by",
                         j->inst->name);
    }
    j->out->reference = reference;
    return HG_REJECT_NONE;
}

/* The Greeks an order is judged by must be known and fresh, unless it only closes. */
static hg_reject check_greeks_known(judgement *j) {
    j->x = hg_portfolio_exposure(j->exec->portfolio, j->inst->underlying_id, j->now_ns);
    bool unit = hg_portfolio_unit(j->exec->portfolio, j->inst->id, j->now_ns, &j->unit);
    j->greeks = unit && j->x->quality == HG_QUALITY_GOOD;
    if (j->greeks || j->reducing) {
        return HG_REJECT_NONE;
    }
    double limit_s = (double)j->risk->limits.greeks_max_age_ns / 1e9;
    if (j->x->quality == HG_QUALITY_STALE) {
        return hg_refuse(j->refusal, HG_REJECT_STALE, j->x->age_s, limit_s,
                         "the exposure of %s rests on %s", j->inst->underlying, j->x->reasons);
    }
    return hg_refuse(j->refusal, HG_REJECT_NO_GREEKS, NAN, NAN, "the exposure of %s is unknown: %s",
                     j->inst->underlying, unit ? j->x->reasons : "no price or vol of the order");
}

hg_reject hg_check_data(judgement *j) {
    int64_t offset_ns = j->risk->clock_offset_ns;
    int64_t limit_ns = j->risk->limits.clock_offset_ns;
    if (!(offset_ns <= limit_ns && offset_ns >= -limit_ns) && !stale_allowed(j)) {
        return hg_refuse(j->refusal, HG_REJECT_STALE, (double)offset_ns / 1e9,
                         (double)limit_ns / 1e9, "our clock is %.3g s off the venue's",
                         (double)offset_ns / 1e9);
    }
    hg_reject code = check_reference(j);
    return code != HG_REJECT_NONE ? code : check_greeks_known(j);
}

/* --- 11: duplicates ----------------------------------------------------------------------------
 */

static uint64_t fingerprint(uint16_t strategy, uint32_t instrument, hg_order_type type,
                            hg_side side, hg_lots size, hg_ticks price) {
    uint64_t what = (uint64_t)strategy << 32 | (uint64_t)type << 8 | (uint8_t)side;
    uint64_t hash = hg_hash_u64(HG_HASH_INIT, what);
    hash = hg_hash_u64(hash, instrument);
    hash = hg_hash_u64(hash, (uint64_t)size);
    return hg_hash_u64(hash, (uint64_t)(type == HG_TYPE_MARKET ? 0 : price));
}

static bool taking(const hg_order_request *r) {
    return r->type == HG_TYPE_MARKET || r->tif == HG_TIF_IOC || r->tif == HG_TIF_FOK;
}

/* Once an order has ended the script knows its outcome: the next one is a decision, not a copy. */
static bool ended(const hg_exec *exec, uint64_t id) {
    const hg_order *order = hg_exec_get(exec, id);
    return !order || hg_order_state_done((hg_order_state)order->state);
}

static bool applies(const judgement *j) {
    const hg_limit_extra *extra = j->risk->limits.extra;
    return !j->view->amended && !j->view->operator_order && !j->request->again &&
           (taking(j->request) || (extra && extra->duplicates == 1));
}

hg_reject hg_check_duplicate(judgement *j) {
    const hg_duplicates *d = &j->risk->duplicates;
    int64_t window_ns = j->strategy ? j->strategy->limits.duplicate_window_ns : 0;
    if (!applies(j)) {
        return HG_REJECT_NONE;
    }
    const hg_order_request *r = j->request;
    uint64_t hash = fingerprint(r->strategy, r->instrument, r->type, r->side, j->out->size,
                                j->out->price);
    uint64_t at = d->chain[hash % HG_DUPLICATES_MAX];
    for (uint32_t k = 0; k < HG_DUPLICATES_MAX; k++) {
        const hg_sent *sent = &d->ring[at % HG_DUPLICATES_MAX];
        if (at == 0) {
            break;
        }
        if (sent->serial != at) {
            break; /* older ones have been forgotten */
        }
        int64_t age_ns = j->now_ns - sent->time_ns;
        if (!(age_ns < window_ns)) {
            break; /* and so are those before it */
        }
        if (sent->hash == hash && !ended(j->exec, sent->id)) {
            return hg_refuse(j->refusal, HG_REJECT_DUPLICATE, (double)age_ns / 1e9,
                             (double)window_ns / 1e9,
                             "the same order was sent %.3g s ago as %llu, which is open "
                             "(again = true sends it all the same)",
                             (double)age_ns / 1e9, (unsigned long long)sent->id);
        }
        at = sent->next;
    }
    return HG_REJECT_NONE;
}

void hg_risk_remember(hg_exec *exec, const hg_order *order, int64_t now_ns) {
    hg_duplicates *d = &exec->risk->duplicates;
    uint64_t serial = ++d->count;
    uint64_t hash = fingerprint(order->strategy, order->instrument, (hg_order_type)order->type,
                                (hg_side)order->side, order->size, order->price);
    uint64_t *head = &d->chain[hash % HG_DUPLICATES_MAX];
    d->ring[serial % HG_DUPLICATES_MAX] = (hg_sent){hash, order->id, now_ns, serial, *head};
    *head = serial;
}

/* --- 2: price collar ----------------------------------------------------------------------------
 */

static bool opposite_side_empty(const judgement *j) {
    const hg_quote *q = &j->state->quote;
    hg_side side = j->request->side == HG_BUY ? HG_SELL : HG_BUY;
    hg_lots shown = side == HG_SELL ? q->ask_size : q->bid_size;
    return shown <= 0 && !(j->state->depth && hg_depth_level(j->state->depth, side, 0));
}

/* How far through the reference an order may go. A fraction says nothing about cheap options, so
 * theirs is the widest of the fraction, a part of the mark, some coin, some vol and some ticks. */
static double collar_width(const judgement *j) {
    double reference = j->out->reference;
    double width = reference * j->limits->price_collar;
    if (j->inst->kind != HG_KIND_OPTION) {
        return width;
    }
    double unit_usd = j->inst->inverse ? j->spot : 1; /* USD per unit of the price */
    double coins = j->limits->option_collar_coins * (j->inst->inverse ? 1 : j->spot);
    double vega = j->unit.vega / ((double)j->inst->lot / 1e9) / unit_usd;
    double step = (double)j->inst->tick / 1e9;
    width = fmax(width, coins);
    width = fmax(width, reference * j->limits->option_collar_fraction);
    width = fmax(width, vega * j->limits->option_collar_vol_points);
    return fmax(width, step * j->limits->option_collar_ticks);
}

hg_reject hg_check_collar(judgement *j) {
    bool buy = j->request->side == HG_BUY;
    double width = collar_width(j);
    double bound = j->out->reference + (buy ? width : -width);
    if (j->request->type == HG_TYPE_MARKET) {
        if (opposite_side_empty(j)) {
            return hg_refuse(j->refusal, HG_REJECT_NO_PRICE, NAN, NAN,
                             "no %s in the book of %s to trade against", buy ? "asks" : "bids",
                             j->inst->name);
        }
        double least = (double)j->inst->tick / 1e9;
        j->out->price = hg_price_round(j->inst, fmax(bound, least), buy ? -1 : 1);
        return HG_REJECT_NONE;
    }
    double price = hg_price_to_double(j->inst, j->out->price);
    /* Half a millionth of a tick absorbs the rounding of the bound itself. */
    double slack = (double)j->inst->tick / 1e9 * 0.5e-6;
    bool within = buy ? price <= bound + slack : price >= bound - slack; /* either: it is slack */
    if (!within) {
        return hg_refuse(j->refusal, HG_REJECT_PRICE_COLLAR, price, bound,
                         "%s %s at %.12g is beyond %.12g (reference %.12g)",
                         hg_side_name(j->request->side), j->inst->name, price, bound,
                         j->out->reference);
    }
    return HG_REJECT_NONE;
}

/* --- 3 and 4: size and value ---------------------------------------------------------------------
 */

hg_reject hg_check_order_size(judgement *j) {
    double lots = (double)j->out->size;
    double coins = lots * hg_instrument_coins_per_lot(j->inst, j->out->reference);
    double limit = j->inst->kind == HG_KIND_OPTION ? j->limits->order_coins_option
                   : j->inst->kind == HG_KIND_SPOT ? j->limits->order_coins_spot
                                                   : j->limits->order_coins_future;
    if (!(coins <= limit) && !j->view->operator_order) {
        return hg_refuse(j->refusal, HG_REJECT_SIZE_LIMIT, coins, limit,
                         "order of %.12g coins in %s is above %.12g", coins, j->inst->name, limit);
    }
    return HG_REJECT_NONE;
}

static hg_reject check_premium(const judgement *j, double size) {
    const hg_market *market = j->exec->market;
    double price = j->request->type == HG_TYPE_MARKET ? j->out->reference
                                                      : hg_price_to_double(j->inst, j->out->price);
    double premium = size * price * hg_market_usd(market, j->inst->quote_id);
    if (!(premium <= j->limits->order_premium_usd)) {
        return hg_refuse(j->refusal, HG_REJECT_PREMIUM_LIMIT, premium, j->limits->order_premium_usd,
                         "premium of %.12g USD in %s is above %.12g", premium, j->inst->name,
                         j->limits->order_premium_usd);
    }
    return HG_REJECT_NONE;
}

hg_reject hg_check_value(judgement *j) {
    const hg_instrument *inst = j->inst;
    double size = hg_size_to_double(inst, j->out->size);
    bool option = inst->kind == HG_KIND_OPTION;
    bool usd_sized = inst->inverse && !option;
    double value = usd_sized ? size
                   : option
                       ? size * j->spot
                       : size * j->out->reference * hg_market_usd(j->exec->market, inst->quote_id);
    double limit = j->limits->order_value_usd;
    if (!(value > 0)) {
        return hg_refuse(j->refusal, HG_REJECT_NO_PRICE, NAN, NAN,
                         "no spot of %s to value the order by", inst->underlying);
    }
    if (!(value <= limit) && !j->view->operator_order) {
        return hg_refuse(j->refusal, HG_REJECT_VALUE_LIMIT, value, limit,
                         "order of %.12g USD in %s is above %.12g", value, inst->name, limit);
    }
    j->value_usd = value / (double)j->out->size * (double)j->add;
    return option && !j->view->operator_order ? check_premium(j, size) : HG_REJECT_NONE;
}
