/* What the paper venue sees: the displayed book of the feed. */
#include "exec/paper_int.h"

bool hg_book_has_depth(const hg_paper *p, uint32_t instrument) {
    const hg_depth *depth = hg_market_get(p->market, instrument)->depth;
    return depth && (depth->bid_count > 0 || depth->ask_count > 0);
}

/* k-th level of a side; without depth the quote is the only one. */
bool hg_book_level(const hg_paper *p, uint32_t instrument, hg_side side, uint32_t k,
                   hg_level *out) {
    const hg_market_state *s = hg_market_get(p->market, instrument);
    if (s->book_invalid || s->halted || s->settled) {
        return false;
    }
    if (s->depth && (s->depth->bid_count > 0 || s->depth->ask_count > 0)) {
        const hg_level *level = hg_depth_level(s->depth, side, k);
        if (level) {
            *out = *level;
        }
        return level != NULL;
    }
    *out = side == HG_BUY ? (hg_level){s->quote.bid, s->quote.bid_size}
                          : (hg_level){s->quote.ask, s->quote.ask_size};
    return k == 0 && out->size > 0;
}

/* Touch: the quote rules, the book only where there is no quote. */
bool hg_book_best(const hg_paper *p, uint32_t instrument, hg_side side, hg_level *out) {
    const hg_market_state *s = hg_market_get(p->market, instrument);
    hg_lots shown = side == HG_BUY ? s->quote.bid_size : s->quote.ask_size;
    if (p->options.fill == HG_FILL_TOUCH && shown > 0 && !s->book_invalid && !s->halted) {
        *out = (hg_level){side == HG_BUY ? s->quote.bid : s->quote.ask, shown};
        return true;
    }
    return hg_book_level(p, instrument, side, 0, out);
}

/* A quote shows its own price and that nothing is better; a book also what lies between its levels.
 * Behind either nobody can see. */
hg_lots hg_book_shown(const hg_paper *p, uint32_t instrument, hg_side side, hg_ticks price) {
    const hg_market_state *s = hg_market_get(p->market, instrument);
    if (s->book_invalid || s->halted || s->settled) {
        return -1;
    }
    if (hg_book_has_depth(p, instrument)) {
        uint32_t count = side == HG_BUY ? s->depth->bid_count : s->depth->ask_count;
        const hg_level *worst = count > 0 ? hg_depth_level(s->depth, side, count - 1) : NULL;
        bool visible = worst && hg_reaches(side, worst->price, price);
        return visible ? hg_depth_size(s->depth, side, price) : -1;
    }
    hg_ticks touch = side == HG_BUY ? s->quote.bid : s->quote.ask;
    hg_lots size = side == HG_BUY ? s->quote.bid_size : s->quote.ask_size;
    if (s->quote.time_ns == 0) {
        return -1;
    }
    if (size == 0) {
        return 0;
    }
    return price == touch ? size : hg_reaches(side, touch, price) ? 0 : -1;
}
