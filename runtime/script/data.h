#ifndef HG_SCRIPT_DATA_H
#define HG_SCRIPT_DATA_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Lua data files (books, instrument lists, configuration): text chunks run with an empty
 * environment, a budget and a memory cap, returning a list of tables or one table. Values are
 * texts, numbers and booleans; tables inside a row, up to three deep, give fields called
 * "outer.inner". */
typedef struct hg_data_field {
    const char *key;
    enum { HG_DATA_TEXT, HG_DATA_NUMBER, HG_DATA_BOOL } type;
    const char *text; /* for numbers: their exact text ("0.1"), good for hg_nano_parse */
    double number;
    bool truth;
} hg_data_field;

/* Calls `row` for each table of the list, in order (row 1..n), fields sorted by key. A negative
 * return of `row` stops and is passed on, with "FILE: row N" put in front of the record. */
HG_MUST_CHECK int hg_data_load(const char *path,
                               int (*row)(void *context, int index, const hg_data_field *fields,
                                          size_t count),
                               void *context);

#endif
