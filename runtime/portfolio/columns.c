/* The columns of a book kept true: vols, forwards and times read where they may have changed, and
 * options priced again only where an input did. */
#include "base/assert.h"
#include "base/clock.h"
#include "domain/delivery.h"
#include "greeks/batch.h"
#include "portfolio/portfolio_int.h"

#include <math.h>

#define TIME_STEP_NS HG_NS_PER_S      /* times to expiry move in steps of this ... */
#define EXPIRY_NEAR_NS HG_NS_PER_HOUR /* ... but not this near to an expiry */

/* Its own state changed; or the vol is borrowed or assumed, and another option, which has told
 * something since, may have become the better source. */
static bool vol_due(const hg_book *b, uint32_t i) {
    return b->seen[i] != b->state[i]->version ||
           ((b->source[i] == HG_IV_NEIGHBOUR || b->source[i] == HG_IV_NONE) &&
            b->option_events != b->option_events_seen);
}

/* Reads the vol again; true when it is another one. */
static bool vol_read(const hg_portfolio *p, hg_book *b, uint32_t i) {
    double sigma = HG_IV_ASSUMED;
    int64_t time_ns = 0;
    hg_iv_source source = hg_market_iv(p->market, b->option_ids[i], &sigma, &time_ns);
    if (!isfinite(sigma) || sigma < 0) {
        sigma = HG_IV_ASSUMED;
        source = HG_IV_NONE;
    }
    bool changed = sigma != b->sigma[i];
    bool doubtful = b->state[i]->book_invalid && source != HG_IV_MARK;
    b->seen[i] = b->state[i]->version;
    b->source[i] = (uint8_t)source;
    b->sigma[i] = sigma;
    b->iv_ns[i] = time_ns;
    b->flaw[i] = (uint8_t)((source == HG_IV_NONE ? HG_FLAW_VOL : 0) |
                           (doubtful ? HG_FLAW_BOOK : 0));
    return changed;
}

/* Notes in p->changed which vols became others; returns how many. */
static uint32_t vols_read(hg_portfolio *p, hg_book *b) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->options; i++) {
        if (!b->priced || vol_due(b, i)) {
            b->options_due = true; /* its age, if nothing else */
            if (vol_read(p, b, i)) {
                p->changed[count++] = i;
            }
        }
    }
    b->option_events_seen = b->option_events;
    return count;
}

bool hg_book_forwards(const hg_portfolio *p, hg_book *b) {
    bool moved = false;
    for (uint32_t n = 0; n < b->groups; n++) {
        hg_group *g = &b->group[n];
        double f = hg_market_forward(p->market, g->expiry_id, &g->forward_ns);
        f = f > 0 && isfinite(f) ? f : 0;
        moved = moved || f != g->f;
        g->f = f;
    }
    return moved;
}

int64_t hg_book_time(const hg_book *b, int64_t now_ns) {
    bool near = b->next_expiry_ns <= now_ns || b->next_expiry_ns - now_ns < EXPIRY_NEAR_NS;
    return near ? now_ns : now_ns - now_ns % TIME_STEP_NS;
}

static void times_read(hg_book *b, int64_t now_ns) {
    b->next_expiry_ns = INT64_MAX;
    for (uint32_t n = 0; n < b->groups; n++) {
        int64_t expiry_ns = b->group[n].expiry_ns;
        if (expiry_ns > now_ns && expiry_ns < b->next_expiry_ns) {
            b->next_expiry_ns = expiry_ns;
        }
    }
    b->time_ns = hg_book_time(b, now_ns);
    for (uint32_t n = 0; n < b->groups; n++) {
        double windows = hg_delivery_windows(b->group[n].expiry_ns, b->time_ns);
        b->group[n].t = hg_market_years(b->group[n].expiry_ns, b->time_ns);
        b->group[n].open = hg_delivery_share(windows);
        b->group[n].pace = hg_delivery_pace(windows);
    }
}

/* Forward and time of every option, and what its price is worth. Without a forward the spot stands
 * in, without a spot the strike. */
static void columns_fill(hg_book *b, double spot) {
    for (uint32_t n = 0; n < b->groups; n++) {
        hg_group *g = &b->group[n];
        double f = g->f > 0 ? g->f : spot;
        double unit = g->inverse ? f : spot;
        double t = g->t;
        g->coin_w = unit > 0 ? 1 / unit : 0;
        g->usd_w = g->inverse ? spot * g->coin_w : 1;
        for (uint32_t i = g->first; i < g->end; i++) {
            b->f[i] = f > 0 ? f : b->k[i];
            b->t[i] = t;
        }
    }
}

/* Greeks of the kernel are by the expected delivery price; these are by the spot and the clock
 * (domain/delivery.h): of each move of the spot only the open share arrives. */
static void averaging(const hg_group *g, hg_book *b, uint32_t i) {
    double a = g->open;
    double fixing = a < 1 ? (double)HG_NS_PER_YEAR / (double)HG_DELIVERY_WINDOW_NS : 0;
    b->charm[i] = a * g->pace * b->charm[i] - b->delta[i] * fixing;
    b->delta[i] *= a;
    b->gamma[i] *= a * a;
    b->vanna[i] *= a;
    b->theta[i] *= g->pace;
}

static bool averaged(const hg_group *g) {
    return g->open < 1 || g->pace != 1;
}

const hg_group *hg_book_group(const hg_book *b, uint32_t i) {
    uint32_t n = 0;
    while (b->group[n].end <= i) {
        n++;
    }
    return &b->group[n];
}

static void options_price(hg_book *b) {
    const hg_batch_in in = {b->f, b->k, b->t, b->sigma, b->cp};
    const hg_batch_out out = {.price = b->price,
                              .delta = b->delta,
                              .gamma = b->gamma,
                              .vega = b->vega,
                              .theta = b->theta,
                              .vanna = b->vanna,
                              .volga = b->volga,
                              .charm = b->charm};
    hg_greeks_batch(&in, &out, b->options);
    for (uint32_t n = 0; n < b->groups; n++) {
        for (uint32_t i = b->group[n].first; averaged(&b->group[n]) && i < b->group[n].end; i++) {
            averaging(&b->group[n], b, i);
        }
    }
}

/* Prices the `count` options named in p->changed through packed columns. */
static void options_reprice(hg_portfolio *p, hg_book *b, uint32_t count) {
    hg_assert(count <= p->scratch_capacity);
    double *const in_of[] = {b->f, b->k, b->t, b->sigma, b->cp};
    double *const out_of[] = {b->price, b->delta, b->gamma, b->vega,
                              b->theta, b->vanna, b->volga, b->charm};
    double *col[13];
    for (size_t c = 0; c < 13; c++) {
        col[c] = p->scratch + c * p->scratch_capacity;
    }
    for (uint32_t n = 0; n < count; n++) {
        for (size_t c = 0; c < 5; c++) {
            col[c][n] = in_of[c][p->changed[n]];
        }
    }
    const hg_batch_in in = {col[0], col[1], col[2], col[3], col[4]};
    const hg_batch_out out = {.price = col[5],
                              .delta = col[6],
                              .gamma = col[7],
                              .vega = col[8],
                              .theta = col[9],
                              .vanna = col[10],
                              .volga = col[11],
                              .charm = col[12]};
    hg_greeks_batch(&in, &out, count);
    for (uint32_t n = 0; n < count; n++) {
        for (size_t c = 0; c < 8; c++) {
            out_of[c][p->changed[n]] = col[5 + c][n];
        }
        const hg_group *g = hg_book_group(b, p->changed[n]);
        if (averaged(g)) {
            averaging(g, b, p->changed[n]);
        }
    }
}

void hg_book_pass(hg_portfolio *p, hg_book *b, double spot, bool state_moved, int64_t now_ns) {
    hg_book_forwards(p, b);
    times_read(b, now_ns);
    if (state_moved || !b->priced) {
        vols_read(p, b);
    }
    columns_fill(b, spot);
    if (b->options > 0) {
        options_price(b);
        p->passes++;
    }
    b->options_due = true;
    b->priced = true;
}

void hg_book_refresh(hg_portfolio *p, hg_book *b) {
    uint32_t count = vols_read(p, b);
    if (count > 0) {
        options_reprice(p, b, count);
        p->passes++;
    }
}
