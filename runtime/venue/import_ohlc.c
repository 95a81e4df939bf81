/* ohlc: bars of a price to the market of one instrument and of whatever else is wanted of its coin.
 *
 * A bar says what its prices were, not in which order. The path through it is open, one extreme,
 * the other, close, in straight lines; which extreme comes first is the caller's choice:
 *   short  (default) the low first when the bar rises: the shortest path that touches all four
 *   long   the low first when it falls: the longest, the worse for who is short gamma
 *   low, high  always that one first
 * A bar of length L becomes n = L / step points (4 at least, 4 without a step) at t + k L / n; the
 * extremes are those nearest to a third and two thirds of the way, and the volume is spread evenly.
 * Nothing is made up where bars are missing. */
#include "venue/import_ohlc_int.h"

#include "base/assert.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { TS, OPEN, HIGH, LOW, CLOSE, VOLUME, OPEN_TIME, NAMES };

static const char *const names[] = {"ts_ms", "open",   "high",      "low",
                                    "close", "volume", "open_time", NULL};

#define PRICE_MAX (INT64_C(100000000) * HG_NANO)
#define BAR_MAX_NS HG_NS_PER_DAY
#define BAR_ALONE_NS (60 * HG_NS_PER_S) /* length of the only bar of a file */
#define POINTS_MIN 4

typedef struct {
    int64_t time_ns;
    hg_nano price[4]; /* open, high, low, close */
    double volume;    /* coins */
} bar;

// --- rows ---------------------------------------------------------------------------------------

static bool digits(const char *text, int count, int64_t *value) {
    return hg_import_integer(text, (size_t)count, value);
}

/* 2023-03-09 00:01:00+00:00, T for the blank, Z or nothing for the zone, fractions refused. */
static bool iso_time(const char *text, size_t len, int64_t *time_ns) {
    int64_t y, mo, d, h, m, s;
    bool shape = len >= 19 && text[4] == '-' && text[7] == '-' &&
                 (text[10] == ' ' || text[10] == 'T') && text[13] == ':' && text[16] == ':';
    if (!shape || !digits(text, 4, &y) || !digits(text + 5, 2, &mo) || !digits(text + 8, 2, &d) ||
        !digits(text + 11, 2, &h) || !digits(text + 14, 2, &m) || !digits(text + 17, 2, &s)) {
        return false;
    }
    const char *zone = text + 19;
    bool utc = *zone == '\0' || strcmp(zone, "Z") == 0 || strcmp(zone, "+00:00") == 0;
    hg_date date = {(int)y, (int)mo, (int)d};
    if (!utc || y < 1970 || y > 2250 || !hg_date_valid(date) || h > 23 || m > 59 || s > 59) {
        return false;
    }
    *time_ns = hg_date_to_days(date) * HG_NS_PER_DAY + ((h * 60 + m) * 60 + s) * HG_NS_PER_S;
    return true;
}

static bool time_read(const hg_csv *csv, int64_t *time_ns) {
    hg_csv_field f = hg_csv_get(csv, csv->columns[TS] >= 0 ? TS : OPEN_TIME);
    int64_t ms = 0;
    if (hg_import_integer(f.text, f.len, &ms)) {
        if (ms > HG_IMPORT_MS_MAX) {
            return false;
        }
        *time_ns = ms * HG_NS_PER_MS;
        return true;
    }
    return iso_time(f.text, f.len, time_ns);
}

static hg_import_reason bar_read(const hg_csv *csv, bar *b) {
    hg_nano volume = 0;
    hg_csv_field f = hg_csv_get(csv, VOLUME);
    if (!time_read(csv, &b->time_ns) || (f.len > 0 && !hg_import_nano(f.text, f.len, &volume))) {
        return HG_IMPORT_NUMBER;
    }
    for (int i = 0; i < 4; i++) {
        f = hg_csv_get(csv, OPEN + i);
        if (!hg_import_nano(f.text, f.len, &b->price[i]) || b->price[i] > PRICE_MAX) {
            return HG_IMPORT_NUMBER;
        }
        if (b->price[i] <= 0) {
            return HG_IMPORT_NOT_POSITIVE;
        }
    }
    if (volume < 0) {
        return HG_IMPORT_NOT_POSITIVE;
    }
    b->volume = hg_nano_to_double(volume);
    hg_nano open = b->price[0];
    hg_nano close = b->price[3];
    bool sound = b->price[1] >= open && b->price[1] >= close && b->price[2] <= open &&
                 b->price[2] <= close;
    return sound ? HG_IMPORT_REASONS : HG_IMPORT_BAR;
}

// --- the path -----------------------------------------------------------------------------------

static bool low_first(hg_import_path path, const bar *b) {
    bool rises = b->price[3] >= b->price[0];
    switch (path) {
    case HG_PATH_SHORT:
        return rises;
    case HG_PATH_LONG:
        return !rises;
    case HG_PATH_LOW:
        return true;
    case HG_PATH_HIGH:
        return false;
    }
    hg_assert_fail("path", __FILE__, __LINE__);
}

/* Point k of 0 .. m on the way from a to b, in whole numbers: |b - a| and m^2 are far from 2^63. */
static hg_nano between(hg_nano a, hg_nano b, int64_t k, int64_t m) {
    return m == 0 ? b : a + (b - a) / m * k + (b - a) % m * k / m;
}

static int bar_emit(hg_ohlc *o, const bar *b, int64_t length_ns) {
    const hg_import_options *options = o->im.options;
    int64_t n = options->step_ns > 0 ? length_ns / options->step_ns : 0;
    n = n < POINTS_MIN ? POINTS_MIN : n;
    bool low = low_first(options->path, b);
    const hg_nano way[] = {b->price[0], b->price[low ? 2 : 1], b->price[low ? 1 : 2], b->price[3]};
    const int64_t at[] = {0, (n + 1) / 3, (2 * n - 1) / 3, n - 1};
    int rc = HG_OK;
    for (int64_t k = 0, leg = 0; rc == HG_OK && k < n; k++) {
        leg += leg < 2 && k > at[leg + 1];
        hg_nano price = between(way[leg], way[leg + 1], k - at[leg], at[leg + 1] - at[leg]);
        rc = hg_ohlc_emit(o, b->time_ns + length_ns / n * k, price, b->volume / (double)n);
    }
    return rc;
}

// --- the file -----------------------------------------------------------------------------------

typedef struct {
    hg_ohlc *o;
    hg_csv csv;
    bar held; /* the last bar: only the next one tells its length */
    bool holding;
    int64_t length_ns; /* the shortest distance between bars so far, 0: not known */
} bars;

static int too_long(const bars *s) {
    return HG_ERR(HG_EDATA, "%s: line %llu: a bar after more than a day: not bars of one recording",
                  hg_text_input_name(s->o->im.input),
                  (unsigned long long)hg_text_input_number(s->o->im.input));
}

static int bar_take(bars *s, const bar *b) {
    hg_import *im = &s->o->im;
    const hg_instrument *inst = hg_universe_get(im->universe, s->o->main);
    int64_t since = s->holding ? b->time_ns - s->held.time_ns : INT64_MAX;
    if (since <= 0 || (s->holding && s->length_ns > 0 && since < s->length_ns)) {
        hg_import_reject(im, since == 0 ? HG_IMPORT_DUPLICATE : HG_IMPORT_TIME);
        return HG_OK;
    }
    if (inst->expiry_ns > 0 && b->time_ns >= inst->expiry_ns) {
        hg_import_reject(im, HG_IMPORT_EXPIRED);
        return HG_OK;
    }
    int rc = HG_OK;
    if (s->holding) {
        if (s->length_ns == 0 && since > BAR_MAX_NS) {
            return too_long(s);
        }
        s->length_ns = s->length_ns == 0 ? since : s->length_ns;
        im->report->gaps += since > s->length_ns;
        rc = bar_emit(s->o, &s->held, s->length_ns);
    }
    im->report->used++;
    s->held = *b;
    s->holding = true;
    return rc;
}

static int rows_read(bars *s) {
    hg_import *im = &s->o->im;
    char *line = NULL;
    size_t len = 0;
    int more = 0;
    while ((more = hg_import_line(im, &line, &len)) > 0) {
        bar b = {0};
        if (len == 0) {
            im->report->skipped++;
            continue;
        }
        hg_import_reason why = hg_csv_row(&s->csv, line, len) ? bar_read(&s->csv, &b)
                                                              : HG_IMPORT_MALFORMED;
        int rc = HG_OK;
        if (why != HG_IMPORT_REASONS) {
            hg_import_reject(im, why);
        } else {
            rc = bar_take(s, &b);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return more < 0 || !s->holding
               ? more
               : bar_emit(s->o, &s->held, s->length_ns > 0 ? s->length_ns : BAR_ALONE_NS);
}

static int header_read(bars *s) {
    int rc = hg_csv_header(&s->csv, &s->o->im, names, 0);
    for (int i = OPEN; rc == HG_OK && i <= CLOSE; i++) {
        if (s->csv.columns[i] < 0) {
            rc = HG_ERR(HG_EDATA, "%s: line 1: missing column %s",
                        hg_text_input_name(s->o->im.input), names[i]);
        }
    }
    if (rc == HG_OK && s->csv.columns[TS] < 0 && s->csv.columns[OPEN_TIME] < 0) {
        rc = HG_ERR(HG_EDATA, "%s: line 1: missing column ts_ms (or open_time)",
                    hg_text_input_name(s->o->im.input));
    }
    return rc;
}

static int open_all(hg_ohlc *o) {
    const hg_import_options *options = o->im.options;
    o->main = hg_import_instrument(&o->im, options->instrument);
    if (o->main == HG_ID_NONE || hg_universe_get(o->im.universe, o->main)->kind == HG_KIND_OPTION) {
        return HG_ERR(HG_EUSAGE,
                      "--instrument %s: want a perpetual, a future or spot, known by "
                      "its name or from --instruments",
                      options->instrument);
    }
    o->expiries = hg_universe_expiry_count(o->im.universe);
    o->sum = calloc((size_t)o->expiries + 1, sizeof *o->sum);
    o->samples = calloc((size_t)o->expiries + 1, sizeof *o->samples);
    o->delivered = calloc((size_t)o->expiries + 1, sizeof *o->delivered);
    if (!o->sum || !o->samples || !o->delivered) {
        return HG_ERR(HG_ENOMEM, "%u expiries", o->expiries);
    }
    int rc = HG_OK;
    if (options->funding) {
        rc = hg_series_funding(&o->funding, options->funding, options->funding_of);
    }
    return rc == HG_OK && options->iv_file ? hg_series_vol(&o->vol, options->iv_file) : rc;
}

int hg_import_ohlc(hg_text_input *input, const hg_import_options *options, hg_universe *universe,
                   hg_import_sink *sink, hg_import_report *report) {
    hg_ohlc o = {
        .im = {input, options, universe, sink, report, {0}, false}
    };
    bars s = {.o = &o};
    int rc = open_all(&o);
    if (rc == HG_OK) rc = header_read(&s);
    if (rc == HG_OK) rc = rows_read(&s);
    hg_series_fini(&o.funding);
    hg_series_fini(&o.vol);
    free(o.sum);
    free(o.samples);
    free(o.delivered);
    return rc;
}
