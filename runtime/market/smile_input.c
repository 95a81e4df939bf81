/* What options say about the smile, as it was when a period began. An option that speaks within the
 * period has its state of before kept first; one that has not is as it is now. So a fit may be put
 * off until somebody asks and still be that of the moment it is said to be of. */
#include "market/smile_int.h"

#include <stdlib.h>

static void *array(size_t count, size_t size) {
    return calloc(count > 0 ? count : 1, size);
}

static bool layer_init(hg_smile_layer *layer, const hg_universe *universe, int64_t period_ns) {
    size_t count = hg_universe_count(universe);
    *layer = (hg_smile_layer){
        .period_ns = period_ns,
        .begin_ns = INT64_MIN,
        .kept_in = array(count, sizeof *layer->kept_in),
        .kept = array(count, sizeof *layer->kept),
        .forwards = array(hg_universe_expiry_count(universe), sizeof *layer->forwards),
        .spots = array(hg_universe_underlying_count(universe), sizeof *layer->spots),
    };
    return layer->kept_in && layer->kept && layer->forwards && layer->spots;
}

/* The most options that one underlying has. */
static size_t options_most(const hg_universe *universe) {
    size_t most = 0;
    for (uint32_t u = 0; u < hg_universe_underlying_count(universe); u++) {
        size_t n = 0;
        uint32_t id = hg_universe_underlying(universe, u)->first;
        for (; id != HG_ID_NONE; id = hg_universe_next(universe, id)) {
            n += hg_universe_get(universe, id)->kind == HG_KIND_OPTION;
        }
        most = n > most ? n : most;
    }
    return most;
}

hg_smiles *hg_smiles_new(const hg_market *m) {
    hg_smiles *s = calloc(1, sizeof *s);
    if (!s) {
        return NULL;
    }
    uint32_t underlyings = hg_universe_underlying_count(m->universe);
    size_t most = options_most(m->universe);
    size_t fits = most > 0 ? (size_t)underlyings * HG_SURFACE_MODELS : 0;
    s->roll_ns = INT64_MIN;
    s->sample_ns = INT64_MIN;
    bool near = layer_init(&s->layer[HG_LAYER_NEAR], m->universe, HG_SURFACE_PERIOD_NS);
    bool anchor = layer_init(&s->layer[HG_LAYER_ANCHOR], m->universe, HG_SURFACE_ANCHOR_NS);
    s->quote_spot = array(hg_universe_count(m->universe), sizeof *s->quote_spot);
    s->inputs = array(underlyings, sizeof *s->inputs);
    s->fits = array(fits, sizeof *s->fits);
    s->anchors = array(fits, sizeof *s->anchors);
    s->dynamics = array(underlyings, sizeof *s->dynamics);
    s->past = array(underlyings, sizeof *s->past);
    s->work = array(most > 0, sizeof *s->work);
    s->quotes = array(most, sizeof *s->quotes);
    s->ids = array(most, sizeof *s->ids);
    if (!near || !anchor || !s->quote_spot || !s->inputs || !s->fits || !s->anchors ||
        !s->dynamics || !s->past || !s->work || !s->quotes || !s->ids) {
        hg_smiles_free(s);
        return NULL;
    }
    hg_dynamics_init(s, underlyings);
    return s;
}

void hg_smiles_free(hg_smiles *s) {
    if (!s) {
        return;
    }
    for (int i = 0; i < HG_LAYERS; i++) {
        free(s->layer[i].kept_in);
        free(s->layer[i].kept);
        free(s->layer[i].forwards);
        free(s->layer[i].spots);
    }
    free(s->quote_spot);
    free(s->inputs);
    free(s->fits);
    free(s->anchors);
    free(s->dynamics);
    free(s->past);
    free(s->work);
    free(s->quotes);
    free(s->ids);
    free(s);
}

void hg_smile_input_read(const hg_market *m, uint32_t id, hg_smile_input *out) {
    const hg_market_state *s = &m->states[id];
    bool book = !s->book_invalid && !s->settled;
    *out = (hg_smile_input){
        .bid = book && s->quote.bid_size > 0 ? s->quote.bid : 0,
        .ask = book && s->quote.ask_size > 0 ? s->quote.ask : 0,
        .quote_ns = s->quote.time_ns,
        .quote_spot = m->smiles->quote_spot[id],
        .iv = s->settled ? 0 : s->iv,
        .mark = s->settled ? 0 : s->mark,
        .mark_ns = s->mark_ns,
        .mark_forward = m->anchors[id].forward,
    };
}

static void layer_begin(const hg_market *m, hg_smile_layer *layer, int64_t now_ns) {
    layer->begin_ns = now_ns - now_ns % layer->period_ns;
    layer->epoch++;
    for (uint32_t e = 0; e < hg_universe_expiry_count(m->universe); e++) {
        layer->forwards[e] = hg_market_forward(m, e, NULL);
    }
    for (uint32_t u = 0; u < hg_universe_underlying_count(m->universe); u++) {
        layer->spots[u] = m->spots[u].spot;
    }
}

void hg_smiles_roll(const hg_market *m, int64_t now_ns) {
    hg_smiles *s = m->smiles;
    int64_t next_ns = s->sample_ns;
    for (int i = 0; i < HG_LAYERS; i++) {
        hg_smile_layer *layer = &s->layer[i];
        if (layer->epoch == 0 || now_ns - layer->begin_ns >= layer->period_ns) {
            layer_begin(m, layer, now_ns);
        }
        int64_t end_ns = layer->begin_ns + layer->period_ns;
        next_ns = end_ns < next_ns ? end_ns : next_ns;
    }
    s->roll_ns = next_ns;
}

void hg_smiles_event(const hg_market *m, int64_t now_ns) {
    hg_smiles *s = m->smiles;
    if (now_ns >= s->sample_ns) {
        int64_t begin_ns = now_ns - now_ns % HG_DYNAMICS_PERIOD_NS;
        for (uint32_t u = 0; u < hg_universe_underlying_count(m->universe); u++) {
            hg_dynamics_sample(m, u, begin_ns);
        }
        s->sample_ns = begin_ns + HG_DYNAMICS_PERIOD_NS;
    }
    hg_smiles_roll(m, now_ns);
}
