/*
 * Field names as small numbers. Lua interns short strings, so the address of a key names it: a
 * look-up is one hash of a pointer instead of a comparison of texts.
 */
#ifndef HG_SCRIPT_NAMES_INT_H
#define HG_SCRIPT_NAMES_INT_H

#include <stdint.h>

#include <lua.h>

// clang-format off
#define HG_NAME_MAP(X)                                                                        \
    X(instrument) X(bid) X(ask) X(bid_size) X(ask_size) X(mark) X(index) X(iv) X(time)        \
    X(underlying) X(kind) X(name) X(expiry) X(strike) X(type) X(inverse) X(tick) X(lot)       \
    X(multiplier) X(quote_currency) X(settle_currency) X(id) X(state) X(side) X(size)         \
    X(filled) X(price) X(reason) X(tif) X(remaining) X(code) X(message) X(line) X(limit)      \
    X(average) X(post_only) X(reduce_only) X(delta) X(delta_net) X(delta_usd) X(gamma)        \
    X(vega) X(theta) X(rho) X(vanna) X(volga) X(charm) X(notional) X(value) X(leverage)       \
    X(pending) X(age) X(quality) X(reasons) X(delta_filled) X(spot) X(by) X(delta_cash) \
    X(trigger) X(trigger_price) X(trail) X(trail_percent) X(triggered) X(emulated) X(expires)     \
    X(role) X(oco) X(parent)
// clang-format on

enum hg_name {
    HG_N_NONE,
#define HG_NAME_ENUM(name) HG_N_##name,
    HG_NAME_MAP(HG_NAME_ENUM)
#undef HG_NAME_ENUM
        HG_NAME_COUNT
};

#define HG_NAME_SLOTS 256u

/* Key and code stand together: a look-up is one cache line. */
typedef struct hg_names {
    struct {
        const char *key;
        unsigned code;
    } slot[HG_NAME_SLOTS];
} hg_names;

/* Anchors every name in the registry and fills the table. May raise (memory). */
void l_names_init(lua_State *L, hg_names *names);

static inline unsigned hg_name_slot(const char *key) {
    return (unsigned)((uintptr_t)key >> 4) * 2654435761u >> 24;
}

/* Code of the string at `index`, HG_N_NONE for anything else (a number becomes a text that is no
 * name). */
static inline unsigned hg_name_of(lua_State *L, const hg_names *names, int index) {
    const char *key = lua_tolstring(L, index, NULL);
    if (!key) return HG_N_NONE;
    for (unsigned i = hg_name_slot(key); names->slot[i].key; i = (i + 1) % HG_NAME_SLOTS) {
        if (names->slot[i].key == key) return names->slot[i].code;
    }
    return HG_N_NONE;
}

#endif
