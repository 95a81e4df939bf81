/* Reads a tape back as a feed. Everything a tape says about itself is checked before it is used:
 * sizes against the file and the format's bounds, blocks against their checksums, each event
 * against the tables. Damage gives an error that names path and offset, and goes on giving it. */
#include "venue/tape_int.h"

#include "base/assert.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

typedef struct {
    hg_feed feed;
    char path[256];
    int fd; /* -1: memory */
    const unsigned char *memory;
    uint64_t size;
    char source[HG_TAPE_SOURCE_MAX];
    hg_tape_summary summary;
    hg_tape_ids ids;
    hg_tape_codec codec;
    uint64_t tables_at;
    /* where the reader is */
    uint64_t block_at; /* offset of the block in `raw` */
    uint64_t next_at;  /* offset of the one behind it */
    uint32_t block_number;
    uint32_t last_crc;
    uint64_t events;
    const unsigned char *cursor;
    const unsigned char *end;
    uint32_t left; /* events of the block not yet read */
    int failed;    /* the error that ended it */
    unsigned char *raw;
    unsigned char *packed;
    ZSTD_DCtx *zstd;
} tape;

static int at(const tape *t, uint64_t offset, int rc) {
    return HG_ERR_CTX(rc, "%s: offset %llu", t->path, (unsigned long long)offset);
}

static int get_bytes(const tape *t, uint64_t offset, void *out, size_t size) {
    if (offset > t->size || size > t->size - offset) {
        return HG_ERR(HG_EDATA, "the tape is cut short");
    }
    if (t->fd < 0) {
        memcpy(out, t->memory + offset, size);
        return HG_OK;
    }
    unsigned char *p = out;
    while (size > 0) {
        ssize_t got = pread(t->fd, p, size, (off_t)offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? HG_ERR(HG_EIO, "%s", strerror(errno))
                           : HG_ERR(HG_EDATA, "the tape is cut short");
        }
        p += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return HG_OK;
}

/* Payload of a block whose frame is known, checked and unpacked into `raw` (raw_size bytes). */
static int get_payload(const tape *t, uint64_t offset, const unsigned char *bytes,
                       const hg_tape_frame *frame, unsigned char *packed, unsigned char *raw) {
    bool stored = frame->coding == HG_TAPE_STORED;
    unsigned char *into = stored ? raw : packed;
    int rc = get_bytes(t, offset + HG_TAPE_FRAME_SIZE, into, frame->stored_size);
    if (rc == HG_OK) {
        rc = hg_tape_frame_check(bytes, frame, into);
    }
    if (rc < 0 || stored) {
        return rc;
    }
    size_t got = ZSTD_decompressDCtx(t->zstd, raw, frame->raw_size, packed, frame->stored_size);
    if (ZSTD_isError(got) || got != frame->raw_size) {
        return HG_ERR(HG_EDATA, "a block does not unpack");
    }
    return HG_OK;
}

static int get_frame(const tape *t, uint64_t offset, unsigned char bytes[HG_TAPE_FRAME_SIZE],
                     hg_tape_frame *frame) {
    int rc = get_bytes(t, offset, bytes, HG_TAPE_FRAME_SIZE);
    return rc < 0 ? rc : hg_tape_frame_get(bytes, frame);
}

// --- opening ------------------------------------------------------------------------------------

static int tables_unpack(tape *t, uint64_t offset, const unsigned char *bytes,
                         const hg_tape_frame *frame, hg_universe *universe) {
    unsigned char *packed = malloc(frame->stored_size + 1);
    unsigned char *raw = malloc(frame->raw_size + 1);
    int rc = packed && raw ? HG_OK : HG_ERR(HG_ENOMEM, "tape tables");
    if (rc == HG_OK) {
        rc = get_payload(t, offset, bytes, frame, packed, raw);
    }
    if (rc == HG_OK) {
        rc = hg_tape_tables_get(raw, frame->raw_size, &t->summary, &t->ids, universe);
    }
    free(packed);
    free(raw);
    return rc;
}

static int tables_read(tape *t, hg_universe *universe) {
    unsigned char bytes[HG_TAPE_FRAME_SIZE];
    hg_tape_frame frame;
    int rc = get_frame(t, t->tables_at, bytes, &frame);
    if (rc < 0) {
        return rc;
    }
    uint64_t room = t->size - HG_TAPE_TRAILER_SIZE - HG_TAPE_FRAME_SIZE - t->tables_at;
    if (frame.kind != HG_TAPE_TABLES || frame.stored_size != room) {
        return HG_ERR(HG_EDATA, "the tables are not where the trailer says");
    }
    rc = tables_unpack(t, t->tables_at, bytes, &frame, universe);
    if (rc == HG_OK && (frame.number != t->summary.blocks || frame.seed != t->summary.last_crc)) {
        rc = HG_ERR(HG_EDATA, "the tables belong to another tape");
    }
    return rc;
}

static int ends_read(tape *t) {
    unsigned char header[HG_TAPE_HEADER_SIZE];
    int rc = t->size == 0 ? HG_ERR(HG_EDATA, "the file is empty")
                          : get_bytes(t, 0, header, sizeof header);
    if (rc == HG_OK) {
        rc = hg_tape_header_get(header, t->source);
    }
    if (rc < 0) {
        return at(t, 0, rc);
    }
    unsigned char trailer[HG_TAPE_TRAILER_SIZE];
    uint64_t least = HG_TAPE_HEADER_SIZE + HG_TAPE_FRAME_SIZE + HG_TAPE_TRAILER_SIZE;
    rc = t->size < least ? HG_ERR(HG_EDATA, "the tape is cut short")
                         : get_bytes(t, t->size - sizeof trailer, trailer, sizeof trailer);
    if (rc == HG_OK) {
        rc = hg_tape_trailer_get(trailer, t->size, &t->tables_at);
    }
    return rc < 0 ? at(t, t->size, rc) : HG_OK;
}

static int tape_alloc(tape *t) {
    /* The decoder may look HG_TAPE_EVENT_MAX bytes past the end of a block; see tape_codec.c. */
    t->raw = calloc(1, HG_TAPE_BLOCK_SIZE + HG_TAPE_EVENT_MAX);
    t->packed = malloc(HG_TAPE_BLOCK_SIZE);
    t->zstd = ZSTD_createDCtx();
    return t->raw && t->packed && t->zstd ? HG_OK : HG_ERR(HG_ENOMEM, "tape reader");
}

static int tape_start(tape *t, hg_universe *universe) {
    int rc = tape_alloc(t);
    if (rc == HG_OK) {
        rc = ends_read(t);
    }
    if (rc < 0) {
        return rc;
    }
    rc = tables_read(t, universe);
    if (rc == HG_OK) {
        rc = hg_tape_codec_reserve(&t->codec, t->ids.counts);
    }
    if (rc < 0) {
        return at(t, t->tables_at, rc);
    }
    t->next_at = HG_TAPE_HEADER_SIZE;
    t->feed.start_ns = t->summary.start_ns;
    t->feed.end_ns = t->summary.end_ns;
    t->feed.event_count = t->summary.events;
    t->feed.depth_count = t->summary.depth_count;
    return HG_OK;
}

// --- reading ------------------------------------------------------------------------------------

/* All blocks are read: does the tape agree with its own summary? */
static int tape_end(tape *t) {
    const hg_tape_summary *s = &t->summary;
    if (t->next_at != t->tables_at || t->block_number != s->blocks || t->events != s->events ||
        t->last_crc != s->last_crc || (s->events > 0 && t->codec.time_ns != s->end_ns)) {
        return at(t, t->next_at, HG_ERR(HG_EDATA, "events are missing"));
    }
    return 0;
}

static int block_order(const tape *t, const hg_tape_frame *frame) {
    bool fits = frame->kind == HG_TAPE_EVENTS && frame->number == t->block_number &&
                frame->seed == t->last_crc && frame->events > 0 &&
                frame->stored_size <= t->tables_at - t->next_at - HG_TAPE_FRAME_SIZE;
    return fits ? HG_OK : HG_ERR(HG_EDATA, "a block is missing or out of order");
}

/* 1 a block was read, 0 the end. */
static int block_read(tape *t) {
    if (t->block_number == t->summary.blocks) {
        return tape_end(t);
    }
    unsigned char bytes[HG_TAPE_FRAME_SIZE];
    hg_tape_frame frame;
    int rc = t->tables_at - t->next_at < HG_TAPE_FRAME_SIZE
                 ? HG_ERR(HG_EDATA, "a block is missing")
                 : get_frame(t, t->next_at, bytes, &frame);
    if (rc == HG_OK) {
        rc = block_order(t, &frame);
    }
    if (rc == HG_OK) {
        rc = get_payload(t, t->next_at, bytes, &frame, t->packed, t->raw);
    }
    if (rc < 0) {
        return at(t, t->next_at, rc);
    }
    memset(t->raw + frame.raw_size, 0, HG_TAPE_EVENT_MAX);
    t->block_at = t->next_at;
    t->next_at += HG_TAPE_FRAME_SIZE + frame.stored_size;
    t->block_number++;
    t->last_crc = frame.crc;
    t->cursor = t->raw;
    t->end = t->raw + frame.raw_size;
    t->left = frame.events;
    return 1;
}

static int event_bad(tape *t) {
    t->failed = at(
        t, t->block_at,
        HG_ERR(HG_EDATA, "event %llu of the tape is malformed", (unsigned long long)t->events + 1));
    return t->failed;
}

static int tape_next(hg_feed *feed, hg_event *event) {
    tape *t = (tape *)feed;
    if (t->left == 0) {
        if (t->failed < 0) {
            return HG_ERR(t->failed, "%s: offset %llu: the tape is damaged here", t->path,
                          (unsigned long long)t->next_at);
        }
        int rc = block_read(t);
        if (rc <= 0) {
            t->failed = rc;
            return rc;
        }
    }
    const unsigned char *p = hg_tape_decode(&t->codec, t->cursor, event);
    t->left--;
    if (!p || p > t->end || (t->left == 0 && p != t->end)) {
        t->left = 0;
        return event_bad(t);
    }
    t->cursor = p;
    t->events++;
    event->id = t->ids.global[hg_tape_kind_sort(event->kind)][event->id];
    return 1;
}

static void tape_close(hg_feed *feed) {
    tape *t = (tape *)feed;
    if (t->fd >= 0) {
        close(t->fd);
    }
    hg_tape_codec_fini(&t->codec);
    hg_tape_ids_fini(&t->ids);
    free(t->raw);
    free(t->packed);
    ZSTD_freeDCtx(t->zstd);
    free(t);
}

static tape *tape_new(const char *name) {
    static const hg_feed_ops ops = {"tape", tape_next, tape_close};
    tape *t = calloc(1, sizeof *t);
    if (t) {
        t->feed.ops = &ops;
        t->fd = -1;
        hg_text_copy(t->path, sizeof t->path, name);
    }
    return t;
}

static int file_open(tape *t, const char *path) {
    t->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (t->fd < 0) {
        int code = errno == ENOENT || errno == ENOTDIR ? HG_ENOTFOUND : HG_EIO;
        return HG_ERR(code, "tape %s: %s", path, strerror(errno));
    }
    struct stat st;
    if (fstat(t->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return HG_ERR(HG_EDATA, "%s: offset 0: not a tape (not a regular file)", path);
    }
    t->size = (uint64_t)st.st_size;
    return HG_OK;
}

static int open_any(const char *name, const void *data, size_t size, hg_universe *universe,
                    tape **out) {
    tape *t = tape_new(name);
    if (!t) {
        return HG_ERR(HG_ENOMEM, "tape reader");
    }
    int rc = HG_OK;
    if (data) {
        t->memory = data;
        t->size = size;
    } else {
        rc = file_open(t, name);
    }
    if (rc == HG_OK) {
        rc = tape_start(t, universe);
    }
    if (rc < 0) {
        tape_close(&t->feed);
        return rc;
    }
    *out = t;
    return HG_OK;
}

int hg_tape_open(const char *path, hg_universe *universe, hg_feed **out) {
    tape *t = NULL;
    int rc = open_any(path, NULL, 0, universe, &t);
    if (rc == HG_OK) {
        *out = &t->feed;
    }
    return rc;
}

int hg_tape_open_memory(const char *name, const void *data, size_t size, hg_universe *universe,
                        hg_feed **out) {
    tape *t = NULL;
    int rc = open_any(name, data ? data : "", data ? size : 0, universe, &t);
    if (rc == HG_OK) {
        *out = &t->feed;
    }
    return rc;
}

// --- inspecting ---------------------------------------------------------------------------------

static void info_fill(const tape *t, hg_tape_info *info) {
    const hg_tape_summary *s = &t->summary;
    *info = (hg_tape_info){
        .version = HG_TAPE_VERSION,
        .bytes = t->size,
        .blocks = s->blocks,
        .events = s->events,
        .instruments = t->ids.counts[HG_TAPE_INSTRUMENT],
        .underlyings = t->ids.counts[HG_TAPE_UNDERLYING],
        .expiries = t->ids.counts[HG_TAPE_EXPIRY],
        .depth_count = s->depth_count,
        .start_ns = s->start_ns,
        .end_ns = s->end_ns,
    };
    memcpy(info->source, t->source, sizeof info->source);
    for (int k = 0; k < HG_TAPE_KINDS; k++) info->kinds[k] = s->kinds[k];
}

int hg_tape_inspect(const char *path, hg_tape_info *info) {
    hg_universe *universe = hg_universe_new();
    if (!universe) {
        return HG_ERR(HG_ENOMEM, "tape reader");
    }
    tape *t = NULL;
    int rc = open_any(path, NULL, 0, universe, &t);
    if (rc == HG_OK) {
        uint64_t kinds[HG_TAPE_KINDS] = {0};
        hg_event event;
        rc = tape_next(&t->feed, &event);
        while (rc > 0) {
            kinds[event.kind]++;
            rc = tape_next(&t->feed, &event);
        }
        if (rc == 0 && memcmp(kinds, t->summary.kinds, sizeof kinds) != 0) {
            rc = at(t, t->tables_at, HG_ERR(HG_EDATA, "the summary does not match the events"));
        }
        if (rc == 0) {
            info_fill(t, info);
        }
        tape_close(&t->feed);
    }
    hg_universe_free(universe);
    return rc;
}
