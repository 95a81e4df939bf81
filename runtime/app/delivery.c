/* Expiry as a scheduled event: what is held is delivered even when the feed does not say at what
 * price. The venue's word comes first; after a minute without it the mean of the index over the
 * last half hour is taken, which is what the venue's price is made of. A word that comes later
 * finds the contract delivered and changes nothing. */
#include "app/core.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/log.h"

#define VENUE_WAIT_NS (60 * HG_NS_PER_S)

static bool is_needed(const hg_core *core, const hg_instrument *inst, uint32_t expiry) {
    const hg_position *pos = hg_portfolio_get(core->portfolio, inst->id);
    return inst->expiry_id == expiry && !hg_market_get(core->market, inst->id)->settled &&
           (pos->lots != 0 || pos->opened != 0 || pos->pending_buy != 0 || pos->pending_sell != 0);
}

static void deliver_expiry(hg_core *core, uint32_t expiry, int64_t now_ns) {
    double mean = hg_market_forward(core->market, expiry, NULL);
    hg_nano price = 0;
    uint32_t count = 0;
    if (!hg_nano_from_double(mean, &price) || price <= 0) {
        return; /* nothing was ever known: it stays, and exposure says what is missing */
    }
    for (uint32_t id = 0; id < hg_universe_count(core->universe); id++) {
        const hg_instrument *inst = hg_universe_get(core->universe, id);
        if (!is_needed(core, inst, expiry)) {
            continue;
        }
        hg_event event = {.kind = HG_EV_SETTLE, .id = id, .time_ns = now_ns};
        event.price.value = price;
        if (count++ == 0) {
            hg_log(HG_LOG_WARN,
                   "%s and what expires with it: the feed told no delivery price; delivered at "
                   "the mean of the spot over the last half hour, %.2f",
                   inst->name, mean);
        }
        hg_core_feed(core, &event);
    }
}

void hg_core_deliver(hg_core *core, int64_t until_ns) {
    int64_t from_ns = core->delivery_ns;
    int64_t next_ns = INT64_MAX;
    core->delivery_ns = INT64_MAX; /* deliveries are fed, too */
    for (uint32_t e = 0; e < hg_universe_expiry_count(core->universe); e++) {
        int64_t due_ns = hg_universe_expiry(core->universe, e)->time_ns + VENUE_WAIT_NS;
        if (due_ns > until_ns) {
            next_ns = due_ns < next_ns ? due_ns : next_ns;
        } else if (due_ns >= from_ns) {
            deliver_expiry(core, e, due_ns > core->now_ns ? due_ns : core->now_ns);
        }
    }
    core->delivery_ns = next_ns;
}
