/* Fitting the surface of an underlying to the market, when asked. See live_surface.h for what it is
 * a fit to and why the answer does not depend on who asked before. */
#include "market/live_surface.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "greeks/black76.h"
#include "market/smile_int.h"

#define FRESH_NS (60 * HG_NS_PER_S) /* a period that began with older prices counts as empty */
#define STALE_S 600.0
#define STALE_NS (600 * HG_NS_PER_S)
#define STALE_SHARE 20.0 /* ... and this part of the time to expiry */
#define MARK_WEIGHT 0.04 /* 0.1 vol points, the least error, become half a point */
#define RATIO_UNIT 1e9   /* ratios of forward to spot are read to this: free of rounding */

/* The market now (NULL) or as it stood when a period began. */
typedef const hg_smile_layer *view;

static void input_at(const hg_market *m, view layer, uint32_t id, hg_smile_input *in) {
    if (layer && layer->kept_in[id] == layer->epoch) {
        *in = layer->kept[id];
    } else {
        hg_smile_input_read(m, id, in);
    }
}

static int64_t seen_ns(const hg_smile_input *in) {
    int64_t quote_ns = in->bid > 0 || in->ask > 0 ? in->quote_ns : 0;
    int64_t mark_ns = in->iv > 0 || in->mark > 0 ? in->mark_ns : 0;
    return quote_ns > mark_ns ? quote_ns : mark_ns;
}

static double ratio_of(const hg_market *m, view layer, uint32_t underlying, uint32_t expiry) {
    double spot = layer ? layer->spots[underlying] : m->spots[underlying].spot;
    double f = layer ? layer->forwards[expiry] : hg_market_forward(m, expiry, NULL);
    return spot > 0 && f > 0 ? nearbyint(f / spot * RATIO_UNIT) / RATIO_UNIT : 0;
}

static bool has_options(const hg_market *m, uint32_t underlying, uint32_t expiry) {
    return hg_universe_expiry(m->universe, expiry)->underlying == underlying &&
           m->forwards[expiry].count > 0;
}

/* The newest price of the underlying's options and the spot at that time. */
static int64_t newest_find(const hg_market *m, uint32_t underlying, view layer, double *spot) {
    int64_t newest_ns = 0;
    for (uint32_t e = 0; e < hg_universe_expiry_count(m->universe); e++) {
        const hg_forward_state *f = &m->forwards[e];
        for (uint32_t i = 0; i < f->count && has_options(m, underlying, e); i++) {
            hg_smile_input in;
            input_at(m, layer, m->by_expiry[f->first + i], &in);
            if (seen_ns(&in) > newest_ns) {
                newest_ns = seen_ns(&in);
                *spot = in.quote_ns == newest_ns ? in.quote_spot : 0;
            }
        }
    }
    return newest_ns;
}

/* The expiries after `time_ns` that have options, nearest first; the farthest give way. */
static void expiries_find(const hg_market *m, uint32_t underlying, hg_live_surface *live) {
    live->expiries = 0;
    live->state.expiries = 0;
    live->state.left_out = 0;
    for (uint32_t e = 0; e < hg_universe_expiry_count(m->universe); e++) {
        int64_t time_ns = hg_universe_expiry(m->universe, e)->time_ns;
        if (!has_options(m, underlying, e) || time_ns <= live->time_ns) {
            continue;
        }
        int at = live->expiries;
        while (at > 0 && live->expiry[at - 1].time_ns > time_ns) {
            at--;
        }
        bool full = live->expiries == HG_SURFACE_SLICES_MAX;
        live->state.expiries++;
        live->state.left_out += full;
        if (full && at == HG_SURFACE_SLICES_MAX) {
            continue;
        }
        int moved = live->expiries - at - full;
        memmove(&live->expiry[at + 1], &live->expiry[at], (size_t)moved * sizeof *live->expiry);
        live->expiry[at] = (hg_live_expiry){
            .expiry_id = e,
            .time_ns = time_ns,
            .t = hg_market_years(time_ns, live->time_ns),
            .slice = -1,
        };
        live->expiries += !full;
    }
}

/* Seconds older than the newest, stretched near the expiry so that STALE_S is the limit there too.
 */
static double age_of(const hg_live_surface *live, const hg_live_expiry *e, int64_t time_ns) {
    double left_s = (double)(e->time_ns - live->time_ns) / 1e9;
    double age_s = (double)(live->state.newest_ns - time_ns) / 1e9;
    return age_s * fmax(1.0, STALE_S * STALE_SHARE / left_s);
}

/* The mark as a quote without width; out of the money only, where its twin says the same. */
static bool mark_make(const hg_instrument *inst, const hg_live_expiry *e, const hg_smile_input *in,
                      hg_smile_quote *q) {
    double strike = hg_nano_to_double(inst->strike);
    double f = in->mark_forward;
    double price = 0;
    if (!(f > 0) || inst->cp * (strike - f) < 0) {
        return false;
    }
    q->strike = strike / f;
    if (in->iv > 0 && hg_black76_price(1.0, q->strike, e->t, hg_nano_to_double(in->iv), inst->cp, 0,
                                       &price) != HG_OK) {
        return false;
    }
    if (in->iv <= 0) {
        price = hg_nano_to_double(in->mark) / (inst->inverse ? 1 : f);
    }
    q->bid = q->ask = price;
    q->weight = MARK_WEIGHT;
    return price > 0;
}

/* In units of the forward that the price was made at. False: the option says nothing. */
static bool quote_make(const hg_market *m, const hg_live_surface *live, const hg_live_expiry *e,
                       double ratio, uint32_t id, const hg_smile_input *in, hg_smile_quote *q) {
    const hg_instrument *inst = hg_universe_get(m->universe, id);
    bool two_sided = in->bid > 0 && in->ask > 0;
    bool old = age_of(live, e, in->quote_ns) > STALE_S;
    *q = (hg_smile_quote){.cp = inst->cp, .weight = 1};
    if (!two_sided || old) {
        bool marked = in->iv > 0 || in->mark > 0;
        if (marked && age_of(live, e, in->mark_ns) <= STALE_S && mark_make(inst, e, in, q)) {
            q->age_s = age_of(live, e, in->mark_ns);
            return true;
        }
    }
    if (in->bid <= 0 && in->ask <= 0) {
        return false;
    }
    double f = in->quote_spot > 0 && ratio > 0 ? ratio * in->quote_spot : e->forward;
    double unit = (double)inst->tick / 1e9 / (inst->inverse ? 1 : f);
    q->strike = hg_nano_to_double(inst->strike) / f;
    q->bid = (double)in->bid * unit;
    q->ask = (double)in->ask * unit;
    q->age_s = age_of(live, e, in->quote_ns);
    q->weight = 1;
    return f > 0;
}

static void quotes_gather(const hg_market *m, view layer, hg_smile_fit *fit) {
    hg_live_surface *live = &fit->live;
    hg_smiles *s = m->smiles;
    live->count = 0;
    for (int i = 0; i < live->expiries; i++) {
        hg_live_expiry *e = &live->expiry[i];
        const hg_forward_state *f = &m->forwards[e->expiry_id];
        e->first = live->count;
        for (uint32_t n = 0; n < f->count && e->forward > 0; n++) {
            hg_smile_input in;
            uint32_t id = m->by_expiry[f->first + n];
            input_at(m, layer, id, &in);
            if (quote_make(m, live, e, fit->ratio[i], id, &in, &s->quotes[live->count])) {
                s->ids[live->count++] = id;
            }
        }
        e->count = live->count - e->first;
    }
    live->quotes = s->quotes;
    live->ids = s->ids;
    s->quotes_of = fit;
}

/* The slices back to their expiries and forwards. */
static void slices_place(hg_live_surface *live) {
    for (int i = 0; i < live->expiries; i++) {
        hg_live_expiry *e = &live->expiry[i];
        e->slice = -1;
        for (int j = 0; j < live->surface.n && e->slice < 0; j++) {
            if (live->surface.slices[j].key == e->time_ns) {
                e->slice = j;
                live->surface.slices[j].forward = e->forward;
            }
        }
        live->state.left_out += e->slice < 0 && e->count > 0;
    }
}

/* Reads what there is to fit, quotes into the room they share. False, and nothing touched, when no
 * price is fresh enough for a period. */
static bool inputs_read(const hg_market *m, uint32_t underlying, view layer, hg_smile_fit *fit) {
    hg_live_surface *live = &fit->live;
    double spot = 0;
    int64_t newest_ns = newest_find(m, underlying, layer, &spot);
    if (newest_ns <= 0 || (layer && layer->begin_ns - newest_ns > FRESH_NS)) {
        return false;
    }
    live->state.newest_ns = newest_ns;
    live->time_ns = layer ? layer->begin_ns : live->state.newest_ns;
    if (layer || !(spot > 0)) {
        spot = layer ? layer->spots[underlying] : m->spots[underlying].spot;
    }
    expiries_find(m, underlying, live);
    for (int i = 0; i < live->expiries; i++) {
        hg_live_expiry *e = &live->expiry[i];
        fit->ratio[i] = ratio_of(m, layer, underlying, e->expiry_id);
        e->forward = fit->ratio[i] > 0 ? fit->ratio[i] * spot
                     : layer           ? layer->forwards[e->expiry_id]
                                       : hg_market_forward(m, e->expiry_id, NULL);
    }
    quotes_gather(m, layer, fit);
    return true;
}

/* `start` or NULL. */
static void fit_make(const hg_market *m, hg_surface_model model, const hg_smile_fit *start,
                     hg_smile_fit *fit) {
    hg_live_surface *live = &fit->live;
    hg_surface_expiry chain[HG_SURFACE_SLICES_MAX];
    hg_surface_options options = hg_surface_options_default();
    int n = 0;
    options.model = model;
    options.filter.age_s_max = STALE_S;
    live->filter = options.filter;
    for (int i = 0; i < live->expiries; i++) {
        const hg_live_expiry *e = &live->expiry[i];
        if (e->count > 0) {
            chain[n++] = (hg_surface_expiry){e->time_ns, e->t, 1.0, &live->quotes[e->first],
                                             (int)e->count};
        }
    }
    live->surface.n = 0;
    if (start) {
        live->surface = start->live.surface;
    }
    fit->good = n > 0 &&
                hg_surface_fit(chain, n, &options, m->smiles->work, &live->surface) == HG_OK;
    live->version = ++m->smiles->versions;
    if (fit->good) {
        slices_place(live);
    }
}

/* The cold fit of the longer period, where a search may start; NULL: there is none. */
static const hg_smile_fit *anchor_get(const hg_market *m, uint32_t underlying,
                                      hg_surface_model model) {
    view layer = &m->smiles->layer[HG_LAYER_ANCHOR];
    hg_smile_fit *fit = &m->smiles->anchors[underlying * HG_SURFACE_MODELS + (uint32_t)model];
    if (fit->epoch != layer->epoch) {
        fit->epoch = layer->epoch;
        fit->good = false;
        if (inputs_read(m, underlying, layer, fit)) {
            fit_make(m, model, NULL, fit);
        }
    }
    return fit->good ? fit : NULL;
}

static bool ratios_hold(const hg_market *m, uint32_t underlying, const hg_smile_fit *fit) {
    for (int i = 0; i < fit->live.expiries; i++) {
        if (fit->ratio[i] != ratio_of(m, NULL, underlying, fit->live.expiry[i].expiry_id)) {
            return false;
        }
    }
    return true;
}

static bool fit_near(const hg_market *m, uint32_t underlying, hg_surface_model model,
                     hg_smile_fit *fit) {
    view layer = &m->smiles->layer[HG_LAYER_NEAR];
    if (fit->epoch == layer->epoch || fit->epoch_empty == layer->epoch) {
        return fit->epoch == layer->epoch;
    }
    const hg_smile_fit *start = anchor_get(m, underlying, model);
    bool touched = inputs_read(m, underlying, layer, fit);
    if (touched) {
        fit_make(m, model, start, fit);
    }
    if (touched && fit->good) {
        fit->epoch = layer->epoch;
        return true;
    }
    if (touched || fit->epoch != 0) {
        fit->epoch = 0;
        fit->inputs = 0; /* no fit to the market of now: it has spoken at least once */
    }
    fit->epoch_empty = layer->epoch;
    return false;
}

const hg_live_surface *hg_market_surface(const hg_market *m, uint32_t underlying,
                                         hg_surface_model model, int64_t now_ns) {
    hg_assert(underlying < hg_universe_underlying_count(m->universe));
    hg_smiles *s = m->smiles;
    hg_smile_fit *fit = &s->fits[underlying * HG_SURFACE_MODELS + (uint32_t)model];
    if (s->inputs[underlying] == 0) {
        return NULL; /* no option has ever spoken */
    }
    if (now_ns >= s->roll_ns) {
        hg_smiles_roll(m, now_ns);
    }
    if (fit_near(m, underlying, model, fit)) {
        return &fit->live;
    }
    if (fit->inputs != s->inputs[underlying] || !ratios_hold(m, underlying, fit)) {
        fit->inputs = s->inputs[underlying];
        fit->good = inputs_read(m, underlying, NULL, fit);
        if (fit->good) {
            fit_make(m, model, NULL, fit);
        }
    }
    return fit->good ? &fit->live : NULL;
}

void hg_market_surface_quotes(const hg_market *m, uint32_t underlying, hg_surface_model model) {
    hg_smiles *s = m->smiles;
    hg_smile_fit *fit = &s->fits[underlying * HG_SURFACE_MODELS + (uint32_t)model];
    if (s->quotes_of != fit && fit->good) {
        quotes_gather(m, fit->epoch > 0 ? &s->layer[HG_LAYER_NEAR] : NULL, fit);
    }
}

hg_quality hg_live_quality(const hg_live_state *state, int64_t now_ns, char *reasons, size_t size) {
    reasons[0] = '\0';
    if (now_ns - state->newest_ns > STALE_NS) {
        snprintf(reasons, size, "option prices older than %g s", STALE_S);
        return HG_QUALITY_STALE;
    }
    if (state->left_out > 0) {
        snprintf(reasons, size, "%d of %d expiries are not in it", state->left_out,
                 state->expiries);
        return HG_QUALITY_PARTIAL;
    }
    return HG_QUALITY_GOOD;
}
