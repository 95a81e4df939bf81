/* Latency laws: text, draws, recorded files. */
#include "base/clock.h"
#include "exec/latency.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS HG_NS_PER_MS

static hg_latency parsed(const char *text) {
    hg_latency latency;
    CHECK_EQ(hg_latency_parse(text, &latency), HG_OK);
    return latency;
}

TEST(one_duration_is_all_four_legs_of_orders) {
    hg_latency l = parsed("5ms");
    CHECK(l.leg[HG_LEG_SUBMIT].first_ns == 5 * MS && l.leg[HG_LEG_ACK].first_ns == 5 * MS);
    CHECK(hg_law_is_zero(&l.leg[HG_LEG_DATA]));
    l = parsed("5ms,submit=2ms,data=exponential:1ms:200us");
    CHECK_EQ(l.leg[HG_LEG_SUBMIT].first_ns, 2 * MS);
    CHECK_EQ(l.leg[HG_LEG_CANCEL].first_ns, 5 * MS);
    CHECK_EQ(l.leg[HG_LEG_DATA].kind, HG_LAW_EXPONENTIAL);
    CHECK_EQ(l.leg[HG_LEG_DATA].second_ns, 200 * HG_NS_PER_US);
    l = parsed("all=uniform:1ms:3ms,orders=0");
    CHECK(hg_law_is_zero(&l.leg[HG_LEG_AMEND]) && l.leg[HG_LEG_DATA].kind == HG_LAW_UNIFORM);
    l = parsed("all=5ms,ack=none");
    CHECK(hg_law_is_zero(&l.leg[HG_LEG_ACK]) && l.leg[HG_LEG_DATA].first_ns == 5 * MS);
    l = parsed("file:a=b.tsv");
    CHECK_STR(l.leg[HG_LEG_ACK].path, "a=b.tsv");
}

TEST(mistakes_are_named) {
    static const char *const bad[][2] = {
        {"5 ms",            "5 ms"                  },
        {"submt=5ms",       "submt"                 },
        {"submit=",         "''"                    },
        {"5",               "'5'"                   },
        {"uniform:1:5ms",   "'1'"                   },
        {"lognormal:5ms",   "lognormal:MEDIAN:SIGMA"},
        {"lognormal:5ms:0", "sigma"                 },
        {"lognormal:5ms:x", "sigma"                 },
        {"uniform:5ms:1ms", "uniform:LOWEST:HIGHEST"},
        {"uniform:5ms",     "uniform:LOWEST:HIGHEST"},
        {"gamma:1ms:2",     "gamma"                 },
        {"-1ms",            "-1ms"                  },
        {"61s",             "61s"                   },
        {"file:",           "file"                  },
        {"1ms,,2ms",        "''"                    }
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hg_latency latency;
        CHECK_EQ(hg_latency_parse(bad[i][0], &latency), HG_EUSAGE);
        if (!strstr(hg_error_text(), bad[i][1])) {
            hg_test_fail(__FILE__, __LINE__, "%s: '%s' does not name %s", bad[i][0],
                         hg_error_text(), bad[i][1]);
        }
    }
}

static double draws_of(const char *text, int64_t *sorted, size_t count) {
    hg_latency l = parsed(text);
    hg_delay d;
    double sum = 0;
    CHECK_EQ(hg_delay_open(&d, &l.leg[HG_LEG_ACK], 7, HG_LEG_ACK), HG_OK);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = hg_delay_draw(&d, 0);
        CHECK(sorted[i] >= 0 && sorted[i] <= HG_LATENCY_MAX_NS);
        sum += (double)sorted[i];
    }
    hg_delay_close(&d);
    return sum / (double)count;
}

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

TEST(draws_have_the_moments_of_their_law) {
    enum { N = 200000 };
    static int64_t x[N], again[N];
    CHECK_NEAR(draws_of("uniform:2ms:4ms", x, N) / MS, 3, 0.01);
    CHECK_NEAR(draws_of("exponential:3ms", x, N) / MS, 3, 0.03);
    /* mean of a lognormal: median * exp(sigma^2 / 2) */
    double mean = draws_of("lognormal:5ms:0.5", x, N) / MS;
    CHECK_NEAR(mean, 5 * exp(0.125), 0.03);
    CHECK_NEAR(draws_of("lognormal:5ms:0.5", again, N) / MS, mean, 0); /* the seed decides */
    CHECK_MEM(x, again, sizeof x);
    qsort(x, N, sizeof *x, by_value);
    CHECK_NEAR((double)x[N / 2] / MS, 5, 0.03);
    CHECK_NEAR((double)x[(size_t)(0.84134 * N)] / MS, 5 * exp(0.5), 0.1);
}

TEST(what_leaves_later_never_arrives_earlier) {
    hg_latency l = parsed("uniform:0:50ms");
    hg_delay d;
    CHECK_EQ(hg_delay_open(&d, &l.leg[HG_LEG_SUBMIT], 3, HG_LEG_SUBMIT), HG_OK);
    int64_t last = 0;
    for (int i = 0; i < 10000; i++) {
        int64_t now = i * MS;
        int64_t due = hg_delay_arrival(&d, now);
        CHECK(due >= last && due >= now && due <= now + 50 * MS);
        last = due;
    }
    hg_delay_close(&d);
}

static int open_file(hg_delay *d, const char *text) {
    char path[] = "/tmp/hedged_latency_XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    hg_law law = {.kind = HG_LAW_RECORDED};
    snprintf(law.path, sizeof law.path, "%s", path);
    int rc = hg_delay_open(d, &law, 1, HG_LEG_SUBMIT);
    unlink(path);
    return rc;
}

TEST(recorded_latencies_in_order_and_by_time) {
    hg_delay d;
    CHECK_EQ(open_file(&d, "latency_ms\n1\n# a remark\n2.5\n0\n"), HG_OK);
    CHECK_EQ(hg_delay_draw(&d, 0), MS);
    CHECK_EQ(hg_delay_draw(&d, 0), 5 * MS / 2);
    CHECK_EQ(hg_delay_draw(&d, 0), 0);
    CHECK_EQ(hg_delay_draw(&d, 0), MS); /* from the top again */
    hg_delay_close(&d);
    CHECK_EQ(open_file(&d, "time_s\tx\tlatency_us\r\n10\t-\t7\r\n20.5\t-\t9\r\n"), HG_OK);
    CHECK_EQ(hg_delay_draw(&d, 0), 7000);
    CHECK_EQ(hg_delay_draw(&d, 20 * HG_NS_PER_S), 7000);
    CHECK_EQ(hg_delay_draw(&d, 20 * HG_NS_PER_S + 500 * MS), 9000);
    CHECK_EQ(hg_delay_draw(&d, 99 * HG_NS_PER_S), 9000);
    hg_delay_close(&d);
    static const char *const bad[] = {"",
                                      "ms\n1\n",
                                      "latency_ms\n",
                                      "latency_ms\n-1\n",
                                      "latency_ms\nx\n",
                                      "latency_s\n61\n",
                                      "time_s\tlatency_ms\n2\t1\n1\t1\n",
                                      "time_s\tlatency_ms\n2\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_EQ(open_file(&d, bad[i]), HG_EDATA);
    }
    hg_law missing = {.kind = HG_LAW_RECORDED, .path = "/nowhere/at/all.tsv"};
    CHECK(hg_delay_open(&d, &missing, 1, HG_LEG_SUBMIT) < 0);
    CHECK(strstr(hg_error_text(), "/nowhere/at/all.tsv") != NULL);
}
