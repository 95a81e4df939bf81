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

#include "greeks/black76.h"
#include "greeks/scalar_int.h"

/* Nodes but the one at tau = 0, points of the two kinds of integral, Newton rounds. */
enum { NODES = 8, FIT = 8, SUM = 20, ROUNDS_MAX = 4 };

/* cos(pi i/NODES). */
static const double node_cos[NODES + 1] = {
    1.0,
    0.923879532511286756,
    0.707106781186547524,
    0.382683432365089772,
    8.47842766036889964e-32,
    -0.382683432365089772,
    -0.707106781186547524,
    -0.923879532511286756,
    -1.0,
};

/* sqrt((tau - u)/tau), sqrt(u/tau) and weights for Gauss-Legendre in the angle between. */
static const double fit_rest[FIT] = {
    0.0311832178382314331, 0.159019834770982474, 0.364081076990117476, 0.598260844489287643,
    0.801301417664391998,  0.931367258055444072, 0.987275388201999814, 0.999513685211589989,
};

static const double fit_u[FIT] = {
    0.999513685211589989, 0.987275388201999814, 0.931367258055444072, 0.801301417664391998,
    0.598260844489287643, 0.364081076990117476, 0.159019834770982474, 0.0311832178382314331,
};

static const double fit_w[FIT] = {
    0.00495601380754328264, 0.0548412356676075774, 0.167094698072744441,  0.273108052452103539,
    0.273108052452103539,   0.167094698072744441,  0.0548412356676075774, 0.00495601380754328264,
};

static const double sum_rest[SUM] = {
    0.00539675938287067719, 0.0282926062152454213, 0.068876344611014517, 0.126021263395668583,
    0.197915066492026003,   0.281966126105873683,  0.374784348894585566, 0.47229273299592784,
    0.569991552681705781,   0.663355752882241849,  0.7483041795406692,   0.821650552164056069,
    0.881441758915038705,   0.927112016869408051,  0.959424360608404887, 0.980219172662653506,
    0.992027540531088039,   0.997625204750273324,  0.999599684090360773, 0.999985437388046865,
};

static const double sum_u[SUM] = {
    0.999985437388046865, 0.999599684090360773, 0.997625204750273324,  0.992027540531088039,
    0.980219172662653506, 0.959424360608404887, 0.927112016869408051,  0.881441758915038705,
    0.821650552164056069, 0.7483041795406692,   0.663355752882241849,  0.569991552681705781,
    0.47229273299592784,  0.374784348894585566, 0.281966126105873683,  0.197915066492026003,
    0.126021263395668583, 0.068876344611014517, 0.0282926062152454213, 0.00539675938287067719,
};

static const double sum_w[SUM] = {
    0.000149315459750419738, 0.00180368324070435264,  0.00676443097275448633,
    0.0163535167196223855,   0.0310616456663397803,   0.0502255777618628571,
    0.0718756592454560926,   0.0929195181050044332,   0.109740170949324221,
    0.119106481879180972,    0.119106481879180972,    0.109740170949324221,
    0.0929195181050044332,   0.0718756592454560926,   0.0502255777618628571,
    0.0310616456663397803,   0.0163535167196223855,   0.00676443097275448633,
    0.00180368324070435264,  0.000149315459750419738,
};

typedef struct put {
    double k, r, q, sigma;
    double t_max, root_max; /* T, sqrt T */
    double x;               /* X */
    double ln_b[NODES];     /* ln(B/X) at node_tau, longest time first; 0 at tau = 0 */
} put;

/* N and n at d+ (first) and d- (second). */
typedef struct normal_pair {
    double cdf1, pdf1;
    double cdf2, pdf2;
} normal_pair;

/* For two log-ratios and roots of time, in lockstep. */
static void at_distances(const put *p, const double ln_z[2], const double root_t[2],
                         normal_pair out[2]) {
    double d[4];
    double y[4];
    double z[4];
    double e[4];
    double mills[4];
    for (int i = 0; i < 2; i++) {
        double s = p->sigma * root_t[i];
        double middle = (ln_z[i] + (p->r - p->q) * root_t[i] * root_t[i]) / s;
        d[2 * i] = middle + 0.5 * s;
        d[2 * i + 1] = middle - 0.5 * s;
    }
    for (int i = 0; i < 4; i++) {
        y[i] = v_min(0.5 * d[i] * d[i], EXP_NEG_MAX);
        z[i] = fabs(d[i]);
    }
    v_exp_neg_each(y, e, 4);
    v_mills_each(z, mills, 4);
    double cdf[4];
    for (int i = 0; i < 4; i++) {
        e[i] *= INV_SQRT_2PI;
        double tail = e[i] * mills[i];
        cdf[i] = d[i] < 0.0 ? tail : 1.0 - tail;
    }
    out[0] = (normal_pair){cdf[0], e[0], cdf[1], e[1]};
    out[1] = (normal_pair){cdf[2], e[2], cdf[3], e[3]};
}

static normal_pair at_distance(const put *p, double ln_z, double root_t) {
    double ln[2] = {ln_z, ln_z};
    double root[2] = {root_t, root_t};
    normal_pair out[2];
    at_distances(p, ln, root, out);
    return out[0];
}

/*
 * The share of each node's value in the interpolated H at x = sqrt(tau/T): barycentric formula for
 * the nodes x_i = (1 + cos(pi i/NODES))/2. The node at tau = 0 has the value 0 and no share.
 */
static void shares_get(double x, double share[NODES]) {
    double z = 2.0 * x - 1.0;
    double sum = 0.5 / (z + 1.0) * (NODES % 2 ? -1.0 : 1.0);
    for (int i = 0; i < NODES; i++) {
        double gap = z - node_cos[i];
        if (gap == 0.0) { /* on a node */
            for (int j = 0; j < NODES; j++) share[j] = j == i ? 1.0 : 0.0;
            return;
        }
        share[i] = (i == 0 ? 0.5 : i % 2 ? -1.0 : 1.0) / gap;
        sum += share[i];
    }
    for (int i = 0; i < NODES; i++) share[i] /= sum;
}

/* ln(B(tau)/X) <= 0. */
static double boundary_ln(const put *p, const double share[NODES]) {
    double h = 0.0;
    for (int i = 0; i < NODES; i++) h += share[i] * (p->ln_b[i] * p->ln_b[i]);
    return -sqrt(v_max(h, 0.0));
}

/* What an equation needs of each quadrature point and no iteration changes. */
typedef struct equation {
    double root_tau;
    double ln_grow;           /* ln(K/X) - (r - q) tau */
    double inv_s[FIT];        /* 1/(sigma sqrt(tau - u)) */
    double root_rest[FIT];    /* sqrt(tau - u) */
    double weight_r[FIT];     /* weight r e^ru */
    double weight_q[FIT];     /* weight q e^qu */
    double share[FIT][NODES]; /* of the nodes in H(u) */
} equation;

static void equation_init(equation *e, const put *p, int i) {
    double x = 0.5 * (1.0 + node_cos[i]);
    double tau = p->t_max * x * x;
    e->root_tau = p->root_max * x;
    e->ln_grow = log(p->k / p->x) - (p->r - p->q) * tau;
    for (int j = 0; j < FIT; j++) {
        double weight = fit_w[j] * tau;
        double u = tau * fit_u[j] * fit_u[j];
        e->root_rest[j] = e->root_tau * fit_rest[j];
        e->inv_s[j] = 1.0 / (p->sigma * e->root_rest[j]);
        e->weight_r[j] = weight * p->r * exp(p->r * u);
        e->weight_q[j] = weight * p->q * exp(p->q * u);
        shares_get(x * fit_u[j], e->share[j]);
    }
}

/* ln f(B) - ln B at node i, and its derivatives in the ln B of all nodes. */
static double equation_get(const equation *e, const put *p, int i, double slope[NODES]) {
    double ln_b = p->ln_b[i];
    normal_pair now = at_distance(p, ln_b + log(p->x / p->k), e->root_tau);
    double top = now.cdf2;
    double bottom = now.cdf1;
    double top_slope[FIT];
    double bottom_slope[FIT];
    double inv_ln_u[FIT];
    normal_pair at[FIT];
    for (int j = 0; j < FIT; j += 2) {
        double ln_u[2] = {boundary_ln(p, e->share[j]), boundary_ln(p, e->share[j + 1])};
        double ln_z[2] = {ln_b - ln_u[0], ln_b - ln_u[1]};
        at_distances(p, ln_z, &e->root_rest[j], &at[j]);
        /* Where the interpolated H is not positive it has no derivative either. */
        inv_ln_u[j] = ln_u[0] < -1e-8 ? 1.0 / ln_u[0] : 0.0;
        inv_ln_u[j + 1] = ln_u[1] < -1e-8 ? 1.0 / ln_u[1] : 0.0;
    }
    for (int j = 0; j < FIT; j++) {
        top += e->weight_r[j] * at[j].cdf2;
        bottom += e->weight_q[j] * at[j].cdf1;
        top_slope[j] = e->weight_r[j] * at[j].pdf2 * e->inv_s[j];
        bottom_slope[j] = e->weight_q[j] * at[j].pdf1 * e->inv_s[j];
    }
    double s = p->sigma * e->root_tau;
    for (int n = 0; n < NODES; n++) slope[n] = 0.0;
    double own = (now.pdf2 / top - now.pdf1 / bottom) / s - 1.0;
    for (int j = 0; j < FIT; j++) {
        double pull = top_slope[j] / top - bottom_slope[j] / bottom;
        own += pull;
        for (int n = 0; n < NODES; n++) {
            slope[n] -= pull * inv_ln_u[j] * e->share[j][n] * p->ln_b[n];
        }
    }
    slope[i] += own;
    return e->ln_grow + log(top / bottom) - ln_b;
}

/* Gauss with partial pivoting: a x = b, x in b. False if a is singular. */
static bool linear_solve(double a[NODES][NODES], double *b) {
    for (int c = 0; c < NODES; c++) {
        int best = c;
        for (int r = c + 1; r < NODES; r++) {
            if (fabs(a[r][c]) > fabs(a[best][c])) best = r;
        }
        if (!(fabs(a[best][c]) > 1e-12)) return false;
        for (int j = 0; j < NODES; j++) {
            double kept = a[c][j];
            a[c][j] = a[best][j];
            a[best][j] = kept;
        }
        double kept = b[c];
        b[c] = b[best];
        b[best] = kept;
        double inv = 1.0 / a[c][c];
        for (int r = c + 1; r < NODES; r++) {
            double share = a[r][c] * inv;
            for (int j = c; j < NODES; j++) a[r][j] -= share * a[c][j];
            b[r] -= share * b[c];
        }
    }
    for (int c = NODES - 1; c >= 0; c--) {
        for (int j = c + 1; j < NODES; j++) b[c] -= a[c][j] * b[j];
        b[c] /= a[c][c];
    }
    return true;
}

/*
 * The start: quadratic approximation of Barone-Adesi and Whaley (1987), one node:
 * K - B = p(B) - (1 - e^-q tau N(-d+)) B/g, by Newton's method from `ln_b`.
 */
static double node_start(const put *p, double root_tau, double ln_b) {
    double tau = root_tau * root_tau;
    double s2 = p->sigma * p->sigma;
    double h = p->r == 0.0 ? tau : -expm1(-p->r * tau) / p->r;
    double n1 = 2.0 * (p->r - p->q) / s2 - 1.0;
    double g = 0.5 * (-n1 - sqrt(n1 * n1 + 8.0 / (s2 * h)));
    double disc_r = exp(-p->r * tau);
    double disc_q = exp(-p->q * tau);
    double ln_xk = log(p->x / p->k);
    double s = p->sigma * root_tau;
    for (int i = 0; i < 4; i++) {
        double b = exp(ln_b) * p->x;
        normal_pair at = at_distance(p, ln_b + ln_xk, root_tau);
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

/* Newton's method on all nodes together. */
static void boundary_solve(put *p) {
    equation equations[NODES];
    double start = -1e-3;
    for (int i = NODES - 1; i >= 0; i--) {
        equation_init(&equations[i], p, i);
        start = node_start(p, equations[i].root_tau, start);
        p->ln_b[i] = v_min(start, -1e-9);
    }
    for (int round = 0; round < ROUNDS_MAX; round++) {
        double slopes[NODES][NODES];
        double gap[NODES];
        double worst = 0.0;
        for (int i = 0; i < NODES; i++) {
            gap[i] = equation_get(&equations[i], p, i, slopes[i]);
            worst = v_max(worst, fabs(gap[i]));
        }
        if (!linear_solve(slopes, gap)) return;
        for (int i = 0; i < NODES; i++) {
            double step = v_min(v_max(-gap[i], -0.5), 0.5);
            p->ln_b[i] = v_min(v_max(p->ln_b[i] + step, -700.0), 0.5 * p->ln_b[i]);
        }
        if (worst < 1e-3) return; /* the next gap would be its square */
    }
}

static double premium(const put *p, double s) {
    double ln_sx = log(s / p->x);
    double sum = 0.0;
    for (int j = 0; j < SUM; j++) {
        double root_rest = p->root_max * sum_rest[j];
        double rest = root_rest * root_rest;
        double share[NODES];
        shares_get(sum_u[j], share);
        normal_pair at = at_distance(p, ln_sx - boundary_ln(p, share), root_rest);
        double gain = p->r * p->k * exp(-p->r * rest) * (1.0 - at.cdf2) -
                      p->q * s * exp(-p->q * rest) * (1.0 - at.cdf1);
        sum += sum_w[j] * gain;
    }
    return p->t_max * sum;
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
        put p = {.k = k, .r = r, .q = q, .sigma = sigma, .t_max = t, .root_max = sqrt(t)};
        p.x = q > r ? k * (r / q) : k;
        boundary_solve(&p);
        if (log(s / p.x) > p.ln_b[0]) value = v_max(value, european + premium(&p, s));
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
