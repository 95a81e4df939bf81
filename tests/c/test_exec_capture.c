/* The paper venue over real order flow: the Binance captures of 2024-08-08, USD-M and COIN-M, whose
 * diff depth and trades are complete (origin in the data folder's README). An independent
 * book-keeper (flat arrays, one record an order) says when a resting order may have traded and what
 * the book showed when a taker arrived. */
#include "test_exec_kit.h"
#include "test_venue_import_kit.h"

#include <stdio.h>
#include <stdlib.h>

#define TICKS 2000000
#define SET 64

static const char *const captures[] = {"market/perp_l2/binance_usdm_btcusdt_20240808.raw.gz",
                                       "market/perp_l2/binance_coinm_btcusd_perp_20240808.raw.gz"};

/* The displayed book, one cell a tick. */
typedef struct {
    hg_lots *bids, *asks;
    hg_ticks bid, ask; /* best, 0 none */
} flat;

static void flat_init(flat *f) {
    *f = (flat){calloc(TICKS, sizeof(hg_lots)), calloc(TICKS, sizeof(hg_lots)), 0, 0};
    CHECK(f->bids && f->asks);
}

static void flat_fini(flat *f) {
    free(f->bids);
    free(f->asks);
}

static void flat_apply(flat *f, const hg_event *e) {
    if (e->kind != HG_EV_DEPTH) {
        return;
    }
    if (e->flags & HG_EVF_SNAPSHOT) {
        memset(f->bids, 0, TICKS * sizeof(hg_lots));
        memset(f->asks, 0, TICKS * sizeof(hg_lots));
        f->bid = f->ask = 0;
    }
    CHECK(e->level.price > 0);
    if (e->level.price >= TICKS) {
        return; /* asks nobody will ever reach */
    }
    (e->side == HG_BUY ? f->bids : f->asks)[e->level.price] = e->level.size;
    if (e->side == HG_BUY) {
        f->bid = e->level.size > 0 && e->level.price > f->bid ? e->level.price : f->bid;
        while (f->bid > 0 && f->bids[f->bid] == 0) {
            f->bid--;
        }
    } else {
        f->ask = e->level.size > 0 && (f->ask == 0 || e->level.price < f->ask) ? e->level.price
                                                                               : f->ask;
        while (f->ask > 0 && f->asks[f->ask] == 0) {
            f->ask = f->ask + 1 < TICKS ? f->ask + 1 : 0;
        }
    }
}

/* A resting order as the book-keeper sees it, alone in the world. */
typedef struct {
    uint64_t id; /* 0: free */
    hg_side side;
    hg_ticks price;
    hg_lots size, filled;
    hg_lots ahead;   /* others before it, at most */
    hg_lots allowed; /* what may have traded with it so far */
    int64_t sent_ns;
    bool due; /* all of it must have traded, were it alone */
} tracked;

typedef struct {
    long placed, filled, expected, missed;
    double lots, wait_s;
} tally;

typedef struct {
    world w;
    flat book;
    tracked set[SET];
    uint64_t last_id;
    int64_t next_ns;
    bool strict; /* the pessimistic model: `allowed` is the most it may fill */
    tally tally;
} replay;

static void tracked_observe(tracked *t, const hg_event *e, const flat *book) {
    bool ours = e->kind == HG_EV_TRADE &&
                (t->side == HG_BUY ? e->level.price <= t->price : e->level.price >= t->price);
    if (ours && e->level.price != t->price) {
        t->allowed += e->level.size;
    } else if (ours && e->side == -t->side) {
        hg_lots past = e->level.size > t->ahead ? e->level.size - t->ahead : 0;
        t->ahead -= e->level.size - past;
        t->allowed += past;
    } else if (e->kind == HG_EV_DEPTH && e->side == (int8_t)t->side && e->level.price == t->price &&
               e->level.size < t->ahead) {
        t->ahead = e->level.size;
    }
    bool whole = e->kind == HG_EV_DEPTH && !(e->flags & HG_EVF_MORE);
    bool reached = t->side == HG_BUY ? book->ask > 0 && book->ask <= t->price
                                     : book->bid >= t->price;
    if (whole && reached) {
        t->allowed = t->size;
    }
    t->due = t->due || t->allowed >= t->size;
}

static void settle(replay *r, tracked *t) {
    r->tally.placed++;
    r->tally.filled += t->filled > 0;
    r->tally.expected += t->due;
    r->tally.missed += t->due && t->filled < t->size;
    r->tally.lots += (double)t->filled / (double)t->size;
    t->id = 0;
}

static void drain(replay *r) {
    hg_event e;
    while (r->w.venue->ops->due_ns(r->w.venue) <= r->w.now_ns) {
        if (!r->w.venue->ops->next(r->w.venue, &e) || e.kind != HG_EV_FILL) {
            continue;
        }
        for (int i = 0; i < SET; i++) {
            tracked *t = &r->set[i];
            if (t->id == e.order.id) {
                r->tally.wait_s += t->filled == 0 ? (double)(e.time_ns - t->sent_ns) / 1e9 : 0;
                t->filled += e.order.size;
                CHECK_EQ(e.order.price, t->price);
                CHECK(e.flags & HG_EVF_MAKER);
                if (r->strict && t->filled > t->allowed) {
                    hg_test_fail(__FILE__, __LINE__,
                                 "order %llu at %lld: %lld filled, %lld may have traded, %lld "
                                 "stand before it",
                                 (unsigned long long)t->id, (long long)t->price,
                                 (long long)t->filled, (long long)t->allowed, (long long)t->ahead);
                }
            }
        }
    }
}

/* One order at a price; the set does not depend on what was filled. */
static void place(replay *r, hg_side side, hg_ticks price, hg_lots size) {
    tracked *t = NULL;
    for (int i = 0; i < SET; i++) {
        if (r->set[i].id != 0 && r->set[i].side == side && r->set[i].price == price) {
            return;
        }
        t = r->set[i].id == 0 ? &r->set[i] : t;
    }
    if (!t) {
        return;
    }
    hg_order o = {.id = ++r->last_id,
                  .side = (int8_t)side,
                  .type = HG_TYPE_LIMIT,
                  .post_only = true,
                  .price = price,
                  .size = size};
    *t = (tracked){.id = o.id, .side = side, .price = price, .size = size};
    t->ahead = (side == HG_BUY ? r->book.bids : r->book.asks)[price];
    t->sent_ns = r->w.now_ns;
    CHECK_EQ(r->w.venue->ops->submit(r->w.venue, &o, r->w.now_ns), HG_OK);
}

/* Every 250 ms orders at the touch and behind it; each lives for 10 s. */
static void manage(replay *r, hg_lots size) {
    if (r->w.now_ns < r->next_ns || r->book.bid == 0 || r->book.ask == 0) {
        return;
    }
    r->next_ns = r->w.now_ns + 250 * HG_NS_PER_MS;
    for (int i = 0; i < SET; i++) {
        tracked *t = &r->set[i];
        if (t->id != 0 && r->w.now_ns - t->sent_ns > 10 * HG_NS_PER_S) {
            hg_order o = {.id = t->id, .side = (int8_t)t->side, .price = t->price, .size = t->size};
            CHECK_EQ(r->w.venue->ops->cancel(r->w.venue, &o, r->w.now_ns), HG_OK);
            drain(r);
            settle(r, t);
        }
    }
    static const hg_ticks behind[] = {0, 10, 50};
    for (int i = 0; i < 3; i++) {
        place(r, HG_BUY, r->book.bid - behind[i], size);
        place(r, HG_SELL, r->book.ask + behind[i], size);
    }
    drain(r);
}

static void replay_open(replay *r, const kit *k, const hg_paper_options *o) {
    *r = (replay){.w = {.universe = k->universe}};
    world_open(&r->w, NULL);
    CHECK_EQ(hg_paper_open(r->w.market, o, &r->w.venue), HG_OK);
    flat_init(&r->book);
}

static void replay_close(replay *r) {
    flat_fini(&r->book);
    r->w.universe = NULL; /* the kit's */
    world_close(&r->w);
}

static tally resting(const kit *k, const char *queue) {
    static replay r;
    hg_paper_options o = {.fill = queue ? HG_FILL_QUEUE : HG_FILL_DEPTH};
    CHECK_EQ(queue ? hg_queue_parse(queue, &o.queue) : HG_OK, HG_OK);
    replay_open(&r, k, &o);
    r.strict = queue && strcmp(queue, "pessimistic") == 0;
    hg_lots size = inst_of(&r.w, 0)->inverse ? 1 : 10; /* 100 USD; 0.01 BTC */
    for (size_t i = 0; i < k->count; i++) {
        const hg_event *e = &k->events[i];
        r.w.now_ns = e->time_ns;
        flat_apply(&r.book, e);
        for (int t = 0; t < SET; t++) {
            if (r.set[t].id != 0) {
                tracked_observe(&r.set[t], e, &r.book);
            }
        }
        world_event(&r.w, *e);
        drain(&r);
        if (!(e->flags & HG_EVF_MORE)) {
            manage(&r, size);
        }
    }
    for (int i = 0; i < SET; i++) {
        if (r.set[i].id != 0) {
            settle(&r, &r.set[i]);
        }
    }
    replay_close(&r);
    return r.tally;
}

TEST_WITHIN(resting_orders_wait_for_those_before_them, 240) {
    static const char *const models[] = {NULL, "power:3", "power:1.5", "proportional",
                                         "pessimistic"};
    enum { MODELS = sizeof models / sizeof *models };
    for (size_t c = 0; c < 2; c++) {
        const char *path = test_data(captures[c]);
        kit k;
        if (!path) {
            SKIP("%s is absent", captures[c]);
        }
        kit_init(&k);
        kit_file(&k, "binance-l2", path);
        tally all[MODELS];
        for (size_t m = 0; m < MODELS; m++) {
            all[m] = resting(&k, models[m]);
            tally *t = &all[m];
            printf("note: %s %-12s %ld of %ld orders filled (%.1f %%), %.0f %% of those first in "
                   "line, mean wait %.2f s\n",
                   c ? "COIN-M" : "USD-M ", models[m] ? models[m] : "first (depth)", t->filled,
                   t->placed, 100.0 * (double)t->filled / (double)t->placed,
                   100.0 * t->lots / all[0].lots, t->wait_s / (double)t->filled);
            CHECK_EQ(t->placed, all[0].placed);
            CHECK(m == 0 || t->lots <= all[0].lots);
            CHECK(t->filled > 0);
        }
        const tally *strict = &all[MODELS - 1];
        CHECK(strict->lots <= all[3].lots); /* nobody is more careful */
        /* Were each alone, so many must have traded in full; a print shared with a neighbour costs
         * a few of them. */
        CHECK(strict->missed * 20 <= strict->expected);
        kit_fini(&k);
    }
}

/* --- takers ----------------------------------------------------------------------------------- */

typedef struct {
    uint64_t id;
    hg_side side;
    hg_ticks last; /* price of the fill before */
    hg_lots at;    /* filled at that price */
    int64_t sent_ns;
    long fills;
    double filled, worse; /* lots; lots times ticks behind the touch */
} taker;

/* Each fill of a taker: not better than the touch of the book as it stands, price by price outward,
 * never more than a level shows. */
static void check_fill(replay *r, taker *t, const hg_event *e) {
    const flat *book = &r->book;
    hg_ticks touch = t->side == HG_BUY ? book->ask : book->bid;
    hg_lots shown = (t->side == HG_BUY ? book->asks : book->bids)[e->order.price];
    bool outward = t->last == 0 || t->side * (e->order.price - t->last) >= 0;
    t->at = e->order.price == t->last ? t->at + e->order.size : e->order.size;
    t->last = e->order.price;
    CHECK(!(e->flags & HG_EVF_MAKER) && touch > 0 && outward);
    CHECK(t->side * (e->order.price - touch) >= 0);
    CHECK(t->at <= shown);
    CHECK(e->time_ns - t->sent_ns >= 5 * HG_NS_PER_MS);
    t->fills++;
    t->filled += (double)e->order.size;
    t->worse += (double)e->order.size * (double)(t->side * (e->order.price - touch));
}

static void taker_answers(replay *r, taker *t, int64_t until_ns) {
    hg_event e;
    while (r->w.venue->ops->due_ns(r->w.venue) <= until_ns) {
        if (r->w.venue->ops->next(r->w.venue, &e) && e.kind == HG_EV_FILL) {
            CHECK_EQ(e.order.id, t->id);
            check_fill(r, t, &e);
        }
    }
}

TEST_WITHIN(takers_never_do_better_than_the_book_they_meet, 120) {
    for (size_t c = 0; c < 2; c++) {
        const char *path = test_data(captures[c]);
        if (!path) {
            SKIP("%s is absent", captures[c]);
        }
        static replay r;
        kit k;
        kit_init(&k);
        kit_file(&k, "binance-l2", path);
        hg_paper_options o = {.fill = HG_FILL_DEPTH, .refill_ns = 500 * HG_NS_PER_MS};
        CHECK_EQ(hg_latency_parse("submit=uniform:5ms:25ms", &o.latency), HG_OK);
        replay_open(&r, &k, &o);
        hg_lots size = inst_of(&r.w, 0)->inverse ? 3000 : 20000; /* several levels deep */
        taker t = {0};
        for (size_t i = 0; i < k.count; i++) {
            const hg_event *e = &k.events[i];
            if (i == 0 || !(k.events[i - 1].flags & HG_EVF_MORE)) {
                r.w.now_ns = e->time_ns;
                taker_answers(&r, &t, e->time_ns); /* the book as it was until now */
            }
            flat_apply(&r.book, e);
            world_event(&r.w, *e);
            taker_answers(&r, &t, e->time_ns);
            if (e->flags & HG_EVF_MORE || r.w.now_ns < r.next_ns || r.book.ask == 0) {
                continue;
            }
            r.next_ns = r.w.now_ns + HG_NS_PER_S;
            t = (taker){.id = ++r.last_id,
                        .side = r.last_id % 2 ? HG_BUY : HG_SELL,
                        .sent_ns = r.w.now_ns,
                        .fills = t.fills,
                        .filled = t.filled,
                        .worse = t.worse};
            hg_order order = {.id = t.id,
                              .side = (int8_t)t.side,
                              .type = HG_TYPE_MARKET,
                              .tif = HG_TIF_IOC,
                              .price = t.side == HG_BUY ? TICKS - 1 : 1,
                              .size = size};
            CHECK_EQ(r.w.venue->ops->submit(r.w.venue, &order, r.w.now_ns), HG_OK);
        }
        printf("note: %s %llu market orders, %ld fills, %.1f %% filled, %.2f ticks behind the "
               "touch on average\n",
               c ? "COIN-M" : "USD-M ", (unsigned long long)r.last_id, t.fills,
               100 * t.filled / ((double)r.last_id * (double)size), t.worse / t.filled);
        CHECK(t.fills > (long)r.last_id);
        replay_close(&r);
        kit_fini(&k);
    }
}
