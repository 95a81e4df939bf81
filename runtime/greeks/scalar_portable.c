/* The one-option arithmetic in plain C. */
#define HG_SCALAR(name) name##_portable
#include "greeks/scalar_kernel_int.h"
