#ifndef HG_APP_RECORDER_H
#define HG_APP_RECORDER_H

#include "app/core.h"

/* The recent past of a session, kept so that code can be tried on it: the last events, what the
 * strategies sent, and market and portfolio as they were before the oldest event kept. As events
 * grow too old they are applied to those two, so that the past can be entered at any time exactly
 * where it begins. Costs one more market per session and one more application per event; sessions
 * that cannot reload have none. */

#define HG_RECORD_EVENTS 10000u             /* kept at most ... */
#define HG_RECORD_NS (INT64_C(60000000000)) /* ... and no older than this, in event time */

/* An order as it was sent, or a refusal of the gate. */
typedef struct hg_sent {
    int64_t time_ns;
    uint32_t instrument;
    uint16_t strategy;
    int8_t side;
    bool refused;
    hg_lots lots; /* refusals: 0 */
    char line[HG_LINE_MAX];
} hg_sent;

typedef struct hg_recorder {
    const hg_core *core;
    hg_event *events;        /* ring; an event's place is its number modulo the capacity */
    uint64_t first, next;    /* numbers of the events kept: [first, next) */
    uint64_t pin;            /* from here on nothing may fall out; UINT64_MAX: no pin */
    hg_market *market;       /* as it was before event `first` */
    hg_portfolio *portfolio; /* likewise, over `market` */
    hg_portfolio *shares[HG_SCRIPTS_MAX]; /* likewise, of each share of the core */
    hg_sent *sent;                        /* ring */
    uint64_t sent_next;
    hg_order *ended; /* ring: orders as they were when they ended, after some life */
    uint64_t ended_next;
    uint64_t refusals[HG_SCRIPTS_MAX]; /* since the session began */
    bool batch_open;                   /* the last event belongs to an update that goes on */
    hg_exec_observer inner;
} hg_recorder;

/* `options` and `book` are those the core was opened with. */
HG_MUST_CHECK int hg_recorder_open(hg_recorder *recorder, const hg_core *core,
                                   const hg_core_options *options, const hg_book *book);
void hg_recorder_close(hg_recorder *recorder);

/* For hg_core.tap: an event the core has applied. Only fills are kept of the answers. */
void hg_recorder_note(hg_recorder *recorder, const hg_event *event, const hg_order *order);

/* An observer that keeps what it sees and passes it on to `inner`. */
hg_exec_observer hg_recorder_observer(hg_recorder *recorder, hg_exec_observer inner);

/* Event `number`, NULL when it has fallen out or is not there yet. Of fills, hg_record_strategy
 * says whose order it was. */
const hg_event *hg_recorder_get(const hg_recorder *recorder, uint64_t number);
static inline uint16_t hg_record_strategy(const hg_event *event) {
    return (uint16_t)(event->pad - 1);
}

/* What the script of that index worked for before the first event kept: a share or the whole. */
const hg_portfolio *hg_recorder_book(const hg_recorder *recorder, uint16_t script);
/* Whether a recorded fill changed the book that the script works for. */
bool hg_recorder_concerns(const hg_recorder *recorder, const hg_event *fill, uint16_t script);

/* Orders of a strategy that were open before the first event kept and have ended since: `number`
 * counts from 0; NULL at the end. What is still open is known to hg_exec. */
const hg_order *hg_recorder_ended(const hg_recorder *recorder, uint16_t strategy, uint64_t *number);

/* Order `number` of [oldest, sent_next). */
uint64_t hg_recorder_sent_oldest(const hg_recorder *recorder);
const hg_sent *hg_recorder_sent(const hg_recorder *recorder, uint64_t number);

#endif
