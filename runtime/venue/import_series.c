/* Numbers that change with time, read whole: funding rates and volatility indices. */
#include "venue/import_ohlc_int.h"

#include "base/assert.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTS_MAX 1000000
#define FUNDING_NS (8 * HG_NS_PER_HOUR)

enum { TS, VENUE, SYMBOL, RATE, IV, DVOL, NAMES };

static const char *const names[] = {"ts_ms", "venue", "symbol", "rate", "iv", "dvol_close", NULL};

typedef struct {
    hg_import im;
    hg_import_report report;
    hg_csv csv;
    const char *of;
    char key[128]; /* of the first row, where nobody chose */
} reader;

static int fail(const reader *r, const char *what) {
    return HG_ERR(HG_EDATA, "%s: line %llu: %s", hg_text_input_name(r->im.input),
                  (unsigned long long)hg_text_input_number(r->im.input), what);
}

static int push(hg_series *s, int64_t from_ns, int64_t to_ns, hg_nano value) {
    if (s->count == POINTS_MAX) {
        return HG_ERR(HG_ELIMIT, "a series of more than %d rows", POINTS_MAX);
    }
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 1024;
        void *grown = realloc(s->points, capacity * sizeof *s->points);
        if (!grown) {
            return HG_ERR(HG_ENOMEM, "a series of %zu rows", capacity);
        }
        s->points = grown;
        s->capacity = capacity;
    }
    s->points[s->count++] = (struct hg_series_point){from_ns, to_ns, value};
    return HG_OK;
}

/* Whether a row is of the series that was asked for; < 0 when nobody asked and there are two. */
static int chosen(reader *r) {
    hg_csv_field venue = hg_csv_get(&r->csv, VENUE);
    hg_csv_field symbol = hg_csv_get(&r->csv, SYMBOL);
    char key[sizeof r->key];
    snprintf(key, sizeof key, "%s%s%s", venue.text, venue.len && symbol.len ? "," : "",
             symbol.text);
    if (r->of) {
        return strcmp(key, r->of) == 0;
    }
    if (r->report.used == 0) {
        memcpy(r->key, key, sizeof key);
    } else if (strcmp(key, r->key) != 0) {
        int rc = HG_ERR(HG_EDATA, "%s: line %llu: rows of %s and of %s",
                        hg_text_input_name(r->im.input),
                        (unsigned long long)hg_text_input_number(r->im.input), r->key, key);
        hg_error_hint("say which with --funding-of %s", r->key);
        return rc;
    }
    return 1;
}

static int row_take(reader *r, hg_series *s, char *line, size_t len, int value_column) {
    if (len == 0) {
        return HG_OK;
    }
    int64_t ms = 0;
    hg_nano value = 0;
    if (!hg_csv_row(&r->csv, line, len)) {
        return fail(r, "too few columns");
    }
    int rc = value_column == RATE ? chosen(r) : 1;
    if (rc <= 0) {
        return rc;
    }
    hg_csv_field ts = hg_csv_get(&r->csv, TS);
    hg_csv_field text = hg_csv_get(&r->csv, value_column);
    if (!hg_import_integer(ts.text, ts.len, &ms) || ms > HG_IMPORT_MS_MAX) {
        return fail(r, "ts_ms is not a time in milliseconds");
    }
    hg_nano most = value_column == RATE ? HG_NANO
                   : value_column == IV ? 10 * HG_NANO
                                        : 1000 * HG_NANO;
    bool number = hg_import_nano(text.text, text.len, &value) && value <= most &&
                  (value_column == RATE ? value >= -most : value > 0);
    if (!number) {
        return fail(r, value_column == RATE ? "rate is not a fraction per 8 h, -1 to 1"
                       : value_column == IV ? "iv is not a fraction above 0, up to 10"
                                            : "dvol_close is not points above 0, up to 1000");
    }
    int64_t from_ns = ms * HG_NS_PER_MS;
    int64_t to_ns = INT64_MAX;
    if (value_column == RATE) {
        to_ns = from_ns;
        from_ns -= FUNDING_NS;
    } else if (value_column == DVOL) {
        from_ns += HG_NS_PER_DAY;
        value /= 100;
    }
    if (s->count > 0 && from_ns < s->points[s->count - 1].from_ns) {
        return fail(r, "earlier than the row before");
    }
    r->report.used++;
    return push(s, from_ns, to_ns, value);
}

static int read(hg_series *s, const char *path, const char *of, const int *columns) {
    const hg_import_options quiet = {0};
    reader r = {.of = of};
    r.im.options = &quiet;
    r.im.report = &r.report;
    int rc = hg_text_input_open(path, &r.im.input);
    if (rc == HG_OK) rc = hg_csv_header(&r.csv, &r.im, names, 1);
    int column = -1;
    for (int i = 0; rc == HG_OK && column < 0 && columns[i] != NAMES; i++) {
        column = r.csv.columns[columns[i]] >= 0 ? columns[i] : -1;
    }
    if (rc == HG_OK && column < 0) {
        rc = HG_ERR(HG_EDATA, "%s: line 1: missing column %s%s", path, names[columns[0]],
                    columns[1] != NAMES ? " (or dvol_close)" : "");
    }
    char *line = NULL;
    size_t len = 0;
    while (rc == HG_OK) {
        int more = hg_import_line(&r.im, &line, &len);
        if (more <= 0) {
            rc = more;
            break;
        }
        rc = row_take(&r, s, line, len, column);
    }
    if (rc == HG_OK && s->count == 0) {
        rc = of ? HG_ERR(HG_EDATA, "%s: no row of %s", path, of)
                : HG_ERR(HG_EDATA, "%s: no rows", path);
    }
    hg_text_input_close(r.im.input);
    return rc;
}

int hg_series_funding(hg_series *s, const char *path, const char *of) {
    return read(s, path, of, (const int[]){RATE, NAMES});
}

int hg_series_vol(hg_series *s, const char *path) {
    return read(s, path, NULL, (const int[]){IV, DVOL, NAMES});
}

bool hg_series_at(const hg_series *s, int64_t time_ns, size_t *at, hg_nano *value) {
    while (*at + 1 < s->count && s->points[*at + 1].from_ns <= time_ns) {
        (*at)++;
    }
    hg_assert(s->count == 0 || *at < s->count);
    bool known = s->count > 0 && s->points[*at].from_ns <= time_ns &&
                 time_ns < s->points[*at].to_ns;
    *value = known ? s->points[*at].value : 0;
    return known;
}

void hg_series_fini(hg_series *s) {
    free(s->points);
    *s = (hg_series){0};
}
