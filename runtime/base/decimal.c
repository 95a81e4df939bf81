/* Exact decimal arithmetic: text to scaled integers and back, and 128-bit multiply-divide. */
#include "base/decimal.h"

#include <math.h>
#include <stdio.h>

hg_wide hg_wide_divide(hg_wide num, hg_wide den) {
    if (den < 0) {
        num = -num;
        den = -den;
    }
    hg_wide q = num / den;
    hg_wide r = num % den;
    if (r < 0) {
        r += den;
        q -= 1;
    }
    hg_wide twice = 2 * r;
    if (twice > den || (twice == den && (q & 1) != 0)) {
        q += 1;
    }
    return q;
}

bool hg_wide_narrow(hg_wide value, int64_t *out) {
    if (value > INT64_MAX || value < INT64_MIN) {
        return false;
    }
    *out = (int64_t)value;
    return true;
}

bool hg_muldiv(int64_t a, int64_t b, int64_t c, int64_t *out) {
    return c != 0 && hg_wide_narrow(hg_wide_divide((hg_wide)a * b, c), out);
}

bool hg_add(int64_t a, int64_t b, int64_t *out) {
    return !__builtin_add_overflow(a, b, out);
}

/* Digits are gathered into a 128-bit mantissa; what lies beyond 30 digits only decides rounding. */
typedef struct {
    hg_wide mantissa;
    int scale; /* value = mantissa * 10^scale */
    bool sticky;
    int digits;
} digits;

static void digit_push(digits *d, int digit, bool fraction) {
    if (d->digits < 30) {
        d->mantissa = d->mantissa * 10 + digit;
        d->digits += d->mantissa != 0;
        d->scale -= fraction;
    } else {
        d->sticky = d->sticky || digit != 0;
        d->scale += !fraction;
    }
}

static bool exponent_parse(const char *p, const char *end, int *exponent) {
    bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    if (p == end) {
        return false;
    }
    int value = 0;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9' || value > 1000) {
            return false;
        }
        value = value * 10 + (*p - '0');
    }
    *exponent = negative ? -value : value;
    return true;
}

static bool scale_to_nano(digits d, int64_t *nano) {
    int shift = d.scale + 9;
    while (shift > 0 && d.mantissa != 0) {
        if (d.mantissa > (hg_wide)INT64_MAX) {
            return false;
        }
        d.mantissa *= 10;
        shift--;
    }
    if (d.mantissa == 0) {
        *nano = 0;
        return true;
    }
    if (shift < -32) { /* below a hundredth of the last place, and 10^-shift must fit twice */
        *nano = 0;
        return true;
    }
    hg_wide den = 1;
    for (; shift < 0; shift++) {
        den *= 10;
    }
    /* A sticky tail turns an exact half into more than half. */
    hg_wide num = d.sticky && den > 1 ? d.mantissa * 2 + 1 : d.mantissa * 2;
    return hg_wide_narrow(hg_wide_divide(num, den * 2), nano);
}

bool hg_nano_parse(const char *text, size_t len, int64_t *nano) {
    const char *p = text;
    const char *end = text + len;
    bool negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    digits d = {0};
    bool any = false;
    bool fraction = false;
    for (; p < end; p++) {
        if (*p >= '0' && *p <= '9') {
            digit_push(&d, *p - '0', fraction);
            any = true;
        } else if (*p == '.' && !fraction) {
            fraction = true;
        } else {
            break;
        }
    }
    if (!any) {
        return false;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        int exponent = 0;
        if (!exponent_parse(p + 1, end, &exponent)) {
            return false;
        }
        d.scale += exponent;
        p = end;
    }
    int64_t value = 0;
    if (p != end || !scale_to_nano(d, &value)) {
        return false;
    }
    *nano = negative ? -value : value;
    return true;
}

bool hg_nano_from_double(double value, int64_t *nano) {
    double scaled = value * 1e9;
    if (!(fabs(scaled) < 9.2e18)) {
        return false;
    }
    *nano = (int64_t)llrint(scaled);
    return true;
}

char *hg_nano_format(int64_t nano, char *buf, size_t size) {
    uint64_t magnitude = nano < 0 ? 0 - (uint64_t)nano : (uint64_t)nano;
    unsigned long long whole = magnitude / (uint64_t)HG_NANO;
    unsigned long long part = magnitude % (uint64_t)HG_NANO;
    const char *sign = nano < 0 ? "-" : "";
    if (part == 0) {
        snprintf(buf, size, "%s%llu", sign, whole);
        return buf;
    }
    int width = 9;
    while (part % 10 == 0) {
        part /= 10;
        width--;
    }
    snprintf(buf, size, "%s%llu.%0*llu", sign, whole, width, part);
    return buf;
}
