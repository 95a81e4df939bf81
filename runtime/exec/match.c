/* Requests that have arrived: an order takes what it may, and rests with the rest.
 *
 *   taker     touch: everything at the best price, whatever its size. depth, queue: level by level,
 *             one fill each, consuming what is displayed (taken.c).
 *   self      an own resting order at the price of a level, or better, is met before the level:
 *             rules.self_trade says which of the two gives way. They never trade. */
#include "base/assert.h"
#include "exec/paper_int.h"

void hg_paper_trade(hg_paper *p, hg_resting *order, hg_ticks price, hg_lots lots, bool maker) {
    hg_assert(lots > 0 && lots <= hg_resting_left(order));
    order->filled += lots;
    hg_held_trade(p, order, lots);
    hg_wire_fill(p, order, price, lots, maker);
    *(maker ? &p->stats.maker_fills : &p->stats.taker_fills) += 1;
}

/* --- self-trade prevention -------------------------------------------------------------------- */

static void decrement(hg_paper *p, hg_resting *order, hg_lots lots) {
    order->size -= lots;
    if (hg_resting_left(order) > 0) {
        hg_wire_answer(p, HG_EV_ACK, order, HG_REJECT_SELF_TRADE);
    }
}

static void leave(hg_paper *p, uint32_t node) {
    hg_wire_answer(p, HG_EV_CANCELLED, &p->nodes[node], HG_REJECT_SELF_TRADE);
    hg_own_release(p, node);
}

/* One meeting with the own order `node`; the taker may end. */
static void meet_own(hg_paper *p, hg_resting *taker, uint32_t node) {
    hg_resting *maker = &p->nodes[node];
    p->stats.self_trades++;
    switch (p->options.rules.self_trade) {
    case HG_SELF_CANCEL_MAKER:
        leave(p, node);
        break;
    case HG_SELF_CANCEL_TAKER:
        taker->stopped = true;
        break;
    case HG_SELF_CANCEL_BOTH:
        taker->stopped = true;
        leave(p, node);
        break;
    case HG_SELF_DECREMENT: {
        hg_lots mine = hg_resting_left(taker);
        hg_lots theirs = hg_resting_left(maker);
        hg_lots lots = mine < theirs ? mine : theirs;
        decrement(p, taker, lots);
        taker->stopped = mine == lots;
        if (theirs == lots) {
            leave(p, node);
        } else {
            decrement(p, maker, lots);
        }
        break;
    }
    }
}

/* Deals with own orders on the other side at `price` or better; whether the taker may go on. */
static bool clear_own(hg_paper *p, hg_resting *taker, hg_ticks price) {
    hg_lane *lane = hg_paper_lane(p, taker->instrument, hg_other((hg_side)taker->side));
    while (!taker->stopped && lane->best != HG_NODE_NONE && hg_wire_room(p) &&
           hg_reaches((hg_side)taker->side, p->nodes[lane->best].price, price)) {
        meet_own(p, taker, lane->best);
    }
    return !taker->stopped;
}

/* --- taking ----------------------------------------------------------------------------------- */

static void take_touch(hg_paper *p, hg_resting *order) {
    hg_level level;
    hg_side side = (hg_side)order->side;
    if (hg_book_best(p, order->instrument, hg_other(side), &level) &&
        hg_reaches(side, level.price, order->price) && hg_wire_room(p) &&
        clear_own(p, order, level.price)) {
        hg_paper_trade(p, order, level.price, hg_resting_left(order), false);
    }
}

static void take_depth(hg_paper *p, hg_resting *order) {
    hg_side side = (hg_side)order->side;
    hg_level level;
    for (uint32_t k = 0; hg_resting_left(order) > 0 && hg_wire_room(p) &&
                         hg_book_level(p, order->instrument, hg_other(side), k, &level) &&
                         hg_reaches(side, level.price, order->price);
         k++) {
        hg_lots left = hg_taken_left(p, order->instrument, hg_other(side), level.price, level.size);
        if (left == 0) {
            continue;
        }
        if (!clear_own(p, order, level.price)) {
            break;
        }
        hg_lots lots = left < hg_resting_left(order) ? left : hg_resting_left(order);
        if (!hg_taken_add(p, order->instrument, hg_other(side), level.price, lots)) {
            break; /* what cannot be remembered is not traded */
        }
        hg_paper_trade(p, order, level.price, lots, false);
    }
}

/* Whether an own order would stop the taker before it has traded at `price`. */
static bool own_stops(const hg_paper *p, const hg_resting *order, hg_ticks price) {
    uint32_t own = hg_paper_lane(p, order->instrument, hg_other((hg_side)order->side))->best;
    return p->options.rules.self_trade != HG_SELF_CANCEL_MAKER && own != HG_NODE_NONE &&
           hg_reaches((hg_side)order->side, p->nodes[own].price, price);
}

/* Whether all of a fill-or-kill order can trade now. */
static bool takes_all(const hg_paper *p, const hg_resting *order) {
    hg_side side = (hg_side)order->side;
    hg_level level;
    if (p->options.fill == HG_FILL_TOUCH) {
        return hg_book_best(p, order->instrument, hg_other(side), &level) &&
               hg_reaches(side, level.price, order->price) && !own_stops(p, order, level.price);
    }
    hg_lots need = hg_resting_left(order);
    for (uint32_t k = 0;
         need > 0 && hg_book_level(p, order->instrument, hg_other(side), k, &level) &&
         hg_reaches(side, level.price, order->price) && !own_stops(p, order, level.price);
         k++) {
        need -= hg_taken_left(p, order->instrument, hg_other(side), level.price, level.size);
    }
    return need <= 0;
}

static void take(hg_paper *p, hg_resting *order) {
    if (p->options.fill == HG_FILL_TOUCH) {
        take_touch(p, order);
    } else {
        take_depth(p, order);
    }
}

bool hg_paper_would_take(const hg_paper *p, const hg_resting *order) {
    hg_level level;
    hg_side side = (hg_side)order->side;
    return hg_book_best(p, order->instrument, hg_other(side), &level) &&
           hg_reaches(side, level.price, order->price);
}

/* --- requests --------------------------------------------------------------------------------- */

/* Why an order that may not rest ends. */
static hg_reject end_of(const hg_resting *order) {
    bool immediate = order->market || order->tif == HG_TIF_IOC || order->tif == HG_TIF_FOK;
    return order->stopped                        ? HG_REJECT_SELF_TRADE
           : !immediate                          ? HG_REJECT_NONE
           : order->market && order->filled == 0 ? HG_REJECT_NO_LIQUIDITY
                                                 : HG_REJECT_IOC_REST;
}

/* What is left after taking: the end of immediate orders, a place in the list for the others. */
static void rest(hg_paper *p, hg_resting *order) {
    if (hg_resting_left(order) == 0 && !order->stopped) {
        return;
    }
    hg_reject end = end_of(order);
    if (end == HG_REJECT_NONE && !clear_own(p, order, order->price)) {
        end = HG_REJECT_SELF_TRADE;
    }
    if (end == HG_REJECT_NONE) {
        hg_queue_join(&order->place,
                      p->options.fill == HG_FILL_QUEUE
                          ? hg_book_shown(p, order->instrument, (hg_side)order->side, order->price)
                          : 0);
        if (hg_own_insert(p, order) == HG_NODE_NONE) {
            end = HG_REJECT_CAPACITY;
        }
    }
    if (end != HG_REJECT_NONE) {
        hg_wire_answer(p, HG_EV_CANCELLED, order, end);
    }
}

/* An order that waited here for its price was taken long ago: it can only end. */
static void refuse(hg_paper *p, const hg_resting *order, hg_reject code) {
    bool ends = order->fired && p->about == HG_ABOUT_ORDER;
    p->stats.rejects++;
    hg_wire_answer(p, ends ? HG_EV_CANCELLED : HG_EV_REJECTED, order, code);
}

/* A post-only order that would take: one step behind the touch, where the rules say so. */
static bool slide(hg_paper *p, hg_resting *order) {
    hg_level level;
    hg_side side = (hg_side)order->side;
    if (!p->options.rules.slide || !hg_book_best(p, order->instrument, hg_other(side), &level)) {
        return false;
    }
    const hg_instrument *inst = hg_universe_get(p->universe, order->instrument);
    /* Below the touch the step may be finer: that of the price just below it. */
    hg_ticks step = hg_instrument_step(inst, side == HG_BUY ? level.price - 1 : level.price);
    order->price = level.price - side * step;
    p->stats.slid++;
    return order->price > 0;
}

/* Judges a new or amended order; false when it was refused. `changed` says why its terms moved. */
static bool admit(hg_paper *p, hg_resting *order, const hg_resting *answer_as, hg_reject *changed) {
    hg_reject code = hg_paper_judge(p, order, changed);
    if (code == HG_REJECT_NONE && order->post_only && hg_paper_would_take(p, order)) {
        *changed = HG_REJECT_POST_ONLY;
        code = slide(p, order) ? HG_REJECT_NONE : HG_REJECT_POST_ONLY;
    }
    if (code != HG_REJECT_NONE) {
        refuse(p, answer_as ? answer_as : order, code);
    }
    return code == HG_REJECT_NONE;
}

void hg_paper_submit(hg_paper *p, const hg_resting *request) {
    hg_resting order = *request;
    hg_reject changed = HG_REJECT_NONE;
    if (!admit(p, &order, request, &changed)) {
        return;
    }
    hg_wire_answer(p, HG_EV_ACK, &order, changed);
    if (order.tif == HG_TIF_FOK && !takes_all(p, &order)) {
        hg_wire_answer(p, HG_EV_CANCELLED, &order, HG_REJECT_FOK);
        return;
    }
    take(p, &order);
    rest(p, &order);
    hg_held_follow(p, order.instrument);
}

void hg_paper_cancel(hg_paper *p, const hg_resting *request) {
    if (p->held > 0 && hg_wire_unhold(p, request->id)) {
        hg_wire_answer(p, HG_EV_CANCELLED, request, HG_REJECT_USER);
        return;
    }
    uint32_t node = hg_own_find(p, request->id);
    if (node == HG_NODE_NONE) {
        refuse(p, request, HG_REJECT_NOT_OPEN);
        return;
    }
    hg_wire_answer(p, HG_EV_CANCELLED, &p->nodes[node], HG_REJECT_USER);
    hg_own_release(p, node);
}

void hg_paper_amend(hg_paper *p, const hg_resting *request) {
    uint32_t node = hg_own_find(p, request->id);
    if (node == HG_NODE_NONE) {
        refuse(p, request, HG_REJECT_NOT_OPEN);
        return;
    }
    hg_resting *order = &p->nodes[node];
    hg_resting amended = *order;
    hg_reject changed = HG_REJECT_NONE;
    amended.price = request->price;
    amended.size = request->size;
    if (!admit(p, &amended, order, &changed)) {
        return;
    }
    hg_resting asked = *request; /* the answer also tells what is filled by now */
    asked.filled = amended.filled;
    hg_wire_answer(p, HG_EV_ACK, &asked, HG_REJECT_NONE);
    if (changed != HG_REJECT_NONE) {
        hg_wire_answer(p, HG_EV_ACK, &amended, changed);
    }
    if (amended.size <= amended.filled) {
        /* Filled in the meantime beyond the new size: nothing is left to work. */
        hg_wire_answer(p, HG_EV_CANCELLED, &amended, HG_REJECT_USER);
        hg_own_release(p, node);
    } else if (amended.price == order->price && amended.size <= order->size) {
        order->size = amended.size; /* smaller at the same price keeps its place */
    } else {
        hg_own_release(p, node);
        take(p, &amended);
        rest(p, &amended);
        hg_held_follow(p, amended.instrument);
    }
}
