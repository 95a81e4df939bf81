/* The batch loop in plain C. */
#define HG_VEC_WIDTH 1
#define HG_BATCH_KERNEL hg_batch_run_portable
#include "greeks/batch_kernel_int.h"
