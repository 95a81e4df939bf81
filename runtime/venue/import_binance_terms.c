/* Contract terms of Binance symbols. The names do not tell them, so they come from the exchangeInfo
 * reply where a capture has one, and for the large contracts from the table here.
 *
 * Sizes are in coins for USD-M and spot; COIN-M counts contracts of 100 or 10 USD, which become USD
 * amounts, the unit of every inverse contract. Fees: Binance's schedule for regular users, 2 and
 * 5 basis points for futures, 10 for spot. */
#include "venue/import_binance_int.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>

#define NANO_OF(x) ((hg_nano)((x)*1e9 + 0.5))

/* Binance tick and lot sizes of 2024-08 (exchangeInfo of fapi, dapi and api). */
static const struct {
    const char *symbol;
    hg_binance_market market;
    const char *coin;
    double tick;
    double lot; /* COIN-M: contracts */
} table[] = {
    {"BTCUSDT",     HG_BINANCE_USDM,  "BTC", 0.1,   0.001  },
    {"ETHUSDT",     HG_BINANCE_USDM,  "ETH", 0.01,  0.001  },
    {"SOLUSDT",     HG_BINANCE_USDM,  "SOL", 0.001, 1      },
    {"BTCUSD_PERP", HG_BINANCE_COINM, "BTC", 0.1,   1      },
    {"ETHUSD_PERP", HG_BINANCE_COINM, "ETH", 0.01,  1      },
    {"SOLUSD_PERP", HG_BINANCE_COINM, "SOL", 0.001, 1      },
    {"BTCUSDT",     HG_BINANCE_SPOT,  "BTC", 0.01,  0.00001},
    {"ETHUSDT",     HG_BINANCE_SPOT,  "ETH", 0.01,  0.0001 },
    {"SOLUSDT",     HG_BINANCE_SPOT,  "SOL", 0.01,  0.001  },
};

hg_nano hg_binance_contract_usd(const char *symbol) {
    return strncmp(symbol, "BTCUSD", 6) == 0 ? 100 * HG_NANO : 10 * HG_NANO;
}

hg_binance_market hg_binance_market_of(const cJSON *data, const char *symbol) {
    if (hg_import_get(data, "ps") || strchr(symbol, '_')) {
        return HG_BINANCE_COINM;
    }
    const char *event = hg_import_text(data, "e");
    bool depth = event && strcmp(event, "depthUpdate") == 0;
    /* Spot: bookTicker without a name, depth without the previous id, trades with a spare "M". */
    bool spot = !event || (depth && !hg_import_get(data, "pu")) || hg_import_get(data, "M");
    return spot ? HG_BINANCE_SPOT : HG_BINANCE_USDM;
}

static void terms_fill(hg_instrument *inst, hg_binance_market market) {
    inst->inverse = market == HG_BINANCE_COINM;
    inst->maker = market == HG_BINANCE_SPOT ? NANO_OF(0.001) : NANO_OF(0.0002);
    inst->taker = market == HG_BINANCE_SPOT ? NANO_OF(0.001) : NANO_OF(0.0005);
    const char *settle = inst->inverse ? inst->underlying : inst->quote;
    memmove(inst->settle, settle, strlen(settle) + 1);
    if (market == HG_BINANCE_SPOT) {
        inst->kind = HG_KIND_SPOT;
    } else {
        inst->kind = inst->expiry_ns > 0 ? HG_KIND_FUTURE : HG_KIND_PERPETUAL;
    }
}

// --- exchangeInfo -------------------------------------------------------------------------------

static bool filter_get(const cJSON *symbol, const char *type, const char *field, hg_nano *out) {
    const cJSON *filter = NULL;
    cJSON_ArrayForEach(filter, hg_import_get(symbol, "filters")) {
        const char *name = hg_import_text(filter, "filterType");
        if (name && strcmp(name, type) == 0) {
            return hg_import_decimal(hg_import_get(filter, field), out) && *out > 0;
        }
    }
    return false;
}

static bool code_copy(const cJSON *object, const char *name, char out[HG_CODE_MAX]) {
    const char *text = hg_import_text(object, name);
    return text && text[0] != '\0' && hg_text_copy(out, HG_CODE_MAX, text);
}

static bool symbol_read(const cJSON *symbol, hg_binance_market market, hg_instrument *inst) {
    *inst = (hg_instrument){0};
    const char *name = hg_import_text(symbol, "symbol");
    if (!name || !hg_text_copy(inst->name, sizeof inst->name, name) ||
        !code_copy(symbol, "baseAsset", inst->underlying) ||
        !code_copy(symbol, "quoteAsset", inst->quote) ||
        !filter_get(symbol, "PRICE_FILTER", "tickSize", &inst->tick) ||
        !filter_get(symbol, "LOT_SIZE", "stepSize", &inst->lot)) {
        return false;
    }
    const char *type = hg_import_text(symbol, "contractType");
    int64_t delivery_ms = 0;
    if (type && strcmp(type, "PERPETUAL") != 0 && market != HG_BINANCE_SPOT) {
        if (!hg_import_id(symbol, "deliveryDate", &delivery_ms) ||
            delivery_ms > INT64_MAX / HG_NS_PER_MS) {
            return false;
        }
        inst->expiry_ns = delivery_ms * HG_NS_PER_MS;
    }
    terms_fill(inst, market);
    return market != HG_BINANCE_COINM ||
           hg_muldiv(inst->lot, hg_binance_contract_usd(name), HG_NANO, &inst->lot);
}

int hg_binance_terms_read(hg_import_terms *terms, const cJSON *reply, hg_binance_market market) {
    const cJSON *symbol = NULL;
    cJSON_ArrayForEach(symbol, hg_import_get(reply, "symbols")) {
        hg_instrument inst;
        if (symbol_read(symbol, market, &inst) && hg_instrument_check(&inst) == HG_OK) {
            int rc = hg_import_terms_push(terms, &inst);
            if (rc < 0) {
                return rc;
            }
        }
    }
    return HG_OK;
}

bool hg_binance_terms_find(hg_import_terms *terms, const char *symbol, hg_binance_market market,
                           hg_instrument *out) {
    hg_instrument inst = {0};
    if (!hg_text_copy(inst.name, sizeof inst.name, symbol)) {
        return false;
    }
    const hg_instrument *found = hg_import_terms_find(terms, symbol);
    if (found) {
        *out = *found;
        return true;
    }
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].market != market || strcmp(table[i].symbol, symbol) != 0) {
            continue;
        }
        hg_text_copy(inst.underlying, sizeof inst.underlying, table[i].coin);
        hg_text_copy(inst.quote, sizeof inst.quote, market == HG_BINANCE_COINM ? "USD" : "USDT");
        inst.tick = NANO_OF(table[i].tick);
        inst.lot = NANO_OF(table[i].lot);
        if (market == HG_BINANCE_COINM) {
            inst.lot *= hg_binance_contract_usd(symbol) / HG_NANO;
        }
        terms_fill(&inst, market);
        *out = inst;
        return true;
    }
    return false;
}
