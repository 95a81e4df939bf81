/* Exposure with deltas that know that the smile moves with the forward. The plain answer is asked
 * first and only the deltas of its options are corrected: some 100 ns for each, when asked.
 *
 * Everything but delta keeps its value: gamma, vega and the rest are those of Black-76 at the
 * option's own vol. */
#include "base/assert.h"
#include "base/clock.h"
#include "base/text.h"
#include "market/live_surface.h"
#include "portfolio/portfolio_int.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const hg_delta_rule_names[HG_DELTA_RULES + 1] = {"bs",
                                                             "sticky_strike",
                                                             "sticky_delta",
                                                             "sticky_tree",
                                                             "skew_stickiness",
                                                             "bartlett",
                                                             "min_variance",
                                                             NULL};

/* What all options of one answer share. */
typedef struct ruler {
    hg_delta_rule rule;
    double ssr;
    double since;                /* years from the surface to the columns */
    const hg_live_surface *live; /* NULL: not needed, or there is none */
    const hg_smile_dynamics *dynamics;
} ruler;

static bool needs_surface(hg_delta_rule rule) {
    return rule == HG_DELTA_STICKY_DELTA || rule == HG_DELTA_STICKY_TREE ||
           rule == HG_DELTA_SKEW_STICKINESS || rule == HG_DELTA_BARTLETT;
}

static double ssr_of(hg_delta_rule rule, const hg_smile_dynamics *dynamics) {
    switch (rule) {
    case HG_DELTA_STICKY_DELTA:
        return HG_SSR_STICKY_DELTA;
    case HG_DELTA_STICKY_TREE:
        return HG_SSR_STICKY_TREE;
    case HG_DELTA_SKEW_STICKINESS:
        return hg_ssr_get(&dynamics->ssr).ssr;
    default:
        return HG_SSR_STICKY_STRIKE;
    }
}

/* The slope of the smile at the option's expiry and moneyness of now: the surface's times and
 * forwards may be of a moment ago. */
static bool slope_correction(const ruler *r, const hg_book *b, uint32_t i, double *out) {
    double then = 0;
    double slope = 0;
    double delta = 0;
    double t = b->t[i] + r->since;
    if (hg_surface_forward(&r->live->surface, t, &then) != HG_OK ||
        hg_surface_iv_slope(&r->live->surface, t, b->k[i] * (then / b->f[i]), &slope) != HG_OK ||
        hg_smile_delta(b->delta[i], b->vega[i], slope, b->f[i], r->ssr, &delta) != HG_OK) {
        return false;
    }
    *out = delta - b->delta[i];
    return true;
}

/* Of the slice nearest in time. SABR here has beta 1: it knows no scale, and F is that of now. */
static bool bartlett_correction(const ruler *r, const hg_book *b, uint32_t i, double *out) {
    const hg_surface *s = &r->live->surface;
    hg_sabr_delta d;
    double t = b->t[i] + r->since;
    int near = 0;
    for (int n = 1; n < s->n; n++) {
        if (fabs(s->slices[n].t - t) < fabs(s->slices[near].t - t)) {
            near = n;
        }
    }
    int cp = b->cp[i] > 0 ? 1 : -1;
    if (hg_sabr_deltas(&s->slices[near].sabr, b->f[i], b->k[i], b->t[i], cp, &d) != HG_OK) {
        return false;
    }
    *out = d.bartlett - d.black;
    return true;
}

static bool learnt_correction(const ruler *r, const hg_book *b, uint32_t i, double *out) {
    const hg_min_variance *mv = &r->dynamics->min_variance[b->cp[i] > 0];
    double delta = 0;
    if (hg_min_variance_delta(mv, b->delta[i], b->vega[i], b->t[i], b->f[i], &delta) != HG_OK) {
        return false;
    }
    *out = delta - b->delta[i];
    return true;
}

/* What the rule adds to Black's delta of one option. At its expiry there is no smile any more. */
static bool correction(const ruler *r, const hg_book *b, uint32_t i, double *out) {
    *out = 0;
    if (!(b->t[i] > 0) || !(b->vega[i] > 0)) {
        return true;
    }
    if (r->rule == HG_DELTA_MIN_VARIANCE) {
        return learnt_correction(r, b, i, out);
    }
    if (!r->live) {
        return false;
    }
    return r->rule == HG_DELTA_BARTLETT ? bartlett_correction(r, b, i, out)
                                        : slope_correction(r, b, i, out);
}

static void degrade(hg_exposure *x, hg_quality quality, const char *why) {
    size_t used = strlen(x->reasons);
    if (quality > x->quality) {
        x->quality = quality;
    }
    snprintf(x->reasons + used, sizeof x->reasons - used, "%s%s", used > 0 ? ", " : "", why);
}

/* Options held or pending whose delta could not be corrected. */
static uint32_t options_correct(const ruler *r, const hg_book *b, hg_exposure *x) {
    uint32_t failed = 0;
    for (uint32_t i = 0; i < b->options; i++) {
        double add;
        if (!b->used[i]) {
            continue;
        }
        if (!correction(r, b, i, &add) || !isfinite(add)) {
            failed++;
            continue;
        }
        add *= hg_book_group(b, i)->open; /* of a move only this share arrives */
        /* The bounds take the corrected delta in place of Black's: both parts of each side. */
        double black = b->delta[i];
        double held = b->held[i] * add;
        double sides[2] = {b->buy[i], -b->sell[i]};
        x->delta_filled += held;
        x->delta += held;
        x->delta_net += held;
        x->pending_lo += held;
        x->pending_hi += held;
        for (int side = 0; side < 2; side++) {
            double was = sides[side] * black;
            double is = sides[side] * (black + add);
            x->delta += is - was;
            x->delta_net += is - was;
            x->pending_hi += (is > 0 ? is : 0) - (was > 0 ? was : 0);
            x->pending_lo += (is < 0 ? is : 0) - (was < 0 ? was : 0);
        }
    }
    x->delta_usd = x->delta * x->spot;
    return failed;
}

static void surface_grade(hg_exposure *x, const ruler *r, int64_t now_ns) {
    char reasons[80];
    if (hg_live_quality(&r->live->state, now_ns, reasons, sizeof reasons) == HG_QUALITY_STALE) {
        degrade(x, HG_QUALITY_STALE, reasons);
    }
}

static ruler ruler_make(const hg_portfolio *p, uint32_t underlying, hg_delta_rule rule,
                        int64_t now_ns) {
    ruler r = {.rule = rule, .dynamics = hg_market_dynamics(p->market, underlying)};
    r.ssr = ssr_of(rule, r.dynamics);
    if (needs_surface(rule)) {
        hg_surface_model model = rule == HG_DELTA_BARTLETT ? HG_SURFACE_SABR : HG_SURFACE_ESSVI;
        r.live = hg_market_surface(p->market, underlying, model, now_ns);
        int64_t since_ns = r.live ? p->books[underlying].time_ns - r.live->time_ns : 0;
        r.since = (double)since_ns / (double)HG_NS_PER_YEAR;
    }
    return r;
}

const hg_exposure *hg_portfolio_exposure_by_rule(hg_portfolio *p, uint32_t underlying,
                                                 hg_delta_rule rule, int64_t now_ns) {
    hg_assert(rule < HG_DELTA_RULES);
    const hg_exposure *plain = hg_portfolio_exposure(p, underlying, now_ns);
    const hg_book *b = &p->books[underlying];
    if (rule <= HG_DELTA_STICKY_STRIKE || b->options == 0) {
        return plain;
    }
    ruler r = ruler_make(p, underlying, rule, now_ns);
    p->ruled = *plain;
    p->ruled.version = 0;
    uint32_t failed = options_correct(&r, b, &p->ruled);
    if (failed > 0) {
        degrade(&p->ruled, HG_QUALITY_PARTIAL, r.live ? "delta outside the rule" : "no surface");
    } else if (r.live) {
        surface_grade(&p->ruled, &r, now_ns);
    }
    return &p->ruled;
}

double hg_portfolio_delta_by_rule(hg_portfolio *p, uint32_t id, hg_lots lots, hg_delta_rule rule,
                                  int64_t now_ns) {
    hg_assert(rule < HG_DELTA_RULES);
    double delta = hg_portfolio_delta_of(p, id, lots, now_ns);
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    uint32_t column = p->holdings[id].column;
    if (rule <= HG_DELTA_STICKY_STRIKE || inst->kind != HG_KIND_OPTION || column == HG_ID_NONE) {
        return delta;
    }
    const hg_book *b = &p->books[inst->underlying_id];
    ruler r = ruler_make(p, inst->underlying_id, rule, now_ns);
    double add;
    if (!correction(&r, b, column, &add) || !isfinite(add)) {
        return delta;
    }
    double coins = (double)lots * ((double)inst->lot / 1e9);
    return delta + coins * hg_book_group(b, column)->open * add;
}
