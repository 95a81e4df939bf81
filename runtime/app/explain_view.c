/* Shows where the P&L came from. Numbers are those of hg_portfolio_explain; nothing is computed
 * here. */
#include "app/explain_view.h"

#include <math.h>
#include <stdio.h>

/* An object of the report holds this many instruments; the events file has them all. */
#define INSTRUMENTS_MAX 64
#define COLUMNS_MAX 4

const char *hg_explain_by_name(hg_explain_by by) {
    static const char *const names[] = {"session", "strategy", "underlying", "instrument"};
    return by < HG_BY_COUNT ? names[by] : "";
}

/* Free of binary dust. */
static double dollars(double value) {
    return nearbyint(value * 1e9) / 1e9;
}

static double coins(double value) {
    return nearbyint(value * 1e12) / 1e12;
}

void hg_explain_fields(hg_json *j, const hg_core *core, const hg_explanation *x, bool drift) {
    /* The rest takes up what rounding the parts leaves, so that what is shown adds up, too. */
    double rest = dollars(x->pnl);
    hg_json_number(j, "pnl", rest);
    for (size_t i = 0; i < HG_PARTS; i++) {
        double part = dollars(hg_part_get(&x->parts, i));
        hg_json_number(j, hg_part_names[i].name, part);
        rest -= part;
    }
    hg_json_number(j, "rest", dollars(rest));
    if (x->coin != HG_ID_NONE) {
        hg_json_string(j, "coin", hg_universe_currency(core->universe, x->coin)->name);
        hg_json_number(j, "coins", dollars(x->coins));
    }
    if (drift) {
        const hg_drift *d = &x->drift;
        hg_json_open(j, "drift");
        hg_json_number(j, "from", d->from);
        hg_json_number(j, "spot", d->spot);
        hg_json_number(j, "time", d->time);
        hg_json_number(j, "vol", d->vol);
        hg_json_number(j, "trades", d->trades);
        hg_json_number(j, "rest", d->rest);
        hg_json_number(j, "to", d->to);
        hg_json_close(j);
    }
    if (x->coin != HG_ID_NONE) {
        double left = dollars(x->coins);
        hg_json_open(j, "coin_parts");
        for (size_t i = 0; i < HG_PARTS; i++) {
            double part = coins(hg_part_get(&x->coin_parts, i));
            hg_json_number(j, hg_part_names[i].name, part);
            left -= part;
        }
        hg_json_number(j, "rest", coins(left));
        hg_json_close(j);
    }
}

/* --- groups ----------------------------------------------------------------------------------- */

static const char *owner_name(const hg_core *core, uint32_t owner) {
    if (owner == HG_OWNER_BOOK) {
        return "book";
    }
    if (owner == HG_OWNER_LIQUIDATION) {
        return "liquidation";
    }
    uint32_t script = owner - HG_OWNER_STRATEGY;
    return script < core->script_count ? hg_script_name(core->scripts[script]) : "unknown";
}

static void visit_one(const hg_core *core, hg_explain_by by, const char *name, hg_explain_of of,
                      int64_t now_ns, hg_explain_visit *visit, void *context) {
    hg_explanation x;
    hg_portfolio_explain(core->portfolio, of, now_ns, &x);
    if (x.rows > 0) {
        visit(context, by, name, &x);
    }
}

void hg_explain_each(const hg_core *core, hg_explain_by by, int64_t now_ns, hg_explain_visit *visit,
                     void *context) {
    hg_explain_of of = HG_EXPLAIN_ALL;
    const uint32_t *ids = NULL;
    uint32_t count = 1;
    switch (by) {
    case HG_BY_STRATEGY:
        for (uint32_t owner = 0; owner < HG_OWNERS; owner++) {
            of.owner = (uint8_t)owner;
            visit_one(core, by, owner_name(core, owner), of, now_ns, visit, context);
        }
        of.owner = HG_OWNER_ACCOUNT;
        visit_one(core, by, "account", of, now_ns, visit, context);
        return; /* as every grouping, so that its groups add up to the session */
    case HG_BY_UNDERLYING:
        count = hg_universe_underlying_count(core->universe);
        break;
    case HG_BY_INSTRUMENT:
        count = hg_portfolio_explained(core->portfolio, &ids);
        break;
    default:
        visit_one(core, by, "all", of, now_ns, visit, context);
        return;
    }
    hg_explain_of account = HG_EXPLAIN_ALL;
    account.owner = HG_OWNER_ACCOUNT;
    visit_one(core, by, "account", account, now_ns, visit, context);
    for (uint32_t i = 0; i < count; i++) {
        const char *name = NULL;
        if (ids) {
            of.instrument = ids[i];
            name = hg_universe_get(core->universe, ids[i])->name;
        } else {
            of.underlying = i;
            name = hg_universe_underlying(core->universe, i)->name;
        }
        visit_one(core, by, name, of, now_ns, visit, context);
    }
}

/* --- the report ------------------------------------------------------------------------------- */

typedef struct {
    const hg_core *core;
    hg_json *json;
    uint32_t count, left;
} object;

static void put_object(void *context, hg_explain_by by, const char *name, const hg_explanation *x) {
    object *o = context;
    if (o->count++ >= INSTRUMENTS_MAX) {
        o->left++;
        return;
    }
    hg_json_open(o->json, by == HG_BY_SESSION ? "explain" : name);
    hg_explain_fields(o->json, o->core, x, true);
    hg_json_close(o->json);
}

void hg_explain_json(const hg_core *core, hg_json *json) {
    object o = {.core = core, .json = json};
    hg_explain_each(core, HG_BY_SESSION, core->now_ns, put_object, &o);
    hg_json_open(json, "explain_by");
    for (hg_explain_by by = HG_BY_STRATEGY; by < HG_BY_COUNT; by++) {
        o.count = 0;
        hg_json_open(json, hg_explain_by_name(by));
        hg_explain_each(core, by, core->now_ns, put_object, &o);
        hg_json_close(json);
    }
    hg_json_int(json, "instruments_left", o.left);
    hg_json_close(json);
}

typedef struct {
    hg_explanation column[COLUMNS_MAX + 1];
    char title[COLUMNS_MAX + 1][16];
    size_t count;
} table;

static void put_column(void *context, hg_explain_by by, const char *name, const hg_explanation *x) {
    table *t = context;
    if (t->count <= COLUMNS_MAX) {
        t->column[t->count] = *x;
        snprintf(t->title[t->count++], sizeof t->title[0], "%.15s",
                 by == HG_BY_SESSION ? "total" : name);
    }
}

/* What a coin-settled session earned in coin stands beside it: HG_ID_NONE when nothing did. */
static uint32_t coin_of(const table *t) {
    return t->column[0].coins != 0 ? t->column[0].coin : HG_ID_NONE;
}

static void put_row(const table *t, const char *name, double (*get)(const hg_explanation *, size_t),
                    size_t i, double in_coin) {
    bool any = coin_of(t) != HG_ID_NONE && fabs(in_coin) >= 5e-7;
    for (size_t c = 0; c < t->count; c++) {
        any = any || fabs(get(&t->column[c], i)) >= 0.005;
    }
    if (!any) {
        return;
    }
    printf("    %-20s", name);
    for (size_t c = 0; c < t->count; c++) {
        double value = get(&t->column[c], i);
        printf(" %+15.2f", fabs(value) < 0.005 ? 0.0 : value);
    }
    if (coin_of(t) != HG_ID_NONE) {
        printf(" %+15.6f", fabs(in_coin) < 5e-7 ? 0.0 : in_coin);
    }
    printf("\n");
}

static double get_part(const hg_explanation *x, size_t i) {
    return hg_part_get(&x->parts, i);
}

static double get_rest(const hg_explanation *x, size_t i) {
    (void)i;
    return x->rest;
}

static double get_pnl(const hg_explanation *x, size_t i) {
    (void)i;
    return x->pnl;
}

static void drift_text(const hg_core *core, uint32_t underlying) {
    hg_explain_of of = HG_EXPLAIN_ALL;
    hg_explanation x;
    of.underlying = underlying;
    hg_portfolio_explain(core->portfolio, of, core->now_ns, &x);
    const hg_drift *d = &x.drift;
    if (x.rows > 0) {
        printf("  %-22s %+.4f -> %+.4f %s: spot %+.4f, time %+.4f, vol %+.4f, trades %+.4f, "
               "rest %+.4f\n",
               "delta drift", d->from, d->to,
               hg_universe_underlying(core->universe, underlying)->name, d->spot, d->time, d->vol,
               d->trades, d->rest);
    }
}

void hg_explain_text(const hg_core *core, uint32_t underlying) {
    table t = {0};
    hg_explain_each(core, HG_BY_SESSION, core->now_ns, put_column, &t);
    hg_explain_each(core, HG_BY_STRATEGY, core->now_ns, put_column, &t);
    if (t.count == 0) {
        return;
    }
    printf("  %-22s", "P&L explained, USD");
    for (size_t c = 0; c < t.count; c++) {
        printf(" %15s", t.title[c]);
    }
    const hg_explanation *all = &t.column[0];
    if (coin_of(&t) != HG_ID_NONE) {
        printf(" %11s %s", "total,", hg_universe_currency(core->universe, all->coin)->name);
    }
    printf("\n");
    for (size_t i = 0; i < HG_PARTS; i++) {
        put_row(&t, hg_part_names[i].name, get_part, i, hg_part_get(&all->coin_parts, i));
    }
    put_row(&t, "rest", get_rest, 0, all->coin_rest);
    put_row(&t, "P&L", get_pnl, 0, all->coins);
    if (underlying != HG_ID_NONE) {
        drift_text(core, underlying);
    }
}
