/* A list that is sorted when it is first asked after it grew. */
#include "venue/import_terms_int.h"

#include <stdlib.h>
#include <string.h>

enum { TERMS_MAX = 1 << 17 };

void hg_import_terms_fini(hg_import_terms *terms) {
    free(terms->items);
    *terms = (hg_import_terms){0};
}

int hg_import_terms_push(hg_import_terms *terms, const hg_instrument *inst) {
    if (terms->count == terms->capacity) {
        uint32_t capacity = terms->capacity == 0 ? 256 : 2 * terms->capacity;
        if (capacity > TERMS_MAX) {
            return HG_ERR(HG_ELIMIT, "more than %d instruments in one capture", TERMS_MAX);
        }
        hg_instrument *bigger = realloc(terms->items, capacity * sizeof *bigger);
        if (!bigger) {
            return HG_ERR(HG_ENOMEM, "a list of %u instruments", capacity);
        }
        terms->items = bigger;
        terms->capacity = capacity;
    }
    terms->items[terms->count] = *inst;
    terms->items[terms->count].id = terms->count; /* order of arrival, for the sort */
    terms->count++;
    terms->sorted = false;
    return HG_OK;
}

static int compare_names(const void *a, const void *b) {
    const hg_instrument *x = a;
    const hg_instrument *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

const hg_instrument *hg_import_terms_find(hg_import_terms *terms, const char *name) {
    if (!terms->sorted && terms->count > 0) {
        qsort(terms->items, terms->count, sizeof *terms->items, compare_names);
        for (uint32_t i = 0; i < terms->count; i++) terms->items[i].id = i;
    }
    terms->sorted = true;
    uint32_t lo = 0;
    uint32_t hi = terms->count;
    while (lo < hi) { /* the first behind all of that name */
        uint32_t mid = (lo + hi) / 2;
        if (strcmp(terms->items[mid].name, name) <= 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo > 0 && strcmp(terms->items[lo - 1].name, name) == 0 ? &terms->items[lo - 1] : NULL;
}
