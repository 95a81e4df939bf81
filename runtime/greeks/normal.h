/*
 * The normal distribution, without loss of relative accuracy in either tail.
 */
#ifndef HG_GREEKS_NORMAL_H
#define HG_GREEKS_NORMAL_H

/* n(z) and N(z). NaN in, NaN out. */
double hg_normal_pdf(double z);
double hg_normal_cdf(double z);

/* Mills' ratio N(-z)/n(z) for z >= 0. */
double hg_normal_mills(double z);

/* z with N(z) = p for 0 < p < 1, to about 1e-9 of z (and of p): a start for iterations. */
double hg_normal_quantile(double p);

#endif
