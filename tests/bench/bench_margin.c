/* Margin and scenarios of 1,000 options: the grid of 9 moves and 3 vols, and what a venue asks. */
#include "base/clock.h"
#include "bench.h"
#include "portfolio/margin.h"

#include <stdio.h>
#include <stdlib.h>

#define T0 (INT64_C(1767607200) * HG_NS_PER_S)

typedef struct {
    hg_universe *universe;
    hg_market *market;
    hg_portfolio *portfolio;
    hg_margin *margin;
    int64_t now_ns;
    uint32_t perp;
} desk;

static void told(desk *d, hg_event e) {
    e.time_ns = d->now_ns;
    hg_market_apply(d->market, &e);
    hg_portfolio_observe(d->portfolio, &e);
}

static void add(desk *d, const char *name, uint32_t *id) {
    if (hg_universe_add_name(d->universe, name, id) < 0) {
        fprintf(stderr, "%s: %s\n", name, hg_error_text());
        exit(1);
    }
}

static void value(desk *d, hg_event_kind kind, uint32_t id, double price) {
    hg_event e = {.kind = (uint8_t)kind, .id = id};
    e.price.value = (hg_nano)(price * 1e9);
    told(d, e);
}

static void desk_open(desk *d, uint32_t legs, hg_margin_model model) {
    static const char *const days[] = {"9JAN26", "16JAN26", "30JAN26", "27MAR26", "26JUN26"};
    char name[64];
    uint32_t id = 0;
    *d = (desk){.universe = hg_universe_new(), .now_ns = T0};
    for (uint32_t i = 0; i < legs; i++) {
        snprintf(name, sizeof name, "BTC-%s-%u-%c", days[i % 5], 20000 + i / 5 * 400,
                 i % 2 ? 'C' : 'P');
        add(d, name, &id);
    }
    add(d, "BTC-PERPETUAL", &d->perp);
    d->market = hg_market_new(d->universe, &(hg_market_options){0});
    d->portfolio = hg_portfolio_new(d->market, &(hg_portfolio_options){0});
    d->margin = hg_margin_new(d->portfolio, model);
    value(d, HG_EV_INDEX, 0, 60000);
    for (uint32_t x = 0; x < hg_universe_expiry_count(d->universe); x++) {
        value(d, HG_EV_FORWARD, x, 60000 + 100 * x);
    }
    for (uint32_t i = 0; i < legs; i++) {
        hg_event e = {.kind = HG_EV_MARK, .id = i};
        e.mark.iv = (hg_nano)((0.5 + 0.0001 * i) * 1e9);
        told(d, e);
        if (hg_portfolio_open(d->portfolio, i, i % 2 ? 10 : -10, 0) < 0) {
            exit(1);
        }
    }
    hg_event e = {.kind = HG_EV_MARK, .id = d->perp};
    e.mark.price = 60000 * HG_NANO;
    told(d, e);
    uint32_t btc = hg_universe_find_currency(d->universe, "BTC");
    if (hg_portfolio_deposit(d->portfolio, btc, 1000 * HG_NANO) < 0) {
        exit(1);
    }
    bench_keep(d);
}

static void desk_close(desk *d) {
    hg_margin_free(d->margin);
    hg_portfolio_free(d->portfolio);
    hg_market_free(d->market);
    hg_universe_free(d->universe);
}

/* ns per grid: what 1,000 legs would gain in 27 scenarios. */
BENCH(scenarios_1000_legs_27) {
    desk d;
    desk_open(&d, 1000, HG_MARGIN_NONE);
    static hg_leg legs[1001];
    hg_shock shocks[27];
    hg_outcome out[27];
    size_t count = hg_legs_read(d.portfolio, 0, d.now_ns, legs, 1001, NULL);
    for (int s = 0; s < 27; s++) {
        shocks[s] = (hg_shock){.spot = 0.04 * (s / 3 - 4), .vol = 0.1 * (s % 3 - 1)};
    }
    BENCH_LOOP (b) {
        hg_legs_grid_pnl(legs, count, shocks, 27, out);
        bench_keep(out[0].pnl_usd);
    }
    bench_field(b, "legs", (double)count);
    desk_close(&d);
}

BENCH(scenarios_1000_legs_27_greeks) {
    desk d;
    desk_open(&d, 1000, HG_MARGIN_NONE);
    static hg_leg legs[1001];
    hg_shock shocks[27];
    hg_outcome out[27];
    size_t count = hg_legs_read(d.portfolio, 0, d.now_ns, legs, 1001, NULL);
    for (int s = 0; s < 27; s++) {
        shocks[s] = (hg_shock){.spot = 0.04 * (s / 3 - 4), .vol = 0.1 * (s % 3 - 1)};
    }
    BENCH_LOOP (b) {
        hg_legs_grid(legs, count, shocks, 27, out);
        bench_keep(out[0].delta);
    }
    desk_close(&d);
}

/* ns per answer, everything read and priced anew: legs read, 27 + 8 scenarios, sums. */
static void anew(bench *b, uint32_t legs, hg_margin_model model) {
    desk d;
    desk_open(&d, legs, model);
    BENCH_LOOP (b) {
        d.now_ns += HG_NS_PER_MS;
        hg_margin_total total;
        hg_margin_total_of(d.margin, d.now_ns, &total);
        bench_keep(total.initial);
    }
    bench_field(b, "legs", legs);
    desk_close(&d);
}

BENCH(portfolio_1000_legs) {
    anew(b, 1000, HG_MARGIN_PORTFOLIO);
}
BENCH(portfolio_20_legs) {
    anew(b, 20, HG_MARGIN_PORTFOLIO);
}
BENCH(standard_1000_legs) {
    anew(b, 1000, HG_MARGIN_STANDARD);
}
BENCH(standard_20_legs) {
    anew(b, 20, HG_MARGIN_STANDARD);
}

/* ns per order at the venue, the second order of a second on: sizes change, prices do not. */
static void admits(bench *b, uint32_t legs, hg_margin_model model) {
    desk d;
    long n = 0;
    desk_open(&d, legs, model);
    BENCH_LOOP (b) {
        hg_portfolio_pending(d.portfolio, d.perp, 100 + n++ % 2, 0);
        bench_keep(hg_margin_admits(d.margin, d.perp, HG_BUY, 100, 60000, d.now_ns));
    }
    desk_close(&d);
}

BENCH(admits_standard_20_legs) {
    admits(b, 20, HG_MARGIN_STANDARD);
}
BENCH(admits_portfolio_20_legs) {
    admits(b, 20, HG_MARGIN_PORTFOLIO);
}
BENCH(admits_portfolio_1000_legs) {
    admits(b, 1000, HG_MARGIN_PORTFOLIO);
}

BENCH(liquidation_price_portfolio_20_legs) {
    desk d;
    desk_open(&d, 20, HG_MARGIN_PORTFOLIO);
    BENCH_LOOP (b) {
        hg_margin_distance far;
        d.now_ns += HG_NS_PER_MS;
        hg_margin_distance_of(d.margin, 0, d.now_ns, &far);
        bench_keep(far.below);
    }
    desk_close(&d);
}
