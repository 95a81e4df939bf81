/* The terminal side of sessions. Lines depend on event time only, so that a demo prints the same
 * text on every machine; the one refreshed line of a terminal is the exception. */
#include "app/console.h"

#include "app/version.h"
#include "base/clock.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    bool live; /* banner, hedges and status are printed */
    bool tty;
    int64_t next_status_ns;
    int64_t status_every_ns;
    int64_t wall_next_ns;
    double first_spot;
} console;

char *hg_console_number(double value, int decimals, char *buf, size_t size) {
    char digits[64];
    snprintf(digits, sizeof digits, "%.*f", decimals, fabs(value));
    size_t whole = strcspn(digits, ".");
    size_t used = 0;
    if (value < 0 && used + 1 < size) {
        buf[used++] = '-';
    }
    for (size_t i = 0; digits[i] && used + 2 < size; i++) {
        if (i > 0 && i < whole && (whole - i) % 3 == 0) {
            buf[used++] = ',';
        }
        buf[used++] = digits[i];
    }
    buf[used] = '\0';
    return buf;
}

static void clock_text(int64_t time_ns, char *buf, size_t size) {
    char full[40];
    hg_time_format(time_ns, full, sizeof full);
    snprintf(buf, size, "%.12s", full + 11);
}

static void clear_status(void) {
    if (console.tty) {
        printf("\r\033[K");
    }
}

/* Amounts print with as many decimals as the lot has. */
static int size_decimals(const hg_instrument *inst) {
    int decimals = 0;
    for (hg_nano lot = inst->lot; decimals < 9 && lot % HG_NANO != 0; decimals++) {
        lot *= 10;
    }
    return decimals;
}

static void print_hedge(const hg_session *s, const hg_order *order, const char *what,
                        hg_lots lots) {
    const hg_core *core = &s->core;
    const hg_instrument *inst = hg_universe_get(core->universe, order->instrument);
    char time[16], size[32], price[32], reason[sizeof order->reason];
    hg_text_copy(reason, sizeof reason, order->reason[0] ? order->reason : "no reason given");
    hg_text_make_line(reason);
    double average = hg_exec_average_price(core->exec, order);
    clock_text(core->now_ns, time, sizeof time);
    hg_console_number(hg_size_to_double(inst, lots), size_decimals(inst), size, sizeof size);
    hg_console_number(average > 0 ? average : hg_price_to_double(inst, order->price),
                      inst->inverse && inst->kind == HG_KIND_OPTION ? 4 : 2, price, sizeof price);
    clear_status();
    printf("%s  %-6s %-4s %s %s @ %s  delta %+.3f -> %+.3f  (%s)\n", time, what,
           order->side == HG_BUY ? "BUY" : "SELL", size, inst->name, price, order->delta_before,
           order->delta_after, reason);
}

static void on_order(void *context, const hg_order *order) {
    const hg_session *s = context;
    if (!console.live) {
        return;
    }
    if (order->state == HG_ORDER_FILLED ||
        (order->state == HG_ORDER_CANCELLED && order->filled > 0)) {
        print_hedge(s, order, "hedge", order->filled);
    } else if (order->state == HG_ORDER_REJECTED) {
        print_hedge(s, order, "reject", order->size);
        printf("%14s%s: %s\n", "", hg_reject_code((hg_reject)order->reject),
               hg_reject_text((hg_reject)order->reject));
    }
}

static void banner_strategy(const hg_script *script) {
    const char *name = NULL;
    char value[64];
    printf("  strategy   %s @ %08llx\n", hg_script_name(script),
           (unsigned long long)(hg_script_hash(script) >> 32));
    for (size_t k = 0; hg_script_param(script, k, &name, value, sizeof value); k++) {
        printf("%s%s = %s", k == 0 ? "  parameters " : ", ", name, value);
    }
    if (name) {
        printf("\n");
    }
}

static void banner(const hg_session *s) {
    const hg_session_options *o = &s->options;
    bool sim = strcmp(o->feed, "sim") == 0;
    char speed[24] = "max";
    if (o->speed > 0) {
        snprintf(speed, sizeof speed, "%gx", o->speed);
    }
    printf("hedged %s  PAPER  feed %s%s%s  seed %llu  speed %s\n", HG_VERSION, o->feed,
           sim ? ":" : "", sim ? o->scenario : "", (unsigned long long)o->seed, speed);
    for (size_t i = 0; i < s->core.script_count; i++) {
        banner_strategy(s->core.scripts[i]);
    }
    printf("  book       %zu positions%s%s\n", s->book.count, o->book ? " of " : "",
           o->book ? o->book : "");
    printf("  %sCtrl-C ends the session with a report\n",
           s->reload ? "saving a strategy's file replaces it; " : "");
    fflush(stdout);
}

void hg_console_start(hg_session *s) {
    const hg_session_options *o = &s->options;
    console.live = !o->json && o->mode != HG_MODE_BACKTEST &&
                   !(o->events && strcmp(o->events, "-") == 0);
    console.tty = console.live && isatty(STDOUT_FILENO);
    /* About one status line every two seconds of wall time, at least a minute of event time. */
    double every = o->speed > 0 ? 2 * o->speed : 3600;
    console.status_every_ns = (int64_t)(every < 60 ? 60 : every) * HG_NS_PER_S;
    console.next_status_ns = s->core.start_ns + console.status_every_ns;
    console.wall_next_ns = 0;
    console.first_spot = 0;
    s->events.watcher = on_order;
    s->events.context = s;
    if (console.live) {
        banner(s);
    }
}

static void print_status(hg_session *s, int64_t now_ns) {
    hg_core *core = &s->core;
    uint32_t u = s->report.underlying;
    if (u == HG_ID_NONE || !core->ready) {
        return;
    }
    const hg_exposure *x = hg_portfolio_exposure(core->portfolio, u, now_ns);
    hg_pnl pnl;
    hg_portfolio_pnl(core->portfolio, now_ns, &pnl);
    char time[16], spot[32], hedged[32], unhedged[32];
    clock_text(now_ns, time, sizeof time);
    double change = console.first_spot > 0 ? x->spot / console.first_spot - 1 : 0;
    printf("%.8s      %s %s %+.2f%%  delta %+.3f  gamma %+.6f  vega %+.0f  theta %+.0f/d  "
           "P&L %s (unhedged %s)  hedges %llu",
           time, hg_universe_underlying(core->universe, u)->name,
           hg_console_number(x->spot, 1, spot, sizeof spot), 100 * change, x->delta, x->gamma,
           x->vega, x->theta, hg_console_number(pnl.hedged, 0, hedged, sizeof hedged),
           hg_console_number(pnl.unhedged, 0, unhedged, sizeof unhedged),
           (unsigned long long)hg_exec_stats_get(core->exec)->fills);
}

void hg_console_tick(hg_session *s, int64_t now_ns) {
    if (!console.live) {
        return;
    }
    if (console.first_spot <= 0 && s->report.underlying != HG_ID_NONE) {
        console.first_spot = hg_market_underlying(s->core.market, s->report.underlying)->spot;
    }
    if (now_ns >= console.next_status_ns) {
        clear_status();
        print_status(s, now_ns);
        printf("\n");
        fflush(stdout);
        console.next_status_ns += console.status_every_ns * (console.tty ? 15 : 1);
    } else if (console.tty && hg_clock_monotonic_ns() >= console.wall_next_ns) {
        console.wall_next_ns = hg_clock_monotonic_ns() + HG_NS_PER_S / 2;
        clear_status();
        print_status(s, now_ns);
        fflush(stdout);
    }
}

/* 14:03:02.113  reload delta_band 5e6f7a8b refused: x.lua:14: ... (1a2b3c4d keeps running) */
static void reload_text(const hg_reload_news *news, char *buf, size_t size) {
    bool refused = strcmp(news->step, "refused") == 0;
    bool undone = strcmp(news->step, "rolled_back") == 0;
    bool swapped = strcmp(news->step, "swapped") == 0;
    char pause[48] = "";
    char stays[48] = "";
    unsigned from = (unsigned)(news->from >> 32);
    char code[32];
    if (swapped) {
        snprintf(pause, sizeof pause, " in %.2f ms", (double)news->pause_ns / 1e6);
    }
    if (refused) {
        snprintf(stays, sizeof stays, " (%08x keeps running)", from);
    }
    if (news->to) {
        snprintf(code, sizeof code, "%08x -> %08x", from, (unsigned)(news->to >> 32));
    } else {
        snprintf(code, sizeof code, "%08x", from); /* its file could not be read */
    }
    snprintf(buf, size, "reload %s %s: %s%s%s%s%s", news->strategy, code,
             undone ? "rolled back" : news->step, pause, *news->reason ? ": " : "", news->reason,
             stays);
}

static void print_detail(FILE *out, const char *detail, const char *said) {
    for (const char *at = hg_text_after(detail, said); *at;) {
        size_t len = strcspn(at, "\n");
        fprintf(out, "%14s%.*s\n", "", (int)len, at);
        at += len + (at[len] == '\n');
    }
}

void hg_console_reload(const hg_session *s, const hg_reload_news *news) {
    char text[1536];
    char time[16];
    bool bad = strcmp(news->outcome, "ok") != 0;
    FILE *out = console.live ? stdout : stderr;
    if (strcmp(news->step, "migrated") == 0) {
        return; /* said by the swap that follows */
    }
    reload_text(news, text, sizeof text);
    clock_text(s->core.now_ns, time, sizeof time);
    clear_status();
    fprintf(out, "%s  %s\n", time, text);
    if (news->detail && (bad || news->rehearsed)) {
        print_detail(out, news->detail, news->reason);
    }
    fflush(out);
}

void hg_console_end(hg_session *s) {
    clear_status();
    console.live = false;
    if (s->options.json) {
        static char buf[131072]; /* 64 explained instruments of about 700 bytes, and the rest */
        hg_json json;
        hg_json_init(&json, buf, sizeof buf);
        hg_json_open(&json, NULL);
        hg_report_json(&s->report, &s->core, &json);
        hg_json_close(&json);
        printf("%s\n", hg_json_text(&json));
    } else {
        printf("\n");
        hg_report_text(&s->report, &s->core);
    }
    fflush(stdout);
}
