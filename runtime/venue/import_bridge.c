/* What happens between two sweeps of a chain that lie hours apart.
 *
 * The log index of each underlying follows a Brownian bridge pinned at both sweeps,
 *     x(u) given x(s), x(e):  mean x(s) + (x(e) - x(s)) (u - s) / (e - s)
 *                             variance sigma^2 (u - s) (e - u) / (e - s)
 * (Glasserman, Monte Carlo Methods in Financial Engineering, 2003, eq. 3.6), with sigma the mean of
 * the at-the-money vols of both sweeps, times in years ACT/365, and shocks of correlation RHO
 * between underlyings. Forwards keep their log basis, interpolated linearly in time. Option vols
 * come from the sweep before only, so that a mark never knows the vol of the future. */
#include "venue/import_chain_int.h"

#include "base/assert.h"
#include "base/clock.h"
#include "domain/delivery.h"
#include "greeks/black76.h"

#include <math.h>
#include <stdlib.h>

/* BTC and ETH move together; 0.85 is the usual correlation of their daily returns. */
static const double RHO = 0.85;

/* Sweeps further apart than this are two recordings; nothing is made up between them. */
#define BRIDGE_GAP_MAX_NS (7 * HG_NS_PER_DAY)

/* 0: no bridge. */
static int64_t bridge_step(const hg_chain *c) {
    bool near = c->next.time_ns - c->prev.time_ns <= BRIDGE_GAP_MAX_NS;
    return near ? c->im.options->bridge_ns : 0;
}

static double years(int64_t ns) {
    return (double)ns / (double)HG_NS_PER_YEAR;
}

static bool bridged(const hg_chain *c, uint32_t underlying) {
    return underlying < c->prev.underlyings && c->prev.index[underlying] > 0 &&
           c->next.index[underlying] > 0;
}

/* Bounded, so that a nonsense vol in a file cannot send the index to where numbers end. */
static double bridge_vol(const hg_chain *c, uint32_t underlying) {
    double a = c->prev.vol[underlying];
    double b = c->next.vol[underlying];
    return fmin(a > 0 && b > 0 ? (a + b) / 2 : fmax(a, b), 5);
}

/* Moves every index from `from` to `to`; without a bridge, along the straight line of its log. */
static void spot_advance(hg_chain *c, int64_t from, int64_t to, bool random) {
    double span = years(c->next.time_ns - from);
    double step = years(to - from);
    double common = random ? hg_rng_normal(&c->rng) : 0;
    for (uint32_t u = 0; u < c->next.underlyings; u++) {
        double own = random ? hg_rng_normal(&c->rng) : 0;
        if (!bridged(c, u)) {
            continue;
        }
        double start = log(c->spot[u]);
        double mean = start + (log(c->next.index[u]) - start) * step / span;
        double var = step * (span - step) / span;
        double shock = sqrt(RHO) * common + sqrt(1 - RHO) * own;
        double vol = random ? bridge_vol(c, u) : 0;
        c->spot[u] = exp(mean + vol * sqrt(fmax(var, 0)) * shock);
        hg_chain_path_push(c, u, to, c->spot[u]);
    }
}

/* The mean of the path in the window; the last index known when it has no point there. */
static double delivery_price(const hg_chain_path *path, int64_t expiry_ns) {
    double sum = 0;
    uint32_t n = 0;
    uint32_t oldest = path->count > HG_CHAIN_PATH_MAX ? path->count - HG_CHAIN_PATH_MAX : 0;
    for (uint32_t i = path->count; i > oldest; i--) {
        uint32_t at = (i - 1) % HG_CHAIN_PATH_MAX;
        if (path->points[at].time_ns < expiry_ns - HG_DELIVERY_WINDOW_NS) {
            break;
        }
        sum += path->points[at].index;
        n++;
    }
    uint32_t last = (path->count - 1) % HG_CHAIN_PATH_MAX;
    return n > 0 ? sum / n : path->count > 0 ? path->points[last].index : 0;
}

/* Forward of an expiry at `time_ns`, the expected delivery price in its window; 0: not known. */
static double forward_at(const hg_chain *c, uint32_t expiry, int64_t time_ns) {
    uint32_t u = hg_universe_expiry(c->im.universe, expiry)->underlying;
    if (expiry >= c->prev.expiries || c->prev.forward[expiry] <= 0 || !bridged(c, u)) {
        return 0;
    }
    double basis = log(c->prev.forward[expiry] / c->prev.index[u]);
    if (c->next.forward[expiry] > 0) {
        double later = log(c->next.forward[expiry] / c->next.index[u]);
        double weight = (double)(time_ns - c->prev.time_ns) /
                        (double)(c->next.time_ns - c->prev.time_ns);
        basis += (later - basis) * weight;
    }
    int64_t expiry_ns = hg_universe_expiry(c->im.universe, expiry)->time_ns;
    double open = hg_delivery_open(expiry_ns, time_ns);
    double fixed = open < 1 ? delivery_price(c->paths[u], expiry_ns) : 0;
    return open * c->spot[u] * exp(basis) + (1 - open) * fixed;
}

// --- the smile ----------------------------------------------------------------------------------

typedef struct {
    uint32_t expiry;
    double strike;
    double iv;
} smile_point;

typedef struct {
    smile_point *points; /* by expiry and strike, one per strike */
    uint32_t count;
} smile;

static int compare_points(const void *a, const void *b) {
    const smile_point *x = a;
    const smile_point *y = b;
    if (x->expiry != y->expiry) {
        return x->expiry < y->expiry ? -1 : 1;
    }
    return (x->strike > y->strike) - (x->strike < y->strike);
}

/* Call and put of one strike become their mean. */
static void smile_merge(smile *s) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        if (kept > 0 && compare_points(&s->points[kept - 1], &s->points[i]) == 0) {
            s->points[kept - 1].iv = (s->points[kept - 1].iv + s->points[i].iv) / 2;
        } else {
            s->points[kept++] = s->points[i];
        }
    }
    s->count = kept;
}

static int smile_build(const hg_chain *c, smile *s) {
    s->points = malloc((c->prev.count + 1) * sizeof *s->points);
    if (!s->points) {
        return HG_ERR(HG_ENOMEM, "a smile of %u rows", c->prev.count);
    }
    for (uint32_t i = 0; i < c->prev.count; i++) {
        const hg_chain_row *row = &c->prev.rows[i];
        const hg_instrument *inst = hg_universe_get(c->im.universe, row->id);
        if (row->iv > 0) {
            s->points[s->count++] = (smile_point){inst->expiry_id, hg_nano_to_double(inst->strike),
                                                  hg_nano_to_double(row->iv)};
        }
    }
    qsort(s->points, s->count, sizeof *s->points, compare_points);
    smile_merge(s);
    return HG_OK;
}

/* Linear in log strike between the points around it, flat beyond the wings. */
static double smile_at(const smile *s, uint32_t expiry, double strike, double fallback) {
    uint32_t lo = 0;
    uint32_t hi = s->count;
    smile_point key = {expiry, strike, 0};
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (compare_points(&s->points[mid], &key) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    bool above = lo < s->count && s->points[lo].expiry == expiry;
    bool below = lo > 0 && s->points[lo - 1].expiry == expiry;
    if (!above || !below) {
        return above ? s->points[lo].iv : below ? s->points[lo - 1].iv : fallback;
    }
    const smile_point *a = &s->points[lo - 1];
    const smile_point *b = &s->points[lo];
    double width = log(b->strike / a->strike);
    return width > 0 ? a->iv + (b->iv - a->iv) * log(strike / a->strike) / width : b->iv;
}

// --- marks --------------------------------------------------------------------------------------

/* Price in the quote unit: coin for inverse options. Below zero: no price. */
static double model_price(const hg_instrument *inst, double forward, double iv, int64_t time_ns) {
    double value = 0;
    double strike = hg_nano_to_double(inst->strike);
    double t = hg_delivery_years(inst->expiry_ns, time_ns);
    if (hg_black76_price(forward, strike, t, iv, inst->cp, 0, &value) != HG_OK) {
        return -1;
    }
    return inst->inverse ? value / forward : value;
}

/* The quote moves with the mark, rounded outward, so that it never gets narrower than it was. */
static bool quote_shift(const hg_instrument *inst, hg_chain_row *row, double shift) {
    hg_ticks bid = 0;
    hg_ticks ask = 0;
    if (row->bid > 0) {
        bid = hg_price_round(inst, hg_price_to_double(inst, row->bid) + shift, -1);
    }
    if (row->ask > 0) {
        ask = hg_price_round(inst, hg_price_to_double(inst, row->ask) + shift, 1);
        ask = ask < 1 ? 1 : ask;
    }
    bid = bid < 0 ? 0 : bid;
    bool changed = bid != row->bid_now || ask != row->ask_now;
    row->bid_now = bid;
    row->ask_now = ask;
    return changed;
}

static int row_remark(hg_chain *c, hg_chain_row *row, const smile *s, int64_t time_ns) {
    const hg_instrument *inst = hg_universe_get(c->im.universe, row->id);
    if (row->iv <= 0 || row->mark < 0 || time_ns >= inst->expiry_ns) {
        return HG_OK;
    }
    double forward = forward_at(c, inst->expiry_id, time_ns);
    if (forward <= 0) {
        return HG_OK;
    }
    double then = c->prev.forward[inst->expiry_id];
    double iv = hg_nano_to_double(row->iv);
    if (s->points) {
        double strike = hg_nano_to_double(inst->strike);
        iv = smile_at(s, inst->expiry_id, strike * then / forward, iv);
    }
    if (row->model == 0) {
        row->model = model_price(inst, then, hg_nano_to_double(row->iv), c->prev.time_ns);
    }
    double price = model_price(inst, forward, iv, time_ns);
    if (price < 0 || row->model < 0) {
        return HG_OK;
    }
    /* Six decimals, as the venue's own ticker. */
    int rc = hg_chain_emit_mark(c, row->id, time_ns, (hg_nano)llrint(price * 1e6) * 1000,
                                (hg_nano)llrint(iv * 1e4) * 100000);
    if (rc == HG_OK && quote_shift(inst, row, price - row->model)) {
        rc = hg_chain_emit_quote(c, row, time_ns);
    }
    return rc;
}

static int step_emit(hg_chain *c, const smile *s, int64_t time_ns) {
    int rc = HG_OK;
    for (uint32_t u = 0; rc == HG_OK && u < c->next.underlyings; u++) {
        if (bridged(c, u)) rc = hg_chain_emit_index(c, u, time_ns, c->spot[u]);
    }
    for (uint32_t e = 0; rc == HG_OK && e < c->prev.expiries; e++) {
        double forward = forward_at(c, e, time_ns);
        bool alive = hg_universe_expiry(c->im.universe, e)->time_ns > time_ns;
        if (alive && forward > 0) rc = hg_chain_emit_forward(c, e, time_ns, forward);
    }
    bool marks = c->im.options->remark != HG_REMARK_NONE;
    for (uint32_t i = 0; marks && rc == HG_OK && i < c->prev.count; i++) {
        rc = row_remark(c, &c->prev.rows[i], s, time_ns);
    }
    return rc < 0 ? rc : hg_import_close(&c->im);
}

// --- deliveries ---------------------------------------------------------------------------------

static int deliver(hg_chain *c, int64_t time_ns) {
    int rc = HG_OK;
    uint32_t count = hg_universe_count(c->im.universe);
    for (uint32_t i = 0; rc == HG_OK && i < count; i++) {
        const hg_instrument *inst = hg_universe_get(c->im.universe, i);
        if (c->listed[i] != 1 || inst->expiry_ns != time_ns) {
            continue;
        }
        double price = delivery_price(c->paths[inst->underlying_id], time_ns);
        if (price <= 0) {
            continue;
        }
        c->listed[i] = 2;
        c->im.report->settled++;
        hg_event ev = {.time_ns = time_ns, .kind = HG_EV_SETTLE, .id = i};
        ev.price.value = (hg_nano)llrint(fmin(price, 1e9) * 1e4) * 100000;
        rc = hg_import_add(&c->im, &ev);
    }
    return rc < 0 ? rc : hg_import_close(&c->im);
}

/* The first expiry of a listed instrument after `from` and up to `to`; INT64_MAX: none. */
static int64_t next_delivery(const hg_chain *c, int64_t from, int64_t to) {
    int64_t best = INT64_MAX;
    for (uint32_t e = 0; e < hg_universe_expiry_count(c->im.universe); e++) {
        int64_t at = hg_universe_expiry(c->im.universe, e)->time_ns;
        if (at > from && at <= to && at < best) best = at;
    }
    return best;
}

static int bridge_walk(hg_chain *c, const smile *s) {
    int64_t step = bridge_step(c);
    int64_t now = c->prev.time_ns;
    int64_t end = c->next.time_ns;
    for (;;) {
        hg_assert(now <= end);
        int64_t due = next_delivery(c, now, end);
        int64_t tick = INT64_MAX;
        if (step > 0) {
            tick = c->prev.time_ns + ((now - c->prev.time_ns) / step + 1) * step;
        }
        int64_t at = due < tick ? due : tick;
        if (at > end || (at == end && due != at)) {
            return HG_OK;
        }
        spot_advance(c, now, at, step > 0);
        now = at;
        int rc = HG_OK;
        if (step > 0 && at < end) {
            c->im.report->bridge_steps++;
            rc = step_emit(c, s, at);
        }
        if (rc == HG_OK && at == due) rc = deliver(c, at);
        if (rc < 0) {
            return rc;
        }
    }
}

int hg_chain_bridge(hg_chain *c) {
    hg_assert(c->prev.time_ns < c->next.time_ns);
    smile s = {0};
    int rc = HG_OK;
    if (bridge_step(c) > 0 && c->im.options->remark == HG_REMARK_STICKY_DELTA) {
        rc = smile_build(c, &s);
    }
    for (uint32_t u = 0; u < c->prev.underlyings; u++) c->spot[u] = c->prev.index[u];
    if (rc == HG_OK) rc = bridge_walk(c, &s);
    free(s.points);
    return rc;
}
