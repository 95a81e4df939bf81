/* binance-l2: raw captures of diff depth, bookTicker and trade streams of USD-M, COIN-M and spot,
 * each line `recv_ns JSON`, or a capture of cryptofeed v3 (one JSON object per line).
 *
 * Event times are those of reception: the streams of one capture have no common clock else. */
#include "venue/import_binance_int.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Reception times of one capture may go back by scheduling noise, not more. */
#define BACKWARDS_MAX_NS HG_NS_PER_S

// --- quotes and trades --------------------------------------------------------------------------

static hg_import_reason side_read(const hg_binance *b, const hg_binance_symbol *s,
                                  const cJSON *data, const char *price, const char *size,
                                  hg_import_side *out) {
    hg_nano p = 0;
    hg_nano q = 0;
    if (!hg_import_decimal(hg_import_get(data, price), &p) ||
        !hg_import_decimal(hg_import_get(data, size), &q) || !hg_muldiv(q, s->unit, HG_NANO, &q)) {
        return HG_IMPORT_NUMBER;
    }
    if (p == 0 && q == 0) {
        return HG_IMPORT_REASONS; /* an empty side */
    }
    return hg_import_side_make(hg_universe_get(b->im.universe, s->id), p, q, out);
}

static int quote_take(hg_binance *b, hg_binance_symbol *s, const cJSON *data) {
    hg_import_side bid = {0};
    hg_import_side ask = {0};
    hg_import_reason why = side_read(b, s, data, "b", "B", &bid);
    if (why == HG_IMPORT_REASONS) why = side_read(b, s, data, "a", "A", &ask);
    bool both = bid.size > 0 && ask.size > 0;
    if (why == HG_IMPORT_REASONS && both && bid.price >= ask.price) why = HG_IMPORT_CROSSED;
    if (why != HG_IMPORT_REASONS) {
        hg_import_reject(&b->im, why);
        return HG_OK;
    }
    hg_event ev = {.time_ns = b->now_ns, .id = s->id, .kind = HG_EV_QUOTE};
    ev.quote.bid = bid.price;
    ev.quote.ask = ask.price;
    ev.quote.bid_size = bid.size;
    ev.quote.ask_size = ask.size;
    b->im.report->used++;
    int rc = hg_import_add(&b->im, &ev);
    return rc < 0 ? rc : hg_import_close(&b->im);
}

static int trade_take(hg_binance *b, hg_binance_symbol *s, const cJSON *data) {
    hg_import_side t = {0};
    hg_import_reason why = side_read(b, s, data, "p", "q", &t);
    const cJSON *maker = hg_import_get(data, "m");
    if (why == HG_IMPORT_REASONS && t.size == 0) why = HG_IMPORT_NOT_POSITIVE;
    if (why == HG_IMPORT_REASONS && !cJSON_IsBool(maker)) why = HG_IMPORT_MALFORMED;
    if (why != HG_IMPORT_REASONS) {
        hg_import_reject(&b->im, why);
        return HG_OK;
    }
    hg_event ev = {.time_ns = b->now_ns, .id = s->id, .kind = HG_EV_TRADE};
    ev.side = cJSON_IsTrue(maker) ? HG_SELL : HG_BUY; /* the buyer was the maker: the taker sold */
    ev.level.price = t.price;
    ev.level.size = t.size;
    b->im.report->used++;
    int rc = hg_import_add(&b->im, &ev);
    return rc < 0 ? rc : hg_import_close(&b->im);
}

// --- messages -----------------------------------------------------------------------------------

static int event_take(hg_binance *b, const cJSON *data, const char *event) {
    const char *name = hg_import_text(data, "s");
    hg_binance_symbol *s = name ? hg_binance_symbol_get(b, data, name) : NULL;
    if (!s) {
        hg_import_reject(&b->im, name ? HG_IMPORT_INSTRUMENT : HG_IMPORT_MALFORMED);
        return HG_OK;
    }
    if (strcmp(event, "depthUpdate") == 0) {
        return hg_binance_diff(b, s, data);
    }
    return strcmp(event, "bookTicker") == 0 ? quote_take(b, s, data) : trade_take(b, s, data);
}

static bool event_wanted(const char *event) {
    return strcmp(event, "depthUpdate") == 0 || strcmp(event, "bookTicker") == 0 ||
           strcmp(event, "trade") == 0 || strcmp(event, "aggTrade") == 0;
}

/* A REST reply that does not say whose it is belongs to the only symbol there is. */
static hg_binance_symbol *snapshot_symbol(hg_binance *b, const cJSON *reply, const char *name) {
    const char *own = hg_import_text(reply, "symbol");
    name = own ? own : name;
    if (name) {
        return hg_binance_symbol_get(b, reply, name);
    }
    return b->symbol_count == 1 ? b->symbols[0] : NULL;
}

static int message_take(hg_binance *b, const cJSON *message) {
    if (hg_import_get(message, "lastUpdateId")) {
        hg_binance_symbol *s = snapshot_symbol(b, message, NULL);
        if (!s) {
            hg_import_reject(&b->im, HG_IMPORT_INSTRUMENT);
            return HG_OK;
        }
        return hg_binance_snapshot_take(b, s, message);
    }
    const cJSON *data = hg_import_get(message, "data");
    data = data ? data : message;
    const char *event = hg_import_text(data, "e");
    if (!event && hg_import_get(data, "b") && hg_import_get(data, "B")) {
        event = "bookTicker"; /* spot leaves the name out */
    }
    if (!event || !event_wanted(event)) {
        b->im.report->skipped++;
        return HG_OK;
    }
    return event_take(b, data, event);
}

/* Moves the clock of the events; false when the time cannot be. */
static bool clock_set(hg_binance *b, int64_t time_ns) {
    if (time_ns < b->now_ns - BACKWARDS_MAX_NS) {
        return false;
    }
    b->now_ns = time_ns > b->now_ns ? time_ns : b->now_ns;
    return true;
}

// --- cryptofeed captures ------------------------------------------------------------------------

static int snapshots_due(hg_binance *b, int64_t time_ns) {
    int kept = 0;
    int rc = HG_OK;
    for (int i = 0; i < b->snapshot_count; i++) {
        hg_binance_snapshot *s = &b->snapshots[i];
        if (rc < 0 || s->time_ns > time_ns) {
            b->snapshots[kept++] = *s;
            continue;
        }
        if (clock_set(b, s->time_ns)) {
            rc = hg_binance_snapshot_take(b, s->of, s->reply);
        }
        cJSON_Delete(s->reply);
    }
    b->snapshot_count = kept;
    return rc;
}

/* ...depth?symbol=BTCUSDT&limit=1000 */
static void url_symbol(const char *url, char out[HG_NAME_MAX]) {
    const char *at = strstr(url, "symbol=");
    at = at ? at + 7 : "";
    size_t len = strcspn(at, "&");
    len = len < HG_NAME_MAX ? len : 0;
    memcpy(out, at, len);
    out[len] = '\0';
}

/* Takes the reply. */
static int http_take(hg_binance *b, const cJSON *frame, cJSON *reply, int64_t time_ns) {
    int rc = HG_OK;
    if (hg_import_get(reply, "symbols")) {
        rc = hg_binance_terms_read(&b->terms, reply, b->framed_market);
        b->im.report->skipped++;
    } else if (hg_import_get(reply, "lastUpdateId") &&
               b->snapshot_count < HG_BINANCE_SNAPSHOTS_MAX) {
        char name[HG_NAME_MAX];
        const char *url = hg_import_text(frame, "url");
        url_symbol(url ? url : "", name);
        hg_binance_symbol *s = snapshot_symbol(b, reply, name[0] ? name : NULL);
        if (s) {
            b->snapshots[b->snapshot_count++] = (hg_binance_snapshot){time_ns, s, reply};
            return HG_OK;
        }
        hg_import_reject(&b->im, HG_IMPORT_INSTRUMENT);
    } else {
        b->im.report->skipped++;
    }
    cJSON_Delete(reply);
    return rc;
}

static int header_take(hg_binance *b, const cJSON *frame) {
    const char *exchange = hg_import_text(frame, "exchange");
    if (!exchange || strncmp(exchange, "BINANCE", 7) != 0) {
        return HG_ERR(HG_EDATA, "%s: line 1: a capture of %.32s, not of Binance",
                      hg_text_input_name(b->im.input), exchange ? exchange : "another exchange");
    }
    b->framed = true;
    b->framed_market = strstr(exchange, "DELIVERY")  ? HG_BINANCE_COINM
                       : strstr(exchange, "FUTURES") ? HG_BINANCE_USDM
                                                     : HG_BINANCE_SPOT;
    b->im.report->skipped++;
    return HG_OK;
}

static int frame_take(hg_binance *b, const cJSON *frame) {
    const char *type = hg_import_text(frame, "t");
    const char *data = hg_import_text(frame, "data");
    double seconds = 0;
    if (type && strcmp(type, "header") == 0) {
        return header_take(b, frame);
    }
    bool http = type && strcmp(type, "http") == 0;
    bool recv = type && strcmp(type, "recv") == 0;
    if (!b->framed || !data || (!http && !recv)) {
        b->im.report->skipped++;
        return HG_OK;
    }
    cJSON *message = hg_import_json(data, strlen(data));
    if (!message || !hg_import_double(frame, "ts", &seconds) || seconds < 0 || seconds > 9e9) {
        hg_import_reject(&b->im, HG_IMPORT_MALFORMED);
        cJSON_Delete(message);
        return HG_OK;
    }
    int64_t time_ns = (int64_t)llrint(seconds * 1e6) * HG_NS_PER_US;
    if (http) {
        return http_take(b, frame, message, time_ns);
    }
    int rc = snapshots_due(b, time_ns);
    if (rc == HG_OK && !clock_set(b, time_ns)) {
        hg_import_reject(&b->im, HG_IMPORT_TIME);
    } else if (rc == HG_OK) {
        rc = message_take(b, message);
    }
    cJSON_Delete(message);
    return rc;
}

// --- lines --------------------------------------------------------------------------------------

static int line_take(hg_binance *b, const char *line, size_t len) {
    if (len == 0) {
        b->im.report->skipped++;
        return HG_OK;
    }
    const char *space = line[0] == '{' ? NULL : memchr(line, ' ', len < 21 ? len : 21);
    const char *text = space ? space + 1 : line;
    int64_t time_ns = 0;
    cJSON *json = hg_import_json(text, len - (size_t)(text - line));
    bool stamped = space && hg_import_integer(line, (size_t)(space - line), &time_ns);
    int rc = HG_OK;
    if (!json || (!stamped && line[0] != '{')) {
        hg_import_reject(&b->im, HG_IMPORT_MALFORMED);
    } else if (!stamped) {
        rc = frame_take(b, json);
    } else if (!clock_set(b, time_ns)) {
        hg_import_reject(&b->im, HG_IMPORT_TIME);
    } else {
        rc = message_take(b, json);
    }
    cJSON_Delete(json);
    return rc;
}

static void binance_fini(hg_binance *b) {
    for (int i = 0; i < b->snapshot_count; i++) cJSON_Delete(b->snapshots[i].reply);
    for (int i = 0; i < b->symbol_count; i++) hg_binance_symbol_free(b->symbols[i]);
    hg_import_terms_fini(&b->terms);
    free(b);
}

int hg_import_binance_l2(hg_text_input *input, const hg_import_options *options,
                         hg_universe *universe, hg_import_sink *sink, hg_import_report *report) {
    hg_binance *b = calloc(1, sizeof *b);
    if (!b) {
        return HG_ERR(HG_ENOMEM, "import");
    }
    b->im = (hg_import){input, options, universe, sink, report, {0}, false};
    char *line = NULL;
    size_t len = 0;
    int rc = HG_OK;
    while (rc == HG_OK && (rc = hg_import_line(&b->im, &line, &len)) > 0) {
        rc = line_take(b, line, len);
    }
    if (rc == HG_OK) rc = snapshots_due(b, INT64_MAX);
    for (int i = 0; i < b->symbol_count; i++) {
        report->stale += (uint64_t)b->symbols[i]->waiting_count;
    }
    binance_fini(b);
    return rc;
}
