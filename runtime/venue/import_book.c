/* Sorted ladders with binary search. */
#include "venue/import_book_int.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

void hg_import_book_fini(hg_import_book *book) {
    free(book->bids.levels);
    free(book->asks.levels);
    *book = (hg_import_book){0};
}

void hg_import_book_clear(hg_import_book *book) {
    book->bids.count = 0;
    book->asks.count = 0;
}

bool hg_import_book_crossed(const hg_import_book *book) {
    const hg_import_ladder *b = &book->bids;
    const hg_import_ladder *a = &book->asks;
    return b->count > 0 && a->count > 0 &&
           b->levels[b->count - 1].price >= a->levels[a->count - 1].price;
}

/* Position of the first level that is not worse than `price`. */
static uint32_t find(const hg_import_ladder *l, hg_ticks price, bool bids) {
    uint32_t lo = 0;
    uint32_t hi = l->count;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        bool worse = bids ? l->levels[mid].price < price : l->levels[mid].price > price;
        if (worse) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static int insert(hg_import_ladder *l, uint32_t at, hg_ticks price, hg_lots size) {
    if (l->count == HG_IMPORT_LEVELS_MAX) {
        if (at == 0) {
            return HG_OK;
        }
        memmove(l->levels, l->levels + 1, (l->count - 1) * sizeof *l->levels);
        l->count--;
        at--;
    }
    if (l->count == l->capacity) {
        uint32_t capacity = l->capacity == 0 ? 1024 : 2 * l->capacity;
        hg_import_level *bigger = realloc(l->levels, capacity * sizeof *bigger);
        if (!bigger) {
            return HG_ERR(HG_ENOMEM, "a book of %u levels", capacity);
        }
        l->levels = bigger;
        l->capacity = capacity;
    }
    memmove(l->levels + at + 1, l->levels + at, (l->count - at) * sizeof *l->levels);
    l->levels[at] = (hg_import_level){price, size};
    l->count++;
    return HG_OK;
}

/* Sets the level; tells whether anything changed. */
static int ladder_set(hg_import_ladder *l, const hg_event *ev, bool *changed) {
    uint32_t at = find(l, ev->level.price, ev->side == HG_BUY);
    bool present = at < l->count && l->levels[at].price == ev->level.price;
    *changed = present ? l->levels[at].size != ev->level.size : ev->level.size > 0;
    if (!present) {
        return ev->level.size > 0 ? insert(l, at, ev->level.price, ev->level.size) : HG_OK;
    }
    l->levels[at].size = ev->level.size;
    if (ev->level.size == 0) {
        memmove(l->levels + at, l->levels + at + 1, (l->count - at - 1) * sizeof *l->levels);
        l->count--;
    }
    return HG_OK;
}

int hg_import_book_set(hg_import *im, hg_import_book *book, const hg_event *level) {
    hg_assert(level->kind == HG_EV_DEPTH && level->level.size >= 0);
    bool changed = false;
    int rc = ladder_set(level->side == HG_BUY ? &book->bids : &book->asks, level, &changed);
    if (rc == HG_OK && (changed || level->flags != 0)) {
        rc = hg_import_add(im, level);
    }
    return rc;
}
