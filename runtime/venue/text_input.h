#ifndef HG_VENUE_TEXT_INPUT_H
#define HG_VENUE_TEXT_INPUT_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* Lines of a text file that may be plain, gzip or zstd; which one is told by its first bytes, never
 * by its name. A compressed file that ends early is an error, not a short file. */
typedef struct hg_text_input hg_text_input;

/* A REST reply with every instrument of a venue is one line of some MiB. */
#define HG_TEXT_LINE_MAX ((size_t)16 << 20)

/* HG_ENOTFOUND when there is no such file. */
HG_MUST_CHECK int hg_text_input_open(const char *path, hg_text_input **out);
/* The bytes stay the caller's and must live as long as the input; `name` is for messages. */
HG_MUST_CHECK int hg_text_input_open_memory(const char *name, const void *data, size_t size,
                                            hg_text_input **out);
void hg_text_input_close(hg_text_input *input);

/* 1: a line without its line feed (and carriage return), NUL-terminated, which the caller may
 * change and which lives until the next call; 0: the end; HG_EDATA naming line and offset. */
HG_MUST_CHECK int hg_text_input_line(hg_text_input *input, char **line, size_t *len);

/* Number of the last line, from 1. */
uint64_t hg_text_input_number(const hg_text_input *input);
const char *hg_text_input_name(const hg_text_input *input);
/* Bytes of the file read so far, and its size (0 unknown): progress. */
uint64_t hg_text_input_offset(const hg_text_input *input);
uint64_t hg_text_input_size(const hg_text_input *input);

#endif
