#ifndef HG_EXEC_RULES_H
#define HG_EXEC_RULES_H

#include "domain/instrument.h"
#include "domain/venue.h"

/* What the paper venue refuses, delays or changes: the rules of an exchange, each by itself. */
typedef enum {
    HG_SELF_CANCEL_MAKER, /* the resting order leaves, the taker goes on */
    HG_SELF_CANCEL_TAKER, /* the taker ends, the resting order stays */
    HG_SELF_CANCEL_BOTH,
    HG_SELF_DECREMENT /* both lose the smaller of the two sizes, without a trade */
} hg_self_trade;

typedef struct hg_paper_rules {
    hg_self_trade self_trade;
    bool slide;                /* post-only orders that would take move behind the touch */
    int64_t taker_delay_ns[4]; /* by hg_kind: orders that would take wait before they are matched */
    bool delay_spares_inverse; /* ... but not those in inverse perpetuals and futures */
    hg_nano band;              /* futures and perpetuals: buys at most this fraction above the mark,
                                  sells at most this much below; 0 = no band */
    hg_nano band_index;        /* the same about the index */
    bool band_average;         /* `band` is about index + a minute's average premium, and edges are
                                  rounded away from it; the mark stands in where that is unknown */
    bool band_clamps;          /* a limit beyond the band is moved to it instead of refused */
    uint32_t rate;             /* requests per second in the long run, 0 = any */
    uint32_t burst;            /* and at once */
    int64_t rate_cut_ns;       /* who asks for more loses the connection for so long */
    uint32_t native;           /* HG_VENUE_TRIGGER, _TRAILING: order types the venue has itself; the
                                  runtime emulates the others */
} hg_paper_rules;

/* "plain" (no rule but cancel_maker), "deribit", and parts after it or alone, later ones win:
 *   self_trade=cancel_maker|cancel_taker|cancel_both|decrement   post_only=reject|slide
 *   taker_delay=10ms|venue|none   taker_delay.option=5ms (.perpetual .future .spot)
 *   band=1.5%|venue|none   rate=5:20[:1s]|none   native=trigger|trailing|all|none
 *
 * "deribit" (facts of 2026-11): taker_delay=venue, 10 ms for options, dated futures and linear
 * perpetuals, none for inverse ones (docs.deribit.com, "speed bump", 2026-09-23); band=venue,
 * limits of futures are moved to index + a minute's average premium +-1.5 % and index +-7.5 %
 * (support.deribit.com, "Trading bandwidth"; paper_band.c); post_only=slide (private/buy:
 * reject_post_only false); self_trade=cancel_maker (private/set_self_trading_config); rate=5:20:1s,
 * the lowest tier of the matching engine, whose error 10028 ends the session (docs.deribit.com,
 * "Rate limits"); native=all (private/buy: types stop_*, take_* and trailing_stop with
 * trigger_offset). HG_EUSAGE names the part. */
HG_MUST_CHECK int hg_rules_parse(const char *text, hg_paper_rules *out);

int64_t hg_rules_taker_delay(const hg_paper_rules *rules, const hg_instrument *inst);

const char *hg_self_trade_name(hg_self_trade mode); /* "cancel_maker" ... */

#endif
