/* What all importers share: counting, batches, numbers, and the list of kinds. */
#include "venue/import_int.h"

#include "base/assert.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

const hg_import_kind hg_import_kinds[] = {
    {"deribit-chain", "option chain sweeps as CSV, bridged between sweeps",
     hg_import_deribit_chain                                                                     },
    {"deribit-ws",    "JSON-RPC notifications and captures of them",         hg_import_deribit_ws},
    {"binance-l2",    "raw captures of depth, quotes and trades",            hg_import_binance_l2},
    {"quotes-csv",    "ts_ns,instrument,bid,ask,bid_size,ask_size",          hg_import_quotes_csv},
    {"ohlc",          "ts_ms,open,high,low,close,volume: bars of one price", hg_import_ohlc      },
    {NULL,            NULL,                                                  NULL                },
};

const hg_import_kind *hg_import_kind_find(const char *name) {
    for (const hg_import_kind *k = hg_import_kinds; k->name; k++) {
        if (strcmp(k->name, name) == 0) {
            return k;
        }
    }
    return NULL;
}

void hg_import_options_init(hg_import_options *options) {
    *options = (hg_import_options){
        .seed = 1,
        .bridge_ns = 600 * HG_NS_PER_S,
        .remark = HG_REMARK_STICKY_STRIKE,
        .perpetual = true,
        .perp_spread_bp = 1.0,
        .perp_size_usd = 1e6,
        .quote_size = 10,
        .instrument = "BTC-PERPETUAL",
        .step_ns = 5 * HG_NS_PER_S,
        .iv = 0.8,
        .iv_spread = 0.04,
    };
}

const char *hg_import_reason_code(hg_import_reason reason) {
    static const char *const codes[] = {
#define HG_IMPORT_CODE(name, code, text) code,
        HG_IMPORT_REASON_MAP(HG_IMPORT_CODE)
#undef HG_IMPORT_CODE
    };
    hg_assert(reason < HG_IMPORT_REASONS);
    return codes[reason];
}

const char *hg_import_reason_text(hg_import_reason reason) {
    static const char *const texts[] = {
#define HG_IMPORT_TEXT(name, code, text) text,
        HG_IMPORT_REASON_MAP(HG_IMPORT_TEXT)
#undef HG_IMPORT_TEXT
    };
    hg_assert(reason < HG_IMPORT_REASONS);
    return texts[reason];
}

// --- sinks --------------------------------------------------------------------------------------

static int tape_put(hg_import_sink *sink, const hg_event *event) {
    hg_import_tape *tape = (hg_import_tape *)sink;
    return hg_tape_append(tape->writer, event);
}

void hg_import_tape_init(hg_import_tape *tape, hg_tape_writer *writer) {
    *tape = (hg_import_tape){.sink = {.put = tape_put}, .writer = writer};
}

static int emit(hg_import *im, const hg_event *event) {
    hg_import_report *r = im->report;
    hg_assert(r->events == 0 || event->time_ns >= r->end_ns);
    int rc = im->sink->put(im->sink, event);
    if (rc < 0) {
        return rc;
    }
    r->start_ns = r->events == 0 ? event->time_ns : r->start_ns;
    r->end_ns = event->time_ns;
    r->events++;
    r->kinds[event->kind]++;
    return HG_OK;
}

int hg_import_add(hg_import *im, const hg_event *event) {
    if (im->holding) {
        im->held.flags |= HG_EVF_MORE;
        int rc = emit(im, &im->held);
        if (rc < 0) {
            return rc;
        }
    }
    im->held = *event;
    im->holding = true;
    return HG_OK;
}

int hg_import_close(hg_import *im) {
    if (!im->holding) {
        return HG_OK;
    }
    im->holding = false;
    return emit(im, &im->held);
}

// --- rows ---------------------------------------------------------------------------------------

int hg_import_line(hg_import *im, char **line, size_t *len) {
    int rc = hg_text_input_line(im->input, line, len);
    if (rc <= 0) {
        return rc;
    }
    im->report->lines++;
    if (im->options->progress && im->report->lines % 8192 == 0) {
        im->options->progress(hg_text_input_offset(im->input), hg_text_input_size(im->input));
    }
    return 1;
}

void hg_import_reject(hg_import *im, hg_import_reason reason) {
    hg_assert(reason < HG_IMPORT_REASONS);
    hg_import_report *r = im->report;
    r->rejected++;
    if (r->reasons[reason].count++ == 0) {
        r->reasons[reason].first_line = hg_text_input_number(im->input);
    }
}

uint32_t hg_import_instrument(hg_import *im, const char *name) {
    uint32_t id = hg_universe_find(im->universe, name);
    if (id != HG_ID_NONE) {
        return id;
    }
    return hg_universe_add_name(im->universe, name, &id) == HG_OK ? id : HG_ID_NONE;
}

bool hg_import_integer(const char *text, size_t len, int64_t *value) {
    if (len == 0 || len > 19) {
        return false;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (digit > 9) {
            return false;
        }
        v = v * 10 + digit;
    }
    if (v > INT64_MAX) {
        return false;
    }
    *value = (int64_t)v;
    return true;
}

/* At most 18 digits, 9 of them behind the point: no overflow, no rounding. */
bool hg_import_nano(const char *text, size_t len, hg_nano *nano) {
    static const int64_t scale[10] = {1000000000, 100000000, 10000000, 1000000, 100000,
                                      10000,      1000,      100,      10,      1};
    int64_t v = 0;
    size_t i = 0;
    while (i < len && text[i] >= '0' && text[i] <= '9' && i < 9) {
        v = v * 10 + (text[i++] - '0');
    }
    size_t whole = i;
    size_t places = 0;
    if (whole > 0 && i < len && text[i] == '.') {
        for (i++; i < len && text[i] >= '0' && text[i] <= '9' && places < 9; i++, places++) {
            v = v * 10 + (text[i] - '0');
        }
    }
    if (whole == 0 || i < len) {
        return hg_nano_parse(text, len, nano);
    }
    *nano = v * scale[places];
    return true;
}

hg_import_reason hg_import_side_make(const hg_instrument *inst, hg_nano price, hg_nano size,
                                     hg_import_side *side) {
    if (price <= 0 || size <= 0) {
        return HG_IMPORT_NOT_POSITIVE;
    }
    if (!hg_price_from_nano(inst, price, &side->price)) {
        return HG_IMPORT_OFF_TICK;
    }
    if (!hg_size_from_nano(inst, size, &side->size)) {
        return HG_IMPORT_OFF_LOT;
    }
    return HG_IMPORT_REASONS;
}

// --- running ------------------------------------------------------------------------------------

static int nothing_usable(const hg_text_input *input, const hg_import_report *r) {
    char reasons[512] = "";
    size_t used = 0;
    for (int i = 0; i < HG_IMPORT_REASONS && used < sizeof reasons; i++) {
        if (r->reasons[i].count > 0) {
            int n = snprintf(reasons + used, sizeof reasons - used, "%s%s %llu (first line %llu)",
                             used > 0 ? ", " : ": ", hg_import_reason_code((hg_import_reason)i),
                             (unsigned long long)r->reasons[i].count,
                             (unsigned long long)r->reasons[i].first_line);
            used += n > 0 ? (size_t)n : 0;
        }
    }
    return HG_ERR(HG_EDATA, "%s: nothing usable in %llu lines%s", hg_text_input_name(input),
                  (unsigned long long)r->lines, reasons);
}

int hg_import_run(const hg_import_kind *kind, hg_text_input *input,
                  const hg_import_options *options, hg_universe *universe, hg_import_sink *sink,
                  hg_import_report *report) {
    *report = (hg_import_report){0};
    int rc = kind->run(input, options, universe, sink, report);
    if (rc == HG_OK && report->events == 0) {
        rc = nothing_usable(input, report);
    }
    return rc;
}
