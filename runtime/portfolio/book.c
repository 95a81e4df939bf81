/* The columns of a book: memory for every option of an underlying, and which of them are held. */
#include "base/assert.h"
#include "base/pages.h"
#include "portfolio/portfolio_int.h"

#include <stdlib.h>
#include <string.h>

enum { DOUBLE_COLUMNS = 16 };

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
    double **columns[DOUBLE_COLUMNS] = {
        &b->f,    &b->k,     &b->t,     &b->sigma, &b->cp,    &b->price, &b->delta, &b->gamma,
        &b->vega, &b->theta, &b->vanna, &b->volga, &b->charm, &b->held,  &b->buy,   &b->sell};
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
    b->group = calloc(stride, sizeof *b->group);
    b->state = calloc(stride, sizeof *b->state);
    b->seen = calloc(stride, sizeof *b->seen);
    b->source = calloc(stride, sizeof *b->source);
    b->flaw = calloc(stride, sizeof *b->flaw);
    b->used = calloc(stride, sizeof *b->used);
    b->iv_ns = calloc(stride, sizeof *b->iv_ns);
    b->f = hg_pages_new(stride * DOUBLE_COLUMNS, sizeof *b->f);
    if (!b->option_ids || !b->linear_ids || !b->group || !b->state || !b->seen || !b->source ||
        !b->flaw || !b->used || !b->iv_ns || !b->f) {
        return false; /* the owner frees what there is */
    }
    cut_columns(b, stride);
    b->restructure = true;
    return true;
}

void hg_book_fini(hg_book *b) {
    free(b->option_ids);
    free(b->linear_ids);
    free(b->group);
    free(b->state);
    free(b->seen);
    free(b->source);
    free(b->flaw);
    free(b->used);
    free(b->iv_ns);
    hg_pages_free(b->f);
}

/* Delivered legs stay listed for the P&L, but nothing can move them any more. */
static bool is_column(const hg_portfolio *p, const hg_instrument *inst, uint32_t underlying) {
    return inst->underlying_id == underlying && inst->kind == HG_KIND_OPTION &&
           !p->holdings[inst->id].settled;
}

static bool same_options(const hg_portfolio *p, const hg_book *b, uint32_t underlying) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->held_count; i++) {
        const hg_instrument *inst = hg_universe_get(p->universe, p->held[i]);
        if (is_column(p, inst, underlying)) {
            if (p->holdings[inst->id].column == HG_ID_NONE) {
                return false;
            }
            n++;
        }
    }
    return n == b->options;
}

static void add_option(hg_portfolio *p, hg_book *b, const hg_instrument *inst) {
    uint32_t i = b->options++;
    p->holdings[inst->id].column = i;
    b->option_ids[i] = inst->id;
    b->state[i] = hg_market_get(p->market, inst->id);
    b->k[i] = hg_nano_to_double(inst->strike);
    b->cp[i] = inst->cp;
    b->source[i] = HG_IV_NONE;
}

/* All held options that belong with `first`, which has no column yet. */
static void add_group(hg_portfolio *p, hg_book *b, const hg_instrument *first) {
    hg_group *g = &b->group[b->groups++];
    *g = (hg_group){.expiry_id = first->expiry_id,
                    .first = b->options,
                    .inverse = first->inverse,
                    .expiry_ns = first->expiry_ns};
    for (uint32_t i = 0; i < p->held_count; i++) {
        const hg_instrument *inst = hg_universe_get(p->universe, p->held[i]);
        if (is_column(p, inst, first->underlying_id) && inst->expiry_id == g->expiry_id &&
            inst->inverse == g->inverse) {
            add_option(p, b, inst);
        }
    }
    g->end = b->options;
    hg_assert(g->end > g->first);
}

static void drop_options(hg_portfolio *p, hg_book *b) {
    for (uint32_t i = 0; i < b->options; i++) {
        p->holdings[b->option_ids[i]].column = HG_ID_NONE;
    }
    b->options = 0;
    b->groups = 0;
    b->priced = false;
}

/* Follows the list of what is held. Option columns are kept when only futures came or went. */
void hg_book_rebuild(hg_portfolio *p, hg_book *b, uint32_t underlying) {
    bool keep = b->priced && same_options(p, b, underlying);
    if (!keep) {
        drop_options(p, b);
    }
    b->linears = 0;
    for (uint32_t i = 0; i < p->held_count; i++) {
        const hg_instrument *inst = hg_universe_get(p->universe, p->held[i]);
        if (is_column(p, inst, underlying)) {
            if (p->holdings[inst->id].column == HG_ID_NONE) {
                add_group(p, b, inst);
            }
        } else if (inst->underlying_id == underlying && inst->kind != HG_KIND_OPTION) {
            b->linear_ids[b->linears++] = inst->id;
        }
    }
    b->restructure = false;
    b->moved = true;
    b->sizes_moved = true;
    b->options_due = true;
    hg_assert(b->groups <= b->options);
}
