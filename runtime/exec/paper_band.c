/* Price bands of futures and perpetuals.
 *
 * `band=1.5%` is simple: buys at most so much above the mark, sells so much below. `band=venue` is
 * Deribit's ("Trading bandwidth"): within C (1 +- 1.5 %) and index (1 +- 7.5 %), where
 *
 *     C    = index + E
 *     E    the 1-minute exponential average of premium = mid - index
 *
 * Recorded min_price and max_price of seven tickers (2020 to 2026) are C (1 +- 1.5 %) of one C to
 * the cent, rounded away from C to the tick; C is within 1.5 USD of the mark, whose average is of
 * 30 s. The weights are not published: ours are the usual ones of 60 samples, one a second, a = 2 /
 * 61, and the average begins with the first premium seen. Samples are the premium in force at each
 * whole second, in integers, so that it does not matter how often the feed speaks.
 *
 * Without a fresh index there is no C: the band is taken from the mark, and that is counted. */
#include "base/assert.h"
#include "base/clock.h"
#include "exec/paper_int.h"

#include <stdlib.h>

#define SAMPLES 60
#define FADED 1000 /* so many samples later nothing is left of the old average: (59/61)^1000 */

struct hg_band_average {
    hg_nano premium; /* in force */
    hg_nano mean;
    int64_t second; /* sampled so far */
    bool known;     /* the premium is */
    bool begun;
};

int hg_band_open(hg_paper *p) {
    size_t count = hg_universe_count(p->universe);
    if (!p->options.rules.band_average) {
        return HG_OK;
    }
    p->bands = calloc(count ? count : 1, sizeof *p->bands);
    return p->bands ? HG_OK : HG_ERR(HG_ENOMEM, "price bands of the paper venue");
}

void hg_band_close(hg_paper *p) {
    free(p->bands);
}

static bool banded(const hg_instrument *inst) {
    return inst->kind == HG_KIND_PERPETUAL || inst->kind == HG_KIND_FUTURE;
}

/* --- the average ------------------------------------------------------------------------------ */

/* The samples of the whole seconds that have passed. */
static void advance(hg_band_average *a, int64_t now_ns) {
    int64_t second = now_ns / HG_NS_PER_S;
    int64_t samples = a->known && second > a->second ? second - a->second : 0;
    a->second = second > a->second ? second : a->second;
    if (samples >= FADED) {
        a->mean = a->premium;
        return;
    }
    for (; samples > 0; samples--) {
        int64_t step = 0;
        hg_wide gap = (hg_wide)a->premium - a->mean;
        bool fits = hg_wide_narrow(hg_wide_divide(gap * 2, SAMPLES + 1), &step);
        hg_assert(fits); /* either is smaller than a price */
        a->mean += step;
    }
}

/* False without a fresh index. */
static bool index_of(const hg_paper *p, const hg_instrument *inst, hg_nano *index) {
    const hg_market_spot *spot = hg_market_underlying(p->market, inst->underlying_id);
    *index = spot->index;
    return spot->from_index && spot->index > 0;
}

static bool premium_of(const hg_paper *p, const hg_instrument *inst, hg_nano *premium) {
    hg_nano index = 0;
    hg_nano mid = 0;
    if (!index_of(p, inst, &index) ||
        !hg_nano_from_double(hg_market_mid(p->market, inst->id), &mid) || mid <= 0) {
        return false;
    }
    *premium = mid - index;
    return true;
}

static void look(hg_paper *p, const hg_instrument *inst, int64_t now_ns) {
    hg_band_average *a = &p->bands[inst->id];
    advance(a, now_ns);
    a->known = premium_of(p, inst, &a->premium);
    if (a->known && !a->begun) {
        a->mean = a->premium;
        a->begun = true;
    }
}

void hg_band_observe(hg_paper *p, const hg_event *e) {
    if (e->kind == HG_EV_INDEX) {
        for (uint32_t id = 0; id < hg_universe_count(p->universe); id++) {
            const hg_instrument *inst = hg_universe_get(p->universe, id);
            if (inst->underlying_id == e->id && banded(inst)) {
                look(p, inst, e->time_ns);
            }
        }
    } else if (e->kind == HG_EV_QUOTE || e->kind == HG_EV_DEPTH || e->kind == HG_EV_STATUS) {
        const hg_instrument *inst = e->id < hg_universe_count(p->universe)
                                        ? hg_universe_get(p->universe, e->id)
                                        : NULL;
        if (inst && banded(inst) && !(e->flags & HG_EVF_MORE)) {
            look(p, inst, e->time_ns);
        }
    }
}

/* C of the venue's rule; false where it cannot be told. */
static bool centre_of(hg_paper *p, const hg_instrument *inst, hg_nano *centre) {
    hg_band_average *a = p->bands ? &p->bands[inst->id] : NULL;
    hg_nano index = 0;
    if (!a || !a->begun || !index_of(p, inst, &index)) {
        return false;
    }
    advance(a, p->now_ns);
    return hg_add(index, a->mean, centre) && *centre > 0;
}

/* --- the edges -------------------------------------------------------------------------------- */

/* reference * (1 +- band), in ticks, rounded away from it or toward it; false when it cannot be
 * told. */
static bool edge_of(const hg_instrument *inst, hg_nano reference, hg_nano band, hg_side side,
                    bool away, hg_ticks *edge) {
    hg_nano price = 0;
    if (reference <= 0 || band <= 0 ||
        !hg_muldiv(reference, HG_NANO + side * band, HG_NANO, &price)) {
        return false;
    }
    hg_ticks low = price / inst->tick;
    bool up = (side == HG_BUY) == away;
    *edge = !up || low * inst->tick == price ? low : low + 1;
    return *edge > 0;
}

/* The best of the edges that apply: the one nearest to the market. */
static bool nearest_edge(hg_paper *p, const hg_instrument *inst, hg_side side, hg_ticks *edge) {
    const hg_paper_rules *rules = &p->options.rules;
    bool venue = rules->band_average;
    hg_nano centre = hg_market_get(p->market, inst->id)->mark;
    hg_ticks near = 0;
    hg_ticks fixed = 0;
    if (venue && !centre_of(p, inst, &centre)) {
        p->stats.banded_by_mark++;
    }
    bool by_centre = edge_of(inst, centre, rules->band, side, venue, &near);
    bool by_index = edge_of(inst, hg_market_underlying(p->market, inst->underlying_id)->index,
                            rules->band_index, side, venue, &fixed);
    *edge = !by_index || (by_centre && hg_reaches(side, near, fixed)) ? near : fixed;
    return by_centre || by_index;
}

hg_reject hg_band_judge(hg_paper *p, const hg_instrument *inst, hg_resting *order,
                        hg_reject *changed) {
    const hg_paper_rules *rules = &p->options.rules;
    hg_ticks edge = 0;
    hg_side side = (hg_side)order->side;
    if ((rules->band <= 0 && rules->band_index <= 0) || !banded(inst) ||
        !nearest_edge(p, inst, side, &edge) || hg_reaches(side, order->price, edge)) {
        return HG_REJECT_NONE;
    }
    if (order->market) {
        order->price = edge; /* never trades beyond it */
        return HG_REJECT_NONE;
    }
    if (!rules->band_clamps) {
        return HG_REJECT_PRICE_BAND;
    }
    p->stats.banded++;
    order->price = edge;
    *changed = HG_REJECT_PRICE_BAND;
    return HG_REJECT_NONE;
}
