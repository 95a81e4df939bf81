/* Order books of deribit-ws. A change is applied if and only if its prev_change_id is the change_id
 * of the message before (docs.deribit.com, book.{instrument_name}.{interval}); anything else is a
 * gap, and the book is invalid until the next snapshot. Grouped channels send the whole window each
 * time. */
#include "venue/import_deribit_int.h"

#include "base/assert.h"

#include <string.h>

typedef struct {
    uint32_t id;
    hg_deribit_state *state;
    bool snapshot;
    bool grouped;
    int64_t change_id;
    int64_t previous_id; /* -1: none */
    const cJSON *bids;
    const cJSON *asks;
} message;

/* ["change", price, amount] or, in grouped windows, [price, amount]. */
static hg_import_reason level_read(const hg_deribit *d, uint32_t id, const cJSON *entry,
                                   hg_event *ev) {
    const hg_instrument *inst = hg_universe_get(d->im.universe, id);
    const cJSON *at = cJSON_IsArray(entry) ? entry->child : NULL;
    bool gone = false;
    if (cJSON_IsString(at)) {
        gone = strcmp(at->valuestring, "delete") == 0;
        if (!gone && strcmp(at->valuestring, "new") != 0 &&
            strcmp(at->valuestring, "change") != 0) {
            return HG_IMPORT_MALFORMED;
        }
        at = at->next;
    }
    const cJSON *size = at ? at->next : NULL;
    hg_nano price_nano = 0;
    hg_nano size_nano = 0;
    if (!hg_import_decimal(at, &price_nano) || !hg_import_decimal(size, &size_nano)) {
        return HG_IMPORT_NUMBER;
    }
    if (price_nano <= 0 || size_nano < 0) {
        return HG_IMPORT_NOT_POSITIVE;
    }
    if (!hg_price_from_double(inst, at->valuedouble, &ev->level.price)) {
        return HG_IMPORT_OFF_TICK;
    }
    ev->level.size = 0;
    bool whole = gone || hg_size_from_double(inst, size->valuedouble, &ev->level.size);
    return whole ? HG_IMPORT_REASONS : HG_IMPORT_OFF_LOT;
}

/* Levels off the grid rest in books whose tick or lot was made coarser (and on the test net): those
 * alone are rejected, the message is good. */
static bool off_grid(hg_import_reason why) {
    return why == HG_IMPORT_OFF_TICK || why == HG_IMPORT_OFF_LOT;
}

static hg_import_reason levels_check(const hg_deribit *d, uint32_t id, const cJSON *side) {
    if (!cJSON_IsArray(side)) {
        return HG_IMPORT_MALFORMED;
    }
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, side) {
        hg_event ev;
        hg_import_reason why = level_read(d, id, entry, &ev);
        if (why != HG_IMPORT_REASONS && !off_grid(why)) {
            return why;
        }
    }
    return HG_IMPORT_REASONS;
}

static int levels_apply(hg_deribit *d, const message *m, const cJSON *side, hg_side which,
                        uint8_t *flags) {
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, side) {
        hg_event ev = {.time_ns = d->now_ns, .id = m->id, .kind = HG_EV_DEPTH, .flags = *flags};
        ev.side = (int8_t)which;
        hg_import_reason why = level_read(d, m->id, entry, &ev);
        if (off_grid(why)) {
            hg_import_reject(&d->im, why);
            continue;
        }
        hg_assert(why == HG_IMPORT_REASONS);
        int rc = hg_import_book_set(&d->im, &m->state->book, &ev);
        if (rc < 0) {
            return rc;
        }
        *flags = 0;
    }
    return HG_OK;
}

static int book_lost(hg_deribit *d, const message *m) {
    m->state->book_live = false;
    hg_import_book_clear(&m->state->book);
    hg_event ev = {
        .time_ns = d->now_ns, .id = m->id, .kind = HG_EV_STATUS, .flags = HG_EVF_INVALID};
    int rc = hg_import_add(&d->im, &ev);
    return rc < 0 ? rc : hg_import_close(&d->im);
}

static int book_apply(hg_deribit *d, const message *m) {
    uint8_t flags = m->snapshot ? HG_EVF_SNAPSHOT : 0;
    int rc = levels_apply(d, m, m->bids, HG_BUY, &flags);
    if (rc == HG_OK) rc = levels_apply(d, m, m->asks, HG_SELL, &flags);
    if (rc == HG_OK && flags != 0) {
        /* A snapshot without levels: the book is known to be empty. */
        hg_event ev = {.time_ns = d->now_ns, .id = m->id, .kind = HG_EV_DEPTH, .flags = flags};
        ev.side = HG_BUY;
        ev.level.price = 1;
        rc = hg_import_book_set(&d->im, &m->state->book, &ev);
    }
    if (rc == HG_OK) rc = hg_import_close(&d->im);
    if (rc < 0 || !hg_import_book_crossed(&m->state->book)) {
        return rc;
    }
    d->im.report->crossed++;
    return book_lost(d, m);
}

static bool message_read(const cJSON *data, message *m) {
    const char *type = hg_import_text(data, "type");
    m->bids = hg_import_get(data, "bids");
    m->asks = hg_import_get(data, "asks");
    m->previous_id = -1;
    const cJSON *some = m->bids && m->bids->child ? m->bids->child
                        : m->asks                 ? m->asks->child
                                                  : NULL;
    /* Before 2020-10 there was no type; the first message is the one without prev_change_id. */
    bool has_previous = hg_import_get(data, "prev_change_id") != NULL;
    m->grouped = !type && !has_previous && some && !cJSON_IsString(some->child);
    m->snapshot = type ? strcmp(type, "snapshot") == 0 : !has_previous;
    return hg_import_id(data, "change_id", &m->change_id) &&
           (!has_previous || hg_import_id(data, "prev_change_id", &m->previous_id)) &&
           (m->snapshot || has_previous);
}

static int snapshot_apply(hg_deribit *d, const message *m) {
    hg_deribit_state *s = m->state;
    if (m->grouped && s->book_raw && s->book_live) {
        d->im.report->skipped++;
        return HG_OK;
    }
    s->book_live = true;
    s->book_raw = !m->grouped;
    s->last_id = m->change_id;
    d->im.report->snapshots++;
    d->im.report->used++;
    hg_import_book_clear(&s->book);
    return book_apply(d, m);
}

static int change_apply(hg_deribit *d, const message *m) {
    hg_deribit_state *s = m->state;
    if (!s->book_live || !s->book_raw || m->change_id <= s->last_id) {
        d->im.report->stale++;
        return HG_OK;
    }
    if (m->previous_id != s->last_id) {
        d->im.report->gaps++;
        return book_lost(d, m);
    }
    s->last_id = m->change_id;
    d->im.report->used++;
    return book_apply(d, m);
}

int hg_deribit_book(hg_deribit *d, const cJSON *data) {
    message m = {0};
    const char *name = hg_import_text(data, "instrument_name");
    if (!hg_deribit_instrument(d, name, &m.id)) {
        return HG_OK;
    }
    m.state = hg_deribit_state_get(d, m.id);
    if (!m.state) {
        return HG_ERR(HG_ENOMEM, "import");
    }
    hg_import_reason why = message_read(data, &m) ? levels_check(d, m.id, m.bids)
                                                  : HG_IMPORT_MALFORMED;
    if (why == HG_IMPORT_REASONS) why = levels_check(d, m.id, m.asks);
    if (why != HG_IMPORT_REASONS) {
        hg_import_reject(&d->im, why);
        return HG_OK;
    }
    return m.snapshot ? snapshot_apply(d, &m) : change_apply(d, &m);
}
