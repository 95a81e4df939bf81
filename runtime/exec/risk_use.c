/* What of each limit is used, for those who look: scripts, reports, the operator. */
#include "base/assert.h"
#include "exec/exec_int.h"

#include <math.h>

void hg_risk_use_underlying(hg_exec *exec, uint32_t underlying, int64_t now_ns, hg_risk_use *out) {
    hg_assert(exec && out);
    const hg_risk_underlying_state *r = &exec->risk->underlyings[underlying];
    hg_greek_range g[HG_GREEKS];
    bool known = hg_risk_ranges(exec, underlying, now_ns, g);
    double worst[HG_GREEKS];
    for (int i = 0; i < HG_GREEKS; i++) {
        worst[i] = fmax(fabs(g[i].lo), fabs(g[i].hi));
    }
    *out = (hg_risk_use){.delta = worst[HG_GREEK_DELTA],
                         .gamma = worst[HG_GREEK_GAMMA],
                         .vega = worst[HG_GREEK_VEGA],
                         .theta = worst[HG_GREEK_THETA],
                         .burst_delta = (double)r->bursts.delta_sum / 1e9,
                         .burst_vega = (double)r->bursts.vega_sum / 1e9,
                         .known = known};
}

void hg_risk_use_session(hg_exec *exec, uint16_t strategy, int64_t now_ns, hg_risk_totals *out) {
    hg_assert(exec && strategy < HG_STRATEGIES_MAX && out);
    const hg_risk *risk = exec->risk;
    double open = hg_risk_open_notional(exec, HG_ID_NONE, 0);
    *out = (hg_risk_totals){.open_notional = open,
                            .gross_notional = open + hg_risk_held_notional(exec, now_ns),
                            .open_orders = exec->open_count,
                            .strategy_open_orders = risk->strategies[strategy].open,
                            .loss = risk->pnl_known ? risk->day_start - risk->pnl : NAN,
                            .drawdown = risk->pnl_known ? risk->day_peak - risk->pnl : NAN};
}

const hg_limits *hg_exec_limits_of_underlying(const hg_exec *exec, uint32_t underlying) {
    return &exec->risk->underlyings[underlying].limits;
}

const hg_limits *hg_exec_limits_of_strategy(const hg_exec *exec, uint16_t strategy) {
    hg_assert(strategy < HG_STRATEGIES_MAX);
    return &exec->risk->strategies[strategy].limits;
}
