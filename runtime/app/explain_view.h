#ifndef HG_APP_EXPLAIN_VIEW_H
#define HG_APP_EXPLAIN_VIEW_H

#include "app/core.h"
#include "base/json.h"
#include "portfolio/explain.h"

/* The explanation of the P&L as people and programs see it: the report's table and object, and the
 * fields of an `explain` line. */

/* Fields of one explanation into an open object: pnl, the parts, rest, coins, drift. */
void hg_explain_fields(hg_json *json, const hg_core *core, const hg_explanation *x, bool drift);

/* Groupings, in the order they are told. */
typedef enum {
    HG_BY_SESSION,
    HG_BY_STRATEGY,
    HG_BY_UNDERLYING,
    HG_BY_INSTRUMENT,
    HG_BY_COUNT
} hg_explain_by;
const char *hg_explain_by_name(hg_explain_by by); /* "session" "strategy" ... */

/* The groups of one grouping that have anything to explain, one call each. */
typedef void hg_explain_visit(void *context, hg_explain_by by, const char *name,
                              const hg_explanation *x);
void hg_explain_each(const hg_core *core, hg_explain_by by, int64_t now_ns, hg_explain_visit *visit,
                     void *context);

/* "explain": {...} and "explain_by": {strategy: {name: {...}}, underlying: ..., instrument: ...}.
 */
void hg_explain_json(const hg_core *core, hg_json *json);
void hg_explain_text(const hg_core *core, uint32_t underlying);

#endif
