/* Triggers in sorted lists, the nearest first, so that a price looks at heads only.
 *
 * A lane is what has one price: the last trade or the mark of an instrument, or the index of an
 * underlying. It holds four lists: what fires above, what fires below, and the trailing entries by
 * the best price they have seen, which move when a better one comes. Keys are mirrored (times -1)
 * for those that wait for a fall, so that every list rises. Each lane keeps the key of each head
 * beside it: a price that reaches nothing touches one cache line. */
#include "exec/trigger.h"

#include "base/assert.h"
#include "base/pages.h"

#include <stdlib.h>

enum { ABOVE, BELOW, HIGH, LOW, LISTS };
enum { FIRE, BEST, LINKS }; /* an entry is in one list by its price, in another by its best price */

#define NONE 0u /* entry 0 is never used */

typedef struct {
    uint64_t id;
    hg_nano key[LINKS]; /* mirrored; FIRE: the trigger, BEST: the best price seen */
    hg_nano trail, trail_fraction;
    uint32_t lane;
    uint32_t prev[LINKS], next[LINKS];
    bool above;
    bool trailing;
} entry;

typedef struct {
    hg_nano reach[LISTS]; /* mirrored price from which the head is concerned */
    uint32_t head[LISTS];
    uint32_t pad[4];
} lane;

struct hg_trigger_book {
    const hg_universe *universe;
    hg_trigger_user user;
    entry *entries;
    lane *lanes;
    uint32_t lane_count;
    uint32_t capacity, used; /* entries ever touched */
    uint32_t free;
    uint32_t count;
};

static hg_nano mirror(int list) {
    return list == ABOVE || list == HIGH ? 1 : -1;
}

static int link_of(int list) {
    return list >= HIGH ? BEST : FIRE;
}

hg_trigger_book *hg_trigger_book_new(const hg_universe *universe, uint32_t capacity,
                                     const hg_trigger_user *user) {
    hg_assert(universe && user && user->fire && capacity > 0);
    hg_trigger_book *book = calloc(1, sizeof *book);
    if (!book) {
        return NULL;
    }
    *book = (hg_trigger_book){.universe = universe, .user = *user, .capacity = capacity, .used = 1};
    book->lane_count = hg_universe_count(universe) * 2 + hg_universe_underlying_count(universe);
    book->entries = hg_pages_new((size_t)capacity + 1, sizeof *book->entries);
    book->lanes = calloc((size_t)book->lane_count + 1, sizeof *book->lanes);
    if (!book->entries || !book->lanes) {
        hg_trigger_book_free(book);
        return NULL;
    }
    for (uint32_t i = 0; i < book->lane_count; i++) {
        for (int list = 0; list < LISTS; list++) {
            book->lanes[i].reach[list] = INT64_MAX;
        }
    }
    return book;
}

void hg_trigger_book_free(hg_trigger_book *book) {
    if (book) {
        hg_pages_free(book->entries);
        free(book->lanes);
        free(book);
    }
}

/* --- lists ------------------------------------------------------------------------------------ */

static void head_set(hg_trigger_book *book, lane *at, int list, uint32_t head) {
    at->head[list] = head;
    int k = link_of(list);
    /* A best price moves only when it is beaten, a trigger is reached when it is met. */
    at->reach[list] = head == NONE ? INT64_MAX : book->entries[head].key[k] + (k == BEST);
}

/* Behind those of the same key: who came first fires first. */
static void insert(hg_trigger_book *book, uint32_t i, int list) {
    int k = link_of(list);
    entry *e = &book->entries[i];
    lane *at = &book->lanes[e->lane];
    uint32_t before = NONE;
    uint32_t after = at->head[list];
    while (after != NONE && book->entries[after].key[k] <= e->key[k]) {
        before = after;
        after = book->entries[after].next[k];
    }
    e->prev[k] = before;
    e->next[k] = after;
    if (after != NONE) {
        book->entries[after].prev[k] = i;
    }
    if (before != NONE) {
        book->entries[before].next[k] = i;
    } else {
        head_set(book, at, list, i);
    }
}

static void detach(hg_trigger_book *book, uint32_t i, int list) {
    int k = link_of(list);
    entry *e = &book->entries[i];
    if (e->next[k] != NONE) {
        book->entries[e->next[k]].prev[k] = e->prev[k];
    }
    if (e->prev[k] != NONE) {
        book->entries[e->prev[k]].next[k] = e->next[k];
    } else {
        head_set(book, &book->lanes[e->lane], list, e->next[k]);
    }
}

/* --- entries ---------------------------------------------------------------------------------- */

static uint32_t lane_of(const hg_trigger_book *book, uint32_t instrument, hg_trigger source) {
    if (source == HG_TRIGGER_INDEX) {
        return hg_universe_count(book->universe) * 2 +
               hg_universe_get(book->universe, instrument)->underlying_id;
    }
    return instrument * 2 + (source == HG_TRIGGER_MARK);
}

hg_nano hg_trigger_trail(const hg_trigger_spec *spec, hg_nano best) {
    hg_nano distance = spec->trail;
    if (distance == 0 && !hg_muldiv(best, spec->trail_fraction, HG_NANO, &distance)) {
        distance = best;
    }
    return spec->above ? best + distance : best - distance;
}

uint32_t hg_trigger_add(hg_trigger_book *book, const hg_trigger_spec *spec) {
    hg_assert(spec->source != HG_TRIGGER_NONE && spec->instrument < book->lane_count);
    uint32_t i = book->free;
    if (i != NONE) {
        book->free = book->entries[i].next[FIRE];
    } else if (book->used <= book->capacity) {
        i = book->used++;
    } else {
        return HG_TRIGGER_HANDLE_NONE;
    }
    entry *e = &book->entries[i];
    bool trailing = spec->trail > 0 || spec->trail_fraction > 0;
    hg_nano sign = spec->above ? 1 : -1;
    hg_nano price = trailing ? hg_trigger_trail(spec, spec->reference) : spec->price;
    *e = (entry){
        .id = spec->id,
        .key = {sign * price, -sign * spec->reference},
        .trail = spec->trail,
        .trail_fraction = spec->trail_fraction,
        .lane = lane_of(book, spec->instrument, spec->source),
        .above = spec->above,
        .trailing = trailing
    };
    insert(book, i, spec->above ? ABOVE : BELOW);
    if (trailing) {
        insert(book, i, spec->above ? LOW : HIGH);
    }
    book->count++;
    return i;
}

void hg_trigger_remove(hg_trigger_book *book, uint32_t handle) {
    hg_assert(handle != NONE && handle < book->used && book->count > 0);
    entry *e = &book->entries[handle];
    detach(book, handle, e->above ? ABOVE : BELOW);
    if (e->trailing) {
        detach(book, handle, e->above ? LOW : HIGH);
    }
    e->id = 0;
    e->next[FIRE] = book->free;
    book->free = handle;
    book->count--;
}

hg_nano hg_trigger_price(const hg_trigger_book *book, uint32_t handle) {
    const entry *e = &book->entries[handle];
    return e->above ? e->key[FIRE] : -e->key[FIRE];
}

uint32_t hg_trigger_count(const hg_trigger_book *book) {
    return book->count;
}

/* --- prices ----------------------------------------------------------------------------------- */

/* A better price than the head of the trailing entries has seen takes all of them along. */
static void follow(hg_trigger_book *book, lane *at, int list, hg_nano price) {
    hg_nano sign = mirror(list);
    int other = list == HIGH ? BELOW : ABOVE;
    while (sign * price >= at->reach[list]) {
        uint32_t i = at->head[list];
        entry *e = &book->entries[i];
        hg_trigger_spec spec = {
            .above = e->above, .trail = e->trail, .trail_fraction = e->trail_fraction};
        hg_nano trigger = hg_trigger_trail(&spec, price);
        detach(book, i, list);
        detach(book, i, other);
        e->key[BEST] = sign * price;
        e->key[FIRE] = mirror(other) * trigger;
        insert(book, i, list);
        insert(book, i, other);
        if (book->user.moved) {
            book->user.moved(book->user.context, e->id, trigger);
        }
    }
}

static void reach(hg_trigger_book *book, lane *at, int list, hg_nano price) {
    while (mirror(list) * price >= at->reach[list]) {
        uint32_t i = at->head[list];
        uint64_t id = book->entries[i].id;
        if (!book->user.fire(book->user.context, id)) {
            return;
        }
        if (book->entries[i].id == id && at->head[list] == i) {
            hg_trigger_remove(book, i);
        }
    }
}

static void see(hg_trigger_book *book, uint32_t which, hg_nano price) {
    lane *at = &book->lanes[which];
    if (price >= at->reach[HIGH]) {
        follow(book, at, HIGH, price);
    }
    if (-price >= at->reach[LOW]) {
        follow(book, at, LOW, price);
    }
    if (price >= at->reach[ABOVE]) {
        reach(book, at, ABOVE, price);
    }
    if (-price >= at->reach[BELOW]) {
        reach(book, at, BELOW, price);
    }
}

void hg_trigger_observe(hg_trigger_book *book, const hg_event *event) {
    if (book->count == 0) {
        return;
    }
    uint32_t instruments = hg_universe_count(book->universe);
    if (event->kind == HG_EV_TRADE && event->id < instruments && event->level.size > 0) {
        const hg_instrument *inst = hg_universe_get(book->universe, event->id);
        see(book, event->id * 2, event->level.price * inst->tick);
    } else if (event->kind == HG_EV_MARK && event->id < instruments && event->mark.price > 0) {
        see(book, event->id * 2 + 1, event->mark.price);
    } else if (event->kind == HG_EV_INDEX && event->price.value > 0 &&
               event->id < hg_universe_underlying_count(book->universe)) {
        see(book, instruments * 2 + event->id, event->price.value);
    }
}

hg_nano hg_trigger_reference(const hg_market *market, uint32_t instrument, hg_trigger source) {
    const hg_instrument *inst = hg_universe_get(hg_market_universe(market), instrument);
    const hg_market_state *state = hg_market_get(market, instrument);
    switch (source) {
    case HG_TRIGGER_LAST:
        return state->last * inst->tick;
    case HG_TRIGGER_MARK:
        return state->mark;
    case HG_TRIGGER_INDEX:
        return hg_market_underlying(market, inst->underlying_id)->index;
    default:
        return 0;
    }
}
