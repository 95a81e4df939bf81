/* P&L of the session: equity now against equity when everything was first marked, and the same for
 * the opening book had nobody touched it. Reports only, so doubles.
 *
 * Money deposited is in both: coins in the account fall with the market whether one hedges or not,
 * and a comparison without them would count that fall as the hedger's doing.
 *
 * Each opened leg contributes from its own first mark. Options and spot stand at their USD value of
 * then; futures at the P&L they had by then, in their currency, so that the entry stated in a book
 * splits realised from unrealised and never moves the session's P&L. */
#include "base/assert.h"
#include "portfolio/portfolio_int.h"

#include <math.h>

/* Signed value of lots at a price, in the settlement currency. */
static double worth(const hg_instrument *inst, double price, hg_lots lots) {
    double amount = (double)lots * ((double)inst->lot / 1e9);
    bool usd_sized = inst->inverse && inst->kind != HG_KIND_OPTION;
    return usd_sized ? (price > 0 ? amount / price : 0) : amount * price;
}

static double gain(const hg_instrument *inst, double cost, double value) {
    bool flipped = inst->inverse && inst->kind != HG_KIND_OPTION;
    return flipped ? cost - value : value - cost;
}

/* Adds one held position at `price`. */
static void add_position(const hg_holding *h, const hg_instrument *inst, double price, double usd,
                         hg_pnl *out) {
    double cost = hg_nano_to_double(h->pos.cost) + worth(inst, price, h->unpriced);
    double value = worth(inst, price, h->pos.lots);
    double unrealised = gain(inst, cost, value) * usd;
    out->unrealised += unrealised;
    out->equity += hg_is_premium(inst) ? value * usd : unrealised;
}

/* Adds one opened leg: what it was worth at first leaves `hedged`, what it became is `unhedged`. */
static void add_opened(const hg_holding *h, const hg_instrument *inst, double price, double usd,
                       double *baseline, hg_pnl *out) {
    double first = worth(inst, h->first_price, h->pos.opened);
    if (hg_is_premium(inst)) {
        double now = h->settled ? hg_nano_to_double(h->settled_pnl)
                                : worth(inst, price, h->pos.opened);
        *baseline += h->first_usd;
        out->unhedged += now * usd - h->first_usd;
    } else {
        double now = h->settled ? hg_nano_to_double(h->settled_pnl)
                                : gain(inst, first, worth(inst, price, h->pos.opened));
        *baseline += hg_nano_to_double(h->first_pnl) * usd;
        out->unhedged += now * usd;
    }
}

static void add_purses(const hg_portfolio *p, double *baseline, hg_pnl *out) {
    for (uint32_t c = 0; c < hg_universe_currency_count(p->universe); c++) {
        const hg_purse *purse = &p->purses[c];
        double usd = hg_market_usd(p->market, c);
        bool used = purse->balance != 0 || purse->realised != 0 || purse->fees != 0 ||
                    purse->funding != 0;
        if (used && !(usd > 0)) {
            out->known = false;
        }
        out->equity += hg_nano_to_double(purse->balance) * usd;
        out->realised += hg_nano_to_double(purse->realised) * usd;
        out->fees += hg_nano_to_double(purse->fees) * usd;
        out->funding += hg_nano_to_double(purse->funding) * usd;
        *baseline += purse->deposited_usd + hg_nano_to_double(purse->deposit_due) * usd;
        out->unhedged += hg_nano_to_double(purse->deposited - purse->deposit_due) * usd -
                         purse->deposited_usd;
    }
}

static double finite_or_zero(double value, bool *known) {
    if (isfinite(value)) {
        return value;
    }
    *known = false;
    return 0;
}

void hg_portfolio_pnl(hg_portfolio *p, int64_t now_ns, hg_pnl *out) {
    hg_assert(p && out);
    *out = (hg_pnl){.known = p->unmarked == 0};
    double baseline = 0;
    add_purses(p, &baseline, out);
    for (uint32_t i = 0; i < p->held_count; i++) {
        uint32_t id = p->held[i];
        const hg_holding *h = &p->holdings[id];
        const hg_instrument *inst = hg_universe_get(p->universe, id);
        double usd = hg_market_usd(p->market, inst->settle_id);
        bool idle = h->pos.lots == 0 && (h->pos.opened == 0 || h->settled);
        double price = 0;
        bool priced = !idle && hg_value_price(p, id, now_ns, &price) && usd > 0;
        double open_funding = hg_nano_to_double(hg_funding_open(p, id, now_ns)) * usd;
        out->funding += open_funding;
        out->equity += open_funding;
        out->known = out->known && (idle || priced);
        if (h->pos.lots != 0 && priced) {
            add_position(h, inst, price, usd, out);
        }
        if (h->pos.opened != 0 && h->first_known && (priced || h->settled)) {
            add_opened(h, inst, price, usd, &baseline, out);
        }
    }
    out->hedged = out->equity - baseline;
    double *numbers[] = {&out->hedged,     &out->unhedged, &out->equity, &out->realised,
                         &out->unrealised, &out->fees,     &out->funding};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        *numbers[i] = finite_or_zero(*numbers[i], &out->known);
    }
}
