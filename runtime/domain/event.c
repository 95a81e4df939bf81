/* Names of event kinds, for messages and `hedged tape info`. */
#include "domain/event.h"

#include "base/assert.h"

const char *hg_event_kind_name(hg_event_kind kind) {
    static const char *const names[HG_EV_KINDS] = {
        "none",      "quote",  "depth", "trade", "mark",      "index",    "forward", "funding",
        "settle",    "status", "ack",   "fill",  "cancelled", "rejected", "expired", "triggered",
        "order due", "cut",    "alarm", "timer", "stop",      "control",  "risk"};
    hg_assert(kind < HG_EV_KINDS);
    return names[kind];
}
