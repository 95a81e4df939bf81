/* One position in the explanation: what its row gains over a step, in USD and, of what is settled
 * in coin, in coins. */
#include "base/clock.h"
#include "portfolio/explain_int.h"

#include <math.h>

#define PART(name)                                                                                 \
    { #name, offsetof(hg_parts, name) }
const hg_part_name hg_part_names[HG_PARTS] = {
    PART(delta), PART(gamma), PART(theta),   PART(vega), PART(vanna),  PART(volga),
    PART(cash),  PART(basis), PART(funding), PART(fees), PART(spread), PART(slippage),
};

_Static_assert(sizeof(hg_parts) == HG_PARTS * sizeof(double), "every part has a name");

static double *part_at(hg_parts *parts, size_t i) {
    return (double *)(void *)((char *)parts + hg_part_names[i].offset);
}

hg_explain_row *hg_explain_row_at(const hg_explain *x, uint32_t id, uint32_t owner) {
    return &x->rows[(size_t)id * HG_OWNERS + owner];
}

/* Funding of `lots` since the last assignment, in the settlement currency. */
double hg_explain_funding_running(const hg_portfolio *p, uint32_t id, hg_lots lots,
                                  int64_t now_ns) {
    const hg_holding *h = &p->holdings[id];
    if (lots == 0 || h->rate == 0 || h->funding_price == 0 || now_ns <= h->funding_ns) {
        return 0;
    }
    double worth = fabs(hg_explain_worth(hg_universe_get(p->universe, id),
                                         hg_nano_to_double(h->funding_price), lots));
    double share = (double)(now_ns - h->funding_ns) / (8.0 * (double)HG_NS_PER_HOUR);
    return (lots > 0 ? -worth : worth) * hg_nano_to_double(h->rate) * share;
}

/* In the settlement currency: all a row has earned but the worth of options and spot. */
static double row_money(const hg_instrument *inst, const hg_explain_row *r, double price) {
    double money = hg_nano_to_double(r->flow + r->base - r->fees) + r->funding_seen;
    return hg_is_premium(inst) ? money : money + hg_explain_worth(inst, price, r->lots);
}

void hg_drift_add(hg_drift *to, const hg_drift *from, double times) {
    to->from += times * from->from;
    to->spot += times * from->spot;
    to->time += times * from->time;
    to->vol += times * from->vol;
    to->trades += times * from->trades;
    to->rest += times * from->rest;
    to->to += times * from->to;
}

void hg_parts_add(hg_parts *to, const hg_parts *from, double times) {
    for (size_t i = 0; i < HG_PARTS; i++) {
        *part_at(to, i) += times * hg_part_get(from, i);
    }
}

/* The same step in coins. A step earns M1 S1 - M0 S0 = (M1 - M0) S1 + M0 dS, M coins and S their
 * price: in coins every part is what it is in USD at the end of the step, without what the coins
 * held at its start made by their price. Those are the money (cash) and the worth of the options
 * (of their delta). */
static void row_step_coins(const hg_instrument *inst, hg_explain_row *r,
                           const hg_explain_mark *from, const hg_explain_mark *to,
                           const hg_explain_unit *unit) {
    double worth = hg_explain_worth(inst, hg_explain_price(inst, from), r->lots);
    double held = hg_is_premium(inst) ? worth * (to->usd - from->usd) : 0;
    double lots = (double)r->lots;
    hg_parts_add(&r->coin_parts, &unit->parts, lots / to->usd);
    r->coin_parts.delta += (lots * unit->parts.cash - held) / to->usd;
    r->coin_parts.cash = 0;
}

void hg_explain_row_start(const hg_instrument *inst, hg_explain_row *r,
                          const hg_explain_mark *mark) {
    r->money = row_money(inst, r, mark->price);
}

void hg_explain_row_step(const hg_portfolio *p, const hg_instrument *inst, hg_explain_row *r,
                         const hg_explain_mark *from, const hg_explain_mark *to,
                         const hg_explain_unit *unit) {
    double funding = r->funding + hg_explain_funding_running(p, inst->id, r->lots, to->time_ns);
    r->parts.cash += r->money * (to->usd - from->usd);
    r->parts.funding += (funding - r->funding_seen) * to->usd;
    if (inst->inverse) {
        r->coin_parts.funding += funding - r->funding_seen;
        if (r->lots != 0) {
            row_step_coins(inst, r, from, to, unit);
        }
    }
    r->funding_seen = funding;
    if (r->lots != 0) {
        hg_parts_add(&r->parts, &unit->parts, (double)r->lots);
        hg_drift_add(&r->drift, &unit->drift, (double)r->lots);
    }
    hg_explain_row_start(inst, r, to);
}
