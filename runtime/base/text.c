/* Small text tools: bounded copy, patterns, "did you mean", reading a file whole. */
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool hg_text_copy(char *dst, size_t size, const char *src) {
    size_t len = strlen(src);
    size_t n = len < size ? len : size - 1;
    memcpy(dst, src, n);
    dst[n] = '\0';
    return n == len;
}

bool hg_text_match(const char *pattern, const char *text) {
    const char *star = NULL;
    const char *resume = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

#define WORD_MAX 64

static int min3(int a, int b, int c) {
    int m = a < b ? a : b;
    return m < c ? m : c;
}

int hg_text_distance(const char *a, const char *b) {
    size_t la = strnlen(a, WORD_MAX - 1);
    size_t lb = strnlen(b, WORD_MAX - 1);
    int row[3][WORD_MAX];
    for (size_t j = 0; j <= lb; j++) {
        row[0][j] = (int)j;
    }
    for (size_t i = 1; i <= la; i++) {
        int *now = row[i % 3];
        const int *last = row[(i - 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= lb; j++) {
            int cost = a[i - 1] != b[j - 1];
            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                int swapped = row[(i - 2) % 3][j - 2] + 1;
                now[j] = swapped < now[j] ? swapped : now[j];
            }
        }
    }
    int distance = row[la % 3][lb];
    return distance < 32 ? distance : 32;
}

const char *hg_text_nearest(const char *word, const char *const *candidates) {
    const char *best = NULL;
    int best_distance = 1 + (int)strnlen(word, WORD_MAX) / 3;
    for (; *candidates; candidates++) {
        int distance = hg_text_distance(word, *candidates);
        if (distance <= best_distance && (!best || distance < best_distance)) {
            best = *candidates;
            best_distance = distance;
        }
    }
    return best;
}

static int file_load(FILE *file, const char *path, size_t limit, char **data, size_t *size) {
    size_t capacity = 4096;
    size_t used = 0;
    char *buf = malloc(capacity);
    while (buf) {
        used += fread(buf + used, 1, capacity - used - 1, file);
        if (used < capacity - 1) {
            break;
        }
        if (used >= limit) {
            free(buf);
            return HG_ERR(HG_ELIMIT, "%s is larger than %zu bytes", path, limit);
        }
        capacity *= 2;
        char *bigger = realloc(buf, capacity);
        if (!bigger) {
            free(buf);
        }
        buf = bigger;
    }
    if (!buf) {
        return HG_ERR(HG_ENOMEM, "reading %s", path);
    }
    if (ferror(file)) {
        free(buf);
        return HG_ERR(HG_EIO, "cannot read %s: %s", path, strerror(errno));
    }
    buf[used] = '\0';
    *data = buf;
    *size = used;
    return HG_OK;
}

int hg_file_read(const char *path, size_t limit, char **data, size_t *size) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        return HG_ERR(HG_ENOTFOUND, "cannot open %s: %s", path, strerror(errno));
    }
    int rc = file_load(file, path, limit, data, size);
    fclose(file);
    return rc;
}

void hg_text_make_printable(char *text) {
    for (unsigned char *c = (unsigned char *)text; *c; c++) {
        if ((*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f) {
            *c = '?';
        }
    }
}
