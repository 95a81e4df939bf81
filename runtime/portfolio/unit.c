/* Greeks of one lot: what an order would add to the exposure of its underlying. */
#include "base/assert.h"
#include "domain/delivery.h"
#include "greeks/black76.h"
#include "portfolio/portfolio_int.h"

#include <math.h>

#define POINT 0.01
#define DAYS_PER_YEAR 365.0

/* An option outside the columns: priced here, as the columns would. */
static bool option_unit(const hg_portfolio *p, const hg_instrument *inst, int64_t now_ns,
                        hg_unit *out) {
    double sigma = 0;
    hg_greeks g;
    double f = hg_market_forward(p->market, inst->expiry_id, NULL);
    hg_iv_source source = hg_market_iv(p->market, inst->id, &sigma, NULL);
    double years = hg_market_years(inst->expiry_ns, now_ns);
    int rc = hg_black76_all(f, hg_nano_to_double(inst->strike), years, sigma, inst->cp, 0, &g);
    if (rc < 0 || source == HG_IV_NONE) {
        return false;
    }
    double windows = hg_delivery_windows(inst->expiry_ns, now_ns);
    double open = hg_delivery_share(windows);
    *out = (hg_unit){.delta = g.delta * open,
                     .gamma = g.gamma * open * open,
                     .vega = g.vega * POINT,
                     .theta = g.theta * hg_delivery_pace(windows) / DAYS_PER_YEAR};
    return true;
}

static void scale(hg_unit *unit, double by) {
    unit->delta *= by;
    unit->gamma *= by;
    unit->vega *= by;
    unit->theta *= by;
}

bool hg_portfolio_unit(hg_portfolio *p, uint32_t id, int64_t now_ns, hg_unit *out) {
    hg_assert(id < hg_universe_count(p->universe) && out);
    const hg_instrument *inst = hg_universe_get(p->universe, id);
    const hg_exposure *x = hg_portfolio_exposure(p, inst->underlying_id, now_ns);
    uint32_t column = p->holdings[id].column;
    bool known = x->spot > 0;
    *out = (hg_unit){0};
    if (inst->kind != HG_KIND_OPTION) {
        double price = 0;
        known = known && hg_value_price(p, id, now_ns, &price);
        double open = hg_delivery_open(inst->expiry_ns, now_ns);
        out->delta = known ? hg_instrument_coins_per_lot(inst, price) * open : 0;
    } else if (column != HG_ID_NONE) {
        const hg_book *b = &p->books[inst->underlying_id];
        known = known && !(b->flaw[column] & HG_FLAW_VOL);
        *out = (hg_unit){.delta = b->delta[column],
                         .gamma = b->gamma[column],
                         .vega = b->vega[column] * POINT,
                         .theta = b->theta[column] / DAYS_PER_YEAR};
        scale(out, hg_nano_to_double(inst->lot));
    } else {
        known = option_unit(p, inst, now_ns, out) && known;
        scale(out, hg_nano_to_double(inst->lot));
    }
    return known && isfinite(out->delta) && isfinite(out->gamma) && isfinite(out->vega) &&
           isfinite(out->theta);
}
