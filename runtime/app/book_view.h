/* A book as a feed marks it: what `hedged book` shows, apart from how. */
#ifndef HG_APP_BOOK_VIEW_H
#define HG_APP_BOOK_VIEW_H

#include "app/scenario.h"
#include "app/session.h"

typedef struct hg_book_view {
    hg_session *session;         /* open, without strategies */
    int64_t at_ns;               /* event time after the start of the feed; 0: once all is marked */
    const hg_scenario *scenario; /* NULL: no grid */
    /* Set by hg_book_view_mark. */
    int64_t now_ns;
    const uint32_t *held; /* as hg_portfolio_held */
    uint32_t held_count;
} hg_book_view;

/* Pumps the feed to the moment of the view. A book that cannot be marked wholly is no failure: the
 * exposure says "partial" and why. HG_EDATA when the feed is broken or ends before `at_ns`. */
HG_MUST_CHECK int hg_book_view_mark(hg_book_view *view);

/* One leg. Units as in hg_exposure; what is unknown is NAN. */
typedef struct hg_book_row_view {
    const hg_instrument *inst;
    bool settled; /* delivered before the moment of the view: nothing is left of it */
    double size;  /* the venue's amount unit */
    double mark;  /* quote unit */
    double iv, delta, gamma, vega, theta;
    double value; /* options and spot at the mark vol and price, futures since their entry */
} hg_book_row_view;

hg_book_row_view hg_book_view_row(const hg_book_view *view, uint32_t id);

/* True when something of the underlying is in the book. */
bool hg_book_view_holds(const hg_book_view *view, uint32_t underlying);

/* The scenario's outcomes, hg_book_view_cells for each underlying in order of id, then the P&L of
 * all together; within a grid spot by spot, in each the vols. The caller frees it; NULL without a
 * scenario. HG_EDATA when something held has no price. */
HG_MUST_CHECK int hg_book_view_grid(const hg_book_view *view, hg_outcome **out);
size_t hg_book_view_cells(const hg_book_view *view);

#endif
