/*
 * Where in its line an error is, and what was meant. Lua tells lines and names, not columns: a name
 * is looked for in the line as a whole word outside texts and comments, as a field or not as the
 * message says; the token of a syntax error is found by compiling the text up to each place where
 * it stands, until the parser stops there.
 */
#include "base/text.h"
#include "script/script_int.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 512
#define WORD_BYTES 48

static bool is_word_char(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

const char *hg_source_line(const hg_source *source, int line, int *len) {
    const char *at = source->text;
    const char *end = source->text + source->size;
    for (int n = 1; n < line && at; n++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    if (!at || at >= end) return NULL;
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    size_t n = (size_t)((stop ? stop : end) - at);
    if (n > 0 && at[n - 1] == '\r') n--; /* lines as Windows ends them */
    *len = n > 160 ? 160 : (int)n;
    return at;
}

/* Tabs stay tabs, so that the caret stands under its place. */
void hg_mark_caret(const char *text, const hg_mark *mark, char *out, size_t size) {
    size_t used = 0;
    for (int i = 0; i < mark->column - 1 && used + 1 < size; i++) {
        out[used++] = text[i] == '\t' ? '\t' : ' ';
    }
    for (int i = 0; i < mark->width && used + 1 < size; i++) out[used++] = '^';
    out[used] = '\0';
    if (*mark->note) snprintf(out + used, size - used, " %s", mark->note);
}

/* ---- the line, without texts and comments ---------------------------------------------------- */
/* Blanks what is no code, so that columns stay. Long brackets that began above are not known. */
static void blank_texts(char *line) {
    char quote = '\0';
    for (char *c = line; *c; c++) {
        if (quote) {
            bool end = *c == quote;
            if (*c == '\\' && c[1]) *c++ = ' ';
            if (end) quote = '\0';
            *c = ' ';
        } else if (*c == '"' || *c == '\'') {
            quote = *c;
            *c = ' ';
        } else if (c[0] == '-' && c[1] == '-') {
            *c = '\0';
            return;
        }
    }
}

typedef enum { ANY, FIELD, PLAIN } place;

static bool stands_as(const char *line, const char *at, place where) {
    const char *before = at;
    while (before > line && before[-1] == ' ') before--;
    char c = before > line ? before[-1] : '\0';
    bool field = (c == '.' && !(before - 1 > line && before[-2] == '.')) || c == ':';
    return where == ANY || field == (where == FIELD);
}

/* What follows a name that is called or indexed; "" = anything. */
static const char *followers_of(const char *message) {
    if (strstr(message, "attempt to index")) return ".:[";
    if (strstr(message, "attempt to call")) return "({\"'";
    return "";
}

/* The whole word that fits best: the right kind of place and follower, then the right kind, then
 * any; the first of equals. NULL when it is not in the line. */
static const char *find_word(const char *line, const char *word, place where, const char *next) {
    size_t len = strlen(word);
    const char *best = NULL;
    int best_fit = -1;
    for (const char *at = strstr(line, word); at; at = strstr(at + 1, word)) {
        bool whole = (at == line || !is_word_char(at[-1])) && !is_word_char(at[len]);
        if (!whole) continue;
        char after = at[len + strspn(at + len, " ")];
        int fit = 2 * stands_as(line, at, where) + (*next && after && strchr(next, after));
        if (fit > best_fit) {
            best = at;
            best_fit = fit;
        }
    }
    return best;
}

/* ---- names in messages ----------------------------------------------------------------------- */
static bool take_quoted(const char *from, char *out, size_t size) {
    const char *open = strchr(from, '\'');
    const char *close = open ? strchr(open + 1, '\'') : NULL;
    size_t len = close ? (size_t)(close - open - 1) : 0;
    if (len == 0 || len >= size) return false;
    memcpy(out, open + 1, len);
    out[len] = '\0';
    return true;
}

/* "(field 'exposre')" and its like, else the first name between quotes. */
static bool name_of(const char *message, char *out, size_t size, place *where) {
    static const struct {
        const char *text;
        place where;
    } kinds[] = {
        {"(field '",           FIELD},
        {"(method '",          FIELD},
        {"(local '",           PLAIN},
        {"(upvalue '",         PLAIN},
        {"(global '",          PLAIN},
        {"undefined global '", PLAIN},
        {"new global '",       PLAIN},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *at = strstr(message, kinds[i].text);
        *where = kinds[i].where;
        if (at && take_quoted(at, out, size)) return true;
    }
    *where = ANY;
    if (!take_quoted(message, out, size)) return false;
    const char *dot = strrchr(out, '.'); /* "bad argument #1 to 'hedged.exposure'" */
    if (dot && dot[1]) memmove(out, dot + 1, strlen(dot));
    return true;
}

/* ---- syntax errors --------------------------------------------------------------------------- */
/* Whether the parser, given no more than this, stops with the same complaint. */
static bool stops_here(const hg_source *source, size_t size, const char *near) {
    lua_State *L = luaL_newstate();
    if (!L) return false;
    bool same = false;
    if (luaL_loadbufferx(L, source->text, size, "=x", "t") == LUA_ERRSYNTAX) {
        const char *message = lua_tostring(L, -1);
        const char *at = message ? strstr(message, " near ") : NULL;
        same = at && strcmp(at, near) == 0;
    }
    lua_close(L);
    return same;
}

static const char *find_token(const hg_source *source, const char *text, const char *line,
                              const char *near, char *token, size_t size) {
    if (!take_quoted(near, token, size)) return NULL;
    size_t len = strlen(token);
    if (token[0] == '"' || token[0] == '\'') return strstr(line, token); /* an unfinished text */
    for (const char *at = strstr(line, token); at; at = strstr(at + 1, token)) {
        size_t until = (size_t)(text - source->text) + (size_t)(at - line) + len;
        if (stops_here(source, until, near)) return at;
    }
    return NULL;
}

/* ---- the mark -------------------------------------------------------------------------------- */
static const char *note_of(const char *message) {
    static const char *const notes[][2] = {
        {"a nil value (",     "this is nil"      },
        {"a boolean value (", "this is a boolean"},
        {"a number value (",  "this is a number" },
        {"a string value (",  "this is a text"   },
        {"a table value (",   "this is a table"  },
    };
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        if (strstr(message, notes[i][0])) return notes[i][1];
    }
    return "";
}

bool hg_mark_find(const hg_source *source, const char *text, int len, const char *message,
                  hg_mark *mark) {
    char line[200];
    char word[WORD_BYTES];
    snprintf(line, sizeof line, "%.*s", len, text);
    mark->note = note_of(message);
    const char *unclosed = strstr(message, "(to close '");
    if (unclosed && take_quoted(unclosed, word, sizeof word)) {
        mark->note = "this is not closed";
        const char *open = strstr(line, word);
        mark->column = open ? (int)(open - line) + 1 : 0;
        mark->width = (int)strlen(word);
        return open != NULL;
    }
    const char *near = strstr(message, " near ");
    const char *at = NULL;
    if (near) {
        if (strcmp(near, " near <eof>") == 0) {
            *mark = (hg_mark){.column = len + 1, .width = 1, .note = "the file ends here"};
            return true;
        }
        at = find_token(source, text, line, near, word, sizeof word);
    } else {
        place where;
        if (!name_of(message, word, sizeof word, &where)) return false;
        char whole[sizeof line];
        memcpy(whole, line, sizeof whole);
        blank_texts(line);
        at = find_word(line, word, where, followers_of(message));
        if (!at) { /* the name may be a text itself: market.get("BTC-PREPETUAL") */
            memcpy(line, whole, sizeof line);
            at = find_word(line, word, ANY, "");
        }
    }
    if (!at) return false;
    mark->column = (int)(at - line) + 1;
    mark->width = (int)strlen(word);
    return true;
}

/* ---- what was meant -------------------------------------------------------------------------- */
typedef struct words {
    char text[WORDS_MAX][WORD_BYTES];
    const char *list[WORDS_MAX + 1];
    size_t count;
} words;

static void add_word(words *w, const char *text, size_t len, const char *except) {
    if (w->count == WORDS_MAX || len == 0 || len >= WORD_BYTES) return;
    char *out = w->text[w->count];
    memcpy(out, text, len);
    out[len] = '\0';
    if (strcmp(out, except) == 0) return;
    w->list[w->count++] = out;
    w->list[w->count] = NULL;
}

/* Names the text defines: `name =`, `name (` after a function's dot or colon. */
static void add_definitions(words *w, const hg_source *source, const char *except) {
    const char *end = source->text + source->size;
    for (const char *c = source->text; c < end;) {
        if (!is_word_char(*c)) {
            c++;
            continue;
        }
        const char *start = c;
        while (c < end && is_word_char(*c)) c++;
        const char *after = c;
        while (after < end && *after == ' ') after++;
        bool assigned = after + 1 < end && after[0] == '=' && after[1] != '=';
        bool field = start > source->text && (start[-1] == '.' || start[-1] == ':');
        const char *head = start;
        while (head > source->text && (is_word_char(head[-1]) || strchr(".:", head[-1]))) head--;
        bool method = field && head - source->text >= 9 && memcmp(head - 9, "function ", 9) == 0;
        if (assigned || method) add_word(w, start, (size_t)(c - start), except);
    }
}

/* A nil field: the nearest parameter, or name the file gives to a field. */
bool hg_mark_suggest(const hg_script *s, const hg_source *source, const char *message, char *out,
                     size_t size) {
    char name[WORD_BYTES];
    const char *at = strstr(message, "a nil value (");
    bool field = at &&
                 (strncmp(at + 13, "field '", 7) == 0 || strncmp(at + 13, "method '", 8) == 0);
    if (!field || !take_quoted(at, name, sizeof name)) return false;
    words *w = calloc(1, sizeof *w);
    if (!w) return false;
    for (uint32_t i = 0; i < s->param_count; i++) {
        add_word(w, s->params[i].name, strlen(s->params[i].name), name);
    }
    add_definitions(w, source, name);
    const char *near = w->count > 0 ? hg_text_nearest(name, w->list) : NULL;
    if (near) snprintf(out, size, "did you mean '%s'?", near);
    free(w);
    return near != NULL;
}
