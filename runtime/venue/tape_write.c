/* Writes a tape: events are coded into a buffer, a full buffer becomes a compressed block, and the
 * tables follow when the recording is finished. Only what the events name goes into the tables. */
#include "venue/tape_int.h"

#include "base/assert.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

/* Level 1 packs a chain tape to within 8 % of level 3 in half the time. */
enum { ZSTD_LEVEL = 1, PATH_SIZE = 4096 };

struct hg_tape_writer {
    char path[PATH_SIZE];
    char tmp[PATH_SIZE + 4];
    FILE *file;
    uint64_t offset;
    const hg_universe *universe;
    hg_tape_codec codec;
    hg_tape_ids ids;
    uint32_t capacity[HG_TAPE_SORTS]; /* of ids.global */
    uint32_t *local[HG_TAPE_SORTS];   /* universe id -> the tape's own + 1, 0 = not yet used */
    uint32_t local_count[HG_TAPE_SORTS];
    unsigned char *has_depth; /* by own instrument id */
    uint32_t has_depth_count;
    hg_tape_summary summary;
    unsigned char *raw;
    size_t raw_size;
    uint32_t raw_events;
    unsigned char *packed;
    size_t packed_capacity;
    ZSTD_CCtx *zstd;
};

static int write_failed(const hg_tape_writer *w) {
    return HG_ERR(HG_EIO, "%s: offset %llu: %s", w->tmp, (unsigned long long)w->offset,
                  strerror(errno));
}

static int put_bytes(hg_tape_writer *w, const void *data, size_t size) {
    if (fwrite(data, 1, size, w->file) != size) {
        return write_failed(w);
    }
    w->offset += size;
    return HG_OK;
}

static void writer_free(hg_tape_writer *w) {
    if (w->file) {
        fclose(w->file);
        unlink(w->tmp);
    }
    hg_tape_codec_fini(&w->codec);
    hg_tape_ids_fini(&w->ids);
    for (int s = 0; s < HG_TAPE_SORTS; s++) free(w->local[s]);
    free(w->has_depth);
    free(w->raw);
    free(w->packed);
    ZSTD_freeCCtx(w->zstd);
    free(w);
}

static int writer_alloc(hg_tape_writer *w) {
    w->packed_capacity = ZSTD_compressBound(HG_TAPE_BLOCK_SIZE);
    w->raw = malloc(HG_TAPE_BLOCK_SIZE);
    w->packed = malloc(w->packed_capacity);
    w->zstd = ZSTD_createCCtx();
    if (!w->raw || !w->packed || !w->zstd) {
        return HG_ERR(HG_ENOMEM, "tape writer");
    }
    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    return HG_OK;
}

int hg_tape_create(const char *path, const hg_universe *universe, const char *source,
                   hg_tape_writer **out) {
    hg_tape_writer *w = calloc(1, sizeof *w);
    if (!w) {
        return HG_ERR(HG_ENOMEM, "tape writer");
    }
    w->universe = universe;
    if (!hg_text_copy(w->path, sizeof w->path, path) || path[0] == '\0') {
        free(w);
        return HG_ERR(HG_EINVALID, "the path of the tape is empty or too long");
    }
    snprintf(w->tmp, sizeof w->tmp, "%s.tmp", path);
    int rc = writer_alloc(w);
    if (rc == HG_OK) {
        w->file = fopen(w->tmp, "wb");
        if (!w->file) rc = HG_ERR(HG_EIO, "%s: %s", w->tmp, strerror(errno));
    }
    unsigned char header[HG_TAPE_HEADER_SIZE];
    hg_tape_header_put(header, source);
    if (rc == HG_OK) {
        rc = put_bytes(w, header, sizeof header);
    }
    if (rc < 0) {
        writer_free(w);
        return rc;
    }
    *out = w;
    return HG_OK;
}

void hg_tape_abandon(hg_tape_writer *w) {
    if (w) {
        writer_free(w);
    }
}

// --- blocks -------------------------------------------------------------------------------------

static int put_block(hg_tape_writer *w, hg_tape_frame *frame, const unsigned char *raw,
                     unsigned char *packed, size_t capacity) {
    size_t size = ZSTD_compress2(w->zstd, packed, capacity, raw, frame->raw_size);
    bool smaller = !ZSTD_isError(size) && size < frame->raw_size;
    frame->coding = smaller ? HG_TAPE_ZSTD : HG_TAPE_STORED;
    frame->stored_size = smaller ? (uint32_t)size : frame->raw_size;
    frame->seed = w->summary.last_crc;
    const unsigned char *payload = smaller ? packed : raw;
    unsigned char bytes[HG_TAPE_FRAME_SIZE];
    hg_tape_frame_put(bytes, frame, payload);
    int rc = put_bytes(w, bytes, sizeof bytes);
    return rc < 0 ? rc : put_bytes(w, payload, frame->stored_size);
}

static int flush_events(hg_tape_writer *w) {
    if (w->raw_events == 0) {
        return HG_OK;
    }
    hg_tape_frame frame = {
        .kind = HG_TAPE_EVENTS,
        .number = (uint32_t)w->summary.blocks,
        .events = w->raw_events,
        .raw_size = (uint32_t)w->raw_size,
    };
    int rc = put_block(w, &frame, w->raw, w->packed, w->packed_capacity);
    w->summary.last_crc = frame.crc;
    w->summary.blocks++;
    w->raw_size = 0;
    w->raw_events = 0;
    return rc;
}

static int flush_tables(hg_tape_writer *w) {
    unsigned char *data = NULL;
    size_t size = 0;
    int rc = hg_tape_tables_put(&w->summary, &w->ids, w->universe, &data, &size);
    if (rc < 0) {
        return rc;
    }
    size_t capacity = ZSTD_compressBound(size);
    unsigned char *packed = malloc(capacity);
    uint64_t at = w->offset;
    if (!packed || size > HG_TAPE_TABLES_MAX) {
        rc = HG_ERR(HG_ELIMIT, "the instrument tables of the tape are too large");
    } else {
        hg_tape_frame frame = {
            .kind = HG_TAPE_TABLES,
            .number = (uint32_t)w->summary.blocks,
            .raw_size = (uint32_t)size,
        };
        rc = put_block(w, &frame, data, packed, capacity);
    }
    free(packed);
    free(data);
    unsigned char trailer[HG_TAPE_TRAILER_SIZE];
    hg_tape_trailer_put(trailer, at, w->offset + sizeof trailer);
    return rc < 0 ? rc : put_bytes(w, trailer, sizeof trailer);
}

int hg_tape_finish(hg_tape_writer *w) {
    int rc = flush_events(w);
    if (rc == HG_OK) {
        rc = flush_tables(w);
    }
    if (rc == HG_OK && (fflush(w->file) != 0 || fsync(fileno(w->file)) != 0)) {
        rc = write_failed(w);
    }
    if (rc == HG_OK && rename(w->tmp, w->path) != 0) {
        rc = HG_ERR(HG_EIO, "%s: %s", w->path, strerror(errno));
    }
    if (rc == HG_OK) {
        fclose(w->file);
        w->file = NULL;
    }
    writer_free(w);
    return rc;
}

// --- ids ----------------------------------------------------------------------------------------

static uint32_t universe_count(const hg_universe *universe, hg_tape_sort sort) {
    return sort == HG_TAPE_INSTRUMENT   ? hg_universe_count(universe)
           : sort == HG_TAPE_UNDERLYING ? hg_universe_underlying_count(universe)
                                        : hg_universe_expiry_count(universe);
}

/* Follows the growth of the universe. */
static int local_grow(hg_tape_writer *w, hg_tape_sort sort) {
    uint32_t have = w->local_count[sort];
    uint32_t want = universe_count(w->universe, sort);
    if (want <= have) {
        return HG_ERR(HG_EINVALID, "event names an id the universe does not have");
    }
    want = want < 2 * have ? 2 * have : want;
    uint32_t *bigger = realloc(w->local[sort], want * sizeof *bigger);
    if (!bigger) {
        return HG_ERR(HG_ENOMEM, "tape writer");
    }
    memset(bigger + have, 0, (want - have) * sizeof *bigger);
    w->local[sort] = bigger;
    w->local_count[sort] = want;
    return HG_OK;
}

/* The lists of own ids, the codec's state and the depth marks grow together. */
static int own_grow(hg_tape_writer *w, hg_tape_sort sort) {
    uint32_t have = w->capacity[sort];
    uint32_t want = have == 0 ? 64 : 2 * have;
    uint32_t *bigger = realloc(w->ids.global[sort], want * sizeof *bigger);
    if (bigger) {
        w->ids.global[sort] = bigger;
    }
    unsigned char *marks = NULL;
    if (sort == HG_TAPE_INSTRUMENT) {
        marks = realloc(w->has_depth, want);
        if (marks) {
            memset(marks + have, 0, want - have);
            w->has_depth = marks;
        }
    }
    if (!bigger || (sort == HG_TAPE_INSTRUMENT && !marks)) {
        return HG_ERR(HG_ENOMEM, "tape writer");
    }
    uint32_t counts[HG_TAPE_SORTS] = {0};
    counts[sort] = want;
    int rc = hg_tape_codec_reserve(&w->codec, counts);
    if (rc == HG_OK) {
        w->capacity[sort] = want;
    }
    return rc;
}

static int own_id(hg_tape_writer *w, hg_tape_sort sort, uint32_t id, uint32_t *own);

/* A reader can make an expiry only from an instrument that has it. */
static int expiry_needs_instrument(hg_tape_writer *w, uint32_t expiry) {
    for (uint32_t i = 0; i < hg_universe_count(w->universe); i++) {
        if (hg_universe_get(w->universe, i)->expiry_id == expiry) {
            uint32_t unused = 0;
            return own_id(w, HG_TAPE_INSTRUMENT, i, &unused);
        }
    }
    return HG_ERR(HG_EINVALID, "no instrument has this expiry");
}

static int own_new(hg_tape_writer *w, hg_tape_sort sort, uint32_t id) {
    if (id >= universe_count(w->universe, sort)) {
        return HG_ERR(HG_EINVALID, "event names an id the universe does not have");
    }
    if (w->ids.counts[sort] == HG_TAPE_IDS_MAX) {
        return HG_ERR(HG_ELIMIT, "more than %d instruments on one tape", HG_TAPE_IDS_MAX);
    }
    int rc = sort == HG_TAPE_EXPIRY ? expiry_needs_instrument(w, id) : HG_OK;
    if (rc == HG_OK && w->ids.counts[sort] == w->capacity[sort]) {
        rc = own_grow(w, sort);
    }
    if (rc < 0) {
        return rc;
    }
    w->ids.global[sort][w->ids.counts[sort]] = id;
    w->local[sort][id] = ++w->ids.counts[sort];
    return HG_OK;
}

static int own_id(hg_tape_writer *w, hg_tape_sort sort, uint32_t id, uint32_t *own) {
    int rc = id < w->local_count[sort] ? HG_OK : local_grow(w, sort);
    if (rc == HG_OK && id >= w->local_count[sort]) {
        rc = HG_ERR(HG_EINVALID, "event names an id the universe does not have");
    }
    if (rc == HG_OK && w->local[sort][id] == 0) {
        rc = own_new(w, sort, id);
    }
    if (rc < 0) {
        return rc;
    }
    *own = w->local[sort][id] - 1;
    return HG_OK;
}

// --- events -------------------------------------------------------------------------------------

static int event_check(const hg_tape_writer *w, const hg_event *ev) {
    if (ev->kind < HG_EV_QUOTE || ev->kind >= HG_TAPE_KINDS) {
        return HG_ERR(HG_EINVALID, "a tape holds market events only");
    }
    if (ev->time_ns < 0 || (w->summary.events > 0 && ev->time_ns < w->summary.end_ns)) {
        return HG_ERR(HG_EINVALID, "event at %lld ns comes after one at %lld ns",
                      (long long)ev->time_ns, (long long)w->summary.end_ns);
    }
    unsigned known = HG_EVF_MORE | HG_EVF_SNAPSHOT | HG_EVF_INVALID | HG_EVF_HALTED;
    bool level = ev->kind == HG_EV_DEPTH || ev->kind == HG_EV_TRADE;
    bool sided = ev->side == HG_BUY || ev->side == HG_SELL;
    bool side_good = ev->side == 0 ? ev->kind != HG_EV_DEPTH : level && sided;
    bool sizes_good = level                     ? ev->level.size >= 0
                      : ev->kind == HG_EV_QUOTE ? ev->quote.bid_size >= 0 && ev->quote.ask_size >= 0
                                                : true;
    if (!side_good || !sizes_good || (ev->flags & ~known) != 0) {
        return HG_ERR(HG_EINVALID, "malformed %s event",
                      hg_event_kind_name((hg_event_kind)ev->kind));
    }
    return HG_OK;
}

int hg_tape_append(hg_tape_writer *w, const hg_event *event) {
    int rc = event_check(w, event);
    hg_event own = *event;
    if (rc == HG_OK) {
        rc = own_id(w, hg_tape_kind_sort(event->kind), event->id, &own.id);
    }
    if (rc == HG_OK && w->raw_size + HG_TAPE_EVENT_MAX > HG_TAPE_BLOCK_SIZE) {
        rc = flush_events(w);
    }
    if (rc < 0) {
        return rc;
    }
    unsigned char *start = w->raw + w->raw_size;
    w->raw_size += (size_t)(hg_tape_encode(&w->codec, &own, start) - start);
    w->raw_events++;
    hg_tape_summary *s = &w->summary;
    s->start_ns = s->events == 0 ? event->time_ns : s->start_ns;
    s->end_ns = event->time_ns;
    s->events++;
    s->kinds[event->kind]++;
    if (event->kind == HG_EV_DEPTH && !w->has_depth[own.id]) {
        w->has_depth[own.id] = 1;
        s->depth_count++;
    }
    return HG_OK;
}
