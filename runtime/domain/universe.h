#ifndef HG_DOMAIN_UNIVERSE_H
#define HG_DOMAIN_UNIVERSE_H

#include "domain/instrument.h"

#define HG_ID_NONE UINT32_MAX

/* The names a session can speak of: instruments, underlyings, (underlying, expiry) pairs and
 * currencies, each with a dense id. Filled while a session is opened, read-only once it runs. */
typedef struct hg_universe hg_universe;

typedef struct hg_underlying {
    char name[HG_CODE_MAX];
    uint32_t currency; /* the coin of the same name */
    uint32_t first;    /* its instruments, in order of addition, linked through hg_universe_next */
} hg_underlying;

typedef struct hg_expiry {
    uint32_t underlying;
    int64_t time_ns;
} hg_expiry;

typedef struct hg_currency {
    char name[HG_CODE_MAX];
    bool stable;         /* counted as 1 USD: USD, USDC, USDT, ... */
    uint32_t underlying; /* whose index prices it in USD, or HG_ID_NONE */
} hg_currency;

hg_universe *hg_universe_new(void);
void hg_universe_free(hg_universe *universe);

/* Adds a checked instrument (or finds the one of that name: its terms stay) and returns its id. */
HG_MUST_CHECK int hg_universe_add(hg_universe *universe, const hg_instrument *inst, uint32_t *id);
/* Finds the name, or builds the instrument from it and adds it. */
HG_MUST_CHECK int hg_universe_add_name(hg_universe *universe, const char *name, uint32_t *id);
HG_MUST_CHECK int hg_universe_add_underlying(hg_universe *universe, const char *name, uint32_t *id);

uint32_t hg_universe_find(const hg_universe *universe, const char *name);            /* or NONE */
uint32_t hg_universe_find_underlying(const hg_universe *universe, const char *name); /* or NONE */
uint32_t hg_universe_find_currency(const hg_universe *universe, const char *name);   /* or NONE */
uint32_t hg_universe_find_expiry(const hg_universe *universe, uint32_t underlying, int64_t time_ns);

/* Dense arrays; pointers are valid until the next addition. */
uint32_t hg_universe_count(const hg_universe *universe);
uint32_t hg_universe_underlying_count(const hg_universe *universe);
uint32_t hg_universe_expiry_count(const hg_universe *universe);
uint32_t hg_universe_currency_count(const hg_universe *universe);
const hg_instrument *hg_universe_get(const hg_universe *universe, uint32_t id);
const hg_underlying *hg_universe_underlying(const hg_universe *universe, uint32_t id);
const hg_expiry *hg_universe_expiry(const hg_universe *universe, uint32_t id);
const hg_currency *hg_universe_currency(const hg_universe *universe, uint32_t id);
uint32_t hg_universe_next(const hg_universe *universe, uint32_t id); /* same underlying, or NONE */

/* The name nearest to an unknown one, for messages; NULL when nothing is near. */
const char *hg_universe_nearest(const hg_universe *universe, const char *name);

#endif
