/* What the explanation was: checkpoints of every row, so that the last hour can be told from the
 * session.
 *
 * Checkpoints follow from the events, never from who asks: one at the first update of each
 * FINE_NS of event time, and one of each COARSE_NS in a ring of its own. A ring is a piece of
 * memory taken at the start; each checkpoint is as long as there are rows, and the oldest make room
 * for the newest. So a session of 20 positions looks back two hours to ten seconds and 25 hours to
 * a minute, one of 200 a tenth of that, and the memory of a ring nobody fills is never touched. */
#include "base/assert.h"
#include "base/clock.h"
#include "base/pages.h"
#include "portfolio/explain_int.h"

#include <stdlib.h>

#define FINE_NS (10 * HG_NS_PER_S)
#define COARSE_NS (60 * HG_NS_PER_S)
#define FINE_RECORDS 16384 /* rows and heads of checkpoints in the ring of each kind */
#define COARSE_RECORDS 32768
#define CHECKPOINTS 2048

typedef struct {
    uint32_t instrument;
    uint8_t owner;
    hg_explanation x;
} record;

typedef struct {
    int64_t time_ns;
    size_t first; /* of its records, in the ring; one more is taken than it has */
    size_t count;
    hg_explanation account; /* what belongs to no instrument */
} checkpoint;

typedef struct {
    int64_t every_ns;
    int64_t next_ns; /* the first update from then on */
    record *records;
    size_t capacity, end; /* the next record is put there */
    checkpoint *points;   /* a ring as well: `count` from `oldest` on */
    size_t oldest, count;
} ring;

struct hg_explain_past {
    ring fine, coarse;
    int64_t start_ns; /* of the first checkpoint */
    bool started;
};

static bool ring_init(ring *r, int64_t every_ns, size_t records) {
    *r = (ring){.every_ns = every_ns, .next_ns = INT64_MIN, .capacity = records};
    r->records = hg_pages_new(records, sizeof *r->records);
    r->points = hg_pages_new(CHECKPOINTS, sizeof *r->points);
    return r->records && r->points;
}

static void ring_fini(ring *r) {
    hg_pages_free(r->records);
    hg_pages_free(r->points);
}

hg_explain_past *hg_explain_past_new(void) {
    hg_explain_past *past = calloc(1, sizeof *past);
    if (past && (!ring_init(&past->fine, FINE_NS, FINE_RECORDS) ||
                 !ring_init(&past->coarse, COARSE_NS, COARSE_RECORDS))) {
        hg_explain_past_free(past);
        return NULL;
    }
    return past;
}

void hg_explain_past_free(hg_explain_past *past) {
    if (past) {
        ring_fini(&past->fine);
        ring_fini(&past->coarse);
        free(past);
    }
}

static checkpoint *point_at(const ring *r, size_t i) {
    return &r->points[(r->oldest + i) % CHECKPOINTS];
}

static void drop_oldest(ring *r) {
    r->oldest = (r->oldest + 1) % CHECKPOINTS;
    r->count--;
}

/* Room for `count` records in one piece; everything that lies there is forgotten. A checkpoint
 * takes a record at least, so that the oldest is always the first in the way. */
static checkpoint *point_add(ring *r, size_t count) {
    size_t first = r->end + count + 1 <= r->capacity ? r->end : 0;
    bool wraps = first != r->end;
    while (r->count > 0) {
        const checkpoint *old = point_at(r, 0);
        bool meets = old->first <= first + count && first <= old->first + old->count;
        bool skipped = wraps && old->first >= r->end;
        if (!meets && !skipped && r->count < CHECKPOINTS) {
            break;
        }
        drop_oldest(r);
    }
    checkpoint *point = point_at(r, r->count++);
    point->first = first;
    point->count = count;
    r->end = first + count + 1;
    return point;
}

static void point_fill(hg_portfolio *p, ring *r, checkpoint *point, int64_t now_ns) {
    const hg_explain *x = p->explain;
    size_t at = point->first;
    double explained = 0;
    for (uint32_t i = 0; i < x->count; i++) {
        uint32_t id = x->active[i];
        for (uint32_t owners = x->owners[id]; owners != 0; owners &= owners - 1) {
            record *out = &r->records[at++];
            *out = (record){.instrument = id,
                            .owner = (uint8_t)__builtin_ctz(owners),
                            .x = {.coin = HG_ID_NONE}};
            hg_explain_row_answer(p, id, out->owner, now_ns, &out->x);
            explained += out->x.pnl;
        }
    }
    hg_assert(at == point->first + point->count);
    point->account = (hg_explanation){.coin = HG_ID_NONE};
    hg_explain_account(p, now_ns, explained, &point->account);
    point->time_ns = now_ns;
}

static void ring_look(hg_portfolio *p, ring *r, size_t rows, int64_t now_ns) {
    if (now_ns < r->next_ns || rows >= r->capacity) {
        return;
    }
    r->next_ns = now_ns - now_ns % r->every_ns + r->every_ns;
    point_fill(p, r, point_add(r, rows), now_ns);
}

void hg_explain_past_look(hg_portfolio *p, int64_t now_ns) {
    hg_explain_past *past = p->explain->past;
    if (now_ns < past->fine.next_ns) {
        return;
    }
    size_t rows = 0;
    for (uint32_t i = 0; i < p->explain->count; i++) {
        rows += (size_t)__builtin_popcount(p->explain->owners[p->explain->active[i]]);
    }
    if (!past->started) {
        past->started = true;
        past->start_ns = now_ns;
    }
    ring_look(p, &past->fine, rows, now_ns);
    ring_look(p, &past->coarse, rows, now_ns);
}

/* --- questions -------------------------------------------------------------------------------- */

/* The last checkpoint at or before a moment; NULL: all are later. */
static const checkpoint *ring_find(const ring *r, int64_t at_ns) {
    size_t below = 0;
    size_t end = r->count;
    while (below < end) { /* the first that is later */
        size_t middle = below + (end - below) / 2;
        if (point_at(r, middle)->time_ns <= at_ns) {
            below = middle + 1;
        } else {
            end = middle;
        }
    }
    return below > 0 ? point_at(r, below - 1) : NULL;
}

static bool chosen(const hg_portfolio *p, const record *r, hg_explain_of of) {
    const hg_instrument *inst = hg_universe_get(p->universe, r->instrument);
    return (of.owner >= HG_OWNERS || of.owner == r->owner) &&
           (of.underlying == HG_ID_NONE || of.underlying == inst->underlying_id) &&
           (of.instrument == HG_ID_NONE || of.instrument == inst->id);
}

static void point_sum(const hg_portfolio *p, const ring *r, const checkpoint *point,
                      hg_explain_of of, hg_explanation *out) {
    bool account = of.owner == HG_OWNER_ACCOUNT;
    bool all = of.owner >= HG_OWNERS && of.underlying == HG_ID_NONE && of.instrument == HG_ID_NONE;
    for (size_t i = 0; !account && i < point->count; i++) {
        const record *row = &r->records[point->first + i];
        if (chosen(p, row, of)) {
            hg_explanation_add(out, &row->x, 1);
        }
    }
    if (all) {
        hg_explanation_add(out, &point->account, 1);
    }
}

static int64_t earliest(const hg_explain_past *past, int64_t now_ns) {
    int64_t first_ns = now_ns;
    const ring *const rings[] = {&past->fine, &past->coarse};
    for (int i = 0; i < 2; i++) {
        if (rings[i]->count > 0 && point_at(rings[i], 0)->time_ns < first_ns) {
            first_ns = point_at(rings[i], 0)->time_ns;
        }
    }
    return first_ns;
}

int hg_portfolio_explain_since(hg_portfolio *p, hg_explain_of of, int64_t since_ns, int64_t now_ns,
                               hg_explanation *out, int64_t *from_ns) {
    hg_assert(p && out && from_ns);
    const hg_explain_past *past = p->explain->past;
    const ring *r = &past->fine;
    const checkpoint *point = ring_find(r, since_ns);
    if (!point) {
        r = &past->coarse;
        point = ring_find(r, since_ns);
    }
    if (!point) {
        int64_t first_ns = earliest(past, now_ns);
        char text[40];
        return HG_ERR(HG_ENOTFOUND,
                      "nothing is kept of %.0f s ago: the earliest is %.0f s ago, %s%s",
                      (double)(now_ns - since_ns) / 1e9, (double)(now_ns - first_ns) / 1e9,
                      hg_time_format(first_ns, text, sizeof text),
                      past->started && first_ns == past->start_ns ? ", the start" : "");
    }
    hg_explanation now;
    hg_explanation then = {.coin = HG_ID_NONE};
    hg_portfolio_explain(p, of, now_ns, &now);
    point_sum(p, r, point, of, &then);
    double to = now.drift.to;
    hg_explanation_add(&now, &then, -1);
    now.drift.from = then.drift.to;
    now.drift.to = to;
    *out = now;
    *from_ns = point->time_ns;
    return HG_OK;
}
