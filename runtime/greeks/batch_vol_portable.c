/* The implied vol loop in plain C. */
#define HG_VEC_WIDTH 1
#define HG_VOL_KERNEL hg_vol_run_portable
#include "greeks/batch_vol_kernel_int.h"
