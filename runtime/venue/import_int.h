#ifndef HG_VENUE_IMPORT_INT_H
#define HG_VENUE_IMPORT_INT_H

#include "venue/import.h"

#include <stddef.h>

/* What every importer carries around. */
typedef struct hg_import {
    hg_text_input *input;
    const hg_import_options *options;
    hg_universe *universe;
    hg_import_sink *sink;
    hg_import_report *report;
    hg_event held; /* the last event of the open batch: only then is it known to be the last */
    bool holding;
} hg_import;

/* Next line, counted, with progress. 1, 0 at the end, < 0. */
HG_MUST_CHECK int hg_import_line(hg_import *import, char **line, size_t *len);

/* Counts a rejected row under the line it came from. */
void hg_import_reject(hg_import *import, hg_import_reason reason);

/* Events of one update: all but the last get HG_EVF_MORE. */
HG_MUST_CHECK int hg_import_add(hg_import *import, const hg_event *event);
HG_MUST_CHECK int hg_import_close(hg_import *import); /* ends the batch; nothing if it is empty */

/* The instrument of that name, added by its name when the universe does not have it. HG_ID_NONE
 * when it is unknown. */
uint32_t hg_import_instrument(hg_import *import, const char *name);

/* Like hg_nano_parse, fast for what files contain. */
bool hg_import_nano(const char *text, size_t len, hg_nano *nano);
/* Decimal digits only, up to INT64_MAX. */
bool hg_import_integer(const char *text, size_t len, int64_t *value);
#define HG_IMPORT_MS_MAX INT64_C(9000000000000) /* year 2255: nanoseconds still fit */

/* One side of a quote as text or value to ticks and lots. An absent side has size 0. */
typedef struct hg_import_side {
    hg_ticks price;
    hg_lots size;
} hg_import_side;

/* HG_IMPORT_REASONS when the price and size make a side, else why not. */
hg_import_reason hg_import_side_make(const hg_instrument *inst, hg_nano price, hg_nano size,
                                     hg_import_side *side);

// --- CSV ----------------------------------------------------------------------------------------

enum { HG_CSV_COLUMNS_MAX = 64 };

typedef struct hg_csv_field {
    const char *text;
    size_t len;
} hg_csv_field;

/* Which column each wanted name is in, -1 = it is not there. */
typedef struct hg_csv {
    int columns[HG_CSV_COLUMNS_MAX];
    int last; /* the last column that is needed */
    hg_csv_field fields[HG_CSV_COLUMNS_MAX];
} hg_csv;

/* Reads the header line. `names` ends with NULL; the first `required` must be there: HG_EDATA names
 * those that are not. */
HG_MUST_CHECK int hg_csv_header(hg_csv *csv, hg_import *import, const char *const *names,
                                int required);
/* Cuts a row, terminating each field. False when it has too few columns or a NUL byte. */
bool hg_csv_row(hg_csv *csv, char *line, size_t len);
/* The field of wanted name number `name`; empty when there is no such column. */
hg_csv_field hg_csv_get(const hg_csv *csv, int name);

// --- the importers ------------------------------------------------------------------------------

int hg_import_quotes_csv(hg_text_input *input, const hg_import_options *options,
                         hg_universe *universe, hg_import_sink *sink, hg_import_report *report);
int hg_import_deribit_chain(hg_text_input *input, const hg_import_options *options,
                            hg_universe *universe, hg_import_sink *sink, hg_import_report *report);
int hg_import_deribit_ws(hg_text_input *input, const hg_import_options *options,
                         hg_universe *universe, hg_import_sink *sink, hg_import_report *report);
int hg_import_binance_l2(hg_text_input *input, const hg_import_options *options,
                         hg_universe *universe, hg_import_sink *sink, hg_import_report *report);
int hg_import_ohlc(hg_text_input *input, const hg_import_options *options, hg_universe *universe,
                   hg_import_sink *sink, hg_import_report *report);

#endif
