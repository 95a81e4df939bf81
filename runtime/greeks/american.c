/*
 * The early exercise boundary B(tau) of a put by fixed-point iteration on Chebyshev nodes, and the
 * early exercise premium as one integral over it. Calls by symmetry: C(S, K, r, q) = P(K, S, q, r).
 *
 * Symbols   tau time to expiry, B(tau) boundary, X = B(0+) = K min(1, r/q), n and N the normal
 *           density and distribution, d+-(t, z) = (ln z + (r - q) t)/(sigma sqrt t)
 *           +- sigma sqrt(t)/2.
 * Boundary  H(sqrt tau) = ln^2(B/X) is smooth where B is not (ALO section 5.3), and interpolated.
 *           Fixed point (FP-B, ALO formula 30): B = K e^-(r-q)tau Nu/De with
 *               Nu = N(d-(tau, B/K)) + r int_0^tau e^ru N(d-(tau-u, B/B(u))) du
 *               De = N(d+(tau, B/K)) + q int_0^tau e^qu N(d+(tau-u, B/B(u))) du
 *           ALO iterate it node by node; here Newton's method solves all nodes together, which
 *           needs two or three rounds where they need eight for the same error.
 * Price     P = p + int_0^T r K e^-r(T-u) N(-d-(T-u, S/B(u))) - q S e^-q(T-u) N(-d+(...)) du.
 * Integrals u = tau cos^2 a, tau - u = tau sin^2 a, Gauss-Legendre in a: B is a function of sqrt(u)
 *           and d+- are of sqrt(tau - u), so no root is left at either end.
 */
#include "greeks/american.h"

#include <float.h>
#include <stdbool.h>

#include "greeks/american_int.h"
#include "greeks/black76.h"
#include "greeks/scalar_int.h"

const double hg_american_cos[NODES] = {
    1,
    0.96592582628906831,
    0.86602540378443871,
    0.70710678118654757,
    0.50000000000000011,
    0.25881904510252074,
    0.0,
    -0.25881904510252063,
    -0.49999999999999978,
    -0.70710678118654746,
    -0.86602540378443871,
    -0.9659258262890682,
};

/* N and n at d+ (first) and d- (second). */
typedef struct normal_pair {
    double cdf1, pdf1;
    double cdf2;
} normal_pair;

static normal_pair at_distance(const hg_american_put *p, double ln_z, double root_t) {
    double s = p->sigma * root_t;
    double middle = (ln_z + (p->r - p->q) * root_t * root_t) / s;
    double d1 = middle + 0.5 * s;
    double d2 = middle - 0.5 * s;
    double pdf1 = v_exp_neg(v_min(0.5 * d1 * d1, EXP_NEG_MAX)) * INV_SQRT_2PI;
    double pdf2 = v_exp_neg(v_min(0.5 * d2 * d2, EXP_NEG_MAX)) * INV_SQRT_2PI;
    double mills1;
    double mills2;
    v_mills_pair(fabs(d1), fabs(d2), &mills1, &mills2);
    double tail1 = pdf1 * mills1;
    double tail2 = pdf2 * mills2;
    return (normal_pair){d1 < 0.0 ? tail1 : 1.0 - tail1, pdf1, d2 < 0.0 ? tail2 : 1.0 - tail2};
}

/*
 * The start: quadratic approximation of Barone-Adesi and Whaley (1987), one node:
 * K - B = p(B) - (1 - e^-q tau N(-d+)) B/g, by Newton's method from `ln_b`.
 */
static double node_start(const hg_american_put *p, double root_tau, double ln_b) {
    double tau = root_tau * root_tau;
    double s2 = p->sigma * p->sigma;
    double h = p->r == 0.0 ? tau : -expm1(-p->r * tau) / p->r;
    double n1 = 2.0 * (p->r - p->q) / s2 - 1.0;
    double g = 0.5 * (-n1 - sqrt(n1 * n1 + 8.0 / (s2 * h)));
    double disc_r = exp(-p->r * tau);
    double disc_q = exp(-p->q * tau);
    double s = p->sigma * root_tau;
    for (int i = 0; i < 4; i++) {
        double b = exp(ln_b) * p->x;
        normal_pair at = at_distance(p, ln_b + p->ln_xk, root_tau);
        double put_value = p->k * disc_r * (1.0 - at.cdf2) - b * disc_q * (1.0 - at.cdf1);
        double share = 1.0 - disc_q * (1.0 - at.cdf1);
        double f = p->k - b - put_value + share * b / g;
        double slope = b *
                       (-1.0 + disc_q * (1.0 - at.cdf1) + share / g + disc_q * at.pdf1 / (s * g));
        double step = slope < 0.0 ? -f / slope : 0.0;
        ln_b = v_min(v_max(ln_b + v_min(v_max(step, -1.0), 1.0), -700.0), 0.0);
    }
    return ln_b;
}

/* From the shortest time on, each beginning where the one before ended. */
static void boundary_start(hg_american_put *p) {
    double ln_b = -1e-3;
    for (int i = NODES - 1; i >= 0; i--) {
        double root_tau = p->root_max * 0.5 * (1.0 + hg_american_cos[i]);
        ln_b = node_start(p, root_tau, ln_b);
        p->ln_b[i] = v_min(ln_b, -1e-9);
    }
}

static double premium_get(hg_american_put *p, double s) {
    const bool avx2 = hg_has_fma();
    const double ln_sx = log(s / p->x);
    boundary_start(p);
    if (avx2) {
        hg_american_boundary_avx2(p);
    } else {
        hg_american_boundary_portable(p);
    }
    if (!(ln_sx > p->ln_b[0])) return 0.0; /* exercised now */
    return avx2 ? hg_american_premium_avx2(p, s, ln_sx) : hg_american_premium_portable(p, s, ln_sx);
}

static int put_price(double s, double k, double t, double sigma, double r, double q,
                     double *price) {
    if (r < 0.0 && q < r) return HG_GREEKS_BAD_INPUT;
    double european;
    int rc = hg_black76_price(s * exp((r - q) * t), k, t, sigma, -1, r, &european);
    if (rc != HG_OK) return rc;
    if (r <= 0.0 && q >= r) { /* the strike earns nothing: never exercised early */
        *price = european;
        return HG_OK;
    }
    double value = v_max(v_max(k - s, 0.0), european);
    if (sigma * sqrt(t) > 1e-6) {
        hg_american_put p = {.k = k, .r = r, .q = q, .sigma = sigma, .t_max = t};
        p.root_max = sqrt(t);
        p.x = q > r ? k * (r / q) : k;
        p.ln_xk = log(p.x / k);
        value = v_max(value, european + premium_get(&p, s));
    }
    *price = hg_b76_saturate(value);
    return HG_OK;
}

int hg_american_price(double s, double k, double t, double sigma, int cp, double r, double q,
                      double *price) {
    if (hg_b76_check(s, k, t, sigma, cp) != HG_OK || !(fabs(r) <= 100.0 && fabs(q) <= 100.0)) {
        return HG_GREEKS_BAD_INPUT;
    }
    if (cp > 0) return put_price(k, s, t, sigma, q, r, price);
    return put_price(s, k, t, sigma, r, q, price);
}
