/*
 * The working columns of a fit, its robust weights and its quality: the same for all models.
 */
#include "greeks/black76.h"
#include "greeks/surface_int.h"

static bool point_is_good(const hg_smile_point *p) {
    return fabs(p->k) <= 1e3 && p->w > 0.0 && p->w <= 1e6 && p->error > 0.0 && p->error <= 1e7;
}

/* Different strikes among the two-sided points, counted no further than 5. */
static int strikes_count(const hg_smile_point *points, int n) {
    double seen[5];
    int count = 0;
    for (int i = 0; i < n && count < 5; i++) {
        if (points[i].side != HG_SMILE_BOTH) continue;
        bool is_new = true;
        for (int j = 0; j < count; j++) {
            is_new = is_new && fabs(points[i].k - seen[j]) > 1e-9 * (1.0 + fabs(seen[j]));
        }
        if (is_new) seen[count++] = points[i].k;
    }
    return count;
}

int hg_smile_data_load(smile_data *d, const hg_smile_point *points, int n) {
    if (n < 1 || n > HG_SMILE_POINTS_MAX) return HG_GREEKS_BAD_INPUT;
    for (int i = 0; i < n; i++) {
        if (!point_is_good(&points[i])) return HG_GREEKS_BAD_INPUT;
    }
    d->n = n;
    d->padded = (n + SMILE_LANES - 1) / SMILE_LANES * SMILE_LANES;
    d->points = points;
    d->both = 0;
    d->k_lo = HG_SMILE_K_MAX;
    d->k_hi = -HG_SMILE_K_MAX;
    d->w_lo = 1e6;
    for (int i = 0; i < d->padded; i++) {
        const hg_smile_point *p = &points[i < n ? i : 0];
        bool counts = i < n && p->side == HG_SMILE_BOTH;
        d->k[i] = p->k;
        d->w[i] = p->w;
        d->q[i] = counts ? 1.0 / (p->error * p->error) : 0.0;
        d->root_q[i] = sqrt(d->q[i]);
        if (!counts) continue;
        d->both++;
        d->k_lo = fmin(d->k_lo, p->k);
        d->k_hi = fmax(d->k_hi, p->k);
        d->w_lo = fmin(d->w_lo, p->w);
    }
    d->strikes = strikes_count(points, n);
    return d->both > 0 ? HG_OK : HG_GREEKS_BAD_INPUT;
}

/* The value that half of them do not exceed, by selection (Hoare); reorders x. */
static double median(double *x, int n) {
    int lo = 0;
    int hi = n - 1;
    const int middle = n / 2;
    while (lo < hi) {
        double pivot = x[middle];
        int i = lo;
        int j = hi;
        while (i <= j) {
            while (x[i] < pivot) i++;
            while (x[j] > pivot) j--;
            if (i <= j) {
                double swap = x[i];
                x[i++] = x[j];
                x[j--] = swap;
            }
        }
        if (j < middle) lo = i;
        if (middle < i) hi = j;
    }
    return x[middle];
}

void hg_smile_data_values(const smile_data *d, const hg_svi *svi, double *w_fit) {
    for (int i = 0; i < d->n; i++) w_fit[i] = svi_w(svi, d->k[i]);
}

static bool is_violated(const hg_smile_point *p, double u) {
    return p->side == HG_SMILE_ASK_ONLY ? u > 0.0 : u < 0.0;
}

bool hg_smile_data_reweigh(smile_data *d, const double *w_fit) {
    double u[HG_SMILE_POINTS_MAX];
    double sorted[HG_SMILE_POINTS_MAX];
    int both = 0;
    for (int i = 0; i < d->n; i++) {
        u[i] = (w_fit[i] - d->points[i].w) / d->points[i].error;
        if (d->points[i].side == HG_SMILE_BOTH) sorted[both++] = fabs(u[i]);
    }
    double far = 2.0 * fmax(1.0, 1.4826 * median(sorted, both));
    bool changed = false;
    for (int i = 0; i < d->n; i++) {
        const hg_smile_point *p = &d->points[i];
        double base = 1.0 / (p->error * p->error);
        double ratio = far / fmax(fabs(u[i]), far);
        bool counts = p->side == HG_SMILE_BOTH || is_violated(p, u[i]);
        double q = counts ? base * ratio * ratio : 0.0;
        changed = changed || fabs(q - d->q[i]) > 0.01 * base;
        d->q[i] = q;
        d->root_q[i] = sqrt(q);
    }
    return changed;
}

void hg_smile_data_judge(const smile_data *d, const double *w_fit, hg_smile_quality *quality) {
    double sum = 0.0;
    quality->points = d->both;
    quality->inside = 0;
    quality->worst = 0.0;
    for (int i = 0; i < d->n; i++) {
        const hg_smile_point *p = &d->points[i];
        if (p->side != HG_SMILE_BOTH) continue;
        double u = fabs(w_fit[i] - p->w) / p->error;
        double share = d->q[i] * p->error * p->error; /* 1, or less for an outlier */
        sum += share * u * u;
        quality->inside += u <= 1.0;
        quality->worst = fmax(quality->worst, u);
    }
    quality->rms = sqrt(sum / d->both);
}
