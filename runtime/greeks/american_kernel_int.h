/*
 * The boundary's equations and the premium's integral over the vector layer: quadrature points are
 * the lanes. Included once by american_portable.c and once by american_avx2.c, which name its
 * functions by HG_AMERICAN(name). Symbols and formulas as in american.c.
 */
#ifndef HG_GREEKS_AMERICAN_KERNEL_INT_H
#define HG_GREEKS_AMERICAN_KERNEL_INT_H

#include <float.h>
#include <stdbool.h>

#include "greeks/american_int.h"
#include "greeks/math_int.h"

#ifndef HG_AMERICAN /* the header on its own */
#define HG_AMERICAN(name) name##_portable
#endif

#define WIDTH HG_VEC_WIDTH
#define ROUNDS_MAX 16

/* Points of the two kinds of integral: multiples of WIDTH, as NODES is. */
enum { FIT = 12, SUM = 32, GROUPS = FIT / WIDTH };

/* sqrt((tau - u)/tau), sqrt(u/tau) and weights for Gauss-Legendre in the angle between. */
static const double fit_rest[FIT] = {
    0.014481737762297655, 0.075234973915839734, 0.17973594380167027, 0.31847446499852328,
    0.4763545685494967,   0.63425156629817825,  0.77312673647229901, 0.87925327694699151,
    0.94793144010730246,  0.98371489289616976,  0.99716583309892992, 0.99989513413726738,
};

static const double fit_u[FIT] = {
    0.99989513413726738, 0.99716583309892992, 0.98371489289616976,  0.94793144010730246,
    0.8792532769469914,  0.77312673647229901, 0.63425156629817814,  0.47635456854949665,
    0.31847446499852344, 0.17973594380167038, 0.075234973915839623, 0.014481737762297822,
};

static const double fit_w[FIT] = {
    0.0010730254348021405, 0.012602145332097307, 0.044458683765500509, 0.096344183713626838,
    0.15361626816916688,   0.19190569358480633,  0.19190569358480633,  0.15361626816916688,
    0.09634418371362688,   0.044458683765500537, 0.012602145332097289, 0.0010730254348021529,
};

static const double sum_rest[SUM] = {
    0.0021489562242308514, 0.011300451880904701, 0.027672126886790001, 0.051102380315394907,
    0.08133921479663779,   0.11803061522890508,  0.1607120608110596,   0.20879600943427201,
    0.26156607811940774,   0.31817828372316787,  0.37767117205544581,  0.4389858547767736,
    0.50099594202047482,   0.56254621040497754,  0.62249772283524896,  0.67977617500260912,
    0.73341962879297284,   0.78262161039989786,  0.82676584421406685,  0.86544963231780114,
    0.898493972882348,     0.92593978519030373,  0.94803089599810997,  0.96518557116092019,
    0.9779592151231683,    0.98700133409730617,  0.99300995658084223,  0.99668647634863916,
    0.998693419787124,     0.999617053372721,    0.99993614785509544,  0.99999769099090741,
};

static const double sum_u[SUM] = {
    0.99999769099090741,  0.99993614785509544,  0.999617053372721,    0.998693419787124,
    0.99668647634863916,  0.99300995658084223,  0.98700133409730617,  0.9779592151231683,
    0.9651855711609203,   0.94803089599810997,  0.92593978519030373,  0.898493972882348,
    0.86544963231780103,  0.82676584421406685,  0.78262161039989786,  0.73341962879297284,
    0.67977617500260923,  0.62249772283524907,  0.56254621040497765,  0.5009959420204747,
    0.43898585477677365,  0.37767117205544598,  0.31817828372316798,  0.26156607811940785,
    0.20879600943427201,  0.16071206081105971,  0.11803061522890516,  0.081339214796638012,
    0.051102380315394914, 0.027672126886790115, 0.011300451880904788, 0.0021489562242308288,
};

static const double sum_w[SUM] = {
    2.3691772536610452e-05, 0.0002888635879817979, 0.0011033012250881242,  0.0027476173526597291,
    0.0054548937292254029,  0.0093890532079867785, 0.014621990150482824,   0.021112290764035722,
    0.028689660344079985,   0.037049790292288047,  0.045763962746435301,   0.054306005906513105,
    0.062096384391800388,   0.068559708859003213,  0.07318856554471509,    0.075604220125167876,
    0.07560422012516789,    0.073188565544715103,  0.068559708859003227,   0.062096384391800381,
    0.054306005906513112,   0.045763962746435315,  0.037049790292288054,   0.028689660344079992,
    0.021112290764035722,   0.014621990150482832,  0.0093890532079867854,  0.0054548937292254185,
    0.0027476173526597295,  0.0011033012250881288, 0.00028886358798180012, 2.3691772536610208e-05,
};

/* N and n at d+ (first) and d- (second). */
typedef struct normal_pair {
    vd cdf1, pdf1;
    vd cdf2, pdf2;
} normal_pair;

/* d+- = middle +- half, for one or two of them in lockstep. */
VEC_FN void normal_pairs_get(const vd *middle, const vd *half, normal_pair *out, int count) {
    vd d[4];
    vd y[4];
    vd z[4];
    vd e[4];
    vd mills[4];
    vd cdf[4];
    for (int i = 0; i < count; i++) {
        d[2 * i] = middle[i] + half[i];
        d[2 * i + 1] = middle[i] - half[i];
    }
    for (int i = 0; i < 2 * count; i++) {
        y[i] = v_min(v_set(0.5) * (d[i] * d[i]), v_set(EXP_NEG_MAX));
        z[i] = v_abs(d[i]);
    }
    v_exp_neg_each(y, e, 2 * count);
    v_mills_each(z, mills, 2 * count);
    for (int i = 0; i < 2 * count; i++) {
        e[i] = e[i] * v_set(INV_SQRT_2PI);
        vd tail = e[i] * mills[i];
        cdf[i] = v_select_negative(d[i], tail, v_set(1.0) - tail);
    }
    for (int i = 0; i < count; i++) {
        out[i] = (normal_pair){cdf[2 * i], e[2 * i], cdf[2 * i + 1], e[2 * i + 1]};
    }
}

VEC_FN normal_pair normal_pair_get(vd middle, vd half) {
    normal_pair out;
    normal_pairs_get(&middle, &half, &out, 1);
    return out;
}

/* `count` of them, a constant. */
VEC_FN void normal_pairs_each(const vd *middle, const vd *half, normal_pair *out, int count) {
    int i = 0;
    for (; i + 1 < count; i += 2) normal_pairs_get(middle + i, half + i, out + i, 2);
    if (i < count) normal_pairs_get(middle + i, half + i, out + i, 1);
}

VEC_FN double lanes_sum(vd x) {
    double lane[WIDTH];
    double sum = 0.0;
    v_store(lane, x);
    for (int i = 0; i < WIDTH; i++) sum += lane[i];
    return sum;
}

/* e^x1 and e^x2, saturating beyond +-700. */
VEC_FN void exp_pair(vd x1, vd x2, vd *e1, vd *e2) {
    const vd top = v_set(EXP_NEG_MAX);
    const vd y[2] = {v_min(v_max(-x1, -top), top), v_min(v_max(-x2, -top), top)};
    vd e[2];
    v_exp_neg_each(y, e, 2);
    *e1 = e[0];
    *e2 = e[1];
}

/*
 * The share of each node's value in the interpolated H at x = sqrt(tau/T): barycentric formula for
 * the nodes x_i = (1 + cos(pi i/NODES))/2. The node at tau = 0 has the value 0 and no share. Column
 * n of `share` begins at share + n stride.
 */
VEC_FN void shares_get(vd x, double *share, size_t stride) {
    vd z = x + x - v_set(1.0);
    vd sum = v_set(NODES % 2 ? -0.5 : 0.5) / (z + v_set(1.0));
    vd part[NODES];
    for (int n = 0; n < NODES; n++) {
        vd gap = z - v_set(hg_american_cos[n]);
        gap = v_select(v_lt(v_abs(gap), v_set(1e-200)), v_set(1e-200), gap); /* on a node */
        part[n] = v_set(n == 0 ? 0.5 : n % 2 ? -1.0 : 1.0) / gap;
        sum = sum + part[n];
    }
    vd inv = v_set(1.0) / sum;
    for (int n = 0; n < NODES; n++) v_store(share + (size_t)n * stride, part[n] * inv);
}

/* ln(B/X) <= 0 from the squares of its values at the nodes. */
VEC_FN vd boundary_ln(const double *share, size_t stride, const double square[NODES]) {
    vd h = v_set(0.0);
    for (int n = 0; n < NODES; n++) {
        h = v_fma(v_load(share + (size_t)n * stride), v_set(square[n]), h);
    }
    return -v_sqrt(v_max(h, v_set(0.0)));
}

/* What the equation of a node needs of each quadrature point and no round changes. */
typedef struct equation {
    double drift[FIT];    /* (r - q)(tau - u) */
    double inv_s[FIT];    /* 1/(sigma sqrt(tau - u)) */
    double half[FIT];     /* sigma sqrt(tau - u)/2 */
    double weight_r[FIT]; /* weight r e^ru */
    double weight_q[FIT]; /* weight q e^qu */
    double share[NODES][FIT];
    double turned[FIT][NODES]; /* the same by point */
} equation;

/* boundary_ln at all points, in lockstep. */
VEC_FN void boundary_ln_each(const equation *at, const double square[NODES], vd ln_u[GROUPS]) {
    vd h[GROUPS];
    for (int g = 0; g < GROUPS; g++) h[g] = v_set(0.0);
    for (int n = 0; n < NODES; n++) {
        for (int g = 0; g < GROUPS; g++) {
            h[g] = v_fma(v_load(&at->share[n][g * WIDTH]), v_set(square[n]), h[g]);
        }
    }
    for (int g = 0; g < GROUPS; g++) ln_u[g] = -v_sqrt(v_max(h[g], v_set(0.0)));
}

/* All of them, and of each node: ln(K/X) - (r - q) tau, and its own distances. */
typedef struct equations {
    equation at[NODES];
    double ln_grow[NODES];
    double drift[NODES];
    double inv_s[NODES];
    double half[NODES];
    double ln_xk; /* ln(X/K) */
} equations;

static void equation_init(equations *e, const hg_american_put *p, int i) {
    const double x = 0.5 * (1.0 + hg_american_cos[i]);
    const double root_tau = p->root_max * x;
    const double tau = root_tau * root_tau;
    equation *at = &e->at[i];
    e->drift[i] = (p->r - p->q) * tau;
    e->ln_grow[i] = -e->ln_xk - e->drift[i];
    e->inv_s[i] = 1.0 / (p->sigma * root_tau);
    e->half[i] = 0.5 * p->sigma * root_tau;
    for (int j = 0; j < FIT; j += WIDTH) {
        vd root_u = v_load(fit_u + j);
        vd rest = v_set(root_tau) * v_load(fit_rest + j);
        vd s = v_set(p->sigma) * rest;
        vd u = v_set(tau) * (root_u * root_u);
        vd weight = v_load(fit_w + j) * v_set(tau);
        vd grow_r;
        vd grow_q;
        exp_pair(v_set(p->r) * u, v_set(p->q) * u, &grow_r, &grow_q);
        v_store(at->drift + j, v_set(p->r - p->q) * (rest * rest));
        v_store(at->inv_s + j, v_set(1.0) / s);
        v_store(at->half + j, v_set(0.5) * s);
        v_store(at->weight_r + j, weight * v_set(p->r) * grow_r);
        v_store(at->weight_q + j, weight * v_set(p->q) * grow_q);
        shares_get(v_set(x) * root_u, &at->share[0][j], FIT);
    }
    for (int j = 0; j < FIT; j++) {
        for (int n = 0; n < NODES; n++) at->turned[j][n] = at->share[n][j];
    }
}

/* N and n of each node at its own boundary. */
typedef struct own_normals {
    double cdf1[NODES], pdf1[NODES], cdf2[NODES], pdf2[NODES];
} own_normals;

static void own_get(const equations *e, const hg_american_put *p, own_normals *own) {
    for (int i = 0; i < NODES; i += WIDTH) {
        vd ln_z = v_load(p->ln_b + i) + v_set(e->ln_xk);
        normal_pair at = normal_pair_get((ln_z + v_load(e->drift + i)) * v_load(e->inv_s + i),
                                         v_load(e->half + i));
        v_store(own->cdf1 + i, at.cdf1);
        v_store(own->pdf1 + i, at.pdf1);
        v_store(own->cdf2 + i, at.cdf2);
        v_store(own->pdf2 + i, at.pdf2);
    }
}

/* Nu and De of node i, and the derivatives of ln f(B) - ln B in the ln B of all nodes. */
static void equation_get(const equations *e, const hg_american_put *p, const own_normals *own,
                         const double square[NODES], int i, double *top, double *bottom,
                         double slope[NODES]) {
    const equation *at = &e->at[i];
    vd top_slope[GROUPS];
    vd bottom_slope[GROUPS];
    vd inv_ln_u[GROUPS];
    double pull_ln[FIT];
    vd tops = v_set(0.0);
    vd bottoms = v_set(0.0);
    vd ln_u[GROUPS];
    vd inv_s[GROUPS];
    vd middle[GROUPS];
    vd half[GROUPS];
    normal_pair normal[GROUPS];
    boundary_ln_each(at, square, ln_u);
    for (int g = 0; g < GROUPS; g++) {
        vd ln_z = v_set(p->ln_b[i]) - ln_u[g];
        inv_s[g] = v_load(at->inv_s + g * WIDTH);
        half[g] = v_load(at->half + g * WIDTH);
        middle[g] = (ln_z + v_load(at->drift + g * WIDTH)) * inv_s[g];
    }
    normal_pairs_each(middle, half, normal, GROUPS);
    for (int g = 0; g < GROUPS; g++) {
        vd weight_r = v_load(at->weight_r + g * WIDTH);
        vd weight_q = v_load(at->weight_q + g * WIDTH);
        tops = v_fma(weight_r, normal[g].cdf2, tops);
        bottoms = v_fma(weight_q, normal[g].cdf1, bottoms);
        top_slope[g] = weight_r * normal[g].pdf2 * inv_s[g];
        bottom_slope[g] = weight_q * normal[g].pdf1 * inv_s[g];
        /* Where the interpolated H is not positive it has no derivative either. */
        vd safe = v_min(ln_u[g], v_set(-1e-8));
        inv_ln_u[g] = v_select(v_lt(ln_u[g], v_set(-1e-8)), v_set(1.0) / safe, v_set(0.0));
    }
    *top = own->cdf2[i] + lanes_sum(tops);
    *bottom = own->cdf1[i] + lanes_sum(bottoms);
    const double inv_top = 1.0 / *top;
    const double inv_bottom = 1.0 / *bottom;
    vd pulls = v_set(0.0);
    for (int j = 0; j < GROUPS; j++) {
        vd pull = top_slope[j] * v_set(inv_top) - bottom_slope[j] * v_set(inv_bottom);
        pulls = pulls + pull;
        v_store(pull_ln + j * WIDTH, pull * inv_ln_u[j]);
    }
    for (int n = 0; n < NODES; n += WIDTH) {
        vd sum = v_set(0.0);
        for (int j = 0; j < FIT; j++) {
            sum = v_fma(v_set(pull_ln[j]), v_load(&at->turned[j][n]), sum);
        }
        v_store(slope + n, -v_load(p->ln_b + n) * sum);
    }
    slope[i] += (own->pdf2[i] * inv_top - own->pdf1[i] * inv_bottom) * e->inv_s[i] - 1.0 +
                lanes_sum(pulls);
}

/* ln f(B) - ln B of all nodes and their slopes; returns the largest. */
static double gaps_get(const equations *e, const hg_american_put *p, double gap[NODES],
                       double slopes[NODES][NODES]) {
    own_normals own;
    double square[NODES];
    double top[NODES];
    double bottom[NODES];
    double worst = 0.0;
    own_get(e, p, &own);
    for (int n = 0; n < NODES; n++) square[n] = p->ln_b[n] * p->ln_b[n];
    for (int i = 0; i < NODES; i++) {
        equation_get(e, p, &own, square, i, &top[i], &bottom[i], slopes[i]);
    }
    for (int i = 0; i < NODES; i += WIDTH) {
        vd ratio = v_ln_ratio(v_load(top + i), v_load(bottom + i));
        v_store(gap + i, v_load(e->ln_grow + i) + ratio - v_load(p->ln_b + i));
    }
    for (int i = 0; i < NODES; i++) {
        double size = gap[i] < 0.0 ? -gap[i] : gap[i];
        if (!(size <= worst)) worst = size;
    }
    return worst;
}

/* row -= share times the pivot's, from the vector with column `from` on. */
VEC_FN void row_reduce(double *row, const double *pivot, double share, int from) {
    for (int j = from / WIDTH * WIDTH; j < NODES; j += WIDTH) {
        v_store(row + j, v_fma(v_set(-share), v_load(pivot + j), v_load(row + j)));
    }
}

/* Gauss with partial pivoting: a x = b, x in b. False if a is singular. */
static bool linear_solve(double a[NODES][NODES], double *b) {
    double *row[NODES];
    double x[NODES];
    for (int r = 0; r < NODES; r++) row[r] = a[r];
    for (int c = 0; c < NODES; c++) {
        int best = c;
        for (int r = c + 1; r < NODES; r++) {
            double size = row[r][c] * row[r][c];
            if (size > row[best][c] * row[best][c]) best = r;
        }
        double *pivot = row[best];
        double value = b[best];
        row[best] = row[c];
        b[best] = b[c];
        row[c] = pivot;
        b[c] = value;
        if (!(pivot[c] * pivot[c] > 1e-24)) return false;
        const double inv = 1.0 / pivot[c];
        for (int r = c + 1; r < NODES; r++) {
            const double share = row[r][c] * inv;
            row_reduce(row[r], pivot, share, c);
            b[r] -= share * value;
        }
    }
    for (int c = NODES - 1; c >= 0; c--) {
        x[c] = b[c];
        for (int j = c + 1; j < NODES; j++) x[c] -= row[c][j] * x[j];
        x[c] /= row[c][c];
    }
    for (int c = 0; c < NODES; c++) b[c] = x[c];
    return true;
}

static inline double between(double x, double lo, double hi) {
    return x < lo ? lo : x > hi ? hi : x;
}

/*
 * Newton's method on all nodes together. Where r and q are small beside the vol, or r is near 2q,
 * the equations hardly depend on the boundary, and a whole step may lead far away: then a quarter
 * of it is taken.
 */
void HG_AMERICAN(hg_american_boundary)(hg_american_put *p) {
    equations e;
    e.ln_xk = p->ln_xk;
    for (int i = 0; i < NODES; i++) equation_init(&e, p, i);
    double from[NODES] = {0.0};
    double step[NODES] = {0.0};
    double before = DBL_MAX;
    double part = 1.0;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        double slopes[NODES][NODES];
        double gap[NODES];
        double worst = gaps_get(&e, p, gap, slopes);
        if (worst > before && part > 0.02) {
            part *= 0.25;
        } else {
            if (!linear_solve(slopes, gap)) return;
            for (int i = 0; i < NODES; i++) {
                from[i] = p->ln_b[i];
                step[i] = between(-gap[i], -0.5, 0.5);
            }
            before = worst;
            part = 1.0;
        }
        for (int i = 0; i < NODES; i++) {
            p->ln_b[i] = between(from[i] + part * step[i], -700.0, 0.5 * from[i]);
        }
        if (worst < 2e-4) return; /* the next gap would be its square */
    }
}

double HG_AMERICAN(hg_american_premium)(const hg_american_put *p, double s, double ln_sx) {
    double square[NODES];
    double share[NODES][WIDTH];
    vd sum = v_set(0.0);
    for (int n = 0; n < NODES; n++) square[n] = p->ln_b[n] * p->ln_b[n];
    for (int j = 0; j < SUM; j += WIDTH) {
        vd root_rest = v_set(p->root_max) * v_load(sum_rest + j);
        vd rest = root_rest * root_rest;
        vd deviation = v_set(p->sigma) * root_rest;
        vd disc_r;
        vd disc_q;
        shares_get(v_load(sum_u + j), share[0], WIDTH);
        vd ln_z = v_set(ln_sx) - boundary_ln(share[0], WIDTH, square);
        normal_pair at = normal_pair_get(v_fma(v_set(p->r - p->q), rest, ln_z) / deviation,
                                         v_set(0.5) * deviation);
        exp_pair(v_set(-p->r) * rest, v_set(-p->q) * rest, &disc_r, &disc_q);
        vd gain = v_set(p->r * p->k) * disc_r * (v_set(1.0) - at.cdf2) -
                  v_set(p->q * s) * disc_q * (v_set(1.0) - at.cdf1);
        sum = v_fma(v_load(sum_w + j), gain, sum);
    }
    return p->t_max * lanes_sum(sum);
}

#endif
