/* The kernels behind hg_greeks_batch and what they share. */
#ifndef HG_GREEKS_BATCH_INT_H
#define HG_GREEKS_BATCH_INT_H

#include <stdbool.h>

#include "greeks/batch.h"
#include "greeks/batch_moved.h"

typedef size_t hg_batch_kernel(const hg_batch_in *in, const hg_batch_out *out, size_t n);

/* Each is compiled for its own instruction set: call only what the CPU has. */
hg_batch_kernel hg_batch_run_portable;
hg_batch_kernel hg_batch_run_avx2;
hg_batch_kernel hg_batch_run_avx512;

typedef void hg_moved_kernel(const hg_moved_in *in, const hg_move *move, double *worth, size_t n);

hg_moved_kernel hg_moved_run_portable;
hg_moved_kernel hg_moved_run_avx2;
hg_moved_kernel hg_moved_run_avx512;

/* One option of batch_moved.h the slow way. */
double hg_moved_one(const hg_moved_in *in, const hg_move *move, size_t i);

/* One option the slow way, over the full range of inputs; `i` indexes the outputs. Returns 1 if the
 * option is bad, else 0. */
size_t hg_batch_fill_one(const double v[5], const hg_batch_out *out, size_t i);

/* Whether this CPU and this build have the kernel of that name. */
bool hg_batch_runs_here(const char *kernel);

/* For tests: a kernel by name; false where this CPU or this build lacks it. */
bool hg_batch_run_named(const char *kernel, const hg_batch_in *in, const hg_batch_out *out,
                        size_t n, size_t *bad);
bool hg_moved_run_named(const char *kernel, const hg_moved_in *in, const hg_move *move,
                        double *worth, size_t n);

#endif
