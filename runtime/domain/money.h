#ifndef HG_DOMAIN_MONEY_H
#define HG_DOMAIN_MONEY_H

#include "base/decimal.h"

#include <stdint.h>

/* The scaled integers of the ledger. Doubles live in greeks/ and in reports only.
 *
 *   hg_ticks  a price as a count of the instrument's smallest price step
 *   hg_lots   a size as a count of the instrument's smallest size step, signed for positions
 *   hg_nano   a price, rate, vol or amount scaled by 1e9
 *   hg_cash   an amount of one currency scaled by 1e9 (0.1 satoshi; up to 9.2 billion USD)
 */
typedef int64_t hg_ticks;
typedef int64_t hg_lots;
typedef int64_t hg_nano;
typedef int64_t hg_cash;

typedef enum { HG_BUY = 1, HG_SELL = -1 } hg_side;

static inline const char *hg_side_name(hg_side side) {
    return side == HG_BUY ? "buy" : "sell";
}

#endif
