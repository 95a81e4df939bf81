#ifndef HG_BASE_CLOCK_H
#define HG_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HG_NS_PER_US INT64_C(1000)
#define HG_NS_PER_MS INT64_C(1000000)
#define HG_NS_PER_S INT64_C(1000000000)
#define HG_NS_PER_HOUR (3600 * HG_NS_PER_S)
#define HG_NS_PER_DAY (86400 * HG_NS_PER_S)
/* ACT/365: the year of every time to expiry (Deribit's convention). */
#define HG_NS_PER_YEAR (365 * HG_NS_PER_DAY)

/* Machine clocks. The core never reads them: it is driven by event time. */
int64_t hg_clock_monotonic_ns(void);
int64_t hg_clock_wall_ns(void);
int64_t hg_clock_thread_ns(void); /* CPU time of this thread: others do not count */

/* Proleptic Gregorian calendar, UTC, no leap seconds. month 1..12, day 1..31. */
typedef struct hg_date {
    int year;
    int month;
    int day;
} hg_date;

int64_t hg_date_to_days(hg_date date); /* days since 1970-01-01 */
hg_date hg_date_from_days(int64_t days);
int hg_date_weekday(int64_t days); /* 0 = Monday .. 6 = Sunday */
bool hg_date_valid(hg_date date);

/* "2026-01-29T04:22:27.228Z" into buf (at least 32 bytes); returns buf. */
char *hg_time_format(int64_t time_ns, char *buf, size_t size);

/* "250ms", "5s", "10m", "2h", "1d". False if malformed, without a unit or <= 0: what of "5" were
 * seconds to one reader would be milliseconds to another. */
bool hg_duration_parse(const char *text, int64_t *ns);
/* After an HG_ERR about a duration: says what is missing when it is only the unit. */
void hg_duration_hint(const char *text);

#endif
