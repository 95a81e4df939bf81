/* The last block of a tape: what was counted, and the terms of everything the events name. */
#include "venue/tape_int.h"

#include "base/assert.h"
#include "base/text.h"

#include <stdlib.h>

enum { INSTRUMENT_BYTES_MAX = HG_NAME_MAX + 3 * HG_CODE_MAX + 4 + 3 + 11 * 10 };

// --- writing ------------------------------------------------------------------------------------

static unsigned char *put_text(unsigned char *p, const char *text) {
    size_t len = strlen(text);
    hg_assert(len < HG_NAME_MAX);
    *p++ = (unsigned char)len;
    memcpy(p, text, len);
    return p + len;
}

static unsigned char *put_number(unsigned char *p, int64_t value) {
    return hg_tape_put_varint(p, hg_tape_zigzag((uint64_t)value));
}

static unsigned char *put_summary(unsigned char *p, const hg_tape_summary *s) {
    p = hg_tape_put_varint(p, s->blocks);
    p = hg_tape_put_varint(p, s->events);
    for (int k = 0; k < HG_TAPE_KINDS; k++) p = hg_tape_put_varint(p, s->kinds[k]);
    p = put_number(p, s->start_ns);
    p = put_number(p, s->end_ns);
    p = hg_tape_put_varint(p, s->depth_count);
    return hg_tape_put_varint(p, s->last_crc);
}

static unsigned char *put_instrument(unsigned char *p, const hg_instrument *inst) {
    p = put_text(p, inst->name);
    p = put_text(p, inst->underlying);
    p = put_text(p, inst->quote);
    p = put_text(p, inst->settle);
    *p++ = (unsigned char)inst->kind;
    *p++ = inst->inverse;
    *p++ = (unsigned char)(inst->cp + 1);
    const int64_t terms[] = {inst->expiry_ns, inst->strike,  inst->tick,  inst->tick_above,
                             inst->tick_step, inst->lot,     inst->maker, inst->taker,
                             inst->fee_cap,   inst->delivery};
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) p = put_number(p, terms[i]);
    return p;
}

int hg_tape_tables_put(const hg_tape_summary *summary, const hg_tape_ids *ids,
                       const hg_universe *universe, unsigned char **data, size_t *size) {
    size_t max = 512 + (size_t)ids->counts[HG_TAPE_INSTRUMENT] * INSTRUMENT_BYTES_MAX +
                 (size_t)ids->counts[HG_TAPE_UNDERLYING] * (HG_CODE_MAX + 1) +
                 (size_t)ids->counts[HG_TAPE_EXPIRY] * (HG_CODE_MAX + 11);
    unsigned char *p = malloc(max);
    if (!p) {
        return HG_ERR(HG_ENOMEM, "tape tables");
    }
    *data = p;
    p = put_summary(p, summary);
    for (int s = 0; s < HG_TAPE_SORTS; s++) p = hg_tape_put_varint(p, ids->counts[s]);
    for (uint32_t i = 0; i < ids->counts[HG_TAPE_INSTRUMENT]; i++) {
        p = put_instrument(p, hg_universe_get(universe, ids->global[HG_TAPE_INSTRUMENT][i]));
    }
    for (uint32_t i = 0; i < ids->counts[HG_TAPE_UNDERLYING]; i++) {
        uint32_t id = ids->global[HG_TAPE_UNDERLYING][i];
        p = put_text(p, hg_universe_underlying(universe, id)->name);
    }
    for (uint32_t i = 0; i < ids->counts[HG_TAPE_EXPIRY]; i++) {
        const hg_expiry *e = hg_universe_expiry(universe, ids->global[HG_TAPE_EXPIRY][i]);
        p = put_text(p, hg_universe_underlying(universe, e->underlying)->name);
        p = put_number(p, e->time_ns);
    }
    *size = (size_t)(p - *data);
    hg_assert(*size <= max);
    return HG_OK;
}

// --- reading ------------------------------------------------------------------------------------

/* A cursor that sticks at the first thing that does not fit. */
typedef struct {
    const unsigned char *at;
    const unsigned char *end;
    bool bad;
} cursor;

static uint64_t get_unsigned(cursor *c, uint64_t max) {
    uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
        if (c->at == c->end) {
            break;
        }
        unsigned char byte = *c->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            c->bad = c->bad || value > max;
            return c->bad ? 0 : value;
        }
    }
    c->bad = true;
    return 0;
}

static int64_t get_number(cursor *c) {
    return (int64_t)hg_tape_unzigzag(get_unsigned(c, UINT64_MAX));
}

static void get_text(cursor *c, char *out, size_t size) {
    size_t len = (size_t)get_unsigned(c, size - 1);
    if (c->bad || len > (size_t)(c->end - c->at) || memchr(c->at, 0, len)) {
        c->bad = true;
        out[0] = '\0';
        return;
    }
    memcpy(out, c->at, len);
    out[len] = '\0';
    c->at += len;
}

static void get_summary(cursor *c, hg_tape_summary *s) {
    s->blocks = get_unsigned(c, UINT32_MAX);
    s->events = get_unsigned(c, UINT64_MAX);
    for (int k = 0; k < HG_TAPE_KINDS; k++) s->kinds[k] = get_unsigned(c, UINT64_MAX);
    s->start_ns = get_number(c);
    s->end_ns = get_number(c);
    s->depth_count = (uint32_t)get_unsigned(c, HG_TAPE_IDS_MAX);
    s->last_crc = (uint32_t)get_unsigned(c, UINT32_MAX);
}

static void get_instrument(cursor *c, hg_instrument *inst) {
    get_text(c, inst->name, sizeof inst->name);
    get_text(c, inst->underlying, sizeof inst->underlying);
    get_text(c, inst->quote, sizeof inst->quote);
    get_text(c, inst->settle, sizeof inst->settle);
    inst->kind = (hg_kind)get_unsigned(c, HG_KIND_SPOT);
    inst->inverse = get_unsigned(c, 1) == 1;
    inst->cp = (int8_t)((int)get_unsigned(c, 2) - 1);
    int64_t *const terms[] = {&inst->expiry_ns, &inst->strike,  &inst->tick,  &inst->tick_above,
                              &inst->tick_step, &inst->lot,     &inst->maker, &inst->taker,
                              &inst->fee_cap,   &inst->delivery};
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) *terms[i] = get_number(c);
}

/* The universe's own terms win, but prices and sizes are counted in the tape's ticks and lots. */
static int terms_agree(const hg_instrument *tape, const hg_instrument *own) {
    if (strcmp(tape->underlying, own->underlying) == 0 && tape->kind == own->kind &&
        tape->inverse == own->inverse && tape->cp == own->cp && tape->expiry_ns == own->expiry_ns &&
        tape->strike == own->strike && tape->tick == own->tick && tape->lot == own->lot) {
        return HG_OK;
    }
    char ours[4][24];
    return HG_ERR(HG_EDATA,
                  "%s is another contract here than on the tape: tick %s and lot %s, on the tape "
                  "tick %s and lot %s, or other terms",
                  own->name, hg_nano_format(own->tick, ours[0], sizeof ours[0]),
                  hg_nano_format(own->lot, ours[1], sizeof ours[1]),
                  hg_nano_format(tape->tick, ours[2], sizeof ours[2]),
                  hg_nano_format(tape->lot, ours[3], sizeof ours[3]));
}

static int take_instrument(cursor *c, hg_universe *universe, uint32_t *id) {
    hg_instrument inst = {0};
    get_instrument(c, &inst);
    if (c->bad) {
        return HG_ERR(HG_EDATA, "the instrument table is damaged");
    }
    int rc = hg_universe_add(universe, &inst, id);
    return rc < 0 ? rc : terms_agree(&inst, hg_universe_get(universe, *id));
}

static int take_underlying(cursor *c, hg_universe *universe, uint32_t *id) {
    char name[HG_CODE_MAX];
    get_text(c, name, sizeof name);
    if (c->bad || name[0] == '\0') {
        return HG_ERR(HG_EDATA, "the table of underlyings is damaged");
    }
    return hg_universe_add_underlying(universe, name, id);
}

static int take_expiry(cursor *c, hg_universe *universe, uint32_t *id) {
    char name[HG_CODE_MAX];
    get_text(c, name, sizeof name);
    int64_t time_ns = get_number(c);
    uint32_t underlying = HG_ID_NONE;
    if (!c->bad) {
        underlying = hg_universe_find_underlying(universe, name);
    }
    *id = underlying == HG_ID_NONE ? HG_ID_NONE
                                   : hg_universe_find_expiry(universe, underlying, time_ns);
    return *id != HG_ID_NONE ? HG_OK : HG_ERR(HG_EDATA, "the table of expiries is damaged");
}

static int take_table(cursor *c, hg_tape_sort sort, hg_tape_ids *ids, hg_universe *universe) {
    uint32_t count = ids->counts[sort];
    uint32_t *global = malloc((count > 0 ? count : 1) * sizeof *global);
    ids->global[sort] = global;
    if (!global) {
        return HG_ERR(HG_ENOMEM, "tape tables");
    }
    int rc = HG_OK;
    for (uint32_t i = 0; rc == HG_OK && i < count; i++) {
        rc = sort == HG_TAPE_INSTRUMENT   ? take_instrument(c, universe, &global[i])
             : sort == HG_TAPE_UNDERLYING ? take_underlying(c, universe, &global[i])
                                          : take_expiry(c, universe, &global[i]);
    }
    return rc;
}

int hg_tape_tables_get(const unsigned char *data, size_t size, hg_tape_summary *summary,
                       hg_tape_ids *ids, hg_universe *universe) {
    cursor c = {data, data + size, false};
    get_summary(&c, summary);
    /* Each entry takes at least a byte, so a count cannot ask for more memory than the tape has. */
    uint64_t max = size < HG_TAPE_IDS_MAX ? size : HG_TAPE_IDS_MAX;
    for (int s = 0; s < HG_TAPE_SORTS; s++) ids->counts[s] = (uint32_t)get_unsigned(&c, max);
    if (c.bad || summary->start_ns < 0 || summary->end_ns < summary->start_ns) {
        return HG_ERR(HG_EDATA, "the summary is damaged");
    }
    int rc = HG_OK;
    for (int s = 0; rc == HG_OK && s < HG_TAPE_SORTS; s++) {
        rc = take_table(&c, (hg_tape_sort)s, ids, universe);
    }
    if (rc == HG_OK && c.at != c.end) {
        rc = HG_ERR(HG_EDATA, "the tables are longer than they should be");
    }
    return rc;
}

void hg_tape_ids_fini(hg_tape_ids *ids) {
    for (int s = 0; s < HG_TAPE_SORTS; s++) free(ids->global[s]);
    *ids = (hg_tape_ids){0};
}
