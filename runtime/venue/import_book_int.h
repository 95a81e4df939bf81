#ifndef HG_VENUE_IMPORT_BOOK_INT_H
#define HG_VENUE_IMPORT_BOOK_INT_H

#include "venue/import_int.h"

/* The level-2 book of one instrument while its updates are being imported: enough to know what an
 * update changes and whether it leaves the book crossed. */
typedef struct hg_import_level {
    hg_ticks price;
    hg_lots size;
} hg_import_level;

typedef struct hg_import_ladder {
    hg_import_level *levels; /* the best one last, so that changes near it move little memory */
    uint32_t count;
    uint32_t capacity;
} hg_import_ladder;

typedef struct hg_import_book {
    hg_import_ladder bids;
    hg_import_ladder asks;
} hg_import_book;

/* More levels than any venue sends; the worst ones beyond it are dropped. */
enum { HG_IMPORT_LEVELS_MAX = 1 << 17 };

void hg_import_book_fini(hg_import_book *book);
void hg_import_book_clear(hg_import_book *book);
bool hg_import_book_crossed(const hg_import_book *book);

/* Sets a level (size 0 deletes it) and, when that changes the book or the flag must be said, adds
 * the event to the open batch. */
HG_MUST_CHECK int hg_import_book_set(hg_import *im, hg_import_book *book, const hg_event *level);

#endif
