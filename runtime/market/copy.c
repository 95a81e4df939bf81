/* A second market over the same universe takes over everything the first one knows. Used to try
 * code on the past: the copy is then moved on by itself. */
#include "base/assert.h"
#include "market/smile_int.h"

#include <string.h>

static void copy_book(hg_depth *to, const hg_depth *from) {
    to->bid_count = from->bid_count;
    to->ask_count = from->ask_count;
    to->dropped = from->dropped;
    to->time_ns = from->time_ns;
    memcpy(to->bids, from->bids, from->bid_count * sizeof *from->bids);
    memcpy(to->asks, from->asks, from->ask_count * sizeof *from->asks);
}

static void copy_books(hg_market *to, const hg_market *from) {
    for (uint32_t i = 0; i < from->book_count; i++) {
        hg_level *levels = to->levels + (size_t)i * to->level_capacity * 2;
        hg_depth_init(&to->books[i], levels, levels + to->level_capacity, to->level_capacity);
        copy_book(&to->books[i], &from->books[i]);
    }
    to->book_count = from->book_count;
}

static void copy_layer(hg_smile_layer *to, const hg_smile_layer *from, const hg_universe *u) {
    size_t count = hg_universe_count(u);
    to->period_ns = from->period_ns;
    to->begin_ns = from->begin_ns;
    to->epoch = from->epoch;
    memcpy(to->kept_in, from->kept_in, count * sizeof *to->kept_in);
    memcpy(to->kept, from->kept, count * sizeof *to->kept);
    memcpy(to->forwards, from->forwards, hg_universe_expiry_count(u) * sizeof *to->forwards);
    memcpy(to->spots, from->spots, hg_universe_underlying_count(u) * sizeof *to->spots);
}

static bool has_options(const hg_universe *u) {
    for (uint32_t id = 0; id < hg_universe_count(u); id++) {
        if (hg_universe_get(u, id)->kind == HG_KIND_OPTION) {
            return true;
        }
    }
    return false;
}

/* What surfaces are fitted to and what was learned; the fits themselves are made anew. */
static void copy_smiles(hg_smiles *to, const hg_smiles *from, const hg_universe *u) {
    size_t underlyings = hg_universe_underlying_count(u);
    to->roll_ns = from->roll_ns;
    to->sample_ns = from->sample_ns;
    for (int i = 0; i < HG_LAYERS; i++) {
        copy_layer(&to->layer[i], &from->layer[i], u);
    }
    memcpy(to->quote_spot, from->quote_spot, hg_universe_count(u) * sizeof *to->quote_spot);
    memcpy(to->dynamics, from->dynamics, underlyings * sizeof *to->dynamics);
    memcpy(to->past, from->past, underlyings * sizeof *to->past);
    for (size_t i = 0; i < underlyings; i++) {
        to->inputs[i] = (to->inputs[i] > from->inputs[i] ? to->inputs[i] : from->inputs[i]) + 1;
    }
    size_t fits = has_options(u) ? underlyings * HG_SURFACE_MODELS : 0;
    for (size_t i = 0; i < fits; i++) {
        to->fits[i].good = to->anchors[i].good = false;
        to->fits[i].epoch = to->anchors[i].epoch = 0;
        to->fits[i].epoch_empty = to->anchors[i].epoch_empty = 0;
        to->fits[i].inputs = to->anchors[i].inputs = 0;
    }
    to->quotes_of = NULL;
    to->versions = (to->versions > from->versions ? to->versions : from->versions) + 1;
}

/* Versions only ever rise, also over a copy: whoever kept an answer about `to` must see that it is
 * another market now. */
static uint64_t above(uint64_t to, uint64_t from) {
    return (to > from ? to : from) + 1;
}

void hg_market_copy(hg_market *to, const hg_market *from) {
    hg_assert(to != from && to->universe == from->universe);
    hg_assert(to->book_capacity == from->book_capacity &&
              to->level_capacity == from->level_capacity);
    size_t count = hg_universe_count(from->universe);
    size_t underlyings = hg_universe_underlying_count(from->universe);
    size_t expiries = hg_universe_expiry_count(from->universe);
    copy_books(to, from);
    for (size_t i = 0; i < count; i++) {
        uint64_t version = above(to->states[i].version, from->states[i].version);
        to->states[i] = from->states[i];
        to->states[i].version = version;
        if (from->states[i].depth) {
            to->states[i].depth = &to->books[from->states[i].depth - from->books];
        }
    }
    for (size_t u = 0; u < underlyings; u++) {
        uint64_t version = above(to->spots[u].version, from->spots[u].version);
        uint64_t state = above(to->spots[u].state_version, from->spots[u].state_version);
        to->spots[u] = from->spots[u];
        to->spots[u].version = version;
        to->spots[u].state_version = state;
    }
    memcpy(to->anchors, from->anchors, count * sizeof *to->anchors);
    memcpy(to->window_ns, from->window_ns, underlyings * sizeof *to->window_ns);
    memcpy(to->references, from->references, underlyings * sizeof *to->references);
    memcpy(to->forwards, from->forwards, expiries * sizeof *to->forwards);
    copy_smiles(to->smiles, from->smiles, from->universe);
    to->now_ns = from->now_ns;
    to->refused = from->refused;
}
