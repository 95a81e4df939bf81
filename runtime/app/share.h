#ifndef HG_APP_SHARE_H
#define HG_APP_SHARE_H

#include "app/session.h"

/* Which part of the book each strategy of a session works for (--share NAME=WHAT). WHAT is a list
 * of BTC                    an underlying label:wings            rows of the book with that label
 *     BTC-27FEB26-90000-C    one position
 *     rest                   what nobody else claims
 *     all                    the whole book, together with the owners of its parts
 * A strategy with a share sees, hedges and is judged by that share and its own trades alone. */

/* "delta_band" of strategies/delta_band.lua, "core" of core:delta_band.lua. */
void hg_strategy_name(const char *given, char *name, size_t size);
/* The file of it. */
const char *hg_strategy_path(const char *given);

/* Gives out the book, after the core is open and before the scripts are. HG_EUSAGE for an unknown
 * name or part, a row claimed twice, or a strategy without a share beside others with one. */
HG_MUST_CHECK int hg_shares_open(hg_session *session);

/* What was given to strategy `i`: its text, NULL when the session has no shares. */
const char *hg_share_text(const hg_session_options *options, size_t i);

/* "band=0.2" as it is, "core.band=0.2" as "band=0.2" for the strategy of that name; NULL when it is
 * for another one. */
const char *hg_set_for(const char *assignment, const char *strategy);

#endif
