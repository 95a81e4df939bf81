/*
 * Error texts: what, where with the source line, why, and the next step.
 *
 *     strategies/x.lua:14: hedged.trade has no field 'instrumnt'
 *       --> strategies/x.lua:14:20 (on_tick)
 *        |
 *     14 |     hedged.trade { instrumnt = "BTC-PERPETUAL", delta = 1 }
 *        |                    ^^^^^^^^^
 *        = help: did you mean 'instrument'?
 *     stack traceback: ...
 */
#include "base/text.h"
#include "script/script_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 600

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

/* What a script says in several lines cannot pass for lines of ours: all but the first are
 * indented.
 */
static void put_message(out *o, const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) put(o, text[i] == '\n' ? "%c    " : "%c", text[i]);
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

static bool is_stdlib(const hg_source *source) {
    return strncmp(source->name, "stdlib/", 7) == 0;
}

/* An error value without a place (a number, a table, error(text, 0)) was raised somewhere: the
 * first line of the traceback that is the script's own. */
static bool place_of_traceback(const hg_script *s, const char *traceback, const hg_source **source,
                               int *line) {
    for (const char *at = traceback; at && (at = strstr(at, "\n\t")) != NULL; at += 2) {
        char frame[512];
        snprintf(frame, sizeof frame, "%.*s", (int)strcspn(at + 2, "\n"), at + 2);
        bool own = strncmp(frame, "[C]", 3) != 0 && parse_place(s, frame, source, line);
        if (own && !is_stdlib(*source)) return true;
    }
    return false;
}

/* Misuse that a module of ours noticed: the reader wants to see his own line. What broke inside the
 * module ("attempt to ...") is shown where it did. */
static const char *blame_caller(const hg_script *s, const char *message, const char *traceback,
                                char *buf, size_t size) {
    const hg_source *source = NULL;
    const hg_source *own = NULL;
    int line = 0;
    size_t len = parse_place(s, message, &source, &line);
    const char *rest = len ? strstr(message + len, ": ") : NULL;
    if (!rest || !is_stdlib(source) || strncmp(rest + 2, "attempt to", 10) == 0 ||
        !place_of_traceback(s, traceback, &own, &line)) {
        return message;
    }
    snprintf(buf, size, "%s:%d: %s", own->name, line, rest + 2);
    return buf;
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

static bool put_source(out *o, const hg_source *source, int line, const char *label,
                       const char *message) {
    int len = 0;
    const char *text = hg_source_line(source, line, &len);
    size_t size = strlen(message);
    bool at_end = size > 5 && strcmp(message + size - 5, "<eof>") == 0;
    while (at_end && line > 1 && (!text || len == 0)) text = hg_source_line(source, --line, &len);
    if (!text) return false;
    int margin = snprintf(NULL, 0, "%d", line);
    hg_mark mark;
    bool marked = hg_mark_find(source, text, len, message, &mark);
    put(o, "%*s--> %s:%d", margin, "", source->name, line);
    if (marked) put(o, ":%d", mark.column);
    put(o, " (%s)\n%*s |\n%d | %.*s\n", label, margin, "", line, len, text);
    if (marked) {
        char caret[256];
        hg_mark_caret(text, &mark, caret, sizeof caret);
        put(o, "%*s | %s\n", margin, "", caret);
    } else {
        put(o, "%*s |\n", margin, "");
    }
    return true;
}

/* "'end' expected (to close 'if' at line 6) near <eof>": line 6 is the one to look at. */
static int line_of_opener(const char *message, int line) {
    const char *at = strstr(message, "(to close '");
    at = at ? strstr(at, "' at line ") : NULL;
    long number = at ? strtol(at + 10, NULL, 10) : 0;
    return number > 0 && number < 10000000 ? (int)number : line;
}

/* Messages of loading and of carrying state over say it themselves. */
static bool says_where(const char *label, const char *message) {
    return strcmp(label, "load") == 0 || strcmp(label, "state") == 0 ||
           (strcmp(label, "migrate") == 0 && strstr(message, "migrate ") != NULL);
}

void hg_frame_write(hg_script *s, const char *label, const char *message, const char *traceback) {
    out o = {s->error, sizeof s->error, 0};
    const hg_source *source = NULL;
    int line = 0;
    char own[2 * MESSAGE_MAX];
    message = blame_caller(s, message, traceback, own, sizeof own);
    size_t name_len = parse_place(s, message, &source, &line);
    const char *help = strstr(message, " (did you mean");
    size_t head = help ? (size_t)(help - message) : strlen(message);
    bool cut = head > MESSAGE_MAX; /* the line and the traceback must have their place */
    if (cut) head = MESSAGE_MAX;
    bool placed = name_len > 0 || says_where(label, message);
    put_message(&o, message, head);
    if (cut) put(&o, " ...");
    put(&o, "%s%s\n", placed ? "" : " in ", placed ? "" : label);
    if (name_len) line = line_of_opener(message, line);
    bool raised = !placed && place_of_traceback(s, traceback, &source, &line);
    int margin = snprintf(NULL, 0, "%d", line);
    bool shown = (name_len || raised) && put_source(&o, source, line, label, message);
    char meant[96];
    if (help) {
        size_t n = strcspn(help + 2, ")");
        put(&o, "%*s = help: %.*s\n", shown ? margin : 0, "", (int)n, help + 2);
    } else if (name_len && hg_mark_suggest(s, source, message, meant, sizeof meant)) {
        put(&o, "%*s = help: %s\n", shown ? margin : 0, "", meant);
    }
    int frames = traceback ? traceback_length(traceback) : 0;
    bool bare = traceback && memchr(traceback, '\n', (size_t)frames) == NULL; /* its title alone */
    if (frames > 0 && !bare) put(&o, "%.*s\n", frames, traceback);
    while (o.len > 0 && o.buf[o.len - 1] == '\n') o.buf[--o.len] = '\0';
    hg_text_make_printable(o.buf);
}
