/*
 * Reading a surface: interpolation, the check for arbitrage, skew and the judging of quotes.
 */
#include "greeks/surface.h"

#include <float.h>
#include <math.h>

#include "greeks/black76.h"
#include "greeks/optimise_int.h"
#include "greeks/scalar_int.h"
#include "greeks/surface_int.h"

#define YEARS_MAX 1e3

static double slice_w(const hg_surface *s, int i, double k) {
    const hg_surface_slice *slice = &s->slices[i];
    if (s->model != HG_SURFACE_SABR) return v_max(svi_w(&slice->svi, k), 0.0);
    double vol = 0.0;
    double held = v_max(-300.0, v_min(300.0, k));
    /* In terms of F = 1, so that no strike leaves the range of doubles. */
    hg_sabr unit = slice->sabr;
    unit.alpha *= hg_exp_held((unit.beta - 1.0) * hg_b76_ln_ratio(slice->forward, 1.0));
    if (hg_sabr_vol(&unit, 1.0, hg_exp_held(held), slice->t, &vol) != HG_OK) return 0.0;
    return vol * vol * slice->t;
}

/* Where a time lies: w is w[lo] (1 - share) + w[hi] share, or beyond an end. */
typedef struct place {
    int lo, hi;
    double share;
} place;

static place place_find(const hg_surface *s, double t) {
    int hi = 0;
    while (hi < s->n && s->slices[hi].t < t) hi++;
    if (hi == 0) return (place){0, 0, 0.0};
    if (hi == s->n) return (place){s->n - 1, s->n - 1, 0.0};
    double t_lo = s->slices[hi - 1].t;
    return (place){hi - 1, hi, (t - t_lo) / (s->slices[hi].t - t_lo)};
}

static double surface_w(const hg_surface *s, double k, double t) {
    place p = place_find(s, t);
    double w = slice_w(s, p.lo, k);
    if (p.hi != p.lo) return w + p.share * (slice_w(s, p.hi, k) - w);
    double t_end = s->slices[p.lo].t;
    if (t <= t_end) return w * (t / t_end);
    return w + (t - t_end) * slice_w(s, p.lo, 0.0) / t_end;
}

static bool is_readable(const hg_surface *s, double k, double t) {
    return s->n >= 1 && s->n <= HG_SURFACE_SLICES_MAX && fabs(k) <= HG_SMILE_K_MAX && t > 0.0 &&
           t <= YEARS_MAX;
}

int hg_surface_total_variance(const hg_surface *s, double k, double t, double *w) {
    if (!is_readable(s, k, t)) return HG_GREEKS_BAD_INPUT;
    *w = surface_w(s, k, t);
    return HG_OK;
}

int hg_surface_forward(const hg_surface *s, double t, double *forward) {
    if (!is_readable(s, 0.0, t)) return HG_GREEKS_BAD_INPUT;
    place p = place_find(s, t);
    double near = s->slices[p.lo].forward;
    double far = s->slices[p.hi].forward;
    *forward = near * hg_exp_held(p.share * hg_b76_ln_ratio(far, near));
    return HG_OK;
}

static int strike_place(const hg_surface *s, double t, double strike, double *k) {
    double f;
    if (!(strike > 0.0 && strike <= DBL_MAX) || hg_surface_forward(s, t, &f) != HG_OK) {
        return HG_GREEKS_BAD_INPUT;
    }
    *k = -hg_b76_ln_ratio(f, strike);
    return fabs(*k) <= HG_SMILE_K_MAX ? HG_OK : HG_GREEKS_BAD_INPUT;
}

int hg_surface_iv(const hg_surface *s, double t, double strike, double *sigma) {
    double k;
    if (strike_place(s, t, strike, &k) != HG_OK) return HG_GREEKS_BAD_INPUT;
    *sigma = sqrt(surface_w(s, k, t) / t);
    return HG_OK;
}

/* By a central difference over a hundredth of a deviation: error (h/deviation)^2. */
static double vol_slope(const hg_surface *s, double k, double t) {
    double h = 1e-3 * v_max(sqrt(surface_w(s, k, t)), 1e-6);
    double up = sqrt(surface_w(s, k + h, t) / t);
    double down = sqrt(surface_w(s, k - h, t) / t);
    return (up - down) / (2.0 * h);
}

int hg_surface_iv_slope(const hg_surface *s, double t, double strike, double *slope) {
    double k;
    if (strike_place(s, t, strike, &k) != HG_OK) return HG_GREEKS_BAD_INPUT;
    *slope = vol_slope(s, k, t);
    return HG_OK;
}

/* g by differences, for the model that is no hyperbola. */
static double numeric_g(const hg_surface *s, int i, double k, double h) {
    double w = slice_w(s, i, k);
    double up = slice_w(s, i, k + h);
    double down = slice_w(s, i, k - h);
    if (!(w > 0.0)) return -1.0;
    double w1 = (up - down) / (2.0 * h);
    double w2 = (up - 2.0 * w + down) / (h * h);
    double lean = 1.0 - 0.5 * k * w1 / w;
    return hg_b76_saturate(lean * lean - 0.25 * w1 * w1 * (1.0 / w + 0.25) + 0.5 * w2);
}

enum { NUMERIC_STEPS = 120 };

static void numeric_check(const hg_surface *s, int i, double *g_min, double *gap) {
    double deviation = sqrt(slice_w(s, i, 0.0));
    *g_min = DBL_MAX;
    *gap = DBL_MAX;
    for (int j = -NUMERIC_STEPS; j <= NUMERIC_STEPS; j++) {
        double k = 6.0 * deviation * j / NUMERIC_STEPS;
        *g_min = v_min(*g_min, numeric_g(s, i, k, 0.01 * deviation));
        if (i > 0) *gap = v_min(*gap, slice_w(s, i, k) - slice_w(s, i - 1, k));
    }
}

/* The least g of slice i, and its least distance from the one before less the rounding allowed. */
static int slice_check(const hg_surface *s, int i, double *g_min, double *gap, double *allowed) {
    *allowed = 1e-12;
    if (s->model == HG_SURFACE_SABR) {
        numeric_check(s, i, g_min, gap);
        return HG_OK;
    }
    hg_svi_butterfly b;
    double k_at;
    int code = hg_svi_butterfly_check(&s->slices[i].svi, &b);
    if (code != HG_OK) return code;
    *g_min = b.slope < 2.0 ? b.g_min : v_min(b.g_min, -1.0);
    *gap = DBL_MAX;
    if (i == 0) return HG_OK;
    code = hg_svi_calendar_gap(&s->slices[i - 1].svi, &s->slices[i].svi, -HG_SMILE_K_MAX,
                               HG_SMILE_K_MAX, gap, &k_at);
    *allowed *= 1.0 + fabs(k_at);
    return code;
}

int hg_surface_is_free_of_arbitrage(const hg_surface *s, hg_surface_check *out) {
    if (!is_readable(s, 0.0, 1.0)) return HG_GREEKS_BAD_INPUT;
    hg_surface_check c = {true, -1, -1, DBL_MAX, DBL_MAX};
    for (int i = 0; i < s->n; i++) {
        double g_min;
        double gap;
        double allowed;
        int code = slice_check(s, i, &g_min, &gap, &allowed);
        if (code != HG_OK) return code;
        if (g_min < -1e-9 && c.butterfly_at < 0) c.butterfly_at = i;
        if (gap < -allowed && c.calendar_at < 0) c.calendar_at = i;
        c.g_min = v_min(c.g_min, g_min);
        c.gap_min = v_min(c.gap_min, gap);
    }
    c.is_free = c.butterfly_at < 0 && c.calendar_at < 0;
    *out = c;
    return HG_OK;
}

/* z with N(z) = 0.75. */
#define Z_25 0.67448975019608174320

/*
 * k with d1 = -k/s + s/2 = z, s = sqrt(w(k)). d1 falls in k on a smile free of arbitrage (Fukasawa
 * 2012); bisection finds a crossing on any.
 */
static bool delta_strike(const hg_surface *s, double t, double z, double *found) {
    double reach = 2.0 * sqrt(surface_w(s, 0.0, t));
    double lo = 0.0;
    double hi = 0.0;
    bool ok = false;
    for (int i = 0; i < 12 && !ok; i++, reach *= 2.0) {
        lo = v_max(-reach, -HG_SMILE_K_MAX);
        hi = v_min(reach, HG_SMILE_K_MAX);
        double s_lo = sqrt(surface_w(s, lo, t));
        double s_hi = sqrt(surface_w(s, hi, t));
        ok = s_lo > 0.0 && s_hi > 0.0 && -lo / s_lo + 0.5 * s_lo > z && -hi / s_hi + 0.5 * s_hi < z;
    }
    for (int i = 0; i < 60 && ok; i++) {
        double k = 0.5 * (lo + hi);
        double root = sqrt(surface_w(s, k, t));
        if (!(root > 0.0)) return false;
        *(-k / root + 0.5 * root > z ? &lo : &hi) = k;
    }
    *found = 0.5 * (lo + hi);
    return ok;
}

int hg_surface_skew_at(const hg_surface *s, double t, hg_surface_skew *out) {
    if (!is_readable(s, 0.0, t)) return HG_GREEKS_BAD_INPUT;
    double w = surface_w(s, 0.0, t);
    hg_surface_skew o = {.atm_vol = sqrt(w / t), .slope = vol_slope(s, 0.0, t)};
    bool ok = w > 0.0 && delta_strike(s, t, -Z_25, &o.k_call_25) &&
              delta_strike(s, t, Z_25, &o.k_put_25);
    if (!ok) return HG_GREEKS_BAD_INPUT;
    o.call_25 = sqrt(surface_w(s, o.k_call_25, t) / t);
    o.put_25 = sqrt(surface_w(s, o.k_put_25, t) / t);
    o.risk_reversal = o.call_25 - o.put_25;
    o.butterfly = 0.5 * (o.call_25 + o.put_25) - o.atm_vol;
    /* The rate within the interval that ends at or contains t. */
    double before = t * (1.0 - 1e-6);
    double rate = (w - surface_w(s, 0.0, before)) / (t - before);
    o.forward_vol = sqrt(v_max(rate, 0.0));
    o.term_slope = 0.5 * (rate - w / t) / (o.atm_vol * t);
    *out = o;
    return HG_OK;
}

static bool has_side(double price) {
    return price > 0.0 && price <= DBL_MAX;
}

int hg_surface_judge(const hg_surface *s, double t, double f, const hg_smile_quote *q,
                     hg_surface_rich *out) {
    hg_surface_rich o = {.has_bid = has_side(q->bid), .has_ask = has_side(q->ask)};
    if (!has_side(f) || !has_side(q->strike)) return HG_GREEKS_BAD_INPUT;
    double k = -hg_b76_ln_ratio(f, q->strike);
    if (!is_readable(s, k, t)) return HG_GREEKS_BAD_INPUT;
    o.fit_vol = sqrt(surface_w(s, k, t) / t);
    int code = hg_black76_price(f, q->strike, t, o.fit_vol, q->cp, 0.0, &o.fit_price);
    if (code != HG_OK) return code;
    if (o.has_ask) o.buy_edge = o.fit_price - q->ask;
    if (o.has_bid) o.sell_edge = q->bid - o.fit_price;
    if (o.has_bid && o.has_ask) {
        double mid = 0.5 * q->bid + 0.5 * q->ask;
        o.price = mid - o.fit_price;
        o.widths = hg_b76_saturate(o.price / v_max(0.5 * fabs(q->ask - q->bid), 1e-12 * f));
        code = hg_implied_vol(mid, f, q->strike, t, q->cp, 0.0, &o.mid_vol);
        if (code != HG_OK) return code;
        o.vol = o.mid_vol - o.fit_vol;
    }
    *out = o;
    return HG_OK;
}
