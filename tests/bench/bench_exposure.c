/* Exposure of a 100-leg book: after the spot moved, when nothing did, when one leg did. */
#include "base/clock.h"
#include "bench.h"
#include "portfolio/portfolio.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define T0 (INT64_C(1767607200) * HG_NS_PER_S)
enum { LEGS = 100 };

typedef struct {
    hg_universe *universe;
    hg_market *market;
    hg_portfolio *portfolio;
    uint32_t perp;
    int64_t now_ns;
    int64_t step;
} desk;

static void told(desk *d, hg_event e) {
    e.time_ns = d->now_ns;
    hg_market_apply(d->market, &e);
    hg_portfolio_observe(d->portfolio, &e);
}

static void index_to(desk *d, double spot) {
    hg_event e = {.kind = HG_EV_INDEX};
    e.price.value = (hg_nano)(spot * 1e9);
    told(d, e);
}

static void vol_to(desk *d, uint32_t id, double iv) {
    hg_event e = {.kind = HG_EV_MARK, .id = id};
    e.mark.iv = (hg_nano)(iv * 1e9);
    told(d, e);
}

static void add(desk *d, const char *name, uint32_t *id) {
    if (hg_universe_add_name(d->universe, name, id) < 0) {
        fprintf(stderr, "%s: %s\n", name, hg_error_text());
        exit(1);
    }
}

/* 20 strikes of five expiries, and the perpetual they are hedged with; `others` more underlyings'
 * worth of instruments that nobody holds. */
static void desk_open(desk *d, int others) {
    static const char *const days[] = {"9JAN26", "16JAN26", "30JAN26", "27MAR26", "26JUN26"};
    char name[64];
    uint32_t id = 0;
    *d = (desk){.universe = hg_universe_new(), .now_ns = T0};
    for (int i = 0; i < LEGS; i++) {
        snprintf(name, sizeof name, "BTC-%s-%d-%c", days[i % 5], 45000 + i / 5 * 1500,
                 i % 2 ? 'C' : 'P');
        add(d, name, &id);
    }
    add(d, "BTC-PERPETUAL", &d->perp);
    for (int i = 0; i < others; i++) {
        snprintf(name, sizeof name, "ETH-26JUN26-%d-C", 100 + i);
        add(d, name, &id);
    }
    d->market = hg_market_new(d->universe, &(hg_market_options){0});
    d->portfolio = hg_portfolio_new(d->market, &(hg_portfolio_options){0});
    index_to(d, 60000);
    for (uint32_t x = 0; x < hg_universe_expiry_count(d->universe); x++) {
        hg_event e = {.kind = HG_EV_FORWARD, .id = x};
        e.price.value = (hg_nano)((60000 + 100 * x) * 1e9);
        told(d, e);
    }
    for (uint32_t i = 0; i < LEGS; i++) {
        vol_to(d, i, 0.5 + 0.001 * i);
        if (hg_portfolio_open(d->portfolio, i, i % 2 ? 10 : -10, 0) < 0) {
            exit(1);
        }
    }
    if (hg_portfolio_open(d->portfolio, d->perp, 100, 0) < 0) {
        exit(1);
    }
    hg_event e = {.kind = HG_EV_MARK, .id = d->perp};
    e.mark.price = 60000 * HG_NANO;
    told(d, e);
}

static void desk_close(desk *d) {
    hg_portfolio_free(d->portfolio);
    hg_market_free(d->market);
    hg_universe_free(d->universe);
}

static double ask(desk *d) {
    return hg_portfolio_exposure(d->portfolio, 0, d->now_ns)->delta;
}

static void spot_moved(bench *b, int others) {
    desk d;
    desk_open(&d, others);
    bench_field(b, "legs", LEGS);
    bench_field(b, "instruments", hg_universe_count(d.universe));
    BENCH_LOOP (b) {
        d.step++;
        d.now_ns += HG_NS_PER_MS;
        index_to(&d, 60000 + (double)(d.step % 1000) * 0.5);
        bench_keep(ask(&d));
    }
    desk_close(&d);
}

BENCH(spot_moved) {
    spot_moved(b, 0);
}

BENCH(spot_moved_1000_others) {
    spot_moved(b, 1000);
}

BENCH(spot_moved_10000_others) {
    spot_moved(b, 10000);
}

BENCH(cached) {
    desk d;
    desk_open(&d, 0);
    BENCH_LOOP (b) {
        bench_keep(ask(&d));
    }
    desk_close(&d);
}

BENCH(one_leg_changed) {
    desk d;
    desk_open(&d, 0);
    BENCH_LOOP (b) {
        d.step++;
        vol_to(&d, (uint32_t)(d.step % LEGS), 0.5 + (double)(d.step % 997) * 1e-5);
        bench_keep(ask(&d));
    }
    desk_close(&d);
}

BENCH(pending_changed) {
    desk d;
    desk_open(&d, 0);
    BENCH_LOOP (b) {
        d.step++;
        hg_portfolio_pending(d.portfolio, d.perp, 100 + d.step % 2, 0);
        bench_keep(ask(&d));
    }
    desk_close(&d);
}

BENCH(pnl) {
    desk d;
    hg_pnl pnl;
    desk_open(&d, 0);
    BENCH_LOOP (b) {
        hg_portfolio_pnl(d.portfolio, d.now_ns, &pnl);
        bench_keep(pnl.hedged);
    }
    desk_close(&d);
}
