#ifndef HG_VENUE_IMPORT_CHAIN_INT_H
#define HG_VENUE_IMPORT_CHAIN_INT_H

#include "venue/import_int.h"

#include "base/rng.h"

/* One option in one sweep of a chain. */
typedef struct hg_chain_row {
    uint32_t id;
    hg_nano index;   /* 0: not given */
    hg_nano forward; /* 0: not given */
    hg_ticks bid;    /* 0: no such side */
    hg_ticks ask;
    hg_nano mark; /* < 0: not given */
    hg_nano iv;   /* 0: not given */
    /* While the chain is re-marked: the model's price at the sweep, and the quote last written. */
    double model;
    hg_ticks bid_now;
    hg_ticks ask_now;
} hg_chain_row;

/* All rows of one time. The arrays by underlying and expiry are filled when it is complete. */
typedef struct hg_chain_sweep {
    int64_t time_ns;
    hg_chain_row *rows;
    uint32_t count;
    uint32_t capacity;
    uint32_t underlyings, expiries; /* length of the arrays below */
    double *index;                  /* by underlying, median of its rows; 0: none */
    double *vol;     /* by underlying: at the money, first expiry two or more days away; 0: none */
    double *forward; /* by expiry, median of its rows; 0: none */
} hg_chain_sweep;

void hg_chain_sweep_clear(hg_chain_sweep *sweep);
void hg_chain_sweep_fini(hg_chain_sweep *sweep);
HG_MUST_CHECK int hg_chain_sweep_push(hg_chain_sweep *sweep, const hg_chain_row *row);
HG_MUST_CHECK int hg_chain_sweep_complete(hg_chain_sweep *sweep, const hg_universe *universe);

enum { HG_CHAIN_PATH_MAX = 4096 };

/* The path of the index, for delivery prices: the last points, newest at (count - 1) % MAX. */
typedef struct hg_chain_path {
    struct {
        int64_t time_ns;
        double index;
    } points[HG_CHAIN_PATH_MAX];
    uint32_t count;
} hg_chain_path;

typedef struct hg_chain {
    hg_import im;
    hg_csv csv;
    hg_chain_sweep prev; /* already written */
    hg_chain_sweep next; /* being read */
    hg_rng rng;
    uint32_t listed_count; /* length of the arrays by instrument */
    unsigned char *listed; /* 1 seen in a sweep, 2 delivered */
    uint64_t *swept;       /* number of the last sweep it was in */
    uint32_t underlyings;  /* length of the arrays below */
    uint32_t *perpetual;   /* by underlying: its synthetic perpetual, or HG_ID_NONE */
    bool *funded;          /* its funding has been written */
    double *spot;          /* by underlying: the bridged index at the current point */
    hg_chain_path **paths;
} hg_chain;

/* Writes the sweep in `next` as one batch. */
HG_MUST_CHECK int hg_chain_emit_sweep(hg_chain *chain);
/* INDEX, and what is quoted around it. */
HG_MUST_CHECK int hg_chain_emit_index(hg_chain *chain, uint32_t underlying, int64_t time_ns,
                                      double index);
HG_MUST_CHECK int hg_chain_emit_forward(hg_chain *chain, uint32_t expiry, int64_t time_ns,
                                        double forward);
HG_MUST_CHECK int hg_chain_emit_quote(hg_chain *chain, const hg_chain_row *row, int64_t time_ns);
HG_MUST_CHECK int hg_chain_emit_mark(hg_chain *chain, uint32_t id, int64_t time_ns, hg_nano price,
                                     hg_nano iv);
void hg_chain_path_push(hg_chain *chain, uint32_t underlying, int64_t time_ns, double index);

/* Fills the time between `prev` and `next`, both complete: bridge, new marks, deliveries. */
HG_MUST_CHECK int hg_chain_bridge(hg_chain *chain);

#endif
