#ifndef HG_DOMAIN_EVENT_H
#define HG_DOMAIN_EVENT_H

#include "domain/money.h"

#include <stdbool.h>

/* Every input of the core, as one fixed-size value. State is a fold over these. */
typedef enum {
    HG_EV_NONE,
    /* market: id is the instrument unless said otherwise */
    HG_EV_QUOTE,   /* best bid and ask */
    HG_EV_DEPTH,   /* one level of the book; size 0 deletes it */
    HG_EV_TRADE,   /* a public trade; side is the taker's */
    HG_EV_MARK,    /* mark price and, for options, mark vol */
    HG_EV_INDEX,   /* id is the underlying */
    HG_EV_FORWARD, /* id is the expiry (hg_universe_expiry) */
    HG_EV_FUNDING, /* current funding rate of a perpetual, per 8 h; applies until the next one */
    HG_EV_SETTLE,  /* delivery of an expired instrument at `price.value` (USD per coin) */
    HG_EV_STATUS,  /* book invalid after a gap, halted, open again: flags say which */
    /* venue answers: order.id names the order */
    HG_EV_ACK,
    HG_EV_FILL,
    HG_EV_CANCELLED,
    HG_EV_REJECTED,
    HG_EV_EXPIRED,
    HG_EV_TRIGGERED, /* its trigger price has been reached: from the venue or from us */
    /* of the execution room itself */
    HG_EV_ORDER_DUE, /* a time of the order has come: its expiry, or the answer that is missing */
    HG_EV_CUT,       /* the connection is gone: nobody knows what becomes of open orders */
    HG_EV_ALARM,     /* order.code is the hg_alarm; order.id may be 0 */
    /* session */
    HG_EV_TIMER, /* a script timer is due; timer.key names it */
    HG_EV_STOP,
    HG_EV_CONTROL, /* a person's command (set, pause, resume, ...); control says which */
    HG_EV_RISK,    /* a state of the risk gate has changed; order.id is the serial of the change */
    HG_EV_KINDS
} hg_event_kind;

enum {
    HG_EVF_MORE = 1,     /* further events of the same update follow: nobody looks in between */
    HG_EVF_SNAPSHOT = 2, /* depth: first level of a full book; forget the old one */
    HG_EVF_INVALID = 4,  /* status: the book cannot be trusted until the next snapshot */
    HG_EVF_HALTED = 8,   /* status: no trading */
    HG_EVF_MAKER = 16,   /* fill: our order rested */
};

enum { HG_ABOUT_ANY, HG_ABOUT_ORDER, HG_ABOUT_CANCEL, HG_ABOUT_AMEND };

typedef struct hg_event {
    int64_t time_ns; /* event time: when it happened at the venue, never decreasing in a session */
    uint32_t id;
    uint8_t kind;
    uint8_t flags;
    int8_t side; /* hg_side for depth (BUY = bid) and trades, else 0 */
    uint8_t pad;
    union {
        struct {
            hg_ticks bid, ask; /* meaningful only where the size is > 0 */
            hg_lots bid_size, ask_size;
        } quote;
        struct {
            hg_ticks price;
            hg_lots size;
        } level; /* depth and trade */
        struct {
            hg_nano price;
            hg_nano iv; /* fraction; 0 = not given */
        } mark;
        struct {
            hg_nano value;
        } price; /* index, forward, settle, funding (rate) */
        struct {
            uint64_t id;
            uint64_t trade; /* fill: unique per venue; others 0 */
            hg_ticks price;
            hg_lots size;
            union {
                hg_cash fee;    /* fill: > 0 paid */
                hg_lots filled; /* ack, cancelled, expired: filled in all by then, as the venue
                                   knows (Deribit: filled_amount); 0 where it does not say */
            };
            union {
                hg_nano index; /* fill: the venue's index when it traded (USD per coin), of which
                                  fees of linear options are taken; 0: not told */
                struct {
                    uint16_t code; /* rejected, cancelled: hg_reject; alarm: hg_alarm; ack: why the
                                      venue changed price and size, which are its word then */
                    uint8_t about; /* rejected: HG_ABOUT_*, which request was refused */
                };
            };
        } order;
        struct {
            uint64_t key;
        } timer;
        struct {
            uint16_t command; /* hg_command_kind */
            uint16_t script;  /* its index, or HG_STRATEGY_ANY */
        } control;            /* its text, if any, is lent to the core beside the event */
    };
} hg_event;

_Static_assert(sizeof(hg_event) == 64, "an event is one cache line");

const char *hg_event_kind_name(hg_event_kind kind);

/* Whether scripts see it as a tick (a quote, mark, index or forward changed). */
static inline bool hg_event_is_tick(const hg_event *event) {
    return event->kind == HG_EV_QUOTE || event->kind == HG_EV_MARK || event->kind == HG_EV_INDEX ||
           event->kind == HG_EV_FORWARD;
}

#endif
