#ifndef HG_MARKET_MARKET_INT_H
#define HG_MARKET_MARKET_INT_H

#include "market/market.h"

/* Private to the market room: market.c changes this state, valuation.c reads it. */

/* What an observation was made against, so that it can be moved with the spot later. */
typedef struct hg_anchor {
    double spot; /* spot when the mark was seen, 0 = unknown */
    bool spot_from_index;
    double forward; /* options: forward when the price was seen */
    double price;   /* options: mark or mid in the quote unit that a vol can be implied from */
    int64_t price_ns;
    double implied; /* vol implied from `price`, 0 = failed */
    bool implied_due;
    uint32_t place; /* options: where it stands in hg_market.by_expiry */
} hg_anchor;

typedef struct hg_forward_state {
    double forward; /* last one seen, 0 = never */
    double spot;    /* spot at that time */
    bool spot_from_index;
    int64_t time_ns;
    uint32_t future;  /* dated future of this expiry, or HG_ID_NONE */
    double fixed;     /* spot * ns of the delivery window so far ... */
    int64_t fixed_ns; /* ... and for how long it was known */
    uint32_t first; /* its options in order of strike: hg_market.by_expiry[first .. first+count) */
    uint32_t count;
} hg_forward_state;

struct hg_market {
    const hg_universe *universe;
    hg_market_state *states;
    hg_anchor *anchors;
    hg_market_spot *spots;
    int64_t *window_ns;   /* per underlying: start of the next delivery window, or of one running */
    uint32_t *references; /* per underlying: instrument whose mid is the spot without an index */
    hg_forward_state *forwards;
    uint32_t *by_expiry;
    hg_depth *books;
    hg_level *levels;
    uint32_t book_count, book_capacity, level_capacity;
    int64_t index_max_age_ns;
    int64_t now_ns; /* time of the newest event */
    uint64_t refused;
    struct hg_smiles *smiles; /* smile_int.h */
};

/* Delivery windows of an underlying whose spot has stood since `from_ns` until now (average.c). */
void hg_market_average(hg_market *m, uint32_t underlying, double spot, int64_t from_ns,
                       int64_t to_ns);
/* The mean of the spot in the window so far; `spot` where nothing is known. */
double hg_market_fixed(const hg_market *m, uint32_t expiry_id, double spot, int64_t now_ns);

#endif
