#ifndef HG_DOMAIN_VENUE_H
#define HG_DOMAIN_VENUE_H

#include "base/error.h"
#include "domain/event.h"
#include "domain/order.h"

/* Where orders go. Only the risk gate calls submit, cancel and amend. Answers never come back as
 * return values but as events (HG_EV_ACK .. HG_EV_EXPIRED), pulled by the session in time order. */
typedef struct hg_venue hg_venue;

typedef struct hg_venue_ops {
    const char *name; /* "paper" */
    /* < 0: the order certainly did not reach the venue. */
    int (*submit)(hg_venue *venue, const hg_order *order, int64_t now_ns);
    int (*cancel)(hg_venue *venue, const hg_order *order, int64_t now_ns);
    /* New total size and price of a working order; queue priority as the venue's rules say. */
    int (*amend)(hg_venue *venue, const hg_order *order, hg_ticks price, hg_lots size,
                 int64_t now_ns);
    /* A market event after the market has applied it (paper matching); NULL for real venues. */
    void (*observe)(hg_venue *venue, const hg_event *event);
    /* Time of the oldest waiting answer, INT64_MAX when there is none. */
    int64_t (*due_ns)(const hg_venue *venue);
    bool (*next)(hg_venue *venue, hg_event *event); /* pops it */
    void (*close)(hg_venue *venue);
} hg_venue_ops;

struct hg_venue {
    const hg_venue_ops *ops;
};

#endif
