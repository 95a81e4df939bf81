/* How a smile moves with its forward, learnt from event time. A sample is one expiry's vols near
 * the money, each at the moneyness it was told at, and an eSSVI slice through them: some 30 us
 * every 5 minutes of event time. */
#include "base/assert.h"
#include "base/clock.h"
#include "greeks/black76.h"
#include "market/smile_int.h"

#include <math.h>

#define TARGET_NS (30 * HG_NS_PER_DAY)
#define NEAREST_NS (2 * HG_NS_PER_DAY) /* nearer expiries swing too much */
#define HALF_LIFE 288.0                /* samples: a day */
#define SSR_PRIOR HG_SSR_STICKY_STRIKE
#define SSR_PRIOR_WEIGHT 36.0
#define STRIKES_LEAST 5
#define VOL_ERROR 0.005

void hg_dynamics_init(hg_smiles *s, uint32_t underlyings) {
    for (uint32_t u = 0; u < underlyings; u++) {
        hg_smile_dynamics *d = &s->dynamics[u];
        int ssr = hg_ssr_init(&d->ssr, HALF_LIFE, SSR_PRIOR, SSR_PRIOR_WEIGHT);
        int puts = hg_min_variance_init(&d->min_variance[0], HALF_LIFE * HG_SAMPLE_MAX);
        int calls = hg_min_variance_init(&d->min_variance[1], HALF_LIFE * HG_SAMPLE_MAX);
        hg_assert(ssr == HG_OK && puts == HG_OK && calls == HG_OK);
        s->past[u].expiry_id = HG_ID_NONE;
    }
}

const hg_smile_dynamics *hg_market_dynamics(const hg_market *m, uint32_t underlying) {
    return &m->smiles->dynamics[underlying];
}

/* The expiry nearest to 30 days, or HG_ID_NONE. */
static uint32_t expiry_choose(const hg_market *m, uint32_t underlying, int64_t now_ns) {
    uint32_t best = HG_ID_NONE;
    int64_t best_ns = INT64_MAX;
    for (uint32_t e = 0; e < hg_universe_expiry_count(m->universe); e++) {
        const hg_expiry *expiry = hg_universe_expiry(m->universe, e);
        int64_t left_ns = expiry->time_ns - now_ns;
        int64_t off_ns = left_ns > TARGET_NS ? left_ns - TARGET_NS : TARGET_NS - left_ns;
        if (expiry->underlying == underlying && left_ns >= NEAREST_NS && off_ns < best_ns &&
            m->forwards[e].count > 0) {
            best = e;
            best_ns = off_ns;
        }
    }
    return best;
}

typedef struct strike {
    double k, vol, forward;
    uint32_t id;
} strike;

/* Keeps the HG_SAMPLE_MAX nearest to the money, nearest first. */
static void strike_add(strike *list, uint32_t *count, strike s) {
    uint32_t at = *count;
    while (at > 0 && fabs(list[at - 1].k) > fabs(s.k)) {
        at--;
    }
    if (at == HG_SAMPLE_MAX) {
        return;
    }
    uint32_t last = *count < HG_SAMPLE_MAX ? *count : HG_SAMPLE_MAX - 1;
    for (uint32_t i = last; i > at; i--) {
        list[i] = list[i - 1];
    }
    list[at] = s;
    *count += *count < HG_SAMPLE_MAX;
}

/* Out of the money options with a vol of their own, told since `since_ns`: events of that moment
 * come after the sample of it. */
static uint32_t strikes_read(const hg_market *m, uint32_t expiry, int64_t since_ns, strike *list) {
    const hg_forward_state *f = &m->forwards[expiry];
    uint32_t count = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t id = m->by_expiry[f->first + i];
        const hg_instrument *inst = hg_universe_get(m->universe, id);
        double at = m->anchors[id].forward;
        double k = log(hg_nano_to_double(inst->strike) / at);
        if (!(at > 0) || inst->cp * k < 0 || m->states[id].settled) {
            continue;
        }
        double vol;
        int64_t time_ns;
        hg_iv_source source = hg_market_iv(m, id, &vol, &time_ns);
        bool own = source == HG_IV_MARK || source == HG_IV_IMPLIED;
        if (own && time_ns >= since_ns && vol > 0.01 && vol < 10) {
            strike_add(list, &count, (strike){k, vol, at, id});
        }
    }
    return count;
}

/* The smile through the strikes: at-the-money vol and its slope. */
static bool smile_read(const strike *list, uint32_t count, double t, double *atm, double *slope) {
    hg_smile_point points[HG_SAMPLE_MAX];
    hg_essvi slice;
    for (uint32_t i = 0; i < count; i++) {
        double w = list[i].vol * list[i].vol * t;
        points[i] = (hg_smile_point){list[i].k, w, 2 * list[i].vol * t * VOL_ERROR, HG_SMILE_BOTH};
    }
    if (count < STRIKES_LEAST ||
        hg_essvi_fit_slice(points, (int)count, NULL, NULL, NULL, &slice, NULL) != HG_OK) {
        return false;
    }
    *atm = sqrt(slice.theta / t);
    *slope = slice.rho * slice.psi / (2 * sqrt(slice.theta * t));
    return true;
}

/* What each strike's calls and puts gained beyond Black's delta, time standing still. */
static void options_learn(const hg_market *m, hg_smile_dynamics *d, const hg_smile_past *past,
                          const strike *now, double forward) {
    for (uint32_t i = 0; i < past->count; i++) {
        if (past->at[i].id != now->id) {
            continue;
        }
        double k = hg_nano_to_double(hg_universe_get(m->universe, now->id)->strike);
        for (int side = 0; side < 2; side++) {
            hg_greeks before;
            double after;
            int cp = side ? 1 : -1;
            if (hg_black76_all(past->forward, k, past->t, past->at[i].vol, cp, 0, &before) ==
                    HG_OK &&
                hg_black76_price(forward, k, past->t, now->vol, cp, 0, &after) == HG_OK) {
                int rc = hg_min_variance_update(&d->min_variance[side], before.delta, before.vega,
                                                past->t, past->forward, after - before.price,
                                                forward - past->forward);
                (void)rc; /* what is out of its bounds teaches nothing */
            }
        }
    }
}

static void compare(const hg_market *m, hg_smile_dynamics *d, const hg_smile_past *past,
                    const strike *list, uint32_t count, const hg_smile_past *now) {
    int rc = hg_ssr_update(&d->ssr, log(now->forward / past->forward), now->atm - past->atm,
                           past->slope);
    if (rc != HG_OK) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        options_learn(m, d, past, &list[i], now->forward);
    }
    d->samples++;
    d->time_ns = now->time_ns;
}

void hg_dynamics_sample(const hg_market *m, uint32_t underlying, int64_t now_ns) {
    hg_smile_past *past = &m->smiles->past[underlying];
    strike list[HG_SAMPLE_MAX];
    uint32_t expiry = expiry_choose(m, underlying, now_ns);
    bool follows = expiry == past->expiry_id;
    if (expiry == HG_ID_NONE) {
        return;
    }
    hg_smile_past now = {.expiry_id = expiry, .time_ns = now_ns};
    now.t = hg_market_years(hg_universe_expiry(m->universe, expiry)->time_ns, now_ns);
    now.count = strikes_read(m, expiry, follows ? past->time_ns : 0, list);
    if (!smile_read(list, now.count, now.t, &now.atm, &now.slope)) {
        return;
    }
    now.forward = list[0].forward;
    for (uint32_t i = 0; i < now.count; i++) {
        now.at[i] = (hg_smile_sample){list[i].id, list[i].vol};
    }
    if (follows) {
        compare(m, &m->smiles->dynamics[underlying], past, list, now.count, &now);
    }
    *past = now;
}
