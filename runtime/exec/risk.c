/* The risk gate. Order of the controls: permission and state first (instrument, halt), then sanity
 * of the numbers, age of the data, price collar, size and value, open orders, worst-case position,
 * reduce-only, and the rate last, so that a refused order costs no token. Anchors: SEC 15c3-5,
 * MiFID II RTS 6 articles 12 to 15. */
#include "exec/risk.h"

#include "base/assert.h"
#include "base/clock.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define OPTION_COLLAR_COIN 0.05
#define OPTION_COLLAR_MARK 0.50

void hg_limits_default(hg_limits *limits) {
    *limits = (hg_limits){.price_collar = 0.10,
                          .order_value_usd = 1e8,
                          .position_delta = 1e6,
                          .quote_max_age_ns = 10 * HG_NS_PER_S,
                          .orders_per_second = 1000,
                          .open_orders = 500};
}

static double positive_or(double value, double fallback) {
    return value > 0 && isfinite(value) ? value : fallback;
}

void hg_limits_complete(hg_limits *limits) {
    hg_limits standard;
    hg_limits_default(&standard);
    limits->price_collar = positive_or(limits->price_collar, standard.price_collar);
    limits->order_value_usd = positive_or(limits->order_value_usd, standard.order_value_usd);
    limits->position_delta = positive_or(limits->position_delta, standard.position_delta);
    if (limits->quote_max_age_ns <= 0) {
        limits->quote_max_age_ns = standard.quote_max_age_ns;
    }
    if (limits->orders_per_second == 0) {
        limits->orders_per_second = standard.orders_per_second;
    }
    if (limits->open_orders == 0) {
        limits->open_orders = standard.open_orders;
    }
}

/* --- rate ------------------------------------------------------------------------------------- */

#define TOKEN INT64_C(1000000000)
#define BURST_SECONDS 4

void hg_bucket_init(hg_bucket *bucket, uint32_t rate) {
    hg_assert(rate > 0);
    *bucket = (hg_bucket){.level = (int64_t)rate * BURST_SECONDS * TOKEN, .rate = rate};
}

bool hg_bucket_take(hg_bucket *bucket, int64_t now_ns) {
    int64_t full = (int64_t)bucket->rate * BURST_SECONDS * TOKEN;
    int64_t dt = now_ns - bucket->time_ns;
    if (dt > 0) {
        bool refilled = dt >= BURST_SECONDS * HG_NS_PER_S;
        int64_t level = refilled ? full : bucket->level + dt * bucket->rate;
        bucket->level = level < full ? level : full;
        bucket->time_ns = now_ns;
    }
    if (bucket->level < TOKEN) {
        return false;
    }
    bucket->level -= TOKEN;
    return true;
}

/* --- refusals --------------------------------------------------------------------------------- */

hg_reject hg_refuse(hg_refusal *refusal, hg_reject code, double value, double limit,
                    const char *fmt, ...) {
    hg_assert(code != HG_REJECT_NONE && code < HG_REJECTS);
    refusal->code = code;
    refusal->value = value;
    refusal->limit = limit;
    va_list args;
    va_start(args, fmt);
    vsnprintf(refusal->text, sizeof refusal->text, fmt, args);
    va_end(args);
    return code;
}

/* What every control reads; made step by step. */
typedef struct {
    const hg_risk_view *view;
    const hg_order_request *request;
    int64_t now_ns;
    const hg_instrument *inst;
    const hg_market_state *state;
    hg_risk_order *out;
    hg_refusal *refusal;
} judgement;

/* --- the controls, in order ------------------------------------------------------------------- */

static hg_reject check_instrument(judgement *j) {
    const hg_universe *universe = hg_market_universe(j->view->market);
    uint32_t id = j->request->instrument;
    if (id >= hg_universe_count(universe)) {
        return hg_refuse(j->refusal, HG_REJECT_INSTRUMENT, NAN, NAN, "unknown instrument");
    }
    j->inst = hg_universe_get(universe, id);
    j->state = hg_market_get(j->view->market, id);
    bool expired = j->inst->expiry_ns > 0 && !(j->now_ns < j->inst->expiry_ns);
    if (expired || j->state->settled) {
        return hg_refuse(j->refusal, HG_REJECT_INSTRUMENT, NAN, NAN, "%s has expired",
                         j->inst->name);
    }
    if (j->state->halted) {
        return hg_refuse(j->refusal, HG_REJECT_INSTRUMENT, NAN, NAN, "%s is halted", j->inst->name);
    }
    return HG_REJECT_NONE;
}

static hg_reject check_halt(judgement *j) {
    if (j->view->halted) {
        return hg_refuse(j->refusal, HG_REJECT_HALTED, NAN, NAN, "trading is halted: %s",
                         j->view->halted);
    }
    return HG_REJECT_NONE;
}

static hg_reject check_form(judgement *j) {
    const hg_order_request *r = j->request;
    bool known = (r->side == HG_BUY || r->side == HG_SELL) &&
                 (r->type == HG_TYPE_MARKET || r->type == HG_TYPE_LIMIT) &&
                 (unsigned)r->tif <= HG_TIF_FOK;
    if (!known) {
        return hg_refuse(j->refusal, HG_REJECT_BAD_REQUEST, NAN, NAN,
                         "side, type or time in force is not one of the known ones");
    }
    if (r->post_only && (r->type == HG_TYPE_MARKET || r->tif != HG_TIF_GTC)) {
        return hg_refuse(j->refusal, HG_REJECT_BAD_REQUEST, NAN, NAN,
                         "post-only belongs to resting limit orders");
    }
    return HG_REJECT_NONE;
}

static hg_reject check_size(judgement *j) {
    double size = j->request->size;
    double lot = (double)j->inst->lot / 1e9;
    if (!isfinite(size)) {
        return hg_refuse(j->refusal, HG_REJECT_NOT_FINITE, size, NAN, "size is not finite");
    }
    if (!(size > 0)) {
        return hg_refuse(j->refusal, HG_REJECT_SIZE_ZERO, size, lot, "size %g must be above zero",
                         size);
    }
    /* A quarter of the range of the ledger stays free for sums. */
    double most = (double)(INT64_MAX / 4) / 1e9;
    if (!(size <= most) || !(size / lot <= 9e15)) {
        return hg_refuse(j->refusal, HG_REJECT_SIZE_LIMIT, size, most,
                         "size %g of %s is beyond the ledger", size, j->inst->name);
    }
    hg_lots lots = 0;
    if (!hg_size_from_double(j->inst, size, &lots) || lots <= 0) {
        return hg_refuse(j->refusal, HG_REJECT_OFF_LOT, size, lot,
                         "size %.12g of %s is not a multiple of %.12g", size, j->inst->name, lot);
    }
    if (lots <= j->view->filled) {
        return hg_refuse(j->refusal, HG_REJECT_SIZE_ZERO, size,
                         hg_size_to_double(j->inst, j->view->filled),
                         "new size %.12g is not above what has been filled", size);
    }
    j->out->size = lots;
    return HG_REJECT_NONE;
}

static hg_reject check_price(judgement *j) {
    double price = j->request->price;
    double tick = (double)j->inst->tick / 1e9;
    if (j->request->type == HG_TYPE_MARKET) {
        return HG_REJECT_NONE;
    }
    if (!isfinite(price)) {
        return hg_refuse(j->refusal, HG_REJECT_NOT_FINITE, price, NAN, "price is not finite");
    }
    if (!(price > 0)) {
        return hg_refuse(j->refusal, HG_REJECT_PRICE_COLLAR, price, tick,
                         "price %g must be above zero", price);
    }
    hg_ticks ticks = 0;
    if (!hg_price_from_double(j->inst, price, &ticks) || ticks <= 0) {
        double step = ticks > 0 ? tick * (double)hg_instrument_step(j->inst, ticks) : tick;
        return hg_refuse(j->refusal, HG_REJECT_OFF_TICK, price, step,
                         "price %.12g of %s is not a multiple of its tick", price, j->inst->name);
    }
    j->out->price = ticks;
    return HG_REJECT_NONE;
}

static bool fresh(const judgement *j, int64_t time_ns) {
    return time_ns > 0 && j->now_ns - time_ns <= j->view->limits->quote_max_age_ns;
}

/* Reference: the mark while it is fresh, else the mid of a fresh book. An unchanged quote beside a
 * fresh mark is not stale: exchanges send a quote only when it changes. */
static hg_reject check_data(judgement *j) {
    const hg_market_state *s = j->state;
    const hg_market *market = j->view->market;
    double limit_s = (double)j->view->limits->quote_max_age_ns / 1e9;
    if (s->book_invalid) {
        return hg_refuse(j->refusal, HG_REJECT_STALE, NAN, limit_s,
                         "the book of %s is invalid until its next snapshot", j->inst->name);
    }
    double reference = 0;
    if (s->mark > 0 && fresh(j, s->mark_ns)) {
        reference = hg_market_mark(market, j->inst->id, j->now_ns);
    } else if (fresh(j, s->quote.time_ns)) {
        reference = hg_market_mid(market, j->inst->id);
    } else if (s->mark > 0 || s->quote.time_ns > 0) {
        int64_t newest = s->mark_ns > s->quote.time_ns ? s->mark_ns : s->quote.time_ns;
        double age_s = (double)(j->now_ns - newest) / 1e9;
        return hg_refuse(j->refusal, HG_REJECT_STALE, age_s, limit_s,
                         "data of %s is %.3g s old, the limit is %.3g s", j->inst->name, age_s,
                         limit_s);
    }
    if (!(reference > 0) || !isfinite(reference)) {
        return hg_refuse(j->refusal, HG_REJECT_NO_PRICE, NAN, NAN, "no price of %s to judge by",
                         j->inst->name);
    }
    j->out->reference = reference;
    return HG_REJECT_NONE;
}

static bool opposite_side_empty(const judgement *j) {
    const hg_quote *q = &j->state->quote;
    hg_side side = j->request->side == HG_BUY ? HG_SELL : HG_BUY;
    hg_lots shown = side == HG_SELL ? q->ask_size : q->bid_size;
    return shown <= 0 && !(j->state->depth && hg_depth_level(j->state->depth, side, 0));
}

/* How far through the reference an order may go. A fraction says nothing about cheap options, so
 * theirs is the largest of the fraction, half the mark and 0.05 coin. */
static double collar_width(const judgement *j) {
    double reference = j->out->reference;
    double width = reference * j->view->limits->price_collar;
    if (j->inst->kind == HG_KIND_OPTION) {
        double coin = OPTION_COLLAR_COIN;
        if (!j->inst->inverse) {
            coin *= hg_market_underlying(j->view->market, j->inst->underlying_id)->spot;
        }
        width = fmax(width, fmax(coin, reference * OPTION_COLLAR_MARK));
    }
    return width;
}

static hg_reject check_collar(judgement *j) {
    bool buy = j->request->side == HG_BUY;
    double width = collar_width(j);
    double bound = j->out->reference + (buy ? width : -width);
    if (j->request->type == HG_TYPE_MARKET) {
        if (opposite_side_empty(j)) {
            return hg_refuse(j->refusal, HG_REJECT_NO_PRICE, NAN, NAN,
                             "no %s in the book of %s to trade against", buy ? "asks" : "bids",
                             j->inst->name);
        }
        hg_ticks collar = hg_price_round(j->inst, bound, buy ? -1 : 1);
        j->out->price = collar > 0 ? collar : 1;
        return HG_REJECT_NONE;
    }
    double price = hg_price_to_double(j->inst, j->out->price);
    /* Half a millionth of a tick absorbs the rounding of the bound itself. */
    double slack = (double)j->inst->tick / 1e9 * 0.5e-6;
    if (!(buy ? price <= bound + slack : price >= bound - slack)) {
        return hg_refuse(j->refusal, HG_REJECT_PRICE_COLLAR, price, bound,
                         "%s %s at %.12g is beyond %.12g (reference %.12g)",
                         hg_side_name(j->request->side), j->inst->name, price, bound,
                         j->out->reference);
    }
    return HG_REJECT_NONE;
}

static hg_reject check_value(judgement *j) {
    const hg_instrument *inst = j->inst;
    double size = hg_size_to_double(inst, j->out->size);
    double spot = hg_market_underlying(j->view->market, inst->underlying_id)->spot;
    bool usd_sized = inst->inverse && inst->kind != HG_KIND_OPTION;
    double value = usd_sized ? size
                   : inst->kind == HG_KIND_OPTION
                       ? size * spot
                       : size * j->out->reference * hg_market_usd(j->view->market, inst->quote_id);
    double limit = j->view->limits->order_value_usd;
    if (!(value > 0)) {
        return hg_refuse(j->refusal, HG_REJECT_NO_PRICE, NAN, NAN,
                         "no spot of %s to value the order by", inst->underlying);
    }
    if (!(value <= limit)) {
        return hg_refuse(j->refusal, HG_REJECT_VALUE_LIMIT, value, limit,
                         "order of %.12g USD in %s is above %.12g", value, inst->name, limit);
    }
    return HG_REJECT_NONE;
}

static hg_reject check_open(judgement *j) {
    uint32_t limit = j->view->limits->open_orders;
    if (!(j->view->open_orders < limit)) {
        return hg_refuse(j->refusal, HG_REJECT_OPEN_LIMIT, j->view->open_orders, limit,
                         "%u orders are open in %s", j->view->open_orders, j->inst->name);
    }
    return HG_REJECT_NONE;
}

/* Worst case: everything pending on this side fills, and so does this order. */
static hg_reject check_position(judgement *j) {
    const hg_position *pos = hg_portfolio_get(j->view->portfolio, j->inst->id);
    bool buy = j->request->side == HG_BUY;
    hg_lots remaining = j->out->size - j->view->filled;
    __int128 worst = buy ? (__int128)pos->lots + j->view->pending_buy + remaining
                         : (__int128)pos->lots - j->view->pending_sell - remaining;
    double coins = (double)worst * hg_instrument_coins_per_lot(j->inst, j->out->reference);
    double limit = j->view->limits->position_delta;
    double risky = buy ? coins : -coins;
    double most = (double)(INT64_MAX / 4);
    if (!(fabs((double)worst) * (double)j->inst->lot <= most)) {
        return hg_refuse(j->refusal, HG_REJECT_SIZE_LIMIT, coins, most / 1e9,
                         "worst-case position in %s is beyond the ledger", j->inst->name);
    }
    if (!(risky <= limit)) {
        return hg_refuse(j->refusal, HG_REJECT_POSITION_LIMIT, coins, buy ? limit : -limit,
                         "worst-case position of %.12g coins in %s is beyond %.12g", coins,
                         j->inst->name, buy ? limit : -limit);
    }
    return HG_REJECT_NONE;
}

/* Only what the position still allows once the pending orders of this side have filled. */
static hg_reject check_reduce_only(judgement *j) {
    if (!j->request->reduce_only) {
        return HG_REJECT_NONE;
    }
    hg_lots lots = hg_portfolio_get(j->view->portfolio, j->inst->id)->lots;
    bool buy = j->request->side == HG_BUY;
    hg_lots room = buy ? -lots - j->view->pending_buy : lots - j->view->pending_sell;
    room = room > 0 ? room : 0;
    if (!(j->out->size - j->view->filled <= room)) {
        return hg_refuse(j->refusal, HG_REJECT_REDUCE_ONLY,
                         hg_size_to_double(j->inst, j->out->size), hg_size_to_double(j->inst, room),
                         "%s %.12g %s would not only reduce the position (room %.12g)",
                         hg_side_name(j->request->side), hg_size_to_double(j->inst, j->out->size),
                         j->inst->name, hg_size_to_double(j->inst, room));
    }
    return HG_REJECT_NONE;
}

hg_reject hg_risk_judge(const hg_risk_view *view, const hg_order_request *request, int64_t now_ns,
                        hg_risk_order *out, hg_refusal *refusal) {
    typedef hg_reject (*control)(judgement *);
    static const control controls[] = {
        check_instrument, check_halt,  check_form, check_size,     check_price,      check_data,
        check_collar,     check_value, check_open, check_position, check_reduce_only};
    hg_assert(view && request && out && refusal);
    *out = (hg_risk_order){0};
    judgement j = {view, request, now_ns, NULL, NULL, out, refusal};
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++) {
        hg_reject code = controls[i](&j);
        if (code != HG_REJECT_NONE) {
            return code;
        }
    }
    hg_assert(out->price > 0 && out->size > view->filled);
    return HG_REJECT_NONE;
}
