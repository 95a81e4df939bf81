/* The line reader: plain, gzip and zstd by content, and what happens when they are cut. */
#include "test.h"

#include "base/rng.h"
#include "venue/text_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static size_t pack_gzip(const char *text, size_t len, unsigned char *out, size_t size) {
    z_stream z = {0};
    CHECK_EQ(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)len;
    z.next_out = out;
    z.avail_out = (uInt)size;
    CHECK_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return size - z.avail_out;
}

static size_t pack_zstd(const char *text, size_t len, unsigned char *out, size_t size) {
    size_t n = ZSTD_compress(out, size, text, len, 3);
    CHECK(!ZSTD_isError(n));
    return n;
}

/* Lines whose lengths and bytes are random; returns the text without its last line feed. */
static char *text_make(uint64_t seed, size_t lines, size_t *len) {
    hg_rng rng;
    hg_rng_init(&rng, seed, 1);
    char *text = malloc(lines * 3000 + 1);
    CHECK(text);
    *len = 0;
    for (size_t i = 0; i < lines; i++) {
        size_t n = hg_rng_below(&rng, 20) == 0 ? hg_rng_below(&rng, 2900) : hg_rng_below(&rng, 60);
        for (size_t k = 0; k < n; k++) text[(*len)++] = (char)('a' + hg_rng_below(&rng, 26));
        text[(*len)++] = '\n';
    }
    return text;
}

static void lines_check(const unsigned char *data, size_t size, const char *text, size_t len) {
    hg_text_input *in = NULL;
    CHECK_EQ(hg_text_input_open_memory("m", data, size, &in), HG_OK);
    const char *at = text;
    char *line = NULL;
    size_t n = 0;
    uint64_t number = 0;
    int rc = 0;
    while ((rc = hg_text_input_line(in, &line, &n)) == 1) {
        CHECK_EQ(hg_text_input_number(in), ++number);
        CHECK((size_t)(at - text) + n < len);
        CHECK_MEM(line, at, n);
        CHECK_EQ(line[n], '\0');
        CHECK_EQ(at[n], '\n');
        at += n + 1;
    }
    CHECK_EQ(rc, 0);
    CHECK_EQ(at - text, len);
    hg_text_input_close(in);
}

TEST(lines_survive_every_coding) {
    for (uint64_t seed = 1; seed <= 5; seed++) {
        size_t len = 0;
        char *text = text_make(seed, seed * 2000, &len);
        size_t size = len + 4096;
        unsigned char *packed = malloc(2 * size);
        CHECK(packed);
        lines_check((const unsigned char *)text, len, text, len);
        lines_check(packed, pack_gzip(text, len, packed, size), text, len);
        lines_check(packed, pack_zstd(text, len, packed, size), text, len);
        /* Several members and frames after each other are one text. */
        size_t half = len / 2;
        size_t n = pack_gzip(text, half, packed, size);
        n += pack_gzip(text + half, len - half, packed + n, size);
        lines_check(packed, n, text, len);
        n = pack_zstd(text, half, packed, size);
        n += pack_zstd(text + half, len - half, packed + n, size);
        lines_check(packed, n, text, len);
        free(packed);
        free(text);
    }
}

/* The result of reading to the end. */
static int drain(const unsigned char *data, size_t size) {
    hg_text_input *in = NULL;
    int rc = hg_text_input_open_memory("cut.gz", data, size, &in);
    char *line = NULL;
    size_t n = 0;
    while (rc == HG_OK && (rc = hg_text_input_line(in, &line, &n)) == 1) rc = HG_OK;
    hg_text_input_close(in);
    return rc;
}

TEST_WITHIN(compressed_text_that_ends_early_is_an_error, 120) {
    size_t len = 0;
    char *text = text_make(9, 30, &len);
    unsigned char *packed = malloc(len + 4096);
    CHECK(packed);
    for (int kind = 0; kind < 2; kind++) {
        size_t size = kind == 0 ? pack_gzip(text, len, packed, len + 4096)
                                : pack_zstd(text, len, packed, len + 4096);
        CHECK_EQ(drain(packed, size), 0);
        /* With fewer than four bytes nobody can tell that it is compressed. */
        for (size_t cut = 4; cut < size; cut++) {
            CHECK_EQ(drain(packed, cut), HG_EDATA);
            CHECK(strstr(hg_error_text(), "cut.gz: line "));
            CHECK(strstr(hg_error_text(), "offset "));
        }
    }
    free(packed);
    free(text);
}

TEST(line_ends_of_all_kinds) {
    hg_text_input *in = NULL;
    const char *text = "a\r\n\r\n\nlast";
    static const char *const want[] = {"a", "", "", "last"};
    CHECK_EQ(hg_text_input_open_memory("m", text, strlen(text), &in), HG_OK);
    char *line = NULL;
    size_t n = 0;
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(hg_text_input_line(in, &line, &n), 1);
        CHECK_STR(line, want[i]);
    }
    CHECK_EQ(hg_text_input_line(in, &line, &n), 0);
    CHECK_EQ(hg_text_input_line(in, &line, &n), 0);
    hg_text_input_close(in);
}

TEST(long_lines_are_bounded) {
    size_t size = HG_TEXT_LINE_MAX + (4u << 20);
    char *text = malloc(size);
    CHECK(text);
    memset(text, 'x', size);
    text[HG_TEXT_LINE_MAX - 2] = '\n'; /* this one still fits, the rest does too */
    hg_text_input *in = NULL;
    char *line = NULL;
    size_t n = 0;
    CHECK_EQ(hg_text_input_open_memory("m", text, size, &in), HG_OK);
    CHECK_EQ(hg_text_input_line(in, &line, &n), 1);
    CHECK_EQ(n, HG_TEXT_LINE_MAX - 2);
    CHECK_EQ(hg_text_input_line(in, &line, &n), 1);
    hg_text_input_close(in);
    char *all = calloc(3, HG_TEXT_LINE_MAX);
    CHECK(all);
    memset(all, 'y', 3 * HG_TEXT_LINE_MAX);
    CHECK_EQ(hg_text_input_open_memory("m", all, 3 * HG_TEXT_LINE_MAX, &in), HG_OK);
    CHECK_EQ(hg_text_input_line(in, &line, &n), HG_EDATA);
    hg_text_input_close(in);
    free(all);
    free(text);
}

TEST(missing_files_and_folders) {
    hg_text_input *in = NULL;
    CHECK_EQ(hg_text_input_open(test_tmp("none"), &in), HG_ENOTFOUND);
    CHECK_EQ(hg_text_input_open(test_tmp_dir(), &in), HG_EDATA);
}
