/* Small text tools: bounded copy, patterns, "did you mean", reading a file whole. */
#include "base/text.h"

#include "base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

int hg_text_parts(const char *text, int (*part)(void *context, char *text), void *context) {
    hg_assert(text && part);
    char copy[1024];
    int rc = hg_text_copy(copy, sizeof copy, text) ? HG_OK : HG_ERR(HG_EUSAGE, "text too long");
    for (char *at = copy; at && rc >= 0;) {
        char *comma = strchr(at, ',');
        if (comma) {
            *comma++ = '\0';
        }
        rc = part(context, at);
        at = comma;
    }
    return rc;
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

int hg_file_read_plain(const char *path, size_t limit, char **data, size_t *size) {
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (fd < 0) {
        return HG_ERR(HG_ENOTFOUND, "cannot open %s: %s", path, strerror(errno));
    }
    bool plain = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    FILE *file = plain ? fdopen(fd, "rb") : NULL;
    if (!file) {
        close(fd);
        return HG_ERR(HG_ENOTFOUND, "%s is not a plain file", path);
    }
    int rc = file_load(file, path, limit, data, size);
    fclose(file);
    return rc;
}

size_t hg_text_utf8(const char *text) {
    const unsigned char *c = (const unsigned char *)text;
    size_t len = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
    if (c[0] > 0xf4) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((c[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90);
    bool surrogate = c[0] == 0xed && c[1] >= 0xa0;
    return overlong || surrogate || (c[0] == 0xf4 && c[1] >= 0x90) ? 0 : len;
}

/* C0, DEL, C1 (which terminals obey in UTF-8 as well) and what is no UTF-8 at all. */
static bool is_control(const char *text, size_t len) {
    unsigned char c = (unsigned char)*text;
    return len == 0 || (c < ' ' && c != '\n' && c != '\t') || c == 0x7f ||
           (c == 0xc2 && (unsigned char)text[1] < 0xa0);
}

void hg_text_make_printable(char *text) {
    while (*text) {
        size_t len = hg_text_utf8(text);
        bool control = is_control(text, len);
        len = len > 0 ? len : 1;
        if (control) {
            memset(text, '?', len);
        }
        text += len;
    }
}

void hg_text_make_line(char *text) {
    hg_text_make_printable(text);
    for (; *text; text++) {
        *text = *text == '\n' || *text == '\t' ? ' ' : *text;
    }
}

const char *hg_text_after(const char *text, const char *said) {
    size_t first = strcspn(text, "\n");
    bool again = strlen(said) == first && memcmp(text, said, first) == 0;
    return again ? text + first + (text[first] == '\n') : text;
}
