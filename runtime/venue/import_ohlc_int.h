#ifndef HG_VENUE_IMPORT_OHLC_INT_H
#define HG_VENUE_IMPORT_OHLC_INT_H

#include "venue/import_int.h"

/* A number that changes with time, from a CSV file beside the one that is imported. */
typedef struct hg_series {
    struct hg_series_point {
        int64_t from_ns, to_ns; /* in force in [from, to) */
        hg_nano value;
    } * points; /* in order of `from` */
    size_t count, capacity;
} hg_series;

/* Funding rates per 8 h: columns ts_ms and rate, where a rate was paid at its time for the 8 hours
 * before it, and optionally venue and symbol. `of` ("venue,symbol", or one of them where the file
 * has only that) chooses the rows; NULL: all rows must be of one. */
HG_MUST_CHECK int hg_series_funding(hg_series *series, const char *path, const char *of);
/* Vols: columns ts_ms and iv (a fraction, in force from its time on) or dvol_close (points, the
 * close of the day that begins at its time: in force from the next day on). */
HG_MUST_CHECK int hg_series_vol(hg_series *series, const char *path);
/* False when nothing is in force. Times never fall from call to call with the same `at`. */
bool hg_series_at(const hg_series *series, int64_t time_ns, size_t *at, hg_nano *value);
void hg_series_fini(hg_series *series);

/* What is quoted around the price of the bars: everything of their coin. */
typedef struct hg_ohlc {
    hg_import im;
    uint32_t main; /* the instrument of the bars */
    hg_series funding, vol;
    size_t funding_at, vol_at;
    hg_nano rate; /* told last */
    bool rate_told;
    double owed; /* coins of volume that no trade has told yet */
    hg_nano last;
    uint32_t expiries;
    double *sum; /* by expiry: prices inside its last half hour ... */
    uint32_t *samples;
    bool *delivered;
} hg_ohlc;

/* One point of the path: everything at the price, in one update. `volume` in coins, 0: no trade. */
HG_MUST_CHECK int hg_ohlc_emit(hg_ohlc *o, int64_t time_ns, hg_nano price, double volume);

#endif
