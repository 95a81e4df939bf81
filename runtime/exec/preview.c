/* Reading the book, nothing else. */
#include "exec/preview.h"

#include "base/assert.h"
#include "exec/cost.h"

static int push(hg_preview *p, const hg_market *market, const hg_preview_order *o, hg_ticks price,
                hg_lots lots, bool maker) {
    const hg_instrument *inst = hg_universe_get(hg_market_universe(market), o->instrument);
    double spot = hg_market_underlying(market, inst->underlying_id)->spot;
    hg_nano spot_nano = 0;
    hg_nano nano = 0;
    hg_cash fee = 0;
    if (p->count == HG_IDEAS_MAX) {
        return HG_ERR(HG_ELIMIT, "what_if: more than %d fills", HG_IDEAS_MAX);
    }
    if (!hg_nano_from_double(spot, &spot_nano) || !hg_muldiv(price, inst->tick, 1, &nano) ||
        (!o->no_fees && !hg_fee(inst, nano, lots, maker, spot_nano, &fee))) {
        return HG_ERR(HG_ERANGE, "what_if: %lld lots of %s are beyond the ledger", (long long)lots,
                      inst->name);
    }
    p->ideas[p->count++] = (hg_trade_idea){.instrument = o->instrument,
                                           .side = o->side,
                                           .lots = lots,
                                           .price = hg_price_to_double(inst, price),
                                           .fee = hg_nano_to_double(fee),
                                           .maker = maker};
    return HG_OK;
}

/* What earlier orders have taken from this side of the book. */
static hg_lots taken(const hg_preview *p, const hg_preview_order *o) {
    hg_lots sum = 0;
    for (size_t i = 0; i < p->count; i++) {
        const hg_trade_idea *idea = &p->ideas[i];
        bool same = idea->instrument == o->instrument && idea->side == o->side && !idea->maker;
        sum += same ? idea->lots : 0;
    }
    return sum;
}

static bool reaches(const hg_preview_order *o, hg_ticks price) {
    return o->price == 0 || (o->side == HG_BUY ? price <= o->price : price >= o->price);
}

int hg_preview_add(hg_preview *p, const hg_market *market, const hg_preview_order *o) {
    hg_assert(o->lots > 0 && o->price >= 0);
    const hg_instrument *inst = hg_universe_get(hg_market_universe(market), o->instrument);
    hg_lots gone = taken(p, o);
    hg_lots left = o->lots;
    hg_level level = {0};
    hg_ticks last = 0;
    int rc = HG_OK;
    for (uint32_t k = 0; rc == HG_OK && left > 0; k++) {
        if (!hg_cost_level(market, o->instrument, o->side, k, &level) || !reaches(o, level.price)) {
            break;
        }
        if (o->post_only) {
            return HG_ERR(HG_ESTATE, "what_if: post-only at a price that takes from %s",
                          inst->name);
        }
        hg_lots here = level.size > gone ? level.size - gone : 0;
        hg_lots take = here < left ? here : left;
        gone -= level.size - here;
        last = level.price;
        left -= take;
        rc = take > 0 ? push(p, market, o, last, take, false) : HG_OK;
    }
    p->fits = left == 0 || o->price > 0;
    if (rc == HG_OK && left > 0 && o->price == 0 && last == 0) {
        return HG_ERR(HG_ENOTFOUND, "what_if: %s has no quote to take; give a price", inst->name);
    }
    if (rc == HG_OK && left > 0) {
        rc = push(p, market, o, o->price > 0 ? o->price : last, left, o->price > 0);
    }
    return rc;
}
