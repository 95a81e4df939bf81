/* The explanation of the P&L: what every position earned, by cause, accrued step by step.
 *
 * A step of an underlying ends with the first update at which its spot has moved by STEP_MOVE or
 * STEP_NS have passed; a fill or a delivery ends the step of its instrument alone. So steps follow
 * from the events and from nobody's questions. Each step is explained by the Greeks at its start
 * and the moves that came true (explain_step.c); questions explain the step that is running on
 * copies.
 *
 * Invariants: per instrument the lots, flows and fees of all owners add up, in integers, to those
 * of the ledger. The P&L of a row is worth + flow + base - fees + funding at the spot of now, less
 * its first worth; what its parts do not explain is its rest, so parts and rest always add up. */
#include "base/assert.h"
#include "base/clock.h"
#include "base/pages.h"
#include "portfolio/explain_int.h"

#include <math.h>
#include <stdlib.h>

#define STEP_NS (60 * HG_NS_PER_S)
#define STEP_MOVE 0.0005 /* of the spot: some 20 s of bitcoin at a vol of 60 % */

bool hg_explain_init(hg_portfolio *p) {
    size_t instruments = hg_universe_count(p->universe);
    size_t underlyings = hg_universe_underlying_count(p->universe);
    hg_explain *x = p->explain = calloc(1, sizeof *x);
    if (!x) {
        return false;
    }
    x->rows = hg_pages_new(instruments * HG_OWNERS + 1, sizeof *x->rows);
    x->marks = hg_pages_new(instruments + 1, sizeof *x->marks);
    x->owners = calloc(instruments + 1, sizeof *x->owners);
    x->active = calloc(instruments + 1, sizeof *x->active);
    x->step = calloc(underlyings + 1, sizeof *x->step);
    x->touched = HG_ID_NONE;
    x->past = hg_explain_past_new();
    return x->rows && x->marks && x->owners && x->active && x->step && x->past;
}

void hg_explain_fini(hg_portfolio *p) {
    hg_explain *x = p->explain;
    if (x) {
        hg_pages_free(x->rows);
        hg_pages_free(x->marks);
        free(x->owners);
        free(x->active);
        free(x->step);
        hg_explain_past_free(x->past);
        free(x);
    }
    p->explain = NULL;
}

static hg_explain_row *row_use(hg_portfolio *p, const hg_instrument *inst, uint32_t owner) {
    hg_explain *x = p->explain;
    hg_assert(owner < HG_OWNERS);
    if (x->owners[inst->id] == 0) {
        hg_assert(x->count < hg_universe_count(p->universe));
        x->active[x->count++] = inst->id;
        x->step[inst->underlying_id].due = true;
    }
    x->owners[inst->id] |= UINT32_C(1) << owner;
    return hg_explain_row_at(x, inst->id, owner);
}

/* --- the steps of instruments -------------------------------------------------------------------
 */

/* Ends the step of an instrument at `to`. */
static void instrument_step(hg_portfolio *p, const hg_instrument *inst, const hg_explain_mark *to) {
    hg_explain *x = p->explain;
    hg_explain_mark *from = &x->marks[inst->id];
    hg_explain_unit unit = {0};
    if (!to->known) {
        return; /* the step goes on until its end is known */
    }
    if (from->known) {
        hg_explain_unit_of(inst, from, to, &unit);
    }
    for (uint32_t owners = x->owners[inst->id]; owners != 0; owners &= owners - 1) {
        hg_explain_row *r = hg_explain_row_at(x, inst->id, (uint32_t)__builtin_ctz(owners));
        if (from->known) {
            hg_explain_row_step(p, inst, r, from, to, &unit);
        } else { /* the first mark of all: nothing before it can be explained */
            hg_explain_row_start(inst, r, to);
            r->drift.from += hg_explain_delta(inst, to, r->lots);
            r->drift.to += hg_explain_delta(inst, to, r->lots);
        }
    }
    *from = *to;
}

static void instrument_now(hg_portfolio *p, const hg_instrument *inst, int64_t now_ns) {
    hg_explain_mark to;
    if (p->explain->owners[inst->id] != 0 && !p->holdings[inst->id].settled) {
        hg_explain_mark_read(p, inst, now_ns, &to);
        instrument_step(p, inst, &to);
    }
}

static bool is_flat(const hg_portfolio *p, uint32_t id) {
    for (uint32_t owners = p->explain->owners[id]; owners != 0; owners &= owners - 1) {
        if (hg_explain_row_at(p->explain, id, (uint32_t)__builtin_ctz(owners))->lots != 0) {
            return false;
        }
    }
    return true;
}

/* Nothing is held any more, but the money made still moves with its currency. */
static void flat_now(hg_portfolio *p, const hg_instrument *inst, int64_t now_ns) {
    hg_explain_mark to = p->explain->marks[inst->id];
    to.usd = hg_market_usd(p->market, inst->settle_id);
    to.time_ns = now_ns;
    to.known = to.known && to.usd > 0;
    instrument_step(p, inst, &to);
}

static void underlying_step(hg_portfolio *p, uint32_t underlying, double spot, int64_t now_ns) {
    hg_explain *x = p->explain;
    for (uint32_t i = 0; i < x->count; i++) {
        const hg_instrument *inst = hg_universe_get(p->universe, x->active[i]);
        if (inst->underlying_id != underlying) {
            continue;
        }
        if (x->marks[inst->id].known && is_flat(p, inst->id)) {
            flat_now(p, inst, now_ns);
        } else {
            instrument_now(p, inst, now_ns);
        }
    }
    x->step[underlying].time_ns = now_ns;
    x->step[underlying].spot = spot;
    x->step[underlying].due = false;
}

static void underlying_look(hg_portfolio *p, uint32_t underlying, int64_t now_ns) {
    hg_explain *x = p->explain;
    double spot = hg_market_underlying(p->market, underlying)->spot;
    bool moved = fabs(spot - x->step[underlying].spot) > STEP_MOVE * x->step[underlying].spot;
    bool due = x->step[underlying].due || moved || now_ns - x->step[underlying].time_ns >= STEP_NS;
    if (spot > 0 && due) {
        underlying_step(p, underlying, spot, now_ns);
    }
}

void hg_explain_observe(hg_portfolio *p, uint32_t underlying, const hg_event *e) {
    hg_explain *x = p->explain;
    if (underlying != HG_ID_NONE) {
        x->several = x->several || (x->touched != HG_ID_NONE && x->touched != underlying);
        x->touched = underlying;
    }
    if (e->flags & HG_EVF_MORE || x->touched == HG_ID_NONE) {
        return; /* inside an update prices do not belong together */
    }
    if (x->count > 0 && x->several) {
        for (uint32_t u = 0; u < hg_universe_underlying_count(p->universe); u++) {
            underlying_look(p, u, e->time_ns);
        }
    } else if (x->count > 0) {
        underlying_look(p, x->touched, e->time_ns);
    }
    x->several = false;
    x->touched = HG_ID_NONE;
    hg_explain_past_look(p, e->time_ns);
}

/* --- what changes a position ------------------------------------------------------------------ */

void hg_explain_opened(hg_portfolio *p, uint32_t id, hg_cash worth) {
    const hg_holding *h = &p->holdings[id];
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    hg_explain_row *r = row_use(p, inst, HG_OWNER_BOOK);
    bool premium = hg_is_premium(inst);
    r->lots += h->pos.opened;
    r->flow += inst->inverse && !premium ? worth : -worth;
    r->base += premium ? worth : 0;
    r->base_usd += premium ? h->first_usd : 0;
}

void hg_explain_before(hg_portfolio *p, uint32_t id, int64_t now_ns) {
    instrument_now(p, hg_universe_get(p->universe, id), now_ns);
}

/* What a fill cost against the mids and what it is worth at the mark, in USD. */
static void fill_parts(const hg_instrument *inst, const hg_explain_fill *f, hg_lots lots,
                       const hg_explain_mark *mark, double mid, hg_parts *parts) {
    double usd = mark->usd;
    double value = hg_explain_price(inst, mark);
    double at_fill = mid > 0 ? mid : f->mid > 0 ? f->mid : value;
    double at_send = f->mid > 0 ? f->mid : at_fill;
    double paid = hg_explain_worth(inst, f->price, lots);
    double fill_mid = hg_explain_worth(inst, at_fill, lots);
    double send_mid = hg_explain_worth(inst, at_send, lots);
    parts->spread += (fill_mid - paid) * usd;
    parts->slippage += (send_mid - fill_mid) * usd;
    /* From arrival on the order was to follow the market: what it missed is slippage, and what it
     * would have made is delta. */
    parts->delta += (fill_mid - send_mid) * usd;
    parts->basis += (hg_explain_worth(inst, value, lots) - fill_mid) * usd;
}

void hg_explain_after(hg_portfolio *p, uint32_t id, const hg_explain_fill *f) {
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    hg_explain *x = p->explain;
    hg_explain_row *r = row_use(p, inst, f->owner);
    hg_explain_mark *mark = &x->marks[id];
    hg_lots lots = f->side * f->lots;
    if (!mark->known) {
        hg_explain_mark_read(p, inst, f->time_ns, mark);
    }
    r->lots += lots;
    r->flow += f->flow;
    r->fees += f->fee;
    if (!mark->known) {
        return; /* all of it will be rest */
    }
    hg_parts paid = {.fees = -hg_nano_to_double(f->fee) * mark->usd};
    fill_parts(inst, f, lots, mark, hg_market_mid(p->market, id), &paid);
    hg_parts_add(&r->parts, &paid, 1);
    if (inst->inverse) {
        hg_parts_add(&r->coin_parts, &paid, 1 / mark->usd);
    }
    hg_explain_row_start(inst, r, mark);
    double delta = hg_explain_delta(inst, mark, lots);
    r->drift.trades += delta;
    r->drift.to += delta;
}

/* Pro rata to the lots of each owner, and to the first of them what rounding leaves. */
void hg_explain_funding(hg_portfolio *p, uint32_t id, hg_cash amount, int64_t now_ns) {
    hg_explain *x = p->explain;
    double left = hg_nano_to_double(amount);
    for (uint32_t owners = x->owners[id]; owners != 0; owners &= owners - 1) {
        hg_explain_row *r = hg_explain_row_at(x, id, (uint32_t)__builtin_ctz(owners));
        double part = hg_explain_funding_running(p, id, r->lots, now_ns);
        r->funding += part;
        left -= part;
    }
    if (x->owners[id] != 0) {
        hg_explain_row_at(x, id, (uint32_t)__builtin_ctz(x->owners[id]))->funding += left;
    }
}

/* Before the ledger delivers: the last step ends at the delivery price. */
void hg_explain_delivering(hg_portfolio *p, uint32_t id, hg_nano price, int64_t now_ns) {
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    hg_explain_mark to;
    if (p->explain->owners[id] != 0) {
        hg_explain_mark_delivered(p, inst, price, now_ns, &to);
        instrument_step(p, inst, &to);
    }
}

/* `flow` and `fee` are the ledger's for the whole position. */
void hg_explain_delivered(hg_portfolio *p, uint32_t id, hg_nano price, hg_cash flow, hg_cash fee) {
    hg_explain *x = p->explain;
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    hg_lots gross = 0;
    for (uint32_t owners = x->owners[id]; owners != 0; owners &= owners - 1) {
        gross += llabs(hg_explain_row_at(x, id, (uint32_t)__builtin_ctz(owners))->lots);
    }
    hg_cash fee_left = fee;
    hg_explain_row *first = NULL;
    for (uint32_t owners = x->owners[id]; owners != 0; owners &= owners - 1) {
        hg_explain_row *r = hg_explain_row_at(x, id, (uint32_t)__builtin_ctz(owners));
        hg_cash worth = 0;
        hg_cash charged = 0;
        if (r->lots != 0 && hg_delivery_worth(inst, price, r->lots, &worth) &&
            hg_muldiv(fee, llabs(r->lots), gross, &charged)) {
            worth = inst->inverse && !hg_is_premium(inst) ? -worth : worth;
            r->flow += worth;
            r->fees += charged;
            r->parts.fees -= hg_nano_to_double(charged) * x->marks[id].usd;
            r->coin_parts.fees -= inst->inverse ? hg_nano_to_double(charged) : 0;
            flow -= worth;
            fee_left -= charged;
        }
        r->lots = 0;
        first = first ? first : r;
    }
    if (first) { /* rounding of the shares */
        first->flow += flow;
        first->fees += fee_left;
    }
    for (uint32_t owners = x->owners[id]; owners != 0; owners &= owners - 1) {
        hg_explain_row_start(inst, hg_explain_row_at(x, id, (uint32_t)__builtin_ctz(owners)),
                             &x->marks[id]);
    }
}
