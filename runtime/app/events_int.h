#ifndef HG_APP_EVENTS_INT_H
#define HG_APP_EVENTS_INT_H

#include "app/events.h"
#include "base/json.h"

/* Private to the writers of the events file. Every line is built in a fixed buffer and written
 * whole, so that a reader never meets half a record. */
#define HG_LINE_MAX_BYTES 4096

typedef struct hg_line {
    hg_json json;
    char buf[HG_LINE_MAX_BYTES];
} hg_line;

bool hg_events_wanted(const hg_events *events);
void hg_line_open_at(hg_line *l, int64_t time_ns, const char *kind);
/* ... or at the last sample, where that is later: what is told after it is not older. */
void hg_line_open_after(hg_line *l, const hg_events *events, int64_t time_ns, const char *kind);
void hg_line_open(hg_line *l, const hg_events *events, const char *kind); /* at event time now */
void hg_line_close(hg_line *l, hg_events *events);
void hg_line_price(hg_line *l, const char *key, const hg_instrument *inst, hg_ticks price);
void hg_line_size(hg_line *l, const char *key, const hg_instrument *inst, hg_lots size);

/* For a line that names it: its terms are told first, once (events_book.c). */
const hg_instrument *hg_events_instrument(hg_events *events, uint32_t id);
const char *hg_events_script(const hg_events *events, uint16_t index); /* "" for no strategy */

void hg_events_deposits(hg_events *events);
void hg_events_first_mark(void *context, uint32_t id, double price, double usd);

#endif
