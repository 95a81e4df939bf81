/*
 * Undefined globals, found without running the code: the compiler turns each access of a global
 * into an access of a constant field of the upvalue _ENV, and its dump shows where. The format is
 * that of Lua 5.4 (ldump.c); any other version makes this check silent, never wrong.
 */
#include "base/text.h"
#include "script/script_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DUMP_MAX ((size_t)32 << 20)
#define OP_GETTABUP 11
#define OP_SETTABUP 15
#define OP_VARARGPREP 81
#define NAMES_MAX 512
#define DEPTH_MAX 200

typedef struct dump {
    unsigned char *data;
    size_t size, at;
    bool bad; /* ran past the end: not a format we know */
    hg_pace *pace;
} dump;

/* Names the file may use: what the sandbox has and what the file assigns. */
typedef struct scan {
    const hg_source *source;
    const char *known[NAMES_MAX + 1];
    size_t known_count;
    char (*own)[64];
    size_t own_count;
    bool reporting; /* second pass */
    char *report;
    size_t size, used;
    int found;
    uint8_t *active; /* lines with code, instead of names; NULL = names */
    uint32_t line_count;
} scan;

static int write_dump(lua_State *L, const void *piece, size_t size, void *context) {
    (void)L;
    dump *d = context;
    (void)hg_pace_poll(d->pace);
    if (d->size + size > DUMP_MAX) return 1;
    unsigned char *grown = realloc(d->data, d->size + size);
    if (!grown) return 1;
    memcpy(grown + d->size, piece, size);
    d->data = grown;
    d->size += size;
    return 0;
}

/* ---- reading the dump ------------------------------------------------------------------------ */
static const unsigned char *take(dump *d, size_t n) {
    static const unsigned char nothing[16] = {0};
    if (d->bad || n > d->size - d->at) {
        d->bad = true;
        return nothing;
    }
    d->at += n;
    return d->data + d->at - n;
}

static unsigned take_byte(dump *d) {
    return *take(d, 1);
}

/* Seven bits a byte, the last one marked. */
static size_t take_size(dump *d) {
    size_t value = 0;
    unsigned byte;
    do {
        byte = take_byte(d);
        if (value > SIZE_MAX >> 8) d->bad = true;
        value = value << 7 | (byte & 0x7f);
    } while (!(byte & 0x80) && !d->bad);
    return value;
}

static const char *take_string(dump *d, size_t *len) {
    size_t size = take_size(d);
    *len = size > 0 ? size - 1 : 0;
    return (const char *)take(d, *len <= d->size ? *len : d->size + 1);
}

typedef struct constant {
    const char *text; /* NULL when not a string */
    size_t len;
} constant;

static constant take_constant(dump *d) {
    constant c = {NULL, 0};
    unsigned type = take_byte(d);
    switch (type) {
    case LUA_TNUMBER:
    case LUA_TNUMBER | 1 << 4:
        take(d, 8);
        break;
    case LUA_TSTRING:
    case LUA_TSTRING | 1 << 4:
        c.text = take_string(d, &c.len);
        break;
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TBOOLEAN | 1 << 4:
        break;
    default:
        d->bad = true;
    }
    return c;
}

/* ---- what a function does with globals ------------------------------------------------------- */
static bool is_known(const scan *s, const char *name) {
    for (size_t i = 0; i < s->known_count; i++) {
        if (strcmp(s->known[i], name) == 0) return true;
    }
    return false;
}

static void remember(scan *s, const char *name) {
    if (is_known(s, name) || s->known_count == NAMES_MAX) return;
    hg_text_copy(s->own[s->own_count], sizeof s->own[0], name);
    s->known[s->known_count++] = s->own[s->own_count++];
    s->known[s->known_count] = NULL;
}

static void put(scan *s, const char *format, ...) HG_PRINTF(2, 3);
static void put(scan *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(s->report + s->used, s->size - s->used, format, args);
    va_end(args);
    if (n > 0) s->used += (size_t)n < s->size - s->used ? (size_t)n : s->size - s->used - 1;
}

/* One line as compilers write it, then the source line with a caret. */
static void report(scan *s, const char *name, int line) {
    if (is_known(s, name)) return;
    char message[128];
    hg_mark mark = {0, 0, ""};
    int len = 0;
    const char *near = hg_text_nearest(name, s->known);
    const char *text = hg_source_line(s->source, line, &len);
    snprintf(message, sizeof message, "undefined global '%s'", name);
    bool marked = text && hg_mark_find(s->source, text, len, message, &mark);
    put(s, "%s:%d", s->source->name, line);
    if (marked) put(s, ":%d", mark.column);
    put(s, ": %s%s%s%s\n", message, near ? "; did you mean '" : "", near ? near : "",
        near ? "'?" : "");
    if (marked) {
        int margin = snprintf(NULL, 0, "%d", line);
        char caret[256];
        hg_mark_caret(text, &mark, caret, sizeof caret);
        put(s, " %d | %.*s\n %*s | %s\n", line, len, text, margin, "", caret);
    }
    s->found++;
}

typedef struct function {
    const unsigned char *code;
    size_t code_count;
    constant *constants;
    size_t constant_count;
    const signed char *lines; /* differences; -128 = see the next absolute one */
    size_t line_count;
    int *absolute;
    size_t absolute_count;
    int first_line;
    int env; /* the upvalue named _ENV, -1 none */
} function;

static uint32_t read_u32(const unsigned char *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static int line_of(const function *f, size_t pc) {
    int line = f->first_line;
    for (size_t i = 0, k = 0; i <= pc && i < f->line_count; i++) {
        if (f->lines[i] != -128) {
            line += f->lines[i];
        } else if (k < f->absolute_count) {
            line = f->absolute[k++];
        }
    }
    return line;
}

static void mark_lines(scan *s, const function *f) {
    for (size_t pc = 0; pc < f->code_count; pc++) {
        int line = line_of(f, pc);
        bool prologue = pc == 0 && (read_u32(f->code) & 0x7f) == OP_VARARGPREP;
        if (!prologue && line > 0 && (uint32_t)line <= s->line_count) s->active[line] = 1;
    }
}

static void look_at(scan *s, const function *f) {
    if (s->active) {
        mark_lines(s, f);
        return;
    }
    for (size_t pc = 0; pc < f->code_count; pc++) {
        uint32_t i = read_u32(f->code + pc * 4);
        unsigned op = i & 0x7f;
        unsigned a = i >> 7 & 0xff;
        unsigned b = i >> 16 & 0xff;
        unsigned c = i >> 24 & 0xff;
        bool get = op == OP_GETTABUP && (int)b == f->env;
        bool set = op == OP_SETTABUP && (int)a == f->env;
        unsigned key = get ? c : b;
        if (!(get || set) || key >= f->constant_count || !f->constants[key].text) continue;
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)f->constants[key].len, f->constants[key].text);
        if (set && !s->reporting) remember(s, name);
        if (get && s->reporting) report(s, name, line_of(f, pc));
    }
}

static void read_debug(dump *d, function *f) {
    f->line_count = take_size(d);
    f->lines = (const signed char *)take(d, f->line_count);
    size_t n = take_size(d);
    if (n > d->size) d->bad = true;
    f->absolute = d->bad ? NULL : calloc(n + 1, sizeof *f->absolute);
    for (size_t i = 0; i < n && !d->bad; i++) {
        take_size(d);
        int line = (int)take_size(d);
        if (f->absolute) f->absolute[f->absolute_count++] = line;
    }
    n = take_size(d);
    for (size_t i = 0; i < n && !d->bad; i++) {
        size_t len;
        take_string(d, &len);
        take_size(d);
        take_size(d);
    }
    n = take_size(d);
    for (size_t i = 0; i < n && !d->bad; i++) {
        size_t len;
        const char *name = take_string(d, &len);
        if (len == 4 && memcmp(name, "_ENV", 4) == 0) f->env = (int)i;
    }
}

static void read_function(scan *s, dump *d, int depth) {
    function f = {.env = -1};
    size_t len;
    if (depth > DEPTH_MAX) d->bad = true;
    (void)hg_pace_poll(d->pace);
    take_string(d, &len);
    f.first_line = (int)take_size(d);
    take_size(d);
    take(d, 3);
    f.code_count = take_size(d);
    if (f.code_count > d->size) d->bad = true;
    f.code = take(d, f.code_count * 4);
    f.constant_count = take_size(d);
    if (d->bad || f.constant_count > d->size) return;
    f.constants = calloc(f.constant_count + 1, sizeof *f.constants);
    if (!f.constants) return;
    for (size_t i = 0; i < f.constant_count; i++) f.constants[i] = take_constant(d);
    size_t n = take_size(d);
    take(d, n <= d->size ? n * 3 : d->size + 1);
    n = take_size(d);
    for (size_t i = 0; i < n && !d->bad; i++) read_function(s, d, depth + 1);
    read_debug(d, &f);
    if (!d->bad) look_at(s, &f);
    free(f.absolute);
    free(f.constants);
}

static bool read_header(dump *d) {
    static const unsigned char wanted[] = "\x1bLua\x54\x00\x19\x93\r\n\x1a\n\x04\x08\x08";
    const unsigned char *head = take(d, sizeof wanted - 1);
    bool known = !d->bad && memcmp(head, wanted, sizeof wanted - 1) == 0;
    take(d, 8 + 8 + 1); /* an integer, a float, the number of upvalues */
    return known && !d->bad;
}

/* ---- the check ------------------------------------------------------------------------------- */
typedef struct job {
    scan *scan;
    dump dump;
} job;

/* Compiles the source and dumps it; collects the names of the sandbox. */
static int l_prepare(lua_State *L) {
    job *j = lua_touserdata(L, 1);
    scan *s = j->scan;
    lua_pushglobaltable(L);
    for (lua_pushnil(L); lua_next(L, -2) && s->known_count < NAMES_MAX / 2; lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING) s->known[s->known_count++] = lua_tostring(L, -2);
    }
    s->known[s->known_count] = NULL;
    lua_settop(L, 0);
    if (l_compile_text(L, s->source->text, s->source->size, "=check") != LUA_OK) {
        return lua_error(L);
    }
    lua_dump(L, write_dump, &j->dump, 0);
    return 0;
}

int hg_check_source(hg_script *script, const hg_source *source, char *out, size_t size) {
    scan s = {.source = source, .report = out, .size = size, .used = strlen(out)};
    job j = {.scan = &s, .dump.pace = script->pace};
    s.own = calloc(NAMES_MAX, sizeof *s.own);
    if (s.own && hg_lua_protect(script, l_prepare, &j, "check", 0) == 0) {
        for (int pass = 0; pass < 2; pass++) {
            s.reporting = pass == 1;
            j.dump.at = 0;
            if (read_header(&j.dump)) read_function(&s, &j.dump, 0);
        }
    }
    free(j.dump.data);
    free(s.own);
    return s.found;
}

void hg_check_lines(const hg_source *source, uint8_t *active, uint32_t count) {
    scan s = {.source = source, .active = active, .line_count = count};
    dump d = {0};
    lua_State *L = luaL_newstate();
    if (L && luaL_loadbufferx(L, source->text, source->size, "=lines", "t") == LUA_OK) {
        lua_dump(L, write_dump, &d, 0);
        if (read_header(&d)) read_function(&s, &d, 0);
    }
    if (L) lua_close(L);
    free(d.data);
}
