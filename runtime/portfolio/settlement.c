/* Settlement: the ends of days and of contracts.
 *
 * Delivery, at expiry: options pay max(0, cp (D - K)) per coin, divided by D when coin-settled;
 * futures pay their P&L up to D, the mean of the index over the half hour before (Deribit,
 * "Settlement and delivery"). The fee rate of delivery is the instrument's, under the same cap as a
 * trade's.
 *
 * Daily settlement, 08:00 UTC: the P&L of futures and perpetuals up to the mark becomes cash, and
 * the mark is their new cost (Deribit: "realised and unrealised P&L move to the balance"). It moves
 * money between unrealised P&L and cash and never makes any: realised P&L grows by what the cost
 * moves, to the last unit. The average entry of the position stays. */
#include "base/assert.h"
#include "base/log.h"
#include "portfolio/explain_int.h"

#include <stdlib.h>

static bool option_payoff(const hg_instrument *inst, hg_nano price, hg_lots lots, hg_cash *cash) {
    hg_nano amount = 0;
    return hg_muldiv(lots, inst->lot, 1, &amount) && hg_payoff(inst, price, amount, cash);
}

bool hg_delivery_worth(const hg_instrument *inst, hg_nano price, hg_lots lots, hg_cash *cash) {
    return inst->kind == HG_KIND_OPTION ? option_payoff(inst, price, lots, cash)
                                        : hg_value(inst, price, lots, cash);
}

static hg_cash delivery_fee(const hg_portfolio *p, const hg_instrument *inst, hg_nano price,
                            hg_lots lots) {
    hg_cash fee = 0;
    return p->options.fees && hg_delivery_fee(inst, price, llabs(lots), &fee) ? fee : 0;
}

/* The opened lots leave the unhedged book with what delivery gave them since their first mark. */
static void settle_opened(hg_portfolio *p, const hg_instrument *inst, hg_nano price) {
    hg_holding *h = &p->holdings[inst->id];
    hg_cash value = 0;
    hg_nano first = 0;
    hg_cash first_value = 0;
    if (h->pos.opened == 0) {
        return;
    }
    if (!h->first_known) {
        double last = hg_nano_to_double(price);
        if (inst->kind == HG_KIND_OPTION && hg_payoff(inst, price, HG_NANO, &value)) {
            last = hg_nano_to_double(value);
        }
        hg_first_mark(p, inst->id, last);
    }
    bool fits = hg_delivery_worth(inst, price, h->pos.opened, &value) &&
                hg_nano_from_double(h->first_price, &first);
    if (fits && !hg_is_premium(inst)) {
        fits = hg_value(inst, first, h->pos.opened, &first_value);
        value = hg_futures_pnl(inst, first_value, value);
    }
    h->settled_pnl = fits ? value : 0;
}

/* Books the delivery of what is held; false when a sum would not fit (nothing is changed then). */
static bool deliver(hg_portfolio *p, const hg_instrument *inst, hg_nano price) {
    hg_position *pos = &p->holdings[inst->id].pos;
    hg_purse *purse = &p->purses[inst->settle_id];
    hg_lots lots = pos->lots;
    hg_cash fee = delivery_fee(p, inst, price, lots);
    hg_cash value = 0;
    if (!hg_delivery_worth(inst, price, lots, &value)) {
        return false;
    }
    hg_cash gain = hg_is_premium(inst) ? value - pos->cost : hg_futures_pnl(inst, pos->cost, value);
    hg_cash cash = hg_is_premium(inst) ? value : gain;
    hg_position after = *pos;
    hg_purse purse_after = *purse;
    if (!hg_add(pos->realised, gain, &after.realised) || !hg_add(pos->fees, fee, &after.fees) ||
        !hg_add(purse->realised, gain, &purse_after.realised) ||
        !hg_add(purse->fees, fee, &purse_after.fees) || !hg_cash_fits(p, inst->settle_id, cash) ||
        !hg_cash_fits(p, inst->settle_id, cash - fee)) {
        return false;
    }
    after.lots = 0;
    after.cost = 0;
    after.entry_cost = 0;
    *pos = after;
    *purse = purse_after;
    const hg_portfolio_observer *o = &p->options.observer;
    if (o->settlement) {
        o->settlement(o->context, inst->id, price, lots, cash, fee, HG_SETTLE_DELIVERY);
    }
    hg_cash_move(p, inst->settle_id, cash, HG_CASH_SETTLEMENT);
    hg_cash_move(p, inst->settle_id, -fee, HG_CASH_FEE);
    return true;
}

void hg_deliver(hg_portfolio *p, const hg_event *e) {
    hg_holding *h = &p->holdings[e->id];
    const hg_instrument *inst = hg_universe_get(p->universe, e->id);
    hg_nano price = e->price.value;
    if (inst->kind == HG_KIND_SPOT || h->settled || price <= 0) {
        return;
    }
    hg_funding_accrue(p, e->id, e->time_ns);
    hg_funding_book(p, e->id);
    settle_opened(p, inst, price);
    hg_explain_delivering(p, inst->id, price, e->time_ns);
    h->settled = true;
    p->books[inst->underlying_id].restructure = true; /* it leaves the columns */
    hg_position before = h->pos;
    if (h->pos.lots != 0 && !deliver(p, inst, price)) {
        hg_log(HG_LOG_ERROR, "delivery of %s does not fit the balance: not booked", inst->name);
    }
    hg_explain_delivered(p, inst->id, price, hg_flow_between(inst, &before, &h->pos),
                         h->pos.fees - before.fees);
    h->unpriced = 0;
    hg_holding_changed(p, e->id);
}

/* Whether the position takes part in the daily settlement: everything about it must be known. */
static bool settles_daily(const hg_instrument *inst, const hg_holding *h, int64_t boundary_ns) {
    bool expired = inst->expiry_ns > 0 && inst->expiry_ns <= boundary_ns;
    bool priced = h->pos.opened == 0 || h->first_known;
    return !hg_is_premium(inst) && h->pos.lots != 0 && !expired && !h->settled && priced &&
           h->unpriced == 0;
}

void hg_settle_daily(hg_portfolio *p, uint32_t id, int64_t boundary_ns, int64_t now_ns) {
    hg_holding *h = &p->holdings[id];
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    hg_purse *purse = &p->purses[inst->settle_id];
    double mark = 0;
    hg_nano price = 0;
    hg_cash value = 0;
    hg_cash realised = 0;
    hg_cash total = 0;
    if (!settles_daily(inst, h, boundary_ns) || !hg_value_price(p, id, now_ns, &mark) ||
        !hg_nano_from_double(mark, &price) || price <= 0 ||
        !hg_value(inst, price, h->pos.lots, &value)) {
        return; /* a day without a price is settled with the next one */
    }
    hg_cash gain = hg_futures_pnl(inst, h->pos.cost, value);
    if (!hg_cash_fits(p, inst->settle_id, gain) || !hg_add(h->pos.realised, gain, &realised) ||
        !hg_add(purse->realised, gain, &total)) {
        hg_log(HG_LOG_ERROR, "daily settlement of %s does not fit the balance: not booked",
               inst->name);
        return;
    }
    h->pos.realised = realised;
    purse->realised = total;
    h->pos.cost = value;
    p->books[inst->underlying_id].moved = true;
    const hg_portfolio_observer *o = &p->options.observer;
    if (o->settlement) {
        o->settlement(o->context, id, price, h->pos.lots, gain, 0, HG_SETTLE_DAILY);
    }
    hg_cash_move(p, inst->settle_id, gain, HG_CASH_SETTLEMENT);
}
