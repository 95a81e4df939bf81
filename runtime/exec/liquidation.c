/* Liquidation, round by round. The orders go the way of all orders and come back as events, so the
 * ledger books them like any other; they only do not pass the gate, which guards the account's
 * owner and not the venue. */
#include "exec/liquidation.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/text.h"
#include "exec/exec_int.h"

#include <math.h>
#include <stdlib.h>

#define ROUND_NS HG_NS_PER_S
#define FUTURE_BAND 0.05 /* how far through the mark a slice may trade */
#define OPTION_BAND 0.05 /* of one coin */
#define WAIT_ROUNDS 3    /* for the owner's orders to be gone before the first slice */

typedef struct {
    bool active;
    bool bankrupt; /* told once */
    int64_t since_ns;
    uint32_t rounds; /* since then */
    uint64_t order;  /* in flight, 0 none */
} account_state;

struct hg_liquidation {
    hg_exec *exec;
    hg_margin *margin;
    hg_liquidation_observer observer;
    account_state *accounts; /* by currency */
    uint32_t count;
    int64_t due_ns;
};

const char *hg_liquidation_phase_name(hg_liquidation_phase phase) {
    static const char *const names[] = {"start", "order", "end", "bankrupt"};
    hg_assert(phase <= HG_LIQUIDATION_BANKRUPT);
    return names[phase];
}

hg_liquidation *hg_liquidation_new(hg_exec *exec, hg_margin *margin,
                                   const hg_liquidation_observer *observer) {
    hg_liquidation *l = calloc(1, sizeof *l);
    uint32_t count = hg_universe_currency_count(exec->universe);
    account_state *accounts = calloc(count ? count : 1, sizeof *accounts);
    if (!l || !accounts) {
        free(accounts);
        free(l);
        return NULL;
    }
    *l = (hg_liquidation){.exec = exec,
                          .margin = margin,
                          .observer = *observer,
                          .accounts = accounts,
                          .count = count,
                          .due_ns = INT64_MAX};
    return l;
}

void hg_liquidation_free(hg_liquidation *l) {
    if (l) {
        free(l->accounts);
        free(l);
    }
}

void hg_liquidation_touch(hg_liquidation *l, int64_t now_ns) {
    if (l->due_ns == INT64_MAX) {
        l->due_ns = (now_ns / ROUND_NS + 1) * ROUND_NS;
    }
}

int64_t hg_liquidation_due_ns(const hg_liquidation *l) {
    return l->due_ns;
}

bool hg_liquidation_active(const hg_liquidation *l, uint32_t currency) {
    return l->accounts[currency].active;
}

hg_cash hg_liquidation_fee(const hg_market *market, const hg_instrument *inst, hg_ticks price,
                           hg_lots lots) {
    hg_instrument terms = *inst;
    hg_nano nano = 0;
    hg_nano spot = 0;
    hg_cash fee = 0;
    terms.taker = inst->margin.liquidation;
    terms.fee_cap = 0; /* the cap is one of trading fees */
    bool known = hg_muldiv(price, inst->tick, 1, &nano) &&
                 hg_nano_from_double(hg_market_underlying(market, inst->underlying_id)->spot,
                                     &spot) &&
                 hg_fee(&terms, nano, lots, false, spot, &fee);
    return known ? fee : 0;
}

/* ---- rounds ---------------------------------------------------------------------------------- */

static void tell(const hg_liquidation *l, const hg_margin_account *a, hg_liquidation_note note) {
    note.currency = a->currency;
    note.equity = a->equity;
    note.margin_balance = a->margin_balance;
    note.maintenance = a->maintenance;
    if (l->observer.note) {
        l->observer.note(l->observer.context, &note);
    }
}

static bool settles_in(const hg_exec *exec, uint32_t instrument, uint32_t currency) {
    return hg_universe_get(exec->universe, instrument)->settle_id == currency;
}

/* Cancels every order of the account; returns how many of those sent by `since` are still open. It
 * is the venue that cancels: no rate limit of the owner's delays it. Orders sent later are refused
 * when they arrive, so nothing has to wait for them. */
static uint32_t cancel_orders(hg_exec *exec, uint32_t currency, int64_t since_ns, int64_t now_ns) {
    uint32_t open = 0;
    uint32_t next = HG_SLOT_NONE;
    for (uint32_t i = exec->first_open; i != HG_SLOT_NONE; i = next) {
        hg_slot *slot = &exec->slots[i];
        const hg_order *order = &slot->order;
        next = slot->next;
        if (!order->liquidation && settles_in(exec, order->instrument, currency)) {
            open += order->created_ns <= since_ns;
            if (hg_exec_cancel_slot(exec, slot, HG_REJECT_MARGIN, now_ns) < 0) {
                hg_error_clear();
            }
        }
    }
    return open;
}

/* As far as a slice may trade through the mark, in ticks. */
static hg_ticks limit_of(const hg_instrument *inst, const hg_margin_slice *s) {
    double band = inst->kind != HG_KIND_OPTION ? s->mark * FUTURE_BAND
                  : inst->inverse              ? OPTION_BAND
                                               : OPTION_BAND * s->spot;
    double price = s->mark + (s->side == HG_BUY ? band : -band);
    hg_ticks ticks = hg_price_round(inst, price, s->side == HG_BUY ? 1 : -1);
    hg_ticks least = hg_instrument_step(inst, 1);
    return ticks > least ? ticks : least;
}

/* An order of the venue: past the gate, owned by no strategy. 0 when it could not be sent. */
static uint64_t send_slice(hg_exec *exec, const hg_margin_slice *s, int64_t now_ns) {
    hg_slot *slot = hg_slot_take(exec);
    if (!slot) {
        return 0;
    }
    hg_order *order = &slot->order;
    order->instrument = s->instrument;
    order->strategy = HG_STRATEGY_ANY;
    order->side = (int8_t)s->side;
    order->type = HG_TYPE_MARKET;
    order->tif = HG_TIF_IOC;
    order->liquidation = true;
    order->price = limit_of(hg_universe_get(exec->universe, s->instrument), s);
    order->size = s->lots;
    order->mid = hg_market_mid(exec->market, s->instrument);
    order->created_ns = order->updated_ns = now_ns;
    hg_text_copy(order->reason, sizeof order->reason, "liquidation");
    uint32_t underlying = hg_universe_get(exec->universe, s->instrument)->underlying_id;
    const hg_exposure *x = hg_portfolio_exposure(exec->portfolio, underlying, now_ns);
    hg_lots lots = s->side == HG_BUY ? s->lots : -s->lots;
    order->delta_before = x->delta;
    order->pending_lo = x->pending_lo;
    order->pending_hi = x->pending_hi;
    order->age_ms = x->age_s * 1e3;
    order->delta_after = x->delta +
                         hg_portfolio_delta_of(exec->portfolio, s->instrument, lots, now_ns);
    order->state = HG_ORDER_SENT;
    slot->sent = true;
    hg_slot_open(exec, slot);
    hg_slot_settle(exec, slot);
    if (exec->venue->ops->submit(exec->venue, order, now_ns) < 0) {
        order->state = HG_ORDER_REJECTED;
        hg_slot_settle(exec, slot);
        slot->sent = false;
        hg_error_clear();
        return 0;
    }
    exec->stats.orders++;
    hg_exec_hash(exec, order, NULL);
    hg_exec_tell(exec, order);
    return order->id;
}

static bool in_flight(const hg_liquidation *l, const account_state *state) {
    const hg_order *order = state->order ? hg_exec_get(l->exec, state->order) : NULL;
    return order && !hg_order_state_done((hg_order_state)order->state);
}

static void reduce(hg_liquidation *l, const hg_margin_account *a, int64_t now_ns) {
    account_state *state = &l->accounts[a->currency];
    hg_margin_slice s;
    if (in_flight(l, state) || !hg_margin_slice_of(l->margin, a->currency, now_ns, &s)) {
        return;
    }
    hg_liquidation_note note = {
        .phase = HG_LIQUIDATION_ORDER, .instrument = s.instrument, .side = s.side, .lots = s.lots};
    hg_margin_account before = *a;
    state->order = send_slice(l->exec, &s, now_ns);
    note.order = state->order;
    if (state->order) {
        tell(l, &before, note);
    }
}

static void judge(hg_liquidation *l, const hg_margin_account *a, int64_t now_ns) {
    account_state *state = &l->accounts[a->currency];
    bool breached = hg_margin_breached(a);
    if (!breached && state->active) {
        state->active = false;
        tell(l, a, (hg_liquidation_note){.phase = HG_LIQUIDATION_END, .instrument = HG_ID_NONE});
    }
    bool ruined = a->known && a->maintenance == 0 && a->equity < 0;
    if (ruined && !state->bankrupt) {
        tell(l, a,
             (hg_liquidation_note){.phase = HG_LIQUIDATION_BANKRUPT, .instrument = HG_ID_NONE});
    }
    state->bankrupt = ruined;
    if (!breached) {
        return;
    }
    bool first = !state->active;
    state->active = true;
    state->since_ns = first ? now_ns : state->since_ns;
    state->rounds = first ? 0 : state->rounds + 1;
    uint32_t open = cancel_orders(l->exec, a->currency, state->since_ns, now_ns);
    if (first) {
        tell(l, a,
             (hg_liquidation_note){
                 .phase = HG_LIQUIDATION_START, .instrument = HG_ID_NONE, .cancelled = open});
    }
    if (open == 0 || state->rounds >= WAIT_ROUNDS) {
        reduce(l, a, now_ns);
    }
}

void hg_liquidation_step(hg_liquidation *l, int64_t now_ns) {
    bool again = false;
    l->due_ns = INT64_MAX;
    for (uint32_t c = 0; c < l->count; c++) {
        hg_margin_account a = hg_margin_accounts(l->margin, now_ns)[c];
        if (a.used) {
            judge(l, &a, now_ns);
        }
        again = again || l->accounts[c].active;
    }
    if (again) {
        l->due_ns = now_ns + ROUND_NS;
    }
}

bool hg_liquidation_admits(void *context, uint64_t id, uint32_t instrument, hg_side side,
                           hg_ticks price, hg_lots lots, int64_t now_ns) {
    hg_liquidation *l = context;
    const hg_instrument *inst = hg_universe_get(l->exec->universe, instrument);
    const hg_order *order = hg_exec_get(l->exec, id);
    if (order && order->liquidation) {
        return true; /* sent by the venue itself, however late it arrives */
    }
    if (l->accounts[inst->settle_id].active) {
        return false;
    }
    return hg_margin_admits(l->margin, instrument, side, lots, hg_price_to_double(inst, price),
                            now_ns);
}
