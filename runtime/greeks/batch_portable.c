/* The batch loop in plain C. */
#define HG_VEC_WIDTH 1
#define HG_BATCH_KERNEL hg_batch_run_portable
#include "greeks/batch_kernel_int.h"
#define HG_MOVED_KERNEL hg_moved_run_portable
#include "greeks/batch_moved_kernel_int.h"
