/*
 * Error texts: what, where with the source line, why, and the next step.
 *
 *     strategies/x.lua:14: unknown field 'instrumnt'
 *       --> strategies/x.lua:14 (on_tick)
 *        |
 *     14 |     hedged.trade { instrumnt = "BTC-PERPETUAL", delta = 1 }
 *        |
 *        = help: did you mean 'instrument'?
 *     stack traceback: ...
 */
#include "script/script_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct out {
    char *buf;
    size_t size, len;
} out;

static void put(out *o, const char *format, ...) HG_PRINTF(2, 3);
static void put(out *o, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(o->buf + o->len, o->size - o->len, format, args);
    va_end(args);
    if (n > 0) o->len += (size_t)n < o->size - o->len ? (size_t)n : o->size - o->len - 1;
}

/* Lua shortens long names to "..." and their end. */
static const hg_source *find_source(const hg_script *s, const char *name, size_t len) {
    bool cut = len > 3 && memcmp(name, "...", 3) == 0;
    const char *tail = cut ? name + 3 : name;
    size_t tail_len = cut ? len - 3 : len;
    for (uint32_t i = 0; i < s->source_count; i++) {
        size_t full = strlen(s->sources[i].name);
        if (full < tail_len || (!cut && full != tail_len)) continue;
        if (memcmp(s->sources[i].name + full - tail_len, tail, tail_len) == 0) {
            return &s->sources[i];
        }
    }
    return NULL;
}

/* "FILE:LINE: text" of a known file; the length of "FILE" or 0. */
static size_t parse_place(const hg_script *s, const char *message, const hg_source **source,
                          int *line) {
    for (const char *colon = strchr(message, ':'); colon; colon = strchr(colon + 1, ':')) {
        char *end;
        long number = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end != ':' || number <= 0 || number > 10000000) continue;
        size_t len = (size_t)(colon - message);
        *source = find_source(s, message, len);
        *line = (int)number;
        return *source ? len : 0;
    }
    return 0;
}

static const char *line_of(const hg_source *source, int line, int *len) {
    const char *at = source->text;
    const char *end = source->text + source->size;
    for (int n = 1; n < line && at; n++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    if (!at || at >= end) return NULL;
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    size_t n = (size_t)((stop ? stop : end) - at);
    *len = n > 160 ? 160 : (int)n;
    return at;
}

/* Without the host's own frames at its end, which tell a script author nothing. */
static int traceback_length(const char *traceback) {
    static const char host[] = "\n\t[C]: in ?";
    size_t len = strlen(traceback);
    while (len >= sizeof host - 1 &&
           memcmp(traceback + len - (sizeof host - 1), host, sizeof host - 1) == 0) {
        len -= sizeof host - 1;
    }
    return (int)len;
}

void hg_frame_write(hg_script *s, const char *label, const char *message, const char *traceback) {
    out o = {s->error, sizeof s->error, 0};
    const hg_source *source = NULL;
    int line = 0;
    size_t name_len = parse_place(s, message, &source, &line);
    const char *help = strstr(message, " (did you mean");
    size_t head = help ? (size_t)(help - message) : strlen(message);
    if (head > HG_ERROR_MAX / 2) head = HG_ERROR_MAX / 2;
    put(&o, "%.*s%s", (int)head, message, name_len ? "" : " in ");
    put(&o, "%s\n", name_len ? "" : label);
    int len = 0;
    const char *text = name_len ? line_of(source, line, &len) : NULL;
    int margin = snprintf(NULL, 0, "%d", line);
    if (text) {
        put(&o, "%*s--> %s:%d (%s)\n", margin, "", source->name, line, label);
        put(&o, "%*s |\n%d | %.*s\n%*s |\n", margin, "", line, len, text, margin, "");
    }
    if (help) {
        size_t n = strcspn(help + 2, ")");
        put(&o, "%*s = help: %.*s\n", text ? margin : 0, "", (int)n, help + 2);
    }
    if (traceback) put(&o, "%.*s\n", traceback_length(traceback), traceback);
    while (o.len > 0 && o.buf[o.len - 1] == '\n') o.buf[--o.len] = '\0';
}
