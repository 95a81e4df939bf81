#ifndef HG_APP_REPORT_VENUE_H
#define HG_APP_REPORT_VENUE_H

#include "app/core.h"
#include "base/json.h"

/* How often the paper venue's rules and faults struck: the part of the report that sessions with
 * --rules, --faults or --latency have. Others print nothing. */
void hg_report_venue_json(const hg_core *core, hg_json *j);
void hg_report_venue_text(const hg_core *core);

#endif
