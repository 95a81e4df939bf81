/* The risk gate as reports and `hedged check --config` show it. */
#include "app/risk_view.h"

#include <math.h>
#include <stdio.h>

static const char *const scopes[] = {"session", "underlying", "strategy"};

static void refusals_json(const hg_core *core, hg_json *j) {
    const hg_exec_stats *stats = hg_exec_stats_get(core->exec);
    hg_json_open(j, "refusals");
    for (int code = 1; code < HG_REJECTS; code++) {
        if (stats->refused_by[code] > 0) {
            hg_json_int(j, hg_reject_code((hg_reject)code), (int64_t)stats->refused_by[code]);
        }
    }
    hg_json_close(j);
}

void hg_risk_view_json(const hg_core *core, hg_json *j) {
    const char *why = "";
    hg_risk_state state = hg_risk_session(core->exec, &why);
    hg_json_open(j, "risk");
    hg_json_string(j, "trading", hg_risk_state_name(state));
    hg_json_string(j, "why", why);
    refusals_json(core, j);
    hg_json_open_array(j, "paused");
    for (uint16_t i = 0; i < core->script_count; i++) {
        if (hg_risk_strategy(core->exec, i, &why) == HG_RISK_PAUSED) {
            hg_json_open(j, NULL);
            hg_json_string(j, "strategy", hg_script_name(core->scripts[i]));
            hg_json_string(j, "why", why);
            hg_json_close(j);
        }
    }
    hg_json_close_array(j);
    hg_json_close(j);
}

void hg_risk_view_text(const hg_core *core) {
    const hg_exec_stats *stats = hg_exec_stats_get(core->exec);
    const char *why = "";
    hg_risk_state state = hg_risk_session(core->exec, &why);
    if (stats->refused > 0) {
        const char *gap = " ";
        printf("  %-22s", "refused by the gate");
        for (int code = 1; code < HG_REJECTS; code++) {
            if (stats->refused_by[code] > 0) {
                printf("%s%s %llu", gap, hg_reject_code((hg_reject)code),
                       (unsigned long long)stats->refused_by[code]);
                gap = ", ";
            }
        }
        printf("\n");
    }
    if (state != HG_RISK_ACTIVE) {
        printf("  %-22s %s: %s\n", "trading", hg_risk_state_name(state), why);
    }
    for (uint16_t i = 0; i < core->script_count; i++) {
        if (hg_risk_strategy(core->exec, i, &why) == HG_RISK_PAUSED) {
            printf("  %-22s %s: %s\n", "paused by the gate", hg_script_name(core->scripts[i]), why);
        }
    }
}

#define LAST_REFUSALS 5

void hg_risk_view_status(const hg_core *core, hg_json *j) {
    const char *why = "";
    hg_json_string(j, "risk", hg_risk_state_name(hg_risk_session(core->exec, &why)));
    hg_json_string(j, "risk_reason", why);
    hg_json_open_array(j, "stopped");
    for (uint16_t i = 0; i < core->script_count; i++) {
        if (hg_risk_strategy(core->exec, i, &why) == HG_RISK_PAUSED) {
            hg_json_open(j, NULL);
            hg_json_string(j, "name", hg_script_name(core->scripts[i]));
            hg_json_string(j, "state", "paused");
            hg_json_string(j, "why", why);
            hg_json_close(j);
        }
    }
    for (uint32_t u = 0; u < hg_universe_underlying_count(core->universe); u++) {
        if (hg_risk_underlying(core->exec, u, core->now_ns, NULL) == HG_RISK_FROZEN) {
            hg_json_open(j, NULL);
            hg_json_string(j, "name", hg_universe_underlying(core->universe, u)->name);
            hg_json_string(j, "state", "frozen");
            hg_json_string(j, "why", "a burst of fills");
            hg_json_close(j);
        }
    }
    hg_json_close_array(j);
    hg_json_open_array(j, "refusals");
    for (uint32_t back = 0; back < LAST_REFUSALS; back++) {
        uint64_t order = 0;
        const hg_refusal *refusal = hg_exec_refusal_back(core->exec, back, &order);
        if (refusal) {
            hg_json_open(j, NULL);
            hg_json_int(j, "order", (int64_t)order);
            hg_json_string(j, "code", hg_reject_code(refusal->code));
            hg_json_number(j, "value", refusal->value);
            hg_json_number(j, "limit", refusal->limit);
            hg_json_string(j, "text", refusal->text);
            hg_json_close(j);
        }
    }
    hg_json_close_array(j);
}

/* --- limits ----------------------------------------------------------------------------------- */

/* Choices and names besides the numbers. */
static void words(const hg_limit_extra *extra, hg_json *j) {
    static const hg_limit_extra none;
    char reduce[16], self[16], duplicates[16];
    const hg_limit_extra *x = extra ? extra : &none;
    hg_limit_word(HG_REDUCE_MODES, x->reduce_mode, reduce, sizeof reduce);
    hg_limit_word(HG_SELF_TRADES, x->self_trade, self, sizeof self);
    hg_limit_word(HG_DUPLICATES, x->duplicates, duplicates, sizeof duplicates);
    const struct {
        const char *name, *value;
    } rows[] = {
        {"reduce_mode",       reduce                                 },
        {"self_trade",        self                                   },
        {"duplicates",        duplicates                             },
        {"stale_reduce_only", x->stale_reduce_only ? "true" : "false"},
        {"allow_no_cod",      x->allow_no_cod ? "true" : "false"     },
        {"venue",             x->venue                               },
        {"account",           x->account                             },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (j) {
            hg_json_string(j, rows[i].name, rows[i].value);
        } else {
            printf("%-28s %-14s\n", rows[i].name, rows[i].value[0] ? rows[i].value : "any");
        }
    }
}

static void permits(const hg_limit_extra *extra, hg_json *j) {
    for (uint32_t i = 0; extra && i < extra->permit_count; i++) {
        const hg_permit *p = &extra->permits[i];
        char sides[8];
        const char *who = p->strategy[0] ? p->strategy : "everybody";
        hg_limit_word(HG_SIDES, p->sides, sides, sizeof sides);
        if (j) {
            hg_json_open(j, NULL);
            hg_json_string(j, "strategy", p->strategy[0] ? p->strategy : NULL);
            hg_json_string(j, "instruments", p->instruments[0] ? p->instruments : "*");
            hg_json_string(j, "sides", sides);
            hg_json_close(j);
        } else {
            printf("%s may trade %s, %s\n", who, p->instruments[0] ? p->instruments : "everything",
                   p->sides == 0 ? "both sides" : sides);
        }
    }
}

static void limits_json(const hg_limits *limits) {
    static char buf[32768];
    hg_json j;
    hg_json_init(&j, buf, sizeof buf);
    hg_json_open(&j, NULL);
    hg_json_open(&j, "limits");
    for (uint32_t i = 0; i < hg_limit_count; i++) {
        hg_json_number(&j, hg_limit_rows[i].name, hg_limit_get(limits, i));
    }
    words(limits->extra, &j);
    hg_json_close(&j);
    hg_json_open_array(&j, "overrides");
    for (uint32_t i = 0; limits->extra && i < limits->extra->override_count; i++) {
        const hg_limit_override *o = &limits->extra->overrides[i];
        hg_json_open(&j, NULL);
        hg_json_string(&j, "of", scopes[o->scope]);
        hg_json_string(&j, "name", o->name);
        hg_json_string(&j, "limit", hg_limit_rows[o->row].name);
        hg_json_number(&j, "value", o->value);
        hg_json_close(&j);
    }
    hg_json_close_array(&j);
    hg_json_open_array(&j, "permissions");
    permits(limits->extra, &j);
    hg_json_close_array(&j);
    hg_json_close(&j);
    printf("%s\n", hg_json_text(&j));
}

void hg_risk_view_limits(const hg_limits *given, bool json) {
    hg_limits limits = *given;
    hg_limits_complete(&limits);
    if (json) {
        limits_json(&limits);
        return;
    }
    for (uint32_t i = 0; i < hg_limit_count; i++) {
        const hg_limit_row *row = &hg_limit_rows[i];
        double value = hg_limit_get(&limits, i);
        bool standard = row->standard == 0 || value == row->standard;
        printf("%-28s %-14.15g %-10s %s %s\n", row->name, value, scopes[row->scope],
               standard ? " " : "*", row->text);
    }
    words(limits.extra, NULL);
    for (uint32_t i = 0; limits.extra && i < limits.extra->override_count; i++) {
        const hg_limit_override *o = &limits.extra->overrides[i];
        printf("%-28s %-14.10g of %s\n", hg_limit_rows[o->row].name, o->value, o->name);
    }
    permits(limits.extra, NULL);
}
