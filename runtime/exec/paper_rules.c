/* What the venue refuses of an order, whatever the gate let pass: the venue is asked by amendments
 * and, later, by other clients too, and its market may be newer than the one the gate looked at. */
#include "exec/paper_int.h"

/* reference * (1 +- band), in ticks, toward the reference; false when it cannot be told. */
static bool edge_of(const hg_instrument *inst, hg_nano reference, hg_nano band, hg_side side,
                    hg_ticks *edge) {
    hg_nano price = 0;
    if (reference <= 0 || band <= 0 ||
        !hg_muldiv(reference, HG_NANO + side * band, HG_NANO, &price)) {
        return false;
    }
    hg_ticks low = price / inst->tick;
    *edge = side == HG_BUY || low * inst->tick == price ? low : low + 1;
    return *edge > 0;
}

/* The best of the edges that apply: the one nearest to the market. */
static bool band_edge(const hg_paper *p, const hg_instrument *inst, hg_side side, hg_ticks *edge) {
    const hg_paper_rules *rules = &p->options.rules;
    hg_ticks mark = 0;
    hg_ticks index = 0;
    bool by_mark = edge_of(inst, hg_market_get(p->market, inst->id)->mark, rules->band, side,
                           &mark);
    bool by_index = edge_of(inst, hg_market_underlying(p->market, inst->underlying_id)->index,
                            rules->band_index, side, &index);
    *edge = !by_index || (by_mark && hg_reaches(side, mark, index)) ? mark : index;
    return by_mark || by_index;
}

static hg_reject band(hg_paper *p, const hg_instrument *inst, hg_resting *order,
                      hg_reject *changed) {
    hg_ticks edge = 0;
    bool banded = inst->kind == HG_KIND_PERPETUAL || inst->kind == HG_KIND_FUTURE;
    hg_side side = (hg_side)order->side;
    if (!banded || !band_edge(p, inst, side, &edge) || hg_reaches(side, order->price, edge)) {
        return HG_REJECT_NONE;
    }
    if (order->market) {
        order->price = edge; /* never trades beyond it */
        return HG_REJECT_NONE;
    }
    if (!p->options.rules.band_clamps) {
        return HG_REJECT_PRICE_BAND;
    }
    p->stats.banded++;
    order->price = edge;
    *changed = HG_REJECT_PRICE_BAND;
    return HG_REJECT_NONE;
}

static bool can_carry(const hg_paper *p, const hg_resting *order) {
    const hg_paper_margin *margin = &p->options.margin;
    return !margin->fits ||
           margin->fits(margin->context, order->id, order->instrument, (hg_side)order->side,
                        order->price, hg_resting_left(order), p->now_ns);
}

hg_reject hg_paper_judge(hg_paper *p, hg_resting *order, hg_reject *changed) {
    if (order->instrument >= hg_universe_count(p->universe)) {
        return HG_REJECT_INSTRUMENT;
    }
    const hg_market_state *s = hg_market_get(p->market, order->instrument);
    const hg_instrument *inst = hg_universe_get(p->universe, order->instrument);
    bool expired = inst->expiry_ns > 0 && p->now_ns >= inst->expiry_ns;
    if (s->settled || s->halted || expired) {
        return HG_REJECT_INSTRUMENT;
    }
    if (order->size <= 0) {
        return HG_REJECT_SIZE_ZERO;
    }
    hg_reject reduce = hg_held_arrive(p, order, changed);
    if (reduce != HG_REJECT_NONE) {
        return reduce;
    }
    if (order->price <= 0 ||
        (!order->market && order->price % hg_instrument_step(inst, order->price) != 0)) {
        return HG_REJECT_OFF_TICK;
    }
    if (p->options.rules.band > 0 || p->options.rules.band_index > 0) {
        hg_reject code = band(p, inst, order, changed);
        if (code != HG_REJECT_NONE) {
            return code;
        }
    }
    return hg_resting_left(order) <= 0 || can_carry(p, order) ? HG_REJECT_NONE : HG_REJECT_MARGIN;
}
