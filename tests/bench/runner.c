/* Runs the registered benches one after another on one core and prints a JSON line for each. There
 * is no pass or fail: shared machines differ, lines are for comparison.
 *
 *     cbench [--list] [--seconds S] [NAME...]     a name is a part of group/name */
#include "bench.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES_MAX = 1 << 20, FIELDS_MAX = 24, FIELD_SIZE = 128, SAMPLES_MIN = 5 };

typedef struct bench_state {
    double *samples; /* ns per operation */
    long samples_count;
    double ops;
    long allocs;
    long allocs_begin;
    int64_t begin_ns;
    int64_t started_ns;
    bool running;
    bool calibrated;
    const char *skipped;
    int fields_count;
    char fields[FIELDS_MAX][FIELD_SIZE];
} bench_state;

static bench *benches;
static int benches_count;
static double seconds_per_case = 1.0;
static int64_t timer_cost_ns;

void bench_register(bench *b) {
    b->next = benches;
    benches = b;
    benches_count++;
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

// --- what a bench calls -------------------------------------------------------------------------

void bench_begin(bench *b) {
    bench_state *s = b->state;
    if (!s->started_ns) s->started_ns = now_ns();
    s->running = true;
    s->allocs_begin = hg_test_alloc_count();
    s->begin_ns = now_ns();
}

static double sample_end(bench_state *s) {
    int64_t ns = now_ns() - s->begin_ns - timer_cost_ns;
    s->running = false;
    return ns > 0 ? (double)ns : 0.0;
}

static void sample_keep(bench_state *s, double ns, double ops) {
    s->allocs += hg_test_alloc_count() - s->allocs_begin;
    s->ops += ops;
    if (s->samples_count < SAMPLES_MAX) s->samples[s->samples_count++] = ns / ops;
}

void bench_end(bench *b, double ops) {
    double ns = sample_end(b->state);
    sample_keep(b->state, ns, ops);
}

static bool time_is_over(const bench_state *s) {
    return (double)(now_ns() - s->started_ns) >= seconds_per_case * 1e9;
}

/* Doubles the iterations until one sample takes a millisecond; only then samples count. */
bool bench_next_loop(bench *b) {
    bench_state *s = b->state;
    if (!s->running) {
        b->iterations = 1;
        bench_begin(b);
        return true;
    }
    double ns = sample_end(s);
    if (!s->calibrated && ns < 1e6 && b->iterations < LONG_MAX / 4) {
        b->iterations *= ns < 1e5 ? 4 : 2;
    } else {
        if (s->calibrated) sample_keep(s, ns, (double)b->iterations);
        s->calibrated = true;
        if (s->samples_count >= SAMPLES_MIN && time_is_over(s)) return false;
    }
    bench_begin(b);
    return true;
}

bool bench_next_each(bench *b, long count) {
    bench_state *s = b->state;
    if (s->running) sample_keep(s, sample_end(s), 1.0);
    if (s->samples_count >= count || s->samples_count >= SAMPLES_MAX) return false;
    bench_begin(b);
    return true;
}

/* At least three samples, so that the median is not the cold one. */
bool bench_next_batch(bench *b, double ops) {
    bench_state *s = b->state;
    if (s->running) sample_keep(s, sample_end(s), ops);
    if (s->samples_count >= 3 && time_is_over(s)) return false;
    bench_begin(b);
    return true;
}

static char *field_new(bench *b) {
    bench_state *s = b->state;
    if (s->fields_count == FIELDS_MAX) {
        fprintf(stderr, "%s: more than %d fields\n", b->name, FIELDS_MAX);
        exit(1);
    }
    return s->fields[s->fields_count++];
}

void bench_field(bench *b, const char *name, double value) {
    snprintf(field_new(b), FIELD_SIZE, ",\"%s\":%.10g", name, isfinite(value) ? value : 0.0);
}

void bench_field_str(bench *b, const char *name, const char *value) {
    snprintf(field_new(b), FIELD_SIZE, ",\"%s\":\"%s\"", name, value);
}

void bench_skip(bench *b, const char *why) {
    b->state->skipped = why;
}

const char *bench_data(const char *path) {
    static char full[PATH_MAX];
    const char *dir = getenv("HEDGED_DATA");
    snprintf(full, sizeof full, "%s/%s", dir && *dir ? dir : "../shared", path);
    return access(full, R_OK) == 0 ? full : NULL;
}

// --- the runner ---------------------------------------------------------------------------------

static void core_pin(void) {
    /* The last core this process may use: the first ones serve most interrupts. */
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    for (size_t cpu = CPU_SETSIZE; cpu-- > 0;) {
        if (!CPU_ISSET(cpu, &allowed)) continue;
        CPU_ZERO(&allowed);
        CPU_SET(cpu, &allowed);
        (void)sched_setaffinity(0, sizeof allowed, &allowed);
        return;
    }
}

static void timer_calibrate(void) {
    timer_cost_ns = INT64_MAX;
    for (int i = 0; i < 10000; i++) {
        int64_t start = now_ns();
        int64_t cost = now_ns() - start;
        if (cost < timer_cost_ns) timer_cost_ns = cost;
    }
}

/* "tests/bench/bench_greeks.c" and price: "greeks/price". */
static void bench_label(const bench *b, char *out, size_t size) {
    const char *base = strrchr(b->file, '/');
    base = base ? base + 1 : b->file;
    if (strncmp(base, "bench_", 6) == 0) base += 6;
    snprintf(out, size, "%.*s/%s", (int)strcspn(base, "."), base, b->name);
}

static int double_order(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, long n, double q) {
    long i = (long)ceil(q * (double)n) - 1;
    return sorted[i < 0 ? 0 : i];
}

static void bench_print(const char *label, bench_state *s) {
    printf("{\"bench\":\"%s\"", label);
    if (s->skipped) {
        printf(",\"skipped\":\"%s\"}\n", s->skipped);
        return;
    }
    long n = s->samples_count;
    if (n > 0) {
        qsort(s->samples, (size_t)n, sizeof *s->samples, double_order);
        double ns = quantile(s->samples, n, 0.5);
        printf(",\"ns\":%.4g,\"p50_ns\":%.4g,\"p99_ns\":%.4g", ns, ns,
               quantile(s->samples, n, 0.99));
        printf(",\"allocs\":%.4g,\"per_second\":%.4g,\"samples\":%ld", (double)s->allocs / s->ops,
               ns > 0 ? 1e9 / ns : 0.0, n);
    }
    for (int i = 0; i < s->fields_count; i++) fputs(s->fields[i], stdout);
    printf("}\n");
    fflush(stdout);
}

static int bench_order(const void *a, const void *b) {
    char x[256];
    char y[256];
    bench_label(*(bench *const *)a, x, sizeof x);
    bench_label(*(bench *const *)b, y, sizeof y);
    return strcmp(x, y);
}

static bool bench_wanted(const char *label, int count, char **names) {
    for (int i = 0; i < count; i++)
        if (strstr(label, names[i])) return true;
    return count == 0;
}

int main(int argc, char **argv) {
    bool list = false;
    int first = 1;
    for (; first < argc && argv[first][0] == '-'; first++) {
        if (strcmp(argv[first], "--list") == 0) {
            list = true;
        } else if (strcmp(argv[first], "--seconds") == 0 && first + 1 < argc) {
            seconds_per_case = strtod(argv[++first], NULL);
        } else {
            fprintf(stderr, "usage: cbench [--list] [--seconds S] [NAME...]\n");
            return 2;
        }
    }
    bench **all = calloc((size_t)benches_count + 1, sizeof *all);
    double *samples = calloc(SAMPLES_MAX, sizeof *samples);
    if (!all || !samples) abort();
    int n = 0;
    for (bench *b = benches; b; b = b->next) all[n++] = b;
    qsort(all, (size_t)n, sizeof *all, bench_order);
    core_pin();
    timer_calibrate();
    for (int i = 0; i < n; i++) {
        char label[256];
        bench_label(all[i], label, sizeof label);
        if (!bench_wanted(label, argc - first, argv + first)) continue;
        if (list) {
            printf("%s\n", label);
            continue;
        }
        static bench_state state;
        memset(&state, 0, sizeof state);
        state.samples = samples;
        all[i]->state = &state;
        all[i]->run(all[i]);
        bench_print(label, &state);
    }
    free(samples);
    free(all);
    return 0;
}
