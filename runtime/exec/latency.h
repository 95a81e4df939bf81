#ifndef HG_EXEC_LATENCY_H
#define HG_EXEC_LATENCY_H

#include "base/error.h"
#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long what is sent takes to arrive. Each leg of the way has its own law and its own stream of
 * random numbers, so that a change of one leg leaves the draws of the others as they were. */
typedef enum {
    HG_LEG_SUBMIT, /* order to matching */
    HG_LEG_CANCEL,
    HG_LEG_AMEND,
    HG_LEG_ACK,  /* matching to us: every answer */
    HG_LEG_DATA, /* market data to us */
    HG_LEGS
} hg_latency_leg;

typedef enum {
    HG_LAW_CONSTANT,    /* first */
    HG_LAW_UNIFORM,     /* first .. second */
    HG_LAW_EXPONENTIAL, /* mean first, at least second */
    HG_LAW_LOGNORMAL,   /* median first, sigma of the logarithm */
    HG_LAW_RECORDED     /* the rows of a file, in order or by time of day */
} hg_law_kind;

#define HG_LATENCY_PATH_MAX 240
/* No draw is longer: a law with a heavy tail must not stop a session. */
#define HG_LATENCY_MAX_NS (INT64_C(60) * 1000000000)
#define HG_LATENCY_ROWS_MAX 1000000

typedef struct hg_law {
    hg_law_kind kind;
    int64_t first_ns, second_ns;
    double sigma;
    char path[HG_LATENCY_PATH_MAX];
} hg_law;

typedef struct hg_latency {
    hg_law leg[HG_LEGS];
} hg_latency;

/* The same constant for submit, cancel, amend and ack; market data at once. */
hg_latency hg_latency_constant(int64_t ns);

/* "5ms" (the four legs of orders), "submit=2ms,cancel=3ms,data=1ms", "lognormal:5ms:0.5",
 * "uniform:1ms:9ms", "exponential:2ms", "exponential:2ms:1ms", "file:PATH"; the legs are submit,
 * cancel, amend, ack, data, orders (the first four) and all; later parts win. "0" is no latency.
 * HG_EUSAGE names the part that is wrong. */
HG_MUST_CHECK int hg_latency_parse(const char *text, hg_latency *out);

/* True when the law can only give 0. */
bool hg_law_is_zero(const hg_law *law);

/* One leg, ready to draw. */
typedef struct hg_delay {
    hg_law law;
    hg_rng rng;
    int64_t *row_ns;  /* recorded: latencies */
    int64_t *time_ns; /* and their times, NULL when they are drawn in order */
    size_t rows, next;
    int64_t last_ns; /* due time of the one before */
} hg_delay;

/* Reads the file of a recorded law. HG_EDATA names file and line. */
HG_MUST_CHECK int hg_delay_open(hg_delay *source, const hg_law *law, uint64_t seed,
                                hg_latency_leg leg);
void hg_delay_close(hg_delay *source);

/* A latency for something sent now, 0 .. HG_LATENCY_MAX_NS. */
int64_t hg_delay_draw(hg_delay *source, int64_t now_ns);

/* When something sent now arrives: what leaves later on a leg never arrives earlier. */
int64_t hg_delay_arrival(hg_delay *source, int64_t now_ns);

#endif
