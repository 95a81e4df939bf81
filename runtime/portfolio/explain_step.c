/* What one lot of an instrument earns between two marks, by cause.
 *
 * Symbols: S spot, F forward, s vol, T years (effective, see hg_market_years), V(F, T, s)
 * undiscounted Black-76 in USD per coin, w USD per unit of V (S/F when coin-settled, else 1), q
 * coins per lot, a the share of the delivery price still open. Greeks at the start of the step,
 * moves as realised, d = end - start:
 *
 *   delta  q a D dS            gamma  q w D' dF^2 / 2        theta  q w V_t (T0 - T1)
 *   vega   q w V_s ds          vanna  q w V_Fs dF ds         volga  q w V_ss ds^2 / 2
 *   cash   q (1 - a) V dS / F  coin-settled: what has been fixed is a number of coins
 *   basis  q w D dF - delta + q V1 (w1 - w0) - cash          forward against spot
 *
 * Futures and spot, P their price: delta = coins * dS with coins = a * amount / P when inverse,
 * else a * amount; basis is the rest of their P&L, without remainder:
 *   inverse  S1 N (1/P0 - 1/P1)      linear  N (P1 - P0)
 *
 * What is left (third order, charm and veta, a mark that differs from the model) is the rest. */
#include "base/assert.h"
#include "domain/delivery.h"
#include "greeks/batch.h"
#include "portfolio/explain_int.h"

#include <math.h>

static bool usd_sized(const hg_instrument *inst) {
    return inst->inverse && inst->kind != HG_KIND_OPTION;
}

double hg_explain_worth(const hg_instrument *inst, double price, hg_lots lots) {
    double amount = (double)lots * ((double)inst->lot / 1e9);
    return usd_sized(inst) ? (price > 0 ? -amount / price : 0) : amount * price;
}

double hg_explain_price(const hg_instrument *inst, const hg_explain_mark *m) {
    if (inst->kind != HG_KIND_OPTION) {
        return m->price;
    }
    return m->usd > 0 ? m->value * m->weight / m->usd : 0;
}

double hg_explain_delta(const hg_instrument *inst, const hg_explain_mark *m, hg_lots lots) {
    double amount = (double)lots * ((double)inst->lot / 1e9);
    if (!m->known) {
        return 0;
    }
    if (inst->kind == HG_KIND_OPTION) {
        return amount * m->share * m->delta;
    }
    return usd_sized(inst) ? m->share * amount / m->price : m->share * amount;
}

/* Prices the model of an option at f, t and sigma of the mark. */
static void model(const hg_instrument *inst, hg_explain_mark *m) {
    double k = hg_nano_to_double(inst->strike);
    double cp = inst->cp;
    const hg_batch_in in = {&m->f, &k, &m->t, &m->sigma, &cp};
    const hg_batch_out out = {.price = &m->value,
                              .delta = &m->delta,
                              .gamma = &m->gamma,
                              .vega = &m->vega,
                              .theta = &m->theta,
                              .vanna = &m->vanna,
                              .volga = &m->volga,
                              .charm = &m->charm};
    m->known = hg_greeks_batch(&in, &out, 1) == 0;
    m->weight = inst->inverse ? m->spot / m->f : 1;
}

static bool money_read(const hg_portfolio *p, const hg_instrument *inst, int64_t now_ns,
                       hg_explain_mark *m) {
    *m = (hg_explain_mark){.time_ns = now_ns,
                           .spot = hg_market_underlying(p->market, inst->underlying_id)->spot,
                           .usd = hg_market_usd(p->market, inst->settle_id),
                           .share = hg_delivery_open(inst->expiry_ns, now_ns)};
    return m->spot > 0 && m->usd > 0 && isfinite(m->spot) && isfinite(m->usd);
}

void hg_explain_mark_read(const hg_portfolio *p, const hg_instrument *inst, int64_t now_ns,
                          hg_explain_mark *m) {
    if (!money_read(p, inst, now_ns, m)) {
        return;
    }
    if (inst->kind != HG_KIND_OPTION) {
        m->known = hg_value_price(p, inst->id, now_ns, &m->price) && m->price > 0;
        return;
    }
    m->f = hg_market_forward(p->market, inst->expiry_id, NULL);
    m->t = hg_market_years(inst->expiry_ns, now_ns);
    hg_iv_source source = hg_market_iv(p->market, inst->id, &m->sigma, NULL);
    if (m->f > 0 && isfinite(m->f) && source != HG_IV_NONE && m->sigma >= 0 && isfinite(m->sigma)) {
        model(inst, m);
    }
}

void hg_explain_mark_delivered(const hg_portfolio *p, const hg_instrument *inst, hg_nano price,
                               int64_t now_ns, hg_explain_mark *m) {
    if (!money_read(p, inst, now_ns, m)) {
        return;
    }
    m->share = 0;
    m->price = hg_nano_to_double(price);
    m->known = true;
    if (inst->kind == HG_KIND_OPTION) {
        m->f = m->price;
        m->sigma = p->explain->marks[inst->id].sigma;
        model(inst, m);
    }
}

static void option_unit(const hg_instrument *inst, const hg_explain_mark *m,
                        const hg_explain_mark *to, hg_explain_unit *out) {
    double q = (double)inst->lot / 1e9;
    double ds = to->spot - m->spot;
    double df = to->f - m->f;
    double dt = m->t - to->t;
    double dv = to->sigma - m->sigma;
    double qw = q * m->weight;
    hg_parts *x = &out->parts;
    x->delta = q * m->share * m->delta * ds;
    x->gamma = qw * 0.5 * m->gamma * df * df;
    x->theta = qw * m->theta * dt;
    x->vega = qw * m->vega * dv;
    x->vanna = qw * m->vanna * df * dv;
    x->volga = qw * 0.5 * m->volga * dv * dv;
    x->cash = inst->inverse ? q * (1 - m->share) * m->value * ds / m->f : 0;
    x->basis = qw * m->delta * df - x->delta + q * to->value * (to->weight - m->weight) - x->cash;
    double held = q * m->share;
    out->drift.spot = held * m->gamma * df;
    out->drift.vol = held * m->vanna * dv;
    out->drift.time = held * m->charm * dt + q * (to->share - m->share) * m->delta;
}

static void linear_unit(const hg_instrument *inst, const hg_explain_mark *m,
                        const hg_explain_mark *to, hg_explain_unit *out) {
    double coins = hg_explain_delta(inst, m, 1);
    double earned = (hg_explain_worth(inst, to->price, 1) - hg_explain_worth(inst, m->price, 1)) *
                    to->usd;
    out->parts.delta = coins * (to->spot - m->spot);
    out->parts.basis = earned - out->parts.delta;
    if (inst->kind == HG_KIND_SPOT) { /* its worth is money: it moves with the currency as well */
        out->parts.cash = hg_explain_worth(inst, m->price, 1) * (to->usd - m->usd);
    }
    out->drift.spot = usd_sized(inst) ? coins * (m->price / to->price - 1) : 0;
    out->drift.time = hg_explain_delta(inst, to, 1) - coins - out->drift.spot;
}

void hg_explain_unit_of(const hg_instrument *inst, const hg_explain_mark *from,
                        const hg_explain_mark *to, hg_explain_unit *out) {
    hg_assert(from->known && to->known);
    *out = (hg_explain_unit){0};
    if (inst->kind == HG_KIND_OPTION) {
        option_unit(inst, from, to, out);
    } else {
        linear_unit(inst, from, to, out);
    }
    out->drift.to = hg_explain_delta(inst, to, 1) - hg_explain_delta(inst, from, 1);
    out->drift.rest = out->drift.to - out->drift.spot - out->drift.vol - out->drift.time;
}
