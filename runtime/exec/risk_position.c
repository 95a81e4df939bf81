/* Controls of the gate over what an order would do: open orders, position, Greeks, gross value,
 * margin, reduction, and own orders in its way. Everything pending counts as if it filled, on the
 * side where that is worse; orders whose fate is unknown count in full. */
#include "base/assert.h"
#include "exec/exec_int.h"

#include <math.h>

#define SUM_SLACK 1e-9 /* of a limit: the dust of a sum over many legs refuses nobody */

/* --- 7: open orders ------------------------------------------------------------------------------
 */

/* USD of a pending size at the spot of now; inverse futures are USD already. */
static double notional(const hg_exec *exec, uint32_t id, double lots) {
    const hg_instrument *inst = hg_universe_get(exec->universe, id);
    double size = lots * ((double)inst->lot / 1e9);
    bool usd_sized = inst->inverse && inst->kind != HG_KIND_OPTION;
    return usd_sized ? size : size * hg_market_underlying(exec->market, inst->underlying_id)->spot;
}

double hg_risk_open_notional(const hg_exec *exec, uint32_t amended, hg_lots counted) {
    double sum = 0;
    for (uint32_t k = 0; k < exec->risk->pending_count; k++) {
        uint32_t id = exec->risk->pending[k];
        const hg_instrument_orders *per = &exec->per[id];
        hg_lots lots = per->buy + per->sell - (id == amended ? counted : 0);
        double usd = notional(exec, id, (double)lots);
        bool priced = usd > 0; /* either: an order without a spot does not get this far */
        sum += priced || lots == 0 ? usd : NAN;
    }
    return sum;
}

static hg_reject check_count(const judgement *j, double open, double limit, const char *where,
                             const char *name) {
    if (!(open < limit)) {
        return hg_refuse(j->refusal, HG_REJECT_OPEN_LIMIT, open, limit, "%.0f orders are open %s%s",
                         open, where, name);
    }
    return HG_REJECT_NONE;
}

hg_reject hg_check_open(judgement *j) {
    uint32_t amended = j->view->amended ? 1 : 0;
    j->pending_usd = hg_risk_open_notional(j->exec, j->inst->id, j->view->counted);
    if (j->view->operator_order) {
        return HG_REJECT_NONE;
    }
    hg_reject code = check_count(j, j->view->open_orders, j->limits->open_orders, "in ",
                                 j->inst->name);
    if (code == HG_REJECT_NONE) {
        code = check_count(j, j->strategy->open - amended, j->strategy->limits.strategy_open_orders,
                           "of this strategy", "");
    }
    if (code == HG_REJECT_NONE) {
        code = check_count(j, j->exec->open_count - amended, j->risk->limits.total_open_orders,
                           "in all", "");
    }
    if (code != HG_REJECT_NONE) {
        return code;
    }
    double sum = j->pending_usd + j->value_usd;
    double limit = j->risk->limits.open_notional_usd;
    if (!(sum <= limit)) {
        return hg_refuse(j->refusal, HG_REJECT_OPEN_NOTIONAL, sum, limit,
                         "open orders of %.12g USD are above %.12g", sum, limit);
    }
    return HG_REJECT_NONE;
}

/* --- 5: position and Greeks ------------------------------------------------------------------- */

/* Worst case: everything pending on this side fills, and so does this order. */
hg_reject hg_check_position(judgement *j) {
    const hg_position *pos = hg_portfolio_get(j->exec->portfolio, j->inst->id);
    bool buy = j->request->side == HG_BUY;
    __int128 worst = buy ? (__int128)pos->lots + j->view->pending_buy + j->add
                         : (__int128)pos->lots - j->view->pending_sell - j->add;
    double coins = (double)worst * hg_instrument_coins_per_lot(j->inst, j->out->reference);
    double limit = j->limits->position_delta;
    double risky = buy ? coins : -coins;
    double most = (double)(INT64_MAX / 4);
    double nano = fabs((double)worst) * (double)j->inst->lot;
    if (!(nano <= most)) { /* either: far from all sums */
        return hg_refuse(j->refusal, HG_REJECT_SIZE_LIMIT, nano / 1e9, most / 1e9,
                         "worst-case position in %s is beyond the ledger", j->inst->name);
    }
    if (!(risky <= limit)) {
        return hg_refuse(j->refusal, HG_REJECT_POSITION_LIMIT, coins, buy ? limit : -limit,
                         "worst-case position of %.12g coins in %s is beyond %.12g", coins,
                         j->inst->name, buy ? limit : -limit);
    }
    return HG_REJECT_NONE;
}

static double above_zero(double x) {
    return x > 0 ? x : 0; /* either: 0 is 0 */
}

static double below_zero(double x) {
    return x < 0 ? x : 0; /* either: 0 is 0 */
}

static void widen(hg_greek_range *g, double by) {
    g->hi += above_zero(by);
    g->lo += below_zero(by);
}

/* Pending options widen gamma, vega and theta: the exposure bounds delta only. */
static bool add_pending_options(const hg_exec *exec, uint32_t underlying, int64_t now_ns,
                                hg_greek_range *g) {
    for (uint32_t k = 0; k < exec->risk->pending_count; k++) {
        uint32_t id = exec->risk->pending[k];
        const hg_instrument *inst = hg_universe_get(exec->universe, id);
        if (inst->kind != HG_KIND_OPTION || inst->underlying_id != underlying) {
            continue;
        }
        double buy = (double)exec->per[id].buy;
        double sell = (double)exec->per[id].sell;
        hg_unit unit;
        if (!hg_portfolio_unit(exec->portfolio, id, now_ns, &unit)) {
            return false;
        }
        const double of[] = {0, unit.gamma, unit.vega, unit.theta};
        for (int i = HG_GREEK_GAMMA; i < HG_GREEKS; i++) {
            widen(&g[i], buy * of[i]);
            widen(&g[i], -sell * of[i]);
        }
    }
    return true;
}

bool hg_risk_ranges(hg_exec *exec, uint32_t underlying, int64_t now_ns, hg_greek_range *g) {
    const hg_exposure *x = hg_portfolio_exposure(exec->portfolio, underlying, now_ns);
    g[HG_GREEK_DELTA] = (hg_greek_range){x->pending_lo, x->pending_hi, 0};
    g[HG_GREEK_GAMMA] = (hg_greek_range){x->gamma, x->gamma, 0};
    g[HG_GREEK_VEGA] = (hg_greek_range){x->vega, x->vega, 0};
    g[HG_GREEK_THETA] = (hg_greek_range){x->theta, x->theta, 0};
    bool known = x->quality == HG_QUALITY_GOOD && add_pending_options(exec, underlying, now_ns, g);
    double percent = x->spot * x->spot * 0.01;
    g[HG_GREEK_GAMMA].lo *= percent;
    g[HG_GREEK_GAMMA].hi *= percent;
    return known;
}

/* The same with what the order adds, and without what it replaces when it is an amendment. */
static bool ranges(const judgement *j, hg_greek_range *g) {
    bool known = hg_risk_ranges(j->exec, j->inst->underlying_id, j->now_ns, g);
    double percent = j->x->spot * j->x->spot * 0.01;
    const double unit[] = {j->unit.delta, j->unit.gamma * percent, j->unit.vega, j->unit.theta};
    for (int i = 0; i < HG_GREEKS; i++) {
        double counted = (double)j->view->counted * (double)j->request->side * unit[i];
        g[i].add = (double)j->add * (double)j->request->side * unit[i];
        g[i].hi -= above_zero(counted);
        g[i].lo -= below_zero(counted);
    }
    return known;
}

/* Only the side it moves to is judged: an order that lowers a breached Greek passes. */
static hg_reject check_range(const judgement *j, const hg_greek_range *g, hg_reject code,
                             double limit, const char *what, const char *unit) {
    bool up = g->add > 0; /* either: nothing is asked of 0 */
    double worst = up ? g->hi + g->add : g->lo + g->add;
    double at = limit * (1 + SUM_SLACK);
    bool within = up ? worst <= at : worst >= -at; /* either: the slack is wider than a bit */
    if (g->add == 0 || within) {
        return HG_REJECT_NONE;
    }
    return hg_refuse(j->refusal, code, worst, up ? limit : -limit,
                     "worst-case %s of %s %.12g %s is beyond %.12g", what, j->inst->underlying,
                     worst, unit, up ? limit : -limit);
}

hg_reject hg_check_greeks(judgement *j) {
    if (!j->greeks) {
        return HG_REJECT_NONE; /* it only closes: hg_check_data has seen to that */
    }
    hg_greek_range g[HG_GREEKS];
    if (!ranges(j, g)) {
        return hg_refuse(j->refusal, HG_REJECT_NO_GREEKS, NAN, NAN,
                         "the Greeks of pending orders in %s are unknown", j->inst->underlying);
    }
    const struct {
        hg_reject code;
        double limit;
        const char *what, *unit;
    } rows[] = {
        {HG_REJECT_DELTA_LIMIT, j->limits->delta_coins,           "delta", "coins"            },
        {HG_REJECT_GAMMA_LIMIT, j->limits->gamma_usd_per_percent, "gamma", "USD per 1 %"      },
        {HG_REJECT_VEGA_LIMIT,  j->limits->vega_usd_per_point,    "vega",  "USD per vol point"},
        {HG_REJECT_THETA_LIMIT, j->limits->theta_usd_per_day,     "theta", "USD per day"      },
    };
    hg_reject code = HG_REJECT_NONE;
    for (int i = 0; i < HG_GREEKS && code == HG_REJECT_NONE; i++) {
        code = check_range(j, &g[i], rows[i].code, rows[i].limit, rows[i].what, rows[i].unit);
    }
    return code;
}

/* --- 6: gross value and margin ---------------------------------------------------------------- */

double hg_risk_held_notional(hg_exec *exec, int64_t now_ns) {
    double sum = 0;
    for (uint32_t u = 0; u < hg_universe_underlying_count(exec->universe); u++) {
        const hg_exposure *x = hg_portfolio_exposure(exec->portfolio, u, now_ns);
        bool unknown = x->quality == HG_QUALITY_PARTIAL && !(x->spot > 0);
        sum += unknown ? NAN : x->notional;
    }
    return sum;
}

hg_reject hg_check_gross(judgement *j) {
    if (j->reducing) {
        return HG_REJECT_NONE;
    }
    double limit = j->risk->limits.gross_notional_usd;
    double sum = hg_risk_held_notional(j->exec, j->now_ns) + j->pending_usd + j->value_usd;
    if (!(sum <= limit)) {
        return hg_refuse(j->refusal, HG_REJECT_GROSS_LIMIT, sum, limit,
                         "positions and open orders of %.12g USD are above %.12g", sum, limit);
    }
    return HG_REJECT_NONE;
}

/* An order that asks for no more margin passes, however little is left. */
hg_reject hg_check_margin(judgement *j) {
    const hg_margin_hook *hook = &j->risk->margin;
    if (!hook->project || j->reducing || j->view->operator_order) {
        return HG_REJECT_NONE;
    }
    hg_margin_use use = {NAN, NAN, NAN};
    double price = j->request->type == HG_TYPE_MARKET ? 0
                                                      : hg_price_to_double(j->inst, j->out->price);
    bool known = hook->project(hook->context, j->inst->id, j->request->side,
                               j->add - j->view->counted, price, j->now_ns, &use);
    double limit = known ? j->risk->limits.margin_fraction * use.balance : NAN;
    bool more = !(known && use.after <= use.before);
    if (more && !(use.after <= limit)) {
        return hg_refuse(j->refusal, HG_REJECT_MARGIN_LIMIT, use.after, limit,
                         "initial margin of %.12g USD is above %.12g (%.3g of what covers it)",
                         use.after, limit, j->risk->limits.margin_fraction);
    }
    return HG_REJECT_NONE;
}

/* --- 15: reduce-only -------------------------------------------------------------------------- */

hg_lots hg_reduce_room(const hg_risk_view *view, hg_side side, hg_lots held) {
    hg_lots room = side == HG_BUY ? -held - view->pending_buy : held - view->pending_sell;
    return room > 0 ? room : 0; /* either: 0 is 0 */
}

/* |value| does not grow, whatever becomes of the pending orders: for every outcome v in [lo, hi],
 * |v + add| <= |v|. */
static bool lowers(const hg_greek_range *g) {
    if (g->add > 0) {
        return g->hi + g->add <= -g->hi;
    }
    return g->add == 0 || g->lo + g->add >= -g->lo;
}

static bool lowers_exposure(const judgement *j) {
    hg_greek_range g[HG_GREEKS];
    if (!j->greeks || !ranges(j, g)) {
        return false;
    }
    bool moves = false;
    for (int i = 0; i < HG_GREEKS; i++) {
        if (!lowers(&g[i])) {
            return false;
        }
        moves = moves || g[i].add != 0;
    }
    return moves;
}

static hg_reject refuse_room(judgement *j, hg_reject code, const char *why) {
    hg_lots held = hg_portfolio_get(j->exec->portfolio, j->inst->id)->lots;
    double room = hg_size_to_double(j->inst, hg_reduce_room(j->view, j->request->side, held));
    double size = hg_size_to_double(j->inst, j->out->size);
    return hg_refuse(j->refusal, code, size, room,
                     "%s%s %.12g %s would not only reduce the position (room %.12g)", why,
                     hg_side_name(j->request->side), size, j->inst->name, room);
}

hg_reject hg_check_reduce_only(judgement *j) {
    const hg_limit_extra *extra = j->risk->limits.extra;
    if (j->request->reduce_only && !j->reducing) {
        return refuse_room(j, HG_REJECT_REDUCE_ONLY, "");
    }
    if (j->risk->state != HG_RISK_REDUCING || j->view->operator_order) {
        return HG_REJECT_NONE;
    }
    if (extra && extra->reduce_mode == HG_REDUCE_POSITION) {
        return j->reducing ? HG_REJECT_NONE : refuse_room(j, HG_REJECT_REDUCING, "reducing: ");
    }
    if (!lowers_exposure(j)) {
        double adds = (double)j->add * (double)j->request->side * j->unit.delta;
        return hg_refuse(j->refusal, HG_REJECT_REDUCING, j->greeks ? adds : NAN,
                         j->greeks ? j->x->delta : NAN,
                         "only orders that lower the exposure of %s pass: %s", j->inst->underlying,
                         j->risk->why);
    }
    return HG_REJECT_NONE;
}

/* --- 12: self-trade --------------------------------------------------------------------------- */

/* A resting order of our own that an order of this side and price would meet. A cancel that was
 * asked for arrives before the order does, unless nobody knows whether it has arrived at all. */
static bool in_the_way(const hg_slot *slot, uint32_t instrument, hg_side side, hg_ticks price) {
    const hg_order *order = &slot->order;
    bool leaves = order->cancel_pending && order->state != HG_ORDER_UNKNOWN;
    return order->instrument == instrument && order->side != side && slot->counted > 0 && !leaves &&
           !hg_order_type_market((hg_order_type)order->type) &&
           (side == HG_BUY ? order->price <= price : order->price >= price);
}

/* How far the order may trade: a market order as far as the book shows its size, and to its collar
 * where the book does not show enough. */
static hg_ticks reach(const hg_exec *exec, uint32_t id, hg_order_type type, hg_side side,
                      hg_ticks price, hg_lots size) {
    const hg_market_state *s = hg_market_get(exec->market, id);
    const hg_level *level = NULL;
    bool buy = side == HG_BUY;
    if (type != HG_TYPE_MARKET) {
        return price;
    }
    if (size <= (buy ? s->quote.ask_size : s->quote.bid_size)) {
        return buy ? s->quote.ask : s->quote.bid;
    }
    for (uint32_t k = 0; s->depth; k++) {
        level = hg_depth_level(s->depth, buy ? HG_SELL : HG_BUY, k);
        size -= level ? level->size : 0;
        if (!level || size <= 0) {
            break;
        }
    }
    return level ? level->price : price;
}

static const hg_slot *own_in_the_way(const hg_exec *exec, uint32_t id, hg_side side,
                                     hg_ticks price) {
    for (uint32_t i = exec->first_open; i != HG_SLOT_NONE; i = exec->slots[i].next) {
        if (in_the_way(&exec->slots[i], id, side, price)) {
            return &exec->slots[i];
        }
    }
    return NULL;
}

hg_reject hg_check_self_trade(judgement *j) {
    const hg_limit_extra *extra = j->risk->limits.extra;
    hg_self_policy policy = extra ? (hg_self_policy)extra->self_trade : HG_SELF_WE_CANCEL;
    uint32_t id = j->inst->id;
    hg_side side = j->request->side;
    hg_lots opposite = side == HG_BUY ? j->exec->per[id].sell : j->exec->per[id].buy;
    if (policy != HG_SELF_WE_DENY || opposite == 0) {
        return HG_REJECT_NONE; /* cancelled when the order is sent, or the venue's affair */
    }
    hg_ticks price = reach(j->exec, id, j->request->type, side, j->out->price, j->out->size);
    const hg_slot *own = own_in_the_way(j->exec, id, side, price);
    if (own) {
        double other = hg_price_to_double(j->inst, own->order.price);
        return hg_refuse(j->refusal, HG_REJECT_SELF_TRADE, hg_price_to_double(j->inst, price),
                         other, "would trade with our own order %llu at %.12g",
                         (unsigned long long)own->order.id, other);
    }
    return HG_REJECT_NONE;
}

void hg_risk_clear_path(hg_exec *exec, const hg_order *order, int64_t now_ns) {
    const hg_limit_extra *extra = exec->risk->limits.extra;
    const hg_instrument_orders *per = &exec->per[order->instrument];
    bool wanted = !extra || extra->self_trade == HG_SELF_WE_CANCEL;
    if (!wanted || (order->side == HG_BUY ? per->sell : per->buy) == 0) {
        return;
    }
    hg_ticks price = reach(exec, order->instrument, (hg_order_type)order->type,
                           (hg_side)order->side, order->price, order->size);
    uint32_t next = HG_SLOT_NONE;
    for (uint32_t i = exec->first_open; i != HG_SLOT_NONE; i = next) {
        hg_slot *slot = &exec->slots[i];
        next = slot->next;
        if (in_the_way(slot, order->instrument, (hg_side)order->side, price)) {
            hg_exec_cancel_slot(exec, slot, HG_REJECT_SELF_TRADE, now_ns);
        }
    }
}
