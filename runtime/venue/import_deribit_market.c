/* Tickers, quotes, trades, marks, indexes and funding of deribit-ws. Each message is one batch. The
 * venue writes 0 (or null) for a side that is not there, vols in percent in tickers and as
 * fractions in markprice.options. */
#include "venue/import_deribit_int.h"

#include "base/assert.h"
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number that may be absent or null (then untouched). False: something else, or not finite. */
static bool number(const cJSON *data, const char *name, double *value) {
    return !hg_import_get(data, name) || hg_import_double(data, name, value);
}

/* Adds an event of one value. */
static int value_add(hg_deribit *d, hg_event_kind kind, uint32_t id, double value) {
    hg_event ev = {.time_ns = d->now_ns, .kind = (uint8_t)kind, .id = id};
    if (id == HG_ID_NONE || !hg_nano_from_double(value, &ev.price.value)) {
        return HG_OK;
    }
    return hg_import_add(&d->im, &ev);
}

static int mark_add(hg_deribit *d, uint32_t id, double price, double iv) {
    hg_event ev = {.time_ns = d->now_ns, .kind = HG_EV_MARK, .id = id};
    if (!hg_nano_from_double(price, &ev.mark.price) || !hg_nano_from_double(iv, &ev.mark.iv)) {
        return HG_OK;
    }
    return hg_import_add(&d->im, &ev);
}

// --- quotes -------------------------------------------------------------------------------------

static hg_import_reason side_read(const hg_instrument *inst, double price, double size,
                                  hg_import_side *side) {
    *side = (hg_import_side){0};
    if (price == 0 || size == 0) {
        return HG_IMPORT_REASONS;
    }
    if (price < 0 || size < 0) {
        return HG_IMPORT_NOT_POSITIVE;
    }
    if (!hg_price_from_double(inst, price, &side->price)) {
        return HG_IMPORT_OFF_TICK;
    }
    return hg_size_from_double(inst, size, &side->size) ? HG_IMPORT_REASONS : HG_IMPORT_OFF_LOT;
}

static hg_import_reason quote_make(const hg_deribit *d, uint32_t id, const hg_deribit_state *s,
                                   hg_event *ev) {
    const hg_instrument *inst = hg_universe_get(d->im.universe, id);
    hg_import_side bid;
    hg_import_side ask;
    hg_import_reason why = side_read(inst, s->bid, s->bid_size, &bid);
    if (why == HG_IMPORT_REASONS) why = side_read(inst, s->ask, s->ask_size, &ask);
    if (why != HG_IMPORT_REASONS) {
        return why;
    }
    if (bid.size > 0 && ask.size > 0 && bid.price >= ask.price) {
        return HG_IMPORT_CROSSED;
    }
    *ev = (hg_event){.time_ns = d->now_ns, .kind = HG_EV_QUOTE, .id = id};
    ev->quote.bid = bid.price;
    ev->quote.ask = ask.price;
    ev->quote.bid_size = bid.size;
    ev->quote.ask_size = ask.size;
    return HG_IMPORT_REASONS;
}

static bool quote_read(const cJSON *data, hg_deribit_state *s) {
    return number(data, "best_bid_price", &s->bid) && number(data, "best_ask_price", &s->ask) &&
           number(data, "best_bid_amount", &s->bid_size) &&
           number(data, "best_ask_amount", &s->ask_size);
}

int hg_deribit_quote(hg_deribit *d, const cJSON *data) {
    uint32_t id = 0;
    if (!hg_deribit_instrument(d, hg_import_text(data, "instrument_name"), &id)) {
        return HG_OK;
    }
    hg_deribit_state s = {0};
    hg_event ev;
    hg_import_reason why = quote_read(data, &s) ? quote_make(d, id, &s, &ev) : HG_IMPORT_NUMBER;
    if (why != HG_IMPORT_REASONS) {
        hg_import_reject(&d->im, why);
        return HG_OK;
    }
    d->im.report->used++;
    int rc = hg_import_add(&d->im, &ev);
    return rc < 0 ? rc : hg_import_close(&d->im);
}

// --- tickers ------------------------------------------------------------------------------------

/* The rest of a ticker; negative: not given. */
typedef struct {
    double index;
    double forward;
    double funding; /* NaN: not given */
    bool quoted;
    bool marked;
} ticker;

static hg_import_reason ticker_read(const cJSON *data, hg_deribit_state *s, ticker *t) {
    *t = (ticker){.funding = NAN};
    double iv_percent = s->iv * 100;
    if (!quote_read(data, s) || !number(data, "mark_price", &s->mark) ||
        !number(data, "mark_iv", &iv_percent) || !number(data, "index_price", &t->index) ||
        !number(data, "underlying_price", &t->forward) ||
        !number(data, "current_funding", &t->funding)) {
        return HG_IMPORT_NUMBER;
    }
    s->iv = iv_percent / 100;
    t->quoted = hg_import_get(data, "best_bid_price") || hg_import_get(data, "best_ask_price") ||
                hg_import_get(data, "best_bid_amount") || hg_import_get(data, "best_ask_amount");
    t->marked = hg_import_get(data, "mark_price") || hg_import_get(data, "mark_iv");
    bool negative = s->mark < 0 || s->iv < 0 || t->index < 0 || t->forward < 0;
    return negative ? HG_IMPORT_NOT_POSITIVE : HG_IMPORT_REASONS;
}

/* "open", or anything else: then nothing can be traded. */
static int state_add(hg_deribit *d, uint32_t id, hg_deribit_state *s, const cJSON *data) {
    const char *state = hg_import_text(data, "state");
    bool halted = state ? strcmp(state, "open") != 0 : s->halted;
    if (halted == s->halted) {
        return HG_OK;
    }
    s->halted = halted;
    hg_event ev = {.time_ns = d->now_ns, .kind = HG_EV_STATUS, .id = id};
    ev.flags = halted ? HG_EVF_HALTED : 0;
    return hg_import_add(&d->im, &ev);
}

static int ticker_add(hg_deribit *d, uint32_t id, const hg_deribit_state *s, const ticker *t,
                      const hg_event *quote) {
    const hg_instrument *inst = hg_universe_get(d->im.universe, id);
    int rc = HG_OK;
    if (t->index > 0) rc = value_add(d, HG_EV_INDEX, inst->underlying_id, t->index);
    if (rc == HG_OK && t->forward > 0 && inst->kind == HG_KIND_OPTION) {
        rc = value_add(d, HG_EV_FORWARD, inst->expiry_id, t->forward);
    }
    if (rc == HG_OK && !isnan(t->funding) && inst->kind == HG_KIND_PERPETUAL) {
        rc = value_add(d, HG_EV_FUNDING, id, t->funding);
    }
    if (rc == HG_OK && t->marked) rc = mark_add(d, id, s->mark, s->iv);
    return rc == HG_OK && t->quoted ? hg_import_add(&d->im, quote) : rc;
}

/* The last tickers of an expired instrument say at what price it was delivered; the first of them
 * counts. False: this is no such ticker. */
static bool delivery_take(hg_deribit *d, const cJSON *data, int *rc) {
    const char *name = hg_import_text(data, "instrument_name");
    uint32_t id = name ? hg_deribit_find(d, name) : HG_ID_NONE;
    double price = 0;
    if (id == HG_ID_NONE || !hg_import_double(data, "delivery_price", &price) || !(price > 0)) {
        return false;
    }
    const hg_instrument *inst = hg_universe_get(d->im.universe, id);
    hg_deribit_state *state = hg_deribit_state_get(d, id);
    if (!state || inst->expiry_ns == 0 || d->now_ns < inst->expiry_ns) {
        return false;
    }
    if (state->delivered) {
        d->im.report->skipped++;
        *rc = HG_OK;
        return true;
    }
    state->delivered = true;
    d->im.report->used++;
    d->im.report->settled++;
    *rc = value_add(d, HG_EV_SETTLE, id, price);
    *rc = *rc < 0 ? *rc : hg_import_close(&d->im);
    return true;
}

int hg_deribit_ticker(hg_deribit *d, const cJSON *data, bool incremental) {
    int done = HG_OK;
    if (delivery_take(d, data, &done)) {
        return done;
    }
    uint32_t id = 0;
    if (!hg_deribit_instrument(d, hg_import_text(data, "instrument_name"), &id)) {
        return HG_OK;
    }
    hg_deribit_state *state = hg_deribit_state_get(d, id);
    if (!state) {
        return HG_ERR(HG_ENOMEM, "import");
    }
    const char *type = hg_import_text(data, "type");
    bool fresh = !incremental || (type && strcmp(type, "snapshot") == 0);
    hg_deribit_state s = *state;
    if (fresh) {
        s.bid = s.ask = s.bid_size = s.ask_size = s.mark = s.iv = 0;
    }
    ticker t;
    hg_event quote;
    hg_import_reason why = ticker_read(data, &s, &t);
    if (why == HG_IMPORT_REASONS) why = quote_make(d, id, &s, &quote);
    if (why != HG_IMPORT_REASONS) {
        hg_import_reject(&d->im, why);
        return HG_OK;
    }
    *state = s;
    d->im.report->used++;
    int rc = state_add(d, id, state, data);
    if (rc == HG_OK) rc = ticker_add(d, id, state, &t, &quote);
    return rc < 0 ? rc : hg_import_close(&d->im);
}

// --- trades -------------------------------------------------------------------------------------

static hg_import_reason trade_read(const hg_deribit *d, uint32_t id, const cJSON *item,
                                   hg_event *ev) {
    const char *direction = hg_import_text(item, "direction");
    double price = 0;
    double amount = 0;
    if (!direction || (strcmp(direction, "buy") != 0 && strcmp(direction, "sell") != 0)) {
        return HG_IMPORT_MALFORMED;
    }
    if (!hg_import_double(item, "price", &price) || !hg_import_double(item, "amount", &amount)) {
        return HG_IMPORT_NUMBER;
    }
    if (!(price > 0) || !(amount > 0)) {
        return HG_IMPORT_NOT_POSITIVE;
    }
    hg_import_side side;
    hg_import_reason why = side_read(hg_universe_get(d->im.universe, id), price, amount, &side);
    *ev = (hg_event){.time_ns = d->now_ns, .kind = HG_EV_TRADE, .id = id};
    ev->side = strcmp(direction, "buy") == 0 ? HG_BUY : HG_SELL;
    ev->level.price = side.price;
    ev->level.size = side.size;
    return why;
}

int hg_deribit_trades(hg_deribit *d, const cJSON *data) {
    if (!cJSON_IsArray(data)) {
        hg_import_reject(&d->im, HG_IMPORT_MALFORMED);
        return HG_OK;
    }
    const cJSON *item = NULL;
    bool used = false;
    cJSON_ArrayForEach(item, data) {
        uint32_t id = 0;
        if (!hg_deribit_instrument(d, hg_import_text(item, "instrument_name"), &id)) {
            continue;
        }
        hg_event ev;
        hg_import_reason why = trade_read(d, id, item, &ev);
        if (why != HG_IMPORT_REASONS) {
            hg_import_reject(&d->im, why);
            continue;
        }
        used = true;
        int rc = hg_import_add(&d->im, &ev);
        if (rc < 0) {
            return rc;
        }
    }
    d->im.report->used += used;
    return hg_import_close(&d->im);
}

// --- indexes, marks, funding --------------------------------------------------------------------

/* "btc_usd" -> BTC. Of several quote currencies only USD counts where a coin has it. */
static uint32_t index_underlying(hg_deribit *d, const char *name) {
    char coin[HG_CODE_MAX];
    const char *rest = name ? strchr(name, '_') : NULL;
    size_t len = rest ? (size_t)(rest - name) : 0;
    if (len == 0 || len >= sizeof coin || strncmp(rest, "_usd", 4) != 0) {
        return HG_ID_NONE;
    }
    for (size_t i = 0; i < len; i++) coin[i] = (char)toupper((unsigned char)name[i]);
    coin[len] = '\0';
    bool inverse = strcmp(coin, "BTC") == 0 || strcmp(coin, "ETH") == 0;
    if (inverse && rest[4] != '\0') {
        return HG_ID_NONE;
    }
    uint32_t id = 0;
    return hg_universe_add_underlying(d->im.universe, coin, &id) == HG_OK ? id : HG_ID_NONE;
}

int hg_deribit_index(hg_deribit *d, const cJSON *data) {
    double price = 0;
    const cJSON *estimated = hg_import_get(data, "is_estimated");
    const char *name = hg_import_text(data, "index_name");
    if (!name || !hg_import_double(data, "price", &price) || !(price > 0) || price > 1e9) {
        hg_import_reject(&d->im, name ? HG_IMPORT_NUMBER : HG_IMPORT_MALFORMED);
        return HG_OK;
    }
    uint32_t id = index_underlying(d, name);
    if (id == HG_ID_NONE ||
        cJSON_IsTrue(estimated)) { /* the average of a delivery, not the index */
        d->im.report->skipped++;
        return HG_OK;
    }
    d->im.report->used++;
    int rc = value_add(d, HG_EV_INDEX, id, price);
    return rc < 0 ? rc : hg_import_close(&d->im);
}

/* perpetual.BTC-PERPETUAL.100ms: the data does not name the instrument. */
int hg_deribit_perpetual(hg_deribit *d, const cJSON *data, const char *channel) {
    char name[HG_NAME_MAX];
    const char *at = strchr(channel, '.') + 1;
    size_t len = strcspn(at, ".");
    len = len < sizeof name ? len : sizeof name - 1;
    memcpy(name, at, len);
    name[len] = '\0';
    uint32_t id = 0;
    double rate = 0;
    double index = 0;
    if (!hg_deribit_instrument(d, name, &id)) {
        return HG_OK;
    }
    if (!hg_import_double(data, "interest", &rate) || !number(data, "index_price", &index) ||
        index < 0) {
        hg_import_reject(&d->im, HG_IMPORT_NUMBER);
        return HG_OK;
    }
    d->im.report->used++;
    const hg_instrument *inst = hg_universe_get(d->im.universe, id);
    int rc = index > 0 ? value_add(d, HG_EV_INDEX, inst->underlying_id, index) : HG_OK;
    if (rc == HG_OK) rc = value_add(d, HG_EV_FUNDING, id, rate);
    return rc < 0 ? rc : hg_import_close(&d->im);
}

int hg_deribit_marks(hg_deribit *d, const cJSON *data) {
    if (!cJSON_IsArray(data)) {
        hg_import_reject(&d->im, HG_IMPORT_MALFORMED);
        return HG_OK;
    }
    const cJSON *item = NULL;
    bool used = false;
    cJSON_ArrayForEach(item, data) {
        uint32_t id = 0;
        double price = 0;
        double iv = 0;
        if (!hg_deribit_instrument(d, hg_import_text(item, "instrument_name"), &id)) {
            continue;
        }
        if (!hg_import_double(item, "mark_price", &price) || !number(item, "iv", &iv) ||
            price < 0 || iv < 0) {
            hg_import_reject(&d->im, HG_IMPORT_NUMBER);
            continue;
        }
        used = true;
        int rc = mark_add(d, id, price, iv);
        if (rc < 0) {
            return rc;
        }
    }
    d->im.report->used += used;
    return hg_import_close(&d->im);
}
