#ifndef HG_EXEC_TRIGGER_H
#define HG_EXEC_TRIGGER_H

#include "domain/order.h"
#include "market/market.h"

/* Prices that something waits for. One book serves the runtime, which emulates trigger orders, and
 * the paper venue, which pretends to have them: the rules stand here once.
 *
 * Deribit's: a stop to buy and a take-profit to sell fire when the price is at or above the
 * trigger, a stop to sell and a take-profit to buy when it is at or below; a trailing stop follows
 * the best price since it was placed at a distance and never gives way. The price is the
 * instrument's last trade, its mark, or the index of its underlying. */
typedef struct hg_trigger_spec {
    uint64_t id; /* of the order */
    uint32_t instrument;
    hg_trigger source;
    bool above;             /* fires at or above the price, else at or below */
    hg_nano price;          /* ignored when it trails */
    hg_nano trail;          /* > 0: distance from the best price */
    hg_nano trail_fraction; /* > 0: the same as a fraction of the best price */
    hg_nano reference;      /* trailing: best price to start from */
} hg_trigger_spec;

typedef struct hg_trigger_user {
    void *context;
    /* The price was reached and the entry is gone; false: not now, keep it (tried again with the
     * next price). */
    bool (*fire)(void *context, uint64_t id);
    void (*moved)(void *context, uint64_t id, hg_nano price); /* a trailing trigger; may be NULL */
} hg_trigger_user;

typedef struct hg_trigger_book hg_trigger_book;

#define HG_TRIGGER_HANDLE_NONE 0u

hg_trigger_book *hg_trigger_book_new(const hg_universe *universe, uint32_t capacity,
                                     const hg_trigger_user *user); /* NULL: out of memory */
void hg_trigger_book_free(hg_trigger_book *book);

/* HG_TRIGGER_HANDLE_NONE when the book is full. The trigger must not be reached already. */
uint32_t hg_trigger_add(hg_trigger_book *book, const hg_trigger_spec *spec);
void hg_trigger_remove(hg_trigger_book *book, uint32_t handle);
hg_nano hg_trigger_price(const hg_trigger_book *book, uint32_t handle);
uint32_t hg_trigger_count(const hg_trigger_book *book);

/* A market event; anything but a trade, mark or index, and any price that reaches nothing, costs a
 * few comparisons. */
void hg_trigger_observe(hg_trigger_book *book, const hg_event *event);

/* The price a source shows now, 0 when it has shown none. */
hg_nano hg_trigger_reference(const hg_market *market, uint32_t instrument, hg_trigger source);

/* Where a trailing trigger stands at this best price. */
hg_nano hg_trigger_trail(const hg_trigger_spec *spec, hg_nano best);

/* Whether a type and side wait for the price to rise. */
static inline bool hg_trigger_above(hg_order_type type, hg_side side) {
    bool take = type == HG_TYPE_TAKE || type == HG_TYPE_TAKE_LIMIT;
    return (side == HG_BUY) != take;
}

#endif
