#ifndef HG_APP_RISK_VIEW_H
#define HG_APP_RISK_VIEW_H

#include "app/core.h"
#include "base/json.h"

/* What the risk gate did and what its limits are, for reports and people. */

/* "risk": trading (active, reducing, halted), why, refusals by code, paused strategies. Into an
 * open object. */
void hg_risk_view_json(const hg_core *core, hg_json *json);
/* Lines only when there is something to say. */
void hg_risk_view_text(const hg_core *core);

/* The limits a configuration gives, complete: a table, or one JSON object. */
void hg_risk_view_limits(const hg_limits *limits, bool json);

/* For status: the state of the session, what else is stopped, and the newest refusals. */
void hg_risk_view_status(const hg_core *core, hg_json *json);

#endif
