/* The delay line of market data. */
#include "app/late_data.h"

#include "base/assert.h"

int hg_late_data_open(hg_late_data *late, const hg_universe *universe,
                      const hg_market_options *market, const hg_paper_options *paper) {
    *late = (hg_late_data){.sent_ns = INT64_MIN};
    const hg_law *law = &paper->latency.leg[HG_LEG_DATA];
    if (hg_law_is_zero(law)) {
        return HG_OK;
    }
    int rc = hg_delay_open(&late->leg, law, paper->seed, HG_LEG_DATA);
    if (rc < 0) {
        return rc;
    }
    if (!hg_ring_init(&late->events, sizeof(hg_event), HG_LATE_DATA_MAX)) {
        return HG_ERR(HG_ENOMEM, "market data on its way");
    }
    late->market = hg_market_new(universe, market);
    return late->market ? HG_OK : HG_ERR(HG_ENOMEM, "the venue's market");
}

void hg_late_data_close(hg_late_data *late) {
    hg_delay_close(&late->leg);
    hg_ring_fini(&late->events);
    hg_market_free(late->market);
    late->market = NULL;
}

bool hg_late_data_full(const hg_late_data *late) {
    return hg_ring_count(&late->events) == HG_LATE_DATA_MAX;
}

void hg_late_data_push(hg_late_data *late, const hg_event *event) {
    if (event->time_ns != late->sent_ns) {
        late->sent_ns = event->time_ns;
        late->arrival_ns = hg_delay_arrival(&late->leg, event->time_ns);
    }
    hg_event copy = *event;
    copy.time_ns = late->arrival_ns;
    bool pushed = hg_ring_push(&late->events, &copy);
    hg_assert(pushed);
}

void hg_late_data_pop(hg_late_data *late, hg_event *event) {
    bool popped = hg_ring_pop(&late->events, event);
    hg_assert(popped);
}
