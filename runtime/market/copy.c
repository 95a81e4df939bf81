/* A second market over the same universe takes over everything the first one knows. Used to try
 * code on the past: the copy is then moved on by itself. */
#include "base/assert.h"
#include "market/market_int.h"

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
    memcpy(to->references, from->references, underlyings * sizeof *to->references);
    memcpy(to->forwards, from->forwards, expiries * sizeof *to->forwards);
    to->now_ns = from->now_ns;
    to->refused = from->refused;
}
