/* What an order would be filled at now, fill by fill, as the paper venue books it: the levels it
 * takes at their prices with the taker's fee, what rests at its own price with the maker's, each
 * fee rounded (and an option's capped) by itself. Orders previewed together take depth from each
 * other, in their order. */
#ifndef HG_EXEC_PREVIEW_H
#define HG_EXEC_PREVIEW_H

#include "portfolio/margin.h"

typedef struct hg_preview_order {
    uint32_t instrument;
    hg_side side;
    hg_lots lots;
    hg_ticks price; /* 0: a market order */
    bool post_only;
    bool no_fees; /* the session charges none */
} hg_preview_order;

typedef struct hg_preview {
    hg_trade_idea ideas[HG_IDEAS_MAX]; /* one per fill */
    size_t count;
    bool fits; /* of the last order: the displayed book holds what it takes */
} hg_preview;

/* Appends the fills of an order that is filled in full: beyond the displayed book a market order
 * goes on at the last level (`fits` is false then), a limit order rests at its price. HG_ENOTFOUND
 * without a quote to take, HG_ESTATE when a post-only order would take, HG_ERANGE beyond what the
 * ledger counts, HG_ELIMIT for more fills than there is room for. */
HG_MUST_CHECK int hg_preview_add(hg_preview *preview, const hg_market *market,
                                 const hg_preview_order *order);

#endif
