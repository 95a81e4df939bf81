/* The error record: a fixed buffer per thread, so that reporting a failure cannot fail. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1024

static _Thread_local struct {
    int code;
    char text[TEXT_MAX];
    char advice[TEXT_MAX / 2];
    char where[256];
} record;

const char *hg_error_name(int code) {
    switch (code) {
    case HG_OK:
        return "ok";
#define HG_ERROR_CASE(name, num, text, sentence)                                                   \
    case HG_E##name:                                                                               \
        return text;
        HG_ERROR_MAP(HG_ERROR_CASE)
#undef HG_ERROR_CASE
    default:
        return "unknown";
    }
}

const char *hg_error_sentence(int code) {
    switch (code) {
    case HG_OK:
        return "no error";
#define HG_ERROR_CASE(name, num, text, sentence)                                                   \
    case HG_E##name:                                                                               \
        return sentence;
        HG_ERROR_MAP(HG_ERROR_CASE)
#undef HG_ERROR_CASE
    default:
        return "unknown error";
    }
}

static void where_append(const char *where, int line) {
    size_t used = strlen(record.where);
    snprintf(record.where + used, sizeof record.where - used, "%s%s:%d", used > 0 ? " < " : "",
             where, line);
}

int hg_error_set(int code, const char *where, int line, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(record.text, sizeof record.text, fmt, args);
    va_end(args);
    record.code = code;
    record.advice[0] = '\0';
    record.where[0] = '\0';
    where_append(where, line);
    return code;
}

int hg_error_context(int code, const char *where, int line, const char *fmt, ...) {
    char old[TEXT_MAX];
    memcpy(old, record.text, sizeof old);
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(record.text, sizeof record.text, fmt, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n;
    if (old[0] && used + 2 < sizeof record.text) {
        size_t room = sizeof record.text - used - 3; /* ": " and the terminator */
        size_t len = strnlen(old, room);
        memcpy(record.text + used, ": ", 2);
        memcpy(record.text + used + 2, old, len);
        record.text[used + 2 + len] = '\0';
    }
    record.code = code;
    where_append(where, line);
    return code;
}

void hg_error_hint(const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(record.advice, sizeof record.advice, fmt, args);
    va_end(args);
}

const char *hg_error_text(void) {
    return record.text;
}

const char *hg_error_advice(void) {
    return record.advice;
}

const char *hg_error_where(void) {
    return record.where;
}

int hg_error_code(void) {
    return record.code;
}

void hg_error_clear(void) {
    record.code = HG_OK;
    record.text[0] = '\0';
    record.advice[0] = '\0';
    record.where[0] = '\0';
}
