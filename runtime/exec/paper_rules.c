/* What the venue refuses of an order, whatever the gate let pass: the venue is asked by amendments
 * and, later, by other clients too, and its market may be newer than the one the gate looked at. */
#include "exec/paper_int.h"

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
    hg_reject band = hg_band_judge(p, inst, order, changed);
    if (band != HG_REJECT_NONE) {
        return band;
    }
    return hg_resting_left(order) <= 0 || can_carry(p, order) ? HG_REJECT_NONE : HG_REJECT_MARGIN;
}
