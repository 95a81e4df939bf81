/* What `hedged status` and `hedged ctl` print for people. The JSON of the socket is the truth; this
 * is a reading of it, and prints what it does not know as plain lines. */
#include "app/control_text.h"

#include "app/console.h"
#include "base/clock.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const cJSON *get(const cJSON *object, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static const char *text(const cJSON *object, const char *key) {
    const char *value = cJSON_GetStringValue(get(object, key));
    return value ? value : "";
}

static double number(const cJSON *object, const char *key) {
    const cJSON *value = get(object, key);
    return cJSON_IsNumber(value) ? value->valuedouble : (double)NAN;
}

/* One of a few rotating buffers: up to eight numbers in one printf. "-" when not known. */
static const char *grouped(double value, int decimals) {
    static char pool[8][40];
    static unsigned next;
    char *buf = pool[next++ % 8];
    if (!isfinite(value)) {
        return "-";
    }
    return hg_console_number(value, decimals, buf, sizeof pool[0]);
}

static const char *compact(double value) {
    static char pool[8][40];
    static unsigned next;
    char *buf = pool[next++ % 8];
    if (!isfinite(value)) {
        return "-";
    }
    snprintf(buf, sizeof pool[0], "%.10g", value);
    return buf;
}

/* ---- status ---------------------------------------------------------------------------------- */
static void print_uptime(double seconds) {
    long s = isfinite(seconds) ? (long)seconds : 0;
    if (s >= 3600) {
        printf("%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    } else {
        printf("%02ld:%02ld", s / 60, s % 60);
    }
}

static void print_strategies(const cJSON *result) {
    const cJSON *s = NULL;
    cJSON_ArrayForEach(s, get(result, "strategies")) {
        printf("  strategy   %g %s @ %.8s  %s  callbacks %s  errors %s  memory %s KiB\n",
               number(s, "number"), text(s, "name"), text(s, "code"), text(s, "state"),
               grouped(number(s, "callbacks"), 0), grouped(number(s, "errors"), 0),
               grouped(number(s, "memory") / 1024, 0));
        const cJSON *reload = get(s, "reload");
        if (text(reload, "last")[0]) {
            printf("             reload: %s; %s (%g done, %g refused, %g rolled back)\n",
                   text(reload, "phase"), text(reload, "last"), number(reload, "reloads"),
                   number(reload, "refused"), number(reload, "rolled_back"));
        }
        const cJSON *f = NULL;
        cJSON_ArrayForEach(f, get(s, "faults")) {
            printf("             %gx %s\n", number(f, "count"), text(f, "error"));
        }
    }
}

static void print_exposures(const cJSON *result) {
    const cJSON *x = NULL;
    cJSON_ArrayForEach(x, get(result, "exposure")) {
        printf(
            "  %-9s  delta %+.3f  gamma %+.6f  vega %s  theta %s/d  spot %s  %s, %.1f s old%s%s\n",
            text(x, "underlying"), number(x, "delta"), number(x, "gamma"),
            grouped(number(x, "vega"), 0), grouped(number(x, "theta"), 0),
            grouped(number(x, "spot"), 2), text(x, "quality"), number(x, "age"),
            text(x, "reasons")[0] ? ": " : "", text(x, "reasons"));
    }
}

static void print_pnl(const cJSON *result) {
    const cJSON *pnl = get(result, "pnl");
    printf("  P&L        %s USD (unhedged %s)  fees %s  funding %s%s\n",
           grouped(number(pnl, "hedged"), 2), grouped(number(pnl, "unhedged"), 2),
           grouped(number(pnl, "fees"), 2), grouped(number(pnl, "funding"), 2),
           cJSON_IsTrue(get(pnl, "known")) ? "" : "  (not fully marked)");
}

static void print_risk(const cJSON *r) {
    const cJSON *item = NULL;
    bool active = strcmp(text(r, "risk"), "active") == 0;
    if (active) {
        printf("  risk       active\n");
    } else {
        printf("  risk       trading is %s: %s\n", text(r, "risk"), text(r, "risk_reason"));
    }
    cJSON_ArrayForEach(item, get(r, "stopped")) {
        printf("             %s is %s: %s\n", text(item, "name"), text(item, "state"),
               text(item, "why"));
    }
    cJSON_ArrayForEach(item, get(r, "refusals")) {
        printf("  refused    %s: %s\n", text(item, "code"), text(item, "text"));
    }
}

void hg_control_print_status(const cJSON *r) {
    double speed = number(r, "speed");
    printf("%s   %s   %s ", text(r, "name"), text(r, "mode"), text(r, "state"));
    print_uptime(number(r, "uptime"));
    printf("   pid %g   feed %s%s%s   speed ", number(r, "pid"), text(r, "feed"),
           text(r, "scenario")[0] ? ":" : "", text(r, "scenario"));
    printf(speed > 0 ? "%gx\n" : "max\n", speed);
    printf("  time       %.19s UTC  (%s events)\n", text(r, "event_time"),
           grouped(number(r, "events"), 0));
    print_risk(r);
    print_strategies(r);
    print_exposures(r);
    print_pnl(r);
    const cJSON *o = get(r, "orders");
    printf("  orders     %s open, %s sent, %s fills, %s refused, %s rejected, %s cancelled",
           grouped(number(o, "open"), 0), grouped(number(o, "sent"), 0),
           grouped(number(o, "fills"), 0), grouped(number(o, "refused"), 0),
           grouped(number(o, "rejected"), 0), grouped(number(o, "cancelled"), 0));
    if (number(o, "emulated") > 0) {
        printf(", %s emulated here", grouped(number(o, "emulated"), 0));
    }
    printf("\n");
}

/* ---- lists ----------------------------------------------------------------------------------- */
static void print_more(const cJSON *result) {
    if (number(result, "more") > 0) {
        printf("... and %g more\n", number(result, "more"));
    }
}

static void print_range(const cJSON *p) {
    const cJSON *choice = NULL;
    bool low = isfinite(number(p, "min"));
    bool high = isfinite(number(p, "max"));
    if (low && high) {
        printf("  (%s .. %s)", compact(number(p, "min")), compact(number(p, "max")));
    } else if (low || high) {
        printf("  (at %s %s)", low ? "least" : "most", compact(number(p, low ? "min" : "max")));
    }
    const char *sep = "  (";
    cJSON_ArrayForEach(choice, get(p, "choices")) {
        printf("%s%s", sep, cJSON_GetStringValue(choice));
        sep = ", ";
    }
    printf("%s\n", sep[0] == ',' ? ")" : "");
}

static void print_params(const cJSON *result) {
    const cJSON *p = NULL;
    char before[64] = "";
    cJSON_ArrayForEach(p, get(result, "params")) {
        if (strcmp(before, text(p, "strategy")) != 0) {
            snprintf(before, sizeof before, "%s", text(p, "strategy"));
            printf("%s\n", before);
        }
        const cJSON *value = get(p, "value");
        printf("  %-14s %s%s%s", text(p, "name"),
               cJSON_IsString(value)   ? value->valuestring
               : cJSON_IsNumber(value) ? compact(value->valuedouble)
                                       : (cJSON_IsTrue(value) ? "true" : "false"),
               *text(p, "unit") ? " " : "", text(p, "unit"));
        print_range(p);
    }
}

static void print_positions(const cJSON *result) {
    const cJSON *p = NULL;
    printf("%-28s %14s %14s %14s %10s %10s %10s\n", "instrument", "size", "entry", "mark", "delta",
           "buying", "selling");
    cJSON_ArrayForEach(p, get(result, "positions")) {
        printf("%-28s %14s %14s %14s %+10.3f %10s %10s\n", text(p, "instrument"),
               compact(number(p, "size")), compact(number(p, "entry")), compact(number(p, "mark")),
               number(p, "delta"), compact(number(p, "pending_buy")),
               compact(number(p, "pending_sell")));
    }
    print_more(result);
    print_pnl(result);
}

static void print_orders(const cJSON *result) {
    const cJSON *o = NULL;
    if (cJSON_GetArraySize(get(result, "orders")) == 0) {
        printf("no open orders\n");
    }
    cJSON_ArrayForEach(o, get(result, "orders")) {
        printf("%-8g %-12s %-4s %s of %s %s @ %s  %s%s%s  %.1f s  %s  %s\n", number(o, "id"),
               text(o, "strategy"), text(o, "side"), compact(number(o, "filled")),
               compact(number(o, "size")), text(o, "instrument"), compact(number(o, "price")),
               text(o, "state"), cJSON_IsTrue(get(o, "cancel_pending")) ? " (cancelling)" : "",
               cJSON_IsTrue(get(o, "emulated")) ? " (emulated)" : "", number(o, "age"),
               text(o, "reason"), text(o, "line"));
    }
    print_more(result);
}

static void print_exposure(const cJSON *result) {
    const cJSON *x = NULL;
    cJSON_ArrayForEach(x, get(result, "exposure")) {
        const cJSON *pending = get(x, "pending");
        printf("%s  spot %s  %s%s%s\n", text(x, "underlying"), grouped(number(x, "spot"), 2),
               text(x, "quality"), text(x, "reasons")[0] ? ": " : "", text(x, "reasons"));
        printf("  delta %+.4f  (%+.4f .. %+.4f pending)  net %+.4f  cash %+.4f  %s USD\n",
               number(x, "delta"), number(pending, "lo"), number(pending, "hi"),
               number(x, "delta_net"), number(x, "delta_cash"), grouped(number(x, "delta_usd"), 0));
        printf("  gamma %+.8f  vega %s  theta %s/d  rho %s  vanna %+.4f  volga %s\n",
               number(x, "gamma"), grouped(number(x, "vega"), 2), grouped(number(x, "theta"), 2),
               grouped(number(x, "rho"), 2), number(x, "vanna"), grouped(number(x, "volga"), 2));
    }
}

static void print_set(const cJSON *result) {
    const cJSON *p = NULL;
    cJSON_ArrayForEach(p, get(result, "params")) {
        printf("%s: %s %s -> %s%s%s\n", text(p, "strategy"), text(p, "name"), text(p, "from"),
               text(p, "to"), *text(p, "unit") ? " " : "", text(p, "unit"));
    }
}

/* Any other object: a line for each field. */
static void print_fields(const cJSON *object, int depth) {
    const cJSON *field = NULL;
    cJSON_ArrayForEach(field, object) {
        if (cJSON_IsNull(field)) {
            continue;
        }
        printf("%*s%s%s", 2 * depth, "", field->string ? field->string : "-",
               field->string ? " " : "");
        if (cJSON_IsObject(field) || cJSON_IsArray(field)) {
            printf("\n");
            print_fields(field, depth + 1);
        } else if (cJSON_IsString(field)) {
            printf("%s\n", field->valuestring);
        } else if (cJSON_IsNumber(field)) {
            printf("%s\n", compact(field->valuedouble));
        } else {
            printf("%s\n", cJSON_IsTrue(field) ? "yes" : "no");
        }
    }
}

static void print_done(const char *cmd, const cJSON *result) {
    const char *who = text(result, "strategy");
    printf("%s: ok%s%s", cmd, who[0] ? ", " : "", who);
    if (cJSON_IsNumber(get(result, "cancelled"))) {
        printf(", %g orders cancelled", number(result, "cancelled"));
    }
    printf("\n");
}

/* ---- reload ---------------------------------------------------------------------------------- */
static void print_lines(const char *lines) {
    for (const char *at = lines; *at;) {
        size_t len = strcspn(at, "\n");
        printf("    %.*s\n", (int)len, at);
        at += len + (at[len] == '\n');
    }
}

static void print_reload(const cJSON *result) {
    const cJSON *s = NULL;
    cJSON_ArrayForEach(s, get(result, "strategies")) {
        const char *step = text(s, "step");
        const char *reason = text(s, "reason");
        bool undone = strcmp(step, "rolled_back") == 0;
        printf("%s @ %.8s", text(s, "strategy"), text(s, "code"));
        printf(*step ? "  %s%s%s\n" : "  running\n", undone ? "rolled back" : step,
               *reason ? ": " : "", reason);
        if (strcmp(text(s, "outcome"), "refused") == 0) {
            print_lines(hg_text_after(text(s, "detail"), reason));
        }
    }
}

static void print_versions(const cJSON *result) {
    const cJSON *v = NULL;
    printf("  %-16s  %-11s  %-24s  %s\n", "code", "state", "since", "strategy");
    cJSON_ArrayForEach(v, get(result, "versions")) {
        char time[40];
        hg_time_format((int64_t)(number(v, "t") * 1e9), time, sizeof time);
        printf("  %-16s  %-11s  %-24s  %s\n", text(v, "code"), text(v, "state"), time,
               text(v, "strategy"));
    }
}

void hg_control_clean(cJSON *answer) {
    for (cJSON *item = answer; item; item = item->next) {
        if (cJSON_IsString(item)) {
            hg_text_make_printable(item->valuestring);
        }
        hg_control_clean(item->child);
    }
}

void hg_control_print(const char *cmd, const cJSON *result) {
    static const struct {
        const char *cmd;
        void (*print)(const cJSON *result);
    } prints[] = {
        {"status",    hg_control_print_status},
        {"params",    print_params           },
        {"positions", print_positions        },
        {"orders",    print_orders           },
        {"exposure",  print_exposure         },
        {"set",       print_set              },
        {"reload",    print_reload           },
        {"rollback",  print_reload           },
        {"versions",  print_versions         },
    };
    static const char *const done[] = {"pause", "resume", "cancel-all", "kill", "arm", "stop"};
    for (size_t i = 0; i < sizeof prints / sizeof *prints; i++) {
        if (strcmp(prints[i].cmd, cmd) == 0) {
            prints[i].print(result);
            return;
        }
    }
    for (size_t i = 0; i < sizeof done / sizeof *done; i++) {
        if (strcmp(done[i], cmd) == 0) {
            print_done(cmd, result);
            return;
        }
    }
    print_fields(result, 0);
}
