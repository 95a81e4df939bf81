/* The book of triggers against a naive one that looks at every entry at every price. */
#include "base/rng.h"
#include "exec/trigger.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 64, STEPS = 200000 };

typedef struct {
    hg_trigger_spec spec;
    hg_nano price; /* as it stands */
    hg_nano best;
    uint32_t handle;
    bool alive;
} naive;

typedef struct {
    naive all[ENTRIES];
    uint64_t fired[ENTRIES];
    uint32_t fired_count;
} desk;

static bool on_fire(void *context, uint64_t id) {
    desk *d = context;
    CHECK(d->fired_count < ENTRIES);
    d->fired[d->fired_count++] = id;
    return true;
}

static bool trails(const hg_trigger_spec *spec) {
    return spec->trail > 0 || spec->trail_fraction > 0;
}

/* The rule, entry by entry; the ids that fire, unordered. */
static uint32_t naive_see(desk *d, uint32_t instrument, hg_trigger source, hg_nano price,
                          uint64_t *fired) {
    uint32_t count = 0;
    for (int i = 0; i < ENTRIES; i++) {
        naive *n = &d->all[i];
        const hg_trigger_spec *s = &n->spec;
        bool meant = source == HG_TRIGGER_INDEX ? true : s->instrument == instrument;
        if (!n->alive || s->source != source || !meant) {
            continue;
        }
        if (trails(s) && (s->above ? price < n->best : price > n->best)) {
            n->best = price;
            hg_nano distance = s->trail;
            if (distance == 0) {
                distance = (hg_nano)((__int128)price * s->trail_fraction / HG_NANO);
            }
            n->price = s->above ? price + distance : price - distance;
        }
        if (s->above ? price >= n->price : price <= n->price) {
            n->alive = false;
            fired[count++] = s->id;
        }
    }
    return count;
}

static int by_id(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void add_random(desk *d, hg_trigger_book *book, hg_rng *rng, const hg_nano *last,
                       uint64_t id) {
    naive *n = &d->all[hg_rng_below(rng, ENTRIES)];
    if (n->alive) {
        return;
    }
    hg_trigger_spec s = {.id = id,
                         .instrument = (uint32_t)hg_rng_below(rng, 2),
                         .source = (hg_trigger)(1 + hg_rng_below(rng, 3)),
                         .above = hg_rng_below(rng, 2)};
    uint32_t lane = s.source == HG_TRIGGER_INDEX ? 4
                                                 : s.instrument * 2 + (s.source == HG_TRIGGER_MARK);
    hg_nano away = (hg_nano)(1 + hg_rng_below(rng, 40)) * HG_NANO;
    s.reference = last[lane];
    s.price = s.above ? s.reference + away : s.reference - away;
    uint64_t kind = hg_rng_below(rng, 3);
    s.trail = kind == 1 ? away : 0;
    s.trail_fraction = kind == 2 ? (hg_nano)(1 + hg_rng_below(rng, 30)) * HG_NANO / 1000 : 0;
    *n = (naive){.spec = s, .price = s.price, .best = s.reference, .alive = true};
    if (trails(&s)) {
        n->price = hg_trigger_trail(&s, s.reference);
    }
    n->handle = hg_trigger_add(book, &s);
    CHECK(n->handle != HG_TRIGGER_HANDLE_NONE);
}

static hg_event price_event(int lane, hg_nano price, const world *w) {
    hg_event e = {.time_ns = T0, .id = (uint32_t)lane / 2};
    if (lane == 4) {
        e.kind = HG_EV_INDEX;
        e.id = 0;
        e.price.value = price;
    } else if (lane % 2) {
        e.kind = HG_EV_MARK;
        e.mark.price = price;
    } else {
        e.kind = HG_EV_TRADE;
        e.level.price = price / inst_of(w, e.id)->tick;
        e.level.size = 1;
    }
    return e;
}

TEST_WITHIN(triggers_agree_with_looking_at_every_entry, 60) {
    const uint64_t seed = 20260105;
    static desk d;
    world w;
    hg_rng rng;
    hg_nano last[5];
    uint64_t fired_total = 0;
    printf("seed %llu\n", (unsigned long long)seed);
    hg_rng_init(&rng, seed, 1);
    world_init(&w);
    world_add(&w, "BTC_USDC-PERPETUAL");
    world_add(&w, "BTC-PERPETUAL");
    hg_trigger_book *book = hg_trigger_book_new(w.universe, ENTRIES,
                                                &(hg_trigger_user){&d, on_fire, NULL});
    CHECK(book != NULL);
    for (int i = 0; i < 5; i++) {
        last[i] = 1000 * HG_NANO;
    }
    for (int step = 0; step < STEPS; step++) {
        add_random(&d, book, &rng, last, (uint64_t)step + 1);
        naive *gone = &d.all[hg_rng_below(&rng, ENTRIES)];
        if (gone->alive && hg_rng_below(&rng, 8) == 0) {
            CHECK_EQ(hg_trigger_price(book, gone->handle), gone->price);
            hg_trigger_remove(book, gone->handle);
            gone->alive = false;
        }
        int lane = (int)hg_rng_below(&rng, 5);
        last[lane] += ((hg_nano)hg_rng_below(&rng, 21) - 10) * HG_NANO;
        last[lane] = last[lane] < 200 * HG_NANO ? 200 * HG_NANO : last[lane];
        uint64_t want[ENTRIES];
        hg_trigger source = lane == 4  ? HG_TRIGGER_INDEX
                            : lane % 2 ? HG_TRIGGER_MARK
                                       : HG_TRIGGER_LAST;
        uint32_t count = naive_see(&d, (uint32_t)lane / 2, source, last[lane], want);
        hg_event e = price_event(lane, last[lane], &w);
        d.fired_count = 0;
        hg_trigger_observe(book, &e);
        CHECK_EQ(d.fired_count, count);
        qsort(want, count, sizeof *want, by_id);
        qsort(d.fired, count, sizeof *d.fired, by_id);
        CHECK(memcmp(want, d.fired, count * sizeof *want) == 0);
        fired_total += count;
    }
    uint32_t alive = 0;
    for (int i = 0; i < ENTRIES; i++) {
        alive += d.all[i].alive;
    }
    CHECK_EQ(hg_trigger_count(book), alive);
    CHECK(fired_total > 10000);
    printf("note: %llu of %d triggers fired, as in the naive book\n",
           (unsigned long long)fired_total, STEPS);
    hg_trigger_book_free(book);
    world_close(&w);
}

TEST(a_full_book_says_so) {
    static desk d;
    world w;
    world_init(&w);
    world_add(&w, "BTC_USDC-PERPETUAL");
    hg_trigger_book *book = hg_trigger_book_new(w.universe, 2,
                                                &(hg_trigger_user){&d, on_fire, NULL});
    hg_trigger_spec s = {.id = 1, .source = HG_TRIGGER_MARK, .above = true, .price = HG_NANO};
    uint32_t first = hg_trigger_add(book, &s);
    CHECK(first != HG_TRIGGER_HANDLE_NONE && hg_trigger_add(book, &s) != HG_TRIGGER_HANDLE_NONE);
    CHECK(hg_trigger_add(book, &s) == HG_TRIGGER_HANDLE_NONE);
    hg_trigger_remove(book, first);
    CHECK(hg_trigger_add(book, &s) != HG_TRIGGER_HANDLE_NONE);
    hg_trigger_book_free(book);
    world_close(&w);
}
