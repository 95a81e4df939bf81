#ifndef HG_MARKET_MARKET_H
#define HG_MARKET_MARKET_H

#include "domain/event.h"
#include "domain/universe.h"
#include "market/depth.h"

/* What is known of every instrument and underlying, and how old and how good it is. The market
 * never knows positions. It is changed only by hg_market_apply, and allocates only when made. */
typedef struct hg_market hg_market;

typedef enum {
    HG_QUALITY_GOOD,
    HG_QUALITY_STALE,  /* known, but older than the limit */
    HG_QUALITY_PARTIAL /* something needed is unknown */
} hg_quality;

const char *hg_quality_name(hg_quality quality); /* "good" "stale" "partial" */

typedef struct hg_quote {
    hg_ticks bid, ask; /* meaningful only where the size is > 0 */
    hg_lots bid_size, ask_size;
    int64_t time_ns; /* 0: never quoted */
} hg_quote;

/* State of one instrument. Read freely, change never. */
typedef struct hg_market_state {
    hg_quote quote;
    hg_nano mark; /* in the instrument's quote unit; 0 = none */
    hg_nano iv;   /* options: mark vol as a fraction; 0 = none */
    int64_t mark_ns;
    hg_ticks last;
    hg_lots last_size;
    int64_t last_ns;
    hg_nano funding; /* perpetuals: rate per 8 h */
    int64_t funding_ns;
    hg_nano settle;    /* delivery price once settled, USD per coin */
    hg_depth *depth;   /* NULL when the feed gives no depth for it */
    uint64_t version;  /* changes whenever anything above changes */
    bool book_invalid; /* after a gap, until the next snapshot */
    bool halted;
    bool settled;
} hg_market_state;

/* State of one underlying. `spot` is what everything else moves with: the index while there is a
 * fresh one, else the best mid of its perpetuals, futures and spot (first in the universe wins). */
typedef struct hg_market_spot {
    double spot; /* USD per coin, 0 = unknown */
    int64_t time_ns;
    bool from_index;
    hg_nano index; /* last index, 0 = never */
    int64_t index_ns;
    uint64_t version;       /* changes with spot and with every forward of the underlying */
    uint64_t state_version; /* changes whenever any instrument of the underlying changes */
} hg_market_spot;

typedef struct hg_market_options {
    uint32_t depth_books;     /* books to reserve; further ones are refused and counted */
    uint32_t depth_levels;    /* per side; 0 = default 1,024 */
    int64_t index_max_age_ns; /* an older index gives way to mids; 0 = default 10 s */
} hg_market_options;

/* The universe must be complete; it is referenced, not copied. NULL when out of memory. */
hg_market *hg_market_new(const hg_universe *universe, const hg_market_options *options);
void hg_market_free(hg_market *market);

/* Makes `to` know exactly what `from` knows. Both were made over the same universe with the same
 * options. */
void hg_market_copy(hg_market *to, const hg_market *from);

/* Applies one market event (others are ignored). False when the event was refused: unknown id,
 * level table full, update of an invalid book. */
bool hg_market_apply(hg_market *market, const hg_event *event);

const hg_universe *hg_market_universe(const hg_market *market);
const hg_market_state *hg_market_get(const hg_market *market, uint32_t id);
const hg_market_spot *hg_market_underlying(const hg_market *market, uint32_t underlying);
uint64_t hg_market_refused(const hg_market *market); /* events refused so far */

/* Forward of an expiry now: the last forward, moved by what the spot did since then (constant
 * basis). Falls back to a future of that expiry, then to the spot itself. In the last half hour it
 * is the expected delivery price: a forward told by then is taken for one, another is blended with
 * the mean of the spot so far. 0 when nothing is known; `time_ns` (may be NULL) is the age of the
 * older of the two inputs. */
double hg_market_forward(const hg_market *market, uint32_t expiry_id, int64_t *time_ns);

/* Vol of an option and where it came from. */
typedef enum {
    HG_IV_NONE,     /* nothing known: *iv is the assumed vol, quality must say partial */
    HG_IV_MARK,     /* given by the venue with the mark */
    HG_IV_IMPLIED,  /* from the mark price or the mid, by inversion */
    HG_IV_NEIGHBOUR /* from the nearest strike of the same expiry that has one */
} hg_iv_source;
#define HG_IV_ASSUMED 0.6
hg_iv_source hg_market_iv(const hg_market *market, uint32_t id, double *iv, int64_t *time_ns);

/* Mid of the quote in the quote unit, 0 when a side is missing or the book is invalid. */
double hg_market_mid(const hg_market *market, uint32_t id);

/* The price positions are valued at, in the quote unit: the mark, re-marked to the spot of now
 * (options by their vol and forward, perpetuals and futures by their last basis to the spot).
 * 0 when unknown. */
double hg_market_mark(const hg_market *market, uint32_t id, int64_t now_ns);

/* Years of variance left to expiry, ACT/365, never negative; in the last hours less than
 * the time (domain/delivery.h). */
double hg_market_years(int64_t expiry_ns, int64_t now_ns);

/* USD per unit of a currency: 1 for stable ones, the spot for coins, 0 unknown. */
double hg_market_usd(const hg_market *market, uint32_t currency);

#endif
