/* Costs from market and margin: pure reading, nothing is kept. */
#include "exec/cost.h"

#include "base/assert.h"
#include "base/clock.h"
#include "domain/delivery.h"

#include <math.h>

#define YEAR_S (365.0 * 86400)
#define PERIOD_S (8.0 * 3600)
#define FUNDING_MEAN 0.0001
#define FUNDING_STAYS 0.95 /* of its distance from the mean, per period */
#define DEAD_BAND 0.00025
#define PREMIUM_MAX 0.005

bool hg_cost_level(const hg_market *market, uint32_t id, hg_side side, uint32_t k, hg_level *out) {
    const hg_market_state *s = hg_market_get(market, id);
    hg_side other = side == HG_BUY ? HG_SELL : HG_BUY;
    if (s->book_invalid || s->halted || s->settled) {
        return false;
    }
    if (s->depth && (s->depth->bid_count > 0 || s->depth->ask_count > 0)) {
        const hg_level *level = hg_depth_level(s->depth, other, k);
        if (level) {
            *out = *level;
        }
        return level != NULL;
    }
    *out = side == HG_BUY ? (hg_level){s->quote.ask, s->quote.ask_size}
                          : (hg_level){s->quote.bid, s->quote.bid_size};
    return k == 0 && out->size > 0;
}

static bool usd_sized(const hg_instrument *inst) {
    return inst->inverse && inst->kind != HG_KIND_OPTION;
}

static double amount_of(const hg_instrument *inst, hg_lots lots) {
    return (double)inst->lot / 1e9 * (double)lots; /* any number of lots, unlike the ledger */
}

/* What so much costs at a price in the settlement currency. Who buys USD-sized contracts is owed
 * their worth in coin: that is less at a higher price. */
static double paid_at(const hg_instrument *inst, double price, double amount) {
    return usd_sized(inst) ? -amount / price : amount * price;
}

/* What a taker meets, settlement currency; the venue counts the fee of each fill. */
typedef struct {
    double touch; /* first price */
    double last;
    double paid; /* signed as paid_at for a buyer */
    hg_cash fee;
    bool fee_known; /* within what the ledger counts */
    hg_lots shown;
} walk;

static void walk_take(const hg_market *market, const hg_instrument *inst, hg_lots lots, walk *w) {
    double spot = hg_market_underlying(market, inst->underlying_id)->spot;
    hg_nano price_nano = 0;
    hg_nano spot_nano = 0;
    hg_cash fee = 0;
    w->paid += paid_at(inst, w->last, amount_of(inst, lots));
    w->fee_known = w->fee_known && hg_nano_from_double(w->last, &price_nano) &&
                   hg_nano_from_double(spot, &spot_nano) &&
                   hg_fee(inst, price_nano, lots, false, spot_nano, &fee) &&
                   hg_add(w->fee, fee, &w->fee);
}

/* False without a quote on that side. */
static bool walk_book(const hg_market *market, const hg_instrument *inst, hg_side side,
                      hg_lots lots, walk *out) {
    walk w = {.fee_known = true};
    hg_lots left = lots;
    hg_level level;
    for (uint32_t k = 0; left > 0 && hg_cost_level(market, inst->id, side, k, &level); k++) {
        hg_lots take = level.size < left ? level.size : left;
        w.last = hg_price_to_double(inst, level.price);
        w.touch = k == 0 ? w.last : w.touch;
        if (take > 0 && w.last > 0) {
            walk_take(market, inst, take, &w);
            left -= take;
        }
    }
    w.shown = lots - left;
    if (left > 0 && w.last > 0) {
        walk_take(market, inst, left, &w); /* no better than the last level */
    }
    *out = w;
    return w.touch > 0 && w.last > 0;
}

/* The price at which all of it costs the same. */
static double average(const hg_instrument *inst, const walk *w, hg_lots lots) {
    double amount = amount_of(inst, lots);
    return usd_sized(inst) ? amount / -w->paid : w->paid / amount;
}

double hg_funding_expected(double now, double mean, double horizon_s) {
    double n = horizon_s / PERIOD_S;
    if (!(n > 0)) {
        return now;
    }
    return mean + (now - mean) * -expm1(n * log(FUNDING_STAYS)) / (n * (1 - FUNDING_STAYS));
}

/* Per 8 h: the market's rate, else what the premium of the mark makes it. */
static double funding_now(const hg_market *market, const hg_instrument *inst, double spot) {
    const hg_market_state *s = hg_market_get(market, inst->id);
    if (s->funding_ns > 0) {
        return hg_nano_to_double(s->funding);
    }
    double mark = s->mark > 0 ? hg_nano_to_double(s->mark) : hg_market_mid(market, inst->id);
    double premium = mark > 0 ? mark / spot - 1 : 0;
    premium = fmin(fmax(premium, -PREMIUM_MAX), PREMIUM_MAX);
    return fmax(DEAD_BAND, premium) + fmin(-DEAD_BAND, premium);
}

/* Share of a basis that runs off within the horizon. */
static double run_off(const hg_instrument *inst, double horizon_s, int64_t now_ns) {
    double left_s = hg_delivery_clock(inst->expiry_ns, now_ns) * YEAR_S;
    return left_s > horizon_s ? horizon_s / left_s : 1;
}

static double option_carry(const hg_market *market, const hg_instrument *inst,
                           const hg_cost_query *q, double amount, double spot, int64_t now_ns) {
    hg_leg leg = hg_leg_read(market, inst, amount, now_ns);
    if (!(leg.price > 0 && leg.spot > 0)) {
        return 0;
    }
    hg_outcome g = hg_legs_shock(&leg, 1, &(hg_shock){0});
    double carry = g.delta * (leg.price - spot) * run_off(inst, q->horizon_s, now_ns);
    if (isfinite(q->realised_vol)) {
        double spread = q->realised_vol * q->realised_vol - leg.sigma * leg.sigma;
        carry -= 0.5 * g.gamma * leg.price * leg.price * spread * q->horizon_s / YEAR_S;
    }
    return carry;
}

static double carry_of(const hg_market *market, const hg_instrument *inst, const hg_cost_query *q,
                       const hg_cost *c, double spot, int64_t now_ns) {
    double side = q->side == HG_BUY ? 1 : -1;
    double money = q->rate * q->horizon_s / YEAR_S;
    double amount = amount_of(inst, q->lots);
    double paid = amount * c->price * hg_market_usd(market, inst->quote_id);
    switch (inst->kind) {
    case HG_KIND_PERPETUAL: {
        double now = isfinite(q->funding) ? q->funding : funding_now(market, inst, spot);
        double mean = isfinite(q->funding_mean) ? q->funding_mean : FUNDING_MEAN;
        hg_nano mark = hg_market_get(market, inst->id)->mark; /* funding is of the value there */
        double value = paid_at(inst, mark > 0 ? hg_nano_to_double(mark) : c->mid, amount);
        return side * fabs(value) * hg_market_usd(market, inst->settle_id) *
               hg_funding_expected(now, mean, q->horizon_s) * q->horizon_s / PERIOD_S;
    }
    case HG_KIND_FUTURE: {
        double then = c->mid - (c->mid - spot) * run_off(inst, q->horizon_s, now_ns);
        return side * (paid_at(inst, c->mid, amount) - paid_at(inst, then, amount)) *
               hg_market_usd(market, inst->settle_id);
    }
    case HG_KIND_OPTION:
        return option_carry(market, inst, q, side * amount, spot, now_ns) + side * paid * money;
    default:
        return side * paid * money;
    }
}

/* Initial margin the trade adds, USD; less than nothing when it hedges. */
static double initial_added(const hg_market *market, hg_margin *margin, const hg_instrument *inst,
                            const hg_cost_query *q, const hg_cost *c, int64_t now_ns) {
    if (margin && hg_margin_model_of(margin) != HG_MARGIN_NONE) {
        hg_trade_idea idea = {
            .instrument = inst->id, .side = q->side, .lots = q->lots, .price = c->price};
        hg_margin_change change;
        if (hg_margin_what_if(margin, &idea, 1, now_ns, &change) < 0) {
            hg_error_clear();
            return 0;
        }
        return change.after.initial - change.before.initial;
    }
    double amount = amount_of(inst, q->lots) * (q->side == HG_BUY ? 1 : -1);
    return hg_margin_alone(market, inst, amount, now_ns);
}

/* Spread, depth and fee of one way, USD, as fills against the mid will be. */
static void add_way(const hg_market *market, const hg_instrument *inst, hg_side side, hg_lots lots,
                    const walk *w, hg_cost *c) {
    double sign = side == HG_BUY ? 1 : -1;
    double amount = amount_of(inst, lots);
    double usd = hg_market_usd(market, inst->settle_id);
    double touch = paid_at(inst, w->touch, amount);
    c->spread += sign * (touch - paid_at(inst, c->mid, amount)) * usd;
    c->depth += sign * (w->paid - touch) * usd;
    c->fee += w->fee_known ? hg_nano_to_double(w->fee) * usd : NAN;
    c->visible = w->shown < c->visible ? w->shown : c->visible;
}

/* Of what is delivered within the horizon: no book, but the fee, at the spot as it stands. NAN:
 * beyond what the ledger counts. */
static double delivery_usd(const hg_market *market, const hg_instrument *inst, hg_lots lots,
                           double spot) {
    hg_nano spot_nano = 0;
    hg_cash fee = 0;
    bool known = hg_nano_from_double(spot, &spot_nano) &&
                 hg_delivery_fee(inst, spot_nano, lots, &fee);
    return known ? hg_nano_to_double(fee) * hg_market_usd(market, inst->settle_id) : NAN;
}

/* The way there and, for a round trip, back. False without a quote. */
static bool add_ways(const hg_market *market, const hg_instrument *inst, const hg_cost_query *q,
                     double spot, int64_t now_ns, hg_cost *c) {
    hg_side other = q->side == HG_BUY ? HG_SELL : HG_BUY;
    walk w;
    c->visible = q->lots;
    if (!walk_book(market, inst, q->side, q->lots, &w)) {
        return false;
    }
    c->price = average(inst, &w, q->lots);
    add_way(market, inst, q->side, q->lots, &w, c);
    if (q->round_trip && inst->expiry_ns > 0 && run_off(inst, q->horizon_s, now_ns) >= 1) {
        c->fee += delivery_usd(market, inst, q->lots, spot);
    } else if (q->round_trip) {
        if (!walk_book(market, inst, other, q->lots, &w)) {
            return false;
        }
        add_way(market, inst, other, q->lots, &w, c);
    }
    return true;
}

int hg_cost_of(const hg_market *market, hg_margin *margin, const hg_cost_query *q, int64_t now_ns,
               hg_cost *out) {
    const hg_instrument *inst = hg_universe_get(hg_market_universe(market), q->instrument);
    double spot = hg_market_underlying(market, inst->underlying_id)->spot;
    if (q->lots <= 0 || !(q->horizon_s >= 0) || !isfinite(q->horizon_s) || !isfinite(q->rate)) {
        return HG_ERR(HG_EINVALID, "cost of %s: size and horizon must be numbers above zero",
                      inst->name);
    }
    hg_cost c = {.mid = hg_market_mid(market, inst->id)};
    if (!(c.mid > 0) || !(spot > 0) || !add_ways(market, inst, q, spot, now_ns, &c)) {
        return HG_ERR(HG_ENOTFOUND, "%s has no two-sided quote", inst->name);
    }
    c.fits = c.visible == q->lots;
    c.fee = q->no_fees ? 0 : c.fee;
    c.notional = (double)q->lots * hg_instrument_coins_per_lot(inst, c.mid) * spot;
    c.initial = initial_added(market, margin, inst, q, &c, now_ns);
    if (q->horizon_s > 0) {
        c.carry = carry_of(market, inst, q, &c, spot, now_ns);
        c.margin = q->rate * q->horizon_s / YEAR_S * c.initial;
    }
    c.total = c.spread + c.depth + c.fee + c.carry + c.margin;
    c.bps = c.notional > 0 ? c.total / c.notional * 1e4 : 0;
    if (!isfinite(c.total + c.bps + c.initial)) {
        return HG_ERR(HG_ERANGE, "cost of %s is out of range", inst->name);
    }
    *out = c;
    return HG_OK;
}
