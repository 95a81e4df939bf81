/* Reading tests/vectors/greeks_*.tsv and judging errors in units of the condition number. */
#ifndef HG_TEST_GREEKS_KIT_H
#define HG_TEST_GREEKS_KIT_H

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "test.h"

/* Calls row(values, ctx) for each line after the source line and the column names. */
static inline int kit_each_row(const char *path, int columns,
                               void (*row)(const double *values, void *ctx), void *ctx) {
    FILE *in = fopen(path, "r");
    CHECK(in != NULL);
    char line[4096];
    double values[64];
    int rows = 0;
    for (int number = 1; fgets(line, sizeof line, in) != NULL; number++) {
        if (number <= 2) {
            CHECK(number != 1 || line[0] == '#');
            continue;
        }
        char *at = line;
        for (int i = 0; i < columns; i++) {
            char *end;
            values[i] = strtod(at, &end);
            CHECK(end != at);
            at = end;
        }
        row(values, ctx);
        rows++;
    }
    fclose(in);
    return rows;
}

/*
 * The error of `got` in units of eps (1 + cond). Results under 1e-290 count as exact when both are
 * that small: there doubles thin out.
 */
static inline double kit_error(double got, double exact, double cond) {
    if (!isfinite(got)) return INFINITY;
    if (fabs(exact) < 1e-290) return fabs(got) < 1e-289 ? 0.0 : INFINITY;
    return fabs(got / exact - 1.0) / (DBL_EPSILON * (1.0 + cond));
}

/* A small generator of test inputs (splitmix64): the same on every machine. */
static inline double kit_uniform(unsigned long long *state, double lo, double hi) {
    *state += 0x9e3779b97f4a7c15ull;
    unsigned long long z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    z ^= z >> 31;
    return lo + (hi - lo) * (double)(z >> 11) * 0x1p-53;
}

static inline double kit_log_uniform(unsigned long long *state, double lo, double hi) {
    return exp(kit_uniform(state, log(lo), log(hi)));
}

#endif
