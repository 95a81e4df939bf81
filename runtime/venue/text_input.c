/* Reads text through zlib or libzstd into one buffer and hands out its lines in place.
 *
 * Invariants: buffer[begin..end) is text not yet handed out, of which buffer[begin..scanned) holds
 * no line feed. The buffer grows to a whole line and never beyond HG_TEXT_LINE_MAX. */
#include "venue/text_input.h"

#include "base/assert.h"
#include "base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

enum { RAW_SIZE = 1 << 18, BUFFER_SIZE = 1 << 20 };

typedef enum { PLAIN, GZIP, ZSTD } coding;

struct hg_text_input {
    char name[256];
    FILE *file; /* NULL: memory */
    const unsigned char *memory;
    size_t memory_size;
    uint64_t raw_offset; /* bytes taken from the file or the memory */
    uint64_t raw_size;
    unsigned char *raw;
    size_t raw_begin, raw_end;
    bool raw_ended;
    coding coding;
    z_stream gzip;
    bool gzip_open;
    ZSTD_DStream *zstd;
    bool between_frames; /* the compressed data may end here */
    char *buffer;
    size_t buffer_size;
    size_t begin, end, scanned;
    bool ended;
    uint64_t number;
};

static int damaged(const hg_text_input *in, const char *what) {
    return HG_ERR(HG_EDATA, "%s: line %llu, offset %llu: %s", in->name,
                  (unsigned long long)in->number + 1,
                  (unsigned long long)(in->raw_offset - (in->raw_end - in->raw_begin)), what);
}

/* Gets more raw bytes behind those not yet used; sets raw_ended when there are none. */
static int raw_fill(hg_text_input *in) {
    if (in->raw_begin == in->raw_end) {
        in->raw_begin = in->raw_end = 0;
    }
    size_t room = RAW_SIZE - in->raw_end;
    size_t got = 0;
    if (in->file) {
        got = fread(in->raw + in->raw_end, 1, room, in->file);
        if (got < room && ferror(in->file)) {
            return HG_ERR(HG_EIO, "%s: offset %llu: %s", in->name,
                          (unsigned long long)in->raw_offset, strerror(errno));
        }
    } else {
        size_t left = in->memory_size - (size_t)in->raw_offset;
        got = left < room ? left : room;
        memcpy(in->raw + in->raw_end, in->memory + in->raw_offset, got);
    }
    in->raw_ended = got == 0;
    in->raw_end += got;
    in->raw_offset += got;
    return HG_OK;
}

static int coding_detect(hg_text_input *in) {
    int rc = raw_fill(in);
    if (rc < 0) {
        return rc;
    }
    const unsigned char *p = in->raw;
    in->coding = PLAIN;
    if (in->raw_end >= 2 && p[0] == 0x1f && p[1] == 0x8b) {
        in->coding = GZIP;
        in->gzip_open = inflateInit2(&in->gzip, 15 + 16) == Z_OK;
        return in->gzip_open ? HG_OK : HG_ERR(HG_ENOMEM, "zlib");
    }
    if (in->raw_end >= 4 && p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd) {
        in->coding = ZSTD;
        in->zstd = ZSTD_createDStream();
        if (!in->zstd) {
            return HG_ERR(HG_ENOMEM, "libzstd");
        }
        /* Captures written with --long=27 need a window of 128 MiB. */
        ZSTD_DCtx_setParameter(in->zstd, ZSTD_d_windowLogMax, 27);
    }
    return HG_OK;
}

static int inflate_some(hg_text_input *in, char *out, size_t room, size_t *got) {
    if (in->between_frames && inflateReset(&in->gzip) != Z_OK) {
        return damaged(in, "damaged gzip data");
    }
    in->between_frames = false;
    in->gzip.next_in = in->raw + in->raw_begin;
    in->gzip.avail_in = (uInt)(in->raw_end - in->raw_begin);
    in->gzip.next_out = (Bytef *)out;
    in->gzip.avail_out = (uInt)room;
    int z = inflate(&in->gzip, Z_NO_FLUSH);
    in->raw_begin = in->raw_end - in->gzip.avail_in;
    *got = room - in->gzip.avail_out;
    in->between_frames = z == Z_STREAM_END;
    if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR) {
        return damaged(in, "damaged gzip data");
    }
    return HG_OK;
}

static int unzstd_some(hg_text_input *in, char *out, size_t room, size_t *got) {
    ZSTD_inBuffer src = {in->raw + in->raw_begin, in->raw_end - in->raw_begin, 0};
    ZSTD_outBuffer dst = {out, room, 0};
    size_t z = ZSTD_decompressStream(in->zstd, &dst, &src);
    in->raw_begin += src.pos;
    *got = dst.pos;
    if (ZSTD_isError(z)) {
        return damaged(in, "damaged zstd data");
    }
    in->between_frames = z == 0;
    return HG_OK;
}

static int plain_some(hg_text_input *in, char *out, size_t room, size_t *got) {
    size_t have = in->raw_end - in->raw_begin;
    *got = have < room ? have : room;
    memcpy(out, in->raw + in->raw_begin, *got);
    in->raw_begin += *got;
    in->between_frames = true;
    return HG_OK;
}

/* Decodes at least one byte behind in->end, or sets in->ended. */
static int decode_some(hg_text_input *in) {
    for (;;) {
        char *out = in->buffer + in->end;
        size_t room = in->buffer_size - 1 - in->end;
        hg_assert(room > 0);
        size_t got = 0;
        /* zlib and zstd may hold output back until asked again, so ask even without new input,
         * but never start a new frame on nothing. */
        bool idle = in->raw_begin == in->raw_end && in->between_frames;
        int rc = HG_OK;
        if (!idle) {
            rc = in->coding == GZIP   ? inflate_some(in, out, room, &got)
                 : in->coding == ZSTD ? unzstd_some(in, out, room, &got)
                                      : plain_some(in, out, room, &got);
        }
        if (rc < 0) {
            return rc;
        }
        in->end += got;
        if (got > 0) {
            return HG_OK;
        }
        if (in->raw_ended) {
            in->ended = true;
            return in->between_frames ? HG_OK : damaged(in, "the compressed data ends early");
        }
        if (in->raw_begin == in->raw_end) {
            rc = raw_fill(in);
            if (rc < 0) {
                return rc;
            }
        }
    }
}

/* Moves the unfinished line to the front, and grows the buffer when it fills all of it. */
static int make_room(hg_text_input *in) {
    if (in->begin > 0) {
        memmove(in->buffer, in->buffer + in->begin, in->end - in->begin);
        in->scanned -= in->begin;
        in->end -= in->begin;
        in->begin = 0;
    }
    if (in->end + 1 < in->buffer_size) {
        return HG_OK;
    }
    if (in->buffer_size > HG_TEXT_LINE_MAX) {
        return damaged(in, "a line longer than 16 MiB");
    }
    char *bigger = realloc(in->buffer, in->buffer_size * 2);
    if (!bigger) {
        return HG_ERR(HG_ENOMEM, "%s: a line of %zu bytes", in->name, in->end);
    }
    in->buffer = bigger;
    in->buffer_size *= 2;
    return HG_OK;
}

static int line_give(hg_text_input *in, size_t stop, size_t next, char **line, size_t *len) {
    if (stop > in->begin && in->buffer[stop - 1] == '\r') {
        stop--;
    }
    in->buffer[stop] = '\0';
    *line = in->buffer + in->begin;
    *len = stop - in->begin;
    in->begin = in->scanned = next;
    in->number++;
    return 1;
}

int hg_text_input_line(hg_text_input *in, char **line, size_t *len) {
    for (;;) {
        char *feed = memchr(in->buffer + in->scanned, '\n', in->end - in->scanned);
        if (feed) {
            size_t stop = (size_t)(feed - in->buffer);
            return line_give(in, stop, stop + 1, line, len);
        }
        in->scanned = in->end;
        if (in->ended) {
            return in->begin == in->end ? 0 : line_give(in, in->end, in->end, line, len);
        }
        int rc = make_room(in);
        if (rc == HG_OK) {
            rc = decode_some(in);
        }
        if (rc < 0) {
            return rc;
        }
    }
}

static int input_new(const char *name, hg_text_input **out) {
    hg_text_input *in = calloc(1, sizeof *in);
    if (!in) {
        return HG_ERR(HG_ENOMEM, "text input");
    }
    hg_text_copy(in->name, sizeof in->name, name);
    in->raw = malloc(RAW_SIZE);
    in->buffer = malloc(BUFFER_SIZE);
    in->buffer_size = BUFFER_SIZE;
    if (!in->raw || !in->buffer) {
        hg_text_input_close(in);
        return HG_ERR(HG_ENOMEM, "text input");
    }
    *out = in;
    return HG_OK;
}

static int input_start(hg_text_input *in, hg_text_input **out) {
    int rc = coding_detect(in);
    if (rc < 0) {
        hg_text_input_close(in);
        return rc;
    }
    *out = in;
    return HG_OK;
}

int hg_text_input_open(const char *path, hg_text_input **out) {
    hg_assert(path && out);
    FILE *file = fopen(path, "rb");
    if (!file) {
        int code = errno == ENOENT || errno == ENOTDIR ? HG_ENOTFOUND : HG_EIO;
        return HG_ERR(code, "%s: %s", path, strerror(errno));
    }
    hg_text_input *in = NULL;
    int rc = input_new(path, &in);
    if (rc < 0) {
        fclose(file);
        return rc;
    }
    in->file = file;
    struct stat st;
    if (fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode)) {
        rc = HG_ERR(HG_EDATA, "%s: a directory, not a file", path);
        hg_text_input_close(in);
        return rc;
    }
    in->raw_size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    return input_start(in, out);
}

int hg_text_input_open_memory(const char *name, const void *data, size_t size,
                              hg_text_input **out) {
    hg_text_input *in = NULL;
    int rc = input_new(name, &in);
    if (rc < 0) {
        return rc;
    }
    in->memory = size > 0 ? data : (const void *)"";
    in->memory_size = size;
    in->raw_size = size;
    return input_start(in, out);
}

void hg_text_input_close(hg_text_input *in) {
    if (!in) {
        return;
    }
    if (in->file) {
        fclose(in->file);
    }
    if (in->gzip_open) {
        inflateEnd(&in->gzip);
    }
    ZSTD_freeDStream(in->zstd);
    free(in->raw);
    free(in->buffer);
    free(in);
}

uint64_t hg_text_input_number(const hg_text_input *in) {
    return in->number;
}

const char *hg_text_input_name(const hg_text_input *in) {
    return in->name;
}

uint64_t hg_text_input_offset(const hg_text_input *in) {
    return in->raw_offset;
}

uint64_t hg_text_input_size(const hg_text_input *in) {
    return in->raw_size;
}
