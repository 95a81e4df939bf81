/* What a liquidation closes next. */
#include "portfolio/margin_int.h"

#include "base/assert.h"

#include <math.h>
#include <stdlib.h>

#define SLICE_OF 10 /* a tenth, rounded up */
/* ... but no less than this: 200 contracts of 10 USD, one coin of options. */
#define FUTURE_USD_MIN 2000.0
#define OPTION_MIN 1.0

static hg_lots lots_of(const hg_margin *m, const hg_margin_leg *l) {
    return m->portfolio->holdings[l->id].pos.lots;
}

static hg_lots slice(const hg_margin *m, const hg_margin_leg *l) {
    const hg_instrument *inst = hg_universe_get(m->portfolio->universe, l->id);
    hg_lots size = llabs(lots_of(m, l));
    hg_lots tenth = size / SLICE_OF + (size % SLICE_OF != 0);
    double lot = hg_nano_to_double(inst->lot);
    double usd = inst->inverse ? lot : lot * l->leg.price;
    double least = ceil(l->leg.kind == HG_KIND_OPTION ? OPTION_MIN / lot : FUTURE_USD_MIN / usd);
    hg_lots floor = least < (double)size ? (hg_lots)least : size;
    return tenth > floor ? tenth : floor;
}

static double pair_delta(const hg_margin *m, const hg_margin_pair *pair) {
    double delta = 0;
    for (uint32_t i = pair->first; i < pair->end; i++) {
        delta += m->legs[i].leg.amount * m->legs[i].delta;
    }
    return delta;
}

static void take(const hg_margin *m, const hg_margin_leg *l, hg_lots lots, hg_margin_slice *out) {
    *out = (hg_margin_slice){.instrument = l->id,
                             .side = lots_of(m, l) > 0 ? HG_SELL : HG_BUY,
                             .lots = lots,
                             .mark = l->leg.kind == HG_KIND_OPTION ? l->mark : l->leg.price,
                             .spot = l->leg.spot};
}

/* The future with the largest delta on the side of the underlying's; never past zero delta. */
static bool take_future(const hg_margin *m, uint32_t currency, hg_margin_slice *out) {
    double best = 0;
    for (uint32_t n = 0; n < m->pair_count; n++) {
        const hg_margin_pair *pair = &m->pairs[n];
        double delta = pair->currency == currency ? pair_delta(m, pair) : 0;
        for (uint32_t i = pair->first; delta != 0 && i < pair->end; i++) {
            const hg_margin_leg *l = &m->legs[i];
            double own = l->leg.amount * l->delta;
            hg_lots held = lots_of(m, l);
            if (l->leg.kind == HG_KIND_OPTION || held == 0 || own * delta <= 0 ||
                fabs(own) <= best) {
                continue;
            }
            double whole = fabs(delta / own) * (double)llabs(held);
            hg_lots most = whole < (double)llabs(held) ? (hg_lots)whole : llabs(held);
            if (most >= 1) {
                best = fabs(own);
                hg_lots size = slice(m, l);
                take(m, l, size < most ? size : most, out);
            }
        }
    }
    return best > 0;
}

/* What closing a slice of a leg takes off the maintenance margin. */
static double relief(hg_margin *m, const hg_margin_pair *pair, hg_margin_leg *l) {
    double amount = l->leg.amount;
    double share = (double)slice(m, l) / (double)llabs(lots_of(m, l));
    l->leg.amount -= amount * share;
    double left = hg_margin_pair_sum(m, m->legs, pair).maintenance;
    l->leg.amount = amount;
    return pair->maintenance - left;
}

static bool take_any(hg_margin *m, uint32_t currency, bool by_relief, hg_margin_slice *out) {
    double best = 0;
    bool found = false;
    for (uint32_t n = 0; n < m->pair_count; n++) {
        const hg_margin_pair *pair = &m->pairs[n];
        for (uint32_t i = pair->first; pair->currency == currency && i < pair->end; i++) {
            hg_margin_leg *l = &m->legs[i];
            if (lots_of(m, l) == 0) {
                continue;
            }
            double value = by_relief ? relief(m, pair, l) : fabs(l->leg.amount * l->delta);
            if (value > best || (!by_relief && !found)) {
                best = value;
                found = true;
                take(m, l, slice(m, l), out);
            }
        }
    }
    return found;
}

bool hg_margin_slice_of(hg_margin *m, uint32_t currency, int64_t now_ns, hg_margin_slice *out) {
    hg_margin_refresh(m, now_ns, true);
    return take_future(m, currency, out) || take_any(m, currency, true, out) ||
           take_any(m, currency, false, out);
}
