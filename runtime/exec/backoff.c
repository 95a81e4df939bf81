/* A venue that stands still, is busy or counts our requests is not asked on every tick.
 *
 * Each refusal of that kind doubles a pause, from a quarter of a second to five seconds; the first
 * order the venue takes again ends it. The pause binds `hedged.trade`, which asks whenever a hedge
 * is missing and so can wait; orders a script sends by itself, cancels, exits of brackets and the
 * kill switch do not wait. */
#include "base/assert.h"
#include "base/clock.h"
#include "exec/exec_int.h"

#define FIRST_NS (HG_NS_PER_S / 4)
#define LONGEST_NS (5 * HG_NS_PER_S)

bool hg_reject_passes(hg_reject code) {
    return code == HG_REJECT_VENUE_DOWN || code == HG_REJECT_VENUE_BUSY ||
           code == HG_REJECT_VENUE_RATE || code == HG_REJECT_NEVER_ARRIVED;
}

void hg_backoff_answer(hg_exec *exec, const hg_event *event) {
    hg_backoff *b = &exec->backoff;
    if (event->kind == HG_EV_ACK || event->kind == HG_EV_FILL) {
        *b = (hg_backoff){0};
        return;
    }
    /* Several refusals of one moment are one: what was on its way when the first came. */
    if (event->kind != HG_EV_REJECTED || !hg_reject_passes((hg_reject)event->order.code) ||
        event->time_ns < b->until_ns) {
        return;
    }
    b->pause_ns = b->pause_ns == 0 ? FIRST_NS : 2 * b->pause_ns;
    b->pause_ns = b->pause_ns < LONGEST_NS ? b->pause_ns : LONGEST_NS;
    b->until_ns = event->time_ns + b->pause_ns;
    b->code = event->order.code;
}

int64_t hg_exec_backoff(const hg_exec *exec, int64_t now_ns, hg_reject *code) {
    hg_assert(exec && code);
    if (now_ns >= exec->backoff.until_ns) {
        return 0;
    }
    *code = (hg_reject)exec->backoff.code;
    return exec->backoff.until_ns - now_ns;
}
