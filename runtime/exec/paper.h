#ifndef HG_EXEC_PAPER_H
#define HG_EXEC_PAPER_H

#include "domain/venue.h"
#include "market/market.h"

/* The matching engine of paper sessions: a venue that fills our orders against the market the feed
 * shows. One engine for paper, backtest and, later, the local exchange.
 *
 * Price-time priority among our own orders; an own resting order that an own taker would meet is
 * cancelled first (reason "self_trade"). Immediate orders never rest: what is left is cancelled
 * with "ioc_rest", a market order that met nothing with "no_liquidity". Reduce-only is judged by
 * the gate and kept by it: when the position shrinks such orders are amended down, when it is gone
 * cancelled. With latency `due_ns` may be the arrival of a request; `next` then matches it and
 * returns false until an answer is due. */
typedef enum {
    HG_FILL_TOUCH, /* everything trades at the touch, displayed sizes ignored */
    HG_FILL_DEPTH, /* orders walk the displayed depth and consume it until it is refreshed */
    HG_FILL_QUEUE  /* depth, and resting orders wait behind the size displayed when they came */
} hg_fill_model;

typedef struct hg_paper_options {
    hg_fill_model fill;
    bool fees;               /* charge the instruments' maker and taker fees */
    int64_t latency_ns;      /* submit to matching and answer, one way each; 0 = at once */
    uint32_t order_capacity; /* resting orders; 0 = 4,096 */
} hg_paper_options;

HG_MUST_CHECK int hg_paper_open(const hg_market *market, const hg_paper_options *options,
                                hg_venue **out);

#endif
