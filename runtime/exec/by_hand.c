/* What strategies hold besides their brackets, and which brackets a trade of theirs closes by hand.
 *
 * An account has one position in an instrument, whoever opened it. A strategy that sells by hand
 * what its bracket has bought must not see the exits sell it once more. So a plain trade against a
 * bracket of its strategy closes first what the strategy holds besides its brackets, then its
 * brackets, the oldest first. Where the strategy holds the other side besides, as a hedge, the
 * trade adds to that, unless it was reduce-only. A trade of no strategy (the venue's liquidation,
 * the operator's flatten) closes brackets as far as the account has less than they are to close.
 * Trades of other strategies close nothing here: what they hold is theirs.
 *
 * Invariant: `besides` is the sum of the fills of a strategy less what its living brackets have
 * left to close. */
#include "base/assert.h"
#include "exec/exec_int.h"

static hg_lots lesser(hg_lots a, hg_lots b) {
    return a < b ? a : b;
}

static hg_lots *besides(hg_exec *exec, uint16_t strategy, uint32_t instrument) {
    return &exec->besides[(size_t)instrument * HG_STRATEGIES_MAX + strategy];
}

void hg_by_hand_add(hg_exec *exec, uint16_t strategy, uint32_t instrument, hg_lots lots) {
    if (strategy < HG_STRATEGIES_MAX) {
        *besides(exec, strategy, instrument) += lots;
    }
}

hg_lots hg_bracket_left(const hg_bracket_state *b) {
    return b->bought > b->closed ? b->bought - b->closed : 0;
}

/* The oldest bracket that a trade on `side` closes and that has something left. */
static hg_bracket_state *oldest(hg_exec *exec, uint16_t strategy, uint32_t instrument, int side) {
    hg_bracket_state *found = NULL;
    for (uint32_t i = 0; i < exec->bracket_count; i++) {
        hg_bracket_state *b = &exec->brackets[i];
        bool whose = strategy == HG_STRATEGY_ANY || b->strategy == strategy;
        if (b->used && whose && b->instrument == instrument && b->side == -side &&
            hg_bracket_left(b) > 0 && (!found || b->entry < found->entry)) {
            found = b;
        }
    }
    return found;
}

static hg_lots close_brackets(hg_exec *exec, const hg_order *order, hg_lots most) {
    hg_lots taken = 0;
    while (taken < most) {
        hg_bracket_state *b = oldest(exec, order->strategy, order->instrument, order->side);
        if (!b) {
            break;
        }
        hg_lots lots = lesser(hg_bracket_left(b), most - taken);
        b->closed += lots;
        b->by_hand = true;
        taken += lots;
    }
    return taken;
}

/* Lots by which the account has less than the brackets on the other side of `side` are to close. */
static hg_lots shortfall(const hg_exec *exec, uint32_t instrument, int side) {
    hg_lots left = 0;
    for (uint32_t i = 0; i < exec->bracket_count; i++) {
        const hg_bracket_state *b = &exec->brackets[i];
        left += b->used && b->instrument == instrument && b->side == -side ? hg_bracket_left(b) : 0;
    }
    hg_lots held = -side * hg_portfolio_get(exec->portfolio, instrument)->lots;
    return left > held ? left - held : 0;
}

bool hg_by_hand(hg_exec *exec, const hg_order *order, hg_lots lots) {
    if (order->strategy >= HG_STRATEGIES_MAX) {
        return close_brackets(exec, order,
                              lesser(lots, shortfall(exec, order->instrument, order->side))) > 0;
    }
    hg_lots *own = besides(exec, order->strategy, order->instrument);
    hg_lots against = -order->side * *own; /* what it holds on the side this trade closes */
    hg_lots most = against < 0 && !order->reduce_only ? 0
                   : against > 0                      ? lots - lesser(lots, against)
                                                      : lots;
    hg_lots taken = close_brackets(exec, order, most);
    *own += order->side * (lots - taken);
    return taken > 0;
}

void hg_by_hand_delivered(hg_exec *exec, uint32_t instrument) {
    for (uint16_t s = 0; s < HG_STRATEGIES_MAX; s++) {
        *besides(exec, s, instrument) = 0;
    }
    for (uint32_t i = 0; i < exec->bracket_count; i++) {
        hg_bracket_state *b = &exec->brackets[i];
        b->closed = b->used && b->instrument == instrument ? b->bought : b->closed;
    }
}
