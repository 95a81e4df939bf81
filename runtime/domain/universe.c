/* The universe: growing arrays and one name map per kind of thing. It allocates while a session is
 * opened; once the session runs it is only read. */
#include "domain/universe.h"

#include "base/assert.h"
#include "base/map.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hg_universe {
    hg_instrument *instruments;
    hg_underlying *underlyings;
    hg_expiry *expiries;
    hg_currency *currencies;
    uint32_t *next; /* per instrument: the next one of the same underlying */
    uint32_t *last; /* per underlying: its newest instrument */
    uint32_t count, underlying_count, expiry_count, currency_count;
    hg_map *names;
    hg_map *underlying_names;
    hg_map *currency_names;
    hg_map *expiry_names; /* "BTC@time" */
};

hg_universe *hg_universe_new(void) {
    hg_universe *u = calloc(1, sizeof *u);
    if (!u) {
        return NULL;
    }
    u->names = hg_map_new(64);
    u->underlying_names = hg_map_new(8);
    u->currency_names = hg_map_new(8);
    u->expiry_names = hg_map_new(16);
    if (!u->names || !u->underlying_names || !u->currency_names || !u->expiry_names) {
        hg_universe_free(u);
        return NULL;
    }
    return u;
}

void hg_universe_free(hg_universe *u) {
    if (!u) {
        return;
    }
    hg_map_free(u->names);
    hg_map_free(u->underlying_names);
    hg_map_free(u->currency_names);
    hg_map_free(u->expiry_names);
    free(u->instruments);
    free(u->underlyings);
    free(u->expiries);
    free(u->currencies);
    free(u->next);
    free(u->last);
    free(u);
}

/* Makes room for one more element; arrays double at powers of two. */
static int reserve(void *array, uint32_t count, size_t item_size) {
    if (count != 0 && (count < 16 || (count & (count - 1)) != 0)) {
        return HG_OK;
    }
    void **slot = array;
    size_t capacity = count == 0 ? 16 : (size_t)count * 2;
    void *bigger = realloc(*slot, capacity * item_size);
    if (!bigger) {
        return HG_ERR(HG_ENOMEM, "instrument table of %zu entries", capacity);
    }
    *slot = bigger;
    return HG_OK;
}

static bool currency_is_stable(const char *name) {
    static const char *const stable[] = {"USD", "USDC", "USDT", "USDE", "BUSD", "FDUSD", NULL};
    for (int i = 0; stable[i]; i++) {
        if (strcmp(stable[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int currency_add(hg_universe *u, const char *name, uint32_t *id) {
    *id = hg_map_find(u->currency_names, name);
    if (*id != HG_MAP_NONE) {
        return HG_OK;
    }
    int rc = reserve(&u->currencies, u->currency_count, sizeof *u->currencies);
    if (rc == HG_OK) {
        rc = hg_map_put(u->currency_names, name, u->currency_count);
    }
    if (rc < 0) {
        return rc;
    }
    hg_currency *c = &u->currencies[u->currency_count];
    *c = (hg_currency){.stable = currency_is_stable(name), .underlying = HG_ID_NONE};
    hg_text_copy(c->name, sizeof c->name, name);
    *id = u->currency_count++;
    return HG_OK;
}

int hg_universe_add_underlying(hg_universe *u, const char *name, uint32_t *id) {
    *id = hg_map_find(u->underlying_names, name);
    if (*id != HG_MAP_NONE) {
        return HG_OK;
    }
    uint32_t coin = 0;
    int rc = currency_add(u, name, &coin);
    if (rc == HG_OK) {
        rc = reserve(&u->underlyings, u->underlying_count, sizeof *u->underlyings);
    }
    if (rc == HG_OK) {
        rc = reserve(&u->last, u->underlying_count, sizeof *u->last);
    }
    if (rc == HG_OK) {
        rc = hg_map_put(u->underlying_names, name, u->underlying_count);
    }
    if (rc < 0) {
        return rc;
    }
    hg_underlying *un = &u->underlyings[u->underlying_count];
    *un = (hg_underlying){.currency = coin, .first = HG_ID_NONE};
    hg_text_copy(un->name, sizeof un->name, name);
    u->last[u->underlying_count] = HG_ID_NONE;
    u->currencies[coin].underlying = u->underlying_count;
    *id = u->underlying_count++;
    return HG_OK;
}

static void expiry_key(char *buf, size_t size, uint32_t underlying, int64_t time_ns) {
    snprintf(buf, size, "%u@%lld", underlying, (long long)time_ns);
}

static int expiry_add(hg_universe *u, uint32_t underlying, int64_t time_ns, uint32_t *id) {
    char key[48];
    expiry_key(key, sizeof key, underlying, time_ns);
    *id = hg_map_find(u->expiry_names, key);
    if (*id != HG_MAP_NONE) {
        return HG_OK;
    }
    int rc = reserve(&u->expiries, u->expiry_count, sizeof *u->expiries);
    if (rc == HG_OK) {
        rc = hg_map_put(u->expiry_names, key, u->expiry_count);
    }
    if (rc < 0) {
        return rc;
    }
    u->expiries[u->expiry_count] = (hg_expiry){underlying, time_ns};
    *id = u->expiry_count++;
    return HG_OK;
}

/* Fills the ids of `inst`, adding what they name. */
static int resolve(hg_universe *u, hg_instrument *inst) {
    int rc = hg_universe_add_underlying(u, inst->underlying, &inst->underlying_id);
    if (rc == HG_OK) {
        rc = currency_add(u, inst->settle, &inst->settle_id);
    }
    if (rc == HG_OK) {
        rc = currency_add(u, inst->quote, &inst->quote_id);
    }
    inst->expiry_id = HG_ID_NONE;
    if (rc == HG_OK && inst->expiry_ns > 0) {
        rc = expiry_add(u, inst->underlying_id, inst->expiry_ns, &inst->expiry_id);
    }
    return rc;
}

int hg_universe_add(hg_universe *u, const hg_instrument *given, uint32_t *id) {
    *id = hg_map_find(u->names, given->name);
    if (*id != HG_MAP_NONE) {
        return HG_OK;
    }
    int rc = hg_instrument_check(given);
    hg_instrument inst = *given;
    if (rc == HG_OK) {
        rc = resolve(u, &inst);
    }
    if (rc == HG_OK) {
        rc = reserve(&u->instruments, u->count, sizeof *u->instruments);
    }
    if (rc == HG_OK) {
        rc = reserve(&u->next, u->count, sizeof *u->next);
    }
    if (rc == HG_OK) {
        rc = hg_map_put(u->names, inst.name, u->count);
    }
    if (rc < 0) {
        return rc;
    }
    inst.id = u->count;
    hg_margin_terms_default(&inst);
    u->instruments[u->count] = inst;
    u->next[u->count] = HG_ID_NONE;
    uint32_t last = u->last[inst.underlying_id];
    if (last == HG_ID_NONE) {
        u->underlyings[inst.underlying_id].first = u->count;
    } else {
        u->next[last] = u->count;
    }
    u->last[inst.underlying_id] = u->count;
    *id = u->count++;
    return HG_OK;
}

int hg_universe_add_name(hg_universe *u, const char *name, uint32_t *id) {
    *id = hg_map_find(u->names, name);
    if (*id != HG_MAP_NONE) {
        return HG_OK;
    }
    hg_instrument inst;
    int rc = hg_instrument_from_name(name, &inst);
    return rc < 0 ? rc : hg_universe_add(u, &inst, id);
}

uint32_t hg_universe_find(const hg_universe *u, const char *name) {
    return hg_map_find(u->names, name);
}

uint32_t hg_universe_find_underlying(const hg_universe *u, const char *name) {
    return hg_map_find(u->underlying_names, name);
}

uint32_t hg_universe_find_currency(const hg_universe *u, const char *name) {
    return hg_map_find(u->currency_names, name);
}

uint32_t hg_universe_find_expiry(const hg_universe *u, uint32_t underlying, int64_t time_ns) {
    char key[48];
    expiry_key(key, sizeof key, underlying, time_ns);
    return hg_map_find(u->expiry_names, key);
}

uint32_t hg_universe_count(const hg_universe *u) {
    return u->count;
}

uint32_t hg_universe_underlying_count(const hg_universe *u) {
    return u->underlying_count;
}

uint32_t hg_universe_expiry_count(const hg_universe *u) {
    return u->expiry_count;
}

uint32_t hg_universe_currency_count(const hg_universe *u) {
    return u->currency_count;
}

const hg_instrument *hg_universe_get(const hg_universe *u, uint32_t id) {
    hg_assert(id < u->count);
    return &u->instruments[id];
}

const hg_underlying *hg_universe_underlying(const hg_universe *u, uint32_t id) {
    hg_assert(id < u->underlying_count);
    return &u->underlyings[id];
}

const hg_expiry *hg_universe_expiry(const hg_universe *u, uint32_t id) {
    hg_assert(id < u->expiry_count);
    return &u->expiries[id];
}

const hg_currency *hg_universe_currency(const hg_universe *u, uint32_t id) {
    hg_assert(id < u->currency_count);
    return &u->currencies[id];
}

uint32_t hg_universe_next(const hg_universe *u, uint32_t id) {
    hg_assert(id < u->count);
    return u->next[id];
}

const char *hg_universe_nearest(const hg_universe *u, const char *name) {
    const char *best = NULL;
    int best_distance = 6;
    for (uint32_t i = 0; i < u->count; i++) {
        int distance = hg_text_distance(name, u->instruments[i].name);
        if (distance < best_distance) {
            best = u->instruments[i].name;
            best_distance = distance;
        }
    }
    return best;
}
