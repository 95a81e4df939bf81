/* What open orders may still add to a position: the sums behind every pending size.
 *
 * Reduce-only orders are kept within the position by the venue, all of one side together. So they
 * count together for no more than could be left to reduce: what is held and what may still come to
 * it. A take-profit and the stop that was sent while its cancel is on the way close once, and count
 * once. What executions have not sent yet is kept apart: it counts in the exposures only, the gate
 * and the margin judge it when it is sent. Invariant: the pending sizes of portfolio and shares are
 * these sums, after every change. */
#include "base/assert.h"
#include "exec/exec_int.h"

static int place_of(int side) {
    return side == HG_SELL;
}

static hg_lots lesser(hg_lots a, hg_lots b) {
    return a < b ? a : b;
}

/* The most reduce-only orders of a side can trade. */
static hg_lots cap_of(const hg_pending *p, hg_lots held, int side) {
    int other = !place_of(side);
    hg_lots most = (side == HG_SELL ? held : -held) + p->plain[other] + p->reduce[other];
    return most > 0 ? most : 0;
}

static hg_lots counts(const hg_pending *p, const hg_pending *account, hg_lots held, int side) {
    int at = place_of(side);
    return p->plain[at] + lesser(p->reduce[at], cap_of(account, held, side));
}

static hg_lots held_of(const hg_exec *exec, uint32_t instrument) {
    return hg_portfolio_get(exec->portfolio, instrument)->lots;
}

static void tell(hg_exec *exec, uint32_t instrument) {
    hg_instrument_orders *per = &exec->per[instrument];
    hg_lots held = held_of(exec, instrument);
    per->buy = counts(&per->pending, &per->pending, held, HG_BUY);
    per->sell = counts(&per->pending, &per->pending, held, HG_SELL);
    hg_risk_pending(exec, instrument);
    hg_portfolio_pending(exec->portfolio, instrument, per->buy, per->sell);
}

static void tell_share(hg_exec *exec, hg_share *share, uint32_t instrument) {
    const hg_pending *account = &exec->per[instrument].pending;
    const hg_pending *own = &share->pending[instrument];
    hg_lots held = held_of(exec, instrument);
    hg_portfolio_pending(share->portfolio, instrument, counts(own, account, held, HG_BUY),
                         counts(own, account, held, HG_SELL));
}

static void tell_shares(hg_exec *exec, uint32_t instrument) {
    for (size_t i = 0; i < HG_SHARES_MAX; i++) {
        if (exec->shares[i]) {
            tell_share(exec, exec->shares[i], instrument);
        }
    }
}

static void change_in(hg_pending *p, const hg_order *order, hg_lots change) {
    hg_lots *sum = &(order->reduce_only ? p->reduce : p->plain)[place_of(order->side)];
    *sum += change;
    hg_assert(*sum >= 0);
}

static bool reducing(const hg_pending *p) {
    return p->reduce[0] != 0 || p->reduce[1] != 0;
}

void hg_pending_change(hg_exec *exec, const hg_order *order, hg_lots change) {
    hg_pending *account = &exec->per[order->instrument].pending;
    hg_share *share = hg_share_of(exec, order);
    bool capped = reducing(account);
    change_in(account, order, change);
    tell(exec, order->instrument);
    if (share) {
        change_in(&share->pending[order->instrument], order, change);
    }
    if (capped || reducing(account)) {
        tell_shares(exec, order->instrument); /* the cap is one of the account */
    } else if (share) {
        tell_share(exec, share, order->instrument);
    }
}

void hg_pending_moved(hg_exec *exec, uint32_t instrument) {
    if (reducing(&exec->per[instrument].pending)) {
        tell(exec, instrument);
        tell_shares(exec, instrument);
    }
}

void hg_pending_without(const hg_exec *exec, const hg_slot *slot, hg_risk_view *view) {
    const hg_order *order = &slot->order;
    const hg_instrument_orders *per = &exec->per[order->instrument];
    hg_pending rest = per->pending;
    hg_lots held = held_of(exec, order->instrument);
    change_in(&rest, order, -slot->counted);
    view->pending_buy = counts(&rest, &rest, held, HG_BUY);
    view->pending_sell = counts(&rest, &rest, held, HG_SELL);
    view->counted = order->side == HG_BUY ? per->buy - view->pending_buy
                                          : per->sell - view->pending_sell;
}

void hg_pending_together(const hg_exec *exec, uint32_t instrument, hg_side side,
                         hg_risk_view *view) {
    const hg_instrument_orders *per = &exec->per[instrument];
    hg_lots plain = per->pending.plain[place_of(side)];
    hg_lots *pending = side == HG_BUY ? &view->pending_buy : &view->pending_sell;
    view->counted += *pending - plain;
    *pending = 0; /* plain ones too: where they have closed, there is nothing left to reduce */
}

hg_lots hg_pending_room(const hg_exec *exec, uint32_t instrument, hg_side side) {
    hg_lots held = held_of(exec, instrument);
    hg_lots room = (side == HG_BUY ? -held : held) -
                   exec->per[instrument].pending.plain[place_of(side)];
    return room > 0 ? room : 0;
}

hg_lots hg_pending_room_for(const hg_exec *exec, const hg_slot *slot) {
    const hg_order *order = &slot->order;
    const hg_pending *p = &exec->per[order->instrument].pending;
    hg_lots others = p->reduce[place_of(order->side)] - (order->reduce_only ? slot->counted : 0);
    hg_lots held = held_of(exec, order->instrument);
    hg_lots room = (order->side == HG_BUY ? -held : held) - others;
    return room > 0 ? room : 0;
}

static void plan_in(hg_portfolio *portfolio, hg_pending *p, uint32_t instrument, int side,
                    hg_lots change) {
    hg_lots *planned = &p->planned[place_of(side)];
    *planned += change;
    hg_assert(*planned >= 0);
    hg_portfolio_planned(portfolio, instrument, p->planned[0], p->planned[1]);
}

void hg_exec_plan(hg_exec *exec, uint16_t strategy, uint32_t instrument, hg_side side,
                  hg_lots change) {
    hg_assert(exec && instrument < hg_universe_count(exec->universe));
    hg_share *share = strategy < HG_SHARES_MAX ? exec->shares[strategy] : NULL;
    plan_in(exec->portfolio, &exec->per[instrument].pending, instrument, side, change);
    if (share) {
        plan_in(share->portfolio, &share->pending[instrument], instrument, side, change);
    }
}
