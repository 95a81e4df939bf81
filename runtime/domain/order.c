/* Names of order states, types and reject codes: the words of events files and of Lua. */
#include "domain/order.h"

#include "base/assert.h"

const char *hg_reject_code(hg_reject reject) {
    switch (reject) {
#define HG_REJECT_CASE(name, code, text)                                                           \
    case HG_REJECT_##name:                                                                         \
        return code;
        HG_REJECT_MAP(HG_REJECT_CASE)
#undef HG_REJECT_CASE
    default:
        return "unknown";
    }
}

const char *hg_reject_text(hg_reject reject) {
    switch (reject) {
#define HG_REJECT_CASE(name, code, text)                                                           \
    case HG_REJECT_##name:                                                                         \
        return text;
        HG_REJECT_MAP(HG_REJECT_CASE)
#undef HG_REJECT_CASE
    default:
        return "unknown reason";
    }
}

const char *hg_order_state_name(hg_order_state state) {
    static const char *const names[HG_ORDER_STATES] = {"intent",   "sent",    "working",
                                                       "partial",  "filled",  "cancelled",
                                                       "rejected", "expired", "unknown"};
    hg_assert(state < HG_ORDER_STATES);
    return names[state];
}

const char *hg_order_type_name(hg_order_type type) {
    return type == HG_TYPE_MARKET ? "market" : "limit";
}

const char *hg_tif_name(hg_tif tif) {
    static const char *const names[] = {"gtc", "ioc", "fok"};
    hg_assert(tif <= HG_TIF_FOK);
    return names[tif];
}
