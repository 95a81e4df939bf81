#ifndef HG_APP_DATAFILE_H
#define HG_APP_DATAFILE_H

#include "domain/universe.h"

/* Files people write: books, instrument lists and configuration. Lua data files (`return { ... }`)
 * or CSV with a header line; the same columns in both. */

/* One flat row. Values are text as written; numbers keep their digits. */
typedef struct hg_row_field {
    const char *key;
    const char *value;
} hg_row_field;

typedef int (*hg_row_fn)(void *context, int row, const hg_row_field *fields, size_t count);

/* Calls `fn` for each row. A negative return stops with "FILE: row N: ..." in the record. */
HG_MUST_CHECK int hg_rows_load(const char *path, hg_row_fn fn, void *context);

/* Value of a field, or NULL when it is absent or empty. */
const char *hg_row_get(const hg_row_field *fields, size_t count, const char *key);

/* Instruments the built-in names do not cover. Columns: name, kind, underlying, quote, settle,
 * inverse, expiry (27FEB26 or Unix seconds), strike, type (C or P), tick, tick_above, tick_step,
 * lot, maker, taker, fee_cap, delivery, initial_margin, initial_margin_min, maintenance_margin,
 * margin_per_coin, liquidation (domain/margin_terms.h; without them the built-in table). */
HG_MUST_CHECK int hg_instruments_load(const char *path, hg_universe *universe);

/* A book: instrument, size (signed, venue's amount unit), entry (optional, quote unit) and label
 * (optional: to give rows to a strategy by). */
typedef struct hg_book_row {
    uint32_t instrument;
    hg_lots lots;
    hg_nano entry; /* 0: unknown */
    char label[32];
} hg_book_row;

typedef struct hg_book {
    hg_book_row *rows; /* freed by hg_book_free */
    size_t count;
} hg_book;

/* Names that the universe lacks are built from their grammar and added. */
HG_MUST_CHECK int hg_book_load(const char *path, hg_universe *universe, hg_book *book);
HG_MUST_CHECK int hg_book_add(hg_book *book, hg_universe *universe, const char *name, hg_nano size,
                              hg_nano entry);
void hg_book_free(hg_book *book);

#endif
