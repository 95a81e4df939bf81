#ifndef HG_DOMAIN_DELIVERY_H
#define HG_DOMAIN_DELIVERY_H

#include "base/clock.h"

/* How a contract nears its delivery. The delivery price is the mean of the index over the last half
 * hour, w (Deribit: 07:30 to 08:00 UTC). When t of w is left, the share a = t / w of it is open:
 *
 *   expected delivery price   E = (1 - a) A + a S      A mean of the index so far, S spot
 *   delta of a future         a                        (per coin of size)
 *   delta of an option        a N(d1(E))               Deribit's "linear decay of delta"
 *
 * What is left of the mean moves less the less of it is left: its variance is s^2 t^3 / (3 w^2)
 * (mean of a Brownian motion over the rest of the window, times a^2). The venue quotes its vol on
 * the whole time to expiry, so the time used is t^3 / w^2: the same shape, joined to t at the start
 * of the window, where nothing may jump. */
#define HG_DELIVERY_WINDOW_NS (30 * 60 * HG_NS_PER_S)

/* The open share of the delivery price: 1 before the window and for what never expires. */
static inline double hg_delivery_open(int64_t expiry_ns, int64_t now_ns) {
    if (expiry_ns <= 0 || now_ns <= expiry_ns - HG_DELIVERY_WINDOW_NS) {
        return 1;
    }
    return now_ns >= expiry_ns ? 0 : (double)(expiry_ns - now_ns) / (double)HG_DELIVERY_WINDOW_NS;
}

/* Years of variance left, ACT/365: the time to expiry, less inside the window; never negative. */
static inline double hg_delivery_years(int64_t expiry_ns, int64_t now_ns) {
    double open = hg_delivery_open(expiry_ns, now_ns);
    double left = expiry_ns > now_ns ? (double)(expiry_ns - now_ns) : 0;
    return left * open * open / (double)HG_NS_PER_YEAR;
}

/* d hg_delivery_years / d time to expiry: how much faster time passes. */
static inline double hg_delivery_pace(double open) {
    return open < 1 ? 3 * open * open : 1;
}

#endif
