/*
 * The time value of an option in units of min(F,K), as a function of |ln(F/K)| and s = sigma
 * sqrt(T) alone: the function that implied vol inverts, to full precision everywhere.
 */
#ifndef HG_GREEKS_TIMEVALUE_INT_H
#define HG_GREEKS_TIMEVALUE_INT_H

/*
 * time value / min(F,K) = scale * e^-exponent. Kept apart so that prices far below the range of
 * double still have a logarithm. `exponent` is u^2/2 with u = |x|/s - s/2, or 0 inside (u < 0).
 */
typedef struct hg_time_value {
    double scale;
    double exponent;
    double density; /* n(u) e^exponent: d(value)/ds = density * e^-exponent */
} hg_time_value;

/* dist = |ln(F/K)| >= 0, s > 0, both finite. */
hg_time_value hg_time_value_get(double dist, double s);

#endif
