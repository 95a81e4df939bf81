#ifndef HG_VENUE_SIM_H
#define HG_VENUE_SIM_H

#include "domain/feed.h"

/* A synthetic market: BTC and ETH with perpetuals, spot, dated futures and a full option chain, as
 * Deribit lists them. One seed and scenario give one stream of events, byte for byte. It never
 * ends (end_ns is 0) and never allocates after it was opened. */
typedef struct hg_sim_options {
    uint64_t seed;
    const char *scenario; /* one of hg_sim_scenarios; NULL: "calm" */
    int64_t start_ns;     /* rounded up to a whole second; 0: 2026-01-29T00:00:00Z */
} hg_sim_options;

extern const char *const hg_sim_scenarios[]; /* NULL-terminated */

/* Adds its instruments to the universe. HG_EUSAGE for an unknown scenario, HG_ERANGE for a start
 * outside 1970..2099. */
HG_MUST_CHECK int hg_sim_open(const hg_sim_options *options, hg_universe *universe, hg_feed **out);

#endif
