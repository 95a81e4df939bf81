#ifndef HG_VENUE_TAPE_INT_H
#define HG_VENUE_TAPE_INT_H

#include "venue/tape.h"

#include <stddef.h>
#include <string.h>

/* The format, version 1. All integers little-endian.
 *
 *   header   48 bytes: magic[8], version u32, source[24] NUL-padded, two reserved u32 = 0, crc u32
 *   block*   frame + payload; the last block holds the tables, those before it the events
 *   trailer  32 bytes: offset of the tables u64, size of the file u64, reserved u32 = 0, crc u32,
 *            magic[8]
 *
 *   frame    32 bytes: magic u32, kind u8 (0 events, 1 tables), coding u8 (0 stored, 1 zstd),
 *            reserved u16 = 0, number u32 from 0, events u32, raw size u32, stored size u32,
 *            seed u32, crc u32
 *
 * The crc of a block covers its frame (without the crc) and its payload. `seed` is the crc of the
 * block before, so that blocks cannot be swapped or left out unseen; the tables hold the last one.
 *
 * Events are delta coded against the last event of the same kind and instrument; the state runs on
 * from block to block. One event:
 *
 *   tag      kind (bits 0..3), HG_EVF_MORE (4), time as before (5), id as before (6), a byte with
 *            the other flags follows (7)
 *   time     varint, nanoseconds since the event before
 *   id       zigzag varint, difference to the last id of the same sort (instrument, underlying,
 *            expiry)
 *   quote    mask of the fields that changed (bid, ask, bid size, ask size), a zigzag varint each
 *   mark     mask (price, iv), a zigzag varint each
 *   depth    zigzag varint of the price against the last level, varint size * 2 + (1 for bids)
 *   trade    side byte (0 none, 1 buy, 2 sell), zigzag varint of the price, varint size
 *   others   zigzag varint of the value; status has nothing
 *
 * Ids are the tape's own: dense, in order of first use. */

enum {
    HG_TAPE_HEADER_SIZE = 48,
    HG_TAPE_TRAILER_SIZE = 32,
    HG_TAPE_FRAME_SIZE = 32,
    HG_TAPE_BLOCK_SIZE = 1 << 17,  /* raw bytes of events per block */
    HG_TAPE_TABLES_MAX = 64 << 20, /* raw bytes of the tables */
    HG_TAPE_EVENT_MAX = 64,        /* bytes of one coded event: 1 + 10 + 10 + 1 + 4 * 10 + flags */
    HG_TAPE_IDS_MAX = 1 << 20,     /* instruments, underlyings and expiries, each */
    HG_TAPE_KINDS = HG_EV_STATUS + 1,
};

enum { HG_TAPE_EVENTS = 0, HG_TAPE_TABLES = 1 };
enum { HG_TAPE_STORED = 0, HG_TAPE_ZSTD = 1 };

/* What an id means. */
typedef enum { HG_TAPE_INSTRUMENT, HG_TAPE_UNDERLYING, HG_TAPE_EXPIRY, HG_TAPE_SORTS } hg_tape_sort;

static inline hg_tape_sort hg_tape_kind_sort(unsigned kind) {
    return kind == HG_EV_INDEX     ? HG_TAPE_UNDERLYING
           : kind == HG_EV_FORWARD ? HG_TAPE_EXPIRY
                                   : HG_TAPE_INSTRUMENT;
}

// --- bytes --------------------------------------------------------------------------------------

static inline void hg_tape_put32(unsigned char *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(v >> (8 * i));
}

static inline void hg_tape_put64(unsigned char *p, uint64_t v) {
    for (int i = 0; i < 8; i++) p[i] = (unsigned char)(v >> (8 * i));
}

static inline uint32_t hg_tape_get32(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t hg_tape_get64(const unsigned char *p) {
    return (uint64_t)hg_tape_get32(p) | (uint64_t)hg_tape_get32(p + 4) << 32;
}

/* LEB128. Writes at most 10 bytes. */
static inline unsigned char *hg_tape_put_varint(unsigned char *p, uint64_t v) {
    while (v >= 0x80) {
        *p++ = (unsigned char)(v | 0x80);
        v >>= 7;
    }
    *p++ = (unsigned char)v;
    return p;
}

/* Reads at most 10 bytes, which the caller must own; bits beyond 64 are dropped. */
static inline const unsigned char *hg_tape_get_varint(const unsigned char *p, uint64_t *v) {
    uint64_t value = *p & 0x7f;
    int shift = 7;
    while (*p++ >= 0x80 && shift < 70) {
        value |= (uint64_t)(*p & 0x7f) << shift;
        shift += 7;
    }
    *v = value;
    return p;
}

static inline uint64_t hg_tape_zigzag(uint64_t delta) {
    return (delta << 1) ^ (0 - (delta >> 63));
}

static inline uint64_t hg_tape_unzigzag(uint64_t v) {
    return (v >> 1) ^ (0 - (v & 1));
}

// --- events -------------------------------------------------------------------------------------

/* The last values of one instrument; deltas wrap, so any int64 survives. */
typedef struct hg_tape_last {
    uint64_t quote[4];
    uint64_t mark[2];
    uint64_t level;
    uint64_t trade;
    uint64_t value[2]; /* funding, settle */
} hg_tape_last;

/* State of coder and decoder. The arrays are the owner's, zeroed and as long as there are ids. */
typedef struct hg_tape_codec {
    hg_tape_last *instruments;
    uint64_t *values[HG_TAPE_SORTS]; /* of underlyings (index) and expiries (forward) */
    uint32_t counts[HG_TAPE_SORTS];
    uint32_t ids[HG_TAPE_SORTS];
    int64_t time_ns;
} hg_tape_codec;

/* Makes the arrays hold `counts` ids; existing values are kept. HG_ENOMEM. */
HG_MUST_CHECK int hg_tape_codec_reserve(hg_tape_codec *codec, const uint32_t counts[HG_TAPE_SORTS]);
void hg_tape_codec_fini(hg_tape_codec *codec);

/* The event's id is the tape's own. `out` has HG_TAPE_EVENT_MAX bytes; returns the end. */
unsigned char *hg_tape_encode(hg_tape_codec *codec, const hg_event *event, unsigned char *out);

/* Reads one event at `p`, behind which HG_TAPE_EVENT_MAX bytes can be read; the caller checks that
 * the end it returns lies inside the block. NULL: not an event. The id is the tape's own. */
const unsigned char *hg_tape_decode(hg_tape_codec *codec, const unsigned char *p, hg_event *event);

// --- frames -------------------------------------------------------------------------------------

typedef struct hg_tape_frame {
    uint8_t kind;
    uint8_t coding;
    uint32_t number;
    uint32_t events;
    uint32_t raw_size;
    uint32_t stored_size;
    uint32_t seed;
    uint32_t crc;
} hg_tape_frame;

void hg_tape_header_put(unsigned char out[HG_TAPE_HEADER_SIZE], const char *source);
void hg_tape_trailer_put(unsigned char out[HG_TAPE_TRAILER_SIZE], uint64_t tables, uint64_t size);
/* Sets frame->crc. */
void hg_tape_frame_put(unsigned char out[HG_TAPE_FRAME_SIZE], hg_tape_frame *frame,
                       const void *payload);

/* The checks of the same; the record says what is wrong, the caller adds path and offset. */
HG_MUST_CHECK int hg_tape_header_get(const unsigned char in[HG_TAPE_HEADER_SIZE],
                                     char source[HG_TAPE_SOURCE_MAX]);
HG_MUST_CHECK int hg_tape_trailer_get(const unsigned char in[HG_TAPE_TRAILER_SIZE], uint64_t size,
                                      uint64_t *tables);
/* Of the fields only; hg_tape_frame_check then checks the crc over the payload. */
HG_MUST_CHECK int hg_tape_frame_get(const unsigned char in[HG_TAPE_FRAME_SIZE],
                                    hg_tape_frame *frame);
HG_MUST_CHECK int hg_tape_frame_check(const unsigned char in[HG_TAPE_FRAME_SIZE],
                                      const hg_tape_frame *frame, const void *payload);

// --- tables -------------------------------------------------------------------------------------

typedef struct hg_tape_summary {
    uint64_t blocks; /* of events */
    uint64_t events;
    uint64_t kinds[HG_TAPE_KINDS];
    int64_t start_ns;
    int64_t end_ns;
    uint32_t depth_count;
    uint32_t last_crc;
} hg_tape_summary;

/* Universe ids in the order of the tape's own ids, and back. */
typedef struct hg_tape_ids {
    uint32_t *global[HG_TAPE_SORTS];
    uint32_t counts[HG_TAPE_SORTS];
} hg_tape_ids;

/* `data` is fresh memory the caller frees. */
HG_MUST_CHECK int hg_tape_tables_put(const hg_tape_summary *summary, const hg_tape_ids *ids,
                                     const hg_universe *universe, unsigned char **data,
                                     size_t *size);
/* Adds to the universe and fills `ids` (free with hg_tape_ids_fini also after a failure). */
HG_MUST_CHECK int hg_tape_tables_get(const unsigned char *data, size_t size,
                                     hg_tape_summary *summary, hg_tape_ids *ids,
                                     hg_universe *universe);
void hg_tape_ids_fini(hg_tape_ids *ids);

// --- reading from memory (tests and fuzzing) ----------------------------------------------------

/* Like hg_tape_open; the bytes stay the caller's and must outlive the feed. */
HG_MUST_CHECK int hg_tape_open_memory(const char *name, const void *data, size_t size,
                                      hg_universe *universe, hg_feed **out);

#endif
