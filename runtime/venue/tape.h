#ifndef HG_VENUE_TAPE_H
#define HG_VENUE_TAPE_H

#include "domain/feed.h"

/* A tape: recorded market events in one self-contained file (format in tape_int.h). It holds the
 * full terms of every instrument it speaks of, so that it replays without the program or the
 * instrument list that recorded it. Numbers are little-endian and every byte is under a CRC-32C. */
#define HG_TAPE_VERSION 1
#define HG_TAPE_SOURCE_MAX 24

typedef struct hg_tape_writer hg_tape_writer;

/* Starts PATH.tmp; PATH itself changes only when hg_tape_finish succeeds. The universe must outlive
 * the writer and may grow meanwhile. `source` says what it was made from ("deribit-chain"). */
HG_MUST_CHECK int hg_tape_create(const char *path, const hg_universe *universe, const char *source,
                                 hg_tape_writer **out);

/* Market events only (HG_EV_QUOTE .. HG_EV_STATUS). HG_EINVALID for others, for ids the universe
 * does not have, negative sizes, and a time before that of the event before; nothing is written
 * then and the writer stays usable. */
HG_MUST_CHECK int hg_tape_append(hg_tape_writer *writer, const hg_event *event);

/* Writes what is left and renames; or, with hg_tape_abandon, removes PATH.tmp. Both free it. */
HG_MUST_CHECK int hg_tape_finish(hg_tape_writer *writer);
void hg_tape_abandon(hg_tape_writer *writer);

/* Adds the tape's instruments to the universe and returns the feed of its events. Where the
 * universe already has an instrument, its fees win, and HG_EDATA tells when tick, lot or the
 * contract itself differ. HG_ENOTFOUND, HG_EVERSION, HG_EDATA name path and byte offset. Damage
 * inside a block is reported by hg_feed_next when it gets there; events before it are good. */
HG_MUST_CHECK int hg_tape_open(const char *path, hg_universe *universe, hg_feed **out);

typedef struct hg_tape_info {
    uint32_t version;
    char source[HG_TAPE_SOURCE_MAX];
    uint64_t bytes;
    uint64_t blocks;
    uint64_t events;
    uint64_t kinds[HG_EV_KINDS]; /* events by kind */
    uint32_t instruments;
    uint32_t underlyings;
    uint32_t expiries;
    uint32_t depth_count; /* instruments with depth events */
    int64_t start_ns;
    int64_t end_ns;
} hg_tape_info;

/* Reads the whole tape, checking every byte, and says what is in it. */
HG_MUST_CHECK int hg_tape_inspect(const char *path, hg_tape_info *info);

#endif
