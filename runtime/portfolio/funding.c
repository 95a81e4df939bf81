/* Funding: accrued continuously, booked when rate or position change and at 08:00 UTC.
 *
 * Funding accrues continuously: payment = rate * value of the position * dt / 8 h, longs pay when
 * the rate is positive (Deribit: "accrues every ms, booked at 08:00 UTC, no fee"). Value is that at
 * the perpetual's mark (its mid while there is no mark): inverse contracts size/price in coin,
 * linear ones size*price. The price in force is the last one told by the instrument's own events,
 * so what is accrued follows from the events alone and never from when somebody asked. Sums are
 * exact: what is below one unit is carried.
 */
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "portfolio/explain_int.h"

#include <math.h>
#include <stdlib.h>

#define FUNDING_PERIOD_NS (8 * HG_NS_PER_HOUR)
#define SETTLEMENT_HOUR 8
#define RATE_MAX HG_NANO /* 100 % per 8 h: anything above is a broken feed */

/* One unit of cash in units of value * rate * ns. */
static const hg_wide scale = (hg_wide)HG_NANO * FUNDING_PERIOD_NS;

/* Whole units of value * rate * dt plus the rest carried so far; the new rest is left there. */
static hg_cash accrue(hg_cash value, hg_nano rate, int64_t dt_ns, hg_wide *rest) {
    hg_wide speed = (hg_wide)value * rate;
    hg_wide total = 0;
    if (__builtin_mul_overflow(speed, (hg_wide)dt_ns, &total) ||
        __builtin_add_overflow(total, *rest, &total)) {
        /* Beyond 10^38: drop nine digits that no balance can hold anyway. */
        total = speed / HG_NANO * dt_ns;
        *rest = 0;
        return (hg_cash)(total / FUNDING_PERIOD_NS);
    }
    *rest = total % scale;
    return (hg_cash)(total / scale);
}

/* Longs pay: the holder of a positive value loses value * rate. */
static hg_cash segment(const hg_portfolio *p, uint32_t id, int64_t now_ns, hg_wide *rest,
                       hg_cash *value) {
    const hg_holding *h = &p->holdings[id];
    *value = 0;
    if (h->pos.lots == 0 || h->rate == 0 || h->funding_price == 0 || now_ns <= h->funding_ns ||
        !hg_value(hg_universe_get(p->universe, id), h->funding_price, h->pos.lots, value)) {
        return 0;
    }
    return accrue(-*value, h->rate, now_ns - h->funding_ns, rest);
}

hg_cash hg_funding_open(const hg_portfolio *p, uint32_t id, int64_t now_ns) {
    hg_wide rest = p->holdings[id].rest;
    hg_cash value = 0;
    return p->holdings[id].accrued + segment(p, id, now_ns, &rest, &value);
}

void hg_funding_accrue(hg_portfolio *p, uint32_t id, int64_t now_ns) {
    hg_holding *h = &p->holdings[id];
    hg_cash value = 0;
    hg_cash amount = segment(p, id, now_ns, &h->rest, &value);
    if (value != 0) {
        h->booked_ns = h->value_ns == 0 ? h->funding_ns : h->booked_ns;
        h->value_ns += (hg_wide)value * (now_ns - h->funding_ns);
    }
    hg_add(h->accrued, amount, &h->accrued);
    hg_explain_funding(p, id, amount, now_ns);
    /* Without a price the segment stays open: it is paid once the first price is known. */
    bool waiting = h->pos.lots != 0 && h->rate != 0 && h->funding_price == 0;
    if (!waiting && now_ns > h->funding_ns) {
        h->funding_ns = now_ns;
    }
}

/* What the position was worth in the mean of the time an amount is for. */
static hg_cash mean_value(const hg_holding *h) {
    hg_wide span = (hg_wide)h->funding_ns - h->booked_ns;
    hg_cash mean = 0;
    return span > 0 && hg_wide_narrow(hg_wide_divide(h->value_ns, span), &mean) ? mean : 0;
}

void hg_funding_book(hg_portfolio *p, uint32_t id) {
    hg_holding *h = &p->holdings[id];
    hg_funding_note note = {.lots = h->pos.lots,
                            .rate = h->rate,
                            .amount = h->accrued,
                            .since_ns = h->booked_ns,
                            .until_ns = h->funding_ns,
                            .value = mean_value(h)};
    h->value_ns = 0;
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    hg_purse *purse = &p->purses[inst->settle_id];
    hg_cash amount = h->accrued;
    hg_cash total = 0;
    hg_cash purse_total = 0;
    if (amount == 0) {
        return;
    }
    if (!hg_cash_fits(p, inst->settle_id, amount) || !hg_add(h->pos.funding, amount, &total) ||
        !hg_add(purse->funding, amount, &purse_total)) {
        hg_log(HG_LOG_ERROR, "funding of %s does not fit the balance: not booked", inst->name);
        return;
    }
    h->accrued = 0;
    h->pos.funding = total;
    purse->funding = purse_total;
    const hg_portfolio_observer *o = &p->options.observer;
    if (o->funding) {
        o->funding(o->context, id, &note);
    }
    hg_cash_move(p, inst->settle_id, amount, HG_CASH_FUNDING);
}

/* The price of the next segment, from the instrument's own mark or mid. */
void hg_funding_reprice(hg_portfolio *p, uint32_t id) {
    const hg_market_state *state = hg_market_get(p->market, id);
    hg_nano price = state->mark;
    if (price <= 0 && !hg_nano_from_double(hg_market_mid(p->market, id), &price)) {
        return;
    }
    if (price > 0) {
        p->holdings[id].funding_price = price;
    }
}

static void on_price(hg_portfolio *p, const hg_event *e) {
    hg_holding *h = &p->holdings[e->id];
    if (h->rate == 0 || h->pos.lots == 0) {
        return;
    }
    if (e->kind == HG_EV_QUOTE && hg_market_get(p->market, e->id)->mark > 0) {
        return; /* the mark rules */
    }
    bool first = h->funding_price == 0;
    if (!first) {
        hg_funding_accrue(p, e->id, e->time_ns);
    }
    hg_funding_reprice(p, e->id);
}

static void on_rate(hg_portfolio *p, const hg_event *e) {
    hg_holding *h = &p->holdings[e->id];
    const hg_instrument *inst = hg_universe_get(p->universe, e->id);
    hg_nano rate = e->price.value;
    if (inst->kind != HG_KIND_PERPETUAL || rate > RATE_MAX || rate < -RATE_MAX) {
        return;
    }
    hg_funding_accrue(p, e->id, e->time_ns);
    if (rate != h->rate) {
        hg_funding_book(p, e->id);
        h->rate = rate;
        h->funding_ns = e->time_ns;
    }
    hg_funding_reprice(p, e->id);
}

static int64_t booking_after(int64_t time_ns) {
    int64_t offset = SETTLEMENT_HOUR * HG_NS_PER_HOUR;
    int64_t days = (time_ns - offset) / HG_NS_PER_DAY;
    return (days + 1) * HG_NS_PER_DAY + offset;
}

static void daily_booking(hg_portfolio *p, int64_t now_ns) {
    int64_t boundary = booking_after(now_ns) - HG_NS_PER_DAY;
    for (uint32_t i = 0; p->next_booking_ns > 0 && i < p->held_count; i++) {
        hg_funding_accrue(p, p->held[i], boundary);
        hg_funding_book(p, p->held[i]);
        hg_settle_daily(p, p->held[i], boundary, now_ns);
    }
    p->next_booking_ns = boundary + HG_NS_PER_DAY;
    hg_assert(p->next_booking_ns > now_ns);
}

static uint32_t underlying_of(const hg_portfolio *p, const hg_event *e) {
    if (e->kind == HG_EV_INDEX) {
        return e->id < hg_universe_underlying_count(p->universe) ? e->id : HG_ID_NONE;
    }
    if (e->kind == HG_EV_FORWARD) {
        return e->id < hg_universe_expiry_count(p->universe)
                   ? hg_universe_expiry(p->universe, e->id)->underlying
                   : HG_ID_NONE;
    }
    return e->kind <= HG_EV_STATUS && e->id < hg_universe_count(p->universe)
               ? hg_universe_get(p->universe, e->id)->underlying_id
               : HG_ID_NONE;
}

void hg_portfolio_observe(hg_portfolio *p, const hg_event *e) {
    hg_assert(p && e);
    if (e->time_ns >= p->next_booking_ns) {
        daily_booking(p, e->time_ns);
    }
    p->start_ns = p->start_ns ? p->start_ns : e->time_ns;
    bool known = e->id < hg_universe_count(p->universe);
    if (known && e->kind != HG_EV_INDEX && e->kind != HG_EV_FORWARD && e->kind <= HG_EV_STATUS) {
        const hg_instrument *inst = hg_universe_get(p->universe, e->id);
        p->books[inst->underlying_id].option_events += inst->kind == HG_KIND_OPTION;
    }
    switch (e->kind) {
    case HG_EV_QUOTE:
    case HG_EV_MARK:
        if (known) {
            on_price(p, e);
        }
        break;
    case HG_EV_FUNDING:
        if (known) {
            on_rate(p, e);
        }
        break;
    case HG_EV_SETTLE:
        if (known) {
            hg_deliver(p, e);
        }
        break;
    default:
        break;
    }
    /* A mark inside a larger update may still stand on an old forward: wait for its end. */
    if ((p->unmarked > 0 || p->deposits_due) && !(e->flags & HG_EVF_MORE)) {
        hg_first_marks(p, e->time_ns);
    }
    hg_explain_observe(p, underlying_of(p, e), e);
}
