/* The bench kit. A file tests/bench/bench_<group>.c is found by itself; each BENCH(name) in it is
 * one case, printed as one JSON line named <group>/<name>:
 *
 *     BENCH(black76_price) {
 *         BENCH_LOOP(b) bench_keep(hg_black76_price(64000, 70000, 0.1, 0.6, 1));
 *     }
 *
 * Three ways to measure, all in ns per operation; set-up before them is not measured:
 *   BENCH_LOOP(b) op;            throughput: the kit chooses how often, p50/p99 over the samples
 *   BENCH_EACH(b, count) op;     latency: every operation is timed alone, p50/p99 over operations
 *   BENCH_BATCH(b, ops) block;   the block does `ops` operations, e.g. a replay of a million ticks
 * `ns` is the median of the samples, so one interruption does not show. The timer's own cost is
 * taken off. */
#ifndef HG_TEST_BENCH_H
#define HG_TEST_BENCH_H

#include "alloc.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct bench bench;
struct bench {
    const char *file;
    const char *name;
    void (*run)(bench *b);
    bench *next;
    long iterations; /* of the sample being taken */
    struct bench_state *state;
};

void bench_register(bench *b);

#define BENCH(name)                                                                                \
    static void bench_run_##name(bench *b);                                                        \
    __attribute__((constructor)) static void bench_register_##name(void) {                         \
        static bench self = {__FILE__, #name, bench_run_##name, 0, 0, 0};                          \
        bench_register(&self);                                                                     \
    }                                                                                              \
    static void bench_run_##name(bench *b)

#define BENCH_LOOP(b)                                                                              \
    while (bench_next_loop(b))                                                                     \
        for (long bench_i = 0; bench_i < (b)->iterations; bench_i++)
#define BENCH_EACH(b, count) while (bench_next_each((b), (count)))
#define BENCH_BATCH(b, ops) while (bench_next_batch((b), (ops)))

bool bench_next_loop(bench *b);
bool bench_next_each(bench *b, long count);
bool bench_next_batch(bench *b, double ops);

/* The same by hand, where each sample needs set-up of its own: one sample of `ops` operations. */
void bench_begin(bench *b);
void bench_end(bench *b, double ops);

/* Further fields of the line, e.g. the size of the book or a hash that must not change. */
void bench_field(bench *b, const char *name, double value);
void bench_field_str(bench *b, const char *name, const char *value);

/* Says why a case cannot run here (no data, no such CPU); printed as {"bench":..,"skipped":..}. */
void bench_skip(bench *b, const char *why);

/* The file in the data folder (HEDGED_DATA), or NULL when it is absent. */
const char *bench_data(const char *path);

/* Keeps the compiler from removing a result or assuming memory unchanged. */
#define bench_keep(value)                                                                          \
    do {                                                                                           \
        __typeof__(value) bench_kept = (value);                                                    \
        __asm__ volatile("" : : "g"(&bench_kept) : "memory");                                      \
    } while (0)

#endif
