/* Every control of the gate against every cell: just below, at and just above its limit, not a
 * number, without what it judges by, and with an order outstanding whose fate nobody knows. Each
 * cell holds code, value and limit of the refusal (or of the change of state), and that observer,
 * counters, order and script are told the same. A control, a code of one or a limit without a row
 * fails here. */
#include "test_exec_control_rows.h"

/* --- the cells -------------------------------------------------------------------------------- */

static int cells, none;

static bool is_none(const char *why) {
    bool yes = strncmp(why, "n/a: ", 5) == 0;
    CHECK(!yes || strlen(why) > 7); /* it says why */
    none += yes;
    cells += !yes;
    return yes;
}

static void cell(const row *r, const char *name, double x, says want, bool lost,
                 void (*feed)(rig *g)) {
    rig g;
    open_rig(&g, r, feed ? feed : market_is_whole);
    if (lost) {
        lose(&g, &r->lost);
    }
    if (r->arrange) {
        r->arrange(&g);
    }
    expect(&g, r, name, x, want);
    world_close(&g.w);
}

static void edges(const row *r, bool lost) {
    static const says passes = {"", NAN, NAN};
    double shift = lost ? r->counts : 0;
    bool is_switch = r->edge && strcmp(r->edge, SWITCH) == 0;
    double at = is_switch ? 0 : r->at - shift;
    double above = is_switch ? 1 : at + r->step;
    says refused = {hg_reject_code(r->code), r->value - r->slope * shift,
                    lost && r->bound_lost != 0 ? r->bound_lost : r->bound};
    says refused_at = refused;
    refused_at.value -= r->slope * r->step;
    cells += is_switch ? 2 : 3;
    cell(r, lost ? "above, one lost" : "above", above, refused, lost, r->prices);
    cell(r, lost ? "at, one lost" : "at", at, r->at_refuses ? refused_at : passes, lost, r->prices);
    if (!is_switch) {
        cell(r, lost ? "below, one lost" : "below", at - r->step, passes, lost, r->prices);
    }
}

static void all_cells(const row *given) {
    row r = *given;
    if (r.tune) {
        r.tune(&r);
    }
    bool edged = !r.edge || strcmp(r.edge, SWITCH) == 0 || !is_none(r.edge);
    if (edged) {
        edges(&r, false);
    }
    if (!is_none(r.nan.code)) {
        cell(&r, "not a number", NAN, r.nan, false, NULL);
    }
    if (!is_none(r.missing.code)) {
        CHECK(r.feed != NULL);
        cell(&r, "missing", r.at, r.missing, false, r.feed);
    }
    if (r.no_lost) {
        CHECK(is_none(r.no_lost));
    } else if (edged) {
        CHECK(r.lost.size > 0);
        edges(&r, true);
    }
}

TEST_WITHIN(every_control_in_every_cell, 120) {
    hg_log_level_set(HG_LOG_ERROR);
    for (size_t i = 0; i < ROWS; i++) {
        all_cells(&rows[i]);
    }
    printf("note: %zu rows, %d cells judged, %d cells with a reason why there is none\n", ROWS,
           cells, none);
}

/* --- nothing is left out ---------------------------------------------------------------------- */

static bool has_row(const char *control, hg_reject code) {
    for (size_t i = 0; i < ROWS; i++) {
        bool same_code = code == HG_REJECT_NONE || rows[i].code == code ||
                         strcmp(rows[i].missing.code ? rows[i].missing.code : "",
                                hg_reject_code(code)) == 0;
        if (strcmp(rows[i].control, control) == 0 && same_code) {
            return true;
        }
    }
    return false;
}

TEST(every_control_and_every_code_has_a_row) {
    bool numbers[22] = {false};
    for (uint32_t i = 0; i < hg_control_count; i++) {
        const hg_control *c = &hg_controls[i];
        for (int k = 0; c->numbers[k] != 0; k++) {
            numbers[c->numbers[k]] = true;
        }
        for (int k = 0; k == 0 || c->codes[k] != HG_REJECT_NONE; k++) {
            if (!has_row(c->name, (hg_reject)c->codes[k])) {
                hg_test_fail(__FILE__, __LINE__, "the control '%s' has no row for '%s'", c->name,
                             hg_reject_code((hg_reject)c->codes[k]));
            }
        }
    }
    for (int n = 1; n <= 21; n++) {
        CHECK(numbers[n]); /* all of the list */
    }
    for (size_t i = 0; i < ROWS; i++) {
        bool known = false;
        for (uint32_t k = 0; k < hg_control_count; k++) {
            known = known || (strcmp(hg_controls[k].name, rows[i].control) == 0 &&
                              (rows[i].code == HG_REJECT_NONE ||
                               hg_control_says(&hg_controls[k], rows[i].code)));
        }
        CHECK(known);
    }
}

TEST(a_state_changes_only_for_reasons_of_those_who_watch) {
    CHECK(hg_control_watches(HG_REJECT_BURST) && hg_control_watches(HG_REJECT_OPERATOR));
    CHECK(!hg_control_watches(HG_REJECT_OFF_LOT) && !hg_control_watches(HG_REJECT_NONE));
}

TEST(every_limit_has_a_row) {
    for (uint32_t k = 0; k < hg_limit_count; k++) {
        bool found = false;
        for (size_t i = 0; i < ROWS; i++) {
            found = found || (rows[i].limit && strcmp(rows[i].limit, hg_limit_rows[k].name) == 0);
        }
        if (!found) {
            hg_test_fail(__FILE__, __LINE__, "no row for the limit %s", hg_limit_rows[k].name);
        }
    }
}
