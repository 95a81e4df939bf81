#ifndef HG_EXEC_PAPER_INT_H
#define HG_EXEC_PAPER_INT_H

#include "base/heap.h"
#include "base/ring.h"
#include "exec/paper.h"
#include "exec/trigger.h"

/* Private to the paper venue: paper.c speaks to the session, paper_wire.c carries requests and
 * answers, match.c takes and places orders, resting.c moves those that rest with the feed,
 * paper_book.c reads the displayed book, paper_own.c keeps our lists, paper_position.c what the
 * account holds, taken.c remembers what we have consumed. */

#define HG_NODE_NONE UINT32_MAX

/* One order at the venue. Prices rank in its list best first, then by arrival. */
typedef struct hg_resting {
    uint64_t id;
    uint32_t instrument;
    uint32_t prev, next;
    uint32_t chain; /* next order whose id falls into the same bucket */
    uint32_t level; /* of own_levels */
    int8_t side;
    uint8_t tif;
    bool market;
    bool post_only;
    bool reduce_only;
    bool fired;     /* a trigger order of the venue whose price has come */
    bool stopped;   /* self-trade prevention ends it */
    hg_ticks price; /* market orders: the collar */
    hg_lots size;
    hg_lots filled;
    hg_queue_place place; /* queue model */
} hg_resting;

/* A price at which orders of ours rest. */
typedef struct hg_own_level {
    hg_ticks price;
    uint32_t prev, next;  /* better, worse */
    uint32_t first, last; /* its orders */
} hg_own_level;

/* A request on its way to the venue. */
typedef struct hg_request {
    enum { HG_REQ_SUBMIT, HG_REQ_CANCEL, HG_REQ_AMEND } kind;
    bool held;            /* arrived, and waits out the taker delay */
    hg_resting order;     /* for cancel and amend only id, instrument, side, price and size count */
    hg_trigger_spec wait; /* id 0: it does not wait for a price */
    int64_t valid_until_ns;
} hg_request;

/* A trigger order that waits at the venue. */
typedef struct hg_parked {
    hg_resting order;
    uint32_t handle;
} hg_parked;

/* Free places of a pool: those given back, the last one first, then those never used, in order. So
 * a pool needs no list through all of it when it is made. */
typedef struct hg_spare {
    uint32_t back; /* given back last; it names the next by its own link */
    uint32_t used; /* from here on never used */
    uint32_t capacity;
} hg_spare;

static inline hg_spare hg_spare_of(uint32_t capacity) {
    return (hg_spare){HG_NODE_NONE, 0, capacity};
}

/* The one to take next, HG_NODE_NONE when there is none. */
static inline uint32_t hg_spare_first(const hg_spare *s) {
    bool fresh = s->back == HG_NODE_NONE && s->used < s->capacity;
    return fresh ? s->used : s->back;
}

/* Takes it; `link` is what the place says. */
static inline void hg_spare_take(hg_spare *s, uint32_t link) {
    if (s->back == HG_NODE_NONE) {
        s->used++;
    } else {
        s->back = link;
    }
}

/* Displayed size we have taken at one price. */
typedef struct hg_taken {
    hg_ticks price;
    hg_lots lots;    /* of these still gone */
    hg_lots taken;   /* gone at time_ns */
    int64_t time_ns; /* of the last taking */
    uint32_t next;
} hg_taken;

typedef struct hg_lane { /* one side of one instrument */
    uint32_t best, last; /* our resting orders, best price first, then first come */
    uint32_t taken;
    bool resync; /* inside a snapshot: its levels say nothing before the last one */
    bool rested; /* an order of ours has */
    bool traded; /* lane of the bids: the feed has told a public trade of the instrument */
} hg_lane;

/* When the newest request of an order arrives, and until when its answers are withheld. A table by
 * the low bits of the id: an old id that gave its place away only makes others wait. */
typedef struct hg_order_wire {
    int64_t arrival_ns;
    int64_t withheld_ns;
} hg_order_wire;

#define HG_WIRE_ORDERS 8192

/* The account's position in one instrument. */
typedef struct hg_account_line {
    hg_lots lots; /* long above zero */
    bool moved;   /* it or its reduce-only orders, since these were last cut to it */
} hg_account_line;

/* Credits for requests, in units of 1e-9. */
typedef struct hg_credits {
    int64_t level;
    int64_t time_ns;
} hg_credits;

typedef struct hg_band_average hg_band_average; /* paper_band.c */

typedef struct hg_paper {
    hg_venue venue; /* first: the session holds a pointer to it */
    const hg_market *market;
    const hg_universe *universe;
    hg_paper_options options;
    hg_resting *nodes;
    hg_spare free_nodes;
    hg_own_level *own_levels;
    hg_spare free_levels;
    uint32_t *buckets; /* orders by id */
    uint32_t bucket_mask;
    hg_taken *taken;
    hg_spare free_taken;
    hg_lane *lanes; /* instrument * 2 + (sell ? 1 : 0) */
    hg_delay legs[HG_LEG_DATA];
    hg_heap requests;
    uint32_t held;   /* of these wait out the taker delay */
    hg_ring answers; /* in time order */
    hg_heap late;    /* answers told out of order: withheld, repeated, overdue */
    hg_order_wire *wires;
    hg_fault_clock clock;
    hg_rng rng; /* of single faults */
    bool faulty;
    bool cut;               /* the connection was gone when we looked last */
    uint32_t unproven;      /* lanes whose orders are still to be shown since it is back; 0: none */
    hg_credits credits;     /* rules.rate */
    hg_band_average *bands; /* by instrument; NULL: no rule needs them */
    hg_account_line *held_lots; /* by instrument */
    uint32_t reducing;          /* reduce-only orders that rest */
    hg_paper_stats stats;
    uint64_t last_trade;
    int64_t now_ns;            /* of the matching step being done */
    uint8_t about;             /* HG_ABOUT_* of the request being matched */
    hg_trigger_book *triggers; /* NULL: the venue has no trigger orders */
    hg_parked *parked;
    uint32_t parked_count;
} hg_paper;

static inline hg_side hg_other(hg_side side) {
    return side == HG_BUY ? HG_SELL : HG_BUY;
}

/* Whether a price is as good as or better than `limit` for someone on `side`. */
static inline bool hg_reaches(hg_side side, hg_ticks price, hg_ticks limit) {
    return side == HG_BUY ? price <= limit : price >= limit;
}

static inline hg_lots hg_resting_left(const hg_resting *order) {
    return order->size - order->filled;
}

static inline hg_lane *hg_paper_lane(const hg_paper *p, uint32_t instrument, hg_side side) {
    return &p->lanes[(size_t)instrument * 2 + (side == HG_SELL)];
}

/* paper_book.c: the displayed book */
bool hg_book_level(const hg_paper *paper, uint32_t instrument, hg_side side, uint32_t k,
                   hg_level *out); /* k-th level; false beyond the book */
bool hg_book_best(const hg_paper *paper, uint32_t instrument, hg_side side, hg_level *out);
/* Size displayed at a price, 0 when the book shows that there is none, -1 when it cannot tell. */
hg_lots hg_book_shown(const hg_paper *paper, uint32_t instrument, hg_side side, hg_ticks price);
bool hg_book_has_depth(const hg_paper *paper, uint32_t instrument);

/* paper_own.c: our own lists */
HG_MUST_CHECK int hg_own_open(hg_paper *paper);
void hg_own_close(hg_paper *paper);
/* The first of our orders at a price, or HG_NODE_NONE; the others of that price follow it. */
uint32_t hg_own_at(const hg_paper *paper, uint32_t instrument, hg_side side, hg_ticks price);
uint32_t hg_own_find(const hg_paper *paper, uint64_t id);         /* or HG_NODE_NONE */
uint32_t hg_own_insert(hg_paper *paper, const hg_resting *order); /* NONE: no node is free */
void hg_own_release(hg_paper *paper, uint32_t node);

/* match.c: requests that have arrived */
void hg_paper_submit(hg_paper *paper, const hg_resting *order);
void hg_paper_cancel(hg_paper *paper, const hg_resting *order);
void hg_paper_amend(hg_paper *paper, const hg_resting *order);
/* Whether a new or amended order would take liquidity now. */
bool hg_paper_would_take(const hg_paper *paper, const hg_resting *order);
void hg_paper_trade(hg_paper *paper, hg_resting *order, hg_ticks price, hg_lots lots, bool maker);

/* paper_parked.c: trigger orders, when the venue pretends to have them */
HG_MUST_CHECK int hg_parked_open(hg_paper *paper);
void hg_parked_close(hg_paper *paper);
/* Whether the request was about one, or came too late; it is answered then. */
bool hg_parked_request(hg_paper *paper, const hg_request *request);
void hg_parked_observe(hg_paper *paper, const hg_event *event);

/* paper_position.c: what the account holds */
HG_MUST_CHECK int hg_held_open(hg_paper *paper);
void hg_held_close(hg_paper *paper);
/* Lots the order may trade now: what is left of it, of a reduce-only one no more than it closes. */
hg_lots hg_held_allows(const hg_paper *paper, const hg_resting *order);
/* Cuts an arriving reduce-only order to that, or says why it is refused. */
hg_reject hg_held_arrive(const hg_paper *paper, hg_resting *order, hg_reject *changed);
void hg_held_trade(hg_paper *paper, const hg_resting *order, hg_lots lots);
void hg_held_settle(hg_paper *paper, uint32_t instrument);
/* After fills: resting reduce-only orders shrink to what is left to reduce, or end. */
void hg_held_follow(hg_paper *paper, uint32_t instrument);

/* paper_band.c: price bands, and the averages they stand on */
HG_MUST_CHECK int hg_band_open(hg_paper *paper);
void hg_band_close(hg_paper *paper);
void hg_band_observe(hg_paper *paper, const hg_event *event);
hg_reject hg_band_judge(hg_paper *paper, const hg_instrument *inst, hg_resting *order,
                        hg_reject *changed);

/* paper_rules.c: HG_REJECT_NONE, or why the venue refuses. May move the price to the band. */
hg_reject hg_paper_judge(hg_paper *paper, hg_resting *order, hg_reject *changed);

/* paper_link.c: moves the clock of faults; a cut is told, and after it every order that is open */
void hg_link_watch(hg_paper *paper, int64_t now_ns);

/* resting.c: the feed */
void hg_resting_observe(hg_paper *paper, const hg_event *event);

/* paper_wire.c */
HG_MUST_CHECK int hg_wire_open(hg_paper *paper); /* what it made, hg_wire_close frees */
void hg_wire_close(hg_paper *paper);
int hg_wire_send(hg_paper *paper, hg_request *request, int64_t now_ns);
void hg_wire_arrive(hg_paper *paper, int64_t until_ns); /* matches what has arrived by then */
bool hg_wire_unhold(hg_paper *paper, uint64_t id);      /* takes a held order off; false: none */
bool hg_wire_room(const hg_paper *paper); /* for one more fill and the answer that ends an order */
void hg_wire_answer(hg_paper *paper, hg_event_kind kind, const hg_resting *order, hg_reject code);
void hg_wire_cut(hg_paper *paper); /* tells that the connection is gone */
void hg_wire_fill(hg_paper *paper, const hg_resting *order, hg_ticks price, hg_lots lots,
                  bool maker);
int64_t hg_wire_answer_due_ns(const hg_paper *paper); /* INT64_MAX: none waits */
bool hg_wire_next(hg_paper *paper, hg_event *event);

/* taken.c: lots of the displayed size at a price that we have not consumed yet. */
hg_lots hg_taken_left(const hg_paper *paper, uint32_t instrument, hg_side side, hg_ticks price,
                      hg_lots displayed);
/* False: it could not be noted and must not be traded. */
bool hg_taken_add(hg_paper *paper, uint32_t instrument, hg_side side, hg_ticks price, hg_lots lots);
/* The feed tells a level, or a whole side, again. */
void hg_taken_level(hg_paper *paper, uint32_t instrument, hg_side side, hg_ticks price,
                    hg_lots displayed);
void hg_taken_side(hg_paper *paper, uint32_t instrument, hg_side side);
void hg_taken_clear(hg_paper *paper, uint32_t instrument, hg_side side);

#endif
