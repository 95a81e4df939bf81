#ifndef HG_EXEC_PAPER_INT_H
#define HG_EXEC_PAPER_INT_H

#include "base/ring.h"
#include "exec/paper.h"

/* Private to the paper venue: paper.c speaks to the session, match.c trades, taken.c remembers what
 * we have consumed. */

#define HG_NODE_NONE UINT32_MAX

/* One order at the venue. Prices rank in its list best first, then by arrival. */
typedef struct hg_resting {
    uint64_t id;
    uint32_t instrument;
    uint32_t prev, next;
    uint32_t chain; /* next order whose id falls into the same bucket */
    int8_t side;
    uint8_t tif;
    bool market;
    bool post_only;
    hg_ticks price; /* market orders: the collar */
    hg_lots size;
    hg_lots filled;
    hg_lots ahead; /* queue model: displayed size that must trade before us */
} hg_resting;

/* A request on its way to the venue. */
typedef struct hg_request {
    enum { HG_REQ_SUBMIT, HG_REQ_CANCEL, HG_REQ_AMEND } kind;
    int64_t due_ns;
    hg_resting order; /* for cancel and amend only id, instrument, side, price and size count */
} hg_request;

/* Displayed size we have taken at one price, until the feed tells that price again. */
typedef struct hg_taken {
    hg_ticks price;
    hg_lots lots;
    uint32_t next;
} hg_taken;

typedef struct hg_lane { /* one side of one instrument */
    uint32_t best, last; /* our resting orders, best price first, then first come */
    uint32_t taken;
} hg_lane;

typedef struct hg_paper {
    hg_venue venue; /* first: the session holds a pointer to it */
    const hg_market *market;
    const hg_universe *universe;
    hg_paper_options options;
    hg_resting *nodes;
    uint32_t free_node;
    uint32_t *buckets; /* orders by id */
    uint32_t bucket_mask;
    hg_taken *taken;
    uint32_t free_taken;
    hg_lane *lanes; /* instrument * 2 + (sell ? 1 : 0) */
    hg_ring requests;
    hg_ring answers;
    uint64_t last_trade;
    int64_t now_ns; /* of the matching step being done */
} hg_paper;

hg_lane *hg_paper_lane(const hg_paper *paper, uint32_t instrument, hg_side side);
uint32_t hg_paper_find(const hg_paper *paper, uint64_t id); /* or HG_NODE_NONE */

/* match.c */
void hg_paper_submit(hg_paper *paper, const hg_resting *order);
void hg_paper_cancel(hg_paper *paper, const hg_resting *order);
void hg_paper_amend(hg_paper *paper, const hg_resting *order);
void hg_paper_cross(hg_paper *paper, uint32_t instrument); /* resting orders against the book */
void hg_paper_print(hg_paper *paper, const hg_event *trade);
void hg_paper_drop(hg_paper *paper, uint32_t instrument);    /* delivered: orders vanish silently */
void hg_paper_queue(hg_paper *paper, const hg_event *event); /* the queue ahead of us shrinks */

/* paper.c */
bool hg_paper_room(const hg_paper *paper); /* for one more fill and the answer that ends an order */
void hg_paper_answer(hg_paper *paper, hg_event_kind kind, const hg_resting *order, hg_reject code);
void hg_paper_fill(hg_paper *paper, const hg_resting *order, hg_ticks price, hg_lots lots,
                   bool maker);

/* taken.c: lots of the displayed size at a price that we have not consumed yet. */
hg_lots hg_taken_left(const hg_paper *paper, uint32_t instrument, hg_side side, hg_ticks price,
                      hg_lots displayed);
/* How much of `lots` could be noted; the rest must not be traded. */
bool hg_taken_add(hg_paper *paper, uint32_t instrument, hg_side side, hg_ticks price, hg_lots lots);
void hg_taken_forget(hg_paper *paper, uint32_t instrument, hg_side side, hg_ticks price);
void hg_taken_clear(hg_paper *paper, uint32_t instrument, hg_side side);

#endif
