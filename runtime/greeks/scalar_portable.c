/* The one-option arithmetic in plain C. */
#define HG_SCALAR_PREPARE hg_b76_prepare_portable
#define HG_SCALAR_SOLVE hg_vol_solve_portable
#include "greeks/scalar_kernel_int.h"
