/* What things are worth now: forwards, vols and marks moved to the spot of this moment.
 *
 * Feeds do not tell everything at once: an index comes each second, an option's mark when it
 * changes. Between observations a forward keeps its ratio to the spot, an option keeps its vol
 * (sticky strike), a future keeps its basis. Nothing here is ever negative or not finite. */
#include "base/clock.h"
#include "domain/delivery.h"
#include "greeks/black76.h"
#include "market/market_int.h"

#include <math.h>

/* A recorded mark is believed as it is while nothing newer is known about the spot. */
#define MARK_FRESH_NS (60 * HG_NS_PER_S)

double hg_market_years(int64_t expiry_ns, int64_t now_ns) {
    return hg_delivery_years(expiry_ns, now_ns);
}

double hg_market_mid(const hg_market *m, uint32_t id) {
    const hg_market_state *s = &m->states[id];
    if (s->quote.bid_size <= 0 || s->quote.ask_size <= 0 || s->quote.bid > s->quote.ask ||
        s->book_invalid) {
        return 0;
    }
    const hg_instrument *inst = hg_universe_get(m->universe, id);
    return (double)(s->quote.bid + s->quote.ask) * (double)inst->tick / 2e9;
}

/* `value` seen when the spot was `then`, moved to the spot of now. */
static double move(double value, double then, bool then_index, const hg_market_spot *spot) {
    bool comparable = then > 0 && spot->spot > 0 && then_index == spot->from_index;
    return comparable ? value * (spot->spot / then) : value;
}

/* A forward outside the window. */
static double plain_forward(const hg_market *m, uint32_t expiry_id, int64_t *time_ns) {
    const hg_forward_state *f = &m->forwards[expiry_id];
    const hg_market_spot *spot = &m->spots[hg_universe_expiry(m->universe, expiry_id)->underlying];
    double forward = 0;
    int64_t seen = spot->time_ns;
    if (f->forward > 0) {
        bool moved = f->spot > 0 && f->spot_from_index == spot->from_index;
        forward = move(f->forward, f->spot, f->spot_from_index, spot);
        seen = moved ? spot->time_ns : f->time_ns;
    } else if (f->future != HG_ID_NONE && hg_market_mid(m, f->future) > 0) {
        forward = hg_market_mid(m, f->future);
        seen = m->states[f->future].quote.time_ns;
    } else {
        forward = spot->spot;
    }
    *time_ns = seen;
    return forward;
}

/* Inside the window: what is fixed of the delivery price does not move any more. */
static double expected_delivery(const hg_market *m, uint32_t expiry_id, double open,
                                int64_t *time_ns) {
    const hg_forward_state *f = &m->forwards[expiry_id];
    const hg_expiry *expiry = hg_universe_expiry(m->universe, expiry_id);
    const hg_market_spot *spot = &m->spots[expiry->underlying];
    bool told = f->forward > 0 && f->time_ns >= expiry->time_ns - HG_DELIVERY_WINDOW_NS;
    if (told) {
        bool moved = f->spot > 0 && f->spot_from_index == spot->from_index;
        *time_ns = moved ? spot->time_ns : f->time_ns;
        return f->forward + (moved ? open * (spot->spot - f->spot) : 0);
    }
    double forward = plain_forward(m, expiry_id, time_ns);
    if (!(spot->spot > 0) || (f->forward <= 0 && forward != spot->spot)) {
        return forward; /* a future's own quotes know the mean */
    }
    double fixed = hg_market_fixed(m, expiry_id, spot->spot, m->now_ns);
    return (1 - open) * fixed + open * forward;
}

double hg_market_forward(const hg_market *m, uint32_t expiry_id, int64_t *time_ns) {
    int64_t seen = 0;
    double open = hg_delivery_open(hg_universe_expiry(m->universe, expiry_id)->time_ns, m->now_ns);
    double forward = open < 1 ? expected_delivery(m, expiry_id, open, &seen)
                              : plain_forward(m, expiry_id, &seen);
    if (time_ns) {
        *time_ns = seen;
    }
    return forward;
}

/* Vol implied from the anchor of an option, computed once per observation. */
static double implied(const hg_market *m, const hg_instrument *inst) {
    hg_anchor *a = &m->anchors[inst->id];
    if (a->implied_due) {
        a->implied_due = false;
        a->implied = 0;
        double years = hg_market_years(inst->expiry_ns, a->price_ns);
        double price = inst->inverse ? a->price * a->forward : a->price;
        double sigma = 0;
        if (a->forward > 0 && years > 0 && price > 0 &&
            hg_implied_vol(price, a->forward, hg_nano_to_double(inst->strike), years, inst->cp, 0,
                           &sigma) == 0 &&
            sigma > 0) {
            a->implied = sigma;
        }
    }
    return a->implied;
}

/* A vol told with a mark is the spot's. An exchange quotes it for the whole time instead, which in
 * the last hours before a delivery at a mean is another number: where that is what explains its
 * price, it is turned into the spot's, so that the price is met. */
static double told_iv(const hg_market *m, uint32_t id, double iv) {
    const hg_instrument *inst = hg_universe_get(m->universe, id);
    hg_anchor *a = &m->anchors[id];
    double clock = hg_delivery_clock(inst->expiry_ns, a->price_ns);
    double years = hg_delivery_years(inst->expiry_ns, a->price_ns);
    if (years == clock || !(years > 0)) {
        return iv;
    }
    if (a->implied_due) {
        double strike = hg_nano_to_double(inst->strike);
        double price = inst->inverse ? a->price * a->forward : a->price;
        double spot = 0;
        double whole = 0;
        bool known = price > 0 && a->forward > 0 &&
                     hg_black76_price(a->forward, strike, years, iv, inst->cp, 0, &spot) == 0 &&
                     hg_black76_price(a->forward, strike, clock, iv, inst->cp, 0, &whole) == 0;
        bool for_whole = known && fabs(price - whole) < fabs(price - spot);
        a->implied_due = false;
        a->implied = for_whole ? iv * sqrt(clock / years) : iv;
    }
    return a->implied;
}

static hg_iv_source own_iv(const hg_market *m, uint32_t id, double *iv, int64_t *time_ns) {
    const hg_market_state *s = &m->states[id];
    if (s->iv > 0) {
        *iv = told_iv(m, id, hg_nano_to_double(s->iv));
        *time_ns = s->mark_ns;
        return HG_IV_MARK;
    }
    if (m->anchors[id].price_ns > 0) {
        double sigma = implied(m, hg_universe_get(m->universe, id));
        if (sigma > 0) {
            *iv = sigma;
            *time_ns = m->anchors[id].price_ns;
            return HG_IV_IMPLIED;
        }
    }
    return HG_IV_NONE;
}

/* Whether the option at `hi` (above) is nearer in log-strike than the one at `lo` (below). */
static bool upper_is_nearer(const hg_market *m, const hg_instrument *inst, uint32_t lo,
                            uint32_t hi) {
    double up = (double)hg_universe_get(m->universe, m->by_expiry[hi])->strike;
    double down = (double)hg_universe_get(m->universe, m->by_expiry[lo])->strike;
    double strike = (double)inst->strike;
    return up * down < strike * strike;
}

/* The nearest strike of the expiry that has a vol of its own: outward from the option's place. */
static hg_iv_source neighbour_iv(const hg_market *m, const hg_instrument *inst, double *iv,
                                 int64_t *time_ns) {
    const hg_forward_state *f = &m->forwards[inst->expiry_id];
    uint32_t end = f->first + f->count;
    uint32_t hi = m->anchors[inst->id].place + 1;
    uint32_t below = m->anchors[inst->id].place; /* options first .. below - 1 are not tried yet */
    while (below > f->first || hi < end) {
        bool up = hi < end && (below == f->first || upper_is_nearer(m, inst, below - 1, hi));
        uint32_t id = m->by_expiry[up ? hi++ : --below];
        if (own_iv(m, id, iv, time_ns) != HG_IV_NONE) {
            return HG_IV_NEIGHBOUR;
        }
    }
    return HG_IV_NONE;
}

hg_iv_source hg_market_iv(const hg_market *m, uint32_t id, double *iv, int64_t *time_ns) {
    int64_t seen = 0;
    hg_iv_source source = own_iv(m, id, iv, &seen);
    if (source == HG_IV_NONE) {
        source = neighbour_iv(m, hg_universe_get(m->universe, id), iv, &seen);
    }
    if (source == HG_IV_NONE) {
        *iv = HG_IV_ASSUMED;
        seen = 0;
    }
    if (time_ns) {
        *time_ns = seen;
    }
    return source;
}

static double settled_value(const hg_instrument *inst, double price) {
    if (inst->kind != HG_KIND_OPTION) {
        return price;
    }
    double payoff = (price - hg_nano_to_double(inst->strike)) * inst->cp;
    payoff = payoff > 0 ? payoff : 0;
    return inst->inverse ? payoff / price : payoff;
}

static double option_mark(const hg_market *m, const hg_instrument *inst, int64_t now_ns) {
    double sigma = 0;
    double price = 0;
    double forward = hg_market_forward(m, inst->expiry_id, NULL);
    double years = hg_market_years(inst->expiry_ns, now_ns);
    if (forward <= 0 || hg_market_iv(m, inst->id, &sigma, NULL) == HG_IV_NONE ||
        hg_black76_price(forward, hg_nano_to_double(inst->strike), years, sigma, inst->cp, 0,
                         &price) < 0) {
        return hg_nano_to_double(m->states[inst->id].mark);
    }
    return inst->inverse ? price / forward : price;
}

static double linear_mark(const hg_market *m, const hg_instrument *inst) {
    const hg_market_state *s = &m->states[inst->id];
    const hg_market_spot *spot = &m->spots[inst->underlying_id];
    if (s->mark > 0) {
        const hg_anchor *a = &m->anchors[inst->id];
        double mark = hg_nano_to_double(s->mark);
        double open = hg_delivery_open(inst->expiry_ns, m->now_ns);
        return mark + open * (move(mark, a->spot, a->spot_from_index, spot) - mark);
    }
    double mid = hg_market_mid(m, inst->id);
    if (mid > 0) {
        return mid;
    }
    return inst->kind == HG_KIND_FUTURE ? hg_market_forward(m, inst->expiry_id, NULL) : spot->spot;
}

double hg_market_mark(const hg_market *m, uint32_t id, int64_t now_ns) {
    const hg_instrument *inst = hg_universe_get(m->universe, id);
    const hg_market_state *s = &m->states[id];
    if (s->settled) {
        return settled_value(inst, hg_nano_to_double(s->settle));
    }
    bool fresh = s->mark_ns >= m->spots[inst->underlying_id].time_ns &&
                 now_ns - s->mark_ns <= MARK_FRESH_NS;
    if (s->mark > 0 && fresh) {
        return hg_nano_to_double(s->mark);
    }
    return inst->kind == HG_KIND_OPTION ? option_mark(m, inst, now_ns) : linear_mark(m, inst);
}

double hg_market_usd(const hg_market *m, uint32_t currency) {
    const hg_currency *c = hg_universe_currency(m->universe, currency);
    if (c->stable) {
        return 1;
    }
    return c->underlying == HG_ID_NONE ? 0 : m->spots[c->underlying].spot;
}
