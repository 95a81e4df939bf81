/* Deribit's instrument names and the contract terms behind them.
 *
 * Grammar (docs.deribit.com, "Instrument naming"): COIN[_QUOTE]-PERPETUAL, COIN[_QUOTE]-DMMMYY,
 * COIN[_QUOTE]-DMMMYY-STRIKE-C|P with `d` as decimal point of the strike, COIN_QUOTE for spot.
 * Terms change over time: a venue's own instrument list or --instruments overrides this table,
 * which holds the schedule in force since August 2026. */
#include "base/clock.h"
#include "domain/instrument.h"

#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NANO_OF(x) ((hg_nano)((x)*1e9 + 0.5))

/* Futures, perpetuals and spot: 1.5 bp maker and 3.5 bp taker on contracts, spot free. */
typedef struct {
    const char *coin;
    bool inverse; /* has coin-settled contracts */
    double inverse_tick, inverse_lot;
    double linear_tick, linear_lot;
    double option_tick, option_lot; /* linear options */
} coin_terms;

static const coin_terms coins[] = {
    {"BTC",  true,  0.5,  10, 0.1,     0.0001, 0.1,     0.01},
    {"ETH",  true,  0.05, 1,  0.01,    0.001,  0.01,    0.1 },
    {"SOL",  false, 0,    0,  0.001,   0.01,   0.0001,  1   },
    {"XRP",  false, 0,    0,  0.0001,  1,      0.0001,  1   },
    {"AVAX", false, 0,    0,  0.001,   0.1,    0.0001,  1   },
    {"TRX",  false, 0,    0,  0.00001, 1,      0.00001, 1   },
    {"BNB",  false, 0,    0,  0.01,    0.01,   0.001,   1   },
    {"PAXG", false, 0,    0,  0.05,    0.001,  0.01,    0.1 },
    {"DOGE", false, 0,    0,  0.00001, 1,      0.00001, 1   },
    {"LTC",  false, 0,    0,  0.01,    0.1,    0.001,   1   },
    {"LINK", false, 0,    0,  0.001,   0.1,    0.0001,  1   },
    {"ADA",  false, 0,    0,  0.0001,  1,      0.0001,  1   },
};

static const char months[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";

bool hg_expiry_parse(const char *text, size_t len, int64_t *expiry_ns) {
    if (len < 6 || len > 7) {
        return false;
    }
    size_t day_len = len - 5;
    int day = 0;
    for (size_t i = 0; i < day_len; i++) {
        if (!isdigit((unsigned char)text[i])) {
            return false;
        }
        day = day * 10 + (text[i] - '0');
    }
    int month = 0;
    for (int m = 0; m < 12 && month == 0; m++) {
        month = strncmp(text + day_len, months + 3 * m, 3) == 0 ? m + 1 : 0;
    }
    const char *yy = text + day_len + 3;
    if (month == 0 || !isdigit((unsigned char)yy[0]) || !isdigit((unsigned char)yy[1])) {
        return false;
    }
    hg_date date = {2000 + (yy[0] - '0') * 10 + (yy[1] - '0'), month, day};
    if (!hg_date_valid(date) || text[0] == '0') {
        return false;
    }
    *expiry_ns = hg_date_to_days(date) * HG_NS_PER_DAY + 8 * HG_NS_PER_HOUR;
    return true;
}

char *hg_expiry_format(int64_t expiry_ns, char *buf, size_t size) {
    hg_date date = hg_date_from_days(expiry_ns / HG_NS_PER_DAY);
    snprintf(buf, size, "%d%.3s%02d", date.day, months + 3 * (date.month - 1), date.year % 100);
    return buf;
}

static const coin_terms *terms_find(const char *coin) {
    for (size_t i = 0; i < sizeof coins / sizeof coins[0]; i++) {
        if (strcmp(coins[i].coin, coin) == 0) {
            return &coins[i];
        }
    }
    return NULL;
}

static bool strike_parse(const char *text, size_t len, hg_nano *strike) {
    char number[24];
    if (len == 0 || len >= sizeof number) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (!isdigit((unsigned char)c) && c != 'd') {
            return false;
        }
        number[i] = c == 'd' ? '.' : c;
    }
    return hg_nano_parse(number, len, strike) && *strike > 0;
}

/* Deliveries of daily and weekly expiries are free of charge; the last Friday of a month is the
 * monthly one (Deribit, "Fees"). */
static bool delivery_is_charged(int64_t expiry_ns) {
    int64_t day = expiry_ns / HG_NS_PER_DAY;
    return hg_date_weekday(day) == 4 &&
           hg_date_from_days(day).month != hg_date_from_days(day + 7).month;
}

static void terms_future(hg_instrument *inst, const coin_terms *terms) {
    inst->tick = NANO_OF(inst->inverse ? terms->inverse_tick : terms->linear_tick);
    inst->lot = NANO_OF(inst->inverse ? terms->inverse_lot : terms->linear_lot);
    inst->maker = NANO_OF(0.00015);
    inst->taker = NANO_OF(0.00035);
    inst->delivery = delivery_is_charged(inst->expiry_ns) ? NANO_OF(0.00025) : 0;
}

static void terms_option(hg_instrument *inst, const coin_terms *terms) {
    if (inst->inverse) {
        inst->tick = NANO_OF(0.0001);
        inst->tick_above = NANO_OF(0.005);
        inst->tick_step = NANO_OF(0.0005);
        inst->lot = NANO_OF(strcmp(terms->coin, "BTC") == 0 ? 0.1 : 1.0);
    } else {
        inst->tick = NANO_OF(terms->option_tick);
        inst->lot = NANO_OF(terms->option_lot);
    }
    inst->maker = NANO_OF(0.0003);
    inst->taker = NANO_OF(0.0003);
    inst->fee_cap = NANO_OF(0.125);
    inst->delivery = delivery_is_charged(inst->expiry_ns) ? NANO_OF(0.00015) : 0;
}

static void terms_spot(hg_instrument *inst, const coin_terms *terms) {
    inst->tick = NANO_OF(terms->linear_tick);
    inst->lot = NANO_OF(terms->linear_lot);
}

/* "BTC" or "BTC_USDC": coin, quote and whether the contract is coin-settled. */
static const coin_terms *pair_parse(const char *text, size_t len, hg_instrument *inst) {
    char pair[2 * HG_CODE_MAX];
    if (len == 0 || len >= sizeof pair) {
        return NULL;
    }
    memcpy(pair, text, len);
    pair[len] = '\0';
    char *quote = strchr(pair, '_');
    if (quote) {
        *quote++ = '\0';
    }
    const coin_terms *terms = terms_find(pair);
    if (!terms || (quote && !(strncmp(quote, "USD", 3) == 0 && strlen(quote) <= 4)) ||
        (!quote && !terms->inverse)) {
        return NULL;
    }
    hg_text_copy(inst->underlying, sizeof inst->underlying, pair);
    inst->inverse = quote == NULL;
    hg_text_copy(inst->quote, sizeof inst->quote, quote ? quote : "USD");
    hg_text_copy(inst->settle, sizeof inst->settle, quote ? quote : pair);
    return terms;
}

static bool option_parse(const char *rest, hg_instrument *inst) {
    const char *dash = strchr(rest, '-');
    if (!dash || (dash[1] != 'C' && dash[1] != 'P') || dash[2] != '\0') {
        return false;
    }
    inst->kind = HG_KIND_OPTION;
    inst->cp = dash[1] == 'C' ? 1 : -1;
    if (inst->inverse) {
        hg_text_copy(inst->quote, sizeof inst->quote, inst->underlying);
    }
    return strike_parse(rest, (size_t)(dash - rest), &inst->strike);
}

static bool contract_parse(const char *rest, hg_instrument *inst) {
    if (strcmp(rest, "PERPETUAL") == 0) {
        inst->kind = HG_KIND_PERPETUAL;
        return true;
    }
    size_t len = strcspn(rest, "-");
    if (!hg_expiry_parse(rest, len, &inst->expiry_ns)) {
        return false;
    }
    if (rest[len] == '\0') {
        inst->kind = HG_KIND_FUTURE;
        return true;
    }
    return option_parse(rest + len + 1, inst);
}

static int name_unknown(const char *name) {
    int rc = HG_ERR(HG_ENOTFOUND, "unknown instrument name '%.60s'", name);
    hg_error_hint("Deribit-style names are known (BTC-PERPETUAL, BTC-27FEB26-80000-P, "
                  "BTC_USDC-PERPETUAL); describe others with --instruments FILE");
    return rc;
}

int hg_instrument_from_name(const char *name, hg_instrument *out) {
    hg_instrument inst = {0};
    if (!hg_text_copy(inst.name, sizeof inst.name, name)) {
        return name_unknown(name);
    }
    size_t len = strcspn(name, "-");
    const coin_terms *terms = pair_parse(name, len, &inst);
    if (!terms) {
        return name_unknown(name);
    }
    if (name[len] == '\0') {
        inst.kind = HG_KIND_SPOT;
        if (inst.inverse) {
            return name_unknown(name);
        }
        terms_spot(&inst, terms);
    } else if (!contract_parse(name + len + 1, &inst)) {
        return name_unknown(name);
    } else if (inst.kind == HG_KIND_OPTION) {
        terms_option(&inst, terms);
    } else {
        terms_future(&inst, terms);
    }
    *out = inst;
    return HG_OK;
}
