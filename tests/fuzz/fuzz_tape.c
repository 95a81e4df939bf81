/* Tapes with any bytes in them. Checksums are taken out (they are 0 here) and blocks are stored
 * plain, so that changed bytes reach the decoder; a small good tape is written as the first seed.
 * Whatever is decoded must be events that a session can bear. */
#include "fuzz.h"

#include "base/hash.h"
#include "venue/tape.h"
#include "venue/tape_int.h"

#include <string.h>
#include <unistd.h>

/* The linker puts these in the place of the real ones (see the Makefile). */
uint32_t __wrap_hg_crc32c(uint32_t crc, const void *data, size_t size);
size_t __wrap_ZSTD_compress2(void *context, void *out, size_t room, const void *in, size_t size);

uint32_t __wrap_hg_crc32c(uint32_t crc, const void *data, size_t size) {
    (void)crc;
    (void)data;
    (void)size;
    return 0;
}

size_t __wrap_ZSTD_compress2(void *context, void *out, size_t room, const void *in, size_t size) {
    (void)context;
    (void)out;
    (void)room;
    (void)in;
    (void)size;
    return (size_t)-1; /* an error: the block is stored as it is */
}

static void seed_write(const char *path) {
    static const char *const names[] = {"BTC-PERPETUAL", "BTC-27FEB26-80000-P", "BTC_USDC"};
    hg_universe *universe = hg_universe_new();
    must(universe != NULL, "memory");
    uint32_t id = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        must(hg_universe_add_name(universe, names[i], &id) == HG_OK, "names are known");
    }
    hg_tape_writer *writer = NULL;
    must(hg_tape_create(path, universe, "fuzz", &writer) == HG_OK, "the corpus can be written");
    for (int i = 0; i < 60; i++) {
        hg_event event = {.time_ns = 1769700000 * INT64_C(1000000000) + i * 1000,
                          .kind = (uint8_t)(HG_EV_QUOTE + i % HG_EV_STATUS)};
        if (event.kind == HG_EV_QUOTE) {
            event.quote.bid = 80000 + i;
            event.quote.ask = 80001 + i;
            event.quote.bid_size = event.quote.ask_size = 10;
        } else if (event.kind == HG_EV_DEPTH || event.kind == HG_EV_TRADE) {
            event.side = 1;
            event.level.price = 80000;
            event.level.size = i;
        } else {
            event.price.value = i;
        }
        must(hg_tape_append(writer, &event) == HG_OK, "events are written");
    }
    must(hg_tape_finish(writer) == HG_OK, "the tape is closed");
    hg_universe_free(universe);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    for (int i = 1; i < *argc; i++) {
        char path[4096];
        if ((*argv)[i][0] == '-' || strncmp((*argv)[i], "build/", 6) != 0) {
            continue;
        }
        int size = snprintf(path, sizeof path, "%s/seed", (*argv)[i]);
        if (size > 0 && (size_t)size < sizeof path && access((*argv)[i], W_OK) == 0) {
            seed_write(path);
        }
        break;
    }
    return 0;
}

static void event_judge(const hg_event *event, const hg_universe *universe, int64_t *last_ns) {
    must(event->time_ns >= *last_ns, "time does not go back");
    *last_ns = event->time_ns;
    must(event->kind >= HG_EV_QUOTE && event->kind <= HG_EV_STATUS, "only market events");
    uint32_t count = event->kind == HG_EV_INDEX     ? hg_universe_underlying_count(universe)
                     : event->kind == HG_EV_FORWARD ? hg_universe_expiry_count(universe)
                                                    : hg_universe_count(universe);
    must(event->id < count, "the event names something that exists");
    if (event->kind == HG_EV_QUOTE) {
        must(event->quote.bid_size >= 0 && event->quote.ask_size >= 0, "sizes are not negative");
    } else if (event->kind == HG_EV_DEPTH || event->kind == HG_EV_TRADE) {
        must(event->level.size >= 0, "sizes are not negative");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    hg_universe *universe = hg_universe_new();
    must(universe != NULL, "memory");
    hg_feed *feed = NULL;
    if (hg_tape_open_memory("fuzz", data, size, universe, &feed) == HG_OK) {
        int64_t last_ns = INT64_MIN;
        hg_event event;
        while (hg_feed_next(feed, &event) == 1) {
            event_judge(&event, universe, &last_ns);
        }
        hg_feed_close(feed);
    }
    hg_universe_free(universe);
    return 0;
}
