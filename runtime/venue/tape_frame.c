/* Header, trailer and block frames of a tape: layout and checks, no I/O. */
#include "venue/tape_int.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/text.h"

/* As in PNG: a high byte, a line end that a text transfer would change, and the DOS end of file. */
static const unsigned char magic[8] = {0x89, 'H', 'G', 'T', '\r', '\n', 0x1a, '\n'};
static const unsigned char end_magic[8] = {'H', 'G', 'T', 'A', 'P', 'E', 'N', 'D'};

#define FRAME_MAGIC UINT32_C(0x4b4c4248) /* "HBLK" */

void hg_tape_header_put(unsigned char out[HG_TAPE_HEADER_SIZE], const char *source) {
    memset(out, 0, HG_TAPE_HEADER_SIZE);
    memcpy(out, magic, sizeof magic);
    hg_tape_put32(out + 8, HG_TAPE_VERSION);
    hg_text_copy((char *)out + 12, HG_TAPE_SOURCE_MAX, source);
    hg_tape_put32(out + 44, hg_crc32c(0, out, 44));
}

int hg_tape_header_get(const unsigned char in[HG_TAPE_HEADER_SIZE],
                       char source[HG_TAPE_SOURCE_MAX]) {
    if (memcmp(in, magic, sizeof magic) != 0) {
        return HG_ERR(HG_EDATA, "not a tape (its first bytes are others)");
    }
    bool intact = hg_tape_get32(in + 44) == hg_crc32c(0, in, 44);
    uint32_t version = hg_tape_get32(in + 8);
    if (version != HG_TAPE_VERSION) {
        int rc = HG_ERR(HG_EVERSION, "tape version %u%s, this program reads version %d", version,
                        intact ? "" : " (or a damaged header)", HG_TAPE_VERSION);
        hg_error_hint("import the data again with this program");
        return rc;
    }
    if (!intact || in[12 + HG_TAPE_SOURCE_MAX - 1] != 0) {
        return HG_ERR(HG_EDATA, "the header is damaged (checksum)");
    }
    memcpy(source, in + 12, HG_TAPE_SOURCE_MAX);
    return HG_OK;
}

void hg_tape_trailer_put(unsigned char out[HG_TAPE_TRAILER_SIZE], uint64_t tables, uint64_t size) {
    hg_tape_put64(out, tables);
    hg_tape_put64(out + 8, size);
    hg_tape_put32(out + 16, 0);
    hg_tape_put32(out + 20, hg_crc32c(0, out, 20));
    memcpy(out + 24, end_magic, sizeof end_magic);
}

int hg_tape_trailer_get(const unsigned char in[HG_TAPE_TRAILER_SIZE], uint64_t size,
                        uint64_t *tables) {
    if (memcmp(in + 24, end_magic, sizeof end_magic) != 0) {
        return HG_ERR(HG_EDATA, "the tape does not end here: it is cut short or has grown");
    }
    if (hg_tape_get32(in + 20) != hg_crc32c(0, in, 20)) {
        return HG_ERR(HG_EDATA, "the trailer is damaged (checksum)");
    }
    uint64_t at = hg_tape_get64(in);
    uint64_t written = hg_tape_get64(in + 8);
    if (written != size) {
        return HG_ERR(HG_EDATA, "the tape was %llu bytes long and is now %llu",
                      (unsigned long long)written, (unsigned long long)size);
    }
    if (at < HG_TAPE_HEADER_SIZE || at > size - HG_TAPE_TRAILER_SIZE - HG_TAPE_FRAME_SIZE) {
        return HG_ERR(HG_EDATA, "the trailer points outside of the tape");
    }
    *tables = at;
    return HG_OK;
}

static uint32_t frame_crc(const unsigned char *bytes, const hg_tape_frame *frame,
                          const void *payload) {
    uint32_t crc = hg_crc32c(0, bytes, HG_TAPE_FRAME_SIZE - 4);
    return hg_crc32c(crc, payload, frame->stored_size);
}

void hg_tape_frame_put(unsigned char out[HG_TAPE_FRAME_SIZE], hg_tape_frame *frame,
                       const void *payload) {
    hg_tape_put32(out, FRAME_MAGIC);
    out[4] = frame->kind;
    out[5] = frame->coding;
    out[6] = out[7] = 0;
    hg_tape_put32(out + 8, frame->number);
    hg_tape_put32(out + 12, frame->events);
    hg_tape_put32(out + 16, frame->raw_size);
    hg_tape_put32(out + 20, frame->stored_size);
    hg_tape_put32(out + 24, frame->seed);
    frame->crc = frame_crc(out, frame, payload);
    hg_tape_put32(out + 28, frame->crc);
}

int hg_tape_frame_get(const unsigned char in[HG_TAPE_FRAME_SIZE], hg_tape_frame *frame) {
    hg_tape_frame f = {
        .kind = in[4],
        .coding = in[5],
        .number = hg_tape_get32(in + 8),
        .events = hg_tape_get32(in + 12),
        .raw_size = hg_tape_get32(in + 16),
        .stored_size = hg_tape_get32(in + 20),
        .seed = hg_tape_get32(in + 24),
        .crc = hg_tape_get32(in + 28),
    };
    uint32_t raw_max = f.kind == HG_TAPE_TABLES ? HG_TAPE_TABLES_MAX : HG_TAPE_BLOCK_SIZE;
    if (hg_tape_get32(in) != FRAME_MAGIC || f.kind > HG_TAPE_TABLES || f.coding > HG_TAPE_ZSTD ||
        f.raw_size > raw_max || f.stored_size > f.raw_size || f.events > f.raw_size ||
        (f.coding == HG_TAPE_STORED && f.stored_size != f.raw_size)) {
        return HG_ERR(HG_EDATA, "the frame of a block is damaged");
    }
    *frame = f;
    return HG_OK;
}

int hg_tape_frame_check(const unsigned char in[HG_TAPE_FRAME_SIZE], const hg_tape_frame *frame,
                        const void *payload) {
    if (frame_crc(in, frame, payload) != frame->crc) {
        return HG_ERR(HG_EDATA, "a block is damaged (checksum)");
    }
    return HG_OK;
}
