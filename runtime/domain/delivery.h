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
 * Variance of that mean, for a spot of vol s and t left to expiry: a move at u before expiry
 * reaches the mean by the share min(u, w) / w, so
 *
 *   var = s^2 integral_0^t (min(u, w) / w)^2 du  =  s^2 t^3 / (3 w^2)       t <= w
 *                                                   s^2 (t - 2 w / 3)       t >= w
 *
 * the variance of a Brownian motion's mean; the lognormal with mean E and this variance is Levy's
 * (1992, "Pricing European average rate currency options", J. Int. Money and Finance 11): its error
 * is of the order of s^2 w, 2e-5 at a vol of 60 %. Both are w / 3 at t = w, with the same slope.
 *
 * Far from expiry vols are the market's numbers for the whole time, averaging included: from
 * HG_DELIVERY_FAR_NS on the variance is s^2 t as everybody quotes it. The 2 w / 3 come in linearly
 * from there to HG_DELIVERY_EXACT_NS, from where the formula above holds. */
#define HG_DELIVERY_WINDOW_NS (30 * 60 * HG_NS_PER_S)
#define HG_DELIVERY_EXACT_NS (2 * HG_DELIVERY_WINDOW_NS)
#define HG_DELIVERY_FAR_NS (12 * HG_DELIVERY_WINDOW_NS)

/* The open share of the delivery price when so many windows are left. */
static inline double hg_delivery_share(double windows) {
    return windows < 1 ? (windows > 0 ? windows : 0) : 1;
}

/* Windows of variance when so many windows of time are left: 0 at expiry, never negative. */
static inline double hg_delivery_variance(double windows) {
    const double far = (double)(HG_DELIVERY_FAR_NS / HG_DELIVERY_WINDOW_NS);
    const double exact = (double)(HG_DELIVERY_EXACT_NS / HG_DELIVERY_WINDOW_NS);
    if (windows < 1) {
        return windows > 0 ? windows * windows * windows / 3 : 0;
    }
    double joined = windows > exact ? (far - windows) / (far - exact) : 1;
    return windows < far ? windows - joined * (2.0 / 3) : windows;
}

/* d hg_delivery_variance / d windows: how fast variance passes, against the clock. */
static inline double hg_delivery_pace(double windows) {
    const double far = (double)(HG_DELIVERY_FAR_NS / HG_DELIVERY_WINDOW_NS);
    const double exact = (double)(HG_DELIVERY_EXACT_NS / HG_DELIVERY_WINDOW_NS);
    if (windows < 1) {
        return windows > 0 ? windows * windows : 0;
    }
    return windows > exact && windows < far ? 1 + (2.0 / 3) / (far - exact) : 1;
}

/* Windows left to an expiry; past it, and without one (expiry 0): none. */
static inline double hg_delivery_windows(int64_t expiry_ns, int64_t now_ns) {
    return expiry_ns > now_ns ? (double)(expiry_ns - now_ns) / (double)HG_DELIVERY_WINDOW_NS : 0;
}

/* The open share of the delivery price: 1 before the window and for what never expires. */
static inline double hg_delivery_open(int64_t expiry_ns, int64_t now_ns) {
    return expiry_ns <= 0 ? 1 : hg_delivery_share(hg_delivery_windows(expiry_ns, now_ns));
}

/* Years to expiry by the clock, ACT/365, never negative. */
static inline double hg_delivery_clock(int64_t expiry_ns, int64_t now_ns) {
    return expiry_ns > now_ns ? (double)(expiry_ns - now_ns) / (double)HG_NS_PER_YEAR : 0;
}

/* Years of variance for years by the clock; from FAR on the same number, to the bit. */
static inline double hg_delivery_years_of(double clock_years) {
    const double window = (double)HG_DELIVERY_WINDOW_NS / (double)HG_NS_PER_YEAR;
    const double far = (double)HG_DELIVERY_FAR_NS / (double)HG_NS_PER_YEAR;
    return clock_years < far ? hg_delivery_variance(clock_years / window) * window : clock_years;
}

/* Years of variance left, ACT/365, never negative. */
static inline double hg_delivery_years(int64_t expiry_ns, int64_t now_ns) {
    return hg_delivery_years_of(hg_delivery_clock(expiry_ns, now_ns));
}

#endif
