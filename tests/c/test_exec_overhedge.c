/* Who sends only what is missing never has more than he needs, whatever the venue tells late, twice
 * or not at all: buying and selling, linear, inverse and options, as delta, as gamma and as vega,
 * several instruments at once, one strategy or two with shares of the book. The truth is what has
 * traded at the venue, told or not; it may be beyond the need by one lot. */
#include "base/log.h"
#include "test_exec_kit.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINEAR, PERP, CALL, FAR_CALL, INSTRUMENTS, PARTS_MAX = 2, WAITING = 64, TRADES = 16384 };

typedef enum { BY_DELTA, BY_VEGA, BY_GAMMA, MEASURES } measure;

typedef struct part { /* of one strategy */
    hg_portfolio *book;
    hg_side side;
    measure of;
    double need;                 /* coins, USD per vol point, or coins per USD */
    hg_lots traded[INSTRUMENTS]; /* at the venue, told or not */
    int sent;
} part;

typedef struct rig {
    world w;
    hg_rng rng;
    part parts[PARTS_MAX];
    int part_count;
    hg_event waits[WAITING]; /* fills kept back; others of the order overtake them */
    int count;
    bool seen[TRADES]; /* some are told twice */
    uint64_t kept;
} rig;

static const char *const measures[MEASURES] = {"delta", "vega", "gamma"};

static double below(rig *r, uint64_t n) {
    return (double)hg_rng_below(&r->rng, n);
}

/* --- the market ------------------------------------------------------------------------------- */

static void market_ticks(rig *r) {
    world *w = &r->w;
    double mid = 59995 + below(r, 10);
    value_event(w, HG_EV_INDEX, 0, 60000);
    value_event(w, HG_EV_FORWARD, inst_of(w, CALL)->expiry_id, 60000);
    quote(w, LINEAR, mid - 1, 1, mid + 1, 1 + below(r, 3));
    mark(w, LINEAR, 60000, 0);
    quote(w, PERP, mid - 1, 30000, mid + 1, 10000 * (1 + below(r, 6)));
    mark(w, PERP, 60000, 0);
    double bids = 0.1 * (1 + below(r, 9));
    double asks = 0.1 * (1 + below(r, 9));
    quote(w, CALL, 0.0995, bids, 0.1005, asks);
    mark(w, CALL, 0.1, 0.5);
    bids = 0.1 * (1 + below(r, 9));
    asks = 0.1 * (1 + below(r, 9));
    quote(w, FAR_CALL, 0.0495, bids, 0.0505, asks);
    mark(w, FAR_CALL, 0.05, 0.5);
}

static void rig_open(rig *r, uint64_t seed, const char *faults) {
    static const char *const names[] = {"BTC_USDC-PERPETUAL", "BTC-PERPETUAL",
                                        "BTC-27MAR26-60000-C", "BTC-27MAR26-70000-C"};
    static const hg_limits limits = {.repeated_window_ns = 1,
                                     .hedge_overshoot = 1e9,
                                     .hedge_tries = 1000000,
                                     .burst_delta_coins = 1e9,
                                     .burst_vega_usd_per_point = 1e12};
    hg_paper_options o = {.fill = HG_FILL_DEPTH, .seed = seed};
    world *w = &r->w;
    hg_rng_init(&r->rng, seed, 5);
    CHECK_EQ(hg_faults_parse(faults, &o.faults), HG_OK);
    CHECK_EQ(hg_latency_parse("orders=uniform:1ms:300ms", &o.latency), HG_OK);
    world_init(w);
    for (int i = 0; i < INSTRUMENTS; i++) {
        world_add(w, names[i]);
    }
    world_open(w, NULL);
    world_trade(w, &o, &(hg_exec_options){.order_capacity = 4096, .limits = limits});
    r->part_count = 1 + (int)below(r, PARTS_MAX);
    for (int k = 0; k < r->part_count; k++) {
        part *p = &r->parts[k];
        p->book = w->portfolio;
        p->side = below(r, 2) != 0 ? HG_BUY : HG_SELL;
        p->of = (measure)below(r, MEASURES);
        if (r->part_count > 1) {
            p->book = hg_portfolio_new(w->market, &(hg_portfolio_options){0});
            CHECK(p->book != NULL);
            CHECK_EQ(hg_exec_share(w->exec, (uint16_t)k, p->book), HG_OK);
        }
        hg_exec_strategy(w->exec, (uint16_t)k, k == 0 ? "alpha" : "beta");
    }
    market_ticks(r);
}

static void rig_close(rig *r) {
    hg_portfolio *books[PARTS_MAX] = {r->parts[0].book, r->parts[1].book};
    hg_exec_free(r->w.exec); /* it books into the parts, and they look at the universe */
    r->w.exec = NULL;
    for (int k = 0; r->part_count > 1 && k < r->part_count; k++) {
        hg_portfolio_free(books[k]);
    }
    world_close(&r->w);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void release(rig *r, int k) {
    hg_event e = r->waits[k];
    r->waits[k] = r->waits[--r->count];
    e.time_ns = r->w.now_ns;
    hg_exec_apply(r->w.exec, &e);
}

static void note_trade(rig *r, const hg_event *e) {
    const hg_order *order = hg_exec_get(r->w.exec, e->order.id);
    CHECK(e->order.trade < TRADES && order && order->strategy < r->part_count);
    r->parts[order->strategy].traded[e->id] += r->seen[e->order.trade] ? 0 : e->order.size;
    r->seen[e->order.trade] = true;
}

/* A third of the fills is told later than what came after them. */
static void deliver(rig *r) {
    world *w = &r->w;
    for (;;) {
        hg_event e;
        int64_t venue = w->venue->ops->due_ns(w->venue);
        int64_t own = hg_exec_due_ns(w->exec);
        if (own <= venue && own <= w->now_ns && hg_exec_next(w->exec, &e)) {
            hg_exec_apply(w->exec, &e);
        } else if (venue > w->now_ns) {
            return;
        } else if (w->venue->ops->next(w->venue, &e)) {
            if (e.kind == HG_EV_FILL) {
                note_trade(r, &e);
            }
            if (e.kind == HG_EV_FILL && r->count < WAITING && below(r, 3) == 0) {
                r->waits[r->count++] = e;
                r->kept++;
            } else {
                hg_exec_apply(w->exec, &e);
            }
        }
    }
}

/* --- hedging ---------------------------------------------------------------------------------- */

static double one_lot(rig *r, const part *p, uint32_t id) {
    hg_unit unit;
    CHECK(hg_portfolio_unit(r->w.portfolio, id, r->w.now_ns, &unit));
    return p->of == BY_VEGA ? unit.vega : p->of == BY_GAMMA ? unit.gamma : unit.delta;
}

/* How far it has gone, if all that is pending on its side fills. */
static double reached(rig *r, const part *p) {
    double sum = 0;
    if (p->of == BY_DELTA) {
        const hg_exposure *x = hg_portfolio_exposure(p->book, 0, r->w.now_ns);
        return p->side == HG_BUY ? x->pending_hi : -x->pending_lo;
    }
    for (uint32_t id = CALL; id < INSTRUMENTS; id++) {
        const hg_position *pos = hg_portfolio_get(p->book, id);
        hg_lots pending = p->side == HG_BUY ? pos->pending_buy : pos->pending_sell;
        sum += ((double)pos->lots * (double)p->side + (double)pending) * one_lot(r, p, id);
    }
    return sum;
}

static void hedge(rig *r, int k) {
    static const double near[INSTRUMENTS] = {60000, 60000, 0.1, 0.05};
    static const double step[INSTRUMENTS] = {1, 1, 0.0005, 0.0005};
    part *p = &r->parts[k];
    bool options = p->of != BY_DELTA;
    uint32_t id = (uint32_t)(options ? CALL + below(r, 2) : below(r, INSTRUMENTS));
    double missing = floor((p->need - reached(r, p)) / one_lot(r, p, id));
    if (!(missing > 0)) {
        return;
    }
    hg_order_request q = {.instrument = id,
                          .strategy = (uint16_t)k,
                          .side = p->side,
                          .type = below(r, 4) == 0 ? HG_TYPE_MARKET : HG_TYPE_LIMIT,
                          .tif = below(r, 2) != 0 ? HG_TIF_IOC : HG_TIF_GTC,
                          .price = near[id] + step[id] * (below(r, 15) - 7),
                          .size = hg_size_to_double(inst_of(&r->w, id), (hg_lots)missing),
                          .again = true};
    send_request(&r->w, q);
    p->sent += r->w.refusal.code == HG_REJECT_NONE;
}

static void change_mind(rig *r) {
    const hg_order *o = hg_exec_open_next(r->w.exec, HG_STRATEGY_ANY, 0);
    if (below(r, 5) == 0) {
        hg_exec_cancel_all(r->w.exec, HG_STRATEGY_ANY, HG_ID_NONE, r->w.now_ns);
    } else if (o && below(r, 5) == 0) { /* another price, and sometimes less of it */
        const hg_instrument *inst = inst_of(&r->w, o->instrument);
        hg_lots size = o->filled + 1 + (o->size - o->filled - 1) / 2;
        double price = hg_price_to_double(inst, o->price + (o->side == HG_BUY ? -1 : 1));
        hg_exec_amend(r->w.exec, o->id, price, below(r, 2) != 0 ? 0 : hg_size_to_double(inst, size),
                      r->w.now_ns, &r->w.refusal);
    }
}

static double more_needed(rig *r, const part *p) {
    switch (p->of) {
    case BY_VEGA:
        return 20 * below(r, 9);
    case BY_GAMMA:
        return 3 * one_lot(r, p, CALL) * below(r, 9);
    default:
        return below(r, 4);
    }
}

/* --- the property ----------------------------------------------------------------------------- */

static void check_truth(rig *r, uint64_t seed, const char *faults, int step) {
    for (int k = 0; k < r->part_count; k++) {
        const part *p = &r->parts[k];
        double truth = 0;
        double largest = 0;
        for (uint32_t id = 0; id < INSTRUMENTS; id++) {
            double lot = one_lot(r, p, id);
            truth += (double)p->traded[id] * lot;
            largest = fmax(largest, lot);
        }
        if (truth > p->need + largest) {
            hg_test_fail(__FILE__, __LINE__,
                         "seed %llu, faults %s, step %d, strategy %d (%s, %s): %.9g traded, %.9g "
                         "needed, a lot is %.9g",
                         (unsigned long long)seed, faults, step, k, hg_side_name(p->side),
                         measures[p->of], truth, p->need, largest);
        }
    }
}

/* Nothing is lost between the shares and the whole of the book. */
static void check_shares(rig *r) {
    for (uint32_t id = 0; r->part_count > 1 && id < INSTRUMENTS; id++) {
        const hg_position *whole = hg_portfolio_get(r->w.portfolio, id);
        const hg_position *a = hg_portfolio_get(r->parts[0].book, id);
        const hg_position *b = hg_portfolio_get(r->parts[1].book, id);
        CHECK_EQ(a->lots + b->lots, whole->lots);
        CHECK_EQ(a->pending_buy + b->pending_buy, whole->pending_buy);
        CHECK_EQ(a->pending_sell + b->pending_sell, whole->pending_sell);
    }
}

typedef struct counts {
    uint64_t kept;
    int sent[MEASURES][2][2]; /* measure, sells, with a share */
} counts;

static void play(uint64_t seed, const char *faults, bool late, counts *c) {
    static rig r;
    r = (rig){.count = 0};
    rig_open(&r, seed, faults);
    for (int i = 0; i < 1500; i++) {
        later(&r.w, (int64_t)(1 + hg_rng_below(&r.rng, 200)) * HG_NS_PER_MS);
        market_ticks(&r);
        deliver(&r);
        if (r.count > 0 && (!late || below(&r, 4) == 0)) {
            release(&r, (int)below(&r, (uint64_t)r.count));
        }
        for (int k = 0; k < r.part_count; k++) {
            bool more = below(&r, 20) == 0;
            r.parts[k].need += more ? more_needed(&r, &r.parts[k]) : 0;
        }
        change_mind(&r);
        for (int k = 0; k < r.part_count; k++) {
            hedge(&r, k);
        }
        check_truth(&r, seed, faults, i);
        check_shares(&r);
    }
    for (int k = 0; k < r.part_count; k++) {
        const part *p = &r.parts[k];
        c->sent[p->of][p->side == HG_SELL][r.part_count > 1] += p->sent;
    }
    c->kept += r.kept;
    rig_close(&r);
}

TEST_WITHIN(nobody_over_hedges_in_any_instrument_side_or_share, 120) {
    counts c = {0};
    hg_log_level_set(HG_LOG_ERROR);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        play(seed, "none", true, &c);
        play(seed, "cut=random:20s:5s", true, &c);
        play(seed, "cut=random:10s:10s,lose=5%,repeat=5%,busy=5%", false, &c);
    }
    int least = INT32_MAX;
    int all = 0;
    for (int i = 0; i < MEASURES * 4; i++) {
        int n = c.sent[i / 4][i / 2 % 2][i % 2];
        least = n < least ? n : least;
        all += n;
    }
    CHECK(c.kept > 500 && least > 100);
    printf("note: 120 sessions, %d hedges sent, at least %d of each kind, %llu fills told late\n",
           all, least, (unsigned long long)c.kept);
}
