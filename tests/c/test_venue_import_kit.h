/* Runs an importer over a text or a file and keeps its events, checking what holds for all of them:
 * times never decrease, batches are closed, sizes are not negative, quotes are not crossed. */
#ifndef HG_TESTS_VENUE_IMPORT_KIT_H
#define HG_TESTS_VENUE_IMPORT_KIT_H

#include "test.h"

#include "venue/import.h"

#include <stdlib.h>
#include <string.h>

typedef struct kit {
    hg_import_sink sink; /* first: the sink is the kit */
    hg_universe *universe;
    hg_import_options options;
    hg_import_report report;
    hg_event *events;
    size_t count, capacity;
    int rc;
} kit;

static inline int kit_put(hg_import_sink *sink, const hg_event *ev) {
    kit *k = (kit *)sink;
    CHECK(k->count == 0 || ev->time_ns >= k->events[k->count - 1].time_ns);
    CHECK(k->count == 0 || !(k->events[k->count - 1].flags & HG_EVF_MORE) ||
          ev->time_ns == k->events[k->count - 1].time_ns);
    if (ev->kind == HG_EV_QUOTE) {
        CHECK(ev->quote.bid_size >= 0 && ev->quote.ask_size >= 0);
        bool both = ev->quote.bid_size > 0 && ev->quote.ask_size > 0;
        CHECK(!both || ev->quote.bid < ev->quote.ask);
        CHECK(ev->quote.bid_size == 0 || ev->quote.bid > 0);
    }
    if (k->count == k->capacity) {
        k->capacity = k->capacity == 0 ? 1024 : 2 * k->capacity;
        k->events = realloc(k->events, k->capacity * sizeof *k->events);
        CHECK(k->events);
    }
    k->events[k->count++] = *ev;
    return HG_OK;
}

static inline void kit_init(kit *k) {
    *k = (kit){.sink = {.put = kit_put}};
    hg_import_options_init(&k->options);
    k->universe = hg_universe_new();
    CHECK(k->universe);
}

static inline void kit_fini(kit *k) {
    free(k->events);
    hg_universe_free(k->universe);
}

static inline void kit_input(kit *k, const char *kind, hg_text_input *input) {
    k->rc = hg_import_run(hg_import_kind_find(kind), input, &k->options, k->universe, &k->sink,
                          &k->report);
    hg_text_input_close(input);
    CHECK_EQ(k->report.events, k->count);
    if (k->rc == HG_OK) {
        CHECK(!(k->events[k->count - 1].flags & HG_EVF_MORE));
    }
}

static inline void kit_text(kit *k, const char *kind, const char *text) {
    hg_text_input *input = NULL;
    CHECK_EQ(hg_text_input_open_memory("x.txt", text, strlen(text), &input), HG_OK);
    kit_input(k, kind, input);
}

static inline void kit_file(kit *k, const char *kind, const char *path) {
    hg_text_input *input = NULL;
    CHECK_EQ(hg_text_input_open(path, &input), HG_OK);
    kit_input(k, kind, input);
}

/* How often a reason was counted. */
static inline long long kit_reason(const kit *k, hg_import_reason reason) {
    return (long long)k->report.reasons[reason].count;
}

/* The n-th event of a kind, from 0. */
static inline const hg_event *kit_event(const kit *k, hg_event_kind kind, size_t n) {
    for (size_t i = 0; i < k->count; i++) {
        if (k->events[i].kind == kind && n-- == 0) {
            return &k->events[i];
        }
    }
    CHECK(!"no such event");
    return NULL;
}

#endif
