/* A market around one price: index, the instrument of the bars, and whatever else of its coin the
 * caller wants quoted. Futures have no basis and forwards are the price itself: bars tell nothing
 * of either. Inside the last half hour both are the expected delivery price, (1 - a) A + a S
 * (domain/delivery.h), A the mean of the points seen in it. Options are priced by Black-76 at the
 * vol that was given, and quoted at that vol less and plus half the spread, rounded outward. */
#include "venue/import_ohlc_int.h"

#include "base/clock.h"
#include "domain/delivery.h"
#include "greeks/black76.h"

#include <math.h>

#define MICRO 1000 /* option marks have six decimals, as the venue's ticker */

static int emit(hg_ohlc *o, hg_event ev, hg_nano value) {
    ev.price.value = value;
    return hg_import_add(&o->im, &ev);
}

static hg_lots lots_of(const hg_instrument *inst, double amount) {
    return (hg_lots)fmax(1, floor(fmin(amount * 1e9, 9e18) / (double)inst->lot + 1e-6));
}

/* Price of what has no strike. */
static double price_at(const hg_ohlc *o, const hg_instrument *inst, int64_t time_ns, double spot) {
    double open = hg_delivery_open(inst->expiry_ns, time_ns);
    uint32_t n = inst->expiry_ns > 0 ? o->samples[inst->expiry_id] : 0;
    return open < 1 && n > 0 ? open * spot + (1 - open) * o->sum[inst->expiry_id] / n : spot;
}

// --- futures, perpetuals, spot ------------------------------------------------------------------

static int linear_quote(hg_ohlc *o, const hg_instrument *inst, int64_t time_ns, double price) {
    const hg_import_options *options = o->im.options;
    double half = price * options->perp_spread_bp / 2e4;
    double usd = options->perp_size_usd;
    hg_lots size = lots_of(inst, inst->inverse ? usd : usd / price);
    hg_event ev = {.time_ns = time_ns, .kind = HG_EV_QUOTE, .id = inst->id};
    ev.quote.bid = hg_price_round(inst, price - half, -1);
    ev.quote.ask = hg_price_round(inst, price + half, 1);
    if (ev.quote.ask <= ev.quote.bid) {
        ev.quote.ask = ev.quote.bid + hg_instrument_step(inst, ev.quote.bid);
    }
    ev.quote.ask = ev.quote.ask < 1 ? 1 : ev.quote.ask;
    ev.quote.bid_size = ev.quote.bid > 0 ? size : 0;
    ev.quote.ask_size = size;
    return hg_import_add(&o->im, &ev);
}

static int funding_tell(hg_ohlc *o, const hg_instrument *inst, int64_t time_ns) {
    if (inst->kind != HG_KIND_PERPETUAL || !o->rate_told) {
        return HG_OK;
    }
    return emit(o, (hg_event){.time_ns = time_ns, .kind = HG_EV_FUNDING, .id = inst->id}, o->rate);
}

static int linear_emit(hg_ohlc *o, const hg_instrument *inst, int64_t time_ns, hg_nano spot,
                       bool funding) {
    double price = price_at(o, inst, time_ns, hg_nano_to_double(spot));
    hg_event ev = {.time_ns = time_ns, .kind = HG_EV_MARK, .id = inst->id};
    ev.mark.price = (hg_nano)llrint(price * 1e9);
    int rc = inst->kind == HG_KIND_SPOT ? HG_OK : hg_import_add(&o->im, &ev);
    if (rc == HG_OK && funding) rc = funding_tell(o, inst, time_ns);
    return rc < 0 ? rc : linear_quote(o, inst, time_ns, price);
}

// --- options ------------------------------------------------------------------------------------

/* In the quote unit: coins for inverse options. Below zero: no price. */
static double model(const hg_instrument *inst, double forward, double vol, int64_t time_ns) {
    double value = 0;
    double years = hg_delivery_years(inst->expiry_ns, time_ns);
    if (hg_black76_price(forward, hg_nano_to_double(inst->strike), years, fmax(vol, 0), inst->cp, 0,
                         &value) != HG_OK) {
        return -1;
    }
    return inst->inverse ? value / forward : value;
}

static int option_emit(hg_ohlc *o, const hg_instrument *inst, int64_t time_ns, double spot,
                       double vol) {
    double forward = price_at(o, inst, time_ns, spot);
    double half = o->im.options->iv_spread / 2;
    double mark = model(inst, forward, vol, time_ns);
    double bid = model(inst, forward, vol - half, time_ns);
    double ask = model(inst, forward, vol + half, time_ns);
    if (!(mark >= 0 && bid >= 0 && ask >= 0 && ask < 1e9)) {
        return HG_OK;
    }
    hg_lots size = lots_of(inst, o->im.options->quote_size);
    hg_event ev = {.time_ns = time_ns, .kind = HG_EV_MARK, .id = inst->id};
    ev.mark.price = (hg_nano)llrint(mark * 1e6) * MICRO;
    ev.mark.iv = (hg_nano)llrint(vol * 1e9);
    int rc = hg_import_add(&o->im, &ev);
    ev = (hg_event){.time_ns = time_ns, .kind = HG_EV_QUOTE, .id = inst->id};
    ev.quote.bid = hg_price_round(inst, bid, -1);
    ev.quote.ask = hg_price_round(inst, ask, 1);
    if (ev.quote.ask <= ev.quote.bid) {
        ev.quote.ask = ev.quote.bid + hg_instrument_step(inst, ev.quote.bid);
    }
    ev.quote.ask = ev.quote.ask < 1 ? 1 : ev.quote.ask;
    ev.quote.bid_size = ev.quote.bid > 0 ? size : 0;
    ev.quote.ask_size = size;
    return rc < 0 ? rc : hg_import_add(&o->im, &ev);
}

// --- deliveries ---------------------------------------------------------------------------------

/* What expired since the last point, at its mean; without a point in the window, at the last
 * price. In an update of its own, before the point. */
static int deliver(hg_ohlc *o, uint32_t expiry, int64_t time_ns) {
    int rc = HG_OK;
    double price = o->samples[expiry] > 0 ? o->sum[expiry] / o->samples[expiry]
                                          : hg_nano_to_double(o->last);
    for (uint32_t id = 0; rc == HG_OK && id < hg_universe_count(o->im.universe); id++) {
        const hg_instrument *inst = hg_universe_get(o->im.universe, id);
        if (inst->expiry_ns > 0 && inst->expiry_id == expiry) {
            o->im.report->settled++;
            rc = emit(o, (hg_event){.time_ns = time_ns, .kind = HG_EV_SETTLE, .id = id},
                      (hg_nano)llrint(price * 1e4) * 100000);
        }
    }
    return rc < 0 ? rc : hg_import_close(&o->im);
}

static int expiries_pass(hg_ohlc *o, int64_t time_ns, hg_nano price) {
    uint32_t coin = hg_universe_get(o->im.universe, o->main)->underlying_id;
    int rc = HG_OK;
    for (uint32_t e = 0; rc == HG_OK && e < o->expiries; e++) {
        const hg_expiry *expiry = hg_universe_expiry(o->im.universe, e);
        int64_t left = expiry->time_ns - time_ns;
        if (expiry->underlying != coin || o->delivered[e]) {
            continue;
        }
        if (left <= 0) {
            o->delivered[e] = true; /* what had expired before the first bar is not delivered */
            rc = o->last > 0 ? deliver(o, e, time_ns) : HG_OK;
        } else if (left <= HG_DELIVERY_WINDOW_NS) {
            o->sum[e] += hg_nano_to_double(price);
            o->samples[e]++;
        }
    }
    return rc;
}

// --- one point ----------------------------------------------------------------------------------

/* A rate that has become another one, or unknown: none is charged then. True when to be told. */
static bool funding_moved(hg_ohlc *o, int64_t time_ns) {
    hg_nano rate = 0;
    bool known = hg_series_at(&o->funding, time_ns, &o->funding_at, &rate);
    bool moved = (known && !o->rate_told) || (o->rate_told && rate != o->rate);
    o->im.report->unfunded += o->funding.count > 0 && !known;
    o->rate_told = o->rate_told || known;
    o->rate = rate;
    return moved;
}

/* The volume since the last trade, by whoever moved the price. */
static int trade_emit(hg_ohlc *o, int64_t time_ns, hg_nano price) {
    const hg_instrument *inst = hg_universe_get(o->im.universe, o->main);
    double p = hg_nano_to_double(price);
    double coins = hg_instrument_coins_per_lot(inst, p);
    hg_event ev = {.time_ns = time_ns, .kind = HG_EV_TRADE, .id = o->main};
    ev.side = price < o->last ? HG_SELL : HG_BUY;
    ev.level.price = hg_price_round(inst, p, price < o->last ? 1 : -1);
    double lots = coins > 0 ? floor(fmin(o->owed / coins, 1e15)) : 0;
    ev.level.size = (hg_lots)lots;
    if (ev.level.size <= 0 || ev.level.price <= 0) {
        return HG_OK;
    }
    o->owed = fmax(o->owed - lots * coins, 0);
    return hg_import_add(&o->im, &ev);
}

static int others_emit(hg_ohlc *o, int64_t time_ns, hg_nano price, bool funding) {
    const hg_universe *universe = o->im.universe;
    const hg_instrument *main = hg_universe_get(universe, o->main);
    hg_nano vol = (hg_nano)llrint(o->im.options->iv * 1e9);
    bool vol_known = o->vol.count == 0 || hg_series_at(&o->vol, time_ns, &o->vol_at, &vol);
    int rc = HG_OK;
    for (uint32_t id = 0; rc == HG_OK && id < hg_universe_count(universe); id++) {
        const hg_instrument *inst = hg_universe_get(universe, id);
        bool expired = inst->expiry_ns > 0 && inst->expiry_ns <= time_ns;
        if (id == o->main || inst->underlying_id != main->underlying_id || expired) {
            continue;
        }
        if (inst->kind != HG_KIND_OPTION) {
            rc = linear_emit(o, inst, time_ns, price, funding);
        } else if (vol_known) {
            rc = option_emit(o, inst, time_ns, hg_nano_to_double(price), hg_nano_to_double(vol));
        }
    }
    return rc;
}

int hg_ohlc_emit(hg_ohlc *o, int64_t time_ns, hg_nano price, double volume) {
    const hg_instrument *main = hg_universe_get(o->im.universe, o->main);
    bool funding = funding_moved(o, time_ns);
    o->owed += volume;
    int rc = expiries_pass(o, time_ns, price);
    if (rc == HG_OK) {
        rc = emit(o, (hg_event){.time_ns = time_ns, .kind = HG_EV_INDEX, .id = main->underlying_id},
                  price);
    }
    for (uint32_t e = 0; rc == HG_OK && e < o->expiries; e++) {
        const hg_expiry *expiry = hg_universe_expiry(o->im.universe, e);
        if (expiry->underlying == main->underlying_id && expiry->time_ns > time_ns) {
            const hg_instrument stand_in = {.expiry_ns = expiry->time_ns, .expiry_id = e};
            double forward = price_at(o, &stand_in, time_ns, hg_nano_to_double(price));
            rc = emit(o, (hg_event){.time_ns = time_ns, .kind = HG_EV_FORWARD, .id = e},
                      (hg_nano)llrint(forward * 1e9));
        }
    }
    if (rc == HG_OK) rc = linear_emit(o, main, time_ns, price, funding);
    if (rc == HG_OK) rc = trade_emit(o, time_ns, price);
    if (rc == HG_OK) rc = others_emit(o, time_ns, price, funding);
    o->last = price;
    return rc < 0 ? rc : hg_import_close(&o->im);
}
