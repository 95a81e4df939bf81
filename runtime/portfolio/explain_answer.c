/* Questions about the explanation: the running step is explained on copies of the rows, so that who
 * asks and how often changes nothing. */
#include "base/assert.h"
#include "portfolio/explain_int.h"

#include <math.h>

/* The ledger counts running funding in whole units; this is what the owners' shares differ by. */
static double funding_rounding(const hg_portfolio *p, uint32_t id, int64_t now_ns) {
    double left = hg_nano_to_double(hg_funding_open(p, id, now_ns) - p->holdings[id].accrued);
    for (uint32_t owners = p->explain->owners[id]; owners != 0; owners &= owners - 1) {
        const hg_explain_row *r = hg_explain_row_at(p->explain, id,
                                                    (uint32_t)__builtin_ctz(owners));
        left -= hg_explain_funding_running(p, id, r->lots, now_ns);
    }
    return left;
}

static double parts_sum(const hg_parts *parts) {
    double sum = 0;
    for (size_t i = 0; i < HG_PARTS; i++) {
        sum += hg_part_get(parts, i);
    }
    return sum;
}

static void answer_row(const hg_instrument *inst, const hg_explain_row *r, double price, double usd,
                       hg_explanation *out) {
    double native = hg_nano_to_double(r->flow - r->fees) + r->funding_seen;
    double worth = r->lots != 0 ? hg_explain_worth(inst, price, r->lots) : 0;
    double pnl = (native + hg_nano_to_double(r->base) + worth) * usd - r->base_usd;
    out->pnl += pnl;
    out->rest += pnl - parts_sum(&r->parts);
    if (inst->inverse) {
        bool other = out->coins != 0 && out->coin != inst->settle_id;
        out->coin = other ? HG_ID_NONE : inst->settle_id;
        out->coins = other ? NAN : out->coins + native + worth;
        hg_parts_add(&out->coin_parts, &r->coin_parts, 1);
        out->coin_rest += native + worth - parts_sum(&r->coin_parts);
    }
    hg_parts_add(&out->parts, &r->parts, 1);
    hg_drift_add(&out->drift, &r->drift, 1);
    out->rows++;
}

/* Explains the running step of one instrument on copies of its rows. */
static void answer_instrument(hg_portfolio *p, const hg_instrument *inst, uint32_t owners,
                              int64_t now_ns, hg_explanation *out) {
    hg_explain *x = p->explain;
    const hg_explain_mark *from = &x->marks[inst->id];
    bool settled = p->holdings[inst->id].settled;
    double usd = hg_market_usd(p->market, inst->settle_id);
    double price = 0;
    hg_explain_mark to = *from;
    hg_explain_unit unit = {0};
    if (settled) {
        to.usd = usd;
    } else {
        hg_explain_mark_read(p, inst, now_ns, &to);
        price = hg_value_price(p, inst->id, now_ns, &price) && usd > 0 ? price : 0;
    }
    bool step = from->known && to.known && usd > 0;
    if (step) {
        hg_explain_unit_of(inst, from, &to, &unit);
    }
    uint32_t first = x->owners[inst->id] & -x->owners[inst->id];
    for (owners &= x->owners[inst->id]; owners != 0; owners &= owners - 1) {
        hg_explain_row r = *hg_explain_row_at(x, inst->id, (uint32_t)__builtin_ctz(owners));
        if (owners & first) {
            r.funding += funding_rounding(p, inst->id, now_ns);
        }
        if (step) {
            hg_explain_row_step(p, inst, &r, from, &to, &unit);
        } else {
            r.funding_seen = r.funding + hg_explain_funding_running(p, inst->id, r.lots, now_ns);
        }
        answer_row(inst, &r, price, usd, out);
    }
}

void hg_explain_row_answer(hg_portfolio *p, uint32_t id, uint32_t owner, int64_t now_ns,
                           hg_explanation *out) {
    answer_instrument(p, hg_universe_get(p->universe, id), UINT32_C(1) << owner, now_ns, out);
}

void hg_explanation_add(hg_explanation *to, const hg_explanation *from, double times) {
    to->pnl += times * from->pnl;
    hg_parts_add(&to->parts, &from->parts, times);
    to->rest += times * from->rest;
    to->coins += times * from->coins;
    hg_parts_add(&to->coin_parts, &from->coin_parts, times);
    to->coin_rest += times * from->coin_rest;
    hg_drift_add(&to->drift, &from->drift, times);
}

/* Money without an instrument: deposits, which move with their currency; the rest stays visible. */
void hg_explain_account(hg_portfolio *p, int64_t now_ns, double explained, hg_explanation *out) {
    hg_pnl pnl;
    hg_portfolio_pnl(p, now_ns, &pnl);
    double moved = 0;
    for (uint32_t c = 0; c < hg_universe_currency_count(p->universe); c++) {
        const hg_purse *purse = &p->purses[c];
        double usd = hg_market_usd(p->market, c);
        moved += hg_nano_to_double(purse->deposited - purse->deposit_due) * usd -
                 purse->deposited_usd;
        out->rows += purse->deposited != 0;
    }
    out->parts.cash += moved;
    out->pnl += pnl.hedged - explained;
    out->rest += pnl.hedged - explained - moved;
}

void hg_portfolio_explain(hg_portfolio *p, hg_explain_of of, int64_t now_ns, hg_explanation *out) {
    hg_assert(p && out);
    hg_explain *x = p->explain;
    bool account = of.owner == HG_OWNER_ACCOUNT;
    uint32_t owners = of.owner < HG_OWNERS ? UINT32_C(1) << of.owner : UINT32_MAX;
    bool all = owners == UINT32_MAX && of.underlying == HG_ID_NONE && of.instrument == HG_ID_NONE;
    hg_explanation sum = {.coin = HG_ID_NONE};
    for (uint32_t i = 0; i < x->count; i++) {
        const hg_instrument *inst = hg_universe_get(p->universe, x->active[i]);
        if ((of.underlying == HG_ID_NONE || of.underlying == inst->underlying_id) &&
            (of.instrument == HG_ID_NONE || of.instrument == inst->id)) {
            answer_instrument(p, inst, owners, now_ns, &sum);
        }
    }
    *out = account ? (hg_explanation){.coin = HG_ID_NONE} : sum;
    if (all) {
        hg_explain_account(p, now_ns, sum.pnl, out);
    }
}

uint32_t hg_portfolio_explained(const hg_portfolio *p, const uint32_t **ids) {
    hg_assert(ids);
    *ids = p->explain->active;
    return p->explain->count;
}
