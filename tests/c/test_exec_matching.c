/* Matching against a naive engine: the same rules said once more with arrays and loops over all
 * prices, no lists, no pool. Both see the same random book, trades and requests; every answer must
 * agree in kind, order, price, size, side of liquidity and reason. */
#include "base/rng.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRICES 16
#define ORDERS 24
#define OUT 512

typedef struct {
    uint64_t id; /* 0: free */
    int side;
    hg_ticks price;
    hg_lots size, filled;
    bool post, market, ioc, fok, stopped;
    uint64_t since; /* rank among equal prices */
    double ahead;   /* -1: not known */
    hg_lots shown, traded;
} norder;

typedef struct {
    hg_event_kind kind;
    uint64_t id;
    hg_ticks price;
    hg_lots size;
    bool maker;
    hg_reject code;
} nanswer;

typedef struct {
    hg_lots book[2][PRICES];  /* 0: bids, 1: asks */
    hg_lots taken[2][PRICES]; /* consumed of it */
    norder orders[ORDERS];
    nanswer out[OUT];
    int out_count;
    uint64_t clock;
    bool queue;
    bool gap; /* the book is not to be trusted until its next snapshot */
    int self; /* hg_self_trade */
    double power;
} naive;

static int row(int side) {
    return side == HG_BUY ? 0 : 1;
}

static void say(naive *n, nanswer a) {
    CHECK(n->out_count < OUT);
    n->out[n->out_count++] = a;
}

static void say_order(naive *n, hg_event_kind kind, const norder *o, hg_reject code) {
    say(n, (nanswer){kind, o->id, o->price, o->size, false, code});
}

/* Whether someone on `side` with this limit trades at `price`. */
static bool agrees(int side, hg_ticks limit, hg_ticks price) {
    return side == HG_BUY ? price <= limit : price >= limit;
}

static norder *nfind(naive *n, uint64_t id) {
    for (int i = 0; i < ORDERS; i++) {
        if (n->orders[i].id == id) {
            return &n->orders[i];
        }
    }
    return NULL;
}

/* The first in line on a side after rank (price, since); NULL at the end. */
static norder *first_after(naive *n, int side, hg_ticks price, uint64_t since) {
    norder *best = NULL;
    for (int i = 0; i < ORDERS; i++) {
        norder *o = &n->orders[i];
        if (o->id == 0 || o->side != side) {
            continue;
        }
        hg_ticks key = side == HG_BUY ? -o->price : o->price;
        hg_ticks after = side == HG_BUY ? -price : price;
        bool behind = key > after || (key == after && o->since > since);
        hg_ticks best_key = best ? (side == HG_BUY ? -best->price : best->price) : 0;
        if (behind && (!best || key < best_key || (key == best_key && o->since < best->since))) {
            best = o;
        }
    }
    return best;
}

static norder *first(naive *n, int side) {
    return first_after(n, side, side == HG_BUY ? PRICES + 1 : -1, 0);
}

static void nfill(naive *n, norder *o, hg_ticks price, hg_lots lots, bool maker) {
    o->filled += lots;
    say(n, (nanswer){HG_EV_FILL, o->id, price, lots, maker, HG_REJECT_NONE});
    if (maker && o->filled == o->size) {
        o->id = 0;
    }
}

/* The price at which someone on `side` would trade next, 0 none. */
static hg_ticks next_price(const naive *n, int side, hg_ticks limit) {
    for (hg_ticks k = 1; k < PRICES; k++) {
        hg_ticks price = side == HG_BUY ? k : PRICES - k;
        if (agrees(side, limit, price) && n->book[row(-side)][price] > 0) {
            return price;
        }
    }
    return 0;
}

static void own_before(naive *n, norder *o, hg_ticks price) {
    for (norder *m = first(n, -o->side); m && !o->stopped && agrees(o->side, price, m->price);
         m = first(n, -o->side)) {
        hg_lots mine = o->size - o->filled;
        hg_lots theirs = m->size - m->filled;
        hg_lots less = mine < theirs ? mine : theirs;
        bool maker_ends = n->self != HG_SELF_CANCEL_TAKER;
        o->stopped = n->self == HG_SELF_CANCEL_TAKER || n->self == HG_SELF_CANCEL_BOTH;
        if (n->self == HG_SELF_DECREMENT) {
            o->size -= less;
            o->stopped = mine == less;
            maker_ends = theirs == less;
            if (!o->stopped) {
                say_order(n, HG_EV_ACK, o, HG_REJECT_SELF_TRADE);
            }
            if (!maker_ends) {
                m->size -= less;
                say_order(n, HG_EV_ACK, m, HG_REJECT_SELF_TRADE);
            }
        }
        if (maker_ends) {
            say_order(n, HG_EV_CANCELLED, m, HG_REJECT_SELF_TRADE);
            m->id = 0;
        }
    }
}

static void ntake(naive *n, norder *o) {
    for (hg_ticks k = 1; k < PRICES && o->filled < o->size && !o->stopped; k++) {
        hg_ticks price = o->side == HG_BUY ? k : PRICES - k;
        hg_lots *taken = &n->taken[row(-o->side)][price];
        hg_lots left = n->book[row(-o->side)][price] - *taken;
        if (!agrees(o->side, o->price, price) || left <= 0) {
            continue;
        }
        own_before(n, o, price);
        if (o->stopped) {
            return;
        }
        hg_lots need = o->size - o->filled;
        hg_lots lots = left < need ? left : need;
        *taken += lots;
        nfill(n, o, price, lots, false);
    }
}

static bool ntakes_all(naive *n, const norder *o) {
    hg_lots sum = 0;
    for (hg_ticks k = 1; k < PRICES; k++) {
        hg_ticks price = o->side == HG_BUY ? k : PRICES - k;
        hg_lots size = n->book[row(-o->side)][price];
        if (!agrees(o->side, o->price, price) || size == 0 || sum >= o->size - o->filled) {
            continue;
        }
        const norder *own = first(n, -o->side);
        if (n->self != HG_SELF_CANCEL_MAKER && own && agrees(o->side, price, own->price)) {
            return false;
        }
        hg_lots left = size - n->taken[row(-o->side)][price];
        sum += left > 0 ? left : 0;
    }
    return sum >= o->size - o->filled;
}

/* What the book shows at a price, -1 beyond its last level. */
static hg_lots nshown(const naive *n, int side, hg_ticks price) {
    for (hg_ticks k = 1; k < PRICES; k++) {
        hg_ticks worse = side == HG_BUY ? k : PRICES - k;
        if (n->book[row(side)][worse] > 0) {
            bool beyond = side == HG_BUY ? price < worse : price > worse;
            return beyond ? -1 : n->book[row(side)][price];
        }
    }
    return -1;
}

static void nrest(naive *n, norder *o) {
    if (o->filled == o->size && !o->stopped) {
        return;
    }
    if (!o->stopped && !o->market && !o->ioc && !o->fok) {
        own_before(n, o, o->price);
        norder *place = o->stopped ? NULL : nfind(n, 0);
        if (place) {
            o->since = ++n->clock;
            o->shown = nshown(n, o->side, o->price);
            o->ahead = (double)o->shown;
            o->traded = 0;
            *place = *o;
            return;
        }
    }
    say_order(n, HG_EV_CANCELLED, o,
              o->stopped                      ? HG_REJECT_SELF_TRADE
              : o->market && o->filled == 0   ? HG_REJECT_NO_LIQUIDITY
              : o->market || o->ioc || o->fok ? HG_REJECT_IOC_REST
                                              : HG_REJECT_CAPACITY);
}

static void nsubmit(naive *n, norder o) {
    if (o.post && next_price(n, o.side, o.price)) {
        say_order(n, HG_EV_REJECTED, &o, HG_REJECT_POST_ONLY);
        return;
    }
    say_order(n, HG_EV_ACK, &o, HG_REJECT_NONE);
    if (o.fok && !ntakes_all(n, &o)) {
        say_order(n, HG_EV_CANCELLED, &o, HG_REJECT_FOK);
        return;
    }
    ntake(n, &o);
    nrest(n, &o);
}

static void ncancel(naive *n, norder asked) {
    norder *o = nfind(n, asked.id);
    say_order(n, o ? HG_EV_CANCELLED : HG_EV_REJECTED, o ? o : &asked,
              o ? HG_REJECT_USER : HG_REJECT_NOT_OPEN);
    if (o) {
        o->id = 0;
    }
}

static void namend(naive *n, norder asked) {
    norder *o = nfind(n, asked.id);
    if (!o) {
        say_order(n, HG_EV_REJECTED, &asked, HG_REJECT_NOT_OPEN);
        return;
    }
    if (o->post && next_price(n, o->side, asked.price)) {
        say_order(n, HG_EV_REJECTED, o, HG_REJECT_POST_ONLY);
        return;
    }
    norder new = *o;
    new.price = asked.price;
    new.size = asked.size;
    say_order(n, HG_EV_ACK, &new, HG_REJECT_NONE);
    if (new.size <= new.filled) {
        say_order(n, HG_EV_CANCELLED, &new, HG_REJECT_USER);
        o->id = 0;
    } else if (new.price == o->price &&new.size <= o->size) {
        o->size = new.size;
    } else {
        o->id = 0;
        ntake(n, &new);
        nrest(n, &new);
    }
}

/* The book has reached our orders. */
static void ncross(naive *n, int side) {
    for (norder *o = first(n, side); o; o = first(n, side)) {
        hg_lots got = 0;
        for (hg_ticks k = 1; k < PRICES; k++) {
            hg_ticks price = side == HG_BUY ? k : PRICES - k;
            hg_lots *taken = &n->taken[row(-side)][price];
            hg_lots left = n->book[row(-side)][price] - *taken;
            hg_lots need = o->size - o->filled - got;
            if (agrees(side, o->price, price) && left > 0 && need > 0) {
                hg_lots lots = left < need ? left : need;
                *taken += lots;
                got += lots;
            }
        }
        if (got == 0) {
            return;
        }
        bool done = got == o->size - o->filled;
        nfill(n, o, o->price, got, true);
        if (!done) {
            return; /* nothing is left for those behind */
        }
    }
}

static void nprint(naive *n, int taker, hg_ticks price, hg_lots size) {
    for (int side = HG_BUY; side >= HG_SELL; side -= 2) {
        hg_lots left = size;
        norder at = {.price = side == HG_BUY ? PRICES + 1 : -1};
        for (;;) {
            norder *o = first_after(n, side, at.price, at.since);
            if (!o || !agrees(side, o->price, price)) {
                break;
            }
            at = *o;
            hg_lots share = 0;
            if (price != o->price) {
                share = left;
            } else if (taker != side && !n->queue) {
                share = left;
            } else if (taker != side) {
                o->traded += left;
                if (o->ahead >= 0) { /* else nobody knows who stands before us */
                    double past = (double)left - o->ahead;
                    o->ahead = past > 0 ? 0 : -past;
                    share = past > 0 ? (hg_lots)past : 0;
                }
            }
            hg_lots lots = share < o->size - o->filled ? share : o->size - o->filled;
            if (lots > 0) {
                left -= lots;
                nfill(n, o, o->price, lots, true);
            }
        }
    }
}

/* What the orders at a price learn from its level. */
static void nlearn(naive *n, int side, hg_ticks price, hg_lots size) {
    for (int i = 0; i < ORDERS; i++) {
        norder *o = &n->orders[i];
        if (o->id == 0 || o->side != side || o->price != price) {
            continue;
        }
        double gone = (double)(o->shown - o->traded - size);
        if (o->shown >= 0 && o->ahead > 0 && gone > 0) {
            double back = fmax((double)(o->shown - o->traded) - o->ahead, 0);
            double f = pow(o->ahead, n->power), b = pow(back, n->power);
            double front = n->power > 0 ? gone * (f / (f + b)) : 0;
            o->ahead = fmax(o->ahead - fmax(front, gone - back), 0);
        }
        o->ahead = o->ahead < 0 || o->ahead > (double)size ? (double)size : o->ahead;
        o->shown = size;
        o->traded = 0;
    }
}

static void nlevel(naive *n, int side, hg_ticks price, hg_lots size) {
    n->book[row(side)][price] = size;
    n->taken[row(side)][price] = 0;
    nlearn(n, side, price, size);
    ncross(n, HG_BUY);
    ncross(n, HG_SELL);
}

/* After a gap: a whole book in place of the old one. It shows nothing behind its worst level, and
 * what we had consumed of the old one is there again or not. */
static void nsnapshot(naive *n) {
    n->gap = false;
    memset(n->taken, 0, sizeof n->taken);
    for (int side = HG_BUY; side >= HG_SELL; side -= 2) {
        bool seen = false;
        for (hg_ticks k = 1; k < PRICES; k++) { /* from the worst price on */
            hg_ticks price = side == HG_BUY ? k : PRICES - k;
            seen = seen || n->book[row(side)][price] > 0;
            if (seen) {
                nlearn(n, side, price, n->book[row(side)][price]);
            }
        }
    }
    ncross(n, HG_BUY);
    ncross(n, HG_SELL);
}

/* --- the comparison --------------------------------------------------------------------------- */

typedef struct {
    world w;
    naive n;
    hg_rng rng;
    uint64_t seed, last_id, answers, fills, makers;
    long step;
} duel;

static uint64_t pick(duel *d, uint64_t bound) {
    return hg_rng_below(&d->rng, bound);
}

static void compare(duel *d) {
    hg_event e;
    for (int i = 0; d->w.venue->ops->next(d->w.venue, &e); i++) {
        nanswer a = i < d->n.out_count ? d->n.out[i] : (nanswer){0};
        hg_reject code = e.kind == HG_EV_FILL ? HG_REJECT_NONE : (hg_reject)e.order.code;
        bool same = e.kind == a.kind && e.order.id == a.id && e.order.price == a.price &&
                    e.order.size == a.size && ((e.flags & HG_EVF_MAKER) != 0) == a.maker &&
                    code == a.code;
        if (!same) {
            hg_test_fail(__FILE__, __LINE__,
                         "seed %llu step %ld answer %d: %s of %llu, %lld at %lld (%s); naive: %s "
                         "of %llu, %lld at %lld (%s)",
                         (unsigned long long)d->seed, d->step, i,
                         hg_event_kind_name((hg_event_kind)e.kind), (unsigned long long)e.order.id,
                         (long long)e.order.size, (long long)e.order.price, hg_reject_code(code),
                         hg_event_kind_name(a.kind), (unsigned long long)a.id, (long long)a.size,
                         (long long)a.price, hg_reject_code(a.code));
        }
        d->answers++;
        d->fills += a.kind == HG_EV_FILL;
        d->makers += a.maker;
        d->n.out_count -= i + 1 == d->n.out_count ? i + 1 : 0;
    }
    if (d->n.out_count != 0) {
        hg_test_fail(__FILE__, __LINE__, "seed %llu step %ld: the naive engine says more",
                     (unsigned long long)d->seed, d->step);
    }
}

static void step_level(duel *d) {
    int side = pick(d, 2) ? HG_BUY : HG_SELL;
    hg_ticks price = 1 + (hg_ticks)pick(d, PRICES - 1);
    hg_lots size = pick(d, 3) ? (hg_lots)pick(d, 12) : 0;
    hg_ticks cross = next_price(&d->n, side, price);
    if (size > 0 && cross) {
        side = -side; /* venues do not show crossed books */
        cross = next_price(&d->n, side, price);
        size = cross ? 0 : size;
    }
    nlevel(&d->n, side, price, size);
    hg_event e = {.kind = HG_EV_DEPTH, .side = (int8_t)side};
    e.level.price = price;
    e.level.size = size;
    world_event(&d->w, e);
}

/* The book is lost, or comes back as a snapshot that may cross what rests. */
static void step_gap(duel *d) {
    if (!d->n.gap) {
        d->n.gap = true;
        memset(d->n.book, 0, sizeof d->n.book); /* none of it counts */
        world_event(&d->w, (hg_event){.kind = HG_EV_STATUS, .flags = HG_EVF_INVALID});
        return;
    }
    hg_ticks middle = 2 + (hg_ticks)pick(d, PRICES - 3);
    hg_event last = {0};
    uint8_t flags = HG_EVF_SNAPSHOT;
    for (hg_ticks price = 1; price < PRICES; price++) {
        int side = price < middle ? HG_BUY : HG_SELL;
        hg_lots size = pick(d, 3) ? (hg_lots)pick(d, 12) : 0;
        d->n.book[0][price] = side == HG_BUY ? size : 0;
        d->n.book[1][price] = side == HG_SELL ? size : 0;
        if (size == 0) {
            continue;
        }
        if (last.kind != HG_EV_NONE) {
            last.flags |= HG_EVF_MORE;
            world_event(&d->w, last);
            flags = 0;
        }
        last = (hg_event){.kind = HG_EV_DEPTH, .side = (int8_t)side, .flags = flags};
        last.level.price = price;
        last.level.size = size;
    }
    if (last.kind == HG_EV_NONE) { /* all empty: one level, then */
        d->n.book[0][1] = 1;
        last = (hg_event){.kind = HG_EV_DEPTH, .side = HG_BUY, .flags = flags};
        last.level.price = 1;
        last.level.size = 1;
    }
    nsnapshot(&d->n);
    world_event(&d->w, last);
}

static void step_print(duel *d) {
    int taker = pick(d, 2) ? HG_BUY : HG_SELL;
    hg_ticks price = next_price(&d->n, taker, taker == HG_BUY ? PRICES : 0);
    if (!price || pick(d, 8) == 0) {
        price = 1 + (hg_ticks)pick(d, PRICES - 1);
    }
    hg_lots size = 1 + (hg_lots)pick(d, 9);
    nprint(&d->n, taker, price, size);
    hg_event e = {.kind = HG_EV_TRADE, .side = (int8_t)taker};
    e.level.price = price;
    e.level.size = size;
    world_event(&d->w, e);
}

static void step_submit(duel *d) {
    norder o = {.id = ++d->last_id,
                .side = pick(d, 2) ? HG_BUY : HG_SELL,
                .price = 1 + (hg_ticks)pick(d, PRICES - 1),
                .size = 1 + (hg_lots)pick(d, 15)};
    uint64_t kind = pick(d, 8);
    o.market = kind == 0;
    o.ioc = kind == 1;
    o.fok = kind == 2;
    o.post = kind > 5;
    hg_order order = {.id = o.id,
                      .side = (int8_t)o.side,
                      .type = o.market ? HG_TYPE_MARKET : HG_TYPE_LIMIT,
                      .tif = o.market || o.ioc ? HG_TIF_IOC
                             : o.fok           ? HG_TIF_FOK
                                               : HG_TIF_GTC,
                      .post_only = o.post,
                      .price = o.price,
                      .size = o.size};
    nsubmit(&d->n, o);
    CHECK_EQ(d->w.venue->ops->submit(d->w.venue, &order, d->w.now_ns), HG_OK);
}

/* Mostly an order that rests, sometimes one that is gone. */
static norder some_order(duel *d) {
    norder o = d->n.orders[pick(d, ORDERS)];
    if (o.id == 0) {
        o = (norder){.id = 1 + pick(d, d->last_id + 1), .side = HG_BUY, .price = 1, .size = 1};
        norder *open = nfind(&d->n, o.id);
        o = open ? *open : o;
    }
    return o;
}

static void step_change(duel *d, bool cancel) {
    norder o = some_order(d);
    hg_order order = {.id = o.id,
                      .side = (int8_t)o.side,
                      .type = HG_TYPE_LIMIT,
                      .price = o.price,
                      .size = o.size};
    if (cancel) {
        ncancel(&d->n, o);
        CHECK_EQ(d->w.venue->ops->cancel(d->w.venue, &order, d->w.now_ns), HG_OK);
        return;
    }
    o.price = pick(d, 3) ? o.price : 1 + (hg_ticks)pick(d, PRICES - 1);
    o.size = 1 + (hg_lots)pick(d, 15);
    namend(&d->n, o);
    CHECK_EQ(d->w.venue->ops->amend(d->w.venue, &order, o.price, o.size, d->w.now_ns), HG_OK);
}

static void duel_run(duel *d, uint64_t seed, const char *queue, hg_self_trade self, long steps) {
    *d = (duel){.seed = seed};
    hg_rng_init(&d->rng, seed, 7);
    hg_paper_options o = {.fill = queue ? HG_FILL_QUEUE : HG_FILL_DEPTH,
                          .rules.self_trade = self,
                          .order_capacity = ORDERS};
    CHECK_EQ(queue ? hg_queue_parse(queue, &o.queue) : HG_OK, HG_OK);
    d->n.queue = queue != NULL;
    d->n.self = (int)self;
    d->n.power = o.queue.kind == HG_QUEUE_PROPORTIONAL ? 1 : o.queue.power;
    d->n.power = o.queue.kind == HG_QUEUE_PESSIMISTIC ? 0 : d->n.power;
    world_init(&d->w);
    world_add(&d->w, "BTC_USDC-PERPETUAL");
    world_open(&d->w, NULL);
    CHECK_EQ(hg_paper_open(d->w.market, &o, &d->w.venue), HG_OK);
    for (d->step = 0; d->step < steps; d->step++) {
        later(&d->w, 1);
        uint64_t what = pick(d, 16);
        if (pick(d, d->n.gap ? 8 : 64) == 0) {
            step_gap(d);
        } else if (what < 6) {
            d->n.gap ? step_print(d) : step_level(d);
        } else if (what < 9) {
            step_print(d);
        } else if (what < 13) {
            step_submit(d);
        } else {
            step_change(d, what < 15);
        }
        compare(d);
    }
    world_close(&d->w);
}

TEST_WITHIN(answers_agree_with_a_naive_engine, 120) {
    static const char *const queues[] = {NULL, "pessimistic", "proportional", "power:2"};
    static duel d;
    uint64_t fills = 0, makers = 0, answers = 0;
    long steps = 0;
    for (uint64_t run = 0; run < 16; run++) {
        duel_run(&d, 20260805 + run, queues[run % 4], (hg_self_trade)(run / 4), 150000);
        fills += d.fills;
        makers += d.makers;
        answers += d.answers;
        steps += d.step;
    }
    CHECK(makers > 100000 && fills - makers > 100000); /* both ways were really exercised */
    printf("note: %ld random steps from seed 20260805: %llu answers, %llu fills, %llu of them as "
           "maker\n",
           steps, (unsigned long long)answers, (unsigned long long)fills,
           (unsigned long long)makers);
}
