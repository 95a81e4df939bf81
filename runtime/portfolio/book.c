/* The columns of a book: memory for every option of an underlying, and which of them are held. */
#include "base/assert.h"
#include "portfolio/portfolio_int.h"

#include <stdlib.h>
#include <string.h>

enum { DOUBLE_COLUMNS = 18 };

static uint32_t count_options(const hg_universe *universe, uint32_t underlying, uint32_t *linears) {
    uint32_t options = 0;
    *linears = 0;
    for (uint32_t id = hg_universe_underlying(universe, underlying)->first; id != HG_ID_NONE;
         id = hg_universe_next(universe, id)) {
        if (hg_universe_get(universe, id)->kind == HG_KIND_OPTION) {
            options++;
        } else {
            (*linears)++;
        }
    }
    return options;
}

/* Cuts one block into the double columns; `stride` is a multiple of a cache line. */
static void cut_columns(hg_book *b, size_t stride) {
    double **columns[DOUBLE_COLUMNS] = {&b->f,     &b->k,      &b->t,     &b->sigma, &b->cp,
                                        &b->price, &b->delta,  &b->gamma, &b->vega,  &b->theta,
                                        &b->vanna, &b->volga,  &b->charm, &b->held,  &b->buy,
                                        &b->sell,  &b->coin_w, &b->usd_w};
    double *at = b->f;
    for (size_t i = 0; i < DOUBLE_COLUMNS; i++) {
        *columns[i] = at;
        at += stride;
    }
}

bool hg_book_init(hg_book *b, const hg_universe *universe, uint32_t underlying) {
    uint32_t linears = 0;
    size_t options = count_options(universe, underlying, &linears);
    size_t stride = (options + 8) & ~(size_t)7;
    b->option_ids = calloc(stride, sizeof *b->option_ids);
    b->linear_ids = calloc((size_t)linears + 1, sizeof *b->linear_ids);
    b->state = calloc(stride, sizeof *b->state);
    b->seen = calloc(stride, sizeof *b->seen);
    b->source = calloc(stride, sizeof *b->source);
    b->inverse = calloc(stride, sizeof *b->inverse);
    b->slot = calloc(stride, sizeof *b->slot);
    b->iv_ns = calloc(stride, sizeof *b->iv_ns);
    b->expiry_ids = calloc(stride, sizeof *b->expiry_ids);
    b->expiry_f = calloc(stride, sizeof *b->expiry_f);
    b->expiry_inv_f = calloc(stride, sizeof *b->expiry_inv_f);
    b->expiry_t = calloc(stride, sizeof *b->expiry_t);
    b->expiry_ns = calloc(stride, sizeof *b->expiry_ns);
    b->f = aligned_alloc(64, stride * DOUBLE_COLUMNS * sizeof *b->f);
    if (!b->option_ids || !b->linear_ids || !b->state || !b->seen || !b->source || !b->inverse ||
        !b->slot || !b->iv_ns || !b->expiry_ids || !b->expiry_f || !b->expiry_inv_f ||
        !b->expiry_t || !b->expiry_ns || !b->f) {
        return false; /* the owner frees what there is */
    }
    memset(b->f, 0, stride * DOUBLE_COLUMNS * sizeof *b->f);
    cut_columns(b, stride);
    b->restructure = true;
    return true;
}

void hg_book_fini(hg_book *b) {
    free(b->option_ids);
    free(b->linear_ids);
    free(b->state);
    free(b->seen);
    free(b->source);
    free(b->inverse);
    free(b->slot);
    free(b->iv_ns);
    free(b->expiry_ids);
    free(b->expiry_f);
    free(b->expiry_inv_f);
    free(b->expiry_t);
    free(b->expiry_ns);
    free(b->f);
}

static uint32_t expiry_slot(hg_book *b, uint32_t expiry_id) {
    for (uint32_t s = 0; s < b->expiries; s++) {
        if (b->expiry_ids[s] == expiry_id) {
            return s;
        }
    }
    b->expiry_ids[b->expiries] = expiry_id;
    return b->expiries++;
}

static void add_option(hg_portfolio *p, hg_book *b, const hg_instrument *inst) {
    uint32_t i = b->options++;
    p->holdings[inst->id].column = i;
    b->option_ids[i] = inst->id;
    b->state[i] = hg_market_get(p->market, inst->id);
    b->slot[i] = expiry_slot(b, inst->expiry_id);
    b->k[i] = hg_nano_to_double(inst->strike);
    b->cp[i] = inst->cp;
    b->source[i] = HG_IV_NONE;
    b->inverse[i] = inst->inverse;
}

static bool same_options(const hg_portfolio *p, const hg_book *b, uint32_t underlying) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->held_count; i++) {
        const hg_instrument *inst = hg_universe_get(p->universe, p->held[i]);
        if (inst->underlying_id == underlying && inst->kind == HG_KIND_OPTION) {
            if (n >= b->options || b->option_ids[n] != inst->id) {
                return false;
            }
            n++;
        }
    }
    return n == b->options;
}

/* Follows the list of what is held. Option columns are kept when only futures came or went. */
void hg_book_rebuild(hg_portfolio *p, hg_book *b, uint32_t underlying) {
    bool keep = b->priced && same_options(p, b, underlying);
    if (!keep) {
        for (uint32_t i = 0; i < b->options; i++) {
            p->holdings[b->option_ids[i]].column = HG_ID_NONE;
        }
        b->options = 0;
        b->expiries = 0;
        b->priced = false;
    }
    b->linears = 0;
    for (uint32_t i = 0; i < p->held_count; i++) {
        const hg_instrument *inst = hg_universe_get(p->universe, p->held[i]);
        if (inst->underlying_id != underlying) {
            continue;
        }
        if (inst->kind != HG_KIND_OPTION) {
            b->linear_ids[b->linears++] = inst->id;
        } else if (!keep) {
            add_option(p, b, inst);
        }
    }
    b->restructure = false;
    b->moved = true;
    b->sizes_moved = true;
    b->options_due = true;
    hg_assert(b->expiries <= b->options || b->options == 0);
}
