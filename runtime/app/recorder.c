/* The recent past: a ring of events, and what it was like before the first of them.
 *
 * Invariants: market and portfolio here have seen exactly the events that are no longer in the
 * ring; nothing falls out from the pin on, except when the ring would overflow (whoever holds the
 * pin then finds its event gone). */
#include "app/recorder.h"

#include "base/assert.h"
#include "base/text.h"

#include <stdlib.h>

#define EVENTS_CAPACITY 65536u /* room for what happens while a rehearsal reads */
#define SENT_CAPACITY 4096u
#define ENDED_CAPACITY 1024u

static hg_event *at(const hg_recorder *r, uint64_t number) {
    return &r->events[number & (EVENTS_CAPACITY - 1)];
}

static hg_portfolio *share_copy(const hg_recorder *r, const hg_portfolio *share,
                                const hg_portfolio_options *options) {
    hg_portfolio *copy = hg_portfolio_new(r->market, options);
    if (copy) {
        hg_portfolio_copy(copy, share);
    }
    return copy;
}

int hg_recorder_open(hg_recorder *r, const hg_core *core, const hg_core_options *o,
                     const hg_book *book) {
    r->core = core;
    r->pin = UINT64_MAX;
    hg_market_options market = {.depth_books = o->depth_books};
    hg_portfolio_options portfolio = {.fees = o->paper.fees};
    r->events = calloc(EVENTS_CAPACITY, sizeof *r->events);
    r->sent = calloc(SENT_CAPACITY, sizeof *r->sent);
    r->ended = calloc(ENDED_CAPACITY, sizeof *r->ended);
    r->market = hg_market_new(core->universe, &market);
    r->portfolio = r->market ? hg_portfolio_new(r->market, &portfolio) : NULL;
    int rc = r->events && r->sent && r->ended && r->portfolio ? HG_OK
                                                              : HG_ERR(HG_ENOMEM, "recorder");
    for (size_t i = 0; i < book->count && rc == HG_OK; i++) {
        const hg_book_row *row = &book->rows[i];
        rc = hg_portfolio_open(r->portfolio, row->instrument, row->lots, row->entry);
    }
    for (size_t i = 0; i < core->share_count && rc == HG_OK; i++) {
        r->shares[i] = share_copy(r, core->shares[i], &portfolio);
        rc = r->shares[i] ? HG_OK : HG_ERR(HG_ENOMEM, "recorder");
    }
    if (rc < 0) {
        hg_recorder_close(r);
    }
    return rc;
}

void hg_recorder_close(hg_recorder *r) {
    for (size_t i = 0; i < HG_SCRIPTS_MAX; i++) {
        hg_portfolio_free(r->shares[i]);
        r->shares[i] = NULL;
    }
    hg_portfolio_free(r->portfolio);
    hg_market_free(r->market);
    free(r->events);
    free(r->sent);
    free(r->ended);
    r->ended = NULL;
    r->portfolio = NULL;
    r->market = NULL;
    r->events = NULL;
    r->sent = NULL;
}

/* The place of a script's share among those of the core, SIZE_MAX: it works for the whole book. */
static size_t share_place(const hg_recorder *r, uint16_t script) {
    const hg_portfolio *share = script < HG_SCRIPTS_MAX ? r->core->share_of[script] : NULL;
    for (size_t i = 0; share && i < r->core->share_count; i++) {
        if (r->core->shares[i] == share) {
            return i;
        }
    }
    return SIZE_MAX;
}

const hg_portfolio *hg_recorder_book(const hg_recorder *r, uint16_t script) {
    size_t place = share_place(r, script);
    return place == SIZE_MAX ? r->portfolio : r->shares[place];
}

bool hg_recorder_concerns(const hg_recorder *r, const hg_event *fill, uint16_t script) {
    size_t place = share_place(r, script);
    return place == SIZE_MAX || place == share_place(r, hg_record_strategy(fill));
}

static void book_fill(hg_portfolio *book, const hg_event *e) {
    int rc = hg_portfolio_fill(book, e->id, (hg_side)e->side, e->order.size, e->order.price,
                               e->order.fee, e->time_ns);
    (void)rc; /* it fitted into the session's own */
}

/* The oldest event leaves the ring and becomes part of what was before. */
static void drop_first(hg_recorder *r) {
    const hg_event *e = at(r, r->first++);
    if (e->kind == HG_EV_FILL) {
        size_t place = share_place(r, hg_record_strategy(e));
        book_fill(r->portfolio, e);
        if (place != SIZE_MAX) {
            book_fill(r->shares[place], e);
        }
    } else if (hg_market_apply(r->market, e)) {
        hg_portfolio_observe(r->portfolio, e);
        for (size_t i = 0; i < r->core->share_count; i++) {
            hg_portfolio_observe(r->shares[i], e);
        }
    }
}

static bool too_old(const hg_recorder *r, int64_t now_ns) {
    return r->next - r->first > HG_RECORD_EVENTS ||
           at(r, r->first)->time_ns < now_ns - HG_RECORD_NS;
}

void hg_recorder_note(hg_recorder *r, const hg_event *event, const hg_order *order) {
    r->batch_open = !order && (event->flags & HG_EVF_MORE);
    if (order && event->kind != HG_EV_FILL) {
        return;
    }
    if (r->next - r->first == EVENTS_CAPACITY) {
        drop_first(r);
    }
    hg_event *kept = at(r, r->next++);
    *kept = *event;
    if (order) {
        hg_assert(order->strategy < HG_SCRIPTS_MAX);
        kept->pad = (uint8_t)(order->strategy + 1);
        kept->side = order->side;
    }
    while (r->first < r->pin && too_old(r, event->time_ns)) {
        drop_first(r);
    }
}

const hg_event *hg_recorder_get(const hg_recorder *r, uint64_t number) {
    return number >= r->first && number < r->next ? at(r, number) : NULL;
}

/* ---- what was sent --------------------------------------------------------------------------- */
static hg_sent *note_sent(hg_recorder *r, uint16_t strategy, uint32_t instrument,
                          const char *line) {
    hg_sent *s = &r->sent[r->sent_next++ & (SENT_CAPACITY - 1)];
    *s = (hg_sent){.time_ns = r->core->now_ns, .strategy = strategy, .instrument = instrument};
    hg_text_copy(s->line, sizeof s->line, line ? line : "");
    return s;
}

static void on_order(void *context, const hg_order *order) {
    hg_recorder *r = context;
    if (order->state == HG_ORDER_SENT && r->sent) {
        hg_sent *s = note_sent(r, order->strategy, order->instrument, order->line);
        s->side = order->side;
        s->lots = order->size;
    }
    if (hg_order_state_done((hg_order_state)order->state) && r->ended &&
        order->created_ns < r->core->now_ns) {
        hg_order *kept = &r->ended[r->ended_next++ & (ENDED_CAPACITY - 1)];
        *kept = *order;
        kept->updated_ns = r->core->now_ns;
    }
    if (r->inner.order) {
        r->inner.order(r->inner.context, order);
    }
}

static void on_fill(void *context, const hg_order *order, const hg_event *fill) {
    hg_recorder *r = context;
    if (r->inner.fill) {
        r->inner.fill(r->inner.context, order, fill);
    }
}

static void on_refusal(void *context, const hg_order_request *request, const hg_refusal *refusal) {
    hg_recorder *r = context;
    if (r->sent) {
        note_sent(r, request->strategy, request->instrument, request->line)->refused = true;
    }
    if (request->strategy < HG_SCRIPTS_MAX) {
        r->refusals[request->strategy]++;
    }
    if (r->inner.refusal) {
        r->inner.refusal(r->inner.context, request, refusal);
    }
}

static void on_alarm(void *context, const hg_order *order, hg_alarm alarm) {
    hg_recorder *r = context;
    if (r->inner.alarm) {
        r->inner.alarm(r->inner.context, order, alarm);
    }
}

static void on_risk(void *context, const hg_risk_event *event) {
    hg_recorder *r = context;
    if (r->inner.risk) {
        r->inner.risk(r->inner.context, event);
    }
}

hg_exec_observer hg_recorder_observer(hg_recorder *r, hg_exec_observer inner) {
    r->inner = inner;
    return (hg_exec_observer){r, on_order, on_fill, on_refusal, on_alarm, on_risk};
}

const hg_order *hg_recorder_ended(const hg_recorder *r, uint16_t strategy, uint64_t *number) {
    int64_t start_ns = r->next > r->first ? at(r, r->first)->time_ns : r->core->now_ns;
    if (r->ended_next > ENDED_CAPACITY && *number < r->ended_next - ENDED_CAPACITY) {
        *number = r->ended_next - ENDED_CAPACITY;
    }
    while (*number < r->ended_next) {
        const hg_order *o = &r->ended[(*number)++ & (ENDED_CAPACITY - 1)];
        if (o->strategy == strategy && o->created_ns < start_ns && o->updated_ns >= start_ns) {
            return o;
        }
    }
    return NULL;
}

uint64_t hg_recorder_sent_oldest(const hg_recorder *r) {
    return r->sent_next > SENT_CAPACITY ? r->sent_next - SENT_CAPACITY : 0;
}

const hg_sent *hg_recorder_sent(const hg_recorder *r, uint64_t number) {
    hg_assert(number >= hg_recorder_sent_oldest(r) && number < r->sent_next);
    return &r->sent[number & (SENT_CAPACITY - 1)];
}
