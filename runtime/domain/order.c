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

const char *hg_alarm_code(hg_alarm alarm) {
    switch (alarm) {
#define HG_ALARM_CASE(name, code, text)                                                            \
    case HG_ALARM_##name:                                                                          \
        return code;
        HG_ALARM_MAP(HG_ALARM_CASE)
#undef HG_ALARM_CASE
    default:
        return "unknown";
    }
}

const char *hg_alarm_text(hg_alarm alarm) {
    switch (alarm) {
#define HG_ALARM_CASE(name, code, text)                                                            \
    case HG_ALARM_##name:                                                                          \
        return text;
        HG_ALARM_MAP(HG_ALARM_CASE)
#undef HG_ALARM_CASE
    default:
        return "unknown alarm";
    }
}

const char *hg_order_state_name(hg_order_state state) {
    static const char *const names[HG_ORDER_STATES] = {
        "intent",    "sent",     "working", "partial", "filled",
        "cancelled", "rejected", "expired", "unknown", "untriggered"};
    hg_assert(state < HG_ORDER_STATES);
    return names[state];
}

const char *hg_order_type_name(hg_order_type type) {
    static const char *const names[HG_ORDER_TYPES] = {
        "market",       "limit", "stop", "stop_limit", "take_profit", "take_profit_limit",
        "trailing_stop"};
    hg_assert(type < HG_ORDER_TYPES);
    return names[type];
}

const char *hg_tif_name(hg_tif tif) {
    static const char *const names[HG_TIFS] = {"gtc", "ioc", "fok", "gtd"};
    hg_assert(tif < HG_TIFS);
    return names[tif];
}

const char *hg_trigger_name(hg_trigger trigger) {
    static const char *const names[HG_TRIGGERS] = {"", "last", "mark", "index"};
    hg_assert(trigger < HG_TRIGGERS);
    return names[trigger];
}

const char *hg_role_name(hg_role role) {
    static const char *const names[HG_ROLES] = {"", "entry", "take_profit", "stop"};
    hg_assert(role < HG_ROLES);
    return names[role];
}
