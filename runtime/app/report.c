/* The report: P&L, what hedging cost and what it achieved. All sums are in USD at the spot of the
 * moment; delta is in coins of the reported underlying. */
#include "app/report.h"

#include "app/report_venue.h"

#include "app/explain_view.h"
#include "app/risk_view.h"
#include "base/clock.h"

#include <math.h>
#include <stdio.h>

void hg_moments_add(hg_moments *m, double value) {
    m->count++;
    double delta = value - m->mean;
    m->mean += delta / (double)m->count;
    m->m2 += delta * (value - m->mean);
}

double hg_moments_variance(const hg_moments *m) {
    return m->count < 2 ? NAN : m->m2 / (double)(m->count - 1);
}

void hg_report_init(hg_report *r, uint32_t underlying, int64_t start_ns, int64_t step_ns) {
    *r = (hg_report){.underlying = underlying, .step_ns = step_ns};
    r->grid_ns = step_ns < 60 * HG_NS_PER_S ? step_ns : 60 * HG_NS_PER_S;
    r->next_step_ns = start_ns + step_ns;
    r->next_grid_ns = start_ns + r->grid_ns;
}

static void observe_delta(hg_report *r, hg_core *core, int64_t now_ns) {
    if (r->underlying == HG_ID_NONE || !core->ready) {
        return;
    }
    const hg_exposure *x = hg_portfolio_exposure(core->portfolio, r->underlying, now_ns);
    double delta = fabs(x->delta_filled);
    double total = fabs(x->delta_filled + x->delta_cash);
    r->delta_abs_sum += delta;
    r->delta_abs_max = delta > r->delta_abs_max ? delta : r->delta_abs_max;
    r->total_abs_sum += total;
    r->total_abs_max = total > r->total_abs_max ? total : r->total_abs_max;
    r->delta_count++;
}

static void observe_pnl(hg_report *r, hg_core *core, int64_t now_ns) {
    hg_pnl pnl;
    hg_portfolio_pnl(core->portfolio, now_ns, &pnl);
    if (r->started) {
        hg_moments_add(&r->hedged, pnl.hedged - r->last_hedged);
        hg_moments_add(&r->unhedged, pnl.unhedged - r->last_unhedged);
    }
    r->started = r->started || pnl.known;
    r->last_hedged = pnl.hedged;
    r->last_unhedged = pnl.unhedged;
}

bool hg_report_observe(hg_report *r, hg_core *core) {
    int64_t now = r->next_grid_ns;
    observe_delta(r, core, now);
    bool step = now >= r->next_step_ns;
    if (step) {
        observe_pnl(r, core, now);
        r->next_step_ns += r->step_ns;
    }
    r->next_grid_ns += r->grid_ns;
    if (r->next_grid_ns > r->next_step_ns) {
        r->next_grid_ns = r->next_step_ns;
    }
    return step;
}

void hg_report_finish(hg_report *r, hg_core *core, double wall_s) {
    hg_portfolio_pnl(core->portfolio, core->now_ns, &r->pnl);
    observe_delta(r, core, core->now_ns);
    r->wall_s = wall_s;
}

/* Reports round to a millionth of a dollar: enough for any use, free of binary dust. */
static double dollars(double value) {
    return nearbyint(value * 1e6) / 1e6;
}

static double reduction(const hg_report *r) {
    double unhedged = hg_moments_variance(&r->unhedged);
    return unhedged > 0 ? 1 - hg_moments_variance(&r->hedged) / unhedged : NAN;
}

static double delta_mean(const hg_report *r, double sum) {
    return r->delta_count ? sum / (double)r->delta_count : NAN;
}

static double event_rate(const hg_report *r, const hg_core *core) {
    return r->wall_s > 0 ? (double)core->market_events / r->wall_s : NAN;
}

/* Of a strategy's share of the book. */
static void share_json(const hg_core *core, size_t i, hg_json *j) {
    hg_pnl pnl;
    hg_portfolio_pnl(hg_core_book_of(core, i), core->now_ns, &pnl);
    hg_json_string(j, "share", core->share_text[i]);
    hg_json_number(j, "pnl_hedged", dollars(pnl.hedged));
    hg_json_number(j, "pnl_unhedged", dollars(pnl.unhedged));
    hg_json_number(j, "fees", dollars(pnl.fees));
}

static void strategies_json(const hg_core *core, hg_json *j) {
    hg_json_open_array(j, "strategies");
    for (size_t i = 0; i < core->script_count; i++) {
        char hash[20];
        snprintf(hash, sizeof hash, "%016llx",
                 (unsigned long long)hg_script_hash(core->scripts[i]));
        hg_json_open(j, NULL);
        hg_json_string(j, "name", hg_script_name(core->scripts[i]));
        hg_json_string(j, "code", hash);
        hg_json_string(j, "state", hg_script_state_name(hg_script_status(core->scripts[i])));
        if (core->share_text[i]) {
            share_json(core, i, j);
        }
        hg_json_close(j);
    }
    hg_json_close_array(j);
}

static void shares_text(const hg_report *r, const hg_core *core) {
    for (size_t i = 0; i < core->script_count; i++) {
        if (!core->share_text[i]) {
            continue;
        }
        hg_portfolio *book = hg_core_book_of(core, i);
        hg_pnl pnl;
        hg_portfolio_pnl(book, core->now_ns, &pnl);
        printf("  %-22s %+14.2f USD (unhedged %+.2f, fees %.2f) of %s",
               hg_script_name(core->scripts[i]), pnl.hedged, pnl.unhedged, pnl.fees,
               core->share_text[i]);
        if (r->underlying != HG_ID_NONE) {
            const hg_exposure *x = hg_portfolio_exposure(book, r->underlying, core->now_ns);
            printf(", delta %+.4f", x->delta);
        }
        printf("\n");
    }
}

void hg_report_json(const hg_report *r, const hg_core *core, hg_json *j) {
    const hg_exec_stats *stats = hg_exec_stats_get(core->exec);
    char hash[20];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)stats->hash);
    hg_json_int(j, "events", (int64_t)core->market_events);
    hg_json_int(j, "orders", (int64_t)stats->orders);
    hg_json_int(j, "fills", (int64_t)stats->fills);
    hg_json_int(j, "refused", (int64_t)stats->refused);
    hg_json_int(j, "rejected", (int64_t)stats->rejected);
    hg_json_int(j, "cancelled", (int64_t)stats->cancelled);
    hg_json_number(j, "pnl_hedged", dollars(r->pnl.hedged));
    hg_json_number(j, "pnl_unhedged", dollars(r->pnl.unhedged));
    hg_json_open(j, "costs");
    hg_json_number(j, "fees", dollars(stats->fees_usd));
    hg_json_number(j, "spread", dollars(stats->spread_usd));
    hg_json_number(j, "funding", dollars(-r->pnl.funding));
    hg_json_close(j);
    hg_json_number(j, "equity", dollars(r->pnl.equity));
    hg_json_number(j, "delta_abs_mean", delta_mean(r, r->delta_abs_sum));
    hg_json_number(j, "delta_abs_max", r->delta_count ? r->delta_abs_max : NAN);
    hg_json_number(j, "delta_with_cash_abs_mean", delta_mean(r, r->total_abs_sum));
    hg_json_number(j, "delta_with_cash_abs_max", r->delta_count ? r->total_abs_max : NAN);
    hg_json_number(j, "pnl_std_hedged", sqrt(hg_moments_variance(&r->hedged)));
    hg_json_number(j, "pnl_std_unhedged", sqrt(hg_moments_variance(&r->unhedged)));
    hg_json_number(j, "variance_reduction", reduction(r));
    hg_json_int(j, "steps", (int64_t)r->hedged.count);
    hg_json_number(j, "step_seconds", (double)r->step_ns / 1e9);
    hg_json_number(j, "start", (double)core->start_ns / 1e9);
    hg_json_number(j, "end", (double)core->now_ns / 1e9);
    hg_json_number(j, "wall_seconds", r->wall_s);
    hg_json_number(j, "events_per_second", event_rate(r, core));
    hg_json_string(j, "orders_hash", hash);
    hg_report_venue_json(core, j);
    strategies_json(core, j);
    hg_risk_view_json(core, j);
    hg_explain_json(core, j);
}

static const char *step_text(int64_t step_ns, char *buf, size_t size) {
    double s = (double)step_ns / 1e9;
    bool hours = fmod(s, 3600) == 0;
    bool minutes = fmod(s, 60) == 0;
    snprintf(buf, size, "%.9g %s",
             s / (hours     ? 3600
                  : minutes ? 60
                            : 1),
             hours     ? "h"
             : minutes ? "min"
                       : "s");
    return buf;
}

static void text_money(const char *label, double value) {
    printf("  %-22s %+14.2f USD\n", label, value);
}

void hg_report_text(const hg_report *r, const hg_core *core) {
    const hg_exec_stats *stats = hg_exec_stats_get(core->exec);
    char from[40], to[40];
    printf("%s .. %s  %llu events in %.2f s (%.0f/s)\n",
           hg_time_format(core->start_ns, from, sizeof from),
           hg_time_format(core->now_ns, to, sizeof to), (unsigned long long)core->market_events,
           r->wall_s, event_rate(r, core));
    printf("  %-22s %llu sent, %llu fills, %llu refused, %llu rejected\n", "orders",
           (unsigned long long)stats->orders, (unsigned long long)stats->fills,
           (unsigned long long)stats->refused, (unsigned long long)stats->rejected);
    hg_risk_view_text(core);
    text_money("P&L hedged", r->pnl.hedged);
    text_money("P&L unhedged", r->pnl.unhedged);
    shares_text(r, core);
    printf("  %-22s fees %.2f, spread %.2f, funding %.2f USD\n", "cost of hedging", stats->fees_usd,
           stats->spread_usd, 0.0 - r->pnl.funding);
    hg_explain_text(core, r->underlying);
    if (r->delta_count) {
        const char *coin = hg_universe_underlying(core->universe, r->underlying)->name;
        printf("  %-22s mean %.4f, max %.4f %s\n", "|delta|", delta_mean(r, r->delta_abs_sum),
               r->delta_abs_max, coin);
        printf("  %-22s mean %.4f, max %.4f %s\n", "|delta + coin cash|",
               delta_mean(r, r->total_abs_sum), r->total_abs_max, coin);
    }
    if (r->hedged.count >= 2) {
        char step[24];
        printf("  %-22s hedged %.2f, unhedged %.2f USD per %s, %llu steps\n", "P&L std",
               sqrt(hg_moments_variance(&r->hedged)), sqrt(hg_moments_variance(&r->unhedged)),
               step_text(r->step_ns, step, sizeof step), (unsigned long long)r->hedged.count);
        printf("  %-22s %.4f\n", "variance reduction", reduction(r));
    }
    hg_report_venue_text(core);
    printf("  %-22s %016llx\n", "orders hash", (unsigned long long)stats->hash);
}
