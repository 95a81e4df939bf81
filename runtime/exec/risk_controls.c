/* The table of the gate's controls and the loop that asks them. What a control may say is part of
 * the table and checked where it says it, so that neither the documentation nor the tests can miss
 * a refusal. Numbers as in docs/risk.md. */
#include "base/assert.h"
#include "exec/exec_int.h"

#define R(code) HG_REJECT_##code

// clang-format off
const hg_control hg_controls[] = {
    {"permission", {21}, {R(INSTRUMENT), R(PERMISSION)}, hg_check_permission},
    {"state", {16, 14, 19}, {R(HALTED), R(PAUSED), R(FROZEN)}, hg_check_state},
    {"reconcile", {20}, {R(RECONCILING)}, hg_check_reconciled},
    {"form", {1}, {R(INSTRUMENT), R(BAD_REQUEST)}, hg_check_form},
    {"size", {1}, {R(NOT_FINITE), R(SIZE_ZERO), R(SIZE_LIMIT), R(OFF_LOT)}, hg_check_size},
    {"price", {1}, {R(NOT_FINITE), R(PRICE_COLLAR), R(OFF_TICK)}, hg_check_price},
    {"data", {13}, {R(STALE), R(NO_PRICE), R(NO_GREEKS)}, hg_check_data},
    {"duplicate", {11}, {R(DUPLICATE)}, hg_check_duplicate},
    {"collar", {2}, {R(PRICE_COLLAR), R(NO_PRICE)}, hg_check_collar},
    {"order size", {3}, {R(SIZE_LIMIT)}, hg_check_order_size},
    {"order value", {4}, {R(VALUE_LIMIT), R(PREMIUM_LIMIT), R(NO_PRICE)}, hg_check_value},
    {"open orders", {7}, {R(OPEN_LIMIT), R(OPEN_NOTIONAL)}, hg_check_open},
    {"position", {5}, {R(POSITION_LIMIT), R(SIZE_LIMIT)}, hg_check_position},
    {"greeks", {5},
     {R(DELTA_LIMIT), R(GAMMA_LIMIT), R(VEGA_LIMIT), R(THETA_LIMIT), R(NO_GREEKS)},
     hg_check_greeks},
    {"gross value", {6}, {R(GROSS_LIMIT)}, hg_check_gross},
    {"margin", {6}, {R(MARGIN_LIMIT)}, hg_check_margin},
    {"reduce only", {15}, {R(REDUCE_ONLY), R(REDUCING)}, hg_check_reduce_only},
    {"self trade", {12}, {R(SELF_TRADE)}, hg_check_self_trade},
    {"repeat", {9}, {R(REPEAT)}, hg_check_repeat},
    {"rate", {8}, {R(RATE)}, NULL},
    {"repeated fills", {9}, {R(REPEAT)}, NULL},
    {"convergence", {10}, {R(CONVERGENCE)}, NULL},
    {"loss", {14}, {R(LOSS), R(DRAWDOWN), R(BLIND)}, NULL},
    {"kill switch", {16}, {R(OPERATOR)}, NULL},
    {"disconnect", {17}, {R(NONE)}, NULL},
    {"dead man", {18}, {R(NONE)}, NULL},
    {"burst", {19}, {R(BURST)}, NULL},
    {"storm", {0}, {R(STORM)}, NULL},
};
// clang-format on

#undef R

const uint32_t hg_control_count = sizeof hg_controls / sizeof *hg_controls;

bool hg_control_says(const hg_control *control, hg_reject code) {
    for (size_t i = 0; i < sizeof control->codes && control->codes[i] != HG_REJECT_NONE; i++) {
        if (control->codes[i] == code) {
            return true;
        }
    }
    return false;
}

bool hg_control_watches(hg_reject code) {
    for (uint32_t i = 0; i < hg_control_count; i++) {
        if (!hg_controls[i].judge && hg_control_says(&hg_controls[i], code)) {
            return true;
        }
    }
    return false;
}

hg_reject hg_risk_judge(const hg_risk_view *view, const hg_order_request *request, int64_t now_ns,
                        hg_risk_order *out, hg_refusal *refusal) {
    hg_assert(view && view->exec && request && out && refusal);
    *out = (hg_risk_order){0};
    judgement j = {.view = view,
                   .exec = view->exec,
                   .risk = view->exec->risk,
                   .request = request,
                   .now_ns = now_ns,
                   .out = out,
                   .refusal = refusal};
    for (const hg_control *control = hg_controls; control->judge; control++) {
        hg_reject code = control->judge(&j);
        if (code != HG_REJECT_NONE) {
            hg_assert(hg_control_says(control, code));
            return code;
        }
    }
    hg_assert(out->price > 0 && out->size > view->filled);
    return HG_REJECT_NONE;
}
