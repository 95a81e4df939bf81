/*
 * Implied vol by rational guesses and two third-order Householder steps: P. Jaeckel, "Let's Be
 * Rational" (Wilmott, January 2015; section and formula names below are the paper's).
 *
 * Two things differ, for accuracy. The intrinsic value is taken off before anything is normalised,
 * and x is computed from F - K exactly (v_ln_ratio): near the money the paper's ln(F/K) and in the
 * money its subtraction after scaling each lose what the price still holds. And the function that is
 * inverted is the time value in units of min(F,K), which is the paper's b times e^(|x|/2): its
 * largest value is 1, its slope in s is n(u), u = |x|/s - s/2, and b has one inflection at
 * s_c = sqrt(2|x|), where u = 0.
 *
 * Symbols   dist = |x|, s = sigma sqrt(T), beta the normalised price, v = db/ds.
 */
#include "greeks/black76.h"

#include <float.h>

#include "greeks/normal.h"
#include "greeks/scalar_int.h"
#include "greeks/timevalue_int.h"

#define N0 INV_SQRT_2PI
#define SQRT_3 1.7320508075688772
#define TWO_PI_OVER_SQRT_27 1.2091995761561452
#define R_MAX 1e6 /* beyond this the rational cubic is a straight line */

typedef struct target {
    double dist;
    double beta;
    double ln_beta;     /* of the paper's beta: ln(beta) - dist/2 */
    double one_minus_b; /* 1 - beta, to the accuracy of the price */
} target;

static double ln(double x) {
    return hg_b76_ln_ratio(x, 1.0);
}

static double slope(const hg_time_value *b) {
    return b->density * (b->exponent > 0.0 ? v_exp_neg(v_min(b->exponent, EXP_NEG_MAX)) : 1.0);
}

static double value(const hg_time_value *b) {
    return b->scale * (b->exponent > 0.0 ? v_exp_neg(v_min(b->exponent, EXP_NEG_MAX)) : 1.0);
}

/* --- rational cubic interpolation: Delbourgo and Gregory (1985) ------------------------------- */

typedef struct span {
    double x0, x1; /* ends */
    double y0, y1; /* values */
    double d0, d1; /* slopes */
} span;

static double span_at(const span *p, double x, double r) {
    double h = p->x1 - p->x0;
    if (!(fabs(h) > 0.0)) return 0.5 * (p->y0 + p->y1);
    double t = (x - p->x0) / h;
    double o = 1.0 - t;
    if (!(r < R_MAX)) return p->y1 * t + p->y0 * o;
    double top = p->y1 * t * t * t + (r * p->y1 - h * p->d1) * t * t * o +
                 (r * p->y0 + h * p->d0) * t * o * o + p->y0 * o * o * o;
    return top / (1.0 + (r - 3.0) * t * o);
}

/* The least r that keeps the shape of data that are monotone and convex (or concave). */
static double span_r_min(const span *p) {
    double s = (p->y1 - p->y0) / (p->x1 - p->x0);
    double r = -0.99;
    if (s != 0.0 && p->d0 * s >= 0.0 && p->d1 * s >= 0.0) r = v_max(r, (p->d0 + p->d1) / s);
    double left = s - p->d0;
    double right = p->d1 - s;
    if (left * right > 0.0) {
        double turn = fabs(p->d1 - p->d0);
        r = v_max(r, v_max(turn / fabs(left), turn / fabs(right)));
    }
    return r;
}

/* r such that the second derivative at the left end is `bend`. */
static double span_r_left(const span *p, double bend) {
    double h = p->x1 - p->x0;
    double below = (p->y1 - p->y0) / h - p->d0;
    double r = below == 0.0 ? R_MAX : (0.5 * h * bend + (p->d1 - p->d0)) / below;
    return v_max(r, span_r_min(p));
}

/* The same at the right end. */
static double span_r_right(const span *p, double bend) {
    double h = p->x1 - p->x0;
    double below = p->d1 - (p->y1 - p->y0) / h;
    double r = below == 0.0 ? R_MAX : (0.5 * h * bend + (p->d1 - p->d0)) / below;
    return v_max(r, span_r_min(p));
}

/* --- the guess: section 4 --------------------------------------------------------------------- */

/* beta < b_l: f_lower(b) = 2 pi/sqrt(27) |x| N(-|x|/(sqrt 3 s))^3 has slope 1 at b = 0. */
static double guess_lowest(const target *to, double s_l, double b_l) {
    double x = to->dist;
    double shrink = exp(-0.5 * x); /* to the paper's b */
    double z = x / (SQRT_3 * s_l);
    double cdf = hg_normal_cdf(-z);
    double mills = hg_normal_mills(z);
    double z2 = z * z;
    double s2 = s_l * s_l;
    double grow = exp(z2 + 0.125 * s2);
    double f = TWO_PI_OVER_SQRT_27 * x * cdf * cdf * cdf;
    double f1 = 6.283185307179586 * z2 * cdf * cdf * grow;
    double f2 = 0.5235987755982989 * z2 / (s2 * s_l) * cdf *
                (8.0 * SQRT_3 * s_l * x + (3.0 * s2 * (s2 - 8.0) - 8.0 * x * x) * mills) * grow *
                grow;
    span p = {0.0, b_l * shrink, 0.0, f, 1.0, f1};
    double beta = to->beta * shrink;
    double at = span_at(&p, beta, span_r_right(&p, f2));
    if (!(at > 0.0)) at = f * (beta / p.x1) * (beta / p.x1);
    double q = cbrt(at / (TWO_PI_OVER_SQRT_27 * x));
    return x / (SQRT_3 * -hg_normal_quantile(v_min(v_max(q, 1e-300), 0.499)));
}

/* beta > b_u: f_upper(b) = N(-s/2) has slope -1/2 (times e^(|x|/2)) at the largest b. */
static double guess_highest(const target *to, double s_u, double b_u) {
    double shrink = exp(-0.5 * to->dist);
    double ratio = to->dist / s_u;
    double f = hg_normal_cdf(-0.5 * s_u);
    double f1 = -0.5 * exp(0.5 * ratio * ratio);
    double f2 = 1.2533141373155003 * ratio * ratio / s_u * exp(ratio * ratio + 0.125 * s_u * s_u);
    span p = {b_u * shrink, shrink, f, 0.0, f1, -0.5};
    double at = span_at(&p, to->beta * shrink, span_r_left(&p, f2));
    if (!(at > 0.0)) at = 0.5 * shrink * to->one_minus_b;
    return -2.0 * hg_normal_quantile(v_min(v_max(at, 1e-300), 0.5));
}

typedef enum branch { LOWEST, MIDDLE, HIGHEST } branch;

static double guess(const target *to, branch *where) {
    *where = MIDDLE;
    double s_c = sqrt(2.0 * to->dist);
    double b_c = to->dist > 0.0 ? hg_time_value_get(to->dist, s_c).scale : 0.0;
    if (to->beta < b_c) {
        double s_l = s_c - b_c / N0;
        hg_time_value low = hg_time_value_get(to->dist, s_l);
        double b_l = value(&low);
        if (to->beta < b_l) {
            *where = LOWEST;
            return guess_lowest(to, s_l, b_l);
        }
        span p = {b_l, b_c, s_l, s_c, 1.0 / slope(&low), 1.0 / N0};
        return span_at(&p, to->beta, span_r_right(&p, 0.0));
    }
    double s_u = s_c + (1.0 - b_c) / N0;
    hg_time_value high = hg_time_value_get(to->dist, s_u);
    double b_u = value(&high);
    if (to->beta > b_u) {
        *where = HIGHEST;
        return guess_highest(to, s_u, b_u);
    }
    span p = {b_c, b_u, s_c, s_u, 1.0 / N0, 1.0 / slope(&high)};
    return span_at(&p, to->beta, span_r_left(&p, 0.0));
}

/* --- the steps: section 5 --------------------------------------------------------------------- */

/* One step of order four towards the root, in the objective of the branch. */
static double step(const target *to, branch where, double s) {
    hg_time_value b = hg_time_value_get(to->dist, s);
    double a = to->dist / s;
    double bend2 = a * a / s - 0.25 * s; /* v'/v */
    double bend3 = bend2 * bend2 - 3.0 * (a / s) * (a / s) - 0.25;
    double newton;
    double h2 = bend2;
    double h3 = bend3;
    if (where == LOWEST) { /* 1/ln(b) */
        double ln_b = ln(b.scale) - b.exponent - 0.5 * to->dist;
        double rate = b.density / b.scale;
        double l = 1.0 / ln_b;
        newton = (to->ln_beta - ln_b) * ln_b / to->ln_beta / rate;
        h2 = bend2 - rate * (1.0 + 2.0 * l);
        h3 = bend3 + 2.0 * rate * rate * (1.0 + 3.0 * l * (1.0 + l)) -
             3.0 * bend2 * rate * (1.0 + 2.0 * l);
    } else if (where == HIGHEST) { /* ln(1 - b) */
        double rest = 1.0 - value(&b);
        double rate = slope(&b) / rest;
        newton = ln(rest / to->one_minus_b) / rate;
        h2 = bend2 + rate;
        h3 = bend3 + rate * (2.0 * rate + 3.0 * bend2);
    } else {
        newton = (to->beta - value(&b)) / slope(&b);
    }
    return newton * (1.0 + 0.5 * h2 * newton) / (1.0 + newton * (h2 + h3 * newton / 6.0));
}

static double solve(const target *to) {
    branch where;
    double s = guess(to, &where);
    for (int i = 0; i < 2; i++) {
        double ds = step(to, where, s);
        /* A step may not change s by more than half: no start of the paper needs more. */
        s += v_min(v_max(ds, -0.5 * s), 0.5 * s);
    }
    return s;
}

int hg_implied_vol(double price, double f, double k, double t, int cp, double r, double *sigma) {
    double discount;
    if (hg_b76_check(f, k, t, 0.0, cp) != HG_OK || t == 0.0 || !(fabs(price) <= DBL_MAX) ||
        !(fabs(r) <= DBL_MAX) || hg_b76_discount(r, t, &discount) != HG_OK) {
        return HG_GREEKS_BAD_INPUT;
    }
    double forward = price / discount;
    if (!(forward < (cp > 0 ? f : k))) return HG_GREEKS_ABOVE_MAX;
    double intrinsic = v_max(cp * (f - k), 0.0);
    double time_value = forward - intrinsic;
    /* D has a rounding of its own, and so has the price made with it. */
    double slack = r == 0.0 ? 0.0 : 4.0 * DBL_EPSILON * intrinsic;
    if (time_value < -slack) return HG_GREEKS_BELOW_INTRINSIC;
    if (time_value <= slack) {
        *sigma = 0.0;
        return HG_OK;
    }
    double unit = v_min(f, k);
    if (!(time_value < unit)) return HG_GREEKS_ABOVE_MAX;
    target to;
    to.dist = fabs(hg_b76_ln_ratio(f, k));
    to.beta = time_value / unit;
    to.ln_beta = hg_b76_ln_ratio(time_value, unit) - 0.5 * to.dist;
    to.one_minus_b = ((cp > 0 ? f : k) - forward) / unit;
    *sigma = solve(&to) / sqrt(t);
    return HG_OK;
}
