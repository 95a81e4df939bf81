#ifndef HG_DOMAIN_VENUE_H
#define HG_DOMAIN_VENUE_H

#include "base/error.h"
#include "domain/event.h"
#include "domain/order.h"

/* Where orders go. A venue keeps reduce-only orders within the position by itself, at arrival and
 * whenever they trade; one that cannot must refuse them. Only the risk gate calls submit, cancel
 * and amend. Answers never come back as return values but as events (HG_EV_ACK .. HG_EV_EXPIRED),
 * pulled by the session in time order. */
typedef struct hg_venue hg_venue;

typedef struct hg_venue_ops {
    const char *name; /* "paper" */
    /* < 0: the order certainly did not reach the venue. */
    int (*submit)(hg_venue *venue, const hg_order *order, int64_t now_ns);
    int (*cancel)(hg_venue *venue, const hg_order *order, int64_t now_ns);
    /* New total size and price of a working order; queue priority as the venue's rules say. */
    int (*amend)(hg_venue *venue, const hg_order *order, hg_ticks price, hg_lots size,
                 int64_t now_ns);
    /* New trigger price and distance of an untriggered order that waits at the venue (order holds
     * the new ones); NULL when the venue has none. Answered like an amendment. */
    int (*amend_trigger)(hg_venue *venue, const hg_order *order, int64_t now_ns);
    /* A market event after the market has applied it (paper matching); NULL for real venues. */
    void (*observe)(hg_venue *venue, const hg_event *event);
    /* Time of the oldest waiting answer, INT64_MAX when there is none. */
    int64_t (*due_ns)(const hg_venue *venue);
    bool (*next)(hg_venue *venue, hg_event *event); /* pops it */
    void (*close)(hg_venue *venue);
} hg_venue_ops;

/* Order types the venue handles by itself. What is missing here the runtime emulates, and says so
 * in the order. */
enum {
    HG_VENUE_GTD = 1,      /* ends an order at order->expires_ns (EXPIRED) */
    HG_VENUE_TRIGGER = 2,  /* stop and take-profit: ACK = untriggered, then TRIGGERED */
    HG_VENUE_TRAILING = 4, /* trailing stops by an absolute distance */
    HG_VENUE_VALID_UNTIL = 8
};

struct hg_venue {
    const hg_venue_ops *ops;
    uint32_t supports; /* HG_VENUE_*; 0: plain orders only */
    int64_t answer_ns; /* an answer later than this is missing, by the venue's documents; 0: never
                          (the venue answers for certain) */
};

#endif
