/* The --scenario flag: axes of spot and vol, and days forward. The maths is portfolio/scenario.h.
 */
#ifndef HG_APP_SCENARIO_H
#define HG_APP_SCENARIO_H

#include "base/error.h"
#include "portfolio/scenario.h"

/* An evenly spaced axis: first + i * step, i < count. */
typedef struct hg_axis {
    double first, step;
    size_t count;
} hg_axis;

#define HG_AXIS_MAX 201

typedef struct hg_scenario {
    hg_axis spot_pct;   /* per cent of the spot */
    hg_axis vol_points; /* 0.01 each */
    double days;        /* forward */
} hg_scenario;

/* "spot=-20:20:5,vol=-10:10:5,days=7", each part optional; an axis is FROM:TO:STEP or one number.
 * HG_EUSAGE names the part that is wrong. */
HG_MUST_CHECK int hg_scenario_parse(const char *text, hg_scenario *out);

/* The value at a place of an axis, without binary dust. */
double hg_axis_at(const hg_axis *axis, size_t i);

/* The move at a place of the grid. */
hg_shock hg_scenario_shock(const hg_scenario *scenario, size_t spot, size_t vol);

#endif
