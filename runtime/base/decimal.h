#ifndef HG_BASE_DECIMAL_H
#define HG_BASE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal numbers as scaled integers (1e-9), the only bridge between text and money. */
#define HG_NANO INT64_C(1000000000)

/* Parses "-12.34", "1e-5", "100": exact to 9 decimals, further digits round half to even.
 * False for anything else: empty, trailing bytes, nan, inf, overflow of int64. */
bool hg_nano_parse(const char *text, size_t len, int64_t *nano);

/* Nearest scaled integer of a double; false when it is not finite or does not fit. */
bool hg_nano_from_double(double value, int64_t *nano);

static inline double hg_nano_to_double(int64_t nano) {
    return (double)nano / 1e9;
}

/* Shortest text without exponent ("0.00170872", "-5"); returns buf. size >= 24. */
char *hg_nano_format(int64_t nano, char *buf, size_t size);

/* Intermediates of money. Division rounds half to even; den != 0. */
typedef __int128 hg_wide;
hg_wide hg_wide_divide(hg_wide num, hg_wide den);
bool hg_wide_narrow(hg_wide value, int64_t *out); /* false when it does not fit */

/* a*b/c with a 128-bit product, rounded half to even. False when c == 0 or it does not fit. */
bool hg_muldiv(int64_t a, int64_t b, int64_t c, int64_t *out);

/* Checked sum. */
bool hg_add(int64_t a, int64_t b, int64_t *out);

#endif
