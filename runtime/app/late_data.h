#ifndef HG_APP_LATE_DATA_H
#define HG_APP_LATE_DATA_H

#include "base/ring.h"
#include "exec/paper.h"
#include "market/market.h"

/* Market data that takes time to reach us. The venue matches on a market of its own, which learns
 * every event at once; the core learns it when it has arrived, so that an order decided on old data
 * meets the newer book. Without latency there is one market and none of this costs anything. */
typedef struct hg_late_data {
    hg_market *market; /* the venue's; NULL: data is not late */
    hg_delay leg;
    hg_ring events;              /* under the time of their arrival */
    int64_t sent_ns, arrival_ns; /* of the newest: what was sent together arrives together */
    uint64_t hurried;            /* let in early because too much was on its way */
} hg_late_data;

/* Events on their way; at 100,000 a second that is 2.6 s. */
#define HG_LATE_DATA_MAX 262144

HG_MUST_CHECK int hg_late_data_open(hg_late_data *late, const hg_universe *universe,
                                    const hg_market_options *market, const hg_paper_options *paper);
void hg_late_data_close(hg_late_data *late);

bool hg_late_data_full(const hg_late_data *late);
void hg_late_data_push(hg_late_data *late, const hg_event *event); /* not full */
void hg_late_data_pop(hg_late_data *late, hg_event *event);        /* not empty */

static inline int64_t hg_late_data_due_ns(const hg_late_data *late) { /* INT64_MAX: none */
    const hg_event *event = late->market ? hg_ring_peek(&late->events) : NULL;
    return event ? event->time_ns : INT64_MAX;
}

#endif
