/* Rows from Lua data files and CSV, and the two kinds of list a session reads from them. */
#include "app/datafile.h"

#include "base/text.h"
#include "script/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FILE_MAX (64u << 20)
#define FIELDS_MAX 128

const char *hg_row_get(const hg_row_field *fields, size_t count, const char *key) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].key, key) == 0) {
            return fields[i].value[0] ? fields[i].value : NULL;
        }
    }
    return NULL;
}

typedef struct {
    hg_row_fn fn;
    void *context;
} lua_rows;

static int on_lua_row(void *context, int index, const hg_data_field *fields, size_t count) {
    const lua_rows *rows = context;
    hg_row_field flat[FIELDS_MAX];
    if (count > FIELDS_MAX) {
        return HG_ERR(HG_ECONFIG, "more than %d fields", FIELDS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        flat[i].key = fields[i].key;
        flat[i].value = fields[i].type == HG_DATA_BOOL ? (fields[i].truth ? "true" : "false")
                                                       : fields[i].text;
    }
    return rows->fn(rows->context, index, flat, count);
}

static void trim(char *text) {
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1])) {
        text[--len] = '\0';
    }
    size_t lead = strspn(text, " \t");
    memmove(text, text + lead, len - lead + 1);
}

/* Splits in place; quotes are not needed for names and numbers and are refused by the caller. */
static size_t csv_split(char *line, char **cells) {
    size_t n = 0;
    for (char *p = line; p && n < FIELDS_MAX; n++) {
        cells[n] = p;
        p = strchr(p, ',');
        if (p) {
            *p++ = '\0';
        }
        trim(cells[n]);
    }
    return n;
}

static int csv_row(const char *path, int number, char *line, char **header, size_t columns,
                   hg_row_fn fn, void *context) {
    char *cells[FIELDS_MAX];
    hg_row_field fields[FIELDS_MAX];
    size_t n = csv_split(line, cells);
    if (n != columns) {
        return HG_ERR(HG_ECONFIG, "%s: row %d: %zu columns, the header has %zu", path, number, n,
                      columns);
    }
    for (size_t i = 0; i < n; i++) {
        fields[i] = (hg_row_field){header[i], cells[i]};
    }
    int rc = fn(context, number, fields, n);
    return rc < 0 ? HG_ERR_CTX(rc, "%s: row %d", path, number) : rc;
}

static int csv_load(const char *path, hg_row_fn fn, void *context) {
    char *data = NULL;
    size_t size = 0;
    int rc = hg_file_read(path, FILE_MAX, &data, &size);
    if (rc < 0) {
        return rc;
    }
    char *header[FIELDS_MAX];
    size_t columns = 0;
    int number = 0;
    char *next = NULL;
    for (char *line = data; line && rc >= 0; line = next) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        trim(line);
        if (line[0] == '\0' || line[0] == '#') {
            continue;
        }
        if (columns == 0) {
            columns = csv_split(line, header);
        } else {
            rc = csv_row(path, ++number, line, header, columns, fn, context);
        }
    }
    free(data);
    return rc < 0 ? rc : HG_OK;
}

int hg_rows_load(const char *path, hg_row_fn fn, void *context) {
    size_t len = strlen(path);
    if (len > 4 && strcasecmp(path + len - 4, ".csv") == 0) {
        return csv_load(path, fn, context);
    }
    lua_rows rows = {fn, context};
    return hg_data_load(path, on_lua_row, &rows);
}

static int nano_field(const hg_row_field *fields, size_t count, const char *key, hg_nano *out) {
    const char *text = hg_row_get(fields, count, key);
    if (text && !hg_nano_parse(text, strlen(text), out)) {
        return HG_ERR(HG_ECONFIG, "%s = %s is not a finite number", key, text);
    }
    return HG_OK;
}

static int text_field(const hg_row_field *fields, size_t count, const char *key,
                      const char *fallback, char *out, size_t size) {
    const char *text = hg_row_get(fields, count, key);
    if (!text && !fallback) {
        return HG_ERR(HG_ECONFIG, "column '%s' is missing", key);
    }
    if (!hg_text_copy(out, size, text ? text : fallback)) {
        return HG_ERR(HG_ECONFIG, "%s = %s is too long", key, text);
    }
    return HG_OK;
}

static int kind_field(const hg_row_field *fields, size_t count, hg_instrument *inst) {
    static const char *const kinds[] = {"option", "perpetual", "future", "spot", NULL};
    const char *text = hg_row_get(fields, count, "kind");
    for (int k = 0; text && kinds[k]; k++) {
        if (strcmp(text, kinds[k]) == 0) {
            inst->kind = (hg_kind)k;
            return HG_OK;
        }
    }
    return HG_ERR(HG_ECONFIG, "kind = %s: want option, perpetual, future or spot",
                  text ? text : "(absent)");
}

static int expiry_field(const hg_row_field *fields, size_t count, hg_instrument *inst) {
    const char *text = hg_row_get(fields, count, "expiry");
    int64_t seconds = 0;
    if (!text || hg_expiry_parse(text, strlen(text), &inst->expiry_ns)) {
        return HG_OK;
    }
    if (hg_nano_parse(text, strlen(text), &seconds) && seconds > 0) {
        inst->expiry_ns = seconds; /* Unix seconds scaled by 1e9 are nanoseconds */
        return HG_OK;
    }
    return HG_ERR(HG_ECONFIG, "expiry = %s: want 27FEB26 or Unix seconds", text);
}

static int type_field(const hg_row_field *fields, size_t count, hg_instrument *inst) {
    const char *text = hg_row_get(fields, count, "type");
    if (!text) {
        return HG_OK;
    }
    if (strcasecmp(text, "C") == 0 || strcasecmp(text, "call") == 0) {
        inst->cp = 1;
    } else if (strcasecmp(text, "P") == 0 || strcasecmp(text, "put") == 0) {
        inst->cp = -1;
    } else {
        return HG_ERR(HG_ECONFIG, "type = %s: want C or P", text);
    }
    return HG_OK;
}

static int nano_fields(const hg_row_field *fields, size_t count, hg_instrument *inst) {
    const struct {
        const char *key;
        hg_nano *out;
    } wanted[] = {
        {"strike",             &inst->strike            },
        {"tick",               &inst->tick              },
        {"tick_above",         &inst->tick_above        },
        {"tick_step",          &inst->tick_step         },
        {"lot",                &inst->lot               },
        {"maker",              &inst->maker             },
        {"taker",              &inst->taker             },
        {"fee_cap",            &inst->fee_cap           },
        {"delivery",           &inst->delivery          },
        {"initial_margin",     &inst->margin.initial    },
        {"initial_margin_min", &inst->margin.initial_min},
        {"maintenance_margin", &inst->margin.maintenance},
        {"margin_per_coin",    &inst->margin.per_coin   },
        {"liquidation",        &inst->margin.liquidation}
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        int rc = nano_field(fields, count, wanted[i].key, wanted[i].out);
        if (rc < 0) {
            return rc;
        }
    }
    return HG_OK;
}

static int instrument_row(void *context, int row, const hg_row_field *fields, size_t count) {
    (void)row;
    hg_instrument inst = {0};
    const char *inverse = hg_row_get(fields, count, "inverse");
    inst.inverse = inverse && (strcmp(inverse, "true") == 0 || strcmp(inverse, "1") == 0);
    int rc = text_field(fields, count, "name", NULL, inst.name, sizeof inst.name);
    if (rc == HG_OK) {
        rc = text_field(fields, count, "underlying", NULL, inst.underlying, sizeof inst.underlying);
    }
    if (rc == HG_OK) {
        rc = kind_field(fields, count, &inst);
    }
    const char *coin = inst.underlying;
    bool coin_quoted = inst.inverse && inst.kind == HG_KIND_OPTION;
    if (rc == HG_OK) {
        rc = text_field(fields, count, "quote", coin_quoted ? coin : "USD", inst.quote,
                        sizeof inst.quote);
    }
    if (rc == HG_OK) {
        rc = text_field(fields, count, "settle", inst.inverse ? coin : inst.quote, inst.settle,
                        sizeof inst.settle);
    }
    if (rc == HG_OK) {
        rc = expiry_field(fields, count, &inst);
    }
    if (rc == HG_OK) {
        rc = type_field(fields, count, &inst);
    }
    if (rc == HG_OK) {
        rc = nano_fields(fields, count, &inst);
    }
    uint32_t id = 0;
    return rc < 0 ? rc : hg_universe_add(context, &inst, &id);
}

int hg_instruments_load(const char *path, hg_universe *universe) {
    return hg_rows_load(path, instrument_row, universe);
}

int hg_book_add(hg_book *book, hg_universe *universe, const char *name, hg_nano size,
                hg_nano entry) {
    uint32_t id = 0;
    int rc = hg_universe_add_name(universe, name, &id);
    if (rc < 0) {
        const char *near = hg_universe_nearest(universe, name);
        rc = HG_ERR(HG_ECONFIG, "unknown instrument %s", name);
        if (near) {
            hg_error_hint("did you mean %s?", near);
        }
        return rc;
    }
    const hg_instrument *inst = hg_universe_get(universe, id);
    hg_book_row row = {.instrument = id, .entry = entry};
    if (!hg_size_from_nano(inst, size, &row.lots)) {
        char have[32], lot[32];
        return HG_ERR(HG_ECONFIG, "size %s of %s is not a multiple of its lot %s",
                      hg_nano_format(size, have, sizeof have), name,
                      hg_nano_format(inst->lot, lot, sizeof lot));
    }
    hg_book_row *rows = realloc(book->rows, (book->count + 1) * sizeof *rows);
    if (!rows) {
        return HG_ERR(HG_ENOMEM, "book of %zu rows", book->count + 1);
    }
    book->rows = rows;
    book->rows[book->count++] = row;
    return HG_OK;
}

typedef struct {
    hg_book *book;
    hg_universe *universe;
} book_load;

static int book_row(void *context, int number, const hg_row_field *fields, size_t count) {
    (void)number;
    book_load *load = context;
    for (size_t i = 0; i < count; i++) {
        static const char *const known[] = {"instrument", "size", "entry", "label", NULL};
        bool found = false;
        for (int k = 0; known[k]; k++) {
            found = found || strcmp(known[k], fields[i].key) == 0;
        }
        if (!found) {
            int rc = HG_ERR(HG_ECONFIG, "unknown column '%s'", fields[i].key);
            hg_error_hint("a book row has instrument, size, entry (optional), label (optional)");
            return rc;
        }
    }
    const char *name = hg_row_get(fields, count, "instrument");
    const char *size_text = hg_row_get(fields, count, "size");
    if (!name || !size_text) {
        return HG_ERR(HG_ECONFIG, "a row needs instrument and size");
    }
    hg_nano size = 0;
    hg_nano entry = 0;
    int rc = nano_field(fields, count, "size", &size);
    if (rc == HG_OK) {
        rc = nano_field(fields, count, "entry", &entry);
    }
    if (rc == HG_OK && entry < 0) {
        rc = HG_ERR(HG_ECONFIG, "entry of %s is negative", name);
    }
    if (rc == HG_OK) {
        rc = hg_book_add(load->book, load->universe, name, size, entry);
    }
    const char *label = hg_row_get(fields, count, "label");
    if (rc == HG_OK && label) {
        hg_book_row *row = &load->book->rows[load->book->count - 1];
        if (!hg_text_copy(row->label, sizeof row->label, label)) {
            return HG_ERR(HG_ECONFIG, "label '%s' is longer than %zu bytes", label,
                          sizeof row->label - 1);
        }
    }
    return rc;
}

int hg_book_load(const char *path, hg_universe *universe, hg_book *book) {
    book_load load = {book, universe};
    int rc = hg_rows_load(path, book_row, &load);
    if (rc == HG_ENOTFOUND) {
        rc = HG_ECONFIG;
    }
    return rc;
}

void hg_book_free(hg_book *book) {
    free(book->rows);
    *book = (hg_book){0};
}
