/* book: what a book is worth and how it moves, marked by a feed; and a grid of what it would gain
 * or lose. The same core as a session prices it, without a strategy. */
#include "app/book_view.h"
#include "app/console.h"
#include "app/verb.h"
#include "base/clock.h"
#include "base/json.h"
#include "venue/sim.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const hg_flag flags[] = {
    {"feed",        "sim|tape:FILE", "where the marks come from (default sim)"               },
    {"at",          "DURATION",      "event time into the feed (default: all is marked)"     },
    {"scenario",    "GRID",          "P&L over spot=A:B:C,vol=A:B:C,days=N (%, points, days)"},
    {"market",      "NAME",          "calm, crash, volspike, weekend or gapdown (sim feed)"  },
    {"seed",        "N",             "seed of the synthetic market"                          },
    {"instruments", "FILE",          "terms of instruments the built-in names do not cover"  },
    HG_FLAG_JSON,
    HG_FLAGS_END,
};

static int session_read(const hg_args *args, hg_session_options *o) {
    size_t market = 0;
    *o = (hg_session_options){.mode = HG_MODE_BACKTEST, .paper.fill = HG_FILL_QUEUE, .seed = 1};
    hg_limits_default(&o->limits);
    int rc = hg_args_choice(args, "market", hg_sim_scenarios, &market);
    if (rc == HG_OK) {
        rc = hg_args_u64(args, "seed", &o->seed);
    }
    o->feed = hg_args_get(args, "feed", "sim");
    o->scenario = hg_args_get(args, "market", "calm");
    o->instruments = hg_args_get(args, "instruments", NULL);
    o->book = args->words[0];
    o->json = hg_args_has(args, "json");
    return rc;
}

/* ---- totals ---------------------------------------------------------------------------------- */

#define TOTAL(field, unit, decimals)                                                               \
    { #field, unit, decimals, offsetof(hg_exposure, field) }
static const struct {
    const char *name;
    const char *unit; /* "": coins */
    int decimals;
    size_t offset;
} totals[] = {
    TOTAL(delta, "", 6),
    TOTAL(delta_net, "", 6),
    TOTAL(delta_cash, "", 6),
    TOTAL(delta_usd, "USD", 2),
    TOTAL(gamma, " per USD", 9),
    TOTAL(vega, "USD per vol point", 2),
    TOTAL(theta, "USD per day", 2),
    TOTAL(rho, "USD per 1 % of rate", 2),
    TOTAL(vanna, " per vol point", 6),
    TOTAL(volga, "USD per vol point squared", 4),
    TOTAL(charm, " per day", 6),
    TOTAL(notional, "USD", 2),
    TOTAL(value, "USD", 2),
};
#define TOTALS (sizeof totals / sizeof *totals)

static double total_of(const hg_exposure *x, size_t i) {
    double value = 0;
    memcpy(&value, (const char *)x + totals[i].offset, sizeof value);
    return value;
}

/* ---- text ------------------------------------------------------------------------------------ */

/* A number in a column of `width`, "-" where it is unknown. */
static void cell(double value, int decimals, int width) {
    char text[64];
    double tiny = 0.5 * pow(10, -decimals);
    value = fabs(value) < tiny ? 0 : value; /* no "-0.00" */
    printf(" %*s", width,
           isfinite(value) ? hg_console_number(value, decimals, text, sizeof text) : "-");
}

static int decimals_of(double value) {
    return fabs(value) < 10 ? 6 : 2;
}

static void row_print(const hg_book_row_view *r) {
    printf("%-24s", r->inst->name);
    cell(r->size, fmod(r->size, 1) == 0 ? 0 : 4, 11);
    cell(r->mark, decimals_of(r->mark), 12);
    printf(" %-4s", r->inst->quote);
    cell(r->iv * 100, 2, 7);
    cell(r->delta, 4, 10);
    cell(r->gamma, 7, 11);
    cell(r->vega, 2, 10);
    cell(r->theta, 2, 10);
    cell(r->value, 2, 14);
    printf("%s\n", r->settled ? "  delivered" : "");
}

static void legs_print(const hg_book_view *v) {
    printf("%-24s %11s %12s %-4s %7s %10s %11s %10s %10s %14s\n", "instrument", "size", "mark", "",
           "iv", "delta", "gamma", "vega", "theta", "value");
    printf("%-24s %11s %12s %-4s %7s %10s %11s %10s %10s %14s\n", "", "", "", "", "%", "coins",
           "coins/USD", "USD/point", "USD/day", "USD");
    for (uint32_t i = 0; i < v->held_count; i++) {
        hg_book_row_view r = hg_book_view_row(v, v->held[i]);
        row_print(&r);
    }
}

static void totals_print(const hg_book_view *v, uint32_t underlying) {
    const hg_core *core = &v->session->core;
    const hg_exposure *x = hg_portfolio_exposure(core->portfolio, underlying, v->now_ns);
    const char *coin = hg_universe_underlying(core->universe, underlying)->name;
    char spot[32];
    printf("\n%s at %s USD, prices %.1f s old, quality %s%s%s\n", coin,
           hg_console_number(x->spot, decimals_of(x->spot), spot, sizeof spot), x->age_s,
           hg_quality_name(x->quality), x->reasons[0] ? ": " : "", x->reasons);
    for (size_t i = 0; i < TOTALS; i++) {
        bool coins = totals[i].unit[0] == '\0' || totals[i].unit[0] == ' ';
        printf("  %-10s", totals[i].name);
        cell(total_of(x, i), totals[i].decimals, 20);
        printf("  %s%s\n", coins ? coin : "", totals[i].unit);
    }
}

static void grid_print(const hg_scenario *s, const hg_outcome *grid, bool delta,
                       const char *title) {
    printf("\n%s", title);
    if (s->days > 0) {
        printf(", %g days forward", s->days);
    }
    printf("; spot down, vol points across\n%8s", "");
    for (size_t k = 0; k < s->vol_points.count; k++) {
        printf(" %+14g", hg_axis_at(&s->vol_points, k));
    }
    for (size_t i = 0; i < s->spot_pct.count; i++) {
        printf("\n%+6g %%", hg_axis_at(&s->spot_pct, i));
        for (size_t k = 0; k < s->vol_points.count; k++) {
            const hg_outcome *one = &grid[i * s->vol_points.count + k];
            cell(delta ? one->delta : one->pnl_usd, delta ? 4 : 2, 14);
        }
    }
    printf("\n");
}

static void grids_print(const hg_book_view *v, const hg_outcome *grid) {
    const hg_scenario *s = v->scenario;
    const hg_universe *universe = v->session->core.universe;
    uint32_t shown = 0;
    char title[64];
    for (uint32_t u = 0; u < hg_universe_underlying_count(universe);
         u++, grid += hg_book_view_cells(v)) {
        if (!hg_book_view_holds(v, u)) {
            continue;
        }
        const char *coin = hg_universe_underlying(universe, u)->name;
        snprintf(title, sizeof title, "%s: P&L in USD", coin);
        grid_print(s, grid, false, title);
        snprintf(title, sizeof title, "%s: delta in %s", coin, coin);
        grid_print(s, grid, true, title);
        shown++;
    }
    if (shown > 1) {
        grid_print(s, grid, false, "all: P&L in USD");
    }
}

static void print_text(const hg_book_view *v, const hg_outcome *grid) {
    const hg_session_options *o = &v->session->options;
    char time[40];
    printf("%s  feed %s", o->book, o->feed);
    if (strcmp(o->feed, "sim") == 0) {
        printf(":%s  seed %llu", o->scenario, (unsigned long long)o->seed);
    }
    printf("  at %s\n\n", hg_time_format(v->now_ns, time, sizeof time));
    legs_print(v);
    for (uint32_t u = 0; u < hg_universe_underlying_count(v->session->core.universe); u++) {
        if (hg_book_view_holds(v, u)) {
            totals_print(v, u);
        }
    }
    if (grid) {
        grids_print(v, grid);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void row_json(const hg_book_view *v, const hg_book_row_view *r, hg_json *j) {
    const hg_universe *universe = v->session->core.universe;
    hg_json_open(j, NULL);
    hg_json_string(j, "instrument", r->inst->name);
    hg_json_string(j, "underlying", hg_universe_underlying(universe, r->inst->underlying_id)->name);
    hg_json_number(j, "size", r->size);
    hg_json_number(j, "mark", r->mark);
    hg_json_string(j, "unit", r->inst->quote);
    hg_json_number(j, "iv", r->iv);
    hg_json_number(j, "delta", r->delta);
    hg_json_number(j, "gamma", r->gamma);
    hg_json_number(j, "vega", r->vega);
    hg_json_number(j, "theta", r->theta);
    hg_json_number(j, "value", r->value);
    hg_json_bool(j, "settled", r->settled);
    hg_json_close(j);
}

static void totals_json(const hg_book_view *v, uint32_t underlying, hg_json *j) {
    const hg_core *core = &v->session->core;
    const hg_exposure *x = hg_portfolio_exposure(core->portfolio, underlying, v->now_ns);
    hg_json_open(j, NULL);
    hg_json_string(j, "underlying", hg_universe_underlying(core->universe, underlying)->name);
    hg_json_number(j, "spot", x->spot);
    for (size_t i = 0; i < TOTALS; i++) {
        hg_json_number(j, totals[i].name, total_of(x, i));
    }
    hg_json_number(j, "age", x->age_s);
    hg_json_string(j, "quality", hg_quality_name(x->quality));
    hg_json_string(j, "reasons", x->reasons);
    hg_json_close(j);
}

static void axis_json(const hg_axis *axis, const char *name, hg_json *j) {
    hg_json_open_array(j, name);
    for (size_t i = 0; i < axis->count; i++) {
        hg_json_number(j, NULL, hg_axis_at(axis, i));
    }
    hg_json_close_array(j);
}

/* Rounded to a millionth of a dollar and a billionth of a coin: free of binary dust. */
static void cells_json(const hg_scenario *s, const hg_outcome *grid, bool delta, hg_json *j) {
    hg_json_open_array(j, delta ? "delta" : "pnl");
    for (size_t i = 0; i < s->spot_pct.count; i++) {
        hg_json_open_array(j, NULL);
        for (size_t k = 0; k < s->vol_points.count; k++) {
            const hg_outcome *one = &grid[i * s->vol_points.count + k];
            hg_json_number(j, NULL,
                           delta ? nearbyint(one->delta * 1e9) / 1e9
                                 : nearbyint(one->pnl_usd * 1e6) / 1e6);
        }
        hg_json_close_array(j);
    }
    hg_json_close_array(j);
}

static void grids_json(const hg_book_view *v, const hg_outcome *grid, hg_json *j) {
    const hg_scenario *s = v->scenario;
    const hg_universe *universe = v->session->core.universe;
    hg_json_open(j, "scenario");
    axis_json(&s->spot_pct, "spot", j);
    axis_json(&s->vol_points, "vol", j);
    hg_json_number(j, "days", s->days);
    hg_json_open_array(j, "underlyings");
    for (uint32_t u = 0; u < hg_universe_underlying_count(universe);
         u++, grid += hg_book_view_cells(v)) {
        if (hg_book_view_holds(v, u)) {
            hg_json_open(j, NULL);
            hg_json_string(j, "underlying", hg_universe_underlying(universe, u)->name);
            cells_json(s, grid, false, j);
            cells_json(s, grid, true, j);
            hg_json_close(j);
        }
    }
    hg_json_close_array(j);
    cells_json(s, grid, false, j);
    hg_json_close(j);
}

static void json_fill(const hg_book_view *v, const hg_outcome *grid, hg_json *j) {
    const hg_core *core = &v->session->core;
    hg_json_open(j, NULL);
    hg_json_string(j, "book", v->session->options.book);
    hg_json_string(j, "feed", v->session->options.feed);
    hg_json_number(j, "time", (double)v->now_ns / 1e9);
    hg_json_open_array(j, "legs");
    for (uint32_t i = 0; i < v->held_count; i++) {
        hg_book_row_view r = hg_book_view_row(v, v->held[i]);
        row_json(v, &r, j);
    }
    hg_json_close_array(j);
    hg_json_open_array(j, "underlyings");
    for (uint32_t u = 0; u < hg_universe_underlying_count(core->universe); u++) {
        if (hg_book_view_holds(v, u)) {
            totals_json(v, u, j);
        }
    }
    hg_json_close_array(j);
    if (grid) {
        grids_json(v, grid, j);
    }
    hg_json_close(j);
}

/* Books and grids have no largest size worth a limit: the buffer grows until all fits. */
static int print_json(const hg_book_view *v, const hg_outcome *grid) {
    for (size_t size = (size_t)1 << 16; size <= (size_t)1 << 30; size *= 4) {
        char *buf = malloc(size);
        if (!buf) {
            return HG_ERR(HG_ENOMEM, "%zu bytes of JSON", size);
        }
        hg_json json;
        hg_json_init(&json, buf, size);
        json_fill(v, grid, &json);
        if (!json.overflow) {
            printf("%s\n", hg_json_text(&json));
        }
        free(buf);
        if (!json.overflow) {
            return HG_OK;
        }
    }
    return HG_ERR(HG_ELIMIT, "more than a gigabyte of JSON");
}

/* ---------------------------------------------------------------------------------------------- */

static int show(hg_book_view *v) {
    hg_outcome *grid = NULL;
    int rc = hg_book_view_mark(v);
    if (rc == HG_OK) {
        rc = hg_book_view_grid(v, &grid);
    }
    if (rc == HG_OK && v->session->options.json) {
        rc = print_json(v, grid);
    } else if (rc == HG_OK) {
        print_text(v, grid);
    }
    free(grid);
    return rc;
}

static int run(hg_args *args) {
    if (args->word_count != 1) {
        return hg_verb_usage(&hg_verb_book,
                             args->word_count ? "one book at a time" : "which book?");
    }
    hg_session session;
    hg_session_options options;
    hg_scenario scenario;
    hg_book_view v = {.session = &session};
    const char *grid = hg_args_get(args, "scenario", NULL);
    int rc = session_read(args, &options);
    if (rc == HG_OK) {
        rc = hg_args_duration(args, "at", &v.at_ns);
    }
    if (rc == HG_OK && grid) {
        rc = hg_scenario_parse(grid, &scenario);
        v.scenario = &scenario;
    }
    if (rc == HG_OK) {
        rc = hg_session_open(&session, &options);
    }
    if (rc < 0) {
        return hg_verb_fail(rc);
    }
    rc = show(&v);
    int code = rc < 0 ? hg_verb_fail(rc) : HG_EXIT_OK;
    rc = hg_session_close(&session);
    return rc < 0 && code == HG_EXIT_OK ? hg_verb_fail(rc) : code;
}

const hg_verb hg_verb_book = {
    .name = "book",
    .synopsis = "FILE [flags]",
    .summary = "legs and Greeks of a book, and what it gains or loses in scenarios",
    .example = "hedged book examples/books/short_strangle.lua --scenario "
               "spot=-20:20:10,vol=-10:20:10,days=1",
    .flags = flags,
    .run = run,
};
