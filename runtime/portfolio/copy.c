/* A second portfolio takes over positions and money of the first one. What is derived from them
 * (columns, answers) is worked out anew from the market it stands over. */
#include "base/assert.h"
#include "portfolio/portfolio_int.h"

#include <string.h>

static void copy_holding(hg_portfolio *to, const hg_portfolio *from, uint32_t id) {
    hg_holding *h = &to->holdings[id];
    bool listed = h->listed;
    *h = from->holdings[id];
    h->pos.pending_buy = 0;
    h->pos.pending_sell = 0;
    h->pos.planned_buy = 0;
    h->pos.planned_sell = 0;
    h->column = HG_ID_NONE;
    h->listed = listed;
    hg_holding_changed(to, id);
}

void hg_portfolio_copy(hg_portfolio *to, const hg_portfolio *from) {
    hg_assert(to != from && to->universe == from->universe);
    for (uint32_t u = 0; u < hg_universe_underlying_count(to->universe); u++) {
        hg_book *book = &to->books[u];
        book->options = 0;
        book->groups = 0;
        book->priced = false;
        book->restructure = true;
        book->moved = true;
        book->sizes_moved = true;
        book->options_due = true;
    }
    for (uint32_t id = 0; id < hg_universe_count(to->universe); id++) {
        copy_holding(to, from, id);
    }
    memcpy(to->purses, from->purses, hg_universe_currency_count(to->universe) * sizeof *to->purses);
    to->unmarked = from->unmarked;
    to->deposits_due = from->deposits_due;
    to->next_booking_ns = from->next_booking_ns;
    to->start_ns = from->start_ns;
    to->changes++;
}
