#ifndef HG_APP_REPORT_H
#define HG_APP_REPORT_H

#include "app/core.h"
#include "base/json.h"

/* What a session has to say for itself at its end, gathered on two grids of event time: exposure
 * every `grid`, P&L changes every `step`. */
typedef struct hg_moments {
    uint64_t count;
    double mean, m2;
} hg_moments;

void hg_moments_add(hg_moments *m, double value);
double hg_moments_variance(const hg_moments *m); /* sample variance, NaN below two values */

typedef struct hg_report {
    uint32_t underlying; /* whose delta is reported, or HG_ID_NONE */
    int64_t step_ns, grid_ns;
    int64_t next_step_ns, next_grid_ns;
    bool started; /* the P&L is known since last_* */
    double last_hedged, last_unhedged;
    hg_moments hedged, unhedged;
    double delta_abs_sum, delta_abs_max; /* position delta */
    double total_abs_sum, total_abs_max; /* with coins held as money: of the USD value */
    uint64_t delta_count;
    double wall_s;
    hg_pnl pnl; /* at the end */
} hg_report;

void hg_report_init(hg_report *report, uint32_t underlying, int64_t start_ns, int64_t step_ns);

/* Time of the next observation; call hg_report_observe with the core settled up to it. */
static inline int64_t hg_report_due_ns(const hg_report *report) {
    return report->next_grid_ns;
}
/* End of the last P&L step; the start of the session before the first. */
static inline int64_t hg_report_stepped_ns(const hg_report *report) {
    return report->next_step_ns - report->step_ns;
}
/* True when a P&L step ended here (time to write `sample` lines). */
bool hg_report_observe(hg_report *report, hg_core *core);

void hg_report_finish(hg_report *report, hg_core *core, double wall_s);

/* The object of `backtest --json`; the caller opens and closes it. */
void hg_report_json(const hg_report *report, const hg_core *core, hg_json *json);
void hg_report_text(const hg_report *report, const hg_core *core);

#endif
