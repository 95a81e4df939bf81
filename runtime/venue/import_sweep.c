/* One sweep of an option chain: its rows, and the index, forwards and vols they agree on. Rows of a
 * sweep are taken one after the other over minutes, so each names a slightly different index; the
 * median is the value of the sweep. */
#include "venue/import_chain_int.h"

#include "base/assert.h"
#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEP_ROWS_MAX = 1 << 18 };

void hg_chain_sweep_clear(hg_chain_sweep *sweep) {
    sweep->count = 0;
    sweep->time_ns = 0;
}

void hg_chain_sweep_fini(hg_chain_sweep *sweep) {
    free(sweep->rows);
    free(sweep->index);
    free(sweep->vol);
    free(sweep->forward);
    *sweep = (hg_chain_sweep){0};
}

int hg_chain_sweep_push(hg_chain_sweep *sweep, const hg_chain_row *row) {
    if (sweep->count == sweep->capacity) {
        uint32_t capacity = sweep->capacity == 0 ? 2048 : 2 * sweep->capacity;
        if (capacity > SWEEP_ROWS_MAX) {
            return HG_ERR(HG_ELIMIT, "more than %d rows in one sweep", SWEEP_ROWS_MAX);
        }
        hg_chain_row *bigger = realloc(sweep->rows, capacity * sizeof *bigger);
        if (!bigger) {
            return HG_ERR(HG_ENOMEM, "a sweep of %u rows", capacity);
        }
        sweep->rows = bigger;
        sweep->capacity = capacity;
    }
    sweep->rows[sweep->count++] = *row;
    return HG_OK;
}

static int compare_nano(const void *a, const void *b) {
    hg_nano x = *(const hg_nano *)a;
    hg_nano y = *(const hg_nano *)b;
    return (x > y) - (x < y);
}

/* Of the values above zero that belong to `group`; 0 when there are none. */
static double median(hg_nano *values, uint32_t count) {
    if (count == 0) {
        return 0;
    }
    qsort(values, count, sizeof *values, compare_nano);
    hg_nano middle = values[count / 2];
    hg_nano below = values[(count - 1) / 2];
    return (hg_nano_to_double(middle) + hg_nano_to_double(below)) / 2;
}

static double index_median(const hg_chain_sweep *sweep, const hg_universe *universe,
                           uint32_t underlying, hg_nano *scratch) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < sweep->count; i++) {
        const hg_chain_row *row = &sweep->rows[i];
        bool mine = hg_universe_get(universe, row->id)->underlying_id == underlying;
        if (mine && row->index > 0) scratch[n++] = row->index;
    }
    return median(scratch, n);
}

static double forward_median(const hg_chain_sweep *sweep, const hg_universe *universe,
                             uint32_t expiry, hg_nano *scratch) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < sweep->count; i++) {
        const hg_chain_row *row = &sweep->rows[i];
        bool mine = hg_universe_get(universe, row->id)->expiry_id == expiry;
        if (mine && row->forward > 0) scratch[n++] = row->forward;
    }
    return median(scratch, n);
}

/* The first expiry of the underlying that is two or more days away and has vols. */
static uint32_t front_expiry(const hg_chain_sweep *sweep, const hg_universe *universe,
                             uint32_t underlying) {
    uint32_t front = HG_ID_NONE;
    for (uint32_t i = 0; i < sweep->count; i++) {
        const hg_instrument *inst = hg_universe_get(universe, sweep->rows[i].id);
        bool usable = inst->underlying_id == underlying && sweep->rows[i].iv > 0 &&
                      inst->expiry_ns >= sweep->time_ns + 2 * HG_NS_PER_DAY &&
                      sweep->forward[inst->expiry_id] > 0;
        if (usable && (front == HG_ID_NONE ||
                       inst->expiry_ns < hg_universe_expiry(universe, front)->time_ns)) {
            front = inst->expiry_id;
        }
    }
    return front;
}

/* Mean vol of call and put at the strike nearest to the forward. */
static double vol_at_the_money(const hg_chain_sweep *sweep, const hg_universe *universe,
                               uint32_t underlying) {
    uint32_t front = front_expiry(sweep, universe, underlying);
    if (front == HG_ID_NONE) {
        return 0;
    }
    double best = INFINITY;
    double sum = 0;
    int n = 0;
    for (uint32_t i = 0; i < sweep->count; i++) {
        const hg_instrument *inst = hg_universe_get(universe, sweep->rows[i].id);
        if (inst->expiry_id != front || sweep->rows[i].iv <= 0) {
            continue;
        }
        double away = fabs(hg_nano_to_double(inst->strike) - sweep->forward[front]);
        if (away < best) {
            best = away;
            sum = 0;
            n = 0;
        }
        if (away <= best) {
            sum += hg_nano_to_double(sweep->rows[i].iv);
            n++;
        }
    }
    return n > 0 ? sum / n : 0;
}

static int doubles_resize(double **array, uint32_t count) {
    double *bigger = realloc(*array, (count + 1) * sizeof *bigger);
    if (!bigger) {
        return HG_ERR(HG_ENOMEM, "a sweep");
    }
    *array = bigger;
    memset(bigger, 0, (count + 1) * sizeof *bigger);
    return HG_OK;
}

int hg_chain_sweep_complete(hg_chain_sweep *sweep, const hg_universe *universe) {
    hg_assert(sweep->count > 0);
    sweep->underlyings = hg_universe_underlying_count(universe);
    sweep->expiries = hg_universe_expiry_count(universe);
    int rc = doubles_resize(&sweep->index, sweep->underlyings);
    if (rc == HG_OK) rc = doubles_resize(&sweep->vol, sweep->underlyings);
    if (rc == HG_OK) rc = doubles_resize(&sweep->forward, sweep->expiries);
    hg_nano *scratch = malloc(sweep->count * sizeof *scratch);
    if (rc < 0 || !scratch) {
        free(scratch);
        return rc < 0 ? rc : HG_ERR(HG_ENOMEM, "a sweep");
    }
    for (uint32_t e = 0; e < sweep->expiries; e++) {
        sweep->forward[e] = forward_median(sweep, universe, e, scratch);
    }
    for (uint32_t u = 0; u < sweep->underlyings; u++) {
        sweep->index[u] = index_median(sweep, universe, u, scratch);
        sweep->vol[u] = vol_at_the_money(sweep, universe, u);
    }
    free(scratch);
    return HG_OK;
}
