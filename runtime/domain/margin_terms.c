/* The margin tables in force where a venue's list or --instruments gives none. A coin without a
 * source of its own gets the stand-in of the last row, wider than all that have one. */
#include "domain/margin_terms.h"

#include "domain/instrument.h"

#include <string.h>

#define NANO_OF(x) ((hg_nano)((x)*1e9 + 0.5))

static const struct {
    const char *coin;
    double initial, maintenance, per_coin;
} futures[] = {
    {"BTC", 0.02, 0.01,  0.00005 },
    {"ETH", 0.02, 0.01,  0.000004},
    {"SOL", 0.04, 0.02,  0.000005},
    {NULL,  0.05, 0.025, 0       },
};

#define FUTURE_LIQUIDATION 0.01 /* all contracts since 2026-08-01 */
#define OPTION_LIQUIDATION 0.002

void hg_margin_terms_default(hg_instrument *inst) {
    hg_margin_terms *m = &inst->margin;
    bool given = m->initial != 0 || m->maintenance != 0;
    if (given || inst->kind == HG_KIND_SPOT) {
        return; /* spot is paid for in full */
    }
    if (inst->kind == HG_KIND_OPTION) {
        *m = (hg_margin_terms){NANO_OF(0.15), NANO_OF(0.10), NANO_OF(0.075), 0,
                               NANO_OF(OPTION_LIQUIDATION)};
        return;
    }
    size_t i = 0;
    while (futures[i].coin && strcmp(futures[i].coin, inst->underlying) != 0) {
        i++;
    }
    *m = (hg_margin_terms){.initial = NANO_OF(futures[i].initial),
                           .maintenance = NANO_OF(futures[i].maintenance),
                           .per_coin = NANO_OF(futures[i].per_coin),
                           .liquidation = NANO_OF(FUTURE_LIQUIDATION)};
}

hg_pm_terms hg_pm_terms_default(const char *coin, bool stable) {
    bool btc = strcmp(coin, "BTC") == 0;
    bool eth = strcmp(coin, "ETH") == 0;
    hg_pm_terms t = {.price_range = btc   ? 0.16
                                    : eth ? 0.18
                                          : 0.25,
                     .volatility_range_up = eth ? 0.4 : 0.5,
                     .volatility_range_down = 0.25,
                     .min_volatility_for_shock_up = 0.5,
                     .short_term_vega_power = 0.3,
                     .long_term_vega_power = 0.13,
                     .extended_table_factor = 1,
                     .extended_dampener_usd = btc   ? 100000
                                              : eth ? 200000
                                                    : 25000,
                     .min_annualised_move = eth ? 0.005 : 0.01,
                     .annualised_move_risk = btc   ? 0.075
                                             : eth ? 0.05
                                                   : 0.1,
                     .m_inc = btc ? 5e-5 : 4e-6,
                     .max_delta_shock = 0.1,
                     .delta_shock_threshold_usd = 20e6,
                     .mm_factor = 0.8};
    if (stable) {
        t.extended_dampener_usd = 25000;
        t.min_annualised_move = 0.01;
        t.annualised_move_risk = 0.1;
    }
    return t;
}
