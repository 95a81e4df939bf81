/*
 * Shares of the book. A strategy with a share sees and hedges a portfolio of its own: the positions
 * it was given, its fills and its pending orders, and nothing of the other strategies. The whole
 * book, by which the gate judges, is booked as ever beside it.
 *
 * Invariant: the pending sizes of a share are those of the open orders of its strategies.
 */
#include "base/assert.h"
#include "exec/exec_int.h"

#include <stdlib.h>

static hg_share *share_of_portfolio(const hg_exec *exec, const hg_portfolio *portfolio) {
    for (size_t i = 0; i < HG_SHARES_MAX; i++) {
        if (exec->shares[i] && exec->shares[i]->portfolio == portfolio) {
            return exec->shares[i];
        }
    }
    return NULL;
}

int hg_exec_share(hg_exec *exec, uint16_t strategy, hg_portfolio *portfolio) {
    hg_assert(strategy < HG_SHARES_MAX && !exec->shares[strategy]);
    hg_share *share = share_of_portfolio(exec, portfolio);
    if (!share) {
        size_t count = hg_universe_count(exec->universe);
        share = calloc(1, sizeof *share + count * sizeof share->pending[0]);
        if (!share) {
            return HG_ERR(HG_ENOMEM, "share of %zu instruments", count);
        }
        share->portfolio = portfolio;
    }
    exec->shares[strategy] = share;
    return HG_OK;
}

void hg_shares_free(hg_exec *exec) {
    for (size_t i = 0; i < HG_SHARES_MAX; i++) {
        hg_share *share = exec->shares[i];
        for (size_t k = i; share && k < HG_SHARES_MAX; k++) {
            if (exec->shares[k] == share) {
                exec->shares[k] = NULL;
            }
        }
        free(share);
    }
}

hg_share *hg_share_of(const hg_exec *exec, const hg_order *order) {
    return order->strategy < HG_SHARES_MAX ? exec->shares[order->strategy] : NULL;
}

hg_portfolio *hg_share_book(const hg_exec *exec, const hg_order *order) {
    const hg_share *share = hg_share_of(exec, order);
    return share ? share->portfolio : exec->portfolio;
}

/* Lots of a share that a trade on `side` closes. */
static hg_lots closable(const hg_share *share, uint32_t instrument, hg_side side) {
    hg_lots lots = hg_portfolio_get(share->portfolio, instrument)->lots;
    return lots * side < 0 ? llabs(lots) : 0;
}

/* The next share, each portfolio once; NULL after the last one. */
static hg_share *next_share(const hg_exec *exec, size_t *at) {
    while (*at < HG_SHARES_MAX) {
        hg_share *share = exec->shares[(*at)++];
        bool seen = false;
        for (size_t k = 0; share && k + 1 < *at; k++) {
            seen = seen || exec->shares[k] == share;
        }
        if (share && !seen) {
            return share;
        }
    }
    return NULL;
}

/* The venue closed a part of the account's position: every share loses that part of what it holds
 * of it, and pays that part of the fee. What no share holds belongs to none. */
static int liquidation_fill(hg_exec *exec, const hg_order *order, const hg_event *fill,
                            const hg_fill_origin *origin) {
    uint32_t id = order->instrument;
    hg_side side = (hg_side)order->side;
    hg_lots lots = fill->order.size;
    hg_cash fee = fill->order.fee;
    hg_lots held = llabs(hg_portfolio_get(exec->portfolio, id)->lots) + lots; /* before */
    hg_lots shared = 0;
    size_t at = 0;
    int rc = HG_OK;
    for (hg_share *s = next_share(exec, &at); s; s = next_share(exec, &at)) {
        shared += closable(s, id, side);
    }
    held = held > shared ? held : shared;
    at = 0;
    for (hg_share *s = next_share(exec, &at); s && rc == HG_OK; s = next_share(exec, &at)) {
        hg_lots mine = closable(s, id, side);
        hg_lots part = 0;
        hg_cash paid = 0;
        if (mine > 0 && lots > 0 && hg_muldiv(lots, mine, held, &part) && part > 0 &&
            hg_muldiv(fee, part, lots, &paid)) {
            rc = hg_portfolio_fill_of(s->portfolio, id, side, part, fill->order.price, paid,
                                      fill->time_ns, origin);
        }
        held -= mine;
        lots -= part;
        fee -= paid;
    }
    return rc;
}

int hg_share_fill(hg_exec *exec, const hg_order *order, const hg_event *fill,
                  const hg_fill_origin *origin) {
    if (order->liquidation) {
        return liquidation_fill(exec, order, fill, origin);
    }
    hg_share *share = hg_share_of(exec, order);
    return share ? hg_portfolio_fill_of(share->portfolio, order->instrument, (hg_side)order->side,
                                        fill->order.size, fill->order.price, fill->order.fee,
                                        fill->time_ns, origin)
                 : HG_OK;
}
