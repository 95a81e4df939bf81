/* Arithmetic of contracts: exact steps, values and fees in scaled integers. */
#include "domain/instrument.h"

#include "base/assert.h"

#include <math.h>

const char *hg_kind_name(hg_kind kind) {
    static const char *const names[] = {"option", "perpetual", "future", "spot"};
    hg_assert(kind <= HG_KIND_SPOT);
    return names[kind];
}

static int field_bad(const hg_instrument *inst, const char *field, const char *want) {
    return HG_ERR(HG_EDATA, "instrument %s: %s %s", inst->name[0] ? inst->name : "(no name)", field,
                  want);
}

int hg_instrument_check(const hg_instrument *inst) {
    if (!inst->name[0] || !inst->underlying[0] || !inst->quote[0] || !inst->settle[0]) {
        return field_bad(inst, "name, underlying, quote and settle", "must be given");
    }
    if (inst->tick <= 0 || inst->lot <= 0) {
        return field_bad(inst, "tick and lot", "must be above zero");
    }
    if (inst->tick_above < 0 || (inst->tick_above > 0 && (inst->tick_step < inst->tick ||
                                                          inst->tick_step % inst->tick != 0))) {
        return field_bad(inst, "tick_step", "must be a multiple of tick");
    }
    bool option = inst->kind == HG_KIND_OPTION;
    if (option != (inst->cp != 0) || (option && inst->strike <= 0)) {
        return field_bad(inst, "strike and type", "belong to options, strike above zero");
    }
    bool expires = option || inst->kind == HG_KIND_FUTURE;
    if (expires != (inst->expiry_ns > 0)) {
        return field_bad(inst, "expiry", "belongs to options and futures");
    }
    if (inst->maker < -HG_NANO / 100 || inst->taker < 0 || inst->taker > HG_NANO / 10 ||
        inst->maker > HG_NANO / 10 || inst->fee_cap < 0 || inst->delivery < 0) {
        return field_bad(inst, "fees", "out of range");
    }
    const hg_margin_terms *m = &inst->margin;
    if (m->maintenance < 0 || m->initial < m->maintenance || m->initial > HG_NANO ||
        m->initial_min < 0 || m->initial_min > HG_NANO || m->per_coin < 0 ||
        m->per_coin > HG_NANO || m->liquidation < 0 || m->liquidation > HG_NANO / 10) {
        return field_bad(inst, "margins", "must be fractions, initial not below maintenance");
    }
    return HG_OK;
}

static bool exact_steps(int64_t value, int64_t step, int64_t *out) {
    if (value % step != 0) {
        return false;
    }
    *out = value / step;
    return true;
}

bool hg_price_from_nano(const hg_instrument *inst, hg_nano price, hg_ticks *out) {
    hg_ticks ticks = 0;
    if (!exact_steps(price, inst->tick, &ticks) || ticks % hg_instrument_step(inst, ticks) != 0) {
        return false;
    }
    *out = ticks;
    return true;
}

bool hg_size_from_nano(const hg_instrument *inst, hg_nano size, hg_lots *out) {
    return exact_steps(size, inst->lot, out);
}

static bool near_integer(double value, int64_t *out) {
    if (!(fabs(value) < 9e15)) {
        return false;
    }
    double rounded = nearbyint(value);
    if (fabs(value - rounded) > 1e-6) {
        return false;
    }
    *out = (int64_t)rounded;
    return true;
}

bool hg_price_from_double(const hg_instrument *inst, double price, hg_ticks *out) {
    hg_ticks ticks = 0;
    if (!near_integer(price / ((double)inst->tick / 1e9), &ticks) ||
        ticks % hg_instrument_step(inst, ticks) != 0) {
        return false;
    }
    *out = ticks;
    return true;
}

bool hg_size_from_double(const hg_instrument *inst, double size, hg_lots *out) {
    return near_integer(size / ((double)inst->lot / 1e9), out);
}

hg_ticks hg_price_round(const hg_instrument *inst, double price, int direction) {
    double ticks = price / ((double)inst->tick / 1e9);
    double nearest = nearbyint(ticks);
    if (fabs(ticks - nearest) > 1e-6) {
        nearest = direction < 0 ? floor(ticks) : ceil(ticks);
    }
    hg_ticks result = fabs(nearest) < 9e15 ? (hg_ticks)nearest : 0;
    hg_ticks step = hg_instrument_step(inst, result);
    hg_ticks rest = result % step;
    if (rest != 0) {
        result += direction < 0 ? -rest : step - rest;
    }
    return result;
}

double hg_instrument_coins_per_lot(const hg_instrument *inst, double price) {
    double amount = (double)inst->lot / 1e9;
    bool usd_sized = inst->inverse && inst->kind != HG_KIND_OPTION;
    if (!usd_sized) {
        return amount;
    }
    return price > 0 ? amount / price : 0;
}

bool hg_value(const hg_instrument *inst, hg_nano price, hg_lots lots, hg_cash *out) {
    hg_cash amount = 0;
    if (!hg_wide_narrow((hg_wide)lots * inst->lot, &amount)) {
        return false;
    }
    bool usd_sized = inst->inverse && inst->kind != HG_KIND_OPTION;
    if (usd_sized) {
        return price > 0 && hg_wide_narrow(hg_wide_divide((hg_wide)amount * HG_NANO, price), out);
    }
    return hg_wide_narrow(hg_wide_divide((hg_wide)amount * price, HG_NANO), out);
}

static bool option_fee(const hg_instrument *inst, hg_nano price, hg_cash amount, hg_nano rate,
                       hg_nano underlying, hg_cash *out) {
    /* rate * one coin: in the coin for inverse options, rate * underlying for linear ones. */
    hg_wide fee = (hg_wide)amount * rate;
    if (!inst->inverse) {
        fee = hg_wide_divide(fee * (underlying > 0 ? underlying : 0), HG_NANO);
    }
    hg_wide cap = hg_wide_divide((hg_wide)amount * price, HG_NANO) * inst->fee_cap;
    if (inst->fee_cap > 0 && fee > cap) {
        fee = cap;
    }
    return hg_wide_narrow(hg_wide_divide(fee, HG_NANO), out);
}

bool hg_fee(const hg_instrument *inst, hg_nano price, hg_lots lots, bool maker, hg_nano underlying,
            hg_cash *out) {
    hg_assert(lots >= 0);
    hg_nano rate = maker ? inst->maker : inst->taker;
    if (inst->kind == HG_KIND_OPTION) {
        hg_cash amount = 0;
        return hg_wide_narrow((hg_wide)lots * inst->lot, &amount) &&
               option_fee(inst, price, amount, rate, underlying, out);
    }
    hg_cash value = 0;
    return hg_value(inst, price, lots, &value) && hg_muldiv(value, rate, HG_NANO, out);
}

bool hg_payoff(const hg_instrument *inst, hg_nano price, hg_nano size, hg_cash *out) {
    hg_nano inside = inst->cp > 0 ? price - inst->strike : inst->strike - price;
    return hg_muldiv(size, inside > 0 ? inside : 0, inst->inverse ? price : HG_NANO, out);
}

bool hg_delivery_fee(const hg_instrument *inst, hg_nano price, hg_lots lots, hg_cash *out) {
    hg_instrument terms = *inst;
    hg_nano worth = price; /* of an option, a coin */
    if (inst->expiry_ns == 0) {
        *out = 0;
        return true;
    }
    terms.taker = inst->delivery;
    return (inst->kind != HG_KIND_OPTION || hg_payoff(inst, price, HG_NANO, &worth)) &&
           hg_fee(&terms, worth, lots, false, price, out);
}
