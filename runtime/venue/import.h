#ifndef HG_VENUE_IMPORT_H
#define HG_VENUE_IMPORT_H

#include "domain/event.h"
#include "domain/universe.h"
#include "venue/tape.h"
#include "venue/text_input.h"

/* Recorded market data of other forms to market events. Rows that cannot be trusted are rejected
 * and counted by reason, never used and never fatal; only a file in which nothing is usable, or one
 * that is not of its kind at all, fails (HG_EDATA). */

/* How option marks move between two sweeps of a chain. */
typedef enum {
    HG_REMARK_STICKY_STRIKE, /* each strike keeps the vol of the sweep before */
    HG_REMARK_STICKY_DELTA,  /* the smile of the sweep before moves with the forward (K/F) */
    HG_REMARK_NONE           /* marks change at sweeps only */
} hg_import_remark;

/* In which order the extremes of a bar come. */
typedef enum {
    HG_PATH_SHORT, /* the low first when the bar rises */
    HG_PATH_LONG,  /* the low first when it falls */
    HG_PATH_LOW,
    HG_PATH_HIGH
} hg_import_path;

typedef struct hg_import_options {
    /* deribit-chain */
    uint64_t seed;
    int64_t bridge_ns; /* step of the bridge between sweeps; 0: none */
    hg_import_remark remark;
    bool perpetual;        /* add a synthetic perpetual per underlying */
    double perp_spread_bp; /* its whole spread in basis points of the index */
    double perp_size_usd;  /* on each side */
    double quote_size;     /* of option quotes, in coins: the file has no sizes */
    /* ohlc; spread and sizes as above */
    const char *instrument; /* whose bars they are */
    int64_t step_ns;        /* between points of the path through a bar; 0: its four prices only */
    hg_import_path path;
    double iv, iv_spread;   /* of options: a fraction, and the whole spread around it */
    const char *iv_file;    /* instead of `iv`; NULL: none */
    const char *funding;    /* file of rates; NULL: none */
    const char *funding_of; /* which series of it; NULL: the only one */
    /* Called now and then with bytes read and the file's size; may be NULL. */
    void (*progress)(uint64_t done, uint64_t total);
} hg_import_options;

void hg_import_options_init(hg_import_options *options);

#define HG_IMPORT_REASON_MAP(X)                                                                    \
    X(MALFORMED, "malformed", "not a row or message of this kind")                                 \
    X(NUMBER, "number", "a field is not a finite number in range")                                 \
    X(NOT_POSITIVE, "not_positive", "a price or size is zero or negative")                         \
    X(OFF_TICK, "off_tick", "a price is not a multiple of the tick")                               \
    X(OFF_LOT, "off_lot", "a size is not a multiple of the lot")                                   \
    X(CROSSED, "crossed", "bid at or above ask")                                                   \
    X(INSTRUMENT, "unknown_instrument", "a name neither known nor described")                      \
    X(COMBO, "combo", "a combination of instruments")                                              \
    X(EXPIRED, "expired", "at or after the instrument's expiry")                                   \
    X(TIME, "time_backwards", "earlier than what came before")                                     \
    X(DUPLICATE, "duplicate", "the same again: an instrument in a sweep, the time of a bar")       \
    X(BAR, "bar", "a bar whose high or low is not its highest or lowest price")

typedef enum {
#define HG_IMPORT_ENUM(name, code, text) HG_IMPORT_##name,
    HG_IMPORT_REASON_MAP(HG_IMPORT_ENUM)
#undef HG_IMPORT_ENUM
        HG_IMPORT_REASONS
} hg_import_reason;

const char *hg_import_reason_code(hg_import_reason reason);
const char *hg_import_reason_text(hg_import_reason reason);

typedef struct hg_import_report {
    uint64_t lines;
    uint64_t used;     /* rows or messages that became events */
    uint64_t skipped;  /* well-formed, but nothing of interest (acknowledgements, other channels) */
    uint64_t rejected; /* the sum of the reasons */
    struct {
        uint64_t count;
        uint64_t first_line;
    } reasons[HG_IMPORT_REASONS];
    uint64_t events;
    uint64_t kinds[HG_EV_KINDS];
    int64_t start_ns;
    int64_t end_ns;
    uint64_t sweeps;       /* deribit-chain */
    uint64_t bridge_steps; /* deribit-chain */
    uint64_t settled;      /* instruments delivered within the tape */
    uint64_t snapshots;    /* books started */
    uint64_t gaps;         /* books lost because an update is missing */
    uint64_t stale;    /* updates older than their snapshot, or between a gap and the next one */
    uint64_t crossed;  /* complete updates that left a book crossed */
    uint64_t unfunded; /* ohlc: points without a recorded funding rate, where rates are given */
} hg_import_report;

/* Where the events go: times never decrease, batches are closed. */
typedef struct hg_import_sink hg_import_sink;
struct hg_import_sink {
    int (*put)(hg_import_sink *sink, const hg_event *event);
};

typedef struct hg_import_tape {
    hg_import_sink sink;
    hg_tape_writer *writer;
} hg_import_tape;

/* A sink that records; the writer stays the caller's. */
void hg_import_tape_init(hg_import_tape *tape, hg_tape_writer *writer);

typedef struct hg_import_kind {
    const char *name;
    const char *summary;
    int (*run)(hg_text_input *input, const hg_import_options *options, hg_universe *universe,
               hg_import_sink *sink, hg_import_report *report);
} hg_import_kind;

/* deribit-chain, deribit-ws, binance-l2, quotes-csv, ohlc; ends with a NULL name. */
extern const hg_import_kind hg_import_kinds[];

const hg_import_kind *hg_import_kind_find(const char *name); /* or NULL */

/* Imports all of an input. Instruments are added to the universe as they appear; those it already
 * has keep their terms. The report is filled as far as it got also when it fails. */
HG_MUST_CHECK int hg_import_run(const hg_import_kind *kind, hg_text_input *input,
                                const hg_import_options *options, hg_universe *universe,
                                hg_import_sink *sink, hg_import_report *report);

#endif
