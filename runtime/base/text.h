#ifndef HG_BASE_TEXT_H
#define HG_BASE_TEXT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Copies at most size-1 bytes and terminates. Returns false when the text was cut. */
bool hg_text_copy(char *dst, size_t size, const char *src);

/* Simple pattern: '*' any run, '?' any one character; the whole text must match. */
bool hg_text_match(const char *pattern, const char *text);

/* Edit distance with transpositions, capped at 32 (longer texts compare by their first 63 bytes).
 */
int hg_text_distance(const char *a, const char *b);

/* The candidate nearest to `word` (NULL-terminated list), or NULL when none is near enough. */
const char *hg_text_nearest(const char *word, const char *const *candidates);

/* Hands the parts between commas to `part`, in order, each terminated and open to change, until one
 * returns < 0, which is the result. An empty text is one empty part. HG_EUSAGE: the text has more
 * than 1,023 bytes. */
HG_MUST_CHECK int hg_text_parts(const char *text, int (*part)(void *context, char *text),
                                void *context);

/* Reads a whole file (at most `limit` bytes) into fresh NUL-terminated memory the caller frees. */
HG_MUST_CHECK int hg_file_read(const char *path, size_t limit, char **data, size_t *size);

/* The same of a plain file only: a pipe or a device in its place would let the reader wait. */
HG_MUST_CHECK int hg_file_read_plain(const char *path, size_t limit, char **data, size_t *size);

/* `text` without its first line when that is just what has been `said` already. */
const char *hg_text_after(const char *text, const char *said);

/* Bytes of the UTF-8 sequence `text` begins with (1 to 4); 0: it is none. */
size_t hg_text_utf8(const char *text);

/* Control characters but newline and tab, and bytes that are no UTF-8, become '?': what a script
 * says cannot steer a terminal. */
void hg_text_make_printable(char *text);
/* The same with newlines and tabs as blanks: it cannot pass for a line of ours either. */
void hg_text_make_line(char *text);

#endif
