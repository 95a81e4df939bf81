/* One event to bytes and back (the format is in tape_int.h). This is the inner loop of every
 * backtest: no call, no allocation and no bounds check per field; the decoder may read
 * HG_TAPE_EVENT_MAX bytes beyond the block's end, which its caller provides as zeros. */
#include "venue/tape_int.h"

#include "base/assert.h"

#include <stdlib.h>

enum { TAG_MORE = 0x10, TAG_TIME = 0x20, TAG_ID = 0x40, TAG_FLAGS = 0x80 };

static int array_grow(void *array, uint32_t have, uint32_t want, size_t item_size) {
    void **slot = array;
    if (want <= have) {
        return HG_OK;
    }
    unsigned char *bigger = realloc(*slot, want * item_size);
    if (!bigger) {
        return HG_ERR(HG_ENOMEM, "tape state of %u entries", want);
    }
    memset(bigger + have * item_size, 0, (want - have) * item_size);
    *slot = bigger;
    return HG_OK;
}

int hg_tape_codec_reserve(hg_tape_codec *codec, const uint32_t counts[HG_TAPE_SORTS]) {
    int rc = array_grow(&codec->instruments, codec->counts[HG_TAPE_INSTRUMENT],
                        counts[HG_TAPE_INSTRUMENT], sizeof *codec->instruments);
    for (int s = HG_TAPE_UNDERLYING; rc == HG_OK && s < HG_TAPE_SORTS; s++) {
        rc = array_grow(&codec->values[s], codec->counts[s], counts[s], sizeof **codec->values);
    }
    if (rc < 0) {
        return rc;
    }
    for (int s = 0; s < HG_TAPE_SORTS; s++) {
        if (counts[s] > codec->counts[s]) codec->counts[s] = counts[s];
    }
    return HG_OK;
}

void hg_tape_codec_fini(hg_tape_codec *codec) {
    free(codec->instruments);
    for (int s = 0; s < HG_TAPE_SORTS; s++) free(codec->values[s]);
    *codec = (hg_tape_codec){0};
}

static unsigned char *put_delta(unsigned char *p, uint64_t *last, int64_t now) {
    uint64_t delta = (uint64_t)now - *last;
    *last = (uint64_t)now;
    return hg_tape_put_varint(p, hg_tape_zigzag(delta));
}

/* A mask of the fields that changed, then the changes. */
static unsigned char *put_fields(unsigned char *p, uint64_t *last, const int64_t *now, int count) {
    unsigned char *mask = p++;
    *mask = 0;
    for (int i = 0; i < count; i++) {
        if ((uint64_t)now[i] != last[i]) {
            *mask |= (unsigned char)(1 << i);
            p = put_delta(p, &last[i], now[i]);
        }
    }
    return p;
}

static unsigned char *put_body(hg_tape_codec *codec, const hg_event *ev, unsigned char *p) {
    bool of_instrument = hg_tape_kind_sort(ev->kind) == HG_TAPE_INSTRUMENT;
    hg_tape_last *last = of_instrument ? &codec->instruments[ev->id] : NULL;
    switch (ev->kind) {
    case HG_EV_QUOTE: {
        int64_t now[4] = {ev->quote.bid, ev->quote.ask, ev->quote.bid_size, ev->quote.ask_size};
        return put_fields(p, last->quote, now, 4);
    }
    case HG_EV_MARK: {
        int64_t now[2] = {ev->mark.price, ev->mark.iv};
        return put_fields(p, last->mark, now, 2);
    }
    case HG_EV_DEPTH:
        p = put_delta(p, &last->level, ev->level.price);
        return hg_tape_put_varint(p, (uint64_t)ev->level.size << 1 | (ev->side == HG_BUY));
    case HG_EV_TRADE:
        *p++ = ev->side == HG_BUY ? 1 : ev->side == HG_SELL ? 2 : 0;
        p = put_delta(p, &last->trade, ev->level.price);
        return hg_tape_put_varint(p, (uint64_t)ev->level.size);
    case HG_EV_INDEX:
        return put_delta(p, &codec->values[HG_TAPE_UNDERLYING][ev->id], ev->price.value);
    case HG_EV_FORWARD:
        return put_delta(p, &codec->values[HG_TAPE_EXPIRY][ev->id], ev->price.value);
    case HG_EV_FUNDING:
    case HG_EV_SETTLE:
        return put_delta(p, &last->value[ev->kind == HG_EV_SETTLE], ev->price.value);
    default:
        return p;
    }
}

unsigned char *hg_tape_encode(hg_tape_codec *codec, const hg_event *ev, unsigned char *out) {
    hg_assert(ev->kind >= HG_EV_QUOTE && ev->kind < HG_TAPE_KINDS);
    hg_tape_sort sort = hg_tape_kind_sort(ev->kind);
    hg_assert(ev->id < codec->counts[sort] && ev->time_ns >= codec->time_ns);
    unsigned char *p = out + 1;
    unsigned tag = ev->kind | (ev->flags & HG_EVF_MORE ? TAG_MORE : 0u);
    unsigned rest = ev->flags & ~(unsigned)HG_EVF_MORE;
    if (rest != 0) {
        tag |= TAG_FLAGS;
        *p++ = (unsigned char)rest;
    }
    if (ev->time_ns == codec->time_ns) {
        tag |= TAG_TIME;
    } else {
        p = hg_tape_put_varint(p, (uint64_t)(ev->time_ns - codec->time_ns));
        codec->time_ns = ev->time_ns;
    }
    if (ev->id == codec->ids[sort]) {
        tag |= TAG_ID;
    } else {
        uint64_t delta = (uint64_t)ev->id - (uint64_t)codec->ids[sort];
        p = hg_tape_put_varint(p, hg_tape_zigzag(delta));
        codec->ids[sort] = ev->id;
    }
    *out = (unsigned char)tag;
    p = put_body(codec, ev, p);
    hg_assert(p - out <= HG_TAPE_EVENT_MAX);
    return p;
}

static inline const unsigned char *get_delta(const unsigned char *p, uint64_t *last, int64_t *now) {
    uint64_t v = 0;
    p = hg_tape_get_varint(p, &v);
    *last += hg_tape_unzigzag(v);
    *now = (int64_t)*last;
    return p;
}

static inline const unsigned char *get_quote(const unsigned char *p, uint64_t *last, hg_event *ev) {
    unsigned mask = *p++;
    int64_t unused = 0;
    if (mask & 1) p = get_delta(p, &last[0], &unused);
    if (mask & 2) p = get_delta(p, &last[1], &unused);
    if (mask & 4) p = get_delta(p, &last[2], &unused);
    if (mask & 8) p = get_delta(p, &last[3], &unused);
    ev->quote.bid = (int64_t)last[0];
    ev->quote.ask = (int64_t)last[1];
    ev->quote.bid_size = (int64_t)last[2];
    ev->quote.ask_size = (int64_t)last[3];
    return mask < 16 && ev->quote.bid_size >= 0 && ev->quote.ask_size >= 0 ? p : NULL;
}

static inline const unsigned char *get_mark(const unsigned char *p, uint64_t *last, hg_event *ev) {
    unsigned mask = *p++;
    int64_t unused = 0;
    if (mask & 1) p = get_delta(p, &last[0], &unused);
    if (mask & 2) p = get_delta(p, &last[1], &unused);
    ev->mark.price = (int64_t)last[0];
    ev->mark.iv = (int64_t)last[1];
    return mask < 4 ? p : NULL;
}

static inline const unsigned char *get_level(const unsigned char *p, uint64_t *last, hg_event *ev) {
    p = get_delta(p, last, &ev->level.price);
    uint64_t v = 0;
    p = hg_tape_get_varint(p, &v);
    ev->side = v & 1 ? HG_BUY : HG_SELL;
    ev->level.size = (int64_t)(v >> 1);
    return p;
}

static inline const unsigned char *get_trade(const unsigned char *p, uint64_t *last, hg_event *ev) {
    unsigned side = *p++;
    p = get_delta(p, last, &ev->level.price);
    uint64_t v = 0;
    p = hg_tape_get_varint(p, &v);
    ev->side = side == 1 ? HG_BUY : side == 2 ? HG_SELL : 0;
    ev->level.size = (int64_t)v;
    return side <= 2 && ev->level.size >= 0 ? p : NULL;
}

static inline const unsigned char *get_body(hg_tape_codec *codec, const unsigned char *p,
                                            hg_event *ev) {
    switch (ev->kind) {
    case HG_EV_QUOTE:
        return get_quote(p, codec->instruments[ev->id].quote, ev);
    case HG_EV_MARK:
        return get_mark(p, codec->instruments[ev->id].mark, ev);
    case HG_EV_DEPTH:
        return get_level(p, &codec->instruments[ev->id].level, ev);
    case HG_EV_TRADE:
        return get_trade(p, &codec->instruments[ev->id].trade, ev);
    case HG_EV_INDEX:
        return get_delta(p, &codec->values[HG_TAPE_UNDERLYING][ev->id], &ev->price.value);
    case HG_EV_FORWARD:
        return get_delta(p, &codec->values[HG_TAPE_EXPIRY][ev->id], &ev->price.value);
    case HG_EV_FUNDING:
        return get_delta(p, &codec->instruments[ev->id].value[0], &ev->price.value);
    case HG_EV_SETTLE:
        return get_delta(p, &codec->instruments[ev->id].value[1], &ev->price.value);
    default:
        return p; /* status */
    }
}

const unsigned char *hg_tape_decode(hg_tape_codec *codec, const unsigned char *p, hg_event *ev) {
    unsigned tag = *p++;
    unsigned kind = tag & 0x0f;
    if (kind < HG_EV_QUOTE || kind >= HG_TAPE_KINDS) {
        return NULL;
    }
    unsigned rest = tag & TAG_FLAGS ? *p++ : 0;
    uint64_t v = 0;
    if (!(tag & TAG_TIME)) {
        p = hg_tape_get_varint(p, &v);
        if (v > (uint64_t)(INT64_MAX - codec->time_ns)) {
            return NULL;
        }
        codec->time_ns += (int64_t)v;
    }
    hg_tape_sort sort = hg_tape_kind_sort(kind);
    if (!(tag & TAG_ID)) {
        p = hg_tape_get_varint(p, &v);
        v = (uint64_t)codec->ids[sort] + hg_tape_unzigzag(v);
        codec->ids[sort] = (uint32_t)v;
        if (v > UINT32_MAX) {
            return NULL;
        }
    }
    if (codec->ids[sort] >= codec->counts[sort]) {
        return NULL;
    }
    memset(ev, 0, sizeof *ev);
    ev->time_ns = codec->time_ns;
    ev->id = codec->ids[sort];
    ev->kind = (uint8_t)kind;
    ev->flags = (uint8_t)(rest | (tag & TAG_MORE ? HG_EVF_MORE : 0));
    return (rest & ~(unsigned)(HG_EVF_SNAPSHOT | HG_EVF_INVALID | HG_EVF_HALTED)) == 0
               ? get_body(codec, p, ev)
               : NULL;
}
