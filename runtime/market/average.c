/* The delivery price as it forms: the mean of the spot over the last half hour of each expiry.
 *
 * The spot stands from one word to the next, so the mean is an integral and does not depend on how
 * often it was told; a venue that samples each second gets the same. What passed of a window before
 * the spot was first known counts with the mean of the rest. */
#include "domain/delivery.h"
#include "market/market_int.h"

void hg_market_average(hg_market *m, uint32_t underlying, double spot, int64_t from_ns,
                       int64_t to_ns) {
    if (to_ns <= m->window_ns[underlying] || from_ns <= 0 || !(spot > 0)) {
        return;
    }
    int64_t next_ns = INT64_MAX;
    for (uint32_t e = 0; e < hg_universe_expiry_count(m->universe); e++) {
        const hg_expiry *expiry = hg_universe_expiry(m->universe, e);
        int64_t start_ns = expiry->time_ns - HG_DELIVERY_WINDOW_NS;
        if (expiry->underlying != underlying) {
            continue;
        }
        int64_t from = from_ns > start_ns ? from_ns : start_ns;
        int64_t to = to_ns < expiry->time_ns ? to_ns : expiry->time_ns;
        if (to > from) {
            m->forwards[e].fixed += spot * (double)(to - from);
            m->forwards[e].fixed_ns += to - from;
        }
        if (expiry->time_ns > to_ns && start_ns < next_ns) {
            next_ns = start_ns;
        }
    }
    m->window_ns[underlying] = next_ns;
}

double hg_market_fixed(const hg_market *m, uint32_t expiry_id, double spot, int64_t now_ns) {
    const hg_forward_state *f = &m->forwards[expiry_id];
    const hg_expiry *expiry = hg_universe_expiry(m->universe, expiry_id);
    int64_t told_ns = m->spots[expiry->underlying].time_ns;
    int64_t start_ns = expiry->time_ns - HG_DELIVERY_WINDOW_NS;
    int64_t from = told_ns > start_ns ? told_ns : start_ns;
    int64_t to = now_ns < expiry->time_ns ? now_ns : expiry->time_ns;
    double running = to > from && told_ns > 0 ? (double)(to - from) : 0;
    double known = (double)f->fixed_ns + running;
    return known > 0 ? (f->fixed + spot * running) / known : spot;
}
