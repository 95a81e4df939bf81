/* The arithmetic of American options in plain C. */
#define HG_AMERICAN(name) name##_portable
#include "greeks/american_kernel_int.h"
