#ifndef HG_VENUE_IMPORT_TERMS_INT_H
#define HG_VENUE_IMPORT_TERMS_INT_H

#include "domain/instrument.h"

#include <stdint.h>

/* Contract terms a capture brings along (a venue lists thousands). An instrument enters the
 * universe only when an event names it. */
typedef struct hg_import_terms {
    hg_instrument *items;
    uint32_t count;
    uint32_t capacity;
    bool sorted;
} hg_import_terms;

void hg_import_terms_fini(hg_import_terms *terms);
HG_MUST_CHECK int hg_import_terms_push(hg_import_terms *terms, const hg_instrument *inst);
/* The terms pushed last under that name, or NULL. */
const hg_instrument *hg_import_terms_find(hg_import_terms *terms, const char *name);

#endif
