#ifndef HG_EXEC_PAPER_H
#define HG_EXEC_PAPER_H

#include "domain/venue.h"
#include "exec/faults.h"
#include "exec/latency.h"
#include "exec/queue.h"
#include "exec/rules.h"
#include "market/market.h"

/* The matching engine of paper sessions: a venue that fills our orders against the market the feed
 * shows. One engine for paper, backtest and, later, the local exchange. What each model assumes and
 * cannot know is in docs/paper-fills.md.
 *
 * Price-time priority among our own orders. Immediate orders never rest: what is left is cancelled
 * with "ioc_rest", a market order that met nothing with "no_liquidity". Reduce-only orders are kept
 * within the venue's own count of the position. With latency `due_ns` may be the arrival of a
 * request; `next` then matches it and returns false until an answer is due.
 *
 * An ACK with a code other than HG_REJECT_NONE changes the terms of the order: price and size are
 * then the venue's word (post_only: moved behind the touch; price_band: moved to the band;
 * self_trade, reduce_only: made smaller). With faults or a rate limit answers may stay out, and the
 * venue says so (venue.answer_ns). */
typedef enum {
    HG_FILL_TOUCH, /* everything trades at the touch, displayed sizes ignored */
    HG_FILL_DEPTH, /* orders walk the displayed depth and consume it until it is refreshed */
    HG_FILL_QUEUE  /* depth, and resting orders wait behind the size displayed when they came */
} hg_fill_model;

/* Asks whether the account can carry one more order (or the larger one of an amendment): wired to
 * the portfolio's margin by whoever opens the venue. `order` is our id of it, `size` what may still
 * fill. */
typedef struct hg_paper_margin {
    void *context;
    bool (*fits)(void *context, uint64_t order, uint32_t instrument, hg_side side, hg_ticks price,
                 hg_lots size, int64_t now_ns);
} hg_paper_margin;

typedef struct hg_paper_options {
    hg_fill_model fill;
    hg_queue_model queue; /* HG_FILL_QUEUE */
    bool fees;            /* charge the instruments' maker and taker fees */
    int64_t refill_ns;    /* half-life of what we consumed of a level; 0: until it is told again */
    hg_latency latency;   /* submit, cancel, amend and ack; `data` is the session's */
    hg_paper_rules rules;
    hg_faults faults;
    hg_paper_margin margin;  /* fits NULL: any order is carried */
    uint64_t seed;           /* of latencies and faults */
    uint32_t order_capacity; /* resting orders; 0 = 4,096 */
    uint64_t last_trade;     /* trade ids go on from here */
} hg_paper_options;

HG_MUST_CHECK int hg_paper_open(const hg_market *market, const hg_paper_options *options,
                                hg_venue **out);

/* How often each thing happened. */
typedef struct hg_paper_stats {
    uint64_t requests;       /* that reached matching */
    uint64_t maker_fills;    /* fills of resting orders */
    uint64_t taker_fills;    /* and of arriving ones */
    uint64_t delayed;        /* takers held by the taker delay */
    uint64_t slid;           /* post-only orders moved behind the touch */
    uint64_t banded;         /* limits moved to the price band */
    uint64_t banded_by_mark; /* orders whose band was the mark's: no index for the venue's */
    uint64_t self_trades;    /* meetings with an own order prevented */
    uint64_t reduced;        /* reduce-only orders cut down or ended as the position shrank */
    uint64_t rejects;        /* requests refused, for any reason */
    uint64_t rejects_down;   /* of these: the exchange stood still */
    uint64_t rejects_busy;   /* the exchange was busy */
    uint64_t rejects_rate;   /* more requests than allowed */
    uint64_t windows;        /* down or cut windows met */
    uint64_t vanished;       /* requests that never arrived */
    uint64_t answers_late;   /* answers withheld by a cut or lost, told later */
    uint64_t answers_twice;  /* told again */
} hg_paper_stats;

/* What the account holds in an instrument: what it was given (before the first order) and the fills
 * since, whether or not we have heard of them. */
void hg_paper_hold(hg_venue *venue, uint32_t instrument, hg_lots lots);
hg_lots hg_paper_held(const hg_venue *venue, uint32_t instrument);

/* What the feed did not tell of an instrument in which orders of ours have rested, so that less
 * could fill them than would have in truth. */
enum { HG_PAPER_NO_TRADES = 1, HG_PAPER_NO_DEPTH = 2 };
uint32_t hg_paper_unproven(const hg_venue *venue, uint32_t instrument);

const hg_paper_stats *hg_paper_stats_get(const hg_venue *venue);

/* Whether rules, faults or latencies are in force that a report should speak of. */
bool hg_paper_has_scenario(const hg_paper_options *options);

#endif
