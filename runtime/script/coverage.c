/*
 * Which lines of Lua the tests ran (`hedged test --coverage`). A line hook on every state counts;
 * which lines could have run is read from the compiled code of each file. Test files, the standard
 * library and LuaUnit are not counted. Lines that only close something ("end", "})") carry code of
 * their own in Lua and are left out: whether a function ends by falling off says nothing.
 *
 * A hook makes Lua slower by half; without --coverage none is ever set here.
 */
#include "base/embedded.h"
#include "base/json.h"
#include "base/text.h"
#include "script/script_int.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_MAX 256
#define LINES_MAX 100000
#define SOURCE_MAX ((size_t)8 << 20)

typedef struct file {
    char *name; /* as Lua shows it, then canonical; relative to where we are */
    uint32_t *hits;
    uint32_t size;
    bool counted;
} file;

static struct {
    bool on;
    const char *lcov;
    file files[FILES_MAX];
    size_t count;
    size_t last;
} coverage;

bool hg_coverage_on(void) {
    return coverage.on;
}

void hg_script_coverage(const char *lcov) {
    coverage.on = true;
    coverage.lcov = lcov;
}

/* ---- counting -------------------------------------------------------------------------------- */
static bool is_counted(const char *name) {
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    size_t len = strlen(base);
    bool lua = len > 4 && strcmp(base + len - 4, ".lua") == 0;
    bool test = strncmp(base, "test_", 5) == 0 ||
                (len > 9 && strcmp(base + len - 9, "_test.lua") == 0);
    bool stock = strncmp(name, "stdlib/", 7) == 0 || strncmp(name, "/usr/", 5) == 0;
    return lua && !test && !stock && strncmp(base, "luaunit", 7) != 0;
}

static file *find_file(const char *name) {
    if (coverage.count > 0 && strcmp(coverage.files[coverage.last].name, name) == 0) {
        return &coverage.files[coverage.last];
    }
    for (size_t i = 0; i < coverage.count; i++) {
        if (strcmp(coverage.files[i].name, name) == 0) {
            coverage.last = i;
            return &coverage.files[i];
        }
    }
    if (coverage.count == FILES_MAX) return NULL;
    file *f = &coverage.files[coverage.count];
    *f = (file){.name = strdup(name), .counted = is_counted(name)};
    if (!f->name) return NULL;
    coverage.last = coverage.count++;
    return f;
}

static void count_line(const char *name, int line) {
    file *f = find_file(name);
    if (!f || !f->counted || line <= 0 || line > LINES_MAX) return;
    if ((uint32_t)line >= f->size) {
        uint32_t size = 2 * (uint32_t)line + 64;
        uint32_t *grown = realloc(f->hits, size * sizeof *grown);
        if (!grown) return;
        memset(grown + f->size, 0, (size - f->size) * sizeof *grown);
        f->hits = grown;
        f->size = size;
    }
    if (f->hits[line] < UINT32_MAX) f->hits[line]++;
}

static void on_line(lua_State *L, lua_Debug *ar) {
    if (!lua_getinfo(L, "S", ar) || ar->source[0] != '@') return;
    count_line(ar->source + 1, ar->currentline);
}

void hg_hook_clear(lua_State *L) {
    if (coverage.on) {
        lua_sethook(L, on_line, LUA_MASKLINE, 0);
    } else if (hg_script_of(L)->pace) {
        hg_pace_hook(L);
    } else {
        lua_sethook(L, NULL, 0, 0);
    }
}

/* ---- one file -------------------------------------------------------------------------------- */
typedef struct lines {
    uint8_t *active;
    uint32_t count, active_count, run;
} lines;

static int read_source(const char *name, char **text, size_t *size) {
    int rc = hg_file_read(name, SOURCE_MAX, text, size);
    if (rc == 0) hg_source_tidy(*text, *size);
    const hg_embedded *e = rc < 0 ? hg_embedded_find(name) : NULL;
    if (!e) return rc;
    *text = strndup(e->data, e->size);
    *size = e->size;
    return *text ? 0 : HG_ENOMEM;
}

/* "end", "})", "else": the line closes what others opened. */
static bool only_closes(const char *text, const char *end) {
    bool some = false;
    while (text < end) {
        if (isspace((unsigned char)*text) || strchr("(){};,", *text)) {
            text++;
            continue;
        }
        size_t left = (size_t)(end - text);
        size_t word = left >= 3 && memcmp(text, "end", 3) == 0    ? 3
                      : left >= 4 && memcmp(text, "else", 4) == 0 ? 4
                                                                  : 0;
        if (word == 0 || (word < left && (isalnum((unsigned char)text[word]) || text[word] == '_')))
            return left >= 2 && text[0] == '-' && text[1] == '-' && some;
        text += word;
        some = true;
    }
    return true;
}

static int read_lines(const file *f, lines *out) {
    hg_source source = {.text = NULL};
    int rc = read_source(f->name, &source.text, &source.size);
    if (rc < 0) return rc;
    hg_text_copy(source.name, sizeof source.name, f->name);
    out->count = 1;
    for (size_t i = 0; i < source.size; i++) out->count += source.text[i] == '\n';
    out->active = calloc(out->count + 1, 1);
    if (out->active) hg_check_lines(&source, out->active, out->count);
    const char *at = source.text;
    for (uint32_t line = 1; out->active && line <= out->count; line++) {
        const char *end = strchr(at, '\n');
        end = end ? end : source.text + source.size;
        if (out->active[line] && only_closes(at, end)) out->active[line] = 0;
        if (out->active[line]) {
            out->active_count++;
            out->run += line < f->size && f->hits[line] > 0;
        }
        at = *end ? end + 1 : end;
    }
    free(source.text);
    return out->active ? 0 : HG_ENOMEM;
}

static bool was_run(const file *f, uint32_t line) {
    return line < f->size && f->hits[line] > 0;
}

/* The next run of lines that could have run and did not, from `from`; lines without code between
 * two of them belong to it. */
static bool next_gap(const file *f, const lines *l, uint32_t from, uint32_t *first,
                     uint32_t *last) {
    uint32_t line = from;
    while (line <= l->count && !(l->active[line] && !was_run(f, line))) line++;
    if (line > l->count) return false;
    *first = *last = line;
    for (; line <= l->count; line++) {
        if (!l->active[line]) continue;
        if (was_run(f, line)) break;
        *last = line;
    }
    return true;
}

/* ---- reports --------------------------------------------------------------------------------- */
static void print_file(const file *f, const lines *l) {
    char gaps[200] = "";
    size_t used = 0;
    uint32_t first, last;
    for (uint32_t at = 1; next_gap(f, l, at, &first, &last); at = last + 1) {
        if (used > sizeof gaps - 40) {
            snprintf(gaps + used, sizeof gaps - used, ", ...");
            break;
        }
        int n = first == last
                    ? snprintf(gaps + used, sizeof gaps - used, "%s%u", used ? ", " : "", first)
                    : snprintf(gaps + used, sizeof gaps - used, "%s%u-%u", used ? ", " : "", first,
                               last);
        used += (size_t)n;
    }
    printf("  %-36s %5.1f %%  %4u of %4u%s%s\n", f->name,
           l->active_count ? 100.0 * l->run / l->active_count : 100.0, l->run, l->active_count,
           *gaps ? "   not run: " : "", gaps);
}

static void json_file(hg_json *out, const file *f, const lines *l) {
    hg_json_open(out, NULL);
    hg_json_string(out, "file", f->name);
    hg_json_int(out, "lines", l->active_count);
    hg_json_int(out, "run", l->run);
    hg_json_open_array(out, "not_run");
    for (uint32_t line = 1; line <= l->count; line++) {
        if (l->active[line] && !was_run(f, line)) hg_json_int(out, NULL, line);
    }
    hg_json_close_array(out);
    hg_json_close(out);
}

static void lcov_file(FILE *out, const file *f, const lines *l) {
    char *real = realpath(f->name, NULL);
    fprintf(out, "TN:\nSF:%s\n", real ? real : f->name);
    free(real);
    for (uint32_t line = 1; line <= l->count; line++) {
        if (l->active[line]) fprintf(out, "DA:%u,%u\n", line, was_run(f, line) ? f->hits[line] : 0);
    }
    fprintf(out, "LF:%u\nLH:%u\nend_of_record\n", l->active_count, l->run);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const file *)a)->name, ((const file *)b)->name);
}

/* "./a.lua" and "a.lua" and "/where/we/are/a.lua" are one file. */
static void unify_names(void) {
    char here[HG_PATH_MAX] = "";
    if (!getcwd(here, sizeof here)) here[0] = '\0';
    size_t len = strlen(here);
    for (size_t i = 0; i < coverage.count; i++) {
        char *real = realpath(coverage.files[i].name, NULL);
        if (!real) continue;
        bool below = len > 0 && strncmp(real, here, len) == 0 && real[len] == '/';
        char *name = strdup(below ? real + len + 1 : real);
        free(real);
        if (!name) continue;
        free(coverage.files[i].name);
        coverage.files[i].name = name;
    }
    qsort(coverage.files, coverage.count, sizeof *coverage.files, by_name);
    for (size_t i = 1; i < coverage.count; i++) {
        file *a = &coverage.files[i - 1];
        file *b = &coverage.files[i];
        if (strcmp(a->name, b->name) != 0 || !a->counted) continue;
        if (a->size > b->size) {
            file larger = *a;
            a->hits = b->hits;
            a->size = b->size;
            b->hits = larger.hits;
            b->size = larger.size;
        }
        for (uint32_t line = 0; line < a->size; line++) b->hits[line] += a->hits[line];
        a->counted = false;
    }
}

void hg_coverage_report(hg_json *json) {
    FILE *lcov = coverage.lcov ? fopen(coverage.lcov, "w") : NULL;
    uint32_t all = 0;
    uint32_t run = 0;
    if (coverage.lcov && !lcov) {
        fprintf(stderr, "error: cannot write %s: %s\n", coverage.lcov, strerror(errno));
    }
    unify_names();
    if (json) {
        hg_json_open_array(json, "coverage");
    } else {
        printf("coverage\n");
    }
    for (size_t i = 0; i < coverage.count; i++) {
        const file *f = &coverage.files[i];
        lines l = {0};
        if (f->counted && read_lines(f, &l) == 0) {
            if (json) json_file(json, f, &l);
            if (!json) print_file(f, &l);
            if (lcov) lcov_file(lcov, f, &l);
            all += l.active_count;
            run += l.run;
        }
        free(l.active);
    }
    if (json) {
        hg_json_close_array(json);
    } else {
        printf("  %-36s %5.1f %%  %4u of %4u\n", "all", all ? 100.0 * run / all : 100.0, run, all);
    }
    if (lcov && fclose(lcov) != 0) {
        fprintf(stderr, "error: cannot write %s: %s\n", coverage.lcov, strerror(errno));
    }
    for (size_t i = 0; i < coverage.count; i++) {
        free(coverage.files[i].name);
        free(coverage.files[i].hits);
    }
    coverage.count = 0;
    coverage.on = false;
}
