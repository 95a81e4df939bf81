/* A book as a feed marks it: pumping until all is marked, rows of numbers, grids of outcomes. */
#include "app/book_view.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>

/* A book that is not wholly marked after this much event time is shown as it is. Longer than the
 * minute after which a leg that nobody prices takes a price derived from its neighbours. */
#define MARK_TIMEOUT_NS (2 * 60 * HG_NS_PER_S)
#define POINT 0.01
#define DAYS_PER_YEAR 365.0

static bool all_marked(hg_core *core) {
    hg_pnl pnl;
    hg_portfolio_pnl(core->portfolio, core->now_ns, &pnl);
    for (uint32_t u = 0; pnl.known && u < hg_universe_underlying_count(core->universe); u++) {
        const hg_exposure *x = hg_portfolio_exposure(core->portfolio, u, core->now_ns);
        pnl.known = x->quality != HG_QUALITY_PARTIAL;
    }
    return pnl.known;
}

int hg_book_view_mark(hg_book_view *v) {
    hg_core *core = &v->session->core;
    if (v->at_ns > INT64_MAX - core->start_ns) {
        return HG_ERR(HG_EUSAGE, "--at is out of range");
    }
    int64_t end_ns = core->start_ns + (v->at_ns > 0 ? v->at_ns : MARK_TIMEOUT_NS);
    hg_event event;
    int rc = 0;
    bool marked = false;
    while (!marked) {
        rc = hg_feed_next(v->session->feed, &event);
        if (rc <= 0 || event.time_ns > end_ns) {
            break;
        }
        hg_core_feed(core, &event);
        marked = v->at_ns == 0 && !(event.flags & HG_EVF_MORE) && all_marked(core);
    }
    if (rc == 0 && v->at_ns > 0 && core->now_ns < end_ns) {
        char last[40];
        return HG_ERR(HG_EDATA, "--at is after the end of the feed (%s)",
                      hg_time_format(core->now_ns, last, sizeof last));
    }
    v->now_ns = v->at_ns > 0 ? end_ns : core->now_ns;
    v->held_count = hg_portfolio_held(core->portfolio, &v->held);
    return rc < 0 ? rc : HG_OK;
}

/* ---- legs ------------------------------------------------------------------------------------ */

static hg_leg leg_read(const hg_book_view *v, uint32_t id) {
    const hg_core *core = &v->session->core;
    const hg_instrument *inst = hg_universe_get(core->universe, id);
    double amount = hg_size_to_double(inst, hg_portfolio_get(core->portfolio, id)->lots);
    return hg_leg_read(core->market, inst, amount, v->now_ns);
}

static void option_row(const hg_leg *leg, hg_book_row_view *r) {
    hg_greeks g;
    r->iv = leg->sigma;
    if (hg_leg_greeks(leg, &g)) {
        r->delta = leg->amount * g.delta;
        r->gamma = leg->amount * g.gamma;
        r->vega = leg->amount * g.vega * POINT;
        r->theta = leg->amount * g.theta / DAYS_PER_YEAR;
        r->value = leg->amount * g.price * (leg->inverse ? leg->spot / leg->price : 1);
    }
}

/* Futures are worth what they have gained since their entry, spot its price. */
static void linear_row(const hg_leg *leg, const hg_position *position, hg_book_row_view *r) {
    double cost = hg_nano_to_double(position->cost);
    r->gamma = r->vega = r->theta = 0;
    if (!(leg->price > 0)) {
        return;
    }
    double coins = leg->amount / (leg->inverse ? leg->price : 1);
    r->delta = coins * hg_leg_open(leg);
    if (leg->kind == HG_KIND_SPOT) {
        r->value = leg->amount * leg->price;
    } else {
        r->value = leg->inverse ? (cost - coins) * leg->spot : leg->amount * leg->price - cost;
    }
}

hg_book_row_view hg_book_view_row(const hg_book_view *v, uint32_t id) {
    const hg_core *core = &v->session->core;
    hg_leg leg = leg_read(v, id);
    hg_book_row_view r = {.inst = hg_universe_get(core->universe, id), .size = leg.amount};
    r.mark = hg_market_mark(core->market, id, v->now_ns);
    r.settled = hg_market_get(core->market, id)->settled;
    r.iv = NAN;
    if (r.settled) {
        return r;
    }
    r.delta = r.gamma = r.vega = r.theta = r.value = NAN;
    if (!(r.mark > 0) && hg_market_get(core->market, id)->mark_ns == 0) {
        r.mark = NAN;
    }
    if (leg.kind == HG_KIND_OPTION) {
        option_row(&leg, &r);
    } else {
        linear_row(&leg, hg_portfolio_get(core->portfolio, id), &r);
    }
    return r;
}

/* ---- the grid -------------------------------------------------------------------------------- */

size_t hg_book_view_cells(const hg_book_view *v) {
    return v->scenario->spot_pct.count * v->scenario->vol_points.count;
}

static int grid_fill(const hg_book_view *v, hg_leg *legs, hg_shock *shocks, hg_outcome *grid) {
    const hg_core *core = &v->session->core;
    const hg_scenario *s = v->scenario;
    size_t cells = hg_book_view_cells(v);
    uint32_t underlyings = hg_universe_underlying_count(core->universe);
    hg_outcome *sum = grid + underlyings * cells;
    for (size_t c = 0; c < cells; c++) {
        shocks[c] = hg_scenario_shock(s, c / s->vol_points.count, c % s->vol_points.count);
    }
    for (uint32_t u = 0; u < underlyings; u++) {
        uint32_t unknown = HG_ID_NONE;
        size_t count = hg_legs_read(core->portfolio, u, v->now_ns, legs, v->held_count, &unknown);
        if (unknown != HG_ID_NONE) {
            return HG_ERR(HG_EDATA, "--scenario: the feed has no price for %s",
                          hg_universe_get(core->universe, unknown)->name);
        }
        hg_legs_grid(legs, count, shocks, cells, grid + u * cells);
        for (size_t c = 0; c < cells; c++) {
            sum[c].pnl_usd += grid[u * cells + c].pnl_usd;
        }
    }
    return HG_OK;
}

int hg_book_view_grid(const hg_book_view *v, hg_outcome **out) {
    *out = NULL;
    if (!v->scenario) {
        return HG_OK;
    }
    size_t grids = hg_universe_underlying_count(v->session->core.universe) + (size_t)1;
    hg_outcome *grid = calloc(grids * hg_book_view_cells(v), sizeof *grid);
    hg_leg *legs = calloc(v->held_count + (size_t)1, sizeof *legs);
    hg_shock *shocks = calloc(hg_book_view_cells(v), sizeof *shocks);
    int rc = grid && legs && shocks ? grid_fill(v, legs, shocks, grid)
                                    : HG_ERR(HG_ENOMEM, "scenario grid");
    free(shocks);
    free(legs);
    if (rc < 0) {
        free(grid);
        return rc;
    }
    *out = grid;
    return HG_OK;
}

bool hg_book_view_holds(const hg_book_view *v, uint32_t underlying) {
    const hg_universe *universe = v->session->core.universe;
    for (uint32_t i = 0; i < v->held_count; i++) {
        if (hg_universe_get(universe, v->held[i])->underlying_id == underlying) {
            return true;
        }
    }
    return false;
}
