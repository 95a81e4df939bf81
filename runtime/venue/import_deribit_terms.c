/* Contract terms from Deribit's public/get_instruments. Replies of 2021 name neither
 * instrument_type nor settlement_currency; then the quote currency tells. */
#include "venue/import_deribit_int.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>

#define NANO_OF(x) ((hg_nano)((x)*1e9 + 0.5))

static bool code_copy(const char *text, char out[HG_CODE_MAX]) {
    return text && text[0] != '\0' && hg_text_copy(out, HG_CODE_MAX, text);
}

static bool is_inverse(const cJSON *json, const hg_instrument *inst) {
    const char *type = hg_import_text(json, "instrument_type");
    type = type ? type : hg_import_text(json, "future_type");
    if (type) {
        return strcmp(type, "reversed") == 0;
    }
    const char *settle = hg_import_text(json, "settlement_currency");
    return settle
               ? strcmp(settle, inst->underlying) == 0
               : strncmp(inst->quote, "USD", 4) == 0 || strcmp(inst->quote, inst->underlying) == 0;
}

static bool kind_read(const cJSON *json, hg_instrument *inst) {
    const char *kind = hg_import_text(json, "kind");
    const char *period = hg_import_text(json, "settlement_period");
    if (!kind) {
        return false;
    }
    if (strcmp(kind, "option") == 0) {
        const char *type = hg_import_text(json, "option_type");
        inst->kind = HG_KIND_OPTION;
        inst->cp = type && strcmp(type, "call") == 0 ? 1 : -1;
        return type && hg_import_decimal(hg_import_get(json, "strike"), &inst->strike);
    }
    if (strcmp(kind, "future") == 0) {
        bool perpetual = period && strcmp(period, "perpetual") == 0;
        inst->kind = perpetual ? HG_KIND_PERPETUAL : HG_KIND_FUTURE;
        return true;
    }
    inst->kind = HG_KIND_SPOT;
    return strcmp(kind, "spot") == 0;
}

/* Prices above `above_price` move by a coarser step. More than one such step is not modelled. */
static bool tick_read(const cJSON *json, hg_instrument *inst) {
    const cJSON *steps = hg_import_get(json, "tick_size_steps");
    int count = cJSON_GetArraySize(steps);
    if (!hg_import_decimal(hg_import_get(json, "tick_size"), &inst->tick) || count > 1) {
        return false;
    }
    const cJSON *step = count == 1 ? cJSON_GetArrayItem(steps, 0) : NULL;
    return !step || (hg_import_decimal(hg_import_get(step, "above_price"), &inst->tick_above) &&
                     hg_import_decimal(hg_import_get(step, "tick_size"), &inst->tick_step));
}

/* Sizes are multiples of the smallest trade for options; futures of the contract too. */
static bool lot_read(const cJSON *json, hg_instrument *inst) {
    hg_nano contract = 0;
    if (!hg_import_decimal(hg_import_get(json, "min_trade_amount"), &inst->lot)) {
        return false;
    }
    bool sized = hg_import_decimal(hg_import_get(json, "contract_size"), &contract);
    if (sized && inst->kind != HG_KIND_OPTION && contract > 0 && contract < inst->lot) {
        inst->lot = contract;
    }
    return true;
}

static void fees_read(const cJSON *json, hg_instrument *inst) {
    hg_nano rate = 0;
    if (hg_import_decimal(hg_import_get(json, "maker_commission"), &rate)) inst->maker = rate;
    if (hg_import_decimal(hg_import_get(json, "taker_commission"), &rate)) inst->taker = rate;
    inst->fee_cap = inst->kind == HG_KIND_OPTION ? NANO_OF(0.125) : 0;
    inst->delivery = inst->kind == HG_KIND_OPTION   ? NANO_OF(0.00015)
                     : inst->kind == HG_KIND_FUTURE ? NANO_OF(0.00025)
                                                    : 0;
    const char *period = hg_import_text(json, "settlement_period");
    if (period && (strcmp(period, "day") == 0 || strcmp(period, "week") == 0)) {
        inst->delivery = 0; /* daily and weekly expiries are delivered free of charge */
    }
}

static bool instrument_read(const cJSON *json, hg_instrument *inst) {
    *inst = (hg_instrument){0};
    const char *name = hg_import_text(json, "instrument_name");
    int64_t expiry_ms = 0;
    if (!name || !hg_text_copy(inst->name, sizeof inst->name, name) || !kind_read(json, inst) ||
        !code_copy(hg_import_text(json, "base_currency"), inst->underlying) ||
        !code_copy(hg_import_text(json, "quote_currency"), inst->quote) || !tick_read(json, inst) ||
        !lot_read(json, inst)) {
        return false;
    }
    if (inst->kind == HG_KIND_OPTION || inst->kind == HG_KIND_FUTURE) {
        if (!hg_import_id(json, "expiration_timestamp", &expiry_ms) ||
            expiry_ms > INT64_MAX / HG_NS_PER_MS) {
            return false;
        }
        inst->expiry_ns = expiry_ms * HG_NS_PER_MS;
    }
    inst->inverse = inst->kind != HG_KIND_SPOT && is_inverse(json, inst);
    const char *settle = inst->inverse ? inst->underlying : inst->quote;
    memcpy(inst->settle, settle, strlen(settle) + 1);
    fees_read(json, inst);
    return hg_instrument_check(inst) == HG_OK;
}

int hg_deribit_terms_read(hg_import_terms *terms, const cJSON *result) {
    hg_instrument inst;
    if (cJSON_IsObject(result)) {
        return instrument_read(result, &inst) ? hg_import_terms_push(terms, &inst) : HG_OK;
    }
    const cJSON *item = NULL;
    int rc = HG_OK;
    cJSON_ArrayForEach(item, result) {
        if (rc == HG_OK && instrument_read(item, &inst)) rc = hg_import_terms_push(terms, &inst);
    }
    return rc;
}
