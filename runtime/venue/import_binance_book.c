/* Order books of binance-l2. They follow the documented rule (developers.binance.com, "How to
 * manage a local order book correctly"): buffer diffs until a REST snapshot comes, drop those it
 * already contains, let the first one overlap it, and then demand that each continues the one
 * before: futures   u < last: drop;    first: U <= last <= u;        then pu == u of the one before
 *     spot      u <= last: drop;   first: U <= last + 1 <= u;    then U == u of the one before + 1
 * A break is a gap: the book is invalid until the next snapshot. */
#include "venue/import_binance_int.h"

#include "base/assert.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { WAITING_MAX = 16384 };

// --- symbols ------------------------------------------------------------------------------------

static hg_binance_symbol *symbol_new(hg_binance *b, const char *name, hg_binance_market market) {
    hg_instrument inst;
    uint32_t id = hg_universe_find(b->im.universe, name);
    if (id == HG_ID_NONE && (!hg_binance_terms_find(&b->terms, name, market, &inst) ||
                             hg_universe_add(b->im.universe, &inst, &id) < 0)) {
        return NULL;
    }
    hg_binance_symbol *s = b->symbol_count < HG_BINANCE_SYMBOLS_MAX ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        return NULL;
    }
    hg_text_copy(s->symbol, sizeof s->symbol, name);
    s->market = market;
    s->id = id;
    s->unit = market == HG_BINANCE_COINM ? hg_binance_contract_usd(name) : HG_NANO;
    b->symbols[b->symbol_count++] = s;
    return s;
}

static hg_binance_symbol *symbol_find(const hg_binance *b, const char *name) {
    for (int i = 0; i < b->symbol_count; i++) {
        if (strcmp(b->symbols[i]->symbol, name) == 0) {
            return b->symbols[i];
        }
    }
    return NULL;
}

/* The symbol of a message, made when it is new. NULL: unknown. */
hg_binance_symbol *hg_binance_symbol_get(hg_binance *b, const cJSON *data, const char *name) {
    hg_binance_symbol *s = symbol_find(b, name);
    if (s || strlen(name) >= HG_NAME_MAX) {
        return s;
    }
    hg_binance_market market = b->framed ? b->framed_market : hg_binance_market_of(data, name);
    return symbol_new(b, name, market);
}

void hg_binance_symbol_free(hg_binance_symbol *s) {
    hg_import_book_fini(&s->book);
    cJSON_Delete(s->waiting);
    free(s);
}

// --- levels -------------------------------------------------------------------------------------

/* ["61800.10","0.696"]; a size of 0 deletes. */
static hg_import_reason level_read(const hg_binance *b, const hg_binance_symbol *s,
                                   const cJSON *pair, hg_event *ev) {
    const hg_instrument *inst = hg_universe_get(b->im.universe, s->id);
    hg_nano price = 0;
    hg_nano size = 0;
    if (!cJSON_IsArray(pair) || !hg_import_decimal(cJSON_GetArrayItem(pair, 0), &price) ||
        !hg_import_decimal(cJSON_GetArrayItem(pair, 1), &size) ||
        !hg_muldiv(size, s->unit, HG_NANO, &size)) {
        return HG_IMPORT_NUMBER;
    }
    if (price <= 0 || size < 0) {
        return HG_IMPORT_NOT_POSITIVE;
    }
    if (!hg_price_from_nano(inst, price, &ev->level.price)) {
        return HG_IMPORT_OFF_TICK;
    }
    /* Dust of former lot sizes rests in spot books; what cannot be traded is not shown. */
    ev->level.size = size / inst->lot;
    return HG_IMPORT_REASONS;
}

/* A message with a malformed level is rejected whole, so all of it is checked first. Levels off the
 * tick rest in books whose tick was made coarser: those alone are rejected. */
static hg_import_reason levels_check(const hg_binance *b, const hg_binance_symbol *s,
                                     const cJSON *side) {
    if (!cJSON_IsArray(side)) {
        return HG_IMPORT_MALFORMED;
    }
    const cJSON *pair = NULL;
    cJSON_ArrayForEach(pair, side) {
        hg_event ev;
        hg_import_reason why = level_read(b, s, pair, &ev);
        if (why != HG_IMPORT_REASONS && why != HG_IMPORT_OFF_TICK) {
            return why;
        }
    }
    return HG_IMPORT_REASONS;
}

static int levels_apply(hg_binance *b, hg_binance_symbol *s, const cJSON *side, hg_side which,
                        uint8_t *flags) {
    const cJSON *pair = NULL;
    cJSON_ArrayForEach(pair, side) {
        hg_event ev = {.time_ns = b->now_ns, .id = s->id, .kind = HG_EV_DEPTH, .flags = *flags};
        ev.side = (int8_t)which;
        hg_import_reason why = level_read(b, s, pair, &ev);
        if (why != HG_IMPORT_REASONS) {
            hg_assert(why == HG_IMPORT_OFF_TICK);
            hg_import_reject(&b->im, why);
            continue;
        }
        int rc = hg_import_book_set(&b->im, &s->book, &ev);
        if (rc < 0) {
            return rc;
        }
        *flags = 0;
    }
    return HG_OK;
}

/* Says that the book cannot be trusted and waits for the next snapshot. */
static int book_lost(hg_binance *b, hg_binance_symbol *s) {
    s->state = HG_BINANCE_WAITING;
    hg_import_book_clear(&s->book);
    hg_event ev = {
        .time_ns = b->now_ns, .id = s->id, .kind = HG_EV_STATUS, .flags = HG_EVF_INVALID};
    int rc = hg_import_add(&b->im, &ev);
    return rc < 0 ? rc : hg_import_close(&b->im);
}

static int book_apply(hg_binance *b, hg_binance_symbol *s, const cJSON *bids, const cJSON *asks,
                      uint8_t flags) {
    int rc = levels_apply(b, s, bids, HG_BUY, &flags);
    if (rc == HG_OK) rc = levels_apply(b, s, asks, HG_SELL, &flags);
    if (rc == HG_OK) rc = hg_import_close(&b->im);
    if (rc < 0 || !hg_import_book_crossed(&s->book)) {
        return rc;
    }
    b->im.report->crossed++;
    return book_lost(b, s);
}

// --- diffs --------------------------------------------------------------------------------------

/* Keeps a copy for the snapshot to come; beyond the bound the oldest is of no use any more. */
static int diff_wait(hg_binance_symbol *s, const cJSON *data) {
    if (!s->waiting) {
        s->waiting = cJSON_CreateArray();
    }
    if (s->waiting && s->waiting_count == WAITING_MAX) {
        cJSON_DeleteItemFromArray(s->waiting, 0);
        s->waiting_count--;
    }
    cJSON *copy = cJSON_Duplicate(data, 1);
    if (!s->waiting || !copy || !cJSON_AddItemToArray(s->waiting, copy)) {
        cJSON_Delete(copy);
        return HG_ERR(HG_ENOMEM, "waiting depth updates");
    }
    s->waiting_count++;
    return HG_OK;
}

typedef struct {
    int64_t first, last, previous;
} diff_ids;

static bool diff_read(const hg_binance_symbol *s, const cJSON *data, diff_ids *ids) {
    ids->previous = -1;
    return hg_import_id(data, "U", &ids->first) && hg_import_id(data, "u", &ids->last) &&
           ids->first <= ids->last &&
           (s->market == HG_BINANCE_SPOT || hg_import_id(data, "pu", &ids->previous));
}

static bool diff_continues(const hg_binance_symbol *s, const diff_ids *ids) {
    bool spot = s->market == HG_BINANCE_SPOT;
    if (s->state == HG_BINANCE_FIRST) {
        int64_t wanted = spot ? s->last_id + 1 : s->last_id;
        return ids->first <= wanted && wanted <= ids->last;
    }
    return spot ? ids->first == s->last_id + 1 : ids->previous == s->last_id;
}

static bool diff_old(const hg_binance_symbol *s, const diff_ids *ids) {
    bool keeps_equal = s->state == HG_BINANCE_FIRST && s->market != HG_BINANCE_SPOT;
    return keeps_equal ? ids->last < s->last_id : ids->last <= s->last_id;
}

int hg_binance_diff(hg_binance *b, hg_binance_symbol *s, const cJSON *data) {
    diff_ids ids;
    const cJSON *bids = hg_import_get(data, "b");
    const cJSON *asks = hg_import_get(data, "a");
    hg_import_reason why = diff_read(s, data, &ids) ? levels_check(b, s, bids)
                                                    : HG_IMPORT_MALFORMED;
    if (why == HG_IMPORT_REASONS) why = levels_check(b, s, asks);
    if (why != HG_IMPORT_REASONS) {
        hg_import_reject(&b->im, why);
        return HG_OK;
    }
    if (s->state == HG_BINANCE_WAITING) {
        return diff_wait(s, data);
    }
    if (diff_old(s, &ids)) {
        b->im.report->stale++;
        return HG_OK;
    }
    if (!diff_continues(s, &ids)) {
        b->im.report->gaps++;
        int rc = book_lost(b, s);
        return rc < 0 ? rc : diff_wait(s, data);
    }
    s->state = HG_BINANCE_LIVE;
    s->last_id = ids.last;
    b->im.report->used++;
    return book_apply(b, s, bids, asks, 0);
}

/* The diffs that waited; they may lose the book again, then the rest waits on. */
static int waiting_apply(hg_binance *b, hg_binance_symbol *s) {
    cJSON *waiting = s->waiting;
    s->waiting = NULL;
    s->waiting_count = 0;
    int rc = HG_OK;
    const cJSON *data = NULL;
    cJSON_ArrayForEach(data, waiting) {
        if (rc == HG_OK) rc = hg_binance_diff(b, s, data);
    }
    cJSON_Delete(waiting);
    return rc;
}

int hg_binance_snapshot_take(hg_binance *b, hg_binance_symbol *s, const cJSON *reply) {
    int64_t id = 0;
    const cJSON *bids = hg_import_get(reply, "bids");
    const cJSON *asks = hg_import_get(reply, "asks");
    hg_import_reason why = hg_import_id(reply, "lastUpdateId", &id) ? levels_check(b, s, bids)
                                                                    : HG_IMPORT_MALFORMED;
    if (why == HG_IMPORT_REASONS) why = levels_check(b, s, asks);
    if (why != HG_IMPORT_REASONS) {
        hg_import_reject(&b->im, why);
        return HG_OK;
    }
    if (s->state == HG_BINANCE_LIVE && id <= s->last_id) {
        b->im.report->stale++;
        return HG_OK;
    }
    s->state = HG_BINANCE_FIRST;
    s->last_id = id;
    b->im.report->snapshots++;
    b->im.report->used++;
    hg_import_book_clear(&s->book);
    int rc = book_apply(b, s, bids, asks, HG_EVF_SNAPSHOT);
    return rc < 0 ? rc : waiting_apply(b, s);
}
