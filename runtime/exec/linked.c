/* Orders that belong together.
 *
 * A pair (one cancels other): when one trades or ends, the other is cancelled; Deribit's first_hit
 * and oco_other_closed. A venue without pairs leaves a moment in which both may trade: that is
 * booked, and told as the alarm both_filled.
 *
 * A bracket: an entry with a take-profit and a stop. The exits together are at all times sized by
 * what the entry has filled and they have not closed (Deribit's `incremental`). Where the position
 * is theirs to close they are reduce-only, which the venue enforces: then the stop goes out at
 * once, with the take-profit's cancel still on its way, and both together close once. Where the
 * account holds more than the bracket (or less), reduce-only would not keep them from closing twice
 * (or from closing at all): there the stop waits until the take-profit is known to have ended.
 *
 * An exit that the strategy cancels itself is not placed again. What the venue could not do (down,
 * busy, too many requests, no size to trade with) is asked for again each second. What cannot be
 * placed is an alarm: the position is unprotected. */
#include "base/assert.h"
#include "base/text.h"
#include "exec/exec_int.h"

#include <math.h>
#include <stdio.h>

/* --- checks ----------------------------------------------------------------------------------- */

static bool exit_sound(const hg_exit *e, bool take) {
    bool known = take ? e->type == HG_TYPE_LIMIT || e->type == HG_TYPE_TAKE ||
                            e->type == HG_TYPE_TAKE_LIMIT
                      : e->type == HG_TYPE_STOP || e->type == HG_TYPE_STOP_LIMIT ||
                            e->type == HG_TYPE_TRAILING;
    bool limit = e->type == HG_TYPE_LIMIT || e->type == HG_TYPE_TAKE_LIMIT ||
                 e->type == HG_TYPE_STOP_LIMIT;
    bool trigger = e->type != HG_TYPE_LIMIT && e->type != HG_TYPE_TRAILING;
    bool trail = e->type == HG_TYPE_TRAILING;
    return !e->wanted || (known && (!limit || (e->price > 0 && isfinite(e->price))) &&
                          (!trigger || (e->trigger_price > 0 && isfinite(e->trigger_price))) &&
                          (!trail || (e->trail > 0) != (e->trail_fraction > 0)));
}

static hg_reject check_bracket(const hg_order_request *r, hg_refusal *refusal) {
    const hg_exit *take = &r->bracket->take;
    const hg_exit *stop = &r->bracket->stop;
    if (!(take->wanted || stop->wanted) || !exit_sound(take, true) || !exit_sound(stop, false)) {
        return hg_refuse(refusal, HG_REJECT_BAD_REQUEST, NAN, NAN,
                         "a bracket needs a take-profit or a stop, each with its price");
    }
    double out = take->type == HG_TYPE_LIMIT ? take->price : take->trigger_price;
    bool both = take->wanted && stop->wanted && stop->type != HG_TYPE_TRAILING;
    if (both && stop->trigger != HG_TRIGGER_INDEX && take->trigger != HG_TRIGGER_INDEX &&
        !(r->side == HG_BUY ? out > stop->trigger_price : out < stop->trigger_price)) {
        return hg_refuse(refusal, HG_REJECT_TRIGGER_PRICE, out, stop->trigger_price,
                         "a bracket around a %s takes its profit %s its stop",
                         hg_side_name(r->side), r->side == HG_BUY ? "above" : "below");
    }
    return HG_REJECT_NONE;
}

static uint32_t bracket_free(const hg_exec *exec) {
    for (uint32_t i = 0; i < exec->bracket_count; i++) {
        if (!exec->brackets[i].used) {
            return i;
        }
    }
    return exec->bracket_count < HG_BRACKETS_MAX ? exec->bracket_count : UINT32_MAX;
}

hg_reject hg_linked_check(hg_exec *exec, const hg_order_request *r, hg_refusal *refusal) {
    if (r->oco != 0) {
        const hg_slot *other = hg_slot_find(exec, r->oco);
        bool fits = other && hg_slot_is_open(other) && other->order.strategy == r->strategy &&
                    other->order.oco == 0 && other->bracket == 0 && !r->bracket &&
                    !other->order.cancel_pending && other->order.filled == 0;
        if (!fits) {
            return hg_refuse(refusal, HG_REJECT_OCO, NAN, NAN,
                             "order %llu cannot be paired: it must be open, unfilled and single",
                             (unsigned long long)r->oco);
        }
    }
    if (!r->bracket) {
        return HG_REJECT_NONE;
    }
    if (bracket_free(exec) == UINT32_MAX) {
        return hg_refuse(refusal, HG_REJECT_CAPACITY, HG_BRACKETS_MAX, HG_BRACKETS_MAX,
                         "all %d places for brackets are taken", HG_BRACKETS_MAX);
    }
    return check_bracket(r, refusal);
}

void hg_linked_open(hg_exec *exec, hg_slot *slot, const hg_order_request *r,
                    const hg_origin *origin) {
    hg_order *order = &slot->order;
    if (order->oco != 0) {
        hg_order *other = &hg_slot_find(exec, order->oco)->order;
        other->oco = order->id;
        exec->stats.emulated += !other->emulated;
        exec->stats.emulated_by[HG_EMU_PAIR]++;
        other->emulated = true;
    }
    slot->bracket = origin->bracket;
    if (!r->bracket) {
        return;
    }
    uint32_t place = bracket_free(exec);
    exec->bracket_count += place == exec->bracket_count;
    hg_bracket_state *b = &exec->brackets[place];
    *b = (hg_bracket_state){.entry = order->id,
                            .plan = *r->bracket,
                            .code = order->code,
                            .instrument = order->instrument,
                            .strategy = order->strategy,
                            .side = order->side,
                            .used = true,
                            .take_off = !r->bracket->take.wanted,
                            .stop_off = !r->bracket->stop.wanted};
    hg_text_copy(b->line, sizeof b->line, order->line);
    order->role = HG_ROLE_ENTRY;
    slot->bracket = (uint16_t)(place + 1);
}

/* --- pairs ------------------------------------------------------------------------------------ */

static void end_other(hg_exec *exec, hg_slot *other, int64_t now_ns) {
    if (other && hg_slot_is_open(other) && !other->order.cancel_pending) {
        int rc = hg_exec_cancel_slot(exec, other, HG_REJECT_OCO, now_ns);
        if (rc < 0) {
            hg_exec_alarm(exec, &other->order, HG_ALARM_UNPROTECTED, now_ns);
        }
    }
}

/* Whether both may be at the venue at once: it lets them together close what is held, and that is
 * not more than the `lots` that one of them is to close, nor can it become more. */
static bool close_once(const hg_exec *exec, const hg_order *a, const hg_order *b, hg_lots lots) {
    if (!a->reduce_only || !b->reduce_only ||
        a->side != b->side) { /* either: the venue lets one of two sides reduce */
        return false;
    }
    const hg_instrument_orders *per = &exec->per[a->instrument];
    hg_lots held = hg_portfolio_get(exec->portfolio, a->instrument)->lots;
    bool sell = a->side == HG_SELL;
    return (sell ? held : -held) + (sell ? per->buy : per->sell) <= lots;
}

static void pair_after(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    hg_slot *other = hg_slot_find(exec, slot->order.oco);
    if (!other) {
        return;
    }
    bool ended = hg_order_state_done((hg_order_state)slot->order.state);
    bool traded = slot->order.filled > 0;
    bool meant = slot->order.reduce_only && other->order.reduce_only &&
                 slot->order.side == other->order.side; /* they close once, in parts */
    if (traded && other->order.filled > 0 && !slot->paired && !meant) {
        slot->paired = true;
        other->paired = true;
        hg_exec_alarm(exec, &slot->order, HG_ALARM_BOTH_FILLED, event->time_ns);
    }
    if (ended && !traded && other->fired) {
        hg_exec_owe(exec, other, HG_EV_TRIGGERED, HG_REJECT_NONE, event->time_ns);
    } else if (traded || ended) {
        end_other(exec, other, event->time_ns);
    }
}

/* --- brackets --------------------------------------------------------------------------------- */

static hg_slot *exit_slot(const hg_exec *exec, uint64_t id) {
    hg_slot *slot = hg_slot_find(exec, id);
    return slot && hg_slot_is_open(slot) ? slot : NULL;
}

static hg_side exit_side(const hg_bracket_state *b) {
    return b->side == HG_BUY ? HG_SELL : HG_BUY;
}

/* Whether the account holds what the exits are to close, as far as we have heard: then reduce-only
 * keeps them from closing what another order has closed by the time they arrive. Where it holds
 * less, others hold the other side, and the exits leave them what they hold. */
static bool theirs_to_close(const hg_exec *exec, const hg_bracket_state *b, hg_lots lots) {
    return b->side * hg_portfolio_get(exec->portfolio, b->instrument)->lots >= lots;
}

/* Nothing more happens in it. What it has left to close is the strategy's own affair from now on.
 */
static void settle_use(hg_exec *exec, hg_bracket_state *b) {
    b->used = !b->entry_done || exit_slot(exec, b->take) || exit_slot(exec, b->stop) || b->again;
    if (!b->used) {
        hg_by_hand_add(exec, b->strategy, b->instrument, b->side * (b->bought - b->closed));
    }
}

/* The stop before it had fired, and the venue did not take it: this one does not wait for its
 * price, which may have moved on. */
static void fire_again(hg_exec *exec, hg_slot *stop, int64_t now_ns) {
    bool owed = stop->trigger == HG_TRIGGER_HANDLE_NONE; /* it is reached already */
    if (!owed && hg_exec_owe(exec, stop, HG_EV_TRIGGERED, HG_REJECT_NONE, now_ns)) {
        hg_trigger_remove(exec->triggers, stop->trigger);
        stop->trigger = HG_TRIGGER_HANDLE_NONE;
    }
}

static void place(hg_exec *exec, uint32_t index, bool take, hg_lots lots, int64_t now_ns) {
    hg_bracket_state *b = &exec->brackets[index];
    const hg_exit *e = take ? &b->plan.take : &b->plan.stop;
    const hg_instrument *inst = hg_universe_get(exec->universe, b->instrument);
    char reason[HG_REASON_MAX];
    snprintf(reason, sizeof reason, "%s of order %llu", take ? "take-profit" : "stop",
             (unsigned long long)b->entry);
    hg_order_request r = {.instrument = b->instrument,
                          .strategy = b->strategy,
                          .side = exit_side(b),
                          .type = e->type,
                          .size = hg_size_to_double(inst, lots),
                          .price = e->price,
                          .trigger = e->trigger,
                          .trigger_price = e->trigger_price,
                          .trail = e->trail,
                          .trail_fraction = e->trail_fraction,
                          .reduce_only = e->type == HG_TYPE_LIMIT && theirs_to_close(exec, b, lots),
                          .again = true,
                          .code = b->code,
                          .reason = reason,
                          .line = b->line};
    hg_origin origin = {.role = take ? HG_ROLE_TAKE : HG_ROLE_STOP,
                        .parent = b->entry,
                        .bracket = (uint16_t)(index + 1),
                        .at_once = true};
    hg_refusal refusal;
    uint64_t id = 0;
    if (hg_exec_submit_from(exec, &r, &origin, now_ns, &id, &refusal) == HG_OK) {
        *(take ? &b->take : &b->stop) = id;
        if (!take && b->stopping) {
            fire_again(exec, hg_slot_find(exec, id), now_ns);
        }
        return;
    }
    *(take ? &b->take_off : &b->stop_off) = true;
    const hg_slot *entry = hg_slot_find(exec, b->entry);
    hg_exec_alarm(exec, entry ? &entry->order : NULL, HG_ALARM_UNPROTECTED, now_ns);
}

/* Brings a living exit to the size that is left; at the venue when it has answered what was asked
 * before, else with its next event. */
static void resize(hg_exec *exec, hg_slot *slot, hg_lots left, int64_t now_ns) {
    hg_order *order = &slot->order;
    if (order->reduce_only) {
        hg_lots room = hg_pending_room_for(exec, slot);
        left = left < room ? left : room; /* either: cut to that, now or soon */
    }
    hg_lots size = order->filled + left;
    if (size == order->size || left == 0 || slot->fired) {
        return;
    }
    if (slot->held) {
        order->size = size;
        hg_exec_tell(exec, order);
        return;
    }
    bool answered = (order->state == HG_ORDER_WORKING || order->state == HG_ORDER_PARTIAL) &&
                    !order->cancel_pending && slot->amend_size == 0;
    hg_refusal refusal = {0};
    const hg_instrument *inst = hg_universe_get(exec->universe, order->instrument);
    hg_amendment a = {.size = hg_size_to_double(inst, size)};
    if (answered && !hg_order_type_market((hg_order_type)order->type) &&
        hg_exec_amend_slot(exec, slot, &a, now_ns, &refusal) < 0) {
        hg_exec_alarm(exec, order, HG_ALARM_UNPROTECTED, now_ns);
    }
}

static void bracket_sync(hg_exec *exec, uint32_t index, int64_t now_ns) {
    hg_bracket_state *b = &exec->brackets[index];
    hg_lots left = hg_bracket_left(b);
    hg_slot *take = exit_slot(exec, b->take);
    hg_slot *stop = exit_slot(exec, b->stop);
    if (left == 0) {
        end_other(exec, take, now_ns);
        end_other(exec, stop, now_ns);
        settle_use(exec, b);
        return;
    }
    if (stop) {
        resize(exec, stop, left, now_ns);
    } else if (!b->stop_off) {
        place(exec, index, false, left, now_ns);
        stop = exit_slot(exec, b->stop);
    }
    bool stopping = stop && stop->trigger == HG_TRIGGER_HANDLE_NONE; /* its price has come */
    if (take && stopping) {
        return; /* its end has been asked for */
    }
    if (take) {
        resize(exec, take, left, now_ns);
    } else if (!b->take_off && !stopping) {
        place(exec, index, true, left, now_ns);
    }
    settle_use(exec, b);
}

/* The venue could not, its book was too thin, or the exit had to leave the way of another order of
 * ours. */
static bool not_now(hg_reject code) {
    return hg_reject_passes(code) || code == HG_REJECT_IOC_REST || code == HG_REJECT_NO_LIQUIDITY ||
           code == HG_REJECT_SELF_TRADE;
}

#define REFUSED_MAX 30 /* seconds in which the fills that closed a position must have come */

/* The venue says that there is nothing left to reduce. Fills that closed the position are on their
 * way to us, those of the other exit or of somebody else's: we look again when they may have come.
 */
static bool closed_elsewhere(hg_bracket_state *b, const hg_order *order) {
    if (order->reject != HG_REJECT_REDUCE_ONLY) {
        return false;
    }
    b->again = ++b->refused <= REFUSED_MAX; /* either: a second more or less */
    return b->again;
}

/* An exit has ended: by its fills, by us, by the strategy, or against everybody's will. */
static void exit_ended(hg_exec *exec, hg_bracket_state *b, const hg_slot *slot, int64_t now_ns) {
    const hg_order *order = &slot->order;
    bool take = order->role == HG_ROLE_TAKE;
    *(take ? &b->take : &b->stop) = 0;
    if (order->state == HG_ORDER_FILLED || slot->end_code == HG_REJECT_OCO ||
        hg_bracket_left(b) == 0) {
        return;
    }
    if (not_now((hg_reject)order->reject)) {
        b->again = true;
        return;
    }
    if (closed_elsewhere(b, order)) {
        return;
    }
    *(take ? &b->take_off : &b->stop_off) = true;
    bool asked = order->state == HG_ORDER_CANCELLED && order->reject == HG_REJECT_USER;
    if (!asked) {
        hg_exec_alarm(exec, order, HG_ALARM_UNPROTECTED, now_ns);
    }
}

/* Brackets that something else has closed. */
static void sync_by_hand(hg_exec *exec, int64_t now_ns) {
    for (uint32_t i = 0; i < exec->bracket_count; i++) {
        hg_bracket_state *b = &exec->brackets[i];
        bool changed = b->by_hand;
        b->by_hand = false;
        if (changed && !b->again) {
            bracket_sync(exec, i, now_ns);
        }
    }
}

/* An exit has traded. What is more than it was to close has closed what else the strategy holds:
 * something closed by hand was set against this one in the meantime. Else it is too much. */
static void exit_filled(hg_exec *exec, hg_bracket_state *b, const hg_order *order, hg_lots lots,
                        int64_t now_ns) {
    b->refused = 0;
    b->closed += lots;
    hg_lots excess = b->closed - b->bought;
    excess = excess < lots ? excess : lots; /* either: equal is equal */
    if (excess > 0) {                       /* either: of 0 nothing is done */
        b->closed -= excess;
        if (hg_by_hand(exec, order, excess) > 0) {
            hg_exec_alarm(exec, order, HG_ALARM_BOTH_FILLED, now_ns);
        }
        sync_by_hand(exec, now_ns);
    }
}

static void bracket_after(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    uint32_t index = slot->bracket - 1u;
    hg_bracket_state *b = &exec->brackets[index];
    const hg_order *order = &slot->order;
    bool entry = order->role == HG_ROLE_ENTRY;
    bool ended = hg_order_state_done((hg_order_state)order->state);
    if (!b->used || (entry ? order->id != b->entry : order->parent != b->entry)) {
        if (event->kind == HG_EV_FILL) { /* of a bracket that is over */
            hg_by_hand_add(exec, order->strategy, order->instrument,
                           order->side * event->order.size);
        }
        return;
    }
    if (event->kind == HG_EV_FILL && entry) {
        hg_by_hand_opened(exec, b, event->order.size);
    } else if (event->kind == HG_EV_FILL) {
        exit_filled(exec, b, order, event->order.size, event->time_ns);
    }
    if (entry) {
        b->entry_done = ended;
        hg_by_hand_entered(exec, b);
    } else if (ended && (order->id == b->take || order->id == b->stop)) {
        exit_ended(exec, b, slot, event->time_ns);
    }
    const hg_slot *take = exit_slot(exec, b->take);
    hg_slot *stop = exit_slot(exec, b->stop);
    if (stop && stop->fired) {
        if (!take) {
            hg_exec_owe(exec, stop, HG_EV_TRIGGERED, HG_REJECT_NONE, event->time_ns);
        } else if (!take->order.cancel_pending) {
            b->again = true; /* its cancel was refused or is lost */
        }
    }
    /* What the venue has just cut is not asked for again at once: it may know of more fills. */
    bool cut = event->kind == HG_EV_ACK && event->order.code == HG_REJECT_REDUCE_ONLY;
    if (!b->again && !cut) {
        bracket_sync(exec, index, event->time_ns);
    }
}

void hg_linked_traded(hg_exec *exec, const hg_order *order, hg_lots lots, int64_t now_ns) {
    hg_by_hand(exec, order, lots);
    sync_by_hand(exec, now_ns);
}

void hg_linked_clock(hg_exec *exec, int64_t now_ns) {
    for (uint32_t i = 0; i < exec->bracket_count; i++) {
        hg_bracket_state *b = &exec->brackets[i];
        if (!b->used || !b->again) {
            continue;
        }
        hg_slot *stop = exit_slot(exec, b->stop);
        b->again = false;
        if (stop && stop->fired) {
            hg_exec_owe(exec, stop, HG_EV_TRIGGERED, HG_REJECT_NONE, now_ns);
        } else {
            bracket_sync(exec, i, now_ns);
        }
    }
}

/* --- both ------------------------------------------------------------------------------------- */

void hg_linked_after(hg_exec *exec, hg_slot *slot, const hg_event *event) {
    if (slot->order.oco != 0) {
        pair_after(exec, slot, event);
    }
    if (slot->bracket != 0) {
        bracket_after(exec, slot, event);
    }
}

bool hg_linked_wait(hg_exec *exec, hg_slot *slot, int64_t now_ns) {
    hg_slot *other = hg_slot_find(exec, slot->order.oco);
    hg_lots lots = slot->order.size;
    if (slot->bracket != 0 && slot->order.role != HG_ROLE_ENTRY) {
        hg_bracket_state *b = &exec->brackets[slot->bracket - 1u];
        hg_slot *entry = exit_slot(exec, b->entry);
        bool stop = slot->order.role == HG_ROLE_STOP;
        other = exit_slot(exec, stop ? b->take : b->stop);
        lots = hg_bracket_left(b);
        slot->order.reduce_only = theirs_to_close(exec, b, lots);
        lots += entry ? entry->counted : 0; /* what it still buys, the exits close */
        if (stop) {
            b->stopping = true;
            end_other(exec, entry, now_ns); /* no more of what is being left */
        }
    }
    if (!other || !hg_slot_is_open(other)) {
        return false;
    }
    end_other(exec, other, now_ns);
    return !other->held && !close_once(exec, &slot->order, &other->order, lots);
}

hg_lots hg_linked_room(const hg_exec *exec, const hg_slot *slot) {
    return hg_bracket_left(&exec->brackets[slot->bracket - 1u]);
}
