/* deribit-ws: JSON-RPC notifications, one per line; captures of cryptofeed v3, whose frames hold
 * them as text beside the REST replies; and single messages printed over many lines.
 *
 * Times are those of reception where frames have them, else the message's own; in both cases small
 * steps back between channels are levelled. */
#include "venue/import_deribit_int.h"

#include "base/assert.h"
#include "base/clock.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Channels of one connection lag each other by less than this. */
#define BACKWARDS_MAX_NS (5 * HG_NS_PER_S)

// --- instruments --------------------------------------------------------------------------------

/* BTC-FS-30SEP22_PERP, BTC-STRD-30SEP22-20000, ...: the second word is neither date nor PERPETUAL.
 */
static bool is_combo(const char *name) {
    const char *dash = strchr(name, '-');
    return dash && isalpha((unsigned char)dash[1]) && strncmp(dash + 1, "PERPETUAL", 9) != 0;
}

uint32_t hg_deribit_find(hg_deribit *d, const char *name) {
    uint32_t id = hg_universe_find(d->im.universe, name);
    if (id != HG_ID_NONE) {
        return id;
    }
    const hg_instrument *listed = hg_import_terms_find(&d->terms, name);
    if (listed) {
        return hg_universe_add(d->im.universe, listed, &id) == HG_OK ? id : HG_ID_NONE;
    }
    return hg_import_instrument(&d->im, name);
}

bool hg_deribit_instrument(hg_deribit *d, const char *name, uint32_t *id) {
    if (!name || name[0] == '\0') {
        hg_import_reject(&d->im, HG_IMPORT_MALFORMED);
        return false;
    }
    uint32_t found = hg_deribit_find(d, name);
    if (found == HG_ID_NONE) {
        hg_import_reject(&d->im, is_combo(name) ? HG_IMPORT_COMBO : HG_IMPORT_INSTRUMENT);
        return false;
    }
    const hg_instrument *inst = hg_universe_get(d->im.universe, found);
    if (inst->expiry_ns > 0 && d->now_ns >= inst->expiry_ns) {
        hg_import_reject(&d->im, HG_IMPORT_EXPIRED);
        return false;
    }
    *id = found;
    return true;
}

hg_deribit_state *hg_deribit_state_get(hg_deribit *d, uint32_t id) {
    if (id >= d->state_count) {
        uint32_t count = id + 64;
        hg_deribit_state **bigger = realloc(d->states, count * sizeof(void *));
        if (!bigger) {
            return NULL;
        }
        for (uint32_t i = d->state_count; i < count; i++) bigger[i] = NULL;
        d->states = bigger;
        d->state_count = count;
    }
    if (!d->states[id]) {
        d->states[id] = calloc(1, sizeof **d->states);
    }
    return d->states[id];
}

// --- messages -----------------------------------------------------------------------------------

static bool starts(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int channel_take(hg_deribit *d, const char *channel, const cJSON *data) {
    if (starts(channel, "ticker.")) {
        return hg_deribit_ticker(d, data, false);
    }
    if (starts(channel, "incremental_ticker.")) {
        return hg_deribit_ticker(d, data, true);
    }
    if (starts(channel, "quote.")) {
        return hg_deribit_quote(d, data);
    }
    if (starts(channel, "book.")) {
        return hg_deribit_book(d, data);
    }
    if (starts(channel, "trades.")) {
        return hg_deribit_trades(d, data);
    }
    if (starts(channel, "deribit_price_index.") || starts(channel, "estimated_expiration_price.")) {
        return hg_deribit_index(d, data);
    }
    if (starts(channel, "perpetual.")) {
        return hg_deribit_perpetual(d, data, channel);
    }
    if (starts(channel, "markprice.options.")) {
        return hg_deribit_marks(d, data);
    }
    d->im.report->skipped++;
    return HG_OK;
}

/* The time a message carries: of the data, or of its first element. */
static bool message_time(const cJSON *data, int64_t *time_ns) {
    const cJSON *first = cJSON_IsArray(data) ? data->child : data;
    int64_t ms = 0;
    if (!hg_import_id(first, "timestamp", &ms) || ms > INT64_MAX / HG_NS_PER_MS) {
        return false;
    }
    *time_ns = ms * HG_NS_PER_MS;
    return true;
}

static hg_import_reason clock_set(hg_deribit *d, int64_t time_ns) {
    if (time_ns < d->now_ns - BACKWARDS_MAX_NS) {
        return HG_IMPORT_TIME;
    }
    d->now_ns = time_ns > d->now_ns ? time_ns : d->now_ns;
    return HG_IMPORT_REASONS;
}

/* `time_ns` < 0: the message's own time counts. */
static int message_take(hg_deribit *d, const cJSON *message, int64_t time_ns) {
    const char *method = hg_import_text(message, "method");
    const cJSON *params = hg_import_get(message, "params");
    const cJSON *data = hg_import_get(params, "data");
    const char *channel = hg_import_text(params, "channel");
    if (!method || strcmp(method, "subscription") != 0) {
        const cJSON *result = hg_import_get(message, "result");
        d->im.report->skipped++;
        return hg_deribit_terms_read(&d->terms, result);
    }
    if (!channel || !data) {
        hg_import_reject(&d->im, HG_IMPORT_MALFORMED);
        return HG_OK;
    }
    bool timed = time_ns >= 0 || message_time(data, &time_ns);
    if (!timed && starts(channel, "estimated_expiration_price.")) {
        time_ns = d->now_ns; /* the only channel without a time */
        timed = time_ns > 0;
    }
    hg_import_reason why = timed ? clock_set(d, time_ns) : HG_IMPORT_MALFORMED;
    if (why != HG_IMPORT_REASONS) {
        hg_import_reject(&d->im, why);
        return HG_OK;
    }
    return channel_take(d, channel, data);
}

// --- cryptofeed captures ------------------------------------------------------------------------

static int header_take(hg_deribit *d, const cJSON *frame) {
    const char *exchange = hg_import_text(frame, "exchange");
    if (!exchange || strcmp(exchange, "DERIBIT") != 0) {
        return HG_ERR(HG_EDATA, "%s: line 1: a capture of %.32s, not of Deribit",
                      hg_text_input_name(d->im.input), exchange ? exchange : "another exchange");
    }
    d->im.report->skipped++;
    return HG_OK;
}

static int frame_take(hg_deribit *d, const cJSON *frame, const char *type) {
    if (strcmp(type, "header") == 0) {
        return header_take(d, frame);
    }
    const char *data = hg_import_text(frame, "data");
    bool http = strcmp(type, "http") == 0;
    if (!data || (!http && strcmp(type, "recv") != 0)) {
        d->im.report->skipped++;
        return HG_OK;
    }
    double seconds = 0;
    cJSON *message = hg_import_json(data, strlen(data));
    int rc = HG_OK;
    if (!message || !hg_import_double(frame, "ts", &seconds) || seconds < 0 || seconds > 9e9) {
        hg_import_reject(&d->im, HG_IMPORT_MALFORMED);
    } else if (http) {
        d->im.report->skipped++;
        rc = hg_deribit_terms_read(&d->terms, hg_import_get(message, "result"));
    } else {
        rc = message_take(d, message, (int64_t)llrint(seconds * 1e6) * HG_NS_PER_US);
    }
    cJSON_Delete(message);
    return rc;
}

// --- lines --------------------------------------------------------------------------------------

static int document_take(hg_deribit *d, const char *text, size_t len) {
    cJSON *json = hg_import_json(text, len);
    const char *type = hg_import_text(json, "t");
    int rc = HG_OK;
    if (!cJSON_IsObject(json)) {
        hg_import_reject(&d->im, HG_IMPORT_MALFORMED);
    } else if (type) {
        rc = frame_take(d, json, type);
    } else {
        rc = message_take(d, json, -1);
    }
    cJSON_Delete(json);
    return rc;
}

/* A message printed over many lines starts with a line "{" and ends with a line "}". */
static int joined_add(hg_deribit *d, const char *line, size_t len) {
    if (d->joined_len + len + 2 > HG_TEXT_LINE_MAX) {
        return HG_ERR(HG_EDATA, "%s: line %llu: a document longer than 16 MiB",
                      hg_text_input_name(d->im.input),
                      (unsigned long long)hg_text_input_number(d->im.input));
    }
    if (!d->joined) {
        d->joined = malloc(HG_TEXT_LINE_MAX);
        if (!d->joined) {
            return HG_ERR(HG_ENOMEM, "a document of 16 MiB");
        }
    }
    memcpy(d->joined + d->joined_len, line, len);
    d->joined_len += len;
    d->joined[d->joined_len] = '\0';
    return HG_OK;
}

static int line_take(hg_deribit *d, const char *line, size_t len) {
    bool opens = len == 1 && line[0] == '{';
    if (d->joined_len == 0 && !opens) {
        if (len == 0) {
            d->im.report->skipped++;
            return HG_OK;
        }
        return document_take(d, line, len);
    }
    int rc = joined_add(d, line, len);
    if (rc == HG_OK && len == 1 && line[0] == '}') {
        rc = document_take(d, d->joined, d->joined_len);
        d->joined_len = 0;
    }
    return rc;
}

static void deribit_fini(hg_deribit *d) {
    for (uint32_t i = 0; i < d->state_count; i++) {
        if (d->states[i]) {
            hg_import_book_fini(&d->states[i]->book);
            free(d->states[i]);
        }
    }
    free(d->states);
    free(d->joined);
    hg_import_terms_fini(&d->terms);
}

int hg_import_deribit_ws(hg_text_input *input, const hg_import_options *options,
                         hg_universe *universe, hg_import_sink *sink, hg_import_report *report) {
    hg_deribit d = {
        .im = {input, options, universe, sink, report, {0}, false}
    };
    char *line = NULL;
    size_t len = 0;
    int rc = HG_OK;
    while (rc == HG_OK && (rc = hg_import_line(&d.im, &line, &len)) > 0) {
        rc = line_take(&d, line, len);
    }
    if (rc == HG_OK && d.joined_len > 0) {
        hg_import_reject(&d.im, HG_IMPORT_MALFORMED);
    }
    deribit_fini(&d);
    return rc;
}
