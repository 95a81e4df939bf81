/* Parsing of the --scenario flag. */
#include "app/scenario.h"

#include "base/assert.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define POINT 0.01
#define DAYS_PER_YEAR 365.0

double hg_axis_at(const hg_axis *axis, size_t i) {
    hg_assert(i < axis->count);
    return nearbyint((axis->first + (double)i * axis->step) * 1e9) / 1e9;
}

hg_shock hg_scenario_shock(const hg_scenario *s, size_t spot, size_t vol) {
    return (hg_shock){.spot = hg_axis_at(&s->spot_pct, spot) / 100,
                      .vol = hg_axis_at(&s->vol_points, vol) * POINT,
                      .years = s->days / DAYS_PER_YEAR};
}

/* Up to three numbers separated by colons; how many, 0 when it is something else. */
static size_t numbers_parse(const char *text, double value[3]) {
    for (size_t n = 0; n < 3; n++) {
        char *end = NULL;
        value[n] = strtod(text, &end);
        if (end == text || !isfinite(value[n]) || fabs(value[n]) > 1e6) {
            return 0;
        }
        if (*end == '\0') {
            return n + 1;
        }
        if (*end != ':') {
            return 0;
        }
        text = end + 1;
    }
    return 0;
}

static int axis_parse(const char *name, const char *text, hg_axis *axis) {
    double v[3] = {0};
    size_t n = numbers_parse(text, v);
    if (n == 1) {
        *axis = (hg_axis){.first = v[0], .count = 1};
        return HG_OK;
    }
    if (n != 3 || !(v[2] > 0) || v[1] < v[0]) {
        return HG_ERR(HG_EUSAGE, "%s=%s: want FROM:TO:STEP such as -20:20:5, or one number", name,
                      text);
    }
    double steps = floor((v[1] - v[0]) / v[2] + 1e-9);
    if (steps >= HG_AXIS_MAX) {
        return HG_ERR(HG_EUSAGE, "%s=%s: more than %d steps", name, text, HG_AXIS_MAX - 1);
    }
    *axis = (hg_axis){.first = v[0], .step = v[2], .count = (size_t)steps + 1};
    return HG_OK;
}

static int days_parse(const char *text, double *days) {
    double v[3] = {0};
    if (numbers_parse(text, v) != 1 || v[0] < 0) {
        return HG_ERR(HG_EUSAGE, "days=%s: want a number of days, zero or more", text);
    }
    *days = v[0];
    return HG_OK;
}

static int part_unknown(const char *name) {
    static const char *const names[] = {"spot", "vol", "days", NULL};
    int rc = HG_ERR(HG_EUSAGE, "unknown part '%s'", name);
    const char *near = hg_text_nearest(name, names);
    hg_error_hint(near ? "did you mean %s=?" : "parts are spot=, vol= and days=", near);
    return rc;
}

static int part_parse(void *scenario, char *part) {
    hg_scenario *s = scenario;
    char *equals = strchr(part, '=');
    if (!equals) {
        int rc = HG_ERR(HG_EUSAGE, "'%s' is not NAME=VALUE", part);
        hg_error_hint("for example spot=-20:20:5,vol=-10:10:5,days=7");
        return rc;
    }
    *equals++ = '\0';
    if (strcmp(part, "spot") == 0) {
        int rc = axis_parse(part, equals, &s->spot_pct);
        return rc == HG_OK && s->spot_pct.first <= -100
                   ? HG_ERR(HG_EUSAGE, "spot=%s: a price falls by less than 100 %%", equals)
                   : rc;
    }
    if (strcmp(part, "vol") == 0) {
        return axis_parse(part, equals, &s->vol_points);
    }
    return strcmp(part, "days") == 0 ? days_parse(equals, &s->days) : part_unknown(part);
}

int hg_scenario_parse(const char *text, hg_scenario *out) {
    hg_scenario s = {.spot_pct.count = 1, .vol_points.count = 1};
    int rc = hg_text_parts(text, part_parse, &s);
    if (rc < 0) {
        return HG_ERR_CTX(rc, "--scenario");
    }
    *out = s;
    return HG_OK;
}
