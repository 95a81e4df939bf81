/* The ledger: fills, cost basis, realised P&L and cash, exact to the last unit (1e-9).
 *
 * Two kinds of contract. Options and spot are paid for: the premium moves cash at once. Futures and
 * perpetuals only realise P&L when a position shrinks. Both release their cost pro rata, so that
 *     sum of costs added  ==  sum of costs released + cost of what is held
 * holds in integers over any sequence of fills, and for premium contracts
 *     cash moved by trades  ==  realised - cost of what is held.
 */
#include "base/assert.h"
#include "base/clock.h"
#include "portfolio/explain_int.h"

#include <math.h>
#include <stdlib.h>

#define FIRST_MARK_WAIT_NS (60 * HG_NS_PER_S)

bool hg_is_premium(const hg_instrument *inst) {
    return inst->kind == HG_KIND_OPTION || inst->kind == HG_KIND_SPOT;
}

bool hg_cash_fits(const hg_portfolio *p, uint32_t currency, hg_cash amount) {
    hg_cash balance = 0;
    return hg_add(p->purses[currency].balance, amount, &balance);
}

void hg_cash_move(hg_portfolio *p, uint32_t currency, hg_cash amount, hg_cash_cause cause) {
    hg_assert(currency < hg_universe_currency_count(p->universe));
    if (amount == 0) {
        return;
    }
    hg_purse *purse = &p->purses[currency];
    bool fits = hg_add(purse->balance, amount, &purse->balance);
    hg_assert(fits); /* callers have asked hg_cash_fits */
    p->changes++;
    uint32_t underlying = hg_universe_currency(p->universe, currency)->underlying;
    if (underlying != HG_ID_NONE) {
        p->books[underlying].moved = true; /* coins held as money are exposure too */
    }
    const hg_portfolio_observer *o = &p->options.observer;
    if (o->cash) {
        o->cash(o->context, currency, amount, purse->balance, cause);
    }
}

static void deposit_convert(hg_portfolio *p, uint32_t currency) {
    hg_purse *purse = &p->purses[currency];
    double usd = hg_market_usd(p->market, currency);
    if (purse->deposit_due != 0 && usd > 0) {
        purse->deposited_usd += hg_nano_to_double(purse->deposit_due) * usd;
        purse->deposit_due = 0;
    }
}

int hg_portfolio_deposit(hg_portfolio *p, uint32_t currency, hg_cash amount) {
    if (currency >= hg_universe_currency_count(p->universe)) {
        return HG_ERR(HG_EINVALID, "deposit: unknown currency");
    }
    hg_cash due = 0;
    if (!hg_cash_fits(p, currency, amount) ||
        !hg_add(p->purses[currency].deposit_due, amount, &due)) {
        return HG_ERR(HG_ERANGE, "deposit: balance is out of range");
    }
    p->purses[currency].deposit_due = due;
    p->purses[currency].deposited += amount;
    deposit_convert(p, currency);
    p->deposits_due = p->deposits_due || p->purses[currency].deposit_due != 0;
    hg_cash_move(p, currency, amount, HG_CASH_DEPOSIT);
    return HG_OK;
}

hg_cash hg_futures_pnl(const hg_instrument *inst, hg_cash cost, hg_cash value) {
    return inst->inverse ? cost - value : value - cost;
}

bool hg_value_price(const hg_portfolio *p, uint32_t id, int64_t now_ns, double *price) {
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    *price = hg_market_mark(p->market, id, now_ns);
    if (*price > 0 && isfinite(*price)) {
        return true;
    }
    *price = hg_market_mid(p->market, id);
    if (*price > 0 && isfinite(*price)) {
        return true;
    }
    *price = 0;
    /* An option may be worth nothing; then zero is an answer when its inputs are known. */
    double iv = 0;
    return inst->kind == HG_KIND_OPTION &&
           (hg_market_get(p->market, id)->settled ||
            (hg_market_forward(p->market, inst->expiry_id, NULL) > 0 &&
             hg_market_iv(p->market, id, &iv, NULL) != HG_IV_NONE));
}

/* What the opened lots had gained or lost from their stated entry up to their first mark. Lots
 * without an entry start at that mark, which is a gain of nothing. */
void hg_first_mark(hg_portfolio *p, uint32_t id, double price) {
    hg_holding *h = &p->holdings[id];
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    hg_assert(h->pos.opened != 0 && !h->first_known);
    hg_nano nano = 0;
    hg_cash value = 0;
    hg_cash unpriced = 0;
    if (!hg_nano_from_double(price, &nano) || nano < 0 || (nano == 0 && !hg_is_premium(inst)) ||
        !hg_value(inst, nano, h->pos.opened, &value) ||
        !hg_value(inst, nano, h->unpriced, &unpriced) ||
        !hg_add(h->pos.cost, unpriced, &h->pos.cost)) {
        return; /* such a mark cannot be used; the next one may do */
    }
    h->pos.entry_cost = h->pos.cost;
    h->unpriced = 0;
    h->first_known = true;
    h->first_price = price;
    if (hg_is_premium(inst)) {
        double amount = (double)h->pos.opened * ((double)inst->lot / 1e9);
        h->first_usd = amount * price * hg_market_usd(p->market, inst->settle_id);
    } else {
        h->first_pnl = hg_futures_pnl(inst, h->pos.cost, value);
    }
    hg_explain_opened(p, id, value);
    const hg_portfolio_observer *o = &p->options.observer;
    if (o->first_mark) {
        o->first_mark(o->context, id, price, hg_market_usd(p->market, inst->settle_id));
    }
    hg_assert(p->unmarked > 0);
    p->unmarked--;
}

/* A leg starts at a price of its own. What the market derives from neighbours or the spot is used
 * only for legs that nobody has priced a minute into the session: right at the start such a price
 * may stand on inputs that have not been told yet, and would be a P&L that never was. */
static bool first_mark_ready(const hg_portfolio *p, uint32_t id, int64_t now_ns) {
    const hg_market_state *state = hg_market_get(p->market, id);
    return state->mark_ns > 0 || state->settled || hg_market_mid(p->market, id) > 0 ||
           (p->start_ns > 0 && now_ns - p->start_ns >= FIRST_MARK_WAIT_NS);
}

void hg_first_marks(hg_portfolio *p, int64_t now_ns) {
    for (uint32_t i = 0; i < p->held_count && p->unmarked > 0; i++) {
        uint32_t id = p->held[i];
        const hg_holding *h = &p->holdings[id];
        if (h->pos.opened == 0 || h->first_known) {
            continue;
        }
        const hg_instrument *inst = hg_universe_get(p->universe, id);
        double price = 0;
        if (first_mark_ready(p, id, now_ns) && hg_value_price(p, id, now_ns, &price) &&
            hg_market_usd(p->market, inst->settle_id) > 0) {
            hg_first_mark(p, id, price);
        }
    }
    for (uint32_t c = 0; p->deposits_due && c < hg_universe_currency_count(p->universe); c++) {
        deposit_convert(p, c);
    }
    p->deposits_due = false;
    for (uint32_t c = 0; c < hg_universe_currency_count(p->universe); c++) {
        p->deposits_due = p->deposits_due || p->purses[c].deposit_due != 0;
    }
}

/* Everything a fill will change, computed before anything is. */
typedef struct {
    hg_lots lots;
    hg_cash cost;
    hg_cash entry_cost;
    hg_cash gain; /* realised by this fill */
    hg_cash cash; /* moved by this fill, without the fee */
    hg_position after;
    hg_purse purse;
} fill_plan;

static bool plan_cost(const hg_instrument *inst, const hg_position *pos, hg_side side, hg_lots lots,
                      hg_nano price, fill_plan *plan) {
    hg_lots old = pos->lots;
    bool against = (old > 0 && side == HG_SELL) || (old < 0 && side == HG_BUY);
    hg_lots closed = !against ? 0 : lots < llabs(old) ? lots : llabs(old);
    hg_cash closed_value = 0;
    hg_cash opened_value = 0;
    hg_cash released = 0;
    hg_cash entry_released = 0;
    if (closed > 0 && (!hg_value(inst, price, closed, &closed_value) ||
                       !hg_muldiv(pos->cost, closed, llabs(old), &released) ||
                       !hg_muldiv(pos->entry_cost, closed, llabs(old), &entry_released))) {
        return false;
    }
    if (lots > closed && !hg_value(inst, price, lots - closed, &opened_value)) {
        return false;
    }
    hg_cash signed_value = old > 0 ? closed_value : -closed_value;
    plan->gain = hg_is_premium(inst) ? signed_value - released
                                     : hg_futures_pnl(inst, released, signed_value);
    hg_cash paid = 0;
    if (!hg_add(closed_value, opened_value, &paid)) {
        return false;
    }
    plan->cash = hg_is_premium(inst) ? (side == HG_BUY ? -paid : paid) : plan->gain;
    hg_cash added = side == HG_BUY ? opened_value : -opened_value;
    return hg_add(pos->cost - released, added, &plan->cost) &&
           hg_add(pos->entry_cost - entry_released, added, &plan->entry_cost);
}

static bool plan_fill(const hg_portfolio *p, const hg_instrument *inst, hg_side side, hg_lots lots,
                      hg_nano price, hg_cash fee, fill_plan *plan) {
    const hg_position *pos = &p->holdings[inst->id].pos;
    const hg_purse *purse = &p->purses[inst->settle_id];
    hg_cash amount = 0;
    hg_cash cash = 0;
    hg_cash balance = 0;
    plan->after = *pos;
    plan->purse = *purse;
    if (!hg_add(pos->lots, side == HG_BUY ? lots : -lots, &plan->lots) ||
        llabs(plan->lots) > INT64_MAX / 4 || !hg_muldiv(plan->lots, inst->lot, 1, &amount) ||
        !plan_cost(inst, pos, side, lots, price, plan)) {
        return false;
    }
    return fee != INT64_MIN && hg_add(plan->cash, -fee, &cash) &&
           hg_add(purse->balance, plan->cash, &balance) && hg_add(purse->balance, cash, &balance) &&
           hg_add(pos->realised, plan->gain, &plan->after.realised) &&
           hg_add(pos->fees, fee, &plan->after.fees) &&
           hg_add(purse->realised, plan->gain, &plan->purse.realised) &&
           hg_add(purse->fees, fee, &plan->purse.fees);
}

static void commit_fill(hg_portfolio *p, const hg_instrument *inst, const fill_plan *plan,
                        hg_cash fee) {
    hg_holding *h = &p->holdings[inst->id];
    hg_purse *purse = &p->purses[inst->settle_id];
    h->pos.lots = plan->lots;
    h->pos.cost = plan->cost;
    h->pos.entry_cost = plan->entry_cost;
    h->pos.realised = plan->after.realised;
    h->pos.fees = plan->after.fees;
    purse->realised = plan->purse.realised;
    purse->fees = plan->purse.fees;
    hg_assert(plan->lots != 0 || plan->cost == 0);
    hg_cash_move(p, inst->settle_id, plan->cash, HG_CASH_TRADE);
    hg_cash_move(p, inst->settle_id, -fee, HG_CASH_FEE);
    hg_holding_changed(p, inst->id);
}

hg_cash hg_flow_between(const hg_instrument *inst, const hg_position *before,
                        const hg_position *after) {
    hg_wide cost = (hg_wide)after->cost - before->cost;
    hg_wide flow = (hg_wide)after->realised - before->realised;
    hg_cash out = 0;
    bool fits = hg_wide_narrow(inst->inverse && !hg_is_premium(inst) ? flow + cost : flow - cost,
                               &out);
    return fits ? out : 0;
}

int hg_portfolio_fill(hg_portfolio *p, uint32_t id, hg_side side, hg_lots lots, hg_ticks price,
                      hg_cash fee, int64_t time_ns) {
    hg_fill_origin origin = {.strategy = UINT16_MAX};
    return hg_portfolio_fill_of(p, id, side, lots, price, fee, time_ns, &origin);
}

static uint32_t owner_of(const hg_fill_origin *origin) {
    bool owned = origin->strategy < HG_OWNER_LIQUIDATION - HG_OWNER_STRATEGY;
    return origin->liquidation ? HG_OWNER_LIQUIDATION
           : owned             ? HG_OWNER_STRATEGY + (uint32_t)origin->strategy
                               : HG_OWNER_BOOK;
}

int hg_portfolio_fill_of(hg_portfolio *p, uint32_t id, hg_side side, hg_lots lots, hg_ticks price,
                         hg_cash fee, int64_t time_ns, const hg_fill_origin *origin) {
    if (id >= hg_universe_count(p->universe) || (side != HG_BUY && side != HG_SELL) || lots <= 0) {
        return HG_ERR(HG_EINVALID, "fill: instrument, side and size must be valid");
    }
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    hg_holding *h = &p->holdings[id];
    hg_nano nano = 0;
    if (!hg_muldiv(price, inst->tick, 1, &nano)) {
        return HG_ERR(HG_ERANGE, "fill of %s: price is out of range", inst->name);
    }
    if (h->pos.opened != 0 && !h->first_known) {
        hg_first_mark(p, id, hg_nano_to_double(nano)); /* the first price ever seen */
    }
    hg_funding_accrue(p, id, time_ns);
    hg_funding_book(p, id);
    fill_plan plan;
    if (!plan_fill(p, inst, side, lots, nano, fee, &plan)) {
        return HG_ERR(HG_ERANGE, "fill of %s: a sum would not fit", inst->name);
    }
    hg_position before = h->pos;
    hg_explain_before(p, id, time_ns);
    commit_fill(p, inst, &plan, fee);
    hg_explain_after(p, id,
                     &(hg_explain_fill){.owner = owner_of(origin),
                                        .side = side,
                                        .lots = lots,
                                        .price = hg_nano_to_double(nano),
                                        .mid = origin->mid,
                                        .flow = hg_flow_between(inst, &before, &h->pos),
                                        .fee = fee,
                                        .time_ns = time_ns});
    hg_funding_reprice(p, id);
    if (h->funding_price == 0) {
        h->funding_price = nano; /* nothing else is known yet */
    }
    return HG_OK;
}
