/*
 * Judging quotes one by one. The implied vol is that of the mid price: for a wide quote the mean of
 * the two implied vols leans on a bid that is often one tick, the mid price does not.
 */
#include "greeks/surface_quote.h"

#include <float.h>
#include <stdbool.h>

#include "greeks/black76.h"
#include "greeks/normal.h"
#include "greeks/scalar_int.h"

hg_smile_filter hg_smile_filter_default(void) {
    return (hg_smile_filter){.age_s_max = 0.0, .vol_error_min = 0.001, .delta_max = 0.6};
}

typedef struct expiry {
    double f, t;
    double deep; /* intrinsic over time value, from which no vol need be solved */
    const hg_smile_filter *filter;
} expiry;

/*
 * An option of delta N(d) has, by Bachelier's formula, intrinsic value d and time value d N(d) +
 * n(d) - d in units of the deviation. Three times that ratio is in the money at any vol that
 * matters (puts lean by s^2/2), which saves the costliest step for much of a chain.
 */
static double deep_ratio(double delta_max) {
    if (!(delta_max > 0.5 && delta_max < 1.0)) return DBL_MAX;
    double d = hg_normal_quantile(delta_max);
    double time = d * delta_max + hg_normal_pdf(d) - d;
    return time > 0.0 ? 3.0 * d / time : DBL_MAX;
}

static bool has_price(double x) {
    return x > 0.0 && x <= DBL_MAX;
}

static hg_smile_verdict quote_judge(const expiry *e, const hg_smile_quote *q, hg_smile_side *side,
                                    double *price) {
    bool bid = has_price(q->bid);
    bool ask = has_price(q->ask);
    if (!has_price(q->strike) || (q->cp != 1 && q->cp != -1) || (!bid && !ask))
        return HG_SMILE_UNUSABLE;
    if (e->filter->age_s_max > 0.0 && !(q->age_s <= e->filter->age_s_max)) return HG_SMILE_STALE;
    if (bid && ask && q->bid > q->ask) return HG_SMILE_CROSSED;
    *side = bid && ask ? HG_SMILE_BOTH : ask ? HG_SMILE_ASK_ONLY : HG_SMILE_BID_ONLY;
    *price = bid && ask ? 0.5 * q->bid + 0.5 * q->ask : ask ? q->ask : q->bid;
    return bid && ask ? HG_SMILE_USED : HG_SMILE_ONE_SIDED;
}

/*
 * s = sigma sqrt(T), so w = s^2 and dw/dprice = 2 s / (dV/ds) = 2 s / (F n(d1)). The half width is
 * taken to price no less than half the price where a side is missing.
 */
static hg_smile_verdict point_make(const expiry *e, const hg_smile_quote *q, hg_smile_point *p) {
    hg_smile_side side;
    double price;
    double sigma;
    hg_smile_verdict v = quote_judge(e, q, &side, &price);
    if (v != HG_SMILE_USED && v != HG_SMILE_ONE_SIDED) return v;
    double inside = v_max(q->cp * (e->f - q->strike), 0.0);
    if (price > inside && inside > e->deep * (price - inside)) return HG_SMILE_IN_THE_MONEY;
    if (hg_implied_vol(price, e->f, q->strike, e->t, q->cp, 0.0, &sigma) != HG_OK)
        return HG_SMILE_UNUSABLE;
    double s = sigma * sqrt(e->t);
    double k = -hg_b76_ln_ratio(e->f, q->strike);
    if (!(s > 1e-8 && s < 1e3 && fabs(k) < 1e3)) return HG_SMILE_UNUSABLE;
    double d1 = 0.5 * s - k / s;
    if (hg_normal_cdf(q->cp * d1) > e->filter->delta_max) return HG_SMILE_IN_THE_MONEY;
    double half = v == HG_SMILE_USED ? 0.5 * (q->ask - q->bid) : 0.5 * price;
    double vega = e->f * hg_normal_pdf(d1);
    double error = v_max(half / v_max(vega, 1e-9 * price), e->filter->vol_error_min * sqrt(e->t));
    error = v_min(error, 10.0 * s);
    if (q->weight > 0.0) error /= sqrt(v_max(1e-12, v_min(1e12, q->weight)));
    *p = (hg_smile_point){.k = k, .w = s * s, .error = 2.0 * s * error, .side = side};
    return v;
}

static expiry expiry_make(double f, double t, const hg_smile_filter *filter) {
    return (expiry){.f = f, .t = t, .filter = filter, .deep = deep_ratio(filter->delta_max)};
}

const char *hg_smile_verdict_name(hg_smile_verdict verdict) {
    static const char *const names[] = {"used",  "one_sided", "in_the_money",
                                        "stale", "crossed",   "unusable"};
    return names[verdict];
}

hg_smile_verdict hg_smile_judge(const hg_smile_quote *quote, double f, double t,
                                const hg_smile_filter *filter) {
    hg_smile_point point;
    if (!has_price(f) || !has_price(t)) return HG_SMILE_UNUSABLE;
    expiry e = expiry_make(f, t, filter);
    return point_make(&e, quote, &point);
}

/* When full, the point with the largest error gives way. */
static void point_keep(hg_smile_point *points, int *n, const hg_smile_point *p, int *dropped) {
    if (*n < HG_SMILE_POINTS_MAX) {
        points[(*n)++] = *p;
        return;
    }
    int worst = 0;
    for (int i = 1; i < *n; i++) {
        if (points[i].error > points[worst].error) worst = i;
    }
    if (p->error < points[worst].error) points[worst] = *p;
    (*dropped)++;
}

int hg_smile_points(const hg_smile_quote *quotes, int n, double f, double t,
                    const hg_smile_filter *filter, hg_smile_point *points, hg_smile_count *count) {
    if (!has_price(f) || !has_price(t) || n < 0 || !(filter->vol_error_min > 0.0)) {
        return HG_GREEKS_BAD_INPUT;
    }
    expiry e = expiry_make(f, t, filter);
    int tally[HG_SMILE_UNUSABLE + 1] = {0};
    int dropped = 0;
    int made = 0;
    for (int i = 0; i < n; i++) {
        hg_smile_point p;
        hg_smile_verdict v = point_make(&e, &quotes[i], &p);
        tally[v]++;
        if (v == HG_SMILE_USED || v == HG_SMILE_ONE_SIDED) point_keep(points, &made, &p, &dropped);
    }
    if (count) {
        int both = 0;
        for (int i = 0; i < made; i++) both += points[i].side == HG_SMILE_BOTH;
        *count = (hg_smile_count){both,
                                  made - both,
                                  tally[HG_SMILE_IN_THE_MONEY],
                                  tally[HG_SMILE_STALE],
                                  tally[HG_SMILE_CROSSED],
                                  tally[HG_SMILE_UNUSABLE] + dropped};
    }
    return made;
}
