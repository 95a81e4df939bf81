/* quotes-csv: one quote a row, `ts_ns,instrument,bid,ask,bid_size,ask_size` in any order, with
 * optional columns mark, iv, index and forward that become events of the same update. */
#include "venue/import_int.h"

#include "base/assert.h"

#include <string.h>

enum { TS, INSTRUMENT, BID, ASK, BID_SIZE, ASK_SIZE, MARK, IV, INDEX, FORWARD, NAMES };

static const char *const names[] = {"ts_ns",    "instrument", "bid",  "ask",
                                    "bid_size", "ask_size",   "mark", "iv",
                                    "index",    "forward",    NULL};

typedef struct {
    hg_import im;
    hg_csv csv;
    uint32_t id; /* of `name`: rows of one instrument often follow each other */
    char name[HG_NAME_MAX];
} quotes;

typedef struct {
    int64_t time_ns;
    uint32_t id;
    hg_import_side bid, ask;
    hg_nano extra[NAMES]; /* mark .. forward, 0 = not given */
} row;

/* Number in a column; absent when empty. False: not a number. */
static bool number(const quotes *q, int name, hg_nano *value, bool *given) {
    hg_csv_field f = hg_csv_get(&q->csv, name);
    *given = f.len > 0;
    return !*given || hg_import_nano(f.text, f.len, value);
}

/* An empty price is an absent side, whatever its size. */
static hg_import_reason side(const quotes *q, const hg_instrument *inst, int price, int size,
                             hg_import_side *out) {
    hg_nano p = 0;
    hg_nano s = 0;
    bool has_price = false;
    bool has_size = false;
    if (!number(q, price, &p, &has_price) || !number(q, size, &s, &has_size)) {
        return HG_IMPORT_NUMBER;
    }
    return has_price ? hg_import_side_make(inst, p, s, out) : HG_IMPORT_REASONS;
}

static uint32_t instrument(quotes *q) {
    hg_csv_field f = hg_csv_get(&q->csv, INSTRUMENT);
    if (f.len >= sizeof q->name) {
        return HG_ID_NONE;
    }
    if (strcmp(f.text, q->name) != 0 || q->id == HG_ID_NONE) {
        memcpy(q->name, f.text, f.len + 1);
        q->id = hg_import_instrument(&q->im, q->name);
    }
    return q->id;
}

static hg_import_reason extras(const quotes *q, row *r) {
    for (int i = MARK; i <= FORWARD; i++) {
        bool given = false;
        if (!number(q, i, &r->extra[i], &given)) {
            return HG_IMPORT_NUMBER;
        }
        if (given && (r->extra[i] < 0 || (r->extra[i] == 0 && i != MARK))) {
            return HG_IMPORT_NOT_POSITIVE;
        }
    }
    return HG_IMPORT_REASONS;
}

static hg_import_reason row_read(quotes *q, row *r) {
    hg_csv_field ts = hg_csv_get(&q->csv, TS);
    if (!hg_import_integer(ts.text, ts.len, &r->time_ns)) {
        return HG_IMPORT_NUMBER;
    }
    if (q->im.report->events > 0 && r->time_ns < q->im.report->end_ns) {
        return HG_IMPORT_TIME;
    }
    r->id = instrument(q);
    if (r->id == HG_ID_NONE) {
        return HG_IMPORT_INSTRUMENT;
    }
    const hg_instrument *inst = hg_universe_get(q->im.universe, r->id);
    if (inst->expiry_ns > 0 && r->time_ns >= inst->expiry_ns) {
        return HG_IMPORT_EXPIRED;
    }
    hg_import_reason why = side(q, inst, BID, BID_SIZE, &r->bid);
    if (why == HG_IMPORT_REASONS) {
        why = side(q, inst, ASK, ASK_SIZE, &r->ask);
    }
    if (why == HG_IMPORT_REASONS) {
        why = extras(q, r);
    }
    bool both = r->bid.size > 0 && r->ask.size > 0;
    return why == HG_IMPORT_REASONS && both && r->bid.price >= r->ask.price ? HG_IMPORT_CROSSED
                                                                            : why;
}

static int value_emit(quotes *q, const row *r, hg_event_kind kind, uint32_t id, hg_nano value) {
    hg_event ev = {.time_ns = r->time_ns, .kind = (uint8_t)kind, .id = id};
    ev.price.value = value;
    return value > 0 && id != HG_ID_NONE ? hg_import_add(&q->im, &ev) : HG_OK;
}

static int row_emit(quotes *q, const row *r) {
    const hg_instrument *inst = hg_universe_get(q->im.universe, r->id);
    int rc = value_emit(q, r, HG_EV_INDEX, inst->underlying_id, r->extra[INDEX]);
    if (rc == HG_OK) {
        rc = value_emit(q, r, HG_EV_FORWARD, inst->expiry_id, r->extra[FORWARD]);
    }
    hg_event ev = {.time_ns = r->time_ns, .kind = HG_EV_MARK, .id = r->id};
    ev.mark.price = r->extra[MARK];
    ev.mark.iv = r->extra[IV];
    if (rc == HG_OK && hg_csv_get(&q->csv, MARK).len > 0) {
        rc = hg_import_add(&q->im, &ev);
    }
    ev = (hg_event){.time_ns = r->time_ns, .kind = HG_EV_QUOTE, .id = r->id};
    ev.quote.bid = r->bid.price;
    ev.quote.ask = r->ask.price;
    ev.quote.bid_size = r->bid.size;
    ev.quote.ask_size = r->ask.size;
    if (rc == HG_OK) {
        rc = hg_import_add(&q->im, &ev);
    }
    return rc < 0 ? rc : hg_import_close(&q->im);
}

static int line_take(quotes *q, char *line, size_t len) {
    if (len == 0) {
        q->im.report->skipped++;
        return HG_OK;
    }
    row r = {0};
    hg_import_reason why = hg_csv_row(&q->csv, line, len) ? row_read(q, &r) : HG_IMPORT_MALFORMED;
    if (why != HG_IMPORT_REASONS) {
        hg_import_reject(&q->im, why);
        return HG_OK;
    }
    q->im.report->used++;
    return row_emit(q, &r);
}

int hg_import_quotes_csv(hg_text_input *input, const hg_import_options *options,
                         hg_universe *universe, hg_import_sink *sink, hg_import_report *report) {
    quotes q = {
        .im = {input, options, universe, sink, report, {0}, false},
          .id = HG_ID_NONE
    };
    int rc = hg_csv_header(&q.csv, &q.im, names, MARK);
    if (rc < 0) {
        return rc;
    }
    char *line = NULL;
    size_t len = 0;
    while ((rc = hg_import_line(&q.im, &line, &len)) > 0) {
        rc = line_take(&q, line, len);
        if (rc < 0) {
            return rc;
        }
    }
    return rc;
}
