/* Clocks and the calendar. Civil-date conversion follows Howard Hinnant's days_from_civil
 * (https://howardhinnant.github.io/date_algorithms.html), restated here for int64. */
#include "base/clock.h"

#include "base/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t clock_read(clockid_t id) {
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * HG_NS_PER_S + ts.tv_nsec;
}

int64_t hg_clock_monotonic_ns(void) {
    return clock_read(CLOCK_MONOTONIC);
}

int64_t hg_clock_wall_ns(void) {
    return clock_read(CLOCK_REALTIME);
}

int64_t hg_clock_thread_ns(void) {
    return clock_read(CLOCK_THREAD_CPUTIME_ID);
}

int64_t hg_date_to_days(hg_date date) {
    int64_t y = date.month <= 2 ? date.year - 1 : date.year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t mp = (date.month + 9) % 12;
    int64_t doy = (153 * mp + 2) / 5 + date.day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

hg_date hg_date_from_days(int64_t days) {
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    hg_date date;
    date.day = (int)(doy - (153 * mp + 2) / 5 + 1);
    date.month = (int)(mp < 10 ? mp + 3 : mp - 9);
    date.year = (int)(yoe + era * 400 + (date.month <= 2 ? 1 : 0));
    return date;
}

int hg_date_weekday(int64_t days) {
    int64_t w = (days + 3) % 7; /* 1970-01-01 was a Thursday */
    return (int)(w < 0 ? w + 7 : w);
}

bool hg_date_valid(hg_date date) {
    if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31) {
        return false;
    }
    hg_date back = hg_date_from_days(hg_date_to_days(date));
    return back.month == date.month && back.day == date.day;
}

char *hg_time_format(int64_t time_ns, char *buf, size_t size) {
    int64_t days = time_ns / HG_NS_PER_DAY;
    int64_t rest = time_ns % HG_NS_PER_DAY;
    if (rest < 0) {
        rest += HG_NS_PER_DAY;
        days--;
    }
    hg_date d = hg_date_from_days(days);
    int64_t ms = rest / HG_NS_PER_MS;
    snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", d.year, d.month, d.day,
             (int)(ms / 3600000), (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
    return buf;
}

bool hg_duration_parse(const char *text, int64_t *ns) {
    static const struct {
        const char *suffix;
        double ns;
    } units[] = {
        {"ns",  1.0     },
        {"us",  1e3     },
        {"ms",  1e6     },
        {"s",   1e9     },
        {"m",   60e9    },
        {"h",   3600e9  },
        {"d",   86400e9 },
        {"min", 60e9    },
        {"w",   604800e9}
    };
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || !isfinite(value) || value <= 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(end, units[i].suffix) == 0) {
            double total = value * units[i].ns;
            if (total < 1 || total > 9.2e18) {
                return false;
            }
            *ns = (int64_t)total;
            return true;
        }
    }
    return false;
}

void hg_duration_hint(const char *text) {
    char *end = NULL;
    double value = strtod(text, &end);
    if (end != text && *end == '\0' && isfinite(value) && value > 0) {
        hg_error_hint("a duration has a unit: %sms or %ss?", text, text);
    }
}
