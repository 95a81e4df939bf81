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
 * Fills are told in any order. A reduce-only trade that finds nothing to close has closed what an
 * entry has bought and we have not heard of: it is kept for the next fill of an entry, while there
 * is one that may still trade.
 *
 * Invariant: the fills of a strategy are what it holds besides, plus what its living brackets have
 * left to close, plus what was closed before it was opened. */
#include "base/assert.h"
#include "exec/exec_int.h"

static hg_lots lesser(hg_lots a, hg_lots b) {
    return a < b ? a : b; /* either: they are equal */
}

static hg_besides *besides(hg_exec *exec, uint16_t strategy, uint32_t instrument) {
    return &exec->besides[(size_t)instrument * HG_STRATEGIES_MAX + strategy];
}

void hg_by_hand_add(hg_exec *exec, uint16_t strategy, uint32_t instrument, hg_lots lots) {
    if (strategy < HG_STRATEGIES_MAX) {
        besides(exec, strategy, instrument)->lots += lots;
    }
}

hg_lots hg_bracket_left(const hg_bracket_state *b) {
    return b->bought > b->closed ? b->bought - b->closed : 0; /* either: 0 then */
}

/* The oldest bracket that a trade on `side` closes and that has something left. */
static hg_bracket_state *oldest(hg_exec *exec, uint16_t strategy, uint32_t instrument, int side) {
    hg_bracket_state *found = NULL;
    for (uint32_t i = 0; i < exec->bracket_count; i++) {
        hg_bracket_state *b = &exec->brackets[i];
        bool whose = strategy == HG_STRATEGY_ANY || b->strategy == strategy;
        if (b->used && whose && b->instrument == instrument && b->side == -side &&
            hg_bracket_left(b) > 0) {
            found = !found || b->entry < found->entry ? b : found; /* either: ids differ */
        }
    }
    return found;
}

/* Lots that entries on the other side of `side` may have filled unheard of, or may still fill. */
static hg_lots to_come(const hg_exec *exec, uint16_t strategy, uint32_t instrument, int side) {
    hg_lots lots = 0;
    for (uint32_t i = 0; i < exec->bracket_count; i++) {
        const hg_bracket_state *b = &exec->brackets[i];
        if (b->used && !b->entry_done && b->strategy == strategy && b->instrument == instrument &&
            b->side == -side) {
            lots += hg_slot_find(exec, b->entry)->counted;
        }
    }
    return lots;
}

void hg_by_hand_opened(hg_exec *exec, hg_bracket_state *b, hg_lots lots) {
    hg_besides *own = besides(exec, b->strategy, b->instrument);
    hg_lots before = -b->side * own->before;
    b->bought += lots;
    if (before > 0) { /* either: adds 0 */
        hg_lots closed = lesser(lots, before);
        b->closed += closed;
        own->before += b->side * closed;
    }
}

void hg_by_hand_entered(hg_exec *exec, const hg_bracket_state *b) {
    hg_besides *own = besides(exec, b->strategy, b->instrument);
    if (-b->side * own->before <= 0) { /* either: 0 is moved then */
        return;
    }
    if (to_come(exec, b->strategy, b->instrument, -b->side) == 0) {
        own->lots += own->before;
        own->before = 0;
    }
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
    return left > held ? left - held : 0; /* either: 0 then */
}

hg_lots hg_by_hand(hg_exec *exec, const hg_order *order, hg_lots lots) {
    if (order->strategy >= HG_STRATEGIES_MAX) {
        hg_lots most = lesser(lots, shortfall(exec, order->instrument, order->side));
        return lots - close_brackets(exec, order, most);
    }
    hg_besides *own = besides(exec, order->strategy, order->instrument);
    int side = order->side;
    hg_lots against = -side * own->lots; /* what it holds on the side this trade closes */
    hg_lots first = against > 0 ? lesser(lots, against) : 0; /* either: 0 then */
    hg_lots most = against < 0 && !order->reduce_only ? 0 : lots - first;
    hg_lots closed = close_brackets(exec, order, most);
    hg_lots rest = lots - first - closed;
    hg_lots known = side * own->before; /* kept already */
    hg_lots unheard = to_come(exec, order->strategy, order->instrument, side) -
                      (known > 0 ? known : 0);  /* either: 0 then */
    hg_lots usable = unheard > 0 ? unheard : 0; /* either: 0 then */
    hg_lots before = order->reduce_only ? lesser(rest, usable) : 0;
    own->before += side * before;
    own->lots += side * (first + rest - before);
    return rest - before;
}

void hg_by_hand_delivered(hg_exec *exec, uint32_t instrument) {
    for (uint16_t s = 0; s < HG_STRATEGIES_MAX; s++) {
        *besides(exec, s, instrument) = (hg_besides){0};
    }
    for (uint32_t i = 0; i < exec->bracket_count; i++) {
        hg_bracket_state *b = &exec->brackets[i];
        b->closed = b->used && b->instrument == instrument ? b->bought : b->closed;
    }
}
