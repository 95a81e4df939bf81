#ifndef HG_APP_DEPOSITS_H
#define HG_APP_DEPOSITS_H

#include "app/core.h"

#define HG_DEPOSITS_MAX 32

/* "BTC=5,USDC=1000" to deposits of positive amounts in currencies of the universe; NULL and "" are
 * none. Money of the same currency adds up. HG_EUSAGE names what cannot be read. */
HG_MUST_CHECK int hg_deposits_parse(const hg_universe *universe, const char *text,
                                    hg_deposit out[HG_DEPOSITS_MAX], size_t *count);

#endif
