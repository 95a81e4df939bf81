/* deribit-chain: sweeps of an option chain as CSV. Each sweep becomes one batch of events; what
 * happens between two sweeps is made up by import_bridge.c, or nothing.
 *
 * The file says nothing about sizes and perpetuals: option quotes get a nominal size, and a
 * synthetic perpetual is quoted around the index. Both can be set by options. */
#include "venue/import_chain_int.h"

#include "base/assert.h"
#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TS, INSTRUMENT, INDEX, FORWARD, BID, ASK, MARK, IV, NAMES };

static const char *const names[] = {"ts_ms", "instrument", "index",   "underlying", "bid",
                                    "ask",   "mark",       "mark_iv", NULL};

// --- growing with the universe ------------------------------------------------------------------

static int grow(void *array, uint32_t have, uint32_t want, size_t item_size) {
    void **slot = array;
    unsigned char *bigger = realloc(*slot, want * item_size);
    if (!bigger) {
        return HG_ERR(HG_ENOMEM, "a chain of %u instruments", want);
    }
    memset(bigger + have * item_size, 0, (want - have) * item_size);
    *slot = bigger;
    return HG_OK;
}

static int listed_reserve(hg_chain *c) {
    uint32_t count = hg_universe_count(c->im.universe);
    if (count <= c->listed_count) {
        return HG_OK;
    }
    uint32_t want = count < 2 * c->listed_count ? 2 * c->listed_count : count + 64;
    int rc = grow(&c->listed, c->listed_count, want, sizeof *c->listed);
    if (rc == HG_OK) rc = grow(&c->swept, c->listed_count, want, sizeof *c->swept);
    if (rc == HG_OK) c->listed_count = want;
    return rc;
}

/* COIN-PERPETUAL, or the linear one where the coin has no inverse contracts. */
static uint32_t perpetual_find(hg_chain *c, uint32_t underlying) {
    char name[HG_NAME_MAX];
    const char *coin = hg_universe_underlying(c->im.universe, underlying)->name;
    snprintf(name, sizeof name, "%s-PERPETUAL", coin);
    uint32_t id = hg_import_instrument(&c->im, name);
    if (id == HG_ID_NONE) {
        snprintf(name, sizeof name, "%s_USDC-PERPETUAL",
                 hg_universe_underlying(c->im.universe, underlying)->name);
        id = hg_import_instrument(&c->im, name);
    }
    return id;
}

static int underlying_add(hg_chain *c, uint32_t underlying) {
    c->paths[underlying] = calloc(1, sizeof **c->paths);
    if (!c->paths[underlying]) {
        return HG_ERR(HG_ENOMEM, "the path of an index");
    }
    bool wanted = c->im.options->perpetual;
    c->perpetual[underlying] = wanted ? perpetual_find(c, underlying) : HG_ID_NONE;
    return HG_OK;
}

static int underlyings_reserve(hg_chain *c) {
    uint32_t have = c->underlyings;
    uint32_t want = hg_universe_underlying_count(c->im.universe);
    if (want == have) {
        return HG_OK;
    }
    int rc = grow(&c->perpetual, have, want, sizeof *c->perpetual);
    if (rc == HG_OK) rc = grow(&c->funded, have, want, sizeof *c->funded);
    if (rc == HG_OK) rc = grow(&c->spot, have, want, sizeof *c->spot);
    if (rc == HG_OK) rc = grow(&c->paths, have, want, sizeof *c->paths);
    if (rc < 0) {
        return rc;
    }
    c->underlyings = want;
    for (uint32_t u = have; rc == HG_OK && u < want; u++) rc = underlying_add(c, u);
    return rc;
}

// --- events -------------------------------------------------------------------------------------

/* Venues give index and forward to 2..4 decimals. Always above zero and within range. */
static hg_nano price_nano(double price) {
    return (hg_nano)llrint(fmin(fmax(price, 1e-4), 1e9) * 1e4) * 100000;
}

static int value_emit(hg_chain *c, hg_event_kind kind, uint32_t id, int64_t time_ns,
                      hg_nano value) {
    hg_event ev = {.time_ns = time_ns, .kind = (uint8_t)kind, .id = id};
    ev.price.value = value;
    return hg_import_add(&c->im, &ev);
}

int hg_chain_emit_mark(hg_chain *c, uint32_t id, int64_t time_ns, hg_nano price, hg_nano iv) {
    hg_event ev = {.time_ns = time_ns, .kind = HG_EV_MARK, .id = id};
    ev.mark.price = price;
    ev.mark.iv = iv;
    return hg_import_add(&c->im, &ev);
}

int hg_chain_emit_forward(hg_chain *c, uint32_t expiry, int64_t time_ns, double forward) {
    return value_emit(c, HG_EV_FORWARD, expiry, time_ns, price_nano(forward));
}

/* Amount units of the perpetual that are worth so many USD, in whole lots. */
static hg_lots perpetual_size(const hg_instrument *inst, double usd, double index) {
    double amount = inst->inverse ? usd : usd / index;
    return (hg_lots)fmax(1, floor(fmin(amount * 1e9, 9e18) / (double)inst->lot));
}

static int perpetual_emit(hg_chain *c, uint32_t underlying, int64_t time_ns, double index) {
    uint32_t id = c->perpetual[underlying];
    if (id == HG_ID_NONE) {
        return HG_OK;
    }
    const hg_instrument *inst = hg_universe_get(c->im.universe, id);
    double half = index * c->im.options->perp_spread_bp / 2e4;
    hg_event ev = {.time_ns = time_ns, .kind = HG_EV_QUOTE, .id = id};
    ev.quote.bid = hg_price_round(inst, index - half, -1);
    ev.quote.ask = hg_price_round(inst, index + half, 1);
    if (ev.quote.ask <= ev.quote.bid) {
        ev.quote.ask = ev.quote.bid + hg_instrument_step(inst, ev.quote.bid);
    }
    ev.quote.ask_size = perpetual_size(inst, c->im.options->perp_size_usd, index);
    ev.quote.bid_size = ev.quote.bid > 0 ? ev.quote.ask_size : 0;
    int rc = HG_OK;
    if (!c->funded[underlying]) {
        c->funded[underlying] = true;
        rc = value_emit(c, HG_EV_FUNDING, id, time_ns, 0);
    }
    if (rc == HG_OK) rc = hg_chain_emit_mark(c, id, time_ns, price_nano(index), 0);
    return rc < 0 ? rc : hg_import_add(&c->im, &ev);
}

int hg_chain_emit_index(hg_chain *c, uint32_t underlying, int64_t time_ns, double index) {
    int rc = value_emit(c, HG_EV_INDEX, underlying, time_ns, price_nano(index));
    return rc < 0 ? rc : perpetual_emit(c, underlying, time_ns, index);
}

int hg_chain_emit_quote(hg_chain *c, const hg_chain_row *row, int64_t time_ns) {
    const hg_instrument *inst = hg_universe_get(c->im.universe, row->id);
    double lots = floor(c->im.options->quote_size * 1e9 / (double)inst->lot + 1e-6);
    hg_lots size = (hg_lots)fmax(1, lots);
    hg_event ev = {.time_ns = time_ns, .kind = HG_EV_QUOTE, .id = row->id};
    ev.quote.bid = row->bid_now;
    ev.quote.ask = row->ask_now;
    ev.quote.bid_size = row->bid_now > 0 ? size : 0;
    ev.quote.ask_size = row->ask_now > 0 ? size : 0;
    return hg_import_add(&c->im, &ev);
}

static int row_emit(hg_chain *c, hg_chain_row *row, int64_t time_ns) {
    c->listed[row->id] = 1;
    row->bid_now = row->bid;
    row->ask_now = row->ask;
    int rc = row->mark < 0 ? HG_OK : hg_chain_emit_mark(c, row->id, time_ns, row->mark, row->iv);
    return rc < 0 ? rc : hg_chain_emit_quote(c, row, time_ns);
}

int hg_chain_emit_sweep(hg_chain *c) {
    hg_chain_sweep *s = &c->next;
    int rc = HG_OK;
    for (uint32_t u = 0; rc == HG_OK && u < s->underlyings; u++) {
        if (s->index[u] > 0) {
            hg_chain_path_push(c, u, s->time_ns, s->index[u]);
            rc = hg_chain_emit_index(c, u, s->time_ns, s->index[u]);
        }
    }
    for (uint32_t e = 0; rc == HG_OK && e < s->expiries; e++) {
        if (s->forward[e] > 0) rc = hg_chain_emit_forward(c, e, s->time_ns, s->forward[e]);
    }
    for (uint32_t i = 0; rc == HG_OK && i < s->count; i++) {
        rc = row_emit(c, &s->rows[i], s->time_ns);
    }
    c->im.report->sweeps++;
    return rc < 0 ? rc : hg_import_close(&c->im);
}

void hg_chain_path_push(hg_chain *c, uint32_t underlying, int64_t time_ns, double index) {
    hg_chain_path *path = c->paths[underlying];
    uint32_t at = path->count++ % HG_CHAIN_PATH_MAX;
    path->points[at].time_ns = time_ns;
    path->points[at].index = index;
}

// --- rows ---------------------------------------------------------------------------------------

/* What no price of a coin (USD) and no vol (a fraction) ever was. */
#define PRICE_MAX (INT64_C(100000000) * HG_NANO)
#define VOL_MAX (INT64_C(100) * HG_NANO)

/* A number that may be absent (then `none`) but never negative or, unless allowed, zero. */
static hg_import_reason number(const hg_chain *c, int name, hg_nano none, bool zero, hg_nano *out) {
    hg_csv_field f = hg_csv_get(&c->csv, name);
    *out = none;
    if (f.len == 0) {
        return HG_IMPORT_REASONS;
    }
    if (!hg_import_nano(f.text, f.len, out) || *out > (name == IV ? VOL_MAX : PRICE_MAX)) {
        return HG_IMPORT_NUMBER;
    }
    return *out < 0 || (*out == 0 && !zero) ? HG_IMPORT_NOT_POSITIVE : HG_IMPORT_REASONS;
}

static hg_import_reason price(const hg_chain *c, const hg_instrument *inst, int name,
                              hg_ticks *out) {
    hg_nano value = 0;
    hg_import_reason why = number(c, name, 0, false, &value);
    if (why != HG_IMPORT_REASONS || value == 0) {
        return why;
    }
    return hg_price_from_nano(inst, value, out) ? HG_IMPORT_REASONS : HG_IMPORT_OFF_TICK;
}

static hg_import_reason instrument(hg_chain *c, int64_t time_ns, uint32_t *id) {
    hg_csv_field f = hg_csv_get(&c->csv, INSTRUMENT);
    *id = f.len > 0 && f.len < HG_NAME_MAX ? hg_import_instrument(&c->im, f.text) : HG_ID_NONE;
    if (*id == HG_ID_NONE) {
        return HG_IMPORT_INSTRUMENT;
    }
    const hg_instrument *inst = hg_universe_get(c->im.universe, *id);
    if (inst->kind != HG_KIND_OPTION) {
        return HG_IMPORT_INSTRUMENT;
    }
    return time_ns >= inst->expiry_ns ? HG_IMPORT_EXPIRED : HG_IMPORT_REASONS;
}

static hg_import_reason row_read(hg_chain *c, hg_chain_row *row, int64_t *time_ns) {
    hg_csv_field ts = hg_csv_get(&c->csv, TS);
    int64_t ms = 0;
    if (!hg_import_integer(ts.text, ts.len, &ms) || ms > INT64_MAX / HG_NS_PER_MS) {
        return HG_IMPORT_NUMBER;
    }
    *time_ns = ms * HG_NS_PER_MS;
    if (*time_ns < c->next.time_ns) {
        return HG_IMPORT_TIME;
    }
    hg_import_reason why = instrument(c, *time_ns, &row->id);
    if (why != HG_IMPORT_REASONS) {
        return why;
    }
    const hg_instrument *inst = hg_universe_get(c->im.universe, row->id);
    why = number(c, INDEX, 0, false, &row->index);
    if (why == HG_IMPORT_REASONS) why = number(c, FORWARD, 0, false, &row->forward);
    if (why == HG_IMPORT_REASONS) why = number(c, MARK, -1, true, &row->mark);
    if (why == HG_IMPORT_REASONS) why = number(c, IV, 0, true, &row->iv);
    if (why == HG_IMPORT_REASONS) why = price(c, inst, BID, &row->bid);
    if (why == HG_IMPORT_REASONS) why = price(c, inst, ASK, &row->ask);
    bool both = row->bid > 0 && row->ask > 0;
    return why == HG_IMPORT_REASONS && both && row->bid >= row->ask ? HG_IMPORT_CROSSED : why;
}

/* The sweep being read is complete: fill the time since the one before, then write it. */
static int sweep_end(hg_chain *c) {
    if (c->next.count == 0) {
        return HG_OK;
    }
    int rc = underlyings_reserve(c);
    if (rc == HG_OK) rc = listed_reserve(c);
    if (rc == HG_OK) rc = hg_chain_sweep_complete(&c->next, c->im.universe);
    if (rc == HG_OK && c->prev.count > 0) rc = hg_chain_bridge(c);
    if (rc == HG_OK) rc = hg_chain_emit_sweep(c);
    hg_chain_sweep old = c->prev;
    c->prev = c->next;
    c->next = old;
    hg_chain_sweep_clear(&c->next);
    c->next.time_ns = c->prev.time_ns;
    return rc;
}

static int row_take(hg_chain *c, char *line, size_t len) {
    hg_chain_row row = {0};
    int64_t time_ns = 0;
    hg_import_reason why = hg_csv_row(&c->csv, line, len) ? row_read(c, &row, &time_ns)
                                                          : HG_IMPORT_MALFORMED;
    /* Times of rows that are no good otherwise do not start a sweep. */
    if (why == HG_IMPORT_REASONS && time_ns == c->prev.time_ns && c->im.report->sweeps > 0) {
        why = HG_IMPORT_TIME;
    }
    if (why != HG_IMPORT_REASONS) {
        hg_import_reject(&c->im, why);
        return HG_OK;
    }
    int rc = time_ns > c->next.time_ns ? sweep_end(c) : HG_OK;
    if (rc == HG_OK) rc = listed_reserve(c);
    if (rc < 0) {
        return rc;
    }
    c->next.time_ns = time_ns;
    uint64_t sweep = c->im.report->sweeps + 1;
    if (c->swept[row.id] == sweep) {
        hg_import_reject(&c->im, HG_IMPORT_DUPLICATE);
        return HG_OK;
    }
    c->swept[row.id] = sweep;
    c->im.report->used++;
    return hg_chain_sweep_push(&c->next, &row);
}

static void chain_fini(hg_chain *c) {
    hg_chain_sweep_fini(&c->prev);
    hg_chain_sweep_fini(&c->next);
    for (uint32_t u = 0; u < c->underlyings; u++) free(c->paths[u]);
    free(c->paths);
    free(c->spot);
    free(c->funded);
    free(c->perpetual);
    free(c->listed);
    free(c->swept);
}

static int chain_read(hg_chain *c) {
    int rc = hg_csv_header(&c->csv, &c->im, names, NAMES);
    char *line = NULL;
    size_t len = 0;
    while (rc == HG_OK && (rc = hg_import_line(&c->im, &line, &len)) > 0) {
        rc = len > 0 ? row_take(c, line, len) : HG_OK;
    }
    return rc < 0 ? rc : sweep_end(c);
}

int hg_import_deribit_chain(hg_text_input *input, const hg_import_options *options,
                            hg_universe *universe, hg_import_sink *sink, hg_import_report *report) {
    hg_chain c = {
        .im = {input, options, universe, sink, report, {0}, false}
    };
    hg_rng_init(&c.rng, options->seed, 0x6272);
    int rc = chain_read(&c);
    chain_fini(&c);
    return rc;
}
